// SPDX-License-Identifier: GPL-2.0-only
// E0061: a namespace published below another than it was made for
use crate::{create::Numbered, roles::ActiveNs};
use kernel::{ucount::Charge, user_namespace::UserNamespace};

fn call(ns: Numbered<'_>, other: ActiveNs<'_>, user_ns: &UserNamespace, charge: Charge) {
    #[cfg(not(wrong))]
    ns.publish(user_ns, charge);
    #[cfg(wrong)]
    ns.publish(other, user_ns, charge);
}
