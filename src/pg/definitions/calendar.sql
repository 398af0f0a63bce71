-- What the calendar is to conditions over dates: holidays by calendar, and where weeks and leap days fall.

CREATE TABLE nurture.holiday (
    calendar text COLLATE "C" NOT NULL DEFAULT 'default' CHECK (calendar <> '' AND octet_length(calendar) <= 512),
    day date NOT NULL CHECK (isfinite(day)),
    name text,
    PRIMARY KEY (calendar, day)
);
COMMENT ON TABLE nurture.holiday IS 'holidays: days that are no business days, by calendar';
COMMENT ON COLUMN nurture.holiday.calendar IS 'as in: now is business day of ''DE''; without "of" the calendar is default';
REVOKE ALL ON TABLE nurture.holiday FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.holiday', '');

-- As core/model/source.hpp reads it: days since 2000-01-01.
CREATE FUNCTION nurture._calendar_source() RETURNS json
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT json_build_object(
    'week_start', array_position(ARRAY['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'],
                                 current_setting('nurture.week_start')) - 1,
    'leap_day_in_march', current_setting('nurture.leap_day_in_march')::boolean,
    'holidays', (SELECT coalesce(json_object_agg(c.calendar, c.days ORDER BY c.calendar), '{}')
                 FROM (SELECT h.calendar, json_agg(h.day - date '2000-01-01' ORDER BY h.day) AS days
                       FROM nurture.holiday h GROUP BY h.calendar) c))
$$;
COMMENT ON FUNCTION nurture._calendar_source() IS 'the calendar as a part of a model''s source';
REVOKE ALL ON FUNCTION nurture._calendar_source() FROM PUBLIC;
