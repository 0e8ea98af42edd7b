// What a front end asks of back ends and compute nodes (heartbeat) and of brokers (ping).
// Ids and types as in StarRocks 3.5.0; the protocol is TBinaryProtocol over a plain socket. The structures of
// 3.2 to 3.4 are parts of these (starrocks.md section 9).

enum TRunMode { SHARED_NOTHING = 0, SHARED_DATA = 1, HYBRID = 2 }

enum TNodeType { Backend = 0, Compute = 1 }

enum TStatusCode { OK = 0, INTERNAL_ERROR = 6, SHUTDOWN = 59 }

struct TNetworkAddress {
    1: required string hostname
    2: required i32 port
}

struct TMasterInfo {
    1: required TNetworkAddress network_address
    2: optional i32 cluster_id
    3: required i64 epoch
    4: optional string token
    5: optional string backend_ip
    6: optional i32 http_port
    7: optional i64 heartbeat_flags
    8: optional i64 backend_id
    9: optional i64 min_active_txn_id = 0
    10: optional TRunMode run_mode
    11: optional list<string> disabled_disks
    12: optional list<string> decommissioned_disks
    13: optional bool encrypted
    14: optional bool stop_regular_tablet_report
    15: optional TNodeType node_type
}

struct TStatus {
    1: required TStatusCode status_code
    2: optional list<string> error_msgs
}

struct TBackendInfo {
    1: required i32 be_port
    2: required i32 http_port
    3: optional i32 be_rpc_port
    4: optional i32 brpc_port
    5: optional string version
    6: optional i32 num_hardware_cores
    7: optional i32 starlet_port
    8: optional i64 reboot_time  // seconds
    9: optional bool is_set_storage_path
    10: optional i64 mem_limit_bytes
    11: optional i32 arrow_flight_port
}

struct THeartbeatResult {
    1: required TStatus status
    2: required TBackendInfo backend_info
}

service HeartbeatService {
    THeartbeatResult heartbeat(1: TMasterInfo master_info)
}

enum TBrokerVersion { VERSION_ONE = 1 }

enum TBrokerOperationStatusCode { OK = 0 }

struct TBrokerPingBrokerRequest {
    1: required TBrokerVersion version
    2: required string clientId
}

struct TBrokerOperationStatus {
    1: required TBrokerOperationStatusCode statusCode
    2: optional string message
}

service TFileBrokerService {
    TBrokerOperationStatus ping(1: TBrokerPingBrokerRequest request)
}
