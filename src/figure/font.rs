//! The font of a figure, inside it: the letters that it uses and no others, so that it looks the same everywhere.
//!
//! DejaVu Sans, whose licence allows to embed parts of it, as TrueType tables (Apple and Microsoft, OpenType 1.9): outlines,
//! widths and the table from characters to glyphs. Left out is what a few labels do not need: hints for coarse screens,
//! kerning, ligatures. Characters beyond the Basic Multilingual Plane, and those that the font lacks, are left to the viewer.
//! Why not a crate: `subsetter` drops the table of characters, which PDF does not need but browsers do; the others bring a whole
//! font compiler along.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ttf_parser::{Face, Tag};

use crate::figure::text::{Weight, face};

/// The characters that are used of each cut of the font.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letters {
    regular: BTreeSet<char>,
    bold: BTreeSet<char>,
}

impl Letters {
    /// Notes the characters of `text`.
    pub fn note(&mut self, text: &str, weight: Weight) {
        let used = if weight == Weight::Bold { &mut self.bold } else { &mut self.regular };
        used.extend(text.chars());
    }

    /// Notes those of `other`.
    pub fn join(&mut self, other: &Self) {
        self.regular.extend(&other.regular);
        self.bold.extend(&other.bold);
    }

    /// Style rules that make these letters known as the font `family`.
    pub fn style(&self, family: &str) -> String {
        let cuts = [(Weight::Regular, "normal", &self.regular), (Weight::Bold, "bold", &self.bold)];
        let rule = |(weight, name, used): (Weight, &str, &BTreeSet<char>)| {
            if used.is_empty() {
                return None;
            }
            let font = STANDARD.encode(subset(face(weight)?, used)?);
            // While a viewer reads it, text shows in the next font, which has the same widths.
            Some(format!(
                "@font-face{{font-family:\"{family}\";font-weight:{name};font-display:swap;src:url(data:font/ttf;base64,{font}) format(\"truetype\")}}"
            ))
        };
        cuts.into_iter().filter_map(rule).collect()
    }
}

/// A font with the glyphs of `used`; nothing if `face` has no TrueType outlines, which the shipped one has.
fn subset(face: &Face<'_>, used: &BTreeSet<char>) -> Option<Vec<u8>> {
    let known = |c: &char| Some((u16::try_from(u32::from(*c)).ok()?, face.glyph_index(*c)?.0));
    let characters: BTreeMap<u16, u16> = used.iter().filter_map(known).collect();
    let glyphs = Glyphs::of(face, characters.values().copied())?;
    let place = |glyph: &u16| glyphs.place(*glyph);
    let characters: Vec<(u16, u16)> = characters.iter().map(|(c, glyph)| (*c, place(glyph))).collect();
    let table = |name: &[u8; 4]| face.raw_face().table(Tag::from_bytes(name)).map(<[u8]>::to_vec);
    let count = (glyphs.kept.len() as u16).to_be_bytes();

    let (mut head, mut hhea, mut maxp) = (table(b"head")?, table(b"hhea")?, table(b"maxp")?);
    head.get_mut(8..12)?.fill(0); // the sum of all, put in at the end
    head.get_mut(50..52)?.copy_from_slice(&[0, 1]); // offsets of 32 bits
    hhea.get_mut(34..36)?.copy_from_slice(&count);
    maxp.get_mut(4..6)?.copy_from_slice(&count);
    maxp.get_mut(14..28)?.fill(0); // what hints need
    maxp.get_mut(14..16)?.copy_from_slice(&[0, 1]);
    let mut post = table(b"post")?.get(..32)?.to_vec();
    post[..4].copy_from_slice(&[0, 3, 0, 0]); // without names of glyphs
    let (glyf, loca) = glyphs.outlines()?;
    // In the order of their names, as the directory has to be.
    let tables = [
        (b"OS/2", table(b"OS/2")?),
        (b"cmap", cmap(&characters)),
        (b"glyf", glyf),
        (b"head", head),
        (b"hhea", hhea),
        (b"hmtx", glyphs.widths()?),
        (b"loca", loca),
        (b"maxp", maxp),
        (b"name", names(&table(b"name")?)?),
        (b"post", post),
    ];
    Some(assembled(&tables))
}

