//! Attacks through accounts: forged, swapped, doubled, appended, squatted, closed and brought back, made twice.
//!
//! The first four play one game through every instruction, in two tasks of the same people at once, and try each wrong account at each
//! place before the right one passes.

mod attack_kit;
mod common;

use anchor_lang::{
    prelude::Address,
    solana_program::{
        instruction::{AccountMeta, Instruction},
        system_instruction,
    },
};
use attack_kit::*;
use common::*;
use securing_tasks::{Outcome, Round, RulesArgs, Submission, Vote, ID};
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::collections::{BTreeMap, BTreeSet};

/// What is wrong with the accounts of an instruction.
#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    /// A signature is missing, or is an attacker's.
    Signer,
    /// Bytes of the right account under another owner, of another kind, of the other task, or of another mint; a payer that isn't.
    Account,
    /// One account in two places.
    Twice,
    /// Accounts appended.
    Appended,
}

/// Who plays: the creator is the game's.
const LIAR: usize = 0;
const CALLER: usize = 1;
const FIRST: usize = 2;
const SECOND: usize = 3;

/// One game in two tasks.
struct Mirror {
    game: Game,
    tasks: [Address; 2],
    actors: Vec<Actor>,
    attacker: Actor,
    other_mint: Address,
    other_wallet: Address,
    wrong: Wrong,
    tried: usize,
    names: BTreeSet<&'static str>,
}

impl Mirror {
    /// Nobody has joined yet.
    fn new(wrong: Wrong) -> Self {
        // Three witnesses of the same stake: each has a seat for certain.
        let mut game = Game::unborn(RulesArgs {
            commit_slots: MIN_PANEL_WINDOW_SLOTS,
            reveal_slots: 150,
            ..panelled()
        });
        let actors = (0..4).map(|_| game.stranger()).collect();
        let attacker = game.stranger();
        let (other_mint, other_wallet) = game.other_mint(&attacker.owner.pubkey());
        let creator = game.creator.pubkey();
        Self {
            tasks: [0, 1].map(|id| task_address(&creator, id)),
            game,
            actors,
            attacker,
            other_mint,
            other_wallet,
            wrong,
            tried: 0,
            names: BTreeSet::new(),
        }
    }

    /// One instruction in both tasks: first every wrong one in the first, then the right one in each.
    fn step(&mut self, name: &'static str, build: impl Fn(&Game, &[Actor], u64) -> Instruction) {
        let [right, mirrored] = [0, 1].map(|number| {
            self.game.enter(self.tasks[number]);
            let here: Vec<_> = self
                .actors
                .iter()
                .map(|actor| self.game.here(actor))
                .collect();
            build(&self.game, &here, number as u64)
        });
        match self.wrong {
            Wrong::Signer => self.wrong_signers(name, &right),
            Wrong::Account => self.wrong_accounts(name, &right, &mirrored),
            Wrong::Twice => self.twice(name, &right),
            Wrong::Appended => return self.appended(name, [right, mirrored]),
        }
        for instruction in [right, mirrored] {
            self.send(&instruction)
                .unwrap_or_else(|failed| panic!("{name} should pass: {:?}", failed.err));
        }
        self.names.insert(name);
    }

    /// Paid by the creator, signed by whoever the instruction asks for.
    fn send(&mut self, instruction: &Instruction) -> Sent {
        let mut keys = vec![self.game.creator.insecure_clone()];
        let known = self.actors.iter().chain([&self.attacker]);
        let all: Vec<Keypair> = known
            .flat_map(|actor| [&actor.owner, &actor.operator])
            .map(Keypair::insecure_clone)
            .collect();
        for key in all {
            let asked = instruction
                .accounts
                .iter()
                .any(|meta| meta.is_signer && meta.pubkey == key.pubkey());
            if asked && keys.iter().all(|known| known.pubkey() != key.pubkey()) {
                keys.push(key);
            }
        }
        let signers: Vec<_> = keys.iter().collect();
        self.game.send(std::slice::from_ref(instruction), &signers)
    }

    fn must_fail(&mut self, name: &str, what: &str, place: usize, attempt: &Instruction) {
        self.tried += 1;
        assert!(
            self.send(attempt).is_err(),
            "{name} passed with account {place} {what}"
        );
    }

