//! The figure as a program sees it: a well-formed drawing with everything in its place.

use roxmltree::{Document, Node};

use crate::harness::{Finished, Folder, csv_of, fixture, good_csv, initsweep, sample};
use crate::svg::{DRAWN, ROUNDED, Ruler, Words, assert_sound, end_of_overview, lines_of, words_of};

const SVG: &str = "output/loss-vs-std-dev.svg";
const PNG: &str = "output/loss-vs-std-dev.png";

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

#[test]
fn the_figure_of_400_levels_is_well_formed_and_nothing_overlaps() {
    let runs = std::fs::read(fixture("xor-25k.csv")).unwrap();
    assert_sound(&svg_of(&runs, ""));
    assert_sound(&svg_of(&runs, "--x-scale linear --error-bars sd"));
    assert_sound(&svg_of(&runs, "--reference He=1 --reference other=sqrt(2/3)"));
    for size in ["one-column", "slide"] {
        let close = "--reference a=0.65 --reference bbbbbbbbbb=0.75 --reference a_rather_long_name_of_a_reference=1";
        assert_sound(&svg_of(&runs, &format!("{close} --size {size}")));
    }
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
        let stats =
            initsweep(format!("stats {} --format json {words}", fixture("xor-25k.csv"))).run().succeeds().json();
        let minimum = stats["minimum"]["fitted"]["level"].as_f64().unwrap();
        for (colour, level) in [(BLACK, std::f64::consts::FRAC_1_SQRT_2), (GREEN, minimum)] {
            let mut lines = lines_of(&document, colour);
            lines.retain(|line| line[0].0 < end);
            assert_eq!(lines.len(), 1, "one {colour} line");
            let x = lines[0][0].0;
            assert!(lines[0].iter().all(|point| point.0 == x), "it is vertical");
            assert!((x - ruler.place(level)).abs() <= ROUNDED, "{colour} at {x}, not {}", ruler.place(level));
        }
        for name in ["Xavier = 1/√2", &format!("minimum {minimum:.3}")] {
            assert!(
                words_of(&document).iter().any(|word| word.text.contains(name)),
                "{name} is missing with '{words}'"
            );
        }
    }
}

/// Checks that the second panel of the figure of `runs` has its curve, lowest within so many pixels of the minimum that `stats` gives.
fn assert_panel_shows_minimum(runs: &str, assumption: &str, [dx, dy]: [f64; 2]) {
    let folder = Folder::new();
    initsweep(format!("plot {runs} --format svg")).in_folder(&folder).run().succeeds();
    let svg = folder.text(SVG);
    let document = Document::parse(&svg).unwrap();
    let stats = initsweep(format!("stats {runs} --format json")).run().succeeds().json();
    let fitted = &stats["minimum"]["fitted"];
    assert_eq!(fitted["assumption"], assumption, "{fitted}");
    // The panel's own ticks: those right of where it begins.
    let words = words_of(&document);
    let begin = end_of_overview(&words);
    let here = |word: &&Words| word.at.0 > begin && word.number().is_some();
    let bottom = words.iter().filter(here).map(|word| word.at.1).fold(0.0, f64::max);
    let is_log = stats["x_scale"] == "log";
    let across = Ruler::of(words.iter().filter(here).filter(|word| word.at.1 == bottom), is_log, |word| word.at.0);
    let up = Ruler::of(words.iter().filter(here).filter(|word| word.anchor == "end"), false, |word| word.at.1);
    let curve = lines_of(&document, GREEN).into_iter().max_by_key(Vec::len).unwrap();
    let lowest = curve.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    let at = (across.place(fitted["level"].as_f64().unwrap()), up.place(fitted["value"].as_f64().unwrap()));
    assert!((lowest.0 - at.0).abs() < dx && (lowest.1 - at.1).abs() < dy, "{lowest:?}, not {at:?}");
    let (first, last) = (curve[0].0, curve[curve.len() - 1].0);
    assert!(first < at.0 - 50.0 && at.0 + 50.0 < last, "it spans the panel: {first} to {last}");
}

#[test]
fn the_second_panel_shows_the_fitted_curve_through_its_minimum() {
    // The line leaves out points within a tenth of a pixel of it, which along a flat bottom may be some pixels long.
    let parabola = |i: u32, k: u32| {
        let x = 0.1 * 1.04f64.powi(i as i32);
        (x, 10.0 + (x / 1.2).ln().powi(2) + 0.2 * (f64::from(k) - 9.5))
    };
    let runs: Vec<(f64, f64)> = (0..120).flat_map(|i| (0..20).map(move |k| parabola(i, k))).collect();
    let folder = Folder::with("runs.csv", csv_of(&runs));
    assert_panel_shows_minimum(folder.path("runs.csv").to_str().unwrap(), "smooth", [15.0, 0.5]);
    // Of many curves the middle is drawn, which is nowhere as low as the middle of their least values.
    assert_panel_shows_minimum(&sample(), "local", [15.0, 2.0]);
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
    let svg = svg_of(csv_of(&[(1.0, 1.0), (1.0, 2.0)]), "");
    assert!(
        svg.contains(">1 level, n = 2 runs<") && !svg.contains(">lowest"),
        "the only level needs no comparison: {svg}"
    );
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
        ("median", ["median loss", "median of the level’s runs", "95 % order statistics interval"]),
        ("trimmed", ["trimmed mean loss", "trimmed mean of the level’s runs", "95 % Yuen t interval"]),
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
