use crate::{
    account::Account,
    error::TaskError,
    events::AccountClosed,
    state::{Node, Task},
};
use anchor_lang::prelude::*;

/// The owner may close a node that owns nothing; anyone may once the task is retired. The rent goes to its payer.
#[derive(Accounts)]
pub struct CloseNode {
    pub closer: Signer,
    #[account(mut)]
    pub task: Account<Task>,
    #[account(
        mut,
        close = payer,
        constraint = node.task == *task.address() @ TaskError::WrongTask
    )]
    pub node: Account<Node>,
    // May be the closer. It only receives lamports.
    #[account(mut, unsafe(dup), address = node.payer @ TaskError::WrongPayer)]
    pub payer: UncheckedAccount,
}

impl CloseNode {
    pub fn handle(&mut self) -> Result<()> {
        // A node without stake for a while must not lose its standing to a stranger.
        if *self.closer.address() != self.node.owner {
            self.task.require_retired()?;
        }
        self.node.require_closable()?;

        let slot = Clock::get()?.slot;
        self.task.close_node(&self.node, slot)?;
        self.task.invariant()?;

        AccountClosed {
            task: self.node.task,
            account: *self.node.address(),
            pool_award: 0,
            slot,
        }
        .log();
        Ok(())
    }
}
