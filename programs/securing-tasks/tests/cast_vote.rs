//! `cast_vote`: who may vote, when and with what weight.

mod common;

use anchor_lang::solana_program::instruction::Instruction;
use common::*;
use litesvm::types::FailedTransactionMetadata;
use securing_tasks::{
    events::VoteCast, Audit, Opinion, Role, RulesArgs, Submission, Vote, VoteState, VoteWeight,
};
use solana_signer::Signer;
use solana_transaction::InstructionError;

const VALID: u8 = 0;
const DOWNTIME: u8 = 1;
const MALICE: u8 = 2;

/// The first slot of round 1, when the stake that everyone joined with is not recent any more.
const ROUND_1: u64 = START + 1_000;

type Refusal = Box<FailedTransactionMetadata>;

/// The system program's refusal to make an account that exists.
const IN_USE: InstructionError = InstructionError::Custom(0);

fn audited() -> Case {
    Case::audited(rules(), MALICE)
}

impl Case {
    fn vote_ix(&self) -> Instruction {
        self.game
            .cast_vote_ix(&self.voters[0], &self.audit(), VALID)
    }

    /// The first voter votes.
    fn vote_first(&mut self) -> Sent {
        let audit = self.audit();
        self.game.cast_vote(&self.voters[0], &audit, VALID)
    }

    fn vote_by(&mut self, actor: &Actor) -> Sent {
        let audit = self.audit();
        self.game.cast_vote(actor, &audit, VALID)
    }

    /// One transaction with a changed instruction.
    fn send(&mut self, vote: Instruction) -> Sent {
        let operator = self.voters[0].operator.insecure_clone();
        self.game.send(&[vote], &[&operator])
    }

    fn vote_of(&self, voter: usize) -> Vote {
        let owner = self.voters[voter].owner.pubkey();
        self.game.get(&vote_address(&self.audit(), &owner))
    }
}

/// A worker's submission of round 1 and a witness with 2,000,000 that did something before it and something after it, both in
/// the submission's slot, and then votes. Answers its vote.
fn weight_when_the_voter(
    before: impl Fn(&mut Game, &Actor),
    after: impl Fn(&mut Game, &Actor),
) -> Result<u64, Refusal> {
    let mut game = Game::new(rules());
    let (accused, initiator) = (game.worker(4_000_000), game.witness(2_000_000));
    let voter = game.witness(2_000_000);
    game.warp(ROUND_1);
    before(&mut game, &voter);
    game.submit_work(&accused, 1).unwrap();
    after(&mut game, &voter);
    game.open_audit(&initiator, &accused, 1, MALICE).unwrap();
    let audit = game.audit(&accused, 1, 0);
    game.cast_vote(&voter, &audit, VALID)?;
    let vote: Vote = game.get(&vote_address(&audit, &voter.owner.pubkey()));
    Ok(vote.weight.get())
}

fn nothing(_: &mut Game, _: &Actor) {}

fn adds(game: &mut Game, voter: &Actor) {
    game.add_stake(voter, 300_000).unwrap();
}

fn leaves_in_part(game: &mut Game, voter: &Actor) {
    game.request_leave(voter, Some(800_000)).unwrap();
}

fn leaves(game: &mut Game, voter: &Actor) {
    game.request_leave(voter, None).unwrap();
}

fn stays_after_all(game: &mut Game, voter: &Actor) {
    game.cancel_leave(voter).unwrap();
}

#[test]
fn cast_vote_freezes_weight_and_pledges_nothing() {
    let mut case = audited();
    case.game.warp(START + 10);
    let vote = case.vote_ix();
    let sent = case.send(vote);
    logged(
        sent,
        &VoteCast {
            audit: case.audit(),
            voter: case.voters[0].owner.pubkey(),
            opinion: VALID,
            weight: 1_000_000,
            slot: START + 10,
        },
    );

    let vote = case.vote_of(0);
    assert_eq!(vote.audit, case.audit());
    assert_eq!(vote.owner, case.voters[0].owner.pubkey());
    assert_eq!(vote.payer, case.voters[0].operator.pubkey());
    assert_eq!(vote.commitment, [0; 32]);
    assert_eq!(vote.weight.get(), 1_000_000);
    assert_eq!(vote.opinion, Opinion::Valid);
    assert_eq!(vote.state, VoteState::Revealed);
    let node = case.game.node(&case.voters[0]);
    assert_eq!(
        (node.stake.get(), node.commitments.get(), node.live.get()),
        (1_000_000, 0, 1)
    );
    assert_eq!(case.game.task().electorate.stake.get(), 11_500_000);
}

