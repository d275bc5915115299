//! Between the runtime's values and [`Value`], by the type of the function.
//!
//! A value from the other side is only taken when it is of the type that the function has here.

use wasmtime::component::{Type, Val};

use super::value::{DEPTH_MAX, VALUES_MAX, Value};

/// Why a value does not cross.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    /// Values of this kind never cross.
    #[error("a {0} belongs to one store and cannot be passed to another")]
    Handle(&'static str),
    /// More than a message holds.
    #[error("there are more than {VALUES_MAX} values, or they nest deeper than {DEPTH_MAX}")]
    TooMuch,
    /// It is not of the type.
    #[error("a value is not of the type that the function has")]
    Type,
}

/// Counts what is left of a message.
pub(super) struct Left(usize);

impl Left {
    pub(super) const fn whole() -> Self {
        Self(VALUES_MAX)
    }

    fn take(&mut self, depth: usize) -> Result<usize, Unfit> {
        self.0 = self.0.checked_sub(1).ok_or(Unfit::TooMuch)?;
        depth.checked_sub(1).ok_or(Unfit::TooMuch)
    }
}

/// What in a type keeps it in one store, if anything does.
pub(super) fn obstacle(kind: &Type) -> Option<&'static str> {
    let of = |kind: Option<Type>| kind.as_ref().and_then(obstacle);
    match kind {
        Type::Own(_) | Type::Borrow(_) => Some("resource handle"),
        Type::Future(_) => Some("future"),
        Type::Stream(_) => Some("stream"),
        Type::ErrorContext => Some("error context"),
        Type::List(list) => obstacle(&list.ty()),
        Type::FixedLengthList(list) => obstacle(&list.ty()),
        Type::Map(map) => obstacle(&map.key()).or_else(|| obstacle(&map.value())),
        Type::Record(record) => record.fields().find_map(|field| obstacle(&field.ty)),
        Type::Tuple(tuple) => tuple.types().find_map(|kind| obstacle(&kind)),
        Type::Variant(variant) => variant.cases().find_map(|case| of(case.ty)),
        Type::Option(option) => obstacle(&option.ty()),
        Type::Result(result) => of(result.ok()).or_else(|| of(result.err())),
        Type::Bool
        | Type::S8
        | Type::U8
        | Type::S16
        | Type::U16
        | Type::S32
        | Type::U32
        | Type::S64
        | Type::U64
        | Type::Float32
        | Type::Float64
        | Type::Char
        | Type::String
        | Type::Enum(_)
        | Type::Flags(_) => None,
    }
}

/// From the runtime's value.
pub(super) fn to_value(val: &Val, kind: &Type, left: &mut Left) -> Result<Value, Unfit> {
    lift(val, kind, DEPTH_MAX, left)
}

