//! Generates, from the stubs, the Rust code that registers constants and classes and takes the arguments
//! of methods.
//!
//! `ext/build.rs` calls it, as php-src calls its `gen_stub.php`: a signature is written once, in
//! `stubs/`. [`parse`] reads the part of PHP that stubs are written in and refuses the rest, [`rust`]
//! writes. What is generated lies in `$OUT_DIR/signatures.rs` and is the module `signatures` of the
//! extension.

#![forbid(unsafe_code)]

pub mod parse;
pub mod rust;
pub mod token;

/// What the stubs declare.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Stubs {
    /// Constants, in their order.
    pub constants: Vec<StubConstant>,
    /// Classes, in their order.
    pub classes: Vec<StubClass>,
    /// Functions, in their order.
    pub functions: Vec<StubMethod>,
}

/// A constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StubConstant {
    /// Its name with its namespace.
    pub name: String,
    /// Its value.
    pub value: Literal,
}

/// A class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StubClass {
    /// Its name with its namespace.
    pub name: String,
    /// Its properties, in their order.
    pub properties: Vec<StubProperty>,
    /// Its methods, in their order.
    pub methods: Vec<StubMethod>,
}

/// A public property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StubProperty {
    /// Its name.
    pub name: String,
    /// Whether it is readonly.
    pub readonly: bool,
    /// Its type; no names: none.
    pub types: StubTypes,
    /// Its default; `None`: it has no value at first.
    pub default: Option<Literal>,
}

/// A public method, or a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StubMethod {
    /// Its name.
    pub name: String,
    /// The method of the same class whose function it shares (`@implementation-alias`).
    pub alias: Option<String>,
    /// Whether it is called without an object.
    pub is_static: bool,
    /// What it takes.
    pub parameters: Vec<StubParameter>,
    /// What it returns; no names: not declared.
    pub returns: StubTypes,
}

/// A parameter, by value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StubParameter {
    /// Its name.
    pub name: String,
    /// Its type.
    pub types: StubTypes,
    /// Its default; `None`: it is required.
    pub default: Option<Literal>,
}

/// The names of a union of types; `?int` is `int` and `null`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StubTypes(pub Vec<String>);

impl StubTypes {
    /// Whether it is exactly this one type.
    pub fn is(&self, name: &str) -> bool {
        matches!(&self.0[..], [only] if only == name)
    }

    /// Whether it is this type or null.
    pub fn is_or_null(&self, name: &str) -> bool {
        let mut others = self.0.iter().filter(|known| *known != "null");
        self.0.len() == 2 && others.next().is_some_and(|other| other == name)
    }
}

/// A value that a stub names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A string in single quotes.
    Text(String),
    /// `[]`
    EmptyArray,
    /// A constant of the stubs, by its name with its namespace.
    Constant(String),
}

/// Why a stub cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StubError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

impl std::fmt::Display for StubError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.line, self.message)
    }
}

impl std::error::Error for StubError {}
