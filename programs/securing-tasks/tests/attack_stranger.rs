//! A stranger's attacks, of the pairs of rules that meet seldom: a slash of downtime and the minimum, leaving and the electorate, a gate on
//! a task that has ended, the accused's own stake and the quorum.
//!
//! Where an attack passes, the test shows its price, and beside it the same game without the attacker's move.

mod attack_kit;
mod common;

use anchor_lang::prelude::{Address, ProgramError};
use attack_kit::*;
use common::*;
use securing_tasks::{Audit, GateKind, Outcome, RewardRule, RulesArgs, VoteWeight};
use solana_signer::Signer;
use solana_transaction::InstructionError;

const WORKER: u8 = 0;
const WITNESS: u8 = 1;
const SALT: [u8; 32] = [9; 32];

/// What a case of many audits came to.
#[derive(Debug, PartialEq)]
struct Robbery {
    /// Votes of the honest that were taken.
    honest_votes: usize,
    /// Audits that ended with this outcome.
    malice: usize,
    /// Base units of the nodes at the end.
    attackers: u64,
    honest: u64,
}

/// One audit of each worker's work, all opened at once. Every worker tries to say `honest` in the audits of the others, the friends say
/// malice in all; then everything is revealed, resolved and claimed. A vote that isn't taken is refused with `refusal`.
fn judge(
    game: &mut Game,
    audits: &[Address],
    workers: &[&Actor],
    honest: u8,
    friends: &[&Actor],
    refusal: TaskError,
) -> (usize, usize) {
    let refusal = InstructionError::Custom(number(refusal));
    let open = game.rules.commit_slots == 0;
    let vote = |game: &mut Game, voter: &Actor, audit: &Address, opinion| {
        if open {
            game.cast_vote(voter, audit, opinion)
        } else {
            game.commit_vote(voter, audit, opinion, SALT)
        }
    };
    let mut votes = Vec::new();
    for (audit, accused) in audits.iter().zip(workers) {
        for voter in workers {
            if voter.node == accused.node {
                continue;
            }
            let sent = vote(game, voter, audit, honest);
            if sent.is_ok() {
                votes.push((*voter, audit, honest));
            } else {
                assert_eq!(failure(sent), refusal);
            }
        }
    }
    let taken = votes.len();
    for audit in audits {
        for friend in friends {
            vote(game, friend, audit, MALICE).unwrap();
            votes.push((*friend, audit, MALICE));
        }
    }
    if !open {
        let reveal = game.get::<Audit>(&audits[0]).reveal_slot.get();
        game.warp(reveal);
        for (voter, audit, opinion) in &votes {
            game.reveal_vote(voter, audit, *opinion, SALT).unwrap();
        }
    }
    let end = game.get::<Audit>(&audits[0]).end_slot.get();
    game.warp(end);
    let mut malice = 0;
    for audit in audits {
        game.resolve_audit(audit).unwrap();
        malice += usize::from(outcome(game, audit) == Outcome::ConvictedMalice);
    }
    for (voter, audit, _) in &votes {
        game.claim_vote(voter, audit).unwrap();
    }
    (taken, malice)
}

/// The number that the runtime shows for an error of the program.
fn number(error: TaskError) -> u32 {
    match error.into() {
        ProgramError::Custom(number) => number,
        _ => unreachable!("the program's errors are custom"),
    }
}

// A slash for downtime puts nodes at the minimum below it, and out of the jury.

