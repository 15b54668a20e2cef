// SPDX-License-Identifier: GPL-2.0-only

//! The end of pid namespaces that nobody holds any more.

use crate::{
    dying::{
        self,
        Batch, //
    },
    tasks::cond_resched, //
};
#[cfg(CONFIG_PID_NS_RUST_KUNIT_TEST)]
use kernel::prelude::*;

kernel::sync::global_lock! {
    // SAFETY: `init` initialises it, before there is a namespace to destroy.
    /// Held while a batch is buried, so that who gets it knows that the one before is.
    unsafe(uninit) static BURYING: Mutex<()> = ();
}

/// Sets up the lock.
///
/// # Safety
///
/// To be called once, before a namespace can lose its last reference.
#[link_section = ".init.text"]
pub(crate) unsafe fn init() {
    // SAFETY: By the safety requirements this is the one call.
    unsafe { BURYING.init() };
}

/// Buries all namespaces that have no references, each followed by the ancestors whose last
/// reference was that of their child.
#[doc(alias = "destroy_pid_namespaces")]
pub(crate) fn destroy() {
    let _burying = BURYING.lock();
    for dying in Batch::take() {
        let mut next = Some(dying);
        while let Some(ns) = next {
            next = ns.bury();
        }
        cond_resched();
    }
}

/// Waits until all namespaces without references are freed, and until those have none that only
/// RCU has held so far.
///
/// Flushes no work item: the workqueue may need a new thread for it, and so a `fork()`.
#[doc(alias = "reap_pid_namespaces")]
pub(crate) fn reap() {
    destroy();
    dying::wait_for_rcu();
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
