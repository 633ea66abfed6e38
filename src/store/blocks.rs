//! Which runs belong together: the key of every run in a column of blocks, or in one that may be such a column.
//!
//! **Candidates.** A column that the user names (`--pair`) is read whatever it holds. Without one, `seed` and `replicate` are
//! read; whether one of them is a column of blocks shows only in all runs together ([`crate::group`]). They are not
//! read where the trainer made the runs, which says itself which of them share their draws
//! ([`Pairing`](crate::store::schema::Pairing)), and not kept beyond [`MOST_LOOKED_AT`] runs, where they would cost memory that
//! nobody asked for.
//!
//! **Keys.** A key is a hash of 64 bits (FNV-1a), so that it depends on the cell alone and not on the order of the rows or on the
//! format of the file. Numbers are compared by value (`1` and `1.0` are one block, integers keep every digit), anything else as
//! text. Two of a million blocks share a key once in 40 million tables.

use crate::sweep::DEFAULT_FACTOR;

/// The key of a run that belongs to no block: its cell is empty.
pub const NO_BLOCK: u64 = u64::MAX;

/// Columns that are looked at without being named, the likelier first.
pub const CANDIDATES: [&str; 2] = ["seed", "replicate"];

/// Runs beyond which a column must be named.
pub const MOST_LOOKED_AT: usize = 1_000_000;

/// Columns that only runs of the trainer have both.
pub const OF_THE_TRAINER: [&str; 2] = [DEFAULT_FACTOR, "draw"];

/// The key of every run in one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockColumn {
    /// The column.
    pub name: String,
    /// Run by run.
    pub keys: Vec<u64>,
}

/// The columns that say, or may say, which runs belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockColumns {
    /// The one that was named, or those of [`CANDIDATES`] that the source has, in their order.
    columns: Vec<BlockColumn>,
    /// Whether it was named.
    is_given: bool,
}

impl BlockColumns {
    /// The column `pair`, or the candidates among the columns that a source `has` and that are not `taken`, all without runs.
    pub fn of(pair: Option<&str>, taken: [&str; 2], has: impl Fn(&str) -> bool) -> Self {
        let column = |name: &str| BlockColumn { name: name.into(), keys: Vec::new() };
        if let Some(pair) = pair {
            return Self { columns: vec![column(pair)], is_given: true };
        }
        if OF_THE_TRAINER.into_iter().all(&has) {
            return Self::default();
        }
        let candidates = CANDIDATES.into_iter().filter(|name| has(name) && !taken.contains(name));
        Self { columns: candidates.map(column).collect(), is_given: false }
    }

    /// The columns, the likelier first.
    pub fn columns(&self) -> &[BlockColumn] {
        &self.columns
    }

    /// Whether the user named the column.
    pub fn is_given(&self) -> bool {
        self.is_given
    }

    /// Adds a run, whose key in the column at a place is `key`.
    pub fn push(&mut self, key: impl Fn(usize) -> u64) {
        self.columns.iter_mut().enumerate().for_each(|(place, column)| column.keys.push(key(place)));
        self.forget_beyond_limit();
    }

    /// Sets the keys of all runs, of each column by its name.
    ///
    /// # Errors
    /// Those of `keys`.
    pub fn fill<E>(&mut self, keys: impl Fn(&str) -> Result<Vec<u64>, E>) -> Result<(), E> {
        for column in &mut self.columns {
            column.keys = keys(&column.name)?;
        }
        self.forget_beyond_limit();
        Ok(())
    }

    /// Adds those of `other`, whose `more` runs come after these `runs`: the columns that both have. Parts without runs have no say.
    pub fn append(&mut self, runs: usize, other: Self, more: usize) {
        if runs == 0 {
            *self = other;
        } else if more > 0 {
            self.columns.retain(|column| other.columns.iter().any(|others| others.name == column.name));
            for others in other.columns {
                let own = self.columns.iter_mut().find(|column| column.name == others.name);
                own.into_iter().for_each(|own| own.keys.extend(&others.keys));
            }
        }
        self.forget_beyond_limit();
    }

    /// Forgets the runs after the first `runs`.
    pub fn truncate(&mut self, runs: usize) {
        self.columns.iter_mut().for_each(|column| column.keys.truncate(runs));
    }

    /// Forgets the columns that nobody named.
    pub fn forget_candidates(&mut self) {
        if !self.is_given {
            self.columns.clear();
        }
    }

    /// Forgets the columns in which no run has a key, as in a source that lacks them.
    pub fn forget_empty(&mut self) {
        self.columns.retain(|column| column.keys.iter().any(|key| *key != NO_BLOCK));
    }

    fn forget_beyond_limit(&mut self) {
        if self.columns.first().is_some_and(|column| column.keys.len() > MOST_LOOKED_AT) {
            self.forget_candidates();
        }
    }
}

