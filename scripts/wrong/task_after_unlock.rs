// SPDX-License-Identifier: GPL-2.0-only
// E0505: a task of a namespace used after the list of tasks was unlocked
use kernel::{pid_namespace::PidNamespace, tasklist::Tasklist};

fn call(ns: &PidNamespace) -> bool {
    let tasklist = Tasklist::read_lock();
    let task = tasklist.in_pid_namespace(ns, 2).next();
    #[cfg(wrong)]
    drop(tasklist);
    task.is_some_and(|task| task.sigkill_pending())
}
