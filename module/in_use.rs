// SPDX-License-Identifier: GPL-2.0-only

//! Who is in the middle of a clone, so that the module does not go from under them.

use crate::hooks;

/// Evidence that the module is in use: rmmod says so and does not wait.
///
/// A task that has none must neither sleep in a function of the module nor call one that may: it is
/// waited for only until it gives up the CPU.
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
        // SAFETY: This gives up what `begin` took. When the hooks go, RCU waits for who is between
        // here and the end of the function.
        unsafe { hooks::pidns_put_module() };
    }
}
