//! The dependency graph as DOT and as Mermaid. Edges point at what is depended on and are transitively reduced; a
//! module is a cluster. The same input, in whatever order, gives the same text.

use std::collections::{BTreeMap, BTreeSet};

type Edges<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Nodes with what they depend on; what is only depended on is a node too.
fn collect(nodes: &[(String, Vec<String>)]) -> Edges<'_> {
    let mut edges = Edges::new();
    for (address, needs) in nodes {
        for need in needs {
            edges.entry(need).or_default();
        }
        let needs = needs.iter().map(String::as_str).filter(|need| need != address);
        edges.entry(address).or_default().extend(needs);
    }
    edges
}

/// Drops an edge when a longer way leads to the same node. Edges within a cycle stay.
fn reduced<'a>(edges: &Edges<'a>) -> Edges<'a> {
    let reach = |from: &'a str| {
        let mut seen = BTreeSet::new();
        let mut stack = vec![from];
        while let Some(node) = stack.pop() {
            for next in edges.get(node).into_iter().flatten() {
                if seen.insert(*next) {
                    stack.push(next);
                }
            }
        }
        seen
    };
    let reduce = |(node, needs): (&&'a str, &BTreeSet<&'a str>)| {
        if needs.len() < 2 {
            return (*node, needs.clone());
        }
        let reached: BTreeMap<&str, BTreeSet<&str>> = needs.iter().map(|need| (*need, reach(need))).collect();
        // `other` must stand strictly between the two; within a cycle nothing does.
        let between = |other: &str, seen: &BTreeSet<&str>, need: &str| {
            other != need && seen.contains(need) && !seen.contains(node) && !reached[need].contains(other)
        };
        let by_other = |need: &str| reached.iter().any(|(other, seen)| between(other, seen, need));
        (*node, needs.iter().copied().filter(|need| !by_other(need)).collect())
    };
    edges.iter().map(reduce).collect()
}

/// `module.vpc` and the rest, or nothing and the whole.
fn split(address: &str) -> (&str, &str) {
    let rest = address.strip_prefix("module.").and_then(|rest| rest.split_once('.'));
    match rest {
        Some((name, local)) => (&address[.."module.".len() + name.len()], local),
        None => ("", address),
    }
}

/// Nodes by module, the root first.
fn by_module<'a>(edges: &Edges<'a>) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut modules: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in edges.keys() {
        modules.entry(split(node).0).or_default().push(node);
    }
    modules
}

/// Every edge, those of the root module first.
fn edge_list<'a>(edges: &Edges<'a>) -> Vec<(&'a str, &'a str)> {
    let mut list: Vec<_> = edges.iter().flat_map(|(from, needs)| needs.iter().map(|to| (*from, *to))).collect();
    list.sort_by_key(|(from, to)| (split(from).0, *from, split(to).0, *to));
    list
}

fn dot_quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace(char::is_control, " "))
}

/// Graphviz, in the shape of `terraform graph`. The input is each address with what it depends on.
pub fn graph_dot(nodes: &[(String, Vec<String>)]) -> String {
    let edges = reduced(&collect(nodes));
    let mut out = String::from("digraph G {\n  rankdir = \"RL\";\n  node [shape = rect, fontname = \"sans-serif\"];\n");
    for (module, members) in by_module(&edges) {
        let indent = if module.is_empty() { "  " } else { "    " };
        if !module.is_empty() {
            let cluster = dot_quote(&format!("cluster_{module}"));
            let label = dot_quote(module);
            out += &format!("  subgraph {cluster} {{\n    label = {label}\n    fontname = \"sans-serif\"\n");
        }
        for node in members {
            out += &format!("{indent}{} [label={}];\n", dot_quote(node), dot_quote(split(node).1));
        }
        if !module.is_empty() {
            out += "  }\n";
        }
    }
    for (from, to) in edge_list(&edges) {
        out += &format!("  {} -> {};\n", dot_quote(from), dot_quote(to));
    }
    out + "}\n"
}

fn mermaid_quote(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "#quot;").replace(char::is_control, " "))
}

