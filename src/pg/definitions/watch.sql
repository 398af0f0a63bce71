-- Holidays, the names of lists, pools and rotas, policies and streams are parts of the model: a change of theirs is checked and taken
-- up like any definition's.
CREATE TRIGGER check_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON nurture.holiday
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON nurture.list
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON nurture.policy
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
-- Not while they are restored: what was waiting then is dumped, too.
CREATE TRIGGER check_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON nurture.coupon_pool
    FOR EACH STATEMENT WHEN (pg_catalog.current_setting('check_function_bodies') OPERATOR(pg_catalog.=) 'on')
    EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON nurture.stream
    FOR EACH STATEMENT WHEN (pg_catalog.current_setting('check_function_bodies') OPERATOR(pg_catalog.=) 'on')
    EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON nurture.rota
    FOR EACH STATEMENT WHEN (pg_catalog.current_setting('check_function_bodies') OPERATOR(pg_catalog.=) 'on')
    EXECUTE FUNCTION nurture._check_definitions();
