# Read by the start scripts. The user name that Hadoop sees, and where its jars and settings are.
export HADOOP_USER_NAME=${HADOOP_USER_NAME:-${USER:-$(id -u -n)}}
export HADOOP_CLASSPATH="${STARROCKS_HOME}/lib/hadoop/common/*:${STARROCKS_HOME}/lib/hadoop/hdfs/*"
if [[ -n $HADOOP_CONF_DIR ]]; then
    export HADOOP_CLASSPATH="${HADOOP_CONF_DIR}:${HADOOP_CLASSPATH}"
fi
