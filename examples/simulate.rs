//! Plays many scenarios: `simulate --seeds 1000000 --from 0`. See the simulation's own module for what a scenario is.

#[path = "../tests/simulation/sim/mod.rs"]
mod sim;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use sim::Ground;
use sim::tape::Reel;

/// Plays many scenarios against the engine and reports what did not hold.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many seeds to play.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Play this scenario instead, as a failure printed it.
    #[arg(long, value_name = "TAPES")]
    replay: Option<String>,
    /// Play on SQLite, in new files in this folder.
    #[arg(long, value_name = "DIR")]
    sqlite: Option<PathBuf>,
    /// Stop after so many failures.
    #[arg(long, default_value_t = 5)]
    failures: usize,
    /// How many plays may be spent on making a failure shorter.
    #[arg(long, default_value_t = 3000)]
    shrink: usize,
    /// Print the whole log of events.
    #[arg(long)]
    log: bool,
}

#[expect(clippy::disallowed_methods, reason = "how long it took is told to people")]
fn main() {
    let arguments = Arguments::parse();
    let ground = || match &arguments.sqlite {
        Some(folder) => {
            let folder = folder.join(format!("simulate-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&folder);
            std::fs::create_dir_all(&folder).expect("a folder");
            Ground::Sqlite(folder)
        }
        None => Ground::Memory,
    };
    if let Some(text) = &arguments.replay {
        let reel = Reel::from_argument(text).expect("tapes as a failure printed them");
        tell(&sim::play_reel(&reel, &ground()), true);
        return;
    }
    let begun = Instant::now();
    let mut failures = 0;
    let mut steps = 0;
    let mut met: BTreeMap<String, u64> = BTreeMap::new();
    let mut rounds = 0;
    for seed in arguments.from..arguments.from + arguments.seeds {
        let played = sim::play_seed(seed, &ground());
        steps += played.steps;
        rounds += u64::from(played.rounds);
        for (kind, count) in played.met.iter().map(|(kind, count)| (kind.clone(), *count)) {
            *met.entry(kind).or_default() += count;
        }
        for (kind, count) in &played.taken {
            *met.entry(format!("user: {kind}")).or_default() += count;
        }
        if let Some(rule) = played.rule() {
            failures += 1;
            println!("seed {seed} breaks {rule}: {}", played.faults[0].1);
            let shortest = sim::shrink::shrink(played.reel.clone(), arguments.shrink, &mut |reel| {
                sim::play_reel(reel, &ground()).rule() == Some(rule)
            });
            println!("  from {} words to {}", played.reel.len(), shortest.len());
            println!("  simulate --replay '{}'", shortest.to_argument());
            tell(&sim::play_reel(&shortest, &ground()), arguments.log);
            if failures >= arguments.failures {
                break;
            }
        } else if arguments.log {
            tell(&played, true);
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    for (kind, count) in &met {
        println!("{count:>10}  {kind}");
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    let rate = arguments.seeds as f64 / seconds;
    println!(
        "{} seeds, {failures} failures, {steps} steps, {rounds} rounds to rest, {seconds:.1} s, {rate:.0} seeds/s",
        arguments.seeds
    );
    std::process::exit(i32::from(failures > 0));
}

fn tell(played: &sim::Played, whole: bool) {
    let lines = played.log.iter().filter(|line| {
        whole || line.starts_with(['s', 'G', '!', 'c']) && !line.starts_with("call GET") && !line.starts_with("commit")
    });
    lines.for_each(|line| println!("    {line}"));
    for (rule, text) in &played.faults {
        println!("  {rule}: {text}");
    }
}
