//! `commit_vote`: a vote that nobody can read yet, by whom, when, and what it pledges.

mod common;

use anchor_lang::{prelude::Address, solana_program::instruction::Instruction};
use common::*;
use securing_tasks::{
    events::VoteCommitted, state::commitment, Audit, Opinion, RulesArgs, Vote, VoteState,
};
use solana_signer::Signer;
use solana_transaction::InstructionError;

const VALID: u8 = 0;
const MALICE: u8 = 2;
const SALT: [u8; 32] = [9; 32];

/// The audit opens at `START + 2`.
const REVEAL_START: u64 = START + 52;
const REVEAL_END: u64 = START + 202;

/// The system program's refusal to make an account that exists.
const IN_USE: InstructionError = InstructionError::Custom(0);

fn secret() -> RulesArgs {
    RulesArgs {
        commit_slots: 50,
        reveal_slots: 150,
        ..rules()
    }
}

fn audited() -> Case {
    Case::audited(secret(), MALICE)
}

impl Case {
    fn commit_ix(&self) -> Instruction {
        self.game
            .commit_vote_ix(&self.voters[0], &self.audit(), [5; 32])
    }

    /// The first voter commits.
    fn commit_first(&mut self) -> Sent {
        let commit = self.commit_ix();
        self.send(commit)
    }

    fn commit_by(&mut self, actor: &Actor) -> Sent {
        let audit = self.audit();
        self.game.commit_vote(actor, &audit, VALID, SALT)
    }

    /// One transaction with a changed instruction.
    fn send(&mut self, commit: Instruction) -> Sent {
        let operator = self.voters[0].operator.insecure_clone();
        self.game.send(&[commit], &[&operator])
    }

    fn vote_of(&self, voter: usize) -> Vote {
        self.game.get(&self.vote_at(voter))
    }

    fn vote_at(&self, voter: usize) -> Address {
        vote_address(&self.audit(), &self.voters[voter].owner.pubkey())
    }
}

#[test]
fn commit_vote_stores_the_commitment_and_pledges_the_deposit() {
    let mut case = audited();
    case.game.warp(START + 10);
    let sent = case.commit_first();
    logged(
        sent,
        &VoteCommitted {
            audit: case.audit(),
            voter: case.voters[0].owner.pubkey(),
            commitment: [5; 32],
            weight: 1_000_000,
            deposit: 50_000,
            slot: START + 10,
        },
    );

    let vote = case.vote_of(0);
    assert_eq!(vote.audit, case.audit());
    assert_eq!(vote.owner, case.voters[0].owner.pubkey());
    assert_eq!(vote.payer, case.voters[0].operator.pubkey());
    assert_eq!(vote.commitment, [5; 32]);
    assert_eq!(vote.weight.get(), 1_000_000);
    assert_eq!(vote.state, VoteState::Committed);
    assert_eq!(vote.opinion, Opinion::Valid);
    let node = case.game.node(&case.voters[0]);
    assert_eq!((node.stake.get(), node.commitments.get()), (1_000_000, 1));
    assert_eq!(node.live.get(), 1);
    assert_eq!(case.game.task().electorate.stake.get(), 11_500_000);
}

#[test]
fn commit_vote_tells_the_tally_nothing() {
    let mut case = audited();
    let before = case.game.get::<Audit>(&case.audit());
    for voter in [0, 1, 2].map(|voter| case.game.here(&case.voters[voter])) {
        case.commit_by(&voter).unwrap();
    }
    let audit = case.game.get::<Audit>(&case.audit());
    assert_eq!(audit.votes, before.votes);
    assert_eq!((audit.unclaimed.get(), audit.live_votes.get()), (3, 3));
}

/// The bytes that every client must make: SHA-256 of 22 bytes of tag, program, audit, voter's owner, verdict and salt, 151 in all.
/// Computed outside: Python's `hashlib.sha256(b"securing-tasks:vote:v1" + base58(program) + b"\xa1"*32 + b"\xb2"*32 +
/// bytes([verdict]) + bytes(range(32)))`.
#[test]
fn commitment_is_the_sha256_of_tag_program_audit_voter_verdict_and_salt() {
    let salt = std::array::from_fn(|at| at as u8);
    let (audit, owner) = (Address::from([0xa1; 32]), Address::from([0xb2; 32]));
    for (opinion, hex) in [
        "ee6fd7bb82c21b9a212d8a7a504f7b5dee067a059aca307abdc1bc67243ed05c",
        "84c48c797328399961308eaa3cf9d707b9439ae0a81cfa4c39d3c4bee96f4928",
        "f5597f74ba6f515f47c5727cefc613a4b09596bda308db5be3f1cdbc406b9733",
    ]
    .iter()
    .enumerate()
    {
        let hash = commitment(&audit, &owner, opinion as u8, &salt);
        let text: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, *hex);
    }
}

