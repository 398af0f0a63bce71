-- Merges in the tick. A merge is a barrier: of the contacts that are to become one each takes its messages up to the one
-- that says so; the loser's state then goes to the winner as a message, and what was told later waits until the winner
-- has taken it. As long as anything waits the next batch is made of that and of nothing else, and no time passes beyond
-- its messages. All of it is the tick's transaction. See docs/decisions/0009.

CREATE TABLE nurture._waiting (
    contact text COLLATE "C",
    type text COLLATE "C",
    at timestamptz,
    props jsonb,
    message_id text,
    kind text,
    received_at timestamptz,
    history boolean NOT NULL,
    place bigint NOT NULL,
    sub int NOT NULL DEFAULT 0
);
COMMENT ON TABLE nurture._waiting IS 'messages behind a merge, or behind more timers than one step lets run, and the states that are on their way to those who take them';
COMMENT ON COLUMN nurture._waiting.history IS 'came through nurture.history';
COMMENT ON COLUMN nurture._waiting.place IS 'with received_at and sub: their order';
REVOKE ALL ON TABLE nurture._waiting FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture._waiting', '');

CREATE TABLE nurture.merge_log (
    loser text COLLATE "C" NOT NULL,
    tick bigint NOT NULL,
    winner text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    key text COLLATE "C" NOT NULL,
    other_key text COLLATE "C" NOT NULL,
    keys text[] COLLATE "C" NOT NULL,
    winner_state nurture.profile,
    loser_state nurture.profile,
    undone_tick bigint,
    undone_at timestamptz,
    PRIMARY KEY (loser, tick)
);
CREATE INDEX merge_log_winner ON nurture.merge_log (winner);
COMMENT ON TABLE nurture.merge_log IS 'every merge: who became whom, through which keys, and both states as they were';
COMMENT ON COLUMN nurture.merge_log.at IS 'when the engine was told that both are one';
COMMENT ON COLUMN nurture.merge_log.key IS 'the key whose message said so';
COMMENT ON COLUMN nurture.merge_log.other_key IS 'the key it named';
COMMENT ON COLUMN nurture.merge_log.keys IS 'the keys that went over to the winner';
COMMENT ON COLUMN nurture.merge_log.winner_state IS 'NULL: the winner was not known yet';
COMMENT ON COLUMN nurture.merge_log.loser_state IS 'NULL: the loser was not known yet';
COMMENT ON COLUMN nurture.merge_log.undone_tick IS 'when nurture.unmerge told them apart again';
REVOKE ALL ON TABLE nurture.merge_log FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.merge_log', '');

CREATE TABLE nurture.identity_conflict (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    tick bigint NOT NULL,
    key text COLLATE "C",
    kind text,
    other_key text COLLATE "C",
    other_kind text,
    contact text COLLATE "C" NOT NULL,
    other_contact text COLLATE "C",
    reason text NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'merged', 'kept')),
    resolved_at timestamptz,
    resolved_by text
);
CREATE INDEX identity_conflict_key ON nurture.identity_conflict (key, other_key);
COMMENT ON TABLE nurture.identity_conflict IS 'keys that were said to belong together and were not connected, and why; see nurture.resolve_conflict';
COMMENT ON COLUMN nurture.identity_conflict.at IS 'when the engine was told';
COMMENT ON COLUMN nurture.identity_conflict.contact IS 'whose the key was then';
COMMENT ON COLUMN nurture.identity_conflict.other_contact IS 'whose the other key was then, where that is what stood in the way';
COMMENT ON COLUMN nurture.identity_conflict.status IS 'open; merged: somebody has decided that they are one; kept: that they are not';
REVOKE ALL ON TABLE nurture.identity_conflict FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.identity_conflict', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.identity_conflict_id_seq', '');

CREATE TABLE nurture.survivorship (
    attribute text COLLATE "C" NOT NULL PRIMARY KEY,
    rule text NOT NULL CHECK (rule IN ('newest', 'oldest', 'min', 'max', 'sum', 'union', 'winner', 'source rank')),
    sources text[],
    CONSTRAINT survivorship_sources CHECK ((sources IS NOT NULL) = (rule = 'source rank'))
);
COMMENT ON TABLE nurture.survivorship IS 'which value of an attribute a merge keeps, where it is not the newest; rows are yours';
COMMENT ON COLUMN nurture.survivorship.rule IS
    'newest, oldest; min, max: by number, else by text; sum: of numbers; union: of lists; winner: that of the contact whose name remains; source rank: see sources';
