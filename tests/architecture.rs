//! Holds the source to the direction of data flow: which module may use which.
//!
//! Reads `use crate::…` and `crate::…` paths of every file below `src/`. A new module must be added to the table.

// A test says what failed by panicking.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Modules that anyone may use. They use only each other.
const LEAVES: [&str; 9] =
    ["condition", "course", "error", "expression", "format", "provenance", "random", "sweep", "warning"];

/// What each module may use besides the leaves and itself.
const MAY_USE: [(&str, &[&str]); 17] = [
    ("main", &["cli", "commands"]),
    ("cli", &["analysis", "data", "export", "figure", "output", "planning", "stats", "store", "train"]),
    (
        "commands",
        &[
            "cli", "analysis", "baseline", "data", "export", "figure", "group", "output", "planning", "report",
            "serve", "stats", "store", "train", "watch",
        ],
    ),
    ("watch", &["data", "store"]),
    ("serve", &["output"]),
    ("train", &[]),
    ("store", &["data", "output"]),
    ("data", &[]),
    ("group", &["data", "stats"]),
    ("stats", &[]),
    ("analysis", &["data", "group", "stats"]),
    ("baseline", &["analysis", "stats"]),
    ("planning", &["analysis", "data", "stats"]),
    ("export", &["analysis", "baseline", "data", "stats"]),
    ("figure", &["analysis", "export", "stats", "train"]),
    ("report", &["analysis", "baseline", "data", "export", "figure", "stats"]),
    ("output", &[]),
];

/// Libraries that one module alone may touch.
const KEPT_TO: [(&str, &[&str]); 9] = [
    ("mongodb", &["store"]),
    ("tokio", &["store"]),
    ("plotters", &["figure"]),
    ("plotters_backend", &["figure"]),
    ("ttf_parser", &["figure"]),
    ("resvg", &["figure"]),
    ("askama", &["report", "error"]),
    ("polars", &["data", "store", "group"]),
    ("httparse", &["serve"]),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Every source file with its top-level module and its text without tests.
fn sources() -> Vec<(PathBuf, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let read = |path: PathBuf| {
        let module = path
            .strip_prefix(&root)
            .unwrap()
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_string_lossy()
            .replace(".rs", "");
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap().to_string();
        (path, module, text)
    };
    files(&root).into_iter().map(read).filter(|(_, module, _)| module != "lib").collect()
}

/// The first segments of all paths that begin with `prefix`, comments left out.
fn used(text: &str, prefix: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| {
        line.split(prefix)
            .skip(1)
            .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>())
            .collect::<Vec<_>>()
    })
    .filter(|name| !name.is_empty())
    .collect()
}

#[test]
fn modules_use_only_what_lies_below_them() {
    let sources = sources();
    assert!(sources.len() > 30, "the source is read");
    for (path, module, text) in sources {
        assert!(!text.contains("use crate::{"), "{}: one use per module, so that this test sees it", path.display());
        let allowed: Vec<&str> = if LEAVES.contains(&module.as_str()) {
            Vec::new()
        } else {
            let entry = MAY_USE.iter().find(|(name, _)| *name == module);
            entry.unwrap_or_else(|| panic!("{module} is not in the table")).1.to_vec()
        };
        let prefix = if module == "main" { "initsweep::" } else { "crate::" };
        for name in used(&text, prefix) {
            let fine = name == module || LEAVES.contains(&name.as_str()) || allowed.contains(&name.as_str());
            assert!(fine, "{}: {module} must not use {name}", path.display());
        }
    }
}

#[test]
fn libraries_stay_behind_their_module() {
    for (path, module, text) in sources() {
        for (library, owners) in KEPT_TO {
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let touches = code.into_iter().any(|line| line.contains(&format!("{library}::")));
            assert!(
                !touches || owners.contains(&module.as_str()),
                "{}: {library} belongs to {owners:?}",
                path.display()
            );
        }
    }
}

#[test]
fn unsafe_code_is_in_the_kernel_alone() {
    for (path, _, text) in sources() {
        let in_kernel = path.to_string_lossy().contains("train/kernel");
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let found = code.into_iter().any(|line| line.contains("unsafe ") || line.contains("unsafe{"));
        assert!(in_kernel || !found, "{} holds unsafe code", path.display());
    }
}

#[test]
fn main_reads_as_a_table_of_contents() {
    let main = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs")).unwrap();
    assert!(main.lines().count() <= 60, "main.rs has {} lines", main.lines().count());
}
