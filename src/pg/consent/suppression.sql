-- What must not be sent, and to whom. A refusal binds at once: a trigger on the inbox copies it in the application's own
-- transaction, so that no claim that begins after its commit can miss it. docs/decisions/0010-consent.md tells why so.
--
-- Rows are only inserted and deleted, never updated, and no unique index stands on them: nobody who tells the engine something
-- ever waits for another, and a tick never fails (40001) over a row that was written since its snapshot. A second row for
-- the same is harmless.

CREATE TABLE nurture.suppression (
    contact text COLLATE "C" NOT NULL CHECK (contact <> '' AND pg_catalog.octet_length(contact) <= 512),
    channel text COLLATE "C" NOT NULL DEFAULT '' CHECK (pg_catalog.octet_length(channel) <= 512),
    purpose text COLLATE "C" NOT NULL DEFAULT '' CHECK (pg_catalog.octet_length(purpose) <= 512),
    reason text COLLATE "C" NOT NULL DEFAULT 'by hand' CHECK (reason <> '' AND pg_catalog.octet_length(reason) <= 512),
    since timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    until timestamptz,
    transactional boolean NOT NULL DEFAULT true,
    source text
);
COMMENT ON TABLE nurture.suppression IS
    'what must not be sent to whom: refusals of consent, bounces, complaints, pauses, and what is suppressed by hand; bound at claim';
COMMENT ON COLUMN nurture.suppression.channel IS 'empty: every channel';
COMMENT ON COLUMN nurture.suppression.purpose IS 'empty: every purpose';
COMMENT ON COLUMN nurture.suppression.reason IS
    'withdrawn, denied (refused by the contact: over as soon as it is granted again later); bounce, complaint, pause, by hand, or what nurture.suppress was told';
COMMENT ON COLUMN nurture.suppression.since IS 'when it happened';
COMMENT ON COLUMN nurture.suppression.until IS 'binds no longer from then on; NULL: until it is taken back';
COMMENT ON COLUMN nurture.suppression.transactional IS 'whether it binds transactional messages, too';
COMMENT ON COLUMN nurture.suppression.source IS 'who or what said so';
REVOKE ALL ON TABLE nurture.suppression FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.suppression', '');
CREATE INDEX suppression_contact ON nurture.suppression (contact);
CREATE INDEX suppression_until ON nurture.suppression (until) WHERE until IS NOT NULL;

-- One of the extension's own triggers on the inbox: it must not fail whatever the row holds. What is malformed is set aside by
-- the tick, and says nothing here.
CREATE FUNCTION nurture._suppress_at_once() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    channel CONSTANT text := coalesce(NEW.props ->> 'channel', CASE WHEN NEW.type = '$consent' THEN '' ELSE 'email' END);
    purpose CONSTANT text := CASE WHEN NEW.type = '$consent' THEN coalesce(NEW.props ->> 'purpose', '') ELSE '' END;
    reason CONSTANT text := CASE NEW.type
        WHEN '$consent' THEN CASE WHEN NEW.props ->> 'state' IN ('withdrawn', 'denied') THEN NEW.props ->> 'state' END
        WHEN '$bounce' THEN CASE WHEN NEW.props ->> 'kind' = 'hard' THEN 'bounce' END
        WHEN '$complaint' THEN 'complaint' END;
    told CONSTANT timestamptz := CASE WHEN isfinite(NEW.received_at) THEN NEW.received_at ELSE clock_timestamp() END;
BEGIN
    IF reason IS NULL OR NEW.contact IS NULL OR NEW.contact = ''
        OR greatest(octet_length(NEW.contact), octet_length(channel), octet_length(purpose)) > 512 OR nurture._is_erased(NEW.contact) THEN
        RETURN NULL;
    END IF;
    INSERT INTO nurture.suppression (contact, channel, purpose, reason, since, transactional, source)
    VALUES (nurture.contact_of(NEW.contact), channel, purpose, reason, CASE WHEN isfinite(NEW.at) THEN least(NEW.at, told) ELSE told END,
            NEW.type <> '$consent', left(NEW.props ->> 'source', 512));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION nurture._suppress_at_once() IS 'refusals, hard bounces and complaints suppress in the transaction that tells of them';
-- The engine's own types sort before %: of all the others one comparison of bytes is all that it costs.
CREATE TRIGGER suppress AFTER INSERT ON nurture.inbox FOR EACH ROW
    WHEN (NEW.type < '%' AND NEW.type IN ('$consent', '$bounce', '$complaint')) EXECUTE FUNCTION nurture._suppress_at_once();
CREATE TRIGGER suppress AFTER INSERT ON nurture.history FOR EACH ROW
    WHEN (NEW.type < '%' AND NEW.type IN ('$consent', '$bounce', '$complaint')) EXECUTE FUNCTION nurture._suppress_at_once();

