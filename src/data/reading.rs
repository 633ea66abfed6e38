//! Which columns a source gives, and what each is for: a column may be a setting and the factor, for example.

use crate::condition::Condition;
use crate::data::blocks::{self, OF_THE_TRAINER};
use crate::data::roles::Roles;
use crate::sweep::FINAL_LOSS;

/// The columns to read of one source. A row of cells has one cell for each of [`Reading::names`], in that order.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Which column is what.
    pub roles: Roles,
    names: Vec<String>,
    /// How many of the names a source must have: the first ones.
    required: usize,
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
    /// Whether cells that hold no number where one is needed leave their row out, instead of being an error.
    pub(super) is_lenient: bool,
}

impl Reading {
    /// What to read for `roles` of a source that `has` some columns.
    pub fn new(roles: &Roles, has: impl Fn(&str) -> bool) -> Self {
        Self::with_blocks(roles, &has, OF_THE_TRAINER.into_iter().all(&has))
    }

    /// What to read of a source whose rows may all have different fields, all of them taken to be there; rows with a field of another
    /// type are left out.
    pub fn of_documents(roles: &Roles) -> Self {
        // Whether the trainer made the runs, every document says for itself.
        Self { is_lenient: true, ..Self::with_blocks(roles, &|_| true, false) }
    }

    fn with_blocks(roles: &Roles, has: &dyn Fn(&str) -> bool, is_trainers: bool) -> Self {
        let mut names: Vec<String> = roles.required().into_iter().map(Into::into).collect();
        let required = names.len();
        let mut place = |name: &str| {
            names.iter().position(|known| known == name).unwrap_or_else(|| {
                names.push(name.into());
                names.len() - 1
            })
        };
        let conditions = |place: &mut dyn FnMut(&str) -> usize, conditions: &[Condition]| {
            conditions.iter().map(|condition| (place(&condition.column), condition.clone())).collect()
        };
        let candidates = blocks::candidates(roles, is_trainers);
        Self {
            required,
            factor: place(&roles.factor),
            metric: place(&roles.metric),
            by: roles.by.as_ref().map(|by| place(by)),
            filters: conditions(&mut place, &roles.filters),
            failed: conditions(&mut place, &roles.failed),
            settings: roles.settings().filter(|name| has(name)).map(&mut place).collect(),
            final_loss: (roles.want_final_loss() && has(FINAL_LOSS)).then(|| place(FINAL_LOSS)),
            draw: (has("draw") && has("replicate")).then(|| (place("draw"), place("replicate"))),
            seed: has("seed").then(|| place("seed")),
            blocks: candidates
                .into_iter()
                .filter(|name| roles.pair.is_some() || has(name))
                .map(|name| place(&name))
                .collect(),
            of_the_trainer: OF_THE_TRAINER.into_iter().filter(|name| has(name)).map(&mut place).collect(),
            is_lenient: false,
            roles: roles.clone(),
            names,
        }
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
