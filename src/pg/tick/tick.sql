-- The tick: batches until everything received or due by a moment is done.

CREATE FUNCTION nurture._in_transaction_block() RETURNS boolean
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'nurture_in_transaction_block';
COMMENT ON FUNCTION nurture._in_transaction_block() IS 'whether BEGIN is in force';

CREATE FUNCTION nurture._replan_grown(tables regclass[]) RETURNS boolean
    LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'nurture_replan_grown';
COMMENT ON FUNCTION nurture._replan_grown(regclass[]) IS
    'has the session make its plans anew when one of the tables has grown beyond what they were made for';
REVOKE ALL ON FUNCTION nurture._replan_grown(regclass[]) FROM PUBLIC;

CREATE FUNCTION nurture._has_nothing_to_run() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT NOT nurture._is_own_database()
    OR NOT EXISTS (SELECT FROM nurture.engine) AND NOT EXISTS (SELECT FROM nurture.inbox)
       AND NOT EXISTS (SELECT FROM nurture.history) AND NOT EXISTS (SELECT FROM nurture.pending_change)
$$;
COMMENT ON FUNCTION nurture._has_nothing_to_run() IS 'whether this is a copy, or a database in which nothing was defined and told yet';
REVOKE ALL ON FUNCTION nurture._has_nothing_to_run() FROM PUBLIC;

-- One batch, in a REPEATABLE READ transaction. `moment` NULL: the transaction's start, which is before its snapshot, so
-- that nothing received by then can be missing from what the snapshot shows.
-- Where no worker runs, that is by hand, a feature's past is folded, and a model adopted that another waits for, before any
-- message is taken: what was defined first is there first.
CREATE FUNCTION nurture._tick_batch(now timestamptz DEFAULT NULL, OUT more boolean, OUT next_due timestamptz)
    RETURNS SETOF record ROWS 1
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
    AS $$
#variable_conflict use_variable
DECLARE
    moment timestamptz := coalesce(now, transaction_timestamp());
    began CONSTANT timestamptz := clock_timestamp();
    engine nurture.engine;
    this_tick bigint;
    in_force record;
    model_id int;
    model nurture.compiled_model;
    made boolean := false;
    waiting boolean; -- behind a merge: that is done first
    barrier boolean := false; -- this batch makes merges
    unfinished boolean; -- somebody slept too long for one step
    by_hand CONSTANT boolean := nurture._by_hand();
    model_first boolean := false;
    adopting bigint := 0;
    standing boolean; -- the clock was set back, and has not caught up yet
    timers boolean; -- whether it is the timers' turn
    range record;
    taken bigint;
    stepped bigint := 0;
    woken bigint := 0;
    most_woken CONSTANT bigint := nurture._rows_at_a_time();
    woken_to timestamptz;
    counts record;
    logged bigint := 0;
    rejected bigint := 0;
    quarantined bigint := 0;
