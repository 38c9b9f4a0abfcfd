//! Attacks on panels, appeals, sponsors and keepers: a draw ground or withheld, a count turned or thin, a bond that isn't lost, rent that
//! doesn't come back, and what a silent keeper costs.

mod attack_kit;
mod common;

use anchor_lang::prelude::Address;
use attack_kit::*;
use common::*;
use securing_tasks::{math::panel::is_seated, Audit, Outcome, RulesArgs, VoteWeight};
use solana_account::Account;
use solana_signer::Signer;
use solana_slot_hashes::SlotHashes;

const BOND: u64 = 200_000;
const APPEAL_BOND: u64 = 100_000;

/// The slot whose block decides the draws of audits that open at `START + 2`.
const DRAW_SLOT: u64 = START + 10;

/// Panels of five on average, votes by node.
fn jury() -> RulesArgs {
    RulesArgs {
        panel_seats: 5,
        ..panelled()
    }
}

/// An honest worker of 4,000,000 that submitted, an attacker who accuses, with a million for each try of a draw, its friends and the
/// honest, all of a million.
struct Crowd {
    game: Game,
    victim: Actor,
    attacker: Actor,
    friends: Vec<Actor>,
    honest: Vec<Actor>,
}

impl Crowd {
    fn new(rules: RulesArgs, friends: usize, honest: usize) -> Self {
        let mut game = Game::new(rules);
        let victim = game.worker(4_000_000);
        let attacker = game.witness(2_000_000);
        let friends = (0..friends).map(|_| game.witness(1_000_000)).collect();
        let honest = (0..honest).map(|_| game.witness(1_000_000)).collect();
        game.warp(START + 1);
        game.submit_work(&victim, 0).unwrap();
        game.warp(START + 2);
        Self {
            game,
            victim,
            attacker,
            friends,
            honest,
        }
    }

    fn accuse(&mut self, secret: &[u8; 32]) -> Address {
        self.game
            .accuse_with(&self.attacker, &self.victim, 0, secret)
    }

    /// How many of these a panel of this seed seats.
    fn seats(&self, seed: &[u8; 32], of: &[Actor]) -> u64 {
        let jurors = (self.friends.len() + self.honest.len()) as u64;
        let eligible = 2_000_000 + jurors * 1_000_000;
        let seats = self.game.rules.panel_seats;
        of.iter()
            .filter(|one| is_seated(lot(seed, &one.owner.pubkey()), 1_000_000, seats, eligible))
            .count() as u64
    }

    /// Whether the attacker convicts by the panel of this seed while every honest one that is seated says valid.
    fn wins(&self, seed: &[u8; 32]) -> bool {
        let friends = self.seats(seed, &self.friends);
        friends >= 2 && friends + 1 > self.seats(seed, &self.honest)
    }

    /// Everybody who may vote does: friends for malice, the honest for valid. Answers how many did.
    fn vote(&mut self, audit: &Address) -> [usize; 2] {
        let mut counts = [0; 2];
        for (place, group) in [&self.friends, &self.honest].into_iter().enumerate() {
            let opinion = [MALICE, VALID][place];
            for voter in group {
                if self.game.cast_vote(voter, audit, opinion).is_ok() {
                    counts[place] += 1;
                }
            }
        }
        counts
    }

    fn warp_to_end(&mut self, audit: &Address) {
        let end = self.game.get::<Audit>(audit).end_slot.get();
        self.game.warp(end.max(self.game.slot()));
    }

    /// Resolves and claims.
    fn settle(&mut self, audit: &Address) -> Outcome {
        let voters: Vec<_> = self
            .friends
            .iter()
            .chain(&self.honest)
            .filter(|one| {
                let vote = vote_address(audit, &one.owner.pubkey());
                self.game.svm.get_account(&vote).is_some()
            })
            .collect();
        settle(&mut self.game, audit, &voters)
    }

    fn held_by(&self, actors: &[Actor]) -> u64 {
        held(&self.game, &actors.iter().collect::<Vec<_>>())
    }
}

/// A node's number in a draw, as the program reckons it.
fn lot(seed: &[u8; 32], owner: &Address) -> u64 {
    let tag = securing_tasks::constants::SEAT_TAG;
    let hash = sha256(&[tag, seed, owner.as_ref()]);
    u64::from_le_bytes(hash[..8].try_into().unwrap())
}

fn seed_with(audit: &Address, secret: &[u8; 32], block: &[u8; 32]) -> [u8; 32] {
    let tag = securing_tasks::constants::PANEL_TAG;
    sha256(&[tag, audit.as_ref(), secret, block])
}

/// Makes the machine remember this one block of the draws' slot.
fn remember_block(game: &mut Game, block: &[u8; 32]) {
    let blocks = [(DRAW_SLOT, (*block).into())];
    game.svm.set_sysvar(&SlotHashes::new(&blocks));
}

// Grinding.

