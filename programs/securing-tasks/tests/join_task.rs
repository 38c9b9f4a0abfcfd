//! `join_task`: a node with its first stake.

mod common;

use anchor_lang::{solana_program::instruction::Instruction, InstructionData};
use common::*;
use securing_tasks::{events::NodeJoined, Electorate, Role};
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_transaction::InstructionError;

const WORKER: u8 = Role::Worker as u8;
const WITNESS: u8 = Role::Witness as u8;
/// The least stakes of `rules()`.
const WORKER_MIN: u64 = 1_000_000;
const WITNESS_MIN: u64 = 500_000;

#[test]
fn join_task_stores_the_node_and_says_so() {
    for (program, role) in [(TOKEN, WORKER), (TOKEN_2022, WITNESS)] {
        let mut game = Game::with_token(rules(), program);
        let actor = game.stranger();
        game.warp(START + 5);
        let event = NodeJoined {
            task: game.task,
            owner: actor.owner.pubkey(),
            operator: actor.operator.pubkey(),
            payer: actor.owner.pubkey(),
            role,
            stake: 1_234_567,
            slot: START + 5,
        };
        logged(game.join_task(&actor, role, 1_234_567), &event);

        let node = game.node(&actor);
        assert_eq!(node.task, game.task);
        assert_eq!(node.owner, actor.owner.pubkey());
        assert_eq!(node.operator, actor.operator.pubkey());
        assert_eq!(node.role.0, role);
        assert_eq!(node.joined_slot.get(), START + 5);
        assert_eq!(node.stake.get(), 1_234_567);
        assert_eq!(node.payer, actor.owner.pubkey());
        assert_eq!(game.arrivals(&actor), [(5, 1_234_567)]);
        assert_eq!(node.before, none(), "it could not vote before");
        assert_eq!(node.before_slot.get(), START + 5);
        let rest = [
            node.leaving,
            node.leave_slot,
            node.bonds,
            node.locked,
            node.locked_until,
            node.locked_next,
            node.locked_next_until,
            node.payable,
        ];
        assert!(rest.iter().all(|field| field.get() == 0));
        let counters = [
            node.open_audits,
            node.commitments,
            node.live,
            node.audits,
            node.submissions,
            node.rounds_paid,
            node.convictions_downtime,
            node.convictions_malice,
            node.votes_with_majority,
            node.votes_against_majority,
            node.votes_unrevealed,
        ];
        assert!(counters.iter().all(|field| field.get() == 0));
        assert_eq!(game.task().nodes.get(), 1);
        assert_eq!(game.task().electorate, Electorate::of(1_234_567));
        assert_eq!(balance(&game.svm, &actor.wallet), WALLET - 1_234_567);
    }
}

#[test]
fn join_task_as_worker_with_the_minimum_passes_and_below_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    for amount in [0, 1, WORKER_MIN - 1] {
        refused(
            game.join_task(&actor, WORKER, amount),
            TaskError::StakeBelowMinimum,
        );
    }
    game.join_task(&actor, WORKER, WORKER_MIN).unwrap();
}

#[test]
fn join_task_as_witness_with_the_minimum_passes_and_below_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    for amount in [0, 1, WITNESS_MIN - 1] {
        refused(
            game.join_task(&actor, WITNESS, amount),
            TaskError::StakeBelowMinimum,
        );
    }
    game.join_task(&actor, WITNESS, WITNESS_MIN).unwrap();
}

#[test]
fn join_task_with_the_whole_wallet_passes_and_with_more_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    assert_eq!(
        failure(game.join_task(&actor, WORKER, WALLET + 1)),
        InstructionError::Custom(1),
        "the token program's InsufficientFunds"
    );
    game.join_task(&actor, WORKER, WALLET).unwrap();
}

#[test]
fn join_task_with_the_largest_amount_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    assert_eq!(
        failure(game.join_task(&actor, WORKER, u64::MAX)),
        InstructionError::Custom(1)
    );
    game.worker(WORKER_MIN);
    refused(
        game.join_task(&actor, WORKER, u64::MAX),
        TaskError::Overflow,
    );
}

#[test]
fn join_task_in_an_unknown_role_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    for role in [WITNESS + 1, u8::MAX] {
        refused(
            game.join_task(&actor, role, WORKER_MIN),
            TaskError::UnknownRole,
        );
    }
}

