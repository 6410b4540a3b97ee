//! Whole tables, row by row: what a backup reads and a restoration writes.
//!
//! A backup leaves out what must not come back: the ledger of OpenMLS, above all its
//! ratchets, with the key packages that go with it, the entries already encrypted, and a
//! pending commit; also what a hub keeps, of which an old copy would fork a log.

use async_trait::async_trait;
use raccordo_core::backup::records::{Column, ColumnKind, Row, TableHead, Value};

use super::Stored;

use ColumnKind::{Bytes, Integer, Text};

/// A table of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// How many of its first columns are its primary key.
    pub key: usize,
    /// Its columns, those of the key first.
    pub columns: &'static [(&'static str, ColumnKind)],
}

impl Table {
    /// How a backup names it.
    pub fn head(&self) -> TableHead {
        let column = |&(name, kind): &(&str, ColumnKind)| Column { name: name.to_owned(), kind };
        TableHead { name: self.name.to_owned(), columns: self.columns.iter().map(column).collect() }
    }
}

const fn table(
    name: &'static str,
    key: usize,
    columns: &'static [(&'static str, ColumnKind)],
) -> Table {
    Table { name, key, columns }
}

/// Tables of which a backup holds every row, in the order in which it holds them.
pub const TABLES: &[Table] = &[
    table("counter", 1, &[("name", Text), ("value", Integer)]),
    table("secret", 1, &[("name", Text), ("sealed", Bytes)]),
    table("own_card", 1, &[("serial", Integer), ("signed_card", Bytes)]),
    table(
        "audit",
        1,
        &[
            ("sequence", Integer),
            ("at_ms", Integer),
            ("actor", Text),
            ("action", Text),
            ("subject", Text),
            ("detail", Text),
            ("previous", Bytes),
            ("hash", Bytes),
        ],
    ),
    table("mailbox_cursor", 1, &[("hub", Text), ("sequence", Integer)]),
    table(
        "mail",
        1,
        &[
            ("position", Integer),
            ("item", Bytes),
            ("hub", Text),
            ("recipient", Text),
            ("kind", Text),
            ("payload", Bytes),
        ],
    ),
    table(
        "peer",
        1,
        &[
            ("node", Text),
            ("signed_card", Bytes),
            ("card_serial", Integer),
            ("state", Text),
            ("reason", Text),
            ("changed_at_ms", Integer),
            ("opened_key", Bytes),
            ("challenged_at_ms", Integer),
            ("refused", Text),
        ],
    ),
    table(
        "former_card",
        2,
        &[
            ("node", Text),
            ("serial", Integer),
            ("signed_card", Bytes),
            ("accepted_until_ms", Integer),
        ],
    ),
    table(
        "organisation",
        1,
        &[("organisation", Bytes), ("name", Text), ("class", Text), ("created_at_ms", Integer)],
    ),
    table(
        "operator",
        1,
        &[
            ("operator", Bytes),
            ("position", Integer),
            ("organisation", Bytes),
            ("sealed_name", Bytes),
            ("name_index", Bytes),
            ("role", Text),
            ("token_lookup", Bytes),
            ("token_hash", Text),
            ("enabled", Integer),
            ("created_at_ms", Integer),
        ],
    ),
    table(
        "pact",
        1,
        &[
            ("lineage", Bytes),
            ("equipe", Text),
            ("sealed_proposal", Bytes),
            ("hub_answer", Text),
            ("changed_at_ms", Integer),
        ],
    ),
    table(
        "proposal",
        2,
        &[
            ("lineage", Bytes),
            ("statement", Bytes),
            ("sealed_proposal", Bytes),
            ("begun_here", Integer),
            ("changed_at_ms", Integer),
        ],
    ),
    table(
        "replay",
        2,
        &[
            ("lineage", Bytes),
            ("recipient", Text),
            ("rejoined", Integer),
            ("added_at", Integer),
            ("position", Integer),
            ("queued", Integer),
            ("envelope", Bytes),
        ],
    ),
    table(
        "equipe",
        1,
        &[
            ("lineage", Bytes),
            ("name", Text),
            ("group_id", Bytes),
            ("suite", Integer),
            ("state", Text),
            ("version", Integer),
            ("hub", Text),
            ("sequence", Integer),
            ("head", Bytes),
            ("accepted_at_ms", Integer),
            ("epoch", Integer),
            ("authenticator", Bytes),
            ("checkpoint", Bytes),
            ("checkpoint_signature", Bytes),
            ("next_number", Integer),
            ("receipt_due", Integer),
            ("receipt_sent", Integer),
        ],
    ),
    table(
        "equipe_document",
        1,
        &[("lineage", Bytes), ("statement", Bytes), ("sealed_pact", Bytes)],
    ),
    table(
        "member",
        2,
        &[
            ("lineage", Bytes),
            ("node", Text),
            ("delivered", Integer),
            ("last_seen_ms", Integer),
            ("last_number", Integer),
        ],
    ),
    table(
        "envelope",
        2,
        &[
            ("lineage", Bytes),
            ("position", Integer),
            ("envelope", Bytes),
            ("entry", Bytes),
            ("object", Bytes),
            ("case_bearing", Integer),
            ("sealed", Bytes),
            ("sequence", Integer),
            ("queued_at_ms", Integer),
            ("record", Bytes),
        ],
    ),
    table(
        "seen",
        3,
        &[("lineage", Bytes), ("origin", Text), ("envelope", Bytes), ("expires_at_ms", Integer)],
    ),
    table(
        "set_aside",
        3,
        &[
            ("lineage", Bytes),
            ("sequence", Integer),
            ("envelope", Bytes),
            ("sender", Text),
            ("reason", Text),
            ("at_ms", Integer),
        ],
    ),
    table(
        "chunk",
        4,
        &[
            ("lineage", Bytes),
            ("origin", Text),
            ("whole", Bytes),
            ("part", Integer),
            ("parts", Integer),
            ("sealed", Bytes),
            ("expires_at_ms", Integer),
        ],
    ),
    table("proof", 2, &[("lineage", Bytes), ("sequence", Integer), ("proof", Bytes)]),
    table(
        "refusal",
        3,
        &[("envelope", Bytes), ("lineage", Bytes), ("member", Text), ("reason", Text)],
    ),
    table(
        "object",
        1,
        &[
            ("object", Bytes),
            ("position", Integer),
            ("lineage", Bytes),
            ("kind", Text),
            ("origin", Text),
            ("version", Integer),
            ("state", Text),
            ("envelope", Bytes),
            ("sequence", Integer),
            ("shared_at_ms", Integer),
            ("received_at_ms", Integer),
            ("expires_at_ms", Integer),
            ("wrapped_key", Bytes),
            ("sealed_share", Bytes),
            ("sealed_author", Bytes),
            ("end_reason", Text),
        ],
    ),
    table("wrapping_key", 1, &[("number", Integer), ("wrapped", Bytes), ("made_at_ms", Integer)]),
    table(
        "register_record",
        1,
        &[
            ("record", Bytes),
            ("position", Integer),
            ("kind", Text),
            ("subject", Text),
            ("organisation", Bytes),
            ("state", Text),
            ("key_number", Integer),
            ("wrapped_key", Bytes),
            ("sealed_codes", Bytes),
            ("added_at_ms", Integer),
            ("changed_at_ms", Integer),
        ],
    ),
    table("register_field", 2, &[("record", Bytes), ("place", Integer), ("sealed", Bytes)]),
    table("register_index", 2, &[("digest", Bytes), ("record", Bytes)]),
    table(
        "register_case",
        1,
        &[
            ("case_id", Bytes),
            ("position", Integer),
            ("record", Bytes),
            ("organisation", Bytes),
            ("manager", Bytes),
            ("state", Text),
            ("sealed_codes", Bytes),
            ("opened_at_ms", Integer),
            ("changed_at_ms", Integer),
        ],
    ),
    table(
        "register_import",
        1,
        &[
            ("source", Bytes),
            ("kind", Text),
            ("operator", Bytes),
            ("line", Integer),
            ("added", Integer),
            ("known", Integer),
            ("refused", Integer),
            ("began_at_ms", Integer),
            ("changed_at_ms", Integer),
        ],
    ),
    table(
        "account",
        1,
        &[
            ("operator", Bytes),
            ("password_hash", Text),
            ("sealed_seed", Bytes),
            ("used_step", Integer),
            ("activated_at_ms", Integer),
        ],
    ),
    table(
        "provider_person",
        1,
        &[("operator", Bytes), ("person", Bytes), ("sealed", Bytes), ("bound_at_ms", Integer)],
    ),
    table(
        "email_notice",
        1,
        &[
            ("operator", Bytes),
            ("sealed_address", Bytes),
            ("objects", Integer),
            ("matches", Integer),
            ("told_at_ms", Integer),
        ],
    ),
    table(
        "visit",
        1,
        &[
            ("operator", Bytes),
            ("known_objects", Integer),
            ("known_matches", Integer),
            ("left_at_ms", Integer),
            ("met_objects", Integer),
            ("met_matches", Integer),
            ("seen_at_ms", Integer),
        ],
    ),
    table(
        "draft",
        2,
        &[("operator", Bytes), ("kind", Text), ("sealed", Bytes), ("changed_at_ms", Integer)],
    ),
    table(
        "token_wanted",
        3,
        &[
            ("lineage", Bytes),
            ("class", Text),
            ("record", Bytes),
            ("state", Text),
            ("at_ms", Integer),
        ],
    ),
    table(
        "token",
        4,
        &[
            ("record", Bytes),
            ("lineage", Bytes),
            ("class", Text),
            ("lookup", Bytes),
            ("key_epoch", Integer),
            ("family", Text),
            ("sealed", Bytes),
        ],
    ),
    table(
        "pair_secret",
        2,
        &[
            ("lineage", Bytes),
            ("peer", Text),
            ("sealed_own", Bytes),
            ("sealed_theirs", Bytes),
            ("tagged_until", Bytes),
            ("tagged", Integer),
        ],
    ),
    table(
        "own_tag",
        5,
        &[
            ("lineage", Bytes),
            ("peer", Text),
            ("tag", Bytes),
            ("record", Bytes),
            ("family", Text),
            ("class", Text),
        ],
    ),
    table(
        "tag_received",
        4,
        &[
            ("lineage", Bytes),
            ("peer", Text),
            ("tag", Bytes),
            ("object", Bytes),
            ("facts", Integer),
            ("register", Integer),
        ],
    ),
    table(
        "record_object",
        1,
        &[("object", Bytes), ("lineage", Bytes), ("record", Bytes), ("shared", Integer)],
    ),
    table(
        "found_match",
        1,
        &[
            ("match_id", Bytes),
            ("position", Integer),
            ("lineage", Bytes),
            ("counterpart", Text),
            ("record", Bytes),
            ("ours", Bytes),
            ("theirs", Bytes),
            ("state", Text),
            ("grade", Text),
            ("claimed", Text),
            ("seen", Integer),
            ("families", Text),
            ("reasons", Text),
            ("strength", Integer),
            ("said_here", Text),
            ("said_there", Text),
            ("decided_by", Bytes),
            ("sealed_contact", Bytes),
            ("found_at_ms", Integer),
            ("changed_at_ms", Integer),
        ],
    ),
    table(
        "match_event",
        1,
        &[
            ("envelope", Bytes),
            ("lineage", Bytes),
            ("peer", Text),
            ("operator", Bytes),
            ("sealed", Bytes),
        ],
    ),
    table(
        "stop_value",
        1,
        &[
            ("digest", Bytes),
            ("kind", Text),
            ("sealed", Bytes),
            ("added_by", Bytes),
            ("added_at_ms", Integer),
        ],
    ),
    table(
        "successor",
        2,
        &[
            ("lineage", Bytes),
            ("old_group", Bytes),
            ("signed", Bytes),
            ("statement", Bytes),
            ("answer", Text),
            ("changed_at_ms", Integer),
        ],
    ),
    table("past_statement", 2, &[("lineage", Bytes), ("version", Integer), ("signed", Bytes)]),
    table(
        "audit_head",
        3,
        &[
            ("node", Text),
            ("day", Integer),
            ("part", Text),
            ("sequence", Integer),
            ("hash", Bytes),
            ("signed_at_ms", Integer),
            ("signature", Bytes),
        ],
    ),
    table("operator_phone", 1, &[("operator", Bytes), ("sealed", Bytes)]),
    table("object_read", 3, &[("object", Bytes), ("lineage", Bytes), ("member", Text)]),
    table("read_note", 2, &[("lineage", Bytes), ("object", Bytes), ("reported", Integer)]),
];

