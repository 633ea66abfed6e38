//! Do the runs come in blocks, and which column says so?
//!
//! A column that the user names is taken as it is, with incomplete blocks and runs in no block. A
//! column that nobody named counts only if its values stand at several levels and never twice at
//! one: more than half of the runs of every level have a value that another level has too, and
//! there are at least two values. So a constant column, one whose values are all different, and one
//! that numbers the runs of several settings are none. Of two such columns the one whose values all
//! stand at every level is taken, else the likelier one ([`crate::data::blocks::CANDIDATES`]).
//!
//! **When it is wrong.** Numbers that merely count the runs of each level look the same as seeds
//! that the levels share. The blocks are then a random matching: comparisons within them are still
//! valid, but gain nothing.
//!
//! **Cost.** One hash pass over the rows for each column.

use std::borrow::Cow;
use std::collections::HashMap;

use polars::prelude::IdxSize;
use serde::Serialize;

use crate::data::blocks::NO_BLOCK;

/// The blocks that runs come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blocks {
    /// The column that says which runs belong together.
    pub column: String,
    /// Whether the user named it.
    pub given: bool,
    /// Number of blocks.
    pub count: u64,
    /// Blocks with one run at every level.
    pub complete: u64,
}

/// The blocks of runs whose `rows` are given level by level, with the key of each row, by one of
/// `columns`, the likelier first, or by the only one, which was `given`. `None` if no column says
/// which runs belong together.
pub fn choose<'a>(
    columns: Vec<(&str, Cow<'a, [u64]>)>,
    given: bool,
    rows: &[Vec<IdxSize>],
) -> Option<(Blocks, Cow<'a, [u64]>)> {
    let blocks = |(name, keys): (&str, Cow<'a, [u64]>)| {
        let tally = Tally::of(&keys, rows);
        let blocks = Blocks { column: name.into(), given, count: tally.count, complete: tally.complete };
        (given || tally.shows_blocks).then_some((blocks, keys))
    };
    let mut found: Vec<_> = columns.into_iter().filter_map(blocks).collect();
    let complete = found.iter().position(|(blocks, _)| blocks.complete == blocks.count);
    (!found.is_empty()).then(|| found.swap_remove(complete.unwrap_or(0)))
}

/// What the keys of one column look like.
struct Tally {
    count: u64,
    complete: u64,
    /// Whether they are those of blocks even if nobody says so.
    shows_blocks: bool,
}

/// Where a key stands.
struct Seen {
    levels: usize,
    last: usize,
    /// Whether it stands twice at a level.
    is_repeated: bool,
}

impl Tally {
    fn of(keys: &[u64], rows: &[Vec<IdxSize>]) -> Self {
        let mut seen: HashMap<u64, Seen> = HashMap::new();
        for (level, rows) in rows.iter().enumerate() {
            for key in keys_in(keys, rows) {
                let seen = seen.entry(key).or_insert(Seen { levels: 0, last: usize::MAX, is_repeated: false });
                seen.is_repeated |= seen.last == level;
                seen.levels += usize::from(seen.last != level);
                seen.last = level;
            }
        }
        let is_shared = |key: &u64| seen.get(key).is_some_and(|seen| seen.levels > 1);
        let shares_most = |rows: &Vec<IdxSize>| 2 * keys_in(keys, rows).filter(is_shared).count() > rows.len();
        let is_complete = |seen: &&Seen| !seen.is_repeated && seen.levels == rows.len();
        Self {
            count: seen.len() as u64,
            complete: seen.values().filter(is_complete).count() as u64,
            shows_blocks: seen.len() > 1 && !seen.values().any(|seen| seen.is_repeated) && rows.iter().all(shares_most),
        }
    }
}

/// The keys of those `rows` that belong to a block.
fn keys_in<'a>(keys: &'a [u64], rows: &'a [IdxSize]) -> impl Iterator<Item = u64> + 'a {
    rows.iter().map(|row| keys[*row as usize]).filter(|key| *key != NO_BLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Levels of as many runs as there are keys.
    fn chosen(pair: Option<&str>, columns: &[(&str, &[&[u64]])]) -> Option<(Blocks, Vec<u64>)> {
        let keyed = columns.iter().map(|(name, keys)| (*name, Cow::Owned(keys.concat()))).collect();
        let mut next = 0..;
        let rows: Vec<Vec<IdxSize>> =
            columns[0].1.iter().map(|keys| next.by_ref().take(keys.len()).collect()).collect();
        choose(keyed, pair.is_some(), &rows).map(|(blocks, keys)| (blocks, keys.into_owned()))
    }

    fn blocks(column: &str, given: bool, [count, complete]: [u64; 2]) -> Blocks {
        Blocks { column: column.into(), given, count, complete }
    }

    fn alone(keys: &[&[u64]]) -> Option<Blocks> {
        chosen(None, &[("seed", keys)]).map(|(blocks, _)| blocks)
    }

    const NONE: u64 = NO_BLOCK;

    #[test]
    fn values_that_levels_share_are_blocks() {
        assert_eq!(alone(&[&[1, 2, 3], &[3, 1, 2]]), Some(blocks("seed", false, [3, 3])));
        // Most of each level's: 2 and 3, then 2, 3 and 4, then 3 and 4.
        assert_eq!(alone(&[&[1, 2, 3], &[2, 3, 4], &[3, 4, 5]]), Some(blocks("seed", false, [5, 1])));
        assert_eq!(alone(&[&[1, 2, NONE], &[1, 2]]), Some(blocks("seed", false, [2, 2])));
    }

    #[test]
    fn constant_unique_and_repeated_values_are_none() {
        for keys in [
            &[&[1, 1][..], &[1, 1]][..],
            &[&[1], &[1]],
            &[&[1, 2], &[3, 4]],
            &[&[1, 2, 1, 2], &[1, 2, 1, 2]],
            &[&[1, 2, 3]],
            // The last level shares one of its two, and that is not most of them.
            &[&[1, 2], &[1, 2], &[2, 9]],
            &[&[1, NONE, NONE], &[1, 2, 3], &[1, 2, 3]],
            &[&[NONE], &[NONE]],
        ] {
            assert_eq!(alone(keys), None, "{keys:?}");
        }
    }

    #[test]
    fn of_two_columns_the_complete_one_is_taken_else_the_seed() {
        let (complete, partial): (&[&[u64]], &[&[u64]]) = (&[&[1, 2, 3], &[1, 2, 3]], &[&[4, 5, 6], &[5, 6, 7]]);
        let found = |seed, replicate| chosen(None, &[("seed", seed), ("replicate", replicate)]).unwrap();
        assert_eq!(found(partial, complete), (blocks("replicate", false, [3, 3]), complete.concat()));
        assert_eq!(found(complete, complete).0.column, "seed");
        assert_eq!(found(partial, partial), (blocks("seed", false, [4, 2]), partial.concat()));
    }

    #[test]
    fn a_named_column_is_taken_as_it_is() {
        let keys: &[&[u64]] = &[&[1, 1, NONE, 2], &[1, 3, 2]];
        let (found, taken) = chosen(Some("host"), &[("host", keys)]).unwrap();
        assert_eq!((found, taken), (blocks("host", true, [3, 1]), keys.concat()));
    }
}
