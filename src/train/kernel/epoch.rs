//! The training loop: three vectors of networks, each in another third of its epoch.

use super::exp::{SHORT, UNIT, quadratic, quotient};
use super::networks::{LEAST, Networks};
use super::vector::Vector;
use crate::train::network::{Outcome, Parameters, Schedule, Task};

/// The vectors in flight.
pub const IN_FLIGHT: usize = 3;

/// The number of epochs between exponentials in full.
const PERIOD: u32 = 64;

const SHORT_UNITS: f64 = SHORT / UNIT;

/// The seldom run parts, kept out of the loop so that they cost it no registers.
///
/// Each implementation is compiled for its instruction set and calls the method of [`Networks`] of the same name.
pub trait Seldom: Vector {
    fn renew_hidden_odds(networks: &mut Networks<Self>, step: Self, limit: f64);
    fn renew_odds(networks: &mut Networks<Self>, step: Self, limit: f64);
    fn judge(networks: &mut Networks<Self>, epoch: u32);
}

/// Sees the first lane's network after each epoch.
pub trait Watch {
    fn see<T: Vector>(&mut self, epoch: u32, networks: &Networks<T>);
}

/// Sees nothing and costs nothing.
pub struct Unwatched;

impl Watch for Unwatched {
    #[inline(always)]
    fn see<T: Vector>(&mut self, _: u32, _: &Networks<T>) {}
}

/// Calls a function with the epoch, its mean loss, and the parameters after it.
pub struct Watched<F>(pub F);

impl<F: FnMut(u32, f64, &Parameters)> Watch for Watched<F> {
    #[inline(always)]
    fn see<T: Vector>(&mut self, epoch: u32, networks: &Networks<T>) {
        (self.0)(epoch, networks.mean_loss(0), &networks.parameters(0));
    }
}

/// One value for each hidden neuron.
macro_rules! neurons {
    ($j:ident => $value:expr) => {
        [
            {
                let $j = 0;
                $value
            },
            {
                let $j = 1;
                $value
            },
        ]
    };
}

/// One value for each pattern.
macro_rules! patterns {
    ($k:ident => $value:expr) => {
        [
            {
                let $k = 0;
                $value
            },
            {
                let $k = 1;
                $value
            },
            {
                let $k = 2;
                $value
            },
            {
                let $k = 3;
                $value
            },
        ]
    };
}

