use crate::{
    account::Account,
    error::TaskError,
    events::VoteClaimed,
    state::{count, plus, Audit, Node, Task, Vote},
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
        self.vote.claim()?;
        self.vote.invariant()?;
        let (share, over) = self.audit.claim(opinion, self.vote.weight.get())?;
        self.audit.invariant()?;
        let mut lost = 0;
        match opinion {
            // Waiting, and revealing only when it wins, must cost.
            None => {
                let deposit = self.audit.vote_deposit.get();
                self.node.free_deposit()?;
                lost = self.task.change(&mut self.node, slot, |node, rules| {
                    node.slash(deposit, slot, rules)
                })?;
                count(&mut self.node.votes_unrevealed)?;
            }
            Some(opinion) => {
                if let Some(with_majority) = self.audit.is_majority(opinion) {
                    self.node.count_vote(with_majority)?;
                }
            }
        }
        self.node
            .lock_reward(share, slot, self.task.rules.leave_delay_slots.get())?;
        self.node.invariant()?;
        self.task.add_to_pool(plus(over, lost)?)?;
        self.task.invariant()?;

        VoteClaimed {
            audit: self.vote.audit,
            voter: self.vote.owner,
            share,
            deposit_lost: lost,
            pool_award: over,
            slot,
        }
        .log();
        Ok(())
    }
}
