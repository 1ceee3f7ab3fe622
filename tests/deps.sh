#!/bin/sh
# Installs what build and tests need, as Debian 12 packages it; does nothing where all is there.
set -eu

packages='gcc libc6-dev make pkg-config libcurl4-openssl-dev libdeflate-dev libpq-dev libhiredis-dev libjsmn-dev
	libcmocka-dev libmicrohttpd-dev zlib1g-dev tzdata postgresql redis-server runit curl jq zstd miller perl
	dpkg-dev procps util-linux shellcheck mandoc clang clang-tidy libclang-rt-dev valgrind'

missing=
for p in $packages; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
echo "installing:$missing" >&2
# Debian starts a server as it installs one; ours are private and started by hand, so it shall not.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
	$sudo chmod 755 $policy
	trap '$sudo rm -f $policy' EXIT
fi
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq update
# shellcheck disable=SC2086 # a list of words
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >&2
