//! `resolve_audit`: when, with what outcome, and who gets and loses what, to the unit.

mod common;

use anchor_lang::{prelude::Address, solana_program::instruction::Instruction};
use common::*;
use securing_tasks::{
    events::AuditResolved, Audit, Outcome, RewardRule, RulesArgs, Submission, SubmissionStatus,
    VoteWeight,
};
use solana_signer::Signer;
use solana_transaction::InstructionError;

const VALID: u8 = 0;
const DOWNTIME: u8 = 1;
const MALICE: u8 = 2;
/// In place of an opinion: no vote.
const ABSENT: u8 = 9;

fn by_stake() -> RulesArgs {
    RulesArgs {
        vote_weight: VoteWeight::Stake as u8,
        ..rules()
    }
}

fn for_the_majority(rules: RulesArgs) -> RulesArgs {
    RulesArgs {
        reward_rule: RewardRule::Majority as u8,
        ..rules
    }
}

/// The standard case after its votes, at the slot of `resolve_audit`. Stakes: accused 4,000,000; initiator 2,000,000; voters
/// 1,000,000, 1,500,000 and 3,000,000.
fn voted(rules: RulesArgs, accusation: u8, opinions: &[u8]) -> Case {
    let mut case = Case::audited(rules, accusation);
    let audit = case.audit();
    for (voter, opinion) in case.voters.iter().zip(opinions) {
        if *opinion != ABSENT {
            case.game.cast_vote(voter, &audit, *opinion).unwrap();
        }
    }
    case.game.warp(case.end());
    case
}

fn resolved(rules: RulesArgs, accusation: u8, opinions: &[u8]) -> Case {
    let mut case = voted(rules, accusation, opinions);
    case.resolve().unwrap();
    case
}

impl Case {
    fn resolve_ix(&self) -> Instruction {
        self.game.resolve_audit_ix(&self.audit())
    }

    /// Resolves in the slot that it is.
    fn resolve_now(&mut self) -> Sent {
        let audit = self.audit();
        self.game.resolve_audit(&audit)
    }

    fn state(&self) -> Audit {
        self.game.get(&self.audit())
    }

    fn submission(&self) -> Submission {
        self.game.get(&self.game.submission(&self.accused, 0))
    }

    /// Stake, leaving, lent, and locked shares.
    fn money(&self, actor: &Actor) -> [u64; 4] {
        let node = self.game.node(actor);
        [node.stake, node.leaving, node.lent, node.locked].map(|amount| amount.get())
    }

    /// Votes on the side that won and on the other.
    fn votes_of(&self, actor: &Actor) -> [u32; 2] {
        let node = self.game.node(actor);
        [node.votes_with_majority, node.votes_against_majority].map(|votes| votes.get())
    }

    fn event(&self, outcome: Outcome) -> AuditResolved {
        AuditResolved {
            task: self.game.task,
            audit: self.audit(),
            initiator: self.initiator.owner.pubkey(),
            accused: self.accused.owner.pubkey(),
            outcome: outcome as u8,
            slash: 0,
            bond_returned: 0,
            initiator_award: 0,
            accused_award: 0,
            pool_award: 0,
            voters_pot: 0,
            slot: self.game.slot(),
        }
    }
}

// When.

#[test]
fn resolve_audit_one_slot_early_fails() {
    let mut case = Case::audited(rules(), MALICE);
    case.vote(&[MALICE, MALICE]);
    assert_eq!(case.end(), START + 202);
    case.game.warp(START + 201);
    refused(case.resolve_now(), TaskError::VotingOpen);
}

#[test]
fn resolve_audit_at_the_windows_end_passes() {
    let mut case = Case::audited(rules(), MALICE);
    case.game.warp(START + 202);
    case.resolve_now().unwrap();
}

#[test]
fn resolve_audit_long_after_the_end_passes() {
    let mut case = voted(rules(), MALICE, &[MALICE, MALICE]);
    case.game.warp(START + 1_000_000);
    case.resolve_now().unwrap();
    assert_eq!(case.state().outcome, Outcome::ConvictedMalice);
}

#[test]
fn resolve_audit_twice_fails() {
    for opinions in [[MALICE, MALICE], [VALID, VALID], [ABSENT, ABSENT]] {
        let mut case = resolved(rules(), MALICE, &opinions);
        refused(case.resolve(), TaskError::AlreadyResolved);
    }
}

