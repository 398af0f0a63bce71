#!/bin/sh
# Fuzzes the parsers and the profile's decoder with libFuzzer: scripts/fuzz.sh [seconds for each].
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
mkdir -p build/fuzz
core="$(ls src/core/base/*.cpp src/core/language/*.cpp)"
engine="$core $(ls src/core/model/*.cpp src/core/profile/*.cpp src/core/step/*.cpp)"
flags="-std=gnu++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -ffp-contract=off -Isrc"
build() { # name, sources: again only when something has changed
    name=$1; shift
    if [ ! -x "build/fuzz/$name" ] || [ -n "$(find src/core "test/fuzz/$name.cpp" -newer "build/fuzz/$name" -type f | head -1)" ]; then
        ${CLANGXX:-clang++} $flags "test/fuzz/$name.cpp" "$@" -o "build/fuzz/$name" -ldate-tz -lre2 -licuuc
    fi
}
build parsers_fuzz $core
build profile_fuzz $engine
for name in parsers_fuzz profile_fuzz; do
    mkdir -p "build/fuzz/$name.corpus"
    seeds=build/fuzz/$name.corpus
    [ "$name" = parsers_fuzz ] && seeds="$seeds test/fuzz/corpus"
    "build/fuzz/$name" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 $seeds
done
