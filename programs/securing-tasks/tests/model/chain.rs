//! The same game on the real bytecode in LiteSVM: from the model's names to addresses, and back from accounts to facts that can
//! be compared.

use super::{
    common::{self, instruction as build, SYSTEM, TOKEN, TOKEN_2022},
    game::*,
};
use ::securing_tasks::{
    accounts, error::TaskError, instruction as data, state, state::commitment, AllowEntry,
    GateArgs, GateKind, RulesArgs, ID,
};
use anchor_lang::{
    prelude::{Address, ProgramError},
    solana_program::instruction::{AccountMeta, Instruction},
    AccountDeserialize, InstructionData,
};
use anchor_spl::token_2022::spl_token_2022::{
    extension::{group_member_pointer, group_pointer, ExtensionType},
    instruction::transfer_checked,
};
use litesvm::LiteSVM;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::{InstructionError, Transaction};
use solana_transaction_error::TransactionError;
use spl_token_group_interface::instruction::{initialize_group, initialize_member};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
};

/// What every key begins with.
const LAMPORTS: u64 = 1 << 40;
const START: Slot = 1_000;

/// An account of the program, or a vault, by the model's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Id {
    Task(u8),
    Vault(u8),
    Node(NodeId),
    Round(RoundId),
    Submission(SubmissionId),
    Audit(AuditId),
    Vote(VoteId),
    Entry(EntryId),
}

