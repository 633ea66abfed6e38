//! The figure as a program sees it: a well-formed drawing with everything in its place.

use roxmltree::{Document, Node};

use crate::harness::{Finished, Folder, csv_of, fixture, good_csv, initsweep};

const SVG: &str = "output/loss-vs-std-dev.svg";
const PNG: &str = "output/loss-vs-std-dev.png";

/// Coordinates are whole tenths of a pixel: half a unit of rounding in each of the two ticks and in the thing itself,
/// all of them inside the ticks' range, and half a unit to spare.
const ROUNDED: f64 = 2.0;

const BLACK: &str = "#000000";
const GREEN: &str = "#009E73";
const BLUE: &str = "#0072B2";

/// Draws `csv` in a fresh folder.
fn plot(csv: impl AsRef<[u8]>, words: &str) -> (Folder, Finished) {
    let folder = Folder::with("runs.csv", csv);
    let finished = initsweep(format!("plot runs.csv {words}")).in_folder(&folder).run().succeeds();
    (folder, finished)
}

fn svg_of(csv: impl AsRef<[u8]>, words: &str) -> String {
    plot(csv, words).0.text(SVG)
}

fn number(node: Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap_or_else(|| panic!("no {name} in {node:?}")).parse().unwrap()
}

/// A text of the drawing, with the rectangle that it takes at most.
#[derive(Debug)]
struct Words {
    text: String,
    x: (f64, f64),
    y: (f64, f64),
}

impl Words {
    /// Estimates the place from the anchor, with 0.6 of the font size a character, about the mean of DejaVu Sans.
    fn of(node: Node<'_, '_>) -> Self {
        const EM: f64 = 0.6;
        let text = node.text().unwrap_or_default().trim().to_string();
        let size = number(node, "font-size");
        let width = text.chars().count() as f64 * EM * size;
        let (x, y) = (number(node, "x"), number(node, "y"));
        let from = match node.attribute("text-anchor") {
            Some("middle") => -width / 2.0,
            Some("end") => -width,
            _ => 0.0,
        };
        // The middle of the small letters stands at the point's height; capitals and tails reach less than 0.45 from it.
        let (half, along) = (0.45 * size, (from, from + width));
        match node.attribute("transform") {
            // Turned to read upwards, about its own point.
            Some(turned) => {
                assert!(turned.starts_with("rotate(270"), "{turned}");
                Self { text, x: (x - half, x + half), y: (y - along.1, y - along.0) }
            }
            None => Self { text, x: (x + along.0, x + along.1), y: (y - half, y + half) },
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        let apart = |a: (f64, f64), b: (f64, f64)| a.1 <= b.0 || b.1 <= a.0;
        !(apart(self.x, other.x) || apart(self.y, other.y))
    }
}

fn words_of(document: &Document<'_>) -> Vec<Words> {
    document
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")))
        .map(Words::of)
        .collect()
}

/// Points of every line that is drawn in `colour`.
fn lines_of(document: &Document<'_>, colour: &str) -> Vec<Vec<(f64, f64)>> {
    let points = |node: Node<'_, '_>| -> Vec<(f64, f64)> {
        let pair = |text: &str| text.split_once(',').map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap())).unwrap();
        node.attribute("points").unwrap().split_whitespace().map(pair).collect()
    };
    document
        .descendants()
        .filter(|node| node.has_attribute("points") && node.attribute("stroke") == Some(colour))
        .map(points)
        .collect()
}

/// The places of two labelled ticks, from which the place of any value follows.
struct Ruler {
    value: [f64; 2],
    place: [f64; 2],
    log: bool,
}

impl Ruler {
    /// The ruler of the axis whose tick labels satisfy `is_label`; `place` is where a label stands along it.
    fn of(words: &[Words], log: bool, is_label: impl Fn(&Words) -> bool, place: impl Fn(&Words) -> f64) -> Self {
        let mut ticks: Vec<(f64, f64)> = words
            .iter()
            .filter(|word| is_label(word))
            .filter_map(|word| Some((word.text.replace('−', "-").parse().ok()?, place(word))))
            .collect();
        ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (first, last) = (ticks[0], ticks[ticks.len() - 1]);
        assert!(ticks.len() >= 3, "{ticks:?}");
        Self { value: [first.0, last.0], place: [first.1, last.1], log }
    }

