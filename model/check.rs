// SPDX-License-Identifier: GPL-2.0-only

//! All that can happen in small worlds: each call of a scope by each task, in each order, down to a
//! depth; and what must hold after each of them. Calls that change nothing are left to the random
//! histories, and so are `set_tid`, the sysctls of pids, `vfork()`, `kill(-1)` and signals that an
//! init can ignore.

use crate::calls::{Answer, Flags, Number, Op, Reboot, Signal, TaskId, Which};
use crate::departure::Rules;
use crate::world::{Numbering, Process, State, World, OUTERMOST};
use stateright::{Model, Property};
use std::hash::{Hash, Hasher};
use std::iter;

/// What is looked at: how large the worlds may be, and what is called in them.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Its name.
    pub name: &'static str,
    /// How many calls in a row.
    pub depth: usize,
    /// How many tasks there may be at a time.
    pub tasks: usize,
    /// How many pid namespaces.
    pub spaces: usize,
    /// How many user namespaces.
    pub users: usize,
    /// With `CLONE_PARENT`, subreapers, and `setns()` by a pidfd.
    pub families: bool,
    /// With process groups and sessions.
    pub groups: bool,
    /// With threads.
    pub threads: bool,
    /// With open files and mounts.
    pub files: bool,
    /// With `ptrace()` and `reboot()`.
    pub tracers: bool,
}

const NONE: Scope = Scope {
    name: "",
    depth: 0,
    tasks: 0,
    spaces: 0,
    users: 1,
    families: false,
    groups: false,
    threads: false,
    files: false,
    tracers: false,
};

/// All scopes. Each takes seconds.
pub const SCOPES: [Scope; 5] = [
    Scope {
        name: "families",
        depth: 11,
        tasks: 4,
        spaces: 3,
        families: true,
        ..NONE
    },
    Scope {
        name: "groups",
        depth: 10,
        tasks: 4,
        spaces: 2,
        groups: true,
        ..NONE
    },
    Scope {
        name: "threads and files",
        depth: 9,
        tasks: 3,
        spaces: 3,
        threads: true,
        files: true,
        ..NONE
    },
    Scope {
        name: "tracers",
        depth: 12,
        tasks: 4,
        spaces: 3,
        tracers: true,
        ..NONE
    },
    Scope {
        name: "users and limits",
        depth: 9,
        tasks: 3,
        spaces: 3,
        users: 3,
        ..NONE
    },
];

/// The levels of the worlds that are looked at.
const MAX_LEVEL: usize = 2;

/// A set of rules in a scope, for the checker.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// The rules.
    pub rules: Rules,
    /// The scope.
    pub scope: Scope,
    /// Nothing is asked of a world that is broken already: with a mistake in the rules much would
    /// not work there.
    pub careful: bool,
}

impl Check {
    fn holds(&self, seen: &Seen) -> bool {
        seen.broken.is_none() && INVARIANTS.iter().all(|(_, holds)| holds(&seen.world))
    }
}

/// A world, and what the last call has broken that the world does not show.
#[derive(Clone, Debug)]
pub struct Seen {
    world: World,
    broken: Option<Step>,
    /// How many calls led here. As those with fewer calls are looked at before others, a world that
    /// is seen again has more, and is the same one all the more.
    calls: usize,
}

impl PartialEq for Seen {
    fn eq(&self, other: &Seen) -> bool {
        self.world == other.world && self.broken == other.broken
    }
}

impl Hash for Seen {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.world.hash(state);
        self.broken.hash(state);
    }
}

/// What must hold of a call, by the world before and after it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Step {
    NobodyIsBornInADead,
    TheParentIsTheActiveOne,
    NothingMoves,
    OrphansStayWhereTheParentLived,
    LimitsHold,
    OneDefaultChanges,
    RefusalsChangeNothing,
    InsideDoesNotKillInit,
}

