//! How are the runs of a level distributed? Counts in common bins, for pictures: never the runs
//! themselves.

use crate::group::Sample;

/// Bins over the common range.
pub const BINS: usize = 72;

/// Several levels in common bins of equal width.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Least value of all.
    pub lower: f64,
    /// Greatest value of all; at least `lower`.
    pub upper: f64,
    /// The levels, ascending.
    pub shapes: Vec<Shape>,
}

/// The runs of one level.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// The factor's value.
    pub level: f64,
    /// Number of runs.
    pub n: u64,
    /// First quartile, median and third quartile, type 7 of Hyndman and Fan.
    pub quartiles: [f64; 3],
    /// Runs in each of [`BINS`] bins, ascending; the last holds its upper end too.
    pub counts: Vec<u64>,
}

impl Distribution {
    /// The levels of `samples` that are nearest to `wanted`, each once; without `wanted` up to
    /// `most` of them, evenly chosen by rank with both ends.
    ///
    /// # Cost
    /// O(log n) a bin.
    pub fn of(samples: &[Sample], wanted: &[f64], most: usize) -> Self {
        let samples: Vec<&Sample> = samples.iter().filter(|sample| !sample.sorted.is_empty()).collect();
        let chosen: Vec<&Sample> = choose(&samples, wanted, most).into_iter().map(|place| samples[place]).collect();
        let ends = chosen.iter().filter_map(|sample| Some((*sample.sorted.first()?, *sample.sorted.last()?)));
        let (lower, upper) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(lower, upper), (least, most)| {
            (lower.min(least), upper.max(most))
        });
        let shapes = chosen.iter().map(|sample| shape(sample, lower, upper)).collect();
        Self { lower, upper, shapes }
    }

    /// The value at the lower end of bin `place`; that of bin [`BINS`] is the upper end of all.
    pub fn edge(&self, place: usize) -> f64 {
        edge(self.lower, self.upper, place)
    }
}

fn edge(lower: f64, upper: f64, place: usize) -> f64 {
    let share = place as f64 / BINS as f64;
    lower * (1.0 - share) + upper * share
}

/// Places in `samples`, ascending, without repetition.
fn choose(samples: &[&Sample], wanted: &[f64], most: usize) -> Vec<usize> {
    let mut places: Vec<usize> = if wanted.is_empty() {
        let count = most.min(samples.len());
        (0..count).map(|i| (i * (samples.len() - 1)).checked_div(count - 1).unwrap_or(0)).collect()
    } else {
        let distance = |place: &usize, level: f64| (samples[*place].level - level).abs();
        let nearest = |level: f64| (0..samples.len()).min_by(|a, b| distance(a, level).total_cmp(&distance(b, level)));
        wanted.iter().filter_map(|level| nearest(*level)).collect()
    };
    places.sort_unstable();
    places.dedup();
    places
}

fn shape(sample: &Sample, lower: f64, upper: f64) -> Shape {
    let sorted = &sample.sorted;
    let below = |place: usize| match place {
        0 => 0,
        BINS => sorted.len(),
        _ => sorted.partition_point(|value| *value < edge(lower, upper, place)),
    };
    Shape {
        level: sample.level,
        n: sorted.len() as u64,
        quartiles: [0.25, 0.5, 0.75].map(|p| crate::stats::quantile::quantile(sorted, p)),
        counts: (0..BINS).map(|place| (below(place + 1) - below(place)) as u64).collect(),
    }
}
