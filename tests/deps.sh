#!/bin/sh
# usage: deps.sh [SET...]   installs what a purpose needs, as Debian 12 packages it; nothing where all
# is there. Sets: build, demo, check (the default), asan, lint, valgrind, fuzz, model, systemd, all.
set -eu

build='gcc libc6-dev make pkg-config libcurl4-openssl-dev libdeflate-dev libpq-dev libhiredis-dev libssl-dev libjsmn-dev uthash-dev'
demo="$build libmicrohttpd-dev zlib1g-dev tzdata postgresql redis-server jq procps util-linux"
check="$demo libcmocka-dev openssl redis-sentinel runit curl zstd miller perl dpkg-dev pgbouncer"
check="$check nginx tinyproxy-bin parallel gnuplot-nox mandoc bsdextrautils ca-certificates"
compiler='clang libclang-rt-dev'
lint="$check clang clang-tidy clang-format shellcheck lintian"
systemd="$build libmicrohttpd-dev jq debootstrap systemd-container"
# Of these, what Debian starts at every boot once it is installed. Ours are private and started by hand.
servers='postgresql redis-server redis-sentinel nginx pgbouncer'

wanted=
for set in "${@:-check}"; do
	case $set in
	build) wanted="$wanted $build" ;;
	demo) wanted="$wanted $demo" ;;
	check) wanted="$wanted $check" ;;
	asan | fuzz) wanted="$wanted $check $compiler" ;;
	lint) wanted="$wanted $lint" ;;
	valgrind) wanted="$wanted $check valgrind" ;;
	systemd) wanted="$wanted $systemd" ;;
	model) wanted="$wanted gcc libc6-dev spin" ;;
	all) wanted="$wanted $lint $compiler valgrind" ;;
	*)
		echo "deps: error: there is no set $set" >&2
		exit 100
		;;
	esac
done

missing=
for p in $wanted; do
	case " $missing " in *" $p "*) continue ;; esac
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

echo "deps: these packages are missing and are installed now, as root:$missing" >&2
sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
apt() {
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@"
}
fail() {
	cat >&2 <<-END
		deps: error: $*
		deps: error: still missing; install them by hand, from a mirror or from files:$missing
	END
	exit 1
}
if [ -n "$sudo" ] && ! command -v sudo >/dev/null; then
	fail "not root, and there is no sudo"
fi

# While this file is there, Debian starts no server that it installs. It says no only as long as this
# script runs, so that one left behind by kill -9 does no harm.
policy=${DEPS_POLICY:-/usr/sbin/policy-rc.d}
made=
leave() {
	[ -z "$made" ] || $sudo rm -f "$policy"
	made=
}
trap leave EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM
if [ ! -e "$policy" ]; then
	made=1
	printf '#!/bin/sh\n# Made by tests/deps.sh.\nkill -0 %d 2>/dev/null || exit 0\nexit 101\n' $$ |
		$sudo tee "$policy" >/dev/null
	$sudo chmod 755 "$policy"
fi

apt update >&2 || fail "apt-get cannot update its lists; is there a network?"
# shellcheck disable=SC2086 # lists of words
bytes=$(apt install --print-uris -y --no-install-recommends $missing | awk '{ s += $3 } END { printf "%d", s }')
echo "deps: $((bytes / 1000000)) MB to download; with a usual network and disk some $((1 + bytes / 100000000)) to" \
	"$((2 + bytes / 30000000)) minutes" >&2
# shellcheck disable=SC2086
apt install -y --no-install-recommends $missing >&2 || fail "apt-get cannot install them all"

links=${DEPS_ETC:-/etc}
for server in $servers; do
	case " $missing " in *" $server "*) ;; *) continue ;; esac
	$sudo update-rc.d "$server" disable >&2 || true
	$sudo find "$links/systemd/system" -type l -lname "*/$server.service" -delete
done
