//! Contacts written down: the public JSON shape for programs, a page of text for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::domain::contact::{Address, Card, Contact, Kind, Visibility};
use crate::domain::entry::relation::Seen;
use crate::domain::id::ContactId;
use crate::domain::time::Timestamp;
use crate::store::{Store, StoreError};

use super::detail::{Detail, Shape as DetailShape};
use super::entries::relations;
use super::patch::READ_ONLY;

/// A contact as programs see it; serializes to the shape of the public interface, in its order.
#[derive(Debug)]
pub struct Shown<'c> {
    contact: &'c Contact,
    company: Company,
    detail: Option<&'c Detail>,
}

/// What an organization has around it; nothing for a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Company {
    /// How many living people work for it.
    pub people: u64,
    /// The organizations it is related to: parents, daughters, others.
    pub related: Vec<Related>,
}

/// An organization that another one is related to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Related {
    /// What it is to the other one.
    pub kind: Seen,
    /// Its id.
    pub id: ContactId,
    /// Its name.
    pub name: String,
}

impl Company {
    /// What each of these organizations has around it.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn load(
        store: &dyn Store,
        organizations: &[ContactId],
    ) -> Result<BTreeMap<ContactId, Company>, StoreError> {
        if organizations.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut companies: BTreeMap<ContactId, Company> =
            organizations.iter().map(|id| (*id, Company::default())).collect();
        for (id, people) in store.people_counts(organizations).await? {
            companies.entry(id).or_default().people = people;
        }
        let relations = relations(store).await?;
        let others: Vec<ContactId> = relations.iter().flat_map(|relation| [relation.owner, relation.linked]).collect();
        let mut names = BTreeMap::new();
        for contact in store.contacts(&others).await?.into_iter().filter(Contact::is_live) {
            names.insert(contact.id, contact.card.display_name());
        }
        for (id, company) in &mut companies {
            // Who is in the bin is related again once it is restored.
            let seen = relations.iter().filter_map(|relation| relation.seen_from(*id));
            let related = seen.filter_map(|(kind, id)| Some(Related { kind, id, name: names.get(&id)?.clone() }));
            company.related = related.collect();
            company.related.sort();
        }
        Ok(companies)
    }
}

impl<'c> Shown<'c> {
    /// A person.
    pub fn person(contact: &'c Contact) -> Self {
        Shown { contact, company: Company::default(), detail: None }
    }

    /// An organization with what it has around it.
    pub fn organization(contact: &'c Contact, company: Company) -> Self {
        Shown { contact, company, detail: None }
    }

    /// The same with everything that happens with the contact.
    #[must_use]
    pub fn with(self, detail: &'c Detail) -> Self {
        Shown { detail: Some(detail), ..self }
    }

    /// The contact that is shown.
    pub fn contact(&self) -> &'c Contact {
        self.contact
    }

    /// Contacts of either kind, organizations with what they have around them.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn all(contacts: &'c [Contact], store: &dyn Store) -> Result<Vec<Shown<'c>>, StoreError> {
        let is_organization = |contact: &&Contact| contact.card.kind() == Kind::Organization;
        let ids: Vec<ContactId> = contacts.iter().filter(is_organization).map(|contact| contact.id).collect();
        let mut companies = Company::load(store, &ids).await?;
        let shown =
            |contact: &'c Contact| Shown::organization(contact, companies.remove(&contact.id).unwrap_or_default());
        Ok(contacts.iter().map(shown).collect())
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let contact = self.contact;
        let of_organization = (contact.card.kind() == Kind::Organization)
            .then_some(OfOrganization { related: &self.company.related, people_count: self.company.people });
        let shape = Shape {
            id: contact.id,
            card: &contact.card,
            of_organization,
            version: contact.version.display(),
            created: contact.created,
            updated: contact.updated,
            deleted: contact.deleted,
            detail: self.detail.map(Detail::shape),
        };
        shape.serialize(serializer)
    }
}

#[derive(Serialize)]
struct Shape<'c> {
    id: ContactId,
    #[serde(flatten)]
    card: &'c Card,
    #[serde(flatten)]
    of_organization: Option<OfOrganization<'c>>,
    version: BTreeMap<String, u64>,
    created: Timestamp,
    updated: Timestamp,
    deleted: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<DetailShape<'c>>,
}

/// What only organizations have.
#[derive(Serialize)]
struct OfOrganization<'c> {
    related: &'c [Related],
    people_count: u64,
}

/// Members that tell what surrounds a contact.
const AROUND: [&str; 3] = ["people_count", "related", "detail"];

