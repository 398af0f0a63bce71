# pg_nurture. `make` builds the extension, `make install` installs it.
# `make demo` and `make check` also install what a fresh Debian 12 lacks; see README.md.

EXTENSION    = nurture
EXTVERSION   = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" nurture.control)

# Sources are found by folder, the SQL modules in the order of src/pg/install.order; CMake reads the same two.
CORE_SOURCES = $(sort $(wildcard src/core/*/*.cpp))
GLUE_SOURCES = $(sort $(wildcard src/pg/*/*.cpp))
SQL_MODULES  = $(addprefix src/pg/,$(shell cat src/pg/install.order))

MODULE_big   = $(EXTENSION)
OBJS         = $(CORE_SOURCES:.cpp=.o) $(GLUE_SOURCES:.cpp=.o)
# upgrade/ keeps what was released: install scripts, and the update scripts between them. The script from the newest of
# them to what is being worked on is made of both install scripts and of what is written by hand.
RELEASED     = 0.1
UPDATE       = $(EXTENSION)--$(RELEASED)--$(EXTVERSION).sql
DATA_built   = $(EXTENSION)--$(EXTVERSION).sql $(UPDATE)
DATA         = $(wildcard upgrade/$(EXTENSION)--*.sql)
EXTRA_CLEAN  = $(OBJS:.o=.d) build results tmp_check output_iso regression.diffs regression.out

REGRESS      = $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
REGRESS_OPTS = --load-extension=nurture

PG_CONFIG   ?= pg_config
PG_CPPFLAGS  = -Isrc -MMD -MP
PG_CXXFLAGS  = -std=c++20 -Wall -Wextra -Wshadow -Wno-register -Wno-missing-field-initializers \
               -fvisibility=hidden -fvisibility-inlines-hidden -ffp-contract=off
SHLIB_LINK   = -Wl,--version-script=src/pg/exports.map -lstdc++ -ldate-tz -lre2

# The bitcode of C++ buys nothing (JIT inlines none of it) and doubles the build.
override with_llvm = no

# What a visitor types first needs no server yet (it is installed on the way), and PGXS has a `check` of its own.
ifneq ($(filter demo check example-%,$(MAKECMDGOALS)),)
include test/scripts.mk
else

PGXS        := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# PostgreSQL's headers are the system's: our warnings are for our code.
override CPPFLAGS := $(patsubst -I$(includedir_server),-isystem $(includedir_server),$(CPPFLAGS))

nurture.so: src/pg/exports.map

# The version is told to one file only, so that all others stay in the compiler's cache.
src/pg/border/version.o: nurture.control
src/pg/border/version.o: override CPPFLAGS += -DNURTURE_VERSION='"$(EXTVERSION)"'

-include $(OBJS:.o=.d)

$(EXTENSION)--$(EXTVERSION).sql: Makefile src/pg/install.order $(SQL_MODULES)
	{ printf '%s\n' '-- Made of src/pg/**/*.sql in the order of src/pg/install.order; do not edit.' \
	    '\echo Use "CREATE EXTENSION nurture" to load this file. \quit'; \
	  for module in $(SQL_MODULES); do echo; cat $$module; done; } > $@

$(UPDATE): scripts/update_script.pl scripts/update_helpers.sql upgrade/$(EXTENSION)--$(RELEASED).sql \
    $(EXTENSION)--$(EXTVERSION).sql upgrade/by_hand/$(RELEASED)--$(EXTVERSION).sql
	scripts/update_script.pl upgrade/$(EXTENSION)--$(RELEASED).sql $(EXTENSION)--$(EXTVERSION).sql \
	    upgrade/by_hand/$(RELEASED)--$(EXTVERSION).sql > $@.new && mv $@.new $@

include test/targets.mk

endif
