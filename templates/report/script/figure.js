// The figure that can be pointed at, zoomed and walked through with the keyboard.

const holder = byId('figure');
const tip = document.createElement('div');
tip.className = 'tip';
tip.hidden = true;
let picture = null;
let halo = null;
let dragged = null;

const render = () => {
  const hadFocus = holder.contains(document.activeElement);
  const width = Math.max(240, Math.round(holder.clientWidth));
  const height = Math.round(Math.min(520, Math.max(320, 0.56 * width)));
  picture = draw({ width, height, view });
  if (!picture) return;
  const { svg, frame } = picture;
  svg.setAttribute('role', 'group');
  svg.setAttribute('aria-label', clean(`${data.title}: ${picture.visible.length} levels, with arrow keys from one to the next`));
  halo = svgElement('g', { visibility: 'hidden', fill: 'none', stroke: 'var(--ink)', 'pointer-events': 'none' },
    svgElement('line', { y1: frame.top, y2: frame.bottom, 'stroke-dasharray': '2 3' }), svgElement('circle', { r: 6.5, 'stroke-width': 1.6 }));
  svg.insertBefore(halo, picture.points);
  // What is taken away loses the focus, and would take the selection along.
  const kept = selected;
  holder.replaceChildren(svg, tip);
  select(kept, 'figure');
  // One stop of the tab key: where somebody was, else the minimum.
  const stop = pointAt(selected) || pointAt(data.lowest) || picture.points.firstElementChild;
  if (stop) stop.setAttribute('tabindex', 0);
  if (hadFocus && stop) stop.focus({ preventScroll: true });
  light(selected);
};

const pointAt = place => (place === null ? null : picture.points.querySelector(`[data-place="${place}"]`));

// Ring, hairline and numbers at a level.
const light = place => {
  const point = pointAt(place);
  halo.setAttribute('visibility', point ? 'visible' : 'hidden');
  tip.hidden = !point;
  if (!point) return;
  const [x, y] = [Number(point.getAttribute('cx')), Number(point.getAttribute('cy'))];
  const [line, ring] = halo.children;
  line.setAttribute('x1', x);
  line.setAttribute('x2', x);
  ring.setAttribute('cx', x);
  ring.setAttribute('cy', y);
  fillTip(place);
  const right = x + 14 + tip.offsetWidth > picture.width;
  const left = right ? Math.max(0, x - 14 - tip.offsetWidth) : x + 14;
  const top = Math.min(Math.max(0, y - tip.offsetHeight - 12), picture.height - tip.offsetHeight);
  Object.assign(tip.style, { left: `${left}px`, top: `${top}px` });
};

const fillTip = place => {
  const { level, n, median, solved, failed } = shown[place];
  const bars = { ci: `${data.measured ? 'in brackets' : '± is'} the ${data.confidence} interval`, se: '± is the standard error', sd: '± is the SD of the runs' };
  const rows = [['level', level], [data.statistic, shown[place][view.bars]], ['n', n]];
  if (median) rows.splice(2, 0, ['median', median]);
  if (solved) rows.push(['solved', solved]);
  if (failed) rows.push(['failed', failed]);
  const list = document.createElement('dl');
  for (const words of rows) {
    ['dt', 'dd'].forEach((name, i) => {
      const element = document.createElement(name);
      element.textContent = words[i];
      list.append(element);
    });
  }
  const note = document.createElement('div');
  note.textContent = bars[view.bars];
  tip.replaceChildren(list, note);
};

const inPicture = event => {
  const box = picture.svg.getBoundingClientRect();
  const scale = picture.width / box.width;
  return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
};

// The visible level nearest to a place in the picture; height counts little, because levels lie side by side.
const nearest = ({ x, y }) => {
  let [best, least] = [null, Infinity];
  for (const point of picture.points.children) {
    const distance = Math.hypot(point.getAttribute('cx') - x, 0.3 * (point.getAttribute('cy') - y));
    if (distance < least) [best, least] = [Number(point.dataset.place), distance];
  }
  return best;
};

