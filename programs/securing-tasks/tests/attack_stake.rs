//! Attacks with stake: carried off before a slash, moved about, multiplied, locked up, laundered.
//!
//! Unless a test says otherwise: a conviction for malice takes 2,000,000 of 4,000,000 (600,000 bonus, 200,000 pool, 1,200,000 voters);
//! a commitment pledges 50,000, an accusation 200,000; what is asked to leave waits 600 slots.

mod attack_kit;
mod common;

use attack_kit::*;
use bytemuck::Zeroable;
use common::*;
use securing_tasks::{Audit, GateKind, Node, Outcome, RulesArgs, VoteWeight};
use solana_signer::Signer;

/// A worker of 4,000,000 and three honest witnesses of 1,000,000; the worker submitted at START + 1.
struct Hunt {
    game: Game,
    accused: Actor,
    honest: [Actor; 3],
}

impl Hunt {
    fn new(rules: RulesArgs) -> Self {
        let mut game = Game::new(rules);
        let accused = game.worker(4_000_000);
        let honest = [(); 3].map(|()| game.witness(1_000_000));
        game.warp(START + 1);
        game.submit_work(&accused, 0).unwrap();
        Self {
            game,
            accused,
            honest,
        }
    }

    /// The first of the honest accuses, the others agree; what it came to.
    fn convict(&mut self) -> Outcome {
        let audit = accuse(&mut self.game, &self.honest[0], &self.accused, 0);
        let votes = [(&self.honest[1], MALICE), (&self.honest[2], MALICE)];
        decide(&mut self.game, &audit, &votes)
    }
}

// Self-slash.

/// One owner's worker, accuser and two voters: all votes are its own. Left alone they'd be out with everything at START + 602.
fn own_four(rules: RulesArgs) -> (Game, [Actor; 4]) {
    let mut game = Game::new(rules);
    let actors = [
        game.worker(4_000_000),
        game.witness(1_000_000),
        game.witness(1_000_000),
        game.witness(1_000_000),
    ];
    game.warp(START + 1);
    game.submit_work(&actors[0], 0).unwrap();
    game.warp(START + 2);
    (game, actors)
}

fn sum(game: &Game, actors: &[Actor]) -> i64 {
    actors.iter().map(|actor| gain(game, actor)).sum()
}

/// The slash comes back as locked shares: 200 slots later than leaving at once would, and without the pool's 200,000.
#[test]
fn self_slash_to_leave_fast_leaves_later_and_with_less() {
    let (mut game, own) = own_four(rules());
    let audit = accuse(&mut game, &own[1], &own[0], 0);
    for voter in &own[2..] {
        game.cast_vote(voter, &audit, MALICE).unwrap();
    }
    for actor in &own {
        game.request_leave(actor, None).unwrap();
    }
    assert_eq!(
        settle(&mut game, &audit, &[&own[2], &own[3]]),
        Outcome::ConvictedMalice
    );
    for actor in &own {
        refused(game.withdraw(actor), TaskError::NothingToWithdraw);
    }
    // Here the honest owner has everything.
    game.warp(START + 602);
    for actor in &own {
        game.withdraw(actor).unwrap();
    }
    assert_eq!(sum(&game, &own), -2_000_000);
    game.warp(START + 801);
    for actor in &own[1..] {
        refused(game.withdraw(actor), TaskError::NothingToWithdraw);
    }
    game.warp(START + 802);
    for actor in &own[1..] {
        game.withdraw(actor).unwrap();
    }
    assert_eq!(sum(&game, &own), -200_000);
}

/// Not defended: where the pool can't pay a round's bounty and nobody else works, the pool's part of a self-slash comes back as the next
/// rounds' bounties, which leave at once. Of 2,000,000, here 1,800,000 is out at START + 2,400 where leaving takes 100,000 slots. All of it
/// was slashed, so no vote or work of it is at risk any more; and every other worker of those rounds has an equal part.
#[test]
fn self_slash_to_leave_fast_through_an_empty_pool_pays_all_who_work_in_the_next_rounds() {
    let rules = RulesArgs {
        leave_delay_slots: 100_000,
        initiator_bonus_bps: 1_000,
        pool_bps: 9_000,
        bounty_per_round: 1_000_000,
        ..rules()
    };
    for others in [0, 1] {
        let (mut game, own) = own_four(rules.clone());
        let rivals: Vec<_> = (0..others).map(|_| game.worker(1_000_000)).collect();
        let audit = accuse(&mut game, &own[1], &own[0], 0);
        let votes = [(&own[2], MALICE), (&own[3], MALICE)];
        decide(&mut game, &audit, &votes);
        for round in 1..3 {
            game.warp(START + 1_000 * round);
            game.submit_work(&own[0], round).unwrap();
            for rival in &rivals {
                game.submit_work(rival, round).unwrap();
            }
            game.warp(START + 1_000 * round + 400);
            game.claim_bounty(&own[0], round).unwrap();
            game.withdraw(&own[0]).unwrap();
        }
        let before = -4_000_000;
        let out = gain(&game, &own[0]) - before;
        assert_eq!(out, if others == 0 { 1_800_000 } else { 900_000 });
    }
}

/// Not defended, but it never pays: who expects to be caught accuses itself first, for bonus and one share. The slash still costs
/// 2,000,000 - 600,000 - 400,000 = 1,000,000: what pool and honest voters have.
#[test]
fn self_slash_for_the_bonus_still_costs_the_shares_of_pool_and_voters() {
    let Hunt {
        mut game,
        accused,
        honest,
    } = Hunt::new(rules());
    // A second key in the place of an honest accuser.
    let [second_key, first, second] = &honest;
    let audit = accuse(&mut game, second_key, &accused, 0);
    decide(&mut game, &audit, &[(first, MALICE), (second, MALICE)]);
    // Three votes: 400,000 each.
    let [accused, second_key] = gains(&mut game, [&accused, second_key]);
    assert_eq!((accused, second_key), (-2_000_000, 600_000 + 400_000));
    assert_eq!(accused + second_key, -(200_000 + 2 * 400_000));
}

// Leaving before the slash.

/// Asks to leave in the submission's own slot; the last possible audit is still over before the delay is, and an audit that nobody
/// resolves holds everything.
#[test]
fn leaving_before_the_slash_is_slower_than_the_last_audit() {
    let Hunt {
        mut game,
        accused,
        honest: [initiator, first, second],
    } = Hunt::new(rules());
    game.request_leave(&accused, None).unwrap();
    game.warp(START + 399);
    let audit = accuse(&mut game, &initiator, &accused, 0);
    for voter in [&first, &second] {
        game.cast_vote(voter, &audit, MALICE).unwrap();
    }
    game.warp(START + 601);
    refused(game.withdraw(&accused), TaskError::NodeAccused);
    assert_eq!(
        settle(&mut game, &audit, &[&first, &second]),
        Outcome::ConvictedMalice
    );
    game.withdraw(&accused).unwrap();
    assert_eq!(gain(&game, &accused), -2_000_000);
}

/// In a task whose leave delay is as short as it may be, one slot shorter is refused at creation.
#[test]
fn leaving_before_the_slash_by_a_short_delay_is_refused_at_creation() {
    let mut game = Game::unborn(RulesArgs {
        leave_delay_slots: 599,
        ..rules()
    });
    refused(game.create_task(), TaskError::LeaveDelayTooShort);
}

