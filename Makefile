# The TickStock loader. `make` builds, `make check` tests, `make demo` shows it at work.
PREFIX = /usr/local
DESTDIR =
CC = cc
B = build
CFLAGS = -O2 -g
WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wcast-qual -Wformat=2 -Wundef -Wvla -Wpointer-arith
HARDEN = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
HARDEN_LD = -pie -Wl,-z,relro,-z,now
VERSION := $(shell cat VERSION)
STD = -std=c11 -D_POSIX_C_SOURCE=200809L -DTS_VERSION=\"$(VERSION)\"
COMPILE = $(CC) $(STD) $(WARN) $(HARDEN) $(CFLAGS) $(if $(CI),-Werror) -MMD -MP -Icommon -c -o $@ $<
LINK = $(CC) $(CFLAGS) $(HARDEN_LD) $(LDFLAGS) -o $@

COMMANDS = ts-listen ts-expand ts-fetch ts-store ts-status ts-audit
BINARIES = $(COMMANDS:%=$(B)/%)
PAGES = $(COMMANDS:%=doc/%.1) doc/ts-pipeline.7 doc/ts-records.5
UNIT = $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
# What takes longest goes first.
LONG = $(addprefix tests/e2e/,torture.t outage.t silence.t runit.t)
E2E = $(LONG) $(filter-out $(LONG),$(wildcard tests/e2e/*.t))
SCRIPTS = pipeline.sh .ci/run $(wildcard tests/*.sh tests/*/*.sh tests/e2e/*.t) pkg/deb.sh \
	$(addprefix doc/runit/,run finish check conf leftover log/run)

# Which library a command stands on; ts-expand stands on none.
PKG_ts-listen = hiredis openssl
PKG_ts-fetch = libcurl libdeflate
PKG_ts-store = libpq
PKG_ts-audit = libpq
PKG_ts-status = hiredis openssl
cflags = $(if $(PKG_$(1)),$(shell pkg-config --cflags $(PKG_$(1))))
libs = $(if $(PKG_$(1)),$(shell pkg-config --libs $(PKG_$(1))))
objects = $(patsubst %.c,$(B)/%.o,$(wildcard $(1)/*.c))

# The folder of the build as a shell sees it from anywhere; make's own functions take a path with a space apart.
HERE = $$(cd '$(B)' && pwd)
TS = TS_BUILD="$(HERE)"

all: $(BINARIES)

$(B)/common/%.o: common/%.c Makefile VERSION
	@mkdir -p $(@D)
	$(COMPILE) $(shell pkg-config --cflags hiredis libpq)

# Archives, so that a program gets only the modules that it uses, and no library with the others.
$(B)/libcommon.a: $(call objects,common)
	rm -f $@ && $(AR) rcs $@ $^

define command
$(B)/cmd/$(1)/%.o: cmd/$(1)/%.c Makefile VERSION
	@mkdir -p $$(@D)
	$$(COMPILE) -I$$(@D) $$(call cflags,$(1))
$(B)/cmd/$(1).a: $(filter-out %/main.o,$(call objects,cmd/$(1)))
	rm -f $$@ && $(AR) rcs $$@ $$^
$(B)/$(1): $(B)/cmd/$(1)/main.o $(B)/cmd/$(1).a $(B)/libcommon.a
	$$(LINK) $$^ $$(call libs,$(1))
endef
$(foreach c,$(COMMANDS),$(eval $(call command,$(c))))

# schema.sql as a C string, for ts-store -i.
$(B)/cmd/ts-store/schema.h: cmd/ts-store/schema.sql
	@mkdir -p $(@D)
	{ echo 'static const char schema_sql[] ='; \
		sed 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$$/\\n"/' $<; echo ';'; } >$@
$(call objects,cmd/ts-store): | $(B)/cmd/ts-store/schema.h

# The simulator of the API knows nothing of the code that it tests.
$(B)/tests/sim/%.o: tests/sim/%.c Makefile
	@mkdir -p $(@D)
	$(COMPILE)
$(B)/ts-sim: $(call objects,tests/sim)
	$(LINK) $^ -lmicrohttpd -lz -lpthread

# A unit test is linked with the modules of the command that it names here, and common/.
UNIT_test_window = ts-expand
UNIT_test_plan = ts-expand
UNIT_test_queue = ts-fetch
UNIT_test_limiter = ts-fetch
UNIT_test_massive = ts-fetch
UNIT_test_bars = ts-fetch
UNIT_test_cut = ts-fetch
UNIT_test_inflate = ts-fetch
LIBS_test_inflate = -ldeflate -lz
UNIT_test_task = ts-fetch
comma = ,
LIBS_test_task = $(call libs,ts-fetch) $(addprefix -Wl$(comma)--wrap=,clock_mono_ms log_info log_warning log_error)
UNIT_test_numeric = ts-store
UNIT_test_batch = ts-store
UNIT_test_progress = ts-status
UNIT_test_status_hash = ts-status
UNIT_test_schedule = ts-audit
define unit
$(B)/tests/unit/$(1).o: tests/unit/$(1).c Makefile
	@mkdir -p $$(@D)
	$$(COMPILE) $$(UNIT_$(1):%=-Icmd/%)
$(B)/unit/$(1): $(B)/tests/unit/$(1).o $$(UNIT_$(1):%=$(B)/cmd/%.a) $(B)/libcommon.a
	@mkdir -p $$(@D)
	$$(LINK) $$^ -lcmocka $$(LIBS_$(1))
endef
$(foreach u,$(notdir $(UNIT)),$(eval $(call unit,$(u))))

# A fuzz target is linked with libFuzzer for make fuzz, and with a replay of its corpus for make check.
FUZZ = record job page url decimal
FUZZ_SECONDS = 30
FUZZ_job = ts-expand
FUZZ_page = ts-fetch
FUZZ_url = ts-fetch
FUZZ_decimal = ts-store
FUZZ_CFLAGS = -O1 -g -fsanitize=address,undefined,fuzzer -fno-sanitize-recover=all
define fuzz
$(B)/fuzz/$(1): tests/fuzz/fuzz_$(1).c tests/fuzz/replay.c $(FUZZ_$(1):%=$(B)/cmd/%.a) $(B)/libcommon.a
	@mkdir -p $$(@D)
	$$(CC) $(STD) $(WARN) $(CFLAGS) -Icommon $(FUZZ_$(1):%=-Icmd/%) -DCORPUS='"$(CURDIR)/tests/fuzz/corpus/$(1)"' \
		$(HARDEN_LD) -fPIE -o $$@ $$^
endef
$(foreach f,$(FUZZ),$(eval $(call fuzz,$(f))))

# Each target for FUZZ_SECONDS; what it finds new is kept in the corpus of the build.
fuzz:
	sh tests/deps.sh fuzz
	@set -e; for f in $(FUZZ:%=%:) ; do n=$${f%:}; mkdir -p $(B)/fuzz/corpus/$$n; \
		case $$n in job) c=ts-expand ;; page | url) c=ts-fetch ;; decimal) c=ts-store ;; *) c= ;; esac; \
		clang $(STD) $(FUZZ_CFLAGS) -Icommon $${c:+-Icmd/$$c} -o $(B)/fuzz/lib-$$n tests/fuzz/fuzz_$$n.c \
			$$(ls common/*.c | grep -Ev 'redis|database') $$([ -z "$$c" ] || ls cmd/$$c/*.c | grep -E '$(FUZZ_MODULES)'); \
		$(B)/fuzz/lib-$$n -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -verbosity=0 -artifact_prefix=$(B)/fuzz/$$n- \
			$(B)/fuzz/corpus/$$n tests/fuzz/corpus/$$n; \
	done
FUZZ_MODULES = /(job|massive|rows|clean|url|numeric)[.]c$$$$

deps:
	sh tests/deps.sh check

# Copies of the commands that die at chosen points, and twins that break a promise on purpose.
TWINS = store-early status-forgets status-removes cancel-removes spool-unsynced spool-unnamed listen-early \
	impatient
$(B)/stop/built: $(wildcard tests/stop/* common/*.[ch] cmd/*/*.[ch]) cmd/ts-store/schema.sql Makefile VERSION
	MAKE='$(MAKE)' sh tests/stop/build.sh $(@D) $(TWINS)
	touch $@

test-programs: all $(B)/ts-sim $(B)/stop/built $(UNIT) $(FUZZ:%=$(B)/fuzz/%)

check: deps
	$(MAKE) test-programs
	$(TS) perl tests/run.pl $(UNIT) $(FUZZ:%=$(B)/fuzz/%) $(E2E)

# The same suite with every wrong access and leak an error. Reports go into files, since not every test
# looks at every program's exit status and log. memory.t is left out: the memory of a program with a
# sanitizer in it is the sanitizer's.
REPORTS = $(CURDIR)/build-asan/reports
asan:
	sh tests/deps.sh asan
	rm -rf "$(REPORTS)" && mkdir -p -m 1777 "$(REPORTS)"
	@ASAN_OPTIONS="log_path='$(REPORTS)/asan':disable_coredump=0" UBSAN_OPTIONS="log_path='$(REPORTS)/asan':print_stacktrace=1" \
		$(MAKE) check B=build-asan CC=clang HARDEN= HARDEN_LD= E2E='$(filter-out %/memory.t,$(E2E))' \
		CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all' || bad=1; \
	for r in "$(REPORTS)"/*; do [ ! -e "$$r" ] || { head -n 30 "$$r" >&2; bad=1; }; done; [ -z "$$bad" ]

# Death by kill -9 at random and at chosen moments, more of it than make check has; TORTURE_SEED=n does
# the same again.
torture: deps
	$(MAKE) all $(B)/ts-sim $(B)/stop/built
	TORTURE_KILLS=$${TORTURE_KILLS:-1000} $(TS) bash tests/e2e/torture.t

# The same suite with every program under valgrind: any error, leak or descriptor that is left open is a
# failure. Takes some ten minutes. Left out are memory.t, which would measure valgrind, and those that
# run other programs: what make installs, and the copies that die.
VALGRIND_NOT = $(addprefix tests/e2e/,memory.t install.t runit.t torture.t silence.t)
# The longest come first, so that they do not run alone at the end.
VALGRIND_E2E = $(addprefix tests/e2e/,store.t fetch.t) $(filter-out %/store.t %/fetch.t $(VALGRIND_NOT),$(E2E))
VALGRIND_C = $(UNIT:$(B)/%=%) $(FUZZ:%=fuzz/%)
valgrind:
	sh tests/deps.sh valgrind
	$(MAKE) test-programs
	sh tests/valgrind.sh $(B)/valgrind "$(HERE)" $(COMMANDS) $(VALGRIND_C)
	@TS_PATIENCE=20 TS_BUILD="$(HERE)/valgrind" \
		perl tests/run.pl $(VALGRIND_E2E) $(VALGRIND_C:%=$(B)/valgrind/%) || bad=1; \
	sh tests/valgrind.sh -c $(B)/valgrind && [ -z "$$bad" ]

lint:
	sh tests/deps.sh lint
	$(MAKE) test-programs
	printf '%s\n' $(wildcard cmd/*/*.c common/*.c) | xargs -P 2 -n 8 sh -c 'clang-tidy --quiet "$$@" -- \
		$(STD) -Icommon -I$(B)/cmd/ts-store $(shell pkg-config --cflags libpq hiredis libcurl libdeflate)' tidy
	shellcheck -x $(SCRIPTS)
	mandoc -Tlint -Wwarning $(PAGES)

# On servers of its own, with the simulator's bars, whatever the environment says. A real run:
# make demo DEMO_DATABASE=url DEMO_REDIS=url, with MASSIVE_API_KEY set.
demo:
	@echo 'demo: installs what is missing, builds the programs (half a minute), starts a private Postgres and Redis and'
	@echo 'demo: a simulator of the API, loads 30 symbols in 5 timeframes (some seconds), and leaves nothing running'
	sh tests/deps.sh demo
	$(MAKE) all $(B)/ts-sim
	$(TS) bash tests/demo.sh

# What the common path costs, piece by piece.
$(B)/tests/bench/parts.o: tests/bench/parts.c Makefile
	@mkdir -p $(@D)
	$(COMPILE) -Icmd/ts-store
$(B)/parts: $(B)/tests/bench/parts.o $(B)/cmd/ts-store.a $(B)/libcommon.a
	$(LINK) $^
bench-parts: $(B)/parts
	$(B)/parts

# A comparison with other ways to do the same, written to doc/benchmarks.md; takes half an hour.
# BENCH_RUNS=5 runs of each, BENCH='a b c d e f' sections, BENCH_BIG=1 for 30 million rows.
BENCH = a b c d e f
bench: deps
	$(MAKE) all $(B)/ts-sim $(B)/parts
	$(TS) bash tests/bench/run.sh $(BENCH)

# What is compared and only for that.
bench-deps:
	sh tests/bench/deps.sh

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man7
	install $(BINARIES) $(DESTDIR)$(PREFIX)/bin
	install pipeline.sh $(DESTDIR)$(PREFIX)/bin/ts-pipeline
	install -m 644 doc/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 doc/*.5 $(DESTDIR)$(PREFIX)/share/man/man5
	install -m 644 doc/*.7 $(DESTDIR)$(PREFIX)/share/man/man7

# The service for runit. What an administrator has set in conf and env/ is kept.
SVDIR = /etc/sv
SERVICE = $(DESTDIR)$(SVDIR)/ts-pipeline
SERVICE_ENV = $(notdir $(wildcard doc/runit/env/*))
install-runit:
	install -d $(SERVICE)/log
	install -d -m 700 $(SERVICE)/env
	install doc/runit/run doc/runit/finish doc/runit/check $(SERVICE)
	install -m 644 doc/runit/leftover $(SERVICE)
	install doc/runit/log/run $(SERVICE)/log
	install -m 644 doc/runit/log/config $(SERVICE)/log
	[ -e $(SERVICE)/conf ] || sed 's|/usr/local|$(PREFIX)|' doc/runit/conf >$(SERVICE)/conf
	for f in $(SERVICE_ENV); do [ -e $(SERVICE)/env/$$f ] || \
		install -m 600 doc/runit/env/$$f $(SERVICE)/env || exit; done

# Takes away what the two above have put there; settings only where nobody has changed them.
uninstall:
	cd $(DESTDIR)$(PREFIX)/bin 2>/dev/null && rm -f $(COMMANDS) ts-pipeline || true
	for p in $(notdir $(PAGES)); do rm -f $(DESTDIR)$(PREFIX)/share/man/man$${p##*.}/$$p; done
	cd $(SERVICE) 2>/dev/null && rm -f run finish check leftover log/run log/config || true
	[ ! -e $(SERVICE)/conf ] || ! sed 's|/usr/local|$(PREFIX)|' doc/runit/conf | \
		cmp -s - $(SERVICE)/conf || rm $(SERVICE)/conf
	for f in $(SERVICE_ENV); do \
		! cmp -s doc/runit/env/$$f $(SERVICE)/env/$$f || rm $(SERVICE)/env/$$f; done
	-[ ! -d $(SERVICE) ] || rmdir $(SERVICE)/env $(SERVICE)/log $(SERVICE)

# The sources of the last commit; where there is no git, those that are here.
NAME = tickstock-loader-$(VERSION)
dist:
	@mkdir -p $(B)
	if git rev-parse -q --verify HEAD >/dev/null 2>&1; then \
		git archive --format=tar --prefix=$(NAME)/ HEAD; \
	else \
		tar -c --sort=name --owner=0 --group=0 --exclude='./build*' --exclude-vcs \
			--transform 's|^\.|$(NAME)|' .; \
	fi | gzip -n >$(B)/$(NAME).tar.gz
	@echo $(B)/$(NAME).tar.gz

deb: all
	sh pkg/deb.sh $(B) $(VERSION)

clean:
	rm -rf build build-asan

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all deps test-programs check asan torture valgrind lint fuzz demo bench bench-parts bench-deps install install-runit uninstall dist deb clean
.DELETE_ON_ERROR:
