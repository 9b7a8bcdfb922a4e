//! [`Room`]: memory that a line is written into, without a look at its end for each byte; and [`LogLines`], which has it.

use std::io::Write;
use std::net::IpAddr;
use std::time::Duration;

/// Lines that have been made.
#[derive(Debug, Default)]
pub(super) struct LogLines {
    /// What is behind the lines has been used before: it is not cleared each time.
    bytes: Vec<u8>,
    used: usize,
}

impl LogLines {
    /// Appends what `make` writes, into about so much room, or more if it does not fit, and returns it.
    pub fn append(&mut self, room: usize, make: impl Fn(&mut Room<'_>)) -> &mut [u8] {
        let (begin, mut most) = (self.used, room);
        loop {
            let end = begin + most;
            if self.bytes.len() < end {
                self.bytes.resize(end, 0);
            }
            let mut room = Room(&mut self.bytes[begin..end]);
            make(&mut room);
            let left = room.0.len();
            // Of what does not fit nothing is left.
            if left > 0 {
                self.used = end - left;
                return &mut self.bytes[begin..self.used];
            }
            most *= 2;
        }
    }

    /// The text.
    pub fn text(&self) -> &[u8] {
        &self.bytes[..self.used]
    }

    /// Forgets them; the memory serves the next ones.
    pub fn clear(&mut self) {
        self.used = 0;
    }
}

/// Room that is left. Once something did not fit there is none.
#[derive(Default)]
pub(super) struct Room<'a>(&'a mut [u8]);

impl Room<'_> {
    /// Appends text.
    #[inline(always)]
    pub fn put(&mut self, text: &[u8]) {
        let room = std::mem::take(&mut self.0);
        if let Some((place, rest)) = room.split_at_mut_checked(text.len()) {
            place.copy_from_slice(text);
            self.0 = rest;
        }
    }

    /// Appends text between quotation marks.
    #[inline(always)]
    pub fn quoted(&mut self, text: &[u8]) {
        let room = std::mem::take(&mut self.0);
        if let Some((place, rest)) = room.split_at_mut_checked(text.len() + 2)
            && let [first, inner @ .., last] = place
        {
            (*first, *last) = (b'"', b'"');
            inner.copy_from_slice(text);
            self.0 = rest;
        }
    }

    /// Appends what is formatted.
    pub fn format(&mut self, text: std::fmt::Arguments<'_>) {
        let mut room = std::mem::take(&mut self.0);
        if room.write_fmt(text).is_ok() {
            self.0 = room;
        }
    }

    /// Appends a string of JSON. Most have nothing to be escaped, which is found out in a fraction of the time
    /// that the escaping takes.
    pub fn string(&mut self, text: &[u8]) {
        if is_plain(text) {
            return self.quoted(text);
        }
        let mut room = std::mem::take(&mut self.0);
        if serde_json::to_writer(&mut room, &String::from_utf8_lossy(text)).is_ok() {
            self.0 = room;
        }
    }

    /// Appends a number in decimal digits.
    #[inline(always)]
    pub fn number(&mut self, number: u64) {
        match number {
            // Most are.
            0..10 => self.put(&[b'0' + number as u8]),
            _ => self.0 = digits(std::mem::take(&mut self.0), number),
        }
    }

    /// Appends seconds with six digits behind the point.
    pub fn seconds(&mut self, time: Duration) {
        let whole = time.as_secs();
        if whole > 9 {
            self.number(whole / 10);
        }
        let mut text = eight_digits((whole % 10) as u32 * 1_000_000 + time.subsec_micros());
        (text[0], text[1]) = (text[1], b'.');
        self.put(&text);
    }

    /// Appends an address without its port.
    pub fn address(&mut self, ip: IpAddr) {
        match ip {
            IpAddr::V4(ip) => {
                let [a, b, c, d] = ip.octets();
                for octet in [a, b, c] {
                    self.number(octet.into());
                    self.put(b".");
                }
                self.number(d.into());
            }
            IpAddr::V6(ip) => self.format(format_args!("{ip}")),
        }
    }
}

/// Writes a number of two digits or more, and returns what room is left.
fn digits(room: &mut [u8], number: u64) -> &mut [u8] {
    match u32::try_from(number) {
        Ok(small @ ..100_000_000) => {
            let digits = u64::from_le_bytes(eight_digits(small));
            // The first digit that is no zero comes first.
            let zeros = (digits & !ZEROS).trailing_zeros() / 8;
            let Some(place) = room.first_chunk_mut::<8>() else { return &mut [] };
            *place = (digits >> (8 * zeros)).to_le_bytes();
            &mut room[8 - zeros as usize..]
        }
        _ => {
            let mut buffer = itoa::Buffer::new();
            let mut room = Room(room);
            room.put(buffer.format(number).as_bytes());
            room.0
        }
    }
}

