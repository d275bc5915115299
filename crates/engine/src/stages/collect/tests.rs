use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

fn file(path: &str, content: &[u8]) -> Leaving {
    Leaving {
        path: path.as_bytes().to_vec(),
        file: Ok(LeftFile {
            bytes: content.len() as u64,
            executable: false,
            shared: None,
            content: Box::new(Cursor::new(content.to_vec())),
        }),
    }
}

/// A file whose content must not be looked at.
fn untouched(path: &str, bytes: u64) -> Leaving {
    struct Forbidden;
    impl Read for Forbidden {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("it was read");
        }
    }
    Leaving {
        path: path.as_bytes().to_vec(),
        file: Ok(LeftFile {
            bytes,
            executable: false,
            shared: None,
            content: Box::new(Forbidden),
        }),
    }
}

struct Place {
    parent: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            parent: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.parent.path().join("out")
    }

    fn collector(&self) -> Collector {
        Collector {
            output: OutputDirectory::open(&self.path()).unwrap(),
            given: Given::new(),
            bytes_left: 1_000,
            files_left: 10,
            names_bytes_left: NAMES_BYTES_MAX,
            deadline: None,
            leave: Arc::default(),
            shared: HashSet::new(),
            collection: Collection::default(),
            not_written: None,
        }
    }
}

fn run(collector: Collector, leavings: Vec<Leaving>) -> Collection {
    collector
        .run(Box::new(leavings.into_iter()))
        .collection
        .unwrap()
}

fn names(collection: &Collection) -> Vec<String> {
    let files = collection.files.iter();
    files
        .map(|file| String::from_utf8_lossy(&file.name).into_owned())
        .collect()
}

fn reasons(collection: &Collection) -> Vec<(String, SkipReason)> {
    let skipped = collection.skipped.iter();
    skipped
        .map(|one| (String::from_utf8_lossy(&one.name).into_owned(), one.reason))
        .collect()
}

#[test]
fn files_are_copied_and_named_and_the_rest_is_named_with_its_reason() {
    let place = Place::new();
    let link = Leaving {
        path: b"link".to_vec(),
        file: Err(SkipReason::SymbolicLink),
    };
    let collection = run(place.collector(), vec![file("a/b", b"content"), link]);
    assert_eq!(
        collection.files,
        [CollectedFile {
            name: b"a/b".to_vec(),
            bytes: 7
        }]
    );
    assert_eq!(
        reasons(&collection),
        [("link".to_owned(), SkipReason::SymbolicLink)]
    );
    assert_eq!(collection.skipped_count(), 1);
    assert_eq!(fs::read(place.path().join("a/b")).unwrap(), b"content");
}

#[test]
fn files_and_bytes_are_bounded() {
    let place = Place::new();
    let mut collector = place.collector();
    collector.files_left = 2;
    collector.bytes_left = 10;
    let leavings = vec![
        untouched("giant", 1 << 40),
        file("first", b"12345"),
        untouched("no longer fits", 6),
        file("second", b"12345"),
        untouched("third", 0),
    ];
    let collection = run(collector, leavings);
    assert_eq!(names(&collection), ["first", "second"]);
    assert_eq!(
        reasons(&collection),
        [
            ("giant".to_owned(), SkipReason::TooLarge),
            ("no longer fits".to_owned(), SkipReason::TooLarge),
            ("third".to_owned(), SkipReason::TooMany),
        ]
    );
}

#[test]
fn a_file_that_has_more_than_it_said_is_cut_at_what_it_said() {
    let place = Place::new();
    let mut leaving = file("a", b"content");
    leaving.file.as_mut().unwrap().bytes = 3;
    let collection = run(place.collector(), vec![leaving]);
    assert_eq!(collection.files.first().unwrap().bytes, 3);
    assert_eq!(fs::read(place.path().join("a")).unwrap(), b"con");
}

#[test]
fn names_are_bounded_and_what_has_no_room_is_counted() {
    let place = Place::new();
    let mut collector = place.collector();
    collector.names_bytes_left = 4;
    let leavings = vec![file("abc", b""), untouched("de", 0), untouched("f", 2_000)];
    let collection = run(collector, leavings);
    assert_eq!(names(&collection), ["abc"]);
    assert_eq!(
        reasons(&collection),
        [("f".to_owned(), SkipReason::TooLarge)]
    );
    assert_eq!(collection.skipped_unnamed, 1);

    let many = (0..SKIPPED_NAMED_MAX + 5).map(|number| Leaving {
        path: number.to_string().into_bytes(),
        file: Err(SkipReason::Pipe),
    });
    let place = Place::new();
    let collection = run(place.collector(), many.collect());
    assert_eq!(collection.skipped.len(), SKIPPED_NAMED_MAX);
    assert_eq!(collection.skipped_unnamed, 5);
}

