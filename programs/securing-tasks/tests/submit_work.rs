//! `submit_work`: a worker's payload, once a round, inside the round's submission window.

mod common;

use anchor_lang::{solana_program::instruction::Instruction, InstructionData};
use common::*;
use securing_tasks::{
    events::WorkSubmitted, instruction, Electorate, GateKind, Round, RulesArgs, Submission,
    SubmissionStatus,
};
use solana_signer::Signer;
use solana_transaction::InstructionError;

fn staked() -> (Game, Actor) {
    let mut game = Game::new(rules());
    let actor = game.worker(1_000_000);
    (game, actor)
}

/// The work of `actor` with other arguments.
fn work(game: &Game, actor: &Actor, round: u64, payload_hash: [u8; 32], uri: &str) -> Instruction {
    let mut submit = game.submit_work_ix(actor, round);
    submit.data = instruction::SubmitWork {
        round_number: round,
        payload_hash,
        payload_uri: uri.into(),
    }
    .data();
    submit
}

#[test]
fn submit_work_stores_the_submission_and_says_so() {
    let (mut game, actor) = staked();
    game.witness(700_000);
    game.warp(START + 2_042);
    let address = game.submission(&actor, 2);
    let event = WorkSubmitted {
        task: game.task,
        submission: address,
        owner: actor.owner.pubkey(),
        round: 2,
        payload_hash: [7; 32],
        reserve: 0,
        slot: START + 2_042,
    };
    logged(game.submit_work(&actor, 2), &event);

    let submission: Submission = game.get(&address);
    assert_eq!(submission.task, game.task);
    assert_eq!(submission.owner, actor.owner.pubkey());
    assert_eq!(submission.payer, actor.operator.pubkey());
    assert_eq!(submission.payload_hash, [7; 32]);
    assert_eq!(submission.payload_uri.as_slice(), b"ipfs://payload");
    assert_eq!(submission.round.get(), 2);
    assert_eq!(submission.slot.get(), START + 2_042);
    assert_eq!(submission.others, Electorate::of(700_000));
    let counts = [
        submission.audits,
        submission.decided,
        submission.live_audits,
    ];
    assert_eq!(counts.map(|n| n.get()), [0; 3]);
    assert_eq!(submission.slashed.get(), 0);
    assert!(!submission.paid.get());
    assert_eq!(submission.status, SubmissionStatus::Submitted);
    assert_eq!(game.node(&actor).submissions.get(), 1);
}

#[test]
fn submit_work_is_paid_by_the_operator_alone() {
    let (mut game, actor) = staked();
    let lamports = |game: &Game, key: &_| game.svm.get_account(key).unwrap().lamports;
    let (owner, operator) = (actor.owner.pubkey(), actor.operator.pubkey());
    let (before, paid) = (lamports(&game, &owner), lamports(&game, &operator));
    game.submit_work(&actor, 0).unwrap();
    assert_eq!(lamports(&game, &owner), before);
    assert!(lamports(&game, &operator) < paid);
}

#[test]
fn submit_work_in_the_first_and_last_slot_of_the_window_passes() {
    for slot in [START, START + 99, START + 1_000, START + 1_099] {
        let (mut game, actor) = staked();
        game.warp(slot);
        game.submit_work(&actor, (slot - START) / 1_000).unwrap();
    }
}

#[test]
fn submit_work_one_slot_after_the_window_fails() {
    for slot in [START + 100, START + 999, START + 1_100] {
        let (mut game, actor) = staked();
        game.warp(slot);
        refused(
            game.submit_work(&actor, (slot - START) / 1_000),
            TaskError::SubmissionWindowClosed,
        );
    }
}

#[test]
fn submit_work_for_another_round_fails() {
    let (mut game, actor) = staked();
    for round in [1, u64::MAX] {
        refused(game.submit_work(&actor, round), TaskError::RoundNotCurrent);
    }
    game.warp(START + 999);
    refused(game.submit_work(&actor, 1), TaskError::RoundNotCurrent);
    game.warp(START + 1_000);
    refused(game.submit_work(&actor, 0), TaskError::RoundNotCurrent);
    game.submit_work(&actor, 1).unwrap();
}

#[test]
fn submit_work_in_a_window_as_long_as_the_round_passes_in_its_last_slot() {
    let mut game = Game::new(RulesArgs {
        submission_slots: 1_000,
        leave_delay_slots: 1_500,
        ..rules()
    });
    let (actor, late) = (game.worker(1_000_000), game.worker(1_000_000));
    game.warp(START + 999);
    game.submit_work(&actor, 0).unwrap();
    game.warp(START + 1_000);
    refused(game.submit_work(&late, 0), TaskError::RoundNotCurrent);
    game.submit_work(&actor, 1).unwrap();
}

