use clap::CommandFactory as _;
use clap::error::ErrorKind;

use super::*;

fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("atoll").chain(arguments.iter().copied()))
}

fn run(arguments: &[&str]) -> RunArgs {
    match parse(arguments).unwrap().command {
        Command::Run(args) => args,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_grammar_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn help_is_what_it_was() {
    let mut command = Cli::command().term_width(100);
    insta::assert_snapshot!("help", command.render_long_help().to_string());
    for name in [
        "run",
        "explain",
        "profile",
        "doctor",
        "history",
        "policy",
        "completion",
        "bench",
    ] {
        let mut command = Cli::command().term_width(100);
        command.build();
        let sub = command.find_subcommand_mut(name).unwrap();
        insta::assert_snapshot!(format!("help-{name}"), sub.render_long_help().to_string());
    }
}

#[test]
fn every_command_has_examples() {
    let command = Cli::command();
    for sub in command.get_subcommands() {
        let after = sub.get_after_help().map(ToString::to_string);
        assert!(
            after.is_some_and(|text| text.contains("Examples:")),
            "{}",
            sub.get_name()
        );
    }
}

#[test]
fn what_follows_the_program_belongs_to_it() {
    let command = [
        "run",
        "--json",
        "a.py",
        "--json",
        "--bogus",
        "--",
        "-x",
        "--timeout",
        "5s",
    ];
    let args = run(&command);
    assert!(args.json);
    assert_eq!(args.submission.timeout, None);
    let (program, arguments) = args.program.split();
    assert_eq!(program, PathBuf::from("a.py"));
    assert_eq!(
        arguments,
        ["--json", "--bogus", "--", "-x", "--timeout", "5s"]
    );
    let (program, arguments) = run(&["run", "--", "-a.py", "--help"]).program.split();
    assert_eq!(program, PathBuf::from("-a.py"));
    assert_eq!(arguments, ["--help"]);
}

#[test]
fn an_unknown_option_is_not_taken_for_the_program() {
    let error = parse(&["run", "--timout", "5s", "a.py"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownArgument);
    assert!(error.to_string().contains("'--timeout'"), "{error}");
    let error = parse(&["run"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingRequiredArgument);
}

#[test]
fn values_are_read_with_their_units() {
    let args = run(&["run", "--timeout", "1m 500ms", "--memory", "256MiB", "a.py"]);
    assert_eq!(args.submission.timeout, Some(60_500));
    assert_eq!(args.submission.memory, Some(256 << 20));
    for (option, value) in [
        ("--timeout", "5"),
        ("--timeout", "0s"),
        ("--timeout", "1us"),
        ("--timeout", "999999999999y"),
        ("--memory", "0"),
        ("--memory", "much"),
    ] {
        let error = parse(&["run", option, value, "a.py"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ValueValidation, "{option} {value}");
    }
}

#[test]
fn an_unknown_level_is_answered_with_the_nearest() {
    let error = parse(&["run", "--level", "proces", "a.py"]).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let text = error.to_string();
    assert!(text.contains("invalid value 'proces'"), "{text}");
    assert!(
        text.contains("[possible values: instance, process, gvisor, vm]"),
        "{text}"
    );
    assert!(text.contains("a similar value exists: 'process'"), "{text}");
}

#[test]
fn a_bad_tenant_is_answered_with_the_rule() {
    let error = parse(&["run", "--tenant", "../x", "a.py"])
        .unwrap_err()
        .to_string();
    assert!(error.contains("1 to 64 letters, digits"), "{error}");
}

#[test]
fn input_files_may_have_another_name() {
    let args = run(&["run", "--input", "a/b.csv", "--input", "x=y=z", "a.py"]);
    let [plain, named] = args.submission.input.as_slice() else {
        panic!("{:?}", args.submission.input);
    };
    assert_eq!(plain.path, PathBuf::from("a/b.csv"));
    assert_eq!(plain.name, None);
    assert_eq!(named.path, PathBuf::from("x=y"));
    assert_eq!(named.name.as_deref(), Some(b"z".as_slice()));
}

#[test]
fn variables_are_split_at_the_first_equals_sign() {
    let args = run(&["run", "--env", "A=b=c", "--env", "D", "a.py"]);
    let [value, none] = args.submission.env.as_slice() else {
        panic!("{:?}", args.submission.env);
    };
    assert_eq!(value.name, b"A");
    assert_eq!(value.value.as_deref(), Some(b"b=c".as_slice()));
    assert_eq!(none.value, None);
}
