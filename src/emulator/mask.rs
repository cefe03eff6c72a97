//! Field masks: which fields of a person may be read, which may be updated, and the texts for masks that are wrong.

use super::failure::Failure;
use super::schema::{self, Shape};

macro_rules! fields {
    ($($variant:ident $name:literal $shape:ident $update:ident $number:ident;)*) => {
        /// A field of a person that a mask can name. The order is the order of the paths in the documents.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "the names are those of the API")]
        pub enum Field { $($variant,)* }

        impl Field {
            /// All fields.
            pub const ALL: &[Field] = &[$(Field::$variant,)*];

            /// The path in masks, and the member of `Person`.
            pub fn name(self) -> &'static str {
                match self { $(Field::$variant => $name,)* }
            }

            /// The message of one item.
            pub fn shape(self) -> &'static Shape {
                match self { $(Field::$variant => &schema::$shape,)* }
            }

            /// Whether an update mask may name it.
            pub fn is_updatable(self) -> bool {
                match self { $(Field::$variant => Update::$update == Update::Yes,)* }
            }

            /// Whether a contact has at most one item of it.
            pub fn is_singleton(self) -> bool {
                match self { $(Field::$variant => Count::$number == Count::One,)* }
            }
        }
    };
}

#[derive(PartialEq)]
enum Update {
    Yes,
    No,
}

#[derive(PartialEq)]
enum Count {
    One,
    Many,
}

fields! {
    Addresses "addresses" ADDRESS Yes Many;
    AgeRanges "ageRanges" AGE_RANGE No Many;
    Biographies "biographies" BIOGRAPHY Yes One;
    Birthdays "birthdays" BIRTHDAY Yes One;
    CalendarUrls "calendarUrls" CALENDAR_URL Yes Many;
    ClientData "clientData" CLIENT_DATA Yes Many;
    CoverPhotos "coverPhotos" PHOTO No Many;
    EmailAddresses "emailAddresses" EMAIL Yes Many;
    Events "events" EVENT Yes Many;
    ExternalIds "externalIds" TYPED_VALUE Yes Many;
    Genders "genders" GENDER Yes One;
    ImClients "imClients" IM_CLIENT Yes Many;
    Interests "interests" PLAIN_VALUE Yes Many;
    Locales "locales" PLAIN_VALUE Yes Many;
    Locations "locations" LOCATION Yes Many;
    Memberships "memberships" MEMBERSHIP Yes Many;
    Metadata "metadata" PLAIN_VALUE No Many;
    MiscKeywords "miscKeywords" MISC_KEYWORD Yes Many;
    Names "names" NAME Yes One;
    Nicknames "nicknames" NICKNAME Yes Many;
    Occupations "occupations" PLAIN_VALUE Yes Many;
    Organizations "organizations" ORGANIZATION Yes Many;
    PhoneNumbers "phoneNumbers" PHONE Yes Many;
    Photos "photos" PHOTO No Many;
    Relations "relations" RELATION Yes Many;
    SipAddresses "sipAddresses" TYPED_VALUE Yes Many;
    Skills "skills" PLAIN_VALUE No Many;
    Urls "urls" TYPED_VALUE Yes Many;
    UserDefined "userDefined" USER_DEFINED Yes Many;
}

impl Field {
    /// The field called `name`.
    pub fn named(name: &str) -> Option<Field> {
        Field::ALL.iter().copied().find(|field| field.name() == name)
    }

    /// A number that stands for the field in a person's etag.
    pub fn number(self) -> u8 {
        self as u8 + 1
    }
}

/// Which paths a mask may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Any field of a person.
    Read,
    /// Fields a client may write.
    Update,
}

/// A set of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mask(u32);

const PATHS_PAGE: &str =
    "Valid paths are documented at https://developers.google.com/people/api/rest/v1/people.connections/list.";

impl Mask {
    /// The mask that names every field.
    pub fn all() -> Self {
        Field::ALL.iter().fold(Mask(0), |mask, field| mask.with(*field))
    }

    /// The mask that names nothing.
    pub const fn none() -> Self {
        Mask(0)
    }

    /// This mask and `field`.
    pub const fn with(self, field: Field) -> Self {
        Mask(self.0 | 1 << field as u8)
    }

