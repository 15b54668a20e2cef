// SPDX-License-Identifier: GPL-2.0-only

//! Which pid namespace the children of a task get, and the rules for making a new one.

use crate::{
    level::Level,
    roles::{
        ActiveNs,
        DefaultNs, //
    },
    rule::{
        for_children,
        ForChildren,
        NewNamespaces, //
    },
    unborn::Blank, //
};
use kernel::{
    pid_namespace::PidNamespace,
    prelude::*,
    sync::aref::ARef,
    task::Kuid,
    ucount::{
        Charge,
        Kind, //
    },
    user_namespace::UserNamespace, //
};

/// Returns the pid namespace for the children of a task whose namespaces are `active` and
/// `default`: a new one, owned by `user_ns`, if `requested`, else the default.
///
/// # Errors
///
/// Those of making a namespace, see [`create`].
#[doc(alias = "copy_pid_ns")]
pub(crate) fn copy(
    requested: NewNamespaces,
    user_ns: &UserNamespace,
    active: ActiveNs<'_>,
    default: DefaultNs<'_>,
) -> Result<ARef<PidNamespace>> {
    match for_children(requested, active, default) {
        ForChildren::Default(ns) => Ok(ns.get()),
        ForChildren::NewBelow(active) => create(user_ns, active),
    }
}

/// Makes a pid namespace below `active`, owned by `user_ns`.
///
/// # Errors
///
/// In this order, which user space relies on:
///
/// - [`EINVAL`] if `user_ns` is not, and is not below, the owner of `active`;
/// - [`ENOSPC`] if the namespace would lie too deep;
/// - [`ERESTART`] if the user has too many, until
///   [`wait_for_pid_namespaces`](crate::exports::wait_for_pid_namespaces) says whether to try
///   again, or that it is [`ENOSPC`];
/// - what the steps of making it return, [`ENOMEM`] most of all.
#[doc(alias = "create_pid_namespace")]
// Even with the tests, which call it as well: a call is one per cent of what a namespace costs.
#[inline(always)]
pub(crate) fn create(user_ns: &UserNamespace, active: ActiveNs<'_>) -> Result<ARef<PidNamespace>> {
    if !active.as_parent().user_ns().contains(user_ns) {
        return Err(EINVAL);
    }
    let level = Level::below(active).ok_or(ENOSPC)?;
    let charge = charge(user_ns).ok_or(ERESTART)?;
    let ns = Blank::new(level)?.number()?;
    Ok(ns.publish(user_ns, charge))
}

/// Counts one more namespace of the current user; [`None`] at the limit.
#[doc(alias = "inc_pid_namespaces")]
fn charge(user_ns: &UserNamespace) -> Option<Charge> {
    Charge::new(user_ns, Kuid::current_euid(), Kind::PidNamespaces)
}

#[cfg(CONFIG_PID_NS_RUST_KUNIT_TEST)]
#[kunit_tests(pidns_create)]
mod tests {
    use super::*;
    use crate::{
        rule::NewNamespace,
        testing::*, //
    };
    use kernel::bindings;

    #[test]
    fn without_the_flag_the_default_gains_a_reference_and_nothing_changes() -> Result {
        let active = counted_ns()?;
        let default = child_of(&active)?;
        let (active_before, default_before) = (Taken::of(&active), Taken::of(&default));

        let ns = copy(
            NewNamespaces::requested_by(!u64::from(bindings::CLONE_NEWPID)),
            active.user_ns(),
            ActiveNs::new(&active),
            DefaultNs::new(&default),
        )?;

        assert!(ns.as_ptr() == default.as_ptr());
        assert!(Taken::of(&active) == active_before);
        assert_eq!(refs(&default), default_before.refs + 1);
        drop(ns);
        assert!(Taken::of(&default) == default_before);
        Ok(())
    }

    #[test]
    fn a_new_namespace_lies_below_the_active_one_whatever_the_default_is() -> Result {
        let active = counted_ns()?;
        let deeper = child_of(&active)?;
        let before = Taken::of(&deeper);

        for default in [&active, &deeper] {
            settle();
            let active_refs = refs(&active);
            let ns = copy(
                NewNamespace::Pid.into(),
                active.user_ns(),
                ActiveNs::new(&active),
                DefaultNs::new(default),
            )?;
            assert!(ns.parent() == Some(&*active));
            assert_eq!(ns.level(), active.level() + 1);
            assert_eq!(refs(&ns), 1);
            assert_eq!(refs(&active), active_refs + 1);
        }
        assert_eq!(refs(&deeper), before.refs);
        Ok(())
    }

    #[test]
    fn the_last_reference_frees_the_namespace_and_its_charge() -> Result {
        let active = counted_ns()?;
        let before = Taken::of(&active);
        let ns = child_of(&active)?;
        assert_eq!(refs(&active), before.refs + 1);
        drop(ns);
        settle();
        assert!(Taken::of(&active) == before);
        Ok(())
    }

    #[test]
    fn a_child_of_the_deepest_level_is_refused_and_nothing_is_taken() -> Result {
        let mut deepest = counted_ns()?;
        while deepest.level() < bindings::MAX_PID_NS_LEVEL {
            deepest = child_of(&deepest)?;
        }
        let before = Taken::of(&deepest);
        assert_eq!(child_of(&deepest).err(), Some(ENOSPC));
        assert!(Taken::of(&deepest) == before);
        Ok(())
    }

    #[test]
    fn stopping_after_each_step_undoes_it() -> Result {
        let active = counted_ns()?;
        let before = Taken::of(&active);
        let level = || Level::below(ActiveNs::new(&active)).ok_or(ENOSPC);
        let charge = charge(active.user_ns());
        assert_eq!(charges(active.user_ns()), before.charges.map(|n| n + 1));
        drop(charge);
        assert!(Taken::of(&active) == before);

        drop(Blank::new(level()?)?);

        // Inode numbers are handed out lowest first: one that was given back comes again, unless
        // somebody else registers a file in /proc in between, which nobody does while this runs.
        let inum = Blank::new(level()?)?.number()?.inum();
        assert_eq!(Blank::new(level()?)?.number()?.inum(), inum);
        assert!(Taken::of(&active) == before);
        Ok(())
    }
}
