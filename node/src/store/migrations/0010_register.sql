-- The node's own register: people, companies and cases.

INSERT INTO counter (name, value) VALUES ('register', 0);

-- Keys that wrap the keys of records; a newer one takes the place of an older.
CREATE TABLE wrapping_key (
    -- From 1, never given twice.
    number      BIGINT NOT NULL PRIMARY KEY,
    -- Wrapped by the vault.
    wrapped     BLOB   NOT NULL,
    made_at_ms  BIGINT NOT NULL
);

CREATE TABLE register_record (
    record         BLOB   NOT NULL PRIMARY KEY,
    -- Order of adding.
    position       BIGINT NOT NULL UNIQUE,
    -- `person` or `company`.
    kind           TEXT   NOT NULL,
    -- Whose data it is: `company`, or `person` also for a sole trader.
    subject        TEXT   NOT NULL,
    organisation   BLOB   NOT NULL,
    -- `active` or `erased`.
    state          TEXT   NOT NULL,
    -- Which wrapping key wraps the record's key.
    key_number     BIGINT NOT NULL,
    -- Empty once the record is erased.
    wrapped_key    BLOB   NOT NULL,
    -- What is said of a company in codes; sealed under the record's key.
    sealed_codes   BLOB   NOT NULL,
    added_at_ms    BIGINT NOT NULL,
    -- Of the newest change, or of the erasure.
    changed_at_ms  BIGINT NOT NULL
);
CREATE INDEX register_record_by_organisation ON register_record (organisation, position);
CREATE INDEX register_record_by_key ON register_record (key_number, position);

-- One identifying value each, sealed under the record's key.
CREATE TABLE register_field (
    record  BLOB   NOT NULL,
    place   BIGINT NOT NULL,
    sealed  BLOB   NOT NULL,
    PRIMARY KEY (record, place)
);

-- Keyed digests of the values, by which a record is found.
CREATE TABLE register_index (
    digest  BLOB NOT NULL,
    record  BLOB NOT NULL,
    PRIMARY KEY (digest, record)
);
CREATE INDEX register_index_by_record ON register_index (record);

CREATE TABLE register_case (
    case_id        BLOB   NOT NULL PRIMARY KEY,
    -- Order of adding.
    position       BIGINT NOT NULL UNIQUE,
    record         BLOB   NOT NULL,
    organisation   BLOB   NOT NULL,
    -- The operator who answers for it.
    manager        BLOB   NOT NULL,
    -- Code of the list `case_state`, or `erased`.
    state          TEXT   NOT NULL,
    -- Sealed under the record's key; empty once the record is erased.
    sealed_codes   BLOB   NOT NULL,
    opened_at_ms   BIGINT NOT NULL,
    changed_at_ms  BIGINT NOT NULL
);
CREATE INDEX register_case_by_record ON register_case (record, position);
CREATE INDEX register_case_by_organisation ON register_case (organisation, position);

-- How far files have been imported.
CREATE TABLE register_import (
    -- Keyed digest of file and mapping.
    source         BLOB   NOT NULL PRIMARY KEY,
    kind           TEXT   NOT NULL,
    operator       BLOB   NOT NULL,
    -- Up to this line all is stored or refused.
    line           BIGINT NOT NULL,
    added          BIGINT NOT NULL,
    -- Lines whose record was there before.
    known          BIGINT NOT NULL,
    refused        BIGINT NOT NULL,
    began_at_ms    BIGINT NOT NULL,
    changed_at_ms  BIGINT NOT NULL
);
