//! Tests of the variables as a whole: sources in, variables or diagnostics out.

mod properties;
mod rendering;
mod rules;
mod sources;

use super::*;

const PASSWORD: &str = "Correct-Horse-9";

fn file(path: &str, contents: &str) -> Source {
    Source::File { path: path.to_owned(), contents: contents.to_owned() }
}

fn tfvars(contents: &str) -> Source {
    file("terraform.tfvars", contents)
}

fn environment(name: &str, value: &str) -> Source {
    Source::Environment { name: name.to_owned(), value: value.to_owned() }
}

fn command_line(name: &str, value: &str) -> Source {
    Source::CommandLine { name: name.to_owned(), value: value.to_owned() }
}

fn password() -> Source {
    environment("TF_VAR_db_password", PASSWORD)
}

/// Evaluates one variables file beside a good password.
fn with(contents: &str) -> Result<Evaluated, Vec<Diagnostic>> {
    evaluate(&[password(), tfvars(contents)], Needs { password: true })
}

/// The variables, where nothing may be wrong.
#[track_caller]
fn good(sources: &[Source]) -> Variables {
    match evaluate(sources, Needs { password: false }) {
        Ok(evaluated) => evaluated.variables,
        Err(diagnostics) => panic!("{}", render(&diagnostics)),
    }
}

/// The errors, where there must be some.
#[track_caller]
fn bad(sources: &[Source]) -> Vec<Diagnostic> {
    match evaluate(sources, Needs { password: false }) {
        Ok(evaluated) => panic!("accepted: {evaluated:?}"),
        Err(diagnostics) => diagnostics,
    }
}

fn render(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(Diagnostic::to_string).collect::<Vec<_>>().join("\n")
}