#[test]
fn submit_work_in_a_round_far_ahead_passes() {
    let (mut game, actor) = staked();
    let round = 1_000_000_000_000;
    game.warp(START + round * 1_000);
    game.submit_work(&actor, round).unwrap();
    game.warp(u64::MAX);
    let round = (u64::MAX - START) / 1_000;
    refused(
        game.submit_work(&actor, round),
        TaskError::SubmissionWindowClosed,
    );
}

#[test]
fn submit_work_twice_in_a_round_fails() {
    let (mut game, actor) = staked();
    game.submit_work(&actor, 0).unwrap();
    let again = work(&game, &actor, 0, [8; 32], "ipfs://other");
    assert_eq!(
        failure(game.send(&[again], &[&actor.operator])),
        InstructionError::Custom(0),
        "the system program's AccountAlreadyInUse"
    );
    game.warp(START + 1_000);
    game.submit_work(&actor, 1).unwrap();
    assert_eq!(game.node(&actor).submissions.get(), 2);
}

#[test]
fn submit_work_twice_through_another_operator_fails() {
    let (mut game, mut actor) = staked();
    game.submit_work(&actor, 0).unwrap();
    let new = key(&mut game.svm);
    game.set_operator(&actor, new.pubkey()).unwrap();
    actor.operator = new;
    assert_eq!(
        failure(game.submit_work(&actor, 0)),
        InstructionError::Custom(0)
    );
}

#[test]
fn submit_work_at_a_prefunded_address_passes() {
    for lamports in [1_000_000, 1_000_000_000] {
        let (mut game, actor) = staked();
        let address = game.submission(&actor, 0);
        game.svm.airdrop(&address, lamports).unwrap();
        game.submit_work(&actor, 0).unwrap();
        assert_eq!(game.get::<Submission>(&address).slot.get(), START);
    }
}

#[test]
fn submit_work_to_a_retired_task_fails() {
    let (mut game, actor) = staked();
    game.retire_task().unwrap();
    refused(game.submit_work(&actor, 0), TaskError::TaskRetired);
}

#[test]
fn submit_work_by_a_witness_fails() {
    let mut game = Game::new(rules());
    let actor = game.witness(5_000_000);
    refused(game.submit_work(&actor, 0), TaskError::WitnessCannotSubmit);
}

#[test]
fn submit_work_without_a_payload_fails() {
    let (mut game, actor) = staked();
    let submit = work(&game, &actor, 0, [0; 32], "ipfs://payload");
    refused(
        game.send(&[submit], &[&actor.operator]),
        TaskError::PayloadMissing,
    );
    let mut hash = [0; 32];
    hash[31] = 1;
    let submit = work(&game, &actor, 0, hash, "");
    game.send(&[submit], &[&actor.operator]).unwrap();
}

#[test]
fn submit_work_with_a_uri_of_128_bytes_passes_and_of_129_fails() {
    let (mut game, actor) = staked();
    // 43 signs of three bytes.
    for uri in ["u".repeat(129), "\u{20ac}".repeat(43)] {
        let submit = work(&game, &actor, 0, [7; 32], &uri);
        refused(
            game.send(&[submit], &[&actor.operator]),
            TaskError::UriTooLong,
        );
    }
    let uri = "u".repeat(128);
    let submit = work(&game, &actor, 0, [7; 32], &uri);
    game.send(&[submit], &[&actor.operator]).unwrap();
    let submission: Submission = game.get(&game.submission(&actor, 0));
    assert_eq!(submission.payload_uri.as_slice(), uri.as_bytes());
}

#[test]
fn submit_work_with_all_but_the_minimum_leaving_passes() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    game.request_leave(&actor, Some(2_000_000)).unwrap();
    game.submit_work(&actor, 0).unwrap();
}

#[test]
fn submit_work_while_leaving_with_all_fails() {
    let mut game = Game::new(rules());
    let actor = game.worker(3_000_000);
    game.request_leave(&actor, None).unwrap();
    refused(game.submit_work(&actor, 0), TaskError::StakeBelowMinimum);
    game.add_stake(&actor, 999_999).unwrap();
    refused(game.submit_work(&actor, 0), TaskError::StakeBelowMinimum);
    game.add_stake(&actor, 1).unwrap();
    game.submit_work(&actor, 0).unwrap();
}

