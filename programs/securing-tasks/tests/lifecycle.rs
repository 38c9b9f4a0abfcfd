//! A task from creation to closing: no account is left, and every lamport went back to who paid it, but for the fees.

mod common;

use anchor_lang::solana_program::instruction::Instruction;
use common::*;
use securing_tasks::{RulesArgs, ID};
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::collections::BTreeMap;

/// Lamports of every key that pays anything.
fn lamports(game: &Game, actors: &[&Actor]) -> BTreeMap<String, u64> {
    let mut keys = vec![game.creator.pubkey()];
    for actor in actors {
        keys.extend([actor.owner.pubkey(), actor.operator.pubkey()]);
    }
    keys.iter()
        .map(|key| (key.to_string(), game.svm.get_balance(key).unwrap_or(0)))
        .collect()
}

/// Two workers, one convicted by committed votes and one acquitted, a bounty paid, one commitment never revealed.
#[test]
fn a_task_from_creation_to_closing_leaves_nothing_behind() {
    let mut game = Game::unborn(RulesArgs {
        commit_slots: 50,
        reveal_slots: 150,
        ..rules()
    });
    let actors = [(); 7].map(|()| game.stranger());
    let everyone: Vec<_> = actors.iter().collect();
    let before = lamports(&game, &everyone);

    game.create_task().unwrap();
    game.fund_task(1_000_000).unwrap();
    let [liar, honest, caller, voters @ ..] = &actors;
    for worker in [liar, honest] {
        game.join_task(worker, 0, 4_000_000).unwrap();
    }
    for witness in [caller, &voters[0], &voters[1], &voters[2], &voters[3]] {
        game.join_task(witness, 1, 2_000_000).unwrap();
    }
    game.allow_node(0, &liar.owner.pubkey()).unwrap();
    game.warp(START + 1);
    for worker in [liar, honest] {
        game.submit_work(worker, 0).unwrap();
        game.open_audit(caller, worker, 0, 2).unwrap();
    }
    let audits = [liar, honest].map(|worker| game.audit(worker, 0, 0));
    for (audit, opinion) in audits.iter().zip([2, 0]) {
        for (number, voter) in voters.iter().enumerate() {
            game.commit_vote(voter, audit, opinion, [number as u8; 32])
                .unwrap();
        }
    }
    game.warp(START + 51);
    for (audit, opinion) in audits.iter().zip([2, 0]) {
        for (number, voter) in voters[..3].iter().enumerate() {
            game.reveal_vote(voter, audit, opinion, [number as u8; 32])
                .unwrap();
        }
    }
    game.warp(START + 201);
    for audit in &audits {
        game.resolve_audit(audit).unwrap();
        for voter in voters {
            game.claim_vote(voter, audit).unwrap();
        }
    }
    refused(game.claim_bounty(honest, 0), TaskError::RoundUndecided);
    game.warp(START + 400);
    game.claim_bounty(honest, 0).unwrap();
    refused(game.claim_bounty(liar, 0), TaskError::ConvictedEarnsNothing);
    assert_eq!(game.node(honest).payable.get(), 50_000);
    assert_eq!(game.node(&voters[3]).votes_unrevealed.get(), 2);

    for (worker, audit) in [liar, honest].into_iter().zip(&audits) {
        for voter in voters {
            game.close_vote(voter, audit).unwrap();
        }
        game.close_audit(audit).unwrap();
        game.close_submission(worker, 0).unwrap();
    }
    game.close_round(0).unwrap();
    game.retire_task().unwrap();
    for actor in &actors {
        game.request_leave(actor, None).unwrap();
    }
    game.warp(game.slot() + 1_200);
    for actor in &actors {
        game.withdraw(actor).unwrap();
        game.close_node(actor).unwrap();
    }
    game.disallow_node(0, &liar.owner.pubkey()).unwrap();
    game.close_task().unwrap();

    assert!(game.svm.get_program_accounts(&ID).is_empty());
    assert!(game
        .svm
        .get_account(&game.vault)
        .is_none_or(|vault| vault.lamports == 0));
    for (key, lamports) in lamports(&game, &everyone) {
        let fee = game.fees.get(&key).copied().unwrap_or(0);
        assert_eq!(lamports, before[&key] - fee, "{key}");
    }
}

