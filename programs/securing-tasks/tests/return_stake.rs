//! `return_stake`: one leave delay after a task's end, anyone pays a node out to its owner.

mod common;

use anchor_lang::prelude::Address;
use common::*;
use securing_tasks::{events::StakeReturned, Outcome, RulesArgs};
use solana_signer::Signer;
use solana_transaction::InstructionError;

/// Retired at START + 5, released at START + 605.
const RETIRED: u64 = START + 5;
const RELEASED: u64 = RETIRED + 600;

/// A worker with 3,000,000, whose task was retired at `RETIRED`.
fn retired(program: Address) -> (Game, Actor) {
    let mut game = Game::with_token(rules(), program);
    let actor = game.worker(3_000_000);
    game.warp(RETIRED);
    game.retire_task().unwrap();
    (game, actor)
}

/// The same at `RELEASED`.
fn released() -> (Game, Actor) {
    let (mut game, actor) = retired(TOKEN);
    game.warp(RELEASED);
    (game, actor)
}

fn event(game: &Game, actor: &Actor, amount: u64) -> StakeReturned {
    StakeReturned {
        task: game.task,
        owner: actor.owner.pubkey(),
        amount,
        slot: game.slot(),
    }
}

#[test]
fn return_stake_pays_the_owner_and_says_so() {
    for program in [TOKEN, TOKEN_2022] {
        let (mut game, actor) = retired(program);
        game.warp(RELEASED);
        let event = event(&game, &actor, 3_000_000);
        logged(game.return_stake(&actor), &event);
        assert_eq!(balance(&game.svm, &actor.wallet), WALLET);
        assert_eq!(balance(&game.svm, &game.vault), 0);
        assert_eq!(game.node(&actor).stake.get(), 0);
        assert_eq!(game.arrivals(&actor), []);
        assert_eq!(game.task().electorate, none());
    }
}

#[test]
fn return_stake_by_a_stranger_passes() {
    let (mut game, actor) = released();
    let stranger = game.stranger();
    let back = game.return_stake_ix(&actor);
    game.send(&[back], &[&stranger.owner]).unwrap();
    assert_eq!(balance(&game.svm, &actor.wallet), WALLET);
    assert_eq!(balance(&game.svm, &stranger.wallet), WALLET);
}

// When.

#[test]
fn return_stake_of_a_task_that_is_not_retired_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    game.warp(START + 1_000_000);
    refused(game.return_stake(&actor), TaskError::NotRetired);
    game.pause_task().unwrap();
    refused(game.return_stake(&actor), TaskError::NotRetired);
}

#[test]
fn return_stake_one_slot_before_the_release_fails_and_at_it_passes() {
    let (mut game, actor) = retired(TOKEN);
    for slot in [RETIRED, RELEASED - 1] {
        game.warp(slot);
        refused(game.return_stake(&actor), TaskError::NotReleased);
    }
    game.warp(RELEASED);
    game.return_stake(&actor).unwrap();

    let (mut game, actor) = retired(TOKEN);
    game.warp(RELEASED + 1_000_000);
    game.return_stake(&actor).unwrap();
}

/// Else a creator could put it off for ever.
#[test]
fn return_stake_is_not_put_off_by_retiring_again() {
    let (mut game, actor) = retired(TOKEN);
    game.warp(RELEASED - 1);
    game.retire_task().unwrap();
    refused(game.return_stake(&actor), TaskError::NotReleased);
    game.warp(RELEASED);
    game.return_stake(&actor).unwrap();
}

// What: all that there is, whatever its delays.

#[test]
fn return_stake_pays_what_is_leaving_and_not_due() {
    for amount in [Some(1_000_000), None] {
        let (mut game, actor) = retired(TOKEN);
        game.warp(RELEASED - 1);
        game.request_leave(&actor, amount).unwrap();
        game.warp(RELEASED);
        refused(game.withdraw(&actor), TaskError::NothingToWithdraw);
        let event = event(&game, &actor, 3_000_000);
        logged(game.return_stake(&actor), &event);
        let node = game.node(&actor);
        let left = [node.stake, node.leaving, node.leave_slot];
        assert_eq!(left.map(|n| n.get()), [0; 3]);
        assert_eq!(game.task().electorate, none());
    }
}