#[test]
fn resolve_audit_by_the_accused_passes() {
    let mut case = voted(rules(), MALICE, &[VALID, VALID]);
    let anyone = case.accused.operator.insecure_clone();
    let resolve = case.resolve_ix();
    case.game.send(&[resolve], &[&anyone]).unwrap();
}

#[test]
fn resolve_audit_of_a_retired_task_passes() {
    let mut case = voted(rules(), MALICE, &[MALICE, MALICE]);
    case.game.retire_task().unwrap();
    case.resolve().unwrap();
    assert_eq!(case.game.task().pool.get(), 200_000);
}

// The outcome.

#[test]
fn resolve_audit_outcomes_by_node() {
    use Outcome::*;
    for (accusation, opinions, outcome) in [
        (MALICE, [MALICE, MALICE, MALICE], ConvictedMalice),
        (MALICE, [MALICE, MALICE, VALID], ConvictedMalice),
        (MALICE, [MALICE, DOWNTIME, ABSENT], ConvictedMalice),
        (DOWNTIME, [MALICE, MALICE, ABSENT], ConvictedMalice),
        // Guilty, but malice has no more than half.
        (MALICE, [MALICE, DOWNTIME, DOWNTIME], ConvictedDowntime),
        (MALICE, [MALICE, DOWNTIME, VALID], ConvictedDowntime),
        (MALICE, [DOWNTIME, DOWNTIME, ABSENT], ConvictedDowntime),
        (MALICE, [DOWNTIME, VALID, ABSENT], ConvictedDowntime),
        (DOWNTIME, [MALICE, VALID, ABSENT], ConvictedDowntime),
        (DOWNTIME, [MALICE, MALICE, DOWNTIME], ConvictedDowntime),
        (DOWNTIME, [DOWNTIME, DOWNTIME, DOWNTIME], ConvictedDowntime),
        // Half is no majority.
        (MALICE, [MALICE, VALID, VALID], NoVerdict),
        (MALICE, [DOWNTIME, VALID, VALID], NoVerdict),
        (DOWNTIME, [DOWNTIME, VALID, VALID], NoVerdict),
        (MALICE, [VALID, VALID, VALID], Acquitted),
        (MALICE, [VALID, VALID, ABSENT], Acquitted),
        (DOWNTIME, [VALID, ABSENT, VALID], Acquitted),
        // Two votes are asked for besides the initiator's.
        (MALICE, [MALICE, ABSENT, ABSENT], NoVerdict),
        (MALICE, [ABSENT, VALID, ABSENT], NoVerdict),
        (MALICE, [ABSENT, ABSENT, ABSENT], NoVerdict),
    ] {
        let case = resolved(rules(), accusation, &opinions);
        assert_eq!(
            case.state().outcome,
            outcome,
            "{accusation} against {opinions:?}"
        );
    }
}

/// The initiator weighs 2,000,000, the voters 1,000,000, 1,500,000 and 3,000,000.
#[test]
fn resolve_audit_outcomes_by_stake() {
    use Outcome::*;
    for (accusation, opinions, outcome) in [
        (MALICE, [MALICE, MALICE, VALID], ConvictedMalice),
        (MALICE, [VALID, VALID, MALICE], ConvictedMalice),
        (MALICE, [MALICE, DOWNTIME, ABSENT], ConvictedMalice),
        (MALICE, [DOWNTIME, DOWNTIME, VALID], ConvictedDowntime),
        (MALICE, [DOWNTIME, VALID, ABSENT], ConvictedDowntime),
        (MALICE, [MALICE, ABSENT, DOWNTIME], ConvictedDowntime),
        (MALICE, [MALICE, ABSENT, VALID], NoVerdict),
        (DOWNTIME, [MALICE, ABSENT, VALID], NoVerdict),
        (MALICE, [MALICE, VALID, VALID], Acquitted),
        (MALICE, [VALID, MALICE, VALID], Acquitted),
        (MALICE, [ABSENT, ABSENT, VALID], NoVerdict),
    ] {
        let case = resolved(by_stake(), accusation, &opinions);
        assert_eq!(
            case.state().outcome,
            outcome,
            "{accusation} against {opinions:?}"
        );
    }
}

