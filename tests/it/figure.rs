//! The figure as a program sees it: a well-formed drawing with everything in its place.

use resvg::usvg;
use roxmltree::{Document, Node};

use crate::harness::{Finished, Folder, csv_of, fixture, good_csv, initsweep};

const SVG: &str = "output/loss-vs-std-dev.svg";
const PNG: &str = "output/loss-vs-std-dev.png";

/// Coordinates have one decimal: half a tenth of rounding in each of the two ticks and in the thing itself, all of them inside
/// the ticks' range, and as much to spare.
const ROUNDED: f64 = 0.2;

const BLACK: &str = "#000000";
const GREEN: &str = "#00805E";
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

/// A text of the drawing.
#[derive(Debug)]
struct Words {
    text: String,
    /// The point that it is anchored to.
    at: (f64, f64),
    anchor: String,
    /// The rectangle of its ink, as shaped with the shipped font.
    x: (f64, f64),
    y: (f64, f64),
}

impl Words {
    fn covers(&self, other: &Self) -> bool {
        let apart = |a: (f64, f64), b: (f64, f64)| a.1 <= b.0 || b.1 <= a.0;
        !(apart(self.x, other.x) || apart(self.y, other.y))
    }

    fn number(&self) -> Option<f64> {
        self.text.replace('−', "-").replace(',', "").parse().ok()
    }
}

/// Ink of all texts in the document's order, by an SVG renderer of its own right: shaped, kerned, turned.
fn ink_of(svg: &str) -> Vec<usvg::Rect> {
    fn texts(group: &usvg::Group, found: &mut Vec<usvg::Rect>) {
        for node in group.children() {
            match node {
                usvg::Node::Group(group) => texts(group, found),
                usvg::Node::Text(text) => found.push(text.abs_stroke_bounding_box()),
                _ => {}
            }
        }
    }
    static FONTS: std::sync::OnceLock<std::sync::Arc<usvg::fontdb::Database>> = std::sync::OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut fonts = usvg::fontdb::Database::new();
        for face in [dejavu::sans::regular(), dejavu::sans::bold()] {
            fonts.load_font_data(face.to_vec());
        }
        std::sync::Arc::new(fonts)
    });
    let options = usvg::Options { fontdb: fonts.clone(), ..usvg::Options::default() };
    let mut found = Vec::new();
    texts(usvg::Tree::from_str(svg, &options).unwrap().root(), &mut found);
    found
}

fn words_of(document: &Document<'_>) -> Vec<Words> {
    let root = document.root_element();
    let sheet = view_box(root);
    // The renderer measures in pixels of the document, which is the sheet at another size.
    let millimetre = 96.0 / 25.4;
    let width = root.attribute("width").unwrap();
    let pixels =
        width.strip_suffix("mm").map_or_else(|| width.parse().unwrap(), |mm| mm.parse::<f64>().unwrap() * millimetre);
    let scale = sheet[2] / pixels;
    let nodes: Vec<Node<'_, '_>> = document.descendants().filter(|node| node.tag_name().name() == "text").collect();
    let ink = ink_of(document.input_text());
    assert_eq!(nodes.len(), ink.len(), "every text is shown");
    let words = |(node, ink): (&Node<'_, '_>, &usvg::Rect)| {
        let range = |from: f32, to: f32| (f64::from(from) * scale, f64::from(to) * scale);
        Words {
            text: node.text().unwrap_or_default().trim().to_string(),
            at: (number(*node, "x"), number(*node, "y")),
            anchor: node.attribute("text-anchor").unwrap_or("start").to_string(),
            x: range(ink.left(), ink.right()),
            y: range(ink.top(), ink.bottom()),
        }
    };
    nodes.iter().zip(&ink).map(words).collect()
}

fn view_box(root: Node<'_, '_>) -> Vec<f64> {
    root.attribute("viewBox").unwrap().split(' ').map(|part| part.parse().unwrap()).collect()
}

