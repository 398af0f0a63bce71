-- How the tick takes messages from the inbox and from history, batch by batch. The parts are called by nurture._tick_batch.

-- How a backlog that is larger than a batch is cut: into ranges of blocks, each with a horizon. A batch takes of its range
-- what was received by the horizon, the earliest received_at of all later ranges: so messages are taken in the order of
-- received_at even where the rows do not lie in it, and no cut shows.
CREATE FUNCTION nurture._plan_drain(source text, moment timestamptz) RETURNS int
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    max_rows CONSTANT bigint := current_setting('nurture.batch_rows');
    max_bytes CONSTANT bigint := pg_size_bytes(current_setting('nurture.batch_bytes'));
    block record;
    starts bigint[] := '{}';
    earliest timestamptz[] := '{}';
    horizons timestamptz[] := '{}';
    rows bigint := 0;
    bytes bigint := 0;
    horizon timestamptz := moment;
    last bigint;
BEGIN
    FOR block IN EXECUTE format($query$
        SELECT nurture._block(ctid) AS number, count(*) AS rows, sum(nurture._jsonb_size(props)) AS bytes,
               min(received_at) FILTER (WHERE isfinite(received_at)) AS earliest
        FROM nurture.%I WHERE (received_at > $1 AND received_at <= $1 + interval '24 hours') IS NOT TRUE OR $2
        GROUP BY 1 ORDER BY 1$query$, source) USING moment, source = 'history'
    LOOP
        IF starts = '{}' OR rows + block.rows > max_rows OR bytes + block.bytes > max_bytes THEN
            starts := starts || block.number;
            earliest := earliest || block.earliest;
            rows := 0;
            bytes := 0;
        END IF;
        rows := rows + block.rows;
        bytes := bytes + coalesce(block.bytes, 0);
        earliest[cardinality(earliest)] := least(earliest[cardinality(earliest)], block.earliest);
        last := block.number;
    END LOOP;
    -- From the last range backwards: each one's horizon is the earliest of those after it.
    FOR i IN REVERSE cardinality(starts) .. 1 LOOP
        horizons := CASE source WHEN 'history' THEN 'infinity' ELSE horizon END || horizons;
        horizon := least(horizon, earliest[i]);
    END LOOP;
    INSERT INTO nurture._drain_plan (source, first_block, last_block, horizon)
    SELECT _plan_drain.source, r.first_block, coalesce(lead(r.first_block) OVER (ORDER BY r.chunk) - 1, last), r.horizon
    FROM unnest(starts, horizons) WITH ORDINALITY r (first_block, horizon, chunk) ORDER BY r.chunk;
    RETURN cardinality(starts);
END
$$;
COMMENT ON FUNCTION nurture._plan_drain(text, timestamptz) IS 'cuts a backlog into batches; returns how many';

-- The next range to take, if there is any. `all_of_it`: the range holds everything received by then.
CREATE FUNCTION nurture._next_range(moment timestamptz, OUT source text, OUT chunk bigint, OUT first_row tid,
        OUT behind_row tid, OUT horizon timestamptz, OUT all_of_it boolean)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- A block holds no more than a hundred messages or so: below that many blocks one batch takes it all.
    small CONSTANT bigint := greatest(current_setting('nurture.batch_rows')::bigint / 100, 1);
    blocks bigint := pg_relation_size('nurture.inbox') / current_setting('block_size')::bigint;
    planned record;
BEGIN
    all_of_it := false;
    SELECT p.* INTO planned FROM nurture._drain_plan p WHERE p.source = 'inbox' ORDER BY p.chunk LIMIT 1;
    IF NOT FOUND AND (blocks > small OR pg_table_size('nurture.inbox') > pg_size_bytes(current_setting('nurture.batch_bytes'))) THEN
        IF nurture._plan_drain('inbox', moment) > 1 THEN
            SELECT p.* INTO planned FROM nurture._drain_plan p WHERE p.source = 'inbox' ORDER BY p.chunk LIMIT 1;
        ELSE
            DELETE FROM nurture._drain_plan p WHERE p.source = 'inbox';
        END IF;
    END IF;
    IF planned.chunk IS NULL
        AND NOT EXISTS (SELECT FROM nurture.inbox i
                        WHERE (i.received_at > moment AND i.received_at <= moment + interval '24 hours') IS NOT TRUE) THEN
        -- Nothing is waiting: history has its turn.
        SELECT p.* INTO planned FROM nurture._drain_plan p WHERE p.source = 'history' ORDER BY p.chunk LIMIT 1;
        IF NOT FOUND AND EXISTS (SELECT FROM nurture.history) THEN
            PERFORM nurture._plan_drain('history', moment);
            SELECT p.* INTO planned FROM nurture._drain_plan p WHERE p.source = 'history' ORDER BY p.chunk LIMIT 1;
        END IF;
    END IF;
    IF planned.chunk IS NOT NULL THEN
        source := planned.source;
        chunk := planned.chunk;
        first_row := nurture._first_of(planned.first_block);
        behind_row := nurture._first_of(planned.last_block + 1);
        horizon := least(planned.horizon, moment); -- the plan may be an interrupted tick's whose moment was later
    ELSE
        source := 'inbox';
        first_row := nurture._first_of(0);
        behind_row := nurture._first_of(4294967293);
        horizon := moment;
        all_of_it := true;
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._next_range(timestamptz) IS 'what the next batch takes';

