//! `atoll policy`: the policy in force, and what is wrong with a file.

use std::fmt::Write as _;
use std::path::Path;

use atoll_engine::policy::{Diagnostic, Policy, Severity, check};
use atoll_engine::{EngineError, PolicyText, text_file};

use crate::args::PolicyCommand;
use crate::error::CliError;
use crate::terminal::{BAD, DOUBTFUL, GOOD, plain, print, styled};
use crate::{json, message};

pub(crate) fn policy(command: PolicyCommand) -> Result<u8, CliError> {
    match command {
        PolicyCommand::Show { policy } => show(&message::read_policy(policy.as_deref())?),
        PolicyCommand::Check { file, json } => check_file(&file, json),
    }
}

fn show(policy: &PolicyText) -> Result<u8, CliError> {
    // A policy that cannot be used is not in force.
    if let Err(diagnostics) = Policy::parse(&policy.text) {
        let name = policy.name.clone();
        return Err(EngineError::Policy { name, diagnostics }.into());
    }
    let mut out = format!("# The policy in force: {}\n\n", plain(&policy.name));
    out.push_str(&policy.text);
    print(&out)?;
    Ok(0)
}

fn check_file(file: &Path, as_json: bool) -> Result<u8, CliError> {
    let diagnostics = check(&text_file(file)?);
    let errors = count(&diagnostics, Severity::Error);
    print(&if as_json {
        json::check(errors == 0, &diagnostics)
    } else {
        text(file, &diagnostics, errors)
    })?;
    if errors == 0 {
        Ok(0)
    } else {
        Err(CliError::BadPolicy)
    }
}

fn count(diagnostics: &[Diagnostic], severity: Severity) -> usize {
    diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == severity)
        .count()
}

fn text(file: &Path, diagnostics: &[Diagnostic], errors: usize) -> String {
    let name = plain(&file.display().to_string());
    let mut out = String::new();
    for diagnostic in diagnostics {
        let style = match diagnostic.severity {
            Severity::Error => BAD,
            Severity::Warning => DOUBTFUL,
        };
        let severity = styled(style, diagnostic.severity.name());
        let (line, column) = (diagnostic.line, diagnostic.column);
        let message = plain(&diagnostic.message);
        let _ = writeln!(out, "{name}:{line}:{column}: {severity}: {message}");
        if let Some(help) = &diagnostic.help {
            let _ = writeln!(out, "  help: {}", plain(help));
        }
    }
    let warnings = count(diagnostics, Severity::Warning);
    let _ = match (errors, warnings) {
        (0, 0) => writeln!(out, "{name}: {}", styled(GOOD, "no errors")),
        _ => writeln!(
            out,
            "{name}: {}, {}",
            counted(errors, "error"),
            counted(warnings, "warning")
        ),
    };
    out
}

/// A number and what it counts.
fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_kind_is_counted_in_the_singular() {
        assert_eq!(counted(0, "error"), "0 errors");
        assert_eq!(counted(1, "error"), "1 error");
        assert_eq!(counted(2, "warning"), "2 warnings");
    }
}
