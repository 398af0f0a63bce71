-- The slots behind nurture.inbox, used in turn: new rows go to one of them; one that ceased to be it is drained, then
-- truncated and free again. So an inbox that is never empty gives its space back, and what a batch has to look at does not
-- grow, whoever holds a lock or a snapshot for however long. docs/decisions/0005-the-inbox-has-slots.md tells why so.
--
-- A slot is
--   free      turn is NULL: empty, may be the next
--   current   the one that the sequence names: takes new rows
--   closing   ceased to be the current, but a transaction of `writers` may still write there
--   drained   closed, and a snapshot later than the last writer saw it empty: the tick looks there no more
-- Whoever inserts holds ROW EXCLUSIVE on nurture.inbox from before he asks for the slot until his (sub)transaction ends, and
-- asks anew when he has lost it. So those who may still write into the former slot are among those who hold that lock
-- right after the change; when they are gone, it is closed. Nobody waits for anybody.

CREATE TABLE nurture._inbox_state (
    slot int PRIMARY KEY CHECK (slot BETWEEN 1 AND 1023),
    turn bigint,
    writers text[],
    drained xid8
);
COMMENT ON TABLE nurture._inbox_state IS 'the slots of the inbox; engine bookkeeping';
COMMENT ON COLUMN nurture._inbox_state.turn IS 'the order in which slots came to be used; NULL: free';
COMMENT ON COLUMN nurture._inbox_state.writers IS 'virtual transactions that may still write there; NULL: current or free';
COMMENT ON COLUMN nurture._inbox_state.drained IS 'a transaction later than all that took rows from it';
REVOKE ALL ON TABLE nurture._inbox_state FROM PUBLIC;

-- Not vacuumed (save against wraparound): it is truncated soon, and freed space in the middle would not be used.
CREATE FUNCTION nurture._make_slot(slot int) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name CONSTANT text := '_inbox_' || slot;
BEGIN
    EXECUTE format('CREATE TABLE nurture.%I (LIKE nurture.inbox INCLUDING DEFAULTS) '
                   'WITH (autovacuum_enabled = off, toast.autovacuum_enabled = off)', name);
    EXECUTE format('REVOKE ALL ON TABLE nurture.%I FROM PUBLIC', name);
    EXECUTE format('COMMENT ON TABLE nurture.%I IS %L', name, 'a slot of nurture.inbox');
    EXECUTE format('ALTER TABLE nurture.inbox ATTACH PARTITION nurture.%I FOR VALUES IN (%s)', name, slot);
    INSERT INTO nurture._inbox_state (slot) VALUES (slot);
END
$$;
COMMENT ON FUNCTION nurture._make_slot(int) IS 'makes one more slot of the inbox';
SELECT nurture._make_slot(slot) FROM pg_catalog.generate_series(1, 3) AS s (slot);
UPDATE nurture._inbox_state SET turn = 1 WHERE slot OPERATOR(pg_catalog.=) 1;

-- What waits is dumped as this table's rows, whatever slots there are: a slot takes a row only while it is the current one.
-- The first tick after a restore moves them to the inbox.
CREATE TABLE nurture._inbox_restored (LIKE nurture.inbox INCLUDING DEFAULTS);
COMMENT ON TABLE nurture._inbox_restored IS 'what waited in the inbox when the dump was made; empty but after a restore';
REVOKE ALL ON TABLE nurture._inbox_restored FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture._inbox_restored',
    'UNION ALL SELECT contact, type, at, props, message_id, kind, received_at FROM nurture.inbox');

-- The slots that may hold rows, in the order in which they were used.
CREATE FUNCTION nurture._open_slots() RETURNS text[]
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(array_agg('_inbox_' || s.slot ORDER BY s.turn NULLS LAST, s.slot), '{}')
            FROM nurture._inbox_state s
            WHERE s.drained IS NULL AND pg_relation_size(('nurture._inbox_' || s.slot)::regclass) > 0);
END
$$;
COMMENT ON FUNCTION nurture._open_slots() IS 'names of the slots of the inbox that may hold rows';

CREATE FUNCTION nurture._inbox_writers() RETURNS text[]
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
SELECT coalesce(array_agg(DISTINCT l.virtualtransaction), '{}')
FROM pg_locks l
WHERE l.locktype = 'relation' AND l.relation = 'nurture.inbox'::regclass AND l.mode <> 'AccessShareLock'
  AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