/// The initiator alone can draw or not, and accuse again: one draw for each bond. It withholds every secret that seats too few of its
/// friends, and loses the bond to all who vote then.
#[test]
fn grinding_by_the_initiator_alone_costs_a_bond_for_each_draw() {
    let mut crowd = Crowd::new(jury(), 4, 12);
    // Eight as they come, of which one wins.
    let won = 5;
    let (mut secrets, mut audits) = (vec![], vec![]);
    for number in 0..8 {
        let audit = crowd.game.next_audit(&crowd.attacker, &crowd.victim, 0);
        let secret = (0..10_000u64)
            .map(|nonce| sha256(&[&nonce.to_le_bytes()]))
            .find(|secret| {
                let seed = panel_seed(&audit, secret, DRAW_SLOT);
                crowd.wins(&seed) == (number == won)
            })
            .unwrap();
        crowd.accuse(&secret);
        secrets.push(secret);
        audits.push(audit);
    }
    // Now it sees the block, and so what each of its secrets leads to.
    crowd.game.warp(DRAW_SLOT + 1);
    crowd
        .game
        .draw_panel_with(&audits[won], secrets[won])
        .unwrap();
    let [guilty, valid] = crowd.vote(&audits[won]);
    assert!(guilty + 1 > valid);
    crowd.game.warp(DRAW_SLOT + 256);
    for (number, audit) in audits.iter().enumerate() {
        if number != won {
            assert_eq!(crowd.vote(audit), [4, 12], "everybody");
        }
    }
    crowd.warp_to_end(&audits[won]);
    // The honest appeal, and those who had no seat come.
    let appellant = crowd.game.here(&crowd.honest[0]);
    crowd.game.appeal_audit(&appellant, &audits[won]).unwrap();
    assert_eq!(
        crowd.game.get::<Audit>(&audits[won]).first_outcome,
        Outcome::ConvictedMalice
    );
    crowd.vote(&audits[won]);
    for audit in &audits {
        crowd
            .game
            .warp((crowd.game.get::<Audit>(audit).end_slot.get() + 200).max(crowd.game.slot()));
    }
    for audit in &audits {
        assert_eq!(crowd.settle(audit), Outcome::Acquitted);
    }
    // Eight bonds of 200,000: 30 % to the victim, 10 % to the pool, 60 % among 16 votes.
    assert_eq!(held(&crowd.game, &[&crowd.attacker]), 2_000_000 - 8 * BOND);
    assert_eq!(
        held(&crowd.game, &[&crowd.victim]),
        4_000_000 + 8 * BOND * 3 / 10
    );
    assert_eq!(
        crowd.held_by(&crowd.friends),
        4_000_000 + 8 * 4 * (BOND * 6 / 10 / 16)
    );
    assert_eq!(
        crowd.held_by(&crowd.honest),
        12_000_000 + 8 * 12 * (BOND * 6 / 10 / 16)
    );
}

/// A block's leader alone picks the block and does not know the secret: the best block for any guess is any block for the real one.
#[test]
fn grinding_by_the_leader_alone_seats_no_more_friends() {
    let mut crowd = Crowd::new(jury(), 6, 10);
    let audit = crowd.accuse(&SECRET);
    let (mut picked, mut any) = (0, 0);
    let tries = 300u64;
    for number in 0..tries {
        let guess = sha256(&[b"guess", &number.to_le_bytes()]);
        let best = (0..12u64)
            .map(|nonce| sha256(&[b"leader", &number.to_le_bytes(), &nonce.to_le_bytes()]))
            .max_by_key(|block| crowd.seats(&seed_with(&audit, &guess, block), &crowd.friends))
            .unwrap();
        assert!(crowd.seats(&seed_with(&audit, &guess, &best), &crowd.friends) > 1);
        picked += crowd.seats(&seed_with(&audit, &SECRET, &best), &crowd.friends);
        let other = sha256(&[b"any", &number.to_le_bytes()]);
        any += crowd.seats(&seed_with(&audit, &SECRET, &other), &crowd.friends);
    }
    // Six friends, each with a chance of 5 / 18: 500 seats in 300 draws, and a deviation of 19.
    for seats in [picked, any] {
        assert!((440..=560).contains(&seats), "{picked} and {any}");
    }
}

/// Both together try blocks as fast as they hash, and convict by a panel of friends. The appeal turns it, and the bond is lost; where
/// nobody awake appeals it stands.
#[test]
fn grinding_by_initiator_and_leader_together_is_turned_by_an_appeal() {
    for appealed in [true, false] {
        let mut crowd = Crowd::new(jury(), 4, 12);
        let audit = crowd.accuse(&SECRET);
        let block = (0..100_000u64)
            .map(|nonce| sha256(&[b"leader", &nonce.to_le_bytes()]))
            .find(|block| {
                let seed = seed_with(&audit, &SECRET, block);
                crowd.seats(&seed, &crowd.friends) == 4 && crowd.seats(&seed, &crowd.honest) == 0
            })
            .expect("hashes are cheap");
        crowd.game.warp(DRAW_SLOT + 1);
        remember_block(&mut crowd.game, &block);
        let draw = crowd.game.draw_panel_ix(&audit, SECRET);
        crowd.game.by_anyone(draw).unwrap();
        assert_eq!(crowd.vote(&audit), [4, 0]);
        crowd.warp_to_end(&audit);
        if appealed {
            let appellant = crowd.game.here(&crowd.honest[0]);
            crowd.game.appeal_audit(&appellant, &audit).unwrap();
            assert_eq!(crowd.vote(&audit), [0, 12]);
            assert_eq!(crowd.settle(&audit), Outcome::Acquitted);
            assert_eq!(held(&crowd.game, &[&crowd.attacker]), 2_000_000 - BOND);
            // Its bond came back: it has a share of the attacker's like any other.
            assert_eq!(
                held(&crowd.game, &[&appellant]),
                1_000_000 + BOND * 6 / 10 / 16
            );
            assert_eq!(
                held(&crowd.game, &[&crowd.victim]),
                4_000_000 + BOND * 3 / 10
            );
        } else {
            assert_eq!(crowd.settle(&audit), Outcome::ConvictedMalice);
            assert_eq!(held(&crowd.game, &[&crowd.victim]), 2_000_000);
        }
    }
}

