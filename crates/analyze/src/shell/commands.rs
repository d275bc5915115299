//! What commands do to a script's surroundings. Knows nothing about syntax.

use atoll_types::{Capability, DependencySource};

use crate::findings::Findings;

const BUILTINS: &str = " : . [ [[ alias bg bind break cd command continue declare echo eval exec \
    exit export false fg getopts hash jobs let local printf pwd read readonly return set shift \
    shopt source test times trap true type typeset ulimit umask unalias unset wait ";
const STANDARD: &str = " awk base64 basename bc cat chgrp chmod chown cmp comm cp cut date dd df \
    diff dirname du env expr find fold grep egrep fgrep head hostname id join kill ln ls mkdir \
    mktemp mv nice nl nohup nproc od paste ps rm rmdir sed seq sh bash sha256sum sleep sort \
    split stat sync tail tar tee timeout touch tr tsort uname uniq wc whoami xargs yes mount umount ";
const TABLE: [(&str, Capability); 7] = [
    (
        " cp mv rm rmdir mkdir touch tee dd ln mktemp split tar chmod chown truncate ",
        Capability::FilesWrite,
    ),
    (
        " cp dd find ls tar du stat source . ",
        Capability::FilesRead,
    ),
    (
        " curl wget nc ncat ssh scp telnet ping rsync sftp ftp socat ",
        Capability::Network,
    ),
    (
        " sudo su mount umount chroot insmod modprobe sysctl doas ",
        Capability::SystemChange,
    ),
    (" sleep date timeout ", Capability::Time),
    (" env export printenv ", Capability::Environment),
    (
        " uname hostname whoami id ps df nproc ",
        Capability::SystemInformation,
    ),
];

fn lists(list: &str, name: &str) -> bool {
    list.split_ascii_whitespace().any(|entry| entry == name)
}

/// Notes a command that is not a function of the script.
pub(super) fn command(name: &str, arguments: &[String], findings: &mut Findings) {
    let base = name.rsplit('/').next().unwrap_or(name);
    let builtin = lists(BUILTINS, base);
    findings.host_call(name);
    findings.dependency(
        name,
        if builtin || lists(STANDARD, base) {
            DependencySource::StandardLibrary
        } else {
            DependencySource::ThirdParty
        },
    );
    if !builtin || base == "exec" {
        findings.capability(Capability::Processes);
    }
    for (names, capability) in TABLE {
        if lists(names, base) {
            findings.capability(capability);
        }
    }
    let has_file = arguments.iter().any(|argument| !argument.starts_with('-'));
    if has_file && lists("cat head tail grep sed awk sort wc cut uniq diff", base) {
        findings.capability(Capability::FilesRead);
    }
}

/// Notes code and numbers in the arguments of one command.
pub(super) fn arguments(name: &str, words: &[String], line: u64, findings: &mut Findings) {
    let base = name.rsplit('/').next().unwrap_or(name);
    let varies = words.iter().any(|word| word.contains(['$', '`']));
    if base == "eval" || matches!(base, "source" | "." | "sh" | "bash") && varies {
        findings.capability(Capability::DynamicCode);
        findings.problem(Some(line), "code is made while the script runs");
    }
    let embeds = words.iter().any(|word| word == "-c" || word == "-e");
    let other = base.starts_with("python") || lists("perl node ruby php", base);
    if other && embeds || base == "awk" && words.iter().any(|word| word.contains("system(")) {
        findings.capability(Capability::DynamicCode);
        findings.problem(Some(line), "embeds code in another language");
    }
    let role = match base {
        "sleep" => "sleep",
        "seq" => "range",
        "head" | "dd" => "count",
        _ => return,
    };
    for word in words {
        if let Ok(value) = word.trim_start_matches("count=").parse() {
            findings.literal(role, value);
        }
    }
}
