#!/bin/sh
# Keeps what a version leaves behind, for the tests of later ones: test/tap/upgrade/VERSION/.
#   PG_CONFIG=/path/to/pg_config scripts/release_golden.sh VERSION      with that version installed there
set -eu
cd "$(dirname "$0")/.."
. scripts/cluster.sh
version=$1
kept=test/tap/upgrade/$version
find_pg_config
remove_at_exit
start_cluster
mkdir -p "$kept"
psql="psql -XqAt -v ON_ERROR_STOP=1 -d postgres"
$psql -c "CREATE EXTENSION nurture VERSION '$version'" -f test/tap/upgrade/fill.sql >/dev/null
pg_dump --no-owner -d postgres | grep -Ev '^(-- Dumped |\\(un)?restrict )' >"$kept/dump.sql"
$psql -F "$(printf '\t')" -c "SELECT contact, state, encode(nurture._profile_send(state), 'hex') FROM nurture.contact ORDER BY 1" >"$kept/profile.tsv"
$psql -F "$(printf '\t')" -c "SELECT id, model, encode(nurture._compiled_model_send(model), 'hex') FROM nurture.model ORDER BY 1" >"$kept/model.tsv"
$psql -f test/tap/upgrade/outcome.sql >"$kept/before.txt"
$psql -f test/tap/upgrade/further.sql >/dev/null
$psql -f test/tap/upgrade/outcome.sql >"$kept/after.txt"
$psql -c 'SELECT * FROM nurture.verify(path => true) ORDER BY 1, 2' >"$kept/verify.txt"
wc -l "$kept"/*
