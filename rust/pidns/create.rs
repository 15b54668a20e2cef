// SPDX-License-Identifier: GPL-2.0-only

// Derived from kernel/pid_namespace.c:
// Copyright (C) 2007 Pavel Emelyanov <xemul@openvz.org>, OpenVZ, SWsoft Inc.
// Copyright (C) 2007 Sukadev Bhattiprolu <sukadev@us.ibm.com>, IBM
// Many thanks to Oleg Nesterov for comments and help

//! Which pid namespace the children of a task get, the rules for making a new one, and its steps.
//!
//! Memory and number are types, the later of which owns the earlier; the charge is a value beside
//! them. Dropping one undoes its step, and then the earlier ones; only a number can be published.
//! So no error path can forget an undo, and no namespace can be seen that is not whole.

use crate::{
    caches,
    level::Level,
    nsfs::pidns_operations,
    roles::{
        ActiveNs,
        DefaultNs, //
    },
    rule::{
        for_children,
        ForChildren,
        NewNamespaces, //
    }, //
};
use core::{
    mem::ManuallyDrop,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    ns_common::NamespaceExt,
    pid_namespace::{
        PidNamespace,
        Pids, //
    },
    prelude::*,
    sync::aref::ARef,
    task::Kuid,
    ucount,
    user_namespace::UserNamespace, //
};

/// Returns the pid namespace for the children of a task whose namespaces are `active` and
/// `default`: a new one, owned by `user_ns`, if `requested`, else the default.
///
/// # Errors
///
/// Those of making a namespace, see [`create`].
#[doc(alias = "copy_pid_ns")]
// As `create`: else the compiler makes a call of this one, even where no new one is asked for.
#[inline(always)]
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
/// - [`ERESTART`] if the user has too many, or there is no memory for the counters of a new user;
///   `wait_for_pid_namespaces()` then says whether to try again, or what to return;
/// - what the steps of making it return, [`ENOMEM`] most of all.
#[doc(alias = "create_pid_namespace")]
// Even with the tests, which call it as well: a call is one per cent of what a namespace costs.
#[inline(always)]
pub(crate) fn create(user_ns: &UserNamespace, active: ActiveNs<'_>) -> Result<ARef<PidNamespace>> {
    if !active.as_ancestor().user_ns().contains(user_ns) {
        return Err(EINVAL);
    }
    let level = Level::below(active).ok_or(ENOSPC)?;
    let charge = charge(user_ns).ok_or(ERESTART)?;
    let ns = Blank::new(level)?.number()?;
    Ok(ns.publish(user_ns, charge))
}

/// Counts one more namespace of the current user; [`None`] at the limit.
#[doc(alias = "inc_pid_namespaces")]
fn charge(user_ns: &UserNamespace) -> Option<ucount::Charge> {
    ucount::Charge::new(user_ns, Kuid::current_euid(), ucount::Kind::PidNamespaces)
}

/// A pid namespace without a number, a parent and an owner.
///
/// # Invariants
///
/// Nobody else knows of `ns`. Its map of pids is valid and empty, its `pid_cachep` is the cache for
/// the pids of its `level`, that is one more than that of `parent` and at most `MAX_PID_NS_LEVEL`,
/// and its `pid_max` is set. It has no parent, owner and charge yet: these are null.
pub(crate) struct Blank<'a> {
    ns: caches::Memory,
    parent: &'a PidNamespace,
}

