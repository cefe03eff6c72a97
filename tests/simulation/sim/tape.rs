//! Every decision of a scenario is a word on a tape. A seed writes the tape while it is played; a tape that was kept is
//! played again without the seed, and a failing one is made shorter.
//!
//! Zero is always the benign choice, and a tape that has come to its end says zero for ever: a shortened scenario winds
//! down by itself. What the world is like, what users do and what goes wrong stand on tapes of their own, so that taking
//! one action away does not change all the trouble after it.

use contactsync::clock::{Entropy as _, SeededEntropy};

/// One tape.
#[derive(Debug)]
pub struct Tape {
    source: Option<SeededEntropy>,
    words: Vec<u32>,
    place: usize,
}

impl Tape {
    /// A tape that is written as a seed says.
    pub fn drawn(seed: u64) -> Self {
        Tape { source: Some(SeededEntropy::new(seed)), words: Vec::new(), place: 0 }
    }

    /// A tape that was kept.
    pub fn kept(words: Vec<u32>) -> Self {
        Tape { source: None, words, place: 0 }
    }

    /// A choice among `count`; the first one is benign.
    pub fn below(&mut self, count: usize) -> usize {
        let count = u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        if let Some(source) = &self.source {
            #[expect(clippy::cast_possible_truncation, reason = "below a number of 32 bits")]
            self.words.push((source.next_u64() % u64::from(count)) as u32);
        }
        let word = self.words.get(self.place).copied().unwrap_or(0);
        self.place += 1;
        (word % count) as usize
    }

    /// Whether something happens that happens so often in a thousand.
    pub fn strikes(&mut self, permille: u32) -> bool {
        self.below(1000) >= 1000 - permille.min(1000) as usize
    }

    /// One of a list; the first one is benign.
    pub fn pick<T: Clone>(&mut self, list: &[T]) -> Option<T> {
        if list.is_empty() {
            return None;
        }
        let place = self.below(list.len());
        list.get(place).cloned()
    }

    /// The words, up to the last one read.
    pub fn words(&self) -> &[u32] {
        &self.words[..self.place.min(self.words.len())]
    }
}

/// The three tapes of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reel {
    /// What the world is like.
    pub world: Vec<u32>,
    /// What users do, and when.
    pub users: Vec<u32>,
    /// What goes wrong.
    pub trouble: Vec<u32>,
}

impl Reel {
    /// How much there is of it.
    pub fn len(&self) -> usize {
        self.world.len() + self.users.len() + self.trouble.len()
    }

    /// As one argument of the command line.
    pub fn to_argument(&self) -> String {
        let one = |words: &[u32]| words.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        format!("{}/{}/{}", one(&self.world), one(&self.users), one(&self.trouble))
    }

    /// From one argument of the command line.
    pub fn from_argument(text: &str) -> Option<Self> {
        let one = |text: &str| -> Option<Vec<u32>> {
            text.split(',').filter(|word| !word.is_empty()).map(|word| word.parse().ok()).collect()
        };
        let mut parts = text.split('/');
        let reel = Reel { world: one(parts.next()?)?, users: one(parts.next()?)?, trouble: one(parts.next()?)? };
        parts.next().is_none().then_some(reel)
    }
}