#[test]
fn cast_vote_counts_nodes_and_stake_of_each_opinion() {
    let mut case = audited();
    case.vote(&[VALID, DOWNTIME, MALICE]);
    let audit = case.game.get::<Audit>(&case.audit());
    assert_eq!(audit.votes.nodes.map(|n| n.get()), [1, 1, 2]);
    assert_eq!(
        audit.votes.stake.map(|s| s.get()),
        [1_000_000, 1_500_000, 5_000_000]
    );
    assert_eq!(audit.unclaimed.get(), 3);
    let opinions = [0, 1, 2].map(|voter| case.vote_of(voter).opinion.0);
    assert_eq!(opinions, [VALID, DOWNTIME, MALICE]);
}

#[test]
fn cast_vote_of_no_opinion_fails() {
    let mut case = audited();
    let audit = case.audit();
    for opinion in [3, u8::MAX] {
        let sent = case.game.cast_vote(&case.voters[0], &audit, opinion);
        refused(sent, TaskError::UnknownVerdict);
    }
}

#[test]
fn cast_vote_in_a_retired_task_passes() {
    let mut case = audited();
    case.game.retire_task().unwrap();
    case.vote_first().unwrap();
}

// The window: from the slot in which the audit opened, for 200 slots.

#[test]
fn cast_vote_in_the_slot_in_which_the_audit_opened_passes() {
    let mut case = audited();
    assert_eq!(case.game.slot(), START + 2);
    case.vote_first().unwrap();
}

#[test]
fn cast_vote_in_the_last_slot_of_the_window_passes() {
    let mut case = audited();
    case.game.warp(START + 201);
    case.vote_first().unwrap();
}

#[test]
fn cast_vote_at_the_windows_end_fails() {
    let mut case = audited();
    case.game.warp(START + 202);
    refused(case.vote_first(), TaskError::VotingClosed);
}

#[test]
fn cast_vote_after_the_audit_is_resolved_fails() {
    let mut case = audited();
    case.resolve().unwrap();
    refused(case.vote_first(), TaskError::VotingClosed);
}

// Who may not vote, and how often.

#[test]
fn cast_vote_by_the_accused_fails() {
    let mut case = audited();
    let accused = case.game.here(&case.accused);
    refused(case.vote_by(&accused), TaskError::AccusedCannotVote);
}

/// One owner has one node in a task, so the accused has no second one to vote with, nor has a voter.
#[test]
fn cast_vote_through_a_second_node_fails_since_there_is_none() {
    let mut case = audited();
    for actor in [&case.accused, &case.voters[0]] {
        for role in [Role::Worker, Role::Witness] {
            let sent = case.game.join_task(actor, role as u8, 1_000_000);
            assert_eq!(failure(sent), IN_USE);
        }
    }
}

#[test]
fn cast_vote_by_the_accuseds_new_operator_fails() {
    let mut case = audited();
    let new = case.voters[0].operator.insecure_clone();
    case.game.set_operator(&case.accused, new.pubkey()).unwrap();
    case.accused.operator = new;
    let accused = case.game.here(&case.accused);
    refused(case.vote_by(&accused), TaskError::AccusedCannotVote);
}

#[test]
fn cast_vote_by_the_initiator_fails() {
    let mut case = audited();
    let initiator = case.game.here(&case.initiator);
    refused(case.vote_by(&initiator), TaskError::InitiatorAlreadyVoted);
}

#[test]
fn cast_vote_twice_fails() {
    let mut case = audited();
    case.vote_first().unwrap();
    let audit = case.audit();
    for opinion in [VALID, MALICE] {
        let sent = case.game.cast_vote(&case.voters[0], &audit, opinion);
        assert_eq!(failure(sent), IN_USE);
    }
}

#[test]
fn cast_vote_again_by_a_new_operator_fails() {
    let mut case = audited();
    case.vote_first().unwrap();
    let new = key(&mut case.game.svm);
    case.game
        .set_operator(&case.voters[0], new.pubkey())
        .unwrap();
    case.voters[0].operator = new;
    assert_eq!(failure(case.vote_first()), IN_USE);
}

