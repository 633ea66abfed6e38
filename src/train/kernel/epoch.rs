//! The training loop: three vectors of networks, each in another third of its epoch.

use std::sync::atomic::{Ordering, compiler_fence};

use super::exp::{GAIN, SHORT, UNIT, growth};
use super::networks::{Networks, RARE};
use super::vector::Vector;
use crate::train::network::{Outcome, Parameters, Schedule, Task};

/// The vectors in flight.
pub const IN_FLIGHT: usize = 3;

/// The number of epochs between exponentials in full.
const PERIOD: u32 = 64;

/// The scale of the odds after each number of epochs since they were computed in full: powers of [`GAIN`].
const SCALES: [f64; PERIOD as usize] = {
    let mut scales = [1.0; PERIOD as usize];
    let mut n = 1;
    while n < scales.len() {
        scales[n] = scales[n - 1] * GAIN;
        n += 1;
    }
    scales
};

/// What takes the product of four scaled numbers to that of the unscaled ones.
const DESCALES: [f64; PERIOD as usize] = {
    let mut factors = [1.0; PERIOD as usize];
    let mut n = 1;
    while n < factors.len() {
        factors[n] = factors[n - 1] / (GAIN * GAIN * GAIN * GAIN);
        n += 1;
    }
    factors
};