/// Whoever hides the secret, having seen whom it would seat, has everybody vote.
#[test]
fn withholding_the_secret_calls_everybody() {
    let mut crowd = Crowd::new(jury(), 6, 10);
    let audit = crowd.accuse(&SECRET);
    crowd.game.warp(DRAW_SLOT + 255);
    let early = crowd.game.cast_vote(&crowd.honest[0], &audit, VALID);
    refused(early, TaskError::PanelNotDrawn);
    crowd.game.warp(DRAW_SLOT + 256);
    refused(crowd.game.draw_panel(&audit), TaskError::DrawTooLate);
    assert_eq!(crowd.vote(&audit), [6, 10]);
    crowd.game.warp(START + 2 + MIN_PANEL_WINDOW_SLOTS);
    assert_eq!(crowd.settle(&audit), Outcome::Acquitted);
}

/// Half of the window is left to vote in where the draw comes as late as it can.
#[test]
fn drawing_late_leaves_half_of_the_window() {
    let mut crowd = Crowd::new(jury(), 0, 10);
    let audit = crowd.accuse(&SECRET);
    crowd.game.warp(DRAW_SLOT + 255);
    crowd.game.draw_panel(&audit).unwrap();
    let left = crowd.game.get::<Audit>(&audit).end_slot.get() - crowd.game.slot();
    assert_eq!(left, MIN_PANEL_WINDOW_SLOTS / 2 + 1);
    crowd.warp_to_end(&audit);
    refused(
        crowd.game.cast_vote(&crowd.honest[0], &audit, VALID),
        TaskError::VotingClosed,
    );
}

/// Attack: accuse with another's secret hash. The copier can't draw before the other does, anyone can draw for it then, and the panel is
/// another.
#[test]
fn copying_anothers_secret_hash_gives_its_panel_away() {
    let mut crowd = Crowd::new(jury(), 6, 10);
    let copier = crowd.game.here(&crowd.friends[0]);
    let audit = crowd.accuse(&SECRET);
    let copied = crowd.game.accuse_with(&copier, &crowd.victim, 0, &SECRET);
    crowd.game.warp(DRAW_SLOT + 1);
    remember_blocks(&mut crowd.game.svm, |_| false);
    let blind = crowd.game.draw_panel_ix(&copied, [0; 32]);
    refused(crowd.game.by_anyone(blind), TaskError::SecretMismatch);
    crowd.game.draw_panel(&audit).unwrap();
    // The secret is in that transaction. An honest node draws the copier's panel, whatever the copier thinks of it.
    let draw = crowd.game.draw_panel_ix(&copied, SECRET);
    let honest = crowd.honest[0].operator.insecure_clone();
    crowd.game.send(&[draw], &[&honest]).unwrap();
    let seeds = [audit, copied].map(|audit| crowd.game.get::<Audit>(&audit).seed);
    assert_ne!(seeds[0], seeds[1]);
}

// Seats for stake.

/// How many of 2,000 draws seat the nodes of these weights, out of all that is eligible.
fn seats_in_draws(weights: &[u64], seats: u16, eligible: u64) -> u64 {
    let owners: Vec<_> = weights.iter().map(|_| fresh().pubkey()).collect();
    (0..2_000u64)
        .map(|number| {
            let seed = sha256(&[b"draw", &number.to_le_bytes()]);
            let seated = owners
                .iter()
                .zip(weights)
                .filter(|(owner, weight)| is_seated(lot(&seed, owner), **weight, seats, eligible));
            seated.count() as u64
        })
        .sum()
}

/// 4,000,000 of 60,000,000 are one seat of 15, as one node or as eight; the shares are not more for coming in parts.
#[test]
fn splitting_stake_gains_no_seats() {
    let whole = seats_in_draws(&[4_000_000], 15, 60_000_000);
    assert_eq!(whole, 2_000, "one seat in each");
    for weights in [&[2_000_000; 2][..], &[500_000; 8][..]] {
        let parts = seats_in_draws(weights, 15, 60_000_000);
        // At most a deviation of 42.
        assert!(parts.abs_diff(whole) < 150, "{parts} for {weights:?}");
    }
}

/// One node over a whole seat has one vote; what is over is worth nothing on the panel, and all of it after an appeal by stake.
#[test]
fn whale_on_a_panel_has_one_vote() {
    let mut game = Game::new(RulesArgs {
        vote_weight: VoteWeight::Stake as u8,
        ..panelled()
    });
    let victim = game.worker(4_000_000);
    let [attacker, whale] = [2_000_000, 9_000_000].map(|stake| game.witness(stake));
    let honest = [(); 4].map(|()| game.witness(1_500_000));
    game.warp(START + 1);
    game.submit_work(&victim, 0).unwrap();
    game.warp(START + 2);
    let audit = game.accuse_with(&attacker, &victim, 0, &SECRET);
    game.warp(DRAW_SLOT + 1);
    game.draw_panel(&audit).unwrap();
    let state = game.get::<Audit>(&audit);
    assert!(has_seat(&state, &whale.owner.pubkey(), 9_000_000));
    game.cast_vote(&whale, &audit, MALICE).unwrap();
    for voter in &honest {
        let _ = game.cast_vote(voter, &audit, VALID);
    }
    // One vote and the accusation against what the panel has of four.
    game.warp(START + 2 + MIN_PANEL_WINDOW_SLOTS);
    game.appeal_audit(&whale, &audit).unwrap();
    let first: Outcome = game.get::<Audit>(&audit).first_outcome.into();
    assert_ne!(first, Outcome::ConvictedMalice);
    for voter in &honest {
        let _ = game.cast_vote(voter, &audit, VALID);
    }
    // 11,000,000 against 6,000,000, and two votes are asked for: the whale's is one.
    game.warp(game.get::<Audit>(&audit).end_slot.get());
    game.resolve_audit(&audit).unwrap();
    assert_eq!(outcome(&game, &audit), Outcome::NoVerdict);
}

