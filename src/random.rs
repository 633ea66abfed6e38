//! Random numbers that belong to a run, not to a moment: counter-based, so that any draw can be
//! made again by itself.
//!
//! **Generator.** Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011): ten rounds of multiplication
//! and exchange turn a 128-bit counter and a 64-bit key into 128 random bits. It passes BigCrush,
//! has published known answers (tested below), and needs no state: neither threads nor order can
//! matter. Why not a crate: `rand` and `rand_distr` change values between minor versions, and a
//! ziggurat draws a variable number of words.
//!
//! **Normals by inversion.** z = Φ⁻¹(u) with u = (k + ½)/2⁵² for a 52-bit k, exact in a double and
//! never 0 or 1; Φ⁻¹ by Wichura's AS 241 (1988), relative error about 1e-16, with `libm`'s
//! logarithm: the same bits on every platform. One uniform gives one normal, so that a draw's place
//! in the stream is known. The largest possible |z| is 8.2.

/// Four random words for one counter and one key.
pub fn philox4x32_10(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
    const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
    for _ in 0..10 {
        let [low0, high0] = halves(u64::from(MULTIPLIERS[0]) * u64::from(counter[0]));
        let [low1, high1] = halves(u64::from(MULTIPLIERS[1]) * u64::from(counter[2]));
        counter = [high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

/// The low and the high word of `value`.
pub fn halves(value: u64) -> [u32; 2] {
    [value as u32, (value >> 32) as u32]
}

/// A standard normal from 64 random bits, of which the upper 52 are used.
pub fn standard_normal(bits: u64) -> f64 {
    normal_quantile(((bits >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64))
}

/// Random words one after another: word i of stream `replicate` depends on the seed, the replicate
/// and i alone, so that replicates can be made in any order and by any thread.
#[derive(Debug, Clone)]
pub struct Stream {
    key: [u32; 2],
    replicate: [u32; 2],
    /// Which use of the seed it serves, so that two uses never share words.
    purpose: u32,
    block: u32,
    words: [u64; 2],
    left: usize,
}

impl Stream {
    /// The stream of `replicate` for `purpose` under `seed`.
    pub fn new(seed: u64, purpose: u32, replicate: u64) -> Self {
        Self { key: halves(seed), replicate: halves(replicate), purpose, block: 0, words: [0; 2], left: 0 }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        if self.left == 0 {
            let [a, b, c, d] =
                philox4x32_10([self.block, self.purpose, self.replicate[0], self.replicate[1]], self.key);
            self.words = [u64::from(d) << 32 | u64::from(c), u64::from(b) << 32 | u64::from(a)];
            self.block = self.block.wrapping_add(1);
            self.left = 2;
        }
        self.left -= 1;
        self.words[self.left]
    }

    /// A standard normal.
    pub fn normal(&mut self) -> f64 {
        standard_normal(self.bits())
    }

    /// As many standard normals, those that [`Self::normal`] gives one after another: the processor
    /// works out several at once.
    pub fn normals(&mut self, count: usize) -> Vec<f64> {
        /// So many stay in the nearest cache.
        const TOGETHER: usize = 64;
        let mut normals = vec![0.0; count];
        let mut uniforms = [0.0; TOGETHER];
        for normals in normals.chunks_mut(TOGETHER) {
            uniforms[..normals.len()].fill_with(|| self.uniform());
            // Wrong beyond the centre, for one in seven, but without a branch.
            normals.iter_mut().zip(&uniforms).for_each(|(normal, p)| *normal = central_quantile(p - 0.5));
            for (normal, p) in normals.iter_mut().zip(&uniforms) {
                if !is_central(p - 0.5) {
                    *normal = outer_quantile(*p);
                }
            }
        }
        normals
    }

    /// A uniform in (0, 1), never an end.
    pub fn uniform(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
    }

    /// A whole number below `bound`, by the high half of a product (Lemire 2019); its bias is below
    /// `bound` / 2⁶⁴.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// Student's t with `freedom` degrees of freedom: z / √(χ²/ν), χ² by Marsaglia and Tsang
    /// (2000). For freedom ≥ 1.
    pub fn student_t(&mut self, freedom: f64) -> f64 {
        let z = self.normal();
        if freedom > 1e6 { z } else { z / libm::sqrt(self.chi_squared(freedom) / freedom) }
    }

    /// χ²_ν / ν, the ratio of an estimated variance to the true one, with ν = `freedom` degrees of
    /// freedom.
    pub fn variance_ratio(&mut self, freedom: f64) -> f64 {
        if freedom > 1e6 { 1.0 } else { self.chi_squared(freedom) / freedom }
    }

    fn chi_squared(&mut self, freedom: f64) -> f64 {
        // The method wants a shape of at least 1; below, a power of a uniform corrects the shape
        // above it.
        let shape = freedom / 2.0;
        let boost = if shape < 1.0 { libm::pow(self.uniform(), 1.0 / shape) } else { 1.0 };
        let d = if shape < 1.0 { shape + 1.0 } else { shape } - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        loop {
            let z = self.normal();
            let v = 1.0 + c * z;
            let v = v * v * v;
            if v > 0.0 && libm::log(self.uniform()) < 0.5 * z * z + d - d * v + d * libm::log(v) {
                return 2.0 * d * v * boost;
            }
        }
    }
}

/// Φ⁻¹(p) for p in (0, 1): algorithm AS 241, PPND16 (Wichura 1988).
fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if is_central(q) { central_quantile(q) } else { outer_quantile(p) }
}

/// Whether Φ⁻¹(½ + `q`) is that of the centre.
fn is_central(q: f64) -> bool {
    q.abs() <= 0.425
}

#[inline]
fn central_quantile(q: f64) -> f64 {
    q * ratio(&CENTRE, 0.180625 - q * q)
}

fn outer_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    let r = libm::sqrt(-libm::log(if q < 0.0 { p } else { 1.0 - p }));
    let z = if r <= 5.0 { ratio(&MIDDLE, r - 1.6) } else { ratio(&TAIL, r - 5.0) };
    if q < 0.0 { -z } else { z }
}

/// Coefficients of numerator and denominator, lowest degree first.
type Rational = [[f64; 8]; 2];

#[inline]
fn ratio([numerator, denominator]: &Rational, x: f64) -> f64 {
    let horner = |coefficients: &[f64; 8]| coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c);
    horner(numerator) / horner(denominator)
}

const CENTRE: Rational = [
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_545e3,
    ],
];
const MIDDLE: Rational = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];
const TAIL: Rational = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    /// `kat_vectors` of Random123 1.14: philox 4x32, 10 rounds.
    #[test]
    fn philox_known_answers() {
        let cases = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in cases {
            assert_eq!(philox4x32_10(counter, key), expected);
        }
    }

    /// Quantiles by mpmath 1.3.0 at 60 digits, for the 52-bit number k.
    #[test]
    fn normals_equal_mpmath() {
        let cases: [(u64, f64); 14] = [
            (0, -8.209536151601387),
            (1, -8.076571004130125),
            (1048576, -6.230260063289479),
            (549755813888, -3.6683292851210902),
            (70368744177664, -2.1538746940614533),
            (562949953421312, -1.1503493803760076),
            (844424930131968, -0.8871465590188756),
            (2251799813685247, -2.782916424671767e-16),
            (2251799813685248, 2.782916424671767e-16),
            (2251799813697593, 6.871298944157059e-12),
            (4503049871556608, 3.6683292851215556),
            (4503599627370495, 8.209536151601387),
            (112589990684262, -1.9599639845400538),
            (346430740566961, -1.4260768722728467),
        ];
        for (k, expected) in cases {
            let z = standard_normal(k << 12);
            // AS 241 is good to 1e-16; near 0 the subtraction p − ½ is exact.
            assert!((z - expected).abs() <= 4.0 * f64::EPSILON * expected.abs(), "{k}: {z} {expected}");
        }
    }

    #[test]
    fn streams_are_functions_of_their_name() {
        let words = |seed, purpose, replicate| {
            let mut stream = Stream::new(seed, purpose, replicate);
            [stream.bits(), stream.bits(), stream.bits()]
        };
        assert_eq!(words(1, 2, 3), words(1, 2, 3));
        for other in [words(2, 2, 3), words(1, 3, 3), words(1, 2, 4)] {
            assert_ne!(words(1, 2, 3), other);
        }
        let mut stream = Stream::new(5, 0, 0);
        assert!((0..1000).all(|_| stream.below(3) < 3));
    }

    #[test]
    fn student_t_has_its_variance() {
        const N: u32 = 100_000;
        // Variance ν/(ν−2); that of t² is 2ν²(ν−1)/((ν−2)²(ν−4)). Five standard errors.
        for freedom in [5.0f64, 24.0, 300.0] {
            let mut stream = Stream::new(9, 0, freedom as u64);
            let square = (0..N).map(|_| stream.student_t(freedom).powi(2)).sum::<f64>() / f64::from(N);
            let of_square = 2.0 * freedom * freedom * (freedom - 1.0) / ((freedom - 2.0).powi(2) * (freedom - 4.0));
            let margin = 5.0 * (of_square / f64::from(N)).sqrt();
            assert!((square - freedom / (freedom - 2.0)).abs() < margin, "{freedom}: {square}");
        }
    }

    #[test]
    fn normals_have_the_moments_of_a_normal() {
        const N: u32 = 200_000;
        let draws: Vec<f64> = (0..N)
            .flat_map(|i| {
                let [a, b, c, d] = philox4x32_10([i, 0, 0, 0], [7, 0]);
                [(a, b), (c, d)].map(|(low, high)| standard_normal(u64::from(high) << 32 | u64::from(low)))
            })
            .collect();
        let moment = |power: i32| draws.iter().map(|z| z.powi(power)).sum::<f64>() / draws.len() as f64;
        // Five standard errors of each moment of 400,000 normals.
        for (power, expected, variance) in [(1, 0.0, 1.0f64), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
            let margin = 5.0 * (variance / draws.len() as f64).sqrt();
            assert!((moment(power) - expected).abs() < margin, "moment {power}: {}", moment(power));
        }
    }
    #[test]
    fn many_normals_are_those_one_after_another() {
        for count in [0, 1, 2, 63, 64, 65, 1000] {
            let (mut many, mut one) = (Stream::new(3, 1, 7), Stream::new(3, 1, 7));
            // From either half of a block of words.
            for _ in 0..3 {
                let alone: Vec<u64> = (0..count).map(|_| one.normal().to_bits()).collect();
                assert!(many.normals(count).iter().map(|normal| normal.to_bits()).eq(alone));
                assert_eq!(many.bits(), one.bits());
            }
        }
    }
}
