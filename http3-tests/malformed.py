"""Requests that are malformed: their stream is ended, and nothing else."""

from raw import DATA, HEADERS, frame, request, section

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
    ":protocol, which was not offered (RFC 9220, 3; RFC 9114, 4.3.1)": request(
        (b":protocol", b"websocket"), method=b"CONNECT"
    ),
    ":protocol without CONNECT (RFC 9220, 3; RFC 8441, 4)": request((b":protocol", b"websocket")),
    "CONNECT with :path (RFC 9114, 4.4)": request(method=b"CONNECT", leave_out=(b":scheme",)),
    "CONNECT with :scheme (RFC 9114, 4.4)": request(method=b"CONNECT", leave_out=(b":path",)),
    "CONNECT without :authority (RFC 9114, 4.4)": request(
        method=b"CONNECT", leave_out=(b":scheme", b":path", b":authority")
    ),
    "a section without fields (RFC 9114, 4.3.1)": frame(HEADERS, section()),
    "a pseudo-field in trailers (RFC 9114, 4.3)": request(method=b"POST")
    + frame(DATA, b"x")
    + frame(HEADERS, section((b":path", b"/show"))),
}
