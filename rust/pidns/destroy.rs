// SPDX-License-Identifier: GPL-2.0-only

// Derived from kernel/pid_namespace.c:
// Copyright (C) 2007 Pavel Emelyanov <xemul@openvz.org>, OpenVZ, SWsoft Inc.
// Copyright (C) 2007 Sukadev Bhattiprolu <sukadev@us.ibm.com>, IBM
// Many thanks to Oleg Nesterov for comments and help

//! The end of pid namespaces that nobody holds any more.
//!
//! The last put makes a [`Dying`], which waits for the next batch. Burying takes a [`Dying`] by
//! value, so it is neither left out nor done twice, and makes a [`Buried`], which RCU drops.
//!
//! Why the batch finds a namespace as the last of its users has left it, and loses none, is in
//! `Documentation/litmus-tests/pidns/`: `last-put-sees-all-puts` and `batch-loses-nobody`.

use crate::caches;
use core::{
    mem::{
        offset_of,
        ManuallyDrop, //
    },
    ptr::NonNull, //
};
use kernel::{
    bindings,
    llist::{
        Listed,
        LockLessList, //
    },
    ns_common::NamespaceExt,
    pid_namespace::{
        PidNamespace,
        Pids, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        rcu,
        SetOnce, //
    },
    task::cond_resched,
    types::Opaque,
    ucount,
    user_namespace::UserNamespace,
    warn_on_once,
    workqueue::{
        self,
        DelayedWork,
        WorkItem, //
    }, //
};

/// A pid namespace whose last reference is gone.
///
/// There is no value of this type without a last put, and one for each: it stands for the right,
/// and the duty, to destroy the namespace.
///
/// # Invariants
///
/// It is a published namespace, and so not the initial one, whose reference count has reached zero:
/// so there is no `&PidNamespace` of it. It has all that the making of it has given it. Nobody can
/// find it any more but readers of the namespace tree, under RCU; who has opened one of its
/// sysctls; and who gave up the last reference, under RCU since before it was added to a list, and
/// reads `ucounts`. Its `dying` is in no list.
#[must_use = "a namespace that nobody destroys is never freed"]
pub(crate) struct Dying(NonNull<PidNamespace>);

// SAFETY: Nothing in a namespace belongs to a thread.
unsafe impl Send for Dying {}

// SAFETY: By the type invariant the structure is valid, its `dying` is in no list, and nobody else
// has a `Dying` of it who could add it to one.
unsafe impl Listed for Dying {
    // Not a `PidNamespace`, which would be counted.
    type Of = Opaque<bindings::pid_namespace>;
    const NODE: usize = offset_of!(bindings::pid_namespace, dying);

    fn into_raw(self) -> NonNull<Self::Of> {
        self.0.cast()
    }

    unsafe fn from_raw(ns: NonNull<Self::Of>) -> Self {
        // INVARIANT: By the safety requirements this was one, and is out of the list.
        Self(ns.cast())
    }
}

impl Dying {
    /// Gives up a reference. If it was the last, the namespace is the caller's to destroy.
    ///
    /// The initial namespace is never returned: it is not counted.
    #[inline]
    pub(crate) fn put(ns: ARef<PidNamespace>) -> Option<Self> {
        // INVARIANT: The count has reached zero just now. Only `publish` hands out references, so
        // the namespace was published, and only `bury` takes from it, which takes a `Dying`. Only a
        // `Dying` is added to a list.
        PidNamespace::put(ns).map(Self)
    }

    /// Says that the namespace will not count against its limits for much longer.
    ///
    /// # Safety
    ///
    /// `ns` was a [`Dying`], and RCU has not freed it yet.
    #[doc(alias = "end_pid_ns_ucount")]
    #[inline]
    unsafe fn note_end(ns: NonNull<PidNamespace>) {
        // SAFETY: By the safety requirements the namespace was published, which gave it `ucounts`,
        // and holds them until it is freed.
        unsafe { bindings::end_pid_ns_ucount((*raw(ns)).ucounts) };
    }

    /// Has the namespace destroyed with the next batch.
    ///
    /// It is the caller's before, and that of the batch from here on; this cannot fail. The last
    /// put can come from anywhere but an NMI, an RCU callback included; burying takes a lock that
    /// must not be taken there.
    // Out of line, as most puts are not the last.
    #[cold]
    pub(crate) fn destroy_later(self) {
        let Some(undertaker) = undertaker() else {
            // Never freed, as nobody is there to do it.
            return;
        };
        let (ns, _rcu) = (self.0, rcu::read_lock());
        undertaker.dying.add(self);
        // Each namespace queues the work item, which does nothing if it is queued already: the one
        // that came to an empty list may not have queued it yet. So this is no error either way.
        let _ = workqueue::system_dfl().enqueue_delayed(undertaker, 1);
        // Only now: a process that sees this and has the work item run must not miss the namespace.
        // SAFETY: `self` was it, and `_rcu` keeps RCU from freeing the namespace.
        unsafe { Self::note_end(ns) };
    }

