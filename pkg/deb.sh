#!/bin/sh
# Makes a Debian package of what has been built: deb.sh BUILD VERSION. Run by make deb.
set -eu
build=$1 version=$2
name=tickstock-loader
arch=$(dpkg --print-architecture)
out=$build/${name}_${version}_$arch.deb

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/debian/$name
mkdir -p "$root/DEBIAN"
chmod 755 "$root"
umask 022
make -s B="$build" DESTDIR="$root" PREFIX=/usr SVDIR=/etc/sv UNITDIR=/lib/systemd/system install install-runit install-systemd
for f in "$root"/usr/bin/*; do
	case $f in
	*/ts-pipeline | */ts-sync | */ts-health) ;;
	*) strip --remove-section=.comment "$f" ;;
	esac
done
find "$root/usr/share/man" -type f -exec gzip -9n {} +
doc=$root/usr/share/doc/$name
mkdir -p "$doc"
cp LICENSE "$doc/copyright"
gzip -9nc NEWS.md >"$doc/NEWS.md.gz"
cp README.md "$doc"
gzip -9nc >"$doc/changelog.gz" <<END
$name ($version) unstable; urgency=medium

  * See NEWS.md.gz.

 -- TickStock <maintainers@tickstock.example>  $(date -R -d "@${SOURCE_DATE_EPOCH:-$(stat -c %Y NEWS.md)}")
END
# The settings hold secrets.
overrides=$root/usr/share/lintian/overrides
mkdir -p "$overrides"
cat >"$overrides/$name" <<END
$name: non-standard-dir-perm
$name: non-standard-file-perm
END

# The libraries' packages as the programs need them; by hand where the tool is missing.
libraries='libc6, libcurl4, libdeflate0, libhiredis0.14, libpq5, libssl3'
if command -v dpkg-shlibdeps >/dev/null; then
	printf 'Source: %s\n\nPackage: %s\nArchitecture: any\n' $name $name >"$work/debian/control"
	libraries=$(cd "$work" && dpkg-shlibdeps -O debian/$name/usr/bin/ts-[!p]* |
		sed -n 's/^shlibs:Depends=//p')
fi
cat >"$root/DEBIAN/control" <<END
Package: $name
Version: $version
Architecture: $arch
Section: misc
Priority: optional
Maintainer: TickStock <maintainers@tickstock.example>
Installed-Size: $(du -sk "$root" | cut -f 1)
Depends: $libraries, tzdata, passwd
Recommends: ca-certificates, systemd | runit, redis-tools
Suggests: postgresql, redis-server, jq
Description: load historical OHLCV bars into Postgres
 A job published on Redis (these symbols, these timeframes, so many years)
 becomes rows in Postgres or TimescaleDB, with truthful progress in Redis.
 A pipeline of small filters, each of which works alone on files and pipes,
 and services for runit and systemd.
END
(cd "$root" && find etc -type f | sed 's|^|/|' | sort) >"$root/DEBIAN/conffiles"
cp pkg/postinst pkg/prerm pkg/postrm "$root/DEBIAN"
chmod 755 "$root/DEBIAN/postinst" "$root/DEBIAN/prerm" "$root/DEBIAN/postrm"
dpkg-deb --root-owner-group --build "$root" "$out" >/dev/null
echo "$out"
