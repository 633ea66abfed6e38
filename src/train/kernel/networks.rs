//! The state of the networks in one vector, and what is computed of it seldom.

use super::exp::{UNIT, power};
use super::vector::{MAX_LANES, Vector};
use crate::train::network::{Outcome, Parameters, Schedule, Task};

/// What predictions are clipped to for the loss, from 0 and from 1.
const CLIP: f64 = 1e-15;

/// The product of 1 + odds against the right answers above which one may have to be clipped.
///
/// It is far below what that asks for, so that a period of products stays normal.
pub const RARE: f64 = 128.0;

/// The product of 1 + odds below which clipping the right answers is not negligible.
const LEAST: f64 = 1.0 + 1.0 / 1_048_576.0;

/// As many networks as `T` has lanes. Patterns are counted 00, 01, 10, 11.
///
/// Weights and biases are in the kernel's unit (see [`UNIT`]).
pub struct Networks<T> {
    /// e^-z of hidden neuron j and pattern k, `[j][k]`: (1 - h) / h. Times the scale, as `odds` (see [`growth`]).
    ///
    /// [`growth`]: super::exp::growth
    pub hidden_odds: [[T; 4]; 2],
    /// e^±f of pattern k, times the scale: the odds against the right answer.
    pub odds: [T; 4],
    /// The output's sum f of pattern k.
    pub output_sum: [T; 4],
    /// The hidden output of neuron j and pattern k, `[k][j]`.
    pub hidden: [[T; 2]; 4],
    /// The sums of the hidden error over patterns, times the learning rate, before the output weight: all, those with the
    /// first input, those with the second.
    pub error: [[T; 2]; 3],
    /// From input i to hidden neuron j, `[i][j]`.
    pub hidden_weights: [[T; 2]; 2],
    pub hidden_bias: [T; 2],
    pub output_weights: [T; 2],
    pub output_bias: T,
    pub learning_rate: T,
    /// The product of the four reciprocals of the right answers' probabilities in this epoch.
    pub against: T,
    /// The product of `against` over the epochs so far is `product` · 2^`exponent`.
    pub product: T,
    exponent: T,
    /// What `against` must be below for the network to count as solved; 0 once it has.
    goal: T,
    /// What `against` must be below for [`Networks::judge`] to be needed.
    pub floor: T,
    /// The epoch in which the network was first solved, or -1.
    solved: T,
}

impl<T: Vector> Networks<T> {
    /// Networks before their first epoch; lanes without a task train zeros.
    ///
    /// # Safety
    /// The processor must have the instruction set of `T`.
    #[inline(always)]
    pub unsafe fn new(tasks: &[Task], schedule: &Schedule) -> Self {
        // SAFETY: the caller vouches for the processor.
        let zero = unsafe { T::splat(0.0) };
        let gather = |value: fn(&Task) -> f64| {
            let mut lanes = [0.0; MAX_LANES];
            for (lane, task) in lanes.iter_mut().zip(tasks) {
                *lane = value(task);
            }
            // SAFETY: as above.
            unsafe { T::from_lanes(&lanes) }
        };
        let unit = zero.like(UNIT);
        let goal = libm::exp(4.0 * schedule.solved_below);
        let mut networks = Self {
            hidden_odds: [[zero; 4]; 2],
            odds: [zero; 4],
            output_sum: [zero; 4],
            hidden: [[zero; 2]; 4],
            error: [[zero; 2]; 3],
            hidden_weights: [
                [gather(|t| t.init.hidden_weights[0][0]).div(unit), gather(|t| t.init.hidden_weights[0][1]).div(unit)],
                [gather(|t| t.init.hidden_weights[1][0]).div(unit), gather(|t| t.init.hidden_weights[1][1]).div(unit)],
            ],
            hidden_bias: [gather(|t| t.init.hidden_bias[0]).div(unit), gather(|t| t.init.hidden_bias[1]).div(unit)],
            output_weights: [
                gather(|t| t.init.output_weights[0]).div(unit),
                gather(|t| t.init.output_weights[1]).div(unit),
            ],
            output_bias: gather(|t| t.init.output_bias).div(unit),
            learning_rate: gather(|t| t.learning_rate),
            against: zero.like(1.0),
            product: zero.like(1.0),
            exponent: zero,
            goal: zero.like(goal),
            floor: zero.like(if goal > LEAST { goal } else { LEAST }),
            solved: zero.like(-1.0),
        };
        networks.renew_hidden_odds(zero.less(unit), zero.like(1.0));
        networks
    }

