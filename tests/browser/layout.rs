//! Where things stand: on a phone, a tablet, a desk, on paper, and without scripts.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::harness::{Folder, csv_of, good_csv, initsweep};
use crate::{article, reading, report_on};

const WIDTHS: [u32; 3] = [360, 800, 1600];

/// Pairs of texts that lie on each other, and texts that leave the page, in words. What a scrolling box hides does not count.
const COLLISIONS: &str = r#"
const boxes = [];
const clipped = (rect, element) => {
  let box = { left: rect.left, right: rect.right, top: rect.top, bottom: rect.bottom };
  for (let at = element; at && at !== document.body; at = at.parentElement) {
    if (at instanceof HTMLElement && getComputedStyle(at).overflowX !== 'visible') {
      const frame = at.getBoundingClientRect();
      box = { left: Math.max(box.left, frame.left), right: Math.min(box.right, frame.right),
        top: Math.max(box.top, frame.top), bottom: Math.min(box.bottom, frame.bottom) };
    }
  }
  return box.right - box.left > 1 && box.bottom - box.top > 1 ? box : null;
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode;
  const parent = node.parentElement;
  if (!node.data.trim() || !parent.checkVisibility({ visibilityProperty: true }) || parent.closest('script, style, title, desc, .tip')) continue;
  const range = document.createRange();
  range.selectNodeContents(node);
  for (const rect of parent.closest('svg') ? [parent.getBoundingClientRect()] : range.getClientRects()) {
    const box = clipped(rect, parent);
    if (box) boxes.push({ ...box, node, text: node.data.trim().slice(0, 40) });
  }
}
const found = [];
boxes.sort((a, b) => a.top - b.top);
boxes.forEach((a, i) => {
  if (a.left < -1 || a.right > innerWidth + 1) found.push(`"${a.text}" leaves the page at ${a.left}, ${a.right}`);
  for (let j = i + 1; j < boxes.length && boxes[j].top < a.bottom - 2; j += 1) {
    const b = boxes[j];
    const [wide, high] = [Math.min(a.right, b.right) - Math.max(a.left, b.left), Math.min(a.bottom, b.bottom) - b.top];
    if (a.node !== b.node && wide > 2 && high > 2) found.push(`"${a.text}" lies on "${b.text}"`);
  }
});
if (document.documentElement.scrollWidth > innerWidth) found.push('the page is wider than the window');
return [boxes.length, found.slice(0, 10)];
"#;

#[track_caller]
fn assert_nothing_overlaps(browser: &Browser, what: &str) {
    let found = browser.run(COLLISIONS);
    assert!(found[0].as_u64().unwrap() > 50, "{what}: texts are seen: {found}");
    assert_eq!(found[1], json!([]), "{what}");
}

/// Reports that are easy to lay out badly.
fn reports() -> Vec<(&'static str, Folder)> {
    let everything = report_on(good_csv(), "");
    // Every kind of row that is left out, warnings, a single run, levels that differ by rounding, changes since before.
    let more = "0.5,NaN\n0.5,inf\n,1\n0.5,\n-1,5\n2.0000000000000004,3\n1000,7\n";
    everything.write("runs.csv", format!("{}{more}", good_csv()));
    let words = "report runs.csv runs.csv --baseline output/summary.json --reference far=5000 --reference half=1/2";
    initsweep(words).in_folder(&everything).run().succeeds();

    let long = "a rather long name of a setting, ".repeat(8);
    let named = Folder::with("runs.csv", good_csv().replacen("hidden_std_dev", &format!("\"{}\"", long.trim()), 1));
    let mut call = initsweep("report runs.csv --x").arg(long.trim());
    for (name, level) in
        [(long.as_str(), 0.5), ("unbroken_".repeat(12).as_str(), 0.51), ("c", 0.52), ("d", 0.53), ("e", 0.54)]
    {
        call = call.arg("--reference").arg(format!("{}={level}", name.trim()));
    }
    call.in_folder(&named).run().succeeds();

    let extreme = csv_of(&[(1e-12, 1.5e300), (1e-12, 1.6e300), (1.0, -2.5e300), (1.0, -2.4e300), (1e12, 3.25e-5)]);
    vec![
        ("400 levels", report_on(article(), "--reference He=1 --reference LeCun=0.7 --reference Glorot=0.72")),
        ("everything", everything),
        ("long names", named),
        ("extreme numbers", report_on(extreme, "")),
        ("one run", report_on("hidden_std_dev,loss\n1,2\n", "")),
    ]
}

#[test]
fn nothing_overlaps_at_any_width() {
    let browser = Browser::start();
    for (what, folder) in reports() {
        browser.open(&folder.path("output/report.html"));
        for width in WIDTHS {
            browser.resize(width, 900);
            // The figure is drawn anew when its box has changed.
            browser.run_to_end("await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))");
            assert_nothing_overlaps(&browser, &format!("{what} at {width}"));
        }
        browser.run("scrollTo(0, 0)");
        assert_eq!(browser.console(), [""; 0], "{what}");
    }
}

