//! `appeal_audit`: when, by whom, out of which stake; and who votes after it.

mod common;

use anchor_lang::{prelude::Address, solana_program::instruction::Instruction};
use common::*;
use securing_tasks::{events::AuditAppealed, Audit, Outcome, RulesArgs, Vote, VoteWeight};
use solana_signer::Signer;
use solana_transaction::InstructionError;

const VALID: u8 = 0;
const DOWNTIME: u8 = 1;
const MALICE: u8 = 2;
const SALT: [u8; 32] = [9; 32];

/// The audit opens at `START + 2`, and its votes last 200 slots.
const END: u64 = START + 202;
/// First slot at which nobody appeals any more.
const APPEAL_END: u64 = END + 200;
const BOND: u64 = 100_000;

fn committed() -> RulesArgs {
    RulesArgs {
        commit_slots: 50,
        reveal_slots: 150,
        ..appealable()
    }
}

/// The standard case after its votes, in the first slot in which it can be appealed.
fn voted(rules: RulesArgs, opinions: &[u8]) -> Case {
    let mut case = Case::audited(rules, MALICE);
    case.vote(opinions);
    case.game.warp(END);
    case
}

impl Case {
    fn appeal_by(&mut self, appellant: &Actor) -> Sent {
        let audit = self.audit();
        self.game.appeal_audit(appellant, &audit)
    }

    /// By the third voter.
    fn appeal(&mut self) -> Sent {
        let appellant = self.game.here(&self.voters[2]);
        self.appeal_by(&appellant)
    }

    fn appeal_ix(&self) -> Instruction {
        self.game.appeal_audit_ix(&self.voters[2], &self.audit())
    }

    fn send(&mut self, appeal: Instruction) -> Sent {
        let operator = self.voters[2].operator.insecure_clone();
        self.game.send(&[appeal], &[&operator])
    }

    fn state(&self) -> Audit {
        self.game.get(&self.audit())
    }

    fn vote_by(&mut self, voter: usize, opinion: u8) -> Sent {
        let audit = self.audit();
        self.game.cast_vote(&self.voters[voter], &audit, opinion)
    }
}

#[test]
fn appeal_audit_sets_new_windows_pledges_the_bond_and_says_so() {
    for (rules, commit) in [(appealable(), 0), (committed(), 50)] {
        let mut case = Case::audited(rules, MALICE);
        case.game.warp(END + 7);
        let (before, node) = (case.state(), case.game.node(&case.voters[2]));
        let slot = END + 7;
        let event = AuditAppealed {
            task: case.game.task,
            audit: case.audit(),
            appellant: case.voters[2].owner.pubkey(),
            bond: BOND,
            first_outcome: Outcome::NoVerdict as u8,
            reveal_slot: slot + commit,
            end_slot: slot + 200,
            slot,
        };
        logged(case.appeal(), &event);

        let mut after = case.state();
        assert_eq!(after.appellant, case.voters[2].owner.pubkey());
        assert_eq!(after.appeal_slot.get(), slot);
        assert_eq!(after.reveal_slot.get(), slot + commit);
        assert_eq!(after.end_slot.get(), slot + 200);
        assert_eq!(after.first_outcome, Outcome::NoVerdict);
        assert_eq!(after.outcome, Outcome::Open);
        // And nothing else.
        after.appellant = before.appellant;
        after.appeal_slot = before.appeal_slot;
        after.reveal_slot = before.reveal_slot;
        after.end_slot = before.end_slot;
        after.first_outcome = before.first_outcome;
        assert!(bytemuck::bytes_of(&after) == bytemuck::bytes_of(&before));

        let mut pledged = case.game.node(&case.voters[2]);
        assert_eq!(
            (pledged.bonds.get(), pledged.live.get()),
            (node.bonds.get() + BOND, node.live.get() + 1)
        );
        assert_eq!(pledged.stake.get(), 3_000_000);
        pledged.bonds = node.bonds;
        pledged.live = node.live;
        assert!(bytemuck::bytes_of(&pledged) == bytemuck::bytes_of(&node));
    }
}

