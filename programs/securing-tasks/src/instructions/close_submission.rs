use crate::{
    account::Account,
    error::TaskError,
    events::AccountClosed,
    state::{Node, Round, Submission, Task},
};
use anchor_lang::prelude::*;

/// Anyone may close a submission that was paid or convicted and has no audit left; the rent goes to its payer.
#[derive(Accounts)]
pub struct CloseSubmission {
    #[account(address = submission.task @ TaskError::WrongTask)]
    pub task: Account<Task>,
    #[account(
        mut,
        constraint = round.task == submission.task @ TaskError::WrongTask,
        constraint = round.number == submission.round @ TaskError::WrongRound
    )]
    pub round: Account<Round>,
    #[account(
        mut,
        constraint = node.task == submission.task @ TaskError::WrongTask,
        constraint = node.owner == submission.owner @ TaskError::WrongNode
    )]
    pub node: Account<Node>,
    #[account(mut, close = payer)]
    pub submission: Account<Submission>,
    #[account(mut, address = submission.payer @ TaskError::WrongPayer)]
    pub payer: UncheckedAccount,
}

impl CloseSubmission {
    pub fn handle(&mut self) -> Result<()> {
        let slot = Clock::get()?.slot;
        // Attack: a friend's cheap conviction, and the submission closed before anybody can accuse it of worse; or, while the round
        // still takes work, submitted once more.
        let end = self.task.audit_end(self.round.number.get())?;
        require!(slot >= end, TaskError::RoundUndecided);
        self.submission.require_closable()?;

        self.round.close_submission()?;
        self.round.invariant()?;
        self.node.let_go()?;
        self.node.invariant()?;

        AccountClosed {
            task: self.submission.task,
            account: *self.submission.address(),
            pool_award: 0,
            slot,
        }
        .log();
        Ok(())
    }
}
