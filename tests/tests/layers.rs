//! No module uses one that stands after it in the lists of docs/ARCHITECTURE.md.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of a crate in the order of the page.
fn order(page: &str, of: &str) -> Vec<String> {
    let (_, rest) = page.split_once(&format!("- `{of}`: ")).unwrap_or_else(|| panic!("{of} has no list"));
    let list = rest.split("\n\n").next().unwrap_or_default().split("\n- ").next().unwrap_or_default();
    list.split(',').map(|name| name.trim().to_owned()).collect()
}

/// Sources below a directory but for those of tests, each with the module at the root of the crate that it is part of.
fn sources(root: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
            if name == "tests" || name == "lib" {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let first = path.strip_prefix(root).expect("below").components().next().expect("a part");
                let module = first.as_os_str().to_str().expect("text").trim_end_matches(".rs").to_owned();
                found.push((module, path));
            }
        }
    }
    found
}

/// The names that follow `crate::` in a text without comments and without the tests at its end.
fn used(text: &str) -> BTreeSet<String> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let names = code.match_indices("crate::").filter(|(at, _)| !code[..*at].ends_with(is_name));
    names.map(|(at, _)| code[at + "crate::".len()..].chars().take_while(|c| is_name(*c)).collect()).collect()
}

#[test]
fn every_module_uses_those_before_it() {
    let page = include_str!("../../docs/ARCHITECTURE.md");
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("crates");
    let mut wrong = Vec::new();
    for name in ["core", "sim"] {
        let order = order(page, &format!("crates/{name}"));
        let place = |module: &str| order.iter().position(|other| other == module);
        let sources = sources(&crates.join(name).join("src"));
        let modules: BTreeSet<&str> = sources.iter().map(|(module, _)| module.as_str()).collect();
        let listed: BTreeSet<&str> = order.iter().map(String::as_str).collect();
        assert_eq!(modules, listed, "the modules of {name} and those of the list");
        for (module, path) in &sources {
            let text = fs::read_to_string(path).expect("a text");
            assert!(!text.contains("use crate::{"), "{}: write a line for each module", path.display());
            for other in used(&text).iter().filter(|other| *other != module && listed.contains(other.as_str())) {
                if place(other) > place(module) {
                    wrong.push(format!("{name}: {module} uses {other} ({})", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the executor needs to know of a call is in the row of its operation, and of an object in what observes it.
#[test]
fn the_engine_names_no_operation_no_code_and_no_kind() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("crates/core/src");
    let files: Vec<_> = sources(&root).into_iter().filter(|(module, _)| module == "engine").collect();
    assert!(files.len() > 5, "{files:?}");
    for (_, path) in files {
        let text = fs::read_to_string(&path).expect("a text");
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let is_name = |quoted: &str| quoted.starts_with(|c: char| c.is_ascii_uppercase()) && !quoted.contains(' ');
            let quoted = line.split('"').skip(1).step_by(2).find(|quoted| is_name(quoted));
            let named = ["Ec2::", "Rds::", "Ssm::", "Sts::", "Kind::"].iter().find(|name| line.contains(**name));
            assert_eq!((quoted, named), (None, None), "{}:{}: {line}", path.display(), number + 1);
        }
    }
}

#[test]
fn an_arrow_upwards_is_seen() {
    assert_eq!(order("- `a`: x, y,\n  z\n- `b`: w\n\ntext", "a"), ["x", "y", "z"]);
    assert_eq!(order("- `a`: x\n- `b`: w,\n  v\n\ntext", "b"), ["w", "v"]);
    let text = "use crate::plan::Node;\n// crate::no\nfn f() { crate::value::x(); my_crate::y() }\n#[cfg(test)]\nmod tests {\n use crate::z;\n}";
    assert_eq!(used(text), ["plan", "value"].map(str::to_owned).into());
}
