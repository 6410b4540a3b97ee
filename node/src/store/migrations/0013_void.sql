-- Commits that nobody but their maker has followed yet.

-- At a hub: the group before such a commit.
CREATE TABLE unfollowed (
    group_id    BLOB   NOT NULL PRIMARY KEY,
    committer   TEXT   NOT NULL,
    -- The epoch before it.
    epoch       BIGINT NOT NULL,
    -- Container `signed-statement`, GroupInfo and ratchet tree before it.
    statement   BLOB   NOT NULL,
    group_info  BLOB   NOT NULL,
    tree        BLOB   NOT NULL,
    -- Its place, SHA-256 of its canonical entry, who has to hold it for void and who does:
    -- node ids with spaces between them.
    sequence    BIGINT NOT NULL,
    entry       BLOB   NOT NULL,
    needed      TEXT   NOT NULL,
    said        TEXT   NOT NULL
);

-- At a member: one that it cannot process, or its own.
CREATE TABLE stray (
    lineage      BLOB   NOT NULL PRIMARY KEY,
    committer    TEXT   NOT NULL,
    -- The epoch before it, and that of the log where this node has read to.
    epoch        BIGINT NOT NULL,
    log_epoch    BIGINT NOT NULL,
    -- Whether this node's administrator holds it for void.
    asked        BIGINT NOT NULL,
    -- Empty, or a member that has followed it.
    followed_by  TEXT   NOT NULL,
    sequence     BIGINT NOT NULL,
    entry        BLOB   NOT NULL,
    needed       TEXT   NOT NULL,
    said         TEXT   NOT NULL
);