#[test]
fn join_task_that_is_retired_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    game.retire_task().unwrap();
    refused(
        game.join_task(&actor, WORKER, WORKER_MIN),
        TaskError::TaskRetired,
    );
}

#[test]
fn join_task_twice_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(WORKER_MIN);
    for role in [WORKER, WITNESS] {
        assert_eq!(
            failure(game.join_task(&actor, role, WORKER_MIN)),
            InstructionError::Custom(0),
            "the system program's AccountAlreadyInUse"
        );
    }
}

#[test]
fn join_task_again_after_leaving_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(WORKER_MIN);
    game.request_leave(&actor, None).unwrap();
    game.warp(START + 600);
    game.withdraw(&actor).unwrap();
    assert_eq!(
        failure(game.join_task(&actor, WORKER, WORKER_MIN)),
        InstructionError::Custom(0)
    );
}

#[test]
fn join_task_at_a_prefunded_address_passes() {
    for lamports in [1_000_000, 1_000_000_000] {
        let mut game = Game::new(rules());
        let actor = game.stranger();
        game.svm.airdrop(&actor.node, lamports).unwrap();
        game.join_task(&actor, WORKER, WORKER_MIN).unwrap();
        assert_eq!(game.node(&actor).stake.get(), WORKER_MIN);
    }
}

#[test]
fn join_task_as_a_node_of_two_tasks_passes() {
    let mut game = Game::new(rules());
    let mut actor = game.worker(WORKER_MIN);
    game.next_task(1);
    actor.node = node_address(&game.task, &actor.owner.pubkey());
    game.join_task(&actor, WITNESS, WITNESS_MIN).unwrap();
}

#[test]
fn join_task_at_another_address_fails() {
    let mut game = Game::new(rules());
    let (actor, other) = (game.stranger(), game.stranger());
    let foreign = node_address(&fresh().pubkey(), &actor.owner.pubkey());
    for node in [other.node, foreign, fresh().pubkey()] {
        let join = swap(
            game.join_task_ix(&actor, WORKER, WORKER_MIN),
            &actor.node,
            &node,
        );
        assert_eq!(
            failure(game.send(&[join], &[&actor.owner])),
            InstructionError::InvalidSeeds
        );
    }
}

#[test]
fn join_task_without_the_owners_signature_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    let join = unsigned(
        game.join_task_ix(&actor, WORKER, WORKER_MIN),
        &actor.owner.pubkey(),
    );
    assert_eq!(
        failure(game.send_by_creator(join)),
        InstructionError::MissingRequiredSignature
    );
}

#[test]
fn join_task_by_another_at_the_owners_address_fails() {
    let mut game = Game::new(rules());
    let (actor, other) = (game.stranger(), game.stranger());
    let join = swap(
        game.join_task_ix(&actor, WORKER, WORKER_MIN),
        &actor.owner.pubkey(),
        &other.owner.pubkey(),
    );
    assert_eq!(
        failure(game.send(&[join], &[&other.owner])),
        InstructionError::InvalidSeeds
    );
}

#[test]
fn join_task_from_the_wallet_of_another_fails() {
    let mut game = Game::new(rules());
    let (actor, other) = (game.stranger(), game.stranger());
    let join = swap(
        game.join_task_ix(&actor, WORKER, WORKER_MIN),
        &actor.wallet,
        &other.wallet,
    );
    assert_eq!(
        failure(game.send(&[join], &[&actor.owner])),
        InstructionError::Custom(4),
        "the token program's OwnerMismatch"
    );
}

#[test]
fn join_task_with_another_mint_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    let (mint, wallet) = game.other_mint(&actor.owner.pubkey());
    let join = game.join_task_ix(&actor, WORKER, WORKER_MIN);
    let by_mint = swap(join.clone(), &game.mint, &mint);
    let by_source = swap(join, &actor.wallet, &wallet);
    let by_both = swap(by_mint.clone(), &actor.wallet, &wallet);
    for join in [by_mint, by_source, by_both] {
        refused(game.send(&[join], &[&actor.owner]), TaskError::MintMismatch);
    }
}

