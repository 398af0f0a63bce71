-- What makes a message malformed, and the way back for those that were set aside.

CREATE FUNCTION nurture._jsonb_size(value jsonb) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1 AS 'MODULE_PATHNAME', 'nurture_jsonb_size';
COMMENT ON FUNCTION nurture._jsonb_size(jsonb) IS 'bytes of the binary form before compression, without fetching it';

-- Inlined into the tick's statement: a single expression, bound at creation, no SET clause. It stays inlinable only
-- if every argument is a column, a constant or a parameter (each is used more than once), so pass the tick's `now`.
--
-- Differences of times are compared, not sums: timestamptz + interval depends on the session's zone and is not
-- immutable. A difference overflows beyond 292,000 years and then wraps; `at` is therefore held against `now` first,
-- after which `at - received_at` cannot overflow.
--
-- props are measured in their binary form before compression: it is what the step unpacks, a repetitive document
-- cannot hide behind its compression, and looking costs nothing (the text form would have to be built for every
-- event). It is close to the text form for ordinary properties.
CREATE FUNCTION nurture._malformed(contact text, type text, at timestamptz, props jsonb, message_id text, kind text,
        received_at timestamptz, now timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
    RETURN CASE
        WHEN contact IS NULL OR contact = '' THEN 'contact is missing'
        WHEN octet_length(contact) > 512 THEN 'contact is longer than 512 bytes'
        WHEN type IS NULL OR type = '' THEN 'type is missing'
        WHEN octet_length(type) > 512 THEN 'type is longer than 512 bytes'
        WHEN starts_with(type, '$') AND type COLLATE "C" NOT IN ('$identify', '$alias', '$unmerge', '$consent', '$sent', '$failed',
                '$dropped', '$list', '$adjust', '$bounce', '$complaint', '$start')
            THEN 'type begins with $ but is not one of the engine''s own'
        WHEN type COLLATE "C" = '$alias' AND NOT props ?| '{to,keys,previous_id,previousId}' THEN '$alias names no other key: to, or keys'
        WHEN received_at IS NULL THEN 'received_at is missing'
        WHEN NOT isfinite(received_at) THEN 'received_at is infinite'
        WHEN received_at > now AND received_at - now > interval '1 day' THEN 'received_at is more than a day ahead'
        WHEN NOT isfinite(at) THEN 'at is infinite'
        WHEN at > received_at AND (at - now > interval '1 day 10 minutes' OR at - received_at > interval '10 minutes')
            THEN 'at is more than 10 minutes ahead of received_at'
        WHEN nurture._jsonb_size(props) > 32768 THEN 'props is larger than 32 kB'
        WHEN jsonb_typeof(props) <> 'object' THEN 'props is not an object'
        WHEN octet_length(message_id) > 512 THEN 'message_id is longer than 512 bytes'
        WHEN octet_length(kind) > 512 THEN 'kind is longer than 512 bytes'
        WHEN starts_with(kind, '$') THEN 'kind begins with $, which is the engine''s own'
    END;
COMMENT ON FUNCTION nurture._malformed(text, text, timestamptz, jsonb, text, text, timestamptz, timestamptz) IS
    'why a message is malformed; NULL when it is well-formed';

-- received_at is kept: the message is still one we were told then and merely comes late, so it is as fresh or stale
-- for starting journeys as it was, what it leads to is due when it would have been (and marketing that is too late
-- expires rather than goes out), and an `at` left out still means that moment. Only a received_at that is itself at
-- fault becomes the moment of the retry. To live a message through as if it happened today, set its received_at first.
CREATE FUNCTION nurture.retry_rejected(ids bigint[]) RETURNS bigint
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    WITH taken AS (
        DELETE FROM nurture.rejected_event r WHERE r.id = ANY (ids) RETURNING r.*
    ), retried AS (
        SELECT t.*,
               CASE WHEN isfinite(t.received_at) AND t.received_at <= clock_timestamp() + interval '1 day'
                    THEN t.received_at ELSE clock_timestamp() END AS told_at
        FROM taken t
    ), to_inbox AS (
        INSERT INTO nurture.inbox (contact, type, at, props, message_id, kind, received_at)
        SELECT contact, type, at, props, message_id, kind, told_at FROM retried WHERE source = 'inbox' ORDER BY id
    ), to_history AS (
        INSERT INTO nurture.history (contact, type, at, props, message_id, kind, received_at)
        SELECT contact, type, at, props, message_id, kind, told_at FROM retried WHERE source = 'history' ORDER BY id
    )
    SELECT count(*) FROM taken
    $$;
COMMENT ON FUNCTION nurture.retry_rejected(bigint[]) IS
    'moves rejected events back to where they came from, to be taken by the next tick; returns how many. '
    'received_at is kept, unless it is itself missing, infinite or more than a day ahead: then it becomes now';
REVOKE ALL ON FUNCTION nurture.retry_rejected(bigint[]) FROM PUBLIC;
