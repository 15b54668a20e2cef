// SPDX-License-Identifier: GPL-2.0-only

//! What is set up at boot.

use crate::{
    caches,
    destroy, //
};
use kernel::{
    bindings,
    prelude::*, //
};

/// Makes the caches and the work item, registers the sysctls, and puts the initial
/// namespace into the tree.
///
/// # Safety
///
/// To be called once, by an initcall that comes before there is any user space: only that makes
/// namespaces.
#[link_section = ".init.text"]
unsafe fn init() {
    // SAFETY: This is the one call.
    unsafe { caches::init() };
    // SAFETY: As above. Nobody can make a namespace before the caches are there.
    unsafe { destroy::init() };

    #[cfg(all(CONFIG_CHECKPOINT_RESTORE, CONFIG_SYSCTL))]
    // SAFETY: As above.
    unsafe {
        crate::sysctl::init()
    };
    // SAFETY: As above.
    unsafe { bindings::register_pid_ns_sysctl_table_vm() };

    // SAFETY: The initial namespace is static and whole, and enters the tree once. Its id is one
    // of those that are kept for the initial namespaces.
    unsafe {
        let ns = &raw mut bindings::init_pid_ns.ns;
        bindings::__ns_tree_gen_id(ns, bindings::init_ns_id_PID_NS_INIT_ID.into());
        bindings::__ns_tree_add_raw(ns, &raw mut bindings::pid_ns_tree);
    }
}

/// Sets up pid namespaces at boot.
///
/// # Safety
///
/// To be called once, as an initcall, before there is any user space.
#[export]
#[link_section = ".init.text"]
pub(crate) unsafe extern "C" fn pid_namespaces_init() -> c_int {
    // SAFETY: By the safety requirements.
    unsafe { init() };
    0
}
