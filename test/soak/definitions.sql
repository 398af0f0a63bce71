CREATE EXTENSION nurture;
INSERT INTO nurture.rule (name, definition) VALUES
    ('views', '+5 on v topic pricing half-life 1 hour'), ('buys', '+0.1 per amount on buy topic value'), ('few', '-3 on buy at most 2 per hour');
INSERT INTO nurture.segment (name, condition) VALUES
    ('warm', 'score >= 12'), ('busy', 'count(v within 10 seconds) >= 3'), ('pro', 'plan = ''pro'' and not in segment ''busy'''), ('b', 'x = ''b''');
INSERT INTO nurture.workflow (name, definition) VALUES
    ('busy', 'on entering segment ''busy'' re-enter after 5 seconds wait 1 second send email ''busy'' as transactional
        wait for buy up to 3 seconds then send email ''thanks'' as transactional else set gone = ''yes'' send push ''come back'' as transactional end'),
    ('go', 'on go exit on buy re-enter always wait for in segment ''warm'' up to 2 seconds send email ''warm'' wait 1 second send email ''end'''),
    ('round', 'on round on entering segment ''b'' re-enter always set x = ''a'' set x = ''b''');
-- What was told, in the transactions that told it; who claimed what until when, and gave what back.
CREATE TABLE told (rows bigint);
CREATE TABLE claims (action uuid, receipt uuid, claimed timestamptz, leased_until timestamptz, by text);
CREATE TABLE given_back (receipt uuid, what text);
