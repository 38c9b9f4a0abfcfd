//! `add_stake`: more stake. It votes on later work alone, and what was there before is as old as it was.

mod common;

use common::*;
use securing_tasks::{events::StakeAdded, Audit, Electorate, Outcome, RulesArgs, Vote};
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
        assert_eq!(game.task().electorate, Electorate::of(1_000_001));
        assert_eq!(balance(&game.svm, &actor.wallet), WALLET - 1_000_001);
    }
}

/// One worker who joined at START, and added a unit at START + 1, + 2 and + 3: all its places are taken.
fn full() -> (Game, Actor) {
    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    for slot in 1..4 {
        game.warp(START + slot);
        game.add_stake(&actor, slot).unwrap();
    }
    let taken = [(0, 1_000_000), (1, 1), (2, 2), (3, 3)];
    assert_eq!(game.arrivals(&actor), taken);
    (game, actor)
}

#[test]
fn add_stake_a_fifth_time_within_one_case_fails_and_changes_nothing() {
    let (mut game, actor) = full();
    let before = game.svm.get_account(&actor.node).unwrap();
    for slot in [START + 4, START + 300] {
        game.warp(slot);
        refused(game.add_stake(&actor, 1), TaskError::StakeAddedTooOften);
    }
    assert_eq!(game.svm.get_account(&actor.node).unwrap(), before);
    assert_eq!(balance(&game.svm, &actor.wallet), WALLET - 1_000_006);
}

#[test]
fn add_stake_again_in_the_slot_of_the_last_merges() {
    let (mut game, actor) = full();
    game.add_stake(&actor, 10).unwrap();
    game.add_stake(&actor, 20).unwrap();
    let merged = [(0, 1_000_000), (1, 1), (2, 2), (3, 33)];
    assert_eq!(game.arrivals(&actor), merged);

    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    game.add_stake(&actor, 5).unwrap();
    assert_eq!(game.arrivals(&actor), [(0, 1_000_005)], "joined just now");
}

/// The longest case of `rules()` is 100 + 300 + 0 + 200 slots: after those, no open vote asks about an arrival.
#[test]
fn add_stake_forgets_arrivals_after_the_longest_case() {
    let (mut game, actor) = full();
    game.warp(START + 599);
    refused(game.add_stake(&actor, 1), TaskError::StakeAddedTooOften);
    game.warp(START + 600);
    game.add_stake(&actor, 7).unwrap();
    let kept = [(1, 1), (2, 2), (3, 3), (600, 7)];
    assert_eq!(game.arrivals(&actor), kept);
    game.add_stake(&actor, 1).unwrap();
    game.warp(START + 602);
    game.add_stake(&actor, 9).unwrap();
    assert_eq!(game.arrivals(&actor), [(3, 3), (600, 8), (602, 9)]);
    game.warp(START + 10_000);
    game.add_stake(&actor, 4).unwrap();
    assert_eq!(game.arrivals(&actor), [(10_000, 4)]);
}

/// A commit window is part of the longest case.
#[test]
fn add_stake_remembers_arrivals_through_the_commit_window() {
    let mut game = Game::new(RulesArgs {
        commit_slots: 50,
        leave_delay_slots: 700,
        ..rules()
    });
    let actor = game.worker(1_000_000);
    game.warp(START + 649);
    game.add_stake(&actor, 1).unwrap();
    assert_eq!(game.arrivals(&actor), [(0, 1_000_000), (649, 1)]);
    game.warp(START + 650);
    game.add_stake(&actor, 2).unwrap();
    assert_eq!(game.arrivals(&actor), [(649, 1), (650, 2)]);
}

/// A worker, an initiator, and a witness with 3,000,000.
fn crew() -> (Game, Actor, Actor, Actor) {
    let mut game = Game::new(rules());
    let accused = game.worker(4_000_000);
    let (initiator, voter) = (game.witness(2_000_000), game.witness(3_000_000));
    (game, accused, initiator, voter)
}

/// Just before the submission's slot it votes; in that slot and later it doesn't, and takes nothing from what was there.
#[test]
fn add_stake_votes_only_on_work_that_came_after_it() {
    for (added, weight) in [
        (9, 3_500_000),
        (10, 3_000_000),
        (11, 3_000_000),
        (12, 3_000_000),
    ] {
        let (mut game, accused, initiator, voter) = crew();
        for slot in 9..13 {
            game.warp(START + slot);
            if slot == added {
                game.add_stake(&voter, 500_000).unwrap();
            }
            if slot == 10 {
                game.submit_work(&accused, 0).unwrap();
            }
        }
        let found = game.weight_on(&accused, &initiator, &voter);
        assert_eq!(found, weight, "added at START + {added}");
    }
}

