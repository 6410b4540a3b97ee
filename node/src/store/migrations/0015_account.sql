-- Personal accounts of operators at the desk.

CREATE TABLE account (
    operator         BLOB   NOT NULL PRIMARY KEY,
    -- argon2.
    password_hash    TEXT   NOT NULL,
    -- Of the one-time codes.
    sealed_seed      BLOB   NOT NULL,
    -- The newest step of which a code was used.
    used_step        BIGINT NOT NULL,
    activated_at_ms  BIGINT NOT NULL
);

-- Who operators are at the region's identity provider.
CREATE TABLE provider_person (
    operator     BLOB   NOT NULL PRIMARY KEY,
    -- Keyed digest of issuer and subject.
    person       BLOB   NOT NULL UNIQUE,
    -- Canonical `provider-person`.
    sealed       BLOB   NOT NULL,
    bound_at_ms  BIGINT NOT NULL
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
