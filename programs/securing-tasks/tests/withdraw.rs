//! `withdraw`: stake after its delay, shares after their lock, no stake while accused, and none that is pledged.

mod common;

use common::*;
use securing_tasks::{events::Withdrawn, Electorate, Outcome, RulesArgs};
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
        game.open_audit(&initiator, &accused[number], 0, 2).unwrap();
        let audit = game.audit(&accused[number], 0, 0);
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
        assert_eq!(game.task().electorate, Electorate::of(1_000_000));
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

/// The bond of 200,000 stays until the verdict, then goes.
#[test]
fn withdraw_of_an_initiator_leaves_its_bond_until_the_verdict() {
    let mut case = Case::audited(rules(), 2);
    case.game.request_leave(&case.initiator, None).unwrap();
    case.game.warp(START + 602);
    let first = event(&case.game, &case.initiator, 1_800_000, 200_000, 0);
    logged(case.game.withdraw(&case.initiator), &first);
    let node = case.game.node(&case.initiator);
    assert_eq!(
        (node.leaving.get(), node.leave_slot.get()),
        (200_000, START + 602)
    );
    refused(case.game.withdraw(&case.initiator), TaskError::StakePledged);
    case.game.resolve_audit(&case.audit()).unwrap();
    let rest = event(&case.game, &case.initiator, 200_000, 0, 0);
    logged(case.game.withdraw(&case.initiator), &rest);
    assert_eq!(case.game.node(&case.initiator).leave_slot.get(), 0);
    refused(
        case.game.withdraw(&case.initiator),
        TaskError::NothingToWithdraw,
    );
}

/// What was left for it is lost with the accusation.
#[test]
fn withdraw_of_an_initiator_after_an_acquittal_finds_no_bond() {
    let mut case = Case::audited(rules(), 2);
    case.vote(&[0, 0, 0]);
    case.game.request_leave(&case.initiator, None).unwrap();
    case.game.warp(START + 602);
    case.game.withdraw(&case.initiator).unwrap();
    case.game.resolve_audit(&case.audit()).unwrap();
    let node = case.game.node(&case.initiator);
    assert_eq!((node.stake.get(), node.leave_slot.get()), (0, 0));
    refused(
        case.game.withdraw(&case.initiator),
        TaskError::NothingToWithdraw,
    );
}

/// What stays covers the bond, or is one unit short of it.
#[test]
fn withdraw_of_a_part_counts_what_stays_for_the_bond() {
    // 500,000 stay at least; a bond of as much.
    let rules = RulesArgs {
        initiator_bond: 500_000,
        ..rules()
    };
    let mut case = Case::audited(rules.clone(), 2);
    case.game
        .request_leave(&case.initiator, Some(1_500_000))
        .unwrap();
    case.game.warp(START + 602);
    let all = event(&case.game, &case.initiator, 1_500_000, 500_000, 0);
    logged(case.game.withdraw(&case.initiator), &all);
    assert_eq!(case.game.node(&case.initiator).leave_slot.get(), 0);

    // Two bonds, of which what stays covers one and a unit.
    let mut case = Case::audited(rules, 2);
    case.game
        .open_audit(&case.initiator, &case.accused, 0, 2)
        .unwrap();
    case.game
        .request_leave(&case.initiator, Some(1_499_999))
        .unwrap();
    case.game.warp(START + 602);
    let part = event(&case.game, &case.initiator, 1_000_000, 1_000_000, 0);
    logged(case.game.withdraw(&case.initiator), &part);
    assert_eq!(case.game.node(&case.initiator).leaving.get(), 499_999);
    refused(case.game.withdraw(&case.initiator), TaskError::StakePledged);
    case.game.resolve_audit(&case.audit()).unwrap();
    let rest = event(&case.game, &case.initiator, 499_999, 500_001, 0);
    logged(case.game.withdraw(&case.initiator), &rest);
}

/// Committed votes, of which one is revealed and one never.
#[test]
fn withdraw_of_a_voter_leaves_its_deposits_until_reveal_or_claim() {
    let mut case = Case::submitted(RulesArgs {
        commit_slots: 50,
        reveal_slots: 150,
        ..rules()
    });
    let (game, voter) = (&mut case.game, &case.voters[0]);
    game.warp(START + 399);
    let audits = [0, 1].map(|attempt| {
        game.open_audit(&case.initiator, &case.accused, 0, 2)
            .unwrap();
        let audit = game.audit(&case.accused, 0, attempt);
        game.commit_vote(voter, &audit, 0, [9; 32]).unwrap();
        audit
    });
    game.request_leave(voter, None).unwrap();
    game.warp(START + 449);
    game.reveal_vote(voter, &audits[0], 0, [9; 32]).unwrap();
    game.warp(START + 999);
    // Of two deposits of 50,000 one is still pledged.
    let first = event(game, voter, 950_000, 50_000, 0);
    logged(game.withdraw(voter), &first);
    refused(game.withdraw(voter), TaskError::StakePledged);
    for audit in &audits {
        game.resolve_audit(audit).unwrap();
        refused(game.withdraw(voter), TaskError::StakePledged);
    }
    // Whether the one that is no pledge is claimed doesn't matter.
    game.claim_vote(voter, &audits[0]).unwrap();
    refused(game.withdraw(voter), TaskError::StakePledged);
    game.claim_vote(voter, &audits[1]).unwrap();
    let node = game.node(voter);
    assert_eq!((node.stake.get(), node.leave_slot.get()), (0, 0));
    refused(game.withdraw(voter), TaskError::NothingToWithdraw);
}