/// A slash of 5,000 of 10,000 points takes 1,000,000 of 2,000,000: still the minimum. One unit less staked is below it.
#[test]
fn submit_work_after_a_slash_below_the_minimum_fails() {
    for (staked, passes) in [(2_000_000, true), (1_999_998, false)] {
        let mut game = Game::new(rules());
        let accused = game.worker(staked);
        let initiator = game.witness(2_000_000);
        let voters = [game.witness(1_000_000), game.witness(1_000_000)];
        game.warp(START + 1);
        game.submit_work(&accused, 0).unwrap();
        game.open_audit(&initiator, &accused, 0, 2).unwrap();
        let audit = game.audit(&accused, 0, 0);
        for voter in &voters {
            game.cast_vote(voter, &audit, 2).unwrap();
        }
        game.warp(START + 1_000);
        game.resolve_audit(&audit).unwrap();
        let sent = game.submit_work(&accused, 1);
        if passes {
            sent.unwrap();
        } else {
            refused(sent, TaskError::StakeBelowMinimum);
        }
    }
}

#[test]
fn submit_work_while_accused_passes() {
    let mut case = Case::audited(rules(), 2);
    case.game.warp(START + 1_000);
    case.game.submit_work(&case.accused, 1).unwrap();
}

#[test]
fn submit_work_by_the_owners_key_fails() {
    let (mut game, actor) = staked();
    let submit = swap(
        game.submit_work_ix(&actor, 0),
        &actor.operator.pubkey(),
        &actor.owner.pubkey(),
    );
    refused(
        game.send(&[submit], &[&actor.owner]),
        TaskError::NotOperator,
    );
}

#[test]
fn submit_work_by_the_operator_of_another_fails() {
    let (mut game, actor) = staked();
    let other = game.worker(1_000_000);
    let submit = swap(
        game.submit_work_ix(&actor, 0),
        &actor.operator.pubkey(),
        &other.operator.pubkey(),
    );
    refused(
        game.send(&[submit], &[&other.operator]),
        TaskError::NotOperator,
    );
}

#[test]
fn submit_work_without_the_operators_signature_fails() {
    let (mut game, actor) = staked();
    let submit = unsigned(game.submit_work_ix(&actor, 0), &actor.operator.pubkey());
    assert_eq!(
        failure(game.send_by_creator(submit)),
        InstructionError::MissingRequiredSignature
    );
}

/// The node works for the first task; the second one's money is not at risk for it.
#[test]
fn submit_work_by_a_node_of_another_task_fails() {
    let (mut game, actor) = staked();
    game.next_task(1);
    refused(game.submit_work(&actor, 0), TaskError::WrongTask);
}

#[test]
fn submit_work_at_another_address_fails() {
    let (mut game, actor) = staked();
    let other = game.worker(1_000_000);
    let own = game.submission(&actor, 0);
    let foreign = submission_address(&fresh().pubkey(), 0, &actor.owner.pubkey());
    let wrong = [
        game.submission(&actor, 1),
        game.submission(&other, 0),
        foreign,
        fresh().pubkey(),
    ];
    for address in wrong {
        let submit = swap(game.submit_work_ix(&actor, 0), &own, &address);
        assert_eq!(
            failure(game.send(&[submit], &[&actor.operator])),
            InstructionError::InvalidSeeds
        );
    }
}

#[test]
fn submit_work_with_forged_accounts_fails() {
    let (mut game, actor) = staked();
    let forged = game.forge(&game.task.clone());
    let submit = swap(game.submit_work_ix(&actor, 0), &game.task, &forged);
    let address = submission_address(&forged, 0, &actor.owner.pubkey());
    let submit = swap(submit, &game.submission(&actor, 0), &address);
    assert_eq!(
        failure(game.send(&[submit], &[&actor.operator])),
        InstructionError::IllegalOwner
    );
    let forged = game.forge(&actor.node);
    let submit = swap(game.submit_work_ix(&actor, 0), &actor.node, &forged);
    assert_eq!(
        failure(game.send(&[submit], &[&actor.operator])),
        InstructionError::IllegalOwner
    );
}

#[test]
fn submit_work_with_accounts_of_another_type_fails() {
    let mut case = Case::audited(rules(), 2);
    case.vote(&[2]);
    case.game.warp(START + 1_000);
    let vote = vote_address(&case.audit(), &case.voters[0].owner.pubkey());
    let (task, node) = (case.game.task, case.accused.node);
    let disguised = case.game.disguise(&node);
    let submit = case.game.submit_work_ix(&case.accused, 1);
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
        let submit = swap(submit.clone(), &from, &to);
        assert_eq!(
            failure(case.game.send(&[submit], &[&case.accused.operator])),
            error
        );
    }
}

#[test]
fn submit_work_with_another_system_program_fails() {
    let (mut game, actor) = staked();
    let submit = swap(game.submit_work_ix(&actor, 0), &SYSTEM, &TOKEN);
    assert_eq!(
        failure(game.send(&[submit], &[&actor.operator])),
        InstructionError::IncorrectProgramId
    );
}

