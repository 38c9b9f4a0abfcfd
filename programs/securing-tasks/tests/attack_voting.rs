//! Attacks on votes: copied, guessed, hidden, lazy, bought, multiplied, late, changed or cast twice.
//!
//! Each is carried out with the attacker's own keys and ends with what everyone has in the wallet, fees aside. Unless a test says
//! otherwise: a conviction for malice takes 2,000,000 of 4,000,000 (600,000 bonus, 200,000 pool, 1,200,000 voters); an acquittal
//! takes the bond of 200,000 (60,000 to the accused, 20,000 pool, 120,000 to the voters); a commitment that is never revealed loses 50,000.

mod attack_kit;
mod common;

use anchor_lang::prelude::Address;
use anchor_spl::token_2022::spl_token_2022;
use attack_kit::*;
use common::*;
use securing_tasks::{
    state::commitment, Audit, GateKind, Outcome, RewardRule, RulesArgs, Submission,
    SubmissionStatus, Vote, VoteWeight,
};
use solana_signer::Signer;
use std::collections::BTreeSet;

/// A salt as a client makes it: 32 bytes that nobody can guess.
fn salt() -> [u8; 32] {
    fresh().pubkey().to_bytes()
}

fn vote(game: &Game, voter: &Actor, audit: &Address) -> Vote {
    game.get(&vote_address(audit, &voter.owner.pubkey()))
}

// Vote copying.

/// The copier can't open what it copied, since the hash names the voter: it has no share (400,000 for each that did its own work)
/// and loses its deposit.
#[test]
fn vote_copying_of_a_commitment_costs_the_deposit() {
    let case = Case::audited(committed(), MALICE);
    let audit = case.audit();
    let Case {
        mut game,
        accused,
        initiator,
        voters: [first, copier, third],
    } = case;
    let (one, other) = (salt(), salt());
    game.commit_vote(&first, &audit, MALICE, one).unwrap();
    game.commit_vote(&third, &audit, MALICE, other).unwrap();
    let seen = vote(&game, &first, &audit).commitment;
    let copy = game.commit_vote_ix(&copier, &audit, seen);
    game.send(&[copy], &[&copier.operator]).unwrap();

    game.warp(START + 52);
    game.reveal_vote(&first, &audit, MALICE, one).unwrap();
    game.reveal_vote(&third, &audit, MALICE, other).unwrap();
    // Now the copier knows verdict and salt.
    for opinion in [VALID, DOWNTIME, MALICE] {
        refused(
            game.reveal_vote(&copier, &audit, opinion, one),
            TaskError::CommitmentMismatch,
        );
    }
    assert_eq!(
        settle(&mut game, &audit, &[&first, &copier, &third]),
        Outcome::ConvictedMalice
    );
    // 1,200,000 among the initiator and two who revealed.
    assert_eq!(
        gains(&mut game, [&accused, &initiator, &first, &copier, &third]),
        [-2_000_000, 1_000_000, 400_000, -50_000, 400_000]
    );
}

/// Anyone who knows the salt opens the vote, for its voter: not as one's own, not with another node, not earlier.
#[test]
fn vote_copying_by_opening_anothers_vote_counts_it_for_its_voter() {
    let case = Case::audited(committed(), MALICE);
    let audit = case.audit();
    let Case {
        mut game,
        voters: [first, copier, _],
        ..
    } = case;
    let salt = salt();
    game.commit_vote(&first, &audit, MALICE, salt).unwrap();
    let open = game.reveal_vote_ix(&first, &audit, MALICE, salt);
    game.warp(START + 51);
    refused(
        game.send(std::slice::from_ref(&open), &[&copier.operator]),
        TaskError::VotingClosed,
    );
    game.warp(START + 52);
    let through_node = swap(open.clone(), &first.node, &copier.node);
    refused(
        game.send(&[through_node], &[&copier.operator]),
        TaskError::WrongNode,
    );
    game.send(&[open], &[&copier.operator]).unwrap();
    assert_eq!(vote(&game, &first, &audit).opinion.0, MALICE);
    assert_eq!(game.node(&first).commitments.get(), 0);
    assert_eq!(game.get::<Audit>(&audit).votes.nodes[2].get(), 2);
}

/// A task with open votes shows them, and who copies earns what who checks earns: that is the creator's choice of no commit window.
#[test]
fn vote_copying_in_an_open_vote_earns_what_the_copied_vote_earns() {
    let case = Case::audited(rules(), MALICE);
    let audit = case.audit();
    let Case {
        mut game,
        accused,
        initiator,
        voters: [first, copier, third],
    } = case;
    game.cast_vote(&first, &audit, MALICE).unwrap();
    let seen = vote(&game, &first, &audit).opinion.0;
    decide(&mut game, &audit, &[(&copier, seen), (&third, MALICE)]);
    game.claim_vote(&first, &audit).unwrap();
    assert_eq!(
        gains(&mut game, [&accused, &initiator, &first, &copier, &third]),
        [-2_000_000, 900_000, 300_000, 300_000, 300_000]
    );
}

// Salt guessing.

/// Salts that a careless client or person might take: one byte over and over, and small numbers.
fn weak_salts() -> impl Iterator<Item = [u8; 32]> {
    let counted = (0u64..10_000).map(|number| {
        let mut salt = [0; 32];
        salt[..8].copy_from_slice(&number.to_le_bytes());
        salt
    });
    (0..=u8::MAX).map(|byte| [byte; 32]).chain(counted)
}

/// What the vote says, if one of the salts is its.
fn guess(vote: &Vote, salts: impl Iterator<Item = [u8; 32]>) -> Option<u8> {
    for salt in salts {
        for opinion in [VALID, DOWNTIME, MALICE] {
            if commitment(&vote.audit, &vote.owner, opinion, &salt) == vote.commitment {
                return Some(opinion);
            }
        }
    }
    None
}

