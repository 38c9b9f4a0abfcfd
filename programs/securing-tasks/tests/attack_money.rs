//! Attacks on the money itself: griefing, bookkeeping without tokens, dust, gifts, a frozen vault, stolen hot keys, huge amounts.

mod attack_kit;
mod common;

use anchor_lang::{prelude::Address, solana_program::system_instruction};
use anchor_spl::token_2022::spl_token_2022::{self, instruction as token};
use attack_kit::*;
use common::*;
use securing_tasks::{Audit, Outcome, RulesArgs, VoteWeight};
use solana_keypair::Keypair;
use solana_signer::Signer;

const WRAPPED_SOL: Address = anchor_lang::address!("So11111111111111111111111111111111111111112");

// Griefing audits.

/// A false accusation in each of three rounds: 200,000 each for the griefer, of which the accused has 80,000 and two voters 60,000 each.
/// The bounties come all the same.
#[test]
fn griefing_audits_cost_a_bond_each_and_pay_the_accused() {
    let mut game = Game::new(rules());
    game.fund_task(1_000_000).unwrap();
    let honest = game.worker(4_000_000);
    let griefer = game.witness(2_000_000);
    let voters = [(); 2].map(|()| game.witness(1_000_000));
    for round in 0..3 {
        let start = START + 1_000 * round;
        game.warp(start + 1);
        game.submit_work(&honest, round).unwrap();
        let audit = accuse(&mut game, &griefer, &honest, round);
        let votes = [(&voters[0], VALID), (&voters[1], VALID)];
        assert_eq!(decide(&mut game, &audit, &votes), Outcome::Acquitted);
        game.warp(start + 400);
        game.claim_bounty(&honest, round).unwrap();
    }
    assert_eq!(
        gains(&mut game, [&griefer, &honest, &voters[0], &voters[1]]),
        [-600_000, 300_000 + 180_000, 180_000, 180_000]
    );
}

/// Where nobody votes, a griefer's bond comes back: it ties 200,000 for 400 slots and puts the bounty off by one. No amount changes.
#[test]
fn griefing_audits_that_nobody_answers_cost_time_and_change_no_amount() {
    let mut game = Game::new(rules());
    game.fund_task(1_000_000).unwrap();
    let honest = game.worker(4_000_000);
    let griefer = game.witness(2_000_000);
    game.warp(START + 1);
    game.submit_work(&honest, 0).unwrap();
    for _ in 0..2 {
        let audit = accuse(&mut game, &griefer, &honest, 0);
        game.warp(game.get::<Audit>(&audit).end_slot.get() - 1);
        refused(game.resolve_audit(&audit), TaskError::VotingOpen);
        if game.slot() >= START + 400 {
            refused(game.claim_bounty(&honest, 0), TaskError::RoundUndecided);
        }
        assert_eq!(settle(&mut game, &audit, &[]), Outcome::NoVerdict);
    }
    assert_eq!(game.slot(), START + 401);
    game.claim_bounty(&honest, 0).unwrap();
    assert_eq!(gains(&mut game, [&griefer, &honest]), [0, 100_000]);
}

/// Accusing is never free: a task without a bond can't be made, and a node's open accusations pledge no more than it has.
#[test]
fn griefing_audits_without_a_bond_are_refused() {
    let mut game = Game::unborn(RulesArgs {
        initiator_bond: 0,
        ..rules()
    });
    refused(game.create_task(), TaskError::BondZero);

    let mut game = Game::new(rules());
    let honest = game.worker(4_000_000);
    let griefer = game.witness(599_999);
    game.warp(START + 1);
    game.submit_work(&honest, 0).unwrap();
    for _ in 0..2 {
        accuse(&mut game, &griefer, &honest, 0);
    }
    refused(
        game.open_audit(&griefer, &honest, 0, MALICE),
        TaskError::StakePledged,
    );
}

