//! The report and the other results: complete, safe to open, written whole.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::figure::{hostile_names, made_of, runs_of};
use crate::harness::{Folder, fixture, good_csv, initsweep, sample};

const RESULTS: [&str; 5] = ["loss-vs-std-dev.png", "loss-vs-std-dev.svg", "report.html", "summary.csv", "summary.json"];

/// The report on `csv`.
fn html_of(csv: impl AsRef<[u8]>, words: &str) -> String {
    let folder = Folder::with("runs.csv", csv);
    initsweep(format!("report runs.csv {words}")).in_folder(&folder).run().succeeds();
    folder.text("output/report.html")
}

/// The tags of a document, checked to be balanced: enough of HTML for what a template of our own writes.
#[track_caller]
fn tags_of(html: &str) -> Vec<String> {
    const WITHOUT_END: [&str; 5] = ["meta", "link", "br", "input", "!doctype"];
    let (mut open, mut all) = (Vec::new(), Vec::new());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>') || open.last().is_some_and(|name| name == "style"), "{}", &rest[..start]);
        let end = start + rest[start..].find('>').expect("every < is closed");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        let name = tag.trim_matches('/').split([' ', '\n']).next().unwrap().to_lowercase();
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_ref(), Some(&name), "</{name}> closes another tag");
        } else if !tag.ends_with('/') && !WITHOUT_END.contains(&name.as_str()) {
            open.push(name);
        }
        all.push(tag.to_string());
    }
    assert!(open.is_empty(), "{open:?} are not closed");
    all
}

/// The page's own script, which is its last one, with the rest of the page.
#[track_caller]
fn parted(html: &str) -> (String, String) {
    let begin = html.rfind("<script>").expect("the page has a script");
    let (rest, script) = html.split_at(begin);
    let (script, end) = script.strip_prefix("<script>").unwrap().split_once("</script>").unwrap();
    (script.into(), format!("{rest}{end}"))
}

/// The JSON that the script draws from, with the rest of the page.
#[track_caller]
fn data_of(html: &str) -> (Value, String) {
    let (before, rest) = html.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    let (json, after) = rest.split_once("</script>").unwrap();
    (serde_json::from_str(json).unwrap(), format!("{before}{after}"))
}

/// Checks that a browser would run nothing but the page's own script, and ask for nothing.
#[track_caller]
fn assert_inert(html: &str) {
    let (script, html) = parted(html);
    let (_, html) = data_of(&html);
    let policy = html.split("http-equiv=\"Content-Security-Policy\" content=\"").nth(1).expect("a policy");
    assert!(html.find("Content-Security-Policy") < html.find("<style>"), "the policy comes first");
    let policy = policy.split('"').next().unwrap();
    let digest = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let style = html.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; script-src {}; style-src {}; img-src data: blob:; font-src data:; connect-src 'self'; base-uri 'none'; \
             form-action 'none'",
            digest(&script),
            digest(style)
        )
    );
    for tag in tags_of(&html) {
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap().to_lowercase();
        let refused = ["script", "img", "iframe", "object", "embed", "base", "a", "image", "use", "foreignobject"];
        assert!(!refused.contains(&name.as_str()), "<{tag}>");
        assert!(!tag.contains(" on") && !tag.contains("src=") && !tag.contains("action="), "<{tag}>");
        let loads = name == "link" && !tag.contains("href=\"data:,\"");
        assert!(!loads, "<{tag}>");
    }
    assert!(!html.contains(" style="), "the policy forbids it");
    // The name of the SVG namespace is no address that anything is loaded from.
    let html = html.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    // The font of the figures lies in the style itself.
    let html = html.replace("src:url(data:font/ttf;base64,", "");
    for request in ["http://", "https://", "url(", "@import", "javascript:"] {
        assert!(!html.contains(request), "{request}");
    }
}