/// A random salt is never found, a weak one after at most 30,768 hashes, a used one after three. So the client makes a new random salt
/// for each vote and never asks a person for one. Even a guessed vote can't be opened by the guesser.
#[test]
fn salt_guessing_finds_weak_and_used_salts_and_no_random_one() {
    let case = Case::audited(committed(), MALICE);
    let audit = case.audit();
    let Case {
        mut game,
        accused,
        initiator,
        voters: [careful, careless, reusing],
    } = case;
    let used = salt();
    game.commit_vote(&careful, &audit, MALICE, salt()).unwrap();
    game.commit_vote(&careless, &audit, MALICE, [7; 32])
        .unwrap();
    let seen = [&careful, &careless].map(|voter| vote(&game, voter, &audit));
    assert_eq!(guess(&seen[0], weak_salts()), None);
    assert_eq!(guess(&seen[1], weak_salts()), Some(MALICE));
    game.warp(START + 52);

    // Only one vote is opened, by who guessed its salt: no verdict, and the same salt again in the second audit.
    let open = game.reveal_vote_ix(&careless, &audit, MALICE, [7; 32]);
    game.send(&[open], &[&reusing.operator]).unwrap();
    assert_eq!(
        settle(&mut game, &audit, &[&careful, &careless]),
        Outcome::NoVerdict
    );
    let second = accuse(&mut game, &initiator, &accused, 0);
    game.commit_vote(&reusing, &second, VALID, used).unwrap();
    game.warp(game.get::<Audit>(&second).reveal_slot.get());
    game.reveal_vote(&reusing, &second, VALID, used).unwrap();
    // As a third commitment with the used salt would be guessed.
    let mut third = vote(&game, &reusing, &second);
    third.audit = game.next_audit(&initiator, &accused, 0);
    third.commitment = commitment(&third.audit, &third.owner, VALID, &used);
    assert_eq!(guess(&third, std::iter::once(used)), Some(VALID));
}

// Not revealing.

/// Wait, and tell only if it wins: hiding a vote that loses costs 50,000. Telling it gives 300,000 where all voters are paid, and
/// nothing where the majority is.
#[test]
fn not_revealing_a_losing_vote_costs_the_deposit() {
    for (reward_rule, share, told) in [
        (RewardRule::All, 400_000, 300_000),
        (RewardRule::Majority, 400_000, 0),
    ] {
        for reveals in [false, true] {
            let rules = RulesArgs {
                reward_rule: reward_rule as u8,
                ..committed()
            };
            let case = Case::audited(rules, MALICE);
            let audit = case.audit();
            let Case {
                mut game,
                accused,
                voters: [first, second, waiter],
                ..
            } = case;
            for (voter, opinion) in [(&first, MALICE), (&second, MALICE), (&waiter, VALID)] {
                game.commit_vote(voter, &audit, opinion, [9; 32]).unwrap();
            }
            game.warp(START + 52);
            game.reveal_vote(&first, &audit, MALICE, [9; 32]).unwrap();
            game.reveal_vote(&second, &audit, MALICE, [9; 32]).unwrap();
            if reveals {
                game.reveal_vote(&waiter, &audit, VALID, [9; 32]).unwrap();
            }
            settle(&mut game, &audit, &[&first, &second, &waiter]);
            let [_, first, waiter] = gains(&mut game, [&accused, &first, &waiter]);
            if reveals {
                assert_eq!(waiter, told);
            } else {
                assert_eq!((first, waiter), (share, -50_000));
            }
        }
    }
}

/// To keep a quorum from being met by committing and staying silent, each of the silent pays its deposit to the pool.
#[test]
fn not_revealing_to_spoil_a_quorum_costs_every_deposit() {
    let case = Case::audited(committed(), MALICE);
    let audit = case.audit();
    let Case {
        mut game,
        accused,
        initiator,
        voters: [honest, silent, other],
    } = case;
    for voter in [&honest, &silent, &other] {
        game.commit_vote(voter, &audit, MALICE, [9; 32]).unwrap();
    }
    game.warp(START + 52);
    game.reveal_vote(&honest, &audit, MALICE, [9; 32]).unwrap();
    assert_eq!(
        settle(&mut game, &audit, &[&honest, &silent, &other]),
        Outcome::NoVerdict
    );
    assert_eq!(game.task().pool.get(), 100_000);
    assert_eq!(
        gains(&mut game, [&accused, &initiator, &honest, &silent, &other]),
        [0, 0, 0, -50_000, -50_000]
    );
}

/// The price is the creator's: with no deposit, silence costs nothing.
#[test]
fn not_revealing_is_free_where_the_creator_asks_for_no_deposit() {
    let case = Case::audited(
        RulesArgs {
            vote_deposit: 0,
            ..committed()
        },
        MALICE,
    );
    let audit = case.audit();
    let Case {
        mut game,
        voters: [first, second, silent],
        ..
    } = case;
    for voter in [&first, &second, &silent] {
        game.commit_vote(voter, &audit, MALICE, [9; 32]).unwrap();
    }
    game.warp(START + 52);
    game.reveal_vote(&first, &audit, MALICE, [9; 32]).unwrap();
    game.reveal_vote(&second, &audit, MALICE, [9; 32]).unwrap();
    settle(&mut game, &audit, &[&first, &second, &silent]);
    assert_eq!(gains(&mut game, [&first, &silent]), [400_000, 0]);
}

// Lazy voting.

/// One guilty and one innocent worker; `checking` votes rightly on both, `lazy` says malice always. What each ends with.
fn lazy_and_checking(rules: RulesArgs) -> [i64; 2] {
    let mut game = Game::new(rules);
    let [guilty, innocent] = [(); 2].map(|()| game.worker(4_000_000));
    let [initiator, checking, lazy, second, third] = [(); 5].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    game.submit_work(&guilty, 0).unwrap();
    game.submit_work(&innocent, 0).unwrap();
    let bad = accuse(&mut game, &initiator, &guilty, 0);
    let good = accuse(&mut game, &initiator, &innocent, 0);
    for (voter, opinion) in [
        (&checking, VALID),
        (&lazy, MALICE),
        (&second, VALID),
        (&third, VALID),
    ] {
        game.cast_vote(voter, &good, opinion).unwrap();
    }
    let votes = [(&checking, MALICE), (&lazy, MALICE), (&second, MALICE)];
    assert_eq!(decide(&mut game, &bad, &votes), Outcome::ConvictedMalice);
    assert_eq!(
        settle(&mut game, &good, &[&checking, &lazy, &second, &third]),
        Outcome::Acquitted
    );
    gains(&mut game, [&checking, &lazy])
}

