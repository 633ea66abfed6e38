//! In which basins the runs ended, in words.

use crate::analysis::{Analysis, BasinRule, Group};
use crate::export::finding;
use crate::figure::basins::name;
use crate::format::{aligned, count, significant, to_precision_of};
use crate::report::levels::{level_text, share_text};
use crate::stats::basins::{Basin, Basins};
use crate::stats::{ConfidenceInterval, Estimate};

/// Rows of the table, besides the least mean's: beyond these the table of levels is the better place to look.
const ROWS: usize = 9;

/// The section about basins.
#[derive(Debug, Clone)]
pub struct BasinsView {
    /// Where most runs solve the task, what the others do, and how that was told.
    pub sentences: Vec<String>,
    /// Heads of the table.
    pub heads: Vec<String>,
    /// Some levels, evenly spaced, with the one of the least mean.
    pub rows: Vec<BasinRow>,
}

/// A level in the table of basins.
#[derive(Debug, Clone)]
pub struct BasinRow {
    /// The level.
    pub level: String,
    /// The other cells.
    pub cells: Vec<String>,
    /// Whether it has the least mean.
    pub is_lowest: bool,
}

impl BasinsView {
    /// Puts the basins of `analysis` into words; nothing where they are not known.
    pub fn of(analysis: &Analysis) -> Option<Self> {
        let known: Vec<(&Group, &Basins)> =
            analysis.groups.iter().filter_map(|group| Some((group, group.basins.as_ref()?))).collect();
        let occurring: Vec<Basin> = Basin::ALL
            .into_iter()
            .filter(|basin| known.iter().any(|(_, basins)| count_of(basins, *basin) > 0))
            .collect();
        let most = known.iter().max_by(|(_, a), (_, b)| share(a).total_cmp(&share(b)))?;
        let mut heads = vec!["level".to_string(), "n".into()];
        heads.extend(occurring.iter().map(|basin| name(*basin).to_string()));
        heads.push("mean of the solved".into());
        let row = |place: usize| {
            let (group, basins) = known[place];
            let mut cells = vec![count(basins.n)];
            cells.extend(occurring.iter().map(|basin| share_cell(basins, *basin)));
            cells.push(basins.solved_mean.as_ref().map(with_margin).unwrap_or_default());
            BasinRow { level: level_text(group.level), cells, is_lowest: group.level == analysis.observed().level }
        };
        let lowest = known.iter().position(|(group, _)| group.level == analysis.observed().level);
        Some(Self {
            sentences: sentences(analysis, most, &known),
            heads,
            rows: spread(known.len(), lowest).into_iter().map(row).collect(),
        })
    }
}

/// At most [`ROWS`] places of `length`, evenly spaced with both ends, and `another`, ascending.
fn spread(length: usize, another: Option<usize>) -> Vec<usize> {
    let rows = ROWS.min(length);
    let mut places: Vec<usize> = (0..rows).map(|i| i * (length - 1) / (rows - 1).max(1)).chain(another).collect();
    places.sort_unstable();
    places.dedup();
    places
}

fn sentences(analysis: &Analysis, most: &(&Group, &Basins), known: &[(&Group, &Basins)]) -> Vec<String> {
    let (group, basins) = most;
    let mixed = known.iter().filter(|(_, basins)| basins.hides_mixture).count();
    let mut sentences = vec![format!(
        "Most runs solve the task at {} = {}: {}{}.",
        analysis.factor,
        level_text(group.level),
        share_text(share(basins)),
        range(&basins.solved().share)
    )];
    if mixed > 0 {
        sentences.push(format!(
            "At {} of {} levels both kinds of run, solved and stuck, make up at least 5 %: the mean there lies between them and \
             describes hardly any run.",
            count(mixed as u64),
            count(known.len() as u64)
        ));
    }
    sentences.extend(analysis.basin_rule.as_ref().map(|rule| format!("Solved: {}.", self::rule(rule))));
    sentences
}

/// What decided, in words.
pub fn rule(rule: &BasinRule) -> String {
    match rule {
        BasinRule::FinalLoss { solved_below } => {
            format!(
                "loss of the last epoch below {}; the others by the nearest plateau of XOR",
                significant(*solved_below, 3)
            )
        }
        BasinRule::TotalLoss { epochs } => format!(
            "total loss over {} epochs below 0.33 an epoch, the least plateau of XOR being 0.347; a run that solves late counts as \
             stuck, a few in a hundred",
            count(*epochs as u64)
        ),
    }
}

fn share(basins: &Basins) -> f64 {
    basins.solved().share.point
}

fn count_of(basins: &Basins, basin: Basin) -> u64 {
    basins.shares.iter().filter(|share| share.basin == basin).map(|share| share.count).sum()
}

fn share_cell(basins: &Basins, basin: Basin) -> String {
    let found = basins.shares.iter().find(|share| share.basin == basin);
    found.map(|found| format!("{}{}", share_text(found.share.point), short_range(&found.share))).unwrap_or_default()
}

fn range(estimate: &Estimate) -> String {
    let text = |interval: ConfidenceInterval| {
        format!(
            " ({} interval {} to {})",
            finding::confidence(interval.level),
            share_text(interval.lower),
            share_text(interval.upper)
        )
    };
    estimate.interval.map(text).unwrap_or_default()
}

fn short_range(estimate: &Estimate) -> String {
    let text =
        |interval: ConfidenceInterval| format!(" ({:.0} to {:.0})", 100.0 * interval.lower, 100.0 * interval.upper);
    estimate.interval.map(text).unwrap_or_default()
}

fn with_margin(estimate: &Estimate) -> String {
    match estimate.interval {
        Some(interval) => {
            let margin = interval.margin();
            format!("{} ± {}", to_precision_of(estimate.point, margin), aligned(margin, 2))
        }
        None => significant(estimate.point, 4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_levels_stand_for_all() {
        assert_eq!(spread(400, Some(138)), [0, 49, 99, 138, 149, 199, 249, 299, 349, 399]);
        assert_eq!(spread(3, Some(1)), [0, 1, 2]);
        assert_eq!(spread(1, Some(0)), [0]);
    }
}
