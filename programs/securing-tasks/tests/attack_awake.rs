//! Attacks on those who are awake and honest: silenced by bonds, shut out by a friend's cheap verdict, counted for the other side.
//!
//! Each was written while it succeeded, and robbed whoever was awake; here stands what holds instead, and where something is still to be had
//! its price. A scenario is a function that tries every move, counts the refusals by error and answers what it came to. Played by the
//! presets `seed` and `strict` with a bounty of B, and where it tells something also without the friend's move.

mod attack_kit;
mod common;

use anchor_lang::{
    prelude::{Address, ProgramError},
    solana_program::instruction::Instruction,
};
use anchor_spl::token_2022::spl_token_2022::extension::{
    group_member_pointer, group_pointer, ExtensionType,
};
use attack_kit::*;
use common::*;
use securing_tasks::{Audit, GateKind, Outcome, RewardRule, RulesArgs, Vote, VoteWeight};
use solana_signer::Signer;
use solana_transaction::InstructionError;
use spl_token_group_interface::instruction::{initialize_group, initialize_member};
use std::collections::BTreeMap;

/// `seed` with votes by stake of which the majority is paid; quorum 20 %.
fn seed_by_stake() -> RulesArgs {
    RulesArgs {
        vote_weight: VoteWeight::Stake as u8,
        reward_rule: RewardRule::Majority as u8,
        ..seed()
    }
}

const PASSES: &str = "passes";
const SALT: [u8; 32] = [9; 32];

/// How often what happened.
type Counts = BTreeMap<String, usize>;

fn counts<const N: usize>(parts: [(&str, usize); N]) -> Counts {
    parts.map(|(what, times)| (what.to_string(), times)).into()
}

fn add(counts: &mut Counts, what: impl ToString) {
    *counts.entry(what.to_string()).or_default() += 1;
}

fn counted(outcomes: &[Outcome]) -> Counts {
    let mut all = Counts::new();
    for outcome in outcomes {
        add(&mut all, format!("{outcome:?}"));
    }
    all
}

/// `PASSES` or the refusal's name.
fn tried(sent: Sent) -> String {
    macro_rules! names {
        ($($name:ident)*) => {[$((code(TaskError::$name), stringify!($name))),*]};
    }
    if sent.is_ok() {
        return PASSES.into();
    }
    let failure = failure(sent);
    names!(
        AlreadyDecided AuditWindowClosed BonusFloorsToZero ConvictedEarnsNothing EarlierAuditOpen GateOnItself JoinedAfterSubmission
        NodeAccused NotEmpty NotReleased NotRetired NothingToWithdraw Overflow RoundUndecided SlashFloorsToZero StakeAddedTooOften
        StakeBelowMinimum StakePledged StakeTooRecent TaskRetired VotingClosed
    )
    .into_iter()
    .find(|(code, _)| failure == InstructionError::Custom(*code))
    .map_or_else(|| format!("{failure:?}"), |(_, name)| name.into())
}

fn code(error: TaskError) -> u32 {
    match error.into() {
        ProgramError::Custom(code) => code,
        _ => unreachable!("the program's errors are custom"),
    }
}

/// An audit and the votes that were taken in it.
struct Trial<'a> {
    audit: Address,
    votes: Vec<(&'a Actor, u8)>,
}

impl<'a> Trial<'a> {
    /// Tries to open an audit of the accused's work of `round`.
    fn open(
        game: &mut Game,
        initiator: &Actor,
        accused: &Actor,
        round: u64,
        fault: u8,
    ) -> Result<Self, String> {
        let audit = game.next_audit(initiator, accused, round);
        match tried(game.open_audit(initiator, accused, round, fault)) {
            passed if passed == PASSES => Ok(Self {
                audit,
                votes: vec![],
            }),
            refused => Err(refused),
        }
    }

    /// Tries to vote, as the rules have it openly or by a commitment.
    fn vote(&mut self, game: &mut Game, voter: &'a Actor, opinion: u8) -> String {
        let sent = if game.rules.commit_slots == 0 {
            game.cast_vote(voter, &self.audit, opinion)
        } else {
            game.commit_vote(voter, &self.audit, opinion, SALT)
        };
        let tried = tried(sent);
        if tried == PASSES {
            self.votes.push((voter, opinion));
        }
        tried
    }

    /// All of them say the same, and all are taken.
    fn all_say(&mut self, game: &mut Game, voters: &[&'a Actor], opinion: u8) {
        for voter in voters {
            assert_eq!(self.vote(game, voter, opinion), PASSES);
        }
    }
}

/// Tries to accuse one after the other until one accusation is taken.
fn first_accusation<'a>(
    game: &mut Game,
    by: &[&'a Actor],
    accused: &Actor,
    round: u64,
    fault: u8,
    tries: &mut Counts,
) -> Option<(Trial<'a>, &'a Actor)> {
    for initiator in by {
        match Trial::open(game, initiator, accused, round, fault) {
            Ok(trial) => {
                add(tries, PASSES);
                return Some((trial, initiator));
            }
            Err(refused) => add(tries, refused),
        }
    }
    None
}

/// Reveals, resolves and claims everything, for audits in the order in which they were opened.
fn judge(game: &mut Game, trials: &[Trial]) -> Vec<Outcome> {
    if game.rules.commit_slots > 0 {
        for trial in trials {
            let reveal = game.get::<Audit>(&trial.audit).reveal_slot.get();
            warp_to(game, reveal);
            for (voter, opinion) in &trial.votes {
                game.reveal_vote(voter, &trial.audit, *opinion, SALT)
                    .unwrap();
            }
        }
    }
    trials
        .iter()
        .map(|trial| {
            let voters: Vec<_> = trial.votes.iter().map(|(voter, _)| *voter).collect();
            settle(game, &trial.audit, &voters)
        })
        .collect()
}

/// Waits for a slot that may be over.
fn warp_to(game: &mut Game, slot: u64) {
    game.warp(slot.max(game.slot()));
}

/// First slot of a round.
fn start_of(game: &Game, round: u64) -> u64 {
    START + round * game.rules.round_slots
}

/// First slot at which work of the round can't be audited any more.
fn audit_end(game: &Game, round: u64) -> u64 {
    start_of(game, round) + game.rules.submission_slots + game.rules.audit_slots
}

/// Everyone but one.
fn but<'a>(actors: &[&'a Actor], one: &Actor) -> Vec<&'a Actor> {
    actors
        .iter()
        .copied()
        .filter(|actor| actor.node != one.node)
        .collect()
}

// A bond silences a worker.

#[derive(Debug, PartialEq)]
struct Silenced {
    honest_votes: Counts,
    outcomes: Counts,
    attackers: u64,
    honest: u64,
}

