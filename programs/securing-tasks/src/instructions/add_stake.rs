use crate::{
    account::Account,
    error::TaskError,
    events::StakeAdded,
    state::{Node, Task},
    tokens::{deposit, InterfaceAccount, TokenProgram},
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount};

#[derive(Accounts)]
pub struct AddStake {
    pub owner: Signer,
    #[account(mut)]
    pub task: Account<Task>,
    #[account(
        mut,
        constraint = node.task == *task.address() @ TaskError::WrongTask,
        constraint = node.owner == *owner.address() @ TaskError::NotOwner
    )]
    pub node: Account<Node>,
    #[account(address = task.mint @ TaskError::MintMismatch)]
    pub mint: InterfaceAccount<Mint>,
    #[account(mut, constraint = *source.mint() == task.mint @ TaskError::MintMismatch)]
    pub source: InterfaceAccount<TokenAccount>,
    #[account(mut, address = task.vault @ TaskError::VaultMismatch)]
    pub vault: InterfaceAccount<TokenAccount>,
    #[account(constraint = mint.account().owned_by(token_program.address()) @ TaskError::TokenProgramMismatch)]
    pub token_program: TokenProgram,
}

impl AddStake {
    pub fn handle(&mut self, amount: u64) -> Result<()> {
        require!(amount > 0, TaskError::AmountZero);
        self.task.require_not_retired()?;

        let slot = Clock::get()?.slot;
        self.task.change(&mut self.node, slot, |node, rules| {
            node.add_stake(amount, slot, rules)
        })?;
        self.node.invariant()?;
        self.task.invariant()?;

        deposit(
            &mut self.source,
            &self.mint,
            &mut self.vault,
            &self.owner,
            &self.token_program,
            amount,
        );

        StakeAdded {
            task: self.node.task,
            owner: self.node.owner,
            amount,
            stake: self.node.stake.get(),
            slot,
        }
        .log();
        Ok(())
    }
}
