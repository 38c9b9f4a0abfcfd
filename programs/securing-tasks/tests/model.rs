//! Random games played twice: by the program in LiteSVM and by a model in plain Rust. After every instruction both must agree on
//! the result, to the error code, on every account that was named, on every vault, wallet and lamport; from time to time, and at
//! the end, on everything. Then the game is wound down to zero accounts: no lock lasts for ever.
//!
//! `MODEL_SEED=... MODEL_STEPS=... cargo test --test model` plays the same games again; `MODEL_STEPS=1000000` plays many. A
//! failure prints both, and the shortest sequence found that fails the same way.

#[path = "model/chain.rs"]
mod chain;
mod common;
#[path = "model/game.rs"]
mod game;
#[path = "model/player.rs"]
mod player;

use chain::{Chain, Template};
use game::{
    AuditId, Flaw, Gate, Ix, Met, No, NodeId, RoundId, Rules, Shown, Step, SubmissionId, VoteId,
    World, ALL_MET,
};
use player::Player;
use std::{
    collections::BTreeMap,
    panic::{catch_unwind, AssertUnwindSafe},
    time::{Duration, Instant},
};

/// Instructions in `cargo test`.
const STEPS: u64 = 50_000;
/// Instructions from which on each role must meet each gate.
const LONG: u64 = 300_000;
/// Steps of one game, the winding down not counted.
const GAME: usize = 1_000;
/// How many steps apart everything is compared.
const ALL: usize = 60;
/// Seconds that shrinking may take; `MODEL_SHRINK` sets others.
const SHRINK: u64 = 90;