/// What came in four parts votes in four parts.
#[test]
fn add_stake_keeps_every_part_as_old_as_it_is() {
    for (submitted_at, weight) in [
        (1, 3_000_000),
        (10, 3_000_000),
        (11, 3_000_001),
        (20, 3_000_001),
        (21, 3_000_011),
        (30, 3_000_011),
        (31, 3_000_111),
        (40, 3_000_111),
    ] {
        let (mut game, accused, initiator, voter) = crew();
        for slot in 1..=40 {
            game.warp(START + slot);
            match slot {
                10 => drop(game.add_stake(&voter, 1).unwrap()),
                20 => drop(game.add_stake(&voter, 10).unwrap()),
                30 => drop(game.add_stake(&voter, 100).unwrap()),
                _ => {}
            }
            if slot == submitted_at {
                game.submit_work(&accused, 0).unwrap();
            }
        }
        let found = game.weight_on(&accused, &initiator, &voter);
        assert_eq!(found, weight, "submitted at START + {submitted_at}");
    }
}

/// An arrival is forgotten only when the last vote on any work that is older is over: voted in the last slot there is.
#[test]
fn add_stake_is_remembered_until_the_last_vote_on_older_work() {
    let (mut game, accused, initiator, voter) = crew();
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    game.add_stake(&voter, 500_000).unwrap();
    game.warp(START + 399);
    game.open_audit(&initiator, &accused, 0, 2).unwrap();
    game.warp(START + 598);
    game.add_stake(&voter, 1).unwrap();
    let audit = game.audit(&accused, 0, 0);
    game.cast_vote(&voter, &audit, 0).unwrap();
    let vote: Vote = game.get(&vote_address(&audit, &voter.owner.pubkey()));
    assert_eq!(vote.weight.get(), 3_000_000);
}

/// A slash of 2,000,000 takes the 1,000,000 that came last, then of what was there; what is left is old, and votes.
#[test]
fn add_stake_that_is_slashed_is_gone_before_older_stake() {
    let mut case = Case::audited(rules(), 2);
    let (game, voter) = (&mut case.game, &case.accused);
    let other = game.worker(1_000_000);
    game.warp(START + 5);
    game.submit_work(&other, 0).unwrap();
    game.warp(START + 10);
    game.add_stake(voter, 1_000_000).unwrap();
    case.vote(&[2, 2, 2]);
    case.resolve().unwrap();
    let (game, voter) = (&mut case.game, &case.accused);
    assert_eq!(
        game.get::<Audit>(&game.audit(voter, 0, 0)).outcome,
        Outcome::ConvictedMalice
    );
    assert_eq!(game.arrivals(voter), [(0, 3_000_000)]);
    assert_eq!(game.weight_on(&other, &case.initiator, voter), 3_000_000);
}

/// Less than what came last: the rest of it is as young as it was.
#[test]
fn add_stake_that_is_slashed_in_part_stays_young_in_part() {
    let mut case = Case::audited(rules(), 2);
    let (game, voter) = (&mut case.game, &case.accused);
    let other = game.worker(1_000_000);
    game.warp(START + 5);
    game.submit_work(&other, 0).unwrap();
    game.warp(START + 10);
    game.add_stake(voter, 2_500_000).unwrap();
    case.vote(&[2, 2, 2]);
    case.resolve().unwrap();
    let (game, voter) = (&mut case.game, &case.accused);
    assert_eq!(game.arrivals(voter), [(0, 4_000_000), (10, 500_000)]);
    assert_eq!(game.weight_on(&other, &case.initiator, voter), 4_000_000);
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

/// Nothing is to be earned there any more, and stake that came would have to be sent back.
#[test]
fn add_stake_to_a_retired_task_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    game.retire_task().unwrap();
    refused(game.add_stake(&actor, 1), TaskError::TaskRetired);
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
    assert_eq!(game.arrivals(&actor), [(10, 2)], "the rest is on its way");
    assert_eq!(game.task().electorate, none(), "below the minimum");
    game.add_stake(&actor, 999_998).unwrap();
    assert_eq!(game.task().electorate, Electorate::of(1_000_000));
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
    let disguised = case.game.disguise(&node);
    let add = case.game.add_stake_ix(&case.accused, 1);
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

#[test]
fn add_stake_with_an_account_that_cannot_be_written_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    for place in [game.task, actor.node, actor.wallet, game.vault] {
        let add = readonly(game.add_stake_ix(&actor, 1), &place);
        assert_eq!(
            failure(game.send(&[add], &[&actor.owner])),
            InstructionError::Custom(2000)
        );
    }
}
