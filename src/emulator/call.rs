//! One HTTP request taken apart: verb, path, parameters, credentials, body.
//!
//! A POST with `X-HTTP-Method-Override: GET` and a form body is the GET whose parameters did not fit into the
//! address; nothing behind this file sees the difference.

use bytes::Bytes;
use http::{Method, Request, header};
use url::form_urlencoded;

use super::failure::{ErrorFormat, Failure};

/// The request.
#[derive(Debug, Clone)]
pub struct Call {
    /// The verb, after an override.
    pub verb: Method,
    /// The path, still percent-encoded.
    pub path: String,
    /// The parameters in the order sent, decoded.
    pub query: Vec<(String, String)>,
    /// The access token of the `Authorization` header, or of the parameter that leaks into logs.
    pub bearer: Option<String>,
    /// User and password of HTTP Basic, for the token endpoint.
    pub basic: Option<(String, String)>,
    /// The media type of the body, without parameters, in lower case.
    pub content_type: Option<String>,
    /// The body.
    pub body: Bytes,
    /// Whether both `Accept-Encoding` and `User-Agent` say gzip.
    pub takes_gzip: bool,
}

impl Call {
    /// Takes `request` apart.
    pub fn read(request: &Request<Bytes>) -> Self {
        let mut query = pairs(request.uri().query().unwrap_or_default().as_bytes());
        let text = |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
        let content_type = text(header::CONTENT_TYPE).map(media_type);
        let mut verb = request.method().clone();
        let mut body = request.body().clone();
        let overridden = request.headers().get("x-http-method-override").and_then(|value| value.to_str().ok());
        let overridden = overridden.and_then(|name| name.parse::<Method>().ok()).filter(|_| verb == Method::POST);
        if let Some(method) = overridden {
            verb = method;
            if content_type.as_deref() == Some("application/x-www-form-urlencoded") {
                query.extend(pairs(&body));
                body = Bytes::new();
            }
        }
        let authorization = text(header::AUTHORIZATION);
        let bearer = authorization.and_then(|value| credential(value, "bearer")).map(str::to_owned);
        let bearer = bearer.or_else(|| find(&query, "access_token").map(str::to_owned));
        let basic = authorization.and_then(|value| credential(value, "basic")).and_then(user_and_password);
        let says_gzip = |name| text(name).is_some_and(|value| value.to_ascii_lowercase().contains("gzip"));
        let takes_gzip = says_gzip(header::ACCEPT_ENCODING) && says_gzip(header::USER_AGENT);
        Call { verb, path: request.uri().path().to_owned(), query, bearer, basic, content_type, body, takes_gzip }
    }

    /// The first value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        find(&self.query, name)
    }

    /// All values of a repeated parameter.
    pub fn parameters<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is true or false; absent is false.
    ///
    /// # Errors
    /// Any other word is an invalid value.
    pub fn flag(&self, name: &str) -> Result<bool, Failure> {
        match self.parameter(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(invalid_parameter(name, "TYPE_BOOL", other)),
        }
    }

    /// A parameter that is a number.
    ///
    /// # Errors
    /// Anything else is an invalid value.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Failure> {
        self.parameter(name)
            .map(|text| text.parse().map_err(|_| invalid_parameter(name, "TYPE_INT32", text)))
            .transpose()
    }

    /// The error format the caller asked for.
    pub fn error_format(&self) -> ErrorFormat {
        if self.parameter("$.xgafv") == Some("1") { ErrorFormat::Legacy } else { ErrorFormat::Plain }
    }

    /// The body as form fields.
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }
}

/// The first value of `name` among `pairs`.
pub fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn invalid_parameter(name: &str, kind: &str, value: &str) -> Failure {
    let field = super::strict::snake_case(name);
    Failure::bad_request(&field, format!("Invalid value at '{field}' ({kind}), {value:?}"))
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

fn media_type(text: &str) -> String {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn credential<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (name, rest) = value.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// RFC 6749 has both parts form-encoded before they are joined.
fn user_and_password(encoded: &str) -> Option<(String, String)> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.split_once(':')?;
    let decode = |part: &str| {
        let decoded: String =
            form_urlencoded::parse(format!("p={part}").as_bytes()).map(|(_, value)| value.into_owned()).collect();
        decoded
    };
    Some((decode(user), decode(password)))
}