/// What a task can do.
fn calls(scope: &Scope, world: &World, by: TaskId) -> Vec<Op> {
    let mut calls = makings(scope, world);
    if scope.users > 1 {
        calls.extend((0..3).map(Op::Limit));
    }
    calls.extend(ends(scope, world, by));
    let running = || {
        world
            .processes()
            .filter(|&(id, _)| world.runs(id))
            .map(|(id, _)| id)
    };
    if scope.families {
        calls.push(Op::Subreaper(!world.process(by).subreaper));
    }
    if scope.families || scope.users > 1 {
        calls.extend(running().map(Op::SetnsPidfd));
    }
    if scope.groups {
        calls.push(Op::Setsid);
        let space = world.active(by);
        let groups = world
            .pids
            .iter()
            .filter_map(|(pid, _)| world.number(pid, space));
        let children = world.children(world.tasks[by].leader);
        let children = children.filter_map(|child| world.number_of(child, by));
        let whom: Vec<Number> = iter::once(0).chain(children).collect();
        calls.extend(groups.flat_map(|to| whom.iter().map(move |&who| Op::Setpgid(who, to))));
    }
    if scope.files {
        calls.extend([Op::Setns, Op::Close]);
        calls.extend([Op::Mount, Op::Unmount, Op::OpenMount]);
        calls.extend(running().map(|other| Op::Open(other, Which::Active)));
        calls.extend(running().map(|other| Op::Open(other, Which::Default)));
        let own = world.tasks[by].leader;
        calls.extend(running().filter(|&other| other != own).map(Op::Pass));
    }
    if scope.tracers {
        if world.active(by) != OUTERMOST {
            calls.push(Op::Reboot(Reboot::Restart));
        }
        let others = world.processes().filter(|&(id, _)| id != 0);
        let numbers = others.filter_map(|(other, _)| world.number_of(other, by));
        calls.extend(numbers.flat_map(|one| [Op::Trace(one), Op::Untrace(one)]));
    }
    calls
}

/// How it can make tasks and namespaces, where there is room for them.
fn makings(scope: &Scope, world: &World) -> Vec<Op> {
    let task = world.tasks.count() < scope.tasks;
    let space = world.spaces.count() < scope.spaces;
    let user = world.users.len() < scope.users;
    let clones = [
        (task, Flags::NONE),
        (task && scope.families, Flags::PARENT),
        (task && scope.threads, Flags::THREAD),
        (task && space, Flags::NEWPID),
        (task && space && user, Flags::NEWBOTH),
    ];
    let unshares = [(space, Flags::NEWPID), (space && user, Flags::NEWBOTH)];
    let clones = clones
        .into_iter()
        .filter(|one| one.0)
        .map(|one| Op::Clone(one.1, vec![]));
    let unshares = unshares
        .into_iter()
        .filter(|one| one.0)
        .map(|one| Op::Unshare(one.1));
    clones.chain(unshares).collect()
}

/// How it can end itself and others, and wait for them. The outermost init stays: there is nobody
/// outside to kill it, or to wait for it.
fn ends(scope: &Scope, world: &World, by: TaskId) -> Vec<Op> {
    let own = world.tasks[by].leader;
    let mut calls = vec![];
    if own != 0 {
        calls.push(Op::Exit(0));
    }
    if scope.threads && (own != 0 || threads(world, by) > 1) {
        calls.push(Op::ExitThread);
    }
    if scope.threads {
        calls.push(Op::Exec);
    }
    for (other, process) in world.processes().filter(|&(id, _)| id != 0) {
        let number = world.number_of(other, by);
        calls.extend(number.filter(|_| process.parent == Some(own)).map(Op::Wait));
        if process.state == State::Alive {
            calls.push(Op::KillPidfd(other, Signal::Kill));
            calls.extend(number.map(|number| Op::Kill(number, Signal::Kill)));
        }
    }
    calls
}

fn threads(world: &World, of: TaskId) -> usize {
    let leader = world.tasks[of].leader;
    world
        .tasks
        .iter()
        .filter(|&(id, task)| task.leader == leader && world.runs(id))
        .count()
}

