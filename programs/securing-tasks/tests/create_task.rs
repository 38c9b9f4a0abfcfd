//! `create_task`: every rule that is refused, at its edge, and what is stored of those that pass.

mod common;

use anchor_lang::{
    prelude::*, solana_program::instruction::Instruction, AccountDeserialize, InstructionData,
};
use common::*;
use litesvm::LiteSVM;
use securing_tasks::{
    events::TaskCreated, instruction, GateArgs, GateKind, RulesArgs, Task, TaskStatus, ID,
};
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_transaction::InstructionError;

/// Longest round and leave delay.
const LONGEST: u64 = 78_840_000;

/// A machine with a creator and a mint, and no task.
struct Bench {
    svm: LiteSVM,
    creator: Keypair,
    mint: Address,
    token_program: Address,
}

impl Bench {
    fn new(token_program: Address) -> Self {
        let mut svm = machine();
        let creator = key(&mut svm);
        let mint = make_mint(&mut svm, &creator, &token_program, &[], |_| vec![]);
        Self {
            svm,
            creator,
            mint,
            token_program,
        }
    }

    fn create_ix(&self, id: u64, rules: &RulesArgs) -> Instruction {
        common::instruction(
            create_task_accounts(&self.creator.pubkey(), id, &self.mint, &self.token_program),
            create_task_data(id, rules),
        )
    }

    fn send(&mut self, instruction: Instruction) -> Sent {
        let creator = self.creator.insecure_clone();
        send(&mut self.svm, &[instruction], &[&creator])
    }

    fn task(&self, id: u64) -> Task {
        let address = task_address(&self.creator.pubkey(), id);
        let account = self.svm.get_account(&address).expect("the task exists");
        Task::try_deserialize(&mut account.data.as_slice()).expect("a task")
    }
}

/// What comes of a task with `rules()` changed.
fn create(change: impl Fn(&mut RulesArgs)) -> Sent {
    let mut rules = rules();
    change(&mut rules);
    let mut bench = Bench::new(TOKEN);
    let create = bench.create_ix(0, &rules);
    bench.send(create)
}

/// A task's functions, each a hash and a URI.
fn functions(audit: ([u8; 32], &str), task: ([u8; 32], &str)) -> (Bench, Sent) {
    let mut bench = Bench::new(TOKEN);
    let mut create = bench.create_ix(0, &rules());
    create.data = instruction::CreateTask {
        id: 0,
        rules: rules(),
        audit_function_hash: audit.0,
        audit_function_uri: audit.1.into(),
        task_function_hash: task.0,
        task_function_uri: task.1.into(),
    }
    .data();
    let sent = bench.send(create);
    (bench, sent)
}

#[test]
fn create_task_stores_everything_and_says_so() {
    for (id, program) in [(0, TOKEN), (u64::MAX, TOKEN_2022)] {
        let mut bench = Bench::new(program);
        bench.svm.warp_to_slot(START + 11);
        // Every rule a number of its own.
        let rules = RulesArgs {
            round_slots: 1_001,
            submission_slots: 102,
            audit_slots: 303,
            commit_slots: 0,
            reveal_slots: 204,
            leave_delay_slots: 931,
            worker_min_stake: 1_000_006,
            witness_min_stake: 500_007,
            bounty_per_round: 100_008,
            initiator_bond: 200_009,
            vote_deposit: 50_010,
            appeal_slots: 17,
            appeal_bond: 100_018,
            quorum_votes: 11,
            quorum_bps: 2_012,
            downtime_bps: 1_013,
            malice_bps: 5_014,
            initiator_bonus_bps: 3_015,
            pool_bps: 1_016,
            panel_seats: 0,
            vote_weight: 1,
            reward_rule: 1,
            worker_gate: open_gate(),
            witness_gate: open_gate(),
            allow_large_stake: false,
        };
        let address = task_address(&bench.creator.pubkey(), id);
        let create = bench.create_ix(id, &rules);
        let event = TaskCreated {
            task: address,
            creator: bench.creator.pubkey(),
            payer: bench.creator.pubkey(),
            mint: bench.mint,
            slot: START + 11,
        };
        logged(bench.send(create), &event);

        let task = bench.task(id);
        assert_eq!(task.creator, bench.creator.pubkey());
        assert_eq!(task.payer, bench.creator.pubkey());
        assert_eq!(task.mint, bench.mint);
        assert_eq!(task.vault, vault_address(&address));
        assert_eq!(task.id.get(), id);
        assert_eq!(task.start_slot.get(), START + 11);
        let stored = task.rules;
        assert_eq!(stored.round_slots.get(), 1_001);
        assert_eq!(stored.submission_slots.get(), 102);
        assert_eq!(stored.audit_slots.get(), 303);
        assert_eq!(stored.commit_slots.get(), 0);
        assert_eq!(stored.reveal_slots.get(), 204);
        assert_eq!(stored.leave_delay_slots.get(), 931);
        assert_eq!(stored.worker_min_stake.get(), 1_000_006);
        assert_eq!(stored.witness_min_stake.get(), 500_007);
        assert_eq!(stored.bounty_per_round.get(), 100_008);
        assert_eq!(stored.initiator_bond.get(), 200_009);
        assert_eq!(stored.vote_deposit.get(), 50_010);
        assert_eq!(stored.case.quorum_votes.get(), 11);
        assert_eq!(stored.case.quorum_bps.get(), 2_012);
        assert_eq!(stored.case.downtime_bps.get(), 1_013);
        assert_eq!(stored.case.malice_bps.get(), 5_014);
        assert_eq!(stored.case.initiator_bonus_bps.get(), 3_015);
        assert_eq!(stored.case.pool_bps.get(), 1_016);
        assert_eq!(stored.case.vote_weight.0, 1);
        assert_eq!(stored.case.reward_rule.0, 1);
        assert_eq!(stored.worker_gate.kind, GateKind::Open);
        assert_eq!(stored.witness_gate.kind, GateKind::Open);
        assert_eq!(task.audit_function.hash, [1; 32]);
        assert_eq!(task.audit_function.uri.as_slice(), b"ipfs://audit");
        assert_eq!(task.task_function.hash, [2; 32]);
        assert_eq!(task.task_function.uri.as_slice(), b"ipfs://work");
        assert_eq!(task.pool.get(), 0);
        assert_eq!((task.electorate, task.before), (none(), none()));
        assert_eq!(
            [task.before_slot, task.retired_slot].map(|n| n.get()),
            [0; 2]
        );
        assert_eq!(
            [task.nodes, task.rounds, task.entries].map(|n| n.get()),
            [0; 3]
        );
        assert_eq!(task.status, TaskStatus::Active);
    }
}

