use crate::{
    account::Account,
    error::TaskError,
    events::AccountClosed,
    state::{Audit, Node, Vote, VoteState},
};
use anchor_lang::prelude::*;

/// Anyone may close what is claimed; the rent goes to its payer.
#[derive(Accounts)]
pub struct CloseVote {
    #[account(mut, address = vote.audit @ TaskError::WrongAudit)]
    pub audit: Account<Audit>,
    #[account(
        mut,
        constraint = node.task == audit.task @ TaskError::WrongTask,
        constraint = node.owner == vote.owner @ TaskError::WrongNode
    )]
    pub node: Account<Node>,
    #[account(mut, close = payer)]
    pub vote: Account<Vote>,
    #[account(mut, address = vote.payer @ TaskError::WrongPayer)]
    pub payer: UncheckedAccount,
}

impl CloseVote {
    pub fn handle(&mut self) -> Result<()> {
        require!(self.vote.state == VoteState::Claimed, TaskError::NotEmpty);

        self.audit.close_vote()?;
        self.audit.invariant()?;
        self.node.let_go()?;
        self.node.invariant()?;

        AccountClosed {
            task: self.audit.task,
            account: *self.vote.address(),
            pool_award: 0,
            slot: Clock::get()?.slot,
        }
        .log();
        Ok(())
    }
}