/// Everything of a task whose creator and owners are gone, cleared away by a stranger, with one convict, one commitment never told and
/// one request to leave under way: what is anybody's goes to its owner, and every lamport to who paid it, be it another than creator and
/// owner.
#[test]
fn a_task_that_everyone_left_alone_is_closed_by_a_stranger() {
    let mut game = Game::unborn(RulesArgs {
        commit_slots: 50,
        reveal_slots: 150,
        ..rules()
    });
    let sponsor = key(&mut game.svm);
    let stranger = game.stranger();
    let actors = [(); 5].map(|()| game.stranger());
    let everyone: Vec<_> = actors.iter().chain([&stranger]).collect();
    let mut before = lamports(&game, &everyone);
    before.insert(
        sponsor.pubkey().to_string(),
        game.svm.get_balance(&sponsor.pubkey()).unwrap(),
    );
    let creator = game.creator.insecure_clone();
    let sponsored = |game: &mut Game, mut whole: Instruction, signer: &Keypair| {
        whole.accounts[0].pubkey = sponsor.pubkey();
        game.send(&[whole], &[&sponsor, signer]).unwrap();
    };

    let create = instruction(
        create_task_accounts(&creator.pubkey(), 0, &game.mint, &TOKEN),
        create_task_data(0, &game.rules),
    );
    sponsored(&mut game, create, &creator);
    game.fund_task(1_000_000).unwrap();
    let [liar, caller, voters @ ..] = &actors;
    let join = game.join_task_ix(liar, 0, 4_000_000);
    sponsored(&mut game, join, &liar.owner);
    for witness in [caller, &voters[0], &voters[1], &voters[2]] {
        let join = game.join_task_ix(witness, 1, 2_000_000);
        sponsored(&mut game, join, &witness.owner);
    }
    let allow = game.allow_node_ix(0, &liar.owner.pubkey());
    sponsored(&mut game, allow, &creator);
    game.warp(START + 1);
    game.submit_work(liar, 0).unwrap();
    game.open_audit(caller, liar, 0, 2).unwrap();
    let audit = game.audit(liar, 0, 0);
    for voter in voters {
        game.commit_vote(voter, &audit, 2, [9; 32]).unwrap();
    }
    game.request_leave(&voters[0], Some(500_000)).unwrap();
    game.warp(START + 51);
    for voter in &voters[..2] {
        game.reveal_vote(voter, &audit, 2, [9; 32]).unwrap();
    }
    game.retire_task().unwrap();

    // From here on the stranger alone.
    let by = |game: &mut Game, whole: Instruction| game.send(&[whole], &[&stranger.owner]);
    let back = |game: &mut Game, actor: &Actor| by(game, game.return_stake_ix(actor));
    game.warp(START + 650);
    refused(back(&mut game, liar), TaskError::NotReleased);
    game.warp(START + 651);
    back(&mut game, &voters[0]).unwrap();
    refused(back(&mut game, liar), TaskError::NodeAccused);
    for pledged in [caller, &voters[2]] {
        refused(back(&mut game, pledged), TaskError::StakePledged);
    }
    let resolve = game.resolve_audit_ix(&audit);
    by(&mut game, resolve).unwrap();
    for voter in voters {
        let claim = game.claim_vote_ix(voter, &audit);
        by(&mut game, claim).unwrap();
        let close = game.close_vote_ix(voter, &audit);
        by(&mut game, close).unwrap();
    }
    for whole in [
        game.close_audit_ix(&audit),
        game.close_submission_ix(liar, 0),
        game.close_round_ix(0),
    ] {
        by(&mut game, whole).unwrap();
    }
    for actor in &actors {
        back(&mut game, actor).unwrap();
        let mut close = game.close_node_ix(&stranger.owner.pubkey(), actor);
        close.accounts[3].pubkey = sponsor.pubkey();
        by(&mut game, close).unwrap();
    }
    let mut disallow = game.disallow_node_ix(0, &liar.owner.pubkey());
    disallow.accounts[0].pubkey = stranger.owner.pubkey();
    disallow.accounts[3].pubkey = sponsor.pubkey();
    by(&mut game, disallow).unwrap();
    let close = swap(game.close_task_ix(), &creator.pubkey(), &sponsor.pubkey());
    by(&mut game, close).unwrap();

    assert!(game.svm.get_program_accounts(&ID).is_empty());
    let gain = |wallet| balance(&game.svm, wallet) as i64 - WALLET as i64;
    // 2,000,000 slashed: 600,000 bonus, 200,000 to the pool, 400,000 for each of three; 50,000 lost by the one that never told.
    assert_eq!(
        actors.each_ref().map(|actor| gain(&actor.wallet)),
        [-2_000_000, 1_000_000, 400_000, 400_000, -50_000]
    );
    assert_eq!(gain(&stranger.wallet), 0);
    assert_eq!(gain(&game.creator_wallet), 250_000);
    let mut after = lamports(&game, &everyone);
    after.insert(
        sponsor.pubkey().to_string(),
        game.svm.get_balance(&sponsor.pubkey()).unwrap(),
    );
    for (key, lamports) in after {
        let fee = game.fees.get(&key).copied().unwrap_or(0);
        assert_eq!(lamports, before[&key] - fee, "{key}");
    }
}

