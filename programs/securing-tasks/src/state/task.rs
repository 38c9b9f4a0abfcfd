use super::{
    discount, hold, is_missing, minus, plus, Electorate, Gate, GateArgs, Node, PodRole, Role,
};
use crate::{constants::*, error::TaskError, math::ratio::bps_floor};
use anchor_lang::prelude::*;
use bytemuck::{Pod, Zeroable};

/// Whether a task takes new nodes and work.
#[pod_wrapper]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TaskStatus {
    Active = 0,
    /// No joins, submissions and new audits for now. Verdicts, claims and withdrawals go on.
    Paused = 1,
    Retired = 2,
}

/// What a vote weighs in the tally and in the voters' shares.
#[pod_wrapper]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum VoteWeight {
    /// One node, one vote. Nothing but the minimum stake keeps one owner from running many nodes.
    Node = 0,
    /// What the node held since before the submission's slot, and what of it asked to leave no sooner.
    Stake = 1,
}

/// Who shares the voters' part.
#[pod_wrapper]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RewardRule {
    /// Seed: "all nodes who participated in the audit vote".
    All = 0,
    /// Those who voted for no less than the verdict: convicted of malice, those who said malice.
    Majority = 1,
}

/// A creator's rules as an argument. Slots, base units of the mint, basis points (`_bps`).
#[derive(Clone, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct RulesArgs {
    pub round_slots: u64,
    pub submission_slots: u64,
    pub audit_slots: u64,
    pub commit_slots: u64,
    pub reveal_slots: u64,
    pub leave_delay_slots: u64,
    pub worker_min_stake: u64,
    pub witness_min_stake: u64,
    pub bounty_per_round: u64,
    pub initiator_bond: u64,
    pub vote_deposit: u64,
    pub appeal_slots: u64,
    pub appeal_bond: u64,
    pub quorum_votes: u32,
    pub quorum_bps: u16,
    pub downtime_bps: u16,
    pub malice_bps: u16,
    pub initiator_bonus_bps: u16,
    pub pool_bps: u16,
    pub panel_seats: u16,
    /// 0 by node, 1 by stake.
    pub vote_weight: u8,
    /// 0 all voters, 1 the majority.
    pub reward_rule: u8,
    pub worker_gate: GateArgs,
    pub witness_gate: GateArgs,
    /// Lets the worker's minimum stake be over 100 rounds' bounties.
    pub allow_large_stake: bool,
}

/// A task's rules, frozen for ever. Slots, base units of the mint, basis points (`_bps`).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable, IdlType)]
pub struct Rules {
    pub round_slots: PodU64,
    /// Work is taken in the first slots of a round.
    pub submission_slots: PodU64,
    /// Audits may be opened from the submission until this long after the submission window.
    pub audit_slots: PodU64,
    /// 0: votes are open, cast in the reveal window.
    pub commit_slots: PodU64,
    pub reveal_slots: PodU64,
    pub leave_delay_slots: PodU64,
    pub worker_min_stake: PodU64,
    pub witness_min_stake: PodU64,
    pub bounty_per_round: PodU64,
    pub initiator_bond: PodU64,
    pub vote_deposit: PodU64,
    /// How long after its last vote an audit may be appealed; 0: never.
    pub appeal_slots: PodU64,
    pub appeal_bond: PodU64,
    pub case: CaseRules,
    pub worker_gate: Gate,
    pub witness_gate: Gate,
}

/// The rules that decide and share an audit, copied into it when it opens.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable, IdlType)]
pub struct CaseRules {
    /// Least votes on the side that decides, besides the initiator's.
    pub quorum_votes: PodU32,
    /// Least share of the eligible weight on the side that decides, the initiator's accusation included; at most half.
    pub quorum_bps: PodU16,
    pub downtime_bps: PodU16,
    pub malice_bps: PodU16,
    pub initiator_bonus_bps: PodU16,
    pub pool_bps: PodU16,
    /// How many seats are drawn for an audit, on average; 0: everybody may vote.
    pub panel_seats: PodU16,
    pub vote_weight: PodVoteWeight,
    pub reward_rule: PodRewardRule,
}

/// A JavaScript function that a task is bound to: what nodes fetch, and the hash they refuse it without.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable, IdlType)]
pub struct FunctionRef {
    /// SHA-256; all zeros where the task has none.
    pub hash: [u8; 32],
    pub uri: PodVec<u8, 128>,
}

