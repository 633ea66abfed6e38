//! What the report says, as ready-formatted strings.

use crate::analysis::Analysis;
use crate::export::{finding, table};
use crate::figure::Figure;
use crate::format::{count, counted, excerpt, significant};
use crate::provenance::InputDigest;
use crate::stats::Method;
use crate::store::schema::Exclusion;

/// Everything that the template shows.
#[derive(Debug, Clone)]
pub struct View {
    /// Title of the page.
    pub title: String,
    /// The finding in a sentence or two.
    pub finding: String,
    /// The least mean as it was observed.
    pub observed: String,
    /// The value at the minimum by runs that did not choose it.
    pub cross_fitted: Option<String>,
    /// The main figure, an SVG document of our own making, already escaped.
    pub figure: String,
    /// References with their means.
    pub references: Vec<ReferenceRow>,
    /// Changes from place to place.
    pub steps: Vec<StepRow>,
    /// Heads of the group table.
    pub heads: Vec<String>,
    /// Rows of the group table.
    pub groups: Vec<GroupRow>,
    /// The ledger in a line.
    pub ledger: String,
    /// Reasons for exclusion: name, count, first place.
    pub excluded: Vec<[String; 3]>,
    /// Warnings: what, and what to do.
    pub warnings: Vec<[String; 2]>,
    /// How the numbers are defined.
    pub methods: Vec<String>,
    /// How it was made: name and value.
    pub provenance: Vec<[String; 2]>,
    /// The inputs.
    pub inputs: Vec<InputRow>,
}

/// An input.
#[derive(Debug, Clone)]
pub struct InputRow {
    /// Its path.
    pub path: String,
    /// Its size.
    pub size: String,
    /// Its digest.
    pub sha256: String,
    /// How it was made, if that is known.
    pub made_by: Option<String>,
}

impl InputRow {
    fn of(input: &InputDigest) -> Self {
        Self {
            path: input.path.clone(),
            size: format!("{} bytes", count(input.bytes)),
            sha256: input.sha256.clone(),
            made_by: input.made_by.clone(),
        }
    }
}

/// A reference in the comparison.
#[derive(Debug, Clone)]
pub struct ReferenceRow {
    /// Its name.
    pub name: String,
    /// As the user wrote it.
    pub expression: String,
    /// Its value.
    pub level: String,
    /// The mean there, with its interval.
    pub mean: String,
    /// Whether it is interpolated.
    pub how: &'static str,
    /// What it costs against the fitted minimum.
    pub cost: String,
}

/// A change in the comparison.
#[derive(Debug, Clone)]
pub struct StepRow {
    /// From where.
    pub from: String,
    /// To where.
    pub to: String,
    /// By how much, with its interval.
    pub change: String,
}

/// A row of the group table.
#[derive(Debug, Clone)]
pub struct GroupRow {
    /// The cells.
    pub cells: Vec<String>,
    /// Whether it is the observed minimum.
    pub is_minimum: bool,
}

impl View {
    /// Puts `analysis` into words.
    pub fn of(analysis: &Analysis, figure: &Figure) -> Self {
        let row = |(place, group)| GroupRow {
            cells: table::cells(group).to_vec(),
            is_minimum: place == analysis.observed_minimum,
        };
        Self {
            title: format!("{} by {}", analysis.metric, analysis.factor),
            finding: finding::sentence(analysis),
            observed: finding::observed(analysis),
            cross_fitted: finding::cross_fitted(analysis),
            figure: figure.svg.clone(),
            references: references(analysis),
            steps: steps(analysis),
            heads: table::heads(analysis.confidence).to_vec(),
            groups: analysis.groups.iter().enumerate().map(row).collect(),
            ledger: table::ledger(&analysis.ledger),
            excluded: excluded(analysis),
            warnings: analysis
                .warnings
                .iter()
                .map(|warning| [warning.message(), warning.advice().to_string()])
                .collect(),
            methods: methods(analysis),
            provenance: provenance(analysis),
            inputs: analysis.inputs().iter().map(InputRow::of).collect(),
        }
    }
}

