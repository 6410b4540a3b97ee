-- Successor groups: what this node has signed, and how far the way into it has come.
CREATE TABLE successor (
    lineage        BLOB   NOT NULL,
    -- The group that ends.
    old_group      BLOB   NOT NULL,
    -- SHA-256 of the only statement that this node has signed as its successor's.
    signed         BLOB   NOT NULL,
    -- Container `signed-statement` once all have signed it, else empty.
    statement      BLOB   NOT NULL,
    -- Empty, `waiting`, `accepted`, `refused` or `founded`: what its hub has answered.
    answer         TEXT   NOT NULL,
    changed_at_ms  BIGINT NOT NULL,
    PRIMARY KEY (lineage, old_group)
);