/// 1,200,000 among four guilty votes, and 120,000 among three valid ones that the lazy voter isn't among.
#[test]
fn lazy_voting_earns_less_than_checking_where_the_majority_is_paid() {
    assert_eq!(
        lazy_and_checking(majority_paid()),
        [300_000 + 40_000, 300_000]
    );
}

/// Seed: "all nodes who participated in the audit vote". Then the wrong vote earns the same, and shows in the record alone.
#[test]
fn lazy_voting_earns_the_same_where_all_are_paid() {
    assert_eq!(lazy_and_checking(rules()), [300_000 + 30_000; 2]);
}

#[test]
fn lazy_voting_stays_on_the_voters_record() {
    let case = Case::audited(rules(), MALICE);
    let audit = case.audit();
    let Case {
        mut game,
        voters: [first, second, lazy],
        ..
    } = case;
    decide(
        &mut game,
        &audit,
        &[(&first, MALICE), (&second, MALICE), (&lazy, VALID)],
    );
    let record = |voter| {
        let node = game.node(voter);
        (
            node.votes_with_majority.get(),
            node.votes_against_majority.get(),
        )
    };
    assert_eq!((record(&first), record(&lazy)), ((1, 0), (0, 1)));
}

// Shield audit.

/// The accused's friend accuses it, another friend votes valid: too thin, nothing is cleared, and the honest accuse it again.
#[test]
fn shield_audit_below_quorum_clears_nothing() {
    let mut game = Game::new(rules());
    let accused = game.worker(4_000_000);
    let [friend, second_friend, initiator, first, second] =
        [(); 5].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    let shield = accuse(&mut game, &friend, &accused, 0);
    assert_eq!(
        decide(&mut game, &shield, &[(&second_friend, VALID)]),
        Outcome::NoVerdict
    );
    let submission = game.get::<Submission>(&game.submission(&accused, 0));
    assert_eq!(submission.status, SubmissionStatus::Submitted);

    let real = accuse(&mut game, &initiator, &accused, 0);
    assert_eq!(
        decide(&mut game, &real, &[(&first, MALICE), (&second, MALICE)]),
        Outcome::ConvictedMalice
    );
    assert_eq!(
        gains(
            &mut game,
            [&accused, &friend, &second_friend, &initiator, &first]
        ),
        [-2_000_000, 0, 0, 1_000_000, 400_000]
    );
}

/// A shield is an audit like any other: two honest votes turn it into a conviction. Accusing of downtime doesn't soften it.
#[test]
fn shield_audit_convicts_when_the_honest_vote_in_it() {
    let mut game = Game::new(rules());
    let accused = game.worker(4_000_000);
    let [friend, second_friend, first, second, third] = [(); 5].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    game.open_audit(&friend, &accused, 0, DOWNTIME).unwrap();
    let shield = game.audit(&accused, 0, 0);
    let votes = [
        (&second_friend, VALID),
        (&first, MALICE),
        (&second, MALICE),
        (&third, MALICE),
    ];
    assert_eq!(decide(&mut game, &shield, &votes), Outcome::ConvictedMalice);
    // Five votes share 1,200,000; the friend has the bonus. Together: 2,000,000 - 600,000 - 2 * 240,000 lost.
    assert_eq!(
        gains(&mut game, [&accused, &friend, &second_friend, &first]),
        [-2_000_000, 840_000, 240_000, 240_000]
    );
}

/// The price of a shield while all others sleep: friends that vote valid with the quorum's share of all but the accused, besides the one
/// that accuses. 20 % here, of stake or of heads; one unit or sleeper makes the difference. And it clears nothing: whoever wakes while the
/// audit window lasts accuses again.
#[test]
fn shield_audit_while_all_sleep_needs_the_quorum_and_bars_nobody_who_wakes() {
    for (rules, last, sleepers, expected) in [
        (by_stake(), 999_999, 1, Outcome::NoVerdict),
        (by_stake(), 1_000_000, 1, Outcome::Acquitted),
        (rules(), 500_000, 8, Outcome::NoVerdict),
        (rules(), 500_000, 7, Outcome::Acquitted),
    ] {
        let mut game = Game::new(rules);
        let accused = game.worker(4_000_000);
        let friend = game.witness(500_000);
        let friends = [500_000, last].map(|stake| game.witness(stake));
        let sleepers: Vec<_> = (0..sleepers).map(|_| game.witness(5_500_000)).collect();
        game.warp(START + 1);
        game.submit_work(&accused, 0).unwrap();
        let shield = accuse(&mut game, &friend, &accused, 0);
        let votes = friends.each_ref().map(|friend| (friend, VALID));
        assert_eq!(decide(&mut game, &shield, &votes), expected);
        accuse(&mut game, &sleepers[0], &accused, 0);
    }
}

// Half asleep.

/// Three are awake, with a stake of 1,000,000 each, the rest sleeps. All three say malice, the first by its accusation; or another accuses
/// and all three say valid.
fn half_asleep(rules: RulesArgs, asleep: &[u64], opinion: u8) -> Outcome {
    let mut game = Game::new(rules);
    let accused = game.worker(4_000_000);
    let awake = [(); 3].map(|()| game.witness(1_000_000));
    let asleep: Vec<_> = asleep.iter().map(|stake| game.witness(*stake)).collect();
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    let [first, second, third] = &awake;
    if opinion == MALICE {
        let audit = accuse(&mut game, first, &accused, 0);
        return decide(&mut game, &audit, &[(second, MALICE), (third, MALICE)]);
    }
    let audit = accuse(&mut game, &asleep[0], &accused, 0);
    let votes = [first, second, third].map(|voter| (voter, VALID));
    decide(&mut game, &audit, &votes)
}

