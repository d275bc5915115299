//! Judges one command with its arguments.

use atoll_types::{Capability, DependencySource};

use super::commands::{Home, command, valued_options};
use super::interpreters::{self, Program};
use super::reader::Reader;
use super::words::Word;
use super::{work, wrappers};

/// Commands inside commands that are followed: `sudo env nice timeout 5 ...`.
const WRAPPERS_MAX: usize = 16;

/// Directories whose programs are known by their name alone.
const SYSTEM_DIRECTORIES: [&str; 6] = [
    "/bin",
    "/sbin",
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
];

/// Files that are not on any disk.
const STREAMS: [&str; 5] = [
    "/dev/null",
    "/dev/stdin",
    "/dev/stdout",
    "/dev/stderr",
    "/dev/tty",
];

/// Whether reading or writing this path touches no file.
pub(super) fn is_stream(path: &str) -> bool {
    STREAMS.contains(&path) || path.starts_with("/dev/fd/")
}

/// Whether writing this file changes a setting of the kernel.
pub(super) fn is_setting(path: &str) -> bool {
    ["/proc/sys", "/sys/"]
        .iter()
        .any(|place| path.starts_with(place))
}

impl Reader<'_, '_> {
    /// A command: its name and its arguments.
    pub(super) fn run(&mut self, words: &[Word], line: u64) {
        let mut words = words;
        self.is_limited = false;
        for wrappers_around in 0..WRAPPERS_MAX {
            let Some((name, arguments)) = words.split_first() else {
                return;
            };
            let Some(name) = self.name(name, line) else {
                return;
            };
            // Only the shell itself can run a function.
            if wrappers_around == 0 && self.functions.contains(&name) {
                self.call_function(&name);
                if self.functions.holds(&name, self.at) {
                    self.trust.relies_on_functions = true;
                    return;
                }
            }
            let base = self.start(&name, line);
            self.judge(&base, arguments, line);
            if !wrappers::is_wrapper(&base) {
                return;
            }
            words = wrappers::inner(&base, arguments);
            if base == "exec" && !words.is_empty() {
                self.flow.leave_function();
            }
        }
        self.findings
            .problem(Some(line), "too many commands inside each other to follow");
    }

    /// The name of a command, if it is constant.
    fn name(&mut self, name: &Word, line: u64) -> Option<String> {
        if let Some(name) = name.constant() {
            return Some(name.to_owned());
        }
        self.findings.capability(Capability::Processes);
        self.dynamic(line, "the name of a command is computed");
        None
    }

    /// Notes that a command is started, and returns its name without directory.
    fn start(&mut self, name: &str, line: u64) -> String {
        let (directory, base) = name.rsplit_once('/').unwrap_or(("", name));
        let is_plain = !name.contains('/');
        if is_plain || SYSTEM_DIRECTORIES.contains(&directory) {
            let known = command(base);
            let source = match known.home {
                Home::BuiltIn | Home::System => DependencySource::StandardLibrary,
                Home::Elsewhere => DependencySource::ThirdParty,
            };
            self.findings.dependency(base, source);
            if known.home != Home::BuiltIn || !is_plain {
                self.findings.capability(Capability::Processes);
                self.findings.host_call(base);
            }
            return base.to_owned();
        }
        self.findings.dependency(name, DependencySource::Local);
        self.findings.capability(Capability::Processes);
        self.findings.host_call(name);
        let message = format!("runs {}, which is not looked at", name.escape_debug());
        self.findings.problem(Some(line), &message);
        base.to_owned()
    }

    /// What a command of this name does with these arguments.
    fn judge(&mut self, base: &str, arguments: &[Word], line: u64) {
        let known = command(base);
        for capability in known.capabilities {
            self.findings.capability(*capability);
        }
        if let Some(before) = known.files_after
            && reads_files(base, arguments, before)
        {
            self.findings.capability(Capability::FilesRead);
        }
        if let Some((role, value)) = work::size(base, arguments) {
            self.findings.literal(role, value);
        }
        self.note_endless(base, arguments);
        self.judge_built_in(base, arguments, line);
        match base {
            "openssl" if arguments.first().is_some_and(connects) => {
                self.findings.capability(Capability::Network);
            }
            "tee" | "dd" | "cp" | "sysctl" if arguments.iter().any(writes_setting) => {
                self.findings.capability(Capability::SystemChange);
            }
            "chmod" if arguments.iter().any(sets_identity) => {
                self.findings.capability(Capability::SystemChange);
            }
            "date" if arguments.iter().any(|word| word.text.starts_with("-s")) => {
                self.findings.capability(Capability::SystemChange);
            }
            "sed" if arguments.iter().any(|word| word.text.starts_with("-i")) => {
                self.findings.capability(Capability::FilesWrite);
            }
            "find" if arguments.iter().any(|word| word.text == "-delete") => {
                self.findings.capability(Capability::FilesWrite);
            }
            "sort" if arguments.iter().any(|word| word.text.starts_with("-o")) => {
                self.findings.capability(Capability::FilesWrite);
            }
            _ if interpreters::is_awk(base) => self.awk(arguments, line),
            _ if interpreters::is_shell(base) => self.shell(base, arguments, line),
            _ if interpreters::is_language(base) => self.language(base, arguments, line),
            "su" | "runuser" | "script" => {
                let text = arguments.iter().skip_while(|word| word.text != "-c").nth(1);
                if let Some(text) = text {
                    self.embed(text, line);
                }
            }
            "watch" => self.embed_all(arguments, line),
            _ => {}
        }
    }

