// SPDX-License-Identifier: GPL-2.0-only

//! What there is: namespaces, tasks, and what they refer to; and how they look to each other.
//! What calls make of it is in [`rules`](crate::rules).

#![forbid(unsafe_code)]

use crate::calls::Errno::{self, ESRCH};
use crate::calls::{Number, Status, TaskId};
use crate::departure::Rules;
use crate::table::Table;
use std::iter;

/// The place of a namespace in [`World::spaces`].
pub type SpaceId = usize;

/// The place of a user namespace in [`World::users`].
pub type UserId = usize;

/// The place of a `struct pid` in [`World::pids`].
pub type PidId = usize;

/// The world's own pid namespace, the outermost one here.
pub const OUTERMOST: SpaceId = 0;

/// `PID_MAX_LIMIT`.
pub const PID_MAX_LIMIT: u32 = 1 << 22;
/// How a new task gets its numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Numbering {
    /// As the kernel does: the next one after that which was given last.
    Next,
    /// The lowest that is free, so that there are fewer worlds to look at.
    Lowest,
}

/// A pid namespace.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Space {
    /// Where its processes have pids as well; none of the outermost one is in this world.
    pub parent: Option<SpaceId>,
    /// How many namespaces are above it here.
    pub level: usize,
    /// The user namespace whose privileges count in it.
    pub owner: UserId,
    /// Its first process, from its birth until it was waited for.
    pub init: Option<TaskId>,
    /// Its init has begun to exit.
    pub dead: bool,
    /// How many things refer to it. It is freed by the last.
    pub count: usize,
    /// The number after that which was given last.
    pub cursor: u32,
    /// `kernel.pid_max`: all numbers are below.
    pub pid_max: u32,
}

/// A user namespace. They are not freed here.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct User {
    /// Whose privileges count here as well.
    pub parent: Option<UserId>,
    /// `user.max_pid_namespaces`.
    pub max: usize,
    /// How many namespaces it owns, or one below it does.
    pub charged: usize,
}

/// A `struct pid`: the identity of a task, and of a group and a session of processes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Pid {
    /// The namespace of its task.
    pub space: SpaceId,
    /// Its number there and in all above, the outermost first.
    pub numbers: Vec<Number>,
}

/// A thread. Of the last one of a process nothing is left but its pid.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Task {
    /// Its process, by the leader, which it may be itself.
    pub leader: TaskId,
    /// "There is task_active_pid_ns which is the pid namspace the process was created with and the
    /// pid namespace that all pids are presented to that process in. [It] is stored in the struct
    /// pid of the task."
    pub pid: PidId,
    /// "There is the pid namespace that will be used for children." None has who has exited.
    pub default: Option<SpaceId>,
    /// What it shares with its threads, if it is the leader.
    pub process: Option<Process>,
}

/// What the threads of a process have in common.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct Process {
    /// Whether it lives.
    pub state: State,
    /// Who waits for it; somebody outside of this world for the first process.
    pub parent: Option<TaskId>,
    /// Its process group.
    pub group: PidId,
    /// Its session.
    pub session: PidId,
    /// It has called `setsid()`.
    pub leads_session: bool,
    /// It has asked for the orphans among its descendants.
    pub subreaper: bool,
    /// The user namespace in which it has all privileges.
    pub user: UserId,
    /// The namespace that it has open, at most one here.
    pub file: Option<SpaceId>,
    /// It has executed a program since it was made.
    pub has_executed: bool,
    /// Who traces it, by its leader alone here: that task, not its process.
    pub tracer: Option<TaskId>,
}

/// The life of a process.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
pub enum State {
    /// It runs, one thread of it at least.
    #[default]
    Alive,
    /// It is an init that waits until its namespace is empty.
    Dying(Status),
    /// It has ended and was not waited for.
    Zombie(Status),
}

/// All that the rules are about.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct World {
    /// Those of which kernel.
    pub rules: Rules,
    /// How tasks get their numbers.
    pub numbering: Numbering,
    /// The deepest [`Space::level`] that the kernel allows.
    pub max_level: usize,
    /// The pid namespaces.
    pub spaces: Table<Space>,
    /// The user namespaces.
    pub users: Vec<User>,
    /// Each `struct pid` that is in use.
    pub pids: Table<Pid>,
    /// The tasks.
    pub tasks: Table<Task>,
    /// A namespace that is mounted.
    pub mount: Option<SpaceId>,
}

impl Default for Space {
    fn default() -> Space {
        Space {
            parent: None,
            level: 0,
            owner: 0,
            init: None,
            dead: false,
            count: 0,
            cursor: 0,
            pid_max: PID_MAX_LIMIT,
        }
    }
}

impl Space {
    /// Had it no process yet?
    pub fn is_unborn(&self) -> bool {
        self.init.is_none() && !self.dead
    }
}

impl User {
    /// A new one, without a limit.
    pub fn below(parent: Option<UserId>) -> User {
        User {
            parent,
            max: i32::MAX as usize,
            charged: 0,
        }
    }
}

