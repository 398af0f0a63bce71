-- How far the engine is with what takes longer than a tick.

CREATE VIEW nurture.progress AS
SELECT p.kind, p.what, p.state, p.done, p.total, p.started,
       CASE WHEN p.done > 0 AND p.total > 0
            THEN p.started + (clock_timestamp() - p.started) * (greatest(p.total, p.done)::float8 / p.done) END AS eta
FROM (SELECT 'backfill' AS kind,
             coalesce((SELECT string_agg(format('%s "%s"', h.kind, h.name), ', ' ORDER BY h.kind, h.name)
                       FROM nurture._current_model c JOIN nurture.model m ON m.id = c.id
                       CROSS JOIN LATERAL jsonb_to_recordset(m.held) h (kind text, name text)), 'features') AS what,
             b.state, b.done, b.total, b.started
      FROM nurture.backfill b WHERE b.state IN ('folding', 'merging')
      UNION ALL
      SELECT 'adoption', format('model %s', m.id), 'sweeping', m.swept, greatest(m.contacts, m.swept), m.compiled_at
      FROM nurture.model m WHERE NOT m.adopted
      UNION ALL
      SELECT 'migration', format('%s, version %s', m.step, m.version), m.state, m.done, (SELECT count(*) FROM nurture.contact), m.started
      FROM nurture.migration m WHERE m.state <> 'done') p;
COMMENT ON VIEW nurture.progress IS 'what takes longer than a tick: backfills of features, contacts adopting a new model, what an update has left';
COMMENT ON COLUMN nurture.progress.kind IS 'backfill: definitions wait for their past; adoption: a model comes to contacts without messages; migration: what an update has left to nurture.migrate()';
COMMENT ON COLUMN nurture.progress.done IS 'contacts';
COMMENT ON COLUMN nurture.progress.eta IS 'when it will be through, going on like that';
REVOKE ALL ON TABLE nurture.progress FROM PUBLIC;