#[test]
fn resolve_audit_with_exactly_the_quorum_of_votes_decides() {
    for quorum_votes in [1, 2, 3] {
        let rules = RulesArgs {
            quorum_votes,
            ..rules()
        };
        let mut opinions = [ABSENT; 3];
        opinions[..quorum_votes as usize].fill(MALICE);
        let case = resolved(rules.clone(), MALICE, &opinions);
        assert_eq!(case.state().outcome, Outcome::ConvictedMalice);

        opinions[quorum_votes as usize - 1] = ABSENT;
        let thin = resolved(rules, MALICE, &opinions);
        assert_eq!(thin.state().outcome, Outcome::NoVerdict);
    }
}

/// 4,500,000 of 7,500,000 that could vote: 60 %.
#[test]
fn resolve_audit_with_exactly_the_quorum_of_stake_decides() {
    for rules in [rules(), by_stake()] {
        for (quorum_bps, outcome) in [
            (6_000, Outcome::ConvictedMalice),
            (6_001, Outcome::NoVerdict),
        ] {
            let rules = RulesArgs {
                quorum_bps,
                ..rules.clone()
            };
            let case = resolved(rules, MALICE, &[MALICE, MALICE]);
            assert_eq!(case.state().outcome, outcome);
        }
    }
}

/// 60 % of 7,500,001 are 4,500,000.6: one unit under it is too little.
#[test]
fn resolve_audit_rounds_the_quorum_of_stake_up() {
    for (voter, absent, outcome) in [
        (2_500_000, 3_000_001, Outcome::NoVerdict),
        (2_500_001, 3_000_000, Outcome::Acquitted),
    ] {
        let mut game = Game::new(RulesArgs {
            quorum_votes: 1,
            quorum_bps: 6_000,
            ..by_stake()
        });
        let (accused, initiator) = (game.worker(4_000_000), game.witness(2_000_000));
        let voter = game.witness(voter);
        game.witness(absent);
        game.warp(START + 1);
        game.submit_work(&accused, 0).unwrap();
        game.open_audit(&initiator, &accused, 0, MALICE).unwrap();
        let audit = game.audit(&accused, 0, 0);
        game.cast_vote(&voter, &audit, VALID).unwrap();
        game.warp(START + 201);
        game.resolve_audit(&audit).unwrap();
        assert_eq!(game.get::<Audit>(&audit).outcome, outcome);
    }
}

/// Everyone votes against a worker that asked to leave and stayed after all, which costs it nothing.
#[test]
fn resolve_audit_convicts_an_accused_that_left_and_stayed() {
    let mut case = Case::submitted(RulesArgs {
        quorum_bps: 6_600,
        ..by_stake()
    });
    case.game.request_leave(&case.accused, None).unwrap();
    case.game.cancel_leave(&case.accused).unwrap();
    case.game
        .open_audit(&case.initiator, &case.accused, 0, MALICE)
        .unwrap();
    case.vote(&[MALICE, MALICE, MALICE]);
    case.resolve().unwrap();
    assert_eq!(case.state().outcome, Outcome::ConvictedMalice);
}

// No verdict.

#[test]
fn resolve_audit_without_verdict_returns_the_bond_and_clears_nothing() {
    for opinions in [[ABSENT, ABSENT, ABSENT], [MALICE, VALID, VALID]] {
        let mut case = voted(rules(), MALICE, &opinions);
        let sent = case.resolve();
        logged(
            sent,
            &AuditResolved {
                bond_returned: 200_000,
                ..case.event(Outcome::NoVerdict)
            },
        );
        assert_eq!(case.money(&case.initiator), [2_000_000, 0, 0, 0]);
        assert_eq!(case.money(&case.accused), [4_000_000, 0, 0, 0]);
        assert_eq!(case.votes_of(&case.initiator), [0, 0]);
        let accused = case.game.node(&case.accused);
        assert_eq!(accused.exposed.get(), 0);
        assert_eq!(accused.open_audits.get(), 0);
        assert_eq!(accused.convictions_malice.get(), 0);
        assert_eq!(case.submission().status, SubmissionStatus::Submitted);
        assert_eq!(case.submission().audits, 1);
        assert_eq!(case.state().voters_pot.get(), 0);
        assert_eq!(case.game.task().pool.get(), 0);
        assert_eq!(case.game.task().active_stake.get(), 11_500_000);
    }
}

// Acquittal. Of the bond of 200,000 the voters get 60 %, what they would have had of a slash.