/// An initiator with shares in both boxes, whose locks end later, and a bounty that is payable.
#[test]
fn return_stake_pays_locked_shares_and_bounties() {
    let mut game = Game::new(rules());
    game.fund_task(1_000_000).unwrap();
    let accused = [(); 2].map(|()| game.worker(4_000_000));
    let actor = game.worker(2_000_000);
    let voters = [(); 2].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    for worker in accused.iter().chain([&actor]) {
        game.submit_work(worker, 0).unwrap();
    }
    let mut audits = vec![];
    for worker in &accused {
        game.open_audit(&actor, worker, 0, 2).unwrap();
        let audit = game.audit(worker, 0, 0);
        for voter in &voters {
            game.cast_vote(voter, &audit, 2).unwrap();
        }
        audits.push(audit);
    }
    game.warp(RETIRED);
    game.retire_task().unwrap();
    game.warp(RELEASED - 2);
    game.resolve_audit(&audits[0]).unwrap();
    game.warp(RELEASED - 1);
    game.resolve_audit(&audits[1]).unwrap();
    game.warp(RELEASED);
    game.claim_bounty(&actor, 0).unwrap();
    let node = game.node(&actor);
    assert_eq!(
        [node.locked, node.locked_next, node.payable].map(|n| n.get()),
        [1_000_000, 1_000_000, 33_333]
    );
    let event = event(&game, &actor, 2_000_000 + 2_000_000 + 33_333);
    logged(game.return_stake(&actor), &event);
    let node = game.node(&actor);
    let left = [
        node.stake,
        node.locked,
        node.locked_until,
        node.locked_next,
        node.locked_next_until,
        node.payable,
    ];
    assert_eq!(left.map(|n| n.get()), [0; 6]);
    // The record stays, until the node is closed.
    assert_eq!(node.rounds_paid.get(), 1);
}

/// A share that is claimed afterwards comes back the same way, at once.
#[test]
fn return_stake_again_pays_what_came_since() {
    let mut case = Case::audited(rules(), 2);
    case.game.retire_task().unwrap();
    case.vote(&[2, 2, 2]);
    case.resolve().unwrap();
    case.game.warp(START + 602);
    // An open vote pledges nothing.
    let stake = event(&case.game, &case.voters[0], 1_000_000);
    logged(case.game.return_stake(&case.voters[0]), &stake);
    case.claim(1);
    let share = event(&case.game, &case.voters[0], 300_000);
    logged(case.game.return_stake(&case.voters[0]), &share);
    refused(
        case.game.return_stake(&case.voters[0]),
        TaskError::NothingToWithdraw,
    );
}

#[test]
fn return_stake_of_nothing_fails() {
    let (mut game, actor) = released();
    game.return_stake(&actor).unwrap();
    refused(game.return_stake(&actor), TaskError::NothingToWithdraw);

    let (mut game, actor) = retired(TOKEN);
    game.request_leave(&actor, None).unwrap();
    game.warp(RELEASED);
    game.withdraw(&actor).unwrap();
    refused(game.return_stake(&actor), TaskError::NothingToWithdraw);
}

// Not while a verdict or claim may still take of it.

/// By everyone, the owner too: else a stranger's return would be the convict's way out.
#[test]
fn return_stake_of_the_accused_fails_until_the_verdict() {
    let mut case = Case::audited(rules(), 2);
    case.game.retire_task().unwrap();
    case.vote(&[2, 2, 2]);
    case.game.warp(START + 1_000);
    let back = case.game.return_stake_ix(&case.accused);
    for signer in [&case.accused.owner, &case.initiator.owner] {
        let sent = case.game.send(std::slice::from_ref(&back), &[signer]);
        refused(sent, TaskError::NodeAccused);
    }
    case.game.resolve_audit(&case.audit()).unwrap();
    let event = event(&case.game, &case.accused, 2_000_000);
    logged(case.game.return_stake(&case.accused), &event);
}

#[test]
fn return_stake_of_an_initiator_fails_until_the_verdict() {
    for (votes, amount) in [(&[0, 0, 0][..], 1_800_000), (&[], 2_000_000)] {
        let mut case = Case::audited(rules(), 2);
        case.game.retire_task().unwrap();
        case.vote(votes);
        case.game.warp(START + 1_000);
        refused(
            case.game.return_stake(&case.initiator),
            TaskError::StakePledged,
        );
        case.game.resolve_audit(&case.audit()).unwrap();
        let event = event(&case.game, &case.initiator, amount);
        logged(case.game.return_stake(&case.initiator), &event);
    }
}

