// The figure as SVG: a function of the data, the view and a size. Colours are the variables of the page's style.

const SMALL = 12;
const LINE = 17;

// Control characters cannot stand in XML.
const clean = text => String(text).replace(/[\u0000-\u001f\ufffe\uffff]/g, '\ufffd');

const svgElement = (name, attributes, ...children) => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.map(child => (typeof child === 'string' ? clean(child) : child)));
  return element;
};

const family = getComputedStyle(document.querySelector('.paper')).fontFamily;
const pen = document.createElement('canvas').getContext('2d');
const widthOf = (text, size) => {
  pen.font = `${size}px ${family}`;
  return pen.measureText(clean(text)).width;
};

// `text`, shortened where it is wider than `width`.
const fitted = (text, size, width) => {
  if (widthOf(text, size) <= width) return text;
  const letters = Array.from(text);
  let [fits, tooLong] = [0, letters.length];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (widthOf(`${letters.slice(0, middle).join('')}…`, size) <= width) fits = middle; else tooLong = middle;
  }
  return `${letters.slice(0, fits).join('')}…`;
};

// `text` in at most two lines.
const wrapped = (text, size, width) => {
  if (widthOf(text, size) <= width) return [text];
  const words = text.split(' ');
  let first = words.length;
  while (first > 1 && widthOf(words.slice(0, first).join(' '), size) > width) first -= 1;
  const lines = [words.slice(0, first).join(' '), words.slice(first).join(' ')].filter(Boolean);
  return lines.map(line => fitted(line, size, width));
};

// The lines to draw: references, then the minimum.
const lines = () => {
  const all = data.references.map((line, i) => ({ ...line, colour: `var(--line-${i % 4})` }));
  if (data.fitted) all.push({ ...data.fitted, colour: 'var(--minimum)' });
  return all;
};

// Finds each name a row above the plot and a side of its line where it covers neither another name nor another line.
const placeNames = (all, at, right) => {
  const placed = [];
  for (const line of all) {
    const text = fitted(line.label, SMALL, Math.min(240, 0.45 * right));
    const [x, width] = [at(line.level), widthOf(text, SMALL)];
    const free = (row, from) => {
      const to = from + width;
      const name = placed.some(other => other.row === row && from < other.from + other.width + 6 && other.from < to + 6);
      const covered = all.some(other => other !== line && at(other.level) > from - 3 && at(other.level) < to + 3);
      return from >= 2 && to <= right - 2 && !name && !covered;
    };
    // A name that is free nowhere gets a row of its own, above all others.
    const spots = [0, 1, 2, 3].flatMap(row => [{ row, from: x + 5 }, { row, from: x - 5 - width }]);
    const above = placed.reduce((most, other) => Math.max(most, other.row), 0) + 1;
    const own = { row: above, from: Math.min(Math.max(x + 5, 2), right - 2 - width) };
    placed.push({ ...line, x, width, text, ...(spots.find(spot => free(spot.row, spot.from)) || own) });
  }
  return placed;
};

// { svg, frame, x, y, at, up, visible }: the picture, and where things lie in it. Null where there is nothing to draw.
const draw = ({ width, height, view, titled }) => {
  const drawable = places.filter(place => view.x === 'linear' || columns.level[place] > 0);
  const x = view.zoom ? new Axis(view.x, ...view.zoom.x) : Axis.around(view.x, drawable.map(p => columns.level[p]));
  if (!x) return null;
  const visible = drawable.filter(place => x.holds(columns.level[place]));
  const heights = visible.flatMap(place => [columns.mean[place], ...(bar(place, view.bars) || [])]);
  const y = view.zoom && view.zoom.y ? new Axis(view.y, ...view.zoom.y) : Axis.around(view.y, heights);
  if (!y) return null;
  const rows = y.ticks(height < 380 ? 5 : 7);
  const left = Math.ceil(Math.max(34, ...rows.map(t => (t.label ? widthOf(t.label, SMALL) : 0))) + 12);
  const right = width - 10;
  const at = value => left + x.place(value) * (right - left);
  const names = placeNames(lines().filter(line => x.holds(line.level)), at, width);
  const xLabel = wrapped(`${data.x_label}${view.x === 'log' ? ' (log)' : ''}`, 13, width - 8);
  const top = (titled ? 30 : 0) + 22 + LINE * (1 + Math.max(-1, ...names.map(name => name.row))) + 8;
  const bottom = height - 30 - LINE * xLabel.length - (titled ? 22 : 0);
  const up = value => bottom - (view.y === 'log' && value <= 0 ? -0.1 : y.place(value)) * (bottom - top);
  const picture = { frame: { left, right, top, bottom }, x, y, at, up, visible, width, height };

  const svg = svgElement('svg', { viewBox: `0 0 ${width} ${height}`, width, height, 'font-family': family, 'font-size': SMALL, fill: 'var(--ink)' });
  svg.append(svgElement('rect', { width, height, fill: 'var(--paper)' }));
  const inside = svgElement('svg', { x: left, y: top, width: right - left, height: bottom - top, viewBox: `${left} ${top} ${right - left} ${bottom - top}` });
  svg.append(...drawGrid(picture, rows), inside, ...drawNames(picture, names));
  inside.append(...drawRange(picture), ...drawBars(picture, view), ...names.map(name => verticalLine(name, top, bottom)));
  svg.append(...drawWords(picture, xLabel, titled, view));
  picture.points = drawPoints(picture, view);
  // Points at the edge of the plot are drawn whole.
  svg.append(picture.points);
  return { ...picture, svg };
};

