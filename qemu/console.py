# SPDX-License-Identifier: GPL-2.0-only
"""What a guest's kernel console says: the panic, or the first complaint."""

import re

PANIC = re.compile(r"Kernel panic - not syncing")

# Words that the kernel uses only when something is wrong with the kernel.
COMPLAINT = re.compile(
    "|".join(
        (
            r"Kernel panic - not syncing",
            r"\bWARNING: ",
            r"\bBUG: ",
            r"kernel BUG at ",
            r"\bOops: ",
            r"general protection fault",
            r"Unable to handle kernel ",
            r"Internal error: ",
            r"\bINFO: (task|rcu|possible|suspicious|inconsistent|trying to register)",
            r"rcu: .*(stall|starved|wakeup issue)",
            r"(soft|hard) lockup",
            r"possible (recursive locking|circular locking|irq lock inversion|deadlock)",
            r"inconsistent lock state",
            r"lockdep is turned off",
            r"turning off the locking correctness validator",
            r"Kernel memory leak detector disabled",
            r"ODEBUG disabled",
            r"bad unlock balance",
            r"held lock freed",
            r"still has locks held",
            r"Invalid wait context",
            r"suspicious RCU usage",
            r"DEBUG_LOCKS_WARN_ON",
            r"scheduling while atomic",
            r"sleeping function called from invalid context",
            r"\bkmemleak: [1-9]\d* new suspected memory leak",
            r"unreferenced object 0x",
            r"\b(KASAN|KCSAN|KFENCE|KMSAN|UBSAN): ",
            r"refcount_t: ",
            r"list_(add|del) corruption",
            r"corrupted (list|stack)",
            r"rust_kernel: panicked at",
            r"nobody cared",
            r"leaked .*percpu|percpu ref .* <= 0",
            r"Call [Tt]race:",
        )
    )
)

# Programs write to the kernel's log too; what they warn of is not the kernel.  Nor is
# a trap of theirs, which is how abort() ends an init.
PROGRAM = re.compile(
    r"^(virtme-(ng-)?init|systemd[\w-]*|\(?udev[\w-]*\)?|selftest)(\[\d+\])?: "
    r"|^traps: \S+\[\d+\] general protection fault ip:"
)

# printk's own time stamp, and the caller id that some configurations add.
STAMP = re.compile(r"^(<\d+>)?(\[ *\d+\.\d+\]\s*)?(\[ *[CT]\d+\]\s*)?")


def text(line):
    """A console line without its end, control characters and time stamp."""
    line = "".join(c for c in line.rstrip() if c.isprintable() or c == "\t")
    return STAMP.sub("", line)


def lines(path):
    """The lines of a console file; none if there is no such file."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def complaint(console_lines):
    """The first line in which the kernel complains of itself, or None."""
    for line in map(text, console_lines):
        # What the command line says is ours, not the kernel's.
        if "ommand line:" in line or PROGRAM.match(line):
            continue
        if COMPLAINT.search(line):
            return line
    return None


class Race:
    """What KCSAN says of one data race."""

    def __init__(self, title):
        self.title = title
        self.lines = []
        # Two, or one where the other is not known; that has an offset.
        places = title.partition(" in ")[2].split(" / ")
        self.functions = [re.sub(r"\+0x.*", "", place) for place in places]


def races(console_lines):
    """The data races that KCSAN has reported, and the lines without its reports; but for what
    another CPU has complained of in the midst of one."""
    found, rest, inside = [], [], False
    for line in console_lines:
        said = text(line)
        title = re.search(r"BUG: KCSAN: [\w-]+ in .*", said)
        if title:
            found.append(Race(title.group()))
            inside = True
        elif inside:
            found[-1].lines.append(said)
            inside = not said.startswith("=====")
            if complaint([line]):
                rest.append(line)
        else:
            rest.append(line)
    return found, rest


def panic(console_lines):
    """The line of a panic, or None."""
    return next((text(line) for line in console_lines if PANIC.search(line)), None)


def last(console_lines):
    """The last line that says anything, or None."""
    return next((text(line) for line in reversed(console_lines) if text(line)), None)
