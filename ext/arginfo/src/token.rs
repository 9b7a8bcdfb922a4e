//! Splits PHP into tokens, as far as stubs need them.

use crate::StubError;

/// A token and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The token.
    pub kind: TokenKind,
    /// Its line, from 1.
    pub line: usize,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKind {
    /// A word or a name with namespaces: `function`, `\Ferrite\Exception`.
    Name(String),
    /// `$name`, without the dollar.
    Variable(String),
    /// An integer.
    Int(i64),
    /// The content of a string in single quotes.
    Text(String),
    /// `/** … */`
    Docblock(String),
    /// One character of punctuation.
    Sign(char),
}

/// The tokens of a file, which begins with `<?php`.
pub fn tokens(text: &str) -> Result<Vec<Token>, StubError> {
    let mut lexer = Lexer { rest: text, line: 1 };
    if !lexer.skip("<?php") {
        return Err(lexer.error("a stub begins with <?php"));
    }
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Lexer<'a> {
    fn next(&mut self) -> Result<Option<Token>, StubError> {
        loop {
            self.take_while(|c| c.is_ascii_whitespace());
            if self.rest.starts_with("//") || self.rest.starts_with('#') {
                self.take_while(|c| c != '\n');
            } else if self.rest.starts_with("/*") && !self.rest.starts_with("/**") {
                self.comment()?;
            } else {
                break;
            }
        }
        let line = self.line;
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        let kind = match first {
            '/' if self.rest.starts_with("/**") => TokenKind::Docblock(self.comment()?.to_owned()),
            '$' => {
                self.skip("$");
                TokenKind::Variable(self.take_while(is_word).to_owned())
            }
            '\'' => TokenKind::Text(self.text()?),
            '0'..='9' => {
                let digits = self.take_while(is_word);
                let number = digits.parse();
                TokenKind::Int(number.map_err(|_| self.error("only decimal integers are known"))?)
            }
            c if is_word(c) || c == '\\' => {
                TokenKind::Name(self.take_while(|c| is_word(c) || c == '\\').to_owned())
            }
            sign => {
                self.rest = &self.rest[sign.len_utf8()..];
                TokenKind::Sign(sign)
            }
        };
        Ok(Some(Token { kind, line }))
    }

    fn skip(&mut self, start: &str) -> bool {
        let rest = self.rest.strip_prefix(start);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        self.take(end)
    }

    fn take(&mut self, end: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(end);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    fn comment(&mut self) -> Result<&'a str, StubError> {
        let end = self.rest.find("*/").ok_or_else(|| self.error("a comment does not end"))?;
        Ok(self.take(end + 2))
    }

    fn text(&mut self) -> Result<String, StubError> {
        let end = self.rest[1..].find('\'').ok_or_else(|| self.error("a string does not end"))?;
        let content = &self.take(end + 2)[1..=end];
        if content.contains('\\') {
            return Err(self.error("strings with a backslash are not known"));
        }
        Ok(content.to_owned())
    }

    fn error(&self, message: &str) -> StubError {
        StubError { line: self.line, message: message.to_owned() }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_their_lines() {
        let text = "<?php\n/* a */ // b\n/** c\n */ const \\A\\B = 12; # d\n$x 'y'";
        let found = tokens(text).expect("tokens");
        let found: Vec<_> = found.into_iter().map(|token| (token.line, token.kind)).collect();
        let wanted = [
            (3, TokenKind::Docblock("/** c\n */".into())),
            (4, TokenKind::Name("const".into())),
            (4, TokenKind::Name("\\A\\B".into())),
            (4, TokenKind::Sign('=')),
            (4, TokenKind::Int(12)),
            (4, TokenKind::Sign(';')),
            (5, TokenKind::Variable("x".into())),
            (5, TokenKind::Text("y".into())),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn what_stubs_do_not_need_is_refused() {
        let line = |text: &str| tokens(text).expect_err(text).line;
        assert_eq!(line("class"), 1);
        assert_eq!(line("<?php\n/** a"), 2);
        assert_eq!(line("<?php\n'a"), 2);
        assert_eq!(line("<?php\n\n'\\n'"), 3);
        assert_eq!(line("<?php 0x10"), 1);
    }
}
