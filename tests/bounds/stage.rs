//! An équipe that was founded in peace, on databases; one of its members says what others bend.

use std::sync::Arc;
use std::time::Duration;

use raccordo_core::alert::example;
use raccordo_core::entropy::SeededEntropy;
use raccordo_core::id::{LineageId, NodeId, ObjectId, Sequence};
use raccordo_core::object::Kind;
use raccordo_node::app::share::{Order, share};
use raccordo_node::app::{Node, pack};
use raccordo_node::store::equipe::{AlarmRow, EquipeRow};
use raccordo_node::store::inbox::SetAsideRow;
use raccordo_node::store::outbox::EntryState;
use raccordo_tests::sim::operators::operator;
use raccordo_tests::sim::storage::StorageKind;
use raccordo_tests::sim::task::ready;
use raccordo_tests::sim::world::{EQUIPE, World};
use raccordo_tests::sim::{Plan, Size};

/// Who is honest, and shares after each of the others' words.
const HONEST: usize = 0;
/// Who says what is bent.
pub const BENDER: usize = 1;
/// Who hears a hub that lies, and may be held after it.
pub const SPENT: usize = 2;
/// A peer of all that is no member.
pub const STRANGER: usize = 3;

/// Rounds in which what is shared is everywhere: into the log, out of it, and what waited first.
const ROUNDS_MAX: usize = 12;
/// What passes in one, so that no pace of the hub is reached.
const ROUND: Duration = Duration::from_secs(10);

/// The federation.
pub struct Stage {
    pub world: World,
    pub entropy: SeededEntropy,
}

impl Stage {
    pub fn found(kind: StorageKind) -> Self {
        let size = Size { nodes: 4, alerts: 0, changes: 0 };
        let mut world = World::new(Plan::of(2, size).on(kind)).unwrap();
        world.found_in_peace().unwrap();
        let deceivers = [BENDER].map(|place| world.members[place].name.clone());
        world.deceivers.extend(deceivers);
        let entropy = SeededEntropy::labelled("bounds");
        let mut stage = Self { world, entropy };
        // Each has begun an epoch of its own, and may send.
        for place in [BENDER, SPENT] {
            stage.share(place, "founding");
            stage.world.until_quiet().unwrap();
        }
        stage.settle("founding");
        stage
    }

    pub fn lineage(&self) -> LineageId {
        self.world.lineage.unwrap()
    }

    pub fn node(&self, place: usize) -> Arc<Node> {
        self.world.node(place).unwrap()
    }

    pub fn name(&self, place: usize) -> NodeId {
        self.world.members[place].name.clone()
    }

    pub fn hub(&self) -> Arc<Node> {
        self.world.hub.node().unwrap()
    }

    /// The équipe as a member has it.
    pub fn equipe(&self, place: usize) -> EquipeRow {
        let node = self.node(place);
        let mut tx = ready(node.store.read()).unwrap().unwrap();
        ready(tx.equipe(self.lineage())).unwrap().unwrap().unwrap()
    }

    pub fn name_of_hub(&self) -> NodeId {
        self.world.hub.name.clone()
    }

    /// Where the log stands.
    pub fn at_hub(&self) -> Sequence {
        let hub = self.hub();
        let mut tx = ready(hub.store.read()).unwrap().unwrap();
        ready(tx.carried(self.lineage())).unwrap().unwrap().unwrap().sequence
    }

    /// What a member has to send goes to the hub.
    pub fn send(&mut self, place: usize) {
        loop {
            let words = self.world.send(place).unwrap();
            self.world.finish_tasks(place).unwrap();
            self.world.after().unwrap();
            if !words.starts_with("Settled") {
                break;
            }
        }
    }

    /// A member's courier does what it can.
    pub fn read(&mut self, place: usize) {
        for _ in 0..3 {
            self.world.run_all(place).unwrap();
        }
    }

