//! The tools that resolve and install, and the interpreters they do it for.
//!
//! Owns where they are looked for, and what their identity is: a lock and a layer are made by one
//! tool for one interpreter. What a tool answered when it was asked for its version is kept for as
//! long as its file is the same, because asking takes longer than everything else.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use atoll_jail::helper_binary;
use serde::{Deserialize, Serialize};

use crate::error::storage;
use crate::registry::ToolsDefault;
use crate::version::Release;
use crate::{Language, ProvisionError};

const UV_REMEDY: &str =
    "run scripts/provision-tools.sh, or install uv and put it into PATH or beside atoll";
const PYTHON_REMEDY: &str = "install python3, or name the interpreter";
const NPM_REMEDY: &str = "install npm and put it into PATH";
const NODE_REMEDY: &str = "install nodejs, or name the interpreter";

/// What is asked of a Python interpreter: what its wheels are chosen by.
const PYTHON_QUESTION: &str = "import platform, sys, sysconfig; print('%d.%d.%d' % \
     sys.version_info[:3], sys.implementation.cache_tag, sysconfig.get_platform(), \
     *platform.libc_ver(), sys.abiflags)";

const NODE_QUESTION: &str = "process.version + ' ' + process.platform + ' ' + process.arch + ' ' \
     + process.versions.modules";

/// What pip knows of its default index: its address, and the host of its files.
const PIP_QUESTION: &str = "from pip._internal.models.index import PyPI; print(PyPI.simple_url, \
     PyPI.file_storage_domain)";

/// Where the tools and interpreters of a host are.
#[derive(Debug, Clone, Default)]
pub struct Tools {
    /// `uv`.
    pub uv: Option<PathBuf>,
    /// The interpreter of Python programs.
    pub python: Option<PathBuf>,
    /// `npm`, or the script that it is.
    pub npm: Option<PathBuf>,
    /// The interpreter of JavaScript programs.
    pub node: Option<PathBuf>,
}

impl Tools {
    /// Looks for them: `uv` where Atoll's own programs are and in `PATH`, the interpreters in the
    /// system's directories and in `PATH`, where Atoll finds those of programs.
    #[must_use]
    pub fn find() -> Self {
        Self {
            uv: helper_binary("uv").ok().or_else(|| in_path("uv")),
            python: of_the_system("python3").or_else(|| in_path("python3")),
            npm: of_the_system("npm").or_else(|| in_path("npm")),
            node: of_the_system("node").or_else(|| in_path("node")),
        }
    }

    /// The tool and the interpreter for a language, with what they are.
    pub(crate) fn identify(
        &self,
        language: Language,
        kept: &Path,
    ) -> Result<Toolset, ProvisionError> {
        match language {
            Language::Python => {
                let tool = resolved(self.uv.as_deref(), "uv", UV_REMEDY)?;
                let interpreter = resolved(self.python.as_deref(), "python3", PYTHON_REMEDY)?;
                Ok(Toolset {
                    tool_version: asked(&tool, &["--version"], kept)?,
                    interpreter_version: asked(
                        &interpreter,
                        &["-I", "-S", "-c", PYTHON_QUESTION],
                        kept,
                    )?,
                    tool,
                    interpreter,
                })
            }
            Language::JavaScript => {
                let tool = resolved(self.npm.as_deref(), "npm", NPM_REMEDY)?;
                let interpreter = resolved(self.node.as_deref(), "node", NODE_REMEDY)?;
                Ok(Toolset {
                    tool_version: npm_version(&tool)?,
                    interpreter_version: asked(&interpreter, &["-p", NODE_QUESTION], kept)?,
                    tool,
                    interpreter,
                })
            }
        }
    }
}

impl Toolset {
    /// The registry that is used where nothing is configured: what npm says of itself, and what pip
    /// says, whose default is that of uv.
    pub(crate) fn default_registry(
        &self,
        language: Language,
        kept: &Path,
    ) -> Result<ToolsDefault, ProvisionError> {
        match language {
            Language::Python => {
                let answer = asked(&self.interpreter, &["-I", "-c", PIP_QUESTION], kept);
                let answer = answer.map_err(|_| ProvisionError::Registry {
                    problem: "none is configured, and pip, which knows the default one, does not \
                              answer; set UV_DEFAULT_INDEX, or install python3-pip"
                        .to_owned(),
                })?;
                let (url, files) = answer.split_once(' ').unwrap_or((&answer, ""));
                Ok(ToolsDefault {
                    // pip leaves the last slash away.
                    url: format!("{}/", url.trim_end_matches('/')),
                    files_at: Some(files.to_owned()).filter(|host| !host.is_empty()),
                })
            }
            Language::JavaScript => {
                let script = self.tool.to_string_lossy();
                let question = [&*script, "config", "get", "registry"];
                Ok(ToolsDefault {
                    url: asked(&self.interpreter, &question, kept)?,
                    files_at: None,
                })
            }
        }
    }
}

