// SPDX-License-Identifier: GPL-2.0-only

//! Which flags `unshare()` accepts.
//!
//! C header: [`include/uapi/linux/sched.h`](srctree/include/uapi/linux/sched.h)

use crate::rule::NewNamespaces;
use kernel::{
    bindings,
    error::from_result,
    impl_flags,
    prelude::*,
    task::CurrentTask, //
};

// A kind of namespace that is added to the kernel must be added to `NewNamespace`.
const _: () = assert!(NewNamespaces::all_bits() == bindings::CLONE_NS_ALL);

impl_flags!(
    /// What `unshare()` is asked to stop sharing, apart from namespaces.
    #[derive(Clone, Copy, PartialEq, Eq)]
    struct Shared(u64);

    /// One thing that `unshare()` is asked to stop sharing, apart from namespaces.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Share {
        /// `CLONE_VM`: the address space.
        Vm = bindings::CLONE_VM as u64,
        /// `CLONE_FS`: root and current directory, and umask.
        Fs = bindings::CLONE_FS as u64,
        /// `CLONE_FILES`: the table of open files.
        Files = bindings::CLONE_FILES as u64,
        /// `CLONE_SIGHAND`: the signal handlers.
        Sighand = bindings::CLONE_SIGHAND as u64,
        /// `CLONE_THREAD`: the thread group.
        Thread = bindings::CLONE_THREAD as u64,
        /// `CLONE_SYSVSEM`: the list of semaphore undos.
        Sysvsem = bindings::CLONE_SYSVSEM as u64,
        /// `UNSHARE_EMPTY_MNTNS`: has the bit of `CLONE_PARENT_SETTID`, which `unshare()` has no
        /// other use for.
        EmptyMntns = bindings::UNSHARE_EMPTY_MNTNS as u64,
    }
);

// What `unshare()` in C knows must be known here.
const _: () =
    assert!(NewNamespaces::all_bits() | Shared::all_bits() == bindings::UNSHARE_VALID_FLAGS);

/// With whom a task shares what the kernel cannot stop sharing.
pub(crate) trait Sharer {
    /// Is the task the only one of its thread group?
    fn is_thread_group_empty(&self) -> bool;
    /// Does another task use the signal handlers of this one?
    fn shares_sighand(&self) -> bool;
    /// Is the task the only one that uses its address space? Costly: walks all processes.
    fn is_single_threaded(&self) -> bool;
}

impl Sharer for CurrentTask {
    #[inline]
    fn is_thread_group_empty(&self) -> bool {
        CurrentTask::is_thread_group_empty(self)
    }

    #[inline]
    fn shares_sighand(&self) -> bool {
        CurrentTask::shares_sighand(self)
    }

    #[inline]
    fn is_single_threaded(&self) -> bool {
        CurrentTask::is_single_threaded(self)
    }
}

/// Decides whether `unshare(flags)` may go ahead for `caller`.
///
/// Threads, signal handlers and address space cannot be unshared. A request to do so is accepted
/// as long as they are not shared. To unshare the address space or the handlers takes signal queues
/// of one's own too, so all three ask for a thread group of one.
///
/// # Errors
///
/// [`EINVAL`] for an unknown flag, and for a request that cannot be met.
#[doc(alias = "check_unshare_flags")]
pub(crate) fn check_unshare(flags: u64, caller: &impl Sharer) -> Result {
    if flags & !(NewNamespaces::all_bits() | Shared::all_bits()) != 0 {
        return Err(EINVAL);
    }
    let shared = Shared(flags & Shared::all_bits());

    let group = shared.contains_any(Share::Thread | Share::Sighand | Share::Vm);
    let sighand = shared.contains_any(Share::Sighand | Share::Vm);
    let vm = shared.contains(Share::Vm);

    if (group && !caller.is_thread_group_empty())
        || (sighand && caller.shares_sighand())
        || (vm && !caller.is_single_threaded())
    {
        return Err(EINVAL);
    }
    Ok(())
}

/// Decides whether `unshare(unshare_flags)` may go ahead for the current task.
///
/// Returns 0, or `-EINVAL`, see [`check_unshare`].
///
/// # Safety
///
/// Must be called in task context, by a task that has not been through `release_task()`.
#[export]
pub(crate) unsafe extern "C" fn check_unshare_flags(unshare_flags: c_ulong) -> c_int {
    from_result(|| check_unshare(unshare_flags as u64, current!()).map(|()| 0))
}

