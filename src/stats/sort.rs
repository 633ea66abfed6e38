//! Sorting numbers by value, faster than by comparisons.
//!
//! **Method.** The bits of a double, with the sign turned, order as the numbers do
//! ([`f64::total_cmp`]). Of these keys, less the least of them, the log₂ n + 9 uppermost bits that
//! differ at all are sorted by digits of up to 11 bits, the lowest digit first (Knuth 1998, 5.2.5),
//! two or three passes in all. What these bits leave in disorder is little unless the numbers crowd
//! together in a few places of a wide range; insertion puts it right, and a sort by comparisons
//! takes over where that needs more than four moves a number. Exact for every input, and stable.
//!
//! **Why not** all 64 bits by digits: six passes, and nothing left for most of them to do. Why not
//! a sort by comparisons: it guesses log₂ n branches a number, half of them wrong; this takes a
//! half to a quarter of its time from a hundred numbers on.
//!
//! **Cost.** O(n) and as much memory again; O(n log n) for numbers that crowd.

/// Fewer numbers than this are sorted by comparisons.
const FEW: usize = 96;
/// Most bits of a digit: its counters stay in the nearest cache.
const DIGIT: u32 = 11;
/// Bits beyond log₂ n: from here on hardly two numbers agree in all of them.
const EXTRA: u32 = 9;
/// Moves by insertion that each number has on average before comparisons are cheaper.
const MOVES: usize = 4;

/// Sorts `values` by [`f64::total_cmp`].
pub fn ascending(values: &mut [f64]) {
    by_value(values, |value| *value);
}

/// Sorts `items` by [`f64::total_cmp`] of their `value`; equal ones keep their order.
pub fn by_value<T: Copy>(items: &mut [T], value: impl Fn(&T) -> f64) {
    let key = |item: &T| ordered_bits(value(item));
    if items.is_sorted_by_key(key) {
        return;
    }
    if items.len() < FEW {
        items.sort_by_key(key);
        return;
    }
    let (least, greatest) =
        items.iter().map(key).fold((u64::MAX, 0), |(least, greatest), key| (least.min(key), greatest.max(key)));
    let width = (greatest - least).ilog2() + 1;
    let bits = width.min(items.len().ilog2() + EXTRA);
    by_digits(items, width - bits, bits, |item| key(item) - least);
    by_insertion(items, key);
}

/// The bits of `value` as an integer that orders as [`f64::total_cmp`] does.
fn ordered_bits(value: f64) -> u64 {
    const SIGN: u64 = 1 << 63;
    let bits = value.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// Sorts `items` by the `bits` bits of their `key` from `lowest` on, which are the uppermost that
/// differ; equal ones keep their order.
fn by_digits<T: Copy>(items: &mut [T], lowest: u32, bits: u32, key: impl Fn(&T) -> u64) {
    let passes = bits.div_ceil(DIGIT);
    let digit = bits.div_ceil(passes);
    let (size, mask) = (1_usize << digit, (1_u64 << digit) - 1);
    let mut counts = vec![0_usize; size * passes as usize];
    for item in items.iter() {
        let mut digits = key(item) >> lowest;
        for counts in counts.chunks_exact_mut(size) {
            counts[(digits & mask) as usize] += 1;
            digits >>= digit;
        }
    }
    let mut spare = items.to_vec();
    let (mut from, mut to) = (&mut *items, &mut *spare);
    for (counts, shift) in counts.chunks_exact_mut(size).zip((lowest..).step_by(digit as usize)) {
        let mut next = 0;
        for count in counts.iter_mut() {
            next += std::mem::replace(count, next);
        }
        for item in from.iter() {
            let place = &mut counts[(key(item) >> shift & mask) as usize];
            to[*place] = *item;
            *place += 1;
        }
        (from, to) = (to, from);
    }
    if !passes.is_multiple_of(2) {
        items.copy_from_slice(&spare);
    }
}

/// Sorts `items` that are nearly sorted by their `key`; equal ones keep their order.
fn by_insertion<T: Copy>(items: &mut [T], key: impl Fn(&T) -> u64) {
    let mut moves = MOVES * items.len();
    for next in 1..items.len() {
        let (item, own) = (items[next], key(&items[next]));
        let mut at = next;
        while at > 0 && key(&items[at - 1]) > own {
            items[at] = items[at - 1];
            at -= 1;
        }
        items[at] = item;
        let Some(left) = moves.checked_sub(next - at) else { return items.sort_by_key(key) };
        moves = left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use proptest::prelude::*;

    /// By comparisons, with the numbers' first places.
    fn plain(values: &[f64]) -> Vec<(u64, usize)> {
        let mut numbered: Vec<(f64, usize)> = values.iter().copied().zip(0..).collect();
        numbered.sort_by(|a, b| a.0.total_cmp(&b.0));
        numbered.into_iter().map(|(value, place)| (value.to_bits(), place)).collect()
    }

    fn assert_sorts(values: &[f64]) {
        let mut numbered: Vec<(f64, usize)> = values.iter().copied().zip(0..).collect();
        by_value(&mut numbered, |(value, _)| *value);
        let ours: Vec<(u64, usize)> = numbered.into_iter().map(|(value, place)| (value.to_bits(), place)).collect();
        assert_eq!(ours, plain(values));
        let mut alone = values.to_vec();
        ascending(&mut alone);
        assert!(alone.iter().map(|value| value.to_bits()).eq(ours.iter().map(|(bits, _)| *bits)));
    }

    #[test]
    fn numbers_of_every_kind_are_sorted() {
        const SPECIAL: [f64; 8] = [0.0, -0.0, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 5e-324];
        let mut stream = Stream::new(21, 0, 0);
        for count in [0, 1, 2, FEW - 1, FEW, 1000, 5000, 70_000] {
            let mut of = |law: &dyn Fn(&mut Stream) -> f64| {
                assert_sorts(&(0..count).map(|_| law(&mut stream)).collect::<Vec<_>>());
            };
            of(&|_| 1.5);
            of(&|stream| stream.uniform());
            of(&|stream| stream.normal());
            of(&|stream| libm::exp(200.0 * stream.normal()));
            of(&|stream| stream.normal() / stream.normal());
            of(&|stream| (stream.uniform() * 3.0).floor());
            of(&|stream| SPECIAL[stream.below(SPECIAL.len())]);
            of(&|stream| f64::from_bits(stream.bits()));
            // Two far numbers leave the others no digit of their own.
            of(&|stream| if stream.below(count) < 2 { -1e300 } else { 1.0 + 1e-9 * stream.uniform() });
        }
        let descending: Vec<f64> = (0..3000).map(|i| f64::from(-i)).collect();
        assert_sorts(&descending);
    }

    proptest! {
        #[test]
        fn any_bits_are_sorted_as_by_comparisons(bits in prop::collection::vec(any::<u64>(), 0..400), mask in any::<u64>()) {
            assert_sorts(&bits.iter().map(|bits| f64::from_bits(bits & mask)).collect::<Vec<_>>());
        }
    }
}
