-- Policies: guards over what workflows send. No policy, no guard. docs/guards.md shows them, docs/decisions/0011-guards.md
-- tells how they are enforced.

CREATE TABLE nurture.policy (
    name text COLLATE "C" PRIMARY KEY CHECK (name <> '' AND octet_length(name) <= 512),
    definition nurture.policy_definition NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    description text,
    id int GENERATED ALWAYS AS IDENTITY UNIQUE
);
COMMENT ON TABLE nurture.policy IS
    'guards over what workflows send: consent, caps, quiet hours, windows, rates, budgets; all that are for a message bind it';
COMMENT ON COLUMN nurture.policy.definition IS
    'such as: for email require consent at most 1 per day quiet from 21:00 to 08:00';
REVOKE ALL ON TABLE nurture.policy FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.policy', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.policy_id_seq', '');