/// Side by side or in turn: each false accusation costs its bond, and none is in the way of the honest one, which is decided in its turn.
#[test]
fn griefing_audits_side_by_side_cost_a_bond_each_and_stop_nobody() {
    let mut game = Game::new(rules());
    let honest = game.worker(4_000_000);
    let griefer = game.witness(1_000_000);
    let voters = [(); 2].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    game.submit_work(&honest, 0).unwrap();
    let audits = [(); 5].map(|()| accuse(&mut game, &griefer, &honest, 0));
    refused(
        game.open_audit(&griefer, &honest, 0, MALICE),
        TaskError::StakePledged,
    );
    let other = accuse(&mut game, &voters[0], &honest, 0);
    for audit in &audits {
        for voter in &voters {
            game.cast_vote(voter, audit, VALID).unwrap();
        }
    }
    game.warp(START + 201);
    refused(game.resolve_audit(&other), TaskError::EarlierAuditOpen);
    for audit in &audits {
        assert_eq!(
            settle(&mut game, audit, &[&voters[0], &voters[1]]),
            Outcome::Acquitted
        );
    }
    assert_eq!(settle(&mut game, &other, &[]), Outcome::NoVerdict);
    assert_eq!(
        gains(&mut game, [&griefer, &honest, &voters[0], &voters[1]]),
        [-1_000_000, 300_000, 300_000, 300_000]
    );
}

// Tokens behind every number.

/// Nobody stakes what it hasn't, and a slash is tokens: the vault pays 2,000,000 less to the accused and as much more to the others.
#[test]
fn slash_is_more_than_bookkeeping_and_moves_tokens() {
    let mut game = Game::new(rules());
    let poor = game.stranger();
    assert!(game.join_task(&poor, 0, WALLET + 1).is_err());
    let case = Case::audited(rules(), MALICE);
    let audit = case.audit();
    let Case {
        mut game,
        accused,
        initiator,
        voters: [first, second, third],
    } = case;
    assert_eq!(balance(&game.svm, &game.vault), 11_500_000);
    let votes = [&first, &second, &third].map(|voter| (voter, MALICE));
    decide(&mut game, &audit, &votes);
    assert_eq!(balance(&game.svm, &game.vault), 11_500_000);
    let all = gains(&mut game, [&accused, &initiator, &first, &second, &third]);
    assert_eq!(all, [-2_000_000, 900_000, 300_000, 300_000, 300_000]);
    game.retire_task().unwrap();
    assert_eq!(balance(&game.svm, &game.vault), 0);
    assert_eq!(balance(&game.svm, &game.creator_wallet), WALLET + 200_000);
}

/// What isn't the node's can't be asked for, however large or often.
#[test]
fn slash_is_more_than_bookkeeping_and_nobody_draws_on_others_stake() {
    let mut game = Game::new(rules());
    let thief = game.worker(1_000_000);
    game.worker(4_000_000);
    for amount in [1_000_001, u64::MAX] {
        refused(
            game.request_leave(&thief, Some(amount)),
            TaskError::StakeTooSmall,
        );
    }
    game.request_leave(&thief, None).unwrap();
    refused(
        game.request_leave(&thief, Some(1)),
        TaskError::StakeTooSmall,
    );
    game.warp(START + 600);
    game.withdraw(&thief).unwrap();
    refused(game.withdraw(&thief), TaskError::NothingToWithdraw);
    assert_eq!(gain(&game, &thief), 0);
}

// Dust.