/// A task: rules, pool and totals. Seeds: `task`, creator, id (u64 LE).
#[account]
pub struct Task {
    pub creator: Address,
    /// Paid the rent of task and vault and gets it back.
    pub payer: Address,
    pub mint: Address,
    pub vault: Address,
    pub id: PodU64,
    /// First slot of round 0.
    pub start_slot: PodU64,
    pub rules: Rules,
    pub audit_function: FunctionRef,
    pub task_function: FunctionRef,
    /// Base units that are nobody's yet: bounties come from here.
    pub pool: PodU64,
    /// What all nodes could vote with, if all their stake were old enough.
    pub electorate: Electorate,
    /// The same at the start of `before_slot`, the last slot in which it changed.
    pub before: Electorate,
    pub before_slot: PodU64,
    /// When the task ended; 0 before.
    pub retired_slot: PodU64,
    /// Node accounts.
    pub nodes: PodU32,
    /// Round accounts.
    pub rounds: PodU32,
    /// Allowlist entries.
    pub entries: PodU32,
    pub status: PodTaskStatus,
    pub bump: u8,
}

impl RulesArgs {
    /// Checks what `create_task` refuses, each with its own error, and packs the rest.
    pub fn check(&self) -> Result<Rules> {
        let shared = plus(self.initiator_bonus_bps, self.pool_bps)?;
        let slashes = [self.downtime_bps, self.malice_bps];
        let whole = slashes.iter().all(|bps| u64::from(*bps) <= BPS) && shared <= BPS;
        require!(whole, TaskError::SharesOverWhole);
        require!(self.initiator_bonus_bps > 0, TaskError::BonusZero);
        require!(self.malice_bps > 0, TaskError::SlashZero);
        // Seed: "Penalties should be greater for clearly malicious behaviour than accidental downtime".
        require!(
            self.malice_bps >= self.downtime_bps,
            TaskError::MaliceBelowDowntime
        );
        require!(self.initiator_bond > 0, TaskError::BondZero);
        // With none, an accusation would convict by itself.
        require!(self.quorum_votes > 0, TaskError::QuorumZero);
        // Whoever is awake counts: more than half of the weight always has the quorum.
        require!(
            u64::from(self.quorum_bps) <= MAX_QUORUM_BPS,
            TaskError::QuorumOverHalf
        );

        let windows = [
            self.round_slots,
            self.submission_slots,
            self.audit_slots,
            self.reveal_slots,
        ];
        require!(
            windows.iter().all(|slots| *slots > 0),
            TaskError::WindowZero
        );
        require!(
            self.round_slots.max(self.leave_delay_slots) <= MAX_WINDOW_SLOTS,
            TaskError::WindowTooLong
        );
        require!(
            self.submission_slots <= self.round_slots,
            TaskError::SubmissionWindowTooLong
        );
        // Work in one round, audits decided by the same point of the next.
        let audit = plus(
            plus(self.audit_slots, self.commit_slots)?,
            self.reveal_slots,
        )?;
        require!(audit <= self.round_slots, TaskError::AuditWindowsTooLong);
        require!(
            (self.appeal_slots > 0) == (self.appeal_bond > 0),
            TaskError::AppealBondZero
        );
        self.check_panel()?;

        require!(
            self.worker_min_stake > 0 && self.witness_min_stake > 0,
            TaskError::MinimumStakeZero
        );
        let large = self
            .bounty_per_round
            .checked_mul(MAX_STAKE_TO_BOUNTY)
            .is_some_and(|most| self.worker_min_stake > most);
        require!(!large || self.allow_large_stake, TaskError::StakeOverBounty);
        // A node at its minimum accuses, appeals against what comes of it, and votes.
        let bonds = plus(self.initiator_bond, self.appeal_bond)?;
        require!(
            bonds.max(self.vote_deposit) <= self.worker_min_stake.min(self.witness_min_stake),
            TaskError::PledgeOverMinimum
        );
        // A penalty that the rules name is one that can be taken, from the least stake too.
        let slash = |bps: u16| -> Result<u64> {
            let least = bps_floor(self.worker_min_stake, bps.into()).ok_or(TaskError::Overflow)?;
            require!(least > 0 || bps == 0, TaskError::SlashFloorsToZero);
            Ok(least)
        };
        slash(self.downtime_bps)?;
        let bonus = bps_floor(slash(self.malice_bps)?, self.initiator_bonus_bps.into());
        require!(bonus != Some(0), TaskError::BonusFloorsToZero);

        require!(
            self.vote_weight <= VoteWeight::Stake as u8
                && self.reward_rule <= RewardRule::Majority as u8,
            TaskError::UnknownRule
        );

        let rules = Rules {
            round_slots: self.round_slots.into(),
            submission_slots: self.submission_slots.into(),
            audit_slots: self.audit_slots.into(),
            commit_slots: self.commit_slots.into(),
            reveal_slots: self.reveal_slots.into(),
            leave_delay_slots: self.leave_delay_slots.into(),
            worker_min_stake: self.worker_min_stake.into(),
            witness_min_stake: self.witness_min_stake.into(),
            bounty_per_round: self.bounty_per_round.into(),
            initiator_bond: self.initiator_bond.into(),
            vote_deposit: self.vote_deposit.into(),
            appeal_slots: self.appeal_slots.into(),
            appeal_bond: self.appeal_bond.into(),
            case: CaseRules {
                quorum_votes: self.quorum_votes.into(),
                quorum_bps: self.quorum_bps.into(),
                downtime_bps: self.downtime_bps.into(),
                malice_bps: self.malice_bps.into(),
                initiator_bonus_bps: self.initiator_bonus_bps.into(),
                pool_bps: self.pool_bps.into(),
                panel_seats: self.panel_seats.into(),
                vote_weight: PodVoteWeight(self.vote_weight),
                reward_rule: PodRewardRule(self.reward_rule),
            },
            worker_gate: self.worker_gate.check()?,
            witness_gate: self.witness_gate.check()?,
        };
        require!(
            self.leave_delay_slots >= rules.longest_case()?,
            TaskError::LeaveDelayTooShort
        );
        Ok(rules)
    }

    /// What a drawn panel asks of the other rules.
    fn check_panel(&self) -> Result<()> {
        if self.panel_seats == 0 {
            return Ok(());
        }
        require!(
            self.panel_seats >= MIN_PANEL_SEATS,
            TaskError::PanelTooSmall
        );
        // Attack: a fifth of the stake opens audits until a draw gives it the panel.
        require!(
            self.appeal_slots >= MIN_APPEAL_SLOTS,
            TaskError::PanelWithoutAppeal
        );
        // Half of the panel that is awake decides.
        let most = plus(self.panel_seats, 1u64)? >> 1;
        require!(
            u64::from(self.quorum_votes) <= most,
            TaskError::QuorumOverPanel
        );
        let window = if self.commit_slots > 0 {
            self.commit_slots
        } else {
            self.reveal_slots
        };
        require!(
            window >= MIN_PANEL_WINDOW_SLOTS,
            TaskError::PanelWindowTooShort
        );
        Ok(())
    }
}

impl Rules {
    /// Longest time from a submission to the end of the last vote on it: submission, audit, commit and reveal windows, and where there
    /// are appeals, appeal, commit and reveal windows once more.
    pub fn longest_case(&self) -> Result<u64> {
        let vote = plus(self.commit_slots, self.reveal_slots)?;
        let first = plus(plus(self.submission_slots, self.audit_slots)?, vote)?;
        if self.appeal_slots.get() == 0 {
            return Ok(first);
        }
        plus(first, plus(self.appeal_slots, vote)?)
    }
}

impl FunctionRef {
    /// Packs a function; `UriTooLong` over 128 bytes.
    pub fn new(hash: [u8; 32], uri: &str) -> Result<Self> {
        Ok(Self {
            hash,
            uri: pack_uri(uri)?,
        })
    }

    pub fn is_missing(&self) -> bool {
        is_missing(&self.hash)
    }
}

/// A URI of at most 128 bytes, or `UriTooLong`.
pub fn pack_uri(uri: &str) -> Result<PodVec<u8, 128>> {
    let mut packed = PodVec::zeroed();
    packed
        .try_extend_from_slice(uri.as_bytes())
        .map_err(|_| TaskError::UriTooLong)?;
    Ok(packed)
}

impl Task {
    /// `TaskPaused` or `TaskRetired` unless the task takes new nodes and work.
    pub fn require_active(&self) -> Result<()> {
        self.require_not_retired()?;
        self.require_not_paused()
    }

    pub fn require_not_paused(&self) -> Result<()> {
        require!(self.status != TaskStatus::Paused, TaskError::TaskPaused);
        Ok(())
    }

    pub fn require_not_retired(&self) -> Result<()> {
        require!(self.status != TaskStatus::Retired, TaskError::TaskRetired);
        Ok(())
    }

    /// `NotRetired` before the task ended for ever.
    pub fn require_retired(&self) -> Result<()> {
        require!(self.status == TaskStatus::Retired, TaskError::NotRetired);
        Ok(())
    }

    /// `NotRetired`, or `NotReleased` before one leave delay has passed since: then every case is over, and what is left is open to
    /// anyone to clear away.
    pub fn require_released(&self, slot: u64) -> Result<()> {
        self.require_retired()?;
        let released = plus(self.retired_slot, self.rules.leave_delay_slots)?;
        require!(slot >= released, TaskError::NotReleased);
        Ok(())
    }

