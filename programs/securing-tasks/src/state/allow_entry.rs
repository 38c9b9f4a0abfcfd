use anchor_lang::prelude::*;

/// A creator's permission for one owner to take one role. Seeds: `allow`, task, role (u8), owner.
#[account]
pub struct AllowEntry {
    pub task: Address,
    pub owner: Address,
    /// Paid the rent and gets it back.
    pub payer: Address,
    /// 0 worker, 1 witness.
    pub role: u8,
    pub bump: u8,
}
