//! The refusals of the People API in the shape of its error envelope.
//!
//! Texts are those seen in the field where a client may depend on them; the reason a strict check had is kept beside
//! the answer for the log of refusals, since the service itself often says no more than "an invalid argument".

use serde_json::{Value, json};

/// The canonical error codes of Google's APIs that occur here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// 400.
    InvalidArgument,
    /// 400: right in itself, wrong in the present state.
    FailedPrecondition,
    /// 401.
    Unauthenticated,
    /// 403.
    PermissionDenied,
    /// 404.
    NotFound,
    /// 409: the name is taken.
    AlreadyExists,
    /// 409: somebody else was faster.
    Aborted,
    /// 429.
    ResourceExhausted,
    /// 500.
    Internal,
    /// 501.
    Unimplemented,
    /// 503.
    Unavailable,
    /// 504.
    DeadlineExceeded,
}

impl Code {
    /// The HTTP status.
    pub fn http(self) -> u16 {
        match self {
            Code::InvalidArgument | Code::FailedPrecondition => 400,
            Code::Unauthenticated => 401,
            Code::PermissionDenied => 403,
            Code::NotFound => 404,
            Code::AlreadyExists | Code::Aborted => 409,
            Code::ResourceExhausted => 429,
            Code::Internal => 500,
            Code::Unimplemented => 501,
            Code::Unavailable => 503,
            Code::DeadlineExceeded => 504,
        }
    }

    /// The number in `google.rpc.Status`.
    pub fn number(self) -> u8 {
        match self {
            Code::InvalidArgument => 3,
            Code::DeadlineExceeded => 4,
            Code::NotFound => 5,
            Code::AlreadyExists => 6,
            Code::PermissionDenied => 7,
            Code::ResourceExhausted => 8,
            Code::FailedPrecondition => 9,
            Code::Aborted => 10,
            Code::Unimplemented => 12,
            Code::Internal => 13,
            Code::Unavailable => 14,
            Code::Unauthenticated => 16,
        }
    }

    /// The name in the envelope.
    pub fn name(self) -> &'static str {
        match self {
            Code::InvalidArgument => "INVALID_ARGUMENT",
            Code::FailedPrecondition => "FAILED_PRECONDITION",
            Code::Unauthenticated => "UNAUTHENTICATED",
            Code::PermissionDenied => "PERMISSION_DENIED",
            Code::NotFound => "NOT_FOUND",
            Code::AlreadyExists => "ALREADY_EXISTS",
            Code::Aborted => "ABORTED",
            Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Code::Internal => "INTERNAL",
            Code::Unimplemented => "UNIMPLEMENTED",
            Code::Unavailable => "UNAVAILABLE",
            Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        }
    }
}

/// One refused call, or one refused item of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    code: Code,
    http: u16,
    message: String,
    details: Vec<Value>,
    reason: Option<String>,
    header: Option<(&'static str, String)>,
}

impl Failure {
    /// A refusal with the code's own HTTP status.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Failure { code, http: code.http(), message: message.into(), details: Vec::new(), reason: None, header: None }
    }

    /// The refusal that names nothing.
    pub fn invalid_argument() -> Self {
        Failure::new(Code::InvalidArgument, "Request contains an invalid argument.")
    }

    /// An object that is not there.
    pub fn not_found() -> Self {
        Failure::new(Code::NotFound, "Requested entity was not found.")
    }

    /// A member or parameter that has the wrong form; `field` is its path in the request message.
    pub fn bad_request(field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let violation = json!({ "field": field, "description": message });
        let violation = if field.is_empty() { json!({ "description": message }) } else { violation };
        Failure::new(Code::InvalidArgument, message).with_detail(
            json!({ "@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation] }),
        )
    }

    /// Adds an entry of `error.details`.
    pub fn with_detail(mut self, detail: Value) -> Self {
        self.details.push(detail);
        self
    }

    /// Adds an `ErrorInfo` entry.
    pub fn with_info(self, reason: &str, domain: &str, metadata: Value) -> Self {
        self.with_detail(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason, "domain": domain, "metadata": metadata,
        }))
    }

    /// Answers with another HTTP status than the code's own.
    pub fn with_http(mut self, http: u16) -> Self {
        self.http = http;
        self
    }

    /// Adds a response header.
    pub fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.header = Some((name, value));
        self
    }

    /// Says, for the log of refusals only, what was wrong.
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The HTTP status of the answer.
    pub fn http(&self) -> u16 {
        self.http
    }

    /// The message of the envelope.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What the log of refusals says: the message and the reason behind it.
    pub fn explanation(&self) -> String {
        match &self.reason {
            Some(reason) => format!("{} ({reason})", self.message),
            None => self.message.clone(),
        }
    }

    /// The additional response header.
    pub fn header(&self) -> Option<(&'static str, &str)> {
        self.header.as_ref().map(|(name, value)| (*name, value.as_str()))
    }

    /// The body; `legacy` is the list that old clients read, on request only.
    pub fn envelope(&self, format: ErrorFormat) -> Value {
        let mut error = json!({ "code": self.http, "message": self.message, "status": self.code.name() });
        if format == ErrorFormat::Legacy {
            let reason = if self.http == 400 { "badRequest" } else { "backendError" };
            error["errors"] = json!([{ "message": self.message, "domain": "global", "reason": reason }]);
        }
        if !self.details.is_empty() {
            error["details"] = Value::Array(self.details.clone());
        }
        json!({ "error": error })
    }

    /// The `google.rpc.Status` of one item of a batch.
    pub fn status(&self) -> Value {
        json!({ "code": self.code.number(), "message": self.message })
    }
}

/// The two forms of the envelope, chosen with `$.xgafv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorFormat {
    /// `$.xgafv=1`: with the `errors` list.
    Legacy,
    /// Without.
    Plain,
}
