// SPDX-License-Identifier: GPL-2.0-only
// E0599: a namespace buried to which there are references
#[cfg(not(wrong))]
use crate::destroy::Dying as Namespace;

#[cfg(wrong)]
type Namespace = kernel::sync::aref::ARef<kernel::pid_namespace::PidNamespace>;

fn call(ns: Namespace) {
    let _ = ns.bury();
}
