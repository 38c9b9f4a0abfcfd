//! A task from creation to closing: no account is left, and every lamport went back to who paid it, but for the fees.

mod common;

use common::*;
use securing_tasks::{RulesArgs, ID};
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
