-- What people decide about identity: merging by hand, looking first, telling apart again, settling conflicts. All of it goes
-- through the inbox, so that it happens at its place among what contacts do.

CREATE FUNCTION nurture._decide(key text, kind text, other text, other_kind text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    moment CONSTANT timestamptz := nurture._told_at(nurture._now());
    id CONSTANT text := gen_random_uuid();
BEGIN
    INSERT INTO nurture._decided (message_id) VALUES (id);
    INSERT INTO nurture.inbox (contact, kind, type, props, message_id, at, received_at)
    VALUES (key, nullif(kind, 'user'), '$alias', jsonb_build_object('to', other, 'kind', other_kind, 'decided_by', session_user), id, moment, moment);
END
$$;
COMMENT ON FUNCTION nurture._decide(text, text, text, text) IS 'sends an $alias for which limits do not hold';

-- As it is noted, or as the key was last sent under.
CREATE FUNCTION nurture._kind_of(key text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT coalesce((SELECT coalesce(i.kind, 'user') FROM nurture.identity i WHERE i.key = _kind_of.key),
                (SELECT l.kind FROM nurture.event_log l WHERE l.contact = _kind_of.key AND l.key = _kind_of.key
                    AND left(l.kind, 1) <> '$' ORDER BY l.at DESC LIMIT 1), 'user')
$$;
COMMENT ON FUNCTION nurture._kind_of(text) IS 'the kind of a key, as far as it was told';

CREATE FUNCTION nurture.merge(key text, other_key text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    IF coalesce(key, '') = '' OR coalesce(other_key, '') = '' OR octet_length(key) > 512 OR octet_length(other_key) > 512 THEN
        RAISE EXCEPTION 'two keys must be given, of at most 512 bytes' USING ERRCODE = 'invalid_parameter_value';
    ELSIF nurture.contact_of(key) = nurture.contact_of(other_key) THEN
        RAISE EXCEPTION '"%" and "%" are one contact already', key, other_key USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM nurture._require_not_erased(key), nurture._require_not_erased(other_key);
    PERFORM nurture._decide(key, nurture._kind_of(key), other_key, nurture._kind_of(other_key));
END
$$;
COMMENT ON FUNCTION nurture.merge(text, text) IS
    'makes the contacts of two keys one, whatever limits say; taken by the next tick. Look first: nurture.merge_preview';

CREATE FUNCTION nurture.unmerge(key text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    moment CONSTANT timestamptz := nurture._told_at(nurture._now());
    contact CONSTANT text := nurture.contact_of(key);
BEGIN
    IF NOT EXISTS (SELECT FROM nurture.merge_log m WHERE m.winner = contact AND m.undone_tick IS NULL AND key = ANY (m.keys)) THEN
        RAISE EXCEPTION 'key "%" did not come to contact "%" by a merge', key, contact USING ERRCODE = 'undefined_object',
            HINT = 'See nurture.merge_log.';
    END IF;
    INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES (key, '$unmerge', moment, moment);
END
$$;
COMMENT ON FUNCTION nurture.unmerge(text) IS
    'tells apart what the last merge that brought the key where it is has joined: each is what its own keys'' events make of it; journeys stay';

CREATE FUNCTION nurture.resolve_conflict(id bigint, decision text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    conflict nurture.identity_conflict;
BEGIN
    IF (decision IN ('merge', 'keep')) IS NOT TRUE THEN
        RAISE EXCEPTION 'decision must be ''merge'' or ''keep'', not ''%''', decision USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT c.* INTO conflict FROM nurture.identity_conflict c WHERE c.id = id FOR UPDATE;
    IF NOT FOUND OR conflict.status = 'merged' THEN
        RAISE EXCEPTION 'there is no conflict % to be settled', id USING ERRCODE = 'undefined_object',
            HINT = 'See nurture.identity_conflict for those that are open.';
    END IF;
    IF decision = 'merge' THEN
        IF coalesce(conflict.other_key, '') = '' OR octet_length(conflict.other_key) > 512 THEN
            RAISE EXCEPTION 'conflict % does not name two keys', id USING ERRCODE = 'invalid_parameter_value',
                HINT = 'It can be kept.';
        END IF;
        PERFORM nurture._decide(conflict.key, conflict.kind, conflict.other_key, conflict.other_kind);
    END IF;
    UPDATE nurture.identity_conflict c
    SET status = CASE decision WHEN 'merge' THEN 'merged' ELSE 'kept' END, resolved_at = clock_timestamp(), resolved_by = session_user
    WHERE c.id = id;
END
$$;
COMMENT ON FUNCTION nurture.resolve_conflict(bigint, text) IS
    'settles a row of nurture.identity_conflict: merge: they are one person after all, by the next tick; keep: they are not';

CREATE FUNCTION nurture.merge_preview(key text, other_key text) RETURNS TABLE (what text, of_key text, of_other_key text, merged text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    a CONSTANT text := nurture.contact_of(key);
    b CONSTANT text := nurture.contact_of(other_key);
    planned record;
    model nurture.compiled_model;
    state_a nurture.profile;
    state_b nurture.profile;
    joined nurture.profile;
    clock timestamptz;
BEGIN
    IF a = b OR a IS NULL OR b IS NULL THEN
        RAISE EXCEPTION '"%" and "%" are one contact already', key, other_key USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT m.model INTO model FROM nurture._current_model m;
    SELECT c.state INTO state_a FROM nurture.contact c WHERE c.contact = a;
    SELECT c.state INTO state_b FROM nurture.contact c WHERE c.contact = b;
    FOR planned IN
        SELECT p.* FROM (VALUES (false), (true)) f (forced)
        CROSS JOIN LATERAL nurture._plan_merges(
            json_build_array(json_build_object('key', key, 'kind', nurture._kind_of(key), 'contact', a, 'other', other_key,
                'of_kind', nurture._kind_of(other_key), 'other_contact', b, 'other_wins', true, 'forced', f.forced))::text,
            coalesce((SELECT json_agg(json_build_object('contact', i.contact, 'key', i.key, 'kind', coalesce(i.kind, 'user')))
                      FROM nurture.identity i WHERE i.contact IN (a, b)), '[]')::text,
            (SELECT json_agg(k) FROM nurture.identity_kind k)::text) p
        WHERE p.what = CASE WHEN f.forced THEN 'merge' ELSE 'conflict' END
    LOOP
        IF planned.what = 'conflict' THEN
            RETURN QUERY VALUES ('conflict', NULL::text, NULL::text, format('more keys of kind %s than one contact may have: only nurture.merge does it', planned.kind));
        ELSE
            RETURN QUERY VALUES ('contact', a, b, planned.contact);
        END IF;
    END LOOP;
    RETURN QUERY SELECT 'keys', string_agg(k.key, ', ' ORDER BY k.key) FILTER (WHERE k.contact = a),
                        string_agg(k.key, ', ' ORDER BY k.key) FILTER (WHERE k.contact = b), string_agg(k.key, ', ' ORDER BY k.key)
    FROM (SELECT a, a UNION SELECT b, b UNION SELECT i.contact, i.key FROM nurture.identity i WHERE i.contact IN (a, b)) k (contact, key);
    joined := coalesce(state_a, state_b);
    IF state_a IS NOT NULL AND state_b IS NOT NULL THEN
        clock := greatest(nurture._clock(state_a), nurture._clock(state_b));
        joined := (nurture._step(model, planned.contact, CASE planned.contact WHEN a THEN state_a ELSE state_b END,
            (SELECT nurture._pack('$merge', clock, clock, jsonb_build_object('contact', planned.other,
                        'state', CASE planned.contact WHEN a THEN state_b ELSE state_a END::text,
                        'rules', coalesce(nurture._survivorship_rules(), '{}')),
                    NULL, 1, false)), NULL, (SELECT e.tick + 1 FROM nurture.engine e))).state;
    END IF;
    RETURN QUERY
    SELECT r.what, r.value[1], r.value[2], r.value[3]
    FROM (SELECT p.what, array_agg(p.value ORDER BY s.n) AS value, p.rank
          FROM (VALUES (1, a, state_a), (2, b, state_b), (3, planned.contact, joined)) s (n, contact, state)
          CROSS JOIN LATERAL (VALUES
              (1, 'score', nurture._score(model, s.state, NULL, greatest(nurture._clock(s.state), nurture._now()), s.contact)::text),
              (2, 'segments', array_to_string(nurture._segments(model, s.state), ', ')),
              (3, 'attributes', nurture._attributes(s.state)::text),
              (4, 'journeys', (SELECT string_agg(format('%s: %s', j.workflow, j.step), ', ' ORDER BY j.workflow, j.started)
                               FROM nurture._journeys(model, s.state) j))) p (rank, what, value)
          GROUP BY p.what, p.rank) r
    ORDER BY r.rank;
END
$$;
COMMENT ON FUNCTION nurture.merge_preview(text, text) IS 'what merging the contacts of two keys would make of them; changes nothing';
REVOKE ALL ON FUNCTION nurture._decide(text, text, text, text), nurture._kind_of(text), nurture.merge(text, text), nurture.unmerge(text),
    nurture.resolve_conflict(bigint, text), nurture.merge_preview(text, text) FROM PUBLIC;
