//! Writes the Rust code for what the stubs declare.
//!
//! A class becomes a module, named by its last part in lower case: its `SIGNATURE`, the places of its
//! properties (`slot`), and for each method a struct of its arguments and the C function that fills it
//! and calls the function of the method's name in `crate::php::MODULE::methods`. Functions, which belong
//! to no class, are those of the module `functions`.

use std::fmt::Write;

use crate::{
    Literal, StubClass, StubConstant, StubMethod, StubParameter, StubProperty, StubTypes, Stubs,
};

/// The code, or what it cannot express.
pub fn code(stubs: &Stubs) -> Result<String, String> {
    let mut out = String::new();
    constants(&mut out, &stubs.constants);
    for class in &stubs.classes {
        module(&mut out, class, &stubs.constants)
            .map_err(|message| format!("{}: {message}", class.name))?;
    }
    // Functions are told of as the methods of a class that does not exist.
    let methods = stubs.functions.clone();
    let functions = StubClass { name: "functions".to_owned(), properties: Vec::new(), methods };
    module(&mut out, &functions, &stubs.constants)?;
    Ok(out)
}

// Writing to memory cannot fail: the results of `write!` are not looked at.

fn constants(out: &mut String, constants: &[StubConstant]) {
    let value = |literal: &Literal| match literal {
        Literal::Text(text) => (format!("Constant::Text({text:?})"), format!("&str = {text:?}")),
        Literal::Int(number) => (format!("Constant::Int({number})"), format!("i64 = {number}")),
        other => (format!("compile_error!({other:?})"), "() = ()".to_owned()),
    };
    out.push_str("/// The constants.\npub const CONSTANTS: &[(&str, Constant)] = &[\n");
    for constant in constants {
        let _ = writeln!(out, "    ({:?}, {}),", constant.name, value(&constant.value).0);
    }
    out.push_str("];\n\n/// The values of the constants.\npub mod constant {\n");
    for constant in constants {
        let _ =
            writeln!(out, "    pub const {}: {};", last(&constant.name), value(&constant.value).1);
    }
    out.push_str("}\n");
}

fn module(out: &mut String, class: &StubClass, constants: &[StubConstant]) -> Result<(), String> {
    let name = last(&class.name).to_ascii_lowercase();
    let _ = write!(out, "\n/// `{}`\npub mod {name} {{\n    use super::*;\n", class.name);
    let count = class.properties.len();
    let _ = writeln!(out, "\n    static PROPERTIES: [Property; {count}] = [");
    for property in &class.properties {
        let _ = writeln!(out, "        {},", property_code(property)?);
    }
    let _ = write!(
        out,
        "    ];\n\n    /// What the class declares.\n    pub static SIGNATURE: Signature = Signature {{\n        \
         name: {:?},\n        properties: &PROPERTIES,\n        methods: &[\n",
        class.name
    );
    for method in &class.methods {
        let _ = writeln!(out, "            {},", method_code(method)?);
    }
    out.push_str(
        "        ],\n    };\n\n    /// The places of the properties.\n    pub mod slot {\n",
    );
    for (index, property) in class.properties.iter().enumerate() {
        let name = snake(&property.name).to_ascii_uppercase();
        let _ = writeln!(out, "        pub const {name}: usize = {index};");
    }
    let lazy = class.properties.iter().enumerate().filter(|(_, property)| is_lazy(property));
    let lazy = lazy.fold(0, |bits, (index, _)| bits | 1u64 << index);
    let _ = write!(
        out,
        "    }}\n\n    /// One bit for each slot of a property that is made at its first access.\n    \
         pub const LAZY: u16 = {lazy};\n"
    );
    for method in &class.methods {
        function(out, &name, method, class, constants)
            .map_err(|message| format!("{}(): {message}", method.name))?;
    }
    out.push_str("}\n");
    Ok(())
}

/// A property without type and default has no value until it is made.
fn is_lazy(property: &StubProperty) -> bool {
    property.types.0.is_empty() && property.default.is_none()
}