/// The count so far, of everybody or of a panel.
#[test]
fn appeal_audit_keeps_what_the_first_count_said() {
    for (opinions, outcome) in [
        (&[][..], Outcome::NoVerdict),
        (&[VALID, MALICE][..], Outcome::NoVerdict),
        (&[VALID, VALID][..], Outcome::Acquitted),
        (&[DOWNTIME, DOWNTIME][..], Outcome::ConvictedDowntime),
        (&[MALICE, MALICE][..], Outcome::ConvictedMalice),
    ] {
        let mut case = voted(appealable(), opinions);
        case.appeal().unwrap();
        assert_eq!(case.state().first_outcome, outcome, "{opinions:?}");
    }
}

// When.

#[test]
fn appeal_audit_before_the_last_vote_or_after_the_time_for_it_fails() {
    for (slot, passes) in [
        (START + 2, false),
        (END - 1, false),
        (END, true),
        (END + 1, true),
        (APPEAL_END - 1, true),
        (APPEAL_END, false),
        (APPEAL_END + 1, false),
    ] {
        let mut case = Case::audited(appealable(), MALICE);
        case.game.warp(slot);
        let sent = case.appeal();
        if passes {
            sent.unwrap();
        } else {
            refused(sent, TaskError::AppealClosed);
            assert!(!case.state().is_appealed());
        }
    }
}

#[test]
fn appeal_audit_where_there_are_no_appeals_fails() {
    let mut case = Case::audited(rules(), MALICE);
    for slot in [START + 2, END - 1, END] {
        case.game.warp(slot);
        refused(case.appeal(), TaskError::AppealClosed);
    }
}

#[test]
fn appeal_audit_after_the_verdict_fails() {
    let mut case = voted(appealable(), &[MALICE, MALICE]);
    case.game.warp(APPEAL_END);
    case.resolve().unwrap();
    refused(case.appeal(), TaskError::AppealClosed);
}

/// By nobody, at no time: not in the new windows, and not in what would be the time after them.
#[test]
fn appeal_audit_twice_fails() {
    let mut case = voted(appealable(), &[MALICE, MALICE]);
    case.appeal().unwrap();
    let other = case.game.here(&case.voters[0]);
    for slot in [END, END + 100, END + 200, END + 399] {
        case.game.warp(slot);
        refused(case.appeal(), TaskError::AlreadyAppealed);
        refused(case.appeal_by(&other), TaskError::AlreadyAppealed);
    }
    let audit = case.audit();
    case.game.resolve_audit(&audit).unwrap();
    refused(case.appeal(), TaskError::AlreadyAppealed);
}

#[test]
fn appeal_audit_in_a_paused_or_retired_task_passes() {
    let mut case = voted(appealable(), &[]);
    case.game.pause_task().unwrap();
    case.appeal().unwrap();
    let mut case = voted(appealable(), &[]);
    case.game.retire_task().unwrap();
    case.appeal().unwrap();
}

// By whom.

/// Who voted and who didn't, the accused, the initiator, a worker, who joins in the same slot, who leaves with all.
#[test]
fn appeal_audit_by_any_node_of_the_task_passes() {
    for place in 0..6 {
        let mut case = voted(appealable(), &[MALICE]);
        let appellant = match place {
            0 => case.game.here(&case.voters[0]),
            1 => case.game.here(&case.voters[1]),
            2 => case.game.here(&case.accused),
            3 => case.game.here(&case.initiator),
            4 => case.game.worker(1_000_000),
            _ => {
                case.game.request_leave(&case.voters[2], None).unwrap();
                case.game.here(&case.voters[2])
            }
        };
        case.appeal_by(&appellant).unwrap();
        assert_eq!(case.state().appellant, appellant.owner.pubkey());
        case.resolve().unwrap();
        assert_eq!(case.game.node(&appellant).bonds.get(), 0);
    }
}

#[test]
fn appeal_audit_by_another_key_than_the_operator_fails() {
    let mut case = voted(appealable(), &[]);
    let operator = case.voters[2].operator.pubkey();
    for other in [
        case.voters[2].owner.insecure_clone(),
        case.voters[1].operator.insecure_clone(),
        case.game.creator.insecure_clone(),
    ] {
        let appeal = swap(case.appeal_ix(), &operator, &other.pubkey());
        refused(case.game.send(&[appeal], &[&other]), TaskError::NotOperator);
    }
    // A replaced one neither.
    case.game
        .set_operator(&case.voters[2], case.initiator.operator.pubkey())
        .unwrap();
    refused(case.appeal(), TaskError::NotOperator);
}