#[test]
fn commit_vote_of_zeros_fails() {
    let mut case = audited();
    let audit = case.audit();
    let zeros = case.game.commit_vote_ix(&case.voters[0], &audit, [0; 32]);
    refused(case.send(zeros), TaskError::CommitmentMissing);
    let mut one = [0; 32];
    one[31] = 1;
    let commit = case.game.commit_vote_ix(&case.voters[0], &audit, one);
    case.send(commit).unwrap();
}

#[test]
fn commit_vote_with_cut_data_fails() {
    let mut case = audited();
    let mut commit = case.commit_ix();
    commit.data.pop();
    assert_eq!(
        failure(case.send(commit)),
        InstructionError::InvalidInstructionData
    );
}

// Committed or open, never both.

#[test]
fn commit_vote_where_votes_are_open_fails() {
    let mut case = Case::audited(rules(), MALICE);
    refused(case.commit_first(), TaskError::VotesAreOpen);
}

#[test]
fn cast_vote_where_votes_are_committed_fails_in_every_window() {
    let mut case = audited();
    for slot in [START + 2, REVEAL_START, REVEAL_END] {
        case.game.warp(slot);
        let audit = case.audit();
        let sent = case.game.cast_vote(&case.voters[0], &audit, VALID);
        refused(sent, TaskError::VotesAreCommitted);
    }
}

#[test]
fn commit_vote_twice_fails() {
    let mut case = audited();
    case.commit_first().unwrap();
    assert_eq!(failure(case.commit_first()), IN_USE);
    let voter = case.game.here(&case.voters[0]);
    assert_eq!(failure(case.commit_by(&voter)), IN_USE);
    assert_eq!(case.vote_of(0).commitment, [5; 32]);
}

#[test]
fn commit_vote_again_by_a_new_operator_fails() {
    let mut case = audited();
    case.commit_first().unwrap();
    let new = key(&mut case.game.svm);
    case.game
        .set_operator(&case.voters[0], new.pubkey())
        .unwrap();
    case.voters[0].operator = new;
    assert_eq!(failure(case.commit_first()), IN_USE);
}

#[test]
fn cast_vote_after_a_commitment_fails() {
    let mut case = audited();
    case.commit_first().unwrap();
    let audit = case.audit();
    let sent = case.game.cast_vote(&case.voters[0], &audit, VALID);
    assert_eq!(failure(sent), IN_USE);
}

#[test]
fn commit_vote_after_an_open_vote_fails() {
    let mut case = Case::audited(rules(), MALICE);
    case.vote(&[VALID]);
    assert_eq!(failure(case.commit_first()), IN_USE);
}

/// It binds its owner's name, so that a copy is worth nothing: see `reveal_vote_of_a_copied_commitment_fails`.
#[test]
fn commit_vote_with_anothers_commitment_passes() {
    let mut case = audited();
    let audit = case.audit();
    for voter in 0..2 {
        let operator = case.voters[voter].operator.insecure_clone();
        let commit = case
            .game
            .commit_vote_ix(&case.voters[voter], &audit, [5; 32]);
        case.game.send(&[commit], &[&operator]).unwrap();
    }
}

#[test]
fn commit_vote_in_the_next_attempt_passes() {
    let mut case = audited();
    case.commit_first().unwrap();
    case.resolve().unwrap();
    case.game
        .open_audit(&case.initiator, &case.accused, 0, MALICE)
        .unwrap();
    let second = case.game.audit(&case.accused, 0, 1);
    case.game
        .commit_vote(&case.voters[0], &second, VALID, SALT)
        .unwrap();
    assert_eq!(case.game.node(&case.voters[0]).commitments.get(), 2);
}

// The window: from the slot in which the audit opened, for 50 slots.

#[test]
fn commit_vote_in_the_slot_in_which_the_audit_opened_passes() {
    let mut case = audited();
    assert_eq!(case.game.slot(), START + 2);
    case.commit_first().unwrap();
}

