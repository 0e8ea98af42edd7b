#!/usr/bin/env bash

curdir=$(cd "$(dirname "$0")" && pwd)
STARROCKS_HOME=$(cd "$curdir/.." && pwd)
export STARROCKS_HOME
# shellcheck source=/dev/null
source "$STARROCKS_HOME/bin/common.sh"

#@if >=3.5.7
OPTS=$(getopt -n "$0" -o 'gh' -l 'graceful,timeout:,help' -- "$@")
#@else
OPTS=$(getopt -n "$0" -o 'gh' -l 'graceful,help' -- "$@")
#@end
eval set -- "$OPTS"
SIGNAL=9
TIMEOUT=
while [[ $1 != -- ]]; do
    case "$1" in
        -g|--graceful) SIGNAL=15; shift ;;
        --timeout) TIMEOUT=$2; shift 2 ;;
        -h|--help) echo "Usage: $0 [-g|--graceful] [--timeout SECONDS]"; exit 0 ;;
    esac
done

export PID_DIR=$curdir
export_env_from_conf "$STARROCKS_HOME/conf/cn.conf"
pidfile="$PID_DIR/cn.pid"
if [[ ! -f $pidfile ]]; then
#@if >=3.5.7
    exit 0
#@else
    echo "$pidfile does not exist"
    exit 1
#@end
fi
pid=$(cat "$pidfile")
if [[ $(ps -p "$pid" -o comm= 2>/dev/null) != starrocks_be ]]; then
#@if >=3.5.7
    echo "ERROR: pid process may not be CN"
#@else
    echo "ERROR: pid process may not be cn. "
#@end
    exit 1
fi

#@if <3.5.7
# The signal is sent, the process not waited for.
if kill -s "$SIGNAL" "$pid" 2>/dev/null; then
    echo "stop starrocks_be using signal $SIGNAL, and remove pid file. "
    rm -f "$pidfile"
fi
#@else
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