// Appeals.

/// Open votes by node, all but panels: a worker of 4,000,000, a witness of 2,000,000 that accuses, friends of its and the honest.
fn court(rules: RulesArgs, friends: usize, honest: usize) -> (Crowd, Address) {
    let mut crowd = Crowd::new(rules, friends, honest);
    let audit = crowd.accuse(&SECRET);
    (crowd, audit)
}

/// Attack: appeal after appeal, to keep stake and bounty waiting. There is one, for a bond, and the time that it takes is known.
#[test]
fn appealing_to_delay_costs_a_bond_for_one_vote_more() {
    let (mut crowd, audit) = court(appealable(), 0, 3);
    let friend = crowd.game.here(&crowd.attacker);
    crowd.vote(&audit);
    // In the last slot that there is for it.
    crowd.game.warp(START + 401);
    crowd.game.appeal_audit(&friend, &audit).unwrap();
    assert_eq!(crowd.game.get::<Audit>(&audit).end_slot.get(), START + 601);
    crowd.game.warp(START + 601);
    refused(
        crowd.game.appeal_audit(&friend, &audit),
        TaskError::AlreadyAppealed,
    );
    assert_eq!(crowd.settle(&audit), Outcome::Acquitted);
    assert_eq!(
        held(&crowd.game, &[&friend]),
        2_000_000 - BOND - APPEAL_BOND
    );
    // 60 % of the accuser's bond and 90 % of the appellant's.
    assert_eq!(
        crowd.held_by(&crowd.honest),
        3_000_000 + (BOND * 6 / 10 + APPEAL_BOND * 9 / 10) / 3 * 3
    );
}

/// What friends with the seats that decide end with: voting as they see, or wrongly, and then appealing through another of them. The accused
/// is guilty, and the accuser honest.
fn friends_with_pivotal_seats(reward: u8, wrongly: bool) -> u64 {
    let mut crowd = Crowd::new(
        RulesArgs {
            reward_rule: reward,
            ..jury()
        },
        4,
        12,
    );
    let (audit, secret) = (0..5_000u64)
        .find_map(|number| {
            let audit = crowd.game.next_audit(&crowd.attacker, &crowd.victim, 0);
            let secret = sha256(&[&number.to_le_bytes()]);
            let seed = panel_seed(&audit, &secret, DRAW_SLOT);
            (crowd.seats(&seed, &crowd.friends) == 3 && crowd.seats(&seed, &crowd.honest) == 1)
                .then_some((audit, secret))
        })
        .expect("one of many");
    crowd.accuse(&secret);
    crowd.game.warp(DRAW_SLOT + 1);
    crowd.game.draw_panel_with(&audit, secret).unwrap();
    let opinion = if wrongly { VALID } else { MALICE };
    let all = |crowd: &mut Crowd, friends: u8| {
        for (group, opinion) in [(&crowd.friends, friends), (&crowd.honest, MALICE)] {
            for voter in group {
                let _ = crowd.game.cast_vote(voter, &audit, opinion);
            }
        }
    };
    all(&mut crowd, opinion);
    crowd.warp_to_end(&audit);
    if wrongly {
        let seed = crowd.game.get::<Audit>(&audit).seed;
        let other = crowd
            .friends
            .iter()
            .position(|one| crowd.seats(&seed, &[crowd.game.here(one)]) == 0)
            .unwrap();
        let other = crowd.game.here(&crowd.friends[other]);
        crowd.game.appeal_audit(&other, &audit).unwrap();
        assert_eq!(
            crowd.game.get::<Audit>(&audit).first_outcome,
            Outcome::Acquitted
        );
        all(&mut crowd, MALICE);
    }
    assert_eq!(crowd.settle(&audit), Outcome::ConvictedMalice);
    crowd.held_by(&crowd.friends)
}

/// Attack: decide wrongly and earn the appeal's bonus through a second wallet. There is none, and more come to share.
#[test]
fn appealing_against_ones_own_wrong_verdict_wins_nothing() {
    // 1,200,000 of the slash for the votes: the accuser's and four, or the accuser's and sixteen, or fourteen that said malice.
    let with = 3 * (1_200_000 / 5);
    for (reward, turned) in [(0, 4 * (1_200_000 / 17)), (1, 1_200_000 / 14)] {
        assert_eq!(friends_with_pivotal_seats(reward, false), 4_000_000 + with);
        assert_eq!(friends_with_pivotal_seats(reward, true), 4_000_000 + turned);
    }
}

/// Attack: a convict appeals with what he loses anyway. It is not taken; and many accusations can keep the accused from appealing, but
/// nobody else.
#[test]
fn appealing_with_stake_that_is_lost_anyway_is_refused() {
    let rules = RulesArgs {
        malice_bps: 10_000,
        ..appealable()
    };
    let (mut crowd, audit) = court(rules, 4, 4);
    for friend in 0..4 {
        let friend = crowd.game.here(&crowd.friends[friend]);
        crowd.game.accuse_with(&friend, &crowd.victim, 0, &SECRET);
    }
    crowd.vote(&audit);
    crowd.game.warp(START + 202);
    let victim = crowd.game.here(&crowd.victim);
    crowd.game.add_stake(&victim, 16_000_000).unwrap();
    // Five audits of 4,000,000 each.
    refused(
        crowd.game.appeal_audit(&victim, &audit),
        TaskError::StakeAtRisk,
    );
    let other = crowd.game.here(&crowd.honest[0]);
    crowd.game.appeal_audit(&other, &audit).unwrap();
}

