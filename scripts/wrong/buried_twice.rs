// SPDX-License-Identifier: GPL-2.0-only
// E0382: a namespace buried twice
use crate::dying::Dead;

fn call(ns: Dead) {
    let _ = ns.bury();
    let _ = ns.bury();
}