    /// Commands that are part of the shell.
    fn judge_built_in(&mut self, base: &str, arguments: &[Word], line: u64) {
        match base {
            "eval" => self.embed_all(arguments, line),
            "trap" if arguments.len() > 1 => {
                match arguments
                    .iter()
                    .find(|word| word.text != "--")
                    .map(Word::constant)
                {
                    // Resets a trap, or lists what is set.
                    Some(Some("-" | "" | "-p" | "-l")) | None => {}
                    Some(Some(action)) => self.run_text(action.to_owned()),
                    Some(None) => self.dynamic(line, "runs a text that is computed"),
                }
            }
            "." | "source" => self.source(arguments, line),
            "alias" if !arguments.is_empty() => {
                self.dynamic(line, "an alias changes what a name means");
            }
            "hash" if arguments.iter().any(Word::is_option) => {
                self.dynamic(line, "another file is given the name of a command");
            }
            "enable" if arguments.iter().any(|word| word.text == "-n") => {
                self.dynamic(line, "a command of the shell is taken away");
            }
            "unset" if !arguments.is_empty() => self.trust.takes_functions = true,
            "set" => {
                let words = arguments
                    .iter()
                    .skip_while(|word| word.text != "--")
                    .skip(1);
                let words = words.map(|word| word.text.clone()).take(64).collect();
                self.guesses.set("@", words);
            }
            "enable" if arguments.iter().any(|word| word.text == "-f") => {
                self.findings.capability(Capability::NativeCode);
            }
            "exit" | "return" => self.flow.leave_function(),
            "break" => self.flow.jump_out_of(levels(arguments)),
            "continue" if levels(arguments) > 1 => {
                self.flow.jump_out_of(levels(arguments) - 1);
            }
            "read" | "getopts" | "mapfile" | "readarray" => {
                for name in arguments.iter().filter(|word| !word.is_option()) {
                    self.variables.assign(&name.text, self.findings);
                }
            }
            _ => {}
        }
    }

    /// Commands that go on until somebody stops them.
    fn note_endless(&mut self, base: &str, arguments: &[Word]) {
        let names = |path: &str| arguments.iter().any(|word| word.text == path);
        let is_source = ["/dev/zero", "/dev/urandom", "/dev/random"]
            .into_iter()
            .any(names);
        let is_endless = match base {
            "yes" => true,
            "cat" => is_source,
            "dd" => {
                let reads = |word: &Word| {
                    matches!(
                        &*word.text,
                        "if=/dev/zero" | "if=/dev/urandom" | "if=/dev/random"
                    )
                };
                arguments.iter().any(reads)
                    && !arguments.iter().any(|word| word.text.starts_with("count="))
            }
            "tail" => arguments
                .iter()
                .any(|word| matches!(&*word.text, "-f" | "-F" | "--follow")),
            "sleep" => names("infinity") || names("inf"),
            _ => false,
        };
        if matches!(base, "head" | "timeout") {
            self.is_limited = true;
            self.limit_pipeline();
        }
        if is_endless && !self.is_limited {
            self.run_without_end();
        }
    }

    /// `eval` puts its arguments together and runs them.
    fn embed_all(&mut self, arguments: &[Word], line: u64) {
        let words: Vec<&str> = arguments.iter().map(|word| word.text.as_str()).collect();
        let text = Word {
            text: words.join(" "),
            is_computed: arguments.iter().any(|word| word.constant().is_none()),
            is_pattern: false,
        };
        self.embed(&text, line);
    }

    /// A text that runs as commands.
    fn embed(&mut self, text: &Word, line: u64) {
        match text.constant() {
            // Resets a trap.
            Some("-" | "") => {}
            Some(text) => self.run_text(text.to_owned()),
            None => self.dynamic(line, "runs a text that is computed"),
        }
        self.findings.capability(Capability::DynamicCode);
    }

