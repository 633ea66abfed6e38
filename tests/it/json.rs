//! Runs in JSON, as people's programs write it, and what is said of JSON that holds none.

use serde_json::Value;

use crate::harness::{Finished, Folder, fixture, initsweep};

fn stats(folder: &Folder, words: &str) -> Finished {
    initsweep(format!("stats {words}")).in_folder(folder).run()
}

/// What `stats` says of `source`, but for what names the source or a place in it.
fn found(source: &str, columns: &str) -> Value {
    let mut found = initsweep(format!("stats {source} {columns} --format json")).run().succeeds().json();
    for place in ["provenance", "warnings"] {
        found.as_object_mut().unwrap().remove(place);
    }
    found["rows"].as_object_mut().unwrap().remove("first_excluded");
    found
}

#[test]
fn the_json_of_every_program_gives_what_csv_gives() {
    let source = |name: &str| fixture(&format!("json/{name}"));
    let expected = found(&source("runs.csv"), "--x lr --y loss");
    assert_eq!((&expected["rows"]["used"], &expected["rows"]["failed"]), (&14.into(), &1.into()));
    for name in ["python.json", "python-indented.json", "python.jsonl", "python-sequence.json"] {
        assert_eq!(found(&source(name), "--x lr --y loss"), expected, "{name}");
    }
    // These write null for NaN: no run failed, but one has no metric.
    let null = found(&source("pandas.json"), "--x lr --y loss");
    assert_eq!(null["rows"]["excluded"]["empty"], 1);
    for name in ["pandas.jsonl", "polars.ndjson", "duckdb.json", "duckdb.jsonl"] {
        assert_eq!(found(&source(name), "--x lr --y loss"), null, "{name}");
    }
    for (group, expected) in null["groups"].as_array().unwrap().iter().zip(expected["groups"].as_array().unwrap()) {
        assert_eq!((&group["mean"], &group["std_dev"]), (&expected["mean"], &expected["std_dev"]));
    }
}

#[test]
fn dots_lead_into_objects() {
    let nested = found(&fixture("json/nested.jsonl"), "--x config.lr --y summary.loss");
    let flat = found(&fixture("json/runs.csv"), "--x lr --y loss");
    assert_eq!(nested["groups"], flat["groups"]);
    let folder = Folder::with("a.jsonl", "{\"a.b\":1,\"y\":1,\"a\":{\"b\":9}}\n{\"a\":{\"b\":2},\"y\":2}\n");
    let json = stats(&folder, "a.jsonl --x a.b --y y --format json").succeeds().json();
    assert_eq!((&json["groups"][0]["level"], &json["groups"][1]["level"]), (&1.0.into(), &2.0.into()));
    stats(&folder, "a.jsonl --x a --y y").fails_with(3).says("line 1, column 'a': 'an object' is not a number");
    stats(&folder, "a.jsonl --x a.c --y y").fails_with(3).says("no column named 'a.c'; it has 'a.b', 'y'");
}

