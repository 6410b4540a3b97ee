-- The équipes of which this node is a member, and what it sends to and holds from them.

-- Where each équipe stands in its log: the columns that every message changes.
CREATE TABLE equipe (
    lineage               BLOB   NOT NULL PRIMARY KEY,
    name                  TEXT   NOT NULL UNIQUE,
    -- The present MLS group.
    group_id              BLOB   NOT NULL,
    suite                 BIGINT NOT NULL,
    -- `founding`, `active`, `quarantined` or `ended`.
    state                 TEXT   NOT NULL,
    -- Raised first by every transaction that writes to the équipe.
    version               BIGINT NOT NULL,
    -- Of the present term.
    hub                   TEXT   NOT NULL,
    -- Newest processed entry, chained head at it, time of its acceptance.
    sequence              BIGINT NOT NULL,
    head                  BLOB   NOT NULL,
    accepted_at_ms        BIGINT NOT NULL,
    epoch                 BIGINT NOT NULL,
    -- RFC 9420 section 8.7.
    authenticator         BLOB   NOT NULL,
    -- Canonical bytes, empty before the first, and the hub's signature.
    checkpoint            BLOB   NOT NULL,
    checkpoint_signature  BLOB   NOT NULL,
    -- Running number of our next envelope.
    next_number           BIGINT NOT NULL,
    -- Newest entry for which a receipt is expected, and newest that ours cover.
    receipt_due           BIGINT NOT NULL,
    receipt_sent          BIGINT NOT NULL
);
CREATE INDEX equipe_by_group ON equipe (group_id);

-- What an équipe rests on: large, and seldom changed.
CREATE TABLE equipe_document (
    lineage      BLOB NOT NULL PRIMARY KEY,
    -- Container `signed-statement`.
    statement    BLOB NOT NULL,
    sealed_pact  BLOB NOT NULL
);

CREATE TABLE member (
    lineage       BLOB   NOT NULL,
    node          TEXT   NOT NULL,
    -- Newest entry that it has durably processed.
    delivered     BIGINT NOT NULL,
    -- By the hub's clock; 0 for never.
    last_seen_ms  BIGINT NOT NULL,
    last_number   BIGINT NOT NULL,
    PRIMARY KEY (lineage, node)
);

CREATE TABLE alarm (
    lineage       BLOB   NOT NULL,
    code          TEXT   NOT NULL,
    -- The member that it is about, and whom that one speaks of; empty for none.
    member        TEXT   NOT NULL,
    peer          TEXT   NOT NULL,
    -- The entry that it is about; 0 for none.
    place         BIGINT NOT NULL,
    detail        TEXT   NOT NULL,
    raised_at_ms  BIGINT NOT NULL,
    PRIMARY KEY (lineage, code, member, peer)
);

-- Envelopes of ours until every member has them.
CREATE TABLE envelope (
    lineage       BLOB   NOT NULL,
    -- Order of queueing.
    position      BIGINT NOT NULL,
    envelope      BLOB   NOT NULL,
    -- The entry that carries it; NULL until packed.
    entry         BLOB,
    -- The object that it speaks of.
    object        BLOB,
    case_bearing  BIGINT NOT NULL,
    sealed        BLOB   NOT NULL,
    -- Place in the log; 0 before.
    sequence      BIGINT NOT NULL,
    queued_at_ms  BIGINT NOT NULL,
    -- The own record of which it tells something, so that it goes with it; else NULL.
    record        BLOB,
    PRIMARY KEY (lineage, position),
    UNIQUE (lineage, envelope)
);
CREATE INDEX envelope_by_record ON envelope (record) WHERE record IS NOT NULL;
CREATE INDEX envelope_queued ON envelope (lineage, position) WHERE entry IS NULL;
CREATE INDEX envelope_by_entry ON envelope (lineage, entry, position);
CREATE INDEX envelope_by_place ON envelope (lineage, sequence);

-- Entries of ours for the log.
CREATE TABLE entry (
    lineage         BLOB   NOT NULL,
    -- Order of sending.
    position        BIGINT NOT NULL,
    -- Key of deduplication at the hub.
    entry           BLOB   NOT NULL,
    -- 1 application, 2 commit, 3 notice.
    kind            BIGINT NOT NULL,
    epoch           BIGINT NOT NULL,
    -- Exactly what is sent; empty while stale.
    payload         BLOB   NOT NULL,
    -- SHA-256.
    payload_digest  BLOB   NOT NULL,
    -- Of commits; else empty.
    group_info      BLOB   NOT NULL,
    welcome         BLOB   NOT NULL,
    -- The run of the process that made it.
    boot            BLOB   NOT NULL,
    -- `pending`, `stale`, `accepted` or `refused`.
    state           TEXT   NOT NULL,
    -- Place in the log; 0 before.
    sequence        BIGINT NOT NULL,
    reason          TEXT   NOT NULL,
    PRIMARY KEY (lineage, position),
    UNIQUE (lineage, entry)
);
CREATE INDEX entry_by_state ON entry (lineage, state, position);
CREATE INDEX entry_by_place ON entry (lineage, sequence);

