//! The error bounds of the exponentials, against values of high precision.

use super::exp::{GAIN, growth, power};
use super::scalar::Scalar;
use super::vector::Vector;

type T = Scalar<false>;

fn scalar(x: f64) -> T {
    // SAFETY: this type needs no particular processor.
    unsafe { T::splat(x) }
}

/// The rows of a fixture: an argument, and its function's value as the sum of two numbers.
fn rows(text: &str) -> impl Iterator<Item = [f64; 3]> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut fields = line.split(' ').map(|field| field.parse().unwrap());
        std::array::from_fn(|_| fields.next().unwrap())
    })
}

#[test]
fn power_stays_within_its_bound() {
    let mut worst = 0.0_f64;
    for [x, high, low] in rows(include_str!("../../../tests/fixtures/kernel-power.txt")) {
        let got = power(scalar(x)).to_lanes()[0];
        let ulp = f64::from_bits(high.to_bits() + 1) - high;
        worst = worst.max(((got - high - low) / ulp).abs());
    }
    println!("power: {worst} ULP");
    assert!(worst < 1.1, "{worst} ULP");
}

#[test]
fn power_is_bounded_and_keeps_nan() {
    let get = |x: f64| power(scalar(x)).to_lanes()[0];
    assert!(get(f64::NAN).is_nan());
    assert!(get(f64::from_bits(f64::NAN.to_bits() | 0xfff)).is_nan());
    assert_eq!(get(f64::INFINITY), get(1e9));
    assert_eq!(get(f64::NEG_INFINITY), get(-1e9));
    assert!(get(f64::INFINITY) < 1e74 && get(f64::NEG_INFINITY) > 1e-74);
    assert_eq!(get(0.0), 1.0);
}

#[test]
fn growth_stays_within_its_bound() {
    let mut worst = 0.0_f64;
    for [x, high, low] in rows(include_str!("../../../tests/fixtures/kernel-growth.txt")) {
        let [one, two] = growth(scalar(x));
        let got = one.mul(two).to_lanes()[0];
        worst = worst.max(((got / GAIN - high - low) / high).abs());
    }
    println!("growth: 2^{}", worst.log2());
    assert!(worst < 1.2e-11, "{worst}");
}
