//! The one door for writes: all of a commit, or nothing.
//!
//! In one transaction: check the fence, make the writes in order, then bring up to date what follows from rows and is
//! nobody's own: keys and labels of the contacts, and which links are unsettled. Doing the latter once at the end is
//! what makes a commit of hundreds of contacts cheap; nothing reads it in between.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{SqliteConnection, SqlitePool};

use super::contact::Beside;
use super::error::unavailable;
use super::{
    account, answer, conflict, contact, entry, filter, forget, harm, history, lease, link, link_write, meta, outbox,
    outsider, photo, run as runs,
};
use crate::domain::id::ContactId;
use crate::store::check::check;
use crate::store::{Commit, Committed, ContactWrite, StoreError, Write};

const DOING: &str = "committing";

/// Makes all writes true, or none.
pub(super) async fn run(pool: &SqlitePool, commit: Commit) -> Result<Committed, StoreError> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(unavailable(DOING))?;
    match write_all(&mut transaction, &commit).await {
        Ok(committed) => {
            transaction.commit().await.map_err(unavailable(DOING))?;
            Ok(committed)
        }
        Err(refusal) => {
            // When even that fails, dropping the transaction rolls it back before the connection is used again. The
            // refusal is what the caller has to know.
            let _ = transaction.rollback().await;
            Err(refusal)
        }
    }
}

async fn write_all(connection: &mut SqliteConnection, commit: &Commit) -> Result<Committed, StoreError> {
    if let Some(fence) = &commit.fence {
        lease::check(&mut *connection, fence).await?;
    }
    let mut consequences = Consequences::begin(&mut *connection, &commit.writes).await?;
    for write in &commit.writes {
        check(write)?;
        apply(&mut *connection, write, &mut consequences).await?;
    }
    contact::replace_beside(&mut *connection, &consequences.beside).await?;
    link::mark_unsettled(connection, &consequences.linked).await?;
    Ok(consequences.committed)
}

/// What the writes made so far entail.
struct Consequences {
    /// The last place of the feed that is taken.
    place: u64,
    committed: Committed,
    /// What lies beside the contacts that were written.
    beside: BTreeMap<ContactId, Beside>,
    /// The contacts whose links may have become settled or unsettled.
    linked: BTreeSet<ContactId>,
}

impl Consequences {
    /// Takes the places in the feed that the writes will need.
    async fn begin(connection: &mut SqliteConnection, writes: &[Write]) -> Result<Self, StoreError> {
        let count = writes
            .iter()
            .filter(|write| matches!(write, Write::Contact(_) | Write::Entry(_) | Write::RemoteChange(_)))
            .count();
        let place = if count == 0 { 0 } else { meta::take_places(connection, count as u64).await? };
        Ok(Consequences { place, committed: Committed::default(), beside: BTreeMap::new(), linked: BTreeSet::new() })
    }
}

async fn apply(
    connection: &mut SqliteConnection,
    write: &Write,
    consequences: &mut Consequences,
) -> Result<(), StoreError> {
    match write {
        Write::Contact(write) => apply_contact(connection, write, consequences).await,
        Write::Entry(write) => {
            consequences.place += 1;
            entry::put(connection, write, consequences.place).await
        }
        Write::Only { keys, contacts } => contact::must_be_only(connection, keys, contacts).await,
        Write::Photo(file) => photo::put(connection, file).await,
        Write::RemoteChange(write) => {
            consequences.place += 1;
            history::append(connection, consequences.place, &write.change, Some(&write.copy)).await
        }
        Write::Link(link) => {
            consequences.linked.extend(link.contact);
            link_write::put(connection, link).await
        }
        Write::DropLink(link) => link_write::drop_found(connection, *link).await,
        Write::Alias { account, remote, link } => link_write::put_alias(connection, account, remote, *link).await,
        Write::OpenIntent(intent, sent) => outbox::open(connection, intent, sent).await,
        Write::ResendIntent(marker, at) => outbox::resend(connection, *marker, *at).await,
        Write::CloseIntent(marker) => outbox::close(connection, *marker).await,
        Write::Account(state) => account::put(connection, state).await,
        Write::Ghost(ghost) => outsider::put_ghost(connection, ghost).await,
        Write::Stranger(stranger) => outsider::put_stranger(connection, stranger).await,
        Write::DropStranger(account, remote) => outsider::drop_stranger(connection, account, remote).await,
        Write::Answer(answer) => answer::put(connection, answer).await,
        Write::DropAnswer { account, contact, remote } => answer::forget(connection, account, *contact, remote).await,
        Write::AddFilter(saved) => filter::add(connection, saved).await,
        Write::Filter(saved) => filter::replace(connection, saved).await,
        Write::DropFilter(name) => filter::remove(connection, name).await,
        Write::Conflict(conflict) => conflict::put(connection, conflict).await,
        Write::Run(run) => runs::put(connection, run).await,
        Write::Harm(done) => harm::put(connection, done).await,
        Write::RaiseEpoch { over } => meta::raise_epoch(connection, *over).await,
        Write::ForgetAccount(name, replica) => forget::account(connection, name, replica).await,
        Write::ForgetHarm(account, before) => harm::forget(connection, account, *before).await,
    }
}

async fn apply_contact(
    connection: &mut SqliteConnection,
    write: &ContactWrite,
    consequences: &mut Consequences,
) -> Result<(), StoreError> {
    let id = write.contact.id;
    consequences.place += 1;
    contact::put(&mut *connection, write, consequences.place).await?;
    history::append(connection, consequences.place, &write.change, None).await?;
    consequences.committed.changes.push((id, consequences.place));
    consequences.beside.insert(id, Beside::of(&write.contact));
    consequences.linked.insert(id);
    Ok(())
}