fn lift(val: &Val, kind: &Type, depth: usize, left: &mut Left) -> Result<Value, Unfit> {
    let depth = left.take(depth)?;
    let mut inner = |val: &Val, kind: &Type| lift(val, kind, depth, left);
    Ok(match (val, kind) {
        (Val::Bool(value), _) => Value::Bool(*value),
        (Val::U8(number), _) => Value::Unsigned((*number).into()),
        (Val::U16(number), _) => Value::Unsigned((*number).into()),
        (Val::U32(number), _) => Value::Unsigned((*number).into()),
        (Val::U64(number), _) => Value::Unsigned(*number),
        (Val::S8(number), _) => Value::Signed((*number).into()),
        (Val::S16(number), _) => Value::Signed((*number).into()),
        (Val::S32(number), _) => Value::Signed((*number).into()),
        (Val::S64(number), _) => Value::Signed(*number),
        (Val::Float32(number), _) => Value::Float32(*number),
        (Val::Float64(number), _) => Value::Float64(*number),
        (Val::Char(character), _) => Value::Char(*character),
        (Val::String(text), _) => Value::Text(text.clone()),
        (Val::List(list), Type::List(kind)) if matches!(kind.ty(), Type::U8) => {
            let bytes = list.iter().map(|val| match val {
                Val::U8(byte) => Ok(*byte),
                _ => Err(Unfit::Type),
            });
            Value::Bytes(bytes.collect::<Result<_, _>>()?)
        }
        (Val::List(list), Type::List(kind)) => {
            let kind = kind.ty();
            let values = list.iter().map(|val| inner(val, &kind));
            Value::List(values.collect::<Result<_, _>>()?)
        }
        (Val::FixedLengthList(list), Type::FixedLengthList(kind)) => {
            let kind = kind.ty();
            let values = list.iter().map(|val| inner(val, &kind));
            Value::List(values.collect::<Result<_, _>>()?)
        }
        (Val::Map(pairs), Type::Map(map)) => {
            let (key, value) = (map.key(), map.value());
            let pairs = pairs
                .iter()
                .map(|(k, v)| Ok(Value::List(vec![inner(k, &key)?, inner(v, &value)?])));
            Value::List(pairs.collect::<Result<_, _>>()?)
        }
        (Val::Record(fields), Type::Record(record)) => {
            let fields = fields.iter().zip(record.fields());
            let values = fields.map(|((_, val), field)| inner(val, &field.ty));
            Value::List(values.collect::<Result<_, _>>()?)
        }
        (Val::Tuple(fields), Type::Tuple(tuple)) => {
            let fields = fields.iter().zip(tuple.types());
            let values = fields.map(|(val, kind)| inner(val, &kind));
            Value::List(values.collect::<Result<_, _>>()?)
        }
        (Val::Variant(name, val), Type::Variant(variant)) => {
            let mut cases = variant.cases().enumerate();
            let found = cases.find(|(_, case)| case.name == name);
            let (number, case) = found.ok_or(Unfit::Type)?;
            self::case(number, val.as_deref(), case.ty, inner)?
        }
        (Val::Enum(name), Type::Enum(names)) => Value::Case(position(names.names(), name)?, None),
        (Val::Option(val), Type::Option(option)) => {
            let kind = val.as_ref().map(|_| option.ty());
            self::case(usize::from(val.is_some()), val.as_deref(), kind, inner)?
        }
        (Val::Result(Ok(val)), Type::Result(result)) => {
            self::case(0, val.as_deref(), result.ok(), inner)?
        }
        (Val::Result(Err(val)), Type::Result(result)) => {
            self::case(1, val.as_deref(), result.err(), inner)?
        }
        (Val::Flags(set), Type::Flags(flags)) => {
            let numbers = set.iter().map(|name| position(flags.names(), name));
            Value::Flags(numbers.collect::<Result<_, _>>()?)
        }
        (_, kind) => return Err(obstacle(kind).map_or(Unfit::Type, Unfit::Handle)),
    })
}

fn case(
    number: usize,
    val: Option<&Val>,
    kind: Option<Type>,
    inner: impl FnOnce(&Val, &Type) -> Result<Value, Unfit>,
) -> Result<Value, Unfit> {
    let number = u32::try_from(number).map_err(|_| Unfit::TooMuch)?;
    match (val, kind) {
        (None, None) => Ok(Value::Case(number, None)),
        (Some(val), Some(kind)) => Ok(Value::Case(number, Some(Box::new(inner(val, &kind)?)))),
        _ => Err(Unfit::Type),
    }
}

fn position<'a>(mut names: impl Iterator<Item = &'a str>, name: &str) -> Result<u32, Unfit> {
    let found = names.position(|known| known == name).ok_or(Unfit::Type)?;
    u32::try_from(found).map_err(|_| Unfit::TooMuch)
}

fn named<T>(mut all: impl Iterator<Item = T>, number: u32) -> Result<T, Unfit> {
    all.nth(number as usize).ok_or(Unfit::Type)
}

