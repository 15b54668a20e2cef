// SPDX-License-Identifier: GPL-2.0-only

//! model   checks the rules of pid namespaces by themselves.  No sequence of the calls that check.rs
//!         names breaks a property in a small world; with mainline's rules one does; and with a mistake
//!         in the rules, one does for each mistake.  Prints TAP, and how many worlds it looked at.
//! model histories ours|module|mainline FIRST LAST CALLS DIRECTORY   writes random histories, for
//!         qemu/histories.c: one of so many calls for each of these seeds.
//! model parts ours|module|mainline SEED CALLS DIRECTORY   writes one of them without some of its
//!         calls: a file for each line that is read, which has the numbers of those that stay.

mod asks;
mod calls;
mod check;
mod departure;
mod history;
mod rules;
mod table;
mod world;

use check::{Check, Scope, INIT_ENDS, SCOPES};
use departure::{Rules, MISTAKES};
use stateright::{Checker, HasDiscoveries, Model};
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::thread::{self, available_parallelism};
use std::time::Instant;

const USAGE: &str = "usage: model [histories ours|module|mainline FIRST LAST CALLS DIRECTORY] \
                     [parts ours|module|mainline SEED CALLS DIRECTORY]";

/// What a property was broken by: the calls.
type History = Vec<String>;

/// Makes each call in each world of a scope, the worlds that take fewer calls first: how many worlds
/// there are, and which properties are broken, until `until`.
fn explore(check: Check, until: HasDiscoveries) -> (usize, BTreeMap<&'static str, History>) {
    // More than one thread would not keep to that order.
    let checker = check
        .checker()
        .threads(1)
        .finish_when(until)
        .spawn_bfs()
        .join();
    let broken = checker.discoveries().into_iter().map(|(name, path)| {
        let calls = path.into_actions();
        (
            name,
            calls
                .iter()
                .map(|(by, op)| format!("task {by}: {op:?}"))
                .collect(),
        )
    });
    (checker.unique_state_count(), broken.collect())
}

/// The shortest way to break a property.
fn shortest(rules: Rules) -> Option<(&'static str, History)> {
    let deepest = SCOPES.iter().map(|scope| scope.depth).max()?;
    let of_depth = |depth| SCOPES.iter().map(move |&scope| Scope { depth, ..scope });
    (1..=deepest).flat_map(of_depth).find_map(|scope| {
        let check = Check {
            rules,
            scope,
            careful: true,
        };
        explore(check, HasDiscoveries::AnyFailures).1.pop_first()
    })
}

/// A number as people write it.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

/// Goes through all scopes, as many at a time as there are processors, and says how many worlds
/// there are in each.  What is broken, with the calls that did it.
fn explore_all(rules: Rules, whose: &str) -> BTreeMap<&'static str, History> {
    let explored = |scope: Scope| {
        let began = Instant::now();
        let check = Check {
            rules,
            scope,
            careful: false,
        };
        let (worlds, broken) = explore(check, HasDiscoveries::All);
        println!(
            "# {whose}, {}: {} worlds, by up to {} calls, {:.0} s",
            scope.name,
            grouped(worlds),
            scope.depth,
            began.elapsed().as_secs_f32()
        );
        broken
    };
    let processors = available_parallelism().map_or(1, NonZeroUsize::get);
    let mut all = BTreeMap::new();
    for some in SCOPES.chunks(processors) {
        thread::scope(|at_once| {
            let running: Vec<_> = some
                .iter()
                .map(|&scope| at_once.spawn(move || explored(scope)))
                .collect();
            let ended = running.into_iter().map(|one| one.join());
            all.extend(ended.flat_map(|broken| broken.expect("the checker does not panic")));
        });
    }
    all
}

/// What is said of a case.
struct Tap {
    cases: usize,
    failed: usize,
}

impl Tap {
    fn case(&mut self, name: &str, passed: bool) {
        self.cases += 1;
        self.failed += usize::from(!passed);
        println!(
            "{} {} {name}",
            if passed { "ok" } else { "not ok" },
            self.cases
        );
    }

