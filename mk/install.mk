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

deb: programs
	sh pkg/deb.sh $(B) $(VERSION)
.PHONY: install install-runit install-systemd uninstall dist deb
