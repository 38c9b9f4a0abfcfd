//! Attacks on time and rules: a clock that jumps, the edges of every window, rules and gates changed while a case is open.

mod attack_kit;
mod common;

use attack_kit::*;
use common::*;
use securing_tasks::{Audit, GateKind, Outcome, RulesArgs};
use solana_clock::Clock;
use solana_signer::Signer;

// The clock.

/// The wall clock jumps a year ahead and a year back between any two instructions; slots go on. Nothing changes.
#[test]
fn clock_that_jumps_moves_no_window() {
    let wall = |game: &mut Game, time: i64| {
        let mut clock: Clock = game.svm.get_sysvar();
        clock.unix_timestamp = time;
        clock.epoch_start_timestamp = time;
        game.svm.set_sysvar(&clock);
    };
    let year = 31_536_000;
    let mut seen = vec![];
    for times in [[0; 5], [year, -year, i64::MAX, i64::MIN, 0]] {
        let case = Case::audited(committed(), MALICE);
        let audit = case.audit();
        let Case {
            mut game,
            accused,
            initiator,
            voters: [first, second, third],
        } = case;
        wall(&mut game, times[0]);
        game.request_leave(&accused, None).unwrap();
        for voter in [&first, &second, &third] {
            game.commit_vote(voter, &audit, MALICE, [9; 32]).unwrap();
        }
        wall(&mut game, times[1]);
        refused(
            game.reveal_vote(&first, &audit, MALICE, [9; 32]),
            TaskError::VotingClosed,
        );
        game.warp(START + 52);
        wall(&mut game, times[2]);
        refused(game.resolve_audit(&audit), TaskError::VotingOpen);
        for voter in [&first, &second, &third] {
            game.reveal_vote(voter, &audit, MALICE, [9; 32]).unwrap();
        }
        game.warp(START + 202);
        wall(&mut game, times[3]);
        settle(&mut game, &audit, &[&first, &second, &third]);
        game.warp(START + 601);
        wall(&mut game, times[4]);
        refused(game.withdraw(&accused), TaskError::NothingToWithdraw);
        let ended = gains(&mut game, [&accused, &initiator, &first, &second, &third]);
        seen.push(ended);
    }
    assert_eq!(seen, [[-2_000_000, 900_000, 300_000, 300_000, 300_000]; 2]);
}

/// Each window is open in its first slot and its last, and shut one slot after: [start, end).
#[test]
fn clock_edges_belong_to_one_window_each() {
    // Submission: [START, START + 100), and of round 1 [START + 1,000, START + 1,100).
    for (slot, round, error) in [
        (0, 0, None),
        (99, 0, None),
        (100, 0, Some(TaskError::SubmissionWindowClosed)),
        (999, 0, Some(TaskError::SubmissionWindowClosed)),
        (999, 1, Some(TaskError::RoundNotCurrent)),
        (1_000, 1, None),
        (1_000, 0, Some(TaskError::RoundNotCurrent)),
        (1_099, 1, None),
        (1_100, 1, Some(TaskError::SubmissionWindowClosed)),
    ] {
        let mut game = Game::new(rules());
        let worker = game.worker(1_000_000);
        game.warp(START + slot);
        let sent = game.submit_work(&worker, round);
        match error {
            None => drop(sent.unwrap()),
            Some(error) => refused(sent, error),
        }
    }
    // Accusation: [START + 1, START + 400).
    for (slot, passes) in [(1, true), (399, true), (400, false)] {
        let mut case = Case::submitted(rules());
        case.game.warp(START + slot);
        let sent = case
            .game
            .open_audit(&case.initiator, &case.accused, 0, MALICE);
        if passes {
            sent.unwrap();
        } else {
            refused(sent, TaskError::AuditWindowClosed);
        }
    }
    // Commitment: [START + 2, START + 52), and telling from there to START + 202; then the verdict.
    for slot in [2, 51, 52, 201, 202] {
        let mut case = Case::audited(committed(), MALICE);
        let audit = case.audit();
        let [early, late, _] = &case.voters;
        let game = &mut case.game;
        game.commit_vote(early, &audit, VALID, [9; 32]).unwrap();
        game.warp(START + slot);
        let committed = game.commit_vote(late, &audit, VALID, [9; 32]);
        let revealed = game.reveal_vote(early, &audit, VALID, [9; 32]);
        let resolved = game.resolve_audit(&audit);
        assert_eq!(committed.is_ok(), slot < 52, "{slot}");
        assert_eq!(revealed.is_ok(), (52..202).contains(&slot), "{slot}");
        assert_eq!(resolved.is_ok(), slot >= 202, "{slot}");
    }
    // The bounty: when no accusation can come any more.
    let mut game = Game::new(rules());
    let worker = game.worker(1_000_000);
    game.submit_work(&worker, 0).unwrap();
    game.warp(START + 399);
    refused(game.claim_bounty(&worker, 0), TaskError::RoundUndecided);
    refused(game.close_submission(&worker, 0), TaskError::RoundUndecided);
    game.warp(START + 400);
    game.claim_bounty(&worker, 0).unwrap();
    game.close_submission(&worker, 0).unwrap();
    // What anybody may clear away: one leave delay after the task's end.
    game.retire_task().unwrap();
    game.warp(START + 999);
    refused(game.return_stake(&worker), TaskError::NotReleased);
    game.warp(START + 1_000);
    game.return_stake(&worker).unwrap();
    assert_eq!(gain(&game, &worker), 0);
}

