use crate::{
    account::Account,
    constants::*,
    error::TaskError,
    events::TaskCreated,
    state::{FunctionRef, RulesArgs, Task, TaskStatus},
    tokens::{check_mint, TokenProgram},
};
use anchor_lang::prelude::*;
use anchor_spl::{
    token,
    token_interface::{Mint, TokenAccount},
};

#[derive(Accounts)]
#[instruction(id: u64)]
pub struct CreateTask {
    /// Pays the rent; the creator itself or anybody else, since a creator can be a program's account that holds data.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    pub creator: Signer,
    #[account(init, payer = payer, seeds = [TASK_SEED, creator.address().as_ref(), id.to_le_bytes()], bump)]
    pub task: Account<Task>,
    pub mint: InterfaceAccount<Mint>,
    #[account(
        init,
        payer = payer,
        token::mint = mint,
        token::authority = task,
        token::token_program = token_program,
        seeds = [VAULT_SEED, task.address().as_ref()],
        bump
    )]
    pub vault: InterfaceAccount<TokenAccount>,
    pub token_program: TokenProgram,
    pub system_program: Program<System>,
}

impl CreateTask {
    pub fn handle(
        &mut self,
        bump: u8,
        id: u64,
        rules: &RulesArgs,
        audit_function: (&[u8; 32], &str),
        task_function: (&[u8; 32], &str),
    ) -> Result<()> {
        let rules = rules.check()?;
        let audit_function = FunctionRef::new(*audit_function.0, audit_function.1)?;
        require!(
            !audit_function.is_missing(),
            TaskError::AuditFunctionMissing
        );
        let task_function = FunctionRef::new(*task_function.0, task_function.1)?;
        check_mint(self.mint.account())?;
        let address = *self.task.address();
        for gate in [&rules.worker_gate, &rules.witness_gate] {
            gate.require_elsewhere(&address, &self.mint)?;
        }

        let slot = Clock::get()?.slot;
        let task = &mut self.task;
        task.creator = *self.creator.address();
        task.payer = *self.payer.address();
        task.mint = *self.mint.address();
        task.vault = *self.vault.address();
        task.id = id.into();
        task.start_slot = slot.into();
        task.rules = rules;
        task.audit_function = audit_function;
        task.task_function = task_function;
        task.status = TaskStatus::Active.into();
        task.bump = bump;
        task.invariant()?;

        TaskCreated {
            task: address,
            creator: task.creator,
            payer: task.payer,
            mint: task.mint,
            slot,
        }
        .log();
        Ok(())
    }
}
