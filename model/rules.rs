// SPDX-License-Identifier: GPL-2.0-only

//! The rules of pid namespaces, as a model that runs: what each call answers and what it changes.
//!
//! It is no implementation. It has no locks, takes no time and finds nothing quickly, so that each
//! rule can be read by itself; what there is stands in [`world`](crate::world). What the kernel does
//! after a call has returned, as ending a process that was killed, is done here before the call
//! returns.
//!
//! This file is the rules. What there is, the calls, the look-ups and where mainline departs have
//! theirs, and are as much again: a sitting is for this one.
//!
//! Words in quotation marks are those of the patch of February 2011 and of its review.

#![forbid(unsafe_code)]

use crate::calls::Errno::*;
use crate::calls::{
    Answer, Errno, Flags, Number, Op, Reboot, Signal, Status, TaskId, Value, Which,
};
use crate::departure::Departure;
use crate::world::{
    Numbering, Pid, PidId, Process, Space, SpaceId, State, Task, User, UserId, World, OUTERMOST,
};

/// How an init has been killed, and all others with it.
pub const SIGKILL: u8 = 9;
/// How an init seems to have ended whose namespace was to be restarted.
const SIGHUP: u8 = 1;
/// Likewise, to be powered off.
const SIGINT: u8 = 2;
/// How others can have been ended.
const SIGTERM: u8 = 15;

/// How many numbers can be wanted for a task, in one namespace each.
pub const MAX_WANTED: usize = 32;

/// What `kernel.pid_max` cannot be below, on few processors.
pub const PID_MAX_MIN: u32 = 301;
/// Lower numbers are not given again to those that come later.
const RESERVED_PIDS: u32 = 300;

impl World {
    // References.

    fn get_space(&mut self, space: SpaceId) -> SpaceId {
        self.spaces[space].count += 1;
        space
    }

    /// "The first one's reference count will go to zero if no processes are in it", and nobody has
    /// it open or mounted. Then it lets go of its parent.
    fn put_space(&mut self, space: SpaceId) {
        self.spaces[space].count -= 1;
        if self.spaces[space].count > 0 {
            return;
        }
        let Space { parent, owner, .. } = self.spaces[space];
        self.spaces.remove(space);
        if !self.rules.has(Departure::ChargeIsKept) {
            self.charge(owner, |charged| charged - 1);
        }
        self.put(parent);
    }

    fn put(&mut self, space: Option<SpaceId>) {
        if let Some(space) = space {
            self.put_space(space);
        }
    }

    fn charge(&mut self, owner: UserId, change: fn(usize) -> usize) {
        let users: Vec<UserId> = self.users_up(owner).collect();
        for user in users {
            self.users[user].charged = change(self.users[user].charged);
        }
    }

    /// Refers to a namespace by a file or a mount.
    fn hold(&mut self, space: SpaceId) -> SpaceId {
        if !self.rules.has(Departure::FileIsNoReference) {
            self.get_space(space);
        }
        space
    }

    fn let_go(&mut self, held: Option<SpaceId>) {
        if let Some(space) = held.filter(|_| !self.rules.has(Departure::FileIsNoReference)) {
            self.put_space(space);
        }
    }

    /// Is a `struct pid` the identity of something?
    pub fn is_used(&self, pid: PidId) -> bool {
        let mut tasks = self.tasks.iter();
        let mut processes = self.processes();
        tasks.any(|(_, task)| task.pid == pid)
            || processes.any(|(_, one)| one.group == pid || one.session == pid)
    }

    /// Frees a `struct pid` that something has let go of, unless it is in use still. It refers to
    /// its namespace until then, and its number is not given to another.
    fn detach(&mut self, pid: PidId) {
        if self.pids.get(pid).is_some() && !self.is_used(pid) {
            let space = self.pids[pid].space;
            self.pids.remove(pid);
            self.put_space(space);
        }
    }

    // Making namespaces.

    /// The user namespace that a call gives: a new one if it asks for that.
    fn user_for(&mut self, by: TaskId, flags: Flags) -> UserId {
        let parent = self.process(by).user;
        if !flags.newuser {
            return parent;
        }
        self.users.push(User::below(Some(parent)));
        self.users.len() - 1
    }

