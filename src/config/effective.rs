//! The configuration as the program understood it: every key, defaults included, paths resolved, secrets redacted.
//!
//! The text is itself a configuration that means the same, but for the redacted secrets.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;

use crate::domain::pair::{Limit, MissingGroup, Strangers};
use crate::telemetry::{LogFormat, LogLevel};

use super::account::{Account, DIRECTIONS, GrantSource, ORGANIZATIONS};
use super::pair::PairWish;
use super::pipedrive::{Pipedrive, PipedriveAccess};
use super::secret::{Secret, SecretSource};
use super::store::KeyPlace;
use super::{Config, Google, policy, value};

/// What stands in the place of a secret.
const REDACTED: &str = "[redacted]";

impl Config {
    /// The effective configuration as TOML.
    pub fn effective(&self) -> String {
        let mut out = Out::default();
        out.comment(&format!("read from {}", self.file.display()));
        out.table("[store]");
        out.text("url", format!("sqlite:{}", self.store.path.display()));
        match &self.store.key {
            KeyPlace::File(path) => out.path("key_file", path),
            KeyPlace::Credential(path) => out.comment(&format!("the key is the credential {}", path.display())),
            KeyPlace::Beside(path) => out.comment(&format!("the key is {}, created when needed", path.display())),
        }
        out.text("region", self.store.region.map(|region| region.to_string()).unwrap_or_default());
        google(&mut out, &self.google);
        if let Some(section) = &self.pipedrive {
            pipedrive(&mut out, section);
        }
        for one in &self.accounts {
            account(&mut out, one);
        }
        out.table("[web]");
        out.text("listen", self.web.listen.map(|address| address.to_string()).unwrap_or_default());
        secret(&mut out, "password_file", self.web.password.as_ref());
        out.table("[log]");
        let name = LogFormat::NAMES.iter().find(|(_, format)| *format == self.log.format).map_or("", |(name, _)| name);
        out.text("format", name);
        out.text("level", LogLevel::as_str(self.log.level));
        out.0
    }
}

fn google(out: &mut Out, google: &Google) {
    out.table("[google]");
    if let Some(id) = &google.client_id {
        out.text("client_id", id);
    }
    match google.client_secret.as_ref().map(|secret| &secret.source) {
        Some(SecretSource::Inline(_)) => out.text("client_secret", REDACTED),
        Some(SecretSource::Credential(path)) if google.client_secret.as_ref().is_some_and(is_implied) => {
            out.comment(&format!("the client's secret is the credential {}", path.display()));
        }
        _ => secret(out, "client_secret_file", google.client_secret.as_ref()),
    }
    out.text("api_url", &google.api_url);
    out.text("auth_url", &google.auth_url);
    out.text("token_url", &google.token_url);
    out.text("revoke_url", &google.revoke_url);
    out.bare("reads_per_minute", google.reads_per_minute);
    out.bare("writes_per_minute", google.writes_per_minute);
}

/// Whether no key of the file names the secret.
fn is_implied(secret: &Secret) -> bool {
    secret.key == "google.client_secret"
}

fn pipedrive(out: &mut Out, pipedrive: &Pipedrive) {
    out.table("[pipedrive]");
    out.text("company_url", &pipedrive.company_url);
    match &pipedrive.access {
        PipedriveAccess::Token(path) => out.path("api_token_file", path),
        PipedriveAccess::OAuth { client_id, client_secret_file } => {
            out.text("client_id", client_id);
            out.path("client_secret_file", client_secret_file);
        }
    }
    out.text("poll", value::show_duration(pipedrive.poll));
    out.bare("daily_token_budget", pipedrive.daily_token_budget);
}

