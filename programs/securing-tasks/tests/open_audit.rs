//! `open_audit`: who may accuse whom, when, and with what at stake.

mod common;

use anchor_lang::prelude::Address;
use common::*;
use securing_tasks::{
    events::AuditOpened, Audit, GateKind, Opinion, Outcome, Round, RulesArgs, Submission,
    SubmissionStatus, VoteWeight,
};
use solana_signer::Signer;
use solana_transaction::InstructionError;

const VALID: u8 = 0;
const DOWNTIME: u8 = 1;
const MALICE: u8 = 2;

/// The first slot of round 1, when the stake that everyone joined with is not recent any more.
const ROUND_1: u64 = START + 1_000;
/// The first slot at which work of round 0 can't be audited.
const AUDIT_END: u64 = START + 400;

fn by_stake() -> RulesArgs {
    RulesArgs {
        vote_weight: VoteWeight::Stake as u8,
        ..rules()
    }
}

/// The standard case up to the submission, with another task in which the same owners did the same.
fn two_tasks() -> (Case, [Actor; 2]) {
    let mut case = Case::submitted(rules());
    case.game.next_task(1);
    let [accused, initiator] = [&case.accused, &case.initiator].map(|actor| case.game.here(actor));
    case.game.join_task(&accused, 0, 4_000_000).unwrap();
    case.game.join_task(&initiator, 1, 2_000_000).unwrap();
    case.game.warp(START + 2);
    case.game.submit_work(&accused, 0).unwrap();
    case.game
        .enter(task_address(&case.game.creator.pubkey(), 0));
    (case, [accused, initiator])
}

impl Case {
    fn open_ix(&self) -> anchor_lang::solana_program::instruction::Instruction {
        self.game
            .open_audit_ix(&self.initiator, &self.accused, 0, MALICE)
    }

    fn open_by(&mut self, initiator: &Actor) -> Sent {
        self.game.open_audit(initiator, &self.accused, 0, MALICE)
    }

    fn open(&mut self) -> Sent {
        self.game
            .open_audit(&self.initiator, &self.accused, 0, MALICE)
    }

    /// Where the initiator's next audit will be.
    fn next(&self) -> Address {
        self.game.next_audit(&self.initiator, &self.accused, 0)
    }

    /// The audit of the submission that was opened after `attempt` others.
    fn audit_of(&self, attempt: u32) -> Audit {
        self.game.get(&self.game.audit(&self.accused, 0, attempt))
    }

    fn submission(&self) -> Submission {
        self.game.get(&self.game.submission(&self.accused, 0))
    }

    /// An audit that ends without a verdict, since nobody votes.
    fn open_and_end_without_verdict(&mut self, attempt: u32) {
        self.open().unwrap();
        let end = self.audit_of(attempt).end_slot.get();
        self.game.warp(end);
        let audit = self.game.audit(&self.accused, 0, attempt);
        self.game.resolve_audit(&audit).unwrap();
    }

    /// One transaction with a changed instruction.
    fn send(&mut self, open: anchor_lang::solana_program::instruction::Instruction) -> Sent {
        let operator = self.initiator.operator.insecure_clone();
        self.game.send(&[open], &[&operator])
    }
}

#[test]
fn open_audit_freezes_stakes_rules_and_windows() {
    let mut case = Case::submitted(rules());
    case.game.warp(START + 5);
    let sent = case.open();

    let audit = case.game.get::<Audit>(&case.audit());
    let task = case.game.task();
    let submission_address = case.game.submission(&case.accused, 0);
    assert_eq!(audit.task, case.game.task);
    assert_eq!(audit.submission, submission_address);
    assert_eq!(audit.initiator, case.initiator.owner.pubkey());
    assert_eq!(audit.accused, case.accused.owner.pubkey());
    assert_eq!(audit.payer, case.initiator.operator.pubkey());
    assert_eq!(audit.submission_slot.get(), START + 1);
    assert_eq!(audit.open_slot.get(), START + 5);
    assert_eq!(audit.reveal_slot.get(), START + 5);
    assert_eq!(audit.end_slot.get(), START + 205);
    assert_eq!(audit.accused_stake.get(), 4_000_000);
    // Nodes, all but the accused.
    assert_eq!(audit.eligible_weight(), 4);
    assert_eq!(audit.initiator_stake.get(), 2_000_000);
    assert_eq!(audit.bond.get(), 200_000);
    assert_eq!(audit.vote_deposit.get(), 50_000);
    assert_eq!(audit.votes.nodes.map(|n| n.get()), [0, 0, 1]);
    assert_eq!(audit.votes.stake.map(|s| s.get()), [0, 0, 2_000_000]);
    assert_eq!(audit.unclaimed.get(), 0);
    assert_eq!(audit.rules, task.rules.case);
    assert_eq!(audit.accusation, Opinion::Malice);
    assert_eq!(audit.outcome, Outcome::Open);
    assert_eq!((audit.index.get(), audit.attempt.get()), (0, 0));

    let initiator = case.game.node(&case.initiator);
    assert_eq!(
        (initiator.stake.get(), initiator.bonds.get()),
        (2_000_000, 200_000)
    );
    assert_eq!((initiator.audits.get(), initiator.live.get()), (1, 1));
    let accused = case.game.node(&case.accused);
    assert_eq!(accused.stake.get(), 4_000_000);
    assert_eq!(accused.open_audits.get(), 1);
    let submission = case.game.get::<Submission>(&submission_address);
    assert_eq!(submission.status, SubmissionStatus::Submitted);
    assert_eq!((submission.audits.get(), submission.decided.get()), (1, 0));
    assert_eq!(task.electorate.stake.get(), 11_500_000);
    logged(
        sent,
        &AuditOpened {
            task: case.game.task,
            submission: submission_address,
            audit: case.audit(),
            initiator: case.initiator.owner.pubkey(),
            accused: case.accused.owner.pubkey(),
            accusation: MALICE,
            index: 0,
            bond: 200_000,
            weight: 2_000_000,
            accused_stake: 4_000_000,
            draw_slot: 0,
            end_slot: START + 205,
            evidence_hash: [0; 32],
            evidence_uri: String::new(),
            slot: START + 5,
        },
    );
}

#[test]
fn open_audit_for_downtime_counts_as_a_vote_for_downtime() {
    let mut case = Case::submitted(rules());
    case.game
        .open_audit(&case.initiator, &case.accused, 0, DOWNTIME)
        .unwrap();
    let audit = case.game.get::<Audit>(&case.audit());
    assert_eq!(audit.accusation, Opinion::Downtime);
    assert_eq!(audit.votes.nodes.map(|n| n.get()), [0, 1, 0]);
    assert_eq!(audit.votes.stake.map(|s| s.get()), [0, 2_000_000, 0]);
}

#[test]
fn open_audit_for_no_fault_fails() {
    let mut case = Case::submitted(rules());
    for accusation in [0, 3, u8::MAX] {
        let sent = case
            .game
            .open_audit(&case.initiator, &case.accused, 0, accusation);
        refused(sent, TaskError::UnknownVerdict);
    }
}

