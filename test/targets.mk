# Targets beyond build and install: tests, demo, benchmarks. Each is a script that can be run by hand.

.PHONY: unit
unit:
	cmake -S . -B build/cmake -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
	cmake --build build/cmake -j2
	ctest --test-dir build/cmake --output-on-failure

.PHONY: tap
tap:
	PG_CONFIG=$(PG_CONFIG) scripts/prove.sh

# Against the running server of PGHOST and PGPORT, after `make install`.
.PHONY: isolation
isolation:
	PG_CONFIG='$(PG_CONFIG)' scripts/isolation.sh

.PHONY: bench-outbox
bench-outbox:
	PG_CONFIG='$(PG_CONFIG)' test/bench/outbox/run.sh

# What guards cost a claim.
.PHONY: bench-claim
bench-claim:
	PG_CONFIG='$(PG_CONFIG)' test/bench/claim.sh

# The core's tests under AddressSanitizer and UndefinedBehaviorSanitizer.
.PHONY: sanitized
sanitized:
	SUITES=sanitized PG_CONFIG='$(PG_CONFIG)' scripts/check.sh

# Against the same function written by hand; BENCH=full for 5 million events.
.PHONY: bench
bench:
	PG_CONFIG='$(PG_CONFIG)' BENCH='$(BENCH)' test/bench/run.sh

# What grows with size and what must not; backfills against hand-written SQL.
.PHONY: bench-scale bench-backfill bench-segments bench-identity bench-journeys
# Journeys asleep and waking up, beside the same by hand; SCALE=50000 for a small run.
bench-journeys:
	PG_CONFIG='$(PG_CONFIG)' SCALE='$(SCALE)' test/bench/journeys.sh
bench-identity:
	PG_CONFIG='$(PG_CONFIG)' test/bench/identity.sh
bench-segments:
	PG_CONFIG='$(PG_CONFIG)' test/bench/segments.sh
bench-scale:
	PG_CONFIG='$(PG_CONFIG)' BENCH='$(BENCH)' test/bench/scale.sh
bench-backfill:
	PG_CONFIG='$(PG_CONFIG)' test/bench/backfill.sh

# The analytics aggregates against the best SQL by hand; BENCH=full for 5 million events and a million paths.
.PHONY: bench-analytics
bench-analytics:
	PG_CONFIG='$(PG_CONFIG)' BENCH='$(BENCH)' test/bench/analytics.sh

# Breaks our own code on purpose and sees that tests notice; see test/mutants/README.md.
.PHONY: mutants
mutants:
	PG_CONFIG='$(PG_CONFIG)' test/mutants/run.sh

# Everything at once for MINUTES, with crashes; then everything must add up.
.PHONY: soak
soak:
	PG_CONFIG='$(PG_CONFIG)' MINUTES='$(MINUTES)' test/soak/run.sh

# The parsers and the profile's decoder, with clang's libFuzzer: `make fuzz SECONDS=60` for each.
.PHONY: fuzz
fuzz:
	scripts/fuzz.sh $(or $(SECONDS),60)
