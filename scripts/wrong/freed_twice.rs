// SPDX-License-Identifier: GPL-2.0-only
// E0382: namespaces freed twice
use crate::dying::Buried;

fn call(buried: Buried) {
    drop(buried);
    drop(buried);
}
