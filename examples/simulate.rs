//! Plays many scenarios: `simulate --seeds 1000000 --from 0`. See the simulation's own module for what a scenario is.

#[path = "../tests/simulation/sim/mod.rs"]
mod sim;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use clap::Parser;
use contactsync::engine::reached::Situation;
use contactsync::engine::rules::{self, Rule};
use sim::tape::Reel;
use sim::{Ground, Played, shrink, sweep};

/// A third of a scenario's time is the allocation of small values.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Plays many scenarios against the engine and reports what did not hold.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many seeds to play.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Cut the scenarios off at every step instead, and compare them with the whole ones.
    #[arg(long)]
    sweep: bool,
    /// Play this scenario instead, as a failure printed it.
    #[arg(long, value_name = "TAPES")]
    replay: Option<String>,
    /// Play on SQLite, in new files below this folder.
    #[arg(long, value_name = "DIR")]
    sqlite: Option<PathBuf>,
    /// Play only scenarios of this flavour, or with this feature: plain, wide, aimed, guards, photos, ...
    #[arg(long, value_name = "WORD")]
    only: Option<String>,
    /// Stop after so many failures.
    #[arg(long, default_value_t = 5)]
    failures: usize,
    /// How many plays may be spent on making a failure shorter.
    #[arg(long, default_value_t = 3000)]
    shrink: usize,
    /// How many scenarios are played at a time; as many as there are processors unless told.
    #[arg(long)]
    jobs: Option<usize>,
    /// Break this rule of the engine, and see when it is noticed; `all` breaks each in turn, `frequent` those that must
    /// be noticed within 2,000 seeds, and fails when one is not.
    #[arg(long, value_name = "RULE")]
    mutant: Option<String>,
    /// Print the whole log of events of every failure.
    #[arg(long)]
    log: bool,
}

/// What all workers found together.
#[derive(Default)]
struct Total {
    met: BTreeMap<String, u64>,
    steps: u64,
    rounds: u64,
    seeds: u64,
    cuts: u64,
}

/// Whether a broken rule was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hunt {
    Caught,
    Survives,
}

struct Workers {
    arguments: Arguments,
    next: AtomicU64,
    failures: AtomicUsize,
    folders: AtomicU64,
    total: Mutex<Total>,
}

/// Starts a worker with room for a whole scenario: without optimization, a run of an account takes more than threads have.
fn spawn<'scope>(scope: &'scope std::thread::Scope<'scope, '_>, work: impl FnOnce() + Send + 'scope) {
    let builder = std::thread::Builder::new().stack_size(8 * 1024 * 1024);
    builder.spawn_scoped(scope, work).expect("the system has threads");
}

#[expect(clippy::disallowed_methods, reason = "how long it took is told to people")]
fn main() {
    let arguments = Arguments::parse();
    let jobs = arguments.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let workers = Workers {
        next: AtomicU64::new(arguments.from),
        arguments,
        failures: AtomicUsize::new(0),
        folders: AtomicU64::new(0),
        total: Mutex::default(),
    };
    if let Some(text) = &workers.arguments.replay {
        let reel = Reel::from_argument(text).expect("tapes as a failure printed them");
        tell(&sim::play_reel(&reel, &workers.ground()), Detail::Everything);
        return;
    }
    if !rules::CAN_BREAK {
        println!("this build counts no situations and breaks no rules; `make test-long` makes one that does");
        if workers.arguments.mutant.is_some() {
            std::process::exit(2);
        }
    }
    if let Some(name) = &workers.arguments.mutant {
        let rules: Vec<Rule> = match name.as_str() {
            "all" => Rule::ALL.to_vec(),
            "frequent" => sim::FREQUENT.to_vec(),
            name => Rule::ALL.into_iter().filter(|rule| format!("{rule:?}") == name).collect(),
        };
        let survivors = rules.into_iter().filter(|rule| workers.hunt(*rule, jobs) == Hunt::Survives).count();
        std::process::exit(i32::from(name == "frequent" && survivors > 0));
    }
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            spawn(scope, || workers.work());
        }
    });
    let failures = workers.failures.load(Ordering::SeqCst);
    let total = workers.total.lock().expect("no worker panicked");
    for (kind, count) in &total.met {
        println!("{count:>10}  {kind}");
    }
    let is_due = |situation: &&Situation| {
        !sim::ELSEWHERE.contains(situation) && (total.seeds >= 1_000_000 || !sim::RARE.contains(situation))
    };
    let never: Vec<String> = Situation::ALL
        .iter()
        .filter(is_due)
        .map(|situation| format!("reached: {situation:?}"))
        .filter(|name| !total.met.contains_key(name))
        .collect();
    // Fewer seeds prove nothing about what is rare.
    let is_enough = workers.arguments.sqlite.is_none() && !workers.arguments.sweep && total.seeds >= 20_000;
    let blind = is_enough && rules::CAN_BREAK;
    if blind {
        never.iter().for_each(|name| println!("     NEVER  {name}"));
    }
    let seconds = begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    let rate = total.seeds as f64 / seconds;
    let Total { steps, rounds, seeds, cuts, .. } = &*total;
    println!(
        "{seeds} seeds, {failures} failures, {steps} steps, {cuts} cuts, {rounds} rounds to rest, {seconds:.1} s, \
         {rate:.0} seeds/s"
    );
    std::process::exit(i32::from(failures > 0 || (blind && !never.is_empty())));
}

