#!/usr/bin/env bash
# ts-fetch over the network as it is: TLS and HTTP/2 by nginx in front of the simulator, a server that is
# reloaded, limits, certificates that are not trusted, proxies that refuse, servers that drip.
# shellcheck disable=SC2034,SC2094
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck source=tests/e2e/nginx.sh
. "$here/nginx.sh"
hasty=$build/stop/impatient/obj/ts-fetch
now=2025-12-16T17:00:30Z
sim_start -N "$now" -b 5000 || exit 1
plain=$MASSIVE_URL
unset MASSIVE_URL

read -r h2 once limit429 limit503 expired moved portal proxy locked <<<"$(for _ in {1..9}; do free_port; done | xargs)"
authority || exit 1

# configure PORTAL: what nginx does, the portal's directive given.
configure() {
	local pass="proxy_pass $plain;"
	nginx_conf "
		server { listen 127.0.0.1:$h2 ssl http2; $tls keepalive_requests 5; location / { $pass } }
		server { listen 127.0.0.1:$once ssl http2; $tls keepalive_requests 1; location / { $pass } }
		server { listen 127.0.0.1:$limit429; location / { limit_req zone=a burst=3 nodelay; limit_req_status 429; $pass } }
		server { listen 127.0.0.1:$limit503; location / { limit_req zone=b burst=3 nodelay; $pass } }
		server { listen 127.0.0.1:$expired ssl; ssl_certificate $tmp/expired.pem; ssl_certificate_key $tmp/server.key; location / { $pass } }
		server { listen 127.0.0.1:$moved; return 301 https://elsewhere.example\$request_uri; }
		server { listen 127.0.0.1:$portal; location / { $1 } }"
}
configure 'return 302 http://portal.example/login;'
nginx_up "$moved" || exit 1

tasks 60 >tasks
tasks 1 >task
ts-fetch -u "$plain" <tasks 2>/dev/null | grep '"bar"' | sort >want
same() {
	grep '"bar"' "$1.out" | sort | cmp -s - want
	ok $? "$2"
}

# What takes long starts now: a name server that says "try again" until it is well, a limit of a proxy,
# and servers that drip. The address of the name server is this test's own; where no file system may be
# mounted it is left out.
nameserver=127.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)).53
echo "nameserver $nameserver" >resolv.conf
cat >named.pl <<'END'
use IO::Socket::INET;
my $s = IO::Socket::INET->new(LocalAddr => $ARGV[0], LocalPort => 53, Proto => "udp") or die "$!\n";
open my $up, ">", "named.up" or die;
while (defined $s->recv(my $q, 512)) {
	my $question = substr $q, 12, index($q, "\0", 12) - 7;
	my $well = -e "named.well";
	my $address = $well && unpack("n", substr $question, -4) == 1 ? pack "n3 N n C4", 0xc00c, 1, 1, 1, 4, 127, 0, 0, 1 : "";
	$s->send(pack("n6", unpack("n", $q), $well ? 0x8180 : 0x8182, 1, $address ne "", 0, 0) . $question . $address);
}
END
# shellcheck disable=SC2016 # the inner shell's
unshare -m sh -c 'mount --bind resolv.conf /etc/resolv.conf && exec timeout "$2" perl named.pl "$1"' \
	sh "$nameserver" $((120 * patience)) 2>named.err &
started+=($!)
named_pid=$!
# fetch_by_name: within the name server's view of the files.
fetch_by_name() {
	nsenter -m -t "$named_pid" -- env PATH="$PATH" ts-fetch -u "http://api.example:${plain##*:}" <task >named.out 2>named.err
	echo $? >named.status
}
# shellcheck disable=SC2317 # by wait_for
named_or_not() {
	test -e named.up || ended "$named_pid"
}
wait_for 10 named_or_not
[ ! -e named.up ] || fetch_by_name &
by_name_pid=$!

drip body $'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{' 0.1 1
drip head $'HTTP/1.1 200 OK\r\nX-Long: ' 0.1 1
for name in body head; do
	fetch "drip-$name" "http://127.0.0.1:$(cat $name.port)" task "$hasty" &
	eval "${name}_pid=$!"