/// Odd amounts among seven, claimed in any order: everyone has the floor of its share, whenever it comes, and the pool the rest.
#[test]
fn rounding_dust_goes_to_the_pool_and_no_order_of_claims_earns_it() {
    let mut seen = vec![];
    for turn in 0..6 {
        let mut game = Game::new(RulesArgs {
            malice_bps: 3_333,
            initiator_bonus_bps: 3_333,
            pool_bps: 1,
            ..rules()
        });
        let accused = game.worker(4_000_003);
        let initiator = game.witness(1_000_000);
        let voters = [(); 6].map(|()| game.witness(1_000_000));
        game.warp(START + 1);
        game.submit_work(&accused, 0).unwrap();
        let audit = accuse(&mut game, &initiator, &accused, 0);
        for voter in &voters {
            game.cast_vote(voter, &audit, MALICE).unwrap();
        }
        game.warp(START + 201);
        game.resolve_audit(&audit).unwrap();
        for number in 0..6 {
            game.claim_vote(&voters[(number + turn) % 6], &audit)
                .unwrap();
        }
        // 1,333,200 of 4,000,003; bonus 444,355; voters 888,711 among seven: 126,958 each, five left; pool 134 + 5.
        assert_eq!(game.task().pool.get(), 139);
        let [accused, initiator, first, .., last] = gains(
            &mut game,
            [
                &accused, &initiator, &voters[0], &voters[1], &voters[2], &voters[3], &voters[4],
                &voters[5],
            ],
        );
        assert_eq!(accused, -1_333_200);
        assert_eq!(initiator, 444_355 + 126_958);
        seen.extend([first, last]);
    }
    assert_eq!(seen, [126_958; 12]);
}

/// No task has a slash or bonus that floors to nothing at the least stake: the tiniest worker loses what the rules name.
#[test]
fn rounding_dust_saves_the_tiniest_node_nothing() {
    let tiny = |worker_min_stake, downtime_bps, malice_bps| RulesArgs {
        worker_min_stake,
        initiator_bond: 1,
        vote_deposit: 1,
        downtime_bps,
        malice_bps,
        ..rules()
    };
    for (change, error) in [
        (tiny(9_999, 0, 1), TaskError::SlashFloorsToZero),
        (tiny(9_999, 1, 4), TaskError::SlashFloorsToZero),
        // 30 % of 3.
        (tiny(39_999, 1, 1), TaskError::BonusFloorsToZero),
    ] {
        refused(Game::unborn(change).create_task(), error);
    }
    let mut game = Game::new(tiny(40_000, 1, 1));
    game.fund_task(1_000_000).unwrap();
    let worker = game.worker(40_000);
    let [initiator, first, second] = [(); 3].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    game.submit_work(&worker, 0).unwrap();
    let audit = accuse(&mut game, &initiator, &worker, 0);
    decide(&mut game, &audit, &[(&first, MALICE), (&second, MALICE)]);
    assert_eq!(game.node(&worker).convictions_malice.get(), 1);
    game.warp(START + 400);
    refused(
        game.claim_bounty(&worker, 0),
        TaskError::ConvictedEarnsNothing,
    );
    assert_eq!(gains(&mut game, [&worker, &initiator]), [-4, 1]);
}

// Bounties.

/// Two rounds in a row never promise the same tokens, and a bounty is claimed once.
#[test]
fn bounty_is_never_promised_or_paid_twice() {
    let mut game = Game::new(rules());
    game.fund_task(150_000).unwrap();
    let worker = game.worker(1_000_000);
    for (round, paid) in [(0, 100_000), (1, 50_000), (2, 0)] {
        game.warp(START + 1_000 * round);
        game.submit_work(&worker, round).unwrap();
        game.warp(START + 1_000 * round + 400);
        game.claim_bounty(&worker, round).unwrap();
        refused(game.claim_bounty(&worker, round), TaskError::AlreadyPaid);
        let left = game.node(&worker).payable.get();
        assert_eq!(left, paid);
        if left > 0 {
            game.withdraw(&worker).unwrap();
        }
    }
    assert_eq!(gains(&mut game, [&worker]), [150_000]);
}