/// Eight workers of `stake`, three attackers with 20 B in all: 3 of 11 heads. The services are flooded for some minutes, the daemons are
/// awake: all honest say downtime, truthfully, of each other. Resolving, which anyone may, takes a tenth. The attackers accuse all of malice
/// so many slots before that, or right after it.
fn outage(rules: RulesArgs, stake: u64, before: u64) -> Robbery {
    let mut game = Game::new(rules);
    let honest = [(); 8].map(|()| game.worker(stake));
    let friends = [10, 5, 5].map(|stake| game.witness(stake * B));
    let (workers, [accuser, voters @ ..]) = (all(&honest), all(&friends));
    game.warp(START + 1);
    for worker in workers {
        game.submit_work(worker, 0).unwrap();
    }
    let down = workers.map(|worker| {
        let audit = game.next_audit(accuser, worker, 0);
        game.open_audit(accuser, worker, 0, DOWNTIME).unwrap();
        for voter in workers {
            if voter.node != worker.node {
                game.cast_vote(voter, &audit, DOWNTIME).unwrap();
            }
        }
        audit
    });

    game.warp(START + 751 - before);
    let mut lies = [Address::default(); 8];
    if before > 0 {
        lies = workers.map(|worker| accuse(&mut game, accuser, worker, 0));
        for audit in &lies {
            // Seven of the ten are honest, awake and of age.
            let eligible = game.get::<Audit>(audit).eligible_weight();
            assert!([10, 7 * stake + 20 * B].contains(&eligible));
        }
        game.warp(START + 751);
    }
    for audit in &down {
        game.resolve_audit(audit).unwrap();
        assert_eq!(outcome(&game, audit), Outcome::ConvictedDowntime);
    }
    if before == 0 {
        lies = workers.map(|worker| accuse(&mut game, accuser, worker, 0));
    }
    let refusal = TaskError::StakeTooRecent;
    let (honest_votes, malice) = judge(&mut game, &lies, &workers, DOWNTIME, &voters, refusal);
    for (audit, accused) in down.iter().zip(workers) {
        for voter in workers {
            if voter.node != accused.node {
                game.claim_vote(voter, audit).unwrap();
            }
        }
    }
    Robbery {
        honest_votes,
        malice,
        attackers: held(&game, &all(&friends)),
        honest: held(&game, &workers),
    }
}

/// What a slash took since the work counts for the minimum: all 56 votes are taken, by node and by stake, whether the lie was opened before
/// the verdicts or after. The honest lose the tenth that was due, and the attackers their bonds.
#[test]
fn outage_of_workers_at_the_minimum_silences_nobody() {
    let half = || RulesArgs {
        quorum_bps: 5_000,
        vote_weight: VoteWeight::Stake as u8,
        reward_rule: RewardRule::Majority as u8,
        ..seed()
    };
    for (rules, stake, before) in [
        (seed(), 20 * B, 0),
        (seed(), 20 * B, 1),
        (half(), 20 * B, 0),
        (half(), 20 * B, 1),
        (seed(), 23 * B, 1),
    ] {
        let robbery = outage(rules, stake, before);
        assert_eq!((robbery.honest_votes, robbery.malice), (56, 0));
    }
}

/// Price: a juror at its minimum accuses work that was shown too late, and loses its bond, two fifths of it to the baiter. It keeps its say in
/// the cases of earlier work, and has none on later work until its owner adds stake.
#[test]
fn bait_silences_no_juror_at_its_minimum_in_cases_of_earlier_work() {
    for spare in [0, B / 2] {
        let mut game = Game::new(seed());
        let [victim, baiter] = [(); 2].map(|()| game.worker(20 * B));
        let juror = game.worker(20 * B + spare);
        let others = [(); 3].map(|()| game.witness(5 * B));
        game.warp(START + 1);
        for worker in [&victim, &baiter] {
            game.submit_work(worker, 0).unwrap();
        }
        let bait = accuse(&mut game, &juror, &baiter, 0);
        for voter in &others {
            game.cast_vote(voter, &bait, VALID).unwrap();
        }
        game.warp(START + 750);
        let lie = accuse(&mut game, &others[0], &victim, 0);
        game.warp(START + 751);
        game.resolve_audit(&bait).unwrap();
        assert_eq!(game.node(&baiter).locked.get(), B / 5);
        game.cast_vote(&juror, &lie, VALID).unwrap();
    }
}

// Who asks to leave is still at risk, and keeps its say.

/// Workers with 400 B, four witnesses of 10 B: 9 % of the stake. The task ends after the submissions; the honest leave at once, or not before
/// the last vote.
fn exodus(at_once: bool, round: u64) -> Robbery {
    let mut game = Game::new(strict());
    let honest = [(); 4].map(|()| game.worker(100 * B));
    let friends = [(); 4].map(|()| game.witness(10 * B));
    let (workers, [accuser, voters @ ..]) = (all(&honest), all(&friends));
    let start = START + round * strict().round_slots;
    game.warp(start + 1);
    for worker in workers {
        game.submit_work(worker, round).unwrap();
    }
    game.retire_task().unwrap();
    if at_once {
        for worker in workers {
            game.request_leave(worker, None).unwrap();
        }
    }
    game.warp(start + 2);
    let audits = workers.map(|worker| accuse(&mut game, accuser, worker, round));
    let refusal = TaskError::StakeTooRecent;
    let (honest_votes, malice) = judge(&mut game, &audits, &workers, VALID, &voters, refusal);
    Robbery {
        honest_votes,
        malice,
        attackers: held(&game, &all(&friends)),
        honest: held(&game, &workers),
    }
}

