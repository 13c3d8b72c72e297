// Building the page. Text always becomes text nodes: nothing from the data is ever parsed as markup.
const SVG = 'http://www.w3.org/2000/svg';

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? '' : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}
/** An HTML element: el('p', {class: 'soft'}, 'text', child, [more]). Absent children are left out. */
function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}
/** An SVG element. A mark whose place is not a number, since its data is not there, is not shown. */
function svg(tag, attributes, ...children) {
  const isPlaced = Object.values(attributes || {}).every(value => typeof value !== 'number' || Number.isFinite(value));
  if (!isPlaced) return fill(document.createElementNS(SVG, tag), {visibility: 'hidden'}, []);
  return fill(document.createElementNS(SVG, tag), attributes, children);
}
/** Sets a custom property: the security policy forbids style attributes, not this. */
function withProperty(node, name, value) {
  node.style.setProperty(name, value);
  return node;
}

/** What stands where a part could not be drawn. */
function broken(what, error) {
  console.error(what, error);
  return el('p', {class: 'warn', 'data-broken': what}, `This part of the report could not be drawn: ${error.message}`);
}

let lastId = 0;
function freshId(stem) {
  lastId += 1;
  return `${stem}-${lastId}`;
}

/** Array and object members that may be absent or of another kind than expected. */
function list(value) {
  return Array.isArray(value) ? value : [];
}
function record(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};
}

/** A table: columns of {title, number, cell(row)}; cell gives a node, text or null. */
function table(columns, rows, caption) {
  const head = columns.map(c => el('th', {scope: 'col', class: c.number && 'number'}, c.title));
  const body = rows.map(row => el('tr', {}, columns.map((c, i) => el(
    c.header ? 'th' : 'td',
    {scope: c.header && 'row', class: [c.number && 'number', c.wrap && 'wrap'].filter(Boolean).join(' ') || null},
    c.cell(row, i)))));
  return el('div', {class: 'table-box'}, el('table', {},
    caption && el('caption', {class: 'visually-hidden'}, caption),
    el('thead', {}, el('tr', {}, head)), el('tbody', {}, body)));
}

/** A description list of [name, value] pairs; empty values are left out. */
function pairs(entries) {
  const shown = entries.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return el('dl', {class: 'pairs'}, shown.map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));
}

/** Buttons that switch between panels; with one panel, just that panel. */
function tabs(label, panels) {
  if (panels.length === 1) return panels[0].make();
  const box = el('div', {role: 'tabpanel'});
  const buttons = panels.map((panel, index) => el('button', {
    role: 'tab', type: 'button', 'aria-selected': 'false', tabindex: '-1',
    onclick: () => select(index),
    onkeydown: event => {
      const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
      if (!step) return;
      select((index + step + panels.length) % panels.length);
      event.preventDefault();
    },
  }, panel.title));
  let shown = -1;
  function select(index) {
    buttons.forEach((button, i) => {
      button.setAttribute('aria-selected', String(i === index));
      button.setAttribute('tabindex', i === index ? '0' : '-1');
    });
    if (shown >= 0) buttons[index].focus();
    shown = index;
    box.replaceChildren(panels[index].make());
  }
  select(0);
  return el('div', {}, el('div', {class: 'tools'}, el('div', {class: 'tabs', role: 'tablist', 'aria-label': label},
    buttons)), box);
}

/** A labelled drop-down; `onchange` gets the value. */
function chooser(label, options, chosen, onchange) {
  const select = el('select', {onchange: () => onchange(select.value)},
    options.map(o => el('option', {value: o.value, selected: o.value === chosen}, o.title)));
  return el('label', {class: 'small soft'}, label, ' ', select);
}

function section(id, title, lead, ...children) {
  const content = children.flat(Infinity).filter(Boolean);
  if (!content.length) return null;
  return el('section', {id, 'aria-labelledby': `${id}-title`, 'data-title': title},
    el('h2', {id: `${id}-title`}, title), lead && el('p', {class: 'lead'}, lead), content);
}
