-- What claim remembers for the guards: the marketing messages that were handed to senders, and what is used up of rates and
-- budgets. Kept as long as there is a policy; docs/decisions/0011-guards.md tells why a table of its own.

CREATE TABLE nurture.sent (
    contact text COLLATE "C" NOT NULL,
    action uuid NOT NULL,
    at timestamptz NOT NULL,
    channel text COLLATE "C" NOT NULL,
    purpose text COLLATE "C" NOT NULL DEFAULT '',
    workflow text COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (contact, action)
);
-- Rows are nearly in the order of at: enough to find what no cap looks back to.
CREATE INDEX sent_at ON nurture.sent USING brin (at);
COMMENT ON TABLE nurture.sent IS
    'marketing messages that were claimed: what frequency caps count. Not those that failed for good, nor those older than any cap looks back';
COMMENT ON COLUMN nurture.sent.contact IS 'who the contact was then; caps look under all keys that are the contact''s today';
COMMENT ON COLUMN nurture.sent.at IS 'when it was claimed; of one that was tried again, the last time';

CREATE TABLE nurture.guard_counter (
    policy int NOT NULL, -- no foreign key: a parallel restore loads the two tables side by side
    key text COLLATE "C" NOT NULL,
    slot timestamptz NOT NULL DEFAULT '-infinity',
    used bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (policy, key)
) WITH (fillfactor = 50);
COMMENT ON TABLE nurture.guard_counter IS 'what was claimed under a policy''s rates, within the slot, and budgets, in all';
COMMENT ON COLUMN nurture.guard_counter.key IS 'rate minute email, budget, budget spring, …: raising a budget goes on counting';
COMMENT ON COLUMN nurture.guard_counter.slot IS 'of a rate: the second, minute, hour or day that is counted; -infinity: a budget';

REVOKE ALL ON TABLE nurture.sent, nurture.guard_counter FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.sent', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.guard_counter', '');

CREATE TYPE nurture._guard_traits AS (caps boolean, consent boolean, counters boolean, horizon bigint);
COMMENT ON TYPE nurture._guard_traits IS 'what policies ask for: caps, consent, rates or budgets; how many seconds back caps look';
