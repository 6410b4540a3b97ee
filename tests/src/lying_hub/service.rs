//! The calls of `hub.proto`.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use prost::Message as _;
use raccordo_core::hubgroup::HubGroup;
use raccordo_core::id::NodeId;
use raccordo_core::trust::commit::{CommitRefused, CommitView, GroupView};
use raccordo_node::transport::stream::PeerInfo;
use raccordo_proto::hub::v1::hub_service_server::HubService;
use raccordo_proto::hub::v1::subscribe_response::Item;
use raccordo_proto::hub::v1::{self as proto, EntryKind, appended::Outcome};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, async_trait};

use super::log::digest;
use super::{Calls, Shared, State};

/// Between two keep-alives.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

type Answer<T> = Result<Response<T>, Status>;

fn caller<T>(request: &Request<T>) -> Result<String, Status> {
    let info = request.extensions().get::<PeerInfo>();
    info.map(|info| info.node.to_string()).ok_or_else(|| Status::unauthenticated("no peer"))
}

fn anything(_: &GroupView, _: &CommitView) -> Result<(), CommitRefused> {
    Ok(())
}

fn unfit(error: impl std::fmt::Display) -> Status {
    Status::failed_precondition(error.to_string())
}

impl Shared {
    /// Judges and places one entry, as its sender is told.
    fn place(&self, sender: &str, new: proto::NewEntry) -> Result<Outcome, Status> {
        let mut state = self.state();
        let state = &mut *state;
        let group = state.group_id.clone();
        if let Some(known) = placed(state, sender, &new.entry_id) {
            return Ok(Outcome::Placed(known));
        }
        let commit = new.kind == EntryKind::Commit as i32;
        if new.kind != EntryKind::Notice as i32 && new.epoch != state.epoch {
            return Ok(Outcome::StaleCurrentEpoch(state.epoch));
        }
        let epoch = state.epoch;
        if commit {
            let node: NodeId = sender.parse().map_err(unfit)?;
            let public = state.public.as_mut().ok_or_else(|| unfit("no group"))?;
            public.apply_commit(&node, &new.payload, &new.group_info, &anything).map_err(unfit)?;
            let tree = public.tree().map_err(unfit)?;
            state.epoch += 1;
            state.trees.insert(state.epoch, tree);
        }
        state.clock_ms += 1;
        let entry = proto::LogEntry {
            sequence: 0,
            epoch,
            kind: new.kind,
            sender: sender.to_owned(),
            entry_id: new.entry_id.clone(),
            accepted_at_ms: state.clock_ms,
            payload: new.payload,
        };
        state.show(&entry);
        state.joined.insert(sender.to_owned());
        if !new.welcome.is_empty() {
            self.invite(state, sender, new.welcome);
        }
        let known = placed(state, sender, &new.entry_id);
        let end = state.logs.get(sender).map_or(0, |log| log.end());
        let untold = proto::Placed { sequence: end + 1, digest: digest(&group, &entry).to_vec() };
        Ok(Outcome::Placed(known.unwrap_or(untold)))
    }

    fn invite(&self, state: &mut State, sender: &str, welcome: Vec<u8>) {
        let newcomers: Vec<_> = state.parties.difference(&state.joined).cloned().collect();
        for newcomer in newcomers {
            let Some(log) = state.logs.get(sender) else { continue };
            let sequence = log.end();
            let item = proto::WelcomeItem {
                group_id: state.group_id.clone(),
                lineage: state.lineage.clone(),
                epoch: state.epoch,
                sequence,
                checkpoint: Some(self.checkpoint(state, sender, sequence)),
                welcome: welcome.clone(),
                accepted_at_ms: state.clock_ms,
                earlier: Vec::new(),
            };
            state.joined.insert(newcomer.clone());
            post(state, &newcomer, sender, "welcome", item.encode_to_vec());
        }
    }

    fn checkpoint(&self, state: &State, member: &str, place: u64) -> proto::Checkpoint {
        let identity = &self.opened.identity;
        let log = state.logs.get(member).cloned().unwrap_or_default();
        log.checkpoint(&state.group_id, place, identity.node.as_str(), &identity.key)
    }

