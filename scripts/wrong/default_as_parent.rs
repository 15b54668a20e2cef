// SPDX-License-Identifier: GPL-2.0-only
// E0599: the default namespace as the parent of a new one
#[cfg(not(wrong))]
use crate::roles::ActiveNs as Role;
#[cfg(wrong)]
use crate::roles::DefaultNs as Role;
use kernel::pid_namespace::PidNamespace;

fn call(role: Role<'_>) -> &PidNamespace {
    role.as_ancestor()
}