COMMENT ON COLUMN nurture.survivorship.sources IS
    'of source rank: what $source of $identify says, the best first; of what none of them told, and of equal ones, the newest';
REVOKE ALL ON TABLE nurture.survivorship FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.survivorship', '');

CREATE FUNCTION nurture._survivorship_rules() RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT jsonb_object_agg(s.attribute, coalesce(to_jsonb(s.sources), to_jsonb(s.rule))) FROM nurture.survivorship s
$$;
COMMENT ON FUNCTION nurture._survivorship_rules() IS 'the rules as a $merge carries them: a name, or the list of sources; NULL: none';
REVOKE ALL ON FUNCTION nurture._survivorship_rules() FROM PUBLIC;

-- What somebody has decided: limits do not hold for these messages.
CREATE TABLE nurture._decided (
    message_id text NOT NULL PRIMARY KEY
);
COMMENT ON TABLE nurture._decided IS 'messages of nurture.merge and nurture.resolve_conflict on their way to the tick';
REVOKE ALL ON TABLE nurture._decided FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture._decided', '');

-- What the batch at hand says about identity, and what that comes to. Unlogged and empty between ticks.
CREATE UNLOGGED TABLE nurture._link (
    n int NOT NULL PRIMARY KEY,
    contact text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    other text COLLATE "C",
    of_kind text COLLATE "C",
    other_contact text COLLATE "C",
    other_wins boolean NOT NULL,
    forced boolean NOT NULL,
    split boolean NOT NULL,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    place bigint NOT NULL,
    ordinal int NOT NULL,
    history boolean NOT NULL,
    message_id text,
    reason text
);
CREATE UNLOGGED TABLE nurture._planned (
    what text NOT NULL,
    link int NOT NULL,
    contact text COLLATE "C",
    other text COLLATE "C",
    kind text COLLATE "C"
);
COMMENT ON TABLE nurture._link IS 'the keys that the messages of the batch connect';
COMMENT ON COLUMN nurture._link.reason IS 'why it connects nothing';
COMMENT ON TABLE nurture._planned IS 'merge: other becomes contact; split; conflict; same; hold: the contact''s messages after the link''s wait, hold before: that one, too';
REVOKE ALL ON TABLE nurture._link, nurture._planned FROM PUBLIC;

