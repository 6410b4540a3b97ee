-- Personal accounts of operators at the desk.

CREATE TABLE account (
    operator         BLOB   NOT NULL PRIMARY KEY,
    -- argon2.
    password_hash    TEXT   NOT NULL,
    -- Of the one-time codes.
    sealed_seed      BLOB   NOT NULL,
    -- The newest step of which a code was used.
    used_step        BIGINT NOT NULL,
    -- Wrong attempts in a row, and until when nothing is tried.
    wrong            BIGINT NOT NULL,
    closed_until_ms  BIGINT NOT NULL,
    activated_at_ms  BIGINT NOT NULL
);

-- Links that activate an account, one for an operator.
CREATE TABLE invitation (
    operator       BLOB   NOT NULL PRIMARY KEY,
    -- Of what stands in the link.
    digest         BLOB   NOT NULL UNIQUE,
    expires_at_ms  BIGINT NOT NULL
);

CREATE TABLE desk_session (
    -- Digest of the browser's key.
    session      BLOB   NOT NULL PRIMARY KEY,
    operator     BLOB   NOT NULL,
    agent        BLOB   NOT NULL,
    begun_at_ms  BIGINT NOT NULL,
    seen_at_ms   BIGINT NOT NULL
);
CREATE INDEX desk_session_by_operator ON desk_session (operator);
