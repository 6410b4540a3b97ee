-- Hub terms after the first: what a member keeps so that another hub can go on.

-- The newest entries of each log, verbatim, until all members have them.
CREATE TABLE kept_entry (
    lineage         BLOB   NOT NULL,
    sequence        BIGINT NOT NULL,
    epoch           BIGINT NOT NULL,
    -- 1 application, 2 commit, 3 notice.
    kind            BIGINT NOT NULL,
    sender          TEXT   NOT NULL,
    entry           BLOB   NOT NULL,
    accepted_at_ms  BIGINT NOT NULL,
    payload         BLOB   NOT NULL,
    -- Bytes of the payloads up to this one since the first that was kept.
    bytes_through   BIGINT NOT NULL,
    PRIMARY KEY (lineage, sequence)
);

-- The log's way to another hub, from when all have signed until that hub has it.
CREATE TABLE hub_move (
    lineage        BLOB   NOT NULL PRIMARY KEY,
    -- Containers `signed-statement`: the one that begins the term, and the one before it.
    statement      BLOB   NOT NULL,
    previous       BLOB   NOT NULL,
    -- Empty, `waiting`, `accepted`, `refused` or `founded`: what that hub has answered.
    answer         TEXT   NOT NULL,
    changed_at_ms  BIGINT NOT NULL
);
