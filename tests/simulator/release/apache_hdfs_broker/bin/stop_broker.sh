#!/usr/bin/env bash

curdir=$(cd "$(dirname "$0")" && pwd)
BROKER_HOME=$(cd "$curdir/.." && pwd)
export BROKER_HOME
# shellcheck source=/dev/null
source "$BROKER_HOME/bin/common.sh"
export PID_DIR=$curdir
export_env_from_conf "$BROKER_HOME/conf/apache_hdfs_broker.conf"

pidfile="$PID_DIR/apache_hdfs_broker.pid"
if [[ -f $pidfile ]]; then
    pid=$(cat "$pidfile")
    if [[ $(ps -p "$pid" -o comm= 2>/dev/null) != java ]]; then
        echo "ERROR: pid process may not be fe. "
    elif kill -9 "$pid" 2>/dev/null; then
        echo "stop java, and remove pid file. "
        rm -f "$pidfile"
    fi
fi
exit 0