#[test]
fn commit_vote_in_the_last_slot_of_the_window_passes() {
    let mut case = audited();
    case.game.warp(REVEAL_START - 1);
    case.commit_first().unwrap();
}

#[test]
fn commit_vote_in_the_reveal_window_fails() {
    for slot in [REVEAL_START, REVEAL_START + 1, REVEAL_END - 1, REVEAL_END] {
        let mut case = audited();
        case.game.warp(slot);
        refused(case.commit_first(), TaskError::VotingClosed);
    }
}

#[test]
fn commit_vote_after_the_audit_is_resolved_fails() {
    let mut case = audited();
    case.resolve().unwrap();
    refused(case.commit_first(), TaskError::VotingClosed);
}

#[test]
fn commit_vote_windows_follow_each_other_from_the_opening() {
    let case = audited();
    let audit = case.game.get::<Audit>(&case.audit());
    assert_eq!(audit.open_slot.get(), START + 2);
    assert_eq!(audit.reveal_slot.get(), REVEAL_START);
    assert_eq!(audit.end_slot.get(), REVEAL_END);
}

#[test]
fn commit_vote_in_a_window_of_one_slot_passes() {
    let rules = RulesArgs {
        commit_slots: 1,
        ..secret()
    };
    let mut case = Case::audited(rules.clone(), MALICE);
    case.commit_first().unwrap();
    let mut case = Case::audited(rules, MALICE);
    case.game.warp(START + 3);
    refused(case.commit_first(), TaskError::VotingClosed);
}

#[test]
fn commit_vote_in_a_retired_task_passes() {
    let mut case = audited();
    case.game.retire_task().unwrap();
    case.commit_first().unwrap();
}

// Who may: as with open votes.

#[test]
fn commit_vote_by_the_accused_fails() {
    let mut case = audited();
    let accused = case.game.here(&case.accused);
    refused(case.commit_by(&accused), TaskError::AccusedCannotVote);
}

#[test]
fn commit_vote_by_the_initiator_fails() {
    let mut case = audited();
    let initiator = case.game.here(&case.initiator);
    refused(case.commit_by(&initiator), TaskError::InitiatorAlreadyVoted);
}

#[test]
fn commit_vote_by_a_node_that_joined_in_the_submissions_slot_or_later_fails() {
    let mut case = Case::submitted(secret());
    let same = case.game.witness(2_000_000);
    case.game.warp(START + 2);
    let later = case.game.witness(2_000_000);
    case.game
        .open_audit(&case.initiator, &case.accused, 0, MALICE)
        .unwrap();
    for late in [same, later] {
        refused(case.commit_by(&late), TaskError::JoinedAfterSubmission);
    }
}

#[test]
fn commit_vote_by_a_node_that_leaves_with_all_passes_and_by_one_that_took_it_back_fails() {
    let mut case = audited();
    for voter in [0, 1] {
        case.game.request_leave(&case.voters[voter], None).unwrap();
    }
    case.commit_first().unwrap();
    let back = case.game.here(&case.voters[1]);
    case.game.cancel_leave(&back).unwrap();
    refused(case.commit_by(&back), TaskError::StakeTooRecent);
}

// The deposit: pledged without a limit, since any could keep a node from voting.

/// A voter of the least stake, all of it pledged already, whose deposit is all of it too: it commits in twenty audits side by side.
#[test]
fn commit_vote_deposits_over_the_stake_pass() {
    let mut game = Game::new(RulesArgs {
        initiator_bond: 500_000,
        vote_deposit: 500_000,
        ..secret()
    });
    let (accused, other) = (game.worker(1_000_000), game.worker(1_000_000));
    let (initiator, voter) = (game.witness(10_000_000), game.witness(500_000));
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    game.submit_work(&other, 0).unwrap();
    game.open_audit(&voter, &other, 0, MALICE).unwrap();
    for attempt in 0..20 {
        game.open_audit(&initiator, &accused, 0, MALICE).unwrap();
        let audit = game.audit(&accused, 0, attempt);
        game.commit_vote(&voter, &audit, VALID, SALT).unwrap();
        let vote: Vote = game.get(&vote_address(&audit, &voter.owner.pubkey()));
        assert_eq!(vote.weight.get(), 500_000);
    }
    let node = game.node(&voter);
    assert_eq!((node.commitments.get(), node.bonds.get()), (20, 500_000));
    assert_eq!(node.stake.get(), 500_000);
}

