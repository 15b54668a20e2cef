// SPDX-License-Identifier: GPL-2.0

//! Slab caches: memory for many objects of one size.
//!
//! C header: [`include/linux/slab.h`](srctree/include/linux/slab.h)

use crate::{
    alloc::{
        AllocError,
        Flags as AllocFlags, //
    },
    as_in_c,
    bindings,
    prelude::*, //
};
use core::{
    marker::PhantomData,
    ops::{
        BitOr,
        Deref,
        DerefMut, //
    },
    ptr::NonNull, //
};

as_in_c!(kmem_cache_args);
as_in_c! {
    kmem_cache_args { align }
}

/// How a [`Cache`] is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Flags(bindings::slab_flags_t);

impl Flags {
    /// The memory of each object is charged to the memory cgroup of who allocates it.
    pub const ACCOUNT: Self = Self(bindings::SLAB_ACCOUNT);

    /// Objects begin at a cache line, where they are large enough for that.
    pub const HWCACHE_ALIGN: Self = Self(bindings::SLAB_HWCACHE_ALIGN);

    /// The kernel panics if the cache cannot be made.
    pub const PANIC: Self = Self(bindings::SLAB_PANIC);
}

impl BitOr for Flags {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Wraps the kernel's `struct kmem_cache`: memory for objects that each begin with a `T`.
///
/// # Invariants
///
/// `ptr` is a cache that `kmem_cache_create` has returned, for objects at least as large and as
/// aligned as a `T`, without a constructor. It was not destroyed.
///
/// # Examples
///
/// ```
/// use kernel::{
///     slab::{
///         Cache,
///         CacheBox,
///         Flags, //
///     },
///     sync::SetOnce, //
/// };
///
/// static NUMBERS: SetOnce<Cache<[u64; 4]>> = SetOnce::new();
///
/// // Once: there must be no other of that name.
/// if NUMBERS.as_ref().is_none() {
///     NUMBERS.populate(Cache::new(c"rust_doctest_numbers", Flags::ACCOUNT)?);
/// }
/// let cache = NUMBERS.as_ref().ok_or(ENOMEM)?;
/// let mut numbers = CacheBox::new_zeroed(cache, GFP_KERNEL)?;
/// numbers[1] = 7;
/// assert_eq!(*numbers, [0, 7, 0, 0]);
/// # Ok::<(), Error>(())
/// ```
pub struct Cache<T> {
    ptr: NonNull<bindings::kmem_cache>,
    _objects: PhantomData<T>,
}

// SAFETY: C synchronises all that is done with a cache, and nothing in it belongs to a thread. It
// hands out memory, and no `T`.
unsafe impl<T> Send for Cache<T> {}

// SAFETY: As above.
unsafe impl<T> Sync for Cache<T> {}

impl<T> Cache<T> {
    /// Makes a cache for `T`, which /proc/slabinfo shows as `name`, unless C merges it with another
    /// one for objects alike.
    ///
    /// There must be no other of that name.
    ///
    /// # Errors
    ///
    /// As [`with_tail`](Self::with_tail).
    #[doc(alias = "kmem_cache_create")]
    #[inline]
    pub fn new(name: &'static CStr, flags: Flags) -> Result<Self> {
        Self::with_tail(name, 0, flags)
    }

    /// Makes a cache for `T` with `tail` bytes behind each, for the array of no length that a C
    /// structure ends in.
    ///
    /// # Errors
    ///
    /// - [`EINVAL`] if objects would have no bytes, or more than `KMALLOC_MAX_SIZE`;
    /// - [`ENOMEM`].
    #[doc(alias = "kmem_cache_create")]
    pub fn with_tail(name: &'static CStr, tail: usize, flags: Flags) -> Result<Self> {
        let size = size_of::<T>().checked_add(tail).ok_or(EINVAL)?;
        // C checks the maximum with CONFIG_DEBUG_VM only, and zero not at all.
        if size == 0 || size > bindings::KMALLOC_MAX_SIZE as usize {
            return Err(EINVAL);
        }
        let mut args = bindings::kmem_cache_args {
            align: align_of::<T>() as u32,
            ..Default::default()
        };
        // SAFETY: The arguments are valid for the duration of the call, and the name for good: C
        // need not copy it.
        let ptr = unsafe {
            bindings::__kmem_cache_create_args(
                name.as_char_ptr(),
                u32::try_from(size)?,
                &raw mut args,
                flags.0,
            )
        };
        // INVARIANT: Just made, for objects of that size and alignment.
        Ok(Self {
            ptr: NonNull::new(ptr).ok_or(ENOMEM)?,
            _objects: PhantomData,
        })
    }

    /// Returns the cache for C.
    #[inline]
    pub fn as_ptr(&self) -> *mut bindings::kmem_cache {
        self.ptr.as_ptr()
    }
}

impl<T> Drop for Cache<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the cache was not destroyed, and nobody else has it: a
        // `CacheBox` borrows it for good.
        unsafe { bindings::kmem_cache_destroy(self.as_ptr()) };
    }
}

/// A `T` in memory from a [`Cache`] that stays for good.
///
/// # Invariants
///
/// `object` is a valid `T`, ours alone, in memory from `cache`.
pub struct CacheBox<T: 'static> {
    object: NonNull<T>,
    cache: &'static Cache<T>,
}

// SAFETY: It owns the object, and the cache is anybody's.
unsafe impl<T: Send> Send for CacheBox<T> {}

// SAFETY: It hands out references to the object alone.
unsafe impl<T: Sync> Sync for CacheBox<T> {}

impl<T: Zeroable> CacheBox<T> {
    /// Allocates an object, with all its bytes zero, those of the tail as well.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory.
    #[doc(alias = "kmem_cache_zalloc")]
    #[inline]
    pub fn new_zeroed(cache: &'static Cache<T>, flags: AllocFlags) -> Result<Self, AllocError> {
        // SAFETY: The cache is valid by its type invariant.
        let object = unsafe { bindings::kmem_cache_zalloc(cache.as_ptr(), flags.as_raw()) };
        // INVARIANT: By that of the cache the memory has room for a `T`, for which zeroes will do.
        Ok(Self {
            object: NonNull::new(object.cast()).ok_or(AllocError)?,
            cache,
        })
    }
}

impl<T> CacheBox<T> {
    /// Returns the object for C, which may change it while nobody uses the box.
    #[inline]
    pub fn as_raw(&self) -> NonNull<T> {
        self.object
    }

    /// Takes an object back.
    ///
    /// It belongs to the box from here on, which frees it.
    ///
    /// # Safety
    ///
    /// `object` must come from [`as_raw`](Self::as_raw) of a box from this `cache` that was
    /// forgotten, be it in another thread; it must be a valid `T`, and nobody else may use it any
    /// more.
    #[inline]
    pub unsafe fn from_raw(object: NonNull<T>, cache: &'static Cache<T>) -> Self {
        // INVARIANT: By the safety requirements.
        Self { object, cache }
    }
}

impl<T> Deref for CacheBox<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: By the type invariant the object is valid, and `self` is borrowed.
        unsafe { self.object.as_ref() }
    }
}

impl<T> DerefMut for CacheBox<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: By the type invariant the object is valid and ours, and `self` is borrowed.
        unsafe { self.object.as_mut() }
    }
}

impl<T> Drop for CacheBox<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type invariant the object is valid and ours, and not used hereafter.
        unsafe { self.object.drop_in_place() };
        // SAFETY: By the type invariant the memory is from this cache.
        unsafe { bindings::kmem_cache_free(self.cache.as_ptr(), self.object.as_ptr().cast()) };
    }
}
