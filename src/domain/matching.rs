//! stub
/// A key
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "stub")]
pub enum MatchKey {
    Email(String),
    Phone(String),
    NameAtOrganization(String),
    OrganizationName(String),
}
