"""What processes have used, from /proc: CPU time and memory of a server and all it started."""

import os

TICKS = os.sysconf("SC_CLK_TCK")


def stat(pid):
    """(parent, session, user + system seconds, the same of its reaped children), or None."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    # The name may hold spaces and brackets: the fields begin behind the last bracket.
    fields = text[text.rindex(b")") + 2 :].split()
    user, system, child_user, child_system = (int(field) for field in fields[11:15])
    return {
        "parent": int(fields[1]),
        "session": int(fields[3]),
        "user": user / TICKS,
        "system": system / TICKS,
        "reaped": (child_user + child_system) / TICKS,
    }


def tree(root):
    """{pid: stat} of the process, its descendants, and all that share its session."""
    every = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (found := stat(int(name))):
            every[int(name)] = found
    members = {root} & every.keys()
    grown = True
    while grown:
        grown = False
        for pid, found in every.items():
            if pid not in members and (found["parent"] in members or found["session"] == root):
                members.add(pid)
                grown = True
    return {pid: every[pid] for pid in members}


def cpu(root):
    """CPU seconds of the whole tree so far, children that have ended included.

    A child that has ended is in its parent's figures from the moment the parent has waited for
    it, and in its own until then: nothing is lost or counted twice.
    """
    return sum(one["user"] + one["system"] + one["reaped"] for one in tree(root).values())


def cpu_by_process(root):
    """{pid: (title, user seconds, system seconds)} of what is running."""
    return {
        pid: (title(pid), one["user"], one["system"]) for pid, one in tree(root).items()
    }


def title(pid):
    """The command line, which servers turn into a title."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()[:60]
    except OSError:
        return "?"


def pss(root):
    """Bytes of memory in use by the tree; pages that processes share are counted once."""
    return memory(root, ("Pss",))


def pss_of(pid):
    """The same of one process."""
    return memory_of(pid, ("Pss",))


def own_memory(root):
    """The same without pages of files, which the kernel takes back when it likes."""
    return memory(root, ("Pss_Anon", "Pss_Shmem"))


def memory(root, kinds):
    return sum(memory_of(pid, kinds) for pid in tree(root))


def memory_of(pid, kinds):
    total = 0
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            for line in file:
                if line.split(":")[0] in kinds:
                    total += int(line.split()[1]) * 1024
    except OSError:
        return 0
    return total
