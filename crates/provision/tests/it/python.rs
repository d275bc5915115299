//! Python packages from the registry.

use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use atoll_provision::{Allowed, Configured, Policy, Progress, Registry, Wanted};

use crate::support::{Told, offline, place, place_with, requirements, says};

#[tokio::test]
async fn a_script_block_becomes_a_layer_that_is_known_from_then_on() {
    if offline() {
        return;
    }
    let place = place();
    let program = b"# /// script\n# requires-python = \">=3.8\"\n\
                    # dependencies = [\"six==1.16.0\", \"idna<3.8\"]\n# ///\nimport six\n";
    let wanted = Wanted::of_python(program, None, &[]).unwrap().unwrap();
    let told = Told::default();
    let policy = Policy::default();
    assert!(place.provisioner.known(&wanted, &policy).unwrap().is_none());
    let began = Instant::now();
    let layer = place.provisioner.provide(&wanted, &policy, &told).await;
    let layer = layer.unwrap().unwrap();
    eprintln!("provided in {:?}", began.elapsed());
    let names: Vec<_> = layer.packages().iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["idna", "six"]);
    assert_eq!(layer.packages()[1].version, "1.16.0");
    let script = [
        "-c",
        "import idna, six; print(six.__version__, idna.encode('ä.de').decode())",
    ];
    let said = says("/usr/bin/python3", "PYTHONPATH", &layer.path(), &script);
    assert_eq!(said, "1.16.0 xn--4ca.de");
    let file = layer.path().join("six.py");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    assert!(place.provisioner.verify(&layer));

    let told = told.0.into_inner().unwrap();
    assert_eq!(told.first(), Some(&Progress::Resolving { requirements: 2 }));
    let came = told.iter().any(|progress| {
        matches!(
            progress,
            Progress::Downloading {
                done: 2,
                total: 2,
                bytes: 1000..
            }
        )
    });
    assert!(
        came && told.contains(&Progress::Installing { total: 2 }),
        "{told:?}"
    );

    let known = || place.provisioner.known(&wanted, &policy).unwrap().unwrap();
    let mut times: Vec<_> = (0..21)
        .map(|_| {
            let began = Instant::now();
            known();
            began.elapsed()
        })
        .collect();
    times.sort();
    eprintln!("known in {:?} (median of 21)", times[10]);
    let known = known();
    assert_eq!((known.hash(), known.files()), (layer.hash(), layer.files()));
    place.is_clean();
}

#[tokio::test]
async fn bytecode_is_compiled_ahead_and_never_checked_against_times() {
    if offline() {
        return;
    }
    let place = place();
    let layer = place.provide(&requirements("six==1.16.0")).await.unwrap();
    let cache = layer.path().join("__pycache__");
    let entry = std::fs::read_dir(cache).unwrap().next().unwrap().unwrap();
    let bytes = std::fs::read(entry.path()).unwrap();
    // PEP 552: based on a hash, not to be checked.
    assert_eq!(bytes[4..8], [1, 0, 0, 0]);
}

#[tokio::test]
async fn what_cannot_be_had_is_told_in_words_that_help() {
    if offline() {
        return;
    }
    let place = place();
    for (text, code) in [
        ("atoll-has-no-such-package-4711", "not_found"),
        ("six==99.0", "no_such_version"),
        ("numpy==1.26.4\nnumpy==2.1.0", "conflict"),
        ("requests==2.20.0\nurllib3==2.2.1", "conflict"),
        ("docopt==0.6.2", "source_only"),
        ("reqeusts", "typosquat"),
        ("scikitlearn", "typosquat"),
    ] {
        assert_eq!(place.code(&requirements(text)).await, code, "{text}");
    }
    // Nothing of what failed is kept.
    assert!(!place.state.path().join("layers").exists());
}

#[tokio::test]
async fn an_interpreter_that_does_not_fit_is_refused_before_anything_is_asked() {
    let place = place();
    for (specifiers, code) in [(">=4", "python_version"), ("new", "requirements")] {
        let program = format!(
            "# /// script\n# requires-python = \"{specifiers}\"\n# dependencies = [\"six\"]\n# ///\n"
        );
        let wanted = Wanted::of_python(program.as_bytes(), None, &[]);
        assert_eq!(place.code(&wanted.unwrap().unwrap()).await, code);
    }
    let program = b"# /// script\n# requires-python = \">=3\"\n# ///\n";
    let wanted = Wanted::of_python(program, None, &[]).unwrap().unwrap();
    let policy = Policy::default();
    let provided = place.provisioner.provide(&wanted, &policy, &()).await;
    assert!(provided.unwrap().is_none());
}

#[tokio::test]
async fn a_guessed_name_that_does_not_exist_is_told_as_one() {
    if offline() {
        return;
    }
    let place = place();
    let wanted = Wanted::of_python(b"", None, &["atoll_has_no_such_module"]);
    let wanted = wanted.unwrap().unwrap();
    let error = place.provide(&wanted).await.unwrap_err().to_string();
    assert!(error.contains("name of the module"), "{error}");
}

