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
        (Outcome::ConvictedMalice, SubmissionStatus::ConvictedMalice)
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
        (Outcome::ConvictedMalice, SubmissionStatus::ConvictedMalice)
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
        (
            Outcome::ConvictedDowntime,
            SubmissionStatus::ConvictedDowntime
        )
    );
    assert_eq!(
        ended(&mut case, 3),
        ([-400_000, 180_000, 60_000, 60_000, 60_000], 40_000)
    );
}

/// The initiator's bond of 200,000: 60,000 to the accused, 20,000 to the pool, 120,000 among three votes.
#[test]
fn acquittal_from_nothing_to_an_empty_vault() {
    let mut case = played(rules(), 2, &[0, 0, 0]);
    assert_eq!(
        outcome(&case),
        (Outcome::Acquitted, SubmissionStatus::Acquitted)
    );
    assert_eq!(case.game.node(&case.accused).locked.get(), 60_000);
    assert_eq!(case.game.task().pool.get(), 1_020_000);
    assert_eq!(
        ended(&mut case, 3),
        ([60_000, -200_000, 40_000, 40_000, 40_000], 20_000)
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
        ([60_000, -200_000, 21_818, 32_727, 65_454], 20_001)
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

/// A vote of 1,000,000 and the initiator's 2,000,000 are 40 % of what could vote. One that says valid doesn't help them to a quorum.
#[test]
fn thin_stake_from_nothing_to_an_empty_vault() {
    for opinions in [&[2][..], &[2, 0]] {
        let rules = |quorum_bps| RulesArgs {
            quorum_votes: 1,
            quorum_bps,
            ..by_stake()
        };
        let mut case = played(rules(4_001), 2, opinions);
        assert_eq!(
            outcome(&case),
            (Outcome::NoVerdict, SubmissionStatus::Submitted)
        );
        assert_eq!(ended(&mut case, opinions.len()), ([0; 5], 0));

        let case = played(rules(4_000), 2, opinions);
        assert_eq!(
            outcome(&case),
            (Outcome::ConvictedMalice, SubmissionStatus::ConvictedMalice)
        );
    }
}

/// After the thin vote another node accuses, and more come to vote.
#[test]
fn thin_vote_then_conviction_from_nothing_to_an_empty_vault() {
    let mut case = played(rules(), 2, &[2]);
    case.game
        .open_audit(&case.voters[2], &case.accused, 0, 2)
        .unwrap();
    let second = case.game.audit(&case.accused, 0, 1);
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

/// Two audits at once, of downtime and of malice: the submission costs what malice costs, in two parts, and no more.
#[test]
fn convictions_of_both_faults_from_nothing_to_an_empty_vault() {
    let mut case = Case::audited(rules(), 1);
    case.game.fund_task(1_000_000).unwrap();
    case.game
        .open_audit(&case.voters[2], &case.accused, 0, 2)
        .unwrap();
    let second = case.game.audit(&case.accused, 0, 1);
    case.vote(&[1, 1]);
    for voter in [&case.voters[0], &case.voters[1], &case.initiator] {
        case.game.cast_vote(voter, &second, 2).unwrap();
    }
    case.resolve().unwrap();
    assert_eq!(
        outcome(&case),
        (
            Outcome::ConvictedDowntime,
            SubmissionStatus::ConvictedDowntime
        )
    );
    assert_eq!(case.game.node(&case.accused).stake.get(), 3_600_000);
    case.game.resolve_audit(&second).unwrap();
    assert_eq!(
        outcome(&case),
        (
            Outcome::ConvictedDowntime,
            SubmissionStatus::ConvictedMalice
        )
    );
    let accused = case.game.node(&case.accused);
    assert_eq!(accused.stake.get(), 2_000_000);
    let convictions = [accused.convictions_downtime, accused.convictions_malice];
    assert_eq!(convictions.map(|n| n.get()), [0, 1]);
    for voter in [&case.voters[0], &case.voters[1], &case.initiator] {
        case.game.claim_vote(voter, &second).unwrap();
    }
    // 400,000: 120,000 bonus, 40,000 to the pool, 80,000 for each of three. Then 1,600,000: 480,000, 160,000, 240,000 for each of four.
    assert_eq!(
        ended(&mut case, 2),
        (
            [
                -2_000_000,
                120_000 + 80_000 + 240_000,
                80_000 + 240_000,
                80_000 + 240_000,
                480_000 + 240_000
            ],
            200_000
        )
    );
}
