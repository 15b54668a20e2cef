# SPDX-License-Identifier: GPL-2.0-only
"""Which of the data races that KCSAN reports are those of pid namespaces.  A race of two functions
is if one of them is.  What no compiler has instrumented, as Rust code, is not named: KCSAN sees a
value change under a reader.  On a kernel with Rust such a race is ours unless KNOWN says whose it
is; what is ours on one in C is instrumented."""

import collections
import os
import re
import subprocess

# What pid namespaces are made of, in either implementation.
C = ("nscommon", "nsproxy", "nstree", "pid", "pid_namespace", "ucount")
OBJECTS = [*(f"kernel/{name}.o" for name in C), "kernel/pidns/pidns.o"]

# The functions that read what others that are not instrumented write, and who these are.
KNOWN = {
    "__memcg_slab_free_hook": "mm/slub.c",
    "__memcg_slab_post_alloc_hook": "mm/slub.c",
    # current->active_mm, as another task runs meanwhile.
    "__mmdrop": "kernel/sched/core.c",
    # current->rseq.event, as another task runs meanwhile.
    "__x64_sys_rseq": "kernel/sched/core.c",
    # task->nvcsw and nivcsw, as another task runs meanwhile.
    "proc_pid_status": "kernel/sched/core.c",
}

# Of task->flags, which many functions read.
PF_EXITING, PF_NOFREEZE = 0x4, 0x8000
CHANGED = re.compile(r" of 4 bytes .*value changed: (0x\w+) -> (0x\w+)", re.DOTALL)


def functions_of(obj):
    """The functions of pid namespaces in a build, as they are called in a report."""
    objects = [os.path.join(obj, name) for name in OBJECTS]
    command = ["nm", "--defined-only", *filter(os.path.exists, objects)]
    symbols = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    return set(re.findall(r"^\w+ [Tt] (\S+)$", symbols, re.M))


def is_of_a_dead_task(race):
    """Whether what changed is task->flags, by do_task_dead() in kernel/sched/core.c: the one place
    where a task that exits gets PF_NOFREEZE."""
    changed = CHANGED.search("\n".join(race.lines))
    if not changed:
        return False
    old, new = (int(value, 16) for value in changed.groups())
    return bool(old & PF_EXITING) and new ^ old == PF_NOFREEZE and bool(new & PF_NOFREEZE)


def may_be_ours(race):
    """Whether one access is not named, and nobody is known to make it."""
    known = len(race.functions) > 1 or race.functions[0] in KNOWN
    return not known and not is_of_a_dead_task(race)


def judged(races, obj):
    """The races of a kernel that is built there: those that are ours, and the places of the others,
    each with how often."""
    functions = functions_of(obj)
    # A build is called as its variant.  Its objects do not tell: what is copied to become the C
    # kernel's build has pidns.o as well.
    rust = os.path.basename(obj).startswith("rust")
    ours, places = [], collections.Counter()
    for race in races:
        if (rust and may_be_ours(race)) or functions & set(race.functions):
            ours.append(race)
        else:
            places[" / ".join(race.functions)] += 1
    return ours, [f"{times} times in {place}" for place, times in sorted(places.items())]