/// Eight honest workers of 25 B submit. Three witnesses of 20, 13 and 13 B: one accuses all eight in a row, the others say malice. Every
/// honest worker votes on the seven others.
fn all_workers_accused(rules: RulesArgs) -> Silenced {
    let mut game = Game::new(rules);
    let honest = [(); 8].map(|()| game.worker(25 * B));
    let attackers = [20, 13, 13].map(|stake| game.witness(stake * B));
    let (workers, [accuser, first, second]) = (all(&honest), all(&attackers));
    game.warp(START + 1);
    for worker in workers {
        game.submit_work(worker, 0).unwrap();
    }
    let mut trials: Vec<_> = workers
        .iter()
        .map(|worker| Trial::open(&mut game, accuser, worker, 0, MALICE).unwrap())
        .collect();
    let mut honest_votes = Counts::new();
    for (trial, accused) in trials.iter_mut().zip(workers) {
        for voter in but(&workers, accused) {
            add(&mut honest_votes, trial.vote(&mut game, voter, VALID));
        }
        trial.all_say(&mut game, &[first, second], MALICE);
    }
    Silenced {
        honest_votes,
        outcomes: counted(&judge(&mut game, &trials)),
        attackers: held(&game, &all(&attackers)),
        honest: held(&game, &workers),
    }
}

/// Every vote is taken, whatever its voter is accused of. The attackers lose 8 bonds of B / 2 and have two of nine voters' shares of 55 %
/// of each: 8 * 2 * 3,055. The honest have the rest but the pool's 5 %.
#[test]
fn bond_silences_no_worker_by_node() {
    assert_eq!(
        all_workers_accused(seed()),
        Silenced {
            honest_votes: counts([(PASSES, 56)]),
            outcomes: counts([("Acquitted", 8)]),
            attackers: 46 * B - 8 * B / 2 + 8 * 2 * 3_055,
            honest: 200 * B + 8 * (20_000 + 7 * 3_055),
        }
    );
}

/// By stake, the majority paid: 175 B of honest stake are more than 46 B, and have all of the bonds but the pool's 5 % and what the floors
/// leave.
#[test]
fn bond_silences_no_worker_by_stake() {
    assert_eq!(
        all_workers_accused(seed_by_stake()),
        Silenced {
            honest_votes: counts([(PASSES, 56)]),
            outcomes: counts([("Acquitted", 8)]),
            attackers: 46 * B - 8 * B / 2,
            honest: 200 * B + 8 * B / 2 - 8 * (2_500 + 4),
        }
    );
}

#[derive(Debug, PartialEq)]
struct Reversed {
    jury: Counts,
    outcome: Outcome,
    shams: Counts,
    cheat: u64,
    friend: u64,
}

/// One of eight honest workers accuses a cheat; the cheat's friend accuses so many of the other seven before they vote.
fn jury_accused(rules: RulesArgs, shams: usize) -> Reversed {
    let mut game = Game::new(rules.clone());
    let honest = [(); 8].map(|()| game.worker(rules.worker_min_stake + 5 * B));
    let cheat = game.worker(rules.worker_min_stake);
    let friend = game.witness(rules.witness_min_stake + 8 * rules.initiator_bond);
    game.warp(START + 1);
    for worker in honest.iter().chain([&cheat]) {
        game.submit_work(worker, 0).unwrap();
    }
    let mut trials = vec![Trial::open(&mut game, &honest[0], &cheat, 0, MALICE).unwrap()];
    for juror in &honest[1..][..shams] {
        trials.push(Trial::open(&mut game, &friend, juror, 0, DOWNTIME).unwrap());
    }
    let mut jury = Counts::new();
    for juror in &honest[1..] {
        add(&mut jury, trials[0].vote(&mut game, juror, MALICE));
    }
    let outcomes = judge(&mut game, &trials);
    Reversed {
        jury,
        outcome: outcomes[0],
        shams: counted(&outcomes[1..]),
        cheat: held(&game, &[&cheat]),
        friend: held(&game, &[&friend]),
    }
}

/// The accused jury votes all the same, and the cheat has nothing left. Accusations that nobody votes on cost the friend nothing, and
/// change nothing.
#[test]
fn friend_who_accuses_the_jury_silences_nobody() {
    for (rules, friend) in [(seed(), 9 * B), (strict(), 18 * B)] {
        for shams in [7, 0] {
            let mut none = Counts::new();
            if shams > 0 {
                none = counts([("NoVerdict", shams)]);
            }
            assert_eq!(
                jury_accused(rules.clone(), shams),
                Reversed {
                    jury: counts([(PASSES, 7)]),
                    outcome: Outcome::ConvictedMalice,
                    shams: none,
                    cheat: 0,
                    friend,
                }
            );
        }
    }
}

#[derive(Debug, PartialEq)]
struct Shield {
    at_once: Counts,
    in_the_last_slots: Counts,
    after_the_shams: Counts,
    bounties: Counts,
    cheat: u64,
    friend: u64,
}

/// Four honest workers and a cheat submit in the last slot. One slot later the cheat's friend accuses the honest of downtime, or doesn't;
/// they try to accuse the cheat at once, when the audit window ends and after the shams.
fn free_shield(rules: RulesArgs, rounds: u64, shams: bool) -> Shield {
    let mut game = Game::new(rules.clone());
    game.fund_task(10 * B).unwrap();
    let honest = [(); 4].map(|()| game.worker(rules.worker_min_stake + 5 * B));
    let cheat = game.worker(rules.worker_min_stake);
    let friend = game.witness(rules.witness_min_stake + 4 * rules.initiator_bond);
    let jury = all(&honest);
    let [mut at_once, mut in_the_last_slots, mut after_the_shams, mut bounties] =
        [(); 4].map(|()| Counts::new());
    for round in 0..rounds {
        let last = start_of(&game, round) + rules.submission_slots - 1;
        game.warp(last);
        for worker in jury {
            game.submit_work(worker, round).unwrap();
        }
        if tried(game.submit_work(&cheat, round)) != PASSES {
            break;
        }
        game.warp(last + 1);
        let accused = if shams { &jury[..] } else { &[] };
        let mut trials: Vec<_> = accused
            .iter()
            .map(|juror| Trial::open(&mut game, &friend, juror, round, DOWNTIME).unwrap())
            .collect();
        let mut caught = first_accusation(&mut game, &jury, &cheat, round, MALICE, &mut at_once);
        if caught.is_none() {
            let last = audit_end(&game, round) - 1;
            game.warp(last);
            caught = first_accusation(
                &mut game,
                &jury,
                &cheat,
                round,
                MALICE,
                &mut in_the_last_slots,
            );
        }
        if let Some((mut trial, initiator)) = caught {
            trial.all_say(&mut game, &but(&jury, initiator), MALICE);
            trial.all_say(&mut game, &[&friend], VALID);
            trials.push(trial);
            judge(&mut game, &trials);
        } else {
            judge(&mut game, &trials);
            first_accusation(
                &mut game,
                &jury,
                &cheat,
                round,
                MALICE,
                &mut after_the_shams,
            );
        }
        let end = audit_end(&game, round);
        warp_to(&mut game, end);
        add(&mut bounties, tried(game.claim_bounty(&cheat, round)));
    }
    Shield {
        at_once,
        in_the_last_slots,
        after_the_shams,
        bounties,
        cheat: held(&game, &[&cheat]),
        friend: held(&game, &[&friend]),
    }
}

