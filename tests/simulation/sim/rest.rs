//! How a scenario comes to rest: nothing goes wrong any more, incremental runs alone make both sides equal, full listings
//! find nothing more to do, and a person decides what waits.

use std::time::Duration;

use contactsync::domain::account::Outcome;
use contactsync::domain::link::{Link, LinkState};
use contactsync::engine::Reach;
use contactsync::remotes::Remote as _;

use super::conductor::Mood;
use super::setting::Feature;
use super::{Scenario, judge};

/// In how many rounds everything must be at rest.
const ROUNDS_TO_REST: u32 = 40;

impl Scenario {
    /// Nothing goes wrong any more; incremental runs first, then full ones, until nothing is left to do.
    pub async fn come_to_rest(&mut self) -> Result<(), judge::Fault> {
        self.conductor.set_mood(Mood::Calm);
        self.conductor.log("calm".to_owned());
        self.stage.clock.set_ahead(0);
        {
            let mut emulator = self.stage.emulator();
            let settings = emulator.settings_mut();
            settings.propagation = contactsync::emulator::settings::Propagation::default();
            // A run with nothing to do is one that is shown nothing.
            settings.spurious_repeats = 0;
        }
        self.stage.world.advance(Duration::from_secs(1200));
        self.rest(Reach::Incremental).await?;
        let shown = self.setting.service.membership_changes == contactsync::emulator::settings::Feed::Shown;
        let users = self.users.lock().await;
        if !self.conductor.is_lossy() && shown && !users.hid_a_name {
            let codec = self.process.remote(0).codec();
            let faults = judge::judge(&self.stage, codec, &users.ledger).await;
            if let Some((_, text)) = faults.into_iter().find(|(rule, _)| *rule == "I1") {
                return Err(("I10", format!("only a full listing brings it: {text}")));
            }
        }
        drop(users);
        self.rest(Reach::Full).await?;
        let resolved = {
            let mut users = self.users.lock().await;
            let open = self.stage.store.open_conflicts(None).await.expect("conflicts").len();
            users.resolve_conflicts(&self.stage).await;
            open > 0
        };
        self.take_users_log().await;
        if resolved {
            self.rest(Reach::Incremental).await?;
        }
        self.stay_at_rest().await
    }

    /// Runs until nothing is left to do, and nothing waits for a person or for its time.
    pub(super) async fn rest(&mut self, reach: Reach) -> Result<(), judge::Fault> {
        self.run_until_quiet(reach).await?;
        self.sit_out_grace().await?;
        for _ in 0..ROUNDS_TO_REST {
            let approved = self.setting.has(Feature::Guards) && self.approve_everything().await?;
            let answered = self.setting.has(Feature::Questions) && self.answer_everything().await;
            if !approved && !answered {
                return Ok(());
            }
            self.run_until_quiet(Reach::Incremental).await?;
            self.sit_out_grace().await?;
        }
        Err(("I8", "people are asked without end".to_owned()))
    }

    /// Deletions wait before they are carried over.
    async fn sit_out_grace(&mut self) -> Result<(), judge::Fault> {
        let longest = self.stage.promises.iter().map(|promise| promise.delete.grace).max().unwrap_or_default();
        if longest.is_zero() {
            return Ok(());
        }
        // What was deleted while the clock was ahead waits until that time has come.
        let ahead = self
            .conductor
            .draw(|_, rates| if rates.clock > 0 { Duration::from_secs(24 * 3600) } else { Duration::ZERO });
        // What one account deletes after its grace has a grace of its own in the next one.
        for _ in 0..self.stage.promises.len() {
            self.stage.world.advance(longest + ahead);
            self.run_until_quiet(Reach::Incremental).await?;
        }
        Ok(())
    }

    async fn answer_everything(&mut self) -> bool {
        let any = self.users.lock().await.answer_everything(&self.stage).await;
        self.take_users_log().await;
        any
    }

    /// Runs until nothing is left to do (I8).
    pub(super) async fn run_until_quiet(&mut self, reach: Reach) -> Result<(), judge::Fault> {
        let mut last = Vec::new();
        for round in 0..ROUNDS_TO_REST {
            let reach = if round == 0 { reach } else { Reach::Incremental };
            let mut busy = false;
            last.clear();
            for account in 0..self.stage.promises.len() {
                busy |= self.users.lock().await.has_licence(account);
                let reads = self.conductor.direct_reads();
                let summary = self.sync(account, reach).await;
                // Somebody was looked for, or looked at.
                busy |= self.conductor.direct_reads() > reads;
                busy |= summary.as_ref().is_none_or(|summary| {
                    let moved = summary.pulled.total() + summary.pushed.total() > 0;
                    moved || summary.error.is_some() || !matches!(summary.outcome, Outcome::Done | Outcome::Parked)
                });
                last.push(summary);
            }
            self.rounds += 1;
            if !busy {
                return Ok(());
            }
            self.stage.world.advance(Duration::from_secs(20 * 60));
        }
        let mut open = String::new();
        for account in 0..self.stage.promises.len() {
            open.push_str(&self.open_links(account).await);
        }
        Err(("I8", format!("it does not come to rest: {last:?} {open}")))
    }

    /// I7: four more rounds, two of them full, find nothing to do and write nothing.
    async fn stay_at_rest(&mut self) -> Result<(), judge::Fault> {
        let writes = self.conductor.writes();
        let feed = self.stage.store.feed_end().await.expect("the feed");
        for reach in [Reach::Incremental, Reach::Full, Reach::Incremental, Reach::Full] {
            for account in 0..self.stage.promises.len() {
                let reads = self.conductor.direct_reads();
                self.sync(account, reach).await;
                if reach == Reach::Incremental && self.conductor.direct_reads() > reads {
                    let open = self.open_links(account).await;
                    return Err(("I7", format!("a run with nothing to do reads more than the listings: {open}")));
                }
                let name = &self.stage.promises[account].account;
                let counts = self.stage.store.link_counts(name).await.expect("counts");
                if self.are_open(account).await || counts.intents > 0 {
                    let open = self.open_links(account).await;
                    return Err(("I8", format!("account {account} is at rest with {counts:?}: {open}")));
                }
            }
            self.stage.world.advance(Duration::from_secs(20 * 60));
        }
        if self.conductor.writes() > writes {
            return Err(("I7", "something is written to Google at rest".to_owned()));
        }
        if self.stage.store.feed_end().await.expect("the feed") > feed {
            return Err(("I7", "contacts change at rest".to_owned()));
        }
        Ok(())
    }

    async fn unsettled(&self, account: usize) -> Vec<Link> {
        let name = &self.stage.promises[account].account;
        let ids = self.stage.store.unsettled_links(name, None, 1000).await.expect("links");
        self.stage.store.links(&ids).await.expect("links")
    }

    /// Whether there is work that nobody waits for. A contact that a doubtful record may be is not created meanwhile.
    async fn are_open(&self, account: usize) -> bool {
        let mut links = self.unsettled(account).await;
        let doubts = links.iter().filter(|link| link.parked.is_some() && link.state == LinkState::Found).count();
        links.retain(|link| link.parked.is_none() && (link.state != LinkState::Need || doubts == 0));
        !links.is_empty()
    }

    /// The links that are not settled, for people who look for the reason.
    async fn open_links(&self, account: usize) -> String {
        format!("{:?}", self.unsettled(account).await)
    }
}
