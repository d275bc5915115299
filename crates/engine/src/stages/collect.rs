//! The files that a program left go into a directory of the host.
//!
//! Owns what is collected and what is left out, and every bound on it: files, bytes, time, and the
//! names that the outcome carries. How files are had from a sandbox and how they are written is
//! the business of others.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Cursor, Read, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use atoll_sandbox::{Leaving, Leavings, LeavingsError, LeftFile, Sandbox};
use atoll_types::{CollectedFile, Collection, Content, Limits, Message, SkipReason, SkippedFile};

use crate::Warning;
use crate::output::OutputDirectory;
use crate::way::Stopping;

/// How long collecting may take.
const COLLECT_TIME: Duration = Duration::from_secs(60);

/// How long it may take when the caller wants to leave.
const FAREWELL_TIME: Duration = Duration::from_secs(5);

/// Bytes of names that an outcome carries.
const NAMES_BYTES_MAX: usize = 4 << 20;

/// Names of what was left out that an outcome carries.
const SKIPPED_NAMED_MAX: usize = 1_000;

const CHUNK_BYTES: usize = 64 << 10;

/// What the program was given, by name: it is only collected when it has changed.
pub(crate) type Given = BTreeMap<Vec<u8>, Content>;

/// The program's own file and its input files.
pub(crate) fn given(message: &Message) -> Given {
    let files = message.files.iter();
    let program = &message.program;
    files
        .map(|file| (file.name.clone(), Arc::clone(&file.content)))
        .chain([(
            program.name.clone().into_bytes(),
            Arc::clone(&program.bytes),
        )])
        .collect()
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    pub(crate) collection: Option<Collection>,
    pub(crate) warning: Option<Warning>,
}

/// Copies what the program left. A caller that wants to leave is not kept waiting for long.
pub(crate) async fn collect(
    sandbox: &mut dyn Sandbox,
    output: OutputDirectory,
    given: Given,
    limits: &Limits,
    stop: &mut Stopping<'_>,
) -> Collected {
    let failed = |error| Collected {
        collection: None,
        warning: Some(Warning::NotCollected(error)),
    };
    let leavings = match sandbox.leavings().await {
        Ok(leavings) => leavings,
        Err(error) => return failed(error),
    };
    let leave = Leave(Arc::default());
    let stopped = stop.came();
    let time = if stopped { FAREWELL_TIME } else { COLLECT_TIME };
    let collector = Collector {
        output,
        given,
        bytes_left: limits.disk_bytes,
        files_left: limits.disk_files,
        names_bytes_left: NAMES_BYTES_MAX,
        deadline: Instant::now().checked_add(time),
        leave: Arc::clone(&leave.0),
        shared: HashSet::new(),
        collection: Collection::default(),
        not_written: None,
    };
    let mut working = tokio::task::spawn_blocking(move || collector.run(leavings));
    let worked = tokio::select! {
        biased;
        worked = &mut working => worked,
        () = stop, if !stopped => {
            leave.ask();
            working.await
        }
    };
    worked.unwrap_or_else(|error| {
        failed(LeavingsError::Internal {
            attempt: "copy the files the program left".to_owned(),
            source: io::Error::other(error),
        })
    })
}

/// Asks the copying to come to an end, also when nobody waits for it any more.
struct Leave(Arc<AtomicBool>);

impl Leave {
    fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.ask();
    }
}

/// Copies one leaving after the other within its bounds.
struct Collector {
    output: OutputDirectory,
    given: Given,
    bytes_left: u64,
    files_left: u64,
    names_bytes_left: usize,
    /// None when it lies beyond all time.
    deadline: Option<Instant>,
    /// Whether to come to an end at once.
    leave: Arc<AtomicBool>,
    /// Files with several names that were collected.
    shared: HashSet<u64>,
    collection: Collection,
    /// The first error of the output directory.
    not_written: Option<io::Error>,
}

impl Collector {
    fn run(mut self, leavings: Leavings) -> Collected {
        for leaving in leavings {
            let Leaving { path, file } = leaving;
            match file.and_then(|file| self.take(&path, file)) {
                Ok(Some(bytes)) => {
                    self.files_left = self.files_left.saturating_sub(1);
                    self.names_bytes_left = self.names_bytes_left.saturating_sub(path.len());
                    let name = path;
                    self.collection.files.push(CollectedFile { name, bytes });
                }
                Ok(None) => {}
                Err(reason) => self.skip(path, reason),
            }
        }
        let path = self.output.path().to_owned();
        Collected {
            collection: Some(self.collection),
            warning: self
                .not_written
                .map(|source| Warning::NotWritten { path, source }),
        }
    }

