-- Cards that a newer one of their node has followed.
CREATE TABLE former_card (
    -- A peer, or a party of an équipe that this hub carries.
    node               TEXT   NOT NULL,
    serial             BIGINT NOT NULL,
    -- Container `signed-card`.
    signed_card        BLOB   NOT NULL,
    -- Until when its TLS key is accepted beside the newest card's.
    accepted_until_ms  BIGINT NOT NULL,
    PRIMARY KEY (node, serial)
);

-- Serial of the own card in the key package's leaf.
ALTER TABLE own_key_package ADD COLUMN card_serial BIGINT NOT NULL DEFAULT 1;
