//! Gates of both roles: each kind at every moment at which one is asked for, `allow_node` and `disallow_node`, and what no gate may
//! hinder.

mod common;

use anchor_lang::{prelude::Address, solana_program::instruction::Instruction};
use anchor_spl::token_2022::spl_token_2022::{
    extension::{group_member_pointer, group_pointer, ExtensionType},
    instruction as token,
};
use common::*;
use securing_tasks::{
    events::{NodeAllowed, NodeDisallowed},
    AllowEntry, Audit, GateKind, Node, Role, RulesArgs, ID,
};
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_transaction::InstructionError;
use spl_token_group_interface::instruction::{initialize_group, initialize_member};

const VALID: u8 = 0;
const MALICE: u8 = 2;
const WORKER: u8 = Role::Worker as u8;
const WITNESS: u8 = Role::Witness as u8;

/// Base units, or paid rounds, that the gates ask for.
const LEAST: u64 = 3;
/// Convictions that they bear.
const MOST: u32 = 1;

/// When a gate is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    Join,
    Submit,
    Accuse,
    Vote,
    Commit,
}
use Moment::*;

const EVERYWHERE: [(u8, Moment); 9] = [
    (WORKER, Join),
    (WORKER, Submit),
    (WORKER, Accuse),
    (WORKER, Vote),
    (WORKER, Commit),
    (WITNESS, Join),
    (WITNESS, Accuse),
    (WITNESS, Vote),
    (WITNESS, Commit),
];

/// Enough for what the moments have in common.
const HERE_AND_THERE: [(u8, Moment); 3] = [(WORKER, Submit), (WITNESS, Join), (WITNESS, Vote)];

/// A gate and the token program of what it asks for.
#[derive(Clone, Copy)]
struct Kind(GateKind, Address);

const ALLOWLIST: Kind = Kind(GateKind::Allowlist, TOKEN);
const TOKENS: Kind = Kind(GateKind::Token, TOKEN);
const TOKENS_2022: Kind = Kind(GateKind::Token, TOKEN_2022);
const COLLECTION: Kind = Kind(GateKind::Collection, TOKEN_2022);
const STANDING: Kind = Kind(GateKind::Standing, TOKEN);
const MEMBER: Kind = Kind(GateKind::Member, TOKEN);

/// A task with a gate for one role.
struct Door {
    game: Game,
    kind: Kind,
    role: u8,
    /// What the gate asks about: a mint, a group or a task.
    key: Address,
}

impl Door {
    fn new(kind: Kind, role: u8, rules: RulesArgs) -> Self {
        let mut game = Game::unborn(rules);
        let creator = game.creator.insecure_clone();
        let key = match kind.0 {
            GateKind::Open | GateKind::Allowlist => Address::default(),
            GateKind::Token => make_mint(&mut game.svm, &creator, &kind.1, &[], |_| vec![]),
            GateKind::Collection => make_group(&mut game),
            GateKind::Standing | GateKind::Member => {
                game.next_task(7);
                game.task
            }
        };
        game.enter(task_address(&creator.pubkey(), 0));
        let asked = gate(kind.0, key, LEAST, MOST);
        if role == WORKER {
            game.rules.worker_gate = asked;
        } else {
            game.rules.witness_gate = asked;
        }
        game.create_task().unwrap();
        Self {
            game,
            kind,
            role,
            key,
        }
    }

    /// Gives the actor just what the gate asks for.
    fn grant(&mut self, actor: &mut Actor) {
        let owner = actor.owner.pubkey();
        match self.kind.0 {
            GateKind::Open => {}
            GateKind::Allowlist => {
                self.game.allow_node(self.role, &owner).unwrap();
                actor.gate_proof = Some(allow_address(&self.game.task, self.role, &owner));
            }
            GateKind::Token => {
                actor.gate_proof = Some(self.wallet(&self.key.clone(), &owner, LEAST))
            }
            GateKind::Collection => {
                let mint = make_member(&mut self.game, &self.key);
                actor.gate_proof = Some(self.wallet(&mint, &owner, 1));
                actor.gate_mint = Some(mint);
            }
            GateKind::Standing => {
                actor.gate_proof = Some(self.join_guild(actor));
                self.record(actor, LEAST as u32, [1, 0]);
            }
            GateKind::Member => actor.gate_proof = Some(self.join_guild(actor)),
        }
    }

    /// A wallet of the gate's token program.
    fn wallet(&mut self, mint: &Address, owner: &Address, amount: u64) -> Address {
        let creator = self.game.creator.insecure_clone();
        make_wallet(
            &mut self.game.svm,
            &creator,
            &self.kind.1,
            mint,
            owner,
            amount,
        )
    }

    /// Plays in the task `task` for a while.
    fn inside<T>(&mut self, task: Address, play: impl FnOnce(&mut Game) -> T) -> T {
        let here = self.game.task;
        self.game.enter(task);
        let played = play(&mut self.game);
        self.game.enter(here);
        played
    }

    /// Makes the actor a witness of the task that the gate asks about. Answers its node there.
    fn join_guild(&mut self, actor: &Actor) -> Address {
        self.inside(self.key, |game| {
            let there = game.here(actor);
            game.join_task(&there, WITNESS, 1_000_000).unwrap();
            there.node
        })
    }

    /// Another task of the creator, with open gates.
    fn other_task(&mut self) -> Address {
        let (here, gated) = (self.game.task, self.game.rules.clone());
        self.game.rules = rules();
        self.game.next_task(8);
        let other = self.game.task;
        self.game.rules = gated;
        self.game.enter(here);
        other
    }

    /// Writes paid rounds and convictions for downtime and malice into the actor's proof; `standing_is_earned_by_work` plays for
    /// them.
    fn record(&mut self, actor: &Actor, paid: u32, [downtime, malice]: [u32; 2]) {
        let address = actor.gate_proof.unwrap();
        let mut node: Node = self.game.get(&address);
        node.rounds_paid = paid.into();
        node.convictions_downtime = downtime.into();
        node.convictions_malice = malice.into();
        let mut account = self.game.svm.get_account(&address).unwrap();
        account.data[8..].copy_from_slice(bytemuck::bytes_of(&node));
        self.game.svm.set_account(address, account).unwrap();
    }

    /// An owner that passes the gate.
    fn granted(&mut self) -> Actor {
        let mut actor = self.game.stranger();
        self.grant(&mut actor);
        actor
    }

