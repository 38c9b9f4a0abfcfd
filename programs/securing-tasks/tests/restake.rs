//! `restake`: what could leave besides stake becomes stake instead, and is as young as stake that comes now.

mod common;

use common::*;
use securing_tasks::{events::Restaked, Electorate};
use solana_signer::Signer;
use solana_transaction::InstructionError;

const BOUNTY: u64 = 100_000;

/// A worker with 4,000,000 staked and one bounty to take, at START + 400.
fn earned() -> (Game, Actor) {
    let mut game = Game::new(rules());
    game.fund_task(BOUNTY).unwrap();
    let actor = game.worker(4_000_000);
    game.warp(START + 1);
    game.submit_work(&actor, 0).unwrap();
    game.warp(START + 400);
    game.claim_bounty(&actor, 0).unwrap();
    (game, actor)
}

/// The initiator of a conviction at START + 202, with its share: locked until START + 802.
fn locked() -> (Game, Actor, u64) {
    let mut case = Case::audited(rules(), 2);
    case.vote(&[2, 2, 2]);
    case.resolve().unwrap();
    let share = case.game.node(&case.initiator).locked.get();
    assert!(share > 0);
    (case.game, case.initiator, share)
}

#[test]
fn restake_makes_stake_of_a_bounty_and_says_so() {
    let (mut game, actor) = earned();
    let vault = balance(&game.svm, &game.vault);
    let event = Restaked {
        task: game.task,
        owner: actor.owner.pubkey(),
        amount: BOUNTY,
        stake: 4_000_000 + BOUNTY,
        slot: START + 400,
    };
    logged(game.restake(&actor), &event);
    let node = game.node(&actor);
    assert_eq!(
        (node.stake.get(), node.payable.get()),
        (4_000_000 + BOUNTY, 0)
    );
    assert_eq!(game.task().electorate, Electorate::of(4_000_000 + BOUNTY));
    assert_eq!(balance(&game.svm, &game.vault), vault, "nothing moves");
    assert_eq!(balance(&game.svm, &actor.wallet), WALLET - 4_000_000);
}

#[test]
fn restake_twice_fails() {
    let (mut game, actor) = earned();
    game.restake(&actor).unwrap();
    refused(game.restake(&actor), TaskError::NothingToRestake);
}

#[test]
fn restake_of_nothing_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    refused(game.restake(&actor), TaskError::NothingToRestake);
    // What is leaving is stake, and no share.
    game.request_leave(&actor, Some(1_000_000)).unwrap();
    game.warp(START + 600);
    refused(game.restake(&actor), TaskError::NothingToRestake);
}

/// One slot before the lock's end, at it and after it.
#[test]
fn restake_leaves_shares_under_lock_where_they_are() {
    let (mut game, actor, share) = locked();
    game.warp(START + 801);
    refused(game.restake(&actor), TaskError::NothingToRestake);
    for slot in [802, 803] {
        let (mut game, actor, _) = locked();
        game.warp(START + slot);
        game.restake(&actor).unwrap();
        let node = game.node(&actor);
        assert_eq!(node.stake.get(), 2_000_000 + share);
        assert_eq!((node.locked.get(), node.payable.get()), (0, 0));
    }
}

/// Else shares won by a verdict could vote on work of before them.
#[test]
fn restake_votes_only_on_work_that_came_after_it() {
    for (restaked, weight) in [(1_009, 100_000), (1_010, 0), (1_011, 0)] {
        let (mut game, actor) = earned();
        let (accused, initiator) = (game.worker(4_000_000), game.witness(2_000_000));
        for slot in 1_009..1_012 {
            game.warp(START + slot);
            if slot == restaked {
                game.restake(&actor).unwrap();
            }
            if slot == 1_010 {
                game.submit_work(&accused, 1).unwrap();
            }
        }
        game.open_audit(&initiator, &accused, 1, 2).unwrap();
        let audit = game.audit(&accused, 1, 0);
        game.cast_vote(&actor, &audit, 2).unwrap();
        let vote = vote_address(&audit, &actor.owner.pubkey());
        let found = game.get::<securing_tasks::Vote>(&vote).weight.get();
        assert_eq!(found, 4_000_000 + weight, "restaked at START + {restaked}");
    }
}

