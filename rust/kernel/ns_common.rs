// SPDX-License-Identifier: GPL-2.0

//! What all kinds of namespaces have in common: an inode number, a count of references, a place in
//! the tree of their kind, and a table of what nsfs, `setns()` and `/proc/PID/ns/` ask of them.
//!
//! There is no example: it would be a kind of namespace of its own, of which C has a list.
//!
//! C headers: [`include/linux/ns_common.h`](srctree/include/linux/ns_common.h),
//! [`include/linux/nstree.h`](srctree/include/linux/nstree.h),
//! [`include/linux/proc_ns.h`](srctree/include/linux/proc_ns.h)

use crate::{
    as_in_c,
    bindings,
    error::{
        from_result,
        to_result, //
    },
    nsproxy::NsSet,
    prelude::*,
    str::as_char_ptr_in_const_context,
    sync::aref::{
        ARef,
        AlwaysRefCounted, //
    },
    task::Task, //
};
use core::ptr::{
    null_mut,
    NonNull, //
};

as_in_c! {
    proc_ns_operations { name, real_ns_name, get, put, install, owner, get_parent }
}

/// A kind of namespace.
///
/// # Safety
///
/// - The type must be a transparent wrapper of a C structure, with a `struct ns_common` at the
///   offset [`COMMON`](Self::COMMON) and, at [`OWNER`](Self::OWNER), a pointer to the user
///   namespace that owns it, to which it has a reference.
/// - References are counted in that `struct ns_common`.
/// - [`tree`](Self::tree) and [`initial`](Self::initial) must return pointers to what C has, and
///   [`TYPE`](Self::TYPE) and [`INITIAL_ID`](Self::INITIAL_ID) must be what C has, for that kind.
pub unsafe trait Namespace: AlwaysRefCounted + Sized + 'static {
    /// The offset of its `struct ns_common` in bytes.
    const COMMON: usize;

    /// The offset of the pointer to its owner in bytes.
    const OWNER: usize;

    /// The flag by which `clone()` is asked for one of this kind.
    const TYPE: u32;

    /// The id of the initial one.
    const INITIAL_ID: u64;

    /// Returns the tree of this kind.
    fn tree() -> *mut bindings::ns_tree_root;

    /// Returns the initial one, which is static.
    fn initial() -> NonNull<Self>;
}

/// The life of a namespace, which is the same for all kinds.
///
/// It goes through these methods in this order, each once but for the references:
/// [`init_common`](Self::init_common), then either [`free_common`](Self::free_common), or
/// [`add_to_tree`](Self::add_to_tree), [`put`](Self::put) of the last reference,
/// [`remove_from_tree`](Self::remove_from_tree), `free_common`.
pub trait NamespaceExt: Namespace {
    /// Gives a namespace an inode number, and a count of one reference, which belongs to the
    /// caller.
    ///
    /// # Errors
    ///
    /// What `proc_alloc_inum()` returns: [`ENOSPC`] or [`ENOMEM`]. Nothing has to be undone then.
    ///
    /// # Safety
    ///
    /// `ns` must point to memory that is the caller's alone, and stay where it is from here on, as
    /// what is set up points to itself. `table` must be that of this kind.
    ///
    /// Until [`add_to_tree`](Self::add_to_tree) nobody may take or give up a reference, or make an
    /// [`ARef`] of the one that there is: without an id the namespace passes for an initial one,
    /// whose references are not counted.
    #[doc(alias = "ns_common_init")]
    #[inline]
    unsafe fn init_common(ns: NonNull<Self>, table: &'static Table) -> Result {
        // SAFETY: By the safety requirements the field is valid, and the table and the type are
        // those of this kind.
        to_result(unsafe {
            bindings::__ns_common_init(common(ns), Self::TYPE, &raw const table.0, 0)
        })
    }

    /// Gives back the inode number.
    ///
    /// # Safety
    ///
    /// [`init_common`](Self::init_common) must have succeeded, nobody must be able to find the
    /// namespace any more, and this must be the one call.
    #[doc(alias = "ns_common_free")]
    #[inline]
    unsafe fn free_common(ns: NonNull<Self>) {
        // SAFETY: By the safety requirements.
        unsafe { bindings::__ns_common_free(common(ns)) };
    }