/// An instruction that came to a gate of a collection, the role that the gate is for, and what it found.
type Found = (&'static str, u8, Result<(), Flaw>);

/// How often each instruction ended how.
#[derive(Default)]
struct Tally {
    results: BTreeMap<(&'static str, String), u64>,
    sent: u64,
    passed: u64,
    outcomes: [u64; 5],
    /// How often a gate of a collection let in or kept out, and for what.
    collections: BTreeMap<Found, u64>,
    /// How often what the rules are for was met.
    met: BTreeMap<Met, u64>,
    games: u64,
    most_accounts: usize,
}

/// One game on both sides.
struct Play<'a> {
    chain: Chain,
    world: World,
    tally: &'a mut Tally,
    supply: u128,
    steps: usize,
}

impl<'a> Play<'a> {
    fn new(template: &Template, purse: u64, tally: &'a mut Tally) -> Self {
        let (chain, world) = template.game(purse);
        let supply = world.wallets.iter().map(|one| u128::from(*one)).sum();
        Self {
            chain,
            world,
            tally,
            supply,
            steps: 0,
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Until(slot) => {
                if *slot > self.world.slot {
                    self.world.slot = *slot;
                    self.chain.until(*slot);
                }
            }
            Step::Gift { task, from, amount } => {
                let purse = self.world.wallets[usize::from(*from)];
                if self.world.tasks.contains_key(task) && purse >= *amount {
                    self.world.gift(*task, *from, *amount);
                    self.chain.gift(*task, *from, *amount);
                }
            }
            Step::Pass { badge, to } => {
                if self.world.badges[badge] > 0 {
                    self.world.pass(*badge, *to);
                    self.chain.pass(*badge, *to);
                }
            }
            Step::Do(ix) => self.instruction(ix)?,
        }
        self.steps += 1;
        if self.steps.is_multiple_of(ALL) {
            self.chain.compare_all(&self.world)?;
        }
        Ok(())
    }

    fn instruction(&mut self, ix: &Ix) -> Result<(), String> {
        let gate = self.world.gate_of(ix);
        let found = gate.and_then(|(gate, role, owner, shown)| match gate {
            Gate::Collection { group } => {
                Some((role, self.world.holds_member(group, owner, shown)))
            }
            _ => None,
        });
        let awake = self.awake(ix);
        let expected = self.world.play(ix);
        let sent = self.chain.send(ix);
        let result = match expected {
            Ok(()) => "ok".to_string(),
            Err(no) => format!("{no:?}"),
        };
        let agree = match (&expected, &sent) {
            (Ok(()), Ok(())) => true,
            (Err(no), Err(error)) => chain::same(*no, error),
            _ => false,
        };
        if let Some(awake) = awake {
            // Accounts that don't belong together, or numbers that are none, say nothing.
            let stray = expected.is_err_and(|no| STRAY.contains(&no));
            if !stray && awake != sent.is_ok() {
                return Err(format!(
                    "{} ends with {sent:?} on chain, and whoever is awake counts: {awake}",
                    ix.name()
                ));
            }
        }
        if !agree {
            return Err(format!(
                "{} ends with {sent:?} on chain, and by the model with {result}",
                ix.name()
            ));
        }
        self.tally.sent += 1;
        self.tally.passed += u64::from(expected.is_ok());
        if let Some((role, found)) = found {
            if matches!(expected, Ok(()) | Err(No::GateClosed)) {
                let met = (ix.name(), role, found);
                *self.tally.collections.entry(met).or_default() += 1;
            }
        }
        *self.tally.results.entry((ix.name(), result)).or_default() += 1;
        self.tally.most_accounts = self.tally.most_accounts.max(self.world.accounts());
        self.chain.compare_named(&self.world, ix)?;
        // What is refused changes nothing: `World::judge` can't.
        if expected.is_ok() {
            self.world.check(self.supply);
        }
        Ok(())
    }

    /// Whether the vote or accusation must be taken, by what its node is and did in this case alone.
    fn awake(&self, ix: &Ix) -> Option<bool> {
        let world = &self.world;
        match *ix {
            Ix::CastVote { audit, node, .. } | Ix::CommitVote { audit, node, .. } => {
                let there = world.audits.contains_key(&audit) && world.nodes.contains_key(&node);
                there.then(|| world.may_vote(ix))
            }
            Ix::OpenAudit {
                submission,
                initiator,
                ..
            } => {
                let there = world.submissions.contains_key(&submission)
                    && world.nodes.contains_key(&initiator);
                there.then(|| world.may_accuse(ix))
            }
            _ => None,
        }
    }

    /// Ends every case, pays everything, closes every account. Nothing that is owed may stay, and it may not take longer than the
    /// rules' delays. In every other game a stranger does it alone, once the creators have retired their tasks.
    fn wind_down(&mut self, player: &mut Player) -> Result<(), String> {
        let stranger = player.is_stranger();
        let wait: u64 = self
            .world
            .tasks
            .values()
            .map(|task| task.rules.round.max(task.rules.leave_delay))
            .max()
            .unwrap_or(0);
        // Cases end within one wait, what they pay is unlocked after two more; a stranger waits for nothing that is locked.
        let waits = if stranger { 1 } else { 4 };
        for turn in 0..=waits {
            let mut progress = true;
            while progress {
                progress = false;
                for ix in player.wind_down(&self.world, stranger) {
                    if self.world.judge(&ix).is_ok() {
                        self.step(&Step::Do(ix))?;
                        progress = true;
                    } else if player.tries(&ix) {
                        self.step(&Step::Do(ix))?;
                    }
                }
            }
            if self.world.is_over() {
                break;
            }
            if turn < waits {
                // One slot is missing to the longest wait.
                let end = self.world.slot + wait;
                self.step(&Step::Until(end - 1))?;
                for ix in player.wind_down(&self.world, stranger) {
                    if player.tries(&ix) {
                        self.step(&Step::Do(ix))?;
                    }
                }
                self.step(&Step::Until(end))?;
            }
        }
        self.chain.compare_all(&self.world)?;
        if self.world.accounts() > 0 {
            return Err(format!(
                "{} accounts are left for ever",
                self.world.accounts()
            ));
        }
        if self.world.lamports.windows(2).any(|two| two[0] != two[1]) {
            return Err("rent did not come back to who paid it".into());
        }
        if stranger {
            self.world.meet(Met::ClosedByStranger);
        }
        Ok(())
    }

    fn end(self) {
        for (sum, one) in self.tally.outcomes.iter_mut().zip(self.world.outcomes) {
            *sum += one;
        }
        for (met, count) in self.world.met {
            *self.tally.met.entry(met).or_default() += count;
        }
        self.tally.games += 1;
    }
}

/// Plays the game of a seed, for as many steps. Answers its steps and what went wrong.
fn game(
    template: &Template,
    seed: u64,
    steps: usize,
    tally: &mut Tally,
) -> (Vec<Step>, Result<(), String>) {
    let mut player = Player::new(seed);
    let mut record = vec![];
    let result = guarded(|| {
        let mut play = Play::new(template, player.purse(), tally);
        for _ in 0..steps {
            let step = player.step(&play.world);
            record.push(step);
            play.step(record.last().unwrap())?;
        }
        play.wind_down(&mut player)?;
        play.end();
        Ok(())
    });
    (record, result)
}

/// Plays these steps and winds down.
fn replay(template: &Template, seed: u64, steps: &[Step]) -> Result<(), String> {
    let mut player = Player::new(seed);
    let mut tally = Tally::default();
    guarded(|| {
        let mut play = Play::new(template, player.purse(), &mut tally);
        for step in steps {
            play.step(step)?;
        }
        play.wind_down(&mut player)
    })
}

/// A broken invariant of the model is a failure like any other.
fn guarded(run: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        Err(panic
            .downcast_ref::<String>()
            .cloned()
            .or(panic.downcast_ref::<&str>().map(|text| (*text).to_string()))
            .unwrap_or("a panic".into()))
    })
}

