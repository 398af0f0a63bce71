\set ECHO none
-- For tests whose clock is simulated: the extension anew, messages told at a time, ticks at a time. Its text is not in the output.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET nurture.enabled = off;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
CREATE PROCEDURE pg_temp.tell(contact text, type text, at timestamptz, props jsonb DEFAULT '{}') LANGUAGE sql AS $$
    INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES (contact, type, props, at, at)
$$;
-- Nothing but the tick, no maintenance by the wall clock.
CREATE PROCEDURE pg_temp.tick(at timestamptz) LANGUAGE plpgsql AS $$
BEGIN
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    WHILE (SELECT more FROM nurture._tick_batch(at)) LOOP
    END LOOP;
    COMMIT;
END $$;
-- As the worker does: the outbox is tended, too.
CREATE PROCEDURE pg_temp.tick_and_tend(at timestamptz) LANGUAGE plpgsql AS $$
BEGIN
    CALL pg_temp.tick(at);
    PERFORM nurture._outbox_maintain();
    COMMIT;
END $$;
\set ECHO all