-- The rows of a range, with their keys resolved and what is wrong with them.
CREATE FUNCTION nurture._fill_batch(source text, first_row tid, behind_row tid, horizon timestamptz, moment timestamptz)
    RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_hashjoin = off SET enable_mergejoin = off
    SET enable_seqscan = off SET jit = off AS $$
DECLARE
    taken bigint;
BEGIN
    IF source = 'inbox' THEN
        INSERT INTO nurture._batch
        SELECT coalesce(i.contact, b.contact), b.contact, b.kind, b.type, b.at, b.received_at, b.props, b.message_id,
               nurture._place(b.ctid), false,
               nurture._malformed(b.contact, b.type, b.at, b.props, b.message_id, b.kind, b.received_at, moment),
               q.contact IS NOT NULL
        FROM nurture.inbox b
        LEFT JOIN nurture.identity i ON i.key = b.contact AND i.kind = coalesce(b.kind, '')
        LEFT JOIN nurture.quarantine q ON q.contact = coalesce(i.contact, b.contact)
        WHERE b.ctid >= first_row AND b.ctid < behind_row
          AND (b.received_at > horizon AND b.received_at <= moment + interval '24 hours') IS NOT TRUE;
    ELSE
        INSERT INTO nurture._batch
        SELECT coalesce(i.contact, b.contact), b.contact, b.kind, b.type, b.at, b.received_at, b.props, b.message_id,
               nurture._place(b.ctid), true,
               nurture._malformed(b.contact, b.type, b.at, b.props, b.message_id, b.kind, b.received_at, moment),
               q.contact IS NOT NULL
        FROM nurture.history b
        LEFT JOIN nurture.identity i ON i.key = b.contact AND i.kind = coalesce(b.kind, '')
        LEFT JOIN nurture.quarantine q ON q.contact = coalesce(i.contact, b.contact)
        WHERE b.ctid >= first_row AND b.ctid < behind_row;
    END IF;
    GET DIAGNOSTICS taken = ROW_COUNT;
    RETURN taken;
END
$$;
COMMENT ON FUNCTION nurture._fill_batch(text, tid, tid, timestamptz, timestamptz) IS 'takes a range of the inbox or of history';

-- What the batch took goes; what it left behind its horizon is the next batch's.
CREATE FUNCTION nurture._consume(source text, chunk bigint, first_row tid, behind_row tid, horizon timestamptz,
        moment timestamptz) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
    left_behind tid;
BEGIN
    IF source = 'inbox' THEN
        DELETE FROM nurture.inbox b WHERE b.ctid >= first_row AND b.ctid < behind_row
            AND (b.received_at > horizon AND b.received_at <= moment + interval '24 hours') IS NOT TRUE;
    ELSE
        DELETE FROM nurture.history b WHERE b.ctid >= first_row AND b.ctid < behind_row;
    END IF;
    IF chunk IS NOT NULL THEN
        DELETE FROM nurture._drain_plan p WHERE p.chunk = _consume.chunk;
        IF source = 'inbox' THEN
            SELECT min(b.ctid) INTO left_behind FROM nurture.inbox b
            WHERE b.ctid >= first_row AND b.ctid < behind_row AND b.received_at <= moment;
            IF left_behind IS NOT NULL THEN
                UPDATE nurture._drain_plan p SET first_block = least(p.first_block, nurture._block(left_behind))
                WHERE p.chunk = (SELECT min(o.chunk) FROM nurture._drain_plan o WHERE o.source = 'inbox');
            END IF;
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._consume(text, bigint, tid, tid, timestamptz, timestamptz) IS 'deletes what the batch took';

REVOKE ALL ON FUNCTION nurture._plan_drain(text, timestamptz), nurture._next_range(timestamptz),
    nurture._fill_batch(text, tid, tid, timestamptz, timestamptz),
    nurture._consume(text, bigint, tid, tid, timestamptz, timestamptz) FROM PUBLIC;
