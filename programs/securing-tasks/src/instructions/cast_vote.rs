use crate::{
    account::{view_of, Account},
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
    // Found and made here.
    #[account(mut)]
    pub vote: UncheckedAccount,
    /// The node's entry where the gate is an allowlist; absent else.
    pub gate_proof: Option<UncheckedAccount>,
    pub system_program: Program<System>,
}

impl CastVote {
    /// An open vote.
    pub fn cast(&mut self, opinion: u8) -> Result<()> {
        let mut vote = self.create()?;
        let slot = Clock::get()?.slot;
        let opinion = Opinion::parse(opinion)?;
        require!(!self.audit.is_committed(), TaskError::VotesAreCommitted);
        self.audit.require_voting(slot)?;

        self.seat(&mut vote, slot)?;
        vote.opinion = opinion.into();
        vote.state = VoteState::Revealed.into();
        vote.invariant()?;
        self.audit.add_vote(opinion, vote.weight.get())?;
        self.audit.invariant()?;

        VoteCast {
            audit: vote.audit,
            voter: vote.owner,
            opinion: opinion as u8,
            weight: vote.weight.get(),
            slot,
        }
        .log();
        Ok(())
    }

    /// A vote that nobody can read, and so nobody copy, before all are in.
    pub fn commit(&mut self, commitment: [u8; 32]) -> Result<()> {
        let mut vote = self.create()?;
        let slot = Clock::get()?.slot;
        require!(!is_missing(&commitment), TaskError::CommitmentMissing);
        require!(self.audit.is_committed(), TaskError::VotesAreOpen);
        self.audit.require_committing(slot)?;

        self.node.pledge_deposit()?;
        self.seat(&mut vote, slot)?;
        vote.commitment = commitment;
        vote.state = VoteState::Committed.into();
        vote.invariant()?;
        self.audit.add_commitment()?;
        self.audit.invariant()?;

        VoteCommitted {
            audit: vote.audit,
            voter: vote.owner,
            commitment,
            weight: vote.weight.get(),
            deposit: self.audit.vote_deposit.get(),
            slot,
        }
        .log();
        Ok(())
    }

    /// Makes the vote's account: one for each audit and owner.
    #[inline(always)]
    fn create(&self) -> Result<Account<Vote>> {
        let seeds = [
            VOTE_SEED,
            self.audit.address().as_ref(),
            self.node.owner.as_ref(),
        ];
        let (mut vote, bump) = Account::<Vote>::create(&self.payer, &self.vote, seeds)?;
        vote.bump = bump;
        Ok(vote)
    }

    /// Checks that the node may vote and freezes its weight. Nothing here asks what audits may cost the node: no accusation keeps it
    /// from voting.
    #[inline(always)]
    fn seat(&mut self, vote: &mut Account<Vote>, slot: u64) -> Result<()> {
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
            .require_not_struck(&self.task, view_of(&self.gate_proof))?;

        self.node.hold_open()?;
        self.node.invariant()?;

        vote.audit = *self.audit.address();
        vote.owner = self.node.owner;
        vote.payer = *self.payer.address();
        vote.on_appeal = self.audit.is_appealed().into();
        vote.weight = weight.into();
        Ok(())
    }
}