#[test]
fn cast_vote_in_the_next_attempt_passes() {
    let mut case = audited();
    case.vote_first().unwrap();
    case.resolve().unwrap();
    case.game
        .open_audit(&case.initiator, &case.accused, 0, MALICE)
        .unwrap();
    let second = case.game.audit(&case.accused, 0, 1);
    case.game
        .cast_vote(&case.voters[0], &second, VALID)
        .unwrap();
}

// Who held stake before the submission, and how much.

#[test]
fn cast_vote_by_a_node_that_joined_one_slot_before_the_submission_passes() {
    let mut case = audited();
    let joined = case.game.node(&case.voters[0]).joined_slot.get();
    let submission = case
        .game
        .get::<Submission>(&case.game.submission(&case.accused, 0));
    assert_eq!(joined + 1, submission.slot.get());
    case.vote_first().unwrap();
}

#[test]
fn cast_vote_by_a_node_that_joined_in_the_submissions_slot_fails() {
    let mut game = Game::new(rules());
    let (accused, initiator) = (game.worker(4_000_000), game.witness(2_000_000));
    game.warp(START + 1);
    let before = game.witness(2_000_000);
    game.submit_work(&accused, 0).unwrap();
    let after = game.witness(2_000_000);
    game.warp(START + 2);
    game.open_audit(&initiator, &accused, 0, MALICE).unwrap();
    let audit = game.audit(&accused, 0, 0);
    for late in [before, after] {
        let sent = game.cast_vote(&late, &audit, VALID);
        refused(sent, TaskError::JoinedAfterSubmission);
    }
}

#[test]
fn cast_vote_by_a_node_that_joined_one_slot_after_the_submission_fails() {
    let mut case = Case::submitted(rules());
    case.game.warp(START + 2);
    let late = case.game.worker(2_000_000);
    case.game
        .open_audit(&case.initiator, &case.accused, 0, MALICE)
        .unwrap();
    refused(case.vote_by(&late), TaskError::JoinedAfterSubmission);
}

#[test]
fn cast_vote_weighs_what_was_held_before_the_submission() {
    assert_eq!(weight_when_the_voter(nothing, nothing).unwrap(), 2_000_000);
    // In the submission's slot, before it or after it, is too late.
    assert_eq!(weight_when_the_voter(adds, nothing).unwrap(), 2_000_000);
    assert_eq!(weight_when_the_voter(nothing, adds).unwrap(), 2_000_000);
}

#[test]
fn cast_vote_weighs_stake_that_came_one_slot_before_the_submission() {
    let mut game = Game::new(rules());
    let (accused, initiator) = (game.worker(4_000_000), game.witness(2_000_000));
    let voter = game.witness(2_000_000);
    game.warp(ROUND_1);
    game.add_stake(&voter, 300_000).unwrap();
    game.warp(ROUND_1 + 1);
    game.submit_work(&accused, 1).unwrap();
    game.open_audit(&initiator, &accused, 1, MALICE).unwrap();
    let audit = game.audit(&accused, 1, 0);
    game.cast_vote(&voter, &audit, VALID).unwrap();
    let vote: Vote = game.get(&vote_address(&audit, &voter.owner.pubkey()));
    assert_eq!(vote.weight.get(), 2_300_000);
}

#[test]
fn cast_vote_weighs_old_stake_that_asked_to_leave_in_or_after_the_submissions_slot() {
    for leave in [leaves_in_part, leaves] {
        assert_eq!(weight_when_the_voter(leave, nothing).unwrap(), 2_000_000);
        assert_eq!(weight_when_the_voter(nothing, leave).unwrap(), 2_000_000);
    }
}

#[test]
fn cast_vote_weighs_stake_that_was_taken_back_like_stake_that_came_then() {
    // In part: what never left still votes.
    assert_eq!(
        weight_when_the_voter(leaves_in_part, stays_after_all).unwrap(),
        1_200_000
    );
    // All: nothing does.
    let refusal = weight_when_the_voter(leaves, stays_after_all).unwrap_err();
    refused(Err(refusal), TaskError::StakeTooRecent);
}