    /// Gives a namespace an id that no other has, and lets the world find it by that. Whoever does
    /// sees all that was done before.
    ///
    /// # Safety
    ///
    /// [`init_common`](Self::init_common) must have succeeded; the namespace must be whole, its
    /// owner included; its memory, and its reference to the owner, must stay until a grace period
    /// of RCU after [`remove_from_tree`](Self::remove_from_tree), as who has found it looks at its
    /// `struct ns_common` and its owner until then; and this must be the one call.
    #[doc(alias = "ns_tree_add")]
    #[inline]
    unsafe fn add_to_tree(ns: NonNull<Self>) {
        // SAFETY: By the safety requirements. Id 0 stands for the next one that is free.
        unsafe { add_to_tree(ns, 0) };
    }

    /// Lets the world find the initial namespace, by its id.
    ///
    /// # Safety
    ///
    /// This must be the one call.
    #[doc(alias = "ns_tree_add")]
    #[inline]
    unsafe fn add_initial_to_tree() {
        // SAFETY: The initial namespace is static and whole, and by the safety requirements of
        // `Namespace` this is its id. This is the one call.
        unsafe { add_to_tree(Self::initial(), Self::INITIAL_ID) };
    }

    /// Lets nobody find a namespace any more. Who has found it before, under RCU, may look at it
    /// until a grace period has passed.
    ///
    /// # Safety
    ///
    /// [`add_to_tree`](Self::add_to_tree) must have been called, and this must be the one call.
    #[doc(alias = "ns_tree_remove")]
    #[inline]
    unsafe fn remove_from_tree(ns: NonNull<Self>) {
        // SAFETY: By the safety requirements; the tree is that of this kind.
        unsafe { bindings::__ns_tree_remove(common(ns), Self::tree()) };
    }

    /// Gives a reference up, and returns the namespace if it was the last: it is the caller's to
    /// destroy then, and nobody has a reference.
    ///
    /// The initial namespace is never returned: it is not counted. Who gets the last sees all that
    /// was done with the others.
    #[doc(alias = "ns_ref_put")]
    #[must_use = "who gives the last reference up has to destroy the namespace"]
    #[inline]
    fn put(ns: ARef<Self>) -> Option<NonNull<Self>> {
        let ns = ARef::into_raw(ns);
        // SAFETY: The reference keeps the namespace valid up to here, and by the safety
        // requirements of `Namespace` it is counted there.
        unsafe { bindings::__ns_ref_put(common(ns)) }.then_some(ns)
    }
}

// For all, so that nobody can have other methods: who calls them relies on what they do.
impl<T: Namespace> NamespaceExt for T {}

/// Lets the world find a namespace by `id`, or by the next id that is free if that is 0.
///
/// # Safety
///
/// As for [`NamespaceExt::add_to_tree`], or as for [`NamespaceExt::add_initial_to_tree`] with the
/// initial namespace and its id.
#[inline]
unsafe fn add_to_tree<T: Namespace>(ns: NonNull<T>, id: u64) {
    // SAFETY: By the safety requirements the namespace is whole but for the id, which nobody reads
    // yet, as it is in no tree. That of an initial one is read, and is what it was built with: the
    // store changes nothing.
    unsafe { bindings::__ns_tree_gen_id(common(ns), id) };
    // SAFETY: By the safety requirements it is in no tree and whole, and stays until a grace period
    // after it is removed, or for good; now it has an id; the tree is that of this kind.
    unsafe { bindings::__ns_tree_add_raw(common(ns), T::tree()) };
}

/// Returns the part of a namespace that all have.
#[inline]
fn common<T: Namespace>(ns: NonNull<T>) -> *mut bindings::ns_common {
    ns.as_ptr().wrapping_byte_add(T::COMMON).cast()
}

/// Returns the namespace around the part that all have.
#[inline]
fn namespace<T: Namespace>(common: *mut bindings::ns_common) -> *mut T {
    common.wrapping_byte_sub(T::COMMON).cast()
}

/// What nsfs, `setns()` and `/proc/PID/ns/` ask of a kind of namespace.
pub trait Operations {
    /// The kind.
    type Ns: Namespace;

    /// The name of the file in `/proc/PID/ns/`.
    const NAME: &'static CStr;

    /// The name of the kind, which the file may have as well.
    const KIND: &'static CStr;

    /// Returns the namespace of `task` that the file stands for, or [`None`] if the task is gone.
    fn get(task: &Task) -> Option<ARef<Self::Ns>>;

