#!/bin/bash
# Runs the examples of documents: every ```sql block, in order, each document in a fresh database of the running server
# (PGHOST, PGPORT, PGUSER), in one session per document.
#   doc_examples.sh [--update] README.md docs/tutorial.md …
# A block must not fail, unless one of its lines is a comment that begins with "-- ERROR:"; then it must fail with that.
# A ```text block right behind a ```sql block is its output and must be the same (--update puts the real one there).
# Where times and the like vary, write the output as ```console: it is updated, but not compared.
# What a document needs before, and what its reader need not see, is a block that begins with <!--sql and ends with -->.
# A block that is to be read only, such as one for a server's configuration, is another kind of block (```ini, ```sh).
set -u
update=false
if [ "${1:-}" = --update ]; then
    update=true
    shift
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/nurture_docs.XXXXXX")
trap 'rm -rf "$work" "$work.roles"' EXIT
passed=0 failed=0
psql_quiet() { PSQLRC=/dev/null PAGER= psql -X -q -v ON_ERROR_STOP=1 "$@"; }

for document; do
    database=nurture_docs
    # Roles belong to the server: those that a document makes go with it.
    psql_quiet -d postgres -A -t -c "SELECT rolname FROM pg_roles ORDER BY 1" >"$work.roles"
    psql_quiet -d postgres -c "SET client_min_messages = error" -c "DROP DATABASE IF EXISTS $database" -c "CREATE DATABASE $database" || exit 1
    rm -f "$work"/*
    awk -v work="$work" '
        /^```sql *$/  { n++; kind = "sql"; file = sprintf("%s/%03d.sql", work, n); printf "" > file; print FNR > (file ".line"); next }
        /^<!--sql *$/ { n++; kind = "hidden"; file = sprintf("%s/%03d.sql", work, n); printf "" > file; print FNR > (file ".line"); next }
        kind == "hidden" && /^-->/ { close(file); kind = ""; next }
        /^```(text|console) *$/ && open_for_output { kind = "out"; file = sprintf("%s/%03d.%s", work, n, substr($1, 4)); printf "" > file; next }
        /^```/        { if (kind) { open_for_output = (kind == "sql"); close(file); kind = "" } else { open_for_output = 0; kind = "other"; file = "/dev/null" } next }
        kind          { print > file; next }
        /[^ \t]/      { open_for_output = 0 }
    ' "$document"
    # One session, so that SET and the like hold: each block is announced by a line of its own in the output.
    for block in "$work"/[0-9]*.sql; do
        [ -e "$block" ] || continue
        number=$(basename "$block" .sql)
        echo "\\o $work/$number.got"
        echo "\\i $block"
        echo "\\o"
        echo "\\warn @$number@"
    done >"$work/all"
    [ -s "$work/all" ] || continue
    (cd "$work" && PSQLRC=/dev/null PAGER= psql -X -q -d "$database" -v VERBOSITY=terse -f all 2>"$work/messages" </dev/null)
    for block in "$work"/[0-9]*.sql; do
        number=$(basename "$block" .sql)
        name="$document line $(cat "$block.line")"
        # What the block said on standard error: between the mark of the one before and its own.
        previous=$(printf '%03d' $((10#$number - 1)))
        awk -v from="@$previous@" -v to="@$number@" 'BEGIN { on = from == "@000@" } $0 == to { exit } on { print } $0 == from { on = 1 }' \
            "$work/messages" | sed 's/^psql:[^ ]*: //' >"$work/$number.err"
        problem=
        expected_error=$(sed -n 's/^-- \(ERROR: .*\)/\1/p' "$block" | tr -s ' ' | head -n 1)
        if [ -n "$expected_error" ]; then
            tr -s ' ' <"$work/$number.err" | grep -qF -- "$expected_error" || problem="expected $expected_error"
        elif grep -qE '^(ERROR|FATAL|PANIC)|connection to server was lost|^\\\\|invalid command' "$work/$number.err"; then
            problem="unexpected error"
        elif ! grep -qxF "@$number@" "$work/messages"; then
            problem="was not reached"
        fi
        # What psql prints behind the last row of a block is of no interest.
        for kind in text console; do
            [ -e "$work/$number.$kind" ] || continue
            { sed 's/[ \t]*$//' "$work/$number.got" 2>/dev/null; sed 's/[ \t]*$//' "$work/$number.err"; } | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' >"$work/$number.real"
            sed 's/[ \t]*$//' "$work/$number.$kind" >"$work/$number.written"
            if [ $kind = text ] && ! $update && ! diff "$work/$number.written" "$work/$number.real" >"$work/$number.diff"; then
                problem=${problem:-"the output is another"}
            fi
        done
        if [ -n "$problem" ]; then
            echo "not ok $name: $problem"
            cat "$work/$number.err"
            [ ! -s "$work/$number.diff" ] || cat "$work/$number.diff"
            failed=$((failed + 1))
        else
            echo "ok $name"
            passed=$((passed + 1))
        fi
    done
    if $update; then
        awk -v work="$work" '
            /^```sql *$/ { n++; kind = "sql"; print; next }
            /^<!--sql *$/ { n++; kind = "hidden"; print; next }
            kind == "hidden" { if (/^-->/) kind = ""; print; next }
            /^```(text|console) *$/ && open_for_output {
                print
                file = sprintf("%s/%03d.real", work, n)
                while ((getline line < file) > 0) print line
                kind = "out"; next
            }
            /^```/ { open_for_output = (kind == "sql"); kind = kind ? "" : "other"; print; next }
            kind == "out" { next }
            !kind && /[^ \t]/ { open_for_output = 0 }
            { print }
        ' "$document" >"$work/document" && cat "$work/document" >"$document"
    fi
    psql_quiet -d postgres -c "DROP DATABASE $database WITH (FORCE)"
    psql_quiet -d postgres -A -t -c "SELECT rolname FROM pg_roles ORDER BY 1" | grep -vxF -f "$work.roles" | while read -r role; do
        psql_quiet -d postgres -c "DROP ROLE \"$role\""
    done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
