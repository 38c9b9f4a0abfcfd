use super::{hold, Opinion, PodOpinion};
use crate::error::TaskError;
use anchor_lang::prelude::*;

#[pod_wrapper]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum VoteState {
    Committed = 0,
    Revealed = 1,
    Claimed = 2,
}

/// One node's vote in one audit. Seeds: `vote`, audit, owner: one for each owner, whatever its operator.
///
/// Owns `deposit` of the vault.
#[account]
pub struct Vote {
    pub audit: Address,
    pub owner: Address,
    /// Paid the rent and gets it back.
    pub payer: Address,
    /// All zeros for a vote that was cast openly.
    pub commitment: [u8; 32],
    /// Frozen weight by stake, in base units.
    pub weight: PodU64,
    /// Base units, until claimed.
    pub deposit: PodU64,
    pub opinion: PodOpinion,
    pub state: PodVoteState,
    pub bump: u8,
}

impl Vote {
    /// Marks the vote as claimed, once, and answers its deposit.
    pub fn claim(&mut self) -> Result<u64> {
        require!(self.state != VoteState::Claimed, TaskError::AlreadyClaimed);
        self.state = VoteState::Claimed.into();
        let deposit = self.deposit.get();
        self.deposit = 0.into();
        Ok(deposit)
    }

    pub fn invariant(&self) -> Result<()> {
        hold(self.state.0 <= VoteState::Claimed as u8)?;
        hold(self.opinion.0 <= Opinion::Malice as u8)?;
        hold(self.state != VoteState::Claimed || self.deposit.get() == 0)
    }
}