#[test]
fn cast_vote_with_the_minimum_only_since_the_submission_fails() {
    let takes_back_and_adds = |game: &mut Game, voter: &Actor| {
        stays_after_all(game, voter);
        adds(game, voter);
    };
    let refusal = weight_when_the_voter(leaves, takes_back_and_adds).unwrap_err();
    refused(Err(refusal), TaskError::StakeTooRecent);
}

/// What came since leaves first, so what is left is old.
#[test]
fn cast_vote_weighs_the_old_stake_of_a_node_whose_later_stake_left() {
    let adds_and_leaves = |game: &mut Game, voter: &Actor| {
        adds(game, voter);
        game.request_leave(voter, Some(300_000)).unwrap();
    };
    assert_eq!(
        weight_when_the_voter(nothing, adds_and_leaves).unwrap(),
        2_000_000
    );
}

#[test]
fn cast_vote_with_exactly_the_minimum_held_before_passes() {
    let mut case = Case::submitted(RulesArgs {
        witness_min_stake: 1_000_000,
        ..rules()
    });
    case.game
        .open_audit(&case.initiator, &case.accused, 0, MALICE)
        .unwrap();
    case.vote_first().unwrap();
    assert_eq!(case.vote_of(0).weight.get(), 1_000_000);
}

/// An accusation that failed cost one unit of the minimum: it is no bar in cases of earlier work.
#[test]
fn cast_vote_with_less_than_the_minimum_since_a_bond_was_lost_passes() {
    for stake in [500_001, 500_000] {
        let mut case = Case::submitted(RulesArgs {
            initiator_bond: 1,
            ..rules()
        });
        case.game.warp(START + 2);
        let (other, poor) = (case.game.worker(1_000_000), case.game.witness(stake));
        case.game.warp(START + 3);
        case.game.submit_work(&other, 0).unwrap();
        case.game.open_audit(&poor, &other, 0, MALICE).unwrap();
        let audit = case.game.audit(&other, 0, 0);
        for voter in &case.voters {
            case.game.cast_vote(voter, &audit, VALID).unwrap();
        }
        case.game.warp(START + 203);
        case.game.resolve_audit(&audit).unwrap();
        assert_eq!(case.game.node(&poor).stake.get(), stake - 1);
        case.game
            .open_audit(&case.initiator, &other, 0, MALICE)
            .unwrap();
        let audit = case.game.audit(&other, 0, 1);
        case.game.cast_vote(&poor, &audit, VALID).unwrap();
        let vote: Vote = case.game.get(&vote_address(&audit, &poor.owner.pubkey()));
        assert_eq!(vote.weight.get(), stake - 1);
    }
}

/// The weight of a node that joined with 1,000,000 in the submission's slot less `young`, and added 500,000 in that slot.
fn weight_after_joining(young: u64) -> Result<(u64, [u64; 2]), Refusal> {
    let mut game = Game::new(rules());
    let (accused, initiator) = (game.worker(4_000_000), game.witness(2_000_000));
    let submission = ROUND_1 + 50;
    game.warp(submission - young);
    let voter = game.witness(1_000_000);
    game.warp(submission);
    game.submit_work(&accused, 1).unwrap();
    game.add_stake(&voter, 500_000).unwrap();
    game.open_audit(&initiator, &accused, 1, MALICE).unwrap();
    let audit = game.audit(&accused, 1, 0);
    game.cast_vote(&voter, &audit, VALID)?;
    let vote: Vote = game.get(&vote_address(&audit, &voter.owner.pubkey()));
    let arrivals = game.node(&voter).arrivals;
    Ok((
        vote.weight.get(),
        [arrivals[0].amount.get(), arrivals[1].amount.get()],
    ))
}

/// Later stake never makes earlier stake young, whether that is forgotten already or not: it is once submission, audit and reveal
/// windows together have passed, 600 slots, when no open vote can ask about it.
#[test]
fn cast_vote_weighs_stake_by_its_own_age() {
    for young in [601, 600] {
        assert_eq!(
            weight_after_joining(young).unwrap(),
            (1_000_000, [500_000, 0])
        );
    }
    for young in [599, 1] {
        assert_eq!(
            weight_after_joining(young).unwrap(),
            (1_000_000, [1_000_000, 500_000])
        );
    }
}