impl<'a> Blank<'a> {
    /// Allocates a namespace for `level`.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`] if there is no memory for it, or for the cache of the first pid at its level.
    // Each step as `create` itself.
    #[inline(always)]
    pub(crate) fn new(level: Level<'a>) -> Result<Self> {
        let ns = caches::alloc()?;
        let pid_cachep = caches::for_pids(level)?;
        // SAFETY:
        // - `ns` is valid memory of which nobody else knows, so that its fields are ours to write.
        // - The map is where it will be dropped: the memory of a namespace does not move, and
        //   nothing of a map is there yet.
        // - What the other fields have held so far, zeroes, needs no drop.
        unsafe {
            let ns = ns.get();
            pin_init::raw_init((&raw mut (*ns).idr).cast(), Pids::new());
            (*ns).pid_cachep = pid_cachep.as_ptr();
            (*ns).level = level.into_raw();
            // Not its parent's: each namespace starts at the largest value there is.
            (*ns).pid_max = bindings::PID_MAX_LIMIT;
        }
        // INVARIANT: As just written, and zeroed by `alloc`; of the level by its own invariant.
        Ok(Self {
            ns,
            parent: level.parent(),
        })
    }

    /// Gives the namespace an inode number, and the one reference that its maker will own.
    ///
    /// # Errors
    ///
    /// What `proc_alloc_inum()` returns: [`ENOSPC`] or [`ENOMEM`]. The namespace is gone then.
    #[inline(always)]
    pub(crate) fn number(self) -> Result<Numbered<'a>> {
        // SAFETY: By the type invariant nobody else knows of `ns`, so that the memory is ours. It
        // is that of a slab object, which stays where it is when the box moves. The table is that
        // of pid namespaces.
        unsafe { PidNamespace::init_common(self.as_ns(), &pidns_operations) }?;
        // INVARIANT: The call above succeeded.
        Ok(Numbered { blank: self })
    }

    #[inline]
    fn as_ns(&self) -> NonNull<PidNamespace> {
        self.ns.as_raw().cast()
    }
}

impl Drop for Blank<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type invariant the map is valid and ours, and empty. It is not used any
        // more: the memory is freed next.
        unsafe { core::ptr::drop_in_place((&raw mut (*self.ns.get()).idr).cast::<Pids>()) };
    }
}

/// A [`Blank`] that has an inode number and a reference count of one. All that can fail has been
/// done.
///
/// # Invariants
///
/// `init_common` has succeeded on the namespace.
pub(crate) struct Numbered<'a> {
    blank: Blank<'a>,
}

impl Numbered<'_> {
    /// Gives the namespace its place below its parent, its owner and what it counts against, and
    /// lets the world see it.
    ///
    /// This is the point of no return: nothing in here can fail. The namespace and `charge` are the
    /// caller's before; from here on the last reference decides, of which the caller gets the one
    /// that there is, and `Dying` undoes all of it.
    #[inline(always)]
    pub(crate) fn publish(
        self,
        user_ns: &UserNamespace,
        charge: ucount::Charge,
    ) -> ARef<PidNamespace> {
        // Its memory and its number belong to the namespace itself from here on.
        let this = ManuallyDrop::new(self);
        let (ns, parent) = (this.blank.as_ns(), this.blank.parent);

        // SAFETY:
        // - By the type invariants nobody else knows of `ns` and the memory is valid, so that all
        //   fields are ours to write, up to the call that adds it to the tree.
        // - `parent`, `user_ns` and `ucounts` are null before. The two references and the charge
        //   that are stored there belong to the namespace from here on, until `bury` and `Buried`
        //   take them back. An `ARef<T>` points to a transparent wrapper of what C has there.
        // - The other fields are numbers, of which none is read before.
        // - To add it to the tree, `init_common` must have succeeded, as it has by the type
        //   invariant, and the namespace be whole: all of `Blank` and the lines above have made it
        //   so, its owner included. Its memory and its owner stay until `Buried` is dropped, a
        //   grace period after `bury` has taken it out. It enters the tree once, as this takes
        //   `self`. Whoever finds it there sees it whole:
        //   `Documentation/litmus-tests/pidns/namespace-is-whole-when-found.litmus`.
        // - It began with one reference, that of `init_common`, which nobody has given up or taken
        //   for an `ARef` yet, so that it is ours. It is counted from here on, as `add_to_tree` has
        //   given the namespace its id.
        // INVARIANT: All fields that never change have been set, and by those of `Blank` the map is
        // valid, and the level as it must be.
        unsafe {
            let raw = ns.cast::<bindings::pid_namespace>().as_ptr();
            (*raw).parent = ARef::into_raw(ARef::from(parent)).as_ptr().cast();
            (*raw).user_ns = ARef::into_raw(ARef::from(user_ns)).as_ptr().cast();
            (*raw).ucounts = charge.into_raw();
            (*raw).pid_allocated = bindings::PIDNS_ADDING;
            #[cfg(all(CONFIG_SYSCTL, CONFIG_MEMFD_CREATE))]
            {
                (*raw).memfd_noexec_scope = parent.memfd_noexec_scope();
            }
            PidNamespace::add_to_tree(ns);
            ARef::from_raw(ns)
        }
    }
}

