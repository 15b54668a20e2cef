// SPDX-License-Identifier: GPL-2.0

//! The namespaces of a task.
//!
//! There is no example: only `setns()` has a `struct nsset`, which it passes to callbacks of C.
//!
//! C header: [`include/linux/nsproxy.h`](srctree/include/linux/nsproxy.h)

use crate::{
    as_in_c,
    bindings,
    pid_namespace::PidNamespace,
    sync::aref::ARef,
    types::Opaque,
    user_namespace::UserNamespace, //
};
use core::{
    mem,
    pin::Pin,
    ptr::NonNull, //
};

as_in_c! {
    nsset { nsproxy, cred }
    nsproxy { pid_ns_for_children }
    cred { user_ns }
}

/// Wraps the kernel's `struct nsset`: what the current task, which calls `setns()`, will change to,
/// if all goes well.
///
/// # Invariants
///
/// - `nsproxy` is valid and private to the current task, and owns a reference to each namespace in
///   it.
/// - `cred` is valid, and perhaps shared.
#[repr(transparent)]
pub struct NsSet(Opaque<bindings::nsset>);

impl NsSet {
    /// Creates a reference to an [`NsSet`] from a valid pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to what `prepare_nsset` in `kernel/nsproxy.c` has set up for the current
    /// task, and nothing else may use the `struct nsset` or its `nsproxy` during the lifetime of
    /// the returned reference, which must end before the task goes on.
    #[inline]
    pub unsafe fn from_ptr<'a>(ptr: *mut bindings::nsset) -> Pin<&'a mut Self> {
        // INVARIANT: `prepare_nsset` sets both pointers, `nsproxy` to a copy that has references.
        // SAFETY: The safety requirements guarantee the validity of the dereference, and that it is
        // the only reference, while the `NsSet` type being transparent makes the cast ok. It is
        // pinned: C has it on its stack, and nobody may put another one in its place.
        unsafe { Pin::new_unchecked(&mut *ptr.cast()) }
    }

    /// Returns the user namespace that the task will be in.
    #[inline]
    pub fn user_ns(&self) -> &UserNamespace {
        // SAFETY: By the type invariant `cred` is valid. Credentials hold a reference to their user
        // namespace: those that are shared for good, and those that `setns()` is changing do so
        // while `self`, from which the returned value borrows, is there.
        unsafe { UserNamespace::from_ptr((*(*self.0.get()).cred).user_ns) }
    }

    /// Sets the pid namespace that the children of the task will be born in.
    ///
    /// The reference belongs to the task from here on, and that to the old one is given up.
    ///
    /// # Safety
    ///
    /// `ns` must be the active pid namespace of the current task, or lie below it. A task relies on
    /// having pids of all its children, and so does the code that ends it.
    #[inline]
    pub unsafe fn set_pid_ns_for_children(self: Pin<&mut Self>, ns: ARef<PidNamespace>) {
        // CAST: `PidNamespace` is a transparent wrapper around `struct pid_namespace`.
        let new = ARef::into_raw(ns).as_ptr().cast();
        // SAFETY: By the type invariant `nsproxy` is valid and ours, so that nothing else uses the
        // field.
        let field = unsafe { &mut (*(*self.0.get()).nsproxy).pid_ns_for_children };
        // INVARIANT: `nsproxy` owns the reference of `ns` now, and no more that to `old`.
        let old = mem::replace(field, new);
        // SAFETY: By the type invariant the field is not null and owned a reference, which is ours
        // now that the field has another value.
        drop(unsafe { ARef::<PidNamespace>::from_raw(NonNull::new_unchecked(old.cast())) });
    }
}
