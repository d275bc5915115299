//! The command line's grammar: what can be asked, how it is checked, and the help.

mod parts;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;

use atoll_types::calls::CallRule;
use atoll_types::{Level, MessageId, TenantId};
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

pub(crate) use parts::{PartArgument, ProvidedArgument, Together};
pub(crate) use values::{InputArgument, RuntimeArgument, Variable};
use values::{milliseconds, size, status};

/// Runs programs you do not trust, each in the smallest cage that is safe for it.
#[derive(Debug, Parser)]
#[command(name = "atoll", version, after_help = EXIT_CODES, max_term_width = 100)]
#[command(propagate_version = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) host: HostArgs,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command is told of this host.
#[derive(Debug, Args)]
pub(crate) struct HostArgs {
    /// Where history is kept [default: /var/lib/atoll for root, else ~/.local/state/atoll].
    #[arg(long, global = true, env = "ATOLL_STATE_DIR", value_name = "DIR")]
    #[arg(value_hint = ValueHint::DirPath, hide_env_values = true)]
    pub(crate) state_dir: Option<PathBuf>,

    /// Make a level's sandboxes with an OCI runtime, such as gvisor=/opt/runsc. That it is as
    /// strong as the level, you declare. LEVEL is process, gvisor or vm; NAME is looked for along
    /// PATH.
    #[arg(
        long = "runtime",
        global = true,
        env = "ATOLL_RUNTIME",
        value_name = "LEVEL=NAME"
    )]
    #[arg(value_delimiter = ',', hide_env_values = true)]
    pub(crate) runtimes: Vec<RuntimeArgument>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(RunArgs),
    Explain(ExplainArgs),
    Profile(ProfileArgs),
    Doctor(DoctorArgs),
    History(HistoryArgs),
    #[command(subcommand)]
    Policy(PolicyCommand),
    Completion(CompletionArgs),
    #[command(subcommand)]
    Bench(BenchCommand),
}

/// Run a program in a sandbox.
///
/// The program is read, judged and put into a sandbox that fits; its standard streams pass
/// through. Options come before PROGRAM; what follows it belongs to the program.
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
#[command(override_usage = "atoll run [OPTIONS] PROGRAM [ARGS]...")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) submission: SubmissionArgs,

    #[command(flatten)]
    pub(crate) install: InstallArgs,

    /// Copy the files that the program leaves in its working directory into DIR, which is made when
    /// it is missing and has to be empty. Links and special files are left out, and named.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) output: Option<PathBuf>,

    /// Print one JSON object instead of the program's output.
    #[arg(long)]
    pub(crate) json: bool,

    /// Say on standard error what was decided, and why, before the program runs.
    #[arg(long)]
    pub(crate) explain: bool,

    #[command(flatten)]
    pub(crate) program: ProgramArgs,
}

/// Say how a program would be run, and why, without running it.
#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
#[command(override_usage = "atoll explain [OPTIONS] PROGRAM [ARGS]...")]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) submission: SubmissionArgs,

    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) program: ProgramArgs,
}

/// Find out how a program's need grows with its input, by running it on inputs of several sizes.
///
/// The inputs are pieces of a file for standard input, or numbers that take the place of {} in the
/// program's arguments. Each run has a sandbox of its own; what it prints is thrown away, and
/// nothing is recorded.
#[derive(Debug, Args)]
#[command(after_help = PROFILE_EXAMPLES)]
#[command(override_usage = "atoll profile [OPTIONS] PROGRAM [ARGS]...")]
pub(crate) struct ProfileArgs {
    #[command(flatten)]
    pub(crate) submission: SubmissionArgs,

    #[command(flatten)]
    pub(crate) install: InstallArgs,

    /// Give the program ever larger pieces of this file on standard input.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with = "sizes")]
    pub(crate) stdin: Option<PathBuf>,

    /// Put these numbers into the arguments, in the place of {}.
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', num_args = 1..)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) sizes: Vec<u64>,

    /// How long all runs together may take.
    #[arg(long, value_name = "TIME", value_parser = milliseconds, default_value = "10s")]
    pub(crate) budget: u64,

    /// Draw what was found into a file.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) svg: Option<PathBuf>,

    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) program: ProgramArgs,
}

/// What `run`, `explain` and `profile` share.
#[derive(Debug, Args)]
pub(crate) struct SubmissionArgs {
    /// Who is accountable for the program; history and policy look at it.
    #[arg(long, value_name = "TENANT", default_value = "local")]
    pub(crate) tenant: TenantId,

    /// Ask for a level of isolation. It may only be stronger than what policy decides, unless the
    /// policy allows more.
    #[arg(long, value_name = "LEVEL", value_parser = level_parser())]
    pub(crate) level: Option<Level>,

