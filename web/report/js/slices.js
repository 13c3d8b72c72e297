// Parts of the data: slices, fairness; and which columns matter.

/** A horizontal chart of names with a dot (or bar) and an interval: slices and importances. */
function dotRows({rows, domain, reference, band, label, isBar, format = decimal}) {
  return width => {
    const rowHeight = 27;
    const longest = Math.max(...rows.map(row => Array.from(row.name).length), 4);
    const left = Math.min(Math.max(70, longest * 7 + 12), Math.round(width * 0.36));
    const right = Math.min(150, Math.max(96, width * 0.22));
    const height = rows.length * rowHeight + 34;
    const f = frame({width, height, left, right, bottom: 26, top: 4, label,
      x: {domain, ticks: niceTicks(...domain, Math.max(2, Math.floor((width - left - right) / 80)))}, y: {domain: [0, 1], ticks: []}});
    for (const value of niceTicks(...domain, Math.max(2, Math.floor((width - left - right) / 80)))) {
      f.marks.append(svg('line', {class: 'grid', x1: f.sx(value), x2: f.sx(value), y1: f.top, y2: f.bottom}));
    }
    const clamp = value => Math.max(f.left, Math.min(f.right, f.sx(value)));
    if (band) f.marks.append(svg('rect', {class: 'band', x: clamp(band[0]), width: Math.max(1, clamp(band[1]) - clamp(band[0])), y: f.top, height: f.bottom - f.top}));
    if (finite(reference) !== null) f.marks.append(svg('line', {class: 'guide', x1: f.sx(reference), x2: f.sx(reference), y1: f.top, y2: f.bottom}));
    const seen = [];
    rows.forEach((row, i) => {
      const y = f.top + rowHeight * (i + 0.5) + 2;
      const group = svg('g', {class: `${row.tone || 's0'}${row.isSmall ? ' is-small' : ''}`});
      group.append(svg('text', {class: 'name', x: left - 10, y: y + 4, 'text-anchor': 'end'}, svg('title', {}, row.name),
        cut(row.name, Math.max(4, Math.floor((left - 12) / 7)))));
      if (finite(row.value) !== null) {
        if (isBar) {
          const from = clamp(Math.max(0, domain[0]));
          group.append(svg('rect', {class: 'bar', x: Math.min(from, clamp(row.value)), width: Math.abs(clamp(row.value) - from), y: y - 7, height: 14, rx: 2}));
        }
        if (finite(row.low) !== null) {
          group.append(svg('line', {class: isBar ? 'whisker fine' : 'whisker', x1: clamp(row.low), x2: clamp(row.high), y1: y, y2: y}));
        }
        if (!isBar) group.append(svg('circle', {class: 'dot', cx: clamp(row.value), cy: y, r: 5}));
      }
      group.append(svg('text', {x: f.right + 10, y: y + 4}, svg('tspan', {class: 'name'}, format(row.value)),
        row.note && svg('tspan', {dx: 8}, row.note)));
      f.marks.append(group);
      seen.push({x: finite(row.value) === null ? f.left : clamp(row.value), y, noCursor: true, lines: row.lines});
    });
    inspect(f, seen);
    return f.root;
  };
}

function sliceChart(slice, report, metric) {
  const overall = record(record(report.metrics)[metric]);
  const rows = list(slice.groups).map(group => {
    const value = record(record(group.metrics)[metric]);
    return {name: String(group.value), value: finite(value.value), low: value.low, high: value.high, isSmall: group.small,
      note: count(group.rows), lines: [`${slice.name} = ${group.value}`,
        `${metricTitle(metric)} ${decimal(value.value)}${range(value) ? ` (${range(value)})` : ''}`,
        `${plural(group.rows, 'row')}${group.small ? ', too few to decide on' : ''}`,
        finite(group.mean_label) !== null && `mean label ${decimal(group.mean_label)}, mean prediction ${decimal(group.mean_prediction)}`]
        .filter(Boolean)};
  });
  if (!rows.length) return null;
  // Small groups have wide intervals: they do not set the scale.
  const scale = rows.filter(row => !row.isSmall);
  const domain = extent((scale.length ? scale : rows).flatMap(r => [r.value, finite(r.low), finite(r.high)]).concat([finite(overall.value)]), 0.06);
  return chart({title: slice.name, note: 'value, rows', draw: dotRows({rows, domain, reference: overall.value,
    band: range(overall) && [overall.low, overall.high], label: `${metricTitle(metric)} by ${slice.name}`})});
}

