//! Words around numbers: comparisons, changes, connecting words, and words that end a subject.

use std::sync::LazyLock;

use super::{
    Comparison, Measure,
    text::{ByChar, CharText},
};

/// Effect of a word before a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Effect {
    /// Sets the comparison.
    Compare(Comparison),
    /// 优于: more or less, depending on the subject.
    Better,
    /// 约: the number is approximate.
    About,
    /// 到: the number is a level, even after a change word.
    Reach,
    /// 提高, 降低.
    Change(Measure),
    /// Filler between subject and number.
    Fill,
    /// 分别: assigns the subjects before it to the numbers in order.
    Respectively,
    /// Ends a subject.
    Stop,
}

use Comparison::{AtLeast, AtMost, LessThan, MoreThan};
use Effect::{About, Better, Change, Compare, Fill, Reach, Respectively, Stop};
use Measure::{Decrease, Increase};

/// Words before a number or subject; one line per effect, separated by blanks.
const WORDS: [(&str, Effect); 16] = [
    (
        "≥ >= => 大于等于 大于或等于 高于等于 高于或等于 大于、等于 至少 最低 最少 最小 下限 不亚于 不弱于 起码",
        Compare(AtLeast),
    ),
    ("≤ <= =< 小于等于 小于或等于 低于等于 低于或等于 至多 最多 最高 最大 上限 不外乎", Compare(AtMost)),
    ("> 大于 高于 超过 多于 超出 长于 突破 超", Compare(MoreThan)),
    ("< 小于 低于 少于 不足 不到 短于", Compare(LessThan)),
    ("优于 好于", Better),
    ("约 大约 约为 近 接近 将近 ≈ ~ 大概 左右为", About),
    ("达到 达 到 至 达成 高达 达标 做到 掉到 跌到 放到 放大到 减到", Reach),
    ("提高 提升 增加 增长 增强 增大 上升 升高 延长 加快 扩大 高出 增产 增 升 提 上涨 增效 提效 提速", Change(Increase)),
    (
        "降低 减少 下降 减小 缩短 节约 节省 缩减 压缩 下调 降 减 省 节能 节电 节水 节油 减重 减薄 减排 降耗 降本 降噪 低了 少了 缩小 削减",
        Change(Decrease),
    ),
    (
        "为 是 在 可 能 应 需 须 要 了 : = 值为 可以 能够 应当 必须 要求 要求为 保持 维持 稳定 仅 只 均 都 也 就 已 即 已经 一般 通常 平均 \
         控制 控制在 保持在 稳定在 再 有 目标 指标 目标值 处于 介于 从 由 自 占 现 现为 现在 现在为 现已 具有 具备 其 最终 累计 合计 共 共计 总计 不 \
         得 会 之间 单 每 实现 设计 实测 测得 希望 期望 需要 预期 力争 争取 预计 要 以",
        Fill,
    ),
    ("分别 依次 各", Respectively),
    (
        "的 且 并 将 把 让 令 与 和 及 或 而 则 对 经 被 以 时 后 于 仅 只 均 都 该 此 本 我 用 了 使 年 其 \
         每年 每月 每天 每小时 每班 每次 每周 每套 每台",
        Stop,
    ),
    (
        "实现 保证 确保 满足 具有 采用 保持 提供 进行 通过 同时 其中 以及 并且 希望 要求 需要 能够 可以 开发 研制 研究 使用了 解决 \
         制备 制成 现有 目前 原来 原有 传统 做到 使得 改善 优化 改进 完成 形成 建立 获得 取得 具备 拥有 建设 作为 相比 对比 \
         不仅 而且 其它 其他 主要 技术指标 性能指标 考核指标 预期指标 经济指标 验收指标 指标要求 指标 目标 若 如果 当 条件下 情况下 以上 \
         以下 以内 左右 之间 期间 超过了 比 较",
        Stop,
    ),
    ("为 是 在 可 能 应 需 须 要 达到 达 到 至 约 从 由 自 由于 因为 仍 只有 却 但 又 已", Stop),
    ("下 内 中 上", Stop),
    ("不高 不大 不低 不小 不超", Stop),
];
/// Words in which a character of the words above has another meaning.
const COMPOUNDS: &str = "使用 能耗 性能 功能 节能 能量 能效 能力 储能 能源 动能 势能 光能 热能 电能 智能 可靠 相对 对比 对位 对中 绝对 时间 工时 \
    时延 延时 小时 时长 时效 实时 时差 时滞 时刻 响应 应力 应变 反应 效应 应用 适应 感应 供应 应急 饱和 中和 总和 比表 比容 比重 比例 比能 比功 \
    比电 占比 噪比 松比 径比 重比 比率 配比 料比 液比 气比 固比 倍比 度比 比值 比强 比模 在线 存在 内在 潜在 自由 自重 自动 自身 自然 雷达 马达 \
    到位 到达 有效 有机 固有 含有 所有 需求 主要 要素 用量 用水 用电 利用 作用 用户 用途 使用 专用 通用 备用 费用 耗用 应用 用时 用药 并网 \
    并联 并发 对流 对称 年产 年均 年限 年度 年漂 年用 年处 年节 年发 年销 年利 亩年 后续 后处 滞后 前后 断后 落后 焊后 后端 升温 温升 压降 降解 \
    降温 降落 沉降 升降 提升 上升 下降 增益 增强 增量 增塑 增压 增稠 减速 减振 减震 减压 衰减 升力 省煤 超声 超导 超滤 超细 超高 超低 超薄 超临 \
    超纯 超短 超级 最大 最高 最小 最低 附近 近红 近端 就近 近似 共振 共聚 共模 单位 单体 单台 单只 单件 单机 单晶 单次 单产 单价 单耗 单重 单程 \
    单层 单线 单片 单日 单站 单点 单程 简单 每组 得率 可见 可溶 可用 可逆 可燃 可调 会聚 以太 均匀 平均 均值 均方 均一 年均 不良 不均 不匀 不确 \
    不稳 不平 不锈 不溶 不圆 各向 各级 目标 设计 上限 下限 下料 下游 下行 上行 上料 上游 上网 上升 上电 井下 水下 地下 线上 上线 内径 内部 内阻 \
    内压 室内 国内 内应 内孔 内圈 内壁 内存 内容 体内 车内 炉内 内能 内阻 舱内 站内 中心 中频 中位 中径 中性 集中 中间 中压 中子 空中 中值 中段 \
    中温 中等 其他 维持 较差 误差 已知 要求 和易 混和 与否 了解 本征 本体 本底 成本 基本 样本 原子 我国 以上 以下 由于 自由 公用 对准 当量 \
    相当 现场 于一 载于 对数 经济 经验 经向 经纬 用地 应答 法向 后掠 时频 时序 时钟 定时 计时 同时 耗时 历时 及时 瞬时 \
    用料 从动 在用 在位 在途 达因 超重 超载 超差 超标 超时 近场 远近 内毒 内酯 内脏 内燃 内镜 内窥 内衬 内胆 内核 内生 内源 内网 内氧 内孢 内聚 内摩 内循 内热 内收 内切 内含 内水 内漏 内泄 \
     内置 内腔 内皮 内容 内标 内耗 内湿 内温 内弧 内角 内层 内管 内反 上清 上限 上述 上层 上样 上染 上漆 上光 上料 上座 上位 上浮 上皮 下层 下沉 下潜 \
     下垂 下泄 下渗 下滑 下切 下弯 下位 下止 中药 中段 中和 中继 中空 中密 中毒 中度 中水 中碳 中锰 中红 中波 中短 中置 中速 中成 中枢 中性 中轴 \
     中层 中和 中耐 后轴 后轮 后备 后座 后掺 后固 后向 后角 后坐 后缸 后驱 后果 时速 时效 时相 时域 时空 时变 时尚 时隙 时基 对苯 对二 对虾 \
     对比 对地 对射 对焊 对接 对流 对映 对羟 对乙 对硝 对外 应激 应答 应变 应急 能级 能带 能谱 能隙 能流 能量 本征 本安 本振 可靠 可塑 可焊 可编 可降 \
     可挥 可持 可比 可动 可再 可提 可食 可吸 可纺 可染 可水 自清 自放 自锁 自愈 自熔 自燃 自干 自润 自旋 自感 自吸 自流 自交 自发 自洁 自支 自诊 自然 \
     自粘 自恢 自持 自磨 单丝 单糖 单宁 单胺 单株 单粒 单模 单色 单管 单向 单轴 单池 单井 单孔 单体 单板 单重 单极 单纤 单分 单胞 年龄 年径 年辐 \
     年降 年蒸 年衰 年损 年均 年供 年运 用汽 用气 用油 用能 用膜 用酸 用碱 用工 和面 以太 以色 与门 及格 或门 于中 从轮 从属 由壬 再沸 再循 再聚 \
     再启 再流 再融 再利 再入 再悬 会聚 得浆 得油 得肉 得糖 有功 有色 有载 有氧 有限 有源 有害 有毒 有线 有益 有杂 现金 现浇 现场 即食 即插 即用 \
     就地 都市 也门 已烷 已醇 共聚 共晶 共挤 共沸 共轭 共沉 共混 共享 共价 共轴 合计 合力 合金 合成 合模 总计 设备 设防 设定 保持 控制 要件 需热 需电 \
     各相 各异 均相 均聚 均压 均热 均质 均方 其余 将军 把手 让步 令牌 了望 使能 使役 而立 则克 被动 被覆 被试 经皮 经口 经纱 经停 经时 经线 该死 此岸 \
     为害 在体 在轨 在产 是非 约束 近视 近地 近距 近净 超静 超弹 超塑 超疏 超亲 超双 超快 超支 超频 超大 超长 超重 超速 超硬 超轻 超厚 超声 超分 \
     升压 升速 升程 升阻 升力 升膜 降压 降噪 降阻 降粘 降凝 降水 降雨 降雪 降尘 减阻 减薄 减磨 减压 减径 增压 增容 增湿 增氧 增敏 增透 增黏 增韧 \
     增稠 增碳 增益 增重 提纯 提取 提篮 提手 至臻 到货 到站 会议 再生 再现 再热 再结 就绪 降水 减水 减反 减摩 增重 增幅 增殖 升华 升程 \
    升级 上升 爬升 只数 比对 比较 较大 对角 应收 需氧 需量 要点 由此 是否 行为 为主 能见 磁能 功率 可视 为零 即时 即热 也是 得分 得失 实现 表现 出现 发现 体现 呈现 现场 便宜 适宜 占比 占空 占用 占地";

