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
  // Two lines of about one length, so that none holds a single short word.
  const halves = count => [words.slice(0, count).join(' '), words.slice(count).join(' ')].filter(Boolean);
  const longest = count => Math.max(...halves(count).map(line => widthOf(line, size)));
  while (first > 1 && longest(first - 1) < longest(first)) first -= 1;
  const lines = halves(first);
  return lines.map(line => fitted(line, size, width));
};

// The lines to draw: references, then the minimum.
const lines = () => {
  const all = data.references.map((line, i) => ({ ...line, colour: `var(--line-${i % 4})` }));
  if (data.fitted) all.push({ ...data.fitted, colour: 'var(--minimum)' });
  return all;
};

// Finds each name a place beside its line, right before left, where it covers no other name and no line runs through it, by
// the rules of the program's own figures: names with no line in their way lowest; the others above the lines that they
// pass over, once those have their names; where each waits for the other, one is shortened to the gap beside its line.
const placeNames = (all, at, right) => {
  const [edge, gap, shortest, most] = [2, 5, 40, Math.min(240, 0.9 * right)];
  let open = all.map(line => ({ ...line, x: at(line.level) }));
  const lineXs = open.map(line => line.x);
  const placed = [];
  const beside = (line, toRight, longest) => {
    const words = fitted(line.label, SMALL, Math.min(most, longest));
    const width = widthOf(words, SMALL);
    return { ...line, text: words, width, from: toRight ? line.x + gap : line.x - gap - width, row: 0 };
  };
  const inside = name => name.from >= edge && name.from + name.width <= right - edge;
  const over = (name, x) => x !== name.x && name.from - 3 < x && x < name.from + name.width + 3;
  const touches = (a, b) => a.row === b.row && a.from < b.from + b.width + 6 && b.from < a.from + a.width + 6;
  const above = name => {
    const passed = placed.filter(other => over(name, other.x)).map(other => other.row + 1);
    let row = Math.max(0, ...passed);
    while (placed.some(other => touches({ ...name, row }, other))) row += 1;
    return { ...name, row };
  };
  open = open.filter(line => {
    const spots = [0, 1].flatMap(row => [true, false].map(side => ({ ...beside(line, side, most), row })));
    const spot = spots.find(name => inside(name) && !lineXs.some(x => over(name, x)) && !placed.some(other => touches(name, other)));
    if (spot) placed.push(spot);
    return !spot;
  });
  while (open.length > 0) {
    let next = null;
    for (const [side, least] of [[true, 0], [false, 0], [true, shortest], [false, shortest]]) {
      for (const line of next ? [] : open) {
        const room = (side ? right - edge - line.x : line.x - edge) - gap;
        const name = beside(line, side, least > 0 ? room : most);
        if (!next && room >= least && inside(name) && !open.some(other => over(name, other.x))) next = { line, name };
      }
    }
    if (!next) {
      const [line] = open;
      const ends = [...lineXs, edge, right - edge].filter(x => x !== line.x);
      const room = side => Math.min(right, ...ends.filter(x => (x > line.x) === side).map(x => Math.abs(x - line.x) - gap - 4));
      const side = room(true) >= room(false);
      next = { line, name: beside(line, side, Math.max(0, room(side))) };
    }
    open = open.filter(line => line !== next.line);
    placed.push(above(next.name));
  }
  return placed;
};

// The axis `whole` from one level to another; a logarithmic one from 0: from its lower end, with its slot if it has one.
const zoomed = (whole, [lower, upper]) => {
  const isWhole = whole.scale === 'log' && lower <= 0;
  return new Axis(whole.scale, isWhole ? whole.lower : lower, upper, whole.beside && isWhole);
};

