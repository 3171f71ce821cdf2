//! An event to export: hospitals, mills and institutes with long names, two days, contacts, a few outcomes.

use jiff::{
    Timestamp,
    civil::{date, time},
};

use crate::events::{
    export::EventReport,
    model::{
        Attendance, Change, Consent, Contact, ContractKind, Event, EventState, Meeting, Organisation, Outcome,
        OutcomeProgress, Pair, Participant, ParticipantState, Plan, PlanVersions, Rejection, Rules, ScheduleFigures,
        Shortlisted, Slot, Unplaced, UnplacedCause, Why,
    },
};
use duijie_core::domain::{Kind, RecordName, hit::Level};

/// Titles as long as in a catalogue, with content that breaks formats: quotes, commas, tags, formulas.
const DEMANDS: [&str; 5] = [
    "降低MEMS压力传感器温漂并缩短标定工时，全温区总误差带≤±0.25%FS",
    "=SUM(A1)热镀锌线锌渣在线去除与回收",
    "高盐废水“零排放”中杂盐的资源化，<b>吨水电耗</b>≤12 kWh",
    "小麦赤霉病田间快速检测试纸；现场10分钟出结果, 假阳性低于2%",
    "大型环件轧制过程的在线测径与闭环控制系统开发以及配套的数字孪生平台建设（含软件、传感器、现场调试与人员培训）",
];
const OFFERS: [&str; 4] = [
    "基于片上多项式补偿的压力传感器信号调理芯片",
    "电磁场辅助的锌液净化装置",
    "双极膜电渗析制酸碱成套工艺",
    "胶体金免疫层析多联检测卡",
];

pub struct Fixture {
    pub event: Event,
    pub plan: Plan,
    pub participants: Vec<Participant>,
    pub outcomes: Vec<Outcome>,
}

impl Fixture {
    /// Makes an event where each of `demands` demands meets `each` counterparts. Each demand has its own organisation;
    /// two counterparts share one.
    pub fn new(demands: usize, each: usize) -> Self {
        let days = [1, 2].into_iter().flat_map(|day| (0..8).map(move |at| slot(day, at)));
        let mut fixture = Self {
            event: event(days.collect()),
            plan: Plan { number: 3, schedule: Some(figures()), ..Plan::default() },
            participants: (0..demands).map(|at| participant(Kind::Demand, at)).collect(),
            outcomes: Vec::new(),
        };
        let offers = 8.max(each);
        fixture
            .participants
            .extend((0..offers).map(|at| participant(if at % 4 == 3 { Kind::Expert } else { Kind::Achievement }, at)));
        fixture.participants.sort_by(|one, other| one.record.cmp(&other.record));
        for demand in 0..demands {
            for turn in 0..each {
                // Slots and counterparts rotate, so that nobody is at two tables at once.
                let (slot, offer) = ((demand + turn) % 16, (demand * 2 + turn) % offers);
                let kind = if offer % 4 == 3 { Kind::Expert } else { Kind::Achievement };
                let pair = Pair::new(record(Kind::Demand, demand), record(kind, offer));
                fixture.plan.shortlist.push(shortlisted(&pair, turn));
                let table = u32::try_from(demand).unwrap();
                fixture.plan.meetings.push(Meeting { pair, slot, table, locked: demand == 0 && turn == 0 });
            }
        }
        fixture.plan.sort();
        fixture
    }

