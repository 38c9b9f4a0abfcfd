//! Who sits on a panel. One comparison for each node, without division and without a list.

use super::ratio::product;

/// Whether a node of this weight is seated by its lot, a number that is equally likely anywhere in u64: with the chance
/// `weight * seats / eligible`, and always where that is a whole or more.
///
/// `lot * eligible < weight * seats * 2^64`, in whole numbers: the upper half of the left product is below `weight * seats`. In
/// proportion to weight, so that a node gains nothing by coming as several; one over a whole seat loses what is over.
pub fn is_seated(lot: u64, weight: u64, seats: u16, eligible: u64) -> bool {
    let (upper, _) = product(lot, eligible);
    // Where the product is over u64, it is over any upper half too.
    let (over, chance) = product(weight, seats.into());
    over > 0 || upper < chance
}

#[cfg(test)]
mod tests {
    use super::{super::ratio::tests::amounts, *};
    use proptest::prelude::*;

    /// How many of all 2^64 lots seat the node: ceil(weight * seats * 2^64 / eligible), at most all.
    fn seating_lots(weight: u64, seats: u16, eligible: u64) -> u128 {
        let all = 1u128 << 64;
        let chance = weight as u128 * seats as u128;
        if chance == 0 {
            return 0;
        }
        if chance >= eligible as u128 {
            return all;
        }
        // chance < eligible < 2^64, so the product fits.
        (chance << 64).div_ceil((eligible as u128).max(1))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn exactly_the_lowest_lots_are_seated(weight in amounts(), seats in any::<u16>(), eligible in amounts()) {
            let edge = seating_lots(weight, seats, eligible);
            if edge > 0 {
                prop_assert!(is_seated((edge - 1) as u64, weight, seats, eligible));
            }
            if edge < 1 << 64 {
                prop_assert!(!is_seated(edge as u64, weight, seats, eligible));
            }
        }

        /// A lot and weight that are seated stay seated with a lower lot, more weight or more seats.
        #[test]
        fn more_weight_never_costs_a_seat(
            lot in amounts(), weight in amounts(), more in amounts(), seats in 0..u16::MAX, eligible in amounts(),
        ) {
            if is_seated(lot, weight, seats, eligible) {
                prop_assert!(is_seated(lot >> 1, weight, seats, eligible));
                prop_assert!(is_seated(lot, weight.saturating_add(more), seats, eligible));
                prop_assert!(is_seated(lot, weight, seats + 1, eligible));
            }
        }

        /// Attack: stake that comes as several nodes for more seats. Together the parts are seated by no more lots than the whole,
        /// one each for rounding up, unless the whole is over one seat.
        #[test]
        fn splitting_gains_no_seats(
            eligible in 1..=u64::MAX, share in any::<u64>(), cut in any::<u64>(), seats in 1..1000u16,
        ) {
            let most = eligible / seats as u64;
            let weight = share % most.max(1);
            let part = if weight == 0 { 0 } else { cut % weight };
            let whole = seating_lots(weight, seats, eligible);
            let parts = seating_lots(part, seats, eligible) + seating_lots(weight - part, seats, eligible);
            prop_assert!(parts <= whole + 1);
        }
    }

    #[test]
    fn all_are_seated_where_nobody_was_eligible_and_none_without_weight() {
        assert!(is_seated(u64::MAX, 1, 3, 0));
        assert!(!is_seated(0, 0, 3, 0));
        assert!(!is_seated(0, 0, 3, 100));
        assert!(is_seated(u64::MAX, u64::MAX, u16::MAX, u64::MAX));
    }
}