    fn wrong_signers(&mut self, name: &str, right: &Instruction) {
        for place in 0..right.accounts.len() {
            if !right.accounts[place].is_signer {
                continue;
            }
            // Whoever signs may pay the rent.
            let pays = place == 0
                && [
                    "create_task",
                    "join_task",
                    "allow_node",
                    "submit_work",
                    "open_audit",
                    "commit_vote",
                ]
                .contains(&name);
            for (what, owner) in [("of an attacker", true), ("of its hot key", false)] {
                if pays {
                    continue;
                }
                let mut attempt = right.clone();
                attempt.accounts[place].pubkey = if owner {
                    self.attacker.owner.pubkey()
                } else {
                    self.attacker.operator.pubkey()
                };
                self.must_fail(name, what, place, &attempt);
            }
            // The creator pays for these transactions and so has signed: there, somebody else has to.
            let attempt = unsigned(right.clone(), &right.accounts[place].pubkey);
            self.tried += 1;
            let payer = self.attacker.owner.insecure_clone();
            assert!(
                self.game.send(&[attempt], &[&payer]).is_err(),
                "{name} passed without the signature of account {place}"
            );
        }
    }

    fn wrong_accounts(&mut self, name: &str, right: &Instruction, mirrored: &Instruction) {
        for place in 0..right.accounts.len() {
            let meta = right.accounts[place].clone();
            let with = |address: Address| {
                let mut attempt = right.clone();
                attempt.accounts[place].pubkey = address;
                attempt
            };
            // An owner may name its own node in another task, a creator its own other task, a keeper another audit of which it knows
            // the secret: it does the same there.
            let own_choice =
                ["set_operator", "pause_task", "resume_task", "draw_panel"].contains(&name);
            if mirrored.accounts[place].pubkey != meta.pubkey && !own_choice {
                self.must_fail(
                    name,
                    "of the other task",
                    place,
                    &with(mirrored.accounts[place].pubkey),
                );
            }
            if meta.is_writable {
                let mut attempt = right.clone();
                attempt.accounts[place].is_writable = false;
                // The creator pays for the transaction, and with that is writable anyway. Signers that pay nothing aren't.
                if meta.pubkey != self.game.creator.pubkey() {
                    self.must_fail(name, "read only", place, &attempt);
                }
            }
            let account = self.game.svm.get_account(&meta.pubkey);
            match account {
                Some(account) if account.owner == ID => {
                    let forged = self.game.forge(&meta.pubkey);
                    self.must_fail(name, "of another program", place, &with(forged));
                    if account.data.len() > 8 {
                        let disguised = self.game.disguise(&meta.pubkey);
                        self.must_fail(name, "of another kind", place, &with(disguised));
                        // Real bytes in another place belong to the program only in this test; else the ledger's check would count it.
                        self.game
                            .svm
                            .set_account(disguised, Default::default())
                            .unwrap();
                    }
                }
                Some(account) if account.owner == TOKEN => {
                    for other in [self.other_mint, self.other_wallet] {
                        // Any mint is as good for a task that isn't there yet.
                        if name == "create_task" && other == self.other_mint {
                            continue;
                        }
                        self.must_fail(name, "of another mint", place, &with(other));
                    }
                    // Where the money goes to one owner alone.
                    if ["return_stake", "close_task"].contains(&name) {
                        let wallet = self.attacker.wallet;
                        self.must_fail(name, "of an attacker", place, &with(wallet));
                    }
                    let forged = self.game.forge(&meta.pubkey);
                    self.must_fail(name, "of another program", place, &with(forged));
                }
                Some(account) if account.executable && meta.pubkey != ID => {
                    for other in [TOKEN_2022, ID, self.attacker.owner.pubkey()] {
                        self.must_fail(name, "not the program", place, &with(other));
                    }
                }
                // A key that gets rent, or an address that is to be made.
                _ if !meta.is_signer && meta.pubkey != ID => {
                    let thief = self.attacker.operator.pubkey();
                    self.must_fail(name, "of an attacker", place, &with(thief));
                }
                _ => {}
            }
        }
    }

    fn twice(&mut self, name: &str, right: &Instruction) {
        for place in 0..right.accounts.len() {
            for other in 0..right.accounts.len() {
                let (here, there) = (&right.accounts[place], &right.accounts[other]);
                // What was one key from the start, and a gate's proof that is absent, is nothing new.
                if here.pubkey == there.pubkey || here.pubkey == ID {
                    continue;
                }
                let mut attempt = right.clone();
                attempt.accounts[place].pubkey = there.pubkey;
                attempt.accounts[place].is_signer &= there.is_signer;
                self.must_fail(name, &format!("and {other} the same"), place, &attempt);
            }
        }
    }

