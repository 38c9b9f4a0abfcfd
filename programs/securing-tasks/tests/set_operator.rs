//! `set_operator`: the owner names another hot key.

mod common;

use common::*;
use securing_tasks::events::OperatorSet;
use solana_signer::Signer;
use solana_transaction::InstructionError;

fn staked() -> (Game, Actor) {
    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    (game, actor)
}

#[test]
fn set_operator_names_the_new_key_and_says_so() {
    let (mut game, actor) = staked();
    let operator = fresh().pubkey();
    game.warp(START + 4);
    let event = OperatorSet {
        task: game.task,
        owner: actor.owner.pubkey(),
        operator,
        slot: START + 4,
    };
    logged(game.set_operator(&actor, operator), &event);
    let node = game.node(&actor);
    assert_eq!(node.operator, operator);
    assert_eq!(node.owner, actor.owner.pubkey());
}

#[test]
fn set_operator_takes_the_old_key_its_power() {
    let (mut game, mut actor) = staked();
    let new = key(&mut game.svm);
    game.set_operator(&actor, new.pubkey()).unwrap();
    refused(game.submit_work(&actor, 0), TaskError::NotOperator);
    actor.operator = new;
    game.submit_work(&actor, 0).unwrap();
}

#[test]
fn set_operator_to_the_owner_or_the_same_key_passes() {
    let (mut game, actor) = staked();
    for operator in [actor.operator.pubkey(), actor.owner.pubkey()] {
        game.set_operator(&actor, operator).unwrap();
        assert_eq!(game.node(&actor).operator, operator);
    }
}

#[test]
fn set_operator_in_a_retired_task_passes() {
    let (mut game, actor) = staked();
    game.retire_task().unwrap();
    game.set_operator(&actor, fresh().pubkey()).unwrap();
}

#[test]
fn set_operator_by_another_fails() {
    let (mut game, actor) = staked();
    let other = game.worker(1_000_000);
    let set = swap(
        game.set_operator_ix(&actor, other.operator.pubkey()),
        &actor.owner.pubkey(),
        &other.owner.pubkey(),
    );
    refused(game.send(&[set], &[&other.owner]), TaskError::NotOwner);
}

/// A stolen hot key can't make itself stay.
#[test]
fn set_operator_by_the_operator_fails() {
    let (mut game, actor) = staked();
    let set = swap(
        game.set_operator_ix(&actor, fresh().pubkey()),
        &actor.owner.pubkey(),
        &actor.operator.pubkey(),
    );
    refused(game.send(&[set], &[&actor.operator]), TaskError::NotOwner);
}

#[test]
fn set_operator_without_the_owners_signature_fails() {
    let (mut game, actor) = staked();
    let set = unsigned(
        game.set_operator_ix(&actor, fresh().pubkey()),
        &actor.owner.pubkey(),
    );
    assert_eq!(
        failure(game.send_by_creator(set)),
        InstructionError::MissingRequiredSignature
    );
}

#[test]
fn set_operator_of_a_forged_node_fails() {
    let (mut game, actor) = staked();
    let forged = game.forge(&actor.node);
    let set = swap(
        game.set_operator_ix(&actor, fresh().pubkey()),
        &actor.node,
        &forged,
    );
    assert_eq!(
        failure(game.send(&[set], &[&actor.owner])),
        InstructionError::IllegalOwner
    );
}

#[test]
fn set_operator_of_an_owner_without_a_node_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    assert_eq!(
        failure(game.set_operator(&actor, fresh().pubkey())),
        InstructionError::AccountDataTooSmall
    );
}

#[test]
fn set_operator_of_an_account_of_another_type_fails() {
    let mut case = Case::audited(rules(), 2);
    case.vote(&[2]);
    let owner = &case.voters[0].owner;
    let vote = vote_address(&case.audit(), &owner.pubkey());
    let set = case.game.set_operator_ix(&case.voters[0], fresh().pubkey());
    let node = case.voters[0].node;
    let disguised = case.game.disguise(&node);
    let cases = [
        (vote, InstructionError::AccountDataTooSmall),
        (case.audit(), InstructionError::AccountDataTooSmall),
        (disguised, InstructionError::InvalidAccountData),
        (case.game.task, InstructionError::InvalidAccountData),
    ];
    for (to, error) in cases {
        let set = swap(set.clone(), &node, &to);
        assert_eq!(failure(case.game.send(&[set], &[owner])), error);
    }
}

#[test]
fn set_operator_of_a_read_only_node_fails() {
    let (mut game, actor) = staked();
    let mut set = game.set_operator_ix(&actor, fresh().pubkey());
    for meta in &mut set.accounts {
        meta.is_writable = false;
    }
    assert_eq!(
        failure(game.send(&[set], &[&actor.owner])),
        InstructionError::Custom(2000),
        "Anchor's ConstraintMut"
    );
}
