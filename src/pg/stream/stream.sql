-- Streams: messages that contacts are sent one after the other, each once, whoever sends it. docs/decisions/0016-streams.md
-- tells what of it is the step's and what the workflow's.

CREATE TABLE nurture.stream (
    name text COLLATE "C" PRIMARY KEY CHECK (name <> '' AND octet_length(name) <= 512),
    definition nurture.stream_definition NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    description text,
    id int GENERATED ALWAYS AS IDENTITY UNIQUE
);
COMMENT ON TABLE nurture.stream IS
    'streams: send next of stream ''name'' sends the first message that is available and that the contact was never sent';
COMMENT ON COLUMN nurture.stream.definition IS
    'one message per line, in the order in which they are sent: email ''tip 1'' for newsletter from 2026-03-01 until 2026-06-01';
REVOKE ALL ON TABLE nurture.stream FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.stream', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.stream_id_seq', '');