fn account(out: &mut Out, account: &Account) {
    out.table("[[account]]");
    out.text("name", &account.name);
    out.text("email", &account.email);
    match &account.grant {
        GrantSource::Store => {}
        GrantSource::RefreshToken(token) => secret(out, "refresh_token_file", Some(token)),
        GrantSource::ServiceAccount(key) => secret(out, "service_account_file", Some(key)),
    }
    out.text("schedule", &account.schedule);
    out.text("timezone", account.schedule.timezone().name());
    out.bare("enabled", account.enabled);
    out.text("direction", value::name_of(&DIRECTIONS, account.direction));
    out.text("conflict", value::name_of(&policy::CONFLICT, account.conflict));
    out.text("organizations", value::name_of(&ORGANIZATIONS, account.organizations));
    out.bare("photos", account.photos);
    let by_field: BTreeMap<String, &str> = account
        .conflict_fields
        .iter()
        .map(|(field, policy)| (field.to_string(), value::name_of(&policy::CONFLICT, *policy)))
        .collect();
    out.map("[account.conflict_fields]", &by_field);
    out.table("[account.delete]");
    out.text("in_google", value::name_of(&policy::IN_GOOGLE, account.delete.in_remote));
    out.text("in_store", value::name_of(&policy::IN_STORE, account.delete.in_store));
    out.text("left_group", value::name_of(&policy::LEFT_GROUP, account.delete.left_group));
    out.text("grace", value::show_duration(account.delete.grace));
    out.table("[account.guard]");
    out.limit("max_deletes", account.guard.max_deletes);
    out.limit("max_updates", account.guard.max_updates);
    out.limit("max_blanked_fields", account.guard.max_blanked_fields);
    out.limit("max_unlinks", account.guard.max_unlinks);
    out.limit("max_left_groups", account.guard.max_left_groups);
    for one in &account.pairs {
        pair(out, one);
    }
    let fields = account.fields.iter().map(|(field, target)| (field.to_string(), target.to_string())).collect();
    out.map("[account.fields]", &fields);
}

fn pair(out: &mut Out, PairWish { pair, filter }: &PairWish) {
    out.table("[[account.pair]]");
    out.text("group", &pair.group);
    out.bare("create_group", pair.missing_group == MissingGroup::Create);
    out.texts("labels", &pair.labels);
    out.texts("owners", &pair.owners);
    out.text("filter", filter.as_deref().unwrap_or_default());
    out.bare("adopt", pair.strangers == Strangers::Adopt);
    out.text("add_label", pair.add_label.as_deref().unwrap_or_default());
}

fn secret(out: &mut Out, key: &str, secret: Option<&Secret>) {
    match secret.map(|secret| &secret.source) {
        Some(SecretSource::File(path) | SecretSource::Credential(path)) => out.path(key, path),
        Some(SecretSource::Inline(_)) => out.text(key, REDACTED),
        None => {}
    }
}

/// The text so far.
#[derive(Default)]
struct Out(String);

impl Out {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn table(&mut self, header: &str) {
        self.line("");
        self.line(header);
    }

    fn comment(&mut self, comment: &str) {
        self.line(&format!("# {}", comment.replace(char::is_control, " ")));
    }

    fn bare(&mut self, key: &str, value: impl Display) {
        self.line(&format!("{} = {value}", quoted_key(key)));
    }

    fn text(&mut self, key: &str, value: impl Display) {
        self.bare(key, toml::Value::String(value.to_string()));
    }

    fn texts(&mut self, key: &str, values: &[String]) {
        self.bare(key, toml::Value::Array(values.iter().cloned().map(toml::Value::String).collect()));
    }

    fn path(&mut self, key: &str, path: &Path) {
        self.text(key, path.display());
    }

    fn limit(&mut self, key: &str, limit: Limit) {
        match limit {
            Limit::Percent(percent) => self.text(key, format_args!("{percent}%")),
            Limit::Absolute(count) => self.bare(key, count),
        }
    }

    fn map(&mut self, header: &str, map: &BTreeMap<String, impl Display>) {
        if !map.is_empty() {
            self.table(header);
        }
        for (key, value) in map {
            self.text(key, value);
        }
    }
}

/// A key as TOML takes it.
fn quoted_key(key: &str) -> String {
    let bare = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare && !key.is_empty() { key.to_owned() } else { format!("{}", toml::Value::String(key.to_owned())) }
}
