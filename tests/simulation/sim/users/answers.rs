//! Families: people who share a phone, so that nobody but a person can tell whether a record is one of them, and what is
//! answered to that.

use contactsync::contacts::answer::{self, AnswerError, Couple, Question};
use contactsync::domain::answer::Said;
use contactsync::domain::contact::Kind;
use serde_json::json;

use super::editing::{Edit, carry_out};
use super::{Users, address};
use crate::sim::people::{group, owners, owners_of_card, people, resource};
use crate::sim::setting::LABEL;
use crate::sim::stage::Stage;

/// Whether a record says how the person is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    Known,
    /// It may be anybody of the family, and is taken for the one who is alone.
    Unknown,
}

/// People with one phone.
#[derive(Debug, Default)]
pub struct Family {
    members: Vec<String>,
    /// One of them may be another one.
    is_blurred: bool,
}

impl Users {
    /// Somebody does something that makes it doubtful who is who, or ends a doubt.
    pub(super) async fn wonder(&mut self, stage: &Stage, account: usize) {
        match self.tape.below(6) {
            0 | 1 => self.add_relative_to_google(stage, account),
            2 | 3 => self.add_relative_to_store(stage).await,
            4 => _ = self.answer_one(stage, account).await,
            _ => self.take_answer_back(stage, account).await,
        }
    }

    /// The phone of one of two families, which has a new member.
    fn family_phone(&mut self, name: &str, given: Given) -> String {
        let phone = ["+49 30 900001", "+49 30 900002"][self.tape.below(2)];
        let family = self.families.entry(phone).or_default();
        family.members.push(name.to_owned());
        family.is_blurred |= given == Given::Unknown;
        if family.is_blurred {
            family.members.iter().for_each(|member| self.ledger.blurred(member));
        }
        phone.to_owned()
    }

    async fn add_relative_to_store(&mut self, stage: &Stage) {
        let name = format!("p{:04}", self.next());
        let mut patch = json!({
            "name": {"given": name, "family": "kin"},
            "emails": [{"value": address(&name), "label": "work", "primary": true}],
            "phones": [{"value": self.family_phone(&name, Given::Known), "label": "home"}],
        });
        if !self.habits.label || self.tape.below(3) > 0 {
            patch["labels"] = json!([LABEL]);
        }
        self.note("store adds relatives", format!("store adds the relative {name}"));
        carry_out(stage, Edit::Add(Kind::Person, patch)).await;
    }

    fn add_relative_to_google(&mut self, stage: &Stage, account: usize) {
        let name = format!("g{:04}", self.next());
        let Some(group) = group(stage, account) else { return };
        let given = if self.tape.below(2) == 0 { Given::Known } else { Given::Unknown };
        let names = match given {
            Given::Known => json!({"givenName": name, "familyName": "kin"}),
            Given::Unknown => json!({"familyName": "kin"}),
        };
        let record = json!({
            "names": [names],
            "emailAddresses": [{"value": address(&name), "type": "work"}],
            "phoneNumbers": [{"value": self.family_phone(&name, given), "type": "home"}],
            "memberships": [
                {"contactGroupMembership": {"contactGroupResourceName": "contactGroups/myContacts"}},
                {"contactGroupMembership": {"contactGroupResourceName": group}},
            ],
        });
        self.note("Google adds relatives", format!("Google {account} adds the relative {name}"));
        stage.by_hand(account, |user| user.create(&record).map(drop).unwrap_or_default());
    }

    /// Somebody answers one of the questions that wait in an account. Answers whether there was any.
    pub(super) async fn answer_one(&mut self, stage: &Stage, account: usize) -> bool {
        let questions = questions(stage, account).await;
        let Some(question) = self.tape.pick(&questions) else { return false };
        self.answer(stage, &question).await;
        true
    }

    /// Somebody answers all questions. Answers whether there was any.
    pub async fn answer_everything(&mut self, stage: &Stage) -> bool {
        let mut any = false;
        for account in 0..stage.promises.len() {
            for question in questions(stage, account).await {
                any = true;
                self.answer(stage, &question).await;
            }
        }
        any
    }

    async fn answer(&mut self, stage: &Stage, question: &Question) {
        let couples = question.couples();
        let chosen = self.tape.below(1 + couples.len()).checked_sub(1).and_then(|place| couples.get(place).cloned());
        stage.tick();
        let (store, clock) = (stage.store.as_ref(), stage.clock.as_ref());
        if let Some(couple) = chosen {
            match answer::say(store, clock, std::slice::from_ref(&couple), Said::Same).await {
                Ok(_) => return self.said(stage, &couple, Said::Same).await,
                // What it was asked about is somebody else's by now.
                Err(error) => self.log.push(format!("an answer is not taken: {error}")),
            }
        }
        match answer::say(store, clock, &couples, Said::Different).await {
            Ok(_) => {
                for couple in &couples {
                    self.said(stage, couple, Said::Different).await;
                }
            }
            Err(AnswerError::Store(error)) => panic!("an answer is stored: {error}"),
            Err(error) => self.log.push(format!("an answer is not taken: {error}")),
        }
    }

    async fn said(&mut self, stage: &Stage, couple: &Couple, said: Said) {
        let (contact, record) = self.names(stage, couple).await;
        self.note("answers", format!("somebody says that {contact:?} and {record:?} are: {said:?}"));
        self.ledger.said(&contact, &record, Some(said));
        if said == Said::Same {
            for owner in contact.iter().chain(&record) {
                self.ledger.blurred(owner);
            }
        }
    }

    async fn names(&self, stage: &Stage, couple: &Couple) -> (Vec<String>, Vec<String>) {
        let contact = stage.store.contacts(&[couple.contact]).await.expect("contacts").pop();
        let contact = contact.map(|contact| owners_of_card(&contact.card)).unwrap_or_default();
        let account = stage.promises.iter().position(|promise| promise.account == couple.account).unwrap_or(0);
        let remote = couple.remote.to_string();
        let record = people(stage, account).into_iter().find(|person| resource(person) == remote);
        (contact, record.map(|person| owners(&person)).unwrap_or_default())
    }

    async fn take_answer_back(&mut self, stage: &Stage, account: usize) {
        let said = stage.store.answers(&stage.promises[account].account).await.expect("answers");
        let Some(answer) = self.tape.pick(&said) else { return };
        let couple = Couple { account: answer.account, contact: answer.contact, remote: answer.remote };
        let (contact, record) = self.names(stage, &couple).await;
        self.note(
            "answers taken back",
            format!("somebody takes back that {contact:?} and {record:?} are: {:?}", answer.said),
        );
        self.ledger.said(&contact, &record, None);
        answer::take_back(stage.store.as_ref(), &couple).await.expect("an answer is taken back");
    }
}

async fn questions(stage: &Stage, account: usize) -> Vec<Question> {
    answer::questions(stage.store.as_ref(), &stage.promises[account].account).await.expect("questions")
}
