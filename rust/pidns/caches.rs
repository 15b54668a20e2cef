// SPDX-License-Identifier: GPL-2.0-only

//! The slab caches: one for pid namespaces, and one for the pids of each level.
//!
//! A `struct pid` ends in one number for each level that it has, so that its size depends on the
//! level. The cache for level 0 is that of the initial namespace; `kernel/pid.c` makes it at boot.
//!
//! C header: [`include/linux/slab.h`](srctree/include/linux/slab.h)

use crate::level::Level;
use core::ptr::{
    null_mut,
    NonNull, //
};
use kernel::{
    bindings,
    prelude::*,
    str::CString,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    }, //
};

type Cache = Atomic<*mut bindings::kmem_cache>;

const LEVELS: usize = bindings::MAX_PID_NS_LEVEL as usize;

/// The cache for pid namespaces; set once, at boot.
static NAMESPACES: Cache = Cache::new(null_mut());

/// The caches for the pids of level 1 and up. Each is null until the first namespace of its level
/// is made, and stays for good.
static PIDS: [Cache; LEVELS] = [const { Cache::new(null_mut()) }; LEVELS];

kernel::sync::global_lock! {
    // SAFETY: `init` initialises it, before anybody can make a namespace.
    /// Held while a cache for pids is made, so that no two of one name are.
    unsafe(uninit) static MAKING: Mutex<()> = ();
}

/// Makes the cache for pid namespaces. Panics without memory.
///
/// # Safety
///
/// Must be called once, before anybody makes a pid namespace.
pub(crate) unsafe fn init() {
    // SAFETY: By the safety requirements this is the one call.
    unsafe { MAKING.init() };
    let cache = create(
        c"pid_namespace",
        size_of::<bindings::pid_namespace>(),
        align_of::<bindings::pid_namespace>(),
        bindings::SLAB_PANIC | bindings::SLAB_ACCOUNT,
    );
    NAMESPACES.store(cache, Release);
}

/// Allocates the memory of a pid namespace, zeroed.
///
/// # Errors
///
/// [`ENOMEM`].
pub(crate) fn alloc_namespace() -> Result<NonNull<bindings::pid_namespace>> {
    // SAFETY: The cache was made at boot. As it never goes away, the pointer is valid.
    let ns = unsafe { bindings::kmem_cache_zalloc(NAMESPACES.load(Acquire), bindings::GFP_KERNEL) };
    NonNull::new(ns.cast()).ok_or(ENOMEM)
}

/// Frees the memory of a pid namespace.
///
/// # Safety
///
/// `ns` must come from [`alloc_namespace`] and must not be used any more.
pub(crate) unsafe fn free_namespace(ns: NonNull<bindings::pid_namespace>) {
    // SAFETY: The safety requirements guarantee that `ns` came from this cache.
    unsafe { bindings::kmem_cache_free(NAMESPACES.load(Acquire), ns.as_ptr().cast()) };
}

/// Returns the cache for the pids of `level`, and makes it if it is the first time.
///
/// # Errors
///
/// [`ENOMEM`].
#[doc(alias = "create_pid_cachep")]
pub(crate) fn for_pids(level: Level<'_>) -> Result<NonNull<bindings::kmem_cache>> {
    let slot = PIDS.get(level.index()).ok_or(ENOSPC)?;
    match NonNull::new(slot.load(Acquire)) {
        Some(cache) => Ok(cache),
        None => make_for_pids(level, slot),
    }
}

/// Makes the cache for the pids of `level`, unless somebody else just has.
// Once for each level: what it needs on the stack is not to be set up each time.
#[cold]
fn make_for_pids(level: Level<'_>, slot: &Cache) -> Result<NonNull<bindings::kmem_cache>> {
    // The name as in /proc/slabinfo: `pid_2` is for pids that have two numbers.
    let numbers = level.into_raw() as usize + 1;
    let name = CString::try_from_fmt(fmt!("pid_{numbers}"))?;
    // `struct pid` itself has room for no number.
    let size = size_of::<bindings::pid>() + numbers * size_of::<bindings::upid>();

    let _making = MAKING.lock();
    // Somebody else may have made it. If that failed, this may not.
    let mut cache = slot.load(Relaxed);
    if cache.is_null() {
        let flags = bindings::SLAB_HWCACHE_ALIGN | bindings::SLAB_ACCOUNT;
        cache = create(&name, size, 0, flags);
        slot.store(cache, Release);
    }
    NonNull::new(cache).ok_or(ENOMEM)
}

/// Makes a cache; null without memory.
fn create(
    name: &CStr,
    size: usize,
    align: usize,
    flags: bindings::slab_flags_t,
) -> *mut bindings::kmem_cache {
    let mut args = bindings::kmem_cache_args {
        align: align as u32,
        ..Default::default()
    };
    // SAFETY: The name is copied, and the arguments are valid for the duration of the call.
    unsafe {
        bindings::__kmem_cache_create_args(name.as_char_ptr(), size as u32, &raw mut args, flags)
    }
}