/// Never revealed: until the claim, which takes 50,000. Revealed: no hindrance.
#[test]
fn return_stake_of_a_voter_fails_until_its_commitment_is_told_or_claimed() {
    let mut case = Case::audited(
        RulesArgs {
            commit_slots: 50,
            reveal_slots: 150,
            ..rules()
        },
        2,
    );
    let (game, [shut, told, _]) = (&mut case.game, &case.voters);
    let audit = game.audit(&case.accused, 0, 0);
    game.retire_task().unwrap();
    for voter in [shut, told] {
        game.commit_vote(voter, &audit, 2, [9; 32]).unwrap();
    }
    game.warp(START + 52);
    game.reveal_vote(told, &audit, 2, [9; 32]).unwrap();
    game.warp(START + 1_000);
    let event_told = event(game, told, 1_500_000);
    logged(game.return_stake(told), &event_told);
    refused(game.return_stake(shut), TaskError::StakePledged);
    game.resolve_audit(&audit).unwrap();
    refused(game.return_stake(shut), TaskError::StakePledged);
    game.claim_vote(shut, &audit).unwrap();
    let event_shut = event(game, shut, 950_000);
    logged(game.return_stake(shut), &event_shut);
    assert_eq!(game.task().pool.get(), 50_000);
}

/// Opened in the last slot there is, and never resolved in time: its accused waits, whatever the task's end.
#[test]
fn return_stake_waits_for_an_audit_that_was_opened_after_retiring() {
    let mut case = Case::submitted(rules());
    case.game.retire_task().unwrap();
    case.game.warp(START + 399);
    case.game
        .open_audit(&case.initiator, &case.accused, 0, 2)
        .unwrap();
    case.vote(&[2, 2, 2]);
    // Released at START + 601; the audit ended at + 599.
    case.game.warp(START + 601);
    refused(
        case.game.return_stake(&case.accused),
        TaskError::NodeAccused,
    );
    case.game.resolve_audit(&case.audit()).unwrap();
    let state: securing_tasks::Audit = case.game.get(&case.audit());
    assert_eq!(state.outcome, Outcome::ConvictedMalice);
    case.game.return_stake(&case.accused).unwrap();
}

/// Everything of a task whose owners are gone, cleared away by a stranger: no unit of stake keeps it open.
#[test]
fn return_stake_lets_anyone_close_the_task() {
    let (mut game, actor) = released();
    let stranger = game.stranger();
    refused(game.close_task(), TaskError::NotEmpty);
    let whole = [
        game.return_stake_ix(&actor),
        game.close_node_ix(&stranger.owner.pubkey(), &actor),
        game.close_task_ix(),
    ];
    game.send(&whole, &[&stranger.owner]).unwrap();
    assert!(game
        .svm
        .get_program_accounts(&securing_tasks::ID)
        .is_empty());
    assert_eq!(balance(&game.svm, &actor.wallet), WALLET);
}

// Where to: an account of the owner, of the task's mint.

#[test]
fn return_stake_into_any_wallet_of_the_owner_passes() {
    let (mut game, actor) = released();
    let (creator, owner) = (game.creator.insecure_clone(), actor.owner.pubkey());
    let mint = game.mint;
    let other = make_wallet(&mut game.svm, &creator, &TOKEN, &mint, &owner, 0);
    let back = swap(game.return_stake_ix(&actor), &actor.wallet, &other);
    game.send_by_creator(back).unwrap();
    assert_eq!(balance(&game.svm, &other), 3_000_000);
}

/// Not the operator's either, and not even where the owner signs: `withdraw` is for that.
#[test]
fn return_stake_into_the_wallet_of_another_fails() {
    let (mut game, actor) = released();
    let creator = game.creator.insecure_clone();
    let (mint, operator) = (game.mint, actor.operator.pubkey());
    let hot = make_wallet(&mut game.svm, &creator, &TOKEN, &mint, &operator, 0);
    for thief in [game.stranger().wallet, game.creator_wallet, hot] {
        let back = swap(game.return_stake_ix(&actor), &actor.wallet, &thief);
        for signer in [&creator, &actor.owner] {
            let sent = game.send(std::slice::from_ref(&back), &[signer]);
            refused(sent, TaskError::NotOwner);
        }
    }
}

