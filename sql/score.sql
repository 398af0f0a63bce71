-- Scores: every way to give points, limits, bands, adjustments by hand, reading in the past, entries, why.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET nurture.enabled = off; -- the clock is simulated
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;

INSERT INTO nurture.rule (name, definition) VALUES
    ('views', '+1 on view topic fit.behaviour'),
    ('downloads', '+5 on download once per file topic fit.behaviour'),
    ('first login', '+20 on login first time only'),
    ('reads daily', '+2 on read once per day'),
    ('spends', '+0.5 per amount on purchase ceiling 60'),
    ('webinar', '+12 on webinar fading over 12 days'),
    ('call', '+10 on call losing 25 percent every 7 days starting after 1 day'),
    ('trial', '+30 on trial expires after 14 days'),
    ('mail', '+8 on open half-life 2 days starting after 1 day'),
    ('country', '+10 while country in (''IT'', ''DE'') topic fit.company'),
    ('plan', '+by plan (''pro'' 15, ''free'' 1, else -2) topic fit.company'),
    ('sign-up', 'by source (''ad'' 3, ''friend'' 7) on signup'),
    ('silence', '-4 for every 10 days without login at most 3 in total');
SELECT name, definition FROM nurture.rule ORDER BY id;
INSERT INTO nurture.score_limit (name, topic, floor, ceiling) VALUES ('fit', 'fit', NULL, 40), ('all', '', 0, 1000);
INSERT INTO nurture.band (name, topic, at_least, hysteresis, rearm) VALUES
    ('warm', '', 20, 0, '0'), ('hot', '', 60, 10, '2 days'), ('A', 'fit', 30, 0, '0'), ('B', 'fit', 10, 0, '0');
INSERT INTO nurture.segment (name, condition) VALUES
    ('hot', 'band = ''hot'''),
    ('busy', 'count(view within 7 days) >= 2'),
    ('call them', 'band(fit) >= ''B'' and band in (''warm'', ''hot'') and not (count(view within 7 days) >= 4 or plan = ''free'')');

INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES
    ('anna', '$identify', '{"country": "IT", "plan": "pro"}', '2026-01-01', '2026-01-01'),
    ('anna', 'login', '{}', '2026-01-01 01:00', '2026-01-01 01:00'),
    ('anna', 'login', '{}', '2026-01-01 02:00', '2026-01-01 02:00'),
    ('anna', 'view', '{}', '2026-01-01 03:00', '2026-01-01 03:00'),
    ('anna', 'view', '{}', '2026-01-01 04:00', '2026-01-01 04:00'),
    ('anna', 'download', '{"file": "a.pdf"}', '2026-01-01 05:00', '2026-01-01 05:00'),
    ('anna', 'download', '{"file": "a.pdf"}', '2026-01-01 06:00', '2026-01-01 06:00'),
    ('anna', 'download', '{"file": "b.pdf"}', '2026-01-01 07:00', '2026-01-01 07:00'),
    ('anna', 'read', '{}', '2026-01-01 08:00', '2026-01-01 08:00'),
    ('anna', 'read', '{}', '2026-01-01 09:00', '2026-01-01 09:00'),
    ('anna', 'purchase', '{"amount": 200}', '2026-01-01 10:00', '2026-01-01 10:00'),
    ('anna', 'webinar', '{}', '2026-01-02', '2026-01-02'),
    ('anna', 'call', '{}', '2026-01-02', '2026-01-02'),
    ('anna', 'trial', '{}', '2026-01-02', '2026-01-02'),
    ('anna', 'open', '{}', '2026-01-02', '2026-01-02'),
    ('anna', 'signup', '{"source": "friend"}', '2026-01-02', '2026-01-02'),
    ('bert', 'view', '{}', '2026-01-01', '2026-01-01');
CALL nurture.tick('2026-01-03');

