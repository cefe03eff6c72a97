//! Another field map than the one that a link's base was made with: the configuration or a new release lets a field travel
//! that did not before, or puts it elsewhere.
//!
//! What both sides have of such a field was never compared, so nothing is known to be agreed on. The field is taken out of
//! the base, and what the record has counts as seen: both meet as for the first time. A value that one side has is taken,
//! sets unite, two different values are a conflict, and nothing is blanked. A field that no longer travels stays as it is
//! on each side.

use serde_json::Value;

use super::{Run, identity};
use crate::domain::contact::Card;
use crate::domain::diff;
use crate::domain::field::Field;
use crate::domain::link::{Link, LinkState, Sighting};

impl Run<'_> {
    /// Brings a link under the field map of this run.
    pub(crate) fn remap(&self, link: &mut Link) {
        let codec = self.deps.remote.codec();
        let is_busy = link.seen.is_some() || self.intents.contains_key(&link.id);
        if link.map_revision == codec.map_revision() || link.state != LinkState::Bound || is_busy {
            return;
        }
        link.map_revision = codec.map_revision();
        let groups = self.groups_of(link);
        let Some(base) = &mut link.base else { return };
        let kind = base.store.kind();
        let ours = codec.read(&codec.compose(&base.store, &groups, &identity::no_tag()), kind).card;
        // Edits of the record that never went into the contact are no part of what is agreed on.
        let theirs = codec.read(base.merged(), kind).card;
        let mut strange = diff::changed_fields(&ours, &theirs);
        // Names always travel; how the remote spells them is no news.
        strange.remove(&Field::Name);
        if strange.is_empty() {
            return;
        }
        let blank = Card::blank(kind);
        let without = |wire: &Value| {
            let card = codec.read(wire, kind).card;
            let mut less = card.clone();
            strange.iter().for_each(|field| diff::copy_field(field, &blank, &mut less));
            codec.recompose(wire, &card, &less, None, &identity::no_tag()).map(|change| change.wire)
        };
        let (remote, agreed) = (without(&base.remote), base.agreed.as_ref().and_then(without));
        strange.iter().for_each(|field| diff::copy_field(field, &blank, &mut base.store));
        let wire = base.remote.clone();
        base.remote = remote.unwrap_or_else(|| wire.clone());
        base.agreed = agreed.or(base.agreed.take());
        link.seen = Some(Sighting::Present { wire, at: self.now() });
    }
}
