//! `claim_bounty`: an equal part of the round's reserve for every submission that wasn't convicted, once no audit can change it.

mod common;

use anchor_lang::{prelude::Address, solana_program::instruction::Instruction};
use common::*;
use securing_tasks::{events::BountyClaimed, Audit, Round, RulesArgs, Submission};
use solana_signer::Signer;
use solana_transaction::InstructionError;

const VALID: u8 = 0;
const MALICE: u8 = 2;

/// The first slot at which work of round 0 can't be audited any more.
const AUDIT_END: u64 = START + 400;

/// `workers` that submitted in round 0, with `pool` to share.
fn worked<const N: usize>(pool: u64) -> (Game, [Actor; N]) {
    let mut game = Game::new(rules());
    if pool > 0 {
        game.fund_task(pool).unwrap();
    }
    let workers = [(); N].map(|()| game.worker(1_000_000));
    for worker in &workers {
        game.submit_work(worker, 0).unwrap();
    }
    (game, workers)
}

/// One worker, at the first slot of the claims.
fn claimable() -> (Game, Actor) {
    let (mut game, [worker]) = worked(1_000_000);
    game.warp(AUDIT_END);
    (game, worker)
}

/// The standard case in a funded task, with an honest worker beside the accused.
fn accused_and_honest() -> (Case, Actor) {
    let mut game = Game::new(rules());
    game.fund_task(1_000_000).unwrap();
    let accused = game.worker(4_000_000);
    let honest = game.worker(1_000_000);
    let initiator = game.witness(2_000_000);
    let voters = [1_000_000, 1_500_000, 3_000_000].map(|stake| game.witness(stake));
    game.warp(START + 1);
    for worker in [&accused, &honest] {
        game.submit_work(worker, 0).unwrap();
    }
    let case = Case {
        game,
        accused,
        initiator,
        voters,
    };
    (case, honest)
}

/// The accused's audit ended with these votes; the first slot of the claims.
fn decided(opinions: &[u8]) -> (Case, Actor) {
    let (mut case, honest) = accused_and_honest();
    case.game
        .open_audit(&case.initiator, &case.accused, 0, MALICE)
        .unwrap();
    case.vote(opinions);
    case.resolve().unwrap();
    case.claim(opinions.len());
    case.game.warp(AUDIT_END);
    (case, honest)
}

fn round(game: &Game, number: u64) -> Round {
    game.get(&round_address(&game.task, number))
}

/// Payable, and rounds paid.
fn earned(game: &Game, worker: &Actor) -> (u64, u32) {
    let node = game.node(worker);
    (node.payable.get(), node.rounds_paid.get())
}

#[test]
fn claim_bounty_pays_the_reserve_and_says_so() {
    let (mut game, worker) = claimable();
    game.warp(AUDIT_END + 5);
    let event = BountyClaimed {
        task: game.task,
        submission: game.submission(&worker, 0),
        owner: worker.owner.pubkey(),
        round: 0,
        amount: 100_000,
        slot: AUDIT_END + 5,
    };
    logged(game.claim_bounty(&worker, 0), &event);

    assert_eq!(earned(&game, &worker), (100_000, 1));
    let paid = round(&game, 0);
    assert_eq!((paid.reserve.get(), paid.left.get()), (100_000, 0));
    assert_eq!((paid.submissions.get(), paid.paid.get()), (1, 1));
    let submission: Submission = game.get(&game.submission(&worker, 0));
    assert!(submission.paid.get());
    assert_eq!(game.task().pool.get(), 900_000);
}

#[test]
fn claim_bounty_can_be_withdrawn_at_once() {
    let (mut game, worker) = claimable();
    let claim = game.claim_bounty_ix(&worker, 0);
    let withdraw = game.withdraw_ix(&worker);
    game.send(&[claim, withdraw], &[&worker.owner]).unwrap();
    assert_eq!(
        balance(&game.svm, &worker.wallet),
        WALLET - 1_000_000 + 100_000
    );
}

