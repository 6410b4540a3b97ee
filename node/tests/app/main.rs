//! The use cases as stories: two regions and a relay hub in one process, with the network
//! replaced by calls of the hub's use cases.

#![cfg(test)]

mod bench;
mod courier;
mod crash;
mod cut;
mod founding;
mod heartbeat;
mod honesty;
mod hubs;
mod many;
mod measured;
mod membership;
mod notices;
mod race;
mod refused_by_hub;
mod refused_by_members;
mod refused_to_people;
mod restored;
mod rogue;
mod sharing;
mod storage;
mod succession;
mod term;
mod trust;
mod vouching;