#[test]
fn open_audit_by_a_worker_passes() {
    let mut game = Game::new(rules());
    let (accused, other) = (game.worker(1_000_000), game.worker(1_200_000));
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    game.submit_work(&other, 0).unwrap();
    game.open_audit(&other, &accused, 0, MALICE).unwrap();
}

#[test]
fn open_audit_of_a_retired_task_passes_since_retiring_shields_nobody() {
    let mut case = Case::submitted(rules());
    case.game.retire_task().unwrap();
    case.open().unwrap();
}

// The audit window.

#[test]
fn open_audit_in_the_submissions_slot_passes() {
    let mut case = Case::submitted(rules());
    assert_eq!(case.game.slot(), START + 1);
    case.open().unwrap();
}

#[test]
fn open_audit_in_the_last_slot_of_the_window_passes() {
    let mut case = Case::submitted(rules());
    case.game.warp(AUDIT_END - 1);
    case.open().unwrap();
}

#[test]
fn open_audit_at_the_windows_end_fails() {
    let mut case = Case::submitted(rules());
    case.game.warp(AUDIT_END);
    refused(case.open(), TaskError::AuditWindowClosed);
}

#[test]
fn open_audit_window_of_a_later_round_is_its_own() {
    let mut case = Case::submitted(rules());
    case.game.warp(START + 3_099);
    case.game.submit_work(&case.accused, 3).unwrap();
    case.game.warp(AUDIT_END + 3_000);
    let late = case
        .game
        .open_audit(&case.initiator, &case.accused, 3, MALICE);
    refused(late, TaskError::AuditWindowClosed);

    case.game.warp(START + 4_000);
    case.game.submit_work(&case.accused, 4).unwrap();
    case.game.warp(AUDIT_END + 3_999);
    case.game
        .open_audit(&case.initiator, &case.accused, 4, MALICE)
        .unwrap();
}

// Any number of audits of one submission, until it is convicted of malice.

/// Each of three initiators twice, in turn: no audit is in another's way, and every address is its initiator's own.
#[test]
fn open_audit_side_by_side_passes_for_one_and_for_many_initiators() {
    let mut case = Case::submitted(rules());
    let submission = case.game.submission(&case.accused, 0);
    let [first, second, _] = &case.voters;
    let initiators = [&case.initiator, first, second].map(|actor| case.game.here(actor));
    for attempt in 0..6 {
        let (initiator, index) = (&initiators[attempt as usize % 3], attempt / 3);
        let accusation = [DOWNTIME, MALICE][attempt as usize % 2];
        let owner = initiator.owner.pubkey();
        case.game
            .open_audit(initiator, &case.accused, 0, accusation)
            .unwrap();
        let audit = case.audit_of(attempt);
        assert_eq!(audit.initiator, owner);
        assert_eq!((audit.index.get(), audit.attempt.get()), (index, attempt));
        assert_eq!(
            case.game.audit(&case.accused, 0, attempt),
            audit_address(&submission, &owner, index)
        );
        assert_eq!(audit.accusation.0, accusation);
        let node = case.game.node(initiator);
        assert_eq!(node.bonds.get(), 200_000 * u64::from(index + 1));
        assert_eq!(node.audits.get(), index + 1);
    }
    let submission = case.submission();
    assert_eq!(
        [
            submission.audits,
            submission.decided,
            submission.live_audits
        ]
        .map(|n| n.get()),
        [6, 0, 6]
    );
    assert_eq!(case.game.node(&case.accused).open_audits.get(), 6);
    let round: Round = case.game.get(&round_address(&case.game.task, 0));
    assert_eq!(round.open_audits.get(), 6);
}

/// The index counts what the initiator ever opened, of whomever, and no closed account brings an address back.
#[test]
fn open_audit_index_counts_all_audits_that_the_initiator_opened() {
    let mut case = Case::submitted(rules());
    let other = case.game.worker(1_000_000);
    case.game.submit_work(&other, 0).unwrap();
    case.game
        .open_audit(&case.initiator, &other, 0, MALICE)
        .unwrap();
    case.open_and_end_without_verdict(0);
    assert_eq!(case.audit_of(0).index.get(), 1);
    let first = case.game.audit(&case.accused, 0, 0);
    case.game.close_audit(&first).unwrap();
    case.open().unwrap();
    assert_eq!(case.audit_of(1).index.get(), 2);
}

#[test]
fn open_audit_before_the_ended_one_is_resolved_passes() {
    let mut case = Case::audited(rules(), MALICE);
    case.game.warp(case.end() + 1);
    case.open().unwrap();
}

/// What may be accused after a verdict: an acquittal bars nothing, a conviction what it was for and less.
#[test]
fn open_audit_after_a_verdict_passes_for_a_graver_fault_alone() {
    for (opinion, status, downtime, malice) in [
        (0, SubmissionStatus::Acquitted, true, true),
        (DOWNTIME, SubmissionStatus::ConvictedDowntime, false, true),
        (MALICE, SubmissionStatus::ConvictedMalice, false, false),
    ] {
        for (accusation, passes) in [(DOWNTIME, downtime), (MALICE, malice)] {
            let mut case = Case::audited(rules(), MALICE);
            case.vote(&[opinion, opinion, opinion]);
            case.resolve().unwrap();
            assert_eq!(case.submission().status, status);
            let sent = case
                .game
                .open_audit(&case.initiator, &case.accused, 0, accusation);
            if passes {
                sent.unwrap();
            } else {
                refused(sent, TaskError::AlreadyDecided);
            }
        }
    }
}

/// An audit that was open when the verdict came stays open, and what comes after it is asked anew.
#[test]
fn open_audit_beside_one_that_convicts_passes_and_after_it_fails() {
    let mut case = Case::audited(rules(), MALICE);
    case.open().unwrap();
    case.vote(&[MALICE, MALICE]);
    case.resolve().unwrap();
    assert_eq!(case.audit_of(1).outcome, Outcome::Open);
    refused(case.open(), TaskError::AlreadyDecided);
}

#[test]
fn open_audit_after_an_acquittal_passes_until_the_window_ends() {
    for (slot, passes) in [(AUDIT_END - 1, true), (AUDIT_END, false)] {
        let mut case = Case::audited(rules(), MALICE);
        case.vote(&[0, 0]);
        case.resolve().unwrap();
        case.game.warp(slot);
        if passes {
            case.open().unwrap();
        } else {
            refused(case.open(), TaskError::AuditWindowClosed);
        }
    }
}

/// What verdicts took of it counts as its stake, so that a graver one is of the same whole.
#[test]
fn open_audit_counts_what_earlier_verdicts_took_as_the_accuseds_stake() {
    let mut case = Case::audited(rules(), MALICE);
    case.vote(&[DOWNTIME, DOWNTIME]);
    case.resolve().unwrap();
    assert_eq!(case.game.node(&case.accused).stake.get(), 3_600_000);
    assert_eq!(case.submission().slashed.get(), 400_000);
    case.open().unwrap();
    assert_eq!(case.audit_of(1).accused_stake.get(), 4_000_000);
}

