//! Errors of embedding.

use std::path::PathBuf;

use duijie_cpu::CpuError;

/// Error of the embedding module. Messages are for operators: in Chinese, with advice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmbedError {
    /// ONNX Runtime is missing, broken or too old.
    #[error(
        "无法加载 ONNX Runtime（{path}：{detail}），请运行 make runtime 取得运行库，或在配置中指定 libonnxruntime.so 的路径"
    )]
    Runtime {
        /// Path of the library.
        path: PathBuf,
        /// Reason.
        detail: String,
    },
    /// A file of the model folder is missing or cannot be read.
    #[error("模型目录 {folder} 缺少文件 {file}（{detail}），请重新取得完整的模型目录")]
    FileMissing {
        /// Model folder.
        folder: PathBuf,
        /// File below it.
        file: String,
        /// Error of the operating system.
        detail: String,
    },
    /// A file of the model folder does not match `SHA256SUMS`.
    #[error("模型文件 {file} 与 SHA256SUMS 不一致（目录 {folder}），文件已损坏或被改动，请重新取得模型目录")]
    FileAltered {
        /// Model folder.
        folder: PathBuf,
        /// File below it.
        file: String,
    },
    /// `duijie.toml` of the model folder is invalid, or required and missing.
    #[error("模型目录 {folder} 的 duijie.toml 有误：{detail}，请按 models/e5-small-zh/duijie.toml 的样子改正")]
    Recipe {
        /// Model folder.
        folder: PathBuf,
        /// Reason.
        detail: String,
    },
    /// The file of a mean vector is invalid, or named and missing.
    #[error("向量中心文件 {path} 有误：{detail}，请用 duijie mean-vector 重新生成，或改正 model.mean_vector")]
    MeanVector {
        /// The file.
        path: PathBuf,
        /// Reason.
        detail: String,
    },
    /// fastembed has no model of this name.
    #[error("没有名为 {name} 的内置模型，请改用模型目录的路径，或使用例如 BAAI/bge-small-zh-v1.5 的名称")]
    UnknownName {
        /// The requested name.
        name: String,
    },
    /// The model could not be downloaded from the hub.
    #[error("无法下载模型 {name}（{detail}），请在配置中改用本地模型目录，或用 HF_ENDPOINT 指定可访问的镜像")]
    Hub {
        /// Name of the model.
        name: String,
        /// Error of the hub's client.
        detail: String,
    },
    /// ONNX Runtime rejects the model.
    #[error("模型 {name} 无法打开（{detail}），请检查模型文件是否完整、ONNX Runtime 版本是否足够新")]
    Session {
        /// Name of the model.
        name: String,
        /// Error of ONNX Runtime.
        detail: String,
    },
    /// The queue is full.
    #[error("向量计算队列已满，请稍后重试")]
    Busy,
    /// The service is stopping, or every session has ended.
    #[error("向量计算已停止，请待服务恢复后重试")]
    Stopped,
    /// A text is empty or only white space.
    #[error("第 {} 条文本为空，请填写内容", index + 1)]
    Blank {
        /// Position among the texts of the call, from 0.
        index: usize,
    },
    /// A text exceeds the limit of characters or tokens.
    #[error("第 {} 条文本过长，请控制在 {max_chars} 字以内", index + 1)]
    TooLong {
        /// Position among the texts of the call, from 0.
        index: usize,
        /// Limit of characters.
        max_chars: usize,
    },
    /// The model failed on a text; `detail` does not contain the text.
    #[error("向量计算失败（{detail}），请重试；若反复出现请检查模型与运行库")]
    Failed {
        /// Reason.
        detail: String,
    },
}

impl From<CpuError> for EmbedError {
    fn from(error: CpuError) -> Self {
        match error {
            CpuError::Busy => Self::Busy,
            CpuError::Panicked(_) => Self::Failed { detail: error.to_string() },
            CpuError::Closed => Self::Stopped,
        }
    }
}
