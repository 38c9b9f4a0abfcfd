use super::{count, discount, hold, minus, plus};
use crate::error::TaskError;
use anchor_lang::prelude::*;

/// One round of a task: what it can pay and what happened in it. Seeds: `round`, task, number (u64 LE). Base units of the mint.
///
/// Owns `left` of the vault.
#[account]
pub struct Round {
    pub task: Address,
    /// Paid the rent and gets it back.
    pub payer: Address,
    pub number: PodU64,
    /// Taken out of the pool at the first submission: the bounty per round, or all that was in the pool.
    pub reserve: PodU64,
    /// What is left of `reserve`.
    pub left: PodU64,
    pub submissions: PodU32,
    pub convictions: PodU32,
    /// Submissions whose bounty was claimed.
    pub paid: PodU32,
    pub open_audits: PodU32,
    /// Submission accounts that are not closed.
    pub live_submissions: PodU32,
    pub bump: u8,
}

impl Round {
    /// Sets the reserve aside, once, at the round's first submission.
    pub fn open(&mut self, task: Address, payer: Address, number: u64, reserve: u64, bump: u8) {
        self.task = task;
        self.payer = payer;
        self.number = number.into();
        self.reserve = reserve.into();
        self.left = reserve.into();
        self.bump = bump;
    }

    pub fn add_submission(&mut self) -> Result<()> {
        count(&mut self.submissions)?;
        count(&mut self.live_submissions)
    }

    pub fn begin_audit(&mut self) -> Result<()> {
        count(&mut self.open_audits)
    }

    pub fn end_audit(&mut self, convicted: bool) -> Result<()> {
        discount(&mut self.open_audits)?;
        if convicted {
            count(&mut self.convictions)?;
        }
        Ok(())
    }

    /// The equal part of every submission, floored. A convicted one's part is not shared among the others: nobody earns by
    /// convicting a rival.
    pub fn pay(&mut self) -> Result<u64> {
        require!(self.open_audits.get() == 0, TaskError::RoundUndecided);
        let share = self
            .reserve
            .get()
            .checked_div(self.submissions.get().into())
            .ok_or(TaskError::Overflow)?;
        count(&mut self.paid)?;
        self.left = minus(self.left, share)?.into();
        Ok(share)
    }

    /// What nobody earned, for the pool. `NotEmpty` while a submission could still be paid.
    pub fn finish(&mut self) -> Result<u64> {
        require!(self.live_submissions.get() == 0, TaskError::NotEmpty);
        let left = self.left.get();
        self.left = 0.into();
        Ok(left)
    }

    pub fn close_submission(&mut self) -> Result<()> {
        discount(&mut self.live_submissions)
    }

    pub fn invariant(&self) -> Result<()> {
        hold(self.left.get() <= self.reserve.get())?;
        hold(plus(self.convictions.get(), self.paid.get())? <= self.submissions.get().into())?;
        hold(self.live_submissions.get() > 0 || self.open_audits.get() == 0)?;
        hold(self.live_submissions.get() <= self.submissions.get())
    }
}