#[test]
fn resolve_audit_acquittal_splits_the_bond() {
    let mut case = voted(rules(), MALICE, &[VALID, VALID, VALID]);
    let sent = case.resolve();
    logged(
        sent,
        &AuditResolved {
            accused_award: 80_000,
            voters_pot: 120_000,
            ..case.event(Outcome::Acquitted)
        },
    );
    assert_eq!(case.money(&case.initiator), [1_800_000, 0, 0, 0]);
    assert_eq!(case.money(&case.accused), [4_000_000, 0, 0, 80_000]);
    assert_eq!(
        case.game.node(&case.accused).locked_until.get(),
        START + 202 + 600
    );
    assert_eq!(case.votes_of(&case.initiator), [0, 1]);
    assert_eq!(case.game.node(&case.accused).open_audits.get(), 0);
    assert_eq!(case.submission().status, SubmissionStatus::Acquitted);
    let audit = case.state();
    assert_eq!(audit.bond.get(), 0);
    assert_eq!(audit.voters_pot.get(), 120_000);
    assert_eq!(audit.voters_weight.get(), 3);
    assert_eq!(audit.voters_left.get(), 120_000);
    assert_eq!(case.game.task().pool.get(), 0);
    assert_eq!(case.game.task().active_stake.get(), 11_300_000);
}

/// 60 % of 100,001 are 60,000.6: the accused gets what the floor leaves over.
#[test]
fn resolve_audit_acquittal_leaves_the_remainder_to_the_accused() {
    let rules = RulesArgs {
        initiator_bond: 100_001,
        ..rules()
    };
    let case = resolved(rules, MALICE, &[VALID, VALID]);
    assert_eq!(case.money(&case.accused)[3], 40_001);
    assert_eq!(case.state().voters_pot.get(), 60_000);
}

#[test]
fn resolve_audit_acquittal_shares_among_the_voters_that_the_rule_names() {
    let guilty = [MALICE, VALID, VALID];
    for (rules, opinions, weight) in [
        (rules(), [VALID, VALID, VALID], 3),
        (for_the_majority(rules()), [VALID, VALID, VALID], 3),
        (by_stake(), guilty, 5_500_000),
        (for_the_majority(by_stake()), guilty, 4_500_000),
    ] {
        let case = resolved(rules, MALICE, &opinions);
        assert_eq!(case.state().outcome, Outcome::Acquitted);
        assert_eq!(case.state().voters_weight.get(), weight);
    }
}

// Conviction. The slash is half of 4,000,000 for malice, a tenth for downtime: 30 % bonus, 10 % pool, 60 % voters.

#[test]
fn resolve_audit_conviction_for_malice_shares_the_slash() {
    let mut case = voted(rules(), MALICE, &[MALICE, MALICE, VALID]);
    let sent = case.resolve();
    logged(
        sent,
        &AuditResolved {
            slash: 2_000_000,
            bond_returned: 200_000,
            // 600,000 and a quarter of 1,200,000.
            initiator_award: 900_000,
            pool_award: 200_000,
            voters_pot: 900_000,
            ..case.event(Outcome::ConvictedMalice)
        },
    );
    assert_eq!(case.money(&case.accused), [2_000_000, 0, 0, 0]);
    assert_eq!(case.money(&case.initiator), [2_000_000, 0, 0, 900_000]);
    assert_eq!(
        case.game.node(&case.initiator).locked_until.get(),
        START + 202 + 600
    );
    assert_eq!(case.votes_of(&case.initiator), [1, 0]);
    let accused = case.game.node(&case.accused);
    assert_eq!(accused.convictions_malice.get(), 1);
    assert_eq!(accused.convictions_downtime.get(), 0);
    assert_eq!(accused.exposed.get(), 0);
    assert_eq!(accused.open_audits.get(), 0);
    assert_eq!(case.submission().status, SubmissionStatus::Convicted);
    let audit = case.state();
    assert_eq!(audit.bond.get(), 0);
    assert_eq!(audit.voters_pot.get(), 1_200_000);
    assert_eq!(audit.voters_weight.get(), 4);
    assert_eq!(audit.voters_left.get(), 900_000);
    assert_eq!(case.game.task().pool.get(), 200_000);
    assert_eq!(case.game.task().active_stake.get(), 9_500_000);
}

