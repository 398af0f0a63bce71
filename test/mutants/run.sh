#!/bin/bash
# Breaks our own code on purpose, one mutant at a time, and runs the one test that is to notice.
#   make mutants                      all of them
#   test/mutants/run.sh NAME …        only these
# Everything happens in copies: of the sources, and of the server that PG_CONFIG names. MUTANTS_DIR keeps them for the
# next run. The last line is "N passed, N failed"; a survivor, and a mutant that no longer applies, is a failure.
set -u
cd "$(dirname "$0")/../.."
. scripts/cluster.sh
. test/mutants/suites.sh
export PSQLRC=/dev/null PAGER= LC_ALL=C.UTF-8

find_pg_config || exit 1
built_with=$PG_CONFIG
scratch=${MUTANTS_DIR:-$(mktemp -d /tmp/nurture_mutants.XXXXXX)}
mkdir -p "$scratch" && chmod 755 "$scratch" || exit 1
tree=$scratch/tree log=$scratch/log
finish() { stop_cluster; [ -n "${MUTANTS_DIR:-}" ] || rm -rf "$scratch"; }
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM
perl test/mutants/copy.pl . "$tree" || exit 1

[ $# -gt 0 ] || set -- $(cd test/mutants && ls -- *.mutant | sed 's/\.mutant$//')
passed=0 failed=0
declare -A sound # of a test, without any mutant: whether it passes

verdict() { # name, word, test, seconds
    printf '%-9s %-42s %s (%d s)\n' "$2" "$1" "$3" "$4"
    if [ "$2" = killed ]; then passed=$((passed + 1)); else failed=$((failed + 1)); tail -n "${TAIL:-15}" "$log" | sed 's/^/    /'; fi
}

for name; do
    began=$SECONDS mutant=test/mutants/$name.mutant
    read -r suite test < <(sed -n 's/^caught: *//p' "$mutant" 2>/dev/null)
    if [ -z "${test:-}" ]; then
        echo "no such mutant, or it names no test" >"$log"
        verdict "$name" MISSING "-" 0
        continue
    fi
    if [ -z "${sound[$suite $test]:-}" ]; then
        prepare "$suite" "$test" >"$log" 2>&1 && run_test "$suite" "$test" >>"$log" 2>&1
        sound[$suite $test]=$?
        began=$SECONDS
    fi
    if [ "${sound[$suite $test]}" -ne 0 ]; then
        verdict "$name" UNSOUND "$suite $test fails without the mutant" 0
        continue
    fi
    perl test/mutants/apply.pl "$mutant" "$tree" >"$log" 2>&1
    case $? in
    0)
        if ! prepare "$suite" "$test" >"$log" 2>&1; then
            word=UNBUILT
        elif run_test "$suite" "$test" >"$log" 2>&1; then
            word=SURVIVED
        else
            word=killed
        fi
        ;;
    *) word=STALE ;;
    esac
    verdict "$name" "$word" "$suite $test" $((SECONDS - began))
    perl test/mutants/copy.pl . "$tree" || exit 1
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