/// The first accusation is taken at once; the cheat has nothing left, no bounty and, of the rounds it meant to rob, no second one. With
/// the friend's accusations or without, it is the same.
#[test]
fn friend_who_accuses_the_honest_is_no_free_shield() {
    // Where all voters are paid the friend's vote for the cheat has a fifth of 11 B.
    for (rules, friend) in [(seed(), 7 * B + 11 * B / 5), (strict(), 14 * B)] {
        for (rounds, shams) in [(1, true), (3, true), (1, false)] {
            assert_eq!(
                free_shield(rules.clone(), rounds, shams),
                Shield {
                    at_once: counts([(PASSES, 1)]),
                    in_the_last_slots: Counts::new(),
                    after_the_shams: Counts::new(),
                    bounties: counts([("ConvictedEarnsNothing", 1)]),
                    cheat: 0,
                    friend,
                }
            );
        }
    }
}

// A node at its role's minimum.

/// A node with its role's minimum votes on one submission and accuses of another: what comes of both.
fn at_the_minimum(rules: RulesArgs, worker: bool) -> [String; 2] {
    let mut game = Game::new(rules.clone());
    let accused = [(); 2].map(|()| game.worker(2 * rules.worker_min_stake));
    let initiator = game.witness(2 * rules.witness_min_stake);
    let least = if worker {
        game.worker(rules.worker_min_stake)
    } else {
        game.witness(rules.witness_min_stake)
    };
    game.warp(START + 1);
    for one in &accused {
        game.submit_work(one, 0).unwrap();
    }
    let mut trial = Trial::open(&mut game, &initiator, &accused[0], 0, MALICE).unwrap();
    let vote = trial.vote(&mut game, &least, MALICE);
    let accusation = Trial::open(&mut game, &least, &accused[1], 0, MALICE)
        .err()
        .unwrap_or(PASSES.into());
    [vote, accusation]
}

/// A bond and a deposit are within every minimum, and stay in it.
#[test]
fn node_at_its_minimum_votes_and_accuses() {
    for rules in [seed(), strict()] {
        for worker in [false, true] {
            assert_eq!(at_the_minimum(rules.clone(), worker), [PASSES; 2]);
        }
    }
}

// A friend's cheap verdict.

/// When the honest accuse.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// The friend stays away.
    Alone,
    /// While the friend's audit is open.
    Beside,
    /// After its verdict.
    After,
}

#[derive(Debug, PartialEq)]
struct Cheap {
    /// Of the friend's audit.
    first: Option<Outcome>,
    /// Of the honest audit.
    second: Outcome,
    bounty: String,
    worker: u64,
    friend: u64,
}

/// A worker, its friend and four honest jurors. In the slot `opened` of the round the friend accuses of downtime and the jurors say `seen`,
/// which is what they find then. Afterwards the worker is at fault of `then`, and a juror accuses it of that.
fn friend_first(rules: RulesArgs, moment: Moment, opened: u64, seen: u8, then: u8) -> Cheap {
    let mut game = Game::new(rules.clone());
    game.fund_task(10 * B).unwrap();
    let worker = game.worker(rules.worker_min_stake);
    let friend = game.witness(rules.witness_min_stake + 3 * B);
    let jurors = [(); 4].map(|()| game.witness(rules.witness_min_stake + 3 * B));
    let jury = all(&jurors);
    game.warp(START + 1);
    game.submit_work(&worker, 0).unwrap();
    game.warp(START + opened);
    let mut trials = vec![];
    if moment != Moment::Alone {
        let mut sham = Trial::open(&mut game, &friend, &worker, 0, DOWNTIME).unwrap();
        sham.all_say(&mut game, &jury, seen);
        trials.push(sham);
    }
    let mut first = None;
    if moment == Moment::After {
        first = judge(&mut game, &trials).pop();
        trials.clear();
    } else {
        game.warp(START + opened + 1);
    }
    let mut honest = Trial::open(&mut game, jury[0], &worker, 0, then).unwrap();
    honest.all_say(&mut game, &jury[1..], then);
    trials.push(honest);
    let mut outcomes = judge(&mut game, &trials);
    let second = outcomes.pop().unwrap();
    let end = audit_end(&game, 0);
    warp_to(&mut game, end);
    let bounty = tried(game.claim_bounty(&worker, 0));
    Cheap {
        first: first.or(outcomes.pop()),
        second,
        bounty,
        worker: held(&game, &[&worker]),
        friend: held(&game, &[&friend]),
    }
}

/// Without a friend: what the worker has left, convicted of downtime and of malice.
#[test]
fn without_a_friend_the_worker_is_convicted_of_what_it_did() {
    for (rules, downtime) in [(seed(), 18 * B), (strict(), 45 * B)] {
        for (then, second, worker) in [
            (DOWNTIME, Outcome::ConvictedDowntime, downtime),
            (MALICE, Outcome::ConvictedMalice, 0),
        ] {
            assert_eq!(
                friend_first(rules.clone(), Moment::Alone, 2, VALID, then),
                Cheap {
                    first: None,
                    second,
                    bounty: "ConvictedEarnsNothing".into(),
                    worker,
                    friend: rules.witness_min_stake + 3 * B,
                }
            );
        }
    }
}

/// (a) Wrong work, dark at once, accused of downtime by its friend. Malice may be accused beside it and after it, and takes the rest: the
/// worker has nothing left, as without the friend, which has bonus and share of the slash for downtime.
#[test]
fn downtime_by_a_friends_accusation_does_not_bar_malice() {
    for (rules, moment, friend) in [
        (seed(), Moment::Beside, 902_000),
        (seed(), Moment::After, 902_000),
        (strict(), Moment::Beside, 1_510_000),
    ] {
        assert_eq!(
            friend_first(rules, moment, 2, DOWNTIME, MALICE),
            Cheap {
                first: Some(Outcome::ConvictedDowntime),
                second: Outcome::ConvictedMalice,
                bounty: "ConvictedEarnsNothing".into(),
                worker: 0,
                friend,
            }
        );
    }
}

/// (b) Up while its friend accuses it, dark or wrong from then on; (d) the same where the friend accuses when submissions end, so that its
/// audit outlasts the audit window. An acquittal bars nothing: the worker is convicted as without the friend, and has a part of the
/// friend's bond.
#[test]
fn early_acquittal_does_not_clear_what_comes_later() {
    let early = [
        (seed(), Moment::Beside, 2),
        (seed(), Moment::After, 2),
        (strict(), Moment::Beside, 2),
    ];
    let late = [seed(), strict()].map(|rules| {
        let opened = rules.submission_slots;
        (rules, Moment::Beside, opened)
    });
    for (rules, moment, opened) in early.into_iter().chain(late) {
        let bond = rules.initiator_bond;
        // A lost bond is shared as a slash: the bonus is the acquitted node's.
        let part = bond * u64::from(rules.initiator_bonus_bps) / 10_000;
        for (then, second, left) in [
            (DOWNTIME, Outcome::ConvictedDowntime, 9),
            (MALICE, Outcome::ConvictedMalice, 0),
        ] {
            assert_eq!(
                friend_first(rules.clone(), moment, opened, VALID, then),
                Cheap {
                    first: Some(Outcome::Acquitted),
                    second,
                    bounty: "ConvictedEarnsNothing".into(),
                    worker: rules.worker_min_stake / 10 * left + part,
                    friend: rules.witness_min_stake + 3 * B - bond,
                }
            );
        }
    }
}

