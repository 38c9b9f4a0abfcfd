//! The accounts: fields, transitions as methods, invariants. Slots come in as arguments; nothing here reads a clock or
//! moves a token.

pub mod allow_entry;
pub mod audit;
pub mod electorate;
pub mod gate;
pub mod node;
pub mod round;
pub mod submission;
pub mod task;
pub mod vote;

pub use {
    allow_entry::*, audit::*, electorate::*, gate::*, node::*, round::*, submission::*, task::*,
    vote::*,
};

use crate::error::TaskError;
use anchor_lang::prelude::*;

/// `a + b`, or `Overflow`.
pub(crate) fn plus(a: impl Into<u64>, b: impl Into<u64>) -> Result<u64> {
    a.into()
        .checked_add(b.into())
        .ok_or(TaskError::Overflow.into())
}

/// `a - b`, or `Overflow`: a balance never saturates, since that would hide a bookkeeping error.
pub(crate) fn minus(a: impl Into<u64>, b: impl Into<u64>) -> Result<u64> {
    a.into()
        .checked_sub(b.into())
        .ok_or(TaskError::Overflow.into())
}

/// Counts one more.
pub(crate) fn count(counter: &mut PodU32) -> Result<()> {
    *counter = counter
        .get()
        .checked_add(1)
        .ok_or(TaskError::Overflow)?
        .into();
    Ok(())
}

/// Counts one less.
pub(crate) fn discount(counter: &mut PodU32) -> Result<()> {
    *counter = counter
        .get()
        .checked_sub(1)
        .ok_or(TaskError::Overflow)?
        .into();
    Ok(())
}

/// Whether a hash is all zeros, in words: bytes are compared one by one on chain.
pub(crate) fn is_missing(hash: &[u8; 32]) -> bool {
    let [a, b, c, d]: [u64; 4] = bytemuck::cast(*hash);
    a | b | c | d == 0
}

/// What every account ends its transitions with.
pub(crate) fn hold(condition: bool) -> Result<()> {
    require!(condition, TaskError::InvariantBroken);
    Ok(())
}
