-- Everything that is known of a person, for the person: the right to data portability.

CREATE FUNCTION nurture.export_contact(contact text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_variable
DECLARE
    keys CONSTANT text[] := nurture._keys_of(nurture.contact_of(contact));
    names CONSTANT text[] := nurture._names_about(keys[1]);
    place record;
    rows jsonb;
    exported jsonb;
BEGIN
    IF contact IS NULL OR contact = '' THEN
        RAISE EXCEPTION 'contact must not be empty' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    exported := jsonb_strip_nulls(jsonb_build_object('contact', keys[1],
        'lead', (SELECT to_jsonb(l) - 'contact' FROM nurture.lead l WHERE l.contact = keys[1]),
        'profile', nurture.describe(keys[1]),
        'segments', (SELECT jsonb_agg(to_jsonb(m) - 'contact' ORDER BY m.segment) FROM nurture.membership m WHERE m.contact = keys[1]),
        'journeys', (SELECT jsonb_agg(to_jsonb(j) - 'contact' ORDER BY j.since, j.workflow, j.step) FROM nurture.journey j WHERE j.contact = keys[1]),
        'consent', (SELECT jsonb_agg(to_jsonb(c) - 'contact' ORDER BY c.channel, c.purpose) FROM nurture.consent c WHERE c.contact = keys[1])));
    -- As they lie, without states (the profile says it) and without what only senders and applications need to know.
    FOR place IN SELECT p.* FROM nurture._person_rows() p WHERE p.relation NOT IN ('contact', 'base', '_past_of', '_past_done', '_decided', 'membership_entry') LOOP
        EXECUTE format($query$
            SELECT jsonb_agg(CASE WHEN r.row ->> 'type' IN ('$merge', '$split') THEN r.row #- '{props,state}' ELSE r.row END)
            FROM (SELECT to_jsonb(t) - '{winner_state,loser_state,receipt,token_hash,draws,of_journey}'::text[] FROM nurture.%I t WHERE %s) r (row)$query$,
            place.relation, place.condition) INTO rows USING keys, names;
        IF rows IS NOT NULL THEN
            exported := exported || jsonb_build_object(ltrim(place.relation, '_'), rows);
        END IF;
    END LOOP;
    RETURN exported;
END
$$;
COMMENT ON FUNCTION nurture.export_contact(text) IS
    'everything the engine knows of the contact of a key, as JSON: its profile, and the rows of every table that are about it';
REVOKE ALL ON FUNCTION nurture.export_contact(text) FROM PUBLIC;
