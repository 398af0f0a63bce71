-- Who may do what: nobody anything, a producer insert, a sender send; and what lies in other schemas changes nothing.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET nurture.enabled = off;
DROP EXTENSION nurture CASCADE;
CREATE ROLE regress_nobody;
CREATE ROLE regress_producer;
CREATE ROLE regress_sender;

-- A hostile public schema before CREATE EXTENSION, and before the tick: functions and operators that match better than those of
-- pg_catalog. Each raises when it is called.
CREATE SCHEMA hostile;
GRANT ALL ON SCHEMA hostile TO PUBLIC;
CREATE FUNCTION hostile.trap() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
DO $$
DECLARE
    signature text;
    op record;
BEGIN
    FOREACH signature IN ARRAY ARRAY['coalesce_(text)', 'greatest_(int)', 'now()', 'clock_timestamp()', 'count(text)', 'count(bigint)',
        'min(timestamptz)', 'max(int)', 'max(bigint)', 'format(text, text)', 'md5(text)', 'octet_length(text)', 'starts_with(text, text)', 'left(text, int)',
        'isfinite(timestamptz)', 'jsonb_typeof(jsonb)', 'current_setting(text)', 'pg_advisory_xact_lock(int, int)', 'cardinality(bigint[])',
        'transaction_timestamp()', 'least(timestamptz)', 'pg_size_bytes(text)', 'string_agg(text, text)'] LOOP
        EXECUTE format('CREATE FUNCTION hostile.%s RETURNS int LANGUAGE sql AS ''SELECT 1 FROM (SELECT hostile.trap()) t''',
                       regexp_replace(signature, '^(least|coalesce_|greatest_)\(', '"\1"('));
    END LOOP;
    FOR op IN SELECT * FROM (VALUES ('=', 'text', 'text', 'boolean'), ('<>', 'text', 'text', 'boolean'), ('||', 'text', 'text', 'text'), ('||', 'uuid', 'text', 'text'),
        ('>', 'timestamptz', 'timestamptz', 'boolean'), ('<=', 'timestamptz', 'timestamptz', 'boolean'), ('+', 'int', 'int', 'int'), ('=', 'int', 'int', 'boolean'),
        ('-', 'timestamptz', 'timestamptz', 'interval'), ('+', 'timestamptz', 'interval', 'timestamptz'), ('&', 'int', 'int', 'int'), ('=', 'uuid', 'uuid', 'boolean'),
        ('=', 'tid', 'tid', 'boolean'), ('>', 'int', 'int', 'boolean')) v (name, l, r, result) LOOP
        EXECUTE format('CREATE FUNCTION hostile.%I(a %s, b %s) RETURNS %s LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION ''''trapped by %s''''; END''',
                       'op_' || md5(op::text), op.l, op.r, op.result, op.name);
        EXECUTE format('CREATE OPERATOR hostile.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = hostile.%I)', op.name, op.l, op.r, 'op_' || md5(op::text));
    END LOOP;
END
$$;
CREATE TABLE hostile.engine (only_row boolean);
CREATE TABLE hostile.inbox (contact text);
CREATE DOMAIN hostile."timestamptz" AS int;
CREATE DOMAIN hostile.regclass AS int;
-- Temporary objects of the session that calls: a trigger on one would run with the engine's rights.
CREATE TEMP TABLE _needed (definition text);
CREATE TEMP TABLE _ranges (chunk int, first_block bigint, last_block bigint, horizon timestamptz);
CREATE TEMP TABLE engine (only_row boolean);
CREATE TEMP TABLE inbox (contact text);
CREATE TEMP TABLE pg_inherits (inhrelid oid, inhparent oid);
CREATE FUNCTION pg_temp.trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
CREATE TRIGGER trap BEFORE INSERT ON _needed FOR EACH ROW EXECUTE FUNCTION pg_temp.trap();
CREATE TRIGGER trap BEFORE INSERT ON _ranges FOR EACH ROW EXECUTE FUNCTION pg_temp.trap();
SET search_path = hostile, pg_temp, public, pg_catalog;
SELECT 'a' || 'b'::text; -- the traps are set
CREATE EXTENSION nurture;
INSERT INTO nurture.rule (name, definition) VALUES ('r', '+1 on v topic t half-life 2 days');
INSERT INTO nurture.segment (name, condition) VALUES ('s', 'score >= 2 or plan = ''pro''');
UPDATE nurture.segment SET description = 'x';
INSERT INTO nurture.workflow (name, definition) VALUES ('w', 'on v send email ''t'' wait 1 day set a = ''b'' send email ''u''');
UPDATE nurture.workflow SET definition = 'on v exit on x send email ''t'' wait 1 day set a = ''b'' send email ''u''';
SET nurture.batch_rows = 20;
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT pg_catalog.concat('c', g), 'v', pg_catalog.jsonb_build_object('pad', pg_catalog.repeat(pg_catalog.md5(g::pg_catalog.text), 30)), '2021-01-01', '2021-01-01' FROM pg_catalog.generate_series(1, 300) g;
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('c1', 'x', '2021-01-02', '2021-01-02'), (NULL, 'x', '2021-01-02', '2021-01-02');
INSERT INTO nurture.history (contact, type, at, received_at) VALUES ('c1', 'v', '2025-01-01', '2021-01-02');
CALL nurture.tick('2021-01-05');
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('now', 'v', pg_catalog.now(), pg_catalog.now());
CALL nurture.tick();
SELECT pg_catalog.count(*) FROM nurture.claim('email', 1);
SELECT nurture.complete(ARRAY(SELECT receipt FROM nurture.action WHERE status OPERATOR(pg_catalog.=) 'claimed'));
SELECT nurture.claim('email', 1) IS NULL;
SELECT nurture.pause(), nurture.resume();
SELECT nurture.wait_for('x');
SELECT nurture.retry_rejected(ARRAY(SELECT id FROM nurture.rejected_event));
SELECT nurture._maintain();
RESET search_path;
RESET nurture.batch_rows;
SELECT logged, rejected FROM nurture.engine;

