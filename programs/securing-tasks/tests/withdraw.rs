//! `withdraw`: stake after its delay, shares after their lock, and nothing while accused.

mod common;

use common::*;
use securing_tasks::{events::Withdrawn, Outcome, RulesArgs};
use solana_signer::Signer;
use solana_transaction::InstructionError;

/// A worker with 3,000,000 staked, of which 2,000,000 can leave at START + 600.
fn leaving(program: anchor_lang::prelude::Address) -> (Game, Actor) {
    let mut game = Game::with_token(rules(), program);
    let actor = game.worker(3_000_000);
    game.request_leave(&actor, Some(2_000_000)).unwrap();
    (game, actor)
}

/// The same at START + 600.
fn ready() -> (Game, Actor) {
    let (mut game, actor) = leaving(TOKEN);
    game.warp(START + 600);
    (game, actor)
}

/// What an initiator gets of each conviction for malice of 4,000,000: 600,000 bonus, a third of 1,200,000.
const SHARE: u64 = 1_000_000;

/// An initiator who has workers convicted at START + 202, + 302, + 502, and with a fourth audit at START + `last`.
fn convictions(last: Option<u64>) -> (Game, Actor) {
    let mut game = Game::new(rules());
    let accused = [0; 4].map(|_| game.worker(4_000_000));
    let initiator = game.witness(2_000_000);
    let voters = [0; 2].map(|_| game.witness(1_000_000));
    game.warp(START + 1);
    for worker in &accused {
        game.submit_work(worker, 0).unwrap();
    }
    let open = |game: &mut Game, number: usize| {
        let audit = game.audit(&accused[number], 0, 0);
        game.open_audit(&initiator, &accused[number], 0, 2).unwrap();
        for voter in &voters {
            game.cast_vote(voter, &audit, 2).unwrap();
        }
        audit
    };
    game.warp(START + 2);
    let first = open(&mut game, 0);
    game.warp(START + 102);
    let second = open(&mut game, 1);
    game.warp(START + 202);
    game.resolve_audit(&first).unwrap();
    game.warp(START + 302);
    game.resolve_audit(&second).unwrap();
    let third = open(&mut game, 2);
    let fourth = last.map(|_| open(&mut game, 3));
    game.warp(START + 502);
    game.resolve_audit(&third).unwrap();
    if let (Some(slot), Some(audit)) = (last, fourth) {
        game.warp(START + slot);
        game.resolve_audit(&audit).unwrap();
    }
    (game, initiator)
}

/// A withdrawal's event.
fn event(game: &Game, actor: &Actor, amount: u64, stake: u64, locked: u64) -> Withdrawn {
    Withdrawn {
        task: game.task,
        owner: actor.owner.pubkey(),
        amount,
        stake,
        locked,
        slot: game.slot(),
    }
}

#[test]
fn withdraw_pays_the_leaving_part_and_says_so() {
    for program in [TOKEN, TOKEN_2022] {
        let (mut game, actor) = leaving(program);
        game.warp(START + 600);
        let event = event(&game, &actor, 2_000_000, 1_000_000, 0);
        logged(game.withdraw(&actor), &event);
        let node = game.node(&actor);
        assert_eq!((node.stake.get(), node.leaving.get()), (1_000_000, 0));
        assert_eq!(node.leave_slot.get(), 0);
        assert_eq!(balance(&game.svm, &actor.wallet), WALLET - 1_000_000);
        assert_eq!(game.task().active_stake.get(), 1_000_000);
    }
}

#[test]
fn withdraw_one_slot_early_fails() {
    let (mut game, actor) = leaving(TOKEN);
    game.warp(START + 599);
    refused(game.withdraw(&actor), TaskError::NothingToWithdraw);
}

#[test]
fn withdraw_long_after_the_delay_passes() {
    let (mut game, actor) = leaving(TOKEN);
    game.warp(START + 1_000_000);
    game.withdraw(&actor).unwrap();
}

