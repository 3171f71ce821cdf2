//! Plans are optimal, keep every constraint, and do not depend on list order.

use std::cell::Cell;

use proptest::prelude::*;

use super::{
    brute::{Best, best, broken, missed},
    problems::{LARGER, SMALL, problem},
};
use crate::allocation::{Allocation, Effort, PairIndex, Problem, Proof, allocate};

pub fn pairs(plan: &Allocation) -> Vec<PairIndex> {
    plan.chosen.iter().map(|chosen| chosen.pair).collect()
}

pub fn plan(problem: &Problem) -> Option<Allocation> {
    allocate(problem, &Effort::default(), &|| false).ok()
}

fn check_kept(problem: &Problem, plan: &Allocation) -> Result<(), TestCaseError> {
    prop_assert_eq!(broken(problem, &pairs(plan)), None);
    prop_assert_eq!(plan.value, plan.chosen.iter().map(|chosen| chosen.value).sum::<i64>());
    prop_assert!(plan.bound >= plan.value);
    prop_assert_eq!(plan.bound == plan.value, plan.proof != Proof::Open);
    let short: i64 = plan.shortfalls.iter().map(|short| i64::from(short.min - short.reached)).sum();
    prop_assert_eq!(short, missed(problem, &pairs(plan)));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn the_plan_is_the_best_of_all_subsets(problem in problem(SMALL)) {
        match allocate(&problem, &Effort::default(), &|| false) {
            Ok(plan) => {
                check_kept(&problem, &plan)?;
                let found = Best { missed: missed(&problem, &pairs(&plan)), value: plan.value };
                prop_assert_eq!(Some(found), best(&problem));
                prop_assert!(plan.proof != Proof::Open);
            }
            // only pins can make the problem infeasible
            Err(_) => prop_assert_eq!(best(&problem), None),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn larger_plans_keep_every_constraint(problem in problem(LARGER)) {
        if let Some(plan) = plan(&problem) {
            check_kept(&problem, &plan)?;
        }
    }

    #[test]
    fn the_order_of_lists_does_not_matter(problem in problem(LARGER), turn in 1usize..100) {
        let mut other = problem.clone();
        let rules = &mut other.rules;
        rules.met.reverse();
        rules.forbidden.reverse();
        rules.pinned.reverse();
        rules.organisations_apart.iter_mut().for_each(|two| *two = (two.1, two.0));
        other.quotas.reverse();
        let turn = turn.min(other.pairs.len());
        other.pairs.rotate_left(turn);
        prop_assert_eq!(plan(&problem), plan(&other));
    }

    #[test]
    fn little_work_leaves_a_bound_that_holds(problem in problem(LARGER), pivots in 0u64..200) {
        let effort = Effort { pivots, cost_pivots: 0, branches: 1 };
        if let (Ok(short), Some(long)) = (allocate(&problem, &effort, &|| false), plan(&problem)) {
            check_kept(&problem, &short)?;
            if missed(&problem, &pairs(&short)) == missed(&problem, &pairs(&long)) {
                prop_assert!(short.bound >= long.value);
                prop_assert!(short.value <= long.bound);
            }
        }
    }

    #[test]
    fn stopping_ends_at_once_with_a_plan_that_holds(problem in problem(LARGER)) {
        if let Ok(plan) = allocate(&problem, &Effort::default(), &|| true) {
            check_kept(&problem, &plan)?;
            prop_assert_eq!(plan.pivots, 0);
        }
    }

    #[test]
    fn a_stop_on_the_way_ends_soon_with_a_plan_that_holds(problem in problem(LARGER), after in 1u64..8) {
        let asked = Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            after < asked.get()
        };
        if let Ok(plan) = allocate(&problem, &Effort::default(), &stop) {
            check_kept(&problem, &plan)?;
            // `stop` is asked every 512 pivots; once true, only the second budget and the reasons ask again
            prop_assert!(plan.pivots <= 600 * after && asked.get() <= after + 3 + problem.demands.len() as u64);
            prop_assert!(asked.get() <= after || plan.left_out.is_empty());
        }
    }
}
