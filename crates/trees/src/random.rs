//! A small generator of numbers that look random and are the same for the same seed.
//!
//! It decides which rows and columns a tree sees and in which order groups are dealt out; nothing
//! that has to be kept secret depends on it.

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to and without `below`, or 0. The bias of multiplying instead of
    /// rejecting is below one in four billion for any length that fits into memory here.
    pub(crate) fn below(&mut self, below: usize) -> usize {
        let product = u128::from(self.next()) * below as u128;
        usize::try_from(product >> 64).unwrap_or(0)
    }

    /// Puts `count` items chosen at random to the front, in random order (Fisher and Yates).
    pub(crate) fn draw<T>(&mut self, items: &mut [T], count: usize) {
        for chosen in 0..count.min(items.len()) {
            let other = chosen + self.below(items.len() - chosen);
            items.swap(chosen, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let numbers = |seed| {
            let mut random = Random::new(seed);
            [random.next(), random.next(), random.next()]
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
    }

    #[test]
    fn a_draw_takes_every_item_about_as_often() {
        let mut random = Random::new(1);
        let mut drawn = [0_u32; 10];
        for _ in 0..10_000 {
            let mut items: Vec<usize> = (0..10).collect();
            random.draw(&mut items, 3);
            for &item in &items[..3] {
                drawn[item] += 1;
            }
        }
        assert!(
            drawn.iter().all(|times| (2_800..3_200).contains(times)),
            "{drawn:?}"
        );
    }
}
