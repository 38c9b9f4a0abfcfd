use crate::{
    account::{view_of, Account},
    constants::*,
    error::TaskError,
    events::NodeJoined,
    state::{count, Node, PodRole, Role, Task},
    tokens::{deposit, InterfaceAccount, TokenProgram},
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount};

#[derive(Accounts)]
pub struct JoinTask {
    /// Pays the rent; the owner itself or anybody else, since an owner can be a program's account that holds data.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    pub owner: Signer,
    #[account(mut)]
    pub task: Account<Task>,
    #[account(init, payer = payer, seeds = [NODE_SEED, task.address().as_ref(), owner.address().as_ref()], bump)]
    pub node: Account<Node>,
    #[account(address = task.mint @ TaskError::MintMismatch)]
    pub mint: InterfaceAccount<Mint>,
    #[account(mut, constraint = *source.mint() == task.mint @ TaskError::MintMismatch)]
    pub source: InterfaceAccount<TokenAccount>,
    #[account(mut, address = task.vault @ TaskError::VaultMismatch)]
    pub vault: InterfaceAccount<TokenAccount>,
    #[account(constraint = mint.account().owned_by(token_program.address()) @ TaskError::TokenProgramMismatch)]
    pub token_program: TokenProgram,
    /// What the gate asks for; absent for an open one.
    pub gate_proof: Option<UncheckedAccount>,
    pub gate_mint: Option<UncheckedAccount>,
    pub system_program: Program<System>,
}

impl JoinTask {
    pub fn handle(
        &mut self,
        bump: u8,
        role: u8,
        operator: Address,
        amount: u64,
        start_slot: u64,
    ) -> Result<()> {
        self.task.require_active()?;
        // Attack: close an empty task and make it again at its address, with other rules, under a joiner's eyes.
        require!(
            self.task.start_slot.get() == start_slot,
            TaskError::TaskReplaced
        );
        require!(role <= Role::Witness as u8, TaskError::UnknownRole);
        let role = PodRole(role);

        let slot = Clock::get()?.slot;
        let node = &mut self.node;
        node.task = *self.task.address();
        node.owner = *self.owner.address();
        node.operator = operator;
        node.payer = *self.payer.address();
        node.joined_slot = slot.into();
        node.role = role;
        node.bump = bump;
        node.pass_gate(
            &self.task,
            view_of(&self.gate_proof),
            view_of(&self.gate_mint),
        )?;
        require!(
            amount >= node.min_stake(&self.task.rules),
            TaskError::StakeBelowMinimum
        );
        self.task.change(node, slot, |node, rules| {
            node.add_stake(amount, slot, rules)
        })?;
        node.invariant()?;
        count(&mut self.task.nodes)?;
        self.task.invariant()?;

        deposit(
            &mut self.source,
            &self.mint,
            &mut self.vault,
            &self.owner,
            &self.token_program,
            amount,
        );

        NodeJoined {
            task: self.node.task,
            owner: self.node.owner,
            operator,
            payer: self.node.payer,
            role: role.0,
            stake: amount,
            slot,
        }
        .log();
        Ok(())
    }
}
