//! Values arrive as they were sent.

use std::cell::RefCell;
use std::sync::Arc;

use atoll_wasm_worker::parts::{
    CallFailed, DEPTH_MAX, NotValues, Remote, Reply, Request, VALUES_MAX, Value, decode, encode,
    link_remote,
};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use wasmtime::component::{Linker, Val};

use crate::harness::{CALC, Runtime, TERMS, executor};

/// Sends records of every kind of value through two stores and back.
const CALLER: &str = r#"(component
    (import "acme:tools/kinds" (instance $kinds
        (type $flags' (flags "one" "two" "three"))
        (export "flags" (type $flags (eq $flags')))
        (type $mood' (enum "good" "bad"))
        (export "mood" (type $mood (eq $mood')))
        (type $point' (record (field "x" s32) (field "y" s64)))
        (export "point" (type $point (eq $point')))
        (type $shape' (variant (case "none") (case "circle" f64) (case "named" string)))
        (export "shape" (type $shape (eq $shape')))
        (type $all' (record
            (field "bool" bool) (field "u8" u8) (field "s8" s8) (field "u16" u16)
            (field "s16" s16) (field "u32" u32) (field "u64" u64) (field "f32" f32)
            (field "f64" f64) (field "char" char) (field "string" string)
            (field "bytes" (list u8)) (field "flags" $flags) (field "mood" $mood)
            (field "point" $point) (field "shape" $shape) (field "tuple" (tuple u8 string))
            (field "option" (option u32)) (field "result" (result u32 (error string)))))
        (export "all-kind" (type $all (eq $all')))
        (export "all" (func (param "all" (list $all)) (result (list $all))))))
    (core module $memory
        (memory (export "memory") 4)
        (global $next (mut i32) (i32.const 64))
        (func (export "realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32)
            (global.set $next (i32.and
                (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get $align))))
            (global.get $next)
            (global.set $next (i32.add (global.get $next) (local.get $size))))
        (func (export "reset") (param i32) (global.set $next (i32.const 64))))
    (core instance $memory (instantiate $memory))
    (alias core export $memory "memory" (core memory $mem))
    (alias core export $memory "realloc" (core func $realloc))
    (core func $all (canon lower (func $kinds "all") (memory $mem) (realloc $realloc)))
    (core module $code
        (import "" "all" (func $all (param i32 i32 i32)))
        (func (export "all") (param i32 i32) (result i32)
            (call $all (local.get 0) (local.get 1) (i32.const 32)) (i32.const 32)))
    (core instance $code (instantiate $code (with "" (instance (export "all" (func $all))))))
    (alias export $kinds "all-kind" (type $all-kind))
    (export $named "all-kind" (type $all-kind))
    (func $all-again (param "all" (list $named)) (result (list $named))
        (canon lift (core func $code "all") (memory $mem) (realloc $realloc)
            (post-return (core func $memory "reset"))))
    (instance $again (export "all" (func $all-again)))
    (export "acme:app/kinds" (instance $again)))"#;

fn boxed(val: Val) -> Option<Box<Val>> {
    Some(Box::new(val))
}

fn record() -> impl Strategy<Value = Val> {
    let shape = prop_oneof![
        Just(Val::Variant("none".to_owned(), None)),
        any::<f64>().prop_map(|x| Val::Variant("circle".to_owned(), boxed(Val::Float64(x)))),
        any::<String>().prop_map(|x| Val::Variant("named".to_owned(), boxed(Val::String(x)))),
    ];
    let numbers = (
        any::<[u64; 4]>(),
        any::<f32>(),
        any::<f64>(),
        any::<[bool; 5]>(),
    );
    let texts = (any::<char>(), any::<String>(), any::<Vec<u8>>());
    (numbers, texts, shape).prop_map(|((n, f32, f64, b), (char, string, bytes), shape)| {
        let flags = ["one", "two", "three"].into_iter().zip(b);
        let flags = flags
            .filter(|(_, set)| *set)
            .map(|(name, _)| name.to_owned());
        let result = if b[3] {
            Ok(boxed(Val::U32(n[0] as u32)))
        } else {
            Err(boxed(Val::String(string.clone())))
        };
        let fields = [
            ("bool", Val::Bool(b[0])),
            ("u8", Val::U8(n[0] as u8)),
            ("s8", Val::S8(n[1] as i8)),
            ("u16", Val::U16(n[2] as u16)),
            ("s16", Val::S16(n[3] as i16)),
            ("u32", Val::U32(n[0] as u32)),
            ("u64", Val::U64(n[1])),
            ("f32", Val::Float32(f32)),
            ("f64", Val::Float64(f64)),
            ("char", Val::Char(char)),
            ("string", Val::String(string.clone())),
            ("bytes", Val::List(bytes.into_iter().map(Val::U8).collect())),
            ("flags", Val::Flags(flags.collect())),
            (
                "mood",
                Val::Enum(["good", "bad"][usize::from(b[4])].to_owned()),
            ),
            (
                "point",
                Val::Record(vec![
                    ("x".to_owned(), Val::S32(n[2] as i32)),
                    ("y".to_owned(), Val::S64(n[3] as i64)),
                ]),
            ),
            ("shape", shape),
            ("tuple", Val::Tuple(vec![Val::U8(7), Val::String(string)])),
            (
                "option",
                Val::Option(b[1].then(|| Box::new(Val::U32(n[0] as u32)))),
            ),
            ("result", Val::Result(result)),
        ];
        Val::Record(fields.map(|(name, val)| (name.to_owned(), val)).to_vec())
    })
}

#[test]
fn every_kind_of_value_comes_back_as_it_went() {
    let executor = executor();
    let runtime = Runtime::new();
    let app = executor.block_on(async {
        let served = runtime.served(CALC, TERMS);
        let remote: Arc<dyn Remote> = Arc::new(atoll_wasm_worker::parts::Local::new(served));
        let component = runtime.component(CALLER);
        let mut linker = Linker::new(&runtime.engine);
        let name = "acme:tools/kinds";
        link_remote(
            &mut linker,
            &runtime.engine,
            &component,
            name,
            name,
            &remote,
        )
        .unwrap();
        runtime.start(&component, &linker).await
    });
    let app = RefCell::new(app);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(200));
    let lists = prop::collection::vec(record(), 0..4).prop_map(Val::List);
    let result = runner.run(&lists, |list| {
        let mut app = app.borrow_mut();
        let call = app.call_of("acme:app/kinds", "all", std::slice::from_ref(&list));
        prop_assert_eq!(executor.block_on(call).unwrap(), list);
        Ok(())
    });
    result.unwrap();
}

/// Any value, as deep as allowed or not much less.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<u64>().prop_map(Value::Unsigned),
        any::<i64>().prop_map(Value::Signed),
        (-1e30..1e30_f32).prop_map(Value::Float32),
        (-1e300..1e300_f64).prop_map(Value::Float64),
        any::<char>().prop_map(Value::Char),
        any::<String>().prop_map(Value::Text),
        any::<Vec<u8>>().prop_map(Value::Bytes),
        any::<u32>().prop_map(|number| Value::Case(number, None)),
        prop::collection::vec(any::<u32>(), 0..5).prop_map(Value::Flags),
    ];
    leaf.prop_recursive(8, 64, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
            (any::<u32>(), inner)
                .prop_map(|(number, value)| { Value::Case(number, Some(Box::new(value))) }),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(values in prop::collection::vec(values(), 0..6)) {
        let mut bytes = Vec::new();
        encode(&values, &mut bytes).unwrap();
        prop_assert_eq!(decode(&bytes).unwrap(), values.clone());
        for length in 0..bytes.len().min(200) {
            prop_assert!(decode(&bytes[..length]).is_err());
        }
        bytes.push(0);
        prop_assert!(decode(&bytes).is_err());
    }

    #[test]
    fn hostile_bytes_are_values_or_an_error(bytes in any::<Vec<u8>>()) {
        if let Ok(values) = decode(&bytes) {
            let mut again = Vec::new();
            encode(&values, &mut again).unwrap();
            prop_assert_eq!(decode(&again).unwrap().len(), values.len());
        }
        let _ = Request::decode(&bytes);
        let _ = Reply::decode(&bytes);
    }

    #[test]
    fn frames_that_were_damaged_are_frames_or_an_error(
        values in prop::collection::vec(values(), 0..4),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let request = Request {
            number: 7,
            interface: "a:b/c".to_owned(),
            function: "f".to_owned(),
            arguments: values.clone(),
        };
        let reply = Reply { number: 7, answer: Ok(values) };
        let (request_bytes, reply_bytes) = (request.encode().unwrap(), reply.encode().unwrap());
        prop_assert_eq!(Request::decode(&request_bytes[4..]).unwrap(), request);
        prop_assert_eq!(Reply::decode(&reply_bytes[4..]).unwrap(), reply);
        for mut bytes in [request_bytes, reply_bytes] {
            for (place, value) in &flips {
                let place = place.index(bytes.len());
                bytes[place] ^= value;
            }
            let _ = Request::decode(&bytes[4..]);
            let _ = Reply::decode(&bytes[4..]);
        }
    }
}

fn nested(depth: usize) -> Value {
    (1..depth).fold(Value::Bool(true), |inner, _| Value::List(vec![inner]))
}

#[test]
fn nesting_and_numbers_are_bounded_both_ways() {
    let mut bytes = Vec::new();
    encode(&[nested(DEPTH_MAX)], &mut bytes).unwrap();
    assert_eq!(decode(&bytes).unwrap(), [nested(DEPTH_MAX)]);
    let failed = encode(&[nested(DEPTH_MAX + 1)], &mut Vec::new());
    assert_eq!(failed, Err(NotValues::TooDeep));
    // The same, written by somebody who does not keep to it: a list of one, very often.
    let bomb: Vec<u8> = [1].into_iter().chain([9, 1].repeat(1_000_000)).collect();
    assert_eq!(decode(&bomb), Err(NotValues::TooDeep));

    let many = vec![Value::Bool(true); VALUES_MAX + 1];
    assert_eq!(encode(&many, &mut Vec::new()), Err(NotValues::TooMany));
    let mut bytes = vec![0x81, 0x80, 0x10];
    bytes.resize(3 + VALUES_MAX + 1, 1);
    assert_eq!(decode(&bytes), Err(NotValues::TooMany));
    // A length of which nothing is there.
    let claim = [1, 8, 0xff, 0xff, 0xff, 0xff, 0x0f];
    assert_eq!(decode(&claim), Err(NotValues::Malformed));
    let claim = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert_eq!(decode(&claim), Err(NotValues::Malformed));
}

#[test]
fn failures_cross_with_short_texts() {
    let failures = [
        CallFailed::Trapped("why".to_owned()),
        CallFailed::TooLate { after_ms: 7 },
        CallFailed::Stopped("why".to_owned()),
        CallFailed::Gone("why".to_owned()),
        CallFailed::NotOffered("what".to_owned()),
        CallFailed::Unfit("why".to_owned()),
    ];
    for failure in failures {
        let reply = Reply {
            number: 1,
            answer: Err(failure),
        };
        let bytes = reply.encode().unwrap();
        assert_eq!(Reply::decode(&bytes[4..]).unwrap(), reply);
    }
    let long = Reply {
        number: 1,
        answer: Err(CallFailed::Trapped("é".repeat(100_000))),
    };
    let bytes = long.encode().unwrap();
    let Err(CallFailed::Trapped(text)) = Reply::decode(&bytes[4..]).unwrap().answer else {
        panic!("it is another failure");
    };
    assert_eq!(text.len(), 4_096);
}
