//! The node itself, its directory, peers, pacts and ledger, in memory.

use async_trait::async_trait;
use raccordo_core::audit::AuditRecord;
use raccordo_core::id::{BootId, OperatorId};
use raccordo_core::time::Instant;

use super::{MemoryTx, first, inserted};
use crate::store::Stored;
use crate::store::directory::{DirectoryRows, OperatorRow, OrganisationRow};
use crate::store::ledger::{LedgerRow, LedgerRows};
use crate::store::node::{NodeRow, NodeRows};

#[async_trait]
impl NodeRows for MemoryTx {
    async fn node(&mut self) -> Stored<Option<NodeRow>> {
        self.look(|tables| tables.node.row(&()).cloned())
    }

    async fn insert_node(&mut self, row: NodeRow) -> Stored<()> {
        self.change(|tables| inserted("node", tables.node.add((), row)))
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

    async fn insert_boot(&mut self, boot: BootId, at: Instant) -> Stored<()> {
        self.change(|tables| inserted("boot", tables.boot.add(boot, at)))
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
