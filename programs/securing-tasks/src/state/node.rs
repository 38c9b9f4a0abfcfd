use super::{
    count, discount, hold, minus, plus, Electorate, GateKind, Rules, SubmissionStatus, Task,
};
use crate::{constants::ARRIVALS, error::TaskError};
use anchor_lang::prelude::*;
use bytemuck::{Pod, Zeroable};

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

/// Stake that came or went lately: what came votes only on submissions made after `slot`. All zeros where there is none.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable, IdlType)]
pub struct Arrival {
    pub slot: PodU64,
    /// Base units.
    pub amount: PodU64,
}

impl Arrival {
    /// Attack: stake that goes, is deposited anew and goes again would add up to more than u64 of a mint that was made for it, and no
    /// verdict on the node could be resolved.
    fn add(&mut self, amount: u64) {
        self.amount = self.amount.get().saturating_add(amount).into();
    }
}

/// Active stake that went within one longest case, by a request to leave or by a slash. Oldest first; all zeros where there is none.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable, IdlType)]
pub struct Departed {
    /// When it went. One that has no place counts with the last.
    pub parts: [Arrival; ARRIVALS],
    /// When that of it came which was young as it went, in the order in which it went. One that has no place counts with the last, and both
    /// are as young as the younger.
    pub young: [Arrival; ARRIVALS],
}

/// A node of a task. Seeds: `node`, task, owner. Amounts in base units of the mint.
///
/// Owns `stake + locked + locked_next + payable` of the vault. Bonds and deposits never leave the stake: they are earmarks, which
/// minimum, weight and slash do not see.
#[account]
pub struct Node {
    pub task: Address,
    /// Cold key: money goes to it alone.
    pub owner: Address,
    /// Hot key: submits, accuses and votes, and never takes money.
    pub operator: Address,
    /// Paid the rent and gets it back.
    pub payer: Address,
    pub joined_slot: PodU64,
    /// All of it can be slashed, the leaving part too.
    pub stake: PodU64,
    /// The part of `stake` that was asked to leave.
    pub leaving: PodU64,
    /// First slot at which `leaving` can be withdrawn; 0 where nothing is leaving.
    pub leave_slot: PodU64,
    /// What asked to leave since nothing was leaving, slashed or not: it still votes on submissions up to its request's slot, since it was
    /// active just before them and can't leave before their cases are over.
    pub asked_to_leave: Departed,
    /// What slashes took of active stake: on submissions up to their slots the minimum counts it.
    pub slashed: Departed,
    /// Oldest first. Stake that goes takes the youngest along.
    pub arrivals: [Arrival; ARRIVALS],
    /// What the node could vote with at the start of `before_slot`, the last slot in which its stake changed.
    pub before: Electorate,
    pub before_slot: PodU64,
    /// Bonds of the node's own open accusations and appeals, out of its stake: one that fails costs its bond.
    pub bonds: PodU64,
    /// The node's own commitments that are neither revealed nor claimed: each has a deposit out of its stake. A count, since a sum could
    /// be driven over u64, and then keep the node from voting.
    pub commitments: PodU32,
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
    /// Base units: the most that one of those may take. Their number times this can't be lent for an appeal.
    pub risk: PodU64,
    /// Submissions of this node, votes of it and audits begun by it whose accounts are not closed, and its appeals that are not decided.
    pub live: PodU32,
    /// Audits begun by it so far; the next one's index.
    pub audits: PodU32,
    pub submissions: PodU32,
    pub rounds_paid: PodU32,
    /// Submissions convicted, each once, by its gravest verdict.
    pub convictions_downtime: PodU32,
    pub convictions_malice: PodU32,
    pub votes_with_majority: PodU32,
    pub votes_against_majority: PodU32,
    pub votes_unrevealed: PodU32,
    pub role: PodRole,
    pub bump: u8,
}

