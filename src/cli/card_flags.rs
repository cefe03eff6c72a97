//! Friendly flags that say what a contact is to be, turned into one merge patch.
//!
//! The values of a repeated flag replace the whole set, and the first is the primary one. An empty value empties the
//! member. Labels and custom fields are added to those there are.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::contacts::edit::PhotoEdit;
use crate::domain::contact::{Card, Kind};
use crate::domain::photo::{self, PhotoFile};

use super::exit::UsageError;
use super::typed_values;

/// Flags that persons and organizations share.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CommonFlags {
    /// Set the name; a person's is split into its parts
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Set the e-mail addresses; repeat it for more, the first is primary
    #[arg(long = "email", value_name = "ADDRESS[:LABEL]")]
    pub emails: Vec<String>,

    /// Set the phone numbers; repeat it for more, the first is primary
    #[arg(long = "phone", value_name = "NUMBER[:LABEL]")]
    pub phones: Vec<String>,

    /// Set the postal addresses, such as "street=Unter den Linden 1; postal_code=10117; city=Berlin; country=DE"
    ///
    /// The parts are street, extended, city, region, postal_code, country and label. A text without "=" is the street.
    #[arg(long = "address", value_name = "PARTS")]
    pub addresses: Vec<String>,

    /// Set the web sites; repeat it for more
    #[arg(long = "website", value_name = "URL[:LABEL]")]
    pub websites: Vec<String>,

    /// Set the notes
    #[arg(long, alias = "note", value_name = "TEXT")]
    pub notes: Option<String>,

    /// Add a label; repeat it for more
    #[arg(long = "label", value_name = "LABEL")]
    pub labels: Vec<String>,

    /// Take a label away; repeat it for more
    #[arg(long = "remove-label", value_name = "LABEL")]
    pub removed_labels: Vec<String>,

    /// Set a custom field; repeat it for more, "KEY=" takes one away
    #[arg(long, value_name = "KEY=VALUE")]
    pub custom: Vec<String>,

    /// Set who looks after the contact
    #[arg(long, value_name = "EMAIL")]
    pub owner: Option<String>,

    /// Set who may see the contact: owner, group, subgroups or company; an empty text takes it away
    #[arg(long, value_name = "WHO")]
    pub visibility: Option<String>,

    /// Lay an RFC 7396 merge patch over the contact's JSON; "-" reads it from stdin
    #[arg(long, value_name = "JSON")]
    pub patch: Option<String>,
}

/// Flags that only persons have.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct PersonFlags {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the struct says it; a text here would become help")]
    pub common: CommonFlags,

    /// Set the given name
    #[arg(long, value_name = "NAME")]
    pub given: Option<String>,

    /// Set the middle name
    #[arg(long, value_name = "NAME")]
    pub middle: Option<String>,

    /// Set the family name
    #[arg(long, value_name = "NAME")]
    pub family: Option<String>,

    /// Set the title in front of the name
    #[arg(long, value_name = "TITLE")]
    pub prefix: Option<String>,

    /// Set what stands behind the name
    #[arg(long, value_name = "TEXT")]
    pub suffix: Option<String>,

    /// Set the organization by its name; it is created when there is none
    #[arg(long, value_name = "NAME")]
    pub organization: Option<String>,

    /// Set the position in the organization
    #[arg(long, value_name = "TEXT")]
    pub job_title: Option<String>,

    /// Set the department
    #[arg(long, value_name = "TEXT")]
    pub department: Option<String>,

    /// Set the birthday, as YYYY-MM-DD or --MM-DD
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    pub birthday: Option<String>,

    /// Set days to remember; repeat it for more
    #[arg(long = "event", value_name = "DATE[:LABEL]", allow_hyphen_values = true)]
    pub events: Vec<String>,

    /// Set instant messengers; repeat it for more
    #[arg(long = "im", value_name = "PROTOCOL:NAME")]
    pub ims: Vec<String>,

    /// Set relatives and the like; repeat it for more
    #[arg(long = "relation", value_name = "NAME[:LABEL]")]
    pub relations: Vec<String>,

    /// Set the nicknames; repeat it for more
    #[arg(long = "nickname", value_name = "NAME")]
    pub nicknames: Vec<String>,

    /// Set the photo: a JPEG or PNG picture of at most 720 x 720 pixels and 2 MB
    #[arg(long, value_name = "FILE")]
    pub photo: Option<PathBuf>,

    /// Take the photo away
    #[arg(long, conflicts_with = "photo")]
    pub no_photo: bool,
}

