//! Where packages come from: the registries that this host has configured for pip, uv and npm, and
//! how it reaches them.
//!
//! No registry is built in: where nothing is configured, the tools are asked for their own default
//! ([`Tools`](crate::Tools)).
//!
//! Only one registry of each language is served: further indexes and directories of files
//! (`extra-index-url`, `find-links`, registries of scopes) are not, since a package that stands in
//! two places can be had from the wrong one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::{Language, ProvisionError};

/// The largest configuration file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A host and a port.
pub type Place = (String, u16);

/// One registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// Its address, with credentials if the host's configuration has them.
    pub(crate) url: String,
    host: String,
    places: BTreeSet<Place>,
    /// The certificates to trust, instead of the tool's own.
    pub(crate) certificates: Option<PathBuf>,
}

impl Registry {
    /// The registry at an address, `https://[user:password@]host[:port]/path`.
    ///
    /// # Errors
    /// [`ProvisionError::Registry`] for any other address.
    pub fn at(url: &str) -> Result<Self, ProvisionError> {
        let wrong = |problem: &str| ProvisionError::Registry {
            problem: problem.to_owned(),
        };
        let rest = url.strip_prefix("https://").ok_or_else(|| {
            wrong("its address does not begin with https://, and nothing else is let through")
        })?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let place = authority.rsplit('@').next().unwrap_or_default();
        let (host, port) =
            parse_place(place, 443).ok_or_else(|| wrong("its address names no host"))?;
        let places = BTreeSet::from([(host.clone(), port)]);
        let url = url.to_owned();
        Ok(Self {
            url,
            host,
            places,
            certificates: None,
        })
    }

    /// Lets another place through, too: where the registry keeps its files, if it has them
    /// elsewhere.
    #[must_use]
    pub fn with_files_at(mut self, host: &str, port: u16) -> Self {
        self.places.insert((host.to_ascii_lowercase(), port));
        self
    }

    /// Trusts the certificates of a file, instead of the tool's own.
    #[must_use]
    pub fn with_certificates(mut self, file: PathBuf) -> Self {
        self.certificates = Some(file);
        self
    }

    /// Its host.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What is let through.
    pub(crate) const fn places(&self) -> &BTreeSet<Place> {
        &self.places
    }

    /// Its address without credentials, for keys and texts.
    pub(crate) fn address(&self) -> String {
        match self.url.split_once("://").and_then(|(_, rest)| {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let (_, place) = authority.rsplit_once('@')?;
            Some(format!("https://{place}/{path}"))
        }) {
            Some(bare) => bare,
            None => self.url.clone(),
        }
    }

    /// What must not be in any text.
    pub(crate) fn credentials(&self) -> Option<&str> {
        let (_, rest) = self.url.split_once("://")?;
        let authority = rest.split('/').next()?;
        Some(authority.rsplit_once('@')?.0)
    }
}

/// An HTTP proxy through which this host reaches others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    pub(crate) place: Place,
    /// `user:password`.
    pub(crate) credentials: Option<String>,
}

/// What is known of a registry before any tool is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Configured {
    /// It is this one.
    At(Registry),
    /// Nothing is configured but how to reach the tool's own default.
    ToolsDefault {
        /// The certificates to trust, instead of the tool's own.
        certificates: Option<PathBuf>,
        /// Where it keeps files, besides the places that the tool knows.
        files_at: BTreeSet<Place>,
    },
    /// What is configured cannot be used, and why.
    Wrong(String),
}

/// What a tool uses where nothing is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToolsDefault {
    pub(crate) url: String,
    /// Where its files are, if that is another host.
    pub(crate) files_at: Option<String>,
}

/// The registries of a host.
#[derive(Debug, Clone)]
pub struct Registries {
    /// For Python.
    pub python: Configured,
    /// For JavaScript.
    pub javascript: Configured,
    /// The proxy to go through, if any.
    pub upstream: Option<Upstream>,
}

