-- The guards' judgement as functions: what the policies are, what they ask for, what they say of a set of messages.

-- The policies in force, as core/model/source.hpp reads them. Claim takes them from the table, not from the model: a change
-- binds every claim that begins after its commit.
CREATE FUNCTION nurture._guard_source() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT json_build_object('format', 1, 'id', 0, 'timezone', current_setting('nurture.timezone'), 'late_after', 0, 'action_expiry', 0,
    'dedup_window', 0, 'calendar', nurture._calendar_source(), 'rules', '[]'::json, 'segments', '[]'::json, 'workflows', '[]'::json,
    'policies', json_agg(json_build_object('id', p.id, 'name', p.name, 'definition', p.definition::text) ORDER BY p.id),
    'features', '[]'::json)::text
FROM nurture.policy p WHERE p.enabled HAVING count(*) > 0
$$;
COMMENT ON FUNCTION nurture._guard_source() IS 'the policies in force, or NULL when there are none';

CREATE FUNCTION nurture._traits_of(source text) RETURNS nurture._guard_traits
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'nurture_guard_traits';
COMMENT ON FUNCTION nurture._traits_of(text) IS 'what the policies of a source ask for';

CREATE FUNCTION nurture._guard_counters(source text, channel text, workflows text[], moment timestamptz)
    RETURNS TABLE (policy int, key text, slot timestamptz, ends timestamptz, allowed bigint, whole_channel boolean)
    LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 2 AS 'MODULE_PATHNAME', 'nurture_guard_counters';
COMMENT ON FUNCTION nurture._guard_counters(text, text, text[], timestamptz) IS
    'the counters that messages of the channel by these workflows take of; slot and ends are NULL for budgets';

-- Arrays side by side: candidates in the order of claiming with the time zones and countries of their contacts, what was sent to those
-- contacts (candidate: its number, if it is tried again), counters.
CREATE FUNCTION nurture._judge(source text, moment timestamptz, channel text,
        contacts text[], purposes text[], workflows text[], transactional boolean[], consented boolean[], first_attempt boolean[],
        zones text[], countries text[], sent_contacts text[], sent_at timestamptz[], sent_channels text[], sent_purposes text[], sent_workflows text[],
        sent_candidates int[], counter_policies int[], counter_keys text[], counter_ends timestamptz[], counter_used bigint[])
    RETURNS TABLE (n int, decision text, until timestamptz, reason text, used bigint)
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE ROWS 100 AS 'MODULE_PATHNAME', 'nurture_judge';
COMMENT ON FUNCTION nurture._judge(text, timestamptz, text, text[], text[], text[], boolean[], boolean[], boolean[], text[], text[], text[],
        timestamptz[], text[], text[], text[], int[], int[], text[], timestamptz[], bigint[]) IS
    'claim, delay or drop for each candidate, then what is used of each counter (decision: count)';

CREATE FUNCTION nurture._profile_place(state nurture.profile, OUT zone text, OUT country text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'nurture_profile_place';
COMMENT ON FUNCTION nurture._profile_place(nurture.profile) IS
    'where guards take the contact to be: its time zone, NULL when it has none that is known, and its country';

REVOKE ALL ON FUNCTION nurture._guard_source(), nurture._traits_of(text), nurture._guard_counters(text, text, text[], timestamptz),
    nurture._judge(text, timestamptz, text, text[], text[], text[], boolean[], boolean[], boolean[], text[], text[], text[], timestamptz[],
        text[], text[], text[], int[], int[], text[], timestamptz[], bigint[]), nurture._profile_place(nurture.profile) FROM PUBLIC;
