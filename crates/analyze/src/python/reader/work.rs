//! Numbers in a Python program that size its work.

use ruff_python_ast::{Expr, ExprBinOp, ExprCall, Operator};

use super::super::fold::{self, Const};
use super::Reader;

/// Functions of modules that do as much as one of their arguments says: (function, argument, role).
const SIZED: [(&str, usize, &str); 12] = [
    ("itertools.islice", 1, "count"),
    ("itertools.repeat", 1, "count"),
    ("math.factorial", 0, "factorial"),
    ("mmap.mmap", 1, "bytes"),
    ("numpy.arange", 0, "array"),
    ("numpy.identity", 0, "array"),
    ("numpy.linspace", 2, "array"),
    ("os.getrandom", 0, "bytes"),
    ("os.urandom", 0, "bytes"),
    ("random.randbytes", 0, "bytes"),
    ("secrets.token_bytes", 0, "bytes"),
    ("secrets.token_hex", 0, "bytes"),
];

/// Functions of numpy that take the shape of an array first.
const SHAPED: [&str; 6] = [
    "numpy.empty",
    "numpy.full",
    "numpy.ones",
    "numpy.random.random",
    "numpy.zeros",
    "numpy.ndarray",
];

impl<'a> Reader<'a, '_> {
    /// Notes the numbers of a call that sizes work.
    pub(super) fn note_call(&mut self, call: &'a ExprCall, functions: &[String]) {
        if let Expr::Name(name) = &*call.func {
            match name.id.as_str() {
                "range" | "xrange" => self.note_range(call),
                function @ ("bytearray" | "bytes") => {
                    if let Some(amount) = self.amount(call, 0) {
                        self.findings.literal(function, amount);
                    }
                }
                "pow" => {
                    if let [base, exponent] = &*call.arguments.args {
                        self.note_power(base, exponent);
                    }
                }
                _ => {}
            }
        }
        for function in functions {
            let function = function.as_str();
            if let Some((_, position, role)) = SIZED.iter().find(|row| row.0 == function)
                && let Some(amount) = self.amount(call, *position)
            {
                self.findings.literal(role, amount);
            } else if SHAPED.contains(&function)
                && let Some(amount) = self.shape(call)
            {
                self.findings.literal("array", amount);
            } else if matches!(function, "numpy.random.rand" | "numpy.random.randn") {
                let sides = call.arguments.args.iter();
                let amount = product(sides.map(|side| self.amount_of(side)));
                if let Some(amount) = amount {
                    self.findings.literal("array", amount);
                }
            } else if matches!(function, "time.sleep" | "asyncio.sleep")
                && let Some(milliseconds) = self.milliseconds(call)
            {
                self.findings.literal("sleep.milliseconds", milliseconds);
            }
        }
    }

    /// Notes the number a `while` loop counts to: `while i < 1000`.
    pub(super) fn note_loop_bound(&mut self, test: &Expr) {
        if let Expr::Compare(comparison) = test
            && let [right] = &*comparison.comparators
        {
            for side in [&*comparison.left, right] {
                if let Some(amount) = self.amount_of(side) {
                    self.findings.literal("while", amount);
                }
            }
        }
    }

    /// Notes `[0] * n`, `"a" * n`, `2 ** n` and `1 << n`.
    pub(super) fn note_operation(&mut self, operation: &'a ExprBinOp) {
        match operation.op {
            Operator::Mult => self.note_repetition(&operation.left, &operation.right),
            Operator::Pow => self.note_power(&operation.left, &operation.right),
            Operator::LShift => {
                if let Some(bits) = self.amount_of(&operation.right)
                    && bits > 64
                {
                    self.findings.literal("shift.bits", bits);
                }
            }
            _ => {}
        }
    }

    fn note_repetition(&mut self, left: &Expr, right: &Expr) {
        let left_value = fold::guess(left, self.names);
        let right_value = fold::guess(right, self.names);
        let (sequence, times) = match (&left_value, &right_value) {
            (Some(times @ Const::Int(_)), sequence) => ((right, sequence), times),
            (sequence, Some(times @ Const::Int(_))) => ((left, sequence), times),
            _ => return,
        };
        let length = match sequence {
            (_, Some(value)) => value.length(),
            // A list whose elements are not known as a whole still has some.
            (Expr::List(list), None) => Some(list.elts.len() as u64),
            (Expr::ListComp(_), None) => Some(1),
            (Expr::Call(call), None) if makes_sequence(call) => Some(1),
            _ => None,
        };
        if let (Some(length), Some(times)) = (length, times.as_amount()) {
            self.findings
                .literal("repeat", length.saturating_mul(times));
        }
    }

    /// A power of whole numbers costs by the bits of its result; up to 64 bits are free.
    fn note_power(&mut self, base: &Expr, exponent: &Expr) {
        let Some(Const::Int(exponent)) = fold::guess(exponent, self.names) else {
            return;
        };
        let Ok(exponent) = u64::try_from(exponent.clamp(0, i128::from(u64::MAX))) else {
            return;
        };
        let bits_of_base = match fold::guess(base, self.names) {
            Some(Const::Int(base)) => match base.unsigned_abs() {
                0 | 1 => 0,
                base => u64::from(base.ilog2()).max(1),
            },
            Some(_) => return,
            None => 1,
        };
        let bits = exponent.saturating_mul(bits_of_base);
        if bits > 128 {
            self.findings.literal("power.bits", bits);
        }
    }

    /// How often `range(...)` goes round, as far as its numbers are known.
    fn note_range(&mut self, call: &ExprCall) {
        let number = |position: usize| {
            let argument = call.arguments.find_positional(position)?;
            match fold::guess(argument, self.names)? {
                Const::Int(number) => Some(number),
                _ => None,
            }
        };
        let (start, stop, step) = match &*call.arguments.args {
            [_] => (Some(0), number(0), Some(1)),
            [_, _] => (number(0), number(1), Some(1)),
            [_, _, _] => (number(0), number(1), number(2)),
            _ => return,
        };
        let span = match (start, stop) {
            (Some(start), Some(stop)) => stop.saturating_sub(start),
            // With one end unknown, the other is the best guess at the order of magnitude.
            (Some(known), None) | (None, Some(known)) => known,
            (None, None) => return,
        };
        let rounds = span.unsigned_abs() / step.unwrap_or(1).unsigned_abs().max(1);
        let runs_backwards = step.is_some_and(|step| step < 0);
        let is_empty = start.is_some() && stop.is_some() && (span < 0) != runs_backwards;
        if !is_empty && rounds > 0 {
            self.findings
                .literal("range", u64::try_from(rounds).unwrap_or(u64::MAX));
        }
    }

    fn amount_of(&self, expr: &Expr) -> Option<u64> {
        fold::guess(expr, self.names)?.as_amount()
    }

    fn amount(&self, call: &ExprCall, position: usize) -> Option<u64> {
        self.amount_of(call.arguments.find_positional(position)?)
    }

    /// The elements of an array of the shape in the first argument: a number or a tuple.
    fn shape(&self, call: &ExprCall) -> Option<u64> {
        match call.arguments.find_argument_value("shape", 0)? {
            Expr::Tuple(sides) => product(sides.elts.iter().map(|side| self.amount_of(side))),
            Expr::List(sides) => product(sides.elts.iter().map(|side| self.amount_of(side))),
            side => self.amount_of(side),
        }
    }

    fn milliseconds(&self, call: &ExprCall) -> Option<u64> {
        let seconds = call.arguments.find_positional(0)?;
        let milliseconds = match fold::guess(seconds, self.names)? {
            Const::Int(seconds) => Const::Int(seconds.saturating_mul(1000)),
            Const::Float(seconds) => Const::Float(seconds * 1000.0),
            _ => return None,
        };
        milliseconds.as_amount()
    }
}

/// `bytearray(...)` and the like.
fn makes_sequence(call: &ExprCall) -> bool {
    let function = call.func.as_name_expr().map(|name| name.id.as_str());
    matches!(
        function,
        Some("bytearray" | "bytes" | "list" | "str" | "tuple")
    )
}

/// The product of the sides that are known; `None` when none is.
fn product(sides: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    sides.flatten().reduce(u64::saturating_mul)
}
