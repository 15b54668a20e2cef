// SPDX-License-Identifier: GPL-2.0-only

//! Which pid namespace the children of a task get, and the rules for making a new one.

use crate::{
    flags::{
        NewNamespace,
        NewNamespaces, //
    },
    roles::{
        ActiveNs,
        DefaultNs, //
    },
    unborn::{
        Blank,
        Level, //
    },
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
    if !requested.contains(NewNamespace::Pid) {
        return Ok(default.to_owned());
    }
    create(user_ns, active)
}

/// Makes a pid namespace below `active`, owned by `user_ns`.
///
/// # Errors
///
/// In this order, which user space relies on:
///
/// - [`EINVAL`] if `user_ns` is not, and is not below, the owner of `active`;
/// - [`ENOSPC`] if the namespace would lie too deep, or the user has too many;
/// - what the steps of making it return, [`ENOMEM`] most of all.
#[doc(alias = "create_pid_namespace")]
fn create(user_ns: &UserNamespace, active: ActiveNs<'_>) -> Result<ARef<PidNamespace>> {
    let parent = active.as_parent();
    if !parent.user_ns().contains(user_ns) {
        return Err(EINVAL);
    }
    let level = Level::below(parent).ok_or(ENOSPC)?;
    let charge = Charge::new(user_ns, Kuid::current_euid(), Kind::PidNamespaces).ok_or(ENOSPC)?;
    let ns = Blank::new(level)?.number()?.configure()?;
    Ok(ns.publish(active, user_ns, charge))
}

#[cfg(CONFIG_PID_NS_RUST_KUNIT_TEST)]
#[kunit_tests(pidns_create)]
mod tests {
    use super::*;
    use kernel::{
        bindings,
        sync::atomic::{
            Atomic,
            Relaxed, //
        }, //
    };

    /// What can leak: the references on a namespace, and what the user holds in its owner.
    #[derive(Clone, Copy, PartialEq, Eq)]
    struct Taken {
        refs: u32,
        charges: Option<usize>,
    }

    impl Taken {
        fn of(ns: &PidNamespace) -> Self {
            Self {
                refs: refs(ns),
                charges: charges(ns.user_ns()),
            }
        }
    }

    fn refs(ns: &PidNamespace) -> u32 {
        // SAFETY: A shared reference exists, so the namespace is valid; the count is atomic.
        unsafe { bindings::refcount_read(&raw const (*ns.as_ptr()).ns.__bindgen_anon_1.__ns_ref) }
    }

    /// How many pid namespaces the user holds in `user_ns`; [`None`] at the limit.
    fn charges(user_ns: &UserNamespace) -> Option<usize> {
        let kind = bindings::ucount_type_UCOUNT_PID_NAMESPACES;
        let one_more = Charge::new(user_ns, Kuid::current_euid(), Kind::PidNamespaces)?.into_raw();
        // SAFETY: `one_more` is valid until it is passed to `dec_ucount`, as it is once. The
        // counter, an `atomic_long_t` and so as good as an `isize`, is only accessed atomically.
        let count = unsafe {
            let counter = &raw mut (*one_more).ucount[kind as usize];
            let count = Atomic::<isize>::from_ptr(counter.cast()).load(Relaxed);
            bindings::dec_ucount(one_more, kind);
            count
        };
        usize::try_from(count - 1).ok()
    }

    fn parent(ns: &PidNamespace) -> *mut bindings::pid_namespace {
        // SAFETY: A shared reference exists, so the namespace is valid; `parent` never changes.
        unsafe { (*ns.as_ptr()).parent }
    }

    fn child_of(ns: &PidNamespace) -> Result<ARef<PidNamespace>> {
        create(ns.user_ns(), ActiveNs::new(ns))
    }

    /// A namespace that, unlike the initial one, counts its references.
    fn counted_ns() -> Result<ARef<PidNamespace>> {
        settle();
        child_of(current!().active_pid_ns().ok_or(ESRCH)?)
    }

    /// Waits until all namespaces that lost their last reference are freed.
    ///
    /// Flushing the one work item would not do: it frees the namespace that it lies in.
    fn settle() {
        // SAFETY: Both may sleep, as a test may, and the queue is there since early boot. It runs
        // the work items that destroy namespaces; these leave the rest to RCU callbacks.
        unsafe {
            bindings::__flush_workqueue(bindings::system_percpu_wq);
            bindings::rcu_barrier();
        }
    }

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
            assert!(parent(&ns) == active.as_ptr());
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
        let level = || Level::below(&active).ok_or(ENOSPC);
        let charge = Charge::new(active.user_ns(), Kuid::current_euid(), Kind::PidNamespaces);
        assert_eq!(charges(active.user_ns()), before.charges.map(|n| n + 1));
        drop(charge);
        assert!(Taken::of(&active) == before);

        drop(Blank::new(level()?)?);

        // Inode numbers are handed out lowest first: one that was given back comes again, unless
        // somebody else registers a file in /proc in between, which nobody does while this runs.
        let inum = Blank::new(level()?)?.number()?.inum();
        assert_eq!(Blank::new(level()?)?.number()?.inum(), inum);
        drop(Blank::new(level()?)?.number()?.configure()?);
        assert_eq!(Blank::new(level()?)?.number()?.inum(), inum);
        assert!(Taken::of(&active) == before);
        Ok(())
    }
}