/// The names and values of an account's fields.
pub type Facts = Vec<(&'static str, u128)>;

pub struct Chain {
    svm: LiteSVM,
    payer: Address,
    keys: Vec<Address>,
    wallets: Vec<Address>,
    foreign: Address,
    mint: Address,
    mints: BTreeMap<Mint, Address>,
    badges: BTreeMap<Badge, Address>,
    addresses: Rc<Addresses>,
}

/// Where everything is. Known to the model too, since a draw hashes addresses.
struct Addresses {
    keys: Vec<Address>,
    known: RefCell<HashMap<Id, Address>>,
}

/// A machine with the program and the keys, made once and copied for every game.
#[derive(Clone)]
pub struct Template {
    svm: LiteSVM,
    payer: Address,
    keys: Vec<Address>,
    mint: Address,
    foreign: Address,
    wallets: Vec<Address>,
    mints: BTreeMap<Mint, Address>,
    badges: BTreeMap<Badge, Address>,
    pub rents: Rents,
}

impl Template {
    pub fn new() -> Self {
        let mut svm = LiteSVM::new()
            .with_sigverify(false)
            .with_blockhash_check(false)
            .with_transaction_history(0)
            .with_log_bytes_limit(Some(0));
        svm.add_program(ID, &common::program_bytes()).unwrap();
        svm.warp_to_slot(START);
        let bank = common::key(&mut svm);
        let mint = common::make_mint(&mut svm, &bank, &TOKEN, &[], |_| vec![]);
        let other = common::make_mint(&mut svm, &bank, &TOKEN, &[], |_| vec![]);
        let keys: Vec<_> = (0..KEYS).map(|_| common::fresh().pubkey()).collect();
        let wallets = keys
            .iter()
            .chain(&keys)
            .map(|key| common::make_wallet(&mut svm, &bank, &TOKEN, &mint, key, 0))
            .collect();
        let foreign = common::make_wallet(&mut svm, &bank, &TOKEN, &other, &keys[1], 1_000);
        let mut mints = BTreeMap::from([(Mint::Money, mint)]);
        // A mint is made after those that it points to.
        for badge in [Mint::Group(0), Mint::Group(1)].into_iter().chain(BADGES) {
            if !mints.contains_key(&badge) {
                mints.insert(badge, make_badge(&mut svm, &bank, &mints, badge));
            }
        }
        let mut badges = BTreeMap::new();
        for (at, mint) in BADGES.into_iter().enumerate() {
            for owner in OWNERS {
                let (of, key) = (&mints[&mint], &keys[usize::from(owner)]);
                let tokens = first_tokens(at, owner);
                let wallet = common::make_wallet(&mut svm, &bank, &TOKEN_2022, of, key, tokens);
                badges.insert(Badge { mint, owner }, wallet);
            }
        }
        for key in &keys {
            svm.airdrop(key, LAMPORTS).unwrap();
        }
        let payer = common::fresh().pubkey();
        svm.airdrop(&payer, LAMPORTS).unwrap();
        let rent = |data: usize| svm.minimum_balance_for_rent_exemption(data);
        let rents = Rents {
            task: rent(8 + size_of::<state::Task>()),
            vault: rent(165),
            node: rent(8 + size_of::<state::Node>()),
            round: rent(8 + size_of::<state::Round>()),
            submission: rent(8 + size_of::<state::Submission>()),
            audit: rent(8 + size_of::<state::Audit>()),
            vote: rent(8 + size_of::<state::Vote>()),
            entry: rent(8 + size_of::<state::AllowEntry>()),
        };
        Self {
            svm,
            payer,
            keys,
            mint,
            foreign,
            wallets,
            mints,
            badges,
            rents,
        }
    }

    /// A new game in which every key begins with `purse` base units, and its world.
    pub fn game(&self, purse: u64) -> (Chain, World) {
        let mut svm = self.svm.clone();
        for wallet in &self.wallets {
            let mut account = svm.get_account(wallet).unwrap();
            account.data[64..72].copy_from_slice(&purse.to_le_bytes());
            svm.set_account(*wallet, account).unwrap();
        }
        let addresses = Rc::new(Addresses {
            keys: self.keys.clone(),
            known: RefCell::default(),
        });
        let (audits, keys) = (Rc::clone(&addresses), self.keys.clone());
        let book = Book {
            audit: Rc::new(move |id| audits.of(Id::Audit(id)).to_bytes()),
            key: Rc::new(move |key| keys[usize::from(key)].to_bytes()),
            block: common::block_hash,
            sha256: common::sha256,
        };
        let chain = Chain {
            svm,
            payer: self.payer,
            keys: self.keys.clone(),
            wallets: self.wallets.clone(),
            foreign: self.foreign,
            mint: self.mint,
            mints: self.mints.clone(),
            badges: self.badges.clone(),
            addresses,
        };
        let world = World {
            slot: START,
            book,
            rents: self.rents,
            tasks: Default::default(),
            nodes: Default::default(),
            rounds: Default::default(),
            submissions: Default::default(),
            audits: Default::default(),
            votes: Default::default(),
            entries: Default::default(),
            histories: Default::default(),
            wallets: vec![purse; 2 * KEYS],
            badges: (BADGES.into_iter().enumerate())
                .flat_map(|(at, mint)| {
                    OWNERS.map(move |owner| (Badge { mint, owner }, first_tokens(at, owner)))
                })
                .collect(),
            vaults: [0; TASKS as usize],
            lamports: vec![LAMPORTS; KEYS],
            outcomes: [0; 5],
            met: Default::default(),
        };
        (chain, world)
    }
}

/// How many tokens of the mint at this place of `BADGES` an owner begins with: none, one or two.
fn first_tokens(at: usize, owner: Key) -> u64 {
    (at as u64 + u64::from(owner)) % 3
}

/// Makes a mint of badges.
fn make_badge(
    svm: &mut LiteSVM,
    bank: &Keypair,
    mints: &BTreeMap<Mint, Address>,
    badge: Mint,
) -> Address {
    let key = bank.pubkey();
    let extension = match badge {
        Mint::Member { .. } | Mint::Pointer => &[ExtensionType::GroupMemberPointer][..],
        Mint::Group(_) => &[ExtensionType::GroupPointer],
        Mint::Money | Mint::Plain => &[],
    };
    let mint = common::make_mint(svm, bank, &TOKEN_2022, extension, |mint| {
        let pointer = match badge {
            Mint::Member { .. } => {
                group_member_pointer::instruction::initialize(&TOKEN_2022, mint, None, Some(*mint))
            }
            Mint::Pointer => {
                let of = mints[&BADGES[0]];
                group_member_pointer::instruction::initialize(&TOKEN_2022, mint, None, Some(of))
            }
            Mint::Group(_) => {
                group_pointer::instruction::initialize(&TOKEN_2022, mint, None, Some(*mint))
            }
            Mint::Money | Mint::Plain => return vec![],
        };
        vec![pointer.unwrap()]
    });
    let init = match badge {
        Mint::Member { group, .. } => {
            let group = &mints[&Mint::Group(group)];
            initialize_member(&TOKEN_2022, &mint, &mint, &key, group, &key)
        }
        Mint::Group(_) => initialize_group(&TOKEN_2022, &mint, &mint, &key, Some(key), 9),
        _ => return mint,
    };
    // What it is is kept in the mint, which grows for it.
    svm.airdrop(&mint, 100_000_000).unwrap();
    common::send(svm, &[init], &[bank]).unwrap();
    mint
}

/// The number that the creator gave to its task.
fn number(task: u8) -> u64 {
    7 * u64::from(task)
}

/// The hash of an accuser's secret; zeros where it gives none.
fn hidden(secret: Option<u8>) -> [u8; 32] {
    secret.map_or([0; 32], |secret| common::sha256(&[&[secret; 32]]))
}

fn gate(chain: &Chain, gate: Gate) -> GateArgs {
    let none = Address::default();
    let at = |task| chain.address(Id::Task(task));
    match gate {
        Gate::Open => common::gate(GateKind::Open, none, 0, 0),
        Gate::Allowlist => common::gate(GateKind::Allowlist, none, 0, 0),
        Gate::Token { mint, least } => common::gate(GateKind::Token, chain.mints[&mint], least, 0),
        Gate::Collection { group } => {
            let group = chain.mints[&Mint::Group(group)];
            common::gate(GateKind::Collection, group, 0, 0)
        }
        Gate::Standing { task, least, most } => {
            common::gate(GateKind::Standing, at(task), least, most)
        }
        Gate::Member { task } => common::gate(GateKind::Member, at(task), 0, 0),
        Gate::Nonsense => GateArgs {
            kind: 6,
            ..common::open_gate()
        },
        Gate::Keyless => common::gate(GateKind::Member, none, 0, 0),
    }
}

impl Addresses {
    fn of(&self, id: Id) -> Address {
        if let Some(address) = self.known.borrow().get(&id) {
            return *address;
        }
        let owner = |key: Key| &self.keys[usize::from(key)];
        let address = match id {
            Id::Task(task) => common::task_address(owner(creator(task)), number(task)),
            Id::Vault(task) => common::vault_address(&self.of(Id::Task(task))),
            Id::Node(id) => common::node_address(&self.of(Id::Task(id.task)), owner(id.owner)),
            Id::Round(id) => common::round_address(&self.of(Id::Task(id.task)), id.number),
            Id::Submission(id) => common::submission_address(
                &self.of(Id::Task(id.round.task)),
                id.round.number,
                owner(id.owner),
            ),
            Id::Audit(id) => common::audit_address(
                &self.of(Id::Submission(id.submission)),
                owner(id.initiator),
                id.index,
            ),
            Id::Vote(id) => common::vote_address(&self.of(Id::Audit(id.audit)), owner(id.voter)),
            Id::Entry(id) => {
                common::allow_address(&self.of(Id::Task(id.task)), id.role, owner(id.owner))
            }
        };
        self.known.borrow_mut().insert(id, address);
        address
    }
}

impl Chain {
    pub fn address(&self, id: Id) -> Address {
        self.addresses.of(id)
    }

    fn wallet(&self, key: Wallet) -> Address {
        if key == FOREIGN {
            self.foreign
        } else {
            self.wallets[usize::from(key)]
        }
    }

    fn proof(&self, proof: Option<Proof>) -> Option<Address> {
        proof.map(|proof| match proof {
            Proof::Entry(id) => self.address(Id::Entry(id)),
            Proof::Wallet(key) => self.wallet(key),
            Proof::Badge(badge) => self.badges[&badge],
            Proof::Mint(mint) => self.mints[&mint],
            Proof::Node(id) => self.address(Id::Node(id)),
        })
    }

    fn seal(&self, sealed: Option<Sealed>) -> [u8; 32] {
        sealed.map_or([0; 32], |sealed| {
            commitment(
                &self.address(Id::Audit(sealed.audit)),
                &self.keys[usize::from(sealed.voter)],
                sealed.opinion,
                &[sealed.salt; 32],
            )
        })
    }

    fn instruction(&self, ix: &Ix) -> Instruction {
        let key = |key: Key| self.keys[usize::from(key)];
        let at = |id: Id| self.address(id);
        let task_at = |task: u8| self.address(Id::Task(task));
        let vault_at = |task: u8| self.address(Id::Vault(task));
        match *ix {
            Ix::CreateTask {
                task,
                payer,
                ref rules,
                audit_function,
                uris,
            } => build(
                accounts::CreateTask {
                    payer: key(payer),
                    creator: key(creator(task)),
                    task: task_at(task),
                    mint: self.mint,
                    vault: vault_at(task),
                    token_program: TOKEN,
                    system_program: SYSTEM,
                },
                data::CreateTask {
                    id: number(task),
                    rules: RulesArgs {
                        round_slots: rules.round,
                        submission_slots: rules.submission,
                        audit_slots: rules.audit,
                        commit_slots: rules.commit,
                        reveal_slots: rules.reveal,
                        leave_delay_slots: rules.leave_delay,
                        worker_min_stake: rules.min_stake[0],
                        witness_min_stake: rules.min_stake[1],
                        bounty_per_round: rules.bounty,
                        initiator_bond: rules.bond,
                        vote_deposit: rules.deposit,
                        appeal_slots: rules.appeal,
                        appeal_bond: rules.appeal_bond,
                        quorum_votes: rules.quorum_votes,
                        quorum_bps: rules.quorum_bps,
                        downtime_bps: rules.downtime_bps,
                        malice_bps: rules.malice_bps,
                        initiator_bonus_bps: rules.bonus_bps,
                        pool_bps: rules.pool_bps,
                        panel_seats: rules.seats,
                        vote_weight: rules.weight,
                        reward_rule: rules.reward,
                        worker_gate: gate(self, rules.gates[0]),
                        witness_gate: gate(self, rules.gates[1]),
                        allow_large_stake: rules.allow_large_stake,
                    },
                    audit_function_hash: [u8::from(audit_function); 32],
                    audit_function_uri: "a".repeat(uris[0]),
                    task_function_hash: [2; 32],
                    task_function_uri: "t".repeat(uris[1]),
                }
                .data(),
            ),
            Ix::FundTask {
                task,
                funder,
                source,
                vault,
                amount,
            } => build(
                accounts::FundTask {
                    funder: key(funder),
                    task: task_at(task),
                    mint: self.mint,
                    source: self.wallet(source),
                    vault: vault_at(vault),
                    token_program: TOKEN,
                },
                data::FundTask { amount }.data(),
            ),
            Ix::PauseTask { task, signer } => build(
                accounts::PauseTask {
                    creator: key(signer),
                    task: task_at(task),
                },
                data::PauseTask {}.data(),
            ),
            Ix::ResumeTask { task, signer } => build(
                accounts::ResumeTask {
                    creator: key(signer),
                    task: task_at(task),
                },
                data::ResumeTask {}.data(),
            ),
            Ix::RetireTask {
                task,
                signer,
                vault,
                destination,
            } => build(
                accounts::RetireTask {
                    creator: key(signer),
                    task: task_at(task),
                    mint: self.mint,
                    vault: vault_at(vault),
                    destination: self.wallet(destination),
                    token_program: TOKEN,
                },
                data::RetireTask {}.data(),
            ),
            Ix::CloseTask {
                task,
                vault,
                destination,
                payer,
            } => build(
                accounts::CloseTask {
                    task: task_at(task),
                    mint: self.mint,
                    vault: vault_at(vault),
                    destination: self.wallet(destination),
                    payer: key(payer),
                    token_program: TOKEN,
                },
                data::CloseTask {}.data(),
            ),
            Ix::AllowNode {
                signer,
                payer,
                entry,
            } => build(
                accounts::AllowNode {
                    payer: key(payer),
                    creator: key(signer),
                    task: task_at(entry.task),
                    entry: at(Id::Entry(entry)),
                    system_program: SYSTEM,
                },
                data::AllowNode {
                    role: entry.role,
                    owner: key(entry.owner),
                }
                .data(),
            ),
            Ix::DisallowNode {
                task,
                signer,
                entry,
                payer,
            } => build(
                accounts::DisallowNode {
                    remover: key(signer),
                    task: task_at(task),
                    entry: at(Id::Entry(entry)),
                    payer: key(payer),
                },
                data::DisallowNode {}.data(),
            ),
            Ix::JoinTask {
                node,
                payer,
                role,
                operator,
                amount,
                source,
                vault,
                shown,
            } => build(
                accounts::JoinTask {
                    payer: key(payer),
                    owner: key(node.owner),
                    task: task_at(node.task),
                    node: at(Id::Node(node)),
                    mint: self.mint,
                    source: self.wallet(source),
                    vault: vault_at(vault),
                    token_program: TOKEN,
                    gate_proof: self.proof(shown.proof),
                    gate_mint: self.proof(shown.mint),
                    system_program: SYSTEM,
                },
                data::JoinTask {
                    role,
                    operator: key(operator),
                    amount,
                    start_slot: self.start_slot(node.task),
                }
                .data(),
            ),
            Ix::AddStake {
                task,
                node,
                signer,
                amount,
                source,
                vault,
            } => build(
                accounts::AddStake {
                    owner: key(signer),
                    task: task_at(task),
                    node: at(Id::Node(node)),
                    mint: self.mint,
                    source: self.wallet(source),
                    vault: vault_at(vault),
                    token_program: TOKEN,
                },
                data::AddStake { amount }.data(),
            ),
            Ix::Restake { task, node, signer } => build(
                accounts::Restake {
                    owner: key(signer),
                    task: task_at(task),
                    node: at(Id::Node(node)),
                },
                data::Restake {}.data(),
            ),
            Ix::RequestLeave {
                task,
                node,
                signer,
                amount,
            } => build(
                accounts::RequestLeave {
                    owner: key(signer),
                    task: task_at(task),
                    node: at(Id::Node(node)),
                },
                data::RequestLeave { amount }.data(),
            ),
            Ix::CancelLeave { task, node, signer } => build(
                accounts::CancelLeave {
                    owner: key(signer),
                    task: task_at(task),
                    node: at(Id::Node(node)),
                },
                data::CancelLeave {}.data(),
            ),
            Ix::Withdraw {
                task,
                node,
                signer,
                vault,
                destination,
            } => build(
                accounts::Withdraw {
                    owner: key(signer),
                    task: task_at(task),
                    node: at(Id::Node(node)),
                    mint: self.mint,
                    vault: vault_at(vault),
                    destination: self.wallet(destination),
                    token_program: TOKEN,
                },
                data::Withdraw {}.data(),
            ),
            Ix::ReturnStake {
                task,
                node,
                vault,
                destination,
            } => build(
                accounts::ReturnStake {
                    task: task_at(task),
                    node: at(Id::Node(node)),
                    mint: self.mint,
                    vault: vault_at(vault),
                    destination: self.wallet(destination),
                    token_program: TOKEN,
                },
                data::ReturnStake {}.data(),
            ),
            Ix::SetOperator {
                node,
                signer,
                operator,
            } => build(
                accounts::SetOperator {
                    owner: key(signer),
                    node: at(Id::Node(node)),
                },
                data::SetOperator {
                    operator: key(operator),
                }
                .data(),
            ),
            Ix::SubmitWork {
                task,
                payer,
                node,
                signer,
                round,
                number,
                payload,
                uri,
                shown,
            } => {
                let of = RoundId { task, number };
                build(
                    accounts::SubmitWork {
                        payer: key(payer),
                        operator: key(signer),
                        task: task_at(task),
                        node: at(Id::Node(node)),
                        round: at(Id::Round(round)),
                        submission: at(Id::Submission(SubmissionId {
                            round: of,
                            owner: node.owner,
                        })),
                        gate_proof: self.proof(shown.proof),
                        gate_mint: self.proof(shown.mint),
                        system_program: SYSTEM,
                    },
                    data::SubmitWork {
                        round_number: number,
                        payload_hash: [7 * u8::from(payload); 32],
                        payload_uri: "p".repeat(uri),
                    }
                    .data(),
                )
            }
            Ix::OpenAudit {
                task,
                payer,
                submission,
                round,
                accused,
                initiator,
                signer,
                index,
                accusation,
                secret,
                evidence,
                uri,
                proof,
            } => build(
                accounts::OpenAudit {
                    payer: key(payer),
                    operator: key(signer),
                    task: task_at(task),
                    submission: at(Id::Submission(submission)),
                    round: at(Id::Round(round)),
                    accused: at(Id::Node(accused)),
                    initiator: at(Id::Node(initiator)),
                    audit: at(Id::Audit(AuditId {
                        submission,
                        initiator: initiator.owner,
                        index,
                    })),
                    gate_proof: self.proof(proof),
                    system_program: SYSTEM,
                },
                data::OpenAudit {
                    accusation,
                    secret_hash: hidden(secret),
                    evidence_hash: [5 * u8::from(evidence); 32],
                    evidence_uri: "e".repeat(uri),
                }
                .data(),
            ),
            Ix::DrawPanel { audit, secret } => build(
                accounts::DrawPanel {
                    audit: at(Id::Audit(audit)),
                },
                data::DrawPanel {
                    secret: [secret; 32],
                }
                .data(),
            ),
            Ix::AppealAudit {
                task,
                audit,
                node,
                signer,
            } => build(
                accounts::AppealAudit {
                    operator: key(signer),
                    task: task_at(task),
                    audit: at(Id::Audit(audit)),
                    node: at(Id::Node(node)),
                },
                data::AppealAudit {}.data(),
            ),
            Ix::CastVote {
                task,
                payer,
                audit,
                node,
                signer,
                proof,
                ..
            }
            | Ix::CommitVote {
                task,
                payer,
                audit,
                node,
                signer,
                proof,
                ..
            } => build(
                accounts::CastVote {
                    payer: key(payer),
                    operator: key(signer),
                    task: task_at(task),
                    audit: at(Id::Audit(audit)),
                    node: at(Id::Node(node)),
                    vote: at(Id::Vote(VoteId {
                        audit,
                        voter: node.owner,
                    })),
                    gate_proof: self.proof(proof),
                    system_program: SYSTEM,
                },
                match *ix {
                    Ix::CastVote { opinion, .. } => data::CastVote { opinion }.data(),
                    Ix::CommitVote { sealed, .. } => data::CommitVote {
                        commitment: self.seal(sealed),
                    }
                    .data(),
                    _ => unreachable!(),
                },
            ),
            Ix::RevealVote {
                audit,
                node,
                vote,
                opinion,
                salt,
            } => build(
                accounts::RevealVote {
                    audit: at(Id::Audit(audit)),
                    node: at(Id::Node(node)),
                    vote: at(Id::Vote(vote)),
                },
                data::RevealVote {
                    opinion,
                    salt: [salt; 32],
                }
                .data(),
            ),
            Ix::ResolveAudit {
                task,
                audit,
                submission,
                round,
                accused,
                initiator,
                appellant,
            } => {
                let mut resolve = build(
                    accounts::ResolveAudit {
                        task: task_at(task),
                        audit: at(Id::Audit(audit)),
                        submission: at(Id::Submission(submission)),
                        round: at(Id::Round(round)),
                        accused: at(Id::Node(accused)),
                        initiator: at(Id::Node(initiator)),
                    },
                    data::ResolveAudit {}.data(),
                );
                let third = appellant.map(|one| AccountMeta::new(at(Id::Node(one)), false));
                resolve.accounts.extend(third);
                resolve
            }
            Ix::ClaimVote {
                task,
                audit,
                vote,
                node,
            } => build(
                accounts::ClaimVote {
                    task: task_at(task),
                    audit: at(Id::Audit(audit)),
                    vote: at(Id::Vote(vote)),
                    node: at(Id::Node(node)),
                },
                data::ClaimVote {}.data(),
            ),
            Ix::ClaimBounty {
                task,
                round,
                submission,
                node,
            } => build(
                accounts::ClaimBounty {
                    task: task_at(task),
                    round: at(Id::Round(round)),
                    submission: at(Id::Submission(submission)),
                    node: at(Id::Node(node)),
                },
                data::ClaimBounty {}.data(),
            ),
            Ix::CloseVote {
                audit,
                node,
                vote,
                payer,
            } => build(
                accounts::CloseVote {
                    audit: at(Id::Audit(audit)),
                    node: at(Id::Node(node)),
                    vote: at(Id::Vote(vote)),
                    payer: key(payer),
                },
                data::CloseVote {}.data(),
            ),
            Ix::CloseAudit {
                submission,
                initiator,
                audit,
                payer,
            } => build(
                accounts::CloseAudit {
                    submission: at(Id::Submission(submission)),
                    initiator: at(Id::Node(initiator)),
                    audit: at(Id::Audit(audit)),
                    payer: key(payer),
                },
                data::CloseAudit {}.data(),
            ),
            Ix::CloseSubmission {
                task,
                round,
                node,
                submission,
                payer,
            } => build(
                accounts::CloseSubmission {
                    task: task_at(task),
                    round: at(Id::Round(round)),
                    node: at(Id::Node(node)),
                    submission: at(Id::Submission(submission)),
                    payer: key(payer),
                },
                data::CloseSubmission {}.data(),
            ),
            Ix::CloseRound { task, round, payer } => build(
                accounts::CloseRound {
                    task: task_at(task),
                    round: at(Id::Round(round)),
                    payer: key(payer),
                },
                data::CloseRound {}.data(),
            ),
            Ix::CloseNode {
                closer,
                task,
                node,
                payer,
            } => build(
                accounts::CloseNode {
                    closer: key(closer),
                    task: task_at(task),
                    node: at(Id::Node(node)),
                    payer: key(payer),
                },
                data::CloseNode {}.data(),
            ),
        }
    }

    /// Sends the instruction, unsigned but with every signer named. The fee payer has no part in the game.
    pub fn send(&mut self, ix: &Ix) -> Result<(), InstructionError> {
        if matches!(ix, Ix::DrawPanel { .. }) {
            common::remember_blocks(&mut self.svm, is_skipped);
        }
        let message = Message::new(&[self.instruction(ix)], Some(&self.payer));
        match self
            .svm
            .send_transaction(Transaction::new_unsigned(message))
        {
            Ok(_) => Ok(()),
            Err(failed) => match failed.err {
                TransactionError::InstructionError(0, error) => Err(error),
                other => panic!("not an instruction's error: {other:?}"),
            },
        }
    }

    pub fn gift(&mut self, task: u8, from: Wallet, amount: u64) {
        let transfer = transfer_checked(
            &TOKEN,
            &self.wallet(from),
            &self.mint,
            &self.address(Id::Vault(task)),
            &self.keys[usize::from(owner_of(from))],
            &[],
            amount,
            6,
        );
        self.transfer(transfer.unwrap());
    }

    pub fn pass(&mut self, badge: Badge, to: Key) {
        let transfer = transfer_checked(
            &TOKEN_2022,
            &self.badges[&badge],
            &self.mints[&badge.mint],
            &self.badges[&Badge { owner: to, ..badge }],
            &self.keys[usize::from(badge.owner)],
            &[],
            1,
            6,
        );
        self.transfer(transfer.unwrap());
    }

    fn transfer(&mut self, transfer: Instruction) {
        let message = Message::new(&[transfer], Some(&self.payer));
        self.svm
            .send_transaction(Transaction::new_unsigned(message))
            .unwrap();
    }

    pub fn until(&mut self, slot: Slot) {
        self.svm.warp_to_slot(slot);
    }
}

/// Whether the program's error is the model's. Which of two codes says that an account isn't there depends on whether the
/// instruction would write to it: Anchor looks at the size first, or at the owner.
pub fn same(no: No, error: &InstructionError) -> bool {
    let missing = [
        InstructionError::UninitializedAccount,
        InstructionError::AccountDataTooSmall,
    ];
    match no {
        No::Missing => missing.contains(error),
        no => *error == code(no),
    }
}

/// The error code by which the program says no.
fn code(no: No) -> InstructionError {
    let error = match no {
        No::Missing => unreachable!("has two codes"),
        No::InUse => return InstructionError::Custom(0),
        No::Twice => return InstructionError::Custom(2040),
        No::Seeds => return InstructionError::InvalidSeeds,
        No::Funds => return InstructionError::Custom(1),
        No::NotWalletOwner => return InstructionError::Custom(4),
        No::Overflow => TaskError::Overflow,
        No::AmountZero => TaskError::AmountZero,
        No::AuditFunctionMissing => TaskError::AuditFunctionMissing,
        No::UriTooLong => TaskError::UriTooLong,
        No::BondZero => TaskError::BondZero,
        No::SharesOverWhole => TaskError::SharesOverWhole,
        No::BonusZero => TaskError::BonusZero,
        No::SlashZero => TaskError::SlashZero,
        No::MaliceBelowDowntime => TaskError::MaliceBelowDowntime,
        No::QuorumZero => TaskError::QuorumZero,
        No::WindowZero => TaskError::WindowZero,
        No::SubmissionWindowTooLong => TaskError::SubmissionWindowTooLong,
        No::AuditWindowsTooLong => TaskError::AuditWindowsTooLong,
        No::LeaveDelayTooShort => TaskError::LeaveDelayTooShort,
        No::MinimumStakeZero => TaskError::MinimumStakeZero,
        No::StakeOverBounty => TaskError::StakeOverBounty,
        No::UnknownRule => TaskError::UnknownRule,
        No::GateKeyMissing => TaskError::GateKeyMissing,
        No::MintMismatch => TaskError::MintMismatch,
        No::VaultMismatch => TaskError::VaultMismatch,
        No::WrongTask => TaskError::WrongTask,
        No::WrongNode => TaskError::WrongNode,
        No::WrongSubmission => TaskError::WrongSubmission,
        No::WrongRound => TaskError::WrongRound,
        No::WrongAudit => TaskError::WrongAudit,
        No::NotCreator => TaskError::NotCreator,
        No::NotOwner => TaskError::NotOwner,
        No::NotOperator => TaskError::NotOperator,
        No::TaskRetired => TaskError::TaskRetired,
        No::UnknownRole => TaskError::UnknownRole,
        No::StakeBelowMinimum => TaskError::StakeBelowMinimum,
        No::StakeTooSmall => TaskError::StakeTooSmall,
        No::StakePledged => TaskError::StakePledged,
        No::NothingLeaving => TaskError::NothingLeaving,
        No::NothingToRestake => TaskError::NothingToRestake,
        No::NothingToWithdraw => TaskError::NothingToWithdraw,
        No::NodeAccused => TaskError::NodeAccused,
        No::WitnessCannotSubmit => TaskError::WitnessCannotSubmit,
        No::PayloadMissing => TaskError::PayloadMissing,
        No::RoundNotCurrent => TaskError::RoundNotCurrent,
        No::SubmissionWindowClosed => TaskError::SubmissionWindowClosed,
        No::UnknownVerdict => TaskError::UnknownVerdict,
        No::AuditWindowClosed => TaskError::AuditWindowClosed,
        No::EarlierAuditOpen => TaskError::EarlierAuditOpen,
        No::AlreadyDecided => TaskError::AlreadyDecided,
        No::StakeAddedTooOften => TaskError::StakeAddedTooOften,
        No::JoinedAfterSubmission => TaskError::JoinedAfterSubmission,
        No::StakeTooRecent => TaskError::StakeTooRecent,
        No::AccusedCannotVote => TaskError::AccusedCannotVote,
        No::InitiatorAlreadyVoted => TaskError::InitiatorAlreadyVoted,
        No::VotingClosed => TaskError::VotingClosed,
        No::VotingOpen => TaskError::VotingOpen,
        No::AlreadyResolved => TaskError::AlreadyResolved,
        No::NotResolved => TaskError::NotResolved,
        No::AlreadyClaimed => TaskError::AlreadyClaimed,
        No::WindowTooLong => TaskError::WindowTooLong,
        No::TaskPaused => TaskError::TaskPaused,
        No::NotPaused => TaskError::NotPaused,
        No::NotRetired => TaskError::NotRetired,
        No::GateClosed => TaskError::GateClosed,
        No::VotesAreCommitted => TaskError::VotesAreCommitted,
        No::VotesAreOpen => TaskError::VotesAreOpen,
        No::CommitmentMissing => TaskError::CommitmentMissing,
        No::CommitmentMismatch => TaskError::CommitmentMismatch,
        No::AlreadyRevealed => TaskError::AlreadyRevealed,
        No::RoundUndecided => TaskError::RoundUndecided,
        No::ConvictedEarnsNothing => TaskError::ConvictedEarnsNothing,
        No::AlreadyPaid => TaskError::AlreadyPaid,
        No::NotEmpty => TaskError::NotEmpty,
        No::WrongPayer => TaskError::WrongPayer,
        No::SlashFloorsToZero => TaskError::SlashFloorsToZero,
        No::BonusFloorsToZero => TaskError::BonusFloorsToZero,
        No::PledgeOverMinimum => TaskError::PledgeOverMinimum,
        No::QuorumOverHalf => TaskError::QuorumOverHalf,
        No::GateOnItself => TaskError::GateOnItself,
        No::NotReleased => TaskError::NotReleased,
        No::PanelTooSmall => TaskError::PanelTooSmall,
        No::PanelWithoutAppeal => TaskError::PanelWithoutAppeal,
        No::PanelWindowTooShort => TaskError::PanelWindowTooShort,
        No::QuorumOverPanel => TaskError::QuorumOverPanel,
        No::AppealBondZero => TaskError::AppealBondZero,
        No::SecretHashMissing => TaskError::SecretHashMissing,
        No::EvidenceHashMissing => TaskError::EvidenceHashMissing,
        No::NoPanel => TaskError::NoPanel,
        No::AlreadyDrawn => TaskError::AlreadyDrawn,
        No::DrawTooEarly => TaskError::DrawTooEarly,
        No::DrawTooLate => TaskError::DrawTooLate,
        No::SecretMismatch => TaskError::SecretMismatch,
        No::PanelNotDrawn => TaskError::PanelNotDrawn,
        No::NotSeated => TaskError::NotSeated,
        No::AppealClosed => TaskError::AppealClosed,
        No::AlreadyAppealed => TaskError::AlreadyAppealed,
        No::AppealOpen => TaskError::AppealOpen,
        No::StakeAtRisk => TaskError::StakeAtRisk,
        No::RevealWindowMissed => TaskError::RevealWindowMissed,
    };
    let ProgramError::Custom(code) = error.into() else {
        unreachable!("the program's errors are custom")
    };
    InstructionError::Custom(code)
}

/// The accounts that an instruction names: no other can have changed.
fn named(ix: &Ix) -> Vec<Id> {
    let mut ids: Vec<Id> = ix.nodes().into_iter().map(Id::Node).collect();
    ids.extend(match *ix {
        Ix::CreateTask { task, .. }
        | Ix::FundTask { task, .. }
        | Ix::PauseTask { task, .. }
        | Ix::ResumeTask { task, .. }
        | Ix::RetireTask { task, .. }
        | Ix::CloseTask { task, .. }
        | Ix::AddStake { task, .. }
        | Ix::Restake { task, .. }
        | Ix::RequestLeave { task, .. }
        | Ix::CancelLeave { task, .. }
        | Ix::Withdraw { task, .. }
        | Ix::ReturnStake { task, .. }
        | Ix::CloseNode { task, .. } => vec![Id::Task(task)],
        Ix::AllowNode { entry, .. } => vec![Id::Task(entry.task), Id::Entry(entry)],
        Ix::DisallowNode { task, entry, .. } => vec![Id::Task(task), Id::Entry(entry)],
        Ix::JoinTask { node, .. } => vec![Id::Task(node.task)],
        Ix::SetOperator { .. } => vec![],
        Ix::DrawPanel { audit, .. } => vec![Id::Audit(audit)],
        Ix::AppealAudit { task, audit, .. } => vec![Id::Task(task), Id::Audit(audit)],
        Ix::SubmitWork {
            task,
            node,
            round,
            number,
            ..
        } => {
            let submission = SubmissionId {
                round: RoundId { task, number },
                owner: node.owner,
            };
            vec![Id::Task(task), Id::Round(round), Id::Submission(submission)]
        }
        Ix::OpenAudit {
            task,
            submission,
            round,
            initiator,
            index,
            ..
        } => vec![
            Id::Task(task),
            Id::Submission(submission),
            Id::Round(round),
            Id::Audit(AuditId {
                submission,
                initiator: initiator.owner,
                index,
            }),
        ],
        Ix::CastVote {
            task, audit, node, ..
        }
        | Ix::CommitVote {
            task, audit, node, ..
        } => {
            let vote = VoteId {
                audit,
                voter: node.owner,
            };
            vec![Id::Task(task), Id::Audit(audit), Id::Vote(vote)]
        }
        Ix::RevealVote { audit, vote, .. } | Ix::CloseVote { audit, vote, .. } => {
            vec![Id::Audit(audit), Id::Vote(vote)]
        }
        Ix::ResolveAudit {
            task,
            audit,
            submission,
            round,
            ..
        } => vec![
            Id::Task(task),
            Id::Audit(audit),
            Id::Submission(submission),
            Id::Round(round),
        ],
        Ix::ClaimVote {
            task, audit, vote, ..
        } => vec![Id::Task(task), Id::Audit(audit), Id::Vote(vote)],
        Ix::ClaimBounty {
            task,
            round,
            submission,
            ..
        } => vec![Id::Task(task), Id::Round(round), Id::Submission(submission)],
        Ix::CloseAudit {
            submission, audit, ..
        } => vec![Id::Submission(submission), Id::Audit(audit)],
        Ix::CloseSubmission {
            round, submission, ..
        } => vec![Id::Round(round), Id::Submission(submission)],
        Ix::CloseRound { task, round, .. } => vec![Id::Task(task), Id::Round(round)],
    });
    ids
}

/// Facts by the model; `None` where it has no such account.
fn facts_of(world: &World, id: Id) -> Option<Facts> {
    fn n(value: impl Into<u128>) -> u128 {
        value.into()
    }
    let of = |count: usize| count as u128;
    Some(match id {
        Id::Vault(_) => unreachable!("compared by balance"),
        Id::Task(at) => {
            let task = world.tasks.get(&at)?;
            let now = world.electorate(at, None);
            let before = world.others_before(at, None);
            vec![
                ("creator", n(creator(at))),
                ("payer", n(task.payer)),
                ("mint", 1),
                ("vault", 1),
                ("id", n(number(at))),
                ("start", n(task.start)),
                ("rules", 1),
                ("functions", 1),
                ("pool", n(task.pool)),
                ("stake that can vote", now.stake),
                ("nodes that can vote", now.nodes),
                ("stake that could", before.stake),
                ("nodes that could", before.nodes),
                (
                    "nodes",
                    of(world.nodes.keys().filter(|id| id.task == at).count()),
                ),
                (
                    "rounds",
                    of(world.rounds.keys().filter(|id| id.task == at).count()),
                ),
                (
                    "entries",
                    of(world.entries.keys().filter(|id| id.task == at).count()),
                ),
                ("status", task.status as u128),
                ("retired", n(task.retired)),
            ]
        }
        Id::Node(id) => {
            let node = world.nodes.get(&id)?;
            let before = world.own_before(id);
            let mut facts = vec![
                ("task", 1),
                ("owner", n(id.owner)),
                ("operator", n(node.operator)),
                ("payer", n(node.payer)),
                ("role", n(node.role)),
                ("joined", n(node.joined)),
                ("stake", n(node.stake)),
                ("leaving", n(node.leaving)),
                ("leave slot", n(node.leave_slot)),
                ("could vote with", before.stake),
                ("could vote", before.nodes),
                ("bonds", n(world.bonds(id))),
                ("commitments", of(world.commitments(id))),
                ("locked", n(node.boxes[0].0)),
                ("locked until", n(node.boxes[0].1)),
                ("locked next", n(node.boxes[1].0)),
                ("locked next until", n(node.boxes[1].1)),
                ("payable", n(node.payable)),
                ("open audits", of(world.open_audits(id))),
                ("risk", n(world.risk(id))),
                ("live", of(world.live(id))),
                ("submissions", n(node.submissions)),
                ("rounds paid", n(node.rounds_paid)),
                (
                    "convictions of downtime",
                    of(node.convictions(Outcome::Downtime)),
                ),
                (
                    "convictions of malice",
                    of(node.convictions(Outcome::Malice)),
                ),
                ("audits", n(node.audits)),
                ("with majority", n(node.with_majority)),
                ("against majority", n(node.against_majority)),
                ("unrevealed", n(node.unrevealed)),
            ];
            facts.extend(told_apart(CAME, &world.arrivals(id)));
            facts.extend(told_apart(ASKED, &node.asked.parts));
            facts.extend(told_apart(ASKED_YOUNG, &node.asked.young));
            facts.extend(told_apart(SLASHED, &node.slashed.parts));
            facts.extend(told_apart(SLASHED_YOUNG, &node.slashed.young));
            facts
        }
        Id::Round(id) => {
            let round = world.rounds.get(&id)?;
            vec![
                ("task", 1),
                ("payer", n(round.payer)),
                ("number", n(id.number)),
                ("reserve", n(round.reserve)),
                ("left", n(round.left)),
                ("submissions", n(round.submissions)),
                ("convictions", of(round.convicted.len())),
                ("paid", n(round.paid)),
                ("open audits", of(world.open_in_round(id))),
                ("live", of(world.live_submissions(id))),
            ]
        }
        Id::Submission(id) => {
            let submission = world.submissions.get(&id)?;
            vec![
                ("task", 1),
                ("owner", n(id.owner)),
                ("payer", n(submission.payer)),
                ("payload", 1),
                ("round", n(id.round.number)),
                ("slot", n(submission.slot)),
                ("others' stake", submission.others.stake),
                ("others", submission.others.nodes),
                ("seats out of", submission.seat_stake),
                ("audits", n(submission.audits)),
                ("decided", of(submission.outcomes.len())),
                ("live audits", of(world.live_audits(id))),
                ("slashed", n(submission.slashed)),
                ("paid", n(submission.paid)),
                ("status", n(world.submission_status(id))),
            ]
        }
        Id::Audit(id) => {
            let audit = world.audits.get(&id)?;
            let votes = |opinion: u8| audit.ballots.iter().filter(move |one| one.0 == opinion);
            let nodes = |opinion: u8| of(votes(opinion).count());
            let stake = |opinion: u8| votes(opinion).map(|one| n(one.1)).sum();
            vec![
                ("task", 1),
                ("submission", 1),
                ("initiator", n(id.initiator)),
                ("accused", n(audit.accused)),
                ("payer", n(audit.payer)),
                ("submission slot", n(audit.submission_slot)),
                ("opened", n(audit.opened)),
                ("reveal", n(audit.reveal)),
                ("end", n(audit.end)),
                ("accused's stake", n(audit.accused_stake)),
                ("eligible stake", audit.eligible.stake),
                ("eligible nodes", audit.eligible.nodes),
                ("seats out of", audit.seat_stake),
                ("evidence", n(audit.evidence)),
                ("secret", 1),
                ("draw", n(audit.draw_slot)),
                ("drawn", n(audit.seed.is_some())),
                ("seed", 1),
                (
                    "appellant",
                    audit.appeal.map_or(u128::MAX, |one| n(one.appellant)),
                ),
                ("appealed", audit.appeal.map_or(0, |one| n(one.slot))),
                (
                    "first outcome",
                    audit.appeal.map_or(0, |one| one.first as u128),
                ),
                ("initiator's stake", n(audit.ballots[0].1)),
                ("bond", n(audit.bond)),
                ("deposit", n(audit.deposit)),
                ("valid", nodes(0)),
                ("downtime", nodes(1)),
                ("malice", nodes(2)),
                ("valid stake", stake(0)),
                ("downtime stake", stake(1)),
                ("malice stake", stake(2)),
                ("pot", n(audit.pot)),
                ("pot's weight", n(audit.pot_weight)),
                ("pot left", n(audit.pot_left)),
                ("unclaimed", of(world.unclaimed(id))),
                ("live votes", of(world.votes_of(id).count())),
                ("rules", 1),
                ("accusation", n(audit.accusation)),
                ("outcome", audit.outcome as u128),
                ("index", n(id.index)),
                ("attempt", n(audit.attempt)),
            ]
        }
        Id::Vote(id) => {
            let vote = world.votes.get(&id)?;
            vec![
                ("audit", 1),
                ("owner", n(id.voter)),
                ("payer", n(vote.payer)),
                ("commitment", 1),
                ("weight", n(vote.weight)),
                ("opinion", n(vote.opinion.unwrap_or(0))),
                ("state", vote.state as u128),
                ("on appeal", n(vote.on_appeal)),
            ]
        }
        Id::Entry(id) => {
            let payer = world.entries.get(&id)?;
            vec![
                ("task", 1),
                ("owner", n(id.owner)),
                ("payer", n(*payer)),
                ("role", n(id.role)),
            ]
        }
    })
}

macro_rules! places {
    ($what:literal) => {
        [
            [
                concat!("first ", $what, "'s slot"),
                concat!("first ", $what),
            ],
            [
                concat!("second ", $what, "'s slot"),
                concat!("second ", $what),
            ],
            [
                concat!("third ", $what, "'s slot"),
                concat!("third ", $what),
            ],
            [
                concat!("fourth ", $what, "'s slot"),
                concat!("fourth ", $what),
            ],
        ]
    };
}

type Places = [[&'static str; 2]; ARRIVALS];
const CAME: Places = places!("arrival");
const SLASHED: Places = places!("slash");
const ASKED: Places = places!("request to leave");
const ASKED_YOUNG: Places = places!("young part that asked");
const SLASHED_YOUNG: Places = places!("young part that was slashed");

/// Slot and amount in each of four places; zeros where one is empty.
fn told_apart(places: Places, amounts: &[(Slot, u64)]) -> Facts {
    assert!(amounts.len() <= ARRIVALS, "a place for each");
    let mut facts = vec![];
    for (at, [slot, amount]) in places.into_iter().enumerate() {
        let (when, what) = amounts.get(at).copied().unwrap_or_default();
        facts.extend([(slot, when.into()), (amount, what.into())]);
    }
    facts
}

/// The same of an account.
fn noted(places: &[state::Arrival]) -> Vec<(Slot, u64)> {
    let all = places.iter().map(|one| (one.slot.get(), one.amount.get()));
    all.filter(|(_, amount)| *amount > 0).collect()
}

impl Chain {
    fn key_of(&self, address: &Address) -> u128 {
        self.keys
            .iter()
            .position(|key| key == address)
            .map_or(u128::MAX, |at| at as u128)
    }

    fn read<T: AccountDeserialize>(&self, id: Id) -> Option<T> {
        let account = self.svm.get_account(&self.address(id))?;
        if account.owner != ID {
            assert!(account.data.is_empty(), "{id:?} is nobody's");
            return None;
        }
        Some(T::try_deserialize(&mut account.data.as_slice()).expect("an account of that kind"))
    }

    /// Whether the rules on chain are those the task was made with.
    fn same_rules(&self, rules: &state::Rules, expected: &Rules) -> bool {
        let same_gate = |at: &state::Gate, of: Gate| {
            let of = gate(self, of);
            at.kind.0 == of.kind
                && at.key == of.key
                && at.least.get() == of.least
                && at.most.get() == of.most
        };
        let slots = [
            rules.round_slots,
            rules.submission_slots,
            rules.audit_slots,
            rules.commit_slots,
            rules.reveal_slots,
            rules.leave_delay_slots,
            rules.worker_min_stake,
            rules.witness_min_stake,
            rules.bounty_per_round,
            rules.initiator_bond,
            rules.vote_deposit,
            rules.appeal_slots,
            rules.appeal_bond,
        ];
        let expected_slots = [
            expected.round,
            expected.submission,
            expected.audit,
            expected.commit,
            expected.reveal,
            expected.leave_delay,
            expected.min_stake[0],
            expected.min_stake[1],
            expected.bounty,
            expected.bond,
            expected.deposit,
            expected.appeal,
            expected.appeal_bond,
        ];
        slots.map(|slot| slot.get()) == expected_slots
            && self.same_case(&rules.case, expected)
            && same_gate(&rules.worker_gate, expected.gates[0])
            && same_gate(&rules.witness_gate, expected.gates[1])
    }

    fn same_case(&self, case: &state::CaseRules, expected: &Rules) -> bool {
        let shares = [
            case.quorum_bps,
            case.downtime_bps,
            case.malice_bps,
            case.initiator_bonus_bps,
            case.pool_bps,
            case.panel_seats,
        ];
        let expected_shares = [
            expected.quorum_bps,
            expected.downtime_bps,
            expected.malice_bps,
            expected.bonus_bps,
            expected.pool_bps,
            expected.seats,
        ];
        case.quorum_votes.get() == expected.quorum_votes
            && shares.map(|share| share.get()) == expected_shares
            && case.vote_weight.0 == expected.weight
            && case.reward_rule.0 == expected.reward
    }

    /// Facts by the chain.
    fn facts(&self, world: &World, id: Id) -> Option<Facts> {
        let is = |address: &Address, id: Id| u128::from(*address == self.address(id));
        let key = |address: &Address| self.key_of(address);
        macro_rules! n {
            ($field:expr) => {
                u128::from($field.get())
            };
        }
        Some(match id {
            Id::Vault(_) => unreachable!("compared by balance"),
            Id::Task(at) => {
                let task: state::Task = self.read(id)?;
                let rules = &world.tasks.get(&at)?.rules;
                let before = if task.before_slot.get() == world.slot {
                    task.before
                } else {
                    task.electorate
                };
                let functions =
                    task.audit_function.hash == [1; 32] && task.task_function.hash == [2; 32];
                vec![
                    ("creator", key(&task.creator)),
                    ("payer", key(&task.payer)),
                    ("mint", u128::from(task.mint == self.mint)),
                    ("vault", is(&task.vault, Id::Vault(at))),
                    ("id", n!(task.id)),
                    ("start", n!(task.start_slot)),
                    ("rules", self.same_rules(&task.rules, rules).into()),
                    ("functions", functions.into()),
                    ("pool", n!(task.pool)),
                    ("stake that can vote", n!(task.electorate.stake)),
                    ("nodes that can vote", n!(task.electorate.nodes)),
                    ("stake that could", n!(before.stake)),
                    ("nodes that could", n!(before.nodes)),
                    ("nodes", n!(task.nodes)),
                    ("rounds", n!(task.rounds)),
                    ("entries", n!(task.entries)),
                    ("status", task.status.0.into()),
                    ("retired", n!(task.retired_slot)),
                ]
            }
            Id::Node(of) => {
                let node: state::Node = self.read(id)?;
                let rules = &world.tasks.get(&of.task)?.rules;
                let before = if node.before_slot.get() == world.slot {
                    (n!(node.before.stake), n!(node.before.nodes))
                } else {
                    let active = n!(node.stake) - n!(node.leaving);
                    let least = rules.min_stake[usize::from(node.role.0)];
                    if active >= least.into() {
                        (active, 1)
                    } else {
                        (0, 0)
                    }
                };
                // No vote asks about older ones.
                let mut came = noted(&node.arrivals);
                came.retain(|(slot, _)| slot + rules.longest_case() > world.slot);
                let mut facts = vec![
                    ("task", is(&node.task, Id::Task(of.task))),
                    ("owner", key(&node.owner)),
                    ("operator", key(&node.operator)),
                    ("payer", key(&node.payer)),
                    ("role", node.role.0.into()),
                    ("joined", n!(node.joined_slot)),
                    ("stake", n!(node.stake)),
                    ("leaving", n!(node.leaving)),
                    ("leave slot", n!(node.leave_slot)),
                    ("could vote with", before.0),
                    ("could vote", before.1),
                    ("bonds", n!(node.bonds)),
                    ("commitments", n!(node.commitments)),
                    ("locked", n!(node.locked)),
                    ("locked until", n!(node.locked_until)),
                    ("locked next", n!(node.locked_next)),
                    ("locked next until", n!(node.locked_next_until)),
                    ("payable", n!(node.payable)),
                    ("open audits", n!(node.open_audits)),
                    ("risk", n!(node.risk)),
                    ("live", n!(node.live)),
                    ("submissions", n!(node.submissions)),
                    ("rounds paid", n!(node.rounds_paid)),
                    ("convictions of downtime", n!(node.convictions_downtime)),
                    ("convictions of malice", n!(node.convictions_malice)),
                    ("audits", n!(node.audits)),
                    ("with majority", n!(node.votes_with_majority)),
                    ("against majority", n!(node.votes_against_majority)),
                    ("unrevealed", n!(node.votes_unrevealed)),
                ];
                facts.extend(told_apart(CAME, &came));
                let (asked, slashed) = (&node.asked_to_leave, &node.slashed);
                facts.extend(told_apart(ASKED, &noted(&asked.parts)));
                facts.extend(told_apart(ASKED_YOUNG, &noted(&asked.young)));
                facts.extend(told_apart(SLASHED, &noted(&slashed.parts)));
                facts.extend(told_apart(SLASHED_YOUNG, &noted(&slashed.young)));
                facts
            }
            Id::Round(of) => {
                let round: state::Round = self.read(id)?;
                vec![
                    ("task", is(&round.task, Id::Task(of.task))),
                    ("payer", key(&round.payer)),
                    ("number", n!(round.number)),
                    ("reserve", n!(round.reserve)),
                    ("left", n!(round.left)),
                    ("submissions", n!(round.submissions)),
                    ("convictions", n!(round.convictions)),
                    ("paid", n!(round.paid)),
                    ("open audits", n!(round.open_audits)),
                    ("live", n!(round.live_submissions)),
                ]
            }
            Id::Submission(of) => {
                let submission: state::Submission = self.read(id)?;
                vec![
                    ("task", is(&submission.task, Id::Task(of.round.task))),
                    ("owner", key(&submission.owner)),
                    ("payer", key(&submission.payer)),
                    ("payload", (submission.payload_hash == [7; 32]).into()),
                    ("round", n!(submission.round)),
                    ("slot", n!(submission.slot)),
                    ("others' stake", n!(submission.others.stake)),
                    ("others", n!(submission.others.nodes)),
                    ("seats out of", n!(submission.seat_stake)),
                    ("audits", n!(submission.audits)),
                    ("decided", n!(submission.decided)),
                    ("live audits", n!(submission.live_audits)),
                    ("slashed", n!(submission.slashed)),
                    ("paid", n!(submission.paid)),
                    ("status", submission.status.0.into()),
                ]
            }
            Id::Audit(of) => {
                let audit: state::Audit = self.read(id)?;
                let rules = &world.tasks.get(&of.task())?.rules;
                let expected = world.audits.get(&of)?;
                let [valid, downtime, malice] = audit.votes.nodes.map(|votes| n!(votes));
                let [valid_stake, downtime_stake, malice_stake] =
                    audit.votes.stake.map(|stake| n!(stake));
                vec![
                    ("task", is(&audit.task, Id::Task(of.task()))),
                    (
                        "submission",
                        is(&audit.submission, Id::Submission(of.submission)),
                    ),
                    ("initiator", key(&audit.initiator)),
                    ("accused", key(&audit.accused)),
                    ("payer", key(&audit.payer)),
                    ("submission slot", n!(audit.submission_slot)),
                    ("opened", n!(audit.open_slot)),
                    ("reveal", n!(audit.reveal_slot)),
                    ("end", n!(audit.end_slot)),
                    ("accused's stake", n!(audit.accused_stake)),
                    ("eligible stake", n!(audit.eligible.stake)),
                    ("eligible nodes", n!(audit.eligible.nodes)),
                    ("seats out of", n!(audit.seat_stake)),
                    ("evidence", (audit.evidence_hash == [5; 32]).into()),
                    (
                        "secret",
                        (audit.secret_hash == hidden(expected.secret)).into(),
                    ),
                    ("draw", n!(audit.draw_slot)),
                    ("drawn", (audit.seed != [0; 32]).into()),
                    (
                        "seed",
                        (audit.seed == expected.seed.unwrap_or_default()).into(),
                    ),
                    ("appellant", key(&audit.appellant)),
                    ("appealed", n!(audit.appeal_slot)),
                    ("first outcome", audit.first_outcome.0.into()),
                    ("initiator's stake", n!(audit.initiator_stake)),
                    ("bond", n!(audit.bond)),
                    ("deposit", n!(audit.vote_deposit)),
                    ("valid", valid),
                    ("downtime", downtime),
                    ("malice", malice),
                    ("valid stake", valid_stake),
                    ("downtime stake", downtime_stake),
                    ("malice stake", malice_stake),
                    ("pot", n!(audit.voters_pot)),
                    ("pot's weight", n!(audit.voters_weight)),
                    ("pot left", n!(audit.voters_left)),
                    ("unclaimed", n!(audit.unclaimed)),
                    ("live votes", n!(audit.live_votes)),
                    ("rules", self.same_case(&audit.rules, rules).into()),
                    ("accusation", audit.accusation.0.into()),
                    ("outcome", audit.outcome.0.into()),
                    ("index", n!(audit.index)),
                    ("attempt", n!(audit.attempt)),
                ]
            }
            Id::Vote(of) => {
                let vote: state::Vote = self.read(id)?;
                let sealed = world.votes.get(&of).and_then(|vote| vote.sealed);
                vec![
                    ("audit", is(&vote.audit, Id::Audit(of.audit))),
                    ("owner", key(&vote.owner)),
                    ("payer", key(&vote.payer)),
                    ("commitment", (vote.commitment == self.seal(sealed)).into()),
                    ("weight", n!(vote.weight)),
                    ("opinion", vote.opinion.0.into()),
                    ("state", vote.state.0.into()),
                    ("on appeal", vote.on_appeal.get().into()),
                ]
            }
            Id::Entry(of) => {
                let entry: AllowEntry = self.read(id)?;
                vec![
                    ("task", is(&entry.task, Id::Task(of.task))),
                    ("owner", key(&entry.owner)),
                    ("payer", key(&entry.payer)),
                    ("role", entry.role.into()),
                ]
            }
        })
    }

    fn compare_account(&self, world: &World, id: Id) -> Result<(), String> {
        let (model, chain) = (facts_of(world, id), self.facts(world, id));
        let (model, chain) = match (model, chain) {
            (None, None) => return Ok(()),
            (Some(model), Some(chain)) => (model, chain),
            (None, _) => return Err(format!("{id:?} is there, and should not be")),
            (_, None) => return Err(format!("{id:?} is not there, and should be")),
        };
        assert_eq!(model.len(), chain.len(), "as many facts");
        let differences: Vec<_> = model
            .iter()
            .zip(&chain)
            .filter(|(model, chain)| model != chain)
            .map(|((name, model), (_, chain))| {
                format!("{name}: {model} by the model, {chain} on chain")
            })
            .collect();
        if differences.is_empty() {
            Ok(())
        } else {
            Err(format!("{id:?}: {}", differences.join("; ")))
        }
    }

    /// Start slot of a task as a joiner reads it; 0 where there is none.
    fn start_slot(&self, task: u8) -> u64 {
        self.svm
            .get_account(&self.address(Id::Task(task)))
            .and_then(|account| {
                securing_tasks::Task::try_deserialize(&mut account.data.as_slice()).ok()
            })
            .map_or(0, |task| task.start_slot.get())
    }

    fn tokens(&self, address: &Address) -> u64 {
        self.svm.get_account(address).map_or(0, |account| {
            account
                .data
                .get(64..72)
                .map_or(0, |amount| u64::from_le_bytes(amount.try_into().unwrap()))
        })
    }

    fn compare_money(&self, world: &World) -> Result<(), String> {
        for task in 0..TASKS {
            let vault = self.tokens(&self.address(Id::Vault(task)));
            let expected = world.vaults[usize::from(task)];
            if vault != expected {
                return Err(format!(
                    "vault {task} holds {expected} by the model, {vault} on chain"
                ));
            }
        }
        for (wallet, expected) in world.wallets.iter().enumerate() {
            let tokens = self.tokens(&self.wallets[wallet]);
            if tokens != *expected {
                return Err(format!(
                    "wallet {wallet} holds {expected} by the model, {tokens} on chain"
                ));
            }
        }
        for (key, expected) in world.lamports.iter().enumerate() {
            let lamports = self.svm.get_balance(&self.keys[key]).unwrap();
            if lamports != *expected {
                return Err(format!(
                    "key {key} holds {expected} lamports by the model, {lamports} on chain"
                ));
            }
        }
        Ok(())
    }

    /// What the instruction named, and every vault and wallet.
    pub fn compare_named(&self, world: &World, ix: &Ix) -> Result<(), String> {
        for id in named(ix) {
            self.compare_account(world, id)?;
        }
        self.compare_money(world)
    }

    /// Everything.
    pub fn compare_all(&self, world: &World) -> Result<(), String> {
        let ids: BTreeSet<Id> = (world.tasks.keys().map(|id| Id::Task(*id)))
            .chain(world.nodes.keys().map(|id| Id::Node(*id)))
            .chain(world.rounds.keys().map(|id| Id::Round(*id)))
            .chain(world.submissions.keys().map(|id| Id::Submission(*id)))
            .chain(world.audits.keys().map(|id| Id::Audit(*id)))
            .chain(world.votes.keys().map(|id| Id::Vote(*id)))
            .chain(world.entries.keys().map(|id| Id::Entry(*id)))
            .collect();
        for id in &ids {
            self.compare_account(world, *id)?;
        }
        let count = self.svm.get_program_accounts(&ID).len();
        if count != ids.len() {
            return Err(format!(
                "{} accounts by the model, {count} on chain",
                ids.len()
            ));
        }
        for (badge, expected) in &world.badges {
            let tokens = self.tokens(&self.badges[badge]);
            if tokens != *expected {
                return Err(format!(
                    "{badge:?} holds {expected} by the model, {tokens} on chain"
                ));
            }
        }
        self.compare_money(world)
    }
}