/// Nobody's bounty grows by convicting a rival: the rival's part goes back to the pool.
#[test]
fn bounty_of_a_convicted_rival_goes_back_to_the_pool() {
    let mut game = Game::new(rules());
    game.fund_task(100_000).unwrap();
    let [framer, rival] = [(); 2].map(|()| game.worker(4_000_000));
    let [first, second] = [(); 2].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    for worker in [&framer, &rival] {
        game.submit_work(worker, 0).unwrap();
    }
    let audit = accuse(&mut game, &framer, &rival, 0);
    decide(&mut game, &audit, &[(&first, MALICE), (&second, MALICE)]);
    game.warp(START + 400);
    game.claim_bounty(&framer, 0).unwrap();
    assert_eq!(game.node(&framer).payable.get(), 50_000);
    for voter in [&first, &second] {
        game.close_vote(voter, &audit).unwrap();
    }
    game.close_audit(&audit).unwrap();
    for worker in [&framer, &rival] {
        game.close_submission(worker, 0).unwrap();
    }
    game.close_round(0).unwrap();
    assert_eq!(game.task().pool.get(), 200_000 + 50_000);
}

/// Not defended: what one worker published another can send in as its own, and one owner can work through two nodes. Each has a part of
/// the bounty, at the price of a worker's minimum each, at risk like the other's.
#[test]
fn bounty_for_copied_work_costs_a_workers_minimum_at_risk() {
    let mut game = Game::new(rules());
    game.fund_task(100_000).unwrap();
    let [worker, copier] = [(); 2].map(|()| game.worker(1_000_000));
    let poor = game.stranger();
    refused(
        game.join_task(&poor, 0, 999_999),
        TaskError::StakeBelowMinimum,
    );
    game.warp(START + 1);
    for node in [&worker, &copier] {
        game.submit_work(node, 0).unwrap();
    }
    let hashes = [&worker, &copier].map(|node| {
        game.get::<securing_tasks::Submission>(&game.submission(node, 0))
            .payload_hash
    });
    assert_eq!(hashes[0], hashes[1]);
    game.warp(START + 400);
    for node in [&worker, &copier] {
        game.claim_bounty(node, 0).unwrap();
    }
    assert_eq!(gains(&mut game, [&worker, &copier]), [50_000, 50_000]);
}

// Gifts.

/// Tokens sent to the vault are nobody's: no balance in the ledger changes, nobody can draw them, and they go to the creator when the task
/// is closed. They keep it from closing no more than from paying.
#[test]
fn gift_of_tokens_to_the_vault_is_the_creators_at_closing() {
    let mut game = Game::new(rules());
    let giver = game.stranger();
    let worker = game.worker(1_000_000);
    let gift = token::transfer_checked(
        &TOKEN,
        &giver.wallet,
        &game.mint,
        &game.vault,
        &giver.owner.pubkey(),
        &[],
        777,
        6,
    )
    .unwrap();
    // From here on the vault holds more than the ledger, so `Game::send` with its check of equality can't be used.
    send(&mut game.svm, &[gift], &[&giver.owner]).unwrap();
    assert_eq!(game.task().pool.get(), 0);
    let leave = game.request_leave_ix(&worker, None);
    send(&mut game.svm, &[leave], &[&worker.owner]).unwrap();
    game.warp(START + 600);
    let withdraw = game.withdraw_ix(&worker);
    send(&mut game.svm, &[withdraw], &[&worker.owner]).unwrap();
    assert_eq!(gain(&game, &worker), 0);

    let (retire, close_task) = (game.retire_task_ix(), game.close_task_ix());
    let close_node = game.close_node_ix(&worker.owner.pubkey(), &worker);
    let creator = game.creator.insecure_clone();
    send(&mut game.svm, &[retire], &[&creator]).unwrap();
    assert_eq!(balance(&game.svm, &game.creator_wallet), WALLET);
    send(&mut game.svm, &[close_node], &[&worker.owner]).unwrap();
    send(&mut game.svm, &[close_task], &[&creator]).unwrap();
    assert_eq!(balance(&game.svm, &game.creator_wallet), WALLET + 777);
    assert_eq!(gain(&game, &giver), -777);
}

// The mint's own keys.

