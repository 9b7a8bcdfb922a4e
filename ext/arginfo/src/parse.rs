//! Parses stubs.

use crate::token::{Token, TokenKind, tokens};
use crate::{
    Literal, StubClass, StubConstant, StubError, StubMethod, StubParameter, StubProperty,
    StubTypes, Stubs,
};

/// Adds what a stub declares. Names that it does not write with a leading `\` belong to its namespace.
pub fn stub(text: &str, stubs: &mut Stubs) -> Result<(), StubError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, namespace: String::new() };
    let mut doc = None;
    while parser.at < tokens.len() {
        if let Some(block) = parser.docblock() {
            doc = Some(block);
            continue;
        }
        match &parser.name("namespace, const, class or function")?[..] {
            "namespace" => {
                parser.namespace = parser.name("a namespace")?;
                parser.sign(';')?;
            }
            "const" => stubs.constants.push(parser.constant()?),
            "class" => stubs.classes.push(parser.class()?),
            // Only those that belong to no namespace.
            "function" => {
                let function = parser.method(&doc.take().unwrap_or_default())?;
                let name = match parser.namespace.is_empty() {
                    true => function.name,
                    false => parser.full(&function.name),
                };
                stubs.functions.push(StubMethod { name, ..function });
            }
            other => return Err(parser.error_before(&format!("'{other}' is not known here"))),
        }
        doc = None;
    }
    match doc {
        Some(_) => Err(parser.error_before("a comment belongs to nothing")),
        None => Ok(()),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    namespace: String,
}

