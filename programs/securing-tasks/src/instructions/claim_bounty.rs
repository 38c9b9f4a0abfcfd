use crate::{
    account::Account,
    error::TaskError,
    events::BountyClaimed,
    state::{Node, Round, Submission, Task},
};
use anchor_lang::prelude::*;

/// Anyone may claim for a worker: no signature but the fee payer's, and the bounty goes to the worker's node alone.
#[derive(Accounts)]
pub struct ClaimBounty {
    pub task: Account<Task>,
    #[account(
        mut,
        constraint = round.task == *task.address() @ TaskError::WrongTask,
        constraint = round.number == submission.round @ TaskError::WrongRound
    )]
    pub round: Account<Round>,
    #[account(mut, constraint = submission.task == *task.address() @ TaskError::WrongTask)]
    pub submission: Account<Submission>,
    #[account(
        mut,
        constraint = node.task == *task.address() @ TaskError::WrongTask,
        constraint = node.owner == submission.owner @ TaskError::WrongNode
    )]
    pub node: Account<Node>,
}

impl ClaimBounty {
    pub fn handle(&mut self) -> Result<()> {
        let slot = Clock::get()?.slot;
        let number = self.round.number.get();
        require!(
            slot >= self.task.audit_end(number)?,
            TaskError::RoundUndecided
        );

        self.submission.pay()?;
        self.submission.invariant()?;
        let amount = self.round.pay()?;
        self.round.invariant()?;
        self.node.pay(amount)?;
        self.node.invariant()?;

        BountyClaimed {
            task: self.submission.task,
            submission: *self.submission.address(),
            owner: self.submission.owner,
            round: number,
            amount,
            slot,
        }
        .log();
        Ok(())
    }
}