#[test]
fn submit_work_with_an_account_in_two_places_fails() {
    let (mut game, actor) = staked();
    let own = game.submission(&actor, 0);
    for to in [actor.node, game.task, actor.operator.pubkey()] {
        let submit = swap(game.submit_work_ix(&actor, 0), &own, &to);
        assert_eq!(
            failure(game.send(&[submit], &[&actor.operator])),
            InstructionError::Custom(2040)
        );
    }
}

#[test]
fn submit_work_with_cut_or_wrong_data_fails() {
    let (mut game, actor) = staked();
    let whole = game.submit_work_ix(&actor, 0);
    let mut cut = whole.clone();
    cut.data.truncate(20);
    let mut odd = whole.clone();
    // The URI's first byte is no UTF-8.
    let at = odd.data.len() - b"ipfs://payload".len();
    odd.data[at] = 0xff;
    let mut unknown = whole;
    unknown.data[0] ^= 1;
    for submit in [cut, odd, unknown] {
        assert_eq!(
            failure(game.send(&[submit], &[&actor.operator])),
            InstructionError::InvalidInstructionData
        );
    }
}

/// The key is named in the same transaction that it works in.
#[test]
fn submit_work_after_set_operator_in_one_transaction_passes() {
    let (mut game, mut actor) = staked();
    let new = key(&mut game.svm);
    let set = game.set_operator_ix(&actor, new.pubkey());
    actor.operator = new;
    let submit = game.submit_work_ix(&actor, 0);
    game.send(&[set, submit], &[&actor.owner, &actor.operator])
        .unwrap();
}

/// A bond is an earmark: a worker at its minimum that accuses another still works.
#[test]
fn submit_work_with_the_minimum_pledged_passes() {
    let mut game = Game::new(rules());
    let (worker, other) = (game.worker(1_000_000), game.worker(1_000_000));
    game.warp(START + 1);
    game.submit_work(&other, 0).unwrap();
    for _ in 0..5 {
        game.open_audit(&worker, &other, 0, 2).unwrap();
    }
    assert_eq!(game.node(&worker).bonds.get(), 1_000_000);
    game.submit_work(&worker, 0).unwrap();
}

// Who could vote on it: everyone else, just before its slot and still.

/// A worker with 4,000,000, a friend with 2,000,000 and an honest witness with 1,000,000; at START + 10, and nobody else.
fn crowd() -> (Game, [Actor; 3]) {
    let mut game = Game::new(rules());
    let crowd = [
        game.worker(4_000_000),
        game.witness(2_000_000),
        game.witness(1_000_000),
    ];
    game.warp(START + 10);
    (game, crowd)
}

/// Stake and nodes that could vote on work of `worker`, submitted now.
fn others(game: &mut Game, worker: &Actor) -> (u64, u32) {
    game.submit_work(worker, 0).unwrap();
    let submission: Submission = game.get(&game.submission(worker, 0));
    let others = submission.others;
    (others.stake.get(), others.nodes.get())
}

#[test]
fn submit_work_counts_who_else_could_vote() {
    let (mut game, [worker, ..]) = crowd();
    assert_eq!(others(&mut game, &worker), (3_000_000, 2));
    // Workers count for each other.
    let second = game.worker(1_000_000);
    game.warp(START + 11);
    assert_eq!(others(&mut game, &second), (7_000_000, 3));
}

/// A friend's stake can't vote on work of its own slot: it would only put the quorum out of reach.
#[test]
fn submit_work_counts_no_stake_that_came_in_its_slot() {
    for (slot, expected) in [(9, (8_000_000, 2)), (10, (3_000_000, 2))] {
        let mut game = Game::new(rules());
        let [worker, friend] = [game.worker(4_000_000), game.witness(2_000_000)];
        game.witness(1_000_000);
        game.warp(START + slot);
        game.add_stake(&friend, 5_000_000).unwrap();
        game.warp(START + 10);
        assert_eq!(others(&mut game, &worker), expected, "START + {slot}");
    }
}

#[test]
fn submit_work_counts_no_node_that_joined_in_its_slot() {
    for (slot, expected) in [(9, (8_000_000, 3)), (10, (3_000_000, 2))] {
        let mut game = Game::new(rules());
        let worker = game.worker(4_000_000);
        game.witness(2_000_000);
        game.witness(1_000_000);
        game.warp(START + slot);
        game.witness(5_000_000);
        game.warp(START + 10);
        assert_eq!(others(&mut game, &worker), expected, "START + {slot}");
    }
}

