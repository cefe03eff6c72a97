//! Where contacts stand in a list.

use serde::{Deserialize, Serialize};

use super::ContactOrder;
use crate::domain::contact::Contact;
use crate::domain::search::sort_key;
use crate::domain::time::Timestamp;

/// Where a contact stands in a list of some order, among others by its id where they are equal. Whoever turns the pages of
/// a list keeps it, and goes on at the same place even when the contact has moved meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// By the id alone.
    Id,
    /// By the folded name.
    Name(String),
    /// By a time.
    Time(Timestamp),
}

impl Place {
    /// Where a contact stands now.
    pub fn of(contact: &Contact, order: ContactOrder) -> Self {
        match order {
            ContactOrder::Id => Place::Id,
            ContactOrder::Name => Place::Name(sort_key(&contact.card)),
            ContactOrder::Created => Place::Time(contact.created),
            ContactOrder::Updated => Place::Time(contact.updated),
        }
    }

    /// Whether it is a place in a list of this order.
    pub fn is_in(&self, order: ContactOrder) -> bool {
        match order {
            ContactOrder::Id => *self == Place::Id,
            ContactOrder::Name => matches!(self, Place::Name(_)),
            ContactOrder::Created | ContactOrder::Updated => matches!(self, Place::Time(_)),
        }
    }
}
