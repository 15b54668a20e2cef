// SPDX-License-Identifier: GPL-2.0-only
// E0382: a namespace buried that waits for the next batch
use crate::destroy::Dying;

fn call(ns: Dying, other: Dying) {
    #[cfg(not(wrong))]
    other.destroy_later();
    #[cfg(wrong)]
    ns.destroy_later();
    let _ = ns.bury();
}