    /// Makes a namespace for children of a task, with one reference, to be owned by a user.
    ///
    /// "There are only two possible answers. Either the cases is so bizarre and we deny it
    /// completely. or the new pid namespace is a descendent of our parent's active pid namespace,
    /// and we ignore the task->nsproxy->pid_ns." Mainline gives the first answer.
    fn new_space(&mut self, by: TaskId, owner: UserId) -> Result<SpaceId, Errno> {
        let (active, default) = (self.active(by), self.default(by));
        if active != default && self.rules.has(Departure::RefusesWhileTheyDiffer) {
            return Err(EINVAL);
        }
        let below = self.rules.has(Departure::NewBelowDefault);
        let parent = if below { default } else { active };
        let outer = self.spaces[parent].owner;
        if !self.users_up(owner).any(|at| at == outer) {
            return Err(EINVAL);
        }
        let level = self.spaces[parent].level + 1;
        if level > self.max_level {
            return Err(ENOSPC);
        }
        let is_full = |at: UserId| self.users[at].charged >= self.users[at].max;
        let inner_only = self.rules.has(Departure::OuterLimitIsIgnored);
        if is_full(owner) || !inner_only && self.users_up(owner).any(is_full) {
            return Err(ENOSPC);
        }
        self.charge(owner, |charged| charged + 1);
        self.get_space(parent);
        Ok(self.spaces.add(Space {
            parent: Some(parent),
            level,
            owner,
            count: 1,
            ..Space::default()
        }))
    }

    /// "Unsharing of the pid namespace unlike unsharing of other namespaces does not take effect
    /// immediately. Instead it affects the children created with fork and clone."
    fn unshare(&mut self, by: TaskId, flags: Flags) -> Answer {
        if flags.newuser && self.threads(self.tasks[by].leader).len() > 1 {
            return Err(EINVAL);
        }
        let users = self.users.len();
        let owner = self.user_for(by, flags);
        if flags.newpid {
            let space = self.new_space(by, owner);
            if space.is_err() {
                self.users.truncate(users);
            }
            self.set_default(by, space?);
        }
        self.process_mut(by).user = owner;
        Ok(Value::Done)
    }

    /// "If [...] unshare() discard that namespace and creates another new one": the task refers to
    /// the new one, by a reference that it is given, and not to the other any more.
    fn set_default(&mut self, by: TaskId, space: SpaceId) {
        let mut tasks = vec![by];
        if self.rules.has(Departure::UnshareChangesAllThreads) {
            tasks = self.threads(self.tasks[by].leader);
            tasks.iter().skip(1).for_each(|_| _ = self.get_space(space));
        }
        for task in tasks {
            let old = self.tasks[task].default.replace(space);
            if !self.rules.has(Departure::UnshareKeepsOldDefault) {
                self.put(old);
            }
        }
    }

    /// A task can have its children born in its active namespace, or in one below.
    fn setns(&mut self, by: TaskId, space: SpaceId) -> Answer {
        if !self.is_privileged(by, self.spaces[space].owner) {
            return Err(EPERM);
        }
        if !self.is_in(space, self.active(by)) && !self.rules.has(Departure::SetnsTakesAny) {
            return Err(EINVAL);
        }
        self.get_space(space);
        self.set_default(by, space);
        Ok(Value::Done)
    }

    // Making tasks.