/// (c) While all sleep the friend opens so many thin audits one after the other, then the honest wake. Answers what their accusation came
/// to, its outcome, what became of the bounty and what the friend has.
fn thin_audits(rules: RulesArgs, audits: usize) -> (String, Option<Outcome>, String, u64) {
    let mut game = Game::new(rules.clone());
    game.fund_task(10 * B).unwrap();
    let worker = game.worker(rules.worker_min_stake);
    let friend = game.witness(rules.witness_min_stake + 3 * B);
    let jurors = [(); 3].map(|()| game.witness(rules.witness_min_stake + 3 * B));
    game.warp(START + 1);
    game.submit_work(&worker, 0).unwrap();
    for _ in 0..audits {
        let thin = Trial::open(&mut game, &friend, &worker, 0, DOWNTIME).unwrap();
        assert_eq!(judge(&mut game, &[thin]), [Outcome::NoVerdict]);
    }
    assert!(game.slot() < audit_end(&game, 0));
    let (accusation, outcome) = match Trial::open(&mut game, &jurors[0], &worker, 0, MALICE) {
        Ok(mut trial) => {
            trial.all_say(&mut game, &all(&jurors)[1..], MALICE);
            (PASSES.into(), Some(judge(&mut game, &[trial])[0]))
        }
        Err(refused) => (refused, None),
    };
    let end = audit_end(&game, 0);
    warp_to(&mut game, end);
    let bounty = tried(game.claim_bounty(&worker, 0));
    (accusation, outcome, bounty, held(&game, &[&friend]))
}

/// `seed` with votes of 100 slots, so that many follow each other in the audit window. A thin audit costs its caller nothing and uses
/// nothing up.
#[test]
fn thin_audits_use_nothing_up() {
    let rules = RulesArgs {
        reveal_slots: 100,
        ..seed()
    };
    for audits in [0, 3, 12] {
        assert_eq!(
            thin_audits(rules.clone(), audits),
            (
                PASSES.into(),
                Some(Outcome::ConvictedMalice),
                "ConvictedEarnsNothing".into(),
                8 * B
            )
        );
    }
}

/// (e) Convicted of downtime by its friend's accusation; the friend claims, closes all votes, the audit and the submission as soon as it
/// may. Answers what came of closing the submission and of an honest accusation of malice after it, and what the worker has left.
fn closed_at_once(rules: RulesArgs) -> (String, String, u64) {
    let mut game = Game::new(rules.clone());
    let worker = game.worker(rules.worker_min_stake);
    let friend = game.witness(rules.witness_min_stake + 3 * B);
    let jurors = [(); 4].map(|()| game.witness(rules.witness_min_stake + 3 * B));
    let jury = all(&jurors);
    game.warp(START + 1);
    game.submit_work(&worker, 0).unwrap();
    let mut trial = Trial::open(&mut game, &friend, &worker, 0, DOWNTIME).unwrap();
    trial.all_say(&mut game, &jury[1..], DOWNTIME);
    let audit = trial.audit;
    assert_eq!(judge(&mut game, &[trial]), [Outcome::ConvictedDowntime]);
    assert!(game.slot() < audit_end(&game, 0));
    for juror in &jury[1..] {
        game.close_vote(juror, &audit).unwrap();
    }
    game.close_audit(&audit).unwrap();
    let closing = tried(game.close_submission(&worker, 0));
    let accusation = match Trial::open(&mut game, jury[0], &worker, 0, MALICE) {
        Ok(mut trial) => {
            trial.all_say(&mut game, &jury[1..], MALICE);
            assert_eq!(judge(&mut game, &[trial]), [Outcome::ConvictedMalice]);
            PASSES.into()
        }
        Err(refused) => refused,
    };
    (closing, accusation, held(&game, &[&worker]))
}

/// A submission can't be closed while its round can be audited.
#[test]
fn friend_cannot_close_the_submission_before_it_is_accused_of_malice() {
    assert_eq!(
        closed_at_once(seed()),
        ("RoundUndecided".into(), PASSES.into(), 0)
    );
}

// The majority alone is paid.

#[derive(Debug, PartialEq)]
struct Paid {
    outcome: Outcome,
    bad: u64,
    friends: u64,
    initiator: u64,
    honest: u64,
}

/// A worker of 20 B is accused of malice; two say malice too, its friends, two or three, downtime. All witnesses hold 6 B.
fn friends_say_downtime(friends: usize) -> Paid {
    let rules = RulesArgs {
        reward_rule: RewardRule::Majority as u8,
        ..seed()
    };
    let mut game = Game::new(rules);
    let bad = game.worker(20 * B);
    let initiator = game.witness(6 * B);
    let honest = [(); 2].map(|()| game.witness(6 * B));
    let friends: Vec<_> = (0..friends).map(|_| game.witness(6 * B)).collect();
    let friends: Vec<_> = friends.iter().collect();
    game.warp(START + 1);
    game.submit_work(&bad, 0).unwrap();
    let mut trial = Trial::open(&mut game, &initiator, &bad, 0, MALICE).unwrap();
    trial.all_say(&mut game, &all(&honest), MALICE);
    trial.all_say(&mut game, &friends, DOWNTIME);
    Paid {
        outcome: judge(&mut game, &[trial])[0],
        bad: held(&game, &[&bad]),
        friends: held(&game, &friends),
        initiator: held(&game, &[&initiator]),
        honest: held(&game, &all(&honest)),
    }
}

/// Two of five, or nobody: who says malice shares 11 B by three, and friends who say less have what they came with.
#[test]
fn vote_for_less_than_the_verdict_has_no_share() {
    for friends in [2, 0] {
        assert_eq!(
            friends_say_downtime(friends),
            Paid {
                outcome: Outcome::ConvictedMalice,
                bad: 0,
                friends: friends as u64 * 6 * B,
                initiator: 6 * B + 8 * B + 11 * B / 3,
                honest: 2 * (6 * B + 11 * B / 3),
            }
        );
    }
}

/// The price of it: three of six make it downtime, since half isn't more than half. Who said more than the verdict shares in it.
#[test]
fn half_of_the_votes_can_still_make_it_downtime() {
    assert_eq!(
        friends_say_downtime(3),
        Paid {
            outcome: Outcome::ConvictedDowntime,
            bad: 18 * B,
            friends: 1_854_999,
            initiator: 698_333,
            honest: 1_236_666,
        }
    );
}

/// The friend is the accuser, of downtime; three honest say malice. What the friend has of its 6 B.
fn friend_accuses_of_less() -> (Outcome, u64) {
    let rules = RulesArgs {
        reward_rule: RewardRule::Majority as u8,
        ..seed()
    };
    let mut game = Game::new(rules);
    let bad = game.worker(20 * B);
    let friend = game.witness(6 * B);
    let honest = [(); 3].map(|()| game.witness(6 * B));
    game.warp(START + 1);
    game.submit_work(&bad, 0).unwrap();
    let mut trial = Trial::open(&mut game, &friend, &bad, 0, DOWNTIME).unwrap();
    trial.all_say(&mut game, &all(&honest), MALICE);
    let outcome = judge(&mut game, &[trial])[0];
    (outcome, held(&game, &[&friend]))
}

