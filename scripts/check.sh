#!/bin/bash
# Everything that is tested, from a clean clone: sets up, builds, runs every suite, counts every test.
#   make check            logs are in build/check/, the last line is "N passed, N failed"
# SUITES="unit regress" runs only these. The suite `sanitized` (the core's tests under AddressSanitizer and
# UndefinedBehaviorSanitizer) takes as long to compile as all the others: it runs only when it is named (make sanitized).
set -u
cd "$(dirname "$0")/.."
. scripts/cluster.sh
export PSQLRC=/dev/null PAGER= LC_ALL=C.UTF-8
logs=$PWD/build/check
mkdir -p "$logs"
scripts/setup.sh || exit 1
find_pg_config || exit 1

all_passed=0
all_failed=0
stage=
finish() { stop_cluster; [ -z "$stage" ] || rm -rf "$stage"; }
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# suite NAME FUNCTION: the function writes a log and sets passed and failed.
suite() {
    local name=$1 began=$SECONDS status=0
    [ -z "${SUITES:-}" ] || [[ " $SUITES " == *" $name "* ]] || return 0
    passed=0 failed=0 log=$logs/$name.log
    "$2" >"$log" 2>&1 </dev/null || status=$?
    count "$name"
    # What broke off, or ran nothing, has not passed.
    if [ $status -ne 0 ] && [ "$failed" -eq 0 ] || [ $((passed + failed)) -eq 0 ]; then
        failed=$((failed + 1))
    fi
    printf '%-12s %5d passed  %3d failed  %4d s\n' "$name" "$passed" "$failed" $((SECONDS - began))
    if [ "$failed" -gt 0 ]; then
        show_failure "$name"
    fi
    all_passed=$((all_passed + passed))
    all_failed=$((all_failed + failed))
}

lines() { grep -cE -- "$1" "$log"; }

count() {
    case $1 in
    unit | sanitized)
        passed=$(lines '^\[       OK \] ')
        failed=$(grep -E '^\[  FAILED  \] [^ ]+ \([0-9]+ ms\)' "$log" | wc -l)
        ;;
    regress | isolation) # up to 15 and from 16 on
        passed=$(lines '^(test [^ ]+ +\.\.\. ok|ok [0-9]+ )')
        failed=$(lines '^(test [^ ]+ +\.\.\. FAILED|not ok [0-9]+ )')
        ;;
    tap)
        passed=$(sed -n 's/^Files=[0-9]*, Tests=\([0-9]*\).*/\1/p' "$log" | tail -n 1)
        failed=$(sed -n 's/.*Failed \([0-9]*\)\/[0-9]* subtests.*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
        passed=$((${passed:-0} - failed))
        ;;
    *)
        passed=$(lines '^ok ')
        failed=$(lines '^not ok ')
        ;;
    esac
}

show_failure() {
    echo "---- from build/check/$1.log"
    case $1 in
    unit | sanitized)
        grep -nE -B 25 '^\[  FAILED  \] .* ms\)|ERROR: AddressSanitizer|runtime error|: error:' "$log" | tail -n 60
        ;;
    regress | isolation)
        grep -E 'FAILED|^not ok|rror|^diff|No such' "$log" | head -n 20
        [ ! -s "$logs/$1.diffs" ] || head -n 60 "$logs/$1.diffs"
        ;;
    docs | examples | build) grep -A 25 -E '^not ok|rror|warning:' "$log" | head -n 60 ;;
    *) tail -n 40 "$log" ;;
    esac
    [ -s "$log" ] || echo "(nothing was written)"
    echo "----"
}

# The core without a server, with the extension's objects where they have been built. A sanitized run tries fewer random cases, since each takes ten times as long.
core_tests() {
    local where=$logs/$1 status=0
    shift
    # Lightly optimised and with line numbers only: compiling takes most of the time.
    cmake -S . -B "$where" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" "$@" \
        $(command -v ccache >/dev/null && echo -DCMAKE_CXX_COMPILER_LAUNCHER=ccache) || return
    nice cmake --build "$where" -j"$jobs" --target unit_tests simulation || return
    for program in unit_tests simulation; do
        [ ! -x "$where/$program" ] || "$where/$program" --gtest_color=no || status=1
    done
    return $status
}
unit() {
    local objects=$logs/source/src/core
    [ -f "$objects/base/hash.o" ] || objects=
    core_tests unit -DCORE_OBJECTS="$objects"
}
sanitized() {
    export RC_PARAMS="max_success=${SANITIZED_CASES:-20}"
    export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
    core_tests sanitized -DSANITIZE=ON
}

