// SPDX-License-Identifier: GPL-2.0

//! Maps from small integers to pointers.
//!
//! These are C's: who has a map that is Rust's own takes an [`XArray`](crate::xarray::XArray).
//!
//! C header: [`include/linux/idr.h`](srctree/include/linux/idr.h)

use crate::{
    bindings,
    prelude::*,
    sync::rcu,
    types::Opaque, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};

/// Wraps the kernel's `struct idr`: a map from integers to `T`.
///
/// C adds entries to the map and removes them, under a lock that is not known here. Here is what
/// takes no lock.
///
/// # Invariants
///
/// - `inner` is an initialised `struct idr`.
/// - Each entry is null or points to a valid `T`, and once it is removed that stays valid until a
///   grace period of RCU has passed.
///
/// # Examples
///
/// ```
/// use kernel::{
///     idr::Idr,
///     sync::rcu, //
/// };
///
/// let map = KBox::pin_init(Idr::<u32>::new(), GFP_KERNEL)?;
/// assert!(map.iter_from(0, &rcu::read_lock()).next().is_none());
///
/// map.set_cursor(300);
/// assert_eq!(map.cursor(), 300);
/// # Ok::<(), Error>(())
/// ```
#[pin_data(PinnedDrop)]
#[repr(transparent)]
pub struct Idr<T> {
    #[pin]
    inner: Opaque<bindings::idr>,
    _entries: PhantomData<*const T>,
}

// SAFETY: The map owns no `T`, and nothing in it belongs to a thread.
unsafe impl<T: Sync> Send for Idr<T> {}

// SAFETY: The methods read the map under RCU, as C lets them do without a lock. They read and write
// the cursor in one piece; the allocator of C does so plainly, under a lock of its own, and takes
// any number that it finds there. The references to `T` that they hand out may be those of several
// threads.
unsafe impl<T: Sync> Sync for Idr<T> {}

impl<T> Idr<T> {
    /// Makes an empty map.
    #[doc(alias = "idr_init")]
    #[inline]
    pub fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            // SAFETY: The slot is valid and nobody else's.
            // INVARIANT: This initialises it, without an entry.
            inner <- Opaque::ffi_init(|idr| unsafe { bindings::idr_init(idr) }),
            _entries: PhantomData,
        })
    }

    /// Creates a reference to an [`Idr`] from a valid pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to an initialised `struct idr` that stays so for the lifetime of the
    /// returned reference. Each of its entries must be a valid `T`, until a grace period of RCU
    /// after it is removed.
    #[inline]
    pub unsafe fn from_ptr<'a>(ptr: *const bindings::idr) -> &'a Self {
        // SAFETY: The safety requirements guarantee the validity of the dereference, while the
        // `Idr` type being transparent makes the cast ok.
        // INVARIANT: By the safety requirements.
        unsafe { &*ptr.cast() }
    }

    /// Returns the number from which on the next entry will be looked for a place.
    #[doc(alias = "idr_get_cursor")]
    #[inline]
    pub fn cursor(&self) -> c_uint {
        // SAFETY: The map is valid by the type invariant; C reads the cursor in one piece.
        unsafe { bindings::idr_get_cursor(self.inner.get()) }
    }

    /// Sets the number from which on the next entry will be looked for a place.
    ///
    /// An entry that is just being added may set it as well; the last one to do so wins.
    #[doc(alias = "idr_set_cursor")]
    #[inline]
    pub fn set_cursor(&self, cursor: c_uint) {
        // SAFETY: The map is valid by the type invariant; C writes the cursor in one piece.
        unsafe { bindings::idr_set_cursor(self.inner.get(), cursor) };
    }

    /// Goes through the entries whose number is at least `first`, in their order.
    ///
    /// Whether it comes by an entry that is added or removed meanwhile is open. Once it has come to
    /// the end, it stays there.
    #[doc(alias = "idr_get_next")]
    #[inline]
    pub fn iter_from<'a>(
        &'a self,
        first: c_int,
        _guard: &'a rcu::Guard,
    ) -> impl Iterator<Item = &'a T> {
        // `None` behind the last number that there can be, and once there was no entry.
        // C warns of a negative one; there is no entry below 0.
        let mut next = Some(first.max(0));
        core::iter::from_fn(move || {
            let mut number = next.take()?;
            // SAFETY: The map is valid by the type invariant, and `_guard` is the RCU read-side
            // section that C asks for. It writes to `number`, which is ours.
            let entry = unsafe { bindings::idr_get_next(self.inner.get(), &raw mut number) };
            let entry = NonNull::new(entry.cast())?;
            next = number.checked_add(1);
            // SAFETY: By the type invariant an entry that is not null is a valid `T`, which stays
            // so while the section lasts; `'a` is no longer.
            Some(unsafe { entry.as_ref() })
        })
    }
}

#[pinned_drop]
impl<T> PinnedDrop for Idr<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The map is valid by the type invariant, and nobody else's any more. C frees what
        // it has allocated for it, and leaves the entries alone.
        unsafe { bindings::idr_destroy(self.inner.get()) };
    }
}