#[test]
fn json_comes_in_by_every_way() {
    let text = "{\"lr\":0.1,\"loss\":1}\n{\"lr\":\"0.2\",\"loss\":\"2\",\"more\":[1]}\n\n{\"loss\":3,\"lr\":0.2}\r\n";
    let folder = Folder::with("runs.jsonl", text);
    let of = |source: &str| {
        let json = stats(&folder, &format!("{source} --x lr --y loss --format json")).succeeds().json();
        assert_eq!(json["rows"]["used"], 3, "{source}");
        json["groups"].clone()
    };
    let expected = of("runs.jsonl");
    assert_eq!(expected[1]["mean"], 2.5);
    let utf16 = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes);
    folder.write("wide.txt", utf16.collect::<Vec<u8>>());
    folder.write("packed.zst", zstd::encode_all(text.as_bytes(), 1).unwrap());
    folder.write("marked.csv", format!("\u{feff}{text}"));
    let listed = text.trim().replace("\n\n", "\n").replace('\n', ",");
    folder.write("list.json", format!(" \n[{listed}]\n"));
    folder.write("joined.json", text.replace('\n', ""));
    for source in ["wide.txt", "packed.zst", "marked.csv", "list.json", "joined.json"] {
        assert_eq!(of(source), expected, "{source}");
    }
    let piped = initsweep("stats - --x lr --y loss --format json").stdin(text).run().succeeds().json();
    assert_eq!(piped["groups"], expected);
    // Of a folder, JSON Lines are runs; other JSON may be anything.
    folder.write("runs/a.ndjson", text);
    folder.write("runs/settings.json", "{\"verbose\": true}");
    assert_eq!(of("runs"), expected);
    let where_lr = stats(&folder, "runs.jsonl --x lr --y loss --where lr>0.1 --format json").succeeds().json();
    assert_eq!((&where_lr["rows"]["used"], &where_lr["rows"]["excluded"]["filtered"]), (&2.into(), &1.into()));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let row = "{\"lr\":0.1,\"loss\":1}";
    for (text, message) in [
        (format!("{row}\n{{\"lr\":0.1,\"loss\":1,}}\n{row}\n"), "line 2, column 20: expected a name in double quotes"),
        (
            format!("{row}\n{{\"lr\":0.1,\"loss\":1\n{row}\n"),
            "line 2, column 19: expected ',' or '}', but the text ends",
        ),
        (format!("{row}\n{row} {row}\n"), "line 2, column 21: more after the object; every line must be one object"),
        (format!("{row}\n[1]\n"), "line 2, column 1: expected an object"),
        (format!("{row}\n{{\"lr\":0.1,\"loss\":1,\"lr\":2}}\n"), "line 2, column 1: the name 'lr' is there twice"),
        ("{'lr': 0.1}\n".into(), "line 1, column 2: expected a name in double quotes"),
        (format!("[{row},\n{row}"), "line 2, column 20: the list does not end; the file is cut short"),
        (format!("[{row},\n{row}]\n]"), "line 3, column 1: more after the end of the list"),
        (format!("[{row}\n{row}]"), "line 2, column 1: expected ',' or ']'"),
        (format!("[{row},]"), "line 1, column 22: expected an object"),
        ("[1, 2]".into(), "line 1, column 2: expected an object"),
        ("[[1, 2]]".into(), "line 1, column 2: expected an object"),
        ("{\n\"lr\":0.1,\"loss\":1}\n{\"lr\":".into(), "line 3, column 7: expected a value, but the text ends"),
        (format!("{row}\n{{\"lr\":\"161ms\",\"loss\":1}}\n"), "line 2, column 'lr': '161ms' is not a number"),
        (format!("[{row},{{\"lr\":[1],\"loss\":1}}]"), "row 2, column 'lr': 'a list' is not a number"),
        (format!("{row}\n{row}\n"), "no column named 'x'; it has 'lr', 'loss'"),
        ("[]".into(), "there are no rows"),
        (
            "{\"epochs\": 3}".into(),
            "it is JSON, but no summary.json of a report, and as a run it lacks 'lr'; it has 'epochs'",
        ),
    ] {
        let folder = Folder::with("runs.json", &text);
        let x = if message.contains("'x'") { "x" } else { "lr" };
        stats(&folder, &format!("runs.json --x {x} --y loss")).fails_with(3).says(message);
    }
    let folder = Folder::with("runs.jsonl", b"{\"lr\":1,\"loss\":2}\n{\"lr\":1,\"loss\":2,\"who\":\"J\xfcrgen\"}\n");
    stats(&folder, "runs.jsonl --x lr --y loss").fails_with(3).says("line 2, column 26: the text is not UTF-8");
}

#[test]
fn a_last_line_that_is_not_whole_is_left_out_and_counted() {
    for torn in ["{\"lr\":0.3,\"lo", "{", "\0\0\0", "{\"lr\":0.3,\"who\":\"J\\u00", "{\"lr\":0.3,\"loss\":1"] {
        let text = format!("{{\"lr\":0.1,\"loss\":1}}\n{{\"lr\":0.2,\"loss\":2}}\n{torn}");
        let folder = Folder::with("runs.jsonl", text);
        let found = stats(&folder, "runs.jsonl --x lr --y loss").succeeds();
        found.prints("3 read = 2 used + 1 torn last line").prints("runs.jsonl, line 3");
        folder.write("runs.jsonl", folder.text("runs.jsonl") + "\n");
        stats(&folder, "runs.jsonl --x lr --y loss").fails_with(3).says("line 3, column");
    }
    let whole = Folder::with("runs.jsonl", "{\"lr\":0.1,\"loss\":1}\n{\"lr\":0.2,\"loss\":2}");
    stats(&whole, "runs.jsonl --x lr --y loss").succeeds().prints("2 read = 2 used\n");
}