/// What a call has broken. A task that has gone may have left its place to another one, but not in
/// one call: who makes a task ends none.
fn broken(before: &World, by: TaskId, op: &Op, answer: Answer, after: &World) -> Option<Step> {
    if answer.is_err() && before != after {
        return Some(Step::RefusalsChangeNothing);
    }
    let dead = |space: usize| {
        let spaces = before.spaces.iter();
        spaces
            .filter(|(_, one)| one.dead)
            .any(|(at, _)| before.spaces.get(space).is_some() && before.is_in(space, at))
    };
    for (id, task) in after.tasks.iter() {
        let Some(was) = before.tasks.get(id) else {
            if dead(after.active(id)) {
                return Some(Step::NobodyIsBornInADead);
            }
            continue;
        };
        if before.active(id) != after.active(id) {
            return Some(Step::NothingMoves);
        }
        let takes_place = *op == Op::Exec && id == before.tasks[by].leader;
        if id != by && !takes_place && was.default != task.default && task.default.is_some() {
            return Some(Step::OneDefaultChanges);
        }
        let (Some(was), Some(is)) = (&was.process, &task.process) else {
            continue;
        };
        if let (Some(old), Some(new)) = (was.parent, is.parent) {
            if old != new && before.active(old) != before.active(new) {
                return Some(Step::OrphansStayWhereTheParentLived);
            }
        }
    }
    if matches!(op, Op::Clone(..) | Op::Unshare(_)) {
        if let Some(step) = broken_by_new_space(before, by, after) {
            return Some(step);
        }
    }
    let mut inits = before.processes().filter(|&(id, _)| before.is_init(id));
    let hit = inits.any(|(id, _)| {
        let meant = match *op {
            Op::Kill(number, _) => before.number_of(id, by) == Some(number),
            Op::KillPidfd(target, _) => target == id,
            _ => false,
        };
        let inside = before.active(id) == before.active(by);
        meant && inside && before.tasks.get(id) != after.tasks.get(id)
    });
    hit.then_some(Step::InsideDoesNotKillInit)
}

/// The one namespace that a call has made, if it has, in a place that was free, or that the old
/// default has left.
fn broken_by_new_space(before: &World, by: TaskId, after: &World) -> Option<Step> {
    let new = after.spaces.iter().find(|&(at, space)| {
        before
            .spaces
            .get(at)
            .is_none_or(|old| old.init != space.init && space.init.is_none())
    });
    let (_, new) = new?;
    if new.parent != Some(before.active(by)) {
        return Some(Step::TheParentIsTheActiveOne);
    }
    // A user namespace of the same call has no limit yet.
    let mut users = after
        .users_up(new.owner)
        .filter_map(|at| before.users.get(at));
    if users.any(|user| user.charged >= user.max) {
        return Some(Step::LimitsHold);
    }
    None
}

fn every(world: &World, holds: impl Fn(TaskId, &Process) -> bool) -> bool {
    world.processes().all(|(id, process)| holds(id, process))
}

/// The first process of a namespace is its init, and stays it until all others are gone.
fn first_is_init(world: &World) -> bool {
    let numbered = every(world, |id, _| {
        let number = world.number_of(id, id);
        (number == Some(1)) == world.is_init(id)
    });
    numbered
        && world
            .tasks
            .iter()
            .all(|(id, _)| world.spaces[world.active(id)].init.is_some())
}

fn default_is_active_or_below(world: &World) -> bool {
    world.tasks.iter().all(|(id, task)| {
        task.default
            .is_none_or(|default| world.is_in(default, world.active(id)))
    })
}

