// SPDX-License-Identifier: GPL-2.0-only
// E0382: a namespace buried twice
use crate::destroy::Dying;

fn call(ns: Dying) {
    let _ = ns.bury();
    #[cfg(wrong)]
    let _ = ns.bury();
}