/// Forgets amounts of so long ago that no open vote can ask about them.
fn forget(amounts: &mut [Arrival; ARRIVALS], slot: u64, rules: &Rules) -> Result<()> {
    // Filled from the front.
    if amounts[0].amount.get() == 0 {
        return Ok(());
    }
    let case = rules.longest_case()?;
    let is_fresh = |one: &Arrival| slot < one.slot.get().saturating_add(case);
    let mut there = amounts.iter().take_while(|one| one.amount.get() > 0);
    if there.all(is_fresh) {
        return Ok(());
    }
    let mut kept = [Arrival::zeroed(); ARRIVALS];
    let fresh = amounts
        .iter()
        .filter(|one| one.amount.get() > 0 && is_fresh(one));
    for (place, one) in kept.iter_mut().zip(fresh) {
        *place = *one;
    }
    *amounts = kept;
    Ok(())
}

/// Notes an amount with its slot behind the others. Answers whether there was a place.
fn note(amounts: &mut [Arrival; ARRIVALS], amount: u64, slot: u64) -> bool {
    for place in amounts.iter_mut() {
        if place.amount.get() == 0 || place.slot == slot {
            place.slot = slot.into();
            place.add(amount);
            return true;
        }
    }
    false
}

/// The sum of what was noted at or after `slot`; the largest number where it is over that.
fn since(amounts: &[Arrival; ARRIVALS], slot: u64) -> u64 {
    let mut sum = 0u64;
    for one in amounts {
        if one.amount.get() == 0 {
            break;
        }
        if one.slot.get() >= slot {
            sum = sum.saturating_add(one.amount.get());
        }
    }
    sum
}

impl Departed {
    /// Notes what goes at `slot`, and what of it is young.
    fn note(
        &mut self,
        amount: u64,
        young: &[Arrival; ARRIVALS],
        slot: u64,
        rules: &Rules,
    ) -> Result<()> {
        forget(&mut self.parts, slot, rules)?;
        if !note(&mut self.parts, amount, slot) {
            self.parts[ARRIVALS - 1].add(amount);
        }
        forget(&mut self.young, slot, rules)?;
        for part in young {
            let (amount, came) = (part.amount.get(), part.slot);
            if amount > 0 && !note(&mut self.young, amount, came.get()) {
                let last = &mut self.young[ARRIVALS - 1];
                last.add(amount);
                last.slot = last.slot.max(came);
            }
        }
        Ok(())
    }

    /// What went since just before `slot` of what was there then.
    ///
    /// Attack: young stake that was slashed, or asked to leave, stands for the minimum that old stake didn't have.
    fn since(&self, slot: u64) -> u64 {
        let went = since(&self.parts, slot);
        if went == 0 {
            return 0;
        }
        went.saturating_sub(since(&self.young, slot))
    }
}

impl Node {
    /// `GateClosed` where the creator struck the owner off an allowlist. Asked at accusations and votes, where no other gate is.
    ///
    /// Attack: whoever can take from jurors what another gate asks for, a node in a task that has ended, a token, keeps them from
    /// voting in the case that robs them.
    pub fn require_not_struck(&self, task: &Task, proof: Option<AccountView>) -> Result<()> {
        if task.gate(self.role).kind != GateKind::Allowlist {
            return Ok(());
        }
        self.pass_gate(task, proof, None)
    }

    /// `GateClosed` unless the accounts prove that the owner passes the gate of the node's role.
    pub fn pass_gate(
        &self,
        task: &Task,
        proof: Option<AccountView>,
        mint: Option<AccountView>,
    ) -> Result<()> {
        task.gate(self.role)
            .admit(&self.task, self.role, &self.owner, proof, mint)
    }

    /// Stake that isn't leaving.
    pub fn active(&self) -> Result<u64> {
        minus(self.stake, self.leaving)
    }

    /// The least that the node's role asks for.
    pub fn min_stake(&self, rules: &Rules) -> u64 {
        if self.role == Role::Worker {
            rules.worker_min_stake.get()
        } else {
            rules.witness_min_stake.get()
        }
    }

    /// What the node could vote with on work of long ago: its active stake, and nothing below the role's minimum.
    pub fn electorate(&self, rules: &Rules) -> Result<Electorate> {
        let active = self.active()?;
        Ok(if active >= self.min_stake(rules) {
            Electorate::of(active)
        } else {
            Electorate::zeroed()
        })
    }

    /// What `electorate` was just before `slot`, the current one.
    pub fn electorate_before(&self, slot: u64, rules: &Rules) -> Result<Electorate> {
        if self.before_slot == slot {
            Ok(self.before)
        } else {
            self.electorate(rules)
        }
    }