/// What the verdict on another submission took is gone.
#[test]
fn open_audit_counts_nothing_that_verdicts_on_other_work_took() {
    let mut case = Case::audited(rules(), MALICE);
    case.vote(&[DOWNTIME, DOWNTIME]);
    case.resolve().unwrap();
    case.game.warp(ROUND_1);
    case.game.submit_work(&case.accused, 1).unwrap();
    case.game
        .open_audit(&case.initiator, &case.accused, 1, MALICE)
        .unwrap();
    let audit: Audit = case.game.get(&case.game.audit(&case.accused, 1, 0));
    assert_eq!(audit.accused_stake.get(), 3_600_000);
}

#[test]
fn open_audit_after_no_verdict_is_the_next_attempt() {
    let mut case = Case::submitted(rules());
    case.open_and_end_without_verdict(0);
    let other = case.game.here(&case.voters[2]);
    case.open_by(&other).unwrap();
    let audit = case.audit_of(1);
    assert_eq!((audit.index.get(), audit.attempt.get()), (0, 1));
    assert_eq!(audit.initiator, other.owner.pubkey());
    assert_eq!(audit.votes.nodes.map(|n| n.get()), [0, 0, 1]);
    let first = case.game.get::<Audit>(&case.audit());
    assert_eq!(first.outcome, Outcome::NoVerdict);
}

#[test]
fn open_audit_after_no_verdict_and_the_window_fails() {
    let mut case = Case::submitted(rules());
    case.game.warp(AUDIT_END - 1);
    case.open_and_end_without_verdict(0);
    refused(case.open(), TaskError::AuditWindowClosed);
}

/// Time and bonds bound the attempts, no count.
#[test]
fn open_audit_passes_again_and_again_without_verdict() {
    let mut case = Case::submitted(RulesArgs {
        reveal_slots: 20,
        ..rules()
    });
    for attempt in 0..12 {
        case.open_and_end_without_verdict(attempt);
    }
    assert_eq!(case.game.node(&case.initiator).bonds.get(), 0);
    case.open().unwrap();
}

// Who held stake before the submission.

#[test]
fn open_audit_by_a_node_that_joined_one_slot_before_the_submission_passes() {
    let mut case = Case::submitted(rules());
    assert_eq!(case.game.node(&case.initiator).joined_slot.get(), START);
    assert_eq!(case.game.slot(), START + 1);
    case.open().unwrap();
}

#[test]
fn open_audit_by_a_node_that_joined_in_the_submissions_slot_fails() {
    let mut game = Game::new(rules());
    let accused = game.worker(4_000_000);
    game.warp(START + 1);
    let before = game.witness(2_000_000);
    game.submit_work(&accused, 0).unwrap();
    let after = game.witness(2_000_000);
    game.warp(START + 2);
    for late in [before, after] {
        let sent = game.open_audit(&late, &accused, 0, MALICE);
        refused(sent, TaskError::JoinedAfterSubmission);
    }
}

#[test]
fn open_audit_by_a_node_that_joined_one_slot_after_the_submission_fails() {
    let mut case = Case::submitted(rules());
    case.game.warp(START + 2);
    let late = case.game.witness(2_000_000);
    refused(case.open_by(&late), TaskError::JoinedAfterSubmission);
}

#[test]
fn open_audit_by_a_node_that_took_its_leave_back_since_fails() {
    let mut case = Case::submitted(rules());
    case.game.request_leave(&case.initiator, None).unwrap();
    case.game.cancel_leave(&case.initiator).unwrap();
    refused(case.open(), TaskError::StakeTooRecent);
}

#[test]
fn open_audit_with_exactly_the_minimum_held_before_passes() {
    for bond in [200_000, 500_000] {
        let mut game = Game::new(RulesArgs {
            initiator_bond: bond,
            ..rules()
        });
        let (accused, initiator) = (game.worker(4_000_000), game.witness(500_000));
        game.warp(ROUND_1);
        game.submit_work(&accused, 1).unwrap();
        game.open_audit(&initiator, &accused, 1, MALICE).unwrap();
        let audit = game.get::<Audit>(&game.audit(&accused, 1, 0));
        assert_eq!(audit.initiator_stake.get(), 500_000);
        assert_eq!(game.node(&initiator).stake.get(), 500_000);
    }
}

/// All old stake leaves one slot before the submission: what came since doesn't make up for it.
#[test]
fn open_audit_with_the_minimum_only_since_the_submission_fails() {
    let mut game = Game::new(rules());
    let (accused, initiator) = (game.worker(4_000_000), game.witness(500_000));
    game.warp(ROUND_1 - 1);
    game.request_leave(&initiator, None).unwrap();
    game.warp(ROUND_1);
    game.submit_work(&accused, 1).unwrap();
    game.add_stake(&initiator, 600_000).unwrap();
    let sent = game.open_audit(&initiator, &accused, 1, MALICE);
    refused(sent, TaskError::StakeTooRecent);
}

/// A slash of 100 leaves the worker 100 below its minimum. What it adds after the next submission doesn't make it eligible.
#[test]
fn open_audit_with_less_than_the_minimum_held_before_fails() {
    let mut case = Case::submitted(RulesArgs {
        downtime_bps: 1,
        ..rules()
    });
    case.game.warp(START + 2);
    let poor = case.game.worker(1_000_000);
    case.game.warp(START + 1_000);
    case.game.submit_work(&poor, 1).unwrap();
    case.game
        .open_audit(&case.initiator, &poor, 1, DOWNTIME)
        .unwrap();
    let audit = case.game.audit(&poor, 1, 0);
    for voter in &case.voters {
        case.game.cast_vote(voter, &audit, DOWNTIME).unwrap();
    }
    case.game.warp(START + 1_200);
    case.game.resolve_audit(&audit).unwrap();
    assert_eq!(case.game.node(&poor).stake.get(), 999_900);

    case.game.warp(START + 2_000);
    case.game.submit_work(&case.accused, 2).unwrap();
    case.game.add_stake(&poor, 3_000_000).unwrap();
    let sent = case.game.open_audit(&poor, &case.accused, 2, MALICE);
    refused(sent, TaskError::StakeTooRecent);
}

#[test]
fn open_audit_weighs_no_later_stake_but_old_stake_that_leaves() {
    let mut game = Game::new(rules());
    let (accused, initiator) = (game.worker(4_000_000), game.witness(2_000_000));
    game.warp(ROUND_1);
    game.submit_work(&accused, 1).unwrap();
    game.add_stake(&initiator, 700_000).unwrap();
    game.request_leave(&initiator, Some(900_000)).unwrap();
    game.open_audit(&initiator, &accused, 1, MALICE).unwrap();
    let audit = game.get::<Audit>(&game.audit(&accused, 1, 0));
    // 700,000 of what leaves are young.
    assert_eq!(audit.initiator_stake.get(), 2_000_000);
}

/// Added stake never makes what was there before young again.
#[test]
fn open_audit_by_a_young_node_that_added_stake_since_weighs_what_it_had() {
    let mut case = Case::submitted(rules());
    case.game.add_stake(&case.initiator, 1).unwrap();
    case.open().unwrap();
    assert_eq!(case.audit_of(0).initiator_stake.get(), 2_000_000);
}

