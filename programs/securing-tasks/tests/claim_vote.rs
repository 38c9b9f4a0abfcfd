//! `claim_vote`: each voter's share to the unit, the lock on it, and what a commitment that stayed shut loses.

mod common;

use anchor_lang::{prelude::Address, solana_program::instruction::Instruction};
use common::*;
use securing_tasks::{
    events::VoteClaimed, Audit, Outcome, RewardRule, RulesArgs, Vote, VoteState, VoteWeight,
};
use solana_signer::Signer;
use solana_transaction::InstructionError;

const VALID: u8 = 0;
const DOWNTIME: u8 = 1;
const MALICE: u8 = 2;

/// The slot at which the standard case is resolved.
const RESOLVED: u64 = START + 202;
const LEAVE_DELAY: u64 = 600;

fn weighed_by(vote_weight: VoteWeight, reward_rule: RewardRule) -> RulesArgs {
    RulesArgs {
        vote_weight: vote_weight as u8,
        reward_rule: reward_rule as u8,
        ..rules()
    }
}

/// The standard case, resolved, with an accusation of malice. Stakes: accused 4,000,000; initiator 2,000,000; voters
/// 1,000,000, 1,500,000 and 3,000,000. A conviction has 1,200,000 for the voters, the initiator's vote included; an acquittal
/// 120,000 without it.
fn resolved(rules: RulesArgs, opinions: &[u8]) -> Case {
    let mut case = Case::audited(rules, MALICE);
    case.vote(opinions);
    case.resolve().unwrap();
    assert_eq!(case.game.slot(), RESOLVED);
    case
}

fn convicted() -> Case {
    resolved(rules(), &[MALICE, MALICE, VALID])
}

impl Case {
    fn claim_ix(&self) -> Instruction {
        self.game.claim_vote_ix(&self.voters[0], &self.audit())
    }

    fn claim_of(&mut self, voter: usize) -> Sent {
        let audit = self.audit();
        self.game.claim_vote(&self.voters[voter], &audit)
    }

    fn vote_of(&self, voter: usize) -> Vote {
        let owner = self.voters[voter].owner.pubkey();
        self.game.get(&vote_address(&self.audit(), &owner))
    }

    fn locked(&self, voter: usize) -> u64 {
        self.game.node(&self.voters[voter]).locked.get()
    }

    /// Stake, leaving, open commitments, and locked shares.
    fn money(&self, voter: usize) -> [u64; 4] {
        let node = self.game.node(&self.voters[voter]);
        [
            node.stake.get(),
            node.leaving.get(),
            node.commitments.get().into(),
            node.locked.get(),
        ]
    }

    /// Votes on the side that won and on the other.
    fn votes_of(&self, voter: usize) -> [u32; 2] {
        let node = self.game.node(&self.voters[voter]);
        [node.votes_with_majority, node.votes_against_majority].map(|votes| votes.get())
    }

    fn event(&self, voter: usize) -> VoteClaimed {
        VoteClaimed {
            audit: self.audit(),
            voter: self.voters[voter].owner.pubkey(),
            share: 0,
            deposit_lost: 0,
            pool_award: 0,
            slot: self.game.slot(),
        }
    }
}

/// The three voters' shares, and what all the claims added to the pool, claimed in every order.
#[track_caller]
fn shares(rules: RulesArgs, opinions: [u8; 3], outcome: Outcome) -> ([u64; 3], u64) {
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    let results = orders.map(|order| {
        let mut case = resolved(rules.clone(), &opinions);
        let audit = case.game.get::<Audit>(&case.audit());
        assert_eq!(audit.outcome, outcome);
        let pool = case.game.task().pool.get();
        for voter in &order[..2] {
            case.claim_of(*voter).unwrap();
            assert_eq!(case.game.task().pool.get(), pool, "only the last claim");
        }
        case.claim_of(order[2]).unwrap();
        let audit = case.game.get::<Audit>(&case.audit());
        assert_eq!((audit.unclaimed.get(), audit.voters_left.get()), (0, 0));
        (
            [0, 1, 2].map(|voter| case.locked(voter)),
            case.game.task().pool.get() - pool,
        )
    });
    assert!(results.iter().all(|result| *result == results[0]));
    results[0]
}

#[test]
fn claim_vote_pays_the_share_and_leaves_the_stake() {
    let mut case = convicted();
    assert_eq!(case.money(0), [1_000_000, 0, 0, 0]);
    let sent = case.claim_of(0);
    logged(
        sent,
        &VoteClaimed {
            share: 300_000,
            ..case.event(0)
        },
    );
    assert_eq!(case.money(0), [1_000_000, 0, 0, 300_000]);
    assert_eq!(case.vote_of(0).state, VoteState::Claimed);
    let audit = case.game.get::<Audit>(&case.audit());
    assert_eq!(audit.unclaimed.get(), 2);
    assert_eq!(audit.voters_left.get(), 600_000);
    assert_eq!(case.game.task().electorate.stake.get(), 9_500_000);
}

#[test]
fn claim_vote_counts_votes_with_the_majority_and_against_it() {
    let mut case = convicted();
    case.claim(3);
    assert_eq!(
        [0, 1, 2].map(|v| case.votes_of(v)),
        [[1, 0], [1, 0], [0, 1]]
    );

    let mut case = resolved(
        weighed_by(VoteWeight::Stake, RewardRule::All),
        &[MALICE, VALID, VALID],
    );
    case.claim(3);
    assert_eq!(
        [0, 1, 2].map(|v| case.votes_of(v)),
        [[0, 1], [1, 0], [1, 0]]
    );
}

/// Who says less than the verdict did not win: friends of a liar who say downtime have no part of its slash.
#[test]
fn claim_vote_of_downtime_loses_where_malice_wins() {
    for (reward_rule, shares) in [
        (RewardRule::Majority, [0, 400_000, 400_000]),
        (RewardRule::All, [300_000; 3]),
    ] {
        let rules = weighed_by(VoteWeight::Node, reward_rule);
        let mut case = resolved(rules, &[DOWNTIME, MALICE, MALICE]);
        assert_eq!(case.outcome(), Outcome::ConvictedMalice);
        case.claim(3);
        assert_eq!(
            [0, 1, 2].map(|v| case.votes_of(v)),
            [[0, 1], [1, 0], [1, 0]]
        );
        assert_eq!([0, 1, 2].map(|v| case.locked(v)), shares);
    }
}