    /// Takes the namespace out of the tree, and gives back its sysctls, its inode number and its
    /// map of pids.
    ///
    /// It is RCU's from here on, which frees it after a grace period; this cannot fail. Returns the
    /// parent, for the caller to destroy, if this was its last reference. Sleeps, if sysctls of the
    /// namespace are being read or written just now.
    #[doc(alias = "destroy_pid_namespace")]
    pub(crate) fn bury(self) -> Option<Dying> {
        // SAFETY: By the type invariant the namespace was published, nobody holds it, and it has
        // all that the making of it has given it. This takes `self`, so that each of these is done
        // once.
        // - `publish` has added it to the tree.
        // - Its sysctls: only a task in the namespace has them made, and there is none any more, as
        //   its pid would hold it. Those who use them now are waited for.
        // - Its inode number: `init_common` has succeeded, or it had not been published. It is out
        //   of the tree, so that nobody can find it any more.
        // - Its map is valid, and empty, as each pid in it would hold the namespace. Nobody looks
        //   at it: readers of the tree look at `ns` alone, and who had a sysctl open is done.
        // - `parent` is not null, as it is not the initial one. `publish` has stored a reference
        //   there, which becomes ours: nobody else takes it.
        let parent = unsafe {
            PidNamespace::remove_from_tree(self.0);
            bindings::unregister_pidns_sysctls(raw(self.0));
            PidNamespace::free_common(self.0);
            core::ptr::drop_in_place((&raw mut (*raw(self.0)).idr).cast::<Pids>());
            ARef::from_raw(NonNull::new_unchecked((*raw(self.0)).parent).cast())
        };
        // INVARIANT: It was buried just now. Who could still look at the namespace does so under
        // RCU. The memory, the owner and the charge are as `publish` has left them.
        rcu::call_rcu(Buried(self.0));
        let parent = Dying::put(parent)?;
        // SAFETY: It is a `Dying`, so that nobody has passed it to RCU.
        unsafe { Self::note_end(parent.0) };
        Some(parent)
    }
}

/// A namespace of which only the memory, the owner and the charge are left, to be dropped after a
/// grace period.
///
/// # Invariants
///
/// - It was a [`Dying`] that was buried. Nobody looks at it any more but readers of the namespace
///   tree and who gave up the last reference, under RCU since before. A value is dropped by RCU
///   alone, after the grace period.
/// - It owns the memory, which is from [`caches::alloc`]; the reference to its owner in `user_ns`;
///   and the charge in `ucounts`, which is one for a pid namespace.
struct Buried(NonNull<PidNamespace>);

// SAFETY: Nothing in a namespace belongs to a thread.
unsafe impl Send for Buried {}

// SAFETY: By the type invariant it owns the structure, and nothing else uses its `rcu`; there is
// one value for each, as there was one `Dying`. Dropping it takes locks with interrupts disabled,
// and leaves to a work item what may sleep, the end of a user namespace. This code is built in.
unsafe impl rcu::Deferred for Buried {
    // Not a `PidNamespace`, which would be counted and have its map.
    type Of = Opaque<bindings::pid_namespace>;
    const HEAD: usize = offset_of!(bindings::pid_namespace, rcu);

    fn into_raw(self) -> NonNull<Self::Of> {
        ManuallyDrop::new(self).0.cast()
    }

    unsafe fn from_raw(ns: NonNull<Self::Of>) -> Self {
        // INVARIANT: By the safety requirements this was one.
        Self(ns.cast())
    }
}

impl Drop for Buried {
    #[doc(alias = "delayed_free_pidns")]
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type invariant the grace period is over, so that nobody else sees the
        // namespace, and the fields are ours to read.
        // - `ucounts` is that of a charge for a pid namespace, which is ours to end.
        // - `user_ns` is not null: it is a reference to the owner, which is ours to give up.
        // - The memory is from `alloc`, is ours, and is not used after this. What it is dropped as,
        //   an `Opaque`, has nothing to drop.
        unsafe {
            let ns = raw(self.0);
            drop(ucount::Charge::from_raw(
                (*ns).ucounts,
                ucount::Kind::PidNamespaces,
            ));
            let user_ns = NonNull::new_unchecked((*ns).user_ns);
            drop(ARef::<UserNamespace>::from_raw(user_ns.cast()));
            drop(caches::from_raw(self.0.cast()));
        }
    }
}

// CAST: `PidNamespace` is a transparent wrapper around `struct pid_namespace`.
#[inline]
fn raw(ns: NonNull<PidNamespace>) -> *mut bindings::pid_namespace {
    ns.as_ptr().cast()
}

/// What destroys namespaces, a batch at a time.
#[pin_data]
struct Undertaker {
    /// Those that wait for the next batch.
    dying: LockLessList<Dying>,
    #[pin]
    work: DelayedWork<Undertaker>,
}