    /// An operator at a member shares an alert.
    fn share(&mut self, place: usize, after: &str) -> ObjectId {
        let node = self.node(place);
        let mut alerts = example(Kind::Company, 1, &self.entropy, node.clock.now(), &node.lists);
        let id = ObjectId::random(&self.entropy);
        alerts[0].id = id.to_string();
        let order = Order { equipe: EQUIPE.into(), alerts, purpose: None, dry_run: false };
        let shared = ready(share(&node, &operator(), order)).unwrap();
        let shared = shared.unwrap_or_else(|fault| panic!("after {after}: {fault:?}"));
        assert!(shared.violations.is_empty(), "{:?}", shared.violations);
        self.world.shared.insert(id, node.identity.node.clone());
        id
    }

    /// An honest member shares, and all have it soon; nobody stands still, and no member is held.
    pub fn goes_on(&mut self, after: &str) {
        let id = self.share(HONEST, after);
        for _ in 0..ROUNDS_MAX {
            self.world.time.pass(ROUND);
            for place in self.members() {
                self.world
                    .run_all(place)
                    .unwrap_or_else(|violation| panic!("after {after}: {violation}"));
            }
            if self.members().into_iter().all(|place| self.has(place, id)) {
                break;
            }
        }
        for place in self.members() {
            let name = self.name(place);
            assert!(self.has(place, id), "after {after}: {name} stands still");
            let held = self.held(place);
            assert!(held.is_empty(), "after {after}: {name} is held: {held:?}");
        }
    }

    /// Everybody does what there is to do until nothing is left.
    pub fn settle(&mut self, after: &str) {
        self.world.until_quiet().unwrap_or_else(|violation| panic!("after {after}: {violation}"));
        self.goes_on(after);
    }

    fn has(&self, place: usize, id: ObjectId) -> bool {
        let node = self.node(place);
        let mut tx = ready(node.store.read()).unwrap().unwrap();
        ready(tx.objects_among(&[id])).unwrap().unwrap().len() == 1
    }

    /// What a member has set aside.
    pub fn set_aside(&self, place: usize) -> Vec<SetAsideRow> {
        let node = self.node(place);
        let mut tx = ready(node.store.read()).unwrap().unwrap();
        ready(tx.set_aside_after(self.lineage(), Sequence(0))).unwrap().unwrap()
    }

    /// The alarms that hold a member.
    fn held(&self, place: usize) -> Vec<String> {
        let node = self.node(place);
        let mut tx = ready(node.store.read()).unwrap().unwrap();
        let alarms = ready(tx.alarms(self.lineage())).unwrap().unwrap();
        alarms.iter().filter(|alarm| alarm.holds()).map(AlarmRow::words).collect()
    }

    /// An honest member shares, and one member does not read it.
    pub fn share_unread(&mut self, place: usize) {
        self.share(HONEST, "all of it");
        for _ in 0..4 {
            self.read(HONEST);
            self.read(BENDER);
        }
        let (here, there) = (self.equipe(place).sequence, self.equipe(HONEST).sequence);
        assert!(here < there, "nothing is unread: {here} {there}");
    }

    /// Something that a member has encrypted and not sent: the id of its entry.
    pub fn pending_entry(&mut self, place: usize) -> Vec<u8> {
        let (node, lineage) = (self.node(place), self.lineage());
        self.share(place, "all of it");
        ready(pack::pack(&node, lineage)).unwrap().unwrap();
        let mut tx = ready(node.store.read()).unwrap().unwrap();
        let rows = ready(tx.entries_in(lineage, EntryState::Pending, 1)).unwrap().unwrap();
        rows[0].entry.as_bytes().to_vec()
    }

    /// The places of the members of the group.
    fn members(&self) -> Vec<usize> {
        let is_member = |place: &usize| self.world.rolls.is_member(&self.name(*place));
        (0..self.world.members.len()).filter(is_member).collect()
    }
}