/// What asks to leave in its slot votes on it, and counts, in part or all of it.
#[test]
fn submit_work_counts_stake_that_leaves_in_its_slot() {
    for amount in [Some(1_500_000), None] {
        let (mut game, [worker, friend, _]) = crowd();
        game.request_leave(&friend, amount).unwrap();
        assert_eq!(others(&mut game, &worker), (3_000_000, 2));
    }
}

/// Out and in, or in and out, in one slot: what was before, whatever came then.
#[test]
fn submit_work_counts_what_was_before_its_slot() {
    let (mut game, [worker, friend, _]) = crowd();
    game.add_stake(&friend, 5_000_000).unwrap();
    game.request_leave(&friend, Some(6_000_000)).unwrap();
    assert_eq!(others(&mut game, &worker), (3_000_000, 2));

    let (mut game, [worker, friend, _]) = crowd();
    game.request_leave(&friend, None).unwrap();
    game.cancel_leave(&friend).unwrap();
    game.witness(9_000_000);
    assert_eq!(others(&mut game, &worker), (3_000_000, 2));
}

/// Its own stake is neither in what was before nor in what is now, however it moves.
#[test]
fn submit_work_counts_nothing_of_its_own() {
    let (mut game, [worker, ..]) = crowd();
    game.add_stake(&worker, 5_000_000).unwrap();
    assert_eq!(others(&mut game, &worker), (3_000_000, 2));

    let (mut game, [worker, ..]) = crowd();
    game.request_leave(&worker, Some(3_000_000)).unwrap();
    assert_eq!(others(&mut game, &worker), (3_000_000, 2));

    // Twice in its slot, with a friend's between.
    let (mut game, [worker, friend, _]) = crowd();
    game.add_stake(&worker, 5_000_000).unwrap();
    game.add_stake(&friend, 5_000_000).unwrap();
    game.request_leave(&worker, Some(8_000_000)).unwrap();
    assert_eq!(others(&mut game, &worker), (3_000_000, 2));

    // A worker that joined in this very slot was in nothing before it.
    let (mut game, _) = crowd();
    let late = game.worker(1_000_000);
    assert_eq!(others(&mut game, &late), (7_000_000, 3));
}

/// What was before an earlier slot is of no interest in this one.
#[test]
fn submit_work_counts_what_moved_in_the_slot_before() {
    let (mut game, [worker, friend, _]) = crowd();
    game.add_stake(&friend, 5_000_000).unwrap();
    game.add_stake(&worker, 1_000_000).unwrap();
    game.warp(START + 11);
    assert_eq!(others(&mut game, &worker), (8_000_000, 2));

    // And the worker's alone moves in this one.
    let (mut game, [worker, friend, _]) = crowd();
    game.add_stake(&friend, 5_000_000).unwrap();
    game.warp(START + 11);
    game.request_leave(&worker, Some(1_000_000)).unwrap();
    assert_eq!(others(&mut game, &worker), (8_000_000, 2));
}

/// At its minimum a node votes and counts; a slash below it takes it out, all its stake with it, until it comes back to the minimum.
#[test]
fn submit_work_counts_no_node_below_its_minimum() {
    for (staked, counts) in [(2_000_000, true), (1_999_996, false)] {
        let mut game = Game::new(rules());
        let (worker, convict) = (game.worker(4_000_000), game.worker(staked));
        let witnesses = [(); 3].map(|()| game.witness(1_000_000));
        game.warp(START + 1);
        game.submit_work(&convict, 0).unwrap();
        game.open_audit(&witnesses[0], &convict, 0, 2).unwrap();
        let audit = game.audit(&convict, 0, 0);
        for voter in &witnesses[1..] {
            game.cast_vote(voter, &audit, 2).unwrap();
        }
        game.warp(START + 1_000);
        game.resolve_audit(&audit).unwrap();
        game.warp(START + 1_001);
        let count = |game: &mut Game, round: u64| {
            game.submit_work(&worker, round).unwrap();
            let submission: Submission = game.get(&game.submission(&worker, round));
            (submission.others.stake.get(), submission.others.nodes.get())
        };
        let expected = if counts {
            (4_000_000, 4)
        } else {
            (3_000_000, 3)
        };
        assert_eq!(count(&mut game, 1), expected);
        if !counts {
            // One unit is not enough, two are; in the slot after that.
            for (round, expected) in [(2, (3_000_000, 3)), (3, (4_000_001, 4))] {
                game.warp(START + round * 1_000 - 1);
                game.add_stake(&convict, round - 1).unwrap();
                game.warp(START + round * 1_000);
                assert_eq!(count(&mut game, round), expected);
            }
        }
    }
}

// The round: made by its first submission, which sets its bounty aside.

fn round(game: &Game, number: u64) -> Round {
    game.get(&round_address(&game.task, number))
}