#[test]
fn open_audit_weighs_what_is_pledged_to_other_audits() {
    let mut game = Game::new(rules());
    let workers = [game.worker(1_000_000), game.worker(1_000_000)];
    let initiator = game.witness(2_000_000);
    game.warp(START + 1);
    for worker in &workers {
        game.submit_work(worker, 0).unwrap();
        game.open_audit(&initiator, worker, 0, MALICE).unwrap();
    }
    let audit = game.get::<Audit>(&game.audit(&workers[1], 0, 0));
    assert_eq!(audit.initiator_stake.get(), 2_000_000);
    assert_eq!(game.node(&initiator).bonds.get(), 400_000);
}

// The bond: own open accusations pledge at most the stake, the leaving part too.

/// Bonds of 500,000 until one is refused, by an initiator that holds `stake`, `leaving` of it on its way out.
#[track_caller]
fn opens_exactly(times: u32, stake: u64, leaving: u64) -> Case {
    let mut case = Case::submitted(RulesArgs {
        initiator_bond: 500_000,
        ..rules()
    });
    case.initiator = case.game.witness(stake);
    if leaving > 0 {
        case.game
            .request_leave(&case.initiator, Some(leaving))
            .unwrap();
    }
    case.game.warp(START + 2);
    case.accused = case.game.worker(1_000_000);
    case.game.warp(START + 3);
    case.game.submit_work(&case.accused, 0).unwrap();
    for _ in 0..times {
        case.open().unwrap();
    }
    refused(case.open(), TaskError::StakePledged);
    let node = case.game.node(&case.initiator);
    assert_eq!(node.bonds.get(), 500_000 * u64::from(times));
    assert_eq!((node.audits.get(), node.stake.get()), (times, stake));
    case
}

#[test]
fn open_audit_bonds_up_to_the_stake_pass_and_one_unit_over_it_fail() {
    opens_exactly(1, 500_000, 0);
    opens_exactly(1, 999_999, 0);
    opens_exactly(2, 1_000_000, 0);
    opens_exactly(3, 1_999_999, 0);
    opens_exactly(4, 2_000_000, 0);
    // What leaves is pledged too.
    opens_exactly(3, 1_999_999, 1);
    opens_exactly(4, 2_000_000, 1);
    opens_exactly(4, 2_000_001, 1);
    opens_exactly(4, 2_000_000, 1_500_000);
}

/// Later stake carries a bond though it carries no vote.
#[test]
fn open_audit_bond_out_of_later_stake_passes() {
    let mut case = opens_exactly(1, 500_000, 0);
    case.game.add_stake(&case.initiator, 499_999).unwrap();
    refused(case.open(), TaskError::StakePledged);
    case.game.add_stake(&case.initiator, 1).unwrap();
    case.open().unwrap();
    assert_eq!(case.audit_of(1).initiator_stake.get(), 500_000);
}

#[test]
fn open_audit_bond_is_free_again_once_the_audit_is_resolved() {
    let mut case = opens_exactly(1, 500_000, 0);
    case.resolve().unwrap();
    case.open().unwrap();
    refused(case.open(), TaskError::StakePledged);
}

/// Who leaves with all of its stake accuses work from before, up to that stake; withdrawing waits for the verdicts, and the lost bonds
/// are taken of what leaves. Work from after the request it can't accuse.
#[test]
fn open_audit_by_a_node_that_leaves_with_all_passes_up_to_its_stake() {
    let mut case = Case::submitted(rules());
    let leaver = case.game.here(&case.initiator);
    case.game.request_leave(&leaver, None).unwrap();
    case.game.warp(START + 2);
    let late = case.game.worker(1_000_000);
    case.game.warp(START + 3);
    case.game.submit_work(&late, 0).unwrap();
    let sent = case.game.open_audit(&leaver, &late, 0, MALICE);
    refused(sent, TaskError::StakeTooRecent);

    case.game.warp(AUDIT_END - 1);
    for _ in 0..10 {
        case.open_by(&leaver).unwrap();
    }
    refused(case.open_by(&leaver), TaskError::StakePledged);
    let audits: [_; 10] =
        std::array::from_fn(|attempt| case.game.audit(&case.accused, 0, attempt as u32));
    for voter in &case.voters {
        for audit in &audits {
            case.game.cast_vote(voter, audit, VALID).unwrap();
        }
    }
    case.game.warp(START + 601);
    refused(case.game.withdraw(&leaver), TaskError::StakePledged);
    for audit in &audits[..9] {
        case.game.resolve_audit(audit).unwrap();
    }
    let node = case.game.node(&leaver);
    assert_eq!((node.stake.get(), node.leaving.get()), (200_000, 200_000));
    refused(case.game.withdraw(&leaver), TaskError::StakePledged);
    case.game.resolve_audit(&audits[9]).unwrap();
    let node = case.game.node(&leaver);
    assert_eq!((node.stake.get(), node.bonds.get()), (0, 0));
    assert_eq!((node.leaving.get(), node.leave_slot.get()), (0, 0));
}

/// What another verdict took of leaving stake can't be pledged any more: half of 4,000,000 carries four bonds of 500,000.
#[test]
fn open_audit_by_a_leaver_that_was_slashed_passes_up_to_what_is_left() {
    let mut game = Game::new(RulesArgs {
        initiator_bond: 500_000,
        ..rules()
    });
    let workers @ [leaver, other] = &[(); 2].map(|()| game.worker(4_000_000));
    let witnesses = [(); 3].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    for worker in workers {
        game.submit_work(worker, 0).unwrap();
    }
    game.request_leave(leaver, None).unwrap();
    game.open_audit(&witnesses[0], leaver, 0, MALICE).unwrap();
    let audit = game.audit(leaver, 0, 0);
    for voter in &witnesses[1..] {
        game.cast_vote(voter, &audit, MALICE).unwrap();
    }
    game.warp(START + 201);
    game.resolve_audit(&audit).unwrap();
    assert_eq!(game.node(leaver).leaving.get(), 2_000_000);
    for _ in 0..4 {
        game.open_audit(leaver, other, 0, MALICE).unwrap();
    }
    let sent = game.open_audit(leaver, other, 0, MALICE);
    refused(sent, TaskError::StakePledged);
}

/// Others' accusations, own commitments and own votes take nothing off what can be pledged. With malice at all of the stake.
#[test]
fn open_audit_by_a_node_that_stands_accused_and_has_commitments_passes_up_to_its_stake() {
    let mut game = Game::new(RulesArgs {
        malice_bps: 10_000,
        initiator_bond: 500_000,
        vote_deposit: 500_000,
        commit_slots: 50,
        reveal_slots: 150,
        ..rules()
    });
    let (node, other) = (game.worker(1_000_000), game.worker(1_000_000));
    let witness = game.witness(5_000_000);
    game.warp(START + 1);
    game.submit_work(&node, 0).unwrap();
    game.submit_work(&other, 0).unwrap();
    for attempt in 0..5 {
        game.open_audit(&witness, &node, 0, MALICE).unwrap();
        game.open_audit(&witness, &other, 0, MALICE).unwrap();
        let audit = game.audit(&other, 0, attempt);
        game.commit_vote(&node, &audit, 0, [1; 32]).unwrap();
    }
    game.open_audit(&node, &other, 0, MALICE).unwrap();
    game.open_audit(&node, &other, 0, MALICE).unwrap();
    let sent = game.open_audit(&node, &other, 0, MALICE);
    refused(sent, TaskError::StakePledged);
    let state = game.node(&node);
    assert_eq!(
        (
            state.bonds.get(),
            state.commitments.get(),
            state.open_audits.get()
        ),
        (1_000_000, 5, 5)
    );
}