impl Parser<'_> {
    fn constant(&mut self) -> Result<StubConstant, StubError> {
        let name = self.name("a constant's name")?;
        self.sign('=')?;
        let value = self.literal()?;
        self.sign(';')?;
        Ok(StubConstant { name: self.full(&name), value })
    }

    fn class(&mut self) -> Result<StubClass, StubError> {
        let name = self.name("a class's name")?;
        let mut class =
            StubClass { name: self.full(&name), properties: Vec::new(), methods: Vec::new() };
        if self.is_name("extends") {
            // Who registers the class names its parent, which is in no stub of ours.
            self.name("a class's name")?;
        }
        self.sign('{')?;
        let mut doc = String::new();
        while !self.is_sign('}') {
            match self.docblock() {
                Some(block) => doc = block,
                None => self.member(&mut class, &std::mem::take(&mut doc))?,
            }
        }
        Ok(class)
    }

    fn member(&mut self, class: &mut StubClass, doc: &str) -> Result<(), StubError> {
        if !self.is_name("public") {
            return Err(self.error("a member that is public"));
        }
        let is_static = self.is_name("static");
        if self.is_name("function") {
            class.methods.push(StubMethod { is_static, ..self.method(doc)? });
            return Ok(());
        }
        if is_static {
            return Err(self.error("a method"));
        }
        let readonly = self.is_name("readonly");
        let types = self.types()?;
        let name = self.variable()?;
        let default = self.default()?;
        self.sign(';')?;
        class.properties.push(StubProperty { name, readonly, types, default });
        Ok(())
    }

    fn method(&mut self, doc: &str) -> Result<StubMethod, StubError> {
        let name = self.name("a method's name")?;
        let mut parameters: Vec<StubParameter> = Vec::new();
        self.sign('(')?;
        while !self.is_sign(')') {
            let types = self.types()?;
            let name = self.variable()?;
            let default = self.default()?;
            let follows_optional = parameters.last().is_some_and(|last| last.default.is_some());
            if default.is_none() && follows_optional {
                return Err(self.error_before("a required parameter follows an optional one"));
            }
            parameters.push(StubParameter { name, types, default });
            if !self.is_sign(',') {
                self.sign(')')?;
                break;
            }
        }
        let returns = if self.is_sign(':') { self.types()? } else { StubTypes::default() };
        self.sign('{')?;
        self.sign('}')?;
        let alias = doc
            .split_once("@implementation-alias")
            .map(|(_, rest)| rest.split_whitespace().next().unwrap_or_default().to_owned());
        Ok(StubMethod { name, alias, is_static: false, parameters, returns })
    }

    /// None is possible.
    fn types(&mut self) -> Result<StubTypes, StubError> {
        let mut names = Vec::new();
        let nullable = self.is_sign('?');
        while let Some(TokenKind::Name(name)) = self.peek() {
            names.push(name.clone());
            self.at += 1;
            if !self.is_sign('|') {
                break;
            }
        }
        if nullable {
            names.push("null".to_owned());
        }
        Ok(StubTypes(names))
    }

    fn default(&mut self) -> Result<Option<Literal>, StubError> {
        if self.is_sign('=') { self.literal().map(Some) } else { Ok(None) }
    }

    fn literal(&mut self) -> Result<Literal, StubError> {
        if self.is_sign('[') {
            self.sign(']')?;
            return Ok(Literal::EmptyArray);
        }
        let minus = self.is_sign('-');
        let literal = match self.peek() {
            Some(TokenKind::Int(number)) if minus => Literal::Int(-number),
            _ if minus => return Err(self.error("a number")),
            Some(TokenKind::Int(number)) => Literal::Int(*number),
            Some(TokenKind::Text(text)) => Literal::Text(text.clone()),
            Some(TokenKind::Name(name)) => match &name[..] {
                "null" => Literal::Null,
                "true" => Literal::Bool(true),
                "false" => Literal::Bool(false),
                name => Literal::Constant(self.full(name)),
            },
            _ => return Err(self.error("a value")),
        };
        self.at += 1;
        Ok(literal)
    }

    fn full(&self, name: &str) -> String {
        match name.strip_prefix('\\') {
            Some(full) => full.to_owned(),
            None => format!("{}\\{name}", self.namespace),
        }
    }

    fn peek(&self) -> Option<&TokenKind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn docblock(&mut self) -> Option<String> {
        let Some(TokenKind::Docblock(text)) = self.peek() else { return None };
        let text = text.clone();
        self.at += 1;
        Some(text)
    }

    fn name(&mut self, wanted: &str) -> Result<String, StubError> {
        let Some(TokenKind::Name(name)) = self.peek() else { return Err(self.error(wanted)) };
        let name = name.clone();
        self.at += 1;
        Ok(name)
    }

    fn variable(&mut self) -> Result<String, StubError> {
        let Some(TokenKind::Variable(name)) = self.peek() else {
            return Err(self.error("a variable"));
        };
        let name = name.clone();
        self.at += 1;
        Ok(name)
    }

    fn sign(&mut self, sign: char) -> Result<(), StubError> {
        if self.is_sign(sign) { Ok(()) } else { Err(self.error(&format!("'{sign}'"))) }
    }

    fn is_sign(&mut self, sign: char) -> bool {
        let found = self.peek() == Some(&TokenKind::Sign(sign));
        self.at += usize::from(found);
        found
    }

    fn is_name(&mut self, name: &str) -> bool {
        let found = matches!(self.peek(), Some(TokenKind::Name(known)) if known == name);
        self.at += usize::from(found);
        found
    }

    fn error(&self, wanted: &str) -> StubError {
        let token = self.tokens.get(self.at).or(self.tokens.last());
        let found = match self.peek() {
            Some(kind) => format!("{kind:?}"),
            None => "the end".to_owned(),
        };
        let line = token.map_or(1, |token| token.line);
        StubError { line, message: format!("{wanted} is expected, {found} found") }
    }

    fn error_before(&self, message: &str) -> StubError {
        let line = self.tokens.get(self.at.saturating_sub(1)).map_or(1, |token| token.line);
        StubError { line, message: message.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Stubs, StubError> {
        let mut stubs = Stubs::default();
        stub(text, &mut stubs).map(|()| stubs)
    }

    fn types(names: &[&str]) -> StubTypes {
        StubTypes(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn a_stub_is_read() {
        let stubs = parsed(
            "<?php\n/** File. */\nnamespace A;\n/** One. */\nconst ONE = -1;\n/** B. */\n\
             class B extends \\C {\n/** p */ public readonly int $p;\n public $q = 'x';\n\
             /** m\n * @implementation-alias n\n */\n\
             public function m(string|array|null $a, ?int $b = null, int $c = \\A\\ONE,): \\A\\B {}\n\
             /** n */ public static function n() {}\n}\n",
        )
        .expect("a stub");
        let one = StubConstant { name: "A\\ONE".into(), value: Literal::Int(-1) };
        assert_eq!(stubs.constants, [one]);
        let parameter = |name: &str, names: &[&str], default| StubParameter {
            name: name.into(),
            types: types(names),
            default,
        };
        let class = StubClass {
            name: "A\\B".into(),
            properties: vec![
                StubProperty {
                    name: "p".into(),
                    readonly: true,
                    types: types(&["int"]),
                    default: None,
                },
                StubProperty {
                    name: "q".into(),
                    readonly: false,
                    types: types(&[]),
                    default: Some(Literal::Text("x".into())),
                },
            ],
            methods: vec![
                StubMethod {
                    name: "m".into(),
                    alias: Some("n".into()),
                    is_static: false,
                    parameters: vec![
                        parameter("a", &["string", "array", "null"], None),
                        parameter("b", &["int", "null"], Some(Literal::Null)),
                        parameter("c", &["int"], Some(Literal::Constant("A\\ONE".into()))),
                    ],
                    returns: types(&["\\A\\B"]),
                },
                StubMethod {
                    name: "n".into(),
                    alias: None,
                    is_static: true,
                    parameters: vec![],
                    returns: types(&[]),
                },
            ],
        };
        assert_eq!(stubs.classes, [class]);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, line, part) in [
            ("<?php\nclass A {\nprivate $x;\n}", 3, "public"),
            ("<?php\nclass A {\npublic function f(int $a = 1, int $b) {}\n}", 3, "required"),
            ("<?php\nclass A {\npublic $x\n}", 4, "';'"),
            ("<?php\nclass A {\npublic static $x;\n}", 3, "a method"),
            ("<?php\nclass A {\npublic function f() { return 1; }\n}", 3, "'}'"),
            ("<?php\nconst A = 1 + 2;", 2, "';'"),
            ("<?php\nclass A {", 2, "public"),
            ("<?php\n/** nothing */", 2, "belongs to nothing"),
        ] {
            let error = parsed(text).expect_err(text);
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.message.contains(part), "{text}: {error}");
        }
    }
}