/// Who says more than the verdict won: 240,000 among three.
#[test]
fn claim_vote_of_malice_wins_where_downtime_does() {
    let rules = weighed_by(VoteWeight::Node, RewardRule::Majority);
    let mut case = resolved(rules, &[DOWNTIME, DOWNTIME, VALID]);
    assert_eq!(case.outcome(), Outcome::ConvictedDowntime);
    case.claim(3);
    assert_eq!(
        [0, 1, 2].map(|v| case.votes_of(v)),
        [[1, 0], [1, 0], [0, 1]]
    );
    assert_eq!([0, 1, 2].map(|v| case.locked(v)), [80_000, 80_000, 0]);
    // The accusation was of malice.
    assert_eq!(
        case.game.node(&case.initiator).locked.get(),
        120_000 + 80_000
    );
}

/// What every rule, weight, accusation and set of opinions shares: claims and accusation make up the pot, to the unit.
#[test]
fn claim_vote_shares_sum_to_the_pot() {
    for order in 0..27 {
        let opinions = [order / 9, order / 3 % 3, order % 3];
        for accusation in [DOWNTIME, MALICE] {
            for (vote_weight, reward_rule) in [
                (VoteWeight::Node, RewardRule::All),
                (VoteWeight::Node, RewardRule::Majority),
                (VoteWeight::Stake, RewardRule::All),
                (VoteWeight::Stake, RewardRule::Majority),
            ] {
                let rules = RulesArgs {
                    initiator_bonus_bps: 3_003,
                    pool_bps: 1_001,
                    ..weighed_by(vote_weight, reward_rule)
                };
                let mut case = Case::audited(rules, accusation);
                case.vote(&opinions);
                case.resolve().unwrap();
                let audit: Audit = case.game.get(&case.audit());
                let (left, pool) = (audit.voters_left.get(), case.game.task().pool.get());
                case.claim(3);
                let shares: u64 = [0, 1, 2].map(|v| case.locked(v)).iter().sum();
                let over = case.game.task().pool.get() - pool;
                assert_eq!(shares + over, left);
                // No more than one unit is lost to each floor, the accusation's too.
                assert!(over < 4, "{over} of {left}");
                let after: Audit = case.game.get(&case.audit());
                assert_eq!((after.unclaimed.get(), after.voters_left.get()), (0, 0));
            }
        }
    }
}

// Conviction: 1,200,000 for the voters and the initiator.

#[test]
fn claim_vote_conviction_by_node_pays_all_alike() {
    assert_eq!(
        shares(
            weighed_by(VoteWeight::Node, RewardRule::All),
            [MALICE, MALICE, VALID],
            Outcome::ConvictedMalice
        ),
        ([300_000, 300_000, 300_000], 0)
    );
}

#[test]
fn claim_vote_conviction_by_node_pays_the_majority_alone() {
    assert_eq!(
        shares(
            weighed_by(VoteWeight::Node, RewardRule::Majority),
            [MALICE, MALICE, VALID],
            Outcome::ConvictedMalice
        ),
        ([400_000, 400_000, 0], 0)
    );
}

#[test]
fn claim_vote_conviction_by_stake_pays_all_by_weight() {
    assert_eq!(
        shares(
            weighed_by(VoteWeight::Stake, RewardRule::All),
            [MALICE, MALICE, VALID],
            Outcome::ConvictedMalice
        ),
        ([160_000, 240_000, 480_000], 0)
    );
}

/// Parts of 4,500,000: 533,333.3 to the initiator, 266,666.7 and 400,000. Two thirds and a third are left over.
#[test]
fn claim_vote_conviction_by_stake_pays_the_majority_by_weight() {
    assert_eq!(
        shares(
            weighed_by(VoteWeight::Stake, RewardRule::Majority),
            [MALICE, MALICE, VALID],
            Outcome::ConvictedMalice
        ),
        ([266_666, 400_000, 0], 1)
    );
}

/// The remainder of 1,199,200 among four by stake: 319,786.7, 159,893.3, 239,840 and 479,680.
#[test]
fn claim_vote_sends_the_remainder_to_the_pool_with_the_last_claim() {
    let rules = RulesArgs {
        initiator_bonus_bps: 3_003,
        pool_bps: 1_001,
        ..weighed_by(VoteWeight::Stake, RewardRule::All)
    };
    let mut case = resolved(rules.clone(), &[MALICE, MALICE, VALID]);
    case.claim(2);
    let sent = case.claim_of(2);
    logged(
        sent,
        &VoteClaimed {
            share: 479_680,
            pool_award: 1,
            ..case.event(2)
        },
    );
    assert_eq!(
        case.game.node(&case.initiator).locked.get(),
        600_600 + 319_786
    );
    assert_eq!(case.game.task().pool.get(), 200_200 + 1);
    assert_eq!(
        shares(rules, [MALICE, MALICE, VALID], Outcome::ConvictedMalice),
        ([159_893, 239_840, 479_680], 1)
    );
}

// Acquittal: 120,000 for the voters without the initiator.

#[test]
fn claim_vote_acquittal_by_node_pays_all_alike() {
    assert_eq!(
        shares(
            weighed_by(VoteWeight::Node, RewardRule::All),
            [VALID, VALID, VALID],
            Outcome::Acquitted
        ),
        ([40_000, 40_000, 40_000], 0)
    );
}

