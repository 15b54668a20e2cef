// SPDX-License-Identifier: GPL-2.0-only

// Derived from kernel/pid_namespace.c:
// Copyright (C) 2007 Pavel Emelyanov <xemul@openvz.org>, OpenVZ, SWsoft Inc.
// Copyright (C) 2007 Sukadev Bhattiprolu <sukadev@us.ibm.com>, IBM
// Many thanks to Oleg Nesterov for comments and help

//! What is set up at boot.

use crate::{
    caches,
    destroy, //
};
use kernel::{
    error::from_result,
    ns_common::NamespaceExt,
    pid_namespace::PidNamespace,
    prelude::*, //
};

/// Sets up pid namespaces at boot.
///
/// Returns 0, or `-ENOMEM`; a process that asks for a new namespace gets that as well then.
///
/// # Safety
///
/// To be called once, as an initcall, before there is any user space.
#[export]
#[link_section = ".init.text"]
pub(crate) unsafe extern "C" fn pid_namespaces_init() -> c_int {
    from_result(|| {
        // SAFETY: By the safety requirements this is the one call.
        unsafe { PidNamespace::add_initial_to_tree() };
        #[cfg(all(CONFIG_CHECKPOINT_RESTORE, CONFIG_SYSCTL))]
        // SAFETY: This code is built in.
        unsafe {
            crate::sysctl::NS_LAST_PID.register(c"kernel")
        };
        // First: without it there is no cache either, and so nobody makes a namespace, which could
        // not be destroyed.
        destroy::init()?;
        // SAFETY: By the safety requirements this is the one call.
        unsafe { caches::init() }.map(|()| 0)
    })
}