    /// Ends the task for ever; a second time changes nothing.
    pub fn retire(&mut self, slot: u64) {
        if self.status != TaskStatus::Retired {
            self.status = TaskStatus::Retired.into();
            self.retired_slot = slot.into();
        }
    }

    /// The gate that a role passes.
    pub fn gate(&self, role: PodRole) -> &Gate {
        if role == Role::Worker {
            &self.rules.worker_gate
        } else {
            &self.rules.witness_gate
        }
    }

    /// Sets one round's bounty aside, or all that is left of the pool.
    pub fn reserve_bounty(&mut self) -> Result<u64> {
        let reserve = self.rules.bounty_per_round.get().min(self.pool.get());
        self.pool = minus(self.pool, reserve)?.into();
        Ok(reserve)
    }

    /// Forgets a node, which has nothing left.
    ///
    /// Attack: lose all stake, close the node and join again within one slot, and one's own former stake is among the others' that could
    /// vote just before it.
    pub fn close_node(&mut self, node: &Node, slot: u64) -> Result<()> {
        if self.before_slot == slot {
            let before = node.electorate_before(slot, &self.rules)?;
            self.before = self.before.without(&before)?;
        }
        discount(&mut self.nodes)
    }

    pub fn close_round(&mut self, left: u64) -> Result<()> {
        discount(&mut self.rounds)?;
        self.add_to_pool(left)
    }

    pub fn remove_entry(&mut self) -> Result<()> {
        discount(&mut self.entries)
    }

    /// `NotEmpty` while any account of the task is left.
    pub fn require_empty(&self) -> Result<()> {
        let accounts = plus(
            plus(self.nodes.get(), self.rounds.get())?,
            self.entries.get(),
        )?;
        require!(accounts == 0, TaskError::NotEmpty);
        Ok(())
    }

    /// First slot of a round.
    pub fn round_start(&self, round: u64) -> Result<u64> {
        let offset = round
            .checked_mul(self.rules.round_slots.get())
            .ok_or(TaskError::Overflow)?;
        plus(self.start_slot, offset)
    }

    /// The round that `slot` lies in.
    pub fn round_at(&self, slot: u64) -> Result<u64> {
        minus(slot, self.start_slot)?
            .checked_div(self.rules.round_slots.get())
            .ok_or(TaskError::Overflow.into())
    }

    /// First slot at which work of the round is not taken any more.
    pub fn submission_end(&self, round: u64) -> Result<u64> {
        plus(self.round_start(round)?, self.rules.submission_slots)
    }

    /// First slot at which work of the round can't be audited any more.
    pub fn audit_end(&self, round: u64) -> Result<u64> {
        plus(self.submission_end(round)?, self.rules.audit_slots)
    }

    /// A transition of a node's stake, with what it does to the electorate. Every change of stake goes through here.
    pub fn change<T>(
        &mut self,
        node: &mut Node,
        slot: u64,
        transition: impl FnOnce(&mut Node, &Rules) -> Result<T>,
    ) -> Result<T> {
        let before = node.electorate(&self.rules)?;
        node.remember(before, slot);
        let result = transition(node, &self.rules)?;
        let after = node.electorate(&self.rules)?;
        if after != before {
            if self.before_slot != slot {
                self.before = self.electorate;
                self.before_slot = slot.into();
            }
            self.electorate = self.electorate.without(&before)?.with(&after)?;
        }
        Ok(result)
    }

    /// What every node but this one can vote with now.
    pub fn others(&self, node: &Node) -> Result<Electorate> {
        self.electorate.without(&node.electorate(&self.rules)?)
    }

    /// What every node but this one could vote with just before `slot`, the current one.
    ///
    /// Attack: a friend's stake that comes in the submission's own slot can't vote on it, and would put the quorum out of reach.
    pub fn others_before(&self, node: &Node, slot: u64) -> Result<Electorate> {
        let all = if self.before_slot == slot {
            self.before
        } else {
            self.electorate
        };
        all.without(&node.electorate_before(slot, &self.rules)?)
    }

    pub fn add_to_pool(&mut self, amount: u64) -> Result<()> {
        self.pool = plus(self.pool, amount)?.into();
        Ok(())
    }

    /// Empties the pool and answers what was in it.
    pub fn drain_pool(&mut self) -> u64 {
        let amount = self.pool.get();
        self.pool = 0.into();
        amount
    }

    /// A known status, and nobody who could vote without a node.
    pub fn invariant(&self) -> Result<()> {
        hold(self.status.0 <= TaskStatus::Retired as u8)?;
        hold(self.electorate.nodes.get() <= self.nodes.get())?;
        hold((self.electorate.nodes.get() > 0) == (self.electorate.stake.get() > 0))?;
        hold(self.status == TaskStatus::Retired || self.retired_slot.get() == 0)
    }
}
