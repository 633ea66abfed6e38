//! The number that a text means.

/// What `text` means as a number: what the standard library reads from it, to the last bit, but faster (Lemire 2021).
#[inline]
pub fn parse(text: &[u8]) -> Option<f64> {
    fast_float2::parse(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Equal to the last bit; NaN is NaN.
    fn assert_same(text: &str) {
        let (ours, theirs) = (parse(text.as_bytes()), text.parse::<f64>().ok());
        let same = ours.is_some_and(f64::is_nan) && theirs.is_some_and(f64::is_nan);
        assert!(same || ours.map(f64::to_bits) == theirs.map(f64::to_bits), "{text}: {ours:?}, {theirs:?}");
    }

    #[test]
    fn odd_texts_are_read_as_the_standard_library_reads_them() {
        for text in [
            "",
            "+",
            "-",
            ".",
            "e",
            "1e",
            "1e+",
            "+1",
            "++1",
            ".5",
            "5.",
            "-.5e-3",
            "1_000",
            "0x1",
            "1 ",
            " 1",
            "inf",
            "INF",
            "-inf",
            "+inf",
            "infinity",
            "Infinity",
            "infinit",
            "nan",
            "NaN",
            "-nan",
            "+nan",
            "nan(1)",
            "1e999",
            "-1e999",
            "1e-999",
            "4.9e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "1.7976931348623159e308",
            "9007199254740993",
            "0.1e400",
            "00012",
            "1e00000000000000000001",
            "1E5",
            "1d5",
            "١",
            "1,5",
        ] {
            assert_same(text);
        }
        assert_same(&format!("0.{}1", "0".repeat(400)));
        assert_same(&format!("{}.{}e-800", "9".repeat(800), "1".repeat(800)));
    }

    proptest! {
        #[test]
        fn numbers_are_those_of_the_standard_library(bits: u64, text in "[-+]?[0-9]{0,20}[.]?[0-9]{0,20}([eE][-+]?[0-9]{0,3})?") {
            let number = f64::from_bits(bits);
            for text in [format!("{number:?}"), format!("{number:e}"), format!("{number:.17}"), text] {
                assert_same(&text);
            }
        }
    }
}
