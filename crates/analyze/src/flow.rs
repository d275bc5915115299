//! Loops, functions and the ways out of them, as a walk through a script enters and leaves them.
//!
//! Knows nothing about a language's syntax; the readers say what they enter and what jumps.

use std::collections::{HashMap, HashSet};

/// Different names of functions, and calls between them, that are remembered.
const NAMES_MAX: usize = 100_000;
const CALLS_MAX: usize = 200_000;

/// Constructs between a labelled jump and its label that are looked through.
const LABEL_DISTANCE_MAX: usize = 256;

/// What kind of construct is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Construct {
    Function,
    Loop {
        /// Whether its condition never fails.
        is_endless: bool,
    },
    Switch,
    /// Code whose exceptions are caught.
    Caught,
}

struct Frame {
    construct: Construct,
    label: Option<String>,
    /// The outermost construct that something inside leaves, as an index.
    left_min: usize,
}

/// The constructs around the current node, and the calls seen so far.
pub(crate) struct Flow {
    frames: Vec<Frame>,
    /// For each open function its number, if it has a name, and the loops open around the
    /// current place in it.
    functions: Vec<(Option<u32>, u32)>,
    numbers: HashMap<String, u32>,
    calls: HashSet<(u32, u32)>,
}

impl Flow {
    /// The program itself is the first function.
    pub(crate) fn new() -> Self {
        let mut flow = Self {
            frames: Vec::new(),
            functions: Vec::new(),
            numbers: HashMap::new(),
            calls: HashSet::new(),
        };
        flow.open_function(None, 0);
        flow
    }

    /// Enters a function. `loops` are those it runs inside of, when a loop calls it.
    pub(crate) fn open_function(&mut self, name: Option<&str>, loops: u32) {
        // What a function without a name does counts for the one around it.
        let around = self.functions.last().and_then(|(number, _)| *number);
        let number = name.and_then(|name| self.number(name)).or(around);
        self.functions.push((number, loops));
        self.push(Construct::Function, None);
    }

    pub(crate) fn close_function(&mut self) {
        self.functions.pop();
        self.frames.pop();
    }

    /// Enters a loop and returns how deep it is nested in its function.
    pub(crate) fn open_loop(&mut self, is_endless: bool, label: Option<String>) -> u32 {
        self.push(Construct::Loop { is_endless }, label);
        match self.functions.last_mut() {
            Some((_, loops)) => {
                *loops += 1;
                *loops
            }
            None => 1,
        }
    }

    /// Leaves a loop and returns whether it has no way out.
    pub(crate) fn close_loop(&mut self) -> bool {
        if let Some((_, loops)) = self.functions.last_mut() {
            *loops = loops.saturating_sub(1);
        }
        self.close().is_some_and(|(index, frame)| {
            let is_endless = matches!(frame.construct, Construct::Loop { is_endless: true });
            is_endless && frame.left_min > index
        })
    }

    pub(crate) fn open_switch(&mut self) {
        self.push(Construct::Switch, None);
    }

    pub(crate) fn close_switch(&mut self) {
        self.close();
    }

    pub(crate) fn open_caught(&mut self) {
        self.push(Construct::Caught, None);
    }

    pub(crate) fn close_caught(&mut self) {
        self.close();
    }

    /// How many loops are open in the current function.
    pub(crate) fn loops(&self) -> u32 {
        self.functions.last().map_or(0, |(_, loops)| *loops)
    }

    /// `break`, with or without a label.
    pub(crate) fn jump_out(&mut self, label: Option<&str>) {
        let target = self.target(label, |construct| {
            matches!(construct, Construct::Loop { .. } | Construct::Switch)
        });
        self.leave(target);
    }

    /// `break 2` of the shell: the number of loops to leave.
    pub(crate) fn jump_out_of(&mut self, loops: u64) {
        let open = self
            .frames
            .iter()
            .enumerate()
            .rev()
            .take(LABEL_DISTANCE_MAX);
        let around = open
            .take_while(|(_, frame)| frame.construct != Construct::Function)
            .filter(|(_, frame)| matches!(frame.construct, Construct::Loop { .. }));
        let wanted = usize::try_from(loops.max(1)).unwrap_or(usize::MAX);
        if let Some((target, _)) = around.take(wanted).last() {
            self.leave(target);
        }
    }