done
fetch limit429 "http://localhost:$limit429" &
limit429_pid=$!
fetch limit503 "http://localhost:$limit503" &
limit503_pid=$!

# TLS and HTTP/2.
export SSL_CERT_FILE=$tmp/ca.pem
for name in h2 once; do
	fetch $name "HTTPS://localhost:${!name}"
	is "$status/$(count $name failed)/$(count $name retries)/$(count $name requests)" 0/0/0/60 \
		"$name: a server that ends its connections costs no try"
	same $name "$name: every bar is there"
	unlike "$(cat $name.err)" 'retry|unreachable' "$name: and nothing is told"
done
like "$(grep "^$h2 " nginx.log | sort | uniq -c)" '60 [0-9]+ HTTP/2.0 200' "by HTTP/2, each request once"
tasks 400 >many
: >nginx.log
fetch reload "https://localhost:$h2" many &
pid=$!
for i in 1 2 3; do
	# shellcheck disable=SC2016 # awk's
	wait_for 10 awk -v n=$((i * 60)) 'END { exit NR < n }' nginx.log
	kill -HUP $nginx_pid
done
wait $pid
is "$(grep -c '"fetched"' reload.out)/$(count reload retries)" 400/0 "a server that is reloaded costs no try"
unlike "$(cat reload.err)" unreachable "nor is it called unreachable"

# The authorities by the other two names; a bundle takes the place of what does not exist.
mkdir trusted
cp ca.pem "trusted/$(openssl x509 -hash -noout -in ca.pem).0"
SSL_CERT_FILE='' SSL_CERT_DIR=$tmp/trusted fetch dir "https://localhost:$h2" task
is "$status/$(grep -c '"fetched"' dir.out)" 0/1 "SSL_CERT_DIR is honoured"
SSL_CERT_FILE=$tmp/none CURL_CA_BUNDLE=$tmp/ca.pem fetch bundle "https://localhost:$h2" task
is "$status/$(grep -c '"fetched"' bundle.out)" 0/1 "so is CURL_CA_BUNDLE"

# What no wait mends: told at once, in words of its own, and nothing is burnt on it.
settings() {
	is "$status/$(grep -c '"failed"' "$1.out")/$(grep -c ': error: ' "$1.err")" 100/60/1 "$1: exit 100 at once"
	like "$(error "$1")" "$2" "$1: $2"
	unlike "$(cat "$1.err")" 'retry|unreachable|refuses the key' "$1: that is no outage, nor the key"
}
SSL_CERT_FILE='' fetch unknown "https://localhost:$h2"
settings unknown "^the certificate of localhost:$h2 is not trusted: .*SSL_CERT_FILE"
fetch otherhost "https://127.0.0.1:$h2"
settings otherhost "^the certificate of 127.0.0.1:$h2 is for another host: "
fetch expired "https://localhost:$expired"
settings expired "^the certificate of localhost:$expired has expired$"
fetch tls-to-plain "https://localhost:$moved"
settings tls-to-plain "^localhost:$moved does not speak TLS at this port: http:// instead of https://\?$"
fetch plain-to-tls "http://localhost:$h2"
settings plain-to-tls '^HTTP 400: "<html>.*The plain HTTP request was sent to HTTPS port'
fetch moved "http://localhost:$moved"
settings moved '^HTTP 301 to https://elsewhere.example/v2/aggs/.*: set -u or MASSIVE_URL to where the API is$'
fetch nowhere "http://$(printf 'x%.0s' {1..64}).invalid"
settings nowhere '^the name x*\.invalid does not exist$'
SSL_CERT_FILE=$tmp/none fetch nofile "https://localhost:$h2"
settings nofile '^the certificates to trust cannot be used: '

# A header line of 1 MB.
# shellcheck disable=SC2016 # perl's
start perl -MIO::Socket::INET -e '$SIG{PIPE} = "IGNORE"; $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 5) or die;
	open P, ">", "$ARGV[0].new"; print P $s->sockport; close P; rename "$ARGV[0].new", $ARGV[0];
	while ($c = $s->accept) {
		sysread $c, $in, 65536;
		print $c "HTTP/1.1 200 OK\r\nX-Long: ", "x" x 1048576, "\r\nContent-Length: 2\r\n\r\n{}";
		close $c;
	}' "$tmp/line.port"
