//! Paths as rules see them.

/// An absolute path without `.`, `..` and empty parts: what a rule for calls is compared with.
///
/// `base` is what a relative path is relative to, and is itself absolute. Links are not followed:
/// nothing is looked up. `..` at the root stays there.
#[must_use]
pub fn normalized(base: &[u8], path: &[u8]) -> Vec<u8> {
    let base = if path.first() == Some(&b'/') {
        &[]
    } else {
        base
    };
    let mut whole = Vec::with_capacity(base.len() + path.len() + 1);
    for part in base.split(is_slash).chain(path.split(is_slash)) {
        match part {
            b"" | b"." => {}
            b".." => {
                let end = whole.iter().rposition(|byte| *byte == b'/');
                whole.truncate(end.unwrap_or(0));
            }
            part => {
                whole.push(b'/');
                whole.extend_from_slice(part);
            }
        }
    }
    if whole.is_empty() {
        whole.push(b'/');
    }
    whole
}

fn is_slash(byte: &u8) -> bool {
    *byte == b'/'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_lose_what_means_nothing() {
        let cases: [(&str, &str, &str); 8] = [
            ("/work", "a", "/work/a"),
            ("/work", "", "/work"),
            ("/work", "/a//b/./c/", "/a/b/c"),
            ("/work", "../etc/passwd", "/etc/passwd"),
            ("/work", "../../../..", "/"),
            ("/", ".", "/"),
            ("/a/b", "..", "/a"),
            ("/a", "/..a/...", "/..a/..."),
        ];
        for (base, path, wanted) in cases {
            let got = normalized(base.as_bytes(), path.as_bytes());
            assert_eq!(got, wanted.as_bytes(), "{base} {path}");
        }
    }

    proptest! {
        #[test]
        fn a_normalized_path_is_absolute_stays_the_same_and_has_no_steps_up(
            parts in proptest::collection::vec("[ab.]{0,3}", 0..12)
        ) {
            let path = normalized(b"/base", parts.join("/").as_bytes());
            prop_assert_eq!(path.first(), Some(&b'/'));
            prop_assert_eq!(&normalized(b"/other", &path), &path);
            let mut parts = path.split(is_slash).skip(1);
            prop_assert!(path == b"/" || parts.all(|part| !matches!(part, b"" | b"." | b"..")));
        }
    }
}