/// The counts are what one finds by looking.
fn counts_are_right(world: &World) -> bool {
    world.spaces.iter().all(|(at, space)| {
        let outside = usize::from(at == OUTERMOST);
        let below = world
            .spaces
            .iter()
            .filter(|(_, one)| one.parent == Some(at))
            .count();
        let pids = world.pids.iter().filter(|(_, pid)| pid.space == at).count();
        let defaults = world
            .tasks
            .iter()
            .filter(|(_, task)| task.default == Some(at))
            .count();
        let files = world
            .processes()
            .filter(|(_, process)| process.file == Some(at))
            .count();
        let mounts = usize::from(world.mount == Some(at));
        let count = outside + below + pids + defaults + files + mounts;
        space.count == count && count > 0
    })
}

fn charges_are_right(world: &World) -> bool {
    (0..world.users.len()).all(|user| {
        let spaces = world
            .spaces
            .iter()
            .filter(|(_, space)| world.users_up(space.owner).any(|at| at == user));
        world.users[user].charged == spaces.count()
    })
}

fn levels_are_right(world: &World) -> bool {
    world.spaces.iter().all(|(_, space)| match space.parent {
        Some(parent) => space.level == world.spaces[parent].level + 1 && space.level <= MAX_LEVEL,
        None => space.level == 0,
    })
}

fn parents_see_their_children(world: &World) -> bool {
    every(world, |id, process| {
        process
            .parent
            .is_none_or(|parent| world.is_in(world.active(id), world.active(parent)))
    })
}

fn parents_live(world: &World) -> bool {
    every(world, |id, process| {
        let mut at = process.parent;
        for _ in 0..world.tasks.count() {
            match at {
                Some(parent) => match world.process(parent).state {
                    State::Zombie(_) => return false,
                    _ => at = world.process(parent).parent,
                },
                None => return id == 0 || process.parent.is_some(),
            }
        }
        false
    })
}

/// An init that exits waits for somebody who is there.
fn dying_inits_end(world: &World) -> bool {
    every(world, |id, process| {
        !matches!(process.state, State::Dying(_))
            || !world.others_in(world.active(id), id).is_empty()
    })
}

fn ended_inits_leave_nobody(world: &World) -> bool {
    every(world, |id, process| {
        !matches!(process.state, State::Zombie(_))
            || !world.is_init(id)
            || world.others_in(world.active(id), id).is_empty()
    })
}

fn nobody_lives_in_a_dead_space(world: &World) -> bool {
    let mut dead = world.spaces.iter().filter(|(_, space)| space.dead);
    dead.all(|(at, _)| {
        every(world, |id, process| {
            process.state != State::Alive || !world.is_in(world.active(id), at)
        })
    })
}

fn threads_are_in_one_space(world: &World) -> bool {
    world
        .tasks
        .iter()
        .all(|(id, task)| world.active(id) == world.active(task.leader))
}

fn ids_are_in_use(world: &World) -> bool {
    let there = |pid| world.pids.get(pid).is_some();
    every(world, |_, process| {
        there(process.group) && there(process.session)
    }) && world.pids.iter().all(|(pid, _)| world.is_used(pid))
}

fn numbers_are_of_one(world: &World) -> bool {
    world.spaces.iter().all(|(space, _)| {
        let mut numbers: Vec<_> = world
            .pids
            .iter()
            .filter_map(|(pid, _)| world.number(pid, space))
            .collect();
        numbers.sort_unstable();
        numbers.windows(2).all(|pair| pair[0] != pair[1])
    })
}

/// What the world must be like, whatever was called.
type Invariant = fn(&World) -> bool;

/// The name of the property that mainline does not have.
pub const INIT_ENDS: &str = "an init that exits does end";

const INVARIANTS: [(&str, Invariant); 13] = [
    (
        "a namespace's first process is its init, and no other is",
        first_is_init,
    ),
    (
        "the default is the active namespace or below it",
        default_is_active_or_below,
    ),
    ("counts are what refers, and none is zero", counts_are_right),
    ("charges are what is owned", charges_are_right),
    (
        "a namespace is one level below its parent, within the limit",
        levels_are_right,
    ),
    (
        "a parent has a number for each of its children",
        parents_see_their_children,
    ),
    (
        "whoever lives or has ended has a parent to wait for it",
        parents_live,
    ),
    (INIT_ENDS, dying_inits_end),
    (
        "an init ends after all others in its namespace",
        ended_inits_leave_nobody,
    ),
    (
        "nobody lives in a dead namespace or below",
        nobody_lives_in_a_dead_space,
    ),
    (
        "the threads of a process are in one namespace",
        threads_are_in_one_space,
    ),
    (
        "an id is in use as long as a task, a group or a session has it",
        ids_are_in_use,
    ),
    ("a number is that of one process", numbers_are_of_one),
];

