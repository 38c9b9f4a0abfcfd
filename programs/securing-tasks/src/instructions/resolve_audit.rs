use crate::{
    error::TaskError,
    events::AuditResolved,
    state::{count, Audit, Award, Node, Outcome, Round, Submission, SubmissionStatus, Task},
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
        let due = self.audit.decide(slot)?;

        let bond = self.audit.take_bond();
        let (mut slash, mut bond_returned, mut award) = (0, bond, Award::default());
        match self.audit.outcome.into() {
            Outcome::Open | Outcome::NoVerdict => {}
            Outcome::Acquitted => {
                bond_returned = 0;
                award = self.audit.share_bond(bond)?;
                self.initiator.lose_lent(bond)?;
                self.initiator.count_vote(false)?;
                self.task.remove_active_stake(bond)?;
            }
            convicted => {
                let (taken, active) = self.accused.slash(due)?;
                slash = taken;
                award = self.audit.share_slash(slash)?;
                self.initiator.count_vote(true)?;
                self.task.remove_active_stake(active)?;
                count(if convicted == Outcome::ConvictedMalice {
                    &mut self.accused.convictions_malice
                } else {
                    &mut self.accused.convictions_downtime
                })?;
            }
        }
        let left = self.initiator.take_back(bond_returned)?;
        self.task.remove_active_stake(left)?;
        self.accused.release(self.audit.exposed.get())?;
        self.accused.lock_reward(award.accused, slot, &rules)?;
        self.accused.invariant()?;
        self.initiator.lock_reward(award.initiator, slot, &rules)?;
        self.initiator.invariant()?;
        self.task.add_to_pool(award.pool)?;
        self.task.invariant()?;
        let status = self.audit.submission_status();
        self.round
            .end_audit(status == SubmissionStatus::Convicted)?;
        self.round.invariant()?;
        self.submission.end_audit(status);
        self.submission.invariant()?;
        self.audit.invariant()?;

        emit!(AuditResolved {
            task: self.audit.task,
            audit: *self.audit.address(),
            initiator: self.audit.initiator,
            accused: self.audit.accused,
            outcome: self.audit.outcome.0,
            slash,
            bond_returned,
            initiator_award: award.initiator,
            accused_award: award.accused,
            pool_award: award.pool,
            voters_pot: self.audit.voters_left.get(),
            slot,
        });
        Ok(())
    }
}
