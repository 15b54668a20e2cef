// SPDX-License-Identifier: GPL-2.0

//! Lists that many add to and one empties, without a lock.
//!
//! C header: [`include/linux/llist.h`](srctree/include/linux/llist.h)

use crate::{
    as_in_c,
    bindings,
    types::Opaque, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};

as_in_c! {
    llist_node { next }
}

/// What a [`LockLessList`] can hold: a value that owns a C structure, which has the field that
/// ties it to the next.
///
/// # Safety
///
/// - [`into_raw`](Self::into_raw) must return a pointer to a valid [`Of`](Self::Of), which stays
///   valid until it is passed to [`from_raw`](Self::from_raw).
/// - Until then there must be no other value whose `into_raw` returns that pointer, and none must
///   come to be: a pointer that is counted and shared cannot be in two places of a list.
/// - There must be a `struct llist_node` at the offset [`NODE`](Self::NODE) of it, which nothing
///   but a list uses meanwhile.
pub unsafe trait Listed: Send + Sized + 'static {
    /// The C structure.
    type Of;

    /// The offset of its `struct llist_node` in bytes.
    const NODE: usize;

    /// Gives the value up for the structure.
    fn into_raw(self) -> NonNull<Self::Of>;

    /// Takes the value back.
    ///
    /// # Safety
    ///
    /// `of` must come from [`into_raw`](Self::into_raw), be it in another thread, and must not be
    /// used for anything else from here on, but for what the implementation lets others do.
    unsafe fn from_raw(of: NonNull<Self::Of>) -> Self;
}

/// Wraps the kernel's `struct llist_head`: a list of values.
///
/// # Invariants
///
/// Each node in the list is that of a structure that [`Listed::into_raw`] has given a value up
/// for, and that value now belongs to the list.
///
/// # Examples
///
/// ```
/// use core::{
///     mem::offset_of,
///     ptr::NonNull, //
/// };
/// use kernel::{
///     bindings,
///     llist::{
///         Listed,
///         LockLessList, //
///     }, //
/// };
///
/// #[repr(C)]
/// struct Parcel {
///     weight: u32,
///     node: bindings::llist_node,
/// }
///
/// struct Owned(KBox<Parcel>);
///
/// // SAFETY: A box keeps what is in it valid, and is not shared; `node` is used for nothing else.
/// unsafe impl Listed for Owned {
///     type Of = Parcel;
///     const NODE: usize = offset_of!(Parcel, node);
///
///     fn into_raw(self) -> NonNull<Parcel> {
///         NonNull::from(KBox::leak(self.0))
///     }
///
///     unsafe fn from_raw(of: NonNull<Parcel>) -> Self {
///         // SAFETY: It was the box of `into_raw`.
///         Self(unsafe { KBox::from_raw(of.as_ptr()) })
///     }
/// }
///
/// // SAFETY: Nothing in it belongs to a thread.
/// unsafe impl Send for Owned {}
///
/// let list = LockLessList::new();
/// for weight in [1, 2] {
///     let node = bindings::llist_node::default();
///     list.add(Owned(KBox::new(Parcel { weight, node }, GFP_KERNEL)?));
/// }
/// // The last comes first.
/// assert!(list.take_all().map(|parcel| parcel.0.weight).eq([2, 1]));
/// assert!(list.take_all().next().is_none());
/// # Ok::<(), Error>(())
/// ```
#[repr(transparent)]
pub struct LockLessList<T: Listed> {
    head: Opaque<bindings::llist_head>,
    _values: PhantomData<T>,
}

// SAFETY: The list owns values that may be sent to other threads.
unsafe impl<T: Listed> Send for LockLessList<T> {}

// SAFETY: What adds to the list and what takes from it is atomic; each value is handed out once.
unsafe impl<T: Listed> Sync for LockLessList<T> {}

impl<T: Listed> LockLessList<T> {
    /// Makes an empty list.
    #[doc(alias = "LLIST_HEAD")]
    #[inline]
    pub const fn new() -> Self {
        Self {
            // INVARIANT: An empty list is all zeroes.
            head: Opaque::zeroed(),
            _values: PhantomData,
        }
    }

    /// Adds a value, which belongs to the list from here on: whoever empties it, perhaps on another
    /// CPU before this returns, owns the value then.
    ///
    /// Who gets the value sees all that was done before it was added. Returns whether the list was
    /// empty. Can be called from anywhere but an NMI handler, if the architecture has no atomic
    /// exchange that is safe there.
    #[doc(alias = "llist_add")]
    #[inline]
    pub fn add(&self, value: T) -> bool {
        let node = T::into_raw(value).as_ptr().wrapping_byte_add(T::NODE);
        // SAFETY: By the safety requirements of `Listed` this is a node, in no list: its value was
        // in none. It stays valid until somebody takes the value back.
        unsafe { bindings::llist_add(node.cast(), self.head.get()) }
    }

    /// Takes all values, those that were added last first.
    #[doc(alias = "llist_del_all")]
    #[inline]
    pub fn take_all(&self) -> Taken<T> {
        Taken {
            // SAFETY: The list is valid.
            // INVARIANT: By the type invariant of the list; it has given all of them up.
            next: unsafe { bindings::llist_del_all(self.head.get()) },
            _values: PhantomData,
        }
    }
}

impl<T: Listed> Default for LockLessList<T> {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Listed> Drop for LockLessList<T> {
    fn drop(&mut self) {
        drop(self.take_all());
    }
}

/// What was in a [`LockLessList`], one after the other. What is left when this is dropped is
/// dropped as well.
///
/// # Invariants
///
/// `next` is null or the node of a value that was in the list, as are those that follow, and the
/// values are ours.
pub struct Taken<T: Listed> {
    next: *mut bindings::llist_node,
    _values: PhantomData<T>,
}

// SAFETY: It owns values that may be sent to other threads.
unsafe impl<T: Listed> Send for Taken<T> {}

impl<T: Listed> Iterator for Taken<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let node = NonNull::new(self.next)?;
        // SAFETY: By the type invariant the node is valid.
        // INVARIANT: This one is handed out below, and those that follow are left.
        self.next = unsafe { (*node.as_ptr()).next };
        // SAFETY: By the type invariant and the safety requirements of `Listed`, `node` is at that
        // offset of a structure that `into_raw` has returned, and it is ours.
        Some(unsafe { T::from_raw(node.byte_sub(T::NODE).cast()) })
    }
}

impl<T: Listed> Drop for Taken<T> {
    fn drop(&mut self) {
        self.by_ref().for_each(drop);
    }
}
