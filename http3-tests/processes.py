"""The processes of a server that runs, by what their titles say."""

import contextlib


def children(pid):
    """Process ids of what the supervisor of this id has started, by title: `reactor`, `worker 0`, …"""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        pids = [int(pid) for pid in file.read().split()]
    found = {}
    for child in pids:
        with contextlib.suppress(OSError):
            with open(f"/proc/{child}/cmdline", "rb") as file:
                title = file.read().decode().replace("\0", " ").strip()
            if title.startswith("ferrite: "):
                found[title.removeprefix("ferrite: ")] = child
    return found


def workers(pid):
    """The ids of its workers."""
    return {child for title, child in children(pid).items() if title.startswith("worker")}
