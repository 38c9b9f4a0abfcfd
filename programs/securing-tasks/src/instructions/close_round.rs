use crate::{
    error::TaskError,
    events::AccountClosed,
    state::{Round, Task},
};
use anchor_lang::prelude::*;

/// Anyone may close a round without submissions once its submission window is over; what nobody earned goes back to the pool, the
/// rent to its payer.
#[derive(Accounts)]
pub struct CloseRound {
    #[account(mut)]
    pub task: Account<Task>,
    #[account(
        mut,
        close = payer,
        constraint = round.task == *task.address() @ TaskError::WrongTask
    )]
    pub round: Account<Round>,
    #[account(mut, address = round.payer @ TaskError::WrongPayer)]
    pub payer: UncheckedAccount,
}

impl CloseRound {
    pub fn handle(&mut self) -> Result<()> {
        // A submission convicted at once could be closed while the round still takes work: the round must not begin anew.
        let slot = Clock::get()?.slot;
        let end = self.task.submission_end(self.round.number.get())?;
        require!(slot >= end, TaskError::RoundUndecided);

        let left = self.round.finish()?;
        self.task.close_round(left)?;
        self.task.invariant()?;

        emit!(AccountClosed {
            task: self.round.task,
            account: *self.round.address(),
            pool_award: left,
            slot,
        });
        Ok(())
    }
}
