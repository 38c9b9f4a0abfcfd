use crate::{
    account::Account,
    error::TaskError,
    events::TaskFunded,
    state::Task,
    tokens::{deposit, InterfaceAccount, TokenProgram},
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount};

#[derive(Accounts)]
pub struct FundTask {
    pub funder: Signer,
    #[account(mut)]
    pub task: Account<Task>,
    #[account(address = task.mint @ TaskError::MintMismatch)]
    pub mint: InterfaceAccount<Mint>,
    #[account(mut, constraint = *source.mint() == task.mint @ TaskError::MintMismatch)]
    pub source: InterfaceAccount<TokenAccount>,
    #[account(mut, address = task.vault @ TaskError::VaultMismatch)]
    pub vault: InterfaceAccount<TokenAccount>,
    #[account(constraint = mint.account().owned_by(token_program.address()) @ TaskError::TokenProgramMismatch)]
    pub token_program: TokenProgram,
}

impl FundTask {
    pub fn handle(&mut self, amount: u64) -> Result<()> {
        require!(amount > 0, TaskError::AmountZero);
        self.task.require_not_retired()?;

        self.task.add_to_pool(amount)?;
        self.task.invariant()?;

        deposit(
            &mut self.source,
            &self.mint,
            &mut self.vault,
            &self.funder,
            &self.token_program,
            amount,
        );

        TaskFunded {
            task: *self.task.address(),
            funder: *self.funder.address(),
            amount,
            pool: self.task.pool.get(),
            slot: Clock::get()?.slot,
        }
        .log();
        Ok(())
    }
}
