// The lineage graph: files and steps in layers from left to right, drawn so that edges cross little.

const NODE_WIDTH = 152;
const NODE_HEIGHT = 46;
const GAP_X = 44;
const GAP_Y = 16;

/** Places nodes: columns by level; inside a column by the mean place of their neighbours, swept a few times. */
function layOut(nodes, edges) {
  const byId = new Map(nodes.map(node => [node.id, node]));
  const links = edges.filter(e => byId.has(e.from) && byId.has(e.to));
  const layers = [];
  for (const node of nodes) {
    const level = Math.max(0, Math.min(500, Math.floor(finite(node.level) ?? 0)));
    (layers[level] = layers[level] || []).push(node);
  }
  const columns = layers.filter(Boolean);
  const place = new Map();
  const number = () => columns.forEach(column => column.forEach((node, i) => place.set(node.id, i - (column.length - 1) / 2)));
  number();
  for (let sweep = 0; sweep < 8; sweep += 1) {
    const forward = sweep % 2 === 0;
    for (const column of forward ? columns : columns.slice().reverse()) {
      const wish = new Map(column.map(node => {
        const near = links.filter(e => (forward ? e.to : e.from) === node.id).map(e => place.get(forward ? e.from : e.to));
        return [node.id, near.length ? near.reduce((a, b) => a + b, 0) / near.length : place.get(node.id)];
      }));
      column.sort((a, b) => wish.get(a.id) - wish.get(b.id));
    }
    number();
  }
  const tallest = Math.max(...columns.map(column => column.length));
  const height = tallest * (NODE_HEIGHT + GAP_Y) + GAP_Y;
  const spots = new Map();
  columns.forEach((column, c) => column.forEach((node, i) => spots.set(node.id, {
    x: 8 + c * (NODE_WIDTH + GAP_X),
    y: height / 2 + (i - (column.length - 1) / 2) * (NODE_HEIGHT + GAP_Y) - NODE_HEIGHT / 2,
    column: c,
  })));
  return {spots, links, width: 16 + columns.length * (NODE_WIDTH + GAP_X) - GAP_X, height};
}

/** Everything that leads to or from a node. */
function relatives(id, links) {
  const found = new Set([id]);
  for (const [near, far] of [['from', 'to'], ['to', 'from']]) {
    const queue = [id];
    while (queue.length) {
      const at = queue.pop();
      for (const edge of links) {
        if (edge[near] === at && !found.has(edge[far])) {
          found.add(edge[far]);
          queue.push(edge[far]);
        }
      }
    }
  }
  return found;
}

function lineageSection(data) {
  const graph = record(data.lineage);
  const nodes = list(graph.nodes).filter(node => node && typeof node.id === 'string');
  if (!nodes.length) return null;
  const steps = new Map(list(record(data.run).steps).map(step => [step.name, step]));
  const {spots, links, width, height} = layOut(nodes, list(graph.edges));
  const arrow = freshId('arrow');
  const root = svg('svg', {viewBox: `0 0 ${width} ${height}`, width, height, role: 'group', 'aria-label': 'Lineage: files and steps, and what flows between them'},
    svg('defs', {}, svg('marker', {id: arrow, viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto'},
      svg('path', {class: 'arrow', d: 'M0 0.6L8 4L0 7.4Z'}))));
  const edgeNodes = links.map(edge => {
    const a = spots.get(edge.from);
    const b = spots.get(edge.to);
    const x1 = a.x + NODE_WIDTH;
    const y1 = a.y + NODE_HEIGHT / 2;
    const y2 = b.y + NODE_HEIGHT / 2;
    const bend = Math.max(18, (b.x - x1) / 2);
    const line = svg('path', {class: `edge${edge.output === null && edge.input === null ? ' need' : ''}`, 'marker-end': `url(#${arrow})`,
      d: `M${x1} ${y1}C${x1 + bend} ${y1} ${b.x - bend} ${y2} ${b.x - 1} ${y2}`});
    root.append(line);
    return line;
  });
  const nodeGroups = nodes.map(node => {
    const spot = spots.get(node.id);
    const isStep = node.type === 'step';
    const step = record(isStep ? steps.get(node.label) : null);
    const state = step.state || node.state;
    const second = [isStep ? node.step_kind : node.type, finite(step.duration_ms) !== null && state !== 'cached' ? duration(step.duration_ms) : state]
      .filter(Boolean).join(' · ');
    const lines = [node.label, second, step.summary, step.error, step.reason || node.reason, node.digest && `digest ${shortDigest(node.digest)}`,
      step.cache_key && `cache key ${shortDigest(step.cache_key)}`,
      ...list(step.outputs).map(o => `${o.name} ${shortDigest(o.digest)}${finite(o.size_bytes) === null ? '' : `, ${bytes(o.size_bytes)}`}`)].filter(Boolean);
    const family = relatives(node.id, links);
    const light = on => {
      nodeGroups.forEach((group, i) => group.classList.toggle('dim', on && !family.has(nodes[i].id)));
      edgeNodes.forEach((line, i) => {
        const isLit = family.has(links[i].from) && family.has(links[i].to);
        line.classList.toggle('lit', on && isLit);
        line.classList.toggle('dim', on && !isLit);
      });
      if (!on) return hideTooltip();
      const box = nodeGroups[nodes.indexOf(node)].getBoundingClientRect();
      return showTooltip(window.scrollX + box.left, window.scrollY + box.top, lines);
    };
    return svg('g', {class: `node ${isStep ? 'step' : 'files'} ${isStep && /^[a-z_]+$/.test(state || '') ? state : ''}`, tabindex: 0, role: 'img',
      'aria-label': lines.join(', '), transform: `translate(${spot.x} ${spot.y})`, onpointerenter: () => light(true), onpointerleave: () => light(false),
      onfocus: () => light(true), onblur: () => light(false)},
      svg('rect', {width: NODE_WIDTH, height: NODE_HEIGHT, rx: isStep ? 8 : 3}),
      svg('circle', {class: 'mark', cx: 14, cy: 17, r: 4}),
      svg('text', {class: 'name', x: 25, y: 21}, cut(node.label, 18)),
      svg('text', {x: 25, y: 37}, cut(second, 21)));
  });
  root.append(...nodeGroups);
  return section('lineage', 'Lineage', null, el('div', {class: 'card graph'}, root));
}
