//! What users do in aimed scenarios beside everything else: several things in a row to one person, as it takes for the
//! trouble that is aimed at.

use super::{Stage, Users};
use crate::sim::setting::Aim;

/// A field that is edited in the store and in Google under the same number; see `edit_store`.
const NOTES: usize = 0;
const JOB_TITLE: usize = 1;

impl Users {
    /// Somebody does what the scenario is aimed at.
    pub(super) async fn plot(&mut self, aim: Aim, stage: &Stage, account: usize) {
        let Some(person) = self.pick_somebody(stage).await else { return };
        self.focus = Some(person);
        match aim {
            Aim::Sleepers | Aim::InFlight | Aim::SameTimes => self.edit_one_field(NOTES, stage, account).await,
            Aim::Respelled => self.edit_one_field(JOB_TITLE, stage, account).await,
            Aim::LostCreates => {
                self.focus = None;
                self.add_to_store(stage).await;
            }
            Aim::FormerLives => match self.tape.below(4) {
                0 | 1 => {
                    self.edit_store(stage).await;
                    self.delete_in_google(stage, account).await;
                }
                2 => self.edit_store(stage).await,
                _ => {
                    self.focus = None;
                    self.add_to_store(stage).await;
                }
            },
            Aim::BlindReads => match self.tape.below(3) {
                0 | 1 => self.identify(stage, account).await,
                _ => self.edit_google(stage, account),
            },
            Aim::LateWords => {
                self.edit_google(stage, account);
                if self.tape.below(2) == 0 {
                    self.delete_in_google(stage, account).await;
                }
            }
            Aim::ShortLives => match self.tape.below(3) {
                0 | 1 => {
                    self.focus = None;
                    self.add_to_google(stage, account).await;
                }
                _ => self.delete_in_google(stage, account).await,
            },
            Aim::Overruns => match self.tape.below(2) {
                0 => {
                    self.delete_in_store(stage).await;
                    self.edit_google(stage, account);
                }
                _ => {
                    self.edit_google(stage, account);
                    self.delete_in_store(stage).await;
                }
            },
        }
        self.focus = None;
        self.field = None;
    }

    async fn edit_one_field(&mut self, field: usize, stage: &Stage, account: usize) {
        self.field = Some(field);
        match self.tape.below(3) {
            2 => self.edit_google(stage, account),
            _ => self.edit_store(stage).await,
        }
    }
}
