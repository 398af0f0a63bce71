-- What update scripts share. All of it is gone again at their end.

-- The library in this session must be the new one: a server that preloads it has to be restarted first.
DO $$
DECLARE
    library text;
BEGIN
    BEGIN
        CREATE FUNCTION nurture._update_library() RETURNS text LANGUAGE c AS 'MODULE_PATHNAME', 'nurture_library_version';
        library := nurture._update_library();
        DROP FUNCTION nurture._update_library();
    EXCEPTION WHEN undefined_function THEN
        library := '@FROM@';
    END;
    IF library <> '@TO@' THEN
        RAISE EXCEPTION 'this session runs the library of nurture %, not of @TO@', library
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Install the new library; then restart the server, or reconnect where nurture is not in shared_preload_libraries.';
    END IF;
END
$$;

-- Privileges that were granted on what is dropped and made anew come back.
CREATE TABLE nurture._update_grant (
    kind text NOT NULL,
    object text NOT NULL,
    privilege text NOT NULL,
    grantee text NOT NULL,
    grantable boolean NOT NULL
);

CREATE FUNCTION nurture._update_save(target text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    kind text := split_part(target, ' ', 1);
    object text := substr(target, length(kind) + 2);
BEGIN
    IF kind IN ('FUNCTION', 'PROCEDURE', 'AGGREGATE') THEN
        INSERT INTO nurture._update_grant
        SELECT CASE kind WHEN 'PROCEDURE' THEN kind ELSE 'FUNCTION' END, object, a.privilege_type, a.grantee::regrole::text, a.is_grantable
        FROM pg_proc p, aclexplode(p.proacl) a
        WHERE p.oid = to_regprocedure(object) AND a.grantee NOT IN (0, p.proowner);
    ELSIF kind IN ('VIEW', 'TABLE') THEN
        INSERT INTO nurture._update_grant
        SELECT 'TABLE', object, a.privilege_type, a.grantee::regrole::text, a.is_grantable
        FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid = object::regclass AND a.grantee NOT IN (0, c.relowner)
        UNION ALL
        SELECT 'TABLE', object, format('%s (%I)', a.privilege_type, t.attname), a.grantee::regrole::text, a.is_grantable
        FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a
        WHERE c.oid = object::regclass AND a.grantee <> c.relowner;
    END IF;
END
$$;

CREATE FUNCTION nurture._update_drop(target text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM nurture._update_save(target);
    EXECUTE 'DROP ' || target;
END
$$;

-- In place where columns are only added at the end; else the view is made anew.
CREATE FUNCTION nurture._update_view(name text, definition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        EXECUTE regexp_replace(definition, '^CREATE\s+(OR\s+REPLACE\s+)?VIEW', 'CREATE OR REPLACE VIEW', 'i');
    EXCEPTION WHEN invalid_table_definition THEN
        PERFORM nurture._update_drop('VIEW ' || name);
        EXECUTE definition;
        EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC', name);
    END;
END
$$;

CREATE FUNCTION nurture._update_finish() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    g nurture._update_grant;
BEGIN
    FOR g IN SELECT * FROM nurture._update_grant LOOP
        BEGIN
            EXECUTE format('GRANT %s ON %s %s TO %s%s', g.privilege, g.kind, g.object, g.grantee,
                           CASE WHEN g.grantable THEN ' WITH GRANT OPTION' ELSE '' END);
        EXCEPTION WHEN undefined_function OR undefined_table OR undefined_column THEN
            RAISE NOTICE '% on % % was granted to %; it is no more', g.privilege, g.kind, g.object, g.grantee;
        END;
    END LOOP;
    -- What a script grants counts as the extension's own, and pg_dump leaves it out: that may be said of the owner's and of
    -- everybody's privileges only.
    UPDATE pg_init_privs i
    SET initprivs = ARRAY(SELECT item FROM unnest(i.initprivs) item, aclexplode(ARRAY[item]) a
                          WHERE a.grantee IN (0, o.owner) GROUP BY item::text, item)
    FROM pg_depend d
    JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'nurture'
    LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
    LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
    CROSS JOIN LATERAL (SELECT coalesce(c.relowner, p.proowner) AS owner) o
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND i.classoid = d.classid AND i.objoid = d.objid
      AND EXISTS (SELECT FROM aclexplode(i.initprivs) a WHERE a.grantee NOT IN (0, o.owner));
END
$$;
