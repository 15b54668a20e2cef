// SPDX-License-Identifier: GPL-2.0-only
// E0308: a namespace buried to which there are references
use crate::dying::Buried;
use kernel::{pid_namespace::PidNamespace, sync::aref::ARef};

fn call(buried: &mut Buried, ns: ARef<PidNamespace>) {
    buried.bury(ns);
}
