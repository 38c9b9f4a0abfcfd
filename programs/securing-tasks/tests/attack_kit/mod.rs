//! What every attack begins and ends with: opinions by name, a case from vote to claim, and what is in the wallets at the end.

#![allow(dead_code, reason = "each test file uses its own part")]

use crate::common::*;
use anchor_lang::prelude::Address;
use securing_tasks::{Audit, Outcome, RewardRule, RulesArgs, VoteWeight};

pub const VALID: u8 = 0;
pub const DOWNTIME: u8 = 1;
pub const MALICE: u8 = 2;

/// `rules()` with votes told only after all are in: 50 slots to commit, 150 to reveal.
pub fn committed() -> RulesArgs {
    RulesArgs {
        commit_slots: 50,
        reveal_slots: 150,
        ..rules()
    }
}

pub fn by_stake() -> RulesArgs {
    RulesArgs {
        vote_weight: VoteWeight::Stake as u8,
        ..rules()
    }
}

pub fn majority_paid() -> RulesArgs {
    RulesArgs {
        reward_rule: RewardRule::Majority as u8,
        ..rules()
    }
}

/// Opens the next audit of `accused`'s work of `round`.
pub fn accuse(game: &mut Game, initiator: &Actor, accused: &Actor, round: u64) -> Address {
    let audit = game.next_audit(initiator, accused, round);
    game.open_audit(initiator, accused, round, MALICE).unwrap();
    audit
}

/// Open votes, then all of `settle`.
pub fn decide(game: &mut Game, audit: &Address, votes: &[(&Actor, u8)]) -> Outcome {
    for (voter, opinion) in votes {
        game.cast_vote(voter, audit, *opinion).unwrap();
    }
    let voters: Vec<_> = votes.iter().map(|(voter, _)| *voter).collect();
    settle(game, audit, &voters)
}

/// Resolves the audit at its end, or now if that is over, and claims for these voters.
pub fn settle(game: &mut Game, audit: &Address, voters: &[&Actor]) -> Outcome {
    let state = game.get::<Audit>(audit);
    let waits = if state.is_appealed() {
        0
    } else {
        game.rules.appeal_slots
    };
    let end = state.end_slot.get() + waits;
    game.warp(end.max(game.slot()));
    game.resolve_audit(audit).unwrap();
    for voter in voters {
        game.claim_vote(voter, audit).unwrap();
    }
    outcome(game, audit)
}

pub fn outcome(game: &Game, audit: &Address) -> Outcome {
    game.get::<Audit>(audit).outcome.into()
}

/// What the wallet holds more or less than at the start.
pub fn gain(game: &Game, actor: &Actor) -> i64 {
    balance(&game.svm, &actor.wallet) as i64 - WALLET as i64
}

/// Everyone leaves and takes all there is: what the game gave or cost each.
pub fn gains<const N: usize>(game: &mut Game, actors: [&Actor; N]) -> [i64; N] {
    for actor in actors {
        let node = game.node(actor);
        if node.stake.get() > node.leaving.get() {
            game.request_leave(actor, None).unwrap();
        }
    }
    game.warp(game.slot() + 2 * game.rules.leave_delay_slots);
    for actor in actors {
        let node = game.node(actor);
        if node.stake.get() + node.locked.get() + node.payable.get() > 0 {
            game.withdraw(actor).unwrap();
        }
        let node = game.node(actor);
        assert_eq!(
            node.stake.get() + node.locked.get() + node.payable.get(),
            0,
            "everything is out"
        );
    }
    actors.map(|actor| gain(game, actor))
}

/// Asserts that the transaction failed, whoever refused it.
#[track_caller]
pub fn fails(sent: Sent) {
    assert!(sent.is_err(), "the attack passed");
}

/// One round's bounty of [`seed`] and [`strict`], in base units.
pub const B: u64 = 100_000;

/// The preset `seed`: open votes by node, all voters paid.
pub fn seed() -> RulesArgs {
    RulesArgs {
        round_slots: 1_500,
        submission_slots: 600,
        audit_slots: 750,
        commit_slots: 0,
        reveal_slots: 750,
        leave_delay_slots: 4_500,
        worker_min_stake: 20 * B,
        witness_min_stake: 5 * B,
        bounty_per_round: B,
        initiator_bond: B / 2,
        vote_deposit: B / 20,
        appeal_slots: 0,
        appeal_bond: 0,
        quorum_votes: 2,
        quorum_bps: 2_000,
        downtime_bps: 1_000,
        malice_bps: 10_000,
        initiator_bonus_bps: 4_000,
        pool_bps: 500,
        panel_seats: 0,
        vote_weight: VoteWeight::Node as u8,
        reward_rule: RewardRule::All as u8,
        worker_gate: open_gate(),
        witness_gate: open_gate(),
        allow_large_stake: false,
    }
}

/// The preset `strict`: secret votes by stake, the majority paid.
pub fn strict() -> RulesArgs {
    RulesArgs {
        round_slots: 4_500,
        submission_slots: 1_500,
        audit_slots: 1_500,
        commit_slots: 1_500,
        reveal_slots: 1_500,
        leave_delay_slots: 216_000,
        worker_min_stake: 50 * B,
        witness_min_stake: 10 * B,
        initiator_bond: B,
        vote_deposit: B / 10,
        appeal_slots: 0,
        appeal_bond: 0,
        quorum_votes: 3,
        quorum_bps: 5_000,
        initiator_bonus_bps: 3_000,
        pool_bps: 1_000,
        panel_seats: 0,
        vote_weight: VoteWeight::Stake as u8,
        reward_rule: RewardRule::Majority as u8,
        ..seed()
    }
}

/// Base units that the nodes own, wherever they lie.
pub fn held(game: &Game, actors: &[&Actor]) -> u64 {
    actors
        .iter()
        .map(|actor| {
            let node = game.node(actor);
            node.stake.get() + node.locked.get() + node.locked_next.get() + node.payable.get()
        })
        .sum()
}

pub fn all<const N: usize>(actors: &[Actor; N]) -> [&Actor; N] {
    std::array::from_fn(|i| &actors[i])
}
