//! Complexity: how hard a program is to reason about and how much work it may do, in [0, 100].
//!
//! Seven parts with maxima that add up to 100. Each grows with what it counts and never shrinks:
//!
//! | part | points |
//! |---|---|
//! | code size | `20 * log(1 + n) / log(1 + 10^6)`, n: instructions, or bytes / 16 if that is more |
//! | functions | `10 * log(1 + n) / log(1 + 1000)` |
//! | loop nesting | 4 for each level, up to 5 levels |
//! | work literals | `15 * log(1 + n) / log(1 + 10^12)`, n: the largest |
//! | recursion | 10 when some function can reach itself |
//! | dependencies | 1 for each third-party one, 0.5 local, 0.25 of the standard library, up to 10 |
//! | capabilities | the weights of [`weight`], up to 15 |

use atoll_types::{Capability, Complexity, ComplexityPart, DependencySource};

use crate::findings::Findings;

/// What a program scores.
pub(crate) fn score(code_bytes: u64, findings: &Findings) -> Complexity {
    Complexity::from_parts(vec![
        code_size(code_bytes, findings.instructions, findings.lines),
        functions(findings.functions),
        loop_nesting(findings.loop_nesting_max),
        work_literals(findings.largest_literal(|_| true)),
        recursion(findings.recursion),
        dependencies(findings),
        capabilities(findings),
    ])
}

fn part(name: &str, points: f64, points_max: f64, because: String) -> ComplexityPart {
    ComplexityPart {
        name: name.to_owned(),
        points: points.clamp(0.0, points_max),
        points_max,
        because,
    }
}

/// From 0 at nothing to 1 at `full` and beyond, by orders of magnitude.
fn magnitude(count: u64, full: f64) -> f64 {
    (float(count).ln_1p() / full.ln_1p()).min(1.0)
}

fn float(count: u64) -> f64 {
    count as f64
}

fn code_size(code_bytes: u64, instructions: u64, lines: u64) -> ComplexityPart {
    let size = instructions.max(code_bytes / 16);
    let because = if lines > 0 {
        counted(lines, "line", "lines")
    } else if instructions > 0 {
        counted(instructions, "instruction", "instructions")
    } else {
        counted(code_bytes, "byte", "bytes")
    };
    part("code size", 20.0 * magnitude(size, 1e6), 20.0, because)
}

fn functions(functions: u64) -> ComplexityPart {
    let because = counted(functions, "function", "functions");
    part("functions", 10.0 * magnitude(functions, 1e3), 10.0, because)
}

fn loop_nesting(levels: u32) -> ComplexityPart {
    let because = match levels {
        0 => "no loops inside functions".to_owned(),
        1 => "loops, none inside another".to_owned(),
        levels => format!("loops nested {levels} deep"),
    };
    part("loop nesting", 4.0 * f64::from(levels), 20.0, because)
}

fn work_literals(largest: u64) -> ComplexityPart {
    let because = match largest {
        0 => "no number that sizes work".to_owned(),
        u64::MAX => "a number beyond 64 bits sizes work".to_owned(),
        largest => format!("{largest} is the largest number that sizes work"),
    };
    part(
        "work literals",
        15.0 * magnitude(largest, 1e12),
        15.0,
        because,
    )
}

fn recursion(recursion: bool) -> ComplexityPart {
    let (points, because) = if recursion {
        (10.0, "a function can reach itself")
    } else {
        (0.0, "no recursion seen")
    };
    part("recursion", points, 10.0, because.to_owned())
}

fn dependencies(findings: &Findings) -> ComplexityPart {
    let standard = findings.dependency_count(DependencySource::StandardLibrary);
    let third_party = findings.dependency_count(DependencySource::ThirdParty);
    let local = findings.dependency_count(DependencySource::Local);
    let points = float(third_party) + 0.5 * float(local) + 0.25 * float(standard);
    let because = format!("{third_party} third-party, {local} local, {standard} standard");
    part("dependencies", points, 10.0, because)
}

fn capabilities(findings: &Findings) -> ComplexityPart {
    let found = findings.capabilities();
    // Not `sum`, which is a negative zero for nothing.
    let weights = found.iter().map(|capability| weight(*capability));
    let points = weights.fold(0.0, |all, weight| all + weight);
    let because = if found.is_empty() {
        "none".to_owned()
    } else {
        let names: Vec<&str> = found.iter().map(|capability| capability.name()).collect();
        names.join(", ")
    };
    part("capabilities", points, 15.0, because)
}

/// What a capability adds: more for what makes a program harder to see through.
fn weight(capability: Capability) -> f64 {
    match capability {
        Capability::Unanalyzed => 5.0,
        Capability::DynamicCode | Capability::NativeCode | Capability::SystemChange => 3.0,
        Capability::UnsafeDeserialization
        | Capability::Introspection
        | Capability::Processes
        | Capability::Network
        | Capability::Threads => 2.0,
        Capability::FilesWrite => 1.5,
        Capability::FilesRead | Capability::Environment | Capability::SystemInformation => 1.0,
        Capability::Time | Capability::Randomness => 0.5,
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    let noun = if count == 1 { one } else { many };
    format!("{count} {noun}")
}

#[cfg(test)]
mod tests;