BEGIN
    PERFORM nurture._lock_engine();
    IF current_setting('transaction_isolation') NOT IN ('repeatable read', 'serializable') THEN
        RAISE EXCEPTION 'a tick needs isolation level REPEATABLE READ'
            USING ERRCODE = 'active_sql_transaction', HINT = 'BEGIN ISOLATION LEVEL REPEATABLE READ; CALL nurture.tick(); COMMIT;';
    END IF;
    -- The worker leaves a copy alone, and a database in which there is nothing yet: it may be about to become one.
    IF now IS NULL AND nurture._has_nothing_to_run() THEN
        more := false;
        RETURN NEXT;
        RETURN;
    END IF;
    PERFORM nurture._require_own_database();
    PERFORM nurture._require_migrated();
    PERFORM nurture._replan_grown('{nurture.contact,nurture.identity,nurture.merge_log,nurture.action,nurture.membership_entry,
        nurture.suppression,nurture.base,nurture._waiting,nurture.list_member}');
    SELECT e.* INTO engine FROM nurture.engine e;
    IF engine.tick IS NULL THEN
        PERFORM nurture._adopt_database();
        SELECT e.* INTO engine FROM nurture.engine e;
    END IF;
    -- The clock was set back: messages are taken, as in the middle of a backlog; timers wait until it has caught up.
    standing := now IS NULL AND moment <= engine.drained;
    IF standing THEN
        moment := engine.drained;
    ELSIF moment < engine.drained OR moment = engine.drained AND NOT nurture._model_changes() THEN
        more := false;
        next_due := engine.drained + interval '1 microsecond'; -- somebody simulated another clock
        RETURN NEXT;
        RETURN;
    END IF;
    this_tick := engine.tick + 1;
    -- Maintenance makes them in time, unless the server was down or the clock is simulated.
    IF engine.drained IS NULL OR date_trunc('month', moment, 'UTC') > date_trunc('month', engine.drained, 'UTC') THEN
        PERFORM nurture._make_partitions(moment + interval '1 month', moment);
    END IF;
    waiting := EXISTS (SELECT FROM nurture._waiting);
    IF (EXISTS (SELECT FROM nurture.pending_change) AND NOT engine.due_behind AND NOT waiting) OR NOT EXISTS (SELECT FROM nurture.model) THEN
        made := nurture._take_up_definitions(this_tick);
    END IF;
    IF by_hand AND NOT waiting THEN
        IF nurture._backfill_step() THEN
            UPDATE nurture.engine e SET tick = this_tick WHERE made;
            more := true;
            RETURN NEXT;
            RETURN;
        END IF;
        model_first := EXISTS (SELECT FROM nurture.pending_change);
    END IF;
    SELECT m.id, m.model, m.adopted INTO in_force FROM nurture.model m ORDER BY m.id DESC LIMIT 1;
    model_id := in_force.id;
    model := in_force.model;
    model_first := model_first AND NOT in_force.adopted;
    IF model_id IS NULL THEN
        RAISE EXCEPTION 'there is no model to run: the definitions do not compile' USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = (SELECT e.model_problem FROM nurture.engine e),
            HINT = 'Correct or disable the definition; the next tick looks again.';
    END IF;

    IF model_first THEN
        SELECT NULL::text AS source, NULL::bigint AS chunk, NULL::timestamptz AS horizon, NULL::bigint AS horizon_place,
               false AS all_of_it INTO range;
        taken := 0;
    ELSE
        SELECT r.* INTO range FROM nurture._next_range(moment) r;
        taken := nurture._fill_batch(range.source, range.chunk, range.horizon, range.horizon_place, moment);
    END IF;
    IF taken > 0 THEN
        barrier := nurture._connect();
    END IF;
    timers := range.all_of_it AND standing IS NOT TRUE AND NOT barrier;
    IF taken > 0 THEN
        -- Another tick may have taken the same rows since the snapshot: then this raises 40001, and the tick begins again.
        PERFORM FROM nurture.engine e FOR UPDATE;
        stepped := CASE WHEN barrier THEN nurture._step_before_merge(model, this_tick)
                        ELSE nurture._step_messages(model, CASE WHEN timers THEN moment END, this_tick) END;
    END IF;
    IF timers THEN
        SELECT d.stepped, d.last_due INTO woken, woken_to
        FROM nurture._step_due(model, coalesce(engine.due_from, '-infinity'), moment, this_tick, most_woken) d;
        IF NOT by_hand THEN
            UPDATE nurture._pace p SET timers_at = clock_timestamp() WHERE pg_relation_size('nurture.history') > 0;
        END IF;
    END IF;
    more := NOT range.all_of_it OR barrier OR woken = most_woken;
    IF NOT in_force.adopted AND (model_first OR NOT more) THEN
        adopting := nurture._step_unadopted(model, model_id, this_tick);
        more := true; -- whoever has adopted it may be due at once; there may be more of them, and a next model that waits
    END IF;

    SELECT coalesce(bit_or(s.kinds), 0) AS kinds, count(s.failure) AS failed,
           coalesce(sum(s.duplicates), 0) AS duplicates, coalesce(sum(s.unconvertible), 0) AS unconvertible,
           min(s.due) AS due
    INTO counts FROM nurture._stepped s;
    unfinished := counts.kinds & 128 <> 0;
    more := more OR unfinished;
    IF unfinished THEN
        PERFORM nurture._keep_untaken();
    END IF;
    IF taken > 0 THEN
        logged := nurture._write_log(this_tick);
        rejected := nurture._set_aside(this_tick, counts.kinds & 32 <> 0);
    END IF;
    IF taken > 0 OR counts.failed > 0 THEN
        quarantined := nurture._quarantine(this_tick, counts.failed);
    END IF;
    IF stepped + woken + adopting > 0 THEN
        PERFORM nurture._write_contacts(moment, model_id);
    END IF;
    IF counts.kinds <> 0 THEN
        PERFORM nurture._write_outputs(counts.kinds, this_tick);
    END IF;
    IF EXISTS (SELECT FROM nurture._link) THEN
        PERFORM nurture._finish_merges(model, this_tick, barrier, counts.failed);
    END IF;
    IF range.source = 'waiting' THEN
        PERFORM nurture._renew_bases(this_tick);
    ELSIF taken > 0 OR range.chunk IS NOT NULL THEN -- a range may hold nothing that has its turn yet
        PERFORM nurture._consume(range.source, range.chunk, range.horizon, range.horizon_place, moment);
    END IF;
    IF taken + woken + adopting > 0 THEN
        PERFORM nurture._clear_batch();
    END IF;
    IF by_hand AND NOT more THEN
        more := nurture._retire_versions();
    END IF;
    IF NOT by_hand AND (range.source = 'history' OR woken > taken) THEN
        PERFORM nurture._learn_pace(taken + woken, clock_timestamp() - began);
    END IF;

    IF NOT more THEN
        SELECT min(c.due) INTO next_due FROM nurture.contact c WHERE c.due > moment;
        IF nurture._history_waits() THEN
            more := true;
        END IF;
        next_due := least(next_due, nurture._next_received(moment),
                          (SELECT p.searched_at + interval '5 seconds' FROM nurture._pace p WHERE pg_relation_size('nurture.history') >= 1048576),
                          CASE WHEN standing THEN moment + interval '1 microsecond' END);
    END IF;
    -- The next scan for due contacts begins where this one ended, unless a batch in the middle of a backlog has just made
    -- somebody due earlier.
    -- A tick that found nothing leaves no trace, so that idling writes nothing; a simulated clock moves with every tick.
    IF taken + woken + adopting > 0 OR made OR engine.drained IS NULL OR moment - engine.drained > interval '1 second' OR NOT nurture._enabled() THEN
        UPDATE nurture.engine e
        SET tick = CASE WHEN taken + woken + adopting > 0 OR made OR e.tick = 0 THEN this_tick ELSE e.tick END,
            drained = CASE WHEN more THEN e.drained ELSE moment END,
            due_from = CASE WHEN NOT timers THEN least(e.due_from, counts.due)
                            WHEN woken = most_woken THEN least(woken_to, counts.due)
                            WHEN adopting > 0 OR unfinished THEN least(moment, counts.due)
                            ELSE moment END,
            due_behind = CASE WHEN range.source = 'waiting' THEN e.due_behind ELSE range.all_of_it AND (woken = most_woken OR unfinished) END
                         OR model_first AND e.due_behind,
            logged = e.logged + logged, rejected = e.rejected + rejected,
            duplicates = e.duplicates + counts.duplicates, quarantined = e.quarantined + quarantined,
            unconvertible = e.unconvertible + counts.unconvertible,
            last_tick_at = CASE WHEN taken + woken > 0 THEN clock_timestamp() ELSE e.last_tick_at END,
            last_tick_rows = CASE WHEN taken + woken > 0 THEN taken + woken ELSE e.last_tick_rows END,
            last_tick_ms = CASE WHEN taken + woken > 0
                                THEN round((extract(epoch FROM clock_timestamp() - began) * 1000)::numeric, 1)
                                ELSE e.last_tick_ms END;
    END IF;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION nurture._tick_batch(timestamptz) IS 'one batch; more: call again; next_due: when time alone brings something';
