//! A table whose keys are never valid for a later tenant of the same place.
//!
//! Its upper half is given back when nobody is left there and few are in the lower half, so that a
//! burst leaves no memory behind.

use wire::limits::SLOTS_KEPT;

/// Names an entry: a place, and how often the place has been let before. Packed, because tables and timers have some
/// of each connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C, packed(4))]
pub struct Key {
    /// The place.
    pub slot: u32,
    /// The place's generation.
    pub generation: u64,
}

/// Entries in places that are used again, each time under a new generation.
#[derive(Debug)]
pub struct Slots<T> {
    places: Vec<TableSlot<T>>,
    free: Vec<u32>,
    /// The generation of places that are new, above all of those that were given back.
    first: u64,
    /// Where the upper half begins: the table is never longer than twice this.
    half: usize,
    /// Entries in the upper half.
    upper: usize,
}

#[derive(Debug)]
struct TableSlot<T> {
    generation: u64,
    entry: Option<T>,
}

impl<T> Slots<T> {
    /// An empty table. Generations begin at `first`, which must not be 0.
    pub fn starting_at(first: u64) -> Self {
        Self { places: Vec::new(), free: Vec::new(), first, half: SLOTS_KEPT, upper: 0 }
    }

    /// Stores an entry; the caller bounds how many there are.
    pub fn insert(&mut self, entry: T) -> Key {
        let Some(slot) = self.free.pop() else {
            let slot = self.places.len() as u32;
            if self.places.len() == self.half * 2 {
                (self.half, self.upper) = (self.half * 2, 0);
            }
            self.count_in(slot);
            let generation = self.first;
            self.places.push(TableSlot { generation, entry: Some(entry) });
            return Key { slot, generation };
        };
        self.count_in(slot);
        let place = &mut self.places[slot as usize];
        place.generation += 1;
        place.entry = Some(entry);
        Key { slot, generation: place.generation }
    }

    /// The entry, if it is still there.
    pub fn get(&self, key: Key) -> Option<&T> {
        let place = self.places.get(key.slot as usize)?;
        if place.generation == key.generation { place.entry.as_ref() } else { None }
    }

    /// The same, to change it.
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
        self.vacate(key.slot);
        Some(entry)
    }

    /// Drops the entry where it lies: what is large is not moved out.
    pub fn discard(&mut self, key: Key) {
        let Some(place) = self.places.get_mut(key.slot as usize) else { return };
        if place.generation == key.generation && place.entry.is_some() {
            place.entry = None;
            self.vacate(key.slot);
        }
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

    /// The keys of all entries.
    pub fn keys(&self) -> Vec<Key> {
        self.places
            .iter()
            .zip(0..)
            .filter(|(place, _)| place.entry.is_some())
            .map(|(place, slot)| Key { slot, generation: place.generation })
            .collect()
    }

    fn vacate(&mut self, slot: u32) {
        self.free.push(slot);
        if slot as usize >= self.half {
            self.upper -= 1;
        }
        if self.upper == 0 && self.places.len() > self.half {
            self.shrink();
        }
    }

    fn count_in(&mut self, slot: u32) {
        self.upper += usize::from(slot as usize >= self.half);
    }

    /// Gives the upper half back, in which nobody is, as often as that halves the table. It takes
    /// as many new entries to have it again, so that is paid for.
    fn shrink(&mut self) {
        let before = self.places.len();
        while self.upper == 0 && self.places.len() > self.half && self.len() < self.half / 2 {
            let dropped = self.places.drain(self.half..);
            let last = dropped.map(|place| place.generation).max();
            self.first = self.first.max(last.map_or(0, |last| last + 1));
            self.free.retain(|slot| (*slot as usize) < self.half);
            if self.half > SLOTS_KEPT {
                self.half /= 2;
                let upper = &self.places[self.half..];
                self.upper = upper.iter().filter(|place| place.entry.is_some()).count();
            }
        }
        if self.places.len() < before {
            self.places.shrink_to_fit();
            self.free.shrink_to_fit();
        }
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
        slots.discard(a);
        assert_eq!((slots.get(b), slots.len()), (Some(&"b"), 1));
        slots.discard(b);
        slots.discard(b);
        assert_eq!((slots.get(b), slots.len()), (None, 0));
        let b = slots.insert("b");
        assert_eq!(slots.get_mut(b), Some(&mut "b"));
        assert_eq!((slots.len(), slots.keys()), (1, vec![b]));
    }

    #[test]
    fn a_burst_leaves_no_memory_behind() {
        let mut slots = Slots::starting_at(1);
        let burst = 20 * SLOTS_KEPT;
        let mut keys: Vec<_> = (0..burst).map(|nth| slots.insert(nth)).collect();
        // Some places are let twice.
        for nth in (0..burst).step_by(3) {
            assert_eq!(slots.remove(keys[nth]), Some(nth));
        }
        for nth in (0..burst).step_by(3).collect::<Vec<_>>().into_iter().rev() {
            keys[nth] = slots.insert(nth);
        }
        let stays = SLOTS_KEPT * 3 / 2;
        for (nth, key) in keys.iter().enumerate().filter(|(nth, _)| *nth != stays) {
            assert_eq!(slots.remove(*key), Some(nth));
        }
        assert!(slots.places.capacity() <= 2 * SLOTS_KEPT && slots.free.len() < 2 * SLOTS_KEPT);
        assert_eq!((slots.len(), slots.keys()), (1, vec![keys[stays]]));
        assert_eq!(slots.remove(keys[stays]), Some(stays));
        assert!(slots.places.capacity() <= SLOTS_KEPT && slots.free.len() <= SLOTS_KEPT);
        // Who had been there is not mistaken for who comes now.
        let again: Vec<_> = (0..burst).map(|nth| slots.insert(nth)).collect();
        assert!(keys.iter().all(|key| slots.get_mut(*key).is_none()));
        assert!(
            again.iter().enumerate().all(|(nth, key)| slots.get_mut(*key) == Some(&mut { nth }))
        );
    }

    #[test]
    fn a_table_that_is_in_use_is_left_as_it_is() {
        let mut slots = Slots::starting_at(1);
        let mut keys: Vec<_> = (0..4 * SLOTS_KEPT).map(|nth| slots.insert(nth)).collect();
        let places = slots.places.capacity();
        for _ in 0..4 {
            for key in keys.split_off(SLOTS_KEPT) {
                slots.remove(key);
            }
            assert_eq!(slots.places.capacity(), places, "half of the lower half is in use");
            keys.extend((SLOTS_KEPT..4 * SLOTS_KEPT).map(|nth| slots.insert(nth)));
        }
        assert_eq!(slots.places.len(), 4 * SLOTS_KEPT);
    }
}
