#!/bin/sh
# Installs what only the benchmark compares with, as Debian 12 packages it.
set -eu
sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq update
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
	pgloader python3-psycopg2 python3-requests >&2
