# Starts a PHP server for a check, and asks it. Source it after lib.sh.

server_pid=
place=$(mktemp -d)
trap 'stop_server; rm -rf "$place"' EXIT
server_log=$place/server.log
passed=0 failed=0

# start_server FILE [ARGUMENT ...]: sets $url to the first URL that the server prints or, when
# $port is set, to that port of 127.0.0.1; waits until it answers.
start_server() {
    php_arguments
    : >"$server_log"
    php "${php_args[@]}" "$@" >"$server_log" 2>&1 </dev/null &
    server_pid=$!
    url=
    local tries
    for tries in $(seq 200); do
        if [ -n "${port:-}" ]; then
            url=http://127.0.0.1:$port
        else
            url=$(grep -om 1 'http://127\.0\.0\.1:[0-9]*' "$server_log" || true)
        fi
        if [ -n "$url" ] && curl -s -o /dev/null --max-time 5 "$url/"; then
            return 0
        fi
        kill -0 "$server_pid" 2>/dev/null || break
        sleep 0.05
    done
    say "the server did not start; it said:"
    cat "$server_log"
    return 1
}

# Ends it as Ctrl-C does. Fails unless it ends with 0 within ten seconds.
stop_server() {
    [ -n "$server_pid" ] || return 0
    local code=0 tries pid=$server_pid
    server_pid=
    kill -INT "$pid" 2>/dev/null || true
    for tries in $(seq 200); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    if kill -0 "$pid" 2>/dev/null; then
        kill -KILL "$pid"
        say "the server did not end within ten seconds"
        code=1
    fi
    wait "$pid" || code=$?
    [ $code -eq 0 ] || say "the server ended with exit code $code"
    return $code
}

# check NAME COMMAND ...: one test.
check() {
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        say "ok $name"
    else
        failed=$((failed + 1))
        say "FAIL $name"
        tail -n 20 "$server_log" | sed 's/^/    server: /'
    fi
}

ask() { curl -sS --max-time 10 "$@"; }

# answers WANTED CURL-ARGUMENT ...: the answer contains WANTED.
answers() {
    local wanted=$1 answer
    shift
    answer=$(ask "$@") || return 1
    grep -qF -- "$wanted" <<<"$answer" && return 0
    say "wanted: $wanted"
    say "got:    ${answer:0:500}"
    return 1
}

# status WANTED CURL-ARGUMENT ...: the status code is WANTED.
status() {
    local wanted=$1 got
    shift
    got=$(ask -o /dev/null -w '%{http_code}' "$@") || return 1
    [ "$got" = "$wanted" ] && return 0
    say "wanted: $wanted, got: $got"
    return 1
}
