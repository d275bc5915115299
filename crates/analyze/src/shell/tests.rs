mod guessing;

use std::collections::BTreeSet;

use atoll_types::Capability::{
    self, DynamicCode, Environment, FilesRead, FilesWrite, NativeCode, Network, Processes,
    Randomness, SystemChange, SystemInformation, Time, Unanalyzed,
};
use atoll_types::{Analysis, DependencySource, ExecutionClass, ProgramKind};
use proptest::prelude::*;

fn read(text: &str) -> Analysis {
    crate::analyze(ProgramKind::Shell, text.as_bytes())
}

fn capabilities(text: &str) -> Vec<Capability> {
    read(text).capabilities.into_iter().collect()
}

fn problems(text: &str) -> Vec<String> {
    let problems = read(text).problems.into_iter();
    problems.map(|problem| problem.message).collect()
}

#[test]
fn an_ordinary_pipeline_is_understood_in_full() {
    let analysis = read(include_str!(
        "../../../../examples/log-pipeline/top-paths.sh"
    ));
    assert_eq!(analysis.problems, []);
    let expected = BTreeSet::from([FilesRead, FilesWrite, Processes]);
    assert_eq!(analysis.capabilities, expected);
    let names: Vec<_> = analysis
        .dependencies
        .iter()
        .map(|found| found.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "awk", "echo", "head", "sed", "set", "sort", "tr", "uniq", "wc"
        ]
    );
    let is_standard =
        |found: &atoll_types::Dependency| found.source == DependencySource::StandardLibrary;
    assert!(analysis.dependencies.iter().all(is_standard));
    assert_eq!((analysis.functions, analysis.loops), (0, 0));
    assert!(!analysis.recursion);
}

#[test]
fn fork_bombs_are_recursive_and_unbounded() {
    for text in [
        include_str!("../../../../examples/fork-bomb-shell/bomb.sh"),
        ":(){ :|:& };:",
        "f() { f | f & }; f",
        "f() {\n f &\n f\n}\nf",
        "function b { b | cat; }; b",
    ] {
        let analysis = read(text);
        assert_eq!(analysis.problems, [], "{text}");
        assert!(analysis.recursion, "{text}");
        assert!(analysis.capabilities.contains(&Processes), "{text}");
        assert_eq!(
            analysis.execution_class,
            ExecutionClass::Unbounded,
            "{text}"
        );
    }
}

#[test]
fn recursion_is_found_by_name() {
    for text in [
        "walk() { for f in *; do walk \"$f\"; done; }",
        "a() { b; }\nb() { c; }\nc() { a; }",
        "$0 again",
    ] {
        assert!(read(text).recursion, "{text}");
    }
    for text in [
        "a() { b; }\nb() { :; }\na",
        "ls() { command ls; }\nls",
        "f() { echo f; }",
    ] {
        assert!(!read(text).recursion, "{text}");
    }
}

#[test]
fn endless_scripts_are_unbounded_and_others_are_not() {
    for text in [
        "while true; do :; done",
        "while :; do echo x; done",
        "until false; do echo x; done",
        "for ((;;)); do echo x; done",
        "while true; do while true; do break; done; done",
        "while ((1)); do x; done",
        "yes",
        "exec yes 'x'",
        "yes | tr y n",
        "cat /dev/zero > out",
        "dd if=/dev/urandom of=out",
        "tail -f log",
    ] {
        assert_eq!(
            read(text).execution_class,
            ExecutionClass::Unbounded,
            "{text}"
        );
    }
    for text in [
        "while read -r line; do echo \"$line\"; done",
        "while true; do if a; then break; fi; done",
        "while true; do while true; do break 2; done; done",
        "while true; do a || exit 1; done",
        "f() { while true; do return; done; }; f",
        "yes | head -n 5",
        "head -c 5 /dev/zero",
        "timeout 5 yes",
        "dd if=/dev/zero of=x bs=1 count=5",
        "for i in 1 2 3; do a; done",
    ] {
        assert_ne!(
            read(text).execution_class,
            ExecutionClass::Unbounded,
            "{text}"
        );
    }
}

