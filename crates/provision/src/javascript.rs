//! JavaScript: what `npm` is asked to do.

use crate::registry::Registry;
use crate::sandbox::{CERTIFICATES, Job, PROXY};
use crate::tools::Toolset;
use crate::wanted::Wanted;

const PACKAGE: &str = "package.json";

/// The lock, as it is left in the working directory.
pub(crate) const LOCK: &str = "package-lock.json";

/// Resolves a `package.json` into a lock, which is left in the working directory.
pub(crate) fn resolve<'a>(wanted: &Wanted, tools: &'a Toolset, registry: &Registry) -> Job<'a> {
    let arguments = ["install", "--package-lock-only"];
    let files = vec![(PACKAGE, wanted.package.clone())];
    job(
        "resolve the dependencies",
        &arguments,
        files,
        tools,
        registry,
    )
}

/// Installs what a lock names into the directory `node_modules`.
pub(crate) fn install<'a>(
    wanted: &Wanted,
    lock: &str,
    tools: &'a Toolset,
    registry: &Registry,
) -> Job<'a> {
    let files = vec![
        (PACKAGE, wanted.package.clone()),
        (LOCK, lock.as_bytes().to_vec()),
    ];
    job("install the dependencies", &["ci"], files, tools, registry)
}

/// Whether a line of `npm` tells that a package has come.
pub(crate) fn ends_download(line: &str) -> bool {
    line.starts_with("npm http fetch GET 200 ") && line.contains(".tgz")
}

fn job<'a>(
    step: &'static str,
    arguments: &[&str],
    files: Vec<(&'static str, Vec<u8>)>,
    tools: &'a Toolset,
    registry: &Registry,
) -> Job<'a> {
    let script = tools.tool.to_string_lossy().into_owned();
    // Scripts of packages would run their code.
    let common = ["--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"];
    let arguments = arguments.iter().chain(&common);
    let setting = |name, value: &str| (name, value.to_owned());
    let mut environment = vec![
        setting("npm_config_ignore_scripts", "true"),
        setting("npm_config_registry", &registry.url),
        setting("npm_config_https_proxy", PROXY),
        setting("npm_config_cache", "/tmp/cache"),
        setting("npm_config_userconfig", "/tmp/npmrc"),
        setting("npm_config_globalconfig", "/tmp/npmrc-global"),
        setting("npm_config_update_notifier", "false"),
        // Links are not taken over, and programs import.
        setting("npm_config_bin_links", "false"),
        setting("npm_config_loglevel", "http"),
        setting("npm_config_color", "false"),
        setting("npm_config_progress", "false"),
        setting("npm_config_fetch_retries", "2"),
        setting("npm_config_fetch_retry_mintimeout", "500"),
        setting("npm_config_fetch_timeout", "60000"),
        setting("npm_config_logs_max", "0"),
        setting("npm_config_git", "/bin/false"),
    ];
    if registry.certificates.is_some() {
        environment.push(setting("npm_config_cafile", CERTIFICATES));
        environment.push(setting("NODE_EXTRA_CA_CERTS", CERTIFICATES));
    }
    Job {
        step,
        program: &tools.interpreter,
        arguments: std::iter::once(script)
            .chain(arguments.map(|argument| (*argument).to_owned()))
            .collect(),
        environment,
        files,
        interpreter: &tools.interpreter,
    }
}
