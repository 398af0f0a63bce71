-- The definition types: what is typed is parsed, what comes back is canonical.
\pset null '(null)'
SELECT '5 on page_view where path LIKE ''/pricing%'' at most 3 per day half-life 2 weeks topic pricing'::nurture.rule_definition;
SELECT 'a<>1 AND (b or (c or did "Product Added" within 90 minutes))'::nurture.condition;
SELECT $$
  on form_submit where form = 'whitepaper'
  exit on purchase
  wait 1 hour
  send email 'newsletter_invite' for newsletter
  wait for email_click where template = 'newsletter_invite' up to 1 day
    then send email 'thank_you'
    else send email 'purchase_nudge' with (name = first_name, times = 2)
  end
$$::nurture.workflow_definition;

-- Names are not looked up by the types.
SELECT 'in segment ''there is no such segment'''::nurture.condition;

-- Errors as they are seen: place, everything expected, the line with a caret, a hint.
SELECT 'score >= 10 anf plan = ''pro'''::nurture.condition;
SELECT '5 < score'::nurture.condition;
SELECT '+5 on page_view half-life 1 month'::nurture.rule_definition;
SELECT $$on signup
wait for purchase then exit end$$::nurture.workflow_definition;
SELECT $$on signup
if score >= 10 and (plan = 'pro' or country = 'DE' then
  exit
end$$::nurture.workflow_definition;
SELECT 'plan = "pro"'::nurture.condition;
\set VERBOSITY sqlstate
SELECT 'plan ='::nurture.condition;
SELECT (repeat('(', 501) || 'a' || repeat(')', 501))::nurture.condition;
SELECT repeat('(', 1000000)::nurture.condition;
SELECT repeat(' ', 1048577)::nurture.condition;
\set VERBOSITY default

-- Casts: explicit from an expression, by assignment into a column, and back to text.
CREATE TEMP TABLE definition (id int, r nurture.rule_definition, c nurture.condition, w nurture.workflow_definition);
INSERT INTO definition
    SELECT n, '+' || n || ' on page_view', 'count(page_view)>' || n, 'wait ' || n || ' days' FROM generate_series(1, 3) AS n;
INSERT INTO definition VALUES (4, NULL, NULL, NULL);
UPDATE definition SET r = '+9.50 on x'::text WHERE id = 3;
SELECT id, r, c, w, length(r::text) AS length FROM definition ORDER BY id;

-- GROUP BY and DISTINCT find the operators by themselves; written out they are found where the schema is in the path.
SELECT c, count(*) FROM (VALUES ('a or b'::nurture.condition), ('(a OR b)'), ('B'), ('a')) AS v (c) GROUP BY c ORDER BY c;
SELECT DISTINCT r FROM (VALUES ('5 on x'::nurture.rule_definition), ('+5.0 on x')) AS v (r);
SELECT 'a and b'::nurture.condition OPERATOR(nurture.=) 'a AND b' AS same;
SET search_path = nurture, public;

-- Equal texts are equal values, however they were typed; order is that of the bytes.
SELECT 'a and b'::nurture.condition = 'A AND b'::nurture.condition AS same_in_capitals,
       'a AND b'::nurture.condition = '(a) and/**/b'::nurture.condition AS same,
       'a'::nurture.condition <> 'b'::nurture.condition AS different;
SELECT a < b AS lt, a <= b AS le, a > b AS gt, a >= b AS ge, a = b AS eq
FROM (VALUES ('wait 1 day'::nurture.workflow_definition, 'wait 2 days'::nurture.workflow_definition),
             ('wait 7 days', 'wait 1 week')) AS v (a, b) ORDER BY lt;
SET enable_seqscan = off;
SET enable_sort = off;
CREATE INDEX definition_c ON definition (c);
CREATE INDEX definition_r ON definition USING hash (r);
EXPLAIN (COSTS OFF) SELECT id FROM definition WHERE c = 'count(page_view) > 2';
EXPLAIN (COSTS OFF) SELECT id FROM definition WHERE r = '2 on page_view';
SELECT id FROM definition WHERE c = 'count(page_view) > 2';
SELECT id FROM definition WHERE r = '2 on page_view';
SELECT id FROM definition WHERE c >= 'count(page_view) > 2' ORDER BY c;
DROP INDEX definition_c, definition_r;
RESET enable_seqscan;
RESET enable_sort;
SET enable_mergejoin = off;
SET enable_nestloop = off;
SELECT count(*) FROM definition AS one JOIN definition AS other USING (c);
RESET enable_mergejoin;
RESET enable_nestloop;

-- Long definitions are compressed and come back whole.
INSERT INTO definition (id, c)
    SELECT 5, 'false' || string_agg(' or plan = ''p' || n || '''', '') FROM generate_series(1, 5000) AS n;
SELECT pg_column_size(c) < length(c::text) AS compressed,
       c::text = 'false' || (SELECT string_agg(' or plan = ''p' || n || '''', '') FROM generate_series(1, 5000) AS n) AS whole
FROM definition WHERE id = 5;

-- The binary form: a version byte and the text.
SELECT nurture._condition_send('a  AND b');
CREATE TEMP TABLE copied (LIKE definition);
\set file `mktemp`
\setenv LANGUAGE_TEST_FILE :file
\copy definition TO PROGRAM 'cat > "$LANGUAGE_TEST_FILE"' (FORMAT binary)
\copy copied FROM PROGRAM 'cat "$LANGUAGE_TEST_FILE"' (FORMAT binary)
\! rm -f "$LANGUAGE_TEST_FILE"
SELECT count(*) AS rows, bool_and((d.r, d.c, d.w) IS NOT DISTINCT FROM (k.r, k.c, k.w)) AS same
FROM definition AS d JOIN copied AS k USING (id);

-- Bytes from elsewhere are parsed like anything typed. A binary COPY of one field is made by hand: signature, flags,
-- extension, one field of the length given, trailer.
CREATE TEMP TABLE one (c nurture.condition);
\setenv HEAD 'PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000'
\setenv TAIL '\\377\\377'
\copy one FROM PROGRAM 'printf "$HEAD\\011\\001a  AND b$TAIL"' (FORMAT binary)
SELECT * FROM one;
\copy one FROM PROGRAM 'printf "$HEAD\\006\\001a and$TAIL"' (FORMAT binary)
\copy one FROM PROGRAM 'printf "$HEAD\\002\\002a$TAIL"' (FORMAT binary)
\copy one FROM PROGRAM 'printf "$HEAD\\002\\000a$TAIL"' (FORMAT binary)
\copy one FROM PROGRAM 'printf "$HEAD\\002\\377a$TAIL"' (FORMAT binary)
\copy one FROM PROGRAM 'printf "$HEAD\\001\\001$TAIL"' (FORMAT binary)
\copy one FROM PROGRAM 'printf "$HEAD\\000$TAIL"' (FORMAT binary)
\copy one FROM PROGRAM 'printf "$HEAD\\003\\001a\\000$TAIL"' (FORMAT binary)
\copy one FROM PROGRAM 'printf "$HEAD\\010\\001a = ''\\303''$TAIL"' (FORMAT binary)
SELECT count(*) FROM one;

-- validate() never raises for a bad definition.
SELECT valid, form, canonical FROM nurture.validate('5 ON page_view');
SELECT valid, form, canonical FROM nurture.validate('on x wait 1 hour');
SELECT valid, form, canonical FROM nurture.validate('not (did  x)');
SELECT * FROM nurture.validate(E'a = 1\n  or größe == 2') \gx
SELECT * FROM nurture.validate('+5 on x', 'condition') \gx
SELECT * FROM nurture.validate('count(x) > 1', form => 'condition') \gx
SELECT * FROM nurture.validate('') \gx
SELECT * FROM nurture.validate(repeat('(', 600)) \gx
SELECT * FROM nurture.validate(NULL) \gx
SELECT * FROM nurture.validate('a', 'poem');
SELECT v.valid, count(*) FROM (VALUES ('a'), ('b and'), ('+1 on x')) AS d (t), nurture.validate(d.t) AS v GROUP BY v.valid ORDER BY 1;

-- Every type has a comment.
SELECT t.typname FROM pg_type AS t JOIN pg_namespace AS s ON s.oid = t.typnamespace
WHERE s.nspname = 'nurture' AND t.typname IN ('rule_definition', 'condition', 'workflow_definition')
  AND obj_description(t.oid, 'pg_type') IS NULL;
DROP TABLE definition, copied, one;