    /// A node of an owner that passes the gate.
    fn joined(&mut self, role: u8) -> Actor {
        let actor = self.granted();
        self.game.join_task(&actor, role, 2_000_000).unwrap();
        actor
    }
}

/// A Token-2022 mint that is a group of members.
fn make_group(game: &mut Game) -> Address {
    let creator = game.creator.insecure_clone();
    let key = creator.pubkey();
    let extensions = [ExtensionType::GroupPointer];
    let group = make_mint(&mut game.svm, &creator, &TOKEN_2022, &extensions, |mint| {
        vec![
            group_pointer::instruction::initialize(&TOKEN_2022, mint, Some(key), Some(*mint))
                .unwrap(),
        ]
    });
    // The group is kept in the mint, which grows for it.
    game.svm.airdrop(&group, 100_000_000).unwrap();
    let init = initialize_group(&TOKEN_2022, &group, &group, &key, Some(key), 100);
    send(&mut game.svm, &[init], &[&creator]).unwrap();
    group
}

/// A Token-2022 mint that points to a member's data in itself, and has none yet.
fn make_pointing_mint(game: &mut Game, member: Option<Address>) -> Address {
    let creator = game.creator.insecure_clone();
    let key = creator.pubkey();
    let extensions = [ExtensionType::GroupMemberPointer];
    let mint = make_mint(&mut game.svm, &creator, &TOKEN_2022, &extensions, |mint| {
        let to = member.or(Some(*mint));
        vec![
            group_member_pointer::instruction::initialize(&TOKEN_2022, mint, Some(key), to)
                .unwrap(),
        ]
    });
    game.svm.airdrop(&mint, 100_000_000).unwrap();
    mint
}

/// A Token-2022 mint that is a member of the group.
fn make_member(game: &mut Game, group: &Address) -> Address {
    let mint = make_pointing_mint(game, None);
    let creator = game.creator.insecure_clone();
    let key = creator.pubkey();
    let init = initialize_member(&TOKEN_2022, &mint, &mint, &key, group, &key);
    send(&mut game.svm, &[init], &[&creator]).unwrap();
    mint
}

/// What comes of an actor of `role` at `moment`, when it had what the gate asks for until `change`.
fn at(kind: Kind, (role, moment): (u8, Moment), change: impl Fn(&mut Door, &mut Actor)) -> Sent {
    let commit_slots = if moment == Commit { 50 } else { 0 };
    let rules = RulesArgs {
        commit_slots,
        reveal_slots: 150,
        ..rules()
    };
    let mut door = Door::new(kind, role, rules);
    let (accused, initiator) = (door.joined(WORKER), door.joined(WITNESS));
    let mut actor = door.granted();
    if moment == Join {
        change(&mut door, &mut actor);
        return door.game.join_task(&actor, role, 2_000_000);
    }
    door.game.join_task(&actor, role, 2_000_000).unwrap();
    door.game.warp(START + 1);
    door.game.submit_work(&accused, 0).unwrap();
    if matches!(moment, Vote | Commit) {
        door.game
            .open_audit(&initiator, &accused, 0, MALICE)
            .unwrap();
    }
    change(&mut door, &mut actor);
    let game = &mut door.game;
    let audit = audit_address(&game.submission(&accused, 0), &initiator.owner.pubkey(), 0);
    match moment {
        Join => unreachable!("it joined"),
        Submit => game.submit_work(&actor, 0),
        Accuse => game.open_audit(&actor, &accused, 0, MALICE),
        Vote => game.cast_vote(&actor, &audit, VALID),
        Commit => game.commit_vote(&actor, &audit, VALID, [9; 32]),
    }
}

/// The gate lets the actor through.
#[track_caller]
fn open(kind: Kind, change: impl Fn(&mut Door, &mut Actor)) {
    for case in HERE_AND_THERE {
        let sent = at(kind, case, &change);
        assert!(sent.is_ok(), "{case:?}: {sent:?}");
    }
}

/// The gate keeps the actor out at this moment; where only an allowlist is asked, the actor has its say whatever it shows.
#[track_caller]
fn shut_at(kind: Kind, case: (u8, Moment), change: impl Fn(&mut Door, &mut Actor)) {
    println!("{case:?}");
    let sent = at(kind, case, change);
    if kind.0 == GateKind::Allowlist || matches!(case.1, Join | Submit) {
        refused(sent, TaskError::GateClosed);
    } else {
        sent.unwrap();
    }
}

/// The gate keeps the actor out.
#[track_caller]
fn shut(kind: Kind, change: impl Fn(&mut Door, &mut Actor)) {
    for case in HERE_AND_THERE {
        shut_at(kind, case, &change);
    }
}

const KINDS: [Kind; 6] = [ALLOWLIST, TOKENS, TOKENS_2022, COLLECTION, STANDING, MEMBER];

// All kinds.

#[test]
fn gate_admits_with_what_it_asks_for_at_every_moment() {
    for kind in KINDS {
        for case in EVERYWHERE {
            let sent = at(kind, case, |_, _| {});
            assert!(sent.is_ok(), "{case:?}: {sent:?}");
        }
    }
}

#[test]
fn gate_without_a_proof_is_closed_at_every_moment() {
    for kind in KINDS {
        for case in EVERYWHERE {
            shut_at(kind, case, |_, actor| actor.gate_proof = None);
        }
    }
}

#[test]
fn gate_with_a_proof_that_is_not_there_is_closed() {
    for kind in KINDS {
        shut(kind, |_, actor| actor.gate_proof = Some(fresh().pubkey()));
    }
}

/// The same bytes, of another program.
#[test]
fn gate_with_a_forged_proof_is_closed() {
    for kind in KINDS {
        shut(kind, |door, actor| {
            actor.gate_proof = Some(door.game.forge(&actor.gate_proof.unwrap()));
        });
    }
}

/// The proof of another owner, who passes.
#[test]
fn gate_with_anothers_proof_is_closed_at_every_moment() {
    for kind in KINDS {
        for case in EVERYWHERE {
            shut_at(kind, case, |door, actor| {
                let other = door.granted();
                actor.gate_proof = other.gate_proof;
                actor.gate_mint = other.gate_mint;
            });
        }
    }
}

