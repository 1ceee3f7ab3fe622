# How the programs are compiled and linked.
WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wcast-qual -Wformat=2 -Wundef -Wvla -Wpointer-arith
HARDEN = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
HARDEN_LD = -pie -Wl,-z,relro,-z,now
VERSION := $(shell cat VERSION)
STD = -std=c11 -D_POSIX_C_SOURCE=200809L -DTS_VERSION=\"$(VERSION)\"
COMPILE = $(CC) $(STD) $(WARN) $(HARDEN) $(CFLAGS) $(if $(CI),-Werror) -MMD -MP -Icommon -c -o $@ $<
LINK = $(CC) $(CFLAGS) $(HARDEN_LD) $(LDFLAGS) -o $@

COMMANDS = ts-listen ts-expand ts-fetch ts-store ts-status ts-audit ts-share ts-work
BINARIES = $(COMMANDS:%=$(B)/%)
PAGES = $(COMMANDS:%=doc/%.1) doc/ts-sync.1 doc/ts-health.1 doc/ts-pipeline.7 doc/ts-cookbook.7 doc/ts-records.5

# Which library a command stands on; ts-expand stands on none.
PKG_ts-listen = hiredis openssl
PKG_ts-fetch = libcurl libdeflate hiredis openssl
PKG_ts-store = libpq
PKG_ts-audit = libpq
PKG_ts-status = hiredis openssl
PKG_ts-share = hiredis openssl
PKG_ts-work = hiredis openssl
cflags = $(if $(PKG_$(1)),$(shell pkg-config --cflags $(PKG_$(1))))
libs = $(if $(PKG_$(1)),$(shell pkg-config --libs $(PKG_$(1))))
objects = $(patsubst %.c,$(B)/%.o,$(wildcard $(1)/*.c))

# All objects are made again when one of these changes.
BUILT_BY = Makefile mk/build.mk VERSION

# As many at once as there are processors, unless make was told.
PARALLEL = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

programs: $(BINARIES)
.PHONY: programs

$(B)/common/%.o: common/%.c $(BUILT_BY)
	@mkdir -p $(@D)
	$(COMPILE) -I$(@D) $(shell pkg-config --cflags hiredis libpq)

# Archives, so that a program gets only the modules that it uses, and no library with the others.
$(B)/libcommon.a: $(call objects,common) $(call objects,common/*)
	rm -f $@ && $(AR) rcs $@ $^

define command
$(B)/cmd/$(1)/%.o: cmd/$(1)/%.c $(BUILT_BY)
	@mkdir -p $$(@D)
	$$(COMPILE) -I$$(@D) $$(call cflags,$(1))
$(B)/cmd/$(1).a: $(filter-out %/main.o,$(call objects,cmd/$(1)))
	rm -f $$@ && $(AR) rcs $$@ $$^
$(B)/$(1): $(B)/cmd/$(1)/main.o $(B)/cmd/$(1).a $(B)/libcommon.a
	$$(LINK) $$^ $$(call libs,$(1))
endef
$(foreach c,$(COMMANDS),$(eval $(call command,$(c))))

# SQL as the bytes of a C string, which is longer than a literal may be.
define sql_header
	@mkdir -p $(@D)
	{ echo 'static const char $(basename $(@F))_sql[] = {'; od -An -v -t u1 $< | sed 's/[0-9]\{1,\}/&,/g'; echo '0};'; } >$@
endef
$(B)/cmd/ts-store/schema.h: cmd/ts-store/schema.sql $(BUILT_BY)
	$(sql_header)
$(B)/cmd/ts-audit/statements.h: cmd/ts-audit/statements.sql $(BUILT_BY)
	$(sql_header)
$(B)/common/pg/catalogue.h: common/pg/catalogue.sql $(BUILT_BY)
	$(sql_header)
$(call objects,cmd/ts-store): | $(B)/cmd/ts-store/schema.h
$(B)/cmd/ts-audit/sql.o: | $(B)/cmd/ts-audit/statements.h
$(B)/common/pg/table.o: | $(B)/common/pg/catalogue.h
