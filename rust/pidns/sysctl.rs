// SPDX-License-Identifier: GPL-2.0-only

// Derived from kernel/pid_namespace.c:
// Copyright (C) 2007 Pavel Emelyanov <xemul@openvz.org>, OpenVZ, SWsoft Inc.
// Copyright (C) 2007 Sukadev Bhattiprolu <sukadev@us.ibm.com>, IBM
// Many thanks to Oleg Nesterov for comments and help

//! `kernel.ns_last_pid`: the pid that was allocated last in the caller's pid namespace. Whoever
//! restores processes sets it, so that the next one gets the pid that it had.

use kernel::{
    pid_namespace::PidNamespace,
    prelude::*,
    sysctl::{
        Access,
        Handler,
        Table, //
    }, //
};

/// The sysctl, of the directory `kernel`. Who may write it is for the handler to decide.
pub(crate) static NS_LAST_PID: Table = Table::new::<NsLastPid>(c"ns_last_pid", 0o666);

enum NsLastPid {}

impl Handler for NsLastPid {
    #[doc(alias = "pid_ns_ctl_handler")]
    fn handle(access: Access<'_>) -> Result {
        let current = current!();
        let ns = PidNamespace::active(current)?;
        let write = access.is_write();
        if write && !ns.user_ns().current_may_checkpoint_restore() {
            return Err(EPERM);
        }

        let mut last = ns.pids().cursor().wrapping_sub(1) as c_int;
        access.number(&mut last, 0, ns.pid_max())?;
        if write {
            ns.pids().set_cursor((last as c_uint).wrapping_add(1));
        }
        Ok(())
    }
}