// What can be slashed, and what could vote.

#[test]
fn open_audit_counts_the_accuseds_leaving_stake_too() {
    let mut case = Case::submitted(by_stake());
    case.game.request_leave(&case.accused, None).unwrap();
    case.open().unwrap();
    let audit = case.audit_of(0);
    assert_eq!(audit.accused_stake.get(), 4_000_000);
    assert_eq!(audit.eligible_weight(), 7_500_000);
}

/// Nobody resolved the audit of round 0 when round 1 is audited.
#[test]
fn open_audit_of_a_second_round_counts_the_whole_stake_again() {
    let mut case = Case::audited(rules(), MALICE);
    case.game.warp(ROUND_1);
    case.game.submit_work(&case.accused, 1).unwrap();
    case.game
        .open_audit(&case.voters[2], &case.accused, 1, MALICE)
        .unwrap();
    assert_eq!(case.game.node(&case.accused).open_audits.get(), 2);
    let audit: Audit = case.game.get(&case.game.audit(&case.accused, 1, 0));
    assert_eq!(audit.accused_stake.get(), 4_000_000);
}

/// What could vote when `change` came, in nodes and in base units.
fn eligible_after(change: impl Fn(&mut Case)) -> [u64; 2] {
    [rules(), by_stake()].map(|rules| {
        let mut case = Case::submitted(rules);
        change(&mut case);
        case.open().unwrap();
        case.audit_of(0).eligible_weight()
    })
}

/// 2,000,000 + 1,000,000 + 1,500,000 + 3,000,000: all but the accused's.
#[test]
fn open_audit_counts_all_others_as_eligible() {
    assert_eq!(eligible_after(|_| ()), [4, 7_500_000]);
}

#[test]
fn open_audit_counts_no_stake_that_came_after_the_submission_as_eligible() {
    let eligible = eligible_after(|case| {
        case.game.add_stake(&case.voters[0], 5_000_000).unwrap();
        case.game.witness(9_000_000);
        case.game.warp(START + 2);
        case.game.add_stake(&case.voters[1], 5_000_000).unwrap();
        case.game.witness(9_000_000);
    });
    assert_eq!(eligible, [4, 7_500_000]);
}

/// Attack: a friend's stake that can't vote on the submission puts the quorum out of reach.
#[test]
fn open_audit_counts_no_stake_that_came_in_the_submissions_slot_before_it_as_eligible() {
    for (early, eligible) in [(1, [1, 2_000_000]), (0, [2, 14_000_000])] {
        let counted = [rules(), by_stake()].map(|rules| {
            let mut game = Game::new(rules);
            let (accused, initiator) = (game.worker(4_000_000), game.witness(2_000_000));
            game.warp(START + 1);
            game.witness(9_000_000);
            game.add_stake(&initiator, 3_000_000).unwrap();
            // One slot later it is there before the submission.
            game.warp(START + 2 - early);
            game.submit_work(&accused, 0).unwrap();
            game.open_audit(&initiator, &accused, 0, MALICE).unwrap();
            let audit = game.audit(&accused, 0, 0);
            game.get::<Audit>(&audit).eligible_weight()
        });
        assert_eq!(counted, eligible);
    }
}

#[test]
fn open_audit_counts_stake_that_leaves_as_eligible() {
    let all = |case: &mut Case| {
        case.game.request_leave(&case.voters[2], None).unwrap();
    };
    assert_eq!(eligible_after(all), [4, 7_500_000]);
    let part = |case: &mut Case| {
        case.game
            .request_leave(&case.voters[2], Some(2_500_000))
            .unwrap();
    };
    assert_eq!(eligible_after(part), [4, 7_500_000]);
}

/// A slash takes a node below its role's minimum: it can't vote, so none of its stake counts.
#[test]
fn open_audit_counts_no_node_below_its_minimum_as_eligible() {
    for (stake, eligible) in [(1_249_999, [5, 8_500_000]), (1_249_998, [4, 7_500_000])] {
        let counted = [rules(), by_stake()].map(|rules| {
            let mut case = Case::submitted(RulesArgs {
                malice_bps: 2_000,
                ..rules
            });
            case.game.warp(START + 2);
            let other = case.game.worker(stake);
            case.game.warp(START + 3);
            case.game.submit_work(&other, 0).unwrap();
            case.game
                .open_audit(&case.initiator, &other, 0, MALICE)
                .unwrap();
            let audit = case.game.audit(&other, 0, 0);
            for voter in &case.voters {
                case.game.cast_vote(voter, &audit, MALICE).unwrap();
            }
            case.game.warp(ROUND_1);
            case.game.resolve_audit(&audit).unwrap();
            case.game.warp(ROUND_1 + 1);
            case.game.submit_work(&case.accused, 1).unwrap();
            case.game
                .open_audit(&case.initiator, &case.accused, 1, MALICE)
                .unwrap();
            let audit = case.game.audit(&case.accused, 1, 0);
            case.game.get::<Audit>(&audit).eligible_weight()
        });
        assert_eq!(counted, eligible, "{stake}");
    }
}

#[test]
fn open_audit_counts_bonds_and_deposits_as_eligible() {
    let mut game = Game::new(RulesArgs {
        commit_slots: 50,
        reveal_slots: 150,
        ..by_stake()
    });
    let workers = [game.worker(1_000_000), game.worker(1_000_000)];
    let witnesses = [game.witness(2_000_000), game.witness(2_000_000)];
    game.warp(START + 1);
    for worker in &workers {
        game.submit_work(worker, 0).unwrap();
    }
    game.open_audit(&witnesses[0], &workers[0], 0, MALICE)
        .unwrap();
    let first = game.audit(&workers[0], 0, 0);
    game.commit_vote(&witnesses[1], &first, 0, [1; 32]).unwrap();
    game.open_audit(&witnesses[1], &workers[1], 0, MALICE)
        .unwrap();
    let second = game.get::<Audit>(&game.audit(&workers[1], 0, 0));
    assert_eq!(second.eligible_weight(), 5_000_000);
}

// The accused's stake can't vote, so it is not eligible, whatever the accused did with it: else it could put the quorum out of
// reach.

/// What is eligible besides the accused, after it did `before` and `after` in the slot of its submission.
fn eligible_when_the_accused(
    before: impl Fn(&mut Game, &Actor),
    after: impl Fn(&mut Game, &Actor),
) -> u64 {
    let mut game = Game::new(by_stake());
    let (accused, initiator) = (game.worker(4_000_000), game.witness(2_000_000));
    game.warp(START + 1);
    before(&mut game, &accused);
    game.submit_work(&accused, 0).unwrap();
    after(&mut game, &accused);
    game.open_audit(&initiator, &accused, 0, MALICE).unwrap();
    game.get::<Audit>(&game.audit(&accused, 0, 0))
        .eligible_weight()
}

fn nothing(_: &mut Game, _: &Actor) {}

fn adds(game: &mut Game, accused: &Actor) {
    game.add_stake(accused, 50_000_000).unwrap();
}

