// What went in: profiles of tables, findings of checks, leakage between parts.

const SHOWN_COLUMNS = 60;

function miniHistogram(column) {
  const histogram = record(column.histogram);
  const counts = list(histogram.counts).map(c => finite(c) || 0);
  if (!counts.length) return null;
  const box = el('div', {class: 'plot'});
  const edges = list(histogram.edges);
  atWidth(box, width => {
    const height = 54;
    const top = Math.max(...counts, 1);
    const root = svg('svg', {viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': `Histogram of ${column.name}`});
    const step = width / counts.length;
    counts.forEach((c, i) => root.append(svg('rect', {class: 'bar s0', x: i * step, width: Math.max(0.6, step - 1),
      y: height - (c / top) * (height - 2), height: (c / top) * (height - 2)})));
    inspect({root, left: 0, right: width, top: 0, bottom: height, width}, counts.map((c, i) => ({x: (i + 0.5) * step, y: height - (c / top) * (height - 2),
      noCursor: true, lines: [`${plain(edges[i])} to ${plain(edges[i + 1])}`, plural(c, 'row')]})), {onlyX: true});
    return root;
  });
  return box;
}
function topValues(column) {
  const values = list(record(column.top).values).slice(0, 5);
  if (!values.length) return null;
  const most = Math.max(...values.map(v => finite(v.share) || 0), 1e-9);
  return el('ol', {class: 'tops'}, values.map(v => withProperty(el('li', {title: String(v.value)},
    el('span', {}, String(v.value) === '' ? '(empty)' : cut(plain(v.value), 60)), el('span', {}, percent(v.share))), '--share', ((finite(v.share) || 0) / most).toFixed(3))));
}
function columnCard(column) {
  const distinct = record(column.distinct);
  const numbers = record(column.numeric);
  const quantiles = list(record(column.quantiles).values);
  const median = quantiles.find(q => q.share === 0.5);
  const facts = [
    ['distinct', finite(distinct.count) !== null && `${distinct.is_exact === false ? '≈ ' : ''}${count(distinct.count)}`],
    ['missing', finite(column.null_share) > 0 && percent(column.null_share)],
    ['min', column.numeric || !column.top || !column.text ? column.min !== undefined && cut(plain(column.min), 19) : false],
    ['median', median && cut(plain(median.value), 19)],
    ['max', column.numeric || !column.top || !column.text ? column.max !== undefined && cut(plain(column.max), 19) : false],
    ['mean', finite(numbers.mean) !== null && decimal(numbers.mean)],
  ].filter(([, value]) => value);
  const isCategory = list(column.flags).includes('likely_category');
  return el('article', {class: 'card column'},
    el('header', {}, el('h4', {}, column.name), el('span', {class: 'type'}, column.type)),
    (!isCategory && miniHistogram(column)) || topValues(column) || miniHistogram(column),
    finite(column.null_share) > 0 && el('div', {class: 'nulls', role: 'img', 'aria-label': `${percent(column.null_share)} missing`},
      withProperty(el('i', {}), '--share', String(column.null_share))),
    el('dl', {}, facts.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value)))),
    list(column.flags).filter(flag => flag !== 'likely_category').length > 0 && el('div', {}, list(column.flags).filter(flag => flag !== 'likely_category')
      .map(flag => [el('span', {class: 'badge warning'}, String(flag).replaceAll('_', ' ')), ' '])));
}

function correlationFigure(profile) {
  const {columns, pearson} = record(profile.correlations);
  if (list(columns).length < 2) return null;
  return el('details', {class: 'card'}, el('summary', {}, `Correlations of ${columns.length} numeric columns`), el('div', {class: 'graph'},
    el('table', {class: 'matrix'}, el('thead', {}, el('tr', {}, el('td', {}), columns.map(c => el('th', {scope: 'col', title: c}, cut(c, 10))))),
      el('tbody', {}, columns.map((c, i) => el('tr', {}, el('th', {scope: 'row', title: c}, cut(c, 18)), columns.map((_, j) => {
        const r = finite(list(list(pearson)[i])[j]);
        return withProperty(el('td', {class: r !== null && r >= 0 && 'hit'}, r === null ? DASH : r.toFixed(2)), '--heat', Math.abs(r || 0).toFixed(3));
      })))))));
}