#[cfg(CONFIG_PID_NS_RUST_KUNIT_TEST)]
#[kunit_tests(pidns_flags)]
mod tests {
    use super::*;

    /// What `unshare()` accepts, as numbers: this is ABI.
    const ACCEPTED: [u64; 15] = [
        0x0000_0080, // CLONE_NEWTIME
        0x0000_0100, // CLONE_VM
        0x0000_0200, // CLONE_FS
        0x0000_0400, // CLONE_FILES
        0x0000_0800, // CLONE_SIGHAND
        0x0001_0000, // CLONE_THREAD
        0x0002_0000, // CLONE_NEWNS
        0x0004_0000, // CLONE_SYSVSEM
        0x0010_0000, // UNSHARE_EMPTY_MNTNS
        0x0200_0000, // CLONE_NEWCGROUP
        0x0400_0000, // CLONE_NEWUTS
        0x0800_0000, // CLONE_NEWIPC
        0x1000_0000, // CLONE_NEWUSER
        0x2000_0000, // CLONE_NEWPID
        0x4000_0000, // CLONE_NEWNET
    ];
    const CLONE_VM: u64 = 0x100;
    const CLONE_SIGHAND: u64 = 0x800;
    const CLONE_THREAD: u64 = 0x1_0000;
    const CLONE_NEWPID: u64 = 0x2000_0000;

    /// What a task shares with others.
    #[derive(Clone, Copy)]
    struct Shares {
        group: bool,
        sighand: bool,
        mm: bool,
    }

    const NOTHING: Shares = Shares {
        group: false,
        sighand: false,
        mm: false,
    };
    const ALL: Shares = Shares {
        group: true,
        sighand: true,
        mm: true,
    };

    impl Sharer for Shares {
        fn is_thread_group_empty(&self) -> bool {
            !self.group
        }

        fn shares_sighand(&self) -> bool {
            self.sighand
        }

        fn is_single_threaded(&self) -> bool {
            !self.mm
        }
    }

    fn accepted(flags: u64, caller: Shares) -> bool {
        check_unshare(flags, &caller).is_ok()
    }

    #[test]
    fn each_of_the_64_bits_is_accepted_as_the_table_says() {
        for bit in 0..u64::BITS {
            let flag = 1 << bit;
            assert_eq!(accepted(flag, NOTHING), ACCEPTED.contains(&flag));
        }
    }

    #[test]
    fn no_flag_and_all_known_flags_are_accepted() {
        assert!(accepted(0, NOTHING));
        assert!(accepted(
            ACCEPTED.iter().fold(0, |all, flag| all | flag),
            NOTHING
        ));
    }

    #[test]
    fn an_unknown_flag_is_refused_beside_each_known_one() {
        for flag in ACCEPTED {
            assert!(!accepted(flag | 0x1000, NOTHING));
            assert!(!accepted(flag | 1 << 63, NOTHING));
        }
    }

    #[test]
    fn namespaces_are_unshared_whatever_else_is_shared() {
        for bit in 0..u64::BITS {
            let flag = 1 << bit;
            if NewNamespaces::requested_by(flag) != NewNamespaces::empty() {
                assert!(accepted(flag, ALL));
            }
        }
    }

    #[test]
    fn what_is_shared_cannot_be_unshared() {
        let group = Shares {
            group: true,
            ..NOTHING
        };
        let sighand = Shares {
            sighand: true,
            ..NOTHING
        };
        let mm = Shares {
            mm: true,
            ..NOTHING
        };

        // Columns: refused because of other threads, other users of the handlers, of the memory.
        for (flag, by_group, by_sighand, by_mm) in [
            (CLONE_THREAD, true, false, false),
            (CLONE_SIGHAND, true, true, false),
            (CLONE_VM, true, true, true),
        ] {
            assert_eq!(!accepted(flag, group), by_group);
            assert_eq!(!accepted(flag, sighand), by_sighand);
            assert_eq!(!accepted(flag, mm), by_mm);
            assert_eq!(!accepted(flag | CLONE_NEWPID, group), by_group);
        }
    }
}