#[test]
fn the_report_is_one_document_that_asks_for_nothing() {
    let html = html_of(fs::read(fixture("xor-25k.csv")).unwrap(), "");
    assert!(html.starts_with("<!DOCTYPE html>"));
    assert_inert(&html);
    // The article's file tells where each run ended by its total loss.
    for title in
        ["Training loss against", "Where the trainings end", "Distribution of the", "How precisely", "How the minimum"]
    {
        assert_eq!(html.matches(&format!("<title>{title}")).count(), 1, "{title}");
    }
    assert_eq!(html.matches("<svg").count(), 5, "the figures are part of it");
    assert_eq!(html.matches("@font-face").count(), 2, "regular and bold, once for all figures");
    assert!(html.len() < 1_500_000, "{}", html.len());
}

#[test]
fn the_report_shows_every_number_that_the_table_shows() {
    let folder = Folder::with("runs.csv", fs::read(fixture("xor-25k.csv")).unwrap());
    initsweep("report runs.csv").in_folder(&folder).run().succeeds();
    // Without the blanks that line up the columns or hold a number and its percent sign together.
    let html = folder.text("output/report.html").replace(['\u{2007}', '\u{2008}'], "").replace('\u{a0}', " ");
    let markdown = initsweep("stats runs.csv --format markdown").in_folder(&folder).run().succeeds().text();
    let rows: Vec<&str> = markdown.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert_eq!(rows.len(), 400);
    for row in rows {
        let (level, cells) = row.trim_matches(['|', ' ']).split_once(" | ").unwrap();
        // The last is the share of solved runs, which the report gives with more digits.
        let (cells, _) = cells.rsplit_once(" | ").unwrap();
        let cells = cells.replace(" | ", "</td><td>");
        assert!(html.contains(&format!("<th scope=\"row\">{level}</th><td>{cells}</td>")), "{row}");
    }
    assert_eq!(html.matches("id=\"minimum\"").count(), 1);
    let finding = markdown.lines().next().unwrap();
    assert!(html.contains(&format!("<p class=\"finding\">{finding}</p>")), "{finding}");
    for shown in ["Xavier = 1/√2", "25,600 read = 25,600 used", "initsweep 0.1.0", "Methods"] {
        assert!(html.contains(shown), "{shown}");
    }
}

#[test]
fn the_report_says_what_was_sought() {
    for (statistic, said) in [
        ("mean", ["place of the minimum", "mean there", "least observed mean", "against the minimum"]),
        ("median", ["place of the minimum", "median there", "least observed median", "against the minimum"]),
        (
            "solved-share",
            [
                "place of the maximum",
                "share of solved runs there",
                "greatest observed share of solved runs",
                "against the maximum",
            ],
        ),
    ] {
        let folder = Folder::new();
        initsweep(format!("report {} --statistic {statistic}", sample())).in_folder(&folder).run().succeeds();
        let html = folder.text("output/report.html");
        for text in said {
            assert!(html.contains(&format!(">{text}<")) || html.contains(&format!("> {text}<")), "{text}");
        }
    }
}

#[test]
fn the_report_does_not_grow_with_the_rows() {
    let text = fs::read_to_string(fixture("xor-25k.csv")).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let (once, often) = (html_of(&text, "").len(), html_of(format!("{header}\n{}", rows.repeat(4)), "").len());
    // The same levels with smaller errors: a digit more here and there in 400 rows, and another part of the axis in the second
    // panel of the figure, where 76,800 rows more would be 3 MB.
    assert!(often.abs_diff(once) < once / 5, "{once} bytes, then {often}");
}

#[test]
fn the_digest_is_that_of_the_input() {
    // As `sha256sum` prints it for exactly these bytes.
    const DIGEST: &str = "4087f9a4bd8036adc47ace5065fa419d2a74c4fe7959c83c29cb4301dbe2d54e";
    let folder = Folder::with("runs.csv", good_csv());
    initsweep("report runs.csv").in_folder(&folder).run().succeeds();
    assert!(folder.text("output/report.html").contains(DIGEST));
    assert!(folder.text("output/summary.json").contains(DIGEST));
    // The same through a pipe; a byte order mark is part of the file, though not of its meaning.
    let json = initsweep("stats - --format json").stdin(good_csv()).run().succeeds().json();
    assert_eq!(json["provenance"]["inputs"][0]["sha256"], DIGEST);
    assert_eq!(json["provenance"]["inputs"][0]["bytes"], good_csv().len());
    let marked = initsweep("stats - --format json").stdin(format!("\u{feff}{}", good_csv())).run().succeeds().json();
    assert_ne!(marked["provenance"]["inputs"][0]["sha256"], DIGEST);
}

