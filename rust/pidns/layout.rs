// SPDX-License-Identifier: GPL-2.0-only

//! That the bindings have each field of a pid namespace that this crate touches where C has it.

use kernel::as_in_c;

as_in_c! {
    pid_namespace {
        idr, rcu, pid_allocated, pid_cachep, level, pid_max, parent, user_ns, ucounts, dying,
    }
    ns_common { inum }
}

#[cfg(all(CONFIG_SYSCTL, CONFIG_MEMFD_CREATE))]
as_in_c! {
    pid_namespace { memfd_noexec_scope }
}

// What is allocated by its size, see `caches.rs`.
as_in_c!(pid_namespace, pid, upid);
