//! How often one core module calls each function it imports.

use wasmparser::{ElementItems, ExternalKind, FunctionBody, Operator, Payload, TypeRef};

/// How often the body of a loop is taken to run.
const LOOP_RUNS: f64 = 10.0;

/// Loops inside each other that count; deeper ones are rarely what they look like.
const LOOPS_MAX: u32 = 4;

/// No function is taken to be called more often than this.
const CALLS_MAX: f64 = 1e9;

/// Steps along chains of calls that are followed; a chain that is longer counts less.
const ROUNDS_MAX: usize = 16;

/// Calls between functions that are remembered.
const EDGES_MAX: usize = 4_000_000;

/// One module, as far as it has been read.
#[derive(Debug, Default)]
pub(super) struct ModuleCalls {
    is_outermost: bool,
    /// Module and name of every imported function.
    imported: Vec<(String, String)>,
    /// Functions that run without being called from inside.
    entries: Vec<u32>,
    /// Caller, callee, and calls for one run of the caller.
    edges: Vec<(u32, u32, f64)>,
    bodies: u32,
}

impl ModuleCalls {
    /// A module of which nothing has been read. `is_outermost` when it stands in the outermost
    /// component itself.
    pub(super) fn new(is_outermost: bool) -> Self {
        Self {
            is_outermost,
            ..Self::default()
        }
    }

    pub(super) const fn is_outermost(&self) -> bool {
        self.is_outermost
    }

    /// Reads one piece; `None` when there is too much or it is damaged.
    pub(super) fn read(&mut self, payload: &Payload<'_>, operators_left: &mut u64) -> Option<()> {
        match payload {
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    let import = import.ok()?;
                    if matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)) {
                        self.imported
                            .push((import.module.to_owned(), import.name.to_owned()));
                    }
                }
            }
            Payload::ExportSection(section) => {
                for export in section.clone() {
                    let export = export.ok()?;
                    if matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact) {
                        self.entries.push(export.index);
                    }
                }
            }
            Payload::StartSection { func, .. } => self.entries.push(*func),
            Payload::ElementSection(section) => {
                for element in section.clone() {
                    if let ElementItems::Functions(functions) = element.ok()?.items {
                        for function in functions {
                            self.entries.push(function.ok()?);
                        }
                    }
                }
            }
            Payload::CodeSectionEntry(body) => self.body(body, operators_left)?,
            _ => {}
        }
        Some(())
    }

    fn body(&mut self, body: &FunctionBody<'_>, operators_left: &mut u64) -> Option<()> {
        let imported = u32::try_from(self.imported.len()).ok()?;
        let caller = imported.checked_add(self.bodies)?;
        self.bodies = self.bodies.checked_add(1)?;
        // Whether each open construct is a loop.
        let mut open = Vec::new();
        let mut loops = 0_u32;
        for operator in body.get_operators_reader().ok()? {
            *operators_left = operators_left.checked_sub(1)?;
            match operator.ok()? {
                Operator::Loop { .. } => {
                    open.push(true);
                    loops = loops.saturating_add(1);
                }
                Operator::Block { .. }
                | Operator::If { .. }
                | Operator::Try { .. }
                | Operator::TryTable { .. } => open.push(false),
                Operator::End | Operator::Delegate { .. } => {
                    let was_loop = open.pop() == Some(true);
                    loops = loops.saturating_sub(u32::from(was_loop));
                }
                Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                    let depth = i32::try_from(loops.min(LOOPS_MAX)).unwrap_or(0);
                    let runs = LOOP_RUNS.powi(depth);
                    self.edges.push((caller, function_index, runs));
                    if self.edges.len() > EDGES_MAX {
                        return None;
                    }
                }
                _ => {}
            }
        }
        Some(())
    }

    /// Every imported function with the calls for one run of the module.
    pub(super) fn calls(&self) -> impl Iterator<Item = (&(String, String), f64)> {
        let calls = self.estimate();
        self.imported
            .iter()
            .enumerate()
            .map(move |(index, callee)| (callee, calls.get(index).copied().unwrap_or(0.0)))
    }

    /// Runs of every function: once for an entry, and what its callers make of it. Each round
    /// follows every chain of calls one step further.
    fn estimate(&self) -> Vec<f64> {
        let functions = self.imported.len().saturating_add(self.bodies as usize);
        let mut once = vec![0.0; functions];
        for entry in &self.entries {
            if let Some(runs) = once.get_mut(*entry as usize) {
                *runs = 1.0;
            }
        }
        let mut runs = once.clone();
        for _ in 0..ROUNDS_MAX {
            let mut next = once.clone();
            for (caller, callee, calls) in &self.edges {
                let from = runs.get(*caller as usize).copied().unwrap_or(0.0);
                if let Some(sum) = next.get_mut(*callee as usize) {
                    *sum = (*sum + from * calls).min(CALLS_MAX);
                }
            }
            if next == runs {
                break;
            }
            runs = next;
        }
        runs
    }
}