    pub fn report(&self) -> EventReport<'_> {
        EventReport {
            event: &self.event,
            plan: &self.plan,
            participants: &self.participants,
            outcomes: &self.outcomes,
            time: "2026-11-20T01:02:03Z".parse::<Timestamp>().unwrap(),
        }
    }

    /// Records the outcome of a meeting.
    pub fn outcome(&mut self, at: usize, consent: Consent, progress: Option<OutcomeProgress>) {
        self.outcomes.push(Outcome {
            pair: self.plan.meetings[at].pair.clone(),
            event: self.event.id.clone(),
            date: date(2026, 12, 1),
            attendance: Attendance::Held,
            replaced_by: None,
            progress,
            consent,
            note: "内部备注：对方报价偏高".to_string(),
            score: Some(0.5),
            level: None,
            versions: PlanVersions::default(),
            city: "130100".to_string(),
            field: "40".to_string(),
            update_time: Timestamp::UNIX_EPOCH,
            history: Vec::new(),
        });
    }

    /// One of each kind of outcome, one cancelled meeting, one pair without a place.
    pub fn eventful() -> Self {
        let mut fixture = Self::new(6, 4);
        fixture.outcome(0, Consent { demand: true, counterpart: true }, Some(OutcomeProgress::Intent));
        fixture.outcome(1, Consent { demand: true, counterpart: false }, None);
        let signed = OutcomeProgress::Signed { kind: ContractKind::License, amount_yuan: 1_200_000 };
        fixture.outcome(2, Consent::default(), Some(signed));
        fixture.outcome(3, Consent::default(), Some(OutcomeProgress::Rejected { reason: Rejection::TooEarly }));
        fixture.participants[0].state = ParticipantState::Cancelled;
        let gone = Pair::new(record(Kind::Demand, 0), record(Kind::Achievement, 6));
        fixture.plan.changes.push(Change { pair: gone.clone(), from: Some((5, 2)), to: None });
        fixture.plan.unplaced.push(Unplaced { pair: gone, cause: UnplacedCause::NoCommonSlot });
        fixture
    }
}

pub fn record(kind: Kind, at: usize) -> RecordName {
    RecordName { kind, source: "local".to_string(), id: format!("n{at:03}") }
}

fn participant(kind: Kind, at: usize) -> Participant {
    let is_demand = kind == Kind::Demand;
    let title = match kind {
        Kind::Demand => DEMANDS[at % DEMANDS.len()].to_string(),
        Kind::Achievement => OFFERS[at % OFFERS.len()].to_string(),
        Kind::Expert => "王建国 教授（冶金过程控制）".to_string(),
    };
    let organisation = match (is_demand, at % 3) {
        (true, 0) => format!("石家庄第{at}精密仪器有限责任公司"),
        (true, 1) => format!("唐山市第{at}钢铁集团有限公司冷轧薄板分公司技术中心"),
        (true, _) => format!("保定第{at}化工厂"),
        (false, _) => format!("河北第{}大学材料科学与工程学院", at / 2),
    };
    let side = if is_demand { 5 } else { 6 };
    Participant {
        record: record(kind, at),
        title,
        organisation: Some(Organisation { name: organisation, credit_code: String::new() }),
        region: "130100".to_string(),
        field: "40".to_string(),
        contact: Contact {
            person: format!("赵真名{side}{at:02}"),
            phone: format!("138{side}{at:03}4567"),
            email: format!("secret{side}{at:02}@example.cn"),
        },
        presenter: "隐名的到场人".to_string(),
        people: 1,
        windows: Vec::new(),
        cap: None,
        table: None,
        state: ParticipantState::Active,
    }
}

fn event(slots: Vec<Slot>) -> Event {
    Event {
        id: "hebei-2026".to_string(),
        title: "2026 京津冀新材料与高端装备技术需求对接会".to_string(),
        place: "石家庄国际会展中心 3 号馆".to_string(),
        slots,
        tables: 40,
        spare_percent: 10,
        rules: Rules::default(),
        state: EventState::Published,
        inputs: 1,
        layout: 1,
        create_time: Timestamp::UNIX_EPOCH,
        update_time: Timestamp::UNIX_EPOCH,
    }
}

fn slot(day: i8, at: i8) -> Slot {
    let hour = [9, 9, 10, 10, 14, 14, 15, 15][usize::try_from(at).unwrap()];
    let minute = if at % 2 == 0 { 0 } else { 30 };
    Slot { date: date(2026, 12, day), start: time(hour, minute, 0, 0), end: time(hour, minute + 25, 0, 0) }
}

fn shortlisted(pair: &Pair, turn: usize) -> Shortlisted {
    let level = (pair.counterpart.kind == Kind::Achievement).then_some(Level::Fair);
    let rank = u32::try_from(turn + 1).unwrap();
    Shortlisted { pair: pair.clone(), score: 0.9 - f64::from(rank) / 10.0, level, rank, why: Why::Chosen }
}

fn figures() -> ScheduleFigures {
    ScheduleFigures { gaps: 2, host_moves: 0, guest_moves: 7, used: 0.5, is_optimal: true }
}