    /// "The first of these children becomes the init process of the new pid namespace, the rest
    /// become oddball children of pid 0."
    fn clone_task(&mut self, by: TaskId, flags: Flags, wanted: &[Number]) -> Answer {
        if wanted.len() > MAX_WANTED {
            return Err(EINVAL);
        }
        // A sibling of init would have a parent outside, and nobody inside that outlives it.
        if flags.parent && self.is_init(by) {
            return Err(EINVAL);
        }
        if flags.thread && (flags.newpid || flags.newuser) {
            return Err(EINVAL);
        }
        let differ = self.active(by) != self.default(by);
        if flags.thread && differ && self.rules.has(Departure::RefusesWhileTheyDiffer) {
            return Err(EINVAL);
        }
        let users = self.users.len();
        let user = self.user_for(by, flags);
        // Two references to take: that of the task, and that of its pid.
        let default = match flags.newpid {
            true => self.new_space(by, user),
            false => Ok(self.get_space(self.default(by))),
        };
        let made = default.and_then(|default| {
            let in_active = flags.thread && !self.rules.has(Departure::ThreadBornInDefault);
            let born = if in_active { self.active(by) } else { default };
            let pid = self.new_pid(by, born, wanted);
            if pid.is_err() {
                self.put_space(default);
            }
            Ok((default, pid?))
        });
        if made.is_err() {
            self.users.truncate(users);
        }
        let (default, pid) = made?;

        let new = self.tasks.add(Task {
            leader: by,
            pid,
            default: Some(default),
            process: None,
        });
        if flags.thread {
            // "All pids are presented to that process in" one namespace: it has no two.
            self.tasks[new].leader = self.tasks[by].leader;
        } else {
            self.make_process(by, flags, user, new);
        }
        let number = self.number_of(new, by);
        Ok(Value::Pid(number.expect("it is born there or below")))
    }

    /// Makes a process of a new task.
    fn make_process(&mut self, by: TaskId, flags: Flags, user: UserId, new: TaskId) {
        let maker = self.process(by).clone();
        // "The duty of reaping extraneous child process" stays with "the creator of those".
        let creator = Some(self.tasks[by].leader);
        let parent = if flags.parent { maker.parent } else { creator };
        self.tasks[new].leader = new;
        self.tasks[new].process = Some(Process {
            parent,
            leads_session: false,
            subreaper: false,
            user,
            file: maker.file.map(|space| self.hold(space)),
            has_executed: flags.vfork,
            tracer: None,
            ..maker
        });
        let space = self.active(new);
        if self.spaces[space].init.is_none() {
            self.spaces[space].init = Some(new);
        }
    }

    /// Takes a number in the namespace and in each above it. The innermost ones may be `wanted`, by
    /// who is privileged over their owners. The first in a namespace is 1.
    fn new_pid(&mut self, by: TaskId, born: SpaceId, wanted: &[Number]) -> Result<PidId, Errno> {
        let path: Vec<SpaceId> = self.up(born).collect();
        for (at, &number) in wanted.iter().enumerate() {
            // What lies above this world has other owners and is nobody's business here.
            let &space = path.get(at).ok_or(EINVAL)?;
            if number < 1 || u32::from(number) >= self.spaces[space].pid_max {
                return Err(EINVAL);
            }
            if !self.is_privileged(by, self.spaces[space].owner) {
                return Err(EPERM);
            }
        }
        if self.spaces[born].is_unborn() {
            self.spaces[born].cursor = 0;
        }
        let mut numbers = vec![];
        for (at, &space) in path.iter().enumerate() {
            let number = match wanted.get(at) {
                Some(&number) if self.is_taken(space, number) => return Err(EEXIST),
                Some(&number) => number,
                None => self.next_number(space)?,
            };
            if self.spaces[space].is_unborn() && number != 1 {
                return Err(EINVAL);
            }
            numbers.insert(0, number);
        }
        // "When the PID 1 of a namespace leaves that namespace [...], all the children get killed",
        // and none is born after that.
        let dead = path.iter().any(|&space| self.spaces[space].dead);
        if dead && !self.rules.has(Departure::BornInDead) {
            return Err(ENOMEM);
        }
        self.get_space(born);
        Ok(self.pids.add(Pid {
            space: born,
            numbers,
        }))
    }

    fn is_taken(&self, space: SpaceId, number: Number) -> bool {
        let mut pids = self.pids.iter();
        pids.any(|(pid, _)| self.number(pid, space) == Some(number))
    }

    /// The next number after that which was given last; behind `kernel.pid_max`, the low ones are
    /// left to those that are there since the start.
    fn next_number(&mut self, space: SpaceId) -> Result<Number, Errno> {
        let Space {
            cursor, pid_max, ..
        } = self.spaces[space];
        let lowest = self.spaces[space].is_unborn() || self.numbering == Numbering::Lowest;
        let cursor = if lowest { 1 } else { cursor.max(1) };
        let least = match cursor > RESERVED_PIDS {
            true => RESERVED_PIDS,
            false => 1,
        };
        let mut numbers = (cursor..pid_max).chain(least..pid_max.min(cursor));
        let free = numbers.find(|&number| !self.is_taken(space, number as Number));
        let number = free.ok_or(EAGAIN)?;
        if self.numbering == Numbering::Next {
            self.spaces[space].cursor = number + 1;
        }
        Ok(number as Number)
    }

