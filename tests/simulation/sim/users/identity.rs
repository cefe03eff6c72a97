//! What users do in the web UI of an account to who is who: records are renamed, merged and moved between groups.

use contactsync::domain::id::RemoteId;
use contactsync::domain::pair::LeftGroup;
use contactsync::emulator::settings::Feed;
use contactsync::emulator::{FormerName, MergeTrace};
use serde_json::Value;

use super::{Users, slot};
use crate::sim::people::{group, owners, resource, values_of_person};
use crate::sim::pictures;
use crate::sim::stage::Stage;

impl Users {
    /// Renames, merges and touches records.
    pub(super) async fn identify(&mut self, stage: &Stage, account: usize) {
        let Some(person) = self.pick_person(stage, account) else { return };
        match self.tape.below(4) {
            0 => {
                self.note("Google touches", format!("Google {account} touches {:?}", owners(&person)));
                stage.by_hand(account, |user| user.bump_etag(resource(&person)).map(drop).unwrap_or_default());
            }
            1 | 2 => {
                let former = if self.tape.below(2) == 0 { FormerName::Gone } else { FormerName::Leads };
                let tombstone = if self.tape.below(2) == 0 { Feed::Shown } else { Feed::Hidden };
                let is_known = is_linked(stage, account, resource(&person)).await;
                for owner in owners(&person) {
                    // Under two names that are both new, one of which still shows, it is two people.
                    if !is_known {
                        self.ledger.blurred(&owner);
                    }
                    if !is_tagged(&person) {
                        self.ledger.lost_its_name(&owner);
                    }
                    // A deletion of ours may meet the former name, and a full listing does not tell a renamed record from
                    // a copy that somebody made: that one is kept.
                    self.ledger.deleted_too_soon(&owner);
                }
                self.hid_a_name |= tombstone == Feed::Hidden;
                let told = format!("Google {account} renames {:?} {former:?} {tombstone:?}", owners(&person));
                self.note("Google renames", told);
                stage.by_hand(account, |user| {
                    user.rename(resource(&person), former, tombstone).map(drop).unwrap_or_default();
                });
            }
            _ => {
                let Some(other) = self.pick_person(stage, account) else { return };
                if other["resourceName"] == person["resourceName"] {
                    return;
                }
                let trace = if self.tape.below(2) == 0 { MergeTrace::PreviousNames } else { MergeTrace::None };
                for owner in owners(&person).into_iter().chain(owners(&other)) {
                    self.ledger.blurred(&owner);
                }
                for owner in owners(&other) {
                    let mut seen = values_of_person(&other);
                    seen.extend(pictures::in_google(stage, account, resource(&other)));
                    self.ledger.deleted(&owner, seen);
                }
                let told = format!("Google {account} merges {:?} into {:?} {trace:?}", owners(&other), owners(&person));
                self.note("Google merges", told);
                let merged = stage.by_hand(account, |user| user.merge(resource(&person), &[resource(&other)], trace));
                self.leave_employments(&merged.unwrap_or_default());
            }
        }
    }

    /// Of the jobs that a merged record has, one is the person's; the others are employments that nobody keeps equal, and
    /// they go with the record. Whoever merged the two saw them.
    fn leave_employments(&mut self, record: &Value) {
        let jobs = record["organizations"].as_array().map_or(&[][..], Vec::as_slice);
        let own = jobs.iter().position(|job| job["current"] == true).unwrap_or(0);
        let others = jobs.iter().enumerate().filter(|(place, _)| *place != own);
        let said = others.flat_map(|(_, job)| [("job_title", &job["title"]), ("company", &job["name"])]);
        for (field, value) in said.filter_map(|(field, value)| Some((field, value.as_str()?.to_lowercase()))) {
            if owners(record).iter().any(|owner| self.ledger.is_of(&value, &slot(owner, field))) {
                self.ledger.superseded.insert(value);
            }
        }
    }

    pub(super) fn regroup(&mut self, stage: &Stage, account: usize) {
        let Some(person) = self.pick_person(stage, account) else { return };
        let Some(group) = group(stage, account) else { return };
        let into = self.tape.below(2) == 0;
        for owner in owners(&person) {
            self.ledger.moved(&owner);
            if !into && stage.promises[account].delete.left_group == LeftGroup::Delete {
                let mut seen = values_of_person(&person);
                seen.extend(pictures::in_google(stage, account, resource(&person)));
                self.ledger.deleted(&owner, seen);
            }
        }
        self.note("Google regroups", format!("Google {account} groups {:?}: {into}", owners(&person)));
        stage.by_hand(account, |user| {
            let done = match into {
                true => user.label(resource(&person), &group),
                false => user.unlabel(resource(&person), &group),
            };
            done.map(drop).unwrap_or_default();
        });
    }
}

/// Whether we ever wrote to a record.
pub(super) fn is_tagged(person: &Value) -> bool {
    person["clientData"].as_array().into_iter().flatten().any(|entry| entry["key"] == "contactsync")
}

/// Whether a record is known to be a contact's.
pub(super) async fn is_linked(stage: &Stage, account: usize, remote: &str) -> bool {
    let ids = [RemoteId::new(remote)];
    let links = stage.store.links_of_remotes(&stage.promises[account].account, &ids).await.expect("links");
    links.iter().any(|(_, link)| link.contact.is_some())
}
