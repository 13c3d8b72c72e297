// One or more evaluations: metrics beside each other, curves over each other, matrices and residuals.

function curvesOf(report) {
  return list(report.curves);
}
/** One line a curve: of each evaluation for two classes, of each class for more. */
function curveSeries(evaluations, isNamed) {
  const series = [];
  for (const {name, content} of evaluations) {
    for (const curve of curvesOf(content)) {
      const isBinary = content.task === 'binary';
      const text = isBinary ? name : (isNamed ? `${name}: ${curve.class}` : curve.class);
      series.push({text, tone: tone(series.length), isAgain: series.length >= 6, curve, report: content});
    }
  }
  return series;
}
function legendOf(series) {
  return series.map(s => ({text: s.text, tone: s.tone, isAgain: s.isAgain}));
}
function squareHeight(width) {
  return Math.max(260, Math.min(400, Math.round(width * 0.82)));
}

/** The point of a curve that a threshold picks: the last one not below it. */
function indexAt(thresholds, threshold) {
  let index = 0;
  list(thresholds).forEach((value, i) => {
    const t = i === 0 ? Infinity : numeric(value);
    if (t !== null && t >= threshold) index = i;
  });
  return index;
}

function lineChart({title, note, series, points, x, y, guide, label, mark}) {
  return chart({title, note, legend: legendOf(series), draw: width => {
    const f = frame({width, height: squareHeight(width), x, y, label});
    if (guide) f.marks.append(svg('path', {class: 'guide', d: path(guide.map(([a, b]) => [f.sx(a), f.sy(b)]))}));
    const seen = [];
    for (const s of series) {
      const all = points(s);
      f.marks.append(svg('path', {class: `line ${s.tone}${s.isAgain ? ' again' : ''}`, d: path(all.map(p => [f.sx(p.x), f.sy(p.y)]))}));
      const marked = mark && mark(s, all);
      if (marked) f.marks.append(svg('circle', {class: `dot ${s.tone}`, r: 4.5, cx: f.sx(marked.x), cy: f.sy(marked.y)}));
      for (const p of all) seen.push({x: f.sx(p.x), y: f.sy(p.y), lines: series.length > 1 ? [s.text, ...p.lines] : p.lines});
    }
    inspect(f, seen);
    return f.root;
  }});
}