    // Groups and sessions, which have the pid of a process for their id, and may have members that
    // do not see it.

    fn setpgid(&mut self, by: TaskId, pid: Number, group: Number) -> Answer {
        let caller = self.tasks[by].leader;
        let target = match pid {
            0 => caller,
            _ => self.task_by_number(pid, by)?,
        };
        if self.tasks[target].leader != target {
            return Err(EINVAL);
        }
        let session = self.process(by).session;
        let process = self.process(target);
        let old = process.group;
        if process.parent == Some(caller) {
            if process.session != session {
                return Err(EPERM);
            }
            if process.has_executed {
                return Err(EACCES);
            }
        } else if target != caller {
            return Err(ESRCH);
        }
        if process.leads_session {
            return Err(EPERM);
        }
        let mut new = self.tasks[target].pid;
        if group != 0 && Some(group) != self.number_of(target, by) {
            new = self.pid_by_number(group, by).ok_or(EPERM)?;
            let mut members = self.processes().filter(|(_, one)| one.group == new);
            if !members.any(|(_, one)| one.session == session) {
                return Err(EPERM);
            }
        }
        self.process_mut(target).group = new;
        self.detach(old);
        Ok(Value::Done)
    }

    fn setsid(&mut self, by: TaskId) -> Answer {
        let pid = self.tasks[self.tasks[by].leader].pid;
        let leads_group = self.processes().any(|(_, process)| process.group == pid);
        if self.process(by).leads_session || leads_group {
            return Err(EPERM);
        }
        let process = self.process_mut(by);
        process.leads_session = true;
        let (group, session) = (process.group, process.session);
        (process.group, process.session) = (pid, pid);
        self.detach(group);
        self.detach(session);
        let number = self.number(pid, self.active(by));
        Ok(Value::Pid(number.expect("it lives there")))
    }

    // Ends.

    /// A signal, from a task that has the target in its namespace. An init is safe from those in its
    /// namespace, itself among them; outside, only SIGKILL ends it.
    fn kill(&mut self, by: TaskId, target: TaskId, signal: Signal) -> Answer {
        let number = match signal {
            Signal::None => return Ok(Value::Done),
            Signal::Term => SIGTERM,
            Signal::Kill => SIGKILL,
        };
        let inside = self.active(by) == self.active(target);
        let spared = inside && !self.rules.has(Departure::InsideKillsInit);
        let spared = spared || signal != Signal::Kill;
        if self.process(target).state == State::Alive && !(self.is_init(target) && spared) {
            self.end(self.tasks[target].leader, Status::Signal(number));
        }
        Ok(Value::Done)
    }

    /// The processes that `kill(-1)` is for: all that the caller sees, but its own and the init of
    /// its namespace.
    pub fn all_others(&self, by: TaskId) -> Vec<TaskId> {
        let own = self.tasks[by].leader;
        let others = self.processes().map(|(id, _)| id).filter(|&id| id != own);
        others
            .filter(|&id| self.number_of(id, by).is_some_and(|number| number > 1))
            .collect()
    }

    fn kill_all(&mut self, by: TaskId, signal: Signal) -> Answer {
        let others = self.all_others(by);
        if others.is_empty() {
            return Err(ESRCH);
        }
        for id in others {
            // It may have gone with its init.
            if self.tasks.get(id).is_some() {
                self.kill(by, id, signal)?;
            }
        }
        Ok(Value::Done)
    }

    fn is_last(&self, task: TaskId) -> bool {
        let mut threads = self.threads(self.tasks[task].leader).into_iter();
        !threads.any(|id| id != task && self.runs(id))
    }

