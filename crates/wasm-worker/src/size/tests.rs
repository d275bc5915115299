//! Binaries are built here by hand: the point is what a toolchain would never write.

use super::*;

fn leb(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![id];
    bytes.extend(leb(u32::try_from(content.len()).unwrap()));
    bytes.extend(content);
    bytes
}

fn module(sections: &[u8]) -> Vec<u8> {
    [b"\0asm\x01\0\0\0".as_slice(), sections].concat()
}

fn component(sections: &[u8]) -> Vec<u8> {
    [b"\0asm\x0d\0\x01\0".as_slice(), sections].concat()
}

#[test]
fn ordinary_binaries_pass() {
    check(GuestKind::Module, &module(&[])).unwrap();
    let inner = module(&section(SECTION_FUNCTION, &leb(3)));
    let outer = component(&section(SECTION_CORE_MODULE, &inner));
    check(GuestKind::Component, &outer).unwrap();
}

#[test]
fn the_wrong_kind_is_named() {
    let error = check(GuestKind::Module, &component(&[])).unwrap_err();
    assert_eq!(
        error,
        "the program is a WebAssembly component, not the WebAssembly core module it was taken for"
    );
    let error = check(GuestKind::Module, b"(module)").unwrap_err();
    assert_eq!(error, "the program is not a WebAssembly binary");
}

#[test]
fn every_cut_of_a_binary_is_an_error_or_a_whole_section_less() {
    let whole = module(&[section(SECTION_FUNCTION, &leb(300)), section(0, b"name")].concat());
    for end in 0..whole.len() {
        let result = check(GuestKind::Module, &whole[..end]);
        let at_section = end == 8 || end == 8 + 4;
        assert_eq!(result.is_ok(), at_section, "cut at {end}: {result:?}");
    }
}

#[test]
fn functions_are_counted_over_all_nested_modules() {
    let half = module(&section(SECTION_FUNCTION, &leb(150_000)));
    check(GuestKind::Module, &half).unwrap();
    let both = [
        section(SECTION_CORE_MODULE, &half),
        section(
            SECTION_COMPONENT,
            &component(&section(SECTION_CORE_MODULE, &half)),
        ),
    ];
    let error = check(GuestKind::Component, &component(&both.concat())).unwrap_err();
    assert_eq!(
        error,
        "the program has 300000 functions; at most 200000 are accepted"
    );
}

#[test]
fn nesting_is_bounded() {
    let nest = |depth: usize| {
        (0..depth).fold(component(&[]), |inner, _| {
            component(&section(SECTION_COMPONENT, &inner))
        })
    };
    check(GuestKind::Component, &nest(NESTING_MAX)).unwrap();
    let error = check(GuestKind::Component, &nest(NESTING_MAX + 1)).unwrap_err();
    assert!(error.contains("more than 16 deep"), "{error}");
}

#[test]
fn sections_are_bounded() {
    let sections = section(0, &[]).repeat(SECTIONS_MAX as usize + 1);
    let error = check(GuestKind::Module, &module(&sections)).unwrap_err();
    assert_eq!(error, "the program has more than 100000 sections");
}

#[test]
fn numbers_past_32_bits_are_an_error() {
    for number in [&[0xff, 0xff, 0xff, 0xff, 0x1f], &[0x80; 5]] {
        let mut bytes = vec![0];
        bytes.extend(number);
        let error = check(GuestKind::Module, &module(&bytes)).unwrap_err();
        assert_eq!(error, "the program has a number that is out of range");
    }
}

#[test]
fn any_bytes_after_a_header_are_walked_without_a_panic() {
    // A small generator is enough here: what matters is that lengths and ids take every shape.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for length in 0..2000_usize {
        let bytes: Vec<u8> = (0..length % 97)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let byte = (state >> 32) as u8;
                if state & 3 == 0 { byte } else { byte & 0x0f }
            })
            .collect();
        let _ = check(GuestKind::Module, &module(&bytes));
        let _ = check(GuestKind::Component, &component(&bytes));
    }
}
