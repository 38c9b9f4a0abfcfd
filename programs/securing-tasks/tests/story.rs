//! The whole game: from a task to an empty vault.

mod common;

use common::*;
use securing_tasks::{Audit, Outcome, RulesArgs, Submission, SubmissionStatus, VoteWeight};

fn by_stake() -> RulesArgs {
    RulesArgs {
        vote_weight: VoteWeight::Stake as u8,
        ..rules()
    }
}

/// Begins with 1,000,000 in the pool and 4,000,000 staked by the accused. Everyone votes in order.
fn played(rules: RulesArgs, accusation: u8, opinions: &[u8]) -> Case {
    let mut case = Case::audited(rules, accusation);
    case.game.fund_task(1_000_000).unwrap();
    case.vote(opinions);
    case.resolve().unwrap();
    case
}

/// The rest of the game: all votes claimed, the task retired, everyone gone with everything. Answers what accused, initiator
/// and voters gained or lost, and what the creator did.
fn ended(case: &mut Case, votes: usize) -> ([i64; 5], i64) {
    case.claim(votes);
    case.game.retire_task().unwrap();
    let everyone = [
        &case.accused,
        &case.initiator,
        &case.voters[0],
        &case.voters[1],
        &case.voters[2],
    ];
    for actor in everyone {
        case.game.request_leave(actor, None).unwrap();
    }
    case.game
        .warp(case.game.slot() + case.game.rules.leave_delay_slots);
    for actor in everyone {
        case.game.withdraw(actor).unwrap();
    }
    assert_eq!(balance(&case.game.svm, &case.game.vault), 0);
    let gain = |wallet| balance(&case.game.svm, wallet) as i64 - WALLET as i64;
    (
        everyone.map(|actor| gain(&actor.wallet)),
        gain(&case.game.creator_wallet),
    )
}

fn outcome(case: &Case) -> (Outcome, SubmissionStatus) {
    let audit = case.game.get::<Audit>(&case.audit());
    let submission = case
        .game
        .get::<Submission>(&case.game.submission(&case.accused, 0));
    (audit.outcome.into(), submission.status.into())
}

/// Slashed by half for malice: 600,000 bonus, 200,000 to the pool, 1,200,000 among four votes.
#[test]
fn conviction_for_malice_from_nothing_to_an_empty_vault() {
    let mut case = played(rules(), 2, &[2, 2, 0]);
    assert_eq!(
        outcome(&case),
        (Outcome::ConvictedMalice, SubmissionStatus::Convicted)
    );
    let accused = case.game.node(&case.accused);
    assert_eq!(accused.stake.get(), 2_000_000);
    assert_eq!(accused.convictions_malice.get(), 1);
    let initiator = case.game.node(&case.initiator);
    assert_eq!(initiator.locked.get(), 600_000 + 300_000);
    assert_eq!(initiator.stake.get(), 2_000_000);
    assert_eq!(case.game.task().pool.get(), 1_000_000 + 200_000);
    assert_eq!(
        ended(&mut case, 3),
        ([-2_000_000, 900_000, 300_000, 300_000, 300_000], 200_000)
    );
}

/// The 1,200,000 in parts of 7,500,000.
#[test]
fn conviction_by_stake_from_nothing_to_an_empty_vault() {
    let mut case = played(by_stake(), 2, &[2, 2, 0]);
    assert_eq!(
        outcome(&case),
        (Outcome::ConvictedMalice, SubmissionStatus::Convicted)
    );
    assert_eq!(
        ended(&mut case, 3),
        (
            [-2_000_000, 600_000 + 320_000, 160_000, 240_000, 480_000],
            200_000
        )
    );
}

/// A tenth for downtime: 120,000 bonus, 40,000 to the pool, 240,000 among four votes.
#[test]
fn conviction_for_downtime_from_nothing_to_an_empty_vault() {
    let mut case = played(rules(), 1, &[1, 2, 0]);
    assert_eq!(
        outcome(&case),
        (Outcome::ConvictedDowntime, SubmissionStatus::Convicted)
    );
    assert_eq!(
        ended(&mut case, 3),
        ([-400_000, 180_000, 60_000, 60_000, 60_000], 40_000)
    );
}

/// The initiator's bond of 200,000: 80,000 to the accused, 120,000 among three votes.
#[test]
fn acquittal_from_nothing_to_an_empty_vault() {
    let mut case = played(rules(), 2, &[0, 0, 0]);
    assert_eq!(
        outcome(&case),
        (Outcome::Acquitted, SubmissionStatus::Acquitted)
    );
    assert_eq!(case.game.node(&case.accused).locked.get(), 80_000);
    assert_eq!(case.game.task().pool.get(), 1_000_000);
    assert_eq!(
        ended(&mut case, 3),
        ([80_000, -200_000, 40_000, 40_000, 40_000], 0)
    );
}

/// The 120,000 in parts of 5,500,000, one unit over.
#[test]
fn acquittal_by_stake_from_nothing_to_an_empty_vault() {
    let mut case = played(by_stake(), 2, &[2, 0, 0]);
    assert_eq!(
        outcome(&case),
        (Outcome::Acquitted, SubmissionStatus::Acquitted)
    );
    assert_eq!(
        ended(&mut case, 3),
        ([80_000, -200_000, 21_818, 32_727, 65_454], 1)
    );
}

/// One vote where two are asked for: bond and deposit come back, and the submission isn't cleared.
#[test]
fn thin_vote_from_nothing_to_an_empty_vault() {
    for rules in [rules(), by_stake()] {
        let mut case = played(rules, 2, &[2]);
        assert_eq!(
            outcome(&case),
            (Outcome::NoVerdict, SubmissionStatus::Submitted)
        );
        assert_eq!(ended(&mut case, 1), ([0; 5], 0));
    }
}

/// Two votes of 1,000,000 and 1,500,000 and the initiator's 2,000,000 are 60 % of what could vote.
#[test]
fn thin_stake_from_nothing_to_an_empty_vault() {
    for rules in [rules(), by_stake()] {
        let rules = RulesArgs {
            quorum_bps: 6_001,
            ..rules
        };
        let mut case = played(rules, 2, &[2, 2]);
        assert_eq!(
            outcome(&case),
            (Outcome::NoVerdict, SubmissionStatus::Submitted)
        );
        assert_eq!(ended(&mut case, 2), ([0; 5], 0));
    }
}

/// After the thin vote another node accuses, and more come to vote.
#[test]
fn thin_vote_then_conviction_from_nothing_to_an_empty_vault() {
    let mut case = played(rules(), 2, &[2]);
    let second = case.game.audit(&case.accused, 0, 1);
    case.game
        .open_audit(&case.voters[2], &case.accused, 0, 2)
        .unwrap();
    for voter in [&case.initiator, &case.voters[0], &case.voters[1]] {
        case.game.cast_vote(voter, &second, 2).unwrap();
    }
    case.game
        .warp(case.game.get::<Audit>(&second).end_slot.get());
    case.game.resolve_audit(&second).unwrap();
    for voter in [&case.initiator, &case.voters[0], &case.voters[1]] {
        case.game.claim_vote(voter, &second).unwrap();
    }
    assert_eq!(
        ended(&mut case, 1),
        ([-2_000_000, 300_000, 300_000, 300_000, 900_000], 200_000)
    );
}
