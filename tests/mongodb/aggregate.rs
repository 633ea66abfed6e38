//! Who adds up: the server or the program.

use mongodb::bson::doc;
use serde_json::{Value, json};

use crate::harness::{Folder, initsweep};
use crate::proxy::Proxy;
use crate::server::Server;
use crate::sweep;

/// Both add up tens of numbers of the same size; the server in double precision, the program exactly.
const ROUNDING: f64 = 1e-12;

fn stats(uri: &str, more: &str) -> Value {
    initsweep(format!("stats {uri} --format json {more}")).run().succeeds().json()
}

/// Checks that every number of `ours` that `theirs` has is the same; gives how many were compared.
fn agree(ours: &Value, theirs: &Value, place: &str) -> usize {
    match (ours, theirs) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= ROUNDING * b.abs(), "{place}: {a} and {b}");
            1
        }
        (Value::Object(a), Value::Object(b)) => {
            a.iter().map(|(key, value)| agree(value, &b[key], &format!("{place}.{key}"))).sum()
        }
        (Value::Array(a), Value::Array(b)) if !a.is_empty() => {
            assert_eq!(a.len(), b.len(), "{place}");
            a.iter().zip(b).map(|(a, b)| agree(a, b, place)).sum()
        }
        // What one of them does not know.
        _ => 0,
    }
}

#[test]
fn both_give_the_same_numbers_and_say_what_the_server_cannot_give() {
    let server = Server::start();
    let uri = server.own_database();
    let folder = Folder::new();
    sweep(&uri, "--runs 30").in_folder(&folder).run().succeeds();
    let (client, by_server) = (stats(&uri, "--aggregate client"), stats(&uri, "--aggregate server"));
    let group = &by_server["groups"][0];
    for key in ["n", "mean", "std_dev", "standard_error", "ci_lower", "ci_upper", "min", "max"] {
        assert!(group[key].is_number(), "{key} in {group}");
    }
    assert!(group["median"].is_null(), "{group}");
    assert!(client["groups"][0]["median"].is_number());
    assert!(agree(&by_server["groups"], &client["groups"], "groups") > 100 * 8);
    assert!(agree(&by_server["minimum"]["observed"], &client["minimum"]["observed"], "observed") >= 6);
    assert_eq!(by_server["rows"], client["rows"]);
    let says = |json: &Value| json["warnings"].to_string().contains("summaries_only");
    assert!(says(&by_server) && !says(&client));
    assert!(by_server["warnings"].to_string().contains("--aggregate client"));
    assert!(by_server["provenance"]["inputs"][0]["made_by"].as_str().unwrap().contains("on the server"));
    // With a filter, and into a report with its figure.
    let filter = r#"{"replicate": {"$lt": 10}}"#;
    let filtered = |who: &str| {
        let words = format!("stats {uri} --format json --aggregate {who} --filter");
        initsweep(words).arg(filter).run().succeeds().json()
    };
    let (client, by_server) = (filtered("client"), filtered("server"));
    assert!(agree(&by_server["groups"], &client["groups"], "groups") > 100 * 8);
    assert_eq!(by_server["rows"]["read"], 1000);
    for command in ["report", "plot"] {
        let words = format!("{command} {uri} --aggregate server --out {command}");
        initsweep(words).in_folder(&folder).run().succeeds();
        assert!(folder.names(command).iter().any(|name| name.ends_with(".png")));
    }
}

#[test]
fn auto_asks_how_many_there_are() {
    let server = Server::start();
    let uri = server.own_database();
    sweep(&uri, "--runs 3").in_folder(&Folder::new()).run().succeeds();
    let basis = |uri: &str, more: &str| stats(uri, more)["groups"][0]["median"].is_number();
    assert!(basis(&uri, ""), "few documents are read");
    let proxy = Proxy::in_front_of(server.port);
    let billions = doc! { "ok": 1.0, "n": 4_000_000_000_i64 };
    proxy.answer("count", 0, 1, billions.clone());
    assert!(!basis(&proxy.through(&uri), ""), "many are added up where they lie");
    assert!(proxy.has_answered());
    proxy.answer("count", 0, 1, billions);
    assert!(basis(&proxy.through(&uri), "--aggregate client"), "unless the user wants them read");
}

