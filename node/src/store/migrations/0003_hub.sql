-- What a hub keeps.

-- The équipes it carries: the columns that every entry changes.
CREATE TABLE carried (
    lineage                 BLOB   NOT NULL PRIMARY KEY,
    name                    TEXT   NOT NULL,
    -- `founded`, `seeded`, `moved` or `behind`.
    state                   TEXT   NOT NULL,
    -- Raised first by every transaction that writes to the équipe.
    version                 BIGINT NOT NULL,
    group_id                BLOB   NOT NULL,
    epoch                   BIGINT NOT NULL,
    -- Newest entry, chained head at it, time of its acceptance.
    sequence                BIGINT NOT NULL,
    head                    BLOB   NOT NULL,
    accepted_at_ms          BIGINT NOT NULL,
    term                    BIGINT NOT NULL,
    -- SHA-256 of the statement with which the term began here.
    begun                   BLOB   NOT NULL,
    -- Payloads up to here are forgotten.
    trimmed                 BIGINT NOT NULL,
    stored_bytes            BIGINT NOT NULL,
    -- 0 for the configured default.
    entries_per_minute_max  BIGINT NOT NULL,
    stored_bytes_max        BIGINT NOT NULL,
    -- The group that the present one has succeeded; all zero where none went before.
    succeeds                BLOB   NOT NULL
);
CREATE INDEX carried_by_group ON carried (group_id);
CREATE INDEX carried_by_predecessor ON carried (succeeds);

-- What a carried équipe rests on: large, and seldom changed.
CREATE TABLE carried_document (
    lineage     BLOB NOT NULL PRIMARY KEY,
    -- Container `signed-statement`, the newest.
    statement   BLOB NOT NULL,
    -- Containers `signed-card`, each after its length (4 bytes, big-endian).
    cards       BLOB NOT NULL,
    -- Of the present epoch.
    group_info  BLOB NOT NULL
);

-- What waits to be founded: équipes, and later terms of carried ones.
CREATE TABLE offer (
    lineage        BLOB   NOT NULL,
    -- SHA-256 of the statement's canonical bytes.
    statement      BLOB   NOT NULL,
    name           TEXT   NOT NULL,
    -- `waiting`, `accepted` or `refused`.
    state          TEXT   NOT NULL,
    -- Raised first by every transaction that decides about the lineage's offers.
    version        BIGINT NOT NULL,
    -- Who offered it first, and when.
    offered_by     TEXT   NOT NULL,
    offered_at_ms  BIGINT NOT NULL,
    -- Container `signed-statement`.
    signed         BLOB   NOT NULL,
    -- Those in force before it, oldest first, and the containers `signed-card` of all
    -- parties: each after its length (4 bytes, big-endian).
    earlier        BLOB   NOT NULL,
    cards          BLOB   NOT NULL,
    PRIMARY KEY (lineage, statement)
);

-- Whose id each node id is in the équipes that are carried or accepted: one identity key.
CREATE TABLE served (
    lineage   BLOB   NOT NULL,
    node      TEXT   NOT NULL,
    identity  BLOB   NOT NULL,
    -- Whether it is a party no more.
    former    BIGINT NOT NULL,
    PRIMARY KEY (lineage, node)
);
CREATE INDEX served_by_node ON served (node);

-- Who would have had a node id stand for another identity key, for the administrator.
CREATE TABLE identity_conflict (
    node        TEXT   NOT NULL,
    claimed_by  TEXT   NOT NULL,
    lineage     BLOB   NOT NULL,
    at_ms       BIGINT NOT NULL,
    PRIMARY KEY (node, claimed_by)
);