#[test]
fn texts_are_large_enough_to_read() {
    let browser = reading(&report_on(article(), ""));
    for width in WIDTHS {
        browser.resize(width, 900);
        let least = browser.run(
            "const texts = Array.from(document.querySelectorAll('main *')).filter(e => e.checkVisibility() && e.textContent.trim());
             return Math.min(...texts.map(text => parseFloat(getComputedStyle(text).fontSize)));",
        );
        assert!(least.as_f64().unwrap() >= 11.0, "{least} px at {width}");
    }
}

/// What a reader sees of the parts that come and go: controls, the two main figures and the others, rows of the table.
fn visible(browser: &Browser) -> Value {
    browser.run(
        "const seen = selector => Array.from(document.querySelectorAll(selector)).filter(e => e.checkVisibility({ opacityProperty: false })).length;
         return { controls: seen('main button, main input, main select, .controls') - seen('#levels thead button'),
           fixed: seen('div.static svg'), others: seen('figure.static svg'), live: seen('#figure > svg'), rows: seen('#levels tbody tr') };",
    )
}

#[test]
fn without_scripts_everything_is_there() {
    let folder = report_on(article(), "");
    let browser = Browser::start();
    browser.devtools("Emulation.setScriptExecutionDisabled", &json!({"value": true}));
    browser.open(&folder.path("output/report.html"));
    assert_eq!(visible(&browser), json!({"controls": 0, "fixed": 1, "others": 4, "live": 0, "rows": 400}));
    let finding = browser.text(".finding");
    assert!(finding.starts_with("The mean loss is lowest at hidden_std_dev = "), "{finding}");
    for section in ["References compared", "Levels", "Warnings and rows", "Methods", "How it was made"] {
        let heads = browser.run("return Array.from(document.querySelectorAll('h2'), head => head.textContent)");
        assert!(heads.as_array().unwrap().contains(&section.into()), "{section} in {heads}");
    }
    for width in WIDTHS {
        browser.resize(width, 900);
        assert_nothing_overlaps(&browser, &format!("without scripts at {width}"));
    }
}

#[test]
fn figures_are_as_light_or_dark_as_the_page_and_in_their_own_font() {
    let folder = report_on(article(), "--theme dark");
    let browser = Browser::start();
    browser.devtools("Emulation.setScriptExecutionDisabled", &json!({"value": true}));
    browser.open(&folder.path("output/report.html"));
    let grounds = "return Array.from(document.querySelectorAll('.static svg > rect:first-of-type'), e => getComputedStyle(e).fill)";
    let inks = "return Array.from(document.querySelectorAll('.static svg > text:first-of-type'), e => getComputedStyle(e).fill)";
    for (medium, colours, ground, ink) in [
        ("screen", "light", "rgb(255, 255, 255)", "rgb(26, 26, 26)"),
        ("screen", "dark", "rgb(22, 24, 27)", "rgb(232, 232, 230)"),
        ("print", "dark", "rgb(255, 255, 255)", "rgb(26, 26, 26)"),
    ] {
        browser.show_as(medium, colours);
        assert_eq!(browser.run(grounds), json!(vec![ground; 5]), "{medium} {colours}");
        assert_eq!(browser.run(inks), json!(vec![ink; 5]), "{medium} {colours}");
    }
    let fonts =
        "await document.fonts.ready; return Array.from(document.fonts, f => [f.family, f.weight, f.status].join(' '))";
    assert_eq!(browser.run_to_end(fonts), json!(["figure normal loaded", "figure bold loaded"]));
    // The figure beside the page brings its font along, and is as dark as was asked for.
    browser.open(&folder.path("output/loss-vs-std-dev.svg"));
    assert_eq!(browser.run_to_end(fonts), json!(["DejaVu Sans normal loaded", "DejaVu Sans bold loaded"]));
    assert_eq!(browser.run("return getComputedStyle(document.querySelector('rect')).fill"), "rgb(22, 24, 27)");
}

#[test]
fn paper_has_no_controls_and_every_row() {
    let folder = report_on(article(), "");
    let browser = reading(&folder);
    let seen = visible(&browser);
    assert!(seen["controls"].as_u64().unwrap() > 10 && seen["live"] == 1 && seen["fixed"] == 0, "{seen}");
    // Even of what was filtered out on the screen, and in the dark.
    browser.click("[name=candidates]");
    browser.show_as("print", "dark");
    assert_eq!(visible(&browser), json!({"controls": 0, "fixed": 1, "others": 4, "live": 0, "rows": 400}));
    // Buttons in it would keep the head from being repeated on every page.
    let heads = browser.run(
        "return Array.from(document.querySelectorAll('#levels thead th'), head =>
           [head.dataset.head, getComputedStyle(head, '::before').content, head.firstChild.checkVisibility()])",
    );
    let heads = heads.as_array().unwrap();
    assert!(heads.len() > 5 && heads[0][0] == "level", "{heads:?}");
    for head in heads {
        assert_eq!(head[1], format!("\"{}\"", head[0].as_str().unwrap()));
        assert_eq!(head[2], false, "{head}");
    }
    let paper = browser.run("return getComputedStyle(document.body).backgroundColor");
    assert_eq!(paper, "rgb(255, 255, 255)");
    // The printable width of A4 at 15 mm margins.
    browser.resize(680, 900);
    assert_nothing_overlaps(&browser, "on paper");
    let pages = browser.devtools("Page.printToPDF", &json!({}));
    assert!(pages["data"].as_str().unwrap().len() > 10_000);
}