#[test]
fn restake_as_a_fifth_arrival_fails_and_keeps_what_is_payable() {
    let (mut game, actor) = earned();
    // The first stake is still young.
    for slot in 401..404 {
        game.warp(START + slot);
        game.add_stake(&actor, 1).unwrap();
    }
    game.warp(START + 599);
    refused(game.restake(&actor), TaskError::StakeAddedTooOften);
    assert_eq!(game.node(&actor).payable.get(), BOUNTY);
    // One longest case after the first of them.
    game.warp(START + 600);
    game.restake(&actor).unwrap();
}

/// An accused can't take stake out, and may put more in.
#[test]
fn restake_of_an_accused_passes() {
    let (mut game, actor) = earned();
    let initiator = game.witness(2_000_000);
    game.warp(START + 1_001);
    game.submit_work(&actor, 1).unwrap();
    game.warp(START + 1_002);
    game.open_audit(&initiator, &actor, 1, 2).unwrap();
    game.restake(&actor).unwrap();
}

#[test]
fn restake_in_a_retired_task_fails() {
    let (mut game, actor) = earned();
    game.retire_task().unwrap();
    refused(game.restake(&actor), TaskError::TaskRetired);
    game.withdraw(&actor).unwrap();
}

#[test]
fn restake_in_a_paused_task_passes() {
    let (mut game, actor) = earned();
    game.pause_task().unwrap();
    game.restake(&actor).unwrap();
}

#[test]
fn restake_by_another_fails() {
    let (mut game, actor) = earned();
    let other = game.worker(1_000_000);
    for key in [&other.owner, &actor.operator] {
        let restake = swap(
            game.restake_ix(&actor),
            &actor.owner.pubkey(),
            &key.pubkey(),
        );
        refused(game.send(&[restake], &[key]), TaskError::NotOwner);
    }
}

#[test]
fn restake_without_the_owners_signature_fails() {
    let (mut game, actor) = earned();
    let restake = unsigned(game.restake_ix(&actor), &actor.owner.pubkey());
    assert_eq!(
        failure(game.send_by_creator(restake)),
        InstructionError::MissingRequiredSignature
    );
}

#[test]
fn restake_of_a_node_of_another_task_fails() {
    let (mut game, actor) = earned();
    game.next_task(1);
    refused(game.restake(&actor), TaskError::WrongTask);
}

#[test]
fn restake_with_forged_accounts_fails() {
    let (mut game, actor) = earned();
    for real in [game.task, actor.node] {
        let forged = game.forge(&real);
        let restake = swap(game.restake_ix(&actor), &real, &forged);
        assert_eq!(
            failure(game.send(&[restake], &[&actor.owner])),
            InstructionError::IllegalOwner
        );
    }
}

#[test]
fn restake_with_an_account_of_another_type_fails() {
    let (mut game, actor) = earned();
    let disguised = game.disguise(&actor.node);
    let cases = [
        (
            actor.node,
            game.submission(&actor, 0),
            InstructionError::AccountDataTooSmall,
        ),
        (actor.node, disguised, InstructionError::InvalidAccountData),
        (game.task, actor.node, InstructionError::Custom(2040)),
    ];
    for (from, to, error) in cases {
        let restake = swap(game.restake_ix(&actor), &from, &to);
        assert_eq!(failure(game.send(&[restake], &[&actor.owner])), error);
    }
}

#[test]
fn restake_with_an_account_that_cannot_be_written_fails() {
    let (mut game, actor) = earned();
    for place in [game.task, actor.node] {
        let restake = readonly(game.restake_ix(&actor), &place);
        assert_eq!(
            failure(game.send(&[restake], &[&actor.owner])),
            InstructionError::Custom(2000)
        );
    }
}