/// 3,000,000 wait, ready to go since long, and go between submission and audit. Only 1,000,000 stood behind the work, and half of it is
/// slashed: as much as of an honest node of 1,000,000, which is what the active stake said.
#[test]
fn leaving_before_the_slash_with_stake_parked_at_the_door_leaves_the_minimum_at_risk() {
    let mut game = Game::new(rules());
    let parked = game.worker(4_000_000);
    let plain = game.worker(1_000_000);
    let honest = [(); 3].map(|()| game.witness(1_000_000));
    game.request_leave(&parked, Some(3_000_000)).unwrap();
    game.warp(START + 1_000);
    for worker in [&parked, &plain] {
        game.submit_work(worker, 1).unwrap();
    }
    assert_eq!(game.node(&parked).active().unwrap(), 1_000_000);
    game.withdraw(&parked).unwrap();
    for worker in [&parked, &plain] {
        let audit = accuse(&mut game, &honest[0], worker, 1);
        let votes = [(&honest[1], MALICE), (&honest[2], MALICE)];
        assert_eq!(decide(&mut game, &audit, &votes), Outcome::ConvictedMalice);
    }
    assert_eq!(gains(&mut game, [&parked, &plain]), [-500_000, -500_000]);
}

/// A leaving stake goes first in a slash: asking to leave protects nothing.
#[test]
fn leaving_before_the_slash_loses_the_leaving_part_first() {
    let mut hunt = Hunt::new(rules());
    hunt.game
        .request_leave(&hunt.accused, Some(3_000_000))
        .unwrap();
    assert_eq!(hunt.convict(), Outcome::ConvictedMalice);
    let node = hunt.game.node(&hunt.accused);
    assert_eq!(
        (node.stake.get(), node.leaving.get()),
        (2_000_000, 1_000_000)
    );
}

// Voters that leave.

/// A voter asks to leave in the slot of its vote: it stays 400 slots longer than the case.
#[test]
fn voter_leaving_with_its_vote_counted_waits_past_the_case() {
    let case = Case::audited(rules(), MALICE);
    let audit = case.audit();
    let Case {
        mut game,
        voters: [leaver, second, third],
        ..
    } = case;
    game.cast_vote(&leaver, &audit, VALID).unwrap();
    game.request_leave(&leaver, None).unwrap();
    let votes = [(&second, MALICE), (&third, MALICE)];
    decide(&mut game, &audit, &votes);
    assert_eq!(game.slot(), START + 202);
    game.claim_vote(&leaver, &audit).unwrap();
    game.warp(START + 601);
    refused(game.withdraw(&leaver), TaskError::NothingToWithdraw);
    // The vote is still there, so the node can't be closed.
    game.warp(START + 602);
    game.withdraw(&leaver).unwrap();
    refused(game.close_node(&leaver), TaskError::NotEmpty);
    assert_eq!(gain(&game, &leaver), 0);
    // Its share waits like everyone's.
    game.warp(START + 802);
    game.withdraw(&leaver).unwrap();
    assert_eq!(gain(&game, &leaver), 300_000);
}

// Stuck locks.

/// A griefer audits as often as it can to keep a worker from leaving. The worker resolves each audit itself; at the end of the delay
/// that it had anyway it is out. A third audit comes too late.
#[test]
fn stuck_lock_griefing_ends_before_the_leave_delay_does() {
    let Hunt {
        mut game,
        accused,
        honest: [griefer, ..],
    } = Hunt::new(rules());
    game.request_leave(&accused, None).unwrap();
    for attempt in 0..2 {
        let audit = accuse(&mut game, &griefer, &accused, 0);
        refused(game.withdraw(&accused), TaskError::NodeAccused);
        game.warp(START + 201 + 200 * attempt);
        let resolve = game.resolve_audit_ix(&audit);
        game.send(&[resolve], &[&accused.operator]).unwrap();
    }
    refused(
        game.open_audit(&griefer, &accused, 0, MALICE),
        TaskError::AuditWindowClosed,
    );
    game.warp(START + 601);
    game.withdraw(&accused).unwrap();
    assert_eq!(gain(&game, &accused), 0);
    assert_eq!(gains(&mut game, [&griefer]), [0]);
}

/// Where work is taken during whole rounds and three votes outlast one, thin audits keep a busy worker's stake from leaving, at the price
/// of a bond tied all the while; its bounties it takes all the same, and one case after its last submission its stake is free.
#[test]
fn stuck_lock_on_a_busy_worker_holds_its_stake_and_never_its_bounties() {
    let mut game = Game::new(RulesArgs {
        submission_slots: 1_000,
        reveal_slots: 400,
        leave_delay_slots: 1_700,
        ..rules()
    });
    game.fund_task(1_000_000).unwrap();
    let worker = game.worker(4_000_000);
    let griefer = game.witness(2_000_000);
    let mut last = None;
    for round in 0..4 {
        let start = START + 1_000 * round + 1;
        game.warp(start);
        game.submit_work(&worker, round).unwrap();
        let mut open = accuse(&mut game, &griefer, &worker, round);
        if let Some(last) = last {
            settle(&mut game, &last, &[]);
        }
        // The end of one and the begin of the next in one transaction, so that nothing comes between.
        for attempt in 1..3 {
            refused(game.withdraw(&worker), TaskError::NodeAccused);
            game.warp(start + 400 * u64::from(attempt));
            let turn = [
                game.resolve_audit_ix(&open),
                game.open_audit_ix(&griefer, &worker, round, MALICE),
            ];
            game.send(&turn, &[&griefer.operator]).unwrap();
            open = game.audit(&worker, round, attempt);
        }
        refused(game.withdraw(&worker), TaskError::NodeAccused);
        if round > 0 {
            game.claim_bounty(&worker, round - 1).unwrap();
            game.withdraw(&worker).unwrap();
        }
        last = Some(open);
    }
    settle(&mut game, &last.unwrap(), &[]);
    assert_eq!(game.slot(), START + 3_000 + 1 + 1_200);
    assert_eq!(gain(&game, &worker), -4_000_000 + 300_000);
    assert_eq!(gains(&mut game, [&griefer]), [0]);
}

/// Shares lie in two boxes: a drip of new ones never puts off the old. The first leaves on its slot, the others after less than twice
/// the delay.
#[test]
fn stuck_lock_by_a_drip_of_small_shares_never_puts_off_the_old_ones() {
    let mut game = Game::new(rules());
    let workers = [(); 3].map(|()| game.worker(4_000_000));
    let [victim, griefer, second] = [(); 3].map(|()| game.witness(2_000_000));
    game.warp(START + 1);
    for worker in &workers {
        game.submit_work(worker, 0).unwrap();
    }
    let mut audits = vec![];
    for (worker, slot) in workers.iter().zip([1, 101, 301]) {
        game.warp(START + slot);
        let audit = accuse(&mut game, &griefer, worker, 0);
        for voter in [&victim, &second] {
            game.cast_vote(voter, &audit, MALICE).unwrap();
        }
        audits.push(audit);
        // Ends 200 slots after it opened: the first when the third opens.
        if slot == 101 {
            settle(&mut game, &audits[0], &[&victim]);
        }
    }
    settle(&mut game, &audits[1], &[&victim]);
    settle(&mut game, &audits[2], &[&victim]);
    // 400,000 at START + 201, again at 301 and at 501.
    assert_eq!(game.slot(), START + 501);
    game.warp(START + 801);
    game.withdraw(&victim).unwrap();
    assert_eq!(gain(&game, &victim), -2_000_000 + 400_000);
    game.warp(START + 1_100);
    refused(game.withdraw(&victim), TaskError::NothingToWithdraw);
    game.warp(START + 1_101);
    game.withdraw(&victim).unwrap();
    assert_eq!(gain(&game, &victim), -2_000_000 + 1_200_000);
}

// Pause and retirement.

/// Pausing lifts no delay, and blocks no verdict, claim or withdrawal.
#[test]
fn pause_as_an_exit_lifts_no_delay_and_blocks_no_claim() {
    let case = Case::audited(committed(), MALICE);
    let audit = case.audit();
    let Case {
        mut game,
        accused,
        initiator,
        voters: [first, second, third],
    } = case;
    game.fund_task(1_000_000).unwrap();
    game.request_leave(&accused, None).unwrap();
    game.pause_task().unwrap();
    refused(game.withdraw(&accused), TaskError::NodeAccused);
    for voter in [&first, &second, &third] {
        game.commit_vote(voter, &audit, MALICE, [1; 32]).unwrap();
    }
    game.warp(START + 52);
    for voter in [&first, &second, &third] {
        game.reveal_vote(voter, &audit, MALICE, [1; 32]).unwrap();
    }
    settle(&mut game, &audit, &[&first, &second, &third]);
    game.warp(START + 601);
    refused(game.withdraw(&accused), TaskError::NothingToWithdraw);
    game.warp(START + 602);
    game.withdraw(&accused).unwrap();
    assert_eq!(gain(&game, &accused), -2_000_000);
    assert_eq!(
        gains(&mut game, [&initiator, &first, &second, &third]),
        [900_000, 300_000, 300_000, 300_000]
    );
}

