// SPDX-License-Identifier: GPL-2.0-only
// E0308: a namespace buried to which there are references
use crate::destroy::destroy;
use kernel::{pid_namespace::PidNamespace, sync::aref::ARef};

fn call(ns: ARef<PidNamespace>) {
    destroy(ns);
}