    /// One thread exits. Who leads a process stays with it.
    fn end_thread(&mut self, task: TaskId) {
        let Task { leader, pid, .. } = self.tasks[task];
        self.change_tracer(task, None);
        let default = self.tasks[task].default.take();
        self.put(default);
        if task != leader {
            self.tasks.remove(task);
            self.detach(pid);
        }
    }

    /// A program replaces that of all threads. One is left, in the place of the leader, with the
    /// default namespace that it had itself.
    fn exec(&mut self, by: TaskId) {
        let Task { leader, pid, .. } = self.tasks[by];
        for thread in self.threads(leader) {
            if thread != by {
                self.end_thread(thread);
            }
        }
        if by != leader {
            self.change_tracer(by, Some(leader));
            self.tasks[leader].default = self.tasks[by].default;
            self.tasks.remove(by);
            self.detach(pid);
            self.process_mut(leader).tracer = None;
        }
        self.process_mut(leader).has_executed = true;
    }

    /// `reboot()` in a namespace is the end of its init, and tells the parent of that what was
    /// asked for.
    fn reboot(&mut self, by: TaskId, what: Reboot) -> Answer {
        let space = self.active(by);
        if !self.is_privileged(by, self.spaces[space].owner) {
            return Err(EPERM);
        }
        let signal = match what {
            Reboot::Restart => SIGHUP,
            Reboot::PowerOff | Reboot::Halt => SIGINT,
            Reboot::CadOff => return Err(EINVAL),
        };
        let init = self.spaces[space].init.expect("the caller lives there");
        self.end(init, Status::Signal(signal));
        Ok(Value::Done)
    }

    // Tracing. Who traces a process is told of its end first; only then can its parent reap it.

    fn trace(&mut self, by: TaskId, number: Number) -> Answer {
        let target = self.task_by_number(number, by)?;
        let process = self.process(target);
        let own = self.tasks[target].leader == self.tasks[by].leader;
        if own || process.tracer.is_some() || !self.runs(target) {
            return Err(EPERM);
        }
        if !self.is_privileged(by, process.user) {
            return Err(EPERM);
        }
        self.process_mut(target).tracer = Some(by);
        Ok(Value::Done)
    }

    fn untrace(&mut self, by: TaskId, number: Number) -> Answer {
        let target = self.task_by_number(number, by)?;
        if self.process(target).tracer != Some(by) {
            return Err(ESRCH);
        }
        self.process_mut(target).tracer = None;
        Ok(Value::Done)
    }

    /// All that a task traces has another tracer, or none.
    fn change_tracer(&mut self, old: TaskId, new: Option<TaskId>) {
        let traced = self.processes().filter(|(_, one)| one.tracer == Some(old));
        let traced: Vec<TaskId> = traced.map(|(id, _)| id).collect();
        for id in traced {
            self.process_mut(id).tracer = new;
        }
    }

    /// All threads of a process exit.
    fn end(&mut self, leader: TaskId, status: Status) {
        for thread in self.threads(leader) {
            self.end_thread(thread);
        }
        let file = self.process_mut(leader).file.take();
        self.let_go(file);
        if !self.is_init(leader) {
            return self.become_zombie(leader, status);
        }

        // "Also, when the PID 1 of a namespace leaves that namespace (generally by exiting), all
        // the children get killed." These are all that have a pid in it.
        let space = self.active(leader);
        self.process_mut(leader).state = State::Dying(status);
        self.spaces[space].dead = true;
        let spares = self.rules.has(Departure::InitSparesThoseBelow);
        for id in self.others_in(space, leader) {
            // A thread may have gone with another one of its process.
            if self.tasks.get(id).is_none() || spares && self.active(id) != space {
                continue;
            }
            if self.process(id).state == State::Alive {
                self.end(self.tasks[id].leader, Status::Signal(SIGKILL));
            }
        }
    }

    /// A process ends. "We already have reparent_to_init() happening when a process dies": that is
    /// the init of the namespace where the process lived, wherever its children do.
    fn become_zombie(&mut self, leader: TaskId, status: Status) {
        self.process_mut(leader).state = State::Zombie(status);
        let heir = self.heir(leader);
        let children: Vec<TaskId> = self.children(leader).collect();
        for child in children {
            self.process_mut(child).parent = heir;
        }
    }

