//! The module table: what importing a module adds to an empty program.
//!
//! Measured on Debian 12 with CPython 3.11 and Node.js 20: the median peak resident memory and CPU
//! time of five runs (seven for Node.js) of a program with this one import, less those of an empty
//! program. Modules that do their work in a submodule were measured with the one in common use:
//! `scipy.stats`, `matplotlib.pyplot`, `sklearn.ensemble`, `statsmodels.api`, `django.db.models`,
//! `http.server`, `urllib.request`, `xml.etree.ElementTree`. CPU time includes reading the module
//! from a warm file cache, with its byte code compiled.

use atoll_types::ProgramKind;

/// What importing one module adds.
#[derive(Debug)]
pub(super) struct Module {
    /// The name as dependencies carry it: a top-level Python module, a Node.js specifier.
    pub(super) name: &'static str,
    /// Peak resident memory, in KiB.
    pub(super) memory_kib: u64,
    /// CPU time, in milliseconds.
    pub(super) cpu_ms: u64,
    /// Modules with rows of their own that this one loads anyway.
    pub(super) includes: &'static [&'static str],
}

/// All third-party modules without a row, together: the middle of the measured ones.
pub(super) const UNKNOWN_MODULE: Module = row("other third-party modules", 24_000, 95, &[]);

/// The rows for a kind of program, sorted by name. Empty for kinds whose dependencies are loaded
/// by somebody else: a shell's commands are processes, a native program's libraries are mapped.
pub(super) const fn modules_for(kind: ProgramKind) -> &'static [Module] {
    match kind {
        ProgramKind::Python => &PYTHON,
        ProgramKind::JavaScript => &NODE,
        ProgramKind::Shell
        | ProgramKind::Native
        | ProgramKind::WasmModule
        | ProgramKind::WasmComponent => &[],
    }
}

const fn row(
    name: &'static str,
    memory_kib: u64,
    cpu_ms: u64,
    includes: &'static [&'static str],
) -> Module {
    Module {
        name,
        memory_kib,
        cpu_ms,
        includes,
    }
}

static PYTHON: [Module; 51] = [
    row("PIL", 3_800, 12, &[]),
    row(
        "aiohttp",
        24_600,
        114,
        &["asyncio", "attr", "ssl", "urllib"],
    ),
    row("asyncio", 9_600, 27, &["ssl"]),
    row("attr", 3_600, 19, &[]),
    row("boto3", 24_800, 91, &["dateutil", "ssl", "urllib"]),
    row("bs4", 13_200, 40, &["lxml"]),
    row("click", 4_000, 18, &[]),
    row("concurrent", 1_600, 10, &[]),
    row("cryptography", 8_300, 12, &[]),
    row("cv2", 33_900, 107, &["numpy"]),
    row("dateutil", 2_400, 11, &[]),
    row("django", 25_100, 94, &[]),
    row(
        "fastapi",
        31_400,
        162,
        &["asyncio", "pydantic", "ssl", "urllib"],
    ),
    row("flask", 20_900, 80, &["click", "jinja2", "ssl", "urllib"]),
    row("http", 8_300, 22, &["ssl"]),
    row("httpx", 19_400, 70, &["click", "ssl", "urllib"]),
    row("jinja2", 10_100, 30, &[]),
    row("logging", 1_500, 9, &[]),
    row("lxml", 6_800, 15, &[]),
    row(
        "matplotlib",
        55_900,
        364,
        &["PIL", "dateutil", "numpy", "urllib"],
    ),
    row("multiprocessing", 1_400, 8, &[]),
    row("networkx", 23_100, 82, &["urllib"]),
    row(
        "nltk",
        108_900,
        663,
        &["asyncio", "dateutil", "numpy", "scipy", "ssl", "urllib"],
    ),
    row("numba", 83_300, 261, &["numpy", "scipy", "urllib", "yaml"]),
    row("numpy", 16_000, 80, &[]),
    row("openpyxl", 34_600, 197, &["PIL", "lxml", "numpy", "urllib"]),
    row("orjson", 2_600, 13, &[]),
    row(
        "pandas",
        96_600,
        314,
        &["dateutil", "numpy", "pyarrow", "pytz", "urllib"],
    ),
    row("polars", 37_200, 96, &["urllib"]),
    row("psutil", 2_800, 13, &[]),
    row("pyarrow", 46_200, 108, &["numpy"]),
    row("pydantic", 7_500, 25, &[]),
    row("pytz", 400, 4, &[]),
    row("requests", 17_600, 58, &["ssl", "urllib"]),
    row("rich", 4_900, 24, &[]),
    row("scipy", 91_600, 664, &["numpy", "urllib"]),
    row(
        "seaborn",
        192_200,
        1066,
        &[
            "PIL",
            "dateutil",
            "matplotlib",
            "numpy",
            "pandas",
            "pyarrow",
            "pytz",
            "scipy",
            "ssl",
            "urllib",
        ],
    ),
    row("shapely", 20_300, 90, &["numpy"]),
    row(
        "sklearn",
        191_900,
        1001,
        &[
            "asyncio", "dateutil", "numpy", "pandas", "pyarrow", "pytz", "rich", "scipy", "ssl",
            "urllib",
        ],
    ),
    row("sqlalchemy", 27_400, 117, &["asyncio", "ssl", "urllib"]),
    row("sqlite3", 800, 3, &[]),
    row("ssl", 5_000, 10, &[]),
    row(
        "statsmodels",
        224_900,
        1211,
        &[
            "asyncio", "dateutil", "numpy", "pandas", "polars", "pyarrow", "pytz", "scipy", "ssl",
            "urllib",
        ],
    ),
    row("subprocess", 1_300, 7, &[]),
    row("sympy", 39_800, 160, &["urllib"]),
    row("tempfile", 1_300, 7, &[]),
    row("tqdm", 7_700, 32, &[]),
    row("unittest", 3_200, 15, &[]),
    row("urllib", 8_900, 22, &["ssl"]),
    row("xml", 1_100, 6, &[]),
    row("yaml", 1_600, 11, &[]),
];

static NODE: [Module; 14] = [
    row("child_process", 1_900, 2, &[]),
    row("crypto", 2_000, 3, &[]),
    row("http", 2_400, 2, &[]),
    row("https", 3_400, 4, &[]),
    row("node:child_process", 1_900, 2, &[]),
    row("node:crypto", 2_000, 3, &[]),
    row("node:http", 2_400, 2, &[]),
    row("node:https", 3_400, 4, &[]),
    row("node:stream", 1_000, 1, &[]),
    row("node:worker_threads", 1_600, 2, &[]),
    row("node:zlib", 1_300, 1, &[]),
    row("stream", 1_000, 1, &[]),
    row("worker_threads", 1_600, 2, &[]),
    row("zlib", 1_300, 1, &[]),
];