    /// What a subscriber is told next; moves its cursors.
    fn next(&self, member: &str, cursors: &mut Cursors) -> Vec<proto::SubscribeResponse> {
        let state = self.state();
        let mut items = Vec::new();
        for item in state.mail.get(member).into_iter().flatten() {
            if item.sequence > cursors.mailbox {
                cursors.mailbox = item.sequence;
                items.push(Item::Mailbox(item.clone()));
            }
        }
        if let (Some(at), Some(log)) = (cursors.log, state.logs.get(member)) {
            // Where a log was cut, its new end is told.
            let entries = log.after(at.min(log.end().saturating_sub(u64::from(at > log.end()))));
            if log.end() != at {
                cursors.log = Some(log.end());
                if !entries.is_empty() {
                    items.push(Item::Entries(proto::EntryBatch {
                        group_id: state.group_id.clone(),
                        entries,
                        checkpoint: Some(self.checkpoint(&state, member, log.end())),
                    }));
                }
            }
        }
        items.into_iter().map(|item| proto::SubscribeResponse { item: Some(item) }).collect()
    }
}

/// Where an entry stands in the log that its sender is shown.
fn placed(state: &State, sender: &str, id: &[u8]) -> Option<proto::Placed> {
    let log = state.logs.get(sender)?;
    let own = |entry: &&proto::LogEntry| entry.sender == sender && entry.entry_id == id;
    let entry = log.entries.iter().find(own)?;
    let digest = digest(&state.group_id, entry).to_vec();
    Some(proto::Placed { sequence: entry.sequence, digest })
}

fn post(state: &mut State, recipient: &str, sender: &str, kind: &str, payload: Vec<u8>) {
    let mail = state.mail.entry(recipient.to_owned()).or_default();
    mail.push(proto::MailboxItem {
        sequence: mail.len() as u64 + 1,
        sender: sender.to_owned(),
        kind: kind.to_owned(),
        payload,
    });
}

/// Where a subscriber stands.
struct Cursors {
    /// In the group's log, if it follows it.
    log: Option<u64>,
    mailbox: u64,
}

/// Items of a subscription.
type Items =
    Pin<Box<dyn tokio_stream::Stream<Item = Result<proto::SubscribeResponse, Status>> + Send>>;

impl std::ops::Deref for Calls {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

#[async_trait]
impl HubService for Calls {
    async fn append(
        &self,
        request: Request<proto::AppendRequest>,
    ) -> Answer<proto::AppendResponse> {
        let sender = caller(&request)?;
        let mut outcomes = Vec::new();
        for entry in request.into_inner().entries {
            let entry_id = entry.entry_id.clone();
            let outcome = self.place(&sender, entry)?;
            let done = matches!(outcome, Outcome::Placed(_));
            outcomes.push(proto::Appended { entry_id, outcome: Some(outcome) });
            if !done {
                break;
            }
        }
        let checkpoint = {
            let state = self.state();
            let end = state.logs.get(&sender).map_or(0, |log| log.end());
            (end > 0).then(|| self.checkpoint(&state, &sender, end))
        };
        self.tell();
        Ok(Response::new(proto::AppendResponse { outcomes, checkpoint }))
    }

    type SubscribeStream = Items;

