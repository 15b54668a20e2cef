// SPDX-License-Identifier: GPL-2.0-only

//! Random histories of a world, for qemu/histories.c, which does what they say: each call with the
//! answer that the rules give, and what each makes of the tasks.

use crate::calls::{
    Answer, Errno, Flags, Number, Op, Reboot, Signal, Status, TaskId, Translate, Value, Which,
};
use crate::departure::{Departure, Rules};
use crate::rules::{MAX_WANTED, PID_MAX_MIN};
use crate::world::{
    Numbering, Pid, PidId, Process, SpaceId, State, Task, World, OUTERMOST, PID_MAX_LIMIT,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// How many tasks there are at most.
const TASKS: usize = 40;
/// How many user namespaces.
const USERS: usize = 8;
/// The level of the deepest namespace: the world itself is one below the initial one.
const MAX_LEVEL: usize = 31;
/// A number that no task has.
const NOBODY: Number = 30000;
/// The answer of a call whose caller is gone.
const NO_ANSWER: i32 = -1000;
/// After how many calls in a row that cannot be made a history ends.
const MOST_IN_VAIN: usize = 1000;
/// After how many calls all tasks are looked at, and not only those that have changed.
const LOOK_AT_ALL: usize = 20;

/// What the calls of a history are mostly about.
#[derive(Clone, Copy)]
enum Kind {
    Mixed,
    Deep,
    Limited,
    Deadly,
    Threads,
    Groups,
    Traced,
}

const KINDS: [Kind; 7] = [
    Kind::Mixed,
    Kind::Deep,
    Kind::Limited,
    Kind::Deadly,
    Kind::Threads,
    Kind::Groups,
    Kind::Traced,
];

/// Something that a task tries, and how often in each kind of history.
type Weighted = (fn(&mut History, TaskId) -> Option<Op>, [u32; KINDS.len()]);

const OPS: [Weighted; 33] = [
    (History::unshare, [8, 2, 10, 10, 6, 4, 4]),
    (History::fork, [12, 4, 10, 16, 8, 14, 14]),
    (History::newpid, [6, 30, 10, 8, 4, 6, 6]),
    (History::thread, [4, 2, 1, 3, 20, 2, 6]),
    (
        |history, by| history.with_file(by, Op::Setns),
        [4, 2, 3, 3, 4, 2, 2],
    ),
    (History::setns_pidfd, [4, 2, 3, 3, 4, 2, 2]),
    (History::open, [5, 2, 5, 3, 3, 1, 2]),
    (
        |history, by| history.with_file(by, Op::Close),
        [1, 1, 2, 1, 1, 0, 0],
    ),
    (History::pass, [2, 1, 2, 1, 1, 0, 0]),
    (History::kill, [3, 1, 3, 8, 4, 4, 6]),
    (History::kill_pidfd, [2, 1, 1, 4, 2, 2, 2]),
    (History::kill_all, [1, 1, 0, 2, 0, 2, 0]),
    (History::wait, [10, 2, 6, 12, 8, 12, 14]),
    (History::exit, [4, 1, 4, 8, 3, 5, 6]),
    (|_, _| Some(Op::ExitThread), [1, 0, 0, 1, 6, 0, 2]),
    (|_, _| Some(Op::Exec), [2, 1, 1, 2, 6, 3, 3]),
    (History::reboot, [1, 1, 1, 4, 1, 1, 1]),
    (History::trace, [3, 1, 0, 3, 3, 1, 20]),
    (History::untrace, [2, 1, 0, 2, 2, 1, 12]),
    (History::setpgid, [3, 1, 0, 3, 2, 20, 2]),
    (|_, _| Some(Op::Setsid), [1, 0, 0, 1, 1, 4, 1]),
    (History::subreaper, [2, 1, 0, 4, 2, 2, 2]),
    (
        |history, by| history.with_file(by, Op::Mount),
        [2, 1, 4, 2, 1, 0, 0],
    ),
    (|_, _| Some(Op::Unmount), [1, 1, 3, 1, 1, 0, 0]),
    (|_, _| Some(Op::OpenMount), [1, 1, 3, 1, 1, 0, 0]),
    (
        |history, by| history.with_file(by, Op::Parent),
        [3, 3, 1, 2, 2, 1, 1],
    ),
    (
        |history, by| history.with_file(by, Op::Owner),
        [2, 1, 1, 1, 1, 1, 1],
    ),
    (|_, _| Some(Op::List), [2, 2, 2, 2, 2, 1, 1]),
    (History::translate, [4, 3, 1, 3, 3, 2, 2]),
    (History::limit, [1, 0, 6, 1, 0, 0, 0]),
    (History::pid_max, [2, 2, 1, 2, 1, 1, 1]),
    (History::last_pid, [3, 3, 1, 3, 2, 1, 1]),
    (|_, _| Some(Op::Look), [5, 4, 4, 5, 5, 5, 5]),
];

/// Numbers that are the same everywhere: xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    fn one_in(&mut self, limit: usize) -> bool {
        self.below(limit) == 0
    }

    fn one_of<T: Copy>(&mut self, things: &[T]) -> Option<T> {
        match things.len() {
            0 => None,
            many => Some(things[self.below(many)]),
        }
    }
}

