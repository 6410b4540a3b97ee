//! Sizes and numbers that hold for every connection, and the server settings made of them.

use std::time::Duration;

use raccordo_core::quota::Quota;
use tonic::service::Interceptor;
use tonic::transport::Server;
use tonic::{Request, Status};

/// How often an idle connection is asked whether it lives (HTTP/2 PING).
pub const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// How long its answer may take.
pub const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// What one stream may have in flight towards a reader that has stopped, in bytes.
pub const STREAM_WINDOW_BYTES: u32 = 256 * 1024;

/// What all streams of one connection may have in flight together, in bytes.
pub const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;

/// HTTP/2's own bound on headers, in bytes; the clean refusal comes earlier, from
/// [`MetadataLimit`].
pub const HEADER_BYTES_MAX: u32 = 16 * 1024;

/// Largest message between node and hub, in bytes: a commit that adds hundreds of members,
/// or the tree of a group of 600.
pub const HUB_MESSAGE_BYTES_MAX: usize = Quota::HubMessageBytes.count();

/// Largest message of operators' systems and administrators, in bytes.
pub const CALL_MESSAGE_BYTES_MAX: usize = Quota::CallMessageBytes.count();

/// What a listener allows its callers; configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// Calls and streams that one connection may have open.
    pub streams: u32,
    /// Bytes of names and values in a call's metadata.
    pub metadata_bytes: usize,
}

/// A server with all bounds of this module.
///
/// `streams` is the number of calls and streams that one connection may have open.
pub fn server(streams: u32) -> Server {
    Server::builder()
        .max_concurrent_streams(streams)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .http2_keepalive_interval(Some(KEEP_ALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT))
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
}

/// Refuses calls whose metadata is larger than so many bytes of names and values.
#[derive(Clone, Copy, Debug)]
pub struct MetadataLimit(pub usize);

impl Interceptor for MetadataLimit {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        check_metadata(&request, self.0)?;
        Ok(request)
    }
}

/// Refuses metadata over `bytes_max` with a status of its own.
///
/// HTTP/2's limit answers 431, which reaches the caller as `Unknown`.
///
/// # Errors
/// `RESOURCE_EXHAUSTED`, reason `metadata_too_large`.
pub fn check_metadata<T>(request: &Request<T>, bytes_max: usize) -> Result<(), Status> {
    use tonic::metadata::KeyAndValueRef::{Ascii, Binary};
    let sizes = request.metadata().iter().map(|pair| match pair {
        Ascii(name, value) => name.as_str().len() + value.as_encoded_bytes().len(),
        Binary(name, value) => name.as_str().len() + value.as_encoded_bytes().len(),
    });
    if sizes.sum::<usize>() <= bytes_max {
        return Ok(());
    }
    let text = format!("the call's metadata is larger than {bytes_max} bytes");
    Err(refusal(Status::resource_exhausted(text), "metadata_too_large"))
}

/// Adds the stable reason that programs read.
pub(super) fn refusal(mut status: Status, reason: &'static str) -> Status {
    let value = tonic::metadata::MetadataValue::from_static(reason);
    status.metadata_mut().insert("raccordo-reason", value);
    status
}

#[cfg(test)]
mod tests {
    use tonic::metadata::MetadataValue;

    use super::*;

    fn check(value_bytes: usize, good: bool) {
        let mut request = Request::new(());
        let value = "x".repeat(value_bytes).parse().unwrap();
        request.metadata_mut().insert("name", value);
        let checked = check_metadata(&request, 100);
        assert_eq!(checked.is_ok(), good, "{value_bytes} {checked:?}");
    }

    #[test]
    fn names_and_values_count() {
        check(96, true);
        check(97, false);
    }

    #[test]
    fn the_refusal_carries_its_reason() {
        let mut request = Request::new(());
        request.metadata_mut().insert_bin("large-bin", MetadataValue::from_bytes(&[7; 90]));
        let status = check_metadata(&request, 100).unwrap_err();
        assert_eq!(status.code(), tonic::Code::ResourceExhausted);
        assert_eq!(status.metadata().get("raccordo-reason").unwrap(), "metadata_too_large");
    }
}