const bounded = ({ x, y }) => {
  const { left, right, top, bottom } = picture.frame;
  return { x: Math.min(right, Math.max(left, x)), y: Math.min(bottom, Math.max(top, y)) };
};

const drawDrag = () => {
  const { from, to, box } = dragged;
  const { top, bottom } = picture.frame;
  // A drag that is nearly level zooms the level axis alone.
  const flat = Math.abs(to.y - from.y) < 24;
  const [y1, y2] = flat ? [top, bottom] : [Math.min(from.y, to.y), Math.max(from.y, to.y)];
  const values = { x: Math.min(from.x, to.x), y: y1, width: Math.abs(to.x - from.x), height: y2 - y1 };
  for (const [key, value] of Object.entries(values)) box.setAttribute(key, value);
  return flat;
};

const valueAt = ({ x, y }) => {
  const { left, right, top, bottom } = picture.frame;
  return { x: picture.x.value((x - left) / (right - left)), y: picture.y.value((bottom - y) / (bottom - top)) };
};

holder.addEventListener('pointerdown', event => {
  if (event.button !== 0 || !picture) return;
  const from = bounded(inPicture(event));
  const box = svgElement('rect', { fill: 'var(--accent)', 'fill-opacity': 0.15, stroke: 'var(--accent)' });
  dragged = { from, to: from, box };
});
holder.addEventListener('pointermove', event => {
  if (!picture) return;
  const here = inPicture(event);
  if (!dragged) {
    if (event.pointerType !== 'touch') select(nearest(here), 'figure');
    return;
  }
  dragged.to = bounded(here);
  if (!dragged.box.parentNode && Math.abs(dragged.to.x - dragged.from.x) > 5) {
    // Numbers would lie over what is chosen.
    select(null, 'figure');
    picture.svg.append(dragged.box);
    picture.svg.setPointerCapture(event.pointerId);
  }
  drawDrag();
});
holder.addEventListener('pointerup', event => {
  if (!dragged) return;
  const { from, to, box } = dragged;
  const flat = drawDrag();
  dragged = null;
  box.remove();
  if (Math.abs(to.x - from.x) <= 5) {
    select(nearest(inPicture(event)), 'figure');
    return;
  }
  const [a, b] = [valueAt(from), valueAt(to)];
  const ascending = (p, q) => [Math.min(p, q), Math.max(p, q)];
  const x = ascending(a.x, b.x);
  // The slot of 0 alone is nothing to look at.
  if (x[1] <= picture.x.lower) return;
  look({ zoom: { x, y: flat ? null : ascending(a.y, b.y) } });
});
holder.addEventListener('pointercancel', () => { if (dragged) { dragged.box.remove(); dragged = null; } });
// A finger leaves with every tap; what it chose stays until another place is touched.
const leave = () => { if (!dragged && !holder.contains(document.activeElement)) select(null, 'figure'); };
holder.addEventListener('pointerleave', event => { if (event.pointerType !== 'touch') leave(); });
document.addEventListener('pointerdown', event => { if (event.pointerType === 'touch' && !holder.contains(event.target)) leave(); });
holder.addEventListener('dblclick', () => look({ zoom: null }));
holder.addEventListener('focusin', event => {
  const place = event.target.dataset.place;
  if (place !== undefined) select(Number(place), 'figure');
});
holder.addEventListener('focusout', event => { if (!holder.contains(event.relatedTarget)) select(null, 'figure'); });

// Focus goes to a level, which need not be the neighbour.
const walk = point => {
  if (!point) return;
  picture.points.querySelectorAll('[tabindex="0"]').forEach(other => other.setAttribute('tabindex', -1));
  point.setAttribute('tabindex', 0);
  point.focus({ preventScroll: true });
};