/// The bonus is the first accuser's, whatever it accused of; a voter's share it has none of.
#[test]
fn accusation_of_less_than_the_verdict_has_no_voters_share() {
    assert_eq!(
        friend_accuses_of_less(),
        (Outcome::ConvictedMalice, 6 * B + 8 * B)
    );
}

// The other side's quorum.

/// `strict`, 1,000 B of others' stake: four say `attack` with 253 B, the accusation among them or not; three say `honest` with 250 B or
/// stay away; the rest sleeps.
fn quorum_of(attack: u8, honest: Option<u8>) -> (Outcome, u64) {
    let mut game = Game::new(strict());
    let accused = game.worker(50 * B);
    let attackers = [64, 63, 63, 63].map(|stake| game.witness(stake * B));
    let awake = [84, 83, 83].map(|stake| game.witness(stake * B));
    let asleep = game.witness(497 * B);
    assert_eq!(
        held(&game, &all(&attackers)) + held(&game, &all(&awake)) + held(&game, &[&asleep]),
        1_000 * B
    );
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    let (attackers, awake) = (all(&attackers), all(&awake));
    let trial = if attack == VALID {
        // The honest accuse, and the accused's friends clear it.
        let mut trial = Trial::open(&mut game, awake[0], &accused, 0, MALICE).unwrap();
        trial.all_say(&mut game, &attackers, attack);
        if let Some(honest) = honest {
            trial.all_say(&mut game, &awake[1..], honest);
        }
        trial
    } else {
        let mut trial = Trial::open(&mut game, attackers[0], &accused, 0, attack).unwrap();
        trial.all_say(&mut game, &attackers[1..], attack);
        if let Some(honest) = honest {
            trial.all_say(&mut game, &awake, honest);
        }
        trial
    };
    let outcome = judge(&mut game, &[trial])[0];
    (outcome, held(&game, &[&accused]))
}

/// 253 B aren't the half of 1,000 B, whether the honest come or not.
#[test]
fn victims_votes_do_not_fill_the_attackers_quorum() {
    for honest in [None, Some(VALID)] {
        assert_eq!(quorum_of(MALICE, honest), (Outcome::NoVerdict, 50 * B));
    }
}

/// The worker was down, and the honest say so: both sides together have the quorum for downtime, and the attackers alone none for malice.
#[test]
fn honest_votes_of_downtime_do_not_fill_the_quorum_of_malice() {
    assert_eq!(
        quorum_of(MALICE, Some(DOWNTIME)),
        (Outcome::ConvictedDowntime, 45 * B)
    );
}

/// The reverse: a quarter of friends would clear a cheat that another quarter wants convicted.
#[test]
fn honest_votes_do_not_fill_the_quorum_of_an_acquittal() {
    for honest in [None, Some(MALICE)] {
        assert_eq!(quorum_of(VALID, honest), (Outcome::NoVerdict, 50 * B));
    }
}

/// How a friend's stake comes.
#[derive(Clone, Copy)]
enum Comes {
    Joins,
    Adds,
    InManyNodes,
}

/// Four honest witnesses of 55 B, all awake, say malice, while `times` their stake, and a little more, came in the submission's own slot.
fn late_stake(rules: RulesArgs, times: u64, comes: Comes) -> Outcome {
    let mut game = Game::new(rules.clone());
    let cheat = game.worker(rules.worker_min_stake);
    let honest = [(); 4].map(|()| game.witness(55 * B));
    let friend = match comes {
        Comes::Adds => Some(game.witness(rules.witness_min_stake)),
        _ => None,
    };
    game.warp(START + 1);
    let whole = times * 220 * B + 10 * B;
    match (comes, &friend) {
        (Comes::Joins, _) => drop(game.witness(whole)),
        (Comes::Adds, Some(friend)) => drop(game.add_stake(friend, whole).unwrap()),
        (Comes::InManyNodes, _) => {
            for _ in 0..22 * times + 1 {
                game.witness(10 * B);
            }
        }
        _ => unreachable!("who adds is there"),
    }
    game.submit_work(&cheat, 0).unwrap();
    let mut trial = Trial::open(&mut game, &honest[0], &cheat, 0, MALICE).unwrap();
    trial.all_say(&mut game, &all(&honest)[1..], MALICE);
    judge(&mut game, &[trial])[0]
}

/// What can't vote on a submission doesn't count for its quorum: four honest that are all there were convict.
#[test]
fn friends_stake_of_the_submissions_own_slot_does_not_raise_the_quorum() {
    for comes in [Comes::Joins, Comes::Adds, Comes::InManyNodes] {
        for (rules, times) in [(strict(), 1), (seed(), 4), (strict(), 0), (seed(), 0)] {
            assert_eq!(late_stake(rules, times, comes), Outcome::ConvictedMalice);
        }
    }
}

// A retired task.

/// What the last node does in a retired task that everyone else left.
#[derive(Clone, Copy)]
enum Last {
    /// Leaves, and comes back with one base unit.
    Adds,
    /// Takes its leave back.
    Cancels,
    /// Never leaves.
    Stays,
}

/// A retired task and its last node of 5 B. What came of the node's move, of paying it out one slot before a leave delay has passed and
/// then, of closing the node and of closing the task, all by anyone; and what the node's owner and the creator have more than before.
fn left_over(last_does: Last) -> ([String; 5], [i64; 2]) {
    let mut game = Game::new(seed());
    let last = game.witness(5 * B);
    let other = game.witness(5 * B);
    game.retire_task().unwrap();
    game.request_leave(&other, None).unwrap();
    if !matches!(last_does, Last::Stays) {
        game.request_leave(&last, None).unwrap();
    }
    game.warp(START + game.rules.leave_delay_slots - 1);
    let early = tried(game.return_stake(&last));
    game.warp(START + game.rules.leave_delay_slots);
    game.withdraw(&other).unwrap();
    game.close_node(&other).unwrap();
    let moved = match last_does {
        Last::Adds => {
            game.withdraw(&last).unwrap();
            tried(game.add_stake(&last, 1))
        }
        Last::Cancels => tried(game.cancel_leave(&last)),
        Last::Stays => PASSES.into(),
    };
    let returned = tried(game.return_stake(&last));
    let anyone = game.creator.insecure_clone();
    let close = game.close_node_ix(&anyone.pubkey(), &last);
    let node = tried(game.send(&[close], &[&anyone]));
    let task = tried(game.close_task());
    let creator = balance(&game.svm, &game.creator_wallet) as i64 - WALLET as i64;
    let gains = [gain(&game, &last), creator];
    ([moved, early, returned, node, task], gains)
}

/// Nothing comes into a retired task any more.
#[test]
fn one_base_unit_does_not_keep_a_retired_task_open() {
    let tries = [
        "TaskRetired",
        "NotReleased",
        "NothingToWithdraw",
        PASSES,
        PASSES,
    ];
    assert_eq!(left_over(Last::Adds), (tries.map(String::from), [0, 0]));
}