/// A thread that is gone in the model and may be there in the kernel: its leader is an init that is
/// dying, and any thread of it may be the one that waits for others to leave the namespace.
struct Late {
    id: TaskId,
    leader: TaskId,
    pid: Pid,
}

/// A world, what happened in it, and what may happen next.
struct History {
    rules: Rules,
    world: World,
    random: Random,
    kind: Kind,
    text: String,
    step: usize,
    /// The calls, which can be made once more without some of them.
    made: Vec<(TaskId, Op)>,
    /// All tasks are looked at after each call.
    thorough: bool,
    late: Vec<Late>,
}

/// The history of a seed, of so many calls.
pub fn history(seed: u64, rules: Rules, calls: usize) -> String {
    History::of(seed, rules, calls).text
}

/// The same without some of its calls; of the others, those that are still possible.
pub fn part(seed: u64, rules: Rules, calls: usize, kept: &[usize]) -> String {
    let whole = History::of(seed, rules, calls);
    let mut part = History::new(seed, rules);
    part.thorough = true;
    for (by, op) in kept.iter().filter_map(|&at| whole.made.get(at)) {
        part.call(*by, op.clone());
    }
    part.text
}

impl History {
    fn new(seed: u64, rules: Rules) -> History {
        History {
            rules,
            world: World::new(rules, Numbering::Next, MAX_LEVEL),
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1)),
            kind: KINDS[(seed % KINDS.len() as u64) as usize],
            text: String::new(),
            step: 0,
            made: vec![],
            thorough: false,
            late: vec![],
        }
    }

    fn of(seed: u64, rules: Rules, calls: usize) -> History {
        let mut history = History::new(seed, rules);
        let mut in_vain = 0;
        // Where the next number is that of a thread that is late, nobody may be left who can do
        // anything else.
        while history.step < calls && in_vain < MOST_IN_VAIN {
            let before = history.step;
            history.one_step();
            in_vain = match history.step == before {
                true => in_vain + 1,
                false => 0,
            };
        }
        history
    }

    /// One call. The director sees to it that there are others.
    fn one_step(&mut self) {
        let few = self.running(0).len() < 4;
        let room = self.world.tasks.count() < TASKS - 2;
        if few && room {
            self.call(0, Op::Clone(Flags::NONE, vec![]));
        } else if few || self.random.one_in(16) {
            if let Some(op) = self.wait(0) {
                self.call(0, op);
            }
        } else if let Some(by) = self.player() {
            let try_it = self.random_op();
            if let Some(op) = try_it(self, by) {
                self.call(by, op);
            }
        }
    }

    fn random_op(&mut self) -> fn(&mut History, TaskId) -> Option<Op> {
        let weights = OPS
            .iter()
            .map(|(_, weights)| weights[self.kind as usize] as usize);
        let mut at = self.random.below(weights.clone().sum());
        for (weight, (op, _)) in weights.zip(OPS) {
            if at < weight {
                return op;
            }
            at -= weight;
        }
        OPS[0].0
    }

    /// Who acts: anybody, or in a deep world mostly one of the lowest level.
    fn player(&mut self) -> Option<TaskId> {
        let running = self.running(0);
        let anybody = self.random.one_of(&running)?;
        if !matches!(self.kind, Kind::Deep) || self.random.one_in(4) {
            return Some(anybody);
        }
        running
            .into_iter()
            .max_by_key(|&id| self.world.spaces[self.world.active(id)].level)
    }

    /// Those that run, but one.
    fn running(&self, but: TaskId) -> Vec<TaskId> {
        let tasks = self.world.tasks.iter().map(|(id, _)| id);
        tasks
            .filter(|&id| id != 0 && id != but && self.world.runs(id))
            .collect()
    }

    /// Leaders that run.
    fn leaders(&self) -> Vec<TaskId> {
        let running = self.running(0).into_iter();
        running
            .filter(|&id| self.world.tasks[id].leader == id)
            .collect()
    }

    fn outer(&self, task: TaskId) -> Number {
        let pid = self.world.tasks[task].pid;
        self.world
            .number(pid, OUTERMOST)
            .expect("all are in the world")
    }

    // What a task tries.

    fn room(&self) -> bool {
        self.world.tasks.count() < TASKS
    }

    fn with_user(&mut self, mut flags: Flags) -> Flags {
        flags.newuser = self.world.users.len() < USERS && self.random.one_in(4);
        flags
    }

    fn unshare(&mut self, _: TaskId) -> Option<Op> {
        let mut flags = self.with_user(Flags::NEWPID);
        flags.newpid = !flags.newuser || self.random.one_in(2);
        Some(Op::Unshare(flags))
    }

    fn fork(&mut self, by: TaskId) -> Option<Op> {
        let mut flags = self.with_user(Flags::NONE);
        flags.parent = self.random.one_in(6);
        let wanted = self.wanted(by, flags);
        flags.vfork = self.may_vfork(flags, &wanted);
        self.room().then_some(Op::Clone(flags, wanted))
    }

    fn newpid(&mut self, by: TaskId) -> Option<Op> {
        let mut flags = self.with_user(Flags::NEWPID);
        flags.parent = self.random.one_in(6);
        let wanted = self.wanted(by, flags);
        flags.vfork = self.may_vfork(flags, &wanted);
        self.room().then_some(Op::Clone(flags, wanted))
    }

    /// In a user namespace without maps a program would lose all privileges.
    fn may_vfork(&mut self, flags: Flags, wanted: &[Number]) -> bool {
        !flags.newuser && wanted.is_empty() && self.random.one_in(8)
    }

    /// A thread; or a call that asks for one in a namespace of its own, which is refused.
    fn thread(&mut self, _: TaskId) -> Option<Op> {
        let mut flags = Flags::THREAD;
        if self.random.one_in(8) {
            flags = self.with_user(flags);
            flags.newpid = self.random.one_in(2);
        }
        self.room().then_some(Op::Clone(flags, vec![]))
    }

    /// Numbers for a child: mostly some that it can have. Those outside of the world are not ours.
    fn wanted(&mut self, by: TaskId, flags: Flags) -> Vec<Number> {
        if !self.random.one_in(5) {
            return vec![];
        }
        if self.random.one_in(20) {
            return vec![1000; MAX_WANTED + 1];
        }
        let world = &self.world;
        let (active, default) = (world.active(by), world.default(by));
        let above: Vec<SpaceId> = world
            .up(if flags.newpid { active } else { default })
            .collect();
        let path = above.into_iter().map(Some);
        let path: Vec<_> = flags
            .newpid
            .then_some(None)
            .into_iter()
            .chain(path)
            .collect();
        let many = 1 + self.random.below(3);
        let mut numbers = vec![];
        for space in path.into_iter().take(many) {
            let first = space.is_none_or(|space| self.world.spaces[space].is_unborn());
            let taken: Vec<Number> = space.map_or(vec![], |space| {
                let pids = self.world.pids.iter();
                pids.filter_map(|(pid, _)| self.world.number(pid, space))
                    .collect()
            });
            numbers.push(match self.random.below(10) {
                0..8 if first => 1,
                _ if first => 2,
                0..6 => 1000 + self.random.below(usize::from(NOBODY) - 1000) as Number,
                6 => 0,
                _ => self.random.one_of(&taken).unwrap_or(NOBODY),
            });
        }
        numbers
    }

    fn setns_pidfd(&mut self, _: TaskId) -> Option<Op> {
        let leaders = self.leaders();
        self.random.one_of(&leaders).map(Op::SetnsPidfd)
    }

    fn open(&mut self, _: TaskId) -> Option<Op> {
        let running = self.running(0);
        let task = self.random.one_of(&running)?;
        let default = self.random.one_in(2);
        Some(Op::Open(
            task,
            if default {
                Which::Default
            } else {
                Which::Active
            },
        ))
    }

    /// A call that is about what is open, and mostly only if something is.
    fn with_file(&mut self, by: TaskId, op: Op) -> Option<Op> {
        let open = self.world.process(by).file.is_some();
        (open || self.random.one_in(8)).then_some(op)
    }

    fn pass(&mut self, by: TaskId) -> Option<Op> {
        let own = self.world.tasks[by].leader;
        let mut others = self.running(0);
        others.retain(|&id| self.world.tasks[id].leader != own);
        let to = self.random.one_of(&others)?;
        self.with_file(by, Op::Pass(to))
    }

    /// A process, or rather one whose end is the end of a namespace.
    fn victim(&mut self, any: bool) -> Option<TaskId> {
        let all: Vec<TaskId> = self.world.processes().map(|(id, _)| id).collect();
        let some = if any { all } else { self.leaders() };
        let first = self.random.one_of(&some)?;
        let second = self.random.one_of(&some)?;
        let victim = if self.world.is_init(second) {
            second
        } else {
            first
        };
        (victim != 0).then_some(victim)
    }

    fn kill(&mut self, by: TaskId) -> Option<Op> {
        let target = self.victim(true)?;
        let number = self.world.number_of(target, by).unwrap_or(NOBODY);
        Some(Op::Kill(number, self.signal()))
    }

    fn kill_all(&mut self, _: TaskId) -> Option<Op> {
        Some(Op::KillAll(self.signal()))
    }

    fn kill_pidfd(&mut self, _: TaskId) -> Option<Op> {
        let target = self.victim(false)?;
        Some(Op::KillPidfd(target, self.signal()))
    }

    /// Mostly one that ends somebody.
    fn signal(&mut self) -> Signal {
        match self.random.below(8) {
            0 => Signal::None,
            1 | 2 => Signal::Term,
            _ => Signal::Kill,
        }
    }

    fn wait(&mut self, by: TaskId) -> Option<Op> {
        let own = self.world.tasks[by].leader;
        let mut some: Vec<TaskId> = self.world.children(own).collect();
        if some.is_empty() || self.random.one_in(8) {
            some = self.world.tasks.iter().map(|(id, _)| id).collect();
        }
        let child = self.random.one_of(&some)?;
        Some(Op::Wait(self.world.number_of(child, by).unwrap_or(NOBODY)))
    }

    fn exit(&mut self, _: TaskId) -> Option<Op> {
        Some(Op::Exit(self.random.below(100) as u8))
    }

    fn setpgid(&mut self, by: TaskId) -> Option<Op> {
        let space = self.world.active(by);
        let pids: Vec<PidId> = self.world.pids.iter().map(|(pid, _)| pid).collect();
        let group = self.random.one_of(&pids)?;
        let group = self.world.number(group, space).unwrap_or(NOBODY);
        let group = if self.random.one_in(3) { 0 } else { group };
        let mut whom: Vec<TaskId> = self.world.children(self.world.tasks[by].leader).collect();
        if self.random.one_in(8) {
            whom = self.world.tasks.iter().map(|(id, _)| id).collect();
        }
        let target = self.random.one_of(&whom).filter(|_| self.random.one_in(2));
        let number = target.map(|target| self.world.number_of(target, by).unwrap_or(NOBODY));
        Some(Op::Setpgid(number.unwrap_or(0), group))
    }

    fn subreaper(&mut self, _: TaskId) -> Option<Op> {
        Some(Op::Subreaper(!self.random.one_in(4)))
    }

    fn reboot(&mut self, _: TaskId) -> Option<Op> {
        let what = [
            Reboot::Restart,
            Reboot::PowerOff,
            Reboot::Halt,
            Reboot::CadOff,
        ];
        self.random.one_of(&what).map(Op::Reboot)
    }

    fn trace(&mut self, by: TaskId) -> Option<Op> {
        let leaders = self.leaders();
        let target = self.random.one_of(&leaders)?;
        Some(Op::Trace(
            self.world.number_of(target, by).unwrap_or(NOBODY),
        ))
    }

    fn untrace(&mut self, by: TaskId) -> Option<Op> {
        let mut leaders = self.leaders();
        if !self.random.one_in(4) {
            leaders.retain(|&id| self.world.process(id).tracer == Some(by));
        }
        let target = self.random.one_of(&leaders)?;
        Some(Op::Untrace(
            self.world.number_of(target, by).unwrap_or(NOBODY),
        ))
    }

    fn translate(&mut self, by: TaskId) -> Option<Op> {
        let space = self.world.process(by).file;
        let how = [Translate::From, Translate::In];
        let how = self.random.one_of(&how)?;
        let from = match how {
            Translate::From => space.unwrap_or(OUTERMOST),
            Translate::In => self.world.active(by),
        };
        let tasks = self.world.tasks.iter();
        let numbers = tasks.filter_map(|(_, task)| self.world.number(task.pid, from));
        let numbers: Vec<Number> = numbers.collect();
        let number = self.random.one_of(&numbers).unwrap_or(NOBODY);
        let of_process = self.random.one_in(2);
        self.with_file(by, Op::Translate(how, of_process, number))
    }

    fn pid_max(&mut self, by: TaskId) -> Option<Op> {
        // There must always be room for another child of the director.
        if self.world.active(by) == OUTERMOST || self.random.one_in(3) {
            return Some(Op::PidMax(None));
        }
        let max = [
            PID_MAX_MIN - 1,
            PID_MAX_MIN,
            PID_MAX_MIN + 2,
            1000,
            PID_MAX_LIMIT,
            PID_MAX_LIMIT + 1,
        ];
        self.random.one_of(&max).map(|max| Op::PidMax(Some(max)))
    }

    fn last_pid(&mut self, by: TaskId) -> Option<Op> {
        if self.random.one_in(3) {
            return Some(Op::LastPid(None));
        }
        let max = self.world.spaces[self.world.active(by)].pid_max;
        let last = match self.random.below(3) {
            // What comes next is a number of this model, or below what is reserved.
            0 if max < NOBODY.into() => max - 2 + self.random.below(4) as u32,
            0 => max + self.random.below(2) as u32,
            1 => self.random.below(2) as u32,
            _ => self.random.below(max.min(NOBODY.into()) as usize) as u32,
        };
        Some(Op::LastPid(Some(last)))
    }

    fn limit(&mut self, by: TaskId) -> Option<Op> {
        let charged = self.world.users[self.world.process(by).user].charged;
        let near = (charged + self.random.below(4)).saturating_sub(1);
        Some(Op::Limit(if self.random.one_in(3) { 10000 } else { near }))
    }

    // What becomes of it.

    /// Is it a call whose answer is known, and of tasks that are there?
    fn is_possible(&self, by: TaskId, op: &Op) -> bool {
        let world = &self.world;
        if !world.runs(by) {
            return false;
        }
        let leads = |id: TaskId| world.tasks.get(id).is_some_and(|task| task.leader == id);
        let named = |number| {
            let mut tasks = world.tasks.iter().map(|(id, _)| id);
            tasks.find(|&id| world.number_of(id, by) == Some(number))
        };
        let late = |number| {
            let space = world.active(by);
            let mut late = self.late.iter();
            late.any(|late| world.number_in(&late.pid, space) == Some(number))
        };
        match *op {
            // What lies above this world has numbers as well.
            Op::Clone(flags, ref wanted) => {
                let from = match flags.newpid {
                    true => world.active(by),
                    false => world.default(by),
                };
                let most = world.up(from).count() + usize::from(flags.newpid);
                self.room() && (wanted.len() <= most || wanted.len() > MAX_WANTED)
            }
            Op::Kill(number, _) | Op::Setpgid(number, _) | Op::Wait(number) if late(number) => {
                false
            }
            Op::Setpgid(_, group) if late(group) => false,
            Op::Trace(number) | Op::Untrace(number) | Op::Translate(.., number) if late(number) => {
                false
            }
            Op::SetnsPidfd(id) => leads(id) && world.runs(id),
            // Who is traced stops for a signal that does not kill.
            Op::Kill(number, Signal::Term) => {
                named(number).is_none_or(|id| world.process(id).tracer.is_none())
            }
            Op::KillAll(Signal::Term) => {
                let mut others = world.all_others(by).into_iter();
                others.all(|id| world.process(id).tracer.is_none())
            }
            Op::KillPidfd(id, signal) => {
                id != 0
                    && leads(id)
                    && (signal != Signal::Term || world.process(id).tracer.is_none())
            }
            Op::Open(id, _) => world.runs(id),
            Op::Pass(id) => world.runs(id) && world.tasks[id].leader != world.tasks[by].leader,
            // Only who leads is traced here, and interrupted where it can be.
            Op::Trace(number) | Op::Untrace(number) => {
                named(number).is_none_or(|id| id != 0 && leads(id) && world.runs(id))
            }
            Op::Reboot(_) => by != 0 && self.ends_unseen(by),
            // It was a child of the director's that wrote it: all others are its children.
            Op::PidMax(Some(_)) => world.active(by) != OUTERMOST,
            _ => true,
        }
    }

    /// Who calls `reboot()` ends by itself or is killed with its init, whatever comes first. Would
    /// nobody see which?
    fn ends_unseen(&self, by: TaskId) -> bool {
        let world = &self.world;
        let process = world.process(by);
        let space = world.active(by);
        let inside = |parent| world.is_in(world.active(parent), space);
        space != OUTERMOST
            && (world.is_init(by) || process.parent.is_some_and(inside) && process.tracer.is_none())
    }

    /// Makes a call, unless the kernel of these rules would be left with a task that never ends, or
    /// may have given the number to somebody who is late.
    fn call(&mut self, by: TaskId, op: Op) {
        if !self.is_possible(by, &op) {
            return;
        }
        let mut after = self.world.clone();
        let answer = after.apply(by, &op);
        if self.is_number_late(&after) {
            return;
        }
        let mut end = after.clone();
        // The history may end here: then the director exits, and all others with it.
        let _ = end.apply(0, &Op::Exit(0));
        if !matches!(end.process(0).state, State::Zombie(_)) {
            assert!(
                self.rules.has(Departure::InitWaitsForPids),
                "an init that never ends: {by} {op:?}"
            );
            return;
        }
        self.made.push((by, op.clone()));
        let before = std::mem::replace(&mut self.world, after);
        let made = match (&op, answer) {
            (Op::Clone(..), Ok(_)) => self.made(&before),
            _ => 0,
        };
        self.say(by, before.tasks[by].leader, &op, answer, made);
        if answer.is_ok() {
            match op {
                Op::Clone(flags, _) => self.learn(made, flags, Which::Active),
                Op::Unshare(flags) => self.learn(by, flags, Which::Default),
                _ => (),
            }
        }
        self.compare(&before);
        self.step += 1;
    }

    /// Has a pid that is new after a call a number that the kernel may not give yet?
    fn is_number_late(&self, after: &World) -> bool {
        let mut new = after.pids.iter();
        new.any(|(id, pid)| {
            let mut late = self.late.iter();
            self.world.pids.get(id).is_none()
                && late.any(|late| {
                    let mut spaces = after.up(late.pid.space);
                    spaces.any(|at| after.number_in(&late.pid, at) == after.number_in(pid, at))
                })
        })
    }

    /// The one task that was not there before.
    fn made(&self, before: &World) -> TaskId {
        let mut tasks = self.world.tasks.iter().map(|(id, _)| id);
        tasks
            .find(|&id| before.tasks.get(id).is_none())
            .expect("somebody was made")
    }

    /// What a call is in a file: its name, flags, two arguments and numbers.
    fn words(&self, op: &Op, leader: TaskId) -> (&'static str, u64, i64, i64, Vec<Number>) {
        let outer = |task| i64::from(self.outer(task));
        let none = vec![];
        match *op {
            Op::Clone(flags, ref numbers) => ("clone", word(flags), 0, 0, numbers.clone()),
            Op::Unshare(flags) => ("unshare", word(flags), 0, 0, none),
            Op::Setns => ("setns", 0, 0, 0, none),
            Op::SetnsPidfd(task) => ("setns_pidfd", 0, outer(task), 0, none),
            Op::Setpgid(pid, group) => ("setpgid", 0, pid.into(), group.into(), none),
            Op::Setsid => ("setsid", 0, 0, 0, none),
            Op::Subreaper(on) => ("subreaper", 0, on.into(), 0, none),
            Op::Kill(number, signal) => ("kill", 0, number.into(), signal_word(signal), none),
            Op::KillAll(signal) => ("kill", 0, -1, signal_word(signal), none),
            Op::KillPidfd(task, signal) => {
                ("kill_pidfd", 0, outer(task), signal_word(signal), none)
            }
            Op::Wait(number) => ("wait", 0, number.into(), 0, none),
            // The one that is left answers as the leader.
            Op::Exec => ("exec", 0, leader as i64, 0, none),
            Op::Exit(code) => ("exit", 0, code.into(), 0, none),
            Op::ExitThread => ("exit_thread", 0, 0, 0, none),
            Op::Reboot(what) => ("reboot", 0, what as i64, 0, none),
            Op::Trace(number) => ("trace", 0, number.into(), 0, none),
            Op::Untrace(number) => ("untrace", 0, number.into(), 0, none),
            Op::Open(task, which) => ("open", 0, outer(task), which as i64, none),
            Op::Close => ("close", 0, 0, 0, none),
            Op::Pass(to) => ("pass", 0, to as i64, 0, none),
            Op::Limit(max) => ("limit", 0, max as i64, 0, none),
            Op::Mount => ("mount", 0, 0, 0, none),
            Op::Unmount => ("unmount", 0, 0, 0, none),
            Op::OpenMount => ("open_mount", 0, 0, 0, none),
            Op::Parent => ("parent", 0, 0, 0, none),
            Op::Owner => ("owner", 0, 0, 0, none),
            Op::List => ("list", 0, 0, 0, none),
            Op::Translate(how, of_process, number) => {
                let how = how as u64 + 2 * u64::from(of_process);
                ("translate", how, number.into(), 0, none)
            }
            Op::PidMax(max) => (
                "pid_max",
                max.is_some().into(),
                max.unwrap_or(0).into(),
                0,
                none,
            ),
            Op::Look => ("look", 0, 0, 0, none),
            Op::LastPid(last) => (
                "last_pid",
                last.is_some().into(),
                last.unwrap_or(0).into(),
                0,
                none,
            ),
        }
    }

    fn say(&mut self, by: TaskId, leader: TaskId, op: &Op, answer: Answer, made: TaskId) {
        let (name, flags, a, b, numbers) = self.words(op, leader);
        let (answer, status) = match answer {
            _ if !self.world.runs(by) && *op != Op::Exec => (NO_ANSWER, 0),
            Ok(Value::Done) => (0, 0),
            Ok(Value::Pid(number)) => (number.into(), 0),
            Ok(Value::Ended(number, status)) => (number.into(), status_word(status)),
            Ok(Value::Seen(thread, process, parent)) => {
                let both = (u32::from(thread) << 16) | u32::from(process);
                (both as i32, parent.unwrap_or(0).into())
            }
            // Not taken for an error.
            Ok(Value::Read(number)) => (number as i32 + 1, 0),
            Ok(Value::Space(slot) | Value::User(slot)) => (slot as i32, 0),
            Err(error) => (-errno(error), 0),
        };
        let outer = if made == 0 { 0 } else { self.outer(made) };
        self.line(&format!(
            "call {} {by} {name} {flags} {a} {b} {made} {outer} {answer} {status}",
            self.step
        ));
        self.text.pop();
        for number in numbers {
            write!(self.text, " {number}").expect("a string has room");
        }
        self.text.push('\n');
    }

    fn line(&mut self, line: &str) {
        writeln!(self.text, "{line}").expect("a string has room");
    }

    /// Has the director find out which namespaces are new, and a new user namespace get its maps.
    fn learn(&mut self, task: TaskId, flags: Flags, which: Which) {
        if flags.newuser {
            let user = self.world.process(task).user;
            self.line(&format!("user {user} {task}"));
            self.line(&format!("call {} {task} maps 0 0 0 0 0 0 0", self.step));
        }
        if flags.newpid {
            let space = self.world.default(task);
            self.line(&format!("space {space} {task} {}", which as u8));
        }
    }

    /// Says what has become of the tasks, those that have ended first: others depend on it.
    fn compare(&mut self, before: &World) {
        let old = described(before);
        let new = described(&self.world);
        let all = self.thorough || self.step % LOOK_AT_ALL == 0;
        let mut lines: Vec<(usize, String)> = vec![];
        let world = &self.world;
        let mut freed = numbers_of(before);
        for id in old.keys().filter(|id| !new.contains_key(id)) {
            let Task { leader, pid, .. } = before.tasks[*id];
            let pid = before.pids[pid].clone();
            self.late.push(Late {
                id: *id,
                leader,
                pid,
            });
        }
        for Late { id, leader, pid } in std::mem::take(&mut self.late) {
            let dying = world.tasks.get(leader).is_some_and(|_| {
                let state = world.process(leader).state;
                matches!(state, State::Dying(_))
            });
            let number = pid.numbers[0];
            if dying {
                freed.remove(&number);
                self.late.push(Late { id, leader, pid });
            } else {
                freed.insert(number);
                lines.push((0, format!("task {id} {number} gone")));
            }
        }
        for number in freed.difference(&numbers_of(world)) {
            lines.push((usize::MAX, format!("free {number}")));
        }
        for (id, (pid, words)) in &new {
            if *id != 0 && (all || old.get(id) != Some(&(*pid, words.clone()))) {
                let order = ["dying", "zombie", "left", "alive", "thread"];
                let order = order.iter().position(|word| words.starts_with(word));
                lines.push((1 + order.unwrap_or(0), format!("task {id} {pid} {words}")));
            }
        }
        lines.sort();
        for (_, line) in lines {
            self.line(&line);
        }
    }
}

