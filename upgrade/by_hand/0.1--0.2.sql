-- From 0.1 to 0.2, what scripts/update_script.pl cannot derive: the DDL of what holds data. docs/decisions/0006 has the rules.

--@ compatible nurture_worker_status: columns were added behind the others, and a caller gets those it has asked for

-- The inbox becomes a partitioned table; what waits in it goes along. A trigger of somebody else's would be lost without a word.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = 'nurture.inbox'::regclass AND NOT t.tgisinternal AND t.tgname <> 'wake') THEN
        RAISE EXCEPTION 'there are triggers on nurture.inbox that are not the extension''s' USING ERRCODE = 'dependent_objects_still_exist',
            HINT = 'The inbox is made anew by this update: drop them first, and make them again after it.';
    END IF;
END
$$;
SELECT nurture._update_save('TABLE nurture.inbox');
ALTER TABLE nurture.inbox RENAME TO _inbox_of_0_1;

-- Earlier versions of workflows retire, models are adopted by everybody, features are backfilled.
ALTER TABLE nurture.workflow_version ADD COLUMN retired boolean NOT NULL DEFAULT false;
ALTER TABLE nurture.engine
    ADD COLUMN due_behind boolean NOT NULL DEFAULT false,
    ADD COLUMN versions_checked timestamptz;
ALTER TABLE nurture.model
    ADD COLUMN held jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN adopted boolean NOT NULL DEFAULT true,
    ADD COLUMN adopted_to text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN swept bigint NOT NULL DEFAULT 0,
    ADD COLUMN contacts bigint;
ALTER TABLE nurture.feature
    ALTER COLUMN complete_from DROP NOT NULL,
    ALTER COLUMN state DROP DEFAULT,
    DROP CONSTRAINT feature_state_check,
    ADD CONSTRAINT feature_state_check CHECK (state IN ('backfilling', 'live', 'ended'));
DROP INDEX nurture.feature_live;

-- Messages that get something of what all share when they are claimed.
ALTER TABLE nurture.action ADD COLUMN draws jsonb;

-- One name space of keys. Version 0.1 wrote none.
ALTER TABLE nurture.identity DROP CONSTRAINT identity_pkey;
ALTER TABLE nurture.identity
    ALTER COLUMN kind DROP NOT NULL,
    ADD COLUMN tick bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT identity_pkey PRIMARY KEY (key);

--@ last
INSERT INTO nurture.inbox (contact, type, at, props, message_id, kind, received_at)
SELECT contact, type, at, props, message_id, kind, received_at FROM nurture._inbox_of_0_1;
ALTER EXTENSION nurture DROP TABLE nurture._inbox_of_0_1;
DROP TABLE nurture._inbox_of_0_1;

-- The versions of definitions begin with what there is.
SELECT nurture._keep_versions('there before version 0.2');

-- Features that began in the middle learn what they missed: the events before their first tick.
UPDATE nurture.feature SET state = 'backfilling', complete_from = NULL WHERE state = 'live' AND complete_from <> '-infinity';
INSERT INTO nurture.backfill (from_tick) SELECT DISTINCT from_tick FROM nurture.feature WHERE state = 'backfilling';

-- What models are made of may have changed with the version: the next tick makes one anew.
INSERT INTO nurture.pending_change (kind, operation) VALUES ('extension', 'update');
SELECT nurture._announce();

-- What was said about consent was logged by 0.1, and no more than that.
UPDATE nurture.contact c
SET state = nurture._take_consents(c.state, nurture._folded(m.model, c.contact, nurture._clock(c.state))),
    due = least(c.due, nurture._clock(c.state))
FROM nurture._current_model m
WHERE c.contact IN (SELECT l.contact FROM nurture.event_log l WHERE l.type = '$consent');
INSERT INTO nurture.suppression (contact, channel, purpose, reason, since, transactional, source)
SELECT c.contact, r.channel, r.purpose, r.reason, r.since, false, r.source
FROM nurture.contact c CROSS JOIN LATERAL nurture._refusals(c.state) r;

-- What is known of contacts is written in the form of this version when there is time for it; it is read in either.
INSERT INTO nurture.migration (position, step, version) VALUES (1, 'states', '0.2');
