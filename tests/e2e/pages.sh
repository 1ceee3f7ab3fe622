# shellcheck shell=bash disable=SC2034,SC2154
# What the tests of the pages share: the commands that a page shows, and a host on which they run. Source
# it after lib.sh.

# unroff: the text of a page as its reader sees it.
unroff() {
	sed 's/\\(dq/"/g; s/\\&//g; s/\\e/\\/g'
}

# run TEXT: in bash; its output is in out, its log in err, its status in code.
run() {
	timeout $((30 * patience)) bash -o pipefail -c "$1" >out 2>err </dev/null
	code=$?
}

rows() {
	# shellcheck disable=SC2086 # words
	sql "SELECT $(printf '+ (SELECT count(*) FROM %s)' $tables)"
}
# types [FILE]: how many records of which type it holds.
types() {
	jq -r .type "${1:-out}" | sort | uniq -c | awk '{printf "%s%d %s", (NR > 1 ? ", " : ""), $1, $2}'
}
listening() {
	[ "$(redis pubsub numsub tickstock.jobs.data_load | tail -n 1)" -gt 0 ]
}

# stand_in NAME: a program for this host, of standard input.
stand_in() {
	mkdir -p "$tmp/bin"
	cat >"$tmp/bin/$1"
	chmod 755 "$tmp/bin/$1"
}
PATH=$tmp/bin:$PATH

# clock NOW: a wall clock that stands still, for all that give no -N.
clock() {
	stand_in ts-expand <<-END
		#!/bin/sh
		case " \$* " in *" -N "*) ;; *) set -- -N $1 "\$@" ;; esac
		exec $build/ts-expand "\$@"
	END
}
# A command on another host is one of this host here, with the environment of a login.
stand_in ssh <<'END'
#!/bin/sh
shift
[ "$1" != -- ] || shift
exec sh -c "$*"
END