/// Two workers and what a creator put into the pool.
fn funded(pool: u64) -> (Game, [Actor; 2]) {
    let mut game = Game::new(rules());
    if pool > 0 {
        game.fund_task(pool).unwrap();
    }
    let workers = [(); 2].map(|()| game.worker(1_000_000));
    (game, workers)
}

#[test]
fn submit_work_first_of_a_round_makes_it_and_sets_the_bounty_aside() {
    let (mut game, [worker, _]) = funded(1_000_000);
    game.warp(START + 2_005);
    let event = WorkSubmitted {
        task: game.task,
        submission: game.submission(&worker, 2),
        owner: worker.owner.pubkey(),
        round: 2,
        payload_hash: [7; 32],
        reserve: 100_000,
        slot: START + 2_005,
    };
    logged(game.submit_work(&worker, 2), &event);

    let made = round(&game, 2);
    assert_eq!(made.task, game.task);
    assert_eq!(made.payer, worker.operator.pubkey());
    assert_eq!(made.number.get(), 2);
    assert_eq!((made.reserve.get(), made.left.get()), (100_000, 100_000));
    assert_eq!(
        [
            made.submissions,
            made.live_submissions,
            made.convictions,
            made.paid,
            made.open_audits
        ]
        .map(|n| n.get()),
        [1, 1, 0, 0, 0]
    );
    let task = game.task();
    assert_eq!((task.pool.get(), task.rounds.get()), (900_000, 1));
    assert_eq!(game.node(&worker).live.get(), 1);
}

#[test]
fn submit_work_second_of_a_round_sets_nothing_more_aside() {
    let (mut game, [first, second]) = funded(1_000_000);
    game.submit_work(&first, 0).unwrap();
    game.fund_task(500).unwrap();
    game.submit_work(&second, 0).unwrap();
    let shared = round(&game, 0);
    assert_eq!(shared.reserve.get(), 100_000);
    assert_eq!(shared.submissions.get(), 2);
    assert_eq!(shared.payer, first.operator.pubkey());
    let task = game.task();
    assert_eq!((task.pool.get(), task.rounds.get()), (900_500, 1));
}

#[test]
fn submit_work_sets_aside_the_bounty_or_all_that_the_pool_has() {
    for (pool, reserve) in [
        (0, 0),
        (1, 1),
        (99_999, 99_999),
        (100_000, 100_000),
        (100_001, 100_000),
    ] {
        let (mut game, [worker, _]) = funded(pool);
        game.submit_work(&worker, 0).unwrap();
        assert_eq!(round(&game, 0).reserve.get(), reserve);
        assert_eq!(game.task().pool.get(), pool - reserve);
    }
}

/// A bounty of nothing, allowed with large stakes, takes nothing.
#[test]
fn submit_work_without_a_bounty_sets_nothing_aside() {
    let mut game = Game::new(RulesArgs {
        bounty_per_round: 0,
        allow_large_stake: true,
        ..rules()
    });
    game.fund_task(1_000).unwrap();
    let worker = game.worker(1_000_000);
    game.submit_work(&worker, 0).unwrap();
    assert_eq!(round(&game, 0).reserve.get(), 0);
    assert_eq!(game.task().pool.get(), 1_000);
}

/// A round's reserve is out of the pool before the next round looks into it.
#[test]
fn submit_work_of_two_rounds_never_promises_the_same_money() {
    let (mut game, [worker, _]) = funded(150_000);
    for (number, reserve) in [(0, 100_000), (1, 50_000), (2, 0)] {
        game.warp(START + number * 1_000);
        game.submit_work(&worker, number).unwrap();
        assert_eq!(round(&game, number).reserve.get(), reserve);
    }
    for number in 0..3 {
        game.warp((START + number * 1_000 + 400).max(game.slot()));
        game.claim_bounty(&worker, number).unwrap();
    }
    assert_eq!(game.node(&worker).payable.get(), 150_000);
    assert_eq!(game.node(&worker).rounds_paid.get(), 2);
    assert_eq!(balance(&game.svm, &game.vault), 2_150_000);
}

#[test]
fn submit_work_of_a_poor_round_is_not_made_up_for_by_later_money() {
    let (mut game, [first, second]) = funded(0);
    game.submit_work(&first, 0).unwrap();
    game.fund_task(1_000_000).unwrap();
    game.submit_work(&second, 0).unwrap();
    assert_eq!(round(&game, 0).reserve.get(), 0);
    game.warp(START + 1_000);
    game.submit_work(&first, 1).unwrap();
    assert_eq!(round(&game, 1).reserve.get(), 100_000);
}

