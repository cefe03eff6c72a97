//! What taking back a run promises, where nothing comes between: both sides are what they were before.

use contactsync::domain::history::Action;
use contactsync::domain::pair::Direction;
use contactsync::engine::Reach;
use contactsync::store::HistoryQuery;

use super::setting::Feature;
use super::{Scenario, judge};

impl Scenario {
    /// Everything is at rest. One edit is carried over by one run, that run is taken back, and nobody can tell.
    pub(super) async fn undo_at_rest(&mut self) -> Result<(), judge::Fault> {
        let two_way = self.stage.promises.iter().all(|promise| promise.direction == Direction::TwoWay);
        if !two_way || self.setting.has(Feature::Guards) {
            return Ok(());
        }
        let before = self.portrait().await;
        self.users.lock().await.edit_anywhere(&self.stage, 0).await;
        self.take_users_log().await;
        self.sync(0, Reach::Incremental).await;
        let Some(run) = self.stage.last_run() else { return Ok(()) };
        let query = HistoryQuery { run: Some(run), ..HistoryQuery::default() };
        let deeds = self.stage.store.history(&query).await.expect("history");
        // Where the edit led the run to link two, they are parted again, and what was edited stays on its side.
        if deeds.is_empty() || deeds.iter().any(|row| row.change.action == Action::Linked) {
            return Ok(());
        }
        self.users.lock().await.takes_back(0, run);
        self.take_users_log().await;
        self.sync(0, Reach::Incremental).await;
        self.rest(Reach::Incremental).await?;
        let mut after = self.portrait().await;
        // An organization that somebody named stays: it is on no side by itself.
        after.retain(|line| !line.starts_with(judge::IMPLICIT) || before.contains(line));
        if before == after {
            return Ok(());
        }
        let only = |some: &[String], others: &[String]| -> String {
            some.iter().filter(|line| !others.contains(line)).map(|line| format!("\n  {line}")).collect()
        };
        let (gone, new) = (only(&before, &after), only(&after, &before));
        Err(("I2", format!("a run that was taken back leaves something behind; before:{gone}\nafter:{new}")))
    }
}
