use crate::{
    account::Account,
    error::TaskError,
    events::Withdrawn,
    state::{plus, Node, Task},
    tokens::{pay_out, InterfaceAccount, TokenProgram},
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount};

#[derive(Accounts)]
pub struct Withdraw {
    pub owner: Signer,
    pub task: Account<Task>,
    #[account(
        mut,
        constraint = node.task == *task.address() @ TaskError::WrongTask,
        constraint = node.owner == *owner.address() @ TaskError::NotOwner
    )]
    pub node: Account<Node>,
    #[account(address = task.mint @ TaskError::MintMismatch)]
    pub mint: InterfaceAccount<Mint>,
    #[account(mut, address = task.vault @ TaskError::VaultMismatch)]
    pub vault: InterfaceAccount<TokenAccount>,
    #[account(mut, constraint = *destination.mint() == task.mint @ TaskError::MintMismatch)]
    pub destination: InterfaceAccount<TokenAccount>,
    #[account(constraint = mint.account().owned_by(token_program.address()) @ TaskError::TokenProgramMismatch)]
    pub token_program: TokenProgram,
}

impl Withdraw {
    pub fn handle(&mut self) -> Result<()> {
        let slot = Clock::get()?.slot;
        let amount = self.node.withdraw(slot, &self.task.rules)?;
        self.node.invariant()?;

        pay_out(
            &self.task,
            &mut self.vault,
            &self.mint,
            &mut self.destination,
            &self.token_program,
            amount,
        );

        Withdrawn {
            task: self.node.task,
            owner: self.node.owner,
            amount,
            stake: self.node.stake.get(),
            locked: plus(self.node.locked, self.node.locked_next)?,
            slot,
        }
        .log();
        Ok(())
    }
}
