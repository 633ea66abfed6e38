//! The three thirds of an epoch, each cut into small parts whose order is the caller's to choose.
//!
//! A part needs those before it in its own third alone. See [`epoch`](super::epoch) for the order.

use super::exp::{SHORT, UNIT, growth};
use super::networks::Networks;
use super::vector::Vector;

/// Two patterns with the same target, whose reciprocals take one division: here those with the target 0.
pub const EQUAL: [usize; 2] = [0, 3];
/// Those with the target 1. A pair's first pattern also counts the pairs.
pub const UNEQUAL: [usize; 2] = [1, 2];

/// The first third: from the hidden odds to the odds against the right answers.
pub struct Forward<T> {
    scale: T,
    /// Scale + odds of neuron j and pattern k, `[j][k]`.
    sum: [[T; 4]; 2],
    /// Of neuron j and a pair: the product of the sums, then the scale divided by it.
    quotient: [[T; 2]; 2],
    hidden: [[T; 4]; 2],
    output_sum: [T; 4],
    step: [T; 4],
    /// Has high bits in the lanes in which a step is too long for [`growth`].
    pub long: T,
}

impl<T: Vector> Forward<T> {
    #[inline(always)]
    pub fn new(scale: T) -> Self {
        let zero = scale.like(0.0);
        Self {
            scale,
            sum: [[zero; 4]; 2],
            quotient: [[zero; 2]; 2],
            hidden: [[zero; 4]; 2],
            output_sum: [zero; 4],
            step: [zero; 4],
            long: zero,
        }
    }

    #[inline(always)]
    pub fn sums(&mut self, networks: &mut Networks<T>, j: usize, pair: [usize; 2]) {
        for k in pair {
            self.sum[j][k] = networks.hidden_odds[j][k].add(self.scale);
        }
        self.quotient[j][pair[0]] = self.sum[j][pair[0]].mul(self.sum[j][pair[1]]);
    }

    #[inline(always)]
    pub fn divide(&mut self, j: usize, pair: [usize; 2]) {
        self.quotient[j][pair[0]] = self.scale.div(self.quotient[j][pair[0]]);
    }

    #[inline(always)]
    pub fn hidden(&mut self, networks: &mut Networks<T>, j: usize, [a, b]: [usize; 2]) {
        self.hidden[j][a] = self.quotient[j][a].mul(self.sum[j][b]);
        self.hidden[j][b] = self.quotient[j][a].mul(self.sum[j][a]);
        for k in [a, b] {
            networks.hidden[k][j] = self.hidden[j][k];
        }
    }

    /// The output's sum as far as it comes from the bias and the first hidden neuron.
    #[inline(always)]
    pub fn first_neuron(&mut self, networks: &mut Networks<T>, pair: [usize; 2]) {
        for k in pair {
            self.output_sum[k] = self.hidden[0][k].mul_add(networks.output_weights[0], networks.output_bias);
        }
    }

    /// The output's sum, and what the odds' exponents change by.
    #[inline(always)]
    pub fn second_neuron(&mut self, networks: &mut Networks<T>, pair: [usize; 2]) {
        let [a, b] = pair;
        let weight = networks.output_weights[1];
        let sum_a = self.hidden[1][a].mul_add(weight, self.output_sum[a]);
        let sum_b = self.hidden[1][b].mul_add(weight, self.output_sum[b]);
        let last = &mut networks.output_sum;
        self.step[a] = if pair == EQUAL { sum_a.sub(last[a]) } else { last[a].sub(sum_a) };
        self.step[b] = if pair == EQUAL { sum_b.sub(last[b]) } else { last[b].sub(sum_b) };
        last[a] = sum_a;
        last[b] = sum_b;
    }

    #[inline(always)]
    pub fn grow(&mut self, networks: &mut Networks<T>, k: usize) {
        let [one, two] = growth(self.step[k]);
        networks.odds[k] = networks.odds[k].mul(one).mul(two);
        self.long = self.long.or_differing(two, two.like(SHORT));
    }
}

/// The second third: the output layer's change, and the hidden layer's errors.
pub struct Output<T> {
    scale: T,
    /// The scale times the learning rate.
    rate: T,
    /// Scale + odds of each pattern.
    sum: [T; 4],
    product: [T; 2],
    quotient: [T; 2],
    /// The errors times the learning rate.
    wrong: [T; 4],
    /// The errors times the hidden outputs, `[j][k]`.
    gradient: [[T; 4]; 2],
    slope: [[T; 4]; 2],
}

impl<T: Vector> Output<T> {
    #[inline(always)]
    pub fn new(scale: T) -> Self {
        let zero = scale.like(0.0);
        Self {
            scale,
            rate: zero,
            sum: [zero; 4],
            product: [zero; 2],
            quotient: [zero; 2],
            wrong: [zero; 4],
            gradient: [[zero; 4]; 2],
            slope: [[zero; 4]; 2],
        }
    }

