//! The features that a program's need is learned from: a fixed list of numbers, each with a name.
//!
//! | features | what they are |
//! |---|---|
//! | `code_bytes` ... `problems` | counts of the analysis; the wide ones as binary logarithms |
//! | `class` | the execution class, from 0 (trivial) to 4 (unbounded) |
//! | `loop_literal_*`, `allocation_literal_*` | numbers in the program that size its loops and its allocations: how many, the largest, and the largest three multiplied, as binary logarithms |
//! | `modules_*` | what its imports add by the table of modules: memory in KiB and CPU time in ms, as binary logarithms, and whether one has no row |
//! | `loaded_*` | what its imports load, all of it, by the table of modules that was measured one by one: the memory and CPU time of an interpreter that does nothing else, in bytes and microseconds, as binary logarithms, and counts of modules |
//! | `import_family` | 0: imports (nearly) nothing, 1: the standard library, 2: known modules of third parties, 3: others |
//! | `argument_*`, `input_*`, `file*` | what the message brings beside the program; `*_work` multiplies the logarithm of its size by how deep loops are nested |
//! | `can_*` | 1 for each capability it has, else 0 |
//! | `imports_*` | 1 for each of these modules it imports, else 0 |
//!
//! A change of this list needs new models: they carry the names of what they were trained on.

use atoll_types::{
    Analysis, Capability, DependencySource, ExecutionClass, Literal, Message, Stdin,
};

use crate::{imports, table};

/// Modules that many programs import and that say much of what they do.
const MODULES: [&str; 34] = [
    "PIL",
    "argparse",
    "array",
    "asyncio",
    "collections",
    "concurrent",
    "csv",
    "ctypes",
    "datetime",
    "decimal",
    "doctest",
    "fractions",
    "functools",
    "heapq",
    "itertools",
    "json",
    "logging",
    "math",
    "matplotlib",
    "multiprocessing",
    "networkx",
    "numpy",
    "os",
    "pandas",
    "random",
    "re",
    "scipy",
    "sklearn",
    "sqlite3",
    "subprocess",
    "sympy",
    "threading",
    "unittest",
    "zlib",
];

/// Features beside those of capabilities and modules.
const COUNTED: [&str; 41] = [
    "code_bytes",
    "lines",
    "functions",
    "loops",
    "loop_nesting_max",
    "recursion",
    "instructions",
    "complexity",
    "class",
    "host_calls",
    "problems",
    "loop_literal_count",
    "loop_literal_max",
    "loop_literal_product",
    "allocation_literal_count",
    "allocation_literal_max",
    "allocation_literal_product",
    "dependencies_standard",
    "dependencies_third_party",
    "dependencies_local",
    "modules_memory_kib",
    "modules_cpu_ms",
    "modules_unknown",
    "argument_count",
    "argument_number_max",
    "input_bytes",
    "input_is_streamed",
    "file_count",
    "file_bytes",
    "functions_per_line",
    "loops_per_function",
    "instructions_per_line",
    "is_complete",
    "loaded_memory_log",
    "loaded_cpu_log",
    "loaded_modules",
    "loaded_unknown",
    "import_family",
    "argument_work",
    "input_log",
    "input_work",
];

/// So many leading bits of a size are kept.
const SIZE_BITS: u32 = 6;

/// Imports that load no more than this are (nearly) nothing.
const LITTLE_KIB: u64 = 256;

/// The feature that tells families of programs apart, for which corrections may differ.
pub const FAMILY: &str = "import_family";

/// How many families there are.
pub const FAMILIES: u8 = 4;

/// What a message brings beside its program.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Given {
    /// Arguments after the program's name.
    pub arguments: u64,
    /// The largest number among them.
    pub argument_number_max: f64,
    /// Bytes on standard input, as far as they are known.
    pub input_bytes: u64,
    /// Whether standard input comes while the program runs.
    pub input_is_streamed: bool,
    /// Files beside the program.
    pub files: u64,
    /// Bytes in them.
    pub file_bytes: u64,
}

