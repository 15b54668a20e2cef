// SPDX-License-Identifier: GPL-2.0-only

//! `kernel.ns_last_pid`: the pid that was allocated last in the caller's pid namespace. Whoever
//! restores processes sets it, so that the next one gets the pid that it had.
//!
//! C header: [`include/linux/sysctl.h`](srctree/include/linux/sysctl.h)

use core::ptr::null_mut;
use kernel::{
    bindings,
    prelude::*,
    str::as_char_ptr_in_const_context, //
};

/// A table of one sysctl.
#[repr(transparent)]
struct Table(bindings::ctl_table);

// SAFETY: What the pointers in the table point to is static; nobody writes to the table.
unsafe impl Sync for Table {}

static NS_LAST_PID: Table = Table(bindings::ctl_table {
    procname: as_char_ptr_in_const_context(c"ns_last_pid"),
    data: null_mut(),
    maxlen: size_of::<c_int>() as c_int,
    // Who may write is for the handler to decide.
    mode: 0o666,
    proc_handler: Some(ns_last_pid),
    poll: null_mut(),
    extra1: (&raw const bindings::sysctl_vals).cast_mut().cast(),
    extra2: null_mut(),
});

/// Registers the sysctl, for good.
///
/// # Safety
///
/// To be called once, by an initcall.
#[link_section = ".init.text"]
pub(crate) unsafe fn init() {
    // SAFETY: The table is static, and has the one entry that is announced.
    unsafe {
        bindings::__register_sysctl_init(
            c"kernel".as_char_ptr(),
            &raw const NS_LAST_PID.0,
            c"pid_ns_ctl_table".as_char_ptr(),
            1,
        );
    }
}

/// Reads or writes the sysctl.
///
/// # Safety
///
/// To be called by the sysctl code, with [`NS_LAST_PID`] and what else a handler gets.
#[doc(alias = "pid_ns_ctl_handler")]
unsafe extern "C" fn ns_last_pid(
    table: *const bindings::ctl_table,
    write: c_int,
    buffer: *mut c_void,
    lenp: *mut usize,
    ppos: *mut bindings::loff_t,
) -> c_int {
    let current = current!();
    let Some(ns) = current.active_pid_ns() else {
        return ESRCH.to_errno();
    };
    if write != 0 && !ns.user_ns().current_may_checkpoint_restore() {
        return EPERM.to_errno();
    }

    let ns = ns.as_ptr();
    // SAFETY: The namespace is valid as long as the current task is; the cursor of the map is read
    // and written in one piece.
    let mut last = unsafe { bindings::idr_get_cursor(&raw const (*ns).idr) } as c_int - 1;
    // SAFETY: `table` is valid.
    let mut table = unsafe { *table };
    table.data = (&raw mut last).cast();
    // SAFETY: As above.
    table.extra2 = unsafe { &raw mut (*ns).pid_max }.cast();
    // SAFETY: The pointers in the copy are valid during the call, the others are the caller's.
    let result = unsafe { bindings::proc_dointvec_minmax(&table, write, buffer, lenp, ppos) };
    if result == 0 && write != 0 {
        // SAFETY: As above.
        unsafe { bindings::idr_set_cursor(&raw mut (*ns).idr, (last + 1) as c_uint) };
    }
    result
}