static BY_LAST: LazyLock<ByChar<Vec<Word>>> = LazyLock::new(|| {
    let mut words: ByChar<Vec<Word>> = ByChar::default();
    for (line, effect) in WORDS {
        for written in line.split_whitespace() {
            if let Some(last) = written.chars().next_back() {
                words.entry(last).or_default().push(Word { written, effect });
            }
        }
    }
    words.values_mut().for_each(|words| words.sort_by_key(|word| usize::MAX - word.written.len()));
    words
});

/// Words of more than one character, by the first.
static BY_FIRST: LazyLock<ByChar<Vec<&str>>> = LazyLock::new(|| {
    let mut words: ByChar<Vec<&str>> = ByChar::default();
    for written in WORDS.iter().flat_map(|(line, _)| line.split_whitespace()) {
        let mut characters = written.chars();
        if let (Some(first), Some(_)) = (characters.next(), characters.next()) {
            words.entry(first).or_default().push(written);
        }
    }
    words
});

static COMPOUND_PAIRS: LazyLock<ByChar<Vec<char>>> = LazyLock::new(|| {
    let mut pairs: ByChar<Vec<char>> = ByChar::default();
    for pair in COMPOUNDS.split_whitespace() {
        let mut characters = pair.chars();
        if let Some((first, second)) = characters.next().zip(characters.next()) {
            pairs.entry(first).or_default().push(second);
        }
    }
    pairs
});

