//! Every kind of figure: of runs and of the trainer, in every theme and size, of odd data.

use roxmltree::Document;

use crate::harness::{Folder, csv_of, good_csv, initsweep, sample};
use crate::svg::{ROUNDED, Ruler, Words, assert_sound, number, words_of};

const KINDS_OF_RUNS: [&str; 5] = ["loss-vs-std-dev", "distribution", "basins", "precision", "history"];
const KINDS_OF_TRAINER: [&str; 6] = ["xor", "sigmoid", "likelihood", "bce", "weights", "loss-curve"];

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
    let svg = folder.text("output/loss-vs-std-dev.svg");
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
    assert!(words.iter().any(|word| word.text == "lowest: 0.0 ± 1.0 (standard error) at 0.1, 1"), "{words:?}");
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
    piped.arg("--format").arg("svg").in_folder(&folder).run().succeeds();
    assert_eq!(folder.text("output/heatmap.svg"), svg);
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
