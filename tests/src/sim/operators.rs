//! What people at the members do: share, withdraw, open, change trust.

use std::collections::BTreeSet;

use raccordo_core::alert::example;
use raccordo_core::entropy::{Entropy, SeededEntropy};
use raccordo_core::id::{NodeId, ObjectId, OperatorId, OrganisationId};
use raccordo_core::object::Kind;
use raccordo_core::operator::{Class, Role};
use raccordo_core::secret::Secret;
use raccordo_core::sending::Standing;
use raccordo_core::session::Change;
use raccordo_node::app::directory::Operator;
use raccordo_node::app::fault::{Fault, Whose};
use raccordo_node::app::share::{Order, Violation as FieldViolation, share};
use raccordo_node::app::work::Work;
use raccordo_node::app::{Node, alerts, expire, pack, withdraw};
use raccordo_node::store::object::{ObjectFilter, ObjectRow};
use raccordo_proto::alert::v1::Alert;

use super::chance::Dice;
use super::couriers::down;
use super::founding::toggle;
use super::task::ready;
use super::world::{EQUIPE, World};
use super::{Checked, Plan, Violation};

/// Something that an operator wants to share, and asks for until it is answered.
#[derive(Clone, Debug)]
pub struct Wish {
    kind: Kind,
    alerts: usize,
    tomorrow: bool,
    order: Option<Order>,
}

impl Wish {
    /// The wishes of a run, with the place of the member that has each.
    pub fn some(plan: &Plan) -> Vec<(usize, Self)> {
        let dice = Dice::new(&format!("seed {}, wishes", plan.seed));
        let mut wishes = Vec::new();
        let mut left = plan.size.alerts;
        while left > 0 {
            let place = usize::try_from(dice.below(plan.size.nodes as u64)).unwrap_or(0);
            let kind = if dice.one_in(2) { Kind::Case } else { Kind::Company };
            let alerts = if dice.one_in(6) { 12 } else { 1 + dice.below(2) };
            let alerts = usize::try_from(alerts).unwrap_or(1).min(left);
            left -= alerts;
            wishes.push((place, Self { kind, alerts, tomorrow: dice.one_in(4), order: None }));
        }
        wishes
    }

    /// The order, with ids that the operator's system chose: written once.
    fn order(&mut self, node: &Node, entropy: &dyn Entropy) -> Order {
        let today = node.clock.now();
        let write = || {
            let mut alerts = example(self.kind, self.alerts, entropy, today, &node.lists);
            for alert in &mut alerts {
                alert.id = ObjectId::random(entropy).to_string();
                if self.tomorrow
                    && let Ok(tomorrow) = today.date().tomorrow()
                {
                    alert.expires_on = tomorrow.to_string();
                }
            }
            Order { equipe: EQUIPE.into(), alerts, purpose: None, dry_run: false }
        };
        self.order.get_or_insert_with(write).clone()
    }
}

/// A case manager of a single access point.
pub fn operator() -> Operator {
    let entropy = SeededEntropy::labelled("operator");
    Operator {
        id: OperatorId::random(&entropy),
        name: Secret::new("an operator".to_owned()),
        role: Role::CaseManager,
        organisation: OrganisationId::random(&entropy),
        organisation_name: "a single access point".to_owned(),
        class: Class::AccessPoint,
        enabled: true,
    }
}

fn ids(alerts: &[Alert]) -> Checked<Vec<ObjectId>> {
    let bad = |_| Violation::new("an alert without id");
    alerts.iter().map(|alert| alert.id.parse().map_err(bad)).collect()
}

/// Whether others are in the group, as seen from here.
async fn complete(node: &Node) -> Result<bool, Fault> {
    let mut tx = node.store.read().await?;
    let Some(row) = tx.equipe_named(EQUIPE).await? else { return Ok(false) };
    let active = Standing::parse(&row.state) == Some(Standing::Active);
    Ok(active && tx.members(row.lineage).await?.len() > 1)
}