/// By node an acquittal over a voter's guilty takes a fourth voter.
#[test]
fn claim_vote_acquittal_by_node_pays_the_wrong_voter_by_the_reward_rule() {
    for (reward_rule, right, wrong) in [
        (RewardRule::All, 30_000, 30_000),
        (RewardRule::Majority, 40_000, 0),
    ] {
        let mut game = Game::new(weighed_by(VoteWeight::Node, reward_rule));
        let (accused, initiator) = (game.worker(4_000_000), game.witness(2_000_000));
        let voters = [VALID, VALID, VALID, MALICE].map(|opinion| {
            let voter = game.witness(1_000_000);
            (voter, opinion)
        });
        game.warp(START + 1);
        game.submit_work(&accused, 0).unwrap();
        game.open_audit(&initiator, &accused, 0, MALICE).unwrap();
        let audit = game.audit(&accused, 0, 0);
        for (voter, opinion) in &voters {
            game.cast_vote(voter, &audit, *opinion).unwrap();
        }
        game.warp(START + 201);
        game.resolve_audit(&audit).unwrap();
        assert_eq!(game.get::<Audit>(&audit).outcome, Outcome::Acquitted);
        for (voter, opinion) in &voters {
            game.claim_vote(voter, &audit).unwrap();
            let share = if *opinion == VALID { right } else { wrong };
            assert_eq!(game.node(voter).locked.get(), share);
        }
    }
}

/// Parts of 5,500,000: 21,818.2, 32,727.3 and 65,454.5.
#[test]
fn claim_vote_acquittal_by_stake_pays_all_by_weight() {
    assert_eq!(
        shares(
            weighed_by(VoteWeight::Stake, RewardRule::All),
            [MALICE, VALID, VALID],
            Outcome::Acquitted
        ),
        ([21_818, 32_727, 65_454], 1)
    );
}

#[test]
fn claim_vote_acquittal_by_stake_pays_the_majority_by_weight() {
    assert_eq!(
        shares(
            weighed_by(VoteWeight::Stake, RewardRule::Majority),
            [MALICE, VALID, VALID],
            Outcome::Acquitted
        ),
        ([0, 40_000, 80_000], 0)
    );
}

/// A bond of 3 has 1 for the voters, too little for anyone: the last claim sends it to the pool, a wrong voter's too.
#[test]
fn claim_vote_share_that_floors_to_nothing_goes_to_the_pool() {
    for reward_rule in [RewardRule::All, RewardRule::Majority] {
        let rules = RulesArgs {
            initiator_bond: 3,
            ..weighed_by(VoteWeight::Stake, reward_rule)
        };
        assert_eq!(
            shares(rules, [MALICE, VALID, VALID], Outcome::Acquitted),
            ([0, 0, 0], 1)
        );
    }
}

// No verdict: nothing.

#[test]
fn claim_vote_without_verdict_pays_nothing() {
    for opinions in [&[MALICE][..], &[MALICE, VALID, VALID]] {
        let mut case = resolved(rules(), opinions);
        let sent = case.claim_of(0);
        logged(sent, &case.event(0));
        assert_eq!(case.money(0), [1_000_000, 0, 0, 0]);
        assert_eq!(case.votes_of(0), [0, 0]);
        assert_eq!(case.game.task().pool.get(), 0);
    }
}

/// Each audit of a submission has its own votes and pot.
#[test]
fn claim_vote_of_each_attempt_passes() {
    let mut case = resolved(rules(), &[MALICE]);
    case.game
        .open_audit(&case.initiator, &case.accused, 0, MALICE)
        .unwrap();
    let second = case.game.audit(&case.accused, 0, 1);
    for voter in &case.voters {
        case.game.cast_vote(voter, &second, MALICE).unwrap();
    }
    case.game.warp(RESOLVED + 200);
    case.game.resolve_audit(&second).unwrap();
    case.game.claim_vote(&case.voters[0], &second).unwrap();
    assert_eq!(case.money(0), [1_000_000, 0, 0, 300_000]);
    case.claim_of(0).unwrap();
    assert_eq!(case.money(0), [1_000_000, 0, 0, 300_000]);
}

/// Two convictions of one submission side by side: the second is of the same fault and has nothing to share.
#[test]
fn claim_vote_of_a_second_conviction_side_by_side_pays_nothing() {
    let mut case = Case::audited(rules(), MALICE);
    case.game
        .open_audit(&case.initiator, &case.accused, 0, MALICE)
        .unwrap();
    let second = case.game.audit(&case.accused, 0, 1);
    case.vote(&[MALICE, MALICE, MALICE]);
    for voter in &case.voters {
        case.game.cast_vote(voter, &second, MALICE).unwrap();
    }
    case.resolve().unwrap();
    case.game.resolve_audit(&second).unwrap();
    case.game.claim_vote(&case.voters[0], &second).unwrap();
    assert_eq!((case.locked(0), case.votes_of(0)), (0, [1, 0]));
    case.claim(3);
    assert_eq!([0, 1, 2].map(|v| case.locked(v)), [300_000; 3]);
}

// When.

#[test]
fn claim_vote_before_the_audit_is_resolved_fails() {
    let mut case = Case::audited(rules(), MALICE);
    case.vote(&[MALICE, MALICE]);
    refused(case.claim_of(0), TaskError::NotResolved);
    case.game.warp(RESOLVED);
    refused(case.claim_of(0), TaskError::NotResolved);
    let audit = case.audit();
    case.game.resolve_audit(&audit).unwrap();
    case.claim_of(0).unwrap();
}

#[test]
fn claim_vote_twice_fails() {
    for opinions in [&[MALICE, MALICE][..], &[VALID, VALID], &[MALICE]] {
        let mut case = resolved(rules(), opinions);
        case.claim_of(0).unwrap();
        refused(case.claim_of(0), TaskError::AlreadyClaimed);
    }
}

#[test]
fn claim_vote_long_after_passes() {
    let mut case = convicted();
    case.game.warp(START + 1_000_000);
    case.claim_of(0).unwrap();
    assert_eq!(case.locked(0), 300_000);
}

#[test]
fn claim_vote_of_a_retired_task_passes() {
    let mut case = convicted();
    case.game.retire_task().unwrap();
    case.claim(3);
}

#[test]
fn claim_vote_by_another_voter_pays_the_voter() {
    let mut case = convicted();
    let other = case.voters[1].operator.insecure_clone();
    let claim = case.claim_ix();
    case.game.send(&[claim], &[&other]).unwrap();
    assert_eq!((case.locked(0), case.locked(1)), (300_000, 0));
}

