-- Scores in full: adjusting them by hand, their history, their entries, their bands; why a contact is in a segment.

-- --- by hand: messages like all others, so that a replay does the same ------------------------------------------------

CREATE FUNCTION nurture._adjust(contact text, props jsonb) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moment CONSTANT timestamptz := nurture._told_at(nurture._now());
BEGIN
    IF contact IS NULL OR contact = '' THEN
        RAISE EXCEPTION 'contact must be given' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO nurture.inbox (contact, type, props, at, received_at)
    VALUES (contact, '$adjust', jsonb_strip_nulls(props), moment, moment);
END
$$;
COMMENT ON FUNCTION nurture._adjust(text, jsonb) IS 'sends a contact an $adjust';

CREATE FUNCTION nurture.adjust_score(contact text, points numeric, reason text DEFAULT NULL, topic text DEFAULT NULL,
        expires timestamptz DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_variable
BEGIN
    IF points IS NULL OR points = 'NaN' OR abs(points) >= 9223372036854 THEN
        RAISE EXCEPTION 'points must be a number between -9223372036854 and 9223372036854'
            USING ERRCODE = 'numeric_value_out_of_range';
    END IF;
    IF NOT isfinite(expires) THEN
        RAISE EXCEPTION 'expires must be a finite moment' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Leave it out for points that stay.';
    END IF;
    IF topic IS NOT NULL THEN
        -- A topic that no rule has is a slip of the pen.
        PERFORM nurture._score(m.model, c.state, topic, now(), c.contact)
        FROM nurture._current_model m CROSS JOIN (SELECT c.state, c.contact FROM nurture.contact c LIMIT 1) c;
    END IF;
    PERFORM nurture._adjust(contact, jsonb_build_object('points', round(points, 6), 'reason', reason, 'topic', topic,
                                'expires', to_char(expires, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')));
END
$$;
COMMENT ON FUNCTION nurture.adjust_score(text, numeric, text, text, timestamptz) IS
    'gives a contact points by hand (negative: takes), for a reason, to a topic, until a moment; taken by the next tick';

CREATE FUNCTION nurture.freeze_score(contact text, frozen boolean DEFAULT true) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF frozen IS NULL THEN
        RAISE EXCEPTION 'frozen must be true or false' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM nurture._adjust(contact, jsonb_build_object('freeze', frozen));
END
$$;
COMMENT ON FUNCTION nurture.freeze_score(text, boolean) IS
    'keeps a contact''s score as it is: nothing is counted, nothing wears off (adjustments still count); frozen => false: it goes on as if it had never been';

CREATE FUNCTION nurture.reset_score(contact text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT nurture._adjust(contact, '{"reset": true}')
$$;
COMMENT ON FUNCTION nurture.reset_score(text) IS
    'what a contact''s score has counted until now counts no more; points for attributes stay';
REVOKE ALL ON FUNCTION nurture._adjust(text, jsonb), nurture.adjust_score(text, numeric, text, text, timestamptz),
    nurture.freeze_score(text, boolean), nurture.reset_score(text) FROM PUBLIC;

-- --- history and entries ----------------------------------------------------------------------------------------------

CREATE FUNCTION nurture.score_history(contact text, since timestamptz, until timestamptz DEFAULT nurture._now(),
        step interval DEFAULT '1 day', topic text DEFAULT NULL, points text DEFAULT 'today')
    RETURNS TABLE (at timestamptz, score numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    IF NOT (isfinite(since) AND isfinite(until) AND since <= until) THEN
        RAISE EXCEPTION 'since must not be after until, and both finite' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF step <= interval '0' OR (until - since) > step * 10000 THEN
        RAISE EXCEPTION 'a history has at most 10000 steps, each longer than nothing' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY SELECT g.at, nurture.score(contact, topic, g.at, points)
    FROM generate_series(since, until, step) g (at);
END
$$;
COMMENT ON FUNCTION nurture.score_history(text, timestamptz, timestamptz, interval, text, text) IS
    'a contact''s score at regular moments, each as nurture.score gives it: from the log where they are past';

CREATE FUNCTION nurture._ledger(model nurture.compiled_model, state nurture.profile, messages bytea, at timestamptz, contact text)
    RETURNS TABLE (at timestamptz, tick bigint, n int, event text, rule text, topic text, points numeric, amount numeric,
        value numeric, reason text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 50 AS 'MODULE_PATHNAME', 'nurture_ledger';

CREATE FUNCTION nurture.ledger(contact text, at timestamptz DEFAULT nurture._now())
    RETURNS TABLE (at timestamptz, event text, rule text, topic text, points numeric, amount numeric, value numeric, reason text,
        tick bigint, n int)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT l.at, l.event, l.rule, l.topic, l.points, l.amount, l.value, l.reason, l.tick, l.n
FROM nurture._score_state(ledger.contact, ledger.at, 'today') s
CROSS JOIN LATERAL nurture._ledger(s.model, s.state, coalesce((
    SELECT nurture._pack(e.type, e.at, e.received_at, e.props, NULL, e.tick * 16777216 + e.n, e.history)
    FROM nurture._log_of(s.key) e WHERE e.clock <= ledger.at), '\x00000000'), ledger.at, s.key) l
ORDER BY l.at NULLS LAST, l.tick, l.n, l.rule, l.reason
$$;
COMMENT ON FUNCTION nurture.ledger(text, timestamptz) IS
    'the entries of a contact''s score: each event that counts, what it gave and what is left of it; the values add up to the score exactly';
COMMENT ON FUNCTION nurture._ledger(nurture.compiled_model, nurture.profile, bytea, timestamptz, text) IS 'see nurture.ledger';

-- --- bands ------------------------------------------------------------------------------------------------------------

CREATE FUNCTION nurture._bands(model nurture.compiled_model, state nurture.profile) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_bands';
COMMENT ON FUNCTION nurture._bands(nurture.compiled_model, nurture.profile) IS 'the bands of a state, by topic';

CREATE VIEW nurture.lead_band AS
SELECT c.contact, b.topic, b.band
FROM nurture.contact c CROSS JOIN nurture._current_model m
CROSS JOIN LATERAL jsonb_each_text(nurture._bands(m.model, c.state)) b (topic, band);
COMMENT ON VIEW nurture.lead_band IS 'which band of which topic a contact is in as of its clock; topic score: of the whole score';
COMMENT ON COLUMN nurture.lead_band.topic IS 'the topic; score: the whole score';
COMMENT ON COLUMN nurture.lead_band.band IS 'the band''s name';

-- --- why --------------------------------------------------------------------------------------------------------------

CREATE FUNCTION nurture._why(model nurture.compiled_model, state nurture.profile, segment text, at timestamptz, contact text)
    RETURNS TABLE (n int, depth int, condition text, leaf boolean, value text, actual text, flips_at timestamptz, bound boolean)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 ROWS 5 AS 'MODULE_PATHNAME', 'nurture_why';
CREATE FUNCTION nurture._why_not(model nurture.compiled_model, state nurture.profile, segment text, at timestamptz, contact text)
    RETURNS TABLE (n int, depth int, condition text, leaf boolean, value text, actual text, flips_at timestamptz, bound boolean)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 ROWS 3 AS 'MODULE_PATHNAME', 'nurture_why_not';
COMMENT ON FUNCTION nurture._why(nurture.compiled_model, nurture.profile, text, timestamptz, text) IS 'see nurture.why';
COMMENT ON FUNCTION nurture._why_not(nurture.compiled_model, nurture.profile, text, timestamptz, text) IS 'see nurture.why_not';

CREATE FUNCTION nurture.why(contact text, segment text)
    RETURNS TABLE (depth int, condition text, value text, actual text, flips_at timestamptz, bound boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT w.depth, repeat('  ', w.depth) || w.condition, w.value, w.actual, w.flips_at, w.bound
FROM nurture._score_state(why.contact, nurture._now(), 'today') s
CROSS JOIN LATERAL nurture._why(s.model, s.state, why.segment, greatest(nurture._clock(s.state), nurture._now()), s.key) w
ORDER BY w.n
$$;
COMMENT ON FUNCTION nurture.why(text, text) IS
    'a segment''s condition as it stands for a contact now, part by part: whether it is true, what was found, when it may change by itself at the earliest';

CREATE FUNCTION nurture.why_not(contact text, segment text)
    RETURNS TABLE (condition text, value text, actual text, flips_at timestamptz, bound boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT w.condition, w.value, w.actual, w.flips_at, w.bound
FROM nurture._score_state(why_not.contact, nurture._now(), 'today') s
CROSS JOIN LATERAL nurture._why_not(s.model, s.state, why_not.segment, greatest(nurture._clock(s.state), nurture._now()), s.key) w
ORDER BY w.n
$$;
COMMENT ON FUNCTION nurture.why_not(text, text) IS
    'what keeps a contact out of a segment: the parts of its condition that stand in the way, and what was found; no row: nothing does';

REVOKE ALL ON TABLE nurture.lead_band FROM PUBLIC;
REVOKE ALL ON FUNCTION nurture.score_history(text, timestamptz, timestamptz, interval, text, text),
    nurture.ledger(text, timestamptz), nurture._ledger(nurture.compiled_model, nurture.profile, bytea, timestamptz, text),
    nurture._why(nurture.compiled_model, nurture.profile, text, timestamptz, text),
    nurture._why_not(nurture.compiled_model, nurture.profile, text, timestamptz, text),
    nurture.why(text, text), nurture.why_not(text, text) FROM PUBLIC;