async fn objects(node: &Node, own: bool) -> Checked<Vec<ObjectRow>> {
    let mut tx = node.store.read().await?;
    let filter = ObjectFilter { limit: 1_000, ..ObjectFilter::default() };
    let mut rows = tx.list_objects(&filter).await?;
    let me = &node.identity.node;
    rows.retain(|row| row.state == "active" && (row.origin == *me) == own);
    Ok(rows)
}

/// An own commit that nothing calls for, as a periodic update would be.
async fn update(node: &Node) -> Result<&'static str, Fault> {
    let Some(row) = node.store.read().await?.equipe_named(EQUIPE).await? else {
        return Ok("no équipe");
    };
    let Some(mut work) = Work::begin(node, row.lineage).await? else { return Ok("no équipe") };
    let now = pack::circumstances(node, &mut work).await?;
    if now.standing != Standing::Active || now.commit_pending || work.holds_commit().await? {
        return Ok("not now");
    }
    pack::stage(node, &mut work, Change::default()).await?;
    work.commit().await?;
    Ok("staged")
}

impl World {
    /// An operator asks to share the next wish, or asks again.
    ///
    /// # Errors
    /// What the use case must not answer.
    pub fn share(&mut self, place: usize) -> Checked<String> {
        let Some(node) = self.node(place) else { return Ok("down".into()) };
        let Some(at) = self.wishes.iter().position(|(whose, _)| *whose == place) else {
            return Ok("nothing".into());
        };
        if !ready(complete(&node))?? {
            return Ok("not complete".into());
        }
        let Some((_, wish)) = self.wishes.get_mut(at) else { return Ok("nothing".into()) };
        let order = wish.order(&node, self.dice.entropy());
        let ids = ids(&order.alerts)?;
        // Also what is answered by a crash: it may have come after the commit.
        self.shared.extend(ids.iter().map(|id| (*id, node.identity.node.clone())));
        match ready(share(&node, &operator(), order))? {
            Ok(shared) if shared.violations.is_empty() => {}
            Ok(shared) => return self.refused(at, &node, &ids, shared.violations),
            Err(fault) if down(&fault) || fault.whose == Whose::Conflict => {
                return Ok(fault.reason.into());
            }
            Err(fault) => return Err(fault.into()),
        }
        let count = ids.len();
        self.counts.add("alerts shared", count as u64);
        self.wishes.remove(at);
        Ok(format!("{count} alerts"))
    }

    /// An order that was asked for again only when its alerts had expired. What was stored
    /// the first time stands; else the operator writes it anew.
    fn refused(
        &mut self,
        at: usize,
        node: &Node,
        ids: &[ObjectId],
        violations: Vec<FieldViolation>,
    ) -> Checked<String> {
        let expired = |violation: &FieldViolation| violation.error.field == "expiresOn";
        if !violations.iter().all(expired) {
            return Err(Violation(format!("an example is invalid: {violations:?}")));
        }
        let stored = ready(ready(node.store.read())??.objects_among(ids))??;
        if stored.is_empty() {
            if let Some((_, wish)) = self.wishes.get_mut(at) {
                wish.order = None;
            }
            return Ok("expired".into());
        }
        self.wishes.remove(at);
        Ok(format!("{} expired alerts", ids.len()))
    }

    /// Shares all that is still wished.
    ///
    /// # Errors
    /// As [`World::share`].
    pub fn share_all(&mut self, place: usize) -> Checked {
        while self.wishes.iter().any(|(whose, _)| *whose == place) {
            let words = self.share(place)?;
            self.trace.note(&format!("  member {place} shares: {words}"));
            self.after()?;
            if !words.ends_with("alerts") && words != "expired" {
                break;
            }
        }
        Ok(())
    }