/// Attack: friends keep their votes for the appeal, when the honest have gone. The votes that are in stay: it takes more than those.
#[test]
fn votes_held_back_for_the_appeal_need_more_than_those_that_are_in() {
    for (friends, late, expected) in [
        // Three and the accusation against four.
        (3, 0, Outcome::Acquitted),
        (4, 0, Outcome::ConvictedMalice),
        (4, 1, Outcome::Acquitted),
    ] {
        let (mut crowd, audit) = court(appealable(), friends, 5);
        for voter in &crowd.honest[..4] {
            crowd.game.cast_vote(voter, &audit, VALID).unwrap();
        }
        crowd.game.warp(START + 401);
        let attacker = crowd.game.here(&crowd.attacker);
        crowd.game.appeal_audit(&attacker, &audit).unwrap();
        for voter in &crowd.friends {
            crowd.game.cast_vote(voter, &audit, MALICE).unwrap();
        }
        for voter in &crowd.honest[4..4 + late] {
            crowd.game.cast_vote(voter, &audit, VALID).unwrap();
        }
        crowd.warp_to_end(&audit);
        assert_eq!(crowd.settle(&audit), expected, "{friends} and {late}");
        let lost = if expected == Outcome::Acquitted {
            BOND + APPEAL_BOND
        } else {
            0
        };
        let stake = crowd.game.node(&attacker).stake.get();
        assert_eq!(stake, 2_000_000 - lost);
    }
}

/// Attack: a convict appeals, few come, and no verdict would let him go. A count without a verdict leaves the first one's. The other side of
/// it: few honest that are awake turn no ground verdict.
#[test]
fn thin_appeal_leaves_the_first_verdict() {
    let (mut crowd, audit) = court(appealable(), 3, 12);
    crowd.vote_by_friends(&audit);
    crowd.game.warp(START + 202);
    let victim = crowd.game.here(&crowd.victim);
    crowd.game.appeal_audit(&victim, &audit).unwrap();
    // Four votes for malice with the accuser's, and four for valid: a tie.
    for voter in &crowd.honest[..4] {
        crowd.game.cast_vote(voter, &audit, VALID).unwrap();
    }
    crowd.warp_to_end(&audit);
    assert_eq!(crowd.settle(&audit), Outcome::ConvictedMalice);
    assert_eq!(
        crowd.game.node(&victim).stake.get(),
        4_000_000 - 2_000_000 - APPEAL_BOND
    );

    // On a panel of five, two friends and the accuser are the quorum; of sixteen that could vote it is four.
    let mut crowd = Crowd::new(jury(), 2, 13);
    let audit = crowd.accuse(&SECRET);
    let block = (0..1_000_000u64)
        .map(|nonce| sha256(&[b"leader", &nonce.to_le_bytes()]))
        .find(|block| {
            let seed = seed_with(&audit, &SECRET, block);
            crowd.seats(&seed, &crowd.friends) == 2 && crowd.seats(&seed, &crowd.honest) == 0
        })
        .unwrap();
    crowd.game.warp(DRAW_SLOT + 1);
    remember_block(&mut crowd.game, &block);
    let draw = crowd.game.draw_panel_ix(&audit, SECRET);
    crowd.game.by_anyone(draw).unwrap();
    crowd.vote_by_friends(&audit);
    crowd.warp_to_end(&audit);
    let appellant = crowd.game.here(&crowd.honest[0]);
    crowd.game.appeal_audit(&appellant, &audit).unwrap();
    // Three are not four, and three against three no majority.
    for voter in &crowd.honest[..3] {
        crowd.game.cast_vote(voter, &audit, VALID).unwrap();
    }
    crowd.warp_to_end(&audit);
    assert_eq!(crowd.settle(&audit), Outcome::ConvictedMalice);
    assert_eq!(
        crowd.game.node(&appellant).stake.get(),
        1_000_000 - APPEAL_BOND
    );
}

impl Crowd {
    fn vote_by_friends(&mut self, audit: &Address) {
        for voter in &self.friends {
            self.game.cast_vote(voter, audit, MALICE).unwrap();
        }
    }
}

/// Attack: commit, wait for an appeal to show who wins, and tell then. What was committed before the appeal can't be told after it, and
/// nobody votes twice.
#[test]
fn commitment_kept_for_the_appeal_is_lost() {
    let rules = RulesArgs {
        commit_slots: 50,
        reveal_slots: 150,
        ..appealable()
    };
    let (mut crowd, audit) = court(rules, 1, 4);
    let waiter = crowd.game.here(&crowd.friends[0]);
    let salt = [9; 32];
    crowd
        .game
        .commit_vote(&waiter, &audit, VALID, salt)
        .unwrap();
    crowd.game.warp(START + 202);
    crowd.game.appeal_audit(&waiter, &audit).unwrap();
    for voter in &crowd.honest {
        crowd.game.commit_vote(voter, &audit, VALID, salt).unwrap();
    }
    fails(crowd.game.commit_vote(&waiter, &audit, VALID, salt));
    crowd.game.warp(START + 252);
    for voter in &crowd.honest {
        crowd.game.reveal_vote(voter, &audit, VALID, salt).unwrap();
    }
    refused(
        crowd.game.reveal_vote(&waiter, &audit, VALID, salt),
        TaskError::RevealWindowMissed,
    );
    crowd.warp_to_end(&audit);
    assert_eq!(crowd.settle(&audit), Outcome::Acquitted);
    // The appeal found another outcome than none; the deposit is lost, and the vote has no share.
    assert_eq!(held(&crowd.game, &[&waiter]), 1_000_000 - 50_000);
}

