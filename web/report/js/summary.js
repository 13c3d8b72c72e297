// What a person looks at first: did it run, did it pass, how good is it, what now.

const KEY_METRICS = {
  binary: ['roc_auc', 'average_precision', 'accuracy', 'f1', 'log_loss', 'expected_calibration_error'],
  multiclass: ['roc_auc_ovr', 'accuracy', 'balanced_accuracy', 'f1_macro', 'log_loss', 'expected_calibration_error'],
  regression: ['rmse', 'mae', 'r2', 'mape', 'median_absolute_error'],
};

function header(data) {
  const run = record(data.run);
  const git = record(run.git);
  const facts = [
    run.run_id && ['run', el('b', {class: 'mono', title: run.run_id}, run.run_name || cut(run.run_id, 13))],
    moment(run.started_at_ms) && ['started', el('b', {}, moment(run.started_at_ms))],
    finite(run.duration_ms) !== null && ['took', el('b', {}, duration(run.duration_ms))],
    git.commit && ['commit', el('b', {class: 'mono'}, shortDigest(git.commit)), git.dirty ? ' with uncommitted changes' : ''],
    run.environment && ['environment', el('b', {}, run.environment)],
  ].filter(Boolean);
  return el('header', {class: 'top'},
    el('div', {class: 'top-line'},
      el('div', {}, el('h1', {}, run.pipeline || 'Pipeline run'),
        el('div', {class: 'facts'}, facts.map(([name, ...value]) => el('span', {}, name, ' ', value)))),
      themeButton()),
    banners(data),
    list(data.evaluations).slice(0, 4).map((one, _, all) => keyMetrics(one, all.length > 1)));
}

const SIGNS = {
  pass: 'M4 10.5l4 4 8-9',
  fail: 'M5 5l10 10M15 5L5 15',
  inconclusive: 'M10 4v8M10 15.5v.5',
};
function sign(kind) {
  return svg('svg', {class: 'sign', width: 20, height: 20, viewBox: '0 0 20 20', 'aria-hidden': 'true'},
    svg('path', {d: SIGNS[kind] || SIGNS.inconclusive, fill: 'none', stroke: 'currentColor', 'stroke-width': 2.6,
      'stroke-linecap': 'round', 'stroke-linejoin': 'round'}));
}

function banners(data) {
  const made = [];
  const run = record(data.run);
  const failed = list(run.steps).filter(step => step.state === 'failed');
  if (run.state === 'failed' || failed.length) {
    made.push(el('div', {class: 'verdict fail', role: 'status'}, sign('fail'),
      el('strong', {}, failed.length ? `${plural(failed.length, 'step')} failed` : 'The run failed'),
      el('ul', {}, failed.map(step => el('li', {}, el('b', {}, step.name), step.error ? `: ${step.error}` : '')))));
  } else if (run.state === 'cancelled') {
    made.push(el('div', {class: 'verdict cancelled', role: 'status'}, sign('inconclusive'),
      el('strong', {}, 'The run was stopped; the next run goes on from here')));
  }
  const words = {pass: 'Gate passed', fail: 'Gate failed', inconclusive: 'Gate is inconclusive'};
  for (const {name, content} of list(data.verdicts)) {
    const rules = list(record(content).rules);
    const good = rules.filter(rule => rule.outcome === 'pass').length;
    const outcome = Object.hasOwn(words, content.outcome) ? content.outcome : 'inconclusive';
    const title = data.verdicts.length > 1 ? `${name}: ${words[outcome]}` : words[outcome];
    made.push(el('div', {class: `verdict ${outcome}`, role: 'status'}, sign(outcome),
      el('div', {}, el('strong', {}, title), rules.length > 0 && el('span', {class: 'soft'},
        ` · ${good} of ${plural(rules.length, 'rule')} ${rules.length === 1 ? 'holds' : 'hold'}`)),
      el('ul', {}, rules.filter(rule => rule.outcome !== 'pass').map(rule => el('li', {},
        el('span', {class: rule.outcome === 'fail' ? 'bad' : 'warn'}, el('code', {}, rule.rule)), ' ', rule.reason)))));
  }
  return made;
}

function keyMetrics({name, content}, isNamed) {
  const report = record(content);
  const metrics = record(report.metrics);
  const wanted = [report.main_metric, ...(KEY_METRICS[report.task] || Object.keys(metrics).slice(0, 6))];
  const names = [...new Set(wanted)].filter(metric => Object.hasOwn(metrics, metric)).slice(0, 6);
  if (!names.length) return null;
  return el('div', {class: 'tile-group'}, isNamed && el('h3', {}, name, el('span', {class: 'soft small'},
    ` · ${plural(report.rows, 'row')}`)),
    el('dl', {class: 'tiles'}, names.map(metric => el('div', {class: 'tile'}, el('dt', {}, metricTitle(metric)),
      el('dd', {}, decimal(metrics[metric].value), el('span', {class: 'range'}, range(metrics[metric])))))));
}

function gateSection(data) {
  const tables = list(data.verdicts).map(({name, content}) => {
    const rules = list(record(content).rules);
    if (!rules.length) return null;
    return el('div', {}, data.verdicts.length > 1 && el('h3', {}, name), table([
      {title: '', cell: rule => el('span', {class: `badge ${rule.outcome}`}, rule.outcome)},
      {title: 'Rule', header: true, cell: rule => el('code', {}, rule.rule)},
      {title: 'Measured', number: true, cell: rule => decimal(rule.left)},
      {title: 'Limit', number: true, cell: rule => (finite(rule.right) === null ? DASH
        : `${rule.comparison || ''} ${tick(rule.right)}`)},
      {title: 'Why', wrap: true, cell: rule => el('span', {class: 'soft'}, rule.reason)},
    ], rules, `Rules of the gate ${name}`));
  }).filter(Boolean);
  return section('gate', 'Gate', null, tables.length && el('div', {class: 'stack'}, tables));
}

function nextSection(data) {
  const commands = list(data.next_commands);
  if (!commands.length) return null;
  return section('next', 'What next', null, el('div', {class: 'card'}, commands.map(command => {
    const button = el('button', {type: 'button', 'aria-label': `Copy ${command}`, onclick: async () => {
      try {
        await navigator.clipboard.writeText(command);
        button.textContent = 'Copied';
      } catch {
        getSelection().selectAllChildren(text);
      }
    }}, 'Copy');
    const text = el('code', {}, command);
    return el('div', {class: 'command'}, text, button);
  })));
}
