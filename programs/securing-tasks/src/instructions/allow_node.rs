use crate::{
    account::Account,
    constants::*,
    error::TaskError,
    events::NodeAllowed,
    state::{count, AllowEntry, Role, Task},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
#[instruction(role: u8, owner: Address)]
pub struct AllowNode {
    /// Pays the rent; the creator itself or anybody else.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    pub creator: Signer,
    #[account(mut, constraint = task.creator == *creator.address() @ TaskError::NotCreator)]
    pub task: Account<Task>,
    #[account(
        init,
        payer = payer,
        seeds = [ALLOW_SEED, task.address().as_ref(), [role], owner],
        bump
    )]
    pub entry: Account<AllowEntry>,
    pub system_program: Program<System>,
}

impl AllowNode {
    pub fn handle(&mut self, bump: u8, role: u8, owner: Address) -> Result<()> {
        require!(role <= Role::Witness as u8, TaskError::UnknownRole);

        let entry = &mut self.entry;
        entry.task = *self.task.address();
        entry.owner = owner;
        entry.payer = *self.payer.address();
        entry.role = role;
        entry.bump = bump;
        count(&mut self.task.entries)?;
        self.task.invariant()?;

        NodeAllowed {
            task: entry.task,
            owner,
            payer: entry.payer,
            role,
            slot: Clock::get()?.slot,
        }
        .log();
        Ok(())
    }
}