/// After one leave delay anyone pays a node out, to its owner, and closes everything.
#[test]
fn node_that_never_leaves_does_not_keep_a_retired_task_open() {
    let tries = [PASSES, "NotReleased", PASSES, PASSES, PASSES];
    for last in [Last::Stays, Last::Cancels] {
        assert_eq!(left_over(last), (tries.map(String::from), [0, 0]));
    }
}

// A stolen hot key.

/// The thief of a worker's hot key submits garbage under it and accuses it himself; two honest agree. What victim and thief, of 20 B and
/// 6 B, have then.
fn stolen_key_of_a_worker() -> (Outcome, u64, u64) {
    let mut game = Game::new(seed());
    let victim = game.worker(20 * B);
    let thief = game.witness(6 * B);
    let honest = [(); 2].map(|()| game.witness(6 * B));
    game.warp(START + 1);
    let garbage = game.submit_work_ix(&victim, 0);
    game.send(&[garbage], &[&victim.operator]).unwrap();
    let mut trial = Trial::open(&mut game, &thief, &victim, 0, MALICE).unwrap();
    trial.all_say(&mut game, &all(&honest), MALICE);
    let outcome = judge(&mut game, &[trial])[0];
    (outcome, held(&game, &[&victim]), held(&game, &[&thief]))
}

/// Not defended, and told in the docs: 20 B lost, 11.7 B of it the thief's.
#[test]
fn stolen_hot_key_of_a_worker_is_worth_its_whole_stake() {
    let (outcome, victim, thief) = stolen_key_of_a_worker();
    assert_eq!((outcome, victim), (Outcome::ConvictedMalice, 0));
    assert_eq!(thief, 6 * B + 8 * B + 11 * B / 3);
}

/// The thief of a witness's hot key accuses good work of his own with it, as often as it is let, of so many workers in turn; five honest
/// witnesses clear it. What accusations passed, what the victim has left of 8 B and what the thief's workers have more.
fn stolen_key_of_a_witness(workers: usize) -> (Counts, u64, u64) {
    let mut game = Game::new(seed());
    let victim = game.witness(8 * B);
    let thieves: Vec<_> = (0..workers).map(|_| game.worker(20 * B)).collect();
    let honest = [(); 5].map(|()| game.witness(20 * B));
    game.warp(START + 1);
    let mut tries = Counts::new();
    let mut trials = vec![];
    for thief in &thieves {
        game.submit_work(thief, 0).unwrap();
    }
    for thief in thieves.iter().cycle().take(20) {
        match Trial::open(&mut game, &victim, thief, 0, MALICE) {
            Ok(mut trial) => {
                add(&mut tries, PASSES);
                trial.all_say(&mut game, &all(&honest), VALID);
                trials.push(trial);
            }
            Err(refused) => add(&mut tries, refused),
        }
    }
    judge(&mut game, &trials);
    let thieves: Vec<_> = thieves.iter().collect();
    let more = held(&game, &thieves) - workers as u64 * 20 * B;
    (tries, held(&game, &[&victim]), more)
}

/// Not defended, and told in the docs: a bond for each accusation until no stake is left, by one worker of the thief's as well as by
/// twenty; the thief has 40 % of it, whoever clears his work the rest.
#[test]
fn stolen_hot_key_of_a_witness_is_worth_its_whole_stake() {
    for workers in [20, 1] {
        assert_eq!(
            stolen_key_of_a_witness(workers),
            (
                counts([(PASSES, 16), ("StakePledged", 4)]),
                0,
                8 * B / 10 * 4
            )
        );
    }
}

// The age of stake.

/// A node holds 6 B and, from `START`, `then` more; a submission comes, and then it adds one base unit. What comes of its vote, and its
/// weight.
fn topped_up(old: bool) -> (String, u64) {
    let mut game = Game::new(seed());
    let accused = game.worker(20 * B);
    let initiator = game.witness(6 * B);
    let voter = game.witness(6 * B);
    let round = if old {
        let round = 2;
        let start = start_of(&game, round);
        game.warp(start);
        game.add_stake(&voter, 4 * B).unwrap();
        round
    } else {
        0
    };
    game.warp(game.slot() + 1);
    game.submit_work(&accused, round).unwrap();
    game.warp(game.slot() + 1);
    game.add_stake(&voter, 1).unwrap();
    let mut trial = Trial::open(&mut game, &initiator, &accused, round, MALICE).unwrap();
    let vote = trial.vote(&mut game, &voter, MALICE);
    let weight = if vote == PASSES {
        let address = vote_address(&trial.audit, &voter.owner.pubkey());
        game.get::<Vote>(&address).weight.get()
    } else {
        0
    };
    (vote, weight)
}

/// What it joined with votes.
#[test]
fn one_unit_more_does_not_make_a_young_node_young_again() {
    assert_eq!(topped_up(false), (PASSES.into(), 6 * B));
}

/// 6 B it joined with and 4 B that came before the submission vote, the unit after it doesn't.
#[test]
fn one_unit_more_does_not_make_what_came_before_young_again() {
    assert_eq!(topped_up(true), (PASSES.into(), 10 * B));
}

// Rules that rob whoever trusts them.

/// What comes of making a task of these rules.
fn made(rules: RulesArgs) -> String {
    let mut game = Game::unborn(rules);
    tried(game.create_task())
}

/// Refused by name; one unit more is taken.
#[test]
fn slash_or_bonus_that_floors_to_zero_is_refused() {
    let one = RulesArgs {
        worker_min_stake: 1,
        witness_min_stake: 1,
        bounty_per_round: 1,
        initiator_bond: 1,
        vote_deposit: 0,
        downtime_bps: 0,
        ..seed()
    };
    // Malice of one unit.
    let malice = |stake| RulesArgs {
        malice_bps: 9_999,
        worker_min_stake: stake,
        initiator_bonus_bps: 9_500,
        ..one.clone()
    };
    // Downtime of nine units.
    let downtime = |stake| RulesArgs {
        worker_min_stake: stake,
        downtime_bps: 1_000,
        ..one.clone()
    };
    // 40 % of a slash of two units.
    let bonus = |stake| RulesArgs {
        worker_min_stake: stake,
        ..one.clone()
    };
    assert_eq!(made(malice(1)), "SlashFloorsToZero");
    assert_eq!(made(malice(3)), PASSES);
    assert_eq!(made(downtime(9)), "SlashFloorsToZero");
    assert_eq!(made(downtime(10)), PASSES);
    assert_eq!(made(bonus(2)), "BonusFloorsToZero");
    assert_eq!(made(bonus(3)), PASSES);
}

/// A Token-2022 mint with room for `extension` in itself.
fn pointing_mint(
    game: &mut Game,
    extension: ExtensionType,
    point: impl Fn(&Address) -> Instruction,
) -> Address {
    let creator = game.creator.insecure_clone();
    let mint = make_mint(&mut game.svm, &creator, &TOKEN_2022, &[extension], |mint| {
        vec![point(mint)]
    });
    game.svm.airdrop(&mint, 100_000_000).unwrap();
    mint
}

