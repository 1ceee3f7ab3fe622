# The TickStock loader. make help tells what can be made; how it is done stands in mk/.
PREFIX = /usr/local
DESTDIR =
CC = cc
CFLAGS = -O3 -g
# The folder of the build.
B = build

all: programs           ## build the programs into build/
include mk/build.mk mk/tests.mk mk/install.mk

help:                   ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r target text; do \
		printf 'make %-14s %s\n' "$$target" "$$text"; done

deps:                   ## install what build and tests need, from Debian's packages
	sh tests/deps.sh check

demo:                   ## the loader at work, on servers of its own (a minute; real run: see README.md)
	@echo 'demo: installs what is missing, builds the programs (half a minute), starts a private Postgres and Redis and'
	@echo 'demo: a simulator of the API, loads 30 symbols in 5 timeframes (some seconds), and leaves nothing running'
	sh tests/deps.sh demo
	$(MAKE) $(PARALLEL) all $(B)/ts-sim
	$(TS) bash tests/demo.sh

check: deps             ## all tests, against real servers of their own (6 minutes)
	$(MAKE) $(PARALLEL) test-programs
	$(TS) perl tests/run.pl $(UNIT) $(FUZZ:%=$(B)/fuzz/%) $(E2E)

test-programs: programs $(TEST_PROGRAMS)  ## all that the tests run, without running them

# The rest takes longer or needs more packages.
asan:                   ## the tests under the address and undefined behaviour sanitizers, and nth (20 minutes)
valgrind:               ## the tests under valgrind (20 minutes)
postgres18:             ## the tests of the database against PostgreSQL 18, which npm brings
lint: format-check      ## clang-tidy, shellcheck, mandoc, clang-format; whether each mutant fits
format:                 ## clang-format over all sources, in place; F='file ...' for some
network:                ## ts-fetch through nginx under load, behind limits, before servers that drip (6 minutes)
selftest:               ## the tests of the simulator of the API (a minute)
nights:                 ## many nights of ts-sync: splits, kill -9, foreign databases, a moving reach (15 minutes)
requests:               ## counts of requests with ts-fetch -d and -g (a minute)
nth:                    ## every malloc, write, fsync, rename and read fails once (6 minutes)
mutants:                ## plant deliberate breaks and say which no test notices; M='name' for one
torture:                ## kill -9 at random moments; TORTURE_KILLS=1000 TORTURE_SEED=n
share-torture:          ## the same over three hosts and a head; TORTURE_KILLS=300
model:                  ## check the models of spool and leases with spin, and that each break is found
systemd:                ## the package and its units under a running systemd, in a container (3 minutes; root)
fuzz:                   ## libFuzzer over the parsers; FUZZ_SECONDS=30 each
bench:                  ## compare with other ways to load (half an hour); BENCH='a b' sections

install: all            ## programs and pages into PREFIX (/usr/local); honours DESTDIR
install-runit:          ## the service for runit into SVDIR (/etc/sv)
install-systemd:        ## the units for systemd into UNITDIR (PREFIX/lib/systemd/system)
uninstall:              ## take all that away, except settings that somebody changed
deb:                    ## a Debian package in build/
dist:                   ## a tarball of the sources in build/

clean:                  ## remove what was built
	rm -rf build build-asan build-fuzz build-systemd

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all help deps demo check test-programs clean
.DELETE_ON_ERROR:
