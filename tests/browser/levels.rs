//! The table of levels: sorted, filtered, linked with the figure; and what can be saved.

use std::fs;
use std::path::PathBuf;

use roxmltree::Document;
use serde_json::json;

use crate::browser::{Browser, eventually};
use crate::harness::Folder;
use crate::{article, reading, report_on};

/// Levels of the rows that are shown, in their order.
fn rows(browser: &Browser) -> Vec<usize> {
    let places = browser.run(
        "return Array.from(document.querySelectorAll('#levels tbody tr:not([hidden])'), row => Number(row.dataset.place))",
    );
    places.as_array().unwrap().iter().map(|place| place.as_u64().unwrap() as usize).collect()
}

/// A column of `summary.csv`.
fn column(folder: &Folder, name: &str) -> Vec<f64> {
    let text = folder.text("output/summary.csv");
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let place = lines.next().unwrap().iter().position(|head| *head == name).unwrap_or_else(|| panic!("no {name}"));
    lines.map(|cells| cells[place].parse().unwrap()).collect()
}

/// A value of every group of `summary.json`.
fn of_groups(folder: &Folder, pointer: &str) -> Vec<f64> {
    let json: serde_json::Value = serde_json::from_str(&folder.text("output/summary.json")).unwrap();
    json["groups"].as_array().unwrap().iter().map(|group| group.pointer(pointer).unwrap().as_f64().unwrap()).collect()
}

#[test]
fn every_column_sorts_both_ways() {
    let folder = report_on(article(), "");
    let browser = reading(&folder);
    let keys =
        browser.run("return Array.from(document.querySelectorAll('#levels thead th'), head => head.dataset.key)");
    let keys: Vec<&str> = keys.as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
    assert!(keys.starts_with(&["level", "n", "mean"]), "{keys:?}");
    for key in keys {
        // What the CSV lacks is in the JSON.
        let values = match key {
            "lower" => column(&folder, "ci_lower"),
            "solved" => of_groups(&folder, "/solved_share/estimate"),
            "trimmed_mean" => of_groups(&folder, "/trimmed_mean/estimate"),
            "p_best" => of_groups(&folder, "/p_best"),
            key => column(&folder, key),
        };
        let head = format!("#levels [data-key={key}]");
        if key != "level" {
            browser.click(&format!("{head} button"));
        }
        let rising = rows(&browser);
        assert_eq!(rising.len(), 400);
        assert!(rising.windows(2).all(|pair| values[pair[0]] <= values[pair[1]]), "{key} rises");
        let state = format!("return document.querySelector('{head}').getAttribute('aria-sort')");
        assert_eq!(browser.run(&state), "ascending");
        browser.click(&format!("{head} button"));
        assert!(rows(&browser).windows(2).all(|pair| values[pair[0]] >= values[pair[1]]), "{key} falls");
        assert_eq!(browser.run(&state), "descending");
        assert_eq!(browser.run("return document.querySelectorAll('#levels [aria-sort]').length"), 1);
    }
}

#[test]
fn filters_narrow_table_and_figure() {
    let folder = report_on(article(), "");
    let browser = reading(&folder);
    let levels = column(&folder, "level");
    let within: Vec<usize> = (0..400).filter(|place| (0.5..=0.7).contains(&levels[*place])).collect();
    browser.click("[name=from]");
    browser.press(&["0", ".", "5"]);
    browser.click("[name=to]");
    browser.press(&["0", ".", "7"]);
    assert_eq!(rows(&browser), within);
    assert_eq!(browser.text("#filter-state"), format!("{} of 400 levels", within.len()));
    let bright = browser.run(
        "return Array.from(document.querySelectorAll('#figure .point[fill-opacity=\"1\"]'), p => Number(p.dataset.place))",
    );
    assert_eq!(bright, json!(within), "the others are faint in the figure");
    browser.click("[name=candidates]");
    let json: serde_json::Value = serde_json::from_str(&folder.text("output/summary.json")).unwrap();
    let is_candidate = |place: &usize| json["groups"][*place]["in_confidence_set"] == true;
    assert_eq!(rows(&browser), within.into_iter().filter(is_candidate).collect::<Vec<_>>());
    browser.click("#filter [type=reset]");
    eventually("all rows are back", || rows(&browser).len() == 400);
    // What is no number is marked, and filters nothing.
    browser.click("[name=from]");
    browser.press(&["x"]);
    assert_eq!(browser.run("return document.querySelector('[name=from]').getAttribute('aria-invalid')"), "true");
    assert_eq!(rows(&browser).len(), 400);
}

#[test]
fn pointing_at_a_row_lights_up_its_point() {
    let browser = reading(&report_on(article(), ""));
    let at = browser.run(
        "const row = document.querySelector('#levels [data-place=\"3\"]');
         row.scrollIntoView({ block: 'center' });
         const box = row.getBoundingClientRect();
         return [box.left + 60, box.top + box.height / 2];",
    );
    browser.point_at(at[0].as_f64().unwrap(), at[1].as_f64().unwrap());
    let ring = browser.run(
        "const ring = document.querySelector('#figure g[pointer-events=none] circle');
         const point = document.querySelector('#figure [data-place=\"3\"]');
         return ring.parentNode.getAttribute('visibility') === 'visible' && Math.hypot(
           ring.cx.baseVal.value - point.cx.baseVal.value, ring.cy.baseVal.value - point.cy.baseVal.value) < 0.1;",
    );
    assert_eq!(ring, true);
}

/// Has the browser save what `button` gives, and returns the file.
fn saved(browser: &Browser, folder: &Folder, button: &str, name: &str) -> PathBuf {
    let to = folder.path("saved");
    fs::create_dir_all(&to).unwrap();
    browser.devtools("Browser.setDownloadBehavior", &json!({"behavior": "allow", "downloadPath": to}));
    browser.click(button);
    let file = to.join(name);
    eventually("the file is saved", || file.exists());
    file
}

#[test]
fn the_table_is_saved_as_it_is_shown_with_every_digit() {
    let folder = report_on(article(), "");
    let browser = reading(&folder);
    let all = fs::read_to_string(saved(&browser, &folder, "#save-csv", "levels.csv")).unwrap();
    let summary = folder.text("output/summary.csv");
    let cells = |text: &str| -> Vec<Vec<String>> {
        text.lines().map(|line| line.split(',').map(ToString::to_string).collect()).collect()
    };
    let (all, summary) = (cells(&all), cells(&summary));
    assert_eq!(all.len(), 401);
    let mut compared = 0;
    for (place, name) in all[0].iter().enumerate() {
        let Some(other) = summary[0].iter().position(|head| head == name) else { continue };
        compared += 1;
        for (row, expected) in all.iter().zip(&summary).skip(1) {
            // Equal to the last bit; what is not a number, such as an empty cell, to the letter.
            let bits = |cell: &String| cell.parse().map(f64::to_bits).map_err(|_| cell.clone());
            assert_eq!(bits(&row[place]), bits(&expected[other]), "{name}");
        }
    }
    assert!(compared >= 12, "{:?}", all[0]);
    fs::remove_file(folder.path("saved/levels.csv")).unwrap();
    browser.click("[name=to]");
    browser.press(&["0", ".", "0", "5", "1"]);
    browser.click("#levels [data-key=level] button");
    let some = fs::read_to_string(saved(&browser, &folder, "#save-csv", "levels.csv")).unwrap();
    assert_eq!(cells(&some)[1..], [all[2].clone(), all[1].clone()], "as filtered and sorted");
}

#[test]
fn the_figure_is_saved_as_vectors_and_as_pixels() {
    let folder = report_on(article(), "");
    let browser = reading(&folder);
    // On white paper, also for a reader in the dark.
    browser.show_as("", "dark");
    browser.click("[name=bars][value=sd]");
    let svg = fs::read_to_string(saved(&browser, &folder, "#save-svg", "figure.svg")).unwrap();
    let document = Document::parse(&svg).unwrap();
    assert_eq!(document.root_element().attribute("viewBox"), Some("0 0 900 560"));
    for absent in ["NaN", "var(", "undefined", "Infinity"] {
        assert!(!svg.contains(absent), "{absent}");
    }
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("circle")).count(), 400);
    let paper = document.descendants().find(|node| node.has_tag_name("rect")).unwrap();
    assert_eq!(paper.attribute("fill"), Some("#ffffff"));
    assert!(
        svg.contains("standard deviation of the runs") && svg.contains("Training loss against"),
        "it says what it is"
    );
    // With its font, wherever it is opened.
    assert!(svg.contains("@font-face") && svg.contains("data:font/ttf;base64,"), "the font is in it");
    let family = document.root_element().attribute("font-family").unwrap();
    assert!(family.starts_with("figure,"), "{family}");
    let png = fs::read(saved(&browser, &folder, "#save-png", "figure.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    let size = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!((size(16), size(20)), (1800, 1120));
    assert_eq!(browser.console(), [""; 0]);
}