#[test]
fn the_report_says_how_it_was_made_without_passwords() {
    let folder = Folder::with("runs.csv", "hidden_std_dev,loss,seed,epochs\n0.5,1,77,1234\n1,2,77,1234\n");
    initsweep("report runs.csv --out mongodb://ann:s3cret@host/x --reference")
        .arg("a b=1/sqrt(2)")
        .in_folder(&folder)
        .run()
        .succeeds();
    let html = folder.text("mongodb:/ann:s3cret@host/x/report.html");
    assert!(
        html.contains("<pre tabindex=\"0\"><code>initsweep report runs.csv --out")
            && html.contains("mongodb://ann:***@host/x")
    );
    assert!(html.contains("a b=1/sqrt(2)"));
    for file in ["report.html", "summary.json", "summary.csv", "loss-vs-std-dev.svg"] {
        assert!(!folder.text(&format!("mongodb:/ann:s3cret@host/x/{file}")).contains("s3cret"), "{file}");
    }
    assert!(html.contains(">seed</th><td><code>77<") && html.contains(">epochs</th><td><code>1234<"));
}

#[test]
fn summaries_equal_what_stats_prints() {
    let folder = Folder::with("runs.csv", good_csv());
    initsweep("report runs.csv").in_folder(&folder).run().succeeds();
    let csv = initsweep("stats runs.csv --format csv").in_folder(&folder).run().succeeds().text();
    assert_eq!(folder.text("output/summary.csv"), csv);
    let json = initsweep("stats runs.csv --format json").in_folder(&folder).run().succeeds().text();
    let numbers = |text: &str| text.split_once("\"provenance\"").unwrap().0.to_string();
    assert_eq!(numbers(&folder.text("output/summary.json")), numbers(&json));
    // The figure inside is the one beside it but for its font and its colours, which the page's style holds.
    let (html, svg) = (folder.text("output/report.html"), folder.text("output/loss-vs-std-dev.svg"));
    let (inside, beside) = (html.find("<svg").unwrap(), svg.find("</style>").unwrap());
    let inside = html[inside..].split("</svg>").next().unwrap();
    let drawn = |text: &str| -> Vec<String> {
        let elements = text.lines().filter(|line| ["<t", "<r", "<p", "<c"].iter().any(|start| line.starts_with(start)));
        let colourless = |line: &str| {
            let parts =
                line.split('"').map(|part| if part.starts_with("var(") || part.starts_with('#') { "" } else { part });
            parts.collect::<Vec<_>>().join("\"")
        };
        elements.map(colourless).collect()
    };
    assert!(drawn(inside).len() > 20);
    assert!(drawn(inside).ends_with(&drawn(&svg[beside..])[1..]), "{inside}");
    assert!(!inside.contains("#FFFFFF"), "white paper is dark where the page is");
}

#[test]
fn files_appear_whole_and_nothing_else_stays() {
    let folder = Folder::with("runs.csv", good_csv());
    initsweep("report runs.csv --out a/b").in_folder(&folder).run().succeeds().prints("a/b/report.html");
    assert_eq!(folder.names("a/b"), RESULTS);
    assert_eq!(folder.names("."), ["a", "runs.csv"]);
    // Again, over files that are there.
    folder.write("a/b/report.html", "old, and ".repeat(100_000));
    folder.write("a/b/notes.txt", "mine");
    initsweep("report runs.csv --out a/b").in_folder(&folder).run().succeeds();
    assert!(folder.text("a/b/report.html").trim_end().ends_with("</html>"));
    assert!(!folder.text("a/b/report.html").contains("old, and"));
    assert_eq!(folder.text("a/b/notes.txt"), "mine");
    initsweep("plot runs.csv --out c").in_folder(&folder).run().succeeds();
    assert_eq!(folder.names("c"), RESULTS[..2]);
}