/// Both commitments are open: 100,000 stay.
#[test]
fn withdraw_counts_every_commitment() {
    let mut case = Case::submitted(RulesArgs {
        commit_slots: 50,
        reveal_slots: 150,
        ..rules()
    });
    let (game, voter) = (&mut case.game, &case.voters[0]);
    game.warp(START + 2);
    let audits = [0, 1].map(|attempt| {
        game.open_audit(&case.initiator, &case.accused, 0, 2)
            .unwrap();
        let audit = game.audit(&case.accused, 0, attempt);
        game.commit_vote(voter, &audit, 0, [9; 32]).unwrap();
        audit
    });
    game.request_leave(voter, None).unwrap();
    game.warp(START + 602);
    let first = event(game, voter, 900_000, 100_000, 0);
    logged(game.withdraw(voter), &first);
    for audit in &audits {
        game.resolve_audit(audit).unwrap();
    }
    game.claim_vote(voter, &audits[0]).unwrap();
    refused(game.withdraw(voter), TaskError::StakePledged);
    game.claim_vote(voter, &audits[1]).unwrap();
    refused(game.withdraw(voter), TaskError::NothingToWithdraw);
}

/// An open vote has nothing that it could fail to tell: it pledges nothing.
#[test]
fn withdraw_of_an_open_voter_takes_all() {
    let mut case = Case::audited(rules(), 2);
    case.vote(&[2]);
    case.game.request_leave(&case.voters[0], None).unwrap();
    case.game.warp(START + 602);
    let all = event(&case.game, &case.voters[0], 1_000_000, 0, 0);
    logged(case.game.withdraw(&case.voters[0]), &all);
}

/// A slash took half of what was pledged: bonds of 1,000,000 out of 500,000. What is left stays.
#[test]
fn withdraw_of_less_than_is_pledged_fails() {
    let mut game = Game::new(RulesArgs {
        initiator_bond: 500_000,
        ..rules()
    });
    let (accuser, other) = (game.worker(1_000_000), game.worker(1_000_000));
    let witnesses = [(); 3].map(|()| game.witness(2_000_000));
    game.warp(START + 1);
    game.submit_work(&accuser, 0).unwrap();
    game.submit_work(&other, 0).unwrap();
    game.warp(START + 2);
    for _ in 0..2 {
        game.open_audit(&accuser, &other, 0, 2).unwrap();
    }
    game.request_leave(&accuser, None).unwrap();
    game.open_audit(&witnesses[0], &accuser, 0, 2).unwrap();
    let audit = game.audit(&accuser, 0, 0);
    for voter in &witnesses[1..] {
        game.cast_vote(voter, &audit, 2).unwrap();
    }
    game.warp(START + 602);
    // Accused and pledged: the accusation is said first.
    refused(game.withdraw(&accuser), TaskError::NodeAccused);
    game.resolve_audit(&audit).unwrap();
    assert_eq!(game.node(&accuser).stake.get(), 500_000);
    refused(game.withdraw(&accuser), TaskError::StakePledged);
    game.resolve_audit(&game.audit(&other, 0, 0)).unwrap();
    refused(game.withdraw(&accuser), TaskError::StakePledged);
    game.resolve_audit(&game.audit(&other, 0, 1)).unwrap();
    let rest = event(&game, &accuser, 500_000, 0, 0);
    logged(game.withdraw(&accuser), &rest);
}

/// Shares are never pledged: the conviction's share goes out while all that is staked is pledged to another accusation.
#[test]
fn withdraw_of_a_share_passes_while_the_stake_is_pledged() {
    let mut case = Case::audited(rules(), 2);
    let other = case.game.worker(1_000_000);
    case.vote(&[2, 2, 2]);
    case.game.warp(START + 99);
    case.game.submit_work(&other, 0).unwrap();
    case.resolve().unwrap();
    case.game.open_audit(&case.initiator, &other, 0, 2).unwrap();
    case.game.request_leave(&case.initiator, None).unwrap();
    case.game.warp(START + 802);
    let first = event(&case.game, &case.initiator, 2_700_000, 200_000, 0);
    logged(case.game.withdraw(&case.initiator), &first);

    // The share alone, where no stake is free.
    let mut case = Case::audited(rules(), 2);
    case.game.request_leave(&case.initiator, None).unwrap();
    case.vote(&[2, 2, 2]);
    let second = {
        case.game.request_leave(&case.accused, None).unwrap();
        case.game.warp(START + 102);
        case.game
            .open_audit(&case.voters[2], &case.accused, 0, 2)
            .unwrap();
        case.game.audit(&case.accused, 0, 1)
    };
    case.game.request_leave(&case.voters[2], None).unwrap();
    case.resolve().unwrap();
    case.claim(3);
    case.game.warp(START + 702);
    let stake = event(&case.game, &case.voters[2], 2_800_000, 200_000, 300_000);
    logged(case.game.withdraw(&case.voters[2]), &stake);
    case.game.warp(START + 801);
    refused(case.game.withdraw(&case.voters[2]), TaskError::StakePledged);
    case.game.warp(START + 802);
    let share = event(&case.game, &case.voters[2], 300_000, 200_000, 0);
    logged(case.game.withdraw(&case.voters[2]), &share);
    case.game.resolve_audit(&second).unwrap();
    let rest = event(&case.game, &case.voters[2], 200_000, 0, 0);
    logged(case.game.withdraw(&case.voters[2]), &rest);
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
    // The bond is free again, and leaves with the rest.
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
    let disguised = case.game.disguise(&node);
    let withdraw = case.game.withdraw_ix(&case.accused);
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

#[test]
fn withdraw_with_an_account_that_cannot_be_written_fails() {
    let (mut game, actor) = ready();
    for place in [actor.node, game.vault, actor.wallet] {
        let withdraw = readonly(game.withdraw_ix(&actor), &place);
        assert_eq!(
            failure(game.send(&[withdraw], &[&actor.owner])),
            InstructionError::Custom(2000)
        );
    }
}