#[test]
fn claim_bounty_pays_equal_parts_floored() {
    let (mut game, workers) = worked::<3>(1_000_000);
    game.warp(AUDIT_END);
    for worker in &workers {
        game.claim_bounty(worker, 0).unwrap();
        assert_eq!(earned(&game, worker), (33_333, 1));
    }
    assert_eq!(round(&game, 0).left.get(), 1);
    for worker in &workers {
        game.close_submission(worker, 0).unwrap();
    }
    game.close_round(0).unwrap();
    assert_eq!(game.task().pool.get(), 900_001);
}

/// Stake buys no larger part.
#[test]
fn claim_bounty_pays_a_larger_stake_no_more() {
    let mut game = Game::new(rules());
    game.fund_task(100_000).unwrap();
    let workers = [1_000_000, 90_000_000].map(|stake| game.worker(stake));
    for worker in &workers {
        game.submit_work(worker, 0).unwrap();
    }
    game.warp(AUDIT_END);
    for worker in &workers {
        game.claim_bounty(worker, 0).unwrap();
        assert_eq!(earned(&game, worker), (50_000, 1));
    }
}

/// The pool had less than the bounty.
#[test]
fn claim_bounty_shares_what_the_pool_had() {
    let (mut game, workers) = worked::<2>(99_999);
    game.warp(AUDIT_END);
    for worker in &workers {
        game.claim_bounty(worker, 0).unwrap();
        assert_eq!(earned(&game, worker), (49_999, 1));
    }
}

#[test]
fn claim_bounty_of_nothing_counts_no_paid_round() {
    // An empty pool, and a unit that two can't share.
    for pool in [0, 1] {
        let (mut game, workers) = worked::<2>(pool);
        game.warp(AUDIT_END);
        for worker in &workers {
            game.claim_bounty(worker, 0).unwrap();
            assert_eq!(earned(&game, worker), (0, 0));
            refused(game.claim_bounty(worker, 0), TaskError::AlreadyPaid);
            game.close_submission(worker, 0).unwrap();
        }
        game.close_round(0).unwrap();
        assert_eq!(game.task().pool.get(), pool);
    }
}

#[test]
fn claim_bounty_twice_fails() {
    let (mut game, [worker, _other]) = worked(1_000_000);
    game.warp(AUDIT_END);
    game.claim_bounty(&worker, 0).unwrap();
    refused(game.claim_bounty(&worker, 0), TaskError::AlreadyPaid);
    game.warp(START + 100_000);
    refused(game.claim_bounty(&worker, 0), TaskError::AlreadyPaid);
    assert_eq!(earned(&game, &worker), (50_000, 1));
    assert_eq!(round(&game, 0).left.get(), 50_000);
}

#[test]
fn claim_bounty_twice_in_one_transaction_fails() {
    let (mut game, worker) = claimable();
    let claim = game.claim_bounty_ix(&worker, 0);
    let sent = game.send(&[claim.clone(), claim], &[&worker.owner]);
    refused(sent, TaskError::AlreadyPaid);
    assert_eq!(earned(&game, &worker), (0, 0));
}

#[test]
fn claim_bounty_of_each_round_passes() {
    let (mut game, [worker]) = worked(150_000);
    game.warp(START + 1_000);
    game.submit_work(&worker, 1).unwrap();
    game.claim_bounty(&worker, 0).unwrap();
    refused(game.claim_bounty(&worker, 1), TaskError::RoundUndecided);
    game.warp(AUDIT_END + 1_000);
    game.claim_bounty(&worker, 1).unwrap();
    assert_eq!(earned(&game, &worker), (150_000, 2));
}

#[test]
fn claim_bounty_by_a_stranger_pays_the_worker() {
    let (mut game, worker) = claimable();
    let stranger = game.stranger();
    let claim = game.claim_bounty_ix(&worker, 0);
    game.send(&[claim], &[&stranger.owner]).unwrap();
    assert_eq!(earned(&game, &worker), (100_000, 1));
}

