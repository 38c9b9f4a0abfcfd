use super::{minus, plus, VoteWeight};
use crate::error::TaskError;
use anchor_lang::prelude::*;
use bytemuck::{Pod, Zeroable};

/// Who could vote: stake in base units, and nodes. Only nodes whose stake that isn't leaving is at least their role's minimum count.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable, IdlType)]
pub struct Electorate {
    pub stake: PodU64,
    pub nodes: PodU32,
}

impl Electorate {
    /// One node's.
    pub fn of(stake: u64) -> Self {
        Self {
            stake: stake.into(),
            nodes: 1.into(),
        }
    }

    pub fn with(&self, other: &Self) -> Result<Self> {
        Ok(Self {
            stake: plus(self.stake, other.stake)?.into(),
            nodes: self
                .nodes
                .get()
                .checked_add(other.nodes.get())
                .ok_or(TaskError::Overflow)?
                .into(),
        })
    }

    pub fn without(&self, other: &Self) -> Result<Self> {
        Ok(Self {
            stake: minus(self.stake, other.stake)?.into(),
            nodes: self
                .nodes
                .get()
                .checked_sub(other.nodes.get())
                .ok_or(TaskError::Overflow)?
                .into(),
        })
    }

    /// In the unit that votes weigh in.
    pub fn weight(&self, unit: VoteWeight) -> u64 {
        match unit {
            VoteWeight::Node => self.nodes.get().into(),
            VoteWeight::Stake => self.stake.get(),
        }
    }
}