    fn horizontal(words: &[Words], log: bool) -> Self {
        let lowest =
            words.iter().filter(|word| word.text.parse::<f64>().is_ok()).map(|word| word.y.1).fold(0.0, f64::max);
        let middle = |word: &Words| (word.x.0 + word.x.1) / 2.0;
        Self::of(words, log, |word| word.y.1 == lowest, middle)
    }

    fn vertical(words: &[Words]) -> Self {
        // Labels of the vertical axis end at one place, left of the plot.
        let is_number = |word: &&Words| word.text.replace('−', "-").parse::<f64>().is_ok();
        let end = words.iter().filter(is_number).map(|word| word.x.1).fold(f64::INFINITY, f64::min);
        Self::of(words, false, move |word| word.x.1 == end, |word| (word.y.0 + word.y.1) / 2.0)
    }

    fn place(&self, value: f64) -> f64 {
        let along = |value: f64| if self.log { value.ln() } else { value };
        let share = (along(value) - along(self.value[0])) / (along(self.value[1]) - along(self.value[0]));
        self.place[0] + share * (self.place[1] - self.place[0])
    }
}

/// Checks what every figure must satisfy.
#[track_caller]
fn assert_sound(svg: &str) {
    let document = Document::parse(svg).unwrap_or_else(|e| panic!("{e} in {svg}"));
    let root = document.root_element();
    let sheet: Vec<f64> = root.attribute("viewBox").unwrap().split(' ').map(|part| part.parse().unwrap()).collect();
    for name in ["title", "desc"] {
        let node = root.children().find(|child| child.tag_name().name() == name).unwrap();
        assert!(!node.text().unwrap().trim().is_empty(), "{name}");
    }
    const DRAWN: [&str; 9] = ["svg", "title", "desc", "rect", "polyline", "polygon", "circle", "text", "line"];
    for node in document.descendants().filter(Node::is_element) {
        assert!(DRAWN.contains(&node.tag_name().name()), "{node:?}");
        for attribute in node.attributes() {
            assert!(!attribute.name().starts_with("on"), "{node:?}");
            let value = attribute.value();
            assert!(!value.contains("NaN") && !value.contains("inf") && !value.contains("url("), "{node:?}");
        }
    }
    let words = words_of(&document);
    for node in document.descendants().filter(|node| node.tag_name().name() == "text") {
        assert!(node.attribute("font-family").unwrap().starts_with("DejaVu Sans"), "{node:?}");
    }
    for (place, word) in words.iter().enumerate() {
        assert!(
            word.x.0 >= 0.0 && word.x.1 <= sheet[2] && word.y.0 >= 0.0 && word.y.1 <= sheet[3],
            "outside: {word:?}"
        );
        for other in &words[..place] {
            assert!(!word.overlaps(other), "{word:?} covers {other:?}");
        }
    }
}

#[test]
fn the_figure_of_400_levels_is_well_formed_and_nothing_overlaps() {
    let runs = std::fs::read(fixture("xor-25k.csv")).unwrap();
    assert_sound(&svg_of(&runs, ""));
    assert_sound(&svg_of(&runs, "--x-scale linear --error-bars sd"));
    assert_sound(&svg_of(&runs, "--reference He=1 --reference other=sqrt(2/3)"));
}

#[test]
fn figures_of_few_and_odd_levels_are_well_formed() {
    assert_sound(&svg_of(good_csv(), ""));
    assert_sound(&svg_of(csv_of(&[(0.5, 1.0)]), ""));
    assert_sound(&svg_of(csv_of(&[(0.0, 1.0), (0.0, 3.0)]), ""));
    assert_sound(&svg_of(csv_of(&[(-3.0, -1.0), (-2.0, -5.0), (7.0, 0.0)]), ""));
    assert_sound(&svg_of(csv_of(&[(1e-9, 1e-9), (1.0, 1e12), (1e9, 5.0)]), ""));
    assert_sound(&svg_of(csv_of(&[(100_000.1, 1_000_000.1), (100_000.2, 1_000_000.2), (100_000.3, 1_000_000.15)]), ""));
}

