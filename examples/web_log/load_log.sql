-- Reads what split_log.awk writes from standard input and hands it to nurture.inbox. Called by load_log.sh.
\set QUIET on
SET client_min_messages = warning;
CREATE TEMPORARY TABLE line (
    file text, number bigint, address text, at timestamptz, method text, path text, query text, status int,
    bytes bigint, referrer text, agent text, malformed text
);
-- LATIN1 takes any bytes; what was UTF-8 is put right below.
\copy line FROM pstdin WITH (FORMAT csv, DELIMITER E'\001', QUOTE E'\002', ENCODING 'LATIN1')

CREATE FUNCTION pg_temp.as_utf8(value text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN convert_from(convert_to(value, 'LATIN1'), 'UTF8');
EXCEPTION WHEN character_not_in_repertoire OR untranslatable_character THEN
    RETURN value;
END
$$;
UPDATE line SET path = pg_temp.as_utf8(path), query = pg_temp.as_utf8(query),
    referrer = pg_temp.as_utf8(referrer), agent = pg_temp.as_utf8(agent), malformed = pg_temp.as_utf8(malformed)
WHERE concat(path, query, referrer, agent, malformed) ~ '[\u0080-\u00FF]';

-- Who is no human being: crawlers, feed readers, scripts, monitors, and agents that do not name themselves.
CREATE TEMPORARY TABLE agent AS
SELECT DISTINCT agent,
       coalesce(agent, '') = '' OR agent ~* '(bot|crawl|spider|slurp|archiver|scrap|feed|rss|reader/|fetch|monitor|pingdom|uptime)'
       OR agent ~* '(^|[^a-z])(curl|wget|python|perl|ruby|java|php|go-http|okhttp|libwww|httpclient|apache-http|headless|lighthouse|facebookexternalhit|ezooms)'
       OR agent ~* '(https?://|@)' AS crawler,
       left(md5(coalesce(agent, '')), 6) AS hash
FROM line WHERE malformed IS NULL;
CREATE INDEX ON agent (agent);
ANALYZE agent;
ANALYZE line;

SELECT :'live' = '1' AS live \gset
\if :live
    \set received clock_timestamp()
\else
    \set received l.at
\endif
INSERT INTO nurture.inbox (contact, type, at, received_at, props)
SELECT l.address || '-' || a.hash, 'page_view', l.at, :received,
       jsonb_strip_nulls(jsonb_build_object('path', left(l.path, 2000), 'query', left(l.query, 2000), 'method', l.method, 'status', l.status,
           'bytes', l.bytes, 'referrer', left(l.referrer, 2000), 'agent', left(l.agent, 1000), 'crawler', a.crawler,
           -- What a page brings with it: nobody decides to look at a style sheet.
           'asset', coalesce(l.path ~* '\.(css|js|mjs|map|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|eot)$', false)))
FROM line l JOIN agent a ON a.agent IS NOT DISTINCT FROM l.agent
WHERE l.malformed IS NULL
ORDER BY l.at, l.file, l.number;

SELECT format('%s line %s: %s', file, number, malformed) AS malformed
FROM line WHERE malformed IS NOT NULL ORDER BY file, number LIMIT 20
\g (format=unaligned tuples_only=on)
SELECT format('%s events of %s visitors, %s … %s; malformed lines: %s', count(*) FILTER (WHERE malformed IS NULL),
              count(DISTINCT (address, agent)) FILTER (WHERE malformed IS NULL), to_char(min(at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'),
              to_char(max(at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI UTC'), count(malformed)) AS loaded
FROM line
\g (format=unaligned tuples_only=on)
