// SPDX-License-Identifier: GPL-2.0-only

// Derived from kernel/pid_namespace.c:
// Copyright (C) 2007 Pavel Emelyanov <xemul@openvz.org>, OpenVZ, SWsoft Inc.
// Copyright (C) 2007 Sukadev Bhattiprolu <sukadev@us.ibm.com>, IBM
// Many thanks to Oleg Nesterov for comments and help

//! `reboot()` from inside a pid namespace: it ends that namespace and nothing else.

use kernel::{
    bindings,
    pid_namespace::PidNamespace,
    prelude::*,
    task::CurrentTask,
    tasklist::Tasklist, //
};

/// What `reboot()` means to the pid namespace of the caller.
enum Outcome {
    /// It is the initial one: the machine is meant.
    Machine,
    /// It ends, and the caller with it.
    Ends,
}

/// Begins to end the namespace that `me` lives in, for the command `cmd` of `reboot()`.
///
/// # Errors
///
/// [`EINVAL`] for a command that is unknown here; [`ESRCH`] for a task that lives nowhere any more.
#[doc(alias = "reboot_pid_ns")]
fn reboot(me: &CurrentTask, cmd: u32) -> Result<Outcome> {
    let ns = PidNamespace::active(me)?;
    if ns.is_initial() {
        return Ok(Outcome::Machine);
    }
    ns.set_reboot_code(exit_signal(cmd)? as c_int);
    Tasklist::read_lock().kill_init_of(me);
    Ok(Outcome::Ends)
}

/// Returns the signal that init will seem to have been killed by: so the creator of the namespace
/// learns what kind of reboot it was.
fn exit_signal(cmd: u32) -> Result<u32> {
    match cmd {
        bindings::LINUX_REBOOT_CMD_RESTART | bindings::LINUX_REBOOT_CMD_RESTART2 => {
            Ok(bindings::SIGHUP)
        }
        bindings::LINUX_REBOOT_CMD_HALT | bindings::LINUX_REBOOT_CMD_POWER_OFF => {
            Ok(bindings::SIGINT)
        }
        _ => Err(EINVAL),
    }
}

/// Does what `reboot(cmd)` means in a pid namespace.
///
/// Returns 0 for the initial one: the caller reboots the machine. Returns `-EINVAL` for a command
/// that is unknown here. Else ends the namespace, and does not return.
///
/// # Safety
///
/// `_pid_ns` must be the active namespace of the current task, which must hold no locks.
#[export]
pub(crate) unsafe extern "C" fn reboot_pid_ns(
    _pid_ns: *mut bindings::pid_namespace,
    cmd: c_int,
) -> c_int {
    match reboot(current!(), cmd as u32) {
        Ok(Outcome::Machine) => 0,
        // SAFETY: The current task holds no locks, and nothing of this frame has to be dropped.
        Ok(Outcome::Ends) => unsafe { bindings::do_exit(0) },
        Err(err) => err.to_errno(),
    }
}

#[cfg(CONFIG_PID_NS_RUST_KUNIT_TEST)]
#[kunit_tests(pidns_reboot)]
mod tests {
    use super::*;

    #[test]
    fn in_the_initial_namespace_the_machine_is_meant() -> Result {
        for cmd in [bindings::LINUX_REBOOT_CMD_HALT, 0] {
            assert!(matches!(reboot(current!(), cmd)?, Outcome::Machine));
        }
        Ok(())
    }

    #[test]
    fn the_signal_tells_a_restart_from_a_halt() {
        for (cmd, signal) in [
            (bindings::LINUX_REBOOT_CMD_RESTART, Some(1)),
            (bindings::LINUX_REBOOT_CMD_RESTART2, Some(1)),
            (bindings::LINUX_REBOOT_CMD_HALT, Some(2)),
            (bindings::LINUX_REBOOT_CMD_POWER_OFF, Some(2)),
            (bindings::LINUX_REBOOT_CMD_CAD_ON, None),
            (bindings::LINUX_REBOOT_CMD_CAD_OFF, None),
            (bindings::LINUX_REBOOT_CMD_KEXEC, None),
            (bindings::LINUX_REBOOT_CMD_SW_SUSPEND, None),
        ] {
            assert_eq!(exit_signal(cmd).ok(), signal);
        }
    }
}
