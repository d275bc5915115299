//! What commands are there on any system, and what they do to their surroundings.
//!
//! Source: the utilities of POSIX.1-2024, the built-in commands of bash, and the GNU core
//! utilities; then the commands that most often reach for networks and the system.

use atoll_types::Capability::{
    self, DynamicCode, Environment, FilesRead, FilesWrite, NativeCode, Network, Processes,
    Randomness, SystemChange, SystemInformation, Time,
};

/// Where a command comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// Part of the shell: no process is started.
    BuiltIn,
    /// Part of any system.
    System,
    /// Has to be installed.
    Elsewhere,
}

/// What is known about a command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Command {
    pub(super) home: Home,
    pub(super) capabilities: &'static [Capability],
    /// After how many operands files to read follow, if any do.
    pub(super) files_after: Option<usize>,
}

const fn built_in(capabilities: &'static [Capability]) -> Command {
    Command {
        home: Home::BuiltIn,
        capabilities,
        files_after: None,
    }
}

const fn system(capabilities: &'static [Capability]) -> Command {
    Command {
        home: Home::System,
        capabilities,
        files_after: None,
    }
}

const fn filter(files_after: usize) -> Command {
    Command {
        home: Home::System,
        capabilities: &[],
        files_after: Some(files_after),
    }
}

const fn elsewhere(capabilities: &'static [Capability]) -> Command {
    Command {
        home: Home::Elsewhere,
        capabilities,
        files_after: None,
    }
}

/// What is known about the command of this name, without directory.
pub(super) fn command(name: &str) -> Command {
    known_built_in(name)
        .or_else(|| known_filter(name))
        .or_else(|| known_system(name))
        .or_else(|| known_administration(name))
        .unwrap_or_else(|| known_elsewhere(name))
}

fn known_built_in(name: &str) -> Option<Command> {
    Some(match name {
        ":" | "[" | "[[" | "bg" | "bind" | "break" | "builtin" | "caller" | "cd" | "command"
        | "compgen" | "complete" | "compopt" | "continue" | "dirs" | "disown" | "echo"
        | "enable" | "eval" | "exec" | "exit" | "false" | "fc" | "fg" | "getopts" | "hash"
        | "help" | "history" | "jobs" | "let" | "logout" | "mapfile" | "popd" | "printf"
        | "pushd" | "pwd" | "read" | "readarray" | "return" | "set" | "shift" | "shopt"
        | "suspend" | "test" | "trap" | "true" | "type" | "typeset" | "umask" | "unalias"
        | "unset" | "wait" | "declare" | "local" | "readonly" | "alias" => built_in(&[]),
        "export" => built_in(&[Environment]),
        "." | "source" => built_in(&[FilesRead]),
        "kill" => built_in(&[Processes]),
        "time" | "times" => built_in(&[Time]),
        "ulimit" => built_in(&[SystemInformation]),
        _ => return None,
    })
}

/// Commands that read standard input, or the files named behind their other operands.
fn known_filter(name: &str) -> Option<Command> {
    Some(match name {
        "b2sum" | "base32" | "base64" | "cat" | "cksum" | "cmp" | "column" | "comm" | "csplit"
        | "cut" | "diff" | "diff3" | "expand" | "file" | "fmt" | "fold" | "hd" | "head"
        | "hexdump" | "iconv" | "join" | "less" | "look" | "md5sum" | "more" | "nl" | "od"
        | "paste" | "pr" | "ptx" | "rev" | "sha1sum" | "sha224sum" | "sha256sum" | "sha384sum"
        | "sha512sum" | "sort" | "strings" | "sum" | "tac" | "tail" | "tsort" | "unexpand"
        | "uniq" | "wc" | "xxd" => filter(0),
        "awk" | "egrep" | "fgrep" | "gawk" | "grep" | "mawk" | "nawk" | "sed" => filter(1),
        _ => return None,
    })
}

fn known_system(name: &str) -> Option<Command> {
    Some(match name {
        "basename" | "dirname" | "expr" | "factor" | "false" | "fgrep" | "getopt" | "nohup"
        | "numfmt" | "pathchk" | "seq" | "stdbuf" | "tput" | "tr" | "tty" | "xargs" | "yes"
        | "bc" | "dc" | "nice" | "setsid" | "stty" | "clear" | "tset" | "reset" | "sync"
        | "logger" | "man" | "gencat" | "locale" | "localedef" | "iconvconfig" => system(&[]),
        "dir" | "du" | "find" | "getfacl" | "ls" | "namei" | "readlink" | "realpath" | "stat"
        | "tree" | "vdir" | "which" | "whereis" => system(&[FilesRead]),
        "chgrp" | "chmod" | "chown" | "fallocate" | "install" | "link" | "ln" | "mkdir"
        | "mkfifo" | "mktemp" | "mv" | "rm" | "rmdir" | "setfacl" | "shred" | "split" | "tee"
        | "touch" | "truncate" | "unlink" => system(&[FilesWrite]),
        "ar" | "bunzip2" | "bzip2" | "compress" | "cp" | "cpio" | "dd" | "ed" | "ex" | "gunzip"
        | "gzip" | "patch" | "pax" | "tar" | "uncompress" | "unxz" | "vi" | "xz" | "zcat"
        | "crontab" | "at" | "batch" => system(&[FilesRead, FilesWrite]),
        "date" | "sleep" | "timeout" | "usleep" | "cal" => system(&[Time]),
        "mcookie" | "shuf" | "uuidgen" => system(&[Randomness]),
        "env" | "printenv" => system(&[Environment]),
        "arch" | "blkid" | "df" | "dmesg" | "free" | "getconf" | "getent" | "groups" | "hostid"
        | "hostname" | "id" | "last" | "lastlog" | "logname" | "lsblk" | "lscpu" | "lsmod"
        | "lsof" | "lspci" | "lsusb" | "nproc" | "pidof" | "pgrep" | "ps" | "pstree" | "pwdx"
        | "top" | "uname" | "uptime" | "users" | "vmstat" | "w" | "who" | "whoami" | "ipcs" => {
            system(&[SystemInformation])
        }
        "killall" | "pkill" | "renice" | "chrt" | "ionice" | "taskset" | "flock" | "script" => {
            system(&[Processes])
        }
        "bash" | "dash" | "ksh" | "sh" | "zsh" | "ash" => system(&[Processes]),
        _ => return None,
    })
}