-- Contributions, limits among them, add up to the score.
SELECT rule, topic, points, occurrences, contribution, detail FROM nurture.explain('anna');
SELECT * FROM nurture.why('anna', 'busy');
SELECT nurture.score('anna'), nurture.score('anna', 'fit') AS fit, nurture.score('anna', 'fit.company') AS company,
       (SELECT sum(contribution) FROM nurture.explain('anna')) AS explained, (SELECT sum(value) FROM nurture.ledger('anna')) AS entered;
SELECT at, event, rule, topic, points, amount, value, reason FROM nurture.ledger('anna');
SELECT contact, nurture.score(contact) FROM nurture.contact ORDER BY 1;

-- How it wears off, each at the moment that counts and a microsecond around it.
SELECT at, e.rule, e.contribution
FROM unnest(ARRAY['2026-01-03', '2026-01-09 23:59:59.999999', '2026-01-10', '2026-01-15 23:59:59.999999', '2026-01-16', '2026-01-20', '2026-02-20']::timestamptz[]) at
CROSS JOIN LATERAL nurture.explain('anna', at) e
WHERE e.rule IN ('webinar', 'call', 'trial', 'mail', 'silence') AND e.contribution <> 0 ORDER BY e.rule, at;

-- Bands: entered and left at their own moments.
CALL nurture.tick('2026-03-01');
SELECT at, kind, name, detail, cause FROM nurture.transition WHERE contact = 'anna' ORDER BY tick, n;
SELECT * FROM nurture.lead_band ORDER BY contact, topic;

-- In the past: what the log gives.
SELECT nurture.score('anna', at => '2026-01-01 04:30') AS then, nurture.score('anna', at => '2025-01-01') AS before, nurture.score('nobody') AS nobody;
SELECT * FROM nurture.score_history('anna', '2026-01-01', '2026-01-04', '12 hours');
SELECT count(*) AS moments, count(*) FILTER (WHERE h.score <> (SELECT sum(e.contribution) FROM nurture.explain('anna', h.at) e)) AS unexplained,
       count(*) FILTER (WHERE h.score <> (SELECT sum(l.value) FROM nurture.ledger('anna', h.at) l)) AS not_entered
FROM nurture.score_history('anna', '2026-01-01 01:00', '2026-03-10', '1 day 7 hours') h;

-- Why.
SELECT * FROM nurture.why('anna', 'call them');
SELECT * FROM nurture.why_not('anna', 'call them');
SELECT * FROM nurture.why_not('bert', 'call them');
SELECT * FROM nurture.why('anna', 'call then');

-- By hand: points with a reason and an end, a freeze, a reset.
SELECT nurture.adjust_score('bert', 40, 'met at the fair', expires => '2026-03-05'), nurture.adjust_score('bert', -3.5, 'rude', 'fit');
CALL nurture.tick('2026-03-02');
SELECT rule, topic, contribution FROM nurture.explain('bert');
SELECT event, rule, topic, points, value, reason FROM nurture.ledger('bert');
SELECT at, kind, name, detail, cause FROM nurture.transition WHERE contact = 'bert' ORDER BY tick, n;
CALL nurture.tick('2026-03-06');
SELECT at, kind, name, detail, cause FROM nurture.transition WHERE contact = 'bert' ORDER BY tick, n;
SELECT nurture.score('bert');
SELECT nurture.freeze_score('anna');
CALL nurture.tick('2026-03-07');
SELECT nurture.score('anna') AS frozen;
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('anna', 'trial', '2026-03-08', '2026-03-08');
CALL nurture.tick('2026-03-08');
SELECT nurture.score('anna') AS still, nurture.score('anna', at => '2026-03-20') AS and_later, (SELECT sum(value) FROM nurture.ledger('anna')) AS entered;
SELECT nurture.freeze_score('anna', false);
CALL nurture.tick('2026-03-09');
SELECT nurture.score('anna') AS goes_on;
SELECT nurture.reset_score('anna');
CALL nurture.tick('2026-03-10');
SELECT rule, topic, contribution FROM nurture.explain('anna');
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES ('anna', 'view', '{}', '2026-03-11', '2026-03-11'), ('anna', 'purchase', '{"amount": 10}', '2026-03-11', '2026-03-11');
CALL nurture.tick('2026-03-11');
SELECT nurture.score('anna') AS after_reset, (SELECT sum(contribution) FROM nurture.explain('anna')) AS explained, (SELECT sum(value) FROM nurture.ledger('anna')) AS entered;
SELECT * FROM nurture.verify();
SELECT * FROM nurture.verify(path => true);

