// SPDX-License-Identifier: GPL-2.0-only

//! A pid namespace that is being made.
//!
//! Each step that can fail is a type that owns the step before it. Dropping a value undoes its own
//! step and then the earlier ones, the last first; only the last type can be published. So no
//! error path can forget an undo, and no namespace can be seen that is not whole.
//!
//! C header: [`include/linux/pid_namespace.h`](srctree/include/linux/pid_namespace.h)

use crate::{
    caches,
    exports,
    level::Level, //
};
use core::{
    mem::ManuallyDrop,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    error::to_result,
    pid_namespace::PidNamespace,
    prelude::*,
    sync::aref::ARef,
    ucount::Charge,
    user_namespace::UserNamespace, //
};

/// The memory of a pid namespace, of which only the map of pids, empty, and the cache for the pids
/// of its level are set up.
///
/// # Invariants
///
/// `ns` comes from [`caches::alloc_namespace`], nobody else knows of it, and its `idr` is valid.
/// Once [`Blank::new`] has returned it, its `level` is one more than that of `parent`.
pub(crate) struct Blank<'a> {
    ns: NonNull<bindings::pid_namespace>,
    parent: &'a PidNamespace,
}

impl<'a> Blank<'a> {
    /// Allocates a namespace for `level`.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`] if there is no memory for it, or for the cache of the first pid at its level.
    #[inline]
    pub(crate) fn new(level: Level<'a>) -> Result<Self> {
        let ns = caches::alloc_namespace()?;
        // SAFETY: `ns` was just allocated, so the field is valid and nobody uses it.
        unsafe { bindings::idr_init(&raw mut (*ns.as_ptr()).idr) };
        // INVARIANT: Allocated and initialised above; the level follows.
        let blank = Self {
            ns,
            parent: level.parent(),
        };

        let pid_cachep = caches::for_pids(level)?;
        // SAFETY: Nobody else knows of `ns`, so these are plain writes to valid memory.
        unsafe {
            (*ns.as_ptr()).pid_cachep = pid_cachep.as_ptr();
            (*ns.as_ptr()).level = level.into_raw();
            // Not its parent's: each namespace starts at the largest value there is.
            (*ns.as_ptr()).pid_max = bindings::PID_MAX_LIMIT;
        }
        Ok(blank)
    }

    /// Gives the namespace an inode number, and the one reference that its maker will own.
    ///
    /// # Errors
    ///
    /// What `proc_alloc_inum()` returns: [`ENOSPC`] or [`ENOMEM`].
    pub(crate) fn number(self) -> Result<Numbered<'a>> {
        // SAFETY: The type invariant gives us `ns` to ourselves, the operations are static, and
        // they are those of the type that is passed along.
        to_result(unsafe {
            bindings::__ns_common_init(
                &raw mut (*self.ns.as_ptr()).ns,
                bindings::CLONE_NEWPID,
                exports::pidns_operations.as_ptr(),
                0,
            )
        })?;
        // INVARIANT: The call above succeeded.
        Ok(Numbered { blank: self })
    }
}

impl Drop for Blank<'_> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant `ns` is ours, and both its `idr` and its memory are as the
        // functions ask for.
        unsafe {
            bindings::idr_destroy(&raw mut (*self.ns.as_ptr()).idr);
            caches::free_namespace(self.ns);
        }
    }
}

/// A [`Blank`] that has an inode number and a reference count of one. All that can fail has been
/// done.
///
/// # Invariants
///
/// `__ns_common_init()` has succeeded on the namespace.
pub(crate) struct Numbered<'a> {
    blank: Blank<'a>,
}

impl Numbered<'_> {
    /// Gives the namespace its place below its parent, its owner and what it counts against, and
    /// lets the world see it.
    ///
    /// This is the point of no return: nothing in here can fail. From here on the last reference
    /// decides, and [`Dying`](crate::dying::Dying) undoes all of it.
    pub(crate) fn publish(self, user_ns: &UserNamespace, charge: Charge) -> ARef<PidNamespace> {
        let this = ManuallyDrop::new(self);
        let (ns, parent) = (this.blank.ns, this.blank.parent);

        // SAFETY: By the type invariants `ns` is valid and nobody else knows of it, so these are
        // plain writes. The references and the charge now belong to the namespace.
        unsafe {
            let ns = ns.as_ptr();
            (*ns).parent = ARef::into_raw(ARef::from(parent)).as_ptr().cast();
            (*ns).user_ns = ARef::into_raw(ARef::from(user_ns)).as_ptr().cast();
            (*ns).ucounts = charge.into_raw();
            (*ns).pid_allocated = bindings::PIDNS_ADDING;
            #[cfg(all(CONFIG_SYSCTL, CONFIG_MEMFD_CREATE))]
            {
                (*ns).memfd_noexec_scope = bindings::pidns_memfd_noexec_scope(parent.as_ptr());
            }
        }

        // SAFETY: The namespace is whole: it has a type, operations and an owner, which is what
        // the tree asks for. An id of 0 asks for the next free one. Whoever finds it there sees it
        // so: `Documentation/litmus-tests/pidns/namespace-is-whole-when-found.litmus`.
        unsafe {
            bindings::__ns_tree_gen_id(&raw mut (*ns.as_ptr()).ns, 0);
            bindings::__ns_tree_add_raw(&raw mut (*ns.as_ptr()).ns, &raw mut bindings::pid_ns_tree);
        }

        // SAFETY: `ns` is a valid namespace, and we own the one reference that it began with.
        // INVARIANT: All fields that never change have been set, and by that of `Blank` the level
        // is one more than the parent's.
        // CAST: `PidNamespace` is a transparent wrapper around `struct pid_namespace`.
        unsafe { ARef::from_raw(ns.cast()) }
    }

    /// Returns the inode number.
    #[cfg(CONFIG_PID_NS_RUST_KUNIT_TEST)]
    pub(crate) fn inum(&self) -> u32 {
        // SAFETY: By the type invariant of `Blank` the namespace is valid and ours.
        unsafe { (*self.blank.ns.as_ptr()).ns.inum }
    }
}

impl Drop for Numbered<'_> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant this ends what `__ns_common_init()` began, once.
        unsafe { bindings::__ns_common_free(&raw mut (*self.blank.ns.as_ptr()).ns) };
    }
}
