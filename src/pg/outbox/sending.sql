-- The kill switch: pause and resume. It lives in a row of its own, so that a pause never conflicts with a tick or a
-- sender, and is read in its newest committed state: a pause binds every claim that begins after its commit.

CREATE FUNCTION nurture._sending_paused() RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10 AS 'MODULE_PATHNAME', 'nurture_sending_paused';
COMMENT ON FUNCTION nurture._sending_paused() IS
    'whether sending is paused by the newest committed state, whatever the transaction''s snapshot';
REVOKE ALL ON FUNCTION nurture._sending_paused() FROM PUBLIC;

CREATE FUNCTION nurture._notify_actions(channels text[]) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT pg_notify('nurture_action', c) FROM (SELECT DISTINCT unnest(channels)) d(c) WHERE c <> '' AND c NOT LIKE '$%' $$;
COMMENT ON FUNCTION nurture._notify_actions(text[]) IS
    'NOTIFY nurture_action with each distinct channel as payload: its actions have become ready';
REVOKE ALL ON FUNCTION nurture._notify_actions(text[]) FROM PUBLIC;

CREATE FUNCTION nurture._switch_sending(pausing boolean, why text) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
    INSERT INTO nurture.sending AS s (paused, since, by, reason)
    VALUES (pausing, clock_timestamp(), session_user, why)
    ON CONFLICT (one) DO UPDATE
        SET paused = excluded.paused, since = excluded.since, by = excluded.by, reason = excluded.reason
    $$;
COMMENT ON FUNCTION nurture._switch_sending(boolean, text) IS 'sets the kill switch and notes who, when and why';
REVOKE ALL ON FUNCTION nurture._switch_sending(boolean, text) FROM PUBLIC;

CREATE FUNCTION nurture.pause(reason text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM nurture._switch_sending(true, pause.reason);
END
$$;
COMMENT ON FUNCTION nurture.pause(text) IS
    'stops all sending: no claim that begins after the commit returns anything; what was claimed before may be completed';
REVOKE ALL ON FUNCTION nurture.pause(text) FROM PUBLIC;

-- Consumers that slept through the pause are woken, channel by channel (a skip scan over the index of what is open).
CREATE FUNCTION nurture.resume() RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_bitmapscan = off
    AS $$
DECLARE
    here text COLLATE "C" := '';
BEGIN
    PERFORM nurture._switch_sending(false, NULL);
    IF NOT nurture._is_own_database() THEN
        PERFORM nurture._lock_engine();
        PERFORM nurture._adopt_database();
        PERFORM nurture._announce();
    END IF;
    LOOP
        SELECT a.channel INTO here FROM nurture.action a
        WHERE a.channel > here AND a.status IN ('ready', 'claimed') ORDER BY a.channel LIMIT 1;
        EXIT WHEN NOT FOUND;
        PERFORM nurture._notify_actions(ARRAY[here]);
    END LOOP;
END
$$;
COMMENT ON FUNCTION nurture.resume() IS 'ends a pause and notifies the channels that have open actions; in a restored copy also: lets the engine run here';
REVOKE ALL ON FUNCTION nurture.resume() FROM PUBLIC;
