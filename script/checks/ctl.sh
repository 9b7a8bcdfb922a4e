# The checks of `ferrite ctl`. script/checks/cli sources it.

# A server with an admin listener, and what ctl says of it.
check_ctl() {
    local admin=$place/admin.sock
    file ctl/server.php '<?php
        $server = new Ferrite\Http\Server("127.0.0.1", 0);
        $server->set(["worker_num" => 2, "admin_listen" => $argv[1], "admin_token" => "0123456789abcdef"]);
        $server->on("Start", fn () => print "http://127.0.0.1:$server->port\nadmin {$server->setting["admin_listen"]}\n");
        $server->on("Request", function ($request, $response) {
            $request->server["request_uri"] === "/hangs" && sleep(20);
            $response->end("hello");
        });
        $server->start();'
    check "ctl: help" runs 0 "usage: ferrite ctl" ctl --help
    check "ctl: a command is wanted" runs 2 "usage: ferrite ctl" ctl
    check "ctl: an unknown command" runs 2 "Did you mean 'reload'?" ctl --socket "$admin" relaod
    check "ctl: a place is wanted" runs 2 "Say --socket PATH" ctl status
    check "ctl: no server" runs 3 "Does the server run" ctl --socket "$admin" status
    check "ctl: the server starts" start_server "$place/ctl/server.php" "$admin"
    check "ctl: health" runs 0 ok ctl --socket "$admin" health
    check "ctl: ready" runs 0 ready ctl --socket "$admin" ready
    check "ctl: ready as JSON" runs 0 '{"ready":true,"message":"ready"}' ctl --socket "$admin" --json ready
    check "ctl: status" runs 0 "2 idle, 0 busy" ctl --socket "$admin" status
    check "ctl: status as JSON" runs 0 '"state":"ready"' ctl --socket "$admin" --json status
    check "ctl: options" runs 0 "admin_token                         \"(set, not shown)\"" ctl --socket "$admin" options
    check "ctl: metrics" runs 0 'ferrite_workers{state="idle"} 2' ctl --socket "$admin" metrics
    check "ctl: metrics as JSON" runs 0 '"idle_worker_num":2' ctl --socket "$admin" --json metrics
    curl -s -o /dev/null --max-time 60 "$url/hangs" &
    check "ctl: workers" eventually runs 0 "GET /hangs for " ctl --socket "$admin" workers
    check "ctl: workers as JSON" runs 0 '"request":"GET /hangs"' ctl --socket "$admin" --json workers
    check "ctl: reload" runs 0 "the workers are being replaced" ctl --socket "$admin" reload
    check "ctl: drain" runs 0 "/readyz says no" ctl --socket "$admin" drain
    check "ctl: not ready" runs 1 draining ctl --socket "$admin" ready
    export FERRITE_ADMIN=$admin
    check "ctl: the place by the environment" runs 0 "not ready: draining" ctl status
    unset FERRITE_ADMIN
    check "ctl: stop" runs 0 "the server stops" ctl --socket "$admin" --json stop
    check "ctl: what it stops ends with 0" ends_by_itself
    check "ctl: a port: the server starts" start_server "$place/ctl/server.php" 127.0.0.1:0
    admin=$(sed -n 's/^admin //p' "$server_log")
    check "ctl: a port wants its token" runs 1 "401" ctl --socket "$admin" status
    check "ctl: a port, with its token" runs 0 "2 idle" ctl --socket "$admin" --token 0123456789abcdef status
    check "ctl: what is no admin listener" runs 3 "no admin listener" ctl --socket "${url#http://}" --timeout 2 ready
    check "ctl: a port: it ends with 0" stop_server
    file ctlapp/index.php "$SHOW"
    check "ctl: serve --admin" serve --port 0 --no-tls --admin "$place/serve.sock" "$place/ctlapp"
    check "ctl: serve says how to ask" says "ferrite ctl --socket $place/serve.sock status"
    check "ctl: serve is asked" runs 0 "state     ready" ctl --socket "$place/serve.sock" status
    check "ctl: serve ends with 0" stop_server
}
ends_by_itself() {
    local code=0
    wait "$server_pid" || code=$?
    server_pid=
    return $code
}