    fn skip(&mut self, name: Vec<u8>, reason: SkipReason) {
        let skipped = &mut self.collection.skipped;
        let left = self.names_bytes_left.checked_sub(name.len());
        match left.filter(|_| skipped.len() < SKIPPED_NAMED_MAX) {
            Some(left) => {
                self.names_bytes_left = left;
                skipped.push(SkippedFile { name, reason });
            }
            None => {
                let unnamed = &mut self.collection.skipped_unnamed;
                *unnamed = unnamed.saturating_add(1);
            }
        }
    }

    /// Copies a file and answers with its length; with none when it is not the program's work.
    fn take(&mut self, path: &[u8], file: LeftFile) -> Result<Option<u64>, SkipReason> {
        if self.is_over() {
            return Err(SkipReason::NoTime);
        }
        let given = self.given.get(path);
        let given = given.filter(|given| given.len() as u64 == file.bytes);
        let content = match given {
            Some(given) => match changed(given, file.content) {
                Ok(Some(content)) => content,
                Ok(None) => return Ok(None),
                Err(_) => return Err(SkipReason::NotRead),
            },
            None => file.content,
        };
        if file
            .shared
            .is_some_and(|inode| self.shared.contains(&inode))
        {
            return Err(SkipReason::HardLink);
        }
        // A file whose name cannot be told is not put there either.
        if self.files_left == 0 || path.len() > self.names_bytes_left {
            return Err(SkipReason::TooMany);
        }
        if file.bytes > self.bytes_left {
            return Err(SkipReason::TooLarge);
        }
        let content = content.take(file.bytes);
        let bytes = self.copy(path, file.executable, content)?;
        self.shared.extend(file.shared);
        Ok(Some(bytes))
    }

    fn copy(
        &mut self,
        path: &[u8],
        executable: bool,
        mut content: io::Take<Bytes>,
    ) -> Result<u64, SkipReason> {
        let mut new = match self.output.create(path, executable, content.limit()) {
            Ok(new) => new,
            Err(error) => return Err(self.refused(error)),
        };
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut copied: u64 = 0;
        loop {
            if self.is_over() {
                return Err(SkipReason::NoTime);
            }
            let read = match content.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Err(SkipReason::NotRead),
            };
            // What is copied in vain counts as well, because it is work all the same.
            self.bytes_left = self.bytes_left.saturating_sub(read as u64);
            copied = copied.saturating_add(read as u64);
            let bytes = chunk.get(..read).unwrap_or_default();
            if let Err(error) = new.file.write_all(bytes) {
                return Err(self.refused(error));
            }
        }
        new.keep();
        Ok(copied)
    }

    /// What an error of the output directory means.
    fn refused(&mut self, error: io::Error) -> SkipReason {
        if error.kind() == io::ErrorKind::AlreadyExists {
            return SkipReason::Exists;
        }
        self.not_written.get_or_insert(error);
        SkipReason::NotWritten
    }

    fn is_over(&self) -> bool {
        let over = |deadline| Instant::now() >= deadline;
        self.leave.load(Ordering::Relaxed) || self.deadline.is_some_and(over)
    }
}

type Bytes = Box<dyn Read + Send>;

/// The whole content again if it differs from what was given, which has the same length.
fn changed(given: &Content, mut content: Bytes) -> io::Result<Option<Bytes>> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut same: usize = 0;
    loop {
        let read = match content.read(&mut chunk) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let rest = given.get(same..).unwrap_or_default();
        if read == 0 && rest.is_empty() {
            return Ok(None);
        }
        let found = chunk.get(..read).unwrap_or_default();
        if read == 0 || !rest.starts_with(found) {
            chunk.truncate(read);
            let before = Cursor::new(Arc::clone(given)).take(same as u64);
            return Ok(Some(Box::new(
                before.chain(Cursor::new(chunk)).chain(content),
            )));
        }
        same = same.saturating_add(read);
    }
}

#[cfg(test)]
mod tests;
