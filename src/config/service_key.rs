//! The key file of a Workspace service account, as the Google Cloud console hands it out.
//!
//! Of the addresses in it none is used: nothing is called but what `[google]` names.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::error::SecretError;
use super::secret::Secret;

/// What a service account proves itself with.
#[derive(Debug, Clone)]
pub struct ServiceKey {
    /// Its address.
    pub client_email: String,
    /// The number by which the domain's administrator delegates to it; empty when the file does not say.
    pub client_id: String,
    /// The name of the key; empty when the file does not say.
    pub key_id: String,
    /// The private key, PKCS#8 as PEM.
    pub private_key: SecretString,
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "type")]
    kind: String,
    client_email: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    private_key_id: String,
    private_key: SecretString,
}

impl ServiceKey {
    /// Reads the key file that a secret names.
    ///
    /// # Errors
    /// As [`Secret::read`], and when it is no such file.
    pub fn read(secret: &Secret) -> Result<Self, SecretError> {
        let text = secret.read()?;
        let file: File = serde_json::from_str(text.expose_secret())
            .map_err(|_| secret.unusable("it is not the JSON key of a service account"))?;
        if file.kind != "service_account" {
            return Err(secret.unusable("it is a key of another kind; one of type \"service_account\" is needed"));
        }
        if !file.private_key.expose_secret().contains("BEGIN PRIVATE KEY") {
            return Err(secret.unusable("its private_key is not in the form PKCS#8 (BEGIN PRIVATE KEY)"));
        }
        Ok(ServiceKey {
            client_email: file.client_email,
            client_id: file.client_id,
            key_id: file.private_key_id,
            private_key: file.private_key,
        })
    }
}