/// Tables that a backup leaves out, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("_sqlx_migrations", "the restoring program makes its own schema"),
    ("node", "the restoration writes it, under its own node key"),
    ("boot", "starts of a process that is over"),
    ("ledger", "ratchets and key packages never come back"),
    ("own_key_package", "their private parts are in the ledger"),
    ("entry", "ciphertext of old ratchets, and pending commits"),
    ("made_entry", "of ratchets that are lost"),
    ("alarm", "raised again where they still hold"),
    ("stretch", "what was verified is verified again from where the node comes back"),
    ("kept_entry", "others keep them; who comes back from a backup joins again"),
    ("hub_move", "noted again from the signed statement"),
    ("stray", "it is about a group that is lost"),
    ("unfollowed", "a hub's log never comes back"),
    ("claim", "it is about entries after a place that is lost"),
    ("key_update", "of leaves that are lost; joining again brings new keys"),
    ("rejoin_request", "whoever asks asks again"),
    ("invitation", "a link that went out before works nowhere else"),
    ("desk_session", "everybody signs in again"),
    ("key_duty", "joining again begins it anew"),
    ("key_sharing", "the others share the key anew with who joins again"),
    ("key_share", "an old share would outlive the sharing that replaced it"),
    ("key_ceremony", "it goes on without this node, or has ended"),
    ("key_act", "it goes on without this node, or has ended"),
    ("budget_use", "of requests after a place that is lost, too"),
    ("token_request", "asked again"),
    ("token_answer", "asked again"),
    ("carried", "a hub's log never comes back"),
    ("carried_document", "a hub's log never comes back"),
    ("carried_statement", "a hub's log never comes back"),
    ("offer", "offered again"),
    ("log_copy", "handed over again"),
    ("served", "a hub's log never comes back"),
    ("identity_conflict", "found again where it is tried again"),
    ("log_entry", "a hub's log never comes back"),
    ("log_cursor", "a hub's log never comes back"),
    ("log_leaver", "a hub's log never comes back"),
    ("group_tree", "a hub's log never comes back"),
    ("mailbox_counter", "others' mail, which they send again"),
    ("mailbox", "others' mail, which they send again"),
    ("pool", "others' key packages, which they deposit again"),
];

/// What an [`Archive`] is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// One consistent state is read; others go on writing.
    Backup,
    /// Rows are written.
    Restoration,
}

/// A transaction over whole tables; dropping it rolls back.
#[async_trait]
pub trait Archive: Send {
    /// Rows after a row (from the first without one), by primary key, at most `limit`.
    async fn page(&mut self, table: &Table, after: Option<&Row>, limit: u32) -> Stored<Vec<Row>>;
    /// Deletes all rows of a table.
    async fn clear(&mut self, table: &TableHead) -> Stored<()>;
    /// Adds rows to a table.
    async fn fill(&mut self, table: &TableHead, rows: Vec<Row>) -> Stored<()>;
    /// Makes everything durable.
    async fn commit(self: Box<Self>) -> Stored<()>;
}

/// The value of a column; `Null` where there is no such column.
pub fn column<'r>(head: &TableHead, row: &'r Row, name: &str) -> &'r Value {
    let place = head.columns.iter().position(|column| column.name == name);
    place.and_then(|place| row.get(place)).unwrap_or(&Value::Null)
}
