-- Operators who want to be told by e-mail that there is something new.

CREATE TABLE email_notice (
    operator        BLOB   NOT NULL PRIMARY KEY,
    sealed_address  BLOB   NOT NULL,
    -- Up to which positions of objects and of matches there was nothing new to tell.
    objects         BIGINT NOT NULL,
    matches         BIGINT NOT NULL,
    told_at_ms      BIGINT NOT NULL
);