impl Given {
    /// How much it is: the largest number among the arguments, or the bytes of input and files
    /// where there are more of them. It is written down, so only as exact as laws of cost need it.
    #[must_use]
    pub fn size(&self) -> u64 {
        let bytes = self.input_bytes.saturating_add(self.file_bytes);
        let size = bytes.max(self.argument_number_max as u64);
        let too_exact = (u64::BITS - size.leading_zeros()).saturating_sub(SIZE_BITS);
        size >> too_exact << too_exact
    }

    /// Of a message.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let numbers = message.arguments.iter().filter_map(|argument| {
            let text = std::str::from_utf8(argument).ok()?;
            text.parse::<f64>().ok().filter(|number| number.is_finite())
        });
        let (input_bytes, input_is_streamed) = match &message.stdin {
            Stdin::Empty => (0, false),
            Stdin::Bytes(bytes) => (bytes.len() as u64, false),
            Stdin::Stream => (0, true),
        };
        let files = message.files.iter().map(|file| file.content.len() as u64);
        Self {
            arguments: message.arguments.len() as u64,
            argument_number_max: numbers.fold(0.0, f64::max),
            input_bytes,
            input_is_streamed,
            files: message.files.len() as u64,
            file_bytes: files.fold(0, u64::saturating_add),
        }
    }
}

/// The names of the features, in their order.
#[must_use]
pub fn feature_names() -> Vec<String> {
    let counted = COUNTED.iter().map(|name| (*name).to_owned());
    let capabilities = Capability::ALL.iter();
    let capabilities = capabilities.map(|capability| format!("can_{}", capability.name()));
    let modules = MODULES.iter().map(|module| format!("imports_{module}"));
    counted.chain(capabilities).chain(modules).collect()
}

/// The features of a program, in the order of [`feature_names`].
#[must_use]
pub fn features(analysis: &Analysis, given: &Given) -> Vec<f32> {
    let of_source = |source: DependencySource| {
        let all = analysis.dependencies.iter();
        all.filter(|dependency| dependency.source == source).count() as f32
    };
    let modules = table::modules(analysis);
    let loaded = imports::loaded(analysis);
    let (loops, allocations): (Vec<&Literal>, Vec<&Literal>) = analysis
        .literals
        .iter()
        .partition(|literal| !table::sizes_allocation(literal));
    let [loop_count, loop_max, loop_product] = sizes(&loops);
    let [allocation_count, allocation_max, allocation_product] = sizes(&allocations);
    let argument = given.argument_number_max.max(0.0).ln_1p() as f32 / std::f32::consts::LN_2;
    let input = log(given.input_bytes.saturating_add(given.file_bytes)).max(argument);
    let depth = analysis.loop_nesting_max.clamp(1, 4) as f32;
    let ratio = |part: u64, whole: u64| part as f32 / whole.max(1) as f32;
    let counted: [f32; COUNTED.len()] = [
        log(analysis.code_bytes),
        log(analysis.lines),
        log(analysis.functions),
        log(analysis.loops),
        analysis.loop_nesting_max as f32,
        f32::from(u8::from(analysis.recursion)),
        log(analysis.instructions),
        analysis.complexity.score as f32,
        class(analysis.execution_class),
        analysis.host_calls.len() as f32,
        analysis.problems.len() as f32,
        loop_count,
        loop_max,
        loop_product,
        allocation_count,
        allocation_max,
        allocation_product,
        of_source(DependencySource::StandardLibrary),
        of_source(DependencySource::ThirdParty),
        of_source(DependencySource::Local),
        log(modules.memory_kib),
        log(modules.cpu_ms),
        f32::from(u8::from(modules.unknown)),
        given.arguments as f32,
        argument,
        log(given.input_bytes),
        f32::from(u8::from(given.input_is_streamed)),
        given.files as f32,
        log(given.file_bytes),
        ratio(analysis.functions, analysis.lines),
        ratio(analysis.loops, analysis.functions),
        ratio(analysis.instructions, analysis.lines),
        f32::from(u8::from(analysis.is_complete())),
        loaded.memory_log() as f32,
        loaded.cpu_log() as f32,
        loaded.modules as f32,
        loaded.unknown as f32,
        f32::from(family(analysis, &loaded)),
        argument * depth,
        input,
        input * depth,
    ];
    let capabilities = Capability::ALL.iter();
    let capabilities = capabilities.map(|one| analysis.capabilities.contains(one));
    let imports = MODULES.iter().map(|module| {
        let mut all = analysis.dependencies.iter();
        all.any(|dependency| dependency.name == *module)
    });
    let flags = capabilities
        .chain(imports)
        .map(|is| f32::from(u8::from(is)));
    counted.into_iter().chain(flags).collect()
}