#[test]
fn create_task_makes_a_vault_that_only_the_task_can_empty() {
    for program in [TOKEN, TOKEN_2022] {
        let mut bench = Bench::new(program);
        let create = bench.create_ix(0, &rules());
        bench.send(create).unwrap();
        let task = task_address(&bench.creator.pubkey(), 0);
        let vault = bench.svm.get_account(&vault_address(&task)).unwrap();
        assert_eq!(vault.owner, program);
        assert_eq!(vault.data[..32], *bench.mint.as_ref());
        assert_eq!(vault.data[32..64], *task.as_ref());
        assert_eq!(vault.data[64..72], [0; 8], "amount");
        assert_eq!(vault.data[72..76], [0; 4], "no delegate");
        assert_eq!(vault.data[129..133], [0; 4], "no close authority");
    }
}

#[test]
fn create_task_without_an_audit_function_fails() {
    let (_, sent) = functions(([0; 32], "ipfs://audit"), ([2; 32], "ipfs://work"));
    refused(sent, TaskError::AuditFunctionMissing);
}

#[test]
fn create_task_without_a_task_function_passes() {
    let mut hash = [0; 32];
    hash[31] = 1;
    let (bench, sent) = functions((hash, ""), ([0; 32], ""));
    sent.unwrap();
    let task = bench.task(0);
    assert!(task.task_function.is_missing());
    assert!(!task.audit_function.is_missing());
}

#[test]
fn create_task_with_uris_of_128_bytes_passes() {
    let (audit, work) = ("a".repeat(128), "\u{e9}".repeat(64));
    let (bench, sent) = functions(([1; 32], &audit), ([2; 32], &work));
    sent.unwrap();
    let task = bench.task(0);
    assert_eq!(task.audit_function.uri.as_slice(), audit.as_bytes());
    assert_eq!(task.task_function.uri.as_slice(), work.as_bytes());
}

#[test]
fn create_task_with_an_audit_function_uri_of_129_bytes_fails() {
    for uri in ["a".repeat(129), "\u{20ac}".repeat(43), "a".repeat(400)] {
        let (_, sent) = functions(([1; 32], &uri), ([2; 32], ""));
        refused(sent, TaskError::UriTooLong);
    }
}

#[test]
fn create_task_with_a_task_function_uri_of_129_bytes_fails() {
    for uri in ["a".repeat(129), "\u{20ac}".repeat(43), "a".repeat(400)] {
        let (_, sent) = functions(([1; 32], ""), ([2; 32], &uri));
        refused(sent, TaskError::UriTooLong);
    }
}

#[test]
fn create_task_with_a_share_of_the_whole_passes() {
    create(|r| r.malice_bps = 10_000).unwrap();
    create(|r| (r.downtime_bps, r.malice_bps) = (10_000, 10_000)).unwrap();
    create(|r| (r.initiator_bonus_bps, r.pool_bps) = (10_000, 0)).unwrap();
    create(|r| (r.initiator_bonus_bps, r.pool_bps) = (1, 9_999)).unwrap();
}

#[test]
fn create_task_with_a_share_over_the_whole_fails() {
    for over in [10_001, u16::MAX] {
        let changes: [&dyn Fn(&mut RulesArgs); 4] = [
            &|r| r.downtime_bps = over,
            &|r| r.malice_bps = over,
            &|r| (r.initiator_bonus_bps, r.pool_bps) = (over, 0),
            &|r| r.pool_bps = over,
        ];
        for change in changes {
            refused(create(change), TaskError::SharesOverWhole);
        }
    }
}

