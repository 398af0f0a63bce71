-- Static lists: who is on them is said by hand, row by row, and stays said. Their members are in list_member.sql.

CREATE TABLE nurture.list (
    name text COLLATE "C" PRIMARY KEY CHECK (name <> '' AND octet_length(name) <= 512),
    description text
);
COMMENT ON TABLE nurture.list IS 'static lists, for the condition: on list ''name''';
REVOKE ALL ON TABLE nurture.list FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.list', '');
