// SPDX-License-Identifier: GPL-2.0-only
// E0382: one charge for two namespaces
use crate::{roles::ActiveNs, unborn::Numbered};
use kernel::{ucount::Charge, user_namespace::UserNamespace};

fn call(one: Numbered, two: Numbered, a: ActiveNs<'_>, user_ns: &UserNamespace, charge: Charge) {
    one.publish(a, user_ns, charge);
    two.publish(a, user_ns, charge);
}
