//! Values on their way from one store to another, and their encoding.
//!
//! Values carry no names and no types: both sides know the function's type. The other side is
//! hostile, so decoding bounds the nesting, the number of values and, before it takes memory, every
//! length by the bytes that are there. A list of bytes is one value.

/// How deep values may nest.
pub const DEPTH_MAX: usize = 64;

/// Values in one message; bytes and texts count once. Each takes 32 bytes of memory.
pub const VALUES_MAX: usize = 1 << 18;

/// A value of the component model without its type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `bool`.
    Bool(bool),
    /// `u8` to `u64`.
    Unsigned(u64),
    /// `s8` to `s64`.
    Signed(i64),
    /// `f32`.
    Float32(f32),
    /// `f64`.
    Float64(f64),
    /// `char`.
    Char(char),
    /// `string`.
    Text(String),
    /// `list<u8>`.
    Bytes(Vec<u8>),
    /// Other lists, tuples and records; a map is a list of pairs.
    List(Vec<Value>),
    /// The number of a case of a variant or enum. For `option`, none is 0 and some is 1; for
    /// `result`, ok is 0 and err is 1.
    Case(u32, Option<Box<Value>>),
    /// The numbers of the flags that are set.
    Flags(Vec<u32>),
}

/// Why bytes are not values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotValues {
    /// They end too early or hold something else.
    #[error("they are not encoded values")]
    Malformed,
    /// More than [`DEPTH_MAX`] inside each other.
    #[error("values nest deeper than {DEPTH_MAX}")]
    TooDeep,
    /// More than [`VALUES_MAX`].
    #[error("there are more than {VALUES_MAX} values")]
    TooMany,
}

mod tag {
    pub(super) const FALSE: u8 = 0;
    pub(super) const TRUE: u8 = 1;
    pub(super) const UNSIGNED: u8 = 2;
    pub(super) const SIGNED: u8 = 3;
    pub(super) const FLOAT32: u8 = 4;
    pub(super) const FLOAT64: u8 = 5;
    pub(super) const CHAR: u8 = 6;
    pub(super) const TEXT: u8 = 7;
    pub(super) const BYTES: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const CASE: u8 = 10;
    pub(super) const CASE_WITH: u8 = 11;
    pub(super) const FLAGS: u8 = 12;
}

/// Appends the values to `to`.
///
/// # Errors
/// When they nest too deep or are too many; part of them may have been appended then.
pub fn encode(values: &[Value], to: &mut Vec<u8>) -> Result<(), NotValues> {
    let mut left = VALUES_MAX;
    put_number(to, values.len() as u64);
    for value in values {
        put(value, to, DEPTH_MAX, &mut left)?;
    }
    Ok(())
}