/// The same with panels, appeals and sponsors: one verdict that an appeal turned and one that it did not, a panel that was never drawn, a
/// share that became stake.
#[test]
fn a_task_with_panels_and_appeals_leaves_nothing_behind() {
    let mut game = Game::unborn(panelled());
    let actors = [(); 7].map(|()| game.stranger());
    let everyone: Vec<_> = actors.iter().collect();
    let before = lamports(&game, &everyone);
    game.create_task().unwrap();
    game.fund_task(1_000_000).unwrap();
    let [liar, honest, caller, voters @ ..] = &actors;
    for worker in [liar, honest] {
        game.join_task(worker, 0, 4_000_000).unwrap();
    }
    for witness in [caller, &voters[0], &voters[1], &voters[2], &voters[3]] {
        game.join_task(witness, 1, 2_000_000).unwrap();
    }
    game.warp(START + 1);
    for worker in [liar, honest] {
        game.submit_work(worker, 0).unwrap();
        game.open_audit(caller, worker, 0, 2).unwrap();
    }
    let audits = [liar, honest].map(|worker| game.audit(worker, 0, 0));
    // One is drawn; in the other everybody votes.
    game.warp(START + 10);
    game.draw_panel(&audits[0]).unwrap();
    for voter in voters {
        let state = game.get(&audits[0]);
        if has_seat(&state, &voter.owner.pubkey(), 2_000_000) {
            game.cast_vote(voter, &audits[0], 0).unwrap();
        }
    }
    game.warp(START + 265);
    for voter in &voters[..2] {
        game.cast_vote(voter, &audits[1], 0).unwrap();
    }
    game.warp(START + 1 + MIN_PANEL_WINDOW_SLOTS);
    game.appeal_audit(honest, &audits[0]).unwrap();
    game.appeal_audit(caller, &audits[1]).unwrap();
    let mut told = vec![];
    for voter in voters.iter().chain([honest]) {
        let vote = vote_address(&audits[0], &voter.owner.pubkey());
        if game.svm.get_account(&vote).is_none() {
            game.cast_vote(voter, &audits[0], 2).unwrap();
        }
        told.push(voter);
    }
    game.warp(START + 1 + 2 * MIN_PANEL_WINDOW_SLOTS);
    for audit in &audits {
        game.resolve_audit(audit).unwrap();
    }
    for voter in &told {
        game.claim_vote(voter, &audits[0]).unwrap();
        game.close_vote(voter, &audits[0]).unwrap();
    }
    for voter in &voters[..2] {
        game.claim_vote(voter, &audits[1]).unwrap();
        game.close_vote(voter, &audits[1]).unwrap();
    }
    for (worker, audit) in [liar, honest].into_iter().zip(&audits) {
        if worker.node == honest.node {
            game.claim_bounty(honest, 0).unwrap();
        }
        game.close_audit(audit).unwrap();
        game.close_submission(worker, 0).unwrap();
    }
    game.close_round(0).unwrap();
    // A bounty that becomes stake.
    game.restake(honest).unwrap();
    game.retire_task().unwrap();
    for actor in &actors {
        game.request_leave(actor, None).unwrap();
    }
    game.warp(game.slot() + 4_000);
    for actor in &actors {
        game.withdraw(actor).unwrap();
        game.close_node(actor).unwrap();
    }
    game.close_task().unwrap();
    assert!(game.svm.get_program_accounts(&ID).is_empty());
    for (key, lamports) in lamports(&game, &everyone) {
        let fee = game.fees.get(&key).copied().unwrap_or(0);
        assert_eq!(lamports, before[&key] - fee, "{key}");
    }
}
