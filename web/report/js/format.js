// Numbers, times and names as people read them. A missing or undefined number is a dash.
const DASH = '–';

/** A finite number, or null: NaN and infinity come as null or as text. */
function finite(value) {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
/** Like finite, but "Infinity" counts. */
function numeric(value) {
  if (value === 'Infinity') return Infinity;
  if (value === '-Infinity') return -Infinity;
  return finite(value);
}

function count(value) {
  const n = finite(value);
  return n === null ? DASH : Math.round(n).toLocaleString('en-US');
}

/** Four digits that matter: 0.9271, 41.83, 1,234, 1.2e-5. */
function decimal(value, digits = 4) {
  const n = finite(value);
  if (n === null) return DASH;
  const size = Math.abs(n);
  if (size === 0) return '0';
  if (size < 1e-4 || size >= 1e9) return n.toExponential(2).replace('e+', 'e');
  const places = size >= 1 ? Math.max(0, digits - 1 - Math.floor(Math.log10(size))) : digits;
  const text = n.toLocaleString('en-US', {maximumFractionDigits: places, minimumFractionDigits: Number.isInteger(n) ? 0 : places});
  return text === '-0' ? '0' : text;
}
/** A column's value: as few digits as it has. */
function plain(value) {
  if (typeof value !== 'number') return value === null || value === undefined ? DASH : String(value);
  if (Number.isInteger(value)) return Math.abs(value) < 1e15 ? value.toLocaleString('en-US') : value.toExponential(3);
  return decimal(value);
}
/** An axis label, without needless zeros. */
function tick(value) {
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-4)) {
    return new Intl.NumberFormat('en-US', {notation: size >= 1e6 ? 'compact' : 'scientific', maximumFractionDigits: 2})
      .format(value);
  }
  return Number(value.toPrecision(8)).toLocaleString('en-US', {maximumFractionDigits: 6});
}
function percent(value, digits = 1) {
  const n = finite(value);
  if (n === null) return DASH;
  if (digits > 0 && n > 0 && n < 0.001) return '< 0.1%';
  if (digits > 0 && n < 1 && n > 0.999) return '> 99.9%';
  if (n === 0 || n === 1) return `${100 * n}%`;
  return `${(100 * n).toLocaleString('en-US', {minimumFractionDigits: digits, maximumFractionDigits: digits})}%`;
}
function duration(ms) {
  const n = finite(ms);
  if (n === null) return DASH;
  if (n < 1000) return `${Math.round(n)} ms`;
  if (n < 60000) return `${(n / 1000).toFixed(n < 10000 ? 2 : 1)} s`;
  const minutes = Math.floor(n / 60000);
  if (minutes < 60) return `${minutes} min ${Math.round((n % 60000) / 1000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
function bytes(value) {
  const n = finite(value);
  if (n === null) return DASH;
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let size = n;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(size < 10 ? 1 : 0)} ${units[unit]}`;
}
function moment(ms) {
  const n = finite(ms);
  if (n === null) return null;
  return new Date(n).toLocaleString('en-GB', {dateStyle: 'medium', timeStyle: 'short'});
}
function shortDigest(value) {
  return typeof value === 'string' ? value.replace(/^[a-z0-9]+:/, '').slice(0, 12) : '';
}
function range(metric) {
  const low = finite(metric.low);
  const high = finite(metric.high);
  return low === null || high === null ? null : `${decimal(low)} to ${decimal(high)}`;
}
function plural(n, one, many) {
  return `${count(n)} ${n === 1 ? one : many || `${one}s`}`;
}
function cut(text, length) {
  const letters = Array.from(String(text));
  return letters.length <= length ? letters.join('') : `${letters.slice(0, length - 1).join('')}…`;
}

/** What people call a metric; others lose their underscores. */
const METRIC_TITLES = {
  roc_auc: 'ROC AUC', roc_auc_ovr: 'ROC AUC (one vs rest)', roc_auc_ovr_weighted: 'ROC AUC (one vs rest, weighted)',
  roc_auc_ovo: 'ROC AUC (one vs one)', roc_auc_ovo_weighted: 'ROC AUC (one vs one, weighted)', pr_auc: 'PR AUC',
  f1: 'F1', f1_macro: 'F1, macro', f1_micro: 'F1, micro', f1_weighted: 'F1, weighted', rmse: 'RMSE', mae: 'MAE',
  mse: 'MSE', mape: 'MAPE', r2: 'R²', matthews_corrcoef: 'Matthews correlation', cohen_kappa: "Cohen's kappa",
  ks_statistic: 'Kolmogorov–Smirnov', expected_calibration_error: 'Calibration error', auc: 'AUC',
};
function metricTitle(name) {
  if (Object.hasOwn(METRIC_TITLES, name)) return METRIC_TITLES[name];
  const text = String(name).replace(/_(macro|micro|weighted)$/, ', $1').replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
