//! Random games: whatever the rules, the opinions and the order, the money that came in goes out, to the unit.
//!
//! A failure prints its seed and the smallest game found; `SEED=... cargo test --test conservation` plays it again.

mod common;

use anchor_lang::prelude::Address;
use common::*;
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use securing_tasks::{
    Audit, Opinion, Outcome, RewardRule, RulesArgs, Submission, Vote, VoteState, VoteWeight, ID,
};
use solana_signer::Signer;
use solana_transaction::InstructionError;
use std::collections::BTreeMap;

const WORKERS: usize = 3;
const NODES: usize = 8;
const GAMES: u32 = 200;
const SALT: [u8; 32] = [9; 32];

/// One step of a game. Nodes and workers by their place; refusals are a part of the game.
#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Open {
        initiator: usize,
        worker: usize,
        accusation: u8,
    },
    Vote {
        voter: usize,
        worker: usize,
        /// Which of the worker's audits, of all that there are.
        audit: usize,
        opinion: u8,
    },
    /// Of all that the voter committed to.
    Reveal {
        voter: usize,
        worker: usize,
    },
    AddStake {
        node: usize,
        amount: u64,
    },
    /// A share of the active stake in percent.
    Leave {
        node: usize,
        percent: u64,
    },
    Restake {
        node: usize,
    },
    Stay {
        node: usize,
    },
    Withdraw {
        node: usize,
    },
    /// Every panel of the worker's that can be drawn.
    Draw {
        worker: usize,
    },
    /// Against all that can be appealed of the worker's.
    Appeal {
        node: usize,
        worker: usize,
    },
    Resolve {
        worker: usize,
    },
    Claim {
        voter: usize,
        worker: usize,
    },
    Retire,
}

#[derive(Clone, Debug)]
struct Plan {
    rules: RulesArgsDebug,
    /// Workers first.
    stakes: Vec<u64>,
    /// Who holds which opinion of which worker at the beginning of a round, before the steps.
    ballots: Vec<[Option<u8>; WORKERS]>,
    /// The steps of round 0 and those of round 1, in which audits of round 0 may be open still.
    rounds: [Vec<Step>; 2],
    /// What orders the claims and withdrawals at the end.
    order: u64,
}

/// `RulesArgs` can't print itself.
#[derive(Clone)]
struct RulesArgsDebug(RulesArgs);

impl std::fmt::Debug for RulesArgsDebug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let r = &self.0;
        write!(
            f,
            "bonds {} and {}, deposit {}, commit {} slots, appeal {} slots, {} seats, quorum {} and {} bps, slash {} and {} bps, bonus {} bps, pool {} bps, weight {}, reward {}",
            r.initiator_bond,
            r.appeal_bond,
            r.vote_deposit,
            r.commit_slots,
            r.appeal_slots,
            r.panel_seats,
            r.quorum_votes,
            r.quorum_bps,
            r.downtime_bps,
            r.malice_bps,
            r.initiator_bonus_bps,
            r.pool_bps,
            r.vote_weight,
            r.reward_rule,
        )
    }
}

fn rules_of_any_kind() -> impl Strategy<Value = RulesArgsDebug> {
    // The least bonus that the least slash of the least stake still has a unit for.
    let shares = (100..=10_000u16).prop_flat_map(|bonus| (Just(bonus), 0..=10_000 - bonus));
    let slashes = prop_oneof![Just(10_000u16), 1..=10_000u16]
        .prop_flat_map(|malice| (0..=malice, Just(malice)));
    (
        shares,
        slashes,
        1..300_000u64,
        prop_oneof![Just(0), 0..200_000u64],
        (1..=3u32, prop_oneof![Just(0), 0..=4_000u16]),
        (0..=1u8, 0..=1u8, any::<bool>()),
        (
            prop_oneof![Just((0, 0)), (150..250u64, 1..200_000u64)],
            prop_oneof![2 => Just(0), 1 => 5..20u16],
        ),
    )
        .prop_map(|(shares, slashes, bond, deposit, quorum, kinds, appeals)| {
            let ((appeal_slots, appeal_bond), seats) = appeals;
            let panel_seats = if appeal_slots > 0 { seats } else { 0 };
            let (first, second) = if panel_seats > 0 {
                (MIN_PANEL_WINDOW_SLOTS, 150)
            } else {
                (50, 150)
            };
            let (commit_slots, reveal_slots) = if kinds.2 {
                (first, second)
            } else {
                (0, first.max(200))
            };
            RulesArgsDebug(RulesArgs {
                appeal_slots,
                appeal_bond,
                panel_seats,
                round_slots: if panel_seats > 0 { 2_000 } else { 1_000 },
                leave_delay_slots: 400 + 2 * (commit_slots + reveal_slots) + appeal_slots,

                initiator_bond: bond,
                vote_deposit: deposit,
                quorum_votes: quorum.0,
                quorum_bps: quorum.1,
                downtime_bps: slashes.0,
                malice_bps: slashes.1,
                initiator_bonus_bps: shares.0,
                pool_bps: shares.1,
                vote_weight: kinds.0,
                reward_rule: kinds.1,
                commit_slots,
                reveal_slots,
                ..rules()
            })
        })
}