    fn history(calls: &[String]) {
        calls.iter().for_each(|call| println!("#   {call}"));
    }
}

/// Checks the rules by themselves.
fn check_rules() -> ExitCode {
    let check = Check {
        rules: Rules::OURS,
        scope: SCOPES[0],
        careful: false,
    };
    let properties: Vec<&str> = check.properties().iter().map(|one| one.name).collect();
    let mut tap = Tap {
        cases: 0,
        failed: 0,
    };
    println!(
        "TAP version 13\n1..{}",
        properties.len() + 2 + MISTAKES.len()
    );

    let broken = explore_all(Rules::OURS, "ours");
    for &property in &properties {
        if let Some(calls) = broken.get(property) {
            Tap::history(calls);
        }
        tap.case(property, !broken.contains_key(property));
    }

    let broken = explore_all(Rules::MAINLINE, "mainline");
    for (property, calls) in broken.iter().filter(|(&property, _)| property != INIT_ENDS) {
        println!("# {property}:");
        Tap::history(calls);
    }
    let others = broken.keys().any(|&property| property != INIT_ENDS);
    tap.case(
        "mainline breaks no other property than the next one",
        !others,
    );
    let hang = shortest(Rules::MAINLINE).filter(|(property, _)| *property == INIT_ENDS);
    if let Some((_, calls)) = &hang {
        Tap::history(calls);
    }
    tap.case("mainline has an init that never ends", hang.is_some());

    for mistake in MISTAKES {
        let rules = Rules::OURS.but(mistake);
        let found = shortest(rules);
        if let Some((property, calls)) = &found {
            println!("# {property}:");
            Tap::history(calls);
        }
        tap.case(&format!("a mistake is seen: {mistake:?}"), found.is_some());
    }
    ExitCode::from(u8::from(tap.failed > 0))
}

fn rules(word: &str) -> Result<Rules, String> {
    match word {
        "ours" => Ok(Rules::OURS),
        "module" => Ok(Rules::MODULE),
        "mainline" => Ok(Rules::MAINLINE),
        _ => Err(USAGE.to_string()),
    }
}

fn number(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| format!("{word} is no number"))
}

fn write(directory: &str, name: u64, text: &str) -> Result<(), String> {
    let path = format!("{directory}/{name}");
    fs::write(&path, text).map_err(|error| format!("{path}: {error}"))
}

/// Writes the histories of some seeds, each into a file of its own.
fn write_histories(words: &[String]) -> Result<(), String> {
    let [whose, first, last, calls, directory] = words else {
        return Err(USAGE.to_string());
    };
    let rules = rules(whose)?;
    let calls = number(calls)? as usize;
    for seed in number(first)?..=number(last)? {
        write(directory, seed, &history::history(seed, rules, calls))?;
    }
    Ok(())
}

/// Writes parts of a history, each into a file of its own.
fn write_parts(words: &[String]) -> Result<(), String> {
    let [whose, seed, calls, directory] = words else {
        return Err(USAGE.to_string());
    };
    let (rules, seed, calls) = (rules(whose)?, number(seed)?, number(calls)? as usize);
    for (name, line) in (1..).zip(io::stdin().lines()) {
        let line = line.map_err(|error| error.to_string())?;
        let kept: Result<Vec<u64>, _> = line.split_whitespace().map(number).collect();
        let kept: Vec<usize> = kept?.into_iter().map(|at| at as usize).collect();
        write(directory, name, &history::part(seed, rules, calls, &kept))?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let done = match words.split_first() {
        None => return check_rules(),
        Some((word, rest)) if word == "histories" => write_histories(rest),
        Some((word, rest)) if word == "parts" => write_parts(rest),
        Some(_) => Err(USAGE.to_string()),
    };
    if let Err(why) = done {
        eprintln!("{why}");
        return ExitCode::from(2);
    }
    ExitCode::SUCCESS
}