#[test]
fn appeal_audit_without_the_operators_signature_fails() {
    let mut case = voted(appealable(), &[]);
    let appeal = unsigned(case.appeal_ix(), &case.voters[2].operator.pubkey());
    let sent = case.game.send_by_creator(appeal);
    assert_eq!(failure(sent), InstructionError::MissingRequiredSignature);
}

/// Attack: a node of a task in which stake is worth nothing.
#[test]
fn appeal_audit_with_another_tasks_account_fails() {
    let mut case = voted(appealable(), &[]);
    let (first, audit) = (case.game.task, case.audit());
    case.game.next_task(1);
    let second = case.game.task;
    let elsewhere = case.game.here(&case.voters[2]);
    case.game.join_task(&elsewhere, 1, 1_000_000).unwrap();
    case.game.enter(first);
    for (from, to) in [(case.voters[2].node, elsewhere.node), (first, second)] {
        let appeal = swap(case.appeal_ix(), &from, &to);
        refused(case.send(appeal), TaskError::WrongTask);
    }
    // And the first one's audit, with all else of the second.
    case.game.enter(second);
    refused(
        case.game.appeal_audit(&elsewhere, &audit),
        TaskError::WrongTask,
    );
}

fn accounts_of(case: &Case) -> [Address; 3] {
    [case.game.task, case.audit(), case.voters[2].node]
}

#[test]
fn appeal_audit_with_one_account_in_two_places_fails() {
    let mut case = voted(appealable(), &[]);
    for place in accounts_of(&case) {
        for other in accounts_of(&case) {
            if place != other {
                let appeal = swap(case.appeal_ix(), &place, &other);
                case.send(appeal).unwrap_err();
            }
        }
    }
}

#[test]
fn appeal_audit_with_a_forged_account_fails() {
    let mut case = voted(appealable(), &[]);
    for place in accounts_of(&case) {
        let forged = case.game.forge(&place);
        let appeal = swap(case.appeal_ix(), &place, &forged);
        assert_eq!(failure(case.send(appeal)), InstructionError::IllegalOwner);
    }
}

#[test]
fn appeal_audit_with_an_account_of_another_kind_fails() {
    let mut case = voted(appealable(), &[]);
    for place in [case.audit(), case.voters[2].node] {
        let disguised = case.game.disguise(&place);
        let appeal = swap(case.appeal_ix(), &place, &disguised);
        assert_eq!(
            failure(case.send(appeal)),
            InstructionError::InvalidAccountData
        );
    }
}

#[test]
fn appeal_audit_with_an_account_that_cannot_be_written_fails() {
    let mut case = voted(appealable(), &[]);
    for place in [case.audit(), case.voters[2].node] {
        let appeal = readonly(case.appeal_ix(), &place);
        assert_eq!(failure(case.send(appeal)), InstructionError::Custom(2000));
    }
}

// Out of which stake.

/// Two accusations at once, and then two appeals: bonds of 600,000 at most out of a stake of that.
#[test]
fn appeal_audit_with_more_pledged_than_the_stake_fails() {
    for (stake, passes) in [(599_999, false), (600_000, true), (600_001, true)] {
        let mut game = Game::new(appealable());
        let [one, two] = [(); 2].map(|()| game.worker(4_000_000));
        let [caller, appellant] = [2_000_000, stake].map(|stake| game.witness(stake));
        game.warp(START + 1);
        for worker in [&one, &two] {
            game.submit_work(worker, 0).unwrap();
        }
        game.open_audit(&caller, &one, 0, MALICE).unwrap();
        game.open_audit(&caller, &two, 0, MALICE).unwrap();
        game.warp(START + 201);
        for worker in [&one, &two] {
            game.open_audit(&appellant, worker, 0, MALICE).unwrap();
        }
        let audits = [&one, &two].map(|worker| game.audit(worker, 0, 0));
        game.appeal_audit(&appellant, &audits[0]).unwrap();
        assert_eq!(game.node(&appellant).bonds.get(), 500_000);
        let sent = game.appeal_audit(&appellant, &audits[1]);
        if passes {
            sent.unwrap();
        } else {
            refused(sent, TaskError::StakePledged);
        }
    }
}

