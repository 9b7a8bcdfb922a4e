"""The client and the counting of script/checks/access_log.

usage: access_log.py load URL COUNT            asks for /0 to /COUNT-1, in batches over several connections
       access_log.py lines FILE|FOLDER COUNT   waits for COUNT lines, and reads them
       access_log.py pipe FIFO URL COUNT       reads the pipe: lines in it and lost ones make COUNT
"""

import json
import os
import socket
import sys
import threading
import time
import urllib.request
from urllib.parse import urlsplit

CONNECTIONS = 8
BATCH = 50
# Longer than anything may take, on a machine ten times slower.
SECONDS_MAX = 300


def load(url, count):
    place = urlsplit(url)
    faults = []

    def client(numbers):
        try:
            ask((place.hostname, place.port), numbers)
        except Exception as error:  # told by the thread that waits
            faults.append(error)

    clients = [
        threading.Thread(target=client, args=(range(nth, count, CONNECTIONS),))
        for nth in range(CONNECTIONS)
    ]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    assert not faults, faults[0]


def ask(place, numbers):
    """Several requests at a time, and their answers in order."""
    with socket.create_connection(place, SECONDS_MAX) as client:
        read = client.makefile("rb")
        for begin in range(0, len(numbers), BATCH):
            batch = numbers[begin : begin + BATCH]
            lines = "".join(f"GET /{number} HTTP/1.1\r\nHost: x\r\n\r\n" for number in batch)
            client.sendall(lines.encode())
            for number in batch:
                status = read.readline()
                assert status.startswith(b"HTTP/1.1 200 "), status
                length = 0
                while (line := read.readline()) not in (b"\r\n", b""):
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                content = read.read(length)
                assert content == str(number).encode(), (number, content)


def wait_until(condition, what):
    deadline = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.05)


def files(place):
    if os.path.isfile(place):
        return [place]
    return [os.path.join(place, name) for name in os.listdir(place) if name.startswith("access.log")]


def count_lines(place):
    return sum(open(name, "rb").read().count(b"\n") for name in files(place))


def lines(place, count):
    wait_until(lambda: count_lines(place) >= count, f"{count} lines, there are {count_lines(place)}")
    # One too many would come at once.
    time.sleep(0.5)
    text = b"".join(open(name, "rb").read() for name in files(place))
    check(text, count)
    print(f"{count} lines, {len(text) >> 20} MiB")


def check(text, count):
    """So many lines, each of them whole, each with an id of its own."""
    assert text.endswith(b"\n") or not text
    read = [json.loads(line) for line in text.split(b"\n")[:-1]]
    assert len(read) == count, f"{len(read)} lines instead of {count}"
    assert all(line["status"] == 200 and line["outcome"] == "complete" for line in read)
    ids = {line["request_id"] for line in read}
    assert None not in ids and len(ids) == count, f"{len(ids)} ids of {count} requests"


def pipe(fifo, url, count):
    """The pipe has what fits there and what waits in the server; it says how much it has lost."""
    text = bytearray()

    def drain():
        try:
            while piece := os.read(descriptor, 1 << 20):
                text.extend(piece)
        except BlockingIOError:
            pass
        with urllib.request.urlopen(f"{url}/lost", timeout=SECONDS_MAX) as answer:
            lost = int(answer.read())
        return text.count(b"\n") + lost >= count

    descriptor = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    wait_until(drain, f"{count} lines in the pipe and lost")
    with urllib.request.urlopen(f"{url}/lost", timeout=SECONDS_MAX) as answer:
        lost = int(answer.read())
    assert lost > 0, "nothing was lost: the load is too small"
    check(bytes(text), count - lost)
    print(f"{count - lost} lines in the pipe, {lost} lost")


def main(what, *given):
    {
        "load": lambda url, count: load(url, int(count)),
        "lines": lambda place, count: lines(place, int(count)),
        "pipe": lambda fifo, url, count: pipe(fifo, url, int(count)),
    }[what](*given)


main(*sys.argv[1:])
