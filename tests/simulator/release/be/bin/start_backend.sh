#!/usr/bin/env bash

curdir=$(cd "$(dirname "$0")" && pwd)

# An unknown option is reported by getopt and dropped; the start goes on.
OPTS=$(getopt \
    -n "$0" \
    -o '' \
    -l 'daemon' \
    -l 'logconsole' \
    -l 'cn' \
    -l 'be' \
    -l 'numa:' \
    -l 'meta_tool' \
    -l 'check_mem_leak' \
#@if >=3.4
    -l 'jemalloc_debug' \
#@end
#@if >=4.1
    -l 'enable-profile:' \
#@end
    -- "$@")
eval set -- "$OPTS"

RUN_DAEMON=0
RUN_CN=0
LOG_TO_CONSOLE=${SYS_LOG_TO_CONSOLE:-0}
NUMA_NODE=
while [[ $1 != -- ]]; do
    case "$1" in
        --daemon) RUN_DAEMON=1; shift ;;
        --cn) RUN_CN=1; shift ;;
        --logconsole) LOG_TO_CONSOLE=1; shift ;;
        --numa) NUMA_NODE=$2; shift 2 ;;
        --enable-profile) shift 2 ;;
        *) shift ;;
    esac
done

STARROCKS_HOME=$(cd "$curdir/.." && pwd)
export STARROCKS_HOME
# shellcheck source=/dev/null
source "$STARROCKS_HOME/bin/common.sh"

if [[ $RUN_CN -eq 1 ]]; then
    kind=cn
    ARGUMENTS=(--cn)
else
    kind=be
    ARGUMENTS=()
fi

if [[ $(ulimit -n) != unlimited && $(ulimit -n) -lt 60000 ]]; then
    ulimit -n 65535
fi

export UDF_RUNTIME_DIR="$STARROCKS_HOME/lib/udf-runtime"
export LOG_DIR="$STARROCKS_HOME/log"
PID_DIR=$(cd "$curdir" && pwd)
export PID_DIR
export AWS_EC2_METADATA_DISABLED=${AWS_EC2_METADATA_DISABLED:-false}
export_env_from_conf "$STARROCKS_HOME/conf/$kind.conf"
if [[ -e "$STARROCKS_HOME/conf/hadoop_env.sh" ]]; then
    # shellcheck source=/dev/null
    source "$STARROCKS_HOME/conf/hadoop_env.sh"
fi

if [[ -z $JAVA_HOME ]]; then
    echo "JAVA_HOME env not set. Functions or features that requires jni will not work at all."
#@if >=3.5
elif [[ $(java_major_version "$JAVA_HOME/bin/java" 2>/dev/null) -lt 17 ]]; then
    echo "Warning: JAVA_HOME points to a JDK older than 17, which features that need jni do not support"
#@end
fi

mkdir -p "$LOG_DIR" "$UDF_RUNTIME_DIR"

pidfile="$PID_DIR/$kind.pid"
if [[ -e $pidfile ]]; then
    oldpid=$(cat "$pidfile")
    if [[ $(ps -p "$oldpid" -o comm= 2>/dev/null) == starrocks_be ]]; then
        echo "Backend running as process $oldpid. Stop it first."
        exit 1
    fi
    rm "$pidfile"
fi

export PYTHONPYCACHEPREFIX="$UDF_RUNTIME_DIR/pycache-@RECIPE@"
COMMAND=("$STARROCKS_HOME/lib/starrocks_be" "${ARGUMENTS[@]}")
if [[ -n $NUMA_NODE ]]; then
    COMMAND=(numactl --cpubind "$NUMA_NODE" --membind "$NUMA_NODE" "${COMMAND[@]}")
fi

export SYS_LOG_TO_CONSOLE="$LOG_TO_CONSOLE"
if [[ $LOG_TO_CONSOLE -eq 0 ]]; then
    exec >> "$LOG_DIR/$kind.out" 2>&1
fi
echo "start time: $(date), server uptime: $(uptime)"

if [[ $RUN_DAEMON -eq 1 ]]; then
    nohup "${COMMAND[@]}" < /dev/null &
else
    exec "${COMMAND[@]}" < /dev/null
fi
