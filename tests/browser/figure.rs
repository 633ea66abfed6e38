//! The figure: pointed at, walked through, zoomed, switched.

use serde_json::{Value, json};

use crate::browser::{Browser, eventually, key};
use crate::{article, expected_near, numbers, reading, report_on};

/// Centre of a level's point in the window.
fn centre(browser: &Browser, place: usize) -> (f64, f64) {
    let script = format!(
        "const point = document.querySelector('#figure [data-place=\"{place}\"]');
         point.scrollIntoView({{ block: 'center' }});
         const box = point.getBoundingClientRect();
         return [box.left + box.width / 2, box.top + box.height / 2];"
    );
    let centre = browser.run(&script);
    (centre[0].as_f64().unwrap(), centre[1].as_f64().unwrap())
}

/// Place of the level nearest to `level`.
fn place_of(browser: &Browser, level: f64) -> usize {
    let script = format!(
        "const levels = JSON.parse(document.getElementById('data').textContent).columns.level;
         return levels.reduce((best, at, i) => Math.abs(at - {level}) < Math.abs(levels[best] - {level}) ? i : best, 0);"
    );
    browser.run(&script).as_u64().unwrap() as usize
}

/// The numbers that are shown once the browser has seen the mouse move.
fn tip(browser: &Browser) -> String {
    let mut text = None;
    eventually("numbers are shown", || {
        text = tip_now(browser);
        text.is_some()
    });
    text.unwrap()
}

fn tip_now(browser: &Browser) -> Option<String> {
    let text = browser.run("const tip = document.querySelector('.tip'); return tip.hidden ? null : tip.innerText");
    text.as_str().map(ToString::to_string)
}

/// How many levels the figure shows.
fn shown(browser: &Browser) -> usize {
    browser.run("return document.querySelectorAll('#figure .point').length").as_u64().unwrap() as usize
}

/// The place that has the focus, in the figure or in the table.
fn focused(browser: &Browser) -> Value {
    browser.run(
        "const at = document.activeElement;
         return [at.tagName.toLowerCase(), at.dataset.place === undefined ? null : Number(at.dataset.place)]",
    )
}

#[track_caller]
fn assert_near(text: &str, expected: f64, digits: i32) {
    let tolerance = 0.6 * 10f64.powi(-digits);
    let found = numbers(text);
    assert!(found.iter().any(|number| (number - expected).abs() <= tolerance), "{expected} is not in {text:?}");
}

#[test]
fn pointing_at_a_level_shows_its_numbers() {
    let browser = reading(&report_on(article(), ""));
    let expected = expected_near(0.6);
    let place = place_of(&browser, 0.6);
    let at = centre(&browser, place);
    browser.point_at(at.0, at.1);
    let text = tip(&browser);
    let number = |name: &str| expected[name].as_f64().unwrap();
    assert_near(&text, number("hidden_std_dev"), 4);
    assert_near(&text, number("mean"), 0);
    // Two digits of the margin are shown.
    assert_near(&text, number("ci95_high") - number("mean"), -1);
    assert_near(&text, number("count"), 0);
    assert_near(&text, number("median"), 0);
    assert!(text.contains("95 % interval") && text.contains("solved"), "{text}");
    let lit = browser.run("return Array.from(document.querySelectorAll('tr.lit'), row => Number(row.dataset.place))");
    assert_eq!(lit, serde_json::json!([place]), "the row of the table lights up");
    // The bars say what they are, everywhere.
    for (bars, margin, name) in [("se", "se", "standard error"), ("sd", "std", "SD of the runs")] {
        browser.click(&format!("[name=bars][value={bars}]"));
        let at = centre(&browser, place);
        browser.point_at(at.0, at.1);
        let text = tip(&browser);
        assert!(text.contains(name), "{text}");
        let margin = number(margin);
        assert_near(&text, margin, 1 - margin.log10().floor() as i32);
        let caption = browser.text("#figure-caption");
        assert!(
            caption.contains(if bars == "se" { "standard error" } else { "standard deviation of the runs" }),
            "{caption}"
        );
    }
    // Away from the figure nothing is shown.
    browser.run("scrollTo(0, 0)");
    browser.point_at(1.0, 1.0);
    eventually("nothing is shown", || tip_now(&browser).is_none());
}