/// What asks to leave votes on the work from before, that of nodes that joined less than a longest case ago too: the attackers lose four
/// bonds, as where the honest wait for the last vote.
#[test]
fn exodus_leaves_nobody_to_whoever_stays() {
    for (at_once, round) in [(true, 2), (false, 2), (true, 0), (false, 0)] {
        let robbery = exodus(at_once, round);
        assert_eq!((robbery.honest_votes, robbery.malice), (12, 0));
        assert_eq!(robbery.attackers, 36 * B);
    }
}

/// All the honest leave when the task ends, one slot after a cheat showed its work and nobody had looked yet. They accuse it and convict it
/// with stake that leaves, though no other is left: bonds are pledged out of it.
#[test]
fn exodus_of_all_who_could_accuse_shields_no_cheat() {
    for rules in [seed(), strict()] {
        let mut game = Game::new(rules);
        let cheat = game.worker(100 * B);
        let honest = [(); 4].map(|()| game.witness(10 * B));
        let start = START + 2 * game.rules.round_slots;
        game.warp(start + 1);
        game.submit_work(&cheat, 2).unwrap();
        game.retire_task().unwrap();
        game.warp(start + 2);
        for witness in &honest {
            game.request_leave(witness, None).unwrap();
        }
        let [accuser, voters @ ..] = all(&honest);
        let audit = accuse(&mut game, accuser, &cheat, 2);
        let refusal = TaskError::StakeTooRecent;
        let (_, malice) = judge(&mut game, &[audit], &[&cheat], MALICE, &voters, refusal);
        assert_eq!((malice, held(&game, &[&cheat])), (1, 0));
    }
}

// A gate on a task that has ended.

/// Eight workers of 25 B who passed the gate by their nodes in a guild, which was retired a leave delay ago. Three witnesses of 20, 13 and
/// 13 B, members too; with `sweep` they pay the workers out of the guild, and close their nodes there, in the slot in which they accuse them.
fn guild(kind: GateKind, sweep: bool) -> Robbery {
    let mut game = Game::unborn(seed());
    game.next_task(7);
    let guild = game.task;
    let members = [(); 8].map(|()| game.witness(5 * B));
    let others = [(); 3].map(|()| game.witness(5 * B));
    game.retire_task().unwrap();
    game.warp(START + 4_500);

    let creator = game.creator.pubkey();
    let here = task_address(&creator, 0);
    game.enter(here);
    game.rules.worker_gate = gate(kind, guild, 0, 0);
    game.rules.witness_gate = gate(kind, guild, 0, 0);
    game.create_task().unwrap();
    let mut join = |member: &Actor, role, stake| {
        let mut here = game.here(member);
        here.gate_proof = Some(member.node);
        game.join_task(&here, role, stake).unwrap();
        here
    };
    let honest: [_; 8] = std::array::from_fn(|i| join(&members[i], WORKER, 25 * B));
    let friends: [_; 3] = std::array::from_fn(|i| join(&others[i], WITNESS, [20, 13, 13][i] * B));
    let (workers, [accuser, voters @ ..]) = (all(&honest), all(&friends));
    game.warp(START + 4_501);
    for worker in workers {
        game.submit_work(worker, 0).unwrap();
    }

    game.warp(START + 4_502);
    if sweep {
        game.enter(guild);
        for member in &members {
            let pay_out = game.return_stake_ix(member);
            game.by_anyone(pay_out).unwrap();
            if kind == GateKind::Standing {
                let close = game.close_node_ix(&creator, member);
                game.by_anyone(close).unwrap();
            }
        }
        game.enter(here);
    }
    let audits = workers.map(|worker| accuse(&mut game, accuser, worker, 0));
    let refusal = TaskError::GateClosed;
    let (honest_votes, malice) = judge(&mut game, &audits, &workers, VALID, &voters, refusal);
    Robbery {
        honest_votes,
        malice,
        attackers: held(&game, &all(&friends)),
        honest: held(&game, &workers),
    }
}

