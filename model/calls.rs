// SPDX-License-Identifier: GPL-2.0-only

//! What a task can call, and what is answered.

use std::fmt;

/// The place of a task in [`World::tasks`](crate::rules::World::tasks). A process has that of its leader.
pub type TaskId = usize;

/// A pid as a process sees it: the number of a task in one namespace.
pub type Number = u16;

/// The errors that the calls return.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(clippy::upper_case_acronyms)]
pub enum Errno {
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
}

impl Flags {
    /// Those of `fork()`.
    pub const NONE: Flags = Flags {
        newpid: false,
        newuser: false,
        parent: false,
        thread: false,
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
    /// `kill()`, with SIGKILL, which alone ends an init.
    Kill(Number),
    /// `pidfd_send_signal()`, likewise.
    KillPidfd(TaskId),
    /// `waitpid()`, which returns at once.
    Wait(Number),
    /// `exit_group()`.
    Exit(u8),
    /// `exit()` of this thread.
    ExitThread,
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
    /// Writes `user.max_pid_namespaces` of its user namespace.
    Limit(usize),
}
