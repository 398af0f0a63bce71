-- What a site that publishes articles and software might want to know of its visitors, and do about it. Change the paths
-- to your own; every row takes effect with the next tick.

INSERT INTO nurture.rule (name, definition, description) VALUES
('reads a page', $$
    +1 on page_view where status = 200 and not crawler and not asset topic reading half-life 2 days at most 20 per day
$$, 'any page, but not what the page brings with it'),
('reads an article', $$
    +3 on page_view where (path like '/blog/%' or path like '/articles/%' or path like '/presentations/%')
        and path not like '/blog/tags/%' and status = 200 and not crawler and not asset
        topic reading half-life 2 days at most 10 per day
$$, NULL),
('looks at a project', $$
    +3 on page_view where path like '/projects/%' and status = 200 and not crawler and not asset
        topic product half-life 3 days at most 5 per day
$$, NULL),
('downloads', $$
    +8 on page_view where (path like '%.pdf' or path like '%.zip' or path like '%.gz' or path like '%.jar' or path like '%.deb')
        and status in (200, 206) and not crawler topic product half-life 3 days at most 3 per day
$$, NULL),
('comes from a search', $$
    +2 on page_view where (referrer like '%//www.google.%' or referrer like '%//www.bing.%' or referrer like '%duckduckgo.%'
        or referrer like '%search.yahoo.%') and not crawler topic reading half-life 2 days at most 5 per day
$$, NULL),
('comes back', $$
    +5 on page_view where not crawler and not asset topic loyalty half-life 7 days at most 1 per day
$$, 'once a day: the second day makes a returning visitor'),
('finds nothing', $$
    -2 on page_view where status = 404 and not crawler at most 5 per day
$$, NULL),
('looks for holes', $$
    -50 on page_view where path like '%wp-login%' or path like '%phpmyadmin%' or path like '%/etc/passwd%' at most 1 in total
$$, NULL);

INSERT INTO nurture.segment (name, condition, description) VALUES
('crawler', 'did page_view where crawler', 'machines; no rule counts them'),
('engaged reader', 'score(reading) >= 15', 'while the interest lasts: points halve every two days'),
('returning visitor', 'score(loyalty) > 5', 'came on more than one day'),
('product interest', 'score(product) >= 8', NULL),
('in a hurry', 'count(page_view where not crawler and not asset within 10 minutes) >= 10', 'ten pages in ten minutes'),
('gone quiet', '(did page_view where not crawler and not asset) and not (did page_view where not crawler and not asset within 2 days)',
 'readers who have not come for two days');

-- A visitor of a web page has no address to write to: what is to be done is shown on the page, or told to the author.
INSERT INTO nurture.workflow (name, definition, description) VALUES
('newsletter offer', $$
    on entering segment 'engaged reader'
    re-enter after 7 days
    exit when in segment 'crawler'
    do 'banner' with (offer = 'newsletter')
    wait for page_view where path like '/about%' or path like '/contact%' or path like '/resume%' or path like '/files/%' up to 1 day then
        do 'tell author' with (why = 'an engaged reader wants to know more')
    else
        do 'banner' with (offer = 'most read articles')
    end
$$, 'offers the newsletter to who reads a lot');
