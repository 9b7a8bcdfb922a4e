//! Runs a fuzz target for a bounded time on any toolchain: the seeds, then mutations of them.
//!
//! `smoke <h1|wire_codec> <seconds> [seed]`. The input in work is written to `smoke-<target>.bin`
//! in the temporary directory when it fails; a run is repeated exactly by its seed.

#![forbid(unsafe_code)]

use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Longest input that mutation makes.
const INPUT_BYTES_MAX: usize = 2048;

/// What HTTP and its attackers are made of.
const WORDS: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\n",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Connection: close\r\n",
    "Expect: 100-continue\r\n",
    "0\r\n\r\n",
    "3\r\nabc\r\n",
    "HTTP/1.0",
    "HEAD ",
    "http://b/",
    "\r\n",
    "\r",
    "\n",
    "\0",
    ";",
    ", ",
    ": ",
    "ffffffffffffffff",
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse::<u64>().ok());
    let name = arguments.first().map(String::as_str).unwrap_or_default();
    let (target, seconds): (fn(&[u8]), _) = match (name, number(1)) {
        ("h1", Some(seconds)) => (reactor_fuzz::h1, seconds),
        ("wire_codec", Some(seconds)) => (reactor_fuzz::wire_codec, seconds),
        _ => {
            eprintln!("usage: smoke <h1|wire_codec> <seconds> [seed]");
            return ExitCode::from(2);
        }
    };
    let seed = number(2).unwrap_or_else(|| u64::from(std::process::id()));
    println!("{name}: {seconds} s, seed {seed}");
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut corpus = seeds(name);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut runs = 0u64;
    while Instant::now() < end {
        let input = match corpus.get(runs as usize) {
            Some(seed) => seed.clone(),
            None => mutate(&corpus, &mut random),
        };
        if panic::catch_unwind(AssertUnwindSafe(|| target(&input))).is_err() {
            let path = std::env::temp_dir().join(format!("smoke-{name}.bin"));
            let kept = std::fs::write(&path, &input).is_ok();
            eprintln!("{name}: failed, seed {seed}, run {runs}, input kept: {kept} ({path:?})");
            return ExitCode::FAILURE;
        }
        // Without coverage to guide, a few mutants of mutants stay in the pool by chance.
        if random.below(64) == 0 && corpus.len() < 512 {
            corpus.push(input);
        }
        runs += 1;
    }
    println!("{name}: {runs} inputs");
    ExitCode::SUCCESS
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = files.map(|file| file.path()).collect();
    paths.sort();
    let mut seeds: Vec<_> = paths.iter().filter_map(|path| std::fs::read(path).ok()).collect();
    seeds.push(Vec::new());
    seeds
}

fn mutate(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(6) {
        let at = random.below(input.len() + 1);
        let to = (at + random.below(32)).min(input.len());
        match random.below(7) {
            0 if at < input.len() => input[at] ^= 1 << random.below(8),
            1 if at < input.len() => input[at] = random.next() as u8,
            2 => drop(input.drain(at..to)),
            3 => {
                let copy = input[at..to].to_vec();
                input.splice(at..at, copy);
            }
            4 => {
                let word = WORDS[random.below(WORDS.len())].bytes();
                input.splice(at..at, word);
            }
            5 => {
                let other = &corpus[random.below(corpus.len())];
                let from = random.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => input.insert(at, random.next() as u8),
        }
    }
    input.truncate(INPUT_BYTES_MAX);
    input
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}