#[test]
fn return_stake_with_another_mint_fails() {
    let (mut game, actor) = released();
    let (mint, wallet) = game.other_mint(&actor.owner.pubkey());
    let by_mint = swap(game.return_stake_ix(&actor), &game.mint, &mint);
    let by_destination = swap(game.return_stake_ix(&actor), &actor.wallet, &wallet);
    let by_both = swap(by_mint.clone(), &actor.wallet, &wallet);
    for back in [by_mint, by_destination, by_both] {
        refused(game.send_by_creator(back), TaskError::MintMismatch);
    }
}

// Accounts.

/// The second task's money is not the first one's; nor does the first one's end release the second's nodes.
#[test]
fn return_stake_of_a_node_of_another_task_fails() {
    let (mut game, _) = released();
    let first = game.task;
    game.next_task(1);
    let foreign = game.worker(3_000_000);
    refused(game.return_stake(&foreign), TaskError::NotRetired);
    game.enter(first);
    refused(game.return_stake(&foreign), TaskError::WrongTask);
}

#[test]
fn return_stake_out_of_another_vault_fails() {
    let (mut game, actor) = released();
    let first = game.task;
    game.next_task(1);
    game.worker(5_000_000);
    let foreign = game.vault;
    game.enter(first);
    for vault in [foreign, game.creator_wallet] {
        let back = swap(game.return_stake_ix(&actor), &game.vault, &vault);
        refused(game.send_by_creator(back), TaskError::VaultMismatch);
    }
}

#[test]
fn return_stake_with_another_token_program_fails() {
    for (own, other) in [(TOKEN, TOKEN_2022), (TOKEN_2022, TOKEN)] {
        let (mut game, actor) = retired(own);
        game.warp(RELEASED);
        let back = swap(game.return_stake_ix(&actor), &own, &other);
        refused(game.send_by_creator(back), TaskError::TokenProgramMismatch);
        let back = swap(game.return_stake_ix(&actor), &own, &SYSTEM);
        assert_eq!(
            failure(game.send_by_creator(back)),
            InstructionError::IncorrectProgramId
        );
    }
}

#[test]
fn return_stake_with_forged_accounts_fails() {
    let (mut game, actor) = released();
    for real in [game.task, actor.node, game.mint, game.vault, actor.wallet] {
        let forged = game.forge(&real);
        let back = swap(game.return_stake_ix(&actor), &real, &forged);
        assert_eq!(
            failure(game.send_by_creator(back)),
            InstructionError::IllegalOwner
        );
    }
}

#[test]
fn return_stake_with_accounts_of_another_type_fails() {
    let (mut game, actor) = released();
    for real in [game.task, actor.node] {
        let disguised = game.disguise(&real);
        let back = swap(game.return_stake_ix(&actor), &real, &disguised);
        assert_eq!(
            failure(game.send_by_creator(back)),
            InstructionError::InvalidAccountData
        );
    }
}

#[test]
fn return_stake_with_an_account_in_two_places_fails() {
    let (mut game, actor) = released();
    for (from, to) in [
        (actor.node, game.task),
        (game.task, actor.node),
        (actor.wallet, game.vault),
        (game.vault, actor.wallet),
        (actor.node, game.vault),
    ] {
        let back = swap(game.return_stake_ix(&actor), &from, &to);
        assert_eq!(
            failure(game.send_by_creator(back)),
            InstructionError::Custom(2040)
        );
    }
}

#[test]
fn return_stake_with_an_account_that_cannot_be_written_fails() {
    let (mut game, actor) = released();
    for place in [game.task, actor.node, game.vault, actor.wallet] {
        let back = readonly(game.return_stake_ix(&actor), &place);
        assert_eq!(
            failure(game.send_by_creator(back)),
            InstructionError::Custom(2000)
        );
    }
}

#[test]
fn return_stake_of_an_owner_without_a_node_fails() {
    let (mut game, _) = released();
    let stranger = game.stranger();
    assert_eq!(
        failure(game.return_stake(&stranger)),
        InstructionError::AccountDataTooSmall
    );
}
