//! Simulated annealing to leave local optima: slightly worse plans are accepted at first, and ever fewer later. The
//! random seed is fixed, so the same input gives the same plan.

use super::{
    Seat,
    chain::{ChainGoal, Tables},
    polish::Polish,
};

/// Tries per movable meeting. Measured at 100 × 300, 546 meetings in 576 places: 72 gaps and 67 host moves without
/// annealing, 6 and 40 with it.
const TRIES: u64 = 1_000;
/// Initial accepted increase, in cost units: about one gap.
const HEAT: u64 = 2;
/// Fractions per cost unit.
const SCALE: u64 = 1 << 16;
/// One try in this many changes the table, the others change the slot.
const TABLE_TRY: usize = 8;

/// Anneals until the budget is used up.
pub(super) fn anneal(polish: &mut Polish) {
    let plan = &polish.plan;
    let can_move = |pair: &usize| !plan.frozen[*pair] && plan.place(*pair).is_some();
    let movable: Vec<usize> = (0..plan.problem.pairs.len()).filter(can_move).collect();
    if movable.is_empty() {
        return;
    }
    polish.budget.share(9, 10);
    let tries = movable.len() as u64 * TRIES;
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for done in 0..tries {
        if polish.budget.is_over() {
            break;
        }
        let pair = movable[random.below(movable.len())];
        // -log2 of a random number has the distribution needed for annealing, in integers.
        let cold = (done * SCALE / tries).max(polish.budget.part_used(SCALE));
        let heat = HEAT * SCALE.saturating_sub(cold);
        let bound = heat * u64::from(random.next().leading_zeros());
        polish.allowed = bound / SCALE;
        if random.below(TABLE_TRY) == 0 {
            polish.other_table(pair);
        } else {
            one_slot(polish, pair, &mut random);
        }
    }
    polish.allowed = 0;
    polish.budget.share(1, 1);
}

fn one_slot(polish: &mut Polish, pair: usize, random: &mut Random) {
    let Some(from) = polish.plan.place(pair) else { return };
    let slots = polish.plan.problem.slots();
    let slot = random.below(slots);
    if slot == from.slot || !polish.plan.problem.pairs[pair].open.contains(slot) {
        return;
    }
    let wish = ChainGoal { pair, to: Seat { slot, table: from.table }, other: from.slot };
    let mark = polish.plan.mark();
    if polish.chains.bring(polish.plan, polish.budget, wish, Tables::Keep) {
        polish.judge(mark);
    }
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from((self.next() >> 11) % end.max(1) as u64).unwrap_or(0)
    }
}