/// A property of each state; one of a step holds of the step that led to it.
fn invariant<const N: usize>(_: &Check, seen: &Seen) -> bool {
    INVARIANTS[N].1(&seen.world)
}

const STEPS: [(&str, Step); 8] = [
    (
        "nobody is born in a dead namespace",
        Step::NobodyIsBornInADead,
    ),
    (
        "the parent of a new namespace is the active one of its maker",
        Step::TheParentIsTheActiveOne,
    ),
    (
        "nobody leaves the namespace that it was born in",
        Step::NothingMoves,
    ),
    (
        "an orphan's new parent lives where the old one did",
        Step::OrphansStayWhereTheParentLived,
    ),
    ("no namespace is made beyond a limit", Step::LimitsHold),
    (
        "a call changes no other task's default",
        Step::OneDefaultChanges,
    ),
    ("a refusal changes nothing", Step::RefusalsChangeNothing),
    (
        "no signal from inside ends an init",
        Step::InsideDoesNotKillInit,
    ),
];

fn step<const N: usize>(_: &Check, seen: &Seen) -> bool {
    seen.broken != Some(STEPS[N].1)
}

impl Model for Check {
    type State = Seen;
    type Action = (TaskId, Op);

    fn init_states(&self) -> Vec<Seen> {
        let world = World::new(self.rules, Numbering::Lowest, MAX_LEVEL);
        vec![Seen {
            world,
            broken: None,
            calls: 0,
        }]
    }

    fn actions(&self, seen: &Seen, calls_of_all: &mut Vec<(TaskId, Op)>) {
        if seen.calls == self.scope.depth || self.careful && !self.holds(seen) {
            return;
        }
        let tasks = seen.world.tasks.iter().map(|(id, _)| id);
        for id in tasks.filter(|&id| seen.world.runs(id)) {
            let calls = calls(&self.scope, &seen.world, id);
            calls_of_all.extend(calls.into_iter().map(|call| (id, call)));
        }
    }

    fn next_state(&self, seen: &Seen, (by, op): (TaskId, Op)) -> Option<Seen> {
        let mut world = seen.world.clone();
        let answer = world.apply(by, &op);
        let broken = broken(&seen.world, by, &op, answer, &world);
        let calls = seen.calls + 1;
        (broken.is_some() || world != seen.world).then_some(Seen {
            world,
            broken,
            calls,
        })
    }

    fn properties(&self) -> Vec<Property<Check>> {
        let invariants: [fn(&Check, &Seen) -> bool; INVARIANTS.len()] = [
            invariant::<0>,
            invariant::<1>,
            invariant::<2>,
            invariant::<3>,
            invariant::<4>,
            invariant::<5>,
            invariant::<6>,
            invariant::<7>,
            invariant::<8>,
            invariant::<9>,
            invariant::<10>,
            invariant::<11>,
            invariant::<12>,
        ];
        let steps: [fn(&Check, &Seen) -> bool; STEPS.len()] = [
            step::<0>, step::<1>, step::<2>, step::<3>, step::<4>, step::<5>, step::<6>, step::<7>,
        ];
        let names = INVARIANTS
            .iter()
            .map(|one| one.0)
            .chain(STEPS.iter().map(|one| one.0));
        let conditions = invariants.into_iter().chain(steps);
        names
            .zip(conditions)
            .map(|(name, holds)| Property::always(name, holds))
            .collect()
    }
}