-- Entries of this node that are delivered and forgotten: of the present epoch, and notices. One
-- that the hub shows again is not taken for a copy's.
CREATE TABLE made_entry (
    lineage         BLOB   NOT NULL,
    -- SHA-256.
    payload_digest  BLOB   NOT NULL,
    kind            BIGINT NOT NULL,
    epoch           BIGINT NOT NULL,
    PRIMARY KEY (lineage, payload_digest)
);

-- Envelopes received, so that a repetition is told.
CREATE TABLE seen (
    lineage        BLOB   NOT NULL,
    origin         TEXT   NOT NULL,
    envelope       BLOB   NOT NULL,
    expires_at_ms  BIGINT NOT NULL,
    PRIMARY KEY (lineage, origin, envelope)
);
CREATE INDEX seen_by_expiry ON seen (expires_at_ms);

-- What could not be processed.
CREATE TABLE set_aside (
    lineage   BLOB   NOT NULL,
    sequence  BIGINT NOT NULL,
    -- Empty when the whole entry could not be read.
    envelope  BLOB   NOT NULL,
    sender    TEXT   NOT NULL,
    reason    TEXT   NOT NULL,
    at_ms     BIGINT NOT NULL,
    PRIMARY KEY (lineage, sequence, envelope)
);
CREATE INDEX set_aside_by_sender ON set_aside (lineage, sender, sequence);

-- Parts of envelopes that came in several.
CREATE TABLE chunk (
    lineage        BLOB   NOT NULL,
    origin         TEXT   NOT NULL,
    -- Envelope id of the whole.
    whole          BLOB   NOT NULL,
    -- From 0.
    part           BIGINT NOT NULL,
    parts          BIGINT NOT NULL,
    sealed         BLOB   NOT NULL,
    expires_at_ms  BIGINT NOT NULL,
    PRIMARY KEY (lineage, origin, whole, part)
);
CREATE INDEX chunk_by_expiry ON chunk (expires_at_ms);

-- Envelopes of ours that a member could not process.
CREATE TABLE refusal (
    envelope  BLOB NOT NULL,
    lineage   BLOB NOT NULL,
    member    TEXT NOT NULL,
    reason    TEXT NOT NULL,
    PRIMARY KEY (envelope, lineage, member)
);

-- Shared objects, own and received.
CREATE TABLE object (
    object          BLOB   NOT NULL PRIMARY KEY,
    -- Order in which this node came to know them.
    position        BIGINT NOT NULL UNIQUE,
    lineage         BLOB   NOT NULL,
    -- `case` or `company`.
    kind            TEXT   NOT NULL,
    origin          TEXT   NOT NULL,
    version         BIGINT NOT NULL,
    -- `active`, `withdrawn` or `expired`.
    state           TEXT   NOT NULL,
    -- The envelope that made it known.
    envelope        BLOB   NOT NULL,
    -- Place in the log; 0 before.
    sequence        BIGINT NOT NULL,
    shared_at_ms    BIGINT NOT NULL,
    -- NULL for own ones.
    received_at_ms  BIGINT,
    expires_at_ms   BIGINT NOT NULL,
    -- Record key, wrapped by the vault; empty once ended.
    wrapped_key     BLOB   NOT NULL,
    -- Sealed under the record key; empty once ended.
    sealed_share    BLOB   NOT NULL,
    sealed_author   BLOB   NOT NULL,
    end_reason      TEXT   NOT NULL
);
CREATE INDEX object_by_equipe ON object (lineage, position);
CREATE INDEX object_by_expiry ON object (expires_at_ms, position) WHERE state = 'active';

-- Own objects that an operator of a member has opened.
CREATE TABLE object_read (
    object   BLOB NOT NULL,
    lineage  BLOB NOT NULL,
    member   TEXT NOT NULL,
    PRIMARY KEY (object, lineage, member)
);

-- Received objects that an operator here has opened.
CREATE TABLE read_note (
    lineage   BLOB   NOT NULL,
    object    BLOB   NOT NULL,
    -- Whether the origin is being told.
    reported  BIGINT NOT NULL,
    PRIMARY KEY (lineage, object)
);
CREATE INDEX read_note_unreported ON read_note (lineage, object) WHERE reported = 0;
