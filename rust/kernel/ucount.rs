// SPDX-License-Identifier: GPL-2.0

//! Per-user limits on what a user namespace may hold.
//!
//! For built-in code only: C exports these functions to no module but binfmt_misc.
//!
//! C header: [`include/linux/user_namespace.h`](srctree/include/linux/user_namespace.h)

use crate::{
    bindings,
    task::Kuid,
    user_namespace::UserNamespace, //
};
use core::{
    mem::ManuallyDrop,
    ptr::NonNull, //
};

/// The kinds of objects that are counted.
#[doc(alias = "ucount_type")]
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Kind {
    /// Pid namespaces; the limit is `user.max_pid_namespaces`.
    PidNamespaces = bindings::ucount_type_UCOUNT_PID_NAMESPACES,
}

/// One object that is counted against the limits of a user.
///
/// The object counts in the user namespace that owns it and in each ancestor of that namespace,
/// until this value is dropped.
///
/// # Invariants
///
/// `ucounts` points to a `struct ucounts` that `inc_ucount` returned for `kind` and that has not
/// been passed to `dec_ucount` since.
///
/// # Examples
///
/// ```
/// use kernel::{
///     bindings,
///     task::Kuid,
///     ucount::{
///         Charge,
///         Kind, //
///     },
///     user_namespace::UserNamespace, //
/// };
///
/// // SAFETY: The initial user namespace is static, and always has a reference.
/// let initial = unsafe { UserNamespace::from_ptr(&raw const bindings::init_user_ns) };
/// let charge = Charge::new(initial, Kuid::current_euid(), Kind::PidNamespaces).ok_or(ENOSPC)?;
/// // Here is what counts. It may be left to C, by `into_raw`, and taken back.
/// let ucounts = charge.into_raw();
/// // SAFETY: These are from a charge of that kind, and not used again.
/// drop(unsafe { Charge::from_raw(ucounts, Kind::PidNamespaces) });
/// # Ok::<(), Error>(())
/// ```
#[must_use = "the count ends when the value is dropped"]
pub struct Charge {
    ucounts: NonNull<bindings::ucounts>,
    kind: Kind,
}

// SAFETY: `dec_ucount` may be called from any thread: it changes the count of whoever was counted,
// not that of the current user.
unsafe impl Send for Charge {}

impl Charge {
    /// Counts one more object of `kind` for the user `uid` in `user_ns`.
    ///
    /// Returns [`None`] if a limit, in `user_ns` or in an ancestor of it, is reached, and if there
    /// is no memory for the counters of a new user. Sleeps.
    #[doc(alias = "inc_ucount")]
    #[inline]
    pub fn new(user_ns: &UserNamespace, uid: Kuid, kind: Kind) -> Option<Self> {
        // SAFETY: `user_ns` is valid by its type invariant. `inc_ucount` takes the references
        // that it needs.
        let ucounts =
            unsafe { bindings::inc_ucount(user_ns.as_ptr(), uid.into_raw(), kind.into_raw()) };
        // INVARIANT: Just returned by `inc_ucount`.
        NonNull::new(ucounts).map(|ucounts| Self { ucounts, kind })
    }

    /// Takes a charge back.
    ///
    /// # Safety
    ///
    /// `ucounts` must come from [`Charge::into_raw`] of a charge of this `kind`, be it in another
    /// thread, and must not be used any more.
    #[inline]
    pub unsafe fn from_raw(ucounts: *mut bindings::ucounts, kind: Kind) -> Self {
        Self {
            // SAFETY: `into_raw` does not return null.
            // INVARIANT: It gave up a value for which the invariant held.
            ucounts: unsafe { NonNull::new_unchecked(ucounts) },
            kind,
        }
    }

    /// Hands the charge over to C, which ends it with `dec_ucount` for the same kind.
    #[inline]
    pub fn into_raw(self) -> *mut bindings::ucounts {
        ManuallyDrop::new(self).ucounts.as_ptr()
    }
}

impl Kind {
    #[inline]
    fn into_raw(self) -> bindings::ucount_type {
        self as bindings::ucount_type
    }
}

impl Drop for Charge {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type invariant this ends what `inc_ucount` began, once.
        unsafe { bindings::dec_ucount(self.ucounts.as_ptr(), self.kind.into_raw()) };
    }
}
