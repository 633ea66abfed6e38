//! Where along a swept setting is the loss lowest, how sure is that, and what does it look like?
//!
//! `initsweep` answers this for repeated noisy experiments. Data move one way, down:
//!
//! ```text
//! cli ─► commands ─┬─ train ─► kernel           the embedded trainer: makes runs
//!                  │     │ runs (one schema)
//!                  │     ▼
//!                  ├─ store  (csv · parquet · mongodb: one backend a file)
//!                  │     │ RunTable = polars frame with a checked schema
//!                  │     ▼
//!                  └─ group ─► stats ─► analysis ─► { planning, baseline ─► export, figure ─► report } ─► output
//! commands ─► watch ─► store    what was read stays       commands ─► serve ─► output    the report for browsers
//! leaves anyone may use: sweep (domain types, the glossary), course, expression, format, random, warning, provenance,
//!                         error
//! ```
//!
//! ```
//! use initsweep::analysis::{Analysis, Question};
//! use initsweep::store::{self, Roles, Source};
//!
//! let roles = Roles::new("hidden_std_dev", "loss");
//! let runs = store::read(&[Source::Path("sample-data/xor-sweep.csv".into())], &roles)?;
//! let analysis = Analysis::of(runs, &Question::default())?;
//! assert_eq!(analysis.groups.len(), 400);
//! # Ok::<(), initsweep::error::Error>(())
//! ```

pub mod analysis;
pub mod baseline;
pub mod cli;
pub mod commands;
pub mod condition;
pub mod course;
pub mod data;
pub mod error;
pub mod export;
pub mod expression;
pub mod figure;
pub mod format;
pub mod group;
pub mod output;
pub mod planning;
pub mod provenance;
pub mod random;
pub mod report;
pub mod serve;
pub mod stats;
pub mod store;
pub mod sweep;
pub mod train;
pub mod warning;
pub mod watch;
