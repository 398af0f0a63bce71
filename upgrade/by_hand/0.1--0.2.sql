-- From 0.1 to 0.2, what scripts/update_script.pl cannot derive: the DDL of what holds data. docs/decisions/0006 has the rules.

-- The inbox becomes a partitioned table: what waits is put aside and comes back through its first slot, at the end.
CREATE TABLE nurture._update_waiting AS TABLE nurture.inbox;
SELECT nurture._update_save('TABLE nurture.inbox');
ALTER EXTENSION nurture DROP TABLE nurture.inbox;
DROP TABLE nurture.inbox;

--@ last
INSERT INTO nurture.inbox SELECT w.* FROM nurture._update_waiting w ORDER BY w.ctid;
DROP TABLE nurture._update_waiting;
-- What models are made of may have changed with the version: the next tick makes one anew.
INSERT INTO nurture.pending_change (kind, operation) VALUES ('extension', 'update');
SELECT nurture._announce();