function profilePanel(profile) {
  const columns = list(profile.columns);
  const duplicates = record(profile.duplicate_rows);
  const grid = el('div', {class: 'columns'});
  let limit = SHOWN_COLUMNS;
  const more = el('button', {type: 'button', onclick: () => {
    limit = Infinity;
    show();
  }});
  const search = el('input', {type: 'search', placeholder: 'Filter columns', 'aria-label': 'Filter columns', oninput: () => show()});
  function show() {
    const wanted = search.value.trim().toLowerCase();
    const found = columns.filter(c => String(c.name).toLowerCase().includes(wanted));
    grid.replaceChildren(...found.slice(0, limit).map(columnCard));
    more.hidden = found.length <= limit;
    more.textContent = `Show all ${count(found.length)} columns`;
  }
  show();
  const facts = [plural(profile.row_count, 'row'), plural(columns.length, 'column'),
    finite(duplicates.count) !== null && `${plural(duplicates.count, 'duplicate row')}${duplicates.is_exact === false ? ' (estimated)' : ''}`,
    finite(profile.memory_size_bytes) !== null && bytes(profile.memory_size_bytes)].filter(Boolean);
  return el('div', {class: 'stack'}, el('div', {class: 'tools'}, el('span', {class: 'soft'}, facts.join(' · ')), columns.length > 12 && search),
    grid, el('div', {}, more), correlationFigure(profile));
}

function findingsTable(findings, caption) {
  return table([
    {title: '', cell: f => el('span', {class: `badge ${f.severity}`}, f.severity)},
    {title: 'Column', header: true, cell: f => f.column || el('span', {class: 'soft'}, 'table')},
    {title: 'Check', cell: f => String(f.check).replaceAll('_', ' ')},
    {title: 'What', wrap: true, cell: f => [f.message, list(f.samples).length > 0 && el('details', {}, el('summary', {}, 'rows'),
      el('ul', {class: 'mono'}, f.samples.map(s => el('li', {}, `row ${count(s.row)}: `, s.value))))]},
    {title: 'Failing rows', number: true, cell: f => count(f.failing_row_count)},
  ], findings, caption);
}

function findingsSection(data) {
  const parts = list(data.findings).map(({name, content}) => {
    const findings = list(record(content).findings);
    const checks = finite(record(content).check_count);
    return el('div', {}, el('h3', {}, name, el('span', {class: 'soft small'}, ` · ${checks === null ? '' : `${plural(checks, 'check')} on `}${plural(content.row_count, 'row')}`)),
      findings.length ? findingsTable(findings, `Findings of ${name}`) : el('p', {class: 'good'}, 'Every check passed.'));
  });
  const leaks = list(data.leakage).map(({name, content}) => {
    const pairsFound = list(record(content).pairs);
    const findings = list(record(content).findings);
    return el('div', {}, el('h3', {}, `Leakage in ${name}`),
      findings.length ? findingsTable(findings, `Leakage findings of ${name}`) : el('p', {class: 'good'}, 'No row or group stands on two sides.'),
      pairsFound.length > 0 && el('details', {}, el('summary', {}, 'What was compared'), table([
        {title: 'Earlier', header: true, cell: p => p.earlier}, {title: 'Later', cell: p => p.later},
        {title: 'Shared rows', number: true, cell: p => count(p.shared_row_count)}, {title: 'Share', number: true, cell: p => percent(p.shared_row_share)},
        {title: 'Shared groups', number: true, cell: p => count(p.shared_group_count)},
      ], pairsFound, 'Pairs of parts')));
  });
  const all = [...parts, ...leaks];
  return section('checks', 'Checks', null, all.length && el('div', {class: 'stack'}, all));
}

function dataSection(data) {
  const profiles = list(data.profiles).filter(p => list(record(p.content).columns).length);
  if (!profiles.length) return null;
  return section('data', 'Data', null, tabs('Tables', profiles.map(({name, content}) => ({title: name, make: () => profilePanel(content)}))));
}