/// Not defended: a creator that pauses right after a submission keeps it from being accused. The worker ends with what an honest one
/// has, the bounty out of the creator's own pool, and the task stands still meanwhile. An audit that is open goes on.
#[test]
fn pause_as_a_shield_costs_the_creator_the_bounty_and_the_task() {
    let mut game = Game::new(rules());
    game.fund_task(1_000_000).unwrap();
    let friend = game.worker(4_000_000);
    let initiator = game.witness(1_000_000);
    game.warp(START + 1);
    game.submit_work(&friend, 0).unwrap();
    game.pause_task().unwrap();
    refused(
        game.open_audit(&initiator, &friend, 0, MALICE),
        TaskError::TaskPaused,
    );
    let other = game.stranger();
    refused(game.join_task(&other, 0, 1_000_000), TaskError::TaskPaused);
    game.warp(START + 400);
    game.resume_task().unwrap();
    refused(
        game.open_audit(&initiator, &friend, 0, MALICE),
        TaskError::AuditWindowClosed,
    );
    game.claim_bounty(&friend, 0).unwrap();
    assert_eq!(gains(&mut game, [&friend]), [100_000]);
    game.retire_task().unwrap();
    assert_eq!(balance(&game.svm, &game.creator_wallet), WALLET - 100_000);
}

/// Retiring, which a creator can't take back, shields nobody.
#[test]
fn retire_as_a_shield_fails() {
    for pause_first in [false, true] {
        let mut hunt = Hunt::new(rules());
        if pause_first {
            hunt.game.pause_task().unwrap();
        }
        hunt.game.retire_task().unwrap();
        assert_eq!(hunt.convict(), Outcome::ConvictedMalice);
        assert_eq!(
            gains(&mut hunt.game, [&hunt.accused, &hunt.honest[0]]),
            [-2_000_000, 1_000_000]
        );
    }
}

// A verdict that nobody calls for, and one called for twice.

#[test]
fn slash_never_cranked_waits_for_whoever_comes_and_holds_the_accused() {
    let Hunt {
        mut game,
        accused,
        honest: [initiator, first, second],
    } = Hunt::new(rules());
    let audit = accuse(&mut game, &initiator, &accused, 0);
    for voter in [&first, &second] {
        game.cast_vote(voter, &audit, MALICE).unwrap();
    }
    game.request_leave(&accused, None).unwrap();
    // About eight years.
    game.warp(START + 600_000_000);
    refused(game.withdraw(&accused), TaskError::NodeAccused);
    let passer_by = key(&mut game.svm);
    let resolve = game.resolve_audit_ix(&audit);
    game.send(&[resolve], &[&passer_by]).unwrap();
    for voter in [&first, &second] {
        let claim = game.claim_vote_ix(voter, &audit);
        game.send(&[claim], &[&passer_by]).unwrap();
    }
    assert_eq!(
        gains(&mut game, [&accused, &initiator, &first, &second]),
        [-2_000_000, 1_000_000, 400_000, 400_000]
    );
}

#[test]
fn second_slash_for_one_fault_is_refused() {
    let mut hunt = Hunt::new(rules());
    assert_eq!(hunt.convict(), Outcome::ConvictedMalice);
    let audit = hunt.game.audit(&hunt.accused, 0, 0);
    refused(hunt.game.resolve_audit(&audit), TaskError::AlreadyResolved);
    for initiator in &hunt.honest {
        for accusation in [DOWNTIME, MALICE] {
            refused(
                hunt.game
                    .open_audit(initiator, &hunt.accused, 0, accusation),
                TaskError::AlreadyDecided,
            );
        }
    }
    assert_eq!(gains(&mut hunt.game, [&hunt.accused]), [-2_000_000]);
}

/// One submission costs 2,000,000, however many audits of it convict side by side and in whichever order their faults come: downtime
/// 400,000 and malice the rest. Whoever accused first has the bonus of what is taken, in that order.
#[test]
fn second_slash_by_audits_side_by_side_takes_no_more_than_one() {
    for (faults, bonuses, slashes) in [
        ([MALICE, MALICE, MALICE], [600_000, 0, 0], [2_000_000, 0, 0]),
        (
            [DOWNTIME, MALICE, DOWNTIME],
            [120_000, 480_000, 0],
            [400_000, 1_600_000, 0],
        ),
        (
            [DOWNTIME, DOWNTIME, MALICE],
            [120_000, 0, 480_000],
            [400_000, 0, 1_600_000],
        ),
        (
            [MALICE, DOWNTIME, DOWNTIME],
            [600_000, 0, 0],
            [2_000_000, 0, 0],
        ),
    ] {
        let mut game = Game::new(rules());
        let accused = game.worker(4_000_000);
        let accusers = [(); 3].map(|()| game.witness(1_000_000));
        let voters = [(); 2].map(|()| game.witness(1_000_000));
        game.warp(START + 1);
        game.submit_work(&accused, 0).unwrap();
        let audits: Vec<_> = accusers
            .iter()
            .zip(faults)
            .map(|(accuser, fault)| {
                let audit = game.next_audit(accuser, &accused, 0);
                game.open_audit(accuser, &accused, 0, fault).unwrap();
                for voter in &voters {
                    game.cast_vote(voter, &audit, fault).unwrap();
                }
                audit
            })
            .collect();
        game.warp(START + 201);
        let mut before = 4_000_000;
        for ((audit, accuser), (bonus, slash)) in audits
            .iter()
            .zip(&accusers)
            .zip(bonuses.into_iter().zip(slashes))
        {
            settle(&mut game, audit, &[&voters[0], &voters[1]]);
            let stake = game.node(&accused).stake.get();
            assert_eq!(before - stake, slash, "{faults:?}");
            before = stake;
            // 60 % by three.
            assert_eq!(game.node(accuser).locked.get(), bonus + slash / 5);
        }
        // One conviction, of the gravest fault.
        let node = game.node(&accused);
        assert_eq!(node.convictions_downtime.get(), 0);
        assert_eq!(node.convictions_malice.get(), 1);
        assert_eq!(gains(&mut game, [&accused]), [-2_000_000]);
    }
}

/// A friend that accuses second can't be first to the slash: audits of a submission are resolved in the order in which they were opened,
/// and the first can be resolved whenever the second can.
#[test]
fn bonus_taken_by_resolving_out_of_order_is_refused() {
    let mut game = Game::new(rules());
    let accused = game.worker(4_000_000);
    let [initiator, friend, first, second] = [(); 4].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    let honest = accuse(&mut game, &initiator, &accused, 0);
    let sham = accuse(&mut game, &friend, &accused, 0);
    for audit in [&honest, &sham] {
        for voter in [&first, &second] {
            game.cast_vote(voter, audit, MALICE).unwrap();
        }
    }
    game.warp(START + 201);
    refused(game.resolve_audit(&sham), TaskError::EarlierAuditOpen);
    game.resolve_audit(&honest).unwrap();
    game.resolve_audit(&sham).unwrap();
    for audit in [&honest, &sham] {
        for voter in [&first, &second] {
            game.claim_vote(voter, audit).unwrap();
        }
    }
    assert_eq!(
        gains(&mut game, [&accused, &initiator, &friend]),
        [-2_000_000, 1_000_000, 0]
    );
}

