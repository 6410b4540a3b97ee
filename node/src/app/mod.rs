//! The use cases: one file each, one transaction each. They read, call the core once,
//! write everything, and never talk to the network.
//!
//! - first things: [`init`], [`identity`], [`fault`], [`audit`] with [`audit_chain`] and
//!   [`audit_heads`], [`work`]
//! - trust: [`peers`], [`notices`], [`expiry`], [`rotate`], [`successor`],
//!   [`vouching`]; whose a card's keys are: [`key_holders`], [`sealing_proof`]
//! - pacts and founding: [`pacts`], [`pact_in_force`], [`receive_mail`], [`found`], [`join`]
//! - an équipe's life: [`changes`], [`enact`], [`membership`], [`update_keys`], [`rhythm`]
//! - an alert's way out: [`share`], [`withdraw`], [`pack`], [`send`]
//! - before an alert goes: what somebody began ([`draft`]), how many it may mean ([`likeness`])
//! - an alert's way in: [`receive`], [`apply`] with `parts` and `reports`, [`expire`], to newcomers [`replay`]
//! - what the hub is held to: [`honesty`], [`heartbeat`]; what people must know: [`alarms`]
//! - keys for tokens, and what is asked of them: [`pseudonym`]
//! - reading: [`today`], [`alerts`], [`gists`], [`pictures`], [`activity`], [`delivery`], [`status`], [`doctor`], [`storage`], [`clocks`]
//! - when things go wrong: [`backup`], [`rejoin`], [`term`], [`void`], [`succeed`]
//! - people: [`directory`], who signs in at the desk: [`account`]; the people and companies of cases:
//!   [`register`]
//! - where two nodes know the same person or company: [`matching`]
//! - what a hub does: [`hub`]; what one peer may take: [`quota`]

pub mod account;
pub mod activity;
pub mod alarms;
pub mod alerts;
pub mod apply;
pub mod audit;
pub mod audit_chain;
pub mod audit_heads;
pub mod backup;
pub mod changes;
pub mod clocks;
pub mod consents;
pub mod delivery;
pub mod directory;
pub mod doctor;
pub mod draft;
pub mod enact;
pub mod expire;
pub mod expiry;
pub mod fault;
pub mod found;
pub mod gists;
pub mod heartbeat;
pub mod history;
pub mod honesty;
pub mod hub;
pub mod identity;
pub mod init;
pub mod join;
pub mod key_holders;
pub mod key_packages;
#[cfg(test)]
pub(crate) mod lab;
pub mod likeness;
pub mod mail;
pub mod matching;
pub mod membership;
pub mod notices;
pub mod pack;
pub mod pact_in_force;
pub mod pacts;
mod parts;
pub mod peers;
pub mod pictures;
pub mod pseudonym;
pub mod quota;
pub mod reading;
pub mod receive;
pub mod receive_mail;
pub mod register;
pub mod rejoin;
pub mod replay;
mod reports;
pub mod rhythm;
pub mod roster;
pub mod rotate;
pub mod sealing_proof;
pub mod send;
pub mod share;
pub mod signals;
pub mod status;
pub mod storage;
pub mod succeed;
pub mod successor;
pub mod term;
pub mod today;
pub mod update_keys;
pub mod void;
pub mod vouching;
pub mod withdraw;
pub mod work;

use std::sync::Arc;

use raccordo_core::codes::CodeLists;
use raccordo_core::crypto::Crypto;
use raccordo_core::entropy::Entropy;
use raccordo_core::id::BootId;
use raccordo_core::secret::Secret;
use raccordo_core::time::{Clock, Instant};
use raccordo_core::vault::Vault;

use crate::store::Store;
use fault::{Done, Fault};
use identity::Identity;

/// Everything that use cases need: the node in one process.
pub struct Node {
    /// Who this node is.
    pub identity: Identity,
    /// Where rows are kept.
    pub store: Arc<dyn Store>,
    /// Seals what rests.
    pub vault: Vault,
    /// OpenMLS's cryptography over `entropy`.
    pub crypto: Arc<Crypto>,
    /// Where random bytes come from.
    pub entropy: Arc<dyn Entropy>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Most envelopes of one MLS message, however many fit.
    pub envelopes_per_message_max: usize,
    /// The code lists in force.
    pub lists: CodeLists,
    /// This run of the process.
    pub boot: BootId,
    /// When this run began.
    pub started_at: Instant,
    /// The équipes that this process owns.
    pub slots: work::Slots,
    /// Wakes whoever waits for work.
    pub signals: signals::Signals,
    /// What this node carries as a hub; none when it is none.
    pub hub: Option<hub::Hub>,
    /// How often it does by itself what keeps an équipe well.
    pub rhythm: rhythm::Rhythm,
    /// What the courier knows of its connections.
    pub links: status::Links,
    /// What hubs said of entries that have not come.
    pub claims: honesty::Claims,
    /// When this process last spoke in each équipe.
    pub voice: heartbeat::Voice,
    /// What matching keeps in memory.
    pub matching: matching::Memory,
    /// What it remembers of keys and their ceremonies.
    pub keys: pseudonym::Memory,
    /// What active alerts say, once opened.
    pub gists: gists::Memory,
    /// What was logged of things that expire.
    pub told: expiry::Told,
    /// Which peers have reached a quota.
    pub quotas: quota::QuotaCounts,
    /// What this process remembers of who signs in.
    pub accounts: account::Memory,
    /// What operators were shown a moment ago.
    pub reading: reading::Memory,
}

impl Node {
    /// Seals what rests, bound to its context.
    ///
    /// # Errors
    /// Only for values beyond what the cipher can take: never in practice.
    pub fn seal(&self, context: &str, value: &[u8]) -> Done<Vec<u8>> {
        let sealed = self.vault.seal(&*self.entropy, context, value);
        sealed.map_err(|cause| Fault::ours("vault", cause))
    }

    /// Opens what rests.
    ///
    /// # Errors
    /// A wrong node key, or bytes that were changed or moved.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Done<Secret<Vec<u8>>> {
        self.vault.open(context, sealed).map_err(|cause| Fault::ours("vault", cause))
    }
}
