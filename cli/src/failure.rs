//! What goes wrong, told to people and to scripts: a stable code, a sentence, the next
//! step, and the exit code.

use std::fmt;

use serde::Serialize;
use tonic::{Code, Status};

/// Our fault.
pub const EXIT_INTERNAL: u8 = 1;
/// Usage or configuration.
pub const EXIT_USAGE: u8 = 2;
/// Refused by policy, pact, role or trust.
pub const EXIT_REFUSED: u8 = 3;
/// Not found.
pub const EXIT_NOT_FOUND: u8 = 4;
/// Not reachable, or timed out.
pub const EXIT_UNREACHABLE: u8 = 5;
/// In conflict with the present state.
pub const EXIT_CONFLICT: u8 = 6;

/// Metadata key of the stable reason.
const REASON: &str = "raccordo-reason";
/// Metadata key of the next step.
const HINT: &str = "raccordo-hint";
/// Metadata key of the operation's id, as it stands in the node's log.
const OPERATION: &str = "raccordo-operation";

/// Why a command did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Stable, in snake case.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// The next step.
    pub hint: Option<String>,
    /// The program's exit code, 1 to 6.
    pub exit: u8,
    /// The operation's id: the node's where it answered, else one of our own.
    pub operation: String,
    /// Invalid fields of alerts, in the order of the input.
    pub violations: Box<[Violation]>,
}

/// One invalid field of one alert of the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Line of the input on which the alert ends, from 1.
    pub line: u64,
    /// The field's JSON name, e.g. `caseAlert.ageBand`.
    pub field: String,
    /// Stable reason, in snake case.
    pub reason: String,
    /// A sentence that never repeats the value.
    pub message: String,
}

impl Failure {
    /// A failure with its exit code.
    pub fn new(exit: u8, code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            hint: None,
            exit,
            operation: uuid::Uuid::new_v4().to_string(),
            violations: Box::default(),
        }
    }

    /// Our own fault.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(EXIT_INTERNAL, "internal", message)
    }

    /// Wrong arguments, files or configuration.
    pub fn usage(code: &str, message: impl Into<String>) -> Self {
        Self::new(EXIT_USAGE, code, message)
    }

    /// The output cannot be written, most often because its reader has gone.
    pub fn output(error: &std::io::Error) -> Self {
        let code = match error.kind() {
            std::io::ErrorKind::BrokenPipe => "output_closed",
            _ => "output_failed",
        };
        Self::new(EXIT_INTERNAL, code, format!("cannot write the output: {error}"))
            .hint("check what the output is piped or redirected to")
    }

    /// A file that cannot be read or written.
    pub fn file(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let failure = |code, hint: &str| {
            let message = format!("cannot {doing} {}: {error}", path.display());
            Self::usage(code, message).hint(hint)
        };
        match error.kind() {
            ErrorKind::NotFound => failure("no_such_file", "check the path"),
            ErrorKind::AlreadyExists => failure("file_exists", "choose another name"),
            _ => failure("file_failed", "check the path, its owner and its mode"),
        }
    }

    /// With the next step.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With the invalid fields.
    pub fn violations(mut self, violations: Vec<Violation>) -> Self {
        self.violations = violations.into();
        self
    }

    /// With words in front of the message.
    pub fn context(mut self, context: &str) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }

    /// Whether trying the same again may help at once.
    pub fn is_passing(&self) -> bool {
        self.exit == EXIT_UNREACHABLE
    }

    /// The object that scripts read.
    pub fn json(&self) -> serde_json::Value {
        let mut error = serde_json::json!({
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "operation": self.operation,
        });
        if let (false, Some(fields)) = (self.violations.is_empty(), error.as_object_mut()) {
            fields.insert("violations".to_owned(), serde_json::json!(self.violations));
        }
        serde_json::json!({ "error": error })
    }
}

/// The lines that people read, each to be prefixed with the program's name.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        for Violation { line, field, reason, message } in self.violations.iter() {
            write!(f, "\nline {line}: {field}: {message} ({reason})")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let told = |key| status.metadata().get(key).and_then(|value| value.to_str().ok());
        let fallback = Fallback::of(&status);
        let mut failure =
            Self::new(fallback.exit, told(REASON).unwrap_or(fallback.code), status.message());
        if failure.message.is_empty() {
            failure.message = failure.code.replace('_', " ");
        }
        failure.hint = told(HINT).or(fallback.hint).map(str::to_owned);
        if let Some(operation) = told(OPERATION) {
            failure.operation = operation.to_owned();
        }
        failure
    }
}

/// What a gRPC code means where the node says no more.
struct Fallback {
    exit: u8,
    code: &'static str,
    hint: Option<&'static str>,
}

