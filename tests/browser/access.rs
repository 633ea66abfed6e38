//! Accessibility, by axe-core.

use std::fs;

use serde_json::Value;

use crate::browser::Browser;
use crate::harness::good_csv;
use crate::{reading, report_on};

/// What axe finds that is serious or critical, in words.
fn violations(browser: &Browser) -> Vec<String> {
    let axe = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/axe/axe.min.js")).unwrap();
    // The page's policy forbids foreign scripts; WebDriver's own are not the page's.
    browser.run(&format!("{axe}; window.axe = axe; return null"));
    let found = browser.run_to_end(
        "const found = await axe.run(document, { resultTypes: ['violations'] });
         return [found.passes.length, found.violations.map(v => [v.impact, `${v.id}: ${v.help}: ` +
           v.nodes.slice(0, 3).map(node => `${node.html.slice(0, 120)} ${node.failureSummary}`).join('; ')])];",
    );
    assert!(found[0].as_u64().expect("axe ran") > 20, "{found}");
    let serious = |violation: &&Value| violation[0] == "serious" || violation[0] == "critical";
    found[1].as_array().unwrap().iter().filter(serious).map(|violation| violation[1].to_string()).collect()
}

#[test]
fn nothing_serious_in_either_theme() {
    let of_everything = {
        let folder = report_on(good_csv(), "");
        folder.write("runs.csv", format!("{}0.5,NaN\n,1\n77,3\n", good_csv()));
        crate::initsweep("report runs.csv --baseline output/summary.json --reference far=1000")
            .in_folder(&folder)
            .run()
            .succeeds();
        folder
    };
    let with_basins = report_on("hidden_std_dev,loss\n0.1,900\n0.1,5000\n0.5,800\n0.5,1200\n2,7000\n2,950\n", "");
    for folder in [of_everything, with_basins] {
        let browser = reading(&folder);
        for theme in ["light", "dark"] {
            browser.show_as("", theme);
            browser.run("document.querySelector('#figure .point').focus()");
            assert_eq!(violations(&browser), [""; 0], "{theme}");
        }
    }
}