    /// With the accounts that an attacker would like to see used: they stay as they are, and all else happens as without.
    fn appended(&mut self, name: &'static str, pair: [Instruction; 2]) {
        let mut extra = vec![self.attacker.wallet, self.other_wallet];
        extra.extend(self.actors.iter().map(|actor| actor.wallet));
        for mut instruction in pair {
            let named: BTreeSet<_> = instruction
                .accounts
                .iter()
                .map(|meta| meta.pubkey)
                .collect();
            let strange: Vec<_> = self
                .game
                .svm
                .get_program_accounts(&ID)
                .into_iter()
                .map(|(address, _)| address)
                .chain(extra.iter().copied())
                .filter(|address| !named.contains(address))
                .take(8)
                .collect();
            let bytes = |game: &Game| {
                strange
                    .iter()
                    .map(|address| (*address, game.svm.get_account(address).unwrap().data))
                    .collect::<BTreeMap<_, _>>()
            };
            let before = bytes(&self.game);
            for address in &strange {
                instruction.accounts.push(AccountMeta::new(*address, false));
                self.tried += 1;
            }
            self.send(&instruction)
                .unwrap_or_else(|failed| panic!("{name} should pass: {:?}", failed.err));
            assert_eq!(bytes(&self.game), before, "{name} used what was appended");
        }
        self.names.insert(name);
    }

    fn warp(&mut self, slot: u64) {
        self.game.warp(slot);
    }

    /// Every instruction of the program, in a game that begins and ends.
    fn play(mut self) -> usize {
        self.step("create_task", |game, _, id| {
            instruction(
                create_task_accounts(&game.creator.pubkey(), id, &game.mint, &game.token_program),
                create_task_data(id, &game.rules),
            )
        });
        self.step("pause_task", |game, _, _| game.pause_task_ix());
        self.step("resume_task", |game, _, _| game.resume_task_ix());
        self.step("fund_task", |game, _, _| game.fund_task_ix(1_000_000));
        self.step("allow_node", |game, actors, _| {
            game.allow_node_ix(0, &actors[LIAR].owner.pubkey())
        });
        self.step("join_task", |game, actors, _| {
            game.join_task_ix(&actors[LIAR], 0, 4_000_000)
        });
        for number in [CALLER, FIRST, SECOND] {
            self.step("join_task", |game, actors, _| {
                game.join_task_ix(&actors[number], 1, 1_000_000)
            });
        }
        self.step("add_stake", |game, actors, _| {
            game.add_stake_ix(&actors[LIAR], 7)
        });
        self.step("set_operator", |game, actors, _| {
            game.set_operator_ix(&actors[LIAR], actors[LIAR].operator.pubkey())
        });
        self.warp(START + 1);
        self.step("submit_work", |game, actors, _| {
            game.submit_work_ix(&actors[LIAR], 0)
        });
        self.step("open_audit", |game, actors, _| {
            game.open_audit_ix(&actors[CALLER], &actors[LIAR], 0, MALICE)
        });
        let audit = |game: &Game, actors: &[Actor]| game.audit(&actors[LIAR], 0, 0);
        self.warp(START + 10);
        remember_blocks(&mut self.game.svm, |_| false);
        self.step("draw_panel", |game, actors, _| {
            game.draw_panel_ix(&audit(game, actors), SECRET)
        });
        for number in [FIRST, SECOND] {
            self.step("commit_vote", |game, actors, _| {
                let (audit, voter) = (audit(game, actors), &actors[number]);
                let hash = securing_tasks::state::commitment(
                    &audit,
                    &voter.owner.pubkey(),
                    MALICE,
                    &[9; 32],
                );
                game.commit_vote_ix(voter, &audit, hash)
            });
        }
        self.warp(START + 529);
        for number in [FIRST, SECOND] {
            self.step("reveal_vote", |game, actors, _| {
                game.reveal_vote_ix(&actors[number], &audit(game, actors), MALICE, [9; 32])
            });
        }
        self.warp(START + 679);
        self.step("appeal_audit", |game, actors, _| {
            game.appeal_audit_ix(&actors[FIRST], &audit(game, actors))
        });
        self.warp(START + 679 + 678);
        self.step("resolve_audit", |game, actors, _| {
            game.resolve_audit_ix(&audit(game, actors))
        });
        for number in [FIRST, SECOND] {
            self.step("claim_vote", |game, actors, _| {
                game.claim_vote_ix(&actors[number], &audit(game, actors))
            });
        }
        for number in [FIRST, SECOND] {
            self.step("close_vote", |game, actors, _| {
                game.close_vote_ix(&actors[number], &audit(game, actors))
            });
        }
        self.step("close_audit", |game, actors, _| {
            game.close_audit_ix(&audit(game, actors))
        });
        self.step("close_submission", |game, actors, _| {
            game.close_submission_ix(&actors[LIAR], 0)
        });
        self.step("close_round", |game, _, _| game.close_round_ix(0));
        self.warp(START + 2_000);
        self.step("submit_work", |game, actors, _| {
            game.submit_work_ix(&actors[LIAR], 1)
        });
        self.warp(START + 2_400);
        self.step("claim_bounty", |game, actors, _| {
            game.claim_bounty_ix(&actors[LIAR], 1)
        });
        self.step("restake", |game, actors, _| game.restake_ix(&actors[LIAR]));
        self.step("close_submission", |game, actors, _| {
            game.close_submission_ix(&actors[LIAR], 1)
        });
        self.step("close_round", |game, _, _| game.close_round_ix(1));
        self.step("request_leave", |game, actors, _| {
            game.request_leave_ix(&actors[LIAR], None)
        });
        self.step("cancel_leave", |game, actors, _| {
            game.cancel_leave_ix(&actors[LIAR])
        });
        for number in [LIAR, CALLER, FIRST] {
            self.step("request_leave", |game, actors, _| {
                game.request_leave_ix(&actors[number], None)
            });
        }
        self.warp(START + 4_400);
        for number in [LIAR, CALLER, FIRST] {
            self.step("withdraw", |game, actors, _| {
                game.withdraw_ix(&actors[number])
            });
        }
        for number in [LIAR, CALLER, FIRST] {
            self.step("close_node", |game, actors, _| {
                game.close_node_ix(&actors[number].owner.pubkey(), &actors[number])
            });
        }
        self.step("disallow_node", |game, actors, _| {
            game.disallow_node_ix(0, &actors[LIAR].owner.pubkey())
        });
        self.step("retire_task", |game, _, _| game.retire_task_ix());
        self.warp(START + 6_400);
        self.step("return_stake", |game, actors, _| {
            game.return_stake_ix(&actors[SECOND])
        });
        // Whose signature it is doesn't matter any more.
        let closer = self.attacker.owner.pubkey();
        for place in 0..2 {
            self.game.enter(self.tasks[place]);
            let node = self.game.here(&self.actors[SECOND]);
            let close = self.game.close_node_ix(&closer, &node);
            self.send(&close).unwrap();
        }
        self.step("close_task", |game, _, _| game.close_task_ix());
        // All but `cast_vote`, whose accounts are those of `commit_vote`.
        assert_eq!(self.names.len(), 30);
        assert_eq!(gain(&self.game, &self.attacker), 0);
        let creator = balance(&self.game.svm, &self.game.creator_wallet);
        let all: u64 = self
            .actors
            .iter()
            .map(|actor| balance(&self.game.svm, &actor.wallet))
            .sum();
        assert_eq!(creator + all, 5 * WALLET);
        self.tried
    }
}