    fn source(&mut self, arguments: &[Word], line: u64) {
        match arguments.first().map(Word::constant) {
            Some(Some(file)) if !is_stream(file) => {
                self.findings.dependency(file, DependencySource::Local);
            }
            _ => self.dynamic(line, "runs commands from a place that is computed"),
        }
    }

    fn shell(&mut self, base: &str, arguments: &[Word], line: u64) {
        match interpreters::program(base, arguments) {
            Program::Nothing => {}
            Program::Text(text) => self.embed(text, line),
            Program::File(file) => self.other_file(file, line),
            Program::Input => self.dynamic(line, "runs what it reads as commands"),
        }
    }

    fn language(&mut self, base: &str, arguments: &[Word], line: u64) {
        match interpreters::program(base, arguments) {
            Program::Nothing => {}
            Program::Text(_) => self.dynamic(line, "runs a program text in another language"),
            Program::File(file) => self.other_file(file, line),
            Program::Input => self.dynamic(line, "runs what it reads in another language"),
        }
    }

    /// A program in another file.
    fn other_file(&mut self, file: &Word, line: u64) {
        match file.constant() {
            Some(name) if !is_stream(name) => {
                self.findings.dependency(name, DependencySource::Local);
                let message = format!("runs {}, which is not looked at", name.escape_debug());
                self.findings.problem(Some(line), &message);
            }
            _ => self.dynamic(line, "runs a program from a place that is computed"),
        }
    }

    fn awk(&mut self, arguments: &[Word], line: u64) {
        if arguments.iter().any(|word| word.text.starts_with("-f")) {
            self.dynamic(line, "runs an awk program from a file");
            return;
        }
        // `-v name=value` and `-F separator` may stand before the program.
        let mut words = arguments.iter();
        let program = loop {
            match words.next() {
                Some(word) if matches!(&*word.text, "-v" | "-F") => {
                    words.next();
                }
                Some(word) if word.text == "--" => break words.next(),
                Some(word) if word.text.starts_with("-F") || word.text.starts_with("-v") => {}
                Some(word) if word.is_option() => {
                    self.dynamic(line, "an awk is told to do more than run a program");
                }
                other => break other,
            }
        };
        let Some(program) = program else { return };
        if program.is_computed {
            self.dynamic(line, "runs an awk program that is computed");
        }
        let reach = interpreters::awk_reach(&program.text);
        if reach.runs_commands {
            self.findings.capability(Capability::Processes);
            self.dynamic(line, "an awk program runs commands");
        }
        if reach.writes_files {
            self.findings.capability(Capability::FilesWrite);
        }
        if reach.reads_files {
            self.findings.capability(Capability::FilesRead);
        }
    }

    pub(super) fn dynamic(&mut self, line: u64, message: &str) {
        self.findings.capability(Capability::DynamicCode);
        self.findings.problem(Some(line), message);
    }
}

/// Whether a filter reads files, not only what is piped into it.
fn reads_files(base: &str, arguments: &[Word], before: usize) -> bool {
    let valued = valued_options(base);
    let mut before = before;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word.is_option() && !word.is_computed {
            let letters = word.text.trim_start_matches('-');
            // A pattern or program in an option is not an operand any more.
            if before > 0 && letters.starts_with(['e', 'f']) {
                before -= 1;
            }
            if base.ends_with("grep") && letters.contains(['r', 'R']) {
                return true;
            }
            if letters.len() == 1 && valued.contains(letters) {
                words.next();
            }
        } else if before > 0 {
            before -= 1;
        } else if word.text != "-" && !is_stream(&word.text) {
            return true;
        }
    }
    false
}

/// Whether a command of `openssl` talks to a network.
fn connects(subcommand: &Word) -> bool {
    matches!(
        &*subcommand.text,
        "s_client" | "s_server" | "s_time" | "ocsp"
    )
}

fn writes_setting(argument: &Word) -> bool {
    is_setting(argument.text.trim_start_matches("of="))
}

/// The number of loops that `break` or `continue` is about.
fn levels(arguments: &[Word]) -> u64 {
    let first = arguments.first().and_then(Word::constant);
    first.and_then(|first| first.parse().ok()).unwrap_or(1)
}

/// Whether a mode of `chmod` lets a program run as its owner or group.
fn sets_identity(mode: &Word) -> bool {
    let text = mode.text.as_str();
    let is_octal = text.len() == 4 && text.chars().all(|digit| digit.is_digit(8));
    (is_octal && matches!(text.chars().next(), Some('2' | '4' | '6' | '7')))
        || (text.contains('s') && text.contains(['+', '=']))
}