/// The owner's hot key passes; the owner doesn't.
#[test]
fn gate_with_the_operators_proof_is_closed() {
    for kind in KINDS {
        shut(kind, |door, actor| {
            let other = door.granted();
            if door.game.svm.get_account(&actor.node).is_some() {
                door.game.set_operator(actor, other.owner.pubkey()).unwrap();
            }
            actor.operator = other.owner;
            actor.gate_proof = other.gate_proof;
            actor.gate_mint = other.gate_mint;
        });
    }
}

/// Accounts of the right program and another kind.
#[test]
fn gate_with_another_kind_of_account_is_closed() {
    for kind in [ALLOWLIST, STANDING, MEMBER] {
        shut(kind, |door, actor| {
            actor.gate_proof = Some(door.game.disguise(&actor.gate_proof.unwrap()));
        });
    }
    for kind in [TOKENS, TOKENS_2022] {
        shut(kind, |door, actor| actor.gate_proof = Some(door.key));
    }
    shut(COLLECTION, |_, actor| actor.gate_proof = actor.gate_mint);
}

#[test]
fn gate_of_one_role_asks_nothing_of_the_other() {
    for kind in KINDS {
        for (role, other) in [(WORKER, WITNESS), (WITNESS, WORKER)] {
            let mut door = Door::new(kind, role, rules());
            let accused = door.joined(WORKER);
            let actor = door.game.stranger();
            let sent = door.game.join_task(&actor, role, 2_000_000);
            refused(sent, TaskError::GateClosed);
            door.game.join_task(&actor, other, 2_000_000).unwrap();
            door.game.warp(START + 1);
            door.game.submit_work(&accused, 0).unwrap();
            door.game.open_audit(&actor, &accused, 0, MALICE).unwrap();
            if other == WORKER {
                door.game.submit_work(&actor, 0).unwrap();
            }
        }
    }
}

#[test]
fn open_gate_looks_at_nothing_that_is_shown() {
    let mut game = Game::new(rules());
    let mut actor = game.stranger();
    actor.gate_proof = Some(fresh().pubkey());
    actor.gate_mint = Some(game.mint);
    game.join_task(&actor, WORKER, 1_000_000).unwrap();
    game.submit_work(&actor, 0).unwrap();
}

/// A proof that is another account of the instruction, too, is none: no account may be in two places if it is written to.
#[test]
fn gate_with_a_written_account_as_its_proof_fails_at_every_moment() {
    for case in EVERYWHERE {
        let sent = at(MEMBER, case, |_, actor| actor.gate_proof = Some(actor.node));
        assert_eq!(failure(sent), InstructionError::Custom(2040), "{case:?}");
    }
}

// Allowlist.

#[test]
fn allowlist_after_the_entry_was_removed_is_closed_at_every_moment() {
    for case in EVERYWHERE {
        println!("{case:?}");
        let sent = at(ALLOWLIST, case, |door, actor| {
            let owner = actor.owner.pubkey();
            door.game.disallow_node(door.role, &owner).unwrap();
        });
        refused(sent, TaskError::GateClosed);
    }
}

#[test]
fn allowlist_after_the_entry_was_removed_and_added_is_open() {
    open(ALLOWLIST, |door, actor| {
        let owner = actor.owner.pubkey();
        door.game.disallow_node(door.role, &owner).unwrap();
        door.game.allow_node(door.role, &owner).unwrap();
    });
}

#[test]
fn allowlist_with_the_entry_of_the_other_role_is_closed() {
    shut(ALLOWLIST, |door, actor| {
        let (owner, other) = (actor.owner.pubkey(), 1 - door.role);
        door.game.allow_node(other, &owner).unwrap();
        actor.gate_proof = Some(allow_address(&door.game.task, other, &owner));
    });
}

#[test]
fn allowlist_with_another_tasks_entry_is_closed() {
    shut(ALLOWLIST, |door, actor| {
        let (owner, role) = (actor.owner.pubkey(), door.role);
        let other = door.other_task();
        door.inside(other, |game| game.allow_node(role, &owner).unwrap());
        actor.gate_proof = Some(allow_address(&other, role, &owner));
    });
}

// Tokens.

/// Moves the actor's tokens of the gate's mint elsewhere, or back.
fn pay(door: &mut Door, from: &Actor, to: &Address, amount: u64) {
    let transfer = token::transfer_checked(
        &door.kind.1,
        &from.gate_proof.unwrap(),
        &door.key,
        to,
        &from.owner.pubkey(),
        &[],
        amount,
        6,
    );
    door.game
        .send(&[transfer.unwrap()], &[&from.owner])
        .unwrap();
}

#[test]
fn tokens_one_unit_less_than_asked_for_are_not_enough() {
    for kind in [TOKENS, TOKENS_2022] {
        shut(kind, |door, actor| {
            let elsewhere = door.wallet(&door.key.clone(), &actor.owner.pubkey(), 0);
            pay(door, actor, &elsewhere, 1);
        });
        open(kind, |door, actor| {
            let (key, owner) = (door.key, actor.owner.pubkey());
            actor.gate_proof = Some(door.wallet(&key, &owner, LEAST + 1));
            let elsewhere = door.wallet(&key, &owner, 0);
            pay(door, actor, &elsewhere, 1);
        });
    }
}

#[test]
fn tokens_of_another_mint_are_none() {
    for kind in [TOKENS, TOKENS_2022] {
        shut(kind, |door, actor| {
            let creator = door.game.creator.insecure_clone();
            let mint = make_mint(&mut door.game.svm, &creator, &kind.1, &[], |_| vec![]);
            let owner = actor.owner.pubkey();
            actor.gate_proof = Some(door.wallet(&mint, &owner, WALLET));
        });
    }
}

/// A delegate may spend, and doesn't own.
#[test]
fn tokens_of_anothers_wallet_with_the_owner_as_its_delegate_are_none() {
    for kind in [TOKENS, TOKENS_2022] {
        shut(kind, |door, actor| {
            let other = door.granted();
            let approve = token::approve(
                &kind.1,
                &other.gate_proof.unwrap(),
                &actor.owner.pubkey(),
                &other.owner.pubkey(),
                &[],
                LEAST,
            );
            door.game
                .send(&[approve.unwrap()], &[&other.owner])
                .unwrap();
            actor.gate_proof = other.gate_proof;
        });
    }
}

