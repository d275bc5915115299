//! Python: what `uv` is asked to do.

use crate::registry::Registry;
use crate::sandbox::{CERTIFICATES, Job, PROXY};
use crate::tools::Toolset;
use crate::wanted::Wanted;

const REQUIREMENTS: &str = "requirements.in";
const LOCK: &str = "requirements.lock";

/// Resolves requirements into a lock, which comes to standard output.
pub(crate) fn resolve<'a>(wanted: &Wanted, tools: &'a Toolset, registry: &Registry) -> Job<'a> {
    let lines = wanted
        .requirements
        .iter()
        .map(|one| one.text.clone() + "\n");
    let arguments = [
        "compile",
        REQUIREMENTS,
        "--generate-hashes",
        "--no-annotate",
        "--no-header",
        "--no-emit-index-url",
    ];
    let file = (REQUIREMENTS, lines.collect::<String>().into_bytes());
    job(
        "resolve the dependencies",
        &arguments,
        file,
        tools,
        registry,
    )
}

/// Installs what a lock names into the directory `layer`.
pub(crate) fn install<'a>(lock: &str, tools: &'a Toolset, registry: &Registry) -> Job<'a> {
    let arguments = [
        "install",
        "--requirements",
        LOCK,
        "--require-hashes",
        "--no-deps",
        "--target",
        crate::layers::CONTENT,
        "--link-mode",
        "copy",
        "--compile-bytecode",
    ];
    let file = (LOCK, lock.as_bytes().to_vec());
    job(
        "install the dependencies",
        &arguments,
        file,
        tools,
        registry,
    )
}

/// Whether a line of `uv` tells that the download of a package has begun.
pub(crate) fn begins_download(line: &str) -> bool {
    line.contains("No cache entry for: ") && line.trim_end().ends_with(".whl")
}

fn job<'a>(
    step: &'static str,
    arguments: &[&str],
    file: (&'static str, Vec<u8>),
    tools: &'a Toolset,
    registry: &Registry,
) -> Job<'a> {
    let interpreter = tools.interpreter.to_string_lossy();
    let common = [
        "--no-config",
        // Building runs code of the package.
        "--no-build",
        "--no-progress",
        "--no-python-downloads",
        "--color",
        "never",
        "--python",
        &interpreter,
    ];
    let arguments = ["pip"].iter().chain(arguments).chain(&common);
    let mut environment = vec![
        // Credentials of the registry are not for the list of arguments.
        ("UV_DEFAULT_INDEX", registry.url.clone()),
        ("UV_CACHE_DIR", "/tmp/cache".to_owned()),
        ("UV_HTTP_TIMEOUT", "60".to_owned()),
        ("HTTPS_PROXY", PROXY.to_owned()),
        ("RUST_LOG", "uv=debug".to_owned()),
        ("NO_COLOR", "1".to_owned()),
        // The files of a layer never change, and their times say nothing.
        ("PYC_INVALIDATION_MODE", "UNCHECKED_HASH".to_owned()),
    ];
    if registry.certificates.is_some() {
        environment.push(("SSL_CERT_FILE", CERTIFICATES.to_owned()));
    }
    Job {
        step,
        program: &tools.tool,
        arguments: arguments.map(|argument| (*argument).to_owned()).collect(),
        environment,
        files: vec![file],
        interpreter: &tools.interpreter,
    }
}
