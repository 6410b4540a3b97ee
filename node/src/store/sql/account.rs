//! Rows of accounts, invitations and sessions.

use async_trait::async_trait;
use raccordo_core::account::Session;
use raccordo_core::id::{Digest, OperatorId};
use raccordo_core::time::Instant;

use super::SqlTx;
use super::statement::{Columns, sql};
use crate::store::Stored;
use crate::store::account::{AccountRow, AccountRows, InvitationRow, PersonRow};

const ACCOUNT: &str = "SELECT operator, password_hash, sealed_seed, used_step, activated_at_ms \
     FROM account WHERE operator = $1";
const PUT_ACCOUNT: &str = "INSERT INTO account (operator, password_hash, sealed_seed, used_step, \
     activated_at_ms) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (operator) DO UPDATE SET password_hash = excluded.password_hash, \
     sealed_seed = excluded.sealed_seed, used_step = excluded.used_step, \
     activated_at_ms = excluded.activated_at_ms";
const DELETE_ACCOUNT: &str = "DELETE FROM account WHERE operator = $1";
const PERSON: &str = "SELECT operator, person, sealed, bound_at_ms FROM provider_person \
     WHERE person = $1";
const PUT_PERSON: &str = "INSERT INTO provider_person (operator, person, sealed, bound_at_ms) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (operator) DO UPDATE SET person = excluded.person, \
     sealed = excluded.sealed, bound_at_ms = excluded.bound_at_ms";
const DELETE_PERSON: &str = "DELETE FROM provider_person WHERE operator = $1";
const INVITATION: &str = "SELECT operator, digest, expires_at_ms FROM invitation WHERE digest = $1";
const PUT_INVITATION: &str = "INSERT INTO invitation (operator, digest, expires_at_ms) \
     VALUES ($1, $2, $3) ON CONFLICT (operator) DO UPDATE SET digest = excluded.digest, \
     expires_at_ms = excluded.expires_at_ms";
const DELETE_INVITATION: &str = "DELETE FROM invitation WHERE operator = $1";
const SESSION: &str = "SELECT session, operator, agent, begun_at_ms, seen_at_ms FROM desk_session \
     WHERE session = $1";
const PUT_SESSION: &str = "INSERT INTO desk_session (session, operator, agent, begun_at_ms, \
     seen_at_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (session) DO UPDATE \
     SET seen_at_ms = excluded.seen_at_ms";
const DELETE_SESSION: &str = "DELETE FROM desk_session WHERE session = $1";
const DELETE_SESSIONS: &str = "DELETE FROM desk_session WHERE operator = $1";
const DELETE_SESSIONS_BEFORE: &str = "DELETE FROM desk_session WHERE begun_at_ms < $1";

#[async_trait]
impl AccountRows for SqlTx {
    async fn account(&mut self, operator: OperatorId) -> Stored<Option<AccountRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(AccountRow {
                operator: row.id()?,
                password_hash: row.text()?,
                sealed_seed: row.bytes()?,
                used_step: row.integer()?,
                activated_at: row.instant()?,
            })
        };
        self.one(sql("account", ACCOUNT).bytes(operator.as_bytes()), read).await
    }

    async fn put_account(&mut self, row: AccountRow) -> Stored<()> {
        let put = sql("account", PUT_ACCOUNT)
            .bytes(row.operator.as_bytes())
            .text(row.password_hash)
            .bytes(row.sealed_seed)
            .integer(row.used_step)
            .instant(row.activated_at);
        self.execute(put).await.map(drop)
    }

    async fn delete_account(&mut self, operator: OperatorId) -> Stored<()> {
        let delete = sql("account", DELETE_ACCOUNT).bytes(operator.as_bytes());
        self.execute(delete).await.map(drop)
    }

    async fn provider_person(&mut self, person: Digest) -> Stored<Option<PersonRow>> {
        let read = |row: &mut Columns<'_>| {
            let (operator, person, sealed) = (row.id()?, row.id()?, row.bytes()?);
            Ok(PersonRow { operator, person, sealed, bound_at: row.instant()? })
        };
        self.one(sql("provider_person", PERSON).bytes(person.as_bytes()), read).await
    }

    async fn put_provider_person(&mut self, row: PersonRow) -> Stored<()> {
        let put = sql("provider_person", PUT_PERSON)
            .bytes(row.operator.as_bytes())
            .bytes(row.person.as_bytes())
            .bytes(row.sealed)
            .instant(row.bound_at);
        self.execute(put).await.map(drop)
    }

    async fn delete_provider_person(&mut self, operator: OperatorId) -> Stored<()> {
        let delete = sql("provider_person", DELETE_PERSON).bytes(operator.as_bytes());
        self.execute(delete).await.map(drop)
    }

    async fn invitation(&mut self, digest: Digest) -> Stored<Option<InvitationRow>> {
        let read = |row: &mut Columns<'_>| {
            let (operator, digest) = (row.id()?, row.id()?);
            Ok(InvitationRow { operator, digest, expires_at: row.instant()? })
        };
        self.one(sql("invitation", INVITATION).bytes(digest.as_bytes()), read).await
    }

    async fn put_invitation(&mut self, row: InvitationRow) -> Stored<()> {
        let put = sql("invitation", PUT_INVITATION)
            .bytes(row.operator.as_bytes())
            .bytes(row.digest.as_bytes())
            .instant(row.expires_at);
        self.execute(put).await.map(drop)
    }

    async fn delete_invitation(&mut self, operator: OperatorId) -> Stored<()> {
        let delete = sql("invitation", DELETE_INVITATION).bytes(operator.as_bytes());
        self.execute(delete).await.map(drop)
    }

    async fn session(&mut self, key: Digest) -> Stored<Option<Session>> {
        let read = |row: &mut Columns<'_>| {
            let (key, operator, agent) = (row.id()?, row.id()?, row.id()?);
            Ok(Session { key, operator, agent, begun_at: row.instant()?, seen_at: row.instant()? })
        };
        self.one(sql("desk_session", SESSION).bytes(key.as_bytes()), read).await
    }

    async fn put_session(&mut self, row: Session) -> Stored<()> {
        let put = sql("desk_session", PUT_SESSION)
            .bytes(row.key.as_bytes())
            .bytes(row.operator.as_bytes())
            .bytes(row.agent.as_bytes())
            .instant(row.begun_at)
            .instant(row.seen_at);
        self.execute(put).await.map(drop)
    }

    async fn delete_session(&mut self, key: Digest) -> Stored<()> {
        self.execute(sql("desk_session", DELETE_SESSION).bytes(key.as_bytes())).await.map(drop)
    }

    async fn delete_sessions(&mut self, operator: OperatorId) -> Stored<u64> {
        self.execute(sql("desk_session", DELETE_SESSIONS).bytes(operator.as_bytes())).await
    }

    async fn delete_sessions_before(&mut self, begun: Instant) -> Stored<()> {
        self.execute(sql("desk_session", DELETE_SESSIONS_BEFORE).instant(begun)).await.map(drop)
    }
}