/// Two bad submissions cost twice, and never more than the node holds: both slashes are of the stake at their own audit.
#[test]
fn second_slash_for_a_second_fault_takes_what_is_left_at_most() {
    let rules = RulesArgs {
        submission_slots: 1_000,
        leave_delay_slots: 1_500,
        malice_bps: 10_000,
        worker_min_stake: 200_000,
        ..rules()
    };
    let mut game = Game::new(rules);
    let accused = game.worker(4_000_000);
    let [initiator, first, second] = [(); 3].map(|()| game.witness(1_000_000));
    game.warp(START + 999);
    game.submit_work(&accused, 0).unwrap();
    game.warp(START + 1_000);
    game.submit_work(&accused, 1).unwrap();
    let audits = [0, 1].map(|round| accuse(&mut game, &initiator, &accused, round));
    for audit in &audits {
        for voter in [&first, &second] {
            game.cast_vote(voter, audit, MALICE).unwrap();
        }
    }
    for audit in &audits {
        settle(&mut game, audit, &[&first, &second]);
    }
    // 4,000,000 once, and nothing the second time.
    let [accused, initiator, first, second] =
        gains(&mut game, [&accused, &initiator, &first, &second]);
    assert_eq!(accused, -4_000_000);
    assert_eq!(
        accused + initiator + first + second,
        -(game.task().pool.get() as i64)
    );
}

// One stake, many nodes.

/// The stake of one vote is at another node when the case is over, and not before.
#[test]
fn same_stake_through_many_nodes_votes_once_in_a_case() {
    let Hunt {
        mut game,
        accused,
        honest: [initiator, voter, _],
    } = Hunt::new(rules());
    let audit = accuse(&mut game, &initiator, &accused, 0);
    game.cast_vote(&voter, &audit, VALID).unwrap();
    game.request_leave(&voter, None).unwrap();
    refused(game.withdraw(&voter), TaskError::NothingToWithdraw);
    // With other money in its place, the next node is too late.
    let next = game.witness(1_000_000);
    refused(
        game.cast_vote(&next, &audit, VALID),
        TaskError::JoinedAfterSubmission,
    );
    game.warp(START + 601);
    settle(&mut game, &audit, &[&voter]);
    game.withdraw(&voter).unwrap();
}

/// Moved before the submission, the stake votes at the node that has it, and not at the one that had it.
#[test]
fn same_stake_through_many_nodes_one_after_another_votes_at_the_last() {
    let mut game = Game::new(rules());
    let accused = game.worker(4_000_000);
    let initiator = game.witness(1_000_000);
    let nodes = [game.witness(1_000_000), game.stranger(), game.stranger()];
    for pair in nodes.windows(2) {
        game.request_leave(&pair[0], None).unwrap();
        game.warp(game.slot() + 600);
        game.withdraw(&pair[0]).unwrap();
        game.join_task(&pair[1], 1, 1_000_000).unwrap();
    }
    game.warp(START + 2_000);
    game.submit_work(&accused, 2).unwrap();
    let audit = accuse(&mut game, &initiator, &accused, 2);
    for node in &nodes[..2] {
        refused(
            game.cast_vote(node, &audit, VALID),
            TaskError::StakeTooRecent,
        );
    }
    game.cast_vote(&nodes[2], &audit, VALID).unwrap();
    assert_eq!(game.get::<Audit>(&audit).votes.stake[0].get(), 1_000_000);
}

/// Halves of one stake: what left for the second node doesn't vote at the first.
#[test]
fn same_stake_through_many_nodes_in_parts_weighs_its_parts() {
    let mut game = Game::new(by_stake());
    let accused = game.worker(4_000_000);
    let initiator = game.witness(1_000_000);
    let first = game.witness(2_000_000);
    game.request_leave(&first, Some(1_000_000)).unwrap();
    game.warp(START + 600);
    game.withdraw(&first).unwrap();
    let second = game.stranger();
    game.join_task(&second, 1, 1_000_000).unwrap();
    game.warp(START + 1_000);
    game.submit_work(&accused, 1).unwrap();
    let audit = accuse(&mut game, &initiator, &accused, 1);
    for node in [&first, &second] {
        game.cast_vote(node, &audit, VALID).unwrap();
    }
    assert_eq!(game.get::<Audit>(&audit).votes.stake[0].get(), 2_000_000);
}

/// A node that an account needs can't be closed, so nobody starts anew within a case. One that nothing needs can, and is too late for
/// the case then.
#[test]
fn leave_and_rejoin_within_one_case_is_refused_or_too_late() {
    let mut game = Game::new(rules());
    let accused = game.worker(4_000_000);
    let [initiator, voter, idle] = [(); 3].map(|()| game.witness(1_000_000));
    game.request_leave(&idle, None).unwrap();
    game.warp(START + 1_000);
    game.submit_work(&accused, 1).unwrap();
    for actor in [&accused, &voter] {
        game.request_leave(actor, None).unwrap();
    }
    game.cancel_leave(&voter).unwrap();
    let audit = accuse(&mut game, &initiator, &accused, 1);

    // Out for long, it comes back with an eye on the case.
    game.withdraw(&idle).unwrap();
    game.close_node(&idle).unwrap();
    game.join_task(&idle, 1, 1_000_000).unwrap();
    refused(
        game.cast_vote(&idle, &audit, VALID),
        TaskError::JoinedAfterSubmission,
    );
    refused(
        game.cast_vote(&voter, &audit, VALID),
        TaskError::StakeTooRecent,
    );
    // The accused, out of everything after the case, can't close before its submission is settled, and can't join twice.
    game.warp(START + 1_600);
    game.resolve_audit(&audit).unwrap();
    game.withdraw(&accused).unwrap();
    refused(game.close_node(&accused), TaskError::NotEmpty);
    fails(game.join_task(&accused, 0, 1_000_000));
}

// Bonds and deposits as a hiding place.

/// A sham audit against its own second worker. What the owner of both loses when the first is convicted, with and without the sham, when
/// honest nodes vote in it or don't.
fn carried_away(sham: bool, honest_vote: bool) -> i64 {
    let mut game = Game::new(rules());
    let guilty = game.worker(4_000_000);
    let own = game.worker(1_000_000);
    let [initiator, first, second] = [(); 3].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    game.submit_work(&guilty, 0).unwrap();
    game.submit_work(&own, 0).unwrap();
    let hiding = sham.then(|| accuse(&mut game, &guilty, &own, 0));
    let audit = accuse(&mut game, &initiator, &guilty, 0);
    if let (Some(hiding), true) = (&hiding, honest_vote) {
        for voter in [&first, &second] {
            game.cast_vote(voter, hiding, VALID).unwrap();
        }
    }
    let votes = [(&first, MALICE), (&second, MALICE)];
    decide(&mut game, &audit, &votes);
    if let Some(hiding) = &hiding {
        let voters: &[&Actor] = if honest_vote { &[&first, &second] } else { &[] };
        settle(&mut game, hiding, voters);
    }
    gains(&mut game, [&guilty, &own]).iter().sum()
}

/// A bond stays in the stake and within a slash's reach. Two honest votes in the sham cost 200,000 - 60,000 on top: no more of a bond
/// comes back to a friend who is acquitted than of a slash to a friend who accuses first.
#[test]
fn bond_to_carry_stake_away_saves_nothing() {
    assert_eq!(carried_away(false, false), -2_000_000);
    assert_eq!(carried_away(true, false), -2_000_000);
    assert_eq!(carried_away(true, true), -2_140_000);
}

