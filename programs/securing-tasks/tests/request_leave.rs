//! `request_leave`: stake begins to leave, and stays at risk until withdrawn.

mod common;

use common::*;
use securing_tasks::{events::LeaveRequested, Electorate};
use solana_signer::Signer;
use solana_transaction::InstructionError;

/// The least stakes of `rules()`.
const WORKER_MIN: u64 = 1_000_000;
const WITNESS_MIN: u64 = 500_000;

#[test]
fn request_leave_of_a_part_marks_it_and_says_so() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    game.warp(START + 7);
    let event = LeaveRequested {
        task: game.task,
        owner: actor.owner.pubkey(),
        amount: 500_000,
        leaving: 500_000,
        leave_slot: START + 607,
        slot: START + 7,
    };
    logged(game.request_leave(&actor, Some(500_000)), &event);
    let node = game.node(&actor);
    assert_eq!((node.stake.get(), node.leaving.get()), (3_000_000, 500_000));
    assert_eq!(node.leave_slot.get(), START + 607);
    assert_eq!(game.task().electorate, Electorate::of(2_500_000));
    assert_eq!(balance(&game.svm, &game.vault), 3_000_000);
}

#[test]
fn request_leave_of_all_passes_by_amount_and_by_none() {
    for amount in [Some(3_000_000), None] {
        let mut game = Game::new(rules());
        let actor = game.worker(3_000_000);
        game.request_leave(&actor, amount).unwrap();
        assert_eq!(game.node(&actor).leaving.get(), 3_000_000);
        assert_eq!(game.task().electorate, none());
    }
}

#[test]
fn request_leave_again_starts_the_delay_anew_for_all_of_it() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    game.request_leave(&actor, Some(1)).unwrap();
    game.warp(START + 599);
    let event = LeaveRequested {
        task: game.task,
        owner: actor.owner.pubkey(),
        amount: 2_999_999,
        leaving: 3_000_000,
        leave_slot: START + 1_199,
        slot: START + 599,
    };
    logged(game.request_leave(&actor, None), &event);
}

#[test]
fn request_leave_of_nothing_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    refused(game.request_leave(&actor, Some(0)), TaskError::AmountZero);
    game.request_leave(&actor, None).unwrap();
    refused(game.request_leave(&actor, None), TaskError::AmountZero);
}

#[test]
fn request_leave_of_more_than_the_active_stake_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    for amount in [3_000_001, u64::MAX] {
        refused(
            game.request_leave(&actor, Some(amount)),
            TaskError::StakeTooSmall,
        );
    }
    game.request_leave(&actor, Some(2_000_000)).unwrap();
    refused(
        game.request_leave(&actor, Some(1_000_001)),
        TaskError::StakeTooSmall,
    );
}

#[test]
fn request_leave_that_leaves_the_workers_minimum_passes_and_less_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    for stays in [1, WORKER_MIN - 1] {
        refused(
            game.request_leave(&actor, Some(3_000_000 - stays)),
            TaskError::StakeBelowMinimum,
        );
    }
    game.request_leave(&actor, Some(3_000_000 - WORKER_MIN))
        .unwrap();
    refused(
        game.request_leave(&actor, Some(1)),
        TaskError::StakeBelowMinimum,
    );
}

#[test]
fn request_leave_that_leaves_the_witnesses_minimum_passes_and_less_fails() {
    let mut game = Game::new(rules());
    let actor = game.witness(3_000_000);
    for stays in [1, WITNESS_MIN - 1] {
        refused(
            game.request_leave(&actor, Some(3_000_000 - stays)),
            TaskError::StakeBelowMinimum,
        );
    }
    game.request_leave(&actor, Some(3_000_000 - WITNESS_MIN))
        .unwrap();
}

/// What came last leaves first, so that what stays is as old as it can be shown to be.
#[test]
fn request_leave_takes_the_youngest_stake_first() {
    let left = [
        (1, vec![(0, 3_000_000), (10, 1_000_000), (20, 999_999)]),
        (1_000_000, vec![(0, 3_000_000), (10, 1_000_000)]),
        (1_500_000, vec![(0, 3_000_000), (10, 500_000)]),
        (2_000_000, vec![(0, 3_000_000)]),
        (2_000_001, vec![(0, 2_999_999)]),
        (5_000_000, vec![]),
    ];
    for (amount, arrivals) in left {
        let mut game = Game::new(rules());
        let actor = game.worker(3_000_000);
        for slot in [10, 20] {
            game.warp(START + slot);
            game.add_stake(&actor, 1_000_000).unwrap();
        }
        game.request_leave(&actor, Some(amount)).unwrap();
        assert_eq!(game.arrivals(&actor), arrivals, "{amount} leave");
    }
}

/// What is settled is nowhere written: once the arrivals are gone, it leaves.
#[test]
fn request_leave_takes_settled_stake_last() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    game.warp(START + 600);
    game.add_stake(&actor, 5).unwrap();
    game.request_leave(&actor, Some(4)).unwrap();
    assert_eq!(game.arrivals(&actor), [(600, 1)]);
    game.request_leave(&actor, Some(1_000_000)).unwrap();
    assert_eq!(game.arrivals(&actor), []);
}

/// 3,000,000 came before the work, 1,000,000 after: whatever part leaves then, the old stake votes, and the young doesn't.
#[test]
fn request_leave_after_the_work_takes_no_weight() {
    for amount in [1, 1_000_000, 1_000_001, 3_500_000, 4_000_000] {
        let mut game = Game::new(rules());
        let (accused, initiator) = (game.worker(4_000_000), game.witness(2_000_000));
        let voter = game.witness(3_000_000);
        game.warp(START + 10);
        game.submit_work(&accused, 0).unwrap();
        game.warp(START + 11);
        game.add_stake(&voter, 1_000_000).unwrap();
        game.request_leave(&voter, Some(amount)).unwrap();
        let found = game.weight_on(&accused, &initiator, &voter);
        assert_eq!(found, 3_000_000, "{amount} leave");
    }
}