fn references(analysis: &Analysis) -> Vec<ReferenceRow> {
    let row = |result: &crate::analysis::ReferenceResult| ReferenceRow {
        name: result.reference.name.clone(),
        expression: result.reference.expression.clone(),
        level: significant(result.reference.value, 5),
        mean: result.mean.as_ref().map_or_else(|| "outside the sweep".into(), finding::with_uncertainty),
        cost: cost(analysis, result),
        how: match (&result.mean, result.interpolated) {
            (None, _) => "",
            (Some(_), true) => "interpolated between the two nearest levels",
            (Some(_), false) => "a level of the sweep",
        },
    };
    analysis.references.iter().map(row).collect()
}

fn cost(analysis: &Analysis, result: &crate::analysis::ReferenceResult) -> String {
    let text = finding::reference(analysis, result).unwrap_or_default();
    // The name has a column of its own.
    text.split_once(": ").map_or(text.clone(), |(_, cost)| cost.to_string())
}

fn steps(analysis: &Analysis) -> Vec<StepRow> {
    let place = |place: &crate::analysis::Place| match place.name.as_str() {
        name if name == significant(place.level, 4) => name.to_string(),
        name => format!("{name} ({})", significant(place.level, 4)),
    };
    let row = |step: &crate::analysis::Step| StepRow {
        from: place(&step.from),
        to: place(&step.to),
        change: finding::change(&step.change),
    };
    analysis.steps.iter().map(row).collect()
}

fn excluded(analysis: &Analysis) -> Vec<[String; 3]> {
    let row = |reason: Exclusion| {
        let place = analysis.ledger.example(reason).unwrap_or("–").to_string();
        [reason.name().to_string(), count(analysis.ledger.excluded(reason)), place]
    };
    Exclusion::ALL.into_iter().map(row).collect()
}

fn methods(analysis: &Analysis) -> Vec<String> {
    let confidence = finding::confidence(analysis.confidence);
    let runs = counted(analysis.runs(), "run");
    vec![
        format!(
            "{runs} at {} of {} were grouped by exact value. For each level: the mean; the standard deviation with divisor n − 1; \
             the standard error s/√n; the {confidence} {} interval mean ± t · s/√n with n − 1 degrees of freedom (Student 1908); \
             quantiles by linear interpolation at (n − 1)p (type 7 of Hyndman and Fan 1996). A level with one run has no spread \
             and no interval.",
            counted(analysis.groups.len() as u64, "level"),
            analysis.factor,
            Method::StudentT.name(),
        ),
        format!(
            "Where the minimum is: a weighted local quadratic curve through the level means along the axis (in ln of the level \
             where all are above 0), bandwidth by AICc (Hurvich, Simonoff and Tsai 1998); intervals of its place and value by a \
             parametric bootstrap of the level means, 2,000 replicates from a fixed seed. Which levels cannot be excluded as the best at \
             {confidence}: multiple comparisons with the best (Hsu 1981), all levels accounted for. The least observed mean is also \
             given; as the least of many noisy means it tends to be too low."
        ),
        format!(
            "A reference's difference to the minimum is that of the fitted curve at the two places, with a t interval; p is adjusted \
             over the references (Holm 1979); the verdict is against a margin of {} of the minimum (two one-sided tests, Schuirmann \
             1987).",
            finding::confidence(analysis.margin)
        ),
        format!(
            "The mean at a reference between two levels is interpolated linearly along the axis. Relative changes are ratios of \
             means minus 1, with {confidence} Welch t intervals by the delta method. They do not know that the minimum was chosen as the least of all means."
        ),
    ]
}

fn provenance(analysis: &Analysis) -> Vec<[String; 2]> {
    let mut rows = vec![
        ["made by".to_string(), analysis.provenance.version.clone()],
        ["command".to_string(), analysis.provenance.command.clone()],
    ];
    for (name, values) in &analysis.settings {
        rows.push([name.clone(), values.iter().map(|value| excerpt(value)).collect::<Vec<_>>().join(", ")]);
    }
    rows
}