/// Stake that lands in one's own wallet, or in the vault of another task, is no stake.
#[test]
fn join_task_into_another_vault_fails() {
    let mut game = Game::new(rules());
    let first = game.task;
    game.next_task(1);
    let foreign = game.vault;
    game.enter(first);
    let actor = game.stranger();
    let (creator, owner) = (game.creator.insecure_clone(), actor.owner.pubkey());
    let own = make_wallet(&mut game.svm, &creator, &TOKEN, &game.mint, &owner, 0);
    for vault in [foreign, own] {
        let join = swap(
            game.join_task_ix(&actor, WORKER, WORKER_MIN),
            &game.vault,
            &vault,
        );
        refused(
            game.send(&[join], &[&actor.owner]),
            TaskError::VaultMismatch,
        );
    }
}

#[test]
fn join_task_with_another_token_program_fails() {
    for (own, other) in [(TOKEN, TOKEN_2022), (TOKEN_2022, TOKEN)] {
        let mut game = Game::with_token(rules(), own);
        let actor = game.stranger();
        let join = game.join_task_ix(&actor, WORKER, WORKER_MIN);
        refused(
            game.send(&[swap(join.clone(), &own, &other)], &[&actor.owner]),
            TaskError::TokenProgramMismatch,
        );
        let creator = game.creator.pubkey();
        assert_eq!(
            failure(game.send(&[swap(join, &own, &creator)], &[&actor.owner])),
            InstructionError::Custom(2007),
            "Anchor's ConstraintExecutable"
        );
    }
}

#[test]
fn join_task_with_another_system_program_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    let join = swap(
        game.join_task_ix(&actor, WORKER, WORKER_MIN),
        &SYSTEM,
        &TOKEN_2022,
    );
    assert_eq!(
        failure(game.send(&[join], &[&actor.owner])),
        InstructionError::IncorrectProgramId
    );
}

#[test]
fn join_task_with_forged_accounts_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    // A node's address comes from its task's, so that a forged task has an address of its own for the node.
    let forged = game.forge(&game.task.clone());
    let owner = actor.owner.pubkey();
    let join = swap(
        game.join_task_ix(&actor, WORKER, WORKER_MIN),
        &game.task,
        &forged,
    );
    let join = swap(join, &actor.node, &node_address(&forged, &owner));
    assert_eq!(
        failure(game.send(&[join], &[&actor.owner])),
        InstructionError::IllegalOwner
    );
    for real in [game.mint, actor.wallet, game.vault] {
        let forged = game.forge(&real);
        let join = swap(
            game.join_task_ix(&actor, WORKER, WORKER_MIN),
            &real,
            &forged,
        );
        assert_eq!(
            failure(game.send(&[join], &[&actor.owner])),
            InstructionError::IllegalOwner
        );
    }
}

#[test]
fn join_task_with_a_node_for_the_task_fails() {
    let mut game = Game::new(rules());
    let (actor, other) = (game.stranger(), game.worker(WORKER_MIN));
    let join = swap(
        game.join_task_ix(&actor, WORKER, WORKER_MIN),
        &game.task,
        &other.node,
    );
    assert_eq!(
        failure(game.send(&[join], &[&actor.owner])),
        InstructionError::AccountDataTooSmall
    );
}

#[test]
fn join_task_with_an_account_in_two_places_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    let (task, vault) = (game.task, game.vault);
    let owner = actor.owner.pubkey();
    for (from, to) in [
        (actor.wallet, vault),
        (actor.node, task),
        (actor.node, owner),
    ] {
        let join = swap(game.join_task_ix(&actor, WORKER, WORKER_MIN), &from, &to);
        assert_eq!(
            failure(game.send(&[join], &[&actor.owner])),
            InstructionError::Custom(2040)
        );
    }
}

#[test]
fn join_task_with_a_start_slot_before_or_after_the_tasks_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    let start = game.task().start_slot.get();
    for (start_slot, passes) in [(start - 1, false), (start + 1, false), (start, true)] {
        let mut join = game.join_task_ix(&actor, WORKER, WORKER_MIN);
        join.data = securing_tasks::instruction::JoinTask {
            role: WORKER,
            operator: actor.operator.pubkey(),
            amount: WORKER_MIN,
            start_slot,
        }
        .data();
        let sent = game.send(&[join], &[&actor.owner]);
        if passes {
            sent.unwrap();
        } else {
            refused(sent, TaskError::TaskReplaced);
        }
    }
}

// Who pays the rent.

/// The instruction with another payer than the owner.
fn paid_by(game: &Game, actor: &Actor, payer: &Keypair) -> Instruction {
    let mut join = game.join_task_ix(actor, WORKER, WORKER_MIN);
    assert_eq!(join.accounts[0].pubkey, actor.owner.pubkey());
    join.accounts[0].pubkey = payer.pubkey();
    join
}