#[derive(Debug)]
struct Word {
    written: &'static str,
    effect: Effect,
}

/// A word that ends at a position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Before {
    pub start: usize,
    pub effect: Effect,
}

/// Word after a number and its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// 以上.
    AtLeast,
    /// 以下, 以内.
    AtMost,
    /// 左右.
    About,
    /// 下, 时: the number is a condition.
    Condition,
}

/// Longest word that ends at `end` and connects a number to the text before it.
pub(super) fn connecting(text: &CharText<'_>, end: usize) -> Option<Before> {
    longest(text, end, |effect| effect != Stop).map(|found| negated(text, found))
}

/// Longest word that ends at `end` and ends a subject.
pub(super) fn ending(text: &CharText<'_>, end: usize) -> Option<Before> {
    longest(text, end, |effect| !matches!(effect, Fill | About))
}

/// Word after a number, and the position after the word.
pub(super) fn behind(text: &CharText<'_>, place: usize) -> Option<(Behind, usize)> {
    const BEHIND: [(&str, Behind); 16] = [
        ("及以上", Behind::AtLeast),
        ("或以上", Behind::AtLeast),
        ("以上", Behind::AtLeast),
        ("之上", Behind::AtLeast),
        ("及以下", Behind::AtMost),
        ("或以下", Behind::AtMost),
        ("以下", Behind::AtMost),
        ("之下", Behind::AtMost),
        ("以内", Behind::AtMost),
        ("之内", Behind::AtMost),
        ("左右", Behind::About),
        ("上下", Behind::About),
        ("条件下", Behind::Condition),
        ("内", Behind::AtMost),
        ("下", Behind::Condition),
        ("时", Behind::Condition),
    ];
    /// 内径, 下降, 时间 are separate words.
    const NOT_BEHIND: &str =
        "内径部壁孔容胆层侧面衬腔圆阻存圈应蒙 下降限游料列方午级滑半面层端沉 时间长效延序频钟刻常速代段";
    if !matches!(text.at(place), '及' | '或' | '以' | '之' | '左' | '上' | '条' | '内' | '下' | '时') {
        return None;
    }
    let (word, behind, end) =
        BEHIND.iter().find_map(|(word, behind)| text.after(place, word).map(|end| (word, *behind, end)))?;
    let is_word = |list: &str| list.starts_with(word) && list.chars().skip(1).any(|next| next == text.at(end));
    (!NOT_BEHIND.split(' ').any(is_word)).then_some((behind, end))
}