/// Flags that only organizations have.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct OrganizationFlags {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the struct says it; a text here would become help")]
    pub common: CommonFlags,

    /// Set the line of business
    #[arg(long, value_name = "TEXT")]
    pub industry: Option<String>,
}

/// Flags that can be turned into a patch.
pub trait CardFlags {
    /// Which kind of contacts they describe.
    const KIND: Kind;

    /// The flags that both kinds share.
    fn common(&self) -> &CommonFlags;

    /// The members that only this kind has.
    ///
    /// # Errors
    /// [`UsageError`] names the flag.
    fn own(&self) -> Result<Map<String, Value>, UsageError>;

    /// What the flags say about the photo.
    ///
    /// # Errors
    /// [`UsageError`] names the file that cannot be read, or the rule that it breaks.
    fn photo(&self) -> Result<PhotoEdit, UsageError> {
        Ok(PhotoEdit::Keep)
    }

    /// The patch that the flags say, but for the labels, which depend on those there are.
    ///
    /// # Errors
    /// [`UsageError`] names the flag that means nothing, or the member that is said twice.
    fn patch(&self) -> Result<Map<String, Value>, UsageError> {
        let common = self.common();
        let mut members = self.own()?;
        members.extend(common.members()?);
        let asked = common.patch.as_deref().map_or_else(|| Ok(Map::new()), read_patch)?;
        for (member, value) in asked {
            let is_said = member == "labels" && common.says_labels();
            if members.insert(member.clone(), value).is_some() || is_said {
                return Err(UsageError(format!("{member} is said by a flag and by --patch; keep one")));
            }
        }
        Ok(members)
    }

    /// Refuses values that cannot be what they claim to be and that this card does not have already.
    ///
    /// # Errors
    /// [`UsageError`] names the flag or the place in the patch, the value, and the rule.
    fn check(&self, card: &Card, patch: &Map<String, Value>) -> Result<(), UsageError> {
        let (own, common) = (self.own()?, self.common().members()?);
        typed_values::check(patch, card, |member| own.contains_key(member) || common.contains_key(member))
    }

    /// Whether nothing at all is said.
    ///
    /// # Errors
    /// As [`CardFlags::patch`].
    fn says_nothing(&self) -> Result<bool, UsageError> {
        let common = self.common();
        let keeps_photo = self.photo()? == PhotoEdit::Keep;
        Ok(common.patch.is_none() && !common.says_labels() && keeps_photo && self.patch()?.is_empty())
    }

    /// The patch as it is laid over this card: with its labels, those added and those taken away.
    fn laid_over(&self, card: &Card, patch: &Map<String, Value>) -> Value {
        let mut members = patch.clone();
        if self.common().says_labels() {
            members.insert("labels".to_owned(), json!(self.common().labels_on(card)));
        }
        Value::Object(members)
    }
}

impl CardFlags for PersonFlags {
    const KIND: Kind = Kind::Person;

    fn common(&self) -> &CommonFlags {
        &self.common
    }

    fn photo(&self) -> Result<PhotoEdit, UsageError> {
        let Some(path) = &self.photo else {
            return Ok(if self.no_photo { PhotoEdit::Remove } else { PhotoEdit::Keep });
        };
        let bytes = std::fs::read(path)
            .map_err(|error| UsageError(format!("--photo {}: cannot read it: {error}", path.display())))?;
        photo::check(&bytes).map_err(|error| UsageError(format!("--photo {}: {error}", path.display())))?;
        Ok(PhotoEdit::Set(PhotoFile::of(bytes)))
    }

