//! Makes a failing scenario short: pieces of its tapes are cut out, words are set to zero and made smaller, as long as it
//! goes on failing in the same way.

use super::tape::Reel;

/// Which tape.
const TAPES: [fn(&mut Reel) -> &mut Vec<u32>; 3] =
    [|reel| &mut reel.users, |reel| &mut reel.trouble, |reel| &mut reel.world];

/// The shortest scenario found that `fails`, within about `budget` plays.
pub fn shrink(found: Reel, budget: usize, fails: &mut dyn FnMut(&Reel) -> bool) -> Reel {
    let mut shrinker = Shrinker { best: found, left: budget, fails };
    loop {
        let before = shrinker.best.clone();
        for tape in TAPES {
            shrinker.cut(tape);
            shrinker.calm(tape);
        }
        if shrinker.best == before || shrinker.left == 0 {
            return shrinker.best;
        }
    }
}

struct Shrinker<'a> {
    best: Reel,
    left: usize,
    fails: &'a mut dyn FnMut(&Reel) -> bool,
}

impl Shrinker<'_> {
    fn offer(&mut self, reel: Reel) -> bool {
        if self.left == 0 || reel == self.best {
            return false;
        }
        self.left -= 1;
        let better = (self.fails)(&reel);
        if better {
            self.best = reel;
        }
        better
    }

    /// Cuts pieces out, large ones first.
    fn cut(&mut self, tape: fn(&mut Reel) -> &mut Vec<u32>) {
        let mut size = tape(&mut self.best).len();
        while size > 0 {
            let mut end = tape(&mut self.best).len();
            while end > 0 {
                let start = end.saturating_sub(size);
                let mut reel = self.best.clone();
                tape(&mut reel).drain(start..end);
                self.offer(reel);
                end = start.min(tape(&mut self.best).len());
            }
            size /= 2;
        }
    }

    /// Makes words benign, or at least smaller.
    fn calm(&mut self, tape: fn(&mut Reel) -> &mut Vec<u32>) {
        let mut size = tape(&mut self.best).len();
        while size > 0 {
            let mut start = 0;
            while start < tape(&mut self.best).len() {
                let mut reel = self.best.clone();
                let end = (start + size).min(tape(&mut reel).len());
                tape(&mut reel)[start..end].fill(0);
                self.offer(reel);
                start += size;
            }
            size /= 2;
        }
        for place in 0..tape(&mut self.best).len() {
            let word = tape(&mut self.best)[place];
            for smaller in [word / 2, word.saturating_sub(1)] {
                let mut reel = self.best.clone();
                tape(&mut reel)[place] = smaller;
                self.offer(reel);
            }
        }
    }
}
