// Where everything came from: parameters, models, steps with their keys and digests.

function valueText(value) {
  if (value === null || value === undefined) return null;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
function parameterCard(title, params) {
  const entries = Object.entries(record(params)).map(([name, value]) => [el('code', {}, name), el('code', {}, valueText(value) ?? 'null')]);
  return entries.length > 0 && el('div', {class: 'card'}, el('h3', {}, title), pairs(entries));
}

function provenanceSection(data) {
  const run = record(data.run);
  const git = record(run.git);
  const steps = list(run.steps);
  const facts = pairs([
    ['Pipeline', run.pipeline], ['Run', run.run_id && el('code', {}, run.run_id)], ['State', run.state], ['Started', moment(run.started_at_ms)],
    ['Took', finite(run.duration_ms) === null ? null : duration(run.duration_ms)], ['Environment', run.environment],
    ['Commit', git.commit && [el('code', {}, git.commit), git.dirty ? el('span', {class: 'warn'}, ' with uncommitted changes') : '']],
    ['Branch', git.branch], ['Seed', valueText(run.seed)], ['Sluice', run.sluice_version]]);
  const models = list(data.models).map(({name, content}) => {
    const model = record(content);
    return el('div', {class: 'card'}, el('h3', {}, name === 'model' ? 'Model' : `Model ${name}`), pairs([
      ['Learner', model.learner], ['Task', model.task], ['Label', model.label], ['Features', finite(model.feature_count) === null ? null : count(model.feature_count)],
      ['Registered as', model.registered && `${model.registered}${model.version ? ` version ${model.version}` : ''}${model.alias ? ` @${model.alias}` : ''}`],
      ['Digest', model.digest && el('code', {}, model.digest)],
      ...Object.entries(record(model.params)).map(([key, value]) => [el('code', {}, key), el('code', {}, valueText(value) ?? 'null')])]));
  });
  const stepTable = steps.length > 0 && table([
    {title: 'Step', header: true, cell: s => s.name},
    {title: 'Kind', cell: s => s.kind},
    {title: 'State', cell: s => s.state && el('span', {class: `badge ${/^[a-z_]+$/.test(s.state) ? s.state : ''}`}, s.state)},
    {title: 'Time', number: true, cell: s => (finite(s.duration_ms) === null ? DASH : duration(s.duration_ms))},
    {title: 'Cache key', cell: s => el('code', {title: s.cache_key}, shortDigest(s.cache_key))},
    {title: 'Outputs', wrap: true, cell: s => list(s.outputs).map(o => el('div', {}, o.name, ' ', el('code', {class: 'soft', title: o.digest}, shortDigest(o.digest)),
      finite(o.size_bytes) !== null && el('span', {class: 'soft small'}, ` ${bytes(o.size_bytes)}`)))},
    {title: 'Why it ran', wrap: true, cell: s => el('span', {class: 'soft'}, s.error || s.reason || s.summary)},
  ], steps, 'Steps of the run');
  const hasFacts = facts.childElementCount > 0;
  const cards = [hasFacts && el('div', {class: 'card'}, el('h3', {}, 'Run'), facts), parameterCard('Parameters', run.params), ...models].filter(Boolean);
  return section('provenance', 'Provenance', null, (cards.length > 0 || stepTable) && el('div', {class: 'stack'}, stepTable,
    cards.length > 0 && el('div', {class: 'cards'}, cards)));
}