#[test]
fn missing_signer_is_refused_at_every_instruction() {
    let tried = Mirror::new(Wrong::Signer).play();
    assert!(tried > 90, "{tried}");
}

#[test]
fn forged_owner_or_type_of_an_account_is_refused_at_every_instruction() {
    let tried = Mirror::new(Wrong::Account).play();
    assert!(tried > 500, "{tried}");
}

#[test]
fn duplicate_accounts_are_refused_at_every_instruction() {
    let tried = Mirror::new(Wrong::Twice).play();
    assert!(tried > 1_000, "{tried}");
}

/// The design has no list of further accounts to read: what is appended stays unread, to the last byte.
#[test]
fn remaining_accounts_are_ignored_at_every_instruction() {
    let tried = Mirror::new(Wrong::Appended).play();
    assert!(tried > 300, "{tried}");
}

// Closed and brought back.

/// Lamports put back in the same transaction keep nothing alive: what was closed is an empty account of the system, and pays no second
/// time.
#[test]
fn account_closed_then_revived_pays_no_second_time() {
    let mut case = Case::audited(rules(), MALICE);
    case.vote(&[MALICE, MALICE, MALICE]);
    case.resolve().unwrap();
    let audit = case.audit();
    let Case {
        mut game,
        accused,
        initiator,
        voters: [thief, second, third],
    } = case;
    let creator = game.creator.insecure_clone();
    let address = vote_address(&audit, &thief.owner.pubkey());
    let (claim, close) = (
        game.claim_vote_ix(&thief, &audit),
        game.close_vote_ix(&thief, &audit),
    );
    let refund = system_instruction::transfer(&creator.pubkey(), &address, 10_000_000);
    fails(game.send(
        &[claim.clone(), close.clone(), refund.clone(), claim.clone()],
        &[&creator],
    ));
    game.send(&[claim.clone(), close.clone(), refund], &[&creator])
        .unwrap();
    let zombie = game.svm.get_account(&address).unwrap();
    assert_eq!((zombie.owner, zombie.data.len()), (SYSTEM, 0));
    fails(game.send(&[claim], &[&creator]));
    fails(game.send(&[close], &[&creator]));
    refused(
        game.cast_vote(&thief, &audit, MALICE),
        TaskError::VotingClosed,
    );

    for voter in [&second, &third] {
        game.claim_vote(voter, &audit).unwrap();
        game.close_vote(voter, &audit).unwrap();
    }
    // The audit likewise: it isn't opened a second time at its address.
    let (close, resolve) = (game.close_audit_ix(&audit), game.resolve_audit_ix(&audit));
    let refund = system_instruction::transfer(&creator.pubkey(), &audit, 10_000_000);
    game.send(&[close, refund], &[&creator]).unwrap();
    fails(game.send(&[resolve], &[&creator]));
    refused(
        game.open_audit(&second, &accused, 0, MALICE),
        TaskError::AlreadyDecided,
    );
    assert_eq!(
        gains(&mut game, [&accused, &initiator, &thief, &second]),
        [-2_000_000, 900_000, 300_000, 300_000]
    );
}

