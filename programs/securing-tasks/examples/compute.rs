//! Compute units of every instruction on LiteSVM: writes `docs/compute.md`, or with `--check` only compares with the ceilings.
//!
//! An instruction that makes an account looks for its address from bump 255 down, so that its cost depends on the address: it is
//! measured over many, and a ceiling is for the mean.

#[path = "../tests/common/mod.rs"]
mod common;

use anchor_lang::{
    prelude::Address,
    solana_program::instruction::{AccountMeta, Instruction},
};
use anchor_spl::token_2022::spl_token_2022;
use common::*;
use securing_tasks::{
    AllowEntry, Audit, GateKind, RewardRule, Round, RulesArgs, Submission, Task, Vote, VoteWeight,
};
use solana_signer::Signer;
use std::{collections::BTreeMap, fmt::Write, process::ExitCode};

/// Games played for each row that makes an account.
const GAMES: u64 = 32;
/// Units of one bump. Each bump is none with the next by an even chance, so that an account costs one more than the lowest on average;
/// among 32 addresses that is off by up to a half.
const BUMP: u64 = 340;
/// Voters in the crowded audits.
const CROWDS: [usize; 3] = [3, 300, 30_000];

/// The most that a panel may add to a vote.
const SEAT_CHECK: u64 = 250;

/// Where the units of the instructions that make accounts go, at an address that is the first one tried. Read off a run of the bytecode
/// instruction by instruction, cut at its system calls; `before` is the program with the framework's accounts, entry and events.
const PARTS: &str = "\n## Where the units go\n\n\
At an address whose first bump is the right one, counted instruction by instruction between the system calls (before: with the\n\
framework's entry, account type and events). Prices of the runtime, which no program is below: hashing an address 163 to 173 and\n\
asking whether it is a point 159, for each bump; making an account by the system program 1,096; the slot 110; an event 200 and its\n\
bytes.\n\n\
| instruction | entry, walk and account checks | search and making, besides the prices | rules, invariants and the event's bytes | end | prices |\n\
| --- | ---: | ---: | ---: | ---: | ---: |\n\
| `cast_vote` before | 518 | 138 | 579 | 26 | 1817 |\n\
| `cast_vote` | 403 | 101 | 348 | 9 | 1817 |\n\
| `commit_vote` before | 516 | 138 | 609 | 23 | 1856 |\n\
| `commit_vote` | 401 | 101 | 347 | 9 | 1856 |\n\
| `open_audit` before | 636 | 144 | 1043 | 22 | 1995 |\n\
| `open_audit` | 605 | 105 | 709 | 9 | 2015 |\n\
| `submit_work`, later, before | 553 | 138 | 1452 | 15 | 1898 |\n\
| `submit_work`, later | 452 | 101 | 575 | 9 | 1938 |\n\
| `join_task` before | 797 | 136 | 866 | 37 | 2933 |\n\
| `join_task` | 448 | 127 | 758 | 8 | 2933 |\n\n\
A vote of 2,800 on average is 2,460 at such an address: 643 for all that is the program's own, which takes 861. Half of it are the accounts:\n\
walking eight records 100, asking three of them for owner, size and kind 90, the links between them and the rest 130; 16 are the entry's\n\
look at the program's own address. Tried and left out: one base and fixed distances for accounts of known size (7 fewer for a vote, 60\n\
and 130 more for an accusation and a join, whose walk the compiler then does not unroll); seeds copied into one piece (a copy costs\n\
more than the pieces); size before speed for the whole crate (222 KB, but votes 45 and verdicts 200 to 350 dearer). Level 2 in place of 3\n\
costs a vote 7, a join 8 and `create_task` 100, and takes 35 KB off.\n";

/// What the bench fails over: the mean of a row may not be higher. By instruction, and by path where that has its own.
const CEILINGS: [(&str, &str, u64); 15] = [
    ("resolve_audit", "appeal in vain", 3_500),
    ("cast_vote", "on a panel", 3_100 + SEAT_CHECK),
    ("commit_vote", "on a panel", 3_100 + SEAT_CHECK),
    ("draw_panel", "", 2_500),
    ("appeal_audit", "", 2_500),
    ("cast_vote", "", 3_100),
    ("commit_vote", "", 3_100),
    ("reveal_vote", "", 3_500),
    ("open_audit", "", 3_950),
    ("submit_work", "first of a round", 5_800),
    ("submit_work", "", 3_600),
    ("join_task", "", 4_700),
    ("create_task", "", 7_700),
    ("resolve_audit", "", 3_000),
    ("claim_vote", "", 2_000),
];