#[test]
fn cast_vote_weighs_what_is_pledged_to_other_audits() {
    let mut game = Game::new(rules());
    let workers = [game.worker(1_000_000), game.worker(1_000_000)];
    let (initiator, voter) = (game.witness(2_000_000), game.witness(1_000_000));
    game.warp(START + 1);
    for worker in &workers {
        game.submit_work(worker, 0).unwrap();
    }
    for _ in 0..5 {
        game.open_audit(&voter, &workers[0], 0, MALICE).unwrap();
    }
    assert_eq!(game.node(&voter).bonds.get(), 1_000_000);
    game.open_audit(&initiator, &workers[1], 0, MALICE).unwrap();
    let audit = game.audit(&workers[1], 0, 0);
    game.cast_vote(&voter, &audit, VALID).unwrap();
    let vote: Vote = game.get(&vote_address(&audit, &voter.owner.pubkey()));
    assert_eq!(vote.weight.get(), 1_000_000);
}

/// Each audit of one submission has its own votes, also while they are open at once.
#[test]
fn cast_vote_in_audits_side_by_side_passes() {
    let mut case = audited();
    let second = case.game.here(&case.voters[2]);
    case.game
        .open_audit(&second, &case.accused, 0, DOWNTIME)
        .unwrap();
    let [first, second] = [0, 1].map(|attempt| case.game.audit(&case.accused, 0, attempt));
    case.game.cast_vote(&case.voters[0], &first, VALID).unwrap();
    case.game
        .cast_vote(&case.voters[0], &second, DOWNTIME)
        .unwrap();
    // Who opened one votes in the other.
    case.game
        .cast_vote(&case.voters[2], &first, MALICE)
        .unwrap();
    case.game
        .cast_vote(&case.initiator, &second, MALICE)
        .unwrap();
    let votes = [first, second].map(|audit| {
        let audit: Audit = case.game.get(&audit);
        audit.votes.nodes.map(|nodes| nodes.get())
    });
    assert_eq!(votes, [[1, 0, 2], [0, 2, 1]]);
}

#[test]
fn cast_vote_keeps_its_weight_when_the_voter_leaves_later() {
    let mut case = Case::audited(
        RulesArgs {
            vote_weight: VoteWeight::Stake as u8,
            ..rules()
        },
        MALICE,
    );
    case.vote(&[VALID]);
    case.game.request_leave(&case.voters[0], None).unwrap();
    let audit = case.game.get::<Audit>(&case.audit());
    assert_eq!(audit.votes.stake[0].get(), 1_000_000);
    assert_eq!(case.vote_of(0).weight.get(), 1_000_000);
}

// Nothing that may be lost elsewhere keeps a node from voting.

/// Workers of the least stake, each accused by two nodes at once, with malice at all of the stake: everyone votes on everyone else.
#[test]
fn cast_vote_by_accused_nodes_at_their_minimum_passes() {
    let mut game = Game::new(RulesArgs {
        malice_bps: 10_000,
        initiator_bond: 500_000,
        vote_deposit: 500_000,
        ..rules()
    });
    let workers = [(); 3].map(|()| game.worker(1_000_000));
    let attackers = [game.witness(1_500_000), game.witness(1_500_000)];
    game.warp(START + 1);
    for worker in &workers {
        game.submit_work(worker, 0).unwrap();
    }
    for worker in &workers {
        for attacker in &attackers {
            game.open_audit(attacker, worker, 0, MALICE).unwrap();
        }
    }
    for accused in &workers {
        for attempt in 0..2 {
            let audit = game.audit(accused, 0, attempt);
            for voter in &workers {
                let sent = game.cast_vote(voter, &audit, VALID);
                if voter.node == accused.node {
                    refused(sent, TaskError::AccusedCannotVote);
                } else {
                    sent.unwrap();
                }
            }
            let votes = game.get::<Audit>(&audit).votes;
            assert_eq!(votes.stake[0].get(), 2_000_000);
        }
    }
}