/// The glyphs that are kept, ascending by their number in the whole font.
struct Glyphs<'a> {
    kept: Vec<u16>,
    glyf: &'a [u8],
    loca: &'a [u8],
    hmtx: &'a [u8],
    long_loca: bool,
    long_metrics: u16,
}

/// Flags of a part of a composite glyph.
const WORDS: u16 = 1;
const SCALE: u16 = 8;
const MORE: u16 = 0x20;
const TWO_SCALES: u16 = 0x40;
const MATRIX: u16 = 0x80;
const INSTRUCTIONS: u16 = 0x100;

impl<'a> Glyphs<'a> {
    /// `wanted`, the one for what is missing, and the parts that they are composed of.
    fn of(face: &Face<'a>, wanted: impl Iterator<Item = u16>) -> Option<Self> {
        let table = |name: &[u8; 4]| face.raw_face().table(Tag::from_bytes(name));
        let mut glyphs = Self {
            kept: Vec::new(),
            glyf: table(b"glyf")?,
            loca: table(b"loca")?,
            hmtx: table(b"hmtx")?,
            long_loca: number(table(b"head")?, 50)? != 0,
            long_metrics: number(table(b"hhea")?, 34)?,
        };
        let mut kept: BTreeSet<u16> = [0].into_iter().chain(wanted).collect();
        let mut open: Vec<u16> = kept.iter().copied().collect();
        while let Some(glyph) = open.pop() {
            let outline = glyphs.outline(glyph)?;
            for part in parts(outline)? {
                let part = number(outline, part + 2)?;
                if kept.insert(part) {
                    open.push(part);
                }
            }
        }
        glyphs.kept = kept.into_iter().collect();
        Some(glyphs)
    }

    /// The new number of a glyph that is kept.
    fn place(&self, glyph: u16) -> u16 {
        self.kept.binary_search(&glyph).unwrap_or(0) as u16
    }

    fn outline(&self, glyph: u16) -> Option<&'a [u8]> {
        let glyph = usize::from(glyph);
        let offset = |at: usize| -> Option<usize> {
            if self.long_loca {
                Some(u32::from_be_bytes(self.loca.get(4 * at..4 * at + 4)?.try_into().ok()?) as usize)
            } else {
                Some(2 * usize::from(number(self.loca, 2 * at)?))
            }
        };
        self.glyf.get(offset(glyph)?..offset(glyph + 1)?)
    }

    /// The tables of outlines, without hints, and of where each begins.
    fn outlines(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let (mut glyf, mut loca) = (Vec::new(), vec![0; 4]);
        for glyph in &self.kept {
            glyf.extend(self.unhinted(self.outline(*glyph)?)?);
            glyf.resize(glyf.len().next_multiple_of(4), 0);
            loca.extend((glyf.len() as u32).to_be_bytes());
        }
        Some((glyf, loca))
    }

    fn unhinted(&self, outline: &[u8]) -> Option<Vec<u8>> {
        if outline.is_empty() {
            return Some(Vec::new());
        }
        if !is_composite(outline)? {
            let end = 10 + 2 * usize::from(number(outline, 0)?);
            let hints = usize::from(number(outline, end)?);
            return Some([outline.get(..end)?, &[0, 0], outline.get(end + 2 + hints..)?].concat());
        }
        let parts = parts(outline)?;
        let mut plain = outline.to_vec();
        for part in &parts {
            let flags = number(outline, *part)? & !INSTRUCTIONS;
            plain.get_mut(*part..part + 2)?.copy_from_slice(&flags.to_be_bytes());
            let place = self.place(number(outline, part + 2)?);
            plain.get_mut(part + 2..part + 4)?.copy_from_slice(&place.to_be_bytes());
        }
        let last = *parts.last()?;
        plain.truncate(last + part_length(number(outline, last)?));
        Some(plain)
    }

    /// The table of widths and left bearings.
    fn widths(&self) -> Option<Vec<u8>> {
        let mut table = Vec::new();
        for glyph in &self.kept {
            let (own, long) = (usize::from(*glyph), usize::from(self.long_metrics));
            // Glyphs beyond the last width share it.
            table.extend(self.hmtx.get(4 * own.min(long - 1)..)?.get(..2)?);
            let bearing = if own < long { 4 * own + 2 } else { 4 * long + 2 * (own - long) };
            table.extend(self.hmtx.get(bearing..bearing + 2)?);
        }
        Some(table)
    }
}

