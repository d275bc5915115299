//! Modules that are imported before there is a program. Needs NumPy where the host's own Python
//! finds it.

use std::collections::BTreeSet;

use atoll_sandbox::{Backend as _, Environment, Job, SandboxSpec};
use atoll_sandbox_process::ProcessBackend;
use atoll_types::{Dependency, DependencySource, InputFile, SystemCalls};

use crate::warm::{Shown, finish_job, job, specification};

/// Each prints what it sees, or ends in its own way.
const SCRIPTS: &[&str] = &[
    "import numpy as np\nprint(np.arange(6).reshape(2, 3) @ np.ones((3, 2)), np.__file__)",
    "import numpy\nprint(numpy.linalg.solve([[2., 1.], [1., 3.]], [3., 5.]), numpy.fft.fft([1, 2]))",
    "import numpy as np\nprint(np.random.default_rng(7).random(), np.random.RandomState(7).rand())",
    "import numpy as np\nnp.array([1]) + np.array([1, 2, 3]).reshape(3) @ np.ones(2)",
    "import numpy as np\nprint(np.array([1.0]) / 0)",
    "import numpy as np\nwith np.errstate(all='raise'): np.array([1.0]) / 0",
    "import os, numpy\nprint(sorted(os.environ.items()), os.listdir('/work'))",
    "import numpy as np\nnp.save('kept.npy', np.arange(3))\nprint(np.load('kept.npy'))",
    "import numpy, subprocess, sys\nprint(subprocess.run([sys.executable, '-c', \
     'import numpy; print(numpy.sum([1, 2]))'], capture_output=True, text=True))",
    "import numpy, multiprocessing as m\nc = m.get_context('fork')\nq = c.SimpleQueue()\n\
     p = c.Process(target=lambda: q.put(float(numpy.sqrt(4))))\np.start(); print(q.get()); p.join()",
    "import numpy, ctypes\nctypes.CDLL(None).puts(b'from C')",
    "import numpy, threading\nprint(threading.active_count(), len(__import__('os').listdir('/proc/self/task')))",
    "import numpy as np\nprint(np.zeros(1 << 40))",
    "import numpy as np\nnp.seterr(all='call')\nnp.seterrcall(lambda *a: print(a))\n\
     np.float64(1) / np.float64(0)\nimport sys\nsys.exit(4)",
];

/// A sandbox for a job that names NumPy, with what the level would have imported for it.
fn spec(backend: &ProcessBackend, job: &Job) -> SandboxSpec {
    let named = [Dependency {
        name: "numpy".to_owned(),
        source: DependencySource::ThirdParty,
    }];
    let spec = specification(SystemCalls::Processes);
    let modules = backend.imports_ahead(&spec.environment, job, &named);
    SandboxSpec {
        environment: Environment {
            modules,
            ..spec.environment
        },
        ..spec
    }
}

fn run(warm: bool, job: Job) -> Shown {
    let backend = ProcessBackend::new();
    let spec = spec(&backend, &job);
    run_with(&backend, warm, spec, job)
}

fn run_with(backend: &ProcessBackend, warm: bool, spec: SandboxSpec, job: Job) -> Shown {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut sandbox = match warm {
            true => backend.create_warm(spec).await.unwrap(),
            false => backend.create(spec).await.unwrap(),
        };
        if warm {
            sandbox.rehearse().await.unwrap();
        }
        finish_job(sandbox, job).await
    })
}

#[test]
fn a_program_cannot_tell_whether_its_modules_were_imported_ahead() {
    let differences: Vec<String> = SCRIPTS
        .iter()
        .filter_map(|script| {
            let (cold, warm) = (run(false, job(script)), run(true, job(script)));
            (warm != cold).then(|| format!("{script}\n  cold {cold:#?}\n  warm {warm:#?}\n"))
        })
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn modules_are_there_before_the_program() {
    if !rustix::process::geteuid().is_root() {
        // Without ids to give there are no copies.
        return;
    }
    let backend = ProcessBackend::new();
    let script = "import sys\nprint('numpy' in sys.modules)";
    let ahead = spec(&backend, &job(script));
    assert!(!ahead.environment.modules.is_empty());
    let shown = run_with(&backend, true, ahead, job(script));
    assert_eq!(shown.stdout, "True\n", "{shown:?}");
    let without = specification(SystemCalls::Processes);
    let shown = run_with(&backend, true, without, job(script));
    assert_eq!(shown.stdout, "False\n", "{shown:?}");
}

#[test]
fn copies_draw_random_numbers_of_their_own_from_modules_too() {
    let backend = ProcessBackend::new();
    let script = "import numpy as np\nprint(np.random.rand(), np.random.default_rng().random())";
    let draw = || run_with(&backend, true, spec(&backend, &job(script)), job(script)).stdout;
    let (one, other) = (draw(), draw());
    assert_eq!(one.split(' ').count(), 2, "{one}");
    for (one, other) in one.split(' ').zip(other.split(' ')) {
        assert_ne!(one, other);
    }
}

#[test]
fn a_file_of_the_message_comes_before_a_module_of_that_name() {
    let mut own = job("import numpy\nprint(numpy.VALUE)");
    own.files.push(InputFile {
        name: b"numpy.py".to_vec(),
        content: b"VALUE = 'own'\n"[..].into(),
    });
    let shown = run(true, own);
    assert_eq!(shown.stdout, "own\n", "{shown:?}");
}

#[test]
fn a_module_that_is_not_there_is_the_programs_to_miss() {
    let backend = ProcessBackend::new();
    let script = "try:\n    import no_such_module\nexcept ImportError as e:\n    print(e)";
    let spec = specification(SystemCalls::Processes);
    let spec = SandboxSpec {
        environment: Environment {
            modules: BTreeSet::from(["no_such_module".to_owned()]),
            ..spec.environment
        },
        ..spec
    };
    let shown = run_with(&backend, true, spec, job(script));
    assert_eq!(
        shown.stdout, "No module named 'no_such_module'\n",
        "{shown:?}"
    );
}
