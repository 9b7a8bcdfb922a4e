//! [`Signature`]: what the stub of a class declares, as the generated code holds it.

use ext_php_rs::ffi::{
    IS_ARRAY, IS_CALLABLE, IS_DOUBLE, IS_FALSE, IS_LONG, IS_NULL, IS_OBJECT, IS_STRING, IS_TRUE,
    IS_VOID, MAY_BE_ANY,
};
use ext_php_rs::types::Zval;

use super::method::MethodHandler;
use super::string::Interned;
use super::value;

/// A class.
#[derive(Debug)]
pub struct Signature {
    /// Its name with its namespace.
    pub name: &'static str,
    /// Its properties, in the order of their slots.
    pub properties: &'static [Property],
    /// Its methods.
    pub methods: &'static [Method],
}

/// A public property.
#[derive(Debug)]
pub struct Property {
    /// Its name.
    pub name: Interned,
    /// Whether it is readonly.
    pub readonly: bool,
    /// Its type.
    pub types: Types,
    /// What it holds at first.
    pub default: PropertyDefault,
}

/// What a property holds at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyDefault {
    /// Nothing: it is filled when the object is made, or at its first access.
    Unset,
    /// `null`
    Null,
    /// An integer.
    Int(i64),
}

/// A public method.
#[derive(Debug)]
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// The C function.
    pub handler: MethodHandler,
    /// Whether it is called without an object.
    pub is_static: bool,
    /// What it takes.
    pub parameters: &'static [Parameter],
    /// How many of them must be given.
    pub required: usize,
    /// What it returns.
    pub returns: Returns,
}

/// A parameter, by value.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub types: Types,
    /// Its default, as PHP writes it.
    pub default: Option<&'static str>,
}

/// What a method is declared to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// Nothing is declared, as for a constructor.
    Undeclared,
    /// A value of these types.
    Types(Types),
    /// An object of this class.
    Class(&'static str),
}

/// A constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constant {
    /// An integer.
    Int(i64),
    /// A string.
    Text(&'static str),
}

/// A union of types as the engine has it: one bit for each `IS_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Types(pub u32);

#[allow(missing_docs)]
impl Types {
    pub const NONE: Self = Self(0);
    pub const NULL: Self = Self(1 << IS_NULL);
    pub const FALSE: Self = Self(1 << IS_FALSE);
    pub const BOOL: Self = Self(1 << IS_FALSE | 1 << IS_TRUE);
    pub const INT: Self = Self(1 << IS_LONG);
    pub const FLOAT: Self = Self(1 << IS_DOUBLE);
    pub const STRING: Self = Self(1 << IS_STRING);
    pub const ARRAY: Self = Self(1 << IS_ARRAY);
    pub const OBJECT: Self = Self(1 << IS_OBJECT);
    pub const CALLABLE: Self = Self(1 << IS_CALLABLE);
    pub const MIXED: Self = Self(MAY_BE_ANY);
    pub const VOID: Self = Self(1 << IS_VOID);

    /// Both.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Property {
    /// A property.
    pub const fn new(
        name: &'static str,
        readonly: bool,
        types: Types,
        default: PropertyDefault,
    ) -> Self {
        Self { name: Interned::new(name), readonly, types, default }
    }
}

impl From<PropertyDefault> for Zval {
    fn from(default: PropertyDefault) -> Self {
        match default {
            PropertyDefault::Unset => value::undef(),
            PropertyDefault::Null => value::null(),
            PropertyDefault::Int(number) => value::long(number),
        }
    }
}
