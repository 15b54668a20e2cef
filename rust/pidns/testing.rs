// SPDX-License-Identifier: GPL-2.0-only

//! What the KUnit tests of this crate share.

use crate::{
    create::create,
    destroy::reap,
    roles::ActiveNs, //
};
use kernel::{
    bindings,
    pid_namespace::PidNamespace,
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        rcu::rcu_barrier, //
    },
    task::Kuid,
    ucount::{
        Charge,
        Kind, //
    },
    user_namespace::UserNamespace, //
};

/// Waits until all that has ended is freed. The suites run at boot, when nobody else does; who has
/// debugfs run one again, on a machine where others make namespaces, may see it fail, and others
/// refused at their limit.
pub(crate) fn settle() {
    reap();
    rcu_barrier();
}

/// What can leak: the references on a namespace, and what the user holds in its owner.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) refs: u32,
    pub(crate) charges: Option<usize>,
}

impl Taken {
    pub(crate) fn of(ns: &PidNamespace) -> Self {
        Self {
            refs: refs(ns),
            charges: charges(ns.user_ns()),
        }
    }
}

/// How many references there are on `ns`.
pub(crate) fn refs(ns: &PidNamespace) -> u32 {
    // SAFETY: A shared reference exists, so the namespace is valid; the count is atomic.
    unsafe { bindings::refcount_read(&raw const (*ns.as_ptr()).ns.__bindgen_anon_1.__ns_ref) }
}

/// How many pid namespaces the user holds in `user_ns`; [`None`] at the limit.
pub(crate) fn charges(user_ns: &UserNamespace) -> Option<usize> {
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

/// Makes a child of `ns`, with the same owner.
pub(crate) fn child_of(ns: &PidNamespace) -> Result<ARef<PidNamespace>> {
    create(ns.user_ns(), ActiveNs::new(ns))
}

/// A namespace that, unlike the initial one, counts its references.
pub(crate) fn counted_ns() -> Result<ARef<PidNamespace>> {
    settle();
    child_of(current!().active_pid_ns().ok_or(ESRCH)?)
}
