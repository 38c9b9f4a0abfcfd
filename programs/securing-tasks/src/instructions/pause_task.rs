use crate::{
    account::Account,
    error::TaskError,
    events::TaskPaused,
    state::{Task, TaskStatus},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct PauseTask {
    pub creator: Signer,
    #[account(mut, constraint = task.creator == *creator.address() @ TaskError::NotCreator)]
    pub task: Account<Task>,
}

impl PauseTask {
    pub fn handle(&mut self) -> Result<()> {
        self.task.require_active()?;

        self.task.status = TaskStatus::Paused.into();
        self.task.invariant()?;

        TaskPaused {
            task: *self.task.address(),
            slot: Clock::get()?.slot,
        }
        .log();
        Ok(())
    }
}
