//! What one audit costs in tasks of 30 to 100,000 nodes, with and without a panel, on LiteSVM with the real bytecode: writes `docs/scale.md`.
//!
//! The nodes of a task are written as accounts, byte for byte what `join_task` leaves; everything after is sent as transactions. Whoever
//! may vote does, all of one mind. With `--check` only the two smallest tasks are played, and nothing is written.

#[path = "../tests/common/mod.rs"]
mod common;

use anchor_lang::prelude::Address;
use anchor_lang::solana_program::instruction::Instruction;
use common::*;
use securing_tasks::{AllowEntry, Audit, Node, Round, RulesArgs, Submission, Task, Vote};
use solana_account::Account;
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::{fmt::Write, mem::offset_of, process::ExitCode};

const NODES: [u64; 4] = [30, 1_000, 10_000, 100_000];
const SEATS: u16 = 31;
/// Base units that each witness stakes.
const STAKE: u64 = 2_000_000;
/// Lamports in a SOL.
const SOL: f64 = 1e9;

/// What an audit cost from its opening to the return of its rents.
#[derive(Default)]
struct Cost {
    voters: u64,
    transactions: u64,
    /// Lamports, at 5,000 for each signature.
    fees: u64,
    /// Lamports in accounts of the audit when the last vote was in.
    rent: u64,
    /// Of all transactions.
    units: u64,
    /// Of `resolve_audit`.
    resolve: u64,
}

impl Cost {
    fn pay(&mut self, game: &mut Game, instruction: Instruction, signer: &Keypair) -> u64 {
        let sent = send(&mut game.svm, &[instruction], &[signer]).expect("it passes");
        self.transactions += 1;
        self.fees += sent.fee;
        self.units += sent.compute_units_consumed;
        sent.compute_units_consumed
    }
}

fn play(nodes: u64, seats: u16) -> Cost {
    let mut game = Game::new(RulesArgs {
        panel_seats: seats,
        quorum_bps: 0,
        ..panelled()
    });
    let accused = game.worker(4_000_000);
    let initiator = game.witness(STAKE);
    let witnesses = write_witnesses(&mut game, &initiator, nodes - 2);
    game.check_ledger();
    game.warp(START + 1);
    game.svm.expire_blockhash();
    let submit = game.submit_work_ix(&accused, 0);
    send(&mut game.svm, &[submit], &[&accused.operator]).expect("work is submitted");

    let mut cost = Cost::default();
    let audit = game.next_audit(&initiator, &accused, 0);
    let open = game.open_audit_ix(&initiator, &accused, 0, 2);
    cost.pay(&mut game, open, &initiator.operator);
    game.warp(START + 1 + 8 + 2);
    if seats > 0 {
        remember_blocks(&mut game.svm, |_| false);
        let draw = game.draw_panel_ix(&audit, SECRET);
        cost.pay(&mut game, draw, &initiator.operator);
    }
    let state = game.get::<Audit>(&audit);
    let voters: Vec<_> = witnesses
        .iter()
        .filter(|one| {
            let owner = one.owner.pubkey();
            seats == 0 || has_seat(&state, &owner, STAKE)
        })
        .collect();
    cost.voters = voters.len() as u64;
    for voter in &voters {
        let vote = game.cast_vote_ix(voter, &audit, 2);
        cost.pay(&mut game, vote, &voter.operator);
    }
    let rent = |game: &Game, address: &Address| game.svm.get_account(address).unwrap().lamports;
    cost.rent = rent(&game, &audit);
    for voter in &voters {
        cost.rent += rent(&game, &vote_address(&audit, &voter.owner.pubkey()));
    }

    game.warp(START + 1 + MIN_PANEL_WINDOW_SLOTS + game.rules.appeal_slots);
    let resolve = game.resolve_audit_ix(&audit);
    cost.resolve = cost.pay(&mut game, resolve, &initiator.operator);
    for voter in &voters {
        let claim = game.claim_vote_ix(voter, &audit);
        cost.pay(&mut game, claim, &voter.operator);
        let close = game.close_vote_ix(voter, &audit);
        cost.pay(&mut game, close, &voter.operator);
    }
    let close = game.close_audit_ix(&audit);
    cost.pay(&mut game, close, &initiator.operator);
    game.check_ledger();
    cost
}

/// Witnesses as `like` is one, with keys of their own, and all that the task and its vault know of them.
fn write_witnesses(game: &mut Game, like: &Actor, count: u64) -> Vec<Actor> {
    const OWNER: usize = 8 + offset_of!(Node, owner);
    const OPERATOR: usize = 8 + offset_of!(Node, operator);
    let node = game.svm.get_account(&like.node).unwrap();
    let lamports = Account {
        lamports: 1_000_000_000,
        ..Account::default()
    };
    let witnesses: Vec<_> = (0..count)
        .map(|_| {
            let (owner, operator) = (fresh(), fresh());
            let mut account = node.clone();
            account.data[OWNER..OWNER + 32].copy_from_slice(owner.pubkey().as_ref());
            account.data[OPERATOR..OPERATOR + 32].copy_from_slice(operator.pubkey().as_ref());
            let address = node_address(&game.task, &owner.pubkey());
            game.svm.set_account(address, account).unwrap();
            game.svm
                .set_account(operator.pubkey(), lamports.clone())
                .unwrap();
            Actor {
                owner,
                operator,
                wallet: Address::default(),
                node: address,
                gate_proof: None,
                gate_mint: None,
            }
        })
        .collect();
    add(
        game,
        &game.task.clone(),
        8 + offset_of!(Task, nodes),
        count as u32,
    );
    let electorate = 8 + offset_of!(Task, electorate);
    add(game, &game.task.clone(), electorate, count * STAKE);
    add(game, &game.task.clone(), electorate + 8, count as u32);
    add(game, &game.vault.clone(), 64, count * STAKE);
    witnesses
}

