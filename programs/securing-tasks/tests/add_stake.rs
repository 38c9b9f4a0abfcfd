//! `add_stake`: more stake, which counts as recent at first.

mod common;

use common::*;
use securing_tasks::{events::StakeAdded, Audit};
use solana_signer::Signer;
use solana_transaction::InstructionError;

#[test]
fn add_stake_adds_and_says_so() {
    for program in [TOKEN, TOKEN_2022] {
        let mut game = Game::with_token(rules(), program);
        let actor = game.worker(1_000_000);
        game.warp(START + 5);
        let event = StakeAdded {
            task: game.task,
            owner: actor.owner.pubkey(),
            amount: 1,
            stake: 1_000_001,
            slot: START + 5,
        };
        logged(game.add_stake(&actor, 1), &event);
        let node = game.node(&actor);
        assert_eq!(node.stake.get(), 1_000_001);
        assert_eq!(node.joined_slot.get(), START, "a node joins once");
        assert_eq!(game.task().active_stake.get(), 1_000_001);
        assert_eq!(balance(&game.svm, &actor.wallet), WALLET - 1_000_001);
    }
}

/// The longest case of `rules()` is 100 + 300 + 0 + 200 slots: after those, no open vote asks about older stake.
#[test]
fn add_stake_one_slot_before_the_old_one_is_settled_counts_both_as_recent() {
    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    game.warp(START + 599);
    game.add_stake(&actor, 5).unwrap();
    let node = game.node(&actor);
    assert_eq!(node.recent.get(), 1_000_005);
    assert_eq!(node.recent_slot.get(), START + 599);
}

#[test]
fn add_stake_once_the_old_one_is_settled_counts_the_new_one_as_recent() {
    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    game.warp(START + 600);
    game.add_stake(&actor, 5).unwrap();
    let node = game.node(&actor);
    assert_eq!(node.recent.get(), 5);
    assert_eq!(node.recent_slot.get(), START + 600);
}

#[test]
fn add_stake_of_nothing_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    refused(game.add_stake(&actor, 0), TaskError::AmountZero);
}

#[test]
fn add_stake_of_the_rest_of_the_wallet_passes_and_of_more_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    assert_eq!(
        failure(game.add_stake(&actor, WALLET - 1_000_000 + 1)),
        InstructionError::Custom(1),
        "the token program's InsufficientFunds"
    );
    game.add_stake(&actor, WALLET - 1_000_000).unwrap();
}

#[test]
fn add_stake_over_what_the_ledger_holds_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    let most = u64::MAX - 1_000_000;
    for amount in [u64::MAX, most + 1] {
        refused(game.add_stake(&actor, amount), TaskError::Overflow);
    }
    assert_eq!(
        failure(game.add_stake(&actor, most)),
        InstructionError::Custom(1),
        "the ledger could hold it, the wallet does not"
    );
    game.worker(1_000_000);
    refused(game.add_stake(&actor, most), TaskError::Overflow);
}

/// Verdicts and withdrawals go on after a task is retired, and so may stake come.
#[test]
fn add_stake_to_a_retired_task_passes() {
    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    game.retire_task().unwrap();
    game.add_stake(&actor, 1).unwrap();
}

#[test]
fn add_stake_while_leaving_leaves_the_request_as_it_is() {
    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    game.request_leave(&actor, None).unwrap();
    game.warp(START + 10);
    game.add_stake(&actor, 2).unwrap();
    let node = game.node(&actor);
    assert_eq!(
        (node.stake.get(), node.leaving.get()),
        (1_000_002, 1_000_000)
    );
    assert_eq!(node.leave_slot.get(), START + 600);
    assert_eq!(node.recent.get(), 2);
}

#[test]
fn add_stake_while_accused_risks_no_more() {
    let mut case = Case::audited(rules(), 2);
    case.game.add_stake(&case.accused, 1_000_000).unwrap();
    let audit: Audit = case.game.get(&case.audit());
    assert_eq!(audit.accused_stake.get(), 4_000_000);
    case.vote(&[2, 2, 2]);
    case.resolve().unwrap();
    assert_eq!(case.game.node(&case.accused).stake.get(), 3_000_000);
}

#[test]
fn add_stake_by_another_fails() {
    let mut game = Game::new(rules());
    let (actor, other) = (game.worker(1_000_000), game.worker(1_000_000));
    let add = swap(game.add_stake_ix(&other, 1), &other.node, &actor.node);
    refused(game.send(&[add], &[&other.owner]), TaskError::NotOwner);
}

#[test]
fn add_stake_by_the_operator_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    let add = swap(
        game.add_stake_ix(&actor, 1),
        &actor.owner.pubkey(),
        &actor.operator.pubkey(),
    );
    refused(game.send(&[add], &[&actor.operator]), TaskError::NotOwner);
}

