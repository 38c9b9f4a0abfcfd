use crate::{
    account::Account,
    error::TaskError,
    events::LeaveRequested,
    state::{Node, Task},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct RequestLeave {
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

impl RequestLeave {
    /// `amount` is a part of the active stake; `None` is all of it.
    pub fn handle(&mut self, amount: Option<u64>) -> Result<()> {
        let amount = match amount {
            Some(part) => part,
            None => self.node.active()?,
        };
        require!(amount > 0, TaskError::AmountZero);

        let slot = Clock::get()?.slot;
        self.task.change(&mut self.node, slot, |node, rules| {
            node.request_leave(amount, slot, rules)
        })?;
        self.node.invariant()?;
        self.task.invariant()?;

        LeaveRequested {
            task: self.node.task,
            owner: self.node.owner,
            amount,
            leaving: self.node.leaving.get(),
            leave_slot: self.node.leave_slot.get(),
            slot,
        }
        .log();
        Ok(())
    }
}
