//! The figures of the report: which stands where, and the style that all of them need.

use crate::analysis::Goal;
use crate::figure::Kind;
use crate::figure::themed::Themed;

/// A figure to show.
#[derive(Debug, Clone)]
pub struct Shown {
    /// What it shows, as a heading.
    pub heading: String,
    /// Its name, as its files have it.
    pub name: &'static str,
    /// An SVG document of our own making, already escaped; its colours and its font are in [`Figures::style`].
    pub svg: String,
}

/// The figures, by their places.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Below the finding.
    pub main: Vec<Shown>,
    /// Among the basins.
    pub basins: Vec<Shown>,
    /// How the minimum became known.
    pub history: Vec<Shown>,
    /// What else the data have to show.
    pub further: Vec<Shown>,
    /// Font and colours of all of them.
    pub style: String,
}

impl Figures {
    /// Puts each of `drawn` into its place; the `goal` is that of what was analysed.
    pub fn of(drawn: Vec<(Kind, Themed)>, goal: Goal) -> Self {
        let style = Themed::style(drawn.iter().map(|(_, figure)| figure));
        let mut figures =
            Self { main: Vec::new(), basins: Vec::new(), history: Vec::new(), further: Vec::new(), style };
        for (kind, figure) in drawn {
            let shown = Shown { heading: heading(kind, goal), name: kind.name(), svg: figure.svg };
            match kind {
                Kind::LossVsStdDev => figures.main.push(shown),
                Kind::Basins => figures.basins.push(shown),
                Kind::History => figures.history.push(shown),
                _ => figures.further.push(shown),
            }
        }
        figures
    }
}

fn heading(kind: Kind, goal: Goal) -> String {
    match kind {
        Kind::Distribution => "How the runs are distributed".into(),
        Kind::Precision => "How precisely each level is known".into(),
        Kind::Heatmap => "Two settings at once".into(),
        Kind::History => format!("How the {} became known", goal.optimum()),
        Kind::Basins => "Basins".into(),
        _ => "Figure".into(),
    }
}
