"""What clients that break the rules send."""

import client as codes
from raw import (
    CANCEL_PUSH,
    CONTROL,
    DATA,
    DECODER,
    ENCODER,
    GOAWAY,
    GREASE,
    HEADERS,
    MAX_PUSH_ID,
    PUSH,
    PUSH_PROMISE,
    control,
    frame,
    head,
    request,
    section,
    settings,
    var,
)

# Streams that a client opens, each "uni" or "request" with its bytes and whether it ends; the code
# with which the connection is closed then.
CONNECTION_ERRORS = {
    "DATA before HEADERS (RFC 9114, 4.1)": (
        codes.FRAME_UNEXPECTED,
        [("request", frame(DATA, b"x"), False)],
    ),
    "DATA after trailers (RFC 9114, 4.1)": (
        codes.FRAME_UNEXPECTED,
        [
            (
                "request",
                request(method=b"POST")
                + frame(DATA, b"x")
                + frame(HEADERS, section((b"x-a", b"b")))
                + frame(DATA, b"x"),
                False,
            )
        ],
    ),
    "SETTINGS on a request stream (RFC 9114, 7.2.4)": (
        codes.FRAME_UNEXPECTED,
        [("request", settings(), False)],
    ),
    "GOAWAY on a request stream (RFC 9114, 7.2.6)": (
        codes.FRAME_UNEXPECTED,
        [("request", frame(GOAWAY, var(0)), False)],
    ),
    "PUSH_PROMISE from a client (RFC 9114, 7.2.5)": (
        codes.FRAME_UNEXPECTED,
        [("request", frame(PUSH_PROMISE, var(0) + head()), False)],
    ),
    "another frame before SETTINGS (RFC 9114, 6.2.1)": (
        codes.MISSING_SETTINGS,
        [("uni", var(CONTROL) + frame(MAX_PUSH_ID, var(0)), False)],
    ),
    "an unknown frame before SETTINGS (RFC 9114, 6.2.1)": (
        codes.MISSING_SETTINGS,
        [("uni", var(CONTROL) + frame(GREASE, b"x"), False)],
    ),
    "SETTINGS twice (RFC 9114, 7.2.4)": (
        codes.FRAME_UNEXPECTED,
        [("uni", control(settings()), False)],
    ),
    "HEADERS on the control stream (RFC 9114, 7.2.2)": (
        codes.FRAME_UNEXPECTED,
        [("uni", control(request()), False)],
    ),
    "DATA on the control stream (RFC 9114, 7.2.1)": (
        codes.FRAME_UNEXPECTED,
        [("uni", control(frame(DATA, b"x")), False)],
    ),
    "a setting of HTTP/2 (RFC 9114, 7.2.4.1)": (
        codes.SETTINGS_ERROR,
        [("uni", var(CONTROL) + settings((0x2, 1)), False)],
    ),
    "GOAWAY with a growing id (RFC 9114, 5.2)": (
        codes.ID_ERROR,
        [("uni", control(frame(GOAWAY, var(4)), frame(GOAWAY, var(8))), False)],
    ),
    "MAX_PUSH_ID that shrinks (RFC 9114, 7.2.7)": (
        codes.ID_ERROR,
        [("uni", control(frame(MAX_PUSH_ID, var(8)), frame(MAX_PUSH_ID, var(4))), False)],
    ),
    "a second control stream (RFC 9114, 6.2.1)": (
        codes.STREAM_CREATION_ERROR,
        [("uni", control(), False), ("uni", control(), False)],
    ),
    "a push stream from a client (RFC 9114, 6.2.2)": (
        codes.STREAM_CREATION_ERROR,
        [("uni", control(), False), ("uni", var(PUSH) + var(0), False)],
    ),
    "a second encoder stream (RFC 9204, 4.2)": (
        codes.STREAM_CREATION_ERROR,
        [("uni", var(ENCODER), False), ("uni", var(ENCODER), False)],
    ),
    "a second decoder stream (RFC 9204, 4.2)": (
        codes.STREAM_CREATION_ERROR,
        [("uni", var(DECODER), False), ("uni", var(DECODER), False)],
    ),
    "the control stream ends (RFC 9114, 6.2.1)": (
        codes.CLOSED_CRITICAL_STREAM,
        [("uni", control(), True)],
    ),
    "the encoder stream ends (RFC 9204, 4.2)": (
        codes.CLOSED_CRITICAL_STREAM,
        [("uni", control(), False), ("uni", var(ENCODER), True)],
    ),
    "a field of the dynamic table, of which there is none (RFC 9204, 2.2.3)": (
        codes.DECOMPRESSION_FAILED,
        [("request", frame(HEADERS, b"\x02\x00\x80"), False)],
    ),
    "a field beyond the static table (RFC 9204, 3.1)": (
        codes.DECOMPRESSION_FAILED,
        [("request", frame(HEADERS, b"\x00\x00\xff\x64"), False)],
    ),
    "a field section that is cut off (RFC 9204, 2.2)": (
        codes.DECOMPRESSION_FAILED,
        [("request", frame(HEADERS, head()[:-4]), False)],
    ),
}