REVOKE ALL ON FUNCTION nurture._tick_batch(timestamptz), nurture._in_transaction_block() FROM PUBLIC;

CREATE PROCEDURE nurture.tick(now timestamptz DEFAULT pg_catalog.clock_timestamp())
    LANGUAGE plpgsql AS $$
DECLARE
    outside CONSTANT boolean := NOT nurture._in_transaction_block();
    again boolean := true;
    conflicts int := 0;
BEGIN
    IF now IS NULL THEN
        RAISE EXCEPTION 'now must not be null' USING ERRCODE = 'null_value_not_allowed';
    ELSIF now OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp() AND nurture._enabled() THEN
        RAISE EXCEPTION 'now is in the future' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'A simulated clock needs ALTER DATABASE … SET nurture.enabled = off, and a new session.';
    ELSIF NOT outside AND pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.=) 'read committed' THEN
        RAISE EXCEPTION 'a tick inside a transaction block needs isolation level REPEATABLE READ'
            USING ERRCODE = 'active_sql_transaction',
                  HINT = 'BEGIN ISOLATION LEVEL REPEATABLE READ; CALL nurture.tick(); COMMIT; or call it outside a block.';
    END IF;
    WHILE again LOOP
        IF NOT outside THEN
            SELECT b.more INTO again FROM nurture._tick_batch(now) b;
            CONTINUE;
        END IF;
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
        BEGIN
            SELECT b.more INTO again FROM nurture._tick_batch(now) b;
            conflicts := 0;
        EXCEPTION WHEN serialization_failure OR deadlock_detected THEN
            conflicts := conflicts OPERATOR(pg_catalog.+) 1;
            IF conflicts OPERATOR(pg_catalog.>) 20 THEN
                RAISE;
            END IF;
        END;
        IF conflicts OPERATOR(pg_catalog.>) 0 THEN
            ROLLBACK;
        END IF;
    END LOOP;
    IF outside THEN
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        PERFORM nurture._maintain();
        COMMIT;
    END IF;