fn property_code(property: &StubProperty) -> Result<String, String> {
    let StubProperty { name, readonly, types, default } = property;
    let default = match default {
        None => "PropertyDefault::Unset".to_owned(),
        Some(Literal::Null) => "PropertyDefault::Null".to_owned(),
        Some(Literal::Int(number)) => format!("PropertyDefault::Int({number})"),
        Some(_) => return Err(format!("${name}: a default is null or an integer")),
    };
    let types = types_code(types)?;
    Ok(format!("Property::new({name:?}, {readonly}, {types}, {default})"))
}

fn method_code(method: &StubMethod) -> Result<String, String> {
    let StubMethod { name, alias, is_static, parameters, returns } = method;
    let handler = function_name(alias.as_ref().unwrap_or(name));
    let required = parameters.iter().filter(|parameter| parameter.default.is_none()).count();
    let returns = match &returns.0[..] {
        [] => "Returns::Undeclared".to_owned(),
        [class] if class.starts_with('\\') => format!("Returns::Class({:?})", &class[1..]),
        _ => format!("Returns::Types({})", types_code(returns)?),
    };
    let parameters: Vec<String> =
        parameters.iter().map(parameter_code).collect::<Result<_, _>>()?;
    Ok(format!(
        "Method {{ name: {name:?}, handler: php_{handler}, is_static: {is_static}, required: {required}, \
         returns: {returns}, parameters: &[{}] }}",
        parameters.join(", ")
    ))
}

fn parameter_code(parameter: &StubParameter) -> Result<String, String> {
    let StubParameter { name, types, default } = parameter;
    let default = match default {
        None => "None".to_owned(),
        Some(literal) => format!("Some({:?})", php(literal)),
    };
    let types = types_code(types)?;
    Ok(format!("Parameter {{ name: {name:?}, types: {types}, default: {default} }}"))
}

/// A literal as PHP writes it.
fn php(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".to_owned(),
        Literal::Bool(value) => value.to_string(),
        Literal::Int(number) => number.to_string(),
        Literal::Text(text) => format!("'{text}'"),
        Literal::EmptyArray => "[]".to_owned(),
        Literal::Constant(name) => format!("\\{name}"),
    }
}

const TYPES: &[&str] = &[
    "int", "float", "string", "bool", "false", "array", "object", "callable", "mixed", "null",
    "void",
];

fn types_code(types: &StubTypes) -> Result<String, String> {
    let mut code = "Types::NONE".to_owned();
    for name in &types.0 {
        if !TYPES.contains(&name.as_str()) {
            return Err(format!("the type {name} is not known here"));
        }
        let _ = write!(code, ".or(Types::{})", name.to_ascii_uppercase());
    }
    Ok(code)
}

