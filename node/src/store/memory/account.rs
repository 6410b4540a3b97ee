//! Rows of accounts, invitations and sessions, in memory.

use async_trait::async_trait;
use raccordo_core::account::Session;
use raccordo_core::id::{Digest, OperatorId};
use raccordo_core::time::Instant;

use super::MemoryTx;
use crate::store::Stored;
use crate::store::account::{AccountRow, AccountRows, InvitationRow, PersonRow};

#[async_trait]
impl AccountRows for MemoryTx {
    async fn account(&mut self, operator: OperatorId) -> Stored<Option<AccountRow>> {
        self.look(|tables| tables.account.row(&operator).cloned())
    }

    async fn put_account(&mut self, row: AccountRow) -> Stored<()> {
        self.alter(|tables| tables.account.put(row.operator, row))
    }

    async fn delete_account(&mut self, operator: OperatorId) -> Stored<()> {
        self.alter(|tables| tables.account.remove(&operator))
    }

    async fn provider_person(&mut self, person: Digest) -> Stored<Option<PersonRow>> {
        self.look(|tables| {
            let mut rows = tables.provider_person.rows().map(|(_, row)| row);
            rows.find(|row| row.person == person).cloned()
        })
    }

    async fn put_provider_person(&mut self, row: PersonRow) -> Stored<()> {
        self.alter(|tables| tables.provider_person.put(row.operator, row))
    }

    async fn delete_provider_person(&mut self, operator: OperatorId) -> Stored<()> {
        self.alter(|tables| tables.provider_person.remove(&operator))
    }

    async fn invitation(&mut self, digest: Digest) -> Stored<Option<InvitationRow>> {
        self.look(|tables| {
            let mut rows = tables.invitation.rows().map(|(_, row)| row);
            rows.find(|row| row.digest == digest).cloned()
        })
    }

    async fn put_invitation(&mut self, row: InvitationRow) -> Stored<()> {
        self.alter(|tables| tables.invitation.put(row.operator, row))
    }

    async fn delete_invitation(&mut self, operator: OperatorId) -> Stored<()> {
        self.alter(|tables| tables.invitation.remove(&operator))
    }

    async fn session(&mut self, key: Digest) -> Stored<Option<Session>> {
        self.look(|tables| tables.desk_session.row(&key).cloned())
    }

    async fn put_session(&mut self, row: Session) -> Stored<()> {
        self.alter(|tables| tables.desk_session.put(row.key, row))
    }

    async fn delete_session(&mut self, key: Digest) -> Stored<()> {
        self.alter(|tables| tables.desk_session.remove(&key))
    }

    async fn delete_sessions(&mut self, operator: OperatorId) -> Stored<u64> {
        self.alter(|tables| {
            let of = |(_, row): &(&Digest, &Session)| row.operator == operator;
            let count = tables.desk_session.rows().filter(of).count();
            tables.desk_session.remove_where(.., |_, row| row.operator == operator);
            u64::try_from(count).unwrap_or(u64::MAX)
        })
    }

    async fn delete_sessions_before(&mut self, begun: Instant) -> Stored<()> {
        self.alter(|tables| tables.desk_session.remove_where(.., |_, row| row.begun_at < begun))
    }
}
