# How each kind of test is built and run in the copy ($tree); sourced by run.sh.
#   unit, simulation   SUITE.NAME of GoogleTest: the core, and the one program that holds the test
#   regress            a file of sql/
#   isolation          a spec of test/isolation
#   tap                a file of test/tap

# The core is that of the extension, object by object; beside it one program holds the tests of one file.
build_core_test() { # the file that holds TEST(Suite, Name)
    local file objects
    file=$(cd "$tree" && grep -lE "TEST\(${1%.*}, ${1#*.}\)" test/unit/*.cpp test/simulation/*.cpp 2>/dev/null | head -n 1)
    [ -n "$file" ] || { echo "no file has the test $1"; return 1; }
    program=$scratch/$(basename "$file" .cpp)
    objects=$(cd "$tree" && ls src/core/*/*.cpp | sed 's/cpp$/o/')
    # shellcheck disable=SC2086
    make -s -C "$tree" -j"$jobs" CXX="$(compiler)" PG_CONFIG="$built_with" $objects || return
    (
        cd "$tree" || exit
        parts=
        for source in "$file" $([ "${file#test/simulation}" = "$file" ] || ls test/simulation/*.cpp | grep -v '_test\.cpp$'); do
            $(compiler) -std=gnu++20 -O1 -ffp-contract=off -Isrc -c "$source" -o "$scratch/$(basename "$source" .cpp).o" || exit
            parts="$parts $scratch/$(basename "$source" .cpp).o"
        done
        # shellcheck disable=SC2086
        g++ -o "$program" $parts $objects -ldate-tz -lre2 -licuuc -lrapidcheck -lgtest -lgtest_main -lpthread
    )
}

# A copy of the server's files, laid out as they were: it finds its own by their relative place.
copy_server() {
    [ ! -e "$scratch/pg/done" ] || return 0
    local dir
    for dir in --bindir --pkglibdir --sharedir; do
        dir=$("$PG_CONFIG" $dir)
        mkdir -p "$scratch/pg$dir" && cp -a "$dir/." "$scratch/pg$dir/" || return
    done
    touch "$scratch/pg/done"
}

provide_server() {
    [ -z "$cluster_dir" ] || return 0
    copy_server || return
    PG_CONFIG=$scratch/pg$("$built_with" --bindir)/pg_config
    PATH=$(dirname "$PG_CONFIG"):$PATH
    export PG_CONFIG PATH
    start_cluster max_prepared_transactions=10
}

build_and_install() {
    provide_server || return
    make -s -C "$tree" -j"$jobs" CXX="$(compiler)" PG_CONFIG="$built_with" &&
        make -s -C "$tree" CXX="$(compiler)" PG_CONFIG="$PG_CONFIG" install || return
    [ -z "$cluster_user" ] || chown -R "$cluster_user" "$tree"
}

prepare() {
    case $1 in
    unit | simulation) build_core_test "$2" ;;
    regress | isolation | tap) build_and_install ;;
    *) echo "no such kind of test: $1"; return 1 ;;
    esac
}

# One that hangs has noticed, too.
run_test() {
    local limit=${LIMIT:-300}
    case $1 in
    unit | simulation)
        timeout "$limit" "$program" --gtest_color=no --gtest_filter="$2" >"$scratch/output" 2>&1
        local status=$?
        tail -n 40 "$scratch/output"
        grep -q '1 test from 1 test suite ran' "$scratch/output" || [ $status -ge 124 ] || { echo "the test did not run"; return 0; }
        return $status
        ;;
    regress)
        as_cluster_user timeout "$limit" make -s -C "$tree" PG_CONFIG="$PG_CONFIG" REGRESS="$2" installcheck
        local status=$?
        [ $status -eq 0 ] || head -n 60 "$tree/regression.diffs"
        return $status
        ;;
    isolation)
        as_cluster_user env PGISOLATIONTIMEOUT=30 timeout "$limit" "$tree/scripts/isolation.sh" "$2"
        local status=$?
        [ $status -eq 0 ] || head -n 60 "$tree/test/isolation/output_iso/regression.diffs"
        return $status
        ;;
    tap) (cd "$tree" && timeout "$limit" scripts/prove.sh "$2") ;;
    esac
}
