//! Which columns a source gives, and what each is for: a column may be a setting and the factor,
//! for example.

use crate::condition::Condition;
use crate::data::blocks::{self, OF_THE_TRAINER};
use crate::data::cell::Cell;
use crate::data::roles::Roles;
use crate::sweep::FINAL_LOSS;

/// The columns to read of one source. A row of cells has one cell for each of [`Reading::names`],
/// in that order.
///
/// Inside, the columns that the source's own name gives come after those, so that a number means a
/// column of either kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Which column is what.
    pub roles: Roles,
    names: Vec<String>,
    /// How many of the names a source must have: the first ones.
    required: usize,
    /// What the source's own name gives.
    given: Vec<String>,
    pub(super) factor: usize,
    pub(super) metric: usize,
    pub(super) by: Option<usize>,
    pub(super) filters: Vec<(usize, Condition)>,
    pub(super) failed: Vec<(usize, Condition)>,
    /// The setting columns.
    pub(super) settings: Vec<usize>,
    pub(super) final_loss: Option<usize>,
    /// Draw and replicate, where both are there.
    pub(super) draw: Option<(usize, usize)>,
    pub(super) seed: Option<usize>,
    /// The columns of blocks, or those that may be, the likelier first.
    pub(super) blocks: Vec<usize>,
    /// Those that only runs of the trainer have both.
    pub(super) of_the_trainer: Vec<usize>,
    /// Whether cells that hold no number where one is needed leave their row out, instead of being
    /// an error.
    pub(super) is_lenient: bool,
}

impl Reading {
    /// What to read for `roles` of a source that `has` some columns.
    pub fn new(roles: &Roles, has: impl Fn(&str) -> bool) -> Self {
        Self::with_blocks(roles, &has, OF_THE_TRAINER.into_iter().all(&has))
    }

    /// What to read of a source whose rows may all have different fields, all of them taken to be
    /// there; rows with a field of another type are left out.
    pub fn of_documents(roles: &Roles) -> Self {
        // Whether the trainer made the runs, every document says for itself.
        Self { is_lenient: true, ..Self::with_blocks(roles, &|_| true, false) }
    }

    fn with_blocks(roles: &Roles, has: &dyn Fn(&str) -> bool, is_trainers: bool) -> Self {
        let is_given = |name: &str| roles.given.iter().any(|(given, _)| given == name);
        let has = |name: &str| is_given(name) || has(name);
        let required: Vec<&str> = roles.required().into_iter().filter(|name| !is_given(name)).collect();
        let candidates = blocks::candidates(roles, is_trainers);
        let blocks: Vec<&str> =
            candidates.iter().map(String::as_str).filter(|name| roles.pair.is_some() || has(name)).collect();
        let settings: Vec<&str> = roles.settings().filter(|name| has(name)).collect();
        let final_loss = Some(FINAL_LOSS).filter(|name| roles.want_final_loss() && has(name));
        let draw = Some(["draw", "replicate"]).filter(|names| names.iter().all(|name| has(name)));
        let seed = Some("seed").filter(|name| has(name));
        let of_the_trainer: Vec<&str> = OF_THE_TRAINER.into_iter().filter(|name| has(name)).collect();

        let further = settings.iter().chain(&final_loss).chain(draw.iter().flatten()).chain(&seed);
        let mut names = required.clone();
        for name in further.chain(&blocks).chain(&of_the_trainer) {
            if !names.contains(name) && !is_given(name) {
                names.push(name);
            }
        }
        let all: Vec<&str> = names.iter().copied().chain(roles.given.iter().map(|(name, _)| name.as_str())).collect();
        // Every name that is looked up is among them; the first one of two that are equal.
        let place = |name: &str| all.iter().position(|known| *known == name).unwrap_or_default();
        let places = |names: &[&str]| names.iter().map(|name| place(name)).collect();
        let conditions = |conditions: &[Condition]| {
            conditions.iter().map(|condition| (place(&condition.column), condition.clone())).collect()
        };
        Self {
            required: required.len(),
            given: roles.given.iter().map(|(_, value)| value.clone()).collect(),
            factor: place(&roles.factor),
            metric: place(&roles.metric),
            by: roles.by.as_deref().map(place),
            filters: conditions(&roles.filters),
            failed: conditions(&roles.failed),
            settings: places(&settings),
            final_loss: final_loss.map(place),
            draw: draw.map(|[draw, replicate]| (place(draw), place(replicate))),
            seed: seed.map(place),
            blocks: places(&blocks),
            of_the_trainer: places(&of_the_trainer),
            is_lenient: false,
            roles: roles.clone(),
            names: names.into_iter().map(Into::into).collect(),
        }
    }

    /// The cell of `column` in a row.
    #[inline]
    pub(super) fn cell<'a>(&'a self, cells: &[Cell<'a>], column: usize) -> Cell<'a> {
        match cells.get(column) {
            Some(cell) => *cell,
            None => Cell::Text(self.given[column - cells.len()].as_bytes()),
        }
    }

    /// The name of `column`.
    pub(super) fn name(&self, column: usize) -> &str {
        match self.names.get(column) {
            Some(name) => name,
            None => &self.roles.given[column - self.names.len()].0,
        }
    }

    /// Whether `column` is one that the source's own name gives.
    pub(super) fn is_given(&self, column: usize) -> bool {
        column >= self.names.len()
    }

    /// Whether `name` is a column that is read, or that the source's own name gives.
    pub fn knows(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name) || self.roles.given.iter().any(|(given, _)| given == name)
    }

    /// Whether the trainer made the runs, so that it is known what every column means.
    pub fn is_trainers(&self) -> bool {
        self.of_the_trainer.len() == OF_THE_TRAINER.len()
    }

    /// The columns to read, each once.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Those of them that the source must have.
    pub fn required(&self) -> &[String] {
        &self.names[..self.required]
    }
}
