-- What people came to, in columns that every version has: memberships, their changes, actions.
SET timezone = 'UTC';
SELECT 'member of ' || segment || ': ' || contact || ' since ' || since || ' by ' || coalesce(cause, '-') FROM nurture.membership
UNION ALL
SELECT 'path of ' || contact || ' ' || to_char(row_number() OVER (PARTITION BY contact ORDER BY tick, n), '000') || ': '
    || concat_ws(' ', at, kind, name, version, step, cause) FROM nurture.transition
UNION ALL
SELECT 'action ' || id || ': ' || concat_ws(' ', contact, channel, template, payload, status, expires, workflow, version, step) FROM nurture.action
ORDER BY 1;
