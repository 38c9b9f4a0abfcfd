use super::hold;
use crate::{constants::MAX_AUDITS, error::TaskError};
use anchor_lang::prelude::*;

#[pod_wrapper]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SubmissionStatus {
    /// Never audited, or audited without a verdict: not cleared.
    Submitted = 0,
    UnderAudit = 1,
    Acquitted = 2,
    Convicted = 3,
}

/// A node's work for one round. Seeds: `submission`, task, round (u64 LE), owner.
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
    /// Active stake of all other nodes when the work came, in base units: later stake can't thin out a vote on it.
    pub others_stake: PodU64,
    /// Audits opened so far.
    pub audits: u8,
    /// Audit accounts that are not closed.
    pub live_audits: u8,
    /// Whether the bounty was claimed.
    pub paid: PodBool,
    pub status: PodSubmissionStatus,
    pub bump: u8,
}

impl Submission {
    /// Begins the next audit and answers its attempt.
    pub fn begin_audit(&mut self) -> Result<u8> {
        match self.status.into() {
            SubmissionStatus::Submitted => {}
            SubmissionStatus::UnderAudit => return Err(TaskError::AuditAlreadyOpen.into()),
            SubmissionStatus::Acquitted | SubmissionStatus::Convicted => {
                return Err(TaskError::AlreadyDecided.into())
            }
        }
        require!(self.audits < MAX_AUDITS, TaskError::AuditsUsedUp);
        let attempt = self.audits;
        self.audits = attempt.checked_add(1).ok_or(TaskError::Overflow)?;
        self.live_audits = self.live_audits.checked_add(1).ok_or(TaskError::Overflow)?;
        self.status = SubmissionStatus::UnderAudit.into();
        Ok(attempt)
    }

    /// Ends the open audit.
    pub fn end_audit(&mut self, status: SubmissionStatus) {
        self.status = status.into();
    }

    pub fn close_audit(&mut self) -> Result<()> {
        self.live_audits = self.live_audits.checked_sub(1).ok_or(TaskError::Overflow)?;
        Ok(())
    }

    /// Marks the bounty as claimed, once. A verdict that was never reached clears nothing, and costs nothing either.
    pub fn pay(&mut self) -> Result<()> {
        require!(
            self.status != SubmissionStatus::Convicted,
            TaskError::ConvictedEarnsNothing
        );
        require!(!self.paid.get(), TaskError::AlreadyPaid);
        self.paid = true.into();
        Ok(())
    }

    /// `NotEmpty` while an audit of it exists or its bounty is still to be paid.
    pub fn require_closable(&self) -> Result<()> {
        let settled = self.paid.get() || self.status == SubmissionStatus::Convicted;
        require!(settled && self.live_audits == 0, TaskError::NotEmpty);
        Ok(())
    }

    pub fn invariant(&self) -> Result<()> {
        hold(self.status.0 <= SubmissionStatus::Convicted as u8)?;
        hold(self.audits <= MAX_AUDITS && self.live_audits <= self.audits)?;
        hold(!self.paid.get() || self.status != SubmissionStatus::Convicted)?;
        hold(self.audits > 0 || self.status == SubmissionStatus::Submitted)
    }
}