    async fn subscribe(
        &self,
        request: Request<proto::SubscribeRequest>,
    ) -> Answer<Self::SubscribeStream> {
        let member = caller(&request)?;
        let asked = request.into_inner();
        let log = asked.groups.first().map(|cursor| cursor.sequence);
        let mut cursors = Cursors { log, mailbox: asked.mailbox_cursor };
        let mut news = self.news.subscribe();
        let shared = Arc::clone(&self.0);
        let (sender, receiver) = mpsc::channel(16);
        tokio::spawn(async move {
            let keep_alive = || {
                let item = Some(Item::KeepAlive(proto::KeepAlive {}));
                Ok(proto::SubscribeResponse { item })
            };
            if sender.send(keep_alive()).await.is_err() {
                return;
            }
            loop {
                news.mark_unchanged();
                for item in shared.next(&member, &mut cursors) {
                    if sender.send(Ok(item)).await.is_err() {
                        return;
                    }
                }
                tokio::select! {
                    changed = news.changed() => if changed.is_err() { return },
                    () = tokio::time::sleep(KEEP_ALIVE) => {
                        if sender.send(keep_alive()).await.is_err() {
                            return;
                        }
                    }
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn confirm(&self, _: Request<proto::ConfirmRequest>) -> Answer<proto::ConfirmResponse> {
        Ok(Response::new(proto::ConfirmResponse {}))
    }

    async fn offer_equipe(
        &self,
        request: Request<proto::OfferEquipeRequest>,
    ) -> Answer<proto::OfferEquipeResponse> {
        let offered = request.into_inner();
        let mut state = self.state();
        let signatures = offered.statement.map(|statement| statement.signatures);
        let parties = signatures.into_iter().flatten().map(|signature| signature.node_id);
        state.parties.extend(parties);
        Ok(Response::new(proto::OfferEquipeResponse { state: "accepted".to_owned() }))
    }

    async fn found_group(
        &self,
        request: Request<proto::FoundGroupRequest>,
    ) -> Answer<proto::FoundGroupResponse> {
        let founder = caller(&request)?;
        let asked = request.into_inner();
        let (public, _) = HubGroup::found(&self.crypto, &asked.group_info).map_err(unfit)?;
        let mut state = self.state();
        state.trees.insert(0, public.tree().map_err(unfit)?);
        (state.public, state.group_id, state.lineage) =
            (Some(public), asked.group_id, asked.lineage);
        state.joined.insert(founder);
        Ok(Response::new(proto::FoundGroupResponse {}))
    }

    async fn deposit_key_packages(
        &self,
        request: Request<proto::DepositKeyPackagesRequest>,
    ) -> Answer<proto::DepositKeyPackagesResponse> {
        let owner = caller(&request)?;
        let mut state = self.state();
        let pool = state.pool.entry(owner).or_default();
        pool.extend(request.into_inner().key_packages);
        let single_use = pool.iter().filter(|package| !package.last_resort).count() as u32;
        Ok(Response::new(proto::DepositKeyPackagesResponse { single_use }))
    }

    async fn claim_key_packages(
        &self,
        request: Request<proto::ClaimKeyPackagesRequest>,
    ) -> Answer<proto::ClaimKeyPackagesResponse> {
        let mut state = self.state();
        let mut answer = proto::ClaimKeyPackagesResponse::default();
        for party in request.into_inner().parties {
            let pool = state.pool.entry(party.clone()).or_default();
            match pool.iter().position(|package| !package.last_resort) {
                Some(place) => {
                    let proto::DepositedKeyPackage { key_package, expires_at_ms, .. } =
                        pool.remove(place);
                    let claimed = proto::ClaimedKeyPackage { party, key_package, expires_at_ms };
                    answer.key_packages.push(claimed);
                }
                None => answer.missing.push(party),
            }
        }
        Ok(Response::new(answer))
    }

    async fn fetch_tree(
        &self,
        request: Request<proto::FetchTreeRequest>,
    ) -> Answer<proto::FetchTreeResponse> {
        let state = self.state();
        let epoch = request.into_inner().epoch.unwrap_or(state.epoch);
        let epoch = if state.false_trees { epoch.saturating_sub(1) } else { epoch };
        let tree = state.trees.get(&epoch).cloned();
        let ratchet_tree = tree.ok_or_else(|| Status::not_found("no such tree"))?;
        Ok(Response::new(proto::FetchTreeResponse { ratchet_tree }))
    }

    async fn seed_group(
        &self,
        _: Request<proto::SeedGroupRequest>,
    ) -> Answer<proto::SeedGroupResponse> {
        Err(Status::failed_precondition("this hub waits for no log"))
    }

    async fn post(&self, request: Request<proto::PostRequest>) -> Answer<proto::PostResponse> {
        let sender = caller(&request)?;
        let asked = request.into_inner();
        post(&mut self.state(), &asked.recipient, &sender, &asked.kind, asked.payload);
        self.tell();
        Ok(Response::new(proto::PostResponse {}))
    }
}
