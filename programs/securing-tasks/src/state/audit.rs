use super::{
    count, discount, hold, minus, plus, CaseRules, Electorate, RewardRule, SubmissionStatus,
    VoteWeight,
};
use crate::{
    error::TaskError,
    math::{
        majority::{Quorum, Side, Tally, Verdict},
        ratio::{bps_floor, share_floor},
        slash::split_slash,
    },
};
use anchor_lang::prelude::*;
use bytemuck::{Pod, Zeroable};

/// What a voter says of a submission.
#[pod_wrapper]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opinion {
    Valid = 0,
    /// The node did not answer, or its work isn't to be had.
    Downtime = 1,
    /// The node answered wrongly.
    Malice = 2,
}

impl Opinion {
    /// `UnknownVerdict` for a number that is none.
    pub fn parse(number: u8) -> Result<Self> {
        match number {
            0 => Ok(Self::Valid),
            1 => Ok(Self::Downtime),
            2 => Ok(Self::Malice),
            _ => Err(TaskError::UnknownVerdict.into()),
        }
    }
}

#[pod_wrapper]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    Open = 0,
    NoVerdict = 1,
    Acquitted = 2,
    ConvictedDowntime = 3,
    ConvictedMalice = 4,
}

/// Votes and weights for each opinion, by `Opinion`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable, IdlType)]
pub struct Votes {
    /// Nodes.
    pub nodes: [PodU32; 3],
    /// Base units.
    pub stake: [PodU64; 3],
}

/// One audit of a submission. Seeds: `audit`, submission, initiator's owner, index (u32 LE): an address that nobody but the initiator
/// can take. Amounts in base units of the mint.
///
/// Owns `voters_left` of the vault. Holds no list of voters: any number of them costs `resolve_audit` the same.
#[account]
pub struct Audit {
    pub task: Address,
    pub submission: Address,
    /// The accuser's owner.
    pub initiator: Address,
    /// The accused node's owner.
    pub accused: Address,
    /// Paid the rent and gets it back.
    pub payer: Address,
    pub submission_slot: PodU64,
    pub open_slot: PodU64,
    /// First slot of the reveal window; with a commit window of 0, `open_slot`.
    pub reveal_slot: PodU64,
    /// First slot at which no vote is taken and the audit can be resolved.
    pub end_slot: PodU64,
    /// The accused's stake when the audit opened, and what earlier verdicts on the submission had taken of it.
    pub accused_stake: PodU64,
    /// Weight that could vote, in the unit of `rules.vote_weight`: of all nodes but the accused, just before the submission's slot, or
    /// at the opening if that is less.
    pub eligible: PodU64,
    /// What the initiator's accusation weighs by stake.
    pub initiator_stake: PodU64,
    /// What the initiator loses of its stake if its accusation fails.
    pub bond: PodU64,
    /// What a voter loses of its stake if it doesn't reveal its commitment.
    pub vote_deposit: PodU64,
    pub votes: Votes,
    /// The voters' part of the slash or bond, without the initiator's share.
    pub voters_pot: PodU64,
    /// The whole that each voter's share is a part of, in the tally's weight.
    pub voters_weight: PodU64,
    /// What is left of `voters_pot`; the last claim sends the floors' remainder to the pool.
    pub voters_left: PodU64,
    /// Votes that exist and are not claimed, the initiator's accusation not among them.
    pub unclaimed: PodU32,
    /// Vote accounts that are not closed.
    pub live_votes: PodU32,
    pub rules: CaseRules,
    /// The initiator's count of audits before this one: part of the address.
    pub index: PodU32,
    /// Audits of the submission that were opened before this one. They are resolved in that order.
    pub attempt: PodU32,
    pub accusation: PodOpinion,
    pub outcome: PodOutcome,
    pub bump: u8,
}

/// What `resolve_audit` moves, in base units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Award {
    /// To the initiator, locked: bonus and the accusation's share.
    pub initiator: u64,
    /// To the accused, locked: its part of a lost bond.
    pub accused: u64,
    /// To the task's pool.
    pub pool: u64,
}

impl Audit {
    /// Seats a vote that is not told yet.
    pub fn add_commitment(&mut self) -> Result<()> {
        count(&mut self.live_votes)?;
        count(&mut self.unclaimed)
    }

    /// Seats and counts an open vote. `weight` is the node's frozen stake.
    pub fn add_vote(&mut self, opinion: Opinion, weight: u64) -> Result<()> {
        self.add_commitment()?;
        self.tally(opinion, weight)
    }

    /// Counts the accusation as the initiator's vote.
    pub fn add_accusation(&mut self, opinion: Opinion, weight: u64) -> Result<()> {
        self.accusation = opinion.into();
        self.initiator_stake = weight.into();
        self.tally(opinion, weight)
    }