-- Rank, ties by contact; percentile.
SELECT contact, score, rank() OVER (ORDER BY score DESC, contact) AS rank, round((percent_rank() OVER (ORDER BY score))::numeric, 3) AS percentile
FROM nurture.lead ORDER BY rank;

-- What makes no sense is refused.
INSERT INTO nurture.rule (name, definition) VALUES ('x', '+1 while score > 5');
INSERT INTO nurture.rule (name, definition) VALUES ('x', '+1 while country = ''IT'' half-life 3 days');
INSERT INTO nurture.rule (name, definition) VALUES ('x', '+1 on view losing 0 percent every 1 day');
INSERT INTO nurture.rule (name, definition) VALUES ('x', '+by plan (''a'' 1, ''a'' 2) on view');
INSERT INTO nurture.rule (name, definition) VALUES ('x', '+1 for every 1 month without login');
INSERT INTO nurture.rule (name, definition) VALUES ('x', '+1 on view floor 5 ceiling 4');
INSERT INTO nurture.rule (name, definition) VALUES ('x', '+12345678901234567890 on view');
INSERT INTO nurture.band (name, at_least) VALUES ('warm', 3);
INSERT INTO nurture.band (name, at_least) VALUES ('as warm', 20);
INSERT INTO nurture.band (name, at_least) VALUES ('nan', 'NaN');
INSERT INTO nurture.band (name, at_least) VALUES ('infinite', 'Infinity');
INSERT INTO nurture.band (name, at_least) VALUES ('huge', 99999999999999);
INSERT INTO nurture.band (name, topic, at_least) VALUES ('lost', 'fitt', 1);
INSERT INTO nurture.score_limit (name, topic, floor) VALUES ('fit again', 'fit', 0);
INSERT INTO nurture.segment (name, condition) VALUES ('x', 'band = ''warmer''');
INSERT INTO nurture.segment (name, condition) VALUES ('x', 'band(pricing) = ''warm''');
INSERT INTO nurture.segment (name, condition) VALUES ('x', 'band > 5');
DELETE FROM nurture.band WHERE name = 'hot';
SELECT nurture.adjust_score('anna', 'NaN');
SELECT nurture.adjust_score('anna', 'Infinity');
SELECT nurture.adjust_score('anna', 1, topic => 'fitt');
SELECT nurture.adjust_score('anna', 1, expires => 'infinity');
SELECT nurture.score('anna', 'fitt');
SELECT nurture.score('anna', points => 'tomorrow');
SELECT nurture.score('anna', at => 'infinity');
SELECT * FROM nurture.score_history('anna', '2026-01-01', '2026-01-02', '0 seconds');
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES
    ('anna', '$adjust', '{"points": "NaN"}', '2026-03-11', '2026-03-11'),
    ('anna', '$adjust', '{"points": 1e30}', '2026-03-11', '2026-03-11'),
    ('anna', '$adjust', '{"points": 1, "reset": true}', '2026-03-11', '2026-03-11'),
    ('anna', '$adjust', '{}', '2026-03-11', '2026-03-11'),
    ('anna', '$adjust', '{"points": 1, "expires": "soon"}', '2026-03-11', '2026-03-11');
CALL nurture.tick('2026-03-12');
SELECT props, reason FROM nurture.rejected_event ORDER BY props::text COLLATE "C";