/// Not defended: whoever has the quorum decides while all others sleep, right or wrong, and with a smaller part nothing is decided. A fifth
/// of the heads (`seed`), half of the stake (`strict`), on the side that decides: what the one gives to few that are awake it gives to few
/// attackers, and the other asks that half be awake and of one mind.
#[test]
fn half_asleep_task_is_decided_by_the_quorums_share_and_by_no_less() {
    let half = || RulesArgs {
        quorum_bps: 5_000,
        ..by_stake()
    };
    for (opinion, decided) in [
        (MALICE, Outcome::ConvictedMalice),
        (VALID, Outcome::Acquitted),
    ] {
        assert_eq!(half_asleep(rules(), &[500_000; 12], opinion), decided);
        assert_eq!(
            half_asleep(rules(), &[500_000; 13], opinion),
            Outcome::NoVerdict
        );
        assert_eq!(half_asleep(half(), &[500_000, 2_500_000], opinion), decided);
        assert_eq!(
            half_asleep(half(), &[500_000, 2_500_001], opinion),
            Outcome::NoVerdict
        );
    }
    // No task may ask for more than half.
    let mut game = Game::unborn(RulesArgs {
        quorum_bps: 5_001,
        ..half()
    });
    refused(game.create_task(), TaskError::QuorumOverHalf);
}

// Two hats.

/// One owner has one node and one vote, whatever its hot key.
#[test]
fn two_hats_of_one_owner_are_refused() {
    let case = Case::audited(rules(), MALICE);
    let audit = case.audit();
    let Case {
        mut game,
        accused,
        initiator,
        voters: [voter, ..],
    } = case;
    fails(game.join_task(&accused, 1, 500_000));
    let rename = |game: &mut Game, actor: &Actor| {
        let operator = key(&mut game.svm);
        game.set_operator(actor, operator.pubkey()).unwrap();
        Actor {
            operator,
            ..game.here(actor)
        }
    };
    let accused = rename(&mut game, &accused);
    refused(
        game.cast_vote(&accused, &audit, VALID),
        TaskError::AccusedCannotVote,
    );
    let initiator = rename(&mut game, &initiator);
    refused(
        game.cast_vote(&initiator, &audit, MALICE),
        TaskError::InitiatorAlreadyVoted,
    );
    game.cast_vote(&voter, &audit, MALICE).unwrap();
    let voter = rename(&mut game, &voter);
    fails(game.cast_vote(&voter, &audit, MALICE));
    let votes = game.get::<Audit>(&audit).votes;
    assert_eq!(votes.nodes.map(|nodes| nodes.get()), [0, 0, 2]);
}

/// One hot key may serve two owners, the accused and a voter: nothing can tell two wallets apart, and each weighs its own stake.
#[test]
fn two_hats_of_two_wallets_weigh_their_own_stake() {
    let case = Case::audited(by_stake(), MALICE);
    let audit = case.audit();
    let Case {
        mut game,
        accused,
        initiator,
        voters: [friend, second, third],
    } = case;
    game.set_operator(&friend, accused.operator.pubkey())
        .unwrap();
    let friend = Actor {
        operator: accused.operator.insecure_clone(),
        ..game.here(&friend)
    };
    // Of 7,500,000 the friend weighs 1,000,000.
    let votes = [(&friend, VALID), (&second, MALICE), (&third, MALICE)];
    assert_eq!(decide(&mut game, &audit, &votes), Outcome::ConvictedMalice);
    // 1,200,000 * 1,000,000 / 7,500,000.
    assert_eq!(
        gains(&mut game, [&accused, &initiator, &friend]),
        [-2_000_000, 600_000 + 320_000, 160_000]
    );
}

// Sybil.

/// Votes by head against an innocent worker whom three honest voters defend: what the attacker gains with so many heads, the one that
/// accuses among them, and how it ended.
fn sybils(heads: usize) -> (Outcome, i64) {
    let mut game = Game::new(rules());
    let innocent = game.worker(4_000_000);
    let honest = [(); 3].map(|()| game.witness(1_000_000));
    let first = game.witness(700_000);
    let others: Vec<_> = (1..heads).map(|_| game.witness(550_000)).collect();
    game.warp(START + 1);
    game.submit_work(&innocent, 0).unwrap();
    let audit = accuse(&mut game, &first, &innocent, 0);
    let mut votes: Vec<_> = honest.iter().map(|voter| (voter, VALID)).collect();
    votes.extend(others.iter().map(|head| (head, MALICE)));
    let outcome = decide(&mut game, &audit, &votes);
    let [mut sum] = gains(&mut game, [&first]);
    for head in &others {
        sum += gains(&mut game, [head])[0];
    }
    (outcome, sum)
}

/// It can't be prevented where votes count by head and everyone may join: the price is one witness's minimum for each vote, more of
/// them than honest voters, and the bond. Four heads stake 700,000 + 3 * 550,000 = 2,350,000 for a leave delay and take
/// 600,000 + 4/7 of 1,200,000. With a tie they gain nothing, below it they lose the bond but for their votes' shares of it.
#[test]
fn sybil_by_head_must_stake_a_minimum_for_more_votes_than_the_honest_have() {
    // 120,000 among the five or four besides the initiator: the attacker's lose 200,000 - 1 * 30,000 with two heads.
    assert_eq!(sybils(2), (Outcome::Acquitted, -200_000 + 30_000));
    assert_eq!(sybils(3), (Outcome::NoVerdict, 0));
    assert_eq!(
        sybils(4),
        (Outcome::ConvictedMalice, 600_000 + 4 * (1_200_000 / 7))
    );

    // A head below the minimum doesn't get in.
    let mut game = Game::new(rules());
    let head = game.stranger();
    refused(
        game.join_task(&head, 1, 499_999),
        TaskError::StakeBelowMinimum,
    );
}

/// Three friends of a worker that four votes convict: 1,200,000 among seven. Where all voters are paid they bring 3/7 of it home by voting
/// for it in vain, at a minimum stake each; where the majority is paid, nothing.
#[test]
fn sybil_friends_of_the_convicted_share_its_slash_only_where_all_are_paid() {
    for (rules, share, back) in [
        (rules(), 1_200_000 / 7, 3 * (1_200_000 / 7)),
        (majority_paid(), 1_200_000 / 4, 0),
    ] {
        let mut game = Game::new(rules);
        let accused = game.worker(4_000_000);
        let [initiator, first, second, third] = [(); 4].map(|()| game.witness(1_000_000));
        let friends = [(); 3].map(|()| game.witness(550_000));
        game.warp(START + 1);
        game.submit_work(&accused, 0).unwrap();
        let audit = accuse(&mut game, &initiator, &accused, 0);
        let mut votes: Vec<_> = friends.iter().map(|friend| (friend, VALID)).collect();
        votes.extend([&first, &second, &third].map(|voter| (voter, MALICE)));
        assert_eq!(decide(&mut game, &audit, &votes), Outcome::ConvictedMalice);
        let [accused, first, friends @ ..] = gains(
            &mut game,
            [&accused, &first, &friends[0], &friends[1], &friends[2]],
        );
        assert_eq!((accused, first), (-2_000_000, share));
        assert_eq!(friends.iter().sum::<i64>(), back);
    }
}