fn step() -> impl Strategy<Value = Step> {
    let (node, worker) = (0..NODES, 0..WORKERS);
    prop_oneof![
        1 => (0..300u64).prop_map(Step::Wait),
        3 => (node.clone(), worker.clone(), 1..=2u8).prop_map(|(initiator, worker, accusation)| {
            Step::Open { initiator, worker, accusation }
        }),
        6 => (node.clone(), worker.clone(), 0..100usize, 0..=2u8).prop_map(|(voter, worker, audit, opinion)| {
            Step::Vote { voter, worker, audit, opinion }
        }),
        2 => (node.clone(), worker.clone()).prop_map(|(voter, worker)| Step::Reveal { voter, worker }),
        1 => (node.clone(), 1..2_000_000u64).prop_map(|(node, amount)| Step::AddStake { node, amount }),
        2 => (node.clone(), 1..=100u64).prop_map(|(node, percent)| Step::Leave { node, percent }),
        1 => node.clone().prop_map(|node| Step::Stay { node }),
        1 => node.clone().prop_map(|node| Step::Restake { node }),
        2 => node.clone().prop_map(|node| Step::Withdraw { node }),
        2 => worker.clone().prop_map(|worker| Step::Draw { worker }),
        2 => (node.clone(), worker.clone()).prop_map(|(node, worker)| Step::Appeal { node, worker }),
        2 => worker.clone().prop_map(|worker| Step::Resolve { worker }),
        2 => (node, worker).prop_map(|(voter, worker)| Step::Claim { voter, worker }),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    let opinion = prop_oneof![1 => Just(None), 3 => (0..=2u8).prop_map(Some)];
    let ballot = [opinion.clone(), opinion.clone(), opinion];
    let steps = || prop::collection::vec(step(), 0..30);
    (
        rules_of_any_kind(),
        prop::collection::vec(1_000_000..6_000_000u64, WORKERS + 1..=NODES),
        prop::collection::vec(ballot, NODES),
        [steps(), steps()],
        any::<u64>(),
        any::<bool>(),
    )
        .prop_map(|(rules, stakes, ballots, mut rounds, order, retire)| {
            if retire {
                rounds[1].push(Step::Retire);
            }
            Plan {
                rules,
                stakes,
                ballots,
                rounds,
                order,
            }
        })
}

/// A game that is played, and what it remembers of it.
struct Play {
    game: Game,
    nodes: Vec<Actor>,
    by_node: bool,
    /// What the initiator of each convicting audit was awarded.
    awards: Vec<(Address, u64)>,
    /// What was committed to, by the vote's address.
    secrets: BTreeMap<[u8; 32], u8>,
    /// Panels drawn, and appeals.
    draws: u32,
    appeals: u32,
}

impl Play {
    fn begin(plan: &Plan) -> Self {
        let mut game = Game::new(plan.rules.0.clone());
        let nodes = plan
            .stakes
            .iter()
            .enumerate()
            .map(|(place, stake)| {
                if place < WORKERS {
                    game.worker(*stake)
                } else {
                    game.witness(*stake)
                }
            })
            .collect();
        Self {
            game,
            nodes,
            by_node: plan.rules.0.vote_weight == VoteWeight::Node as u8,
            awards: vec![],
            secrets: BTreeMap::new(),
            draws: 0,
            appeals: 0,
        }
    }

    /// All that can ever leave a node as a reward.
    fn rewards(&self, node: usize) -> u64 {
        let node = self.game.node(&self.nodes[node]);
        node.locked.get() + node.locked_next.get() + node.payable.get()
    }

    /// Every audit of a worker, the newest last.
    fn audits(&self, worker: usize) -> Vec<Address> {
        let mut audits = vec![];
        for round in 0..2 {
            let address = self.game.submission(&self.nodes[worker], round);
            let Some(account) = self.game.svm.get_account(&address) else {
                continue;
            };
            if account.data.is_empty() {
                continue;
            }
            let attempts = self.game.get::<Submission>(&address).audits.get();
            for attempt in 0..attempts {
                audits.push(self.game.audit(&self.nodes[worker], round, attempt));
            }
        }
        audits
    }

    /// The program may refuse, but never for bookkeeping that doesn't add up, and never by a trap.
    fn tolerate(&self, step: &str, sent: Sent) -> bool {
        let Err(failed) = sent else { return true };
        match failure(Err(failed)) {
            InstructionError::Custom(code) => assert!(
                code == 0 || code == 2040 || code > 6_001,
                "{step} fails with {code}"
            ),
            other => panic!("{step} fails with {other:?}"),
        }
        false
    }

    fn open(&mut self, initiator: usize, worker: usize, round: u64, accusation: u8) {
        let address = self.game.submission(&self.nodes[worker], round);
        if self.game.svm.get_account(&address).is_none() {
            return;
        }
        let sent = self.game.open_audit(
            &self.nodes[initiator],
            &self.nodes[worker],
            round,
            accusation,
        );
        self.tolerate("open_audit", sent);
    }

    /// Votes in one of the worker's audits, or commits to it.
    fn vote(&mut self, voter: usize, worker: usize, audit: usize, opinion: u8) {
        let audits = self.audits(worker);
        if audits.is_empty() {
            return;
        }
        let (audit, voter) = (audits[audit % audits.len()], &self.nodes[voter]);
        let vote = vote_address(&audit, &voter.owner.pubkey());
        if self.game.rules.commit_slots == 0 {
            let sent = self.game.cast_vote(voter, &audit, opinion);
            self.tolerate("cast_vote", sent);
            return;
        }
        let sent = self.game.commit_vote(voter, &audit, opinion, SALT);
        if self.tolerate("commit_vote", sent) {
            self.secrets.insert(vote.to_bytes(), opinion);
        }
    }

    /// Tells all that the voter committed to on the worker, where it can.
    fn reveal(&mut self, voter: usize, worker: usize) {
        for audit in self.audits(worker) {
            let voter = &self.nodes[voter];
            let vote = vote_address(&audit, &voter.owner.pubkey());
            if let Some(opinion) = self.secrets.get(&vote.to_bytes()) {
                let sent = self.game.reveal_vote(voter, &audit, *opinion, SALT);
                self.tolerate("reveal_vote", sent);
            }
        }
    }

    fn draw(&mut self, worker: usize) {
        for audit in self.audits(worker) {
            let sent = self.game.draw_panel(&audit);
            self.draws += u32::from(self.tolerate("draw_panel", sent));
        }
    }

    fn appeal(&mut self, node: usize, worker: usize) {
        for audit in self.audits(worker) {
            let sent = self.game.appeal_audit(&self.nodes[node], &audit);
            self.appeals += u32::from(self.tolerate("appeal_audit", sent));
        }
    }

    fn resolve(&mut self, audit: &Address) {
        let initiator = self.game.get::<Audit>(audit).initiator;
        let initiator = self
            .nodes
            .iter()
            .position(|node| node.owner.pubkey() == initiator)
            .unwrap();
        let before = self.rewards(initiator);
        let sent = self.game.resolve_audit(audit);
        if self.tolerate("resolve_audit", sent) {
            let audit_state = self.game.get::<Audit>(audit);
            let outcome: Outcome = audit_state.outcome.into();
            // Where the majority alone is paid, an accusation of less than the verdict has the bonus and no more.
            let paid = audit_state.accusation == Opinion::Malice
                || outcome == Outcome::ConvictedDowntime
                || self.game.rules.reward_rule == RewardRule::All as u8;
            let convicted = [Outcome::ConvictedDowntime, Outcome::ConvictedMalice];
            if paid && convicted.contains(&outcome) {
                self.awards.push((*audit, self.rewards(initiator) - before));
            }
        }
    }

    /// Claims a vote if there is one.
    fn claim(&mut self, voter: usize, audit: &Address) {
        let vote = vote_address(audit, &self.nodes[voter].owner.pubkey());
        if self.game.svm.get_account(&vote).is_none() {
            return;
        }
        let before = self.rewards(voter);
        let sent = self.game.claim_vote(&self.nodes[voter], audit);
        if self.tolerate("claim_vote", sent) {
            let share = self.rewards(voter) - before;
            let award = self.awards.iter().find(|(of, _)| of == audit);
            if let (true, Some((_, award))) = (self.by_node, award) {
                assert!(share <= *award, "a voter got more than the initiator");
            }
        }
    }

    fn step(&mut self, step: &Step, round: u64) {
        let count = self.nodes.len();
        match *step {
            Step::Wait(slots) => {
                let slot = self.game.slot() + slots;
                self.game.warp(slot);
            }
            Step::Open {
                initiator,
                worker,
                accusation,
            } => self.open(initiator % count, worker, round, accusation),
            Step::Vote {
                voter,
                worker,
                audit,
                opinion,
            } => self.vote(voter % count, worker, audit, opinion),
            Step::Reveal { voter, worker } => self.reveal(voter % count, worker),
            Step::AddStake { node, amount } => {
                let sent = self.game.add_stake(&self.nodes[node % count], amount);
                self.tolerate("add_stake", sent);
            }
            Step::Leave { node, percent } => {
                let actor = &self.nodes[node % count];
                let state = self.game.node(actor);
                let active = state.stake.get() - state.leaving.get();
                let sent = self.game.request_leave(actor, Some(active * percent / 100));
                self.tolerate("request_leave", sent);
            }
            Step::Stay { node } => {
                let sent = self.game.cancel_leave(&self.nodes[node % count]);
                self.tolerate("cancel_leave", sent);
            }
            Step::Restake { node } => {
                let sent = self.game.restake(&self.nodes[node % count]);
                self.tolerate("restake", sent);
            }
            Step::Withdraw { node } => {
                let sent = self.game.withdraw(&self.nodes[node % count]);
                self.tolerate("withdraw", sent);
            }
            Step::Draw { worker } => self.draw(worker),
            Step::Appeal { node, worker } => self.appeal(node % count, worker),
            Step::Resolve { worker } => {
                for audit in self.audits(worker) {
                    self.resolve(&audit);
                }
            }
            Step::Claim { voter, worker } => {
                for audit in self.audits(worker) {
                    self.claim(voter % count, &audit);
                }
            }
            Step::Retire => {
                self.game.retire_task().unwrap();
            }
        }
    }

    /// The ballots of all who may vote, and where votes are committed, all but one of five told.
    fn votes(&mut self, plan: &Plan) {
        for (voter, ballot) in plan.ballots.iter().take(self.nodes.len()).enumerate() {
            for (worker, opinion) in ballot.iter().enumerate() {
                if let Some(opinion) = opinion {
                    let newest = self.audits(worker).len().saturating_sub(1);
                    self.vote(voter, worker, newest, *opinion);
                }
            }
        }
        if self.game.rules.commit_slots > 0 {
            // One of five stays shut, or is told by a step.
            let slot = self.game.slot() + self.game.rules.commit_slots;
            self.game.warp(slot);
            for voter in 0..self.nodes.len() {
                for worker in 0..WORKERS {
                    if !(plan.order >> 7)
                        .wrapping_add((voter * WORKERS + worker) as u64)
                        .is_multiple_of(5)
                    {
                        self.reveal(voter, worker);
                    }
                }
            }
        }
    }

    /// Submissions of every worker that still can, an audit of each, the draws, the ballots, and in half of the games appeals with their
    /// ballots.
    fn round(&mut self, round: u64, plan: &Plan) {
        let start = START + self.game.rules.round_slots * round + 1;
        let slot = start.max(self.game.slot());
        self.game.warp(slot);
        for worker in 0..WORKERS {
            let sent = self.game.submit_work(&self.nodes[worker], round);
            self.tolerate("submit_work", sent);
            self.open((worker + 1) % self.nodes.len(), worker, round, 2);
        }
        if self.game.rules.panel_seats > 0 && plan.order >> 4 & 3 > 0 {
            let slot = self.game.slot() + 9;
            self.game.warp(slot);
            for worker in 0..WORKERS {
                self.draw(worker);
            }
        }
        self.votes(plan);
        if self.game.rules.appeal_slots > 0 && plan.order >> round & 1 == 1 {
            let newest = self.audits(0).last().copied();
            if let Some(audit) = newest {
                let end = self.game.get::<Audit>(&audit).end_slot.get();
                let slot = end.max(self.game.slot());
                self.game.warp(slot);
            }
            for worker in 0..WORKERS {
                let node = (plan.order >> 9) as usize % self.nodes.len();
                self.appeal((node + worker) % self.nodes.len(), worker);
            }
            let turned = plan.ballots.iter().rev().copied().collect();
            self.votes(&Plan {
                ballots: turned,
                ..plan.clone()
            });
        }
        for step in &plan.rounds[round as usize] {
            self.step(step, round);
        }
    }

    fn exists(&self, address: &Address) -> bool {
        self.game
            .svm
            .get_account(address)
            .is_some_and(|account| account.owner == ID)
    }

    /// Pays a submission unless it was convicted, and closes it with all its audits and votes.
    fn settle(&mut self, worker: usize, round: u64) {
        let address = self.game.submission(&self.nodes[worker], round);
        if !self.exists(&address) {
            return;
        }
        let submission: Submission = self.game.get(&address);
        let audits: Vec<_> = (0..submission.audits.get())
            .map(|attempt| self.game.audit(&self.nodes[worker], round, attempt))
            .collect();
        // However many verdicts: one submission costs no more than one slash for malice.
        let most = audits
            .iter()
            .map(|audit| self.game.get::<Audit>(audit).accused_stake.get())
            .max()
            .unwrap_or(0);
        let malice_bps = u64::from(self.game.rules.malice_bps);
        assert!(submission.slashed.get() <= most * malice_bps / 10_000);
        if !submission.is_convicted() {
            self.game.claim_bounty(&self.nodes[worker], round).unwrap();
        }
        for audit in audits {
            for voter in &self.nodes {
                if self.exists(&vote_address(&audit, &voter.owner.pubkey())) {
                    self.game.close_vote(voter, &audit).unwrap();
                }
            }
            self.game.close_audit(&audit).unwrap();
        }
        self.game
            .close_submission(&self.nodes[worker], round)
            .unwrap();
    }

    /// Everything resolved, claimed and withdrawn, in the plan's order: from here on nothing may fail. Answers the audits' outcomes.
    fn end(&mut self, order: u64) -> Vec<u8> {
        let slot = self.game.slot() + 4_000;
        self.game.warp(slot);
        let mut audits: Vec<_> = (0..WORKERS).flat_map(|w| self.audits(w)).collect();
        shuffle(&mut audits, order);
        // Those of one submission wait for each other, so it takes as many passes as there are attempts, and no more.
        let is_open =
            |play: &Self, audit: &Address| play.game.get::<Audit>(audit).outcome == Outcome::Open;
        for _ in 0..audits.len() {
            for audit in &audits {
                if is_open(self, audit) {
                    self.resolve(audit);
                }
            }
        }
        assert!(!audits.iter().any(|audit| is_open(self, audit)));
        let mut claims: Vec<_> = audits
            .iter()
            .flat_map(|audit| (0..self.nodes.len()).map(move |voter| (voter, *audit)))
            .collect();
        shuffle(&mut claims, order);
        for (place, (voter, audit)) in claims.iter().enumerate() {
            let vote = vote_address(audit, &self.nodes[*voter].owner.pubkey());
            if self.game.svm.get_account(&vote).is_none() {
                continue;
            }
            if self.game.get::<Vote>(&vote).state != VoteState::Claimed {
                self.claim(*voter, audit);
            }
            let vote: Vote = self.game.get(&vote);
            assert!(vote.state == VoteState::Claimed && vote.opinion.0 <= Opinion::Malice as u8);
            if place % 5 == 0 {
                self.step(&Step::Wait(order % 97), 1);
                self.step(&Step::Withdraw { node: *voter }, 1);
            }
        }
        for audit in &audits {
            let audit: Audit = self.game.get(audit);
            assert_eq!((audit.unclaimed.get(), audit.voters_left.get()), (0, 0));
        }
        let outcomes = audits
            .iter()
            .map(|audit| self.game.get::<Audit>(audit).outcome.0)
            .collect();
        for worker in 0..WORKERS {
            for round in 0..2 {
                self.settle(worker, round);
            }
        }
        for round in 0..2 {
            if self.exists(&round_address(&self.game.task, round)) {
                self.game.close_round(round).unwrap();
            }
        }

        // Some leave by themselves, anybody pays the others out.
        let returned = |place: usize| order >> (place + 20) & 1 == 1;
        self.game.retire_task().unwrap();
        let mut places: Vec<_> = (0..self.nodes.len()).collect();
        shuffle(&mut places, order);
        for place in places.iter().filter(|place| !returned(**place)) {
            self.step(
                &Step::Leave {
                    node: *place,
                    percent: 100,
                },
                1,
            );
        }
        let slot = self.game.slot() + 2 * self.game.rules.leave_delay_slots;
        self.game.warp(slot);
        for place in places {
            if returned(place) {
                let sent = self.game.return_stake(&self.nodes[place]);
                self.tolerate("return_stake", sent);
            } else {
                self.step(&Step::Withdraw { node: place }, 1);
            }
        }
        for place in 0..self.nodes.len() {
            self.game.close_node(&self.nodes[place]).unwrap();
        }
        outcomes
    }
}

/// Any order of a list, the same for the same number.
fn shuffle<T>(list: &mut [T], mut order: u64) {
    for place in (1..list.len()).rev() {
        order = order
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        list.swap(place, (order >> 33) as usize % (place + 1));
    }
}

#[test]
fn all_that_comes_in_goes_out() {
    let seed = std::env::var("SEED").map_or_else(
        |_| {
            let now = std::time::SystemTime::now();
            now.duration_since(std::time::UNIX_EPOCH)
                .unwrap()
                .as_nanos() as u64
        },
        |seed| seed.parse().expect("SEED is a number"),
    );
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: GAMES,
        failure_persistence: None,
        max_shrink_iters: 300,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let verdicts = std::cell::RefCell::new([0; 5]);
    let done = std::cell::RefCell::new([0; 2]);
    runner
        .run(&plan(), |plan| {
            let mut play = Play::begin(&plan);
            play.game.fund_task(1_000_000).unwrap();
            for round in 0..2 {
                play.round(round, &plan);
            }
            for outcome in play.end(plan.order) {
                verdicts.borrow_mut()[outcome as usize] += 1;
            }

            done.borrow_mut()[0] += play.draws;
            done.borrow_mut()[1] += play.appeals;
            let game = &play.game;
            let wallets: u64 = play
                .nodes
                .iter()
                .map(|node| balance(&game.svm, &node.wallet))
                .sum();
            prop_assert_eq!(balance(&game.svm, &game.vault), 0);
            prop_assert_eq!(
                wallets + balance(&game.svm, &game.creator_wallet),
                (play.nodes.len() as u64 + 1) * WALLET
            );
            Ok(())
        })
        .unwrap_or_else(|error| panic!("SEED={seed}: {error}"));
    let done = done.into_inner();
    assert!(
        done.iter().all(|times| *times > 0),
        "SEED={seed}: draws and appeals: {done:?}"
    );
    let [open, others @ ..] = verdicts.into_inner();
    assert_eq!(open, 0);
    assert!(
        others.iter().all(|verdicts| *verdicts > 0),
        "SEED={seed}: the games have every verdict: {others:?}"
    );
}

/// Units of `resolve_audit` after as many votes for malice.
fn units_to_resolve(rules: RulesArgs, voters: u32) -> u64 {
    let mut game = Game::new(rules);
    let (accused, initiator) = (game.worker(4_000_000), game.witness(2_000_000));
    let voters: Vec<_> = (0..voters).map(|_| game.witness(1_000_000)).collect();
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    game.open_audit(&initiator, &accused, 0, 2).unwrap();
    let audit = game.audit(&accused, 0, 0);
    for voter in &voters {
        game.cast_vote(voter, &audit, 2).unwrap();
    }
    game.warp(START + 201);
    let units = game.resolve_audit(&audit).unwrap().compute_units_consumed;
    for voter in &voters {
        game.claim_vote(voter, &audit).unwrap();
    }
    units
}

#[test]
fn resolve_audit_costs_the_same_for_any_number_of_voters() {
    for (vote_weight, reward_rule) in [
        (VoteWeight::Node, RewardRule::All),
        (VoteWeight::Node, RewardRule::Majority),
        (VoteWeight::Stake, RewardRule::All),
        (VoteWeight::Stake, RewardRule::Majority),
    ] {
        let rules = RulesArgs {
            vote_weight: vote_weight as u8,
            reward_rule: reward_rule as u8,
            ..rules()
        };
        let [few, many] = [3, 30].map(|voters| units_to_resolve(rules.clone(), voters));
        assert!(few.abs_diff(many) <= 10, "{few} units for 3, {many} for 30");
    }
}