impl Registries {
    /// What this host has configured, in variables and files, for pip, uv and npm.
    #[must_use]
    pub fn of_host() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self::configured(&variable, &read_file)
    }

    /// The same, of given variables and files.
    #[must_use]
    pub fn configured(
        variable: &dyn Fn(&str) -> Option<String>,
        file: &dyn Fn(&Path) -> Option<String>,
    ) -> Self {
        let first = |names: &[&str]| names.iter().find_map(|name| variable(name));
        let home = variable("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from);
        let pip = Settings::of(
            &[
                variable("PIP_CONFIG_FILE").map(PathBuf::from),
                Some(home.join(".config/pip/pip.conf")),
                Some(home.join(".pip/pip.conf")),
                Some("/etc/pip.conf".into()),
            ],
            file,
        );
        let npm = Settings::of(
            &[
                first(&["npm_config_userconfig", "NPM_CONFIG_USERCONFIG"]).map(PathBuf::from),
                Some(home.join(".npmrc")),
                first(&["npm_config_globalconfig", "NPM_CONFIG_GLOBALCONFIG"]).map(PathBuf::from),
                Some("/usr/etc/npmrc".into()),
                Some("/usr/local/etc/npmrc".into()),
                Some("/etc/npmrc".into()),
            ],
            file,
        );
        let python = first(&["UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"])
            .or_else(|| pip.get("index-url"));
        let javascript =
            first(&["npm_config_registry", "NPM_CONFIG_REGISTRY"]).or_else(|| npm.get("registry"));
        let python_certificates =
            first(&["SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE"]).or_else(|| pip.get("cert"));
        let javascript_certificates = first(&["npm_config_cafile", "NPM_CONFIG_CAFILE"])
            .or_else(|| npm.get("cafile"))
            .or_else(|| first(&["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"]));
        let files_at: BTreeSet<Place> = variable("ATOLL_PACKAGE_FILES_AT")
            .iter()
            .flat_map(|list| list.split(','))
            .filter_map(|place| parse_place(place.trim(), 443))
            .collect();
        let registry = |url: Option<String>, certificates: Option<String>| {
            let certificates = certificates.map(PathBuf::from);
            let files_at = files_at.clone();
            let Some(url) = url else {
                return Configured::ToolsDefault {
                    certificates,
                    files_at,
                };
            };
            match Registry::at(&url) {
                Ok(mut registry) => {
                    registry.certificates = certificates;
                    registry.places.extend(files_at);
                    Configured::At(registry)
                }
                Err(error) => Configured::Wrong(error.to_string()),
            }
        };
        let upstream = first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]);
        Self {
            python: registry(python, python_certificates),
            javascript: registry(javascript, javascript_certificates),
            upstream: upstream.as_deref().and_then(parse_upstream),
        }
    }

    /// The registry of a language, with what its tool knows of its default.
    pub(crate) fn of(
        &self,
        language: Language,
        default: impl FnOnce() -> Result<ToolsDefault, ProvisionError>,
    ) -> Result<Registry, ProvisionError> {
        let configured = match language {
            Language::Python => &self.python,
            Language::JavaScript => &self.javascript,
        };
        match configured {
            Configured::Wrong(problem) => Err(ProvisionError::Registry {
                problem: problem.clone(),
            }),
            Configured::At(registry) => {
                // The default may be configured by its name; then its files are where they are.
                let known = default().and_then(|default| default.registry());
                let known = known.ok().filter(|known| known.host == registry.host);
                let mut registry = registry.clone();
                registry
                    .places
                    .extend(known.into_iter().flat_map(|known| known.places));
                Ok(registry)
            }
            Configured::ToolsDefault {
                certificates,
                files_at,
            } => {
                let mut registry = default()?.registry()?;
                registry.certificates.clone_from(certificates);
                registry.places.extend(files_at.iter().cloned());
                Ok(registry)
            }
        }
    }
}

impl ToolsDefault {
    fn registry(&self) -> Result<Registry, ProvisionError> {
        let registry = Registry::at(&self.url)?;
        Ok(match &self.files_at {
            Some(host) => registry.with_files_at(host, 443),
            None => registry,
        })
    }
}

fn read_file(path: &Path) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
    (metadata.is_file() && metadata.len() <= FILE_BYTES_MAX)
        .then(|| std::fs::read_to_string(path).ok())?
}

/// Settings of several files of lines `name = value`, the first file that has one winning. Of pip's
/// sections only `global` is read.
struct Settings(Vec<(String, String)>);

impl Settings {
    fn of(files: &[Option<PathBuf>], read: &dyn Fn(&Path) -> Option<String>) -> Self {
        let mut found = Vec::new();
        for text in files.iter().flatten().filter_map(|path| read(path)) {
            let mut ours = true;
            for line in text.lines().map(str::trim) {
                if line.starts_with(['#', ';']) {
                    continue;
                }
                if let Some(section) = line.strip_prefix('[') {
                    ours = section.trim_end_matches(']') == "global";
                } else if let Some((name, value)) = line.split_once('=')
                    && ours
                {
                    let value = value.trim().trim_matches('"');
                    found.push((name.trim().replace('_', "-"), value.to_owned()));
                }
            }
        }
        Self(found)
    }

