// SPDX-License-Identifier: GPL-2.0-only

//! What a task can ask of its namespaces, and set in them.

use crate::calls::Errno::*;
use crate::calls::{Answer, Number, TaskId, Translate, Value};
use crate::rules::PID_MAX_MIN;
use crate::world::{SpaceId, World, PID_MAX_LIMIT};

impl World {
    /// What a task sees of itself and of its parent. "From the point of view of the new pid
    /// namespace the process that created it is pid 0, as it's pid does not map."
    pub(crate) fn look(&self, by: TaskId) -> Answer {
        let number = |id| self.number_of(id, by);
        let parent = self.process(by).parent.and_then(number);
        let thread = number(by).ok_or(ESRCH)?;
        let process = number(self.tasks[by].leader).ok_or(ESRCH)?;
        Ok(Value::Seen(thread, process, parent))
    }

    /// The namespace above one, if the caller is in that or above it.
    pub(crate) fn parent_of(&self, by: TaskId, space: SpaceId) -> Answer {
        let parent = self.spaces[space].parent.ok_or(EPERM)?;
        match self.is_in(parent, self.active(by)) {
            true => Ok(Value::Space(parent)),
            false => Err(EPERM),
        }
    }

    /// The user namespace that owns one, if the caller is in that or above it.
    pub(crate) fn owner_of(&self, by: TaskId, space: SpaceId) -> Answer {
        let owner = self.spaces[space].owner;
        match self.is_privileged(by, owner) {
            true => Ok(Value::User(owner)),
            false => Err(EPERM),
        }
    }

    /// A pid of a namespace as the caller sees it, or the other way round.
    pub(crate) fn translate(
        &self,
        by: TaskId,
        space: SpaceId,
        how: Translate,
        of_process: bool,
        number: Number,
    ) -> Answer {
        let (from, to) = match how {
            Translate::From => (space, self.active(by)),
            Translate::In => (self.active(by), space),
        };
        let mut tasks = self.tasks.iter();
        let found = tasks.find(|(_, task)| self.number(task.pid, from) == Some(number));
        let (id, task) = found.ok_or(ESRCH)?;
        let pid = match of_process {
            true => self.tasks[self.tasks[id].leader].pid,
            false => task.pid,
        };
        self.number(pid, to).map(Value::Pid).ok_or(ESRCH)
    }

    /// Reads or writes `kernel.pid_max`. It is for root, who is everybody here.
    pub(crate) fn pid_max(&mut self, by: TaskId, max: Option<u32>) -> Answer {
        let space = self.active(by);
        let Some(max) = max else {
            return Ok(Value::Read(self.spaces[space].pid_max.into()));
        };
        if !(PID_MAX_MIN..=PID_MAX_LIMIT).contains(&max) {
            return Err(EINVAL);
        }
        self.spaces[space].pid_max = max;
        Ok(Value::Done)
    }

    /// Reads or writes `kernel.ns_last_pid`, the number that was given last. Those that were wanted
    /// do not count: where an init has wanted its 1, that is -1 at first.
    pub(crate) fn last_pid(&mut self, by: TaskId, last: Option<u32>) -> Answer {
        let space = self.active(by);
        let Some(last) = last else {
            return Ok(Value::Read(i64::from(self.spaces[space].cursor) - 1));
        };
        if !self.is_privileged(by, self.spaces[space].owner) {
            return Err(EPERM);
        }
        if last > self.spaces[space].pid_max {
            return Err(EINVAL);
        }
        self.spaces[space].cursor = last + 1;
        Ok(Value::Done)
    }
}