    /// Reads a mask; `parameter` is its name in messages. `None` for an empty text.
    ///
    /// # Errors
    /// A path that is not valid for `purpose`, or a text that is no list of paths.
    pub fn parse(text: &str, parameter: &str, purpose: Purpose) -> Result<Option<Mask>, Failure> {
        if text.is_empty() {
            return Ok(None);
        }
        let mut mask = Mask::none();
        for path in text.split(',') {
            if path.is_empty() || path.contains(char::is_whitespace) {
                let field = super::strict::snake_case(parameter);
                let kind = "type.googleapis.com/google.protobuf.FieldMask";
                return Err(Failure::bad_request(&field, format!("Invalid value at '{field}' ({kind}), {text:?}")));
            }
            let allowed = |field: &Field| purpose == Purpose::Read || field.is_updatable();
            let Some(field) = Field::named(path).filter(allowed) else {
                return Err(Failure::new(
                    super::failure::Code::InvalidArgument,
                    format!("Invalid {parameter} mask path: \"{path}\". {PATHS_PAGE}"),
                ));
            };
            mask = mask.with(field);
        }
        Ok(Some(mask))
    }

    /// Reads a mask that must not be missing.
    ///
    /// # Errors
    /// As [`Mask::parse`]; a missing or empty mask is an error too.
    pub fn require(text: Option<&str>, parameter: &str, purpose: Purpose) -> Result<Mask, Failure> {
        Mask::parse(text.unwrap_or_default(), parameter, purpose)?.ok_or_else(|| {
            Failure::new(
                super::failure::Code::InvalidArgument,
                format!("{parameter} mask is required. Please specify one or more valid paths. {PATHS_PAGE}"),
            )
        })
    }

    /// Whether it names `field`.
    pub const fn contains(self, field: Field) -> bool {
        self.0 & (1 << field as u8) != 0
    }

    /// Its fields, in order.
    pub fn fields(self) -> impl Iterator<Item = Field> {
        Field::ALL.iter().copied().filter(move |field| self.contains(*field))
    }
}

/// Which sources of a person a read merges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sources {
    /// The contact the user keeps.
    pub contact: bool,
    /// The profile of the person behind it.
    pub profile: bool,
}

impl Sources {
    /// Both, the default of the API.
    pub const DEFAULT: Sources = Sources { contact: true, profile: true };

    /// Reads the repeated `sources` parameter.
    ///
    /// # Errors
    /// A word that is no source.
    pub fn parse<'a>(words: impl Iterator<Item = &'a str>) -> Result<Sources, Failure> {
        let mut sources = Sources { contact: false, profile: false };
        let mut seen = false;
        for word in words {
            seen = true;
            match word {
                "READ_SOURCE_TYPE_CONTACT" => sources.contact = true,
                "READ_SOURCE_TYPE_PROFILE" => sources.profile = true,
                _ if schema::READ_SOURCES.contains(&word) => {}
                _ => {
                    let text = format!("Invalid value at 'sources' (google.people.v1.ReadSourceType), {word:?}");
                    return Err(Failure::bad_request("sources", text));
                }
            }
        }
        Ok(if seen { sources } else { Sources::DEFAULT })
    }

    /// The bytes that stand for the sources in a person's etag.
    pub fn numbers(self) -> &'static [u8] {
        match (self.contact, self.profile) {
            (true, true) => &[1, 2, 5, 7],
            (true, false) => &[2, 7],
            (false, true) => &[1, 5],
            (false, false) => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_names_its_wrong_path() {
        let error = Mask::parse("names,phones", "personFields", Purpose::Read).expect_err("refused");
        assert!(error.message().starts_with("Invalid personFields mask path: \"phones\"."), "{}", error.message());
        for path in ["photos", "metadata", "skills", "ageRanges", "coverPhotos"] {
            assert!(Mask::parse(path, "personFields", Purpose::Read).is_ok());
            let error = Mask::parse(path, "updatePersonFields", Purpose::Update).expect_err("refused");
            assert!(error.message().starts_with("Invalid updatePersonFields mask path"), "{}", error.message());
        }
    }

    #[test]
    fn a_missing_mask_is_required() {
        let error = Mask::require(None, "personFields", Purpose::Read).expect_err("refused");
        assert!(error.message().starts_with("personFields mask is required. Please specify one or more valid paths."));
    }

    #[test]
    fn sub_paths_and_blanks_are_refused() {
        for text in ["names.givenName", "names, metadata", "names,,metadata", "person.names"] {
            assert!(Mask::parse(text, "personFields", Purpose::Read).is_err(), "{text}");
        }
    }
}
