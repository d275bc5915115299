//! Locks: which packages, in which versions, with which hashes.
//!
//! A tool writes them and reads them again; Atoll checks each before it is used, knows its packages
//! for the tenant's rules, and makes the key of the layer of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::requirement::{Requirement, normalize};
use crate::wanted::is_npm_name;
use crate::{Language, ProvisionError};

/// The most packages of a lock.
pub(crate) const PACKAGES_MAX: usize = 2_000;

/// The most hashes of one package: a release of a large one has about a hundred files.
const HASHES_MAX: usize = 2_000;

/// A package in a version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    /// Its name, as the registry normalizes it.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A checked lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lock {
    /// What the tool is given.
    pub(crate) text: String,
    /// Each package once, in the order of names.
    pub(crate) packages: Vec<Package>,
    /// The same for locks that mean the same: sorted, with hashes.
    pub(crate) canonical: String,
}

impl Lock {
    /// Reads what `uv pip compile --generate-hashes` wrote. Where requirements came with hashes,
    /// only those are kept.
    pub(crate) fn of_python(text: &str, wanted: &[Requirement]) -> Result<Self, ProvisionError> {
        let joined = text.replace("\\\n", " ");
        let mut pinned: BTreeMap<String, Pinned> = BTreeMap::new();
        for line in joined.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, mut found) = pinned_line(line)
                .ok_or_else(|| odd(Language::Python, format!("{line:.80} is no pinned package")))?;
            keep_given_hashes(&name, &mut found.hashes, wanted)?;
            if pinned.insert(name.clone(), found).is_some() {
                return Err(odd(Language::Python, format!("{name} is there twice")));
            }
        }
        check_count(Language::Python, pinned.len())?;
        let mut text = String::new();
        for (name, found) in &pinned {
            let _ = write!(text, "{name}=={}", found.version);
            for hash in &found.hashes {
                let _ = write!(text, " \\\n    --hash={hash}");
            }
            text.push('\n');
        }
        let packages = pinned.into_iter().map(|(name, found)| Package {
            name,
            version: found.version,
        });
        Ok(Self {
            packages: packages.collect(),
            canonical: text.clone(),
            text,
        })
    }

    /// Reads a `package-lock.json` of version 2 or 3, of which every package has to come from the
    /// registry's host, with a hash.
    pub(crate) fn of_javascript(text: &[u8], host: &str) -> Result<Self, ProvisionError> {
        let odd = |problem: String| odd(Language::JavaScript, problem);
        let read: PackageLock = serde_json::from_slice(text)
            .map_err(|error| odd(format!("the lock is not one of npm: {error}")))?;
        if !(2..=3).contains(&read.version) {
            return Err(odd(format!(
                "the lock has the unknown version {}",
                read.version
            )));
        }
        check_count(Language::JavaScript, read.packages.len())?;
        let mut packages = BTreeSet::new();
        let mut canonical = String::new();
        for (place, entry) in read.packages.iter().filter(|(place, _)| !place.is_empty()) {
            if entry.dev {
                continue;
            }
            let name = npm_name(place, entry)
                .ok_or_else(|| odd(format!("{place:.80} is not the place of a package")))?;
            entry.check(&name, host)?;
            let (version, integrity) = (entry.version.as_deref(), entry.integrity.as_deref());
            let (version, integrity) = (version.unwrap_or("?"), integrity.unwrap_or("?"));
            let _ = writeln!(canonical, "{place} {name}@{version} {integrity}");
            packages.insert(Package {
                name,
                version: version.to_owned(),
            });
        }
        let text =
            std::str::from_utf8(text).map_err(|_| odd("the lock is not UTF-8".to_owned()))?;
        Ok(Self {
            text: text.to_owned(),
            packages: packages.into_iter().collect(),
            canonical,
        })
    }
}

#[derive(Debug)]
struct Pinned {
    version: String,
    hashes: BTreeSet<String>,
}

