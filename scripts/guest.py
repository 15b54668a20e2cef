# SPDX-License-Identifier: GPL-2.0-only
"""A boot in which selftest programs run, for the scripts that judge what they print."""

import atexit
import collections
import contextlib
import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading

TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, os.path.join(TOP, "qemu"))
import machine  # noqa: E402  (ours)

BUILD = os.path.join(TOP, "build")
LOG = machine.LOG
SOURCE = os.path.join(BUILD, "linux/tools/testing/selftests")
BUILT = os.path.join(machine.OBJECTS, "selftests/installed")
COLLECTION = "pid_namespace"  # below the two
CALLS = 200  # in a history
CANNOT = 77  # what scripts/model ends with where it cannot be built
SUITES = "*pid*"  # every KUnit suite of ours has it in its name, and no other does
# These caches are debugged: there counts of objects are exact, and what is used after it was freed
# is noticed even without KASAN.
CACHES = "FZPU,nsproxy,pid_namespace,user_namespace,pid,pid_*"


def slab_debug(variant):
    """For the kernel.  With kmemleak, all caches are checked a little: one that is not keeps
    pointers to objects that it has given out, for which kmemleak takes none of them for leaked."""
    return f"slab_debug={'F;' if '-debug' in variant else ''}{CACHES}"


def say(message):
    print(f"pidns: {message}", file=sys.stderr, flush=True)


def die(message):
    say(message)
    sys.exit(1)


def is_set(name):
    """Whether a switch as V=1 or DEBUG=1 is on."""
    return os.environ.get(name, "0") not in ("", "0")


def number(name, default):
    """What a variable as MINUTES= asks for."""
    text = os.environ.get(name) or str(default)
    if not text.isdigit() or not int(text):
        die(f"{name}={text} is no number")
    return int(text)


def show(command):
    """With V=1, what is run."""
    if is_set("V"):
        print(f"+ {shlex.join(command)}", file=sys.stderr, flush=True)


def compile_program(name, directory, *options):
    """qemu/NAME.c as DIRECTORY/NAME, for guests that are machines like this one."""
    os.makedirs(directory, exist_ok=True)
    command = ["cc", "-O2", "-Wall", "-Wextra", *options, "-o", os.path.join(directory, name)]
    command.append(os.path.join(TOP, f"qemu/{name}.c"))
    if run(command).returncode:
        die(f"qemu/{name}.c does not compile: the compiler's words are above")


def die_with_parent(sig=signal.SIGTERM):
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, int(sig))


class Child(subprocess.Popen):
    """A program that is asked to end when who waits for it is, or dies: with time to end what it
    has started, as the make of a step."""

    # Those that run, of all threads.
    running = set()

    def __init__(self, command, **options):
        show(command)
        super().__init__(command, preexec_fn=die_with_parent, **options)
        self.running.add(self)

    def __exit__(self, kind, *rest):
        if kind:
            self.terminate()
        super().__exit__(kind, *rest)
        self.running.discard(self)

    @classmethod
    def end_all(cls):
        """A thread that waits for one does not hold up the end of this process, which does not
        come before the end of the other."""
        children = list(cls.running)
        for child in children:
            child.terminate()
        for child in children:
            child.wait()


atexit.register(Child.end_all)


def run(command, text=None, **options):
    """Runs it, with this as its input, to its end: the result as subprocess.run() has it."""
    if text is not None:
        options["stdin"] = subprocess.PIPE
    with Child(command, text=True, **options) as child:
        out, errors = child.communicate(text)
    return subprocess.CompletedProcess(command, child.returncode, out, errors)


def end_on_signals():
    """Ends as a program does, so that what it started ends as well."""
    die_with_parent()
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, lambda number, _: sys.exit(128 + number))


def step(*command, **environment):
    """A step that must work before there is anything to test; it says itself why not."""
    command = [os.path.join(TOP, "scripts", command[0]), *command[1:]]
    if run(command, env=dict(os.environ, **environment)).returncode:
        sys.exit(1)


def programs_of(collection):
    """The names of a folder's test programs as the kernel's own Makefile has them; a
    helper that they start is none."""
    built = os.path.join(BUILT, collection)
    command = ["make", "-s", "-C", os.path.join(SOURCE, collection)]
    command += [f"COLLECTION={collection}", f"OUTPUT={built}", "emit_tests"]
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    listed = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment
    )
    programs = [line.partition(":")[2] for line in listed.stdout.splitlines() if ":" in line]
    if listed.returncode or not programs:
        said = (listed.stderr.strip() or "it said nothing").splitlines()[-1]
        say(f"the kernel's Makefile names no test program in {collection}: {said}")
        sys.exit(1)
    return sorted(programs)


class Beside(threading.Thread):
    """Does something while others do something else, and ends with the process."""

    def __init__(self, do):
        super().__init__(daemon=True)
        self.do = do
        self.result = self.error = None

    def run(self):
        try:
            self.result = self.do()
        except BaseException as error:  # pylint: disable=broad-except
            self.error = error

    def ended(self):
        """What was returned, once it is; or raises what was raised."""
        self.join()
        if self.error:
            raise self.error
        return self.result


