-- What marketers say about scores beside the rules: limits of a topic or of the whole, and named bands.

CREATE TABLE nurture.score_limit (
    name text COLLATE "C" PRIMARY KEY CHECK (name <> '' AND octet_length(name) <= 512),
    topic text COLLATE "C" NOT NULL DEFAULT '' CHECK (octet_length(topic) <= 512),
    floor numeric(20,6) CHECK (floor <> 'NaN'),
    ceiling numeric(20,6) CHECK (ceiling <> 'NaN'),
    enabled boolean NOT NULL DEFAULT true,
    description text,
    CHECK (floor <= ceiling),
    CHECK (floor IS NOT NULL OR ceiling IS NOT NULL)
);
COMMENT ON TABLE nurture.score_limit IS 'the least and the most a topic''s score, or the whole score, can be: a clamp when it is read, without memory';
COMMENT ON COLUMN nurture.score_limit.topic IS 'a topic, with all that is part of it; empty: the whole score';
COMMENT ON COLUMN nurture.score_limit.floor IS 'the least; NULL: none';
COMMENT ON COLUMN nurture.score_limit.ceiling IS 'the most; NULL: none';

CREATE TABLE nurture.band (
    name text COLLATE "C" NOT NULL CHECK (name <> '' AND octet_length(name) <= 512),
    topic text COLLATE "C" NOT NULL DEFAULT '' CHECK (octet_length(topic) <= 512),
    at_least numeric(20,6) NOT NULL CHECK (at_least <> 'NaN'),
    hysteresis numeric(20,6) NOT NULL DEFAULT 0 CHECK (hysteresis >= 0 AND hysteresis <> 'NaN'),
    rearm interval NOT NULL DEFAULT '0' CHECK (rearm >= interval '0' AND extract(year FROM rearm) = 0
                                               AND extract(month FROM rearm) = 0),
    enabled boolean NOT NULL DEFAULT true,
    description text,
    id int GENERATED ALWAYS AS IDENTITY UNIQUE,
    PRIMARY KEY (topic, name)
);
COMMENT ON TABLE nurture.band IS 'named bands of a score: a contact is in the highest one that its score has reached';
COMMENT ON COLUMN nurture.band.topic IS 'whose score; empty: the whole one';
COMMENT ON COLUMN nurture.band.at_least IS 'where the band begins; it ends where the next one begins';
COMMENT ON COLUMN nurture.band.hysteresis IS 'the band is left downwards only below at_least - hysteresis';
COMMENT ON COLUMN nurture.band.rearm IS 'left downwards, it is not entered again before this has passed (a day is 24 hours)';

REVOKE ALL ON TABLE nurture.score_limit, nurture.band FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.score_limit', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.band', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.band_id_seq', '');
