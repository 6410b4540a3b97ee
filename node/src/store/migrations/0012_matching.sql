-- Matching: tokens of own records, tags shown and received, matches, stop values.

INSERT INTO counter (name, value) VALUES ('match', 0);

-- Finished pseudonyms of own records.
CREATE TABLE token (
    record     BLOB   NOT NULL,
    lineage    BLOB   NOT NULL,
    -- `person_strong`, `person_weak` or `company`.
    class      TEXT   NOT NULL,
    -- Keyed digest of the token.
    lookup     BLOB   NOT NULL,
    key_epoch  BIGINT NOT NULL,
    family     TEXT   NOT NULL,
    sealed     BLOB   NOT NULL,
    PRIMARY KEY (record, lineage, class, lookup)
);
CREATE INDEX token_by_lineage ON token (lineage, record);

-- What this node and a peer share, of a half of each.
CREATE TABLE pair_secret (
    lineage        BLOB   NOT NULL,
    peer           TEXT   NOT NULL,
    -- Empty before this node has made its half.
    sealed_own     BLOB   NOT NULL,
    -- Empty before the peer's half has come.
    sealed_theirs  BLOB   NOT NULL,
    -- Records up to this id have their tags for the peer; none before the first, and when all
    -- have.
    tagged_until   BLOB,
    -- 1 when all have.
    tagged         BIGINT NOT NULL,
    PRIMARY KEY (lineage, peer)
);

-- How a token of an own record looks when the peer shows it to this node.
CREATE TABLE own_tag (
    lineage  BLOB NOT NULL,
    peer     TEXT NOT NULL,
    tag      BLOB NOT NULL,
    record   BLOB NOT NULL,
    class    TEXT NOT NULL,
    family   TEXT NOT NULL,
    PRIMARY KEY (lineage, peer, tag, record, family)
);
CREATE INDEX own_tag_by_record ON own_tag (record, lineage);

-- What peers show this node of their objects.
CREATE TABLE tag_received (
    lineage  BLOB NOT NULL,
    peer     TEXT NOT NULL,
    tag      BLOB NOT NULL,
    object   BLOB NOT NULL,
    -- What the peer knows at all of its record, masked by the token.
    facts    BIGINT NOT NULL,
    -- Exponent of the size of the peer's register.
    register BIGINT NOT NULL,
    PRIMARY KEY (lineage, peer, tag, object)
);
CREATE INDEX tag_received_by_object ON tag_received (object);

-- Which own record an own object is about; known to this node alone.
CREATE TABLE record_object (
    object   BLOB   NOT NULL PRIMARY KEY,
    lineage  BLOB   NOT NULL,
    record   BLOB   NOT NULL,
    -- 0 where the object only names the record in matches.
    shared   BIGINT NOT NULL
);
CREATE INDEX record_object_by_record ON record_object (record, lineage);

CREATE TABLE found_match (
    match_id       BLOB   NOT NULL PRIMARY KEY,
    -- Order of finding.
    position       BIGINT NOT NULL UNIQUE,
    lineage        BLOB   NOT NULL,
    counterpart    TEXT   NOT NULL,
    record         BLOB   NOT NULL,
    -- The object that names the record.
    ours           BLOB   NOT NULL,
    -- The counterpart's object.
    theirs         BLOB   NOT NULL,
    state          TEXT   NOT NULL,
    -- As this node computes it; of what only the counterpart says, `C`.
    grade          TEXT   NOT NULL,
    -- The best that either node has told.
    claimed        TEXT   NOT NULL,
    -- 1 where this node has computed the evidence by itself.
    seen           BIGINT NOT NULL,
    -- Names of the families that agree, with spaces between.
    families       TEXT   NOT NULL,
    -- What agrees, each with its tenths of bits, the strongest first: `phone:120 name:98`.
    reasons        TEXT   NOT NULL,
    -- Tenths of bits above what agrees by chance between the two registers.
    strength       BIGINT NOT NULL,
    -- The newest words; empty where none was said.
    said_here      TEXT   NOT NULL,
    said_there     TEXT   NOT NULL,
    -- The operator who decided last here.
    decided_by     BLOB,
    -- Who the counterpart's manager is; empty unless linked.
    sealed_contact BLOB   NOT NULL,
    found_at_ms    BIGINT NOT NULL,
    changed_at_ms  BIGINT NOT NULL
);
CREATE INDEX found_match_by_record ON found_match (record);
CREATE INDEX found_match_by_ours ON found_match (ours);
CREATE INDEX found_match_by_theirs ON found_match (theirs);

-- Own events of matches, until the log shows them.
CREATE TABLE match_event (
    envelope  BLOB NOT NULL PRIMARY KEY,
    lineage   BLOB NOT NULL,
    -- The counterpart to whom it is said.
    peer      TEXT NOT NULL,
    -- The operator who says it.
    operator  BLOB,
    sealed    BLOB NOT NULL
);

-- Values that many records share, and that are no evidence here.
CREATE TABLE stop_value (
    -- Keyed digest of kind and value.
    digest       BLOB   NOT NULL PRIMARY KEY,
    kind         TEXT   NOT NULL,
    sealed       BLOB   NOT NULL,
    added_by     BLOB   NOT NULL,
    added_at_ms  BIGINT NOT NULL
);

-- Phones at work, told to the manager on the other side of a linked match.
CREATE TABLE operator_phone (
    operator  BLOB NOT NULL PRIMARY KEY,
    sealed    BLOB NOT NULL
);