// When: from the round's audit end, and after its last audit.

#[test]
fn claim_bounty_before_the_audit_windows_end_fails() {
    for slot in [START, START + 100, AUDIT_END - 1] {
        let (mut game, [worker]) = worked(1_000_000);
        game.warp(slot);
        refused(game.claim_bounty(&worker, 0), TaskError::RoundUndecided);
    }
}

#[test]
fn claim_bounty_at_the_audit_windows_end_passes() {
    for slot in [AUDIT_END, AUDIT_END + 1, START + 1_000_000] {
        let (mut game, [worker]) = worked(1_000_000);
        game.warp(slot);
        game.claim_bounty(&worker, 0).unwrap();
    }
}

#[test]
fn claim_bounty_in_a_later_round_waits_for_its_own_audit_end() {
    let mut game = Game::new(rules());
    game.fund_task(100_000).unwrap();
    let worker = game.worker(1_000_000);
    game.warp(START + 3_000);
    game.submit_work(&worker, 3).unwrap();
    game.warp(AUDIT_END + 2_999);
    refused(game.claim_bounty(&worker, 3), TaskError::RoundUndecided);
    game.warp(AUDIT_END + 3_000);
    game.claim_bounty(&worker, 3).unwrap();
}

/// An acquittal alone doesn't make the round decided: another may still be accused.
#[test]
fn claim_bounty_of_the_acquitted_before_the_audit_windows_end_fails() {
    let (mut case, _) = accused_and_honest();
    case.game
        .open_audit(&case.initiator, &case.accused, 0, MALICE)
        .unwrap();
    case.vote(&[VALID, VALID]);
    case.resolve().unwrap();
    let sent = case.game.claim_bounty(&case.accused, 0);
    refused(sent, TaskError::RoundUndecided);
}

/// Nobody of the round is paid before its last audit is resolved, however late that is.
#[test]
fn claim_bounty_while_an_audit_of_the_round_is_open_fails() {
    let (mut case, honest) = accused_and_honest();
    case.game.warp(AUDIT_END - 1);
    case.game
        .open_audit(&case.initiator, &case.accused, 0, MALICE)
        .unwrap();
    for slot in [AUDIT_END, case.end() - 1, case.end(), case.end() + 1_000] {
        case.game.warp(slot);
        for worker in [&case.accused, &honest] {
            refused(case.game.claim_bounty(worker, 0), TaskError::RoundUndecided);
        }
    }
    let audit = case.audit();
    case.game.resolve_audit(&audit).unwrap();
    for worker in [&case.accused, &honest] {
        case.game.claim_bounty(worker, 0).unwrap();
    }
}

/// An open audit of another round is no hindrance.
#[test]
fn claim_bounty_while_an_audit_of_another_round_is_open_passes() {
    let (mut game, worker) = claimable();
    let initiator = game.witness(2_000_000);
    game.warp(START + 1_000);
    game.submit_work(&worker, 1).unwrap();
    game.open_audit(&initiator, &worker, 1, MALICE).unwrap();
    game.claim_bounty(&worker, 0).unwrap();
    assert_eq!(earned(&game, &worker), (100_000, 1));
    // An audit can slash stake alone: what is payable leaves meanwhile, and only then there is nothing but stake.
    game.withdraw(&worker).unwrap();
    refused(game.withdraw(&worker), TaskError::NodeAccused);
}

#[test]
fn open_audit_after_the_bounty_was_claimed_fails() {
    let (mut case, honest) = accused_and_honest();
    case.game.warp(AUDIT_END);
    case.game.claim_bounty(&honest, 0).unwrap();
    let sent = case.game.open_audit(&case.initiator, &honest, 0, MALICE);
    refused(sent, TaskError::AuditWindowClosed);
}

// Who earns: everyone but the convicted.

