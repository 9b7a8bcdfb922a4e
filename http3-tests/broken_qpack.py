"""What clients that break the rules of QPACK (RFC 9204) send. There is no dynamic table."""

import client as codes
from broken import POST, each
from raw import DECODER, ENCODER, HEADERS, asked, control, frame, head, prefixed, text, uni, var

# An integer that no 62 bits hold (RFC 9204, 4.1.1), behind the first byte, which is full.
ENDLESS = b"\xff" * 10 + b"\x01"
NAMED = prefixed(0x20, 3, 3) + b"x-a"


def with_line(line):
    """A request that would be good without its last line."""
    return [asked(frame(HEADERS, head() + line))]


def with_prefix(prefix):
    """A request that would be good with another prefix of its field section."""
    return [asked(frame(HEADERS, prefix + head()[2:]))]


DECOMPRESSION_FAILED = {
    "a section that waits for an entry (RFC 9204, 4.5.1.1)": with_prefix(b"\x02\x00"),
    "a section with a negative base (RFC 9204, 4.5.1.2)": with_prefix(b"\x00\x80"),
    "a section whose insert count is endless (RFC 9204, 4.1.1)": with_prefix(
        b"\xff" + ENDLESS + b"\x00"
    ),
    "a section whose base is endless (RFC 9204, 4.1.1)": with_prefix(b"\x00\x7f" + ENDLESS),
    "a section without all of its prefix (RFC 9204, 4.5.1)": [asked(frame(HEADERS, b"\x00"))],
    "a section with nothing at all (RFC 9204, 4.5.1)": [asked(frame(HEADERS))],
    "a field of the dynamic table (RFC 9204, 4.5.2)": with_line(b"\x80"),
    "a field behind the base (RFC 9204, 4.5.3)": with_line(b"\x10"),
    "a name of the dynamic table (RFC 9204, 4.5.4)": with_line(b"\x40" + text(b"a")),
    "a name behind the base (RFC 9204, 4.5.5)": with_line(b"\x00" + text(b"a")),
    "the first field that the static table has not (RFC 9204, 3.1)": with_line(
        prefixed(0xC0, 6, 99)
    ),
    "a field far beyond the static table (RFC 9204, 3.1)": with_line(prefixed(0xC0, 6, 1 << 60)),
    "a name beyond the static table (RFC 9204, 3.1)": with_line(prefixed(0x50, 4, 99) + text(b"a")),
    "an endless index (RFC 9204, 4.1.1)": with_line(b"\xff" + ENDLESS),
    "an endless name (RFC 9204, 4.1.1)": with_line(b"\x27" + ENDLESS),
    "an endless value (RFC 9204, 4.1.1)": with_line(NAMED + b"\x7f" + ENDLESS),
    "a section cut off in an index (RFC 9204, 2.2)": with_line(b"\xff"),
    "a section cut off in a name (RFC 9204, 2.2)": with_line(NAMED[:-1]),
    "a section cut off before a value (RFC 9204, 2.2)": with_line(NAMED),
    "a section cut off in a value (RFC 9204, 2.2)": with_line(NAMED + text(b"abcde")[:-2]),
    "Huffman code that ends with zeros (RFC 7541, 5.2)": with_line(NAMED + text(b"\x18", True)),
    "Huffman code with a byte too many (RFC 7541, 5.2)": with_line(
        NAMED + text(b"\x1f\xff", True)
    ),
    "Huffman code that is cut off (RFC 7541, 5.2)": with_line(NAMED + text(b"\xfe", True)),
    "Huffman code with its end-of-string (RFC 7541, 5.2)": with_line(
        NAMED + text(b"\xff\xff\xff\xff", True)
    ),
    "Huffman code in a name that ends with zeros (RFC 7541, 5.2)": with_line(
        prefixed(0x28, 3, 1) + b"\x18" + text(b"a")
    ),
    "trailers with a field of the dynamic table (RFC 9204, 4.5.2)": [
        asked(POST, frame(HEADERS, b"\x00\x00\x80"))
    ],
}

ENCODER_STREAM_ERROR = {
    name: [uni(control()), uni(var(ENCODER), instruction)]
    for name, instruction in {
        "the least dynamic table, though none was allowed (RFC 9204, 4.3.1)": b"\x21",
        "more dynamic table than was allowed (RFC 9204, 4.3.1)": prefixed(0x20, 5, 4096),
        "an endless dynamic table (RFC 9204, 4.1.1)": b"\x3f" + ENDLESS,
        "an entry with a name of the static table (RFC 9204, 4.3.2)": b"\xc1" + text(b"b"),
        "an entry with a name of the dynamic table (RFC 9204, 4.3.2)": b"\x80" + text(b"b"),
        "an entry with a name of its own (RFC 9204, 4.3.3)": b"\x41a" + text(b"b"),
        "an entry for the second time (RFC 9204, 4.3.4)": b"\x00",
        "an entry behind what is allowed (RFC 9204, 4.3.3)": b"\x20\x20\x41a" + text(b"b"),
    }.items()
}

DECODER_STREAM_ERROR = {
    name: [uni(control()), uni(var(DECODER), instruction)]
    for name, instruction in {
        "an acknowledgement of what was never sent (RFC 9204, 4.4.1)": b"\x80",
        "an acknowledgement behind what is allowed (RFC 9204, 4.4.1)": b"\x40\x44\x84",
        "an increment of zero (RFC 9204, 4.4.3)": b"\x00",
        "an increment by what was never sent (RFC 9204, 4.4.3)": b"\x01",
        "an endless increment (RFC 9204, 4.1.1)": b"\x3f" + ENDLESS,
        "a cancellation of an endless stream (RFC 9204, 4.1.1)": b"\x7f" + ENDLESS,
    }.items()
}

QPACK_ERRORS = {
    **each(codes.DECOMPRESSION_FAILED, DECOMPRESSION_FAILED),
    **each(codes.ENCODER_STREAM_ERROR, ENCODER_STREAM_ERROR),
    **each(codes.DECODER_STREAM_ERROR, DECODER_STREAM_ERROR),
}
