//! The random start of a run: nine normals that depend on the run's identity and on nothing else.
//!
//! Philox's key is the seed; its counter is (a digest of the run's levels, the replicate, the number of the block). So a
//! run does not change with threads, order, other levels, or what was run before, and any run can be made again alone.
//! The digest mixes the bits of the four levels with SplitMix64's finaliser (Steele, Lea and Flood 2014); two of
//! 400 levels share a digest with probability 4e-15.

use crate::sweep::RunIdentity;
use crate::train::network::Parameters;
use crate::train::random::{halves, philox4x32_10, standard_normal};

/// Parameters of the network, all of them random: hidden weights and biases, output weights and bias.
const PARAMETERS: usize = 9;

/// The initial parameters of `run` under `seed`: standard normals times the layer's standard deviation, in the order
/// hidden weights by rows, hidden biases, output weights, output bias.
pub fn initial_parameters(run: &RunIdentity, seed: u64) -> Parameters {
    let z = standard_normals(run, seed);
    let (hidden, output) = (run.hidden_std_dev, run.output_std_dev);
    Parameters {
        hidden_weights: [[z[0] * hidden, z[1] * hidden], [z[2] * hidden, z[3] * hidden]],
        hidden_bias: [z[4] * hidden, z[5] * hidden],
        output_weights: [z[6] * output, z[7] * output],
        output_bias: z[8] * output,
    }
}

fn standard_normals(run: &RunIdentity, seed: u64) -> [f64; PARAMETERS] {
    let [low, high] =
        halves(digest(&[run.hidden_std_dev, run.output_std_dev, run.learning_rate, f64::from(run.epochs)]));
    std::array::from_fn(|i| {
        // A block of four words makes two normals.
        let words = philox4x32_10([low, high, run.replicate, i as u32 / 2], halves(seed));
        let [a, b] = [words[i % 2 * 2], words[i % 2 * 2 + 1]];
        standard_normal(u64::from(b) << 32 | u64::from(a))
    })
}

/// Mixes the bits of `levels` into one word. −0 counts as 0, because it is the same level.
fn digest(levels: &[f64]) -> u64 {
    levels.iter().fold(0, |digest: u64, level| {
        let mut z = (digest ^ (level + 0.0).to_bits()).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: RunIdentity =
        RunIdentity { hidden_std_dev: 0.5, output_std_dev: 0.8165, learning_rate: 0.1, epochs: 10_000, replicate: 3 };

    #[test]
    fn every_part_of_the_identity_matters() {
        let base = standard_normals(&RUN, 1);
        for (run, seed) in [
            (RunIdentity { hidden_std_dev: 0.5f64.next_up(), ..RUN }, 1),
            (RunIdentity { output_std_dev: 0.5, hidden_std_dev: 0.8165, ..RUN }, 1),
            (RunIdentity { learning_rate: 0.2, ..RUN }, 1),
            (RunIdentity { epochs: 9_999, ..RUN }, 1),
            (RunIdentity { replicate: 4, ..RUN }, 1),
            (RUN, 2),
            (RUN, 1 << 32 | 1),
        ] {
            let other = standard_normals(&run, seed);
            assert!(base.iter().zip(&other).all(|(a, b)| a != b));
        }
        assert_eq!(base, standard_normals(&RUN, 1));
    }

    #[test]
    fn levels_scale_their_layer() {
        let zero = initial_parameters(&RunIdentity { hidden_std_dev: 0.0, ..RUN }, 1);
        assert_eq!((zero.hidden_weights, zero.hidden_bias), ([[0.0; 2]; 2], [0.0; 2]));
        assert!(zero.output_bias != 0.0);
    }
}
