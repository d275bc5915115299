//! What a program asks for, read from what it brings along.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

use crate::ProvisionError;
use crate::names::{distribution_of, resembles};
use crate::requirement::{Requirement, check_count, requirements_file};
use crate::script::script_metadata;

/// The largest `package.json` that is read, in bytes.
pub(crate) const PACKAGE_JSON_BYTES_MAX: usize = 256 << 10;

/// The largest `package-lock.json` that is read, in bytes.
pub(crate) const PACKAGE_LOCK_BYTES_MAX: usize = 8 << 20;

/// A language whose packages are provided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Python, from an index as of PyPI, with `uv`.
    Python,
    /// JavaScript, from an npm registry, with `npm`.
    JavaScript,
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Python => "Python",
            Self::JavaScript => "JavaScript",
        })
    }
}

/// Where it was said what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// In the program's `# /// script` block.
    Script,
    /// In a requirements file.
    RequirementsFile,
    /// In the program's imports.
    Imports,
    /// In a `package.json`.
    PackageJson,
}

/// What a program asks for. At least one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub(crate) language: Language,
    pub(crate) source: Source,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) requires_python: Option<String>,
    pub(crate) guessed: BTreeSet<String>,
    /// The `package.json` itself, and a lock that came along with it.
    pub(crate) package: Vec<u8>,
    pub(crate) lock: Option<Vec<u8>>,
}

impl Wanted {
    /// What a Python program asks for: in its metadata block (PEP 723), else in a requirements
    /// file, else by its imports of modules that are neither the standard library's nor its own,
    /// which the caller knows. `None` where that is nothing.
    ///
    /// # Errors
    /// [`ProvisionError::Requirements`] where it cannot be read or is never done.
    pub fn of_python(
        program: &[u8],
        requirements: Option<&[u8]>,
        imports: &[&str],
    ) -> Result<Option<Self>, ProvisionError> {
        const BLOCK: &str = "the program's `# /// script` block";
        let wrong = |place| move |problem| ProvisionError::Requirements { place, problem };
        let mut wanted = Self::nothing(Language::Python, Source::Script);
        if let Some(metadata) = script_metadata(program).map_err(wrong(BLOCK))? {
            check_count(metadata.dependencies.len()).map_err(wrong(BLOCK))?;
            let parsed = metadata.dependencies.iter();
            let parsed = parsed.map(|text| Requirement::parse(text)).collect();
            wanted.requirements = Result::map_err(parsed, wrong(BLOCK))?;
            wanted.requires_python = metadata.requires_python;
        } else if let Some(content) = requirements {
            wanted.source = Source::RequirementsFile;
            wanted.requirements = requirements_file(content)?;
        } else {
            wanted.source = Source::Imports;
            check_count(imports.len()).map_err(wrong("the program's imports"))?;
            for module in imports {
                let distribution = distribution_of(module);
                // A guess is a name like any other, and held to the same form.
                let requirement = Requirement::parse(&distribution.name)
                    .map_err(wrong("the program's imports"))?;
                if distribution.guessed {
                    wanted.guessed.insert(distribution.name);
                }
                wanted.requirements.push(requirement);
            }
        }
        Ok(wanted.in_order())
    }

    /// What a JavaScript program asks for in its `package.json`, and in the `package-lock.json`
    /// beside it if there is one. `None` where that is nothing.
    ///
    /// # Errors
    /// As for [`Self::of_python`].
    pub fn of_javascript(
        package: &[u8],
        lock: Option<&[u8]>,
    ) -> Result<Option<Self>, ProvisionError> {
        let wrong = |problem: String| ProvisionError::Requirements {
            place: "package.json",
            problem,
        };
        if package.len() > PACKAGE_JSON_BYTES_MAX {
            return Err(wrong(format!(
                "it is larger than {PACKAGE_JSON_BYTES_MAX} bytes"
            )));
        }
        if lock.is_some_and(|lock| lock.len() > PACKAGE_LOCK_BYTES_MAX) {
            let bytes = PACKAGE_LOCK_BYTES_MAX;
            return Err(wrong(format!(
                "the lock beside it is larger than {bytes} bytes"
            )));
        }
        let read: PackageJson = serde_json::from_slice(package)
            .map_err(|error| wrong(format!("it is not one that npm takes: {error}")))?;
        if read.workspaces.is_some() {
            return Err(wrong(
                "it has workspaces; name packages of the registry".to_owned(),
            ));
        }
        let mut wanted = Self::nothing(Language::JavaScript, Source::PackageJson);
        let all = read
            .dependencies
            .into_iter()
            .chain(read.optional_dependencies);
        for (name, version) in all {
            wanted
                .requirements
                .push(npm_requirement(&name, &version).map_err(wrong)?);
            check_count(wanted.requirements.len()).map_err(wrong)?;
        }
        wanted.package = package.to_vec();
        wanted.lock = lock.map(<[u8]>::to_vec);
        Ok(wanted.in_order())
    }