def side_by_side(jobs, width):
    """What each of these functions returns, in their order: one for each CPU runs at a time, but
    not more than so many.  The next is taken when there is room for it."""
    jobs = iter(jobs)
    running = collections.deque()
    while True:
        if len(running) == min(os.cpu_count() or 1, width):
            yield running.popleft().ended()
        job = next(jobs, None)
        if not job:
            break
        running.append(Beside(job))
        running[-1].start()
    while running:
        yield running.popleft().ended()


class NoModel(Exception):
    """Why there are no histories here."""


def histories(rules, seeds, label):
    """Has the model write the histories of some seeds by these rules: a program for a Guest, which
    has the kernel do them."""
    directory = fresh_directory(label)
    words = [str(seeds[0]), str(seeds[-1]), str(CALLS), directory]
    ask_model("histories", rules, *words)
    return f"histories {directory} {seeds[0]} {seeds[-1]}{patience(rules)}"


def parts_of_history(rules, seed, parts, label):
    """Likewise, some of the calls of one history; each part a program."""
    directory = fresh_directory(label)
    lines = "".join(" ".join(map(str, part)) + "\n" for part in parts)
    ask_model("parts", rules, str(seed), str(CALLS), directory, lines=lines)
    return [f"histories {directory} {at} {at}{patience(rules)}" for at in range(1, len(parts) + 1)]


def patience(rules):
    """Ours waits at the limit for namespaces that have ended; the others refuse until these are
    freed, which can take some time."""
    return "" if rules == "ours" else " patient"


def fresh_directory(label):
    directory = os.path.join(machine.MADE, "histories", label)
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    return directory


def ours_beside_selftests():
    """qemu/histories.c and qemu/concurrent.c can be run as some of them."""
    for name in ("histories", "concurrent"):
        with contextlib.suppress(FileExistsError):
            built = os.path.join("../../../bench", name)
            os.symlink(built, os.path.join(BUILT, COLLECTION, name))


def ask_model(*words, lines=""):
    """Runs scripts/model, which says itself what is wrong."""
    command = [os.path.join(TOP, "scripts/model"), *words]
    ran = run(command, lines, stdout=subprocess.PIPE)
    if ran.returncode == CANNOT:
        raise NoModel(ran.stdout.strip())
    if ran.returncode:
        die("the model wrote no histories")


class Ran:
    """What a program printed and how it ended; status None: the guest ended first."""

    def __init__(self, name, lines, status=None, seconds="", notes=()):
        self.name = name
        self.lines = lines
        self.status = status
        self.seconds = seconds
        self.notes = dict(notes)


class Guest:
    """One boot of a variant; run() gives what its programs did as they end."""

    def __init__(
        self,
        label,
        variant,
        directory,
        programs,
        *,
        limit,
        guest_limit,
        append="",
        one_thread=False,
        options=(),
    ):
        self.variant = variant
        self.console = os.path.join(LOG, f"{label}-console.log")
        self.errors = os.path.join(LOG, f"{label}-stderr.log")
        self.left = [program.split()[0] for program in programs]
        self.finished = False
        self.status = None
        self.boot = None
        self.command = [os.path.join(TOP, "qemu/boot"), variant]
        self.command += ["--timeout", str(guest_limit), "--console", self.console]
        self.command += ["--append", append, *(["--one-thread"] if one_thread else [])]
        self.command += [*options, "--"]
        self.command += [os.path.join(TOP, "qemu/selftests"), str(limit), directory, *programs]

    def run(self):
        """Each program that ended, and the one under which the guest ended."""
        # The unpatched kernel is one in C.
        expected = "rust" if self.variant.startswith("rust") else "c"
        name, lines = None, []
        with open(self.errors, "w", encoding="utf-8") as errors, Child(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=dict(os.environ, PIDNS_EXPECT=expected),
            text=True,
            errors="replace",
        ) as boot:
            self.boot = boot
            for line in boot.stdout:
                word = line.split()
                if word[:1] != ["#@"]:
                    lines.append(line.rstrip("\n"))
                    if name:
                        self.heard(lines[-1])
                    continue
                if word[1] == "begin":
                    name, lines = word[2], []
                elif word[1] == "end":
                    self.left.remove(word[2])
                    yield self.ended(word[2:], lines)
                    name, lines = None, []
                elif word[1] == "done":
                    self.finished = True
            self.status = boot.wait()
        if name:
            self.left.remove(name)
            yield Ran(name, lines)

    def heard(self, line):
        """A line of a program, when it comes: for who shows it before the program has ended."""

    def stop(self):
        """Ends the guest, for who has seen enough."""
        self.boot.terminate()

    @staticmethod
    def ended(words, lines):
        name, status, seconds, *rest = words
        notes = {"timeout": True} if "timeout" in rest else {}
        if "left" in rest:
            notes["left"] = rest[rest.index("left") + 1]
        return Ran(name, lines, int(status), seconds, notes)

    def said(self):
        """What qemu/boot had to say."""
        with open(self.errors, encoding="utf-8", errors="replace") as file:
            return file.read().strip()

    def why(self):
        """Why the guest did not come to its end, or nothing."""
        if self.finished and self.status == 0:
            return ""
        ours = [line for line in self.said().splitlines() if line.startswith("pidns: ")]
        return ours[-1].partition(": ")[2] if ours else f"qemu/boot ended with {self.status}"
