#!/bin/sh
# Loads a web server's access logs into nurture.inbox, one page_view per line, oldest first.
#   load_log.sh access.log [access.log.1 access.log.2.gz …]     the database is that of PGHOST, PGDATABASE, …
# A contact is an address with a short hash of the browser: what a log knows of a visitor. received_at = at, so that a
# past is lived through as if the engine had been there; LIVE=1 leaves received_at to the default instead.
# Lines that are not in the combined (or common) log format are told with their number and skipped.
set -eu
[ $# -gt 0 ] || { echo "usage: load_log.sh access.log …" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
for file; do
    [ -r "$file" ] || { echo "load_log.sh: cannot read $file" >&2; exit 1; }
done

split_logs() {
    for file; do
        # NULs, which no text can hold, and the bytes that separate fields here.
        gzip -cdf -- "$file" | LC_ALL=C tr -d '\000-\010\015' | LC_ALL=C awk -v file="${file##*/}" -f "$here/split_log.awk" ||
            echo "load_log.sh: splitting $file failed" # which is no line that COPY takes
    done
}

# The program's words come from a file and the log from standard input, so that nothing in a log is ever a command.
split_logs "$@" | psql -X -q -v ON_ERROR_STOP=1 -v live="${LIVE:-0}" -f "$here/load_log.sql"