    fn nothing(language: Language, source: Source) -> Self {
        Self {
            language,
            source,
            requirements: Vec::new(),
            requires_python: None,
            guessed: BTreeSet::new(),
            package: Vec::new(),
            lock: None,
        }
    }

    /// The same, each requirement once; `None` if there is none, and no interpreter to be checked.
    fn in_order(mut self) -> Option<Self> {
        self.requirements.sort();
        self.requirements.dedup();
        let asks = !self.requirements.is_empty() || self.requires_python.is_some();
        asks.then_some(self)
    }

    /// The language.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.language
    }

    /// Where it was said.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// The names of the packages, in the order of their bytes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.requirements.iter().map(|wanted| wanted.name.as_str())
    }

    /// The names that are only those of imported modules.
    pub fn guessed(&self) -> impl Iterator<Item = &str> {
        self.guessed.iter().map(String::as_str)
    }

    /// Everything of the program that its lock depends on, as one text.
    pub(crate) fn text(&self) -> String {
        let package = blake3::hash(&self.package);
        let lock = self.lock.as_deref().map(blake3::hash);
        let mut text = format!("{}\n{package}\n{lock:?}\n", self.language);
        for wanted in &self.requirements {
            text.push_str(&wanted.text);
            for hash in &wanted.hashes {
                text.push(' ');
                text.push_str(hash);
            }
            text.push('\n');
        }
        text
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PackageJson {
    #[serde(default)]
    dependencies: BTreeMap<String, String>,
    #[serde(default)]
    optional_dependencies: BTreeMap<String, String>,
    workspaces: Option<serde::de::IgnoredAny>,
}

/// One entry of `dependencies`. Its text is `name@version`.
fn npm_requirement(name: &str, version: &str) -> Result<Requirement, String> {
    let shown: String = format!("{name}@{version}").chars().take(80).collect();
    if !is_npm_name(name) {
        return Err(format!("{shown:?} does not begin with a package's name"));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || " .-_^~<>=|*+".contains(c);
    let fits = version.len() <= 256 && version.chars().all(plain);
    if !fits {
        return Err(format!(
            "{shown:?} is not a version of a package of the registry; addresses, paths and aliases \
             are not installed"
        ));
    }
    Ok(Requirement {
        name: name.to_owned(),
        text: format!("{name}@{version}"),
        hashes: Vec::new(),
    })
}

/// Whether npm takes this for the name of a package: with or without a scope.
pub(crate) fn is_npm_name(name: &str) -> bool {
    let plain = |part: &str| {
        let mut bytes = part.bytes();
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
    };
    let bare = match name.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/'),
        None => Some(("none", name)),
    };
    name.len() <= 214 && bare.is_some_and(|(scope, name)| plain(scope) && plain(name))
}

/// Which packages a tenant may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Allowed {
    /// Every package that is not denied.
    #[default]
    Any,
    /// Only these, what they need themselves included: names as the registry normalizes them.
    These(BTreeSet<String>),
    /// None at all.
    None,
}

/// What a tenant may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// What is allowed.
    pub allowed: Allowed,
    /// What is not, whatever is allowed.
    pub denied: BTreeSet<String>,
    /// Names that may resemble well-known ones.
    pub not_mistaken: BTreeSet<String>,
}