/// Adds to a little-endian number in an account.
fn add<T: Into<u64>>(game: &mut Game, address: &Address, at: usize, more: T) {
    let mut account = game.svm.get_account(address).unwrap();
    let bytes = &mut account.data[at..at + size_of::<T>()];
    let mut number = [0; 8];
    number[..bytes.len()].copy_from_slice(bytes);
    let sum = u64::from_le_bytes(number) + more.into();
    bytes.copy_from_slice(&sum.to_le_bytes()[..bytes.len()]);
    game.svm.set_account(*address, account).unwrap();
}

fn accounts(text: &mut String) {
    let svm = machine();
    let rent = |bytes: usize| svm.minimum_balance_for_rent_exemption(bytes) as f64 / SOL;
    let rows = [
        ("`Task`", "each task", 8 + size_of::<Task>()),
        ("vault", "each task, of Token", 165),
        ("`Node`", "each node", 8 + size_of::<Node>()),
        (
            "`AllowEntry`",
            "each node behind an allowlist",
            8 + size_of::<AllowEntry>(),
        ),
        ("`Round`", "each round with work", 8 + size_of::<Round>()),
        (
            "`Submission`",
            "each submission",
            8 + size_of::<Submission>(),
        ),
        ("`Audit`", "each audit", 8 + size_of::<Audit>()),
        ("`Vote`", "each vote", 8 + size_of::<Vote>()),
    ];
    text.push_str("| account | how many | bytes | rent, SOL |\n| --- | --- | ---: | ---: |\n");
    for (name, how_many, bytes) in rows {
        writeln!(
            text,
            "| {name} | {how_many} | {bytes} | {:.6} |",
            rent(bytes)
        )
        .unwrap();
    }
    let task = rent(8 + size_of::<Task>()) + rent(165);
    let node = rent(8 + size_of::<Node>());
    let round = rent(8 + size_of::<Round>());
    let submission = rent(8 + size_of::<Submission>());
    text.push_str("\nRent that an open task locks, with every tenth node a worker and one round's work not yet closed:\n\n");
    text.push_str("| nodes | task and vault | nodes | round and its work | all, SOL |\n| ---: | ---: | ---: | ---: | ---: |\n");
    for nodes in NODES {
        let (all, work) = (
            nodes as f64 * node,
            round + (nodes / 10) as f64 * submission,
        );
        writeln!(
            text,
            "| {nodes} | {task:.4} | {all:.3} | {work:.3} | {:.3} |",
            task + all + work
        )
        .unwrap();
    }
}

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    let sizes = if check { &NODES[..2] } else { &NODES[..] };
    let mut text = String::from(
        "# What grows\n\n\
         Written by `npm run bench:scale`: one audit, from the accusation until every share is claimed and every rent is back, played on LiteSVM\n\
         with the program as built here. All that may vote do, openly and of one mind. Fees are 5,000 lamports for each transaction, without a priority\n\
         fee; where votes are committed first, each voter sends one more. The same number of machines fetches the accused's work and runs the audit\n\
         function.\n\n\
         | nodes | panel | voters | transactions | fees, SOL | rent locked, SOL | compute units | of them `resolve_audit` |\n\
         | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    let mut panels = Vec::new();
    for nodes in sizes {
        for seats in [0, SEATS] {
            println!("playing an audit among {nodes} nodes, {seats} seats ...");
            let cost = play(*nodes, seats);
            let panel = if seats > 0 {
                format!("of {seats}")
            } else {
                "none".into()
            };
            writeln!(
                text,
                "| {nodes} | {panel} | {} | {} | {:.6} | {:.4} | {} | {} |",
                cost.voters,
                cost.transactions,
                cost.fees as f64 / SOL,
                cost.rent as f64 / SOL,
                cost.units,
                cost.resolve,
            )
            .unwrap();
            if seats > 0 {
                panels.push(cost);
            }
        }
    }
    text.push_str(
        "\nA panel's size is drawn with it: about as often above as below its number of seats, and one in a thousand is off by more than three times the\n\
         square root. In a task of fewer nodes than seats everybody sits. An appeal calls everybody: what it costs is the row without a panel,\n\
         which is why it has a bond.\n\n## Rent\n\nEvery lamport of it goes back to who paid it when the account is closed.\n\n",
    );
    accounts(&mut text);
    println!("\n{text}");
    if !check {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/scale.md");
        // What stands behind that is of `--off-chain`.
        let written = std::fs::read_to_string(path).expect("docs/scale.md can be read");
        if let Some(at) = written.find("\n## Off the chain") {
            text.push_str(&written[at..]);
        }
        std::fs::write(path, text).expect("docs/scale.md can be written");
        println!("wrote docs/scale.md");
    }
    // Drawn by chance: three times the square root of its mean on either side.
    let most = u64::from(SEATS) + 3 * u64::from(SEATS).isqrt();
    if let Some(over) = panels.iter().find(|cost| cost.voters > most) {
        eprintln!("a panel of {} grows with the nodes: {}", SEATS, over.voters);
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
