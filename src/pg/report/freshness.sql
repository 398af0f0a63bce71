-- How far the engine is, and whether incremental equals recomputed.

CREATE FUNCTION nurture._freshness(OUT status text, OUT waiting bigint, OUT oldest_waiting interval, OUT due_now boolean,
        OUT next_due timestamptz, OUT worker text, OUT sleeping_until timestamptz, OUT last_error text, OUT last_error_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    w record;
    e nurture.engine;
    paused boolean;
BEGIN
    SELECT * INTO w FROM nurture._worker_status();
    SELECT * INTO e FROM nurture.engine;
    SELECT s.paused INTO paused FROM nurture.sending s;
    SELECT count(*), clock_timestamp() - min(i.received_at) INTO waiting, oldest_waiting
    FROM (SELECT m.received_at FROM nurture.inbox m UNION ALL
          SELECT m.received_at FROM nurture._waiting m WHERE NOT m.history) i -- behind a merge
    WHERE (i.received_at > clock_timestamp()) IS NOT TRUE;
    SELECT min(c.due) INTO next_due FROM nurture.contact c WHERE c.due >= coalesce(e.due_from, '-infinity');
    due_now := coalesce(next_due <= clock_timestamp(), false);
    worker := coalesce(w.state, 'none');
    sleeping_until := w.sleeping_until;
    -- It may name a contact: not for whom the view is not for. Functions in a view run as who reads it, so that everybody may
    -- execute this one.
    IF has_table_privilege(coalesce(nullif(current_setting('role'), 'none'), session_user), 'nurture.freshness', 'SELECT') THEN
        last_error := w.last_error;
    END IF;
    last_error_at := w.last_error_at;
    status := CASE
        WHEN nurture._library_version() <> nurture._extension_version()
            THEN format('the extension has version %s, its library %s: ALTER EXTENSION nurture UPDATE, or restart the server', nurture._extension_version(), nurture._library_version())
        WHEN NOT nurture._is_own_database() THEN 'restored copy: nothing runs until nurture.resume()'
        WHEN NOT nurture._enabled() THEN 'switched off by nurture.enabled'
        WHEN w.pid IS NULL AND w.state = 'no free worker slot'
            THEN 'no worker process is free: raise max_worker_processes and restart the server, or CALL nurture.tick()'
        WHEN w.pid IS NULL THEN 'no worker runs: nurture.start_worker(), or CALL nurture.tick()'
        -- As nurture._quarantine raises it, and the readers of formats that a later version wrote.
        WHEN w.failures > 0 AND w.last_sqlstate = '53400'
            THEN 'stopped: more contacts fail in a tick than nurture.quarantine_limit allows; mend the cause, see last_error'
        WHEN w.failures > 0 AND w.last_sqlstate = '0A000' AND w.last_error LIKE '%written by a later version of nurture%'
            THEN 'stopped: a later version of nurture has written here; install it on this server'
        WHEN w.failures > 0 AND w.last_sqlstate = '53100' THEN 'no room on the disk: see last_error; it goes on when there is'
        WHEN w.failures > 0 THEN 'the worker fails: see last_error'
        WHEN e.model_problem IS NOT NULL THEN 'the definitions do not compile, the last good model stays: see model_problem'
        WHEN e.drained > clock_timestamp() + interval '1 second'
            THEN format('the clock was set back: waits and windows stand still for %s', date_trunc('second', e.drained - clock_timestamp()))
        WHEN paused THEN 'paused: nothing is claimable until nurture.resume()'
        WHEN oldest_waiting > interval '10 seconds' THEN 'behind'
        ELSE 'fresh' END;
END
$$;
COMMENT ON FUNCTION nurture._freshness() IS 'what nurture.freshness shows';

CREATE VIEW nurture.freshness AS
SELECT f.status, f.waiting, f.oldest_waiting, f.due_now, f.next_due, e.tick, e.drained, e.last_tick_at, e.last_tick_rows,
       e.last_tick_ms, e.logged, e.rejected, e.duplicates, e.quarantined, e.unconvertible, e.model_problem, f.worker,
       f.sleeping_until, f.last_error, f.last_error_at
FROM nurture._freshness() f LEFT JOIN nurture.engine e ON true;
COMMENT ON VIEW nurture.freshness IS 'how far the engine is and what holds it up';
REVOKE ALL ON TABLE nurture.freshness FROM PUBLIC;

CREATE FUNCTION nurture._differences(model nurture.compiled_model, stored nurture.profile, recomputed nurture.profile, path boolean)
    RETURNS TABLE (what text, stored_value text, recomputed_value text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 500 ROWS 1 AS 'MODULE_PATHNAME', 'nurture_differences';

CREATE FUNCTION nurture._at_clock(state nurture.profile, clock timestamptz) RETURNS nurture.profile
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'nurture_at_clock';
COMMENT ON FUNCTION nurture._at_clock(nurture.profile, timestamptz) IS 'the state with its clock at a moment, unless it is beyond';

-- Timers of which nothing came leave no trace but the contact's clock.
CREATE FUNCTION nurture._quietly(model nurture.compiled_model, contact text, state nurture.profile, until timestamptz, tick bigint)
    RETURNS nurture.profile
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT CASE WHEN (s.result).kinds = 0 AND (s.result).failure IS NULL THEN (s.result).state END
FROM (SELECT nurture._step(model, contact, state, NULL, until, tick) AS result OFFSET 0) s
$$;
COMMENT ON FUNCTION nurture._quietly(nurture.compiled_model, text, nurture.profile, timestamptz, bigint) IS
    'the state after its timers until then, if nothing comes of them; else NULL';

-- A contact's path again from its log: tick by tick, with the models as they switched. Which tick ran a timer, and so with
-- which model and under which number, is known from what came of it: the engine's own events in the log, and the
-- transitions. Timers of which nothing came move the contact's clock all the same: that shows in messages taken at the
-- clock, later than they were received, and in transitions by the name of published; the clock is put there for them. And a
-- model is adopted at the clock that the timers under the one before it have brought about, although nothing came of either.
-- The log is read once, however many models there were.
CREATE FUNCTION nurture._replayed(contact text, until timestamptz) RETURNS nurture.profile
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    epoch record;
    last_model int;
    base_tick bigint;
    base_model int;
    before nurture.compiled_model;
    before_id int;
    stepped_by int;
    -- Ticks at which it became somebody else; told apart again it began anew.
    gone CONSTANT bigint[] := ARRAY(SELECT m.tick FROM nurture.merge_log m WHERE m.loser = contact);
    previous bigint;
    -- Ticks at which something is known of the contact; earliest: the least clock of each.
    turns CURSOR FOR
        SELECT tick, least(e.earliest, t.earliest) AS earliest, t.adopted, e.begins, greatest(e.written, t.last_at) AS until, e.messages
        FROM (SELECT l.tick, min(l.clock) AS earliest,
                     (array_agg(CASE WHEN l.clock > l.received_at OR l.history THEN l.clock END ORDER BY l.n) FILTER (WHERE l.told))[1] AS begins,
                     max(l.clock) FILTER (WHERE NOT l.told) AS written,
                     nurture._pack(l.type, l.at, l.received_at, l.props, l.message_id, l.n::bigint, l.history)
                         FILTER (WHERE l.told) AS messages
              FROM (SELECT l.*, l.kind IS DISTINCT FROM '$engine' AS told FROM nurture.event_log l
                    WHERE l.contact = contact AND l.clock <= until AND l.tick > base_tick) l
              GROUP BY l.tick) e
        FULL JOIN (SELECT x.tick, min(x.at) AS earliest, max(x.at) AS last_at,
                          min(x.at) FILTER (WHERE x.cause = 'published') AS adopted
                   FROM nurture.transition x WHERE x.contact = contact AND x.at <= until AND x.tick > base_tick
                   GROUP BY x.tick) t USING (tick)
        ORDER BY tick;
    turn record;
    state nurture.profile;
    result nurture.step_result;
BEGIN
    SELECT c.model INTO last_model FROM nurture.contact c WHERE c.contact = contact;
    SELECT b.state, b.until_tick, b.model INTO state, base_tick, base_model FROM nurture.base b WHERE b.contact = contact;
    base_tick := coalesce(base_tick, -1);
    base_model := coalesce(base_model, 0);
    stepped_by := base_model;
    previous := base_tick;
    turns := NULL; -- the server names it: the caller may have a cursor of this name
    OPEN turns;
    FETCH turns INTO turn;
    FOR epoch IN
        SELECT m.id, m.model, m.from_tick, m.from_clock, lead(m.from_tick) OVER w AS behind_tick
        FROM nurture.model m WHERE m.id <= last_model WINDOW w AS (ORDER BY m.id) ORDER BY m.id
    LOOP
        WHILE turn.tick < epoch.from_tick LOOP
            FETCH turns INTO turn;
        END LOOP;
        IF state IS NOT NULL AND epoch.from_tick > base_tick AND epoch.from_clock IS NOT NULL THEN
            -- What comes next tells how far the clock was at most. Where it comes before the model's time, and after more than
            -- this model, the contact was quarantined: its timers stood still, and it has not adopted what was in between.
            IF turn.earliest IS NULL OR turn.earliest >= epoch.from_clock
                OR stepped_by = before_id AND (epoch.behind_tick IS NULL OR turn.tick < epoch.behind_tick) THEN
                result := nurture._step(before, contact, state, NULL, least(epoch.from_clock, turn.earliest, until), epoch.from_tick);
                IF result.kinds = 0 AND result.failure IS NULL THEN -- as _quietly
                    state := result.state;
                    stepped_by := before_id;
                END IF;
            END IF;
        END IF;
        -- Features that have become complete with the model know the whole past.
        IF state IS NOT NULL AND epoch.id > base_model AND nurture._completes(before, epoch.model) THEN
            state := coalesce(nurture._completed(before, epoch.model, state, (
                SELECT nurture._pack(l.type, l.at, l.received_at, l.props, NULL, l.tick * 16777216 + l.n, l.history)
                FROM nurture._log_of(contact, epoch.from_tick) l)), state);
        END IF;
        before := epoch.model;
        before_id := epoch.id;
        WHILE turn.tick < epoch.behind_tick OR turn.tick IS NOT NULL AND epoch.id = last_model LOOP
            IF gone <> '{}' AND EXISTS (SELECT FROM unnest(gone) g (tick) WHERE g.tick >= previous AND g.tick < turn.tick) THEN
                state := NULL;
            END IF;
            previous := turn.tick;
            state := coalesce(nurture._at_clock(state, turn.adopted), state);
            IF state IS NOT NULL AND turn.begins IS NOT NULL THEN
                result := nurture._step(epoch.model, contact, state, NULL, turn.begins, turn.tick);
                state := nurture._at_clock(result.state, turn.begins);
            END IF;
            result := nurture._step(epoch.model, contact, state, turn.messages, turn.until, turn.tick);
            state := result.state;
            stepped_by := epoch.id;
            FETCH turns INTO turn;
        END LOOP;
        -- Timers of which nothing came, and a model of whose adoption nothing came.
        IF epoch.id = last_model THEN
            state := coalesce(nurture._quietly(epoch.model, contact, state, until, epoch.from_tick),
                              (nurture._step(epoch.model, contact, nurture._at_clock(state, until), NULL, until, epoch.from_tick)).state);
            state := nurture._at_clock(state, until);
        END IF;
    END LOOP;
    CLOSE turns;
    RETURN state;
END
$$;
COMMENT ON FUNCTION nurture._replayed(text, timestamptz) IS 'a contact''s whole state again from its log';
REVOKE ALL ON FUNCTION nurture._replayed(text, timestamptz),
    nurture._quietly(nurture.compiled_model, text, nurture.profile, timestamptz, bigint),
    nurture._differences(nurture.compiled_model, nurture.profile, nurture.profile, boolean) FROM PUBLIC;

CREATE FUNCTION nurture.verify(contact text DEFAULT NULL, sample double precision DEFAULT NULL, path boolean DEFAULT false)
    RETURNS TABLE (contact_key text, what text, stored text, recomputed text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET nurture.model_cache = '8MB' AS $$
#variable_conflict use_column
BEGIN
    IF sample IS NOT NULL AND NOT (sample > 0 AND sample <= 1) THEN
        RAISE EXCEPTION 'sample must be a share between 0 and 1' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY
    SELECT c.contact, d.what, d.stored_value, d.recomputed_value
    FROM (SELECT c.* FROM nurture.contact c WHERE nurture._damage(c.state) IS NULL OFFSET 0) c
    CROSS JOIN LATERAL (SELECT m.model FROM nurture.model m WHERE m.id = c.model) m
    CROSS JOIN LATERAL (
        SELECT CASE WHEN verify.path THEN nurture._replayed(c.contact, nurture._clock(c.state))
                    ELSE nurture._folded(m.model, c.contact, nurture._clock(c.state)) END AS state) r
    CROSS JOIN LATERAL nurture._differences(m.model, c.state, r.state, verify.path) d
    WHERE (verify.contact IS NULL OR c.contact = nurture.contact_of(verify.contact))
      AND (sample IS NULL OR (hashtextextended(c.contact, 0) & 1048575) < sample * 1048576)
    UNION ALL
    SELECT c.contact, 'state', nurture._damage(c.state), NULL
    FROM nurture.contact c
    WHERE (verify.contact IS NULL OR c.contact = nurture.contact_of(verify.contact)) AND nurture._damage(c.state) IS NOT NULL
      AND (sample IS NULL OR (hashtextextended(c.contact, 0) & 1048575) < sample * 1048576);
END
$$;
COMMENT ON FUNCTION nurture.verify(text, double precision, boolean) IS
    'folds (path: replays) the log of a contact, a share of all, or all, and lists where the stored state differs; empty: none';
REVOKE ALL ON FUNCTION nurture.verify(text, double precision, boolean) FROM PUBLIC;