#[test]
fn claim_bounty_of_the_acquitted_passes() {
    let (mut case, honest) = decided(&[VALID, VALID]);
    for worker in [&case.accused, &honest] {
        case.game.claim_bounty(worker, 0).unwrap();
        assert_eq!(earned(&case.game, worker), (50_000, 1));
    }
}

#[test]
fn claim_bounty_after_no_verdict_passes() {
    // Too few votes, and a tie.
    for opinions in [&[MALICE][..], &[VALID, VALID, MALICE]] {
        let (mut case, honest) = decided(opinions);
        for worker in [&case.accused, &honest] {
            case.game.claim_bounty(worker, 0).unwrap();
            assert_eq!(earned(&case.game, worker), (50_000, 1));
        }
    }
}

#[test]
fn claim_bounty_of_the_convicted_fails() {
    for opinions in [[MALICE, MALICE], [1, 1]] {
        let (mut case, _) = decided(&opinions);
        let sent = case.game.claim_bounty(&case.accused, 0);
        refused(sent, TaskError::ConvictedEarnsNothing);
        assert_eq!(earned(&case.game, &case.accused), (0, 0));
    }
}

/// Two audits of the accused's work, opened by two, with two votes each.
fn twice(opinions: [u8; 2]) -> (Case, Actor, [Address; 2]) {
    let (mut case, honest) = accused_and_honest();
    let [first, second, third] = &case.voters;
    for initiator in [&case.initiator, third] {
        case.game
            .open_audit(initiator, &case.accused, 0, MALICE)
            .unwrap();
    }
    let audits = [0, 1].map(|attempt| case.game.audit(&case.accused, 0, attempt));
    for (audit, opinion) in audits.iter().zip(opinions) {
        for voter in [first, second] {
            case.game.cast_vote(voter, audit, opinion).unwrap();
        }
    }
    case.game.warp(AUDIT_END);
    (case, honest, audits)
}

/// An acquittal doesn't end the case: the round is undecided until the second audit is, too.
#[test]
fn claim_bounty_of_the_acquitted_waits_for_the_second_audit() {
    for opinion in [VALID, MALICE] {
        let (mut case, honest, audits) = twice([VALID, opinion]);
        case.game.resolve_audit(&audits[0]).unwrap();
        for worker in [&case.accused, &honest] {
            refused(case.game.claim_bounty(worker, 0), TaskError::RoundUndecided);
        }
        case.game.resolve_audit(&audits[1]).unwrap();
        case.game.claim_bounty(&honest, 0).unwrap();
        let sent = case.game.claim_bounty(&case.accused, 0);
        if opinion == VALID {
            sent.unwrap();
            assert_eq!(earned(&case.game, &case.accused), (50_000, 1));
        } else {
            refused(sent, TaskError::ConvictedEarnsNothing);
        }
    }
}

/// No later acquittal makes an earlier conviction undone; two convictions count as one.
#[test]
fn claim_bounty_of_the_convicted_fails_after_an_acquittal_too() {
    for opinion in [VALID, MALICE] {
        let (mut case, _, audits) = twice([MALICE, opinion]);
        for audit in &audits {
            case.game.resolve_audit(audit).unwrap();
        }
        let sent = case.game.claim_bounty(&case.accused, 0);
        refused(sent, TaskError::ConvictedEarnsNothing);
        assert_eq!(round(&case.game, 0).convictions.get(), 1);
    }
}

/// Nobody earns by convicting a rival: the part goes back to the pool when the round closes.
#[test]
fn claim_bounty_of_the_honest_is_no_larger_for_a_rivals_conviction() {
    let (mut case, honest) = decided(&[MALICE, MALICE]);
    case.game.claim_bounty(&honest, 0).unwrap();
    assert_eq!(earned(&case.game, &honest), (50_000, 1));
    let after = round(&case.game, 0);
    assert_eq!(after.left.get(), 50_000);
    assert_eq!(
        [after.submissions, after.convictions, after.paid].map(|n| n.get()),
        [2, 1, 1]
    );

    let audit = case.audit();
    for voter in &case.voters[..2] {
        case.game.close_vote(voter, &audit).unwrap();
    }
    case.game.close_audit(&audit).unwrap();
    case.game.close_submission(&honest, 0).unwrap();
    case.game.close_submission(&case.accused, 0).unwrap();
    let pool = case.game.task().pool.get();
    case.game.close_round(0).unwrap();
    assert_eq!(case.game.task().pool.get(), pool + 50_000);
}