/// A node closed in one transaction and refunded can't be withdrawn from again.
#[test]
fn account_closed_then_revived_node_holds_nothing() {
    let mut game = Game::new(rules());
    let [thief, other] = [(); 2].map(|()| game.worker(1_000_000));
    game.request_leave(&thief, None).unwrap();
    game.warp(START + 600);
    let withdraw = game.withdraw_ix(&thief);
    let close = game.close_node_ix(&thief.owner.pubkey(), &thief);
    let refund = system_instruction::transfer(&thief.owner.pubkey(), &thief.node, 10_000_000);
    fails(game.send(
        &[
            withdraw.clone(),
            close.clone(),
            refund.clone(),
            withdraw.clone(),
        ],
        &[&thief.owner],
    ));
    game.send(&[withdraw.clone(), close, refund], &[&thief.owner])
        .unwrap();
    fails(game.send(&[withdraw], &[&thief.owner]));
    // Joining again works over the lamports left there, and begins with nothing but the new stake.
    game.join_task(&thief, 0, 1_000_000).unwrap();
    assert_eq!(game.node(&thief).joined_slot.get(), START + 600);
    assert_eq!(gains(&mut game, [&thief, &other]), [0, 0]);
}

/// Convicted within the submission window, a worker would submit to the same round again, or the round begin anew with a second reserve:
/// neither can be closed before both windows are over. The rival's part stays a half.
#[test]
fn account_closed_then_revived_submission_or_round_pays_no_second_part() {
    let mut game = Game::new(RulesArgs {
        submission_slots: 400,
        leave_delay_slots: 900,
        ..rules()
    });
    game.fund_task(1_000_000).unwrap();
    let [liar, rival] = [(); 2].map(|()| game.worker(4_000_000));
    let [initiator, first, second] = [(); 3].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    game.submit_work(&liar, 0).unwrap();
    let audit = accuse(&mut game, &initiator, &liar, 0);
    decide(&mut game, &audit, &[(&first, MALICE), (&second, MALICE)]);
    for voter in [&first, &second] {
        game.close_vote(voter, &audit).unwrap();
    }
    game.close_audit(&audit).unwrap();
    game.warp(START + 399);
    refused(game.close_submission(&liar, 0), TaskError::RoundUndecided);
    fails(game.submit_work(&liar, 0));
    refused(game.close_round(0), TaskError::NotEmpty);
    game.submit_work(&rival, 0).unwrap();
    let round = game.get::<Round>(&round_address(&game.task, 0));
    assert_eq!((round.reserve.get(), round.submissions.get()), (100_000, 2));

    for slot in [400, 699] {
        game.warp(START + slot);
        refused(game.close_submission(&liar, 0), TaskError::RoundUndecided);
        fails(game.submit_work(&liar, 0));
    }
    game.warp(START + 700);
    game.close_submission(&liar, 0).unwrap();
    refused(
        game.submit_work(&liar, 0),
        TaskError::SubmissionWindowClosed,
    );
    game.claim_bounty(&rival, 0).unwrap();
    assert_eq!(game.node(&rival).payable.get(), 50_000);
    game.close_submission(&rival, 0).unwrap();
    game.close_round(0).unwrap();
    // 1,000,000 - 50,000, and 200,000 of the slash.
    assert_eq!(game.task().pool.get(), 1_150_000);
    fails(game.submit_work(&rival, 0));
}

/// A round is found by what it holds: another round of the task, or one of another task, takes no submission and pays no part.
#[test]
fn forged_round_takes_no_submission() {
    let mut game = Game::new(rules());
    game.fund_task(1_000_000).unwrap();
    let worker = game.worker(1_000_000);
    game.submit_work(&worker, 0).unwrap();
    let old = round_address(&game.task, 0);
    game.next_task(1);
    let twin = game.here(&worker);
    game.join_task(&twin, 0, 1_000_000).unwrap();
    let first_task = task_address(&game.creator.pubkey(), 0);
    game.warp(START + 1_000);
    game.submit_work(&twin, 1).unwrap();
    let of_other_task = round_address(&game.task, 1);
    game.enter(first_task);

    let right = game.submit_work_ix(&worker, 1);
    let place = round_address(&game.task, 1);
    let forged = game.forge(&old);
    let fresh_address = fresh().pubkey();
    for (wrong, error) in [
        (old, Some(TaskError::WrongRound)),
        (of_other_task, Some(TaskError::WrongTask)),
        (forged, None),
        (fresh_address, None),
        (worker.wallet, None),
        (game.node(&worker).task, None),
    ] {
        let sent = game.send(&[swap(right.clone(), &place, &wrong)], &[&worker.operator]);
        match error {
            Some(error) => refused(sent, error),
            None => fails(sent),
        }
    }
    game.send(&[right], &[&worker.operator]).unwrap();
    let round = game.get::<Round>(&place);
    assert_eq!((round.submissions.get(), round.reserve.get()), (1, 100_000));
}

