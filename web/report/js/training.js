// Training curves, and residuals of regression.

function trainingSection(data) {
  const charts = list(data.curves).filter(c => list(record(c.content).points).length).map(({name, content}) => {
    const points = content.points;
    const metrics = Object.keys(record(points[0].train));
    if (!metrics.length) return null;
    const box = el('div', {});
    const show = metric => box.replaceChildren(trainingChart(name, content, metric, metrics, show));
    show(metrics[0]);
    return box;
  }).filter(Boolean);
  return section('training', 'Training', null, charts.length && el('div', {class: 'cards wide'}, charts));
}

function trainingChart(name, content, metric, metrics, show) {
  const points = content.points;
  const value = (point, side) => finite(record(point[side])[metric]);
  const sides = [{key: 'validation', text: 'validation', tone: 's1'}, {key: 'train', text: 'training', tone: 's0'}]
    .filter(side => points.some(point => value(point, side.key) !== null));
  const best = finite(content.best_iteration);
  const at = points.find(point => point.iteration === best);
  const note = at ? `best at ${count(best)}: ${sides.map(s => `${s.text} ${decimal(value(at, s.key))}`).join(', ')}` : null;
  return chart({
    title: `${metricTitle(metric)}, ${name}`, note, legend: sides,
    tools: metrics.length > 1 && chooser('Metric', metrics.map(m => ({value: m, title: metricTitle(m)})), metric, show),
    draw: width => {
      const xs = points.map(point => finite(point.iteration));
      const f = frame({width, height: Math.max(240, Math.min(320, width * 0.5)), label: `${metricTitle(metric)} by iteration. ${note || ''}`,
        left: 54, x: {domain: extent(xs), title: 'Iteration'}, y: {domain: extent(points.flatMap(p => sides.map(s => value(p, s.key))), 0.05)}});
      if (best !== null && xs.length > 1) {
        f.marks.append(svg('line', {class: 'guide', x1: f.sx(best), x2: f.sx(best), y1: f.top, y2: f.bottom}));
      }
      const seen = points.map((point, i) => ({x: f.sx(xs[i]), y: f.sy(value(point, sides[0].key) ?? 0),
        lines: [`iteration ${count(xs[i])}`, ...sides.map(s => `${s.text} ${decimal(value(point, s.key))}`)]}));
      for (const side of sides) {
        f.marks.append(svg('path', {class: `line ${side.tone}`, d: path(points.map((p, i) => {
          const y = value(p, side.key);
          return [f.sx(xs[i]), y === null ? null : f.sy(y)];
        }))}));
      }
      inspect(f, seen, {onlyX: true});
      return f.root;
    }});
}

/** Predicted against actual, residuals by prediction, and the residuals' distribution; one row of charts an
 * evaluation, all on the same scales. */
function residualPanels(evaluations, isNamed) {
  const all = evaluations.map(e => record(e.content.residuals));
  const bins = all.flatMap(r => list(r.bins));
  const scales = {
    both: extent(all.flatMap(r => [...list(record(r.sample).labels), ...list(record(r.sample).predictions)]), 0.03),
    prediction: extent(bins.map(b => b.mean_prediction)),
    residual: extent(bins.flatMap(b => [b.p10, b.p90, 0]), 0.05),
    histogram: extent(all.flatMap(r => list(record(r.histogram).edges))),
  };
  return evaluations.map(e => residualCharts(e, isNamed, scales));
}
function residualCharts({name, content}, isNamed, scales) {
  const residuals = record(content.residuals);
  const sample = record(residuals.sample);
  const labels = list(sample.labels);
  const predictions = list(sample.predictions);
  const bins = list(residuals.bins);
  const {both} = scales;
  const scatter = chart({title: 'Predicted and actual', note: `${count(labels.length)} of ${plural(content.rows, 'row')}`, draw: width => {
    const f = frame({width, height: squareHeight(width), left: 54, label: 'Predicted value against actual value',
      x: {domain: both, title: 'Actual'}, y: {domain: both, title: 'Predicted'}});
    f.marks.append(svg('path', {class: 'guide', d: path([[f.sx(both[0]), f.sy(both[0])], [f.sx(both[1]), f.sy(both[1])]])}));
    const seen = labels.map((label, i) => ({x: f.sx(label), y: f.sy(predictions[i]), lines: [`actual ${decimal(label)}`,
      `predicted ${decimal(predictions[i])}`, `error ${decimal(predictions[i] - label)}`]}));
    f.marks.append(...seen.map(p => svg('circle', {class: 'speck s0', r: 3, cx: p.x, cy: p.y})));
    inspect(f, seen);
    return f.root;
  }});
  const byPrediction = bins.length > 1 && chart({title: 'Residual by prediction', note: '80% band', draw: width => {
    const f = frame({width, height: squareHeight(width), left: 54, label: 'Median and 10 to 90 percent band of the residual by prediction',
      x: {domain: scales.prediction, title: 'Predicted'},
      y: {domain: scales.residual, title: 'Predicted − actual'}});
    const x = b => f.sx(b.mean_prediction);
    f.marks.append(svg('line', {class: 'guide', x1: f.left, x2: f.right, y1: f.sy(0), y2: f.sy(0)}),
      svg('path', {class: 'area s0', d: `${path([...bins.map(b => [x(b), f.sy(b.p90)]), ...bins.slice().reverse().map(b => [x(b), f.sy(b.p10)])])}Z`}),
      svg('path', {class: 'line s0', d: path(bins.map(b => [x(b), f.sy(b.p50)]))}));
    inspect(f, bins.map(b => ({x: x(b), y: f.sy(b.p50), lines: [`predicted ${decimal(b.mean_prediction)}`, `actual ${decimal(b.mean_label)} on average`,
      `residual ${decimal(b.p50)} (${decimal(b.p10)} to ${decimal(b.p90)})`, plural(b.rows, 'row')]})), {onlyX: true});
    return f.root;
  }});
  const histogram = record(residuals.histogram);
  const edges = list(histogram.edges);
  const distribution = edges.length > 1 && chart({title: 'Residuals', note: `mean ${decimal(residuals.mean)}, sd ${decimal(residuals.standard_deviation)}`,
    draw: width => {
      const weights = list(histogram.weights);
      const f = frame({width, height: squareHeight(width), left: 54, label: 'Histogram of residuals', x: {domain: scales.histogram, title: 'Predicted − actual'},
        y: {domain: [0, Math.max(...weights, 1e-9) * 1.04], title: 'Rows'}});
      const seen = weights.map((weight, i) => {
        const x = f.sx(edges[i]);
        const w = Math.max(0.5, f.sx(edges[i + 1]) - x - 1);
        f.marks.append(svg('rect', {class: 'bar s0', x, width: w, y: f.sy(weight), height: f.sy(0) - f.sy(weight)}));
        return {x: x + w / 2, y: f.sy(weight), noCursor: true, lines: [`${decimal(edges[i])} to ${decimal(edges[i + 1])}`, plural(weight, 'row')]};
      });
      if (scales.histogram[0] < 0 && scales.histogram[1] > 0) f.marks.append(svg('line', {class: 'guide', x1: f.sx(0), x2: f.sx(0), y1: f.top, y2: f.bottom}));
      inspect(f, seen, {onlyX: true});
      return f.root;
    }});
  return el('div', {}, isNamed && el('h3', {}, name), el('div', {class: 'cards'}, scatter, byPrediction, distribution));
}