impl Fallback {
    fn of(status: &Status) -> Self {
        let known = |exit, code| Self { exit, code, hint: None };
        let hinted = |exit, code, hint| Self { exit, code, hint: Some(hint) };
        match status.code() {
            Code::InvalidArgument => known(EXIT_USAGE, "invalid_argument"),
            Code::OutOfRange => known(EXIT_USAGE, "out_of_range"),
            Code::PermissionDenied => known(EXIT_REFUSED, "permission_denied"),
            Code::Unauthenticated => known(EXIT_REFUSED, "unauthenticated"),
            Code::NotFound => known(EXIT_NOT_FOUND, "not_found"),
            Code::Unavailable => {
                hinted(EXIT_UNREACHABLE, "unavailable", "is raccordod running? see its log")
            }
            // The channel tells its own timeout as `Cancelled`.
            Code::DeadlineExceeded | Code::Cancelled => hinted(
                EXIT_UNREACHABLE,
                "timed_out",
                "try again; `raccordo status` shows what the node is doing",
            ),
            Code::FailedPrecondition => known(EXIT_CONFLICT, "failed_precondition"),
            Code::AlreadyExists => known(EXIT_CONFLICT, "already_exists"),
            Code::Aborted => known(EXIT_CONFLICT, "aborted"),
            Code::ResourceExhausted => {
                hinted(EXIT_CONFLICT, "resource_exhausted", "wait a little, then try again")
            }
            Code::Unimplemented => hinted(
                EXIT_INTERNAL,
                "unimplemented",
                "raccordo and raccordod should be of one version: compare `raccordo --version` with `raccordo status`",
            ),
            // A connection that breaks during a call has a source and no code of its own.
            Code::Unknown if std::error::Error::source(status).is_some() => hinted(
                EXIT_UNREACHABLE,
                "connection_lost",
                "the node may have stopped; see its log, then try again",
            ),
            Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => {
                hinted(EXIT_INTERNAL, "internal", "the node's log has the cause")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: Code, exit: u8, reason: &str) {
        let failure = Failure::from(Status::new(code, "no"));
        assert_eq!((failure.exit, failure.code.as_str()), (exit, reason), "{code:?}");
    }

    #[test]
    fn codes_become_exit_codes() {
        check(Code::Internal, 1, "internal");
        check(Code::Unknown, 1, "internal");
        check(Code::Unimplemented, 1, "unimplemented");
        check(Code::InvalidArgument, 2, "invalid_argument");
        check(Code::PermissionDenied, 3, "permission_denied");
        check(Code::Unauthenticated, 3, "unauthenticated");
        check(Code::NotFound, 4, "not_found");
        check(Code::Unavailable, 5, "unavailable");
        check(Code::DeadlineExceeded, 5, "timed_out");
        check(Code::Cancelled, 5, "timed_out");
        check(Code::FailedPrecondition, 6, "failed_precondition");
        check(Code::AlreadyExists, 6, "already_exists");
        check(Code::Aborted, 6, "aborted");
    }

    #[test]
    fn a_broken_connection_is_unreachable() {
        let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let failure = Failure::from(Status::from_error(Box::new(broken)));
        assert_eq!(failure.exit, EXIT_UNREACHABLE);
    }

    #[test]
    fn metadata_wins_over_the_code() {
        let mut status = Status::permission_denied("the pact forbids the field");
        status.metadata_mut().insert(REASON, "pact_forbids".parse().unwrap());
        status.metadata_mut().insert(HINT, "leave it out".parse().unwrap());
        status.metadata_mut().insert(OPERATION, "0190".parse().unwrap());
        let failure = Failure::from(status);
        assert_eq!(failure.exit, EXIT_REFUSED);
        assert_eq!(
            failure.json(),
            serde_json::json!({"error": {
                "code": "pact_forbids",
                "message": "the pact forbids the field",
                "hint": "leave it out",
                "operation": "0190",
            }})
        );
        assert_eq!(failure.to_string(), "the pact forbids the field\nhint: leave it out");
    }

    #[test]
    fn violations_are_listed() {
        let violation = Violation {
            line: 3,
            field: "caseAlert.gender".to_owned(),
            reason: "unknown_code".to_owned(),
            message: "not in the list `gender`".to_owned(),
        };
        let failure =
            Failure::usage("invalid_alert", "1 alert is invalid").violations(vec![violation]);
        assert_eq!(
            failure.to_string(),
            "1 alert is invalid\nline 3: caseAlert.gender: not in the list `gender` (unknown_code)"
        );
        assert_eq!(failure.json()["error"]["violations"][0]["line"], 3);
    }
}
