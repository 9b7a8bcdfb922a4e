//! What HTTP/3 reads streams by, without the streams: fast, so that more of it is tried.

use bytes::Bytes;
use protocol::StreamId;
use protocol::h3::error::Code;
use protocol::h3::frame;
use protocol::h3::incoming::{Incoming, Item};
use protocol::h3::priority::Priority;
use protocol::h3::qpack::{self, Undecodable};
use protocol::h3::unidirectional::{PriorityUpdate, Unidirectional};
use quiche::h3::{Header, NameValue};

/// Bytes of a field section that are allowed.
const SECTION_BYTES_MAX: u64 = 100;

/// The first byte says what the others are.
pub fn h3_frames(data: &[u8]) {
    match data {
        [0, stream @ ..] => request(stream),
        [1, said @ ..] => control(said),
        [2, section @ ..] => fields(section),
        [_, value @ ..] => drop(Priority::parse(value)),
        [] => {}
    }
}

/// However the stream of a request is cut, the same comes of it.
fn request(stream: &[u8]) {
    let whole = items(&[stream]);
    assert_eq!(items(&stream.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
    assert_eq!(items(&stream.chunks(7).collect::<Vec<_>>()), whole, "in sevens");
}

/// What is in the pieces, and how the stream may end behind them.
fn items(pieces: &[&[u8]]) -> (Vec<Item>, Result<bool, Code>) {
    let mut incoming = Incoming::default();
    let mut items = Vec::new();
    for piece in pieces {
        let mut piece = Bytes::copy_from_slice(piece);
        loop {
            match incoming.next(&mut piece, SECTION_BYTES_MAX) {
                Ok(Some(item)) => join(&mut items, item),
                Ok(None) => break,
                Err(code) => return (items, Err(code)),
            }
        }
        assert!(piece.is_empty(), "left unread");
    }
    let end = incoming.end();
    assert_eq!(incoming.is_headless(), !items.iter().any(|item| !matches!(item, Item::Data(_))));
    if let Ok(headed) = end {
        assert_eq!(headed, !items.is_empty());
        // What was announced has come.
        let (mut announced, mut came) = (0, 0);
        for item in &items {
            match item {
                Item::Data(len) => announced += len,
                Item::Content(bytes) => came += bytes.len() as u64,
                Item::Head(_) | Item::Trailers(_) | Item::TooLarge => {}
            }
        }
        assert_eq!(announced, came);
    }
    (items, end)
}

/// A further item, in its place. Content that is one frame's is one.
fn join(items: &mut Vec<Item>, item: Item) {
    let sections = items.iter().filter(|item| !matches!(item, Item::Data(_) | Item::Content(_)));
    let sections = sections.count();
    match (items.last_mut(), item) {
        (Some(Item::Content(before)), Item::Content(more)) => {
            *before = [&before[..], &more[..]].concat().into();
            return;
        }
        (Some(Item::Data(_)), Item::Content(more)) => {
            assert!(!more.is_empty());
            items.push(Item::Content(more));
        }
        (None, item @ (Item::Head(_) | Item::TooLarge)) => items.push(item),
        (Some(_), item @ Item::Data(_)) => {
            assert_eq!(sections, 1, "content without a head, or behind trailers");
            items.push(item);
        }
        (Some(_), item @ (Item::Trailers(_) | Item::TooLarge)) => {
            assert_eq!(sections, 1, "a third section");
            items.push(item);
        }
        (before, item) => panic!("{item:?} behind {before:?}"),
    }
    if let Some(Item::Head(section) | Item::Trailers(section)) = items.last() {
        assert!(section.len() as u64 <= SECTION_BYTES_MAX);
    }
}

/// The client's unidirectional streams: however they are cut, the same comes of them.
fn control(said: &[u8]) {
    assert_eq!(updates(said, 1), updates(said, usize::MAX), "byte by byte");
}

/// What is said on four streams in turn. Each time: which it is and how much it says, and whether it
/// ends.
fn updates(mut said: &[u8], piece: usize) -> (Vec<PriorityUpdate>, Option<Code>) {
    let mut control = Unidirectional::default();
    let mut ended = [false; 4];
    let mut updates = Vec::new();
    while let [first, rest @ ..] = said {
        let (which, len) = (usize::from(first & 3), usize::from(first >> 3).min(rest.len()));
        let (bytes, behind) = rest.split_at(len);
        said = behind;
        let stream = 4 * which as StreamId + 2;
        if ended[which] {
            continue;
        }
        for piece in bytes.chunks(piece) {
            let mut piece = Bytes::copy_from_slice(piece);
            loop {
                match control.receive(stream, &mut piece) {
                    Ok(Some(update)) => updates.push(update),
                    Ok(None) => break,
                    Err(code) => return (updates, Some(code)),
                }
            }
            assert!(piece.is_empty(), "left unread");
        }
        ended[which] = first & 4 != 0;
        if ended[which]
            && let Err(code) = control.end(stream)
        {
            return (updates, Some(code));
        }
    }
    assert!(updates.iter().all(|update| update.stream % 4 == 0));
    (updates, None)
}

/// What can be decoded is what it is once it was encoded again, and its size is what it is counted.
fn fields(section: &[u8]) {
    let Ok(list) = qpack::decode(section, u64::MAX) else {
        assert_eq!(qpack::decode(section, 0).err(), Some(Undecodable::Malformed));
        return;
    };
    let bytes = qpack::list_bytes(&list);
    assert_eq!(qpack::decode(section, bytes).as_deref(), Ok(&list[..]));
    if bytes > 0 {
        assert_eq!(qpack::decode(section, bytes - 1).err(), Some(Undecodable::TooLarge));
    }
    let Some(mut encoded) = qpack::encode(&list) else { panic!("not encoded: {list:?}") };
    let header = frame::FrameHeader::default().take(&mut encoded);
    assert_eq!(header, Some((frame::HEADERS, encoded.len() as u64)));
    let again = qpack::decode(&encoded, bytes).unwrap_or_default();
    assert_eq!(lines(&again), lines(&list));
}

/// Fields; names are in lower case when they were encoded here.
fn lines(list: &[Header]) -> Vec<(Vec<u8>, &[u8])> {
    list.iter().map(|line| (line.name().to_ascii_lowercase(), line.value())).collect()
}
