use crate::{
    account::Account,
    error::TaskError,
    events::TaskRetired,
    state::Task,
    tokens::{pay_out, InterfaceAccount, TokenProgram},
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount};

#[derive(Accounts)]
pub struct RetireTask {
    pub creator: Signer,
    #[account(mut, constraint = task.creator == *creator.address() @ TaskError::NotCreator)]
    pub task: Account<Task>,
    #[account(address = task.mint @ TaskError::MintMismatch)]
    pub mint: InterfaceAccount<Mint>,
    #[account(mut, address = task.vault @ TaskError::VaultMismatch)]
    pub vault: InterfaceAccount<TokenAccount>,
    #[account(mut, constraint = *destination.mint() == task.mint @ TaskError::MintMismatch)]
    pub destination: InterfaceAccount<TokenAccount>,
    #[account(constraint = mint.account().owned_by(token_program.address()) @ TaskError::TokenProgramMismatch)]
    pub token_program: TokenProgram,
}

impl RetireTask {
    pub fn handle(&mut self) -> Result<()> {
        let slot = Clock::get()?.slot;
        self.task.retire(slot);
        let amount = self.task.drain_pool();
        self.task.invariant()?;

        pay_out(
            &self.task,
            &mut self.vault,
            &self.mint,
            &mut self.destination,
            &self.token_program,
            amount,
        );

        TaskRetired {
            task: *self.task.address(),
            amount,
            slot,
        }
        .log();
        Ok(())
    }
}
