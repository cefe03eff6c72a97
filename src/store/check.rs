//! What every implementor refuses without looking at its rows: writes that contradict themselves.

use super::{StoreError, Write};
use crate::domain::link::{Link, LinkState};

/// Refuses a write that contradicts itself.
pub(super) fn check(write: &Write) -> Result<(), StoreError> {
    match write {
        Write::Contact(write) if write.change.contact != write.contact.id => {
            Err(StoreError::inconsistent("change", "contact", &write.contact.id))
        }
        Write::Entry(write) if write.change.entry != write.entry.id || write.change.after != write.entry.body => {
            Err(StoreError::inconsistent("entry_change", "entry", &write.entry.id))
        }
        Write::Link(link) => check_link(link),
        Write::OpenIntent(intent, sent) => {
            if (intent.marker, intent.link, intent.kind) == (sent.marker, sent.link, sent.kind) {
                Ok(())
            } else {
                Err(StoreError::inconsistent("sent", "marker", &intent.marker))
            }
        }
        _ => Ok(()),
    }
}

fn check_link(link: &Link) -> Result<(), StoreError> {
    if link.contact.is_none() && link.state != LinkState::Found {
        return Err(StoreError::inconsistent("link", "contact", &link.id));
    }
    if link.remote.is_none() && link.state == LinkState::Bound {
        return Err(StoreError::inconsistent("link", "remote", &link.id));
    }
    Ok(())
}
