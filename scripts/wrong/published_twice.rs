// SPDX-License-Identifier: GPL-2.0-only
// E0382: a namespace published twice
use crate::create::Numbered;
use kernel::{ucount::Charge, user_namespace::UserNamespace};

fn call(ns: Numbered<'_>, user_ns: &UserNamespace, one: Charge, two: Charge) {
    ns.publish(user_ns, one);
    #[cfg(wrong)]
    ns.publish(user_ns, two);
}
