-- A message that its journey withdrew while a sender had it may arrive after all. Until it is known, the same template is not handed out
-- to the same contact a second time: by then the contact has been told, and a stream's message is withdrawn (see withdraw_sent
-- in core/step/acts.cpp). Transactional messages wait for nothing. Part of claim, of actions that it has locked; looked at only while
-- anything is withdrawn.

CREATE FUNCTION nurture._await_withdrawn(ids uuid[], moment timestamptz) RETURNS uuid[]
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan SET jit = off
    AS $$
DECLARE
    has_keys CONSTANT boolean := EXISTS (SELECT FROM nurture.identity);
    concerned text[]; -- by what was withdrawn, under all their keys; NULL: not worth a list, all are looked at
    withdrawn record;
    status text;
    leased timestamptz;
    delayed uuid[] := '{}';
    untils timestamptz[] := '{}';
BEGIN
    IF cardinality(ids) >= 200 AND (SELECT count(*) FROM (SELECT FROM nurture.action_cancel LIMIT 201) c) <= 200 THEN
        concerned := ARRAY(
            SELECT k.key FROM (SELECT DISTINCT w.contact FROM nurture.action_cancel c JOIN nurture.action w ON w.id = c.id WHERE w.status IN ('ready', 'claimed')) w
            CROSS JOIN LATERAL unnest(CASE WHEN has_keys THEN nurture._keys_of(nurture.contact_of(w.contact)) ELSE ARRAY[w.contact] END) k (key));
    END IF;
    FOR withdrawn IN
        SELECT i.id AS candidate, w.id
        FROM unnest(ids) i (id) JOIN nurture.action a ON a.id = i.id
        CROSS JOIN LATERAL (
            SELECT o.* FROM nurture.action o
            WHERE o.contact = ANY (CASE WHEN has_keys THEN ARRAY(
                SELECT n.name FROM (SELECT coalesce((SELECT k.contact FROM nurture.identity k WHERE k.key = a.contact), a.contact)) t (today)
                CROSS JOIN LATERAL (SELECT t.today UNION ALL SELECT k.key FROM nurture.identity k WHERE k.contact = t.today) n (name))
                ELSE ARRAY[a.contact] END)
            OFFSET 0) w -- by the contact, not by what is open in the channel
        WHERE NOT a.transactional AND (concerned IS NULL OR a.contact = ANY (concerned)) AND w.channel = a.channel AND w.template = a.template AND w.id <> a.id AND w.status IN ('ready', 'claimed')
            AND EXISTS (SELECT FROM nurture.action_cancel c WHERE c.id = w.id)
    LOOP
        CONTINUE WHEN withdrawn.candidate = ANY (delayed);
        SELECT a.status, a.leased_until INTO status, leased FROM nurture.action a WHERE a.id = withdrawn.id FOR NO KEY UPDATE SKIP LOCKED;
        -- Not found: a claim of it, or its outcome, is being written.
        IF NOT FOUND OR status = 'claimed' AND leased > moment THEN
            delayed := delayed || withdrawn.candidate;
            untils := untils || coalesce(leased, moment + interval '1 second');
        END IF;
    END LOOP;
    IF delayed = '{}' THEN
        RETURN ids;
    END IF;
    PERFORM nurture._stop_actions(moment, NULL, NULL, delayed, untils,
                                  ARRAY(SELECT 'the same was withdrawn too late, and may arrive' FROM unnest(delayed)));
    RETURN ARRAY(SELECT i.id FROM unnest(ids) WITH ORDINALITY i (id, n) WHERE i.id <> ALL (delayed) ORDER BY i.n);
END
$$;
COMMENT ON FUNCTION nurture._await_withdrawn(uuid[], timestamptz) IS
    'delays actions whose contact may just be getting the same from one that was withdrawn; returns the others';
REVOKE ALL ON FUNCTION nurture._await_withdrawn(uuid[], timestamptz) FROM PUBLIC;