-- Logs that parties hand over for an accepted term; the entries lie in `log_entry` under an id
-- that is no group's, until one is whole.
CREATE TABLE log_copy (
    lineage         BLOB   NOT NULL,
    -- Of the accepted offer.
    statement       BLOB   NOT NULL,
    -- Who hands it over.
    party           TEXT   NOT NULL,
    group_id        BLOB   NOT NULL,
    -- Place before the first entry.
    after           BIGINT NOT NULL,
    -- Newest entry, chained head at it, its epoch and time of acceptance.
    sequence        BIGINT NOT NULL,
    head            BLOB   NOT NULL,
    epoch           BIGINT NOT NULL,
    accepted_at_ms  BIGINT NOT NULL,
    stored_bytes    BIGINT NOT NULL,
    PRIMARY KEY (lineage, statement, party)
);

-- Statements that were in force in the carried logs: what shows a newcomer that the newest
-- follows from the one that it signed.
CREATE TABLE carried_statement (
    lineage  BLOB   NOT NULL,
    version  BIGINT NOT NULL,
    -- Container `signed-statement`.
    signed   BLOB   NOT NULL,
    PRIMARY KEY (lineage, version)
);

CREATE TABLE log_entry (
    group_id        BLOB   NOT NULL,
    -- From 1.
    sequence        BIGINT NOT NULL,
    epoch           BIGINT NOT NULL,
    -- 1 application, 2 commit, 3 notice.
    kind            BIGINT NOT NULL,
    sender          TEXT   NOT NULL,
    -- Chosen by the sender.
    entry           BLOB   NOT NULL,
    accepted_at_ms  BIGINT NOT NULL,
    -- Empty once trimmed.
    payload         BLOB   NOT NULL,
    -- Its length.
    payload_bytes   BIGINT NOT NULL,
    -- SHA-256 of the canonical entry, and the chained head.
    digest          BLOB   NOT NULL,
    head            BLOB   NOT NULL,
    PRIMARY KEY (group_id, sequence),
    UNIQUE (group_id, sender, entry)
);
CREATE INDEX log_entry_untrimmed ON log_entry (group_id, sequence) WHERE payload_bytes > 0;

-- What members have durably processed.
CREATE TABLE log_cursor (
    group_id  BLOB   NOT NULL,
    node      TEXT   NOT NULL,
    sequence  BIGINT NOT NULL,
    PRIMARY KEY (group_id, node)
);

-- Ratchet trees for newcomers.
CREATE TABLE group_tree (
    group_id       BLOB   NOT NULL,
    epoch          BIGINT NOT NULL,
    tree           BLOB   NOT NULL,
    expires_at_ms  BIGINT NOT NULL,
    PRIMARY KEY (group_id, epoch)
);
CREATE INDEX group_tree_by_expiry ON group_tree (expires_at_ms);

-- The newest place given out in each mailbox; outlives the items.
CREATE TABLE mailbox_counter (
    recipient  TEXT   NOT NULL PRIMARY KEY,
    sequence   BIGINT NOT NULL
);

CREATE TABLE mailbox (
    recipient      TEXT   NOT NULL,
    -- From 1.
    sequence       BIGINT NOT NULL,
    -- Chosen by the sender.
    item           BLOB   NOT NULL,
    sender         TEXT   NOT NULL,
    -- `pact`, `card`, `welcome`, `equipe_accepted` or `key_packages_wanted`.
    kind           TEXT   NOT NULL,
    payload        BLOB   NOT NULL,
    expires_at_ms  BIGINT NOT NULL,
    PRIMARY KEY (recipient, sequence),
    UNIQUE (sender, item)
);
CREATE INDEX mailbox_by_expiry ON mailbox (expires_at_ms);

-- Key packages to be claimed.
CREATE TABLE pool (
    owner            TEXT   NOT NULL,
    -- RFC 9420 section 5.2.
    reference        BLOB   NOT NULL,
    suite            BIGINT NOT NULL,
    -- Whether it stays when claimed.
    last_resort      BIGINT NOT NULL,
    key_package      BLOB   NOT NULL,
    expires_at_ms    BIGINT NOT NULL,
    deposited_at_ms  BIGINT NOT NULL,
    PRIMARY KEY (owner, reference)
);
CREATE INDEX pool_by_age ON pool (owner, suite, last_resort, deposited_at_ms);
CREATE INDEX pool_by_expiry ON pool (expires_at_ms);
