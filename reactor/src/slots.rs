//! A table whose keys are never valid for a later tenant of the same place.

/// Names an entry: a place, and how often the place has been let before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The place.
    pub slot: u32,
    /// The place's generation.
    pub generation: u64,
}

/// Entries in places that are used again, each time under a new generation.
#[derive(Debug)]
pub struct Slots<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
    first: u64,
}

#[derive(Debug)]
struct Place<T> {
    generation: u64,
    entry: Option<T>,
}

impl<T> Slots<T> {
    /// An empty table. Generations begin at `first`, which must not be 0.
    pub fn starting_at(first: u64) -> Self {
        Self { places: Vec::new(), free: Vec::new(), first }
    }

    /// Stores an entry; the caller bounds how many there are.
    pub fn insert(&mut self, entry: T) -> Key {
        let Some(slot) = self.free.pop() else {
            let slot = self.places.len() as u32;
            let generation = self.first;
            self.places.push(Place { generation, entry: Some(entry) });
            return Key { slot, generation };
        };
        let place = &mut self.places[slot as usize];
        place.generation += 1;
        place.entry = Some(entry);
        Key { slot, generation: place.generation }
    }

    /// The entry, if it is still there.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let place = self.places.get_mut(key.slot as usize)?;
        if place.generation == key.generation { place.entry.as_mut() } else { None }
    }

    /// Takes the entry out.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.places.get_mut(key.slot as usize)?;
        if place.generation != key.generation {
            return None;
        }
        let entry = place.entry.take()?;
        self.free.push(key.slot);
        Some(entry)
    }

    /// The full key of an entry that is known by the low bits of its generation.
    pub fn full_key(&self, cut: Key) -> Option<Key> {
        let generation = self.places.get(cut.slot as usize)?.generation;
        let mask = (1 << crate::token::GENERATION_BITS) - 1;
        (generation & mask == cut.generation).then_some(Key { slot: cut.slot, generation })
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The keys of all entries.
    pub fn keys(&self) -> Vec<Key> {
        self.places
            .iter()
            .zip(0..)
            .filter(|(place, _)| place.entry.is_some())
            .map(|(place, slot)| Key { slot, generation: place.generation })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_not_outlive_its_entry() {
        let mut slots = Slots::starting_at(1);
        let a = slots.insert("a");
        assert_eq!(slots.remove(a), Some("a"));
        let b = slots.insert("b");
        assert_eq!(a.slot, b.slot);
        assert_eq!(slots.get_mut(a), None);
        assert_eq!(slots.remove(a), None);
        assert_eq!(slots.get_mut(b), Some(&mut "b"));
        assert_eq!((slots.len(), slots.keys()), (1, vec![b]));
    }
}