#[cfg(unix)]
#[test]
fn results_can_be_read_by_others_as_far_as_the_system_allows() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::with("runs.csv", good_csv());
    initsweep("report runs.csv").in_folder(&folder).run().succeeds();
    let mode = |name: &str| fs::metadata(folder.path(name)).unwrap().permissions().mode() & 0o777;
    // `runs.csv` was made in the ordinary way, under the same umask.
    assert_eq!(mode("output/report.html"), mode("runs.csv"));
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = Folder::with("runs.csv", good_csv());
    initsweep("report runs.csv --out runs.csv/below").in_folder(&folder).run().fails_with(1).says("runs.csv/below");
    initsweep("report runs.csv --out runs.csv").in_folder(&folder).run().fails_with(1).says("cannot write runs.csv");
    assert_eq!(folder.text("runs.csv"), good_csv());
    // A folder stands where a file should go.
    fs::create_dir_all(folder.path("out/report.html/x")).unwrap();
    initsweep("report runs.csv --out out").in_folder(&folder).run().fails_with(1).says("out/report.html");
    assert!(folder.names("out").iter().all(|name| !name.starts_with('.')), "{:?}", folder.names("out"));
}

#[test]
fn bad_input_leaves_earlier_results_alone() {
    let folder = Folder::with("runs.csv", good_csv());
    initsweep("report runs.csv").in_folder(&folder).run().succeeds();
    let before = folder.bytes("output/report.html");
    folder.write("runs.csv", "hidden_std_dev,loss\n1,oops\n");
    initsweep("report runs.csv").in_folder(&folder).run().fails_with(3);
    assert_eq!(folder.bytes("output/report.html"), before);
    initsweep("report runs.csv --out new").in_folder(&folder).run().fails_with(3);
    assert!(!folder.path("new").exists(), "nothing to report, no folder");
}

#[test]
fn hostile_names_stay_text_in_the_report() {
    for name in hostile_names() {
        assert_inert(&made_of("report", &name).text("output/report.html"));
    }
}

#[test]
fn hostile_cells_and_file_names_stay_text_in_the_report() {
    let cell = "<script>alert(1)</script>";
    let file = "<img src=x onerror=alert(1)>.csv";
    let rows = format!("hidden_std_dev,loss,epochs\n0.5,1,\"{cell}\"\n0.5,2,\"<b\n>\"\n2,NaN,7\n");
    let folder = Folder::with(file, rows);
    initsweep("report").arg(file).in_folder(&folder).run().succeeds();
    let html = folder.text("output/report.html");
    assert_inert(&html);
    assert!(html.contains("alert(1)"), "it is shown");
}

/// Values at `level` in a CSV whose first two columns are level and value.
fn runs_at(csv: &str, level: &str) -> Vec<f64> {
    let cells = csv.lines().filter_map(|line| line.split_once(','));
    let value = |text: &str| text.split(',').next().and_then(|value| value.parse().ok());
    cells.filter(|(at, _)| *at == level).filter_map(|(_, rest)| value(rest)).collect()
}

/// The report on `now`, compared with the earlier one on `before`.
fn since(before: &str, now: &str) -> (String, String, Value) {
    let folder = Folder::with("runs.csv", before);
    initsweep("report runs.csv").in_folder(&folder).run().succeeds();
    folder.write("runs.csv", now);
    // The earlier summary lies where the new one goes.
    let text = initsweep("report runs.csv --baseline output/summary.json").in_folder(&folder).run().succeeds().text();
    let summary: Value = serde_json::from_str(&folder.text("output/summary.json")).unwrap();
    (folder.text("output/report.html"), text, summary["changes"].clone())
}

