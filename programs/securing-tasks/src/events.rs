//! One event for every change of money or state, in the past tense. Amounts in base units of the mint; `slot` is when.

use alloc::string::String;
use anchor_lang::prelude::*;

#[event]
pub struct TaskCreated {
    pub task: Address,
    pub creator: Address,
    pub payer: Address,
    pub mint: Address,
    pub slot: u64,
}

#[event]
pub struct TaskFunded {
    pub task: Address,
    pub funder: Address,
    pub amount: u64,
    /// The pool after.
    pub pool: u64,
    pub slot: u64,
}

#[event]
pub struct TaskRetired {
    pub task: Address,
    /// What left the pool for the creator.
    pub amount: u64,
    pub slot: u64,
}

#[event]
pub struct NodeJoined {
    pub task: Address,
    pub owner: Address,
    pub operator: Address,
    pub payer: Address,
    /// 0 worker, 1 witness.
    pub role: u8,
    pub stake: u64,
    pub slot: u64,
}

#[event]
pub struct StakeAdded {
    pub task: Address,
    pub owner: Address,
    pub amount: u64,
    /// The node's stake after.
    pub stake: u64,
    pub slot: u64,
}

#[event]
pub struct Restaked {
    pub task: Address,
    pub owner: Address,
    /// Payable and unlocked shares before.
    pub amount: u64,
    /// The node's stake after.
    pub stake: u64,
    pub slot: u64,
}

#[event]
pub struct LeaveRequested {
    pub task: Address,
    pub owner: Address,
    pub amount: u64,
    /// All that is leaving after.
    pub leaving: u64,
    /// First slot at which it can be withdrawn.
    pub leave_slot: u64,
    pub slot: u64,
}

#[event]
pub struct LeaveCancelled {
    pub task: Address,
    pub owner: Address,
    pub amount: u64,
    pub slot: u64,
}

#[event]
pub struct Withdrawn {
    pub task: Address,
    pub owner: Address,
    pub amount: u64,
    /// The node's stake after.
    pub stake: u64,
    /// The node's locked shares after.
    pub locked: u64,
    pub slot: u64,
}

/// A node of a retired task was paid out: stake, locked shares and what was payable.
#[event]
pub struct StakeReturned {
    pub task: Address,
    pub owner: Address,
    pub amount: u64,
    pub slot: u64,
}

#[event]
pub struct OperatorSet {
    pub task: Address,
    pub owner: Address,
    pub operator: Address,
    pub slot: u64,
}

#[event]
pub struct WorkSubmitted {
    pub task: Address,
    pub submission: Address,
    pub owner: Address,
    pub round: u64,
    pub payload_hash: [u8; 32],
    /// The round's reserve, taken out of the pool by the first submission of the round.
    pub reserve: u64,
    pub slot: u64,
}

#[event]
pub struct AuditOpened {
    pub task: Address,
    pub submission: Address,
    pub audit: Address,
    pub initiator: Address,
    pub accused: Address,
    /// 1 downtime, 2 malice.
    pub accusation: u8,
    /// Audits that the initiator had begun before: part of the address.
    pub index: u32,
    /// Pledged out of the initiator's stake.
    pub bond: u64,
    /// The initiator's frozen weight by stake.
    pub weight: u64,
    pub accused_stake: u64,
    /// The panel is drawn after this slot; 0 where everybody may vote.
    pub draw_slot: u64,
    /// First slot at which no vote is taken.
    pub end_slot: u64,
    /// SHA-256 of why; zeros: none.
    pub evidence_hash: [u8; 32],
    /// Where that is to be had, at most 128 bytes. No account keeps it.
    pub evidence_uri: String,
    pub slot: u64,
}

/// A panel was drawn: who is on it follows from the seed.
#[event]
pub struct PanelDrawn {
    pub task: Address,
    pub audit: Address,
    pub seed: [u8; 32],
    pub slot: u64,
}

/// An audit was opened to everybody eligible, with new windows. The votes that are in stay.
#[event]
pub struct AuditAppealed {
    pub task: Address,
    pub audit: Address,
    /// The appellant's owner.
    pub appellant: Address,
    /// Pledged out of the appellant's stake.
    pub bond: u64,
    /// What the first count said, as in `AuditResolved`.
    pub first_outcome: u8,
    /// First slot of the second reveal window.
    pub reveal_slot: u64,
    /// First slot at which no vote is taken any more.
    pub end_slot: u64,
    pub slot: u64,
}

#[event]
pub struct VoteCast {
    pub audit: Address,
    pub voter: Address,
    /// 0 valid, 1 downtime, 2 malice.
    pub opinion: u8,
    /// Frozen weight by stake.
    pub weight: u64,
    pub slot: u64,
}

#[event]
pub struct AuditResolved {
    pub task: Address,
    pub audit: Address,
    pub initiator: Address,
    pub accused: Address,
    /// 1 no verdict, 2 acquitted, 3 convicted of downtime, 4 convicted of malice.
    pub outcome: u8,
    /// Taken from the accused's stake.
    pub slash: u64,
    /// Taken from the initiator's stake, after an acquittal.
    pub bond_lost: u64,
    /// Taken from the appellant's stake, after an appeal that changed nothing. In part the pool's, the rest the voters'.
    pub appeal_bond_lost: u64,
    /// Locked rewards of the initiator.
    pub initiator_award: u64,
    /// Locked rewards of the accused: its part of a lost bond.
    pub accused_award: u64,
    pub pool_award: u64,
    /// What the voters can claim.
    pub voters_pot: u64,
    pub slot: u64,
}

#[event]
pub struct VoteClaimed {
    pub audit: Address,
    pub voter: Address,
    /// Locked rewards of the voter.
    pub share: u64,
    /// From the voter's stake to the pool, for a commitment that was never revealed.
    pub deposit_lost: u64,
    /// What the last claim's remainder added to the pool.
    pub pool_award: u64,
    pub slot: u64,
}

#[event]
pub struct VoteCommitted {
    pub audit: Address,
    pub voter: Address,
    pub commitment: [u8; 32],
    /// Frozen weight by stake.
    pub weight: u64,
    /// Pledged out of the voter's stake.
    pub deposit: u64,
    pub slot: u64,
}

#[event]
pub struct VoteRevealed {
    pub audit: Address,
    pub voter: Address,
    /// 0 valid, 1 downtime, 2 malice.
    pub opinion: u8,
    pub weight: u64,
    pub slot: u64,
}

#[event]
pub struct BountyClaimed {
    pub task: Address,
    pub submission: Address,
    pub owner: Address,
    pub round: u64,
    pub amount: u64,
    pub slot: u64,
}

#[event]
pub struct TaskPaused {
    pub task: Address,
    pub slot: u64,
}

#[event]
pub struct TaskResumed {
    pub task: Address,
    pub slot: u64,
}

#[event]
pub struct NodeAllowed {
    pub task: Address,
    pub owner: Address,
    pub payer: Address,
    /// 0 worker, 1 witness.
    pub role: u8,
    pub slot: u64,
}

#[event]
pub struct NodeDisallowed {
    pub task: Address,
    pub owner: Address,
    /// 0 worker, 1 witness.
    pub role: u8,
    pub slot: u64,
}

/// A vote, audit, submission, round, node or task was closed and its rent returned.
#[event]
pub struct AccountClosed {
    pub task: Address,
    pub account: Address,
    /// What a round's reserve gave back to the pool; what a task's pool gave back to the creator.
    pub pool_award: u64,
    pub slot: u64,
}