#[test]
fn add_stake_without_the_owners_signature_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    let add = unsigned(game.add_stake_ix(&actor, 1), &actor.owner.pubkey());
    assert_eq!(
        failure(game.send_by_creator(add)),
        InstructionError::MissingRequiredSignature
    );
}

#[test]
fn add_stake_to_a_node_of_another_task_fails() {
    let mut game = Game::new(rules());
    let first = game.task;
    game.next_task(1);
    let foreign = game.worker(1_000_000);
    game.enter(first);
    refused(game.add_stake(&foreign, 1), TaskError::WrongTask);
}

#[test]
fn add_stake_from_the_wallet_of_another_fails() {
    let mut game = Game::new(rules());
    let (actor, other) = (game.worker(1_000_000), game.stranger());
    let add = swap(game.add_stake_ix(&actor, 1), &actor.wallet, &other.wallet);
    assert_eq!(
        failure(game.send(&[add], &[&actor.owner])),
        InstructionError::Custom(4),
        "the token program's OwnerMismatch"
    );
}

#[test]
fn add_stake_with_another_mint_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    let (mint, wallet) = game.other_mint(&actor.owner.pubkey());
    let by_mint = swap(game.add_stake_ix(&actor, 1), &game.mint, &mint);
    let by_source = swap(game.add_stake_ix(&actor, 1), &actor.wallet, &wallet);
    let by_both = swap(by_mint.clone(), &actor.wallet, &wallet);
    for add in [by_mint, by_source, by_both] {
        refused(game.send(&[add], &[&actor.owner]), TaskError::MintMismatch);
    }
}

#[test]
fn add_stake_into_another_vault_fails() {
    let mut game = Game::new(rules());
    let first = game.task;
    game.next_task(1);
    let foreign = game.vault;
    game.enter(first);
    let actor = game.worker(1_000_000);
    for vault in [foreign, game.creator_wallet] {
        let add = swap(game.add_stake_ix(&actor, 1), &game.vault, &vault);
        refused(game.send(&[add], &[&actor.owner]), TaskError::VaultMismatch);
    }
}

#[test]
fn add_stake_with_another_token_program_fails() {
    for (own, other) in [(TOKEN, TOKEN_2022), (TOKEN_2022, TOKEN)] {
        let mut game = Game::with_token(rules(), own);
        let actor = game.worker(1_000_000);
        let add = swap(game.add_stake_ix(&actor, 1), &own, &other);
        refused(
            game.send(&[add], &[&actor.owner]),
            TaskError::TokenProgramMismatch,
        );
        let add = swap(game.add_stake_ix(&actor, 1), &own, &SYSTEM);
        assert_eq!(
            failure(game.send(&[add], &[&actor.owner])),
            InstructionError::IncorrectProgramId
        );
    }
}

#[test]
fn add_stake_with_forged_accounts_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    for real in [game.task, actor.node, game.mint, actor.wallet, game.vault] {
        let forged = game.forge(&real);
        let add = swap(game.add_stake_ix(&actor, 1), &real, &forged);
        assert_eq!(
            failure(game.send(&[add], &[&actor.owner])),
            InstructionError::IllegalOwner
        );
    }
}

#[test]
fn add_stake_to_an_owner_without_a_node_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    assert_eq!(
        failure(game.add_stake(&actor, 1)),
        InstructionError::AccountDataTooSmall
    );
}

#[test]
fn add_stake_with_accounts_of_another_type_fails() {
    let mut case = Case::audited(rules(), 2);
    case.vote(&[2]);
    let vote = vote_address(&case.audit(), &case.voters[0].owner.pubkey());
    let (task, node) = (case.game.task, case.accused.node);
    let add = case.game.add_stake_ix(&case.accused, 1);
    let cases = [
        (node, vote, InstructionError::AccountDataTooSmall),
        (node, case.audit(), InstructionError::InvalidAccountData),
        (
            task,
            case.initiator.node,
            InstructionError::AccountDataTooSmall,
        ),
    ];
    for (from, to, error) in cases {
        let add = swap(add.clone(), &from, &to);
        assert_eq!(
            failure(case.game.send(&[add], &[&case.accused.owner])),
            error
        );
    }
}

#[test]
fn add_stake_with_an_account_in_two_places_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    let cases = [
        (actor.wallet, game.vault),
        (actor.node, game.task),
        (game.task, actor.node),
    ];
    for (from, to) in cases {
        let add = swap(game.add_stake_ix(&actor, 1), &from, &to);
        assert_eq!(
            failure(game.send(&[add], &[&actor.owner])),
            InstructionError::Custom(2040)
        );
    }
}