/// Commands that reach for networks, or change the system itself.
fn known_administration(name: &str) -> Option<Command> {
    Some(match name {
        "arp" | "ifconfig" | "ip" | "netstat" | "ping" | "ping6" | "route" | "ss" | "talk"
        | "traceroute" | "uucp" | "mailx" | "mail" | "sendmail" | "nslookup" => system(&[Network]),
        "chattr"
        | "chroot"
        | "chsh"
        | "depmod"
        | "doas"
        | "fdisk"
        | "fsck"
        | "groupadd"
        | "halt"
        | "hwclock"
        | "init"
        | "insmod"
        | "ipcrm"
        | "iptables"
        | "losetup"
        | "mkfs"
        | "mknod"
        | "mkswap"
        | "modprobe"
        | "mount"
        | "nft"
        | "nsenter"
        | "parted"
        | "passwd"
        | "pivot_root"
        | "poweroff"
        | "reboot"
        | "rmmod"
        | "runuser"
        | "service"
        | "setcap"
        | "setpriv"
        | "shutdown"
        | "su"
        | "sudo"
        | "swapoff"
        | "swapon"
        | "sysctl"
        | "systemctl"
        | "tc"
        | "umount"
        | "unshare"
        | "update-alternatives"
        | "useradd"
        | "userdel"
        | "usermod"
        | "visudo"
        | "chpasswd" => system(&[SystemChange]),
        _ => return None,
    })
}

fn known_elsewhere(name: &str) -> Command {
    elsewhere(match name {
        "aria2c" | "axel" | "curl" | "ftp" | "lftp" | "rsync" | "scp" | "sftp" | "wget" => {
            &[Network, FilesWrite]
        }
        "dig" | "host" | "mosh" | "nc" | "ncat" | "netcat" | "nmap" | "socat" | "ssh"
        | "telnet" | "tcpdump" | "whois" | "drill" | "openvpn" | "wg" => &[Network],
        "apk" | "apt" | "apt-get" | "brew" | "cargo" | "conda" | "dnf" | "dpkg" | "gem" | "go"
        | "npm" | "npx" | "pip" | "pip3" | "pnpm" | "pacman" | "rpm" | "rustup" | "snap" | "uv"
        | "yarn" | "yum" | "zypper" | "git" | "hg" | "svn" | "cmake" | "make" | "ninja"
        | "bazel" => &[Network, FilesRead, FilesWrite],
        "ansible" | "aws" | "az" | "docker" | "gcloud" | "helm" | "kubectl" | "nerdctl"
        | "podman" | "terraform" | "vagrant" => &[Network, SystemChange],
        "as" | "c++" | "cc" | "clang" | "clang++" | "g++" | "gcc" | "gdb" | "ld" | "ltrace"
        | "objdump" | "rustc" | "strace" | "tcc" => &[NativeCode, FilesRead, FilesWrite],
        "openssl" | "gpg" | "age" => &[Randomness, FilesRead, FilesWrite],
        "7z" | "bsdtar" | "convert" | "ffmpeg" | "magick" | "pandoc" | "unzip" | "zip" | "zstd" => {
            &[FilesRead, FilesWrite]
        }
        "jq" | "yq" | "xmllint" | "sqlite3" => &[FilesRead],
        "busybox" | "toybox" | "parallel" | "watch" | "expect" | "screen" | "tmux" => &[Processes],
        "osascript" | "vim" | "nvim" | "emacs" => &[DynamicCode],
        _ => &[],
    })
}

/// The single-letter options of a filter that take the next word as their value.
pub(super) fn valued_options(name: &str) -> &'static str {
    match name {
        "head" | "tail" => "nc",
        "cut" => "bcdf",
        "sort" => "koSTt",
        "uniq" => "fsw",
        "grep" | "egrep" | "fgrep" => "ABCDdefm",
        "sed" => "efl",
        "awk" | "gawk" | "mawk" | "nawk" => "Fv",
        "base64" | "base32" | "fold" | "fmt" => "w",
        "od" => "AjNtw",
        "hexdump" | "hd" => "efns",
        "xxd" => "cglos",
        "join" => "12aejtvo",
        "paste" => "d",
        "column" => "cs",
        "nl" => "bdfhilnsvw",
        "pr" => "hlow",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_are_told_apart() {
        assert_eq!(command("cd").home, Home::BuiltIn);
        assert_eq!(command("grep").home, Home::System);
        assert_eq!(command("mount").home, Home::System);
        assert_eq!(command("curl").home, Home::Elsewhere);
        assert_eq!(command("no-such-command").home, Home::Elsewhere);
    }
}