// { svg, frame, x, y, at, up, visible }: the picture, and where things lie in it. Null where there is nothing to draw.
const draw = ({ width, height, view, titled }) => {
  const drawable = places.filter(place => measured.value[place] !== null || hasFailed(place));
  const whole = Axis.around(view.x, drawable.map(p => columns.level[p]), { hasSlot: true });
  const x = view.zoom && whole ? zoomed(whole, view.zoom.x) : whole;
  if (!x) return null;
  const shownLevels = drawable.filter(place => x.holds(columns.level[place]));
  const visible = shownLevels.filter(place => measured.value[place] !== null);
  const failing = shownLevels.filter(hasFailed);
  const heights = visible.flatMap(place => [measured.value[place], ...(bar(place, view.bars) || [])]);
  const around = Axis.around(view.y, heights.length > 0 ? heights : [measured.value[data.lowest]]);
  const y = view.zoom && view.zoom.y ? new Axis(view.y, ...view.zoom.y) : roomForCrosses(around);
  if (!y) return null;
  const rows = y.ticks(height < 380 ? 5 : 7);
  const left = Math.ceil(Math.max(34, ...rows.map(t => (t.label ? widthOf(t.label, SMALL) : 0))) + 12);
  const right = width - 10;
  const at = value => left + x.place(value) * (right - left);
  const names = placeNames(lines().filter(line => x.holds(line.level)), at, width);
  const xLabel = wrapped(`${data.x_label}${view.x === 'log' ? ' (log)' : ''}`, 13, width - 8);
  const top = (titled ? 30 : 0) + 22 + LINE * (1 + Math.max(-1, ...names.map(name => name.row))) + 8;
  const foot = height - 30 - LINE * xLabel.length - (titled ? 22 : 0);
  const bottom = columns.failed ? foot - STRIP - LINE - 8 : foot;
  const up = value => bottom - (view.y === 'log' && value <= 0 ? -0.1 : y.place(value)) * (bottom - top);
  const picture = { frame: { left, right, top, bottom, foot }, x, y, at, up, visible, failing, width, height };

  const svg = svgElement('svg', { viewBox: `0 0 ${width} ${height}`, width, height, 'font-family': family, 'font-size': SMALL, fill: 'var(--ink)' });
  svg.append(svgElement('rect', { width, height, fill: 'var(--paper)' }));
  const inside = svgElement('svg', { x: left, y: top, width: right - left, height: bottom - top, viewBox: `${left} ${top} ${right - left} ${bottom - top}` });
  svg.append(...drawGrid(picture, rows), inside, ...drawNames(picture, names));
  inside.append(...drawRange(picture), ...drawBars(picture, view), ...names.map(name => verticalLine(name, top, bottom)));
  svg.append(...drawWords(picture, xLabel, titled, view), ...drawFailures(picture));
  picture.points = drawPoints(picture, view);
  // Points at the edge of the plot are drawn whole.
  svg.append(picture.points);
  return { ...picture, svg };
};

const text = (words, x, y, more) => svgElement('text', { x, y, ...more }, words);
const verticalLine = (line, from, to) => svgElement('line', { x1: line.x, x2: line.x, y1: from, y2: to, stroke: line.colour, 'stroke-width': 1.5 });

const drawGrid = ({ frame: { left, right, top, bottom, foot }, x, at, up }, rows) => {
  const parts = [];
  const labelled = x.ticks(Math.max(3, Math.min(12, Math.floor((right - left) / 58))));
  let free = -Infinity;
  for (const tick of labelled) {
    const place = at(tick.value);
    for (const end of new Set([bottom, foot])) {
      parts.push(svgElement('line', { x1: place, x2: place, y1: end, y2: end + (tick.label ? 6 : 3), stroke: 'var(--soft)' }));
    }
    if (!tick.label) continue;
    parts.push(svgElement('line', { x1: place, x2: place, y1: top, y2: bottom, stroke: 'var(--grid)' }));
    const half = widthOf(tick.label, SMALL) / 2;
    // A label that would touch the one before it, or leave the sheet, is left out.
    if (place - half < free + 4 || place + half > right + 9) continue;
    parts.push(text(tick.label, place, foot + 19, { 'text-anchor': 'middle' }));
    free = place + half;
  }
  for (const tick of rows) {
    const place = up(tick.value);
    if (!tick.label) continue;
    parts.push(svgElement('line', { x1: left, x2: right, y1: place, y2: place, stroke: 'var(--grid)' }));
    parts.push(text(tick.label, left - 8, place + 4, { 'text-anchor': 'end' }));
  }
  parts.push(svgElement('path', { d: `M${left} ${top}V${bottom}H${right}`, fill: 'none', stroke: 'var(--soft)' }));
  return x.beside ? [...parts, ...drawBreak(left + x.start * (right - left), bottom)] : parts;
};

