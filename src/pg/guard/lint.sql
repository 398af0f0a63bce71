-- What is missing, or looks like a mistake, in what workflows send and how it is guarded.

CREATE FUNCTION nurture._sends(workflow text) RETURNS TABLE (channel text, template text, purpose text, transactional boolean, stream text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 5 AS 'MODULE_PATHNAME', 'nurture_sends';
COMMENT ON FUNCTION nurture._sends(text) IS 'the messages that a workflow sends, by themselves or as a stream has them next';
CREATE FUNCTION nurture._guarded_by(source text, channel text, purpose text, workflow text)
    RETURNS TABLE (policy text, consent boolean, cap boolean, hours boolean)
    LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 2 AS 'MODULE_PATHNAME', 'nurture_guarded_by';
COMMENT ON FUNCTION nurture._guarded_by(text, text, text, text) IS
    'the policies for such a message: whether they require consent, have a cap, have quiet hours or windows';
CREATE FUNCTION nurture._calendars_of(policy text) RETURNS TABLE (calendar text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'nurture_calendars_of';
COMMENT ON FUNCTION nurture._calendars_of(text) IS 'the calendars whose holidays a policy asks for';

CREATE FUNCTION nurture.lint() RETURNS TABLE (object text, finding text, severity text, hint text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
WITH message AS MATERIALIZED (
    SELECT w.name AS workflow, m.channel, m.template, m.purpose, m.transactional, coalesce(m.purpose, '') AS of_purpose
    FROM nurture.workflow w CROSS JOIN LATERAL nurture._sends(w.definition::text) m WHERE w.enabled AND m.stream IS NULL
    UNION
    SELECT w.name, c.channel, c.template, c.purpose, m.transactional, coalesce(c.purpose, '')
    FROM nurture.workflow w CROSS JOIN LATERAL nurture._sends(w.definition::text) m JOIN nurture.stream s ON s.name = m.stream
    CROSS JOIN LATERAL nurture._stream_contents(s.definition::text) c WHERE w.enabled
), guarded AS MATERIALIZED (
    SELECT m.workflow, m.channel, m.of_purpose, g.*
    FROM (SELECT DISTINCT workflow, channel, of_purpose FROM message) m
    CROSS JOIN LATERAL nurture._guarded_by(nurture._guard_source(), m.channel, m.of_purpose, m.workflow) g
), marketing AS (
    SELECT m.workflow, m.channel, m.of_purpose,
           format('%s%s', m.channel, CASE WHEN m.of_purpose <> '' THEN ' for ' || m.of_purpose ELSE '' END) AS what,
           coalesce(bool_or(g.consent), false) AS consent, coalesce(bool_or(g.cap), false) AS cap, coalesce(bool_or(g.hours), false) AS hours
    FROM (SELECT DISTINCT workflow, channel, of_purpose FROM message WHERE NOT transactional) m
    LEFT JOIN guarded g ON g.workflow = m.workflow AND g.channel = m.channel AND g.of_purpose = m.of_purpose
    GROUP BY m.workflow, m.channel, m.of_purpose
), finding (rank, object, finding, severity, hint) AS (
    SELECT 1, 'policies', 'no policy is enabled: nothing guards what workflows send', 'error',
           'Begin with: for email require consent at most 1 per day quiet from 21:00 to 08:00'
    WHERE NOT EXISTS (SELECT FROM nurture.policy p WHERE p.enabled) AND EXISTS (SELECT FROM message)
    UNION ALL
    SELECT 2, format('workflow "%s"', m.workflow), format('sends %s without asking for consent', m.what), 'error',
           'A policy for it says: require consent'
    FROM marketing m WHERE NOT m.consent
    UNION ALL
    SELECT 3, format('workflow "%s"', m.workflow), format('sends %s without a frequency cap', m.what), 'warning',
           'A policy for it says, for example: at most 1 per day'
    FROM marketing m WHERE NOT m.cap
    UNION ALL
    SELECT 4, format('workflow "%s"', m.workflow), format('sends %s without quiet hours or a send window', m.what), 'warning',
           'A policy for it says, for example: quiet from 21:00 to 08:00'
    FROM marketing m WHERE NOT m.hours
    UNION ALL
    SELECT 5, format('workflow "%s"', m.workflow), format('sends %s ''%s'' without a purpose, and consent is required', m.channel, m.template), 'warning',
           'Say what for: only who has allowed every purpose of the channel gets it.'
    FROM message m WHERE NOT m.transactional AND m.purpose IS NULL
        AND EXISTS (SELECT FROM guarded g WHERE g.workflow = m.workflow AND g.channel = m.channel AND g.of_purpose = '' AND g.consent)
    UNION ALL
    SELECT 6, format('workflow "%s"', m.workflow), format('sends %s ''%s'' as transactional beside marketing messages', m.channel, m.template), 'warning',
           'Transactional is what the contact has asked for: a receipt, a password. Guards do not stop it.'
    FROM message m WHERE m.transactional AND EXISTS (SELECT FROM message o WHERE o.workflow = m.workflow AND NOT o.transactional)
    UNION ALL
    SELECT 7, format('policy "%s"', p.name), format('names workflow "%s", which does not exist', r.name), 'error',
           'Correct the name, or take it out.'
    FROM nurture.policy p CROSS JOIN LATERAL nurture._references('policy', p.definition::text) r
    WHERE p.enabled AND r.kind = 'workflow' AND NOT EXISTS (SELECT FROM nurture.workflow w WHERE w.name = r.name)
    UNION ALL
    SELECT 8, format('policy "%s"', p.name), format('asks for holidays of calendar "%s", which has none', c.calendar), 'warning',
           'Fill nurture.holiday.'
    FROM nurture.policy p CROSS JOIN LATERAL nurture._calendars_of(p.definition::text) c
    WHERE p.enabled AND NOT EXISTS (SELECT FROM nurture.holiday h WHERE h.calendar = c.calendar)
    UNION ALL
    SELECT 10, format('coupon pool "%s"', s.pool), CASE WHEN s."left" = 0 THEN 'has no code left' ELSE format('runs low: %s left', s."left") END,
           CASE WHEN s."left" = 0 THEN 'error' ELSE 'warning' END, 'Insert more into nurture.coupon; nurture.coupon_pool.low says when to warn.'
    FROM nurture.coupon_stock s JOIN nurture.coupon_pool p ON p.name = s.pool WHERE p.enabled AND (s.low OR s."left" = 0)
    UNION ALL
    SELECT 11, format('rota "%s"', r.name), 'has nobody who is available', 'error', 'Members are rows of nurture.rota_member.'
    FROM nurture.rota r WHERE r.enabled AND NOT EXISTS (SELECT FROM nurture.rota_member m WHERE m.rota = r.name AND m.available)
    UNION ALL
    SELECT 12, format('workflow "%s"', w.name), CASE WHEN c.called IS NULL THEN 'does not say which procedure is to be called' ELSE format('calls procedure "%s", which is not listed', c.called) END,
           'error', CASE WHEN c.called IS NULL THEN 'Such as: do ''procedure'' with (name = ''discount'')' ELSE 'Procedures that may be called are rows of nurture.procedure.' END
    FROM nurture.workflow w CROSS JOIN LATERAL nurture._workflow_outline(w.definition) o
    CROSS JOIN LATERAL (SELECT replace(substring(o.what FROM '[( ]name = ''((?:[^'']|'''')*)'''), '''''', '''')) c (called)
    WHERE w.enabled AND o.kind = 'do' AND o.what ~ '^do ''procedure''( |$)' AND o.what !~ '[( ]name = [^'']'
      AND NOT EXISTS (SELECT FROM nurture.procedure p WHERE p.name = c.called)
    UNION ALL
    SELECT 13, format('workflow "%s"', w.name), format('starts at step %s of workflow "%s", at which nobody waits', e.condition, e.name), 'error',
           'Steps are named as in nurture.journey; only those that wait are told of.'
    FROM nurture.workflow w CROSS JOIN LATERAL nurture._workflow_entry(w.definition) e JOIN nurture.workflow o ON o.name = e.name
    WHERE w.enabled AND e.kind = 'step reached'
      AND NOT EXISTS (SELECT FROM nurture._steps(o.definition::text) s WHERE s.step = e.condition AND s.waits)
    UNION ALL
    SELECT 9, format('policy "%s"', p.name), 'is for nothing that an enabled workflow sends', 'notice',
           'See its channels, purposes and workflows: names are case-sensitive.'
    FROM nurture.policy p WHERE p.enabled AND EXISTS (SELECT FROM message) AND NOT EXISTS (SELECT FROM guarded g WHERE g.policy = p.name)
)
SELECT f.object, f.finding, f.severity, f.hint
FROM finding f
GROUP BY f.rank, f.object, f.finding, f.severity, f.hint
ORDER BY array_position(ARRAY['error', 'warning', 'notice'], f.severity), f.object COLLATE "C", f.rank, f.finding COLLATE "C"
$$;
COMMENT ON FUNCTION nurture.lint() IS
    'what is missing or looks like a mistake: messages without consent, caps, quiet hours; names that lead nowhere. error, warning, notice';
REVOKE ALL ON FUNCTION nurture._sends(text), nurture._guarded_by(text, text, text, text), nurture._calendars_of(text), nurture.lint() FROM PUBLIC;
