//! What decides which contacts an account has and how they look there, as one number. Another number means that every
//! contact has to be looked at again.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::domain::pair::Pair;

use super::account::{Account, DIRECTIONS, ORGANIZATIONS};
use super::policy;
use super::value;

impl Account {
    /// Digest of selection, field map and policies, in hexadecimal; `pairs` are those of the account with what their
    /// filters select. The schedule, the grant and the guards do not count: they decide when and whether something is
    /// done, not what. Nor does the name of a filter.
    pub fn settings_digest(&self, pairs: &[Pair]) -> String {
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(self.settings_text(pairs)) {
            // Writing into a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }

    /// The settings as a text of one value a line, each quoted, so that no two settings share a text.
    fn settings_text(&self, pairs: &[Pair]) -> String {
        let mut lines = vec![
            format!("direction {}", value::name_of(&DIRECTIONS, self.direction)),
            format!("conflict {}", value::name_of(&policy::CONFLICT, self.conflict)),
            format!("organizations {}", value::name_of(&ORGANIZATIONS, self.organizations)),
            format!("photos {}", self.photos),
            format!("delete.in_google {}", value::name_of(&policy::IN_GOOGLE, self.delete.in_remote)),
            format!("delete.in_store {}", value::name_of(&policy::IN_STORE, self.delete.in_store)),
            format!("delete.left_group {}", value::name_of(&policy::LEFT_GROUP, self.delete.left_group)),
            format!("delete.grace {}", self.delete.grace.as_secs()),
        ];
        // Who has not set it keeps the digest of releases that did not know it.
        lines.extend(self.home.map(|home| format!("region {home}")));
        for (field, policy) in &self.conflict_fields {
            lines.push(format!(
                "conflict_fields {:?} {}",
                field.to_string(),
                value::name_of(&policy::CONFLICT, *policy)
            ));
        }
        for (field, target) in &self.fields {
            lines.push(format!("fields {:?} {:?}", field.to_string(), target.to_string()));
        }
        for pair in pairs {
            // The order of labels and owners means nothing, that of pairs decides which one a newcomer belongs to.
            let sorted = |names: &[String]| {
                let mut names = names.to_vec();
                names.sort();
                names
            };
            lines.push(format!(
                "pair {:?} {:?} {:?} {:?} {:?} {:?}",
                pair.group,
                pair.missing_group,
                sorted(&pair.labels),
                sorted(&pair.owners),
                pair.strangers,
                pair.add_label
            ));
            // Who has no filter keeps the digest of releases that did not know any. Writing it into text cannot fail, and
            // a filter is written in one way only.
            lines.extend(
                pair.filter
                    .as_ref()
                    .map(|filter| format!("filter {}", serde_json::to_string(filter.filter()).unwrap_or_default())),
            );
        }
        lines.join("\n")
    }
}
