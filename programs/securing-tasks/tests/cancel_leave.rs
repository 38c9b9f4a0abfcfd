//! `cancel_leave`: what was leaving stays after all, and is as young as stake that comes now.

mod common;

use common::*;
use securing_tasks::{events::LeaveCancelled, Electorate};
use solana_signer::Signer;
use solana_transaction::InstructionError;

/// A worker with 3,000,000 staked, of which 2,000,000 are leaving.
fn leaving() -> (Game, Actor) {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    game.request_leave(&actor, Some(2_000_000)).unwrap();
    (game, actor)
}

#[test]
fn cancel_leave_keeps_the_stake_and_says_so() {
    let (mut game, actor) = leaving();
    game.warp(START + 9);
    let event = LeaveCancelled {
        task: game.task,
        owner: actor.owner.pubkey(),
        amount: 2_000_000,
        slot: START + 9,
    };
    logged(game.cancel_leave(&actor), &event);
    let node = game.node(&actor);
    assert_eq!((node.stake.get(), node.leaving.get()), (3_000_000, 0));
    assert_eq!(node.leave_slot.get(), 0);
    assert_eq!(game.task().electorate, Electorate::of(3_000_000));
}

#[test]
fn cancel_leave_of_all_keeps_all() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    game.request_leave(&actor, None).unwrap();
    game.cancel_leave(&actor).unwrap();
    assert_eq!(game.task().electorate, Electorate::of(3_000_000));
    game.submit_work(&actor, 0).unwrap();
}

#[test]
fn cancel_leave_after_the_delay_but_before_withdrawing_passes() {
    let (mut game, actor) = leaving();
    game.warp(START + 601);
    game.cancel_leave(&actor).unwrap();
    refused(game.withdraw(&actor), TaskError::NothingToWithdraw);
}

/// Stake that was on its way out votes like stake that came now, so that leaving is no way to vote and be gone. What had stayed is as
/// old as it was.
#[test]
fn cancel_leave_makes_that_stake_young_and_no_other() {
    let (mut game, actor) = leaving();
    assert_eq!(game.arrivals(&actor), [(0, 1_000_000)]);
    game.warp(START + 599);
    game.cancel_leave(&actor).unwrap();
    let both = [(0, 1_000_000), (599, 2_000_000)];
    assert_eq!(game.arrivals(&actor), both);

    let (mut game, actor) = leaving();
    game.warp(START + 600);
    game.cancel_leave(&actor).unwrap();
    let last = [(600, 2_000_000)];
    assert_eq!(game.arrivals(&actor), last, "the first is settled");
}

/// Before the submission's slot, in it and after it.
#[test]
fn cancel_leave_votes_only_on_work_that_came_after_it() {
    for (cancelled, weight) in [(9, 3_000_000), (10, 1_000_000), (11, 1_000_000)] {
        let (mut game, actor) = leaving();
        let (accused, initiator) = (game.worker(4_000_000), game.witness(2_000_000));
        for slot in 9..12 {
            game.warp(START + slot);
            if slot == cancelled {
                game.cancel_leave(&actor).unwrap();
            }
            if slot == 10 {
                game.submit_work(&accused, 0).unwrap();
            }
        }
        let found = game.weight_on(&accused, &initiator, &actor);
        assert_eq!(found, weight, "cancelled at START + {cancelled}");
    }
}

#[test]
fn cancel_leave_as_a_fifth_arrival_fails_and_leaves_the_request() {
    let (mut game, actor) = leaving();
    for slot in 1..4 {
        game.warp(START + slot);
        game.add_stake(&actor, 1).unwrap();
    }
    let before = game.svm.get_account(&actor.node).unwrap();
    for slot in [START + 4, START + 599] {
        game.warp(slot);
        refused(game.cancel_leave(&actor), TaskError::StakeAddedTooOften);
    }
    assert_eq!(game.svm.get_account(&actor.node).unwrap(), before);
    game.warp(START + 600);
    game.cancel_leave(&actor).unwrap();
    let kept = [(1, 1), (2, 1), (3, 1), (600, 2_000_000)];
    assert_eq!(game.arrivals(&actor), kept);
}

#[test]
fn cancel_leave_in_the_slot_of_the_last_arrival_merges() {
    let (mut game, actor) = leaving();
    for slot in 1..4 {
        game.warp(START + slot);
        game.add_stake(&actor, 1).unwrap();
    }
    game.cancel_leave(&actor).unwrap();
    let merged = [(0, 1_000_000), (1, 1), (2, 1), (3, 2_000_001)];
    assert_eq!(game.arrivals(&actor), merged);
}

#[test]
fn cancel_leave_with_nothing_leaving_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    refused(game.cancel_leave(&actor), TaskError::NothingLeaving);
}

