//! The losses at which networks get stuck, as far as an analysis tells what a loss means.

use crate::analysis::Analysis;
use crate::stats::basins::{ALL_MERGED, THREE_MERGED, TWO_MERGED};
use crate::sweep::{DEFAULT_FACTOR, DEFAULT_METRIC};

/// A loss at which networks stay that cannot tell some of the four patterns apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plateau {
    /// Which patterns are merged.
    pub name: &'static str,
    /// The loss there.
    pub loss: f64,
}

/// The plateaus in mean loss per epoch.
pub const PER_EPOCH: [Plateau; 3] = [
    Plateau { name: "two merged", loss: TWO_MERGED },
    Plateau { name: "three merged", loss: THREE_MERGED },
    Plateau { name: "all merged", loss: ALL_MERGED },
];

/// The plateaus in units of the metric; none unless it is the trainer's total loss over a known number of epochs.
pub fn of(analysis: &Analysis) -> Vec<Plateau> {
    const ARTICLE_EPOCHS: f64 = 10_000.0;
    if analysis.metric != DEFAULT_METRIC || analysis.factor != DEFAULT_FACTOR {
        return Vec::new();
    }
    // The article's collection has no column of epochs.
    let epochs = match analysis.settings.iter().find(|(name, _)| name == "epochs") {
        None => Some(ARTICLE_EPOCHS),
        Some((_, values)) if values.len() == 1 => values[0].parse().ok(),
        Some(_) => None,
    };
    epochs.map_or_else(Vec::new, |epochs: f64| {
        PER_EPOCH.iter().map(|plateau| Plateau { loss: plateau.loss * epochs, ..*plateau }).collect()
    })
}
