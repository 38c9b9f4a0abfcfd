use super::{count, discount, hold, minus, plus, Electorate, Opinion};
use crate::error::TaskError;
use anchor_lang::prelude::*;

/// The gravest verdict so far. It only rises: no later audit, by whomever, makes an earlier verdict milder.
#[pod_wrapper]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum SubmissionStatus {
    /// Never audited, or audited without a verdict: not cleared.
    Submitted = 0,
    /// Once. It bars nothing: who is acquitted early may be dark or wrong later.
    Acquitted = 1,
    ConvictedDowntime = 2,
    ConvictedMalice = 3,
}

/// A node's work for one round. Seeds: `submission`, task, round (u64 LE), owner.
///
/// Any number of audits of it may be open at once, so that none keeps another from being opened.
#[account]
pub struct Submission {
    pub task: Address,
    pub owner: Address,
    /// Paid the rent and gets it back.
    pub payer: Address,
    pub payload_hash: [u8; 32],
    pub payload_uri: PodVec<u8, 128>,
    pub round: PodU64,
    pub slot: PodU64,
    /// What all other nodes could vote with just before `slot` and still could at the submission: later stake can't thin out a
    /// vote on it.
    pub others: Electorate,
    /// Stake of all other nodes that could vote just before `slot`: what seats on panels are drawn out of.
    ///
    /// Attack: a coalition asks to leave at once, still votes, and is no part of what is left to draw from: its chances rise where a
    /// whale's, who has a seat for certain, can't.
    pub seat_stake: PodU64,
    /// Base units that verdicts on it took from the node's stake.
    pub slashed: PodU64,
    /// Audits opened so far.
    pub audits: PodU32,
    /// Audits resolved so far, in the order in which they were opened.
    pub decided: PodU32,
    /// Audit accounts that are not closed.
    pub live_audits: PodU32,
    /// Whether the bounty was claimed.
    pub paid: PodBool,
    pub status: PodSubmissionStatus,
    pub bump: u8,
}

impl Submission {
    /// Begins an audit and answers how many there were before. `AlreadyDecided` where it was convicted of that fault or a worse one.
    pub fn begin_audit(&mut self, accusation: Opinion) -> Result<u32> {
        let decided = match self.status.into() {
            SubmissionStatus::Submitted | SubmissionStatus::Acquitted => false,
            SubmissionStatus::ConvictedDowntime => accusation == Opinion::Downtime,
            SubmissionStatus::ConvictedMalice => true,
        };
        require!(!decided, TaskError::AlreadyDecided);
        let attempt = self.audits.get();
        count(&mut self.audits)?;
        count(&mut self.live_audits)?;
        Ok(attempt)
    }

    /// Ends the audit that was opened as the `attempt`-th. `EarlierAuditOpen` out of turn: else the second accuser could be first to
    /// the slash.
    pub fn end_audit(&mut self, attempt: u32, verdict: SubmissionStatus) -> Result<()> {
        require!(self.decided == attempt, TaskError::EarlierAuditOpen);
        count(&mut self.decided)?;
        let gravest = SubmissionStatus::from(self.status).max(verdict);
        self.status = gravest.into();
        Ok(())
    }

    /// What a verdict that costs `whole` in all still costs, after what earlier ones took.
    pub fn due(&self, whole: u64) -> u64 {
        whole.saturating_sub(self.slashed.get())
    }

    pub fn add_slash(&mut self, taken: u64) -> Result<()> {
        self.slashed = plus(self.slashed, taken)?.into();
        Ok(())
    }

    pub fn close_audit(&mut self) -> Result<()> {
        discount(&mut self.live_audits)
    }

    pub fn is_convicted(&self) -> bool {
        SubmissionStatus::from(self.status) >= SubmissionStatus::ConvictedDowntime
    }

    /// Marks the bounty as claimed, once. A verdict that was never reached clears nothing, and costs nothing either.
    pub fn pay(&mut self) -> Result<()> {
        require!(!self.is_convicted(), TaskError::ConvictedEarnsNothing);
        require!(!self.paid.get(), TaskError::AlreadyPaid);
        self.paid = true.into();
        Ok(())
    }

    /// `NotEmpty` while an audit of it exists or its bounty is still to be paid.
    pub fn require_closable(&self) -> Result<()> {
        let settled = self.paid.get() || self.is_convicted();
        require!(settled && self.live_audits.get() == 0, TaskError::NotEmpty);
        Ok(())
    }

    pub fn invariant(&self) -> Result<()> {
        hold(self.status.0 <= SubmissionStatus::ConvictedMalice as u8)?;
        hold(self.decided.get() <= self.audits.get())?;
        let open = minus(self.audits.get(), self.decided.get())?;
        hold(open <= self.live_audits.get().into())?;
        hold(self.live_audits.get() <= self.audits.get())?;
        hold(!self.paid.get() || !self.is_convicted())?;
        hold(self.is_convicted() || self.slashed.get() == 0)?;
        hold(self.decided.get() > 0 || self.status == SubmissionStatus::Submitted)
    }
}