/// A witness of the least stake, all of it pledged to own accusations and to commitments.
#[test]
fn cast_vote_without_a_deposit_of_a_node_that_pledged_all_passes() {
    let mut game = Game::new(RulesArgs {
        initiator_bond: 500_000,
        vote_deposit: 500_000,
        ..rules()
    });
    let workers = [game.worker(1_000_000), game.worker(1_000_000)];
    let (voter, initiator) = (game.witness(500_000), game.witness(1_000_000));
    game.warp(START + 1);
    for (worker, initiator) in workers.iter().zip([&voter, &initiator]) {
        game.submit_work(worker, 0).unwrap();
        game.open_audit(initiator, worker, 0, MALICE).unwrap();
    }
    let audit = game.audit(&workers[1], 0, 0);
    game.cast_vote(&voter, &audit, VALID).unwrap();
    let node = game.node(&voter);
    assert_eq!((node.stake.get(), node.bonds.get()), (500_000, 500_000));
    assert_eq!(node.commitments.get(), 0);
}

// Accounts.

#[test]
fn cast_vote_at_a_prefunded_address_passes() {
    let mut case = audited();
    let vote = vote_address(&case.audit(), &case.voters[0].owner.pubkey());
    case.game.prefund(&vote);
    case.vote_first().unwrap();
    assert_eq!(case.vote_of(0).state, VoteState::Revealed);
}

#[test]
fn cast_vote_by_another_key_than_the_operator_fails() {
    let mut case = audited();
    let operator = case.voters[0].operator.pubkey();
    let others = [
        case.voters[0].owner.insecure_clone(),
        case.voters[1].operator.insecure_clone(),
        case.game.creator.insecure_clone(),
    ];
    for other in others {
        let vote = swap(case.vote_ix(), &operator, &other.pubkey());
        refused(case.game.send(&[vote], &[&other]), TaskError::NotOperator);
    }
}

#[test]
fn cast_vote_without_the_operators_signature_fails() {
    let mut case = audited();
    let vote = unsigned(case.vote_ix(), &case.voters[0].operator.pubkey());
    let sent = case.game.send_by_creator(vote);
    assert_eq!(failure(sent), InstructionError::MissingRequiredSignature);
}

#[test]
fn cast_vote_by_a_replaced_operator_fails() {
    let mut case = audited();
    let new = key(&mut case.game.svm);
    case.game
        .set_operator(&case.voters[0], new.pubkey())
        .unwrap();
    refused(case.vote_first(), TaskError::NotOperator);
    case.voters[0].operator = new;
    case.vote_first().unwrap();
}

/// The hot keys of two nodes may be the same: each owner has its own vote.
#[test]
fn cast_vote_by_one_operator_for_two_owners_passes() {
    let mut case = audited();
    let shared = case.voters[1].operator.insecure_clone();
    case.game
        .set_operator(&case.voters[0], shared.pubkey())
        .unwrap();
    case.voters[0].operator = shared;
    case.vote(&[VALID, VALID]);
}

#[test]
fn cast_vote_with_another_tasks_account_fails() {
    let mut case = audited();
    let first = case.game.task;
    let (accused, initiator, voter) = {
        case.game.next_task(1);
        let there = [&case.accused, &case.initiator, &case.voters[0]].map(|a| case.game.here(a));
        let [accused, initiator, voter] = there;
        case.game.join_task(&accused, 0, 4_000_000).unwrap();
        case.game.join_task(&initiator, 1, 2_000_000).unwrap();
        case.game.join_task(&voter, 1, 1_000_000).unwrap();
        (accused, initiator, voter)
    };
    case.game.warp(START + 3);
    case.game.submit_work(&accused, 0).unwrap();
    case.game
        .open_audit(&initiator, &accused, 0, MALICE)
        .unwrap();
    let (other_task, other_audit) = (case.game.task, case.game.audit(&accused, 0, 0));
    case.game.enter(first);

    let with_task = swap(case.vote_ix(), &first, &other_task);
    refused(case.send(with_task), TaskError::WrongTask);
    let with_audit = case.game.cast_vote_ix(&case.voters[0], &other_audit, VALID);
    refused(case.send(with_audit), TaskError::WrongTask);
    let with_node = swap(case.vote_ix(), &case.voters[0].node, &voter.node);
    refused(case.send(with_node), TaskError::WrongTask);
    case.vote_first().unwrap();
}