fn leaves_and_stays(game: &mut Game, accused: &Actor) {
    game.request_leave(accused, None).unwrap();
    game.cancel_leave(accused).unwrap();
}

#[test]
fn open_audit_counts_no_stake_of_the_accused_as_eligible() {
    assert_eq!(eligible_when_the_accused(nothing, nothing), 2_000_000);
}

#[test]
fn open_audit_counts_no_stake_that_the_accused_added_before_its_submission_as_eligible() {
    assert_eq!(eligible_when_the_accused(adds, nothing), 2_000_000);
}

#[test]
fn open_audit_counts_no_stake_that_the_accused_added_after_its_submission_as_eligible() {
    assert_eq!(eligible_when_the_accused(nothing, adds), 2_000_000);
}

#[test]
fn open_audit_counts_no_stake_that_the_accused_took_back_before_its_submission_as_eligible() {
    assert_eq!(
        eligible_when_the_accused(leaves_and_stays, nothing),
        2_000_000
    );
}

#[test]
fn open_audit_counts_no_stake_that_the_accused_took_back_after_its_submission_as_eligible() {
    assert_eq!(
        eligible_when_the_accused(nothing, leaves_and_stays),
        2_000_000
    );
}

/// The accused accused another worker, before its submission or after it.
#[test]
fn open_audit_counts_no_bond_of_the_accused_as_eligible() {
    for accuses_first in [true, false] {
        let mut game = Game::new(by_stake());
        let (accused, other) = (game.worker(4_000_000), game.worker(1_000_000));
        let initiator = game.witness(2_000_000);
        game.warp(START + 1);
        game.submit_work(&other, 0).unwrap();
        if accuses_first {
            game.open_audit(&accused, &other, 0, MALICE).unwrap();
            game.submit_work(&accused, 0).unwrap();
        } else {
            game.submit_work(&accused, 0).unwrap();
            game.open_audit(&accused, &other, 0, MALICE).unwrap();
        }
        assert_eq!(game.node(&accused).bonds.get(), 200_000);
        game.open_audit(&initiator, &accused, 0, MALICE).unwrap();
        let audit = game.get::<Audit>(&game.audit(&accused, 0, 0));
        assert_eq!(audit.eligible_weight(), 3_000_000);
    }
}

#[test]
fn open_audit_counts_no_stake_of_an_accused_that_joined_in_the_submissions_slot_as_eligible() {
    let mut game = Game::new(by_stake());
    let initiator = game.witness(2_000_000);
    game.warp(START + 1);
    let accused = game.worker(50_000_000);
    game.submit_work(&accused, 0).unwrap();
    game.open_audit(&initiator, &accused, 0, MALICE).unwrap();
    let audit = game.get::<Audit>(&game.audit(&accused, 0, 0));
    assert_eq!(audit.eligible_weight(), 2_000_000);
}

// Accounts.

#[test]
fn open_audit_at_a_prefunded_address_passes() {
    let mut case = Case::submitted(rules());
    case.game.prefund(&case.next());
    case.open().unwrap();
    assert_eq!(case.game.get::<Audit>(&case.audit()).outcome, Outcome::Open);
}

#[test]
fn open_audit_of_oneself_fails() {
    let mut case = Case::submitted(rules());
    let accused = case.game.here(&case.accused);
    assert_eq!(
        failure(case.open_by(&accused)),
        InstructionError::Custom(2040)
    );
}

#[test]
fn open_audit_with_one_account_in_two_places_fails() {
    let mut case = Case::submitted(rules());
    let submission = case.game.submission(&case.accused, 0);
    for (place, repeated) in [
        (case.game.task, submission),
        (submission, case.accused.node),
        (case.accused.node, case.initiator.node),
        (case.initiator.node, case.next()),
        (case.next(), submission),
    ] {
        let sent = case.send(swap(case.open_ix(), &place, &repeated));
        assert_eq!(failure(sent), InstructionError::Custom(2040));
    }
}

#[test]
fn open_audit_by_another_key_than_the_operator_fails() {
    let mut case = Case::submitted(rules());
    let operator = case.initiator.operator.pubkey();
    let others = [
        case.initiator.owner.insecure_clone(),
        case.accused.operator.insecure_clone(),
        case.game.creator.insecure_clone(),
    ];
    for other in others {
        let open = swap(case.open_ix(), &operator, &other.pubkey());
        refused(case.game.send(&[open], &[&other]), TaskError::NotOperator);
    }
}

#[test]
fn open_audit_without_the_operators_signature_fails() {
    let mut case = Case::submitted(rules());
    let open = unsigned(case.open_ix(), &case.initiator.operator.pubkey());
    let anyone = case.game.creator.insecure_clone();
    assert_eq!(
        failure(case.game.send(&[open], &[&anyone])),
        InstructionError::MissingRequiredSignature
    );
}

#[test]
fn open_audit_by_a_replaced_operator_fails() {
    let mut case = Case::submitted(rules());
    let new = key(&mut case.game.svm);
    case.game
        .set_operator(&case.initiator, new.pubkey())
        .unwrap();
    refused(case.open(), TaskError::NotOperator);
    case.initiator.operator = new;
    case.open().unwrap();
}

#[test]
fn open_audit_against_another_node_than_the_submissions_fails() {
    let mut case = Case::submitted(rules());
    let open = swap(case.open_ix(), &case.accused.node, &case.voters[0].node);
    refused(case.send(open), TaskError::WrongNode);
}

#[test]
fn open_audit_with_accused_and_initiator_swapped_fails() {
    let mut case = Case::submitted(rules());
    let mut open = case.open_ix();
    open.accounts[0].pubkey = case.accused.operator.pubkey();
    open.accounts[1].pubkey = case.accused.operator.pubkey();
    open.accounts[5].pubkey = case.initiator.node;
    open.accounts[6].pubkey = case.accused.node;
    let submission = case.game.submission(&case.accused, 0);
    open.accounts[7].pubkey = audit_address(&submission, &case.accused.owner.pubkey(), 0);
    let operator = case.accused.operator.insecure_clone();
    refused(case.game.send(&[open], &[&operator]), TaskError::WrongNode);
}

#[test]
fn open_audit_with_another_nodes_submission_fails() {
    let mut case = Case::submitted(rules());
    let other = case.game.worker(1_000_000);
    case.game.submit_work(&other, 0).unwrap();
    let mut open = case.game.open_audit_ix(&case.initiator, &other, 0, MALICE);
    open = swap(open, &other.node, &case.accused.node);
    refused(case.send(open), TaskError::WrongNode);
}

#[test]
fn open_audit_with_another_tasks_account_fails() {
    let (mut case, [accused, initiator]) = two_tasks();
    let open = case.open_ix();
    let other_task = task_address(&case.game.creator.pubkey(), 1);
    let other_submission = submission_address(&other_task, 0, &accused.owner.pubkey());
    let submission = case.game.submission(&case.accused, 0);

    let with_task = swap(open.clone(), &case.game.task, &other_task);
    refused(case.send(with_task), TaskError::WrongTask);
    let with_submission = swap(
        swap(open.clone(), &submission, &other_submission),
        &case.next(),
        &audit_address(&other_submission, &case.initiator.owner.pubkey(), 0),
    );
    refused(case.send(with_submission), TaskError::WrongTask);
    let with_accused = swap(open.clone(), &case.accused.node, &accused.node);
    refused(case.send(with_accused), TaskError::WrongTask);
    let with_initiator = swap(open, &case.initiator.node, &initiator.node);
    refused(case.send(with_initiator), TaskError::WrongTask);
    case.open().unwrap();
}

