-- Assigning from rotas: actions of the channel $assign, which the engine carries out itself when it looks after the outbox.

CREATE FUNCTION nurture._assign_from_rotas(max_actions int DEFAULT 1000) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    moment CONSTANT timestamptz := nurture._now();
    act nurture.action;
    of_rota nurture.rota;
    chosen text;
    settled bigint := 0;
BEGIN
    FOR act IN
        SELECT a.* FROM nurture.action a
        WHERE a.channel = '$assign' AND a.status = 'ready' AND coalesce(a.leased_until, a.due) <= moment
            AND NOT EXISTS (SELECT FROM nurture.action_cancel c WHERE c.id = a.id)
        ORDER BY a.priority DESC, coalesce(a.leased_until, a.due), a.id LIMIT max_actions FOR NO KEY UPDATE OF a SKIP LOCKED
    LOOP
        settled := settled + 1;
        -- One after the other, whoever assigns. What somebody has locked is left for the next time.
        SELECT r.* INTO of_rota FROM nurture.rota r WHERE r.id = (act.payload ->> 'rota')::int FOR UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            IF EXISTS (SELECT FROM nurture.rota r WHERE r.id = (act.payload ->> 'rota')::int) THEN
                settled := settled - 1;
                CONTINUE;
            END IF;
            PERFORM nurture._stop_actions(moment, ARRAY[act.id], ARRAY['the rota was removed'], NULL, NULL, NULL);
            CONTINUE;
        END IF;
        SELECT n.member INTO chosen FROM nurture.rota_member n WHERE n.rota = of_rota.name AND n.available AND of_rota.enabled
        ORDER BY CASE of_rota.choose WHEN 'fewest' THEN n.assigned::numeric / n.share END, n.turn, n.member
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            IF EXISTS (SELECT FROM nurture.rota_member n WHERE n.rota = of_rota.name AND n.available AND of_rota.enabled) THEN
                settled := settled - 1;
                CONTINUE;
            END IF;
            PERFORM nurture._stop_actions(moment, NULL, NULL, ARRAY[act.id], ARRAY[moment + interval '10 minutes'],
                                          ARRAY[format('nobody of rota "%s" is available', of_rota.name)]);
            CONTINUE;
        END IF;
        UPDATE nurture.rota_member m
        SET assigned = m.assigned + 1, last_assigned_at = moment,
            turn = (SELECT max(o.turn) + 1 FROM nurture.rota_member o WHERE o.rota = of_rota.name)
        WHERE m.rota = of_rota.name AND m.member = chosen;
        UPDATE nurture.action a SET status = 'done', attempts = 1, reason = NULL, payload = a.payload || jsonb_build_object(act.template, chosen)
        WHERE a.id = act.id;
        INSERT INTO nurture.inbox (contact, type, at, props, message_id, received_at)
        VALUES (act.contact, '$identify', moment, jsonb_build_object(act.template, chosen), act.id || ':assigned', nurture._told_at(moment));
    END LOOP;
    RETURN settled;
END
$$;
COMMENT ON FUNCTION nurture._assign_from_rotas(int) IS 'carries out assignments that workflows have asked for; returns how many were looked at';
REVOKE ALL ON FUNCTION nurture._assign_from_rotas(int) FROM PUBLIC;
