-- What streams hold, and how far contacts are in them.

CREATE FUNCTION nurture._stream_contents(definition text)
    RETURNS TABLE (place int, channel text, template text, purpose text, available text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 10 AS 'MODULE_PATHNAME', 'nurture_stream_contents';
COMMENT ON FUNCTION nurture._stream_contents(text) IS 'the messages of a stream''s definition; available: from and until, as written';

CREATE VIEW nurture.stream_content AS
SELECT s.name AS stream, c.place, c.channel, c.template, c.purpose, c.available, n.planned, n.sent, n.waiting
FROM nurture.stream s CROSS JOIN LATERAL nurture._stream_contents(s.definition::text) c
CROSS JOIN LATERAL (
    SELECT count(*) AS planned, count(*) FILTER (WHERE a.status = 'done') AS sent,
           count(*) FILTER (WHERE a.status IN ('ready', 'claimed')) AS waiting
    FROM nurture.action a WHERE a.channel = c.channel AND a.template = c.template) n;
COMMENT ON VIEW nurture.stream_content IS 'the messages of every stream in their order, and how often each was planned and sent, by whatever workflow';
COMMENT ON COLUMN nurture.stream_content.available IS 'from when until when, as written; NULL: always';
COMMENT ON COLUMN nurture.stream_content.planned IS 'of the actions that are still kept';

CREATE FUNCTION nurture._stream_places(model nurture.compiled_model, contact text, state nurture.profile, at timestamptz)
    RETURNS TABLE (stream text, place int, channel text, template text, state text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 10 AS 'MODULE_PATHNAME', 'nurture_stream_places';
COMMENT ON FUNCTION nurture._stream_places(nurture.compiled_model, text, nurture.profile, timestamptz) IS 'where a contact is in the streams of a model';

CREATE FUNCTION nurture.stream_places(contact text, at timestamptz DEFAULT NULL)
    RETURNS TABLE (stream text, place int, channel text, template text, state text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
SELECT p.stream, p.place, p.channel, p.template, p.state
FROM nurture.contact c
JOIN nurture.model m ON m.id = c.model
CROSS JOIN LATERAL nurture._stream_places(m.model, c.contact, c.state, coalesce(stream_places.at, nurture._now())) p
WHERE c.contact = nurture.contact_of(stream_places.contact)
ORDER BY p.stream COLLATE "C", p.place
$$;
COMMENT ON FUNCTION nurture.stream_places(text, timestamptz) IS
    'how far the contact is in every stream: of each message whether it was sent, is on its way, next, later, not yet or no longer available';
REVOKE ALL ON TABLE nurture.stream_content FROM PUBLIC;
-- Functions in a view run as the caller: whoever may read the view needs it. It sees nothing but its argument.
GRANT EXECUTE ON FUNCTION nurture._stream_contents(text) TO PUBLIC;
REVOKE ALL ON FUNCTION nurture._stream_places(nurture.compiled_model, text, nurture.profile, timestamptz),
    nurture.stream_places(text, timestamptz) FROM PUBLIC;
