-- What the tick puts out beside actions: memberships and the history of every contact's path.

CREATE TABLE nurture.membership_entry (
    contact text COLLATE "C" NOT NULL,
    segment int NOT NULL,
    since timestamptz NOT NULL,
    cause text,
    PRIMARY KEY (contact, segment)
);
CREATE INDEX membership_entry_segment ON nurture.membership_entry (segment);
COMMENT ON TABLE nurture.membership_entry IS 'who is in which segment now, by the segment''s id; see nurture.membership';

CREATE VIEW nurture.membership AS
SELECT s.name AS segment, m.contact, m.since, m.cause
FROM nurture.membership_entry m JOIN nurture.segment s ON s.id = m.segment AND s.enabled;
COMMENT ON VIEW nurture.membership IS 'who is in which segment, since when and through what; the history is in nurture.transition';

CREATE TABLE nurture.transition (
    tick bigint NOT NULL,
    contact text COLLATE "C" NOT NULL,
    n int NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    name text COLLATE "C" NOT NULL,
    version int,
    step text,
    cause text NOT NULL,
    cause_tick bigint,
    cause_n int,
    detail jsonb,
    PRIMARY KEY (contact, tick, n)
);
COMMENT ON TABLE nurture.transition IS 'every change of a contact''s path: segments entered and left, journeys begun, waiting, ended';
COMMENT ON COLUMN nurture.transition.n IS 'order within the contact in the tick';
COMMENT ON COLUMN nurture.transition.at IS 'the logical time at which it happened, to the microsecond';
COMMENT ON COLUMN nurture.transition.kind IS
    'segment entered, segment left, journey started, journey waits, journey ended, branch ended, journey held out, goal reached, arm assigned (detail: '
    'experiment, arm), band changed (name: the topic, or score; detail: from, to), '
    'consent changed (name: channel/purpose; detail: channel, purpose, from, to)';
COMMENT ON COLUMN nurture.transition.detail IS
    'of journeys: reason (why it ended), instance (from the contact''s second on), branch (3.branch1: what waits, or has arrived or was left), via (the steps passed since the stop before: see docs/workflow_reports.md)';
COMMENT ON COLUMN nurture.transition.cause IS 'type of the event behind it, time, published, or the workflow step that wrote an attribute';
COMMENT ON COLUMN nurture.transition.cause_n IS 'with cause_tick: the event in nurture.event_log';

REVOKE ALL ON TABLE nurture.membership_entry, nurture.membership, nurture.transition FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.membership_entry', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.transition', '');