#[test]
fn withdraw_after_the_longest_delay_passes_on_its_slot() {
    let mut game = Game::new(RulesArgs {
        leave_delay_slots: 78_840_000,
        ..rules()
    });
    let actor = game.worker(1_000_000);
    game.request_leave(&actor, None).unwrap();
    game.warp(START + 78_840_000 - 1);
    refused(game.withdraw(&actor), TaskError::NothingToWithdraw);
    game.warp(START + 78_840_000);
    game.withdraw(&actor).unwrap();
}

#[test]
fn withdraw_of_all_empties_the_vault() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    game.request_leave(&actor, None).unwrap();
    game.warp(START + 600);
    let event = event(&game, &actor, 3_000_000, 0, 0);
    logged(game.withdraw(&actor), &event);
    assert_eq!(balance(&game.svm, &game.vault), 0);
    assert_eq!(balance(&game.svm, &actor.wallet), WALLET);
}

#[test]
fn withdraw_twice_fails() {
    let (mut game, actor) = ready();
    game.withdraw(&actor).unwrap();
    refused(game.withdraw(&actor), TaskError::NothingToWithdraw);
}

#[test]
fn withdraw_with_nothing_leaving_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    game.warp(START + 10_000);
    refused(game.withdraw(&actor), TaskError::NothingToWithdraw);
}

#[test]
fn withdraw_after_a_second_request_waits_for_the_new_delay() {
    let (mut game, actor) = leaving(TOKEN);
    game.warp(START + 599);
    game.request_leave(&actor, None).unwrap();
    game.warp(START + 1_198);
    refused(game.withdraw(&actor), TaskError::NothingToWithdraw);
    game.warp(START + 1_199);
    let event = event(&game, &actor, 3_000_000, 0, 0);
    logged(game.withdraw(&actor), &event);
}

#[test]
fn withdraw_from_a_retired_task_passes() {
    let (mut game, actor) = ready();
    game.retire_task().unwrap();
    game.withdraw(&actor).unwrap();
}

#[test]
fn withdraw_into_any_wallet_that_the_owner_names_passes() {
    let (mut game, actor) = ready();
    let other = game.stranger();
    let withdraw = swap(game.withdraw_ix(&actor), &actor.wallet, &other.wallet);
    game.send(&[withdraw], &[&actor.owner]).unwrap();
    assert_eq!(balance(&game.svm, &other.wallet), WALLET + 2_000_000);
}

/// The delay is over at START + 602, but the audit is open until someone resolves it.
#[test]
fn withdraw_while_accused_fails_until_the_audit_is_resolved() {
    let mut case = Case::audited(rules(), 2);
    case.game.request_leave(&case.accused, None).unwrap();
    case.game.warp(START + 10_000);
    refused(case.game.withdraw(&case.accused), TaskError::NodeAccused);
    let audit = case.audit();
    case.game.resolve_audit(&audit).unwrap();
    let state: securing_tasks::Audit = case.game.get(&audit);
    assert_eq!(state.outcome, Outcome::NoVerdict, "nobody voted");
    let event = event(&case.game, &case.accused, 4_000_000, 0, 0);
    logged(case.game.withdraw(&case.accused), &event);
}

#[test]
fn withdraw_after_a_slash_pays_what_is_left() {
    let mut case = Case::audited(rules(), 2);
    case.game.request_leave(&case.accused, None).unwrap();
    case.vote(&[2, 2, 2]);
    case.resolve().unwrap();
    case.game.warp(START + 602);
    let event = event(&case.game, &case.accused, 2_000_000, 0, 0);
    logged(case.game.withdraw(&case.accused), &event);
}

