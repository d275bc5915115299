//! Which modules, functions and methods of Python give a program which capabilities.
//!
//! A row holds for its path and for everything below it, unless a longer row says otherwise. Rows
//! name what a program could do with them, not what it will.

mod table;

use atoll_types::Capability::{self, DynamicCode, FilesWrite, Network, Processes, Threads};

use self::table::TABLE;

/// A row of the table.
pub(super) type Row = (&'static str, &'static [Capability]);

/// The row with the longest path that `path` is, or is below. Brackets of calls do not count.
pub(super) fn lookup(path: &str) -> Option<&'static Row> {
    let plain;
    let mut path = if path.contains("()") {
        plain = path.replace("()", "");
        plain.as_str()
    } else {
        path
    };
    loop {
        if let Ok(index) = TABLE.binary_search_by_key(&path, |row| row.0) {
            return TABLE.get(index);
        }
        (path, _) = path.rsplit_once('.')?;
    }
}

/// Whether the table has a row for the built-in function of this name.
pub(super) fn is_builtin(name: &str) -> bool {
    BUILTINS.binary_search(&name).is_ok()
}

/// The place of a built-in function in the table.
pub(super) fn builtin_index(name: &str) -> Option<usize> {
    BUILTINS.binary_search(&name).ok()
}

/// The built-in function at a place.
pub(super) fn builtin_at(index: usize) -> Option<&'static str> {
    BUILTINS.get(index).copied()
}

/// Whether an attribute of this name leads nowhere that a plain one does not.
pub(super) fn is_plain_attribute(name: &str) -> bool {
    !name.starts_with("__") && INNER_ATTRIBUTES.binary_search(&name).is_err()
}

/// Whether every attribute whose name begins like this is a plain one, which says nothing by its
/// name alone. In a program whose names are closed there is no `importlib`.
pub(super) fn is_plain_prefix(prefix: &str, is_closed: bool) -> bool {
    let is_method = |row: &(&str, &str, Capability)| {
        row.0.starts_with(prefix) && !(is_closed && row.1 == "importlib")
    };
    !prefix.is_empty()
        && !prefix.starts_with("__")
        && !"__".starts_with(prefix)
        && !INNER_ATTRIBUTES.iter().any(|name| name.starts_with(prefix))
        && !METHODS.iter().any(is_method)
}

/// Whether the table knows something in this top-level module.
pub(super) fn is_root(module: &str) -> bool {
    below(module).next().is_some()
}

/// The rows for a module and everything in it.
pub(super) fn below(module: &str) -> impl Iterator<Item = &'static Row> {
    // Paths sort by bytes, so between `os` and `os.` only names such as `os-x` could stand.
    let start = TABLE.partition_point(|row| row.0 < module);
    let rows = TABLE.get(start..).unwrap_or_default();
    rows.iter()
        .take_while(move |row| row.0.starts_with(module))
        .filter(move |row| {
            let rest = row.0.get(module.len()..).unwrap_or_default();
            rest.is_empty() || rest.starts_with('.')
        })
}

/// The built-in functions in the table, sorted. Every name of a program is looked up here.
static BUILTINS: [&str; 15] = [
    "__build_class__",
    "__import__",
    "__loader__",
    "__spec__",
    "breakpoint",
    "compile",
    "delattr",
    "eval",
    "exec",
    "getattr",
    "globals",
    "locals",
    "open",
    "setattr",
    "vars",
];

