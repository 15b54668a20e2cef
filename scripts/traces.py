# SPDX-License-Identifier: GPL-2.0-only
"""The traces that selftests/random_operations.c prints, one kernel against another."""

import os

import machine
from guest import BUILT, LOG, TOP
from ktap import Case, Group

PROGRAM = "random_operations"
MARK = "# trace "
BEFORE = 12  # operations to show before the first difference


def path(label):
    return os.path.join(LOG, f"{label}-trace.log")


def take(lines, label):
    """Puts the trace among `lines` into its file; the other lines are left."""
    with open(path(label), "w", encoding="utf-8") as file:
        file.writelines(
            f"{line[len(MARK):]}\n" for line in lines if line.startswith(MARK)
        )
    return [line for line in lines if not line.startswith(MARK)]


def read(label):
    """The operations of each seed, in the order in which they ran."""
    seeds = {}
    try:
        with open(path(label), encoding="utf-8", errors="replace") as file:
            for line in file.read().splitlines():
                if line.startswith("seed "):
                    seeds[line.split()[1]] = operations = []
                elif seeds:
                    operations.append(line)
    except FileNotFoundError:
        pass
    return seeds


def difference(seed, one, other, names, options):
    """The first operation of a seed that differs, or None."""
    for at in range(max(len(one), len(other))):
        lines = [trace[at] if at < len(trace) else "(nothing)" for trace in (one, other)]
        if lines[0] != lines[1]:
            width = max(map(len, names))
            program = os.path.join(os.path.relpath(BUILT, TOP), "pid_namespace", PROGRAM)
            log = [f"seed {seed}", *one[max(0, at - BEFORE) : at]]
            log += [f"{name:{width}}: {line}" for name, line in zip(names, lines)]
            log += [
                f"once more: make exec{machine.WORD} VARIANT={name} CMD='{program} {options} "
                f"--seeds {seed}-{seed}'"
                for name in names
            ]
            return log
    return None


def compare(labels, names, options="--trace"):
    """The traces of two kernels, as a group of one case."""
    one, other = map(read, labels)
    case = Case(f"{names[1]} does what {names[0]} does", "passed")
    lacking = sorted(set(one) ^ set(other), key=int)
    if not one and not other or lacking:
        case.result = "failed"
        case.reason = f"only one has a trace of seed {lacking[0]}" if lacking else "no traces"
    for seed in one:
        log = difference(seed, one[seed], other.get(seed, []), names, options)
        if log:
            case.result, case.reason, case.log = "failed", f"seed {seed} differs", log
            break
    operations = sum(map(len, one.values()))
    return Group("trace", [case], f"{len(one)} seeds, {operations} operations")
