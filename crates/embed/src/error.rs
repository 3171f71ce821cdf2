//! What can go wrong between a text and its vector.

use std::path::PathBuf;

/// Error of the embedding module. The messages are for the people who run the service: in Chinese, with what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmbedError {
    /// ONNX Runtime is missing, broken or too old.
    #[error(
        "无法加载 ONNX Runtime（{path}：{detail}），请运行 make runtime 取得运行库，或在配置中指定 libonnxruntime.so 的路径"
    )]
    Runtime {
        /// Library that was to be loaded.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A file of the model folder is missing or cannot be read.
    #[error("模型目录 {folder} 缺少文件 {file}（{detail}），请重新取得完整的模型目录")]
    FileMissing {
        /// Model folder.
        folder: PathBuf,
        /// File below it.
        file: String,
        /// Reason from the system.
        detail: String,
    },
    /// A file of the model folder is not the one that `SHA256SUMS` names.
    #[error("模型文件 {file} 与 SHA256SUMS 不一致（目录 {folder}），文件已损坏或被改动，请重新取得模型目录")]
    FileAltered {
        /// Model folder.
        folder: PathBuf,
        /// File below it.
        file: String,
    },
    /// `duijie.toml` of the model folder cannot be used, or is needed and missing.
    #[error("模型目录 {folder} 的 duijie.toml 有误：{detail}，请按 models/e5-small-zh/duijie.toml 的样子改正")]
    Recipe {
        /// Model folder.
        folder: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The file of a mean vector cannot be used, or is named and missing.
    #[error("向量中心文件 {path} 有误：{detail}，请用 duijie mean-vector 重新生成，或改正 model.mean_vector")]
    MeanVector {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// fastembed knows no model of this name.
    #[error("没有名为 {name} 的内置模型，请改用模型目录的路径，或使用例如 BAAI/bge-small-zh-v1.5 的名称")]
    UnknownName {
        /// Name that was asked for.
        name: String,
    },
    /// The model could not be fetched from the hub.
    #[error("无法下载模型 {name}（{detail}），请在配置中改用本地模型目录，或用 HF_ENDPOINT 指定可访问的镜像")]
    Hub {
        /// Name of the model.
        name: String,
        /// What the hub's client said.
        detail: String,
    },
    /// ONNX Runtime does not take the model.
    #[error("模型 {name} 无法打开（{detail}），请检查模型文件是否完整、ONNX Runtime 版本是否足够新")]
    Session {
        /// Name of the model.
        name: String,
        /// What ONNX Runtime said.
        detail: String,
    },
    /// Too many texts wait already.
    #[error("向量计算队列已满，请稍后重试")]
    Busy,
    /// The service is being stopped, or every session has ended.
    #[error("向量计算已停止，请待服务恢复后重试")]
    Stopped,
    /// A text has nothing but white space.
    #[error("第 {} 条文本为空，请填写内容", index + 1)]
    Blank {
        /// Place among the texts of the call, from 0.
        index: usize,
    },
    /// A text is over the limit of characters or of tokens.
    #[error("第 {} 条文本过长，请控制在 {max_chars} 字以内", index + 1)]
    TooLong {
        /// Place among the texts of the call, from 0.
        index: usize,
        /// Highest number of characters.
        max_chars: usize,
    },
    /// The model failed at a text; `detail` does not hold the text.
    #[error("向量计算失败（{detail}），请重试；若反复出现请检查模型与运行库")]
    Failed {
        /// What went wrong.
        detail: String,
    },
}
