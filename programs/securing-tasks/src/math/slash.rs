//! How a slash or a lost bond is shared. Every division floors; what a floor leaves over goes to the pool.
//!
//! Attack: who is about to be slashed accuses a friend wrongly, and its stake leaves as lost bonds. So a bond is shared as a slash is, and
//! no more of it comes back to a friend who is acquitted than of a slash to a friend who accuses first. Of a lost appeal's bond the pool has its
//! part, too.

use super::ratio::bps_floor;

/// A slash or lost bond, split. The three parts sum to it, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlashSplit {
    /// Of a slash the initiator's bonus, on top of its share as a voter; of a bond the acquitted node's part.
    pub bonus: u64,
    /// The task's bounty pool.
    pub pool: u64,
    /// Everyone who voted, the initiator's accusation included.
    pub voters: u64,
}

/// Seed: "a portion (up to 100%) of the misbehaving node's stake is distributed to all nodes who participated in the audit
/// vote, with a larger portion typically being rewarded to the node which initiated the audit".
///
/// Bonus and voters' part floor; the pool gets the rest. `None` where the shares are over 10,000 basis points.
pub fn split_slash(slash: u64, bonus_bps: u64, pool_bps: u64) -> Option<SlashSplit> {
    let bonus = bps_floor(slash, bonus_bps)?;
    let voters = bps_floor(slash, voters_bps(bonus_bps, pool_bps)?)?;
    let pool = slash.checked_sub(bonus)?.checked_sub(voters)?;
    Some(SlashSplit {
        bonus,
        pool,
        voters,
    })
}

/// A lost appeal's bond, as (voters', pool's): the pool has of it what it has of a slash, and the remainder of the floor.
///
/// Attack: who is about to be slashed appeals in vain, and friends alone are the voters.
pub fn split_appeal(bond: u64, pool_bps: u64) -> Option<(u64, u64)> {
    let voters = bps_floor(bond, voters_bps(0, pool_bps)?)?;
    Some((voters, bond.checked_sub(voters)?))
}

/// What bonus and pool leave for the voters, in basis points.
fn voters_bps(bonus_bps: u64, pool_bps: u64) -> Option<u64> {
    crate::constants::BPS
        .checked_sub(bonus_bps)?
        .checked_sub(pool_bps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{constants::BPS, math::ratio::share_floor};
    use proptest::prelude::*;

    fn shares() -> impl Strategy<Value = (u64, u64)> {
        (0..=BPS).prop_flat_map(|bonus| (Just(bonus), 0..=BPS - bonus))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn a_slash_is_shared_to_the_unit(slash in any::<u64>(), (bonus_bps, pool_bps) in shares()) {
            let split = split_slash(slash, bonus_bps, pool_bps).unwrap();
            prop_assert_eq!(split.bonus as u128 + split.pool as u128 + split.voters as u128, slash as u128);
            prop_assert_eq!(split.bonus, (slash as u128 * bonus_bps as u128 / BPS as u128) as u64);
            // The floors' remainders, below one unit each, end in the pool.
            let exact = (slash as u128 * pool_bps as u128 / BPS as u128) as u64;
            prop_assert!(split.pool >= exact && split.pool - exact <= 2);
        }

        #[test]
        fn a_lost_appeal_is_shared_to_the_unit(bond in any::<u64>(), pool_bps in 0..=BPS) {
            let (voters, pool) = split_appeal(bond, pool_bps).unwrap();
            prop_assert_eq!(voters as u128, bond as u128 * (BPS - pool_bps) as u128 / BPS as u128);
            prop_assert_eq!(voters as u128 + pool as u128, bond as u128);
        }

        #[test]
        fn equal_voters_never_get_more_than_the_initiator(
            slash in any::<u64>(), (bonus_bps, pool_bps) in shares(), voters in 1..1000u64,
        ) {
            let split = split_slash(slash, bonus_bps, pool_bps).unwrap();
            let each = share_floor(split.voters, 1, voters).unwrap();
            prop_assert!(split.bonus + each >= each);
            prop_assert!(each as u128 * voters as u128 <= split.voters as u128);
        }

        #[test]
        fn weighted_shares_never_exceed_the_pot(pot in any::<u64>(), weights in prop::collection::vec(0..u64::MAX / 64, 1..60)) {
            let whole: u64 = weights.iter().sum();
            prop_assume!(whole > 0);
            let paid: u128 = weights.iter().map(|w| share_floor(pot, *w, whole).unwrap() as u128).sum();
            prop_assert!(paid <= pot as u128);
            prop_assert!(pot as u128 - paid < weights.len() as u128);
        }
    }

    #[test]
    fn shares_over_a_whole_are_refused() {
        assert_eq!(split_slash(1, 6_000, 4_001), None);
        assert_eq!(split_appeal(1, 10_001), None);
    }
}
