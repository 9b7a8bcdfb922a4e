"""What clients that break the rules of a connection send: frames and streams."""

import client as codes
from raw import (
    CANCEL_PUSH,
    CONTROL,
    DATA,
    DECODER,
    ENABLE_CONNECT_PROTOCOL,
    ENCODER,
    FIN,
    GOAWAY,
    GREASE,
    H3_DATAGRAM,
    HEADERS,
    HTTP2_FRAMES,
    MAX_FIELD_SECTION_SIZE,
    MAX_PUSH_ID,
    PRIORITY_UPDATE,
    PUSH,
    PUSH_PRIORITY_UPDATE,
    PUSH_PROMISE,
    QPACK_MAX_TABLE_CAPACITY,
    RESET,
    SETTINGS,
    asked,
    control,
    frame,
    head,
    request,
    section,
    settings,
    uni,
    var,
)

POST = request(method=b"POST")
TRAILERS = frame(HEADERS, section((b"x-a", b"b")))
# An id that is no id: its second byte is missing.
CUT_OFF = b"\x40"


def each(code, cases):
    """Cases with one code."""
    return {name: (code, streams) for name, streams in cases.items()}


# Streams that a client opens; the code with which the connection is closed then.
UNEXPECTED = {
    "DATA before HEADERS (RFC 9114, 4.1)": [asked(frame(DATA, b"x"))],
    "empty DATA before HEADERS (RFC 9114, 4.1)": [asked(frame(DATA))],
    "DATA after trailers (RFC 9114, 4.1)": [
        asked(POST, frame(DATA, b"x"), TRAILERS, frame(DATA, b"x"))
    ],
    "HEADERS after trailers (RFC 9114, 4.1)": [asked(POST, frame(DATA, b"x"), TRAILERS, TRAILERS)],
    "HEADERS after trailers without content (RFC 9114, 4.1)": [asked(POST, TRAILERS, TRAILERS)],
    "SETTINGS on a request stream (RFC 9114, 7.2.4)": [asked(settings())],
    "SETTINGS behind HEADERS (RFC 9114, 7.2.4)": [asked(POST, settings())],
    "GOAWAY on a request stream (RFC 9114, 7.2.6)": [asked(frame(GOAWAY, var(0)))],
    "CANCEL_PUSH on a request stream (RFC 9114, 7.2.3)": [asked(frame(CANCEL_PUSH, var(0)))],
    "MAX_PUSH_ID on a request stream (RFC 9114, 7.2.7)": [asked(frame(MAX_PUSH_ID, var(0)))],
    "PRIORITY_UPDATE on a request stream (RFC 9218, 7.2)": [
        asked(POST, frame(PRIORITY_UPDATE, var(0) + b"u=1"))
    ],
    "PRIORITY_UPDATE of a push on a request stream (RFC 9218, 7.2)": [
        asked(POST, frame(PUSH_PRIORITY_UPDATE, var(0) + b"u=1"))
    ],
    "PUSH_PROMISE from a client (RFC 9114, 7.2.5)": [asked(frame(PUSH_PROMISE, var(0) + head()))],
    "PUSH_PROMISE behind HEADERS (RFC 9114, 7.2.5)": [
        asked(POST, frame(PUSH_PROMISE, var(0) + head()))
    ],
    "PUSH_PROMISE on the control stream (RFC 9114, 7.2.5)": [
        uni(control(frame(PUSH_PROMISE, var(0) + head())))
    ],
    "SETTINGS twice (RFC 9114, 7.2.4)": [uni(control(settings()))],
    "HEADERS on the control stream (RFC 9114, 7.2.2)": [uni(control(request()))],
    "DATA on the control stream (RFC 9114, 7.2.1)": [uni(control(frame(DATA, b"x")))],
    **{
        f"frame {kind:#x} of HTTP/2 on a request stream (RFC 9114, 7.2.8)": [
            asked(frame(kind, b"12345678"))
        ]
        for kind in HTTP2_FRAMES
    },
    **{
        f"frame {kind:#x} of HTTP/2 on the control stream (RFC 9114, 7.2.8)": [
            uni(control(frame(kind, b"1234")))
        ]
        for kind in HTTP2_FRAMES
    },
}