impl Policy {
    /// Holds the program's own names to it. Nothing has been asked of anybody yet.
    pub(crate) fn check_wanted(&self, wanted: &Wanted) -> Result<(), ProvisionError> {
        for name in wanted.names() {
            self.check(name, true)?;
            let named = matches!(&self.allowed, Allowed::These(names) if names.contains(name));
            if named || self.not_mistaken.contains(name) {
                continue;
            }
            if let Some(known) = resembles(wanted.language, name) {
                let name = name.to_owned();
                return Err(ProvisionError::Typosquat { name, known });
            }
        }
        Ok(())
    }

    /// Holds one name to it.
    pub(crate) fn check(&self, name: &str, direct: bool) -> Result<(), ProvisionError> {
        let allowed = match &self.allowed {
            Allowed::Any => true,
            Allowed::These(names) => names.contains(name),
            Allowed::None => false,
        };
        if allowed && !self.denied.contains(name) {
            return Ok(());
        }
        Err(ProvisionError::NotAllowed {
            name: name.to_owned(),
            direct,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(wanted: &Wanted) -> Vec<&str> {
        wanted.names().collect()
    }

    #[test]
    fn the_block_comes_before_the_file_and_the_file_before_imports() {
        let block = b"# /// script\n# dependencies = [\"six\"]\n# ///\n";
        let of = |program: &[u8], file| Wanted::of_python(program, file, &["yaml", "own_thing"]);
        let wanted = of(block, Some(b"idna")).unwrap().unwrap();
        assert_eq!(
            (names(&wanted), wanted.source()),
            (vec!["six"], Source::Script)
        );
        let wanted = of(b"", Some(b"idna")).unwrap().unwrap();
        assert_eq!(names(&wanted), ["idna"]);
        let wanted = of(b"", None).unwrap().unwrap();
        assert_eq!(names(&wanted), ["own-thing", "pyyaml"]);
        assert_eq!(wanted.guessed().collect::<Vec<_>>(), ["own-thing"]);
        assert_eq!(Wanted::of_python(b"", None, &[]).unwrap(), None);
    }

    #[test]
    fn packages_of_npm_come_from_the_registry_alone() {
        let read = |text: &str| Wanted::of_javascript(text.as_bytes(), None);
        let wanted = read(r#"{"dependencies": {"is-odd": "^3.0.1", "@a/b": "1.x || >=2"}}"#);
        assert_eq!(names(&wanted.unwrap().unwrap()), ["@a/b", "is-odd"]);
        assert_eq!(read("{}").unwrap(), None);
        for version in [
            "git+https://example.org/a.git",
            "file:../a",
            "https://example.org/a.tgz",
            "someone/somewhere",
            "npm:other@1",
            "workspace:*",
            "link:x",
        ] {
            let text = format!(r#"{{"dependencies": {{"a": "{version}"}}}}"#);
            assert!(read(&text).is_err(), "{version}");
        }
        for name in ["", "..", "a/b", "@a", "-x", "a b"] {
            let text = format!(r#"{{"dependencies": {{"{name}": "1"}}}}"#);
            assert!(read(&text).is_err(), "{name}");
        }
        assert!(read(r#"{"workspaces": ["a"], "dependencies": {}}"#).is_err());
        assert!(read("[").is_err());
    }

    #[test]
    fn what_is_not_allowed_is_refused_by_name() {
        let wanted = Wanted::of_python(b"", Some(b"six\nreqeusts"), &[])
            .unwrap()
            .unwrap();
        let mut policy = Policy::default();
        let code = |policy: &Policy| policy.check_wanted(&wanted).err().map(|e| e.code());
        assert_eq!(code(&policy), Some("typosquat"));
        policy.not_mistaken.insert("reqeusts".to_owned());
        assert_eq!(code(&policy), None);
        policy.denied.insert("six".to_owned());
        assert_eq!(code(&policy), Some("not_allowed"));
        policy.denied.clear();
        policy.allowed = Allowed::These(["six".to_owned()].into());
        assert_eq!(code(&policy), Some("not_allowed"));
        policy.allowed = Allowed::None;
        assert_eq!(code(&policy), Some("not_allowed"));
    }

    proptest! {
        #[test]
        fn any_package_json_is_read_without_a_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200)
        ) {
            let _ = Wanted::of_javascript(&bytes, None);
        }
    }
}