#[test]
fn create_task_with_bonus_and_pool_over_the_whole_fails() {
    create(|r| (r.initiator_bonus_bps, r.pool_bps) = (6_000, 4_000)).unwrap();
    refused(
        create(|r| (r.initiator_bonus_bps, r.pool_bps) = (6_000, 4_001)),
        TaskError::SharesOverWhole,
    );
    refused(
        create(|r| (r.initiator_bonus_bps, r.pool_bps) = (u16::MAX, u16::MAX)),
        TaskError::SharesOverWhole,
    );
}

#[test]
fn create_task_without_a_bonus_fails() {
    refused(create(|r| r.initiator_bonus_bps = 0), TaskError::BonusZero);
    create(|r| r.initiator_bonus_bps = 1).unwrap();
}

#[test]
fn create_task_without_a_slash_for_malice_fails() {
    refused(
        create(|r| (r.downtime_bps, r.malice_bps) = (0, 0)),
        TaskError::SlashZero,
    );
    create(|r| (r.downtime_bps, r.malice_bps) = (0, 1)).unwrap();
}

#[test]
fn create_task_with_a_slash_for_downtime_over_malice_fails() {
    refused(
        create(|r| (r.downtime_bps, r.malice_bps) = (5_001, 5_000)),
        TaskError::MaliceBelowDowntime,
    );
    create(|r| (r.downtime_bps, r.malice_bps) = (5_000, 5_000)).unwrap();
}

#[test]
fn create_task_without_a_bond_fails() {
    refused(create(|r| r.initiator_bond = 0), TaskError::BondZero);
    create(|r| r.initiator_bond = 1).unwrap();
}

#[test]
fn create_task_without_a_vote_deposit_passes() {
    create(|r| r.vote_deposit = 0).unwrap();
}

/// A node at its minimum accuses and votes, in either role.
#[test]
fn create_task_with_a_bond_or_deposit_over_a_minimum_fails() {
    type Pledge = fn(&mut RulesArgs, u64);
    let pledges: [Pledge; 2] = [
        |r, amount| r.initiator_bond = amount,
        |r, amount| r.vote_deposit = amount,
    ];
    for pledge in pledges {
        // The minimum of witnesses is the lower one, then that of workers.
        for (worker, witness) in [(1_000_000, 500_000), (500_000, 1_000_000)] {
            let with = |amount| {
                create(|r| {
                    (r.worker_min_stake, r.witness_min_stake) = (worker, witness);
                    pledge(r, amount);
                })
            };
            with(500_000).unwrap();
            for amount in [500_001, 1_000_000, u64::MAX] {
                refused(with(amount), TaskError::PledgeOverMinimum);
            }
        }
    }
    create(|r| {
        (r.worker_min_stake, r.witness_min_stake) = (u64::MAX, u64::MAX);
        (r.initiator_bond, r.vote_deposit) = (u64::MAX, u64::MAX);
        r.allow_large_stake = true;
    })
    .unwrap();
}

/// What a task of these least stakes, shares and bonus comes to; all else as small as can be.
fn least(stake: u64, downtime_bps: u16, malice_bps: u16, bonus_bps: u16) -> Sent {
    create(|r| {
        (r.worker_min_stake, r.witness_min_stake) = (stake, 1);
        (r.initiator_bond, r.vote_deposit) = (1, 0);
        (r.downtime_bps, r.malice_bps) = (downtime_bps, malice_bps);
        (r.initiator_bonus_bps, r.pool_bps) = (bonus_bps, 0);
    })
}

/// Of the least stake of a worker, for either fault that the rules name.
#[test]
fn create_task_with_a_slash_that_floors_to_zero_fails() {
    for (stake, malice_bps) in [(1, 10_000), (2, 5_000), (10_000, 1), (3, 3_334)] {
        least(stake, 0, malice_bps, 10_000).unwrap();
    }
    for (stake, malice_bps) in [(1, 9_999), (1, 1), (2, 4_999), (9_999, 1), (3, 3_333)] {
        refused(
            least(stake, 0, malice_bps, 10_000),
            TaskError::SlashFloorsToZero,
        );
    }
    for (stake, downtime_bps) in [(10_000, 1), (2, 5_000), (9_999, 0), (1, 0)] {
        least(stake, downtime_bps, 10_000, 10_000).unwrap();
    }
    for (stake, downtime_bps) in [(9_999, 1), (2, 4_999), (1, 9_999)] {
        refused(
            least(stake, downtime_bps, 10_000, 10_000),
            TaskError::SlashFloorsToZero,
        );
    }
}

/// Of the least slash for malice.
#[test]
fn create_task_with_a_bonus_that_floors_to_zero_fails() {
    // Slashes of 10,000, 2 and 1.
    for (stake, malice_bps, bonus_bps) in [
        (10_000, 10_000, 1),
        (20_000, 5_000, 1),
        (4, 5_000, 5_000),
        (1, 10_000, 10_000),
    ] {
        least(stake, 0, malice_bps, bonus_bps).unwrap();
    }
    for (stake, malice_bps, bonus_bps) in [
        (9_999, 10_000, 1),
        (19_999, 5_000, 1),
        (4, 5_000, 4_999),
        (1, 10_000, 9_999),
    ] {
        refused(
            least(stake, 0, malice_bps, bonus_bps),
            TaskError::BonusFloorsToZero,
        );
    }
    // A bonus of the slash for downtime may be none.
    least(10_000, 1, 10_000, 1).unwrap();
}

