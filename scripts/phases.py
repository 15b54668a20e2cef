# SPDX-License-Identifier: GPL-2.0-only
"""The selftests on Debian's own kernel in three phases of one boot: before insmod, with the
module, and after rmmod."""

import os
import subprocess

import console
import guest
from ktap import Case, Group, program_group, totals

TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
PATCHED_ONLY = os.path.join(TOP, "module/patched-only")
MODULE_ONLY = os.path.join(TOP, "module/module-only")
PHASES = ("before insmod", "with the module", "after rmmod")
PROGRAM_LIMIT = 900  # seconds for a program
GUEST_LIMIT = 3600  # seconds for all of them, three times
NEVER = "never came"


def kernel():
    """Debian's kernel and the module for it, as paths; or nothing, and why."""
    for step, *words in (("setup", "module"), ("debian",), ("module",)):
        command = [os.path.join(TOP, "scripts", step), *words]
        done = guest.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if done.returncode:
            ours = [line for line in done.stderr.splitlines() if "pidns: " in line]
            return None, ours[-1].partition("pidns: ")[2] if ours else f"scripts/{step} failed"
    ask = '. scripts/common.sh; . scripts/debian.sh; chosen_kernel; printf "%s\\n%s\\n" "$vmlinuz" "$ko"'
    said = subprocess.run(["bash", "-c", ask], cwd=TOP, capture_output=True, text=True, check=True)
    return said.stdout.splitlines(), ""


def announced(path):
    """The cases that a file lists, each with the reason above it.  A program alone is one that
    is not run."""
    reasons, reason = {}, ""
    with open(path, encoding="utf-8") as file:
        for line in file.read().splitlines():
            if line.startswith("# "):
                reason = line[2:]
            elif line:
                program, _, case = line.partition(":")
                reasons[program, case.strip()] = reason
    return reasons


def judged(name, cases, reason, module_only):
    """A case by what it gave in each phase; the reason why the module does not do it, if
    it is one of those; whether it is one that passes with the module alone."""
    seen = [case.result for case in cases]
    text = ", ".join(f"{phase}: {result}" for phase, result in zip(PHASES, seen))
    before, loaded, after = seen
    if reason:
        ok = set(seen) == {"failed"}
        note = f"# as announced it fails in all phases: {reason}"
        return Case(name, "passed" if ok else "failed", "" if ok else text, [note] if ok else [])
    if set(seen) == {"skipped"}:
        return Case(name, "skipped", cases[1].reason)
    without = "failed" if module_only else "passed"
    if (before, loaded, after) != (without, "passed", without):
        return Case(name, "failed", text)
    return Case(name, "passed", log=["# by the module alone"] if module_only else [])


class Phases:
    """The boot, and what came of it."""

    def __init__(self, image, module, programs, histories=()):
        """The programs run in each phase, and the histories of its rules."""
        self.patched_only = announced(PATCHED_ONLY)
        self.module_only = announced(MODULE_ONLY)
        self.programs = [name for name in programs if (name, "") not in self.patched_only]
        self.others = [name for name in programs if name not in self.programs]
        before, loaded, after = [[program] for program in histories] or [[], [], []]
        self.guest = guest.Guest(
            "test-debian",
            "debian",
            os.path.join(guest.BUILT, guest.COLLECTION),
            [*self.programs, *before, f"insmod {module}", "hooks", *self.programs, *loaded]
            + ["rmmod pidns", *self.programs, *after],
            limit=PROGRAM_LIMIT,
            guest_limit=GUEST_LIMIT,
            # insmod and rmmod change code that the other CPU may be at: QEMU 7.2 runs it half
            # changed where each CPU has a thread.
            one_thread=True,
            options=["--image", image],
        )
        self.histories = histories
        self.results = [{} for _ in PHASES]  # of each phase, by program and case
        self.phase = 0
        self.steps = []  # insmod, hooks and rmmod, as cases

    def run(self):
        """The groups: one for each program, and one for the guest."""
        for ran in self.guest.run():
            self.take(ran)
        for program in [*self.programs, *(["histories"] if self.histories else [])]:
            yield self.group(program)
        for program in self.others:
            reason = self.patched_only.pop((program, ""))
            yield Group(program, [Case(program, "skipped", reason)])
        yield Group("guest", [*self.steps, *self.end()])

    def take(self, ran):
        if ran.name in ("insmod", "hooks", "rmmod"):
            why = " ".join(filter(None, ran.lines)) or f"status {ran.status}"
            self.steps.append(Case(ran.name, *(("failed", why) if ran.status != 0 else ("passed",))))
            self.phase += ran.name != "hooks"
            return
        results = self.results[self.phase]
        for case in program_group(ran.name, ran.lines, ran.status, ran.seconds, ran.notes).cases:
            results[ran.name, case.name] = case

    def group(self, program):
        # TEST= may ask for a case of it: "program -t case".
        program = program.partition(" ")[0]
        keys = dict.fromkeys(key for of in self.results for key in of if key[0] == program)
        cases = []
        for key in keys:
            seen = [of.get(key, Case(key[1], NEVER)) for of in self.results]
            module_only = self.module_only.pop(key, "")
            cases.append(judged(key[1], seen, self.patched_only.pop(key, ""), module_only))
        return Group(program, cases or [Case(program, "failed", "it gave no verdict")])

    def end(self):
        why = self.guest.why()
        yield Case("came to its end", "failed" if why else "passed", why)
        complaint = console.complaint(console.lines(self.guest.console))
        yield Case("its kernel has no complaint", "failed" if complaint else "passed", complaint)
        # Where TEST= asks for a case ("program -t case"), the others did not come.
        for path, left in ((PATCHED_ONLY, self.patched_only), (MODULE_ONLY, self.module_only)):
            for key in left:
                if key[0] in (*self.programs, *self.others):
                    why = f"{os.path.relpath(path, TOP)} has {' '.join(key)}: no such case"
                    yield Case("knows its cases", "failed", why)

    def table(self):
        """How many cases gave what, in each phase."""
        for phase, results in zip(PHASES, self.results):
            yield f"{phase}: {totals(results.values())}"
