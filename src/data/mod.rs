//! What is a table of runs, which of its columns is what, and what became of every row?
//!
//! - [`roles`]: which columns the user named, and for what.
//! - [`reading`]: which columns a source therefore gives, and what each is for.
//! - [`cell`]: one cell as a reader found it, and what counts as missing.
//! - [`builder`]: takes rows of cells and judges them: used, failed, or left out for a reason.
//! - [`table`]: the runs, one polars frame with a column per role.
//! - [`levels`]: levels that somebody has summarised already, in place of runs.
//! - [`ledger`]: what became of every row.
//! - [`per_file`]: the one run of a file that holds its history.
//! - [`survey`]: what the columns that nobody asked for say of the rows.
//! - [`blocks`]: which runs belong together.

pub mod blocks;
pub mod builder;
pub mod cell;
mod doubts;
pub mod ledger;
pub mod levels;
pub mod number;
pub mod per_file;
pub mod reading;
pub mod roles;
pub mod settings;
pub mod survey;
pub mod table;

pub use builder::{Outcome, Problem, RunTableBuilder};
pub use cell::Cell;
pub use ledger::{Exclusion, Place, RowLedger};
pub use levels::{Data, LevelSummaries, LevelSummary};
pub use per_file::PerFile;
pub use reading::Reading;
pub use roles::Roles;
pub use settings::Setting;
pub use survey::Survey;
pub use table::{Pairing, RunTable};
