"""Frames and field sections by hand, right and wrong: what aioquic would not send."""

from aioquic.buffer import encode_uint_var

DATA, HEADERS, CANCEL_PUSH, SETTINGS, PUSH_PROMISE = 0x0, 0x1, 0x3, 0x4, 0x5
GOAWAY, MAX_PUSH_ID = 0x7, 0xD
CONTROL, PUSH, ENCODER, DECODER = 0x0, 0x1, 0x2, 0x3

# RFC 9114, 7.2.8: for types that nobody must mind.
GREASE = 0x1F * 7 + 0x21


def var(number):
    """A variable-length integer (RFC 9000, 16)."""
    return encode_uint_var(number)


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
    return prefixed(0x20, 3, len(name)) + name + prefixed(0x00, 7, len(value)) + value


def section(*fields):
    """A field section without a dynamic table (RFC 9204, 4.5)."""
    return b"\x00\x00" + b"".join(literal(name, value) for name, value in fields)


def head(*fields, method=b"GET", path=b"/protocol", leave_out=()):
    """The fields of a request, and further ones."""
    pseudo = (
        (b":method", method),
        (b":scheme", b"https"),
        (b":authority", b"localhost"),
        (b":path", path),
    )
    return section(*(field for field in pseudo if field[0] not in leave_out), *fields)


def request(*fields, **settings_of_head):
    """A HEADERS frame of a request."""
    return frame(HEADERS, head(*fields, **settings_of_head))