/// More than half that is awake always has the quorum.
#[test]
fn create_task_with_a_quorum_over_half_fails() {
    create(|r| r.quorum_bps = 5_000).unwrap();
    for bps in [5_001, 10_000, 10_001, u16::MAX] {
        refused(create(|r| r.quorum_bps = bps), TaskError::QuorumOverHalf);
    }
}

#[test]
fn create_task_without_a_quorum_of_votes_fails() {
    refused(create(|r| r.quorum_votes = 0), TaskError::QuorumZero);
    create(|r| (r.quorum_votes, r.quorum_bps) = (1, 0)).unwrap();
    create(|r| r.quorum_votes = u32::MAX).unwrap();
}

#[test]
fn create_task_with_a_window_of_no_slots_fails() {
    let changes: [&dyn Fn(&mut RulesArgs); 4] = [
        &|r| r.round_slots = 0,
        &|r| r.submission_slots = 0,
        &|r| r.audit_slots = 0,
        &|r| r.reveal_slots = 0,
    ];
    for change in changes {
        refused(create(change), TaskError::WindowZero);
    }
}

/// The shortest game there is: audit and reveal windows take a slot each, and so the round takes two.
#[test]
fn create_task_with_windows_of_one_slot_passes() {
    create(|r| {
        (r.round_slots, r.submission_slots) = (2, 1);
        (r.audit_slots, r.reveal_slots) = (1, 1);
        r.leave_delay_slots = 3;
    })
    .unwrap();
}

#[test]
fn create_task_with_a_round_over_a_year_fails() {
    let round = |slots: u64| {
        create(|r| {
            r.round_slots = slots;
        })
    };
    round(LONGEST).unwrap();
    for slots in [LONGEST + 1, u64::MAX] {
        refused(round(slots), TaskError::WindowTooLong);
    }
}

#[test]
fn create_task_with_a_leave_delay_over_a_year_fails() {
    create(|r| r.leave_delay_slots = LONGEST).unwrap();
    for slots in [LONGEST + 1, u64::MAX] {
        refused(
            create(|r| r.leave_delay_slots = slots),
            TaskError::WindowTooLong,
        );
    }
}

#[test]
fn create_task_with_a_submission_window_over_the_round_fails() {
    let window = |slots: u64| {
        create(|r| {
            r.submission_slots = slots;
            r.leave_delay_slots = 2_000;
        })
    };
    window(1_000).unwrap();
    for slots in [1_001, u64::MAX] {
        refused(window(slots), TaskError::SubmissionWindowTooLong);
    }
}

#[test]
fn create_task_with_audit_and_reveal_over_the_round_fails() {
    let windows = |audit, commit, reveal| {
        create(|r| {
            (r.audit_slots, r.commit_slots, r.reveal_slots) = (audit, commit, reveal);
            r.leave_delay_slots = 2_000;
        })
    };
    windows(800, 0, 200).unwrap();
    windows(1, 0, 999).unwrap();
    for (audit, commit, reveal) in [(801, 0, 200), (800, 0, 201), (800, 1, 200)] {
        refused(
            windows(audit, commit, reveal),
            TaskError::AuditWindowsTooLong,
        );
    }
}

#[test]
fn create_task_with_windows_that_no_number_holds_fails() {
    refused(create(|r| r.audit_slots = u64::MAX), TaskError::Overflow);
    refused(create(|r| r.commit_slots = u64::MAX), TaskError::Overflow);
    refused(create(|r| r.reveal_slots = u64::MAX), TaskError::Overflow);
    refused(
        create(|r| r.audit_slots = u64::MAX - 200),
        TaskError::AuditWindowsTooLong,
    );
    let all = |r: &mut RulesArgs| {
        (r.round_slots, r.submission_slots) = (u64::MAX, u64::MAX);
        (r.audit_slots, r.reveal_slots) = (u64::MAX, u64::MAX);
        r.leave_delay_slots = u64::MAX;
    };
    refused(create(all), TaskError::WindowTooLong);
}

/// 100 + 300 + 0 + 200 slots.
#[test]
fn create_task_with_a_leave_delay_under_all_windows_fails() {
    create(|r| r.leave_delay_slots = 600).unwrap();
    for slots in [0, 599] {
        refused(
            create(|r| r.leave_delay_slots = slots),
            TaskError::LeaveDelayTooShort,
        );
    }
    // Each of the windows counts.
    let changes: [&dyn Fn(&mut RulesArgs); 4] = [
        &|r| r.submission_slots += 1,
        &|r| r.audit_slots += 1,
        &|r| r.commit_slots += 1,
        &|r| r.reveal_slots += 1,
    ];
    for change in changes {
        refused(create(change), TaskError::LeaveDelayTooShort);
    }
}

#[test]
fn create_task_without_a_minimum_stake_fails() {
    refused(
        create(|r| r.worker_min_stake = 0),
        TaskError::MinimumStakeZero,
    );
    refused(
        create(|r| r.witness_min_stake = 0),
        TaskError::MinimumStakeZero,
    );
    least(1, 10_000, 10_000, 10_000).unwrap();
    create(|r| r.witness_min_stake = u64::MAX).unwrap();
}

