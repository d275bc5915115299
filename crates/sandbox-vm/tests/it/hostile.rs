//! Guests that were taken over, and images that are damaged: each comes to a clear end, and nothing
//! is left.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use atoll_sandbox::conformance::limits;
use atoll_sandbox::{Backend, CreateError, Ending};
use atoll_sandbox_vm::VmBackend;
use atoll_types::ProgramKind;
use sha2::{Digest, Sha256};

use crate::support::{backend, job, runtime, spec};

/// The image that was built.
fn original() -> PathBuf {
    atoll_jail::helper_binary("guest/manifest.json")
        .unwrap()
        .parent()
        .unwrap()
        .to_owned()
}

/// An image with another first process, which is told what to do.
fn image_with(hostile: &str) -> tempfile::TempDir {
    let place = image();
    let own = std::env::current_exe().unwrap();
    let examples = own.parent().unwrap().parent().unwrap().join("examples");
    let program = fs::read(examples.join("hostile-guest")).unwrap();
    // What comes later takes the place of what came before.
    let mut initrd = fs::read(original().join("initrd")).unwrap();
    initrd.resize(initrd.len().next_multiple_of(512), 0);
    append(&mut initrd, "init", 0o100_755, &program);
    append(&mut initrd, "hostile", 0o100_644, hostile.as_bytes());
    append(&mut initrd, "TRAILER!!!", 0, b"");
    replace(place.path(), "initrd", &initrd);
    describe(place.path());
    place
}

/// A copy of the image that was built, which shares its large files.
fn image() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for name in ["vmlinux", "initrd", "root.erofs", "manifest.json"] {
        symlink(original().join(name), place.path().join(name)).unwrap();
    }
    place
}

fn replace(place: &Path, name: &str, content: &[u8]) {
    fs::remove_file(place.join(name)).unwrap();
    fs::write(place.join(name), content).unwrap();
}

/// Lets the manifest say what is there.
fn describe(place: &Path) {
    let mut text = fs::read_to_string(place.join("manifest.json")).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let content = fs::read(place.join("initrd")).unwrap();
    let digest = Sha256::digest(&content);
    let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    manifest["files"]["initrd"] = serde_json::json!({ "bytes": content.len(), "sha256": hash });
    text = manifest.to_string();
    replace(place, "manifest.json", text.as_bytes());
}

/// One file of a cpio archive (the format that the kernel reads, "newc").
fn append(archive: &mut Vec<u8>, name: &str, mode: u32, content: &[u8]) {
    let fields = [
        0,
        mode,
        0,
        0,
        1,
        0,
        u32::try_from(content.len()).unwrap(),
        0,
        0,
        0,
        0,
        u32::try_from(name.len() + 1).unwrap(),
        0,
    ];
    archive.extend(b"070701");
    fields
        .iter()
        .for_each(|field| archive.extend(format!("{field:08x}").bytes()));
    archive.extend(name.bytes());
    archive.push(0);
    archive.resize(archive.len().next_multiple_of(4), 0);
    archive.extend(content);
    archive.resize(archive.len().next_multiple_of(4), 0);
}

fn text(error: &CreateError) -> String {
    match error {
        CreateError::Internal { source, .. } => format!("{error}: {source}"),
        error => error.to_string(),
    }
}

/// Why no sandbox can be made from an image.
fn refused(place: &Path) -> String {
    runtime().block_on(async {
        let backend = VmBackend::with_image(place);
        let created = backend.create(spec("vm-hostile", ProgramKind::Shell, limits()));
        match created.await {
            Ok(_) => panic!("a sandbox was made"),
            Err(error) => text(&error),
        }
    })
}

/// How a program ends whose guest is taken over once it runs.
fn ending(hostile: &str) -> String {
    let place = image_with(hostile);
    runtime().block_on(async {
        let backend = VmBackend::with_image(place.path());
        let created = backend.create(spec("vm-hostile", ProgramKind::Shell, limits()));
        let mut sandbox = created.await.map_err(|error| text(&error)).unwrap();
        let started = sandbox.start(job(ProgramKind::Shell, "echo hello")).await;
        if let Err(error) = started {
            sandbox.destroy().await.unwrap();
            return error.to_string();
        }
        let limit = Duration::from_secs(60);
        let ended = tokio::time::timeout(limit, sandbox.wait()).await;
        sandbox.destroy().await.unwrap();
        match ended {
            Ok(Ending::Lost(why)) => why,
            other => panic!("it ended with {other:?}"),
        }
    })
}

#[test]
fn a_guest_that_babbles_never_becomes_a_sandbox() {
    let Some(_) = backend() else { return };
    let why = refused(image_with("babble").path());
    assert!(why.contains("boot a virtual machine"), "{why}");
}

#[test]
fn a_kernel_that_fails_while_it_boots_says_so() {
    let Some(_) = backend() else { return };
    let why = refused(image_with("panic").path());
    assert!(why.contains("Kernel panic"), "{why}");
}

#[test]
fn a_guest_that_resets_its_machine_ends_the_program() {
    let Some(_) = backend() else { return };
    let why = ending("running reset");
    assert!(why.contains("reset its machine"), "{why}");
}

#[test]
fn a_kernel_that_fails_ends_the_program() {
    let Some(_) = backend() else { return };
    let why = ending("running panic");
    assert!(why.contains("Kernel panic"), "{why}");
}

#[test]
fn garbage_on_the_port_ends_the_machine() {
    let Some(_) = backend() else { return };
    let why = ending("running babble");
    assert!(!why.is_empty(), "{why}");
}

/// What a device does with it is QEMU's business; what counts is that the machine comes to its end
/// and takes nothing with it.
#[test]
fn garbage_in_the_queues_of_its_devices_ends_the_machine() {
    let Some(_) = backend() else { return };
    let why = ending("running queues");
    assert!(!why.contains("failed to"), "{why}");
    println!("{why}");
    let why = refused(image_with("queues").path());
    assert!(why.contains("boot a virtual machine"), "{why}");
    assert!(why.contains("provokes"), "{why}");
}

#[test]
fn a_flooded_console_does_not_keep_a_machine_from_its_end() {
    let Some(_) = backend() else { return };
    let place = image_with("running console");
    runtime().block_on(async {
        let backend = VmBackend::with_image(place.path());
        let created = backend.create(spec("vm-hostile", ProgramKind::Shell, limits()));
        let mut sandbox = created.await.unwrap();
        let _streams = sandbox.start(job(ProgramKind::Shell, ":")).await.unwrap();
        let early = tokio::time::timeout(Duration::from_secs(2), sandbox.wait()).await;
        assert!(early.is_err(), "{early:?}");
        sandbox.stop();
        let limit = Duration::from_secs(60);
        let ended = tokio::time::timeout(limit, sandbox.wait()).await.unwrap();
        assert!(matches!(ended, Ending::Lost(_)), "{ended:?}");
        sandbox.destroy().await.unwrap();
    });
}

#[test]
fn a_damaged_image_is_named() {
    let Some(_) = backend() else { return };
    let place = image();
    let mut initrd = fs::read(original().join("initrd")).unwrap();
    let middle = initrd.len() / 2;
    initrd[middle] ^= 1;
    replace(place.path(), "initrd", &initrd);
    let why = refused(place.path());
    assert!(why.contains("initrd") && why.contains("damaged"), "{why}");
    initrd.truncate(middle);
    replace(place.path(), "initrd", &initrd);
    assert!(refused(place.path()).contains("bytes instead of"));
}
