-- Who is on a list, and who is kept off it. A change reaches the contact as a $list message in the same transaction, so that
-- its step sees it and the log keeps it.

CREATE TABLE nurture.list_member (
    list text COLLATE "C" NOT NULL,
    contact text COLLATE "C" NOT NULL CHECK (contact <> '' AND octet_length(contact) <= 512),
    included boolean NOT NULL DEFAULT true,
    since timestamptz NOT NULL DEFAULT nurture._now(),
    PRIMARY KEY (list, contact)
);
COMMENT ON TABLE nurture.list_member IS 'who is on a static list; a row stays until somebody changes it';
COMMENT ON COLUMN nurture.list_member.included IS
    'true: on list ''…'' holds; false: excluded from list ''…'' holds, and on list does not';
COMMENT ON COLUMN nurture.list_member.since IS 'when it was so, as the contact is told';
REVOKE ALL ON TABLE nurture.list_member FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.list_member', '');

CREATE FUNCTION nurture._tell_list(member nurture.list_member, state text, moment timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
INSERT INTO nurture.inbox (contact, type, at, props, received_at)
VALUES (member.contact, '$list', moment, jsonb_build_object('list', member.list, 'state', state), moment)
$$;
COMMENT ON FUNCTION nurture._tell_list(nurture.list_member, text, timestamptz) IS 'tells a contact what it is to a list';

CREATE FUNCTION nurture._list_member_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- A restore: the contacts were told, and the log or the inbox comes back by itself. The tick: it is the contact that told.
    IF NOT current_setting('check_function_bodies')::boolean OR current_setting('nurture_tick.lists', true) = 'told' THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'DELETE' AND NOT EXISTS (SELECT FROM nurture.list l WHERE l.name = NEW.list) THEN
        RAISE EXCEPTION 'list "%" does not exist', NEW.list
            USING ERRCODE = 'foreign_key_violation', HINT = 'Lists are rows of nurture.list.';
    END IF;
    IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND NEW.contact <> OLD.contact THEN
        PERFORM nurture._require_not_erased(NEW.contact);
    END IF;
    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND (NEW.list, NEW.contact) IS DISTINCT FROM (OLD.list, OLD.contact)) THEN
        PERFORM nurture._tell_list(OLD, 'none', nurture._now());
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.list, NEW.contact, NEW.included) IS NOT DISTINCT FROM (OLD.list, OLD.contact, OLD.included) THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM nurture._tell_list(NEW, CASE WHEN NEW.included THEN 'member' ELSE 'excluded' END,
                                   CASE WHEN TG_OP = 'UPDATE' AND NEW.since = OLD.since THEN nurture._now() ELSE NEW.since END);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON nurture.list_member
    FOR EACH ROW EXECUTE FUNCTION nurture._list_member_changed();

-- TRUNCATE would leave contacts on lists that have no such row.
CREATE FUNCTION nurture._list_members_truncated() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM nurture.list_member;
    RETURN NULL;
END
$$;
CREATE TRIGGER tell_all BEFORE TRUNCATE ON nurture.list_member
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._list_members_truncated();

CREATE FUNCTION nurture._list_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.name <> OLD.name THEN
            RAISE EXCEPTION 'a list cannot be renamed' USING ERRCODE = 'feature_not_supported',
                DETAIL = 'Contacts have been told its name.', HINT = 'Make a new one and move its members.';
        END IF;
    ELSE
        DELETE FROM nurture.list_member m WHERE m.list = OLD.name;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_members AFTER UPDATE OR DELETE ON nurture.list
    FOR EACH ROW EXECUTE FUNCTION nurture._list_changed();
CREATE FUNCTION nurture._lists_truncated() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM nurture.list_member;
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_members BEFORE TRUNCATE ON nurture.list
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._lists_truncated();
REVOKE ALL ON FUNCTION nurture._tell_list(nurture.list_member, text, timestamptz), nurture._list_member_changed(),
    nurture._list_members_truncated(), nurture._list_changed(), nurture._lists_truncated() FROM PUBLIC;
