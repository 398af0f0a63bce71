-- From 0.1 to 0.2, what scripts/update_script.pl cannot derive: the DDL of what holds data. docs/decisions/0006 has the rules.

-- Features learn their past, models are adopted by everybody, earlier versions of workflows retire.
ALTER TABLE nurture.engine ADD COLUMN due_behind boolean NOT NULL DEFAULT false, ADD COLUMN versions_checked timestamptz;
ALTER TABLE nurture.model ADD COLUMN held jsonb NOT NULL DEFAULT '[]', ADD COLUMN adopted boolean NOT NULL DEFAULT true,
    ADD COLUMN adopted_to text COLLATE "C" NOT NULL DEFAULT '', ADD COLUMN swept bigint NOT NULL DEFAULT 0,
    ADD COLUMN contacts bigint;
ALTER TABLE nurture.feature ALTER COLUMN complete_from DROP NOT NULL, ALTER COLUMN state DROP DEFAULT,
    DROP CONSTRAINT feature_state_check,
    ADD CONSTRAINT feature_state_check CHECK (state IN ('backfilling', 'live', 'ended'));
DROP INDEX nurture.feature_live;
-- What did not know the past before learns it now.
UPDATE nurture.feature SET state = 'ended', ended_tick = from_tick WHERE state = 'live' AND complete_from <> '-infinity';
ALTER TABLE nurture.workflow_version ADD COLUMN retired boolean NOT NULL DEFAULT false;

--@ last
-- What models are made of may have changed with the version: the next tick makes one anew.
INSERT INTO nurture.pending_change (kind, operation) VALUES ('extension', 'update');
SELECT nurture._announce();