// Two short slanted strokes, and a gap of the axis between them.
const drawBreak = (middle, bottom) => [
  svgElement('path', { d: `M${middle - 2.5} ${bottom}h5`, stroke: 'var(--paper)', 'stroke-width': 2.4 }),
  ...[-2.5, 2.5].map(away => svgElement('path', {
    class: 'break', d: `M${middle + away - 2.5} ${bottom + 5.5}l5 -11`, stroke: 'var(--soft)', 'stroke-width': 1.4,
  })),
];

// Height of the strip with the shares of failed runs.
const STRIP = 38;

// The axis with room for crosses at its upper end, where runs failed.
const roomForCrosses = axis => {
  if (!axis || !columns.failed) return axis;
  return new Axis(axis.scale, axis.lower, axis.value(1.06), axis.beside);
};

const cross = (x, y, more) => svgElement('path', {
  d: `M${x - 4} ${y - 4}l8 8m0 -8l-8 8`, stroke: 'var(--failed)', 'stroke-width': 1.9, fill: 'none', ...more,
});

// A cross over each level with failed runs, and the share of these below the plot.
const drawFailures = ({ frame: { left, right, top, foot }, at, failing }) => {
  if (!columns.failed) return [];
  const heightOf = share => foot - share * STRIP;
  const xs = places.map(place => at(columns.level[place])).filter(Number.isFinite);
  const half = Math.min(9, Math.max(0.6, 0.35 * Math.min(26, ...xs.slice(1).map((x, i) => x - xs[i]))));
  const column = place => {
    const x = at(columns.level[place]);
    const y = heightOf(columns.failed_share[place]);
    return svgElement('rect', { x: x - half, y, width: 2 * half, height: foot - y, fill: 'var(--failed)', 'fill-opacity': 0.8 });
  };
  return [
    ...[0, 0.5, 1].flatMap(share => [
      svgElement('line', { x1: left, x2: right, y1: heightOf(share), y2: heightOf(share), stroke: share > 0 ? 'var(--grid)' : 'var(--soft)' }),
      text(`${100 * share}`, left - 8, heightOf(share) + 4, { 'text-anchor': 'end' }),
    ]),
    svgElement('line', { x1: left, x2: left, y1: heightOf(1), y2: foot, stroke: 'var(--soft)' }),
    ...failing.map(column),
    ...failing.filter(place => measured.value[place] !== null).map(place => cross(at(columns.level[place]), top + 8, {})),
    text('failed runs, %', left, heightOf(1) - 7, { fill: 'var(--failed)' }),
  ];
};

// The interval of the minimum's place.
const drawRange = ({ frame: { top, bottom, left, right }, x, at }) => {
  if (!data.fitted || data.fitted.lower === null) return [];
  const first = left + x.start * (right - left);
  const bounded = value => Math.min(right, Math.max(first, at(Math.max(value, x.scale === 'log' ? Number.MIN_VALUE : value))));
  const [from, to] = [bounded(data.fitted.lower), bounded(data.fitted.upper)];
  return [svgElement('rect', { x: from, y: top, width: Math.max(0, to - from), height: bottom - top, fill: 'var(--range)' })];
};

const isDense = picture => picture.visible.length * 9 > picture.frame.right - picture.frame.left;