const UNIT = {domain: [0, 1]};
function rocChart(series, metricOf) {
  return lineChart({
    title: 'ROC', series, note: series.length === 1 ? metricOf(series[0], 'roc_auc', 'AUC') : null,
    label: `ROC curve. ${series.map(s => `${s.text}: ${metricOf(s, 'roc_auc', 'AUC')}`).join('; ')}`,
    x: {...UNIT, title: 'False positive rate'}, y: {...UNIT, title: 'True positive rate'}, guide: [[0, 0], [1, 1]],
    points: s => {
      const roc = record(s.curve.roc);
      return list(roc.fpr).map((fpr, i) => ({x: finite(fpr), y: finite(list(roc.tpr)[i]), lines: [
        `threshold ${decimal(list(roc.thresholds)[i])}`, `false positives ${percent(fpr)}`, `true positives ${percent(list(roc.tpr)[i])}`]}));
    },
    mark: (s, all) => finite(s.report.threshold) !== null && all[indexAt(record(s.curve.roc).thresholds, s.report.threshold)],
  });
}
function prChart(series, metricOf) {
  return lineChart({
    title: 'Precision and recall', series, note: series.length === 1 ? metricOf(series[0], 'average_precision', 'AP') : null,
    label: `Precision against recall. ${series.map(s => `${s.text}: ${metricOf(s, 'average_precision', 'AP')}`).join('; ')}`,
    x: {...UNIT, title: 'Recall'}, y: {...UNIT, title: 'Precision'},
    points: s => {
      const pr = record(s.curve.pr);
      return list(pr.recall).map((recall, i) => ({x: finite(recall), y: finite(list(pr.precision)[i]), lines: [
        `threshold ${decimal(list(pr.thresholds)[i])}`, `recall ${percent(recall)}`, `precision ${percent(list(pr.precision)[i])}`]}));
    },
    mark: (s, all) => finite(s.report.threshold) !== null && all[indexAt(record(s.curve.pr).thresholds, s.report.threshold)],
  });
}
function calibrationChart(series) {
  return chart({title: 'Calibration', note: 'ten bins of equal row counts', legend: legendOf(series), draw: width => {
    const f = frame({width, height: squareHeight(width), label: 'Observed share against predicted probability',
      x: {...UNIT, title: 'Predicted probability'}, y: {...UNIT, title: 'Observed share'}});
    f.marks.append(svg('path', {class: 'guide', d: path([[f.sx(0), f.sy(0)], [f.sx(1), f.sy(1)]])}));
    const seen = [];
    for (const s of series) {
      const curve = record(s.curve.calibration_quantile || s.curve.calibration);
      const observed = list(curve.mean_label);
      const points = list(curve.mean_score).map((score, i) => ({x: f.sx(finite(score)), y: f.sy(finite(observed[i])), lines: [
        s.text, `predicted ${percent(score)}`, `observed ${percent(observed[i])}`, `weight ${count(list(curve.weight)[i])}`]}))
        .filter((_, i) => finite(curve.mean_score[i]) !== null && finite(observed[i]) !== null);
      f.marks.append(svg('path', {class: `line ${s.tone}`, d: path(points.map(p => [p.x, p.y]))}));
      f.marks.append(...points.map(p => svg('circle', {class: `dot ${s.tone}`, r: 4, cx: p.x, cy: p.y})));
      seen.push(...points);
    }
    inspect(f, seen);
    return f.root;
  }});
}
function scoreChart(name, report, curve) {
  const scores = record(curve.scores);
  const edges = list(scores.edges);
  if (edges.length < 2) return null;
  const classes = list(report.classes).map(c => c.name);
  const sides = [{key: 'negative', text: classes[0] || 'negative', tone: 's1'}, {key: 'positive', text: classes[1] || 'positive', tone: 's0'}];
  const shares = sides.map(side => {
    const weights = list(scores[side.key]).map(w => finite(w) || 0);
    const total = weights.reduce((a, b) => a + b, 0) || 1;
    return weights.map(w => w / total);
  });
  return chart({title: 'Scores by class', note: 'share of each class', legend: sides.map(s => ({...s, block: true})), draw: width => {
    const top = Math.max(...shares.flat(), 1e-9);
    const f = frame({width, height: 260, label: `Distribution of predicted probabilities by class, ${name}`,
      x: {...UNIT, title: `Predicted probability of ${cut(curve.class, 30)}`}, y: {domain: [0, top * 1.05], format: v => percent(v, 0)}});
    const seen = [];
    for (let i = 0; i + 1 < edges.length; i += 1) {
      const x = f.sx(edges[i]);
      const w = Math.max(0.5, f.sx(edges[i + 1]) - x - 1);
      sides.forEach((side, k) => f.marks.append(svg('rect', {class: `bar faint ${side.tone}`, x, width: w, y: f.sy(shares[k][i]),
        height: f.sy(0) - f.sy(shares[k][i])})));
      seen.push({x: x + w / 2, y: f.sy(Math.max(shares[0][i], shares[1][i])), noCursor: true, lines: [
        `${decimal(edges[i])} to ${decimal(edges[i + 1])}`, ...sides.map((side, k) => `${side.text}: ${percent(shares[k][i])}`)]});
    }
    if (finite(report.threshold) !== null) {
      const x = f.sx(report.threshold);
      f.marks.append(svg('line', {class: 'guide', x1: x, x2: x, y1: f.top, y2: f.bottom}));
    }
    inspect(f, seen, {onlyX: true});
    return f.root;
  }});
}

