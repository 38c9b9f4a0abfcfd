use crate::{
    account::Account,
    error::TaskError,
    events::TaskResumed,
    state::{Task, TaskStatus},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct ResumeTask {
    pub creator: Signer,
    #[account(mut, constraint = task.creator == *creator.address() @ TaskError::NotCreator)]
    pub task: Account<Task>,
}

impl ResumeTask {
    pub fn handle(&mut self) -> Result<()> {
        self.task.require_not_retired()?;
        require!(self.task.status == TaskStatus::Paused, TaskError::NotPaused);

        self.task.status = TaskStatus::Active.into();
        self.task.invariant()?;

        TaskResumed {
            task: *self.task.address(),
            slot: Clock::get()?.slot,
        }
        .log();
        Ok(())
    }
}