    fn own(&self) -> Result<Map<String, Value>, UsageError> {
        let mut members = Map::new();
        let parts = [
            ("given", &self.given),
            ("middle", &self.middle),
            ("family", &self.family),
            ("prefix", &self.prefix),
            ("suffix", &self.suffix),
        ];
        let parts: Map<String, Value> =
            parts.into_iter().filter_map(|(part, value)| Some((part.to_owned(), json!(value.as_ref()?)))).collect();
        if !parts.is_empty() {
            if self.common.name.is_some() {
                return Err(UsageError("--name says the whole name; leave out its parts, or --name".to_owned()));
            }
            members.insert("name".to_owned(), Value::Object(parts));
        }
        if let Some(name) = &self.organization {
            let value = if name.trim().is_empty() { Value::Null } else { json!({ "name": name.trim() }) };
            members.insert("organization".to_owned(), value);
        }
        text(&mut members, "job_title", self.job_title.as_ref());
        text(&mut members, "department", self.department.as_ref());
        text(&mut members, "birthday", self.birthday.as_ref());
        set(&mut members, "events", &self.events, |event| {
            let (date, label) = split_label(event);
            json!({ "date": date, "label": label })
        });
        set(&mut members, "ims", &self.ims, |im| match im.split_once(':') {
            Some((protocol, name)) => json!({ "value": name.trim(), "protocol": protocol.trim() }),
            None => json!({ "value": im }),
        });
        set_labelled(&mut members, "relations", "--relation", &self.relations)?;
        set(&mut members, "nicknames", &self.nicknames, |name| json!(name));
        Ok(members)
    }
}

impl CardFlags for OrganizationFlags {
    const KIND: Kind = Kind::Organization;

    fn common(&self) -> &CommonFlags {
        &self.common
    }

    fn own(&self) -> Result<Map<String, Value>, UsageError> {
        let mut members = Map::new();
        text(&mut members, "industry", self.industry.as_ref());
        Ok(members)
    }
}

impl CommonFlags {
    fn says_labels(&self) -> bool {
        !self.labels.is_empty() || !self.removed_labels.is_empty()
    }

    fn labels_on<'l>(&'l self, card: &'l Card) -> Vec<&'l str> {
        let removed: BTreeSet<&str> = self.removed_labels.iter().map(|label| label.trim()).collect();
        let added = self.labels.iter().map(|label| label.trim());
        let labels: BTreeSet<&str> = card.labels.iter().map(String::as_str).chain(added).collect();
        labels.difference(&removed).copied().collect()
    }

    fn members(&self) -> Result<Map<String, Value>, UsageError> {
        let mut members = Map::new();
        text(&mut members, "name", self.name.as_ref());
        set_labelled(&mut members, "emails", "--email", &self.emails)?;
        set_labelled(&mut members, "phones", "--phone", &self.phones)?;
        set(&mut members, "addresses", &self.addresses, address_parts);
        set_labelled(&mut members, "websites", "--website", &self.websites)?;
        text(&mut members, "notes", self.notes.as_ref());
        text(&mut members, "owner", self.owner.as_ref());
        text(&mut members, "visibility", self.visibility.as_ref());
        let custom: Map<String, Value> =
            self.custom.iter().map(|field| custom_field(field)).collect::<Result<_, _>>()?;
        if !custom.is_empty() {
            members.insert("custom".to_owned(), Value::Object(custom));
        }
        Ok(members)
    }
}

fn text(members: &mut Map<String, Value>, member: &str, value: Option<&String>) {
    if let Some(value) = value {
        members.insert(member.to_owned(), json!(value));
    }
}

/// The items of a set. One empty value alone empties the set.
fn set(members: &mut Map<String, Value>, member: &str, values: &[String], item: impl Fn(&str) -> Value) {
    match values {
        [] => {}
        [empty] if empty.trim().is_empty() => {
            members.insert(member.to_owned(), json!([]));
        }
        values => {
            members.insert(member.to_owned(), values.iter().map(|value| item(value.trim())).collect());
        }
    }
}

