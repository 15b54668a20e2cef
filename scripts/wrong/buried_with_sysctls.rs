// SPDX-License-Identifier: GPL-2.0-only
// E0599: a namespace buried that may still have sysctls
use crate::dying::Dying;

fn call(ns: Dying) {
    let _ = ns.bury();
}
