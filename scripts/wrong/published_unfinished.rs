// SPDX-License-Identifier: GPL-2.0-only
// E0599: a namespace published before it has an inode number
use crate::{create::Blank, level::Level};
use kernel::{
    pid_namespace::PidNamespace, prelude::*, sync::aref::ARef, ucount::Charge,
    user_namespace::UserNamespace,
};

fn call(level: Level<'_>, user_ns: &UserNamespace, charge: Charge) -> Result<ARef<PidNamespace>> {
    let ns = Blank::new(level)?;
    #[cfg(not(wrong))]
    let ns = ns.number()?;
    Ok(ns.publish(user_ns, charge))
}