fn is_composite(outline: &[u8]) -> Option<bool> {
    Some(number(outline, 0)? > i16::MAX as u16)
}

/// Where each part of a composite glyph begins; nothing of a simple one.
fn parts(outline: &[u8]) -> Option<Vec<usize>> {
    let mut found = Vec::new();
    if outline.is_empty() || !is_composite(outline)? {
        return Some(found);
    }
    let mut at = 10;
    loop {
        let flags = number(outline, at)?;
        found.push(at);
        if flags & MORE == 0 {
            return Some(found);
        }
        at += part_length(flags);
    }
}

/// Bytes of a part with these flags.
fn part_length(flags: u16) -> usize {
    let offsets = if flags & WORDS != 0 { 4 } else { 2 };
    let scales = [(SCALE, 2), (TWO_SCALES, 4), (MATRIX, 8)];
    4 + offsets + scales.iter().find(|(flag, _)| flags & flag != 0).map_or(0, |(_, length)| *length)
}

/// The table from characters to glyphs: one segment a character, format 4.
fn cmap(characters: &[(u16, u16)]) -> Vec<u8> {
    const LAST: u16 = u16::MAX;
    let segments = characters.len() as u16 + 1;
    let exponent = segments.ilog2();
    let range = 2u16 << exponent;
    let ends = || characters.iter().map(|(c, _)| *c).chain([LAST]);
    let deltas = characters.iter().map(|(c, glyph)| glyph.wrapping_sub(*c)).chain([1]);
    let mut numbers = vec![4, 16 + 8 * segments, 0, 2 * segments, range, exponent as u16, 2 * segments - range];
    numbers.extend(ends().chain([0]).chain(ends()).chain(deltas));
    numbers.extend(std::iter::repeat_n(0, usize::from(segments)));
    // One table, for Unicode on Windows, which every system understands; it begins at byte 12.
    [0, 1, 3, 1, 0, 12].into_iter().chain(numbers).flat_map(u16::to_be_bytes).collect()
}

/// The table of names: copyright, family, style, full name and where the licence is, of those for Windows.
fn names(table: &[u8]) -> Option<Vec<u8>> {
    const RECORD: usize = 12;
    let (count, texts) = (usize::from(number(table, 2)?), usize::from(number(table, 4)?));
    let record = |i: usize| table.get(6 + RECORD * i..6 + RECORD * (i + 1));
    let field = |record: &[u8], at: usize| number(record, 2 * at);
    let is_kept = |record: &&[u8]| field(record, 0) == Some(3) && matches!(field(record, 3), Some(0 | 1 | 2 | 4 | 14));
    let kept: Vec<&[u8]> = (0..count).filter_map(record).filter(is_kept).collect();
    let mut head: Vec<u8> = [0, kept.len() as u16, (6 + RECORD * kept.len()) as u16].map(u16::to_be_bytes).concat();
    let mut strings = Vec::new();
    for record in kept {
        let (length, offset) = (usize::from(field(record, 4)?), texts + usize::from(field(record, 5)?));
        head.extend(&record[..10]);
        head.extend((strings.len() as u16).to_be_bytes());
        strings.extend(table.get(offset..offset + length)?);
    }
    Some([head, strings].concat())
}