// The axis over a part of what it shows, around the selected level or else the minimum.
const zoomBy = factor => {
  if (!picture) return;
  const centre = columns.level[selected === null ? data.lowest : selected];
  const around = picture.x.holds(centre) ? picture.x.place(centre) : 0.5;
  const [lower, upper] = [around - around * factor, around + (1 - around) * factor].map(place => picture.x.value(place));
  const whole = Axis.around(view.x, columns.level, { hasSlot: true });
  if (lower <= whole.lower && upper >= whole.upper) {
    look({ zoom: null });
  } else if (upper > whole.lower) {
    // Below the lower end lies the slot, where there is one.
    const from = lower > whole.lower ? lower : (whole.beside ? 0 : whole.lower);
    look({ zoom: { x: [from, Math.min(upper, whole.upper)], y: null } });
  }
};

holder.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || !event.target.dataset.place) return;
  const points = picture.points;
  const steps = {
    ArrowRight: () => walk(event.target.nextElementSibling),
    ArrowLeft: () => walk(event.target.previousElementSibling),
    Home: () => walk(points.firstElementChild),
    End: () => walk(points.lastElementChild),
    Enter: () => focusRow(Number(event.target.dataset.place)),
    '+': () => zoomBy(0.5),
    '=': () => zoomBy(0.5),
    '-': () => zoomBy(2),
    0: () => look({ zoom: null }),
    Escape: () => look({ zoom: null }),
  };
  if (!steps[event.key]) return;
  event.preventDefault();
  steps[event.key]();
});

const describeView = () => {
  const parts = [`Point: ${data.statistic}; ${isDense(picture) ? 'band' : 'bars'}: `, barNames[view.bars], '; ', data.caption];
  if (data.fitted && data.fitted.lower !== null) parts.push(`. Shaded: ${data.confidence} interval of the ${data.best}’s place`);
  if (columns.failed) parts.push('. Hollow: runs of the level failed. Cross: failed runs, their share below the plot');
  if (columns.in_confidence_set) parts.push('. Green points: levels that cannot be excluded as the best');
  byId('figure-caption').textContent = `${parts.join('')}.`;
};

const controls = byId('figure-controls');
const showView = () => {
  for (const name of ['bars', 'x', 'y']) controls.querySelector(`[name=${name}][value=${view[name]}]`).checked = true;
  byId('reset').disabled = !view.zoom;
  render();
  if (picture) describeView();
};

const startFigure = () => {
  const kept = history.state && history.state.view;
  if (kept) Object.assign(view, kept);
  // What was kept may be of a report that another one has replaced.
  const canBeLog = { x: columns.level.some(v => v > 0) && columns.level.every(v => v >= 0), y: measured.value.some(v => v > 0) };
  if (view.x === 'log' && !canBeLog.x) Object.assign(view, { x: 'linear', zoom: null });
  if (view.zoom && !columns.level.some(level => level >= view.zoom.x[0] && level <= view.zoom.x[1])) view.zoom = null;
  if (!draw({ width: 600, height: 400, view: { ...view, zoom: null } })) return;
  byId('ci-name').textContent = `${data.confidence}`;
  for (const name of ['x', 'y']) controls.querySelector(`[name=${name}][value=log]`).disabled = !canBeLog[name];
  controls.querySelector('[value=sd]').disabled = data.measured !== null;
  controls.addEventListener('change', event => {
    const { name, value } = event.target;
    const lost = name === 'x' && value === 'log' && view.zoom && view.zoom.x[0] <= 0;
    look({ [name]: value, zoom: lost ? null : view.zoom && { ...view.zoom, y: null } });
  });
  byId('zoom-in').addEventListener('click', () => zoomBy(0.5));
  byId('zoom-out').addEventListener('click', () => zoomBy(2));
  byId('reset').addEventListener('click', () => look({ zoom: null }));
  for (const id of ['figure', 'figure-controls', 'figure-caption', 'figure-help']) byId(id).hidden = false;
  holder.parentNode.querySelector('.static').hidden = true;
  on('view', showView);
  on('filter', render);
  on('select', place => { if (picture) light(place); });
  showView();
  // Widths are measured anew when the font of the page is read.
  document.fonts.load(`${SMALL}px figure`).then(render);
  let width = holder.clientWidth;
  new ResizeObserver(() => {
    if (holder.clientWidth === width || holder.clientWidth === 0) return;
    width = holder.clientWidth;
    render();
  }).observe(holder);
};

startFigure();