// The lock: the leave delay, from the claim.

#[test]
fn claim_vote_locks_the_share_for_the_leave_delay() {
    let mut case = convicted();
    case.game.warp(RESOLVED + 7);
    case.claim_of(0).unwrap();
    let until = RESOLVED + 7 + LEAVE_DELAY;
    let node = case.game.node(&case.voters[0]);
    assert_eq!(node.locked_until.get(), until);
    case.game.warp(until - 1);
    refused(
        case.game.withdraw(&case.voters[0]),
        TaskError::NothingToWithdraw,
    );
    case.game.warp(until);
    case.game.withdraw(&case.voters[0]).unwrap();
    assert_eq!(
        balance(&case.game.svm, &case.voters[0].wallet),
        WALLET - 1_000_000 + 300_000
    );
    assert_eq!(case.money(0), [1_000_000, 0, 0, 0]);
}

#[test]
fn claim_vote_locks_the_accuseds_and_the_initiators_award_too() {
    for (opinion, award) in [(VALID, [60_000, 0]), (MALICE, [0, 600_000 + 400_000])] {
        let mut case = resolved(rules(), &[opinion, opinion]);
        let (who, award) = if award[0] > 0 {
            (case.game.here(&case.accused), award[0])
        } else {
            (case.game.here(&case.initiator), award[1])
        };
        let before = balance(&case.game.svm, &who.wallet);
        case.game.warp(RESOLVED + LEAVE_DELAY - 1);
        refused(case.game.withdraw(&who), TaskError::NothingToWithdraw);
        case.game.warp(RESOLVED + LEAVE_DELAY);
        case.game.withdraw(&who).unwrap();
        assert_eq!(balance(&case.game.svm, &who.wallet), before + award);
    }
}

/// One voter in the audits of two workers, both convicted: 1,000,000 slashed each, so 200,000 for each of three votes.
fn two_shares() -> (Game, Actor, [Address; 2]) {
    let mut game = Game::new(rules());
    let workers = [game.worker(2_000_000), game.worker(2_000_000)];
    let initiator = game.witness(2_000_000);
    let voters = [game.witness(1_000_000), game.witness(1_000_000)];
    game.warp(START + 1);
    let audits = [0, 1].map(|worker| {
        let worker: &Actor = &workers[worker];
        game.submit_work(worker, 0).unwrap();
        game.open_audit(&initiator, worker, 0, MALICE).unwrap();
        let audit = game.audit(worker, 0, 0);
        for voter in &voters {
            game.cast_vote(voter, &audit, MALICE).unwrap();
        }
        audit
    });
    game.warp(START + 201);
    for audit in &audits {
        game.resolve_audit(audit).unwrap();
    }
    let [voter, _] = voters;
    (game, voter, audits)
}

/// New shares don't put off old ones: each waits in its own box.
#[test]
fn claim_vote_of_a_second_share_leaves_the_first_its_lock() {
    let (mut game, voter, [first, second]) = two_shares();
    let claimed = game.slot();
    game.claim_vote(&voter, &first).unwrap();
    game.warp(claimed + LEAVE_DELAY - 1);
    game.claim_vote(&voter, &second).unwrap();
    let node = game.node(&voter);
    assert_eq!(
        (node.locked.get(), node.locked_next.get()),
        (200_000, 200_000)
    );

    game.warp(claimed + LEAVE_DELAY);
    game.withdraw(&voter).unwrap();
    let node = game.node(&voter);
    assert_eq!((node.locked.get(), node.locked_next.get()), (200_000, 0));
    game.warp(claimed + 2 * LEAVE_DELAY - 2);
    refused(game.withdraw(&voter), TaskError::NothingToWithdraw);
    game.warp(claimed + 2 * LEAVE_DELAY - 1);
    game.withdraw(&voter).unwrap();
    assert_eq!(
        balance(&game.svm, &voter.wallet),
        WALLET - 1_000_000 + 400_000
    );
}

#[test]
fn claim_vote_of_a_second_share_after_the_firsts_lock_makes_the_first_payable() {
    let (mut game, voter, [first, second]) = two_shares();
    let claimed = game.slot();
    game.claim_vote(&voter, &first).unwrap();
    game.warp(claimed + LEAVE_DELAY);
    game.claim_vote(&voter, &second).unwrap();
    let node = game.node(&voter);
    assert_eq!(node.payable.get(), 200_000);
    assert_eq!((node.locked.get(), node.locked_next.get()), (200_000, 0));
    assert_eq!(node.locked_until.get(), claimed + 2 * LEAVE_DELAY);
}

#[test]
fn claim_vote_shares_whose_locks_are_both_over_leave_at_once() {
    let (mut game, voter, [first, second]) = two_shares();
    let claimed = game.slot();
    game.claim_vote(&voter, &first).unwrap();
    game.warp(claimed + 1);
    game.claim_vote(&voter, &second).unwrap();
    game.warp(claimed + LEAVE_DELAY + 1);
    game.withdraw(&voter).unwrap();
    assert_eq!(
        balance(&game.svm, &voter.wallet),
        WALLET - 1_000_000 + 400_000
    );
}

// Committed votes: one that stays shut loses its deposit and has no part in anything.

fn secret() -> RulesArgs {
    RulesArgs {
        commit_slots: 50,
        reveal_slots: 150,
        ..rules()
    }
}

/// The standard case with committed votes, resolved; a voter with no opinion of `Some` commits and never reveals.
fn kept_shut(rules: RulesArgs, opinions: [Option<u8>; 3]) -> Case {
    let mut case = Case::audited(rules, MALICE);
    let audit = case.audit();
    for (voter, opinion) in case.voters.iter().zip(opinions) {
        let opinion = opinion.unwrap_or(MALICE);
        case.game
            .commit_vote(voter, &audit, opinion, [9; 32])
            .unwrap();
    }
    case.game.warp(START + 52);
    for (voter, opinion) in case.voters.iter().zip(opinions) {
        if let Some(opinion) = opinion {
            case.game
                .reveal_vote(voter, &audit, opinion, [9; 32])
                .unwrap();
        }
    }
    case.resolve().unwrap();
    case
}

