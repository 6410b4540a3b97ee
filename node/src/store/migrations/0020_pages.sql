-- What the desk's pages ask, answered soon also among very many rows.

-- Where an operator left off at the desk.
CREATE TABLE visit (
    operator        BLOB   NOT NULL PRIMARY KEY,
    -- Newest positions of objects and matches when the visit before this one ended.
    known_objects   BIGINT NOT NULL,
    known_matches   BIGINT NOT NULL,
    -- When that was; 0 where there was none.
    left_at_ms      BIGINT NOT NULL,
    -- Newest positions that this visit has met.
    met_objects     BIGINT NOT NULL,
    met_matches     BIGINT NOT NULL,
    seen_at_ms      BIGINT NOT NULL
);

-- All that the filters of a list ask, without the bodies beside it.
CREATE INDEX object_by_state
    ON object (state, position, origin, kind, lineage, version, object);
CREATE INDEX object_by_origin ON object (origin, position, state, kind, lineage);
-- What a member could not process of ours.
CREATE INDEX object_by_envelope ON object (envelope) WHERE received_at_ms IS NULL;
-- What waits for people.
CREATE INDEX found_match_undecided ON found_match (position)
    WHERE state IN ('candidate', 'confirmed_there');
CREATE INDEX found_match_unanswered ON found_match (position)
    WHERE state = 'linked' AND said_here = '';
