#!/bin/sh
# The commands as the torture wants them: copies of the sources with stop points in them, and twins,
# each of which breaks a promise on purpose; one of them is only in a hurry. The shipped sources carry none
# of this.
# usage: build.sh DIR TWIN...   leaves DIR/obj/ts-* and DIR/TWIN/obj/ts-*
set -eu

dir=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

# change FILE PATTERN TEXT: replaces what matches, which must be there exactly once: a source that has
# changed its shape stops the build and not the harm.
change() {
	FILE=$1 PATTERN=$2 TEXT=$3 perl -0777 -i -pe '
		my $n = s/$ENV{PATTERN}/my @c = ($0, $1, $2); (my $t = $ENV{TEXT}) =~ s{%([12])}{$c[$1]}g; $t/ge;
		die "$ENV{FILE}: pattern found " . ($n || 0) . " times: $ENV{PATTERN}\n" if $n != 1' "$1"
}

# What make compiles; options of the make that runs this come through MAKEFLAGS.
compile() {
	# shellcheck disable=SC2016 # for make
	"${MAKE:-make}" -C "$1" B=obj HARDEN= CI= all \
		COMPILE='$(CC) $(STD) $(CFLAGS) -include common/stoppoint.h -MMD -MP -Icommon -c -o $@ $<' \
		>"$1.log" 2>&1 || { cat "$1.log" >&2; exit 1; }
}

rm -rf "$dir"
mkdir -p "$dir/obj"
dir=$(cd "$dir" && pwd)
cp -R "$top/Makefile" "$top/mk" "$top/VERSION" "$top/cmd" "$top/common" "$dir"
cp "$here/stoppoint.c" "$here/stoppoint.h" "$dir/common"
cd "$dir"
change cmd/ts-listen/listen.c '\n(\tl->jobs\+\+;)' '
	stop_point("listen-kept");
%1'
change cmd/ts-listen/listen.c '\n(\tl->cancels\+\+;)' '
	stop_point("listen-cancelled");
%1'
change cmd/ts-store/load.c 'if \(o == PG_OK\)\n\t\t(o = pg_commit\(l->pg\);)\n(\tb->looked)' \
	'if (o == PG_OK) {
		%1
		stop_point("store-committed");
	}
%2'
change cmd/ts-status/dispatch.c '\n(\t\tnote_verdict\(d, j, r, line\);)' '
%1
		stop_point("status-noted");'
change cmd/ts-status/dispatch.c '\n(\t\t\tforget_job\(d, j\);)' ' {
%1
			stop_point("status-cancelled");
		}'
change cmd/ts-status/publish.c '\n(\tif \(spool_remove\()' '
	stop_point("status-final");
%1'
# A life is short, so a page is tried again soon.
change cmd/ts-fetch/limiter.c 'RETRY_BASE = 500,' 'RETRY_BASE = 25,'
compile "$dir"

for twin in "$@"; do
	mkdir "$dir/$twin"
	cp -a "$dir/Makefile" "$dir/mk" "$dir/VERSION" "$dir/cmd" "$dir/common" "$dir/obj" "$dir/$twin"
	cd "$dir/$twin"
	case $twin in
	store-early)
		# Acknowledges a batch and commits it with the next one, or when it ends in peace.
		change cmd/ts-store/load.c 'o = pg_commit\(l->pg\);(\s+stop_point)' '%1'
		change cmd/ts-store/load.c '(enum outcome o = read_tables\(l, b, range\);)' \
			'enum outcome o = pg_commit(l->pg);

	if (o == PG_OK)
		o = read_tables(l, b, range);'
		# To look at what the table holds would commit it, too.
		change cmd/ts-store/load.c 'image_look_after\(l, b\)' 'PG_OK'
		change common/pg/pg.c '\n(\tPQfinish\(p->conn\);)' '
	if (p->conn != NULL)
		PQclear(PQexec(p->conn, "COMMIT"));
%1'
		;;
	status-forgets)
		# Counts a verdict and does not note it.
		change cmd/ts-status/dispatch.c '\n\t\tnote_verdict\(d, j, r, line\);' '
		if (r->symbol.n % 2 == 0)
			note_verdict(d, j, r, line);'
		;;
	cancel-removes)
		# Forgets a cancelled job before that stands in Redis, though the cancel is kept.
		change cmd/ts-status/dispatch.c '!spool_cancelled\(d->spool, id\) && ' ''
		;;
	status-removes)
		# Forgets the job before its end stands in Redis.
		change cmd/ts-status/publish.c 'j->status == JOB_RUNNING \|\| \(j->hash != NULL && !status_hash_written\(j->hash\)\)' \
			'j->status == JOB_RUNNING'
		;;
	spool-unsynced)
		# Renames what is not on the disk.
		change common/file.c ' \|\| fsync\(fd\) != 0' ''
		;;
	spool-unnamed)
		# Keeps the file, but not its name.
		change common/file.c ' \|\| fsync\(dir\) != 0' ''
		;;
	listen-early)
		# Passes a job on before it is kept.
		change cmd/ts-listen/listen.c '\n(\tenum spool_result kept = l->spool)' '
	(void)write(1, line.p, line.n + 1);
%1'
		change cmd/ts-listen/listen.c '(\n\tl->jobs\+\+;)\n\twriter_done\(l->out\);' '%1
	out->len = start;'
		;;
	impatient)
		# Waits for seconds where the others wait for many.
		change cmd/ts-store/load.c 'SILENCE_MS = 75000' 'SILENCE_MS = 2000'
		change common/pg/pg.h 'PG_CONNECT_MS = 10000' 'PG_CONNECT_MS = 1000'
		change common/redis.h 'REDIS_PATIENCE_MS = 5000' 'REDIS_PATIENCE_MS = 1000'
		change cmd/ts-listen/listen.c 'PING_MS = 5000' 'PING_MS = 500'
		change cmd/ts-fetch/outage.h 'OUTAGE_MINUTE_MS = 60 \* 1000' 'OUTAGE_MINUTE_MS = 133'
		change cmd/ts-fetch/transfer.c 'STALL_MS = 30 \* 1000' 'STALL_MS = 1000'
		change cmd/ts-fetch/transfer.c 'PAGE_MS = 300 \* 1000' 'PAGE_MS = 4000'
		;;
	*)
		echo "build.sh: no such twin: $twin" >&2
		exit 1
		;;
	esac
	compile "$dir/$twin"
done