/// A friend that is accused early and acquitted is no safer than before: to the last slot of the window it can be accused again, and of
/// what it did since.
#[test]
fn clock_of_an_acquittal_shields_for_no_slot() {
    let mut case = Case::audited(rules(), MALICE);
    case.vote(&[VALID, VALID, VALID]);
    case.resolve().unwrap();
    case.game.warp(START + 399);
    let audit = accuse(&mut case.game, &case.initiator, &case.accused, 0);
    let votes = [0, 1, 2].map(|number: usize| (&case.voters[number], DOWNTIME));
    assert_eq!(
        decide(&mut case.game, &audit, &votes),
        Outcome::ConvictedDowntime
    );
    // The window is over.
    refused(
        case.game
            .open_audit(&case.initiator, &case.accused, 0, MALICE),
        TaskError::AuditWindowClosed,
    );
}

/// Two tasks with a slot between them have edges a slot apart: nothing depends on a global round.
#[test]
fn clock_of_each_task_begins_with_it() {
    let mut game = Game::new(rules());
    game.warp(START + 37);
    game.next_task(1);
    let worker = game.worker(1_000_000);
    game.warp(START + 136);
    game.submit_work(&worker, 0).unwrap();
    let other = game.worker(1_000_000);
    game.warp(START + 137);
    refused(
        game.submit_work(&other, 0),
        TaskError::SubmissionWindowClosed,
    );
}

// Rules changed in mid-case.

/// No instruction changes a rule. What a creator can do, all at once, changes nothing of an open case: pause, resume, retire, another task
/// with other rules, an allowlist that nobody asks for.
#[test]
fn rules_changed_in_mid_case_change_nothing() {
    let mut case = Case::audited(rules(), MALICE);
    let audit = case.audit();
    let frozen = case.game.get::<Audit>(&audit).rules;
    let before = case.game.task().rules;
    let game = &mut case.game;
    game.pause_task().unwrap();
    game.resume_task().unwrap();
    game.allow_node(1, &case.voters[0].owner.pubkey()).unwrap();
    game.disallow_node(1, &case.voters[0].owner.pubkey())
        .unwrap();
    fails(game.create_task());
    let first = game.task;
    game.rules = RulesArgs {
        malice_bps: 10_000,
        initiator_bonus_bps: 10_000,
        pool_bps: 0,
        quorum_votes: 1,
        ..rules()
    };
    game.next_task(1);
    game.enter(first);
    game.rules = rules();
    game.retire_task().unwrap();
    assert_eq!(game.task().rules, before);
    assert_eq!(game.get::<Audit>(&audit).rules, frozen);

    case.vote(&[MALICE, MALICE, MALICE]);
    case.resolve().unwrap();
    case.claim(3);
    let [first, second, third] = &case.voters;
    assert_eq!(
        gains(
            &mut case.game,
            [&case.accused, &case.initiator, first, second, third]
        ),
        [-2_000_000, 900_000, 300_000, 300_000, 300_000]
    );
}

/// A witness gate that the creator keeps a list for, with three honest witnesses and three of the creator's own, on the list at first.
struct Listed {
    game: Game,
    worker: Actor,
    honest: [Actor; 3],
    own: [Actor; 3],
}