/// A patch without members that are there to be read and say what the contact says. What they say differently stays,
/// and is refused later. What surrounds a contact is never compared: it is not part of it.
pub(super) fn without_echo(contact: &Contact, patch: &Value) -> Value {
    let shown = serde_json::to_value(Shown::person(contact)).unwrap_or_default();
    let Value::Object(members) = patch else { return patch.clone() };
    let is_echo = |name: &str, value: &Value| {
        READ_ONLY.contains(&name) && (AROUND.contains(&name) || shown.get(name) == Some(value))
    };
    members.iter().filter(|(name, value)| !is_echo(name, value)).map(|(n, v)| (n.clone(), v.clone())).collect()
}

/// A contact as a page of text for people, without an empty line at its end.
pub fn page(contact: &Contact, company: &Company) -> String {
    let mut page = Page::default();
    let card = &contact.card;
    page.title(&card.display_name(), card.kind());
    if let Some(person) = card.as_person() {
        page.line("Job", &join(", ", [&person.job_title, &person.department]));
        page.line("Organization", person.organization.as_ref().map_or("", |organization| &organization.name));
    }
    for email in &card.emails {
        page.line("E-mail", &labelled(&email.value, email.label.as_deref(), email.primary));
    }
    for phone in &card.phones {
        page.line("Phone", &labelled(&phone.value, phone.label.as_deref(), phone.primary));
    }
    for address in &card.addresses {
        page.line("Address", &labelled(&one_line(address), address.label.as_deref(), false));
    }
    for website in &card.websites {
        page.line("Website", &labelled(&website.value, website.label.as_deref(), false));
    }
    of_kind(&mut page, card, company);
    page.line("Labels", &card.labels.iter().cloned().collect::<Vec<_>>().join(", "));
    page.line("Owner", card.owner.as_deref().unwrap_or_default());
    page.line("Visible to", card.visibility.map_or("", Visibility::as_str));
    for (key, value) in &card.custom {
        page.line(key, value);
    }
    page.line("Notes", card.notes.as_deref().unwrap_or_default());
    page.line("Id", &contact.id.to_string());
    let version: Vec<String> =
        contact.version.display().into_iter().map(|(replica, counter)| format!("{replica} {counter}")).collect();
    page.line("Version", &version.join(", "));
    page.line("Created", &contact.created.to_string());
    page.line("Updated", &contact.updated.to_string());
    page.line("Deleted", &contact.deleted.map(|time| time.to_string()).unwrap_or_default());
    page.0.trim_end().to_owned()
}

fn of_kind(page: &mut Page, card: &Card, company: &Company) {
    if let Some(organization) = card.as_organization() {
        page.line("Industry", organization.industry.as_deref().unwrap_or_default());
        page.line("People", &company.people.to_string());
        for related in &company.related {
            let word = match related.kind {
                Seen::Parent => "Parent",
                Seen::Daughter => "Daughter",
                Seen::Related => "Related to",
            };
            page.line(word, &related.name);
        }
    }
    let Some(person) = card.as_person() else { return };
    page.line("Birthday", &person.birthday.map(|day| day.to_string()).unwrap_or_default());
    for event in &person.events {
        page.line("Event", &labelled(&event.date.to_string(), event.label.as_deref(), false));
    }
    for im in &person.ims {
        let value = join(": ", [&im.protocol, &Some(im.value.clone())]);
        page.line("Messenger", &labelled(&value, im.label.as_deref(), false));
    }
    for relation in &person.relations {
        page.line("Relation", &labelled(&relation.value, relation.label.as_deref(), false));
    }
    page.line("Nicknames", &person.nicknames.join(", "));
    page.line("Photo", person.photo.as_ref().map_or("", |photo| &photo.digest));
}

/// An address in one line, as an envelope reads from top to bottom.
pub fn one_line(address: &Address) -> String {
    let town = join(" ", [&address.postal_code, &address.city]);
    let town = (!town.is_empty()).then_some(town);
    let street = address.street.as_ref().map(|street| street.lines().collect::<Vec<_>>().join(", "));
    join(", ", [&street, &address.extended, &town, &address.region, &address.country])
}

fn join<const N: usize>(between: &str, parts: [&Option<String>; N]) -> String {
    parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(between)
}

fn labelled(value: &str, label: Option<&str>, primary: bool) -> String {
    match (label, primary) {
        (Some(label), true) => format!("{value} ({label}, primary)"),
        (Some(label), false) => format!("{value} ({label})"),
        (None, true) => format!("{value} (primary)"),
        (None, false) => value.to_owned(),
    }
}

/// Lines of a name and a value, the values below each other.
#[derive(Default)]
struct Page(String);

impl Page {
    const INDENT: usize = 14;

