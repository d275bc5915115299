//! Jails that serve several programs, one after the other.

use std::time::Duration;

use atoll_jail::{Command, Jail, ProgramEnd};
use atoll_types::{LimitName, Limits, Usage};

use crate::support::{LIMITS, accepted, block_on, python, read_all, shell, spec};

/// What one of the programs has left to look at.
#[derive(Debug)]
struct Served {
    end: Option<ProgramEnd>,
    stdout: String,
    limit: Option<LimitName>,
    usage: Usage,
}

/// Whether there are such jails here: as an ordinary user and without cgroups there are none, and
/// what was asked to be one is like any other.
fn are_possible(name: &str) -> bool {
    let possible = Jail::is_renewable();
    if !possible {
        block_on(async {
            let mut jail = create(name, LIMITS).await;
            serve(&mut jail, shell("exit 0")).await;
            jail.renew(LIMITS).await.unwrap_err();
            jail.destroy().await.unwrap();
        });
    }
    possible
}

async fn create(name: &str, limits: Limits) -> Jail {
    let beginning = Jail::begin_renewable(&spec(name)).unwrap();
    beginning.finish(limits, &accepted()).await.unwrap()
}

async fn serve(jail: &mut Jail, command: Command) -> Served {
    let streams = jail.start(command).await.unwrap();
    drop(streams.stdin);
    let readers =
        [streams.stdout, streams.stderr].map(|stream| std::thread::spawn(move || read_all(stream)));
    let end = tokio::time::timeout(Duration::from_secs(60), jail.wait())
        .await
        .unwrap();
    let (limit, usage) = (jail.limit_hit(), jail.usage());
    jail.stop();
    let [stdout, stderr] = readers.map(|reader| reader.join().unwrap());
    assert_eq!(stderr, "", "{stdout}");
    Served {
        end,
        stdout,
        limit,
        usage,
    }
}

#[test]
fn processes_and_files_are_new_and_the_cgroup_is_the_same() {
    let look = "
cd /proc/self/ns
for ns in user cgroup; do readlink $ns; done
echo $$ $(ls -A /work /tmp /dev/shm | tr '\\n' ' ')
touch /work/a /tmp/b /dev/shm/c
";
    if !are_possible("renew-namespaces") {
        return;
    }
    block_on(async {
        let mut jail = create("renew-namespaces", LIMITS).await;
        let mut seen: Vec<Vec<String>> = Vec::new();
        for number in 0..3 {
            if number > 0 {
                jail.renew(LIMITS).await.unwrap();
            }
            let served = serve(&mut jail, shell(look)).await;
            assert_eq!(served.end, Some(ProgramEnd::Exited(0)));
            seen.push(served.stdout.lines().map(str::to_owned).collect());
        }
        jail.destroy().await.unwrap();
        for lines in &seen {
            assert_eq!(lines[0..2], seen[0][0..2], "{seen:?}");
            // The second process of a process namespace, every time.
            assert_eq!(lines[2], "2 /dev/shm: /tmp: /work:", "{seen:?}");
        }
    });
}

/// Every namespace that a program has for itself, held open so that its number stays its own.
fn hold_namespaces(shown: &str) -> Vec<(String, std::fs::File)> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let of_program = processes
        .map(|process| process.path().join("ns"))
        .find(|ns| std::fs::read_link(ns.join("pid")).is_ok_and(|link| link.as_os_str() == shown));
    let of_program = of_program.unwrap();
    ["pid", "mnt", "net", "ipc", "uts"]
        .map(|name| {
            let path = of_program.join(name);
            let link = std::fs::read_link(&path).unwrap();
            let held = std::fs::File::open(&path).unwrap();
            (link.to_str().unwrap().to_owned(), held)
        })
        .into()
}