#[test]
fn create_task_with_a_stake_over_100_bounties_fails_unless_allowed() {
    create(|r| r.worker_min_stake = 10_000_000).unwrap();
    for stake in [10_000_001, u64::MAX] {
        refused(
            create(|r| r.worker_min_stake = stake),
            TaskError::StakeOverBounty,
        );
        create(|r| {
            r.worker_min_stake = stake;
            r.allow_large_stake = true;
        })
        .unwrap();
    }
}

#[test]
fn create_task_without_a_bounty_fails_unless_allowed() {
    refused(
        create(|r| (r.worker_min_stake, r.bounty_per_round) = (1, 0)),
        TaskError::StakeOverBounty,
    );
    create(|r| (r.bounty_per_round, r.allow_large_stake) = (0, true)).unwrap();
}

/// 100 such bounties are more than any number holds, so no stake is over them.
#[test]
fn create_task_with_the_largest_bounty_passes() {
    create(|r| (r.worker_min_stake, r.bounty_per_round) = (u64::MAX, u64::MAX)).unwrap();
    let most = u64::MAX / 100;
    create(|r| (r.worker_min_stake, r.bounty_per_round) = (most * 100, most)).unwrap();
    refused(
        create(|r| (r.worker_min_stake, r.bounty_per_round) = (most * 100 + 1, most)),
        TaskError::StakeOverBounty,
    );
}

#[test]
fn create_task_with_an_unknown_vote_weight_fails() {
    create(|r| r.vote_weight = 1).unwrap();
    for weight in [2, u8::MAX] {
        refused(create(|r| r.vote_weight = weight), TaskError::UnknownRule);
    }
}

#[test]
fn create_task_with_an_unknown_reward_rule_fails() {
    create(|r| r.reward_rule = 1).unwrap();
    for rule in [2, u8::MAX] {
        refused(create(|r| r.reward_rule = rule), TaskError::UnknownRule);
    }
}

#[test]
fn create_task_with_a_gate_of_no_kind_fails() {
    for kind in [GateKind::Member as u8 + 1, u8::MAX] {
        let none = GateArgs {
            kind,
            ..gate(GateKind::Open, ID, 0, 0)
        };
        refused(create(|r| r.worker_gate = none), TaskError::UnknownRule);
        refused(create(|r| r.witness_gate = none), TaskError::UnknownRule);
    }
}

#[test]
fn create_task_with_a_gate_that_asks_about_nothing_fails() {
    use GateKind::{Allowlist, Collection, Member, Open, Standing, Token};
    for kind in [Token, Collection, Standing, Member] {
        let keyless = gate(kind, Address::default(), 1, 0);
        refused(
            create(|r| r.worker_gate = keyless),
            TaskError::GateKeyMissing,
        );
        create(|r| r.witness_gate = gate(kind, ID, 1, 0)).unwrap();
    }
    for kind in [Open, Allowlist] {
        create(|r| r.worker_gate = gate(kind, Address::default(), 0, 0)).unwrap();
    }
}

/// A worker's and a witness's gate.
fn gated(bench: &mut Bench, asked: GateArgs) -> [Sent; 2] {
    [false, true].map(|witness| {
        let mut rules = rules();
        if witness {
            rules.witness_gate = asked;
        } else {
            rules.worker_gate = asked;
        }
        let create = bench.create_ix(0, &rules);
        bench.send(create)
    })
}

/// What is staked is in the wallet no more. The other token program's mint is as much its own.
#[test]
fn create_task_with_a_token_gate_on_its_own_mint_fails() {
    for program in [TOKEN, TOKEN_2022] {
        let mut bench = Bench::new(program);
        let own = gate(GateKind::Token, bench.mint, 1, 0);
        for sent in gated(&mut bench, own) {
            refused(sent, TaskError::GateOnItself);
        }
        let creator = bench.creator.insecure_clone();
        let mint = make_mint(&mut bench.svm, &creator, &program, &[], |_| vec![]);
        let [worker, _] = gated(&mut bench, gate(GateKind::Token, mint, 1, 0));
        worker.unwrap();
    }
}

/// Nobody has a node there before joining.
#[test]
fn create_task_with_a_gate_on_itself_fails() {
    for kind in [GateKind::Standing, GateKind::Member] {
        let mut bench = Bench::new(TOKEN);
        let creator = bench.creator.pubkey();
        let own = gate(kind, task_address(&creator, 0), 0, 9);
        for sent in gated(&mut bench, own) {
            refused(sent, TaskError::GateOnItself);
        }
        let other = gate(kind, task_address(&creator, 1), 0, 9);
        let [worker, _] = gated(&mut bench, other);
        worker.unwrap();
    }
}

/// A key says different things to different gates: a task's address is no mint, and the mint's is no task.
#[test]
fn create_task_with_a_gate_of_another_kind_on_its_own_addresses_passes() {
    for kind in [GateKind::Standing, GateKind::Member, GateKind::Collection] {
        let mut bench = Bench::new(TOKEN);
        let own = gate(kind, bench.mint, 0, 9);
        let [worker, _] = gated(&mut bench, own);
        worker.unwrap();
    }
    for kind in [GateKind::Token, GateKind::Collection] {
        let mut bench = Bench::new(TOKEN);
        let task = task_address(&bench.creator.pubkey(), 0);
        let [worker, _] = gated(&mut bench, gate(kind, task, 1, 9));
        worker.unwrap();
    }
}