    /// Computes `hidden_odds` in full, and scaled, in the lanes whose step was too long.
    #[inline(always)]
    pub fn renew_hidden_odds(&mut self, long: T::Mask, scale: T) {
        for j in 0..2 {
            let none = scale.like(0.0).sub(self.hidden_bias[j]);
            let first = none.sub(self.hidden_weights[0][j]);
            let second = none.sub(self.hidden_weights[1][j]);
            let both = first.sub(self.hidden_weights[1][j]);
            for (odds, z) in self.hidden_odds[j].iter_mut().zip([none, second, first, both]) {
                *odds = power(z).mul(scale).select(long, *odds);
            }
        }
    }

    /// Computes `odds` in full, and scaled, in the lanes whose step was too long.
    #[inline(always)]
    pub fn renew_odds(&mut self, long: T::Mask, scale: T) {
        for (k, odds) in self.odds.iter_mut().enumerate() {
            let sum = self.output_sum[k];
            let against = if k == 0 || k == 3 { sum } else { scale.like(0.0).sub(sum) };
            *odds = power(against).mul(scale).select(long, *odds);
        }
    }

    /// Takes `odds` from the last period's scale to 1, and the exponent out of `product`.
    #[inline(always)]
    pub fn begin_period(&mut self, rescale: T) {
        self.odds = self.odds.map(|odds| odds.mul(rescale));
        self.normalize();
    }

    /// Takes `hidden_odds` from the last period's scale to 1.
    #[inline(always)]
    pub fn rescale_hidden_odds(&mut self, rescale: T) {
        self.hidden_odds = self.hidden_odds.map(|neuron| neuron.map(|odds| odds.mul(rescale)));
    }

    /// Clips the probabilities where that counts, sees which networks are solved, and multiplies `against` into
    /// `product`.
    #[inline(always)]
    pub fn judge(&mut self, epoch: u32, scale: T) {
        let one = scale.like(1.0);
        let mut clipped = one;
        for (k, &odds) in self.odds.iter().enumerate() {
            // Where the target is 0 the loss is that of 1 - p, rounded: its least value is not quite `CLIP`.
            let sum = scale.add(odds);
            let zero_target = k == 0 || k == 3;
            let predicted = if zero_target { odds.div(sum) } else { scale.div(sum) };
            let predicted = one.like(1.0 - CLIP).min(one.like(CLIP).max(predicted));
            clipped = clipped.mul(if zero_target { one.sub(predicted) } else { predicted });
        }
        let unusual = T::either(one.like(RARE).less(self.against), self.against.less(one.like(LEAST)));
        self.against = one.div(clipped).select(unusual, self.against);
        let solved = self.against.less(self.goal);
        self.solved = one.like(f64::from(epoch)).select(solved, self.solved);
        self.goal = one.like(0.0).select(solved, self.goal);
        self.floor = self.goal.max(one.like(LEAST));
        // `against` can be 1e60 here, where the unclipped products of a whole period must still fit in.
        self.normalize();
        self.product = self.product.mul(self.against);
        self.normalize();
    }

    /// Moves the product's exponent out of it, which is exact; NaN stays NaN.
    #[inline(always)]
    fn normalize(&mut self) {
        let product = self.product;
        self.exponent = self.exponent.add(product.biased_exponent().sub(product.like(1023.0)));
        self.product = product.significand().add(product.sub(product));
    }

    /// The parameters of the network in a lane.
    pub fn parameters(&self, lane: usize) -> Parameters {
        let get = |x: T| x.to_lanes()[lane] * UNIT;
        Parameters {
            hidden_weights: self.hidden_weights.map(|row| row.map(get)),
            hidden_bias: self.hidden_bias.map(get),
            output_weights: self.output_weights.map(get),
            output_bias: get(self.output_bias),
        }
    }

    /// The mean loss of this epoch in a lane.
    pub fn mean_loss(&self, lane: usize) -> f64 {
        libm::log(self.against.to_lanes()[lane]) / 4.0
    }

    /// What the trainings came to.
    #[inline(always)]
    pub fn finish(&mut self, out: &mut [Outcome], scale: f64) {
        self.normalize();
        for (lane, outcome) in out.iter_mut().enumerate() {
            let get = |x: T| x.to_lanes()[lane];
            let solved = get(self.solved);
            let mut predicted = self.odds.map(get);
            for (k, p) in predicted.iter_mut().enumerate() {
                *p = if k == 0 || k == 3 { *p / (scale + *p) } else { scale / (scale + *p) };
            }
            let log = libm::log(get(self.product)) + get(self.exponent) * std::f64::consts::LN_2;
            *outcome = Outcome {
                total_loss: log / 4.0,
                final_loss: self.mean_loss(lane),
                solved_epoch: if solved < 0.0 { None } else { Some(solved as u32) },
                last: self.parameters(lane),
                predicted,
            };
        }
    }
}