/// The outermost numbers that are in use.
fn numbers_of(world: &World) -> BTreeSet<Number> {
    let pids = world.pids.iter();
    pids.map(|(_, pid)| pid.numbers[0]).collect()
}

/// All tasks, with their pids in the world, as /proc shows them.
fn described(world: &World) -> BTreeMap<TaskId, (Number, String)> {
    let tasks = world.tasks.iter().map(|(id, task)| {
        let outer = world.number(task.pid, OUTERMOST).unwrap_or(0);
        (id, (outer, describe(world, id, task)))
    });
    tasks.collect()
}

fn describe(world: &World, id: TaskId, task: &Task) -> String {
    let active = world.active(id);
    let default = task
        .default
        .map_or(String::new(), |default| format!(" > n{default}"));
    let own = numbers(world, task.pid, active);
    let Some(Process {
        state,
        parent,
        group,
        session,
        user,
        ..
    }) = task.process
    else {
        return format!("thread of p{} n{active}{default} {own}", task.leader);
    };
    let word = match state {
        State::Alive if task.default.is_none() => "left",
        State::Alive => "alive",
        State::Dying(_) => "dying",
        State::Zombie(_) => "zombie",
    };
    let parent = parent.map_or(-1, |parent| parent as i64);
    let user = task.default.map_or(String::new(), |_| format!(" u{user}"));
    let group = numbers(world, group, active);
    let session = numbers(world, session, active);
    format!("{word} of p{parent} n{active}{default}{user} {own} g{group} s{session}")
}

