//! Every key with its default, range and purpose. README and `duijie config` show this table.

use std::ops::RangeInclusive;

/// One key of the configuration.
#[derive(Debug, Clone)]
pub struct Key {
    /// Section and name, such as `server.listen`.
    pub name: &'static str,
    /// Default value.
    pub default: &'static str,
    /// Lowest and highest allowed number; `None` if the value is not a number.
    pub range: Option<RangeInclusive<f64>>,
    /// Purpose, in Chinese.
    pub what: &'static str,
}

const fn text(name: &'static str, default: &'static str, what: &'static str) -> Key {
    Key { name, default, range: None, what }
}

const fn number(name: &'static str, default: &'static str, range: RangeInclusive<f64>, what: &'static str) -> Key {
    Key { name, default, range: Some(range), what }
}

/// Renamed keys: old name and new name. The old name still works, with a warning.
pub const RENAMED: &[(&str, &str)] =
    &[("model.centre", "model.mean_vector"), ("match.bm25_half", "match.bm25_saturation")];

/// Keys whose values are not shown.
pub(super) const SECRETS: [&str; 2] = ["client.api_key", "qdrant.api_key"];

/// All keys.
pub const KEYS: &[Key] = &[
    text("server.listen", "127.0.0.1:50051", "gRPC 服务监听的地址和端口"),
    number("server.max_calls", "256", 1.0..=100_000.0, "同时处理的调用数，超出即返回 RESOURCE_EXHAUSTED"),
    number(
        "server.target_wait_ms",
        "100",
        1.0..=60_000.0,
        "过载时的目标：处理中的调用等待处理器、引擎和模型的平均时间，毫秒；据此增减同时处理的调用数（导入不计）",
    ),
    number(
        "server.burst_wait_ms",
        "300",
        0.0..=60_000.0,
        "短时集中到来的调用最多排队多久，毫秒；排队持续超过此时间即为过载，其余调用立即返回 RESOURCE_EXHAUSTED 和重试时间",
    ),
    number(
        "server.max_streams",
        "128",
        1.0..=100_000.0,
        "同时进行的数据流（导入、导出、订阅等）数，超出即返回 RESOURCE_EXHAUSTED",
    ),
    number("server.max_message_bytes", "33554432", 65_536.0..=1_073_741_824.0, "收到的单条消息的最大字节数"),
    number(
        "server.caller_share",
        "50",
        1.0..=100.0,
        "空位不足四分之一时，一个调用方（按密钥，没有密钥的按来源地址）最多占用各类名额的百分之几；都经同一网关访问时设为 100",
    ),
    number(
        "server.max_inflight_bytes",
        "536870912",
        16_777_216.0..=1_099_511_627_776.0,
        "所有在途调用合计占用的内存（按解压后的消息估算，导入按 16 倍计），字节；超出即返回 RESOURCE_EXHAUSTED",
    ),
    number("server.request_timeout_ms", "30000", 10.0..=3_600_000.0, "一次调用的请求须在多久内完整送达，毫秒"),
    number("server.message_timeout_ms", "120000", 10.0..=3_600_000.0, "流式导入中下一条消息须在多久内送达，毫秒"),
    number(
        "server.max_connections",
        "1000",
        1.0..=1_000_000.0,
        "连接数，不超过系统许可打开文件数的一半；超出的立即关闭",
    ),
    number("server.max_connection_calls", "128", 1.0..=100_000.0, "一个连接上同时进行的调用数，超出的在客户端等待"),
    number("server.handshake_timeout_ms", "10000", 10.0..=600_000.0, "新连接须在多久内发出首批字节，毫秒"),
    number("server.idle_timeout_ms", "900000", 10.0..=86_400_000.0, "没有调用的连接在多久后关闭，毫秒"),
    number(
        "server.max_connection_age_ms",
        "86400000",
        0.0..=2_592_000_000.0,
        "连接多久后不再接受新调用（客户端自动另建连接），毫秒；0 为不限",
    ),
    number(
        "server.max_connection_grace_ms",
        "21600000",
        10.0..=2_592_000_000.0,
        "此后留给未完调用的时间，毫秒；届时仍未结束的数据流随连接关闭，订阅凭令牌继续",
    ),
    number("server.default_deadline_ms", "30000", 10.0..=3_600_000.0, "调用方未设时限时的时限，毫秒"),
    number("server.drain_ms", "10000", 0.0..=600_000.0, "停止服务时等待在途调用完成的时间，毫秒"),
    text("store.folder", "data/store", "内嵌存储所在的文件夹；设了 qdrant.url 时不用"),
    number("store.optimize_points", "10000", 100.0..=10_000_000.0, "积累多少条未建索引的记录后开始后台建索引"),
    number(
        "store.disk_reserve_mb",
        "512",
        64.0..=1_000_000.0,
        "磁盘剩余空间少于此数（MB）或下一次建索引所需（最大数据段的两倍）时停止写入和建索引，查询照常；只对内嵌存储起作用",
    ),
    text("qdrant.url", "", "Qdrant 的 gRPC 地址，如 http://127.0.0.1:6334，集群的多个节点以逗号分隔；空为使用内嵌引擎"),
    text("qdrant.api_key", "", "Qdrant 的访问密钥"),
    text("qdrant.ca_file", "", "签发 Qdrant 证书的机构证书（PEM）；空为使用系统信任的机构。地址为 https 时启用 TLS"),
    text("qdrant.prefix", "duijie", "集合名的前缀；同一 Qdrant 上的几套数据用不同的前缀"),
    number("qdrant.connect_timeout_ms", "2000", 10.0..=60_000.0, "连接 Qdrant 的时限，毫秒"),
    number("qdrant.timeout_ms", "10000", 10.0..=600_000.0, "一次尝试的时限，毫秒；调用方所余的时限更短时从之"),
    number("qdrant.attempts", "3", 1.0..=10.0, "一次请求最多尝试的次数（含首次），不超过时限"),
    number("qdrant.shard_number", "1", 1.0..=1024.0, "每个集合的分片数；只在建立集合时起作用"),
    number("qdrant.replication_factor", "1", 1.0..=16.0, "每个分片的副本数；集群应为 3，至少为 2"),
    number(
        "qdrant.write_consistency_factor",
        "1",
        1.0..=16.0,
        "写入须由几个副本确认；须少于副本数，否则少一个节点即不能写入",
    ),
    text(
        "qdrant.write_ordering",
        "medium",
        "同一记录的写入次序由谁保证：medium（在线的主副本）或 strong（固定的主副本，其节点失联时不能写入）",
    ),
    text("qdrant.vectors_on_disk", "false", "原始向量是否只放磁盘：千万条以上且已量化时为 true"),
    text("qdrant.payload_on_disk", "true", "记录正文是否只放磁盘"),
    text("qdrant.quantization", "none", "向量量化：none、int8（内存为四分之一）、binary（三十二分之一）"),
    number("qdrant.oversampling", "3", 1.0..=100.0, "量化检索多取的倍数，再以原始向量重排"),
    text(
        "model.source",
        "models/e5-small-zh",
        "向量模型：文件夹，或 fastembed 列表中的模型名（须能访问模型库或其镜像）",
    ),
    text(
        "model.mean_vector",
        "",
        "向量中心文件（由 duijie mean-vector 生成）；空为模型自带的，none 为不用中心。改动后须执行 duijie reindex",
    ),
    text("model.cache", "data/hub", "从模型库取来的模型存放的文件夹"),
    text("model.runtime", "runtime/libonnxruntime.so", "ONNX Runtime 动态库，由 make runtime 取得"),
    number("model.sessions", "0", 0.0..=256.0, "模型会话数，每个占一个线程；0 表示与处理器核数相同"),
    number("model.queue_texts", "4096", 16.0..=1_000_000.0, "等待向量化的文本数上限"),
    text("text.dictionary", "", "附加词典文件（jieba 格式：词 词频 词性），改动后须执行 duijie reindex"),
    number("match.candidates", "200", 20.0..=10_000.0, "每路召回的候选数"),
    number("match.dense_weight", "0.75", 0.0..=1.0, "向量得分的权重，其余为关键词得分的权重"),
    number("match.bm25_saturation", "25", 0.1..=1000.0, "折算为 0.5 分的 BM25 得分"),
    number("match.feedback", "10", 0.0..=50.0, "首轮结果中用于修正查询的条数；0 为只查一轮。没有向量中心时不起作用"),
    text("match.calibration", "", "相关级别的校准文件（由 duijie calibrate 生成）；空为自带的"),
    text("rematch.nightly", "", "每晚自动重新匹配的时刻，如 02:30；空为不自动进行"),
    text("rematch.time_zone", "Asia/Shanghai", "上述时刻所在的时区"),
    number(
        "rematch.after_changes",
        "0",
        0.0..=100_000_000.0,
        "累计多少条记录新增或修改后自动重新匹配（删除不计）；0 为不按变化进行",
    ),
    text("rematch.targets", "achievements", "自动重新匹配的对象：achievements、experts 或 both"),
    text("rematch.region", "", "只匹配此地区的需求（代码，如 13、1301）；空为全部公开的需求"),
    number("rematch.max_open_jobs", "100", 1.0..=10_000.0, "排队和运行中的任务总数上限（自动任务不计入限制）"),
    number(
        "rematch.max_open_jobs_per_caller",
        "20",
        1.0..=10_000.0,
        "一个调用方（按密钥，没有密钥的按来源地址）排队和运行中的任务数上限",
    ),
    number("rematch.limit", "20", 1.0..=100.0, "每项需求每类对象保留的条数"),
    text(
        "access.anonymous",
        "auto",
        "不带密钥的调用按什么角色处理：none（拒绝）、reader（查询）、contributor（报送）、event-staff（活动）、operator（运维）、\
         administrator（管理）；auto 表示只监听本机时为 administrator，否则为 none",
    ),
    number(
        "events.planning_deadline_ms",
        "600000",
        1_000.0..=86_400_000.0,
        "生成名单或排期的时限，毫秒；调用方的时限更短时从之。到时即停止计算，不保存任何结果",
    ),
    text(
        "policy.folder",
        "policies",
        "政策规则（*.toml）所在的文件夹；缺省的文件夹不存在时用程序自带的规则，空为不作政策提示",
    ),
    text("metrics.listen", "", "Prometheus 指标的监听地址，空为不开启"),
    text("client.api_key", "", "命令行的密钥，随每次调用发送；与 client.api_key_file 二选一"),
    text("client.api_key_file", "", "存放密钥的文件，首尾的空白不计"),
    text("client.insecure", "false", "是否许可命令行以明文向其他机器发送密钥：true 或 false"),
    text("log.filter", "info,qdrant_edge=error", "日志级别或过滤表达式"),
    text("log.json", "false", "日志是否为 JSON 行：true 或 false"),
];