impl Case {
    fn outcome(&self) -> Outcome {
        self.game.get::<Audit>(&self.audit()).outcome.into()
    }

    fn unrevealed(&self, voter: usize) -> u32 {
        let node = self.game.node(&self.voters[voter]);
        node.votes_unrevealed.get()
    }
}

#[test]
fn claim_vote_of_a_revealed_commitment_pays_like_an_open_vote() {
    let mut case = kept_shut(secret(), [Some(MALICE), Some(MALICE), Some(VALID)]);
    assert_eq!(case.outcome(), Outcome::ConvictedMalice);
    let sent = case.claim_of(0);
    logged(
        sent,
        &VoteClaimed {
            share: 300_000,
            ..case.event(0)
        },
    );
    assert_eq!(case.money(0), [1_000_000, 0, 0, 300_000]);
    assert_eq!((case.votes_of(0), case.unrevealed(0)), ([1, 0], 0));
}

/// Whatever the outcome: after a conviction, an acquittal and no verdict (one vote of two that the quorum asks for).
#[test]
fn claim_vote_of_an_unrevealed_commitment_loses_the_deposit_to_the_pool() {
    for (opinions, outcome) in [
        ([None, Some(MALICE), Some(MALICE)], Outcome::ConvictedMalice),
        ([None, Some(VALID), Some(VALID)], Outcome::Acquitted),
        ([None, Some(MALICE), None], Outcome::NoVerdict),
    ] {
        let mut case = kept_shut(secret(), opinions);
        assert_eq!(case.outcome(), outcome);
        let (pool, active) = (
            case.game.task().pool.get(),
            case.game.task().electorate.stake.get(),
        );
        let sent = case.claim_of(0);
        logged(
            sent,
            &VoteClaimed {
                deposit_lost: 50_000,
                ..case.event(0)
            },
        );
        assert_eq!(case.money(0), [950_000, 0, 0, 0]);
        assert_eq!((case.votes_of(0), case.unrevealed(0)), ([0, 0], 1));
        assert_eq!(case.game.task().pool.get(), pool + 50_000);
        assert_eq!(case.game.task().electorate.stake.get(), active - 50_000);
        assert_eq!(case.vote_of(0).state, VoteState::Claimed);
        refused(case.claim_of(0), TaskError::AlreadyClaimed);
        case.claim_of(1).unwrap();
        case.claim_of(2).unwrap();
    }
}

/// 1,200,000 among three instead of four; the one that stayed shut thins nobody's share.
#[test]
fn claim_vote_of_an_unrevealed_commitment_leaves_the_others_their_shares() {
    for reward_rule in [RewardRule::All, RewardRule::Majority] {
        let rules = RulesArgs {
            reward_rule: reward_rule as u8,
            ..secret()
        };
        let mut case = kept_shut(rules, [None, Some(MALICE), Some(MALICE)]);
        case.claim(3);
        assert_eq!([0, 1, 2].map(|v| case.locked(v)), [0, 400_000, 400_000]);
    }
    // By stake 2,000,000, 1,500,000 and 3,000,000: 369,230.8, 276,923.1 and 553,846.2. One is left over.
    let rules = RulesArgs {
        vote_weight: VoteWeight::Stake as u8,
        ..secret()
    };
    let mut case = kept_shut(rules, [None, Some(MALICE), Some(MALICE)]);
    let pool = case.game.task().pool.get();
    case.claim(3);
    assert_eq!([0, 1, 2].map(|v| case.locked(v)), [0, 276_923, 553_846]);
    assert_eq!(case.game.task().pool.get(), pool + 1 + 50_000);
}

/// The last claim sends the floors' remainder to the pool, the shut voter's too.
#[test]
fn claim_vote_of_an_unrevealed_commitment_at_last_sends_remainder_and_deposit_to_the_pool() {
    let rules = RulesArgs {
        vote_weight: VoteWeight::Stake as u8,
        ..secret()
    };
    let mut case = kept_shut(rules, [None, Some(MALICE), Some(MALICE)]);
    let pool = case.game.task().pool.get();
    case.claim_of(1).unwrap();
    case.claim_of(2).unwrap();
    assert_eq!(case.game.task().pool.get(), pool);
    let sent = case.claim_of(0);
    logged(
        sent,
        &VoteClaimed {
            deposit_lost: 50_000,
            pool_award: 1,
            ..case.event(0)
        },
    );
    assert_eq!(case.game.task().pool.get(), pool + 50_001);
    let audit = case.game.get::<Audit>(&case.audit());
    assert_eq!((audit.unclaimed.get(), audit.voters_left.get()), (0, 0));
}

/// Two votes are asked for besides the initiator's: a commitment is none.
#[test]
fn claim_vote_of_unrevealed_commitments_follows_no_verdict_for_want_of_votes() {
    let mut case = kept_shut(secret(), [Some(MALICE), None, None]);
    assert_eq!(case.outcome(), Outcome::NoVerdict);
    case.claim(3);
    assert_eq!(case.money(0), [1_000_000, 0, 0, 0]);
    assert_eq!(case.money(1), [1_450_000, 0, 0, 0]);
    assert_eq!(case.money(2), [2_950_000, 0, 0, 0]);
    assert_eq!(case.game.task().pool.get(), 100_000);
    assert_eq!([0, 1, 2].map(|v| case.unrevealed(v)), [0, 1, 1]);
}

/// Eligible are 7,500,000. With one vote of 1,000,000 besides the initiator's 2,000,000 a quorum of 4,000 points is met to the
/// unit; of 4,001 it isn't, and 3,000,000 committed stake don't help.
#[test]
fn claim_vote_of_an_unrevealed_commitment_had_no_stake_in_the_quorum() {
    for (quorum_bps, outcome) in [
        (4_000, Outcome::ConvictedMalice),
        (4_001, Outcome::NoVerdict),
    ] {
        let rules = RulesArgs {
            quorum_votes: 1,
            quorum_bps,
            vote_weight: VoteWeight::Stake as u8,
            ..secret()
        };
        let mut case = kept_shut(rules, [Some(MALICE), None, None]);
        assert_eq!(case.outcome(), outcome);
        case.claim(3);
    }
}