/// The file: a directory, then the tables, each with its checksum.
fn assembled(tables: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    const MAGIC: u32 = 0xB1B0_AFBA;
    let count = tables.len() as u16;
    let exponent = count.ilog2();
    let range = 16u16 << exponent;
    let mut directory = vec![0, 1, 0, 0];
    directory.extend([count, range, exponent as u16, 16 * count - range].map(u16::to_be_bytes).concat());
    let (mut body, mut head) = (Vec::new(), 0);
    let begin = 12 + 16 * tables.len();
    for (name, table) in tables {
        let at = begin + body.len();
        if *name == b"head" {
            head = at;
        }
        directory.extend(*name);
        directory.extend([checksum(table), at as u32, table.len() as u32].map(u32::to_be_bytes).concat());
        body.extend(table);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    let mut file = [directory, body].concat();
    let adjustment = MAGIC.wrapping_sub(checksum(&file));
    file[head + 8..head + 12].copy_from_slice(&adjustment.to_be_bytes());
    file
}

/// The sum of all 32-bit words, the last filled up with zeros.
fn checksum(bytes: &[u8]) -> u32 {
    let word = |chunk: &[u8]| chunk.iter().enumerate().map(|(i, byte)| u32::from(*byte) << (24 - 8 * i)).sum();
    bytes.chunks(4).map(word).fold(0, u32::wrapping_add)
}

/// The 16-bit number at `at`.
fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ttf_parser::{GlyphId, OutlineBuilder};

    #[derive(Default, PartialEq, Debug)]
    struct Path(Vec<[f32; 6]>);

    impl OutlineBuilder for Path {
        fn move_to(&mut self, x: f32, y: f32) {
            self.0.push([x, y, 0.0, 0.0, 0.0, 0.0]);
        }
        fn line_to(&mut self, x: f32, y: f32) {
            self.0.push([x, y, 1.0, 0.0, 0.0, 0.0]);
        }
        fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
            self.0.push([x1, y1, x, y, 2.0, 0.0]);
        }
        fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
            self.0.push([x1, y1, x2, y2, x, y]);
        }
        fn close(&mut self) {
            self.0.push([0.0; 6]);
        }
    }

    fn outline(face: &Face<'_>, glyph: GlyphId) -> Path {
        let mut path = Path::default();
        face.outline_glyph(glyph, &mut path);
        path
    }

    #[test]
    fn every_letter_keeps_its_outline_and_width() {
        // Composed of parts: ä, é, ½; beyond Latin: σ, √, −, ≤.
        let text = "Loss 0.707 (95 %), äéÅ½ σ √2 − ≤ fi";
        for weight in [Weight::Regular, Weight::Bold] {
            let whole = face(weight).unwrap();
            let bytes = subset(whole, &text.chars().collect()).unwrap();
            assert!(bytes.len() < 14_000, "{}", bytes.len());
            assert_eq!(checksum(&bytes), 0xB1B0_AFBA, "the sum that the format asks for");
            let part = Face::parse(&bytes, 0).unwrap();
            assert_eq!(part.units_per_em(), whole.units_per_em());
            for letter in text.chars() {
                let ids = [whole, &part].map(|face| face.glyph_index(letter).unwrap());
                assert_eq!(outline(whole, ids[0]), outline(&part, ids[1]), "{letter}");
                assert_eq!(whole.glyph_hor_advance(ids[0]), part.glyph_hor_advance(ids[1]), "{letter}");
                assert_eq!(whole.glyph_hor_side_bearing(ids[0]), part.glyph_hor_side_bearing(ids[1]), "{letter}");
            }
            assert_eq!(part.glyph_index('Q'), None);
        }
    }

    #[test]
    fn letters_that_the_font_lacks_are_left_to_the_viewer() {
        let mut letters = Letters::default();
        assert_eq!(letters.style("any"), "");
        letters.note("漢𝄞a", Weight::Regular);
        let style = letters.style("any");
        assert_eq!(style.matches("@font-face").count(), 1);
        assert!(style.contains("font-weight:normal"), "{style}");
    }
}