/// The same for items with labels. A label alone is no item.
fn set_labelled(
    members: &mut Map<String, Value>,
    member: &str,
    flag: &str,
    values: &[String],
) -> Result<(), UsageError> {
    let is_label_alone = |value: &&String| {
        value.trim().strip_prefix(':').is_some_and(|label| label.trim().is_empty() || is_label(label.trim()))
    };
    if let Some(alone) = values.iter().find(is_label_alone) {
        return Err(UsageError(format!("{flag} {alone:?}: a label without a value; expected VALUE or VALUE:LABEL")));
    }
    set(members, member, values, labelled);
    Ok(())
}

fn labelled(item: &str) -> Value {
    let (value, label) = split_label(item);
    json!({ "value": value, "label": label })
}

/// Splits `VALUE:LABEL`. What follows the last colon is a label when it looks like a word, so that addresses of the
/// web, with their ports, stay whole.
fn split_label(item: &str) -> (&str, Option<&str>) {
    match item.rsplit_once(':') {
        Some((value, label)) if is_label(label.trim()) && !value.trim().is_empty() => {
            (value.trim(), Some(label.trim()))
        }
        _ => (item, None),
    }
}

fn is_label(text: &str) -> bool {
    text.starts_with(char::is_alphabetic) && text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
}

/// An address in parts. An unknown part is left for the patch to refuse, which names the ones there are.
fn address_parts(address: &str) -> Value {
    let parts = address.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| match part.split_once('=') {
            Some((name, value)) => (name.trim().to_owned(), json!(value.trim())),
            None => ("street".to_owned(), json!(part)),
        })
        .collect::<Map<String, Value>>()
        .into()
}

/// A custom field as `KEY=VALUE`; without a value it is taken away.
///
/// # Errors
/// [`UsageError`] when there is no key.
pub(super) fn custom_field(field: &str) -> Result<(String, Value), UsageError> {
    let (key, value) = field
        .split_once('=')
        .filter(|(key, _)| !key.trim().is_empty())
        .ok_or_else(|| UsageError(format!("--custom {field:?}: expected KEY=VALUE")))?;
    Ok((key.trim().to_owned(), if value.trim().is_empty() { Value::Null } else { json!(value.trim()) }))
}