// Leaving.

/// The longest case there is, to the slot: work of the first slot, accused in the last, appealed in the last. Who asked to leave with the
/// work is still there when it ends.
#[test]
fn leaving_before_an_appeal_ends_takes_nothing_along() {
    let mut crowd = Crowd::new(appealable(), 0, 3);
    let victim = crowd.game.here(&crowd.victim);
    let juror = crowd.game.here(&crowd.honest[2]);
    for leaver in [&victim, &juror] {
        crowd.game.request_leave(leaver, None).unwrap();
    }
    crowd.game.warp(START + 399);
    let audit = crowd.accuse(&SECRET);
    crowd.game.warp(START + 798);
    let appellant = crowd.game.here(&crowd.honest[0]);
    crowd.game.appeal_audit(&appellant, &audit).unwrap();
    crowd.game.warp(START + 997);
    for voter in &crowd.honest {
        crowd.game.cast_vote(voter, &audit, MALICE).unwrap();
    }
    crowd.game.warp(START + 998);
    refused(crowd.game.withdraw(&juror), TaskError::NothingToWithdraw);
    // Even if nobody calls for the verdict in time.
    crowd.game.warp(START + 1_002);
    refused(crowd.game.withdraw(&victim), TaskError::NodeAccused);
    assert_eq!(crowd.settle(&audit), Outcome::ConvictedMalice);
    crowd.game.withdraw(&victim).unwrap();
    assert_eq!(gain(&crowd.game, &victim), -2_000_000);
    crowd.game.withdraw(&juror).unwrap();
}

/// Attack: retire the task, and pay accused, accuser and appellant out before the appeal is decided.
#[test]
fn retiring_while_an_appeal_is_open_pays_nobody_out() {
    let mut crowd = Crowd::new(appealable(), 0, 3);
    crowd.game.retire_task().unwrap();
    crowd.game.warp(START + 399);
    let audit = crowd.accuse(&SECRET);
    crowd.game.warp(START + 798);
    let appellant = crowd.game.here(&crowd.honest[0]);
    crowd.game.appeal_audit(&appellant, &audit).unwrap();
    for voter in &crowd.honest {
        crowd.game.cast_vote(voter, &audit, MALICE).unwrap();
    }
    let (victim, attacker) = (
        crowd.game.here(&crowd.victim),
        crowd.game.here(&crowd.attacker),
    );
    crowd.game.warp(START + 998);
    refused(crowd.game.return_stake(&attacker), TaskError::NotReleased);
    crowd.game.warp(START + 1_002);
    for pledged in [&appellant, &attacker] {
        refused(crowd.game.return_stake(pledged), TaskError::StakePledged);
        refused(crowd.game.close_node(pledged), TaskError::NotEmpty);
    }
    refused(crowd.game.return_stake(&victim), TaskError::NodeAccused);
    assert_eq!(crowd.settle(&audit), Outcome::ConvictedMalice);
    for node in [&victim, &attacker, &appellant] {
        crowd.game.return_stake(node).unwrap();
    }
    // The appeal found a verdict where the first count had none: its bond came back.
    assert_eq!(gain(&crowd.game, &victim), -2_000_000);
    assert_eq!(gain(&crowd.game, &appellant), 300_000);
}

/// An appellant that another case takes everything of: the appeal ends without its bond, and nothing is stuck.
#[test]
fn appellant_that_is_slashed_meanwhile_loses_what_is_left() {
    let mut game = Game::new(RulesArgs {
        malice_bps: 10_000,
        ..appealable()
    });
    let [liar, other] = [4_000_000, 1_000_000].map(|stake| game.worker(stake));
    let caller = game.witness(2_000_000);
    let jury = [(); 3].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    game.submit_work(&liar, 0).unwrap();
    game.submit_work(&other, 0).unwrap();
    let first = accuse(&mut game, &caller, &other, 0);
    for voter in &jury {
        game.cast_vote(voter, &first, VALID).unwrap();
    }
    // The liar appeals in the other's case before it is accused.
    game.warp(START + 201);
    game.appeal_audit(&liar, &first).unwrap();
    let second = accuse(&mut game, &caller, &liar, 0);
    for voter in &jury {
        game.cast_vote(voter, &second, MALICE).unwrap();
    }
    game.warp(START + 601);
    assert_eq!(
        settle(&mut game, &second, &all(&jury)),
        Outcome::ConvictedMalice
    );
    assert_eq!(game.node(&liar).stake.get(), 0);
    assert_eq!(game.node(&liar).bonds.get(), APPEAL_BOND);
    refused(game.close_node(&liar), TaskError::NotEmpty);
    assert_eq!(settle(&mut game, &first, &all(&jury)), Outcome::Acquitted);
    assert_eq!(game.node(&liar).bonds.get(), 0);
}