#[test]
fn resolve_audit_conviction_for_downtime_slashes_less() {
    let mut case = voted(rules(), MALICE, &[DOWNTIME, DOWNTIME, VALID]);
    let sent = case.resolve();
    logged(
        sent,
        &AuditResolved {
            slash: 400_000,
            bond_returned: 200_000,
            // 120,000 and a quarter of 240,000.
            initiator_award: 180_000,
            pool_award: 40_000,
            voters_pot: 180_000,
            ..case.event(Outcome::ConvictedDowntime)
        },
    );
    assert_eq!(case.money(&case.accused), [3_600_000, 0, 0, 0]);
    let accused = case.game.node(&case.accused);
    assert_eq!(accused.convictions_downtime.get(), 1);
    assert_eq!(accused.convictions_malice.get(), 0);
    assert_eq!(case.votes_of(&case.initiator), [1, 0]);
}

/// The initiator weighs 2,000,000 of 7,500,000, or of the 4,500,000 that say guilty.
#[test]
fn resolve_audit_conviction_shares_among_the_voters_that_the_rule_names() {
    let opinions = [MALICE, MALICE, VALID];
    for (rules, weight, accusation) in [
        (rules(), 4, 300_000),
        (for_the_majority(rules()), 3, 400_000),
        (by_stake(), 7_500_000, 320_000),
        (for_the_majority(by_stake()), 4_500_000, 533_333),
    ] {
        let case = resolved(rules, MALICE, &opinions);
        assert_eq!(case.state().voters_weight.get(), weight);
        assert_eq!(case.state().voters_left.get(), 1_200_000 - accusation);
        assert_eq!(case.money(&case.initiator)[3], 600_000 + accusation);
    }
}

/// Of 1,000,007 half is 500,003.5; of that 30 % are 150,000.9 and 60 % are 300,001.8.
#[test]
fn resolve_audit_leaves_every_remainder_to_the_pool() {
    let mut game = Game::new(rules());
    let (accused, initiator) = (game.worker(1_000_007), game.witness(2_000_000));
    let voters = [game.witness(1_000_000), game.witness(1_000_000)];
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    game.open_audit(&initiator, &accused, 0, MALICE).unwrap();
    let audit = game.audit(&accused, 0, 0);
    for voter in &voters {
        game.cast_vote(voter, &audit, MALICE).unwrap();
    }
    game.warp(START + 201);
    game.resolve_audit(&audit).unwrap();
    assert_eq!(game.node(&accused).stake.get(), 1_000_007 - 500_003);
    assert_eq!(game.node(&initiator).locked.get(), 150_000 + 100_000);
    assert_eq!(game.task().pool.get(), 500_003 - 150_000 - 300_001);
    assert_eq!(
        game.get::<Audit>(&audit).voters_left.get(),
        300_001 - 100_000
    );
}

#[test]
fn resolve_audit_can_slash_everything() {
    let rules = RulesArgs {
        malice_bps: 10_000,
        ..rules()
    };
    let mut case = resolved(rules, MALICE, &[MALICE, MALICE]);
    assert_eq!(case.money(&case.accused), [0, 0, 0, 0]);
    assert_eq!(case.game.task().active_stake.get(), 7_500_000);
    refused(
        case.game.request_leave(&case.accused, None),
        TaskError::AmountZero,
    );
    refused(
        case.game.withdraw(&case.accused),
        TaskError::NothingToWithdraw,
    );
}

#[test]
fn resolve_audit_for_downtime_that_costs_nothing_only_counts() {
    let rules = RulesArgs {
        downtime_bps: 0,
        ..rules()
    };
    let mut case = voted(rules, DOWNTIME, &[DOWNTIME, DOWNTIME]);
    let sent = case.resolve();
    logged(
        sent,
        &AuditResolved {
            bond_returned: 200_000,
            ..case.event(Outcome::ConvictedDowntime)
        },
    );
    assert_eq!(case.money(&case.accused), [4_000_000, 0, 0, 0]);
    assert_eq!(case.money(&case.initiator), [2_000_000, 0, 0, 0]);
    let node = case.game.node(&case.accused);
    assert_eq!(node.convictions_downtime.get(), 1);
    assert_eq!(case.submission().status, SubmissionStatus::Convicted);
    case.claim(2);
    assert_eq!(case.money(&case.voters[0]), [1_000_000, 0, 0, 0]);
    assert_eq!(case.votes_of(&case.voters[0]), [1, 0]);
}