#[test]
fn bars_are_drawn_to_scale() {
    // Three levels, so that bars are drawn one by one.
    let browser = reading(&report_on(crate::harness::good_csv(), ""));
    // Pixels per unit from two grid lines, then the length of the first bar: 32 ± t(1) · 2 = 12.706 · 2.
    let script = "const texts = Array.from(document.querySelectorAll('#figure text[text-anchor=end]'));
        const at = texts.map(text => [Number(text.textContent.replace('−', '-')), Number(text.getAttribute('y'))]);
        const unit = (at[0][1] - at[1][1]) / (at[1][0] - at[0][0]);
        const bar = document.querySelector('#figure svg svg path').getAttribute('d').match(/[\\d.]+/g).map(Number);
        return (bar[1] - bar[2]) / unit / 2;";
    assert!((browser.run(script).as_f64().unwrap() - 25.412).abs() < 0.01);
    browser.click("[name=bars][value=se]");
    assert!((browser.run(script).as_f64().unwrap() - 2.0).abs() < 0.001);
    browser.click("[name=bars][value=sd]");
    assert!((browser.run(script).as_f64().unwrap() - 8f64.sqrt()).abs() < 0.001);
}

#[test]
fn the_keyboard_reaches_every_level() {
    let browser = reading(&report_on(article(), ""));
    let script = "const at = document.activeElement; return at.classList.contains('point')";
    eventually("the figure has the focus", || {
        browser.press(&[key::TAB]);
        browser.run(script) == true
    });
    let least = place_of(&browser, 0.4541);
    assert_eq!(focused(&browser), serde_json::json!(["circle", least]), "it begins at the least mean");
    browser.press(&[key::RIGHT, key::RIGHT, key::LEFT]);
    assert_eq!(focused(&browser), serde_json::json!(["circle", least + 1]));
    let label = browser.run("return document.activeElement.getAttribute('aria-label')");
    assert!(label.as_str().unwrap().starts_with("hidden_std_dev 0.46"), "{label}");
    assert!(tip_now(&browser).is_some(), "focus shows what pointing shows");
    browser.press(&[key::HOME]);
    assert_near(&tip(&browser), expected_near(0.0)["mean"].as_f64().unwrap(), 0);
    browser.press(&[key::END]);
    assert_near(&tip(&browser), expected_near(60.0)["mean"].as_f64().unwrap(), 0);
    browser.press(&[key::ENTER]);
    assert_eq!(focused(&browser), serde_json::json!(["tr", 399]), "Enter goes to the row");
    browser.press(&[key::UP, key::UP, key::DOWN]);
    assert_eq!(focused(&browser), serde_json::json!(["tr", 398]));
    browser.press(&[key::ENTER]);
    assert_eq!(focused(&browser), serde_json::json!(["circle", 398]), "and back");
    browser.press(&["+"]);
    assert!(shown(&browser) < 220, "{}", shown(&browser));
    assert_eq!(focused(&browser), serde_json::json!(["circle", 398]), "the focus stays");
    browser.press(&["0"]);
    assert_eq!(shown(&browser), 400);
}

#[test]
fn dragging_zooms_and_the_table_can_follow() {
    let folder = report_on(article(), "");
    let browser = reading(&folder);
    let (from, to) = (place_of(&browser, 0.3), place_of(&browser, 0.9));
    let (left, right) = (centre(&browser, from), centre(&browser, to));
    browser.drag((left.0 - 1.0, left.1 + 3.0), (right.0 + 1.0, left.1));
    let zoomed = shown(&browser);
    assert!(zoomed.abs_diff(to - from + 1) <= 2, "{zoomed} of {} levels", to - from + 1);
    browser.click("[name=visible]");
    assert_eq!(browser.text("#filter-state"), format!("{zoomed} of 400 levels"));
    browser.click("#zoom-out");
    assert!(shown(&browser) > zoomed);
    browser.click("#reset");
    assert_eq!(shown(&browser), 400);
    assert_eq!(browser.text("#filter-state"), "400 of 400 levels");
    browser.click("#zoom-in");
    assert!((150..250).contains(&shown(&browser)), "half of the axis: {}", shown(&browser));
    // A reload, as when a newer report arrives, keeps the view.
    browser.run("window.isOld = true; location.reload()");
    eventually("the page is there again", || browser.run("return !window.isOld") == true && shown(&browser) > 0);
    assert!((150..250).contains(&shown(&browser)), "{}", shown(&browser));
}

