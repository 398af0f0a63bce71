-- Limits and bands are definitions: a change of them is checked with all others and taken up by the next tick.
CREATE TRIGGER check_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON nurture.score_limit
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON nurture.band
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
