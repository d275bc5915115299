//! Commands that run another command which is among their arguments.

use super::words::Word;

/// How to find the command inside.
struct Wrapper {
    /// Options that take the next word as their value.
    valued: &'static [&'static str],
    /// Operands before the command.
    operands: usize,
    /// Whether `NAME=value` may stand before the command.
    takes_assignments: bool,
}

const fn wrapper(valued: &'static [&'static str], operands: usize) -> Wrapper {
    Wrapper {
        valued,
        operands,
        takes_assignments: false,
    }
}

fn known(name: &str) -> Option<Wrapper> {
    Some(match name {
        "builtin" | "busybox" | "nohup" | "setsid" | "toybox" | "unshare" => wrapper(&[], 0),
        "exec" => wrapper(&["-a"], 0),
        "env" => Wrapper {
            takes_assignments: true,
            ..wrapper(&["-u", "-C", "--unset", "--chdir"], 0)
        },
        "sudo" | "doas" => Wrapper {
            takes_assignments: true,
            ..wrapper(&["-u", "-g", "-h", "-p", "-C", "-r", "-t", "-T", "-U"], 0)
        },
        "time" => wrapper(&["-f", "-o"], 0),
        "nice" => wrapper(&["-n"], 0),
        "ionice" => wrapper(&["-c", "-n", "-p"], 0),
        "stdbuf" => wrapper(&["-i", "-o", "-e"], 0),
        "strace" | "ltrace" => wrapper(&["-e", "-o", "-p", "-s", "-u"], 0),
        "timeout" => wrapper(&["-s", "-k", "--signal", "--kill-after"], 1),
        "chroot" => wrapper(&[], 1),
        "flock" => wrapper(&["-w", "-E"], 1),
        "taskset" | "chrt" => wrapper(&[], 1),
        "watch" => wrapper(&["-n"], 0),
        "nsenter" => wrapper(&["-t"], 0),
        "xargs" => wrapper(&["-a", "-d", "-E", "-I", "-L", "-n", "-P", "-s"], 0),
        "parallel" => wrapper(&["-j", "-n", "-N"], 0),
        _ => return None,
    })
}

/// Whether the command of this name runs another that is among its arguments.
pub(super) fn is_wrapper(name: &str) -> bool {
    known(name).is_some() || name == "find" || name == "command"
}

/// The words of the command inside; empty when there is none.
pub(super) fn inner<'w>(name: &str, arguments: &'w [Word]) -> &'w [Word] {
    if name == "find" {
        let starts = |word: &Word| matches!(&*word.text, "-exec" | "-execdir" | "-ok" | "-okdir");
        let start = arguments.iter().position(starts);
        return start.map_or(&[], |start| arguments.get(start + 1..).unwrap_or_default());
    }
    if name == "command" {
        // `command -v` and `-V` only look a command up.
        let looks_up = |word: &&Word| word.text.starts_with('-') && word.text.contains(['v', 'V']);
        if arguments.first().filter(looks_up).is_some() {
            return &[];
        }
        let start = usize::from(arguments.first().is_some_and(|first| first.text == "-p"));
        return arguments.get(start..).unwrap_or_default();
    }
    let Some(wrapper) = known(name) else {
        return &[];
    };
    let mut operands = wrapper.operands;
    let mut words = arguments;
    while let Some((first, rest)) = words.split_first() {
        let is_assignment = wrapper.takes_assignments && is_assignment(first);
        if first.is_option() && !first.is_computed {
            let skipped = usize::from(wrapper.valued.contains(&first.text.as_str()));
            words = rest.get(skipped..).unwrap_or_default();
            if first.text == "--" {
                operands = operands.min(wrapper.operands);
            }
        } else if is_assignment || operands > 0 {
            operands -= usize::from(!is_assignment);
            words = rest;
        } else {
            break;
        }
    }
    words
}

/// Whether a word has the form `NAME=value`.
pub(super) fn is_assignment(word: &Word) -> bool {
    word.text.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && name
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || character == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(command: &str) -> Vec<String> {
        let words: Vec<Word> = command
            .split(' ')
            .map(|text| Word {
                text: text.to_owned(),
                is_computed: false,
                ..Word::default()
            })
            .collect();
        let (name, arguments) = words.split_first().unwrap();
        let inner = inner(&name.text, arguments);
        inner.iter().map(|word| word.text.clone()).collect()
    }

    #[test]
    fn the_command_inside_is_found() {
        for command in [
            "nohup curl x",
            "env -u A B=1 curl x",
            "sudo -u root curl x",
            "timeout -s KILL 5 curl x",
            "timeout 5s curl x",
            "nice -n 10 curl x",
            "xargs -n 1 -P 4 curl x",
            "stdbuf -oL curl x",
            "find . -name y -exec curl x",
            "command -p curl x",
            "chroot /mnt curl x",
        ] {
            assert_eq!(inside(command), ["curl", "x"], "{command}");
        }
        for command in [
            "command -v curl",
            "env",
            "find . -name curl",
            "sudo -i",
            "echo curl",
        ] {
            assert_eq!(inside(command), [] as [&str; 0], "{command}");
        }
    }
}