    fn get(&self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.clone())
            .filter(|value| !value.is_empty())
    }
}

/// Reads `host` or `host:port`; addresses with colons are not taken.
pub(crate) fn parse_place(text: &str, default_port: u16) -> Option<Place> {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (text, default_port),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let fits = !host.is_empty() && host.len() <= 253 && host.chars().all(plain);
    fits.then(|| (host.to_ascii_lowercase(), port))
}

fn parse_upstream(url: &str) -> Option<Upstream> {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let authority = rest.split('/').next()?;
    let (credentials, place) = match authority.rsplit_once('@') {
        Some((credentials, place)) => (Some(credentials.to_owned()), place),
        None => (None, authority),
    };
    Some(Upstream {
        place: parse_place(place, 80)?,
        credentials,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(variables: &[(&str, &str)], files: &[(&str, &str)]) -> Registries {
        let find = |list: &[(&str, &str)], name: &str| {
            let found = list.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Registries::configured(&|name| find(variables, name), &|path| {
            find(files, path.to_str().unwrap())
        })
    }

    fn of_python(registries: &Registries) -> Registry {
        let default = || {
            Ok(ToolsDefault {
                url: "https://default.example/simple/".to_owned(),
                files_at: Some("files.example".to_owned()),
            })
        };
        registries.of(Language::Python, default).unwrap()
    }

    #[test]
    fn without_a_configuration_the_tools_default_is_used() {
        let registries = configured(&[("PIP_CERT", "/ca")], &[]);
        let python = of_python(&registries);
        assert_eq!(python.url, "https://default.example/simple/");
        assert_eq!(python.certificates, Some("/ca".into()));
        let files = ("files.example".to_owned(), 443);
        assert!(python.places().contains(&files) && python.places().len() == 2);
        assert_eq!(registries.upstream, None);
        // By its name it is the same; another one has other places.
        let named = [("PIP_INDEX_URL", "https://default.example/simple")];
        assert!(
            of_python(&configured(&named, &[]))
                .places()
                .contains(&files)
        );
        let other = [
            ("PIP_INDEX_URL", "https://other.example/simple"),
            ("ATOLL_PACKAGE_FILES_AT", "cdn.example, more.example:8443"),
        ];
        let python = of_python(&configured(&other, &[]));
        assert!(!python.places().contains(&files) && python.places().len() == 3);
    }

    fn at(configured: Configured) -> Registry {
        match configured {
            Configured::At(registry) => registry,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn variables_win_over_files_and_nearer_files_over_farther_ones() {
        let files = [
            (
                "/etc/pip.conf",
                "[global]\nindex-url = https://far.example/simple\ncert=/ca\n",
            ),
            (
                "/h/.pip/pip.conf",
                "[list]\nindex-url = x\n[global]\nindex_url = https://near.example/\n",
            ),
            (
                "/h/.npmrc",
                "; comment\nregistry=\"https://npm.example:8443/\"\ncafile = /npm-ca\n",
            ),
        ];
        let registries = configured(&[("HOME", "/h")], &files);
        let python = at(registries.python);
        assert_eq!(
            (python.host(), python.certificates.clone()),
            ("near.example", Some("/ca".into()))
        );
        let javascript = at(registries.javascript);
        assert!(
            javascript
                .places()
                .contains(&("npm.example".to_owned(), 8443))
        );
        assert_eq!(javascript.certificates, Some("/npm-ca".into()));
        let variables = [
            ("HOME", "/h"),
            ("PIP_INDEX_URL", "https://me:secret@var.example/simple/"),
            ("https_proxy", "http://u:p@proxy.example:3128/"),
        ];
        let registries = configured(&variables, &files);
        let python = at(registries.python);
        assert_eq!(python.address(), "https://var.example/simple/");
        assert_eq!(python.credentials(), Some("me:secret"));
        let upstream = registries.upstream.unwrap();
        assert_eq!(upstream.place, ("proxy.example".to_owned(), 3128));
        assert_eq!(upstream.credentials.as_deref(), Some("u:p"));
    }

    #[test]
    fn addresses_that_are_not_encrypted_are_not_used() {
        for url in [
            "http://plain.example/",
            "file:///x",
            "https://",
            "https://[::1]/",
        ] {
            assert!(Registry::at(url).is_err(), "{url}");
        }
    }
}
