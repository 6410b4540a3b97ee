//! How bytes reach a node and leave it: TLS 1.3 pinned to keys, and Unix sockets.
//!
//! - [`identity`]: this node's key and certificate, and the TLS settings made from them
//! - [`pin`]: whose keys are trusted now; taking trust away cuts open connections
//! - [`accept`]: the listening side, bounded in handshakes, connections and time
//! - [`connect`], [`proxy`], [`address`]: the dialling side, which names what went wrong
//! - [`hub_link`]: calls to a hub, in plain values
//! - [`email`]: e-mail, to the region's mail server
//! - [`provider`]: calls to the region's identity provider
//! - [`pages`]: pages, metrics and health, over HTTP
//! - [`stream`]: a connection that ends with the trust in its peer
//! - [`unix`]: sockets on this machine and who may call on them
//! - [`calls`]: what one caller may have under way
//! - [`limits`]: sizes and numbers that hold for every connection

pub mod accept;
pub mod address;
pub mod calls;
pub mod connect;
pub mod email;
pub mod hub_link;
pub mod identity;
pub mod limits;
pub mod pages;
pub mod pin;
pub mod provider;
pub mod proxy;
pub mod stream;
pub mod unix;

#[cfg(test)]
mod tests;