/// An accused node with bonds and deposits out of all its stake: the slash is the same, and what it pledged it loses out of the rest.
#[test]
fn pledges_of_an_accused_node_hide_nothing_from_its_slash() {
    let rules = RulesArgs {
        initiator_bond: 500_000,
        vote_deposit: 500_000,
        ..committed()
    };
    for pledges in [false, true] {
        let mut game = Game::new(rules.clone());
        let accused = game.worker(4_000_000);
        let own = [(); 2].map(|()| game.worker(1_000_000));
        let [initiator, first, second] = [(); 3].map(|()| game.witness(1_000_000));
        game.warp(START + 1);
        for worker in [&accused, &own[0], &own[1]] {
            game.submit_work(worker, 0).unwrap();
        }
        let audit = accuse(&mut game, &initiator, &accused, 0);
        let mut shams = vec![];
        if pledges {
            shams = [&own[0], &own[1]]
                .map(|worker| accuse(&mut game, &accused, worker, 0))
                .into();
            let others = [&own[0], &own[1]].map(|worker| accuse(&mut game, &first, worker, 0));
            for other in &others {
                game.commit_vote(&accused, other, VALID, [1; 32]).unwrap();
            }
        }
        for case in [&audit].into_iter().chain(&shams) {
            for voter in [&first, &second] {
                game.commit_vote(
                    voter,
                    case,
                    if *case == audit { MALICE } else { VALID },
                    [1; 32],
                )
                .unwrap();
            }
        }
        game.warp(START + 51);
        for case in [&audit].into_iter().chain(&shams) {
            for voter in [&first, &second] {
                game.reveal_vote(
                    voter,
                    case,
                    if *case == audit { MALICE } else { VALID },
                    [1; 32],
                )
                .unwrap();
            }
        }
        assert_eq!(
            settle(&mut game, &audit, &[&first, &second]),
            Outcome::ConvictedMalice
        );
        assert_eq!(game.node(&accused).stake.get(), 2_000_000);
        for sham in &shams {
            assert_eq!(
                settle(&mut game, sham, &[&first, &second]),
                Outcome::Acquitted
            );
        }
        if pledges {
            for worker in &own {
                let other = game.audit(worker, 0, 1);
                game.resolve_audit(&other).unwrap();
                game.claim_vote(&accused, &other).unwrap();
            }
        }
        let left = if pledges { 0 } else { 2_000_000 };
        assert_eq!(game.node(&accused).stake.get(), left);
    }
}

/// A witness of 1,000,000 with deposits of 12 commitments, 600,000, of which it reveals none; 500,000 of its stake asked to leave long ago.
/// What it can take before the claims is what isn't pledged, and what it has in the end.
#[test]
fn withdrawing_while_pledged_leaves_the_pledges() {
    let mut game = Game::new(committed());
    let workers = [(); 12].map(|()| game.worker(1_000_000));
    let [leaver, initiator] = [1_000_000, 3_000_000].map(|stake| game.witness(stake));
    game.request_leave(&leaver, Some(500_000)).unwrap();
    game.warp(START + 1_000);
    for worker in &workers {
        game.submit_work(worker, 1).unwrap();
    }
    let audits: Vec<_> = workers
        .iter()
        .map(|worker| accuse(&mut game, &initiator, worker, 1))
        .collect();
    for audit in &audits {
        game.commit_vote(&leaver, audit, VALID, [1; 32]).unwrap();
    }
    // Its delay is over since long; 400,000 of the 500,000 are free.
    game.withdraw(&leaver).unwrap();
    assert_eq!(gain(&game, &leaver), -1_000_000 + 400_000);
    refused(game.withdraw(&leaver), TaskError::StakePledged);
    // Another delay later it is no other.
    game.request_leave(&leaver, None).unwrap();
    game.warp(START + 1_600);
    refused(game.withdraw(&leaver), TaskError::StakePledged);
    for audit in &audits {
        settle(&mut game, audit, &[&leaver]);
    }
    assert_eq!(game.task().pool.get(), 600_000);
    refused(game.withdraw(&leaver), TaskError::NothingToWithdraw);
    assert_eq!(gain(&game, &leaver), -600_000);
}

/// The same where a slash comes in between: what is left is less than what is pledged, and none of it leaves before the claims.
#[test]
fn withdrawing_while_pledged_after_a_slash_leaves_what_there_is() {
    let mut game = Game::new(committed());
    let workers = [(); 12].map(|()| game.worker(1_000_000));
    let leaver = game.worker(1_000_000);
    let [initiator, first, second] = [(); 3].map(|()| game.witness(3_000_000));
    game.warp(START + 1);
    for worker in workers.iter().chain([&leaver]) {
        game.submit_work(worker, 0).unwrap();
    }
    let audits: Vec<_> = workers
        .iter()
        .map(|worker| accuse(&mut game, &initiator, worker, 0))
        .collect();
    for audit in &audits {
        game.commit_vote(&leaver, audit, VALID, [1; 32]).unwrap();
    }
    let own = accuse(&mut game, &initiator, &leaver, 0);
    for voter in [&first, &second] {
        game.commit_vote(voter, &own, MALICE, [1; 32]).unwrap();
    }
    game.request_leave(&leaver, None).unwrap();
    game.warp(START + 51);
    for voter in [&first, &second] {
        game.reveal_vote(voter, &own, MALICE, [1; 32]).unwrap();
    }
    game.warp(START + 601);
    refused(game.withdraw(&leaver), TaskError::NodeAccused);
    settle(&mut game, &own, &[&first, &second]);
    // 500,000 are there, 600,000 pledged.
    refused(game.withdraw(&leaver), TaskError::StakePledged);
    for audit in &audits[..10] {
        settle(&mut game, audit, &[&leaver]);
    }
    assert_eq!(game.node(&leaver).stake.get(), 0);
    for audit in &audits[10..] {
        settle(&mut game, audit, &[&leaver]);
    }
    assert_eq!(game.task().pool.get(), 50_000 + 500_000);
    assert_eq!(gain(&game, &leaver), -1_000_000);
}

// Accusations without end.

/// Windows with room for many audits of 100 slots.
fn roomy() -> RulesArgs {
    RulesArgs {
        audit_slots: 700,
        reveal_slots: 100,
        leave_delay_slots: 900,
        ..rules()
    }
}

/// A flood of accusations of one good submission by a witness of 1,100,000. Five are open at once and the sixth is refused; two honest
/// witnesses vote in all of them or sleep. What came of them, and what worker, griefer and one honest have more.
fn flood(awake: bool) -> (Vec<Outcome>, [i64; 3]) {
    let Hunt {
        mut game,
        accused: worker,
        honest: [first, second, _],
    } = Hunt::new(rules());
    let griefer = game.witness(1_100_000);
    game.warp(START + 1_000);
    game.submit_work(&worker, 1).unwrap();
    let audits: Vec<_> = (0..5)
        .map(|_| accuse(&mut game, &griefer, &worker, 1))
        .collect();
    refused(
        game.open_audit(&griefer, &worker, 1, MALICE),
        TaskError::StakePledged,
    );
    // Nobody else is kept from accusing, nor the worker from anything.
    let honest = accuse(&mut game, &first, &worker, 1);
    let mut voters: Vec<&Actor> = vec![];
    if awake {
        voters = vec![&first, &second];
    }
    for audit in &audits {
        for voter in &voters {
            game.cast_vote(voter, audit, VALID).unwrap();
        }
    }
    let outcomes = audits
        .iter()
        .map(|audit| settle(&mut game, audit, &voters))
        .collect();
    settle(&mut game, &honest, &[]);
    game.fund_task(1).unwrap();
    game.warp(START + 1_400);
    game.claim_bounty(&worker, 1).unwrap();
    (outcomes, gains(&mut game, [&worker, &griefer, &first]))
}

/// The price of as many accusations at once as a stake has bonds is that stake, where two are awake; it costs nothing where all sleep, and
/// comes to nothing.
#[test]
fn flood_of_accusations_is_bounded_by_the_stake_and_costs_it() {
    assert_eq!(
        flood(true),
        (
            vec![Outcome::Acquitted; 5],
            [5 * 60_000, -5 * 200_000, 5 * 60_000]
        )
    );
    assert_eq!(flood(false), (vec![Outcome::NoVerdict; 5], [0; 3]));
}

