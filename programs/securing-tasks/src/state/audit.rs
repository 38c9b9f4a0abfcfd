use super::{
    count, discount, hold, is_missing, minus, plus, CaseRules, Electorate, RewardRule, Rules,
    SubmissionStatus, VoteWeight,
};
use crate::{
    constants::*,
    error::TaskError,
    math::{
        majority::{Quorum, Side, Tally, Verdict},
        panel::is_seated,
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
    /// Who appealed, by owner; zeros where nobody did.
    pub appellant: Address,
    /// SHA-256 of why the initiator accuses; zeros: none. Its URI is in the event alone.
    pub evidence_hash: [u8; 32],
    /// SHA-256 of the initiator's secret; zeros where everybody may vote.
    pub secret_hash: [u8; 32],
    /// What decides who has a seat; zeros before the draw.
    pub seed: [u8; 32],
    pub submission_slot: PodU64,
    pub open_slot: PodU64,
    /// The panel is drawn after this slot, with the first block at or after it; 0 where everybody may vote.
    pub draw_slot: PodU64,
    /// When it was appealed, and its second windows began; 0 where nobody did.
    pub appeal_slot: PodU64,
    /// First slot of the reveal window; with a commit window of 0, of all votes. Of the second windows after an appeal.
    pub reveal_slot: PodU64,
    /// First slot at which no vote is taken. The audit can be resolved then, or when the time to appeal is over.
    pub end_slot: PodU64,
    /// The accused's stake when the audit opened, and what earlier verdicts on the submission had taken of it.
    pub accused_stake: PodU64,
    /// What could vote: all nodes but the accused, just before the submission's slot.
    pub eligible: Electorate,
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
    /// What the count before the appeal said; `Open` where nobody appealed.
    pub first_outcome: PodOutcome,
    pub bump: u8,
}

/// What a count comes to.
pub struct Decision {
    pub tally: Tally,
    /// What the submission costs in all, in base units.
    pub whole: u64,
}

/// A node's number in a draw: the first 8 bytes (LE) of SHA-256 of tag, the panel's seed and the owner.
fn lot(seed: &[u8; 32], owner: &Address) -> u64 {
    let [a, b, c, d]: [u64; 4] = bytemuck::cast(*seed);
    let [e, f, g, h]: [u64; 4] = bytemuck::cast(owner.to_bytes());
    // In words: bytes are copied one by one on chain.
    let message = [u64::from_le_bytes(*SEAT_TAG), a, b, c, d, e, f, g, h];
    let [lot, ..]: [u64; 4] = bytemuck::cast(sha256(bytemuck::bytes_of(&message)));
    lot
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
        self.reveal_slot != self.open_slot.max(self.appeal_slot)
    }

    /// Whether everybody eligible was called, after a first count.
    pub fn is_appealed(&self) -> bool {
        self.appeal_slot.get() > 0
    }

    fn is_drawn(&self) -> bool {
        !is_missing(&self.seed)
    }

    /// Whether the votes are those of a panel: one seat, one vote.
    fn is_panel(&self) -> bool {
        self.draw_slot.get() > 0 && !self.is_appealed() && self.is_drawn()
    }

    /// First slot at which no panel can be drawn.
    fn draw_end(&self) -> Result<u64> {
        plus(self.draw_slot, DRAW_SLOTS)
    }

    /// `NoPanel`, `AlreadyDrawn`, or `DrawTooEarly` and `DrawTooLate` outside (draw_slot, draw_slot + 256).
    pub fn require_drawing(&self, slot: u64) -> Result<()> {
        require!(self.draw_slot.get() > 0, TaskError::NoPanel);
        require!(!self.is_drawn(), TaskError::AlreadyDrawn);
        require!(slot > self.draw_slot.get(), TaskError::DrawTooEarly);
        require!(slot < self.draw_end()?, TaskError::DrawTooLate);
        Ok(())
    }

    /// Draws the panel: its seed is SHA-256 of tag, audit, the initiator's secret and a block's hash.
    ///
    /// Who picks the secret can't know the block, and who makes the block can't know the secret. Both together can grind: an appeal
    /// turns what comes of it.
    pub fn draw(&mut self, audit: &Address, secret: &[u8; 32], block: &[u8; 32]) -> Result<()> {
        require!(
            sha256(secret) == self.secret_hash,
            TaskError::SecretMismatch
        );
        const TAG: usize = PANEL_TAG.len();
        let mut message = [0; TAG + 96];
        let (tag, rest) = message.split_at_mut(TAG);
        let (of, rest) = rest.split_at_mut(32);
        let (with, from) = rest.split_at_mut(32);
        tag.copy_from_slice(PANEL_TAG);
        of.copy_from_slice(audit.as_ref());
        with.copy_from_slice(secret);
        from.copy_from_slice(block);
        self.seed = sha256(&message);
        Ok(())
    }

    /// `NotSeated` without a seat on the panel, `PanelNotDrawn` while it can still be drawn. Nobody is asked where there is none: not in
    /// the task's rules, not drawn in time, or after an appeal.
    pub fn require_seat(&self, owner: &Address, weight: u64, slot: u64) -> Result<()> {
        if self.draw_slot.get() == 0 || self.is_appealed() {
            return Ok(());
        }
        if !self.is_drawn() {
            require!(slot >= self.draw_end()?, TaskError::PanelNotDrawn);
            return Ok(());
        }
        let seated = is_seated(
            lot(&self.seed, owner),
            weight,
            self.rules.panel_seats.get(),
            self.eligible.stake.get(),
        );
        require!(seated, TaskError::NotSeated);
        Ok(())
    }

    /// Calls everybody eligible, once, after the last vote and before the audit can be resolved. The votes that are in stay.
    pub fn appeal(&mut self, appellant: Address, slot: u64, rules: &Rules) -> Result<()> {
        require!(!self.is_appealed(), TaskError::AlreadyAppealed);
        let end = plus(self.end_slot, rules.appeal_slots)?;
        require!(
            self.end_slot.get() <= slot && slot < end,
            TaskError::AppealClosed
        );
        self.first_outcome = self.count(&self.tallied()?)?.into();
        self.appellant = appellant;
        self.appeal_slot = slot.into();
        self.set_windows(slot, rules)
    }

    /// Sets the windows of the votes to begin at `slot`.
    pub fn set_windows(&mut self, slot: u64, rules: &Rules) -> Result<()> {
        self.reveal_slot = plus(slot, rules.commit_slots)?.into();
        self.end_slot = plus(self.reveal_slot, rules.reveal_slots)?.into();
        Ok(())
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

    /// Whether votes weigh by stake: never on a panel, where stake has had its part in the draw.
    fn is_by_stake(&self) -> bool {
        self.rules.vote_weight == VoteWeight::Stake && !self.is_panel()
    }

    /// What a vote of `stake` weighs in tally and shares.
    fn weigh(&self, stake: u64) -> u64 {
        if self.is_by_stake() {
            stake
        } else {
            1
        }
    }

    /// One side's votes. The accusation is the initiator's and weighs, but is no other's vote.
    #[inline(always)]
    fn side(&self, opinion: Opinion, by_stake: bool) -> Result<Side> {
        let at = opinion as usize;
        let nodes: u64 = self.votes.nodes[at].get().into();
        let initiator = u64::from(self.accusation == opinion);
        Ok(Side {
            others: minus(nodes, initiator)?,
            weight: if by_stake {
                self.votes.stake[at].get()
            } else {
                nodes
            },
        })
    }

    #[inline(always)]
    fn tallied(&self) -> Result<Tally> {
        let by_stake = self.is_by_stake();
        Ok(Tally {
            valid: self.side(Opinion::Valid, by_stake)?,
            downtime: self.side(Opinion::Downtime, by_stake)?,
            malice: self.side(Opinion::Malice, by_stake)?,
        })
    }

    /// What could vote, in the unit that everybody's votes weigh in.
    pub fn eligible_weight(&self) -> u64 {
        self.eligible.weight(self.rules.vote_weight.into())
    }

    /// What the votes that are in say: of a panel against its seats, of everybody against the eligible weight.
    #[inline(always)]
    fn count(&self, tally: &Tally) -> Result<Outcome> {
        let eligible = if self.is_panel() {
            self.rules.panel_seats.get().into()
        } else {
            self.eligible_weight()
        };
        let quorum = Quorum::new(
            self.rules.quorum_votes.get().into(),
            eligible,
            self.rules.quorum_bps.get().into(),
        )
        .ok_or(TaskError::Overflow)?;
        let verdict = tally.verdict(&quorum).ok_or(TaskError::Overflow)?;
        Ok(match verdict {
            Verdict::None => Outcome::NoVerdict,
            Verdict::Acquitted => Outcome::Acquitted,
            Verdict::Downtime => Outcome::ConvictedDowntime,
            Verdict::Malice => Outcome::ConvictedMalice,
        })
    }

    /// Decides the audit: its outcome, and what the submission costs in all by it. Once, after the last vote and the time to appeal.
    ///
    /// Attack: a convict appeals, few of many come, and a count that is too thin for a verdict lets him go. So only a verdict turns a
    /// verdict.
    #[inline(always)]
    pub fn decide(&mut self, slot: u64, appeal_slots: u64) -> Result<Decision> {
        require!(self.outcome == Outcome::Open, TaskError::AlreadyResolved);
        require!(slot >= self.end_slot.get(), TaskError::VotingOpen);
        require!(
            self.is_appealed() || slot >= plus(self.end_slot, appeal_slots)?,
            TaskError::AppealOpen
        );
        let tally = self.tallied()?;
        let mut outcome = self.count(&tally)?;
        if outcome == Outcome::NoVerdict && self.is_appealed() {
            outcome = self.first_outcome.into();
        }
        self.outcome = outcome.into();
        let bps = match outcome {
            Outcome::ConvictedDowntime => self.rules.downtime_bps.get(),
            Outcome::ConvictedMalice => self.rules.malice_bps.get(),
            _ => 0,
        };
        let whole = bps_floor(self.accused_stake.get(), bps.into()).ok_or(TaskError::Overflow)?;
        Ok(Decision { tally, whole })
    }

    /// Whether somebody appealed and the outcome is that of the count before.
    pub fn was_appealed_in_vain(&self) -> bool {
        self.outcome == self.first_outcome
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

    /// Shares a slash after a conviction: the initiator's bonus and share, the pool's part, the rest and what a lost appeal leaves for the
    /// voters.
    pub fn share_slash(&mut self, slash: u64, appeal: u64, tally: &Tally) -> Result<Award> {
        let split = split_slash(
            slash,
            self.rules.initiator_bonus_bps.get().into(),
            self.rules.pool_bps.get().into(),
        )
        .ok_or(TaskError::Overflow)?;
        let pot = plus(split.voters, appeal)?;
        let weight = if self.rules.reward_rule == RewardRule::All {
            tally.total()
        } else if self.outcome == Outcome::ConvictedMalice {
            Some(tally.malice.weight)
        } else {
            tally.guilty().map(|side| side.weight)
        }
        .ok_or(TaskError::Overflow)?;
        let accusation = if self.pays(self.accusation.into()) {
            share_floor(pot, self.weigh(self.initiator_stake.get()), weight)
                .ok_or(TaskError::Overflow)?
        } else {
            0
        };
        self.fill_pot(pot, accusation, weight)?;
        Ok(Award {
            initiator: plus(split.bonus, accusation)?,
            accused: 0,
            pool: split.pool,
        })
    }

    /// Shares the bond after an acquittal as a slash would be: the bonus to the accused, the pool's part, the rest and what a lost appeal
    /// leaves for the voters without the initiator.
    pub fn share_bond(&mut self, bond: u64, appeal: u64, tally: &Tally) -> Result<Award> {
        let split = split_slash(
            bond,
            self.rules.initiator_bonus_bps.get().into(),
            self.rules.pool_bps.get().into(),
        )
        .ok_or(TaskError::Overflow)?;
        let weight = if self.rules.reward_rule == RewardRule::All {
            self.others_weight(tally)?
        } else {
            tally.valid.weight
        };
        self.fill_pot(plus(split.voters, appeal)?, 0, weight)?;
        Ok(Award {
            initiator: 0,
            accused: split.bonus,
            pool: split.pool,
        })
    }

    /// Shares what a lost appeal leaves where nobody won: for all voters but the initiator. The pool's where there are none.
    pub fn share_appeal(&mut self, appeal: u64, tally: &Tally) -> Result<Award> {
        let weight = if appeal > 0 {
            self.others_weight(tally)?
        } else {
            0
        };
        if weight == 0 {
            return Ok(Award {
                pool: appeal,
                ..Award::default()
            });
        }
        self.fill_pot(appeal, 0, weight)?;
        Ok(Award::default())
    }

    /// All weight but the initiator's.
    fn others_weight(&self, tally: &Tally) -> Result<u64> {
        minus(
            tally.total().ok_or(TaskError::Overflow)?,
            self.weigh(self.initiator_stake.get()),
        )
    }

    /// Sets the pot for the claims. Somebody always claims: a verdict needs at least one vote besides the initiator's, a pot without one
    /// too.
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

    /// Whether an opinion has a part of what is shared: where nobody won, each.
    fn pays(&self, opinion: Opinion) -> bool {
        self.is_majority(opinion)
            .is_none_or(|won| won || self.rules.reward_rule == RewardRule::All)
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
    #[inline(always)]
    pub fn claim(&mut self, opinion: Option<Opinion>, stake: u64) -> Result<(u64, u64)> {
        let filled = self.voters_pot.get() > 0;
        let share = if filled && opinion.is_some_and(|opinion| self.pays(opinion)) {
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

    #[inline(always)]
    pub fn invariant(&self) -> Result<()> {
        hold(self.outcome.0 <= Outcome::ConvictedMalice as u8)?;
        hold(self.accusation == Opinion::Downtime || self.accusation == Opinion::Malice)?;
        hold(self.voters_left.get() <= self.voters_pot.get())?;
        hold(self.unclaimed.get() > 0 || self.voters_left.get() == 0)?;
        hold(self.unclaimed.get() <= self.live_votes.get())?;
        hold(self.bond.get() > 0)?;
        hold(self.is_appealed() == (self.first_outcome != Outcome::Open))?;
        hold(self.outcome != Outcome::Open || self.voters_pot.get() == 0)
    }
}
