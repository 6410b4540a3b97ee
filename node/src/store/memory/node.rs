//! The node itself, its directory, peers, pacts and ledger, in memory.

use async_trait::async_trait;
use raccordo_core::audit::AuditRecord;
use raccordo_core::id::{BootId, ItemId, LineageId, NodeId, OperatorId};
use raccordo_core::time::Instant;

use super::{MemoryTx, first, inserted};
use crate::store::Stored;
use crate::store::directory::{DirectoryRows, OperatorRow, OrganisationRow};
use crate::store::ledger::{LedgerRow, LedgerRows};
use crate::store::node::{MailRow, NodeRow, NodeRows, OwnKeyPackageRow};
use crate::store::pact::{PactRow, PactRows};
use crate::store::peer::{FormerCardRow, PeerRow, PeerRows};

#[async_trait]
impl NodeRows for MemoryTx {
    async fn node(&mut self) -> Stored<Option<NodeRow>> {
        self.look(|tables| tables.node.row(&()).cloned())
    }

    async fn insert_node(&mut self, row: NodeRow) -> Stored<()> {
        self.change(|tables| inserted("node", tables.node.add((), row)))
    }

    async fn secret(&mut self, name: &str) -> Stored<Option<Vec<u8>>> {
        self.look(|tables| tables.secret.row(&name.to_owned()).cloned())
    }

    async fn put_secret(&mut self, name: &str, sealed: Vec<u8>) -> Stored<()> {
        self.alter(|tables| tables.secret.put(name.to_owned(), sealed))
    }

    async fn own_card(&mut self) -> Stored<Option<Vec<u8>>> {
        self.look(|tables| tables.own_card.rows().next_back().map(|(_, card)| card.clone()))
    }

    async fn own_cards(&mut self) -> Stored<Vec<Vec<u8>>> {
        self.look(|tables| tables.own_card.rows().map(|(_, card)| card.clone()).collect())
    }

    async fn insert_own_card(&mut self, serial: u64, signed_card: Vec<u8>) -> Stored<()> {
        self.change(|tables| inserted("own_card", tables.own_card.add(serial, signed_card)))
    }

    async fn audit_newest(&mut self) -> Stored<Option<AuditRecord>> {
        self.look(|tables| tables.audit.rows().next_back().map(|(_, record)| record.clone()))
    }

    async fn audit_append(&mut self, record: &AuditRecord) -> Stored<()> {
        let record = record.clone();
        self.change(|tables| inserted("audit", tables.audit.add(record.sequence, record)))
    }

    async fn audit_after(&mut self, sequence: u64, limit: u32) -> Stored<Vec<AuditRecord>> {
        let from = sequence.saturating_add(1);
        self.look(|tables| first(tables.audit.range(from..).map(|(_, record)| record), limit))
    }

    async fn audit_of(&mut self, actor: &str, before: u64, limit: u32) -> Stored<Vec<AuditRecord>> {
        self.look(|tables| {
            let rows = tables.audit.range(..before).rev().map(|(_, record)| record);
            first(rows.filter(|record| record.event.actor == actor), limit)
        })
    }

    async fn mailbox_cursor(&mut self, hub: &NodeId) -> Stored<u64> {
        self.look(|tables| tables.mailbox_cursor.row(hub).copied().unwrap_or(0))
    }

    async fn put_mailbox_cursor(&mut self, hub: &NodeId, cursor: u64) -> Stored<()> {
        self.alter(|tables| tables.mailbox_cursor.put(hub.clone(), cursor))
    }

    async fn insert_mail(&mut self, row: MailRow) -> Stored<()> {
        self.change(|tables| {
            let taken = tables.mail.rows().any(|(_, other)| other.item == row.item);
            inserted("mail", !taken)?;
            let position = tables.next_number("mail");
            tables.mail.put(position, row);
            Ok(())
        })
    }

    async fn mail_for(&mut self, hub: &NodeId, limit: u32) -> Stored<Vec<MailRow>> {
        let of_hub = |row: &&MailRow| row.hub == *hub;
        self.look(|tables| first(tables.mail.rows().map(|(_, row)| row).filter(of_hub), limit))
    }

    async fn delete_mail(&mut self, item: ItemId) -> Stored<()> {
        self.alter(|tables| tables.mail.remove_where(.., |_, row| row.item == item))
    }

    async fn insert_own_key_package(&mut self, row: OwnKeyPackageRow) -> Stored<()> {
        let key = row.reference.clone();
        self.change(|tables| inserted("own_key_package", tables.own_key_package.add(key, row)))
    }

    async fn own_key_packages(&mut self, hub: &NodeId) -> Stored<Vec<OwnKeyPackageRow>> {
        self.look(|tables| {
            let rows = tables.own_key_package.rows().map(|(_, row)| row);
            let mut rows: Vec<_> = rows.filter(|row| row.hub == *hub).cloned().collect();
            rows.sort_by_key(|row| row.created_at);
            rows
        })
    }

    async fn all_own_key_packages(&mut self) -> Stored<Vec<OwnKeyPackageRow>> {
        self.look(|tables| tables.own_key_package.rows().map(|(_, row)| row.clone()).collect())
    }

    async fn own_key_package_delivered(&mut self, reference: &[u8]) -> Stored<()> {
        let delivered = |row: &mut OwnKeyPackageRow| row.undelivered = None;
        self.alter(|tables| tables.own_key_package.change(&reference.to_vec(), delivered)).map(drop)
    }

    async fn delete_own_key_package(&mut self, reference: &[u8]) -> Stored<()> {
        self.alter(|tables| tables.own_key_package.remove(&reference.to_vec()))
    }

