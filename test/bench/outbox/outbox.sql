SELECT coalesce(array_agg(receipt), '{}')::text AS receipts FROM nurture.claim('email', 100) \gset
SELECT nurture.complete(:receipts::uuid[]);
