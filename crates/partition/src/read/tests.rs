use proptest::prelude::*;

use super::*;

fn shape(text: &str) -> Result<Shape, ReadError> {
    read(&wat::parse_str(text).unwrap())
}

fn import(functions: &str) -> Interface {
    let text = format!(r#"(component (import "a:b/c@1.0.0" (instance {functions})))"#);
    shape(&text).unwrap().imports.remove(0).interface
}

#[test]
fn functions_are_read_with_their_types() {
    let interface = import(
        r#"(type $r' (record (field "x" u32) (field "y" (list u8))))
           (export "point" (type $r (eq $r')))
           (export "g" (func (param "p" $r) (result (result string (error (tuple char f64))))))
           (export "f" (func))"#,
    );
    assert_eq!(interface.obstacle, None);
    let primitive = |name: &str| Type::Primitive(name.to_owned());
    let point = Type::Record(vec![
        ("x".to_owned(), primitive("u32")),
        ("y".to_owned(), Type::List(Box::new(primitive("u8")))),
    ]);
    let pair = Type::Tuple(vec![primitive("char"), primitive("f64")]);
    let expected = [
        Function {
            name: "f".to_owned(),
            parameters: Vec::new(),
            result: None,
        },
        Function {
            name: "g".to_owned(),
            parameters: vec![("p".to_owned(), point)],
            result: Some(Type::Result(
                Some(Box::new(primitive("string"))),
                Some(Box::new(pair)),
            )),
        },
    ];
    assert_eq!(interface.functions, expected);
}

#[test]
fn what_cannot_cross_is_seen() {
    let resource = import(r#"(export "file" (type (sub resource)))"#);
    let text = resource.obstacle.unwrap().to_string();
    assert_eq!(text, "it defines the resource `file`");

    let stream = import(r#"(export "f" (func (result (stream u8))))"#);
    let text = stream.obstacle.unwrap().to_string();
    assert_eq!(text, "`f` takes or gives a stream");

    let later = import(r#"(export "f" (func async))"#);
    let text = later.obstacle.unwrap().to_string();
    assert_eq!(text, "`f` is asynchronous");

    let module = import(r#"(export "m" (core module))"#);
    let text = module.obstacle.unwrap().to_string();
    assert_eq!(text, "`m` is neither a function nor a type");
}

#[test]
fn a_handle_of_another_interface_cannot_cross_either() {
    let shape = shape(
        r#"(component
            (import "wasi:io/streams" (instance $s (export "s" (type (sub resource)))))
            (alias export $s "s" (type $t))
            (import "a:b/c" (instance
                (alias outer 1 $t (type $u))
                (export "t" (type $v (eq $u)))
                (export "f" (func (param "s" (borrow $v)))))))"#,
    )
    .unwrap();
    assert!(shape.imports[1].interface.obstacle.is_some());
}

#[test]
fn a_function_outside_of_interfaces_is_kept() {
    let shape = shape(r#"(component (import "f" (func)))"#).unwrap();
    let text = shape.imports[0].interface.obstacle.as_ref().unwrap();
    assert_eq!(text.to_string(), "it is not an interface");
}

#[test]
fn exports_are_read() {
    let shape = shape(
        r#"(component
            (core module $m (func (export "f") (result i32) i32.const 7))
            (core instance $i (instantiate $m))
            (func $f (result u32) (canon lift (core func $i "f")))
            (instance $e (export "f" (func $f)))
            (export "a:b/c" (instance $e)))"#,
    )
    .unwrap();
    assert_eq!(shape.exports.len(), 1);
    assert_eq!(shape.exports[0].name, "a:b/c");
    assert_eq!(shape.exports[0].functions[0].name, "f");
}

#[test]
fn a_module_is_refused_with_what_to_do() {
    let error = shape("(module)").unwrap_err();
    assert_eq!(error, ReadError::CoreModule);
    assert!(error.to_string().contains("make a component of it"));
}

#[test]
fn types_that_grow_when_written_out_are_bounded() {
    // Each type holds the one before twice: 2^40 when written out.
    let mut types = String::from("(type $t0 (tuple u8 u8))");
    for index in 1..40 {
        let before = index - 1;
        types.push_str(&format!("(type $t{index} (tuple $t{before} $t{before}))"));
    }
    let text = format!(
        r#"(component (import "a:b/c" (instance {types}
            (export "t" (type $t (eq $t39))) (export "f" (func (param "x" $t))))))"#
    );
    let bytes = wat::parse_str(text).unwrap();
    assert!(read(&bytes).is_err());
}

#[test]
fn names_that_are_too_long_are_refused() {
    let import = |bytes: usize| {
        let name = "x".repeat(bytes);
        shape(&format!(r#"(component (import "{name}" (func)))"#))
    };
    assert!(import(NAME_BYTES_MAX).is_ok());
    let error = import(NAME_BYTES_MAX + 1).unwrap_err().to_string();
    assert!(error.contains("1024 bytes in the name"), "{error}");
}

proptest! {
    /// Whatever is flipped or cut off, reading ends with an answer.
    #[test]
    fn hostile_bytes_are_read_or_refused(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = wat::parse_str(
            r#"(component
                (import "a:b/c" (instance $c (export "f" (func (param "x" (list string))))))
                (core module $m (func (export "f") (result i32) i32.const 7))
                (core instance $i (instantiate $m))
                (func $f (result u32) (canon lift (core func $i "f")))
                (export "g" (func $f)))"#,
        )
        .unwrap();
        for (place, value) in flips {
            let place = place.index(bytes.len());
            bytes[place] ^= value;
        }
        let _ = read(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        let _ = read(&bytes);
    }
}
