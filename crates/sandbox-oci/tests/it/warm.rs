//! A program finds the same in a container that waited for it and in one that starts with it.

use std::fs;

use atoll_sandbox::{Backend as _, Job, SandboxSpec};
use atoll_types::{InputFile, ProgramKind};

use crate::support::{finish, finish_in, gvisor, job, run, spec};

const PROGRAM: &str = "\
import os, sys, third_party
print(sys.argv, sys.orig_argv, sys.path, sys.flags, __file__, __name__)
print(sorted(os.environ.items()), os.getcwd(), os.getuid(), os.getgid(), os.getgroups())
print(sorted(os.listdir('.')), sorted(os.listdir('/')), open('input.txt').read())
print(third_party.NAME, sorted(os.listdir('/proc/self/fd')), sys.stdin.read())
print(__builtins__.__name__, sorted(globals()), os.getppid())
import resource
for name in ('CORE', 'CPU', 'FSIZE', 'NOFILE', 'NPROC', 'STACK'):
    print(name, resource.getrlimit(getattr(resource, 'RLIMIT_' + name)))
raise SystemExit(3)
";

fn special_job() -> Job {
    Job {
        arguments: vec![b"one".to_vec(), b"two words".to_vec()],
        files: vec![InputFile {
            name: b"input.txt".to_vec(),
            content: b"of a file"[..].into(),
        }],
        environment: vec![(b"COLOUR".to_vec(), b"blue".to_vec())],
        ..job(ProgramKind::Python, "program.py", PROGRAM)
    }
}

#[test]
fn a_container_that_waited_looks_like_a_new_one() {
    let dependencies = tempfile::tempdir().unwrap();
    fs::write(
        dependencies.path().join("third_party.py"),
        "NAME = 'imported'",
    )
    .unwrap();
    let spec = || {
        let mut spec = spec(ProgramKind::Python);
        spec.environment.dependencies = Some(dependencies.path().to_owned());
        spec
    };
    let backend = gvisor();
    assert!(backend.suits_warm(&special_job()));
    let (new, warm) = run(async {
        let new = finish(&backend, spec(), special_job()).await;
        let mut waiting = backend.create_warm(spec()).await.unwrap();
        waiting.rehearse().await.unwrap();
        (new, finish_in(waiting, special_job()).await)
    });
    assert_eq!((&new.ending, &new.stderr), (&warm.ending, &warm.stderr));
    assert_eq!(new.stdout, warm.stdout);
    assert!(new.stdout.contains("imported"), "{new:#?}");
}

/// Nobody's randomness comes from a common past.
#[test]
fn containers_differ_where_chance_decides() {
    let text = "import os, random, uuid\n\
                print(os.urandom(8).hex(), random.random(), uuid.uuid4(), hash('x'))";
    let backend = gvisor();
    let drawn = || {
        run(async {
            let spec: SandboxSpec = spec(ProgramKind::Python);
            let mut waiting = backend.create_warm(spec).await.unwrap();
            waiting.rehearse().await.unwrap();
            let ran = finish_in(waiting, job(ProgramKind::Python, "program.py", text)).await;
            ran.stdout.split_whitespace().map(str::to_owned).collect()
        })
    };
    let (first, second): (Vec<String>, Vec<String>) = (drawn(), drawn());
    assert_eq!((first.len(), second.len()), (4, 4));
    for (one, other) in first.iter().zip(&second) {
        assert_ne!(one, other);
    }
}