/// By stake, two halves weigh and earn what one whole does: 1,200,000 * 2,000,000 / 6,000,000.
#[test]
fn sybil_by_stake_gains_nothing_by_splitting() {
    for parts in [1, 2, 4] {
        let mut game = Game::new(by_stake());
        let guilty = game.worker(4_000_000);
        let initiator = game.witness(2_000_000);
        let honest = [(); 2].map(|()| game.witness(1_000_000));
        let heads: Vec<_> = (0..parts)
            .map(|_| game.witness(2_000_000 / parts + 50_000))
            .collect();
        game.warp(START + 1);
        game.submit_work(&guilty, 0).unwrap();
        let audit = accuse(&mut game, &initiator, &guilty, 0);
        let mut votes: Vec<_> = honest.iter().map(|voter| (voter, MALICE)).collect();
        votes.extend(heads.iter().map(|head| (head, MALICE)));
        decide(&mut game, &audit, &votes);
        let stake = 2_000_000 + parts * 50_000;
        let each = 1_200_000 * (stake / parts) / (4_000_000 + stake);
        let sum: i64 = heads.iter().map(|head| gains(&mut game, [head])[0]).sum();
        assert_eq!(sum, (parts * each) as i64);
        assert!(each * parts <= 1_200_000 * stake / (4_000_000 + stake));
    }
}

/// A gate that asks for a balance doesn't count heads: one token opens it for one node after another in the same audit. Each head still
/// stakes a witness's minimum, as at an open gate.
#[test]
fn sybil_by_one_token_passed_from_node_to_node_still_stakes_for_each_head() {
    let mut game = Game::unborn(rules());
    let owner = game.creator.pubkey();
    let (badge, purse) = game.other_mint(&owner);
    game.rules.witness_gate = gate(GateKind::Token, badge, WALLET, 0);
    game.create_task().unwrap();
    let accused = game.worker(4_000_000);
    let mut heads: Vec<_> = (0..3).map(|_| game.stranger()).collect();
    let creator = game.creator.insecure_clone();
    for head in &mut heads {
        let wallet = make_wallet(
            &mut game.svm,
            &creator,
            &TOKEN,
            &badge,
            &head.owner.pubkey(),
            0,
        );
        head.gate_proof = Some(wallet);
    }
    let pass = |game: &mut Game, from: Address, by: &solana_keypair::Keypair, to: Address| {
        let transfer = spl_token_2022::instruction::transfer_checked(
            &TOKEN,
            &from,
            &badge,
            &to,
            &by.pubkey(),
            &[],
            WALLET,
            6,
        )
        .unwrap();
        game.send(&[transfer], &[by]).unwrap();
    };
    let wallets: Vec<_> = heads.iter().map(|head| head.gate_proof.unwrap()).collect();
    pass(&mut game, purse, &creator, wallets[0]);
    for (number, head) in heads.iter().enumerate() {
        game.join_task(head, 1, 700_000).unwrap();
        pass(
            &mut game,
            wallets[number],
            &head.owner,
            wallets[(number + 1) % 3],
        );
    }
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    let audit = accuse(&mut game, &heads[0], &accused, 0);
    // With the token each joined in turn. At votes it isn't asked for: else whoever takes it away silences its owner.
    for head in &heads[1..] {
        game.cast_vote(head, &audit, MALICE).unwrap();
    }
    let votes = game.get::<Audit>(&audit).votes;
    assert_eq!(votes.nodes[2].get(), 3);
    assert_eq!(votes.stake[2].get(), 3 * 700_000);
}

// Whale and bribe.

/// Half of the stake that votes is not enough to convict an innocent, one unit more is. It can't be prevented: the price is more
/// stake than all that comes to defend.
#[test]
fn whale_needs_more_stake_than_all_who_vote_against_it() {
    for (extra, expected, took) in [
        (0, Outcome::NoVerdict, 0),
        // Of 1,200,000 the whale's 3,000,001 of 6,000,001, three floors.
        (1, Outcome::ConvictedMalice, 600_000 + 3 * 199_999),
    ] {
        let mut game = Game::new(by_stake());
        let innocent = game.worker(4_000_000);
        let honest = [(); 2].map(|()| game.witness(1_500_000));
        let whale = [1_000_000, 1_000_000, 1_000_000 + extra].map(|stake| game.witness(stake));
        game.warp(START + 1);
        game.submit_work(&innocent, 0).unwrap();
        let audit = accuse(&mut game, &whale[0], &innocent, 0);
        let votes = [
            (&honest[0], VALID),
            (&honest[1], VALID),
            (&whale[1], MALICE),
            (&whale[2], MALICE),
        ];
        assert_eq!(decide(&mut game, &audit, &votes), expected);
        let sum: i64 = gains(&mut game, [&whale[0], &whale[1], &whale[2]])
            .iter()
            .sum();
        assert!((took..took + 3).contains(&sum), "{sum}");
    }
}

/// What a voter gives up by voting against what it saw, which is the least that a bribe must be.
fn bribe(rules: RulesArgs) -> i64 {
    let [honest, bribed] = [MALICE, VALID].map(|opinion| {
        let mut case = Case::audited(rules.clone(), MALICE);
        case.vote(&[MALICE, MALICE, opinion]);
        case.resolve().unwrap();
        case.claim(3);
        gains(&mut case.game, [&case.voters[2]])[0]
    });
    honest - bribed
}

/// A share of 300,000 where the majority is paid, and nothing where all are: there, honesty rests on the record and on what a slashed
/// network's token is worth.
#[test]
fn bribe_costs_a_voters_share_where_the_majority_is_paid() {
    assert_eq!(bribe(majority_paid()), 300_000);
    assert_eq!(bribe(rules()), 0);
}

// Fresh and borrowed stake.

