//! How values of Atoll's types stand in the store's columns.

use atoll_types::{EventKind, LimitName, Origin};
use serde::de::DeserializeOwned;
use serde::de::value::{Error, StrDeserializer};

const LIMIT_PREFIX: &str = "limit:";

/// SQLite's integers are signed: what does not fit becomes the largest one.
pub(crate) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The value back; nothing negative is ever stored.
pub(crate) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// Reads an enum back from the name it has in JSON.
pub(crate) fn parse<T: DeserializeOwned>(name: &str) -> Option<T> {
    T::deserialize(StrDeserializer::<Error>::new(name)).ok()
}

pub(crate) const fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::CommandLine => "command-line",
        Origin::Api => "api",
        Origin::Anonymous => "anonymous",
    }
}

pub(crate) fn event_name(kind: EventKind) -> String {
    match kind {
        EventKind::Violation => "violation".to_owned(),
        EventKind::Limit(limit) => format!("{LIMIT_PREFIX}{}", limit.name()),
        EventKind::Crash => "crash".to_owned(),
        EventKind::Deviation => "deviation".to_owned(),
    }
}

pub(crate) fn parse_event(name: &str) -> Option<EventKind> {
    match name.strip_prefix(LIMIT_PREFIX) {
        Some(limit) => parse::<LimitName>(limit).map(EventKind::Limit),
        None => parse(name),
    }
}

/// Cuts a text to at most `bytes_max` bytes, at a character, with an ellipsis where it was cut.
pub(crate) fn cut(text: &str, bytes_max: usize) -> String {
    const ELLIPSIS: &str = "…";
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let room = bytes_max.saturating_sub(ELLIPSIS.len());
    let end = text.floor_char_boundary(room);
    let mut short = text.get(..end).unwrap_or_default().to_owned();
    short.push_str(ELLIPSIS);
    short
}

#[cfg(test)]
mod tests {
    use atoll_types::{Level, ProgramKind, Status};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_survive() {
        for origin in [Origin::CommandLine, Origin::Api, Origin::Anonymous] {
            assert_eq!(parse(origin_name(origin)), Some(origin));
        }
        for kind in ProgramKind::ALL {
            assert_eq!(parse(kind.name()), Some(kind));
        }
        for level in Level::ALL {
            assert_eq!(parse(level.name()), Some(level));
        }
        for status in [
            Status::Exited,
            Status::Signalled,
            Status::Limit,
            Status::Refused,
            Status::Failed,
        ] {
            assert_eq!(parse(status.name()), Some(status));
        }
        for kind in [
            EventKind::Violation,
            EventKind::Limit(LimitName::WallTime),
            EventKind::Limit(LimitName::Processes),
            EventKind::Crash,
            EventKind::Deviation,
        ] {
            assert_eq!(parse_event(&event_name(kind)), Some(kind));
        }
        assert_eq!(parse_event("limit:"), None);
        assert_eq!(parse_event("limit"), None);
        assert_eq!(parse::<Status>("vanished"), None);
    }

    #[test]
    fn what_does_not_fit_is_the_largest() {
        assert_eq!(integer(u64::MAX), i64::MAX);
        assert_eq!(unsigned(integer(7)), 7);
        assert_eq!(unsigned(-1), 0);
    }

    proptest! {
        #[test]
        fn cutting_keeps_the_beginning(text: String, bytes_max in 3_usize..64) {
            let short = cut(&text, bytes_max);
            prop_assert!(short.len() <= bytes_max);
            if text.len() <= bytes_max {
                prop_assert_eq!(short, text);
            } else {
                let kept = short.strip_suffix('…').unwrap();
                prop_assert!(text.starts_with(kept));
                prop_assert!(kept.len() + 3 + 3 >= bytes_max, "cut more than a character");
            }
        }
    }
}