#[test]
fn the_xavier_line_and_the_minimum_line_stand_at_their_values() {
    let runs = std::fs::read(fixture("xor-25k.csv")).unwrap();
    for (words, log) in [("", true), ("--x-scale linear", false)] {
        let svg = svg_of(&runs, words);
        let document = Document::parse(&svg).unwrap();
        let ruler = Ruler::horizontal(&words_of(&document), log);
        for (colour, level) in [(BLACK, std::f64::consts::FRAC_1_SQRT_2), (GREEN, 0.454_083_723_834_502_8)] {
            let lines = lines_of(&document, colour);
            assert_eq!(lines.len(), 1, "one {colour} line");
            let x = lines[0][0].0;
            assert!(lines[0].iter().all(|point| point.0 == x), "it is vertical");
            assert!((x - ruler.place(level)).abs() <= ROUNDED, "{colour} at {x}, not {}", ruler.place(level));
        }
        for name in ["Xavier = 1/√2", "lowest 0.454"] {
            assert!(
                words_of(&document).iter().any(|word| word.text.contains(name)),
                "{name} is missing with '{words}'"
            );
        }
    }
}

#[test]
fn a_reference_can_be_replaced_and_added() {
    let svg = svg_of(good_csv(), "--reference Xavier=0.4 --reference half=1/2");
    let document = Document::parse(&svg).unwrap();
    let ruler = Ruler::horizontal(&words_of(&document), false);
    let black = &lines_of(&document, BLACK)[0];
    assert!((black[0].0 - ruler.place(0.4)).abs() <= ROUNDED, "{black:?}");
    assert!(!svg.contains("1/√2"));
    // Beside its line or, where there is no room, in the legend.
    for name in ["Xavier = 0.4", "half = 1/2", "lowest 0.5"] {
        assert!(words_of(&document).iter().any(|word| word.text.contains(name)), "{name} is missing");
    }
}

#[test]
fn error_bars_show_what_they_are_said_to() {
    // Means 12 and 32; runs at ± 2 and ± 4 of it, four each.
    let runs: Vec<(f64, f64)> = [(1.0, 12.0, 2.0), (2.0, 32.0, 4.0)]
        .into_iter()
        .flat_map(|(level, mean, off)| [-off, off, -off, off].map(|off| (level, mean + off)))
        .collect();
    // Four deviations of d: variance 4d²/3. t(0.975; 3) = 3.182446305284263.
    let deviation = |off: f64| (4.0 * off * off / 3.0).sqrt();
    for (kind, label, margin) in [
        ("sd", "± 1 standard deviation", 1.0),
        ("se", "± 1 standard error", 0.5),
        ("ci", "95 % Student t interval", 0.5 * 3.182_446_305_284_263),
    ] {
        let svg = svg_of(csv_of(&runs), &format!("--error-bars {kind}"));
        assert_sound(&svg);
        let document = Document::parse(&svg).unwrap();
        let words = words_of(&document);
        assert!(words.iter().any(|word| word.text.starts_with(label)), "{kind}: {words:?}");
        assert!(words.iter().any(|word| word.text.contains("n = 4 runs each")), "{words:?}");
        let (across, up) = (Ruler::horizontal(&words, false), Ruler::vertical(&words));
        for (level, mean, off) in [(1.0, 12.0, 2.0), (2.0, 32.0, 4.0)] {
            let stands_there = |line: &&Vec<(f64, f64)>| {
                let ends = (line[0], line[line.len() - 1]);
                (ends.0.0 - across.place(level)).abs() <= ROUNDED && ends.0.0 == ends.1.0 && ends.0.1 != ends.1.1
            };
            let lines = lines_of(&document, BLUE);
            let bar = lines.iter().find(stands_there).unwrap_or_else(|| panic!("no bar at {level} in {lines:?}"));
            let mut ends = [bar[0].1, bar[bar.len() - 1].1];
            ends.sort_by(f64::total_cmp);
            let expected = [margin, -margin].map(|margin| up.place(mean + margin * deviation(off)));
            for (end, expected) in ends.iter().zip(expected) {
                assert!((end - expected).abs() <= ROUNDED, "{kind} at {level}: {ends:?}, not {expected}");
            }
        }
    }
}

#[test]
fn without_error_bars_none_are_drawn_or_named() {
    let svg = svg_of(good_csv(), "--error-bars none");
    let document = Document::parse(&svg).unwrap();
    assert!(lines_of(&document, BLUE).is_empty());
    let named = |word: &Words| word.text.contains("interval") || word.text.contains('±');
    assert!(!words_of(&document).iter().any(named), "{svg}");
    assert_sound(&svg);
}

#[test]
fn the_caption_states_how_many_runs_stand_behind_a_point() {
    let svg = svg_of(csv_of(&[(1.0, 1.0), (2.0, 2.0), (2.0, 3.0), (2.0, 4.0)]), "");
    assert!(svg.contains("n = 1 to 3 runs each; 4 runs in all"), "{svg}");
}