#[test]
fn submit_work_that_fails_sets_nothing_aside() {
    let (mut game, [worker, _]) = funded(1_000_000);
    game.warp(START + 100);
    refused(
        game.submit_work(&worker, 0),
        TaskError::SubmissionWindowClosed,
    );
    assert_eq!(game.task().pool.get(), 1_000_000);
    assert_eq!(game.task().rounds.get(), 0);
}

#[test]
fn submit_work_pays_the_rounds_rent_once() {
    let (mut game, [first, second]) = funded(0);
    let spent = |game: &mut Game, worker: &Actor| {
        let operator = worker.operator.pubkey();
        let before = game.svm.get_balance(&operator).unwrap();
        let fee = game.submit_work(worker, 0).unwrap().fee;
        before - fee - game.svm.get_balance(&operator).unwrap()
    };
    let rent = |game: &Game, address: &_| game.svm.get_account(address).unwrap().lamports;
    let with_round = spent(&mut game, &first);
    let without = spent(&mut game, &second);
    assert_eq!(without, rent(&game, &game.submission(&second, 0)));
    assert_eq!(
        with_round,
        without + rent(&game, &round_address(&game.task, 0))
    );
}

#[test]
fn submit_work_with_the_round_at_a_prefunded_address_passes() {
    let (mut game, [first, second]) = funded(1_000_000);
    let address = round_address(&game.task, 0);
    game.prefund(&address);
    game.submit_work(&first, 0).unwrap();
    game.submit_work(&second, 0).unwrap();
    assert_eq!(round(&game, 0).reserve.get(), 100_000);
}

#[test]
fn submit_work_that_makes_the_round_at_another_address_fails() {
    let (mut game, [worker, _]) = funded(1_000_000);
    let own = round_address(&game.task, 0);
    for address in [
        round_address(&game.task, 1),
        round_address(&fresh().pubkey(), 0),
        fresh().pubkey(),
    ] {
        let submit = swap(game.submit_work_ix(&worker, 0), &own, &address);
        assert_eq!(
            failure(game.send(&[submit], &[&worker.operator])),
            InstructionError::InvalidSeeds
        );
    }
}

/// Rounds that are there: the last one, whose reserve is another's, and the same number of another task.
#[test]
fn submit_work_into_another_round_fails() {
    let (mut game, [worker, _]) = funded(1_000_000);
    game.submit_work(&worker, 0).unwrap();
    let first = game.task;
    game.next_task(1);
    let there = game.here(&worker);
    game.join_task(&there, 0, 1_000_000).unwrap();
    game.warp(START + 1_000);
    game.submit_work(&there, 1).unwrap();
    let foreign = round_address(&game.task, 1);
    game.enter(first);
    let own = round_address(&game.task, 1);
    for (address, error) in [
        (round_address(&game.task, 0), TaskError::WrongRound),
        (foreign, TaskError::WrongTask),
    ] {
        let submit = swap(game.submit_work_ix(&worker, 1), &own, &address);
        refused(game.send(&[submit], &[&worker.operator]), error);
    }
    game.submit_work(&worker, 1).unwrap();
}

/// Accounts of the program that are no round, a round's bytes of another program, and a token account.
#[test]
fn submit_work_into_a_round_that_is_none_fails() {
    let (mut game, [worker, other]) = funded(1_000_000);
    game.submit_work(&other, 0).unwrap();
    let own = round_address(&game.task, 0);
    let (forged, disguised) = (game.forge(&own), game.disguise(&own));
    let submission = game.submission(&other, 0);
    for (address, error) in [
        (forged, InstructionError::InvalidSeeds),
        (game.vault, InstructionError::InvalidSeeds),
        (disguised, InstructionError::InvalidAccountData),
        (submission, InstructionError::InvalidAccountData),
        (other.node, InstructionError::InvalidAccountData),
    ] {
        let submit = swap(game.submit_work_ix(&worker, 0), &own, &address);
        assert_eq!(failure(game.send(&[submit], &[&worker.operator])), error);
    }
}

#[test]
fn submit_work_with_the_round_in_two_places_fails() {
    let (mut game, [worker, other]) = funded(1_000_000);
    game.submit_work(&other, 0).unwrap();
    let own = round_address(&game.task, 0);
    for repeated in [game.task, worker.node, game.submission(&worker, 0)] {
        let submit = swap(game.submit_work_ix(&worker, 0), &own, &repeated);
        assert_eq!(
            failure(game.send(&[submit], &[&worker.operator])),
            InstructionError::Custom(2040)
        );
    }
}

#[test]
fn submit_work_with_an_account_that_cannot_be_written_fails() {
    let (mut game, [worker, other]) = funded(1_000_000);
    game.submit_work(&other, 0).unwrap();
    for place in [game.task, worker.node, round_address(&game.task, 0)] {
        let submit = readonly(game.submit_work_ix(&worker, 0), &place);
        assert_eq!(
            failure(game.send(&[submit], &[&worker.operator])),
            InstructionError::Custom(2000)
        );
    }
}