/// A task in a mint whose accounts somebody may freeze, and who.
fn freezable() -> (Game, Keypair) {
    let mut game = Game::unborn(rules());
    let creator = game.creator.insecure_clone();
    let authority = key(&mut game.svm);
    let mint = fresh();
    let rent = game.svm.minimum_balance_for_rent_exemption(82);
    let make = [
        system_instruction::create_account(&creator.pubkey(), &mint.pubkey(), rent, 82, &TOKEN),
        token::initialize_mint2(
            &TOKEN,
            &mint.pubkey(),
            &creator.pubkey(),
            Some(&authority.pubkey()),
            6,
        )
        .unwrap(),
    ];
    send(&mut game.svm, &make, &[&creator, &mint]).unwrap();
    game.mint = mint.pubkey();
    game.creator_wallet = make_wallet(
        &mut game.svm,
        &creator,
        &TOKEN,
        &mint.pubkey(),
        &creator.pubkey(),
        WALLET,
    );
    game.create_task().unwrap();
    (game, authority)
}

/// Not defended: who may freeze accounts of the mint can freeze the vault. It can't take what is in it, verdicts go on, and once thawed
/// everyone is paid to the unit. Which mint is the creator's choice.
#[test]
fn freeze_authority_of_the_mint_can_hold_the_vault_and_never_take_it() {
    let (mut game, authority) = freezable();
    let accused = game.worker(4_000_000);
    let [initiator, first, second] = [(); 3].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    let freeze =
        token::freeze_account(&TOKEN, &game.vault, &game.mint, &authority.pubkey(), &[]).unwrap();
    let thaw =
        token::thaw_account(&TOKEN, &game.vault, &game.mint, &authority.pubkey(), &[]).unwrap();
    game.send(&[freeze], &[&authority]).unwrap();

    let audit = accuse(&mut game, &initiator, &accused, 0);
    let votes = [(&first, MALICE), (&second, MALICE)];
    assert_eq!(decide(&mut game, &audit, &votes), Outcome::ConvictedMalice);
    game.request_leave(&accused, None).unwrap();
    game.warp(START + 1_000);
    fails(game.withdraw(&accused));
    let take = token::transfer_checked(
        &TOKEN,
        &game.vault,
        &game.mint,
        &game.creator_wallet,
        &authority.pubkey(),
        &[],
        1,
        6,
    )
    .unwrap();
    fails(game.send(&[take], &[&authority]));

    game.send(&[thaw], &[&authority]).unwrap();
    assert_eq!(
        gains(&mut game, [&accused, &initiator, &first, &second]),
        [-2_000_000, 1_000_000, 400_000, 400_000]
    );
}

/// A frozen vault that holds nothing keeps the creator of a retired task not from its rent: nothing is transferred.
#[test]
fn freeze_authority_of_the_mint_does_not_keep_an_empty_task_open() {
    let (mut game, authority) = freezable();
    let freeze =
        token::freeze_account(&TOKEN, &game.vault, &game.mint, &authority.pubkey(), &[]).unwrap();
    game.retire_task().unwrap();
    game.send(&[freeze], &[&authority]).unwrap();
    game.close_task().unwrap();
}

/// The mint's authority can mint itself a majority: a currency that its maker prints secures nothing from its maker. It pays for no more
/// than votes all the same: no honest stake leaves the vault by it but through verdicts.
#[test]
fn mint_authority_buys_a_majority_for_nothing() {
    let mut game = Game::new(by_stake());
    let innocent = game.worker(4_000_000);
    let honest = [(); 3].map(|()| game.witness(1_000_000));
    let whale = [(); 3].map(|()| game.witness(500_000_000));
    game.warp(START + 1);
    game.submit_work(&innocent, 0).unwrap();
    let audit = accuse(&mut game, &whale[0], &innocent, 0);
    let votes = [
        (&whale[1], MALICE),
        (&whale[2], MALICE),
        (&honest[0], VALID),
        (&honest[1], VALID),
        (&honest[2], VALID),
    ];
    assert_eq!(decide(&mut game, &audit, &votes), Outcome::ConvictedMalice);
    assert_eq!(gains(&mut game, [&innocent]), [-2_000_000]);
}

// A stolen hot key.

