//! What MLS costs in a group of two, with the core's own sessions and no disk.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use raccordo_core::crypto::{Crypto, Suite};
use raccordo_core::entropy::SeededEntropy;
use raccordo_core::hubgroup::HubGroup;
use raccordo_core::id::{Digest, GroupId};
use raccordo_core::ledger::{LedgerChange, LedgerRow};
use raccordo_core::secret::Secret;
use raccordo_core::session::{
    Change, Invitation, LeafKeys, Processed, Session, Staged, key_package,
};
use serde::Serialize;

use crate::measure::{Samples, Spread, thread_cpu};

/// Messages between two flushes of the ledger, as in a batch.
const BATCH: u32 = 64;
const BATCHES: u32 = 30;
/// Smallest size of a padded pack, in bytes.
const PLAINTEXT_BYTES: usize = 1024;
/// No leaf of the sample has a card to be checked.
const CARD: &[u8] = b"card";
const GROUP: GroupId = GroupId([7; 32]);

/// CPU time on one core, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct MlsCosts {
    /// Encrypting 1 KiB.
    pub(crate) create: Spread,
    /// Verifying and decrypting it.
    pub(crate) process: Spread,
    /// Writing the message secrets of a batch into the ledger, once.
    pub(crate) state: Spread,
}

struct Pair {
    sender: Session,
    keys: LeafKeys,
    receiver: Session,
}

/// Measures.
///
/// # Errors
/// Ours: the sample group cannot be made.
pub(crate) fn costs() -> anyhow::Result<MlsCosts> {
    let Pair { mut sender, keys, mut receiver } = pair()?;
    let plaintext = vec![7; PLAINTEXT_BYTES];
    let (mut create, mut process, mut state) =
        (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..BATCHES {
        let mut messages = Vec::new();
        create.add(
            spent(|| {
                for _ in 0..BATCH {
                    messages.push(sender.encrypt(&keys, &plaintext)?);
                }
                Ok(())
            })? / BATCH,
        );
        state.add(spent(|| {
            sender.take_changes()?;
            Ok(())
        })?);
        process.add(
            spent(|| {
                for message in &messages {
                    let got = receiver.process(message, &|_, _| Ok(()))?;
                    ensure!(matches!(got, Processed::Message { .. }), "no message");
                }
                Ok(())
            })? / BATCH,
        );
        receiver.take_changes()?;
    }
    Ok(MlsCosts { create: create.spread(), process: process.spread(), state: state.spread() })
}

fn spent(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let start = thread_cpu()?;
    work()?;
    Ok(thread_cpu()?.saturating_sub(start))
}

fn pair() -> anyhow::Result<Pair> {
    let crypto = Crypto::new(Arc::new(SeededEntropy::labelled("bench")));
    let (keys, other) = (leaf("toscana")?, leaf("umbria")?);
    let suite = Suite::Hybrid;
    let (mut sender, info) = Session::found(&crypto, &keys, GROUP, suite, b"statement")?;
    sender.take_changes()?;
    let (mut hub, _) = HubGroup::found(&crypto, &info)?;
    let package = key_package(&crypto, &other, suite, false)?;
    let change = Change { add: vec![package.message], ..Change::default() };
    let Staged { commit, group_info, welcome } = sender.stage(&keys, &change)?;
    hub.apply_commit(&keys.node, &commit, &group_info, &|_, _| Ok(()))?;
    sender.process(&commit, &|_, _| Ok(()))?;
    sender.take_changes()?;
    let invitation = Invitation {
        group: GROUP,
        welcome: &welcome.context("a Welcome")?,
        tree: &hub.tree()?,
        device_rows: package.changes.into_iter().filter_map(row).collect(),
        group_rows: Vec::new(),
    };
    let mut receiver = Session::join(&crypto, std::slice::from_ref(&other), invitation)?.session;
    receiver.take_changes()?;
    Ok(Pair { sender, keys, receiver })
}

fn leaf(name: &str) -> anyhow::Result<LeafKeys> {
    let seed = Digest::of(name.as_bytes()).0;
    Ok(LeafKeys::new(name.parse()?, &Secret::new(seed), CARD.to_vec()))
}

fn row(change: LedgerChange) -> Option<LedgerRow> {
    match change {
        LedgerChange::Put { kind, key, value, .. } => {
            Some(LedgerRow { kind: kind.to_owned(), key, value })
        }
        LedgerChange::Delete { .. } => None,
    }
}
