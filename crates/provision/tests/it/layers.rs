//! Layers that are shared, damaged, and too many.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use atoll_provision::{Options, Policy, Progress, Provisioner};

use crate::support::{Told, offline, place, place_with, requirements};

fn flip(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let time = std::fs::metadata(file).unwrap().modified().unwrap();
    bytes[0] ^= 1;
    std::fs::write(file, bytes).unwrap();
    // As a fault of a disk would have it.
    let file = std::fs::File::open(file).unwrap();
    file.set_modified(time).unwrap();
}

#[tokio::test]
async fn a_damaged_layer_is_noticed_and_made_again() {
    if offline() {
        return;
    }
    let place = place();
    let wanted = requirements("six==1.16.0");
    let layer = place.provide(&wanted).await.unwrap();
    let (six, hash) = (layer.path().join("six.py"), layer.hash().to_owned());
    let content = std::fs::read(&six).unwrap();
    let known = || {
        place
            .provisioner
            .known(&wanted, &Policy::default())
            .unwrap()
    };
    drop(layer);

    // Lost, longer, or written to: the next look notices.
    for damage in ["lost", "longer", "touched"] {
        match damage {
            "lost" => std::fs::remove_file(&six).unwrap(),
            "longer" => std::fs::write(&six, [content.as_slice(), b"x"].concat()).unwrap(),
            _ => std::fs::write(&six, &content).unwrap(),
        }
        assert!(known().is_none(), "{damage}");
        let layer = place.provide(&wanted).await.unwrap();
        assert_eq!(std::fs::read(&six).unwrap(), content, "{damage}");
        assert_eq!(layer.hash(), hash);
    }
    // Other bytes with the same length and time: only a whole look notices.
    flip(&six);
    let layer = place.provide(&wanted).await.unwrap();
    assert!(!place.provisioner.verify(&layer));
    drop(layer);
    assert!(known().is_none());
    let (told, policy) = (Told::default(), Policy::default());
    let layer = place.provisioner.provide(&wanted, &policy, &told).await;
    assert!(place.provisioner.verify(&layer.unwrap().unwrap()));
    let told = told.0.into_inner().unwrap();
    assert!(matches!(told[0], Progress::Verifying { .. }), "{told:?}");
    // A manifest that does not fit itself is as good as none.
    flip(
        &place
            .state
            .path()
            .join("layers")
            .join(&hash)
            .join("manifest"),
    );
    assert!(known().is_none());
    place.provide(&wanted).await.unwrap();
    place.is_clean();
}

#[tokio::test]
async fn two_who_ask_for_the_same_make_it_once() {
    if offline() {
        return;
    }
    let place = place();
    let wanted = requirements("six==1.16.0");
    let installs = AtomicUsize::new(0);
    let count = |progress: Progress| {
        if matches!(progress, Progress::Installing { .. }) {
            installs.fetch_add(1, Ordering::Relaxed);
        }
    };
    let policy = Policy::default();
    // Two provisioners, as two processes would have them.
    let other = place.provisioner.clone();
    let (one, two) = tokio::join!(
        place.provisioner.provide(&wanted, &policy, &count),
        other.provide(&wanted, &policy, &count),
    );
    let (one, two) = (one.unwrap().unwrap(), two.unwrap().unwrap());
    assert_eq!(one.path(), two.path());
    assert_eq!(installs.load(Ordering::Relaxed), 1);
    place.is_clean();
}

#[tokio::test]
async fn layers_of_the_same_lock_are_the_same() {
    if offline() {
        return;
    }
    let place = place();
    let one = place
        .provide(&requirements("six==1.16.0\nidna==3.7"))
        .await
        .unwrap();
    let two = place
        .provide(&requirements("# other\nidna == 3.7\nsix == 1.16.0"))
        .await
        .unwrap();
    assert_eq!(one.hash(), two.hash());
}

#[tokio::test]
async fn what_was_not_used_for_longest_goes_first_and_what_is_in_use_stays() {
    if offline() {
        return;
    }
    let place = place_with(|options| options.layers_bytes_max = 0);
    let old = place.provide(&requirements("six==1.16.0")).await.unwrap();
    let new = place.provide(&requirements("idna==3.7")).await.unwrap();
    assert!(old.path().is_dir() && new.path().is_dir());
    let collected = place.provisioner.collect_garbage().unwrap();
    assert_eq!((collected.removed, collected.left), (0, 2));
    let (old_path, bytes) = (old.path(), old.bytes());
    drop(old);
    // What was left by a process that was killed.
    let orphan = place.state.path().join("building").join("0".repeat(64));
    std::fs::create_dir_all(orphan.join("content")).unwrap();
    let collected = place.provisioner.collect_garbage().unwrap();
    assert_eq!((collected.removed, collected.removed_bytes), (1, bytes));
    assert!(!old_path.exists() && new.path().is_dir() && !orphan.exists());
    drop(new);
    assert_eq!(place.provisioner.collect_garbage().unwrap().left, 0);
    let left = std::fs::read_dir(place.state.path().join("layers")).unwrap();
    assert_eq!(left.count(), 0);
}

#[tokio::test]
async fn with_room_for_one_the_one_that_was_used_last_stays() {
    if offline() {
        return;
    }
    let place = place();
    let (six, idna) = (requirements("six==1.16.0"), requirements("idna==3.7"));
    let layer = place.provide(&six).await.unwrap();
    let six_path = layer.path();
    drop(layer);
    let layer = place.provide(&idna).await.unwrap();
    let (idna_path, bytes) = (layer.path(), layer.bytes());
    drop(layer);
    let mut options = Options::of_host(place.state.path().to_owned());
    options.layers_bytes_max = bytes;
    let collected = Provisioner::new(options).collect_garbage().unwrap();
    assert_eq!((collected.removed, collected.left_bytes), (1, bytes));
    assert!(idna_path.is_dir() && !six_path.exists());
}
