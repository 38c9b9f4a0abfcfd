//! `resolve_audit`: when, with what outcome, and who gets and loses what, to the unit.

mod common;

use anchor_lang::{prelude::Address, solana_program::instruction::Instruction};
use common::*;
use securing_tasks::{
    events::AuditResolved, Audit, Outcome, RewardRule, Round, RulesArgs, Submission,
    SubmissionStatus, VoteWeight,
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

    /// Stake, leaving, bonds, and locked shares.
    fn money(&self, actor: &Actor) -> [u64; 4] {
        let node = self.game.node(actor);
        [node.stake, node.leaving, node.bonds, node.locked].map(|amount| amount.get())
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
            bond_lost: 0,
            appeal_bond_lost: 0,
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
        (DOWNTIME, [MALICE, MALICE, ABSENT], ConvictedMalice),
        // Votes for downtime are none of the two that malice needs.
        (MALICE, [MALICE, DOWNTIME, ABSENT], ConvictedDowntime),
        // Guilty, but malice has no more than half.
        (MALICE, [MALICE, DOWNTIME, DOWNTIME], ConvictedDowntime),
        (MALICE, [MALICE, DOWNTIME, VALID], ConvictedDowntime),
        (MALICE, [DOWNTIME, DOWNTIME, ABSENT], ConvictedDowntime),
        // A vote for valid is none of the two that a conviction needs.
        (MALICE, [MALICE, VALID, ABSENT], NoVerdict),
        (MALICE, [DOWNTIME, VALID, ABSENT], NoVerdict),
        (DOWNTIME, [MALICE, VALID, ABSENT], NoVerdict),
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
        (MALICE, [VALID, VALID, MALICE], NoVerdict),
        (MALICE, [MALICE, DOWNTIME, ABSENT], ConvictedDowntime),
        (MALICE, [DOWNTIME, DOWNTIME, VALID], ConvictedDowntime),
        (MALICE, [DOWNTIME, VALID, ABSENT], NoVerdict),
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

/// Three votes are asked for: a side's own, which malice has for downtime, and nobody else for it.
#[test]
fn resolve_audit_counts_the_quorum_of_votes_on_the_deciding_side_alone() {
    use Outcome::*;
    for (accusation, opinions, outcome) in [
        (MALICE, [MALICE, MALICE, MALICE], ConvictedMalice),
        (MALICE, [MALICE, MALICE, DOWNTIME], ConvictedDowntime),
        (DOWNTIME, [MALICE, MALICE, MALICE], ConvictedMalice),
        (MALICE, [MALICE, MALICE, VALID], NoVerdict),
        (MALICE, [MALICE, MALICE, ABSENT], NoVerdict),
        (DOWNTIME, [DOWNTIME, MALICE, VALID], NoVerdict),
        (MALICE, [VALID, VALID, VALID], Acquitted),
        (MALICE, [VALID, VALID, ABSENT], NoVerdict),
    ] {
        let rules = RulesArgs {
            quorum_votes: 3,
            ..rules()
        };
        let case = resolved(rules, accusation, &opinions);
        assert_eq!(
            case.state().outcome,
            outcome,
            "{accusation} against {opinions:?}"
        );
    }
}

/// An audit by a witness with 2,000,000, decided by these votes (stake and opinion); half of all that could vote is asked for.
fn decided(rules: RulesArgs, accusation: u8, votes: &[(u64, u8)]) -> Outcome {
    let mut game = Game::new(RulesArgs {
        quorum_votes: 1,
        quorum_bps: 5_000,
        ..rules
    });
    let (accused, initiator) = (game.worker(4_000_000), game.witness(2_000_000));
    let voters: Vec<_> = votes
        .iter()
        .map(|(stake, _)| game.witness(*stake))
        .collect();
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    game.open_audit(&initiator, &accused, 0, accusation)
        .unwrap();
    let audit = game.audit(&accused, 0, 0);
    for (voter, (_, opinion)) in voters.iter().zip(votes) {
        if *opinion != ABSENT {
            game.cast_vote(voter, &audit, *opinion).unwrap();
        }
    }
    game.warp(START + 201);
    game.resolve_audit(&audit).unwrap();
    game.get::<Audit>(&audit).outcome.into()
}

/// Who stays away has exactly half of the stake, rounded down, or one unit more.
#[test]
fn resolve_audit_needs_the_quorum_of_stake_on_the_deciding_side() {
    use Outcome::*;
    const VOTE: u64 = 1_000_000;
    for (accusation, votes, absent, met, missed) in [
        (
            MALICE,
            &[(VOTE, MALICE)][..],
            3_000_000,
            ConvictedMalice,
            NoVerdict,
        ),
        (
            DOWNTIME,
            &[(VOTE, DOWNTIME)],
            3_000_000,
            ConvictedDowntime,
            NoVerdict,
        ),
        (
            DOWNTIME,
            &[(VOTE, MALICE)],
            3_000_000,
            ConvictedDowntime,
            NoVerdict,
        ),
        (
            MALICE,
            &[(VOTE, DOWNTIME)],
            3_000_000,
            ConvictedDowntime,
            NoVerdict,
        ),
        (
            MALICE,
            &[(3 * VOTE, VALID)],
            1_000_000,
            Acquitted,
            NoVerdict,
        ),
        // 4,000,000 are told: a vote for valid fills no conviction's quorum, one for guilty no acquittal's.
        (
            MALICE,
            &[(VOTE, MALICE), (VOTE, VALID)],
            2_000_000,
            ConvictedMalice,
            NoVerdict,
        ),
        (
            DOWNTIME,
            &[(VOTE, MALICE), (VOTE, VALID)],
            2_000_000,
            ConvictedDowntime,
            NoVerdict,
        ),
        (
            MALICE,
            &[(VOTE, DOWNTIME), (4 * VOTE, VALID)],
            1_000_000,
            Acquitted,
            NoVerdict,
        ),
        // One for downtime fills downtime's, not malice's.
        (
            MALICE,
            &[(VOTE, MALICE), (VOTE, DOWNTIME)],
            2_000_000,
            ConvictedMalice,
            ConvictedDowntime,
        ),
    ] {
        for (absent, outcome) in [(absent, met), (absent + 1, missed)] {
            let votes = [votes, &[(absent, ABSENT)]].concat();
            assert_eq!(
                decided(by_stake(), accusation, &votes),
                outcome,
                "{accusation} against {votes:?}"
            );
        }
    }
}

/// So many nodes stay away, or one more. Their stake doesn't matter.
#[test]
fn resolve_audit_needs_the_quorum_of_nodes_on_the_deciding_side() {
    use Outcome::*;
    for (accusation, opinions, absent, met, missed) in [
        (MALICE, &[MALICE][..], 2, ConvictedMalice, NoVerdict),
        (DOWNTIME, &[MALICE], 2, ConvictedDowntime, NoVerdict),
        (MALICE, &[VALID, VALID], 1, Acquitted, NoVerdict),
        (MALICE, &[MALICE, VALID], 1, ConvictedMalice, NoVerdict),
        (
            DOWNTIME,
            &[DOWNTIME, VALID],
            1,
            ConvictedDowntime,
            NoVerdict,
        ),
        (
            MALICE,
            &[MALICE, DOWNTIME],
            1,
            ConvictedMalice,
            ConvictedDowntime,
        ),
        (
            MALICE,
            &[DOWNTIME, VALID, VALID, VALID],
            1,
            Acquitted,
            NoVerdict,
        ),
    ] {
        for (absent, outcome) in [(absent, met), (absent + 1, missed)] {
            let mut votes: Vec<_> = opinions.iter().map(|vote| (500_000, *vote)).collect();
            votes.extend(vec![(9_000_000, ABSENT); absent]);
            assert_eq!(
                decided(rules(), accusation, &votes),
                outcome,
                "{accusation} against {votes:?}"
            );
        }
    }
}

/// Coming to vote valid never completes a conviction that staying away would have stopped: half and one that are against it.
#[test]
fn resolve_audit_convicts_nobody_by_the_help_of_votes_for_valid() {
    // A quarter and a bit convicts, a quarter says valid, the rest is away.
    let votes = |opinion| {
        [
            (530_000, MALICE),
            (800_000, opinion),
            (800_000, opinion),
            (800_000, opinion),
            (5_070_000, ABSENT),
        ]
    };
    for opinion in [ABSENT, VALID] {
        assert_eq!(
            decided(by_stake(), MALICE, &votes(opinion)),
            Outcome::NoVerdict
        );
    }
}

/// Everyone votes against a worker that asked to leave and stayed after all, which costs it nothing.
#[test]
fn resolve_audit_convicts_an_accused_that_left_and_stayed() {
    let mut case = Case::submitted(RulesArgs {
        quorum_bps: 5_000,
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
fn resolve_audit_without_verdict_frees_the_bond_and_clears_nothing() {
    for opinions in [[ABSENT, ABSENT, ABSENT], [MALICE, VALID, VALID]] {
        let mut case = voted(rules(), MALICE, &opinions);
        let sent = case.resolve();
        logged(
            sent,
            &AuditResolved {
                ..case.event(Outcome::NoVerdict)
            },
        );
        assert_eq!(case.money(&case.initiator), [2_000_000, 0, 0, 0]);
        assert_eq!(case.money(&case.accused), [4_000_000, 0, 0, 0]);
        assert_eq!(case.votes_of(&case.initiator), [0, 0]);
        let accused = case.game.node(&case.accused);
        assert_eq!(accused.open_audits.get(), 0);
        assert_eq!(accused.convictions_malice.get(), 0);
        assert_eq!(case.submission().status, SubmissionStatus::Submitted);
        let submission = case.submission();
        assert_eq!((submission.audits.get(), submission.decided.get()), (1, 1));
        assert_eq!(submission.slashed.get(), 0);
        assert_eq!(case.state().voters_pot.get(), 0);
        assert_eq!(case.game.task().pool.get(), 0);
        assert_eq!(case.game.task().electorate.stake.get(), 11_500_000);
    }
}

// Acquittal. The bond of 200,000 is shared as a slash is: 30 % to the accused, 10 % to the pool, 60 % to the voters.

#[test]
fn resolve_audit_acquittal_splits_the_bond() {
    let mut case = voted(rules(), MALICE, &[VALID, VALID, VALID]);
    let sent = case.resolve();
    logged(
        sent,
        &AuditResolved {
            bond_lost: 200_000,
            accused_award: 60_000,
            pool_award: 20_000,
            voters_pot: 120_000,
            ..case.event(Outcome::Acquitted)
        },
    );
    assert_eq!(case.money(&case.initiator), [1_800_000, 0, 0, 0]);
    assert_eq!(case.money(&case.accused), [4_000_000, 0, 0, 60_000]);
    assert_eq!(
        case.game.node(&case.accused).locked_until.get(),
        START + 202 + 600
    );
    assert_eq!(case.votes_of(&case.initiator), [0, 1]);
    assert_eq!(case.game.node(&case.accused).open_audits.get(), 0);
    assert_eq!(case.submission().status, SubmissionStatus::Acquitted);
    let audit = case.state();
    assert_eq!(audit.voters_pot.get(), 120_000);
    assert_eq!(audit.voters_weight.get(), 3);
    assert_eq!(audit.voters_left.get(), 120_000);
    assert_eq!(case.game.task().pool.get(), 20_000);
    assert_eq!(case.game.task().electorate.stake.get(), 11_300_000);
}

/// 60 % of 100,001 are 60,000.6, 30 % are 30,000.3: the pool gets what the floors leave over.
#[test]
fn resolve_audit_acquittal_leaves_the_remainder_to_the_pool() {
    let rules = RulesArgs {
        initiator_bond: 100_001,
        ..rules()
    };
    let case = resolved(rules, MALICE, &[VALID, VALID]);
    assert_eq!(case.money(&case.accused)[3], 30_000);
    assert_eq!(case.state().voters_pot.get(), 60_000);
    assert_eq!(case.game.task().pool.get(), 10_001);
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
    assert_eq!(accused.open_audits.get(), 0);
    assert_eq!(case.submission().status, SubmissionStatus::ConvictedMalice);
    assert_eq!(case.submission().slashed.get(), 2_000_000);
    let audit = case.state();
    assert_eq!(audit.voters_pot.get(), 1_200_000);
    assert_eq!(audit.voters_weight.get(), 4);
    assert_eq!(audit.voters_left.get(), 900_000);
    assert_eq!(case.game.task().pool.get(), 200_000);
    assert_eq!(case.game.task().electorate.stake.get(), 9_500_000);
}

#[test]
fn resolve_audit_conviction_for_downtime_slashes_less() {
    let mut case = voted(rules(), MALICE, &[DOWNTIME, DOWNTIME, VALID]);
    let sent = case.resolve();
    logged(
        sent,
        &AuditResolved {
            slash: 400_000,
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

/// What the initiator's accusation has of the voters' part, and the weight that shares it. It weighs 2,000,000 by stake.
#[test]
fn resolve_audit_conviction_shares_among_the_voters_that_the_rule_names() {
    let (all, most) = (rules(), for_the_majority(rules()));
    let (all_stake, most_stake) = (by_stake(), for_the_majority(by_stake()));
    let with_valid = [MALICE, MALICE, VALID];
    // 2,000,000 for malice and 5,500,000 that say less: malice needs more than that, so by node only.
    let with_downtime = [MALICE, MALICE, DOWNTIME];
    for (rules, accusation, opinions, weight, share) in [
        (&all, MALICE, with_valid, 4, 300_000),
        (&most, MALICE, with_valid, 3, 400_000),
        (&all_stake, MALICE, with_valid, 7_500_000, 320_000),
        (&most_stake, MALICE, with_valid, 4_500_000, 533_333),
        // Who said less than malice did not win.
        (&all, MALICE, with_downtime, 4, 300_000),
        (&most, MALICE, with_downtime, 3, 400_000),
        (&most_stake, MALICE, with_downtime, 4_500_000, 533_333),
        // An accusation of less has the bonus, and no voter's share.
        (&all, DOWNTIME, [MALICE; 3], 4, 300_000),
        (&most, DOWNTIME, [MALICE; 3], 3, 0),
        (&all_stake, DOWNTIME, [MALICE; 3], 7_500_000, 320_000),
        (&most_stake, DOWNTIME, [MALICE; 3], 5_500_000, 0),
    ] {
        let case = resolved(rules.clone(), accusation, &opinions);
        assert_eq!(case.state().outcome, Outcome::ConvictedMalice);
        assert_eq!(case.state().voters_weight.get(), weight);
        assert_eq!(case.state().voters_left.get(), 1_200_000 - share);
        assert_eq!(case.money(&case.initiator)[3], 600_000 + share);
        let won = u32::from(accusation == MALICE);
        assert_eq!(case.votes_of(&case.initiator), [won, 1 - won]);
    }
}

/// Of 240,000 for the voters: who said malice won too.
#[test]
fn resolve_audit_conviction_for_downtime_shares_among_all_that_say_guilty() {
    for (rules, accusation, opinions, weight, share) in [
        (rules(), MALICE, [DOWNTIME, DOWNTIME, VALID], 4, 60_000),
        (
            for_the_majority(rules()),
            MALICE,
            [DOWNTIME, DOWNTIME, VALID],
            3,
            80_000,
        ),
        (
            for_the_majority(rules()),
            DOWNTIME,
            [MALICE, DOWNTIME, VALID],
            3,
            80_000,
        ),
        (
            for_the_majority(by_stake()),
            DOWNTIME,
            [MALICE, DOWNTIME, VALID],
            4_500_000,
            106_666,
        ),
    ] {
        let case = resolved(rules, accusation, &opinions);
        assert_eq!(case.state().outcome, Outcome::ConvictedDowntime);
        assert_eq!(case.state().voters_weight.get(), weight);
        assert_eq!(case.state().voters_left.get(), 240_000 - share);
        assert_eq!(case.money(&case.initiator)[3], 120_000 + share);
        assert_eq!(case.votes_of(&case.initiator), [1, 0]);
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
    assert_eq!(case.game.task().electorate.stake.get(), 7_500_000);
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
            ..case.event(Outcome::ConvictedDowntime)
        },
    );
    assert_eq!(case.money(&case.accused), [4_000_000, 0, 0, 0]);
    assert_eq!(case.money(&case.initiator), [2_000_000, 0, 0, 0]);
    let node = case.game.node(&case.accused);
    assert_eq!(node.convictions_downtime.get(), 1);
    assert_eq!(
        case.submission().status,
        SubmissionStatus::ConvictedDowntime
    );
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
    assert_eq!(case.game.task().electorate.stake.get(), 9_500_000);
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
    assert_eq!(case.game.task().electorate.stake.get(), 8_500_000);
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

// The bond.

/// It stays when the rest leaves, and what the verdict leaves of it can go at once.
#[test]
fn resolve_audit_frees_the_bond_of_an_initiator_that_leaves_with_all() {
    for (opinion, bond) in [(ABSENT, 200_000), (MALICE, 200_000), (VALID, 0)] {
        let mut case = Case::audited(rules(), MALICE);
        case.game.request_leave(&case.initiator, None).unwrap();
        if opinion != ABSENT {
            case.vote(&[opinion, opinion]);
        }
        case.game.warp(START + 2 + 600);
        case.game.withdraw(&case.initiator).unwrap();
        assert_eq!(case.money(&case.initiator)[..3], [200_000; 3]);
        refused(case.game.withdraw(&case.initiator), TaskError::StakePledged);
        case.resolve_now().unwrap();
        assert_eq!(case.money(&case.initiator)[..3], [bond, bond, 0]);
        if bond > 0 {
            case.game.withdraw(&case.initiator).unwrap();
        }
        assert_eq!(
            balance(&case.game.svm, &case.initiator.wallet),
            WALLET - 200_000 + bond
        );
    }
}

/// The leaving part first; what is left is no voting stake any more than before.
#[test]
fn resolve_audit_acquittal_takes_the_bond_of_the_leaving_part_first() {
    for (leaving, left, active) in [(150_000, 0, 11_300_000), (300_000, 100_000, 11_200_000)] {
        let mut case = Case::audited(rules(), MALICE);
        case.game
            .request_leave(&case.initiator, Some(leaving))
            .unwrap();
        case.vote(&[VALID, VALID]);
        case.resolve().unwrap();
        assert_eq!(case.money(&case.initiator), [1_800_000, left, 0, 0]);
        assert_eq!(case.game.task().electorate.stake.get(), active);
    }
}

/// Another audit took all but `left` of the initiator before: the bond is what is there, and the split is of that.
#[test]
fn resolve_audit_acquittal_takes_what_is_left_of_the_bond() {
    for (malice_bps, left, lost) in [
        (7_500, 250_000, 200_000),
        (8_000, 200_000, 200_000),
        (9_000, 100_000, 100_000),
        (10_000, 0, 0),
    ] {
        let mut game = Game::new(RulesArgs {
            malice_bps,
            ..rules()
        });
        let (accused, initiator) = (game.worker(4_000_000), game.worker(1_000_000));
        let witnesses = [(); 3].map(|()| game.witness(1_000_000));
        game.warp(START + 1);
        game.submit_work(&accused, 0).unwrap();
        game.submit_work(&initiator, 0).unwrap();
        game.open_audit(&witnesses[0], &initiator, 0, MALICE)
            .unwrap();
        game.open_audit(&initiator, &accused, 0, MALICE).unwrap();
        let [against, own] = [&initiator, &accused].map(|worker| game.audit(worker, 0, 0));
        for voter in &witnesses[1..] {
            game.cast_vote(voter, &against, MALICE).unwrap();
            game.cast_vote(voter, &own, VALID).unwrap();
        }
        game.warp(START + 201);
        game.resolve_audit(&against).unwrap();
        let node = game.node(&initiator);
        assert_eq!((node.stake.get(), node.bonds.get()), (left, 200_000));
        let sent = game.resolve_audit(&own);
        // Shared as a slash is.
        logged(
            sent,
            &AuditResolved {
                task: game.task,
                audit: own,
                initiator: initiator.owner.pubkey(),
                accused: accused.owner.pubkey(),
                outcome: Outcome::Acquitted as u8,
                slash: 0,
                bond_lost: lost,
                appeal_bond_lost: 0,
                initiator_award: 0,
                accused_award: lost / 10 * 3,
                pool_award: lost / 10,
                voters_pot: lost / 5 * 3,
                slot: START + 201,
            },
        );
        let node = game.node(&initiator);
        assert_eq!((node.stake.get(), node.bonds.get()), (left - lost, 0));
        for voter in &witnesses[1..] {
            game.claim_vote(voter, &own).unwrap();
            assert_eq!(game.node(voter).locked.get(), lost / 10 * 3);
        }
    }
}

// Audits of one submission side by side, and one after the other.

/// One audit for each of `opinions`, which every voter says in it, opened in turn; `waits` for each verdict before the next one.
fn tried(opinions: &[u8], waits: bool) -> Case {
    let mut case = Case::submitted(RulesArgs {
        reveal_slots: 20,
        quorum_votes: 3,
        ..rules()
    });
    for (attempt, opinion) in opinions.iter().enumerate() {
        // Who says downtime accuses of malice too.
        case.game
            .open_audit(&case.initiator, &case.accused, 0, MALICE)
            .unwrap();
        let audit = case.game.audit(&case.accused, 0, attempt as u32);
        for voter in &case.voters {
            case.game.cast_vote(voter, &audit, *opinion).unwrap();
        }
        if waits {
            case.resolve_next(attempt as u32);
        }
    }
    case
}

/// What malice costs is the most, and what downtime cost counts.
fn whole(opinion: u8) -> u64 {
    [0, 400_000, 2_000_000][usize::from(opinion)]
}

impl Case {
    fn resolve_next(&mut self, attempt: u32) {
        let audit = self.game.audit(&self.accused, 0, attempt);
        let end = self.game.get::<Audit>(&audit).end_slot.get();
        self.game.warp(end.max(self.game.slot()));
        self.game.resolve_audit(&audit).unwrap();
    }

    /// Asserts what verdicts as grave as `worst` at most cost, and how often they count.
    #[track_caller]
    fn costs_as_much_as(&self, worst: u8) {
        assert_eq!(self.money(&self.accused)[0], 4_000_000 - whole(worst));
        assert_eq!(self.submission().slashed.get(), whole(worst));
        assert_eq!(self.submission().status.0, worst + 1);
        let node = self.game.node(&self.accused);
        let [downtime, malice] = [DOWNTIME, MALICE].map(|fault| u32::from(worst == fault));
        assert_eq!(node.convictions_downtime.get(), downtime);
        assert_eq!(node.convictions_malice.get(), malice);
        let round: Round = self.game.get(&round_address(&self.game.task, 0));
        assert_eq!(round.convictions.get(), downtime + malice);
    }
}

/// Every three verdicts in every order: each takes what the gravest so far costs, less what was taken.
#[test]
fn resolve_audit_side_by_side_costs_the_gravest_verdict_once() {
    for order in 0..27 {
        let opinions = [order / 9, order / 3 % 3, order % 3];
        let mut case = tried(&opinions, false);
        let mut worst = VALID;
        for (attempt, opinion) in opinions.into_iter().enumerate() {
            let taken = whole(worst.max(opinion)) - whole(worst);
            worst = worst.max(opinion);
            let (initiator, accused) = (case.money(&case.initiator), case.money(&case.accused));
            case.resolve_next(attempt as u32);
            case.costs_as_much_as(worst);
            let audit: Audit = case
                .game
                .get(&case.game.audit(&case.accused, 0, attempt as u32));
            assert_eq!(audit.accused_stake.get(), 4_000_000);
            if opinion == VALID {
                assert_eq!(case.money(&case.accused)[0], accused[0]);
                assert_eq!(case.money(&case.initiator)[0], initiator[0] - 200_000);
                assert_eq!(audit.voters_pot.get(), 120_000);
            } else {
                // Also of nothing.
                assert_eq!(audit.voters_pot.get(), taken / 10 * 6);
                assert_eq!(accused[0] - case.money(&case.accused)[0], taken);
                assert_eq!(case.money(&case.initiator)[0], initiator[0]);
            }
            assert_eq!(case.money(&case.initiator)[2], initiator[2] - 200_000);
        }
    }
}

#[test]
fn resolve_audit_one_after_the_other_costs_the_gravest_verdict_once() {
    for opinions in [
        &[VALID, DOWNTIME, MALICE][..],
        &[DOWNTIME, VALID, MALICE],
        &[DOWNTIME, DOWNTIME, VALID, MALICE],
        &[DOWNTIME, VALID, VALID],
        &[VALID, VALID, DOWNTIME],
        &[VALID, VALID, VALID, MALICE],
    ] {
        let case = tried(opinions, true);
        case.costs_as_much_as(*opinions.iter().max().unwrap());
    }
}

/// The first accuser has the bonus: nobody resolves a later audit of the submission first.
#[test]
fn resolve_audit_before_an_earlier_one_of_the_submission_fails() {
    let mut case = tried(&[MALICE, VALID, MALICE], false);
    case.game.warp(START + 500);
    let audits = [0, 1, 2].map(|attempt| case.game.audit(&case.accused, 0, attempt));
    for (resolved, audit) in audits.iter().enumerate() {
        for later in &audits[resolved + 1..] {
            refused(case.game.resolve_audit(later), TaskError::EarlierAuditOpen);
        }
        case.game.resolve_audit(audit).unwrap();
        refused(case.game.resolve_audit(audit), TaskError::AlreadyResolved);
    }
    assert_eq!(case.submission().decided.get(), 3);
}

/// Audits of other work wait for nothing.
#[test]
fn resolve_audit_before_an_earlier_one_of_other_work_passes() {
    let mut case = Case::audited(rules(), MALICE);
    let other = case.game.worker(1_000_000);
    case.game.submit_work(&other, 0).unwrap();
    case.game
        .open_audit(&case.initiator, &other, 0, MALICE)
        .unwrap();
    let audit = case.game.audit(&other, 0, 0);
    case.game.warp(START + 202);
    case.game.resolve_audit(&audit).unwrap();
}

/// Where downtime costs as much as malice, the graver verdict only counts.
#[test]
fn resolve_audit_for_malice_that_costs_no_more_than_downtime_takes_nothing() {
    let mut case = Case::submitted(RulesArgs {
        downtime_bps: 5_000,
        malice_bps: 5_000,
        quorum_votes: 3,
        ..rules()
    });
    for attempt in 0..2 {
        case.game
            .open_audit(&case.initiator, &case.accused, 0, MALICE)
            .unwrap();
        let audit = case.game.audit(&case.accused, 0, attempt);
        for voter in &case.voters {
            let opinion = [DOWNTIME, MALICE][attempt as usize];
            case.game.cast_vote(voter, &audit, opinion).unwrap();
        }
    }
    case.resolve_next(0);
    case.resolve_next(1);
    assert_eq!(case.money(&case.accused)[0], 2_000_000);
    assert_eq!(case.submission().status, SubmissionStatus::ConvictedMalice);
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
        assert_eq!(accused.open_audits.get(), 1);
        // 900,000 and a quarter of 1,800,000.
        assert_eq!(case.money(&case.initiator)[3], 1_350_000);

        let sent = case.game.resolve_audit(&second);
        logged(
            sent,
            &AuditResolved {
                audit: second,
                slash: 1_000_000,
                // 300,000 and a quarter of 600,000.
                initiator_award: 450_000,
                pool_award: 100_000,
                voters_pot: 450_000,
                ..case.event(Outcome::ConvictedMalice)
            },
        );
        let accused = case.game.node(&case.accused);
        assert_eq!(accused.stake.get(), 0);
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
    let accounts = accounts_of(&case);
    for place in 0..6 {
        let repeated = accounts[(place + 1) % 6];
        let resolve = swap(case.resolve_ix(), &accounts[place], &repeated);
        let sent = case.game.send_by_creator(resolve);
        assert_eq!(failure(sent), InstructionError::Custom(2040));
    }
}

#[test]
fn resolve_audit_in_another_round_fails() {
    let mut case = voted(rules(), MALICE, &[MALICE, MALICE]);
    case.game.warp(START + 1_000);
    case.game.submit_work(&case.accused, 1).unwrap();
    let (task, own) = (case.game.task, round_address(&case.game.task, 0));
    case.game.next_task(1);
    let other = case.game.here(&case.accused);
    case.game.join_task(&other, 0, 4_000_000).unwrap();
    case.game.submit_work(&other, 0).unwrap();
    let foreign = round_address(&case.game.task, 0);
    case.game.enter(task);
    for (round, error) in [
        (round_address(&task, 1), TaskError::WrongRound),
        (foreign, TaskError::WrongTask),
    ] {
        let resolve = swap(case.resolve_ix(), &own, &round);
        refused(case.game.send_by_creator(resolve), error);
    }
    case.resolve_now().unwrap();
}

fn accounts_of(case: &Case) -> [Address; 6] {
    [
        case.game.task,
        case.audit(),
        case.game.submission(&case.accused, 0),
        round_address(&case.game.task, 0),
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

// Appeals.

const APPEAL_BOND: u64 = 100_000;

/// Ten witnesses of 1,000,000 besides an accused of 4,000,000, an initiator of 2,000,000, and a third that votes nowhere.
struct Court {
    game: Game,
    accused: Actor,
    initiator: Actor,
    third: Actor,
    jury: Vec<Actor>,
    audit: Address,
    told: usize,
}

impl Court {
    fn new(rules: RulesArgs) -> Self {
        let mut game = Game::new(rules);
        let accused = game.worker(4_000_000);
        let [initiator, third] = [2_000_000, 500_000].map(|stake| game.witness(stake));
        let jury = (0..10).map(|_| game.witness(1_000_000)).collect();
        game.warp(START + 1);
        game.submit_work(&accused, 0).unwrap();
        let audit = game.next_audit(&initiator, &accused, 0);
        game.open_audit(&initiator, &accused, 0, MALICE).unwrap();
        Self {
            game,
            accused,
            initiator,
            third,
            jury,
            audit,
            told: 0,
        }
    }

    /// One vote of each of the next.
    fn vote(&mut self, opinions: &[u8]) {
        for opinion in opinions {
            let voter = &self.jury[self.told];
            self.game.cast_vote(voter, &self.audit, *opinion).unwrap();
            self.told += 1;
        }
    }

    fn state(&self) -> Audit {
        self.game.get(&self.audit)
    }

    fn warp_to_end(&mut self) {
        let end = self.state().end_slot.get();
        self.game.warp(end);
    }

    fn appeal(&mut self, by: usize) {
        self.warp_to_end();
        let appellant = [&self.accused, &self.initiator, &self.third][by];
        self.game.appeal_audit(appellant, &self.audit).unwrap();
    }

    fn resolve(&mut self) -> Sent {
        self.game.resolve_audit(&self.audit)
    }

    fn resolve_ix(&self) -> Instruction {
        self.game.resolve_audit_ix(&self.audit)
    }
}

/// Without a quorum of the eligible, so that few decide.
fn by_few() -> RulesArgs {
    RulesArgs {
        quorum_bps: 0,
        ..appealable()
    }
}

/// Not before the time to appeal is over; where somebody appealed, at the end of the second votes.
#[test]
fn resolve_audit_while_appeals_are_taken_fails() {
    let mut court = Court::new(by_few());
    court.vote(&[MALICE, MALICE]);
    for (slot, error) in [
        (200, TaskError::VotingOpen),
        (201, TaskError::AppealOpen),
        (400, TaskError::AppealOpen),
    ] {
        court.game.warp(START + slot);
        refused(court.resolve(), error);
    }
    court.game.warp(START + 401);
    court.resolve().unwrap();
    refused(court.resolve(), TaskError::AlreadyResolved);

    let mut court = Court::new(by_few());
    court.vote(&[MALICE, MALICE]);
    court.game.warp(START + 400);
    court.game.appeal_audit(&court.third, &court.audit).unwrap();
    for slot in [400, 401, 599] {
        court.game.warp(START + slot);
        refused(court.resolve(), TaskError::VotingOpen);
    }
    court.game.warp(START + 600);
    court.resolve().unwrap();
    refused(court.resolve(), TaskError::AlreadyResolved);
}

/// Every outcome of the first count and of the last, and each who may appeal: what is taken, to whom it goes, to the unit.
#[test]
fn resolve_audit_after_an_appeal_of_each_outcome_to_each() {
    use Outcome::*;
    let (v, d, m) = (VALID, DOWNTIME, MALICE);
    // First votes; then votes, what the last count says, and what the outcome is.
    type Then<'a> = (&'a [u8], Outcome);
    let table: [(&[u8], Outcome, [Then; 4]); 4] = [
        (
            &[],
            NoVerdict,
            [
                (&[], NoVerdict),
                (&[v, v], Acquitted),
                (&[d, d], ConvictedDowntime),
                (&[m, m], ConvictedMalice),
            ],
        ),
        (
            &[v, v],
            Acquitted,
            [
                // A tie turns nothing.
                (&[m], Acquitted),
                (&[], Acquitted),
                (&[d, d, d], ConvictedDowntime),
                (&[m, m, m], ConvictedMalice),
            ],
        ),
        (
            &[d, d],
            ConvictedDowntime,
            [
                (&[v, v, v], ConvictedDowntime),
                (&[v, v, v, v], Acquitted),
                (&[], ConvictedDowntime),
                (&[m, m, m], ConvictedMalice),
            ],
        ),
        (
            &[m, m],
            ConvictedMalice,
            [
                (&[v, v, v], ConvictedMalice),
                (&[v, v, v, v], Acquitted),
                (&[d, d, d], ConvictedDowntime),
                (&[], ConvictedMalice),
            ],
        ),
    ];
    for by in 0..3 {
        for (before, first, afters) in table {
            for (after, outcome) in afters {
                let mut court = Court::new(by_few());
                court.vote(before);
                court.appeal(by);
                assert_eq!(court.state().first_outcome, first);
                court.vote(after);
                court.warp_to_end();
                let appeal_bond_lost = if outcome == first { APPEAL_BOND } else { 0 };
                let (slash, bond_lost) = match outcome {
                    ConvictedMalice => (2_000_000, 0),
                    ConvictedDowntime => (400_000, 0),
                    Acquitted => (0, 200_000),
                    _ => (0, 0),
                };
                let shared = slash + bond_lost;
                // Of the appeal's bond the pool has its 10 % too.
                let bonus = shared * 3 / 10;
                let pool = (shared + appeal_bond_lost) / 10;
                let mut pot = shared * 6 / 10 + appeal_bond_lost * 9 / 10;
                // The accusation has its share of a conviction's pot.
                let convicted = slash > 0;
                let votes = court.told as u64 + u64::from(convicted);
                let share = if convicted { pot / votes } else { 0 };
                pot -= share;
                // Nobody voted: there is no pot.
                let nobody = court.told == 0;
                let event = AuditResolved {
                    task: court.game.task,
                    audit: court.audit,
                    initiator: court.initiator.owner.pubkey(),
                    accused: court.accused.owner.pubkey(),
                    outcome: outcome as u8,
                    slash,
                    bond_lost,
                    appeal_bond_lost,
                    initiator_award: if convicted { bonus + share } else { 0 },
                    accused_award: if convicted { 0 } else { bonus },
                    pool_award: if nobody { pool + pot } else { pool },
                    voters_pot: if nobody { 0 } else { pot },
                    slot: court.game.slot(),
                };
                logged(court.resolve(), &event);

                // Each lost what is its own to lose, and no bond is left.
                let mut left = [4_000_000 - slash, 2_000_000 - bond_lost, 500_000];
                left[by] -= appeal_bond_lost;
                for (actor, stake) in [&court.accused, &court.initiator, &court.third]
                    .into_iter()
                    .zip(left)
                {
                    let node = court.game.node(actor);
                    assert_eq!((node.stake.get(), node.bonds.get()), (stake, 0), "{by}");
                }
                assert_eq!(court.game.node(&court.third).live.get(), 0);
                // Every vote has its share, and the pool the rest.
                for voter in &court.jury[..court.told] {
                    court.game.claim_vote(voter, &court.audit).unwrap();
                }
                assert_eq!(court.state().voters_left.get(), 0);
            }
        }
    }
}

/// A convict's appeal comes out of what the slash leaves; an accuser's after its accusation's bond.
#[test]
fn resolve_audit_takes_what_the_verdict_takes_before_an_appeals_bond() {
    let mut court = Court::new(RulesArgs {
        malice_bps: 10_000,
        ..by_few()
    });
    court.vote(&[MALICE, MALICE]);
    court.game.add_stake(&court.accused, APPEAL_BOND).unwrap();
    court.appeal(0);
    court.warp_to_end();
    court.resolve().unwrap();
    assert_eq!(court.game.node(&court.accused).stake.get(), 0);
    // 60 % of 4,000,000 and 90 % of 100,000, without the accuser's third.
    assert_eq!(court.state().voters_left.get(), 2_490_000 / 3 * 2);
}

/// A panel is counted by its seats and heads, and the appeal by the task's weight and all that could vote.
#[test]
fn resolve_audit_counts_a_panel_by_seats_and_an_appeal_by_the_tasks_rule() {
    let by_weight = |panel_seats, quorum_votes, quorum_bps, weight: VoteWeight| {
        let mut game = Game::new(RulesArgs {
            panel_seats,
            quorum_votes,
            quorum_bps,
            vote_weight: weight as u8,
            ..panelled()
        });
        let accused = game.worker(4_000_000);
        let [initiator, small, large] =
            [500_000, 500_000, 3_000_000].map(|stake| game.witness(stake));
        game.warp(START + 1);
        game.submit_work(&accused, 0).unwrap();
        let audit = game.accuse_with(&initiator, &accused, 0, &SECRET);
        game.warp(START + 10);
        game.draw_panel(&audit).unwrap();
        // Sixty seats of three nodes: all are seated.
        game.cast_vote(&small, &audit, MALICE).unwrap();
        game.cast_vote(&large, &audit, VALID).unwrap();
        game.warp(START + 1 + MIN_PANEL_WINDOW_SLOTS);
        game.appeal_audit(&large, &audit).unwrap();
        game.warp(START + 1 + 2 * MIN_PANEL_WINDOW_SLOTS);
        game.resolve_audit(&audit).unwrap();
        for voter in [&small, &large] {
            game.claim_vote(voter, &audit).unwrap();
        }
        let audit: Audit = game.get(&audit);
        (
            Outcome::from(audit.first_outcome),
            Outcome::from(audit.outcome),
        )
    };
    use Outcome::*;
    // Two heads to one; 1,000,000 to 3,000,000.
    assert_eq!(
        by_weight(60, 1, 0, VoteWeight::Stake),
        (ConvictedMalice, Acquitted)
    );
    // By node the last count is the first one's.
    assert_eq!(
        by_weight(60, 1, 0, VoteWeight::Node),
        (ConvictedMalice, ConvictedMalice)
    );
    // 334 of 10,000 of sixty seats are 2.004 and so three, of which two came; of 4,000,000 it is little.
    assert_eq!(
        by_weight(60, 1, 333, VoteWeight::Stake),
        (ConvictedMalice, Acquitted)
    );
    assert_eq!(
        by_weight(60, 1, 334, VoteWeight::Stake),
        (NoVerdict, Acquitted)
    );
    // 3,000,000 of 4,000,000 are 75 %; half is asked for, of seats thirty.
    assert_eq!(
        by_weight(60, 1, 5_000, VoteWeight::Stake),
        (NoVerdict, Acquitted)
    );
    // By node half of three is 1.5 and so two.
    assert_eq!(
        by_weight(60, 1, 5_000, VoteWeight::Node),
        (NoVerdict, ConvictedMalice)
    );
}

/// A panel's verdict that nobody appeals pays its seats alike, whatever they weigh.
#[test]
fn resolve_audit_of_a_panel_shares_by_head() {
    let mut game = Game::new(RulesArgs {
        panel_seats: 60,
        vote_weight: VoteWeight::Stake as u8,
        quorum_bps: 0,
        ..panelled()
    });
    let accused = game.worker(4_000_000);
    let [initiator, small, large] = [500_000, 500_000, 3_000_000].map(|stake| game.witness(stake));
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    let audit = game.accuse_with(&initiator, &accused, 0, &SECRET);
    game.warp(START + 10);
    game.draw_panel(&audit).unwrap();
    for voter in [&small, &large] {
        game.cast_vote(voter, &audit, MALICE).unwrap();
    }
    game.warp(START + 1 + MIN_PANEL_WINDOW_SLOTS + 200);
    game.resolve_audit(&audit).unwrap();
    for voter in [&small, &large] {
        game.claim_vote(voter, &audit).unwrap();
    }
    let shares = [&initiator, &small, &large].map(|node| game.node(node).locked.get());
    assert_eq!(shares, [600_000 + 400_000, 400_000, 400_000]);
}

// The appellant's account.

/// The third appealed in vain; everything but the resolution is done.
fn appealed_by_the_third() -> Court {
    let mut court = Court::new(by_few());
    court.vote(&[MALICE, MALICE]);
    court.appeal(2);
    court.warp_to_end();
    court
}

#[test]
fn resolve_audit_without_the_appellants_node_fails() {
    let mut court = appealed_by_the_third();
    let mut resolve = court.resolve_ix();
    assert_eq!(resolve.accounts.pop().unwrap().pubkey, court.third.node);
    refused(court.game.by_anyone(resolve), TaskError::WrongNode);
    court.resolve().unwrap();
}

#[test]
fn resolve_audit_with_another_appellants_node_fails() {
    let mut court = appealed_by_the_third();
    let third = court.third.node;
    for other in [court.jury[0].node, court.jury[9].node] {
        let resolve = swap(court.resolve_ix(), &third, &other);
        refused(court.game.by_anyone(resolve), TaskError::WrongNode);
    }
    for other in [
        court.accused.node,
        court.initiator.node,
        court.game.task,
        court.audit,
    ] {
        let resolve = swap(court.resolve_ix(), &third, &other);
        court.game.by_anyone(resolve).unwrap_err();
    }
    // Of the same owner, in another task.
    let first = court.game.task;
    court.game.next_task(1);
    let elsewhere = court.game.here(&court.third);
    court.game.join_task(&elsewhere, 1, 1_000_000).unwrap();
    court.game.enter(first);
    let resolve = swap(court.resolve_ix(), &third, &elsewhere.node);
    refused(court.game.by_anyone(resolve), TaskError::WrongTask);
    court.resolve().unwrap();
}

#[test]
fn resolve_audit_with_a_forged_appellant_fails() {
    let mut court = appealed_by_the_third();
    let third = court.third.node;
    let forged = court.game.forge(&third);
    let resolve = swap(court.resolve_ix(), &third, &forged);
    assert_eq!(
        failure(court.game.by_anyone(resolve)),
        InstructionError::IllegalOwner
    );
    let disguised = court.game.disguise(&third);
    let resolve = swap(court.resolve_ix(), &third, &disguised);
    assert_eq!(
        failure(court.game.by_anyone(resolve)),
        InstructionError::InvalidAccountData
    );
    court
        .game
        .svm
        .set_account(disguised, Default::default())
        .unwrap();
    let resolve = readonly(court.resolve_ix(), &third);
    assert_eq!(
        failure(court.game.by_anyone(resolve)),
        InstructionError::Custom(2000)
    );
    court.resolve().unwrap();
}

/// Attack: a node that nobody asks for comes along, to be taken of or freed. It stays as it is.
#[test]
fn resolve_audit_leaves_a_needless_node_alone() {
    for by in [Some(0), Some(1), None] {
        let mut court = Court::new(by_few());
        court.vote(&[MALICE, MALICE]);
        match by {
            Some(by) => {
                court.appeal(by);
                court.warp_to_end();
            }
            None => court.game.warp(START + 401),
        }
        let bytes = |court: &Court| court.game.svm.get_account(&court.third.node).unwrap().data;
        let before = bytes(&court);
        let mut resolve = court.resolve_ix();
        assert_eq!(resolve.accounts.len(), 6);
        resolve
            .accounts
            .push(anchor_lang::solana_program::instruction::AccountMeta::new(
                court.third.node,
                false,
            ));
        court.game.by_anyone(resolve).unwrap();
        assert_eq!(bytes(&court), before);
    }
}

/// Two appeals of one node in two audits, resolved one after the other: each frees or takes its own bond.
#[test]
fn resolve_audit_ends_one_appeal_at_a_time() {
    let mut game = Game::new(by_few());
    let [one, two] = [(); 2].map(|()| game.worker(4_000_000));
    let [caller, third] = [(); 2].map(|()| game.witness(2_000_000));
    let jury = [(); 2].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    for worker in [&one, &two] {
        game.submit_work(worker, 0).unwrap();
        game.open_audit(&caller, worker, 0, MALICE).unwrap();
    }
    let audits = [&one, &two].map(|worker| game.audit(worker, 0, 0));
    for voter in &jury {
        game.cast_vote(voter, &audits[0], MALICE).unwrap();
    }
    game.warp(START + 201);
    for audit in &audits {
        game.appeal_audit(&third, audit).unwrap();
    }
    for voter in &jury {
        game.cast_vote(voter, &audits[1], MALICE).unwrap();
    }
    game.warp(START + 401);
    let state = |game: &Game| {
        let node = game.node(&third);
        (node.stake.get(), node.bonds.get(), node.live.get())
    };
    assert_eq!(state(&game), (2_000_000, 2 * APPEAL_BOND, 2));
    game.resolve_audit(&audits[0]).unwrap();
    assert_eq!(state(&game), (2_000_000 - APPEAL_BOND, APPEAL_BOND, 1));
    game.resolve_audit(&audits[1]).unwrap();
    assert_eq!(state(&game), (2_000_000 - APPEAL_BOND, 0, 0));
}
