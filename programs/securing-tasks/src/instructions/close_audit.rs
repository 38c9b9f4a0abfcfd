use crate::{
    account::Account,
    error::TaskError,
    events::AccountClosed,
    state::{Audit, Node, Submission},
};
use anchor_lang::prelude::*;

/// Anyone may close a resolved audit without votes; the rent goes to its payer.
#[derive(Accounts)]
pub struct CloseAudit {
    #[account(mut, address = audit.submission @ TaskError::WrongSubmission)]
    pub submission: Account<Submission>,
    #[account(
        mut,
        constraint = initiator.task == audit.task @ TaskError::WrongTask,
        constraint = initiator.owner == audit.initiator @ TaskError::WrongNode
    )]
    pub initiator: Account<Node>,
    #[account(mut, close = payer)]
    pub audit: Account<Audit>,
    #[account(mut, address = audit.payer @ TaskError::WrongPayer)]
    pub payer: UncheckedAccount,
}

impl CloseAudit {
    pub fn handle(&mut self) -> Result<()> {
        self.audit.require_closable()?;

        self.submission.close_audit()?;
        self.submission.invariant()?;
        self.initiator.let_go()?;
        self.initiator.invariant()?;

        AccountClosed {
            task: self.audit.task,
            account: *self.audit.address(),
            pool_award: 0,
            slot: Clock::get()?.slot,
        }
        .log();
        Ok(())
    }
}