/// An acquittal bars nothing, so that good work is accused again and again, until the audit window ends: here eight times of 100 slots each.
/// Each costs a bond, of which the worker has its part; the bounty is paid when the last is over.
#[test]
fn harassment_of_an_acquitted_worker_ends_with_the_audit_window_and_costs_a_bond_each() {
    let mut game = Game::new(roomy());
    game.fund_task(1_000_000).unwrap();
    let worker = game.worker(4_000_000);
    let griefer = game.witness(3_000_000);
    let [first, second] = [(); 2].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    game.submit_work(&worker, 0).unwrap();
    let mut tries = 0;
    while game.slot() < START + 800 {
        let audit = accuse(&mut game, &griefer, &worker, 0);
        refused(game.claim_bounty(&worker, 0), TaskError::RoundUndecided);
        let votes = [(&first, VALID), (&second, VALID)];
        assert_eq!(decide(&mut game, &audit, &votes), Outcome::Acquitted);
        tries += 1;
    }
    assert_eq!((tries, game.slot()), (8, START + 801));
    refused(
        game.open_audit(&griefer, &worker, 0, MALICE),
        TaskError::AuditWindowClosed,
    );
    game.claim_bounty(&worker, 0).unwrap();
    assert_eq!(
        gains(&mut game, [&worker, &griefer, &first]),
        [100_000 + 8 * 60_000, -8 * 200_000, 8 * 60_000]
    );
}

/// Commits in twenty audits out of its minimum of 500,000 and reveals nothing. Silence is no vote and helps no side: the honest decide all
/// of them. The first ten claims take all it has; the other ten silences cost it nothing more.
#[test]
fn committing_everywhere_and_revealing_nothing_costs_the_stake_and_stops_nothing() {
    let mut game = Game::new(RulesArgs {
        vote_weight: VoteWeight::Stake as u8,
        ..committed()
    });
    let workers = [(); 20].map(|()| game.worker(1_000_000));
    let silent = game.witness(500_000);
    let [initiator, first, second] = [(); 3].map(|()| game.witness(4_000_000));
    game.warp(START + 1);
    for worker in &workers {
        game.submit_work(worker, 0).unwrap();
    }
    let audits: Vec<_> = workers
        .iter()
        .map(|worker| accuse(&mut game, &initiator, worker, 0))
        .collect();
    for audit in &audits {
        for voter in [&silent, &first, &second] {
            game.commit_vote(voter, audit, MALICE, [1; 32]).unwrap();
        }
    }
    game.warp(START + 51);
    for audit in &audits {
        for voter in [&first, &second] {
            game.reveal_vote(voter, audit, MALICE, [1; 32]).unwrap();
        }
    }
    for audit in &audits {
        assert_eq!(
            settle(&mut game, audit, &[&silent, &first, &second]),
            Outcome::ConvictedMalice
        );
    }
    assert_eq!(game.node(&silent).votes_unrevealed.get(), 20);
    assert_eq!(gain(&game, &silent), -500_000);
    assert_eq!(game.node(&silent).stake.get(), 0);
    // 10 % of twenty slashes, and ten deposits.
    assert_eq!(game.task().pool.get(), 20 * 50_000 + 500_000);
}

/// One lost deposit puts a witness at its minimum below it, and out of every case until it has added stake before the work.
#[test]
fn one_lost_deposit_at_the_minimum_shuts_a_node_out_until_it_adds_stake() {
    let mut game = Game::new(committed());
    let worker = game.worker(1_000_000);
    let silent = game.witness(500_000);
    let initiator = game.witness(1_000_000);
    let audit = |game: &mut Game, round| {
        game.warp(START + 1_000 * round + 1);
        game.submit_work(&worker, round).unwrap();
        accuse(game, &initiator, &worker, round)
    };
    let first = audit(&mut game, 0);
    game.commit_vote(&silent, &first, VALID, [1; 32]).unwrap();
    settle(&mut game, &first, &[&silent]);
    let second = audit(&mut game, 1);
    refused(
        game.commit_vote(&silent, &second, VALID, [1; 32]),
        TaskError::StakeTooRecent,
    );
    game.add_stake(&silent, 50_000).unwrap();
    refused(
        game.commit_vote(&silent, &second, VALID, [1; 32]),
        TaskError::StakeTooRecent,
    );
    let third = audit(&mut game, 2);
    game.commit_vote(&silent, &third, VALID, [1; 32]).unwrap();
}

/// Nobody adds to another's node, so that nobody fills the four places that an owner has for new stake in one case; an owner that did waits
/// for the oldest to be a case old.
#[test]
fn arrivals_of_a_node_are_filled_by_its_owner_alone() {
    let mut game = Game::new(rules());
    let victim = game.witness(500_000);
    let griefer = game.stranger();
    let add = game.add_stake_ix(&victim, 1);
    let by_griefer = swap(add, &victim.owner.pubkey(), &griefer.owner.pubkey());
    let with_his_own = swap(by_griefer, &victim.wallet, &griefer.wallet);
    refused(
        game.send(&[with_his_own], &[&griefer.owner]),
        TaskError::NotOwner,
    );
    // Joining was the first.
    for slot in 1..4 {
        game.warp(START + slot);
        game.add_stake(&victim, 1).unwrap();
    }
    game.warp(START + 599);
    refused(game.add_stake(&victim, 1), TaskError::StakeAddedTooOften);
    game.warp(START + 600);
    game.add_stake(&victim, 1).unwrap();
}

// A retired task's way out.

/// Work of the last slot, retirement in the same, an accusation in its own last slot. Paying out waits a leave delay, which no case of work
/// before the end outlasts, and then for verdict and claims: whoever is accused or pledged has lost what it loses. Shares are out at once
/// then; so is everyone who asked to leave when the task ended.
#[test]
fn return_of_stake_is_no_exit_before_verdict_and_claims() {
    let mut game = Game::new(committed());
    let accused = game.worker(4_000_000);
    let [initiator, first, second, silent] = [(); 4].map(|()| game.witness(1_000_000));
    game.warp(START + 99);
    game.submit_work(&accused, 0).unwrap();
    game.retire_task().unwrap();
    game.warp(START + 399);
    let audit = accuse(&mut game, &initiator, &accused, 0);
    for voter in [&first, &second, &silent] {
        game.commit_vote(voter, &audit, MALICE, [1; 32]).unwrap();
    }
    game.warp(START + 449);
    for voter in [&first, &second] {
        game.reveal_vote(voter, &audit, MALICE, [1; 32]).unwrap();
    }
    game.warp(START + 698);
    for actor in [&accused, &initiator, &first, &second, &silent] {
        refused(game.return_stake(actor), TaskError::NotReleased);
    }
    game.warp(START + 699);
    refused(game.return_stake(&accused), TaskError::NodeAccused);
    for actor in [&initiator, &silent] {
        refused(game.return_stake(actor), TaskError::StakePledged);
    }
    // Told its vote, and has nothing to lose any more.
    game.return_stake(&first).unwrap();
    settle(&mut game, &audit, &[&first, &second, &silent]);
    for actor in [&accused, &initiator, &first, &second, &silent] {
        game.return_stake(actor).unwrap();
    }
    // 1,200,000 among the initiator and two who revealed.
    let expected = [-2_000_000, 1_000_000, 400_000, 400_000, -50_000];
    let all = [&accused, &initiator, &first, &second, &silent];
    assert_eq!(all.map(|actor| gain(&game, actor)), expected);
}

// The quorum.

/// The accused's own stake never counts, wherever it was moved around the submission: 900,000,000 in before it and out after it.
#[test]
fn quorum_inflated_by_the_accuseds_own_stake_stays_what_it_was() {
    for (rules, eligible) in [(by_stake(), 3_000_000), (rules(), 3)] {
        let mut game = Game::new(rules);
        let accused = game.worker(4_000_000);
        let [initiator, first, second] = [(); 3].map(|()| game.witness(1_000_000));
        game.warp(START + 1);
        game.add_stake(&accused, 900_000_000).unwrap();
        game.submit_work(&accused, 0).unwrap();
        game.request_leave(&accused, Some(900_000_000)).unwrap();
        let audit = accuse(&mut game, &initiator, &accused, 0);
        assert_eq!(game.get::<Audit>(&audit).eligible_weight(), eligible);
        let votes = [(&first, MALICE), (&second, MALICE)];
        assert_eq!(decide(&mut game, &audit, &votes), Outcome::ConvictedMalice);
        // Half of all 904,000,000, since all of it was there when the audit opened.
        assert_eq!(gains(&mut game, [&accused]), [-452_000_000]);
    }
}