    #[inline(always)]
    pub fn rate(&mut self, networks: &mut Networks<T>) {
        self.rate = self.scale.mul(networks.learning_rate);
    }

    #[inline(always)]
    pub fn sums(&mut self, networks: &mut Networks<T>, pair: [usize; 2]) {
        for k in pair {
            self.sum[k] = networks.odds[k].add(self.scale);
        }
        self.product[pair[0]] = self.sum[pair[0]].mul(self.sum[pair[1]]);
    }

    /// The product of the reciprocals; `descale` takes it to that of the unscaled ones.
    #[inline(always)]
    pub fn against(&mut self, networks: &mut Networks<T>, descale: T) {
        networks.against = self.product[0].mul(self.product[1]).mul(descale);
    }

    #[inline(always)]
    pub fn divide(&mut self, pair: [usize; 2]) {
        self.quotient[pair[0]] = self.rate.div(self.product[pair[0]]);
    }

    #[inline(always)]
    pub fn wrong(&mut self, networks: &mut Networks<T>, [a, b]: [usize; 2]) {
        self.wrong[a] = networks.learning_rate.sub(self.quotient[a].mul(self.sum[b]));
        self.wrong[b] = networks.learning_rate.sub(self.quotient[a].mul(self.sum[a]));
    }

    #[inline(always)]
    pub fn gradients(&mut self, networks: &mut Networks<T>, j: usize, pair: [usize; 2]) {
        for k in pair {
            self.gradient[j][k] = networks.hidden[k][j].mul(self.wrong[k]);
        }
    }

    #[inline(always)]
    pub fn slopes(&mut self, networks: &mut Networks<T>, j: usize, pair: [usize; 2]) {
        for k in pair {
            let gradient = self.gradient[j][k];
            self.slope[j][k] = gradient.neg_mul_add(networks.hidden[k][j], gradient);
        }
    }

    #[inline(always)]
    pub fn weight(&mut self, networks: &mut Networks<T>, j: usize) {
        let weight = &mut networks.output_weights[j];
        *weight = step(self.gradient[j]).neg_mul_add(weight.like(1.0 / UNIT), *weight);
    }

    #[inline(always)]
    pub fn bias(&mut self, networks: &mut Networks<T>) {
        let bias = &mut networks.output_bias;
        *bias = step(self.wrong).neg_mul_add(bias.like(1.0 / UNIT), *bias);
    }

    #[inline(always)]
    pub fn errors(&mut self, networks: &mut Networks<T>, j: usize) {
        let slope = self.slope[j];
        let with_first = slope[3].sub(slope[2]);
        networks.error[1][j] = with_first;
        networks.error[2][j] = slope[3].sub(slope[1]);
        networks.error[0][j] = slope[0].sub(slope[1]).add(with_first);
    }
}

/// The sum over patterns with the signs of prediction - target: 01 and 10 have the target 1.
#[inline(always)]
fn step<T: Vector>(x: [T; 4]) -> T {
    x[0].sub(x[1]).add(x[3].sub(x[2]))
}

/// The last third: the hidden layer's change, up to its odds.
pub struct Hidden<T> {
    /// Of neuron j: the steps of its bias and of its weights from the first and the second input.
    bias: [T; 2],
    first: [T; 2],
    second: [T; 2],
    /// `bias` + `first`.
    both: [T; 2],
    /// As in [`Forward`].
    pub long: T,
}

impl<T: Vector> Hidden<T> {
    #[inline(always)]
    pub fn new(zero: T) -> Self {
        Self { bias: [zero; 2], first: [zero; 2], second: [zero; 2], both: [zero; 2], long: zero }
    }

    #[inline(always)]
    pub fn steps(&mut self, networks: &mut Networks<T>, j: usize) {
        let weight = networks.output_weights[j];
        self.bias[j] = weight.mul(networks.error[0][j]);
        self.first[j] = weight.mul(networks.error[1][j]);
        self.second[j] = weight.mul(networks.error[2][j]);
        self.both[j] = self.bias[j].add(self.first[j]);
    }

    #[inline(always)]
    pub fn weights(&mut self, networks: &mut Networks<T>, j: usize) {
        networks.hidden_bias[j] = networks.hidden_bias[j].sub(self.bias[j]);
        networks.hidden_weights[0][j] = networks.hidden_weights[0][j].sub(self.first[j]);
        networks.hidden_weights[1][j] = networks.hidden_weights[1][j].sub(self.second[j]);
    }

    #[inline(always)]
    pub fn grow(&mut self, networks: &mut Networks<T>, j: usize, k: usize) {
        let step = if k < 2 { self.bias[j] } else { self.both[j] };
        let step = if k % 2 == 1 { step.add(self.second[j]) } else { step };
        let [one, two] = growth(step);
        networks.hidden_odds[j][k] = networks.hidden_odds[j][k].mul(one).mul(two);
        self.long = self.long.or_differing(two, two.like(SHORT));
    }
}
