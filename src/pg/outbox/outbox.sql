-- The outbox: actions that workflows decided and applications carry out. The tick inserts; senders claim, then
-- complete or fail; what became of an action returns to the contact as a message ($sent, $failed, $dropped).
--
-- Privileges. A sender needs no table at all, only
--     GRANT EXECUTE ON FUNCTION nurture.claim(text, int, interval), nurture.complete(uuid[]),
--         nurture.fail(uuid, text, interval, boolean), nurture.next_claimable(text) TO sender;
-- An operator who may stop all sending: GRANT EXECUTE ON FUNCTION nurture.pause(text), nurture.resume() TO operator;

CREATE TABLE nurture.action (
    id uuid PRIMARY KEY,
    contact text COLLATE "C" NOT NULL,
    channel text COLLATE "C" NOT NULL CHECK (channel <> '' AND pg_catalog.octet_length(channel) <= 512),
    template text,
    purpose text,
    payload jsonb NOT NULL DEFAULT '{}',
    status text COLLATE "C" NOT NULL DEFAULT 'ready' CHECK (status IN
        ('ready', 'claimed', 'done', 'failed', 'dead', 'cancelled', 'expired', 'dropped')),
    due timestamptz NOT NULL,
    expires timestamptz,
    priority int NOT NULL DEFAULT 0,
    attempts int NOT NULL DEFAULT 0,
    leased_until timestamptz,
    workflow text COLLATE "C",
    version int,
    journey text COLLATE "C",
    step text COLLATE "C",
    reason text,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    receipt uuid,
    transactional boolean NOT NULL DEFAULT false,
    draws jsonb,
    CHECK ((status = 'claimed') = (leased_until IS NOT NULL))
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);

COMMENT ON TABLE nurture.action IS 'the outbox: what is to be done for a contact, and what became of it';
COMMENT ON COLUMN nurture.action.id IS
    'hash of workflow, instance, step path, visit number and original key: the idempotency key to pass on to a provider';
COMMENT ON COLUMN nurture.action.status IS
    'ready: waits for due and a sender. claimed: a sender has it until leased_until. done: completed. '
    'failed: the sender called it permanent, or no further attempt fits before it expires. '
    'dead: all attempts are used up. cancelled: its own workflow withdrew it. '
    'expired: not carried out in time. dropped: a guard (consent, frequency cap, …) refused it. '
    'All but ready and claimed are final.';
COMMENT ON COLUMN nurture.action.due IS 'not to be claimed before; moved later by a retry';
COMMENT ON COLUMN nurture.action.expires IS 'not to be claimed from then on; NULL: never';
COMMENT ON COLUMN nurture.action.priority IS 'the greater is claimed first';
COMMENT ON COLUMN nurture.action.attempts IS 'how often it was claimed';
COMMENT ON COLUMN nurture.action.leased_until IS 'until when the claimer has it alone; set while claimed, NULL otherwise';
COMMENT ON COLUMN nurture.action.reason IS 'why it failed, was cancelled or was dropped; of a retry, why the last attempt failed';
COMMENT ON COLUMN nurture.action.receipt IS
    'proof of the newest claim; its first half is that of id, so that the primary key finds it';
COMMENT ON COLUMN nurture.action.transactional IS 'sent whatever the guards of marketing say';
COMMENT ON COLUMN nurture.action.draws IS
    'what the payload gets when it is claimed first: {"code": {"pool": id of the coupon pool, "journey": a hash that stays when the workflow is renamed}} or {"code": id of the coupon pool}; NULL: nothing';

-- Whatever may be claimed now or later, in the order of claiming. A claimed action becomes claimable again when its
-- lease runs out, a ready one when it is due: one key serves both. Final actions are not in it, nor in the two below.
CREATE INDEX action_claimable ON nurture.action (channel, priority DESC, COALESCE(leased_until, due), id)
    WHERE status IN ('ready', 'claimed');
CREATE INDEX action_expires ON nurture.action (expires)
    WHERE status IN ('ready', 'claimed') AND expires IS NOT NULL;
CREATE TABLE nurture.action_cancel (
    id uuid NOT NULL,
    contact text COLLATE "C" NOT NULL,
    reason text,
    at timestamptz,
    tick bigint
);
COMMENT ON TABLE nurture.action_cancel IS
    'actions withdrawn by their workflow: the tick only inserts, claim passes them over, maintenance folds them into the status';
COMMENT ON COLUMN nurture.action_cancel.id IS 'the action; a second row for it is harmless';
-- Not unique: a unique index would make the tick fail (40001) or wait over a row being folded.
CREATE INDEX action_cancel_id ON nurture.action_cancel (id);

-- One row, or none as long as nobody ever paused (so that a dump restores into a fresh extension).
CREATE TABLE nurture.sending (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    paused boolean NOT NULL,
    since timestamptz NOT NULL,
    by text NOT NULL,
    reason text
);
COMMENT ON TABLE nurture.sending IS
    'the kill switch: while paused, nothing is claimable; no row means not paused. Set by nurture.pause and nurture.resume';
COMMENT ON COLUMN nurture.sending.since IS 'when it was last switched';
COMMENT ON COLUMN nurture.sending.by IS 'the role that switched it';

REVOKE ALL ON TABLE nurture.action, nurture.action_cancel, nurture.sending FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.action', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.action_cancel', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.sending', '');