#[test]
fn tokens_of_a_closed_wallet_are_none() {
    for kind in [TOKENS, TOKENS_2022] {
        shut(kind, |door, actor| {
            let (wallet, owner) = (actor.gate_proof.unwrap(), actor.owner.pubkey());
            let elsewhere = door.wallet(&door.key.clone(), &owner, 0);
            pay(door, actor, &elsewhere, LEAST);
            let close = token::close_account(&kind.1, &wallet, &owner, &owner, &[]);
            door.game.send(&[close.unwrap()], &[&actor.owner]).unwrap();
        });
    }
}

/// With nothing to hold, a wallet of the mint is asked for.
#[test]
fn tokens_gate_of_no_units_asks_for_a_wallet() {
    let mut game = Game::unborn(rules());
    let (mint, _) = game.other_mint(&fresh().pubkey());
    game.rules.worker_gate = gate(GateKind::Token, mint, 0, 0);
    game.create_task().unwrap();
    let mut actor = game.stranger();
    let joined = game.join_task(&actor, WORKER, 1_000_000);
    refused(joined, TaskError::GateClosed);
    let creator = game.creator.insecure_clone();
    let owner = actor.owner.pubkey();
    let wallet = make_wallet(&mut game.svm, &creator, &TOKEN, &mint, &owner, 0);
    actor.gate_proof = Some(wallet);
    game.join_task(&actor, WORKER, 1_000_000).unwrap();
}

/// Puts an account of these bytes at a fresh address, or at `address`.
fn put(game: &mut Game, address: Address, owner: Address, data: Vec<u8>) -> Address {
    let account = solana_account::Account {
        lamports: 1_000_000_000,
        data,
        owner,
        ..Default::default()
    };
    game.svm.set_account(address, account).unwrap();
    address
}

fn data(game: &Game, address: &Address) -> Vec<u8> {
    game.svm.get_account(address).unwrap().data
}

/// The signers of a multisig account are any bytes that its maker likes, a wallet's for one; only its length tells them apart.
#[test]
fn tokens_of_a_multisig_that_spells_a_wallet_are_none() {
    for length in [355, 356] {
        let spell = |door: &mut Door, actor: &mut Actor| {
            let mut bytes = data(&door.game, &actor.gate_proof.unwrap());
            // The account type of a Token-2022 wallet with extensions.
            bytes.push(2);
            bytes.resize(length, 0);
            let spelled = put(&mut door.game, fresh().pubkey(), TOKEN_2022, bytes);
            actor.gate_proof = Some(spelled);
        };
        if length == 355 {
            shut(TOKENS_2022, spell);
        } else {
            open(TOKENS_2022, spell);
        }
    }
}

/// Made by nobody yet: the state is zero.
#[test]
fn tokens_of_a_wallet_that_is_not_initialised_are_none() {
    for kind in [TOKENS, TOKENS_2022] {
        shut(kind, |door, actor| {
            let mut bytes = data(&door.game, &actor.gate_proof.unwrap());
            bytes[108] = 0;
            let raw = put(&mut door.game, fresh().pubkey(), kind.1, bytes);
            actor.gate_proof = Some(raw);
        });
    }
}

// Collections.

#[test]
fn collection_without_the_mint_is_closed() {
    shut(COLLECTION, |_, actor| actor.gate_mint = None);
}

#[test]
fn collection_with_the_token_sold_is_closed() {
    shut(COLLECTION, |door, actor| {
        let (mint, buyer) = (actor.gate_mint.unwrap(), door.game.stranger());
        let bought = door.wallet(&mint, &buyer.owner.pubkey(), 0);
        let key = std::mem::replace(&mut door.key, mint);
        pay(door, actor, &bought, 1);
        door.key = key;
    });
}

#[test]
fn collection_with_any_member_of_the_group_is_open() {
    open(COLLECTION, |door, actor| {
        let mint = make_member(&mut door.game, &door.key.clone());
        actor.gate_proof = Some(door.wallet(&mint, &actor.owner.pubkey(), WALLET));
        actor.gate_mint = Some(mint);
    });
}

#[test]
fn collection_with_a_member_of_another_group_is_closed() {
    shut(COLLECTION, |door, actor| {
        let group = make_group(&mut door.game);
        let mint = make_member(&mut door.game, &group);
        actor.gate_proof = Some(door.wallet(&mint, &actor.owner.pubkey(), 1));
        actor.gate_mint = Some(mint);
    });
}

/// The wallet of a worthless mint beside the mint of a member, and the other way round.
#[test]
fn collection_with_a_wallet_of_another_mint_is_closed() {
    shut(COLLECTION, |door, actor| {
        let owner = actor.owner.pubkey();
        actor.gate_proof = Some(door.wallet(&door.key.clone(), &owner, 1));
    });
    shut(COLLECTION, |door, actor| {
        actor.gate_mint = Some(make_member(&mut door.game, &door.key.clone()));
    });
}

/// The group's own token is no member's; nor is a mint that only points to a member, or a plain one of either program.
#[test]
fn collection_with_a_mint_that_is_no_member_is_closed() {
    type Make = fn(&mut Door, &Actor) -> Address;
    let mints: [(Address, Make); 4] = [
        (TOKEN_2022, |door, _| door.key),
        (TOKEN_2022, |door, actor| {
            make_pointing_mint(&mut door.game, actor.gate_mint)
        }),
        (TOKEN_2022, |door, _| {
            let creator = door.game.creator.insecure_clone();
            make_mint(&mut door.game.svm, &creator, &TOKEN_2022, &[], |_| vec![])
        }),
        (TOKEN, |door, _| door.game.mint),
    ];
    for (program, make) in mints {
        shut(COLLECTION, |door, actor| {
            let mint = make(door, actor);
            let creator = door.game.creator.insecure_clone();
            let owner = actor.owner.pubkey();
            let svm = &mut door.game.svm;
            actor.gate_proof = Some(make_wallet(svm, &creator, &program, &mint, &owner, 1));
            actor.gate_mint = Some(mint);
        });
    }
}

/// Bytes of a member's mint, owned by another program or at another address. The wallet names the copy.
fn copy_member(door: &mut Door, actor: &mut Actor, program: Address) {
    let (mint, wallet) = (actor.gate_mint.unwrap(), actor.gate_proof.unwrap());
    let bytes = data(&door.game, &mint);
    let copy = put(&mut door.game, fresh().pubkey(), program, bytes);
    let mut bytes = data(&door.game, &wallet);
    bytes[..32].copy_from_slice(copy.as_ref());
    actor.gate_proof = Some(put(&mut door.game, fresh().pubkey(), TOKEN_2022, bytes));
    actor.gate_mint = Some(copy);
}

