//! From arguments to a message: opens the engine, reads the files.

use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use atoll_engine::{
    Engine, Options, PolicyText, Request, Submission, backends_with, input_file, now_unix_ms,
    program_file, random, text_file,
};
use atoll_types::calls::CallRules;
use atoll_types::{
    Content, InputFile, Message, Origin, Part, Parts, Program, ProgramHash, ProgramKind, Stdin,
};

use crate::args::{
    HostArgs, InputArgument, ProgramArgs, RuntimeArgument, SubmissionArgs, Together, Variable,
};
use crate::error::CliError;
use crate::terminal::{DOUBTFUL, complain, plain, styled};

/// Opens the engine with a policy file, or the built-in policy.
pub(crate) fn open(host: HostArgs, policy: Option<&Path>) -> Result<Engine, CliError> {
    for RuntimeArgument { level, name } in &host.runtimes {
        complain(&format!(
            "{}: {} makes the sandboxes of the level {level}; that it is strong enough, --runtime \
             says\n",
            styled(DOUBTFUL, "warning"),
            plain(name)
        ));
    }
    let runtimes = host.runtimes.into_iter();
    let options = Options {
        state_dir: match host.state_dir {
            Some(directory) => directory,
            None => default_state_dir()?,
        },
        policy: read_policy(policy)?,
        backends: backends_with(runtimes.map(|it| (it.level, it.name))),
        pools: None,
        memory_bytes: None,
    };
    Ok(Engine::open(options)?)
}

/// The policy to use.
pub(crate) fn read_policy(file: Option<&Path>) -> Result<PolicyText, CliError> {
    match file {
        None => Ok(PolicyText::builtin()),
        Some(file) => Ok(PolicyText {
            name: file.display().to_string(),
            text: text_file(file)?,
        }),
    }
}

/// Where history goes when nobody says: the system's place for root, else the user's (XDG Base
/// Directory Specification 0.8).
fn default_state_dir() -> Result<PathBuf, CliError> {
    if rustix::process::geteuid().is_root() {
        return Ok("/var/lib/atoll".into());
    }
    // The specification has relative paths ignored.
    let variable = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    variable("XDG_STATE_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".local/state")))
        .map(|state| state.join("atoll"))
        .ok_or(CliError::NoStateDir)
}

/// What the caller asks of policy.
pub(crate) fn request(args: &SubmissionArgs) -> Request {
    Request {
        level: args.level,
        wall_time_ms: args.timeout,
        memory_bytes: args.memory,
        calls: CallRules {
            rules: args.call.clone(),
            audit: args.audit,
        },
        ..Request::default()
    }
}

/// Reads the program and its files and makes the message.
pub(crate) fn message(
    args: &SubmissionArgs,
    program: ProgramArgs,
    stdin: Stdin,
) -> Result<Message, CliError> {
    let (program, arguments) = program.split();
    let submission = Submission {
        program: program_file(&program)?,
        parts: parts(args)?,
        arguments: arguments.into_iter().map(OsStringExt::into_vec).collect(),
        stdin,
        sample: args.sample.as_deref().map(content).transpose()?,
        files: input_files(&args.input)?,
        environment: environment(&args.env)?,
        tenant: args.tenant.clone(),
        origin: Origin::CommandLine,
    };
    arrived(submission)
}

/// The bytes of a file that is input.
pub(crate) fn content(path: &Path) -> Result<Content, CliError> {
    Ok(input_file(path, None)?.content)
}

/// The message that a submission is, arriving now.
pub(crate) fn arrived(submission: Submission) -> Result<Message, CliError> {
    Ok(submission.into_message(now_unix_ms(), random_bytes()?)?)
}

/// Randomness for a message id.
pub(crate) fn random_bytes() -> Result<[u8; 10], CliError> {
    random().map_err(|source| CliError::System {
        attempt: "draw a random message id",
        source,
    })
}

fn parts(args: &SubmissionArgs) -> Result<Parts, CliError> {
    let mut parts = Vec::with_capacity(args.part.len());
    for part in &args.part {
        let bytes = program_file(&part.path)?.bytes;
        parts.push(Part {
            program: Program {
                name: part.name.clone(),
                kind: ProgramKind::WasmComponent,
                hash: ProgramHash::of(&bytes),
                bytes,
            },
            trust: part.trust.clone(),
            risk: part.risk,
            native: part.native,
            alone: part.alone,
        });
    }
    let together = args.together.iter();
    let provided = args.provide.iter();
    Ok(Parts {
        parts,
        together: together
            .map(|Together(one, other)| (one.clone(), other.clone()))
            .collect(),
        provided: provided.map(|provided| provided.0.clone()).collect(),
        refuse_mixed: args.refuse_mixed,
    })
}

fn input_files(inputs: &[InputArgument]) -> Result<Vec<InputFile>, CliError> {
    let mut files = Vec::with_capacity(inputs.len());
    for input in inputs {
        files.push(input_file(&input.path, input.name.as_deref())?);
    }
    Ok(files)
}

/// Name and value.
type Pair = (Vec<u8>, Vec<u8>);

fn environment(variables: &[Variable]) -> Result<Vec<Pair>, CliError> {
    let mut environment = Vec::with_capacity(variables.len());
    for variable in variables {
        let Some(value) = &variable.value else {
            return Err(CliError::VariableWithoutValue {
                name: plain(&String::from_utf8_lossy(&variable.name)),
            });
        };
        environment.push((variable.name.clone(), value.clone()));
    }
    Ok(environment)
}
