//! The use cases as stories: two regions and a relay hub in one process, with the network
//! replaced by calls of the hub's use cases.

#![cfg(test)]

mod alarms;
mod audit_heads;
mod audited;
mod bench;
mod callers;
mod clones;
mod courier;
mod crash;
mod crash_change;
mod crash_return;
mod cut;
mod email;
mod founding;
mod heartbeat;
mod honesty;
mod hostile_offers;
mod hubs;
mod identities;
mod joining;
mod key_holders;
mod keys;
mod late;
mod long_absence;
mod looking;
mod many;
mod matching;
mod measured;
mod membership;
mod newcomer_key;
mod notices;
mod privacy;
mod quotas;
mod race;
mod refused_by_hub;
mod refused_by_members;
mod refused_to_people;
mod register;
mod restored;
mod returning;
mod rogue;
mod sharing;
mod statements;
mod storage;
mod succession;
mod successor;
mod term;
mod today;
mod tokens;
mod trust;
mod void;
mod vouching;
