//! Scales and ticks: where would a person put them?
//!
//! On a linear axis at multiples of 1, 2 or 5 times a power of ten (Heckbert 1990). On a logarithmic axis at every digit of a
//! part of a decade, at 1, 2, 3, 5 and 7 or at 1, 2 and 5 of every decade while there are few, then at powers of ten; the other
//! whole multiples get unlabelled ticks.
//!
//! **0 beside a logarithmic axis** has a slot of its own at the lower end, set off from the scale
//! by a break.

use crate::format::{count, significant};

/// How values become places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences, equal lengths.
    Linear,
    /// Equal ratios, equal lengths; values must be above 0.
    Log,
    /// Equal parts for things without an order of size, from 0 to 1; no ticks of its own.
    Slots,
}

/// A mark on an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where.
    pub value: f64,
    /// Its text; unlabelled ticks are minor.
    pub label: Option<String>,
}

/// Which ticks of a logarithmic axis have a label, by decade and digit.
type Choice = Box<dyn Fn(i32, u32) -> bool>;

/// An axis: a scale with its finite, non-empty range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    scale: Scale,
    lower: f64,
    upper: f64,
    /// Share of its length that the slot of 0 takes at the lower end; 0 without one.
    slot: f64,
}

/// Share of the length that the slot of 0 takes, where there is one.
const SLOT: f64 = 0.1;
/// Share of the length beside the slot where no tick without a label stands.
const BREAK: f64 = 0.02;

