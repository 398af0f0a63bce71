-- The benchmark's function in our language: the same 20 rules, 10 segments and 3 workflows as trigger_pipeline.sql. Mails are
-- transactional, since the other side knows no expiry of marketing messages either.
INSERT INTO nurture.rule (name, definition) VALUES
 ('views', '+1 on page_view topic engagement half-life 14 days'),
 ('opens mail', '+2 on email_open topic newsletter half-life 14 days'),
 ('clicks mail', '+5 on email_click topic newsletter half-life 14 days'),
 ('submits a form', '+10 on form_submit topic engagement half-life 30 days'),
 ('logs in', '+1 on login topic product half-life 7 days'),
 ('downloads', '+7 on download topic product half-life 30 days'),
 ('buys', '+50 on purchase topic value half-life 90 days'),
 ('spends', '+0.1 per amount on purchase topic value half-life 90 days'),
 ('pricing page', '+5 on page_view where path like ''/pricing/%'' topic pricing half-life 14 days'),
 ('documentation', '+2 on page_view where path like ''/docs/%'' topic docs half-life 14 days'),
 ('blog', '+1 on page_view where path like ''/blog/%'' topic blog half-life 14 days'),
 ('product 1', '+2 on page_view where path like ''/p/1%'' topic product half-life 14 days'),
 ('product 2', '+2 on page_view where path like ''/p/2%'' topic product half-life 14 days'),
 ('whitepaper', '+10 on form_submit where form like ''whitepaper%'' topic docs half-life 30 days'),
 ('contact form', '+20 on form_submit where form like ''contact%'' topic pricing half-life 30 days'),
 ('subscribes', '+5 on form_submit where form like ''newsletter%'' topic newsletter half-life 30 days'),
 ('opens t1', '+1 on email_open where template like ''t1%'' topic pricing half-life 14 days'),
 ('clicks t1', '+3 on email_click where template like ''t1%'' topic pricing half-life 14 days'),
 ('pricing page 4', '+5 on page_view where path like ''/pricing/4%'' topic value half-life 14 days'),
 ('downloads t2', '+3 on download where template like ''t2%'' topic docs half-life 30 days');
INSERT INTO nurture.segment (name, condition) VALUES
 ('hot lead', 'score >= 50 and score(pricing) >= 20 and not did purchase'),
 ('pricing researcher', 'count(page_view where path like ''/pricing/%'' within 7 days) >= 3'),
 ('reader', 'count(email_open within 14 days) >= 2'),
 ('gone quiet', 'did login and not did login within 30 days'),
 ('big spender', 'sum(amount of purchase within 30 days) >= 150'),
 ('browser', 'distinct(path of page_view within 1 day) >= 3'),
 ('customer', 'did purchase'),
 ('newsletter fan', 'score(newsletter) >= 10'),
 ('valuable', 'score(value) >= 60'),
 ('evaluator', 'score(docs) >= 10 and score(pricing) >= 10');
INSERT INTO nurture.workflow (name, definition) VALUES
 ('whitepaper', 'on form_submit where form = ''whitepaper'' wait 1 hour send email ''whitepaper1'' as transactional wait 1 day
                 if not did purchase then send email ''whitepaper2'' as transactional end'),
 ('thanks', 'on purchase wait 1 day send email ''thanks1'' as transactional'),
 ('sales', 'on entering segment ''hot lead'' wait 10 minutes do ''task''');