#[test]
fn cast_vote_at_another_address_fails() {
    let mut case = audited();
    let owner = case.voters[0].owner.pubkey();
    let vote = vote_address(&case.audit(), &owner);
    let next_audit = case.game.next_audit(&case.initiator, &case.accused, 0);
    for other in [
        vote_address(&case.audit(), &case.voters[1].owner.pubkey()),
        vote_address(&case.audit(), &case.voters[0].operator.pubkey()),
        vote_address(&next_audit, &owner),
    ] {
        let sent = case.send(swap(case.vote_ix(), &vote, &other));
        assert_eq!(failure(sent), InstructionError::InvalidSeeds);
    }
}

#[test]
fn cast_vote_with_one_account_in_two_places_fails() {
    let mut case = audited();
    let vote = vote_address(&case.audit(), &case.voters[0].owner.pubkey());
    let (audit, node) = (case.audit(), case.voters[0].node);
    for (place, repeated) in [
        (case.game.task, audit),
        (audit, node),
        (node, vote),
        (vote, audit),
    ] {
        let sent = case.send(swap(case.vote_ix(), &place, &repeated));
        assert_eq!(failure(sent), InstructionError::Custom(2040));
    }
}

#[test]
fn cast_vote_with_a_forged_account_fails() {
    let mut case = audited();
    for real in [case.game.task, case.audit(), case.voters[0].node] {
        let forged = case.game.forge(&real);
        let sent = case.send(swap(case.vote_ix(), &real, &forged));
        assert_eq!(failure(sent), InstructionError::IllegalOwner);
    }
}

#[test]
fn cast_vote_with_an_account_of_another_kind_fails() {
    let mut case = audited();
    for real in [case.game.task, case.audit(), case.voters[0].node] {
        let disguised = case.game.disguise(&real);
        let sent = case.send(swap(case.vote_ix(), &real, &disguised));
        assert_eq!(failure(sent), InstructionError::InvalidAccountData);
    }
}

#[test]
fn cast_vote_with_another_system_program_fails() {
    let mut case = audited();
    let sent = case.send(swap(case.vote_ix(), &SYSTEM, &TOKEN));
    assert_eq!(failure(sent), InstructionError::IncorrectProgramId);
}

#[test]
fn cast_vote_with_an_account_that_cannot_be_written_fails() {
    let mut case = audited();
    for place in [case.audit(), case.voters[0].node] {
        let sent = case.send(readonly(case.vote_ix(), &place));
        assert_eq!(failure(sent), InstructionError::Custom(2000));
    }
    let vote = vote_address(&case.audit(), &case.voters[0].owner.pubkey());
    let sent = case.send(readonly(case.vote_ix(), &vote));
    assert_eq!(failure(sent), InstructionError::Custom(2000));
}

// Panels.

/// The audit opens at `START + 2`, and its panel is drawn from `START + 11` to `START + 265`.
fn by_panel() -> Case {
    Case::audited(panelled(), MALICE)
}

/// Nobody votes before the draw; undrawn after 256 slots, everybody does, whoever would have had a seat.
#[test]
fn cast_vote_before_the_draw_fails_until_there_can_be_none() {
    for slot in [2, 10, 11, 265] {
        let mut case = by_panel();
        let audit = case.audit();
        case.game.warp(START + slot);
        refused(
            case.game.cast_vote(&case.voters[2], &audit, VALID),
            TaskError::PanelNotDrawn,
        );
    }
    for slot in [266, 267, 2 + MIN_PANEL_WINDOW_SLOTS - 1] {
        let mut case = by_panel();
        case.game.warp(START + slot);
        case.vote(&[VALID, MALICE, VALID]);
        let audit = case.game.get::<Audit>(&case.audit());
        assert_eq!(audit.votes.nodes.map(|nodes| nodes.get()), [2, 0, 2]);
    }
    let mut case = by_panel();
    let audit = case.audit();
    case.game.warp(START + 2 + MIN_PANEL_WINDOW_SLOTS);
    refused(
        case.game.cast_vote(&case.voters[2], &audit, VALID),
        TaskError::VotingClosed,
    );
}

