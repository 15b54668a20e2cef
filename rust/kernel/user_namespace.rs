// SPDX-License-Identifier: GPL-2.0

//! User namespaces.
//!
//! C header: [`include/linux/user_namespace.h`](srctree/include/linux/user_namespace.h)

use crate::{
    bindings,
    ffi::c_int,
    sync::aref::AlwaysRefCounted,
    types::Opaque, //
};
use core::ptr::NonNull;

/// Wraps the kernel's `struct user_namespace`.
///
/// # Invariants
///
/// Instances of this type are always ref-counted, that is, a call to `get_user_ns` ensures that
/// the allocation remains valid at least until the matching call to `put_user_ns`.
///
/// # Examples
///
/// ```
/// use kernel::{
///     bindings,
///     sync::aref::ARef,
///     user_namespace::UserNamespace, //
/// };
///
/// // SAFETY: The initial user namespace is static, and always has a reference.
/// let initial = unsafe { UserNamespace::from_ptr(&raw const bindings::init_user_ns) };
/// let held: ARef<UserNamespace> = initial.into();
/// assert!(initial.contains(&held));
/// // Tests run with all capabilities.
/// assert!(held.current_is_admin());
/// ```
#[repr(transparent)]
pub struct UserNamespace(Opaque<bindings::user_namespace>);

// SAFETY:
// - `UserNamespace::dec_ref` can be called from any thread.
// - It is okay to send ownership of `UserNamespace` across thread boundaries.
unsafe impl Send for UserNamespace {}

// SAFETY: All that the methods do with a user namespace is to pass it to functions of C that any
// number of threads may call at a time, without a lock:
// - `in_userns()` and `ns_capable()` read `parent`, `level` and `owner`, which never change once a
//   user namespace has been made;
// - the security modules that `ns_capable()` asks synchronise what they have of their own;
// - the reference count changes atomically.
unsafe impl Sync for UserNamespace {}

impl UserNamespace {
    /// Creates a reference to a [`UserNamespace`] from a valid pointer.
    ///
    /// # Safety
    ///
    /// The caller must ensure that `ptr` is valid, and that somebody holds a reference to the
    /// namespace for the lifetime of the returned [`UserNamespace`] reference.
    #[inline]
    pub unsafe fn from_ptr<'a>(ptr: *const bindings::user_namespace) -> &'a Self {
        // SAFETY: The safety requirements guarantee the validity of the dereference, while the
        // `UserNamespace` type being transparent makes the cast ok.
        // INVARIANT: By the safety requirements.
        unsafe { &*ptr.cast() }
    }

    /// Returns a raw pointer to the inner C struct.
    #[inline]
    pub fn as_ptr(&self) -> *mut bindings::user_namespace {
        self.0.get()
    }

    /// Returns whether `other` is this user namespace or one of its descendants.
    #[doc(alias = "in_userns")]
    #[inline]
    pub fn contains(&self, other: &UserNamespace) -> bool {
        // SAFETY: Both pointers are valid by the type invariant, and a user namespace keeps its
        // ancestors, which is all that `in_userns` looks at, alive.
        unsafe { bindings::in_userns(self.as_ptr(), other.as_ptr()) }
    }

    /// Returns whether the current task has CAP_SYS_ADMIN here; notes that it has used it.
    #[doc(alias = "ns_capable")]
    #[inline]
    pub fn current_is_admin(&self) -> bool {
        // SAFETY: The pointer is valid by the type invariant.
        unsafe { bindings::ns_capable(self.as_ptr(), bindings::CAP_SYS_ADMIN as c_int) }
    }

    /// Returns whether the current task has CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN here; notes
    /// that it has used it.
    #[doc(alias = "checkpoint_restore_ns_capable")]
    #[inline]
    pub fn current_may_checkpoint_restore(&self) -> bool {
        // SAFETY: The pointer is valid by the type invariant.
        unsafe { bindings::checkpoint_restore_ns_capable(self.as_ptr()) }
    }
}

// SAFETY: The type invariants guarantee that `UserNamespace` is always ref-counted.
unsafe impl AlwaysRefCounted for UserNamespace {
    #[inline]
    fn inc_ref(&self) {
        // SAFETY: The existence of a shared reference means that the refcount is nonzero.
        unsafe { bindings::get_user_ns(self.as_ptr()) };
    }

    #[inline]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The safety requirements guarantee that the refcount is nonzero. The cast is okay
        // because `UserNamespace` has the same representation as `struct user_namespace`.
        unsafe { bindings::put_user_ns(obj.cast().as_ptr()) };
    }
}