# RFC 9114, 7.1: payloads and streams that break off, and payloads with more than belongs there.
BAD_FRAMES = {
    "HEADERS cut off by the stream's end (RFC 9114, 7.1)": [asked(request()[:-3], end=FIN)],
    "HEADERS announced, and nothing of it (RFC 9114, 7.1)": [
        asked(var(HEADERS), var(10), end=FIN)
    ],
    "DATA cut off by the stream's end (RFC 9114, 7.1)": [
        asked(POST, var(DATA), var(10), b"five!", end=FIN)
    ],
    "trailers cut off by the stream's end (RFC 9114, 7.1)": [asked(POST, TRAILERS[:-1], end=FIN)],
    "a frame without a length, cut off by the stream's end (RFC 9114, 7.1)": [
        asked(POST, var(DATA), end=FIN)
    ],
    "a frame's type cut off by the stream's end (RFC 9114, 7.1)": [asked(POST, CUT_OFF, end=FIN)],
    "a frame's length cut off by the stream's end (RFC 9114, 7.1)": [
        asked(POST, var(DATA), CUT_OFF, end=FIN)
    ],
    "an unknown frame cut off by the stream's end (RFC 9114, 7.1)": [
        asked(POST, var(GREASE), var(10), b"five!", end=FIN)
    ],
    "an unknown frame before HEADERS, cut off by the stream's end (RFC 9114, 7.1)": [
        asked(var(GREASE), var(10), b"five!", end=FIN)
    ],
    "SETTINGS with half an identifier (RFC 9114, 7.1)": [
        uni(var(CONTROL), frame(SETTINGS, CUT_OFF))
    ],
    "SETTINGS without a value (RFC 9114, 7.1)": [uni(var(CONTROL), frame(SETTINGS, b"\x01"))],
    "SETTINGS with half a value (RFC 9114, 7.1)": [
        uni(var(CONTROL), frame(SETTINGS, var(GREASE) + CUT_OFF))
    ],
    **{
        f"{name} {how} (RFC 9114, 7.1)": [uni(control(frame(kind, payload)))]
        for name, kind in (
            ("MAX_PUSH_ID", MAX_PUSH_ID),
            ("GOAWAY", GOAWAY),
            ("CANCEL_PUSH", CANCEL_PUSH),
        )
        for how, payload in (
            ("without an id", b""),
            ("with half an id", CUT_OFF),
            ("with more than an id", var(0) + b"x"),
        )
    },
    **{
        f"{name} {how} (RFC 9114, 7.1; RFC 9218, 7.2)": [uni(control(frame(kind, payload)))]
        for name, kind in (
            ("PRIORITY_UPDATE", PRIORITY_UPDATE),
            ("PRIORITY_UPDATE of a push", PUSH_PRIORITY_UPDATE),
        )
        for how, payload in (("without an id", b""), ("with half an id", CUT_OFF))
    },
}

BAD_SETTINGS = {
    **{
        f"setting {key:#x} of HTTP/2 (RFC 9114, 7.2.4.1 and 11.2.2)": [
            uni(var(CONTROL), settings((key, 1)))
        ]
        for key in (0x0, 0x2, 0x3, 0x4, 0x5)
    },
    **{
        f"setting {key:#x} twice (RFC 9114, 7.2.4)": [
            uni(var(CONTROL), settings((key, 0), (GREASE, 1), (key, 0)))
        ]
        for key in (QPACK_MAX_TABLE_CAPACITY, MAX_FIELD_SECTION_SIZE)
    },
    "ENABLE_CONNECT_PROTOCOL that is neither 0 nor 1 (RFC 8441, 3; RFC 9220, 3)": [
        uni(var(CONTROL), settings((ENABLE_CONNECT_PROTOCOL, 2)))
    ],
    "H3_DATAGRAM that is neither 0 nor 1 (RFC 9297, 2.1.1)": [
        uni(var(CONTROL), settings((H3_DATAGRAM, 2)))
    ],
}

NO_SETTINGS = {
    **{
        f"{name} before SETTINGS (RFC 9114, 6.2.1)": [uni(var(CONTROL), frame(kind, payload))]
        for name, kind, payload in (
            ("MAX_PUSH_ID", MAX_PUSH_ID, var(0)),
            ("GOAWAY", GOAWAY, var(0)),
            ("PRIORITY_UPDATE", PRIORITY_UPDATE, var(0) + b"u=1"),
            ("an unknown frame", GREASE, b"x"),
        )
    },
}

BAD_IDS = {
    "GOAWAY with a growing id (RFC 9114, 5.2)": [
        uni(control(frame(GOAWAY, var(4)), frame(GOAWAY, var(8))))
    ],
    "MAX_PUSH_ID that shrinks (RFC 9114, 7.2.7)": [
        uni(control(frame(MAX_PUSH_ID, var(8)), frame(MAX_PUSH_ID, var(4))))
    ],
    "CANCEL_PUSH beyond what was allowed (RFC 9114, 7.2.3)": [
        uni(control(frame(CANCEL_PUSH, var(3))))
    ],
    "CANCEL_PUSH for what was never pushed (RFC 9114, 7.2.3)": [
        uni(control(frame(MAX_PUSH_ID, var(8)), frame(CANCEL_PUSH, var(3))))
    ],
    "PRIORITY_UPDATE for a push beyond what was allowed (RFC 9218, 7.2)": [
        uni(control(frame(PUSH_PRIORITY_UPDATE, var(3) + b"u=1")))
    ],
    "PRIORITY_UPDATE for what was never pushed (RFC 9218, 7.2)": [
        uni(control(frame(MAX_PUSH_ID, var(8)), frame(PUSH_PRIORITY_UPDATE, var(3) + b"u=1")))
    ],
    **{
        f"PRIORITY_UPDATE for stream {stream}, which has no request (RFC 9218, 7.2)": [
            uni(control(frame(PRIORITY_UPDATE, var(stream) + b"u=1")))
        ]
        for stream in (1, 2, 3)
    },
    "PRIORITY_UPDATE for a stream far beyond what is allowed (RFC 9218, 7.2)": [
        uni(control(frame(PRIORITY_UPDATE, var((1 << 62) - 4) + b"u=1")))
    ],
}

BAD_STREAMS = {
    "a second control stream (RFC 9114, 6.2.1)": [uni(control()), uni(control())],
    "a push stream from a client (RFC 9114, 6.2.2)": [uni(control()), uni(var(PUSH), var(0))],
    "a push stream with its type alone (RFC 9114, 6.2.2)": [uni(control()), uni(var(PUSH))],
    "a second encoder stream (RFC 9204, 4.2)": [uni(var(ENCODER)), uni(var(ENCODER))],
    "a second decoder stream (RFC 9204, 4.2)": [uni(var(DECODER)), uni(var(DECODER))],
}

CLOSED = {
    f"the {name} stream {how} ({where})": [*before, uni(data, end=end)]
    for name, data, before, where in (
        ("control", control(), [], "RFC 9114, 6.2.1"),
        ("encoder", var(ENCODER), [uni(control())], "RFC 9204, 4.2"),
        ("decoder", var(DECODER), [uni(control())], "RFC 9204, 4.2"),
    )
    for how, end in (("ends", FIN), ("is reset", RESET))
}
CLOSED["the control stream ends before SETTINGS (RFC 9114, 6.2.1)"] = [uni(var(CONTROL), end=FIN)]

CONNECTION_ERRORS = {
    **each(codes.FRAME_UNEXPECTED, UNEXPECTED),
    **each(codes.FRAME_ERROR, BAD_FRAMES),
    **each(codes.SETTINGS_ERROR, BAD_SETTINGS),
    **each(codes.MISSING_SETTINGS, NO_SETTINGS),
    **each(codes.ID_ERROR, BAD_IDS),
    **each(codes.STREAM_CREATION_ERROR, BAD_STREAMS),
    **each(codes.CLOSED_CRITICAL_STREAM, CLOSED),
}