fn read_patch(text: &str) -> Result<Map<String, Value>, UsageError> {
    let text = match text {
        "-" => std::io::read_to_string(std::io::stdin())
            .map_err(|error| UsageError(format!("--patch -: cannot read stdin: {error}")))?,
        text => text.to_owned(),
    };
    match serde_json::from_str(&text) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(UsageError("--patch: expected a JSON object such as {\"job_title\":\"CTO\"}".to_owned())),
        Err(error) => Err(UsageError(format!("--patch: this is not JSON: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::contacts::patch;
    use crate::domain::diff;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: PersonFlags,
    }

    fn patch_of(arguments: &[&str], current: &Card) -> Result<Value, UsageError> {
        let line = Line::try_parse_from([&["x"], arguments].concat()).map_err(|error| UsageError(error.to_string()))?;
        Ok(line.flags.laid_over(current, &line.flags.patch()?))
    }

    #[test]
    fn flags_become_members_of_a_patch() {
        for (arguments, expected) in [
            (vec![], json!({})),
            (vec!["--name", "Ada King"], json!({"name": "Ada King"})),
            (vec!["--given", "Ada", "--prefix", "Dr."], json!({"name": {"given": "Ada", "prefix": "Dr."}})),
            (
                vec!["--email", "a@x.org:work", "--email", "b@x.org"],
                json!({"emails": [{"value": "a@x.org", "label": "work"}, {"value": "b@x.org", "label": null}]}),
            ),
            (vec!["--email", ""], json!({"emails": []})),
            (vec!["--phone", "+49 30 1:mobile"], json!({"phones": [{"value": "+49 30 1", "label": "mobile"}]})),
            (
                vec!["--website", "https://x.org:8080/a", "--website", "https://x.org:my blog"],
                json!({"websites": [{"value": "https://x.org:8080/a", "label": null}, {"value": "https://x.org", "label": "my blog"}]}),
            ),
            (vec!["--organization", "Acme"], json!({"organization": {"name": "Acme"}})),
            (vec!["--organization", ""], json!({"organization": null})),
            (vec!["--birthday", "--05-17"], json!({"birthday": "--05-17"})),
            (
                vec!["--event", "2015-06-01:anniversary"],
                json!({"events": [{"date": "2015-06-01", "label": "anniversary"}]}),
            ),
            (vec!["--im", "jabber:ada@x.org"], json!({"ims": [{"value": "ada@x.org", "protocol": "jabber"}]})),
            (
                vec!["--address", "street=A 1; city=Berlin;country=DE"],
                json!({"addresses": [{"street": "A 1", "city": "Berlin", "country": "DE"}]}),
            ),
            (
                vec!["--custom", "Price list=Retail", "--custom", "Old="],
                json!({"custom": {"Price list": "Retail", "Old": null}}),
            ),
            (vec!["--note", "n", "--patch", r#"{"job_title":null}"#], json!({"notes": "n", "job_title": null})),
        ] {
            assert_eq!(patch_of(&arguments, &Card::person()), Ok(expected), "{arguments:?}");
        }
    }

    #[test]
    fn labels_are_added_to_and_taken_from_those_there_are() {
        let mut current = Card::person();
        current.labels = ["Customer", "VIP"].map(str::to_owned).into();
        let patch = patch_of(&["--label", "New", "--remove-label", "VIP"], &current).expect("valid");
        assert_eq!(patch, json!({"labels": ["Customer", "New"]}));
    }

    #[test]
    fn flags_that_contradict_each_other_are_refused() {
        for (arguments, expected) in [
            (vec!["--name", "Ada", "--family", "King"], "--name says the whole name"),
            (vec!["--notes", "a", "--patch", r#"{"notes":"b"}"#], "notes is said by a flag and by --patch"),
            (vec!["--label", "a", "--patch", r#"{"labels":[]}"#], "labels is said by a flag and by --patch"),
            (vec!["--patch", "[]"], "--patch: expected a JSON object"),
            (vec!["--patch", "{"], "--patch: this is not JSON"),
            (vec!["--phone", ":mobile"], "--phone \":mobile\": a label without a value"),
            (vec!["--email", "a@x.org", "--email", " : "], "--email \" : \": a label without a value"),
            (vec!["--custom", "Retail"], "--custom \"Retail\": expected KEY=VALUE"),
        ] {
            let error = patch_of(&arguments, &Card::person()).expect_err("refused").to_string();
            assert!(error.starts_with(expected), "{arguments:?}: {error}");
        }
    }

    #[test]
    fn every_member_that_flags_can_say_is_accepted_by_the_patch() {
        let arguments = [
            "--name",
            "Ada King",
            "--email",
            "a@x.org",
            "--phone",
            "1",
            "--address",
            "A 1",
            "--website",
            "x.org",
            "--notes",
            "n",
            "--label",
            "L",
            "--custom",
            "K=V",
            "--owner",
            "o@x.org",
            "--visibility",
            "group",
            "--organization",
            "Acme",
            "--job-title",
            "CTO",
            "--department",
            "R&D",
            "--birthday",
            "--05-17",
            "--event",
            "--06-01:anniversary",
            "--im",
            "jabber:ada",
            "--relation",
            "Charles:friend",
            "--nickname",
            "A",
        ];
        let patch = patch_of(&arguments, &Card::person()).expect("valid");
        let card = patch::apply(&Card::person(), &patch).expect("accepted");
        assert_eq!(card.emails.first().map(|email| email.primary), Some(true));
        let said: BTreeSet<String> = patch.as_object().into_iter().flat_map(Map::keys).cloned().collect();
        let mut fields: BTreeSet<String> = diff::fields_of(Kind::Person).iter().map(ToString::to_string).collect();
        fields.remove("photo");
        fields.insert("custom".to_owned());
        assert_eq!(said, fields, "flags can say everything but the photo");
    }
}