/// What comes of making a task in a mint that is a member of a collection, or becomes one when the task is there, with a gate on the
/// collection; and of joining with the wallet that pays, and with another one of the same owner.
fn gated_on_its_own_collection(member_before: bool) -> [String; 3] {
    let mut game = Game::unborn(seed());
    let creator = game.creator.insecure_clone();
    let key = creator.pubkey();
    let group = pointing_mint(&mut game, ExtensionType::GroupPointer, |mint| {
        group_pointer::instruction::initialize(&TOKEN_2022, mint, Some(key), Some(*mint)).unwrap()
    });
    let init = initialize_group(&TOKEN_2022, &group, &group, &key, Some(key), 100);
    send(&mut game.svm, &[init], &[&creator]).unwrap();
    let mint = pointing_mint(&mut game, ExtensionType::GroupMemberPointer, |mint| {
        group_member_pointer::instruction::initialize(&TOKEN_2022, mint, Some(key), Some(*mint))
            .unwrap()
    });
    game.token_program = TOKEN_2022;
    game.mint = mint;
    game.rules.worker_gate = gate(GateKind::Collection, group, 0, 0);
    let join_collection = initialize_member(&TOKEN_2022, &mint, &mint, &key, &group, &key);
    if member_before {
        send(
            &mut game.svm,
            std::slice::from_ref(&join_collection),
            &[&creator],
        )
        .unwrap();
    }
    let made = tried(game.create_task());
    if made != PASSES {
        return [made, String::new(), String::new()];
    }
    if !member_before {
        send(&mut game.svm, &[join_collection], &[&creator]).unwrap();
    }
    let mut actor = game.stranger();
    actor.gate_mint = Some(mint);
    let joined = [true, false].map(|same| {
        actor.gate_proof = Some(if same {
            actor.wallet
        } else {
            let owner = actor.owner.pubkey();
            make_wallet(&mut game.svm, &creator, &TOKEN_2022, &mint, &owner, 1)
        });
        tried(game.join_task(&actor, 0, 20 * B))
    });
    [made]
        .into_iter()
        .chain(joined)
        .collect::<Vec<_>>()
        .try_into()
        .unwrap()
}

/// A gate on what the task itself is made of: what comes of making the task.
fn gated_on_itself(kind: GateKind, itself: bool) -> String {
    let mut game = Game::unborn(seed());
    let owner = game.creator.pubkey();
    let key = match (kind, itself) {
        (GateKind::Token, true) => game.mint,
        (GateKind::Token, false) => game.other_mint(&owner).0,
        (_, true) => game.task,
        (_, false) => fresh().pubkey(),
    };
    game.rules.worker_gate = gate(kind, key, 1, 0);
    let worker = tried(game.create_task());
    // Of the other role, in a task that isn't there yet.
    let mut game = Game::unborn(seed());
    let key = match (kind, itself) {
        (GateKind::Token, true) => game.mint,
        (_, true) => game.task,
        _ => key,
    };
    game.rules.witness_gate = gate(kind, key, 1, 0);
    assert_eq!(tried(game.create_task()), worker, "the same for both roles");
    worker
}

/// Nobody with one wallet, and with the others nobody at all, could join.
#[test]
fn gate_on_the_task_itself_is_refused() {
    for kind in [GateKind::Token, GateKind::Member, GateKind::Standing] {
        assert_eq!(gated_on_itself(kind, true), "GateOnItself");
        assert_eq!(gated_on_itself(kind, false), PASSES);
    }
    assert_eq!(gated_on_its_own_collection(true), ["GateOnItself", "", ""]);
}

/// Not refused: the creator makes the mint a member when the task is there. No account may be in two places, so that the wallet that pays
/// opens no such gate (Anchor's `ConstraintDuplicateMutableAccount`); any other token of the collection does.
#[test]
fn gate_on_a_collection_that_the_mint_joins_later_is_open_to_a_second_wallet() {
    assert_eq!(
        gated_on_its_own_collection(false),
        [PASSES, "Custom(2040)", PASSES]
    );
}

/// A worker of 2^63 base units submits in two rounds; its friend's audit of the first is open in the submission window of the second.
/// What comes of an honest accusation in the second.
fn half_of_all_numbers() -> String {
    let mut game = Game::new(seed());
    let whale = game.stranger();
    let mut wallet = game.svm.get_account(&whale.wallet).unwrap();
    wallet.data[64..72].copy_from_slice(&(1u64 << 63).to_le_bytes());
    game.svm.set_account(whale.wallet, wallet).unwrap();
    game.join_task(&whale, 0, 1 << 63).unwrap();
    let friend = game.witness(6 * B);
    let honest = game.witness(6 * B);
    game.warp(START + 1);
    game.submit_work(&whale, 0).unwrap();
    let last = audit_end(&game, 0) - 1;
    game.warp(last);
    Trial::open(&mut game, &friend, &whale, 0, DOWNTIME).unwrap();
    let second = start_of(&game, 1);
    game.warp(second);
    game.submit_work(&whale, 1).unwrap();
    Trial::open(&mut game, &honest, &whale, 1, MALICE)
        .err()
        .unwrap_or(PASSES.into())
}

/// No sum of what audits may cost a node is kept that could be over all numbers.
#[test]
fn stake_of_half_of_all_numbers_can_be_accused_twice() {
    assert_eq!(half_of_all_numbers(), PASSES);
}

// Of the same kinds, and in nobody's report.

/// Six honest workers of 20 B sleep; four honest witnesses of 5 B and three deposits are awake and vote on all; three attackers of 20, 13
/// and 13 B accuse all six in a row.
fn deposits_run_out(rules: RulesArgs) -> Silenced {
    let mut game = Game::new(rules.clone());
    let workers = [(); 6].map(|()| game.worker(20 * B));
    let awake = [(); 4].map(|()| game.witness(5 * B + 3 * rules.vote_deposit));
    let attackers = [20, 13, 13].map(|stake| game.witness(stake * B));
    let (awake, [accuser, first, second]) = (all(&awake), all(&attackers));
    game.warp(START + 1);
    for worker in &workers {
        game.submit_work(worker, 0).unwrap();
    }
    let mut trials = vec![];
    let mut honest_votes = Counts::new();
    for worker in &workers {
        let mut trial = Trial::open(&mut game, accuser, worker, 0, MALICE).unwrap();
        for voter in awake {
            add(&mut honest_votes, trial.vote(&mut game, voter, VALID));
        }
        trial.all_say(&mut game, &[first, second], MALICE);
        trials.push(trial);
    }
    Silenced {
        honest_votes,
        outcomes: counted(&judge(&mut game, &trials)),
        attackers: held(&game, &all(&attackers)),
        honest: held(&game, &all(&workers)) + held(&game, &awake),
    }
}

/// More accusations than the awake have deposits above their minimum: none is undefended. The attackers lose 6 bonds and have two of six
/// voters' shares of each.
#[test]
fn deposits_of_the_awake_do_not_run_out() {
    assert_eq!(
        deposits_run_out(seed()),
        Silenced {
            honest_votes: counts([(PASSES, 24)]),
            outcomes: counts([("Acquitted", 6)]),
            attackers: 46 * B - 6 * B / 2 + 6 * 2 * 4_583,
            honest: 140 * B + 4 * 3 * B / 20 + 6 * (20_000 + 4 * 4_583),
        }
    );
}