/// Where the panel with all levels ends: the second panel says where the minimum is.
fn end_of_overview(words: &[Words]) -> f64 {
    words.iter().find(|word| word.text.starts_with("minimum at")).map_or(f64::INFINITY, |word| word.x.0 - 40.0)
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
    /// The ruler through these tick labels; `place` is where a label stands along the axis.
    fn of<'a>(labels: impl Iterator<Item = &'a Words>, log: bool, place: impl Fn(&Words) -> f64) -> Self {
        let mut ticks: Vec<(f64, f64)> = labels.map(|word| (word.number().unwrap(), place(word))).collect();
        ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (first, last) = (ticks[0], ticks[ticks.len() - 1]);
        assert!(ticks.len() >= 3, "{ticks:?}");
        Self { value: [first.0, last.0], place: [first.1, last.1], log }
    }

    /// Of the lowest row of numbers.
    fn horizontal(words: &[Words], log: bool) -> Self {
        let end = end_of_overview(words);
        let labels =
            || words.iter().filter(|word| word.number().is_some() && word.anchor == "middle" && word.at.0 < end);
        let lowest = labels().map(|word| word.at.1).fold(0.0, f64::max);
        Self::of(labels().filter(|word| word.at.1 == lowest), log, |word| word.at.0)
    }

    /// Of the leftmost column of numbers.
    fn vertical(words: &[Words]) -> Self {
        let labels = || words.iter().filter(|word| word.number().is_some() && word.anchor == "end");
        let end = labels().map(|word| word.at.0).fold(f64::INFINITY, f64::min);
        Self::of(labels().filter(|word| word.at.0 == end), false, |word| word.at.1)
    }

    fn place(&self, value: f64) -> f64 {
        let along = |value: f64| if self.log { value.ln() } else { value };
        let share = (along(value) - along(self.value[0])) / (along(self.value[1]) - along(self.value[0]));
        self.place[0] + share * (self.place[1] - self.place[0])
    }
}

/// What a figure may be made of.
const DRAWN: [&str; 10] = ["svg", "title", "desc", "style", "rect", "polyline", "polygon", "circle", "text", "path"];