#[test]
fn join_task_paid_by_another_costs_the_owner_no_lamport_and_gives_the_rent_back() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    let payer = key(&mut game.svm);
    let lamports = |game: &Game, key: &Keypair| game.svm.get_balance(&key.pubkey()).unwrap();
    let before = [&payer, &actor.owner].map(|key| lamports(&game, key));
    let join = paid_by(&game, &actor, &payer);
    let event = NodeJoined {
        task: game.task,
        owner: actor.owner.pubkey(),
        operator: actor.operator.pubkey(),
        payer: payer.pubkey(),
        role: WORKER,
        stake: WORKER_MIN,
        slot: START,
    };
    let sent = game.send(&[join], &[&payer, &actor.owner]);
    let fee = sent.as_ref().unwrap().fee;
    logged(sent, &event);
    let node = game.node(&actor);
    assert_eq!(
        (node.owner, node.payer),
        (actor.owner.pubkey(), payer.pubkey())
    );
    let rent = game.svm.get_balance(&actor.node).unwrap();
    assert_eq!(lamports(&game, &payer), before[0] - fee - rent);
    assert_eq!(lamports(&game, &actor.owner), before[1]);

    game.request_leave(&actor, None).unwrap();
    game.warp(START + 600);
    game.withdraw(&actor).unwrap();
    let to_owner = game.close_node_ix(&actor.owner.pubkey(), &actor);
    refused(
        game.send(std::slice::from_ref(&to_owner), &[&actor.owner]),
        TaskError::WrongPayer,
    );
    let mut close = to_owner;
    close.accounts[3].pubkey = payer.pubkey();
    game.send(&[close], &[&actor.owner]).unwrap();
    assert_eq!(lamports(&game, &payer), before[0] - fee);
}

/// An owner that is a program's account with data signs, and can't pay: the system program moves nothing out of it.
#[test]
fn join_task_by_an_owner_that_holds_data_passes_when_another_pays() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    let payer = key(&mut game.svm);
    give_data(&mut game.svm, &actor.owner.pubkey());
    let alone = game.join_task_ix(&actor, WORKER, WORKER_MIN);
    assert_eq!(
        failure(game.send(&[alone], &[&payer, &actor.owner])),
        InstructionError::InvalidArgument
    );
    let join = paid_by(&game, &actor, &payer);
    game.send(&[join], &[&payer, &actor.owner]).unwrap();
    assert_eq!(game.node(&actor).owner, actor.owner.pubkey());
    // And does all else that an owner does.
    for whole in [
        game.add_stake_ix(&actor, 1),
        game.set_operator_ix(&actor, payer.pubkey()),
        game.request_leave_ix(&actor, None),
    ] {
        game.send(&[whole], &[&payer, &actor.owner]).unwrap();
    }
    game.warp(START + 600);
    let withdraw = game.withdraw_ix(&actor);
    game.send(&[withdraw], &[&payer, &actor.owner]).unwrap();
    let mut close = game.close_node_ix(&actor.owner.pubkey(), &actor);
    close.accounts[3].pubkey = payer.pubkey();
    game.send(&[close], &[&payer, &actor.owner]).unwrap();
}

#[test]
fn join_task_without_the_payers_signature_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    let payer = key(&mut game.svm);
    let join = unsigned(paid_by(&game, &actor, &payer), &payer.pubkey());
    assert_eq!(
        failure(game.send(&[join], &[&actor.owner])),
        InstructionError::MissingRequiredSignature
    );
    // Nor does a payer's signature stand for the owner's.
    let join = unsigned(paid_by(&game, &actor, &payer), &actor.owner.pubkey());
    assert_eq!(
        failure(game.send(&[join], &[&payer])),
        InstructionError::MissingRequiredSignature
    );
}

#[test]
fn join_task_with_an_account_that_cannot_be_written_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    let payer = key(&mut game.svm);
    for (place, error) in [
        (payer.pubkey(), InstructionError::MissingRequiredSignature),
        (game.task, InstructionError::Custom(2000)),
        (actor.wallet, InstructionError::Custom(2000)),
        (game.vault, InstructionError::Custom(2000)),
    ] {
        let join = readonly(paid_by(&game, &actor, &payer), &place);
        let sent = game.send(&[join], &[&actor.owner, &payer]);
        assert_eq!(failure(sent), error);
    }
}
