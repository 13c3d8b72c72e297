// The lineage graph: files and steps in layers from left to right, drawn so that edges cross little.

const NODE_WIDTH = 152;
const NODE_HEIGHT = 46;
const LAYER_GAP = {across: 44, down: 34};
const SIDE_GAP = 16;
const BEND_ROOM = 22;  // what an edge takes beside the nodes of a layer that it passes

/** Layers of items: nodes, and for edges that pass a layer a bend each, so that they go around its nodes. */
function makeLayers(nodes, edges) {
  const byId = new Map(nodes.map(node => [node.id, {node, near: {up: [], down: []}, place: 0}]));
  const level = item => Math.max(0, Math.min(500, Math.floor(finite(item.node.level) ?? 0)));
  const used = [...new Set([...byId.values()].map(level))].sort((a, b) => a - b);
  const layers = used.map(() => []);
  for (const item of byId.values()) {
    item.layer = used.indexOf(level(item));
    layers[item.layer].push(item);
  }
  const links = [];
  for (const edge of edges) {
    const from = byId.get(edge.from);
    const to = byId.get(edge.to);
    if (!from || !to || from.layer >= to.layer) continue;
    const chain = [from];
    for (let layer = from.layer + 1; layer < to.layer; layer += 1) {
      const bend = {near: {up: [], down: []}, layer, place: 0};
      layers[layer].push(bend);
      chain.push(bend);
    }
    chain.push(to);
    for (let i = 1; i < chain.length; i += 1) {
      chain[i].near.up.push(chain[i - 1]);
      chain[i - 1].near.down.push(chain[i]);
    }
    links.push({edge, chain});
  }
  return {layers, links};
}

const mean = values => values.reduce((a, b) => a + b, 0) / values.length;

/** Orders each layer by the mean place of neighbours, then lets every item drift towards them as far as the others let it. */
function layOut(nodes, edges, isDown) {
  const {layers, links} = makeLayers(nodes, edges);
  const breadth = item => (item.node ? (isDown ? NODE_WIDTH : NODE_HEIGHT) + SIDE_GAP : BEND_ROOM);
  const pack = layer => {
    let at = -layer.reduce((sum, item) => sum + breadth(item), 0) / 2;
    for (const item of layer) {
      item.place = at + breadth(item) / 2;
      at += breadth(item);
    }
  };
  layers.forEach(pack);
  for (let sweep = 0; sweep < 12; sweep += 1) {
    const side = sweep % 2 === 0 ? 'up' : 'down';
    for (const layer of side === 'up' ? layers : layers.slice().reverse()) {
      for (const item of layer) item.wish = item.near[side].length ? mean(item.near[side].map(one => one.place)) : item.place;
      if (sweep < 8) {
        layer.sort((a, b) => a.wish - b.wish);
        pack(layer);
        continue;
      }
      let edge = -Infinity;
      for (const item of layer) {
        item.place = Math.max(item.wish, edge + breadth(item) / 2);
        edge = item.place + breadth(item) / 2;
      }
      const shift = mean(layer.map(item => item.place - item.wish));
      for (const item of layer) item.place -= shift;
    }
  }
  const all = layers.flat();
  const low = Math.min(...all.map(item => item.place - breadth(item) / 2));
  const high = Math.max(...all.map(item => item.place + breadth(item) / 2));
  const pitch = isDown ? NODE_HEIGHT + LAYER_GAP.down : NODE_WIDTH + LAYER_GAP.across;
  const length = layers.length * pitch - (isDown ? LAYER_GAP.down : LAYER_GAP.across);
  for (const item of all) {
    const across = item.place - low;
    const along = item.layer * pitch + (isDown ? NODE_HEIGHT : NODE_WIDTH) / 2;
    Object.assign(item, isDown ? {x: across, y: along + 4} : {x: along + 4, y: across});
  }
  return {items: all.filter(item => item.node), links, width: (isDown ? high - low : length + 8), height: (isDown ? length + 8 : high - low)};
}