wait_for 10 test -s line.port
fetch line "http://127.0.0.1:$(cat line.port)" task "$hasty" &
line_pid=$!

if [ -e named.up ]; then
	wait_for 10 grep -q unreachable named.err
	: >named.well
	wait $by_name_pid
	is "$(cat named.status)/$(grep -c '"fetched"' named.out)" 0/1 "a name server that says \"try again\": so is done"
	like "$(cat named.err)" 'unreachable: the name api.example cannot be resolved now; asking again' "and that is no setting"
else
	skip "no name server of our own: $(cat named.err)"
fi

# Proxies.
tinyproxy=$(command -v tinyproxy || echo /usr/bin/tinyproxy)
printf 'Port %s\nListen 127.0.0.1\nLogFile "%s"\nConnectPort 1\n' "$proxy" "$tmp/proxy.log" >proxy.conf
printf 'Port %s\nListen 127.0.0.1\nLogFile "%s"\nBasicAuth user word\n' "$locked" "$tmp/locked.log" >locked.conf
for name in proxy locked; do
	start "$tinyproxy" -d -c $name.conf >/dev/null 2>&1
done
wait_for 10 curl -s -o up -x "http://127.0.0.1:$proxy" "$plain/" && wait_for 10 curl -s -o up "http://127.0.0.1:$locked/"
http_proxy=http://127.0.0.1:$proxy fetch through "$plain"
is "$status/$(count through fetched)" 0/60 "through a proxy"
https_proxy=http://127.0.0.1:$proxy fetch connect "https://localhost:$h2"
settings connect "^the proxy refuses to connect to localhost:$h2: HTTP 403$"
http_proxy=http://127.0.0.1:$locked fetch locked "$plain"
settings locked '^HTTP 407: .*the proxy wants a user and a password$'
https_proxy=http://127.0.0.1:$locked fetch locked-tls "https://localhost:$h2"
settings locked-tls "^the proxy refuses to connect to localhost:$h2: HTTP 407: it wants a user and a password$"

# A portal in the way of all: the queue waits until it is gone.
fetch portal "http://localhost:$portal" &
pid=$!
wait_for 20 grep -q unreachable portal.err
configure "proxy_pass $plain;"
kill -HUP $nginx_pid
wait $pid
is "$(grep -c '"fetched"' portal.out)/$(grep -c '"failed"' portal.out)" 60/0 "a portal: no task is burnt"
like "$(cat portal.err)" 'unreachable: HTTP 302 to http://portal.example/login; asking' "a portal: told by where it leads"
is "$(grep -c -e unreachable -e ' is back' portal.err)" 2 "a portal: once when it begins and once when it ends"

# A limit on the rate, by either status. 60 at 20 a second, and 4 at once, take 2.8 s.
for name in limit429 limit503; do
	pid=${name}_pid
	wait "${!pid}"
	is "$(count $name fetched)/$(count $name failed)" 60/0 "$name: no task is lost"
	[ "$(count $name retries)" -le 25 ]
	ok $? "$name: $(count $name retries) requests were too many"
	[ "$(sed -n 's/.* seconds=\([0-9]*\).*/\1/p' $name.err)" -lt $((8 * patience)) ]
	ok $? "$name: it took $(sed -n 's/.* seconds=//p' $name.err) s"
	unlike "$(cat $name.err)" unreachable "$name: that is no outage"
	[ "$(wc -l <$name.err)" -le 6 ]
	ok $? "$name: few lines are logged"
done

wait "$line_pid"
like "$(error line)" 'a header line of the reply is over 100 kB' "a header line of 1 MB has words of its own"

# Servers that drip.
body='less than 1 kB/s' head='no whole header'
for name in body head; do
	pid=${name}_pid
	wait "${!pid}"
	like "$(error drip-$name)" "^transfer failed: ${!name} for 30 s \(6 tries\)\$" "a $name that drips is given up"
done
done_testing
