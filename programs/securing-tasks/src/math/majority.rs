//! From a tally to an outcome.
//!
//! Seed: nodes "vote to slash their stake if a majority of participating nodes agree that the submitted payload does not
//! match the expected result". The majority is counted over the revealed weight; exactly half is not a majority. The quorum is
//! counted on the side that decides, so that coming to vote never helps another side.

use super::ratio::bps_ceil;

/// Votes for one verdict: how many nodes besides the initiator, and their weight, the initiator's included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Side {
    pub others: u64,
    pub weight: u64,
}

impl Side {
    /// `None` where a sum is over u64.
    fn with(self, other: Self) -> Option<Self> {
        Some(Self {
            others: self.others.checked_add(other.others)?,
            weight: self.weight.checked_add(other.weight)?,
        })
    }

    fn meets(&self, quorum: &Quorum) -> bool {
        self.others >= quorum.others && self.weight >= quorum.weight
    }
}

/// What a verdict needs on its own side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// Votes besides the initiator's.
    pub others: u64,
    /// In the unit of the tally's weight.
    pub weight: u64,
}

impl Quorum {
    /// The share of the eligible weight rounds up. `None` where `least_bps` is over 10,000.
    pub fn new(others: u64, eligible: u64, least_bps: u64) -> Option<Self> {
        Some(Self {
            others,
            weight: bps_ceil(eligible, least_bps)?,
        })
    }
}

