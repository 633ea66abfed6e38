//! One drawing for light and dark paper: where the two differ, each colour is a property of the page's style.

use std::collections::BTreeSet;

use crate::figure::Figure;
use crate::figure::font::Letters;
use crate::figure::text::Weight;

/// The font's name where it is part of the page and not of the figure.
pub const FAMILY: &str = "figure";

/// What figures that the page draws itself may need besides: numbers and words in ASCII, and the signs among them.
const SIGNS: &str = "−–—±×·…σ√²≤≥½⅟";

/// A figure as part of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Themed {
    /// The drawing, without font and colours.
    pub svg: String,
    pairs: BTreeSet<[String; 2]>,
    letters: Letters,
}

/// What comes before a colour in a drawing.
const COLOUR: &str = "=\"#";

impl Themed {
    /// Joins two drawings of the same figure, which differ in their colours alone.
    pub fn of(light: &Figure, dark: &Figure) -> Self {
        let (mut svg, mut pairs) = (String::new(), BTreeSet::new());
        for (place, (light, dark)) in light.svg.split(COLOUR).zip(dark.svg.split(COLOUR)).enumerate() {
            let (Some((colour, rest)), Some((other, _)), 1..) = (light.split_once('"'), dark.split_once('"'), place)
            else {
                svg.push_str(light);
                continue;
            };
            if colour == other {
                svg.push_str(&format!("{COLOUR}{colour}\"{rest}"));
            } else {
                let pair = [colour.to_lowercase(), other.to_lowercase()];
                svg.push_str(&format!("=\"var({})\"{rest}", property(&pair)));
                pairs.insert(pair);
            }
        }
        Self { svg, pairs, letters: light.letters.clone() }
    }

    /// The style that `figures` need: the font, once, and the colours of light and dark paper.
    pub fn style<'a>(figures: impl Iterator<Item = &'a Self>) -> String {
        let (mut pairs, mut letters) = (BTreeSet::new(), Letters::default());
        for figure in figures {
            pairs.extend(&figure.pairs);
            letters.join(&figure.letters);
        }
        let ascii: String = (' '..='~').collect();
        letters.note(&format!("{ascii}{SIGNS}"), Weight::Regular);
        let colours = |theme: usize| -> String {
            pairs.iter().map(|pair| format!("{}:#{};", property(pair), pair[theme])).collect()
        };
        format!(
            "{}\n:root{{{}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{}}}}}\n",
            letters.style(FAMILY),
            colours(0),
            colours(1)
        )
    }
}

fn property([light, dark]: &[String; 2]) -> String {
    format!("--{light}-{dark}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(svg: &str) -> Figure {
        Figure { svg: svg.into(), letters: Letters::default(), png_scale: 1.0 }
    }

    #[test]
    fn colours_that_differ_become_properties() {
        let light = figure("<a fill=\"#FFFFFF\"/><b stroke=\"#123456\" x=\"1\">=#</b>");
        let dark = figure("<a fill=\"#000000\"/><b stroke=\"#123456\" x=\"1\">=#</b>");
        let themed = Themed::of(&light, &dark);
        assert_eq!(themed.svg, "<a fill=\"var(--ffffff-000000)\"/><b stroke=\"#123456\" x=\"1\">=#</b>");
        let style = Themed::style([&themed].into_iter());
        assert!(style.contains(":root{--ffffff-000000:#ffffff;}"), "{style}");
        assert!(style.contains("dark){:root{--ffffff-000000:#000000;}}"), "{style}");
    }
}
