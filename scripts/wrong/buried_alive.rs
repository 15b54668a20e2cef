// SPDX-License-Identifier: GPL-2.0-only
// E0599: a namespace buried to which there are references
use kernel::{pid_namespace::PidNamespace, sync::aref::ARef};

fn call(ns: ARef<PidNamespace>) {
    ns.bury();
}
