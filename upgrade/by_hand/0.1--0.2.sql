-- From 0.1 to 0.2, what scripts/update_script.pl cannot derive: the DDL of what holds data. docs/decisions/0006 has the rules.

--@ last
-- What models are made of may have changed with the version: the next tick makes one anew.
INSERT INTO nurture.pending_change (kind, operation) VALUES ('extension', 'update');
SELECT nurture._announce();
