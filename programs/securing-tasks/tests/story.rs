//! The whole game: from a task to an empty vault.

mod common;

use common::*;
use securing_tasks::{Audit, Outcome, Submission, SubmissionStatus};

/// 4,000,000 staked, slashed by half for malice: 600,000 bonus, 200,000 to the pool, 1,200,000 among four votes.
#[test]
fn conviction_for_malice_from_nothing_to_an_empty_vault() {
    let mut case = Case::audited(rules(), 2);
    case.game.fund_task(1_000_000).unwrap();
    case.vote(&[2, 2, 0]);
    case.resolve().unwrap();

    let audit = case.game.get::<Audit>(&case.audit());
    assert_eq!(audit.outcome, Outcome::ConvictedMalice);
    let submission = case
        .game
        .get::<Submission>(&case.game.submission(&case.accused, 0));
    assert_eq!(submission.status, SubmissionStatus::Convicted);
    let accused = case.game.node(&case.accused);
    assert_eq!(accused.stake.get(), 2_000_000);
    assert_eq!(accused.convictions_malice.get(), 1);
    let initiator = case.game.node(&case.initiator);
    assert_eq!(initiator.locked.get(), 600_000 + 300_000);
    assert_eq!(initiator.stake.get(), 2_000_000);
    assert_eq!(case.game.task().pool.get(), 1_000_000 + 200_000);

    case.claim(3);
    for (voter, stake) in case.voters.iter().zip([1_000_000, 1_500_000, 3_000_000]) {
        let node = case.game.node(voter);
        assert_eq!((node.locked.get(), node.stake.get()), (300_000, stake));
    }

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
    let wallet = |actor: &Actor| balance(&case.game.svm, &actor.wallet) as i64 - WALLET as i64;
    assert_eq!(
        everyone.map(wallet),
        [-2_000_000, 900_000, 300_000, 300_000, 300_000]
    );
    assert_eq!(
        balance(&case.game.svm, &case.game.creator_wallet),
        WALLET + 200_000
    );
}