#[test]
fn changes_since_an_earlier_report_are_said() {
    let (html, text, changes) = since(&good_csv(), &good_csv());
    assert_eq!(changes["relation"], "same");
    assert_eq!(changes["runs"], json!({"before": 6, "now": 6}));
    let same = "Since output/summary.json: The runs are the same 6.";
    assert!(html.contains(&format!("<p>{same}</p>")) && text.contains(same), "{text}");

    // Added runs at 0.5 that are far from the earlier ones, and a new level.
    let added: String = (0..20).map(|i| format!("0.5,{}\n", 90 + i % 7)).collect();
    let (html, text, changes) = since(&good_csv(), &(good_csv() + &added + "8,40\n8,44\n"));
    assert!(html.contains("22 runs were added to the earlier 6; 1 level was new."), "{text}");
    assert!(html.contains("<h2 id=\"changes-head\">What changed</h2>"));
    assert!(html.contains("At 1 of 1 level the mean changed more than chance explains"), "{text}");
    assert!(html.contains("added runs less earlier"));
    assert_eq!(changes["relation"], "extended");
    assert_eq!(changes["baseline"], "output/summary.json");
    assert_eq!((&changes["levels_added"], &changes["levels_gone"]), (&json!(1), &json!(0)));
    let levels = changes["levels"].as_array().unwrap();
    let half = levels.iter().find(|level| level["level"] == 0.5).unwrap();
    let mean = |runs: &[f64]| runs.iter().sum::<f64>() / runs.len() as f64;
    let earlier: Vec<f64> = runs_at(&good_csv(), "0.5");
    let more: Vec<f64> = runs_at(&added, "0.5");
    assert_eq!(half["runs"], json!({"before": earlier.len(), "now": earlier.len() + 20}));
    let close = |found: &Value, expected: f64| (found.as_f64().unwrap() / expected - 1.0).abs() < 1e-12;
    assert!(close(&half["mean"]["before"], mean(&earlier)), "{half}");
    assert!(close(&half["mean"]["now"], mean(&[earlier.clone(), more.clone()].concat())), "{half}");
    assert!(close(&half["difference"]["estimate"], mean(&more) - mean(&earlier)), "{half}");
    assert!(half["p_value"].as_f64().unwrap() < 0.05, "{half}");
    for end in ["before", "now", "change"] {
        assert!(changes["place"].is_null() || changes["place"][end]["estimate"].is_number(), "{changes}");
    }

    // Others: one of the earlier runs is not there.
    let (html, _, changes) = since(&good_csv(), &good_csv().replace("0.5,10", "0.5,11"));
    assert_eq!(changes["relation"], "separate");
    assert!(html.contains("The runs are others, or some of the earlier ones are gone: 6 then, 6 now."));
    assert!(!html_of(good_csv(), "").contains("What changed"), "nothing to compare with, no section");
}

#[test]
fn a_baseline_that_is_none_is_refused() {
    let folder = Folder::with("runs.csv", good_csv());
    let refused = |code, reason: &str| {
        initsweep("report runs.csv --baseline x.json").in_folder(&folder).run().fails_with(code).says(reason);
    };
    refused(4, "x.json");
    folder.write("x.json", "{\"a\": 1}");
    refused(3, "x.json: it is no summary.json");
    folder.write("x.json", "{\"schema_version\": 999}");
    refused(3, "schema_version is 999");
    folder.write("other.csv", good_csv().replace("loss", "error"));
    initsweep("report other.csv --y error --out other").in_folder(&folder).run().succeeds();
    folder.write("x.json", folder.text("other/summary.json"));
    refused(3, "it is about error by hidden_std_dev, not loss by hidden_std_dev");
    assert!(!folder.path("output").exists(), "nothing is written");
}