/** A smooth path from the end of one node through the bends to the start of the other. */
function edgePath(chain, isDown) {
  const [half, unit] = isDown ? [NODE_HEIGHT / 2, 'y'] : [NODE_WIDTH / 2, 'x'];
  const points = chain.flatMap((item, i) => {
    const before = {...{x: item.x, y: item.y}, [unit]: item[unit] - half - (item.node ? 1 : 0)};
    const after = {...{x: item.x, y: item.y}, [unit]: item[unit] + half};
    if (i === 0) return [after];
    return i === chain.length - 1 ? [before] : [before, after];
  });
  let text = `M${points[0].x} ${points[0].y}`;
  for (let i = 1; i < points.length; i += 1) {
    const a = points[i - 1];
    const b = points[i];
    const bend = (b[unit] - a[unit]) / 2;
    text += isDown ? `C${a.x} ${a.y + bend} ${b.x} ${b.y - bend} ${b.x} ${b.y}` : `C${a.x + bend} ${a.y} ${b.x - bend} ${b.y} ${b.x} ${b.y}`;
  }
  return text;
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

function nodeLines(node, step) {
  const state = step.state || node.state;
  const second = [node.type === 'step' ? node.step_kind : node.type, finite(step.duration_ms) !== null && state !== 'cached' ? duration(step.duration_ms) : state]
    .filter(Boolean).join(' · ');
  const outputs = list(step.outputs).map(o => `${o.name} ${shortDigest(o.digest)}${finite(o.size_bytes) === null ? '' : `, ${bytes(o.size_bytes)}`}`);
  return {state, second, lines: [node.label, second, step.summary, step.error, step.reason || node.reason, node.digest && `digest ${shortDigest(node.digest)}`,
    step.cache_key && `cache key ${shortDigest(step.cache_key)}`, ...outputs].filter(Boolean)};
}

function drawLineage(nodes, edges, steps, room) {
  const across = layOut(nodes, edges, false);
  const isDown = across.width > room;
  const {items, links, width, height} = isDown ? layOut(nodes, edges, true) : across;
  const arrow = freshId('arrow');
  const root = svg('svg', {viewBox: `0 0 ${width} ${height}`, width, height, role: 'group', 'aria-label': 'Lineage: files and steps, and what flows between them'},
    svg('defs', {}, svg('marker', {id: arrow, viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto'},
      svg('path', {class: 'arrow', d: 'M0 0.6L8 4L0 7.4Z'}))));
  const lines = links.map(({edge, chain}) => svg('path', {class: `edge${edge.output === null && edge.input === null ? ' need' : ''}`,
    'marker-end': `url(#${arrow})`, d: edgePath(chain, isDown)}));
  const groups = items.map((item, index) => {
    const {node} = item;
    const isStep = node.type === 'step';
    const {state, second, lines: told} = nodeLines(node, record(isStep ? steps.get(node.label) : null));
    const family = relatives(node.id, edges);
    const light = on => {
      groups.forEach((group, i) => group.classList.toggle('dim', on && !family.has(items[i].node.id)));
      lines.forEach((line, i) => {
        const isLit = family.has(links[i].edge.from) && family.has(links[i].edge.to);
        line.classList.toggle('lit', on && isLit);
        line.classList.toggle('dim', on && !isLit);
      });
      if (!on) return hideTooltip();
      const box = groups[index].getBoundingClientRect();
      return showTooltip(window.scrollX + box.left, window.scrollY + box.top, told);
    };
    const name = isStep ? node.label : String(node.label).split('/').pop();
    return svg('g', {class: `node ${isStep ? 'step' : 'files'} ${isStep && /^[a-z_]+$/.test(state || '') ? state : ''}`, tabindex: 0, role: 'img',
      'aria-label': told.join(', '), transform: `translate(${item.x - NODE_WIDTH / 2} ${item.y - NODE_HEIGHT / 2})`, onpointerenter: () => light(true),
      onpointerleave: () => light(false), onfocus: () => light(true), onblur: () => light(false)},
    svg('rect', {width: NODE_WIDTH, height: NODE_HEIGHT, rx: isStep ? 8 : 3}), svg('circle', {class: 'mark', cx: 14, cy: 17, r: 4}),
    svg('text', {class: 'name', x: 25, y: 21}, cut(name, 16)), svg('text', {x: 25, y: 37}, cut(second, 19)));
  });
  root.append(...lines, ...groups);
  return root;
}

function lineageSection(data) {
  const graph = record(data.lineage);
  const nodes = list(graph.nodes).filter(node => node && typeof node.id === 'string');
  if (!nodes.length) return null;
  // Several outputs may flow between the same two steps; one line shows them.
  const byEnds = new Map(list(graph.edges).filter(edge => edge !== null && typeof edge === 'object')
    .map(edge => [`${edge.from}\n${edge.to}`, edge]));
  const edges = [...byEnds.values()];
  const steps = new Map(list(record(data.run).steps).map(step => [step.name, step]));
  const box = el('div', {class: 'graph'});
  atWidth(box, room => drawLineage(nodes, edges, steps, room));
  return section('lineage', 'Lineage', null, el('div', {class: 'card'}, box));
}
