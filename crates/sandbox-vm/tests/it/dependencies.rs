//! Installed modules in machines: what programs find of them, and who else does.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use atoll_sandbox::conformance::limits;
use atoll_sandbox::{Backend, Domain, Ending, SandboxSpec};
use atoll_sandbox_vm::VmBackend;
use atoll_types::ProgramKind;

use crate::support::{Ran, backend, job, run, run_in, runtime, spec};

/// What is in the directory that programs are shown, one file a line.
const LIST: &str = r#"
import hashlib, os
for top, directories, files in os.walk("/dependencies"):
    for name in directories + files:
        path = os.path.join(top, name)
        found = os.lstat(path)
        content = os.readlink(path) if os.path.islink(path) else ""
        if os.path.isfile(path) and not os.path.islink(path):
            content = hashlib.sha256(open(path, "rb").read()).hexdigest()
        size = 0 if os.path.isdir(path) else found.st_size
        print(path, oct(found.st_mode), size, found.st_mtime_ns, content)
"#;

fn shown(directory: &Path) -> SandboxSpec {
    let mut spec = spec("vm-modules", ProgramKind::Python, limits());
    spec.environment.dependencies = Some(directory.to_owned());
    spec
}

async fn runs(backend: &VmBackend, directory: &Path, text: &str) -> Ran {
    let sandbox = backend.create(shown(directory)).await.unwrap();
    run_in(sandbox, job(ProgramKind::Python, text)).await
}

fn digest(content: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What [`LIST`] prints of a directory of the host's, in the order of its lines.
fn listed(top: &Path, below: &Path, lines: &mut Vec<String>) {
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        let found = fs::symlink_metadata(&path).unwrap();
        let (mut bytes, mut content) = (found.len(), String::new());
        if found.is_symlink() {
            content = fs::read_link(&path).unwrap().display().to_string();
            if path.is_dir() {
                bytes = 0;
            }
        } else if found.is_dir() {
            bytes = 0;
            listed(top, &path, lines);
        } else {
            content = digest(&fs::read(&path).unwrap());
        }
        let place = Path::new("/dependencies").join(path.strip_prefix(top).unwrap());
        let modified = found.mtime() * 1_000_000_000 + found.mtime_nsec();
        let mode = format!("0o{:o}", found.mode());
        lines.push(format!(
            "{} {mode} {bytes} {modified} {content}",
            place.display()
        ));
    }
}