/// Three cheats, three honest witnesses with one bond above their minimum: each accuses one and votes on the two others.
fn own_bonds(rules: RulesArgs) -> (Counts, Counts) {
    let mut game = Game::new(rules.clone());
    let cheats = [(); 3].map(|()| game.worker(rules.worker_min_stake));
    let honest = [(); 3].map(|()| game.witness(rules.witness_min_stake + rules.initiator_bond));
    let honest = all(&honest);
    game.warp(START + 1);
    for cheat in &cheats {
        game.submit_work(cheat, 0).unwrap();
    }
    let mut trials: Vec<_> = honest
        .iter()
        .zip(&cheats)
        .map(|(initiator, cheat)| Trial::open(&mut game, initiator, cheat, 0, MALICE).unwrap())
        .collect();
    let mut votes = Counts::new();
    for (trial, initiator) in trials.iter_mut().zip(honest) {
        for voter in but(&honest, initiator) {
            add(&mut votes, trial.vote(&mut game, voter, MALICE));
        }
    }
    (votes, counted(&judge(&mut game, &trials)))
}

/// Whoever accuses votes on everything else.
#[test]
fn own_bond_does_not_silence_the_accuser_elsewhere() {
    assert_eq!(
        own_bonds(seed()),
        (counts([(PASSES, 6)]), counts([("ConvictedMalice", 3)]))
    );
}

/// The accuser of good work asks to leave in the accusation's slot and withdraws when its delay is over, before anyone resolved; then it
/// loses. What it has in wallet and node less than it came with, and what the accused has more.
fn leaves_while_pledged(rules: RulesArgs) -> (i64, u64) {
    let mut game = Game::new(rules.clone());
    let worker = game.worker(rules.worker_min_stake);
    let accuser = game.witness(2 * rules.witness_min_stake);
    let honest = [(); 3].map(|()| game.witness(2 * rules.witness_min_stake));
    game.warp(START + 1);
    game.submit_work(&worker, 0).unwrap();
    let mut trial = Trial::open(&mut game, &accuser, &worker, 0, MALICE).unwrap();
    game.request_leave(&accuser, None).unwrap();
    trial.all_say(&mut game, &all(&honest), VALID);
    game.warp(START + 1 + rules.leave_delay_slots);
    game.withdraw(&accuser).unwrap();
    assert_eq!(judge(&mut game, &[trial]), [Outcome::Acquitted]);
    (
        gain(&game, &accuser) + held(&game, &[&accuser]) as i64,
        held(&game, &[&worker]) - rules.worker_min_stake,
    )
}

/// The bond stays behind, and is lost.
#[test]
fn accuser_that_leaves_while_pledged_loses_its_bond() {
    assert_eq!(leaves_while_pledged(seed()), (-(B as i64) / 2, 20_000));
}

/// A worker of 20 B and 4 bonds accuses four honest ones of good work, is accused in the same slot and convicted of malice, with all it
/// has, before those audits are resolved, or isn't. What they come to, what the honest have more, and the accuser less.
fn slashed_while_pledged(rules: RulesArgs, slashed: bool) -> (Counts, u64, u64) {
    let mut game = Game::new(rules.clone());
    let honest = [(); 4].map(|()| game.worker(rules.worker_min_stake));
    let stake = rules.worker_min_stake + 4 * rules.initiator_bond;
    let accuser = game.worker(stake);
    let [first, second, third] = [(); 3].map(|()| game.witness(2 * rules.witness_min_stake));
    game.warp(START + 1);
    for worker in honest.iter().chain([&accuser]) {
        game.submit_work(worker, 0).unwrap();
    }
    let mut trials: Vec<_> = honest
        .iter()
        .map(|worker| Trial::open(&mut game, &accuser, worker, 0, MALICE).unwrap())
        .collect();
    for trial in &mut trials {
        trial.all_say(&mut game, &[&first, &second, &third], VALID);
    }
    if slashed {
        let mut own = Trial::open(&mut game, &first, &accuser, 0, MALICE).unwrap();
        own.all_say(&mut game, &[&second, &third], MALICE);
        assert_eq!(judge(&mut game, &[own]), [Outcome::ConvictedMalice]);
    }
    (
        counted(&judge(&mut game, &trials)),
        held(&game, &all(&honest)) - 4 * rules.worker_min_stake,
        stake - held(&game, &[&accuser]),
    )
}

/// Not defended, and told in the docs: who has lost its whole stake has no bond left to lose, and the acquitted get nothing. The price is
/// that stake, which is more than the bonds.
#[test]
fn accuser_that_is_slashed_while_pledged_has_no_bond_left_to_lose() {
    let acquitted = counts([("Acquitted", 4)]);
    assert_eq!(
        slashed_while_pledged(seed(), true),
        (acquitted.clone(), 0, 22 * B)
    );
    assert_eq!(
        slashed_while_pledged(seed(), false),
        (acquitted, 4 * 20_000, 4 * B / 2)
    );
}

/// A worker of 22 B with bad work accuses an honest one twenty times, 10 B of bonds, and its three friends accuse it and say malice; three
/// honest witnesses say what is true in all audits. What the attackers have lost when all is decided, their own audit first or last.
fn flood_of_the_convicted(own_first: bool) -> u64 {
    let mut game = Game::new(seed());
    let honest = game.worker(20 * B);
    let accuser = game.worker(22 * B);
    let friends = [(); 3].map(|()| game.witness(6 * B));
    let awake = [(); 3].map(|()| game.witness(6 * B));
    game.warp(START + 1);
    for worker in [&honest, &accuser] {
        game.submit_work(worker, 0).unwrap();
    }
    let mut trials: Vec<_> = (0..20)
        .map(|_| {
            let mut trial = Trial::open(&mut game, &accuser, &honest, 0, MALICE).unwrap();
            trial.all_say(&mut game, &all(&awake), VALID);
            trial
        })
        .collect();
    let mut own = Trial::open(&mut game, &friends[0], &accuser, 0, MALICE).unwrap();
    own.all_say(&mut game, &all(&friends)[1..], MALICE);
    own.all_say(&mut game, &all(&awake), MALICE);
    let at = if own_first { 0 } else { trials.len() };
    trials.insert(at, own);
    judge(&mut game, &trials);
    let attackers = held(&game, &all(&friends)) + held(&game, &[&accuser]);
    22 * B + 18 * B - attackers
}

/// Not defended, and told in the docs: who floods and is convicted by its friends pays what of its slash doesn't come home, the pool's part
/// and the honest voters', and no bonds. In the order in which it costs most, 10 B of bonds come to it.
#[test]
fn flood_of_the_convicted_costs_what_of_its_slash_does_not_come_home() {
    // Of 22 B 40 % and three of six shares of 55 % come home.
    assert_eq!(
        flood_of_the_convicted(true),
        22 * B - 88 * B / 10 - 3 * (121 * B / 10 / 6)
    );
    // Bonds first, then a slash of the 12 B that are left.
    assert_eq!(
        flood_of_the_convicted(false),
        22 * B - 48 * B / 10 - 3 * (66 * B / 10 / 6)
    );
}
