-- Keys for tokens: their sharings and ceremonies, budgets, and what waits for tokens.

-- When the node looks next at the keys and tokens of an équipe.
CREATE TABLE key_duty (
    lineage        BLOB   NOT NULL PRIMARY KEY,
    -- By the node's clock; 0 is at once.
    due_at_ms      BIGINT NOT NULL,
    -- Whether the node was in from the beginning, so that it knows when there was no key yet.
    founder        BIGINT NOT NULL,
    -- When the members last changed, by the node's clock.
    changed_at_ms  BIGINT NOT NULL
);
INSERT INTO key_duty (lineage, due_at_ms, founder, changed_at_ms) SELECT lineage, 0, 1, 0 FROM equipe;

-- The sharing in force of each key.
CREATE TABLE key_sharing (
    lineage       BLOB   NOT NULL,
    -- `person_strong`, `person_weak` or `company`.
    class         TEXT   NOT NULL,
    key_epoch     BIGINT NOT NULL,
    generation    BIGINT NOT NULL,
    -- Canonical `key-sharing`; public.
    sharing       BLOB   NOT NULL,
    -- When it came into force, by the log.
    since_ms      BIGINT NOT NULL,
    -- From when on the node saw all requests; 0 is from the beginning.
    seen_from_ms  BIGINT NOT NULL,
    -- Why it does not stay: empty, `reshare`, `removal`, or `lost`.
    renewal       TEXT   NOT NULL,
    -- 1 where an administrator here has asked for another key.
    asked         BIGINT NOT NULL,
    -- Node ids of the members whose administrators have asked, with spaces between.
    asked_by      TEXT   NOT NULL,
    PRIMARY KEY (lineage, class)
);

-- This node's shares; more than one of a class only while a ceremony ends.
CREATE TABLE key_share (
    lineage     BLOB   NOT NULL,
    class       TEXT   NOT NULL,
    key_epoch   BIGINT NOT NULL,
    generation  BIGINT NOT NULL,
    -- Canonical `key-share`.
    sealed      BLOB   NOT NULL,
    PRIMARY KEY (lineage, class, key_epoch, generation)
);

-- The newest ceremony of each class.
CREATE TABLE key_ceremony (
    lineage      BLOB   NOT NULL,
    class        TEXT   NOT NULL,
    run          BLOB   NOT NULL,
    -- `planned` (here, and not in the log yet), `running`, `done`, `failed` or `overtaken`.
    state        TEXT   NOT NULL,
    -- Canonical `key-plan`.
    plan         BLOB   NOT NULL,
    -- Canonical `key-sharing` that is dealt anew; empty for a fresh key.
    old          BLOB   NOT NULL,
    -- When the plan was accepted by the log; of a planned one, when it was made here.
    began_at_ms  BIGINT NOT NULL,
    -- When the present phase ends, or when the ceremony ended.
    until_ms     BIGINT NOT NULL,
    -- What the own polynomial is made from; empty where this node does not deal.
    sealed_seed  BLOB   NOT NULL,
    -- The phase for which this node has said its part.
    posted       TEXT   NOT NULL,
    -- Ceremonies of the class that failed one after the other.
    failures     BIGINT NOT NULL,
    -- Why it failed; empty otherwise.
    failure      TEXT   NOT NULL,
    PRIMARY KEY (lineage, class)
);

-- What was said in a running ceremony and counts, in the order of the log.
CREATE TABLE key_act (
    lineage   BLOB   NOT NULL,
    class     TEXT   NOT NULL,
    -- From 1.
    position  BIGINT NOT NULL,
    sender    TEXT   NOT NULL,
    -- When the log accepted it.
    at_ms     BIGINT NOT NULL,
    -- Canonical `key-act`.
    act       BLOB   NOT NULL,
    PRIMARY KEY (lineage, class, position)
);

-- Tokens asked for on the newest day of the log.
CREATE TABLE budget_use (
    lineage    BLOB   NOT NULL,
    -- `YYYY-MM-DD`, UTC.
    day        TEXT   NOT NULL,
    requester  TEXT   NOT NULL,
    class      TEXT   NOT NULL,
    used       BIGINT NOT NULL,
    -- Requests that went over.
    refused    BIGINT NOT NULL,
    PRIMARY KEY (lineage, day, requester, class)
);

-- Records of which an équipe is to have tokens.
CREATE TABLE token_wanted (
    lineage  BLOB   NOT NULL,
    class    TEXT   NOT NULL,
    record   BLOB   NOT NULL,
    -- `wanted`, `asked` or `made`.
    state    TEXT   NOT NULL,
    -- When the record was last changed: the newest is served first.
    at_ms    BIGINT NOT NULL,
    PRIMARY KEY (lineage, class, record)
);
CREATE INDEX token_wanted_by_age ON token_wanted (lineage, class, state, at_ms);
CREATE INDEX token_wanted_by_record ON token_wanted (record);

-- Own requests whose tokens are not made yet.
CREATE TABLE token_request (
    lineage         BLOB   NOT NULL,
    request         BLOB   NOT NULL,
    class           TEXT   NOT NULL,
    key_epoch       BIGINT NOT NULL,
    -- How many elements.
    elements        BIGINT NOT NULL,
    -- Records and families; inputs and blinds in it, each under the key of its record.
    sealed          BLOB   NOT NULL,
    -- How often it was asked.
    attempts        BIGINT NOT NULL,
    -- When it was queued last.
    asked_at_ms     BIGINT NOT NULL,
    -- When the log accepted that; 0 before.
    accepted_at_ms  BIGINT NOT NULL,
    PRIMARY KEY (lineage, request)
);

-- Answers to own requests.
CREATE TABLE token_answer (
    lineage     BLOB   NOT NULL,
    request     BLOB   NOT NULL,
    member      TEXT   NOT NULL,
    generation  BIGINT NOT NULL,
    -- Canonical `key-evaluation`.
    evaluation  BLOB   NOT NULL,
    PRIMARY KEY (lineage, request, member)
);
