use crate::{
    constants::*,
    error::TaskError,
    events::{VoteCast, VoteCommitted},
    state::{is_missing, Audit, Node, Opinion, Task, Vote, VoteState},
};
use anchor_lang::prelude::*;

/// The accounts of `cast_vote` and `commit_vote`: both seat one vote of one owner.
#[derive(Accounts)]
pub struct CastVote {
    /// Pays the rent and gets it back; the operator itself or anybody else, so that a hot key needs no lamport.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
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
        payer = payer,
        seeds = [VOTE_SEED, audit.address().as_ref(), node.owner.as_ref()],
        bump
    )]
    pub vote: Account<Vote>,
    /// What the gate asks for; absent for an open one.
    pub gate_proof: Option<UncheckedAccount>,
    pub gate_mint: Option<UncheckedAccount>,
    pub system_program: Program<System>,
}

impl CastVote {
    /// An open vote.
    pub fn cast(&mut self, bump: u8, opinion: u8) -> Result<()> {
        let slot = Clock::get()?.slot;
        let opinion = Opinion::parse(opinion)?;
        require!(!self.audit.is_committed(), TaskError::VotesAreCommitted);
        self.audit.require_voting(slot)?;

        self.seat(bump, slot)?;
        self.vote.opinion = opinion.into();
        self.vote.state = VoteState::Revealed.into();
        self.vote.invariant()?;
        self.audit.add_vote(opinion, self.vote.weight.get())?;
        self.audit.invariant()?;

        emit!(VoteCast {
            audit: self.vote.audit,
            voter: self.vote.owner,
            opinion: opinion as u8,
            weight: self.vote.weight.get(),
            slot,
        });
        Ok(())
    }

    /// A vote that nobody can read, and so nobody copy, before all are in.
    pub fn commit(&mut self, bump: u8, commitment: [u8; 32]) -> Result<()> {
        let slot = Clock::get()?.slot;
        require!(!is_missing(&commitment), TaskError::CommitmentMissing);
        require!(self.audit.is_committed(), TaskError::VotesAreOpen);
        self.audit.require_committing(slot)?;

        self.node.pledge_deposit()?;
        self.seat(bump, slot)?;
        self.vote.commitment = commitment;
        self.vote.state = VoteState::Committed.into();
        self.vote.invariant()?;
        self.audit.add_commitment()?;
        self.audit.invariant()?;

        emit!(VoteCommitted {
            audit: self.vote.audit,
            voter: self.vote.owner,
            commitment,
            weight: self.vote.weight.get(),
            deposit: self.audit.vote_deposit.get(),
            slot,
        });
        Ok(())
    }

    /// Checks that the node may vote and freezes its weight. Nothing here asks what audits may cost the node: no accusation keeps it
    /// from voting.
    fn seat(&mut self, bump: u8, slot: u64) -> Result<()> {
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
        self.audit.require_seat(&self.node.owner, weight, slot)?;
        self.node
            .require_not_struck(&self.task, &self.gate_proof, &self.gate_mint)?;

        self.node.hold_open()?;
        self.node.invariant()?;

        let vote = &mut self.vote;
        vote.audit = *self.audit.address();
        vote.owner = self.node.owner;
        vote.payer = *self.payer.address();
        vote.on_appeal = self.audit.is_appealed().into();
        vote.weight = weight.into();
        vote.bump = bump;
        Ok(())
    }
}
