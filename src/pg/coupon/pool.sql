-- Pools of coupon codes: what contacts share, and so is decided by claim, never by the step. Drawing is in draw.sql.

CREATE TABLE nurture.coupon_pool (
    name text COLLATE "C" PRIMARY KEY CHECK (name <> '' AND octet_length(name) <= 512),
    when_empty text NOT NULL DEFAULT 'delay' CHECK (when_empty IN ('delay', 'drop', 'send without')),
    retry_after interval NOT NULL DEFAULT '10 minutes' CHECK (retry_after > interval '0'),
    one_per text NOT NULL DEFAULT 'journey' CHECK (one_per IN ('contact', 'journey', 'message')),
    valid_for interval NOT NULL DEFAULT '0' CHECK (valid_for >= interval '0'),
    low int NOT NULL DEFAULT 100 CHECK (low >= 0),
    enabled boolean NOT NULL DEFAULT true,
    description text,
    id int GENERATED ALWAYS AS IDENTITY UNIQUE
);
COMMENT ON TABLE nurture.coupon_pool IS
    'pools of coupon codes: send email ''spring'' with (code = coupon(''pool'')) gets one when it is claimed';
COMMENT ON COLUMN nurture.coupon_pool.when_empty IS
    'what becomes of a message for which no code is left: delay (tried again), drop, send without (the code is null)';
COMMENT ON COLUMN nurture.coupon_pool.retry_after IS 'how long a message waits before it is tried again';
COMMENT ON COLUMN nurture.coupon_pool.one_per IS
    'who gets a code of his own: contact, journey (its later messages repeat the code), message';
COMMENT ON COLUMN nurture.coupon_pool.valid_for IS 'codes that expire sooner are not given out any more';
COMMENT ON COLUMN nurture.coupon_pool.low IS 'nurture.lint() warns when fewer codes are left';

CREATE TABLE nurture.coupon (
    pool text COLLATE "C" NOT NULL, -- no foreign key: a parallel restore loads the two tables side by side
    code text COLLATE "C" NOT NULL CHECK (code <> '' AND octet_length(code) <= 512),
    expires timestamptz NOT NULL DEFAULT 'infinity',
    contact text COLLATE "C",
    given_at timestamptz,
    action uuid,
    workflow text COLLATE "C",
    journey text COLLATE "C",
    of_journey uuid,
    PRIMARY KEY (pool, code),
    CHECK ((contact IS NULL) = (given_at IS NULL))
) WITH (fillfactor = 80);
COMMENT ON TABLE nurture.coupon IS 'codes: applications insert pool, code and expires, claim fills in who got it';
COMMENT ON COLUMN nurture.coupon.expires IS 'not given out from then on';
COMMENT ON COLUMN nurture.coupon.contact IS 'who has got it; NULL: nobody yet. A code that was handed to a sender stays given';
COMMENT ON COLUMN nurture.coupon.action IS 'the message with which it was given out first';
COMMENT ON COLUMN nurture.coupon.workflow IS 'as it was called when the message was planned';
COMMENT ON COLUMN nurture.coupon.of_journey IS 'the journey it was given to, whatever its workflow is called; NULL: the message did not say';
CREATE INDEX coupon_free ON nurture.coupon (pool, expires, code) WHERE contact IS NULL;
CREATE INDEX coupon_given ON nurture.coupon (contact, pool) WHERE contact IS NOT NULL;

REVOKE ALL ON TABLE nurture.coupon_pool, nurture.coupon FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.coupon_pool', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.coupon_pool_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.coupon', '');

CREATE FUNCTION nurture._require_coupon_pool(pool text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM nurture.coupon_pool p WHERE p.name = pool) THEN
        RAISE EXCEPTION 'coupon pool "%" does not exist', pool
            USING ERRCODE = 'foreign_key_violation', HINT = 'Coupon pools are rows of nurture.coupon_pool.';
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._require_coupon_pool(text) IS 'an error where there is no such pool';
CREATE FUNCTION nurture._coupons_inserted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('check_function_bodies')::boolean THEN -- else a restore: the pool may come later
        PERFORM nurture._require_coupon_pool(a.pool) FROM (SELECT DISTINCT i.pool FROM after i) a;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER check_pools AFTER INSERT ON nurture.coupon REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._coupons_inserted();
CREATE FUNCTION nurture._coupon_moved() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM nurture._require_coupon_pool(NEW.pool);
    RETURN NULL;
END
$$;
CREATE TRIGGER check_pool_moved AFTER UPDATE OF pool ON nurture.coupon
    FOR EACH ROW WHEN (OLD.pool <> NEW.pool) EXECUTE FUNCTION nurture._coupon_moved();
REVOKE ALL ON FUNCTION nurture._require_coupon_pool(text), nurture._coupons_inserted(), nurture._coupon_moved() FROM PUBLIC;

-- Rows that belong to another table's by its name (the table, then its column, are the trigger's arguments) go with it, by
-- whatever name. No foreign key does it: a parallel restore loads the two tables side by side.
CREATE FUNCTION nurture._keep_with_name() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        EXECUTE format('DELETE FROM nurture.%I', TG_ARGV[0]);
    ELSIF TG_OP = 'DELETE' THEN
        EXECUTE format('DELETE FROM nurture.%I WHERE %I = $1', TG_ARGV[0], TG_ARGV[1]) USING OLD.name;
    ELSIF NEW.name <> OLD.name THEN
        EXECUTE format('UPDATE nurture.%1$I SET %2$I = $1 WHERE %2$I = $2', TG_ARGV[0], TG_ARGV[1]) USING NEW.name, OLD.name;
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION nurture._keep_with_name() FROM PUBLIC;
CREATE TRIGGER keep_codes AFTER UPDATE OF name OR DELETE ON nurture.coupon_pool
    FOR EACH ROW EXECUTE FUNCTION nurture._keep_with_name('coupon', 'pool');
CREATE TRIGGER forget_codes AFTER TRUNCATE ON nurture.coupon_pool
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._keep_with_name('coupon', 'pool');
