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


def functions_of(obj):
    """The functions of pid namespaces in a build, as they are called in a report."""
    objects = [os.path.join(obj, name) for name in OBJECTS]
    command = ["nm", "--defined-only", *filter(os.path.exists, objects)]
    symbols = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    return set(re.findall(r"^\w+ [Tt] (\S+)$", symbols, re.M))


def may_be_ours(race):
    """Whether one access is not named, and nobody is known to make it."""
    return len(race.functions) == 1 and race.functions[0] not in KNOWN


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