/** Metrics as rows, evaluations as columns. */
function metricTable(evaluations) {
  const names = [];
  for (const {content} of evaluations) {
    for (const name of Object.keys(record(content.metrics))) if (!names.includes(name)) names.push(name);
  }
  const shown = name => evaluations.map(e => record(record(e.content.metrics)[name]));
  const columns = [{title: 'Metric', header: true, cell: name => metricTitle(name)}];
  evaluations.forEach((e, index) => {
    columns.push({title: evaluations.length > 1 ? [el('span', {class: `swatch block inline ${tone(index)}`}), e.name] : 'Value', number: true, cell: name => decimal(shown(name)[index].value)},
      {title: '95% interval', number: true, cell: name => el('span', {class: 'range'}, range(shown(name)[index]) || DASH)});
  });
  if (evaluations.length > 1) columns.push({title: 'Beside each other', cell: name => comparisonMarks(shown(name), evaluations)});
  const confidence = finite(record(record(evaluations[0].content).bootstrap).confidence);
  if (confidence !== null) {
    for (const column of columns) column.title = column.title === '95% interval' ? `${percent(confidence, 0)} interval` : column.title;
  }
  const caption = 'Metrics with bootstrap intervals';
  if (evaluations.length > 1 || names.length < 12) return table(columns, names, caption);
  // Alone, the table is long and narrow: two halves beside each other.
  const half = Math.ceil(names.length / 2);
  return el('div', {class: 'cards wide'}, table(columns, names.slice(0, half), caption), table(columns, names.slice(half), caption));
}

/** The metric of each evaluation as dot and interval on one small scale. */
function comparisonMarks(metrics, evaluations) {
  const width = 170;
  const row = 9;
  const height = metrics.length * row + 4;
  const domain = extent(metrics.flatMap(m => [finite(m.value), finite(m.low), finite(m.high)]), 0.08);
  const sx = linear(domain, [6, width - 6]);
  return svg('svg', {width, height, viewBox: `0 0 ${width} ${height}`, role: 'img',
    'aria-label': metrics.map((m, i) => `${evaluations[i].name} ${decimal(m.value)}`).join(', ')},
  metrics.map((m, i) => {
    if (finite(m.value) === null) return null;
    const y = 2 + row * (i + 0.5);
    return svg('g', {class: tone(i)}, range(m) && svg('line', {class: 'whisker', x1: sx(m.low), x2: sx(m.high), y1: y, y2: y}),
      svg('circle', {class: 'dot', r: 4, cx: sx(m.value), cy: y}));
  }));
}

function confusionCard({name, content}, isNamed) {
  const matrix = list(content.confusion);
  if (!matrix.length) return null;
  const classes = list(content.classes).map(c => c.name);
  const box = el('div', {});
  const title = isNamed ? `Confusion, ${name}` : 'Confusion matrix';
  if (content.task !== 'binary') {
    box.append(matrixTable(matrix, classes));
    return el('div', {class: 'card'}, el('h3', {}, title), el('div', {class: 'graph'}, box));
  }
  const roc = record(record(curvesOf(content)[0]).roc);
  const sums = matrix.map(row => row.reduce((a, b) => a + (finite(b) || 0), 0));
  const readout = el('dl', {class: 'readout'});
  const value = el('output', {}, decimal(content.threshold));
  function show(threshold) {
    let cells = matrix;
    const isStored = threshold === content.threshold;
    if (!isStored) {
      const i = indexAt(roc.thresholds, threshold);
      const tp = (finite(list(roc.tpr)[i]) || 0) * sums[1];
      const fp = (finite(list(roc.fpr)[i]) || 0) * sums[0];
      cells = [[sums[0] - fp, fp], [sums[1] - tp, tp]];
    }
    const [[tn, fp], [fn, tp]] = cells;
    const share = (a, b) => (b > 0 ? a / b : null);
    box.replaceChildren(matrixTable(cells, classes));
    value.textContent = isStored ? `${decimal(threshold)}` : `${decimal(threshold)} (approximate)`;
    readout.replaceChildren(...[['Precision', share(tp, tp + fp)], ['Recall', share(tp, tp + fn)], ['F1', share(2 * tp, 2 * tp + fp + fn)],
      ['Accuracy', share(tp + tn, tp + tn + fp + fn)], ['Predicted positive', share(tp + fp, tp + tn + fp + fn)]]
      .map(([n, v]) => el('div', {}, el('dt', {}, n), el('dd', {}, n === 'Predicted positive' ? percent(v) : decimal(v, 3)))));
  }
  const slider = el('input', {type: 'range', min: 0, max: 1, step: 0.01, value: content.threshold, 'aria-label': 'Threshold',
    oninput: () => show(Number(slider.value))});
  show(content.threshold);
  return el('div', {class: 'card'}, el('h3', {}, title),
    list(roc.tpr).length > 1 && el('label', {class: 'threshold'}, 'Threshold', slider, value), el('div', {class: 'graph'}, box), readout);
}