// Made twice.

/// There is no configuration that the first caller could own: whoever makes an account owns it by its address, and nothing is made twice.
#[test]
fn re_init_of_any_account_is_refused() {
    let case = Case::audited(rules(), MALICE);
    let audit = case.audit();
    let Case {
        mut game,
        accused,
        initiator,
        voters: [voter, ..],
    } = case;
    game.cast_vote(&voter, &audit, MALICE).unwrap();
    let key = accused.owner.pubkey();
    game.allow_node(0, &key).unwrap();
    let bytes = |game: &Game| {
        game.svm
            .get_program_accounts(&ID)
            .into_iter()
            .map(|(address, account)| (address, account.data))
            .collect::<BTreeMap<_, _>>()
    };
    let before = bytes(&game);
    fails(game.create_task());
    fails(game.join_task(&accused, 0, 1_000_000));
    fails(game.join_task(&accused, 1, 1_000_000));
    fails(game.submit_work(&accused, 0));
    let next = game.next_audit(&initiator, &accused, 0);
    let again = swap(
        game.open_audit_ix(&initiator, &accused, 0, MALICE),
        &next,
        &audit,
    );
    fails(game.send(&[again], &[&initiator.operator]));
    fails(game.cast_vote(&voter, &audit, VALID));
    fails(game.allow_node(0, &key));
    assert_eq!(bytes(&game), before);
}

/// A task closed for good leaves its address free, and a new task there starts from nothing, with no node of the old one.
#[test]
fn re_init_of_a_closed_task_starts_from_nothing() {
    let mut game = Game::new(rules());
    game.fund_task(1_000).unwrap();
    let worker = game.worker(1_000_000);
    game.retire_task().unwrap();
    refused(game.close_task(), TaskError::NotEmpty);
    game.request_leave(&worker, None).unwrap();
    game.warp(START + 600);
    game.withdraw(&worker).unwrap();
    refused(game.close_task(), TaskError::NotEmpty);
    game.close_node(&worker).unwrap();
    game.close_task().unwrap();
    assert_eq!(balance(&game.svm, &game.creator_wallet), WALLET);
    game.create_task().unwrap();
    let task = game.task();
    assert_eq!(
        (task.pool.get(), task.electorate, task.nodes.get()),
        (0, none(), 0)
    );
    assert_eq!(task.start_slot.get(), START + 600);
    fails(game.withdraw(&worker));
}

/// The creator of a task without nodes can put another with other rules at its address, but the joiner's transaction names the start
/// slot that it read.
#[test]
fn re_init_of_an_empty_task_under_a_joiners_eyes_is_refused() {
    let mut game = Game::new(rules());
    let joiner = game.stranger();
    let signed = game.join_task_ix(&joiner, 0, 1_000_000);
    let swapped = RulesArgs {
        leave_delay_slots: 78_840_000,
        malice_bps: 10_000,
        ..rules()
    };
    let create = instruction(
        create_task_accounts(&game.creator.pubkey(), 0, &game.mint, &TOKEN),
        create_task_data(0, &swapped),
    );
    let creator = game.creator.insecure_clone();
    let swap = [game.retire_task_ix(), game.close_task_ix(), create];
    game.warp(START + 1);
    game.send(&swap, &[&creator]).unwrap();
    assert_eq!(game.task().rules.leave_delay_slots.get(), 78_840_000);
    refused(
        game.send(&[signed], &[&joiner.owner]),
        TaskError::TaskReplaced,
    );
    assert_eq!(gain(&game, &joiner), 0);
}

// Addresses.

