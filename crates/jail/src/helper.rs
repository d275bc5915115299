//! Finding the programs that come with `atoll`.

use std::path::{Path, PathBuf};

/// A program of Atoll's own that is not where it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to find {name}, which is installed together with atoll; looked in {}; set \
     ATOLL_LIBEXEC to the directory that holds it",
    places(.searched)
)]
pub struct HelperMissing {
    /// The program's file name.
    pub name: String,
    /// Where it was looked for.
    pub searched: Vec<PathBuf>,
}

/// Finds a program that comes with Atoll: in `$ATOLL_LIBEXEC`, beside the running program, or
/// in `../libexec/atoll`. A test program, which Cargo puts into `deps`, looks one directory up
/// too; others do not, since what lies above a program may be writable for anybody.
///
/// # Errors
/// When it is in none of these.
pub fn helper_binary(name: &str) -> Result<PathBuf, HelperMissing> {
    let own = std::env::current_exe().unwrap_or_default();
    let beside = own.parent().unwrap_or(Path::new("/")).to_owned();
    let mut searched: Vec<PathBuf> = std::env::var_os("ATOLL_LIBEXEC")
        .map(PathBuf::from)
        .into_iter()
        .collect();
    searched.push(beside.clone());
    if let Some(above) = beside.parent() {
        if beside.ends_with("deps") {
            searched.push(above.to_owned());
        }
        searched.push(above.join("libexec/atoll"));
    }
    let found = searched
        .iter()
        .map(|directory| directory.join(name))
        .find(|path| path.is_file());
    found.ok_or_else(|| HelperMissing {
        name: name.to_owned(),
        searched,
    })
}

fn places(searched: &[PathBuf]) -> String {
    let texts: Vec<String> = searched
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    texts.join(", ")
}