impl Drop for Numbered<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type invariant this ends what `init_common` began, once. Nobody can find
        // the namespace: `publish`, which lets the world see it, forgets `self`.
        unsafe { PidNamespace::free_common(self.blank.as_ns()) };
    }
}

/// Finds the pid namespace for the children of a task.
///
/// Returns `default_ns`, or a new namespace if `flags` has `CLONE_NEWPID`, with a reference that
/// belongs to the caller; or an `ERR_PTR()`, see [`copy`].
///
/// * `flags`: the flags of `clone()` or `unshare()`; all but `CLONE_NEWPID` are ignored.
/// * `user_ns`: the user namespace that will own a new namespace.
/// * `active_ns`: the pid namespace that the calling task was born in, and the parent of a new one.
/// * `default_ns`: the pid namespace that its children are born in so far.
///
/// # Safety
///
/// The three pointers must be valid, and somebody must hold a reference to each namespace for the
/// duration of the call, be it the calling task.
#[export]
pub(crate) unsafe extern "C" fn copy_pid_ns(
    flags: u64,
    user_ns: *mut bindings::user_namespace,
    active_ns: *mut bindings::pid_namespace,
    default_ns: *mut bindings::pid_namespace,
) -> *mut bindings::pid_namespace {
    // SAFETY: By the safety requirements `user_ns` is valid, and somebody holds a reference to it,
    // for the duration of this call, which is longer than the borrow is used.
    let user_ns = unsafe { UserNamespace::from_ptr(user_ns) };
    // SAFETY: As above, for `active_ns`.
    let active = ActiveNs::new(unsafe { PidNamespace::from_ptr(active_ns) });
    // SAFETY: As above, for `default_ns`.
    let default = DefaultNs::new(unsafe { PidNamespace::from_ptr(default_ns) });

    match copy(NewNamespaces::requested_by(flags), user_ns, active, default) {
        // CAST: `PidNamespace` is a transparent wrapper around `struct pid_namespace`.
        Ok(ns) => ARef::into_raw(ns).as_ptr().cast(),
        Err(err) => err.to_ptr(),
    }
}

#[cfg(CONFIG_PID_NS_RUST_KUNIT_TEST)]
#[kunit_tests(pidns_create)]
mod tests {
    use super::*;
    use crate::testing::*;

    impl Numbered<'_> {
        fn inum(&self) -> u32 {
            // SAFETY: By the type invariant of `Blank` the namespace is valid and ours.
            unsafe { (*self.blank.ns.get()).ns.inum }
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
                NewNamespaces::requested_by(bindings::CLONE_NEWPID.into()),
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
        // somebody else registers a file in /proc in between, which a driver may do now and then.
        let inum = || -> Result<u32> { Ok(Blank::new(level()?)?.number()?.inum()) };
        let mut comes_again = false;
        for _ in 0..10 {
            comes_again |= inum()? == inum()?;
        }
        assert!(comes_again);
        assert!(Taken::of(&active) == before);
        Ok(())
    }
}
