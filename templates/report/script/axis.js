// Scales and ticks, where a person would put them: the rules of the program's own figures.

const trimmed = text => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

const number = (value, digits) => {
  if (value === 0) return '0';
  const [mantissa, exponent] = value.toExponential(digits - 1).split('e');
  const plain = exponent >= -5 && exponent <= 9;
  const text = plain ? trimmed(value.toFixed(Math.max(0, digits - 1 - exponent))) : `${trimmed(mantissa)}e${Number(exponent)}`;
  return text.replaceAll('-', '−');
};

const raised = exponent => Array.from(String(exponent), c => (c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[c])).join('');

// `−0.25`, `10,000.5`, `3·10⁻⁹`: a number as people write it.
const readable = (value, digits) => {
  const [mantissa, exponent] = number(value, digits).replaceAll('−', '-').split('e');
  if (exponent === undefined) {
    const [, sign, whole, rest] = mantissa.match(/^(-?)(\d+)(.*)$/);
    return `${sign}${whole.length < 5 ? whole : whole.replace(/\B(?=(\d{3})+$)/g, ',')}${rest}`.replace('-', '−');
  }
  const factor = { 1: '', '-1': '−' }[mantissa];
  return `${factor === undefined ? `${mantissa.replace('-', '−')}·` : factor}10${raised(exponent)}`;
};

const niceStep = rough => {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map(m => m * power).find(step => step >= rough * (1 - 1e-9)) || 10 * power;
};

// Share of a logarithmic axis that the slot of 0 takes, where there is one.
const SLOT = 0.1;
// Share of it beside the slot where no tick without a label stands.
const BREAK = 0.02;

class Axis {
  // `beside`: whether 0 has a slot beside the scale, which must be logarithmic.
  constructor(scale, lower, upper, beside = false) {
    this.scale = scale;
    this.ends = [lower, upper].map(v => this.along(v));
    // Where the scale begins: 0, or the end of the slot.
    this.start = beside ? SLOT : 0;
    Object.assign(this, { lower, upper, beside });
  }

  // An axis that shows all of `values` that the scale can show, with a little room at both ends; null without any. On a logarithmic
  // axis of levels 0 has a slot.
  static around(scale, values, { hasSlot = false } = {}) {
    const usable = values.filter(v => Number.isFinite(v) && (scale === 'linear' || v > 0));
    if (usable.length === 0) return null;
    const along = v => (scale === 'log' ? Math.log(v) : v);
    const from = usable.reduce((least, v) => Math.min(least, along(v)), Infinity);
    const to = usable.reduce((most, v) => Math.max(most, along(v)), -Infinity);
    const room = to > from ? 0.03 * (to - from) : Math.max(0.1 * Math.abs(from), 0.1);
    const back = v => (scale === 'log' ? Math.exp(v) : v);
    return new Axis(scale, back(from - room), back(to + room), hasSlot && scale === 'log' && values.includes(0));
  }

  along(v) { return this.scale === 'log' ? Math.log(v) : v; }
  // 0 at the lower end, 1 at the upper.
  place(v) {
    if (this.isBeside(v)) return this.start / 2;
    return this.start + (1 - this.start) * (this.along(v) - this.ends[0]) / (this.ends[1] - this.ends[0]);
  }
  // All of the slot is 0.
  value(place) {
    if (this.beside && place < this.start) return 0;
    const along = this.ends[0] + (place - this.start) / (1 - this.start) * (this.ends[1] - this.ends[0]);
    return this.scale === 'log' ? Math.exp(along) : along;
  }
  isBeside(v) { return this.beside && v === 0; }
  holds(v) { return this.isBeside(v) || (v >= this.lower && v <= this.upper); }

  // { value, label } ascending, about `wanted` of them labelled.
  ticks(wanted) {
    const ticks = this.scale === 'log' && this.upper / this.lower >= 4 ? this.logTicks(wanted) : this.linearTicks(wanted);
    if (!this.beside) return ticks;
    // The strokes of the break need their room.
    const clear = ticks.filter(tick => tick.label || this.place(tick.value) >= this.start + BREAK);
    return [{ value: 0, label: '0' }, ...clear];
  }

  linearTicks(wanted) {
    const step = niceStep((this.upper - this.lower) / wanted);
    const [first, last] = [Math.ceil(this.lower / step), Math.floor(this.upper / step)];
    const digits = Math.min(15, Math.floor(Math.log10(Math.max(Math.abs(first), Math.abs(last), 1))) + 2);
    return Array.from({ length: Math.min(1000, last - first + 1) }, (_, i) => {
      const value = (first + i) * step;
      return { value, label: readable(value, digits) };
    });
  }

  logTicks(wanted) {
    const all = [];
    for (let decade = Math.floor(Math.log10(this.lower)); decade <= Math.ceil(Math.log10(this.upper)); decade += 1) {
      for (let digit = 1; digit < 10; digit += 1) {
        const value = Number(`${digit}e${decade}`);
        if (this.holds(value)) all.push({ value, digit, decade });
      }
    }
    const rules = [t => [1, 2, 3, 5, 7].includes(t.digit), t => [1, 2, 5].includes(t.digit)];
    if (this.upper / this.lower < 10) rules.unshift(() => true);
    for (let n = 1; n < 700; n += 1) rules.push(t => t.digit === 1 && t.decade % n === 0);
    const rule = rules.find(accept => all.filter(accept).length <= wanted) || rules[rules.length - 1];
    // Where some labels would need powers of ten, all have them.
    const wide = all.length > 0 && (all[0].value < 1e-4 || all[all.length - 1].value > 1e6);
    const label = ({ value, digit, decade }) => (wide ? `${digit === 1 ? '' : `${digit}·`}10${raised(decade)}` : readable(value, 2));
    return all
      .filter(t => rule(t) || all.length <= 60)
      .map(t => ({ value: t.value, label: rule(t) ? label(t) : null }));
  }
}