#[tokio::test]
async fn tenants_get_only_what_they_may_have_of_what_is_there_too() {
    if offline() {
        return;
    }
    let place = place();
    let wanted = requirements("requests==2.32.3");
    let mut policy = Policy {
        allowed: Allowed::These(["requests".to_owned()].into()),
        ..Policy::default()
    };
    let refused = place.provisioner.provide(&wanted, &policy, &()).await;
    let error = refused.unwrap_err();
    assert_eq!(error.code(), "not_allowed");
    assert!(
        error
            .to_string()
            .contains("something that the program asks for")
    );
    policy.allowed = Allowed::Any;
    place.provide(&wanted).await.unwrap();
    policy.denied.insert("idna".to_owned());
    let refused = place.provisioner.known(&wanted, &policy);
    assert_eq!(refused.unwrap_err().code(), "not_allowed");
}

#[tokio::test]
async fn a_hash_of_the_requirements_holds() {
    if offline() {
        return;
    }
    let place = place();
    let wheel = "8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254";
    let good = format!("six==1.16.0 --hash=sha256:{wheel}");
    place.provide(&requirements(&good)).await.unwrap();
    let bad = format!("six==1.16.0 --hash=sha256:{}", "0".repeat(64));
    assert_eq!(place.code(&requirements(&bad)).await, "hash_mismatch");
}

#[tokio::test]
async fn a_lock_that_was_tampered_with_installs_nothing() {
    if offline() {
        return;
    }
    let place = place();
    let wanted = requirements("six==1.16.0");
    drop(place.provide(&wanted).await.unwrap());
    // The lock says something else now, and is written as Atoll writes it.
    let locks = place.state.path().join("locks");
    let file = std::fs::read_dir(locks)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let text = std::fs::read_to_string(&file).unwrap();
    let (_, record) = text.split_at(64);
    let wheel = "8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254";
    let source = "1e61c37477a1626458e36f7b1d82aa5c9b094fa4802892072e49de9c60c4c926";
    assert!(record.contains(wheel) && record.contains(source));
    let zeros = "0".repeat(64);
    let record = record.replace(wheel, &zeros).replace(source, &zeros);
    let write = |record: &str| {
        let hash = blake3::hash(record.as_bytes()).to_hex();
        std::fs::write(&file, format!("{hash}{record}")).unwrap();
    };
    write(&record);
    std::fs::remove_dir_all(place.state.path().join("layers")).unwrap();
    assert_eq!(place.code(&wanted).await, "hash_mismatch");
    // One that is only damaged is made again.
    std::fs::write(&file, record).unwrap();
    place.provide(&wanted).await.unwrap();
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_told_and_nothing_else_is_asked() {
    let place = place_with(|options| {
        // RFC 6761: there is no such name.
        let registry = Registry::at("https://registry.invalid/simple/").unwrap();
        options.registries.python = Configured::At(registry);
    });
    assert_eq!(
        place.code(&requirements("six==1.16.0")).await,
        "unreachable"
    );
}

#[tokio::test]
async fn tools_that_are_missing_and_limits_that_are_too_small_are_told() {
    let without = place_with(|options| options.tools.uv = None);
    assert_eq!(without.code(&requirements("six")).await, "no_tool");
    if offline() {
        return;
    }
    let small = place_with(|options| options.limits.layer_bytes = 10_000);
    assert_eq!(small.code(&requirements("six==1.16.0")).await, "too_large");
    let few = place_with(|options| options.limits.layer_files = 3);
    assert_eq!(few.code(&requirements("six==1.16.0")).await, "too_large");
    let little = place_with(|options| options.limits.download_bytes = 1_000);
    assert_eq!(little.code(&requirements("six==1.16.0")).await, "too_large");
}

#[tokio::test]
async fn a_large_binary_wheel_works() {
    if offline() {
        return;
    }
    let place = place();
    let wanted = requirements("numpy==2.1.0");
    let began = Instant::now();
    let layer = place.provide(&wanted).await.unwrap();
    eprintln!(
        "numpy: {} files, {} bytes, provided in {:?}",
        layer.files(),
        layer.bytes(),
        began.elapsed()
    );
    let script = ["-c", "import numpy; print(numpy.arange(4).sum())"];
    assert_eq!(
        says("/usr/bin/python3", "PYTHONPATH", &layer.path(), &script),
        "6"
    );
    let known = || place.provisioner.known(&wanted, &Policy::default());
    let mut times: Vec<_> = (0..21)
        .map(|_| {
            let began = Instant::now();
            known().unwrap().unwrap();
            began.elapsed()
        })
        .collect();
    times.sort();
    eprintln!("numpy: known in {:?} (median of 21)", times[10]);
}