#[test]
fn withdraw_after_all_of_it_was_slashed_fails() {
    let rules = RulesArgs {
        malice_bps: 10_000,
        ..rules()
    };
    let mut case = Case::audited(rules, 2);
    case.game.request_leave(&case.accused, None).unwrap();
    case.vote(&[2, 2, 2]);
    case.resolve().unwrap();
    assert_eq!(case.game.node(&case.accused).leave_slot.get(), 0);
    case.game.warp(START + 602);
    refused(
        case.game.withdraw(&case.accused),
        TaskError::NothingToWithdraw,
    );
}

/// An initiator and voters are no accused: an open audit does not keep them.
#[test]
fn withdraw_of_a_voter_while_the_audit_is_open_passes() {
    let mut case = Case::audited(rules(), 2);
    case.vote(&[2, 2, 2]);
    case.game
        .request_leave(&case.voters[2], Some(1_000_000))
        .unwrap();
    case.game.warp(START + 602);
    case.game.withdraw(&case.voters[2]).unwrap();
}

#[test]
fn withdraw_of_a_share_one_slot_early_fails() {
    let mut case = Case::audited(rules(), 2);
    case.vote(&[2, 2, 2]);
    case.resolve().unwrap();
    let until = case.end() + 600;
    case.game.warp(until - 1);
    refused(
        case.game.withdraw(&case.initiator),
        TaskError::NothingToWithdraw,
    );
    case.game.warp(until);
    // 600,000 bonus and a quarter of 1,200,000.
    let event = event(&case.game, &case.initiator, 900_000, 2_000_000, 0);
    logged(case.game.withdraw(&case.initiator), &event);
    let node = case.game.node(&case.initiator);
    assert_eq!((node.locked.get(), node.locked_until.get()), (0, 0));
}

/// A claim starts the lock, not the verdict.
#[test]
fn withdraw_of_a_claimed_share_waits_from_the_claim() {
    let mut case = Case::audited(rules(), 2);
    case.vote(&[2, 2, 2]);
    case.resolve().unwrap();
    case.game.warp(START + 5_000);
    case.claim(3);
    case.game.warp(START + 5_599);
    refused(
        case.game.withdraw(&case.voters[0]),
        TaskError::NothingToWithdraw,
    );
    case.game.warp(START + 5_600);
    let event = event(&case.game, &case.voters[0], 300_000, 1_000_000, 0);
    logged(case.game.withdraw(&case.voters[0]), &event);
}

#[test]
fn withdraw_of_stake_leaves_a_locked_share_behind() {
    let mut case = Case::audited(rules(), 2);
    case.vote(&[2, 2, 2]);
    // Stake can leave at START + 602, the share at START + 802.
    case.game
        .request_leave(&case.initiator, Some(1_000_000))
        .unwrap();
    case.resolve().unwrap();
    case.game.warp(START + 801);
    let stake = event(&case.game, &case.initiator, 1_000_000, 1_000_000, 900_000);
    logged(case.game.withdraw(&case.initiator), &stake);
    refused(
        case.game.withdraw(&case.initiator),
        TaskError::NothingToWithdraw,
    );
    case.game.warp(START + 802);
    let share = event(&case.game, &case.initiator, 900_000, 1_000_000, 0);
    logged(case.game.withdraw(&case.initiator), &share);
}

#[test]
fn withdraw_of_a_share_leaves_stake_that_is_still_leaving() {
    let mut case = Case::audited(rules(), 2);
    case.vote(&[2, 2, 2]);
    case.resolve().unwrap();
    case.game.warp(START + 300);
    case.game
        .request_leave(&case.initiator, Some(1_000_000))
        .unwrap();
    case.game.warp(START + 802);
    let share = event(&case.game, &case.initiator, 900_000, 2_000_000, 0);
    logged(case.game.withdraw(&case.initiator), &share);
    case.game.warp(START + 900);
    let stake = event(&case.game, &case.initiator, 1_000_000, 1_000_000, 0);
    logged(case.game.withdraw(&case.initiator), &stake);
}