/// A panel that is drawn stays one after the 256 slots.
#[test]
fn cast_vote_without_a_seat_fails_in_the_whole_window() {
    let mut case = by_panel();
    let audit = case.audit();
    case.game.warp(START + 11);
    case.game.draw_panel(&audit).unwrap();
    let state: Audit = case.game.get(&audit);
    let stakes = [1_000_000, 1_500_000, 3_000_000];
    let seats: Vec<_> = case
        .voters
        .iter()
        .zip(stakes)
        .map(|(voter, stake)| has_seat(&state, &voter.owner.pubkey(), stake))
        .collect();
    assert!(seats.contains(&true) && seats.contains(&false), "{seats:?}");
    for slot in [11, 266, 2 + MIN_PANEL_WINDOW_SLOTS - 1] {
        case.game.warp(START + slot);
        for (voter, seated) in case.voters.iter().zip(&seats) {
            if !seated {
                refused(
                    case.game.cast_vote(voter, &audit, VALID),
                    TaskError::NotSeated,
                );
            }
        }
    }
    for (voter, seated) in case.voters.iter().zip(&seats) {
        if *seated {
            case.game.cast_vote(voter, &audit, VALID).unwrap();
        }
    }
}

/// A seat is no vote for the accused, the accuser, or who came too late.
#[test]
fn cast_vote_on_a_panel_asks_for_all_else_too() {
    let mut case = by_panel();
    let audit = case.audit();
    case.game.warp(START + 11);
    case.game.draw_panel(&audit).unwrap();
    refused(
        case.game.cast_vote(&case.accused, &audit, VALID),
        TaskError::AccusedCannotVote,
    );
    refused(
        case.game.cast_vote(&case.initiator, &audit, VALID),
        TaskError::InitiatorAlreadyVoted,
    );
    let late = case.game.witness(9_000_000);
    refused(
        case.game.cast_vote(&late, &audit, VALID),
        TaskError::JoinedAfterSubmission,
    );
    // Young stake wins no seat: 1,000,000 of 7,500,000 for three, whatever was added.
    case.game.add_stake(&case.voters[0], 50_000_000).unwrap();
    let seated = has_seat(
        &case.game.get(&audit),
        &case.voters[0].owner.pubkey(),
        1_000_000,
    );
    let sent = case.game.cast_vote(&case.voters[0], &audit, VALID);
    assert_eq!(sent.is_ok(), seated);
}

// Who pays.

#[test]
fn cast_vote_paid_by_another_costs_the_operator_no_lamport() {
    let mut case = audited();
    let audit = case.audit();
    let (sponsor, operator) = (
        key(&mut case.game.svm),
        case.voters[0].operator.insecure_clone(),
    );
    case.game
        .svm
        .set_account(operator.pubkey(), Default::default())
        .unwrap();
    let mut cast = case.game.cast_vote_ix(&case.voters[0], &audit, VALID);
    cast.accounts[0].pubkey = sponsor.pubkey();
    assert!(!cast.accounts[1].is_writable);
    case.game.send(&[cast], &[&sponsor, &operator]).unwrap();
    let vote = vote_address(&audit, &case.voters[0].owner.pubkey());
    assert_eq!(case.game.get::<Vote>(&vote).payer, sponsor.pubkey());

    case.resolve().unwrap();
    case.game.claim_vote(&case.voters[0], &audit).unwrap();
    let mut close = case.game.close_vote_ix(&case.voters[0], &audit);
    refused(case.game.by_anyone(close.clone()), TaskError::WrongPayer);
    close.accounts.last_mut().unwrap().pubkey = sponsor.pubkey();
    let (rent, before) = (
        case.game.svm.get_balance(&vote).unwrap(),
        case.game.svm.get_balance(&sponsor.pubkey()).unwrap(),
    );
    case.game.by_anyone(close).unwrap();
    let after = case.game.svm.get_balance(&sponsor.pubkey()).unwrap();
    assert_eq!(after, before + rent);
}

#[test]
fn cast_vote_without_the_payers_or_the_operators_signature_fails() {
    let mut case = audited();
    let sponsor = key(&mut case.game.svm);
    let operator = case.voters[0].operator.insecure_clone();
    let audit = case.audit();
    let mut cast = case.game.cast_vote_ix(&case.voters[0], &audit, VALID);
    cast.accounts[0].pubkey = sponsor.pubkey();
    let by_sponsor = unsigned(cast.clone(), &operator.pubkey());
    let by_operator = unsigned(cast, &sponsor.pubkey());
    for sent in [
        case.game.send(&[by_sponsor], &[&sponsor]),
        case.game.send(&[by_operator], &[&operator]),
    ] {
        assert_eq!(failure(sent), InstructionError::MissingRequiredSignature);
    }
}