/// The ceiling of a row: the first that names the instruction and no other path.
fn ceiling(instruction: &str, path: &str) -> Option<u64> {
    CEILINGS
        .iter()
        .find(|(of, on, _)| *of == instruction && path.starts_with(on))
        .map(|(_, _, units)| *units)
}

#[derive(Default)]
struct Table {
    /// Units by instruction and path, in the order of their first sample.
    rows: Vec<(&'static str, String, Vec<u64>)>,
    /// Units by instruction and path that no program can be below.
    floors: BTreeMap<(&'static str, String), u64>,
}

impl Table {
    fn add(&mut self, instruction: &'static str, path: impl Into<String>, sent: Sent) {
        let path = path.into();
        let units = sent
            .expect("the measured transaction passes")
            .compute_units_consumed;
        match self
            .rows
            .iter_mut()
            .find(|row| row.0 == instruction && row.1 == path)
        {
            Some(row) => row.2.push(units),
            None => self.rows.push((instruction, path, vec![units])),
        }
    }

    fn mean(units: &[u64]) -> u64 {
        units.iter().sum::<u64>() / units.len() as u64
    }

    /// The mean over all addresses, of which those measured are few.
    fn expected(instruction: &str, path: &str, units: &[u64]) -> u64 {
        // One address alone says nothing of the lowest.
        if units.len() < GAMES as usize {
            return Self::mean(units);
        }
        let made = match (instruction, path.starts_with("first")) {
            ("submit_work", true) => 2,
            ("create_task", _) => 2,
            ("submit_work" | "open_audit" | "cast_vote" | "commit_vote" | "join_task", _) => 1,
            _ => return Self::mean(units),
        };
        units.iter().min().copied().unwrap_or(0) + made * BUMP
    }

    fn over(&self) -> Vec<String> {
        self.rows
            .iter()
            .filter_map(|(instruction, path, units)| {
                let (mean, ceiling) = (
                    Self::expected(instruction, path, units),
                    ceiling(instruction, path)?,
                );
                (mean > ceiling)
                    .then(|| format!("{instruction} ({path}): {mean} units, ceiling {ceiling}"))
            })
            .collect()
    }

    /// The lowest of a row that was measured.
    fn lowest(&self, instruction: &str, path: &str) -> u64 {
        let mut rows = self.rows.iter();
        let row = rows.find(|row| row.0 == instruction && row.1 == path);
        let units = &row.expect("the row was measured").2;
        units.iter().min().copied().expect("a row has a sample")
    }

    fn markdown(&self) -> String {
        let mut text = String::from(
            "# Compute units\n\n\
             Written by `npm run bench`: each instruction alone in its transaction, on LiteSVM, with the program as built here.\n\n\
             An instruction that makes an account looks for its address from bump 255 down; each bump that is none costs about 340\n\
             units. That is the whole span between lowest and highest there, measured over 32 addresses; half of all addresses\n\
             have the lowest cost. The ceiling is for the mean of all addresses: the lowest, and one bump for each account that is made.\n\n\
             The floor is what the runtime asks for the same accounts, made by a program that checks nothing and is given their bumps, or\n\
             what the token program asks for the same transfer.\n\n\
             | instruction | path | lowest | mean | highest | floor | ceiling |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |\n",
        );
        for (instruction, path, units) in &self.rows {
            let ceiling =
                ceiling(instruction, path).map_or(String::from("-"), |units| units.to_string());
            let floor = self
                .floors
                .get(&(*instruction, path.clone()))
                .map_or(String::from("-"), u64::to_string);
            writeln!(
                text,
                "| `{instruction}` | {path} | {} | {} | {} | {floor} | {ceiling} |",
                units.iter().min().unwrap(),
                Self::mean(units),
                units.iter().max().unwrap(),
            )
            .unwrap();
        }
        text.push_str(PARTS);
        text
    }
}

fn by_stake() -> RulesArgs {
    RulesArgs {
        vote_weight: VoteWeight::Stake as u8,
        reward_rule: RewardRule::Majority as u8,
        ..rules()
    }
}

/// One game through every instruction.
fn story(table: &mut Table, id: u64) {
    let mut game = Game::new(rules());
    let create = instruction(
        create_task_accounts(
            &game.creator.pubkey(),
            id + 1,
            &game.mint,
            &game.token_program,
        ),
        create_task_data(id + 1, &game.rules),
    );
    let creator = game.creator.insecure_clone();
    table.add("create_task", "", game.send(&[create], &[&creator]));
    table.add("fund_task", "", game.fund_task(1_000_000));
    let accused = game.stranger();
    table.add("join_task", "", game.join_task(&accused, 0, 4_000_000));
    table.add("add_stake", "", game.add_stake(&accused, 1_000_000));
    table.add(
        "set_operator",
        "",
        game.set_operator(&accused, accused.operator.pubkey()),
    );
    let initiator = game.witness(2_000_000);
    let voters = [(); 3].map(|()| game.witness(2_000_000));
    let second = game.worker(4_000_000);
    game.warp(START + 2);
    table.add(
        "submit_work",
        "first of a round",
        game.submit_work(&accused, 0),
    );
    table.add("submit_work", "later", game.submit_work(&second, 0));
    table.add(
        "open_audit",
        "",
        game.open_audit(&initiator, &accused, 0, 2),
    );
    let audit = game.audit(&accused, 0, 0);
    for voter in &voters {
        table.add("cast_vote", "", game.cast_vote(voter, &audit, 2));
    }
    table.add("request_leave", "", game.request_leave(&voters[0], None));
    table.add("cancel_leave", "", game.cancel_leave(&voters[0]));
    game.request_leave(&voters[0], None).unwrap();
    game.warp(START + 202);
    game.resolve_audit(&audit).unwrap();
    for voter in &voters {
        game.claim_vote(voter, &audit).unwrap();
    }
    game.warp(START + 400);
    table.add("claim_bounty", "", game.claim_bounty(&second, 0));
    for voter in &voters {
        table.add("close_vote", "", game.close_vote(voter, &audit));
    }
    table.add("close_audit", "", game.close_audit(&audit));
    table.add("close_submission", "", game.close_submission(&accused, 0));
    game.close_submission(&second, 0).unwrap();
    table.add("close_round", "", game.close_round(0));
    table.add("pause_task", "", game.pause_task());
    table.add("resume_task", "", game.resume_task());
    let owner = accused.owner.pubkey();
    table.add("allow_node", "", game.allow_node(0, &owner));
    table.add("disallow_node", "", game.disallow_node(0, &owner));
    game.warp(START + 10_000);
    table.add("withdraw", "stake and shares", game.withdraw(&voters[0]));
    table.add("retire_task", "", game.retire_task());
    game.warp(START + 20_000);
    for actor in [&accused, &second, &initiator, &voters[1], &voters[2]] {
        table.add("return_stake", "", game.return_stake(actor));
    }
    for actor in [
        &accused, &second, &initiator, &voters[0], &voters[1], &voters[2],
    ] {
        table.add("close_node", "", game.close_node(actor));
    }
    table.add("close_task", "", game.close_task());
}

/// Votes that are committed and revealed, and one that is not.
fn committed(table: &mut Table) {
    let mut game = Game::new(RulesArgs {
        commit_slots: 50,
        reveal_slots: 150,
        ..rules()
    });
    let accused = game.worker(4_000_000);
    let initiator = game.witness(2_000_000);
    let voters = [(); GAMES as usize].map(|()| game.witness(2_000_000));
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    game.open_audit(&initiator, &accused, 0, 2).unwrap();
    let audit = game.audit(&accused, 0, 0);
    for voter in &voters {
        table.add(
            "commit_vote",
            "",
            game.commit_vote(voter, &audit, 2, [9; 32]),
        );
    }
    game.warp(START + 51);
    for voter in &voters[1..] {
        table.add(
            "reveal_vote",
            "",
            game.reveal_vote(voter, &audit, 2, [9; 32]),
        );
    }
    game.warp(START + 201);
    game.resolve_audit(&audit).unwrap();
    table.add(
        "claim_vote",
        "never revealed",
        game.claim_vote(&voters[0], &audit),
    );
}

/// Panels and appeals. All have a seat, so that nothing is left to the draw.
fn panels(table: &mut Table, commit_slots: u64) {
    let crowd = GAMES as usize;
    let mut game = Game::new(RulesArgs {
        round_slots: 4_000,
        commit_slots,
        leave_delay_slots: 6_000,
        panel_seats: 2 * GAMES as u16,
        quorum_bps: 0,
        ..panelled()
    });
    let accused = [(); 4].map(|()| game.worker(4_000_000));
    let initiator = game.witness(2_000_000);
    let voters: Vec<_> = (0..crowd).map(|_| game.witness(2_000_000)).collect();
    game.warp(START + 1);
    for accused in &accused {
        game.submit_work(accused, 0).unwrap();
    }
    let audits: Vec<_> = accused
        .iter()
        .map(|accused| {
            let audit = game.next_audit(&initiator, accused, 0);
            let sent = game.open_audit(&initiator, accused, 0, 2);
            table.add("open_audit", "with a panel", sent);
            audit
        })
        .collect();
    game.warp(START + 1 + 8 + 2);
    table.add("draw_panel", "2 slots after", game.draw_panel(&audits[0]));
    game.warp(START + 1 + 8 + 100);
    table.add("draw_panel", "100 slots after", game.draw_panel(&audits[1]));
    game.warp(START + 1 + 8 + 255);
    remember_blocks(&mut game.svm, |slot| slot % 20 == 0);
    let draw = game.draw_panel_ix(&audits[2], SECRET);
    table.add(
        "draw_panel",
        "255 slots after, a twentieth skipped",
        game.by_anyone(draw),
    );
    game.draw_panel(&audits[3]).unwrap();
    for voter in &voters {
        if commit_slots > 0 {
            let sent = game.commit_vote(voter, &audits[0], 2, [9; 32]);
            table.add("commit_vote", "on a panel", sent);
        } else {
            let sent = game.cast_vote(voter, &audits[0], 2);
            table.add("cast_vote", "on a panel", sent);
        }
    }
    if commit_slots > 0 {
        return;
    }
    for audit in &audits[1..] {
        for voter in &voters[..3] {
            game.cast_vote(voter, audit, 0).unwrap();
        }
    }
    let end = game.get::<Audit>(&audits[0]).end_slot.get();
    game.warp(end);
    let by = [&voters[9], &initiator, &voters[9]];
    for (audit, appellant) in audits[1..].iter().zip(by) {
        let sent = game.appeal_audit(appellant, audit);
        table.add("appeal_audit", "after a panel's count", sent);
    }
    for voter in &voters[3..] {
        let sent = game.cast_vote(voter, &audits[1], 2);
        table.add("cast_vote", "after an appeal", sent);
    }
    game.warp(end + MIN_PANEL_WINDOW_SLOTS);
    let paths = [
        "malice, by a panel",
        "malice, turned by an appeal",
        "appeal in vain, the initiator's",
        "appeal in vain, a third node's",
    ];
    for (audit, path) in audits.iter().zip(paths) {
        table.add("resolve_audit", path, game.resolve_audit(audit));
    }
    let claims = [
        (&audits[0], "malice, by a panel"),
        (&audits[3], "appeal in vain, a third node's"),
    ];
    for (audit, path) in claims {
        table.add("claim_vote", path, game.claim_vote(&voters[0], audit));
    }
    game.warp(START + 10_000);
    table.add("restake", "", game.restake(&voters[0]));
}

/// Nodes whose stake came in four parts within one case: the most that a weight is counted from.
fn young(table: &mut Table) {
    let mut game = Game::new(rules());
    let accused = game.worker(4_000_000);
    let initiator = game.witness(2_000_000);
    let voters = [(); GAMES as usize].map(|()| game.witness(2_000_000));
    for slot in 1..4 {
        game.warp(START + slot);
        for voter in &voters {
            table.add(
                "add_stake",
                format!("part {} of 4", slot + 1),
                game.add_stake(voter, 1_000),
            );
        }
    }
    game.warp(START + 4);
    game.submit_work(&accused, 0).unwrap();
    game.open_audit(&initiator, &accused, 0, 2).unwrap();
    let audit = game.audit(&accused, 0, 0);
    for voter in &voters {
        table.add(
            "cast_vote",
            "stake of four ages",
            game.cast_vote(voter, &audit, 2),
        );
    }
    for voter in &voters {
        table.add(
            "open_audit",
            "beside others, stake of four ages",
            game.open_audit(voter, &accused, 0, 2),
        );
    }
    table.add(
        "request_leave",
        "stake of four ages",
        game.request_leave(&voters[0], None),
    );
}

/// Malice after downtime, of one submission.
fn graver(table: &mut Table) {
    let mut case = Case::audited(rules(), 2);
    case.vote(&[1, 1, 1]);
    case.resolve().unwrap();
    case.game
        .open_audit(&case.initiator, &case.accused, 0, 2)
        .unwrap();
    let audit = case.game.audit(&case.accused, 0, 1);
    for voter in &case.voters {
        case.game.cast_vote(voter, &audit, 2).unwrap();
    }
    case.game.warp(START + 402);
    table.add(
        "resolve_audit",
        "malice after downtime",
        case.game.resolve_audit(&audit),
    );
}

/// `submit_work` through each gate.
fn gated(table: &mut Table) {
    let mut game = Game::new(RulesArgs {
        worker_gate: gate(GateKind::Allowlist, Address::default(), 0, 0),
        ..rules()
    });
    let mut worker = game.stranger();
    let owner = worker.owner.pubkey();
    game.allow_node(0, &owner).unwrap();
    worker.gate_proof = Some(allow_address(&game.task, 0, &owner));
    table.add(
        "join_task",
        "allowlist",
        game.join_task(&worker, 0, 4_000_000),
    );
    table.add(
        "submit_work",
        "first of a round, allowlist",
        game.submit_work(&worker, 0),
    );
}

/// What the runtime and the token program ask for what the program can't do without.
fn floors(table: &mut Table) {
    const FLOOR: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../target/sbpf-solana/release/libfloor.so"
    );
    let bytes = std::fs::read(FLOOR).expect("libfloor.so was built: npm run bench does");
    let id = fresh().pubkey();
    let mut svm = machine();
    svm.add_program(id, &bytes).unwrap();
    let payer = key(&mut svm);
    let mut made = 0;
    let mut create = |rows: &[(&'static str, &str)], sizes: &[usize]| {
        // Each new account needs another program, since its seeds are only its place.
        made += 1;
        let id = if made == 1 { id } else { fresh().pubkey() };
        svm.add_program(id, &bytes).unwrap();
        let mut accounts = vec![AccountMeta::new(payer.pubkey(), true)];
        let mut data = Vec::new();
        for (number, size) in sizes.iter().enumerate() {
            let (address, bump) = Address::find_program_address(&[&[number as u8]], &id);
            accounts.push(AccountMeta::new(address, false));
            data.push(bump);
            data.extend(svm.minimum_balance_for_rent_exemption(*size).to_le_bytes());
            data.extend((*size as u64).to_le_bytes());
        }
        accounts.push(AccountMeta::new_readonly(SYSTEM, false));
        let units = send(
            &mut svm,
            &[Instruction {
                program_id: id,
                accounts,
                data,
            }],
            &[&payer],
        )
        .expect("the floor passes")
        .compute_units_consumed;
        for (instruction, path) in rows {
            table.floors.insert((instruction, (*path).into()), units);
        }
    };
    let size = |bytes: usize| bytes + 8;
    create(&[("create_task", "")], &[size(size_of::<Task>()), 165]);
    create(
        &[("submit_work", "first of a round")],
        &[size(size_of::<Round>()), size(size_of::<Submission>())],
    );
    create(
        &[("submit_work", "later")],
        &[size(size_of::<Submission>())],
    );
    create(&[("open_audit", "")], &[size(size_of::<Audit>())]);
    create(
        &[("cast_vote", ""), ("commit_vote", "")],
        &[size(size_of::<Vote>())],
    );
    create(&[("allow_node", "")], &[size(size_of::<AllowEntry>())]);

    let mut game = Game::new(rules());
    let (from, to) = (game.stranger(), game.stranger());
    let transfer = spl_token_2022::instruction::transfer_checked(
        &TOKEN,
        &from.wallet,
        &game.mint,
        &to.wallet,
        &from.owner.pubkey(),
        &[],
        5,
        6,
    )
    .unwrap();
    let units = send(&mut game.svm, &[transfer], &[&from.owner])
        .unwrap()
        .compute_units_consumed;
    for (instruction, path) in [
        ("fund_task", ""),
        ("add_stake", ""),
        ("join_task", ""),
        ("withdraw", "stake and shares"),
        ("return_stake", ""),
        ("retire_task", ""),
    ] {
        table.floors.insert((instruction, path.into()), units);
    }
}

/// `resolve_audit` and `claim_vote` for every outcome, by node and by stake.
fn outcomes(table: &mut Table) {
    for (rules, how) in [
        (rules(), "by node, all voters"),
        (by_stake(), "by stake, majority"),
    ] {
        for (opinions, outcome) in [
            ([2, 2, 2], "malice"),
            ([1, 1, 1], "downtime"),
            ([0, 0, 0], "acquitted"),
            ([2, 9, 9], "no verdict"),
        ] {
            let mut case = Case::audited(rules.clone(), 2);
            let votes = opinions.iter().filter(|opinion| **opinion != 9).count();
            case.vote(&opinions[..votes]);
            table.add("resolve_audit", format!("{outcome}, {how}"), case.resolve());
            let audit = case.audit();
            for voter in &case.voters[..votes] {
                table.add(
                    "claim_vote",
                    format!("{outcome}, {how}"),
                    case.game.claim_vote(voter, &audit),
                );
            }
        }
    }
}

/// `resolve_audit` and `claim_vote` in one audit of many votes.
fn crowd(table: &mut Table, voters: usize) {
    let mut game = Game::new(by_stake());
    let accused = game.worker(4_000_000_000 / 10);
    let initiator = game.witness(2_000_000);
    let mut crowd = Vec::new();
    for number in 0..voters {
        // The ledger is checked at every measured instruction, not for each of the hundreds that set the stage.
        let actor = game.rich_stranger();
        let stake = 600_000 + number as u64;
        let join = game.join_task_ix(&actor, 1, stake);
        send(&mut game.svm, &[join], &[&actor.owner]).unwrap();
        crowd.push(actor);
    }
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    game.open_audit(&initiator, &accused, 0, 2).unwrap();
    let audit = game.audit(&accused, 0, 0);
    for voter in &crowd {
        let vote = game.cast_vote_ix(voter, &audit, 2);
        send(&mut game.svm, &[vote], &[&voter.operator]).unwrap();
    }
    game.warp(START + 201);
    let resolve = game.resolve_audit_ix(&audit);
    let sent = send(&mut game.svm, &[resolve], &[&initiator.operator]);
    table.add("resolve_audit", format!("{voters} voters"), sent);
    for voter in crowd.iter().take(300) {
        let claim = game.claim_vote_ix(voter, &audit);
        let sent = send(&mut game.svm, &[claim], &[&voter.operator]);
        table.add("claim_vote", format!("{voters} voters"), sent);
    }
}

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    let mut table = Table::default();
    println!("playing {GAMES} games ...");
    for id in 0..GAMES {
        story(&mut table, id);
    }
    println!("playing every outcome ...");
    outcomes(&mut table);
    println!("playing committed votes, gates and floors ...");
    committed(&mut table);
    young(&mut table);
    graver(&mut table);
    gated(&mut table);
    floors(&mut table);
    panels(&mut table, 0);
    panels(&mut table, MIN_PANEL_WINDOW_SLOTS);
    // Tens of thousands take a minute: by command, not in every test run.
    let crowds = if check { &CROWDS[..2] } else { &CROWDS[..] };
    for voters in crowds {
        println!("playing an audit of {voters} voters ...");
        crowd(&mut table, *voters);
    }
    let text = table.markdown();
    println!("\n{text}");
    if !check {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/compute.md");
        std::fs::write(path, text).expect("docs/compute.md can be written");
        println!("wrote docs/compute.md");
    }

    let resolve: Vec<u64> = crowds
        .iter()
        .map(|voters| table.lowest("resolve_audit", &format!("{voters} voters")))
        .collect();
    let mut failures = table.over();
    for vote in ["cast_vote", "commit_vote"] {
        let more = table.lowest(vote, "on a panel") - table.lowest(vote, "");
        println!("{vote}: a panel adds {more} units of at most {SEAT_CHECK}");
        if more > SEAT_CHECK {
            failures.push(format!(
                "the seat check of {vote}: {more} units, ceiling {SEAT_CHECK}"
            ));
        }
    }
    // The tally's numbers differ, and with them the long division's way through its branches; the votes themselves are not read.
    if resolve.iter().max().unwrap() - resolve.iter().min().unwrap() > 100 {
        failures.push(format!("resolve_audit grows with the voters: {resolve:?}"));
    }
    for failure in &failures {
        eprintln!("over the ceiling: {failure}");
    }
    if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
