//! How people edit through the commands and the console.

use std::sync::Arc;

use contactsync::contacts::edit::{Editor, PhotoEdit};
use contactsync::contacts::merge::MergeRequest;
use contactsync::domain::contact::Kind;
use contactsync::domain::history::Actor;
use contactsync::domain::id::ContactId;
use serde_json::Value;

use crate::sim::stage::Stage;

/// What somebody does.
pub(super) enum Edit {
    Add(Kind, Value),
    Patch(ContactId, Kind, Value),
    Picture(ContactId, PhotoEdit),
    Delete(ContactId, Kind),
    Merge(MergeRequest),
}

/// Who edits.
pub(super) fn editor(stage: &Stage) -> Editor<'_> {
    Editor {
        store: stage.store.as_ref(),
        clock: stage.clock.as_ref(),
        entropy: stage.entropy.as_ref(),
        actor: Actor::User,
    }
}

/// Edits. That is a task of its own, because what waits for it may be sent between threads, and an edit may not.
pub(super) async fn carry_out(stage: &Stage, edit: Edit) {
    stage.tick();
    let (store, clock, entropy) = (Arc::clone(&stage.store), Arc::clone(&stage.clock), Arc::clone(&stage.entropy));
    let task = tokio::task::spawn_local(async move {
        let (store, clock, entropy) = (store.as_ref(), clock.as_ref(), entropy.as_ref());
        let editor = Editor { store, clock, entropy, actor: Actor::User };
        let done = match edit {
            Edit::Add(kind, patch) => editor.add(kind, &patch).await.map(drop),
            Edit::Patch(id, kind, patch) => editor.edit(id, kind, &patch).await.map(drop),
            Edit::Picture(id, photo) => {
                editor.edit_with(id, Kind::Person, &|_| serde_json::json!({}), &photo).await.map(drop)
            }
            Edit::Delete(id, kind) => editor.delete(id, kind).await.map(drop),
            Edit::Merge(request) => editor.merge(&request).await.map(drop),
        };
        done.expect("a user's edit is stored");
    });
    task.await.expect("a user's edit is stored");
}