/// Attack: a convict appeals with the stake that he loses anyway. He adds the bond first, to the unit.
#[test]
fn appeal_audit_with_stake_at_risk_fails() {
    for (malice_bps, more, passes) in [
        (10_000, 0, false),
        (10_000, BOND - 1, false),
        (10_000, BOND, true),
        (5_000, 0, true),
        // 3,900,000 of 4,000,000 at risk, and one unit less left.
        (9_750, 0, true),
        (9_751, 0, false),
    ] {
        let rules = RulesArgs {
            malice_bps,
            ..appealable()
        };
        let mut case = voted(rules, &[MALICE, MALICE]);
        if more > 0 {
            case.game.add_stake(&case.accused, more).unwrap();
        }
        let accused = case.game.here(&case.accused);
        let sent = case.appeal_by(&accused);
        if passes {
            sent.unwrap();
            // The slash leaves the bond to be lost.
            case.resolve().unwrap();
            let slash = 4_000_000 * u64::from(malice_bps) / 10_000;
            assert_eq!(
                case.game.node(&case.accused).stake.get(),
                4_000_000 + more - slash - BOND
            );
        } else {
            refused(sent, TaskError::StakeAtRisk);
        }
    }
}

/// Attack: many accusations make the accused's stake stand for as many slashes. Another node appeals then, or the accused adds as much.
#[test]
fn appeal_audit_counts_each_open_audit_as_the_worst() {
    let mut case = Case::audited(appealable(), MALICE);
    case.vote(&[MALICE, MALICE]);
    let friend = case.game.here(&case.voters[2]);
    case.game
        .open_audit(&friend, &case.accused, 0, DOWNTIME)
        .unwrap();
    case.game.warp(END);
    let accused = case.game.here(&case.accused);
    // Two times 2,000,000 and the bond.
    refused(case.appeal_by(&accused), TaskError::StakeAtRisk);
    case.game.add_stake(&accused, BOND - 1).unwrap();
    refused(case.appeal_by(&accused), TaskError::StakeAtRisk);
    let other = case.game.here(&case.voters[0]);
    case.appeal_by(&other).unwrap();
}

/// A node's risk ends with the last audit against it.
#[test]
fn appeal_audit_by_a_node_that_was_accused_before_passes() {
    let mut game = Game::new(RulesArgs {
        malice_bps: 10_000,
        ..appealable()
    });
    let [one, two] = [(); 2].map(|()| game.worker(4_000_000));
    let caller = game.witness(2_000_000);
    game.warp(START + 1);
    for worker in [&one, &two] {
        game.submit_work(worker, 0).unwrap();
    }
    game.open_audit(&caller, &one, 0, MALICE).unwrap();
    game.warp(START + 300);
    game.open_audit(&caller, &two, 0, MALICE).unwrap();
    let [first, second] = [&one, &two].map(|worker| game.audit(worker, 0, 0));
    assert_eq!(game.node(&one).risk.get(), 4_000_000);
    game.warp(START + 500);
    game.resolve_audit(&first).unwrap();
    assert_eq!(game.node(&one).risk.get(), 0);
    game.appeal_audit(&one, &second).unwrap();
}

/// The appellant's bond stays till the verdict, whatever it asks for.
#[test]
fn appeal_audit_keeps_the_bond_in_the_stake() {
    let mut case = voted(appealable(), &[]);
    case.game.request_leave(&case.voters[2], None).unwrap();
    case.appeal().unwrap();
    case.game.warp(END + 1_000);
    let leaver = case.game.here(&case.voters[2]);
    case.game.withdraw(&leaver).unwrap();
    assert_eq!(case.game.node(&leaver).stake.get(), BOND);
    refused(case.game.withdraw(&leaver), TaskError::StakePledged);
    refused(case.game.close_node(&leaver), TaskError::NotEmpty);
    let audit = case.audit();
    case.game.resolve_audit(&audit).unwrap();
    // Nobody voted, as before: the pool has it.
    assert_eq!(case.game.task().pool.get(), BOND);
    case.game.close_node(&leaver).unwrap();
}