/// Malice costs all of the stake, and three audits are open against the voter.
#[test]
fn commit_vote_by_an_accused_node_in_another_audit_passes() {
    let mut game = Game::new(RulesArgs {
        malice_bps: 10_000,
        ..secret()
    });
    let (accused, voter) = (game.worker(1_000_000), game.worker(1_000_000));
    let initiator = game.witness(2_000_000);
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    game.submit_work(&voter, 0).unwrap();
    for _ in 0..3 {
        game.open_audit(&initiator, &voter, 0, MALICE).unwrap();
    }
    game.open_audit(&initiator, &accused, 0, MALICE).unwrap();
    let audit = game.audit(&accused, 0, 0);
    game.commit_vote(&voter, &audit, VALID, SALT).unwrap();
}

/// A deposit of nothing is a commitment all the same.
#[test]
fn commit_vote_without_a_deposit_passes() {
    let mut case = Case::audited(
        RulesArgs {
            vote_deposit: 0,
            ..secret()
        },
        MALICE,
    );
    case.commit_first().unwrap();
    assert_eq!(case.game.node(&case.voters[0]).commitments.get(), 1);
}

// Accounts.

#[test]
fn commit_vote_at_a_prefunded_address_passes() {
    let mut case = audited();
    let vote = case.vote_at(0);
    case.game.prefund(&vote);
    case.commit_first().unwrap();
    assert_eq!(case.vote_of(0).state, VoteState::Committed);
}

#[test]
fn commit_vote_by_another_key_than_the_operator_fails() {
    let mut case = audited();
    let operator = case.voters[0].operator.pubkey();
    for other in [
        case.voters[0].owner.insecure_clone(),
        case.voters[1].operator.insecure_clone(),
        case.game.creator.insecure_clone(),
    ] {
        let commit = swap(case.commit_ix(), &operator, &other.pubkey());
        refused(case.game.send(&[commit], &[&other]), TaskError::NotOperator);
    }
}

#[test]
fn commit_vote_without_the_operators_signature_fails() {
    let mut case = audited();
    let commit = unsigned(case.commit_ix(), &case.voters[0].operator.pubkey());
    let sent = case.game.send_by_creator(commit);
    assert_eq!(failure(sent), InstructionError::MissingRequiredSignature);
}

#[test]
fn commit_vote_by_a_replaced_operator_fails() {
    let mut case = audited();
    let new = key(&mut case.game.svm);
    case.game
        .set_operator(&case.voters[0], new.pubkey())
        .unwrap();
    refused(case.commit_first(), TaskError::NotOperator);
    case.voters[0].operator = new;
    case.commit_first().unwrap();
}

#[test]
fn commit_vote_with_another_tasks_account_fails() {
    let mut case = audited();
    let first = case.game.task;
    case.game.next_task(1);
    let [accused, initiator, voter] =
        [&case.accused, &case.initiator, &case.voters[0]].map(|actor| case.game.here(actor));
    case.game.join_task(&accused, 0, 4_000_000).unwrap();
    case.game.join_task(&initiator, 1, 2_000_000).unwrap();
    case.game.join_task(&voter, 1, 1_000_000).unwrap();
    case.game.warp(START + 3);
    case.game.submit_work(&accused, 0).unwrap();
    case.game
        .open_audit(&initiator, &accused, 0, MALICE)
        .unwrap();
    let (other_task, other_audit) = (case.game.task, case.game.audit(&accused, 0, 0));
    case.game.enter(first);

    let with_task = swap(case.commit_ix(), &first, &other_task);
    let with_audit = case
        .game
        .commit_vote_ix(&case.voters[0], &other_audit, [5; 32]);
    let with_node = swap(case.commit_ix(), &case.voters[0].node, &voter.node);
    for commit in [with_task, with_audit, with_node] {
        refused(case.send(commit), TaskError::WrongTask);
    }
    case.commit_first().unwrap();
}

#[test]
fn commit_vote_at_another_address_fails() {
    let mut case = audited();
    let owner = case.voters[0].owner.pubkey();
    let next_audit = case.game.next_audit(&case.initiator, &case.accused, 0);
    for other in [
        case.vote_at(1),
        vote_address(&case.audit(), &case.voters[0].operator.pubkey()),
        vote_address(&next_audit, &owner),
    ] {
        let sent = case.send(swap(case.commit_ix(), &case.vote_at(0), &other));
        assert_eq!(failure(sent), InstructionError::InvalidSeeds);
    }
}

