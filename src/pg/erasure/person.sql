-- Where something of a person lies: the one list by which nurture.erase deletes and nurture.export_contact gathers.
-- sql/erasure.sql walks the catalogue and fails when a table can hold a person's key and is not in it.

-- $1: the contact's keys. $2: these, and the names of others whom the log takes for the contact at some time, as they were told
-- apart again: what was told of the contact's keys may stand in the log under such a name, and the other way round.
CREATE FUNCTION nurture._person_rows() RETURNS TABLE (relation text, condition text)
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
VALUES
    ('contact', 'contact = ANY ($1)'),
    ('base', 'contact = ANY ($1)'),
    ('event_log', 'contact = ANY ($2) AND key = ANY ($1)'),
    ('consent_proof', 'contact = ANY ($2) AND key = ANY ($1)'),
    ('transition', 'contact = ANY ($1)'),
    ('membership_entry', 'contact = ANY ($1)'),
    ('action', 'contact = ANY ($1)'),
    ('sent', 'contact = ANY ($1)'),
    ('coupon', 'contact = ANY ($1)'),
    ('list_member', 'list IN (SELECT name FROM nurture.list) AND contact = ANY ($1)'),
    ('suppression', 'contact = ANY ($1)'),
    ('opt_in', 'contact = ANY ($1)'),
    ('identity', 'contact = ANY ($1) OR key = ANY ($1)'),
    ('identity_history', 'key = ANY ($1)'),
    ('identity_conflict', 'key = ANY ($1) OR other_key = ANY ($1) OR contact = ANY ($1) OR other_contact = ANY ($1)'),
    ('merge_log', 'loser = ANY ($1) AND winner = ANY ($1)'),
    ('_decided', 'message_id IN (SELECT i.message_id FROM nurture.inbox i WHERE i.contact = ANY ($1))'), -- before the inbox
    ('inbox', 'contact = ANY ($1)'),
    ('history', 'contact = ANY ($1)'),
    ('_inbox_restored', 'contact = ANY ($1)'),
    ('_waiting', 'contact = ANY ($1)'),
    ('quarantine', 'contact = ANY ($1)'),
    ('quarantined_message', 'of_contact = ANY ($1) OR contact = ANY ($1)'),
    ('rejected_event', 'contact = ANY ($1)'),
    ('_past_of', 'contact = ANY ($1)'),
    ('_past_done', 'contact = ANY ($1)')
$$;
COMMENT ON FUNCTION nurture._person_rows() IS 'the tables that hold something of a person, and which rows of them';

-- How far something has come, by the key of a contact.
CREATE FUNCTION nurture._bookmarks() RETURNS TABLE (relation text, bookmark text)
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
VALUES ('backfill', 'behind_key'), ('backfill', 'upto_key'), ('_past_range', 'behind_key'), ('model', 'adopted_to'),
       ('migration', 'behind_key'), ('_retention_job', 'behind_key')
$$;
COMMENT ON FUNCTION nurture._bookmarks() IS 'columns that say how far something has come, by the key of a contact';

-- All the names under which something of the contact may lie: its keys, and those of whom it was told apart.
CREATE FUNCTION nurture._names_about(contact text) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT ARRAY(SELECT n.name FROM unnest(nurture._keys_of(contact) || coalesce(nurture._names_of(contact), '{}')) n (name) GROUP BY n.name)
$$;
COMMENT ON FUNCTION nurture._names_about(text) IS 'the keys of a contact, and of those from whom it was told apart';
REVOKE ALL ON FUNCTION nurture._person_rows(), nurture._bookmarks(), nurture._names_about(text) FROM PUBLIC;