/// What a guilty worker of 4,000,000 and its friends end with that has stake on its way to them, as lost bonds of accusations or of
/// appeals, when it submits: 1,000,000 of it, in the slot of the work, before anybody can accuse it.
fn carried_away(by_appeal: bool, honest_vote: bool) -> i64 {
    let mut game = Game::new(RulesArgs {
        malice_bps: 10_000,
        ..appealable()
    });
    let guilty = game.worker(4_000_000);
    let own = game.worker(1_000_000);
    let [caller, friend] = [(); 2].map(|()| game.witness(2_000_000));
    let honest = [(); 3].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    game.submit_work(&own, 0).unwrap();
    game.warp(START + 399);
    let shams: Vec<_> = if by_appeal {
        (0..10)
            .map(|_| accuse(&mut game, &caller, &own, 0))
            .collect()
    } else {
        (0..5)
            .map(|_| accuse(&mut game, &guilty, &own, 0))
            .collect()
    };
    for sham in &shams {
        if by_appeal {
            // One vote is too thin, before the appeal and after it.
            game.cast_vote(&friend, sham, MALICE).unwrap();
        } else {
            game.cast_vote(&friend, sham, VALID).unwrap();
            game.cast_vote(&caller, sham, VALID).unwrap();
        }
    }
    game.warp(START + 798);
    if by_appeal {
        for sham in &shams {
            game.appeal_audit(&guilty, sham).unwrap();
            if honest_vote {
                for voter in &honest {
                    game.cast_vote(voter, sham, VALID).unwrap();
                }
            }
        }
    }
    game.warp(START + 1_000);
    game.submit_work(&guilty, 1).unwrap();
    let mut voters = vec![&friend];
    if !by_appeal {
        voters.push(&caller);
    } else if honest_vote {
        voters.extend(&honest);
    }
    for sham in &shams {
        settle(&mut game, sham, &voters);
    }
    let audit = accuse(&mut game, &honest[0], &guilty, 1);
    let votes = [(&honest[1], MALICE), (&honest[2], MALICE)];
    decide(&mut game, &audit, &votes);
    gains(&mut game, [&guilty, &own, &caller, &friend])
        .iter()
        .sum()
}

/// Where the honest vote in the shams, the appeals turn them, and their bonds come back into the stake that is slashed.
#[test]
fn appeals_to_carry_stake_away_fail_where_the_honest_vote() {
    let sum = carried_away(true, true);
    assert!(sum <= -4_000_000, "{sum}");
}

/// Where they sleep, a lost accusation's bond leaves the pool's part behind. A lost appeal's leaves no less.
#[test]
fn appeals_to_carry_stake_away_cost_what_accusations_cost() {
    assert_eq!(carried_away(false, false), -3_100_000);
    assert_eq!(carried_away(true, false), -3_100_000);
}

// Sponsors and keepers.

/// One commitment, submission and audit of which a sponsor paid the rent.
fn sponsored() -> (Case, solana_keypair::Keypair) {
    let mut game = Game::new(rules());
    let accused = game.worker(4_000_000);
    let initiator = game.witness(2_000_000);
    let voters = [1_000_000, 1_500_000, 3_000_000].map(|stake| game.witness(stake));
    let sponsor = key(&mut game.svm);
    game.warp(START + 1);
    let by = |game: &mut Game,
              mut whole: anchor_lang::solana_program::instruction::Instruction,
              operator: &solana_keypair::Keypair| {
        whole.accounts[0].pubkey = sponsor.pubkey();
        game.send(&[whole], &[&sponsor, operator]).unwrap();
    };
    let submit = game.submit_work_ix(&accused, 0);
    by(&mut game, submit, &accused.operator);
    let audit = game.next_audit(&initiator, &accused, 0);
    let open = game.open_audit_ix(&initiator, &accused, 0, MALICE);
    by(&mut game, open, &initiator.operator);
    for voter in &voters {
        let vote = game.cast_vote_ix(voter, &audit, MALICE);
        by(&mut game, vote, &voter.operator);
    }
    game.warp(START + 201);
    game.resolve_audit(&audit).unwrap();
    for voter in &voters {
        game.claim_vote(voter, &audit).unwrap();
    }
    game.warp(START + 400);
    (
        Case {
            game,
            accused,
            initiator,
            voters,
        },
        sponsor,
    )
}

/// Every account that the sponsor paid for, closed with its rent to `to`.
fn close_all(
    case: &mut Case,
    to: &Address,
) -> Result<(), Box<litesvm::types::FailedTransactionMetadata>> {
    let audit = case.audit();
    let (game, accused) = (&mut case.game, &case.accused);
    let close = |game: &mut Game,
                 mut whole: anchor_lang::solana_program::instruction::Instruction| {
        whole.accounts.last_mut().unwrap().pubkey = *to;
        game.by_anyone(whole).map(drop)
    };
    for voter in &case.voters {
        let whole = game.close_vote_ix(voter, &audit);
        close(game, whole)?;
    }
    let whole = game.close_audit_ix(&audit);
    close(game, whole)?;
    let whole = game.close_submission_ix(accused, 0);
    close(game, whole)?;
    let whole = game.close_round_ix(0);
    close(game, whole)
}

/// The rent comes back to the sponsor and nobody else, not to the operators whose accounts they are.
#[test]
fn rent_of_a_sponsor_goes_to_nobody_else() {
    let (mut case, sponsor) = sponsored();
    for thief in [
        case.voters[0].operator.pubkey(),
        case.voters[0].owner.pubkey(),
        case.game.creator.pubkey(),
    ] {
        refused(
            close_all(&mut case, &thief).map(|()| unreachable!()),
            TaskError::WrongPayer,
        );
    }
    let before = case.game.svm.get_balance(&sponsor.pubkey()).unwrap();
    close_all(&mut case, &sponsor.pubkey()).unwrap();
    let after = case.game.svm.get_balance(&sponsor.pubkey()).unwrap();
    assert!(after > before + 10_000_000);
}