    /// Keeps what `electorate` is, before the first change in `slot`.
    pub fn remember(&mut self, electorate: Electorate, slot: u64) {
        if self.before_slot != slot {
            self.before = electorate;
            self.before_slot = slot.into();
        }
    }

    /// The frozen weight of a vote or accusation on a submission of `slot`: the least that the node held at every moment from just
    /// before `slot` until now, and what it asked to leave since. No bond, deposit or accusation changes it.
    ///
    /// `JoinedAfterSubmission`, or `StakeTooRecent` below the role's minimum: else one stake could vote through many nodes,
    /// one after the other. What was slashed since counts for the minimum, not for the weight.
    ///
    /// Attacks: a small true verdict, or a bond lost to bait, puts jurors below their minimum in the middle of other cases; a task that
    /// ends sends the honest away, the young ones too, whose stake can still be slashed.
    pub fn weight_on(&self, slot: u64, rules: &Rules) -> Result<u64> {
        require!(
            self.joined_slot.get() < slot,
            TaskError::JoinedAfterSubmission
        );
        let stays = minus(self.active()?, since(&self.arrivals, slot))?;
        let (mut weight, mut standing) = (stays, stays);
        // Where nothing is leaving, nothing asked to.
        let leaving = self.leaving.get();
        if leaving > 0 {
            let asked = self.asked_to_leave.since(slot);
            weight = plus(stays, asked.min(leaving))?;
            standing = stays.saturating_add(asked);
        }
        let least = self.min_stake(rules);
        if standing < least {
            standing = standing.saturating_add(self.slashed.since(slot));
        }
        require!(weight > 0 && standing >= least, TaskError::StakeTooRecent);
        Ok(weight)
    }

    /// Notes stake that counts for submissions after `slot`.
    ///
    /// `StakeAddedTooOften` where the places are full: an earlier arrival is never made younger.
    fn arrive(&mut self, amount: u64, slot: u64, rules: &Rules) -> Result<()> {
        forget(&mut self.arrivals, slot, rules)?;
        let placed = note(&mut self.arrivals, amount, slot);
        require!(placed, TaskError::StakeAddedTooOften);
        Ok(())
    }

    /// Active stake goes: the youngest first, so that what is left is as old as it can be shown to be. Answers what of it is young.
    fn depart(&mut self, amount: u64, slot: u64, rules: &Rules) -> Result<[Arrival; ARRIVALS]> {
        forget(&mut self.arrivals, slot, rules)?;
        let mut left = amount;
        let mut gone = [Arrival::zeroed(); ARRIVALS];
        for (arrival, gone) in self.arrivals.iter_mut().zip(&mut gone).rev() {
            let part = left.min(arrival.amount.get());
            left = minus(left, part)?;
            *gone = Arrival {
                slot: arrival.slot,
                amount: part.into(),
            };
            arrival.amount = minus(arrival.amount, part)?.into();
            if arrival.amount.get() == 0 {
                *arrival = Arrival::zeroed();
            }
        }
        Ok(gone)
    }

    /// Nothing is leaving any more.
    fn nothing_leaves(&mut self) {
        self.leave_slot = 0.into();
        self.asked_to_leave = Zeroable::zeroed();
    }

    pub fn add_stake(&mut self, amount: u64, slot: u64, rules: &Rules) -> Result<()> {
        self.stake = plus(self.stake, amount)?.into();
        self.arrive(amount, slot, rules)
    }

    /// Makes stake of what could leave besides stake, and answers how much. `NothingToRestake` where that is nothing.
    pub fn restake(&mut self, slot: u64, rules: &Rules) -> Result<u64> {
        self.unlock(slot)?;
        let amount = self.payable.get();
        require!(amount > 0, TaskError::NothingToRestake);
        self.payable = 0.into();
        self.add_stake(amount, slot, rules)?;
        Ok(amount)
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
        let young = self.depart(amount, slot, rules)?;
        self.asked_to_leave.note(amount, &young, slot, rules)
    }

