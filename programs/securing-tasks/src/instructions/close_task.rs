use crate::{
    account::Account,
    error::TaskError,
    events::AccountClosed,
    state::Task,
    tokens::{close_vault, pay_out, InterfaceAccount, TokenProgram},
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount};

/// Anyone may close a retired task once nothing depends on it: what is in the vault goes to an account of the creator, both rents
/// to their payer.
#[derive(Accounts)]
pub struct CloseTask {
    #[account(mut, close = payer)]
    pub task: Account<Task>,
    #[account(address = task.mint @ TaskError::MintMismatch)]
    pub mint: InterfaceAccount<Mint>,
    #[account(mut, address = task.vault @ TaskError::VaultMismatch)]
    pub vault: InterfaceAccount<TokenAccount>,
    #[account(
        mut,
        constraint = *destination.mint() == task.mint @ TaskError::MintMismatch,
        constraint = *destination.owner() == task.creator @ TaskError::NotCreator
    )]
    pub destination: InterfaceAccount<TokenAccount>,
    #[account(mut, address = task.payer @ TaskError::WrongPayer)]
    pub payer: UncheckedAccount,
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
            &mut self.payer,
            &self.token_program,
        );

        AccountClosed {
            task: *self.task.address(),
            account: *self.task.address(),
            pool_award: pool,
            slot: Clock::get()?.slot,
        }
        .log();
        Ok(())
    }
}
