//! Rows of peers.

use async_trait::async_trait;
use raccordo_core::id::{Digest, NodeId};

use super::SqlTx;
use super::statement::{Columns, sql};
use crate::store::peer::{FormerCardRow, PeerRow, PeerRows};
use crate::store::{StoreError, Stored};

macro_rules! columns {
    () => {
        "node, signed_card, card_serial, state, reason, changed_at_ms, opened_key, challenged_at_ms, \
         refused"
    };
}

const PEER: &str = concat!("SELECT ", columns!(), " FROM peer WHERE node = $1");
const PEERS: &str = concat!("SELECT ", columns!(), " FROM peer");
const PUT_PEER: &str = concat!(
    "INSERT INTO peer (",
    columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
     ON CONFLICT (node) DO UPDATE SET signed_card = excluded.signed_card, \
     card_serial = excluded.card_serial, state = excluded.state, reason = excluded.reason, \
     changed_at_ms = excluded.changed_at_ms, opened_key = excluded.opened_key, \
     challenged_at_ms = excluded.challenged_at_ms, refused = excluded.refused"
);

const PUT_FORMER: &str = "INSERT INTO former_card (node, serial, signed_card, accepted_until_ms) \
     VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const FORMER: &str = "SELECT node, serial, signed_card, accepted_until_ms FROM former_card";

#[async_trait]
impl PeerRows for SqlTx {
    async fn peer(&mut self, node: &NodeId) -> Stored<Option<PeerRow>> {
        self.one(sql("peer", PEER).text(node.as_str()), peer).await
    }

    async fn peers(&mut self) -> Stored<Vec<PeerRow>> {
        let mut peers = self.all(sql("peer", PEERS), peer).await?;
        // Here and not in SQL, where the order of texts depends on the database.
        peers.sort_by(|a, b| a.node.cmp(&b.node));
        Ok(peers)
    }

    async fn put_peer(&mut self, row: PeerRow) -> Stored<()> {
        let put = sql("peer", PUT_PEER)
            .text(row.node)
            .bytes(row.signed_card)
            .integer(row.card_serial)
            .text(row.state.as_str())
            .text(row.reason)
            .instant(row.changed_at)
            .bytes(row.opened_key.map_or_else(Vec::new, |opened| opened.0.to_vec()))
            .instant(row.challenged_at)
            .text(row.refused);
        self.execute(put).await.map(drop)
    }

    async fn put_former_card(&mut self, row: FormerCardRow) -> Stored<()> {
        let put = sql("former_card", PUT_FORMER)
            .text(row.node)
            .integer(row.serial)
            .bytes(row.signed_card)
            .instant(row.accepted_until);
        self.execute(put).await.map(drop)
    }

    async fn former_cards(&mut self) -> Stored<Vec<FormerCardRow>> {
        let read = |row: &mut Columns<'_>| {
            let (node, serial) = (row.parsed()?, row.integer()?);
            let (signed_card, accepted_until) = (row.bytes()?, row.instant()?);
            Ok(FormerCardRow { node, serial, signed_card, accepted_until })
        };
        let mut cards = self.all(sql("former_card", FORMER), read).await?;
        cards.sort_by(|a, b| (&a.node, a.serial).cmp(&(&b.node, b.serial)));
        Ok(cards)
    }
}

fn peer(row: &mut Columns<'_>) -> Stored<PeerRow> {
    Ok(PeerRow {
        node: row.parsed()?,
        signed_card: row.bytes()?,
        card_serial: row.integer()?,
        state: row.parsed()?,
        reason: row.text()?,
        changed_at: row.instant()?,
        opened_key: match row.bytes()?.as_slice() {
            [] => None,
            bytes => Some(Digest::try_from(bytes).map_err(|_| StoreError::Damaged("peer"))?),
        },
        challenged_at: row.instant()?,
        refused: row.text()?,
    })
}