#[test]
fn the_report_comes_as_markdown_too() {
    let folder = Folder::with("runs.csv", good_csv());
    initsweep("report runs.csv --format html,md,json").in_folder(&folder).run().succeeds().prints("output/report.md");
    let text = folder.text("output/report.md");
    let html = folder.text("output/report.html").replace('\u{a0}', " ");
    let finding = html.split("<p class=\"finding\">").nth(1).unwrap().split("</p>").next().unwrap();
    assert!(text.starts_with("# loss by hidden_std_dev\n") && text.contains(finding), "{text}");
    // The figure that it names lies beside it.
    let figure = text.split("](").nth(1).unwrap().split(')').next().unwrap();
    assert!(folder.path(&format!("output/{figure}")).exists(), "{figure}");
    // Every row of a table has as many cells as its head.
    let cells = |line: &str| line.matches(" |").count() - line.matches("\\|").count();
    let lines: Vec<&str> = text.lines().collect();
    let is_head = |i: &usize| lines[*i].starts_with('|') && !lines[i - 1].starts_with('|');
    let heads: Vec<usize> = (1..lines.len()).filter(is_head).collect();
    assert!(heads.len() >= 3, "{text}");
    for head in heads {
        for row in lines[head + 2..].iter().take_while(|line| line.starts_with('|')) {
            assert_eq!(cells(row), cells(lines[head]), "{row}");
        }
    }
    assert!(text.contains("| 0.50000 | 2 | 12.0 | 2.828 | 2.00 |"), "{text}");
    assert!(text.contains("    initsweep report runs.csv --format html,md,json"));
    initsweep("report runs.csv --format md --out md").in_folder(&folder).run().succeeds();
    assert!(folder.path("md/report.md").exists() && !folder.path("md/report.html").exists());
    let name = "<b>|`x` *no* [link](x)";
    let hostile = Folder::with("runs.csv", runs_of(name));
    initsweep("report runs.csv --format md --x").arg(name).in_folder(&hostile).run().succeeds();
    let text = hostile.text("output/report.md");
    assert!(!text.lines().any(|line| line.contains("<b>") && !line.starts_with("    ")), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_report_opens_where_there_is_something_to_open_it_with() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::with("runs.csv", good_csv());
    let opened_by = |script: &str| {
        folder.write("bin/xdg-open", format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(folder.path("bin/xdg-open"), fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:/usr/bin:/bin", folder.path("bin").display());
        initsweep("report runs.csv --open").env("PATH", &path).in_folder(&folder).run().succeeds()
    };
    opened_by("echo \"$1\" > opened");
    assert_eq!(folder.text("opened").trim(), "output/report.html");
    // A failure to open is a warning: the report is there all the same.
    opened_by("exit 3").says("warning: cannot open output/report.html: xdg-open failed");
    let call = initsweep("report runs.csv --open").env("PATH", "/nowhere").in_folder(&folder);
    call.run().succeeds().says("warning: cannot open output/report.html: xdg-open");
}

/// A sweep of two settings, 4 × 3 levels of 6 runs.
fn grid() -> String {
    let mut text = String::from("hidden_std_dev,learning_rate,loss\n");
    for (i, level) in [0.1, 0.2, 0.4, 0.8].into_iter().enumerate() {
        for (j, rate) in [0.01, 0.1, 1.0].into_iter().enumerate() {
            (0..6).for_each(|off| text += &format!("{level},{rate},{}\n", 10 * i + 100 * j + off));
        }
    }
    text
}

#[test]
fn a_second_setting_is_shown_from_files_and_pipes() {
    let folder = Folder::with("runs.csv", grid());
    initsweep("report runs.csv --format html,md").in_folder(&folder).run().succeeds();
    let (html, markdown) = (folder.text("output/report.html"), folder.text("output/report.md"));
    assert!(html.contains("<h3>Two settings at once</h3>"));
    assert!(html.contains("by hidden_std_dev and learning_rate</title>"));
    assert!(markdown.contains("![Two settings at once](heatmap.svg)") && folder.path("output/heatmap.svg").is_file());
    initsweep("report - --out piped").stdin(grid()).in_folder(&folder).run().succeeds();
    assert!(folder.text("piped/report.html").contains("<h3>Two settings at once</h3>"));
    // Three settings have no picture.
    let three = grid().replace("loss\n", "loss,epochs\n").replace("0\n", "0,10\n").replace("1\n", "1,20\n");
    let three: String = three
        .lines()
        .map(|line| if line.split(',').count() == 3 { format!("{line},10\n") } else { format!("{line}\n") })
        .collect();
    initsweep("report - --out three").stdin(three).in_folder(&folder).run().succeeds();
    assert!(!folder.text("three/report.html").contains("Two settings at once"));
}

#[test]
fn a_report_for_programs_alone_draws_no_more_than_the_main_figure() {
    let folder = Folder::with("runs.csv", good_csv());
    initsweep("report runs.csv --format json").in_folder(&folder).run().succeeds();
    let mut names: Vec<String> = fs::read_dir(folder.path("output"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["loss-vs-std-dev.png", "loss-vs-std-dev.svg", "summary.csv", "summary.json"]);
}