#[test]
fn nothing_is_read_once_the_time_is_over_or_the_caller_leaves() {
    let place = Place::new();
    let mut collector = place.collector();
    collector.deadline = Some(Instant::now());
    let collection = run(collector, vec![untouched("a", 1)]);
    assert_eq!(reasons(&collection), [("a".to_owned(), SkipReason::NoTime)]);
    let collector = place.collector();
    collector.leave.store(true, Ordering::Relaxed);
    let collection = run(collector, vec![untouched("a", 1)]);
    assert_eq!(reasons(&collection), [("a".to_owned(), SkipReason::NoTime)]);
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_leaves_nothing_half() {
    struct Broken(bool);
    impl Read for Broken {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(io::ErrorKind::InvalidData.into());
            }
            into.fill(b'x');
            Ok(into.len())
        }
    }
    let place = Place::new();
    let mut leaving = file("a", b"");
    let left = leaving.file.as_mut().unwrap();
    (left.bytes, left.content) = (1 << 20, Box::new(Broken(false)));
    let mut collector = place.collector();
    collector.bytes_left = 2 << 20;
    let collection = run(collector, vec![leaving]);
    assert_eq!(
        reasons(&collection),
        [("a".to_owned(), SkipReason::NotRead)]
    );
    assert!(!place.path().join("a").exists());
}

#[test]
fn a_file_with_several_names_is_copied_once() {
    let place = Place::new();
    let linked = |path| {
        let mut leaving = file(path, b"content");
        leaving.file.as_mut().unwrap().shared = Some(7);
        leaving
    };
    let mut collector = place.collector();
    collector
        .given
        .insert(b"given".to_vec(), b"content"[..].into());
    // The unchanged name is not collected, so the next one is the first.
    let collection = run(
        collector,
        vec![linked("given"), linked("one"), linked("two")],
    );
    assert_eq!(names(&collection), ["one"]);
    assert_eq!(
        reasons(&collection),
        [("two".to_owned(), SkipReason::HardLink)]
    );
}

#[test]
fn what_was_given_is_only_collected_when_it_has_changed() {
    let place = Place::new();
    let mut collector = place.collector();
    for name in ["same", "changed", "longer", "below/same"] {
        collector.given.insert(name.into(), b"content"[..].into());
    }
    let leavings = vec![
        file("below/same", b"content"),
        file("changed", b"contenu"),
        file("longer", b"content and more"),
        file("same", b"content"),
        file("same.copy", b"content"),
    ];
    let collection = run(collector, leavings);
    assert_eq!(names(&collection), ["changed", "longer", "same.copy"]);
    assert!(collection.skipped.is_empty());
    assert_eq!(fs::read(place.path().join("changed")).unwrap(), b"contenu");
}

#[test]
fn what_the_directory_holds_by_now_is_left_alone() {
    let place = Place::new();
    let collector = place.collector();
    fs::write(place.path().join("a"), "mine").unwrap();
    let collection = run(collector, vec![file("a", b"theirs")]);
    assert_eq!(reasons(&collection), [("a".to_owned(), SkipReason::Exists)]);
    assert_eq!(fs::read(place.path().join("a")).unwrap(), b"mine");
}

/// Hands out its bytes in pieces of these lengths.
struct Pieces(Vec<u8>, Vec<usize>);

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let piece = self
            .1
            .pop()
            .unwrap_or(1)
            .clamp(1, into.len())
            .min(self.0.len());
        into[..piece].copy_from_slice(&self.0[..piece]);
        self.0.drain(..piece);
        Ok(piece)
    }
}

proptest! {
    #[test]
    fn changed_content_arrives_whole(
        given in proptest::collection::vec(0_u8..3, 0..40),
        found in proptest::collection::vec(0_u8..3, 0..40),
        pieces in proptest::collection::vec(1_usize..9, 0..40),
    ) {
        let content = Box::new(Pieces(found.clone(), pieces));
        match changed(&given.clone().into(), content).unwrap() {
            None => prop_assert_eq!(given, found),
            Some(mut content) => {
                prop_assert_ne!(&given, &found);
                let mut all = Vec::new();
                content.read_to_end(&mut all).unwrap();
                prop_assert_eq!(all, found);
            }
        }
    }
}