#[test]
fn claim_vote_of_commitments_that_all_stayed_shut_loses_all_deposits() {
    let mut case = kept_shut(secret(), [None; 3]);
    assert_eq!(case.outcome(), Outcome::NoVerdict);
    case.claim(3);
    assert_eq!(case.game.task().pool.get(), 150_000);
    // The initiator revealed by accusing: nothing is lost.
    let initiator = case.game.node(&case.initiator);
    assert_eq!(
        (initiator.stake.get(), initiator.bonds.get()),
        (2_000_000, 0)
    );
    assert_eq!(initiator.votes_unrevealed.get(), 0);
}

#[test]
fn claim_vote_of_an_unrevealed_commitment_without_a_deposit_still_counts() {
    let rules = RulesArgs {
        vote_deposit: 0,
        ..secret()
    };
    let mut case = kept_shut(rules, [None, Some(MALICE), Some(MALICE)]);
    let pool = case.game.task().pool.get();
    let sent = case.claim_of(0);
    logged(sent, &VoteClaimed { ..case.event(0) });
    assert_eq!(case.money(0), [1_000_000, 0, 0, 0]);
    assert_eq!((case.unrevealed(0), case.game.task().pool.get()), (1, pool));
}

#[test]
fn claim_vote_of_an_unrevealed_commitment_of_a_node_that_leaves_with_all_passes() {
    let mut case = Case::audited(secret(), MALICE);
    let audit = case.audit();
    case.game
        .commit_vote(&case.voters[0], &audit, MALICE, [9; 32])
        .unwrap();
    case.game.request_leave(&case.voters[0], None).unwrap();
    case.resolve().unwrap();
    let active = case.game.task().electorate.stake.get();
    case.claim_of(0).unwrap();
    assert_eq!(case.money(0), [950_000, 950_000, 0, 0]);
    assert_eq!(case.game.task().electorate.stake.get(), active);
    case.game.warp(START + 2 + LEAVE_DELAY);
    case.game.withdraw(&case.voters[0]).unwrap();
    assert_eq!(
        balance(&case.game.svm, &case.voters[0].wallet),
        WALLET - 50_000
    );
}

/// Young stake goes first, and is never more than what is left.
#[test]
fn claim_vote_of_an_unrevealed_commitment_takes_young_stake_first() {
    let mut case = Case::audited(secret(), MALICE);
    let audit = case.audit();
    case.game
        .commit_vote(&case.voters[0], &audit, MALICE, [9; 32])
        .unwrap();
    case.game.add_stake(&case.voters[0], 20_000).unwrap();
    let arrivals = |case: &Case| {
        let arrivals = case.game.node(&case.voters[0]).arrivals;
        [0, 1].map(|place: usize| arrivals[place].amount.get())
    };
    assert_eq!(arrivals(&case), [1_000_000, 20_000]);
    case.resolve().unwrap();
    case.claim_of(0).unwrap();
    assert_eq!(arrivals(&case), [970_000, 0]);
}

/// The leaving part first, then the active one; a node below its minimum votes no more.
#[test]
fn claim_vote_of_an_unrevealed_commitment_takes_the_leaving_part_first() {
    for (leaving, left, active) in [(20_000, 0, 11_470_000), (70_000, 20_000, 11_430_000)] {
        let mut case = Case::audited(secret(), MALICE);
        let audit = case.audit();
        case.game
            .request_leave(&case.voters[0], Some(leaving))
            .unwrap();
        case.game
            .commit_vote(&case.voters[0], &audit, MALICE, [9; 32])
            .unwrap();
        case.resolve().unwrap();
        case.claim_of(0).unwrap();
        assert_eq!(case.money(0), [950_000, left, 0, 0]);
        assert_eq!(
            case.game.task().electorate.stake.get(),
            active - 20_000 * u64::from(left == 0)
        );
    }
}

#[test]
fn claim_vote_of_an_unrevealed_commitment_of_a_node_at_its_minimum_takes_its_vote() {
    let mut case = Case::submitted(secret());
    case.game.warp(START + 2);
    let poor = case.game.witness(500_000);
    case.game.warp(START + 3);
    let worker = case.game.worker(1_000_000);
    case.game.submit_work(&worker, 0).unwrap();
    case.game
        .open_audit(&case.initiator, &worker, 0, MALICE)
        .unwrap();
    let audit = case.game.audit(&worker, 0, 0);
    case.game
        .commit_vote(&poor, &audit, MALICE, [9; 32])
        .unwrap();
    case.game.warp(START + 203);
    case.game.resolve_audit(&audit).unwrap();
    let before = case.game.task().electorate;
    case.game.claim_vote(&poor, &audit).unwrap();
    let after = case.game.task().electorate;
    assert_eq!(before.nodes.get() - after.nodes.get(), 1);
    assert_eq!(before.stake.get() - after.stake.get(), 500_000);
    assert_eq!(case.game.node(&poor).stake.get(), 450_000);
}