/// The shortest sequence found that still fails: without ever smaller parts, as long as there is time.
fn shrink(template: &Template, seed: u64, mut steps: Vec<Step>) -> Vec<Step> {
    let started = Instant::now();
    let time = Duration::from_secs(number("MODEL_SHRINK").unwrap_or(SHRINK));
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut size = steps.len().div_ceil(2);
    loop {
        let (mut at, mut smaller) = (0, false);
        while at < steps.len() && started.elapsed() < time {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + size).min(steps.len()));
            if replay(template, seed, &fewer).is_err() {
                (steps, smaller) = (fewer, true);
            } else {
                at += size;
            }
        }
        if started.elapsed() >= time || (size == 1 && !smaller) {
            break;
        }
        size = size.div_ceil(2);
    }
    std::panic::set_hook(hook);
    steps
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}

fn now() -> u64 {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    since.as_micros() as u64
}

fn print(tally: &Tally, started: Instant) {
    println!(
        "{} instructions in {} games, {} of them accepted, at most {} accounts at once, {:.1} s",
        tally.sent,
        tally.games,
        tally.passed,
        tally.most_accounts,
        started.elapsed().as_secs_f64()
    );
    let [_, none, acquitted, downtime, malice] = tally.outcomes;
    println!(
        "outcomes: {none} without a verdict, {acquitted} acquitted, {downtime} convicted of downtime, {malice} of malice"
    );
    let mut lines: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ((name, result), count) in &tally.results {
        let line = format!("{result} {count}");
        let of = lines.entry(name).or_default();
        if result == "ok" {
            of.insert(0, line);
        } else {
            of.push(line);
        }
    }
    for (name, results) in lines {
        println!("  {name}: {}", results.join(", "));
    }
    println!("gates of collections:");
    for (name, role) in COLLECTIONS {
        let mut line = vec![];
        for ((at, of, found), count) in &tally.collections {
            if (*at, *of) == (name, role) {
                line.push(match found {
                    Ok(()) => format!("open {count}"),
                    Err(flaw) => format!("{flaw:?} {count}"),
                });
            }
        }
        let role = ["worker", "witness"][usize::from(role)];
        println!("  {name} of a {role}: {}", line.join(", "));
    }
    println!("met:");
    for met in ALL_MET {
        let count = tally.met.get(&met).copied().unwrap_or(0);
        println!("  {met:?} {count}");
    }
    println!("refusals that never occurred: {}", never(tally).join(", "));
}

/// Refusals that never occurred.
fn never(tally: &Tally) -> Vec<String> {
    game::ALL_REFUSALS
        .iter()
        .map(|no| format!("{no:?}"))
        .filter(|no| !tally.results.keys().any(|(_, result)| result == no))
        .collect()
}

