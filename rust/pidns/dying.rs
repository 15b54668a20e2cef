// SPDX-License-Identifier: GPL-2.0-only

//! A pid namespace that has lost its last reference.
//!
//! C headers: [`include/linux/ns_common.h`](srctree/include/linux/ns_common.h),
//! [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h)

use crate::caches;
use core::ptr::NonNull;
use kernel::{
    bindings,
    container_of,
    prelude::*,
    sync::aref::ARef,
    ucount::{
        Charge,
        Kind, //
    },
    user_namespace::UserNamespace, //
};

/// A pid namespace whose last reference is gone.
///
/// There is no value of this type without a last put, and one for each: it stands for the right,
/// and the duty, to bury the namespace.
///
/// # Invariants
///
/// `ns` is a published namespace whose reference count has reached zero. Nobody but readers of the
/// namespace tree, under RCU, can still find it.
#[must_use = "a namespace that nobody buries is never freed"]
pub(crate) struct Dying {
    ns: NonNull<bindings::pid_namespace>,
}

impl Dying {
    /// Gives up a reference, and returns the namespace if it was the last.
    ///
    /// The initial namespace is never returned: it is not counted.
    ///
    /// # Safety
    ///
    /// The caller owns a reference to `ns` and must not use it after the call.
    #[doc(alias = "ns_ref_put")]
    pub(crate) unsafe fn put(ns: NonNull<bindings::pid_namespace>) -> Option<Self> {
        // SAFETY: The caller's reference keeps `ns` valid up to here.
        let last = unsafe { bindings::__ns_ref_put(&raw mut (*ns.as_ptr()).ns) };
        if !last {
            return None;
        }
        // INVARIANT: The count has reached zero just now.
        Some(Self { ns })
    }

    /// Hands the namespace to its own work item, which calls `destroy_pid_namespace_work`.
    ///
    /// The last put can come from anywhere, an RCU callback included, but burying takes locks that
    /// sleep.
    pub(crate) fn schedule(self) {
        // SAFETY: `work` was initialised when the namespace was made. It is not pending, as only
        // the last put queues it. From here the work item owns what `self` stood for.
        unsafe {
            bindings::queue_work_on(
                bindings::wq_misc_consts_WORK_CPU_UNBOUND as c_int,
                bindings::system_percpu_wq,
                &raw mut (*self.ns.as_ptr()).work,
            );
        }
    }

    /// Takes the namespace back from its work item.
    ///
    /// # Safety
    ///
    /// `work` must be the one that the workqueue runs now, for [`Dying::schedule`].
    pub(crate) unsafe fn from_work(work: *mut bindings::work_struct) -> Self {
        // SAFETY: The safety requirements say that `work` is part of a namespace.
        let ns = unsafe { container_of!(work, bindings::pid_namespace, work) };
        // SAFETY: It lies around a valid `work`, so it is not null.
        let ns = unsafe { NonNull::new_unchecked(ns) };
        // INVARIANT: `schedule` got it from a value of this type.
        Self { ns }
    }

    /// Takes the namespace out of the tree, gives back its sysctls, inode number and map of pids,
    /// and lets RCU free the rest. Returns the parent if this was its last reference in turn.
    #[doc(alias = "destroy_pid_namespace")]
    pub(crate) fn bury(self) -> Option<Self> {
        let ns = self.ns.as_ptr();
        // SAFETY: By the type invariant the namespace is whole and nobody holds it, so each of
        // these ends, once, what the making of it began, in reverse order. `parent` is read before
        // RCU may free the namespace. Readers under RCU see the memory until a grace period is
        // over.
        let parent = unsafe {
            bindings::__ns_tree_remove(&raw mut (*ns).ns, &raw mut bindings::pid_ns_tree);
            bindings::unregister_pidns_sysctls(ns);
            bindings::__ns_common_free(&raw mut (*ns).ns);
            bindings::idr_destroy(&raw mut (*ns).idr);
            let parent = NonNull::new_unchecked((*ns).parent);
            bindings::call_rcu(&raw mut (*ns).rcu, Some(free));
            parent
        };
        // SAFETY: The namespace owned a reference to its parent, which is now ours to give up.
        unsafe { Self::put(parent) }
    }
}

/// Frees a buried namespace, and what readers under RCU could still look at.
///
/// # Safety
///
/// To be called by RCU, a grace period after [`Dying::bury`].
#[doc(alias = "delayed_free_pidns")]
unsafe extern "C" fn free(rcu: *mut bindings::callback_head) {
    // SAFETY: `rcu` is part of a namespace that was buried. Nobody else can see it any more; it
    // owns a charge and a reference to its owner, and its memory came from `alloc_namespace`.
    unsafe {
        let ns = container_of!(rcu, bindings::pid_namespace, rcu);
        drop(Charge::from_raw((*ns).ucounts, Kind::PidNamespaces));
        let user_ns = NonNull::new_unchecked((*ns).user_ns);
        drop(ARef::<UserNamespace>::from_raw(user_ns.cast()));
        caches::free_namespace(NonNull::new_unchecked(ns));
    }
}
