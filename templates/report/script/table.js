// The table of levels: sorted by a click on a head, filtered, linked with the figure.

const table = byId('levels');
const body = table.tBodies[0];
const scroller = byId('levels-scroll');
const rows = Array.from(body.rows);
const filterForm = byId('filter');
const keys = { solved: 'solved_share', lower: 'ci_lower' };
const valuesOf = key => columns[keys[key] || key];

const sortBy = head => {
  const rising = head.getAttribute('aria-sort') !== 'ascending';
  table.querySelectorAll('[aria-sort]').forEach(other => other.removeAttribute('aria-sort'));
  head.setAttribute('aria-sort', rising ? 'ascending' : 'descending');
  const values = valuesOf(head.dataset.key);
  const sign = rising ? 1 : -1;
  // Missing values last in both directions; equal ones by level.
  const order = (a, b) => (values[a] === null) - (values[b] === null) || sign * (values[a] - values[b]) || a - b;
  body.append(...Array.from(places).sort(order).map(place => rows[place]));
  scroller.scrollTop = 0;
};

const startSorting = () => {
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = head.textContent;
    head.dataset.head = head.textContent;
    button.addEventListener('click', () => sortBy(head));
    head.replaceChildren(button);
  }
  table.tHead.rows[0].cells[0].setAttribute('aria-sort', 'ascending');
};

// A bound as typed: nothing where it is empty, NaN where it is no number.
const boundOf = input => {
  const typed = input.value.trim().replace(',', '.').replace('−', '-');
  const value = typed === '' ? null : Number(typed);
  input.setAttribute('aria-invalid', Number.isNaN(value));
  return value;
};

const filter = () => {
  const { from, to, candidates, visible } = filterForm.elements;
  const [least, most] = [boundOf(from), boundOf(to)];
  const zoom = visible.checked && view.zoom ? view.zoom.x : [-Infinity, Infinity];
  for (const place of places) {
    const level = columns.level[place];
    passes[place] = !(least !== null && level < least) && !(most !== null && level > most)
      && (!candidates.checked || isCandidate(place)) && level >= zoom[0] && level <= zoom[1];
    rows[place].hidden = !passes[place];
  }
  const left = passes.filter(Boolean).length;
  const wrong = [from, to].filter(input => input.getAttribute('aria-invalid') === 'true');
  byId('filter-state').textContent = `${wrong.map(input => `“${input.value.trim()}” is no number; `).join('')}${left.toLocaleString('en')} of ${places.length.toLocaleString('en')} levels`;
  moveStop(firstRow());
  tell('filter');
};

const firstRow = () => Array.from(body.rows).find(row => !row.hidden) || null;
const placeOf = row => Number(row.dataset.place);

// The one row that the tab key reaches.
const moveStop = row => {
  body.querySelectorAll('[tabindex="0"]').forEach(other => { other.tabIndex = -1; });
  if (row) row.tabIndex = 0;
};

const focusRow = place => {
  moveStop(rows[place]);
  rows[place].focus();
};

const showRow = row => {
  const head = table.tHead.offsetHeight;
  const [top, bottom] = [row.offsetTop - head, row.offsetTop + row.offsetHeight];
  if (top < scroller.scrollTop || bottom > scroller.scrollTop + scroller.clientHeight) {
    scroller.scrollTop = row.offsetTop - scroller.clientHeight / 2;
  }
};

const neighbour = (row, step) => {
  let next = row[step];
  while (next && next.hidden) next = next[step];
  return next;
};

const startLinking = () => {
  rows.forEach(row => { row.tabIndex = -1; });
  moveStop(firstRow());
  body.addEventListener('pointerover', event => select(placeOf(event.target.closest('tr')), 'table'));
  body.addEventListener('pointerleave', () => { if (!body.contains(document.activeElement)) select(null, 'table'); });
  body.addEventListener('focusin', event => select(placeOf(event.target.closest('tr')), 'table'));
  body.addEventListener('focusout', event => { if (!body.contains(event.relatedTarget)) select(null, 'table'); });
  body.addEventListener('keydown', event => {
    const row = event.target.closest('tr');
    const steps = { ArrowDown: () => neighbour(row, 'nextElementSibling'), ArrowUp: () => neighbour(row, 'previousElementSibling') };
    if (event.key === 'Enter' && picture) {
      walk(pointAt(placeOf(row)));
    } else if (steps[event.key]) {
      event.preventDefault();
      const next = steps[event.key]();
      if (next) focusRow(placeOf(next));
    }
  });
  let lit = null;
  on('select', (place, source) => {
    if (lit) lit.classList.remove('lit');
    lit = place === null ? null : rows[place];
    if (!lit) return;
    lit.classList.add('lit');
    if (source === 'figure' && !lit.hidden) showRow(lit);
  });
};

const startFilter = () => {
  filterForm.hidden = false;
  byId('candidates-label').hidden = !columns.in_confidence_set;
  filterForm.addEventListener('input', filter);
  filterForm.addEventListener('submit', event => event.preventDefault());
  // A form is cleared after the event.
  filterForm.addEventListener('reset', () => setTimeout(filter));
  on('view', () => { if (filterForm.elements.visible.checked) filter(); });
  filter();
};

startSorting();
startLinking();
startFilter();
