use crate::{
    error::TaskError,
    events::AccountClosed,
    state::Task,
    tokens::{close_vault, pay_out, TokenProgram},
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount};

/// The creator closes a retired task once nothing depends on it: the pool and both rents go to the creator.
#[derive(Accounts)]
pub struct CloseTask {
    #[account(mut)]
    pub creator: Signer,
    #[account(
        mut,
        close = creator,
        constraint = task.creator == *creator.address() @ TaskError::NotCreator
    )]
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

impl CloseTask {
    pub fn handle(&mut self) -> Result<()> {
        self.task.require_retired()?;
        self.task.require_empty()?;

        let pool = self.task.drain_pool();
        self.task.invariant()?;

        // All of the vault, not the pool alone: a gift to the vault's address could keep it from closing for ever.
        let amount = self.vault.amount();
        if amount > 0 {
            pay_out(
                &self.task,
                &mut self.vault,
                &self.mint,
                &mut self.destination,
                &self.token_program,
                amount,
            );
        }
        close_vault(
            &self.task,
            &mut self.vault,
            &mut self.creator,
            &self.token_program,
        );

        emit!(AccountClosed {
            task: *self.task.address(),
            account: *self.task.address(),
            pool_award: pool,
            slot: Clock::get()?.slot,
        });
        Ok(())
    }
}
