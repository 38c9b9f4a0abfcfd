//! One event for every change of money or state, in the past tense. Amounts in base units of the mint; `slot` is when.

use crate::{account::kind, constants::URI_LEN};
use alloc::string::String;
use anchor_lang::prelude::*;

/// Events whose fields all have one size: logged from one piece of the stack as they are read, borsh, without a heap and an encoder.
macro_rules! events {
    ($($(#[$of:meta])* pub struct $name:ident { $($(#[$on:meta])* pub $field:ident: $type:ty,)* })*) => {$(
        #[event]
        $(#[$of])*
        pub struct $name {
            $($(#[$on])* pub $field: $type,)*
        }

        impl $name {
            #[inline(always)]
            pub fn log(self) {
                #[repr(C, packed)]
                struct Bytes {
                    kind: u64,
                    $($field: $type,)*
                }
                let bytes = Bytes {
                    kind: kind::<Self>(),
                    $($field: self.$field,)*
                };
                // SAFETY: packed, so that every byte is one of a field.
                sol_log_data(&[unsafe {
                    core::slice::from_raw_parts((&raw const bytes).cast(), size_of::<Bytes>())
                }]);
            }
        }
    )*};
}

events! {
    pub struct TaskCreated {
        pub task: Address,
        pub creator: Address,
        pub payer: Address,
        pub mint: Address,
        pub slot: u64,
    }

    pub struct TaskFunded {
        pub task: Address,
        pub funder: Address,
        pub amount: u64,
        /// The pool after.
        pub pool: u64,
        pub slot: u64,
    }

    pub struct TaskRetired {
        pub task: Address,
        /// What left the pool for the creator.
        pub amount: u64,
        pub slot: u64,
    }

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

    pub struct StakeAdded {
        pub task: Address,
        pub owner: Address,
        pub amount: u64,
        /// The node's stake after.
        pub stake: u64,
        pub slot: u64,
    }

    pub struct Restaked {
        pub task: Address,
        pub owner: Address,
        /// Payable and unlocked shares before.
        pub amount: u64,
        /// The node's stake after.
        pub stake: u64,
        pub slot: u64,
    }

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

    pub struct LeaveCancelled {
        pub task: Address,
        pub owner: Address,
        pub amount: u64,
        pub slot: u64,
    }

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
    pub struct StakeReturned {
        pub task: Address,
        pub owner: Address,
        pub amount: u64,
        pub slot: u64,
    }

    pub struct OperatorSet {
        pub task: Address,
        pub owner: Address,
        pub operator: Address,
        pub slot: u64,
    }

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

    /// A panel was drawn: who is on it follows from the seed.
    pub struct PanelDrawn {
        pub task: Address,
        pub audit: Address,
        pub seed: [u8; 32],
        pub slot: u64,
    }

    /// An audit was opened to everybody eligible, with new windows. The votes that are in stay.
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

    pub struct VoteCast {
        pub audit: Address,
        pub voter: Address,
        /// 0 valid, 1 downtime, 2 malice.
        pub opinion: u8,
        /// Frozen weight by stake.
        pub weight: u64,
        pub slot: u64,
    }

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

    pub struct VoteRevealed {
        pub audit: Address,
        pub voter: Address,
        /// 0 valid, 1 downtime, 2 malice.
        pub opinion: u8,
        pub weight: u64,
        pub slot: u64,
    }

    pub struct BountyClaimed {
        pub task: Address,
        pub submission: Address,
        pub owner: Address,
        pub round: u64,
        pub amount: u64,
        pub slot: u64,
    }

    pub struct TaskPaused {
        pub task: Address,
        pub slot: u64,
    }

    pub struct TaskResumed {
        pub task: Address,
        pub slot: u64,
    }

    pub struct NodeAllowed {
        pub task: Address,
        pub owner: Address,
        pub payer: Address,
        /// 0 worker, 1 witness.
        pub role: u8,
        pub slot: u64,
    }

    pub struct NodeDisallowed {
        pub task: Address,
        pub owner: Address,
        /// 0 worker, 1 witness.
        pub role: u8,
        pub slot: u64,
    }

    /// A vote, audit, submission, round, node or task was closed and its rent returned.
    pub struct AccountClosed {
        pub task: Address,
        pub account: Address,
        /// What a round's reserve gave back to the pool; what a task's pool gave back to the creator.
        pub pool_award: u64,
        pub slot: u64,
    }
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

impl AuditOpened {
    /// As the others are; the URI, of at most 128 bytes, is what has no size of its own. It is borrowed: `evidence_uri` is left empty.
    #[inline(always)]
    pub fn log(self, evidence_uri: &str) {
        #[repr(C, packed)]
        struct Bytes {
            kind: u64,
            task: Address,
            submission: Address,
            audit: Address,
            initiator: Address,
            accused: Address,
            accusation: u8,
            index: u32,
            bond: u64,
            weight: u64,
            accused_stake: u64,
            draw_slot: u64,
            end_slot: u64,
            evidence_hash: [u8; 32],
            uri_length: u32,
            /// The URI, and the slot right behind it.
            rest: [u8; URI_LEN + 8],
        }
        let mut bytes = Bytes {
            kind: kind::<Self>(),
            task: self.task,
            submission: self.submission,
            audit: self.audit,
            initiator: self.initiator,
            accused: self.accused,
            accusation: self.accusation,
            index: self.index,
            bond: self.bond,
            weight: self.weight,
            accused_stake: self.accused_stake,
            draw_slot: self.draw_slot,
            end_slot: self.end_slot,
            evidence_hash: self.evidence_hash,
            uri_length: evidence_uri.len() as u32,
            rest: [0; URI_LEN + 8],
        };
        let uri = evidence_uri.as_bytes();
        let (place, after) = bytes.rest.split_at_mut(uri.len());
        place.copy_from_slice(uri);
        after[..8].copy_from_slice(&self.slot.to_le_bytes());
        let length = const { size_of::<Bytes>() - URI_LEN }.wrapping_add(uri.len());
        // SAFETY: packed, so that every byte is one of a field.
        sol_log_data(&[unsafe { core::slice::from_raw_parts((&raw const bytes).cast(), length) }]);
    }
}
