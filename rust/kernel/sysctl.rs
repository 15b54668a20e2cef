// SPDX-License-Identifier: GPL-2.0

//! Sysctls: numbers in `/proc/sys/`.
//!
//! There is no example: a handler is called by C, when user space reads or writes the file, and
//! what is registered stays for good.
//!
//! C header: [`include/linux/sysctl.h`](srctree/include/linux/sysctl.h)

use crate::{
    as_in_c,
    bindings,
    error::{
        from_result,
        to_result, //
    },
    prelude::*,
    str::as_char_ptr_in_const_context, //
};
use core::ptr::{
    from_mut,
    null_mut, //
};

as_in_c!(ctl_table);
as_in_c! {
    ctl_table { procname, data, maxlen, mode, proc_handler, poll, extra1, extra2 }
}

/// What is done when somebody reads or writes a sysctl.
pub trait Handler {
    /// Does it.
    ///
    /// # Errors
    ///
    /// What `read()` or `write()` is to return.
    fn handle(access: Access<'_>) -> Result;
}

/// A read or a write of a sysctl.
///
/// # Invariants
///
/// `table` and the pointers are those that C has called a handler with, and that call lasts.
pub struct Access<'a> {
    table: &'a bindings::ctl_table,
    write: c_int,
    buffer: *mut c_void,
    lenp: *mut usize,
    ppos: *mut bindings::loff_t,
}

impl Access<'_> {
    /// Returns whether it is a write.
    #[inline]
    pub fn is_write(&self) -> bool {
        self.write != 0
    }

    /// Shows `value`, or sets it to what is written, if that is one of `min..=max`.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] for a number that is none of these, and for what is no number. `value` is as it
    /// was then.
    #[doc(alias = "proc_dointvec_minmax")]
    pub fn number(self, value: &mut c_int, mut min: c_int, mut max: c_int) -> Result {
        let table = bindings::ctl_table {
            data: from_mut(value).cast(),
            maxlen: size_of::<c_int>() as c_int,
            extra1: (&raw mut min).cast(),
            extra2: (&raw mut max).cast(),
            ..*self.table
        };
        // SAFETY: What the table points to is valid for the duration of the call, and as large as
        // it says. By the type invariant the other pointers are what C passes from one to the
        // other, once: this takes `self`.
        to_result(unsafe {
            bindings::proc_dointvec_minmax(&table, self.write, self.buffer, self.lenp, self.ppos)
        })
    }
}

/// A table of one sysctl.
#[repr(transparent)]
pub struct Table(bindings::ctl_table);

// SAFETY: What the pointers in the table point to is static, and nobody writes to the table.
unsafe impl Sync for Table {}

impl Table {
    /// Makes a table of the sysctl `name`, for which `H` is asked when somebody reads or writes it
    /// who may do so by `mode`.
    pub const fn new<H: Handler>(name: &'static CStr, mode: u16) -> Self {
        Self(bindings::ctl_table {
            procname: as_char_ptr_in_const_context(name),
            data: null_mut(),
            maxlen: size_of::<c_int>() as c_int,
            mode,
            proc_handler: Some(handle::<H>),
            poll: null_mut(),
            extra1: null_mut(),
            extra2: null_mut(),
        })
    }

    /// Registers the sysctl in `/proc/sys/` and this directory, for good.
    ///
    /// If that fails, the log says so, and the sysctl is missing: for want of memory, as there is
    /// one of that name, or as the mode lets somebody execute it.
    ///
    /// # Safety
    ///
    /// The table and its handler must not be in code that can be unloaded, as a module can.
    #[doc(alias = "register_sysctl_init")]
    pub unsafe fn register(&'static self, directory: &CStr) {
        // SAFETY: The table is static and by the safety requirements there for good, and has the
        // one entry that is announced. The path is not used after the call.
        let header =
            unsafe { bindings::register_sysctl_sz(directory.as_char_ptr(), &raw const self.0, 1) };
        if header.is_null() {
            pr_err!("failed when register_sysctl_sz to {directory:?}\n");
        }
    }
}

/// Has a handler called.
///
/// # Safety
///
/// To be called by the sysctl code, with what a handler gets.
unsafe extern "C" fn handle<H: Handler>(
    table: *const bindings::ctl_table,
    write: c_int,
    buffer: *mut c_void,
    lenp: *mut usize,
    ppos: *mut bindings::loff_t,
) -> c_int {
    let access = Access {
        // SAFETY: The safety requirements guarantee that the table is valid during this call.
        // INVARIANT: By the safety requirements.
        table: unsafe { &*table },
        write,
        buffer,
        lenp,
        ppos,
    };
    from_result(|| H::handle(access).map(|()| 0))
}
