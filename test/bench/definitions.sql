-- What the benchmarks run: 20 rules over 6 topics, 10 segments (5 of them windowed), 3 workflows; the same that
-- a careful hand would write as triggers. One row a line: test/bench/micro/step_benchmark.cpp reads them from here.
INSERT INTO nurture.rule (name, definition) VALUES
  ('r01', '+1 on page_view topic engagement half-life 14 days'),
  ('r02', '+2 on email_open topic newsletter half-life 14 days'),
  ('r03', '+5 on email_click topic newsletter half-life 14 days'),
  ('r04', '+10 on form_submit topic engagement half-life 30 days'),
  ('r05', '+1 on login topic product half-life 7 days'),
  ('r06', '+7 on download topic product half-life 30 days'),
  ('r07', '+50 on purchase topic value half-life 90 days'),
  ('r08', '+0.1 per amount on purchase topic value half-life 90 days'),
  ('r09', '+5 on page_view where path like ''/pricing/%'' topic pricing half-life 14 days'),
  ('r10', '+2 on page_view where path like ''/docs/%'' topic docs half-life 14 days'),
  ('r11', '+1 on page_view where path like ''/blog/%'' topic blog half-life 14 days'),
  ('r12', '+2 on page_view where path like ''/p/1%'' topic product half-life 14 days'),
  ('r13', '+2 on page_view where path like ''/p/2%'' topic product half-life 14 days'),
  ('r14', '+10 on form_submit where form = ''whitepaper'' topic docs half-life 30 days'),
  ('r15', '+20 on form_submit where form = ''contact'' topic pricing half-life 30 days'),
  ('r16', '+5 on form_submit where form = ''newsletter'' topic newsletter half-life 30 days'),
  ('r17', '+1 on email_open where template like ''t1%'' topic pricing half-life 14 days'),
  ('r18', '+3 on email_click where template like ''t1%'' topic pricing half-life 14 days'),
  ('r19', '+5 on page_view where path like ''/pricing/4%'' topic value half-life 14 days'),
  ('r20', '+3 on download where template like ''t2%'' topic docs half-life 30 days');

-- 'browser' counts page views: how many different pages they were is not in the language yet.
INSERT INTO nurture.segment (name, condition) VALUES
  ('hot lead', 'score >= 50 and score(pricing) >= 20 and not did purchase'),
  ('pricing researcher', 'count(page_view where path like ''/pricing/%'' within 7 days) >= 3'),
  ('reader', 'count(email_open within 14 days) >= 2'),
  ('gone quiet', 'did login and not did login within 30 days'),
  ('big spender', 'sum(amount of purchase within 30 days) >= 150'),
  ('browser', 'count(page_view within 1 day) >= 3'),
  ('customer', 'did purchase'),
  ('newsletter fan', 'score(newsletter) >= 10'),
  ('valuable', 'score(value) >= 60'),
  ('evaluator', 'score(docs) >= 10 and score(pricing) >= 10');

INSERT INTO nurture.workflow (name, definition) VALUES
  ('sales', 'on entering segment ''hot lead'' wait 10 minutes do ''task'' with (kind = ''sales1'')'),
  ('whitepaper', 'on form_submit where form = ''whitepaper'' exit on purchase wait 1 hour send email ''whitepaper1'' wait 1 day send email ''whitepaper2'''),
  ('thanks', 'on purchase wait 1 day send email ''thanks1''');
