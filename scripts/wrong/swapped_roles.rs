// SPDX-License-Identifier: GPL-2.0-only
// E0308: the active and the default namespace swapped
use crate::{
    create,
    roles::{ActiveNs, DefaultNs},
    rule::NewNamespaces,
};
use kernel::{
    pid_namespace::PidNamespace, prelude::*, sync::aref::ARef, user_namespace::UserNamespace,
};

fn call(user_ns: &UserNamespace, a: ActiveNs<'_>, d: DefaultNs<'_>) -> Result<ARef<PidNamespace>> {
    #[cfg(wrong)]
    let (a, d) = (d, a);
    create::copy(NewNamespaces::requested_by(0), user_ns, a, d)
}
