use super::{count, discount, hold, minus, plus, Rules, Task};
use crate::error::TaskError;
use anchor_lang::prelude::*;

/// What a node may do. Both may vote and call audits.
#[pod_wrapper]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// Submits work.
    Worker = 0,
    /// Seed: witnesses "secure any task" by voting.
    Witness = 1,
}

/// A node of a task. Seeds: `node`, task, owner. Amounts in base units of the mint.
///
/// Owns `stake + locked + locked_next + payable` of the vault.
#[account]
pub struct Node {
    pub task: Address,
    /// Cold key: money goes to it alone.
    pub owner: Address,
    /// Hot key: submits, accuses and votes, and never takes money.
    pub operator: Address,
    pub joined_slot: PodU64,
    /// All of it can be slashed, the leaving part too.
    pub stake: PodU64,
    /// The part of `stake` that was asked to leave.
    pub leaving: PodU64,
    /// First slot at which `leaving` can be withdrawn; 0 where nothing is leaving.
    pub leave_slot: PodU64,
    /// Stake that came lately: it votes only on submissions made after `recent_slot`.
    pub recent: PodU64,
    pub recent_slot: PodU64,
    /// Bonds and deposits that audits hold for this node; not part of `stake`.
    pub lent: PodU64,
    /// The most that open audits against this node can slash.
    pub exposed: PodU64,
    /// Shares of slashes and bonds that can't leave before `locked_until`.
    pub locked: PodU64,
    pub locked_until: PodU64,
    /// Shares that came while `locked` was filled. A second box, so that new shares never put off old ones for ever.
    pub locked_next: PodU64,
    pub locked_next_until: PodU64,
    /// Can be withdrawn at once.
    pub payable: PodU64,
    /// Open audits against this node. Whoever resolves them lowers it, the node itself too, so the lock always ends.
    pub open_audits: PodU32,
    /// Submissions of this node, votes of it and audits begun by it whose accounts are not closed.
    pub live: PodU32,
    pub submissions: PodU32,
    pub rounds_paid: PodU32,
    pub convictions_downtime: PodU32,
    pub convictions_malice: PodU32,
    pub votes_with_majority: PodU32,
    pub votes_against_majority: PodU32,
    pub votes_unrevealed: PodU32,
    pub role: PodRole,
    pub bump: u8,
}

impl Node {
    /// `GateClosed` unless the accounts prove that the owner passes the gate of the node's role.
    pub fn pass_gate(
        &self,
        task: &Task,
        proof: &Option<UncheckedAccount>,
        mint: &Option<UncheckedAccount>,
    ) -> Result<()> {
        task.gate(self.role).admit(
            &self.task,
            self.role,
            &self.owner,
            proof.as_ref().map(|proof| proof.account()),
            mint.as_ref().map(|mint| mint.account()),
        )
    }

    /// Stake that isn't leaving.
    pub fn active(&self) -> Result<u64> {
        minus(self.stake, self.leaving)
    }

    /// Active stake and what audits hold of it.
    pub fn voting_stake(&self) -> Result<u64> {
        plus(self.active()?, self.lent)
    }

    /// The least that the node's role asks for.
    pub fn min_stake(&self, rules: &Rules) -> u64 {
        if self.role == Role::Worker {
            rules.worker_min_stake.get()
        } else {
            rules.witness_min_stake.get()
        }
    }

    /// What the node held before `slot` and isn't leaving: the most that a vote on a submission of that slot weighs.
    ///
    /// Stake that came while other recent stake was still young counts as recent with it, so this is never too much.
    fn held_before(&self, slot: u64) -> Result<u64> {
        let held = self.voting_stake()?;
        if self.recent_slot.get() < slot {
            Ok(held)
        } else {
            minus(held, self.recent)
        }
    }

    /// The frozen weight of a vote or accusation on a submission of `slot`.
    ///
    /// `JoinedAfterSubmission`, or `StakeTooRecent` below the role's minimum: else one stake could vote through many nodes,
    /// one after the other.
    pub fn weight_on(&self, slot: u64, rules: &Rules) -> Result<u64> {
        require!(
            self.joined_slot.get() < slot,
            TaskError::JoinedAfterSubmission
        );
        let weight = self.held_before(slot)?;
        require!(weight >= self.min_stake(rules), TaskError::StakeTooRecent);
        Ok(weight)
    }