#[test]
fn fresh_stake_of_the_submissions_slot_or_later_does_not_vote() {
    let mut game = Game::new(rules());
    let accused = game.worker(4_000_000);
    let initiator = game.witness(1_000_000);
    game.warp(START + 1);
    let in_slot_before = game.witness(10_000_000);
    game.submit_work(&accused, 0).unwrap();
    let in_slot_after = game.witness(10_000_000);
    game.warp(START + 2);
    let later = game.witness(10_000_000);
    let audit = accuse(&mut game, &initiator, &accused, 0);
    for voter in [&in_slot_before, &in_slot_after, &later] {
        refused(
            game.cast_vote(voter, &audit, VALID),
            TaskError::JoinedAfterSubmission,
        );
    }
}

/// Borrowed for one vote: it weighs nothing and is stuck for the leave delay.
#[test]
fn borrowed_stake_weighs_nothing_and_is_stuck_for_the_leave_delay() {
    let mut game = Game::new(by_stake());
    let accused = game.worker(4_000_000);
    let initiator = game.witness(2_000_000);
    let [borrower, honest, second] = [(); 3].map(|()| game.witness(1_000_000));
    // A round later, when what everyone joined with is old.
    let submitted = START + 1_000;
    game.warp(submitted);
    game.submit_work(&accused, 1).unwrap();
    let audit = accuse(&mut game, &initiator, &accused, 1);
    game.add_stake(&borrower, 900_000_000).unwrap();
    game.cast_vote(&borrower, &audit, VALID).unwrap();
    assert_eq!(vote(&game, &borrower, &audit).weight.get(), 1_000_000);
    game.request_leave(&borrower, None).unwrap();
    assert_eq!(
        decide(&mut game, &audit, &[(&honest, MALICE), (&second, MALICE)]),
        Outcome::ConvictedMalice
    );
    game.claim_vote(&borrower, &audit).unwrap();
    game.warp(submitted + 599);
    refused(game.withdraw(&borrower), TaskError::NothingToWithdraw);
    // 2,000,000 and twice 1,000,000 against 1,000,000; the lender had 900,000,000 out for 600 slots for a share of 240,000 that the
    // borrower would have had without.
    assert_eq!(
        gains(&mut game, [&borrower, &honest, &accused]),
        [240_000, 240_000, -2_000_000]
    );
}

/// Stake that took its leave back votes like stake that came now.
#[test]
fn fresh_stake_from_a_cancelled_leave_does_not_vote() {
    let mut game = Game::new(rules());
    let accused = game.worker(4_000_000);
    let initiator = game.witness(1_000_000);
    let leaver = game.witness(5_000_000);
    game.request_leave(&leaver, None).unwrap();
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    let audit = accuse(&mut game, &initiator, &accused, 0);
    refused(
        game.cast_vote(&leaver, &audit, VALID),
        TaskError::StakeTooRecent,
    );
    game.cancel_leave(&leaver).unwrap();
    refused(
        game.cast_vote(&leaver, &audit, VALID),
        TaskError::StakeTooRecent,
    );
}

// Stake raised in mid-vote.

/// Between commit and reveal the voter stakes ten times as much: the frozen weight counts and earns.
#[test]
fn stake_raise_in_mid_vote_changes_no_weight_and_no_share() {
    let case = Case::audited(
        RulesArgs {
            vote_weight: VoteWeight::Stake as u8,
            ..committed()
        },
        MALICE,
    );
    let audit = case.audit();
    let Case {
        mut game,
        initiator,
        voters: [raiser, second, third],
        ..
    } = case;
    for voter in [&raiser, &second, &third] {
        game.commit_vote(voter, &audit, MALICE, [9; 32]).unwrap();
    }
    game.warp(START + 52);
    game.add_stake(&raiser, 10_000_000).unwrap();
    game.add_stake(&initiator, 10_000_000).unwrap();
    for voter in [&raiser, &second, &third] {
        game.reveal_vote(voter, &audit, MALICE, [9; 32]).unwrap();
    }
    let votes = game.get::<Audit>(&audit).votes;
    assert_eq!(votes.stake[2].get(), 7_500_000);
    settle(&mut game, &audit, &[&raiser, &second, &third]);
    assert_eq!(
        gains(&mut game, [&initiator, &raiser, &second, &third]),
        [600_000 + 320_000, 160_000, 240_000, 480_000]
    );
}

/// Lowering it in mid-vote dodges nothing either: all that a voter has can be taken for its deposit until it leaves, and as much as is
/// pledged stays.
#[test]
fn stake_lowered_in_mid_vote_dodges_no_lost_deposit() {
    let case = Case::audited(committed(), MALICE);
    let audit = case.audit();
    let Case {
        mut game,
        voters: [dodger, second, third],
        ..
    } = case;
    for voter in [&dodger, &second, &third] {
        game.commit_vote(voter, &audit, MALICE, [9; 32]).unwrap();
    }
    game.request_leave(&dodger, None).unwrap();
    game.warp(START + 52);
    for voter in [&second, &third] {
        game.reveal_vote(voter, &audit, MALICE, [9; 32]).unwrap();
    }
    settle(&mut game, &audit, &[&dodger, &second, &third]);
    assert_eq!(gains(&mut game, [&dodger]), [-50_000]);
}

// Last-minute voting.

/// Who commits last knows no vote but the accusation. In the last slot it knows all the others, and can only open what it committed to
/// or lose its deposit.
#[test]
fn last_minute_reveal_cannot_change_what_was_committed() {
    let rules = RulesArgs {
        quorum_votes: 1,
        ..committed()
    };
    let case = Case::audited(rules, MALICE);
    let audit = case.audit();
    let Case {
        mut game,
        accused,
        voters: [first, second, last],
        ..
    } = case;
    game.warp(START + 51);
    let hidden = salt();
    game.commit_vote(&first, &audit, VALID, [1; 32]).unwrap();
    game.commit_vote(&second, &audit, MALICE, [2; 32]).unwrap();
    game.commit_vote(&last, &audit, MALICE, hidden).unwrap();
    let unread = game.get::<Audit>(&audit).votes;
    assert_eq!(unread.nodes.map(|nodes| nodes.get()), [0, 0, 1]);
    game.warp(START + 201);
    game.reveal_vote(&first, &audit, VALID, [1; 32]).unwrap();
    game.reveal_vote(&second, &audit, MALICE, [2; 32]).unwrap();
    refused(
        game.reveal_vote(&last, &audit, VALID, hidden),
        TaskError::CommitmentMismatch,
    );
    refused(
        game.commit_vote(&accused, &audit, VALID, hidden),
        TaskError::VotingClosed,
    );
    assert_eq!(
        settle(&mut game, &audit, &[&first, &second, &last]),
        Outcome::ConvictedMalice
    );
    assert_eq!(
        gains(&mut game, [&first, &second, &last]),
        [400_000, 400_000, -50_000]
    );
}