/// The seldom run part, kept out of the loop so that it costs it no registers.
///
/// Each implementation is compiled for its instruction set and calls [`seldom`].
pub trait Seldom: Vector {
    fn seldom(groups: [&mut Networks<Self>; 3], epochs: [u32; 3], long: [Self; 2]);
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
/// divisions, is the others' working time: the processor itself looks less than an epoch ahead. The fences cost no
/// instruction; they keep the compiler from undoing this order, which is worth 15 %. It was found by measuring.
#[expect(clippy::needless_range_loop, reason = "the loops are unrolled, and this form of them is the fastest")]
#[inline(always)]
fn advance<T: Seldom>(f: &mut Networks<T>, o: &mut Networks<T>, h: &mut Networks<T>, epochs: [u32; 3]) {
    let zero = f.learning_rate.like(0.0);
    let one = zero.like(1.0);
    let short = zero.like(SHORT);
    let f_scale = zero.like(SCALES[(epochs[0] % PERIOD) as usize]);
    let o_scale = zero.like(SCALES[(epochs[1] % PERIOD) as usize]);
    let o_descale = zero.like(DESCALES[(epochs[1] % PERIOD) as usize]);

    let unit = one.like(1.0 / UNIT);
    let mut f_long = zero;
    // f: two reciprocals of scale + odds for one division.
    let f_sum = neurons!(j => patterns!(k => f.hidden_odds[j][k].add(f_scale)));
    let f_outer0 = f_scale.div(f_sum[0][0].mul(f_sum[0][3]));
    let f_inner0 = f_scale.div(f_sum[0][1].mul(f_sum[0][2]));
    let f_outer1 = f_scale.div(f_sum[1][0].mul(f_sum[1][3]));
    let f_inner1 = f_scale.div(f_sum[1][1].mul(f_sum[1][2]));
    compiler_fence(Ordering::SeqCst);

    // o: the same, times the learning rate.
    let o_sum = patterns!(k => o.odds[k].add(o_scale));
    let rate = o_scale.mul(o.learning_rate);
    let o_outer = o_sum[0].mul(o_sum[3]);
    let o_inner = o_sum[1].mul(o_sum[2]);
    let against = o_outer.mul(o_inner).mul(o_descale);
    let o_outer = rate.div(o_outer);
    let o_inner = rate.div(o_inner);
    o.against = against;
    compiler_fence(Ordering::SeqCst);

    // h: the steps, and what the odds grow by for each.
    let bias = neurons!(j => h.output_weights[j].mul(h.error[0][j]));
    let first = neurons!(j => h.output_weights[j].mul(h.error[1][j]));
    let second = neurons!(j => h.output_weights[j].mul(h.error[2][j]));
    let both = neurons!(j => first[j].add(bias[j]));
    h.hidden_bias = neurons!(j => h.hidden_bias[j].sub(bias[j]));
    h.hidden_weights[0] = neurons!(j => h.hidden_weights[0][j].sub(first[j]));
    h.hidden_weights[1] = neurons!(j => h.hidden_weights[1][j].sub(second[j]));
    let hidden_step = neurons!(j => [bias[j], bias[j].add(second[j]), both[j], both[j].add(second[j])]);
    let mut h_long = zero;
    macro_rules! grow {
        ($j:literal, $k:literal) => {
            let [one, two] = growth(hidden_step[$j][$k]);
            h.hidden_odds[$j][$k] = h.hidden_odds[$j][$k].mul(one).mul(two);
            h_long = h_long.or_differing(two, short);
        };
    }
    grow!(0, 0);
    grow!(0, 1);
    grow!(1, 0);
    grow!(1, 1);
    // f: hidden outputs, and the output's sum.
    let hidden0 =
        [f_outer0.mul(f_sum[0][3]), f_inner0.mul(f_sum[0][2]), f_inner0.mul(f_sum[0][1]), f_outer0.mul(f_sum[0][0])];
    let output_sum = patterns!(k => hidden0[k].mul_add(f.output_weights[0], f.output_bias));
    grow!(0, 2);
    grow!(0, 3);
    // o: the errors.
    let right = [o_outer.mul(o_sum[3]), o_inner.mul(o_sum[2]), o_inner.mul(o_sum[1]), o_outer.mul(o_sum[0])];
    let wrong = patterns!(k => o.learning_rate.sub(right[k]));
    let hidden1 =
        [f_outer1.mul(f_sum[1][3]), f_inner1.mul(f_sum[1][2]), f_inner1.mul(f_sum[1][1]), f_outer1.mul(f_sum[1][0])];
    compiler_fence(Ordering::SeqCst);

    let output_sum = patterns!(k => hidden1[k].mul_add(f.output_weights[1], output_sum[k]));
    let step = [
        output_sum[0].sub(f.output_sum[0]),
        f.output_sum[1].sub(output_sum[1]),
        f.output_sum[2].sub(output_sum[2]),
        output_sum[3].sub(f.output_sum[3]),
    ];
    f.output_sum = output_sum;
    f.hidden = patterns!(k => [hidden0[k], hidden1[k]]);
    // o: the errors times hidden outputs.
    let product0 = patterns!(k => o.hidden[k][0].mul(wrong[k]));
    grow!(1, 2);
    grow!(1, 3);
    let product1 = patterns!(k => o.hidden[k][1].mul(wrong[k]));
    compiler_fence(Ordering::SeqCst);

    // f: the odds.
    for k in 0..2 {
        let [one, two] = growth(step[k]);
        f.odds[k] = f.odds[k].mul(one).mul(two);
        f_long = f_long.or_differing(two, short);
    }
    // o: steps of the output layer, and the hidden layer's errors. The signs are those of prediction - target: the
    // patterns 01 and 10 have the target 1.
    let sum = product0[0].sub(product0[1]).add(product0[3].sub(product0[2]));
    o.output_weights[0] = sum.neg_mul_add(unit, o.output_weights[0]);
    let slope = patterns!(k => product0[k].neg_mul_add(o.hidden[k][0], product0[k]));
    let with_first = slope[3].sub(slope[2]);
    o.error[1][0] = with_first;
    o.error[2][0] = slope[3].sub(slope[1]);
    o.error[0][0] = slope[0].sub(slope[1]).add(with_first);
    compiler_fence(Ordering::SeqCst);

    for k in 2..4 {
        let [one, two] = growth(step[k]);
        f.odds[k] = f.odds[k].mul(one).mul(two);
        f_long = f_long.or_differing(two, short);
    }
    let sum = product1[0].sub(product1[1]).add(product1[3].sub(product1[2]));
    o.output_weights[1] = sum.neg_mul_add(unit, o.output_weights[1]);
    let slope = patterns!(k => product1[k].neg_mul_add(o.hidden[k][1], product1[k]));
    let with_first = slope[3].sub(slope[2]);
    o.error[1][1] = with_first;
    o.error[2][1] = slope[3].sub(slope[1]);
    o.error[0][1] = slope[0].sub(slope[1]).add(with_first);
    let sum = wrong[0].sub(wrong[1]).add(wrong[3].sub(wrong[2]));
    o.output_bias = sum.neg_mul_add(unit, o.output_bias);
    compiler_fence(Ordering::SeqCst);

    let odd = T::either(one.like(RARE).less(o.against), o.against.less(o.floor));
    let long = f_long.or(h_long).high();
    if T::any(T::either(odd, long)) | epochs[0].is_multiple_of(PERIOD) | (epochs[2] + 1).is_multiple_of(PERIOD) {
        T::seldom([f, o, h], epochs, [f_long, h_long]);
    } else {
        o.product = o.product.mul(o.against);
    }
}

/// What is left of [`advance`] where anything is not as usual.
#[inline(always)]
pub fn seldom<T: Vector>([f, o, h]: [&mut Networks<T>; 3], epochs: [u32; 3], [f_long, h_long]: [T; 2]) {
    let zero = f_long.like(0.0);
    let one = zero.like(1.0);
    let scale = |epoch: u32| zero.like(SCALES[(epoch % PERIOD) as usize]);
    if T::any(T::either(one.like(RARE).less(o.against), o.against.less(o.floor))) {
        o.judge(epochs[1], scale(epochs[1]));
    } else {
        o.product = o.product.mul(o.against);
    }
    let renew = epochs[0].is_multiple_of(PERIOD);
    if T::any(f_long.high()) || renew {
        f.renew_odds(if renew { zero.less(one) } else { f_long.high() }, scale(epochs[0]));
    }
    let renew = (epochs[2] + 1).is_multiple_of(PERIOD);
    if T::any(h_long.high()) || renew {
        h.renew_hidden_odds(if renew { zero.less(one) } else { h_long.high() }, scale(epochs[2] + 1));
    }
}

/// The scale of the odds in the last epoch.
fn last_scale(epochs: u32) -> f64 {
    SCALES[((epochs - 1) % PERIOD) as usize]
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
        group.finish(out, last_scale(schedule.epochs));
    }
}