/// The convicted's submission is closed before the others claim: their parts stay the same.
#[test]
fn claim_bounty_after_a_convicted_submission_was_closed_pays_no_more() {
    let (mut case, honest) = decided(&[MALICE, MALICE]);
    let audit = case.audit();
    for voter in &case.voters[..2] {
        case.game.close_vote(voter, &audit).unwrap();
    }
    case.game.close_audit(&audit).unwrap();
    case.game.close_submission(&case.accused, 0).unwrap();
    case.game.claim_bounty(&honest, 0).unwrap();
    assert_eq!(earned(&case.game, &honest), (50_000, 1));
}

/// The verdict of one round takes nothing of what another round earned.
#[test]
fn claim_bounty_of_another_round_than_the_convictions_passes() {
    let (mut case, _) = decided(&[MALICE, MALICE]);
    case.game.warp(START + 1_000);
    case.game.submit_work(&case.accused, 1).unwrap();
    case.game.warp(AUDIT_END + 1_000);
    case.game.claim_bounty(&case.accused, 1).unwrap();
    assert_eq!(earned(&case.game, &case.accused), (100_000, 1));
}

#[test]
fn claim_bounty_of_a_node_that_left_passes() {
    let (mut game, [worker]) = worked(1_000_000);
    game.request_leave(&worker, None).unwrap();
    game.warp(START + 600);
    game.withdraw(&worker).unwrap();
    game.claim_bounty(&worker, 0).unwrap();
    game.withdraw(&worker).unwrap();
    assert_eq!(balance(&game.svm, &worker.wallet), WALLET + 100_000);
}

#[test]
fn claim_bounty_of_a_retired_task_passes() {
    let (mut game, [worker]) = worked(1_000_000);
    game.retire_task().unwrap();
    // What was promised stays in the vault.
    assert_eq!(balance(&game.svm, &game.vault), 1_100_000);
    game.warp(AUDIT_END);
    game.claim_bounty(&worker, 0).unwrap();
    assert_eq!(earned(&game, &worker), (100_000, 1));
}

#[test]
fn claim_bounty_with_the_shortest_windows_waits_for_both() {
    // The shortest windows: one slot of work, one of audit.
    let mut game = Game::new(RulesArgs {
        submission_slots: 1,
        audit_slots: 1,
        ..rules()
    });
    game.fund_task(100_000).unwrap();
    let worker = game.worker(1_000_000);
    game.submit_work(&worker, 0).unwrap();
    game.warp(START + 1);
    refused(game.claim_bounty(&worker, 0), TaskError::RoundUndecided);
    game.warp(START + 2);
    game.claim_bounty(&worker, 0).unwrap();
}

// Accounts.

#[test]
fn claim_bounty_to_another_node_fails() {
    let (mut game, [worker, other]) = worked(1_000_000);
    game.warp(AUDIT_END);
    let claim = swap(game.claim_bounty_ix(&worker, 0), &worker.node, &other.node);
    refused(game.send_by_creator(claim), TaskError::WrongNode);
}

#[test]
fn claim_bounty_out_of_another_round_fails() {
    let (mut game, [worker]) = worked(1_000_000);
    game.warp(START + 1_000);
    game.submit_work(&worker, 1).unwrap();
    game.warp(AUDIT_END + 1_000);
    let rounds = [0, 1].map(|number| round_address(&game.task, number));
    for (number, from, to) in [(0, rounds[0], rounds[1]), (1, rounds[1], rounds[0])] {
        let claim = swap(game.claim_bounty_ix(&worker, number), &from, &to);
        refused(game.send_by_creator(claim), TaskError::WrongRound);
    }
}