const text = (words, x, y, more) => svgElement('text', { x, y, ...more }, words);
const verticalLine = (line, from, to) => svgElement('line', { x1: line.x, x2: line.x, y1: from, y2: to, stroke: line.colour, 'stroke-width': 1.5 });

const drawGrid = ({ frame: { left, right, top, bottom }, x, at, up }, rows) => {
  const parts = [];
  const labelled = x.ticks(Math.max(3, Math.min(12, Math.floor((right - left) / 58))));
  let free = -Infinity;
  for (const tick of labelled) {
    const place = at(tick.value);
    parts.push(svgElement('line', { x1: place, x2: place, y1: bottom, y2: bottom + (tick.label ? 6 : 3), stroke: 'var(--soft)' }));
    if (!tick.label) continue;
    parts.push(svgElement('line', { x1: place, x2: place, y1: top, y2: bottom, stroke: 'var(--grid)' }));
    const half = widthOf(tick.label, SMALL) / 2;
    // A label that would touch the one before it, or leave the sheet, is left out.
    if (place - half < free + 4 || place + half > right + 9) continue;
    parts.push(text(tick.label, place, bottom + 19, { 'text-anchor': 'middle' }));
    free = place + half;
  }
  for (const tick of rows) {
    const place = up(tick.value);
    if (!tick.label) continue;
    parts.push(svgElement('line', { x1: left, x2: right, y1: place, y2: place, stroke: 'var(--grid)' }));
    parts.push(text(tick.label, left - 8, place + 4, { 'text-anchor': 'end' }));
  }
  parts.push(svgElement('path', { d: `M${left} ${top}V${bottom}H${right}`, fill: 'none', stroke: 'var(--soft)' }));
  return parts;
};

// The interval of the minimum's place.
const drawRange = ({ frame: { top, bottom, left, right }, x, at }) => {
  if (!data.fitted || data.fitted.lower === null) return [];
  const bounded = value => Math.min(right, Math.max(left, at(Math.max(value, x.scale === 'log' ? Number.MIN_VALUE : value))));
  const [from, to] = [bounded(data.fitted.lower), bounded(data.fitted.upper)];
  return [svgElement('rect', { x: from, y: top, width: Math.max(0, to - from), height: bottom - top, fill: 'var(--range)' })];
};

const isDense = picture => picture.visible.length * 9 > picture.frame.right - picture.frame.left;

// Bars; where levels are too dense for them, a band.
const drawBars = (picture, view) => {
  const { visible, at, up, frame } = picture;
  const ends = visible.map(place => ({ x: at(columns.level[place]), bar: bar(place, view.bars) }));
  const low = value => Math.min(up(value), frame.bottom + 4);
  if (!isDense(picture)) {
    return ends.filter(end => end.bar).map(({ x, bar: [lower, upper] }) => svgElement('path', {
      d: `M${x} ${low(lower)}V${up(upper)}M${x - 3} ${low(lower)}h6M${x - 3} ${up(upper)}h6`, stroke: 'var(--data)', 'stroke-width': 1.4, fill: 'none',
    }));
  }
  // A level without a bar parts the band.
  const bands = [[]];
  for (const end of ends) {
    if (end.bar) bands[bands.length - 1].push(end); else bands.push([]);
  }
  const path = band => {
    const upper = band.map(end => `${end.x.toFixed(1)} ${up(end.bar[1]).toFixed(1)}`);
    const lower = band.map(end => `${end.x.toFixed(1)} ${low(end.bar[0]).toFixed(1)}`).reverse();
    return `M${[...upper, ...lower].join('L')}Z`;
  };
  return bands.filter(band => band.length > 1).map(band => svgElement('path', { d: path(band), fill: 'var(--band)' }));
};

const drawPoints = (picture, view) => {
  const radius = isDense(picture) ? 2 : 3.6;
  const inFrame = place => {
    const height = picture.up(columns.mean[place]);
    return height >= picture.frame.top - 1 && height <= picture.frame.bottom + 1;
  };
  const point = place => svgElement('circle', {
    class: 'point',
    'data-place': place,
    cx: picture.at(columns.level[place]).toFixed(2),
    cy: picture.up(columns.mean[place]).toFixed(2),
    r: place === data.lowest ? radius + 1.6 : radius,
    fill: isCandidate(place) || place === data.lowest ? 'var(--minimum)' : 'var(--data)',
    'fill-opacity': passes[place] ? 1 : 0.18,
    role: 'img',
    'aria-label': clean(sentence(place, view.bars)),
    tabindex: -1,
  });
  return svgElement('g', {}, ...picture.visible.filter(inFrame).map(point));
};

const drawNames = ({ frame: { top } }, names) => names.flatMap(name => {
  const height = top - 8 - name.row * LINE;
  return [verticalLine(name, height - 9, top), text(name.text, name.from, height, { fill: name.colour })];
});

const drawWords = ({ frame: { left, right, bottom }, width, height }, xLabel, titled, view) => {
  const parts = [text(fitted(data.y_label, 13, width - 8), 2, titled ? 46 : 14, { 'font-size': 13 })];
  xLabel.forEach((line, i) => {
    const half = widthOf(line, 13) / 2;
    const middle = Math.max(half + 2, Math.min((left + right) / 2, width - half - 2));
    parts.push(text(line, middle, bottom + 40 + i * LINE, { 'font-size': 13, 'text-anchor': 'middle' }));
  });
  if (titled) {
    parts.push(text(fitted(data.title, 18, width - 8), 2, 22, { 'font-size': 18, 'font-weight': 600 }));
    parts.push(text(fitted(`${barNames[view.bars]}; ${data.caption}`, SMALL, width - 12), width - 10, height - 8, { 'text-anchor': 'end', fill: 'var(--soft)' }));
  }
  return parts;
};