// After it.

#[test]
fn appeal_audit_opens_the_votes_once_more() {
    for (slot, passes) in [(END, true), (END + 199, true), (END + 200, false)] {
        let mut case = voted(appealable(), &[MALICE]);
        refused(case.vote_by(1, VALID), TaskError::VotingClosed);
        case.appeal().unwrap();
        case.game.warp(slot);
        let sent = case.vote_by(1, VALID);
        if passes {
            sent.unwrap();
            assert_eq!(
                case.state().votes.nodes.map(|nodes| nodes.get()),
                [1, 0, 2],
                "what is in stays"
            );
            let vote = vote_address(&case.audit(), &case.voters[1].owner.pubkey());
            assert!(case.game.get::<Vote>(&vote).on_appeal.get());
        } else {
            refused(sent, TaskError::VotingClosed);
        }
    }
}

#[test]
fn appeal_audit_gives_nobody_a_second_vote() {
    let mut case = voted(appealable(), &[MALICE]);
    case.appeal().unwrap();
    case.vote_by(0, VALID).unwrap_err();
    let audit = case.audit();
    refused(
        case.game.cast_vote(&case.accused, &audit, VALID),
        TaskError::AccusedCannotVote,
    );
    refused(
        case.game.cast_vote(&case.initiator, &audit, VALID),
        TaskError::InitiatorAlreadyVoted,
    );
    let late = case.game.witness(3_000_000);
    refused(
        case.game.cast_vote(&late, &audit, VALID),
        TaskError::JoinedAfterSubmission,
    );
    assert_eq!(case.state().live_votes.get(), 1);
}

/// Committing till the commit window's end and revealing from there, as in the first windows.
#[test]
fn appeal_audit_opens_both_windows_of_committed_votes() {
    let mut case = Case::audited(committed(), MALICE);
    let audit = case.audit();
    case.game.warp(END + 5);
    case.appeal().unwrap();
    let [first, second, _] = &case.voters;
    case.game.commit_vote(first, &audit, VALID, SALT).unwrap();
    case.game.warp(END + 54);
    case.game.commit_vote(second, &audit, VALID, SALT).unwrap();
    refused(
        case.game.reveal_vote(first, &audit, VALID, SALT),
        TaskError::VotingClosed,
    );
    case.game.warp(END + 55);
    refused(
        case.game.commit_vote(&case.voters[2], &audit, VALID, SALT),
        TaskError::VotingClosed,
    );
    case.game.reveal_vote(first, &audit, VALID, SALT).unwrap();
    case.game.warp(END + 204);
    case.game.reveal_vote(second, &audit, VALID, SALT).unwrap();
    assert_eq!(case.end(), END + 205);
    refused(case.game.resolve_audit(&audit), TaskError::VotingOpen);
    case.resolve().unwrap();
    assert_eq!(case.state().outcome, Outcome::Acquitted);
}

/// Whom the draw left out votes after the appeal, and weighs what the task's rule says.
#[test]
fn appeal_audit_asks_for_no_seat() {
    let mut unseated = 0;
    for secret in 0..6 {
        let mut case = drawn(VoteWeight::Stake, secret);
        let weight = 1_000_000;
        let seated = has_seat(&case.state(), &case.voters[0].owner.pubkey(), weight);
        if seated {
            continue;
        }
        unseated += 1;
        refused(case.vote_by(0, VALID), TaskError::NotSeated);
        case.game.warp(case.state().end_slot.get());
        case.appeal().unwrap();
        case.vote_by(0, VALID).unwrap();
        assert_eq!(case.state().votes.stake[0].get(), weight);
    }
    assert!(unseated > 1);
}

/// An accusation by a secret of its own, and its panel drawn.
fn drawn(weight: VoteWeight, secret: u8) -> Case {
    let mut case = Case::submitted(RulesArgs {
        vote_weight: weight as u8,
        ..panelled()
    });
    case.game
        .accuse_with(&case.initiator, &case.accused, 0, &[secret; 32]);
    case.game.warp(START + 10);
    let audit = case.audit();
    case.game.draw_panel_with(&audit, [secret; 32]).unwrap();
    case
}