/// It moves no money and changes no key. Through false accusations of the thief's own worker it can lose the victim's bonds, up to its whole
/// stake: 200,000 each, 80,000 of it to the thief and 120,000 to the voters. The owner ends it with one transaction.
#[test]
fn stolen_hot_key_of_a_witness_loses_a_bond_for_each_accusation() {
    let mut game = Game::new(rules());
    let victim = game.witness(900_000);
    let thief = game.worker(1_000_000);
    let honest = [(); 2].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    game.submit_work(&thief, 0).unwrap();
    let stolen = victim.operator.insecure_clone();
    let owner = victim.owner.pubkey();
    for instruction in [
        game.withdraw_ix(&victim),
        game.request_leave_ix(&victim, None),
        game.set_operator_ix(&victim, stolen.pubkey()),
        game.add_stake_ix(&victim, 1),
    ] {
        let attempt = swap(instruction, &owner, &stolen.pubkey());
        refused(game.send(&[attempt], &[&stolen]), TaskError::NotOwner);
    }
    let audits = [(); 4].map(|()| {
        let audit = accuse(&mut game, &victim, &thief, 0);
        for voter in &honest {
            game.cast_vote(voter, &audit, VALID).unwrap();
        }
        audit
    });
    refused(
        game.open_audit(&victim, &thief, 0, MALICE),
        TaskError::StakePledged,
    );
    let key = fresh().pubkey();
    game.set_operator(&victim, key).unwrap();
    refused(
        game.open_audit(&victim, &thief, 0, MALICE),
        TaskError::NotOperator,
    );
    for audit in &audits {
        settle(&mut game, audit, &[&honest[0], &honest[1]]);
    }
    assert_eq!(
        gains(&mut game, [&victim, &thief, &honest[0]]),
        [-800_000, 240_000, 240_000]
    );
}

/// Not defended: whoever has a worker's hot key can send in garbage under it, and accuse it first. Honest jurors convict, as they must. With
/// malice at all of the stake the victim loses all, and the thief's witness has the bonus and a voter's share.
#[test]
fn stolen_hot_key_of_a_worker_is_worth_its_whole_stake() {
    let mut game = Game::new(RulesArgs {
        malice_bps: 10_000,
        ..rules()
    });
    let victim = game.worker(4_000_000);
    let thief = game.witness(1_000_000);
    let honest = [(); 3].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    let garbage = game.submit_work_ix(&victim, 0);
    let stolen = victim.operator.insecure_clone();
    game.send(&[garbage], &[&stolen]).unwrap();
    let audit = accuse(&mut game, &thief, &victim, 0);
    let votes = [&honest[0], &honest[1], &honest[2]].map(|voter| (voter, MALICE));
    assert_eq!(decide(&mut game, &audit, &votes), Outcome::ConvictedMalice);
    // 1,200,000 and a quarter of 2,400,000.
    assert_eq!(
        gains(&mut game, [&victim, &thief, &honest[0]]),
        [-4_000_000, 1_800_000, 600_000]
    );
}

// Overflow.

/// Half of all the tokens that can exist at stake, and every share of it to the unit, by node and by stake.
#[test]
fn overflow_of_products_of_huge_amounts_never_happens() {
    const HUGE: u64 = 1 << 60;
    for vote_weight in [VoteWeight::Node, VoteWeight::Stake] {
        let mut game = Game::new(RulesArgs {
            vote_weight: vote_weight as u8,
            worker_min_stake: HUGE / 4,
            witness_min_stake: HUGE / 4,
            bounty_per_round: u64::MAX,
            initiator_bond: HUGE / 4,
            vote_deposit: HUGE / 4,
            malice_bps: 9_999,
            ..rules()
        });
        let creator = game.creator.insecure_clone();
        let rich = |game: &mut Game, role: u8, amount: u64| {
            let mut actor = game.stranger();
            let wallet = make_wallet(
                &mut game.svm,
                &creator,
                &TOKEN,
                &game.mint,
                &actor.owner.pubkey(),
                amount,
            );
            actor.wallet = wallet;
            game.join_task(&actor, role, amount).unwrap();
            actor
        };
        let accused = rich(&mut game, 0, 4 * HUGE + 1);
        let [initiator, first, second] = [(); 3].map(|()| rich(&mut game, 1, HUGE + 7));
        game.warp(START + 1);
        game.submit_work(&accused, 0).unwrap();
        let audit = accuse(&mut game, &initiator, &accused, 0);
        let votes = [(&first, MALICE), (&second, MALICE)];
        assert_eq!(decide(&mut game, &audit, &votes), Outcome::ConvictedMalice);
        let actors = [&accused, &initiator, &first, &second];
        gains(&mut game, actors);
        let left = actors.map(|actor| u128::from(balance(&game.svm, &actor.wallet)));
        let whole = u128::from(4 * HUGE + 1);
        let slash = whole * 9_999 / 10_000;
        let bonus = slash * 3_000 / 10_000;
        let share = slash * 6_000 / 10_000 / 3;
        let own = u128::from(HUGE + 7);
        assert_eq!(
            left,
            [whole - slash, own + bonus + share, own + share, own + share]
        );
    }
}

