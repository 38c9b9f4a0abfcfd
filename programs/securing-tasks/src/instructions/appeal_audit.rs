use crate::{
    account::Account,
    error::TaskError,
    events::AuditAppealed,
    state::{Audit, Node, Task},
};
use anchor_lang::prelude::*;

/// Whatever the task's state and gates: a pause delays no verdict, and the bond is at stake.
#[derive(Accounts)]
pub struct AppealAudit {
    pub operator: Signer,
    pub task: Account<Task>,
    #[account(mut, constraint = audit.task == *task.address() @ TaskError::WrongTask)]
    pub audit: Account<Audit>,
    #[account(
        mut,
        constraint = node.task == *task.address() @ TaskError::WrongTask,
        constraint = node.operator == *operator.address() @ TaskError::NotOperator
    )]
    pub node: Account<Node>,
}

impl AppealAudit {
    pub fn handle(&mut self) -> Result<()> {
        let slot = Clock::get()?.slot;
        let rules = &self.task.rules;
        let bond = rules.appeal_bond.get();

        self.audit.appeal(self.node.owner, slot, rules)?;
        self.audit.invariant()?;
        self.node.begin_appeal(bond)?;
        self.node.invariant()?;

        AuditAppealed {
            task: self.audit.task,
            audit: *self.audit.address(),
            appellant: self.audit.appellant,
            bond,
            first_outcome: self.audit.first_outcome.0,
            reveal_slot: self.audit.reveal_slot.get(),
            end_slot: self.audit.end_slot.get(),
            slot,
        }
        .log();
        Ok(())
    }
}