// Who pays the rent.

/// The instruction with another payer than the creator.
fn paid_by(bench: &Bench, payer: &Keypair) -> Instruction {
    let mut create = bench.create_ix(0, &rules());
    assert_eq!(create.accounts[0].pubkey, bench.creator.pubkey());
    create.accounts[0].pubkey = payer.pubkey();
    create
}

#[test]
fn create_task_paid_by_another_costs_the_creator_no_lamport() {
    for program in [TOKEN, TOKEN_2022] {
        let mut bench = Bench::new(program);
        let payer = key(&mut bench.svm);
        let creator = bench.creator.insecure_clone();
        let lamports = |bench: &Bench, key: &Address| bench.svm.get_balance(key).unwrap();
        let before = [&payer, &creator].map(|key| lamports(&bench, &key.pubkey()));
        let address = task_address(&creator.pubkey(), 0);
        let event = TaskCreated {
            task: address,
            creator: creator.pubkey(),
            payer: payer.pubkey(),
            mint: bench.mint,
            slot: START,
        };
        let create = paid_by(&bench, &payer);
        let sent = send(&mut bench.svm, &[create], &[&payer, &creator]);
        let fee = sent.as_ref().unwrap().fee;
        logged(sent, &event);
        let task = bench.task(0);
        assert_eq!(
            (task.creator, task.payer),
            (creator.pubkey(), payer.pubkey())
        );
        let rent = lamports(&bench, &address) + lamports(&bench, &task.vault);
        let after = [&payer, &creator].map(|key| lamports(&bench, &key.pubkey()));
        assert_eq!(after, [before[0] - fee - rent, before[1]]);
    }
}

/// A creator that is a program's account with data signs, and can't pay: the system program moves nothing out of it.
#[test]
fn create_task_by_a_creator_that_holds_data_passes_when_another_pays() {
    let mut bench = Bench::new(TOKEN);
    let payer = key(&mut bench.svm);
    let creator = bench.creator.insecure_clone();
    give_data(&mut bench.svm, &creator.pubkey());
    let alone = bench.create_ix(0, &rules());
    assert_eq!(
        failure(send(&mut bench.svm, &[alone], &[&payer, &creator])),
        InstructionError::InvalidArgument
    );
    let create = paid_by(&bench, &payer);
    send(&mut bench.svm, &[create], &[&payer, &creator]).unwrap();
    assert_eq!(bench.task(0).creator, creator.pubkey());
}

#[test]
fn create_task_without_the_payers_signature_fails() {
    let mut bench = Bench::new(TOKEN);
    let payer = key(&mut bench.svm);
    let creator = bench.creator.insecure_clone();
    let create = unsigned(paid_by(&bench, &payer), &payer.pubkey());
    assert_eq!(
        failure(send(&mut bench.svm, &[create], &[&creator])),
        InstructionError::MissingRequiredSignature
    );
    // Nor does a payer's signature stand for the creator's.
    let create = unsigned(paid_by(&bench, &payer), &creator.pubkey());
    assert_eq!(
        failure(send(&mut bench.svm, &[create], &[&payer])),
        InstructionError::MissingRequiredSignature
    );
    let create = readonly(paid_by(&bench, &payer), &payer.pubkey());
    assert_eq!(
        failure(send(&mut bench.svm, &[create], &[&creator, &payer])),
        InstructionError::MissingRequiredSignature
    );
}

#[test]
fn create_task_twice_fails_and_with_another_id_passes() {
    let mut bench = Bench::new(TOKEN);
    let (first, second) = (bench.create_ix(0, &rules()), bench.create_ix(1, &rules()));
    bench.send(first.clone()).unwrap();
    assert_eq!(
        failure(bench.send(first)),
        InstructionError::Custom(0),
        "the system program's AccountAlreadyInUse"
    );
    bench.send(second).unwrap();
}

#[test]
fn create_task_of_two_creators_with_the_same_id_passes() {
    let mut bench = Bench::new(TOKEN);
    let create = bench.create_ix(0, &rules());
    bench.send(create).unwrap();
    bench.creator = key(&mut bench.svm);
    let create = bench.create_ix(0, &rules());
    bench.send(create).unwrap();
}

#[test]
fn create_task_at_prefunded_addresses_passes() {
    for program in [TOKEN, TOKEN_2022] {
        for lamports in [1_000_000, 1_000_000_000] {
            let mut bench = Bench::new(program);
            let task = task_address(&bench.creator.pubkey(), 0);
            let vault = vault_address(&task);
            bench.svm.airdrop(&task, lamports).unwrap();
            bench.svm.airdrop(&vault, lamports).unwrap();
            let create = bench.create_ix(0, &rules());
            bench.send(create).unwrap();
            assert_eq!(bench.task(0).vault, vault);
            assert_eq!(balance(&bench.svm, &vault), 0);
        }
    }
}

#[test]
fn create_task_without_the_creators_signature_fails() {
    let mut bench = Bench::new(TOKEN);
    let payer = key(&mut bench.svm);
    let create = unsigned(bench.create_ix(0, &rules()), &bench.creator.pubkey());
    assert_eq!(
        failure(send(&mut bench.svm, &[create], &[&payer])),
        InstructionError::MissingRequiredSignature
    );
}

