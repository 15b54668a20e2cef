# SPDX-License-Identifier: GPL-2.0-only
"""What test programs print, as cases: TAP and KTAP, read by the kernel's own parser."""

import os
import signal
import sys

TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
BUILD = os.path.join(TOP, "build")

MISSING = "a case that was announced and never came"
NONE_RUN = "1..0 # SKIP"


class Case:
    """One line of the result."""

    def __init__(self, name, result, reason="", log=()):
        self.name = name
        self.result = result  # passed, failed, skipped
        self.reason = reason
        self.log = list(log)


class Group:
    """A program, a KUnit suite or a set of checks, with its cases."""

    def __init__(self, name, cases, note=""):
        self.name = name
        self.cases = cases
        self.note = note


def result_of(case):
    return case.result if isinstance(case, Case) else case["result"]


def count(cases, result):
    return sum(result_of(case) == result for case in cases)


def summary(cases):
    if count(cases, "failed") or not cases:
        return "failed"
    return "passed" if count(cases, "passed") else "skipped"


def totals(cases):
    return ", ".join(f"{count(cases, word)} {word}" for word in ("passed", "failed", "skipped"))


def kernel_parser():
    """The kernel's own KTAP parser, from the tree under test."""
    sys.path.insert(0, os.path.join(BUILD, "linux/tools/testing/kunit"))
    import kunit_parser  # pylint: disable=import-outside-toplevel,import-error
    import kunit_printer  # pylint: disable=import-outside-toplevel,import-error

    class Errors(kunit_printer.Printer):
        """Keeps what the parser finds wrong, and prints nothing."""

        def __init__(self):
            super().__init__(print=False)
            self.found = []

        def print_with_timestamp(self, message):
            if message.startswith("[ERROR]"):
                self.found.append(" ".join(message.split()[1:]))

    return kunit_parser, Errors


def leaves(test, status):
    """The cases of a parsed test, in order."""
    if test.subtests:
        for subtest in test.subtests:
            yield from leaves(subtest, status)
        return
    name = test.name.strip()
    if not name and test.status == status.TEST_CRASHED:
        yield Case(MISSING, "failed")
    elif test.status == status.SUCCESS:
        yield Case(name, "passed")
    elif test.status == status.SKIPPED:
        yield Case(name, "skipped", test.skip_reason or "it gives no reason")
    else:
        yield Case(name, "failed", log=[line.strip() for line in test.log if line.strip(" #")])


def named_leaves(test, status):
    """The same; a case of a nested test is named by that as well."""
    for case in leaves(test, status):
        if test.subtests and test.name.strip() and case.name != MISSING:
            case.name = f"{test.name.strip()}.{case.name}"
        yield case


def parsed(lines):
    """Reads TAP or KTAP: the tests, and what is wrong with the output itself."""
    parser, errors_printer = kernel_parser()
    printer = errors_printer()
    test = parser.parse_run_tests(lines, printer)
    return test.subtests, parser.TestStatus, printer.found


def ending(status, seconds, notes):
    """How a program ended, in words."""
    if status is None:
        return "the guest ended under it"
    if "timeout" in notes:
        return f"killed after {seconds} s"
    if status - 128 in set(signal.Signals):
        return f"ended by {signal.Signals(status - 128).name}"
    return f"exit status {status}"


def program_group(name, lines, status, seconds, notes):
    """What one selftest program did.  Its cases, and one more when the program as a
    whole did not do what it announced."""
    lines = [line for line in lines if line.strip()]
    tests, known, errors = parsed(lines)
    cases = [case for test in tests for case in named_leaves(test, known)]
    end = ending(status, seconds, notes)
    for number, case in enumerate(cases, 1):
        if case.name == MISSING:
            case.reason = f"announced, but it never came; {end}"
        if case.name in ("", MISSING):
            case.name = f"case {number}"

    skipped = [line[len(NONE_RUN) :].strip() for line in lines if line.startswith(NONE_RUN)]
    whole = None
    if not cases and status == 4 and skipped:
        whole = Case(name, "skipped", skipped[0] or "it gives no reason")
    elif not cases:
        whole = Case(name, "failed", f"it gave no verdict; {end}", lines[-12:])
    elif not count(cases, "failed"):
        if errors:
            whole = Case(name, "failed", f"its output is wrong: {errors[0]}", lines[-12:])
        elif status not in (0, 4) or "timeout" in notes:
            whole = Case(name, "failed", f"{end}, though no case failed", lines[-12:])
    if whole:
        cases.append(whole)
    left = f", left {notes['left']} processes behind" if "left" in notes else ""
    return Group(name, cases, f"{seconds} s{left}" if seconds else "")
