-- How the tick takes messages from the inbox and from history, batch by batch. The parts are called by nurture._tick_batch;
-- all of them run in one REPEATABLE READ transaction, so that every statement sees the same inbox.

CREATE UNLOGGED TABLE nurture._drain_plan (
    chunk bigint NOT NULL,
    source text NOT NULL,
    part text NOT NULL,
    rank bigint NOT NULL,
    first_block bigint NOT NULL,
    last_block bigint NOT NULL,
    horizon timestamptz NOT NULL,
    horizon_place bigint NOT NULL,
    PRIMARY KEY (source, chunk, part)
);
COMMENT ON TABLE nurture._drain_plan IS 'how a backlog is cut into batches: the blocks that a batch reads, and what it takes of them';
COMMENT ON COLUMN nurture._drain_plan.part IS 'the table: a slot of the inbox, or history';
COMMENT ON COLUMN nurture._drain_plan.rank IS 'order of the part among those of the plan';
COMMENT ON COLUMN nurture._drain_plan.horizon IS 'with horizon_place: the last message of the batch, by received_at, then place';

CREATE UNLOGGED TABLE nurture._drain_block (
    part text NOT NULL,
    rank bigint NOT NULL,
    number bigint NOT NULL,
    load double precision NOT NULL,
    earliest timestamptz,
    latest timestamptz
);
COMMENT ON TABLE nurture._drain_block IS 'blocks of a backlog while it is cut; empty otherwise';

-- What can wait (history, timers) is taken so little at a time that whoever comes to the inbox meanwhile waits for a tenth of a second
-- only; of history a stretch of blocks. Forgotten after a crash: then it is learnt anew.
CREATE UNLOGGED TABLE nurture._pace (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    rows double precision NOT NULL DEFAULT 2000,
    behind_block bigint NOT NULL DEFAULT 0,
    searched_at timestamptz,
    timers_at timestamptz
);
COMMENT ON TABLE nurture._pace IS 'how much of what can wait a batch takes, and how far nurture.history has been read';
COMMENT ON COLUMN nurture._pace.rows IS 'so many messages or timers take about a tenth of a second';
COMMENT ON COLUMN nurture._pace.behind_block IS 'blocks of history before this one were read; rows that came to lie there later are found at the end';
COMMENT ON COLUMN nurture._pace.searched_at IS 'when all of history was last looked through in vain';
COMMENT ON COLUMN nurture._pace.timers_at IS 'when timers last had their turn while history was waiting';
REVOKE ALL ON TABLE nurture._drain_plan, nurture._drain_block, nurture._pace FROM PUBLIC;

-- By hand nobody is waiting.
CREATE FUNCTION nurture._rows_at_a_time() RETURNS bigint
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT CASE WHEN nurture._by_hand() THEN b.rows ELSE least(b.rows, coalesce((SELECT p.rows::bigint FROM nurture._pace p), 2000)) END
FROM (SELECT current_setting('nurture.batch_rows')::bigint AS rows) b
$$;
COMMENT ON FUNCTION nurture._rows_at_a_time() IS 'how much of what can wait a batch takes';

-- Inlined. Everything that an application chooses counts; without fetching any of it.
CREATE FUNCTION nurture._message_size(contact text, type text, props jsonb, message_id text, kind text) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 5
    RETURN 128 + coalesce(nurture._jsonb_size(props), 0) + coalesce(octet_length(contact), 0) + coalesce(octet_length(type), 0)
           + coalesce(octet_length(message_id), 0) + coalesce(octet_length(kind), 0);
COMMENT ON FUNCTION nurture._message_size(text, text, jsonb, text, text) IS 'bytes that a message takes in a batch, about';