/// Everything is there in both tasks, of the same round and owner.
#[test]
fn claim_bounty_with_another_tasks_account_fails() {
    let (mut game, worker) = claimable();
    let first = game.task;
    game.next_task(1);
    let there = game.here(&worker);
    game.join_task(&there, 0, 1_000_000).unwrap();
    game.submit_work(&there, 0).unwrap();
    game.warp(2 * AUDIT_END);
    let others = accounts_of(&game, &there);
    game.enter(first);
    for (own, other) in accounts_of(&game, &worker).iter().zip(&others) {
        let claim = swap(game.claim_bounty_ix(&worker, 0), own, other);
        refused(game.send_by_creator(claim), TaskError::WrongTask);
    }
    game.claim_bounty(&worker, 0).unwrap();
}

fn accounts_of(game: &Game, worker: &Actor) -> [Address; 4] {
    [
        game.task,
        round_address(&game.task, 0),
        game.submission(worker, 0),
        worker.node,
    ]
}

/// What comes of the claim with each account changed.
fn with_each_account(
    change: impl Fn(&mut Game, Instruction, &Address) -> Instruction,
) -> Vec<Sent> {
    let (mut game, worker) = claimable();
    accounts_of(&game, &worker)
        .iter()
        .map(|real| {
            let claim = game.claim_bounty_ix(&worker, 0);
            let claim = change(&mut game, claim, real);
            game.send_by_creator(claim)
        })
        .collect()
}

#[test]
fn claim_bounty_with_one_account_in_two_places_fails() {
    let (mut game, worker) = claimable();
    let accounts = accounts_of(&game, &worker);
    for place in 0..4 {
        let repeated = accounts[(place + 1) % 4];
        let claim = swap(
            game.claim_bounty_ix(&worker, 0),
            &accounts[place],
            &repeated,
        );
        let sent = game.send_by_creator(claim);
        assert_eq!(failure(sent), InstructionError::Custom(2040));
    }
}

#[test]
fn claim_bounty_with_a_forged_account_fails() {
    for sent in with_each_account(|game, claim, real| {
        let forged = game.forge(real);
        swap(claim, real, &forged)
    }) {
        assert_eq!(failure(sent), InstructionError::IllegalOwner);
    }
}

#[test]
fn claim_bounty_with_an_account_of_another_kind_fails() {
    for sent in with_each_account(|game, claim, real| {
        let disguised = game.disguise(real);
        swap(claim, real, &disguised)
    }) {
        assert_eq!(failure(sent), InstructionError::InvalidAccountData);
    }
}

#[test]
fn claim_bounty_with_an_account_that_cannot_be_written_fails() {
    let sents = with_each_account(|_, claim, real| readonly(claim, real));
    // The task is read alone.
    for sent in sents.into_iter().skip(1) {
        assert_eq!(failure(sent), InstructionError::Custom(2000));
    }
}

#[test]
fn claim_bounty_counts_open_audits_of_the_round() {
    let (mut case, honest) = accused_and_honest();
    for worker in [&case.accused, &honest] {
        case.game
            .open_audit(&case.initiator, worker, 0, MALICE)
            .unwrap();
    }
    assert_eq!(round(&case.game, 0).open_audits.get(), 2);
    let audits = [&case.accused, &honest].map(|worker| case.game.audit(worker, 0, 0));
    let end = case.game.get::<Audit>(&audits[1]).end_slot.get();
    case.game.warp(end.max(AUDIT_END));
    case.game.resolve_audit(&audits[0]).unwrap();
    assert_eq!(round(&case.game, 0).open_audits.get(), 1);
    refused(
        case.game.claim_bounty(&case.accused, 0),
        TaskError::RoundUndecided,
    );
    case.game.resolve_audit(&audits[1]).unwrap();
    assert_eq!(round(&case.game, 0).open_audits.get(), 0);
    case.game.claim_bounty(&case.accused, 0).unwrap();
}
