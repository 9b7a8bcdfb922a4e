"""Answers of two servers side by side, without what differs from one request to the next."""

import difflib
import re

# Who answers, when, and how the content is framed; a validator of a file is the server's own.
OWN = {
    "accept-ranges",
    "alt-svc",
    "connection",
    "content-length",
    "date",
    "etag",
    "keep-alive",
    "server",
    "transfer-encoding",
}

EVERYWHERE = [
    (r"(PHPSESSID|DokuWiki|adminer_sid|laravel_session|XSRF-TOKEN)=[^;]+", r"\1=…"),
    (r"\b\w{3}, \d\d[ -]\w{3}[ -]\d{4} \d\d:\d\d:\d\d (GMT|\+0000)", "DATE"),
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\+00:00|Z)?", "DATE"),
    # A file of text has its charset with it here.
    (r"^(text/\w+|application/javascript); charset=utf-8$", r"\1"),
    (r"Max-Age=\d+", "Max-Age=…"),
]


class Comparison:
    """The replacements of one application, as (pattern, text)."""

    def __init__(self, replacements):
        self.rules = [(re.compile(p), text) for p, text in [*replacements, *EVERYWHERE]]

    def normal(self, text):
        for pattern, replacement in self.rules:
            text = pattern.sub(replacement, text)
        return text

    def lines(self, answer):
        """Status, headers in the order of their names, and the content, line by line."""
        headers = sorted(
            ((name, value) for name, value in answer.headers if name not in OWN),
            key=lambda header: header[0],
        )
        if answer.status == 304 or is_by_server(answer):
            headers = [header for header in headers if header[0] != "content-type"]
        shown = [str(answer.status), *(f"{n}: {self.normal(v)}" for n, v in headers), ""]
        if is_by_server(answer):
            return shown
        try:
            text = answer.body.decode()
        except UnicodeDecodeError:
            return [*shown, f"{len(answer.body)} bytes, {answer.body!r}"]
        return shown + self.normal(text).split("\n")

    def differences(self, wanted, got):
        """What differs between two lists of (what was asked, answer), as text; empty when nothing does."""
        told = []
        if [self.normal(label) for label, _ in wanted] != [self.normal(label) for label, _ in got]:
            told.append(f"asked {[label for label, _ in got]}, not {[label for label, _ in wanted]}")
        for (label, left), (_, right) in zip(wanted, got):
            left, right = self.lines(left), self.lines(right)
            if left == right:
                continue
            told.append(label)
            matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
            changes = [change for change in matcher.get_opcodes() if change[0] != "equal"]
            for _, a, b, c, d in changes[:4]:
                old, new = "\n".join(left[a:b]), "\n".join(right[c:d])
                told.append(f"  php-fpm: {around(old, new)!r}\n  ferrite: {around(new, old)!r}")
        return "\n".join(told)


def is_by_server(answer):
    """Whether the server itself answers, with a page of its own; a file has its type with a charset here."""
    nginx = b"<hr><center>nginx" in answer.body
    return nginx or answer.status >= 300 and re.fullmatch(rb"\d{3} [A-Za-z ]+\n?", answer.body) is not None


def around(text, other):
    """The part of a text where it begins to differ from another."""
    start = next((i for i, (a, b) in enumerate(zip(text, other)) if a != b), min(len(text), len(other)))
    return text[max(0, start - 60) : start + 140]
