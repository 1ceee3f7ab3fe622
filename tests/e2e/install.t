#!/usr/bin/env bash
# What make install, uninstall, dist and deb put where.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL

mk() {
	make -s -C "$top" B="$build" DESTDIR="$tmp/root" PREFIX=/usr "$@" >make.log 2>&1 || { cat make.log >&2; return 1; }
}
files() {
	(cd "$tmp/root" && find . -type f | LC_ALL=C sort)
}

# The folders for runit; a host has what it does not have of its own from the loader.
services() {
	(cd "$top/doc/runit" && find . -type f | sed 's|^\.|./etc/sv/ts-pipeline|')
	(cd "$top/doc/runit-work" && find . -type f | sed 's|^\.|./etc/sv/ts-work|')
	printf './etc/sv/ts-work/%s\n' finish leftover log/run log/config
}

mkdir root
mk install install-runit install-systemd
ok $? "make install install-runit with DESTDIR"
commands=$(cd "$top/cmd" && echo *)
{
	for c in $commands; do
		echo "./usr/bin/$c"
		echo "./usr/share/man/man1/$c.1"
	done
	for c in $commands ts-pipeline ts-sync ts-health; do echo "./usr/share/bash-completion/completions/$c"; done
	printf '%s\n' ./usr/bin/ts-pipeline ./usr/bin/ts-sync ./usr/bin/ts-health ./usr/share/man/man1/ts-sync.1 ./usr/share/man/man1/ts-health.1 ./usr/share/man/man7/ts-pipeline.7 ./usr/share/man/man7/ts-cookbook.7 ./usr/share/man/man5/ts-records.5
	services
	(cd "$top/doc/systemd" && find . -type f | sed 's|^\.|./usr/lib/systemd/system|')
} | LC_ALL=C sort >want
is "$(files)" "$(cat want)" "every program, page and file of the service is installed, and no other"
completed() {
	bash -c '. root/usr/share/bash-completion/completions/ts-expand; COMP_WORDS=(ts-expand "$@"); COMP_CWORD=$#
		_ts_pipeline root/usr/bin/ts-expand; echo ${COMPREPLY[*]}' bash "$@"
}
is "$(completed -t m)/$(completed -F)/$(completed AA)" month/-F/ "bash completes timeframes and letters"
is "$(root/usr/bin/ts-expand -V)" "ts-expand $(cat "$top/VERSION")" "the programs run"
is "$(cd root/etc/sv && stat -c %a ./*/run ./*/finish ./*/check ./*/log/run ./*/env | xargs)" "755 755 755 755 755 755 755 700 700" \
	"modes of the services"
# The units, with the programs where they were installed.
if command -v systemd-analyze >/dev/null; then
	mkdir units
	for u in root/usr/lib/systemd/system/*; do
		# The pages and programs are not where a real installation has them.
		sed "s|/usr/bin/ts-|$tmp/root/usr/bin/ts-|; /^Documentation=/d" "$u" >"units/${u##*/}"
	done
	is "$(systemd-analyze verify units/* 2>&1)" "" "systemd-analyze has nothing against the units"
	for u in units/*.service; do
		systemd-analyze security --offline=true --threshold=20 "$u" >verdict 2>&1
		ok $? "${u##*/} is hardened" || tail -n 1 verdict
	done
	sed 's/^ExecStart=/ExecStat=/' units/ts-pipeline.service >units/wrong.service
	like "$(systemd-analyze verify units/wrong.service 2>&1)" ExecStat "a wrong line would be seen"
else
	skip "systemd-analyze is not installed"
fi
mk uninstall
is "$?/$(files)" 0/ "make uninstall leaves no file"
mk install install-runit install-systemd
echo secret >root/etc/sv/ts-pipeline/env/MASSIVE_API_KEY
echo redis://elsewhere >root/etc/sv/ts-pipeline/env/REDIS_URL
mk uninstall
is "$(files | sed 's|.*/||' | tr '\n' ' ')" "MASSIVE_API_KEY REDIS_URL " "settings that somebody made stay"
rm -rf root

# The tarball; demo.t builds it.
make -s -C "$top" B="$tmp" dist >dist.log 2>&1
name=tickstock-loader-$(cat "$top/VERSION")
is "$?/$(tail -n 1 dist.log)" "0/$tmp/$name.tar.gz" "make dist" || cat dist.log >&2
is "$(tar tzf "$name.tar.gz" | grep -v "^$name/")" "" "all of it lies in one folder"
tar xzf "$name.tar.gz"
is "$(find "$name" -name '*.o' -o -name .git | head)" "" "no objects, no repository"

if command -v dpkg-deb >/dev/null; then
	make -s -C "$top" B="$build" deb >deb.log 2>&1
	deb=$(tail -n 1 deb.log)
	ok $? "make deb" || cat deb.log >&2
	like "$(dpkg-deb -I "$deb" control | tr '\n' ' ')" \
		"Package: tickstock-loader Version: $(cat "$top/VERSION") .*Depends: .*libc6.*libcurl4.*libdeflate0.*libhiredis.*libpq5.*tzdata" \
		"its name, version and dependencies"
	{
		for c in $commands; do
			echo "./usr/bin/$c"
			echo "./usr/share/man/man1/$c.1.gz"
		done
		for c in $commands ts-pipeline ts-sync ts-health; do echo "./usr/share/bash-completion/completions/$c"; done
		echo ./usr/share/lintian/overrides/tickstock-loader
		printf '%s\n' ./usr/bin/ts-pipeline ./usr/bin/ts-sync ./usr/bin/ts-health ./usr/share/man/man1/ts-sync.1.gz ./usr/share/man/man1/ts-health.1.gz ./usr/share/man/man7/ts-pipeline.7.gz ./usr/share/man/man7/ts-cookbook.7.gz ./usr/share/man/man5/ts-records.5.gz
		printf './usr/share/doc/tickstock-loader/%s\n' NEWS.md.gz README.md changelog.gz copyright
		services
		(cd "$top/doc/systemd" && find . -type f | sed 's|^\.|./lib/systemd/system|')
	} | LC_ALL=C sort >want
	is "$(dpkg-deb -c "$deb" | awk '!/^d/ {print $6}' | LC_ALL=C sort)" "$(cat want)" "its files"
	is "$(dpkg-deb -c "$deb" | awk '{print $2}' | sort -u)" root/root "they are root's"
	is "$(dpkg-deb -I "$deb" conffiles | grep -c /env/)" "$(find "$top"/doc/runit*/env -type f | wc -l)" "the settings are conffiles"
	if command -v lintian >/dev/null; then
		is "$(lintian "$deb" 2>/dev/null | grep '^[EW]:')" "" "lintian has nothing against it"
	fi
	rm -f "$deb"
else
	skip "dpkg is not installed"
fi
done_testing