/// How the value of an argument gets from `zend_parse_parameters` to the field of its struct. Letter and
/// place belong together: this is the one function that knows them.
struct Conversion {
    /// The letters of the specification.
    letters: &'static str,
    /// The type of the place that they fill, and what is there before.
    place: (&'static str, String),
    /// The pointers into the place, one for each that the letters want; `{}` stands for its name.
    pointers: &'static str,
    /// The type of the field.
    field: &'static str,
    /// The expression for the field; `{}` stands for the name of the place.
    convert: String,
}

impl Conversion {
    fn of(parameter: &StubParameter, constants: &[StubConstant]) -> Result<Self, String> {
        let StubParameter { types, default, .. } = parameter;
        let mismatch = || Err("the default does not fit the type".to_owned());
        let string = ("*mut zend_string", "std::ptr::null_mut()".to_owned());
        let value = ("*mut zval", "std::ptr::null_mut()".to_owned());
        let plain = |letters, of: &'static str, before: String| Self {
            letters,
            place: (of, before),
            pointers: POINTER,
            field: of,
            convert: "{}".to_owned(),
        };
        if types.is("int") {
            return match default.as_ref().map(|literal| integer(literal, constants)) {
                None => Ok(plain("l", "i64", "0".to_owned())),
                Some(Some(number)) => Ok(plain("l", "i64", number.to_string())),
                Some(None) => mismatch(),
            };
        }
        if types.is("bool") {
            return match default {
                None => Ok(plain("b", "bool", "false".to_owned())),
                Some(Literal::Bool(value)) => Ok(plain("b", "bool", value.to_string())),
                Some(_) => mismatch(),
            };
        }
        if types.is("string") {
            let convert = match default {
                None => "Str::or({}, \"\")".to_owned(),
                Some(Literal::Text(text)) => format!("Str::or({{}}, {text:?})"),
                Some(_) => return mismatch(),
            };
            let field = "Str<'a>";
            return Ok(Self { letters: "S", place: string, pointers: POINTER, field, convert });
        }
        if types.is_or_null("int") && matches!(default, None | Some(Literal::Null)) {
            return Ok(Self {
                letters: "l!",
                // The number, and whether it is null.
                place: ("(i64, bool)", "(0, true)".to_owned()),
                pointers: "&raw mut {}.0, &raw mut {}.1",
                field: "Option<i64>",
                convert: "(!{}.1).then_some({}.0)".to_owned(),
            });
        }
        let (letters, place, field, convert) = match default {
            None | Some(Literal::Null) if types.is_or_null("string") => {
                ("S!", string, "Option<Str<'a>>", "Str::given({})")
            }
            None if types.is("array") => ("a", value, "&'a Zval", "&*{}"),
            Some(Literal::EmptyArray) if types.is("array") => {
                ("a", value, "Option<&'a Zval>", "{}.as_ref()")
            }
            // A value of several types: the method looks at it.
            None if types.0.len() > 1 || types.is("callable") || types.is("mixed") => {
                ("z", value, "&'a Zval", "&*{}")
            }
            Some(Literal::Null) if types.0.len() > 2 => {
                ("z", value, "Option<&'a Zval>", "{}.as_ref()")
            }
            None => return Err("a value of this type cannot be taken".to_owned()),
            Some(_) => return mismatch(),
        };
        Ok(Self { letters, place, pointers: POINTER, field, convert: convert.to_owned() })
    }
}

/// The pointer to a place that one letter fills.
const POINTER: &str = "&raw mut {}";

fn integer(literal: &Literal, constants: &[StubConstant]) -> Option<i64> {
    match literal {
        Literal::Int(number) => Some(*number),
        Literal::Constant(name) => {
            let constant = constants.iter().find(|constant| constant.name == *name)?;
            integer(&constant.value, &[])
        }
        _ => None,
    }
}

/// The C function of a method and the struct of its arguments; nothing for an alias.
fn function(
    out: &mut String,
    module: &str,
    method: &StubMethod,
    class: &StubClass,
    constants: &[StubConstant],
) -> Result<(), String> {
    if let Some(alias) = &method.alias {
        return check_alias(alias, method, class);
    }
    let name = function_name(&method.name);
    let take = |parameter: &StubParameter| {
        Conversion::of(parameter, constants)
            .map_err(|message| format!("${}: {message}", parameter.name))
    };
    let conversions: Vec<Conversion> =
        method.parameters.iter().map(take).collect::<Result<_, _>>()?;
    let body = match method.parameters.is_empty() {
        true => format!(
            "            call.no_arguments()?;\n            crate::php::{module}::methods::{name}(call)\n"
        ),
        false => {
            let taken = taken(method, &conversions, &pascal(&name));
            format!("{taken}            crate::php::{module}::methods::{name}(call, arguments)\n")
        }
    };
    let _ = write!(
        out,
        "\n    extern \"C\" fn php_{name}(frame: &mut ExecuteData, returned: &mut Zval) {{\n        \
         method::run(frame, returned, |call| {{\n{body}        }});\n    }}\n"
    );
    if !method.parameters.is_empty() {
        arguments(out, method, class, &conversions, &pascal(&name));
    }
    Ok(())
}

fn check_alias(alias: &str, method: &StubMethod, class: &StubClass) -> Result<(), String> {
    let same = |other: &&StubMethod| {
        other.name == alias
            && other.alias.is_none()
            && other.parameters == method.parameters
            && other.returns == method.returns
    };
    match class.methods.iter().find(same) {
        Some(_) => Ok(()),
        None => Err(format!("no method {alias} with the same signature is in the class")),
    }
}

