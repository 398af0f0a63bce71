-- A visitor reads; the page after which the newsletter is offered is sent off while the worker sleeps, and timed.
\pset linestyle unicode
\pset border 1
\pset footer off
SET client_min_messages = warning;
SET timezone = 'UTC';

INSERT INTO nurture.inbox (contact, type, props, message_id)
SELECT 'maria', 'page_view', jsonb_build_object('path', path, 'status', 200, 'crawler', false, 'asset', false), path
FROM unnest(ARRAY['/articles/ssh-security/', '/articles/time-zones/', '/blog/query-plans.html']) path;
SELECT nurture.wait_for('/blog/query-plans.html') AS taken \gset

-- Until the worker has gone to sleep for long.
DO $$
BEGIN
    FOR i IN 1 .. 500 LOOP
        EXIT WHEN (SELECT worker = 'idle' AND sleeping_until > clock_timestamp() + interval '10 seconds' FROM nurture.freshness);
        PERFORM pg_sleep(0.01);
    END LOOP;
END
$$;
SELECT round(extract(epoch FROM sleeping_until - clock_timestamp())) AS seconds, current_setting('nurture.max_sleep') AS most
FROM nurture.freshness \gset
SELECT round(score, 3) AS score FROM nurture.lead WHERE contact = 'maria' \gset
\echo maria has read three articles and has the score :score. The worker would sleep for :seconds s more (nurture.max_sleep = :most).
\echo She opens a fourth:
\echo
\echo '    INSERT INTO nurture.inbox (contact, type, props) VALUES (''maria'', ''page_view'', ''{"path": "/articles/indexes/", …}'');'
\echo

SELECT clock_timestamp() AS sent \gset
INSERT INTO nurture.inbox (contact, type, props)
VALUES ('maria', 'page_view', '{"path": "/articles/indexes/", "status": 200, "crawler": false, "asset": false, "referrer": "http://www.google.com/"}');
DO $$
BEGIN
    FOR i IN 1 .. 20000 LOOP
        EXIT WHEN EXISTS (SELECT FROM nurture.action WHERE contact = 'maria');
        PERFORM pg_sleep(0.0005);
    END LOOP;
END
$$;
SELECT round((extract(epoch FROM clock_timestamp() - :'sent') * 1000)::numeric, 1) AS milliseconds,
       EXISTS (SELECT FROM nurture.action WHERE contact = 'maria') AS seen \gset
\if :seen
\else
    DO $$ BEGIN RAISE EXCEPTION 'no action within 10 seconds'; END $$;
\endif
\pset title 'What the application that shows banners gets'
SELECT contact, payload, workflow, step, attempt FROM nurture.claim('banner');
\pset title
\echo The action could be seen :milliseconds ms after the event was sent.
