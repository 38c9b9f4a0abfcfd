use crate::{
    account::Account,
    error::TaskError,
    events::NodeDisallowed,
    state::{AllowEntry, Task},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct DisallowNode {
    pub remover: Signer,
    #[account(mut)]
    pub task: Account<Task>,
    #[account(
        mut,
        close = payer,
        constraint = entry.task == *task.address() @ TaskError::WrongTask
    )]
    pub entry: Account<AllowEntry>,
    // May be the remover. It only receives lamports.
    #[account(mut, unsafe(dup), address = entry.payer @ TaskError::WrongPayer)]
    pub payer: UncheckedAccount,
}

impl DisallowNode {
    pub fn handle(&mut self) -> Result<()> {
        let slot = Clock::get()?.slot;
        // Not before every case is over: an entry decides who may vote.
        if *self.remover.address() != self.task.creator {
            require!(
                self.task.require_released(slot).is_ok(),
                TaskError::NotCreator
            );
        }

        self.task.remove_entry()?;
        self.task.invariant()?;

        NodeDisallowed {
            task: self.entry.task,
            owner: self.entry.owner,
            role: self.entry.role,
            slot,
        }
        .log();
        Ok(())
    }
}
