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
    dying::destroy_now();
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