// Leaving while accused.

#[test]
fn resolve_audit_slashes_the_leaving_part_first() {
    let mut case = Case::audited(rules(), MALICE);
    case.game
        .request_leave(&case.accused, Some(1_500_000))
        .unwrap();
    case.vote(&[MALICE, MALICE]);
    case.resolve().unwrap();
    assert_eq!(case.money(&case.accused), [2_000_000, 0, 0, 0]);
    assert_eq!(case.game.node(&case.accused).leave_slot.get(), 0);
    // 11,500,000 without the 1,500,000 that left and 500,000 of the slash.
    assert_eq!(case.game.task().active_stake.get(), 9_500_000);
}

#[test]
fn resolve_audit_leaves_what_is_over_of_the_leaving_part() {
    let mut case = Case::audited(rules(), MALICE);
    case.game
        .request_leave(&case.accused, Some(3_000_000))
        .unwrap();
    case.vote(&[MALICE, MALICE]);
    case.resolve().unwrap();
    assert_eq!(case.money(&case.accused), [2_000_000, 1_000_000, 0, 0]);
    assert_eq!(
        case.game.node(&case.accused).leave_slot.get(),
        START + 2 + 600
    );
    assert_eq!(case.game.task().active_stake.get(), 8_500_000);
}

#[test]
fn resolve_audit_frees_an_accused_that_waited_to_leave() {
    for (opinion, paid) in [(MALICE, 2_000_000), (VALID, 4_000_000)] {
        let mut case = Case::audited(rules(), MALICE);
        case.game.request_leave(&case.accused, None).unwrap();
        case.vote(&[opinion, opinion]);
        case.game.warp(START + 10_000);
        refused(case.game.withdraw(&case.accused), TaskError::NodeAccused);
        case.resolve_now().unwrap();
        case.game.withdraw(&case.accused).unwrap();
        assert_eq!(
            balance(&case.game.svm, &case.accused.wallet),
            WALLET - 4_000_000 + paid
        );
    }
}

/// The bond comes back to where the stake is: what leaves with all takes it along.
#[test]
fn resolve_audit_returns_the_bond_to_stake_that_leaves_with_all() {
    let mut case = Case::audited(rules(), MALICE);
    case.game.request_leave(&case.initiator, None).unwrap();
    assert_eq!(
        case.money(&case.initiator),
        [1_800_000, 1_800_000, 200_000, 0]
    );
    case.resolve().unwrap();
    assert_eq!(case.money(&case.initiator), [2_000_000, 2_000_000, 0, 0]);
    assert_eq!(case.game.task().active_stake.get(), 9_500_000);
    case.game.warp(START + 2 + 600);
    case.game.withdraw(&case.initiator).unwrap();
    assert_eq!(balance(&case.game.svm, &case.initiator.wallet), WALLET);
}

#[test]
fn resolve_audit_returns_the_bond_to_stake_that_stays_in_part() {
    let mut case = Case::audited(rules(), MALICE);
    case.game
        .request_leave(&case.initiator, Some(1_000_000))
        .unwrap();
    case.resolve().unwrap();
    assert_eq!(case.money(&case.initiator), [2_000_000, 1_000_000, 0, 0]);
    assert_eq!(case.game.task().active_stake.get(), 10_500_000);
}

#[test]
fn resolve_audit_returns_the_bond_to_a_node_that_is_gone() {
    let mut case = Case::audited(rules(), MALICE);
    case.game.request_leave(&case.initiator, None).unwrap();
    case.game.warp(START + 2 + 600);
    case.game.withdraw(&case.initiator).unwrap();
    case.resolve_now().unwrap();
    assert_eq!(case.money(&case.initiator), [200_000, 0, 0, 0]);
    case.game.request_leave(&case.initiator, None).unwrap();
    case.game.warp(case.game.slot() + 600);
    case.game.withdraw(&case.initiator).unwrap();
    assert_eq!(balance(&case.game.svm, &case.initiator.wallet), WALLET);
}