END
$$;
COMMENT ON PROCEDURE nurture.tick(timestamptz) IS
    'does everything received or due by now; outside a transaction block it commits batch by batch';
REVOKE ALL ON PROCEDURE nurture.tick(timestamptz) FROM PUBLIC;

-- What is done between ticks, in READ COMMITTED.
CREATE FUNCTION nurture._maintain() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' SET jit = off AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM nurture.engine) OR NOT nurture._is_own_database() THEN
        RETURN;
    END IF;
    WHILE nurture._outbox_maintain() >= 10000 LOOP
    END LOOP;
    PERFORM nurture._forget_consent_leftovers(nurture._now());
    PERFORM nurture._make_partitions(clock_timestamp() + interval '2 months', '-infinity');
    PERFORM nurture._retire_versions('10 minutes');
    IF current_setting('transaction_isolation') = 'read committed' THEN
        IF pg_try_advisory_xact_lock('nurture.engine'::regclass::oid::int, 0) THEN
            PERFORM nurture._retention_step(nurture._now());
        END IF;
        PERFORM nurture._tend_history();
        PERFORM nurture._tend_slots(); -- last: it may keep slots locked until the end
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._maintain() IS 'what the engine does between ticks: outbox, partitions, empty inboxes';
REVOKE ALL ON FUNCTION nurture._maintain() FROM PUBLIC;

CREATE FUNCTION nurture.wait_for(message_id text, timeout interval DEFAULT '10 seconds') RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    until CONSTANT timestamptz := clock_timestamp() + timeout;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'wait_for needs isolation level READ COMMITTED' USING ERRCODE = 'active_sql_transaction',
            HINT = 'A snapshot that stands still never shows the message taken.';
    END IF;
    LOOP
        IF NOT EXISTS (SELECT FROM nurture.inbox i WHERE i.message_id = wait_for.message_id)
            AND NOT EXISTS (SELECT FROM nurture.history h WHERE h.message_id = wait_for.message_id)
            AND NOT EXISTS (SELECT FROM nurture._waiting w WHERE w.message_id = wait_for.message_id) THEN
            RETURN true;
        END IF;
        IF clock_timestamp() >= until THEN
            RETURN false;
        END IF;
        PERFORM pg_sleep(0.005);
    END LOOP;
END
$$;
COMMENT ON FUNCTION nurture.wait_for(text, interval) IS
    'reads your own writes: waits until a committed message was taken; false when the time is over';
REVOKE ALL ON FUNCTION nurture.wait_for(text, interval) FROM PUBLIC;