#[test]
fn collection_with_a_copy_of_a_members_mint_is_closed() {
    shut(COLLECTION, |door, actor| copy_member(door, actor, SYSTEM));
    // Its member data still names the mint that it was copied from.
    shut(COLLECTION, |door, actor| {
        copy_member(door, actor, TOKEN_2022);
    });
}

/// A member's mint of another program, at the very address that its data names.
#[test]
fn collection_with_a_members_mint_of_another_program_is_closed() {
    for program in [SYSTEM, TOKEN, ID] {
        shut(COLLECTION, |door, actor| {
            let mint = actor.gate_mint.unwrap();
            let bytes = data(&door.game, &mint);
            put(&mut door.game, mint, program, bytes);
        });
    }
}

/// As `tokens_of_a_multisig_that_spells_a_wallet_are_none`, for the mint: nothing but the length tells it apart.
#[test]
fn collection_with_a_multisig_that_spells_a_members_mint_is_closed() {
    let spell = |length| {
        move |door: &mut Door, actor: &mut Actor| {
            let mint = actor.gate_mint.unwrap();
            let mut bytes = data(&door.game, &mint);
            assert!(bytes.len() < 355);
            bytes.resize(length, 0);
            put(&mut door.game, mint, TOKEN_2022, bytes);
        }
    };
    shut(COLLECTION, spell(355));
    open(COLLECTION, spell(356));
}

/// A collection that the task's own mint is one of would ask for what is staked.
#[test]
fn collection_of_the_tasks_own_mint_is_refused_at_creation() {
    for role in [WORKER, WITNESS] {
        let mut game = Game::unborn(rules());
        let (own, other) = (make_group(&mut game), make_group(&mut game));
        game.token_program = TOKEN_2022;
        game.mint = make_member(&mut game, &own);
        let create = |game: &mut Game, group| {
            let asked = gate(GateKind::Collection, group, 0, 0);
            (game.rules.worker_gate, game.rules.witness_gate) = if role == WORKER {
                (asked, open_gate())
            } else {
                (open_gate(), asked)
            };
            game.create_task()
        };
        refused(create(&mut game, own), TaskError::GateOnItself);
        create(&mut game, other).unwrap();
    }
}

/// The group's own mint is none of its members: a task that pays in it may ask for one.
#[test]
fn collection_of_the_tasks_own_group_is_open() {
    let mut game = Game::unborn(rules());
    let group = make_group(&mut game);
    game.token_program = TOKEN_2022;
    game.mint = group;
    game.rules.worker_gate = gate(GateKind::Collection, group, 0, 0);
    game.create_task().unwrap();
    let mut actor = game.stranger();
    let creator = game.creator.insecure_clone();
    let mint = make_member(&mut game, &group);
    let owner = actor.owner.pubkey();
    let wallet = make_wallet(&mut game.svm, &creator, &TOKEN_2022, &mint, &owner, 1);
    (actor.gate_proof, actor.gate_mint) = (Some(wallet), Some(mint));
    game.join_task(&actor, WORKER, 1_000_000).unwrap();
    // A wallet of the group's mint is no member's.
    let mut other = game.stranger();
    let owner = other.owner.pubkey();
    let wallet = make_wallet(&mut game.svm, &creator, &TOKEN_2022, &group, &owner, 1);
    (other.gate_proof, other.gate_mint) = (Some(wallet), Some(group));
    let sent = game.join_task(&other, WORKER, 1_000_000);
    refused(sent, TaskError::GateClosed);
}

// Standing.

#[test]
fn standing_asks_for_paid_rounds() {
    for (paid, passes) in [(0, false), (2, false), (3, true), (4, true)] {
        let change = |door: &mut Door, actor: &mut Actor| door.record(actor, paid, [0, 0]);
        if passes {
            open(STANDING, change);
        } else {
            shut(STANDING, change);
        }
    }
}

/// Of either fault, and both together.
#[test]
fn standing_bears_so_many_convictions() {
    for convictions in [[0, 0], [1, 0], [0, 1]] {
        open(STANDING, |door, actor| door.record(actor, 3, convictions));
    }
    for convictions in [[2, 0], [0, 2], [1, 1], [u32::MAX, u32::MAX]] {
        shut(STANDING, |door, actor| door.record(actor, 3, convictions));
    }
}

/// A node in another task, with the best of records.
#[test]
fn standing_in_another_task_is_none() {
    shut(STANDING, |door, actor| {
        let here = door.key;
        door.key = door.other_task();
        actor.gate_proof = Some(door.join_guild(actor));
        door.record(actor, 9, [0, 0]);
        door.key = here;
    });
}

/// Standing outlasts stake: the record is asked for, not money.
#[test]
fn standing_of_a_node_that_leaves_is_open() {
    open(STANDING, leave_guild);
}

fn leave_guild(door: &mut Door, actor: &mut Actor) {
    door.inside(door.key, |game| {
        let there = game.here(actor);
        game.request_leave(&there, None).unwrap();
    });
}

#[test]
fn standing_of_a_closed_node_is_none() {
    for kind in [STANDING, MEMBER] {
        let mut door = Door::new(kind, WORKER, rules());
        let actor = door.joined(WORKER);
        door.inside(door.key, |game| {
            let there = game.here(&actor);
            game.request_leave(&there, None).unwrap();
            game.warp(START + 600);
            game.withdraw(&there).unwrap();
            game.close_node(&there).unwrap();
        });
        door.game.warp(START + 1_000);
        let sent = door.game.submit_work(&actor, 1);
        refused(sent, TaskError::GateClosed);
    }
}