-- Everything that PUBLIC may execute: types' own functions, pure functions, nothing that writes or reveals. Trigger functions least
-- of all: they can be hung on a table of one's own.
SELECT p.prorettype::regtype AS returns, p.oid::regprocedure AS security_definer
FROM pg_proc p WHERE p.pronamespace = 'nurture'::regnamespace AND has_function_privilege('public', p.oid, 'EXECUTE')
    AND (p.prosecdef OR p.prorettype = 'trigger'::regtype OR p.provolatile = 'v') ORDER BY 1, 2;
SELECT c.oid::regclass FROM pg_class c CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p
WHERE c.relnamespace = 'nurture'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND has_table_privilege('regress_nobody', c.oid, p);
SELECT c.oid::regclass FROM pg_class c CROSS JOIN unnest(ARRAY['SELECT', 'USAGE', 'UPDATE']) p
WHERE c.relnamespace = 'nurture'::regnamespace AND c.relkind = 'S' AND has_sequence_privilege('regress_nobody', c.oid, p);
-- Every security definer function fixes its search_path, and so does whatever PL/pgSQL there is.
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = 'nurture'::regnamespace AND (p.prosecdef OR l.lanname = 'plpgsql')
    AND NOT coalesce(p.proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false)
ORDER BY p.proname;

\set VERBOSITY terse
GRANT INSERT ON nurture.inbox TO regress_producer;
GRANT EXECUTE ON FUNCTION nurture.claim(text, int, interval), nurture.complete(uuid[]), nurture.fail(uuid, text, interval, boolean),
    nurture.next_claimable(text) TO regress_sender;
SET ROLE regress_nobody;
INSERT INTO nurture.inbox (contact, type) VALUES ('x', 'v');
TABLE nurture.contact;
TABLE nurture.lead;
CALL nurture.tick('2021-01-06');
SELECT nurture._tick_batch(now());
SELECT nurture._maintain();
SELECT nurture.release('x');
SELECT nurture.claim('email');
SELECT nurture.pause();
INSERT INTO nurture.segment (name, condition) VALUES ('x', 'did x');
CREATE TABLE hostile.segment (id int, version int, definition nurture.workflow_definition);
CREATE TRIGGER t AFTER INSERT ON hostile.segment FOR EACH ROW EXECUTE FUNCTION nurture._keep_workflow_version();
CREATE TRIGGER t AFTER INSERT ON hostile.segment FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
SET nurture.enabled = on;
SET nurture.quarantine_limit = 0;
RESET ROLE;
SET ROLE regress_producer;
INSERT INTO nurture.inbox (contact, type) VALUES ('x', 'v');
COPY nurture.inbox (contact, type) FROM stdin;
y	v
\.
INSERT INTO nurture.inbox (contact, type) VALUES ('x', 'v') RETURNING contact;
INSERT INTO nurture.history (contact, type) VALUES ('x', 'v');
TABLE nurture.inbox;
DELETE FROM nurture.inbox;
SELECT nurture.claim('email');
SELECT nurture.retry_rejected('{}');
RESET ROLE;
CALL nurture.tick();
SET ROLE regress_sender;
SELECT count(*) FROM nurture.claim('email', 1);
SELECT nurture.fail(receipt, 'full') FROM nurture.claim('email', 1);
SELECT nurture.complete(ARRAY(SELECT receipt FROM nurture.claim('email', 1)));
SELECT nurture.next_claimable('email') IS NOT NULL AS next;
TABLE nurture.action;
INSERT INTO nurture.inbox (contact, type) VALUES ('x', 'v');
RESET ROLE;
-- The procedure commits, so it runs with its caller's rights: EXECUTE on it alone is not enough.
GRANT EXECUTE ON PROCEDURE nurture.tick(timestamptz) TO regress_nobody;
SET ROLE regress_nobody;
CALL nurture.tick();
RESET ROLE;
-- Whoever may ask for a report needs nothing else.
GRANT EXECUTE ON FUNCTION nurture.lint(), nurture.workflow_report(text, int), nurture.diagram(text, text, int, boolean), nurture.trace_journey(text, text),
    nurture.simulate(text, text, timestamptz, timestamptz, jsonb, jsonb, text), nurture.start_journey(text, text, jsonb) TO regress_nobody;
SET ROLE regress_nobody;
SELECT count(*) > 0 AS lint FROM nurture.lint();
SELECT count(*) > 0 AS report FROM nurture.workflow_report('w');
SELECT length(nurture.diagram('w')) > 0 AS diagram;
SELECT count(*) > 0 AS trace FROM nurture.trace_journey('x', 'w');
SELECT count(*) > 0 AS simulation FROM nurture.simulate('w', since => '2030-01-01', events => '[{"type": "v"}]');
SELECT nurture.start_journey('w', 'x') IS NOT NULL AS started;
RESET ROLE;
DROP TABLE IF EXISTS hostile.segment;
DROP SCHEMA hostile CASCADE;
DROP OWNED BY regress_nobody, regress_producer, regress_sender;
DROP ROLE regress_nobody, regress_producer, regress_sender;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
