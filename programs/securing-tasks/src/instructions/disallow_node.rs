use crate::{
    error::TaskError,
    events::NodeDisallowed,
    state::{AllowEntry, Task},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct DisallowNode {
    pub creator: Signer,
    #[account(mut, constraint = task.creator == *creator.address() @ TaskError::NotCreator)]
    pub task: Account<Task>,
    #[account(
        mut,
        close = payer,
        constraint = entry.task == *task.address() @ TaskError::WrongTask
    )]
    pub entry: Account<AllowEntry>,
    #[account(mut, address = entry.payer @ TaskError::WrongPayer)]
    pub payer: UncheckedAccount,
}

impl DisallowNode {
    pub fn handle(&mut self) -> Result<()> {
        self.task.remove_entry()?;
        self.task.invariant()?;

        emit!(NodeDisallowed {
            task: self.entry.task,
            owner: self.entry.owner,
            role: self.entry.role,
            slot: Clock::get()?.slot,
        });
        Ok(())
    }
}
