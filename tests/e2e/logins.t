#!/usr/bin/env bash
# Servers that will never let ts-store in, or never take a row: said at once, in a sentence, with exit 100. What
# waiting may mend is waited for 30 seconds, so an answer within ten is one at once.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# cert NAME SUBJECT: NAME.pem and NAME.key, signed by ca.
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca >/dev/null 2>&1
cert() {
	openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" >/dev/null 2>&1
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "$1.pem" \
		-extfile <(echo "subjectAltName=$2") >/dev/null 2>&1
}
cert here DNS:db.example
cert app DNS:app
pg_start || exit 1
plain=$DATABASE_URL
echo '{"type":"task","job_id":"j","symbol":"AAPL","timeframe":"day","from":"2026-01-05","to":"2026-01-09"}' >task
# never NAME URL REGEX: no login, whatever is waited for.
never() {
	local command
	for command in ts-store ts-audit; do
		DATABASE_URL=$2 timeout 60 $command <task >out 2>err
		is "$?/$(grep -c 'trying again' err)" 100/0 "$1: $command ends at once"
		like "$(grep 'error: Postgres: ' err)" "$3" "$1: and says why"
	done
}
# over_tls HOST [PARAMETERS]: the URL of the server at its port.
port=$(free_port)
over_tls() {
	echo "postgresql://postgres@$1:$port/postgres?hostaddr=127.0.0.1&$2"
}
kill -INT "$pg_pid" && wait "$pg_pid"
pg_up -c listen_addresses=127.0.0.1 -c port="$port"
wait_for 20 "$pg_bin/pg_isready" -q -p "$port" || exit 1
never "sslmode=require, and no TLS" "$(over_tls db.example sslmode=require)" 'server does not support SSL, but SSL was required'

kill -INT "$pg_pid" && wait "$pg_pid"
for file in here.pem here.key ca.pem; do
	install -m 600 "$file" "$tmp/pg/$file"
	[ "$(id -u)" -ne 0 ] || chown nobody:nogroup "$tmp/pg/$file"
done
echo 'hostssl all certain 127.0.0.1/32 cert' | cat - "$tmp/pg/data/pg_hba.conf" >hba && cat hba >"$tmp/pg/data/pg_hba.conf"
pg_up -c listen_addresses=127.0.0.1 -c port="$port" -c ssl=on -c ssl_cert_file="$tmp/pg/here.pem" -c ssl_key_file="$tmp/pg/here.key" \
	-c ssl_ca_file="$tmp/pg/ca.pem"
wait_for 20 "$pg_bin/pg_isready" -q -p "$port" || { tail pg.log; exit 1; }
DATABASE_URL=$(over_tls db.example "sslmode=verify-full&sslrootcert=$tmp/ca.pem") ts-store -i </dev/null 2>err
is $? 0 "a server whose certificate is the one of its name" || sed 's/^/# /' err
never "the certificate of another host" "$(over_tls other.example "sslmode=verify-full&sslrootcert=$tmp/ca.pem")" \
	'server certificate for "db.example" does not match host name "other.example"'
never "a certificate that nobody signed" "$(over_tls db.example "sslmode=verify-ca&sslrootcert=$tmp/app.pem")" 'certificate verify failed'
never "root.crt is missing" "$(over_tls db.example sslmode=verify-full)" 'root certificate file ".*/root.crt" does not exist'
never "a client without a certificate" "$(over_tls db.example sslmode=require | sed s/postgres@/certain@/)" \
	'(requires a valid client certificate|28000)'
never "a client's key that is missing" "$(over_tls db.example "sslmode=require&sslcert=$tmp/app.pem&sslkey=$tmp/none.key")" 'not private key file'
chmod 644 app.key
never "a client's key that all may read" "$(over_tls db.example "sslmode=require&sslcert=$tmp/app.pem&sslkey=$tmp/app.key")" \
	'private key file .* has group or world'
export PGPORT=$port

# ---- rights

sql "CREATE ROLE app LOGIN"
sql "CREATE DATABASE shut"
sql "CREATE DATABASE closed ALLOW_CONNECTIONS false"
sql "REVOKE CONNECT ON DATABASE shut FROM public"
never "no right to connect" "${plain/\/postgres?//shut?}&user=app" '42501: .*permission denied for database "shut"'
never "a database that takes no connections" "${plain/\/postgres?//closed?}" '55000: .*"closed" is not currently accepting connections'
never "no such role" "$plain&user=nobody" '28000: .*role "nobody" does not exist'

