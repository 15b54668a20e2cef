// SPDX-License-Identifier: GPL-2.0-only

//! The end of a pid namespace that nobody holds any more.

use crate::dying::Dying;
#[cfg(CONFIG_PID_NS_RUST_KUNIT_TEST)]
use kernel::prelude::*;

/// Buries a namespace, and then each ancestor whose last reference was that of its child.
///
/// A loop, as the chain can be as long as namespaces are deep.
#[doc(alias = "destroy_pid_namespace_work")]
pub(crate) fn destroy(last: Dying) {
    let mut next = Some(last);
    while let Some(ns) = next {
        next = ns.bury();
    }
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
