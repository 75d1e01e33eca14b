#!/bin/bash
# The whole product on real pages: a private Redis, cx-aggregator and nginx on
# loopback, all in a temporary directory that goes away with this script.
#
#   run.sh                live figures in the terminal until Ctrl-C
#   DRIVE=1 run.sh        a headless Chromium is the visitor; exit status 0 if
#                         Redis then says what the browser did
#   DRIVE=1 KEEP=1 ...    and then live figures until Ctrl-C
#
# PORT is the port to listen on; default: the first free one from 8080.

set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$(cd "$top" && realpath -m "${BUILD:-build}")
doc=/usr/share/doc
site=demo
dir=
job=                    # what we wait for: a sleep, the browser's driver
pids=()                 # servers

PATH=$PATH:/usr/sbin:/sbin


fail() {
    echo "demo: $*" >&2
    exit 1
}


# ends a process that we started: TERM, after 5 s KILL
end() {
    local i

    kill -TERM "$1" 2>/dev/null || return
    for (( i = 0; i < 100; i++ )); do
        kill -0 "$1" 2>/dev/null || return
        sleep 0.05
    done
    kill -KILL "$1" 2>/dev/null
}


# nginx before the aggregator, so that what it still has is counted
cleanup() {
    trap '' INT TERM HUP
    local i

    [ -n "$job" ] && end "$job"
    for (( i = ${#pids[@]} - 1; i >= 0; i-- )); do
        end "${pids[i]}"
    done

    [ -n "$dir" ] && rm -rf "$dir"
}


# start NAME COMMAND...: in the background, its output in NAME.out; not asked
# to end by the Ctrl-C that is for us
start() {
    local name=$1

    shift
    setsid "$@" >"$dir/$name.out" 2>&1 </dev/null &
    pids+=($!)
}


# until SECONDS COMMAND...: waits for it to succeed, while all servers run
until_up() {
    local end=$(( SECONDS + $1 )) pid

    shift
    until "$@" >/dev/null 2>&1; do
        for pid in "${pids[@]}"; do
            kill -0 "$pid" 2>/dev/null || return 1
        done
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}


free_port() {
    perl -MIO::Socket::INET -e '
        for my $port ($ENV{PORT} || (8080 .. 8180), 0) {
            my $s = IO::Socket::INET->new(Listen => 1, ReuseAddr => 1,
                LocalAddr => "127.0.0.1", LocalPort => $port) or next;
            print $s->sockport;
            exit;
        }'
}


ctl() {
    "$build/cxctl" --redis "unix:$dir/redis.sock" --site "$site" "$@"
}


servers() {
    local log

    start redis redis-server --port 0 --unixsocket "$dir/redis.sock" \
        --unixsocketperm 777 --dir "$dir" --save '' --appendonly no
    until_up 10 redis-cli -s "$dir/redis.sock" ping \
        || fail "redis-server does not start: $(tail -3 "$dir/redis.out")"

    start aggregator "$build/cx-aggregator" \
        --redis "unix:$dir/redis.sock" --site "$site" --interval 200ms \
        --thresholds "$here/thresholds.conf" \
        --score-interval 500ms

    sed -e "s|@DIR@|$dir|g" -e "s|@PORT@|$port|g" \
        -e "s|@MODULE@|$build/ngx_http_cx_module.so|g" \
        -e "s|@SURVEYS@|$here/surveys.json|g" \
        -e "s|@THRESHOLDS@|$here/thresholds.conf|g" \
        -e "s|@PYTHON@|$doc/python3-doc/html|g" \
        -e "s|@SQLITE@|$doc/sqlite3|g" \
        -e "s|@LIBFFI@|$doc/libffi8/html|g" \
        "$here/nginx.conf" >"$dir/nginx.conf"

    # the tests run it with a sanitizer, too
    start nginx env ${CX_PRELOAD:+LD_PRELOAD="$CX_PRELOAD"} \
        nginx -p "$dir/" -e "$dir/error.log" -c "$dir/nginx.conf"
    until_up 10 curl -fs -o "$dir/up" "http://127.0.0.1:$port/status" || {
        log=$(cat "$dir/nginx.out" "$dir/error.log" "$dir/aggregator.out")
        fail "a server does not start: $log"
    }
}


# the rollups, redrawn in a terminal, printed when they change elsewhere
live() {
    local now last=

    while :; do
        now=$(ctl pages 2>&1)

        if [ -t 1 ]; then
            printf '\033[H\033[2J%s\n\n%s\n' "$invitation" "$now"
        elif [ "$now" != "$last" ]; then
            printf '%s\n' "$now"
            last=$now
        fi

        sleep 2 &
        job=$!
        wait $job
    done
}


drive() {
    local status

    mkdir -p "$build/demo"
    CX_NODE_MODULES=${CX_NODE_MODULES:-$top/build/node/node_modules} \
        node "$here/drive.mjs" "$url" "$dir/redis.sock" "$site" \
        "$build/demo" &
    job=$!
    wait $job
    status=$?
    job=

    printf '\n'
    ctl pages
    printf '\n'
    ctl surveys
    printf '\n'
    ctl verbatims
    printf '\nscreenshots of the prompts: %s/demo/\n' "$build"
    return $status
}


trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

for file in ngx_http_cx_module.so cx-aggregator cxctl; do
    [ -e "$build/$file" ] || fail "$build/$file is not there: run make first"
done

for pages in python3-doc/html sqlite3 libffi8/html; do
    [ -e "$doc/$pages/index.html" ] \
        || fail "no pages in $doc/$pages: run make deps first"
done

# short, for the name of a socket; open, for nginx's worker
dir=$(mktemp -d /tmp/cx-demo-XXXXXX) || exit 1
chmod 711 "$dir"

port=$(free_port)
[ -n "$port" ] || fail "no free port on 127.0.0.1"

url=http://127.0.0.1:$port
servers

invitation="ngx_cx watches $url/ : browse it, answer what it asks, click what \
does not work.  Ctrl-C ends it.
    NPS   $url/python/tutorial/index.html
    CSAT  $url/python/library/functions.html
    CES   $url/sqlite/lang_select.html
    PSAT  $url/libffi/index.html
    faces $url/python/faq/general.html
    tab   $url/sqlite/index.html
    all   $url/_cx/preview
    why   $url/python/howto/index.html?cx_debug=1
    form  $url/_cx/survey/tutorial-nps
    counters of nginx $url/status, Redis: redis-cli -s $dir/redis.sock"

printf '%s\n' "$invitation"

if [ -n "${DRIVE:-}" ]; then
    drive
    status=$?
    [ -n "${KEEP:-}" ] || exit $status
    printf 'driven: exit status %s\n' "$status"
fi

live