# What quiche lets pass, though the connection should be closed with the code. There is no dynamic
# table, nothing is pushed, and no meaning is seen in these frames; content that is cut off is taken
# for what has come, unless a Content-Length says otherwise. A test of these holds as well when the
# code has come, so that a quiche which knows better breaks nothing.
LET_PASS = {
    "a frame of HTTP/2 on a request stream (RFC 9114, 7.2.8)": (
        codes.FRAME_UNEXPECTED,
        [("request", frame(0x6, b"12345678"), False)],
    ),
    "content that is cut off by the stream's end (RFC 9114, 7.1)": (
        codes.FRAME_ERROR,
        [("request", request(method=b"POST") + var(DATA) + var(10) + b"five!", True)],
    ),
    "a frame of HTTP/2 on the control stream (RFC 9114, 7.2.8)": (
        codes.FRAME_UNEXPECTED,
        [("uni", control(frame(0x8, b"1234")), False)],
    ),
    "GOAWAY with more than an id (RFC 9114, 7.1)": (
        codes.FRAME_ERROR,
        [("uni", control(frame(GOAWAY, var(0) + b"x")), False)],
    ),
    "CANCEL_PUSH for what was never pushed (RFC 9114, 7.2.3)": (
        codes.ID_ERROR,
        [("uni", control(frame(CANCEL_PUSH, var(3))), False)],
    ),
    "more dynamic table than was allowed (RFC 9204, 4.3.1)": (
        codes.ENCODER_STREAM_ERROR,
        [("uni", control(), False), ("uni", var(ENCODER) + b"\x3f\xe1\x1f", False)],
    ),
    "an entry for the dynamic table, which is empty by agreement (RFC 9204, 3.2.2)": (
        codes.ENCODER_STREAM_ERROR,
        [("uni", control(), False), ("uni", var(ENCODER) + b"\x41a\x01b", False)],
    ),
    "an acknowledgement of what was never sent (RFC 9204, 4.4.1)": (
        codes.DECODER_STREAM_ERROR,
        [("uni", control(), False), ("uni", var(DECODER) + b"\x80", False)],
    ),
    "an increment of zero (RFC 9204, 4.4.3)": (
        codes.DECODER_STREAM_ERROR,
        [("uni", control(), False), ("uni", var(DECODER) + b"\x00", False)],
    ),
}

# What quiche closes the connection for, but with another code than the RFC's.
OTHER_CODE = {
    "SETTINGS whose payload is no list of settings (RFC 9114, 7.1)": (
        codes.FRAME_ERROR,
        0x999,
        [("uni", var(CONTROL) + frame(0x4, b"\x01"), False)],
    ),
    "Huffman code with a wrong end (RFC 9204, 2.2)": (
        codes.DECOMPRESSION_FAILED,
        codes.EXCESSIVE_LOAD,
        [("request", frame(HEADERS, b"\x00\x00\x50\x81\x00"), False)],
    ),
}

