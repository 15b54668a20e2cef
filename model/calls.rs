// SPDX-License-Identifier: GPL-2.0-only

//! What a task can call, and what is answered.

use std::fmt;

/// The place of a task in [`World::tasks`](crate::world::World::tasks). A process has that of its
/// leader.
pub type TaskId = usize;

/// A pid as a process sees it: the number of a task in one namespace.
pub type Number = u16;

/// The errors that the calls return.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(clippy::upper_case_acronyms)]
pub enum Errno {
    EACCES,
    EAGAIN,
    EBADF,
    ECHILD,
    EEXIST,
    EINVAL,
    ENOMEM,
    ENOSPC,
    EPERM,
    ESRCH,
}

/// What a call returns that does not fail.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Value {
    /// 0.
    Done,
    /// A pid, in the active namespace of the caller.
    Pid(Number),
    /// The pid and the status of a child that was waited for, and is gone.
    Ended(Number, Status),
    /// What is read from a file.
    Read(i64),
    /// A thread, its process and the parent of that, which may be none that it sees.
    Seen(Number, Number, Option<Number>),
    /// A file of a pid namespace, by its place in [`World::spaces`](crate::world::World::spaces).
    Space(usize),
    /// A file of a user namespace, by its place in [`World::users`](crate::world::World::users).
    User(usize),
}

/// What a call returns.
pub type Answer = Result<Value, Errno>;

/// How a process has ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Status {
    /// By itself.
    Code(u8),
    /// By a signal.
    Signal(u8),
}

/// What a call to make a task, or to unshare, asks for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Flags {
    /// `CLONE_NEWPID`.
    pub newpid: bool,
    /// `CLONE_NEWUSER`.
    pub newuser: bool,
    /// `CLONE_PARENT`.
    pub parent: bool,
    /// `CLONE_THREAD`.
    pub thread: bool,
    /// `CLONE_VFORK`: the child executes a program at once, and the call returns then.
    pub vfork: bool,
}

impl Flags {
    /// Those of `fork()`.
    pub const NONE: Flags = Flags {
        newpid: false,
        newuser: false,
        parent: false,
        thread: false,
        vfork: false,
    };
    /// `CLONE_NEWPID` alone.
    pub const NEWPID: Flags = Flags {
        newpid: true,
        ..Flags::NONE
    };
    /// Both namespaces.
    pub const NEWBOTH: Flags = Flags {
        newuser: true,
        ..Flags::NEWPID
    };
    /// `CLONE_PARENT` alone.
    pub const PARENT: Flags = Flags {
        parent: true,
        ..Flags::NONE
    };
    /// `CLONE_THREAD`, and what it asks for.
    pub const THREAD: Flags = Flags {
        thread: true,
        ..Flags::NONE
    };
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = [
            (self.newuser, "NEWUSER"),
            (self.newpid, "NEWPID"),
            (self.parent, "PARENT"),
            (self.thread, "THREAD"),
            (self.vfork, "VFORK"),
        ];
        let names: Vec<&str> = flags
            .iter()
            .filter(|flag| flag.0)
            .map(|flag| flag.1)
            .collect();
        f.write_str(if names.is_empty() { "0" } else { "" })?;
        f.write_str(&names.join("|"))
    }
}

/// One of the two namespaces of a task.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Which {
    /// `/proc/PID/ns/pid`.
    Active,
    /// `/proc/PID/ns/pid_for_children`.
    Default,
}

/// What `reboot()` is to do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reboot {
    /// `LINUX_REBOOT_CMD_RESTART`.
    Restart,
    /// `LINUX_REBOOT_CMD_POWER_OFF`.
    PowerOff,
    /// `LINUX_REBOOT_CMD_HALT`.
    Halt,
    /// `LINUX_REBOOT_CMD_CAD_OFF`, which is for the whole machine.
    CadOff,
}

/// A pid of another namespace, by a file of that.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Translate {
    /// `NS_GET_PID_FROM_PIDNS`, or of the process: `NS_GET_TGID_FROM_PIDNS`.
    From,
    /// `NS_GET_PID_IN_PIDNS`, or of the process: `NS_GET_TGID_IN_PIDNS`.
    In,
}

/// What is sent to a process. Nobody here handles a signal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Signal {
    /// 0: only whether it may be sent.
    None,
    /// SIGTERM, which ends no init.
    Term,
    /// SIGKILL, which alone ends an init, from outside.
    Kill,
}

/// What a task can do.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// `clone3()`, with the numbers that the child is to have, the innermost first.
    Clone(Flags, Vec<Number>),
    /// `unshare()`.
    Unshare(Flags),
    /// `setns()` to the namespace that is open.
    Setns,
    /// `setns()` to the active namespace of a task, by a pidfd.
    SetnsPidfd(TaskId),
    /// `setpgid()`, of a process to a group.
    Setpgid(Number, Number),
    /// `setsid()`.
    Setsid,
    /// `prctl(PR_SET_CHILD_SUBREAPER)`.
    Subreaper(bool),
    /// `kill()`.
    Kill(Number, Signal),
    /// `kill(-1)`: of all that are below, but inits that it sees as such.
    KillAll(Signal),
    /// `pidfd_send_signal()`.
    KillPidfd(TaskId, Signal),
    /// `waitpid()`, which returns at once.
    Wait(Number),
    /// `exit_group()`.
    Exit(u8),
    /// `exit()` of this thread.
    ExitThread,
    /// `execve()`.
    Exec,
    /// `reboot()`.
    Reboot(Reboot),
    /// `ptrace(PTRACE_SEIZE)`, of a leader.
    Trace(Number),
    /// `ptrace(PTRACE_DETACH)`, after `PTRACE_INTERRUPT` and a wait.
    Untrace(Number),
    /// Opens a namespace of a task, in place of what is open.
    Open(TaskId, Which),
    /// Closes it.
    Close,
    /// Gives another task a file for it.
    Pass(TaskId),
    /// Mounts it, in place of what is mounted.
    Mount,
    /// Unmounts what is mounted.
    Unmount,
    /// Opens what is mounted, in place of what is open.
    OpenMount,
    /// `ioctl(NS_GET_PARENT)` of what is open.
    Parent,
    /// `ioctl(NS_GET_USERNS)` of it.
    Owner,
    /// `listns()` of pid namespaces.
    List,
    /// A pid there or here, of a task or, if so, of its process.
    Translate(Translate, bool, Number),
    /// Writes `user.max_pid_namespaces` of its user namespace.
    Limit(usize),
    /// Writes `kernel.pid_max` of its active namespace, or reads it.
    PidMax(Option<u32>),
    /// Writes `kernel.ns_last_pid` of it, or reads it.
    LastPid(Option<u32>),
    /// `gettid()`, `getpid()` and `getppid()`.
    Look,
}