#[test]
fn create_task_at_another_address_fails() {
    let mut bench = Bench::new(TOKEN);
    let own = task_address(&bench.creator.pubkey(), 0);
    let wrong = [
        task_address(&bench.creator.pubkey(), 1),
        task_address(&fresh().pubkey(), 0),
        fresh().pubkey(),
    ];
    for address in wrong {
        let create = swap(bench.create_ix(0, &rules()), &own, &address);
        assert_eq!(failure(bench.send(create)), InstructionError::InvalidSeeds);
    }
}

#[test]
fn create_task_with_another_vault_fails() {
    let mut bench = Bench::new(TOKEN);
    let task = task_address(&bench.creator.pubkey(), 0);
    let creator = bench.creator.insecure_clone();
    let wallet = make_wallet(&mut bench.svm, &creator, &TOKEN, &bench.mint, &task, 0);
    let foreign = vault_address(&task_address(&creator.pubkey(), 1));
    for vault in [wallet, foreign, fresh().pubkey()] {
        let create = swap(bench.create_ix(0, &rules()), &vault_address(&task), &vault);
        assert_eq!(failure(bench.send(create)), InstructionError::InvalidSeeds);
    }
}

#[test]
fn create_task_with_what_is_no_mint_fails() {
    let mut bench = Bench::new(TOKEN);
    let creator = bench.creator.insecure_clone();
    let wallet = make_wallet(
        &mut bench.svm,
        &creator,
        &TOKEN,
        &bench.mint,
        &creator.pubkey(),
        0,
    );
    let mut forged = bench.svm.get_account(&bench.mint).unwrap();
    forged.owner = SYSTEM;
    let forgery = fresh().pubkey();
    bench.svm.set_account(forgery, forged).unwrap();
    let cases = [
        (wallet, InstructionError::InvalidAccountData),
        (forgery, InstructionError::IllegalOwner),
        (fresh().pubkey(), InstructionError::IllegalOwner),
    ];
    for (mint, error) in cases {
        let create = swap(bench.create_ix(0, &rules()), &bench.mint, &mint);
        assert_eq!(failure(bench.send(create)), error);
    }
}

#[test]
fn create_task_with_a_mint_that_is_not_initialised_fails() {
    let mut bench = Bench::new(TOKEN);
    let mut blank = bench.svm.get_account(&bench.mint).unwrap();
    blank.data.fill(0);
    let mint = fresh().pubkey();
    bench.svm.set_account(mint, blank).unwrap();
    let create = swap(bench.create_ix(0, &rules()), &bench.mint, &mint);
    assert_eq!(
        failure(bench.send(create)),
        InstructionError::UninitializedAccount
    );
}

#[test]
fn create_task_with_another_token_program_fails() {
    for (own, other) in [(TOKEN, TOKEN_2022), (TOKEN_2022, TOKEN)] {
        let mut bench = Bench::new(own);
        let create = swap(bench.create_ix(0, &rules()), &own, &other);
        assert_eq!(
            failure(bench.send(create)),
            InstructionError::IncorrectProgramId
        );
        let create = swap(bench.create_ix(0, &rules()), &own, &SYSTEM);
        assert_eq!(
            failure(bench.send(create)),
            InstructionError::IncorrectProgramId
        );
    }
}

#[test]
fn create_task_with_another_system_program_fails() {
    let mut bench = Bench::new(TOKEN);
    let create = swap(bench.create_ix(0, &rules()), &SYSTEM, &TOKEN_2022);
    assert_eq!(
        failure(bench.send(create)),
        InstructionError::IncorrectProgramId
    );
}

#[test]
fn create_task_with_an_account_in_two_places_fails() {
    let mut bench = Bench::new(TOKEN);
    let creator = bench.creator.pubkey();
    let task = task_address(&creator, 0);
    let vault = vault_address(&task);
    for (from, to) in [
        (task, vault),
        (vault, task),
        (task, creator),
        (vault, creator),
    ] {
        let create = swap(bench.create_ix(0, &rules()), &from, &to);
        assert_eq!(failure(bench.send(create)), InstructionError::Custom(2040));
    }
}

#[test]
fn create_task_with_cut_data_fails() {
    let mut bench = Bench::new(TOKEN);
    let whole = bench.create_ix(0, &rules());
    for length in [0, 7, 8, 15, 16, 100, whole.data.len() - 1] {
        let mut cut = whole.clone();
        cut.data.truncate(length);
        assert_eq!(
            failure(bench.send(cut)),
            InstructionError::InvalidInstructionData
        );
    }
}

// Panels and appeals.

/// What comes of a task with `panelled()` changed.
fn panel(change: impl Fn(&mut RulesArgs)) -> Sent {
    create(|r| {
        *r = panelled();
        change(r);
    })
}

#[test]
fn create_task_with_a_panel_of_one_or_two_fails() {
    for seats in [1, 2] {
        refused(panel(|r| r.panel_seats = seats), TaskError::PanelTooSmall);
    }
    for seats in [0, 3, 4, u16::MAX] {
        panel(|r| r.panel_seats = seats).unwrap();
    }
}

