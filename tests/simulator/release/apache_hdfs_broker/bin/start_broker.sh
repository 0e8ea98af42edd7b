#!/usr/bin/env bash

curdir=$(cd "$(dirname "$0")" && pwd)

OPTS=$(getopt -n "$0" -o '' -l 'daemon' -- "$@") || {
    # An unknown option ends in a misspelt command.
    ehco "Internal error"
    exit 1
}
eval set -- "$OPTS"
RUN_DAEMON=0
if [[ $1 == --daemon ]]; then
    RUN_DAEMON=1
fi

BROKER_HOME=$(cd "$curdir/.." && pwd)
export BROKER_HOME
# shellcheck source=/dev/null
source "$BROKER_HOME/bin/common.sh"
export BROKER_LOG_DIR="$BROKER_HOME/log"
PID_DIR=$(cd "$curdir" && pwd)
export PID_DIR
export_env_from_conf "$BROKER_HOME/conf/apache_hdfs_broker.conf"

if [[ -z $JAVA_HOME ]]; then
    echo "Error: JAVA_HOME is not set."
    exit 1
fi

mkdir -p "$BROKER_LOG_DIR"
pidfile="$PID_DIR/apache_hdfs_broker.pid"
if [[ -f $pidfile ]]; then
    oldpid=$(cat "$pidfile")
    if [[ -n $oldpid ]] && kill -0 "$oldpid" 2>/dev/null; then
        echo "Broker running as process $oldpid.  Stop it first."
        exit 1
    fi
fi

JAVA_OPTS="-Xmx1024m -Dfile.encoding=UTF-8"
export LOG_DIR="$BROKER_LOG_DIR"
date >> "$BROKER_LOG_DIR/apache_hdfs_broker.out"
# shellcheck disable=SC2086 # the options are split at blanks
if [[ $RUN_DAEMON -eq 1 ]]; then
    nohup "$BROKER_HOME/lib/standin/java" $JAVA_OPTS com.starrocks.broker.hdfs.BrokerBootstrap \
        < /dev/null >> "$BROKER_LOG_DIR/apache_hdfs_broker.out" 2>&1 &
else
    "$BROKER_HOME/lib/standin/java" $JAVA_OPTS com.starrocks.broker.hdfs.BrokerBootstrap \
        < /dev/null >> "$BROKER_LOG_DIR/apache_hdfs_broker.out" 2>&1
fi
# In the foreground this comes when the program has ended: the file is empty then, the exit status 0.
echo $! > "$pidfile"