impl Axis {
    /// An axis that shows all of `values` with a little room at both ends. Values that the scale cannot show are ignored;
    /// nothing if none is left.
    pub fn around(scale: Scale, values: impl IntoIterator<Item = f64>) -> Option<Self> {
        const ROOM: f64 = 0.03;
        let shown = |v: &f64| v.is_finite() && (scale != Scale::Log || *v > 0.0);
        let (lower, upper) = values
            .into_iter()
            .filter(shown)
            .map(|v| scale.along(v))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lower, upper), v| (lower.min(v), upper.max(v)));
        if lower > upper {
            return None;
        }
        // A single value gets room in proportion to itself, so that the axis still has a length.
        let room = if upper > lower { (upper - lower) * ROOM } else { (lower.abs() * 0.1).max(0.1) };
        let (lower, upper) = (scale.value(lower - room), scale.value(upper + room));
        (lower.is_finite() && upper.is_finite() && lower < upper).then_some(Self { scale, lower, upper, slot: 0.0 })
    }

    /// The same with a slot for 0, which must be logarithmic.
    #[must_use]
    pub fn with_zero_beside(self) -> Self {
        debug_assert!(self.scale == Scale::Log, "any other scale has a place for 0");
        Self { slot: SLOT, ..self }
    }

    /// An axis from `lower` to `upper` exactly; nothing if that is no range that the scale can show.
    pub fn spanning(scale: Scale, lower: f64, upper: f64) -> Option<Self> {
        let shown = lower < upper && (upper - lower).is_finite() && (scale != Scale::Log || lower > 0.0);
        shown.then_some(Self { scale, lower, upper, slot: 0.0 })
    }

    /// An axis of equal parts, from 0 to 1.
    pub fn slots() -> Self {
        Self { scale: Scale::Slots, lower: 0.0, upper: 1.0, slot: 0.0 }
    }

    /// The ends of its scale, which a slot of 0 lies before.
    pub fn ends(&self) -> [f64; 2] {
        [self.lower, self.upper]
    }

    /// Its scale.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// Where its scale begins: 0, or the end of the slot.
    pub fn start(&self) -> f64 {
        self.slot
    }

    /// Where it is broken; `None` without a slot.
    pub fn break_at(&self) -> Option<f64> {
        (self.slot > 0.0).then_some(self.slot)
    }

    /// Whether `value` lies in the slot.
    pub fn is_beside(&self, value: f64) -> bool {
        self.slot > 0.0 && value == 0.0
    }

    /// The place of `value`: 0 at the lower end, 1 at the upper.
    pub fn place(&self, value: f64) -> f64 {
        if self.is_beside(value) {
            return self.slot / 2.0;
        }
        let [lower, upper, at] = [self.lower, self.upper, value].map(|v| self.scale.along(v));
        self.slot + (1.0 - self.slot) * ((at - lower) / (upper - lower))
    }

    /// The value at `place`, from [`Self::start`] at the lower end of the scale to 1 at the upper.
    pub fn value_at(&self, place: f64) -> f64 {
        let [lower, upper] = self.ends().map(|end| self.scale.along(end));
        match (place - self.slot) / (1.0 - self.slot) {
            0.0 => self.lower,
            1.0 => self.upper,
            share => self.scale.value(lower + share * (upper - lower)),
        }
    }

    /// Whether `value` lies on the axis.
    pub fn holds(&self, value: f64) -> bool {
        self.is_beside(value) || (self.lower..=self.upper).contains(&value)
    }

    /// Ticks in ascending order, of which about `wanted` are labelled.
    pub fn ticks(&self, wanted: usize) -> Vec<Tick> {
        let mut ticks = match self.scale {
            Scale::Slots => Vec::new(),
            Scale::Log if self.upper / self.lower >= 4.0 => self.log_ticks(wanted),
            _ => self.linear_ticks(wanted),
        };
        if self.slot > 0.0 {
            // The strokes of the break need their room.
            ticks.retain(|tick| tick.label.is_some() || self.place(tick.value) >= self.slot + BREAK);
            ticks.insert(0, Tick { value: 0.0, label: Some("0".into()) });
        }
        ticks
    }

    fn linear_ticks(&self, wanted: usize) -> Vec<Tick> {
        let step = nice_step((self.upper - self.lower) / wanted.max(1) as f64);
        let (first, last) = ((self.lower / step).ceil(), (self.upper / step).floor());
        let digits = (libm::log10((first.abs().max(last.abs())).max(1.0)).floor() as usize + 2).min(15);
        let count = (last - first + 1.0).max(0.0) as usize;
        (0..count.min(1000))
            .map(|i| (first + i as f64) * step)
            .map(|value| Tick { value, label: Some(readable(value, digits)) })
            .collect()
    }

    fn log_ticks(&self, wanted: usize) -> Vec<Tick> {
        let decades = libm::log10(self.lower).floor() as i32..=libm::log10(self.upper).ceil() as i32;
        let all: Vec<(i32, u32, f64)> = decades
            .flat_map(|decade| {
                (1..10).map(move |digit| (decade, digit, format!("{digit}e{decade}").parse().unwrap_or(f64::NAN)))
            })
            .filter(|(.., value)| self.holds(*value))
            .collect();
        let every = |n: i32| Box::new(move |decade: i32, digit: u32| digit == 1 && decade.rem_euclid(n) == 0) as Choice;
        let mut choices: Vec<Choice> = Vec::new();
        if self.upper / self.lower < 10.0 {
            choices.push(Box::new(|_, _| true));
        }
        choices.push(Box::new(|_, digit| matches!(digit, 1 | 2 | 3 | 5 | 7)));
        choices.push(Box::new(|_, digit| matches!(digit, 1 | 2 | 5)));
        let labelled = |accept: &Choice| all.iter().filter(|(decade, digit, _)| accept(*decade, *digit)).count();
        let accept = choices
            .into_iter()
            .chain((1..).map(every))
            .find(|accept| labelled(accept) <= wanted)
            .unwrap_or_else(|| every(1));
        let minor = all.len() <= 60;
        // Where some labels would need powers of ten, all have them.
        let wide = all.first().is_some_and(|first| first.2 < 1e-4) || all.last().is_some_and(|last| last.2 > 1e6);
        all.iter()
            .filter(|(decade, digit, _)| minor || accept(*decade, *digit))
            .map(|(decade, digit, value)| Tick {
                value: *value,
                label: accept(*decade, *digit).then(|| if wide { power(*digit, *decade) } else { readable(*value, 2) }),
            })
            .collect()
    }
}

impl Scale {
    /// The coordinate in which this scale is linear.
    fn along(self, value: f64) -> f64 {
        if self == Self::Log { libm::log(value) } else { value }
    }

    fn value(self, along: f64) -> f64 {
        if self == Self::Log { libm::exp(along) } else { along }
    }
}

