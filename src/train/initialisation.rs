//! The random start of a run: nine normals that depend on the run's identity and on nothing else.
//!
//! Philox's key is the seed; its counter is (the run's stream, the replicate, the number of the block). The stream is a
//! digest of the run's levels, or one for all levels in a paired sweep (see [`Draws`](crate::sweep::Draws)). So a run does
//! not change with threads, order, other levels, or what was run before, and any run can be made again alone.

use crate::random::{halves, philox4x32_10, standard_normal};
use crate::sweep::RunIdentity;
use crate::train::network::Parameters;

/// Parameters of the network, all of them random: hidden weights and biases, output weights and bias.
const PARAMETERS: usize = 9;

/// The initial parameters of `run`: standard normals times the layer's standard deviation, in the order hidden weights by
/// rows, hidden biases, output weights, output bias.
pub fn initial_parameters(run: &RunIdentity) -> Parameters {
    let z = standard_normals(run);
    let (hidden, output) = (run.hidden_std_dev, run.output_std_dev);
    Parameters {
        hidden_weights: [[z[0] * hidden, z[1] * hidden], [z[2] * hidden, z[3] * hidden]],
        hidden_bias: [z[4] * hidden, z[5] * hidden],
        output_weights: [z[6] * output, z[7] * output],
        output_bias: z[8] * output,
    }
}

fn standard_normals(run: &RunIdentity) -> [f64; PARAMETERS] {
    let [low, high] = halves(run.draw);
    std::array::from_fn(|i| {
        // A block of four words makes two normals.
        let words = philox4x32_10([low, high, run.replicate, i as u32 / 2], halves(run.seed));
        let [a, b] = [words[i % 2 * 2], words[i % 2 * 2 + 1]];
        standard_normal(u64::from(b) << 32 | u64::from(a))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: RunIdentity = RunIdentity {
        hidden_std_dev: 0.5,
        output_std_dev: 0.8165,
        learning_rate: 0.1,
        epochs: 10_000,
        solved_below: 0.1,
        seed: 1,
        draw: 12_345,
        replicate: 3,
    };

    #[test]
    fn seed_stream_and_replicate_matter_and_nothing_else() {
        let base = standard_normals(&RUN);
        for run in [
            RunIdentity { draw: 12_346, ..RUN },
            RunIdentity { draw: 12_345 | 1 << 52, ..RUN },
            RunIdentity { replicate: 4, ..RUN },
            RunIdentity { seed: 2, ..RUN },
            RunIdentity { seed: 1 << 32 | 1, ..RUN },
        ] {
            assert!(base.iter().zip(&standard_normals(&run)).all(|(a, b)| a != b), "{run}");
        }
        assert_eq!(base, standard_normals(&RunIdentity { hidden_std_dev: 2.0, epochs: 7, ..RUN }));
    }

    #[test]
    fn levels_scale_their_layer() {
        let zero = initial_parameters(&RunIdentity { hidden_std_dev: 0.0, ..RUN });
        assert_eq!((zero.hidden_weights, zero.hidden_bias), ([[0.0; 2]; 2], [0.0; 2]));
        assert!(zero.output_bias != 0.0);
    }
}
