-- Procedures that workflows call: `do 'procedure' with (name = 'discount', …)`. Such an action is carried out by the server
-- itself: in a process and a transaction of its own, connected as the role that the list below says, never inside the tick.
--
-- The action is completed first and the procedure called then, in one transaction: both come true or neither. A procedure that
-- fails, or takes longer than it may, is an attempt that failed and is tried again as any other action.

CREATE TABLE nurture.procedure (
    name text COLLATE "C" PRIMARY KEY CHECK (name <> '' AND pg_catalog.octet_length(name) <= 512),
    routine text NOT NULL,
    role text NOT NULL,
    timeout interval NOT NULL DEFAULT '30 seconds' CHECK (timeout > '0' AND timeout <= '1 day'),
    enabled boolean NOT NULL DEFAULT true,
    description text
);
COMMENT ON TABLE nurture.procedure IS
    'the procedures that workflows may call by do ''procedure'' with (name = …): who can write here decides what runs as whom';
COMMENT ON COLUMN nurture.procedure.name IS 'as workflows call it';
COMMENT ON COLUMN nurture.procedure.routine IS 'a function or procedure of (contact text, payload jsonb), with its schema, without arguments';
COMMENT ON COLUMN nurture.procedure.role IS 'the role that it is run as, from a connection of that role''s: it must be permitted to log in';
COMMENT ON COLUMN nurture.procedure.timeout IS 'it is cancelled when it takes longer';
REVOKE ALL ON TABLE nurture.procedure FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.procedure', '');

-- The call of a routine, or NULL when there is none of (text, jsonb).
CREATE FUNCTION nurture._procedure_call(routine text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT format(CASE p.prokind WHEN 'p' THEN 'CALL %I.%I($1, $2)' ELSE 'SELECT %I.%I($1, $2)' END, n.nspname, p.proname)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.oid = to_regprocedure(routine || '(text, jsonb)') AND p.prokind IN ('f', 'p')
$$;
COMMENT ON FUNCTION nurture._procedure_call(text) IS 'the statement that calls a routine of (text, jsonb); NULL: there is none';

CREATE FUNCTION nurture._check_procedure() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT current_setting('check_function_bodies')::boolean THEN
        RETURN NULL; -- a restore: what it names may come later
    END IF;
    IF nurture._procedure_call(NEW.routine) IS NULL THEN
        RAISE EXCEPTION 'there is no function or procedure %(text, jsonb)', NEW.routine USING ERRCODE = 'undefined_function',
            HINT = 'Say its name with its schema, without arguments; it is given the contact''s key and the action''s payload.';
    ELSIF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = NEW.role AND r.rolcanlogin) THEN
        RAISE EXCEPTION 'there is no role "%" that can log in', NEW.role USING ERRCODE = 'undefined_object',
            HINT = 'The procedure runs in a connection of that role''s: CREATE ROLE … LOGIN.';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER check_procedure AFTER INSERT OR UPDATE ON nurture.procedure FOR EACH ROW EXECUTE FUNCTION nurture._check_procedure();

CREATE FUNCTION nurture._procedures_wait() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT EXISTS (SELECT FROM nurture.procedure) AND nurture._enabled() AND nurture._is_own_database()
    AND coalesce(nurture.next_claimable('procedure') <= clock_timestamp(), false)
$$;
COMMENT ON FUNCTION nurture._procedures_wait() IS 'whether a procedure is to be run now';

-- The lease outlasts the longest timeout: the action comes back only if the whole server went down with it.
CREATE FUNCTION nurture._claim_procedure(OUT receipt uuid, OUT role oid, OUT timeout_ms int)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    claimed record;
    listed nurture.procedure;
    problem text;
BEGIN
    LOOP
        SELECT c.* INTO claimed
        FROM nurture.claim('procedure', 1, (SELECT coalesce(max(p.timeout), '0') + interval '1 minute' FROM nurture.procedure p)) c;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        SELECT p.* INTO listed FROM nurture.procedure p WHERE p.name = claimed.payload ->> 'name';
        SELECT r.oid INTO role FROM pg_roles r WHERE r.rolname = listed.role;
        problem := CASE WHEN claimed.payload ->> 'name' IS NULL THEN 'the step does not say with (name = …) which procedure'
                        WHEN listed.name IS NULL THEN format('procedure "%s" is not listed in nurture.procedure', claimed.payload ->> 'name')
                        WHEN NOT listed.enabled THEN format('procedure "%s" is not enabled', listed.name)
                        WHEN role IS NULL THEN format('there is no role "%s"', listed.role) END;
        EXIT WHEN problem IS NULL;
        PERFORM nurture.fail(claimed.receipt, problem, permanent => true);
    END LOOP;
    receipt := claimed.receipt;
    timeout_ms := greatest(extract(epoch FROM listed.timeout) * 1000, 1)::int;
END
$$;
COMMENT ON FUNCTION nurture._claim_procedure() IS 'claims the next action of the channel procedure; what cannot run fails here';

CREATE FUNCTION nurture._begin_procedure(receipt uuid, OUT call text, OUT contact text, OUT payload jsonb)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    SELECT a.contact, a.payload - 'name', nurture._procedure_call(p.routine) INTO contact, payload, call
    FROM nurture.action a LEFT JOIN nurture.procedure p ON p.name = a.payload ->> 'name'
    WHERE a.id >= nurture._first_id(_begin_procedure.receipt) AND a.id <= nurture._last_id(_begin_procedure.receipt)
      AND a.receipt = _begin_procedure.receipt;
    IF call IS NULL THEN
        RAISE EXCEPTION 'the routine is not there' USING ERRCODE = 'undefined_function';
    ELSIF nurture.complete(ARRAY[_begin_procedure.receipt]) <> 1 THEN
        RAISE EXCEPTION 'the action is not claimed any more' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._begin_procedure(uuid) IS 'completes the action and says what is to be called for it in the same transaction';

-- Whoever is still claimed when its process has ended came to nothing.
CREATE FUNCTION nurture._end_procedure(receipt uuid, reason text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM nurture.fail(a.receipt, _end_procedure.reason)
    FROM nurture.action a
    WHERE a.id >= nurture._first_id(_end_procedure.receipt) AND a.id <= nurture._last_id(_end_procedure.receipt)
      AND a.receipt = _end_procedure.receipt AND a.status = 'claimed';
END
$$;
COMMENT ON FUNCTION nurture._end_procedure(uuid, text) IS 'fails the action unless its procedure has run';
REVOKE ALL ON FUNCTION nurture._procedure_call(text), nurture._check_procedure(), nurture._procedures_wait(), nurture._claim_procedure(),
    nurture._begin_procedure(uuid), nurture._end_procedure(uuid, text) FROM PUBLIC;