$$;
COMMENT ON FUNCTION nurture._inbox_writers() IS 'the transactions that may have asked for the current slot';

-- A transaction that was prepared has another name than it had; it can insert no more, but holds the slot's lock.
CREATE FUNCTION nurture._is_closed(slot int, writers text[]) RETURNS boolean
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
SELECT NOT EXISTS (
    SELECT FROM pg_locks l
    WHERE l.locktype = 'relation' AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
      AND l.mode <> 'AccessShareLock'
      AND (l.relation = 'nurture.inbox'::regclass AND l.virtualtransaction = ANY (writers)
           OR l.relation = ('nurture._inbox_' || slot)::regclass AND l.pid IS DISTINCT FROM pg_backend_pid()))
$$;
COMMENT ON FUNCTION nurture._is_closed(int, text[]) IS 'whether nobody can write into a former slot any more';

-- TRUNCATE is not for older snapshots: they would find a table empty whose rows, to them, were not taken yet. A dump takes
-- its snapshot first and its locks soon after; so whoever is younger than that is waited for. Without `since`: anybody.
CREATE FUNCTION nurture._is_seen(since xid8 DEFAULT NULL) RETURNS boolean
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
SELECT EXISTS (
    SELECT FROM pg_stat_activity a
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type NOT LIKE 'autovacuum%'
      AND a.backend_xmin IS NOT NULL AND (since IS NULL OR age(a.backend_xmin) >= age(since::xid))
      AND a.xact_start > clock_timestamp() - interval '5 minutes')
$$;
COMMENT ON FUNCTION nurture._is_seen(xid8) IS 'whether a snapshot from before is about that may yet want to read';

-- In READ COMMITTED: what the lock gave is looked at with a new snapshot.
CREATE FUNCTION nurture._truncate_if_empty(name text) RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    holds_rows boolean;
BEGIN
    EXECUTE format('LOCK TABLE nurture.%I IN ACCESS EXCLUSIVE MODE NOWAIT', name);
    EXECUTE format('SELECT EXISTS (SELECT FROM nurture.%I)', name) INTO holds_rows;
    IF NOT holds_rows THEN
        EXECUTE format('TRUNCATE nurture.%I', name);
    END IF;
    RETURN NOT holds_rows;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END
$$;
COMMENT ON FUNCTION nurture._truncate_if_empty(text) IS 'truncates a table nobody uses and that holds nothing; waits for nobody';

-- Makes a free slot the current one; false when none is free. Others see it at once, not at commit: should this transaction
-- be undone, _tend_slots puts the table right.
CREATE FUNCTION nurture._turn_slots() RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    now_at CONSTANT bigint := (SELECT t.last_value FROM nurture._inbox_turn t);
    next_slot int;
BEGIN
    SELECT s.slot INTO next_slot FROM nurture._inbox_state s
    WHERE s.turn IS NULL AND s.writers IS NULL AND s.slot <> now_at % 1024
      AND pg_relation_size(('nurture._inbox_' || s.slot)::regclass) = 0
    ORDER BY s.slot LIMIT 1;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE nurture._inbox_state s SET turn = now_at / 1024 + 1, drained = NULL WHERE s.slot = next_slot;
    PERFORM setval('nurture._inbox_turn', (now_at / 1024 + 1) * 1024 + next_slot);
    UPDATE nurture._inbox_state s SET writers = nurture._inbox_writers() WHERE s.slot = now_at % 1024;
    RETURN true;
END
$$;
COMMENT ON FUNCTION nurture._turn_slots() IS 'gives new rows another slot of the inbox';