/// Reads `name==version --hash=sha256:… …`; a marker is left out, because the lock is for one
/// interpreter.
fn pinned_line(line: &str) -> Option<(String, Pinned)> {
    let mut parts = line.split(" --hash=");
    let pin = parts.next()?;
    let pin = pin.split(';').next()?.trim();
    let (name, version) = pin.split_once("==")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "+.-_!".contains(c);
    let name = Requirement::parse(name)
        .ok()
        .filter(|read| read.text == name)?
        .name;
    let is_sha256 = |hash: &str| {
        hash.strip_prefix("sha256:").is_some_and(|digits| {
            digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit())
        })
    };
    let hashes: BTreeSet<String> = parts.map(|hash| hash.trim().to_owned()).collect();
    let fits = !hashes.is_empty()
        && hashes.len() <= HASHES_MAX
        && hashes.iter().all(|hash| is_sha256(hash))
        && !version.is_empty()
        && version.chars().all(plain);
    fits.then(|| {
        let version = version.to_owned();
        (name, Pinned { version, hashes })
    })
}

/// Of the hashes that the registry has, those that the program itself came with.
fn keep_given_hashes(
    name: &str,
    hashes: &mut BTreeSet<String>,
    wanted: &[Requirement],
) -> Result<(), ProvisionError> {
    let given = wanted
        .iter()
        .filter(|wanted| wanted.name == normalize(name));
    for given in given.filter(|wanted| !wanted.hashes.is_empty()) {
        hashes.retain(|hash| given.hashes.contains(hash));
        if hashes.is_empty() {
            return Err(ProvisionError::HashMismatch {
                name: name.to_owned(),
                detail: "no file of the registry has a hash that the requirements name".to_owned(),
            });
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct PackageLock {
    #[serde(rename = "lockfileVersion")]
    version: u32,
    #[serde(default)]
    packages: BTreeMap<String, LockedPackage>,
}

#[derive(Deserialize)]
struct LockedPackage {
    name: Option<String>,
    version: Option<String>,
    resolved: Option<String>,
    integrity: Option<String>,
    #[serde(default)]
    dev: bool,
    #[serde(default)]
    link: bool,
    #[serde(default, rename = "inBundle")]
    in_bundle: bool,
}

impl LockedPackage {
    fn check(&self, name: &str, host: &str) -> Result<(), ProvisionError> {
        let odd = |problem: &str| odd(Language::JavaScript, format!("{name} {problem}"));
        if self.link {
            return Err(odd("is a link to a directory; only packages are installed"));
        }
        if self.in_bundle {
            // It is part of the archive of the package around it, whose hash it has.
            return Ok(());
        }
        let strong = |hash: &str| {
            ["sha512-", "sha384-", "sha256-"]
                .iter()
                .any(|kind| hash.starts_with(kind))
        };
        if !self.integrity.as_deref().is_some_and(strong) {
            return Err(odd("has no hash of SHA-2 in the lock"));
        }
        let from = self.resolved.as_deref().map(crate::Registry::at);
        match from {
            None => Ok(()),
            Some(Ok(registry)) if registry.host() == host => Ok(()),
            Some(_) => Err(odd("comes from another place than the registry")),
        }
    }
}

/// The name of the package at a place such as `node_modules/a/node_modules/@b/c`.
fn npm_name(place: &str, entry: &LockedPackage) -> Option<String> {
    let inner = place.strip_prefix("node_modules/")?;
    let mut names = inner.split("/node_modules/");
    if !names.all(is_npm_name) {
        return None;
    }
    let last = inner.rsplit("/node_modules/").next()?;
    let name = entry.name.as_deref().unwrap_or(last);
    is_npm_name(name).then(|| name.to_owned())
}

fn check_count(language: Language, count: usize) -> Result<(), ProvisionError> {
    if count <= PACKAGES_MAX {
        return Ok(());
    }
    Err(odd(
        language,
        format!("the lock has more than {PACKAGES_MAX} packages"),
    ))
}

fn odd(language: Language, problem: String) -> ProvisionError {
    ProvisionError::Leftovers { language, problem }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hash(digit: char) -> String {
        format!("sha256:{}", digit.to_string().repeat(64))
    }

    #[test]
    fn locks_of_python_are_sorted_and_pinned_with_hashes() {
        let (a, b) = (hash('a'), hash('b'));
        let text = format!(
            "six==1.16.0 \\\n    --hash={b} \\\n    --hash={a}\n# why\nidna==3.7 ; x \\\n --hash={a}\n"
        );
        let lock = Lock::of_python(&text, &[]).unwrap();
        let names: Vec<_> = lock.packages.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["idna", "six"]);
        let again = Lock::of_python(&lock.text, &[]).unwrap();
        assert_eq!(lock, again);
        for wrong in [
            "six==1.16.0".to_owned(),
            format!("six>=1 --hash={a}"),
            format!("-e . --hash={a}"),
            format!("six @ https://example.org/six.whl --hash={a}"),
            "six==1 --hash=md5:00".to_owned(),
            format!("six==1 --hash={a}\nsix==2 --hash={a}"),
        ] {
            assert!(Lock::of_python(&wrong, &[]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn given_hashes_are_the_only_ones_left() {
        let text = format!("six==1.16.0 --hash={} --hash={}\n", hash('a'), hash('b'));
        let mut wanted = Requirement::any_version("six");
        wanted.hashes = vec![hash('b')];
        let lock = Lock::of_python(&text, std::slice::from_ref(&wanted)).unwrap();
        assert!(lock.text.contains(&hash('b')) && !lock.text.contains(&hash('a')));
        wanted.hashes = vec![hash('c')];
        let error = Lock::of_python(&text, &[wanted]).unwrap_err();
        assert_eq!(error.code(), "hash_mismatch");
    }

    fn npm(entries: &str) -> Result<Lock, ProvisionError> {
        let text = format!(r#"{{"lockfileVersion": 3, "packages": {{"": {{}}, {entries}}}}}"#);
        Lock::of_javascript(text.as_bytes(), "registry.example")
    }

    #[test]
    fn locks_of_npm_name_the_registry_and_a_hash() {
        let good = r#""node_modules/@a/b": {"version": "1.0.0", "integrity": "sha512-x",
            "resolved": "https://registry.example/b.tgz"},
            "node_modules/@a/b/node_modules/c": {"version": "2.0.0", "integrity": "sha512-y"},
            "node_modules/d": {"dev": true}"#;
        let lock = npm(good).unwrap();
        let names: Vec<_> = lock.packages.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["@a/b", "c"]);
        for wrong in [
            r#""node_modules/a": {"version": "1"}"#,
            r#""node_modules/a": {"version": "1", "integrity": "sha1-x"}"#,
            r#""node_modules/a": {"integrity": "sha512-x", "link": true}"#,
            r#""node_modules/a": {"integrity": "sha512-x", "resolved": "https://other.example/a"}"#,
            r#""node_modules/a": {"integrity": "sha512-x", "resolved": "git+ssh://registry.example"}"#,
            r#""somewhere/a": {"integrity": "sha512-x"}"#,
            r#""node_modules/../a": {"integrity": "sha512-x"}"#,
        ] {
            assert!(npm(wrong).is_err(), "{wrong}");
        }
        assert!(Lock::of_javascript(b"{\"lockfileVersion\": 1}", "x").is_err());
    }

    proptest! {
        #[test]
        fn any_lock_is_read_without_a_panic(text in "[ -~\n]{0,200}", given in any::<Vec<u8>>()) {
            let _ = Lock::of_python(&text, &[]);
            let _ = Lock::of_javascript(&given, "x");
        }
    }
}
