//! The request messages of the People API, member by member, as the discovery document (revision 20251117) has them.
//!
//! Only what a request can carry is here. Output-only members are known as well: sending them is accepted and ignored.

/// What a value must be.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A string.
    Text,
    /// `true` or `false`.
    Flag,
    /// A 32-bit integer, also in quotes.
    Number,
    /// A comma-separated field mask.
    Paths,
    /// Base64.
    Blob,
    /// A time.
    Time,
    /// One of some words; the name of the type stands in the error message.
    Choice(&'static str, &'static [&'static str]),
    /// A message.
    One(&'static Shape),
    /// A list.
    Many(&'static Kind),
    /// A map from names to messages.
    Map(&'static Shape),
    /// Anything.
    Any,
}

/// Who fills a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The client may.
    Writable,
    /// The service alone; ignored in requests.
    OutputOnly,
}

/// One member of a message.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// Its JSON name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Who fills it.
    pub access: Access,
}

/// A message: its members.
#[derive(Debug, Clone, Copy)]
pub struct Shape(pub &'static [Member]);

impl Shape {
    /// The member called `name`.
    pub fn member(&self, name: &str) -> Option<&'static Member> {
        self.0.iter().find(|member| member.name == name)
    }
}

const fn w(name: &'static str, kind: Kind) -> Member {
    Member { name, kind, access: Access::Writable }
}

const fn text(name: &'static str) -> Member {
    w(name, Kind::Text)
}

const fn output(name: &'static str, kind: Kind) -> Member {
    Member { name, kind, access: Access::OutputOnly }
}

const METADATA: Member = w("metadata", Kind::One(&FIELD_METADATA));
const FORMATTED_TYPE: Member = output("formattedType", Kind::Text);
const TYPE: Member = text("type");
const VALUE: Member = text("value");

static SOURCE_TYPE: Kind = Kind::Choice(
    "type.googleapis.com/google.people.v1.SourceType",
    &["SOURCE_TYPE_UNSPECIFIED", "ACCOUNT", "PROFILE", "DOMAIN_PROFILE", "CONTACT", "OTHER_CONTACT", "DOMAIN_CONTACT"],
);
static OBJECT_TYPE: Kind = Kind::Choice(
    "type.googleapis.com/google.people.v1.PersonMetadata.ObjectType",
    &["OBJECT_TYPE_UNSPECIFIED", "PERSON", "PAGE"],
);
static PROFILE_METADATA: Shape =
    Shape(&[output("objectType", OBJECT_TYPE), output("userTypes", Kind::Many(&Kind::Text))]);
static SOURCE: Shape = Shape(&[
    w("type", SOURCE_TYPE),
    text("id"),
    text("etag"),
    output("updateTime", Kind::Time),
    w("profileMetadata", Kind::One(&PROFILE_METADATA)),
]);
static FIELD_METADATA: Shape = Shape(&[
    output("primary", Kind::Flag),
    w("sourcePrimary", Kind::Flag),
    output("verified", Kind::Flag),
    w("source", Kind::One(&SOURCE)),
]);
static PERSON_METADATA: Shape = Shape(&[
    w("sources", Kind::Many(&Kind::One(&SOURCE))),
    output("deleted", Kind::Flag),
    output("objectType", OBJECT_TYPE),
    output("previousResourceNames", Kind::Many(&Kind::Text)),
    output("linkedPeopleResourceNames", Kind::Many(&Kind::Text)),
]);
static DATE: Shape = Shape(&[w("year", Kind::Number), w("month", Kind::Number), w("day", Kind::Number)]);

/// `Address`.
pub static ADDRESS: Shape = Shape(&[
    METADATA,
    text("formattedValue"),
    TYPE,
    FORMATTED_TYPE,
    text("poBox"),
    text("streetAddress"),
    text("extendedAddress"),
    text("city"),
    text("region"),
    text("postalCode"),
    text("country"),
    text("countryCode"),
]);
/// `AgeRangeType`.
pub static AGE_RANGE: Shape = Shape(&[METADATA, output("ageRange", Kind::Text)]);
/// `Biography`.
pub static BIOGRAPHY: Shape = Shape(&[
    METADATA,
    VALUE,
    w(
        "contentType",
        Kind::Choice(
            "type.googleapis.com/google.people.v1.Biography.ContentType",
            &["CONTENT_TYPE_UNSPECIFIED", "TEXT_PLAIN", "TEXT_HTML"],
        ),
    ),
]);
/// `Birthday`.
pub static BIRTHDAY: Shape = Shape(&[METADATA, w("date", Kind::One(&DATE)), text("text")]);
/// `CalendarUrl`.
pub static CALENDAR_URL: Shape = Shape(&[METADATA, text("url"), TYPE, FORMATTED_TYPE]);
/// `ClientData`.
pub static CLIENT_DATA: Shape = Shape(&[METADATA, text("key"), VALUE]);
/// `CoverPhoto` and `Photo`.
pub static PHOTO: Shape = Shape(&[METADATA, text("url"), w("default", Kind::Flag)]);
/// `EmailAddress`.
pub static EMAIL: Shape = Shape(&[METADATA, VALUE, TYPE, FORMATTED_TYPE, text("displayName")]);
/// `Event`.
pub static EVENT: Shape = Shape(&[METADATA, w("date", Kind::One(&DATE)), TYPE, FORMATTED_TYPE]);
/// `ExternalId`, `SipAddress`, `Url`.
pub static TYPED_VALUE: Shape = Shape(&[METADATA, VALUE, TYPE, FORMATTED_TYPE]);
/// `Gender`.
pub static GENDER: Shape = Shape(&[METADATA, VALUE, output("formattedValue", Kind::Text), text("addressMeAs")]);
/// `ImClient`.
pub static IM_CLIENT: Shape = Shape(&[
    METADATA,
    text("username"),
    TYPE,
    FORMATTED_TYPE,
    text("protocol"),
    output("formattedProtocol", Kind::Text),
]);
/// `Interest`, `Locale`, `Occupation`, `Skill`, `FileAs` and the dead one-value fields.
pub static PLAIN_VALUE: Shape = Shape(&[METADATA, VALUE]);
/// `Location`.
pub static LOCATION: Shape = Shape(&[
    METADATA,
    VALUE,
    TYPE,
    w("current", Kind::Flag),
    text("buildingId"),
    text("floor"),
    text("floorSection"),
    text("deskCode"),
]);
static GROUP_MEMBERSHIP: Shape = Shape(&[output("contactGroupId", Kind::Text), text("contactGroupResourceName")]);
static DOMAIN_MEMBERSHIP: Shape = Shape(&[output("inViewerDomain", Kind::Flag)]);
/// `Membership`.
pub static MEMBERSHIP: Shape = Shape(&[
    METADATA,
    w("contactGroupMembership", Kind::One(&GROUP_MEMBERSHIP)),
    output("domainMembership", Kind::One(&DOMAIN_MEMBERSHIP)),
]);
/// `MiscKeyword`.
pub static MISC_KEYWORD: Shape = Shape(&[
    METADATA,
    VALUE,
    w(
        "type",
        Kind::Choice(
            "type.googleapis.com/google.people.v1.MiscKeyword.Type",
            &[
                "TYPE_UNSPECIFIED",
                "OUTLOOK_BILLING_INFORMATION",
                "OUTLOOK_DIRECTORY_SERVER",
                "OUTLOOK_KEYWORD",
                "OUTLOOK_MILEAGE",
                "OUTLOOK_PRIORITY",
                "OUTLOOK_SENSITIVITY",
                "OUTLOOK_SUBJECT",
                "OUTLOOK_USER",
                "HOME",
                "WORK",
                "OTHER",
            ],
        ),
    ),
    FORMATTED_TYPE,
]);
/// `Name`.
pub static NAME: Shape = Shape(&[
    METADATA,
    output("displayName", Kind::Text),
    output("displayNameLastFirst", Kind::Text),
    text("unstructuredName"),
    text("familyName"),
    text("givenName"),
    text("middleName"),
    text("honorificPrefix"),
    text("honorificSuffix"),
    text("phoneticFullName"),
    text("phoneticFamilyName"),
    text("phoneticGivenName"),
    text("phoneticMiddleName"),
    text("phoneticHonorificPrefix"),
    text("phoneticHonorificSuffix"),
]);
/// `Nickname`.
pub static NICKNAME: Shape = Shape(&[
    METADATA,
    VALUE,
    w(
        "type",
        Kind::Choice(
            "type.googleapis.com/google.people.v1.Nickname.NicknameType",
            &["DEFAULT", "MAIDEN_NAME", "INITIALS", "GPLUS", "OTHER_NAME", "ALTERNATE_NAME", "SHORT_NAME"],
        ),
    ),
]);
/// `Organization`.
pub static ORGANIZATION: Shape = Shape(&[
    METADATA,
    TYPE,
    FORMATTED_TYPE,
    w("startDate", Kind::One(&DATE)),
    w("endDate", Kind::One(&DATE)),
    w("current", Kind::Flag),
    text("name"),
    text("phoneticName"),
    text("department"),
    text("title"),
    text("jobDescription"),
    text("symbol"),
    text("domain"),
    text("location"),
    text("costCenter"),
    w("fullTimeEquivalentMillipercent", Kind::Number),
]);
/// `PhoneNumber`.
pub static PHONE: Shape = Shape(&[METADATA, VALUE, output("canonicalForm", Kind::Text), TYPE, FORMATTED_TYPE]);
/// `Relation`.
pub static RELATION: Shape = Shape(&[METADATA, text("person"), TYPE, FORMATTED_TYPE]);
static DEAD_VALUE: Shape = Shape(&[METADATA, VALUE, output("formattedValue", Kind::Text), w("current", Kind::Flag)]);
/// `UserDefined`.
pub static USER_DEFINED: Shape = Shape(&[METADATA, text("key"), VALUE]);

macro_rules! list {
    ($name:literal, $shape:expr) => {
        w($name, Kind::Many(&Kind::One(&$shape)))
    };
}

/// `Person`.
pub static PERSON: Shape = Shape(&[
    text("resourceName"),
    text("etag"),
    w("metadata", Kind::One(&PERSON_METADATA)),
    list!("addresses", ADDRESS),
    output("ageRange", Kind::Text),
    list!("ageRanges", AGE_RANGE),
    list!("biographies", BIOGRAPHY),
    list!("birthdays", BIRTHDAY),
    list!("braggingRights", PLAIN_VALUE),
    list!("calendarUrls", CALENDAR_URL),
    list!("clientData", CLIENT_DATA),
    list!("coverPhotos", PHOTO),
    list!("emailAddresses", EMAIL),
    list!("events", EVENT),
    list!("externalIds", TYPED_VALUE),
    list!("fileAses", PLAIN_VALUE),
    list!("genders", GENDER),
    list!("imClients", IM_CLIENT),
    list!("interests", PLAIN_VALUE),
    list!("locales", PLAIN_VALUE),
    list!("locations", LOCATION),
    list!("memberships", MEMBERSHIP),
    list!("miscKeywords", MISC_KEYWORD),
    list!("names", NAME),
    list!("nicknames", NICKNAME),
    list!("occupations", PLAIN_VALUE),
    list!("organizations", ORGANIZATION),
    list!("phoneNumbers", PHONE),
    list!("photos", PHOTO),
    list!("relations", RELATION),
    list!("relationshipInterests", DEAD_VALUE),
    list!("relationshipStatuses", DEAD_VALUE),
    list!("residences", DEAD_VALUE),
    list!("sipAddresses", TYPED_VALUE),
    list!("skills", PLAIN_VALUE),
    list!("taglines", PLAIN_VALUE),
    list!("urls", TYPED_VALUE),
    list!("userDefined", USER_DEFINED),
]);

/// The names of the sources a read may ask for.
pub static READ_SOURCES: &[&str] = &[
    "READ_SOURCE_TYPE_PROFILE",
    "READ_SOURCE_TYPE_CONTACT",
    "READ_SOURCE_TYPE_DOMAIN_CONTACT",
    "READ_SOURCE_TYPE_OTHER_CONTACT",
];
static READ_SOURCE: Kind = Kind::Choice("type.googleapis.com/google.people.v1.ReadSourceType", READ_SOURCES);
static CONTACT_TO_CREATE: Shape = Shape(&[w("contactPerson", Kind::One(&PERSON))]);
/// `BatchCreateContactsRequest`.
pub static BATCH_CREATE: Shape = Shape(&[
    w("contacts", Kind::Many(&Kind::One(&CONTACT_TO_CREATE))),
    w("readMask", Kind::Paths),
    w("sources", Kind::Many(&READ_SOURCE)),
]);
/// `BatchUpdateContactsRequest`.
pub static BATCH_UPDATE: Shape = Shape(&[
    w("contacts", Kind::Map(&PERSON)),
    w("updateMask", Kind::Paths),
    w("readMask", Kind::Paths),
    w("sources", Kind::Many(&READ_SOURCE)),
]);
/// `BatchDeleteContactsRequest`.
pub static BATCH_DELETE: Shape = Shape(&[w("resourceNames", Kind::Many(&Kind::Text))]);
/// `UpdateContactPhotoRequest`.
pub static UPDATE_PHOTO: Shape =
    Shape(&[w("photoBytes", Kind::Blob), w("personFields", Kind::Paths), w("sources", Kind::Many(&READ_SOURCE))]);

static GROUP_CLIENT_DATA: Shape = Shape(&[text("key"), VALUE]);
static GROUP_METADATA: Shape = Shape(&[output("updateTime", Kind::Time), output("deleted", Kind::Flag)]);
static CONTACT_GROUP: Shape = Shape(&[
    text("resourceName"),
    text("etag"),
    w("metadata", Kind::One(&GROUP_METADATA)),
    output("groupType", Kind::Text),
    text("name"),
    output("formattedName", Kind::Text),
    w("memberResourceNames", Kind::Many(&Kind::Text)),
    output("memberCount", Kind::Number),
    w("clientData", Kind::Many(&Kind::One(&GROUP_CLIENT_DATA))),
]);
/// `CreateContactGroupRequest`.
pub static CREATE_GROUP: Shape =
    Shape(&[w("contactGroup", Kind::One(&CONTACT_GROUP)), w("readGroupFields", Kind::Paths)]);
/// `UpdateContactGroupRequest`.
pub static UPDATE_GROUP: Shape = Shape(&[
    w("contactGroup", Kind::One(&CONTACT_GROUP)),
    w("updateGroupFields", Kind::Paths),
    w("readGroupFields", Kind::Paths),
]);
/// `ModifyContactGroupMembersRequest`.
pub static MODIFY_MEMBERS: Shape =
    Shape(&[w("resourceNamesToAdd", Kind::Many(&Kind::Text)), w("resourceNamesToRemove", Kind::Many(&Kind::Text))]);