/// Numbers that no amount can have are refused before they're added to anything.
#[test]
fn overflow_of_arguments_is_refused() {
    let mut game = Game::new(rules());
    let worker = game.worker(1_000_000);
    fails(game.add_stake(&worker, u64::MAX));
    fails(game.fund_task(u64::MAX));
    refused(
        game.submit_work(&worker, u64::MAX),
        TaskError::RoundNotCurrent,
    );
    for change in [
        RulesArgs {
            round_slots: u64::MAX,
            ..rules()
        },
        RulesArgs {
            leave_delay_slots: u64::MAX,
            ..rules()
        },
        RulesArgs {
            audit_slots: u64::MAX,
            ..rules()
        },
        RulesArgs {
            reveal_slots: u64::MAX - 1,
            ..rules()
        },
        RulesArgs {
            initiator_bonus_bps: u16::MAX,
            pool_bps: u16::MAX,
            ..rules()
        },
    ] {
        let mut game = Game::unborn(change);
        fails(game.create_task());
    }
}

// Rent.

/// In wrapped SOL, where tokens are lamports, the vault's rent is out of everyone's reach: after the last withdrawal it is all that is left,
/// and a gift of lamports is the creator's at closing.
#[test]
fn rent_drained_from_a_vault_of_wrapped_sol_is_out_of_reach() {
    let mut svm = machine();
    let creator = key(&mut svm);
    let model = make_mint(&mut svm, &creator, &TOKEN, &[], |_| vec![]);
    let mut account = svm.get_account(&model).unwrap();
    account.data[..36].fill(0);
    account.data[44] = 9;
    svm.set_account(WRAPPED_SOL, account).unwrap();
    let wrapped = |svm: &mut litesvm::LiteSVM, owner: &Keypair, lamports: u64| {
        let creator = creator.insecure_clone();
        let wallet = make_wallet(svm, &creator, &TOKEN, &WRAPPED_SOL, &owner.pubkey(), 0);
        let wrap = [
            system_instruction::transfer(&owner.pubkey(), &wallet, lamports),
            token::sync_native(&TOKEN, &wallet).unwrap(),
        ];
        send(svm, &wrap, &[owner]).unwrap();
        wallet
    };
    let task = task_address(&creator.pubkey(), 0);
    let (owner, operator) = (key(&mut svm), key(&mut svm));
    let wallet = wrapped(&mut svm, &owner, 3_000_000);
    let creator_wallet = wrapped(&mut svm, &creator, 1_000_000);
    let mut game = Game {
        svm,
        creator,
        creator_wallet,
        token_program: TOKEN,
        mint: WRAPPED_SOL,
        task,
        vault: vault_address(&task),
        rules: rules(),
        fees: Default::default(),
    };
    game.create_task().unwrap();
    game.fund_task(1_000_000).unwrap();
    let worker = Actor {
        node: node_address(&task, &owner.pubkey()),
        owner,
        operator,
        wallet,
        gate_proof: None,
        gate_mint: None,
    };
    game.join_task(&worker, 0, 3_000_000).unwrap();
    let rent = game.svm.minimum_balance_for_rent_exemption(165);
    let lamports = |game: &Game| game.svm.get_account(&game.vault).unwrap().lamports;
    assert_eq!(lamports(&game), rent + 4_000_000);
    game.request_leave(&worker, None).unwrap();
    game.retire_task().unwrap();
    game.warp(START + 600);
    game.withdraw(&worker).unwrap();
    assert_eq!(lamports(&game), rent);
    assert_eq!(balance(&game.svm, &worker.wallet), 3_000_000);

    // Lamports on top, made tokens by whoever likes.
    let creator = game.creator.insecure_clone();
    let gift = [
        system_instruction::transfer(&creator.pubkey(), &game.vault, 5_000),
        token::sync_native(&TOKEN, &game.vault).unwrap(),
    ];
    send(&mut game.svm, &gift, &[&creator]).unwrap();
    let (close_node, close_task) = (
        game.close_node_ix(&worker.owner.pubkey(), &worker),
        game.close_task_ix(),
    );
    send(&mut game.svm, &[close_node], &[&worker.owner]).unwrap();
    send(&mut game.svm, &[close_task], &[&creator]).unwrap();
    assert_eq!(balance(&game.svm, &game.creator_wallet), 1_000_000 + 5_000);
}