    /// An operator withdraws an own alert.
    ///
    /// # Errors
    /// What the use case must not answer.
    pub fn withdraw(&mut self, place: usize) -> Checked<String> {
        let Some(node) = self.node(place) else { return Ok("down".into()) };
        let rows = ready(objects(&node, true))??;
        let Some(row) = self.dice.pick(&rows) else { return Ok("nothing".into()) };
        let reasons = self.lists.list("withdrawal_reason").map(|list| list.entries());
        let Some(reason) = reasons.and_then(|entries| entries.first()) else {
            return Err(Violation::new("no reason of withdrawal"));
        };
        match ready(withdraw::withdraw(&node, &operator(), row.object, &reason.code))? {
            Ok(_) => {}
            Err(fault) if down(&fault) || fault.reason == "already_ended" => {
                return Ok(fault.reason.into());
            }
            Err(fault) => return Err(fault.into()),
        }
        self.counts.count("withdrawals");
        self.withdrawn.insert(row.object);
        Ok(row.object.to_string())
    }

    /// An operator opens a received alert.
    ///
    /// # Errors
    /// What the use case must not answer.
    pub fn open(&mut self, place: usize) -> Checked<String> {
        let Some(node) = self.node(place) else { return Ok("down".into()) };
        let rows = ready(objects(&node, false))??;
        let Some(row) = self.dice.pick(&rows) else { return Ok("nothing".into()) };
        match ready(alerts::open(&node, &operator(), row.object))? {
            Ok(view) if view.share.is_none() => {
                return Err(Violation(format!("{} is active without content", row.object)));
            }
            Ok(_) => {}
            Err(fault) if down(&fault) => {
                self.perhaps_opened.insert(row.object);
                return Ok(fault.reason.into());
            }
            Err(fault) => return Err(fault.into()),
        }
        self.counts.count("alerts opened");
        self.opened.insert((row.object, node.identity.node.clone()));
        Ok(row.object.to_string())
    }

    /// A member commits though nothing calls for it.
    ///
    /// # Errors
    /// What the use case must not answer.
    pub fn update(&mut self, place: usize) -> Checked<String> {
        let Some(node) = self.node(place) else { return Ok("down".into()) };
        match ready(update(&node))? {
            Ok(words) => Ok(words.into()),
            Err(fault) if fault.whose == Whose::Unavailable => Ok(fault.reason.into()),
            Err(fault) => Err(fault.into()),
        }
    }

    /// A member suspends another, or verifies it again.
    ///
    /// # Errors
    /// What the use case must not answer.
    pub fn trust(&mut self, place: usize) -> Checked<String> {
        let Some(node) = self.node(place) else { return Ok("down".into()) };
        let others = self.others(&node.identity.node);
        let mut tx = ready(node.store.read())??;
        let rows = ready(tx.peers())??;
        let suspended = rows.iter().find(|row| !row.state.counts_as_verified());
        // Trust is rather the rule.
        if let Some(row) = suspended.filter(|_| !self.dice.one_in(4)) {
            return ready(toggle(&node, &row.node))?;
        }
        let Some(peer) = self.dice.pick(&others) else { return Ok("nobody".into()) };
        ready(toggle(&node, peer))?
    }

    /// A member verifies everybody again.
    ///
    /// # Errors
    /// What the use case must not answer.
    pub fn trust_all(&mut self, place: usize) -> Checked {
        let Some(node) = self.node(place) else { return Ok(()) };
        for peer in self.others(&node.identity.node) {
            let row = ready(ready(node.store.read())??.peer(&peer))??;
            if !row.is_some_and(|row| row.state.counts_as_verified()) {
                ready(toggle(&node, &peer))??;
            }
        }
        Ok(())
    }

    fn others(&self, me: &NodeId) -> Vec<NodeId> {
        let machines = self.members.iter().filter(|machine| machine.twin.is_none());
        let names: BTreeSet<_> = machines.map(|machine| machine.name.clone()).collect();
        names.into_iter().filter(|name| name != me).collect()
    }

    /// A member erases what has expired.
    ///
    /// # Errors
    /// What the use case must not answer.
    pub fn expire(&mut self, place: usize) -> Checked<String> {
        let Some(node) = self.node(place) else { return Ok("down".into()) };
        match ready(expire::expire(&node))? {
            Ok(count) => {
                self.counts.add("alerts expired", count as u64);
                Ok(format!("{count}"))
            }
            Err(fault) if down(&fault) => Ok(fault.reason.into()),
            Err(fault) => Err(fault.into()),
        }
    }
}