/// An attacker that takes the same number makes a task of its own elsewhere: the creator's key is in the address, and has to sign.
#[test]
fn pda_squatting_with_anothers_number_makes_another_address() {
    let mut game = Game::unborn(rules());
    let squatter = key(&mut game.svm);
    let own = instruction(
        create_task_accounts(&squatter.pubkey(), 0, &game.mint, &TOKEN),
        create_task_data(0, &game.rules),
    );
    game.send(&[own], &[&squatter]).unwrap();
    assert_ne!(task_address(&squatter.pubkey(), 0), game.task);
    let theft = swap(
        instruction(
            create_task_accounts(&game.creator.pubkey(), 0, &game.mint, &TOKEN),
            create_task_data(0, &game.rules),
        ),
        &game.creator.pubkey(),
        &squatter.pubkey(),
    );
    fails(game.send(&[theft], &[&squatter]));
    game.create_task().unwrap();
    assert_eq!(game.task().creator, game.creator.pubkey());
}

/// Seeds are of fixed width, so that no two kinds of accounts can have the same bytes: where the lengths agree, the first word differs.
#[test]
fn pda_collision_between_kinds_of_accounts_is_impossible() {
    let seeds: [(&str, &[usize]); 8] = [
        ("task", &[32, 8]),
        ("vault", &[32]),
        ("node", &[32, 32]),
        ("round", &[32, 8]),
        ("submission", &[32, 8, 32]),
        ("audit", &[32, 32, 4]),
        ("vote", &[32, 32]),
        ("allow", &[32, 1, 32]),
    ];
    for (number, (word, widths)) in seeds.iter().enumerate() {
        for (other, others) in &seeds[number + 1..] {
            let length = |word: &str, widths: &[usize]| word.len() + widths.iter().sum::<usize>();
            let same = length(word, widths) == length(other, others);
            let prefix = word.starts_with(other) || other.starts_with(word);
            assert!(!(same && prefix), "{word} {other}");
        }
    }
    // And the widths are those that the program uses: every account of a game is where these seeds say.
    let case = Case::audited(rules(), MALICE);
    let key = case.accused.owner.pubkey();
    let submission = submission_address(&case.game.task, 0, &key);
    assert_eq!(
        case.game.get::<Submission>(&submission).owner,
        case.accused.owner.pubkey()
    );
}

/// Lamports on every address before it is made stop nothing: a whole game is played over them.
#[test]
fn pre_funded_pda_blocks_no_instruction() {
    let mut game = Game::unborn(rules());
    let actors = [(); 4].map(|()| game.stranger());
    let [liar, initiator, first, second] = &actors;
    let submission = game.submission(liar, 0);
    let audit = audit_address(&submission, &initiator.owner.pubkey(), 0);
    let mut addresses = vec![
        game.task,
        game.vault,
        round_address(&game.task, 0),
        submission,
        audit,
        allow_address(&game.task, 0, &liar.owner.pubkey()),
    ];
    addresses.extend(actors.iter().map(|actor| actor.node));
    for voter in [first, second] {
        addresses.push(vote_address(&audit, &voter.owner.pubkey()));
    }
    for address in &addresses {
        game.prefund(address);
    }
    game.create_task().unwrap();
    game.allow_node(0, &liar.owner.pubkey()).unwrap();
    game.join_task(liar, 0, 4_000_000).unwrap();
    for witness in [initiator, first, second] {
        game.join_task(witness, 1, 1_000_000).unwrap();
    }
    game.warp(START + 1);
    game.submit_work(liar, 0).unwrap();
    accuse(&mut game, initiator, liar, 0);
    assert_eq!(
        decide(&mut game, &audit, &[(first, MALICE), (second, MALICE)]),
        Outcome::ConvictedMalice
    );
    assert_eq!(
        gains(&mut game, [liar, initiator, first, second]),
        [-2_000_000, 1_000_000, 400_000, 400_000]
    );
}

// Rent.

/// Whoever closes, the rent goes to who paid it; another payee is refused at every kind of account.
#[test]
fn rent_theft_at_close_is_refused_and_the_payer_has_it() {
    let mut case = Case::audited(rules(), MALICE);
    case.vote(&[MALICE, MALICE]);
    case.resolve().unwrap();
    case.claim(2);
    let audit = case.audit();
    let Case {
        mut game,
        accused,
        initiator,
        voters: [first, second, _],
    } = case;
    let thief = key(&mut game.svm);
    let close = |game: &mut Game, instruction: Instruction, payer: Address, closed: Address| {
        let theft = swap(instruction.clone(), &payer, &thief.pubkey());
        refused(game.send(&[theft], &[&thief]), TaskError::WrongPayer);
        let rent = game.svm.get_account(&closed).unwrap().lamports;
        let before = game.svm.get_balance(&payer).unwrap();
        game.send(&[instruction], &[&thief]).unwrap();
        assert_eq!(game.svm.get_balance(&payer), Some(before + rent));
    };
    for voter in [&first, &second] {
        let vote = vote_address(&audit, &voter.owner.pubkey());
        assert_eq!(game.get::<Vote>(&vote).payer, voter.operator.pubkey());
        let instruction = game.close_vote_ix(voter, &audit);
        close(&mut game, instruction, voter.operator.pubkey(), vote);
    }
    let instruction = game.close_audit_ix(&audit);
    close(&mut game, instruction, initiator.operator.pubkey(), audit);
    game.warp(START + 400);
    let submission = game.submission(&accused, 0);
    let instruction = game.close_submission_ix(&accused, 0);
    close(
        &mut game,
        instruction,
        accused.operator.pubkey(),
        submission,
    );
    let round = round_address(&game.task, 0);
    let instruction = game.close_round_ix(0);
    close(&mut game, instruction, accused.operator.pubkey(), round);
    gains(&mut game, [&accused, &initiator]);
    let instruction = game.close_node_ix(&thief.pubkey(), &accused);
    refused(
        game.send(std::slice::from_ref(&instruction), &[&thief]),
        TaskError::NotRetired,
    );
    game.retire_task().unwrap();
    close(&mut game, instruction, accused.owner.pubkey(), accused.node);
    for (right, wrong, error) in [
        (game.creator.pubkey(), thief.pubkey(), TaskError::WrongPayer),
        (game.creator_wallet, initiator.wallet, TaskError::NotCreator),
    ] {
        let theft = swap(game.close_task_ix(), &right, &wrong);
        refused(game.send(&[theft], &[&thief]), error);
    }
}