/// Another audit took all but `left` of the voter first: the deposit is what is there.
#[test]
fn claim_vote_of_an_unrevealed_commitment_takes_what_is_left() {
    for (malice_bps, left, lost) in [
        (9_400, 60_000, 50_000),
        (9_500, 50_000, 50_000),
        (9_700, 30_000, 30_000),
        (10_000, 0, 0),
    ] {
        let mut game = Game::new(RulesArgs {
            malice_bps,
            ..secret()
        });
        let (accused, voter) = (game.worker(4_000_000), game.worker(1_000_000));
        let witnesses = [(); 3].map(|()| game.witness(1_000_000));
        game.warp(START + 1);
        for worker in [&accused, &voter] {
            game.submit_work(worker, 0).unwrap();
            game.open_audit(&witnesses[0], worker, 0, MALICE).unwrap();
        }
        let [shut, against] = [&accused, &voter].map(|worker| game.audit(worker, 0, 0));
        game.commit_vote(&voter, &shut, VALID, [9; 32]).unwrap();
        for witness in &witnesses[1..] {
            game.commit_vote(witness, &against, MALICE, [9; 32])
                .unwrap();
        }
        game.warp(START + 51);
        for witness in &witnesses[1..] {
            game.reveal_vote(witness, &against, MALICE, [9; 32])
                .unwrap();
        }
        game.warp(START + 201);
        game.resolve_audit(&against).unwrap();
        game.resolve_audit(&shut).unwrap();
        assert_eq!(game.node(&voter).stake.get(), left);
        let pool = game.task().pool.get();
        let sent = game.claim_vote(&voter, &shut);
        logged(
            sent,
            &VoteClaimed {
                audit: shut,
                voter: voter.owner.pubkey(),
                share: 0,
                deposit_lost: lost,
                pool_award: 0,
                slot: START + 201,
            },
        );
        let node = game.node(&voter);
        assert_eq!(node.stake.get(), left - lost);
        assert_eq!(
            (node.commitments.get(), node.votes_unrevealed.get()),
            (0, 1)
        );
        assert_eq!(game.task().pool.get(), pool + lost);
    }
}

/// Deposits of 400,000 out of 1,000,000: three that stay shut lose all of it, a fourth nothing more.
#[test]
fn claim_vote_of_unrevealed_commitments_side_by_side_takes_no_more_than_the_stake() {
    let mut case = Case::submitted(RulesArgs {
        vote_deposit: 400_000,
        ..secret()
    });
    let audits = [0, 1, 2, 3].map(|attempt| {
        case.game
            .open_audit(&case.initiator, &case.accused, 0, MALICE)
            .unwrap();
        let audit = case.game.audit(&case.accused, 0, attempt);
        case.game
            .commit_vote(&case.voters[0], &audit, MALICE, [9; 32])
            .unwrap();
        audit
    });
    case.game.warp(START + 201);
    for audit in &audits {
        case.game.resolve_audit(audit).unwrap();
    }
    for (claimed, left) in [600_000, 200_000, 0, 0].into_iter().enumerate() {
        assert_eq!(case.money(0)[2], 4 - claimed as u64);
        case.game
            .claim_vote(&case.voters[0], &audits[claimed])
            .unwrap();
        assert_eq!(case.money(0)[0], left);
    }
    assert_eq!(case.game.task().pool.get(), 1_000_000);
    assert_eq!(case.unrevealed(0), 4);
}

// Accounts.

#[test]
fn claim_vote_to_another_node_fails() {
    let mut case = convicted();
    for other in [case.voters[1].node, case.initiator.node, case.accused.node] {
        let claim = swap(case.claim_ix(), &case.voters[0].node, &other);
        refused(case.game.send_by_creator(claim), TaskError::WrongNode);
    }
}

/// The same voter's vote in another audit of the task.
#[test]
fn claim_vote_of_another_audit_fails() {
    let mut case = resolved(rules(), &[MALICE]);
    case.game
        .open_audit(&case.initiator, &case.accused, 0, MALICE)
        .unwrap();
    let second = case.game.audit(&case.accused, 0, 1);
    case.game
        .cast_vote(&case.voters[0], &second, MALICE)
        .unwrap();
    case.game.warp(RESOLVED + 200);
    case.game.resolve_audit(&second).unwrap();
    let claim = swap(case.claim_ix(), &case.audit(), &second);
    refused(case.game.send_by_creator(claim), TaskError::WrongAudit);
}

#[test]
fn claim_vote_with_another_tasks_account_fails() {
    let mut case = convicted();
    let first = case.game.task;
    case.game.next_task(1);
    let [accused, initiator, voter] =
        [&case.accused, &case.initiator, &case.voters[0]].map(|actor| case.game.here(actor));
    case.game.join_task(&accused, 0, 4_000_000).unwrap();
    case.game.join_task(&initiator, 1, 2_000_000).unwrap();
    case.game.join_task(&voter, 1, 1_000_000).unwrap();
    case.game.warp(RESOLVED + 1);
    case.game.submit_work(&accused, 0).unwrap();
    case.game
        .open_audit(&initiator, &accused, 0, MALICE)
        .unwrap();
    let other_audit = case.game.audit(&accused, 0, 0);
    case.game.cast_vote(&voter, &other_audit, MALICE).unwrap();
    case.game.warp(RESOLVED + 201);
    case.game.resolve_audit(&other_audit).unwrap();
    let other_task = case.game.task;
    case.game.enter(first);

    let with_task = swap(case.claim_ix(), &first, &other_task);
    // The vote is of that audit, the node of the task played.
    let with_audit = case.game.claim_vote_ix(&case.voters[0], &other_audit);
    let with_node = swap(case.claim_ix(), &case.voters[0].node, &voter.node);
    for claim in [with_task, with_audit, with_node] {
        refused(case.game.send_by_creator(claim), TaskError::WrongTask);
    }
    case.claim_of(0).unwrap();
}

fn accounts_of(case: &Case) -> [Address; 4] {
    [
        case.game.task,
        case.audit(),
        vote_address(&case.audit(), &case.voters[0].owner.pubkey()),
        case.voters[0].node,
    ]
}

#[test]
fn claim_vote_with_one_account_in_two_places_fails() {
    let mut case = convicted();
    let accounts = accounts_of(&case);
    for place in 0..4 {
        let repeated = accounts[(place + 1) % 4];
        let claim = swap(case.claim_ix(), &accounts[place], &repeated);
        let sent = case.game.send_by_creator(claim);
        assert_eq!(failure(sent), InstructionError::Custom(2040));
    }
}

#[test]
fn claim_vote_with_a_forged_account_fails() {
    let mut case = convicted();
    for real in accounts_of(&case) {
        let forged = case.game.forge(&real);
        let claim = swap(case.claim_ix(), &real, &forged);
        let sent = case.game.send_by_creator(claim);
        assert_eq!(failure(sent), InstructionError::IllegalOwner);
    }
}

