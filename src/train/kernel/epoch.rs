//! The training loop: three vectors of networks, each in another third of its epoch.

use std::sync::atomic::{Ordering, compiler_fence};

use super::exp::GAIN;
use super::networks::{Networks, RARE};
use super::thirds::{EQUAL, Forward, Hidden, Output, UNEQUAL};
use super::vector::Vector;
use crate::train::network::{Outcome, Parameters, Schedule, Task};

/// The vectors in flight.
pub const IN_FLIGHT: usize = 3;

/// The number of epochs after which scale and products are moved back to 1: their powers stay normal as long.
const PERIOD: u32 = 128;

/// The number of epochs between exponentials in full, a multiple of `PERIOD`.
const RENEWAL: u32 = 512;

/// The scale of the odds by the number of epochs of the present period: powers of [`GAIN`].
const SCALES: [f64; PERIOD as usize] = {
    let mut scales = [1.0; PERIOD as usize];
    let mut n = 1;
    while n < scales.len() {
        scales[n] = scales[n - 1] * GAIN;
        n += 1;
    }
    scales
};

/// What takes the odds from the scale that a period ends with back to 1.
const RESCALE: f64 = 1.0 / (SCALES[PERIOD as usize - 1] * GAIN);

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

/// A third of an epoch of each: `f` goes forward to its output, `o` changes the output layer, `h` the hidden layer.
///
/// The three have nothing to do with each other. Their parts alternate so that each one's waiting, above all for
/// divisions, is the others' working time: the processor itself looks less than an epoch ahead. The fences cost no
/// instruction; they keep the compiler from undoing the order. It is worth 20 % and was found by trying: random moves of
/// parts and fences, each kept where the loop got faster. What suits 32 registers makes too many values wait in memory
/// where there are 16.
#[inline(always)]
fn advance<T: Seldom>(f: &mut Networks<T>, o: &mut Networks<T>, h: &mut Networks<T>, epochs: [u32; 3]) {
    let one = f.learning_rate.like(1.0);
    let mut forward = Forward::new(one.like(SCALES[(epochs[0] % PERIOD) as usize]));
    let mut output = Output::new(one.like(SCALES[(epochs[1] % PERIOD) as usize]));
    let descale = one.like(DESCALES[(epochs[1] % PERIOD) as usize]);
    let mut hidden = Hidden::new(one.like(0.0));
    macro_rules! part {
        (o against) => { output.against(o, descale) };
        (f divide $j:expr, $pair:expr) => { forward.divide($j, $pair) };
        (o divide $pair:expr) => { output.divide($pair) };
        (f $part:ident $($argument:expr),*) => { forward.$part(f $(, $argument)*) };
        (o $part:ident $($argument:expr),*) => { output.$part(o $(, $argument)*) };
        (h $part:ident $($argument:expr),*) => { hidden.$part(h $(, $argument)*) };
    }
    // Parts of the thirds; a semicolon is a fence.
    macro_rules! in_order {
        ($($third:ident.$part:ident($($argument:expr),*))* $(; $($then:ident.$next:ident($($more:expr),*))*)*) => {
            $(part!($third $part $($argument),*);)*
            $(
                compiler_fence(Ordering::SeqCst);
                $(part!($then $next $($more),*);)*
            )*
        };
    }
    if T::REGISTERS >= 32 {
        in_order! {
            f.sums(0, EQUAL) f.sums(0, UNEQUAL) f.divide(0, UNEQUAL) f.divide(0, EQUAL) f.sums(1, EQUAL);
            f.divide(1, EQUAL);
            o.rate() o.sums(EQUAL) o.sums(UNEQUAL);
            h.steps(0) h.grow(0, 2) h.steps(1) f.sums(1, UNEQUAL) h.weights(0) o.divide(EQUAL) o.against()
            o.divide(UNEQUAL) h.weights(1) f.hidden(0, EQUAL) f.hidden(0, UNEQUAL);
            f.first_neuron(EQUAL) f.divide(1, UNEQUAL) f.first_neuron(UNEQUAL) o.wrong(EQUAL) o.wrong(UNEQUAL)
            h.grow(0, 0) h.grow(0, 1) h.grow(0, 3) f.hidden(1, UNEQUAL) h.grow(1, 0) f.hidden(1, EQUAL)
            h.grow(1, 1);
            f.second_neuron(UNEQUAL) o.gradients(0, EQUAL) o.gradients(0, UNEQUAL) f.second_neuron(EQUAL)
            o.gradients(1, UNEQUAL) o.slopes(0, EQUAL) o.weight(0) h.grow(1, 2) h.grow(1, 3) o.bias()
            o.gradients(1, EQUAL) o.slopes(0, UNEQUAL) o.errors(0) f.grow(2) f.grow(1) o.weight(1)
            o.slopes(1, EQUAL) o.slopes(1, UNEQUAL) f.grow(0) o.errors(1) f.grow(3)
        }
    } else {
        in_order! {
            f.sums(0, EQUAL) f.divide(0, EQUAL) f.sums(0, UNEQUAL) f.divide(0, UNEQUAL) f.sums(1, EQUAL)
            f.divide(1, EQUAL);
            f.sums(1, UNEQUAL) f.divide(1, UNEQUAL);
            o.rate() o.sums(EQUAL) o.sums(UNEQUAL) o.against() o.divide(EQUAL) o.divide(UNEQUAL);
            h.steps(0) h.steps(1) h.weights(0) h.weights(1) h.grow(0, 0) h.grow(0, 1) h.grow(1, 0) h.grow(1, 1)
            f.hidden(0, EQUAL) f.hidden(0, UNEQUAL) f.first_neuron(EQUAL) f.first_neuron(UNEQUAL) h.grow(0, 2)
            h.grow(0, 3) o.wrong(EQUAL) o.wrong(UNEQUAL) f.hidden(1, EQUAL) f.hidden(1, UNEQUAL)
            f.second_neuron(EQUAL) f.second_neuron(UNEQUAL) h.grow(1, 3) o.gradients(0, EQUAL)
            o.gradients(1, UNEQUAL);
            f.grow(0) f.grow(1) o.gradients(0, UNEQUAL) h.grow(1, 2) o.gradients(1, EQUAL) o.weight(0)
            o.slopes(0, EQUAL) o.slopes(0, UNEQUAL) o.errors(0);
            f.grow(2) f.grow(3) o.weight(1) o.slopes(1, EQUAL) o.slopes(1, UNEQUAL) o.errors(1) o.bias();
        }
    }

    let odd = T::either(one.like(RARE).less(o.against), o.against.less(o.floor));
    let long = forward.long.or(hidden.long).high();
    if T::any(T::either(odd, long)) | epochs[0].is_multiple_of(PERIOD) | (epochs[2] + 1).is_multiple_of(PERIOD) {
        T::seldom([f, o, h], epochs, [forward.long, hidden.long]);
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
    if epochs[0].is_multiple_of(PERIOD) {
        f.begin_period(zero.like(RESCALE));
    }
    if (epochs[2] + 1).is_multiple_of(PERIOD) {
        h.rescale_hidden_odds(zero.like(RESCALE));
    }
    let renew = epochs[0].is_multiple_of(RENEWAL);
    if T::any(f_long.high()) || renew {
        f.renew_odds(if renew { zero.less(one) } else { f_long.high() }, scale(epochs[0]));
    }
    let renew = (epochs[2] + 1).is_multiple_of(RENEWAL);
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