/// Mermaid, as Markdown viewers draw it. The input is each address with what it depends on.
pub fn graph_mermaid(nodes: &[(String, Vec<String>)]) -> String {
    let edges = reduced(&collect(nodes));
    let ids: BTreeMap<&str, usize> = edges.keys().enumerate().map(|(id, node)| (*node, id)).collect();
    let id = |node: &str| ids.get(node).copied().unwrap_or(ids.len());
    let mut out = String::from("flowchart RL\n");
    for (number, (module, members)) in by_module(&edges).into_iter().enumerate() {
        let indent = if module.is_empty() { "  " } else { "    " };
        if !module.is_empty() {
            out += &format!("  subgraph m{number}[{}]\n", mermaid_quote(module));
        }
        for node in members {
            out += &format!("{indent}n{}[{}]\n", id(node), mermaid_quote(split(node).1));
        }
        if !module.is_empty() {
            out += "  end\n";
        }
    }
    for (from, to) in edge_list(&edges) {
        out += &format!("  n{} --> n{}\n", id(from), id(to));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(edges: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
        let owned = |(from, needs): &(&str, &[&str])| {
            ((*from).to_owned(), needs.iter().map(|need| (*need).to_owned()).collect())
        };
        edges.iter().map(owned).collect()
    }

    #[test]
    fn dot_is_reduced_and_clustered() {
        let graph = nodes(&[
            ("module.vpc.aws_subnet.public", &["module.vpc.aws_vpc.this"]),
            ("aws_instance.app", &["module.vpc.aws_subnet.public", "module.vpc.aws_vpc.this"]),
        ]);
        let expected = r#"digraph G {
  rankdir = "RL";
  node [shape = rect, fontname = "sans-serif"];
  "aws_instance.app" [label="aws_instance.app"];
  subgraph "cluster_module.vpc" {
    label = "module.vpc"
    fontname = "sans-serif"
    "module.vpc.aws_subnet.public" [label="aws_subnet.public"];
    "module.vpc.aws_vpc.this" [label="aws_vpc.this"];
  }
  "aws_instance.app" -> "module.vpc.aws_subnet.public";
  "module.vpc.aws_subnet.public" -> "module.vpc.aws_vpc.this";
}
"#;
        assert_eq!(graph_dot(&graph), expected);
        let mut reversed = graph.clone();
        reversed.reverse();
        assert_eq!(graph_dot(&reversed), expected);
        assert_eq!(graph_mermaid(&reversed), graph_mermaid(&graph));
        assert!(graph_mermaid(&graph).contains("subgraph m1[\"module.vpc\"]"));
    }

    /// Whatever can be reached before can be reached after, also in cycles, and no needless edge is left.
    #[test]
    fn reduction_keeps_reachability() {
        let mut rng = crate::render::samples::Rng::new(7);
        for round in 0..300 {
            let size = 1 + rng.below(8);
            let graph: Vec<_> = (0..size)
                .map(|node| {
                    let acyclic = round % 2 == 0;
                    let needs = (0..if acyclic { node } else { size }).filter(|_| rng.below(2) == 0);
                    (format!("n{node}"), needs.map(|need| format!("n{need}")).collect::<Vec<_>>())
                })
                .collect();
            let full = collect(&graph);
            let less = reduced(&full);
            let reach = |edges: &Edges<'_>, from: &str| {
                let mut seen = BTreeSet::new();
                let mut stack = vec![from.to_owned()];
                while let Some(node) = stack.pop() {
                    for next in edges.get(&*node).into_iter().flatten() {
                        if seen.insert((*next).to_owned()) {
                            stack.push((*next).to_owned());
                        }
                    }
                }
                seen
            };
            for node in full.keys() {
                assert_eq!(reach(&full, node), reach(&less, node), "round {round}: {graph:?}");
            }
            if round % 2 == 0 {
                for (from, needs) in &less {
                    for need in needs {
                        let mut without = less.clone();
                        without.get_mut(from).map(|needs| needs.remove(need));
                        assert!(!reach(&without, from).contains(*need), "round {round}: {from} -> {need}");
                    }
                }
            }
        }
    }
}
