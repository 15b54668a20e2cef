// SPDX-License-Identifier: GPL-2.0-only

//! What nsfs, `setns()` and `/proc/PID/ns/` ask of pid namespaces.

use crate::roles::ActiveNs;
use kernel::{
    nsproxy::NsSet,
    pid_namespace::PidNamespace,
    prelude::*,
    sync::aref::ARef, //
};

/// Makes `new` the default namespace for the children of a task that calls `setns()`.
///
/// A task can only go down, or back to where it is: its children must have a pid that it can see,
/// and must not escape from the namespace that it is in.
///
/// # Errors
///
/// - [`EPERM`] without CAP_SYS_ADMIN over the owner of `new`, and in the user namespace that the
///   task will be in;
/// - [`EINVAL`] if `new` is not the active namespace of the task, nor below it.
#[doc(alias = "pidns_install")]
pub(crate) fn install(set: &mut NsSet, new: &PidNamespace) -> Result {
    if !new.user_ns().current_is_admin() || !set.user_ns().current_is_admin() {
        return Err(EPERM);
    }
    set.set_pid_ns_for_children(new)
}

/// Returns the parent of `ns`, if the task whose active namespace is `active` may see it.
///
/// # Errors
///
/// [`EPERM`] if the parent is not `active`, nor below it; the initial namespace has none.
#[doc(alias = "pidns_get_parent")]
pub(crate) fn parent(ns: &PidNamespace, active: ActiveNs<'_>) -> Result<ARef<PidNamespace>> {
    let parent = ns.parent().ok_or(EPERM)?;
    if !active.as_ancestor().is_ancestor_of(parent) {
        return Err(EPERM);
    }
    Ok(parent.into())
}

#[cfg(CONFIG_PID_NS_RUST_KUNIT_TEST)]
#[kunit_tests(pidns_nsfs)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn ancestors_are_those_above_and_the_namespace_itself() -> Result {
        let top = counted_ns()?;
        let (left, right) = (child_of(&top)?, child_of(&top)?);
        let below = child_of(&left)?;
        let initial = current!();
        let initial = initial.active_pid_ns().ok_or(ESRCH)?;

        // Columns: is the first an ancestor of the second?
        for (ancestor, ns, expected) in [
            (&*top, &*top, true),
            (&top, &left, true),
            (&top, &below, true),
            (initial, &below, true),
            (&left, &top, false),
            (&right, &below, false),
            (&below, &left, false),
            (&below, initial, false),
        ] {
            assert_eq!(ancestor.is_ancestor_of(ns), expected);
        }
        Ok(())
    }

    #[test]
    fn the_parent_is_shown_to_who_lives_there_or_above() -> Result {
        let top = counted_ns()?;
        let ns = child_of(&top)?;
        let stranger = child_of(&top)?;
        let initial = current!();
        let initial = initial.active_pid_ns().ok_or(ESRCH)?;

        assert!(parent(&ns, ActiveNs::new(&top))? == top);
        assert!(parent(&ns, ActiveNs::new(initial))? == top);
        assert_eq!(parent(&ns, ActiveNs::new(&ns)).err(), Some(EPERM));
        assert_eq!(parent(&ns, ActiveNs::new(&stranger)).err(), Some(EPERM));
        assert_eq!(parent(initial, ActiveNs::new(initial)).err(), Some(EPERM));
        Ok(())
    }
}