/// Eight digits that are zero.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The decimal digits of a number below 10^8, with zeros before it. (All of the digits are computed at once:
/// four, then two, then one of them in each part of a word.)
fn eight_digits(number: u32) -> [u8; 8] {
    let number = u64::from(number);
    let fours = (number / 10_000) | (number % 10_000) << 32;
    let hundreds = ((fours * 10_486) >> 20) & (0x7f << 32 | 0x7f);
    let twos = hundreds | (fours - 100 * hundreds) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    let ones = tens | (twos - 10 * tens) << 8;
    (ones | ZEROS).to_le_bytes()
}

/// Whether a text stands for itself in JSON: visible ASCII without quotation marks and backslashes. It is looked
/// at in words, of which the last two may overlap.
fn is_plain(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk::<8>() else {
        let plain = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
        return text.iter().all(|byte| plain(*byte));
    };
    let (words, _) = text.as_chunks::<8>();
    words.iter().all(|word| is_plain_word(*word)) && is_plain_word(*last)
}

/// The same for eight bytes.
fn is_plain_word(word: [u8; 8]) -> bool {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    let word = u64::from_ne_bytes(word);
    // The high bit of a byte of these is set where the word has the byte, or one below the bound; above such a
    // place it may be set for nothing.
    let below = |bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word;
    let has = |byte: u8| {
        let other = word ^ (ONES * u64::from(byte));
        other.wrapping_sub(ONES) & !other
    };
    (word | below(0x20) | has(b'"') | has(b'\\') | has(0x7f)) & HIGH == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(room: usize, make: impl Fn(&mut Room<'_>)) -> String {
        let mut lines = LogLines::default();
        lines.append(1, |room| room.put(b"|"));
        lines.append(room, make);
        let text = String::from_utf8(lines.text().to_vec()).unwrap();
        text.strip_prefix('|').unwrap().to_owned()
    }

    #[test]
    fn values_are_written_whole() {
        let times = [Duration::ZERO, Duration::new(12, 42_999), Duration::from_micros(1_999_999)];
        let text = |room: &mut Room<'_>| {
            for time in times {
                room.seconds(time);
                room.put(b" ");
            }
            for ip in ["192.0.2.7", "255.255.255.255", "2001:db8::1"] {
                room.address(ip.parse().unwrap());
                room.put(b" ");
            }
            for value in [0, 9, 10, u64::MAX] {
                room.number(value);
                room.put(b" ");
            }
            room.seconds(Duration::from_secs(u64::MAX));
        };
        let expected = "0.000000 12.000042 1.999999 192.0.2.7 255.255.255.255 2001:db8::1 \
                        0 9 10 18446744073709551615 18446744073709551615.000000";
        for room in 1..200 {
            assert_eq!(made(room, text), expected, "however much room there was at first");
        }
    }

    #[test]
    fn every_string_of_json_is_what_it_was() {
        let all: Vec<u8> = (0..=0xff).collect();
        let mut texts: Vec<&[u8]> = all.chunks(1).collect();
        texts.extend([&b""[..], b"/a/b?c=d%20e~", b"caf\xc3\xa9 \"x\" \\", &all]);
        for text in texts {
            let line = made(1, |room| room.string(text));
            let read: String = serde_json::from_str(&line).unwrap();
            assert_eq!(read, String::from_utf8_lossy(text), "{text:?}");
        }
    }

    #[test]
    fn numbers_are_what_they_are() {
        let around = (0..20).flat_map(|power| {
            let ten = 10u64.pow(power);
            [ten - 1, ten, ten + 1, ten / 3 * 2, u64::MAX - ten]
        });
        for value in around.chain(0..20_000).chain((0..100_000_000).step_by(79_193)) {
            assert_eq!(made(32, |room| room.number(value)), value.to_string());
        }
    }

    #[test]
    fn a_text_is_plain_wherever_its_bytes_are() {
        for len in 0..24 {
            for at in 0..len {
                for byte in 0..=0xff {
                    let mut text = vec![b'~'; len];
                    text[at] = byte;
                    let plain = (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
                    assert_eq!(is_plain(&text), plain, "{text:?}");
                }
            }
        }
    }
}
