//! [`alphabet`]: which bytes a text may be made of.

/// A table, by byte, of the letters and digits of ASCII and of these symbols; made while the program is
/// compiled, as a constant.
pub const fn alphabet(symbols: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut at = 0;
    while at < table.len() {
        table[at] = (at as u8).is_ascii_alphanumeric();
        at += 1;
    }
    let mut at = 0;
    while at < symbols.len() {
        table[symbols[at] as usize] = true;
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_digits_and_the_symbols() {
        const TABLE: [bool; 256] = alphabet(b"-_\xff");
        let bytes: Vec<u8> = (0..=255).filter(|byte| TABLE[usize::from(*byte)]).collect();
        let all = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz\xff";
        assert_eq!(bytes, all);
    }
}
