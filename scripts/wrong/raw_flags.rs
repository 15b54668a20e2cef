// SPDX-License-Identifier: GPL-2.0-only
// E0308: a raw word of flags where checked ones belong
use crate::{
    create,
    roles::{ActiveNs, DefaultNs},
    rule::NewNamespaces,
};
use kernel::{
    pid_namespace::PidNamespace, prelude::*, sync::aref::ARef, user_namespace::UserNamespace,
};

fn call(
    flags: u64,
    user_ns: &UserNamespace,
    a: ActiveNs<'_>,
    d: DefaultNs<'_>,
) -> Result<ARef<PidNamespace>> {
    #[cfg(not(wrong))]
    let flags = NewNamespaces::requested_by(flags);
    create::copy(flags, user_ns, a, d)
}
