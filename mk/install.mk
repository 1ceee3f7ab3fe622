# Where things go: make install, install-runit, uninstall, dist and deb.
COMPLETIONS = $(PREFIX)/share/bash-completion/completions
install:
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man7
	install $(BINARIES) $(DESTDIR)$(PREFIX)/bin
	install pipeline.sh $(DESTDIR)$(PREFIX)/bin/ts-pipeline
	install ts-sync ts-health $(DESTDIR)$(PREFIX)/bin
	install -m 644 doc/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 doc/*.5 $(DESTDIR)$(PREFIX)/share/man/man5
	install -m 644 doc/*.7 $(DESTDIR)$(PREFIX)/share/man/man7
	install -d $(DESTDIR)$(COMPLETIONS)
	for c in $(COMMANDS) ts-pipeline ts-sync ts-health; do \
		install -m 644 pkg/completion.bash $(DESTDIR)$(COMPLETIONS)/$$c || exit; done

# The services for runit: the loader, and a host, which has its own run, conf and env/. What an
# administrator has set in conf and env/ is kept.
SVDIR = /etc/sv
SERVICE = $(DESTDIR)$(SVDIR)/ts-pipeline
HOST = $(DESTDIR)$(SVDIR)/ts-work
define install_service
	install -d $(1)/log
	install -d -m 700 $(1)/env
	install $(2)/run doc/runit/finish $(1)
	install -m 644 doc/runit/leftover $(1)
	install doc/runit/log/run $(1)/log
	install -m 644 doc/runit/log/config $(1)/log
	[ -e $(1)/conf ] || sed 's|/usr/local|$(PREFIX)|' $(2)/conf >$(1)/conf
	for f in $(notdir $(wildcard $(2)/env/*)); do [ -e $(1)/env/$$f ] || \
		install -m 600 $(2)/env/$$f $(1)/env || exit; done
endef
define uninstall_service
	cd $(1) 2>/dev/null && rm -f run finish check leftover log/run log/config || true
	[ ! -e $(1)/conf ] || ! sed 's|/usr/local|$(PREFIX)|' $(2)/conf | cmp -s - $(1)/conf || rm $(1)/conf
	for f in $(notdir $(wildcard $(2)/env/*)); do \
		! cmp -s $(2)/env/$$f $(1)/env/$$f || rm $(1)/env/$$f; done
	-[ ! -d $(1) ] || rmdir $(1)/env $(1)/log $(1)
endef
install-runit:
	$(call install_service,$(SERVICE),doc/runit)
	install doc/runit/check $(SERVICE)
	$(call install_service,$(HOST),doc/runit-work)

# The units for systemd.
UNITDIR = $(PREFIX)/lib/systemd/system
UNITS = $(notdir $(wildcard doc/systemd/*))
install-systemd:
	install -d $(DESTDIR)$(UNITDIR)
	for u in $(UNITS); do \
		sed 's|/usr/local|$(PREFIX)|' doc/systemd/$$u >$(DESTDIR)$(UNITDIR)/$$u && \
		chmod 644 $(DESTDIR)$(UNITDIR)/$$u || exit; done

# Takes away what the three above have put there; settings only where nobody has changed them.
uninstall:
	for d in $(PREFIX)/bin $(COMPLETIONS); do \
		cd $(DESTDIR)$$d 2>/dev/null && rm -f $(COMMANDS) ts-pipeline ts-sync ts-health; done || true
	for p in $(notdir $(PAGES)); do rm -f $(DESTDIR)$(PREFIX)/share/man/man$${p##*.}/$$p; done
	cd $(DESTDIR)$(UNITDIR) 2>/dev/null && rm -f $(UNITS) || true
	$(call uninstall_service,$(SERVICE),doc/runit)
	$(call uninstall_service,$(HOST),doc/runit-work)

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

deb: programs
	sh pkg/deb.sh $(B) $(VERSION)
.PHONY: install install-runit install-systemd uninstall dist deb