GOOD = (b"x-good", b"1")

# Requests whose stream is reset with H3_MESSAGE_ERROR, or that are answered with 400 (RFC 9114,
# 4.1.2). All are sent to their end.
MALFORMED = {
    "a name in upper case (RFC 9114, 4.2)": request((b"X-Upper", b"1")),
    "no :path (RFC 9114, 4.3.1)": request(leave_out=(b":path",)),
    "no :method (RFC 9114, 4.3.1)": request(leave_out=(b":method",)),
    "no :scheme (RFC 9114, 4.3.1)": request(leave_out=(b":scheme",)),
    "neither :authority nor host (RFC 9114, 4.3.1)": request(leave_out=(b":authority",)),
    "an empty :path (RFC 9114, 4.3.1)": request(path=b""),
    ":path twice (RFC 9114, 4.3.1)": request((b":path", b"/show")),
    "an unknown pseudo-field (RFC 9114, 4.3)": request((b":other", b"1")),
    ":status in a request (RFC 9114, 4.3)": request((b":status", b"200")),
    "a pseudo-field behind another field (RFC 9114, 4.3)": frame(
        HEADERS,
        section(
            (b":method", b"GET"),
            (b":scheme", b"https"),
            GOOD,
            (b":authority", b"localhost"),
            (b":path", b"/protocol"),
        ),
    ),
    "host that is not :authority (RFC 9114, 4.3.1)": request((b"host", b"other")),
    "connection (RFC 9114, 4.2)": request((b"connection", b"close")),
    "transfer-encoding (RFC 9114, 4.2)": request((b"transfer-encoding", b"chunked")),
    "te that is not trailers (RFC 9114, 4.2)": request((b"te", b"gzip")),
    "a name with a space (RFC 9114, 4.2)": request((b"x y", b"1")),
    "a value with CR and LF (RFC 9114, 10.3)": request((b"x-a", b"1\r\nx-b: 2")),
    "a value with NUL (RFC 9114, 10.3)": request((b"x-a", b"1\x002")),
    "less content than content-length (RFC 9114, 4.1.2)": request(
        (b"content-length", b"10"), method=b"POST"
    )
    + frame(DATA, b"five!"),
    "more content than content-length (RFC 9114, 4.1.2)": request(
        (b"content-length", b"3"), method=b"POST"
    )
    + frame(DATA, b"five!"),
    "a content-length that is no number (RFC 9110, 8.6)": request(
        (b"content-length", b"x"), method=b"POST"
    ),
    "two content-lengths (RFC 9110, 8.6)": request(
        (b"content-length", b"1"), (b"content-length", b"2"), method=b"POST"
    )
    + frame(DATA, b"a"),
    "a pseudo-field in trailers (RFC 9114, 4.3)": request(method=b"POST")
    + frame(DATA, b"x")
    + frame(HEADERS, section((b":path", b"/show"))),
}

# What looks odd and has to be borne.
BORNE = {
    "unknown frames everywhere (RFC 9114, 9)": [
        ("uni", control(frame(GREASE, b"x" * 100)), False),
        ("request", frame(GREASE, b"x") + request() + frame(GREASE), True),
    ],
    "an unknown stream (RFC 9114, 6.2.3)": [
        ("uni", control(), False),
        ("uni", var(GREASE) + b"whatever", False),
        ("request", request(), True),
    ],
    "unknown settings (RFC 9114, 7.2.4.1)": [
        ("uni", var(CONTROL) + settings((GREASE, 5), (0x8, 0)), False),
        ("request", request(), True),
    ],
    "a request before SETTINGS (RFC 9114, 7.2.4.2)": [
        ("request", request(), True),
        ("uni", control(), False),
    ],
    "content in a hundred frames, some of them empty": [
        ("uni", control(), False),
        ("request", request(method=b"POST") + (frame(DATA, b"x") + frame(DATA)) * 100, True),
    ],
}
