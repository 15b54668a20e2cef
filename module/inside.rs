// SPDX-License-Identifier: GPL-2.0-only

//! Who is inside, so that the module does not go from under them.

use crate::hooks;
use kernel::{
    bindings,
    prelude::*,
    types::NotThreadSafe, //
};

/// Evidence that a task runs in a function of the module and may sleep there.
///
/// # Invariants
///
/// The task is within an SRCU read-side section of the module, `index` is that of the section.
#[must_use = "the module may go when the value is dropped"]
pub(crate) struct Inside {
    index: c_int,
    _not_send: NotThreadSafe,
}

impl Inside {
    /// Enters.
    #[inline]
    pub(crate) fn enter() -> Self {
        // INVARIANT: The section begins here.
        Self {
            // SAFETY: The SRCU is static, and was initialised when the module was loaded.
            index: unsafe { bindings::srcu_read_lock(hooks::inside()) },
            _not_send: NotThreadSafe,
        }
    }

    /// Waits until each task that is inside has left.
    pub(crate) fn wait_until_empty() {
        // SAFETY: As above. Who calls this is not inside: it is about to unload the module.
        unsafe { bindings::synchronize_srcu(hooks::inside()) };
    }
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type invariant this ends the section.
        unsafe { bindings::srcu_read_unlock(hooks::inside(), self.index) };
    }
}

/// Evidence that the module is in use: rmmod says so and does not wait.
#[must_use = "the module is not in use any more when the value is dropped"]
pub(crate) struct InUse(());

impl InUse {
    /// Says that the module is in use; [`None`] if it is on its way out.
    pub(crate) fn begin() -> Option<Self> {
        // SAFETY: No requirements.
        let got = unsafe { hooks::pidns_get_module() };
        // Not `then_some()`: that would make one in either case, and drop it.
        got.then(|| Self(()))
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        // SAFETY: This gives up what `begin` took. Who drops it is still `Inside`.
        unsafe { hooks::pidns_put_module() };
    }
}
