#!/usr/bin/env bash

curdir=$(cd "$(dirname "$0")" && pwd)

# An unknown option is reported by getopt and dropped; the start goes on.
OPTS=$(getopt \
    -n "$0" \
    -o '' \
    -l 'daemon' \
    -l 'helper:' \
    -l 'host_type:' \
    -l 'debug' \
    -l 'logconsole' \
#@if >=3.4
    -l 'cluster_snapshot' \
#@end
#@if >=4.0
    -l 'failpoint' \
#@end
    -- "$@")
eval set -- "$OPTS"

RUN_DAEMON=0
LOG_TO_CONSOLE=0
#@if >=3.2
LOG_TO_CONSOLE=${SYS_LOG_TO_CONSOLE:-0}
#@end
DEBUG_OPTION=
ENABLE_FAILPOINT=0
ARGUMENTS=()
while [[ $1 != -- ]]; do
    case "$1" in
        --daemon) RUN_DAEMON=1; shift ;;
        --helper) ARGUMENTS+=(-helper "$2"); shift 2 ;;
        --host_type) ARGUMENTS+=(-host_type "$2"); shift 2 ;;
        --debug) DEBUG_OPTION="-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=*:5005"; shift ;;
        --logconsole) LOG_TO_CONSOLE=1; shift ;;
        --cluster_snapshot) ARGUMENTS+=(-cluster_snapshot); shift ;;
        --failpoint) ENABLE_FAILPOINT=1; shift ;;
    esac
done

STARROCKS_HOME=$(cd "$curdir/.." && pwd)
export STARROCKS_HOME
export DORIS_HOME="$STARROCKS_HOME"
# shellcheck source=/dev/null
source "$STARROCKS_HOME/bin/common.sh"

if [[ $(ulimit -u) != unlimited && $(ulimit -u) -lt 65535 ]]; then
    ulimit -u 65535
fi

export LOG_DIR="$STARROCKS_HOME/log"
PID_DIR=$(cd "$curdir" && pwd)
export PID_DIR
export_env_from_conf "$STARROCKS_HOME/conf/fe.conf"
if [[ -e "$STARROCKS_HOME/conf/hadoop_env.sh" ]]; then
    # shellcheck source=/dev/null
    source "$STARROCKS_HOME/conf/hadoop_env.sh"
fi

if [[ -z $JAVA_HOME ]]; then
    JAVA_HOME=$(home_of_program javac)
#@if >=3.4
    [[ -n $JAVA_HOME ]] || JAVA_HOME=$(home_of_program java)
#@end
    if [[ -z $JAVA_HOME ]]; then
        echo "Error: JAVA_HOME is not set and no JDK was found on the PATH."
        echo "Install a JDK, then set JAVA_HOME in the environment or in"
        echo "$STARROCKS_HOME/conf/fe.conf"
        exit 1
    fi
    export JAVA_HOME
fi
#@if <3.4
if [[ ! -e "$JAVA_HOME/bin/javac" ]]; then
    echo "Error: It appears that your JAVA_HOME environment variable is pointing to a non-JDK path: $JAVA_HOME"
    echo "Point it at a full JDK, one with bin/javac."
    exit 1
fi
#@end
JAVA="$JAVA_HOME/bin/java"
JAVA_VERSION=$(java_major_version "$JAVA" 2>/dev/null)

#@if <3.1
final_java_opt=$JAVA_OPTS
if [[ ${JAVA_VERSION:-0} -gt 8 ]]; then
    if [[ -z $JAVA_OPTS_FOR_JDK_9 ]]; then
        echo "JAVA_OPTS_FOR_JDK_9 is not set in fe.conf, and JDK $JAVA_VERSION needs it"
        exit 255
    fi
    final_java_opt=$JAVA_OPTS_FOR_JDK_9
fi
if [[ ${JAVA_VERSION:-0} -lt 11 ]]; then
    echo "Tips: current JDK version is $JAVA_VERSION, JDK 11 or 17 is highly recommended for better performance"