    /// Stake that counts for submissions after `slot`. What came long enough ago that no open vote can ask about it is not
    /// recent any more.
    fn mark_recent(&mut self, amount: u64, slot: u64, rules: &Rules) -> Result<()> {
        if slot >= plus(self.recent_slot, rules.longest_case()?)? {
            self.recent = 0.into();
        }
        self.recent = plus(self.recent, amount)?.into();
        self.recent_slot = slot.into();
        Ok(())
    }

    /// Less stake can mean that some of the recent stake is gone.
    fn cap_recent(&mut self) -> Result<()> {
        self.recent = self.recent.get().min(self.voting_stake()?).into();
        Ok(())
    }

    pub fn add_stake(&mut self, amount: u64, slot: u64, rules: &Rules) -> Result<()> {
        self.stake = plus(self.stake, amount)?.into();
        self.mark_recent(amount, slot, rules)
    }

    /// Marks stake as leaving. What stays is nothing or at least the role's minimum. A second request starts the delay anew
    /// for all that is leaving.
    pub fn request_leave(&mut self, amount: u64, slot: u64, rules: &Rules) -> Result<()> {
        let active = self.active()?;
        require!(amount <= active, TaskError::StakeTooSmall);
        let stays = minus(active, amount)?;
        require!(
            stays == 0 || stays >= self.min_stake(rules),
            TaskError::StakeBelowMinimum
        );
        self.leaving = plus(self.leaving, amount)?.into();
        self.leave_slot = plus(slot, rules.leave_delay_slots)?.into();
        self.cap_recent()
    }

    /// Takes back the request and answers the amount. It votes like stake that came now: it was on its way out.
    pub fn cancel_leave(&mut self, slot: u64, rules: &Rules) -> Result<u64> {
        let amount = self.leaving.get();
        require!(amount > 0, TaskError::NothingLeaving);
        self.leaving = 0.into();
        self.leave_slot = 0.into();
        self.mark_recent(amount, slot, rules)?;
        Ok(amount)
    }

    /// Lends a bond or deposit to an audit. The role's minimum stays, and so does all that open audits may slash: else an
    /// accused node could carry its stake away as bonds.
    pub fn lend(&mut self, amount: u64, rules: &Rules) -> Result<()> {
        let active = self.active()?;
        require!(amount <= active, TaskError::StakeTooSmall);
        require!(
            minus(active, amount)? >= self.min_stake(rules),
            TaskError::StakeBelowMinimum
        );
        let rest = minus(self.stake, amount)?;
        require!(rest >= self.exposed.get(), TaskError::StakeAtRisk);
        self.stake = rest.into();
        self.lent = plus(self.lent, amount)?.into();
        Ok(())
    }

    /// Takes a bond or deposit back and answers what is active stake no more: a node that leaves with all it has takes what
    /// comes back along.
    pub fn take_back(&mut self, amount: u64) -> Result<u64> {
        let leaves = self.leaving.get() > 0 && self.active()? == 0;
        self.lent = minus(self.lent, amount)?.into();
        self.stake = plus(self.stake, amount)?.into();
        if !leaves {
            return Ok(0);
        }
        self.leaving = plus(self.leaving, amount)?.into();
        self.cap_recent()?;
        Ok(amount)
    }

    /// Loses a bond or deposit for good.
    pub fn lose_lent(&mut self, amount: u64) -> Result<()> {
        self.lent = minus(self.lent, amount)?.into();
        self.cap_recent()
    }

    /// An audit opened against this node that can slash at most `most`.
    pub fn accuse(&mut self, most: u64) -> Result<()> {
        count(&mut self.open_audits)?;
        self.exposed = plus(self.exposed, most)?.into();
        Ok(())
    }

    /// The audit that could slash at most `most` was resolved.
    pub fn release(&mut self, most: u64) -> Result<()> {
        discount(&mut self.open_audits)?;
        self.exposed = minus(self.exposed, most)?.into();
        Ok(())
    }