/// Not defended: a second key's stake that was there before and never votes. The price is four times the stake of all who vote, at a quorum
/// of 20 %, for a leave delay. What comes in the submission's own slot doesn't count.
#[test]
fn quorum_inflated_by_a_second_key_costs_four_times_the_voters_stake() {
    for (slot, stake, expected) in [
        (START, 12_000_000, Outcome::ConvictedMalice),
        (START, 12_000_001, Outcome::NoVerdict),
        (START + 1, 900_000_000, Outcome::ConvictedMalice),
    ] {
        let mut game = Game::new(by_stake());
        let accused = game.worker(4_000_000);
        let [initiator, first, second] = [(); 3].map(|()| game.witness(1_000_000));
        game.warp(slot);
        let idle = game.witness(stake);
        game.warp(START + 1);
        game.submit_work(&accused, 0).unwrap();
        let audit = accuse(&mut game, &initiator, &accused, 0);
        let votes = [(&first, MALICE), (&second, MALICE)];
        assert_eq!(decide(&mut game, &audit, &votes), expected);
        game.request_leave(&idle, None).unwrap();
        game.warp(game.slot() + 599);
        refused(game.withdraw(&idle), TaskError::NothingToWithdraw);
    }
}

/// Not defended: the same by heads that never vote. Four for each of three honest are not enough, one more is: 13 minimum stakes, locked for
/// a leave delay.
#[test]
fn quorum_inflated_by_heads_that_never_vote_costs_four_minimum_stakes_a_voter() {
    for (heads, expected) in [(12, Outcome::ConvictedMalice), (13, Outcome::NoVerdict)] {
        let mut game = Game::new(rules());
        let accused = game.worker(4_000_000);
        let [initiator, first, second] = [(); 3].map(|()| game.witness(1_000_000));
        for _ in 0..heads {
            game.witness(500_000);
        }
        game.warp(START + 1);
        game.submit_work(&accused, 0).unwrap();
        let audit = accuse(&mut game, &initiator, &accused, 0);
        let votes = [(&first, MALICE), (&second, MALICE)];
        assert_eq!(decide(&mut game, &audit, &votes), expected);
    }
}

/// What leaves before the audit opens doesn't count any more, nor what comes after the submission. Doing both is no cheaper than staying:
/// the stake that left and the stake that came wait for a leave delay each.
#[test]
fn quorum_inflated_only_at_the_submission_or_only_after_it_stays_what_it_was() {
    for (before, after, eligible) in [
        (true, false, 3_000_000),
        (false, true, 3_000_000),
        (true, true, 103_000_000),
    ] {
        let mut game = Game::new(by_stake());
        let accused = game.worker(4_000_000);
        let [initiator, ..] = [(); 3].map(|()| game.witness(1_000_000));
        let passing = before.then(|| game.witness(100_000_000));
        game.warp(START + 1);
        game.submit_work(&accused, 0).unwrap();
        if let Some(passing) = passing {
            game.request_leave(&passing, None).unwrap();
        }
        if after {
            game.witness(100_000_000);
        }
        let audit = accuse(&mut game, &initiator, &accused, 0);
        assert_eq!(game.get::<Audit>(&audit).eligible_weight(), eligible);
    }
}

/// Not defended: stake that asks to leave after the submission still votes on it, and is not in the quorum of an accusation that comes
/// later. So a third of the stake, or of the heads, has what half is asked for, where all others sleep. One of the others' votes more than
/// theirs, awake, and it fails as ever.
#[test]
fn quorum_lowered_by_leaving_is_met_by_a_third() {
    for vote_weight in [VoteWeight::Stake, VoteWeight::Node] {
        for (leave, awake, expected) in [
            (false, 0, Outcome::NoVerdict),
            (true, 0, Outcome::ConvictedMalice),
            (true, 2, Outcome::ConvictedMalice),
            (true, 4, Outcome::Acquitted),
        ] {
            let mut game = Game::new(RulesArgs {
                quorum_bps: 5_000,
                vote_weight: vote_weight as u8,
                ..rules()
            });
            let accused = game.worker(4_000_000);
            let [initiator, first, second] = [(); 3].map(|()| game.witness(1_000_000));
            let others = [(); 6].map(|()| game.witness(1_000_000));
            game.warp(START + 1);
            game.submit_work(&accused, 0).unwrap();
            if leave {
                for attacker in [&initiator, &first, &second] {
                    game.request_leave(attacker, None).unwrap();
                }
            }
            let audit = accuse(&mut game, &initiator, &accused, 0);
            let mut votes = vec![(&first, MALICE), (&second, MALICE)];
            votes.extend(others[..awake].iter().map(|voter| (voter, VALID)));
            let found = decide(&mut game, &audit, &votes);
            assert_eq!(found, expected, "{leave}, {awake} awake");
        }
    }
}

/// How a friend's stake of 900,000,000 comes too late to vote.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Late {
    Joins,
    /// To the minimum that its node has.
    Adds,
    /// Takes back a leave that it asked for before.
    Cancels,
    /// Leaves and takes it back, in one slot.
    LeavesAndCancels,
}

/// Whatever a friend does in the submission's own slot, before the submission, or in the next slot: what it can't vote with isn't in the
/// quorum, and what it could stays in it.
#[test]
fn quorum_inflated_by_a_young_node_stays_what_could_vote() {
    for (late, old) in [
        (Late::Joins, 0),
        (Late::Adds, 500_000),
        (Late::Cancels, 0),
        (Late::LeavesAndCancels, 900_000_000),
    ] {
        for in_slot in [true, false] {
            let mut game = Game::new(by_stake());
            let accused = game.worker(4_000_000);
            let [initiator, first, second] = [(); 3].map(|()| game.witness(1_000_000));
            let friend = match late {
                Late::Joins => game.stranger(),
                Late::Adds => game.witness(500_000),
                Late::Cancels | Late::LeavesAndCancels => game.witness(900_000_000),
            };
            if late == Late::Cancels {
                game.request_leave(&friend, None).unwrap();
            }
            game.warp(START + 1);
            if !in_slot {
                game.submit_work(&accused, 0).unwrap();
                game.warp(START + 2);
            }
            match late {
                Late::Joins => game.join_task(&friend, 1, 900_000_000).unwrap(),
                Late::Adds => game.add_stake(&friend, 900_000_000).unwrap(),
                Late::Cancels => game.cancel_leave(&friend).unwrap(),
                Late::LeavesAndCancels => {
                    game.request_leave(&friend, None).unwrap();
                    game.cancel_leave(&friend).unwrap()
                }
            };
            if in_slot {
                game.submit_work(&accused, 0).unwrap();
            }
            let audit = accuse(&mut game, &initiator, &accused, 0);
            let eligible = game.get::<Audit>(&audit).eligible_weight();
            assert_eq!(eligible, 3_000_000 + old, "{late:?} {in_slot}");
            let votes = [(&first, MALICE), (&second, MALICE)];
            let expected = if old < 900_000_000 {
                Outcome::ConvictedMalice
            } else {
                Outcome::NoVerdict
            };
            assert_eq!(decide(&mut game, &audit, &votes), expected);
        }
    }
}

// Audits that friends open.