    /// Takes back the request and answers the amount. It votes like stake that came now: it was on its way out.
    pub fn cancel_leave(&mut self, slot: u64, rules: &Rules) -> Result<u64> {
        let amount = self.leaving.get();
        require!(amount > 0, TaskError::NothingLeaving);
        self.leaving = 0.into();
        self.nothing_leaves();
        self.arrive(amount, slot, rules)?;
        Ok(amount)
    }

    /// Begins an accusation and answers its index. `StakePledged` where the node's own open accusations, this one included, have
    /// bonds over its stake: nobody else's accusation is ever in its way. The leaving part counts: what is pledged of it stays, and a
    /// lost bond is taken of it first.
    ///
    /// Attack: a cheat waits until the honest leave, as when a task ends, and nobody is left to accuse it.
    pub fn begin_audit(&mut self, bond: u64) -> Result<u32> {
        self.bonds = plus(self.bonds, bond)?.into();
        require!(self.bonds <= self.stake, TaskError::StakePledged);
        let index = self.audits.get();
        count(&mut self.audits)?;
        self.hold_open()?;
        Ok(index)
    }

    /// Begins an appeal. `StakePledged` as for an accusation; `StakeAtRisk` where open audits against the node may slash what would be
    /// pledged.
    ///
    /// Attack: a convict appeals with the stake that he loses anyway, and delays for nothing.
    pub fn begin_appeal(&mut self, bond: u64) -> Result<()> {
        self.bonds = plus(self.bonds, bond)?.into();
        require!(self.bonds <= self.stake, TaskError::StakePledged);
        // Never too little. A sum could run over u64, and then come down wrong.
        let risk = self
            .risk
            .get()
            .saturating_mul(self.open_audits.get().into());
        require!(
            risk.saturating_add(self.bonds.get()) <= self.stake.get() || risk == 0,
            TaskError::StakeAtRisk
        );
        self.hold_open()
    }

    /// An own appeal is decided.
    pub fn end_appeal(&mut self, bond: u64) -> Result<()> {
        self.free_bond(bond)?;
        self.let_go()
    }

    /// An own accusation is decided: its bond is free, or lost by a slash.
    pub fn free_bond(&mut self, bond: u64) -> Result<()> {
        self.bonds = minus(self.bonds, bond)?.into();
        Ok(())
    }

    /// An own vote is committed. Without a limit: else many accusations could keep a node from voting.
    pub fn pledge_deposit(&mut self) -> Result<()> {
        count(&mut self.commitments)
    }

    /// An own vote is revealed, or its deposit about to be lost by a slash.
    pub fn free_deposit(&mut self) -> Result<()> {
        discount(&mut self.commitments)
    }

    /// What must stay in the stake until the node's own accusations and commitments have ended; the largest number where it is over
    /// that.
    pub fn pledged(&self, rules: &Rules) -> u64 {
        u64::from(self.commitments.get())
            .saturating_mul(rules.vote_deposit.get())
            .saturating_add(self.bonds.get())
    }

    /// An audit opened against this node that takes at most `most`.
    pub fn accuse(&mut self, most: u64) -> Result<()> {
        self.risk = self.risk.get().max(most).into();
        count(&mut self.open_audits)
    }

    /// An audit against this node was resolved.
    pub fn release(&mut self) -> Result<()> {
        discount(&mut self.open_audits)?;
        if self.open_audits.get() == 0 {
            self.risk = 0.into();
        }
        Ok(())
    }

    /// Counts a conviction, once a submission and by its gravest verdict.
    pub fn convict(&mut self, before: SubmissionStatus, after: SubmissionStatus) -> Result<()> {
        if after == before {
            return Ok(());
        }
        if before == SubmissionStatus::ConvictedDowntime {
            discount(&mut self.convictions_downtime)?;
        }
        count(if after == SubmissionStatus::ConvictedMalice {
            &mut self.convictions_malice
        } else {
            &mut self.convictions_downtime
        })
    }

