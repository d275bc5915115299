//! Reads WebAssembly: core modules (WASI preview 1 commands) and components.
//!
//! Owns the pass over the sections of a binary and of everything nested in it. What a function
//! body does is read in [`function`], what imports mean in [`imports`], how a component is wired
//! in [`component`]. Nothing is validated beyond what reading needs: the runtime validates before
//! it compiles.

mod component;
mod function;
mod imports;

use atoll_types::{Capability, DependencySource};
use wasmparser::{
    BinaryReaderError, Data, Encoding, ExternalKind, FromReader, FunctionBody, ImportSectionReader,
    MemoryType, OperatorsReaderAllocations, Parser, Payload, SectionLimited, TableType, TypeRef,
};

use self::component::Wiring;
use self::function::{BodyError, ModuleFacts};
use crate::findings::Findings;
use crate::graph;

/// Operators decoded in one program; the targets of a branch table count as operators.
const OPERATORS_MAX: u64 = 20_000_000;

/// Modules and components inside each other.
const DEPTH_MAX: usize = 64;

/// Modules and components in one program.
const PARTS_MAX: u64 = 10_000;

/// Direct calls that are remembered to look for recursion, in one module.
const CALLS_MAX: usize = 4_000_000;

/// Imports that are named one by one when Atoll does not offer them.
const FOREIGN_IMPORTS_MAX: u64 = 64;

/// Bytes of a page of linear memory, unless the memory says otherwise.
const PAGE_BYTES_LOG2: u32 = 16;

/// Reads a module or a component.
pub(crate) fn analyze(bytes: &[u8], findings: &mut Findings) {
    let mut reader = Reader {
        findings,
        levels: Vec::new(),
        parts: 0,
        operators_left: OPERATORS_MAX,
        foreign_imports: 0,
        allocations: OperatorsReaderAllocations::default(),
    };
    for payload in Parser::new(0).parse_all(bytes) {
        let read = payload
            .map_err(Stop::from)
            .and_then(|payload| reader.payload(payload));
        if let Err(stop) = read {
            reader.stopped(&stop);
            return;
        }
    }
}

/// Why reading stopped early.
enum Stop {
    /// The binary is damaged.
    Malformed(BinaryReaderError),
    /// It has more of something than is looked at.
    TooMuch(&'static str),
}

impl From<BinaryReaderError> for Stop {
    fn from(error: BinaryReaderError) -> Self {
        Self::Malformed(error)
    }
}

/// A module or component that is being read; the outermost first.
enum Level {
    Module(Module),
    Component(Wiring),
}

/// What is known so far about a module.
#[derive(Default)]
struct Module {
    facts: ModuleFacts,
    /// Functions whose bodies were read.
    functions: u32,
    /// Direct calls between functions with a body, numbered from 0.
    calls: Vec<(u32, u32)>,
    /// Whether it exports the function `_start`.
    is_command: bool,
}

struct Reader<'a> {
    findings: &'a mut Findings,
    levels: Vec<Level>,
    parts: u64,
    operators_left: u64,
    foreign_imports: u64,
    allocations: OperatorsReaderAllocations,
}

