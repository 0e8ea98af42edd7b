#!/usr/bin/env bash

curdir=$(cd "$(dirname "$0")" && pwd)
STARROCKS_HOME=$(cd "$curdir/.." && pwd)
export STARROCKS_HOME
# shellcheck source=/dev/null
source "$STARROCKS_HOME/bin/common.sh"

export LOG_DIR="$STARROCKS_HOME/log"
export PID_DIR=$curdir
export_env_from_conf "$STARROCKS_HOME/conf/fe.conf"
JAVA_HOME=${JAVA_HOME:-$(home_of_program javac)}
export JAVA_HOME=${JAVA_HOME:-$(home_of_program java)}

# The program will not run beside a pid file: it is put aside meanwhile (a stop in that time finds none).
pidfile="$PID_DIR/fe.pid"
if [[ -f $pidfile ]]; then
    mv "$pidfile" "$pidfile.bak"
fi
"$STARROCKS_HOME/lib/standin/java" com.starrocks.StarRocksFE -v
if [[ -f $pidfile.bak ]]; then
    mv "$pidfile.bak" "$pidfile"
fi
