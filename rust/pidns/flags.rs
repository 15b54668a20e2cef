// SPDX-License-Identifier: GPL-2.0-only

// Derived from check_unshare_flags() in kernel/fork.c.

//! Which flags `unshare()` accepts.
//!
//! C header: [`include/uapi/linux/sched.h`](srctree/include/uapi/linux/sched.h)

use kernel::{
    bindings,
    error::from_result,
    prelude::*, //
};

/// The thread group.
const THREAD: u64 = bindings::CLONE_THREAD as u64;
/// The signal handlers.
const SIGHAND: u64 = bindings::CLONE_SIGHAND as u64;
/// The address space.
const VM: u64 = bindings::CLONE_VM as u64;
/// What can be unshared whoever shares it, besides namespaces: file system information, open files,
/// semaphore undos, and the mounts of a mount namespace.
const ALWAYS: u64 = (bindings::CLONE_FS
    | bindings::CLONE_FILES
    | bindings::CLONE_SYSVSEM
    | bindings::UNSHARE_EMPTY_MNTNS) as u64;

/// All that `unshare()` knows: each kind of namespaces, of which C has a list,
/// `FOR_EACH_NS_TYPE()`, and the flags above.
const VALID: u64 = bindings::CLONE_NS_ALL | ALWAYS | THREAD | SIGHAND | VM;

const _: () = assert!(
    VALID == bindings::UNSHARE_VALID_FLAGS,
    "UNSHARE_VALID_FLAGS has changed: if a task can stop sharing what the new flag stands for, \
     whoever shares it, add the flag to ALWAYS, and else to check_unshare(), as in kernel/fork.c"
);

/// Decides whether `unshare(flags)` may go ahead for a task, of which three things are asked:
/// whether it is the only one of its thread group, whether another task uses its signal handlers,
/// and whether it is the only one that uses its address space. The last can be costly: it may walk
/// all processes.
///
/// Threads, signal handlers and address space cannot be unshared. A request to do so is accepted
/// as long as they are not shared. To unshare the address space or the handlers takes signal queues
/// of one's own too, so all three ask for a thread group of one.
///
/// # Errors
///
/// [`EINVAL`] for an unknown flag, and for a request that cannot be met.
#[doc(alias = "check_unshare_flags")]
fn check_unshare(
    flags: u64,
    is_thread_group_empty: impl Fn() -> bool,
    shares_sighand: impl Fn() -> bool,
    is_single_threaded: impl Fn() -> bool,
) -> Result {
    let asks_for = |any: u64| flags & any != 0;
    if asks_for(!VALID)
        || (asks_for(THREAD | SIGHAND | VM) && !is_thread_group_empty())
        || (asks_for(SIGHAND | VM) && shares_sighand())
        || (asks_for(VM) && !is_single_threaded())
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
/// Must be called in task context.
#[export]
pub(crate) unsafe extern "C" fn check_unshare_flags(unshare_flags: c_ulong) -> c_int {
    let current = current!();
    from_result(|| {
        check_unshare(
            unshare_flags as u64,
            || current.is_thread_group_empty(),
            || current.shares_sighand(),
            || current.is_single_threaded(),
        )
        .map(|()| 0)
    })
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

    fn accepted(flags: u64, caller: Shares) -> bool {
        check_unshare(flags, || !caller.group, || caller.sighand, || !caller.mm).is_ok()
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
            if flag & bindings::CLONE_NS_ALL != 0 {
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
            (THREAD, true, false, false),
            (SIGHAND, true, true, false),
            (VM, true, true, true),
        ] {
            assert_eq!(!accepted(flag, group), by_group);
            assert_eq!(!accepted(flag, sighand), by_sighand);
            assert_eq!(!accepted(flag, mm), by_mm);
            assert_eq!(!accepted(flag | CLONE_NEWPID, group), by_group);
        }
    }
}
