//! What in the numbers of a table suggests that they are not what they seem.

use std::collections::HashSet;

use crate::warning::Warning;

/// Values that programs write where there is none. The other usual ones are beyond any range of a
/// metric.
const SENTINELS: [f64; 7] = [0.0, -1.0, 999.0, -999.0, 9999.0, -9999.0, 99999.0];
/// Runs beyond which nobody writes tables by hand, and looking for doubts would take time.
const MOST_LOOKED_AT: usize = 200_000;

/// A value that some of `metric` have, NaN for failed runs, and that lies farther from all others
/// than they spread.
pub(super) fn sentinel(metric_name: &str, metric: &[f64]) -> Option<Warning> {
    if metric.len() > MOST_LOOKED_AT {
        return None;
    }
    let is_largest = |value: f64| value.abs() >= 3.4e38;
    let mut candidates: Vec<f64> = SENTINELS.to_vec();
    candidates.extend(metric.iter().copied().find(|value| is_largest(*value)));
    candidates.into_iter().find_map(|value| {
        let others = || metric.iter().copied().filter(|other| !other.is_nan() && *other != value);
        let (least, greatest) = others().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        let runs = metric.iter().filter(|other| **other == value).count() as u64;
        let distance = if value < least { least - value } else { value - greatest };
        let is_apart = distance > greatest - least && others().count() > 2;
        let is_repeated = runs > 1 || is_largest(value) && runs > 0;
        (is_apart && is_repeated).then(|| Warning::Sentinel { metric: metric_name.into(), value, runs })
    })
}

/// Rows that equal an earlier one in level and metric, where that is no chance: the metric has many
/// digits, and a fifth of all rows do.
pub(super) fn repeated(factor: &[f64], metric: &[f64]) -> Option<Warning> {
    const DIGITS: usize = 6;
    const FEW: u64 = 4;
    if metric.len() > MOST_LOOKED_AT {
        return None;
    }
    let is_long = |value: f64| format!("{value:e}").bytes().take_while(|byte| *byte != b'e').count() > DIGITS;
    let mut seen = HashSet::new();
    let runs = || factor.iter().zip(metric).filter(|(_, value)| !value.is_nan());
    let rows = runs()
        .filter(|(level, value)| !seen.insert((level.to_bits(), value.to_bits())) && is_long(**value))
        .count() as u64;
    let of = runs().count() as u64;
    (rows >= FEW && rows * 5 >= of).then_some(Warning::RepeatedRuns { rows, of })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_apart_from_all_others_is_doubted() {
        let value = |metric: &[f64]| match sentinel("loss", metric) {
            Some(Warning::Sentinel { value, runs, .. }) => Some((value, runs)),
            _ => None,
        };
        assert_eq!(value(&[2.1, 2.5, 2.3, 0.0, 0.0]), Some((0.0, 2)));
        assert_eq!(value(&[2.1, 2.5, 2.3, 0.0]), None, "once may be right");
        assert_eq!(value(&[0.1, 0.5, 0.3, 0.0, 0.0]), None);
        assert_eq!(value(&[2.1, 2.5, f64::NAN, 2.3, f64::from(f32::MAX)]), Some((f64::from(f32::MAX), 1)));
        assert_eq!(value(&[0.0, 0.0]), None);
    }

    #[test]
    fn runs_that_are_there_twice_are_doubted_if_that_is_no_chance() {
        let levels = [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0];
        let twice = [0.123456789, 0.234567891, 0.345678912, 0.456789123].repeat(2);
        assert_eq!(repeated(&levels, &twice), Some(Warning::RepeatedRuns { rows: 4, of: 8 }));
        assert_eq!(repeated(&levels, &[0.91, 0.92, 0.93, 0.94].repeat(2)), None, "accuracies often agree");
        assert_eq!(repeated(&levels[..5], &twice[..5]), None);
    }
}
