-- Changes of membership: statements on their way to signature, and what is owed to
-- newcomers.

-- Statements that would follow the one in force, until one of them is.
CREATE TABLE proposal (
    lineage          BLOB   NOT NULL,
    -- SHA-256 of the statement's canonical bytes.
    statement        BLOB   NOT NULL,
    -- Encoded `PactProposal`.
    sealed_proposal  BLOB   NOT NULL,
    -- Whether this node began it.
    begun_here       BIGINT NOT NULL,
    changed_at_ms    BIGINT NOT NULL,
    PRIMARY KEY (lineage, statement)
);

-- Statements that were in force, as this node has followed them: what shows another hub that
-- the newest follows.
CREATE TABLE past_statement (
    lineage  BLOB   NOT NULL,
    version  BIGINT NOT NULL,
    -- Container `signed-statement`.
    signed   BLOB   NOT NULL,
    PRIMARY KEY (lineage, version)
);

-- Members that joined late, until they have this node's objects from before.
CREATE TABLE replay (
    lineage    BLOB   NOT NULL,
    recipient  TEXT   NOT NULL,
    -- 1 when it was a member before, and must hear of ends too.
    rejoined   BIGINT NOT NULL,
    -- Place in the log of the commit that added it.
    added_at   BIGINT NOT NULL,
    -- Newest object that was looked at, by position.
    position   BIGINT NOT NULL,
    -- Whether that was the last one.
    queued     BIGINT NOT NULL,
    -- The envelope queued last; NULL before the first.
    envelope   BLOB,
    PRIMARY KEY (lineage, recipient)
);

-- When this node last renewed the keys of its leaf.
CREATE TABLE key_update (
    lineage  BLOB   NOT NULL PRIMARY KEY,
    at_ms    BIGINT NOT NULL
);

-- Who was a member: it may read on to the commit that removed it.
CREATE TABLE log_leaver (
    group_id    BLOB   NOT NULL,
    node        TEXT   NOT NULL,
    -- Place of that commit.
    removed_at  BIGINT NOT NULL,
    PRIMARY KEY (group_id, node)
);