#[test]
fn loops_and_functions_are_counted() {
    let shape = |text: &str| {
        let analysis = read(text);
        (
            analysis.functions,
            analysis.loops,
            analysis.loop_nesting_max,
        )
    };
    let nested = "for a in b; do while c; do for ((i=0;i<3;i++)); do d; done; done; done";
    assert_eq!(shape(nested), (0, 3, 3));
    assert_eq!(
        shape("f() { until a; do b; done; }\nwhile c; do f; done"),
        (1, 2, 1)
    );
    assert_eq!(shape("a | while read x; do b; done"), (0, 1, 1));
}

#[test]
fn capabilities_are_found() {
    let cases: &[(&str, &[Capability])] = &[
        ("echo hello; cd /tmp; [ -n x ] && printf '%s' y", &[]),
        ("x=1; y=$((x + 1)); echo \"$x $y\"", &[]),
        ("f() { local a=$1; echo \"$a $# $?\"; }; f b", &[]),
        ("grep x", &[Processes]),
        ("grep x file", &[FilesRead, Processes]),
        ("grep -e x file", &[FilesRead, Processes]),
        ("head -n 5 | cut -d , -f 2 | sort -k 2", &[Processes]),
        ("cat", &[Processes]),
        ("cat < in", &[FilesRead, Processes]),
        ("cat /dev/stdin", &[Processes]),
        ("echo x > out", &[FilesWrite]),
        ("echo x >> out 2>&1", &[FilesWrite]),
        ("echo x > /dev/null 2>&1; echo y >&2", &[]),
        ("echo x &> \"$out\"; out=1", &[FilesWrite]),
        ("x=$(<file)", &[FilesRead, Processes]),
        ("rm -rf x", &[FilesWrite, Processes]),
        ("sed -i s/a/b/ x", &[FilesRead, FilesWrite, Processes]),
        ("curl -s http://x | cat", &[FilesWrite, Network, Processes]),
        ("ssh host ls", &[Network, Processes]),
        ("exec 3<>/dev/tcp/10.0.0.1/80", &[Network]),
        ("cat < /dev/tcp/h/1", &[Network, Processes]),
        ("exec 3<> file", &[FilesRead, FilesWrite]),
        ("a() { :; }; a & wait", &[Processes]),
        ("(cd x)", &[Processes]),
        ("sudo true", &[Processes, SystemChange]),
        ("mount /dev/sda1 /mnt", &[Processes, SystemChange]),
        ("chmod u+s x", &[FilesWrite, Processes, SystemChange]),
        ("chmod 4755 x", &[FilesWrite, Processes, SystemChange]),
        ("chmod 0755 x", &[FilesWrite, Processes]),
        ("sleep 1", &[Processes, Time]),
        ("date", &[Processes, Time]),
        ("env", &[Processes, Environment]),
        ("echo $HOME", &[Environment]),
        ("export A=1", &[Environment]),
        ("echo ${!name}; name=x", &[Environment]),
        ("echo $RANDOM", &[Randomness]),
        (
            "head -c 5 /dev/urandom",
            &[FilesRead, Processes, Randomness],
        ),
        ("uname -a", &[Processes, SystemInformation]),
        (
            "cat /proc/cpuinfo",
            &[FilesRead, Processes, SystemInformation],
        ),
        ("LD_PRELOAD=./x.so true", &[NativeCode]),
        ("kill -9 1", &[Processes]),
        (
            "nohup timeout 5 nice -n 3 curl x",
            &[FilesWrite, Network, Processes, Time],
        ),
        ("find . -exec rm {} +", &[FilesRead, FilesWrite, Processes]),
        ("xargs -n 1 wget", &[FilesWrite, Network, Processes]),
        ("/usr/bin/curl x", &[FilesWrite, Network, Processes]),
        ("c\\url x; 'cu'rl y", &[FilesWrite, Network, Processes]),
        ("curl() { :; }; curl x", &[]),
        ("command -v curl", &[]),
        ("trap 'rm -f x' EXIT", &[FilesWrite, Processes]),
        ("awk '{ print $1 > \"out\" }'", &[FilesWrite, Processes]),
    ];
    for (text, expected) in cases {
        let expected: BTreeSet<_> = expected.iter().copied().collect();
        let analysis = read(text);
        assert_eq!(analysis.capabilities, expected, "{text}");
        assert_eq!(analysis.problems, [], "{text}");
    }
}

