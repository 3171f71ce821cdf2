//! Out of local optima: tries that make waiting and walking a little worse are kept at first, ever fewer of them later
//! (simulated annealing). The generator starts the same each time, so the same plan comes out.

use super::{Place, chain::Tables, polish::Polish};

/// Tries for each meeting that can move. Measured at 100 × 300, 546 meetings in 576 places: without 72 gaps and 67 moves of
/// hosts, with these 6 and 40.
const TRIES: u64 = 1_000;
/// What an increase may cost at first, in units of cost: about a gap.
const HEAT: u64 = 2;
/// Parts of a unit of cost.
const SCALE: u64 = 1 << 16;
/// One try in so many is for another table, the others for another slot.
const TABLE_TRY: usize = 8;

/// Anneals as long as the budget goes.
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
        // -log2 of a random number has the distribution that annealing wants, in whole numbers.
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
    let wish = (pair, Place { slot, table: from.table }, from.slot);
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