/// A tool and the interpreter it works for.
#[derive(Debug, Clone)]
pub(crate) struct Toolset {
    pub(crate) tool: PathBuf,
    pub(crate) interpreter: PathBuf,
    pub(crate) tool_version: String,
    pub(crate) interpreter_version: String,
}

impl Toolset {
    /// Everything about them that a lock and a layer depend on.
    pub(crate) fn identity(&self) -> String {
        format!("{}\n{}\n", self.tool_version, self.interpreter_version)
    }

    /// The release of the interpreter.
    pub(crate) fn release(&self) -> Option<Release> {
        let first = self.interpreter_version.split(' ').next()?;
        Release::parse(first)
    }
}

fn of_the_system(name: &str) -> Option<PathBuf> {
    let places = ["/usr/local/bin", "/usr/bin", "/bin"];
    let mut candidates = places.iter().map(|place| Path::new(place).join(name));
    candidates.find(|path| path.is_file())
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut candidates = std::env::split_paths(&path)
        .filter(|place| place.is_absolute())
        .map(|place| place.join(name));
    candidates.find(|path| path.is_file())
}

/// The file itself, behind all links.
fn resolved(
    path: Option<&Path>,
    tool: &'static str,
    remedy: &'static str,
) -> Result<PathBuf, ProvisionError> {
    path.and_then(|path| path.canonicalize().ok())
        .ok_or(ProvisionError::NoTool { tool, remedy })
}

/// The version of the npm that a script belongs to, from the description beside it.
fn npm_version(script: &Path) -> Result<String, ProvisionError> {
    #[derive(Deserialize)]
    struct Description {
        name: String,
        version: String,
    }
    let directory = script.parent().and_then(Path::parent);
    let description = directory.map(|directory| directory.join("package.json"));
    let text = description.and_then(|path| fs::read(path).ok());
    let read = text.and_then(|text| serde_json::from_slice::<Description>(&text).ok());
    match read.filter(|description| description.name == "npm") {
        Some(description) => Ok(format!("npm {}", description.version)),
        None => Err(ProvisionError::NoTool {
            tool: "npm",
            remedy: "what stands at its place is not npm's own script; install npm",
        }),
    }
}

/// What was answered, and by which file.
#[derive(Serialize, Deserialize)]
struct Answer {
    of: (PathBuf, u64, u64, u64, i64, i64),
    question: String,
    answer: String,
}

/// What a program of the host answers, as long as its file is the same.
fn asked(program: &Path, question: &[&str], kept: &Path) -> Result<String, ProvisionError> {
    let metadata = fs::metadata(program).map_err(storage("look at", program))?;
    let of = (
        program.to_owned(),
        metadata.dev(),
        metadata.ino(),
        metadata.len(),
        metadata.mtime(),
        metadata.mtime_nsec(),
    );
    let question_text = question.join(" ");
    let key = blake3::hash(format!("{}\n{question_text}", program.display()).as_bytes());
    let file = kept.join(format!("{}.json", key.to_hex()));
    let known = fs::read(&file).ok();
    let known = known.and_then(|text| serde_json::from_slice::<Answer>(&text).ok());
    if let Some(known) = known.filter(|known| known.of == of && known.question == question_text) {
        return Ok(known.answer);
    }
    let answer = run(program, question)?;
    let kept = Answer {
        of,
        question: question_text,
        answer: answer.clone(),
    };
    // Without it the next one asks again.
    if let Ok(text) = serde_json::to_vec(&kept) {
        let _ = crate::files::write_whole(&file, &text);
    }
    Ok(answer)
}

fn run(program: &Path, arguments: &[&str]) -> Result<String, ProvisionError> {
    let output = Command::new(program)
        .args(arguments.iter().map(OsStr::new))
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .stdin(Stdio::null())
        .current_dir("/")
        .output()
        .map_err(storage("run", program))?;
    let answer = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && !answer.is_empty() && answer.len() < 512 {
        Ok(answer)
    } else {
        let error = std::io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned());
        Err(storage("ask for its version", program)(error))
    }
}
