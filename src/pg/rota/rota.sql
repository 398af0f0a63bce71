-- Rotas: whose turn it is. What a contact is assigned depends on what others were assigned, so it is decided at the outbox, by
-- the engine itself (assign.sql), and returns to the contact as $identify.

CREATE TABLE nurture.rota (
    name text COLLATE "C" PRIMARY KEY CHECK (name <> '' AND octet_length(name) <= 512),
    choose text NOT NULL DEFAULT 'least recent' CHECK (choose IN ('least recent', 'fewest')),
    enabled boolean NOT NULL DEFAULT true,
    description text,
    id int GENERATED ALWAYS AS IDENTITY UNIQUE
);
COMMENT ON TABLE nurture.rota IS 'rotas: assign owner from ''name'' gives the contact the member whose turn it is';
COMMENT ON COLUMN nurture.rota.choose IS 'least recent: who was assigned longest ago (round-robin); fewest: who has the fewest for his share';

CREATE TABLE nurture.rota_member (
    rota text COLLATE "C" NOT NULL, -- no foreign key: a parallel restore loads the two tables side by side
    member text COLLATE "C" NOT NULL CHECK (member <> '' AND octet_length(member) <= 512),
    available boolean NOT NULL DEFAULT true,
    share int NOT NULL DEFAULT 1 CHECK (share > 0),
    assigned bigint NOT NULL DEFAULT 0,
    turn bigint NOT NULL DEFAULT 0,
    last_assigned_at timestamptz,
    PRIMARY KEY (rota, member)
) WITH (fillfactor = 50);
COMMENT ON TABLE nurture.rota_member IS 'who takes turns in a rota';
COMMENT ON COLUMN nurture.rota_member.member IS 'what the attribute becomes';
COMMENT ON COLUMN nurture.rota_member.available IS 'false: is passed over for now';
COMMENT ON COLUMN nurture.rota_member.share IS 'where the rota chooses the fewest: with 2 gets twice as many as with 1';
COMMENT ON COLUMN nurture.rota_member.turn IS 'the number of the last turn; 0: none yet';
REVOKE ALL ON TABLE nurture.rota, nurture.rota_member FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.rota', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.rota_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.rota_member', '');

CREATE FUNCTION nurture._rota_member_inserted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('check_function_bodies')::boolean AND NOT EXISTS (SELECT FROM nurture.rota r WHERE r.name = NEW.rota) THEN
        RAISE EXCEPTION 'rota "%" does not exist', NEW.rota USING ERRCODE = 'foreign_key_violation', HINT = 'Rotas are rows of nurture.rota.';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER check_rota AFTER INSERT OR UPDATE OF rota ON nurture.rota_member
    FOR EACH ROW EXECUTE FUNCTION nurture._rota_member_inserted();
CREATE TRIGGER keep_members AFTER UPDATE OF name OR DELETE ON nurture.rota
    FOR EACH ROW EXECUTE FUNCTION nurture._keep_with_name('rota_member', 'rota');
CREATE TRIGGER forget_members AFTER TRUNCATE ON nurture.rota
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._keep_with_name('rota_member', 'rota');
REVOKE ALL ON FUNCTION nurture._rota_member_inserted() FROM PUBLIC;
