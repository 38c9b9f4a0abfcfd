//! `pause_task` and `resume_task`: a pause stops new nodes, work and audits; it never delays a verdict, a claim or a withdrawal.

mod common;

use anchor_lang::solana_program::instruction::Instruction;
use common::*;
use securing_tasks::{
    events::{TaskPaused, TaskResumed},
    Audit, Outcome, RulesArgs, TaskStatus,
};
use solana_signer::Signer;
use solana_transaction::InstructionError;

const VALID: u8 = 0;
const MALICE: u8 = 2;

fn paused() -> Game {
    let mut game = Game::new(rules());
    game.pause_task().unwrap();
    game
}

/// Both instructions, each where it would pass but for the change.
fn each(change: impl Fn(&mut Game, Instruction) -> Instruction) -> [Sent; 2] {
    [false, true].map(|resume| {
        let mut game = if resume { paused() } else { Game::new(rules()) };
        let whole = if resume {
            game.resume_task_ix()
        } else {
            game.pause_task_ix()
        };
        let changed = change(&mut game, whole);
        game.send_by_creator(changed)
    })
}

#[test]
fn pause_task_pauses_and_says_so() {
    let mut game = Game::new(rules());
    game.warp(START + 3);
    let event = TaskPaused {
        task: game.task,
        slot: START + 3,
    };
    logged(game.pause_task(), &event);
    assert_eq!(game.task().status, TaskStatus::Paused);
}

#[test]
fn resume_task_resumes_and_says_so() {
    let mut game = paused();
    game.warp(START + 5);
    let event = TaskResumed {
        task: game.task,
        slot: START + 5,
    };
    logged(game.resume_task(), &event);
    assert_eq!(game.task().status, TaskStatus::Active);
}

#[test]
fn pause_task_again_after_a_resume_passes() {
    let mut game = paused();
    game.resume_task().unwrap();
    game.pause_task().unwrap();
    assert_eq!(game.task().status, TaskStatus::Paused);
}

#[test]
fn pause_task_changes_nothing_but_the_status() {
    let mut game = Game::new(rules());
    game.fund_task(500).unwrap();
    let before = game.svm.get_account(&game.task).unwrap();
    game.pause_task().unwrap();
    game.resume_task().unwrap();
    assert_eq!(game.svm.get_account(&game.task).unwrap(), before);
}

#[test]
fn pause_task_twice_fails() {
    refused(paused().pause_task(), TaskError::TaskPaused);
}

#[test]
fn resume_task_that_is_not_paused_fails() {
    let mut game = Game::new(rules());
    refused(game.resume_task(), TaskError::NotPaused);
    game.pause_task().unwrap();
    game.resume_task().unwrap();
    refused(game.resume_task(), TaskError::NotPaused);
}

#[test]
fn pause_task_that_is_retired_fails() {
    let mut game = Game::new(rules());
    game.retire_task().unwrap();
    refused(game.pause_task(), TaskError::TaskRetired);
    refused(game.resume_task(), TaskError::TaskRetired);
}

/// Also out of a pause: retired is for ever.
#[test]
fn retire_task_that_is_paused_passes_and_ends_the_pause() {
    let mut game = Game::new(rules());
    game.fund_task(500).unwrap();
    game.pause_task().unwrap();
    game.retire_task().unwrap();
    assert_eq!(game.task().status, TaskStatus::Retired);
    refused(game.resume_task(), TaskError::TaskRetired);
    assert_eq!(balance(&game.svm, &game.creator_wallet), WALLET);
}

// What a pause stops.

#[test]
fn join_task_that_is_paused_fails() {
    let mut game = paused();
    let actor = game.stranger();
    for role in [0, 1] {
        refused(
            game.join_task(&actor, role, 1_000_000),
            TaskError::TaskPaused,
        );
    }
    game.resume_task().unwrap();
    game.join_task(&actor, 0, 1_000_000).unwrap();
}

#[test]
fn submit_work_to_a_paused_task_fails() {
    let mut game = Game::new(rules());
    let worker = game.worker(1_000_000);
    game.pause_task().unwrap();
    refused(game.submit_work(&worker, 0), TaskError::TaskPaused);
    game.resume_task().unwrap();
    game.submit_work(&worker, 0).unwrap();
}

#[test]
fn open_audit_of_a_paused_task_fails() {
    let mut case = Case::submitted(rules());
    case.game.pause_task().unwrap();
    let open = |case: &mut Case| {
        case.game
            .open_audit(&case.initiator, &case.accused, 0, MALICE)
    };
    refused(open(&mut case), TaskError::TaskPaused);
    case.game.resume_task().unwrap();
    open(&mut case).unwrap();
}

/// Retiring lets audits through again: nobody hides behind a creator who pauses and retires.
#[test]
fn open_audit_of_a_task_that_was_paused_and_retired_passes() {
    let mut case = Case::submitted(rules());
    case.game.pause_task().unwrap();
    case.game.retire_task().unwrap();
    case.game
        .open_audit(&case.initiator, &case.accused, 0, MALICE)
        .unwrap();
}

// What it doesn't: an audit that is open goes on to the last claim, in time.

