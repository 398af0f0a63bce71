-- The hot functions: pack a contact's messages, step it, read what came out.

CREATE FUNCTION nurture._pack_transition(internal, type text, at timestamptz, received_at timestamptz, props jsonb,
        message_id text, place bigint, history boolean) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_pack_transition';
CREATE FUNCTION nurture._pack_final(internal) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_pack_final';
CREATE AGGREGATE nurture._pack(type text, at timestamptz, received_at timestamptz, props jsonb, message_id text,
        place bigint, history boolean) (
    SFUNC = nurture._pack_transition, STYPE = internal, SSPACE = 512,
    FINALFUNC = nurture._pack_final, FINALFUNC_MODIFY = READ_WRITE, PARALLEL = RESTRICTED
);
COMMENT ON AGGREGATE nurture._pack(text, timestamptz, timestamptz, jsonb, text, bigint, boolean) IS
    'one contact''s messages for nurture._step, in any order: the step sorts them by received_at, then place';

CREATE TYPE nurture.step_result AS (
    state nurture.profile,
    due timestamptz,
    clock_before timestamptz,
    numbers int[],
    kinds int,
    outputs bytea,
    duplicates int,
    unconvertible bigint,
    failure text
);
COMMENT ON TYPE nurture.step_result IS 'a contact''s row after a step, and what came of it';

CREATE FUNCTION nurture._step(model nurture.compiled_model, contact text, state nurture.profile, messages bytea,
        until timestamptz, tick bigint) RETURNS nurture.step_result
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_step';
COMMENT ON FUNCTION nurture._step(nurture.compiled_model, text, nurture.profile, bytea, timestamptz, bigint) IS
    'takes the messages, then lets timers run until then (NULL: until the last message); a pure function';
CREATE FUNCTION nurture._step_bounded(model nurture.compiled_model, contact text, state nurture.profile, messages bytea,
        until timestamptz, tick bigint) RETURNS nurture.step_result
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_step_bounded';
COMMENT ON FUNCTION nurture._step_bounded(nurture.compiled_model, text, nurture.profile, bytea, timestamptz, bigint) IS
    'the same with an end: kinds & 128: there is more to do, and messages numbered -1 were not taken';

CREATE FUNCTION nurture._transitions(outputs bytea) RETURNS TABLE (n int, at timestamptz, kind text, name text, version int,
        step text, cause text, cause_tick bigint, cause_n int, reason text, instance int, via text, branch text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 3 AS 'MODULE_PATHNAME', 'nurture_path_transitions';
CREATE FUNCTION nurture._actions(outputs bytea) RETURNS TABLE (id uuid, channel text, template text, purpose text,
        transactional boolean, payload jsonb, due timestamptz, expires timestamptz, priority int, workflow text, version int,
        journey text, step text, draws jsonb)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'nurture_planned_actions';
CREATE FUNCTION nurture._cancellations(outputs bytea) RETURNS TABLE (id uuid, at timestamptz, reason text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'nurture_cancellations';
CREATE FUNCTION nurture._written(outputs bytea) RETURNS TABLE (n int, at timestamptz, type text, props jsonb)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'nurture_written';
CREATE FUNCTION nurture._memberships(outputs bytea) RETURNS TABLE (segment int, member boolean, since timestamptz, cause text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 2 AS 'MODULE_PATHNAME', 'nurture_memberships';
CREATE FUNCTION nurture._rejections(outputs bytea) RETURNS TABLE (message int, reason text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'nurture_rejections';

-- A row's place in its table: its block, and a number that orders rows as they lie.
CREATE FUNCTION nurture._block(place tid) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_block';
CREATE FUNCTION nurture._place(place tid) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_place';
CREATE FUNCTION nurture._first_of(block bigint) RETURNS tid
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_first_of';

-- The batch at hand and what its steps gave. Unlogged and empty between ticks: nobody else reads them.
CREATE UNLOGGED TABLE nurture._batch (
    contact text COLLATE "C",
    key text COLLATE "C",
    kind text COLLATE "C",
    type text COLLATE "C",
    at timestamptz,
    received_at timestamptz,
    props jsonb,
    message_id text,
    place bigint,
    history boolean,
    reason text,
    quarantined boolean,
    ordinal int,
    first_received timestamptz
) WITH (toast_tuple_target = 8160);
CREATE UNLOGGED TABLE nurture._stepped (
    contact text COLLATE "C",
    place tid,
    due_before timestamptz,
    state nurture.profile,
    due timestamptz,
    clock_before timestamptz,
    numbers int[],
    kinds int,
    outputs bytea,
    duplicates int,
    unconvertible bigint,
    failure text
) WITH (toast_tuple_target = 8160);
COMMENT ON TABLE nurture._batch IS 'the messages of the tick at hand';
COMMENT ON COLUMN nurture._batch.ordinal IS 'among the contact''s messages, from 1, by received_at, then place; 0: not to be taken';
COMMENT ON COLUMN nurture._batch.first_received IS 'of the contact''s first message in the batch';
COMMENT ON TABLE nurture._stepped IS 'the steps of the tick at hand: what nurture._step gave';
COMMENT ON COLUMN nurture._stepped.place IS 'where the contact''s row lies; NULL: it is new';
REVOKE ALL ON TABLE nurture._batch, nurture._stepped FROM PUBLIC;
REVOKE ALL ON FUNCTION nurture._step(nurture.compiled_model, text, nurture.profile, bytea, timestamptz, bigint),
    nurture._step_bounded(nurture.compiled_model, text, nurture.profile, bytea, timestamptz, bigint),
    nurture._transitions(bytea), nurture._actions(bytea), nurture._cancellations(bytea), nurture._written(bytea),
    nurture._memberships(bytea), nurture._rejections(bytea),
    nurture._pack(text, timestamptz, timestamptz, jsonb, text, bigint, boolean) FROM PUBLIC;