/// Three friends accuse before anybody else, and nobody votes in theirs. The honest accuse all the same, beside them, and convict; the
/// friends have lost the bonus by their silence.
#[test]
fn three_accusers_use_no_audits_up() {
    let mut game = Game::new(roomy());
    let accused = game.worker(4_000_000);
    let friends = [(); 3].map(|()| game.witness(1_000_000));
    let [initiator, first, second] = [(); 3].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    let thin: Vec<_> = friends
        .iter()
        .map(|friend| accuse(&mut game, friend, &accused, 0))
        .collect();
    let honest = accuse(&mut game, &initiator, &accused, 0);
    for voter in [&first, &second] {
        game.cast_vote(voter, &honest, MALICE).unwrap();
    }
    for audit in &thin {
        assert_eq!(settle(&mut game, audit, &[]), Outcome::NoVerdict);
    }
    assert_eq!(
        settle(&mut game, &honest, &[&first, &second]),
        Outcome::ConvictedMalice
    );
    let [one, two, three] = &friends;
    assert_eq!(
        gains(&mut game, [&accused, one, two, three, &initiator]),
        [-2_000_000, 0, 0, 0, 1_000_000]
    );
}

/// In the last of the three, two honest votes convict, and the friend that accused has helped.
#[test]
fn three_accusers_lose_to_two_votes_in_the_last_of_their_audits() {
    let Hunt {
        mut game,
        accused,
        honest: [friend, first, second],
    } = Hunt::new(roomy());
    for _ in 0..2 {
        let audit = accuse(&mut game, &friend, &accused, 0);
        settle(&mut game, &audit, &[]);
    }
    let audit = accuse(&mut game, &friend, &accused, 0);
    let votes = [(&first, MALICE), (&second, MALICE)];
    assert_eq!(decide(&mut game, &audit, &votes), Outcome::ConvictedMalice);
    assert_eq!(
        gains(&mut game, [&accused, &friend, &first]),
        [-2_000_000, 1_000_000, 400_000]
    );
}

// Reputation.

/// A convicted node leaves, closes and joins again with a clean record: a new key would have one too. A gate that asks for paid rounds
/// lets neither in, since the paid rounds are gone with the convictions.
#[test]
fn reputation_laundered_by_closing_and_rejoining_is_that_of_a_stranger() {
    let mut game = Game::new(rules());
    game.fund_task(1_000_000).unwrap();
    let worker = game.worker(4_000_000);
    let [initiator, first, second] = [(); 3].map(|()| game.witness(1_000_000));
    // One paid round, and one conviction.
    game.submit_work(&worker, 0).unwrap();
    game.warp(START + 400);
    game.claim_bounty(&worker, 0).unwrap();
    game.close_submission(&worker, 0).unwrap();
    game.warp(START + 1_000);
    game.submit_work(&worker, 1).unwrap();
    let audit = accuse(&mut game, &initiator, &worker, 1);
    let votes = [(&first, MALICE), (&second, MALICE)];
    decide(&mut game, &audit, &votes);
    refused(game.close_node(&worker), TaskError::NotEmpty);

    // Another task asks for a paid round and no conviction, and one for no conviction alone.
    let first_task = game.task;
    let standing = |game: &mut Game, id, least| {
        game.rules.worker_gate = gate(GateKind::Standing, first_task, least, 0);
        game.next_task(id);
        let mut here = game.here(&worker);
        here.gate_proof = Some(worker.node);
        let sent = game.join_task(&here, 0, 1_000_000);
        game.enter(first_task);
        sent
    };
    refused(standing(&mut game, 1, 1), TaskError::GateClosed);
    refused(standing(&mut game, 2, 0), TaskError::GateClosed);

    for voter in [&first, &second] {
        game.close_vote(voter, &audit).unwrap();
    }
    game.close_audit(&audit).unwrap();
    game.warp(START + 1_400);
    game.close_submission(&worker, 1).unwrap();
    assert_eq!(gains(&mut game, [&worker]), [-2_000_000 + 100_000]);
    game.close_node(&worker).unwrap();
    game.join_task(&worker, 0, 1_000_000).unwrap();
    let node = game.node(&worker);
    assert_eq!(
        (node.rounds_paid.get(), node.convictions().unwrap()),
        (0, 0)
    );

    refused(standing(&mut game, 3, 1), TaskError::GateClosed);
    // Asking for no conviction alone asks for nothing: a key that was never seen passes as well.
    standing(&mut game, 4, 0).unwrap();
    assert_eq!(worker.owner.pubkey(), node.owner);
}

/// Not defended: in a retired task anyone may close a node that owns nothing, and the record that another task's gate asks for is gone. A
/// node that leaves its stake in keeps it for one leave delay; then anyone pays it out and closes it as well.
#[test]
fn reputation_of_a_node_ends_with_its_retired_task() {
    for (keeps_stake, waits) in [(true, false), (true, true), (false, false)] {
        let mut game = Game::new(rules());
        game.fund_task(1_000_000).unwrap();
        let worker = game.worker(1_000_000);
        let rival = key(&mut game.svm);
        game.submit_work(&worker, 0).unwrap();
        game.warp(START + 400);
        game.claim_bounty(&worker, 0).unwrap();
        game.close_submission(&worker, 0).unwrap();
        if !keeps_stake {
            assert_eq!(gains(&mut game, [&worker]), [100_000]);
        }
        let close = game.close_node_ix(&rival.pubkey(), &worker);
        refused(
            game.send(std::slice::from_ref(&close), &[&rival]),
            TaskError::NotRetired,
        );
        game.retire_task().unwrap();
        if waits {
            game.warp(START + 1_000);
            let pay_out = game.return_stake_ix(&worker);
            game.send(&[pay_out], &[&rival]).unwrap();
            assert_eq!(gain(&game, &worker), 100_000);
        }
        let closed = game.send(&[close], &[&rival]);
        game.rules.worker_gate = gate(GateKind::Standing, game.task, 1, 0);
        game.next_task(1);
        let mut here = game.here(&worker);
        here.gate_proof = Some(worker.node);
        let joined = game.join_task(&here, 0, 1_000_000);
        if keeps_stake && !waits {
            refused(closed, TaskError::NotEmpty);
            joined.unwrap();
        } else {
            closed.unwrap();
            refused(joined, TaskError::GateClosed);
        }
    }
}

// Nobody there to judge.

/// Not defended: only who was there before a submission can judge it. A worker that submits to a new task before any witness joined is paid
/// unseen, if there is something in the pool; funding the task once witnesses are there costs the attacker its round.
#[test]
fn first_worker_of_an_empty_task_is_paid_unseen_only_from_a_pool_filled_too_early() {
    for (early, paid) in [(true, 100_000), (false, 0)] {
        let mut game = Game::new(rules());
        if early {
            game.fund_task(1_000_000).unwrap();
        }
        let worker = game.worker(1_000_000);
        game.submit_work(&worker, 0).unwrap();
        let witness = game.witness(1_000_000);
        if !early {
            game.fund_task(1_000_000).unwrap();
        }
        game.warp(START + 1);
        refused(
            game.open_audit(&witness, &worker, 0, MALICE),
            TaskError::JoinedAfterSubmission,
        );
        game.warp(START + 400);
        game.claim_bounty(&worker, 0).unwrap();
        assert_eq!(gains(&mut game, [&worker]), [paid]);
    }
}

/// Stake of a mint made for it that is slashed, deposited anew and slashed again, all within one case: what was noted stays at the largest
/// number, and the node can still be judged, asked to leave and paid.
#[test]
fn more_than_all_tokens_can_be_slashed_within_one_case() {
    let rules = rules().check().unwrap();
    let most = u64::MAX;
    // As many slots as there are places, and one more, whose part counts with the last.
    for step in [0, 1] {
        let mut node = Node::zeroed();
        for place in 0..=4u64 {
            let slot = 100 + place * step;
            node.add_stake(most, slot, &rules).unwrap();
            assert_eq!(node.slash(most, slot, &rules).unwrap(), most);
            assert_eq!(node.stake.get(), 0);
        }
        let noted = node.slashed.parts.map(|one| one.amount.get());
        assert!(noted.contains(&most), "{noted:?}");
    }
}