#[test]
fn cancel_leave_twice_fails() {
    let (mut game, actor) = leaving();
    game.cancel_leave(&actor).unwrap();
    refused(game.cancel_leave(&actor), TaskError::NothingLeaving);
}

#[test]
fn cancel_leave_after_withdrawing_fails() {
    let (mut game, actor) = leaving();
    game.warp(START + 600);
    game.withdraw(&actor).unwrap();
    refused(game.cancel_leave(&actor), TaskError::NothingLeaving);
}

/// The slash of 2,000,000 takes the leaving part first.
#[test]
fn cancel_leave_after_a_slash_keeps_what_is_left() {
    let mut case = Case::audited(rules(), 2);
    case.game
        .request_leave(&case.accused, Some(2_500_000))
        .unwrap();
    case.vote(&[2, 2, 2]);
    case.resolve().unwrap();
    let event = LeaveCancelled {
        task: case.game.task,
        owner: case.accused.owner.pubkey(),
        amount: 500_000,
        slot: case.game.slot(),
    };
    logged(case.game.cancel_leave(&case.accused), &event);
    assert_eq!(case.game.node(&case.accused).stake.get(), 2_000_000);

    let mut case = Case::audited(rules(), 2);
    case.game
        .request_leave(&case.accused, Some(2_000_000))
        .unwrap();
    case.vote(&[2, 2, 2]);
    case.resolve().unwrap();
    refused(
        case.game.cancel_leave(&case.accused),
        TaskError::NothingLeaving,
    );
}

#[test]
fn cancel_leave_in_a_retired_task_passes() {
    let (mut game, actor) = leaving();
    game.retire_task().unwrap();
    game.cancel_leave(&actor).unwrap();
}

#[test]
fn cancel_leave_by_another_fails() {
    let (mut game, actor) = leaving();
    let other = game.worker(1_000_000);
    let cancel = swap(
        game.cancel_leave_ix(&actor),
        &actor.owner.pubkey(),
        &other.owner.pubkey(),
    );
    refused(game.send(&[cancel], &[&other.owner]), TaskError::NotOwner);
}

#[test]
fn cancel_leave_by_the_operator_fails() {
    let (mut game, actor) = leaving();
    let cancel = swap(
        game.cancel_leave_ix(&actor),
        &actor.owner.pubkey(),
        &actor.operator.pubkey(),
    );
    refused(
        game.send(&[cancel], &[&actor.operator]),
        TaskError::NotOwner,
    );
}

#[test]
fn cancel_leave_without_the_owners_signature_fails() {
    let (mut game, actor) = leaving();
    let cancel = unsigned(game.cancel_leave_ix(&actor), &actor.owner.pubkey());
    assert_eq!(
        failure(game.send_by_creator(cancel)),
        InstructionError::MissingRequiredSignature
    );
}

#[test]
fn cancel_leave_of_a_node_of_another_task_fails() {
    let (mut game, actor) = leaving();
    game.next_task(1);
    refused(game.cancel_leave(&actor), TaskError::WrongTask);
}

#[test]
fn cancel_leave_with_forged_accounts_fails() {
    let (mut game, actor) = leaving();
    for real in [game.task, actor.node] {
        let forged = game.forge(&real);
        let cancel = swap(game.cancel_leave_ix(&actor), &real, &forged);
        assert_eq!(
            failure(game.send(&[cancel], &[&actor.owner])),
            InstructionError::IllegalOwner
        );
    }
}

#[test]
fn cancel_leave_with_accounts_of_another_type_fails() {
    let mut case = Case::audited(rules(), 2);
    case.vote(&[2]);
    let vote = vote_address(&case.audit(), &case.voters[0].owner.pubkey());
    let (task, node) = (case.game.task, case.accused.node);
    let disguised = case.game.disguise(&node);
    let cancel = case.game.cancel_leave_ix(&case.accused);
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
        let cancel = swap(cancel.clone(), &from, &to);
        assert_eq!(
            failure(case.game.send(&[cancel], &[&case.accused.owner])),
            error
        );
    }
}

#[test]
fn cancel_leave_with_an_account_in_two_places_fails() {
    let (mut game, actor) = leaving();
    for (from, to) in [(actor.node, game.task), (game.task, actor.node)] {
        let cancel = swap(game.cancel_leave_ix(&actor), &from, &to);
        assert_eq!(
            failure(game.send(&[cancel], &[&actor.owner])),
            InstructionError::Custom(2040)
        );
    }
}

#[test]
fn cancel_leave_with_an_account_that_cannot_be_written_fails() {
    let (mut game, actor) = leaving();
    for place in [game.task, actor.node] {
        let cancel = readonly(game.cancel_leave_ix(&actor), &place);
        assert_eq!(
            failure(game.send(&[cancel], &[&actor.owner])),
            InstructionError::Custom(2000)
        );
    }
}
