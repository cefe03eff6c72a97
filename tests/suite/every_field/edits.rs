//! One edit of a card, drawn among those it allows, with the part of Google's record that it may change.

use contactsync::domain::contact::{
    Address, Card, Email, Event, Im, OrganizationRef, Person, Phone, Relation, Website,
};

use super::people::Draw;

/// What an edit may change in Google.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The list.
    pub list: &'static str,
    /// The members of the one item that may differ, where an item is changed and none comes or goes.
    pub members: &'static [&'static str],
    /// What happens to the list.
    pub change: Change,
}

/// What happens to a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// One item comes.
    Added,
    /// One goes.
    Removed,
    /// One is changed.
    Changed,
    /// One is changed, or comes where there was none that cards can express.
    ChangedOrAdded,
    /// Another one is preferred: the order changes, and the mark.
    Preferred,
}

/// An edit and its part.
pub struct Edit {
    pub what: &'static str,
    pub part: Part,
    pub apply: Box<dyn FnOnce(&mut Card)>,
}

const NAME: &[&str] = &["familyName", "givenName", "displayName", "displayNameLastFirst", "unstructuredName"];
const PREFIX: &[&str] = &["honorificPrefix", "displayName", "displayNameLastFirst", "unstructuredName"];
const VALUE: &[&str] = &["value", "canonicalForm"];
const LABEL: &[&str] = &["type", "formattedType"];
/// An address that was a text becomes parts.
const CITY: &[&str] = &["city", "formattedValue", "streetAddress"];

fn edit(
    what: &'static str,
    list: &'static str,
    change: Change,
    members: &'static [&'static str],
    apply: impl FnOnce(&mut Card) + 'static,
) -> Edit {
    Edit { what, part: Part { list, members, change }, apply: Box::new(apply) }
}

fn person(card: &mut Card) -> &mut Person {
    card.as_person_mut().expect("a person")
}

impl Draw {
    /// An edit of this card; `number` makes what it writes unlike everything there is.
    pub fn edit(&self, card: &Card, number: usize) -> Edit {
        loop {
            if let Some(edit) = self.try_edit(card, number) {
                return edit;
            }
        }
    }

    fn try_edit(&self, card: &Card, number: usize) -> Option<Edit> {
        match self.below(7) {
            0 => self.edit_name(card, number),
            1 => self.edit_emails(card, number),
            2 => self.edit_phones(card, number),
            3 => self.edit_addresses(card, number),
            4 => self.edit_work(number),
            5 => self.edit_texts(card, number),
            _ => self.edit_others(card, number),
        }
    }

    /// The place of one of so many items.
    fn place(&self, count: usize) -> Option<usize> {
        (count > 0).then(|| self.below(count))
    }

    fn edit_name(&self, card: &Card, number: usize) -> Option<Edit> {
        let person_of = card.as_person()?;
        match self.below(4) {
            0 => Some(edit("family name", "names", Change::Changed, NAME, move |card| {
                person(card).name.family = Some(format!("Lovelace {number}"));
            })),
            1 => Some(edit("given name", "names", Change::Changed, NAME, move |card| {
                person(card).name.given = Some(format!("Augusta {number}"));
            })),
            2 => Some(edit("name prefix", "names", Change::Changed, PREFIX, move |card| {
                person(card).name.prefix = Some("Lady".to_owned());
            })),
            _ => {
                let place = self.place(person_of.nicknames.len())?;
                Some(edit("nickname", "nicknames", Change::Changed, &["value"], move |card| {
                    person(card).nicknames[place] = format!("Countess {number}");
                }))
            }
        }
    }

    fn edit_emails(&self, card: &Card, number: usize) -> Option<Edit> {
        const LIST: &str = "emailAddresses";
        let value = format!("edited.{number}@example.org");
        let place = self.place(card.emails.len());
        match self.below(5) {
            0 => Some(edit("new e-mail", LIST, Change::Added, &[], move |card| {
                card.emails.push(Email { value, label: Some("work".to_owned()), primary: false });
            })),
            1 => place.map(|place| {
                edit("e-mail", LIST, Change::Changed, VALUE, move |card| card.emails[place].value = value)
            }),
            2 => place.map(|place| {
                edit("e-mail label", LIST, Change::Changed, LABEL, move |card| {
                    card.emails[place].label = Some("Lighthouse".to_owned());
                })
            }),
            3 => place.map(|place| {
                edit("e-mail gone", LIST, Change::Removed, &[], move |card| _ = card.emails.remove(place))
            }),
            _ => {
                let place = place.filter(|place| !card.emails[*place].primary)?;
                let had_one = card.emails.iter().any(|email| email.primary);
                had_one.then(|| {
                    edit("preferred e-mail", LIST, Change::Preferred, &[], move |card| {
                        card.emails.iter_mut().for_each(|email| email.primary = false);
                        card.emails[place].primary = true;
                    })
                })
            }
        }
    }