#[test]
fn every_program_has_namespaces_of_its_own() {
    use std::io::{BufRead as _, BufReader};

    if !are_possible("renew-own-namespaces") {
        return;
    }
    block_on(async {
        let mut jail = create("renew-own-namespaces", LIMITS).await;
        let mut held: Vec<(String, std::fs::File)> = Vec::new();
        for number in 0..2 {
            if number > 0 {
                jail.renew(LIMITS).await.unwrap();
            }
            let streams = jail
                .start(shell("readlink /proc/self/ns/pid; read end"))
                .await;
            let streams = streams.unwrap();
            rustix::io::ioctl_fionbio(&streams.stdout, false).unwrap();
            let mut shown = String::new();
            let mut stdout = BufReader::new(std::fs::File::from(streams.stdout));
            stdout.read_line(&mut shown).unwrap();
            for (name, file) in hold_namespaces(shown.trim_end()) {
                assert!(
                    !held.iter().any(|(other, _)| *other == name),
                    "{name} again"
                );
                held.push((name, file));
            }
            drop(streams.stdin);
            jail.wait().await;
            jail.stop();
        }
        jail.destroy().await.unwrap();
    });
}

#[test]
fn usage_is_that_of_one_program() {
    let busy = "
data = bytearray(64 << 20)
for _ in range(3000000): pass
open('/tmp/large', 'wb').write(bytes(1 << 20))
";
    if !are_possible("renew-usage") {
        return;
    }
    block_on(async {
        let mut jail = create("renew-usage", LIMITS).await;
        let first = serve(&mut jail, python(busy)).await.usage;
        jail.renew(LIMITS).await.unwrap();
        let second = serve(&mut jail, shell("exit 0")).await.usage;
        jail.destroy().await.unwrap();
        assert!(first.memory_peak_bytes > 64 << 20, "{first:?}");
        assert!(second.memory_peak_bytes < 16 << 20, "{second:?}");
        assert!(
            second.cpu_time_us * 2 < first.cpu_time_us,
            "{first:?} {second:?}"
        );
        assert!(second.disk_bytes < 1 << 20, "{second:?}");
    });
}

#[test]
fn the_limits_are_those_of_the_next_program() {
    let grow = "
try:
    data = bytearray(48 << 20)
except MemoryError:
    pass
print('grown')
";
    if !are_possible("renew-limits") {
        return;
    }
    block_on(async {
        let mut jail = create("renew-limits", LIMITS).await;
        assert_eq!(serve(&mut jail, python(grow)).await.stdout, "grown\n");
        let tight = Limits {
            memory_bytes: 32 << 20,
            disk_bytes: 64 << 10,
            open_files: 20,
            ..LIMITS
        };
        jail.renew(tight).await.unwrap();
        let look = "ulimit -n; head -c 1000000 /dev/zero 2>/dev/null > /tmp/large || echo full";
        let served = serve(&mut jail, shell(look)).await;
        assert!(served.stdout.starts_with("20\n"), "{served:?}");
        jail.destroy().await.unwrap();

        let mut jail = create("renew-memory", LIMITS).await;
        serve(&mut jail, shell("exit 3")).await;
        jail.renew(tight).await.unwrap();
        let served = serve(&mut jail, python(grow)).await;
        assert_eq!(served.limit, Some(LimitName::Memory), "{served:?}");
        jail.destroy().await.unwrap();
    });
}

#[test]
fn the_end_of_a_killed_first_process_is_seen() {
    if !are_possible("renew-killed") {
        return;
    }
    block_on(async {
        let mut jail = create("renew-killed", LIMITS).await;
        let streams = jail.start(shell("sleep 100")).await.unwrap();
        jail.stop();
        let ended = tokio::time::timeout(Duration::from_secs(15), jail.wait()).await;
        assert_eq!(ended, Ok(None));
        // How it ended is not known, so it is not renewed either.
        jail.renew(LIMITS).await.unwrap_err();
        drop(streams);
        jail.destroy().await.unwrap();
    });
}

#[test]
fn a_jail_that_was_not_made_for_it_is_not_renewed() {
    block_on(async {
        let mut jail = crate::support::create(&spec("renew-plain"), LIMITS)
            .await
            .unwrap();
        serve(&mut jail, shell("exit 0")).await;
        jail.renew(LIMITS).await.unwrap_err();
        jail.destroy().await.unwrap();
    });
}
