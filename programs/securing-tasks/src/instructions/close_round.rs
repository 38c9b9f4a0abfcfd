use crate::{
    account::Account,
    error::TaskError,
    events::AccountClosed,
    state::{Round, Task},
};
use anchor_lang::prelude::*;

/// Anyone may close a round whose submissions are closed, and so its submission window over; what nobody earned goes back to the pool, the
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
        let left = self.round.finish()?;
        self.task.close_round(left)?;
        self.task.invariant()?;

        AccountClosed {
            task: self.round.task,
            account: *self.round.address(),
            pool_award: left,
            slot: Clock::get()?.slot,
        }
        .log();
        Ok(())
    }
}