const SHOWN_CLASSES = 14;
function matrixTable(cells, classes) {
  const order = cells.map((_, i) => i);
  const weight = i => cells[i].reduce((a, b) => a + b, 0);
  const shown = order.length > SHOWN_CLASSES
    ? order.sort((a, b) => weight(b) - weight(a)).slice(0, SHOWN_CLASSES).sort((a, b) => a - b) : order;
  const name = i => el('span', {title: classes[i]}, cut(classes[i] ?? String(i), 18));
  return el('table', {class: cells.length === 2 ? 'matrix two' : 'matrix'},
    el('thead', {}, el('tr', {}, el('th', {scope: 'col', class: 'corner'}, 'actual ↓ predicted →'), shown.map(i => el('th', {scope: 'col'}, name(i))))),
    el('tbody', {}, shown.map(i => el('tr', {}, el('th', {scope: 'row'}, name(i)), shown.map(j => {
      const share = weight(i) > 0 ? cells[i][j] / weight(i) : 0;
      return withProperty(el('td', {class: i === j && 'hit'}, plain(Math.round(cells[i][j] * 100) / 100), cells[i][j] > 0 && el('small', {}, percent(share))),
        '--heat', share.toFixed(3));
    })))));
}

function evaluationSection(data) {
  const evaluations = list(data.evaluations).filter(e => e.content && e.content.metrics);
  if (!evaluations.length) return null;
  const isNamed = evaluations.length > 1;
  const classifiers = evaluations.filter(e => curvesOf(e.content).length);
  const metricOf = (s, metric, word) => {
    const value = finite(record(record(s.report.metrics)[metric]).value);
    return s.report.task === 'binary' && value !== null ? `${word} ${decimal(value)}` : '';
  };
  const groups = classifiers.every(e => e.content.task === 'binary') ? [classifiers] : classifiers.map(e => [e]);
  const curves = groups.filter(group => group.length).map(group => {
    const series = curveSeries(group, false);
    return el('div', {}, groups.length > 1 && el('h3', {}, group[0].name), el('div', {class: 'cards'},
      rocChart(series, metricOf), prChart(series, metricOf), calibrationChart(series)));
  });
  const rows = evaluations.map(e => `${e.name}: ${plural(e.content.rows, 'row')}`).join(', ');
  const resamples = finite(record(evaluations[0].content.bootstrap).resamples);
  return section('evaluation', 'Evaluation',
    `${isNamed ? rows : plural(evaluations[0].content.rows, 'row')}${resamples ? `. Intervals from ${count(resamples)} bootstrap resamples` : ''}.`,
    el('div', {class: 'stack'},
      curves,
      classifiers.length > 0 && el('div', {class: 'cards wide'}, classifiers.map(e => [confusionCard(e, isNamed),
        e.content.task === 'binary' && scoreChart(e.name, e.content, curvesOf(e.content)[0])])),
      residualPanels(evaluations.filter(e => e.content.residuals), isNamed),
      metricTable(evaluations)));
}