/// The least of 1, 2, 5, 10 times a power of ten that is not below `rough`.
fn nice_step(rough: f64) -> f64 {
    let power = libm::pow(10.0, libm::log10(rough).floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|step| *step >= rough * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// `−0.25`, `1500`, `3·10⁻⁹`: a number as people write it.
pub fn readable(value: f64, digits: usize) -> String {
    let text = significant(value, digits);
    let Some((mantissa, exponent)) = text.split_once('e') else { return with_commas(text) };
    let factor = match mantissa {
        "1" => String::new(),
        "−1" => "−".into(),
        other => format!("{other}·"),
    };
    format!("{factor}10{}", raised(exponent))
}

/// `10⁻⁶`: the power of ten.
pub fn ten_to(exponent: i32) -> String {
    power(1, exponent)
}

/// `10,000` and `10,000.5`, but `1000`: commas from five digits on.
fn with_commas(number: String) -> String {
    let size = number.trim_start_matches('−');
    let (whole, rest) = size.split_at(size.find('.').unwrap_or(size.len()));
    match whole.parse::<u64>() {
        Ok(whole) if whole >= 10_000 => format!("{}{}{rest}", &number[..number.len() - size.len()], count(whole)),
        _ => number,
    }
}

/// `10⁻³`, `2·10⁴`.
fn power(digit: u32, decade: i32) -> String {
    let factor = if digit == 1 { String::new() } else { format!("{digit}·") };
    format!("{factor}10{}", raised(&decade.to_string()))
}

fn raised(exponent: &str) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    exponent.chars().map(|c| c.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(scale: Scale, lower: f64, upper: f64, wanted: usize) -> Vec<String> {
        Axis { scale, lower, upper, slot: 0.0 }.ticks(wanted).into_iter().filter_map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_where_a_person_puts_them() {
        assert_eq!(labels(Scale::Log, 0.045, 60.0, 12), ["0.05", "0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "50"]);
        assert_eq!(
            labels(Scale::Log, 1e-6, 1e3, 10),
            ["10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "10⁰", "10¹", "10²", "10³"]
        );
        assert_eq!(labels(Scale::Linear, -1e12, 2e12, 3), ["−10¹²", "0", "10¹²", "2·10¹²"]);
        assert_eq!(labels(Scale::Linear, 1400.0, 7000.0, 6), ["2000", "3000", "4000", "5000", "6000", "7000"]);
        assert_eq!(labels(Scale::Linear, -0.25, 0.31, 6), ["−0.2", "−0.1", "0", "0.1", "0.2", "0.3"]);
        assert!(labels(Scale::Linear, -92.8, -50.017, 1).is_empty(), "none of ..., −100, −50, 0, ... lies between");
        assert_eq!(
            labels(Scale::Linear, 99_999.95, 1e5 + 0.12, 4),
            ["99,999.95", "100,000", "100,000.05", "100,000.1"]
        );
        assert_eq!(labels(Scale::Log, 0.3, 1.3, 10), ["0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1"]);
        assert_eq!(labels(Scale::Log, 0.3, 1.3, 5), ["0.3", "0.5", "0.7", "1"]);
        assert_eq!(labels(Scale::Log, 0.9, 11.0, 7), ["1", "2", "3", "5", "7", "10"]);
        assert_eq!(labels(Scale::Log, 0.9, 2.1, 6), ["1", "1.2", "1.4", "1.6", "1.8", "2"]);
    }

    #[test]
    fn zero_has_a_slot_beside_a_logarithmic_axis() {
        let plain = Axis::spanning(Scale::Log, 0.01, 100.0).unwrap();
        let axis = plain.with_zero_beside();
        assert!(axis.holds(0.0) && axis.holds(0.01) && !axis.holds(0.005) && !plain.holds(0.0));
        // The slot is the first tenth; the scale has the rest.
        for (value, place) in [(0.0, 0.05), (0.01, 0.1), (1.0, 0.55), (100.0, 1.0)] {
            assert!((axis.place(value) - place).abs() < 1e-12, "{value}");
        }
        assert_eq!((axis.break_at(), plain.break_at()), (Some(0.1), None));
        assert_eq!((axis.value_at(0.1), axis.value_at(1.0)), (0.01, 100.0));
        let label = |tick: &Tick| tick.label.clone().unwrap_or_default();
        assert_eq!(label(&axis.ticks(5)[0]), "0");
        assert_eq!(axis.ticks(5)[1..], plain.ticks(5));
    }

    #[test]
    fn an_axis_without_a_range_still_has_a_length() {
        let axis = Axis::around(Scale::Log, [0.5]).unwrap();
        assert!(axis.holds(0.5) && !axis.ticks(5).is_empty());
        assert!(Axis::around(Scale::Linear, [0.0, 0.0]).is_some());
        assert_eq!(Axis::around(Scale::Log, [-1.0, 0.0, f64::NAN]), None);
    }

    proptest! {
        #[test]
        fn ticks_lie_on_the_axis_and_are_not_too_many(a in -300f64..300.0, b in -300f64..300.0, wanted in 2usize..15) {
            for (scale, lower, upper) in [
                (Scale::Linear, a.min(b), a.max(b)),
                (Scale::Log, libm::exp(a.min(b)), libm::exp(a.max(b))),
            ] {
                let Some(axis) = Axis::around(scale, [lower, upper]) else { continue };
                let ticks = axis.ticks(wanted);
                prop_assert!(ticks.iter().all(|tick| axis.holds(tick.value)), "{ticks:?}");
                prop_assert!(ticks.windows(2).all(|pair| pair[0].value < pair[1].value), "{ticks:?}");
                let labelled = ticks.iter().filter(|tick| tick.label.is_some()).count();
                prop_assert!(labelled <= wanted + 3, "{labelled} of {wanted}");
            }
        }
    }
}