    /// The children of a process.
    pub fn children(&self, of: TaskId) -> impl Iterator<Item = TaskId> + '_ {
        let children = self
            .processes()
            .filter(move |(_, one)| one.parent == Some(of));
        children.map(|(id, _)| id)
    }

    /// Who gets the children of a process that ends: the nearest ancestor of that in its
    /// namespace that has asked for orphans, or else the init.
    fn heir(&self, of: TaskId) -> Option<TaskId> {
        let space = self.active(of);
        let beyond = self.rules.has(Departure::SubreaperReachesBelow);
        let mut at = self.process(of).parent;
        while let Some(ancestor) = at.filter(|&at| beyond || self.active(at) == space) {
            let process = self.process(ancestor);
            if process.subreaper && process.state == State::Alive {
                return Some(ancestor);
            }
            at = process.parent;
        }
        let outer = self.spaces[space].parent;
        let outer = outer.filter(|_| self.rules.has(Departure::OrphanGoesFurtherOut));
        self.spaces[outer.unwrap_or(space)].init
    }

    /// All that follows from a call: an init whose namespace is empty ends, and an init that waits
    /// reaps its children.
    fn settle(&mut self) {
        while let Some((id, state)) = self.next_to_settle() {
            match state {
                State::Dying(status) => self.become_zombie(id, status),
                _ => self.reap(id),
            }
        }
    }

    fn next_to_settle(&self) -> Option<(TaskId, State)> {
        let reaped_at_once = |parent| matches!(self.process(parent).state, State::Dying(_));
        let mut processes = self.processes().map(|(id, process)| (id, process.state));
        processes.find(|&(id, state)| match state {
            State::Alive => false,
            State::Dying(_) => self.may_end(id),
            State::Zombie(_) if self.process(id).tracer.is_some() => false,
            State::Zombie(_) => self.process(id).parent.is_some_and(reaped_at_once),
        })
    }

    /// "PID 1 of a namespace" outlives all others in it: it ends when none is left.
    fn may_end(&self, init: TaskId) -> bool {
        let (own, space) = (self.tasks[init].pid, self.active(init));
        if self.rules.has(Departure::InitWaitsForPids) {
            let mut pids = self.pids.iter();
            return !pids.any(|(at, pid)| at != own && self.is_in(pid.space, space));
        }
        self.rules.has(Departure::InitWaitsForNobody) || self.others_in(space, init).is_empty()
    }

    /// A process that was waited for is gone.
    fn reap(&mut self, leader: TaskId) {
        let space = self.active(leader);
        if self.is_init(leader) {
            self.spaces[space].init = None;
        }
        let pid = self.tasks[leader].pid;
        let Process { group, session, .. } = *self.process(leader);
        self.tasks.remove(leader);
        if self.rules.has(Departure::PidGoesWithTask) && self.pids.get(pid).is_some() {
            self.pids.remove(pid);
            self.put_space(space);
        }
        for pid in [pid, group, session] {
            self.detach(pid);
        }
    }

    /// A process waits for a child; who lives where it has no number is none of its children. It
    /// waits for those that it traces as well, and leaves them to their parents then.
    fn wait(&mut self, by: TaskId, number: Number) -> Answer {
        let child = self.task_by_number(number, by).map_err(|_| ECHILD)?;
        let own = self.tasks[by].leader;
        let Process {
            state,
            parent,
            tracer,
            ..
        } = *self.process(child);
        let tracer = tracer.map(|tracer| self.tasks[tracer].leader);
        let is_leader = self.tasks[child].leader == child;
        if !is_leader || parent != Some(own) && tracer != Some(own) {
            return Err(ECHILD);
        }
        let State::Zombie(status) = state else {
            return Ok(Value::Done);
        };
        if tracer.is_some_and(|tracer| tracer != own) {
            return Ok(Value::Done);
        }
        if parent == Some(own) {
            self.reap(child);
        } else {
            self.process_mut(child).tracer = None;
        }
        Ok(Value::Ended(number, status))
    }

    // Files.

    fn open(&mut self, by: TaskId, task: TaskId, which: Which) -> Answer {
        let space = match which {
            Which::Active => self.active(task),
            Which::Default => self.default(task),
        };
        Ok(self.take_file(by, space))
    }

    /// Opens a namespace in place of what is open.
    fn take_file(&mut self, by: TaskId, space: SpaceId) -> Value {
        self.hold(space);
        let old = self.process_mut(by).file.replace(space);
        self.let_go(old);
        Value::Done
    }

    /// Mounts are those of the world, and so are the privileges that it takes.
    fn may_mount(&self, by: TaskId) -> Result<(), Errno> {
        let owner = self.spaces[OUTERMOST].owner;
        self.is_privileged(by, owner).then_some(()).ok_or(EPERM)
    }

    /// Does what a task that runs asks for, and all that follows from it. What fails changes
    /// nothing but the numbers that will be given next.
    pub fn apply(&mut self, by: TaskId, op: &Op) -> Answer {
        let answer = self.call(by, op);
        self.settle();
        answer
    }

    fn call(&mut self, by: TaskId, op: &Op) -> Answer {
        let file = self.process(by).file;
        match *op {
            Op::Clone(flags, ref wanted) => return self.clone_task(by, flags, wanted),
            Op::Unshare(flags) => return self.unshare(by, flags),
            Op::Setns => return self.setns(by, file.ok_or(EBADF)?),
            Op::SetnsPidfd(task) => {
                if !self.is_privileged(by, self.process(task).user) {
                    return Err(EPERM);
                }
                return self.setns(by, self.active(task));
            }
            Op::Setpgid(pid, group) => return self.setpgid(by, pid, group),
            Op::Setsid => return self.setsid(by),
            Op::Subreaper(on) => self.process_mut(by).subreaper = on,
            Op::Kill(number, signal) => {
                let target = self.task_by_number(number, by)?;
                return self.kill(by, target, signal);
            }
            Op::KillAll(signal) => return self.kill_all(by, signal),
            Op::KillPidfd(target, signal) => {
                self.number_of(target, by).ok_or(EINVAL)?;
                return self.kill(by, target, signal);
            }
            Op::Wait(number) => return self.wait(by, number),
            Op::Exit(code) => self.end(self.tasks[by].leader, Status::Code(code)),
            Op::ExitThread if self.is_last(by) => self.end(self.tasks[by].leader, Status::Code(0)),
            Op::ExitThread => self.end_thread(by),
            Op::Exec => self.exec(by),
            Op::Reboot(what) => return self.reboot(by, what),
            Op::Trace(number) => return self.trace(by, number),
            Op::Untrace(number) => return self.untrace(by, number),
            Op::Open(task, which) => return self.open(by, task, which),
            Op::Close => {
                file.ok_or(EBADF)?;
                self.process_mut(by).file = None;
                self.let_go(file);
            }
            Op::Pass(to) => {
                self.hold(file.ok_or(EBADF)?);
                let old = self.process_mut(to).file.take();
                self.process_mut(to).file = file;
                self.let_go(old);
            }
            Op::Mount => {
                let space = file.ok_or(EBADF)?;
                self.may_mount(by)?;
                self.hold(space);
                let old = self.mount.take();
                self.mount = file;
                self.let_go(old);
            }
            Op::Unmount => {
                self.may_mount(by)?;
                let old = self.mount.take();
                old.ok_or(EINVAL)?;
                self.let_go(old);
            }
            Op::OpenMount => {
                let space = self.mount.ok_or(EBADF)?;
                return Ok(self.take_file(by, space));
            }
            Op::Parent => return self.parent_of(by, file.ok_or(EBADF)?),
            Op::Owner => return self.owner_of(by, file.ok_or(EBADF)?),
            // Who is outside of this world sees all that are in use.
            Op::List => return Ok(Value::Space(self.active(by))),
            Op::Translate(how, of_process, number) => {
                return self.translate(by, file.ok_or(EBADF)?, how, of_process, number);
            }
            Op::Limit(max) => {
                let user = self.process(by).user;
                self.users[user].max = max;
            }
            Op::PidMax(max) => return self.pid_max(by, max),
            Op::LastPid(last) => return self.last_pid(by, last),
            Op::Look => return self.look(by),
        }
        Ok(Value::Done)
    }
}