/// Refusals of accounts that are missing, are there already or don't belong together, and of numbers that are none: they say nothing of who may vote.
const STRAY: [No; 13] = [
    No::Missing,
    No::InUse,
    No::Twice,
    No::Seeds,
    No::WrongTask,
    No::WrongNode,
    No::WrongRound,
    No::NotOperator,
    No::UnknownVerdict,
    No::CommitmentMissing,
    No::SecretHashMissing,
    No::EvidenceHashMissing,
    No::UriTooLong,
];

const INSTRUCTIONS: [&str; 31] = [
    "create_task",
    "fund_task",
    "pause_task",
    "resume_task",
    "retire_task",
    "close_task",
    "allow_node",
    "disallow_node",
    "join_task",
    "add_stake",
    "restake",
    "request_leave",
    "cancel_leave",
    "withdraw",
    "return_stake",
    "set_operator",
    "submit_work",
    "open_audit",
    "draw_panel",
    "appeal_audit",
    "cast_vote",
    "commit_vote",
    "reveal_vote",
    "resolve_audit",
    "claim_vote",
    "claim_bounty",
    "close_vote",
    "close_audit",
    "close_submission",
    "close_round",
    "close_node",
];

/// Where a gate is asked, and of whom.
const COLLECTIONS: [(&str, u8); 3] = [("join_task", 0), ("join_task", 1), ("submit_work", 0)];

#[test]
fn program_and_model_agree() {
    let first = number("MODEL_SEED").unwrap_or_else(now);
    let steps = number("MODEL_STEPS").unwrap_or(STEPS);
    println!("MODEL_SEED={first} MODEL_STEPS={steps}");
    let started = Instant::now();
    let template = Template::new();
    let mut tally = Tally::default();
    let mut seed = first;
    while tally.sent < steps {
        let left = usize::try_from(steps - tally.sent).unwrap().min(GAME);
        let (record, result) = game(&template, seed, left, &mut tally);
        if let Err(error) = result {
            print(&tally, started);
            let length = record.len();
            let shortest = shrink(&template, seed, record);
            let error_now = replay(&template, seed, &shortest).err();
            println!("The shortest sequence found, of {} steps:", shortest.len());
            for step in &shortest {
                println!("  {step:?}");
            }
            println!("ends with: {}", error_now.as_deref().unwrap_or("nothing"));
            panic!("MODEL_SEED={seed} MODEL_STEPS={length}: {error}");
        }
        seed += 1;
    }
    print(&tally, started);
    if steps >= STEPS {
        for name in INSTRUCTIONS {
            let ok = (name, "ok".to_string());
            assert!(
                tally.results.contains_key(&ok),
                "{name} is accepted at least once"
            );
        }
        assert!(
            tally.outcomes[1..].iter().all(|count| *count > 0),
            "every outcome occurs: {:?}",
            tally.outcomes
        );
        let met = |what: &dyn Fn(&Found) -> bool| tally.collections.keys().any(what);
        // In a short run few games have such a gate where, say, witnesses commit votes: it need not keep one out.
        let short = steps < LONG;
        for (at, of) in COLLECTIONS {
            for open in [true, false] {
                let here = met(&|(name, role, found)| {
                    *name == at && (short || *role == of) && found.is_ok() == open
                });
                assert!(here, "{at} of role {of} meets a gate that is open: {open}");
            }
        }
        for flaw in game::ALL_FLAWS {
            let here = met(&|(_, _, found)| *found == Err(flaw));
            assert!(here, "{flaw:?} keeps somebody out of a collection");
        }
        if !short {
            let never = never(&tally);
            assert!(never.is_empty(), "every refusal occurs: {never:?}");
            for met in ALL_MET {
                assert!(tally.met.contains_key(&met), "{met:?} is met");
            }
        }
    }
}

