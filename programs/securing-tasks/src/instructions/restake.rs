use crate::{
    account::Account,
    error::TaskError,
    events::Restaked,
    state::{Node, Task},
};
use anchor_lang::prelude::*;

/// Nothing is transferred: what the node owns of the vault stays there.
#[derive(Accounts)]
pub struct Restake {
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

impl Restake {
    pub fn handle(&mut self) -> Result<()> {
        self.task.require_not_retired()?;

        let slot = Clock::get()?.slot;
        let amount = self.task.change(&mut self.node, slot, |node, rules| {
            node.restake(slot, rules)
        })?;
        self.node.invariant()?;
        self.task.invariant()?;

        Restaked {
            task: self.node.task,
            owner: self.node.owner,
            amount,
            stake: self.node.stake.get(),
            slot,
        }
        .log();
        Ok(())
    }
}
