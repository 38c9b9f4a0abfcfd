//! `retire_task`: the creator ends a task and takes what is in the pool.

mod common;

use common::*;
use securing_tasks::{events::TaskRetired, Role, Submission, SubmissionStatus, TaskStatus};
use solana_signer::Signer;
use solana_transaction::InstructionError;

#[test]
fn retire_task_returns_the_pool_and_says_so() {
    for program in [TOKEN, TOKEN_2022] {
        let mut game = Game::with_token(rules(), program);
        game.fund_task(500).unwrap();
        game.warp(START + 3);
        let event = TaskRetired {
            task: game.task,
            amount: 500,
            slot: START + 3,
        };
        logged(game.retire_task(), &event);
        assert_eq!(game.task().status, TaskStatus::Retired);
        assert_eq!(game.task().retired_slot.get(), START + 3);
        assert_eq!(game.task().pool.get(), 0);
        assert_eq!(balance(&game.svm, &game.creator_wallet), WALLET);
    }
}

#[test]
fn retire_task_leaves_stakes_in_the_vault() {
    let mut game = Game::new(rules());
    let worker = game.worker(1_000_000);
    game.fund_task(500).unwrap();
    game.retire_task().unwrap();
    assert_eq!(balance(&game.svm, &game.vault), 1_000_000);
    game.request_leave(&worker, None).unwrap();
    game.warp(START + 600);
    game.withdraw(&worker).unwrap();
    assert_eq!(balance(&game.svm, &worker.wallet), WALLET);
}

#[test]
fn retire_task_with_an_empty_pool_passes_as_often_as_asked() {
    let mut game = Game::new(rules());
    let event = TaskRetired {
        task: game.task,
        amount: 0,
        slot: START,
    };
    logged(game.retire_task(), &event);
    logged(game.retire_task(), &event);
    assert_eq!(game.task().status, TaskStatus::Retired);
}

/// Else a creator could put off for ever what begins one leave delay after the end.
#[test]
fn retire_task_again_keeps_the_slot_of_the_first_time() {
    let mut game = Game::new(rules());
    game.warp(START + 3);
    game.pause_task().unwrap();
    assert_eq!(game.task().retired_slot.get(), 0);
    game.retire_task().unwrap();
    game.warp(START + 4);
    let event = TaskRetired {
        task: game.task,
        amount: 0,
        slot: START + 4,
    };
    logged(game.retire_task(), &event);
    assert_eq!(game.task().retired_slot.get(), START + 3);
}

/// A conviction for malice of 4,000,000: 200,000 of the slash is the pool's.
#[test]
fn retire_task_again_takes_what_a_later_verdict_added() {
    let mut case = Case::audited(rules(), 2);
    case.vote(&[2, 2, 2]);
    case.game.retire_task().unwrap();
    case.resolve().unwrap();
    let submission: Submission = case.game.get(&case.game.submission(&case.accused, 0));
    assert_eq!(submission.status, SubmissionStatus::ConvictedMalice);
    let event = TaskRetired {
        task: case.game.task,
        amount: 200_000,
        slot: case.game.slot(),
    };
    logged(case.game.retire_task(), &event);
    case.claim(3);
    assert_eq!(
        balance(&case.game.svm, &case.game.creator_wallet),
        WALLET + 200_000
    );
}

#[test]
fn retire_task_ends_joins_and_submissions() {
    let mut game = Game::new(rules());
    let (worker, late) = (game.worker(1_000_000), game.stranger());
    game.retire_task().unwrap();
    refused(
        game.join_task(&late, Role::Worker as u8, 1_000_000),
        TaskError::TaskRetired,
    );
    refused(game.submit_work(&worker, 0), TaskError::TaskRetired);
    refused(game.add_stake(&worker, 1), TaskError::TaskRetired);
    refused(game.fund_task(1), TaskError::TaskRetired);
}

#[test]
fn retire_task_by_another_fails() {
    let mut game = Game::new(rules());
    game.fund_task(500).unwrap();
    let actor = game.worker(1_000_000);
    let (creator, wallet) = (game.creator.pubkey(), game.creator_wallet);
    let retire = swap(game.retire_task_ix(), &creator, &actor.owner.pubkey());
    let retire = swap(retire, &wallet, &actor.wallet);
    refused(game.send(&[retire], &[&actor.owner]), TaskError::NotCreator);
}

