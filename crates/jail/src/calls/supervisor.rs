//! The supervisor's thread: hears of calls that wait, judges them, answers, and takes them down.
//!
//! It ends when nobody is left in the jail who could call. Whatever goes wrong in it ends the jail:
//! no call goes on that was not judged.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use atoll_types::calls::{
    Call, CallAudit, CallAuditor, CallMatcher, CallRules, Verdict, normalized,
};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, pidfd_send_signal};

use super::table::{self, Hooked};
use super::talk::{Ask, Deed, Told};
use super::work::{Output, Work, argument, goes_by_descriptor, work};
use crate::control::{Receiver, send};
use crate::sys::{self, Answer, Asked};

/// The hand answers within microseconds.
const HAND_TIMEOUT: Duration = Duration::from_secs(20);

/// How often a path is looked at again that leads elsewhere each time.
const LOOKS_MAX: u32 = 8;

/// Why a program was ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What it did, in plain words.
    pub what: String,
    /// Whether a rule says so. Otherwise its calls could not be judged any more, which is no
    /// wonder if it has ended by itself meanwhile.
    pub by_rule: bool,
}

/// What the thread leaves for others to look at.
#[derive(Debug)]
struct Record {
    auditor: CallAuditor,
    violation: Option<Violation>,
}

/// A program whose calls are supervised.
pub(crate) struct Supervised {
    record: Arc<Mutex<Record>>,
    audits: bool,
}

impl Supervised {
    /// Why the program was ended, if it was for what it called.
    pub(crate) fn violation(&self) -> Option<Violation> {
        let record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.violation.clone()
    }

    /// The calls so far, if they were to be taken down.
    pub(crate) fn audit(&self) -> Option<CallAudit> {
        let record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        self.audits.then(|| record.auditor.clone().finish())
    }
}

/// Starts to supervise the program that comes to life at the other end of `hand`. `first` is the
/// process whose end is the end of everything in the jail.
///
/// # Errors
/// When there can be no thread for it.
pub(crate) fn supervise(
    rules: &CallRules,
    hand: UnixStream,
    first: OwnedFd,
) -> io::Result<Supervised> {
    // Only the first calls are worth a record each where nobody asked for any.
    let records_max = if rules.audit {
        CallAuditor::RECORDS_MAX
    } else {
        0
    };
    let record = Arc::new(Mutex::new(Record {
        auditor: CallAuditor::new(records_max),
        violation: None,
    }));
    hand.set_read_timeout(Some(HAND_TIMEOUT))?;
    hand.set_write_timeout(Some(HAND_TIMEOUT))?;
    let mut supervisor = Supervisor {
        matcher: rules.matcher(),
        audits: rules.audit,
        hand,
        receiver: Receiver::default(),
        record: Arc::clone(&record),
        began: Instant::now(),
        delayed: Vec::new(),
        is_started: false,
    };
    std::thread::Builder::new()
        .name("calls".to_owned())
        .spawn(move || {
            sys::take_short_turns();
            // Until everything inside is told to end, what waits goes on waiting.
            let mut listener = None;
            if let Err(error) = supervisor.run(&mut listener) {
                let what = format!("its calls could not be judged any more ({error})");
                supervisor.end_jail(what, false);
            }
            if supervisor.is_violated() {
                // It may have ended already, which is what is wanted.
                let _ = pidfd_send_signal(&first, Signal::KILL);
            }
        })?;
    Ok(Supervised {
        record,
        audits: rules.audit,
    })
}

struct Supervisor {
    matcher: CallMatcher,
    audits: bool,
    hand: UnixStream,
    receiver: Receiver,
    record: Arc<Mutex<Record>>,
    began: Instant,
    /// Calls that wait for their time.
    delayed: Vec<(Instant, Waiting)>,
    /// Whether the program runs: before, only the launcher's own execve comes.
    is_started: bool,
}

/// A call that is let through.
#[derive(Debug)]
struct Waiting {
    asked: Asked,
    /// What Atoll has to carry out itself, and the paths that were judged.
    work: Option<(Work, Vec<Vec<u8>>)>,
}

/// What became of judging a call.
enum Judged {
    /// It is let through now or later.
    Through(Verdict, Waiting),
    /// It ends with this.
    Ends(Verdict, Answer),
}

