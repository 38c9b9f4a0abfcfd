//! `fund_task`: anyone adds to the pool of an active task.

mod common;

use common::*;
use securing_tasks::events::TaskFunded;
use solana_signer::Signer;
use solana_transaction::InstructionError;

#[test]
fn fund_task_adds_to_the_pool_and_says_so() {
    let mut game = Game::new(rules());
    game.fund_task(1).unwrap();
    let event = TaskFunded {
        task: game.task,
        funder: game.creator.pubkey(),
        amount: 41,
        pool: 42,
        slot: START,
    };
    logged(game.fund_task(41), &event);
    assert_eq!(game.task().pool.get(), 42);
    assert_eq!(balance(&game.svm, &game.creator_wallet), WALLET - 42);
}

#[test]
fn fund_task_by_anyone_passes() {
    let mut game = Game::with_token(rules(), TOKEN_2022);
    let actor = game.stranger();
    let (creator, wallet) = (game.creator.pubkey(), game.creator_wallet);
    let fund = swap(game.fund_task_ix(7), &creator, &actor.owner.pubkey());
    let fund = swap(fund, &wallet, &actor.wallet);
    game.send(&[fund], &[&actor.owner]).unwrap();
    assert_eq!(game.task().pool.get(), 7);
}

#[test]
fn fund_task_with_nothing_fails() {
    refused(Game::new(rules()).fund_task(0), TaskError::AmountZero);
}

#[test]
fn fund_task_with_the_whole_wallet_passes_and_with_more_fails() {
    let mut game = Game::new(rules());
    assert_eq!(
        failure(game.fund_task(WALLET + 1)),
        InstructionError::Custom(1),
        "the token program's InsufficientFunds"
    );
    game.fund_task(WALLET).unwrap();
}

#[test]
fn fund_task_with_the_largest_amount_fails() {
    let mut game = Game::new(rules());
    assert_eq!(
        failure(game.fund_task(u64::MAX)),
        InstructionError::Custom(1)
    );
    game.fund_task(1).unwrap();
    refused(game.fund_task(u64::MAX), TaskError::Overflow);
}

#[test]
fn fund_task_that_is_retired_fails() {
    let mut game = Game::new(rules());
    game.retire_task().unwrap();
    refused(game.fund_task(1), TaskError::TaskRetired);
}

#[test]
fn fund_task_without_the_funders_signature_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    let fund = unsigned(game.fund_task_ix(1), &game.creator.pubkey());
    assert_eq!(
        failure(game.send(&[fund], &[&actor.owner])),
        InstructionError::MissingRequiredSignature
    );
}

#[test]
fn fund_task_from_the_wallet_of_another_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    let fund = swap(game.fund_task_ix(1), &game.creator_wallet, &actor.wallet);
    assert_eq!(
        failure(game.send_by_creator(fund)),
        InstructionError::Custom(4),
        "the token program's OwnerMismatch"
    );
}

#[test]
fn fund_task_with_another_mint_fails() {
    let mut game = Game::new(rules());
    let creator = game.creator.pubkey();
    let (mint, wallet) = game.other_mint(&creator);
    let by_mint = swap(game.fund_task_ix(1), &game.mint, &mint);
    let by_source = swap(game.fund_task_ix(1), &game.creator_wallet, &wallet);
    let by_both = swap(by_mint.clone(), &game.creator_wallet, &wallet);
    for fund in [by_mint, by_source, by_both] {
        refused(game.send_by_creator(fund), TaskError::MintMismatch);
    }
}

#[test]
fn fund_task_into_another_vault_fails() {
    let mut game = Game::new(rules());
    let first = game.task;
    game.next_task(1);
    let foreign = game.vault;
    game.enter(first);
    let own = game.stranger().wallet;
    for vault in [foreign, own] {
        let fund = swap(game.fund_task_ix(1), &game.vault, &vault);
        refused(game.send_by_creator(fund), TaskError::VaultMismatch);
    }
}

#[test]
fn fund_task_with_another_token_program_fails() {
    let mut game = Game::new(rules());
    let fund = swap(game.fund_task_ix(1), &TOKEN, &TOKEN_2022);
    refused(game.send_by_creator(fund), TaskError::TokenProgramMismatch);
    let mut game = Game::with_token(rules(), TOKEN_2022);
    let fund = swap(game.fund_task_ix(1), &TOKEN_2022, &TOKEN);
    refused(game.send_by_creator(fund), TaskError::TokenProgramMismatch);
    let fund = swap(game.fund_task_ix(1), &TOKEN_2022, &SYSTEM);
    assert_eq!(
        failure(game.send_by_creator(fund)),
        InstructionError::IncorrectProgramId
    );
}

#[test]
fn fund_task_with_forged_accounts_fails() {
    let mut game = Game::new(rules());
    for real in [game.task, game.mint, game.creator_wallet, game.vault] {
        let forged = game.forge(&real);
        let fund = swap(game.fund_task_ix(1), &real, &forged);
        assert_eq!(
            failure(game.send_by_creator(fund)),
            InstructionError::IllegalOwner
        );
    }
}

#[test]
fn fund_task_with_a_node_for_the_task_fails() {
    let mut game = Game::new(rules());
    let node = game.worker(1_000_000).node;
    let fund = swap(game.fund_task_ix(1), &game.task, &node);
    assert_eq!(
        failure(game.send_by_creator(fund)),
        InstructionError::AccountDataTooSmall
    );
}

#[test]
fn fund_task_with_a_token_account_for_the_mint_fails() {
    let mut game = Game::new(rules());
    let wallet = game.stranger().wallet;
    let fund = swap(game.fund_task_ix(1), &game.mint, &wallet);
    assert_eq!(
        failure(game.send_by_creator(fund)),
        InstructionError::InvalidAccountData
    );
}

#[test]
fn fund_task_from_the_vault_itself_fails() {
    let mut game = Game::new(rules());
    game.fund_task(100).unwrap();
    let fund = swap(game.fund_task_ix(1), &game.creator_wallet, &game.vault);
    assert_eq!(
        failure(game.send_by_creator(fund)),
        InstructionError::Custom(2040)
    );
}

#[test]
fn fund_task_with_an_account_that_cannot_be_written_fails() {
    let mut game = Game::new(rules());
    for place in [game.task, game.creator_wallet, game.vault] {
        let fund = readonly(game.fund_task_ix(1), &place);
        assert_eq!(
            failure(game.send_by_creator(fund)),
            InstructionError::Custom(2000)
        );
    }
}
