//! A job as a worker gets it.

use atoll_jail::WORK_DIRECTORY;
use atoll_sandbox::Job;
use atoll_types::Limits;
use serde_bytes::ByteBuf;

use crate::protocol::{ARGUMENT_BYTES_MAX, GuestKind, GuestLimits, Links, Run};
use crate::worker::Message;

/// Variables of every guest; the message's own win.
const VARIABLES: [(&[u8], &[u8]); 2] = [(b"HOME", b"/work"), (b"LANG", b"C.UTF-8")];

/// What a worker is told of a job whose program has this number there.
///
/// # Errors
/// A sentence for the user, when WebAssembly cannot be given the job as it is.
pub(crate) fn message(job: Job, program: u64, limits: &Limits) -> Result<Message, String> {
    check(&job)?;
    let environment = variables(job.environment);
    let is_script = GuestKind::of(job.program.kind).is_none();
    let script = if is_script {
        job.program.bytes.to_vec()
    } else {
        Vec::new()
    };
    let run = Run {
        message: 0,
        program,
        name: if is_script {
            format!("{WORK_DIRECTORY}/{}", job.program.name)
        } else {
            job.program.name
        },
        script,
        arguments: job.arguments.into_iter().map(ByteBuf::from).collect(),
        environment,
        input: Vec::new(),
        input_ends: false,
        keeps_files: true,
        calls: job.calls,
        limits: GuestLimits::of(limits),
        links: Links::default(),
    };
    Ok(Message {
        files: job.files,
        streams: Vec::new(),
        run,
    })
}

/// Whether WebAssembly can be given a job as it is.
///
/// # Errors
/// A sentence for the user that says what it cannot be given.
pub(crate) fn check(job: &Job) -> Result<(), String> {
    for (index, argument) in job.arguments.iter().enumerate() {
        let what = format!("argument {}", index.saturating_add(1));
        text(argument, &what)?;
    }
    for (name, value) in &job.environment {
        let name = text(name, "the name of an environment variable")?;
        text(value, &format!("environment variable {name}"))?;
    }
    let environment = variables(job.environment.clone());
    let arguments: usize = job.arguments.iter().map(Vec::len).sum();
    let variables: usize = environment
        .iter()
        .map(|(name, value)| name.len().saturating_add(value.len()))
        .sum();
    let bytes = arguments.saturating_add(variables);
    if bytes > ARGUMENT_BYTES_MAX {
        return Err(format!(
            "arguments and environment variables have {bytes} bytes; at most \
             {ARGUMENT_BYTES_MAX} fit"
        ));
    }
    Ok(())
}

fn variables(own: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<(ByteBuf, ByteBuf)> {
    let default = VARIABLES.map(|(name, value)| (name.to_vec(), value.to_vec()));
    let mut variables: Vec<(ByteBuf, ByteBuf)> = Vec::new();
    for (name, value) in default.into_iter().chain(own) {
        variables.retain(|(known, _)| **known != name);
        variables.push((ByteBuf::from(name), ByteBuf::from(value)));
    }
    variables
}

/// WASI gives text to guests, where the system allows any bytes.
fn text<'a>(bytes: &'a [u8], what: &str) -> Result<&'a str, String> {
    std::str::from_utf8(bytes)
        .map_err(|_| format!("{what} is not valid UTF-8, which WebAssembly programs require"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_own_variables_win() {
        let own = vec![
            (b"LANG".to_vec(), b"de".to_vec()),
            (b"A".to_vec(), Vec::new()),
        ];
        let expected: [(&[u8], &[u8]); 3] = [(b"HOME", b"/work"), (b"LANG", b"de"), (b"A", b"")];
        let found = variables(own);
        let found: Vec<(&[u8], &[u8])> = found
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_not_text_is_refused_by_name() {
        assert!(text(b"fine", "argument 1").is_ok());
        let refused = text(&[0xff], "argument 1").unwrap_err();
        assert!(refused.starts_with("argument 1 is not valid UTF-8"));
    }
}
