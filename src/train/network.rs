//! The article's network: two inputs, two hidden neurons, one output, sigmoid everywhere, trained on the four patterns of
//! XOR by gradient descent on the binary cross-entropy, full batch.
//!
//! [`train`] is the loop written straight from its definition, with `libm`'s exponential and logarithm: no shared
//! subexpressions, no vectors. It is what the kernels are tested against, and itself agrees with NumPy.
//!
//! Each epoch, in the article's order: forward pass; loss, with the prediction clipped to [1e-15, 1 − 1e-15]; **the output
//! layer is updated first, and the error of the hidden layer uses the updated output weights**; then the hidden layer.
//! Gradients are sums over the four patterns, the loss is their mean.

use serde::{Deserialize, Serialize};

/// Inputs of the four patterns.
pub const INPUTS: [[f64; 2]; 4] = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
/// Their XOR.
pub const TARGETS: [f64; 4] = [0.0, 1.0, 1.0, 0.0];
/// Predictions are kept this far from 0 and 1 in the loss.
pub const CLIP: f64 = 1e-15;

/// The nine parameters of the network.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// `hidden_weights[i][j]` from input i to hidden neuron j.
    pub hidden_weights: [[f64; 2]; 2],
    /// Bias of hidden neuron j.
    pub hidden_bias: [f64; 2],
    /// From hidden neuron j to the output.
    pub output_weights: [f64; 2],
    /// Bias of the output; in JSON a list of one.
    #[serde(with = "list_of_one")]
    pub output_bias: f64,
}

mod list_of_one {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        [value].serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        <[f64; 1]>::deserialize(deserializer).map(|[value]| value)
    }
}

/// One network to train.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Task {
    /// Where it starts.
    pub init: Parameters,
    /// Step size of the gradient descent.
    pub learning_rate: f64,
}

/// What all networks of a batch share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// Number of epochs.
    pub epochs: u32,
    /// A network counts as solved once its mean loss is below this.
    pub solved_below: f64,
}

/// What training gave.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Outcome {
    /// Sum over the epochs of the mean loss of the four patterns.
    pub total_loss: f64,
    /// Mean loss of the four patterns in the last epoch.
    pub final_loss: f64,
    /// First epoch, from 0, whose mean loss is below [`Schedule::solved_below`].
    pub solved_epoch: Option<u32>,
    /// Parameters after the last update.
    pub last: Parameters,
    /// Predictions of the last epoch, before its update, as in the article.
    pub predicted: [f64; 4],
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

// The indices are those of the formulas; iterators would hide them.
/// Trains one network; `observe` gets each epoch's number, mean loss and the parameters after its update.
#[allow(clippy::needless_range_loop)]
pub fn train(task: &Task, schedule: &Schedule, mut observe: impl FnMut(u32, f64, &Parameters)) -> Outcome {
    let mut p = task.init;
    let mut outcome = Outcome::default();
    for epoch in 0..schedule.epochs {
        let mut hidden = [[0.0; 2]; 4];
        let mut delta = [0.0; 4];
        let mut loss = 0.0;
        for k in 0..4 {
            for (j, h) in hidden[k].iter_mut().enumerate() {
                let sum = INPUTS[k][0] * p.hidden_weights[0][j] + INPUTS[k][1] * p.hidden_weights[1][j];
                *h = sigmoid(sum + p.hidden_bias[j]);
            }
            let sum = hidden[k][0] * p.output_weights[0] + hidden[k][1] * p.output_weights[1];
            let predicted = sigmoid(sum + p.output_bias);
            let clipped = predicted.clamp(CLIP, 1.0 - CLIP);
            loss -= TARGETS[k] * libm::log(clipped) + (1.0 - TARGETS[k]) * libm::log(1.0 - clipped);
            delta[k] = predicted - TARGETS[k];
            outcome.predicted[k] = predicted;
        }
        let mean_loss = loss / 4.0;
        outcome.total_loss += mean_loss;
        outcome.final_loss = mean_loss;
        if outcome.solved_epoch.is_none() && mean_loss < schedule.solved_below {
            outcome.solved_epoch = Some(epoch);
        }
        let rate = task.learning_rate;
        for j in 0..2 {
            let gradient: f64 = (0..4).map(|k| hidden[k][j] * delta[k]).sum();
            p.output_weights[j] -= gradient * rate;
        }
        p.output_bias -= delta.iter().sum::<f64>() * rate;
        for j in 0..2 {
            let d: [f64; 4] =
                std::array::from_fn(|k| delta[k] * p.output_weights[j] * (hidden[k][j] * (1.0 - hidden[k][j])));
            for i in 0..2 {
                let gradient: f64 = (0..4).map(|k| INPUTS[k][i] * d[k]).sum();
                p.hidden_weights[i][j] -= gradient * rate;
            }
            p.hidden_bias[j] -= d.iter().sum::<f64>() * rate;
        }
        observe(epoch, mean_loss, &p);
    }
    outcome.last = p;
    outcome
}
