//! What users do only where there is more than persons who are kept equal in both directions.

use super::Users;
use crate::sim::setting::Feature;
use crate::sim::stage::Stage;

/// How many of the actions are not wide, for each that is.
const PLAIN: usize = 2;

impl Users {
    /// Somebody edits one field, in the store or in an account.
    pub async fn edit_anywhere(&mut self, stage: &Stage, account: usize) {
        match self.tape.below(2) {
            0 => self.edit_store(stage).await,
            _ => self.edit_google(stage, account),
        }
    }

    /// Somebody does something that only wide scenarios know. Answers whether anybody did.
    pub(super) async fn act_widely(&mut self, stage: &Stage, account: usize) -> bool {
        if self.tape.below(1 + PLAIN) < PLAIN {
            return false;
        }
        let features: Vec<Feature> = self.features.iter().copied().collect();
        match self.tape.pick(&features) {
            Some(Feature::Guards) => self.approve(stage, account).await,
            Some(Feature::Organizations) => self.act_on_organizations(stage, account).await,
            Some(Feature::Questions) => self.wonder(stage, account).await,
            Some(Feature::Undo) => self.undo(stage, account).await,
            Some(Feature::Merges) => self.merge_in_store(stage).await,
            Some(Feature::Photos) => self.act_on_photos(stage, account).await,
            _ => return false,
        }
        true
    }
}