impl Listed {
    fn new(own_stake: u64, vote_rules: RulesArgs) -> Self {
        let mut game = Game::new(RulesArgs {
            witness_gate: gate(GateKind::Allowlist, Default::default(), 0, 0),
            ..vote_rules
        });
        let worker = game.worker(4_000_000);
        let join = |game: &mut Game, stake| {
            let mut actor = game.stranger();
            let owner = actor.owner.pubkey();
            game.allow_node(1, &owner).unwrap();
            actor.gate_proof = Some(allow_address(&game.task, 1, &owner));
            game.join_task(&actor, 1, stake).unwrap();
            actor
        };
        let honest = [(); 3].map(|()| join(&mut game, 4_000_000));
        let own = [(); 3].map(|()| join(&mut game, own_stake));
        game.warp(START + 1);
        game.submit_work(&worker, 0).unwrap();
        Self {
            game,
            worker,
            honest,
            own,
        }
    }

    /// The creator strikes the honest off its list.
    fn strike(&mut self) {
        for actor in &self.honest {
            self.game.disallow_node(1, &actor.owner.pubkey()).unwrap();
        }
    }
}

/// Not defended: who keeps the list chooses the judges, in mid-case too. A creator that strikes the honest off and judges with its own
/// witnesses needs the quorum's share of all stake for it, the struck ones' included: with 20 % of 15,000,000 it convicts an innocent,
/// with one unit less it gets no verdict.
#[test]
fn rules_changed_in_mid_case_by_an_allowlist_still_need_the_quorums_stake() {
    for (own_stake, expected, took) in [
        (999_999, Outcome::NoVerdict, 0),
        (1_000_000, Outcome::ConvictedMalice, 1_800_000),
    ] {
        let mut listed = Listed::new(own_stake, by_stake());
        listed.strike();
        let Listed {
            mut game,
            worker,
            honest,
            own,
        } = listed;
        let audit = accuse(&mut game, &own[0], &worker, 0);
        for actor in &honest {
            refused(game.cast_vote(actor, &audit, VALID), TaskError::GateClosed);
        }
        let votes = [(&own[1], MALICE), (&own[2], MALICE)];
        assert_eq!(decide(&mut game, &audit, &votes), expected);
        let sum: i64 = gains(&mut game, [&own[0], &own[1], &own[2]]).iter().sum();
        assert_eq!(sum, took);
        // What was struck off leaves with all it had.
        let [first, second, third] = &honest;
        assert_eq!(gains(&mut game, [first, second, third]), [0; 3]);
    }
}

/// Struck off after its vote, a voter keeps vote, share and deposit; between commitment and reveal, too.
#[test]
fn rules_changed_in_mid_case_by_an_allowlist_take_no_vote_back() {
    let mut listed = Listed::new(1_000_000, committed());
    let audit = accuse(&mut listed.game, &listed.own[0], &listed.worker, 0);
    for actor in &listed.honest {
        listed
            .game
            .commit_vote(actor, &audit, VALID, [9; 32])
            .unwrap();
    }
    listed.strike();
    let Listed {
        mut game,
        worker,
        honest: [first, second, third],
        own,
    } = listed;
    game.warp(START + 51);
    for actor in [&first, &second, &third] {
        game.reveal_vote(actor, &audit, VALID, [9; 32]).unwrap();
    }
    assert_eq!(
        settle(&mut game, &audit, &[&first, &second, &third]),
        Outcome::Acquitted
    );
    assert_eq!(
        gains(&mut game, [&own[0], &worker, &first, &second, &third]),
        [-200_000, 60_000, 40_000, 40_000, 40_000]
    );
}

/// Losing the gate never keeps stake, shares or bounty in.
#[test]
fn rules_changed_in_mid_case_by_a_gate_lock_nobody_in() {
    let mut game = Game::new(RulesArgs {
        worker_gate: gate(GateKind::Allowlist, Default::default(), 0, 0),
        ..rules()
    });
    game.fund_task(1_000_000).unwrap();
    let mut worker = game.stranger();
    let owner = worker.owner.pubkey();
    game.allow_node(0, &owner).unwrap();
    worker.gate_proof = Some(allow_address(&game.task, 0, &owner));
    game.join_task(&worker, 0, 1_000_000).unwrap();
    game.submit_work(&worker, 0).unwrap();
    game.disallow_node(0, &owner).unwrap();
    game.warp(START + 400);
    game.claim_bounty(&worker, 0).unwrap();
    game.warp(START + 1_000);
    refused(game.submit_work(&worker, 1), TaskError::GateClosed);
    assert_eq!(gains(&mut game, [&worker]), [100_000]);
}
