use crate::{
    error::TaskError,
    events::AuditResolved,
    state::{Audit, Award, Node, Outcome, Round, Submission, SubmissionStatus, Task},
};
use anchor_lang::prelude::*;

/// Anyone may resolve: no signature but the fee payer's. Two nodes and no voter, whatever the number of votes.
#[derive(Accounts)]
pub struct ResolveAudit {
    #[account(mut)]
    pub task: Account<Task>,
    #[account(mut, constraint = audit.task == *task.address() @ TaskError::WrongTask)]
    pub audit: Account<Audit>,
    #[account(mut, address = audit.submission @ TaskError::WrongSubmission)]
    pub submission: Account<Submission>,
    #[account(
        mut,
        constraint = round.task == *task.address() @ TaskError::WrongTask,
        constraint = round.number == submission.round @ TaskError::WrongRound
    )]
    pub round: Account<Round>,
    #[account(
        mut,
        constraint = accused.task == *task.address() @ TaskError::WrongTask,
        constraint = accused.owner == audit.accused @ TaskError::WrongNode
    )]
    pub accused: Account<Node>,
    #[account(
        mut,
        constraint = initiator.task == *task.address() @ TaskError::WrongTask,
        constraint = initiator.owner == audit.initiator @ TaskError::WrongNode
    )]
    pub initiator: Account<Node>,
}

impl ResolveAudit {
    pub fn handle(&mut self) -> Result<()> {
        let slot = Clock::get()?.slot;
        let rules = self.task.rules;
        let whole = self.audit.decide(slot)?;
        let verdict = self.audit.verdict();
        let before = SubmissionStatus::from(self.submission.status);
        let was_convicted = self.submission.is_convicted();
        self.submission
            .end_audit(self.audit.attempt.get(), verdict)?;

        // The bond first: it was pledged out of stake that is still there.
        let bond = self.audit.bond.get();
        self.initiator.free_bond(bond)?;
        let (mut slash, mut bond_lost, mut award) = (0, 0, Award::default());
        match self.audit.outcome.into() {
            Outcome::Open | Outcome::NoVerdict => {}
            Outcome::Acquitted => {
                bond_lost = self.task.change(&mut self.initiator, slot, |node, rules| {
                    node.slash(bond, slot, rules)
                })?;
                award = self.audit.share_bond(bond_lost)?;
            }
            Outcome::ConvictedDowntime | Outcome::ConvictedMalice => {
                let due = self.submission.due(whole);
                slash = self.task.change(&mut self.accused, slot, |node, rules| {
                    node.slash(due, slot, rules)
                })?;
                self.submission.add_slash(slash)?;
                award = self.audit.share_slash(slash)?;
                self.accused
                    .convict(before, self.submission.status.into())?;
            }
        }
        if let Some(won) = self.audit.is_majority(self.audit.accusation.into()) {
            self.initiator.count_vote(won)?;
        }
        self.accused.release()?;
        self.accused.lock_reward(award.accused, slot, &rules)?;
        self.accused.invariant()?;
        self.initiator.lock_reward(award.initiator, slot, &rules)?;
        self.initiator.invariant()?;
        self.task.add_to_pool(award.pool)?;
        self.task.invariant()?;
        self.round
            .end_audit(self.submission.is_convicted() && !was_convicted)?;
        self.round.invariant()?;
        self.submission.invariant()?;
        self.audit.invariant()?;

        emit!(AuditResolved {
            task: self.audit.task,
            audit: *self.audit.address(),
            initiator: self.audit.initiator,
            accused: self.audit.accused,
            outcome: self.audit.outcome.0,
            slash,
            bond_lost,
            initiator_award: award.initiator,
            accused_award: award.accused,
            pool_award: award.pool,
            voters_pot: self.audit.voters_left.get(),
            slot,
        });
        Ok(())
    }
}