/// What an initiator lost is no voting stake any more, however recent it was.
#[test]
fn resolve_audit_acquittal_takes_the_bond_of_an_initiator_that_leaves_with_all() {
    let mut case = Case::audited(rules(), MALICE);
    case.game.request_leave(&case.initiator, None).unwrap();
    case.vote(&[VALID, VALID]);
    case.resolve().unwrap();
    assert_eq!(case.money(&case.initiator), [1_800_000, 1_800_000, 0, 0]);
    assert_eq!(case.game.node(&case.initiator).recent.get(), 0);
    assert_eq!(case.game.task().active_stake.get(), 9_500_000);
}

// Two rounds of one worker under audit at once: nobody resolved the first when the second opened.

/// Three quarters are due for each; resolves in the order given.
fn two_convictions(order: [u64; 2]) -> (Case, [Address; 2]) {
    let mut case = Case::audited(
        RulesArgs {
            malice_bps: 7_500,
            ..rules()
        },
        MALICE,
    );
    case.vote(&[MALICE, MALICE, MALICE]);
    case.game.warp(START + 1_000);
    case.game.submit_work(&case.accused, 1).unwrap();
    case.game
        .open_audit(&case.initiator, &case.accused, 1, MALICE)
        .unwrap();
    let second = case.game.audit(&case.accused, 1, 0);
    for voter in &case.voters {
        case.game.cast_vote(voter, &second, MALICE).unwrap();
    }
    assert_eq!(case.game.node(&case.accused).exposed.get(), 6_000_000);
    case.game.warp(START + 1_200);
    let audits = order.map(|round| case.game.audit(&case.accused, round, 0));
    (case, audits)
}

#[test]
fn resolve_audit_a_second_time_takes_only_what_is_left() {
    for order in [[0, 1], [1, 0]] {
        let (mut case, [first, second]) = two_convictions(order);
        case.game.resolve_audit(&first).unwrap();
        let accused = case.game.node(&case.accused);
        assert_eq!(accused.stake.get(), 1_000_000);
        assert_eq!(accused.exposed.get(), 3_000_000);
        assert_eq!(accused.open_audits.get(), 1);
        // 900,000 and a quarter of 1,800,000.
        assert_eq!(case.money(&case.initiator)[3], 1_350_000);

        let sent = case.game.resolve_audit(&second);
        logged(
            sent,
            &AuditResolved {
                audit: second,
                slash: 1_000_000,
                bond_returned: 200_000,
                // 300,000 and a quarter of 600,000.
                initiator_award: 450_000,
                pool_award: 100_000,
                voters_pot: 450_000,
                ..case.event(Outcome::ConvictedMalice)
            },
        );
        let accused = case.game.node(&case.accused);
        assert_eq!(accused.stake.get(), 0);
        assert_eq!(accused.exposed.get(), 0);
        assert_eq!(accused.open_audits.get(), 0);
        assert_eq!(accused.convictions_malice.get(), 2);
        let initiator = case.game.node(&case.initiator);
        assert_eq!(initiator.locked.get(), 1_350_000);
        assert_eq!(initiator.locked_next.get(), 450_000);
    }
}

#[test]
fn resolve_audit_of_one_round_leaves_the_accused_locked_by_the_other() {
    let (mut case, [first, second]) = two_convictions([0, 1]);
    case.game.request_leave(&case.accused, None).unwrap();
    case.game.warp(START + 5_000);
    case.game.resolve_audit(&first).unwrap();
    refused(case.game.withdraw(&case.accused), TaskError::NodeAccused);
    case.game.resolve_audit(&second).unwrap();
    refused(
        case.game.withdraw(&case.accused),
        TaskError::NothingToWithdraw,
    );
}

// Accounts.

#[test]
fn resolve_audit_with_another_submission_fails() {
    let mut case = voted(rules(), MALICE, &[MALICE, MALICE]);
    let other = case.game.worker(1_000_000);
    case.game.warp(START + 1_000);
    case.game.submit_work(&case.accused, 1).unwrap();
    case.game.submit_work(&other, 1).unwrap();
    let submission = case.game.submission(&case.accused, 0);
    for wrong in [
        case.game.submission(&case.accused, 1),
        case.game.submission(&other, 1),
    ] {
        let resolve = swap(case.resolve_ix(), &submission, &wrong);
        refused(
            case.game.send_by_creator(resolve),
            TaskError::WrongSubmission,
        );
    }
}

