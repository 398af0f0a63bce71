WITH claimed AS (
    UPDATE plain_queue q SET status = 'claimed'
    FROM (SELECT id FROM plain_queue WHERE status = 'ready' AND due <= now() ORDER BY due LIMIT 100
          FOR UPDATE SKIP LOCKED) p
    WHERE q.id = p.id RETURNING q.id
)
SELECT coalesce(array_agg(id), '{}')::text AS ids FROM claimed \gset
UPDATE plain_queue SET status = 'done', done_at = now() WHERE id = ANY (:ids::uuid[]);
