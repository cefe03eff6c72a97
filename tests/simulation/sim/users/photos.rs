//! Photos that users give people and take away. Each shows a value of its own, whatever the service makes of its bytes.

use contactsync::contacts::edit::PhotoEdit;
use contactsync::domain::id::RemoteId;
use contactsync::domain::photo::PhotoFile;
use contactsync::store::DeletedContacts;
use serde_json::Value;

use super::editing::{Edit, carry_out};
use super::organizations::is_person;
use super::{Users, slot};
use crate::sim::people::{owner, owner_of_card, resource};
use crate::sim::pictures;
use crate::sim::stage::Stage;

impl Users {
    /// Somebody does something to a photo.
    pub(super) async fn act_on_photos(&mut self, stage: &Stage, account: usize) {
        match self.tape.below(7) {
            0 | 1 => self.picture_in_store(stage).await,
            2 | 3 => self.picture_in_google(stage, account).await,
            4 => self.remove_photo_in_store(stage).await,
            5 => self.remove_photo_in_google(stage, account),
            _ => self.rotate_photo(stage, account).await,
        }
    }

    async fn picture_in_store(&mut self, stage: &Stage) {
        let Some(contact) = self.pick_contact(stage, DeletedContacts::Hidden).await else { return };
        let Some(owner) = owner_of_card(&contact.card) else { return };
        let parent = pictures::in_store(stage, &contact.card).await;
        let value = self.value();
        self.ledger.wrote(slot(&owner, "photo"), &value, parent);
        self.note("store sets photos", format!("store {owner} photo = {value}"));
        let file = PhotoFile::of(pictures::picture(&value));
        carry_out(stage, Edit::Picture(contact.id, PhotoEdit::Set(file))).await;
    }

    async fn picture_in_google(&mut self, stage: &Stage, account: usize) {
        let Some(person) = self.pick_person(stage, account).filter(is_person) else { return };
        let Some(owner) = owner(&person) else { return };
        let parent = pictures::in_google(stage, account, resource(&person));
        let value = self.value();
        self.ledger.wrote(slot(&owner, "photo"), &value, parent);
        self.written_on(stage, account, &person, &value);
        self.pictured_meanwhile(stage, account, &person, &value).await;
        self.note("Google sets photos", format!("Google {account} {owner} photo = {value}"));
        let bytes = pictures::picture(&value);
        stage.by_hand(account, |user| user.set_photo(resource(&person), &bytes).map(drop).expect("a photo is taken"));
    }

    async fn remove_photo_in_store(&mut self, stage: &Stage) {
        let Some(contact) = self.pick_contact(stage, DeletedContacts::Hidden).await else { return };
        if contact.card.as_person().is_none_or(|person| person.photo.is_none()) {
            return;
        }
        if let Some(photo) = pictures::in_store(stage, &contact.card).await {
            self.ledger.took_away(photo);
        }
        self.note("store removes photos", format!("store {:?} has no photo", owner_of_card(&contact.card)));
        carry_out(stage, Edit::Picture(contact.id, PhotoEdit::Remove)).await;
    }

    fn remove_photo_in_google(&mut self, stage: &Stage, account: usize) {
        let Some(person) = self.pick_person(stage, account) else { return };
        let Some(value) = pictures::in_google(stage, account, resource(&person)) else { return };
        self.ledger.took_away(value);
        self.note("Google removes photos", format!("Google {account} {:?} has no photo", owner(&person)));
        stage.by_hand(account, |user| user.remove_photo(resource(&person)).map(drop).expect("a photo is removed"));
    }

    /// The service gives a photo another address, which is no edit.
    async fn rotate_photo(&mut self, stage: &Stage, account: usize) {
        let Some(person) = self.pick_person(stage, account) else { return };
        let Some(value) = pictures::in_google(stage, account, resource(&person)) else { return };
        self.pictured_meanwhile(stage, account, &person, &value).await;
        self.note("Google moves photos", format!("Google {account} moves the photo of {:?}", owner(&person)));
        stage.by_hand(account, |user| user.rotate_photo(resource(&person)).map(drop).expect("a photo is moved"));
    }

    /// While it is not known whether a photo of ours has arrived, one that shows under a new address may be ours.
    async fn pictured_meanwhile(&mut self, stage: &Stage, account: usize, person: &Value, value: &str) {
        let remote = RemoteId::new(resource(person));
        let name = &stage.promises[account].account;
        let links = stage.store.links_of_remotes(name, std::slice::from_ref(&remote)).await.expect("links");
        if links.iter().any(|(_, link)| link.photo.sending.is_some()) {
            self.ledger.pictures_are_in_doubt(&remote, value);
        }
    }
}
