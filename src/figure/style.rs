//! Colours, fonts and sizes of every figure, in one place.
//!
//! The palette is that of Okabe and Ito (2008), distinguishable for people with any colour vision
//! deficiency. Colours that carry text are darkened for white paper and lightened for dark, to a
//! contrast of 4.5 or more.
//!
//! Every figure is laid out in the same pixels, with letters of the same size; a [`Size`] chooses
//! how many of these pixels the sheet has and how large it then is. So nothing is drawn differently
//! for paper, there is only more or less room.

use clap::ValueEnum;

/// A colour by its red, green and blue parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// This colour at `opacity`, from 0 to 1.
    pub fn at(self, opacity: f64) -> Paint {
        Paint { colour: self, opacity }
    }

    /// The colour on the way to `other`, `share` of it gone.
    pub fn towards(self, other: Self, share: f64) -> Self {
        let part = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share.clamp(0.0, 1.0)).round() as u8;
        Self(part(self.0, other.0), part(self.1, other.1), part(self.2, other.2))
    }

    /// Relative luminance from 0, black, to 1, white (WCAG 2).
    pub fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let share = f64::from(part) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { libm::pow((share + 0.055) / 1.055, 2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{:02X}{:02X}{:02X}", self.0, self.1, self.2)
    }
}

/// A colour with its opacity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paint {
    /// The colour.
    pub colour: Colour,
    /// From 0, invisible, to 1.
    pub opacity: f64,
}

impl From<Colour> for Paint {
    fn from(colour: Colour) -> Self {
        colour.at(1.0)
    }
}

/// Light or dark paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Theme {
    /// Dark on white.
    #[default]
    Light,
    /// Light on near-black.
    Dark,
}

/// What the figure is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Size {
    /// 900 × 560 pixels, for a page or the report.
    #[default]
    Screen,
    /// 1280 × 720 pixels with large letters, 16:9.
    Slide,
    /// 89 mm wide, letters from 6.5 points: one column of a journal.
    OneColumn,
    /// 183 mm wide, letters from 7 points: two columns of a journal.
    TwoColumn,
}

/// How a sheet of some [`Size`] is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sheet {
    /// Width in pixels of the layout.
    pub width: f64,
    /// Height in pixels of the layout.
    pub height: f64,
    /// Width of the document, with its unit.
    pub unit: &'static str,
    /// Document units per pixel of the layout.
    pub factor: f64,
    /// Pixels of the PNG per pixel of the document at 96 to the inch, unless the user says
    /// otherwise.
    pub png_scale: f32,
}

impl Size {
    /// Every size.
    pub const ALL: [Self; 4] = [Self::Screen, Self::Slide, Self::OneColumn, Self::TwoColumn];

    /// The sheet, for a drawing that needs `rows` rows of panels where the sheet is narrow.
    pub fn sheet(self, rows: usize) -> Sheet {
        // 300 dots to the inch, which printers of journals ask for.
        const PRINT: f32 = 3.125;
        let paper = |millimetres: f64, width: f64, height: f64| Sheet {
            width,
            height,
            unit: "mm",
            factor: millimetres / width,
            png_scale: PRINT,
        };
        match self {
            Self::Screen => Sheet { width: 900.0, height: 560.0, unit: "", factor: 1.0, png_scale: 2.0 },
            Self::Slide => Sheet { width: 800.0, height: 450.0, unit: "", factor: 1.6, png_scale: 1.5 },
            Self::OneColumn => paper(89.0, 480.0, 380.0 + 215.0 * (rows.saturating_sub(1)) as f64),
            Self::TwoColumn => paper(183.0, 900.0, 540.0),
        }
    }
}

impl Sheet {
    /// Whether panels have to stand below each other.
    pub fn is_narrow(&self) -> bool {
        self.width < 600.0
    }
}

/// The colours of a [`Theme`].
#[derive(Debug, PartialEq)]
pub struct Palette {
    /// Background.
    pub paper: Colour,
    /// Text and axes.
    pub ink: Colour,
    /// Text of second rank.
    pub soft_ink: Colour,
    /// Grid lines.
    pub grid: Colour,
    /// The data.
    pub data: Colour,
    /// The minimum.
    pub minimum: Colour,
    /// Failed runs.
    pub failed: Colour,
    /// Reference lines in their order: black first, as in the article.
    pub references: [Colour; 4],
    /// Shares of runs: solved, between, two, three and all patterns merged.
    pub basins: [Colour; 5],
    /// Network outputs near 0 and near 1, with the paper between them.
    pub poles: [Colour; 2],
}