impl Supervisor {
    /// Serves until nobody is left who could call, or the program is to be ended.
    fn run(&mut self, listener: &mut Option<Arc<OwnedFd>>) -> io::Result<()> {
        *listener = self.listener()?.map(Arc::new);
        let Some(listener) = listener else {
            // The program did not start.
            return Ok(());
        };
        let heard = hear(Arc::clone(listener))?;
        while !self.is_violated() {
            let next = match self.next_delayed() {
                Some(wait) => heard.recv_timeout(wait),
                None => heard.recv().map_err(RecvTimeoutError::from),
            };
            match next {
                Ok(asked) => self.serve(listener.as_fd(), asked?)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            self.serve_delayed(listener.as_fd())?;
        }
        Ok(())
    }

    /// What questions come through; `None` when the program did not come to that.
    fn listener(&mut self) -> io::Result<Option<OwnedFd>> {
        match self.receiver.receive_blocking(self.hand.as_fd()) {
            Ok((Told::Listener, descriptors)) => Ok(descriptors.into_iter().next()),
            Ok(_) => Err(io::ErrorKind::InvalidData.into()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn serve(&mut self, listener: BorrowedFd<'_>, asked: Asked) -> io::Result<()> {
        let Some(hooked) = table::of_number(asked.number) else {
            return finish(sys::answer(listener, asked.id, Answer::GoOn));
        };
        if goes_by_descriptor(hooked, &asked) {
            return finish(sys::answer(listener, asked.id, Answer::GoOn));
        }
        if !self.is_started && hooked.call == Call::ProgramExecute {
            self.is_started = true;
            return finish(sys::answer(listener, asked.id, Answer::GoOn));
        }
        match self.judge(listener, hooked, asked)? {
            None => Ok(()),
            Some(Judged::Ends(_, answer)) => finish(sys::answer(listener, asked.id, answer)),
            Some(Judged::Through(Verdict::Delay(ms), waiting)) => {
                let until = Instant::now() + Duration::from_millis(ms.into());
                self.delayed.push((until, waiting));
                Ok(())
            }
            Some(Judged::Through(_, waiting)) => self.carry_out(listener, waiting, true),
        }
    }

    /// Judges a call; `None` when the caller is gone or is to be ended.
    fn judge(
        &mut self,
        listener: BorrowedFd<'_>,
        hooked: &Hooked,
        asked: Asked,
    ) -> io::Result<Option<Judged>> {
        let depends =
            self.matcher.wants_argument(hooked.call) && table::carried_out().contains(hooked.call);
        let judged = if depends {
            match work(hooked, &asked) {
                Ok(work) if sys::still_waits(listener, asked.id) => self.judge_work(asked, work)?,
                _ if !sys::still_waits(listener, asked.id) => return Ok(None),
                Err(error) => self.end_unreadable(hooked.call, &error),
                Ok(_) => return Ok(None),
            }
        } else {
            // A condition that can be held here all the same is about other addresses than those of
            // Unix sockets, of which there are no others.
            let certain = table::is_address(hooked.call).then_some(b"unix:".as_slice());
            let verdict = self.matcher.decide(hooked.call, certain);
            let argument = self.audits.then(|| argument(hooked, &asked)).flatten();
            self.note(hooked.call, argument.as_deref(), verdict);
            match verdict {
                Verdict::Deny(error) => Judged::Ends(verdict, Answer::Fail(error.number().into())),
                _ => Judged::Through(verdict, Waiting { asked, work: None }),
            }
        };
        let (Judged::Ends(verdict, _) | Judged::Through(verdict, _)) = &judged;
        if *verdict == Verdict::Trap {
            return Ok(None);
        }
        Ok(Some(judged))
    }

    /// Judges a call by where its paths lead.
    fn judge_work(&mut self, asked: Asked, work: Work) -> io::Result<Judged> {
        let (paths, error) = match self.find(&work)? {
            Ok(paths) => (paths, None),
            // It cannot succeed; whether it may be tried is judged by what is written.
            Err(number) => (work.written(), Some(number)),
        };
        let verdict = self.decide(work.call, &paths, &work);
        Ok(match (verdict, error) {
            (Verdict::Deny(error), _) => Judged::Ends(verdict, Answer::Fail(error.number().into())),
            (_, Some(number)) => Judged::Ends(verdict, Answer::Fail(number)),
            _ => {
                let work = Some((work, paths));
                Judged::Through(verdict, Waiting { asked, work })
            }
        })
    }

    /// Ends a call whose argument cannot be read, as the kernel would, which could not read it
    /// either. No rule can be about it.
    fn end_unreadable(&self, call: Call, error: &io::Error) -> Judged {
        self.note(call, None, Verdict::Allow);
        let number = error.raw_os_error().unwrap_or(libc::EFAULT);
        Judged::Ends(Verdict::Allow, Answer::Fail(number))
    }

    fn decide(&mut self, call: Call, paths: &[Vec<u8>], work: &Work) -> Verdict {
        let mut arguments: Vec<Vec<u8>> = paths.to_vec();
        if let (Deed::SymbolicLink { target }, Some(link)) = (&work.deed, paths.first()) {
            let parent = normalized(link, b"..");
            arguments.push(normalized(&parent, target));
        }
        let arguments: Vec<Option<&[u8]>> =
            arguments.iter().map(|path| Some(path.as_slice())).collect();
        let written = work.written();
        let written: Vec<&[u8]> = written.iter().map(Vec::as_slice).collect();
        let verdict = self.matcher.decide_also(call, &arguments, &written);
        self.note(call, arguments.first().copied().flatten(), verdict);
        verdict
    }

    /// Lets a call through: the kernel goes on, or the hand does it. `is_held` says that what was
    /// judged is what the hand has found last, and not something else since.
    fn carry_out(
        &mut self,
        listener: BorrowedFd<'_>,
        waiting: Waiting,
        is_held: bool,
    ) -> io::Result<()> {
        let id = waiting.asked.id;
        let work = waiting.work.filter(|(work, _)| !work.goes_on);
        let Some((work, mut judged)) = work else {
            return finish(sys::answer(listener, id, Answer::GoOn));
        };
        for look in 0..LOOKS_MAX {
            let found = match (look, is_held) {
                (0, true) => Ok(judged.clone()),
                _ => self.find(&work)?,
            };
            let found = match found {
                Ok(found) => found,
                Err(number) => return finish(sys::answer(listener, id, Answer::Fail(number))),
            };
            if found != judged {
                match self.decide(work.call, &found, &work) {
                    Verdict::Trap => return Ok(()),
                    Verdict::Deny(error) => {
                        let fail = Answer::Fail(error.number().into());
                        return finish(sys::answer(listener, id, fail));
                    }
                    // It has waited, if it had to.
                    Verdict::Allow | Verdict::Delay(_) => judged = found,
                }
            }
            let opens_link = matches!(&work.deed, Deed::Open { flags, .. }
                if flags & libc::O_NOFOLLOW != 0);
            match self.ask(&Ask::Do(work.deed.clone()), &[])? {
                // A link has come between; where it leads has to be judged.
                (Told::Refused(libc::ELOOP), _) if !opens_link => {}
                (told, opened) => return tell(listener, &waiting.asked, &work, &told, &opened),
            }
        }
        finish(sys::answer(listener, id, Answer::Fail(libc::ELOOP)))
    }

    /// Asks the hand where the paths of a call lead.
    fn find(&mut self, work: &Work) -> io::Result<Result<Vec<Vec<u8>>, i32>> {
        let asking = Ask::Find {
            routes: work.routes.iter().map(|(route, _)| route.clone()).collect(),
            process: work.process,
            thread: work.thread,
        };
        let bases: Vec<_> = work.routes.iter().map(|(_, base)| base.as_fd()).collect();
        match self.ask(&asking, &bases)? {
            (Told::Found(paths), _) => Ok(Ok(paths)),
            (Told::Refused(number), _) => Ok(Err(number)),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn ask(
        &mut self,
        asking: &Ask,
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<(Told, Vec<OwnedFd>)> {
        send(self.hand.as_fd(), asking, descriptors)?;
        self.receiver.receive_blocking(self.hand.as_fd())
    }

    fn next_delayed(&self) -> Option<Duration> {
        let next = self.delayed.iter().map(|(until, _)| *until).min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn serve_delayed(&mut self, listener: BorrowedFd<'_>) -> io::Result<()> {
        let now = Instant::now();
        while let Some(index) = self.delayed.iter().position(|(until, _)| *until <= now) {
            let (_, waiting) = self.delayed.swap_remove(index);
            if sys::still_waits(listener, waiting.asked.id) {
                self.carry_out(listener, waiting, false)?;
            }
        }
        Ok(())
    }

    /// Takes a call down, and notes that the program is to be ended if it is.
    fn note(&self, call: Call, argument: Option<&[u8]>, verdict: Verdict) {
        let since_start_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        {
            let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
            record
                .auditor
                .record(call, argument, verdict, since_start_us);
        }
        if verdict == Verdict::Trap {
            let argument = argument.map(|argument| {
                let text = String::from_utf8_lossy(argument);
                let shown: String = text.chars().take(200).collect();
                format!(" {}", shown.escape_debug())
            });
            let argument = argument.unwrap_or_default();
            let what = format!(
                "it made the call {call}{argument}, for which a rule for calls ends programs"
            );
            self.end_jail(what, true);
        }
    }

    fn end_jail(&self, what: String, by_rule: bool) {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.violation.get_or_insert(Violation { what, by_rule });
    }

    fn is_violated(&self) -> bool {
        let record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.violation.is_some()
    }
}

/// Takes up calls as soon as they wait, in a thread of its own, until nobody is left who could
/// call. A call that was taken up is interrupted by nothing but its process's end; one that was not
/// yet ends with `EINTR` when a signal comes whose handler does not restart calls, and most
/// programs do not expect that of most calls. So nobody else's call may be in the way.
fn hear(listener: Arc<OwnedFd>) -> io::Result<mpsc::Receiver<io::Result<Asked>>> {
    let (say, heard) = mpsc::channel();
    sys::wake_at_once(listener.as_fd());
    std::thread::Builder::new()
        .name("calls heard".to_owned())
        .spawn(move || {
            sys::take_short_turns();
            loop {
                let mut watched = [PollFd::new(&*listener, PollFlags::IN)];
                let polled = poll(&mut watched, None);
                let [watched] = &watched;
                let events = watched.revents();
                let next = match polled {
                    Err(rustix::io::Errno::INTR) => continue,
                    Err(error) => Err(error.into()),
                    Ok(_) if events.contains(PollFlags::IN) => sys::next_asked(listener.as_fd()),
                    Ok(_) => return,
                };
                let is_over = match &next {
                    Err(error) if is_gone(error) => continue,
                    next => next.is_err(),
                };
                if say.send(next).is_err() || is_over {
                    return;
                }
            }
        })?;
    Ok(heard)
}

/// The caller is gone, or nobody waits any more.
fn is_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINTR))
}

/// A caller that is gone needs no answer.
fn finish(answered: io::Result<()>) -> io::Result<()> {
    match answered {
        Err(error) if is_gone(&error) => Ok(()),
        answered => answered,
    }
}

/// Passes on what the hand has done.
fn tell(
    listener: BorrowedFd<'_>,
    asked: &Asked,
    work: &Work,
    told: &Told,
    opened: &[OwnedFd],
) -> io::Result<()> {
    let id = asked.id;
    let answer = match (told, opened.first()) {
        (Told::Did(_), Some(opened)) => {
            let given = sys::answer_with(listener, id, opened.as_fd(), work.closes_on_exec);
            match given {
                Err(error) if !is_gone(&error) => {
                    Answer::Fail(error.raw_os_error().unwrap_or(libc::EMFILE))
                }
                given => return finish(given),
            }
        }
        (Told::Did(bytes), None) => match &work.output {
            // Whose memory it is holds only while the call waits.
            Some(_) if !sys::still_waits(listener, id) => return Ok(()),
            Some(output) => hand_over(asked, output, bytes),
            None => Answer::Done(0),
        },
        (Told::Refused(number), _) => Answer::Fail(*number),
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    finish(sys::answer(listener, id, answer))
}

/// Writes what the program asked to be told to where it wants it.
fn hand_over(asked: &Asked, output: &Output, bytes: &[u8]) -> Answer {
    let bytes = bytes
        .get(..bytes.len().min(output.room))
        .unwrap_or_default();
    match sys::write_memory(asked.thread, output.pointer, bytes) {
        Ok(()) if output.says_length => Answer::Done(i64::try_from(bytes.len()).unwrap_or(0)),
        Ok(()) => Answer::Done(0),
        Err(error) => Answer::Fail(error.raw_os_error().unwrap_or(libc::EFAULT)),
    }
}