fi
#@end
#@if >=3.1 <3.3
if [[ $JAVA_VERSION == 9 || $JAVA_VERSION == 10 ]]; then
    echo "JDK $JAVA_VERSION is not supported, please use JDK 8, 11 or 17"
    exit 255
fi
#@end
#@if >=3.3 <3.5
if [[ ${JAVA_VERSION:-0} -lt 11 ]]; then
    echo "Error: JDK $JAVA_VERSION is not supported, please use JDK version 11 or higher"
    exit 255
fi
#@end
#@if >=3.1 <3.5
final_java_opt=$JAVA_OPTS
if [[ $JAVA_VERSION == 11 ]]; then
    final_java_opt=${JAVA_OPTS_FOR_JDK_11:-${JAVA_OPTS_FOR_JDK_9:-$JAVA_OPTS}}
fi
#@end
#@if >=3.5
if [[ ${JAVA_VERSION:-0} -lt 17 ]]; then
    echo "Error: JDK $JAVA_VERSION is not supported, please use JDK version 17 or higher"
    exit 255
fi
final_java_opt=$JAVA_OPTS
if [[ -n $JAVA_OPTS_FOR_JDK_11 ]]; then
    echo "Warning: JAVA_OPTS_FOR_JDK_11 is deprecated and overrides JAVA_OPTS; set JAVA_OPTS in fe.conf alone"
    final_java_opt=$JAVA_OPTS_FOR_JDK_11
fi
#@end
if [[ -z $final_java_opt ]]; then
    final_java_opt="-Xmx8192m -XX:+UseG1GC"
fi
if [[ $FE_ENABLE_AUTO_JVM_XMX_DETECT == true && -e /.dockerenv ]]; then
    limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null)
    if [[ $limit =~ ^[0-9]+$ ]]; then
        final_java_opt+=" -Xmx$((limit / 1048576 * ${FE_JVM_XMX_PERCENTAGE:-70} / 100))m"
    fi
fi
final_java_opt="$final_java_opt $DEBUG_OPTION"

#@if >=4.0
if [[ $ENABLE_FAILPOINT -eq 1 && ! -e "$STARROCKS_HOME/conf/failpoint.btm" ]]; then
    echo "failpoint config file does not exist: $STARROCKS_HOME/conf/failpoint.btm"
    exit 1
fi
#@end

mkdir -p "$LOG_DIR"
#@if >=3.2
meta_dir=$(sed -n 's/^[[:blank:]]*meta_dir[[:blank:]]*=[[:blank:]]*//p' "$STARROCKS_HOME/conf/fe.conf" | tail -n 1)
meta_dir=$(eval "echo ${meta_dir:-$STARROCKS_HOME/meta}")
mkdir -p "$meta_dir"
#@end

pidfile="$PID_DIR/fe.pid"
if [[ -e $pidfile ]]; then
    oldpid=$(cat "$pidfile")
#@if <3.1
    if kill -0 "$oldpid" 2>/dev/null; then
#@else
    if ps -p "$oldpid" -o command= 2>/dev/null | grep -q StarRocksFE; then
#@end
        echo "Frontend running as process $oldpid. Stop it first."
        exit 1
    fi
fi

export SYS_LOG_TO_CONSOLE="$LOG_TO_CONSOLE"
if [[ $LOG_TO_CONSOLE -eq 0 ]]; then
    exec >> "$LOG_DIR/fe.out" 2>&1
fi
echo "start time: $(date), server uptime: $(uptime)"

# shellcheck disable=SC2086 # the options are split at blanks
if [[ $RUN_DAEMON -eq 1 ]]; then
    nohup "$STARROCKS_HOME/lib/standin/java" $final_java_opt com.starrocks.StarRocksFE "${ARGUMENTS[@]}" < /dev/null &
else
    exec "$STARROCKS_HOME/lib/standin/java" $final_java_opt com.starrocks.StarRocksFE "${ARGUMENTS[@]}" < /dev/null
fi
