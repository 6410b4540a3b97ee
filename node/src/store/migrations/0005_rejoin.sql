-- Requests to join an équipe again, until they are followed or overtaken.
CREATE TABLE rejoin_request (
    lineage        BLOB   NOT NULL,
    -- Who asks; this node too.
    node           TEXT   NOT NULL,
    -- The log entry that carries it.
    entry          BLOB   NOT NULL,
    -- Container `signed-notice`.
    signed_notice  BLOB   NOT NULL,
    -- Whether this node's administrator has approved it.
    approved       BIGINT NOT NULL,
    -- When it was made or came.
    noted_at_ms    BIGINT NOT NULL,
    PRIMARY KEY (lineage, node)
);
