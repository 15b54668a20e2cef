// SPDX-License-Identifier: GPL-2.0-only
// E0382: one charge for two namespaces
use crate::create::Numbered;
use kernel::{ucount::Charge, user_namespace::UserNamespace};

fn call(one: Numbered<'_>, two: Numbered<'_>, user_ns: &UserNamespace, charge: Charge) {
    one.publish(user_ns, charge);
    #[cfg(wrong)]
    two.publish(user_ns, charge);
}