#[test]
fn retire_task_without_the_creators_signature_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    let retire = unsigned(game.retire_task_ix(), &game.creator.pubkey());
    assert_eq!(
        failure(game.send(&[retire], &[&actor.owner])),
        InstructionError::MissingRequiredSignature
    );
}

/// The second task's money is not the first one's, even though the creator is the same.
#[test]
fn retire_task_out_of_another_vault_fails() {
    let mut game = Game::new(rules());
    let first = game.task;
    game.fund_task(500).unwrap();
    game.next_task(1);
    game.worker(1_000_000);
    let foreign = game.vault;
    game.enter(first);
    let wallet = game.stranger().wallet;
    for vault in [foreign, wallet] {
        let retire = swap(game.retire_task_ix(), &game.vault, &vault);
        refused(game.send_by_creator(retire), TaskError::VaultMismatch);
    }
}

#[test]
fn retire_task_with_another_mint_fails() {
    let mut game = Game::new(rules());
    game.fund_task(500).unwrap();
    let creator = game.creator.pubkey();
    let (mint, wallet) = game.other_mint(&creator);
    let by_mint = swap(game.retire_task_ix(), &game.mint, &mint);
    let by_destination = swap(game.retire_task_ix(), &game.creator_wallet, &wallet);
    for retire in [by_mint, by_destination] {
        refused(game.send_by_creator(retire), TaskError::MintMismatch);
    }
}

/// With nothing to pay out, no transfer would notice.
#[test]
fn retire_task_with_an_empty_pool_checks_all_accounts() {
    let mut game = Game::new(rules());
    let creator = game.creator.pubkey();
    let (mint, wallet) = game.other_mint(&creator);
    let own = game.stranger().wallet;
    let retire = game.retire_task_ix();
    let cases = [
        (game.mint, mint, TaskError::MintMismatch),
        (game.creator_wallet, wallet, TaskError::MintMismatch),
        (game.vault, own, TaskError::VaultMismatch),
        (TOKEN, TOKEN_2022, TaskError::TokenProgramMismatch),
    ];
    for (from, to, error) in cases {
        refused(
            game.send_by_creator(swap(retire.clone(), &from, &to)),
            error,
        );
    }
}

#[test]
fn retire_task_with_another_token_program_fails() {
    let mut game = Game::with_token(rules(), TOKEN_2022);
    game.fund_task(500).unwrap();
    let retire = swap(game.retire_task_ix(), &TOKEN_2022, &TOKEN);
    refused(
        game.send_by_creator(retire),
        TaskError::TokenProgramMismatch,
    );
    let retire = swap(game.retire_task_ix(), &TOKEN_2022, &SYSTEM);
    assert_eq!(
        failure(game.send_by_creator(retire)),
        InstructionError::IncorrectProgramId
    );
}

#[test]
fn retire_task_with_forged_accounts_fails() {
    let mut game = Game::new(rules());
    for real in [game.task, game.mint, game.vault, game.creator_wallet] {
        let forged = game.forge(&real);
        let retire = swap(game.retire_task_ix(), &real, &forged);
        assert_eq!(
            failure(game.send_by_creator(retire)),
            InstructionError::IllegalOwner
        );
    }
}

#[test]
fn retire_task_with_a_node_for_the_task_fails() {
    let mut game = Game::new(rules());
    let node = game.worker(1_000_000).node;
    let retire = swap(game.retire_task_ix(), &game.task, &node);
    assert_eq!(
        failure(game.send_by_creator(retire)),
        InstructionError::AccountDataTooSmall
    );
}

#[test]
fn retire_task_into_the_vault_itself_fails() {
    let mut game = Game::new(rules());
    game.fund_task(500).unwrap();
    let retire = swap(game.retire_task_ix(), &game.creator_wallet, &game.vault);
    assert_eq!(
        failure(game.send_by_creator(retire)),
        InstructionError::Custom(2040)
    );
}

#[test]
fn retire_task_with_an_account_that_cannot_be_written_fails() {
    let mut game = Game::new(rules());
    for place in [game.task, game.vault, game.creator_wallet] {
        let retire = readonly(game.retire_task_ix(), &place);
        assert_eq!(
            failure(game.send_by_creator(retire)),
            InstructionError::Custom(2000)
        );
    }
}