kernel::impl_has_delayed_work! {
    impl HasDelayedWork<Self> for Undertaker { self.work }
}

impl WorkItem for Undertaker {
    type Pointer = &'static Self;

    /// Buries all namespaces that have no references, each followed by the ancestors whose last
    /// reference was that of their child.
    #[doc(alias = "destroy_pid_namespaces")]
    fn run(this: &'static Self) {
        for dying in this.dying.take_all() {
            let mut next = Some(dying);
            while let Some(ns) = next {
                next = ns.bury();
            }
            cond_resched();
        }
    }
}

static UNDERTAKER: SetOnce<Pin<KBox<Undertaker>>> = SetOnce::new();

#[inline]
fn undertaker() -> Option<&'static Undertaker> {
    let undertaker = UNDERTAKER.as_ref();
    // It is there since boot, before anybody could make a namespace.
    warn_on_once!(undertaker.is_none());
    undertaker.map(|undertaker| &**undertaker)
}

/// Sets it up, at boot.
///
/// # Errors
///
/// [`ENOMEM`].
pub(crate) fn init() -> Result {
    UNDERTAKER.populate(KBox::pin_init(
        pin_init!(Undertaker {
            dying: LockLessList::new(),
            work <- kernel::new_delayed_work!("destroy_pid_namespaces"),
        }),
        GFP_KERNEL,
    )?);
    Ok(())
}

/// Has all namespaces without references destroyed, and waits for that. Sleeps.
///
/// The caller holds no lock that a `fork()` takes: the workqueue may need a new thread. There is
/// one at a time: `flush()` does not wait for a work item that another `modify_delayed()` has taken
/// out of the queue to put it back there.
// C calls it as well.
#[doc(alias = "reap_pid_namespaces")]
pub(crate) extern "C" fn reap() {
    let Some(undertaker) = undertaker() else {
        return;
    };
    // Unlike enqueue_delayed() this waits for another CPU that is just queueing the work item.
    let _ = workqueue::system_dfl().modify_delayed(undertaker, 0);
    undertaker.work.flush();
}

/// Gives up a reference to a pid namespace. The last one has it destroyed, some time later.
///
/// # Safety
///
/// `ns` must be null, or the caller must own a reference to it and not use it after the call.
#[export]
pub(crate) unsafe extern "C" fn put_pid_ns(ns: *mut bindings::pid_namespace) {
    let Some(ns) = NonNull::new(ns) else { return };
    // SAFETY: `ns` is not null, so the safety requirements say that the caller owns a reference.
    if let Some(dying) = Dying::put(unsafe { ARef::from_raw(ns.cast()) }) {
        dying.destroy_later();
    }
}

/// Waits at the limit for pid namespaces that have ended.
///
/// To be called after `copy_pid_ns()` has returned `-ERESTART`, when no locks are held. It can take
/// some grace periods.
///
/// Returns 0 if `copy_pid_ns()` is to be called again; `-ENOSPC` if all that count are in use;
/// `-ERESTARTNOINTR` if a signal, or task work that interrupts, comes first; `-ENOMEM` if there is
/// no memory.
///
/// # Safety
///
/// Must be called in task context, where it may sleep.
#[export]
pub(crate) unsafe extern "C" fn wait_for_pid_namespaces() -> c_int {
    // SAFETY: By the safety requirements; `reap` has those of this function.
    unsafe { bindings::wait_for_pid_ns_ucount(Some(reap)) }
}

#[cfg(CONFIG_PID_NS_RUST_KUNIT_TEST)]
#[kunit_tests(pidns_destroy)]
mod tests {
    use crate::testing::*;
    use kernel::prelude::*;

    #[test]
    fn the_last_reference_frees_all_ancestors_that_nobody_else_holds() -> Result {
        let held = counted_ns()?;
        let before = Taken::of(&held);
        let mut deepest = child_of(&held)?;
        for _ in 0..10 {
            deepest = child_of(&deepest)?;
        }
        assert_eq!(refs(&held), before.refs + 1);
        drop(deepest);
        settle();
        assert!(Taken::of(&held) == before);
        Ok(())
    }

    #[test]
    fn all_that_end_before_the_next_batch_are_freed_with_it() -> Result {
        let top = counted_ns()?;
        let before = Taken::of(&top);
        for _ in 0..100 {
            let middle = child_of(&top)?;
            drop(child_of(&middle)?);
        }
        settle();
        assert!(Taken::of(&top) == before);
        Ok(())
    }

    #[test]
    fn a_namespace_that_somebody_holds_ends_the_chain() -> Result {
        let top = counted_ns()?;
        let held = child_of(&top)?;
        let before = (Taken::of(&top), Taken::of(&held));
        drop(child_of(&held)?);
        settle();
        assert!((Taken::of(&top), Taken::of(&held)) == before);
        Ok(())
    }
}
