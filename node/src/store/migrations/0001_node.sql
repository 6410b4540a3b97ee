-- The node itself, its directory, peers, pacts and the ledger of OpenMLS.
--
-- One text for SQLite and PostgreSQL, where `blob` is a domain over bytea. Times are
-- milliseconds since 1970 in UTC, flags are 0 or 1, ids are their bytes, node ids are text.
-- "Sealed" means encrypted by the node's vault.

-- Running numbers that no deletion may bring back.
CREATE TABLE counter (
    name   TEXT   NOT NULL PRIMARY KEY,
    -- The newest number given out.
    value  BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('object', 0), ('operator', 0), ('mail', 0), ('audit', 0);

-- What `init` wrote: one row.
CREATE TABLE node (
    only_row       BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
    node           TEXT   NOT NULL,
    -- Tells a wrong node key at start.
    vault_check    BLOB   NOT NULL,
    created_at_ms  BIGINT NOT NULL
);

-- The node's private keys and certificates.
CREATE TABLE secret (
    name    TEXT NOT NULL PRIMARY KEY,
    sealed  BLOB NOT NULL
);

-- Own signed cards.
CREATE TABLE own_card (
    serial       BIGINT NOT NULL PRIMARY KEY,
    -- Container `signed-card`.
    signed_card  BLOB   NOT NULL
);

-- The audit chain; opaque ids only.
CREATE TABLE audit (
    -- From 1, without gaps.
    sequence  BIGINT NOT NULL PRIMARY KEY,
    at_ms     BIGINT NOT NULL,
    actor     TEXT   NOT NULL,
    action    TEXT   NOT NULL,
    subject   TEXT   NOT NULL,
    -- JSON object of texts, keys ascending.
    detail    TEXT   NOT NULL,
    -- Hash of the record before.
    previous  BLOB   NOT NULL,
    hash      BLOB   NOT NULL
);

-- The newest processed item of our mailbox at each hub.
CREATE TABLE mailbox_cursor (
    hub       TEXT   NOT NULL PRIMARY KEY,
    sequence  BIGINT NOT NULL
);

-- Posts that wait for their hub.
CREATE TABLE mail (
    -- Order of queueing.
    position   BIGINT NOT NULL PRIMARY KEY,
    -- Key of deduplication at the hub.
    item       BLOB   NOT NULL UNIQUE,
    hub        TEXT   NOT NULL,
    recipient  TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    -- Sealed to the recipient.
    payload    BLOB   NOT NULL
);
CREATE INDEX mail_by_hub ON mail (hub, position);

-- Key packages of ours in the pools of hubs.
CREATE TABLE own_key_package (
    -- RFC 9420 section 5.2.
    reference      BLOB   NOT NULL PRIMARY KEY,
    hub            TEXT   NOT NULL,
    suite          BIGINT NOT NULL,
    last_resort    BIGINT NOT NULL,
    created_at_ms  BIGINT NOT NULL,
    -- The MLS message until the hub has it; then NULL.
    undelivered    BLOB
);
CREATE INDEX own_key_package_by_hub ON own_key_package (hub, created_at_ms, reference);

-- Starts of the process.
CREATE TABLE boot (
    boot   BLOB   NOT NULL PRIMARY KEY,
    at_ms  BIGINT NOT NULL
);

CREATE TABLE peer (
    node           TEXT   NOT NULL PRIMARY KEY,
    -- Container `signed-card`, the newest accepted.
    signed_card    BLOB   NOT NULL,
    card_serial    BIGINT NOT NULL,
    -- `introduced`, `verified`, `suspended` or `revoked`.
    state          TEXT   NOT NULL,
    reason         TEXT   NOT NULL,
    changed_at_ms  BIGINT NOT NULL,
    -- SHA-256 of the sealing key to which it has opened a challenge; none before.
    opened_key     BLOB,
    -- When it was challenged last; 0 before.
    challenged_at_ms BIGINT NOT NULL,
    -- Why a newer card was not taken; empty while its newest is here.
    refused        TEXT   NOT NULL
);

CREATE TABLE organisation (
    organisation   BLOB   NOT NULL PRIMARY KEY,
    name           TEXT   NOT NULL UNIQUE,
    -- Code of the list `organisation_class`.
    class          TEXT   NOT NULL,
    created_at_ms  BIGINT NOT NULL
);

CREATE TABLE operator (
    operator       BLOB   NOT NULL PRIMARY KEY,
    -- Order of adding.
    position       BIGINT NOT NULL UNIQUE,
    organisation   BLOB   NOT NULL,
    sealed_name    BLOB   NOT NULL,
    -- Keyed digest of the name.
    name_index     BLOB   NOT NULL UNIQUE,
    role           TEXT   NOT NULL,
    -- First bytes of the token's digest.
    token_lookup   BLOB   NOT NULL,
    -- argon2.
    token_hash     TEXT   NOT NULL,
    enabled        BIGINT NOT NULL,
    created_at_ms  BIGINT NOT NULL
);
CREATE INDEX operator_by_token ON operator (token_lookup);

-- Pacts on their way to signature, and after.
CREATE TABLE pact (
    lineage          BLOB   NOT NULL PRIMARY KEY,
    equipe           TEXT   NOT NULL,
    sealed_proposal  BLOB   NOT NULL,
    -- Empty, `waiting`, `accepted` or `refused`.
    hub_answer       TEXT   NOT NULL,
    changed_at_ms    BIGINT NOT NULL
);

-- What OpenMLS keeps.
CREATE TABLE ledger (
    -- `device`, `group/<hex>` or `hub/<hex>`.
    scope       TEXT NOT NULL,
    kind        TEXT NOT NULL,
    ledger_key  BLOB NOT NULL,
    sealed      BLOB NOT NULL,
    PRIMARY KEY (scope, kind, ledger_key)
);
