-- Recency, frequency, money: the values of a customer, the quintiles of a population, scores and their names.

CREATE TYPE nurture.rfm_values AS (recency interval, frequency bigint, money numeric);
COMMENT ON TYPE nurture.rfm_values IS 'how long ago the last purchase was, how many there were, what they were worth';
CREATE TYPE nurture.rfm_cuts AS (recency numeric[], frequency numeric[], money numeric[]);
COMMENT ON TYPE nurture.rfm_cuts IS 'the values at 20, 40, 60 and 80 % of a population; recency in seconds';
CREATE TYPE nurture.rfm_scores AS (recency integer, frequency integer, money integer, cell text);
COMMENT ON TYPE nurture.rfm_scores IS 'quintiles from 1 (worst) to 5 (best), and the name of the cell';

CREATE FUNCTION nurture._rfm_transition(internal, timestamptz, numeric, timestamptz) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_rfm_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._rfm_final(internal) RETURNS nurture.rfm_values
    AS 'MODULE_PATHNAME', 'nurture_rfm_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._rfm_quintiles_transition(internal, nurture.rfm_values) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_rfm_quintiles_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._rfm_quintiles_final(internal) RETURNS nurture.rfm_cuts
    AS 'MODULE_PATHNAME', 'nurture_rfm_quintiles_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._rfm_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_rfm_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._rfm_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_rfm_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._rfm_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_rfm_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._rfm_quintiles_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_rfm_quintiles_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._rfm_quintiles_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_rfm_quintiles_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._rfm_quintiles_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_rfm_quintiles_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE AGGREGATE nurture.rfm(at timestamptz, amount numeric, as_of timestamptz) (
    SFUNC = nurture._rfm_transition, STYPE = internal, SSPACE = 96, FINALFUNC = nurture._rfm_final,
    COMBINEFUNC = nurture._rfm_combine, SERIALFUNC = nurture._rfm_serialize,
    DESERIALFUNC = nurture._rfm_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.rfm(timestamptz, numeric, timestamptz) IS
    'recency, frequency and money of the purchases up to as_of, one row each; NULL when there is none';
CREATE AGGREGATE nurture.rfm_quintiles(customer nurture.rfm_values) (
    SFUNC = nurture._rfm_quintiles_transition, STYPE = internal, SSPACE = 65536, FINALFUNC = nurture._rfm_quintiles_final,
    COMBINEFUNC = nurture._rfm_quintiles_combine, SERIALFUNC = nurture._rfm_quintiles_serialize,
    DESERIALFUNC = nurture._rfm_quintiles_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.rfm_quintiles(nurture.rfm_values) IS
    'the cuts between the quintiles of a population, interpolated like percentile_cont, exactly';

CREATE FUNCTION nurture.rfm_cell(recency integer, frequency integer, money integer) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
    WHEN recency NOT BETWEEN 1 AND 5 OR frequency NOT BETWEEN 1 AND 5 OR money NOT BETWEEN 1 AND 5 THEN NULL
    WHEN recency = 5 AND (frequency + money + 1) / 2 >= 4 THEN 'Champions'
    WHEN recency >= 3 AND (frequency + money + 1) / 2 >= 4 THEN 'Loyal'
    WHEN recency >= 4 AND (frequency + money + 1) / 2 >= 2 THEN 'Potential loyalists'
    WHEN recency = 5 THEN 'New'
    WHEN recency = 4 THEN 'Promising'
    WHEN recency = 3 AND (frequency + money + 1) / 2 = 3 THEN 'Need attention'
    WHEN recency = 3 THEN 'About to sleep'
    WHEN (frequency + money + 1) / 2 = 5 THEN 'Cannot lose'
    WHEN (frequency + money + 1) / 2 >= 3 THEN 'At risk'
    ELSE 'Hibernating'
END;
COMMENT ON FUNCTION nurture.rfm_cell(integer, integer, integer) IS
    'the name of a cell by recency and the mean of frequency and money, halves rounded up; NULL for scores outside 1 to 5';

CREATE FUNCTION nurture.rfm_score(customer nurture.rfm_values, cuts nurture.rfm_cuts) RETURNS nurture.rfm_scores
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT ROW(r, f, m, nurture.rfm_cell(r, f, m))::nurture.rfm_scores
    FROM (SELECT 5 - (SELECT count(*) FROM unnest((cuts).recency) cut
                      WHERE cut < extract(epoch FROM (customer).recency))::integer,
                 1 + (SELECT count(*) FROM unnest((cuts).frequency) cut WHERE cut < (customer).frequency)::integer,
                 1 + (SELECT count(*) FROM unnest((cuts).money) cut WHERE cut < (customer).money)::integer) s(r, f, m)
    WHERE (customer).frequency IS NOT NULL AND (cuts).frequency IS NOT NULL
);
COMMENT ON FUNCTION nurture.rfm_score(nurture.rfm_values, nurture.rfm_cuts) IS
    'scores 1 to 5: one more than the number of cuts below the value (for recency: 5 less that number), so equal values have equal scores';
