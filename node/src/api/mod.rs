//! The gRPC services: each call is decoded, handed to a use case, and encoded. Nothing is
//! decided here.
//!
//! - [`serve`]: the routers of the three listeners, with health, reflection and limits
//! - [`hub`]: what nodes ask of a hub; the caller is known by its key
//! - [`admin`]: what administrators ask; the caller is known by its user on this machine
//! - [`casework`]: what operators' systems ask; the caller is known by its token
//! - [`status`]: how a fault is told to a caller, and once to the log
//! - [`deadline`]: how long a caller waits; `to_the_end`: a call ends even without its caller

pub mod admin;
pub mod casework;
pub mod deadline;
pub mod hub;
pub mod number;
pub mod serve;
pub mod status;
mod to_the_end;

#[cfg(test)]
mod tests;

use std::pin::Pin;

use futures::Stream;
use tonic::{Response, Status};

use crate::app::fault::{Fault, Whose};

/// What a method answers.
type Answer<T> = Result<Response<T>, Status>;

/// What a method answers that goes on answering.
type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// What ends a stream or a wait when this process does.
fn stopping() -> Fault {
    Fault::new(Whose::Unavailable, "stopping", "this node is stopping")
        .hint("connect again in a little while")
}
