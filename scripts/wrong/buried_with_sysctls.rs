// SPDX-License-Identifier: GPL-2.0-only
// E0308: a namespace buried that may still have sysctls
use crate::dying::{Buried, Dying};

fn call(buried: &mut Buried, ns: Dying) {
    buried.bury(ns);
}
