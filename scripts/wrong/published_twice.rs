// SPDX-License-Identifier: GPL-2.0-only
// E0382: a namespace published twice
use crate::{roles::ActiveNs, unborn::Numbered};
use kernel::{ucount::Charge, user_namespace::UserNamespace};

fn call(ns: Numbered, a: ActiveNs<'_>, user_ns: &UserNamespace, one: Charge, two: Charge) {
    ns.publish(a, user_ns, one);
    ns.publish(a, user_ns, two);
}
