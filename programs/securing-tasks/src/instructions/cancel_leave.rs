use crate::{
    account::Account,
    error::TaskError,
    events::LeaveCancelled,
    state::{Node, Task},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct CancelLeave {
    pub owner: Signer,
    #[account(mut)]
    pub task: Account<Task>,
    #[account(
        mut,
        constraint = node.task == *task.address() @ TaskError::WrongTask,
        constraint = node.owner == *owner.address() @ TaskError::NotOwner
    )]
    pub node: Account<Node>,
}

impl CancelLeave {
    pub fn handle(&mut self) -> Result<()> {
        let slot = Clock::get()?.slot;
        let amount = self.task.change(&mut self.node, slot, |node, rules| {
            node.cancel_leave(slot, rules)
        })?;
        self.node.invariant()?;
        self.task.invariant()?;

        LeaveCancelled {
            task: self.node.task,
            owner: self.node.owner,
            amount,
            slot,
        }
        .log();
        Ok(())
    }
}
