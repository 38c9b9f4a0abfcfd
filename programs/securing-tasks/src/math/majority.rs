//! From a tally to an outcome.
//!
//! Seed: nodes "vote to slash their stake if a majority of participating nodes agree that the submitted payload does not
//! match the expected result". The majority is counted over the revealed weight; exactly half is not a majority.

use super::ratio::bps_ceil;

/// Weight on each verdict, the initiator's accusation included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub valid: u64,
    pub downtime: u64,
    pub malice: u64,
}

/// What an audit ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A tie, or too thin to decide: nobody gains or loses, nothing is cleared.
    None,
    Acquitted,
    Downtime,
    Malice,
}

impl Tally {
    /// `None` where the sum is over u64.
    pub fn guilty(&self) -> Option<u64> {
        self.downtime.checked_add(self.malice)
    }

    /// `None` where the sum is over u64.
    pub fn total(&self) -> Option<u64> {
        self.guilty()?.checked_add(self.valid)
    }

    /// The verdict of a tally that met its quorum.
    ///
    /// Guilty with more than half of the weight; of malice only if malice alone has more than half, since a penalty for
    /// malice needs a majority that means malice.
    pub fn verdict(&self) -> Option<Verdict> {
        let guilty = self.guilty()?;
        let verdict = if guilty > self.valid {
            if self.malice > self.valid.checked_add(self.downtime)? {
                Verdict::Malice
            } else {
                Verdict::Downtime
            }
        } else if self.valid > guilty {
            Verdict::Acquitted
        } else {
            Verdict::None
        };
        Some(verdict)
    }
}

/// Whether enough took part: `others` votes besides the initiator's, and the revealed stake (the initiator's included)
/// at least the share of the eligible stake, rounded up.
pub fn quorum_met(
    others: u64,
    least_votes: u64,
    revealed_stake: u64,
    eligible_stake: u64,
    least_bps: u64,
) -> Option<bool> {
    Some(others >= least_votes && revealed_stake >= bps_ceil(eligible_stake, least_bps)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tally(valid: u64, downtime: u64, malice: u64) -> Tally {
        Tally {
            valid,
            downtime,
            malice,
        }
    }

    #[test]
    fn half_is_not_a_majority() {
        assert_eq!(tally(3, 1, 2).verdict(), Some(Verdict::None));
        assert_eq!(tally(3, 1, 3).verdict(), Some(Verdict::Downtime));
        assert_eq!(tally(3, 0, 4).verdict(), Some(Verdict::Malice));
        assert_eq!(tally(4, 1, 2).verdict(), Some(Verdict::Acquitted));
        assert_eq!(tally(0, 0, 0).verdict(), Some(Verdict::None));
    }

    #[test]
    fn malice_needs_more_than_half_of_all() {
        assert_eq!(tally(1, 2, 3).verdict(), Some(Verdict::Downtime));
        assert_eq!(tally(1, 2, 4).verdict(), Some(Verdict::Malice));
        assert_eq!(tally(0, 1, 1).verdict(), Some(Verdict::Downtime));
    }

    #[test]
    fn quorum_edges() {
        assert_eq!(quorum_met(2, 2, 334, 1000, 3334), Some(true));
        assert_eq!(quorum_met(1, 2, 1000, 1000, 0), Some(false));
        assert_eq!(quorum_met(2, 2, 333, 1000, 3334), Some(false));
        assert_eq!(quorum_met(2, 2, 333, 999, 3333), Some(true));
        assert_eq!(quorum_met(2, 2, 0, 0, 10_000), Some(true));
    }

    proptest! {
        #[test]
        fn verdict_means_a_majority(valid in 0..50u64, downtime in 0..50u64, malice in 0..50u64) {
            let t = tally(valid, downtime, malice);
            let all = valid + downtime + malice;
            match t.verdict().unwrap() {
                Verdict::Malice => prop_assert!(2 * malice > all),
                Verdict::Downtime => prop_assert!(2 * (downtime + malice) > all && 2 * malice <= all),
                Verdict::Acquitted => prop_assert!(2 * valid > all),
                Verdict::None => prop_assert_eq!(2 * valid, all),
            }
        }

        #[test]
        fn one_more_guilty_vote_never_helps_the_accused(valid in 0..50u64, downtime in 0..50u64, malice in 0..50u64) {
            let rank = |t: Tally| match t.verdict().unwrap() {
                Verdict::Acquitted => 0, Verdict::None => 1, Verdict::Downtime => 2, Verdict::Malice => 3,
            };
            prop_assert!(rank(tally(valid, downtime, malice + 1)) >= rank(tally(valid, downtime, malice)));
            prop_assert!(rank(tally(valid + 1, downtime, malice)) <= rank(tally(valid, downtime, malice)));
        }
    }
}