#[test]
fn what_runs_code_that_is_not_there_is_not_understood() {
    for text in [
        "eval \"$x\"",
        "eval $(make_code)",
        "bash -c \"$x\"",
        "sh -c \"echo $x\"",
        "$cmd arg",
        "\"$@\"",
        "${CC:-gcc} x.c",
        "$(which ls) x",
        "~/$tool/run",
        "source \"$file\"",
        ". <(curl x)",
        "curl x | sh",
        "bash <<E\nls\nE",
        "python3 -c 'print(1)'",
        "perl -e 'unlink 1'",
        "node -e 1",
        "echo x | python3",
        "alias ls=rm",
        "awk 'BEGIN { system(\"id\") }'",
        "awk \"{ print $x }\"",
        "awk -f prog.awk x",
        "xargs sh -c \"$1\"",
        "sudo $cmd",
        "trap \"$x\" EXIT",
    ] {
        let found = capabilities(text);
        assert!(found.contains(&DynamicCode), "{text}: {found:?}");
        assert!(found.contains(&Unanalyzed), "{text}: {found:?}");
    }
    for text in [
        "./tool x",
        "python3 script.py",
        "sh other.sh",
        "/opt/x/run",
        "bash -x ./y",
    ] {
        assert!(
            problems(text)[0].ends_with("which is not looked at"),
            "{text}"
        );
    }
}

#[test]
fn constant_code_is_read_like_the_rest() {
    assert_eq!(
        capabilities("eval 'sleep 5'"),
        [Processes, DynamicCode, Time]
    );
    assert_eq!(
        capabilities("sh -c 'echo x > y'"),
        [FilesWrite, Processes, DynamicCode]
    );
    assert_eq!(
        capabilities("sudo bash -ec 'wget x'"),
        [FilesWrite, Network, Processes, DynamicCode, SystemChange]
    );
    // Functions of the script can be called from there.
    assert_eq!(capabilities("curl() { :; }; eval 'curl x'"), [DynamicCode]);
    let deep = r#"eval "eval \"eval 'eval \\\"eval ls\\\"'\"""#;
    assert!(capabilities(deep).contains(&DynamicCode));
    let many = "eval 'ls'\n".repeat(100);
    assert!(capabilities(&many).contains(&Unanalyzed));
}

#[test]
fn commands_are_dependencies_and_host_calls() {
    let analysis = read("cd x; jq . y; grep a b; ./own; . ./lib.sh; f() { :; }; f; /bin/ls");
    let found: Vec<_> = analysis
        .dependencies
        .iter()
        .map(|found| (found.name.as_str(), found.source))
        .collect();
    assert_eq!(
        found,
        [
            (".", DependencySource::StandardLibrary),
            ("./lib.sh", DependencySource::Local),
            ("./own", DependencySource::Local),
            (":", DependencySource::StandardLibrary),
            ("cd", DependencySource::StandardLibrary),
            ("grep", DependencySource::StandardLibrary),
            ("jq", DependencySource::ThirdParty),
            ("ls", DependencySource::StandardLibrary),
        ]
    );
    let calls: Vec<_> = analysis.host_calls.iter().map(String::as_str).collect();
    assert_eq!(calls, ["./own", "grep", "jq", "ls"]);
}