/// 150 slots to appeal against a panel, and any number without one.
#[test]
fn create_task_with_a_panel_and_no_time_to_appeal_fails() {
    refused(
        panel(|r| (r.appeal_slots, r.appeal_bond) = (0, 0)),
        TaskError::PanelWithoutAppeal,
    );
    for slots in [1, 149] {
        refused(
            panel(|r| r.appeal_slots = slots),
            TaskError::PanelWithoutAppeal,
        );
        panel(|r| (r.appeal_slots, r.panel_seats) = (slots, 0)).unwrap();
    }
    panel(|r| r.appeal_slots = 150).unwrap();
}

/// Half of the seats, rounded up.
#[test]
fn create_task_with_a_quorum_over_half_of_the_panel_fails() {
    for (seats, most) in [(3, 2), (4, 2), (5, 3), (6, 3), (u16::MAX, 32_768)] {
        panel(|r| (r.panel_seats, r.quorum_votes) = (seats, most)).unwrap();
        for votes in [most + 1, u32::MAX] {
            refused(
                panel(|r| (r.panel_seats, r.quorum_votes) = (seats, votes)),
                TaskError::QuorumOverPanel,
            );
        }
    }
    panel(|r| (r.panel_seats, r.quorum_votes) = (0, u32::MAX)).unwrap();
}

/// The window in which votes first come: to commit, or to vote where nothing is committed.
#[test]
fn create_task_with_a_first_window_under_528_slots_fails() {
    panel(|r| r.reveal_slots = 528).unwrap();
    for slots in [1, 527] {
        refused(
            panel(|r| r.reveal_slots = slots),
            TaskError::PanelWindowTooShort,
        );
        refused(
            panel(|r| r.commit_slots = slots),
            TaskError::PanelWindowTooShort,
        );
        panel(|r| (r.panel_seats, r.reveal_slots) = (0, slots)).unwrap();
    }
    panel(|r| (r.commit_slots, r.reveal_slots) = (528, 1)).unwrap();
}

#[test]
fn create_task_with_half_of_an_appeal_fails() {
    for (slots, bond) in [(0, 1), (0, 100_000), (1, 0), (200, 0)] {
        refused(
            create(|r| (r.appeal_slots, r.appeal_bond, r.leave_delay_slots) = (slots, bond, 1_000)),
            TaskError::AppealBondZero,
        );
    }
    for (slots, bond) in [(0, 0), (1, 1)] {
        create(|r| (r.appeal_slots, r.appeal_bond, r.leave_delay_slots) = (slots, bond, 1_000))
            .unwrap();
    }
}

/// A node at its minimum accuses and appeals at once, in either role.
#[test]
fn create_task_with_both_bonds_over_a_minimum_fails() {
    for (worker, witness) in [(1_000_000, 500_000), (500_000, 1_000_000)] {
        let with = |accusation, appeal| {
            create(|r| {
                *r = appealable();
                (r.worker_min_stake, r.witness_min_stake) = (worker, witness);
                (r.initiator_bond, r.appeal_bond) = (accusation, appeal);
            })
        };
        for (accusation, appeal) in [(200_000, 300_000), (1, 499_999), (499_999, 1)] {
            with(accusation, appeal).unwrap();
            refused(with(accusation + 1, appeal), TaskError::PledgeOverMinimum);
            refused(with(accusation, appeal + 1), TaskError::PledgeOverMinimum);
        }
        refused(with(u64::MAX, 1), TaskError::Overflow);
        refused(with(1, u64::MAX), TaskError::Overflow);
    }
}

/// 100 + 300 + 0 + 200 slots, and with appeals 200 to appeal and 0 + 200 once more.
#[test]
fn create_task_with_a_leave_delay_under_an_appeals_end_fails() {
    let with = |slots: u64, change: &dyn Fn(&mut RulesArgs)| {
        create(|r| {
            *r = appealable();
            r.leave_delay_slots = slots;
            change(r);
        })
    };
    type Change<'a> = &'a dyn Fn(&mut RulesArgs);
    let changes: [(u64, Change); 6] = [
        (1_000, &|_| {}),
        (1_001, &|r| r.submission_slots += 1),
        (1_001, &|r| r.audit_slots += 1),
        (1_001, &|r| r.appeal_slots += 1),
        (1_002, &|r| r.commit_slots += 1),
        (1_002, &|r| r.reveal_slots += 1),
    ];
    for (least, change) in changes {
        with(least, change).unwrap();
        refused(with(least - 1, change), TaskError::LeaveDelayTooShort);
    }
    refused(
        with(1_000, &|r| r.appeal_slots = u64::MAX),
        TaskError::Overflow,
    );
}

#[test]
fn create_task_stores_the_rules_of_panels_and_appeals() {
    let mut bench = Bench::new(TOKEN);
    let rules = RulesArgs {
        panel_seats: 17,
        appeal_slots: 151,
        appeal_bond: 100_018,
        ..panelled()
    };
    let create = bench.create_ix(0, &rules);
    bench.send(create).unwrap();
    let stored = bench.task(0).rules;
    assert_eq!(stored.case.panel_seats.get(), 17);
    assert_eq!(stored.appeal_slots.get(), 151);
    assert_eq!(stored.appeal_bond.get(), 100_018);
}
