//! Contact groups, which people call labels: listing, reading, creating, renaming, and their members.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::id::{Etag, GroupId, RemoteId};
use crate::remotes::{Group, GroupOwnership, GroupPage, MembersChanged, Presence, RemoteError};

use super::client::Google;
use super::people::{decode, unreadable};
use super::request::{About, Call, DELETE, add_parameter, path_of};
use super::wire::text;

/// What is asked of every group.
const FIELDS: &str = "name,groupType,memberCount,metadata";
/// The most records whose membership one call changes.
pub(super) const MEMBERS_MAX: usize = 1_000;
/// How many members of a group are asked for at first; there are no pages. Which number Google allows is not published.
const MEMBERS_SHOWN: u64 = 1_000;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Groups {
    contact_groups: Vec<Value>,
    next_page_token: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Modified {
    not_found_resource_names: Vec<String>,
    can_not_remove_last_contact_group_resource_names: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Members {
    member_resource_names: Vec<String>,
}

/// A group with some, or all, of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilledGroup {
    /// The group; how many members it has is told here, however many are shown.
    pub group: Group,
    /// The members that are shown.
    pub members: Vec<RemoteId>,
}

fn group(method: &'static str, group: &Value) -> Result<Group, RemoteError> {
    let id = text(group, "resourceName").ok_or_else(|| unreadable(method, "a group without resourceName"))?;
    let deleted = group.pointer("/metadata/deleted").and_then(Value::as_bool) == Some(true);
    let user = text(group, "groupType") != Some("SYSTEM_CONTACT_GROUP");
    Ok(Group {
        id: GroupId::new(id),
        name: text(group, "name").or(text(group, "formattedName")).unwrap_or_default().to_owned(),
        etag: text(group, "etag").map(Etag::new),
        members: group.get("memberCount").and_then(Value::as_u64).unwrap_or(0),
        ownership: if user { GroupOwnership::User } else { GroupOwnership::System },
        presence: if deleted { Presence::Deleted } else { Presence::Present },
    })
}

impl Google {
    /// contactGroups.list, one page of all groups.
    pub(super) async fn list_labels(&self, page: Option<&str>) -> Result<GroupPage, RemoteError> {
        const METHOD: &str = "contactGroups.list";
        let path = format!("/v1/contactGroups?pageSize=1000&groupFields={FIELDS}&prettyPrint=false");
        let mut call = Call::get(METHOD, path);
        if let Some(token) = page {
            call.about = About::Continuation;
            add_parameter(&mut call.path, "pageToken", token);
        }
        let answer: Groups = decode(METHOD, self.read(&call).await?)?;
        Ok(GroupPage {
            groups: answer.contact_groups.iter().map(|one| group(METHOD, one)).collect::<Result<_, _>>()?,
            next_page: answer.next_page_token,
        })
    }

    /// contactGroups.get: a group with at most so many of its members.
    ///
    /// # Errors
    /// [`RemoteError::Missing`] when there is no such group.
    pub async fn get_group(&self, id: &GroupId, max_members: u64) -> Result<FilledGroup, RemoteError> {
        const METHOD: &str = "contactGroups.get";
        let name = path_of(id.as_str());
        let path = format!("/v1/{name}?maxMembers={max_members}&groupFields={FIELDS}&prettyPrint=false");
        let answer = self.read(&Call::get(METHOD, path)).await?;
        let group = group(METHOD, &answer)?;
        let members: Members = decode(METHOD, answer)?;
        Ok(FilledGroup { group, members: members.member_resource_names.into_iter().map(RemoteId::new).collect() })
    }

    /// The members of a group. A large group is asked a second time, for as many as it says it has.
    pub(super) async fn members_of(&self, id: &GroupId) -> Result<Vec<RemoteId>, RemoteError> {
        let some = self.get_group(id, MEMBERS_SHOWN).await?;
        if some.group.members <= MEMBERS_SHOWN {
            return Ok(some.members);
        }
        Ok(self.get_group(id, some.group.members).await?.members)
    }

    /// contactGroups.create
    pub(super) async fn create_label(&self, name: &str) -> Result<Group, RemoteError> {
        let body = json!({ "contactGroup": { "name": name }, "readGroupFields": FIELDS });
        let path = "/v1/contactGroups?prettyPrint=false".to_owned();
        self.write_label("contactGroups.create", Method::POST, path, body).await
    }

    /// contactGroups.update: gives a group another name.
    ///
    /// # Errors
    /// [`RemoteError::Stale`] when the group has changed since it was read, [`RemoteError::Exists`] when another one
    /// has the name.
    pub async fn rename_group(&self, group: &GroupId, etag: &Etag, name: &str) -> Result<Group, RemoteError> {
        let body = json!({
            "contactGroup": { "etag": etag.as_str(), "name": name },
            "updateGroupFields": "name", "readGroupFields": FIELDS,
        });
        let path = format!("/v1/{}?prettyPrint=false", path_of(group.as_str()));
        self.write_label("contactGroups.update", Method::PUT, path, body).await
    }

    async fn write_label(
        &self,
        method: &'static str,
        verb: Method,
        path: String,
        body: Value,
    ) -> Result<Group, RemoteError> {
        let call = Call { method, verb, path, body: Some(body), cost: DELETE, about: About::Other };
        let answer = self.write(&call).await.map_err(|failure| failure.error)?;
        group(method, &answer)
    }

    /// contactGroups.members.modify
    pub(super) async fn modify_members(
        &self,
        group: &GroupId,
        add: &[RemoteId],
        remove: &[RemoteId],
    ) -> Result<MembersChanged, RemoteError> {
        const METHOD: &str = "contactGroups.members.modify";
        if add.is_empty() && remove.is_empty() {
            return Ok(MembersChanged::default());
        }
        let names = |ids: &[RemoteId]| ids.iter().map(|id| id.as_str().into()).collect::<Vec<Value>>();
        let mut body = json!({});
        for (member, ids) in [("resourceNamesToAdd", add), ("resourceNamesToRemove", remove)] {
            if !ids.is_empty() {
                body[member] = names(ids).into();
            }
        }
        let path = format!("/v1/{}/members:modify?prettyPrint=false", path_of(group.as_str()));
        let call =
            Call { method: METHOD, verb: Method::POST, path, body: Some(body), cost: DELETE, about: About::Other };
        let answer: Modified = decode(METHOD, self.write(&call).await.map_err(|failure| failure.error)?)?;
        let ids = |names: Vec<String>| names.into_iter().map(RemoteId::new).collect();
        Ok(MembersChanged {
            missing: ids(answer.not_found_resource_names),
            kept: ids(answer.can_not_remove_last_contact_group_resource_names),
        })
    }
}
