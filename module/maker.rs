// SPDX-License-Identifier: GPL-2.0-only

//! The makers: tasks that are making a thread which the kernel by itself would refuse.

use crate::hooks;
use core::{
    marker::PhantomData,
    ptr::addr_eq, //
};
use kernel::{
    bindings,
    error::to_result,
    prelude::*,
    types::NotThreadSafe, //
};

/// Evidence that the current task is a maker.
///
/// The array of them is read under RCU, by the handlers; each task is looked for by itself alone.
///
/// # Invariants
///
/// While a value of this type exists, the array has the current task at the place of its pid. That
/// is the one in the initial namespace, which it keeps while it makes a thread: an execve() of
/// another thread of its group takes the pid over only when this one has exited.
#[must_use = "the task is a maker no more when the value is dropped"]
pub(crate) struct Maker(PhantomData<NotThreadSafe>);

impl Maker {
    /// Makes the current task a maker. May sleep.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`];
    /// - [`EBUSY`] if it is one.
    pub(crate) fn begin() -> Result<Self> {
        let (place, task) = Self::current();
        // SAFETY: The array is static and its lock is taken here, by no one who has it. It gets a
        // pointer that is aligned as its entries must be.
        let inserted = unsafe {
            bindings::xa_lock(hooks::makers());
            let inserted = bindings::__xa_insert(
                hooks::makers(),
                place,
                task.cast(),
                bindings::GFP_KERNEL, //
            );
            bindings::xa_unlock(hooks::makers());
            inserted
        };
        to_result(inserted)?;
        // INVARIANT: It was just inserted.
        Ok(Self(PhantomData))
    }

    /// Returns whether the current task is a maker. Neither sleeps nor takes a lock.
    #[inline]
    pub(crate) fn is_current() -> bool {
        let (place, task) = Self::current();
        // SAFETY: The array is static, and `xa_load()` reads it under RCU. What it returns is
        // compared and not followed.
        addr_eq(unsafe { bindings::xa_load(hooks::makers(), place) }, task)
    }

    /// Returns the place of the current task, and what stands there if it is a maker.
    #[inline]
    fn current() -> (usize, *mut bindings::task_struct) {
        // SAFETY: No requirements.
        (unsafe { hooks::pidns_place() }, current!().as_ptr())
    }
}

impl Drop for Maker {
    fn drop(&mut self) {
        let (place, _) = Self::current();
        // SAFETY: The array is static; by the type invariant what is erased is this task's.
        unsafe { bindings::xa_erase(hooks::makers(), place) };
    }
}