#[test]
fn axes_switch_between_linear_and_logarithmic() {
    let browser = reading(&report_on(article(), ""));
    let ticks = || {
        browser.run("return Array.from(document.querySelectorAll('#figure svg > text[text-anchor=middle]'), t => t.textContent)")
    };
    let checked = |name: &str| browser.run(&format!("return document.querySelector('[name={name}]:checked').value"));
    assert_eq!((checked("x"), checked("y")), ("log".into(), "linear".into()));
    assert!(ticks().as_array().unwrap().contains(&"0.1".into()), "{}", ticks());
    browser.click("[name=x][value=linear]");
    assert!(ticks().as_array().unwrap().contains(&"20".into()) && !ticks().to_string().contains("0.1"), "{}", ticks());
    assert_eq!(shown(&browser), 400);
    let heights =
        "return ['0', '200'].map(place => document.querySelector(`[data-place='${place}']`).cy.baseVal.value)";
    let linear = browser.run(heights);
    browser.click("[name=y][value=log]");
    assert_ne!(browser.run(heights), linear);
    // Where a logarithm cannot show the levels or the means, the choice is not there.
    let browser = reading(&report_on("x,y\n-1,-1\n-1,-3\n1,-2\n1,-5\n20,-3\n20,-4\n", "--x x --y y"));
    let is_off =
        |name: &str| browser.run(&format!("return document.querySelector('[name={name}][value=log]').disabled"));
    assert_eq!((is_off("x"), is_off("y")), (true.into(), true.into()));
    assert_eq!(shown(&browser), 3);
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn level_zero_has_a_slot_beside_a_logarithmic_axis() {
    let browser =
        reading(&report_on("x,y\n0,1\n0,3\n1,2\n1,5\n20,3\n20,4\n400,5\n400,6\n", "--x x --y y --reference off=0"));
    let is_on = |what: &str| browser.run(&format!("return document.querySelectorAll('#figure {what}').length > 0"));
    let labels =
        "return Array.from(document.querySelectorAll('#figure svg > text[text-anchor=middle]'), t => t.textContent)";
    assert_eq!((shown(&browser), is_on(".break")), (4, true.into()));
    assert_eq!(browser.run(labels)[0], "0");
    let x = |place: usize| centre(&browser, place).0;
    let (gap, rest) = (x(1) - x(0), x(2) - x(1));
    assert!(0.0 < gap && gap < rest, "{gap} {rest}");
    // Its numbers are shown, and the name of the reference there.
    let at = centre(&browser, 0);
    browser.point_at(at.0, at.1);
    assert!(tip(&browser).starts_with("level\n0\n"), "{}", tip(&browser));
    assert!(browser.run("return document.querySelector('#figure svg').textContent").to_string().contains("off = 0"));
    // Dragging from it keeps it, and the break; dragging over others leaves both out.
    let drag = |from: usize, to: usize| {
        let (left, right) = (centre(&browser, from), centre(&browser, to));
        browser.drag((left.0 - 4.0, left.1), (right.0 + 4.0, left.1));
        (shown(&browser), is_on(".break"))
    };
    assert_eq!(drag(0, 2), (3, true.into()));
    browser.click("#reset");
    assert_eq!(drag(1, 2), (2, false.into()));
    browser.click("#zoom-out");
    browser.click("#zoom-out");
    assert_eq!((shown(&browser), is_on(".break")), (4, true.into()));
    browser.click("[name=x][value=linear]");
    assert_eq!((shown(&browser), is_on(".break")), (4, false.into()));
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn a_finger_shows_numbers_until_it_touches_elsewhere() {
    let browser = reading(&report_on(article(), ""));
    browser.devtools("Emulation.setTouchEmulationEnabled", &json!({"enabled": true}));
    let place = place_of(&browser, 0.6);
    let (x, y) = centre(&browser, place);
    let tap = |x: f64, y: f64| {
        browser.devtools("Input.dispatchTouchEvent", &json!({"type": "touchStart", "touchPoints": [{"x": x, "y": y}]}));
        browser.devtools("Input.dispatchTouchEvent", &json!({"type": "touchEnd", "touchPoints": []}));
    };
    tap(x, y);
    assert!(tip(&browser).contains("median"), "{}", tip(&browser));
    tap(2.0, 2.0);
    eventually("the numbers are gone", || tip_now(&browser).is_none());
}

#[test]
fn no_line_runs_through_a_name() {
    let words =
        "--reference He=0.65 --reference LeCun=0.75 --reference A_long_name_of_a_reference=2 --reference last=40";
    let browser = reading(&report_on(article(), words));
    for width in [360, 500, 1000] {
        browser.resize(width, 900);
        browser.run_to_end("await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))");
        let crossed = browser.run(
            "const box = element => element.getBoundingClientRect();
             const figure = document.querySelector('#figure > svg');
             const lines = Array.from(figure.querySelectorAll(':scope > line')).filter(line => line.getAttribute('stroke').includes('--line-') || line.getAttribute('stroke').includes('--minimum')).map(box);
             const names = Array.from(figure.querySelectorAll(':scope > text')).filter(text => (text.getAttribute('fill') || '').startsWith('var(--line-') || text.getAttribute('fill') === 'var(--minimum)');
             if (names.length !== 6 || lines.length !== 6) return [`${names.length} names of ${lines.length} lines`];
             const runs = (line, name) => line.left > name.left && line.left < name.right && line.top < name.bottom - 2 && line.bottom > name.top + 2;
             return names.filter(name => lines.some(line => runs(line, box(name)))).map(name => name.textContent);",
        );
        assert_eq!(crossed, json!([]), "at {width}");
    }
}

#[test]
fn the_figure_shows_what_is_sought() {
    let browser = reading(&report_on(article(), "--statistic median"));
    let place = place_of(&browser, 0.6);
    let [value, height] = ["columns.median[place]", "Number(point.getAttribute('cy'))"].map(|what| {
        let script = format!(
            "const {{ columns }} = JSON.parse(document.getElementById('data').textContent);
             const heights = [{place}, {place} + 20].map(place => {{
               const point = document.querySelector(`#figure [data-place=\"${{place}}\"]`);
               return {what};
             }});
             return heights[1] - heights[0];"
        );
        browser.run(&script).as_f64().unwrap()
    });
    assert!(value != 0.0 && value.signum() == -height.signum(), "{value} further up is {height} lower");
    let (x, y) = centre(&browser, place);
    browser.point_at(x, y);
    let text = tip(&browser);
    assert!(text.starts_with("level") && text.contains("median") && !text.contains("mean"), "{text}");
    assert!(browser.run("return document.querySelector('[name=bars][value=sd]').disabled").as_bool().unwrap());
}

#[test]
fn failed_runs_can_be_seen_and_pointed_at() {
    let runs = "lr,loss\n1,5\n1,6\n2,3\n2,4\n3,4\n3,5\n4,2\n4,nan\n5,nan\n5,nan\n";
    let browser = reading(&report_on(runs, "--x lr"));
    // A hollow point where one run failed, a cross where both did.
    let tags = browser.run("return Array.from(document.querySelectorAll('#figure .point'), point => point.tagName)");
    assert_eq!(tags, json!(["circle", "circle", "circle", "circle", "path"]));
    let fills = browser.run(
        "return Array.from(document.querySelectorAll('#figure circle.point'), point => point.getAttribute('fill').includes('paper'))",
    );
    assert_eq!(fills, json!([false, false, false, true]));
    // The bars of the strip are as high as the shares.
    let heights = browser.run(
        "return Array.from(document.querySelectorAll('#figure rect[fill=\"var(--failed)\"]'), bar => Number(bar.getAttribute('height')))",
    );
    let [half, whole] = [0, 1].map(|bar| heights[bar].as_f64().unwrap());
    assert!(whole > 10.0 && (2.0 * half - whole).abs() < 0.1, "{heights}");
    let at = centre(&browser, 4);
    browser.point_at(at.0, at.1);
    let text = tip(&browser);
    assert!(text.contains("not known") && text.contains("2 of 2"), "{text}");
}