    fn title(&mut self, name: &str, kind: Kind) {
        let name = if name.is_empty() { "(nameless)" } else { name };
        // Writing into a String cannot fail.
        let _ = writeln!(self.0, "{}  ({})\n", bare(name), kind.as_str());
    }

    fn line(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        for (place, line) in value.lines().enumerate() {
            let name = if place == 0 { name } else { "" };
            let _ = writeln!(self.0, "{:<width$}{}", bare(name), bare(line), width = Self::INDENT);
        }
    }
}

/// Lines of a name and a value as a page, without an empty line at its end.
pub fn table_of(lines: &[(String, String)]) -> String {
    let mut page = Page::default();
    lines.iter().for_each(|(name, value)| page.line(name, value));
    page.0.trim_end().to_owned()
}

/// The text without control characters: a contact may come from anywhere, and a terminal obeys them.
pub(super) fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::id::ReplicaId;

    fn contact(card: Value) -> Contact {
        let time = |text: &str| text.parse::<Timestamp>().expect("a time");
        Contact {
            id: "01JD0000000000000000000000".parse().expect("an id"),
            card: serde_json::from_value(card).expect("the shape"),
            version: [(ReplicaId::store(2), 2), (ReplicaId::store(1), 1), (ReplicaId::new("google:sales"), 1)]
                .into_iter()
                .collect(),
            created: time("2026-11-23T15:00:00Z"),
            updated: time("2026-11-23T15:04:05Z"),
            deleted: None,
            touched: BTreeMap::new(),
            implicit: false,
        }
    }

    #[test]
    fn a_person_is_written_in_the_order_of_the_public_shape() {
        let ada = contact(json!({"kind": "person", "name": {"given": "Ada"}}));
        let text = serde_json::to_string(&Shown::person(&ada)).expect("the shape");
        assert!(
            text.starts_with(r#"{"id":"01JD0000000000000000000000","kind":"person","name":{"full":"Ada","#),
            "{text}"
        );
        let end = r#""photo":null,"version":{"google:sales":1,"store":3},"created":"2026-11-23T15:00:00Z","updated":"2026-11-23T15:04:05Z","deleted":null}"#;
        assert!(text.ends_with(end), "{text}");
    }

    fn three_people() -> Company {
        Company { people: 3, related: Vec::new() }
    }

    #[test]
    fn an_organization_tells_its_people_and_relations() {
        let acme = contact(json!({"kind": "organization", "name": "Acme"}));
        let shown = serde_json::to_value(Shown::organization(&acme, three_people())).expect("the shape");
        assert_eq!(
            (&shown["people_count"], &shown["related"], &shown["name"]),
            (&json!(3), &json!([]), &json!("Acme"))
        );
        let members: Vec<&String> = shown.as_object().expect("an object").keys().collect();
        assert_eq!(members.len(), 19, "{members:?}");
    }

    #[test]
    fn a_record_handed_back_as_a_whole_is_a_patch() {
        let acme = contact(json!({"kind": "organization", "name": "Acme"}));
        let mut shown = serde_json::to_value(Shown::organization(&acme, three_people())).expect("the shape");
        shown["industry"] = json!("Anvils");
        let patch = without_echo(&acme, &shown);
        assert_eq!(
            super::super::patch::apply(&acme.card, &patch)
                .expect("accepted")
                .as_organization()
                .expect("kind")
                .industry
                .as_deref(),
            Some("Anvils")
        );
        shown["created"] = json!("2020-01-01T00:00:00Z");
        let refused = super::super::patch::apply(&acme.card, &without_echo(&acme, &shown)).expect_err("read only");
        assert_eq!(refused.to_string(), "created: cannot be changed; the store keeps it");
    }

    #[test]
    fn a_page_shows_what_is_known_and_obeys_no_control_characters() {
        let ada = contact(json!({
            "kind": "person",
            "name": {"given": "Ada\u{1b}[31m"},
            "emails": [{"value": "ada@example.org", "label": "work", "primary": true}],
            "addresses": [{"street": "Unter den Linden 1", "city": "Berlin", "postal_code": "10117", "country": "DE"}],
            "notes": "one\ntwo",
        }));
        let expected = "Ada[31m  (person)\n\n\
                        E-mail        ada@example.org (work, primary)\n\
                        Address       Unter den Linden 1, 10117 Berlin, DE\n\
                        Notes         one\n              two\n\
                        Id            01JD0000000000000000000000\n\
                        Version       google:sales 1, store 3\n\
                        Created       2026-11-23T15:00:00Z\n\
                        Updated       2026-11-23T15:04:05Z";
        assert_eq!(page(&ada, &Company::default()), expected);
    }
}