/// Open votes can be decided in their last slot: that, too, is the creator's choice of no commit window. One slot later is too late.
#[test]
fn last_minute_open_vote_counts_until_the_last_slot() {
    for (slot, passes) in [(START + 201, true), (START + 202, false)] {
        let mut case = Case::audited(rules(), MALICE);
        case.vote(&[VALID, VALID]);
        case.game.warp(slot);
        let audit = case.audit();
        let sent = case.game.cast_vote(&case.voters[2], &audit, MALICE);
        if passes {
            sent.unwrap();
        } else {
            refused(sent, TaskError::VotingClosed);
        }
        case.resolve().unwrap();
        let expected = if passes {
            Outcome::NoVerdict
        } else {
            Outcome::Acquitted
        };
        assert_eq!(outcome(&case.game, &audit), expected);
    }
}

// Votes twice or after the end.

#[test]
fn vote_switch_is_refused_and_counts_once() {
    let case = Case::audited(rules(), MALICE);
    let audit = case.audit();
    let Case {
        mut game,
        voters: [voter, ..],
        ..
    } = case;
    game.cast_vote(&voter, &audit, VALID).unwrap();
    for opinion in [VALID, MALICE] {
        fails(game.cast_vote(&voter, &audit, opinion));
    }
    let case = game.get::<Audit>(&audit);
    assert_eq!(case.votes.nodes.map(|nodes| nodes.get()), [1, 0, 1]);
    assert_eq!(case.unclaimed.get(), 1);
}

#[test]
fn vote_switch_between_commitments_is_refused() {
    let case = Case::audited(committed(), MALICE);
    let audit = case.audit();
    let Case {
        mut game,
        voters: [voter, ..],
        ..
    } = case;
    game.commit_vote(&voter, &audit, VALID, [1; 32]).unwrap();
    fails(game.commit_vote(&voter, &audit, MALICE, [2; 32]));
    fails(game.cast_vote(&voter, &audit, MALICE));
    game.warp(START + 52);
    refused(
        game.reveal_vote(&voter, &audit, MALICE, [2; 32]),
        TaskError::CommitmentMismatch,
    );
    game.reveal_vote(&voter, &audit, VALID, [1; 32]).unwrap();
    refused(
        game.reveal_vote(&voter, &audit, VALID, [1; 32]),
        TaskError::AlreadyRevealed,
    );
    let votes = game.get::<Audit>(&audit).votes;
    assert_eq!(votes.nodes.map(|nodes| nodes.get()), [1, 0, 1]);
}

/// The hash of one audit opens nothing in the next, of the same submission or another: the audit is part of it.
#[test]
fn double_commit_replay_in_another_audit_costs_the_deposit() {
    let case = Case::audited(committed(), MALICE);
    let first = case.audit();
    let Case {
        mut game,
        accused,
        initiator,
        voters: [replayer, second, third],
    } = case;
    game.commit_vote(&replayer, &first, MALICE, [1; 32])
        .unwrap();
    let old = vote(&game, &replayer, &first).commitment;
    game.warp(START + 52);
    game.reveal_vote(&replayer, &first, MALICE, [1; 32])
        .unwrap();
    assert_eq!(settle(&mut game, &first, &[&replayer]), Outcome::NoVerdict);

    let next = accuse(&mut game, &initiator, &accused, 0);
    let replay = game.commit_vote_ix(&replayer, &next, old);
    game.send(&[replay], &[&replayer.operator]).unwrap();
    for voter in [&second, &third] {
        game.commit_vote(voter, &next, MALICE, [2; 32]).unwrap();
    }
    game.warp(game.get::<Audit>(&next).reveal_slot.get());
    refused(
        game.reveal_vote(&replayer, &next, MALICE, [1; 32]),
        TaskError::CommitmentMismatch,
    );
    for voter in [&second, &third] {
        game.reveal_vote(voter, &next, MALICE, [2; 32]).unwrap();
    }
    settle(&mut game, &next, &[&replayer, &second, &third]);
    assert_eq!(
        gains(&mut game, [&replayer, &second, &third]),
        [-50_000, 400_000, 400_000]
    );
}

/// Whatever goes into the hash, one change gives another: program tag and id are fixed, audit, voter, verdict and salt aren't.
#[test]
fn double_commit_replay_finds_no_two_votes_with_one_hash() {
    let [one, other] = [fresh().pubkey(), fresh().pubkey()];
    let mut seen = BTreeSet::new();
    for audit in [&one, &other] {
        for owner in [&one, &other] {
            for opinion in [VALID, DOWNTIME, MALICE] {
                for salt in [[0; 32], [1; 32]] {
                    seen.insert(commitment(audit, owner, opinion, &salt));
                }
            }
        }
    }
    assert_eq!(seen.len(), 2 * 2 * 3 * 2);
}