/// A module, and everything that a directory can have in it.
fn directory(value: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let path = |name: &str| place.path().join(name);
    fs::write(path("shown.py"), format!("value = '{value}'\n")).unwrap();
    fs::create_dir_all(path("package/deeper")).unwrap();
    fs::write(path("package/__init__.py"), "").unwrap();
    fs::write(path("package/deeper/large.bin"), vec![7; (5 << 20) + 1]).unwrap();
    fs::write(path("package/program"), "#!/bin/sh\necho ran\n").unwrap();
    fs::set_permissions(path("package/program"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("package/deeper", path("link")).unwrap();
    symlink("nowhere", path("dangling")).unwrap();
    for number in 0..400 {
        let name = format!("package/{number}{}.py", "n".repeat(number % 200));
        fs::write(path(&name), format!("{number}\n")).unwrap();
    }
    place
}

#[test]
fn a_program_finds_the_directory_as_it_is_on_the_host() {
    let Some(backend) = backend() else { return };
    let place = directory("a");
    let ran = runtime().block_on(runs(&backend, place.path(), LIST));
    assert_eq!(
        (&ran.ending, &*ran.stderr),
        (&Ending::Exited(0), ""),
        "{ran:?}"
    );
    let mut expected = Vec::new();
    listed(place.path(), place.path(), &mut expected);
    expected.sort();
    let mut found: Vec<&str> = ran.stdout.lines().collect();
    found.sort_unstable();
    assert_eq!(found, expected);
}

/// The interpreter is another one where it waits, and where one tenant's wait in a snapshot.
#[test]
fn modules_are_found_and_nothing_can_be_written_whether_or_not_a_machine_waits() {
    let Some(backend) = backend() else { return };
    let place = directory("b");
    let text = "import os, subprocess, sys, shown\n\
                print(shown.value, shown.__file__, sys.path[1], os.environ['PYTHONPATH'])\n\
                print(subprocess.run(['/dependencies/package/program'], \
                                     capture_output=True).stdout)\n\
                try: open('/dependencies/shown.py', 'a')\n\
                except OSError: print('refused')\n\
                try: os.mkdir('/dependencies/new')\n\
                except OSError as error: print(error)\n";
    let expected = "b /dependencies/shown.py /dependencies /dependencies\nb'ran\\n'\nrefused\n\
                    [Errno 30] Read-only file system: '/dependencies/new'\n";
    runtime().block_on(async {
        for way in ["cold", "warm", "rehearsed", "tenant"] {
            let mut spec = shown(place.path());
            if way == "tenant" {
                spec.tenancy.domain = Domain::Tenant(spec.environment.tenant.clone());
            }
            let mut sandbox = match way {
                "warm" | "rehearsed" => backend.create_warm(spec).await,
                _ => backend.create(spec).await,
            }
            .unwrap();
            if way == "rehearsed" {
                sandbox.rehearse().await.unwrap();
            }
            let ran = run_in(sandbox, job(ProgramKind::Python, text)).await;
            assert_eq!(ran.ending, Ending::Exited(0), "{way}: {ran:?}");
            assert_eq!(ran.stdout, expected, "{way}: {ran:?}");
        }
    });
}

/// All of them are clones of one snapshot, and the first were there before the others.
#[test]
fn a_machine_is_shown_its_own_modules_and_no_others() {
    let Some(backend) = backend() else { return };
    let state = tempfile::tempdir().unwrap();
    backend.keep_in(state.path());
    let (one, other) = (directory("one"), directory("other"));
    let text = "import os\ntry:\n    import shown; print(shown.value)\n\
                except ImportError: print(os.path.exists('/dependencies'))\n";
    runtime().block_on(async {
        let sandboxes = [
            backend.create_warm(shown(one.path())).await.unwrap(),
            backend.create(shown(other.path())).await.unwrap(),
            backend.create(shown(one.path())).await.unwrap(),
        ];
        let without = run(&backend, ProgramKind::Python, text).await;
        assert_eq!(without.stdout, "False\n", "{without:?}");
        for (sandbox, expected) in sandboxes.into_iter().zip(["one\n", "other\n", "one\n"]) {
            let ran = run_in(sandbox, job(ProgramKind::Python, text)).await;
            assert_eq!(ran.stdout, expected, "{ran:?}");
        }
        fs::write(one.path().join("shown.py"), "value = 'changed'\n").unwrap();
        let ran = runs(&backend, one.path(), text).await;
        assert_eq!(ran.stdout, "changed\n", "{ran:?}");
        backend.close().await;
    });
}

/// Whoever removes a directory, or the image that was made of it, takes nothing from who uses it.
#[test]
fn what_is_removed_meanwhile_is_still_there_for_its_machine() {
    let Some(backend) = backend() else { return };
    let state = tempfile::tempdir().unwrap();
    backend.keep_in(state.path());
    let place = directory("kept");
    runtime().block_on(async {
        let sandbox = backend.create(shown(place.path())).await.unwrap();
        fs::remove_dir_all(place.path()).unwrap();
        fs::remove_dir_all(state.path().join("volumes")).unwrap();
        let text = "import shown; print(shown.value, len(open('/dependencies/link/large.bin', \
                    'rb').read()))";
        let ran = run_in(sandbox, job(ProgramKind::Python, text)).await;
        assert_eq!(ran.stdout, "kept 5242881\n", "{ran:?}");
        let refused = backend.create(shown(place.path())).await;
        let why = refused.err().unwrap().to_string();
        assert!(why.contains("cannot be used"), "{why}");
        backend.close().await;
    });
}