#[test]
fn commit_vote_with_one_account_in_two_places_fails() {
    let mut case = audited();
    let (task, audit, node, vote) = (
        case.game.task,
        case.audit(),
        case.voters[0].node,
        case.vote_at(0),
    );
    for (place, repeated) in [(task, audit), (audit, node), (node, vote), (vote, audit)] {
        let sent = case.send(swap(case.commit_ix(), &place, &repeated));
        assert_eq!(failure(sent), InstructionError::Custom(2040));
    }
}

#[test]
fn commit_vote_with_a_forged_account_fails() {
    let mut case = audited();
    for real in [case.game.task, case.audit(), case.voters[0].node] {
        let forged = case.game.forge(&real);
        let sent = case.send(swap(case.commit_ix(), &real, &forged));
        assert_eq!(failure(sent), InstructionError::IllegalOwner);
    }
}

#[test]
fn commit_vote_with_an_account_of_another_kind_fails() {
    let mut case = audited();
    for real in [case.game.task, case.audit(), case.voters[0].node] {
        let disguised = case.game.disguise(&real);
        let sent = case.send(swap(case.commit_ix(), &real, &disguised));
        assert_eq!(failure(sent), InstructionError::InvalidAccountData);
    }
}

#[test]
fn commit_vote_with_another_system_program_fails() {
    let mut case = audited();
    let sent = case.send(swap(case.commit_ix(), &SYSTEM, &TOKEN));
    assert_eq!(failure(sent), InstructionError::IncorrectProgramId);
}

#[test]
fn commit_vote_with_an_account_that_cannot_be_written_fails() {
    let mut case = audited();
    for place in [case.audit(), case.voters[0].node] {
        let sent = case.send(readonly(case.commit_ix(), &place));
        assert_eq!(failure(sent), InstructionError::Custom(2000));
    }
    let sent = case.send(readonly(case.commit_ix(), &case.vote_at(0)));
    assert_eq!(failure(sent), InstructionError::Custom(2000));
}

// Panels.

/// Commitments come in the window in which the panel is drawn: 528 slots from `START + 2`.
#[test]
fn commit_vote_asks_for_the_draw_and_for_a_seat() {
    let rules = RulesArgs {
        commit_slots: MIN_PANEL_WINDOW_SLOTS,
        reveal_slots: 150,
        ..panelled()
    };
    let salt = [9; 32];
    for drawn in [false, true] {
        let mut case = Case::audited(rules.clone(), MALICE);
        let audit = case.audit();
        for slot in [2, 10, 11] {
            case.game.warp(START + slot);
            for voter in &case.voters {
                refused(
                    case.game.commit_vote(voter, &audit, VALID, salt),
                    TaskError::PanelNotDrawn,
                );
            }
        }
        if drawn {
            case.game.draw_panel(&audit).unwrap();
        } else {
            case.game.warp(START + 266);
        }
        let state: Audit = case.game.get(&audit);
        for (voter, stake) in case.voters.iter().zip([1_000_000, 1_500_000, 3_000_000]) {
            let sent = case.game.commit_vote(voter, &audit, VALID, salt);
            if drawn && !has_seat(&state, &voter.owner.pubkey(), stake) {
                refused(sent, TaskError::NotSeated);
                // And pledges nothing.
                assert_eq!(case.game.node(voter).commitments.get(), 0);
            } else {
                sent.unwrap();
            }
        }
    }
}

#[test]
fn commit_vote_paid_by_another_costs_the_operator_no_lamport() {
    let mut case = audited();
    let (sponsor, operator) = (
        key(&mut case.game.svm),
        case.voters[0].operator.insecure_clone(),
    );
    case.game
        .svm
        .set_account(operator.pubkey(), Default::default())
        .unwrap();
    let mut commit = case.commit_ix();
    commit.accounts[0].pubkey = sponsor.pubkey();
    let alone = unsigned(commit.clone(), &operator.pubkey());
    assert_eq!(
        failure(case.game.send(&[alone], &[&sponsor])),
        InstructionError::MissingRequiredSignature
    );
    case.game.send(&[commit], &[&sponsor, &operator]).unwrap();
    let vote = vote_address(&case.audit(), &case.voters[0].owner.pubkey());
    assert_eq!(case.game.get::<Vote>(&vote).payer, sponsor.pubkey());
    assert!(!case.game.get::<Vote>(&vote).on_appeal.get());
}
