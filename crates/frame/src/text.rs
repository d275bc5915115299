//! Texts that come from a process that may have been taken over.

/// The longest text that is believed, in bytes; longer ones are cut.
pub const TEXT_BYTES_MAX: usize = 16 << 10;

/// Replaces what a terminal or a log would obey, apart from line ends, and cuts at a character.
#[must_use]
pub fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len().min(TEXT_BYTES_MAX));
    for character in text.chars() {
        let character = if character == '\n' || !is_unsafe_to_show(character) {
            character
        } else {
            char::REPLACEMENT_CHARACTER
        };
        if tidied.len().saturating_add(character.len_utf8()) > TEXT_BYTES_MAX {
            break;
        }
        tidied.push(character);
    }
    tidied
}

/// Control characters, and the marks that reorder the text around them (Unicode Standard Annex 9).
fn is_unsafe_to_show(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}