#[test]
fn paused_task_convicts_pays_and_lets_leave() {
    let mut case = Case::audited(rules(), MALICE);
    case.game.pause_task().unwrap();
    case.vote(&[MALICE, MALICE, VALID]);
    case.resolve().unwrap();
    let audit = case.game.get::<Audit>(&case.audit());
    assert_eq!(audit.outcome, Outcome::ConvictedMalice);
    case.claim(3);
    let everyone = [&case.accused, &case.initiator]
        .into_iter()
        .chain(&case.voters);
    for actor in everyone.clone() {
        case.game.request_leave(actor, None).unwrap();
    }
    case.game.warp(case.game.slot() + 600);
    for actor in everyone {
        case.game.withdraw(actor).unwrap();
        let node = case.game.node(actor);
        assert_eq!((node.stake.get(), node.locked.get()), (0, 0));
    }
    assert_eq!(case.game.task().status, TaskStatus::Paused);
}

#[test]
fn paused_task_takes_commitments_and_reveals() {
    let mut case = Case::audited(
        RulesArgs {
            commit_slots: 50,
            reveal_slots: 150,
            ..rules()
        },
        MALICE,
    );
    case.game.pause_task().unwrap();
    let audit = case.audit();
    for voter in &case.voters {
        case.game
            .commit_vote(voter, &audit, VALID, [9; 32])
            .unwrap();
    }
    case.game.warp(START + 52);
    for voter in &case.voters {
        case.game
            .reveal_vote(voter, &audit, VALID, [9; 32])
            .unwrap();
    }
    case.resolve().unwrap();
    let audit = case.game.get::<Audit>(&case.audit());
    assert_eq!(audit.outcome, Outcome::Acquitted);
    case.claim(3);
}

#[test]
fn paused_task_pays_bounties_and_closes_accounts() {
    let mut game = Game::new(rules());
    game.fund_task(100_000).unwrap();
    let worker = game.worker(1_000_000);
    game.submit_work(&worker, 0).unwrap();
    game.pause_task().unwrap();
    game.warp(START + 400);
    game.claim_bounty(&worker, 0).unwrap();
    game.withdraw(&worker).unwrap();
    game.close_submission(&worker, 0).unwrap();
    game.close_round(0).unwrap();
    game.request_leave(&worker, None).unwrap();
    game.warp(START + 1_000);
    game.withdraw(&worker).unwrap();
    game.close_node(&worker).unwrap();
    assert_eq!(balance(&game.svm, &worker.wallet), WALLET + 100_000);
}

#[test]
fn fund_task_that_is_paused_passes() {
    let mut game = paused();
    game.fund_task(500).unwrap();
    assert_eq!(game.task().pool.get(), 500);
}

#[test]
fn paused_task_takes_stake_and_keys() {
    let mut game = Game::new(rules());
    let worker = game.worker(1_000_000);
    game.pause_task().unwrap();
    game.add_stake(&worker, 500_000).unwrap();
    game.request_leave(&worker, Some(500_000)).unwrap();
    game.cancel_leave(&worker).unwrap();
    game.set_operator(&worker, fresh().pubkey()).unwrap();
    game.allow_node(0, &worker.owner.pubkey()).unwrap();
    game.disallow_node(0, &worker.owner.pubkey()).unwrap();
}

// By the creator, with the task.

#[test]
fn pause_task_by_another_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    for by_resume in [false, true] {
        let whole = if by_resume {
            game.pause_task().unwrap();
            game.resume_task_ix()
        } else {
            game.pause_task_ix()
        };
        for key in [&actor.owner, &actor.operator] {
            let other = swap(whole.clone(), &game.creator.pubkey(), &key.pubkey());
            refused(game.send(&[other], &[key]), TaskError::NotCreator);
        }
    }
}

#[test]
fn pause_task_without_the_creators_signature_fails() {
    let mut game = Game::new(rules());
    let actor = game.stranger();
    for whole in [game.pause_task_ix(), game.resume_task_ix()] {
        let pause = unsigned(whole, &game.creator.pubkey());
        assert_eq!(
            failure(game.send(&[pause], &[&actor.owner])),
            InstructionError::MissingRequiredSignature
        );
    }
}

/// A creator pauses its own tasks, and one at a time.
#[test]
fn pause_task_leaves_the_creators_other_task_alone() {
    let mut game = Game::new(rules());
    let first = game.task;
    game.next_task(1);
    game.pause_task().unwrap();
    game.enter(first);
    assert_eq!(game.task().status, TaskStatus::Active);
}

#[test]
fn pause_task_with_a_forged_account_fails() {
    for sent in each(|game, whole| {
        let forged = game.forge(&game.task.clone());
        swap(whole, &game.task, &forged)
    }) {
        assert_eq!(failure(sent), InstructionError::IllegalOwner);
    }
}

#[test]
fn pause_task_with_an_account_of_another_kind_fails() {
    for sent in each(|game, whole| {
        let disguised = game.disguise(&game.task.clone());
        swap(whole, &game.task, &disguised)
    }) {
        assert_eq!(failure(sent), InstructionError::InvalidAccountData);
    }
}

#[test]
fn pause_task_with_one_account_in_two_places_fails() {
    for sent in each(|game, whole| swap(whole, &game.task, &game.creator.pubkey())) {
        assert_eq!(failure(sent), InstructionError::Custom(2040));
    }
}

#[test]
fn pause_task_with_an_account_that_cannot_be_written_fails() {
    for sent in each(|game, whole| readonly(whole, &game.task)) {
        assert_eq!(failure(sent), InstructionError::Custom(2000));
    }
}
