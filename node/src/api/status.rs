//! A fault as a gRPC status: the code by whose fault it is, the stable reason, the next step
//! and the operation's id in metadata. The log gets it once, under the same id.

use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Code, Status};

use crate::app::fault::{Fault, Whose};

/// Metadata key of the stable reason, snake case.
pub const REASON: &str = "raccordo-reason";
/// Metadata key of the next step, in ASCII.
pub const HINT: &str = "raccordo-hint";
/// Metadata key of the operation's id, a UUID, as it stands in the log.
pub const OPERATION: &str = "raccordo-operation";

/// Longest message and hint, in bytes: all headers of an answer share 16 KiB, and the
/// message is percent-encoded.
const TEXT_BYTES_MAX: usize = 2048;

impl From<Fault> for Status {
    fn from(fault: Fault) -> Self {
        status(fault)
    }
}

/// Tells a fault to the caller, and logs it under the operation's id.
///
/// What is our own fault is told in general words only; its cause stands in the log.
pub fn status(fault: Fault) -> Status {
    let operation = operation();
    log(&fault, &operation);
    let Fault { whose, reason, message, hint } = fault;
    let message = match whose {
        Whose::Ours => format!("internal fault, operation {operation}"),
        _ => shortened(message),
    };
    let mut status = Status::new(code(whose), message);
    let told =
        [(REASON, reason.to_owned()), (HINT, ascii(&shortened(hint))), (OPERATION, operation)];
    for (key, text) in told {
        if let (false, Ok(value)) = (text.is_empty(), MetadataValue::<Ascii>::try_from(text)) {
            status.metadata_mut().insert(key, value);
        }
    }
    status
}

fn code(whose: Whose) -> Code {
    match whose {
        Whose::Usage => Code::InvalidArgument,
        Whose::Unauthenticated => Code::Unauthenticated,
        Whose::Refused => Code::PermissionDenied,
        Whose::NotFound => Code::NotFound,
        Whose::Conflict => Code::FailedPrecondition,
        Whose::Exhausted => Code::ResourceExhausted,
        Whose::Unavailable => Code::Unavailable,
        Whose::Ours => Code::Internal,
    }
}

fn log(fault: &Fault, operation: &str) {
    let Fault { whose, reason, message, .. } = fault;
    match whose {
        Whose::Ours => tracing::error!(operation, reason, cause = message, "a call failed"),
        Whose::Unavailable | Whose::Unauthenticated | Whose::Refused => {
            tracing::warn!(operation, reason, cause = message, "a call was not served");
        }
        // The caller can mend these by itself; its message may hold what it wrote.
        Whose::Usage | Whose::NotFound | Whose::Conflict | Whose::Exhausted => {
            tracing::info!(operation, reason, "a call was not served");
        }
    }
}

/// A random id (RFC 9562 §5.4); all zeros where the machine gives no random bytes, since a
/// fault must be told even then.
fn operation() -> String {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => uuid::Builder::from_random_bytes(bytes).into_uuid().to_string(),
        Err(_) => uuid::Uuid::nil().to_string(),
    }
}

fn shortened(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        text.push_str(" …");
    }
    text
}

/// The text in visible ASCII, which is all that metadata holds: accents fall away, line
/// breaks become spaces, other letters `?`.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            ' '..='~' => out.push(letter),
            'à' | 'á' | 'â' => out.push('a'),
            'è' | 'é' | 'ê' => out.push('e'),
            'ì' | 'í' | 'î' => out.push('i'),
            'ò' | 'ó' | 'ô' => out.push('o'),
            'ù' | 'ú' | 'û' => out.push('u'),
            'À' => out.push('A'),
            'È' | 'É' => out.push('E'),
            'ç' => out.push('c'),
            '‘' | '’' => out.push('\''),
            '“' | '”' | '«' | '»' => out.push('"'),
            '–' | '—' => out.push('-'),
            '…' => out.push_str("..."),
            letter if letter.is_whitespace() => out.push(' '),
            _ => out.push('?'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told<'s>(status: &'s Status, key: &str) -> Option<&'s str> {
        status.metadata().get(key).map(|value| value.to_str().unwrap())
    }

    #[test]
    fn codes_follow_whose_fault_it_is() {
        let check = |whose, expected| {
            let status = status(Fault::new(whose, "why", "a sentence"));
            assert_eq!(status.code(), expected, "{whose:?}");
            assert_eq!(told(&status, REASON), Some("why"));
            assert_eq!(told(&status, HINT), None);
        };
        check(Whose::Usage, Code::InvalidArgument);
        check(Whose::Unauthenticated, Code::Unauthenticated);
        check(Whose::Refused, Code::PermissionDenied);
        check(Whose::NotFound, Code::NotFound);
        check(Whose::Conflict, Code::FailedPrecondition);
        check(Whose::Exhausted, Code::ResourceExhausted);
        check(Whose::Unavailable, Code::Unavailable);
        check(Whose::Ours, Code::Internal);
    }

    #[test]
    fn our_own_faults_keep_their_cause_to_the_log() {
        let status = status(Fault::ours("row_damaged", "a row of object is damaged"));
        let operation = told(&status, OPERATION).unwrap();
        assert_eq!(status.message(), format!("internal fault, operation {operation}"));
    }

    #[test]
    fn every_fault_is_an_operation_of_its_own() {
        let fault = Fault::conflict("exists", "there is one");
        let (first, second) = (status(fault.clone()), status(fault));
        assert_ne!(told(&first, OPERATION), told(&second, OPERATION));
        assert!(uuid::Uuid::parse_str(told(&first, OPERATION).unwrap()).is_ok());
    }

    #[test]
    fn hints_are_ascii() {
        let check = |hint: &str, expected| {
            let status = status(Fault::usage("why", "no").hint(hint));
            assert_eq!(told(&status, HINT), expected, "{hint:?}");
        };
        check("see `raccordo equipe list`", Some("see `raccordo equipe list`"));
        check("the équipe’s name…", Some("the equipe's name..."));
        check("città\nperché 日", Some("citta perche ?"));
        check("", None);
    }

    #[test]
    fn long_texts_fit_into_headers() {
        let status = status(Fault::usage("why", "é".repeat(9_000)).hint("è".repeat(9_000)));
        assert!(status.message().len() <= TEXT_BYTES_MAX + 4);
        assert!(status.message().ends_with(" …"));
        assert!(told(&status, HINT).unwrap().len() <= TEXT_BYTES_MAX + 4);
    }
}
