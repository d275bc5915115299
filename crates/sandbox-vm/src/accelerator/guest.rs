//! The guest of the KVM check, as the image of a BIOS.
//!
//! Owns its bytes and addresses and nothing else. The image's 64 KiB end at 4 GiB and appear once
//! more below 1 MiB (as PC firmware does); the guest runs in the lower copy, from read-only
//! memory, without a stack.

/// What the guest writes to QEMU's debug console.
pub(super) const WORD: &[u8] = b"ATOLL";

/// What the guest writes to the exit device, and what QEMU makes of it: `value << 1 | 1`.
const EXIT_VALUE: u8 = 0x2a;
pub(super) const EXIT_CODE: i32 = 0x55;

const IMAGE_BYTES: usize = 64 * 1024;
/// Where the lower copy begins.
const BASE: u32 = 0xf_0000;

// Offsets in the image.
const TOP_TABLE: u16 = 0x1000;
const MIDDLE_TABLE: u16 = 0x2000;
const LOW_TABLE: u16 = 0x3000;
const SEGMENTS: u16 = 0x4000;
const REAL_MODE: u16 = 0xe000;
const LONG_MODE: u16 = 0xe100;
/// A processor begins 16 bytes below the end (Intel SDM, volume 3, section 10.1.4).
const RESET: u16 = 0xfff0;

/// Present, writable, accessed and dirty: set beforehand, because the tables cannot be written.
const ENTRY: u64 = 0x63;
/// The entry maps 2 MiB itself.
const LARGE: u64 = 0x80;

/// Turns on paging and enters 64-bit mode straight from real mode (AMD64 manual, volume 2,
/// section 14.8: CR0.PE and CR0.PG may be set at once).
#[rustfmt::skip]
const REAL_MODE_CODE: [u8; 0x3f] = [
    0xfa,                                           // cli
    0x2e, 0x66, 0x0f, 0x01, 0x16, 0x3f, 0xe0,       // lgdt cs:[0xe03f], right behind this code
    0x0f, 0x20, 0xe0,                               // mov eax, cr4
    0x66, 0x83, 0xc8, 0x20,                         // or eax, 0x20: physical address extension
    0x0f, 0x22, 0xe0,                               // mov cr4, eax
    0x66, 0xb8, 0x00, 0x10, 0x0f, 0x00,             // mov eax, the top page table
    0x0f, 0x22, 0xd8,                               // mov cr3, eax
    0x66, 0xb9, 0x80, 0x00, 0x00, 0xc0,             // mov ecx, 0xc0000080: EFER
    0x0f, 0x32,                                     // rdmsr
    0x66, 0x0d, 0x00, 0x01, 0x00, 0x00,             // or eax, 0x100: long mode enable
    0x0f, 0x30,                                     // wrmsr
    0x0f, 0x20, 0xc0,                               // mov eax, cr0
    0x66, 0x0d, 0x01, 0x00, 0x00, 0x80,             // or eax, 0x80000001: protection and paging
    0x0f, 0x22, 0xc0,                               // mov cr0, eax
    0x66, 0xea, 0x00, 0xe1, 0x0f, 0x00, 0x08, 0x00, // jmp 8:0xfe100, the 64-bit code
];

/// Counts a 64-bit register down from 100,000.
#[rustfmt::skip]
const COUNT_DOWN: [u8; 10] = [
    0xb9, 0xa0, 0x86, 0x01, 0x00,                   // mov ecx, 100000
    0x48, 0xff, 0xc9,                               // dec rcx
    0x75, 0xfb,                                     // jnz, back to dec
];

/// The whole image.
pub(super) fn image() -> Vec<u8> {
    const HALT: u8 = 0xf4;
    let mut image = vec![HALT; IMAGE_BYTES];
    let page = |offset: u16| u64::from(BASE) + u64::from(offset);
    put(
        &mut image,
        TOP_TABLE,
        &(page(MIDDLE_TABLE) | ENTRY).to_le_bytes(),
    );
    put(
        &mut image,
        MIDDLE_TABLE,
        &(page(LOW_TABLE) | ENTRY).to_le_bytes(),
    );
    // The first 2 MiB, where the lower copy is, at their own addresses.
    put(&mut image, LOW_TABLE, &(ENTRY | LARGE).to_le_bytes());

    // Segment 0 is never used; segment 8 is 64-bit code, present and accessed.
    put(&mut image, SEGMENTS, &[0; 8]);
    put(
        &mut image,
        SEGMENTS + 8,
        &0x00af_9b00_0000_ffff_u64.to_le_bytes(),
    );

    // The size of the segment table less one, and its address, as lgdt wants them.
    let table = BASE + u32::from(SEGMENTS);
    let behind_code = REAL_MODE + REAL_MODE_CODE.len() as u16;
    put(&mut image, REAL_MODE, &REAL_MODE_CODE);
    put(&mut image, behind_code, &15_u16.to_le_bytes());
    put(&mut image, behind_code + 2, &table.to_le_bytes());
    put(&mut image, LONG_MODE, &long_mode_code());
    // jmp f000:e000, which leaves the upper copy for the lower one.
    put(&mut image, RESET, &[0xea, 0x00, 0xe0, 0x00, 0xf0]);
    image
}

/// Computes, writes the word to port 0xe9 and the exit value to port 0xf4.
fn long_mode_code() -> Vec<u8> {
    const MOV_AL: u8 = 0xb0;
    const OUT_CONSOLE: [u8; 2] = [0xe6, 0xe9];
    const OUT_EXIT: [u8; 2] = [0xe6, 0xf4];
    let mut code = COUNT_DOWN.to_vec();
    for letter in WORD {
        code.extend([MOV_AL, *letter]);
        code.extend(OUT_CONSOLE);
    }
    code.extend([MOV_AL, EXIT_VALUE]);
    code.extend(OUT_EXIT);
    code
}

/// Overwrites a part of the image; every part lies inside it.
fn put(image: &mut [u8], offset: u16, bytes: &[u8]) {
    let places = image.iter_mut().skip(usize::from(offset));
    for (place, byte) in places.zip(bytes) {
        *place = *byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_where_the_code_looks_for_them() {
        let image = image();
        assert_eq!(image.len(), IMAGE_BYTES);
        let at = |offset: u16, length: usize| {
            let start = usize::from(offset);
            &image[start..start + length]
        };
        // The operand of lgdt, and what it points to.
        let operand = u16::from_le_bytes([REAL_MODE_CODE[6], REAL_MODE_CODE[7]]);
        assert_eq!(at(operand, 6), [15, 0, 0x00, 0x40, 0x0f, 0x00]);
        assert_eq!(at(TOP_TABLE, 8), 0xf_2063_u64.to_le_bytes());
        assert_eq!(at(MIDDLE_TABLE, 8), 0xf_3063_u64.to_le_bytes());
        assert_eq!(at(LONG_MODE, 10), COUNT_DOWN);
        assert_eq!(at(RESET, 5), [0xea, 0x00, 0xe0, 0x00, 0xf0]);
    }
}
