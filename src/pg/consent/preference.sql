-- What a preference centre shows and writes. Preferences are attributes (preferred_topics, preferred_channels,
-- preferred_frequency, paused_until): conditions and messages read them like any other. What a contact allows is consent.

CREATE FUNCTION nurture.preference(contact text) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT jsonb_build_object(
           'topics', coalesce(a.attributes -> 'preferred_topics', '[]'),
           'channels', coalesce(a.attributes -> 'preferred_channels', '[]'),
           'frequency', a.attributes -> 'preferred_frequency',
           'pause_until', CASE WHEN (a.attributes ->> 'paused_until')::timestamptz > a.moment THEN a.attributes -> 'paused_until' END,
           'consents', coalesce((SELECT jsonb_agg(to_jsonb(s) ORDER BY s.channel NULLS FIRST, s.purpose NULLS FIRST)
                                 FROM nurture._consents(a.state, a.moment) s), '[]'))
FROM (SELECT c.state, nurture._attributes(c.state) AS attributes, nurture._asked_at() AS moment
      FROM (SELECT nurture.contact_of(preference.contact) AS key) k LEFT JOIN nurture.contact c ON c.contact = k.key) a
$$;
COMMENT ON FUNCTION nurture.preference(text) IS
    'topics, channels, frequency, pause_until and consents of a contact, as of the last tick (see nurture.wait_for)';

CREATE FUNCTION nurture.set_preferences(contact text, topics text[] DEFAULT NULL, channels text[] DEFAULT NULL, frequency text DEFAULT NULL,
        pause_until timestamptz DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    moment CONSTANT timestamptz := nurture._now();
    who CONSTANT text := nurture.contact_of(contact);
    told CONSTANT jsonb := jsonb_strip_nulls(jsonb_build_object('preferred_topics', topics, 'preferred_channels', channels,
        'preferred_frequency', frequency, 'paused_until', nurture._iso(pause_until)));
BEGIN
    IF contact IS NULL OR contact = '' OR octet_length(contact) > 512 THEN
        RAISE EXCEPTION 'contact must be a key of 1 to 512 bytes' USING ERRCODE = 'invalid_parameter_value';
    ELSIF NOT isfinite(pause_until) THEN
        RAISE EXCEPTION 'a pause has an end' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'To be left alone for good is nurture.withdraw_consent; now() ends a pause.';
    ELSIF told = '{}' THEN
        RETURN;
    END IF;
    PERFORM nurture._require_not_erased(contact);
    INSERT INTO nurture.inbox (contact, type, at, props, received_at) VALUES (contact, '$identify', moment, told, nurture._told_at(moment));
    IF pause_until IS NOT NULL THEN
        DELETE FROM nurture.suppression s WHERE s.contact = ANY (nurture._keys_of(who)) AND s.reason = 'pause';
        INSERT INTO nurture.suppression (contact, reason, since, until, transactional, source)
        SELECT who, 'pause', moment, pause_until, false, 'preferences' WHERE pause_until > moment;
    END IF;
END
$$;
COMMENT ON FUNCTION nurture.set_preferences(text, text[], text[], text, timestamptz) IS
    'what a contact prefers; NULL leaves a preference as it is. Until pause_until no marketing is claimed for the contact, from the commit on; now() ends a pause';
REVOKE ALL ON FUNCTION nurture.preference(text), nurture.set_preferences(text, text[], text[], text, timestamptz) FROM PUBLIC;