impl Theme {
    /// Its colours.
    pub fn palette(self) -> &'static Palette {
        match self {
            Self::Light => &LIGHT,
            Self::Dark => &DARK,
        }
    }
}

/// From the least to the greatest value of a heatmap; lightness rises all the way (viridis).
const RAMP: [Colour; 6] = [
    Colour(68, 1, 84),
    Colour(65, 68, 135),
    Colour(42, 120, 142),
    Colour(34, 168, 132),
    Colour(122, 209, 81),
    Colour(253, 231, 37),
];

static LIGHT: Palette = Palette {
    paper: Colour(255, 255, 255),
    ink: Colour(26, 26, 26),
    soft_ink: Colour(95, 95, 95),
    grid: Colour(228, 228, 228),
    data: Colour(0, 114, 178),
    minimum: Colour(0, 128, 94),
    failed: Colour(196, 26, 46),
    references: [Colour(0, 0, 0), Colour(190, 84, 0), Colour(160, 62, 120), Colour(138, 102, 0)],
    basins: [Colour(0, 158, 115), Colour(200, 200, 200), Colour(240, 228, 66), Colour(230, 159, 0), Colour(176, 66, 0)],
    poles: [Colour(86, 180, 233), Colour(230, 159, 0)],
};

static DARK: Palette = Palette {
    paper: Colour(22, 24, 27),
    ink: Colour(232, 232, 230),
    soft_ink: Colour(169, 173, 178),
    grid: Colour(50, 55, 61),
    data: Colour(86, 180, 233),
    minimum: Colour(46, 204, 155),
    failed: Colour(255, 107, 107),
    references: [Colour(255, 255, 255), Colour(255, 153, 85), Colour(227, 154, 196), Colour(240, 228, 66)],
    basins: [Colour(0, 158, 115), Colour(120, 124, 128), Colour(240, 228, 66), Colour(230, 159, 0), Colour(196, 74, 0)],
    poles: [Colour(28, 96, 148), Colour(176, 108, 0)],
};

impl Palette {
    /// Curves that are compared.
    pub fn series(&self) -> [Colour; 6] {
        let [_, orange, purple, ochre] = self.references;
        [self.data, orange, self.minimum, purple, ochre, self.ink]
    }

    /// The colour of a heatmap at `share` of its range.
    pub fn along_ramp(&self, share: f64) -> Colour {
        let place = share.clamp(0.0, 1.0) * (RAMP.len() - 1) as f64;
        let below = (place as usize).min(RAMP.len() - 2);
        RAMP[below].towards(RAMP[below + 1], place - below as f64)
    }

    /// Black or white, whichever is easier to read on `ground`.
    pub fn text_on(&self, ground: Colour) -> Colour {
        if ground.luminance() > 0.18 { Colour(0, 0, 0) } else { Colour(255, 255, 255) }
    }
}

/// The font, as it is called inside a figure.
pub const FAMILY: &str = "DejaVu Sans";
/// What the SVG names as its font, so that a viewer that cannot read the one inside finds one of
/// equal widths.
pub const FONTS: &str = "DejaVu Sans, Verdana, sans-serif";

/// Size of the title.
pub const TITLE_SIZE: f64 = 19.0;
/// Size of axis labels.
pub const LABEL_SIZE: f64 = 14.0;
/// Size of tick labels, legend and caption.
pub const SMALL_SIZE: f64 = 12.5;
/// From one line of small text to the next.
pub const LINE: f64 = 17.0;
/// Room at the edges of the sheet.
pub const EDGE: f64 = 14.0;

/// Up to this many levels each has its point and bar; beyond, the bars become a band.
pub const MANY_LEVELS: usize = 60;
/// Points beyond this many cannot be told apart on any sheet; levels are then thinned out, evenly.
pub const MOST_POINTS: usize = 2000;
