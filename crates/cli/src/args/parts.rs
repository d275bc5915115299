//! Values of options that say what a program is made of.

use std::path::PathBuf;
use std::str::FromStr;

use atoll_types::{Alone, Provided};

/// A component beside the program.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PartArgument {
    /// What it is called here.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) path: PathBuf,
    pub(crate) trust: Option<String>,
    pub(crate) risk: Option<f64>,
    pub(crate) native: bool,
    pub(crate) alone: Option<Alone>,
}

impl FromStr for PartArgument {
    type Err = String;

    /// Options are taken from the end, so that a path may have commas.
    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, mut rest)) = text.split_once('=').filter(|(name, _)| !name.is_empty())
        else {
            return Err("write NAME=FILE, such as codec=codec.wasm".to_owned());
        };
        let mut part = Self {
            name: name.to_owned(),
            path: PathBuf::new(),
            trust: None,
            risk: None,
            native: false,
            alone: None,
        };
        while let Some((before, option)) = rest.rsplit_once(',') {
            if !part.take(option)? {
                break;
            }
            rest = before;
        }
        if rest.is_empty() {
            return Err(format!("the part {name:?} has no file; write {name}=FILE"));
        }
        part.path = rest.into();
        Ok(part)
    }
}

impl PartArgument {
    /// Takes an option in; whether it is one.
    fn take(&mut self, option: &str) -> Result<bool, String> {
        match option.split_once('=').unwrap_or((option, "")) {
            ("native", "") => self.native = true,
            ("trust", who) if !who.is_empty() => self.trust = Some(who.to_owned()),
            ("trust", _) => return Err("trust names who answers for the part".to_owned()),
            ("risk", number) => {
                let risk = number.parse::<f64>().ok();
                let risk = risk.filter(|risk| (0.0..=1.0).contains(risk));
                let risk = risk.ok_or_else(|| {
                    format!("the risk of a part is a number from 0 to 1, not {number:?}")
                })?;
                self.risk = Some(risk);
            }
            ("alone", "store") => self.alone = Some(Alone::Store),
            ("alone", "process") => self.alone = Some(Alone::Process),
            ("alone", other) => {
                return Err(format!(
                    "a part is alone in its `store` or its `process`, not in {other:?}"
                ));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Two parts in one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Together(pub(crate) String, pub(crate) String);

impl FromStr for Together {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(',') {
            Some((one, other)) if !one.is_empty() && !other.is_empty() => {
                Ok(Self(one.to_owned(), other.to_owned()))
            }
            _ => Err("write the names of two parts, such as app,codec".to_owned()),
        }
    }
}

/// Which part provides an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProvidedArgument(pub(crate) Provided);

impl FromStr for ProvidedArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once(':').and_then(|(importer, rest)| {
            let (interface, provider) = rest.rsplit_once('=')?;
            Some([importer, interface, provider].map(str::to_owned))
        });
        match parts {
            Some([importer, interface, provider])
                if !(importer.is_empty() || interface.is_empty() || provider.is_empty()) =>
            {
                Ok(Self(Provided {
                    importer,
                    interface,
                    provider,
                }))
            }
            _ => Err(
                "write who imports what from whom, such as app:acme:images/filter@1.0.0=filter"
                    .to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &str) -> Result<PartArgument, String> {
        text.parse()
    }

    #[test]
    fn a_part_has_a_name_a_file_and_options() {
        let plain = part("codec=a/codec.wasm").unwrap();
        assert_eq!((plain.name.as_str(), plain.trust), ("codec", None));
        let path = |text| part(text).unwrap().path;
        assert_eq!(path("a=b=c.wasm"), PathBuf::from("b=c.wasm"));
        assert_eq!(path("a=b,c.wasm"), PathBuf::from("b,c.wasm"));
        let whole = part("a=x,y.wasm,trust=acme,risk=0.4,native,alone=process").unwrap();
        assert_eq!(whole.path, PathBuf::from("x,y.wasm"));
        assert_eq!(whole.trust.as_deref(), Some("acme"));
        assert_eq!((whole.risk, whole.native), (Some(0.4), true));
        assert_eq!(whole.alone, Some(Alone::Process));
    }

    #[test]
    fn what_is_no_part_is_refused_with_what_to_write() {
        for text in ["", "a", "=a", "a=", "a=,native"] {
            assert!(part(text).is_err(), "{text}");
        }
        let refused = |text| part(text).unwrap_err();
        assert!(refused("a=b,risk=2").contains("from 0 to 1"));
        assert!(refused("a=b,alone=room").contains("`store` or its `process`"));
        assert!(refused("a=b,trust=").contains("who answers"));
    }

    #[test]
    fn pairs_and_choices_are_read() {
        let pair: Together = "a,b".parse().unwrap();
        assert_eq!(pair, Together("a".to_owned(), "b".to_owned()));
        let chosen: ProvidedArgument = "app:acme:x/y@1.0.0=codec".parse().unwrap();
        assert_eq!(chosen.0.interface, "acme:x/y@1.0.0");
        assert_eq!(chosen.0.provider, "codec");
        assert!("a".parse::<Together>().is_err());
        assert!("a:b".parse::<ProvidedArgument>().is_err());
    }
}