/// The statements that take the arguments of a call.
fn taken(method: &StubMethod, conversions: &[Conversion], arguments: &str) -> String {
    let (mut letters, mut places, mut fields) = (String::new(), String::new(), String::new());
    let mut code = String::new();
    for (parameter, conversion) in method.parameters.iter().zip(conversions) {
        if parameter.default.is_some() && !letters.contains('|') {
            letters.push('|');
        }
        letters.push_str(conversion.letters);
        let place = snake(&parameter.name);
        let (of, before) = &conversion.place;
        let _ = writeln!(code, "            let mut {place}: {of} = {before};");
        let _ = write!(places, ", {}", conversion.pointers.replace("{}", &place));
        let _ = write!(fields, "{place}: {}, ", conversion.convert.replace("{}", &place));
    }
    let _ = write!(
        code,
        "            // SAFETY: each place has the type that its letter fills; what it points to lives \
         while the\n            // method runs.\n            let arguments = unsafe {{\n                \
         method::parsed(zend_parse_parameters(call.count(), c{letters:?}.as_ptr(){places}))?;\n                \
         {arguments} {{ {fields}}}\n            }};\n"
    );
    code
}

/// The struct of a method's arguments. Methods with the same parameters share one.
fn arguments(
    out: &mut String,
    method: &StubMethod,
    class: &StubClass,
    conversions: &[Conversion],
    name: &str,
) {
    let lifetime = conversions.iter().any(|conversion| conversion.field.contains("'a"));
    let lifetime = if lifetime { "<'a>" } else { "" };
    let mut earlier = class.methods.iter().take_while(|other| other.name != method.name);
    let same = |other: &&StubMethod| other.alias.is_none() && other.parameters == method.parameters;
    if let Some(other) = earlier.find(same) {
        let other = pascal(&function_name(&other.name));
        let _ = writeln!(out, "\n    pub type {name}{lifetime} = {other}{lifetime};");
        return;
    }
    let _ = write!(
        out,
        "\n    /// What `{}()` is given.\n    #[derive(Debug, Clone, Copy)]\n    \
         pub struct {name}{lifetime} {{\n",
        method.name
    );
    for (parameter, conversion) in method.parameters.iter().zip(conversions) {
        let _ = writeln!(out, "        pub {}: {},", snake(&parameter.name), conversion.field);
    }
    out.push_str("    }\n");
}

fn last(name: &str) -> &str {
    name.rsplit('\\').next().unwrap_or(name)
}

/// `__construct` as `construct`, `getWorkerId` as `get_worker_id`.
fn function_name(method: &str) -> String {
    snake(last(method).trim_start_matches('_'))
}