impl World {
    /// A world of one namespace with its init.
    pub fn new(rules: Rules, numbering: Numbering, max_level: usize) -> World {
        let mut world = World {
            rules,
            numbering,
            max_level,
            spaces: Table::new(),
            users: vec![User {
                charged: 1,
                ..User::below(None)
            }],
            pids: Table::new(),
            tasks: Table::new(),
            mount: None,
        };
        // Three references: from outside, which keeps it, of the pid, and of the task.
        world.spaces.add(Space {
            init: Some(0),
            count: 3,
            cursor: 2,
            ..Space::default()
        });
        world.pids.add(Pid {
            space: OUTERMOST,
            numbers: vec![1],
        });
        world.tasks.add(Task {
            leader: 0,
            pid: 0,
            default: Some(OUTERMOST),
            process: Some(Process::default()),
        });
        world
    }

    /// The process of a task.
    pub fn process(&self, task: TaskId) -> &Process {
        let leader = &self.tasks[self.tasks[task].leader];
        leader.process.as_ref().expect("a leader has the process")
    }

    /// Likewise, to be changed.
    pub fn process_mut(&mut self, task: TaskId) -> &mut Process {
        let leader = self.tasks[task].leader;
        let process = &mut self.tasks[leader].process;
        process.as_mut().expect("a leader has the process")
    }

    /// The namespace in which a task was born, and is.
    pub fn active(&self, task: TaskId) -> SpaceId {
        self.pids[self.tasks[task].pid].space
    }

    /// The namespace of the children to come of a task that has not exited.
    pub fn default(&self, task: TaskId) -> SpaceId {
        self.tasks[task].default.expect("it has not exited")
    }

    /// The namespace and all above it, the innermost first.
    pub fn up(&self, space: SpaceId) -> impl Iterator<Item = SpaceId> + '_ {
        iter::successors(Some(space), |&at| self.spaces[at].parent)
    }

    /// The user namespace and all above it, the innermost first.
    pub fn users_up(&self, user: UserId) -> impl Iterator<Item = UserId> + '_ {
        iter::successors(Some(user), |&at| self.users[at].parent)
    }

    /// Is the space that one, or below it?
    pub fn is_in(&self, space: SpaceId, ancestor: SpaceId) -> bool {
        self.up(space).any(|at| at == ancestor)
    }

    /// Has the process of a task all privileges over what a user namespace owns?
    pub fn is_privileged(&self, task: TaskId, owner: UserId) -> bool {
        let own = self.process(task).user;
        self.users_up(owner).any(|at| at == own)
    }

    /// The number of a `struct pid` in a namespace.
    pub fn number(&self, pid: PidId, space: SpaceId) -> Option<Number> {
        self.number_in(&self.pids[pid], space)
    }

    /// Likewise, of one that may be gone.
    pub fn number_in(&self, pid: &Pid, space: SpaceId) -> Option<Number> {
        self.is_in(pid.space, space)
            .then(|| pid.numbers[self.spaces[space].level])
    }

    /// The number of a task as another one sees it. "From the point of view of the new pid
    /// namespace the process that created it is pid 0, as it's pid does not map."
    pub fn number_of(&self, task: TaskId, seen_by: TaskId) -> Option<Number> {
        self.number(self.tasks[task].pid, self.active(seen_by))
    }

    /// The `struct pid` with that number.
    pub fn pid_by_number(&self, number: Number, seen_by: TaskId) -> Option<PidId> {
        let space = self.active(seen_by);
        let mut pids = self.pids.iter().map(|(pid, _)| pid);
        pids.find(|&pid| self.number(pid, space) == Some(number))
    }

    /// The task with that number, or ESRCH.
    pub fn task_by_number(&self, number: Number, seen_by: TaskId) -> Result<TaskId, Errno> {
        let pid = self.pid_by_number(number, seen_by).ok_or(ESRCH)?;
        let mut tasks = self.tasks.iter().map(|(id, _)| id);
        tasks.find(|&id| self.tasks[id].pid == pid).ok_or(ESRCH)
    }

    /// Is it the process that the namespace lives and dies with?
    pub fn is_init(&self, task: TaskId) -> bool {
        self.spaces[self.active(task)].init == Some(self.tasks[task].leader)
    }

    /// Does a task run? A leader that has exited before its threads does not.
    pub fn runs(&self, task: TaskId) -> bool {
        let task = self.tasks.get(task);
        task.is_some_and(|task| task.default.is_some())
    }

    /// The tasks that are in a namespace or below, other than those of one process.
    pub fn others_in(&self, space: SpaceId, leader: TaskId) -> Vec<TaskId> {
        let tasks = self.tasks.iter().filter(|(_, task)| task.leader != leader);
        let ids = tasks.map(|(id, _)| id);
        ids.filter(|&id| self.is_in(self.active(id), space))
            .collect()
    }

    /// The processes, by their leaders.
    pub fn processes(&self) -> impl Iterator<Item = (TaskId, &Process)> {
        let tasks = self.tasks.iter();
        tasks.filter_map(|(id, task)| Some((id, task.process.as_ref()?)))
    }

    /// The threads of a process, with a leader that has exited before them.
    pub fn threads(&self, leader: TaskId) -> Vec<TaskId> {
        let tasks = self.tasks.iter().filter(|(_, task)| task.leader == leader);
        tasks.map(|(id, _)| id).collect()
    }
}