-- Of the tables named, one query: `%1$L` is the table's name, `%2$s` its rank, `%1$I` the table.
CREATE FUNCTION nurture._of_parts(parts text[], query text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
SELECT string_agg(format(query, p.name, p.rank - 1), ' UNION ALL ' ORDER BY p.rank)
FROM unnest(parts) WITH ORDINALITY p (name, rank)
$$;
COMMENT ON FUNCTION nurture._of_parts(text[], text) IS 'the same query of several tables';

-- Where the next rows of history lie. Behind what was read there are dead rows only, mostly, for as long as somebody's snapshot keeps the
-- table from being truncated: who looked through all of it in vain does not do so again at every tick.
CREATE FUNCTION nurture._history_begins() RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET synchronize_seqscans = off SET enable_seqscan = off AS $$
DECLARE
    size CONSTANT bigint := pg_relation_size('nurture.history');
    pace nurture._pace;
    begins bigint;
    last_block bigint;
BEGIN
    IF size = 0 THEN
        RETURN NULL;
    END IF;
    SELECT p.* INTO pace FROM nurture._pace p;
    IF NOT FOUND THEN
        INSERT INTO nurture._pace DEFAULT VALUES RETURNING * INTO pace;
    END IF;
    last_block := size / current_setting('block_size')::int - 1; -- may have got more rows since it was read
    SELECT nurture._block(h.ctid) INTO begins FROM nurture.history h
    WHERE h.ctid >= nurture._first_of(least(pace.behind_block, last_block)) LIMIT 1;
    IF begins IS NULL AND (size < 1048576 OR nurture._by_hand()
                           OR coalesce(pace.searched_at, '-infinity') < clock_timestamp() - interval '5 seconds') THEN
        SELECT nurture._block(h.ctid) INTO begins FROM nurture.history h LIMIT 1;
        IF begins IS NULL AND size >= 1048576 THEN
            UPDATE nurture._pace p SET searched_at = clock_timestamp();
        END IF;
    END IF;
    RETURN begins;
END
$$;
COMMENT ON FUNCTION nurture._history_begins() IS 'the block of the next waiting row of nurture.history; NULL: there is none to be seen';

CREATE FUNCTION nurture._history_waits() RETURNS boolean
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
SELECT EXISTS (SELECT FROM nurture._drain_plan p WHERE p.source = 'history') OR nurture._history_begins() IS NOT NULL
$$;
COMMENT ON FUNCTION nurture._history_waits() IS 'whether there is more of history';

-- A tenth of a second a batch, whatever machine and definitions make of that.
CREATE FUNCTION nurture._learn_pace(taken bigint, took interval) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF taken < 250 THEN
        RETURN;
    ELSIF NOT EXISTS (SELECT FROM nurture._pace) THEN
        INSERT INTO nurture._pace DEFAULT VALUES;
    END IF;
    UPDATE nurture._pace p
    SET rows = greatest(500, least(current_setting('nurture.batch_rows')::double precision, 2 * p.rows,
                                   (p.rows + taken * 0.1 / greatest(extract(epoch FROM took), 0.001)) / 2));
END
$$;
COMMENT ON FUNCTION nurture._learn_pace(bigint, interval) IS 'learns from a batch how much the next ones are to take';

-- A backlog that is larger than a batch is cut along (received_at, place) by one scan, so that messages are taken in this
-- order whatever the order in which they lie, no cut shows, and no batch is larger than allowed. Each batch has a horizon,
-- its last message, and reads the blocks that hold anything up to it.
--
-- Where rows lie in the order of received_at, nearly, as writers make it, blocks are cut rather than rows: cheap. What a batch
-- then leaves behind its horizon is the next one's; an eighth of a batch is kept free for that. Otherwise rows are sorted.
CREATE FUNCTION nurture._plan_drain(source text, moment timestamptz) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' SET jit = off
    SET enable_nestloop = on AS $$
#variable_conflict use_variable
DECLARE
    max_rows double precision := current_setting('nurture.batch_rows');
    max_bytes CONSTANT double precision := pg_size_bytes(current_setting('nurture.batch_bytes'));
    first_block bigint := 0;
    behind_block bigint := 4294967293;
    parts CONSTANT text[] := CASE source WHEN 'history' THEN '{history}' ELSE nurture._open_slots() END;
    message_load CONSTANT text := 'greatest(1 / $2, nurture._message_size(contact, type, props, message_id, kind) / $3)';
    total double precision;
    largest double precision;
    chunks bigint;
BEGIN
    IF parts = '{}' THEN
        RETURN 0;
    END IF;
    IF source = 'history' THEN
        first_block := nurture._history_begins();
        max_rows := nurture._rows_at_a_time();
        behind_block := first_block + greatest(64, ceil(max_rows / 8)::bigint);
        UPDATE nurture._pace p SET behind_block = behind_block;
    END IF;
    DELETE FROM nurture._drain_block;
    EXECUTE 'INSERT INTO nurture._drain_block ' || nurture._of_parts(parts, $query$
        SELECT %1$L, %2$s, nurture._block(ctid), sum($query$ || message_load || $query$),
               min(received_at) FILTER (WHERE isfinite(received_at) AND received_at <= $1 + interval '24 hours'),
               max(received_at) FILTER (WHERE isfinite(received_at) AND received_at <= $1 + interval '24 hours')
        FROM nurture.%1$I WHERE ((received_at > $1 AND received_at <= $1 + interval '24 hours') IS NOT TRUE OR $4)
                                AND ctid >= $5 AND ctid < $6
        GROUP BY nurture._block(ctid)$query$)
    USING moment, max_rows, max_bytes, source = 'history', nurture._first_of(first_block), nurture._first_of(behind_block);
    SELECT coalesce(sum(b.load), 0), coalesce(max(b.load), 0) INTO total, largest FROM nurture._drain_block b;
    IF total <= 1 AND source = 'inbox' THEN
        DELETE FROM nurture._drain_block;
        RETURN 1;
    END IF;
    IF largest <= 0.125 THEN
        chunks := nurture._plan_by_blocks(source, moment, 0.875 - largest);
    END IF;
    IF chunks IS NULL THEN
        EXECUTE $query$
            WITH message AS (
                SELECT m.*, coalesce(sum(m.load) OVER (ORDER BY m.key, m.place ROWS BETWEEN UNBOUNDED PRECEDING
                                                                                   AND 1 PRECEDING), 0) AS before
                FROM ($query$ || nurture._of_parts(parts, $query$
                    SELECT %1$L AS part, %2$s::bigint AS rank, %2$s::bigint << 48 | nurture._place(ctid) AS place,
                           CASE WHEN isfinite(received_at) AND received_at <= $1 + interval '24 hours'
                                THEN received_at ELSE '-infinity' END AS key,
                           $query$ || message_load || $query$ AS load
                    FROM nurture.%1$I
                    WHERE ((received_at > $1 AND received_at <= $1 + interval '24 hours') IS NOT TRUE OR $4)
                          AND ctid >= $6 AND ctid < $7$query$)
                || $query$) m
            ), numbered AS (
                -- A message larger than a batch is one by itself, or shares it with the few before it.
                SELECT m.part, m.rank, m.place, m.key,
                       floor(m.before / greatest(1 - (SELECT max(o.load) FROM message o), 0.5))::bigint AS chunk
                FROM message m
            ), last AS (
                SELECT DISTINCT ON (n.chunk) n.chunk, n.key, n.place FROM numbered n ORDER BY n.chunk, n.key DESC, n.place DESC
            )
            INSERT INTO nurture._drain_plan
            SELECT n.chunk, $5, n.part, n.rank, min(n.place >> 16 & 4294967295), max(n.place >> 16 & 4294967295), l.key, l.place
            FROM numbered n JOIN last l USING (chunk) GROUP BY n.chunk, n.part, n.rank, l.key, l.place
            $query$ USING moment, max_rows, max_bytes, source = 'history', source, nurture._first_of(first_block),
                          nurture._first_of(behind_block);
        SELECT count(DISTINCT p.chunk) INTO chunks FROM nurture._drain_plan p WHERE p.source = source;
    END IF;
    DELETE FROM nurture._drain_block;
    RETURN chunks;
END
$$;
COMMENT ON FUNCTION nurture._plan_drain(text, timestamptz) IS
    'cuts a backlog into batches, of history a stretch of it; returns how many; of the inbox nothing is planned when one batch takes it all';

CREATE FUNCTION nurture._plan_by_blocks(source text, moment timestamptz, size double precision) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' SET jit = off AS $$
#variable_conflict use_variable
DECLARE
    chunks bigint;
    most_carried double precision;
BEGIN
    -- A batch reads its own blocks, and earlier ones that reach beyond the horizon before.
    WITH block AS (
        SELECT b.*, floor((sum(b.load) OVER (ORDER BY b.rank, b.number) - b.load) / size)::bigint AS chunk
        FROM nurture._drain_block b
    ), range AS (
        SELECT b.chunk, min(b.earliest) AS earliest FROM block b GROUP BY b.chunk
    ), horizon AS (
        SELECT r.chunk, CASE source WHEN 'history' THEN 'infinity'
                        ELSE least(moment, min(r.earliest) OVER (ORDER BY r.chunk ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING))
                        END AS at
        FROM range r
    ), later AS (
        SELECT h.chunk, lag(h.at) OVER (ORDER BY h.chunk) AS behind FROM horizon h
    ), own AS (
        SELECT b.*, h.at FROM block b JOIN horizon h USING (chunk)
    ), carried AS (
        SELECT l.chunk AS by, o.part, o.rank, o.number, o.load
        FROM own o JOIN later l ON l.chunk > o.chunk AND o.latest > l.behind
        WHERE o.latest > o.at
    ), piece AS (
        SELECT o.chunk AS by, o.part, o.rank, o.number FROM own o
        UNION ALL
        SELECT c.by, c.part, c.rank, c.number FROM carried c
    ), planned AS (
        INSERT INTO nurture._drain_plan
        SELECT p.by, source, p.part, p.rank, min(p.number), max(p.number), h.at, 9223372036854775807
        FROM piece p JOIN horizon h ON h.chunk = p.by
        GROUP BY p.by, p.part, p.rank, h.at
        RETURNING chunk
    )
    SELECT (SELECT count(DISTINCT p.chunk) FROM planned p),
           coalesce((SELECT max(c.load) FROM (SELECT sum(d.load) AS load FROM carried d GROUP BY d.by) c), 0)
    INTO chunks, most_carried;
    IF most_carried > 0.125 THEN
        DELETE FROM nurture._drain_plan p WHERE p.source = source;
        RETURN NULL;
    END IF;
    RETURN chunks;
END
$$;
COMMENT ON FUNCTION nurture._plan_by_blocks(text, timestamptz, double precision) IS
    'cuts a backlog by blocks; NULL when that would make batches too large';

-- Whether anything is waiting that was received by then, or that nothing can be waited for with.
CREATE FUNCTION nurture._is_waiting(moment timestamptz) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part text;
    waiting boolean;
BEGIN
    FOREACH part IN ARRAY nurture._open_slots() LOOP
        EXECUTE format($query$SELECT EXISTS (SELECT FROM nurture.%I
            WHERE (received_at > $1 AND received_at <= $1 + interval '24 hours') IS NOT TRUE)$query$, part)
        INTO waiting USING moment;
        IF waiting THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END
$$;
COMMENT ON FUNCTION nurture._is_waiting(timestamptz) IS 'whether the inbox holds something to take at that moment';

CREATE FUNCTION nurture._next_received(moment timestamptz) RETURNS timestamptz
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part text;
    received timestamptz;
    earliest timestamptz;
BEGIN
    FOREACH part IN ARRAY nurture._open_slots() LOOP
        EXECUTE format('SELECT min(received_at) FROM nurture.%I WHERE received_at > $1', part) INTO received USING moment;
        earliest := least(earliest, received);
    END LOOP;
    RETURN earliest;
END
$$;
COMMENT ON FUNCTION nurture._next_received(timestamptz) IS 'the earliest received_at after then';

-- The next batch. `all_of_it`: it takes everything received by then; `chunk` is NULL then.
CREATE FUNCTION nurture._next_range(moment timestamptz, OUT source text, OUT chunk bigint, OUT horizon timestamptz,
        OUT horizon_place bigint, OUT all_of_it boolean)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
    -- A block holds no more than a hundred messages or so: below that many blocks one batch takes it all.
    small CONSTANT bigint := greatest(current_setting('nurture.batch_rows')::bigint / 100, 1) * current_setting('block_size')::bigint;
    max_bytes CONSTANT bigint := pg_size_bytes(current_setting('nurture.batch_bytes'));
    due_from CONSTANT timestamptz := coalesce((SELECT e.due_from FROM nurture.engine e), '-infinity');
    planned record;
BEGIN
    all_of_it := false;
    IF EXISTS (SELECT FROM nurture._waiting) THEN
        source := 'waiting'; -- and nothing else
        RETURN;
    END IF;
    IF pg_relation_size('nurture._inbox_restored') > 0 THEN
        INSERT INTO nurture.inbox SELECT r.* FROM nurture._inbox_restored r ORDER BY r.ctid;
        DELETE FROM nurture._inbox_restored;
    END IF;
    SELECT p.* INTO planned FROM nurture._drain_plan p WHERE p.source = 'inbox' ORDER BY p.chunk LIMIT 1;
    IF NOT FOUND AND EXISTS (SELECT FROM unnest(nurture._open_slots()) p (name)
                             HAVING sum(pg_relation_size(('nurture.' || p.name)::regclass)) > small
                                 OR sum(pg_table_size(('nurture.' || p.name)::regclass)) > max_bytes)
        AND nurture._plan_drain('inbox', moment) > 1 THEN
        SELECT p.* INTO planned FROM nurture._drain_plan p WHERE p.source = 'inbox' ORDER BY p.chunk LIMIT 1;
        -- While the backlog is worked off new rows go elsewhere, so that its slots become empty for good.
        PERFORM nurture._turn_slots();
    END IF;
    IF planned.chunk IS NULL AND pg_relation_size('nurture.history') > 0 AND NOT nurture._is_waiting(moment)
        AND (nurture._by_hand() OR EXISTS (SELECT FROM nurture._pace p WHERE p.timers_at > clock_timestamp() - interval '1 second')
             OR NOT EXISTS (SELECT FROM nurture.contact c WHERE c.due >= due_from AND c.due <= moment)) THEN
        -- Nothing is waiting: history has its turn; but once a second timers have theirs.
        SELECT p.* INTO planned FROM nurture._drain_plan p WHERE p.source = 'history' ORDER BY p.chunk LIMIT 1;
        IF NOT FOUND AND nurture._history_begins() IS NOT NULL THEN
            PERFORM nurture._plan_drain('history', moment);
            SELECT p.* INTO planned FROM nurture._drain_plan p WHERE p.source = 'history' ORDER BY p.chunk LIMIT 1;
        END IF;
    END IF;
    source := coalesce(planned.source, 'inbox');
    chunk := planned.chunk;
    all_of_it := chunk IS NULL;
    IF planned.horizon <= moment OR source = 'history' AND NOT all_of_it THEN
        horizon := planned.horizon;
        horizon_place := planned.horizon_place;
    ELSE -- also for an interrupted tick's plan whose moment was later
        horizon := moment;
        horizon_place := 9223372036854775807;
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._next_range(timestamptz) IS 'what the next batch takes; source waiting: what lies behind a merge';

-- Where the batch's rows lie.
CREATE FUNCTION nurture._pieces(source text, chunk bigint)
    RETURNS TABLE (part text, rank bigint, first_row tid, behind_row tid)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF chunk IS NULL THEN
        RETURN QUERY SELECT s.name, s.rank - 1, nurture._first_of(0), nurture._first_of(4294967293)
        FROM unnest(nurture._open_slots()) WITH ORDINALITY s (name, rank);
    ELSE
        RETURN QUERY SELECT p.part, p.rank, nurture._first_of(p.first_block), nurture._first_of(p.last_block + 1)
        FROM nurture._drain_plan p WHERE p.source = _pieces.source AND p.chunk = _pieces.chunk ORDER BY p.rank;
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._pieces(text, bigint) IS 'the tables and rows that a batch reads';

-- What of a piece belongs to the batch; $1 to $3 are horizon, horizon_place, moment. A received_at that nothing can be waited
-- for with counts as the earliest.
CREATE FUNCTION nurture._taken(piece record) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN format('b.ctid >= %L AND b.ctid < %L AND (CASE WHEN isfinite(b.received_at) AND b.received_at <= $3 + interval ''24 hours'' '
                  'THEN b.received_at ELSE ''-infinity'' END, %s::bigint << 48 | nurture._place(b.ctid)) <= ($1, $2)',
                  piece.first_row, piece.behind_row, piece.rank);
END
$$;
COMMENT ON FUNCTION nurture._taken(record) IS 'condition: the row belongs to the batch';

-- What waited is in the batch. Nobody else writes there but nurture.release(), which a tick with an older snapshot runs into.
CREATE FUNCTION nurture._forget_waiting() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_relation_size('nurture._waiting') > 1048576 THEN
        BEGIN
            LOCK TABLE nurture._waiting IN ACCESS EXCLUSIVE MODE NOWAIT;
            TRUNCATE nurture._waiting;
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
    END IF;
    DELETE FROM nurture._waiting;
END
$$;
COMMENT ON FUNCTION nurture._forget_waiting() IS 'empties nurture._waiting';
REVOKE ALL ON FUNCTION nurture._forget_waiting() FROM PUBLIC;

-- The rows of a batch, with their keys resolved and what is wrong with them.
CREATE FUNCTION nurture._fill_batch(source text, chunk bigint, horizon timestamptz, horizon_place bigint, moment timestamptz)
    RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_hashjoin = off SET enable_mergejoin = off
    SET enable_seqscan = off SET work_mem = '64MB' SET jit = off AS $$
DECLARE
    -- Where no key was ever connected nobody looks for one.
    known CONSTANT boolean := EXISTS (SELECT FROM nurture.identity);
    whose CONSTANT text := CASE WHEN known THEN 'coalesce(i.contact, b.contact)' ELSE 'b.contact' END;
    keys CONSTANT text := CASE WHEN known THEN 'LEFT JOIN nurture.identity i ON i.key = b.contact' ELSE '' END;
    aside CONSTANT boolean := EXISTS (SELECT FROM nurture.quarantine);
    is_aside CONSTANT text := CASE WHEN aside THEN 'q.contact IS NOT NULL' ELSE 'false' END;
    those_aside CONSTANT text := CASE WHEN aside THEN 'LEFT JOIN nurture.quarantine q ON q.contact = ' || whose ELSE '' END;
    erased CONSTANT boolean := EXISTS (SELECT FROM nurture.erased_key);
    names_erased CONSTANT text := CASE WHEN erased THEN $part$CASE WHEN b.type = '$alias' OR b.type = '$identify' AND b.props ? '$keys'
                                                                THEN nurture._erased_name_reason(b.type, b.props) END$part$ ELSE 'NULL' END;
    pieces text;
    taken bigint;
BEGIN
    IF source = 'waiting' THEN
        pieces := $query$
        SELECT coalesce(i.contact, b.contact) AS contact, b.contact AS key, b.kind, b.type, b.at, b.received_at, b.props,
               b.message_id, row_number() OVER (ORDER BY b.received_at, b.place, b.sub) AS place, b.history,
               CASE WHEN $4 AND (b.type = '$alias' OR b.type = '$identify' AND b.props ? '$keys')
                    THEN nurture._erased_name_reason(b.type, b.props) END AS reason,
               q.contact IS NOT NULL AS quarantined
        FROM nurture._waiting b
        LEFT JOIN nurture.identity i ON i.key = b.contact
        LEFT JOIN nurture.quarantine q ON q.contact = coalesce(i.contact, b.contact)$query$;
    ELSE
        SELECT string_agg(format($query$
        SELECT %1$s AS contact, b.contact AS key, b.kind, b.type, b.at, b.received_at, b.props,
               b.message_id, %2$s::bigint << 48 | nurture._place(b.ctid) AS place, %3$L::boolean AS history,
               coalesce(%9$s, nurture._malformed(b.contact, b.type, b.at, b.props, b.message_id, b.kind, b.received_at, $3)) AS reason,
               %7$s AS quarantined
        FROM nurture.%4$I b %5$s %8$s
        WHERE %6$s$query$, whose, p.rank, source = 'history', p.part, keys, nurture._taken(p), is_aside, those_aside, names_erased), ' UNION ALL ' ORDER BY p.rank)
        INTO pieces FROM nurture._pieces(source, chunk) p;
    END IF;
    IF pieces IS NULL THEN
        RETURN 0;
    END IF;
    EXECUTE $query$
        INSERT INTO nurture._batch
        SELECT m.*, CASE WHEN m.reason IS NULL AND NOT m.quarantined THEN row_number() OVER contact ELSE 0 END,
               first_value(m.received_at) OVER contact
        FROM ($query$ || pieces || $query$) m
        WINDOW contact AS (PARTITION BY m.contact, m.reason IS NULL AND NOT m.quarantined ORDER BY m.received_at, m.place)
        $query$ USING horizon, horizon_place, moment, erased;
    GET DIAGNOSTICS taken = ROW_COUNT;
    IF source = 'waiting' THEN
        PERFORM nurture._forget_waiting();
    END IF;
    IF erased THEN
        PERFORM nurture._refuse_erased();
    END IF;
    RETURN taken;
END
$$;
COMMENT ON FUNCTION nurture._fill_batch(text, bigint, timestamptz, bigint, timestamptz) IS
    'takes a batch of the inbox, of history or of what waits';

-- What the batch took goes.
CREATE FUNCTION nurture._consume(source text, chunk bigint, horizon timestamptz, horizon_place bigint, moment timestamptz)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    piece record;
BEGIN
    FOR piece IN SELECT p.* FROM nurture._pieces(source, chunk) p LOOP
        EXECUTE format('DELETE FROM nurture.%I b WHERE %s', piece.part, nurture._taken(piece)) USING horizon, horizon_place, moment;
    END LOOP;
    DELETE FROM nurture._drain_plan p WHERE p.source = _consume.source AND p.chunk = _consume.chunk;
END
$$;
COMMENT ON FUNCTION nurture._consume(text, bigint, timestamptz, bigint, timestamptz) IS 'deletes what the batch took';

REVOKE ALL ON FUNCTION nurture._of_parts(text[], text), nurture._plan_drain(text, timestamptz),
    nurture._plan_by_blocks(text, timestamptz, double precision), nurture._is_waiting(timestamptz),
    nurture._next_received(timestamptz), nurture._next_range(timestamptz), nurture._pieces(text, bigint),
    nurture._taken(record), nurture._fill_batch(text, bigint, timestamptz, bigint, timestamptz),
    nurture._consume(text, bigint, timestamptz, bigint, timestamptz), nurture._message_size(text, text, jsonb, text, text),
    nurture._history_begins(), nurture._history_waits(), nurture._learn_pace(bigint, interval), nurture._rows_at_a_time() FROM PUBLIC;
