# Targets beyond build and install: tests, demo, benchmarks. Each is a script that can be run by hand.

.PHONY: unit
unit:
	cmake -S . -B build/cmake -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
	cmake --build build/cmake -j2
	ctest --test-dir build/cmake --output-on-failure

.PHONY: tap
tap:
	PG_CONFIG=$(PG_CONFIG) scripts/prove.sh