#[test]
fn open_audit_at_another_address_fails() {
    let mut case = Case::submitted(rules());
    let submission = case.game.submission(&case.accused, 0);
    let next_round = submission_address(&case.game.task, 1, &case.accused.owner.pubkey());
    let [own, hot, others] = [
        case.initiator.owner.pubkey(),
        case.initiator.operator.pubkey(),
        case.voters[0].owner.pubkey(),
    ];
    for other in [
        audit_address(&submission, &own, 1),
        audit_address(&submission, &others, 0),
        audit_address(&submission, &hot, 0),
        audit_address(&next_round, &own, 0),
        vote_address(&submission, &own),
    ] {
        let open = swap(case.open_ix(), &case.next(), &other);
        assert_eq!(failure(case.send(open)), InstructionError::InvalidSeeds);
    }
    case.open().unwrap();
    // Neither at the address of the first.
    let first = audit_address(&submission, &own, 0);
    let open = swap(case.open_ix(), &case.next(), &first);
    assert_eq!(failure(case.send(open)), InstructionError::InvalidSeeds);
}

#[test]
fn open_audit_with_a_forged_account_fails() {
    let mut case = Case::submitted(rules());
    for real in [
        case.game.task,
        case.game.submission(&case.accused, 0),
        case.accused.node,
        case.initiator.node,
    ] {
        let forged = case.game.forge(&real);
        let sent = case.send(swap(case.open_ix(), &real, &forged));
        assert_eq!(failure(sent), InstructionError::IllegalOwner);
    }
}

#[test]
fn open_audit_with_an_account_of_another_kind_fails() {
    let mut case = Case::submitted(rules());
    for real in [
        case.game.task,
        case.game.submission(&case.accused, 0),
        case.accused.node,
        case.initiator.node,
    ] {
        let disguised = case.game.disguise(&real);
        let sent = case.send(swap(case.open_ix(), &real, &disguised));
        assert_eq!(failure(sent), InstructionError::InvalidAccountData);
    }
}

#[test]
fn open_audit_with_another_system_program_fails() {
    let mut case = Case::submitted(rules());
    let sent = case.send(swap(case.open_ix(), &SYSTEM, &TOKEN));
    assert_eq!(failure(sent), InstructionError::IncorrectProgramId);
}

#[test]
fn open_audit_with_an_account_that_cannot_be_written_fails() {
    let mut case = Case::submitted(rules());
    for place in [
        case.game.submission(&case.accused, 0),
        case.accused.node,
        case.initiator.node,
    ] {
        let sent = case.send(readonly(case.open_ix(), &place));
        assert_eq!(failure(sent), InstructionError::Custom(2000));
    }
    let sent = case.send(readonly(case.open_ix(), &case.next()));
    assert_eq!(failure(sent), InstructionError::Custom(2000));
}

// The round.

#[test]
fn open_audit_counts_in_the_round_and_holds_the_initiator() {
    let mut case = Case::submitted(rules());
    let round = round_address(&case.game.task, 0);
    assert_eq!(case.game.get::<Round>(&round).open_audits.get(), 0);
    case.open().unwrap();
    assert_eq!(case.game.get::<Round>(&round).open_audits.get(), 1);
    let submission: Submission = case.game.get(&case.game.submission(&case.accused, 0));
    assert_eq!(
        (submission.audits.get(), submission.live_audits.get()),
        (1, 1)
    );
    assert_eq!(case.game.node(&case.initiator).live.get(), 1);
    // The submission's.
    assert_eq!(case.game.node(&case.accused).live.get(), 1);
}

#[test]
fn open_audit_of_committed_votes_has_a_commit_and_a_reveal_window() {
    let mut case = Case::submitted(RulesArgs {
        commit_slots: 50,
        reveal_slots: 150,
        ..rules()
    });
    case.game.warp(START + 7);
    case.open().unwrap();
    let audit = case.game.get::<Audit>(&case.audit());
    assert_eq!(
        [audit.open_slot, audit.reveal_slot, audit.end_slot].map(|slot| slot.get()),
        [START + 7, START + 57, START + 207]
    );
}

#[test]
fn open_audit_in_another_round_than_the_submissions_fails() {
    let mut case = Case::submitted(RulesArgs {
        // Work of round 0 can still be audited when round 1 takes work.
        round_slots: 600,
        audit_slots: 520,
        reveal_slots: 80,
        leave_delay_slots: 1_000,
        ..rules()
    });
    case.game.warp(START + 600);
    case.game.submit_work(&case.accused, 1).unwrap();
    let [own, next] = [0, 1].map(|number| round_address(&case.game.task, number));
    let open = swap(case.open_ix(), &own, &next);
    refused(case.send(open), TaskError::WrongRound);
    case.open().unwrap();
}

#[test]
fn open_audit_in_another_tasks_round_fails() {
    let (mut case, _) = two_tasks();
    let other_task = task_address(&case.game.creator.pubkey(), 1);
    let own = round_address(&case.game.task, 0);
    let open = swap(case.open_ix(), &own, &round_address(&other_task, 0));
    refused(case.send(open), TaskError::WrongTask);
}

#[test]
fn open_audit_with_a_round_that_is_none_fails() {
    let mut case = Case::submitted(rules());
    let round = round_address(&case.game.task, 0);
    let (forged, disguised) = (case.game.forge(&round), case.game.disguise(&round));
    let submission = case.game.submission(&case.accused, 0);
    for (other, error) in [
        (forged, InstructionError::IllegalOwner),
        (disguised, InstructionError::InvalidAccountData),
        (submission, InstructionError::Custom(2040)),
        (case.accused.node, InstructionError::Custom(2040)),
    ] {
        let sent = case.send(swap(case.open_ix(), &round, &other));
        assert_eq!(failure(sent), error);
    }
    let sent = case.send(readonly(case.open_ix(), &round));
    assert_eq!(failure(sent), InstructionError::Custom(2000));
}

// Pause and gate.

#[test]
fn open_audit_in_a_paused_task_fails() {
    let mut case = Case::submitted(rules());
    case.game.pause_task().unwrap();
    refused(case.open(), TaskError::TaskPaused);
    case.game.resume_task().unwrap();
    case.open().unwrap();
}

/// More in `gates.rs`.
#[test]
fn open_audit_without_what_the_gate_asks_for_fails() {
    let mut game = Game::new(RulesArgs {
        witness_gate: gate(GateKind::Allowlist, Default::default(), 0, 0),
        ..rules()
    });
    let accused = game.worker(4_000_000);
    let mut initiator = game.stranger();
    let owner = initiator.owner.pubkey();
    game.allow_node(1, &owner).unwrap();
    let entry = allow_address(&game.task, 1, &owner);
    initiator.gate_proof = Some(entry);
    game.join_task(&initiator, 1, 2_000_000).unwrap();
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    initiator.gate_proof = None;
    let sent = game.open_audit(&initiator, &accused, 0, MALICE);
    refused(sent, TaskError::GateClosed);
    initiator.gate_proof = Some(entry);
    game.open_audit(&initiator, &accused, 0, MALICE).unwrap();
}

