use proptest::prelude::*;

use super::*;

fn submission() -> Submission {
    Submission {
        program: ProgramFile {
            name: "main.py".to_owned(),
            bytes: b"print('hello')\n".as_slice().into(),
        },
        parts: atoll_types::Parts::default(),
        arguments: Vec::new(),
        sample: None,
        stdin: Stdin::Empty,
        files: Vec::new(),
        environment: Vec::new(),
        tenant: TenantId::new("someone").unwrap(),
        origin: Origin::CommandLine,
    }
}

fn file(name: &[u8]) -> InputFile {
    InputFile {
        name: name.to_vec(),
        content: b"".as_slice().into(),
    }
}

fn error(submission: Submission) -> String {
    submission.into_message(0, [0; 10]).unwrap_err().to_string()
}

#[test]
fn a_good_submission_becomes_a_message() {
    let message = Submission {
        arguments: vec![b"\xff\xfe".to_vec()],
        files: vec![file(b"data.csv")],
        environment: vec![(b"KEY".to_vec(), b"a=b".to_vec())],
        ..submission()
    }
    .into_message(1_700_000_000_000, [7; 10])
    .unwrap();
    assert_eq!(message.program.hash, ProgramHash::of(b"print('hello')\n"));
    assert_eq!(message.arguments, [b"\xff\xfe"]);
    assert_eq!(message.received_unix_ms, 1_700_000_000_000);
}

#[test]
fn arguments_that_no_program_can_be_given_are_refused() {
    let nul = Submission {
        arguments: vec![b"good".to_vec(), b"a\0b".to_vec()],
        ..submission()
    };
    assert!(error(nul).starts_with("argument 2 contains a NUL byte"));
    let long = Submission {
        arguments: vec![vec![b'a'; STRING_BYTES_MAX + 1]],
        ..submission()
    };
    assert!(error(long).starts_with("argument 1 has 131072 bytes"));
    let longest = Submission {
        arguments: vec![vec![b'a'; STRING_BYTES_MAX]],
        ..submission()
    };
    assert!(longest.into_message(0, [0; 10]).is_ok());
    let many = Submission {
        arguments: vec![Vec::new(); STRINGS_BYTES_MAX],
        ..submission()
    };
    assert!(error(many).contains("put long input into a file"));
}

#[test]
fn variables_are_checked() {
    let with = |name: &[u8], value: &[u8]| Submission {
        environment: vec![(name.to_vec(), value.to_vec())],
        ..submission()
    };
    for name in [b"".as_slice(), b"A=B", b"A\0B"] {
        assert!(error(with(name, b"")).starts_with("invalid variable name"));
    }
    assert!(error(with(b"A", b"x\0y")).contains("contains a NUL byte"));
    assert!(error(with(b"A", &[b'x'; STRING_BYTES_MAX])).starts_with("the variable \"A\" has"));
    let twice = Submission {
        environment: vec![
            (b"A".to_vec(), b"1".to_vec()),
            (b"A".to_vec(), b"2".to_vec()),
        ],
        ..submission()
    };
    assert!(error(twice).contains("given twice"));
}

#[test]
fn input_file_names_are_plain_and_unique() {
    let with = |names: &[&[u8]]| Submission {
        files: names.iter().map(|name| file(name)).collect(),
        ..submission()
    };
    for name in [
        b"".as_slice(),
        b".",
        b"..",
        b"a/b",
        b"/a",
        b"a\0b",
        &[b'a'; 256],
    ] {
        assert!(
            error(with(&[name])).starts_with("invalid input file name"),
            "{name:?}"
        );
    }
    assert!(error(with(&[b"main.py"])).contains("taken by the program"));
    assert!(error(with(&[b"a", b"a"])).contains("taken by another input file"));
    assert!(error(with(&[b"a".as_slice(); FILES_MAX + 1])).contains("1025 input files"));
    assert!(
        with(&[b"a", b"b", b"...", b"\xff"])
            .into_message(0, [0; 10])
            .is_ok()
    );
}

#[test]
fn an_unrecognised_program_is_refused_with_its_name() {
    let empty = Submission {
        program: ProgramFile {
            name: "nothing".to_owned(),
            bytes: b"".as_slice().into(),
        },
        ..submission()
    };
    assert_eq!(error(empty), "failed to recognise the program nothing");
}

proptest! {
    #[test]
    fn what_passes_can_be_given_to_execve(
        arguments in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..8),
        environment in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 0..6), prop::collection::vec(any::<u8>(), 0..6)),
            0..4,
        ),
        names in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..6), 0..4),
    ) {
        let submission = Submission {
            arguments,
            environment,
            files: names.iter().map(|name| file(name)).collect(),
            ..submission()
        };
        if let Ok(message) = submission.into_message(0, [0; 10]) {
            prop_assert!(message.arguments.iter().all(|argument| !argument.contains(&0)));
            for (name, value) in &message.environment {
                prop_assert!(!name.contains(&b'=') && !name.is_empty());
                prop_assert!(!name.contains(&0) && !value.contains(&0));
            }
            for file in &message.files {
                prop_assert!(!file.name.contains(&b'/') && !file.name.contains(&0));
            }
        }
    }
}
