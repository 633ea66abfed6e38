//! Which runs belong together: the key of every run in a column of blocks, or in one that may be
//! such a column.
//!
//! **Candidates.** A column that the user names (`--pair`) is read whatever it holds. Without one,
//! `seed` and `replicate` are read; whether one of them is a column of blocks shows only in all
//! runs together ([`crate::group`]). They are not read where the trainer made the runs, which says
//! itself which of them share their draws ([`Pairing`](crate::data::Pairing)), and not kept beyond
//! [`MOST_LOOKED_AT`] runs, where they would cost memory that nobody asked for.
//!
//! **Keys.** A key is a hash of 64 bits (FNV-1a), so that it depends on the cell alone and not on
//! the order of the rows or on the format of the file. Numbers are compared by value (`1` and `1.0`
//! are one block, integers keep every digit), anything else as text. Two of a million blocks share
//! a key once in 40 million tables.

use crate::data::cell::{Cell, is_missing};
use crate::data::roles::Roles;
use crate::sweep::DEFAULT_FACTOR;

/// The key of a run that belongs to no block: its cell is empty.
pub const NO_BLOCK: u64 = u64::MAX;

/// Columns that are looked at without being named, the likelier first.
pub const CANDIDATES: [&str; 2] = ["seed", "replicate"];

/// Runs beyond which a column must be named.
pub const MOST_LOOKED_AT: usize = 1_000_000;

/// Columns that only runs of the trainer have both.
pub const OF_THE_TRAINER: [&str; 2] = [DEFAULT_FACTOR, "draw"];

/// The columns that say, or may say, which runs belong together, the likelier first: the one that
/// was named, or those of [`CANDIDATES`] that are free, unless the trainer made the runs.
pub fn candidates(roles: &Roles, is_trainers: bool) -> Vec<String> {
    if let Some(pair) = &roles.pair {
        return vec![pair.clone()];
    }
    let is_free = |name: &&str| !is_trainers && *name != roles.factor && *name != roles.metric;
    CANDIDATES.into_iter().filter(is_free).map(Into::into).collect()
}

/// The key of the block that a cell names; [`NO_BLOCK`] for an empty one.
pub fn key_of(cell: Cell) -> u64 {
    match cell {
        Cell::Absent | Cell::Missing | Cell::Other(_) => NO_BLOCK,
        Cell::Number(number) => key_of_number(number),
        Cell::Whole(whole) => key_of_whole(whole),
        Cell::Bool(is_so) => hash(b't', if is_so { b"true" } else { b"false" }),
        Cell::Text(text) => {
            let text = String::from_utf8_lossy(text);
            let text = text.trim();
            if is_missing(text.as_bytes()) { NO_BLOCK } else { key_of_text(text) }
        }
    }
}

/// The key for the `text` of a cell, which is trimmed and not empty. Text that is a number has that
/// number's key.
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
        // A number in single precision is the one that somebody wrote.
        let single = number as f32;
        let written = if f64::from(single) == number { single.to_string().parse().unwrap_or(number) } else { number };
        hash(b'f', &written.to_bits().to_le_bytes())
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
        assert_eq!(key_of_number(f64::from(0.1f32)), key_of_text("0.1"));
        assert_eq!(key_of_number(1e300), key_of_text("1e300"));
        assert_eq!((key_of_number(f64::NAN), key_of_text("nan")), (NO_BLOCK, NO_BLOCK));
    }

    #[test]
    fn candidates_are_the_free_ones_unless_the_trainer_made_the_runs() {
        let roles = Roles::new("x", "loss");
        assert_eq!(candidates(&roles, false), ["seed", "replicate"]);
        assert_eq!(candidates(&roles, true), [""; 0]);
        assert_eq!(candidates(&Roles { pair: Some("replicate".into()), ..roles }, true), ["replicate"]);
        assert_eq!(candidates(&Roles::new("seed", "loss"), false), ["replicate"]);
    }

    #[test]
    fn a_cell_names_the_same_block_in_every_form() {
        assert_eq!(key_of(Cell::Text(b" 7 ")), key_of(Cell::Number(7.0)));
        assert_eq!(key_of(Cell::Whole(7)), key_of(Cell::Text(b"7.0")));
        assert_eq!(key_of(Cell::Bool(true)), key_of(Cell::Text(b"true")));
        for none in [Cell::Absent, Cell::Missing, Cell::Text(b"NA"), Cell::Number(f64::NAN), Cell::Other("a list")] {
            assert_eq!(key_of(none), NO_BLOCK);
        }
    }
}