impl Reader<'_> {
    fn payload(&mut self, payload: Payload<'_>) -> Result<(), Stop> {
        match payload {
            Payload::Version { encoding, .. } => self.open(encoding)?,
            Payload::End(_) => self.close(),
            Payload::ImportSection(section) => self.imports(section)?,
            Payload::TableSection(section) => {
                for table in section {
                    self.table(&table?.ty);
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    self.memory(&memory?);
                }
            }
            Payload::TagSection(section) => {
                if let Some(Level::Module(module)) = self.levels.last_mut() {
                    module.facts.may_throw |= section.count() > 0;
                }
                drain(section)?;
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if let Some(Level::Module(module)) = self.levels.last_mut() {
                        let is_function =
                            matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact);
                        module.is_command |= is_function && export.name == "_start";
                    }
                }
            }
            Payload::DataSection(section) => self.data(section)?,
            Payload::CodeSectionEntry(body) => self.body(&body)?,
            Payload::TypeSection(section) => drain(section)?,
            Payload::FunctionSection(section) => drain(section)?,
            Payload::GlobalSection(section) => drain(section)?,
            Payload::ElementSection(section) => drain(section)?,
            Payload::UnknownSection { id, range, .. } => {
                let message = format!("unknown section {id} at byte {}", range.start);
                self.findings.problem(None, &message);
            }
            payload => self.component_payload(payload)?,
        }
        Ok(())
    }

    /// Sections that only components have. Types are not read: their nesting has no bound.
    fn component_payload(&mut self, payload: Payload<'_>) -> Result<(), Stop> {
        let Some(Level::Component(wiring)) = self.levels.last_mut() else {
            return Ok(());
        };
        match payload {
            Payload::ComponentImportSection(section) => {
                for import in section {
                    wiring.import(&import?)?;
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    wiring.instance(&instance?);
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    wiring.alias(&alias?);
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export?;
                    wiring.export(export.name.name, export.kind, export.index);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, encoding: Encoding) -> Result<(), Stop> {
        self.parts += 1;
        if self.parts > PARTS_MAX {
            return Err(Stop::TooMuch("more than 10,000 modules and components"));
        }
        if self.levels.len() >= DEPTH_MAX {
            return Err(Stop::TooMuch("components nested more than 64 deep"));
        }
        self.levels.push(match encoding {
            Encoding::Module => Level::Module(Module::default()),
            Encoding::Component => Level::Component(Wiring::default()),
        });
        Ok(())
    }

    fn close(&mut self) {
        let closed = self.levels.pop();
        let is_outermost = self.levels.is_empty();
        match closed {
            Some(Level::Module(module)) => {
                let functions = module.functions as usize;
                self.findings.recursion |= graph::has_cycle(functions, &module.calls);
                if is_outermost && !module.is_command {
                    self.findings
                        .problem(None, "not a command: the module has no _start export");
                }
            }
            Some(Level::Component(wiring)) if is_outermost => {
                if !wiring.is_command() {
                    let message = "not a command: the component has no wasi:cli/run export";
                    self.findings.problem(None, message);
                }
                for import in wiring.into_imports() {
                    self.interface(&import);
                }
            }
            // What a nested component imports, the outer one gives it.
            Some(Level::Component(_)) | None => {}
        }
    }

    fn imports(&mut self, section: ImportSectionReader<'_>) -> Result<(), Stop> {
        let is_outermost = self.levels.len() == 1;
        for import in section.into_imports() {
            let import = import?;
            let is_function = matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
            if let Some(Level::Module(module)) = self.levels.last_mut() {
                if is_function && import.name == "proc_exit" {
                    module.facts.exit_function = Some(module.facts.imported_functions);
                }
                module.facts.imported_functions += u32::from(is_function);
                module.facts.may_throw |= matches!(import.ty, TypeRef::Tag(_));
            }
            // A module inside a component is given its imports by the component.
            if !is_outermost {
                continue;
            }
            match import.ty {
                TypeRef::Memory(memory) => self.memory(&memory),
                TypeRef::Table(table) => self.table(&table),
                _ => {}
            }
            let known = imports::preview1(import.module, import.name);
            match known.filter(|_| is_function) {
                Some(capabilities) => {
                    self.findings
                        .dependency(import.module, DependencySource::StandardLibrary);
                    self.note_all(capabilities);
                }
                None => self.foreign(import.module, import.name),
            }
            self.findings
                .host_call(&format!("{}.{}", import.module, import.name));
        }
        Ok(())
    }

    /// An interface that the outermost component imports.
    fn interface(&mut self, import: &component::Import) {
        self.findings.host_call(&import.name);
        for function in &import.functions {
            self.findings
                .host_call(&format!("{}#{function}", import.name));
        }
        let interface = imports::Interface::named(&import.name);
        if interface.is_offered() && import.is_instance {
            self.findings
                .dependency(interface.package(), DependencySource::StandardLibrary);
        } else {
            self.foreign(interface.package(), &import.name);
        }
        if import.is_used_whole {
            self.note_all(interface.capabilities());
        }
        for function in &import.functions {
            self.note_all(interface.function_capabilities(function));
        }
    }

    /// An import that nobody will provide.
    fn foreign(&mut self, module: &str, name: &str) {
        self.findings
            .dependency(module, DependencySource::ThirdParty);
        self.foreign_imports += 1;
        if self.foreign_imports <= FOREIGN_IMPORTS_MAX {
            let (module, name) = (module.escape_debug(), name.escape_debug());
            self.findings.problem(
                None,
                &format!("imports {name} from {module}, which Atoll does not offer"),
            );
        }
    }

    fn note_all(&mut self, capabilities: &[Capability]) {
        for capability in capabilities {
            self.findings.capability(*capability);
        }
    }

    fn memory(&mut self, memory: &MemoryType) {
        if memory.shared {
            self.findings.capability(Capability::Threads);
        }
        self.findings.literal("memory.pages", memory.initial);
        if let Some(maximum) = memory.maximum {
            self.findings.literal("memory.pages.max", maximum);
        }
        let page_bytes = 1_u64
            .checked_shl(memory.page_size_log2.unwrap_or(PAGE_BYTES_LOG2))
            .unwrap_or(u64::MAX);
        let bytes = memory.initial.saturating_mul(page_bytes);
        let declared = self.findings.declared_memory_bytes.unwrap_or(0);
        self.findings.declared_memory_bytes = Some(declared.saturating_add(bytes));
        if !memory.memory64 && bytes > 1 << 32 {
            let message = format!(
                "declares {} pages of memory, more than can exist",
                memory.initial
            );
            self.findings.problem(None, &message);
        }
    }

    fn table(&mut self, table: &TableType) {
        self.findings.literal("memory.table.entries", table.initial);
    }

    fn data(&mut self, section: SectionLimited<'_, Data<'_>>) -> Result<(), Stop> {
        let mut bytes = 0_u64;
        for data in section {
            bytes = bytes.saturating_add(data?.data.len() as u64);
        }
        self.findings.literal("memory.data.bytes", bytes);
        Ok(())
    }

    fn body(&mut self, body: &FunctionBody<'_>) -> Result<(), Stop> {
        let Some(Level::Module(module)) = self.levels.last_mut() else {
            return Ok(());
        };
        let allocations = std::mem::take(&mut self.allocations);
        let read = function::read(body, allocations, module.facts, &mut self.operators_left);
        let (mut facts, allocations) = match read {
            Ok(read) => read,
            Err(BodyError::Malformed(error)) => return Err(error.into()),
            Err(BodyError::TooLong) => {
                return Err(Stop::TooMuch("more than 20 million instructions"));
            }
        };
        self.allocations = allocations;
        facts.callees.sort_unstable();
        facts.callees.dedup();
        let caller = module.functions;
        let calls = facts.callees.iter().map(|callee| (caller, *callee));
        if module.calls.len() + facts.callees.len() > CALLS_MAX {
            self.findings.problem(
                None,
                "more than 4 million calls; recursion was not looked for",
            );
        } else {
            module.calls.extend(calls);
        }
        module.functions += 1;
        self.findings.functions += 1;
        self.findings.instructions += facts.operators;
        self.findings.loops += facts.loops;
        self.findings.loop_nesting(facts.loop_nesting_max);
        self.findings.endless_loop |= facts.has_endless_loop;
        for (role, value) in facts.literals {
            self.findings.literal(role, value);
        }
        Ok(())
    }

    /// Keeps what was read before the place where reading stopped.
    fn stopped(&mut self, stop: &Stop) {
        let message = match stop {
            Stop::Malformed(error) => format!(
                "malformed WebAssembly at byte {}: {}",
                error.offset(),
                error.message().escape_debug()
            ),
            Stop::TooMuch(what) => format!("{what}; the rest was not read"),
        };
        self.findings.problem(None, &message);
        while let Some(level) = self.levels.pop() {
            if let Level::Component(wiring) = level
                && self.levels.is_empty()
            {
                for import in wiring.into_imports() {
                    self.interface(&import);
                }
            }
        }
    }
}

/// Reads a section for damage only.
fn drain<'a, T: FromReader<'a>>(section: SectionLimited<'a, T>) -> Result<(), Stop> {
    for item in section {
        item?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