/// A third of an epoch of each: `f` goes forward to its output, `o` changes the output layer, `h` the hidden layer.
///
/// The three have nothing to do with each other. Their statements alternate so that each one's waiting, above all for
/// divisions, is the others' working time: the processor itself looks less than an epoch ahead.
#[inline(always)]
fn advance<T: Seldom>(f: &mut Networks<T>, o: &mut Networks<T>, h: &mut Networks<T>, epochs: [u32; 3]) {
    let zero = f.learning_rate.like(0.0);
    let one = zero.like(1.0);

    // f, o: two reciprocals for one division, of 1 + odds.
    let f_sum = neurons!(j => patterns!(k => f.hidden_odds[j][k].add(one)));
    let f_outer = neurons!(j => one.div(f_sum[j][0].mul(f_sum[j][3])));
    let o_sum = patterns!(k => o.odds[k].add(one));
    let o_outer = one.div(o_sum[0].mul(o_sum[3]));
    let o_inner = one.div(o_sum[1].mul(o_sum[2]));
    let f_inner = neurons!(j => one.div(f_sum[j][1].mul(f_sum[j][2])));

    // h: the steps, and what the odds grow by for each.
    let scale = neurons!(j => h.output_weights[j].mul(h.learning_rate));
    let bias = neurons!(j => scale[j].mul(h.error[0][j]));
    let first = neurons!(j => scale[j].mul(h.error[1][j]));
    let second = neurons!(j => scale[j].mul(h.error[2][j]));
    let by_bias = neurons!(j => quadratic(bias[j]));
    let by_first = neurons!(j => quadratic(first[j]));
    let by_second = neurons!(j => quadratic(second[j]));
    h.hidden_bias = neurons!(j => h.hidden_bias[j].sub(bias[j]));
    h.hidden_weights[0] = neurons!(j => h.hidden_weights[0][j].sub(first[j]));
    h.hidden_weights[1] = neurons!(j => h.hidden_weights[1][j].sub(second[j]));
    let longest = neurons!(j => zero.max_abs(bias[j]).max_abs(first[j]).max_abs(second[j]));
    let h_longest = longest[0].max(longest[1]);
    let by_bias = neurons!(j => quotient(bias[j], by_bias[j]).mul(bias[j]));
    let by_first = neurons!(j => quotient(first[j], by_first[j]).mul(first[j]));
    let by_second = neurons!(j => quotient(second[j], by_second[j]).mul(second[j]));

    // o: the right answers' probabilities, and the errors of all but these times the hidden outputs.
    o.right = o_outer.mul(o_inner);
    let right = [o_outer.mul(o_sum[3]), o_inner.mul(o_sum[2]), o_inner.mul(o_sum[1]), o_outer.mul(o_sum[0])];
    // f: hidden outputs.
    let outer = neurons!(j => [f_outer[j].mul(f_sum[j][3]), f_outer[j].mul(f_sum[j][0])]);
    let inner = neurons!(j => [f_inner[j].mul(f_sum[j][2]), f_inner[j].mul(f_sum[j][1])]);
    let product = patterns!(k => neurons!(j => o.hidden[k][j].neg_mul_add(right[k], o.hidden[k][j])));

    // f: the output's sum.
    let hidden = [
        neurons!(j => outer[j][0]),
        neurons!(j => inner[j][0]),
        neurons!(j => inner[j][1]),
        neurons!(j => outer[j][1]),
    ];
    let output_sum = patterns!(k => hidden[k][0].mul_add(f.output_weights[0], f.output_bias));
    let output_sum = patterns!(k => hidden[k][1].mul_add(f.output_weights[1], output_sum[k]));
    let step = [
        output_sum[0].sub(f.output_sum[0]),
        f.output_sum[1].sub(output_sum[1]),
        f.output_sum[2].sub(output_sum[2]),
        output_sum[3].sub(f.output_sum[3]),
    ];
    f.output_sum = output_sum;
    f.hidden = hidden;

    // f: the odds.
    let grown = patterns!(k => quadratic(step[k]));
    let grown = patterns!(k => quotient(step[k], grown[k]));
    let scaled = patterns!(k => step[k].mul(f.odds[k]));
    f.odds = patterns!(k => grown[k].mul_add(scaled[k], f.odds[k]));
    let f_longest = zero.max_abs(step[0]).max_abs(step[1]).max_abs(step[2]).max_abs(step[3]);

    // h: the hidden odds.
    for j in 0..2 {
        let odds = &mut h.hidden_odds[j];
        let by_both = by_bias[j].mul_add(by_first[j], by_bias[j].add(by_first[j]));
        odds[0] = odds[0].mul_add(by_bias[j], odds[0]);
        let grown = odds[1].mul_add(by_second[j], odds[1]);
        odds[1] = grown.mul_add(by_bias[j], grown);
        odds[2] = odds[2].mul_add(by_both, odds[2]);
        let grown = odds[3].mul_add(by_second[j], odds[3]);
        odds[3] = grown.mul_add(by_both, grown);
    }

    // o: gradients. The signs are those of prediction - target: the patterns 01 and 10 have the target 1.
    let rate = o.learning_rate.mul(one.like(1.0 / UNIT));
    let sum = neurons!(j => product[0][j].sub(product[1][j]).add(product[3][j].sub(product[2][j])));
    let slope = patterns!(k => neurons!(j => product[k][j].neg_mul_add(o.hidden[k][j], product[k][j])));

    // o: the steps of the output layer, and the hidden layer's errors.
    o.output_weights = neurons!(j => sum[j].neg_mul_add(rate, o.output_weights[j]));
    let with_first = neurons!(j => slope[3][j].sub(slope[2][j]));
    let with_second = neurons!(j => slope[3][j].sub(slope[1][j]));
    let all = neurons!(j => slope[0][j].sub(slope[1][j]).add(with_first[j]));
    o.error = [all, with_first, with_second];
    let sum = right[1].sub(right[0]).add(right[2].sub(right[3]));
    o.output_bias = sum.neg_mul_add(rate, o.output_bias);

    if T::any(T::or(o.right.less(one.like(LEAST)), o.ceiling.less(o.right))) {
        T::judge(o, epochs[1]);
    } else {
        o.product = o.product.mul(o.right);
    }
    let renew = epochs[0].is_multiple_of(PERIOD);
    if T::any(one.like(SHORT_UNITS).less(f_longest)) || renew {
        T::renew_odds(f, f_longest, if renew { -1.0 } else { SHORT_UNITS });
    }
    let renew = (epochs[2] + 1).is_multiple_of(PERIOD);
    if T::any(one.like(SHORT_UNITS).less(h_longest)) || renew {
        T::renew_hidden_odds(h, h_longest, if renew { -1.0 } else { SHORT_UNITS });
    }
}

/// Trains up to `IN_FLIGHT` vectors of networks.
///
/// # Safety
/// The processor must have the instruction set of `T`.
#[inline(always)]
pub unsafe fn train<T: Seldom>(tasks: &[Task], schedule: &Schedule, out: &mut [Outcome], watch: &mut impl Watch) {
    let mut parts = tasks.chunks(T::LANES);
    // SAFETY: the caller vouches for the processor.
    let mut groups = [0; IN_FLIGHT + 3].map(|_| unsafe { Networks::<T>::new(parts.next().unwrap_or(&[]), schedule) });
    let thirds = 3 * u64::from(schedule.epochs);
    // Which groups are in the first, second and last third of an epoch; the three idle ones stand in before the first
    // epoch and after the last.
    let mut roles = [IN_FLIGHT, IN_FLIGHT + 1, IN_FLIGHT + 2];
    for time in 0..thirds + 2 {
        let idle = if roles[0] == IN_FLIGHT { IN_FLIGHT + 1 } else { IN_FLIGHT };
        let next = match time {
            0..3 => time as usize,
            _ if time < thirds => roles[2],
            _ => idle,
        };
        roles = [next, roles[0], roles[1]];
        let Ok([f, o, h]) = groups.get_disjoint_mut(roles) else {
            unreachable!("the roles are different groups");
        };
        let epoch = |delay: u64| (time.wrapping_sub(delay) / 3) as u32;
        advance(f, o, h, [epoch(0), epoch(1), epoch(2)]);
        if roles[2] == 0 {
            watch.see(epoch(2), h);
        }
    }
    for (group, out) in groups.iter_mut().zip(out.chunks_mut(T::LANES)) {
        group.finish(out);
    }
}
