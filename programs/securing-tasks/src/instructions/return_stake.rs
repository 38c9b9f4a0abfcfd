use crate::{
    account::Account,
    error::TaskError,
    events::StakeReturned,
    state::{Node, Task},
    tokens::{pay_out, InterfaceAccount, TokenProgram},
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount};

/// Anyone may pay a node out to its owner, once its task is retired for a leave delay: else one unit of stake would keep a task, its
/// rent and its gifts open for ever.
#[derive(Accounts)]
pub struct ReturnStake {
    #[account(mut)]
    pub task: Account<Task>,
    #[account(mut, constraint = node.task == *task.address() @ TaskError::WrongTask)]
    pub node: Account<Node>,
    #[account(address = task.mint @ TaskError::MintMismatch)]
    pub mint: InterfaceAccount<Mint>,
    #[account(mut, address = task.vault @ TaskError::VaultMismatch)]
    pub vault: InterfaceAccount<TokenAccount>,
    #[account(
        mut,
        constraint = *destination.mint() == task.mint @ TaskError::MintMismatch,
        constraint = *destination.owner() == node.owner @ TaskError::NotOwner
    )]
    pub destination: InterfaceAccount<TokenAccount>,
    #[account(constraint = mint.account().owned_by(token_program.address()) @ TaskError::TokenProgramMismatch)]
    pub token_program: TokenProgram,
}

impl ReturnStake {
    pub fn handle(&mut self) -> Result<()> {
        let slot = Clock::get()?.slot;
        self.task.require_released(slot)?;

        let amount = self
            .task
            .change(&mut self.node, slot, |node, _| node.empty())?;
        self.node.invariant()?;
        self.task.invariant()?;

        pay_out(
            &self.task,
            &mut self.vault,
            &self.mint,
            &mut self.destination,
            &self.token_program,
            amount,
        );

        StakeReturned {
            task: self.node.task,
            owner: self.node.owner,
            amount,
            slot,
        }
        .log();
        Ok(())
    }
}
