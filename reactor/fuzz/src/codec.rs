//! The wire codec under arbitrary frames.

use std::os::fd::OwnedFd;

use wire::{Address, Decoder, Encoder, Part, ToReactor, ToWorker};

/// Decodes in both directions, whole and byte by byte. What decodes encodes to the same bytes.
pub fn wire_codec(data: &[u8]) {
    let whole = to_worker(&[data]);
    assert_eq!(to_worker(&data.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
    let whole = to_reactor(&[data]);
    assert_eq!(to_reactor(&data.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
}

/// The messages encoded again, one after another, and whether an error ended them.
fn to_worker(pieces: &[&[u8]]) -> (Vec<u8>, bool) {
    let mut encoder = Encoder::default();
    let ended = run(pieces, |decoder| {
        let Some((id, message)) = decoder.next_to_worker().map_err(drop)? else { return Ok(false) };
        if let ToWorker::Request { part: Part::Head(head), .. } = &message {
            // Spans were checked: every line can be read.
            assert_eq!(head.fields.iter().count(), head.fields.len());
        }
        encode_to_worker(&mut encoder, id, &message);
        Ok(true)
    });
    (
        again(encoder, |decoder, encoder| {
            if let Ok(Some((id, message))) = decoder.next_to_worker() {
                encode_to_worker(encoder, id, &message);
            }
        }),
        ended,
    )
}

fn to_reactor(pieces: &[&[u8]]) -> (Vec<u8>, bool) {
    let mut encoder = Encoder::default();
    let ended = run(pieces, |decoder| {
        let Some((id, message)) = decoder.next_to_reactor().map_err(drop)? else {
            return Ok(false);
        };
        if let ToReactor::Part(Part::Head(head)) = &message {
            assert_eq!(head.fields.iter().count(), head.fields.len());
        }
        encode(&mut encoder, id, &message);
        Ok(true)
    });
    (
        again(encoder, |decoder, encoder| {
            if let Ok(Some((id, message))) = decoder.next_to_reactor() {
                encode(encoder, id, &message);
            }
        }),
        ended,
    )
}

fn encode(encoder: &mut Encoder, address: Address, message: &ToReactor) {
    match (address, message) {
        (Address::Exchange(id), ToReactor::Part(part)) => encoder.to_reactor(id, part),
        (Address::Exchange(id), ToReactor::Complete) => encoder.complete(id),
        (Address::Exchange(id), ToReactor::RequestCredit(bytes)) => {
            encoder.request_credit(id, *bytes);
        }
        (Address::Exchange(id), ToReactor::Detach { secret, state }) => {
            encoder.detach(id, *secret, state);
        }
        (Address::Exchange(id), ToReactor::Claim { pool, secret }) => {
            encoder.claim(id, *pool, *secret);
        }
        (Address::Connection(connection), ToReactor::Close) => encoder.close(connection),
        (address, message) => panic!("{message:?} does not go to {address:?}"),
    }
}

fn encode_to_worker(encoder: &mut Encoder, address: Address, message: &ToWorker) {
    let Address::Exchange(id) = address else { panic!("{message:?} does not go to {address:?}") };
    encoder.to_worker(id, message);
}

/// Feeds the pieces; `next` says whether it took a message, or fails.
fn run(pieces: &[&[u8]], mut next: impl FnMut(&mut Decoder) -> Result<bool, ()>) -> bool {
    let mut decoder = Decoder::default();
    for piece in pieces {
        decoder.bytes.extend_from_slice(piece);
        loop {
            // One descriptor is always there, so that file frames decode.
            if decoder.waiting_descriptors() == 0 {
                decoder.descriptors_came(descriptor(), false);
            }
            match next(&mut decoder) {
                Ok(true) => {}
                Ok(false) => break,
                Err(()) => return true,
            }
        }
    }
    false
}

/// What was encoded must decode to what encodes to the same bytes.
fn again(encoder: Encoder, each: impl Fn(&mut Decoder, &mut Encoder)) -> Vec<u8> {
    let mut decoder = Decoder { bytes: encoder.bytes.clone(), ..Decoder::default() };
    let mut second = Encoder::default();
    loop {
        decoder.descriptors_came(descriptor(), false);
        let before = decoder.bytes.len();
        each(&mut decoder, &mut second);
        if decoder.bytes.len() == before {
            break;
        }
    }
    assert_eq!(second.bytes, encoder.bytes, "encoding is stable");
    encoder.bytes.to_vec()
}

fn descriptor() -> Option<OwnedFd> {
    std::fs::File::open("/dev/null").ok().map(OwnedFd::from)
}