/// The numbers of a `struct pid` in a namespace and all above it, the outermost first; 0 is none.
fn numbers(world: &World, pid: PidId, space: SpaceId) -> String {
    let numbers = world
        .up(space)
        .map(|at| world.number(pid, at).unwrap_or(0).to_string());
    let mut numbers: Vec<String> = numbers.collect();
    numbers.reverse();
    numbers.join(",")
}

/// The flags as the kernel has them.
fn word(flags: Flags) -> u64 {
    let bits = [
        (flags.newuser, 0x1000_0000),
        (flags.newpid, 0x2000_0000),
        (flags.parent, 0x8000),
        (flags.thread, 0x1_0000),
        // And CLONE_VM.
        (flags.vfork, 0x4100),
    ];
    bits.iter().filter(|bit| bit.0).map(|bit| bit.1).sum()
}

/// A signal as the kernel has it.
fn signal_word(signal: Signal) -> i64 {
    match signal {
        Signal::None => 0,
        Signal::Term => 15,
        Signal::Kill => 9,
    }
}

/// A status as wait(2) returns it.
fn status_word(status: Status) -> i32 {
    match status {
        Status::Code(code) => i32::from(code) << 8,
        Status::Signal(signal) => signal.into(),
    }
}

/// An error as the kernel has it.
fn errno(error: Errno) -> i32 {
    match error {
        Errno::EPERM => 1,
        Errno::ESRCH => 3,
        Errno::EBADF => 9,
        Errno::ECHILD => 10,
        Errno::EAGAIN => 11,
        Errno::ENOMEM => 12,
        Errno::EACCES => 13,
        Errno::EEXIST => 17,
        Errno::EINVAL => 22,
        Errno::ENOSPC => 28,
    }
}