/// The sweep is open to anyone, and costs its fees. Nobody can join or submit by what was swept any more, but all who are there vote: no gate
/// but an allowlist is asked then.
#[test]
fn gate_on_an_ended_task_silences_nobody() {
    for kind in [GateKind::Member, GateKind::Standing] {
        for sweep in [false, true] {
            let robbery = guild(kind, sweep);
            assert_eq!((robbery.honest_votes, robbery.malice), (56, 0));
        }
    }
}

// The accused's own stake is no jury.

/// Price: not half of all stake but half of what is not the accused's, and one unit. With a quorum of 50 %, 68 B of 228 B take 100 B from a
/// worker that has 44 %, while two with 60 B vote against it.
#[test]
fn largest_stake_is_judged_by_half_of_the_others() {
    let mut game = Game::new(strict());
    let worker = game.worker(100 * B);
    let honest = [(); 2].map(|()| game.witness(30 * B));
    let friends = [(); 4].map(|()| game.witness(17 * B));
    let [accuser, voters @ ..] = all(&friends);
    game.warp(START + 1);
    game.submit_work(&worker, 0).unwrap();
    let audit = accuse(&mut game, accuser, &worker, 0);
    for voter in &honest {
        game.commit_vote(voter, &audit, VALID, SALT).unwrap();
    }
    for voter in voters {
        game.commit_vote(voter, &audit, MALICE, SALT).unwrap();
    }
    game.warp(START + 1_501);
    for voter in &honest {
        game.reveal_vote(voter, &audit, VALID, SALT).unwrap();
    }
    for voter in voters {
        game.reveal_vote(voter, &audit, MALICE, SALT).unwrap();
    }
    let result = settle(&mut game, &audit, &voters);
    assert_eq!(result, Outcome::ConvictedMalice);
    assert_eq!(held(&game, &all(&friends)), 68 * B + 90 * B);
}

// As many as the quorum's votes, and one who accuses.

/// A cheat with one friend, and so many honest witnesses, one of whom accuses. Answers the outcome and what the cheat has at the end.
fn awake(honest: usize) -> (Outcome, u64) {
    let mut game = Game::new(seed());
    game.fund_task(B).unwrap();
    let cheat = game.worker(20 * B);
    game.witness(5 * B);
    let awake: Vec<_> = (0..honest).map(|_| game.witness(5 * B)).collect();
    game.warp(START + 1);
    game.submit_work(&cheat, 0).unwrap();
    let audit = accuse(&mut game, &awake[0], &cheat, 0);
    let votes: Vec<_> = awake[1..].iter().map(|voter| (voter, MALICE)).collect();
    let outcome = decide(&mut game, &audit, &votes);
    game.warp(START + 1_350);
    let bounty = game.claim_bounty(&cheat, 0);
    assert_eq!(bounty.is_ok(), outcome == Outcome::NoVerdict);
    (outcome, held(&game, &[&cheat]))
}

/// Two that are awake, of three that are eligible, have the quorum's two votes and can't convict, since one of them must accuse: the cheat is
/// paid. It takes one head more than `quorum_votes`.
#[test]
fn quorum_of_votes_is_besides_the_accuser() {
    assert_eq!(awake(2), (Outcome::NoVerdict, 21 * B));
    assert_eq!(awake(3), (Outcome::ConvictedMalice, 0));
}

// Rent goes back to whatever its payer has become.

/// The hot keys that paid for audit and votes become a program, or hold data of some program.
#[test]
fn payer_that_becomes_something_else_keeps_nothing_open() {
    for becomes_a_program in [false, true] {
        let mut case = Case::audited(rules(), MALICE);
        case.vote(&[VALID, VALID, VALID]);
        case.resolve().unwrap();
        case.claim(3);
        let audit = case.audit();
        let keys = [&case.initiator, &case.voters[0]].map(|actor| actor.operator.pubkey());
        for key in keys {
            if becomes_a_program {
                let program = program_bytes();
                case.game.svm.add_program(key, &program).unwrap();
                assert!(case.game.svm.get_account(&key).unwrap().executable);
            } else {
                give_data(&mut case.game.svm, &key);
            }
        }
        let before = keys.map(|key| case.game.svm.get_balance(&key).unwrap());
        for voter in &case.voters {
            case.game.close_vote(voter, &audit).unwrap();
        }
        case.game.close_audit(&audit).unwrap();
        for (key, before) in keys.iter().zip(before) {
            assert!(case.game.svm.get_balance(key).unwrap() > before);
        }
    }
}