    /// Counts a vote that is seated already. `weight` is the node's frozen stake.
    pub fn tally(&mut self, opinion: Opinion, weight: u64) -> Result<()> {
        let (nodes, stake) = match opinion {
            Opinion::Valid => (&mut self.votes.nodes[0], &mut self.votes.stake[0]),
            Opinion::Downtime => (&mut self.votes.nodes[1], &mut self.votes.stake[1]),
            Opinion::Malice => (&mut self.votes.nodes[2], &mut self.votes.stake[2]),
        };
        count(nodes)?;
        *stake = plus(*stake, weight)?.into();
        Ok(())
    }

    /// `NotResolved` while the audit is open.
    pub fn require_resolved(&self) -> Result<()> {
        require!(self.outcome != Outcome::Open, TaskError::NotResolved);
        Ok(())
    }

    /// Whether votes are committed before they are told.
    pub fn is_committed(&self) -> bool {
        self.reveal_slot != self.open_slot
    }

    /// `VotingClosed` outside [open_slot, reveal_slot).
    pub fn require_committing(&self, slot: u64) -> Result<()> {
        require!(slot < self.reveal_slot.get(), TaskError::VotingClosed);
        Ok(())
    }

    /// `VotingClosed` outside [reveal_slot, end_slot).
    pub fn require_voting(&self, slot: u64) -> Result<()> {
        require!(
            self.reveal_slot.get() <= slot && slot < self.end_slot.get(),
            TaskError::VotingClosed
        );
        Ok(())
    }

    /// What a vote of `stake` weighs in tally and shares.
    fn weigh(&self, stake: u64) -> u64 {
        if self.rules.vote_weight == VoteWeight::Stake {
            stake
        } else {
            1
        }
    }

    /// One side's votes. The accusation is the initiator's and weighs, but is no other's vote.
    fn side(&self, opinion: Opinion) -> Result<Side> {
        let at = opinion as usize;
        let nodes: u64 = self.votes.nodes[at].get().into();
        let initiator = u64::from(self.accusation == opinion);
        Ok(Side {
            others: minus(nodes, initiator)?,
            weight: if self.rules.vote_weight == VoteWeight::Stake {
                self.votes.stake[at].get()
            } else {
                nodes
            },
        })
    }

    fn tallied(&self) -> Result<Tally> {
        Ok(Tally {
            valid: self.side(Opinion::Valid)?,
            downtime: self.side(Opinion::Downtime)?,
            malice: self.side(Opinion::Malice)?,
        })
    }

    /// Freezes the weight that could vote.
    pub fn freeze_electorate(&mut self, eligible: &Electorate) {
        self.eligible = eligible.weight(self.rules.vote_weight.into()).into();
    }

    /// Decides the audit: its outcome, and what the submission costs in all by it. Once, and after the last vote.
    pub fn decide(&mut self, slot: u64) -> Result<u64> {
        require!(self.outcome == Outcome::Open, TaskError::AlreadyResolved);
        require!(slot >= self.end_slot.get(), TaskError::VotingOpen);
        let quorum = Quorum::new(
            self.rules.quorum_votes.get().into(),
            self.eligible.get(),
            self.rules.quorum_bps.get().into(),
        )
        .ok_or(TaskError::Overflow)?;
        let verdict = self
            .tallied()?
            .verdict(&quorum)
            .ok_or(TaskError::Overflow)?;
        let (outcome, bps) = match verdict {
            Verdict::None => (Outcome::NoVerdict, 0u64),
            Verdict::Acquitted => (Outcome::Acquitted, 0),
            Verdict::Downtime => (
                Outcome::ConvictedDowntime,
                self.rules.downtime_bps.get().into(),
            ),
            Verdict::Malice => (Outcome::ConvictedMalice, self.rules.malice_bps.get().into()),
        };
        self.outcome = outcome.into();
        Ok(bps_floor(self.accused_stake.get(), bps).ok_or(TaskError::Overflow)?)
    }

    /// What the outcome is for the submission.
    pub fn verdict(&self) -> SubmissionStatus {
        match self.outcome.into() {
            Outcome::Open | Outcome::NoVerdict => SubmissionStatus::Submitted,
            Outcome::Acquitted => SubmissionStatus::Acquitted,
            Outcome::ConvictedDowntime => SubmissionStatus::ConvictedDowntime,
            Outcome::ConvictedMalice => SubmissionStatus::ConvictedMalice,
        }
    }