#[test]
fn blocks_come_from_the_documents_themselves() {
    let server = Server::start();
    let uri = server.own_database();
    let run = |i: i32| doc! { "dropout": 0.1 * f64::from(i % 3), "loss": f64::from(i * i % 11), "seed": i / 3, "host": format!("h{}", i / 3) };
    let mut runs: Vec<_> = (0..12).map(run).collect();
    runs.push(doc! { "dropout": 0.1, "loss": 3.0 });
    crate::server::insert(&uri, &runs);
    // To rounding.
    let rounded = |mut blocks: Value| {
        if let Some(reduction) = blocks["variance_reduction"].as_f64() {
            blocks["variance_reduction"] = json!((reduction * 1e9).round() / 1e9);
        }
        blocks
    };
    let found = |more: &str| rounded(stats(&uri, &format!("--x dropout {more}"))["blocks"].clone());
    let blocks = |column: &str, given: bool| {
        // Too little to be used unless it is asked for.
        let (count, reduction) = (4, 0.22);
        json!({ "column": column, "given": given, "count": count, "complete": count, "used": given, "variance_reduction": reduction })
    };
    assert_eq!(found(""), blocks("seed", false));
    assert_eq!(found("--pair host"), blocks("host", true));
    assert_eq!(found("--pair host --aggregate client"), blocks("host", true));
    assert_eq!(found("--aggregate server"), Value::Null);
    let refused = |more: &str| initsweep(format!("stats {uri} --x dropout {more}")).run();
    refused("--pair host --aggregate server").fails_with(2).says("--aggregate client");
    refused("--pair nope")
        .fails_with(3)
        .says("no column named 'nope'; it has '_id', 'dropout', 'loss', 'seed', 'host'");
    // A copy in a file says the same.
    let folder = Folder::new();
    initsweep(format!("copy {uri} --to runs.csv")).in_folder(&folder).run().succeeds();
    let words = "stats runs.csv --format json --x dropout --pair host";
    let copied = initsweep(words).in_folder(&folder).run().succeeds().json();
    assert_eq!(rounded(copied["blocks"].clone()), blocks("host", true));
    // The trainer's runs have their own rule.
    let trained = server.own_database();
    sweep(&trained, "--runs 3").run().succeeds();
    assert_eq!(stats(&trained, "")["blocks"], Value::Null);
    assert_eq!(stats(&trained, "--pair replicate")["blocks"]["complete"], 3);
}

#[test]
fn a_file_has_no_server() {
    let folder = Folder::with("runs.csv", "hidden_std_dev,loss\n1,2\n1,3\n");
    let stats = |more: &str| initsweep(format!("stats runs.csv {more}")).in_folder(&folder).run();
    stats("--aggregate server").fails_with(2).says("runs.csv is no collection");
    stats("--aggregate client").succeeds();
    stats("--aggregate somebody").fails_with(2);
}

#[test]
fn arrays_are_no_numbers_for_either() {
    let server = Server::start();
    let uri = server.own_database();
    crate::server::insert(
        &uri,
        &[
            doc! { "hidden_std_dev": 1.0, "loss": 10.0 },
            doc! { "hidden_std_dev": 1.0, "loss": 12.0 },
            doc! { "_id": "x", "hidden_std_dev": [1.0, 2.0], "loss": 5.0 },
            doc! { "hidden_std_dev": 1.0, "loss": [5.0] },
            doc! { "hidden_std_dev": 1.0, "loss": [] },
        ],
    );
    let [client, by_server] = ["client", "server"].map(|who| stats(&uri, &format!("--aggregate {who}")));
    assert_eq!(client["rows"]["excluded"], by_server["rows"]["excluded"]);
    assert_eq!(by_server["rows"]["excluded"]["wrong_type"], 3);
    assert!(agree(&by_server["groups"], &client["groups"], "groups") >= 8);
}

#[test]
fn both_say_which_columns_there_are_and_refuse_a_filter_that_means_nothing() {
    let server = Server::start();
    let uri = server.own_database();
    crate::server::insert(&uri, &[doc! { "hidden_std_dev": 1.0, "loss": 10.0 }]);
    for who in ["client", "server"] {
        let run = |more: &str| initsweep(format!("stats {uri} --aggregate {who} {more}")).run();
        for missing in ["--x nope", "--y nope"] {
            run(missing).fails_with(3).says("no column named 'nope'; it has '_id', 'hidden_std_dev', 'loss'");
        }
        run(r#"--filter {"loss":{"$nope":1}}"#).fails_with(2).says("filter '{ \"loss\": { \"$nope\": 1 } }': ");
    }
}
