"""Frames and field sections by hand, right and wrong: what aioquic would not send."""

from aioquic.buffer import encode_uint_var

DATA, HEADERS, CANCEL_PUSH, SETTINGS, PUSH_PROMISE = 0x0, 0x1, 0x3, 0x4, 0x5
GOAWAY, MAX_PUSH_ID = 0x7, 0xD
# Of a request, and of a push (RFC 9218, 7.2).
PRIORITY_UPDATE, PUSH_PRIORITY_UPDATE = 0xF0700, 0xF0701
# Those of HTTP/2 that HTTP/3 has no frame for (RFC 9114, 11.2.1).
HTTP2_FRAMES = (0x2, 0x6, 0x8, 0x9)
CONTROL, PUSH, ENCODER, DECODER = 0x0, 0x1, 0x2, 0x3
# RFC 9204, 5; RFC 9114, 7.2.4.1; RFC 9220, 5; RFC 9297, 2.1.1.
QPACK_MAX_TABLE_CAPACITY, MAX_FIELD_SECTION_SIZE, QPACK_BLOCKED_STREAMS = 0x1, 0x6, 0x7
ENABLE_CONNECT_PROTOCOL, H3_DATAGRAM = 0x8, 0x33

# RFC 9114, 7.2.8: for types that nobody must mind.
GREASE = 0x1F * 7 + 0x21


# How what was said on a stream goes on: not at all, with its end, or with a reset, which comes when
# the server has read what was before.
OPEN, FIN, RESET = "open", "fin", "reset"


def uni(*parts, end=OPEN):
    """A unidirectional stream with these bytes."""
    return "uni", b"".join(parts), end


def asked(*parts, end=OPEN):
    """A request stream with these bytes."""
    return "request", b"".join(parts), end


def var(number):
    """A variable-length integer (RFC 9000, 16)."""
    return encode_uint_var(number)


def wide(number):
    """The same in eight bytes, as it may always be."""
    return (number | 0b11 << 62).to_bytes(8, "big")


def frame(kind, payload=b""):
    return var(kind) + var(len(payload)) + payload


def settings(*pairs):
    return frame(SETTINGS, b"".join(var(key) + var(value) for key, value in pairs))


def control(*frames):
    """The start of a control stream, with empty SETTINGS."""
    return var(CONTROL) + settings() + b"".join(frames)


def prefixed(first, bits, number):
    """An integer behind the upper bits of a byte (RFC 7541, 5.1)."""
    limit = (1 << bits) - 1
    if number < limit:
        return bytes([first | number])
    number -= limit
    rest = b""
    while number >= 128:
        rest += bytes([number % 128 + 128])
        number //= 128
    return bytes([first | limit]) + rest + bytes([number])


def literal(name, value):
    """A field line with a literal name (RFC 9204, 4.5.6), nothing compressed."""
    return prefixed(0x20, 3, len(name)) + name + text(value)


def text(value, huffman=False):
    """A string (RFC 9204, 4.1.2), as it is or in what is said to be Huffman code."""
    return prefixed(0x80 if huffman else 0x00, 7, len(value)) + value


def section(*fields):
    """A field section without a dynamic table (RFC 9204, 4.5)."""
    return b"\x00\x00" + b"".join(literal(name, value) for name, value in fields)


def fields_of(*fields, method=b"GET", path=b"/protocol", leave_out=()):
    """The fields of a request, and further ones."""
    pseudo = (
        (b":method", method),
        (b":scheme", b"https"),
        (b":authority", b"localhost"),
        (b":path", path),
    )
    return (*(field for field in pseudo if field[0] not in leave_out), *fields)


def head(*fields, **settings_of_head):
    """The field section of a request."""
    return section(*fields_of(*fields, **settings_of_head))


def size_of(fields):
    """How large a field section is by the count of RFC 9114, 4.2.2."""
    return sum(len(name) + len(value) + 32 for name, value in fields)


def request(*fields, **settings_of_head):
    """A HEADERS frame of a request."""
    return frame(HEADERS, head(*fields, **settings_of_head))