fn put(value: &Value, to: &mut Vec<u8>, depth: usize, left: &mut usize) -> Result<(), NotValues> {
    let depth = depth.checked_sub(1).ok_or(NotValues::TooDeep)?;
    *left = left.checked_sub(1).ok_or(NotValues::TooMany)?;
    match value {
        Value::Bool(false) => to.push(tag::FALSE),
        Value::Bool(true) => to.push(tag::TRUE),
        Value::Unsigned(number) => {
            to.push(tag::UNSIGNED);
            put_number(to, *number);
        }
        Value::Signed(number) => {
            to.push(tag::SIGNED);
            // The sign goes last, so that small numbers of either sign are short.
            put_number(to, ((number << 1) ^ (number >> 63)).cast_unsigned());
        }
        Value::Float32(number) => {
            to.push(tag::FLOAT32);
            to.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        Value::Float64(number) => {
            to.push(tag::FLOAT64);
            to.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        Value::Char(character) => {
            to.push(tag::CHAR);
            put_number(to, u32::from(*character).into());
        }
        Value::Text(text) => {
            to.push(tag::TEXT);
            put_bytes(to, text.as_bytes());
        }
        Value::Bytes(bytes) => {
            to.push(tag::BYTES);
            put_bytes(to, bytes);
        }
        Value::List(values) => {
            to.push(tag::LIST);
            put_number(to, values.len() as u64);
            for value in values {
                put(value, to, depth, left)?;
            }
        }
        Value::Case(number, None) => {
            to.push(tag::CASE);
            put_number(to, (*number).into());
        }
        Value::Case(number, Some(value)) => {
            to.push(tag::CASE_WITH);
            put_number(to, (*number).into());
            put(value, to, depth, left)?;
        }
        Value::Flags(numbers) => {
            to.push(tag::FLAGS);
            put_number(to, numbers.len() as u64);
            *left = left.checked_sub(numbers.len()).ok_or(NotValues::TooMany)?;
            for number in numbers {
                put_number(to, (*number).into());
            }
        }
    }
    Ok(())
}

/// Seven bits in each byte, the low ones first; the highest bit says that more follow.
pub(super) fn put_number(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// The length, then the bytes.
pub(super) fn put_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    put_number(to, bytes.len() as u64);
    to.extend_from_slice(bytes);
}

/// Reads what [`encode`] wrote; `bytes` must hold nothing else.
///
/// # Errors
/// When the bytes are anything else, nest too deep or hold too many values.
pub fn decode(bytes: &[u8]) -> Result<Vec<Value>, NotValues> {
    let mut reader = Reader::new(bytes);
    let values = reader.values(DEPTH_MAX)?;
    reader
        .is_empty()
        .then_some(values)
        .ok_or(NotValues::Malformed)
}

/// Reads pieces off the front of hostile bytes.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    values_left: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            values_left: VALUES_MAX,
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], NotValues> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(count)
            .ok_or(NotValues::Malformed)?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, NotValues> {
        self.take(1)?.first().copied().ok_or(NotValues::Malformed)
    }

    pub(super) fn number(&mut self) -> Result<u64, NotValues> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let low = u64::from(byte & 0x7f);
            if shift == 63 && low > 1 {
                break;
            }
            number |= low << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(NotValues::Malformed)
    }

    fn number_32(&mut self) -> Result<u32, NotValues> {
        u32::try_from(self.number()?).map_err(|_| NotValues::Malformed)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], NotValues> {
        let length = usize::try_from(self.number()?).map_err(|_| NotValues::Malformed)?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, NotValues> {
        std::str::from_utf8(self.bytes()?).map_err(|_| NotValues::Malformed)
    }

    /// A number of things of at least one byte each, all of which must be there.
    fn count(&mut self) -> Result<usize, NotValues> {
        let count = usize::try_from(self.number()?).map_err(|_| NotValues::Malformed)?;
        if count > self.bytes.len() {
            return Err(NotValues::Malformed);
        }
        self.values_left = self
            .values_left
            .checked_sub(count)
            .ok_or(NotValues::TooMany)?;
        Ok(count)
    }

    pub(super) fn values(&mut self, depth: usize) -> Result<Vec<Value>, NotValues> {
        let count = self.count()?;
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(self.value(depth)?);
        }
        Ok(values)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NotValues> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| NotValues::Malformed)
    }

    fn value(&mut self, depth: usize) -> Result<Value, NotValues> {
        let depth = depth.checked_sub(1).ok_or(NotValues::TooDeep)?;
        Ok(match self.byte()? {
            tag::FALSE => Value::Bool(false),
            tag::TRUE => Value::Bool(true),
            tag::UNSIGNED => Value::Unsigned(self.number()?),
            tag::SIGNED => {
                let number = self.number()?;
                Value::Signed((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
            }
            tag::FLOAT32 => Value::Float32(f32::from_bits(u32::from_le_bytes(self.array()?))),
            tag::FLOAT64 => Value::Float64(f64::from_bits(u64::from_le_bytes(self.array()?))),
            tag::CHAR => {
                let number = self.number_32()?;
                Value::Char(char::from_u32(number).ok_or(NotValues::Malformed)?)
            }
            tag::TEXT => Value::Text(self.text()?.to_owned()),
            tag::BYTES => Value::Bytes(self.bytes()?.to_owned()),
            tag::LIST => Value::List(self.values(depth)?),
            tag::CASE => Value::Case(self.number_32()?, None),
            tag::CASE_WITH => {
                let number = self.number_32()?;
                self.values_left = self.values_left.checked_sub(1).ok_or(NotValues::TooMany)?;
                Value::Case(number, Some(Box::new(self.value(depth)?)))
            }
            tag::FLAGS => {
                let count = self.count()?;
                let mut numbers = Vec::with_capacity(count);
                for _ in 0..count {
                    numbers.push(self.number_32()?);
                }
                Value::Flags(numbers)
            }
            _ => return Err(NotValues::Malformed),
        })
    }
}