    /// Whether the current function, or the nearest around it with a name, has this name.
    pub(crate) fn is_inside(&self, name: &str) -> bool {
        let number = self.numbers.get(name);
        number.is_some()
            && self.functions.last().map(|(current, _)| current.as_ref()) == Some(number)
    }

    /// `continue` with a label leaves the loops inside the one it goes on with.
    pub(crate) fn jump_on(&mut self, label: Option<&str>) {
        if label.is_some() {
            let target = self.target(label, |_| false);
            self.leave(target.saturating_add(1));
        }
    }

    /// `return`, `yield` or the end of the program.
    pub(crate) fn leave_function(&mut self) {
        self.leave_to(|construct| construct == Construct::Function);
    }

    /// An exception: it leaves whatever is between it and where it is caught.
    pub(crate) fn throw(&mut self) {
        self.leave_to(|construct| matches!(construct, Construct::Function | Construct::Caught));
    }

    fn leave_to(&mut self, is_target: impl Fn(Construct) -> bool) {
        let frames = self.frames.iter();
        let target = frames
            .enumerate()
            .rev()
            .take(LABEL_DISTANCE_MAX)
            .find(|(_, frame)| is_target(frame.construct));
        // Too far away to find: whatever is between is left all the same.
        let far = self.frames.len().saturating_sub(LABEL_DISTANCE_MAX);
        self.leave(target.map_or(far, |(index, _)| index));
    }

    /// A call by name from the current function.
    pub(crate) fn call(&mut self, name: &str) {
        let Some(caller) = self.functions.last().and_then(|(number, _)| *number) else {
            return;
        };
        if self.calls.len() < CALLS_MAX
            && let Some(callee) = self.number(name)
        {
            self.calls.insert((caller, callee));
        }
    }

    /// Whether some function can reach itself by the calls seen.
    pub(crate) fn has_recursion(&self) -> bool {
        let calls: Vec<_> = self.calls.iter().copied().collect();
        crate::graph::has_cycle(self.numbers.len(), &calls)
    }

    fn push(&mut self, construct: Construct, label: Option<String>) {
        self.frames.push(Frame {
            construct,
            label,
            left_min: usize::MAX,
        });
    }

    /// Closes a loop or switch; what it leaves, those around it are left by, too.
    fn close(&mut self) -> Option<(usize, Frame)> {
        let frame = self.frames.pop()?;
        if let Some(around) = self.frames.last_mut() {
            around.left_min = around.left_min.min(frame.left_min);
        }
        Some((self.frames.len(), frame))
    }

    fn leave(&mut self, target: usize) {
        if let Some(frame) = self.frames.last_mut() {
            frame.left_min = frame.left_min.min(target);
        }
    }

    /// The construct that a jump names, or the nearest one of a kind.
    fn target(&self, label: Option<&str>, is_kind: impl Fn(Construct) -> bool) -> usize {
        let nearby = self
            .frames
            .iter()
            .enumerate()
            .rev()
            .take(LABEL_DISTANCE_MAX);
        for (index, frame) in nearby {
            let is_named = label.is_some() && frame.label.as_deref() == label;
            let is_nearest = label.is_none() && is_kind(frame.construct);
            if is_named || is_nearest {
                return index;
            }
            if frame.construct == Construct::Function {
                // A label on a block in the function; everything inside may be left.
                return index;
            }
        }
        self.frames.len().saturating_sub(LABEL_DISTANCE_MAX)
    }

    fn number(&mut self, name: &str) -> Option<u32> {
        if let Some(number) = self.numbers.get(name) {
            return Some(*number);
        }
        let number = u32::try_from(self.numbers.len()).ok()?;
        if self.numbers.len() >= NAMES_MAX {
            return None;
        }
        self.numbers.insert(name.to_owned(), number);
        Some(number)
    }
}
