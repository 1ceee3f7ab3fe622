# shellcheck shell=bash disable=SC2034,SC2154
# What the tests of ts-fetch over the network share, after lib.sh: an authority of their own, nginx in
# front of the simulator, and ts-fetch with its words kept.

# With the lines of start and end.
export MASSIVE_API_KEY=key-of-the-test TS_SERVICE=1

# An authority, ca.pem, and certificates of localhost by it: server.pem, and expired.pem.
authority() {
	{
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=authority
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN=localhost
		echo 'subjectAltName=DNS:localhost' >names
		openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem
		mkdir authority
		: >authority/index
		printf '[ca]\ndatabase=authority/index\nnew_certs_dir=authority\nrand_serial=yes\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n' >ca.conf
		openssl ca -batch -config ca.conf -name ca -cert ca.pem -keyfile ca.key -in server.csr -extfile names \
			-startdate 20200101000000Z -enddate 20200201000000Z -out expired.pem
	} >openssl.log 2>&1 || { cat openssl.log; return 1; }
}
tls="ssl_certificate $tmp/server.pem; ssl_certificate_key $tmp/server.key;"

# nginx_conf TEXT: the part that differs, within http.
nginx_conf() {
	cat >nginx.conf <<-END
		daemon off;
		pid $tmp/nginx.pid;
		error_log $tmp/nginx.err;
		worker_shutdown_timeout 10s;
		events { worker_connections 200; }
		http {
			log_format protocol '\$server_port \$server_protocol \$status';
			access_log $tmp/nginx.log protocol;
			client_body_temp_path $tmp/nginx.body;
			proxy_temp_path $tmp/nginx.proxy;
			fastcgi_temp_path $tmp/nginx.fastcgi;
			uwsgi_temp_path $tmp/nginx.uwsgi;
			scgi_temp_path $tmp/nginx.scgi;
			limit_req_zone \$binary_remote_addr zone=a:1m rate=20r/s;
			limit_req_zone \$binary_remote_addr zone=b:1m rate=20r/s;
			$1
		}
	END
	# An unprivileged nginx must not be told a user.
	[ "$(id -u)" -ne 0 ] || sed -i '1i user root;' nginx.conf
}
# nginx_up PORT: until it answers there; its pid in $nginx_pid.
nginx_up() {
	# Not by start(): nginx wants QUIT to end in peace, and TERM does as well.
	start "$(command -v nginx || echo /usr/sbin/nginx)" -c "$tmp/nginx.conf" -e "$tmp/nginx.err"
	nginx_pid=$!
	wait_for 10 curl -s -o up "http://localhost:$1/" || { cat nginx.err; return 1; }
}

# tasks N: N days of N symbols, a week each.
tasks() {
	for ((i = 1; i <= $1; i++)); do
		printf '{"type":"task","job_id":"j","symbol":"S%d","timeframe":"day","from":"2025-12-08","to":"2025-12-12"}\n' $i
	done
}
# fetch NAME URL [FILE [PROGRAM [OPTION...]]]: into NAME.out and NAME.err; its status in $status.
fetch() {
	timeout $((60 * patience)) "${4:-ts-fetch}" -u "$2" "${@:5}" <"${3:-tasks}" >"$1.out" 2>"$1.err"
	status=$?
}
# count NAME WHAT: of the line at its end.
count() { sed -n "s/.* end .* $2=\([0-9.]*\).*/\1/p" "$1.err"; }
error() { jq -r 'select(.type == "failed").error' "$1.out" | sort -u; }

# drip NAME HEAD SECONDS BYTES: a server that sends this and then so many bytes every so often; its port
# in $tmp/NAME.port.
drip() {
	# shellcheck disable=SC2016 # perl's
	start perl -MIO::Socket::INET -e '$SIG{PIPE} = "IGNORE"; $SIG{CHLD} = "IGNORE";
		$SIG{TERM} = sub { kill TERM => @drips; exit };
		$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 5) or die;
		open P, ">", "$ARGV[0].new"; print P $s->sockport; close P; rename "$ARGV[0].new", $ARGV[0];
		while ($c = $s->accept) {
			if ($pid = fork) { push @drips, $pid; close $c; next }
			$SIG{TERM} = "DEFAULT";
			sysread $c, $in, 65536;
			syswrite $c, $ARGV[1] or exit;
			while (syswrite $c, "x" x $ARGV[3]) { select undef, undef, undef, $ARGV[2] }
			exit;
		}' "$tmp/$1.port" "$2" "$3" "$4"
	wait_for 10 test -s "$tmp/$1.port"
}
