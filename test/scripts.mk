# What a visitor types: these install what a fresh Debian lacks, and work in a throw-away cluster.

.PHONY: demo
demo:
	scripts/demo.sh

.PHONY: example-online-retail
example-online-retail:
	examples/online_retail/run.sh

.PHONY: check
check:
	scripts/check.sh