/// Out before the work and in again after it is what it held all the while, and no more.
#[test]
fn request_leave_and_stake_anew_weigh_what_was_there_all_the_while() {
    let mut game = Game::new(rules());
    let (accused, initiator) = (game.worker(4_000_000), game.witness(2_000_000));
    let voter = game.witness(3_000_000);
    game.warp(START + 9);
    game.request_leave(&voter, Some(2_000_000)).unwrap();
    game.warp(START + 10);
    game.submit_work(&accused, 0).unwrap();
    game.warp(START + 11);
    game.add_stake(&voter, 7_000_000).unwrap();
    assert_eq!(game.weight_on(&accused, &initiator, &voter), 1_000_000);
}

#[test]
fn request_leave_from_a_retired_task_passes() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    game.retire_task().unwrap();
    game.request_leave(&actor, None).unwrap();
}

/// 4,000,000 were staked when the audit opened: half of it is slashed, all from what is leaving.
#[test]
fn request_leave_while_accused_stays_at_risk() {
    let mut case = Case::audited(rules(), 2);
    case.game.request_leave(&case.accused, None).unwrap();
    case.vote(&[2, 2, 2]);
    case.resolve().unwrap();
    let node = case.game.node(&case.accused);
    assert_eq!(
        (node.stake.get(), node.leaving.get()),
        (2_000_000, 2_000_000)
    );
}

/// A bond is an earmark: minimum and request don't see it, `withdraw` does.
#[test]
fn request_leave_of_a_pledged_bond_passes() {
    for amount in [Some(1_800_001), None] {
        let mut case = Case::audited(rules(), 2);
        let initiator = &case.initiator;
        let sent = case.game.request_leave(initiator, amount);
        match amount {
            // 199,999 would stay, under the minimum.
            Some(_) => refused(sent, TaskError::StakeBelowMinimum),
            None => drop(sent.unwrap()),
        }
    }
    let mut case = Case::audited(rules(), 2);
    case.game
        .request_leave(&case.initiator, Some(1_500_000))
        .unwrap();
}

#[test]
fn request_leave_by_another_fails() {
    let mut game = Game::new(rules());
    let (actor, other) = (game.worker(3_000_000), game.worker(3_000_000));
    let leave = swap(
        game.request_leave_ix(&actor, None),
        &actor.owner.pubkey(),
        &other.owner.pubkey(),
    );
    refused(game.send(&[leave], &[&other.owner]), TaskError::NotOwner);
}

#[test]
fn request_leave_by_the_operator_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    let leave = swap(
        game.request_leave_ix(&actor, None),
        &actor.owner.pubkey(),
        &actor.operator.pubkey(),
    );
    refused(game.send(&[leave], &[&actor.operator]), TaskError::NotOwner);
}

#[test]
fn request_leave_without_the_owners_signature_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    let leave = unsigned(game.request_leave_ix(&actor, None), &actor.owner.pubkey());
    assert_eq!(
        failure(game.send_by_creator(leave)),
        InstructionError::MissingRequiredSignature
    );
}

#[test]
fn request_leave_of_a_node_of_another_task_fails() {
    let mut game = Game::new(rules());
    let first = game.task;
    game.next_task(1);
    let foreign = game.worker(3_000_000);
    game.enter(first);
    game.worker(3_000_000);
    refused(game.request_leave(&foreign, None), TaskError::WrongTask);
}

#[test]
fn request_leave_with_forged_accounts_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    for real in [game.task, actor.node] {
        let forged = game.forge(&real);
        let leave = swap(game.request_leave_ix(&actor, None), &real, &forged);
        assert_eq!(
            failure(game.send(&[leave], &[&actor.owner])),
            InstructionError::IllegalOwner
        );
    }
}

#[test]
fn request_leave_with_accounts_of_another_type_fails() {
    let mut case = Case::audited(rules(), 2);
    case.vote(&[2]);
    let vote = vote_address(&case.audit(), &case.voters[0].owner.pubkey());
    let (task, node) = (case.game.task, case.accused.node);
    let disguised = case.game.disguise(&node);
    let leave = case.game.request_leave_ix(&case.accused, None);
    let cases = [
        (node, vote, InstructionError::AccountDataTooSmall),
        (node, case.audit(), InstructionError::AccountDataTooSmall),
        (node, disguised, InstructionError::InvalidAccountData),
        (
            task,
            case.initiator.node,
            InstructionError::AccountDataTooSmall,
        ),
    ];
    for (from, to, error) in cases {
        let leave = swap(leave.clone(), &from, &to);
        assert_eq!(
            failure(case.game.send(&[leave], &[&case.accused.owner])),
            error
        );
    }
}

#[test]
fn request_leave_with_an_account_in_two_places_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    for (from, to) in [(actor.node, game.task), (game.task, actor.node)] {
        let leave = swap(game.request_leave_ix(&actor, None), &from, &to);
        assert_eq!(
            failure(game.send(&[leave], &[&actor.owner])),
            InstructionError::Custom(2040)
        );
    }
}

#[test]
fn request_leave_with_an_account_that_cannot_be_written_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    for place in [game.task, actor.node] {
        let leave = readonly(game.request_leave_ix(&actor, None), &place);
        assert_eq!(
            failure(game.send(&[leave], &[&actor.owner])),
            InstructionError::Custom(2000)
        );
    }
}
