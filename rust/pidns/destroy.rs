// SPDX-License-Identifier: GPL-2.0-only

//! The end of pid namespaces that nobody holds any more.
//!
//! The last put makes a [`Dying`], which waits for the next batch. Burying takes a [`Dying`] by
//! value, so it is neither left out nor done twice, and leaves the rest to RCU.
//!
//! The work item that takes these steps is one static for all namespaces, and the list that it
//! takes them from ties them together by a field of their own. [`kernel::workqueue`] is for items
//! that an [`Arc`](kernel::sync::Arc) or a box owns, so this is C's interface.
//!
//! Why the batch finds a namespace as the last of its users has left it, and loses none, is in
//! `Documentation/litmus-tests/pidns/`: `last-put-sees-all-puts` and `batch-loses-nobody`.
//!
//! C headers: [`include/linux/ns_common.h`](srctree/include/linux/ns_common.h),
//! [`include/linux/llist.h`](srctree/include/linux/llist.h)

use crate::{
    caches,
    tasks::cond_resched, //
};
use core::ptr::NonNull;
use kernel::{
    bindings,
    container_of,
    prelude::*,
    static_lock_class,
    sync::{
        aref::ARef,
        rcu, //
    },
    types::Opaque,
    ucount::{
        Charge,
        Kind, //
    },
    user_namespace::UserNamespace, //
};

/// Buries all namespaces that have no references, each followed by the ancestors whose last
/// reference was that of their child.
#[doc(alias = "destroy_pid_namespaces")]
pub(crate) fn destroy() {
    for dying in Batch::take() {
        let mut next = Some(dying);
        while let Some(ns) = next {
            next = ns.bury();
        }
        cond_resched();
    }
}

/// Has all namespaces without references destroyed, and waits until RCU has freed them and has let
/// go of the references that only it has held so far. Sleeps.
///
/// The caller holds no lock that a `fork()` takes: the workqueue may need a new thread.
#[doc(alias = "reap_pid_namespaces")]
pub(crate) fn reap() {
    destroy_now();
    wait_for_rcu();
}

/// A pid namespace whose last reference is gone.
///
/// There is no value of this type without a last put, and one for each: it stands for the right,
/// and the duty, to destroy the namespace.
///
/// # Invariants
///
/// `ns` is a published namespace, and so not the initial one, whose reference count has reached
/// zero. Nobody can find it any more but readers of the namespace tree, under RCU, and those who have
/// opened one of its sysctls. Its `dying` is in no list.
#[must_use = "a namespace that nobody destroys is never freed"]
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
    #[inline]
    pub(crate) unsafe fn put(ns: NonNull<bindings::pid_namespace>) -> Option<Self> {
        // SAFETY: The caller's reference keeps `ns` valid up to here.
        let last = unsafe { bindings::__ns_ref_put(&raw mut (*ns.as_ptr()).ns) };
        if !last {
            return None;
        }
        // INVARIANT: The count has reached zero just now. Only `publish` hands out references, so
        // the namespace was published. Only a `Dying` is added to a list.
        Some(Self { ns })
    }

    /// Says that the namespace will not count against its limits for much longer.
    ///
    /// # Safety
    ///
    /// `ns` was a [`Dying`], and RCU has not freed it yet.
    #[doc(alias = "end_pid_ns_ucount")]
    unsafe fn note_end(ns: NonNull<bindings::pid_namespace>) {
        // SAFETY: By the safety requirements the namespace was published, which gave it `ucounts`,
        // and holds them until it is freed.
        unsafe { bindings::end_pid_ns_ucount((*ns.as_ptr()).ucounts) };
    }

    /// Has the namespace destroyed with the next batch.
    ///
    /// The last put can come from anywhere but an NMI, an RCU callback included; burying takes a
    /// lock that must not be taken there.
    // Out of line, as most puts are not the last.
    #[cold]
    pub(crate) fn destroy_later(self) {
        let rcu = rcu::read_lock();
        // Each namespace queues the work item, which does nothing if it is queued already: the one
        // that came to an empty list may not have queued it yet.
        // SAFETY: By the type invariant the node is valid and in no list; the list owns what
        // `self` stood for from here, be it on another CPU: nothing of it belongs to a thread. List
        // and work item are static, and set up since boot.
        unsafe {
            bindings::llist_add(&raw mut (*self.ns.as_ptr()).dying, QUEUE.list.get());
            bindings::queue_delayed_work_on(
                bindings::wq_misc_consts_WORK_CPU_UNBOUND as c_int,
                bindings::system_dfl_wq,
                QUEUE.work.get(),
                1,
            );
        }
        // Only now: a process that sees this and has the work item run must not miss the namespace.
        // SAFETY: `self` was it, and `rcu` keeps RCU from freeing the namespace.
        unsafe { Self::note_end(self.ns) };
        drop(rcu);
    }

    /// Takes the namespace out of the tree, and gives back its sysctls, its inode number and its
    /// map of pids. RCU frees it. Returns the parent if this was its last reference.
    ///
    /// Sleeps, if its sysctls are being read or written just now.
    #[doc(alias = "destroy_pid_namespace")]
    pub(crate) fn bury(self) -> Option<Dying> {
        let ns = self.ns.as_ptr();
        // SAFETY: By the type invariant the namespace was published and is not the initial one, so
        // it has a parent.
        let parent = unsafe { NonNull::new_unchecked((*ns).parent) };
        // SAFETY: By the type invariant nobody holds the namespace, so each of these ends, once,
        // what the making of it began, in reverse order; and only a task in the namespace could
        // have any more sysctls made.
        unsafe {
            bindings::__ns_tree_remove(&raw mut (*ns).ns, &raw mut bindings::pid_ns_tree);
            bindings::unregister_pidns_sysctls(ns);
            bindings::__ns_common_free(&raw mut (*ns).ns);
            bindings::idr_destroy(&raw mut (*ns).idr);
        }
        // SAFETY: Who could still look at the namespace does so under RCU. What `self` stood for
        // belongs to the callback from here.
        unsafe { bindings::call_rcu(&raw mut (*ns).rcu, Some(delayed_free_pidns)) };
        // SAFETY: The namespace owned a reference to its parent, which is now ours to give up.
        let parent = unsafe { Dying::put(parent) }?;
        // SAFETY: It is a `Dying`, so that nobody has passed it to RCU.
        unsafe { Self::note_end(parent.ns) };
        Some(parent)
    }
}