/// `workerId` as `worker_id`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// `worker_id` as `WorkerId`.
fn pascal(snake: &str) -> String {
    let parts = snake.split('_').filter_map(|part| {
        let first = part.chars().next()?;
        Some(format!("{}{}", first.to_ascii_uppercase(), &part[first.len_utf8()..]))
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::stub;

    fn generated(text: &str) -> Result<String, String> {
        let mut stubs = Stubs::default();
        stub(text, &mut stubs).map_err(|error| error.to_string())?;
        code(&stubs)
    }

    fn method_of(parameters: &str) -> Result<String, String> {
        let constants = "const TWO = 2;";
        generated(&format!(
            "<?php\nnamespace A;\n{constants}\nclass B {{ public function doIt({parameters}): bool {{}} }}"
        ))
    }

    #[test]
    fn letters_places_and_fields_belong_together() {
        for (parameter, letters, place, field, filled) in [
            ("int $x", "l", "x: i64 = 0", "x: i64", "x: x"),
            ("int $x = \\A\\TWO", "|l", "x: i64 = 2", "x: i64", "x: x"),
            ("bool $x = true", "|b", "x: bool = true", "x: bool", "x: x"),
            ("string $x", "S", "x: *mut zend_string", "x: Str<'a>", "x: Str::or(x, \"\")"),
            ("string $x = '/'", "|S", "x: *mut zend_string", "x: Str<'a>", "Str::or(x, \"/\")"),
            (
                "?string $x = null",
                "|S!",
                "x: *mut zend_string",
                "x: Option<Str<'a>>",
                "Str::given(x)",
            ),
            (
                "?int $x = null",
                "|l!",
                "x: (i64, bool) = (0, true)",
                "x: Option<i64>",
                "x: (!x.1).then_some(x.0)",
            ),
            ("?int $x", "l!", "x: (i64, bool)", "x: Option<i64>", "x: (!x.1).then_some(x.0)"),
            ("array $x", "a", "x: *mut zval", "x: &'a Zval", "x: &*x"),
            ("array $x = []", "|a", "x: *mut zval", "x: Option<&'a Zval>", "x: x.as_ref()"),
            ("string|array|null $x", "z", "x: *mut zval", "x: &'a Zval", "x: &*x"),
            (
                "string|int|null $x = null",
                "|z",
                "x: *mut zval",
                "x: Option<&'a Zval>",
                "x: x.as_ref()",
            ),
            ("callable $x", "z", "x: *mut zval", "x: &'a Zval", "x: &*x"),
        ] {
            let code = method_of(parameter).expect(parameter);
            let pointers = match letters.ends_with("l!") {
                true => "&raw mut x.0, &raw mut x.1",
                false => "&raw mut x",
            };
            assert!(code.contains(&format!("c\"{letters}\".as_ptr(), {pointers})")), "{code}");
            assert!(code.contains(&format!("let mut {place}")), "{code}");
            assert!(code.contains(&format!("pub {field},")), "{code}");
            assert!(code.contains(filled), "{code}");
            assert!(code.contains("crate::php::b::methods::do_it(call, arguments)"), "{code}");
        }
    }

    #[test]
    fn what_has_no_conversion_is_refused() {
        for parameter in [
            "int $x = 'a'",
            "bool $x = 1",
            "string $x = null",
            "array $x = null",
            "int $x = \\A\\B",
        ] {
            let message = method_of(parameter).expect_err(parameter);
            assert_eq!(message, "A\\B: doIt(): $x: the default does not fit the type");
        }
        for parameter in ["iterable $x", "float $x", "$x"] {
            let message = method_of(parameter).expect_err(parameter);
            assert!(message.contains("type"), "{message}");
        }
    }

    #[test]
    fn an_alias_has_the_signature_of_its_method() {
        let class = |alias: &str, parameters: &str| {
            generated(&format!(
                "<?php\nnamespace A;\nclass B {{ public function f(int $x): int {{}}\n\
                 /** @implementation-alias {alias} */ public function g({parameters}): int {{}} }}"
            ))
        };
        let code = class("f", "int $x").expect("the same");
        assert!(code.contains("name: \"g\", handler: php_f,"), "{code}");
        assert_eq!(code.matches("extern \"C\"").count(), 1);
        let code = generated("<?php\nnamespace A;\nclass B { public function __construct() {} }");
        assert!(code.is_ok_and(|code| {
            code.contains(
                "php_construct, is_static: false, required: 0, returns: Returns::Undeclared",
            )
        }));
        assert!(class("f", "int $y").is_err());
        assert!(class("h", "int $x").is_err());
    }

    #[test]
    fn methods_with_the_same_parameters_share_a_struct() {
        let code = generated(
            "<?php\nnamespace A;\nclass B { public function f(string $x): int {}\n\
             public function g(string $x): bool {}\npublic function h(string $y): int {} }",
        );
        let code = code.expect("a class");
        assert!(code.contains("pub type G<'a> = F<'a>;"), "{code}");
        assert!(code.contains("pub struct F<'a>") && code.contains("pub struct H<'a>"), "{code}");
    }

    #[test]
    fn names_are_written_as_rust_writes_them() {
        assert_eq!(snake("onlyOne"), "only_one");
        assert_eq!(function_name("__construct"), "construct");
        assert_eq!(pascal("get_worker_id"), "GetWorkerId");
        let code = generated("<?php\nnamespace A;\nclass B { public $streamId = 0; public $x; }");
        let code = code.expect("a class");
        assert!(code.contains("pub const STREAM_ID: usize = 0;"), "{code}");
        assert!(
            code.contains("Property::new(\"x\", false, Types::NONE, PropertyDefault::Unset)"),
            "{code}"
        );
        assert!(code.contains("pub const LAZY: u16 = 2;"), "{code}");
    }
}