    /// Takes up to `due` of the stake, the leaving part first. Answers what was taken, and how much of it was active.
    ///
    /// Less than `due` only where another verdict took it before: two slashes can't take more than there is.
    pub fn slash(&mut self, due: u64) -> Result<(u64, u64)> {
        let taken = due.min(self.stake.get());
        let from_leaving = taken.min(self.leaving.get());
        self.stake = minus(self.stake, taken)?.into();
        self.leaving = minus(self.leaving, from_leaving)?.into();
        if self.leaving.get() == 0 {
            self.leave_slot = 0.into();
        }
        self.cap_recent()?;
        Ok((taken, minus(taken, from_leaving)?))
    }

    /// Credits a share of a slash or bond, locked for the leave delay: slashing oneself is no faster way out than leaving.
    pub fn lock_reward(&mut self, amount: u64, slot: u64, rules: &Rules) -> Result<()> {
        if amount == 0 {
            return Ok(());
        }
        self.unlock(slot)?;
        let until = plus(slot, rules.leave_delay_slots)?;
        if self.locked.get() == 0 {
            self.locked = amount.into();
            self.locked_until = until.into();
        } else {
            self.locked_next = plus(self.locked_next, amount)?.into();
            self.locked_next_until = until.into();
        }
        Ok(())
    }

    /// Makes payable what was locked long enough. A share waits at least the leave delay and less than twice that.
    fn unlock(&mut self, slot: u64) -> Result<()> {
        for _ in 0..2 {
            if slot >= self.locked_until.get() {
                self.payable = plus(self.payable, self.locked)?.into();
                self.locked = self.locked_next;
                self.locked_until = self.locked_next_until;
                self.locked_next = 0.into();
                self.locked_next_until = 0.into();
            }
        }
        Ok(())
    }

    /// Takes all that can leave at `slot`: what is payable, shares whose lock is over, and, unless an audit may still slash it,
    /// stake whose delay is over.
    pub fn withdraw(&mut self, slot: u64) -> Result<u64> {
        self.unlock(slot)?;
        let mut amount = self.payable.get();
        self.payable = 0.into();
        let accused = self.open_audits.get() > 0;
        if !accused && slot >= self.leave_slot.get() {
            amount = plus(amount, self.leaving)?;
            self.stake = minus(self.stake, self.leaving)?.into();
            self.leaving = 0.into();
            self.leave_slot = 0.into();
        }
        require!(amount > 0 || !accused, TaskError::NodeAccused);
        require!(amount > 0, TaskError::NothingToWithdraw);
        Ok(amount)
    }

    /// Convictions of either fault.
    pub fn convictions(&self) -> Result<u64> {
        plus(
            self.convictions_downtime.get(),
            self.convictions_malice.get(),
        )
    }

    /// Credits a bounty; it can leave at once.
    pub fn pay(&mut self, amount: u64) -> Result<()> {
        self.payable = plus(self.payable, amount)?.into();
        if amount > 0 {
            count(&mut self.rounds_paid)?;
        }
        Ok(())
    }

    /// Another account that needs this node.
    pub fn hold_open(&mut self) -> Result<()> {
        count(&mut self.live)
    }

    /// One of those was closed.
    pub fn let_go(&mut self) -> Result<()> {
        discount(&mut self.live)
    }

    /// `NotEmpty` while the node owns anything or an account needs it.
    pub fn require_closable(&self) -> Result<()> {
        // What audits hold of it keeps it live, and nothing waits behind an empty box of locked shares.
        let owns = [self.stake, self.locked, self.payable];
        require!(
            owns.iter().all(|amount| amount.get() == 0) && self.live.get() == 0,
            TaskError::NotEmpty
        );
        Ok(())
    }

    /// Counts a vote by whether it was on the side that won.
    pub fn count_vote(&mut self, with_majority: bool) -> Result<()> {
        count(if with_majority {
            &mut self.votes_with_majority
        } else {
            &mut self.votes_against_majority
        })
    }

    pub fn invariant(&self) -> Result<()> {
        hold(self.role.0 <= Role::Witness as u8)?;
        hold(self.leaving.get() <= self.stake.get())?;
        hold((self.leaving.get() > 0) == (self.leave_slot.get() > 0))?;
        hold(self.recent.get() <= self.voting_stake()?)?;
        hold(self.open_audits.get() > 0 || self.exposed.get() == 0)?;
        hold((self.locked.get() > 0) == (self.locked_until.get() > 0))?;
        hold((self.locked_next.get() > 0) == (self.locked_next_until.get() > 0))?;
        hold(self.locked.get() > 0 || self.locked_next.get() == 0)
    }
}