/// Returns whether a word of more than one character begins at a position: 达到, 提高.
pub(super) fn begins(text: &CharText<'_>, place: usize) -> bool {
    let words = BY_FIRST.get(&text.at(place));
    words.is_some_and(|words| words.iter().any(|word| text.after(place, word).is_some()))
}

fn longest(text: &CharText<'_>, end: usize, fits: impl Fn(Effect) -> bool) -> Option<Before> {
    let words = BY_LAST.get(&text.before(end))?;
    words.iter().filter(|word| fits(word.effect)).find_map(|word| {
        let start = text.back(end, word.written)?;
        // only single-character words can be parts of others
        let is_compound = start + 1 == end && is_compound(text, start);
        (!is_compound).then_some(Before { start, effect: word.effect })
    })
}

/// Returns whether the character is part of a word such as 性能, 能耗.
fn is_compound(text: &CharText<'_>, place: usize) -> bool {
    let is_pair =
        |first: char, second: char| COMPOUND_PAIRS.get(&first).is_some_and(|seconds| seconds.contains(&second));
    let character = text.at(place);
    is_pair(text.before(place), character) || is_pair(character, text.at(place + 1))
}

/// Applies a negation such as 不低于, which reverses the comparison.
fn negated(text: &CharText<'_>, found: Before) -> Before {
    const NEGATIONS: [&str; 13] =
        ["不得", "不应", "不能", "不宜", "不会", "不可", "不许", "不允许", "不再", "从未", "不", "未", "≯"];
    let turned = match found.effect {
        Compare(MoreThan) => Compare(AtMost),
        Compare(LessThan) => Compare(AtLeast),
        _ => return found,
    };
    let start = NEGATIONS.iter().find_map(|negation| text.back(found.start, negation));
    start.map_or(found, |start| Before { start, effect: turned })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_connect_subject_and_number() {
        let check = |text: &str, want: Option<(usize, Effect)>| {
            let text = CharText::new(text);
            let found = connecting(&text, text.len()).map(|found| (found.start, found.effect));
            assert_eq!(found, want);
        };
        check("强度不低于", Some((2, Compare(AtLeast))));
        check("误差不得超过", Some((2, Compare(AtMost))));
        check("强度低于", Some((2, Compare(LessThan))));
        check("大于等于", Some((0, Compare(AtLeast))));
        check("强度>=", Some((2, Compare(AtLeast))));
        check("能耗降低", Some((2, Change(Decrease))));
        check("性能", None);
        check("雷达", None);
        check("压降", None);
        check("强度为", Some((2, Fill)));
        check("强度达到", Some((2, Reach)));
        check("强度", None);
    }

    #[test]
    fn words_end_subjects() {
        let check = |text: &str, want: Option<Effect>| {
            let text = CharText::new(text);
            assert_eq!(ending(&text, text.len()).map(|found| found.effect), want);
        };
        check("钢板的", Some(Stop));
        check("并实现", Some(Stop));
        check("进一步提高", Some(Change(Increase)));
        check("使用", None);
        check("响应", None);
        check("强度", None);
    }

    #[test]
    fn words_stand_behind() {
        let check =
            |text: &str, want: Option<(Behind, usize)>| assert_eq!(behind(&CharText::new(text), 0), want, "{text}");
        check("以上", Some((Behind::AtLeast, 2)));
        check("及以上水平", Some((Behind::AtLeast, 3)));
        check("內", Some((Behind::AtMost, 1)));
        check("内径", None);
        check("下降", None);
        check("下保温", Some((Behind::Condition, 1)));
        check("时间", None);
        check("的", None);
    }
}