function slicesSection(data) {
  const evaluations = list(data.evaluations).filter(e => list(record(e.content).slices).length);
  if (!evaluations.length) return null;
  const panels = evaluations.map(({name, content}) => ({title: name, make: () => {
    const groups = content.slices.flatMap(slice => list(record(slice).groups));
    const metrics = [...new Set(groups.flatMap(group => Object.keys(record(record(group).metrics))))];
    const box = el('div', {class: 'cards wide'});
    const show = metric => box.replaceChildren(...content.slices.map(s => sliceChart(s, content, metric)).filter(Boolean));
    const first = metrics.includes(content.main_metric) ? content.main_metric : metrics[0];
    show(first);
    return el('div', {}, el('div', {class: 'tools'}, chooser('Metric', metrics.map(m => ({value: m, title: metricTitle(m)})), first, show)), box);
  }}));
  return section('slices', 'Slices', 'The same metric on parts of the rows, with its interval. The dashed line is the whole table; '
    + 'pale groups have too few rows to decide on.', tabs('Evaluations', panels));
}

const FAIRNESS_MEASURES = [['demographic_parity_ratio', 'Selection rate ratio'], ['demographic_parity_difference', 'Selection rate difference'],
  ['equal_opportunity_difference', 'Equal opportunity difference'], ['equalized_odds_difference', 'Equalised odds difference']];
function fairnessSection(data) {
  const cards = [];
  for (const {name, content} of list(data.evaluations)) {
    for (const fairness of list(record(content).fairness)) {
      cards.push(el('div', {class: 'stack'},
        el('h3', {}, data.evaluations.length > 1 ? `${fairness.name} · ${name}` : fairness.name),
        el('dl', {class: 'tiles'}, FAIRNESS_MEASURES.map(([key, title]) => el('div', {class: 'tile'},
          el('dt', {}, title), el('dd', {}, decimal(fairness[key], 3))))),
        table([
          {title: fairness.name, header: true, cell: g => [g.value, g.small && el('span', {class: 'soft small'}, ' (few rows)')]},
          {title: 'Rows', number: true, cell: g => count(g.rows)},
          {title: 'Selection rate', number: true, cell: g => percent(g.selection_rate)},
          {title: 'Base rate', number: true, cell: g => percent(g.base_rate)},
          {title: 'True positive rate', number: true, cell: g => percent(g.tpr)},
          {title: 'False positive rate', number: true, cell: g => percent(g.fpr)},
        ], list(fairness.groups), `Rates by ${fairness.name}`)));
    }
  }
  return section('fairness', 'Fairness', 'How the groups of a sensitive column are treated at the threshold.',
    cards.length && el('div', {class: 'stack'}, cards));
}

const SHOWN_IMPORTANCES = 15;
function importanceChart(title, note, all) {
  const bars = list(all).map(one => ({name: String(one.column), value: finite(one.mean), low: finite(one.mean) - (finite(one.standard_deviation) || 0),
    high: finite(one.mean) + (finite(one.standard_deviation) || 0), lines: [one.column, `${decimal(one.mean)} ± ${decimal(one.standard_deviation)}`]}));
  if (!bars.length) return null;
  const domain = extent(bars.flatMap(b => [b.value, b.low, b.high]).concat([0]), 0.02);
  const draw = rows => dotRows({rows, domain, isBar: true, label: title});
  const rest = bars.slice(SHOWN_IMPORTANCES);
  const figure = chart({title, note, draw: draw(bars.slice(0, SHOWN_IMPORTANCES))});
  if (rest.length) {
    const box = el('div', {class: 'plot'});
    atWidth(box, draw(rest));
    figure.append(el('details', {}, el('summary', {}, `${plural(rest.length, 'more column')}`), box));
  }
  return figure;
}
function importanceSection(data) {
  const charts = [];
  for (const {name, content} of list(data.evaluations)) {
    const report = record(content);
    charts.push(importanceChart(`Permutation importance${data.evaluations.length > 1 ? `, ${name}` : ''}`,
      `loss of ${metricTitle(report.main_metric || '')} when shuffled`, report.importances));
  }
  for (const {name, content} of list(data.models)) {
    const gains = list(record(content).importances).filter(one => finite(one.gain) !== null).sort((a, b) => b.gain - a.gain);
    const total = gains.reduce((sum, one) => sum + Math.abs(one.gain), 0) || 1;
    charts.push(importanceChart(`Feature use in ${name}`, 'share of gain', gains.slice(0, 60).map(one => ({column: one.feature,
      mean: one.gain / total, standard_deviation: 0}))));
  }
  const shown = charts.filter(Boolean);
  return section('importance', 'What matters', null, shown.length && el('div', {class: 'cards wide'}, shown));
}