    /// Use this policy instead of the built-in one.
    #[arg(
        long,
        value_name = "FILE",
        env = "ATOLL_POLICY",
        hide_env_values = true
    )]
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) policy: Option<PathBuf>,

    /// Put a file into the program's working directory, under its own name or as NAME.
    #[arg(long, value_name = "FILE[=NAME]", value_hint = ValueHint::FilePath)]
    pub(crate) input: Vec<InputArgument>,

    /// Give a WebAssembly component that the program, or another part, imports from. OPTION is
    /// trust=WHO, risk=0..1, native, alone=store or alone=process.
    #[arg(long, value_name = "NAME=FILE[,OPTION]...")]
    pub(crate) part: Vec<PartArgument>,

    /// Keep two parts in one store, whatever their trust.
    #[arg(long, value_name = "NAME,NAME")]
    pub(crate) together: Vec<Together>,

    /// Choose the part that provides an import, where several could.
    #[arg(long, value_name = "NAME:INTERFACE=NAME")]
    pub(crate) provide: Vec<ProvidedArgument>,

    /// Refuse the program when parts of different trust could only run in one store.
    #[arg(long)]
    pub(crate) refuse_mixed: bool,

    /// Set an environment variable.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<Variable>,

    /// A small input that stands for standard input: policy may have the program tried on pieces of
    /// it first, to learn what it will need.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) sample: Option<PathBuf>,

    /// Show the program a directory of installed third-party modules, read-only.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) dependencies: Option<PathBuf>,

    /// Ask for a limit on wall time, such as 5s, 1m or 500ms.
    #[arg(long, value_name = "TIME", value_parser = milliseconds)]
    pub(crate) timeout: Option<u64>,

    /// Ask for a limit on memory, such as 256MiB.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) memory: Option<u64>,

    /// Hold the program's calls to a rule, such as "deny=EACCES file.open /etc/**", behind those of
    /// the policy. May be given more than once; the first that matches a call decides.
    #[arg(long, value_name = "RULE")]
    pub(crate) call: Vec<CallRule>,

    /// Take down what the program calls: counts of all calls, and the first of them one by one.
    #[arg(long)]
    pub(crate) audit: bool,
}

/// What `run` and `profile` do about packages.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct InstallArgs {
    /// Install the packages that the program depends on, from the registry that pip and npm are set
    /// to, as far as policy allows: those of its `# /// script` block, of a requirements.txt or
    /// package.json given with --input, or of its imports.
    #[arg(long, conflicts_with = "dependencies")]
    pub(crate) install: bool,
}

/// The program and what it is given: one list, so that everything from the program on is the
/// program's, whatever it looks like.
#[derive(Debug, Args)]
pub(crate) struct ProgramArgs {
    /// A Python, JavaScript or shell script, a native executable, or a WebAssembly program; and
    /// arguments for it.
    #[arg(value_names = ["PROGRAM", "ARGS"], value_hint = ValueHint::FilePath)]
    #[arg(required = true, num_args = 1.., trailing_var_arg = true)]
    program_and_arguments: Vec<OsString>,
}

impl ProgramArgs {
    /// The program's path and its arguments.
    pub(crate) fn split(self) -> (PathBuf, Vec<OsString>) {
        let mut all = self.program_and_arguments.into_iter();
        // The grammar asks for one at least.
        let program = all.next().unwrap_or_default();
        (program.into(), all.collect())
    }
}

/// Say what this host can enforce, and what to install or enable.
#[derive(Debug, Args)]
#[command(after_help = DOCTOR_EXAMPLES)]
pub(crate) struct DoctorArgs {
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show what the store knows: the latest messages, or one of them.
#[derive(Debug, Args)]
#[command(after_help = HISTORY_EXAMPLES)]
pub(crate) struct HistoryArgs {
    /// Show everything known about this message.
    #[arg(value_name = "ID")]
    pub(crate) id: Option<MessageId>,

    /// Only messages of this tenant.
    #[arg(long, value_name = "TENANT", conflicts_with = "id")]
    pub(crate) tenant: Option<TenantId>,

    /// Only messages that ended like this.
    #[arg(long, value_name = "STATUS", conflicts_with = "id", value_parser = status_parser())]
    pub(crate) status: Option<atoll_types::Status>,

    /// How many messages to show at most.
    #[arg(long, value_name = "N", default_value_t = 20, conflicts_with = "id")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,

    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Look at policies.
#[derive(Debug, Subcommand)]
#[command(after_help = POLICY_EXAMPLES)]
pub(crate) enum PolicyCommand {
    /// Print the policy in force. Its output is a policy file.
    Show {
        /// Use this policy instead of the built-in one.
        #[arg(
            long,
            value_name = "FILE",
            env = "ATOLL_POLICY",
            hide_env_values = true
        )]
        #[arg(value_hint = ValueHint::FilePath)]
        policy: Option<PathBuf>,
    },
    /// Check a policy file. Ends with code 1 when it cannot be used.
    Check {
        /// The policy.
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,

        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_help = COMPLETION_EXAMPLES)]
pub(crate) struct CompletionArgs {
    /// Which shell.
    pub(crate) shell: Shell,
}

