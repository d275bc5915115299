//! Bounds a program before the runtime's own parser sees it.
//!
//! Walks the outermost structure of a WebAssembly binary (sections, and modules nested in
//! components), which costs a few steps for each section. It does not validate: that is the
//! runtime's work. See the WebAssembly core specification, "Binary Format, Modules", and the
//! component model's `Binary.md`.

use atoll_sandbox_wasm::protocol::GuestKind;

/// Functions of all nested modules together. Large programs in practice, such as language
/// runtimes, have some ten thousand.
const FUNCTIONS_MAX: u64 = 200_000;

/// Components and modules inside each other.
const NESTING_MAX: usize = 16;

/// Sections of all nested modules together.
const SECTIONS_MAX: u32 = 100_000;

const MAGIC: &[u8] = b"\0asm";
const VERSION_MODULE: &[u8] = &[1, 0, 0, 0];
const LAYER_COMPONENT: &[u8] = &[1, 0];

const SECTION_FUNCTION: u8 = 3;
const SECTION_CORE_MODULE: u8 = 1;
const SECTION_COMPONENT: u8 = 4;

/// Checks that the program is of the kind it is said to be, is complete, and is not out of all
/// proportion.
///
/// # Errors
/// A sentence for the user.
pub(crate) fn check(kind: GuestKind, program: &[u8]) -> Result<(), String> {
    let mut walk = Walk::default();
    let found = kind_of(program)?;
    let expected = match kind {
        GuestKind::Module => GuestKind::Module,
        GuestKind::Component | GuestKind::Interpreter | GuestKind::Parts => GuestKind::Component,
    };
    if found != expected {
        return Err(format!(
            "the program is a {}, not the {} it was taken for",
            name(found),
            name(kind)
        ));
    }
    walk.binary(program, 0)
}

fn name(kind: GuestKind) -> &'static str {
    match kind {
        GuestKind::Module => "WebAssembly core module",
        GuestKind::Component | GuestKind::Interpreter | GuestKind::Parts => "WebAssembly component",
    }
}

fn kind_of(binary: &[u8]) -> Result<GuestKind, String> {
    let Some((magic, rest)) = binary.split_at_checked(MAGIC.len()) else {
        return Err(cut_off("in its first 8 bytes"));
    };
    if magic != MAGIC {
        return Err("the program is not a WebAssembly binary".to_owned());
    }
    match rest.get(..4) {
        Some(VERSION_MODULE) => Ok(GuestKind::Module),
        Some(version) if version.ends_with(LAYER_COMPONENT) => Ok(GuestKind::Component),
        Some(_) => Err("the program is of an unknown version of WebAssembly".to_owned()),
        None => Err(cut_off("in its first 8 bytes")),
    }
}

fn cut_off(place: &str) -> String {
    format!("the program is cut off {place}; transfer or build it again")
}

#[derive(Default)]
struct Walk {
    functions: u64,
    sections: u32,
}

impl Walk {
    fn binary(&mut self, binary: &[u8], depth: usize) -> Result<(), String> {
        if depth > NESTING_MAX {
            return Err(format!(
                "the program nests components and modules more than {NESTING_MAX} deep"
            ));
        }
        let kind = kind_of(binary)?;
        let mut rest = binary.get(8..).unwrap_or_default();
        while let Some((&id, after_id)) = rest.split_first() {
            self.sections = self.sections.saturating_add(1);
            if self.sections > SECTIONS_MAX {
                return Err(format!("the program has more than {SECTIONS_MAX} sections"));
            }
            let (length, after_length) = number(after_id)?;
            let Some((content, after)) = after_length.split_at_checked(length as usize) else {
                return Err(cut_off(&format!(
                    "in a section that claims {length} bytes and has {}",
                    after_length.len()
                )));
            };
            self.section(kind, id, content, depth)?;
            rest = after;
        }
        Ok(())
    }

    fn section(
        &mut self,
        kind: GuestKind,
        id: u8,
        content: &[u8],
        depth: usize,
    ) -> Result<(), String> {
        match (kind, id) {
            (GuestKind::Module, SECTION_FUNCTION) => {
                let (functions, _) = number(content)?;
                self.functions = self.functions.saturating_add(functions.into());
                if self.functions > FUNCTIONS_MAX {
                    return Err(format!(
                        "the program has {} functions; at most {FUNCTIONS_MAX} are accepted",
                        self.functions
                    ));
                }
                Ok(())
            }
            (
                GuestKind::Component | GuestKind::Interpreter | GuestKind::Parts,
                SECTION_CORE_MODULE | SECTION_COMPONENT,
            ) => self.binary(content, depth.saturating_add(1)),
            _ => Ok(()),
        }
    }
}

/// An unsigned LEB128 number of at most 32 bits, and what follows it.
fn number(bytes: &[u8]) -> Result<(u32, &[u8]), String> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().enumerate().take(5) {
        value |= u64::from(byte & 0x7f) << (index * 7);
        if byte & 0x80 == 0 {
            let rest = bytes.get(index.saturating_add(1)..).unwrap_or_default();
            return u32::try_from(value)
                .map(|value| (value, rest))
                .map_err(|_| "the program has a number that is out of range".to_owned());
        }
    }
    if bytes.len() < 5 {
        Err(cut_off("in a number"))
    } else {
        Err("the program has a number that is out of range".to_owned())
    }
}

#[cfg(test)]
mod tests;