impl Workers {
    fn work(&self) {
        loop {
            let seed = self.next.fetch_add(1, Ordering::SeqCst);
            let done = seed >= self.arguments.from + self.arguments.seeds;
            if done || self.failures.load(Ordering::SeqCst) >= self.arguments.failures {
                return;
            }
            if !self.is_wanted(seed) {
                continue;
            }
            match self.arguments.sweep {
                true => self.sweep(seed),
                false => self.play(seed),
            }
        }
    }

    /// Whether a seed holds when no rule is broken; else it says nothing of this one.
    fn holds_intact(&self, seed: u64, broken: Rule) -> bool {
        rules::break_rule(None);
        let played = sim::play_seed(seed, &self.ground());
        rules::break_rule(Some(broken));
        played.faults.is_empty()
    }

    /// Whether a seed is of the flavour, or has the feature, that was asked for.
    fn is_wanted(&self, seed: u64) -> bool {
        let Some(word) = &self.arguments.only else { return true };
        let setting = sim::setting_of(seed);
        let is_called = |name: String| name.eq_ignore_ascii_case(word);
        is_called(format!("{:?}", setting.flavour)) || setting.features.iter().any(|one| is_called(format!("{one:?}")))
    }

    /// Breaks a rule and plays seeds until that is noticed; tells by which seed, and how.
    fn hunt(&self, rule: Rule, jobs: usize) -> Hunt {
        let next = AtomicU64::new(self.arguments.from);
        let caught: Mutex<BTreeMap<u64, (&'static str, String)>> = Mutex::default();
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                spawn(scope, || {
                    rules::break_rule(Some(rule));
                    loop {
                        let seed = next.fetch_add(1, Ordering::SeqCst);
                        let over = seed >= self.arguments.from + self.arguments.seeds;
                        if over || !caught.lock().expect("no worker panicked").is_empty() {
                            break;
                        }
                        if !self.is_wanted(seed) {
                            continue;
                        }
                        let played = sim::play_seed(seed, &self.ground());
                        if let Some((broken, text)) = played.faults.into_iter().next()
                            && self.holds_intact(seed, rule)
                        {
                            caught.lock().expect("no worker panicked").insert(seed, (broken, text));
                        }
                    }
                    rules::break_rule(None);
                });
            }
        });
        let caught = caught.into_inner().expect("no worker panicked");
        match caught.first_key_value() {
            Some((seed, (broken, text))) => {
                let text = text.lines().next().unwrap_or_default();
                println!("{:<24} caught by seed {seed:>7}  {broken}: {text}", format!("{rule:?}"));
                Hunt::Caught
            }
            None => {
                println!("{:<24} survives {} seeds", format!("{rule:?}"), self.arguments.seeds);
                Hunt::Survives
            }
        }
    }

    /// What to play on; a new one each time.
    fn ground(&self) -> Ground {
        let Some(folder) = &self.arguments.sqlite else { return Ground::Memory };
        let number = self.folders.fetch_add(1, Ordering::SeqCst);
        // The one before the last of each worker is over by now.
        if let Some(old) = number.checked_sub(64) {
            let _ = std::fs::remove_dir_all(folder.join(format!("simulate-{}-{old}", std::process::id())));
        }
        let folder = folder.join(format!("simulate-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Ground::Sqlite(folder)
    }

    fn sweep(&self, seed: u64) {
        let swept = sweep::sweep(seed, &|| self.ground());
        if let Some((cut, (rule, text))) = &swept.fault {
            self.failures.fetch_add(1, Ordering::SeqCst);
            println!("seed {seed}, cut at {cut:?}, breaks {rule}: {text}");
        }
        let mut total = self.total.lock().expect("no worker panicked");
        total.seeds += 1;
        total.cuts += swept.cuts;
    }

    fn play(&self, seed: u64) {
        let played = sim::play_seed(seed, &self.ground());
        if let Some(rule) = played.rule() {
            self.failures.fetch_add(1, Ordering::SeqCst);
            let shortest = shrink::shrink(played.reel.clone(), self.arguments.shrink, &mut |reel| {
                sim::play_reel(reel, &self.ground()).rule() == Some(rule)
            });
            println!("seed {seed} breaks {rule}: {}", played.faults[0].1);
            println!("  from {} words to {}", played.reel.len(), shortest.len());
            println!("  simulate --replay '{}'", shortest.to_argument());
            let detail = if self.arguments.log { Detail::Everything } else { Detail::Outline };
            tell(&sim::play_reel(&shortest, &self.ground()), detail);
        }
        let mut total = self.total.lock().expect("no worker panicked");
        total.seeds += 1;
        total.steps += played.steps;
        total.rounds += u64::from(played.rounds);
        for (kind, count) in &played.met {
            *total.met.entry(format!("trouble: {kind}")).or_default() += count;
        }
        for (situation, count) in &played.reached {
            *total.met.entry(format!("reached: {situation:?}")).or_default() += count;
        }
        for (kind, count) in &played.taken {
            *total.met.entry(format!("user: {kind}")).or_default() += count;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    Everything,
    Outline,
}

/// Prints a scenario; in outline, what users did, what went wrong and what was written to the service.
fn tell(played: &Played, detail: Detail) {
    let is_outline = |line: &&String| {
        line.starts_with(['s', 'G', '!', 'c']) && !line.starts_with("call GET") && !line.starts_with("commit")
    };
    for line in played.log.iter().filter(|line| detail == Detail::Everything || is_outline(line)) {
        println!("    {line}");
    }
    for (rule, text) in &played.faults {
        println!("  {rule}: {text}");
    }
}
