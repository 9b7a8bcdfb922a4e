# The checks of packages/octane. script/checks/packages sources it.

# artisan ARGUMENT ...: of the application, with the extension.
octane_app=$place/octane
artisan() {
    php_arguments
    (cd "$octane_app" && php "${php_args[@]}" artisan octane:ferrite "$@")
}
# says CODE WANTED ARGUMENT ...: artisan ends with this code, and says this.
says() {
    local code=$1 wanted=$2 got got_code=0
    shift 2
    got=$(artisan "$@" 2>&1) || got_code=$?
    [ "$got_code" -eq "$code" ] && grep -qF -- "$wanted" <<<"$got" && return 0
    say "wanted: $wanted ($code)"
    say "got:    $got ($got_code)"
    return 1
}
make_octane() {
    mkdir "$octane_app"
    cp -r "$root"/app-tests/laravel/. "$octane_app/"
    cp -r "$root"/packages/octane/tests/app/. "$octane_app/"
    mkdir -p "$octane_app"/bootstrap/cache "$octane_app"/storage/{framework/{sessions,views},logs,uploads}
    for _ in $(seq 10000); do printf 0123456789; done >"$octane_app/public/digits.txt"
}
token_of() { grep -o 'name="_token" value="[^"]*"' | sed 's/.*value="//;s/"//'; }
octane_login() { # USER URL CURL-ARGUMENT ...
    local user=$1 base=$2 token
    shift 2
    token=$(jar "$user" "$@" "$base/login" | token_of)
    jar "$user" "$@" -o /dev/null --data-urlencode "_token=$token" -d "name=$user" --data-urlencode "password=$user secret" "$base/login"
}
user_sees() { # USER WANTED UNWANTED URL CURL-ARGUMENT ...
    local user=$1 wanted=$2 unwanted=$3 base=$4 page
    shift 4
    page=$(jar "$user" "$@" "$base/account")
    grep -qF -- "$wanted" <<<"$page" && ! grep -qF -- "$unwanted" <<<"$page" && return 0
    say "wanted: $wanted and not $unwanted"
    say "got:    ${page:0:500}"
    return 1
}
cookies_are() { test "$(ask -o /dev/null -D - "${@:2}" | grep -ic '^set-cookie: [ac]=')" -eq "$1"; }
# Two users whose requests alternate on the one worker, and a stranger.
check_octane_users() {
    local name=$1 base=$2 turn
    shift 2
    rm -f "$place"/*.jar
    octane_login ann "$base" "$@"
    octane_login bob "$base" "$@"
    for turn in 1 2 3 4; do
        check "$name: ann, turn $turn" user_sees ann "visit $turn of ann" bob "$base" "$@"
        check "$name: bob, turn $turn" user_sees bob "visit $turn of bob" ann "$base" "$@"
        check "$name: a stranger, turn $turn" status 302 "$@" "$base/account"
        check "$name: an error between them, turn $turn" status 500 "$@" "$base/error"
    done
    check "$name: a flash is seen once" lacks Welcome -b "$place/ann.jar" "$@" "$base/account"
    check "$name: the page of a stranger" answers 'Hello nobody' "$@" "$base/"
    check "$name: the page of ann" answers 'Hello ann' -b "$place/ann.jar" "$@" "$base/"
    check "$name: a request changes what it likes" body_is '["Tests",null,null,null,"en"]' -g "$@" "$base/state?set=changed"
    check "$name: the next finds nothing of it" body_is '["Tests",null,null,null,"en"]' "$@" "$base/state"
    check "$name: a form without its token" status 419 -d name=ann "$@" "$base/login"
}
check_octane_answers() {
    local name=$1 base=$2 protocol=$3
    shift 3
    check "$name: a page" answers 'Good day ä &lt;b&gt;' "$@" "$base/hello/%C3%A4%20%3Cb%3E?greeting=Good+day"
    check "$name: HEAD" status 200 -I "$@" "$base/hello/x"
    check "$name: what there is not" status 404 "$@" "$base/nothing"
    check "$name: a wrong method" status 405 -X PUT "$@" "$base/hello/x"
    check "$name: the page of an exception" answers 'Server Error' "$@" "$base/error"
    check "$name: a redirect" status 303 "$@" "$base/away"
    check "$name: a public file by the reactor" answers_in_head 'accept-ranges: bytes' "$@" "$base/digits.txt"
    check "$name: PHP files are not sent" lacks 'require' "$@" "$base/index.php"
    check "$name: a download" same_as "$octane_app/public/digits.txt" "$@" "$base/download"
    check "$name: a part of it" body_is 5678901234 -r 5-14 "$@" "$base/download"
    check "$name: a part of it is one" status 206 -r 5-14 "$@" "$base/download"
    check "$name: a file that is removed then" body_is once "$@" "$base/gone"
    check "$name: a stream" body_is "$(seq -f 'piece %.0f' 0 999)" "$@" "$base/stream"
    check "$name: JSON" answers '"content":{"a":[1,2]}' -H 'Content-Type: application/json' -d '{"a":[1,2]}' "$@" "$base/json"
    check "$name: an upload" answers "\"size\":$(stat -c %s "$place/small"),\"title\":\"a title\"" -F title='a title' -F "file=@$place/small" "$@" "$base/upload"
    check "$name: it is moved" cmp "$place/small" "$octane_app/storage/uploads/kept"
    check "$name: an upload that lacks a file" status 422 -H 'Accept: application/json' -F title=x "$@" "$base/upload"
    check "$name: a large body" body_is "$(md5_of "$place/large")" -H 'Content-Type: text/plain' -X POST -T "$place/large" "$@" "$base/body"
    check "$name: a form by PUT" body_is '{"input":{"x":"y z"},"method":"PUT","user":"me"}' -X PUT -u me:pw -d 'x=y+z' "$@" "$base/form"
    check "$name: cookies, two of them" cookies_are 2 "$@" "$base/cookies"
    check "$name: what is printed comes first" body_is 'printed, returned' "$@" "$base/echo"
    check "$name: what a client is known by" asked protocol "\"$protocol\"" "$@" "$base/server"
    check "$name: lists are joined" asked a '"1, 2"' -H 'X-A: 1' -H 'X-A: 2' "$@" "$base/server"
    check "$name: Proxy is no variable" asked proxy null -H 'Proxy: http://evil.example' "$@" "$base/server"
    check "$name: no base" asked base '""' "$@" "$base/server"
    check "$name: tasks run in turn" body_is '{"a":2,"b":"two"}' "$@" "$base/tasks"
    check "$name: an error that nobody renders" body_is 'Internal server error.' "$@" "$base/escapes"
    check "$name: is a 500" status 500 "$@" "$base/escapes"
    check "$name: the next request is served" body_is 'before' "$@" "$base/after?x=$protocol"
    check "$name: what comes after the answer" eventually grep -qxF "$protocol" "$octane_app/storage/logs/terminated"
}
# status_http3 WANTED OPTION ... URL
status_http3() {
    local got
    got=$(get_http3 -i "${@:2}") && grep -qxF -- ":status: $1" <<<"$got"
}
has_http3() { # WANTED OPTION ... URL
    local got
    got=$(get_http3 "${@:2}") && grep -qF -- "$1" <<<"$got" && return 0
    say "wanted: $1 in"
    say "got:    ${got:0:300}"
    return 1
}
check_octane_http3() {
    local name=$1 base=$2
    check "$name: a page" has_http3 'Good day &lt;b&gt;' "$base/hello/%3Cb%3E?greeting=Good+day"
    check "$name: what there is not" status_http3 404 "$base/nothing"
    check "$name: a wrong method" status_http3 405 -X PUT "$base/hello/x"
    check "$name: an error" status_http3 500 "$base/error"
    check "$name: a public file" by_http3 "$(cat "$octane_app/public/digits.txt")" "$base/digits.txt"
    check "$name: a download" by_http3 "$(cat "$octane_app/public/digits.txt")" "$base/download"
    check "$name: a part of it" by_http3 5678901234 -H 'Range: bytes=5-14' "$base/download"
    check "$name: a file that is removed then" by_http3 once "$base/gone"
    check "$name: a stream" by_http3 "$(seq -f 'piece %.0f' 0 999)" "$base/stream"
    check "$name: JSON" has_http3 '"content":{"a":[1,2]}' -H 'Content-Type: application/json' -d '{"a":[1,2]}' "$base/json"
    check "$name: a large body" by_http3 "$(md5_of "$place/large")" -H 'Content-Type: text/plain' -X POST -T "$place/large" "$base/body"
    check "$name: a form by PUT" has_http3 '"input":{"x":"y z"}' -X PUT -d 'x=y+z' "$base/form"
    check "$name: what is printed comes first" by_http3 'printed, returned' "$base/echo"
    check "$name: what a client is known by" asked_http3 protocol '"HTTP/3"' "$base/server"
    check "$name: lists are joined" asked_http3 a '"1, 2"' -H 'X-A: 1' -H 'X-A: 2' "$base/server"
    check "$name: a request changes what it likes" by_http3 '["Tests",null,null,null,"en"]' "$base/state?set=changed"
    check "$name: the next finds nothing of it" by_http3 '["Tests",null,null,null,"en"]' "$base/state"
    check "$name: an error that nobody renders" by_http3 'Internal server error.' "$base/escapes"
}
check_octane_table() {
    local table=$url/table
    check "octane: a row" body_is true "$table?do=set&key=a&value=1"
    check "octane: it is there" body_is '"1"' "$table?do=get&key=a"
    check "octane: one that is not" body_is false "$table?do=get&key=b"
    check "octane: is replaced" body_is true "$table?do=set&key=a&value=2"
    check "octane: by the new value" body_is '"2"' "$table?do=get&key=a"
    check "octane: a path is a key like any other" body_is true "$table?do=set&key=../../x&value=y"
    check "octane: no longer than allowed" answers 'octane.cache.bytes allows 100' "$table?do=set&key=long&value=$(printf '%0101d' 0)"
    check "octane: the last that there is room for" body_is true "$table?do=set&key=c&value=3&seconds=-1"
    check "octane: an expired one gives way" body_is true "$table?do=set&key=d&value=4"
    check "octane: others do not" body_is false "$table?do=set&key=e&value=5"
    check "octane: all rows" body_is '2,4,y' "$table-sorted"
    check "octane: a row is removed" body_is true "$table?do=del&key=a"
    check "octane: once" body_is false "$table?do=del&key=a"
}
check_octane() {
    local secure pid former
    needs "ferrite/octane" Illuminate/autoload.php Symfony/Component/Console/autoload.php || return
    make_octane
    export OCTANE_PACKAGE=$root/packages/octane
    head -c 3000000 /dev/urandom >"$place/large"
    head -c 1000000 "$place/large" >"$place/small"
    check "octane: status without a server" says 1 'The server does not run.' status
    check "octane: reload without a server" says 1 'The server does not run.' reload
    check "octane: stop without a server" says 1 'The server does not run.' stop
    check "octane: an unknown action" says 2 'The action is start, reload, stop or status.' restart
    check "octane: a wrong port" says 2 "--port is a number from 0 to 65535, 'x' was given." start --port=x
    check "octane: a wrong number of workers" says 2 "--workers is a number from 1, or auto; '0' was given." start --workers=0
    if ! start_server "$octane_app/artisan" octane:ferrite --port=0 --https-port=0; then
        check "octane: starts" false
        return
    fi
    secure=$(grep -om 1 'https://127\.0\.0\.1:[0-9]*' "$server_log")
    check "octane: status" says 0 "The server runs at $url/, process $server_pid." status
    check "octane: it starts once" says 1 'The server runs already' start
    check_octane_answers "octane, HTTP/1.1" "$url" HTTP/1.1
    check_octane_answers "octane, HTTP/2" "$secure" HTTP/2 -k --http2
    check_octane_http3 "octane, HTTP/3" "$secure"
    check "octane: TLS is known" asked secure true -k "$secure/server"
    check_octane_users "octane, HTTP/1.1" "$url"
    check_octane_users "octane, HTTP/2" "$secure" -k --http2
    check_octane_table
    check "octane: dd() is an answer" answers 'sapi is cli' "$url/dump"
    check "octane: exit() is one" body_is 'left' "$url/exit"
    check "octane: nothing of it is left" body_is '["Tests",null,null,null,"en"]' "$url/state"
    former=$(ask "$url/pid")
    check "octane: reloads" says 0 'The workers are being replaced.' reload
    check "octane: another worker answers" eventually answers_otherwise "$former" "$url/pid"
    check "octane: stops" says 0 'The server has stopped.' stop
    check "octane: it has" says 1 'The server does not run.' status
    check "octane: and leaves no state" test ! -e "$octane_app/storage/logs/octane-ferrite-state.json"
    wait "$server_pid"
    check "octane: with 0" test $? -eq 0
    server_pid=
    # A number of a process that is another's by now is not the server's.
    printf '{"masterProcessId":%d,"masterStartTime":"1","state":{}}' $$ >"$octane_app/storage/logs/octane-ferrite-state.json"
    check "octane: does not stop another process" says 1 'The server does not run.' stop
    echo 'not JSON' >"$octane_app/storage/logs/octane-ferrite-state.json"
    check "octane: a broken state file" says 1 'The server does not run.' status
}
answers_otherwise() { local got; got=$(ask "$2") && [ -n "$got" ] && [ "$got" != "$1" ]; }
