use crate::{account::Account, error::TaskError, events::OperatorSet, state::Node};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct SetOperator {
    pub owner: Signer,
    #[account(mut, constraint = node.owner == *owner.address() @ TaskError::NotOwner)]
    pub node: Account<Node>,
}

impl SetOperator {
    pub fn handle(&mut self, operator: Address) -> Result<()> {
        self.node.operator = operator;
        self.node.invariant()?;

        OperatorSet {
            task: self.node.task,
            owner: self.node.owner,
            operator,
            slot: Clock::get()?.slot,
        }
        .log();
        Ok(())
    }
}