// Bars; where levels are too dense for them, a band.
const drawBars = (picture, view) => {
  const { visible, at, up, frame } = picture;
  const ends = visible.map(place => ({ x: at(columns.level[place]), bar: bar(place, view.bars) }));
  const low = value => Math.min(up(value), frame.bottom + 4);
  const oneBar = ({ x, bar: [lower, upper] }) => svgElement('path', {
    d: `M${x} ${low(lower)}V${up(upper)}M${x - 3} ${low(lower)}h6M${x - 3} ${up(upper)}h6`, stroke: 'var(--data)', 'stroke-width': 1.4, fill: 'none',
  });
  if (!isDense(picture)) return ends.filter(end => end.bar).map(oneBar);
  // A level beside the axis, which is the first, is not joined with the others.
  const beside = visible.length > 0 && picture.x.isBeside(columns.level[visible[0]]) ? ends.splice(0, 1) : [];
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
  return [
    ...beside.filter(end => end.bar).map(oneBar),
    ...bands.filter(band => band.length > 1).map(band => svgElement('path', { d: path(band), fill: 'var(--band)' })),
  ];
};

const drawPoints = (picture, view) => {
  const radius = isDense(picture) ? 2 : 3.6;
  const inFrame = place => {
    const height = picture.up(measured.value[place]);
    return height >= picture.frame.top - 1 && height <= picture.frame.bottom + 1;
  };
  const shared = (place, x, y) => ({
    class: 'point',
    'data-place': place,
    cx: x.toFixed(2),
    cy: y.toFixed(2),
    role: 'img',
    'aria-label': clean(sentence(place, view.bars)),
    tabindex: -1,
  });
  const point = place => {
    const colour = isCandidate(place) || place === data.lowest ? 'var(--minimum)' : 'var(--data)';
    const opacity = passes[place] ? 1 : 0.18;
    return svgElement('circle', {
      ...shared(place, picture.at(columns.level[place]), picture.up(measured.value[place])),
      r: place === data.lowest ? radius + 1.6 : radius,
      ...(hasFailed(place)
        ? { fill: 'var(--paper)', stroke: colour, 'stroke-width': 1.6, 'stroke-opacity': opacity }
        : { fill: colour, 'fill-opacity': opacity }),
    });
  };
  // Where every run failed, the cross is what can be pointed at.
  const mark = place => {
    if (measured.value[place] !== null) return point(place);
    const [x, y] = [picture.at(columns.level[place]), picture.frame.top + 8];
    return cross(x, y, { ...shared(place, x, y), 'stroke-opacity': passes[place] ? 1 : 0.18 });
  };
  const marked = [...picture.visible.filter(inFrame), ...picture.failing.filter(place => measured.value[place] === null)];
  return svgElement('g', {}, ...marked.sort((a, b) => a - b).map(mark));
};

const drawNames = ({ frame: { top } }, names) => names.flatMap(name => {
  const height = top - 8 - name.row * LINE;
  return [verticalLine(name, height - 9, top), text(name.text, name.from, height, { fill: name.colour })];
});

const drawWords = ({ frame: { left, right, foot }, width, height }, xLabel, titled, view) => {
  const parts = [text(fitted(data.y_label, 13, width - 8), 2, titled ? 46 : 14, { 'font-size': 13 })];
  xLabel.forEach((line, i) => {
    const half = widthOf(line, 13) / 2;
    const middle = Math.max(half + 2, Math.min((left + right) / 2, width - half - 2));
    parts.push(text(line, middle, foot + 40 + i * LINE, { 'font-size': 13, 'text-anchor': 'middle' }));
  });
  if (titled) {
    parts.push(text(fitted(data.title, 18, width - 8), 2, 22, { 'font-size': 18, 'font-weight': 600 }));
    parts.push(text(fitted(`${barNames[view.bars]}; ${data.caption}`, SMALL, width - 12), width - 10, height - 8, { 'text-anchor': 'end', fill: 'var(--soft)' }));
  }
  return parts;
};
