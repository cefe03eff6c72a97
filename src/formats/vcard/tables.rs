//! Names of properties: our own, those of programs that have their own names for common things, and those that only
//! programs need.

/// The beginning of what our export says about its maker.
pub(in crate::formats) const PRODID: &str = "-//contactsync//";

/// A custom field; its key is the label of its group.
pub(in crate::formats) const CUSTOM: &str = "X-CONTACTSYNC-CUSTOM";

/// The user who looks after the contact.
pub(in crate::formats) const OWNER: &str = "X-CONTACTSYNC-OWNER";

/// Who may see the contact.
pub(in crate::formats) const VISIBILITY: &str = "X-CONTACTSYNC-VISIBILITY";

/// The line of business of an organization.
pub(in crate::formats) const INDUSTRY: &str = "X-CONTACTSYNC-INDUSTRY";

/// The messenger of the IMPP in the same group, where a parameter cannot hold its name.
pub(in crate::formats) const PROTOCOL: &str = "X-CONTACTSYNC-PROTOCOL";

/// Why a card was not used; only skip files have it.
pub(in crate::formats) const REASON: &str = "X-CONTACTSYNC-REASON";

/// The label of the property in the same group, as Apple writes it.
pub(in crate::formats) const LABEL: &str = "X-ABLABEL";

/// Messengers that have a property of their own.
pub(super) const MESSENGERS: [(&str, &str); 14] = [
    ("X-AIM", "aim"),
    ("X-ICQ", "icq"),
    ("X-MSN", "msn"),
    ("X-YAHOO", "yahoo"),
    ("X-JABBER", "jabber"),
    ("X-SKYPE", "skype"),
    ("X-SKYPE-USERNAME", "skype"),
    ("X-GTALK", "googleTalk"),
    ("X-GOOGLE-TALK", "googleTalk"),
    ("X-GOOGLE TALK", "googleTalk"),
    ("X-QQ", "qq"),
    ("X-GADUGADU", "gadugadu"),
    ("X-SAMETIME", "sametime"),
    ("X-SIP", "sip"),
];

/// Relatives and colleagues that have a property of their own.
pub(super) const RELATIONS: [(&str, &str); 16] = [
    ("X-SPOUSE", "spouse"),
    ("X-EVOLUTION-SPOUSE", "spouse"),
    ("X-MS-SPOUSE", "spouse"),
    ("X-OUTLOOK-SPOUSE-NAME", "spouse"),
    ("SPOUSNAME", "spouse"),
    ("X-KADDRESSBOOK-X-SPOUSESNAME", "spouse"),
    ("X-MANAGER", "manager"),
    ("X-EVOLUTION-MANAGER", "manager"),
    ("X-MS-MANAGER", "manager"),
    ("X-OUTLOOK-MANAGER-NAME", "manager"),
    ("MANNAME", "manager"),
    ("X-ASSISTANT", "assistant"),
    ("X-EVOLUTION-ASSISTANT", "assistant"),
    ("X-MS-ASSISTANT", "assistant"),
    ("ASSNAME", "assistant"),
    ("X-MS-CHILD", "child"),
];

/// Wedding days under every name.
pub(super) const ANNIVERSARIES: [&str; 6] = [
    "ANNIVERSARY",
    "X-ANNIVERSARY",
    "X-EVOLUTION-ANNIVERSARY",
    "X-MS-ANNIVERSARY",
    "X-OUTLOOK-WEDDING-ANNIVERSARY",
    "X-KADDRESSBOOK-X-ANNIVERSARY",
];

/// Properties about the contact that have no field of their own, with the key of the custom field they become.
pub(super) const CUSTOM_FIELDS: [(&str, &str); 18] = [
    ("GENDER", "Gender"),
    ("X-GENDER", "Gender"),
    ("LANG", "Language"),
    ("HOBBY", "Hobby"),
    ("INTEREST", "Interest"),
    ("EXPERTISE", "Expertise"),
    ("BIRTHPLACE", "Birthplace"),
    ("DEATHDATE", "Date of death"),
    ("PRONOUNS", "Pronouns"),
    ("X-PHONETIC-FIRST-NAME", "Phonetic first name"),
    ("X-PHONETIC-MIDDLE-NAME", "Phonetic middle name"),
    ("X-PHONETIC-LAST-NAME", "Phonetic last name"),
    ("X-MAIDENNAME", "Maiden name"),
    ("OFFICE", "Office"),
    ("X-OUTLOOK-OFFICE-LOCATION", "Office"),
    ("X-DEPARTMENT", "Department"),
    ("FAX", "Fax"),
    ("X-OTHER", "Other"),
];

/// Properties that only programs need, or that say again what another property says.
pub(super) const FOR_PROGRAMS: [&str; 43] = [
    "AGENT",
    "BEGIN",
    "CALADRURI",
    "CALURI",
    "CLASS",
    "CLIENTPIDMAP",
    "CREATED",
    "END",
    "FBURL",
    "GEO",
    "LABEL",
    "LANGUAGE",
    "MAILER",
    "NAME",
    "PRODID",
    "PROFILE",
    "REV",
    "SORT-STRING",
    "SOURCE",
    "TZ",
    "UID",
    "VERSION",
    "X-ABADR",
    "X-ABLABEL",
    "X-ABSHOWAS",
    "X-ABUID",
    PROTOCOL,
    REASON,
    "X-CLASS",
    "X-COUCHDB-APPLICATION-ANNOTATIONS",
    "X-ETAG",
    "X-EVOLUTION-FILE-AS",
    "X-ID",
    "X-IMAGEHASH",
    "X-IMAGETYPE",
    "X-IRMC-LUID",
    "X-MOZILLA-HTML",
    "X-MS-OL-DEFAULT-POSTAL-ADDRESS",
    "X-MS-OL-DESIGN",
    "X-OUTLOOK-CREATE-TIME",
    "X-OUTLOOK-INITIALS",
    "X-SHARED-PHOTO-DISPLAY-PREF",
    "XML",
];
