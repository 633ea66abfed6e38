// What the page knows, what is looked at, and who wants to hear of changes.

const byId = id => document.getElementById(id);
const data = JSON.parse(byId('data').textContent);
const { columns, shown } = data;
const places = columns.level.map((_, place) => place);

// What is drawn: the mean, unless another statistic was minimised.
const measured = data.measured || { ...columns, value: columns.mean };

// x, y: scales of the axes; bars: what they show; zoom: { x: [lower, upper], y: the same or null }, or null.
const view = { x: data.logarithmic ? 'log' : 'linear', y: 'linear', bars: 'ci', zoom: null };
// Which levels the filter of the table lets through.
const passes = places.map(() => true);

const listeners = { select: [], view: [], filter: [] };
const on = (what, listener) => listeners[what].push(listener);
const tell = (what, ...news) => listeners[what].forEach(listener => listener(...news));

let selected = null;
// Lights up a level, or none, everywhere. `source` is where somebody points: 'figure' or 'table'.
const select = (place, source) => {
  if (place === selected) return;
  selected = place;
  tell('select', place, source);
};

// Looks at something else. Kept over a reload, as when a newer report replaces this one.
const look = change => {
  Object.assign(view, change);
  history.replaceState({ view: { ...view } }, '');
  tell('view');
};

const barNames = {
  ci: `${data.confidence} interval of the ${data.statistic}`,
  se: `± 1 standard error of the ${data.statistic}`,
  sd: '± 1 standard deviation of the runs',
};

// Ends of the bar of a level, or null.
const bar = (place, bars) => {
  const value = measured.value[place];
  // The runs spread about their mean, and about nothing else.
  const spread = data.measured ? null : columns.std_dev[place];
  const margin = bars === 'se' ? measured.standard_error[place] : spread;
  if (bars === 'ci') {
    const lower = measured.ci_lower[place];
    return lower === null ? null : [lower, measured.ci_upper[place]];
  }
  return margin === null ? null : [value - margin, value + margin];
};

const hasFailed = place => Boolean(columns.failed && columns.failed[place] > 0);

const isCandidate = place => Boolean(columns.in_confidence_set && columns.in_confidence_set[place]);

// A level in words: for screen readers.
const sentence = (place, bars) => {
  const { level, n, median, solved, failed } = shown[place];
  const rest = `${solved ? `, ${solved} solved` : ''}${failed ? `, ${failed} runs failed` : ''}`;
  return `${data.factor} ${level}: ${data.statistic} ${shown[place][bars]} (${barNames[bars]}), n = ${n}${median ? `, median ${median}` : ''}${rest}`;
};