    async fn insert_boot(&mut self, boot: BootId, at: Instant) -> Stored<()> {
        self.change(|tables| inserted("boot", tables.boot.add(boot, at)))
    }
}

#[async_trait]
impl PeerRows for MemoryTx {
    async fn peer(&mut self, node: &NodeId) -> Stored<Option<PeerRow>> {
        self.look(|tables| tables.peer.row(node).cloned())
    }

    async fn peers(&mut self) -> Stored<Vec<PeerRow>> {
        self.look(|tables| tables.peer.rows().map(|(_, row)| row.clone()).collect())
    }

    async fn put_peer(&mut self, row: PeerRow) -> Stored<()> {
        self.alter(|tables| tables.peer.put(row.node.clone(), row))
    }

    async fn put_former_card(&mut self, row: FormerCardRow) -> Stored<()> {
        self.alter(|tables| {
            tables.former_card.add((row.node.clone(), row.serial), row);
        })
    }

    async fn former_cards(&mut self) -> Stored<Vec<FormerCardRow>> {
        self.look(|tables| tables.former_card.rows().map(|(_, row)| row.clone()).collect())
    }
}

#[async_trait]
impl DirectoryRows for MemoryTx {
    async fn insert_organisation(&mut self, row: OrganisationRow) -> Stored<()> {
        self.change(|tables| {
            let named = |(_, other): (_, &OrganisationRow)| other.name == row.name;
            let free = !tables.organisation.rows().any(named);
            inserted("organisation", free && tables.organisation.add(row.organisation, row))
        })
    }

    async fn organisations(&mut self) -> Stored<Vec<OrganisationRow>> {
        self.look(|tables| {
            let mut rows: Vec<_> = tables.organisation.rows().map(|(_, row)| row.clone()).collect();
            rows.sort_by(|a, b| a.name.cmp(&b.name));
            rows
        })
    }

    async fn insert_operator(&mut self, row: OperatorRow) -> Stored<()> {
        self.change(|tables| {
            let taken = |(_, other): (_, &OperatorRow)| {
                other.operator == row.operator || other.name_index == row.name_index
            };
            inserted("operator", !tables.operator.rows().any(taken))?;
            let position = tables.next_number("operator");
            tables.operator.put(position, row);
            Ok(())
        })
    }

    async fn operators(&mut self) -> Stored<Vec<OperatorRow>> {
        self.look(|tables| tables.operator.rows().map(|(_, row)| row.clone()).collect())
    }

    async fn operator_by_token(&mut self, lookup: &[u8]) -> Stored<Option<OperatorRow>> {
        self.look(|tables| {
            let mut rows = tables.operator.rows().map(|(_, row)| row);
            rows.find(|row| row.token_lookup == lookup).cloned()
        })
    }

    async fn update_operator(
        &mut self,
        operator: OperatorId,
        role: &str,
        enabled: bool,
    ) -> Stored<()> {
        self.alter(|tables| {
            tables.operator.change_where(
                ..,
                |row| row.operator == operator,
                |row| {
                    row.role = role.to_owned();
                    row.enabled = enabled;
                },
            );
        })
    }
}

#[async_trait]
impl PactRows for MemoryTx {
    async fn raise_pact(&mut self, lineage: LineageId) -> Stored<bool> {
        // Writers queue behind one another anyway.
        self.alter(|tables| tables.pact.row(&lineage).is_some())
    }

    async fn pact(&mut self, lineage: LineageId) -> Stored<Option<PactRow>> {
        self.look(|tables| tables.pact.row(&lineage).cloned())
    }

    async fn pacts(&mut self) -> Stored<Vec<PactRow>> {
        self.look(|tables| {
            let mut rows: Vec<_> = tables.pact.rows().map(|(_, row)| row.clone()).collect();
            rows.sort_by(|a, b| (&a.equipe, a.lineage).cmp(&(&b.equipe, b.lineage)));
            rows
        })
    }

    async fn put_pact(&mut self, row: PactRow) -> Stored<()> {
        self.alter(|tables| tables.pact.put(row.lineage, row))
    }

    async fn delete_pact(&mut self, lineage: LineageId) -> Stored<()> {
        self.alter(|tables| tables.pact.remove(&lineage))
    }
}

#[async_trait]
impl LedgerRows for MemoryTx {
    async fn ledger(&mut self, scope: &str) -> Stored<Vec<LedgerRow>> {
        let from = (scope.to_owned(), String::new(), Vec::new());
        self.look(|tables| {
            let rows = tables.ledger.range(from..).take_while(|((of, ..), _)| of == scope);
            let row = |((scope, kind, key), sealed): (&(String, String, Vec<u8>), &Vec<u8>)| {
                let (scope, kind, key) = (scope.clone(), kind.clone(), key.clone());
                LedgerRow { scope, kind, key, sealed: sealed.clone() }
            };
            rows.map(row).collect()
        })
    }

    async fn put_ledger(&mut self, rows: &[LedgerRow]) -> Stored<()> {
        self.alter(|tables| {
            for LedgerRow { scope, kind, key, sealed } in rows.iter().cloned() {
                tables.ledger.put((scope, kind, key), sealed);
            }
        })
    }

    async fn delete_ledger(&mut self, scope: &str, kind: &str, key: &[u8]) -> Stored<()> {
        let key = (scope.to_owned(), kind.to_owned(), key.to_vec());
        self.alter(|tables| tables.ledger.remove(&key))
    }

    async fn delete_ledger_scope(&mut self, scope: &str) -> Stored<()> {
        self.alter(|tables| tables.ledger.remove_where(.., |(of, ..), _| of == scope))
    }
}