/// A sponsor is asked for nothing at the end: emptied, given to another program, or made a program itself.
#[test]
fn sponsor_that_refuses_at_the_end_stops_nothing() {
    let changes: [fn(&mut Account); 3] = [
        |account| *account = Account::default(),
        |account| {
            account.owner = TOKEN;
            account.data = vec![1; 165];
        },
        |account| {
            account.owner = anchor_lang::address!("BPFLoaderUpgradeab1e11111111111111111111111");
            account.data = vec![2, 0, 0, 0];
            account.data.extend([7; 32]);
            account.executable = true;
        },
    ];
    for change in changes {
        let (mut case, sponsor) = sponsored();
        let mut account = case.game.svm.get_account(&sponsor.pubkey()).unwrap();
        change(&mut account);
        case.game
            .svm
            .set_account(sponsor.pubkey(), account)
            .unwrap();
        close_all(&mut case, &sponsor.pubkey()).unwrap();
    }
}

/// Whoever keeps silent delays: no draw, and everybody votes; no appeal, and the first count stands; no verdict, and the next caller has it.
/// Nobody else's agreement is asked for.
#[test]
fn keeper_that_keeps_silent_costs_time_and_nothing_else() {
    let mut crowd = Crowd::new(jury(), 0, 3);
    let stranger = crowd.game.stranger();
    let audit = crowd.accuse(&SECRET);
    crowd.game.warp(DRAW_SLOT + 256);
    crowd.vote(&audit);
    crowd.game.warp(START + 10_000);
    let resolve = crowd.game.resolve_audit_ix(&audit);
    crowd.game.send(&[resolve], &[&stranger.owner]).unwrap();
    for voter in &crowd.honest {
        let claim = crowd.game.claim_vote_ix(voter, &audit);
        crowd.game.send(&[claim], &[&stranger.owner]).unwrap();
    }
    assert_eq!(outcome(&crowd.game, &audit), Outcome::Acquitted);
    assert_eq!(gain(&crowd.game, &stranger), 0);
}

// The price of a draw.

/// The chance that one of many small nodes is seated, by what the program seats: the lots below an edge.
fn chance_of_a_seat(nodes: u64, seats: u16) -> f64 {
    let (mut low, mut high) = (0u64, u64::MAX);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if is_seated(middle, 1, seats, nodes) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    (low as f64 + 1.0) / 2f64.powi(64)
}

/// Chances of 0, 1, 2… seats of so many nodes, each seated with `chance`.
fn seats_of(nodes: u64, chance: f64) -> Vec<f64> {
    let mut one = (1.0 - chance).powi(nodes as i32);
    (0..=nodes)
        .map(|seats| {
            let now = one;
            one *= (nodes - seats) as f64 / (seats + 1) as f64 * chance / (1.0 - chance);
            now
        })
        .collect()
}

/// The chance that a draw gives attackers a verdict: more seats with the accusation than the honest have, and the quorum.
fn chance_of_a_draw(share: u64, seats: u16, quorum_bps: u64) -> f64 {
    const NODES: u64 = 1_000;
    let chance = chance_of_a_seat(NODES, seats);
    let attackers = NODES * share / 100;
    // One of them accuses.
    let theirs = seats_of(attackers - 1, chance);
    let honest = seats_of(NODES - attackers, chance);
    let quorum = (u64::from(seats) * quorum_bps).div_ceil(10_000) as usize;
    (0..theirs.len())
        .filter(|seats| *seats >= 3 && seats + 1 >= quorum)
        .map(|seats| {
            let fewer: f64 = honest.iter().take(seats + 1).sum();
            theirs[seats] * fewer
        })
        .sum()
}

fn number(value: f64) -> String {
    if value < 1e6 {
        let whole = format!("{value:.0}");
        let mut text = String::new();
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        return text;
    }
    let power = value.log10().floor();
    format!("{:.0} × 10^{power:.0}", value / 10f64.powf(power))
}

/// What `docs/security.md` shows, from the program's own rule of seating and exact sums over a thousand equal nodes, all awake, the honest
/// all voting right.
#[test]
fn prices_of_a_draw() {
    let document = include_str!("../../../docs/security.md");
    let mut rows = vec![];
    for share in [10, 33, 45] {
        for seats in [15, 31, 101] {
            let mut row = format!("| {share} % | {seats} |");
            for quorum in [2_000, 5_000] {
                let chance = chance_of_a_draw(share, seats, quorum);
                let draws = (std::f64::consts::LN_2 / -(-chance).ln_1p()).ceil();
                row += &if chance < 1e-4 {
                    format!(" 1 in {} | {} |", number(1.0 / chance), number(draws))
                } else {
                    format!(" {:.2} % | {} |", chance * 100.0, number(draws))
                };
            }
            println!("{row}");
            rows.push(row);
        }
    }
    for row in rows {
        assert!(document.contains(&row), "docs/security.md lacks: {row}");
    }
}

/// The sums, beside draws as the program makes them.
#[test]
fn prices_of_a_draw_are_those_of_real_draws() {
    let owners: Vec<_> = (0..1_000).map(|_| fresh().pubkey()).collect();
    let draws = 400u64;
    let won = (0..draws)
        .filter(|number| {
            let seed = sha256(&[b"price", &number.to_le_bytes()]);
            let seated = |of: &[Address]| {
                of.iter()
                    .filter(|owner| is_seated(lot(&seed, owner), 1, 15, 1_000))
                    .count()
            };
            let (theirs, honest) = (seated(&owners[1..450]), seated(&owners[450..]));
            theirs >= 3 && theirs + 1 > honest
        })
        .count();
    let expected = chance_of_a_draw(45, 15, 2_000) * draws as f64;
    // Four deviations.
    let near = 4.0 * (draws as f64).sqrt() / 2.0;
    assert!(
        (won as f64 - expected).abs() < near,
        "{won} of {draws}, {expected:.0} expected"
    );
}
