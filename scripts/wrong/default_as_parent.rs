// SPDX-License-Identifier: GPL-2.0-only
// E0599: the default namespace as the parent of a new one
use crate::roles::DefaultNs;
use kernel::pid_namespace::PidNamespace;

fn call(default: DefaultNs<'_>) -> &PidNamespace {
    default.as_parent()
}