CREATE FUNCTION nurture._plan_merges(links text, known text, kinds text)
    RETURNS TABLE (what text, link int, contact text, other text, kind text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 1000 AS 'MODULE_PATHNAME', 'nurture_plan_merges';
COMMENT ON FUNCTION nurture._plan_merges(text, text, text) IS 'what links come to in one round: see core/identity/plan.hpp';
CREATE FUNCTION nurture._remaining(folded nurture.profile, stored nurture.profile, gone nurture.profile) RETURNS nurture.profile
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'nurture_remaining';
COMMENT ON FUNCTION nurture._remaining(nurture.profile, nurture.profile, nurture.profile) IS 'what of a contact remains when another is told apart from it';
CREATE FUNCTION nurture._told_apart(folded nurture.profile, before nurture.profile, stored nurture.profile) RETURNS nurture.profile
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'nurture_told_apart';
COMMENT ON FUNCTION nurture._told_apart(nurture.profile, nurture.profile, nurture.profile) IS 'the state with which a contact begins again that was merged';
REVOKE ALL ON FUNCTION nurture._plan_merges(text, text, text),
    nurture._remaining(nurture.profile, nurture.profile, nurture.profile), nurture._told_apart(nurture.profile, nurture.profile, nurture.profile)
    FROM PUBLIC;

CREATE FUNCTION nurture._unusable_key(key text, kind text) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    rules nurture.identity_kind;
BEGIN
    IF key IS NULL OR key = '' OR octet_length(key) > 512 THEN
        RETURN 'the other key is missing, or longer than 512 bytes';
    END IF;
    SELECT k.* INTO rules FROM nurture.identity_kind k WHERE k.kind = kind;
    IF NOT FOUND THEN
        RETURN format('kind "%s" is not in nurture.identity_kind', kind);
    ELSIF key ILIKE ANY (rules.blocked) THEN
        RETURN format('key "%s" of kind %s is blocked', key, kind);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION nurture._unusable_key(text, text) IS 'why a key connects nothing; NULL: it does';
REVOKE ALL ON FUNCTION nurture._unusable_key(text, text) FROM PUBLIC;

-- What the messages of the batch connect.
CREATE FUNCTION nurture._find_links() RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_nestloop = on SET enable_hashjoin = off
    SET enable_mergejoin = off SET enable_seqscan = off SET jit = off AS $$
DECLARE
    found bigint;
BEGIN
    INSERT INTO nurture._link
    SELECT row_number() OVER (ORDER BY l.received_at, l.place, l.sub), l.contact, l.key, l.kind, l.other, l.of_kind,
           coalesce(i.contact, l.other), l.other_wins, l.forced, l.split, least(l.at, l.received_at), l.received_at, l.place, l.ordinal,
           l.history, l.message_id,
           CASE WHEN l.split THEN NULL
                ELSE coalesce(CASE WHEN NOT l.forced THEN nurture._unusable_key(l.key, l.kind) END,
                              CASE WHEN NOT l.forced OR l.other IS NULL OR l.other = '' OR octet_length(l.other) > 512
                                   THEN nurture._unusable_key(l.other, l.of_kind) END,
                              CASE WHEN q.contact IS NOT NULL THEN format('contact "%s" is quarantined', q.contact) END) END
    FROM (SELECT b.*, o.*, b.type = '$unmerge' AS split,
                 EXISTS (SELECT FROM nurture._decided d WHERE d.message_id = b.message_id) AS forced
          FROM (SELECT b.contact, b.key, CASE WHEN own.key IS NULL THEN coalesce(b.kind, 'user') ELSE coalesce(own.kind, 'user') END AS kind, b.type, b.at, b.received_at, b.props, b.place,
                       b.ordinal, b.history, b.message_id
                FROM nurture._batch b LEFT JOIN nurture.identity own ON own.key = b.key
                WHERE b.ordinal > 0
                  AND (b.type IN ('$alias', '$unmerge') OR b.type = '$identify' AND b.props ? '$keys')) b
          CROSS JOIN LATERAL (
              SELECT 0 AS sub, coalesce(b.props ->> 'to', b.props ->> 'previous_id', b.props ->> 'previousId') AS other,
                     coalesce(b.props ->> 'kind', 'user') AS of_kind, b.props ? 'to' AS other_wins
              WHERE b.type = '$alias' AND b.props ?| '{to,previous_id,previousId}'
              UNION ALL
              SELECT k.n::int, k.value, k.key, false
              FROM jsonb_each_text(CASE WHEN b.type = '$unmerge' THEN '{}'
                                        WHEN jsonb_typeof(b.props -> CASE b.type WHEN '$alias' THEN 'keys' ELSE '$keys' END) = 'object'
                                        THEN b.props -> CASE b.type WHEN '$alias' THEN 'keys' ELSE '$keys' END
                                        ELSE '{}' END) WITH ORDINALITY k (key, value, n)
              UNION ALL
              SELECT 0, NULL, NULL, false WHERE b.type = '$unmerge') o) l
    LEFT JOIN nurture.identity i ON i.key = l.other
    LEFT JOIN nurture.quarantine q ON q.contact = coalesce(i.contact, l.other);
    GET DIAGNOSTICS found = ROW_COUNT;
    IF found > 0 THEN
        -- The kind of a key that is known is what was told first.
        UPDATE nurture._link l SET of_kind = coalesce(i.kind, 'user') FROM nurture.identity i WHERE i.key = l.other;
        UPDATE nurture._link l SET reason = format('key "%s" was not merged, or is the contact''s own name', l.key)
        WHERE l.split AND NOT EXISTS (SELECT FROM nurture.merge_log m WHERE m.winner = l.contact AND m.undone_tick IS NULL
                                      AND l.key = ANY (m.keys));
    END IF;
    RETURN found;
END
$$;
COMMENT ON FUNCTION nurture._find_links() IS 'lists what the messages of the batch connect; returns how many';
REVOKE ALL ON FUNCTION nurture._find_links() FROM PUBLIC;

-- Plans the merges of the batch, and lets wait what comes behind them. True: there is a barrier, this batch is not the last.
CREATE FUNCTION nurture._connect() RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET work_mem = '64MB' SET jit = off AS $$
BEGIN
    IF nurture._find_links() = 0 THEN
        RETURN false;
    END IF;
    INSERT INTO nurture._planned
    SELECT p.what, o.n, p.contact, p.other, p.kind
    FROM nurture._plan_merges(
        coalesce((SELECT json_agg(json_build_object('key', l.key, 'kind', l.kind, 'contact', l.contact, 'other', l.other,
                     'of_kind', l.of_kind, 'other_contact', l.other_contact, 'other_wins', l.other_wins, 'forced', l.forced,
                     'split', l.split, 'undoable', l.split AND l.reason IS NULL, 'message', l.message) ORDER BY l.n)
                  FROM (SELECT *, dense_rank() OVER (ORDER BY received_at, place, contact, ordinal) AS message FROM nurture._link) l
                  WHERE l.reason IS NULL OR l.split), '[]')::text,
        nurture._known_keys(),
        (SELECT json_agg(k) FROM nurture.identity_kind k)::text) p
    JOIN (SELECT l.n, row_number() OVER (ORDER BY l.n) AS usable FROM nurture._link l WHERE l.reason IS NULL OR l.split) o
        ON o.usable = p.link;
    IF NOT EXISTS (SELECT FROM nurture._planned p WHERE p.what LIKE 'hold%') THEN
        RETURN false;
    END IF;
    WITH held AS (
        DELETE FROM nurture._batch b
        USING (SELECT p.contact, l.received_at, l.place, p.what = 'hold before' AS before
               FROM nurture._planned p JOIN nurture._link l ON l.n = p.link WHERE p.what LIKE 'hold%') h
        WHERE b.contact = h.contact AND b.ordinal > 0
          AND ((b.received_at, b.place) > (h.received_at, h.place) OR h.before AND b.received_at = h.received_at AND b.place = h.place)
        RETURNING b.*
    )
    INSERT INTO nurture._waiting (contact, type, at, props, message_id, kind, received_at, history, place)
    SELECT h.key, h.type, h.at, h.props, h.message_id, h.kind, h.received_at, h.history, h.place FROM held h;
    RETURN true;
END
$$;
COMMENT ON FUNCTION nurture._connect() IS 'plans the batch''s merges; true: there are some, and messages behind them wait';

-- The keys of all contacts that the links name.
CREATE FUNCTION nurture._known_keys() RETURNS text
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_nestloop = on SET enable_hashjoin = off
    SET enable_mergejoin = off SET enable_seqscan = off AS $$
SELECT coalesce(json_agg(json_build_object('contact', i.contact, 'key', i.key, 'kind', coalesce(i.kind, 'user'))), '[]')::text
FROM (SELECT DISTINCT w.contact
      FROM (SELECT l.contact FROM nurture._link l WHERE l.reason IS NULL OR l.split
            UNION ALL SELECT l.other_contact FROM nurture._link l WHERE l.reason IS NULL AND NOT l.split) w) c
JOIN nurture.identity i ON i.contact = c.contact
$$;
COMMENT ON FUNCTION nurture._known_keys() IS 'the keys of the contacts of the batch''s links, as JSON';

-- Steps the contacts of a batch with a barrier: who is to become somebody else lives until then, also without messages.
CREATE FUNCTION nurture._step_before_merge(model nurture.compiled_model, this_tick bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_nestloop = on SET enable_hashjoin = off
    SET enable_mergejoin = off SET enable_seqscan = off SET enable_hashagg = off SET work_mem = '64MB' SET jit = off AS $$
DECLARE
    stepped bigint;
BEGIN
    INSERT INTO nurture._stepped
    SELECT r.contact, r.place, r.due_before, (r.result).*
    FROM (SELECT m.contact, c.ctid AS place, c.due AS due_before,
                 nurture._step(_step_before_merge.model, m.contact, c.state, m.messages, m.until, this_tick) AS result
          FROM (SELECT b.contact, max(b.until) AS until,
                       nurture._pack(b.type, least(b.at, b.received_at), b.received_at, b.props, b.message_id, b.place, b.history)
                           FILTER (WHERE b.told) AS messages
                FROM (SELECT m.contact, m.type, m.at, m.received_at, m.props, m.message_id, m.place, m.history,
                             NULL::timestamptz AS until, true AS told
                      FROM nurture._batch m WHERE m.ordinal > 0
                      UNION ALL
                      SELECT p.other, NULL, NULL, NULL, NULL, NULL, NULL, NULL, CASE WHEN NOT l.history THEN l.received_at END, false
                      FROM nurture._planned p JOIN nurture._link l ON l.n = p.link WHERE p.what = 'merge') b
                GROUP BY b.contact) m
          LEFT JOIN nurture.contact c ON c.contact = m.contact
          WHERE m.messages IS NOT NULL OR c.contact IS NOT NULL
          OFFSET 0) r;
    GET DIAGNOSTICS stepped = ROW_COUNT;
    RETURN stepped;
END
$$;
COMMENT ON FUNCTION nurture._step_before_merge(nurture.compiled_model, bigint) IS 'steps the contacts of a batch with a barrier';
REVOKE ALL ON FUNCTION nurture._connect(), nurture._known_keys(), nurture._step_before_merge(nurture.compiled_model, bigint) FROM PUBLIC;
