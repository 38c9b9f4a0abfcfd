use super::{hold, Opinion, PodOpinion};
use crate::{constants::COMMITMENT_TAG, error::TaskError};
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
/// Holds no money: a commitment earmarks the audit's deposit in the voter's own stake, until it is revealed or claimed.
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
    pub opinion: PodOpinion,
    pub state: PodVoteState,
    /// Seated after the audit's appeal.
    pub on_appeal: PodBool,
    pub bump: u8,
}

/// What a voter commits to: SHA-256 of tag, program, audit, voter's owner, opinion and 32-byte salt. It binds the voter, so that
/// copying another's commitment is worth nothing, and the audit, so that it can't be used again.
pub fn commitment(audit: &Address, owner: &Address, opinion: u8, salt: &[u8; 32]) -> [u8; 32] {
    const TAG: usize = COMMITMENT_TAG.len();
    let mut message = [0; TAG + 129];
    let (tag, rest) = message.split_at_mut(TAG);
    let (program, rest) = rest.split_at_mut(32);
    let (of, rest) = rest.split_at_mut(32);
    let (by, rest) = rest.split_at_mut(32);
    let (what, with) = rest.split_at_mut(1);
    tag.copy_from_slice(COMMITMENT_TAG);
    program.copy_from_slice(crate::ID.as_ref());
    of.copy_from_slice(audit.as_ref());
    by.copy_from_slice(owner.as_ref());
    what.copy_from_slice(&[opinion]);
    with.copy_from_slice(salt);
    sha256(&message)
}

impl Vote {
    /// Opens a committed vote, once.
    pub fn reveal(&mut self, opinion: Opinion, salt: &[u8; 32]) -> Result<()> {
        require!(
            self.state == VoteState::Committed,
            TaskError::AlreadyRevealed
        );
        require!(
            commitment(&self.audit, &self.owner, opinion as u8, salt) == self.commitment,
            TaskError::CommitmentMismatch
        );
        self.opinion = opinion.into();
        self.state = VoteState::Revealed.into();
        Ok(())
    }

    /// What was voted; `None` where the commitment was never opened.
    pub fn revealed(&self) -> Option<Opinion> {
        (self.state != VoteState::Committed).then(|| self.opinion.into())
    }

    /// Marks the vote as claimed, once.
    pub fn claim(&mut self) -> Result<()> {
        require!(self.state != VoteState::Claimed, TaskError::AlreadyClaimed);
        self.state = VoteState::Claimed.into();
        Ok(())
    }

    pub fn invariant(&self) -> Result<()> {
        hold(self.state.0 <= VoteState::Claimed as u8)?;
        hold(self.opinion.0 <= Opinion::Malice as u8)
    }
}
