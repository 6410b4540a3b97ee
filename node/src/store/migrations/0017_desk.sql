-- What people began to write at the desk, and their own records of the audit.

CREATE TABLE draft (
    operator       BLOB   NOT NULL,
    -- Of what it becomes: `case` or `company`.
    kind           TEXT   NOT NULL,
    -- By the vault.
    sealed         BLOB   NOT NULL,
    changed_at_ms  BIGINT NOT NULL,
    PRIMARY KEY (operator, kind)
);

CREATE INDEX audit_by_actor ON audit (actor, sequence);