#[test]
fn withdraw_of_stake_and_share_together_passes() {
    let mut case = Case::audited(rules(), 2);
    case.vote(&[2, 2, 2]);
    case.game.request_leave(&case.initiator, None).unwrap();
    case.resolve().unwrap();
    case.game.warp(START + 802);
    // The bond came back to a node that leaves with all, and leaves with it.
    let both = event(&case.game, &case.initiator, 2_900_000, 0, 0);
    logged(case.game.withdraw(&case.initiator), &both);
}

#[test]
fn withdraw_from_the_second_box_one_slot_early_fails() {
    let (mut game, initiator) = convictions(None);
    let node = game.node(&initiator);
    assert_eq!(
        (node.locked.get(), node.locked_until.get()),
        (SHARE, START + 802)
    );
    assert_eq!(
        (node.locked_next.get(), node.locked_next_until.get()),
        (2 * SHARE, START + 1_102)
    );

    game.warp(START + 801);
    refused(game.withdraw(&initiator), TaskError::NothingToWithdraw);
    game.warp(START + 802);
    let first = event(&game, &initiator, SHARE, 2_000_000, 2 * SHARE);
    logged(game.withdraw(&initiator), &first);
    game.warp(START + 1_101);
    refused(game.withdraw(&initiator), TaskError::NothingToWithdraw);
    game.warp(START + 1_102);
    let second = event(&game, &initiator, 2 * SHARE, 2_000_000, 0);
    logged(game.withdraw(&initiator), &second);
}

#[test]
fn withdraw_from_both_boxes_at_once_passes() {
    let (mut game, initiator) = convictions(None);
    game.warp(START + 1_102);
    let both = event(&game, &initiator, 3 * SHARE, 2_000_000, 0);
    logged(game.withdraw(&initiator), &both);
}

/// A fourth share puts off the second and third at most until START + 801 + 600, less than twice the delay from START + 302.
/// From START + 802 on the first box is free again, and the fourth waits alone.
#[test]
fn withdraw_is_put_off_by_new_shares_for_less_than_twice_the_delay() {
    for (last, until, shares) in [(801, 1_401, 3), (802, 1_102, 2), (1_101, 1_102, 2)] {
        let (mut game, initiator) = convictions(Some(last));
        game.warp(START + until - 1);
        let first = event(&game, &initiator, SHARE, 2_000_000, 3 * SHARE);
        logged(game.withdraw(&initiator), &first);
        game.warp(START + until);
        let rest = (3 - shares) * SHARE;
        let next = event(&game, &initiator, shares * SHARE, 2_000_000, rest);
        logged(game.withdraw(&initiator), &next);
        if rest > 0 {
            game.warp(START + last + 599);
            refused(game.withdraw(&initiator), TaskError::NothingToWithdraw);
            game.warp(START + last + 600);
            let last = event(&game, &initiator, rest, 2_000_000, 0);
            logged(game.withdraw(&initiator), &last);
        }
    }
}

#[test]
fn withdraw_by_another_fails() {
    let (mut game, actor) = ready();
    let other = game.worker(1_000_000);
    let withdraw = swap(
        game.withdraw_ix(&actor),
        &actor.owner.pubkey(),
        &other.owner.pubkey(),
    );
    let withdraw = swap(withdraw, &actor.wallet, &other.wallet);
    refused(game.send(&[withdraw], &[&other.owner]), TaskError::NotOwner);
}

/// A stolen hot key never takes money.
#[test]
fn withdraw_by_the_operator_fails() {
    let (mut game, actor) = ready();
    let withdraw = swap(
        game.withdraw_ix(&actor),
        &actor.owner.pubkey(),
        &actor.operator.pubkey(),
    );
    refused(
        game.send(&[withdraw], &[&actor.operator]),
        TaskError::NotOwner,
    );
}

#[test]
fn withdraw_without_the_owners_signature_fails() {
    let (mut game, actor) = ready();
    let withdraw = unsigned(game.withdraw_ix(&actor), &actor.owner.pubkey());
    assert_eq!(
        failure(game.send_by_creator(withdraw)),
        InstructionError::MissingRequiredSignature
    );
}