/// To the runtime's value. [`super::value::decode`] has bounded its size; its nesting is the
/// type's.
pub(super) fn from_value(value: Value, kind: &Type) -> Result<Val, Unfit> {
    fn narrow<N>(number: impl TryInto<N>) -> Result<N, Unfit> {
        number.try_into().map_err(|_| Unfit::Type)
    }
    Ok(match (kind, value) {
        (Type::Bool, Value::Bool(value)) => Val::Bool(value),
        (Type::U8, Value::Unsigned(number)) => Val::U8(narrow(number)?),
        (Type::U16, Value::Unsigned(number)) => Val::U16(narrow(number)?),
        (Type::U32, Value::Unsigned(number)) => Val::U32(narrow(number)?),
        (Type::U64, Value::Unsigned(number)) => Val::U64(number),
        (Type::S8, Value::Signed(number)) => Val::S8(narrow(number)?),
        (Type::S16, Value::Signed(number)) => Val::S16(narrow(number)?),
        (Type::S32, Value::Signed(number)) => Val::S32(narrow(number)?),
        (Type::S64, Value::Signed(number)) => Val::S64(number),
        (Type::Float32, Value::Float32(number)) => Val::Float32(number),
        (Type::Float64, Value::Float64(number)) => Val::Float64(number),
        (Type::Char, Value::Char(character)) => Val::Char(character),
        (Type::String, Value::Text(text)) => Val::String(text),
        (Type::List(kind), Value::Bytes(bytes)) if matches!(kind.ty(), Type::U8) => {
            Val::List(bytes.into_iter().map(Val::U8).collect())
        }
        (Type::List(kind), Value::List(values)) => Val::List(all(values, &kind.ty())?),
        (Type::FixedLengthList(kind), Value::List(values)) => {
            if values.len() != kind.len() as usize {
                return Err(Unfit::Type);
            }
            Val::FixedLengthList(all(values, &kind.ty())?)
        }
        (Type::Map(map), Value::List(pairs)) => {
            let pairs = pairs.into_iter().map(|pair| match pair {
                Value::List(pair) => {
                    let [key, value] = <[Value; 2]>::try_from(pair).map_err(|_| Unfit::Type)?;
                    Ok((
                        from_value(key, &map.key())?,
                        from_value(value, &map.value())?,
                    ))
                }
                _ => Err(Unfit::Type),
            });
            Val::Map(pairs.collect::<Result<_, _>>()?)
        }
        (Type::Record(record), Value::List(values)) => {
            same(values.len(), record.fields().len())?;
            let fields = record.fields().zip(values);
            let fields = fields
                .map(|(field, value)| Ok((field.name.to_owned(), from_value(value, &field.ty)?)));
            Val::Record(fields.collect::<Result<_, _>>()?)
        }
        (Type::Tuple(tuple), Value::List(values)) => {
            same(values.len(), tuple.types().len())?;
            let fields = tuple.types().zip(values);
            let fields = fields.map(|(kind, value)| from_value(value, &kind));
            Val::Tuple(fields.collect::<Result<_, _>>()?)
        }
        (Type::Variant(variant), Value::Case(number, value)) => {
            let case = named(variant.cases(), number)?;
            Val::Variant(case.name.to_owned(), payload(value, case.ty)?)
        }
        (Type::Enum(names), Value::Case(number, None)) => {
            Val::Enum(named(names.names(), number)?.to_owned())
        }
        (Type::Option(_), Value::Case(0, None)) => Val::Option(None),
        (Type::Option(option), Value::Case(1, Some(value))) => {
            Val::Option(payload(Some(value), Some(option.ty()))?)
        }
        (Type::Result(result), Value::Case(0, value)) => {
            Val::Result(Ok(payload(value, result.ok())?))
        }
        (Type::Result(result), Value::Case(1, value)) => {
            Val::Result(Err(payload(value, result.err())?))
        }
        (Type::Flags(flags), Value::Flags(numbers)) => {
            same(numbers.len(), numbers.len().min(flags.names().len()))?;
            let names = numbers
                .into_iter()
                .map(|number| named(flags.names(), number).map(str::to_owned));
            Val::Flags(names.collect::<Result<_, _>>()?)
        }
        (kind, _) => return Err(obstacle(kind).map_or(Unfit::Type, Unfit::Handle)),
    })
}

const fn same(one: usize, other: usize) -> Result<(), Unfit> {
    if one == other {
        Ok(())
    } else {
        Err(Unfit::Type)
    }
}

fn all(values: Vec<Value>, kind: &Type) -> Result<Vec<Val>, Unfit> {
    let values = values.into_iter();
    values.map(|value| from_value(value, kind)).collect()
}

fn payload(value: Option<Box<Value>>, kind: Option<Type>) -> Result<Option<Box<Val>>, Unfit> {
    match (value, kind) {
        (None, None) => Ok(None),
        (Some(value), Some(kind)) => from_value(*value, &kind).map(|val| Some(Box::new(val))),
        _ => Err(Unfit::Type),
    }
}
