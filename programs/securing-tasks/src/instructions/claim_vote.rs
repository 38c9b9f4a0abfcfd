use crate::{
    error::TaskError,
    events::VoteClaimed,
    state::{count, minus, plus, Audit, Node, Task, Vote},
};
use anchor_lang::prelude::*;

/// Anyone may claim for a voter: no signature but the fee payer's, and the share goes to the voter's node alone.
#[derive(Accounts)]
pub struct ClaimVote {
    #[account(mut)]
    pub task: Account<Task>,
    #[account(mut, constraint = audit.task == *task.address() @ TaskError::WrongTask)]
    pub audit: Account<Audit>,
    #[account(mut, constraint = vote.audit == *audit.address() @ TaskError::WrongAudit)]
    pub vote: Account<Vote>,
    #[account(
        mut,
        constraint = node.task == *task.address() @ TaskError::WrongTask,
        constraint = node.owner == vote.owner @ TaskError::WrongNode
    )]
    pub node: Account<Node>,
}

impl ClaimVote {
    pub fn handle(&mut self) -> Result<()> {
        let slot = Clock::get()?.slot;
        self.audit.require_resolved()?;

        let opinion = self.vote.revealed();
        let deposit = self.vote.claim()?;
        self.vote.invariant()?;
        let (share, over) = self.audit.claim(opinion, self.vote.weight.get())?;
        self.audit.invariant()?;
        let lost = if opinion.is_some() { 0 } else { deposit };
        let returned = minus(deposit, lost)?;
        match opinion {
            // Waiting, and revealing only when it wins, must cost.
            None => {
                self.node.lose_lent(lost)?;
                count(&mut self.node.votes_unrevealed)?;
                self.task.remove_active_stake(lost)?;
            }
            Some(opinion) => {
                if let Some(with_majority) = self.audit.is_majority(opinion) {
                    self.node.count_vote(with_majority)?;
                }
                let left = self.node.take_back(returned)?;
                self.task.remove_active_stake(left)?;
            }
        }
        self.node.lock_reward(share, slot, &self.task.rules)?;
        self.node.invariant()?;
        self.task.add_to_pool(plus(over, lost)?)?;
        self.task.invariant()?;

        emit!(VoteClaimed {
            audit: self.vote.audit,
            voter: self.vote.owner,
            share,
            deposit: returned,
            deposit_lost: lost,
            pool_award: over,
            slot,
        });
        Ok(())
    }
}
