// Charts: scales, axes, marks, and looking at points with pointer or keys. Charts redraw at the width
// they are given, so text keeps its size.

/** Round numbers that cover [low, high], about `wanted` of them, inside the range. */
function niceTicks(low, high, wanted = 5) {
  if (!(high > low)) return [low];
  const raw = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map(f => f * power).find(s => s >= raw * 0.999);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i += 1) ticks.push(i * step + 0);  // + 0 turns -0 into 0
  return ticks.length < 2 && wanted < 12 ? niceTicks(low, high, wanted * 2) : ticks;
}

function linear([low, high], [from, to]) {
  const span = high - low || 1;
  return value => from + ((value - low) / span) * (to - from);
}

/** The extent of finite values, widened by a share so that marks do not touch the frame. */
function extent(values, pad = 0) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (finite(value) === null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  if (low === high) return [low - (Math.abs(low) * 0.05 || 0.5), high + (Math.abs(high) * 0.05 || 0.5)];
  const room = (high - low) * pad;
  return [low - room, high + room];
}

/** Calls draw(width) now and whenever the box gets another width. */
function atWidth(box, draw) {
  let width = 0;
  const observer = new ResizeObserver(entries => {
    const next = Math.floor(entries[0].contentRect.width);
    if (next <= 0 || next === width) return;
    width = next;
    // In the next frame: drawing changes the height, which the observer must not hear of while it reports.
    requestAnimationFrame(() => {
      try {
        box.replaceChildren(draw(width));
      } catch (error) {
        box.replaceChildren(broken('chart', error));
      }
    });
  });
  observer.observe(box);
}

/** A figure with a title; draw(width) makes its svg. */
function chart({title, note, legend, tools, draw}) {
  const box = el('div', {class: 'plot'});
  atWidth(box, draw);
  return el('figure', {class: 'card chart'},
    el('figcaption', {class: 'chart-head'}, el('h3', {}, title), tools || (note && el('span', {class: 'chart-note'}, note))),
    tools && note && el('p', {class: 'chart-note'}, note),
    legend && legend.length > 1 && el('ul', {class: 'legend'}, legend.map(entry => el('li', {},
      el('span', {class: `swatch ${entry.block ? 'block ' : ''}${entry.isAgain ? 'again ' : ''}${entry.tone}`}), entry.text))),
    box);
}
function tone(index) {
  return `s${index % 6}`;
}

/** Axes and grid. x and y: {domain, title, format, ticks}. Returns scales and the group for marks. */
function frame({width, height, x, y, label, left = 52, bottom = 40, top = 8, right = 12}) {
  const root = svg('svg', {viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': label});
  const sx = linear(x.domain, [left, width - right]);
  const sy = linear(y.domain, [height - bottom, top]);
  const xTicks = x.ticks || niceTicks(...x.domain, Math.max(2, Math.floor((width - left) / 85)));
  const yTicks = y.ticks || niceTicks(...y.domain, Math.max(2, Math.floor((height - bottom) / 48)));
  for (const value of yTicks) {
    root.append(svg('line', {class: 'grid', x1: left, x2: width - right, y1: sy(value), y2: sy(value)}),
      svg('text', {x: left - 8, y: sy(value) + 4, 'text-anchor': 'end'}, (y.format || tick)(value)));
  }
  for (const value of xTicks) {
    root.append(svg('text', {x: sx(value), y: height - bottom + 17, 'text-anchor': 'middle'}, (x.format || tick)(value)));
  }
  root.append(svg('line', {class: 'axis', x1: left, x2: width - right, y1: height - bottom, y2: height - bottom}));
  if (x.title) {
    root.append(svg('text', {class: 'title', x: (left + width - right) / 2, y: height - 5, 'text-anchor': 'middle'}, x.title));
  }
  if (y.title) {
    root.append(svg('text', {class: 'title', x: 0, y: 0, 'text-anchor': 'middle',
      transform: `translate(11 ${(top + height - bottom) / 2}) rotate(-90)`}, y.title));
  }
  const marks = svg('g', {});
  root.append(marks);
  return {root, marks, sx, sy, left, right: width - right, top, bottom: height - bottom, width, height};
}

/** "M1 2L3 4"; a missing value breaks the line. */
function path(points) {
  let text = '';
  let pen = 'M';
  for (const [x, y] of points) {
    if (finite(x) === null || finite(y) === null) {
      pen = 'M';
      continue;
    }
    text += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = 'L';
  }
  return text;
}

const tooltip = el('div', {class: 'tooltip', role: 'status', hidden: true});
function showTooltip(pageX, pageY, lines) {
  tooltip.replaceChildren(...lines.map(line => el('p', {}, line)));
  tooltip.hidden = false;
  const {width, height} = tooltip.getBoundingClientRect();
  const room = document.documentElement.clientWidth + window.scrollX;
  tooltip.style.left = `${Math.max(4, Math.min(pageX + 14, room - width - 8))}px`;
  tooltip.style.top = `${Math.max(window.scrollY + 4, pageY - height - 12)}px`;
}
function hideTooltip() {
  tooltip.hidden = true;
}

/** Lets people look at points {x, y, lines} of a frame: the nearest to the pointer, or with arrow keys. */
function inspect(chartFrame, points, {onlyX = false} = {}) {
  const {root} = chartFrame;
  const usable = points.filter(p => finite(p.x) !== null && finite(p.y) !== null);
  if (!usable.length) return;
  const cursor = svg('circle', {class: 'cursor', r: 4.5, visibility: 'hidden'});
  const cover = svg('rect', {class: 'hit', x: chartFrame.left, y: chartFrame.top,
    width: Math.max(0, chartFrame.right - chartFrame.left), height: Math.max(0, chartFrame.bottom - chartFrame.top)});
  root.append(cover, cursor);
  root.setAttribute('tabindex', '0');
  let current = -1;
  function show(index) {
    current = index;
    const point = usable[index];
    cursor.setAttribute('cx', point.x);
    cursor.setAttribute('cy', point.y);
    cursor.setAttribute('visibility', point.noCursor ? 'hidden' : 'visible');
    const box = root.getBoundingClientRect();
    const scale = box.width / chartFrame.width;
    showTooltip(window.scrollX + box.left + point.x * scale, window.scrollY + box.top + point.y * scale, point.lines);
  }
  function hide() {
    cursor.setAttribute('visibility', 'hidden');
    hideTooltip();
  }
  root.addEventListener('pointermove', event => {
    const box = root.getBoundingClientRect();
    const scale = chartFrame.width / box.width;
    const x = (event.clientX - box.left) * scale;
    const y = (event.clientY - box.top) * scale;
    let best = 0;
    let least = Infinity;
    usable.forEach((point, index) => {
      const distance = onlyX ? Math.abs(point.x - x) : (point.x - x) ** 2 + (point.y - y) ** 2;
      if (distance < least) {
        least = distance;
        best = index;
      }
    });
    show(best);
  });
  root.addEventListener('pointerleave', hide);
  root.addEventListener('blur', hide);
  root.addEventListener('keydown', event => {
    const step = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1}[event.key];
    if (event.key === 'Escape') hide();
    if (!step) return;
    show(Math.max(0, Math.min(usable.length - 1, current + step)));
    event.preventDefault();
  });
}