/// The [`Dying`] namespaces that wait for the next batch, and the work item that destroys it.
struct Queue {
    list: Opaque<bindings::llist_head>,
    work: Opaque<bindings::delayed_work>,
}

// SAFETY: The list is one without locks, made to be used from all sides. The work item is set up
// before there are namespaces, and from then on only queued, for which the workqueue has locks
// of its own.
unsafe impl Sync for Queue {}

static QUEUE: Queue = Queue {
    // An empty list is all zeroes.
    list: Opaque::zeroed(),
    work: Opaque::zeroed(),
};

/// Has the work item run now, and waits for its end: all that were [`Dying`] before are buried.
/// Sleeps.
fn destroy_now() {
    // SAFETY: The work item is static, and set up since boot. mod_delayed_work_on(), and not
    // queue_delayed_work_on(), as it waits for another CPU that is just queueing the work item.
    unsafe {
        bindings::mod_delayed_work_on(
            bindings::wq_misc_consts_WORK_CPU_UNBOUND as c_int,
            bindings::system_dfl_wq,
            QUEUE.work.get(),
            0,
        );
        bindings::flush_delayed_work(QUEUE.work.get());
    }
}

/// Sets up the work item.
///
/// # Safety
///
/// To be called once, before a namespace can lose its last reference.
#[link_section = ".init.text"]
pub(crate) unsafe fn init() {
    let work = QUEUE.work.get();
    // SAFETY: The work item is static, and nobody uses it before this. Names and lock classes are
    // static as well, and the timer is as the workqueue asks for.
    unsafe {
        bindings::init_work_with_key(
            &raw mut (*work).work,
            Some(destroy_pid_namespaces),
            false,
            c"destroy_pid_namespaces_work".as_char_ptr(),
            static_lock_class!().as_ptr(),
        );
        bindings::timer_init_key(
            &raw mut (*work).timer,
            Some(bindings::delayed_work_timer_fn),
            bindings::TIMER_IRQSAFE,
            c"destroy_pid_namespaces_timer".as_char_ptr(),
            static_lock_class!().as_ptr(),
        );
    }
}

