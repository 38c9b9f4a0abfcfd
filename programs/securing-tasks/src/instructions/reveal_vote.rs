use crate::{
    account::Account,
    error::TaskError,
    events::VoteRevealed,
    state::{Audit, Node, Opinion, Vote},
};
use anchor_lang::prelude::*;

/// Anyone who knows the salt may reveal: no signature but the fee payer's, so that a voter may sleep.
#[derive(Accounts)]
pub struct RevealVote {
    #[account(mut, address = vote.audit @ TaskError::WrongAudit)]
    pub audit: Account<Audit>,
    #[account(
        mut,
        constraint = node.task == audit.task @ TaskError::WrongTask,
        constraint = node.owner == vote.owner @ TaskError::WrongNode
    )]
    pub node: Account<Node>,
    #[account(mut)]
    pub vote: Account<Vote>,
}

impl RevealVote {
    pub fn handle(&mut self, opinion: u8, salt: [u8; 32]) -> Result<()> {
        let slot = Clock::get()?.slot;
        let opinion = Opinion::parse(opinion)?;
        self.audit.require_voting(slot)?;

        // Attack: wait with the reveal until an appeal shows who wins.
        require!(
            self.vote.on_appeal.get() == self.audit.is_appealed(),
            TaskError::RevealWindowMissed
        );

        self.vote.reveal(opinion, &salt)?;
        self.vote.invariant()?;
        self.audit.tally(opinion, self.vote.weight.get())?;
        self.audit.invariant()?;
        self.node.free_deposit()?;
        self.node.invariant()?;

        VoteRevealed {
            audit: self.vote.audit,
            voter: self.vote.owner,
            opinion: opinion as u8,
            weight: self.vote.weight.get(),
            slot,
        }
        .log();
        Ok(())
    }
}
