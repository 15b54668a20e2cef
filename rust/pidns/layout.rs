// SPDX-License-Identifier: GPL-2.0-only

//! What the bindings must have in common with C.
//!
//! bindgen computes where each field lies, by its own view of types, alignments and attributes; its
//! tests of that are off in the kernel. A field that it puts elsewhere is another field, which
//! nobody would notice before it is read. So each one that this crate touches is compared at build
//! time with what the C compiler says, in `rust/bindings/bindings_helper.h`.

use core::mem::offset_of;
use kernel::{
    bindings,
    macros::paste, //
};

/// Returns the size of the field that `_get` gets.
const fn size_of_field<Struct, Field>(_get: fn(&Struct) -> &Field) -> usize {
    size_of::<Field>()
}

/// Asserts that the fields have the offset and the size that they have in C.
macro_rules! as_in_c {
    ($($name:ident { $($field:ident),+ $(,)? })+) => {
        $($(
            paste! {
                const _: () = {
                    assert!(
                        offset_of!(bindings::$name, $field)
                            == bindings::[<OFFSET_ $name _ $field>]
                    );
                    assert!(
                        size_of_field(|value: &bindings::$name| &value.$field)
                            == bindings::[<SIZE_ $name _ $field>]
                    );
                };
            }
        )+)+
    };
}

as_in_c! {
    pid_namespace {
        idr,
        rcu,
        pid_allocated,
        nr_tasks,
        child_reaper,
        pid_cachep,
        level,
        pid_max,
        parent,
        user_ns,
        ucounts,
        reboot,
        dying,
        ns,
    }
    ns_common {
        inum,
    }
    llist_node {
        next,
    }
    delayed_work {
        work,
        timer,
    }
    task_struct {
        sighand,
        signal,
    }
    sighand_struct {
        siglock,
        action,
    }
    k_sigaction {
        sa,
    }
    sigaction {
        sa_handler,
    }
    signal_struct {
        group_exit_code,
    }
    proc_ns_operations {
        name,
        real_ns_name,
        get,
        put,
        install,
        owner,
        get_parent,
    }
    ctl_table {
        procname,
        data,
        maxlen,
        mode,
        proc_handler,
        poll,
        extra1,
        extra2,
    }
    kmem_cache_args {
        align,
    }
    nsset {
        nsproxy,
        cred,
    }
    nsproxy {
        pid_ns_for_children,
    }
    cred {
        user_ns,
    }
}

#[cfg(all(CONFIG_SYSCTL, CONFIG_MEMFD_CREATE))]
as_in_c! {
    pid_namespace {
        memfd_noexec_scope,
    }
}

// What is allocated by its size, see `caches.rs`.
const _: () = {
    assert!(size_of::<bindings::pid_namespace>() == bindings::SIZE_pid_namespace);
    assert!(size_of::<bindings::pid>() == bindings::SIZE_pid);
    assert!(size_of::<bindings::upid>() == bindings::SIZE_upid);
};