/// What a program is, by what it imports: 0 for (nearly) nothing, 1 for modules of the standard
/// library, 2 for modules of third parties that are known, 3 for others.
fn family(analysis: &Analysis, loaded: &imports::Loaded) -> u8 {
    let third_party =
        |dependency: &atoll_types::Dependency| dependency.source == DependencySource::ThirdParty;
    if loaded.unknown > 0 || !analysis.is_complete() {
        3
    } else if analysis.dependencies.iter().any(third_party) {
        2
    } else {
        u8::from(loaded.memory_kib > LITTLE_KIB)
    }
}

/// What a program would need that did nothing but its imports: memory in bytes and CPU time in
/// microseconds, as binary logarithms. Models say how much more than this a program needs.
#[must_use]
pub fn beginnings(analysis: &Analysis) -> (f64, f64) {
    let loaded = imports::loaded(analysis);
    (loaded.memory_log(), loaded.cpu_log())
}

/// How many literals there are, the largest, and the three largest multiplied.
fn sizes(literals: &[&Literal]) -> [f32; 3] {
    let mut logs: Vec<f32> = literals.iter().map(|literal| log(literal.value)).collect();
    logs.sort_by(|one, other| other.total_cmp(one));
    let largest = logs.first().copied().unwrap_or(0.0);
    [
        literals.len() as f32,
        largest,
        logs.iter().take(3).sum::<f32>(),
    ]
}

/// The binary logarithm of one more than a number.
fn log(number: u64) -> f32 {
    (number as f64).ln_1p() as f32 / std::f32::consts::LN_2
}

const fn class(class: ExecutionClass) -> f32 {
    match class {
        ExecutionClass::Trivial => 0.0,
        ExecutionClass::Short => 1.0,
        ExecutionClass::Medium => 2.0,
        ExecutionClass::Long => 3.0,
        ExecutionClass::Unbounded => 4.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_as_exact_as_laws_need_them() {
        let size = |argument_number_max: f64, input_bytes| {
            let given = Given {
                argument_number_max,
                input_bytes,
                ..Given::default()
            };
            given.size()
        };
        assert_eq!([size(0.0, 0), size(63.0, 5), size(7.0, 64)], [0, 63, 64]);
        assert_eq!(size(-9.0, 0), 0);
        // A secret number cannot be read from it.
        assert_eq!(size(123_456_789.0, 0), size(122_222_222.0, 0));
        for exact in [100_u64, 1_600, 999_999, u64::MAX] {
            let kept = size(0.0, exact);
            assert!(
                kept <= exact && exact - kept <= exact / 32,
                "{kept} of {exact}"
            );
        }
    }

    #[test]
    fn every_feature_has_a_name_of_its_own() {
        let names = feature_names();
        let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!(names.len(), distinct.len());
        let analysis = crate::tests::script();
        let values = features(&analysis, &Given::default());
        assert_eq!(values.len(), names.len());
        assert!(values.iter().all(|value| value.is_finite()));
    }
}