# The extension, from a copy without anything built before, so that every warning is seen.
build() {
    rm -rf "$logs/source"
    mkdir -p "$logs/source"
    tar -cf - --exclude=./build --exclude=./.git --exclude='*.o' --exclude='*.d' --exclude='*.so' --exclude='./nurture--*.sql' . |
        tar -xf - -C "$logs/source" || return
    build_extension "$logs/make.log" "$logs/source" || { cat "$logs/make.log"; echo "not ok the extension builds"; return 1; }
    echo "ok the extension builds"
    if grep -E 'warning:' "$logs/make.log"; then
        echo "not ok it builds without warnings"
    else
        echo "ok it builds without warnings"
    fi
    local others
    others=$(nm -D --defined-only "$logs/source/nurture.so" | awk '$3 !~ /^(Pg_magic_func|_PG_init|(pg_finfo_)?nurture_.*)$/')
    if [ -n "$others" ]; then
        echo "not ok it exports only what the server calls"
        echo "$others"
    else
        echo "ok it exports only what the server calls"
    fi
    # What a comment or a privilege is missing for is found in the catalogue, by the regression tests.
    if install_extension "$logs/make.log" "$logs/source"; then echo "ok it installs"; else tail "$logs/make.log"; echo "not ok it installs"; fi
}

# A copy of the sources that the user of the cluster owns, and a cluster; once, for all suites that need them.
provide_cluster() {
    [ -z "$cluster_dir" ] || return 0
    stage=$(mktemp -d /tmp/nurture_check.XXXXXX)
    tar -cf - --exclude=./build --exclude=./.git --exclude='*.o' --exclude='*.d' --exclude='*.so' . | tar -xf - -C "$stage"
    [ -z "$cluster_user" ] || chown -R "$cluster_user" "$stage"
    start_cluster max_prepared_transactions=10
}

regress() {
    local status=0
    provide_cluster || return
    as_cluster_user make -C "$stage" PG_CONFIG="$PG_CONFIG" installcheck || status=$?
    cp "$stage/regression.diffs" "$logs/regress.diffs" 2>/dev/null || rm -f "$logs/regress.diffs"
    return $status
}
isolation() {
    local status=0
    provide_cluster || return
    as_cluster_user "$stage/scripts/isolation.sh" || status=$?
    cp "$stage/test/isolation/output_iso/regression.diffs" "$logs/isolation.diffs" 2>/dev/null || rm -f "$logs/isolation.diffs"
    return $status
}
tap() {
    rm -rf "$logs/tap_check"
    KEEP_LOGS=$logs/tap_check scripts/prove.sh
}
docs() {
    provide_cluster && scripts/doc_examples.sh README.md $(ls docs/*.md | grep -vx docs/vocabulary.md)
}

# What marketers expect to be able to say, a row each.
vocabulary() {
    provide_cluster && as_cluster_user "$stage/scripts/vocabulary.pl" "$stage/docs/vocabulary.md"
}

# What a visitor runs: the parser of logs against lines of every kind, and the demonstration itself.
examples() {
    local status=0
    examples/web_log/test.sh || status=1
    if LOG=$logs/generated.log && examples/web_log/generate_log.sh 3000 >"$LOG" && LOG=$LOG scripts/demo.sh; then
        echo "ok the demonstration runs"
    else
        echo "not ok the demonstration runs"
    fi
    return $status
}

suite build build
# Compiling the unit tests takes long: the server's suites, which mostly wait, go on meanwhile.
(
    trap - EXIT
    all_passed=0 all_failed=0
    suite unit unit
    echo "$all_passed $all_failed" >"$logs/unit.counts"
) >"$logs/unit.shown" 2>&1 &
core=$!
suite regress regress
suite isolation isolation
suite docs docs
suite vocabulary vocabulary
suite examples examples
suite tap tap
wait "$core"
cat "$logs/unit.shown"
read -r core_passed core_failed <"$logs/unit.counts" || { core_passed=0 core_failed=1; }
all_passed=$((all_passed + core_passed))
all_failed=$((all_failed + core_failed))
[[ " ${SUITES:-} " != *" sanitized "* ]] || suite sanitized sanitized

[ ! -s "$logs/vocabulary.log" ] || grep '^vocabulary: ' "$logs/vocabulary.log"
echo "$all_passed passed, $all_failed failed"
[ "$all_failed" -eq 0 ]