/// Played: a paid round opens the gate, a conviction in the next one shuts it, a round that paid nothing is none.
#[test]
fn standing_is_earned_by_work_and_lost_by_a_conviction() {
    for pool in [0, 1_000_000] {
        let mut game = Game::unborn(rules());
        game.next_task(7);
        let guild = game.task;
        if pool > 0 {
            game.fund_task(pool).unwrap();
        }
        let worker = game.worker(4_000_000);
        let initiator = game.witness(2_000_000);
        let voters = [(); 2].map(|()| game.witness(1_000_000));
        game.submit_work(&worker, 0).unwrap();

        let creator = game.creator.pubkey();
        game.enter(task_address(&creator, 0));
        game.rules.worker_gate = gate(GateKind::Standing, guild, 1, 0);
        game.create_task().unwrap();
        let mut here = game.here(&worker);
        here.gate_proof = Some(worker.node);
        let join = |game: &mut Game| game.join_task(&here, WORKER, 1_000_000);
        refused(join(&mut game), TaskError::GateClosed);

        game.enter(guild);
        game.warp(START + 400);
        game.claim_bounty(&worker, 0).unwrap();
        game.enter(task_address(&creator, 0));
        if pool == 0 {
            refused(join(&mut game), TaskError::GateClosed);
            continue;
        }
        join(&mut game).unwrap();

        game.enter(guild);
        game.warp(START + 1_000);
        game.submit_work(&worker, 1).unwrap();
        game.open_audit(&initiator, &worker, 1, MALICE).unwrap();
        let audit = game.audit(&worker, 1, 0);
        for voter in &voters {
            game.cast_vote(voter, &audit, MALICE).unwrap();
        }
        game.enter(task_address(&creator, 0));
        game.warp(START + 1_001);
        game.submit_work(&here, 1).unwrap();
        game.enter(guild);
        game.warp(START + 1_200);
        game.resolve_audit(&audit).unwrap();
        game.enter(task_address(&creator, 0));
        game.warp(START + 2_000);
        refused(game.submit_work(&here, 2), TaskError::GateClosed);
    }
}

// Members.

#[test]
fn member_that_leaves_is_none() {
    shut(MEMBER, leave_guild);
}

/// A part that stays is enough, and so is stake that came back.
#[test]
fn member_that_leaves_in_part_or_stays_after_all_is_one() {
    open(MEMBER, |door, actor| {
        door.inside(door.key, |game| {
            let there = game.here(actor);
            game.request_leave(&there, Some(500_000)).unwrap();
        });
    });
    open(MEMBER, |door, actor| {
        leave_guild(door, actor);
        door.inside(door.key, |game| {
            let there = game.here(actor);
            game.cancel_leave(&there).unwrap();
        });
    });
}

#[test]
fn member_of_another_task_is_none() {
    shut(MEMBER, |door, actor| {
        let here = door.key;
        door.key = door.other_task();
        actor.gate_proof = Some(door.join_guild(actor));
        door.key = here;
    });
}

// Losing access hinders nobody from ending what it began and leaving.

fn removed(game: &mut Game, actor: &Actor, role: u8) {
    game.disallow_node(role, &actor.owner.pubkey()).unwrap();
}

#[test]
fn losing_access_stops_neither_reveal_nor_claim_nor_leave() {
    let mut door = Door::new(
        ALLOWLIST,
        WITNESS,
        RulesArgs {
            commit_slots: 50,
            reveal_slots: 150,
            ..rules()
        },
    );
    let accused = door.joined(WORKER);
    let witnesses = [(); 3].map(|()| door.joined(WITNESS));
    let mut game = door.game;
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    let [initiator, voters @ ..] = &witnesses;
    game.open_audit(initiator, &accused, 0, MALICE).unwrap();
    let audit = game.audit(&accused, 0, 0);
    for voter in voters {
        game.commit_vote(voter, &audit, MALICE, [9; 32]).unwrap();
    }

    for witness in &witnesses {
        removed(&mut game, witness, WITNESS);
    }
    game.warp(START + 51);
    for voter in voters {
        game.reveal_vote(voter, &audit, MALICE, [9; 32]).unwrap();
    }
    game.warp(START + 201);
    game.resolve_audit(&audit).unwrap();
    for voter in voters {
        game.claim_vote(voter, &audit).unwrap();
        game.close_vote(voter, &audit).unwrap();
    }
    game.close_audit(&audit).unwrap();
    for witness in &witnesses {
        game.add_stake(witness, 1).unwrap();
        game.request_leave(witness, None).unwrap();
        game.cancel_leave(witness).unwrap();
        game.set_operator(witness, fresh().pubkey()).unwrap();
        game.request_leave(witness, None).unwrap();
    }
    game.warp(START + 801);
    for witness in &witnesses {
        game.withdraw(witness).unwrap();
        game.close_node(witness).unwrap();
        assert!(balance(&game.svm, &witness.wallet) > WALLET);
    }
}

#[test]
fn losing_access_stops_neither_bounty_nor_leave() {
    let mut door = Door::new(ALLOWLIST, WORKER, rules());
    let worker = door.joined(WORKER);
    let mut game = door.game;
    game.fund_task(1_000_000).unwrap();
    game.submit_work(&worker, 0).unwrap();
    removed(&mut game, &worker, WORKER);
    game.request_leave(&worker, None).unwrap();
    game.warp(START + 600);
    game.claim_bounty(&worker, 0).unwrap();
    game.withdraw(&worker).unwrap();
    assert_eq!(balance(&game.svm, &worker.wallet), WALLET + 100_000);
    game.close_submission(&worker, 0).unwrap();
    game.close_node(&worker).unwrap();
}

/// Neither is it a shield.
#[test]
fn losing_access_shields_nobody_from_an_audit() {
    let mut door = Door::new(ALLOWLIST, WORKER, rules());
    let accused = door.joined(WORKER);
    let mut game = door.game;
    let witnesses = [(); 3].map(|()| game.witness(2_000_000));
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    removed(&mut game, &accused, WORKER);
    let [initiator, voters @ ..] = &witnesses;
    game.open_audit(initiator, &accused, 0, MALICE).unwrap();
    let audit = game.audit(&accused, 0, 0);
    for voter in voters {
        game.cast_vote(voter, &audit, MALICE).unwrap();
    }
    let end = game.get::<Audit>(&audit).end_slot.get();
    game.warp(end);
    game.resolve_audit(&audit).unwrap();
    assert_eq!(game.node(&accused).stake.get(), 1_000_000);
}

// `allow_node` and `disallow_node`.

/// A task, an owner to allow, and the entry's address for witnesses.
fn listing() -> (Game, Address, Address) {
    let game = Game::new(rules());
    let owner = fresh().pubkey();
    let entry = allow_address(&game.task, WITNESS, &owner);
    (game, owner, entry)
}

/// The same with the entry.
fn listed() -> (Game, Address, Address) {
    let (mut game, owner, entry) = listing();
    game.allow_node(WITNESS, &owner).unwrap();
    (game, owner, entry)
}