#[test]
fn resolve_audit_with_another_node_fails() {
    let mut case = voted(rules(), MALICE, &[MALICE, MALICE]);
    for place in [case.accused.node, case.initiator.node] {
        let resolve = swap(case.resolve_ix(), &place, &case.voters[0].node);
        refused(case.game.send_by_creator(resolve), TaskError::WrongNode);
    }
}

#[test]
fn resolve_audit_with_accused_and_initiator_swapped_fails() {
    let mut case = voted(rules(), MALICE, &[MALICE, MALICE]);
    let mut resolve = case.resolve_ix();
    resolve.accounts[4].pubkey = case.initiator.node;
    resolve.accounts[5].pubkey = case.accused.node;
    refused(case.game.send_by_creator(resolve), TaskError::WrongNode);
}

#[test]
fn resolve_audit_with_another_tasks_account_fails() {
    let mut case = voted(rules(), MALICE, &[MALICE, MALICE]);
    let first = case.game.task;
    case.game.next_task(1);
    let [accused, initiator, voter] =
        [&case.accused, &case.initiator, &case.voters[0]].map(|actor| case.game.here(actor));
    case.game.join_task(&accused, 0, 4_000_000).unwrap();
    case.game.join_task(&initiator, 1, 2_000_000).unwrap();
    case.game.join_task(&voter, 1, 2_000_000).unwrap();
    case.game.warp(case.game.slot() + 1);
    case.game.submit_work(&accused, 0).unwrap();
    case.game
        .open_audit(&initiator, &accused, 0, MALICE)
        .unwrap();
    case.game.warp(case.game.slot() + 200);
    let (other_task, other_audit) = (case.game.task, case.game.audit(&accused, 0, 0));
    case.game.enter(first);

    let with_task = swap(case.resolve_ix(), &first, &other_task);
    // Its nodes are of the task played, its submission is its own.
    let with_audit = case.game.resolve_audit_ix(&other_audit);
    let with_accused = swap(case.resolve_ix(), &case.accused.node, &accused.node);
    let with_initiator = swap(case.resolve_ix(), &case.initiator.node, &initiator.node);
    for resolve in [with_task, with_audit, with_accused, with_initiator] {
        refused(case.game.send_by_creator(resolve), TaskError::WrongTask);
    }
    case.resolve_now().unwrap();
}

#[test]
fn resolve_audit_with_one_account_in_two_places_fails() {
    let mut case = voted(rules(), MALICE, &[MALICE, MALICE]);
    let submission = case.game.submission(&case.accused, 0);
    for (place, repeated) in [
        (case.game.task, case.audit()),
        (case.audit(), submission),
        (submission, case.accused.node),
        (case.accused.node, case.initiator.node),
        (case.initiator.node, case.accused.node),
    ] {
        let resolve = swap(case.resolve_ix(), &place, &repeated);
        let sent = case.game.send_by_creator(resolve);
        assert_eq!(failure(sent), InstructionError::Custom(2040));
    }
}

fn accounts_of(case: &Case) -> [Address; 5] {
    [
        case.game.task,
        case.audit(),
        case.game.submission(&case.accused, 0),
        case.accused.node,
        case.initiator.node,
    ]
}

#[test]
fn resolve_audit_with_a_forged_account_fails() {
    let mut case = voted(rules(), MALICE, &[MALICE, MALICE]);
    for real in accounts_of(&case) {
        let forged = case.game.forge(&real);
        let resolve = swap(case.resolve_ix(), &real, &forged);
        let sent = case.game.send_by_creator(resolve);
        assert_eq!(failure(sent), InstructionError::IllegalOwner);
    }
}

#[test]
fn resolve_audit_with_an_account_of_another_kind_fails() {
    let mut case = voted(rules(), MALICE, &[MALICE, MALICE]);
    for real in accounts_of(&case) {
        let disguised = case.game.disguise(&real);
        let resolve = swap(case.resolve_ix(), &real, &disguised);
        let sent = case.game.send_by_creator(resolve);
        assert_eq!(failure(sent), InstructionError::InvalidAccountData);
    }
}

#[test]
fn resolve_audit_with_an_account_that_cannot_be_written_fails() {
    let mut case = voted(rules(), MALICE, &[MALICE, MALICE]);
    for place in accounts_of(&case) {
        let resolve = readonly(case.resolve_ix(), &place);
        let sent = case.game.send_by_creator(resolve);
        assert_eq!(failure(sent), InstructionError::Custom(2000));
    }
}