/// Methods that say what they do by name, whatever they are called on, once their module is in
/// the program: (method, module, capability).
pub(super) static METHODS: &[(&str, &str, Capability)] = &[
    ("chmod", "pathlib", FilesWrite),
    ("create_connection", "asyncio", Network),
    ("create_datagram_endpoint", "asyncio", Network),
    ("create_server", "asyncio", Network),
    ("dump_stats", "cProfile", FilesWrite),
    ("exec_module", "importlib", DynamicCode),
    ("hardlink_to", "pathlib", FilesWrite),
    ("load_module", "importlib", DynamicCode),
    ("mkdir", "pathlib", FilesWrite),
    ("rename", "pathlib", FilesWrite),
    ("rmdir", "pathlib", FilesWrite),
    ("run_in_executor", "asyncio", Threads),
    ("save", "PIL", FilesWrite),
    ("save", "openpyxl", FilesWrite),
    ("savefig", "matplotlib", FilesWrite),
    ("subprocess_exec", "asyncio", Processes),
    ("subprocess_shell", "asyncio", Processes),
    ("symlink_to", "pathlib", FilesWrite),
    ("to_csv", "pandas", FilesWrite),
    ("to_excel", "pandas", FilesWrite),
    ("to_json", "pandas", FilesWrite),
    ("to_parquet", "pandas", FilesWrite),
    ("to_pickle", "pandas", FilesWrite),
    ("to_sql", "pandas", FilesWrite),
    ("tofile", "numpy", FilesWrite),
    ("touch", "pathlib", FilesWrite),
    ("unlink", "pathlib", FilesWrite),
    ("write_bytes", "pathlib", FilesWrite),
    ("write_text", "pathlib", FilesWrite),
];

/// Those of [`INNER_ATTRIBUTES`] behind which every module of the interpreter lies: what a program
/// does with them cannot be told.
pub(super) static ESCAPES: &[&str] = &[
    "__builtins__",
    "__globals__",
    "__subclasses__",
    "f_builtins",
    "f_globals",
    "func_globals",
];

/// Attributes that lead out of an object into the interpreter.
pub(super) static INNER_ATTRIBUTES: &[&str] = &[
    "__base__",
    "__bases__",
    "__builtins__",
    "__closure__",
    "__code__",
    "__dict__",
    "__getattribute__",
    "__globals__",
    "__import__",
    "__init_subclass__",
    "__loader__",
    "__mro__",
    "__reduce__",
    "__reduce_ex__",
    "__self__",
    "__spec__",
    "__subclasses__",
    "ag_frame",
    "co_code",
    "cr_frame",
    "f_back",
    "f_builtins",
    "f_globals",
    "f_locals",
    "func_globals",
    "gi_code",
    "gi_frame",
    "mro",
    "tb_frame",
    "tb_next",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_without_repetition() {
        assert!(TABLE.is_sorted_by(|left, right| left.0 < right.0));
        assert!(METHODS.is_sorted_by(|left, right| (left.0, left.1) < (right.0, right.1)));
        assert!(INNER_ATTRIBUTES.is_sorted_by(|left, right| left < right));
        assert!(ESCAPES.iter().all(|name| INNER_ATTRIBUTES.contains(name)));
        assert!(TABLE.iter().all(|row| !row.1.is_empty()));
    }

    #[test]
    fn the_built_in_functions_are_those_of_the_table() {
        let rows: Vec<&str> = below("builtins")
            .map(|row| row.0.trim_start_matches("builtins."))
            .collect();
        assert_eq!(rows, BUILTINS);
    }

    #[test]
    fn the_longest_row_wins() {
        assert_eq!(lookup("os.system").unwrap().0, "os.system");
        assert_eq!(lookup("os.popen().read").unwrap().0, "os.popen");
        assert_eq!(lookup("socket.socket().connect").unwrap().0, "socket");
        assert_eq!(lookup("pathlib.Path().write_text").unwrap().1, [FilesWrite]);
        assert_eq!(lookup("os.path.join"), None);
        assert_eq!(lookup("osx.system"), None);
    }

    #[test]
    fn a_module_holds_its_rows() {
        assert!(below("os").any(|row| row.0 == "os.system"));
        assert!(below("os").all(|row| row.0.starts_with("os.")));
        assert!(is_root("socket") && is_root("PIL") && !is_root("math") && !is_root("s"));
    }
}