#[test]
fn the_png_has_the_size_that_was_asked_for() {
    for (words, width, height) in [("--scale 1", 900, 560), ("--scale 2", 1800, 1120), ("", 1800, 1120)] {
        let png = plot(good_csv(), words).0.bytes(PNG);
        assert_eq!(png[..8], *b"\x89PNG\r\n\x1a\n");
        let field = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        assert_eq!((&png[12..16], field(16), field(20)), (&b"IHDR"[..], width, height));
    }
    for scale in ["0", "-1", "11", "x", "NaN", "inf"] {
        initsweep(format!("plot runs.csv --scale={scale}")).run().fails_with(2).says("--scale");
    }
}

#[test]
fn the_same_runs_give_the_same_bytes() {
    let (one, _) = plot(good_csv(), "--threads 1");
    let (two, _) = plot(good_csv(), "--threads 3");
    assert_eq!(one.bytes(SVG), two.bytes(SVG));
    assert_eq!(one.bytes(PNG), two.bytes(PNG));
}

#[test]
fn it_works_where_no_font_is_installed() {
    // Nothing outside the program is read for fonts: with another home and configuration the pixels stay the same.
    let folder = Folder::with("runs.csv", good_csv());
    initsweep("plot runs.csv").in_folder(&folder).run().succeeds();
    let usual = folder.bytes(PNG);
    initsweep("plot runs.csv")
        .env("HOME", "/nonexistent")
        .env("FONTCONFIG_FILE", "/nonexistent")
        .in_folder(&folder)
        .run();
    assert_eq!(folder.bytes(PNG), usual);
    // Letters are there: a picture without any text is smaller.
    assert!(usual.len() > 10_000, "{}", usual.len());
}

/// Names that somebody may put into a file to break what is made of it.
pub(crate) fn hostile_names() -> Vec<String> {
    vec![
        "<img src=x onerror=alert(1)>".into(),
        "</script><script>alert(1)</script>".into(),
        "</title></text></svg>".into(),
        "a & b &lt; c".into(),
        "\"quoted\" 'twice'".into(),
        "]]> <!-- -->".into(),
        "{{ view.title }} {% if x %}".into(),
        "font-family=\"DejaVu Sans\"".into(),
        "n".repeat(300),
        "bell\u{7} escape\u{1b}[31m null-like\u{1} tab\t line\nbreak".into(),
        "non-characters \u{fffe}\u{ffff}".into(),
        "\u{202e}right to left".into(),
    ]
}

/// Good runs whose factor is called `name`.
pub(crate) fn runs_of(name: &str) -> String {
    good_csv().replacen("hidden_std_dev", &format!("\"{}\"", name.replace('"', "\"\"")), 1)
}

#[test]
fn hostile_names_stay_text_in_the_figure() {
    for name in hostile_names() {
        let folder = Folder::with("runs.csv", runs_of(&name));
        initsweep("plot runs.csv --x")
            .arg(&name)
            .arg("--reference")
            .arg(format!("{}=0.5", name.replace('=', "_")))
            .in_folder(&folder)
            .run()
            .succeeds();
        let svg = folder.text(SVG);
        let document = Document::parse(&svg).unwrap_or_else(|e| panic!("{name:?}: {e}"));
        const DRAWN: [&str; 8] = ["svg", "title", "desc", "rect", "polyline", "polygon", "circle", "text"];
        for node in document.descendants().filter(Node::is_element) {
            assert!(DRAWN.contains(&node.tag_name().name()), "{name:?}: {node:?}");
        }
        if name.len() < 100 && !name.contains(|c: char| c.is_control() || c >= '\u{fffe}') {
            let words = words_of(&document);
            assert!(words.iter().any(|word| word.text.contains(&name)), "{name:?} is missing in {words:?}");
        }
    }
}

#[test]
fn a_name_of_any_length_stays_on_the_sheet() {
    let long = "a long name ".repeat(25);
    let folder = Folder::with("runs.csv", runs_of(&long));
    // Names are trimmed where they are read.
    initsweep("plot runs.csv --x").arg(long.trim()).in_folder(&folder).run().succeeds();
    assert_sound(&folder.text(SVG));
    let folder = Folder::with("runs.csv", good_csv());
    initsweep("plot runs.csv --reference").arg(format!("{long}=0.5")).in_folder(&folder).run().succeeds();
    assert_sound(&folder.text(SVG));
}
