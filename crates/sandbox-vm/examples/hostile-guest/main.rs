//! The first process of a guest that was taken over: it says what an agent says, up to a point, and
//! then what the file `/hostile` names.
//!
//! Owns the attempts; the tests beside it put it into a guest image and hold the host to its word.

mod queues;

use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use atoll_remote::protocol::{Hello, NOTICE_BYTES_MAX, Notice, ORDER_BYTES_MAX, Order, VERSION};
use atoll_remote::wire;
use rustix::mount::{MountFlags, mount};
use rustix::system::{RebootCommand, finit_module, reboot};

type Failed = Box<dyn Error + Send + Sync>;

/// How much garbage the devices get.
const ROUNDS: u32 = 500;

const PORT: &str = "/dev/vport0p1";

fn set_up() -> Result<String, Failed> {
    mount("devtmpfs", "/dev", "devtmpfs", MountFlags::empty(), c"")?;
    for name in fs::read_to_string("/modules/list")?.lines() {
        finit_module(File::open(Path::new("/modules").join(name))?, c"", 0)?;
    }
    while !Path::new(PORT).exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(fs::read_to_string("/hostile")?)
}

/// Bytes that are no frame, or one of four gigabytes, for as long as somebody takes them.
fn babble(mut port: &File) -> Result<(), Failed> {
    loop {
        port.write_all(&[0xff; 4096])?;
    }
}

async fn pretend(port: &File, then: &str) -> Result<(), Failed> {
    let ends = (port.try_clone()?.into(), port.try_clone()?.into());
    let (mut reader, mut writer) = wire(ends.0, ends.1, ORDER_BYTES_MAX, NOTICE_BYTES_MAX)?;
    writer.queue(&Notice::Hello(Hello {
        version: VERSION,
        kernel: "Hostile \u{1b}[31m 1".to_owned(),
        memory_bytes: u64::MAX,
        processors: u32::MAX,
    }))?;
    writer.flush().await?;
    while let Some(order) = reader.next::<Order>().await? {
        match order {
            Order::Prepare { .. } => writer.queue(&Notice::Prepared)?,
            Order::Begin(_) => writer.queue(&Notice::Ready { layers: Vec::new() })?,
            Order::Run(_) => {
                writer.queue(&Notice::Started)?;
                writer.flush().await?;
                end(port, then)?;
            }
            _ => {}
        }
        writer.flush().await?;
    }
    Ok(())
}

fn end(port: &File, how: &str) -> Result<(), Failed> {
    match how {
        "reset" => reboot(RebootCommand::Restart)?,
        "off" => reboot(RebootCommand::PowerOff)?,
        // The end of the first process is the end of the kernel.
        "panic" => std::process::exit(1),
        "queues" => {
            mount("proc", "/proc", "proc", MountFlags::empty(), c"")?;
            mount("sysfs", "/sys", "sysfs", MountFlags::empty(), c"")?;
            queues::provoke(ROUNDS)?;
            // Nobody hears anything of it any more, unless the devices still work.
            std::thread::sleep(Duration::from_secs(1));
            reboot(RebootCommand::PowerOff)?;
        }
        "console" => loop {
            File::options()
                .write(true)
                .open("/dev/console")?
                .write_all(&[b'x'; 4096])?;
        },
        _ => babble(port)?,
    }
    Ok(())
}

fn main() -> Result<(), Failed> {
    let ended = run();
    if let Err(error) = &ended {
        let _ = writeln!(std::io::stderr(), "atoll-agent: {error}");
    }
    ended
}

fn run() -> Result<(), Failed> {
    let how = set_up()?;
    let port = File::options().read(true).write(true).open(PORT)?;
    match how.split_once(' ') {
        Some(("running", then)) => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(pretend(&port, then)),
        _ => end(&port, &how),
    }
}