/// Measure this build on this host.
#[derive(Debug, Subcommand)]
#[command(after_help = BENCH_EXAMPLES)]
pub(crate) enum BenchCommand {
    /// The decision's own cost: analyze, risk, predict, decide and record, without running.
    Loop(BenchArgs),
    /// `atoll run` as a whole process, beside bubblewrap and bare Python.
    Run(BenchArgs),
    /// A script in sandboxes that wait for it, inside one process, beside processes started for it.
    Process(BenchArgs),
    /// WebAssembly, and scripts on it, in workers that are ready, beside the runtime alone and bare
    /// interpreters.
    Instance(BenchArgs),
    /// A script in virtual machines and gVisor containers that wait for it, and in ones that do
    /// not, beside `runsc do` and `crun run`.
    Vm(BenchArgs),
    /// What is set aside for real programs, beside what they take, and what others would set aside.
    Prediction(PredictionArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PredictionArgs {
    /// The directory that `make corpus` has filled.
    #[arg(long, value_name = "DIR", default_value = "target/corpus", value_hint = ValueHint::DirPath)]
    pub(crate) corpus: PathBuf,

    /// Run the programs that models were learned from, too.
    #[arg(long)]
    pub(crate) learned: bool,

    /// So many runs in all: once every program has run, those that took less than a second run
    /// again and again, as known programs.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) runs: u32,

    /// Compare each program that takes less than a second with runs that nobody fits, so many times
    /// each.
    #[arg(long, value_name = "N", default_value_t = 0)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(crate) pairs: u32,

    #[command(flatten)]
    pub(crate) bench: BenchArgs,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// How often to measure each subject.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) iterations: Option<u32>,

    /// Measure Atoll alone, to compare one build with another.
    #[arg(long)]
    pub(crate) without_peers: bool,

    /// Print one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

fn level_parser() -> impl clap::builder::TypedValueParser<Value = Level> {
    PossibleValuesParser::new(Level::ALL.map(Level::name)).try_map(|name| name.parse::<Level>())
}

fn status_parser() -> impl clap::builder::TypedValueParser<Value = atoll_types::Status> {
    PossibleValuesParser::new(values::STATUSES.map(atoll_types::Status::name))
        .try_map(|name| status(&name))
}

const EXIT_CODES: &str = "\
Exit codes of `atoll run`:
  0-255  the program's own exit code
  128+N  signal N ended the program (134 for a WebAssembly trap or a trapped call)
  124    the program reached a limit
  125    Atoll failed, or its input could not be used
  126    the program was refused: policy forbids it, or this host cannot isolate it
  130    interrupted by Ctrl-C (143 by SIGTERM, 129 by SIGHUP)
  141    the reader of the output went away
  2      the command line is wrong

Examples:
  atoll run report.py data.csv
  atoll explain report.py
  atoll doctor

Colours are left out when output is not a terminal or NO_COLOR is set.";

const RUN_EXAMPLES: &str = "\
Examples:
  atoll run hello.py
  atoll run --input sales.csv report.py sales.csv
  atoll run --output charts --input sales.csv draw.py sales.csv
  atoll run --timeout 5s --memory 256MiB --json untrusted.js | jq .status
  cat words.txt | atoll run wordcount.wasm
  atoll run --tenant alice --level process --explain tool arg1 arg2
  atoll run --audit --call 'deny=EACCES file.open /etc/**' report.py

The exit code is the program's own; `atoll --help` lists the others.";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  atoll explain report.py
  atoll explain --tenant alice --level vm tool
  atoll explain --json report.py | jq .decision.reasons";

const PROFILE_EXAMPLES: &str = "\
Examples:
  atoll profile --stdin words.txt wordcount.py
  atoll profile --sizes 1000,2000,4000,8000,16000 sieve.py {}
  atoll profile --svg sieve.svg --sizes 100,1000,10000 sieve.py {}

Put --sizes before another option: what follows it without one is PROGRAM.";

const DOCTOR_EXAMPLES: &str = "\
Examples:
  atoll doctor
  atoll doctor --json | jq '.levels[] | select(.available | not)'";

const HISTORY_EXAMPLES: &str = "\
Examples:
  atoll history
  atoll history --tenant alice --status limit
  atoll history 0190b6a4-7c3e-7000-8000-000000000000
  atoll history --json --limit 1000 | jq '.messages[].usage.cpu_time_us'";

const POLICY_EXAMPLES: &str = "\
Examples:
  atoll policy show > my-policy.toml
  atoll policy check my-policy.toml
  atoll run --policy my-policy.toml report.py";

const COMPLETION_EXAMPLES: &str = "\
Examples:
  atoll completion bash > /etc/bash_completion.d/atoll
  atoll completion zsh > ~/.zfunc/_atoll
  atoll completion fish > ~/.config/fish/completions/atoll.fish";

const BENCH_EXAMPLES: &str = "\
Examples:
  atoll bench loop
  atoll bench run --iterations 200 --json
  atoll bench process";

#[cfg(test)]
mod tests;