#[test]
fn submit_work_into_a_round_keeps_its_reserve_when_the_task_retires() {
    let (mut game, [worker, other]) = funded(1_000_000);
    game.submit_work(&worker, 0).unwrap();
    game.retire_task().unwrap();
    assert_eq!(round(&game, 0).left.get(), 100_000);
    refused(game.submit_work(&other, 0), TaskError::TaskRetired);
}

#[test]
fn submit_work_in_a_paused_task_fails() {
    let (mut game, actor) = staked();
    game.pause_task().unwrap();
    refused(game.submit_work(&actor, 0), TaskError::TaskPaused);
    game.resume_task().unwrap();
    game.submit_work(&actor, 0).unwrap();
}

/// More in `gates.rs`.
#[test]
fn submit_work_without_what_the_gate_asks_for_fails() {
    let mut game = Game::new(RulesArgs {
        worker_gate: gate(GateKind::Allowlist, Default::default(), 0, 0),
        ..rules()
    });
    let mut actor = game.stranger();
    game.allow_node(0, &actor.owner.pubkey()).unwrap();
    let entry = allow_address(&game.task, 0, &actor.owner.pubkey());
    actor.gate_proof = Some(entry);
    game.join_task(&actor, 0, 1_000_000).unwrap();
    actor.gate_proof = None;
    refused(game.submit_work(&actor, 0), TaskError::GateClosed);
    actor.gate_proof = Some(entry);
    game.submit_work(&actor, 0).unwrap();
}

// Who pays.

/// The rent of submission and round is the payer's, and goes back to it; the hot key has no lamport.
#[test]
fn submit_work_paid_by_another_costs_the_operator_no_lamport() {
    let (mut game, [worker, second]) = funded(0);
    let sponsor = key(&mut game.svm);
    let operator = worker.operator.insecure_clone();
    game.svm
        .set_account(operator.pubkey(), Default::default())
        .unwrap();
    let mut submit = game.submit_work_ix(&worker, 0);
    submit.accounts[0].pubkey = sponsor.pubkey();
    assert!(!submit.accounts[1].is_writable);
    game.send(&[submit], &[&sponsor, &operator]).unwrap();
    // In a round that is there each pays for its own submission.
    game.submit_work(&second, 0).unwrap();
    let submission: Submission = game.get(&game.submission(&worker, 0));
    assert_eq!(submission.payer, sponsor.pubkey());
    assert_eq!(round(&game, 0).payer, sponsor.pubkey());

    game.warp(START + 400);
    let to = |mut close: Instruction, payer: &anchor_lang::prelude::Address| {
        close.accounts.last_mut().unwrap().pubkey = *payer;
        close
    };
    for actor in [&worker, &second] {
        game.claim_bounty(actor, 0).unwrap();
    }
    let before = game.svm.get_balance(&sponsor.pubkey()).unwrap();
    let rent = [game.submission(&worker, 0), round_address(&game.task, 0)]
        .map(|address| game.svm.get_balance(&address).unwrap());
    for thief in [operator.pubkey(), worker.owner.pubkey()] {
        let close = to(game.close_submission_ix(&worker, 0), &thief);
        refused(game.by_anyone(close), TaskError::WrongPayer);
    }
    let close = to(game.close_submission_ix(&worker, 0), &sponsor.pubkey());
    game.by_anyone(close).unwrap();
    game.close_submission(&second, 0).unwrap();
    for thief in [operator.pubkey(), second.operator.pubkey()] {
        let close = to(game.close_round_ix(0), &thief);
        refused(game.by_anyone(close), TaskError::WrongPayer);
    }
    let close = to(game.close_round_ix(0), &sponsor.pubkey());
    game.by_anyone(close).unwrap();
    let after = game.svm.get_balance(&sponsor.pubkey()).unwrap();
    assert_eq!(after, before + rent[0] + rent[1]);
}

#[test]
fn submit_work_without_the_payers_or_the_operators_signature_fails() {
    let (mut game, actor) = staked();
    let sponsor = key(&mut game.svm);
    let mut submit = game.submit_work_ix(&actor, 0);
    submit.accounts[0].pubkey = sponsor.pubkey();
    let by_sponsor = unsigned(submit.clone(), &actor.operator.pubkey());
    let by_operator = unsigned(submit, &sponsor.pubkey());
    for sent in [
        game.send(&[by_sponsor], &[&sponsor]),
        game.send(&[by_operator], &[&actor.operator]),
    ] {
        assert_eq!(failure(sent), InstructionError::MissingRequiredSignature);
    }
}
