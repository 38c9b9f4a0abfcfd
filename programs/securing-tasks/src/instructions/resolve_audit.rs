use crate::{
    account::Account,
    error::TaskError,
    events::AuditResolved,
    math::slash::split_appeal,
    state::{plus, Audit, Decision, Node, Outcome, Round, Submission, SubmissionStatus, Task},
};
use anchor_lang::prelude::*;

/// Anyone may resolve: no signature but the fee payer's. At most three nodes and no voter, whatever the number of votes.
///
/// The appellant's node, writable, follows behind where another than the accused and the initiator appealed: as an account that may be
/// absent it would cost every audit a tenth of its units.
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
    /// Whether a third node appealed.
    pub fn has_third(&self) -> bool {
        self.audit.is_appealed()
            && self.audit.appellant != self.audit.accused
            && self.audit.appellant != self.audit.initiator
    }

    /// `third` is the appellant's account where `has_third`; `WrongNode` without it.
    pub fn handle(&mut self, third: Option<AccountView>) -> Result<()> {
        let slot = Clock::get()?.slot;
        let delay = self.task.rules.leave_delay_slots.get();
        let Decision { tally, whole } = self
            .audit
            .decide(slot, self.task.rules.appeal_slots.get())?;
        let verdict = self.audit.verdict();
        let before = SubmissionStatus::from(self.submission.status);
        let was_convicted = self.submission.is_convicted();
        self.submission
            .end_audit(self.audit.attempt.get(), verdict)?;

        // The bond first: it was pledged out of stake that is still there.
        let bond = self.audit.bond.get();
        self.initiator.free_bond(bond)?;
        let outcome = Outcome::from(self.audit.outcome);
        let (mut slash, mut bond_lost, mut appeal_bond_lost) = (0, 0, 0);
        match outcome {
            Outcome::Open | Outcome::NoVerdict => {}
            Outcome::Acquitted => {
                bond_lost = self.task.change(&mut self.initiator, slot, |node, rules| {
                    node.slash(bond, slot, rules)
                })?;
            }
            Outcome::ConvictedDowntime | Outcome::ConvictedMalice => {
                let due = self.submission.due(whole);
                slash = self.task.change(&mut self.accused, slot, |node, rules| {
                    node.slash(due, slot, rules)
                })?;
                self.submission.add_slash(slash)?;
                self.accused
                    .convict(before, self.submission.status.into())?;
            }
        }
        // What the verdict takes goes before what an appeal pledged.
        if self.audit.is_appealed() {
            appeal_bond_lost = self.end_appeal(third, slot)?;
        }
        let (appeal, cut) = split_appeal(appeal_bond_lost, self.audit.rules.pool_bps.get().into())
            .ok_or(TaskError::Overflow)?;
        let award = match outcome {
            Outcome::Open | Outcome::NoVerdict => self.audit.share_appeal(appeal, &tally)?,
            Outcome::Acquitted => self.audit.share_bond(bond_lost, appeal, &tally)?,
            Outcome::ConvictedDowntime | Outcome::ConvictedMalice => {
                self.audit.share_slash(slash, appeal, &tally)?
            }
        };
        let pool_award = plus(award.pool, cut)?;
        if let Some(won) = self.audit.is_majority(self.audit.accusation.into()) {
            self.initiator.count_vote(won)?;
        }
        self.accused.release()?;
        self.accused.lock_reward(award.accused, slot, delay)?;
        self.accused.invariant()?;
        self.initiator.lock_reward(award.initiator, slot, delay)?;
        self.initiator.invariant()?;
        self.task.add_to_pool(pool_award)?;
        self.task.invariant()?;
        self.round
            .end_audit(self.submission.is_convicted() && !was_convicted)?;
        self.round.invariant()?;
        self.submission.invariant()?;
        self.audit.invariant()?;

        AuditResolved {
            task: self.audit.task,
            audit: *self.audit.address(),
            initiator: self.audit.initiator,
            accused: self.audit.accused,
            outcome: self.audit.outcome.0,
            slash,
            bond_lost,
            appeal_bond_lost,
            initiator_award: award.initiator,
            accused_award: award.accused,
            pool_award,
            voters_pot: self.audit.voters_left.get(),
            slot,
        }
        .log();
        Ok(())
    }

    /// Frees the appellant's bond, or takes it where the appeal changed nothing, and answers what was taken.
    ///
    /// No bonus for an appeal that did: it would pay those who voted wrongly and appeal by another name.
    fn end_appeal(&mut self, third: Option<AccountView>, slot: u64) -> Result<u64> {
        let owner = self.audit.appellant;
        let mut third = match third {
            // SAFETY: its address is in none of the other accounts, so nothing else has its data.
            Some(view) => Some(unsafe { Account::<Node>::load_mut(view)? }),
            None => None,
        };
        let appellant = if owner == self.audit.accused {
            &mut self.accused
        } else if owner == self.audit.initiator {
            &mut self.initiator
        } else {
            third.as_mut().ok_or(TaskError::WrongNode)?
        };
        require!(appellant.task == *self.task.address(), TaskError::WrongTask);
        require!(appellant.owner == owner, TaskError::WrongNode);
        let bond = self.task.rules.appeal_bond.get();
        appellant.end_appeal(bond)?;
        let mut lost = 0;
        if self.audit.was_appealed_in_vain() {
            lost = self
                .task
                .change(appellant, slot, |node, rules| node.slash(bond, slot, rules))?;
        }
        appellant.invariant()?;
        Ok(lost)
    }
}