/// The key for the `text` of a cell, which is trimmed and not empty. Text that is a number has that number's key.
pub fn key_of_text(text: &str) -> u64 {
    if let Ok(number) = text.parse::<i64>() {
        return key_of_whole(number.into());
    }
    match (text.parse::<i128>(), text.parse::<f64>()) {
        (Ok(number), _) => key_of_whole(number),
        (_, Ok(number)) => key_of_number(number),
        _ => hash(b't', text.as_bytes()),
    }
}

/// The key for a number; that of no block if it is NaN.
pub fn key_of_number(number: f64) -> u64 {
    /// Below it the conversion to an integer is exact.
    const WHOLE: f64 = 1e36;
    if number.is_nan() {
        NO_BLOCK
    } else if number.fract() == 0.0 && number.abs() < WHOLE {
        key_of_whole(number as i128)
    } else {
        hash(b'f', &number.to_bits().to_le_bytes())
    }
}

/// The key for an integer.
pub fn key_of_whole(number: i128) -> u64 {
    hash(b'i', &number.to_le_bytes())
}

/// FNV-1a (Fowler, Noll and Vo), kept off the key of no block.
fn hash(kind: u8, bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = [kind].iter().chain(bytes).fold(0xcbf2_9ce4_8422_2325, step);
    hash.min(NO_BLOCK - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(columns: &BlockColumns) -> Vec<&str> {
        columns.columns().iter().map(|column| column.name.as_str()).collect()
    }

    fn filled(pair: Option<&str>, has: &[&str], runs: u64) -> BlockColumns {
        let mut columns = BlockColumns::of(pair, ["hidden_std_dev", "loss"], |name| has.contains(&name));
        (0..runs).for_each(|run| columns.push(|_| run));
        columns
    }

    #[test]
    fn numbers_are_one_block_by_value_and_texts_by_text() {
        for same in [["1", "1.0"], ["+7", "007"], ["-0", "0"], ["1e3", "1000"], ["0.50", "5e-1"]] {
            assert_eq!(key_of_text(same[0]), key_of_text(same[1]), "{same:?}");
        }
        // The last two differ beyond the digits of a double.
        for apart in [["1", "2"], ["a", "b"], ["1", "1a"], ["18446744073709551615", "18446744073709551614"]] {
            assert_ne!(key_of_text(apart[0]), key_of_text(apart[1]), "{apart:?}");
        }
        assert_eq!(key_of_text("9007199254740993"), key_of_whole(9_007_199_254_740_993));
        assert_eq!(key_of_number(3.0), key_of_text("3"));
        assert_eq!(key_of_number(1e300), key_of_text("1e300"));
        assert_eq!((key_of_number(f64::NAN), key_of_text("nan")), (NO_BLOCK, NO_BLOCK));
    }

    #[test]
    fn candidates_are_read_unless_the_trainer_made_the_runs() {
        assert_eq!(names(&filled(None, &["replicate", "seed", "x"], 0)), ["seed", "replicate"]);
        assert_eq!(names(&filled(None, &["x"], 0)), [""; 0]);
        let trainer = ["hidden_std_dev", "draw", "seed", "replicate"];
        assert_eq!(names(&filled(None, &trainer, 0)), [""; 0]);
        assert_eq!(names(&filled(Some("replicate"), &trainer, 0)), ["replicate"]);
        let swept = BlockColumns::of(None, ["seed", "loss"], |_| true);
        assert_eq!(names(&swept), [""; 0], "all columns are there, those of the trainer too");
        let swept = BlockColumns::of(None, ["seed", "loss"], |name| name != "draw");
        assert_eq!(names(&swept), ["replicate"]);
    }

    #[test]
    fn joined_parts_keep_the_columns_that_all_have() {
        let mut all = BlockColumns::default();
        all.append(0, filled(None, &["seed", "replicate"], 2), 2);
        all.append(2, filled(None, &[], 0), 0);
        assert_eq!(names(&all), ["seed", "replicate"]);
        all.append(2, filled(None, &["replicate"], 1), 1);
        assert_eq!(names(&all), ["replicate"]);
        assert_eq!(all.columns()[0].keys, [0, 1, 0]);
        all.append(3, filled(None, &["seed"], 1), 1);
        all.append(4, filled(None, &["seed"], 1), 1);
        assert_eq!(names(&all), [""; 0]);
    }

    #[test]
    fn only_a_named_column_is_kept_of_many_runs() {
        let many = MOST_LOOKED_AT as u64 + 1;
        assert_eq!(names(&filled(None, &["seed"], many)), [""; 0]);
        assert_eq!(names(&filled(Some("seed"), &["seed"], many)), ["seed"]);
        let mut all = filled(None, &["seed"], many - 1);
        assert_eq!(names(&all), ["seed"]);
        all.append(MOST_LOOKED_AT, filled(None, &["seed"], 1), 1);
        assert_eq!(names(&all), [""; 0]);
    }
}
