-- Key packages that were given out: their owners may deposit them once more, because an answer
-- was lost, and nobody may be added by them twice.
ALTER TABLE pool ADD COLUMN given BIGINT NOT NULL DEFAULT 0;
