// SPDX-License-Identifier: GPL-2.0-only

//! A table of what comes and goes.

use std::ops::{Index, IndexMut};

/// Things that come and go. A place that was left is taken again, the lowest first.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Table<T>(Vec<Option<T>>);

impl<T> Table<T> {
    /// Without a thing in it.
    pub fn new() -> Self {
        Table(Vec::new())
    }

    /// Puts a thing where there is room, and says where.
    pub fn add(&mut self, thing: T) -> usize {
        let at = self
            .0
            .iter()
            .position(Option::is_none)
            .unwrap_or(self.0.len());
        if at == self.0.len() {
            self.0.push(None);
        }
        self.0[at] = Some(thing);
        at
    }

    /// Takes the thing at a place away.
    pub fn remove(&mut self, at: usize) {
        self.0[at] = None;
        while let Some(None) = self.0.last() {
            self.0.pop();
        }
    }

    /// What is at a place, if there is something.
    pub fn get(&self, at: usize) -> Option<&T> {
        self.0.get(at)?.as_ref()
    }

    /// All things, with their places.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        self.0
            .iter()
            .enumerate()
            .filter_map(|(at, thing)| Some((at, thing.as_ref()?)))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.iter().count()
    }
}

impl<T> Index<usize> for Table<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        self.0[at].as_ref().expect("a place that is taken")
    }
}

impl<T> IndexMut<usize> for Table<T> {
    fn index_mut(&mut self, at: usize) -> &mut T {
        self.0[at].as_mut().expect("a place that is taken")
    }
}
