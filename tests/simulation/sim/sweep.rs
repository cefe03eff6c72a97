//! The crash sweep: a scenario without other trouble is played whole; then again and again, cut off at every step, before
//! it and after it. Each time everything must come out as in the whole one, and stay at rest.

use contactsync::emulator::settings::Propagation;
use contactsync::engine::Reach;

use super::conductor::{Cut, Mood};
use super::setting::Rates;
use super::tape::Tape;
use super::{Ground, Scenario, judge};

/// What came of the sweep over one scenario.
#[derive(Debug, Default)]
pub struct Swept {
    /// How often it was cut off.
    pub cuts: u64,
    /// The first thing that did not hold, and where it was cut off for it.
    pub fault: Option<(Option<(u64, Cut)>, judge::Fault)>,
}

/// Sweeps the scenario of a seed.
pub fn sweep(seed: u64, ground: &dyn Fn() -> Ground) -> Swept {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let mut swept = Swept::default();
        let whole = match play(seed, &ground(), None).await {
            Ok(played) => played,
            Err(fault) => {
                swept.fault = Some((None, fault));
                return swept;
            }
        };
        for step in 0..whole.steps {
            for cut in [Cut::Before, Cut::After] {
                swept.cuts += 1;
                let fault = match play(seed, &ground(), Some((step, cut))).await {
                    Ok(cut) if cut.portrait == whole.portrait => continue,
                    Ok(cut) => ("I9", differences(&whole, &cut)),
                    Err(fault) => fault,
                };
                swept.fault = Some((Some((step, cut)), fault));
                return swept;
            }
        }
        swept
    })
}

/// What came of one play.
struct Whole {
    /// The number of steps that could have been the last.
    steps: u64,
    /// What both sides hold in the end.
    portrait: Vec<String>,
    /// What happened.
    log: String,
}

/// Plays the scenario.
async fn play(seed: u64, ground: &Ground, cut: Option<(u64, Cut)>) -> Result<Whole, judge::Fault> {
    let tape = |number: u64| Tape::drawn(seed.wrapping_mul(0x1000_0000_01B3).wrapping_add(number));
    let mut scenario = Scenario::new([tape(1), tape(2), Tape::kept(Vec::new())], ground).await;
    scenario.conductor.set_rates(Rates::default());
    // What a later run is shown may differ from what this one was: an edit that had not shown yet may meet a deletion.
    scenario.stage.emulator().settings_mut().propagation = Propagation::default();
    scenario.begin().await;
    scenario.act().await;
    scenario.act().await;
    let (step, side) = cut.unwrap_or((u64::MAX, Cut::Before));
    scenario.conductor.set_mood(Mood::CutAt(step, side));
    for account in 0..scenario.stage.promises.len() {
        scenario.sync(account, Reach::Incremental).await;
    }
    let steps = scenario.conductor.steps();
    scenario.come_to_rest().await?;
    match scenario.judge().await.into_iter().next() {
        Some(fault) => Err(fault),
        None => {
            let portrait = scenario.portrait().await;
            Ok(Whole { steps, portrait, log: scenario.conductor.take_log().join("\n") })
        }
    }
}

/// Where two plays came out otherwise, and what happened in the one that was cut off.
fn differences(whole: &Whole, cut: &Whole) -> String {
    let only = |one: &Whole, other: &Whole| -> String {
        one.portrait.iter().filter(|line| !other.portrait.contains(line)).map(|line| format!("\n  {line}")).collect()
    };
    format!("whole:{}\nwith a crash:{}\n{}", only(whole, cut), only(cut, whole), cut.log)
}