/// Too rare to be met by chance: who loses its stake, closes its node, joins again and submits, all in one slot, is not among the others
/// who could vote just before.
#[test]
fn who_comes_again_in_its_slot_is_not_among_the_others() {
    const TASK: u8 = 0;
    const ROUND: RoundId = RoundId {
        task: TASK,
        number: 0,
    };
    let node = |owner| NodeId { task: TASK, owner };
    let join = |owner, role, amount| {
        Step::Do(Ix::JoinTask {
            node: node(owner),
            payer: owner,
            role,
            operator: owner,
            amount,
            source: owner,
            vault: TASK,
            shown: Shown::default(),
        })
    };
    let submit = |owner, round: RoundId| {
        Step::Do(Ix::SubmitWork {
            task: TASK,
            payer: owner,
            node: node(owner),
            signer: owner,
            round,
            number: round.number,
            payload: true,
            uri: 0,
            shown: Shown::default(),
        })
    };
    let rules = Rules {
        round: 100,
        submission: 50,
        audit: 20,
        commit: 0,
        reveal: 10,
        leave_delay: 100,
        min_stake: [10, 10],
        bounty: 0,
        bond: 10,
        deposit: 0,
        appeal: 0,
        appeal_bond: 0,
        quorum_votes: 1,
        quorum_bps: 0,
        downtime_bps: 0,
        malice_bps: 10_000,
        bonus_bps: 5_000,
        pool_bps: 0,
        seats: 0,
        weight: 1,
        reward: 0,
        gates: [Gate::Open, Gate::Open],
        allow_large_stake: true,
    };
    let (accused, initiator, voter, friend) = (1, 2, 3, 4);
    let submission = SubmissionId {
        round: ROUND,
        owner: accused,
    };
    let audit = AuditId {
        submission,
        initiator,
        index: 0,
    };
    let vote = VoteId { audit, voter };
    let template = Template::new();
    let mut tally = Tally::default();
    let mut play = Play::new(&template, 1_000, &mut tally);
    let start = play.world.slot;
    let steps = [
        Step::Do(Ix::CreateTask {
            task: TASK,
            payer: 0,
            rules: Box::new(rules),
            audit_function: true,
            uris: [0, 0],
        }),
        join(accused, 0, 10),
        join(initiator, 1, 10),
        join(voter, 0, 20),
        Step::Until(start + 1),
        submit(accused, ROUND),
        Step::Do(Ix::OpenAudit {
            task: TASK,
            payer: initiator,
            submission,
            round: ROUND,
            accused: node(accused),
            initiator: node(initiator),
            signer: initiator,
            index: 0,
            accusation: 2,
            secret: None,
            evidence: false,
            uri: 0,
            proof: None,
        }),
        Step::Do(Ix::CastVote {
            task: TASK,
            payer: voter,
            audit,
            node: node(voter),
            signer: voter,
            opinion: 0,
            proof: None,
        }),
        Step::Until(start + 101),
        Step::Do(Ix::ResolveAudit {
            task: TASK,
            audit,
            submission,
            round: ROUND,
            accused: node(accused),
            initiator: node(initiator),
            appellant: None,
        }),
        Step::Do(Ix::ClaimVote {
            task: TASK,
            audit,
            vote,
            node: node(voter),
        }),
        Step::Do(Ix::CloseVote {
            audit,
            node: node(voter),
            vote,
            payer: voter,
        }),
        Step::Do(Ix::CloseAudit {
            submission,
            initiator: node(initiator),
            audit,
            payer: initiator,
        }),
        Step::Do(Ix::CloseNode {
            closer: initiator,
            task: TASK,
            node: node(initiator),
            payer: initiator,
        }),
        join(initiator, 0, 10),
        join(friend, 0, 10),
        submit(initiator, RoundId { number: 1, ..ROUND }),
    ];
    for step in &steps {
        play.step(step).unwrap();
        if let Step::Do(ix) = step {
            assert_eq!(play.tally.passed, play.tally.sent, "{} is taken", ix.name());
        }
    }
    let of = SubmissionId {
        round: RoundId { number: 1, ..ROUND },
        owner: initiator,
    };
    let others = play.world.submissions[&of].others;
    assert_eq!((others.stake, others.nodes), (30, 2));
}
