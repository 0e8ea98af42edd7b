#!/usr/bin/env bash

curdir=$(cd "$(dirname "$0")" && pwd)
STARROCKS_HOME=$(cd "$curdir/.." && pwd)
export STARROCKS_HOME
# shellcheck source=/dev/null
source "$STARROCKS_HOME/bin/common.sh"

#@if >=3.4
usage() {
    cat <<'USAGE'

This script is used to stop FE process
Usage:
    ./stop_fe.sh [option]

Options:
    -h, --help              display this usage only
    -g, --graceful          send USER1 to FE process instead of SIGTERM
    --timeout               specify the timeout for graceful exit

USAGE
}

OPTS=$(getopt -n "$0" -o 'gh' -l 'graceful,timeout:,help' -- "$@")
eval set -- "$OPTS"
SIGNAL=TERM
TIMEOUT=
while [[ $1 != -- ]]; do
    case "$1" in
        -g|--graceful) SIGNAL=USR1; shift ;;
        --timeout) TIMEOUT=$2; shift 2 ;;
        -h|--help) usage; exit 0 ;;
    esac
done

#@end
PID_DIR=$curdir
export PID_DIR
export_env_from_conf "$STARROCKS_HOME/conf/fe.conf"
pidfile="$PID_DIR/fe.pid"
if [[ ! -f $pidfile ]]; then
    exit 0
fi
pid=$(cat "$pidfile")

#@if <3.4
if [[ $(ps -p "$pid" -o comm= 2>/dev/null) != java ]]; then
    echo "ERROR: pid process may not be fe. "
fi
# Whatever the process is, it is told to end.
if kill -TERM "$pid" 2>/dev/null; then
    while kill -0 "$pid" 2>/dev/null; do
        echo "waiting fe to stop, pid: $pid"
        sleep 2
    done
    echo "stop java, and remove pid file. "
    rm -f "$pidfile"
fi
#@else
#@if >=4.1
if ! kill -0 "$pid" 2>/dev/null; then
    echo "Process $pid does not exist, removing stale pid file"
    rm -f "$pidfile"
    exit 0
fi
comm=$(ps -p "$pid" -o comm=)
if [[ $comm != java ]]; then
    echo "ERROR: Process $pid is not a Java process (comm: $comm)"
    exit 1
fi
if ! ps -p "$pid" -o command= | grep -q StarRocksFE; then
    echo "ERROR: Process $pid is not a StarRocksFE process"
    exit 1
fi
#@else
if [[ $(ps -p "$pid" -o comm= 2>/dev/null) != java ]]; then
    echo "ERROR: pid process may not be FE. "
    exit 1
fi
#@end
kill -s "$SIGNAL" "$pid" 2>/dev/null
waited=0
while kill -0 "$pid" 2>/dev/null; do
    if [[ -n $TIMEOUT && $waited -ge $TIMEOUT ]]; then
        kill -KILL "$pid" 2>/dev/null
        echo "graceful exit timeout, forced termination of the process"
        break
    fi
    sleep 1
    waited=$((waited + 1))
done
rm -f "$pidfile"
#@end
