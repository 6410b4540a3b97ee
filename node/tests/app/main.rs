//! The use cases as stories: two regions and a relay hub in one process, with the network
//! replaced by calls of the hub's use cases.

#![cfg(test)]

mod bench;
mod courier;
mod crash;
mod founding;
mod sharing;
mod trust;