#[test]
fn claim_vote_with_an_account_of_another_kind_fails() {
    let mut case = convicted();
    for real in accounts_of(&case) {
        let disguised = case.game.disguise(&real);
        let claim = swap(case.claim_ix(), &real, &disguised);
        let sent = case.game.send_by_creator(claim);
        assert_eq!(failure(sent), InstructionError::InvalidAccountData);
    }
}

#[test]
fn claim_vote_with_an_account_that_cannot_be_written_fails() {
    let mut case = convicted();
    for place in accounts_of(&case) {
        let claim = readonly(case.claim_ix(), &place);
        let sent = case.game.send_by_creator(claim);
        assert_eq!(failure(sent), InstructionError::Custom(2000));
    }
}

// The pot of a lost appeal's bond.

/// The standard case, appealed in vain by the initiator, with these votes before the appeal: shares of the three voters, and what the last
/// claim left over for the pool.
fn appealed_in_vain(rules: RulesArgs, opinions: &[u8], outcome: Outcome) -> ([u64; 3], u64) {
    let mut case = Case::audited(
        RulesArgs {
            appeal_slots: 200,
            appeal_bond: 100_000,
            leave_delay_slots: 1_000,
            quorum_bps: 0,
            ..rules
        },
        MALICE,
    );
    case.vote(opinions);
    let audit = case.audit();
    case.game
        .warp(case.game.get::<Audit>(&audit).end_slot.get());
    case.game.appeal_audit(&case.initiator, &audit).unwrap();
    case.resolve().unwrap();
    assert_eq!(case.outcome(), outcome);
    let pool = case.game.task().pool.get();
    case.claim(opinions.len());
    let over = case.game.task().pool.get() - pool;
    ([0, 1, 2].map(|voter| case.locked(voter)), over)
}

/// 90,000 for all who voted, and a tenth for the pool, whatever they said and whoever else is paid: nobody won. By node, and by 1,000,000, 1,500,000 and 3,000,000.
#[test]
fn claim_vote_of_a_lost_appeal_without_verdict_pays_all() {
    for reward_rule in [RewardRule::All as u8, RewardRule::Majority as u8] {
        let rules = |vote_weight: VoteWeight| RulesArgs {
            vote_weight: vote_weight as u8,
            reward_rule,
            ..rules()
        };
        // A tie, with the accusation.
        assert_eq!(
            appealed_in_vain(
                rules(VoteWeight::Node),
                &[MALICE, VALID, VALID],
                Outcome::NoVerdict
            ),
            ([30_000; 3], 0)
        );
        // One vote of the two that are asked for.
        assert_eq!(
            appealed_in_vain(rules(VoteWeight::Node), &[VALID], Outcome::NoVerdict),
            ([90_000, 0, 0], 0)
        );
        // 3,000,000 with the accusation against 4,500,000, which is one vote's quorum short.
        assert_eq!(
            appealed_in_vain(
                RulesArgs {
                    quorum_votes: 3,
                    ..rules(VoteWeight::Stake)
                },
                &[MALICE, VALID, VALID],
                Outcome::NoVerdict
            ),
            ([16_363, 24_545, 49_090], 2)
        );
    }
}

/// The bond without the pool's tenth joins what a verdict shares, by its rules: 120,000 and 90,000 after an acquittal, 1,200,000 and 90,000
/// after a conviction.
#[test]
fn claim_vote_of_a_lost_appeal_with_a_verdict_pays_by_its_rules() {
    let rules = |vote_weight: VoteWeight, reward_rule: RewardRule| RulesArgs {
        vote_weight: vote_weight as u8,
        reward_rule: reward_rule as u8,
        ..rules()
    };
    use Outcome::*;
    let (v, m) = (VALID, MALICE);
    for (weight, reward, opinions, outcome, expected) in [
        (
            VoteWeight::Node,
            RewardRule::All,
            [v, v, v],
            Acquitted,
            ([70_000; 3], 0),
        ),
        (
            VoteWeight::Node,
            RewardRule::Majority,
            [m, m, v],
            ConvictedMalice,
            ([430_000, 430_000, 0], 0),
        ),
        (
            VoteWeight::Node,
            RewardRule::All,
            [m, m, v],
            ConvictedMalice,
            ([322_500; 3], 0),
        ),
        // 1,000,000, 1,500,000 and 3,000,000 of 5,500,000.
        (
            VoteWeight::Stake,
            RewardRule::All,
            [v, v, v],
            Acquitted,
            ([38_181, 57_272, 114_545], 2),
        ),
        // 1,500,000 and 3,000,000 of 4,500,000.
        (
            VoteWeight::Stake,
            RewardRule::Majority,
            [m, v, v],
            Acquitted,
            ([0, 70_000, 140_000], 0),
        ),
        // Of 7,500,000, 2,000,000 of which is the accusation's.
        (
            VoteWeight::Stake,
            RewardRule::All,
            [m, m, m],
            ConvictedMalice,
            ([172_000, 258_000, 516_000], 0),
        ),
    ] {
        let rules = rules(weight, reward);
        assert_eq!(appealed_in_vain(rules, &opinions, outcome), expected);
    }
}

/// A commitment that was never told has no part in it; the deposit is lost besides.
#[test]
fn claim_vote_of_an_unrevealed_commitment_has_no_part_of_a_lost_appeal() {
    let mut case = Case::audited(
        RulesArgs {
            commit_slots: 50,
            reveal_slots: 150,
            ..appealable()
        },
        MALICE,
    );
    let audit = case.audit();
    for voter in &case.voters[..2] {
        case.game
            .commit_vote(voter, &audit, MALICE, [9; 32])
            .unwrap();
    }
    case.game.warp(START + 52);
    case.game
        .reveal_vote(&case.voters[0], &audit, MALICE, [9; 32])
        .unwrap();
    case.game.warp(START + 202);
    case.game.appeal_audit(&case.voters[2], &audit).unwrap();
    case.resolve().unwrap();
    assert_eq!(case.outcome(), Outcome::NoVerdict);
    case.claim(2);
    assert_eq!((case.locked(0), case.locked(1)), (90_000, 0));
    assert_eq!(case.money(1)[0], 1_450_000);
    assert_eq!(case.game.task().pool.get(), 60_000);
}