#[test]
fn allow_node_makes_an_entry_and_says_so() {
    let (mut game, owner, address) = listing();
    game.warp(START + 3);
    let event = NodeAllowed {
        task: game.task,
        owner,
        payer: game.creator.pubkey(),
        role: WITNESS,
        slot: START + 3,
    };
    logged(game.allow_node(WITNESS, &owner), &event);
    let entry: AllowEntry = game.get(&address);
    assert_eq!((entry.task, entry.owner), (game.task, owner));
    assert_eq!(entry.payer, game.creator.pubkey());
    assert_eq!(entry.role, WITNESS);
    assert_eq!(game.task().entries.get(), 1);
    game.allow_node(WORKER, &owner).unwrap();
    assert_eq!(game.task().entries.get(), 2);
}

#[test]
fn disallow_node_closes_the_entry_and_gives_the_rent_back() {
    let (mut game, owner, address) = listing();
    let creator = game.creator.pubkey();
    let before = game.svm.get_balance(&creator).unwrap();
    let paid = game.allow_node(WITNESS, &owner).unwrap().fee;
    game.warp(START + 4);
    let event = NodeDisallowed {
        task: game.task,
        owner,
        role: WITNESS,
        slot: START + 4,
    };
    let sent = game.disallow_node(WITNESS, &owner);
    let fee = sent.as_ref().unwrap().fee;
    logged(sent, &event);
    assert_eq!(game.svm.get_balance(&address).unwrap_or(0), 0);
    assert_eq!(game.svm.get_balance(&creator), Some(before - paid - fee));
    assert_eq!(game.task().entries.get(), 0);
}

#[test]
fn allow_node_of_no_role_fails() {
    let (mut game, owner, _) = listing();
    for role in [2, u8::MAX] {
        refused(game.allow_node(role, &owner), TaskError::UnknownRole);
    }
}

#[test]
fn allow_node_twice_fails() {
    let (mut game, owner, _) = listed();
    assert_eq!(
        failure(game.allow_node(WITNESS, &owner)),
        InstructionError::Custom(0),
        "the system program's AccountAlreadyInUse"
    );
}

#[test]
fn disallow_node_twice_fails() {
    let (mut game, owner, entry) = listed();
    let disallow = game.disallow_node_ix(WITNESS, &owner);
    let creator = game.creator.insecure_clone();
    let refund = anchor_lang::solana_program::system_instruction::transfer(
        &creator.pubkey(),
        &entry,
        10_000_000,
    );
    let sent = game.send(&[disallow.clone(), refund, disallow], &[&creator]);
    assert_eq!(failure(sent), InstructionError::AccountDataTooSmall);
    game.disallow_node(WITNESS, &owner).unwrap();
    assert_eq!(
        failure(game.disallow_node(WITNESS, &owner)),
        InstructionError::AccountDataTooSmall
    );
}

#[test]
fn allow_node_in_a_retired_task_passes_and_can_be_taken_back() {
    let (mut game, owner, _) = listing();
    game.retire_task().unwrap();
    game.allow_node(WITNESS, &owner).unwrap();
    game.disallow_node(WITNESS, &owner).unwrap();
}

#[test]
fn allow_node_at_a_prefunded_address_passes() {
    let (mut game, owner, entry) = listing();
    game.prefund(&entry);
    game.allow_node(WITNESS, &owner).unwrap();
}

#[test]
fn allow_node_at_another_address_fails() {
    let (mut game, owner, entry) = listing();
    for other in [
        allow_address(&game.task, WORKER, &owner),
        allow_address(&game.task, WITNESS, &fresh().pubkey()),
        allow_address(&fresh().pubkey(), WITNESS, &owner),
    ] {
        let allow = swap(game.allow_node_ix(WITNESS, &owner), &entry, &other);
        assert_eq!(
            failure(game.send_by_creator(allow)),
            InstructionError::InvalidSeeds
        );
    }
}

/// Both instructions on their own state, paid by another than the creator who signs, so that each key is in one place.
fn listings() -> [(Game, Instruction, Address, Keypair); 2] {
    let (mut game, owner, entry) = listing();
    let payer = key(&mut game.svm);
    let allow = paid_by(&game, &owner, &payer);
    let (mut other, of, place) = listing();
    let paid = key(&mut other.svm);
    let creator = other.creator.insecure_clone();
    let made = paid_by(&other, &of, &paid);
    other.send(&[made], &[&paid, &creator]).unwrap();
    let mut disallow = other.disallow_node_ix(WITNESS, &of);
    disallow.accounts[3].pubkey = paid.pubkey();
    [(game, allow, entry, payer), (other, disallow, place, paid)]
}

/// `allow_node` of a witness with another payer than the creator.
fn paid_by(game: &Game, owner: &Address, payer: &Keypair) -> Instruction {
    let mut allow = game.allow_node_ix(WITNESS, owner);
    assert_eq!(allow.accounts[0].pubkey, game.creator.pubkey());
    allow.accounts[0].pubkey = payer.pubkey();
    allow
}

#[test]
fn allow_and_disallow_by_another_fail() {
    for (mut game, whole, _, payer) in listings() {
        let actor = game.worker(1_000_000);
        let creator = game.creator.pubkey();
        for key in [&actor.owner, &actor.operator] {
            let other = swap(whole.clone(), &creator, &key.pubkey());
            refused(game.send(&[other], &[&payer, key]), TaskError::NotCreator);
        }
        let without = unsigned(whole, &creator);
        assert_eq!(
            failure(game.send(&[without], &[&payer])),
            InstructionError::MissingRequiredSignature
        );
    }
}

#[test]
fn allow_and_disallow_with_wrong_accounts_fail() {
    for (mut game, whole, entry, payer) in listings() {
        let task = game.task;
        let (forged, disguised) = (game.forge(&task), game.disguise(&task));
        let creator = game.creator.insecure_clone();
        for (from, to, error) in [
            (task, forged, InstructionError::IllegalOwner),
            (task, disguised, InstructionError::InvalidAccountData),
            (task, entry, InstructionError::Custom(2040)),
            (entry, task, InstructionError::Custom(2040)),
            (task, creator.pubkey(), InstructionError::Custom(2040)),
            (task, payer.pubkey(), InstructionError::Custom(2040)),
        ] {
            let sent = game.send(&[swap(whole.clone(), &from, &to)], &[&payer, &creator]);
            assert_eq!(failure(sent), error, "{from} to {to}");
        }
        let sent = game.send(&[readonly(whole, &task)], &[&payer, &creator]);
        assert_eq!(failure(sent), InstructionError::Custom(2000));
    }
}