-- The care of the slots, between ticks: closes, empties, turns, and makes more where locks have made it necessary.
CREATE FUNCTION nurture._tend_slots(turn_at bigint DEFAULT 2097152, truncate_at bigint DEFAULT 1048576) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    most CONSTANT int := 64;
    now_at bigint;
    former record;
    holds_rows boolean;
    current_size bigint;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed'
        OR NOT pg_try_advisory_xact_lock('nurture.engine'::regclass::oid::int, 0) THEN
        RETURN; -- a tick is at work: the next time
    END IF;
    SELECT t.last_value INTO now_at FROM nurture._inbox_turn t;
    -- A turn whose transaction was undone, and slots made since the last time: whoever opened the inbox before that does not
    -- know them yet.
    UPDATE nurture._inbox_state s SET turn = now_at / 1024, writers = NULL, drained = NULL
    WHERE s.slot = now_at % 1024 AND (s.turn IS DISTINCT FROM now_at / 1024 OR s.writers IS NOT NULL OR s.drained IS NOT NULL);
    UPDATE nurture._inbox_state s SET writers = nurture._inbox_writers()
    WHERE s.slot <> now_at % 1024 AND s.turn IS NOT NULL AND s.writers IS NULL;
    FOR former IN
        SELECT s.* FROM nurture._inbox_state s WHERE s.slot <> now_at % 1024 AND s.writers IS NOT NULL ORDER BY s.turn
    LOOP
        IF former.drained IS NULL THEN
            CONTINUE WHEN NOT nurture._is_closed(former.slot, former.writers)
                OR EXISTS (SELECT FROM nurture._drain_plan p WHERE p.part = '_inbox_' || former.slot);
            EXECUTE format('SELECT EXISTS (SELECT FROM nurture.%I)', '_inbox_' || former.slot) INTO holds_rows;
            CONTINUE WHEN holds_rows;
            UPDATE nurture._inbox_state s SET drained = pg_current_xact_id() WHERE s.slot = former.slot
            RETURNING s.drained INTO former.drained;
        END IF;
        IF pg_relation_size(('nurture._inbox_' || former.slot)::regclass) = 0
            OR NOT nurture._is_seen(former.drained) AND nurture._truncate_if_empty('_inbox_' || former.slot) THEN
            UPDATE nurture._inbox_state s SET turn = NULL, writers = NULL, drained = NULL WHERE s.slot = former.slot;
        END IF;
    END LOOP;
    current_size := pg_table_size(('nurture._inbox_' || now_at % 1024)::regclass);
    IF current_size < truncate_at OR EXISTS (SELECT FROM nurture._drain_plan p WHERE p.source = 'inbox') THEN
        RETURN;
    END IF;
    IF NOT nurture._is_seen() AND nurture._truncate_if_empty('_inbox_' || now_at % 1024) OR current_size < turn_at THEN
        RETURN;
    END IF;
    IF NOT nurture._turn_slots() AND (SELECT count(*) FROM nurture._inbox_state s) < most
        AND NOT EXISTS (SELECT FROM nurture._inbox_state s WHERE s.turn IS NULL) THEN
        BEGIN
            SET LOCAL lock_timeout = '100ms';
            PERFORM nurture._make_slot((SELECT max(s.slot) + 1 FROM nurture._inbox_state s));
            UPDATE nurture._inbox_state s SET turn = 0 WHERE s.slot = (SELECT max(o.slot) FROM nurture._inbox_state o);
            EXECUTE format('ALTER EXTENSION nurture ADD TABLE nurture.%I',
                           '_inbox_' || (SELECT max(s.slot) FROM nurture._inbox_state s));
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._tend_slots(bigint, bigint) IS 'empties, turns and makes slots of the inbox; waits for nobody';

-- History and what a restore brought are plain tables: truncated when they are empty.
CREATE FUNCTION nurture._tend_history(truncate_at bigint DEFAULT 1048576) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_table_size('nurture.history') >= truncate_at AND NOT nurture._is_seen()
        AND NOT EXISTS (SELECT FROM nurture._drain_plan p WHERE p.source = 'history') THEN
        PERFORM nurture._truncate_if_empty('history');
    END IF;
    IF pg_relation_size('nurture._inbox_restored') > 0 AND NOT nurture._is_seen() THEN
        PERFORM nurture._truncate_if_empty('_inbox_restored');
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._tend_history(bigint) IS 'truncates history when it is empty';

REVOKE ALL ON FUNCTION nurture._tend_history(bigint), nurture._make_slot(int), nurture._open_slots(), nurture._inbox_writers(),
    nurture._is_closed(int, text[]), nurture._is_seen(xid8), nurture._truncate_if_empty(text), nurture._turn_slots(),
    nurture._tend_slots(bigint, bigint) FROM PUBLIC;