#[test]
fn summaries_are_tables_of_levels_in_json_too() {
    let folder = Folder::with("runs.csv", "lr,loss\n1,1\n1,2\n2,3\n2,5\n3,4\n3,3\n");
    let summary = stats(&folder, "runs.csv --x lr --y loss --format json").succeeds().text();
    folder.write("summary.json", &summary);
    folder.write("one-line.json", serde_json::from_str::<Value>(&summary).unwrap().to_string());
    let groups = &serde_json::from_str::<Value>(&summary).unwrap()["groups"];
    folder.write("groups.json", groups.to_string());
    let lines: Vec<String> = groups.as_array().unwrap().iter().map(Value::to_string).collect();
    folder.write("groups.jsonl", lines.join("\n"));
    let expected = stats(&folder, "runs.csv --x lr --y loss --format csv").succeeds().text();
    let means =
        |text: &str| text.lines().map(|line| line.split(',').take(4).collect::<Vec<_>>().join(",")).collect::<Vec<_>>();
    for source in ["summary.json", "one-line.json", "groups.json", "groups.jsonl"] {
        let found = stats(&folder, &format!("{source} --x lr --y loss --format csv")).succeeds().text();
        assert_eq!(means(&found), means(&expected), "{source}");
    }
    folder.write(
        "groups.jsonl",
        "{\"level\":1,\"n\":2,\"mean\":1,\"std_dev\":1}\n{\"level\":2,\"n\":0.5,\"mean\":1,\"std_dev\":1}\n",
    );
    stats(&folder, "groups.jsonl --x lr --y loss").fails_with(3).says("line 2: n is 0.5");
    folder.write("summary.json", "{\"factor\":\"lr\",\"metric\":\"loss\",\"groups\":[{\"level\":1}");
    stats(&folder, "summary.json --x lr --y loss").fails_with(3).says("no summary.json of a report");
}

#[test]
fn what_nests_or_never_ends_is_refused_in_good_time() {
    let deep = format!("{{\"lr\":1,\"loss\":{}", "[".repeat(100_000));
    for (text, message) in [
        (deep.clone(), "more than 128 objects and lists in each other"),
        (format!("[{deep}"), "more than 128 objects and lists in each other"),
        ("[".repeat(100_000), "expected an object"),
        (format!("{{\"lr\":\"{}", "x".repeat(70 << 20)), "an object of more than 64 MiB"),
        (format!("[{{\"lr\":[{}", "1,".repeat(35 << 20)), "an object of more than 64 MiB"),
    ] {
        let folder = Folder::with("runs.json", text);
        stats(&folder, "runs.json --x lr --y loss").fails_with(3).says(message);
    }
}

#[test]
fn the_result_does_not_depend_on_threads_or_layout() {
    let object = |row: u64| {
        format!("{{\"note\": \"{}\", \"lr\": {}, \"loss\": {}.5, \"seed\": {row}}}", "é".repeat(40), row % 7, row % 101)
    };
    let lines: Vec<String> = (0..60_000).map(object).collect();
    let folder = Folder::with("runs.jsonl", lines.join("\n") + "\n");
    folder.write("list.json", format!("[{}]", lines.join(",")));
    folder.write("sequence.json", lines.join(" "));
    let of = |source: &str, threads: &str| {
        let words = format!("stats {source} --x lr --y loss --format csv");
        initsweep(words).env("RAYON_NUM_THREADS", threads).in_folder(&folder).run().succeeds().text()
    };
    let expected = of("runs.jsonl", "1");
    for source in ["runs.jsonl", "list.json", "sequence.json"] {
        for threads in ["1", "3"] {
            assert_eq!(of(source, threads), expected, "{source} on {threads}");
        }
    }
    folder.write("list.json", format!("[{},\n{{\"lr\":1,\"loss\":\"x\"}}]", lines.join(",")));
    stats(&folder, "list.json --x lr --y loss").fails_with(3).says("row 60001, column 'loss': 'x'");
    folder.write("list.json", format!("[{},x]", lines.join(",")));
    let column = lines.iter().map(|line| line.chars().count() + 1).sum::<usize>() + 2;
    stats(&folder, "list.json --x lr --y loss")
        .fails_with(3)
        .says(&format!("line 1, column {column}: expected an object"));
}