    /// Takes up to `due` of the stake, the leaving part first, and answers what was taken: a verdict's slash, a lost bond or a lost
    /// deposit.
    ///
    /// Less than `due` only where another slash took it before: all together can't take more than there is.
    pub fn slash(&mut self, due: u64, slot: u64, rules: &Rules) -> Result<u64> {
        let taken = due.min(self.stake.get());
        let from_leaving = taken.min(self.leaving.get());
        self.stake = minus(self.stake, taken)?.into();
        self.leaving = minus(self.leaving, from_leaving)?.into();
        if self.leaving.get() == 0 {
            self.nothing_leaves();
        }
        let active = minus(taken, from_leaving)?;
        if active > 0 {
            let young = self.depart(active, slot, rules)?;
            self.slashed.note(active, &young, slot, rules)?;
        }
        Ok(taken)
    }

    /// Credits a share of a slash or bond, locked for the leave delay: slashing oneself is no faster way out than leaving.
    pub fn lock_reward(&mut self, amount: u64, slot: u64, delay: u64) -> Result<()> {
        if amount == 0 {
            return Ok(());
        }
        self.unlock(slot)?;
        let until = plus(slot, delay)?;
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
    /// stake whose delay is over, as far as nothing is pledged out of it.
    pub fn withdraw(&mut self, slot: u64, rules: &Rules) -> Result<u64> {
        self.unlock(slot)?;
        let mut amount = self.payable.get();
        self.payable = 0.into();
        let accused = self.open_audits.get() > 0;
        let due = self.leaving.get() > 0 && slot >= self.leave_slot.get();
        if due && !accused {
            let free = self.stake.get().saturating_sub(self.pledged(rules));
            let leaves = self.leaving.get().min(free);
            amount = plus(amount, leaves)?;
            self.stake = minus(self.stake, leaves)?.into();
            self.leaving = minus(self.leaving, leaves)?.into();
            if self.leaving.get() == 0 {
                self.nothing_leaves();
            }
        }
        require!(amount > 0 || !accused, TaskError::NodeAccused);
        require!(amount > 0 || !due, TaskError::StakePledged);
        require!(amount > 0, TaskError::NothingToWithdraw);
        Ok(amount)
    }

    /// Takes all there is, whatever its delays: in a retired task, one leave delay after its end. `NodeAccused`, `StakePledged` or
    /// `NothingToWithdraw` while a verdict or claim may still take of it, or nothing is there.
    pub fn empty(&mut self) -> Result<u64> {
        require!(self.open_audits.get() == 0, TaskError::NodeAccused);
        let pledges = self.bonds.get() > 0 || self.commitments.get() > 0;
        require!(!pledges, TaskError::StakePledged);
        let shares = plus(self.locked, self.locked_next)?;
        let amount = plus(plus(self.stake, shares)?, self.payable)?;
        require!(amount > 0, TaskError::NothingToWithdraw);
        for part in [
            &mut self.stake,
            &mut self.leaving,
            &mut self.locked,
            &mut self.locked_until,
            &mut self.locked_next,
            &mut self.locked_next_until,
            &mut self.payable,
        ] {
            *part = 0.into();
        }
        self.nothing_leaves();
        self.arrivals = Zeroable::zeroed();
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
        // What is pledged keeps it live, and nothing waits behind an empty box of locked shares.
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
        let asked = self.asked_to_leave.parts[0].amount.get();
        if self.leaving.get() > 0 {
            hold(self.leave_slot.get() > 0 && asked > 0)?;
        } else {
            let young = self.asked_to_leave.young[0].amount.get();
            hold(self.leave_slot.get() | asked | young == 0)?;
        }
        hold(self.live.get() > 0 || self.bonds.get() == 0)?;
        hold(self.open_audits.get() > 0 || self.risk.get() == 0)?;
        hold(self.commitments.get() <= self.live.get())?;
        // Filled from the front, oldest first.
        let (mut young, mut last) = (0u64, 0);
        for arrival in &self.arrivals {
            let slot = arrival.slot.get();
            if arrival.amount.get() == 0 {
                break;
            }
            hold(slot > last || young == 0)?;
            young = plus(young, arrival.amount)?;
            last = slot;
        }
        hold(young <= self.active()?)?;
        hold((self.locked.get() > 0) == (self.locked_until.get() > 0))?;
        hold((self.locked_next.get() > 0) == (self.locked_next_until.get() > 0))?;
        hold(self.locked.get() > 0 || self.locked_next.get() == 0)
    }
}
