use crate::{
    constants::*,
    error::TaskError,
    events::VoteCast,
    state::{Audit, Node, Opinion, Task, Vote, VoteState},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct CastVote {
    #[account(mut)]
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
    #[account(
        init,
        payer = operator,
        seeds = [VOTE_SEED, audit.address().as_ref(), node.owner.as_ref()],
        bump
    )]
    pub vote: Account<Vote>,
    pub system_program: Program<System>,
}

impl CastVote {
    pub fn handle(&mut self, bump: u8, opinion: u8) -> Result<()> {
        let slot = Clock::get()?.slot;
        let opinion = match opinion {
            0 => Opinion::Valid,
            1 => Opinion::Downtime,
            2 => Opinion::Malice,
            _ => return Err(TaskError::UnknownVerdict.into()),
        };
        self.audit.require_voting(slot)?;
        require!(
            self.node.owner != self.audit.accused,
            TaskError::AccusedCannotVote
        );
        require!(
            self.node.owner != self.audit.initiator,
            TaskError::InitiatorAlreadyVoted
        );
        let weight = self
            .node
            .weight_on(self.audit.submission_slot.get(), &self.task.rules)?;

        let deposit = self.audit.vote_deposit.get();
        if deposit > 0 {
            self.node.lend(deposit, &self.task.rules)?;
            self.node.invariant()?;
        }
        self.audit.add_vote(opinion, weight)?;
        self.audit.invariant()?;

        let vote = &mut self.vote;
        vote.audit = *self.audit.address();
        vote.owner = self.node.owner;
        vote.payer = *self.operator.address();
        vote.weight = weight.into();
        vote.deposit = deposit.into();
        vote.opinion = opinion.into();
        vote.state = VoteState::Revealed.into();
        vote.bump = bump;
        vote.invariant()?;

        emit!(VoteCast {
            audit: vote.audit,
            voter: vote.owner,
            opinion: opinion as u8,
            weight,
            deposit,
            slot,
        });
        Ok(())
    }
}