    /// Shares a slash after a conviction: the initiator's bonus and share, the pool's part, the rest for the voters.
    pub fn share_slash(&mut self, slash: u64) -> Result<Award> {
        let split = split_slash(
            slash,
            self.rules.initiator_bonus_bps.get().into(),
            self.rules.pool_bps.get().into(),
        )
        .ok_or(TaskError::Overflow)?;
        let tally = self.tallied()?;
        let weight = if self.rules.reward_rule == RewardRule::All {
            tally.total()
        } else if self.outcome == Outcome::ConvictedMalice {
            Some(tally.malice.weight)
        } else {
            tally.guilty().map(|side| side.weight)
        }
        .ok_or(TaskError::Overflow)?;
        let accusation = if self.pays(self.accusation.into()) {
            share_floor(split.voters, self.weigh(self.initiator_stake.get()), weight)
                .ok_or(TaskError::Overflow)?
        } else {
            0
        };
        self.fill_pot(split.voters, accusation, weight)?;
        Ok(Award {
            initiator: plus(split.bonus, accusation)?,
            accused: 0,
            pool: split.pool,
        })
    }

    /// Shares the bond after an acquittal as a slash would be: the bonus to the accused, the pool's part, the rest for the voters without
    /// the initiator.
    pub fn share_bond(&mut self, bond: u64) -> Result<Award> {
        let split = split_slash(
            bond,
            self.rules.initiator_bonus_bps.get().into(),
            self.rules.pool_bps.get().into(),
        )
        .ok_or(TaskError::Overflow)?;
        let tally = self.tallied()?;
        let weight = if self.rules.reward_rule == RewardRule::All {
            minus(
                tally.total().ok_or(TaskError::Overflow)?,
                self.weigh(self.initiator_stake.get()),
            )?
        } else {
            tally.valid.weight
        };
        self.fill_pot(split.voters, 0, weight)?;
        Ok(Award {
            initiator: 0,
            accused: split.bonus,
            pool: split.pool,
        })
    }

    /// Sets the pot for the claims. Somebody always claims: a verdict needs at least one vote besides the initiator's.
    fn fill_pot(&mut self, pot: u64, paid: u64, weight: u64) -> Result<()> {
        self.voters_pot = pot.into();
        self.voters_weight = weight.into();
        self.voters_left = minus(pot, paid)?.into();
        Ok(())
    }

    /// Whether an opinion was on the side that won; `None` where nobody won. Who said less than the verdict did not win.
    ///
    /// Attack: friends of a liar who say downtime would share its slash, and pull the verdict down meanwhile.
    pub fn is_majority(&self, opinion: Opinion) -> Option<bool> {
        match self.outcome.into() {
            Outcome::Open | Outcome::NoVerdict => None,
            Outcome::Acquitted => Some(opinion == Opinion::Valid),
            Outcome::ConvictedDowntime => Some(opinion != Opinion::Valid),
            Outcome::ConvictedMalice => Some(opinion == Opinion::Malice),
        }
    }

    /// Whether an opinion has a part of what is shared.
    fn pays(&self, opinion: Opinion) -> bool {
        self.is_majority(opinion)
            .is_some_and(|won| won || self.rules.reward_rule == RewardRule::All)
    }

    /// `NotEmpty` before the outcome, or while a vote account is left.
    pub fn require_closable(&self) -> Result<()> {
        self.require_resolved()?;
        require!(self.live_votes.get() == 0, TaskError::NotEmpty);
        Ok(())
    }

    pub fn close_vote(&mut self) -> Result<()> {
        discount(&mut self.live_votes)
    }

    /// Takes one voter's share out of the pot; a vote never revealed (`None`) has none. Answers the share (floored) and, at the last claim, what the floors left over.
    pub fn claim(&mut self, opinion: Option<Opinion>, stake: u64) -> Result<(u64, u64)> {
        let share = if opinion.is_some_and(|opinion| self.pays(opinion)) {
            share_floor(
                self.voters_pot.get(),
                self.weigh(stake),
                self.voters_weight.get(),
            )
            .ok_or(TaskError::Overflow)?
        } else {
            0
        };
        let left = minus(self.voters_left, share)?;
        discount(&mut self.unclaimed)?;
        let over = if self.unclaimed.get() == 0 { left } else { 0 };
        self.voters_left = minus(left, over)?.into();
        Ok((share, over))
    }

    pub fn invariant(&self) -> Result<()> {
        hold(self.outcome.0 <= Outcome::ConvictedMalice as u8)?;
        hold(self.accusation == Opinion::Downtime || self.accusation == Opinion::Malice)?;
        hold(self.voters_left.get() <= self.voters_pot.get())?;
        hold(self.unclaimed.get() > 0 || self.voters_left.get() == 0)?;
        hold(self.unclaimed.get() <= self.live_votes.get())?;
        hold(self.bond.get() > 0)?;
        hold(self.outcome != Outcome::Open || self.voters_pot.get() == 0)
    }
}
