// SPDX-License-Identifier: GPL-2.0-only

// Derived from kernel/pid_namespace.c:
// Copyright (C) 2007 Pavel Emelyanov <xemul@openvz.org>, OpenVZ, SWsoft Inc.
// Copyright (C) 2007 Sukadev Bhattiprolu <sukadev@us.ibm.com>, IBM
// Many thanks to Oleg Nesterov for comments and help

//! The slab caches: one for pid namespaces, and one for the pids of each level.
//!
//! A `struct pid` ends in one number for each level that it has, so that its size depends on the
//! level. The cache for level 0 is that of the initial namespace; `kernel/pid.c` makes it at boot.

use crate::level::Level;
use core::ptr::NonNull;
use kernel::{
    bindings,
    prelude::*,
    slab::{
        Cache,
        CacheBox,
        Flags, //
    },
    sync::SetOnce,
    types::Opaque,
    warn_on_once, //
};

/// The memory of a pid namespace.
pub(crate) type Memory = CacheBox<Opaque<bindings::pid_namespace>>;

type PidCache = Cache<Opaque<bindings::pid>>;

/// The cache for pid namespaces; set at boot.
static NAMESPACES: SetOnce<Cache<Opaque<bindings::pid_namespace>>> = SetOnce::new();

/// The caches for the pids of level 1 and up. Each is empty until the first namespace of its level
/// is made, and stays for good.
static PIDS: [SetOnce<PidCache>; bindings::MAX_PID_NS_LEVEL as usize] =
    [const { SetOnce::new() }; bindings::MAX_PID_NS_LEVEL as usize];

/// What they are called in /proc/slabinfo: `pid_2` is for pids that have two numbers.
static NAMES: [&CStr; bindings::MAX_PID_NS_LEVEL as usize] = [
    c"pid_2", c"pid_3", c"pid_4", c"pid_5", c"pid_6", c"pid_7", c"pid_8", c"pid_9", c"pid_10",
    c"pid_11", c"pid_12", c"pid_13", c"pid_14", c"pid_15", c"pid_16", c"pid_17", c"pid_18",
    c"pid_19", c"pid_20", c"pid_21", c"pid_22", c"pid_23", c"pid_24", c"pid_25", c"pid_26",
    c"pid_27", c"pid_28", c"pid_29", c"pid_30", c"pid_31", c"pid_32", c"pid_33",
];

kernel::sync::global_lock! {
    // SAFETY: `init` initialises it before it sets `NAMESPACES`. Who takes the lock has found that
    // set, in `make_for_pids`.
    /// Held while a cache for pids is made, so that no two of one name are.
    unsafe(uninit) static MAKING: Mutex<()> = ();
}

/// Makes the cache for pid namespaces. Panics without memory.
///
/// # Errors
///
/// [`ENOMEM`], for the sake of completeness.
///
/// # Safety
///
/// Must be called once.
pub(crate) unsafe fn init() -> Result {
    // SAFETY: By the safety requirements this is the one call. Nobody takes the lock before the
    // next line, so that it is not in use.
    unsafe { MAKING.init() };
    NAMESPACES.populate(Cache::new(c"pid_namespace", Flags::PANIC | Flags::ACCOUNT)?);
    Ok(())
}

/// Allocates the memory of a pid namespace, zeroed.
///
/// # Errors
///
/// [`ENOMEM`].
#[inline]
pub(crate) fn alloc() -> Result<Memory> {
    Ok(CacheBox::new_zeroed(namespaces()?, GFP_KERNEL)?)
}

/// Takes the memory of a pid namespace back, which is freed when it is dropped.
///
/// # Safety
///
/// `ns` must be, by `as_raw`, what [`alloc`] has returned in a box that was forgotten, and nobody
/// else may use it any more.
#[inline]
pub(crate) unsafe fn from_raw(ns: NonNull<Opaque<bindings::pid_namespace>>) -> Option<Memory> {
    let cache = namespaces().ok()?;
    // SAFETY: By the safety requirements. There is one cache for pid namespaces.
    Some(unsafe { CacheBox::from_raw(ns, cache) })
}

#[inline]
fn namespaces() -> Result<&'static Cache<Opaque<bindings::pid_namespace>>> {
    let cache = NAMESPACES.as_ref();
    // It is there since boot, unless there was no memory then.
    warn_on_once!(cache.is_none());
    cache.ok_or(ENOMEM)
}

/// Returns the cache for the pids of `level`, and makes it if it is the first time.
///
/// # Errors
///
/// [`ENOMEM`].
#[doc(alias = "create_pid_cachep")]
#[inline]
pub(crate) fn for_pids(level: Level<'_>) -> Result<&'static PidCache> {
    let slot = PIDS.get(level.into_raw() as usize - 1);
    // By its type invariant the level has a place there.
    warn_on_once!(slot.is_none());
    let slot = slot.ok_or(ENOMEM)?;
    slot.as_ref().map_or_else(|| make_for_pids(level, slot), Ok)
}

/// Makes the cache for the pids of `level`, unless somebody else just has. For [`for_pids`] alone.
// Once for each level: what it needs on the stack is not to be set up each time.
#[cold]
fn make_for_pids(level: Level<'_>, slot: &'static SetOnce<PidCache>) -> Result<&'static PidCache> {
    // `struct pid` itself has room for no number.
    let tail = (level.into_raw() as usize + 1) * size_of::<bindings::upid>();
    let name = NAMES.get(level.into_raw() as usize - 1);
    // There are as many of them as of slots.
    warn_on_once!(name.is_none());
    let name = name.ok_or(ENOMEM)?;

    // `init` has set up the lock if it has come as far as to these.
    namespaces()?;
    let making = MAKING.lock();
    // Somebody else may have made it. If that failed, this may not.
    if slot.as_ref().is_none() {
        let flags = Flags::HWCACHE_ALIGN | Flags::ACCOUNT;
        if let Ok(cache) = Cache::with_tail(name, tail, flags) {
            // Nobody else populates it: that takes the lock.
            warn_on_once!(!slot.populate(cache));
        }
    }
    drop(making);
    // If this failed, somebody who has waited may have succeeded.
    slot.as_ref().ok_or(ENOMEM)
}
