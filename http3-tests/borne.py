"""What looks odd and has to be borne."""

from raw import (
    CONTROL,
    DATA,
    DECODER,
    ENCODER,
    FIN,
    GOAWAY,
    GREASE,
    HEADERS,
    MAX_PUSH_ID,
    PRIORITY_UPDATE,
    RESET,
    SETTINGS,
    asked,
    control,
    frame,
    head,
    literal,
    prefixed,
    request,
    section,
    settings,
    text,
    uni,
    var,
    wide,
)

UNKNOWN = frame(GREASE, b"whatever")
EMPTY = frame(GREASE)
TRAILERS = frame(HEADERS, section((b"x-a", b"b")))
GET = asked(request(), end=FIN)
ECHO_HEAD = head(method=b"POST", path=b"/echo")
ECHO = frame(HEADERS, ECHO_HEAD)


def with_line(line):
    """A request with one field line more."""
    return [uni(control()), asked(frame(HEADERS, head() + line), end=FIN)]


def around(*streams):
    """Streams beside which a request is answered."""
    return [uni(control()), *streams, GET]


# Streams that a client opens. Each request gets its answer: what it has sent as content, or the name
# of the protocol.
BORNE = {
    "unknown frames on the control stream (RFC 9114, 9)": [uni(control(UNKNOWN, EMPTY, UNKNOWN)), GET],
    "an unknown frame without an end on the control stream (RFC 9114, 9)": [
        uni(control(), var(GREASE), var((1 << 62) - 1), b"begun"),
        GET,
    ],
    "unknown frames before HEADERS (RFC 9114, 4.1)": [
        uni(control()),
        asked(UNKNOWN, EMPTY, request(), end=FIN),
    ],
    "unknown frames between DATA and after trailers (RFC 9114, 4.1)": [
        uni(control()),
        asked(
            *(EMPTY, ECHO, UNKNOWN, frame(DATA, b"HTT"), UNKNOWN, EMPTY, frame(DATA, b"P/3")),
            *(UNKNOWN, TRAILERS, UNKNOWN, EMPTY),
            end=FIN,
        ),
    ],
    "unknown settings (RFC 9114, 7.2.4.1)": [
        uni(var(CONTROL), settings((GREASE, 5), (GREASE + 0x1F, 1 << 60), (0x8, 0), (0x33, 0))),
        GET,
    ],
    "settings that offer more than is used (RFC 9204, 5)": [
        uni(var(CONTROL), settings((0x1, 1 << 20), (0x7, 100), (0x6, 1 << 30), (0x8, 1))),
        GET,
    ],
    "a request before SETTINGS (RFC 9114, 7.2.4.2)": [GET, uni(control())],
    "a request without a control stream (RFC 9114, 7.2.4.2)": [GET],
    "numbers that are wider than they need be (RFC 9000, 16)": [
        uni(wide(CONTROL), wide(SETTINGS), wide(0)),
        asked(
            *(wide(HEADERS), wide(len(ECHO_HEAD)), ECHO_HEAD),
            *(wide(DATA), wide(6), b"HTTP/3", wide(GREASE), wide(0)),
            end=FIN,
        ),
    ],
    "content in a hundred frames, some of them empty (RFC 9114, 7.2.1)": [
        uni(control()),
        asked(ECHO, (frame(DATA, b"HTTP/3") + frame(DATA)) * 100, end=FIN),
    ],
    "no content but empty frames (RFC 9114, 7.2.1)": [
        uni(control()),
        asked(request(method=b"POST"), frame(DATA) * 100, end=FIN),
    ],
    "a client that pushes nothing and says so (RFC 9114, 5.2 and 7.2.7)": [
        uni(
            control(
                *(frame(MAX_PUSH_ID, var(number)) for number in (0, 5, 5, 9)),
                *(frame(GOAWAY, var(number)) for number in (9, 9, 3, 0)),
            )
        ),
        GET,
    ],
    **{
        f"PRIORITY_UPDATE {what} (RFC 9218, 7.2)": [
            uni(control(frame(PRIORITY_UPDATE, var(stream) + value))),
            GET,
        ]
        for what, stream, value in (
            ("for a stream to come", 0, b"u=1, i"),
            ("for a stream that may come", 40, b"u=1"),
            ("with nothing in it", 0, b""),
            ("with something else in it", 0, b"u=\x00\xff,,=;"),
            ("with more in it than is known", 0, b"u=1, " + b"x, " * 50 + b"i"),
        )
    },
    "a unidirectional stream that ends before its type (RFC 9114, 6.2)": around(uni(end=FIN)),
    "a unidirectional stream that ends within its type (RFC 9114, 6.2)": around(
        uni(b"\x40", end=FIN)
    ),
    "a unidirectional stream that is reset before its type (RFC 9114, 6.2)": around(uni(end=RESET)),
    "a unidirectional stream that is reset within its type (RFC 9114, 6.2)": around(
        uni(b"\x40", end=RESET)
    ),
    **{
        f"an unknown unidirectional stream that {how} (RFC 9114, 6.2.3)": around(
            uni(var(GREASE), b"whatever", end=end)
        )
        for how, end in (("stays", "open"), ("ends", FIN), ("is reset", RESET))
    },
    "an encoder stream that allows itself nothing (RFC 9204, 3.2.3)": around(
        uni(var(ENCODER), b"\x20\x20")
    ),
    "a decoder stream with cancellations (RFC 9204, 4.4.2)": around(
        uni(var(DECODER), b"\x40\x44", prefixed(0x40, 6, (1 << 62) - 4))
    ),
    "a section with a base that nothing is counted from (RFC 9204, 4.5.1.2)": [
        asked(frame(HEADERS, b"\x00\x05" + head()[2:]), end=FIN)
    ],
    "the last field of the static table (RFC 9204, 3.1)": with_line(prefixed(0xC0, 6, 98)),
    "the last name of the static table (RFC 9204, 3.1)": with_line(
        prefixed(0x50, 4, 98) + text(b"deny")
    ),
    "Huffman code (RFC 7541, 5.2)": with_line(
        prefixed(0x28, 3, 1) + b"\x1f" + text(b"\x1f", huffman=True)
    ),
    "fields that are never to be indexed (RFC 9204, 4.5.4 and 4.5.6)": with_line(
        prefixed(0x70, 4, 0x5) + text(b"c=d") + b"\x31a" + text(b"b")
    ),
    "a value without content (RFC 9204, 4.5.6)": with_line(literal(b"x-empty", b"")),
}
