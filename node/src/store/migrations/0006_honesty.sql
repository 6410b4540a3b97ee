-- What a member keeps to hold its hub to what it said.

-- The newest part of each log as it was verified: heads, digests, and the hub's signatures.
CREATE TABLE stretch (
    lineage               BLOB   NOT NULL,
    -- Place of the last entry, and of the entry before the first.
    last                  BIGINT NOT NULL,
    after                 BIGINT NOT NULL,
    -- Head before the first entry.
    head_before           BLOB   NOT NULL,
    -- SHA-256 of each canonical entry, 32 bytes each.
    digests               BLOB   NOT NULL,
    -- Canonical checkpoint of the last entry with its signature; empty where the hub signed none.
    checkpoint            BLOB   NOT NULL,
    checkpoint_signature  BLOB   NOT NULL,
    PRIMARY KEY (lineage, last)
);

-- What the hub has signed of a place at which this node has not arrived.
CREATE TABLE claim (
    lineage               BLOB   NOT NULL,
    -- Who said it: a member, or the hub.
    teller                TEXT   NOT NULL,
    sequence              BIGINT NOT NULL,
    head                  BLOB   NOT NULL,
    -- Signed by the hub.
    checkpoint            BLOB   NOT NULL,
    checkpoint_signature  BLOB   NOT NULL,
    noted_at_ms           BIGINT NOT NULL,
    PRIMARY KEY (lineage, teller)
);

-- Container `equivocation`, by the disputed place.
CREATE TABLE proof (
    lineage   BLOB   NOT NULL,
    sequence  BIGINT NOT NULL,
    proof     BLOB   NOT NULL,
    PRIMARY KEY (lineage, sequence)
);

-- Where other members have said that their audit chains end, of each day the first, the newest,
-- and the first that a later one contradicts.
CREATE TABLE audit_head (
    node          TEXT   NOT NULL,
    -- Days since 1970-01-01 UTC when it came.
    day           BIGINT NOT NULL,
    -- `first`, `newest` or `contradicted`.
    part          TEXT   NOT NULL,
    sequence      BIGINT NOT NULL,
    hash          BLOB   NOT NULL,
    signed_at_ms  BIGINT NOT NULL,
    -- By that node's identity key, over canonical `audit-head`.
    signature     BLOB   NOT NULL,
    PRIMARY KEY (node, day, part)
);