/// Votes for each verdict, the initiator's accusation included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub valid: Side,
    pub downtime: Side,
    pub malice: Side,
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
    /// `None` where a sum is over u64.
    pub fn guilty(&self) -> Option<Side> {
        self.downtime.with(self.malice)
    }

    /// All weight. `None` where the sum is over u64.
    pub fn total(&self) -> Option<u64> {
        Some(self.guilty()?.with(self.valid)?.weight)
    }

    /// The verdict: malice, guilty or valid with more than half of the weight, and with the quorum among its own votes.
    ///
    /// Attack: where all that is told fills the quorum, those who vote against a coalition complete it. So a penalty for malice
    /// needs majority and quorum of those who mean malice; the others' guilty votes count for downtime alone.
    pub fn verdict(&self, quorum: &Quorum) -> Option<Verdict> {
        let guilty = self.guilty()?;
        let not_malice = self.valid.weight.checked_add(self.downtime.weight)?;
        let verdict = if self.malice.weight > not_malice && self.malice.meets(quorum) {
            Verdict::Malice
        } else if guilty.weight > self.valid.weight && guilty.meets(quorum) {
            Verdict::Downtime
        } else if self.valid.weight > guilty.weight && self.valid.meets(quorum) {
            Verdict::Acquitted
        } else {
            Verdict::None
        };
        Some(verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One node for each unit of weight; the accusation is of malice or downtime, whichever was voted for.
    fn tally(valid: u64, downtime: u64, malice: u64) -> Tally {
        let side = |weight| Side {
            others: weight,
            weight,
        };
        Tally {
            valid: side(valid),
            downtime: side(downtime),
            malice: side(malice),
        }
    }

    fn verdict(valid: u64, downtime: u64, malice: u64, quorum: u64) -> Verdict {
        let quorum = Quorum {
            others: 0,
            weight: quorum,
        };
        tally(valid, downtime, malice).verdict(&quorum).unwrap()
    }

    #[test]
    fn half_is_not_a_majority() {
        assert_eq!(verdict(3, 1, 2, 0), Verdict::None);
        assert_eq!(verdict(3, 1, 3, 0), Verdict::Downtime);
        assert_eq!(verdict(3, 0, 4, 0), Verdict::Malice);
        assert_eq!(verdict(4, 1, 2, 0), Verdict::Acquitted);
        assert_eq!(verdict(0, 0, 0, 0), Verdict::None);
    }

    #[test]
    fn malice_needs_more_than_half_of_all() {
        assert_eq!(verdict(1, 2, 3, 0), Verdict::Downtime);
        assert_eq!(verdict(1, 2, 4, 0), Verdict::Malice);
        assert_eq!(verdict(0, 1, 1, 0), Verdict::Downtime);
    }

    #[test]
    fn quorum_is_counted_on_the_side_that_decides() {
        assert_eq!(verdict(3, 0, 5, 6), Verdict::None);
        assert_eq!(verdict(3, 0, 6, 6), Verdict::Malice);
        assert_eq!(verdict(0, 4, 5, 6), Verdict::Downtime);
        assert_eq!(verdict(5, 0, 4, 6), Verdict::None);
        assert_eq!(verdict(6, 0, 4, 6), Verdict::Acquitted);
        let alone = Quorum {
            others: 3,
            weight: 0,
        };
        assert_eq!(tally(2, 0, 3).verdict(&alone), Some(Verdict::Malice));
        assert_eq!(tally(1, 0, 2).verdict(&alone), Some(Verdict::None));
    }

    #[test]
    fn quorum_rounds_up() {
        assert_eq!(Quorum::new(0, 1000, 3334).unwrap().weight, 334);
        assert_eq!(Quorum::new(0, 999, 3333).unwrap().weight, 333);
        assert_eq!(Quorum::new(0, 0, 5000).unwrap().weight, 0);
        assert_eq!(Quorum::new(0, 1, 10_001), None);
    }

    /// From the accused's best to its worst.
    fn rank(verdict: Verdict) -> u8 {
        match verdict {
            Verdict::Acquitted => 0,
            Verdict::None => 1,
            Verdict::Downtime => 2,
            Verdict::Malice => 3,
        }
    }

    fn sides() -> impl Strategy<Value = Side> {
        (0..30u64, 0..50u64).prop_map(|(others, weight)| Side { others, weight })
    }

    fn tallies() -> impl Strategy<Value = Tally> {
        (sides(), sides(), sides()).prop_map(|(valid, downtime, malice)| Tally {
            valid,
            downtime,
            malice,
        })
    }

    fn quorums() -> impl Strategy<Value = Quorum> {
        (0..20u64, 0..40u64).prop_map(|(others, weight)| Quorum { others, weight })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn a_verdict_has_majority_and_quorum_on_its_side(t in tallies(), q in quorums()) {
            let all = t.total().unwrap();
            let guilty = t.guilty().unwrap();
            let decides = |side: Side| 2 * side.weight > all && side.weight >= q.weight && side.others >= q.others;
            match t.verdict(&q).unwrap() {
                Verdict::Malice => prop_assert!(decides(t.malice)),
                Verdict::Downtime => prop_assert!(decides(guilty) && !decides(t.malice)),
                Verdict::Acquitted => prop_assert!(decides(t.valid)),
                Verdict::None => prop_assert!(!decides(guilty) && !decides(t.valid)),
            }
        }

        /// Whoever comes moves the verdict towards what he says, or not at all.
        #[test]
        fn coming_to_vote_never_helps_another_side(t in tallies(), q in quorums(), weight in 0..50u64) {
            let more = Side { others: 1, weight };
            let before = rank(t.verdict(&q).unwrap());
            let valid = Tally { valid: t.valid.with(more).unwrap(), ..t };
            prop_assert!(rank(valid.verdict(&q).unwrap()) <= before);
            let malice = Tally { malice: t.malice.with(more).unwrap(), ..t };
            prop_assert!(rank(malice.verdict(&q).unwrap()) >= before);
            let downtime = Tally { downtime: t.downtime.with(more).unwrap(), ..t };
            let after = rank(downtime.verdict(&q).unwrap());
            let towards = before <= after && after <= 2 || before == 3;
            prop_assert!(towards);
        }

        /// Whoever is awake counts: more than half of the eligible weight that says one thing, and enough heads, get it.
        #[test]
        fn more_than_half_of_the_eligible_weight_decides(
            honest in 1..1000u64, bps in 0..=5_000u64, others in 0..20u64, [rest, a, b] in any::<[u64; 3]>(),
        ) {
            let rest = rest % honest;
            let q = Quorum::new(others, honest + rest, bps).unwrap();
            let us = Side { others, weight: honest };
            // The rest say what they like, or nothing.
            let x = a % (rest + 1);
            let y = b % (rest - x + 1);
            let (x, y) = (Side { others: 99, weight: x }, Side { others: 99, weight: y });
            let all = [
                (Tally { valid: us, downtime: x, malice: y }, Verdict::Acquitted),
                (Tally { valid: x, downtime: us, malice: y }, Verdict::Downtime),
                (Tally { valid: x, downtime: y, malice: us }, Verdict::Malice),
            ];
            for (tally, verdict) in all {
                prop_assert_eq!(tally.verdict(&q).unwrap(), verdict);
            }
        }
    }
}
