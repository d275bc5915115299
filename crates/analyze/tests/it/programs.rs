//! What is read from realistic Python programs, harmless and harmful, held as snapshots.

use atoll_analyze::{analyze, recognise};
use atoll_types::{Analysis, ProgramKind};

/// The parts of an analysis that decide something, one a line.
fn summary(analysis: &Analysis) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| text += &format!("{name}: {value}\n");
    line(
        "size",
        format!(
            "{} lines, {} functions, {} loops nested {} deep",
            analysis.lines, analysis.functions, analysis.loops, analysis.loop_nesting_max
        ),
    );
    line("recursion", analysis.recursion.to_string());
    line("class", analysis.execution_class.name().to_owned());
    line("complexity", format!("{:.0}", analysis.complexity.score));
    let literals = analysis.literals.iter();
    let literals = literals.map(|literal| format!("{} {}", literal.role, literal.value));
    line("literals", list(literals));
    let dependencies = analysis.dependencies.iter();
    let dependencies =
        dependencies.map(|dependency| format!("{} ({:?})", dependency.name, dependency.source));
    line("dependencies", list(dependencies));
    line("host calls", list(analysis.host_calls.iter().cloned()));
    let capabilities = analysis.capabilities.iter();
    line(
        "capabilities",
        list(capabilities.map(|capability| capability.name().to_owned())),
    );
    let problems = analysis.problems.iter();
    let problems = problems.map(|problem| match problem.line {
        Some(line) => format!("line {line}: {}", problem.message),
        None => problem.message.clone(),
    });
    line("problems", list(problems));
    text
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(", ")
    }
}

macro_rules! programs {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                let file = concat!(stringify!($name), ".py");
                let bytes = include_bytes!(concat!("programs/", stringify!($name), ".py"));
                assert_eq!(recognise(file, bytes), Ok(ProgramKind::Python));
                assert_eq!(recognise("program", bytes), Ok(ProgramKind::Python));
                let analysis = analyze(ProgramKind::Python, bytes);
                insta::assert_snapshot!(file, summary(&analysis));
            }
        )*
    };
}

programs!(
    encrypt_home,
    escape,
    fork_bomb,
    loader,
    matrix,
    plugins,
    python2,
    reverse_shell,
    sales_report,
    scraper,
    server,
    sieve,
    sudoku,
    thumbnail,
    word_count,
);