/// Waits until RCU has let go of all that it holds now: freed what was buried, and given up the
/// references of pids that are no more. Sleeps.
#[doc(alias = "rcu_barrier")]
fn wait_for_rcu() {
    // SAFETY: Always safe to call where it may sleep.
    unsafe { bindings::rcu_barrier() };
}

/// The [`Dying`] namespaces of a batch, to be buried one after the other.
///
/// # Invariants
///
/// `next` is null or the `dying` of a namespace that was a [`Dying`], and so are those that
/// follow. Nobody else has the list.
#[must_use = "namespaces that nobody destroys are never freed"]
struct Batch {
    next: *mut bindings::llist_node,
}

impl Batch {
    /// Takes all that wait.
    fn take() -> Self {
        Self {
            // INVARIANT: `Dying::destroy_later` is who adds to the list, and this takes all of it.
            // SAFETY: The list is static.
            next: unsafe { bindings::llist_del_all(QUEUE.list.get()) },
        }
    }
}

impl Iterator for Batch {
    type Item = Dying;

    fn next(&mut self) -> Option<Dying> {
        let node = NonNull::new(self.next)?;
        // SAFETY: By the type invariant the node is that of a namespace, and ours.
        let ns = unsafe {
            self.next = (*node.as_ptr()).next;
            NonNull::new_unchecked(container_of!(node.as_ptr(), bindings::pid_namespace, dying))
        };
        // INVARIANT: It is that of `destroy_later`, and was taken out of the list just now.
        Some(Dying { ns })
    }
}

/// Frees a namespace, with its reference to its owner and what it counts against.
///
/// # Safety
///
/// [`Dying::bury`] has passed `ns` to RCU, the grace period is over, and this is the one call.
unsafe fn free(ns: NonNull<bindings::pid_namespace>) {
    // SAFETY: By the safety requirements nobody else sees the namespace. It owns a reference to
    // its owner and the charge that `publish` has made `ucounts` of, and its memory came from
    // `alloc_namespace`.
    unsafe {
        drop(Charge::from_raw(
            (*ns.as_ptr()).ucounts,
            Kind::PidNamespaces,
        ));
        let user_ns = NonNull::new_unchecked((*ns.as_ptr()).user_ns);
        drop(ARef::<UserNamespace>::from_raw(user_ns.cast()));
        caches::free_namespace(ns);
    }
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
    if let Some(dying) = unsafe { Dying::put(ns) } {
        dying.destroy_later();
    }
}

/// Frees a pid namespace that nobody can look at any more.
///
/// # Safety
///
/// To be called by RCU, for what was passed to it by [`Dying::bury`].
// Its name as in C, for those who look at callbacks.
#[no_mangle]
pub(crate) unsafe extern "C" fn delayed_free_pidns(head: *mut bindings::callback_head) {
    // SAFETY: By the safety requirements it is that of a namespace.
    let ns = unsafe { NonNull::new_unchecked(container_of!(head, bindings::pid_namespace, rcu)) };
    // SAFETY: The namespace is buried, and this is the one call, after the grace period.
    unsafe { free(ns) };
}

/// The work item that destroys pid namespaces: those that have lost their last reference since it
/// ran last.
///
/// # Safety
///
/// To be called by the workqueue, which runs it once at a time.
// Its name as in C, for those who look at workqueues.
#[no_mangle]
pub(crate) unsafe extern "C" fn destroy_pid_namespaces(_work: *mut bindings::work_struct) {
    destroy();
}

/// Waits at the limit for pid namespaces that have ended.
///
/// To be called after `copy_pid_ns()` has returned `-ERESTART`, when no locks are held any more. It
/// can take some grace periods.
///
/// Returns 0 if `copy_pid_ns()` is to be called again; `-ENOSPC` if all that count are in use;
/// `-ERESTARTNOINTR` if a signal is pending; `-ENOMEM` if there is no memory.
///
/// # Safety
///
/// Must be called in task context, where it may sleep.
#[export]
pub(crate) unsafe extern "C" fn wait_for_pid_namespaces() -> c_int {
    // SAFETY: By the safety requirements; the function has those of this one.
    unsafe { bindings::wait_for_pid_ns_ucount(Some(reap_pid_namespaces)) }
}

/// Has what has no references destroyed, and waits for RCU.
///
/// # Safety
///
/// Must be called in task context, where it may sleep.
unsafe extern "C" fn reap_pid_namespaces() {
    reap();
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