// Panels and evidence.

/// The hash of the secret and the slot of the draw, and no window more than without.
#[test]
fn open_audit_with_a_panel_keeps_the_secrets_hash() {
    for (rules, draw) in [(rules(), 0), (appealable(), 0), (panelled(), START + 13)] {
        let window = rules.reveal_slots;
        let mut case = Case::submitted(rules);
        case.game.warp(START + 5);
        let event = AuditOpened {
            task: case.game.task,
            submission: case.game.submission(&case.accused, 0),
            audit: case.next(),
            initiator: case.initiator.owner.pubkey(),
            accused: case.accused.owner.pubkey(),
            accusation: MALICE,
            index: 0,
            bond: 200_000,
            weight: 2_000_000,
            accused_stake: 4_000_000,
            draw_slot: draw,
            end_slot: START + 5 + window,
            evidence_hash: [0; 32],
            evidence_uri: String::new(),
            slot: START + 5,
        };
        logged(case.open(), &event);
        let audit = case.audit_of(0);
        assert_eq!(audit.draw_slot.get(), draw);
        let hash = if draw > 0 {
            sha256(&[&SECRET])
        } else {
            [0; 32]
        };
        assert_eq!(audit.secret_hash, hash, "none where there is no panel");
        assert_eq!((audit.seed, audit.evidence_hash), ([0; 32], [0; 32]));
        assert_eq!(audit.appellant, Address::default());
        assert_eq!(audit.appeal_slot.get(), 0);
        assert_eq!(audit.first_outcome, Outcome::Open);
        assert_eq!(case.game.node(&case.accused).risk.get(), 2_000_000);
    }
}

fn with_data(rules: RulesArgs, secret_hash: [u8; 32], hash: [u8; 32], uri: &str) -> (Case, Sent) {
    use anchor_lang::InstructionData;
    let mut case = Case::submitted(rules);
    let mut open = case.open_ix();
    open.data = securing_tasks::instruction::OpenAudit {
        accusation: MALICE,
        secret_hash,
        evidence_hash: hash,
        evidence_uri: uri.into(),
    }
    .data();
    let sent = case.send(open);
    (case, sent)
}

#[test]
fn open_audit_with_a_panel_and_no_secrets_hash_fails() {
    let (_, sent) = with_data(panelled(), [0; 32], [0; 32], "");
    refused(sent, TaskError::SecretHashMissing);
    for byte in [0, 31] {
        let mut hash = [0; 32];
        hash[byte] = 1;
        with_data(panelled(), hash, [0; 32], "").1.unwrap();
    }
    with_data(appealable(), [0; 32], [0; 32], "").1.unwrap();
}

#[test]
fn open_audit_keeps_the_evidences_hash_and_tells_its_uri() {
    for uri in ["", "ipfs://evidence", &"x".repeat(128)] {
        let (case, sent) = with_data(rules(), [0; 32], [3; 32], uri);
        let event = AuditOpened {
            task: case.game.task,
            submission: case.game.submission(&case.accused, 0),
            audit: case.audit(),
            initiator: case.initiator.owner.pubkey(),
            accused: case.accused.owner.pubkey(),
            accusation: MALICE,
            index: 0,
            bond: 200_000,
            weight: 2_000_000,
            accused_stake: 4_000_000,
            draw_slot: 0,
            end_slot: START + 201,
            evidence_hash: [3; 32],
            evidence_uri: uri.into(),
            slot: START + 1,
        };
        logged(sent, &event);
        assert_eq!(case.audit_of(0).evidence_hash, [3; 32]);
    }
}

#[test]
fn open_audit_with_an_evidence_uri_of_129_bytes_fails() {
    for hash in [[3; 32], [0; 32]] {
        let (_, sent) = with_data(rules(), [0; 32], hash, &"x".repeat(129));
        refused(sent, TaskError::UriTooLong);
    }
    // Bytes, not letters.
    let (_, sent) = with_data(rules(), [0; 32], [3; 32], &"é".repeat(65));
    refused(sent, TaskError::UriTooLong);
}

#[test]
fn open_audit_with_an_evidence_uri_and_no_hash_fails() {
    for uri in ["x", &"x".repeat(128)] {
        let (_, sent) = with_data(rules(), [0; 32], [0; 32], uri);
        refused(sent, TaskError::EvidenceHashMissing);
    }
}

/// A graver verdict counts from the same whole: the risk is of the stake that was there before.
#[test]
fn open_audit_raises_the_risk_to_the_worst_of_all() {
    let mut case = Case::submitted(rules());
    case.open().unwrap();
    case.game.add_stake(&case.accused, 1_000_000).unwrap();
    case.open_by(&case.game.here(&case.voters[0])).unwrap();
    assert_eq!(case.game.node(&case.accused).risk.get(), 2_500_000);
    assert_eq!(case.game.node(&case.accused).open_audits.get(), 2);
}

// Who pays.

#[test]
fn open_audit_paid_by_another_costs_the_operator_no_lamport() {
    let mut case = Case::submitted(rules());
    let (sponsor, operator) = (
        key(&mut case.game.svm),
        case.initiator.operator.insecure_clone(),
    );
    let mut open = case.open_ix();
    open.accounts[0].pubkey = sponsor.pubkey();
    assert!(!open.accounts[1].is_writable);
    // With nothing at all on it.
    case.game
        .svm
        .set_account(operator.pubkey(), Default::default())
        .unwrap();
    case.game.send(&[open], &[&sponsor, &operator]).unwrap();
    let audit = case.audit();
    assert_eq!(case.audit_of(0).payer, sponsor.pubkey());
    let close = |case: &Case, payer: Address| {
        let mut close = case.game.close_audit_ix(&audit);
        close.accounts.last_mut().unwrap().pubkey = payer;
        close
    };
    case.resolve().unwrap();
    let wrong = close(&case, operator.pubkey());
    refused(case.game.by_anyone(wrong), TaskError::WrongPayer);
    let rent = case.game.svm.get_balance(&audit).unwrap();
    let before = case.game.svm.get_balance(&sponsor.pubkey()).unwrap();
    let right = close(&case, sponsor.pubkey());
    case.game.by_anyone(right).unwrap();
    let after = case.game.svm.get_balance(&sponsor.pubkey()).unwrap();
    assert_eq!(after, before + rent);
}

#[test]
fn open_audit_without_the_payers_or_the_operators_signature_fails() {
    let mut case = Case::submitted(rules());
    let sponsor = key(&mut case.game.svm);
    let operator = case.initiator.operator.insecure_clone();
    let mut open = case.open_ix();
    open.accounts[0].pubkey = sponsor.pubkey();
    let by_sponsor = unsigned(open.clone(), &operator.pubkey());
    let by_operator = unsigned(open, &sponsor.pubkey());
    for sent in [
        case.game.send(&[by_sponsor], &[&sponsor]),
        case.game.send(&[by_operator], &[&operator]),
    ] {
        assert_eq!(failure(sent), InstructionError::MissingRequiredSignature);
    }
}