-- For whoever decides what is sent: EXISTS (SELECT FROM nurture.suppression s WHERE s.contact = a.contact AND
-- nurture._suppresses(s, a.channel, a.purpose, a.transactional, moment)). The index finds the contact's rows, most have none.
-- A refusal is joined to what the contact's state knows: a grant that is newer, and as wide or narrower, overcomes it. The row
-- may be under a key that is another's today.
CREATE FUNCTION nurture._suppresses(refusal nurture.suppression, channel text, purpose text, transactional boolean, moment timestamptz)
    RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT CASE WHEN refusal.channel NOT IN ('', channel) OR refusal.purpose NOT IN ('', coalesce(purpose, ''))
                OR (transactional AND NOT refusal.transactional) OR refusal.until <= moment THEN false
            WHEN refusal.reason IN ('withdrawn', 'denied') THEN
                nurture._refusal_binds((SELECT c.state FROM nurture.contact c WHERE c.contact = nurture.contact_of(refusal.contact)),
                                       refusal.channel, refusal.purpose, refusal.since, channel, purpose)
            ELSE true END
$$;
COMMENT ON FUNCTION nurture._suppresses(nurture.suppression, text, text, boolean, timestamptz) IS
    'whether a row of nurture.suppression binds a message of the channel and purpose to its contact at the moment';

-- Part of the tick, of contacts about whose consent something was said (see OutputKinds in outputs.hpp). What is over goes, and
-- so do rows that say what a newer one says; what no row says yet (it came from history, or from another contact) is added.
CREATE FUNCTION nurture._tend_suppression() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
    DELETE FROM nurture.suppression x USING nurture._stepped s
    WHERE s.kinds & 64 <> 0 AND x.contact = s.contact AND x.reason IN ('withdrawn', 'denied')
      AND (nurture._refusal_is_over(s.state, x.channel, x.purpose, x.since)
           OR EXISTS (SELECT FROM nurture.suppression y
                      WHERE y.contact = x.contact AND y.channel = x.channel AND y.purpose = x.purpose
                        AND y.reason IN ('withdrawn', 'denied') AND (y.since, y.ctid) > (x.since, x.ctid)));
    INSERT INTO nurture.suppression (contact, channel, purpose, reason, since, transactional, source)
    SELECT s.contact, r.channel, r.purpose, r.reason, r.since, false, r.source
    FROM nurture._stepped s CROSS JOIN LATERAL nurture._refusals(s.state) r
    WHERE s.kinds & 64 <> 0
      AND NOT EXISTS (SELECT FROM nurture.suppression x
                      WHERE x.contact = s.contact AND x.channel = r.channel AND x.purpose = r.purpose
                        AND x.reason IN ('withdrawn', 'denied') AND x.since >= r.since);
END
$$;
COMMENT ON FUNCTION nurture._tend_suppression() IS 'makes nurture.suppression agree with the states of the batch';

-- A merge leaves the rows of the contact that is no more where they are, and copies them.
CREATE FUNCTION nurture._keys_of(contact text) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT ARRAY[_keys_of.contact] || ARRAY(SELECT i.key FROM nurture.identity i WHERE i.contact = _keys_of.contact)
$$;
COMMENT ON FUNCTION nurture._keys_of(text) IS 'a contact, and every other key of it';

CREATE FUNCTION nurture.suppress(contact text, channel text DEFAULT NULL, purpose text DEFAULT NULL, reason text DEFAULT 'by hand',
        until timestamptz DEFAULT NULL, transactional boolean DEFAULT true, source text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF suppress.reason IN ('withdrawn', 'denied') THEN
        RAISE EXCEPTION 'only the contact withdraws or denies consent' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Tell it by nurture.withdraw_consent, or choose another reason.';
    END IF;
    PERFORM nurture._require_not_erased(suppress.contact);
    INSERT INTO nurture.suppression AS s (contact, channel, purpose, reason, since, until, transactional, source)
    VALUES (nurture.contact_of(suppress.contact), coalesce(suppress.channel, ''), coalesce(suppress.purpose, ''), coalesce(suppress.reason, 'by hand'),
            nurture._now(), suppress.until, coalesce(suppress.transactional, true), coalesce(suppress.source, session_user));
END
$$;
COMMENT ON FUNCTION nurture.suppress(text, text, text, text, timestamptz, boolean, text) IS
    'nothing of the channel (NULL: any) and purpose (NULL: any) is claimed for the contact from the commit on, transactional messages neither unless told so';

CREATE FUNCTION nurture.unsuppress(contact text, channel text DEFAULT NULL, purpose text DEFAULT NULL, reason text DEFAULT 'by hand')
    RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    removed bigint;
BEGIN
    IF unsuppress.reason IN ('withdrawn', 'denied') THEN
        RAISE EXCEPTION 'what the contact refused only the contact can grant again' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Tell it by nurture.grant_consent or nurture.confirm_opt_in.';
    END IF;
    DELETE FROM nurture.suppression s
    WHERE s.contact = ANY (nurture._keys_of(nurture.contact_of(unsuppress.contact))) AND s.channel = coalesce(unsuppress.channel, '')
        AND s.purpose = coalesce(unsuppress.purpose, '') AND s.reason = unsuppress.reason;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
COMMENT ON FUNCTION nurture.unsuppress(text, text, text, text) IS
    'takes back what was suppressed for the reason (by hand, bounce, complaint, …); returns how many rows that were';

REVOKE ALL ON FUNCTION nurture._suppress_at_once(), nurture._tend_suppression(), nurture._keys_of(text),
    nurture._suppresses(nurture.suppression, text, text, boolean, timestamptz),
    nurture.suppress(text, text, text, text, timestamptz, boolean, text), nurture.unsuppress(text, text, text, text) FROM PUBLIC;
