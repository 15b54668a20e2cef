// SPDX-License-Identifier: GPL-2.0-only
// E0382: a namespace buried twice
use crate::dying::{Buried, Dead};

fn call(buried: &mut Buried, ns: Dead) {
    buried.bury(ns);
    buried.bury(ns);
}