#[test]
fn allow_node_paid_by_another_costs_the_creator_no_lamport_and_gives_the_rent_back() {
    let (mut game, owner, address) = listing();
    let (payer, creator) = (key(&mut game.svm), game.creator.insecure_clone());
    let lamports = |game: &Game, key: &Keypair| game.svm.get_balance(&key.pubkey()).unwrap();
    let before = [&payer, &creator].map(|key| lamports(&game, key));
    let event = NodeAllowed {
        task: game.task,
        owner,
        payer: payer.pubkey(),
        role: WITNESS,
        slot: START,
    };
    let allow = paid_by(&game, &owner, &payer);
    let sent = game.send(&[allow], &[&payer, &creator]);
    let fee = sent.as_ref().unwrap().fee;
    logged(sent, &event);
    assert_eq!(game.get::<AllowEntry>(&address).payer, payer.pubkey());
    let rent = game.svm.get_balance(&address).unwrap();
    assert_eq!(lamports(&game, &payer), before[0] - fee - rent);
    assert_eq!(lamports(&game, &creator), before[1]);

    let to_creator = game.disallow_node_ix(WITNESS, &owner);
    refused(
        game.send_by_creator(to_creator.clone()),
        TaskError::WrongPayer,
    );
    let mut disallow = to_creator;
    disallow.accounts[3].pubkey = payer.pubkey();
    game.send_by_creator(disallow).unwrap();
    assert_eq!(lamports(&game, &payer), before[0] - fee);
}

#[test]
fn allow_node_by_a_creator_that_holds_data_passes_when_another_pays() {
    let (mut game, owner, address) = listing();
    let (payer, creator) = (key(&mut game.svm), game.creator.insecure_clone());
    give_data(&mut game.svm, &creator.pubkey());
    let alone = game.allow_node_ix(WITNESS, &owner);
    assert_eq!(
        failure(game.send(&[alone], &[&payer, &creator])),
        InstructionError::InvalidArgument
    );
    let allow = paid_by(&game, &owner, &payer);
    game.send(&[allow], &[&payer, &creator]).unwrap();
    assert_eq!(game.get::<AllowEntry>(&address).owner, owner);
}

#[test]
fn allow_node_without_the_payers_signature_fails() {
    let (mut game, owner, _) = listing();
    let (payer, creator) = (key(&mut game.svm), game.creator.insecure_clone());
    let allow = unsigned(paid_by(&game, &owner, &payer), &payer.pubkey());
    assert_eq!(
        failure(game.send(&[allow], &[&creator])),
        InstructionError::MissingRequiredSignature
    );
    let allow = readonly(paid_by(&game, &owner, &payer), &payer.pubkey());
    assert_eq!(
        failure(game.send(&[allow], &[&creator, &payer])),
        InstructionError::MissingRequiredSignature
    );
}

/// An entry decides who may vote: until one leave delay after the end it is the creator's.
#[test]
fn disallow_node_by_anyone_passes_once_the_task_is_released() {
    let (mut game, owner, entry) = listed();
    let stranger = game.stranger();
    let mut disallow = game.disallow_node_ix(WITNESS, &owner);
    disallow.accounts[0].pubkey = stranger.owner.pubkey();
    let by_stranger =
        |game: &mut Game| game.send(std::slice::from_ref(&disallow), &[&stranger.owner]);
    refused(by_stranger(&mut game), TaskError::NotCreator);
    game.warp(START + 10_000);
    game.pause_task().unwrap();
    refused(by_stranger(&mut game), TaskError::NotCreator);
    game.retire_task().unwrap();
    for slot in [START + 10_000, START + 10_599] {
        game.warp(slot);
        refused(by_stranger(&mut game), TaskError::NotCreator);
    }
    // Retiring again puts nothing off.
    game.retire_task().unwrap();
    game.warp(START + 10_600);
    let before = game.svm.get_balance(&game.creator.pubkey()).unwrap();
    let rent = game.svm.get_balance(&entry).unwrap();
    let event = NodeDisallowed {
        task: game.task,
        owner,
        role: WITNESS,
        slot: START + 10_600,
    };
    logged(by_stranger(&mut game), &event);
    let after = game.svm.get_balance(&game.creator.pubkey()).unwrap();
    assert_eq!(after, before + rent, "the rent goes to who paid it");
    assert_eq!(game.task().entries.get(), 0);
}

/// Not even then to the one who calls.
#[test]
fn disallow_node_to_another_than_the_payer_fails() {
    let (mut game, owner, _) = listed();
    game.retire_task().unwrap();
    game.warp(START + 600);
    let stranger = game.stranger();
    let mut disallow = game.disallow_node_ix(WITNESS, &owner);
    for place in [0, 3] {
        disallow.accounts[place].pubkey = stranger.owner.pubkey();
    }
    let sent = game.send(&[disallow], &[&stranger.owner]);
    refused(sent, TaskError::WrongPayer);
}

#[test]
fn allow_node_with_another_system_program_fails() {
    let (mut game, owner, _) = listing();
    let allow = swap(game.allow_node_ix(WITNESS, &owner), &SYSTEM, &TOKEN);
    assert_eq!(
        failure(game.send_by_creator(allow)),
        InstructionError::IncorrectProgramId
    );
}

#[test]
fn disallow_node_with_an_entry_that_is_none_fails() {
    let (mut game, owner, entry) = listed();
    let node = game.worker(1_000_000).node;
    let (forged, disguised) = (game.forge(&entry), game.disguise(&entry));
    for (other, error) in [
        (forged, InstructionError::IllegalOwner),
        (disguised, InstructionError::InvalidAccountData),
        (node, InstructionError::InvalidAccountData),
    ] {
        let disallow = swap(game.disallow_node_ix(WITNESS, &owner), &entry, &other);
        assert_eq!(failure(game.send_by_creator(disallow)), error);
    }
    let disallow = readonly(game.disallow_node_ix(WITNESS, &owner), &entry);
    assert_eq!(
        failure(game.send_by_creator(disallow)),
        InstructionError::Custom(2000)
    );
}

#[test]
fn disallow_node_of_another_task_fails() {
    let (mut game, owner, entry) = listed();
    game.next_task(1);
    let disallow = swap(
        game.disallow_node_ix(WITNESS, &owner),
        &allow_address(&game.task, WITNESS, &owner),
        &entry,
    );
    refused(game.send_by_creator(disallow), TaskError::WrongTask);
}