# ---- a standby, made of this server

[ -x "$pg_bin/pg_basebackup" ] || { skip "no pg_basebackup in $pg_bin: a standby cannot be made"; done_testing; }
primary_pid=$pg_pid
echo 'local replication all trust' >>"$tmp/pg/data/pg_hba.conf"
sql "SELECT pg_reload_conf()" >/dev/null
mkdir standby && chmod 700 standby
[ "$(id -u)" -ne 0 ] || chown nobody:nogroup standby
spare "$pg_bin/pg_basebackup" -h "$tmp/pg" -p "$port" -U postgres -D "$tmp/standby" -R -c fast -X stream --no-sync >backup 2>&1 || { cat backup; exit 1; }
cp -Rp standby cold
(cd "$tmp/pg" && spare_exec "$pg_bin/postgres" -D "$tmp/standby" -k "$tmp/pg" -c listen_addresses= -c port=$((port + 1)) -c fsync=off >>"$tmp/standby.log" 2>&1) &
started+=($!)
wait_for 20 "$pg_bin/pg_isready" -q -p $((port + 1)) || { tail standby.log; exit 1; }
standby="$plain&port=$((port + 1))"
DATABASE_URL=$standby timeout 60 ts-store </dev/null >out 2>err
is "$?/$(grep -v warning err)" "100/ts-store: error: Postgres: the server is read-only: name the primary, or put target_session_attrs=read-write into the URL" \
	"a standby: said at once"
DATABASE_URL=$standby ts-audit <task >out 2>err
is "$?/$(tail -n 1 out | cut -d ';' -f 1)" "1/0 of 1 complete: AAPL day empty" "which ts-audit reads"
bar='{"type":"bar","symbol":"AAPL","timeframe":"day","date":"2026-01-05","open":2,"high":3,"low":1,"close":2,"volume":1}'
both="postgresql://postgres@/postgres?host=$tmp/pg,$tmp/pg&port=$((port + 1)),$port&target_session_attrs=read-write"
echo "$bar" | DATABASE_URL=$both ts-store 2>err
is "$?/$(sql "SELECT count(*) FROM ohlcv_daily")" 0/1 "and with both named the bars go to the primary"
# One that lets nobody read: what it is is said while it is waited for, since it may be promoted.
(cd "$tmp/pg" && spare_exec "$pg_bin/postgres" -D "$tmp/cold" -k "$tmp/pg" -c listen_addresses= -c port=$((port + 2)) -c hot_standby=off -c fsync=off >>"$tmp/cold.log" 2>&1) &
started+=($!)
cold() {
	PGPORT=$((port + 2)) sql 'SELECT 1' 2>&1 | grep 'Hot standby mode is disabled'
}
wait_for 20 cold
rm -f err
DATABASE_URL="$plain&port=$((port + 2))" ts-store </dev/null 2>err &
store=$!
started+=("$store")
wait_for 10 grep -q 'warning: Postgres: .*57P03: .*: Hot standby mode is disabled.: trying again' err
ok $? "a standby without hot_standby: said at once"
spare "$pg_bin/pg_ctl" promote -D "$tmp/cold" -s
wait "$store"
is $? 0 "and waited for, since it may be promoted" || sed 's/^/# /' err cold.log
# It takes the primary's place in mid-run.
mkfifo input
rm -f err
DATABASE_URL=$both ts-store <input >out 2>err &
store=$!
started+=("$store")
exec {fd}>input
echo "$bar" >&"$fd"
replayed() {
	[ "$(sql "SELECT pg_current_wal_lsn() <= (SELECT max(replay_lsn) FROM pg_stat_replication)")" = t ]
}
wait_for 20 replayed
ok $? "the standby has it"
kill -INT "$primary_pid" && wait "$primary_pid"
PGPORT=$((port + 1)) sql "SELECT pg_promote()" >/dev/null
echo "${bar//01-05/01-06}" >&"$fd"
exec {fd}>&-
wait "$store"
is "$?/$(PGPORT=$((port + 1)) sql "SELECT count(*) FROM ohlcv_daily")" 0/2 "a failover in mid-run loses nothing"

done_testing
