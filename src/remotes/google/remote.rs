//! A Google account as a [`Remote`].

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::domain::budget::Budget;
use crate::domain::id::{GroupId, RemoteId};
use crate::remotes::{
    BatchLimits, Codec, Created, Fetched, Group, GroupPage, MembersChanged, PageRequest, Record, RecordPage, Remote,
    RemoteError, RemoteUser, Update, Updated, WriteKind,
};

use super::client::Google;
use super::groups::MY_CONTACTS;
use super::{labels, people};

/// Source: People API reference, the batch methods (read 2026-11).
const LIMITS: BatchLimits =
    BatchLimits { create: 200, update: 200, delete: 500, fetch: people::FETCH_MAX, members: labels::MEMBERS_MAX };

fn digest(request: &str) -> String {
    Sha256::digest(request).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[async_trait]
impl Remote for Google {
    fn codec(&self) -> &dyn Codec {
        &self.codec
    }

    fn contacts_template(&self) -> String {
        digest(&people::listing())
    }

    async fn user(&self) -> Result<RemoteUser, RemoteError> {
        self.get_user().await
    }

    fn expect_user(&self, id: &str) {
        self.expect(id);
    }

    async fn list_records(&self, request: &PageRequest) -> Result<RecordPage, RemoteError> {
        self.list_people(request).await
    }

    async fn fetch_records(&self, ids: &[RemoteId]) -> Result<Fetched, RemoteError> {
        self.fetch_people(ids).await
    }

    async fn make_ready(&self, kind: WriteKind, records: usize) -> Result<(), RemoteError> {
        self.ready_for(kind, records).await
    }

    async fn create_records(&self, wires: &[Value]) -> Result<Created, RemoteError> {
        self.create_people(wires).await
    }

    async fn update_records(&self, mask: &[String], updates: &[Update]) -> Result<Updated, RemoteError> {
        self.update_people(mask, updates).await
    }

    async fn delete_records(&self, ids: &[RemoteId]) -> Result<(), RemoteError> {
        self.delete_people(ids).await
    }

    async fn put_photo(&self, id: &RemoteId, bytes: &[u8]) -> Result<Record, RemoteError> {
        self.update_photo(id, bytes).await
    }

    async fn remove_photo(&self, id: &RemoteId) -> Result<Record, RemoteError> {
        self.delete_photo(id).await
    }

    async fn download_photo(&self, address: &str) -> Result<Bytes, RemoteError> {
        self.fetch_photo(address).await
    }

    async fn list_groups(&self, page: Option<&str>) -> Result<GroupPage, RemoteError> {
        self.list_labels(page).await
    }

    async fn group(&self, group: &GroupId) -> Result<Group, RemoteError> {
        Ok(self.get_group(group, 0).await?.group)
    }

    async fn create_group(&self, name: &str) -> Result<Group, RemoteError> {
        self.create_label(name).await
    }

    async fn group_members(&self, group: &GroupId) -> Result<Vec<RemoteId>, RemoteError> {
        self.members_of(group).await
    }

    async fn change_members(
        &self,
        group: &GroupId,
        add: &[RemoteId],
        remove: &[RemoteId],
    ) -> Result<MembersChanged, RemoteError> {
        self.modify_members(group, add, remove).await
    }

    fn common_group(&self) -> GroupId {
        GroupId::new(MY_CONTACTS)
    }

    fn limits(&self) -> BatchLimits {
        LIMITS
    }

    fn batch_from(&self, kind: WriteKind) -> usize {
        self.cheap_batch(kind)
    }

    fn calls(&self) -> u64 {
        self.sent()
    }

    fn budget(&self) -> Option<Budget> {
        Some(self.left_over())
    }

    fn resume_budget(&self, budget: &Budget) {
        self.go_on_with(budget);
    }

    fn clock_ahead_ms(&self) -> Option<i64> {
        self.ahead_ms()
    }
}