    fn edit_phones(&self, card: &Card, number: usize) -> Option<Edit> {
        const LIST: &str = "phoneNumbers";
        let value = format!("+43 1 77{number:05}");
        let place = self.place(card.phones.len());
        match self.below(4) {
            0 => Some(edit("new phone", LIST, Change::Added, &[], move |card| {
                card.phones.push(Phone { value, label: Some("Hotline".to_owned()), primary: false });
            })),
            1 => place
                .map(|place| edit("phone", LIST, Change::Changed, VALUE, move |card| card.phones[place].value = value)),
            2 => place.map(|place| {
                edit("phone label", LIST, Change::Changed, LABEL, move |card| {
                    card.phones[place].label = Some("Lighthouse".to_owned());
                })
            }),
            _ => place
                .map(|place| edit("phone gone", LIST, Change::Removed, &[], move |card| _ = card.phones.remove(place))),
        }
    }

    fn edit_addresses(&self, card: &Card, number: usize) -> Option<Edit> {
        const LIST: &str = "addresses";
        let place = self.place(card.addresses.len());
        match self.below(4) {
            0 => Some(edit("new address", LIST, Change::Added, &[], move |card| {
                card.addresses.push(Address { street: Some(format!("New {number}")), ..Address::default() });
            })),
            1 => place.map(|place| {
                edit("city", LIST, Change::Changed, CITY, move |card| {
                    card.addresses[place].city = Some(format!("Linz {number}"));
                })
            }),
            2 => place.map(|place| {
                edit("address label", LIST, Change::Changed, LABEL, move |card| {
                    card.addresses[place].label = Some("Lighthouse".to_owned());
                })
            }),
            _ => place.map(|place| {
                edit("address gone", LIST, Change::Removed, &[], move |card| _ = card.addresses.remove(place))
            }),
        }
    }

    fn edit_work(&self, number: usize) -> Option<Edit> {
        const LIST: &str = "organizations";
        Some(match self.below(3) {
            0 => edit("job title", LIST, Change::ChangedOrAdded, &["title"], move |card| {
                person(card).job_title = Some(format!("Head {number}"));
            }),
            1 => edit("department", LIST, Change::ChangedOrAdded, &["department"], move |card| {
                person(card).department = Some(format!("Department {number}"));
            }),
            _ => edit("company", LIST, Change::ChangedOrAdded, &["name"], move |card| {
                let name = format!("New Company {}", number % 20);
                person(card).organization = Some(OrganizationRef { id: None, name });
            }),
        })
    }

    fn edit_texts(&self, card: &Card, number: usize) -> Option<Edit> {
        match self.below(4) {
            0 => Some(edit("notes", "biographies", Change::ChangedOrAdded, &["value", "contentType"], move |card| {
                card.notes = Some(format!("Edited {number}."));
            })),
            1 => card
                .notes
                .is_some()
                .then(|| edit("notes gone", "biographies", Change::Removed, &[], |card| card.notes = None)),
            2 => Some(edit("birthday", "birthdays", Change::ChangedOrAdded, &["date", "text"], |card| {
                person(card).birthday = "1815-12-10".parse().ok();
            })),
            _ => Some(match card.custom.keys().nth(self.below(card.custom.len() + 1)).cloned() {
                Some(key) => edit("custom field", "userDefined", Change::Changed, &["value"], move |card| {
                    card.custom.insert(key, format!("edited {number}"));
                }),
                None => edit("new custom field", "userDefined", Change::Added, &[], move |card| {
                    card.custom.insert(format!("Field {number}"), "new".to_owned());
                }),
            }),
        }
    }

    fn edit_others(&self, card: &Card, number: usize) -> Option<Edit> {
        let person_of = card.as_person()?;
        match self.below(8) {
            0 => Some(edit("new site", "urls", Change::Added, &[], move |card| {
                card.websites.push(Website { value: format!("https://new.example/{number}"), label: None });
            })),
            1 => self.place(card.websites.len()).map(|place| {
                edit("site", "urls", Change::Changed, &["value"], move |card| {
                    card.websites[place].value = format!("https://edited.example/{number}");
                })
            }),
            2 => Some(edit("new event", "events", Change::Added, &[], |card| {
                let date = "2030-01-02".parse().expect("a date");
                person(card).events.push(Event { label: Some("Party".to_owned()), date });
            })),
            3 => self.place(person_of.events.len()).map(|place| {
                edit("event", "events", Change::Changed, &["date"], move |card| {
                    person(card).events[place].date = "2031-03-04".parse().expect("a date");
                })
            }),
            4 => Some(edit("new messenger", "imClients", Change::Added, &[], move |card| {
                let value = format!("new.{number}");
                person(card).ims.push(Im { value, protocol: Some("jabber".to_owned()), label: None });
            })),
            5 => self.place(person_of.ims.len()).map(|place| {
                edit("messenger", "imClients", Change::Changed, &["username"], move |card| {
                    person(card).ims[place].value = format!("edited.{number}");
                })
            }),
            6 => Some(edit("new relation", "relations", Change::Added, &[], move |card| {
                person(card).relations.push(Relation { value: format!("Friend {number}"), label: None });
            })),
            _ => self.place(person_of.relations.len()).map(|place| {
                edit("relation gone", "relations", Change::Removed, &[], move |card| {
                    person(card).relations.remove(place);
                })
            }),
        }
    }
}