/// Every move of an audit at every point of its life: what isn't its turn is refused.
#[test]
fn vote_after_settlement_and_every_other_move_out_of_turn_is_refused() {
    let case = Case::audited(committed(), MALICE);
    let audit = case.audit();
    let Case {
        mut game,
        accused,
        initiator,
        voters: [voter, second, late],
    } = case;
    game.commit_vote(&voter, &audit, MALICE, [1; 32]).unwrap();
    game.commit_vote(&second, &audit, MALICE, [1; 32]).unwrap();

    // Committing.
    refused(
        game.reveal_vote(&voter, &audit, MALICE, [1; 32]),
        TaskError::VotingClosed,
    );
    refused(game.resolve_audit(&audit), TaskError::VotingOpen);
    refused(game.claim_vote(&voter, &audit), TaskError::NotResolved);
    refused(game.close_vote(&voter, &audit), TaskError::NotEmpty);
    refused(game.close_audit(&audit), TaskError::NotResolved);
    refused(
        game.close_submission(&accused, 0),
        TaskError::RoundUndecided,
    );

    // Revealing.
    game.warp(START + 52);
    refused(
        game.commit_vote(&late, &audit, MALICE, [1; 32]),
        TaskError::VotingClosed,
    );
    game.reveal_vote(&voter, &audit, MALICE, [1; 32]).unwrap();
    refused(game.resolve_audit(&audit), TaskError::VotingOpen);
    refused(game.claim_vote(&voter, &audit), TaskError::NotResolved);
    refused(game.close_vote(&voter, &audit), TaskError::NotEmpty);
    refused(game.close_audit(&audit), TaskError::NotResolved);
    game.reveal_vote(&second, &audit, MALICE, [1; 32]).unwrap();

    // Ended, not resolved.
    game.warp(START + 202);
    let too_late = |game: &mut Game| {
        refused(
            game.commit_vote(&late, &audit, VALID, [1; 32]),
            TaskError::VotingClosed,
        );
        refused(
            game.reveal_vote(&voter, &audit, VALID, [1; 32]),
            TaskError::VotingClosed,
        );
        refused(
            game.cast_vote(&late, &audit, VALID),
            TaskError::VotesAreCommitted,
        );
    };
    too_late(&mut game);
    refused(
        game.close_submission(&accused, 0),
        TaskError::RoundUndecided,
    );
    refused(game.claim_vote(&voter, &audit), TaskError::NotResolved);
    refused(game.close_vote(&voter, &audit), TaskError::NotEmpty);
    refused(game.close_audit(&audit), TaskError::NotResolved);

    // Resolved.
    game.resolve_audit(&audit).unwrap();
    let settled = game.svm.get_account(&audit).unwrap().data;
    too_late(&mut game);
    refused(game.resolve_audit(&audit), TaskError::AlreadyResolved);
    refused(game.close_vote(&voter, &audit), TaskError::NotEmpty);
    refused(game.close_audit(&audit), TaskError::NotEmpty);
    refused(
        game.open_audit(&late, &accused, 0, MALICE),
        TaskError::AlreadyDecided,
    );
    assert_eq!(game.svm.get_account(&audit).unwrap().data, settled);

    // Claimed.
    for voter in [&voter, &second] {
        game.claim_vote(voter, &audit).unwrap();
    }
    too_late(&mut game);
    refused(game.claim_vote(&voter, &audit), TaskError::AlreadyClaimed);
    refused(game.resolve_audit(&audit), TaskError::AlreadyResolved);
    refused(game.close_audit(&audit), TaskError::NotEmpty);

    // Closed.
    for voter in [&voter, &second] {
        game.close_vote(voter, &audit).unwrap();
    }
    fails(game.claim_vote(&voter, &audit));
    fails(game.close_vote(&voter, &audit));
    refused(
        game.commit_vote(&voter, &audit, VALID, [1; 32]),
        TaskError::VotingClosed,
    );
    let [resolve, close] = [game.resolve_audit_ix(&audit), game.close_audit_ix(&audit)];
    game.close_audit(&audit).unwrap();
    fails(game.by_anyone(resolve));
    fails(game.by_anyone(close));
    refused(
        game.open_audit(&late, &accused, 0, MALICE),
        TaskError::AlreadyDecided,
    );
    assert_eq!(
        gains(&mut game, [&accused, &initiator, &voter, &second, &late]),
        [-2_000_000, 1_000_000, 400_000, 400_000, 0]
    );
}

// Too many voters.

/// Sixty-four voters can't be named in one transaction. Resolving names none of them: it costs what it costs with two, and who comes
/// last claims as much as who comes first.
#[test]
fn too_many_voters_are_never_needed_at_once() {
    let mut units = BTreeSet::new();
    for voters in [2, 64] {
        let mut game = Game::new(rules());
        let accused = game.worker(4_000_000);
        let initiator = game.witness(1_000_000);
        let voters: Vec<_> = (0..voters).map(|_| game.witness(1_000_000)).collect();
        game.warp(START + 1);
        game.submit_work(&accused, 0).unwrap();
        let audit = accuse(&mut game, &initiator, &accused, 0);
        for voter in &voters {
            game.cast_vote(voter, &audit, MALICE).unwrap();
        }
        game.warp(START + 201);
        assert_eq!(game.resolve_audit_ix(&audit).accounts.len(), 6);
        units.insert(game.resolve_audit(&audit).unwrap().compute_units_consumed);
        for voter in voters.iter().rev() {
            game.claim_vote(voter, &audit).unwrap();
        }
        let share = 1_200_000 / (voters.len() as i64 + 1);
        let (first, last) = (&voters[0], voters.last().unwrap());
        assert_eq!(gains(&mut game, [first, last]), [share, share]);
    }
    assert!(
        units.last().unwrap() - units.first().unwrap() < 20,
        "{units:?}"
    );
}

// Accusations copied.

/// Who sees an accusation on its way and lands the same first has bonus and bond with it; the other votes in it like anyone, and can accuse
/// beside it, which takes nothing more. What was sniped is the bonus of 600,000, never more, and an accusation that turns out wrong costs
/// the sniper its own bond.
#[test]
fn vote_copying_of_an_accusation_takes_its_bonus_and_its_risk() {
    for (opinion, beside, expected) in [
        (MALICE, false, [600_000 + 300_000, 300_000]),
        (MALICE, true, [600_000 + 300_000, 300_000]),
        (VALID, false, [-200_000, 40_000]),
    ] {
        let case = Case::submitted(rules());
        let Case {
            mut game,
            accused,
            initiator: sniper,
            voters: [finder, second, third],
        } = case;
        let audit = accuse(&mut game, &sniper, &accused, 0);
        let own = beside.then(|| accuse(&mut game, &finder, &accused, 0));
        if let Some(own) = &own {
            for voter in [&second, &third] {
                game.cast_vote(voter, own, opinion).unwrap();
            }
        }
        let votes = [&finder, &second, &third].map(|voter| (voter, opinion));
        decide(&mut game, &audit, &votes);
        if let Some(own) = &own {
            let outcome = settle(&mut game, own, &[&second, &third]);
            assert_eq!(outcome, Outcome::ConvictedMalice);
        }
        assert_eq!(gains(&mut game, [&sniper, &finder]), expected);
    }
}