    /// Has the current task change to `ns`, which calls `setns()`: puts it into `set`.
    ///
    /// # Errors
    ///
    /// What `setns()` is to return.
    fn install(set: Pin<&mut NsSet>, ns: &Self::Ns) -> Result;

    /// Returns the parent of `ns`, for the current task.
    ///
    /// # Errors
    ///
    /// What `ioctl(NS_GET_PARENT)` is to return.
    fn parent(ns: &Self::Ns) -> Result<ARef<Self::Ns>>;
}

/// [`Operations`] as C has them, `struct proc_ns_operations`.
#[repr(transparent)]
pub struct Table(bindings::proc_ns_operations);

// SAFETY: What the pointers in the table point to is static, and nobody writes to the table.
unsafe impl Sync for Table {}

impl Table {
    /// Makes the table of `T`.
    pub const fn new<T: Operations>() -> Self {
        Self(bindings::proc_ns_operations {
            name: as_char_ptr_in_const_context(T::NAME),
            real_ns_name: as_char_ptr_in_const_context(T::KIND),
            get: Some(get::<T>),
            put: Some(put::<T>),
            install: Some(install::<T>),
            owner: Some(owner::<T>),
            get_parent: Some(get_parent::<T>),
        })
    }
}

/// Hands a reference, if there is one, over to C.
#[inline]
fn into_common<T: Namespace>(ns: Option<ARef<T>>) -> *mut bindings::ns_common {
    ns.map_or(null_mut(), |ns| common(ARef::into_raw(ns)))
}

/// Returns a namespace of `task` with a reference, or null if the task is gone.
///
/// # Safety
///
/// `task` must be valid, and somebody must hold a reference to it, for the duration of the call.
unsafe extern "C" fn get<T: Operations>(
    task: *mut bindings::task_struct,
) -> *mut bindings::ns_common {
    // SAFETY: By the safety requirements.
    into_common(T::get(unsafe { Task::from_ptr(task) }))
}

/// Gives up a reference.
///
/// # Safety
///
/// `ns` must be that of a namespace of this kind, and the caller must own a reference to it and not
/// use it after the call.
unsafe extern "C" fn put<T: Operations>(ns: *mut bindings::ns_common) {
    // SAFETY: By the safety requirements it is not null, and the reference is ours now.
    drop(unsafe { ARef::<T::Ns>::from_raw(NonNull::new_unchecked(namespace(ns))) });
}

/// Has the current task change to a namespace.
///
/// # Safety
///
/// `nsset` must be what `setns()` of the current task has prepared, and `ns` that of a namespace of
/// this kind, with a reference for the duration of the call.
unsafe extern "C" fn install<T: Operations>(
    nsset: *mut bindings::nsset,
    ns: *mut bindings::ns_common,
) -> c_int {
    // SAFETY: By the safety requirements, and `setns()` uses it again only after this call.
    let set = unsafe { NsSet::from_ptr(nsset) };
    // SAFETY: By the safety requirements it is a `T::Ns`, held for the duration of the call.
    let ns = unsafe { &*namespace::<T::Ns>(ns) };
    from_result(|| T::install(set, ns).map(|()| 0))
}

/// Returns the user namespace that owns a namespace.
///
/// The tree also asks this of a namespace that it is about to lose, which has no references any
/// more: so there is no `&T::Ns` here.
///
/// # Safety
///
/// `ns` must be that of a namespace of this kind, valid for the duration of the call.
unsafe extern "C" fn owner<T: Operations>(
    ns: *mut bindings::ns_common,
) -> *mut bindings::user_namespace {
    let owner = namespace::<T::Ns>(ns).wrapping_byte_add(T::Ns::OWNER);
    // SAFETY: By the safety requirements of `Namespace` the pointer lies there; it does not change.
    unsafe { *owner.cast() }
}

/// Returns the parent of a namespace with a reference, or an `ERR_PTR()`.
///
/// # Safety
///
/// `ns` must be that of a namespace of this kind, valid for the duration of the call, with a
/// reference.
unsafe extern "C" fn get_parent<T: Operations>(
    ns: *mut bindings::ns_common,
) -> *mut bindings::ns_common {
    // SAFETY: By the safety requirements it is a `T::Ns`, held for the duration of the call.
    match T::parent(unsafe { &*namespace::<T::Ns>(ns) }) {
        Ok(parent) => into_common(Some(parent)),
        Err(err) => err.to_ptr(),
    }
}
