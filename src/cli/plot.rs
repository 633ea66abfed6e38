//! The arguments of `plot`.

use clap::{Args, ValueEnum};

use crate::cli::analyse::{FigureArgs, InquiryArgs};
use crate::cli::source::FilterArgs;
use crate::error::{Error, Result};
use crate::figure::Kind;
use crate::store::Source;
use crate::sweep::parse_levels;

/// Every figure that the runs allow.
const ALL: &str = "all";

/// A form of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PictureFormat {
    /// Vectors.
    Svg,
    /// Pixels.
    Png,
}

/// Arguments of `plot`.
#[derive(Debug, Args)]
pub struct PlotArgs {
    /// Names of figures, or `all`, then the sources of runs; without a name loss-vs-std-dev [sources: see `report`]
    #[arg(value_name = "FIGURE|SOURCE")]
    pub words: Vec<String>,
    /// Forms of the pictures
    #[arg(long, value_enum, value_delimiter = ',', default_value = "svg,png")]
    pub format: Vec<PictureFormat>,
    /// Levels of distribution, weights and loss-curve [default: some, evenly chosen]
    #[arg(long, value_name = "LEVELS", value_parser = |text: &str| parse_levels(text).map(LevelList))]
    pub levels: Option<LevelList>,
    /// Column of the second factor, for heatmap
    #[arg(long, value_name = "COLUMN")]
    pub by: Option<String>,
    /// Key of the random numbers of xor, weights and loss-curve
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Which documents.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// What to ask of them.
    #[command(flatten)]
    pub inquiry: InquiryArgs,
    /// How it looks.
    #[command(flatten)]
    pub figure: FigureArgs,
}

/// Levels as one argument.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelList(pub Vec<f64>);

/// What to draw, and of which runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawings {
    /// The figures, each once, in the user's order.
    pub kinds: Vec<Kind>,
    /// Whether all were asked for: then those that these runs do not allow are left out and named.
    pub all: bool,
    /// The runs; empty if no figure needs any.
    pub sources: Vec<Source>,
}

impl PlotArgs {
    /// Takes the words apart: names of figures up to the first that is none, then sources.
    ///
    /// # Errors
    /// [`Error::Usage`] for figures of runs without runs, runs without a figure of them, and what [`FilterArgs::located`] refuses.
    pub fn drawings(&self) -> Result<Drawings> {
        let is_name = |word: &&String| word.as_str() == ALL || Kind::of(word).is_some();
        let names: Vec<&String> = self.words.iter().take_while(is_name).collect();
        let all = names.iter().any(|name| name.as_str() == ALL);
        let mut kinds: Vec<Kind> = Vec::new();
        let named = names.iter().filter_map(|name| Kind::of(name));
        for kind in named.chain(Kind::ALL.into_iter().filter(|_| all)) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        if names.is_empty() {
            kinds.push(Kind::LossVsStdDev);
        }
        let given: Vec<Source> = self.words[names.len()..].iter().map(|word| Source::of(word.clone())).collect();
        if !kinds.iter().any(|kind| kind.needs_runs()) {
            return match given.first() {
                None => Ok(Drawings { kinds, all, sources: Vec::new() }),
                Some(source) => Err(unknown(&source.to_string(), "none of these figures is of runs")),
            };
        }
        if let Some(word) = self.words.get(names.len()).filter(|word| is_no_source(word)) {
            return Err(unknown(word, "neither a figure nor a file"));
        }
        if given.is_empty() && !crate::cli::source::in_environment() {
            return Err(unknown("", "a figure of runs needs a SOURCE"));
        }
        Ok(Drawings { kinds, all, sources: self.filter.located(&given)? })
    }

    /// The levels that were asked for; empty for the usual ones.
    pub fn levels(&self) -> &[f64] {
        self.levels.as_ref().map_or(&[], |levels| &levels.0)
    }
}

/// Whether `word` is surely not meant as a source: a bare word that names nothing.
fn is_no_source(word: &str) -> bool {
    let is_bare = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphabetic() || c == '-') && word != "-";
    is_bare && !std::path::Path::new(word).exists()
}

fn unknown(given: &str, reason: &str) -> Error {
    let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    Error::Usage {
        what: "plot",
        given: given.into(),
        reason: format!("{reason}; figures: {ALL}, {}", names.join(", ")),
    }
}