#[test]
fn numbers_that_size_work_are_found() {
    let cases: &[(&str, &str, u64)] = &[
        ("for i in $(seq 1 5000); do a; done", "range", 5000),
        ("for i in {1..700}; do a; done", "range", 700),
        ("for ((i = 0; i < 80; i++)); do a; done", "range", 80),
        ("while [ $i -lt 90 ]; do a; done", "range", 90),
        ("while (( i <= 60 )); do a; done", "range", 60),
        ("head -c 10M x", "count", 10 << 20),
        ("dd if=x of=y bs=1k count=3", "bytes", 3072),
        ("sleep 0.25", "sleep.milliseconds", 250),
        ("truncate -s 1G x", "bytes", 1 << 30),
    ];
    for (text, role, value) in cases {
        let literals: Vec<_> = read(text)
            .literals
            .into_iter()
            .map(|literal| (literal.role, literal.value))
            .collect();
        assert_eq!(literals, [((*role).to_owned(), *value)], "{text}");
    }
    assert_eq!(read("if [ $a -lt 5 ]; then b; fi; echo 77").literals, []);
}

#[test]
fn syntax_errors_have_their_line_and_spare_the_rest() {
    let analysis = read("echo a > out\n)\ncurl x\n");
    assert_eq!(analysis.problems[0].line, Some(2));
    assert!(analysis.capabilities.contains(&Network));
    assert!(analysis.capabilities.contains(&FilesWrite));
    let analysis = read("curl x\nif true; then\n  b\n");
    assert_eq!(analysis.problems[0].line, Some(2));
    assert!(analysis.capabilities.contains(&Network));
}

#[test]
fn hostile_nesting_is_survived() {
    for (open, close) in [
        ("(", ")"),
        ("{ ", "; }"),
        ("$(", ")"),
        ("`", "`"),
        ("\"$(", ")\""),
        ("if a; then ", "; fi"),
        ("while :; do ", "; done"),
        ("f() { ", "; }"),
        ("! ", ""),
        ("a | ", ""),
        ("a && ", ""),
        ("sudo ", ""),
        ("${a:-", "}"),
        ("$((", "))"),
    ] {
        let text = format!("x=1\n{}a{}\n", open.repeat(10_000), close.repeat(10_000));
        read(&text);
        read(&open.repeat(10_000));
    }
    let text = format!("{}a{}\n", "( ".repeat(100_000), ")".repeat(100_000));
    assert!(!read(&text).is_complete());
    assert!(!read(&format!("{}ls", "sudo ".repeat(100))).is_complete());
}

#[test]
fn lists_stay_short() {
    let many: String = (0..5000)
        .map(|number| format!("tool{number} > x{number}\n"))
        .collect();
    let analysis = read(&many);
    assert!(analysis.dependencies.len() <= 256 && analysis.host_calls.len() <= 256);
    assert!(!analysis.is_complete());
}

fn scripts() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "ls",
        " ",
        "\n",
        ";",
        "|",
        "&",
        "(",
        ")",
        "{ ",
        "}",
        "$(",
        "`",
        "\"",
        "'",
        "$x",
        "${y}",
        "eval ",
        "sh -c ",
        "'a b'",
        "while true; do ",
        "done",
        "for i in {1..9}; do ",
        "if a; then ",
        "fi",
        "f() ",
        "f",
        "<<E\n",
        "E\n",
        "> out",
        "< in",
        "<>",
        "2>&1",
        "sudo ",
        "xargs ",
        "break 2",
        "exit",
        "case x in ",
        "a) ",
        ";;",
        "esac",
        "[[ a ]]",
        "((1))",
        "é",
        "\\",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_script_is_read(text in scripts()) {
        let analysis = read(&text);
        prop_assert_eq!(analysis.is_complete(), analysis.problems.is_empty());
    }

    #[test]
    fn any_bytes_are_read(bytes: Vec<u8>) {
        let analysis = crate::analyze(ProgramKind::Shell, &bytes);
        prop_assert_eq!(analysis.is_complete(), analysis.problems.is_empty());
    }
}
