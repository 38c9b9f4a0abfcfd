use crate::{
    error::TaskError,
    events::NodeDisallowed,
    state::{AllowEntry, Task},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct DisallowNode {
    #[account(mut)]
    pub creator: Signer,
    #[account(mut, constraint = task.creator == *creator.address() @ TaskError::NotCreator)]
    pub task: Account<Task>,
    #[account(
        mut,
        close = creator,
        constraint = entry.task == *task.address() @ TaskError::WrongTask
    )]
    pub entry: Account<AllowEntry>,
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