/// Checks what every figure must satisfy.
#[track_caller]
fn assert_sound(svg: &str) {
    let document = Document::parse(svg).unwrap_or_else(|e| panic!("{e} in {svg}"));
    let root = document.root_element();
    let sheet = view_box(root);
    for name in ["title", "desc"] {
        let node = root.children().find(|child| child.tag_name().name() == name).unwrap();
        assert!(!node.text().unwrap().trim().is_empty(), "{name}");
    }
    assert_eq!(root.attribute("role"), Some("img"));
    assert!(root.attribute("font-family").unwrap().starts_with("DejaVu Sans"));
    for node in document.descendants().filter(Node::is_element) {
        assert!(DRAWN.contains(&node.tag_name().name()), "{node:?}");
        for attribute in node.attributes() {
            assert!(!attribute.name().starts_with("on"), "{node:?}");
            let value = attribute.value();
            assert!(!value.contains("NaN") && !value.contains("inf") && !value.contains("url("), "{node:?}");
        }
    }
    let words = words_of(&document);
    assert!(words.len() > 5, "{words:?}");
    for (place, word) in words.iter().enumerate() {
        assert!(
            word.x.0 >= 0.0 && word.x.1 <= sheet[2] && word.y.0 >= 0.0 && word.y.1 <= sheet[3],
            "outside: {word:?}"
        );
        for other in &words[..place] {
            assert!(!word.covers(other), "{word:?} covers {other:?}");
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
        let words_there = words_of(&document);
        let (ruler, end) = (Ruler::horizontal(&words_there, log), end_of_overview(&words_there));
        for (colour, level) in [(BLACK, std::f64::consts::FRAC_1_SQRT_2), (GREEN, 0.454_083_723_834_502_8)] {
            let mut lines = lines_of(&document, colour);
            lines.retain(|line| line[0].0 < end);
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
fn the_second_panel_shows_the_fitted_curve_through_its_minimum() {
    let folder = Folder::new();
    initsweep(format!("plot {} --format svg", sample())).in_folder(&folder).run().succeeds();
    let svg = folder.text(SVG);
    let document = Document::parse(&svg).unwrap();
    let stats = initsweep(format!("stats {} --format json", sample())).run().succeeds().json();
    let fitted = &stats["minimum"]["fitted"];
    // The panel's own ticks: those right of where it begins.
    let words = words_of(&document);
    let begin = end_of_overview(&words);
    let here = |word: &&Words| word.at.0 > begin && word.number().is_some();
    let bottom = words.iter().filter(here).map(|word| word.at.1).fold(0.0, f64::max);
    let across = Ruler::of(words.iter().filter(here).filter(|word| word.at.1 == bottom), true, |word| word.at.0);
    let up = Ruler::of(words.iter().filter(here).filter(|word| word.anchor == "end"), false, |word| word.at.1);
    let curve = lines_of(&document, GREEN).into_iter().max_by_key(Vec::len).unwrap();
    let lowest = curve.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    let at = (across.place(fitted["level"].as_f64().unwrap()), up.place(fitted["value"].as_f64().unwrap()));
    // The line leaves out points within a tenth of a pixel of it, which along a flat bottom may be some pixels long.
    assert!((lowest.0 - at.0).abs() < 15.0 && (lowest.1 - at.1).abs() < 0.5, "{lowest:?}, not {at:?}");
    let (first, last) = (curve[0].0, curve[curve.len() - 1].0);
    assert!(first < at.0 - 50.0 && at.0 + 50.0 < last, "it spans the panel: {first} to {last}");
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
    let made = |threads: usize| {
        let folder = Folder::with("grid.csv", grid());
        let words = format!("--scale 0.5 --threads {threads} --out out");
        initsweep(format!("plot all {} {words}", sample())).in_folder(&folder).run().succeeds();
        initsweep(format!("plot heatmap grid.csv --x width --by depth {words}")).in_folder(&folder).run().succeeds();
        folder
    };
    let (one, again, three) = (made(1), made(1), made(3));
    for kind in KINDS_OF_RUNS.iter().chain(&KINDS_OF_TRAINER).chain(&["heatmap"]) {
        for form in ["svg", "png"] {
            let path = format!("out/{kind}.{form}");
            let bytes = one.bytes(&path);
            assert!(bytes.len() > 1000, "{path}");
            assert!(bytes == again.bytes(&path) && bytes == three.bytes(&path), "{path}");
        }
    }
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

/// What `command` makes of good runs whose factor, and a reference, are called `name`.
pub(crate) fn made_of(command: &str, name: &str) -> Folder {
    let folder = Folder::with("runs.csv", runs_of(name));
    initsweep(format!("{command} runs.csv --x"))
        .arg(name)
        .arg("--reference")
        .arg(format!("{}=0.5", name.replace('=', "_")))
        .in_folder(&folder)
        .run()
        .succeeds();
    folder
}

#[test]
fn hostile_names_stay_text_in_the_figure() {
    for name in hostile_names() {
        let svg = made_of("plot", &name).text(SVG);
        let document = Document::parse(&svg).unwrap_or_else(|e| panic!("{name:?}: {e}"));
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

const KINDS_OF_RUNS: [&str; 5] = ["loss-vs-std-dev", "distribution", "basins", "precision", "history"];
const KINDS_OF_TRAINER: [&str; 6] = ["xor", "sigmoid", "likelihood", "bce", "weights", "loss-curve"];

fn sample() -> String {
    format!("{}/sample-data/xor-sweep.csv", env!("CARGO_MANIFEST_DIR"))
}

/// A grid of two factors; one pair has no runs.
fn grid() -> String {
    let mut text = String::from("width,depth,loss\n");
    for (i, width) in [0.1, 0.2, 0.4, 0.8].into_iter().enumerate() {
        for (j, depth) in [1, 2, 3].into_iter().enumerate().filter(|(j, _)| (i, *j) != (3, 0)) {
            for off in [-1.0, 1.0] {
                text += &format!("{width},{depth},{}\n", 10.0 * i as f64 + 100.0 * j as f64 + off);
            }
        }
    }
    text
}

#[test]
fn every_figure_is_sound_in_every_theme_and_size() {
    let folder = Folder::with("grid.csv", grid());
    for size in ["screen", "slide", "one-column", "two-column"] {
        let mut bodies: Vec<Vec<String>> = Vec::new();
        for theme in ["light", "dark"] {
            let words = format!("--format svg --out out --theme {theme} --size {size}");
            initsweep(format!("plot all {} {words}", sample())).in_folder(&folder).run().succeeds();
            initsweep(format!("plot heatmap grid.csv --x width --by depth {words}"))
                .in_folder(&folder)
                .run()
                .succeeds();
            let svg = |kind: &&str| folder.text(&format!("out/{kind}.svg"));
            let all: Vec<String> = KINDS_OF_RUNS.iter().chain(&KINDS_OF_TRAINER).chain(&["heatmap"]).map(svg).collect();
            for text in &all {
                assert_sound(text);
                let document = Document::parse(text).unwrap();
                let paper = document.descendants().find(|node| node.tag_name().name() == "rect").unwrap();
                let expected = if theme == "dark" { "#16181B" } else { "#FFFFFF" };
                assert_eq!(paper.attribute("fill"), Some(expected), "the sheet's ground");
            }
            bodies.push(all);
        }
        assert!(bodies[0].iter().zip(&bodies[1]).all(|(light, dark)| light != dark));
    }
}

/// Contrast of two colours by WCAG 2.
fn contrast(a: &str, b: &str) -> f64 {
    let luminance = |colour: &str| {
        let part = |from: usize| {
            let share = f64::from(u8::from_str_radix(&colour[from..from + 2], 16).unwrap()) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn text_can_be_read_on_its_paper() {
    let folder = Folder::new();
    for (theme, paper) in [("light", "#FFFFFF"), ("dark", "#16181B")] {
        for kind in ["loss-vs-std-dev", "distribution", "weights"] {
            let source = if kind == "weights" { String::new() } else { sample() };
            let words = format!(
                "plot {kind} {source} --theme {theme} --format svg --reference a=0.2 --reference b=3 --reference c=9"
            );
            initsweep(words).in_folder(&folder).run().succeeds();
            let svg = folder.text(&format!("output/{kind}.svg"));
            let document = Document::parse(&svg).unwrap();
            for node in document.descendants().filter(|node| node.tag_name().name() == "text") {
                let colour = node.attribute("fill").unwrap();
                assert!(contrast(colour, paper) >= 4.5, "{colour} on {paper}: {node:?}");
            }
        }
    }
}

#[test]
fn figures_of_runs_survive_odd_data() {
    let header = "hidden_std_dev,loss\n";
    let few = |rows: &[(f64, f64)]| csv_of(rows);
    let same: Vec<(f64, f64)> = (0..40).map(|i| (0.1 * f64::from(i / 4 + 1), 5.0)).collect();
    let negative: Vec<(f64, f64)> = (0..60).map(|i| (f64::from(i / 6) - 4.0, -f64::from(i * i % 37))).collect();
    let huge: Vec<(f64, f64)> = (0..40).map(|i| (f64::from(i / 4 + 1), 1e12 * f64::from(i % 7))).collect();
    let beyond: Vec<(f64, f64)> = huge.iter().map(|(level, loss)| (*level, loss * 1e88)).collect();
    for (name, csv) in [
        ("beyond any curve", few(&beyond)),
        ("one level", few(&[(0.5, 1.0), (0.5, 2.0)])),
        ("one run", few(&[(0.5, 1.0)])),
        ("no variance", few(&same)),
        ("negative", few(&negative)),
        ("huge", few(&huge)),
        ("single runs", few(&[(1.0, 2.0), (2.0, 1.0), (3.0, 5.0), (4.0, 3.0)])),
    ] {
        assert!(csv.starts_with(header), "{csv}");
        let folder = Folder::with("runs.csv", csv);
        initsweep("plot all runs.csv --format svg").in_folder(&folder).run().succeeds();
        for kind in KINDS_OF_RUNS.iter().filter(|kind| folder.path(&format!("output/{kind}.svg")).exists()) {
            assert_sound(&folder.text(&format!("output/{kind}.svg")));
        }
        assert!(folder.path("output/loss-vs-std-dev.svg").exists(), "{name}");
        assert!(folder.path("output/distribution.svg").exists(), "{name}");
    }
}

#[test]
fn what_these_runs_do_not_allow_is_named() {
    let folder = Folder::with("runs.csv", "lr,acc\n1,2\n1,3\n2,4\n2,5\n");
    let all = initsweep("plot all runs.csv --x lr --y acc --format svg").in_folder(&folder).run().succeeds();
    let said = String::from_utf8(all.stdout).unwrap();
    for left_out in
        ["left out basins: only runs of the trainer", "left out heatmap: it needs a second factor", "left out history"]
    {
        assert!(said.contains(left_out), "{said}");
    }
    initsweep("plot basins runs.csv --x lr --y acc")
        .in_folder(&folder)
        .run()
        .fails_with(3)
        .says("only runs of the trainer");
}

#[test]
fn figures_are_named_before_their_source() {
    let folder = Folder::with("runs.csv", good_csv());
    let plot = |words: &str| initsweep(format!("plot {words}")).in_folder(&folder).run();
    plot("precision distribution runs.csv --format svg").succeeds();
    assert_eq!(folder.names("output"), ["distribution.svg", "precision.svg"]);
    plot("runs.csv --format png --out plain").succeeds();
    assert_eq!(folder.names("plain"), ["loss-vs-std-dev.png"]);
    plot("sigmoid bce --format svg --out words").succeeds();
    assert_eq!(folder.names("words"), ["bce.svg", "sigmoid.svg"]);
    plot("basin runs.csv").fails_with(2).says("neither a figure nor a file");
    plot("sigmoid runs.csv").fails_with(2).says("none of these figures is of runs");
    plot("").fails_with(2).says("needs a SOURCE");
    // A file that is called like a figure is reached by its path.
    folder.write("basins", good_csv());
    plot("precision ./basins --format svg --out path").succeeds();
}

#[test]
fn words_of_the_user_stand_in_the_figure() {
    let folder = Folder::with("runs.csv", good_csv());
    initsweep("plot runs.csv --format svg --x-label σ --y-label L")
        .arg("--title")
        .arg("A <b>title</b> & more")
        .in_folder(&folder)
        .run()
        .succeeds();
    let svg = folder.text(SVG);
    let document = Document::parse(&svg).unwrap();
    let words = words_of(&document);
    for text in ["A <b>title</b> & more", "σ", "L"] {
        assert!(words.iter().any(|word| word.text == text), "{text}: {words:?}");
    }
    assert_sound(&svg);
    let long = "words without end ".repeat(40);
    for kind in KINDS_OF_RUNS.iter().filter(|kind| **kind != "history").chain(&KINDS_OF_TRAINER) {
        let source = if KINDS_OF_RUNS.contains(kind) { "runs.csv" } else { "" };
        let mut call = initsweep(format!("plot {kind} {source} --format svg --size one-column"));
        for option in ["--title", "--x-label", "--y-label"] {
            call = call.arg(option).arg(&long);
        }
        call.in_folder(&folder).run().succeeds();
        assert_sound(&folder.text(&format!("output/{kind}.svg")));
    }
}

#[test]
fn basins_are_as_high_as_their_shares() {
    // Of four runs at each level one, two, three and four are solved; the others tell no patterns apart.
    let mut csv = String::from("hidden_std_dev,loss,final_loss,epochs\n");
    for level in 1..=4 {
        for run in 0..4 {
            let last = if run < level { 0.01 } else { 0.69 };
            csv += &format!("{level},{},{last},100\n", 10 * run + 5);
        }
    }
    let folder = Folder::with("runs.csv", csv);
    initsweep("plot basins runs.csv --format svg").in_folder(&folder).run().succeeds();
    let svg = folder.text("output/basins.svg");
    let document = Document::parse(&svg).unwrap();
    let words = words_of(&document);
    let (across, up) = (Ruler::horizontal(&words, false), Ruler::vertical(&words));
    let columns = |colour: &str| -> Vec<(f64, f64, f64)> {
        let boxes = document
            .descendants()
            .filter(|node| node.attribute("fill") == Some(colour) && node.has_attribute("height"));
        // The first stands in the legend.
        let sides = |node| (number(node, "x") + number(node, "width") / 2.0, number(node, "y"), number(node, "height"));
        boxes.skip(1).map(sides).collect()
    };
    let percent = |share: f64| (up.place(0.0) - up.place(100.0)) * share / 100.0;
    let solved = columns("#009E73");
    assert_eq!(solved.len(), 4);
    for ((x, _, height), level) in solved.iter().zip([1.0, 2.0, 3.0, 4.0]) {
        assert!((height - percent(25.0 * level)).abs() <= ROUNDED, "{height} at {level}");
        assert!(level == 1.0 || level == 4.0 || (x - across.place(level)).abs() <= ROUNDED, "{x} at {level}");
    }
    let stuck = columns("#B04200");
    assert_eq!(stuck.len(), 3);
    assert!((stuck[0].2 - percent(75.0)).abs() <= ROUNDED && (stuck[0].1 - up.place(100.0)).abs() <= ROUNDED);
}

#[test]
fn a_heatmap_shows_every_mean_and_what_is_missing() {
    let folder = Folder::with("grid.csv", grid());
    initsweep("plot heatmap grid.csv --x width --by depth --format svg").in_folder(&folder).run().succeeds();
    let svg = folder.text("output/heatmap.svg");
    let document = Document::parse(&svg).unwrap();
    let words = words_of(&document);
    for mean in [0, 10, 20, 100, 110, 120, 130, 200, 210, 220, 230] {
        let shown = words.iter().filter(|word| word.text == mean.to_string() && word.anchor == "middle").count();
        assert!(shown == 1, "{mean} is there {shown} times");
    }
    assert!(!words.iter().any(|word| word.text == "30"), "no runs, no mean");
    assert!(words.iter().any(|word| word.text == "no runs"));
    assert!(words.iter().any(|word| word.text == "lowest: 0 ± 1 (standard error) at 0.1, 1"), "{words:?}");
    assert!(svg.contains("4 × 3 levels, n = 2 runs a cell; 22 runs in all"));
    // Lower means are darker: the grounds of the least and the greatest are the ends of the ramp.
    assert!(svg.contains("#440154") && svg.contains("#FDE725"));
    folder.write("holes.csv", grid().replacen("0.1,1,", "0.1,NaN,", 1));
    initsweep("plot heatmap holes.csv --x width --by depth")
        .in_folder(&folder)
        .run()
        .fails_with(3)
        .says("some rows have no");
    let piped = initsweep("plot heatmap - --x width --by depth").stdin(grid());
    piped.in_folder(&folder).run().fails_with(2).says("standard input can be read once");
}

#[test]
fn the_history_ends_with_the_finding() {
    let folder = Folder::new();
    for (words, best) in [("", "minimum"), ("--statistic median", "minimum"), ("--statistic solved-share", "maximum")] {
        initsweep(format!("plot history {} --format svg {words}", sample())).in_folder(&folder).run().succeeds();
        let svg = folder.text("output/history.svg");
        let stats = initsweep(format!("stats {} --format json {words}", sample())).run().succeeds().json();
        let level = stats["minimum"]["fitted"]["level"].as_f64().unwrap();
        let said = format!("With all 10,000 runs the {best} is at {level:.2}");
        assert!(svg.contains(&said), "{said} in {svg}");
    }
    initsweep(format!("plot history {} --format svg", sample())).in_folder(&folder).run().succeeds();
    let svg = folder.text("output/history.svg");
    let document = Document::parse(&svg).unwrap();
    let dots = document.descendants().filter(|node| node.tag_name().name() == "circle").count();
    assert!((2 * 9 + 1..=2 * 10 + 1).contains(&dots), "{dots}");
}

#[test]
fn the_network_of_the_xor_figure_has_learned_it() {
    let folder = Folder::new();
    initsweep("plot xor --format svg").in_folder(&folder).run().succeeds();
    let svg = folder.text("output/xor.svg");
    let document = Document::parse(&svg).unwrap();
    let words = words_of(&document);
    let outputs: Vec<f64> = words.iter().filter(|word| word.text.len() == 5).filter_map(Words::number).collect();
    assert_eq!(outputs.len(), 4, "{words:?}");
    for (output, xor) in outputs.iter().zip([0.0, 1.0, 1.0, 0.0]) {
        assert!((output - xor).abs() < 0.1, "{outputs:?}");
    }
}

#[test]
fn a_figure_of_many_levels_stays_small() {
    let rows: Vec<(f64, f64)> = (0..60_000).map(|i| (f64::from(i / 3 + 1), f64::from(i * 7 % 101))).collect();
    let (folder, _) = plot(csv_of(&rows), "--format svg");
    let svg = folder.text(SVG);
    assert!(svg.len() < 300_000, "{} bytes", svg.len());
    assert!(svg.contains("20,000 levels") && svg.contains("of them drawn"));
    assert_sound(&svg);
}

#[test]
fn the_figure_shows_what_is_minimised() {
    let folder = Folder::new();
    for (statistic, said) in [
        ("median", ["median loss", "median of the level's runs", "95 % order statistics interval"]),
        ("trimmed", ["trimmed mean loss", "trimmed mean of the level's runs", "95 % Yuen t interval"]),
        ("solved-share", ["share of solved runs", "share of solved runs", "95 % Wilson interval"]),
    ] {
        initsweep(format!("plot {} --statistic {statistic} --format svg", sample()))
            .in_folder(&folder)
            .run()
            .succeeds();
        let svg = folder.text(SVG);
        assert_sound(&svg);
        let document = Document::parse(&svg).unwrap();
        let words = words_of(&document);
        for text in said {
            assert!(words.iter().any(|word| word.text == text), "{text}: {words:?}");
        }
    }
}