// The wrong target.

/// Of two workers the one named in the audit is slashed, whoever is passed in its place; and an accusation names the node that submitted.
#[test]
fn wrong_target_is_never_slashed() {
    let mut game = Game::new(rules());
    let [liar, innocent] = [(); 2].map(|()| game.worker(4_000_000));
    let [initiator, first, second] = [(); 3].map(|()| game.witness(1_000_000));
    game.warp(START + 1);
    for worker in [&liar, &innocent] {
        game.submit_work(worker, 0).unwrap();
    }
    let accusation = game.open_audit_ix(&initiator, &liar, 0, MALICE);
    let framed = swap(accusation, &liar.node, &innocent.node);
    refused(
        game.send(&[framed], &[&initiator.operator]),
        TaskError::WrongNode,
    );
    let audit = accuse(&mut game, &initiator, &liar, 0);
    for voter in [&first, &second] {
        game.cast_vote(voter, &audit, MALICE).unwrap();
    }
    game.warp(START + 201);
    let resolve = game.resolve_audit_ix(&audit);
    for (from, to, error) in [
        (liar.node, innocent.node, TaskError::WrongNode),
        (initiator.node, second.node, TaskError::WrongNode),
        (
            game.submission(&liar, 0),
            game.submission(&innocent, 0),
            TaskError::WrongSubmission,
        ),
    ] {
        let attempt = swap(resolve.clone(), &from, &to);
        refused(game.by_anyone(attempt), error);
    }
    game.resolve_audit(&audit).unwrap();
    // A share goes to the voter that earned it and to no other.
    let claim = swap(
        game.claim_vote_ix(&first, &audit),
        &first.node,
        &innocent.node,
    );
    refused(game.by_anyone(claim), TaskError::WrongNode);
    for voter in [&first, &second] {
        game.claim_vote(voter, &audit).unwrap();
    }
    assert_eq!(
        gains(&mut game, [&liar, &innocent, &initiator, &first]),
        [-2_000_000, 0, 1_000_000, 400_000]
    );
}

// The upgrade key.

/// Not testable here: who holds the key can put any other code in the place of this. What this code gives it is nothing: in no instruction
/// has the key that deployed the program a right that a stranger hasn't, and no account of the program names it.
#[test]
fn upgrade_key_has_no_right_that_a_stranger_has_not() {
    let mut game = Game::new(rules());
    let worker = game.worker(1_000_000);
    let deployer = key(&mut game.svm);
    for (instruction, signer, error) in [
        (
            game.pause_task_ix(),
            game.creator.pubkey(),
            TaskError::NotCreator,
        ),
        (
            game.retire_task_ix(),
            game.creator.pubkey(),
            TaskError::NotCreator,
        ),
        (
            game.withdraw_ix(&worker),
            worker.owner.pubkey(),
            TaskError::NotOwner,
        ),
        (
            game.set_operator_ix(&worker, deployer.pubkey()),
            worker.owner.pubkey(),
            TaskError::NotOwner,
        ),
        (
            game.submit_work_ix(&worker, 0),
            worker.operator.pubkey(),
            TaskError::NotOperator,
        ),
    ] {
        let attempt = swap(instruction, &signer, &deployer.pubkey());
        refused(game.send(&[attempt], &[&deployer]), error);
    }
    let key = deployer.pubkey().to_bytes();
    for (_, account) in game.svm.get_program_accounts(&ID) {
        assert!(account.data.windows(32).all(|bytes| bytes != key));
    }
}