/// Claims and withdrawals move tokens and ledger entries; the lamports of the program's own accounts never pay for anything.
#[test]
fn rent_drained_from_the_programs_accounts_is_out_of_reach() {
    let case = Case::audited(rules(), MALICE);
    let audit = case.audit();
    let Case {
        mut game,
        accused,
        initiator,
        voters: [first, second, third],
    } = case;
    game.cast_vote(&first, &audit, MALICE).unwrap();
    game.cast_vote(&second, &audit, MALICE).unwrap();
    game.cast_vote(&third, &audit, MALICE).unwrap();
    let lamports = |game: &Game| {
        game.svm
            .get_program_accounts(&securing_tasks::ID)
            .into_iter()
            .map(|(address, account)| (address, account.lamports))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let before = lamports(&game);
    settle(&mut game, &audit, &[&first, &second, &third]);
    gains(&mut game, [&accused, &initiator, &first, &second, &third]);
    game.retire_task().unwrap();
    assert_eq!(lamports(&game), before);
    for (address, lamports) in before {
        let account = game.svm.get_account(&address).unwrap();
        let least = game
            .svm
            .minimum_balance_for_rent_exemption(account.data.len());
        assert!(lamports >= least);
    }
}

/// The vault obeys the task alone: neither creator nor owner nor operator can move or close it through the token program.
#[test]
fn rent_drained_by_moving_the_vault_directly_is_refused() {
    let mut game = Game::new(rules());
    let worker = game.worker(1_000_000);
    for thief in [
        game.creator.insecure_clone(),
        worker.owner.insecure_clone(),
        worker.operator.insecure_clone(),
    ] {
        let key = thief.pubkey();
        let (vault, mint) = (game.vault, game.mint);
        for attempt in [
            token::transfer_checked(&TOKEN, &vault, &mint, &worker.wallet, &key, &[], 1, 6),
            token::close_account(&TOKEN, &vault, &key, &key, &[]),
            token::approve(&TOKEN, &vault, &key, &key, &[], 1),
            token::set_authority(
                &TOKEN,
                &vault,
                Some(&key),
                spl_token_2022::instruction::AuthorityType::AccountOwner,
                &key,
                &[],
            ),
        ] {
            fails(game.send(&[attempt.unwrap()], &[&thief]));
        }
    }
    // Through the program: a refund to another's wallet needs the owner's key.
    let steal = swap(
        game.withdraw_ix(&worker),
        &worker.owner.pubkey(),
        &game.creator.pubkey(),
    );
    refused(game.send_by_creator(steal), TaskError::NotOwner);
}