/// The owner's node of one task takes nothing out of another task, whose vault has as much.
#[test]
fn withdraw_of_a_node_of_another_task_fails() {
    let (mut game, actor) = ready();
    game.next_task(1);
    game.worker(5_000_000);
    refused(game.withdraw(&actor), TaskError::WrongTask);
}

#[test]
fn withdraw_out_of_another_vault_fails() {
    let (mut game, actor) = ready();
    let first = game.task;
    game.next_task(1);
    game.worker(5_000_000);
    let foreign = game.vault;
    game.enter(first);
    for vault in [foreign, game.creator_wallet] {
        let withdraw = swap(game.withdraw_ix(&actor), &game.vault, &vault);
        refused(
            game.send(&[withdraw], &[&actor.owner]),
            TaskError::VaultMismatch,
        );
    }
}

#[test]
fn withdraw_with_another_mint_fails() {
    let (mut game, actor) = ready();
    let (mint, wallet) = game.other_mint(&actor.owner.pubkey());
    let by_mint = swap(game.withdraw_ix(&actor), &game.mint, &mint);
    let by_destination = swap(game.withdraw_ix(&actor), &actor.wallet, &wallet);
    let by_both = swap(by_mint.clone(), &actor.wallet, &wallet);
    for withdraw in [by_mint, by_destination, by_both] {
        refused(
            game.send(&[withdraw], &[&actor.owner]),
            TaskError::MintMismatch,
        );
    }
}

#[test]
fn withdraw_with_another_token_program_fails() {
    for (own, other) in [(TOKEN, TOKEN_2022), (TOKEN_2022, TOKEN)] {
        let (mut game, actor) = leaving(own);
        game.warp(START + 600);
        let withdraw = swap(game.withdraw_ix(&actor), &own, &other);
        refused(
            game.send(&[withdraw], &[&actor.owner]),
            TaskError::TokenProgramMismatch,
        );
        let withdraw = swap(game.withdraw_ix(&actor), &own, &SYSTEM);
        assert_eq!(
            failure(game.send(&[withdraw], &[&actor.owner])),
            InstructionError::IncorrectProgramId
        );
    }
}

#[test]
fn withdraw_with_forged_accounts_fails() {
    let (mut game, actor) = ready();
    for real in [game.task, actor.node, game.mint, game.vault, actor.wallet] {
        let forged = game.forge(&real);
        let withdraw = swap(game.withdraw_ix(&actor), &real, &forged);
        assert_eq!(
            failure(game.send(&[withdraw], &[&actor.owner])),
            InstructionError::IllegalOwner
        );
    }
}

#[test]
fn withdraw_with_accounts_of_another_type_fails() {
    let mut case = Case::audited(rules(), 2);
    case.vote(&[2]);
    let vote = vote_address(&case.audit(), &case.voters[0].owner.pubkey());
    let (task, node) = (case.game.task, case.accused.node);
    let withdraw = case.game.withdraw_ix(&case.accused);
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
        let withdraw = swap(withdraw.clone(), &from, &to);
        assert_eq!(
            failure(case.game.send(&[withdraw], &[&case.accused.owner])),
            error
        );
    }
}

#[test]
fn withdraw_with_an_account_in_two_places_fails() {
    let (mut game, actor) = ready();
    for (from, to) in [(actor.wallet, game.vault), (actor.node, game.vault)] {
        let withdraw = swap(game.withdraw_ix(&actor), &from, &to);
        assert_eq!(
            failure(game.send(&[withdraw], &[&actor.owner])),
            InstructionError::Custom(2040)
        );
    }
}

#[test]
fn withdraw_by_an_owner_without_a_node_fails() {
    let (mut game, _) = ready();
    let stranger = game.stranger();
    assert_eq!(
        failure(game.withdraw(&stranger)),
        InstructionError::AccountDataTooSmall
    );
}
