//! A game on LiteSVM with the real bytecode. After every transaction, sent through `Game::send` alone, the vault's balance is
//! compared with the sum of the ledger, and every account with its invariant.

#![allow(dead_code, reason = "each test file uses its own part")]

use ::securing_tasks::{
    accounts,
    constants::{PANEL_TAG, SEAT_TAG},
    instruction,
    math::{panel::is_seated, ratio::bps_floor},
    state::commitment,
    AllowEntry, Audit, Electorate, GateArgs, GateKind, Node, Outcome, RewardRule, Role, Round,
    RulesArgs, Submission, Task, Vote, VoteState, VoteWeight, ID,
};
use anchor_lang::{
    prelude::*,
    solana_program::instruction::{AccountMeta, Instruction},
    AccountDeserialize, InstructionData, ToAccountMetas,
};
use anchor_spl::token_2022::spl_token_2022;
use litesvm::{
    types::{FailedTransactionMetadata, TransactionMetadata},
    LiteSVM,
};
pub use securing_tasks::{constants::MIN_PANEL_WINDOW_SLOTS, error::TaskError};
use solana_account::Account;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer as _;
use solana_slot_hashes::SlotHashes;
use solana_transaction::{InstructionError, Transaction};
use solana_transaction_error::TransactionError;
use std::collections::BTreeMap;

pub const TOKEN: Address = anchor_lang::address!("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
pub const TOKEN_2022: Address =
    anchor_lang::address!("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");
pub const SYSTEM: Address = anchor_lang::address!("11111111111111111111111111111111");

/// What every actor begins with, in base units.
pub const WALLET: u64 = 1_000_000_000;
/// The slot that a game's task is made in: the first of its round 0.
pub const START: u64 = 1_000;

pub type Sent = std::result::Result<TransactionMetadata, Box<FailedTransactionMetadata>>;

/// One owner with its hot key, its wallet and the address of its node.
pub struct Actor {
    pub owner: Keypair,
    pub operator: Keypair,
    /// Token account of the owner.
    pub wallet: Address,
    pub node: Address,
    /// What the actor shows at a gate.
    pub gate_proof: Option<Address>,
    pub gate_mint: Option<Address>,
}

pub struct Game {
    pub svm: LiteSVM,
    pub creator: Keypair,
    pub creator_wallet: Address,
    pub token_program: Address,
    pub mint: Address,
    pub task: Address,
    pub vault: Address,
    pub rules: RulesArgs,
    /// Lamports of fees that each key paid through `send`.
    pub fees: BTreeMap<String, u64>,
}

/// Nobody who could vote.
pub fn none() -> Electorate {
    Electorate {
        stake: 0.into(),
        nodes: 0.into(),
    }
}

pub fn open_gate() -> GateArgs {
    gate(GateKind::Open, Address::default(), 0, 0)
}

pub fn gate(kind: GateKind, key: Address, least: u64, most: u32) -> GateArgs {
    GateArgs {
        kind: kind as u8,
        key,
        least,
        most,
    }
}

/// Rules that most tests play by. All windows fit exactly; by node, all voters rewarded.
pub fn rules() -> RulesArgs {
    RulesArgs {
        round_slots: 1_000,
        submission_slots: 100,
        audit_slots: 300,
        commit_slots: 0,
        reveal_slots: 200,
        leave_delay_slots: 600,
        worker_min_stake: 1_000_000,
        witness_min_stake: 500_000,
        bounty_per_round: 100_000,
        initiator_bond: 200_000,
        vote_deposit: 50_000,
        appeal_slots: 0,
        appeal_bond: 0,
        quorum_votes: 2,
        quorum_bps: 2_000,
        downtime_bps: 1_000,
        malice_bps: 5_000,
        initiator_bonus_bps: 3_000,
        pool_bps: 1_000,
        panel_seats: 0,
        vote_weight: VoteWeight::Node as u8,
        reward_rule: RewardRule::All as u8,
        worker_gate: open_gate(),
        witness_gate: open_gate(),
        allow_large_stake: false,
    }
}

/// The same with appeals: their window is as long as a vote's.
pub fn appealable() -> RulesArgs {
    RulesArgs {
        appeal_slots: 200,
        appeal_bond: 100_000,
        leave_delay_slots: 1_000,
        ..rules()
    }
}

/// Rules by which a panel of three on average is drawn: votes last 528 slots, appeals 200.
pub fn panelled() -> RulesArgs {
    RulesArgs {
        round_slots: 2_000,
        reveal_slots: MIN_PANEL_WINDOW_SLOTS,
        leave_delay_slots: 2_000,
        panel_seats: 3,
        ..appealable()
    }
}

/// What the accusations of these tests draw their panels with.
pub const SECRET: [u8; 32] = [9; 32];

/// SHA-256.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    anchor_lang::prelude::sha256(&parts.concat())
}

/// The hash of the block of a slot on the machines of these tests.
pub fn block_hash(slot: u64) -> [u8; 32] {
    sha256(&[b"block", &slot.to_le_bytes()])
}

/// Makes the machine remember the blocks before its slot, at most 512, without those that `skipped` says.
pub fn remember_blocks(svm: &mut LiteSVM, skipped: impl Fn(u64) -> bool) {
    let slot = svm.get_sysvar::<solana_clock::Clock>().slot;
    let blocks: Vec<_> = (0..slot)
        .rev()
        .filter(|slot| !skipped(*slot))
        .take(512)
        .map(|slot| (slot, block_hash(slot).into()))
        .collect();
    svm.set_sysvar(&SlotHashes::new(&blocks));
}

/// The seed that a draw with `secret` and the block of `slot` comes to.
pub fn panel_seed(audit: &Address, secret: &[u8; 32], slot: u64) -> [u8; 32] {
    sha256(&[PANEL_TAG, audit.as_ref(), secret, &block_hash(slot)])
}

/// Whether an audit's drawn panel has a seat for a node of this owner and weight in base units.
pub fn has_seat(audit: &Audit, owner: &Address, weight: u64) -> bool {
    let hash = sha256(&[SEAT_TAG, &audit.seed, owner.as_ref()]);
    is_seated(
        u64::from_le_bytes(hash[..8].try_into().unwrap()),
        weight,
        audit.rules.panel_seats.get(),
        audit.seat_stake.get(),
    )
}

/// The built program; `SECURING_TASKS_PROGRAM` names another file, for a mutant.
pub fn program_bytes() -> Vec<u8> {
    let path = std::env::var("SECURING_TASKS_PROGRAM").unwrap_or_else(|_| {
        concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../target/deploy/securing_tasks.so"
        )
        .into()
    });
    std::fs::read(&path)
        .unwrap_or_else(|_| panic!("{path} is not there; build the program first: npm run program"))
}

/// A machine with the program, at `START`.
pub fn machine() -> LiteSVM {
    let mut svm = LiteSVM::new();
    svm.add_program(ID, &program_bytes()).unwrap();
    svm.warp_to_slot(START);
    svm
}

pub fn pda(seeds: &[&[u8]]) -> Address {
    Address::find_program_address(seeds, &ID).0
}

pub fn task_address(creator: &Address, id: u64) -> Address {
    pda(&[b"task", creator.as_ref(), &id.to_le_bytes()])
}

pub fn vault_address(task: &Address) -> Address {
    pda(&[b"vault", task.as_ref()])
}

pub fn node_address(task: &Address, owner: &Address) -> Address {
    pda(&[b"node", task.as_ref(), owner.as_ref()])
}

pub fn round_address(task: &Address, number: u64) -> Address {
    pda(&[b"round", task.as_ref(), &number.to_le_bytes()])
}

pub fn allow_address(task: &Address, role: u8, owner: &Address) -> Address {
    pda(&[b"allow", task.as_ref(), &[role], owner.as_ref()])
}

pub fn submission_address(task: &Address, round: u64, owner: &Address) -> Address {
    pda(&[
        b"submission",
        task.as_ref(),
        &round.to_le_bytes(),
        owner.as_ref(),
    ])
}

pub fn audit_address(submission: &Address, initiator: &Address, index: u32) -> Address {
    pda(&[
        b"audit",
        submission.as_ref(),
        initiator.as_ref(),
        &index.to_le_bytes(),
    ])
}

pub fn vote_address(audit: &Address, owner: &Address) -> Address {
    pda(&[b"vote", audit.as_ref(), owner.as_ref()])
}

/// The next of an endless row of keys, the same for every run: bumps, and with them compute units, don't change by chance.
pub fn fresh() -> Keypair {
    use std::cell::Cell;
    thread_local!(static NEXT: Cell<u64> = const { Cell::new(1) });
    let number = NEXT.replace(NEXT.get() + 1);
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    Keypair::new_from_array(seed)
}

/// A funded key.
pub fn key(svm: &mut LiteSVM) -> Keypair {
    let key = fresh();
    svm.airdrop(&key.pubkey(), 10_000_000_000).unwrap();
    key
}

/// A transaction on its own blockhash, paid by the first signer.
pub fn send(svm: &mut LiteSVM, instructions: &[Instruction], signers: &[&Keypair]) -> Sent {
    svm.expire_blockhash();
    let message = Message::new(instructions, Some(&signers[0].pubkey()));
    svm.send_transaction(Transaction::new(signers, message, svm.latest_blockhash()))
        .map_err(Box::new)
}

/// A mint of 6 decimals with the extensions that `extend` initialises.
pub fn make_mint(
    svm: &mut LiteSVM,
    authority: &Keypair,
    token_program: &Address,
    extensions: &[spl_token_2022::extension::ExtensionType],
    extend: impl Fn(&Address) -> Vec<Instruction>,
) -> Address {
    let mint = fresh();
    let space = spl_token_2022::extension::ExtensionType::try_calculate_account_len::<
        spl_token_2022::pod::PodMint,
    >(extensions)
    .unwrap();
    let rent = svm.minimum_balance_for_rent_exemption(space);
    let mut instructions = vec![
        anchor_lang::solana_program::system_instruction::create_account(
            &authority.pubkey(),
            &mint.pubkey(),
            rent,
            space as u64,
            token_program,
        ),
    ];
    instructions.extend(extend(&mint.pubkey()));
    instructions.push(
        spl_token_2022::instruction::initialize_mint2(
            token_program,
            &mint.pubkey(),
            &authority.pubkey(),
            None,
            6,
        )
        .unwrap(),
    );
    send(svm, &instructions, &[authority, &mint]).unwrap();
    mint.pubkey()
}

/// A plain token account of `owner` with `amount`, minted by `authority`.
pub fn make_wallet(
    svm: &mut LiteSVM,
    authority: &Keypair,
    token_program: &Address,
    mint: &Address,
    owner: &Address,
    amount: u64,
) -> Address {
    let wallet = fresh();
    let space = 165;
    let rent = svm.minimum_balance_for_rent_exemption(space);
    let mut instructions = vec![
        anchor_lang::solana_program::system_instruction::create_account(
            &authority.pubkey(),
            &wallet.pubkey(),
            rent,
            space as u64,
            token_program,
        ),
        spl_token_2022::instruction::initialize_account3(
            token_program,
            &wallet.pubkey(),
            mint,
            owner,
        )
        .unwrap(),
    ];
    if amount > 0 {
        instructions.push(
            spl_token_2022::instruction::mint_to(
                token_program,
                mint,
                &wallet.pubkey(),
                &authority.pubkey(),
                &[],
                amount,
            )
            .unwrap(),
        );
    }
    send(svm, &instructions, &[authority, &wallet]).unwrap();
    wallet.pubkey()
}

/// Base units in a token account.
pub fn balance(svm: &LiteSVM, wallet: &Address) -> u64 {
    let data = svm
        .get_account(wallet)
        .expect("the token account exists")
        .data;
    u64::from_le_bytes(data[64..72].try_into().unwrap())
}

/// The arguments of `create_task` in one place.
pub fn create_task_data(id: u64, rules: &RulesArgs) -> Vec<u8> {
    instruction::CreateTask {
        id,
        rules: rules.clone(),
        audit_function_hash: [1; 32],
        audit_function_uri: "ipfs://audit".into(),
        task_function_hash: [2; 32],
        task_function_uri: "ipfs://work".into(),
    }
    .data()
}

pub fn create_task_accounts(
    creator: &Address,
    id: u64,
    mint: &Address,
    token_program: &Address,
) -> accounts::CreateTask {
    let task = task_address(creator, id);
    accounts::CreateTask {
        payer: *creator,
        creator: *creator,
        task,
        mint: *mint,
        vault: vault_address(&task),
        token_program: *token_program,
        system_program: SYSTEM,
    }
}

pub fn instruction(accounts: impl ToAccountMetas, data: Vec<u8>) -> Instruction {
    Instruction {
        program_id: ID,
        accounts: accounts.to_account_metas(None),
        data,
    }
}

/// Points the account that holds `from` to `to`.
pub fn swap(mut instruction: Instruction, from: &Address, to: &Address) -> Instruction {
    let mut found = false;
    for meta in &mut instruction.accounts {
        if meta.pubkey == *from {
            meta.pubkey = *to;
            found = true;
        }
    }
    assert!(found, "the account to swap is not in the instruction");
    instruction
}

/// Asserts that the program refused with this error of its own.
#[track_caller]
pub fn refused(sent: Sent, error: TaskError) {
    let ProgramError::Custom(code) = error.into() else {
        unreachable!("the program's errors are custom")
    };
    assert_eq!(failure(sent), InstructionError::Custom(code));
}

/// The error that ended the transaction's last instruction.
#[track_caller]
pub fn failure(sent: Sent) -> InstructionError {
    match sent.expect_err("the transaction should have failed").err {
        TransactionError::InstructionError(_, error) => error,
        other => panic!("not an instruction's error: {other:?}"),
    }
}

impl Game {
    /// A task of `rules` in a Token mint.
    pub fn new(rules: RulesArgs) -> Self {
        Self::with_token(rules, TOKEN)
    }

    pub fn with_token(rules: RulesArgs, token_program: Address) -> Self {
        let mut game = Self::before_creation(rules, token_program);
        game.create_task().unwrap();
        game
    }

    /// A mint and a creator, and no task yet.
    pub fn unborn(rules: RulesArgs) -> Self {
        Self::before_creation(rules, TOKEN)
    }

    fn before_creation(rules: RulesArgs, token_program: Address) -> Self {
        let mut svm = machine();
        let creator = key(&mut svm);
        let mint = make_mint(&mut svm, &creator, &token_program, &[], |_| vec![]);
        let creator_wallet = make_wallet(
            &mut svm,
            &creator,
            &token_program,
            &mint,
            &creator.pubkey(),
            WALLET,
        );
        let task = task_address(&creator.pubkey(), 0);
        Self {
            svm,
            creator,
            creator_wallet,
            token_program,
            mint,
            task,
            vault: vault_address(&task),
            rules,
            fees: BTreeMap::new(),
        }
    }

    /// Makes the task.
    pub fn create_task(&mut self) -> Sent {
        let create = instruction(
            create_task_accounts(&self.creator.pubkey(), 0, &self.mint, &self.token_program),
            create_task_data(0, &self.rules),
        );
        self.by_anyone(create)
    }

    /// Sends, then checks the whole ledger, whether the transaction passed or failed.
    pub fn send(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Sent {
        let sent = send(&mut self.svm, instructions, signers);
        let fee = match &sent {
            Ok(meta) => meta.fee,
            Err(failed) => failed.meta.fee,
        };
        *self
            .fees
            .entry(signers[0].pubkey().to_string())
            .or_default() += fee;
        self.check_ledger();
        sent
    }

    pub fn slot(&self) -> u64 {
        self.svm.get_sysvar::<solana_clock::Clock>().slot
    }

    pub fn warp(&mut self, slot: u64) {
        assert!(slot >= self.slot(), "time goes forward");
        self.svm.warp_to_slot(slot);
    }

    /// An account of the program.
    pub fn get<T: AccountDeserialize>(&self, address: &Address) -> T {
        let account = self.svm.get_account(address).expect("the account exists");
        T::try_deserialize(&mut account.data.as_slice()).expect("an account of that kind")
    }

    pub fn task(&self) -> Task {
        self.get(&self.task)
    }

    pub fn node(&self, actor: &Actor) -> Node {
        self.get(&actor.node)
    }

    /// Every account of one kind.
    fn all<T: AccountDeserialize>(&self) -> Vec<(Address, T)> {
        self.svm
            .get_program_accounts(&ID)
            .into_iter()
            .filter_map(|(address, account)| {
                Some((
                    address,
                    T::try_deserialize(&mut account.data.as_slice()).ok()?,
                ))
            })
            .collect()
    }

    /// Vault = ledger for every task, totals = their parts, and every invariant.
    pub fn check_ledger(&self) {
        let (nodes, audits, votes) = (self.all::<Node>(), self.all::<Audit>(), self.all::<Vote>());
        let (rounds, submissions, entries) = (
            self.all::<Round>(),
            self.all::<Submission>(),
            self.all::<AllowEntry>(),
        );
        for (task_address, task) in self.all::<Task>() {
            task.invariant().unwrap();
            let mut ledger = task.pool.get();
            let (mut electorate, mut count) = (none(), 0);
            for (_, node) in nodes.iter().filter(|(_, node)| node.task == task_address) {
                node.invariant().unwrap();
                ledger += node.stake.get()
                    + node.locked.get()
                    + node.locked_next.get()
                    + node.payable.get();
                let active = node.stake.get() - node.leaving.get();
                if active >= node.min_stake(&task.rules) {
                    electorate = electorate.with(&Electorate::of(active)).unwrap();
                }
                count += 1;
                let (mut bonds, mut commitments, mut open, mut appeals) = (0, 0, 0, 0);
                for (address, audit) in &audits {
                    if audit.task != task_address {
                        continue;
                    }
                    if audit.initiator == node.owner && audit.outcome == Outcome::Open {
                        bonds += audit.bond.get();
                    }
                    if audit.appellant == node.owner && audit.outcome == Outcome::Open {
                        bonds += task.rules.appeal_bond.get();
                        appeals += 1;
                    }
                    if audit.accused == node.owner && audit.outcome == Outcome::Open {
                        open += 1;
                        let most = bps_floor(
                            audit.accused_stake.get(),
                            audit.rules.malice_bps.get().into(),
                        );
                        assert!(node.risk.get() >= most.unwrap(), "what an audit may take");
                    }
                    let committed = votes.iter().filter(|(_, vote)| {
                        vote.audit == *address
                            && vote.owner == node.owner
                            && vote.state == VoteState::Committed
                    });
                    commitments += committed.count();
                }
                assert_eq!(node.bonds.get(), bonds, "bonds of a node's accusations");
                assert_eq!(
                    node.commitments.get() as usize,
                    commitments,
                    "commitments of a node"
                );
                assert_eq!(node.open_audits.get(), open, "audits against a node");
                let live = submissions
                    .iter()
                    .filter(|(_, one)| one.task == task_address && one.owner == node.owner)
                    .count()
                    + audits
                        .iter()
                        .filter(|(_, one)| one.task == task_address && one.initiator == node.owner)
                        .count()
                    + votes
                        .iter()
                        .filter(|(_, vote)| {
                            vote.owner == node.owner
                                && audits
                                    .iter()
                                    .any(|(at, one)| *at == vote.audit && one.task == task_address)
                        })
                        .count()
                    + appeals;
                assert_eq!(
                    node.live.get() as usize,
                    live,
                    "accounts that need the node"
                );
            }
            let mut rounds_here = 0;
            for (_, round) in rounds
                .iter()
                .filter(|(_, round)| round.task == task_address)
            {
                round.invariant().unwrap();
                ledger += round.left.get();
                rounds_here += 1;
                let of_round = |one: &Submission| {
                    one.task == task_address && one.round.get() == round.number.get()
                };
                let live = submissions.iter().filter(|(_, one)| of_round(one)).count();
                assert_eq!(
                    round.live_submissions.get() as usize,
                    live,
                    "submissions of a round"
                );
                let of_round = || submissions.iter().filter(|(_, one)| of_round(one));
                let open: u32 = of_round()
                    .map(|(_, one)| one.audits.get() - one.decided.get())
                    .sum();
                assert_eq!(round.open_audits.get(), open, "open audits of a round");
            }
            assert_eq!(task.rounds.get(), rounds_here, "the task's rounds");
            let entries_here = entries
                .iter()
                .filter(|(_, entry)| entry.task == task_address)
                .count();
            assert_eq!(
                task.entries.get() as usize,
                entries_here,
                "the task's allowlist"
            );
            for (address, audit) in audits
                .iter()
                .filter(|(_, audit)| audit.task == task_address)
            {
                audit.invariant().unwrap();
                let live = votes
                    .iter()
                    .filter(|(_, vote)| vote.audit == *address)
                    .count();
                assert_eq!(audit.live_votes.get() as usize, live, "votes of an audit");
                ledger += audit.voters_left.get();
                for (_, vote) in votes.iter().filter(|(_, vote)| vote.audit == *address) {
                    vote.invariant().unwrap();
                }
            }
            assert_eq!(task.electorate, electorate, "who could vote in the task");
            assert_eq!(task.nodes.get(), count, "the task's nodes");
            assert_eq!(balance(&self.svm, &task.vault), ledger, "vault = ledger");
        }
        for (address, submission) in &submissions {
            submission.invariant().unwrap();
            let of_submission = || {
                audits
                    .iter()
                    .filter(|(_, audit)| audit.submission == *address)
            };
            assert_eq!(
                submission.live_audits.get() as usize,
                of_submission().count(),
                "audits of a submission"
            );
            assert_eq!(
                (submission.audits.get() - submission.decided.get()) as usize,
                of_submission()
                    .filter(|(_, audit)| audit.outcome == Outcome::Open)
                    .count(),
                "open audits of a submission"
            );
        }
    }

    /// An owner with `WALLET` base units, not a node yet.
    pub fn stranger(&mut self) -> Actor {
        let (owner, operator) = (key(&mut self.svm), key(&mut self.svm));
        let creator = self.creator.insecure_clone();
        let wallet = make_wallet(
            &mut self.svm,
            &creator,
            &self.token_program,
            &self.mint,
            &owner.pubkey(),
            WALLET,
        );
        let node = node_address(&self.task, &owner.pubkey());
        Actor {
            owner,
            operator,
            wallet,
            node,
            gate_proof: None,
            gate_mint: None,
        }
    }

    pub fn fund_task_ix(&self, amount: u64) -> Instruction {
        instruction(
            accounts::FundTask {
                funder: self.creator.pubkey(),
                task: self.task,
                mint: self.mint,
                source: self.creator_wallet,
                vault: self.vault,
                token_program: self.token_program,
            },
            instruction::FundTask { amount }.data(),
        )
    }

    pub fn fund_task(&mut self, amount: u64) -> Sent {
        let creator = self.creator.insecure_clone();
        self.send(&[self.fund_task_ix(amount)], &[&creator])
    }

    pub fn retire_task_ix(&self) -> Instruction {
        instruction(
            accounts::RetireTask {
                creator: self.creator.pubkey(),
                task: self.task,
                mint: self.mint,
                vault: self.vault,
                destination: self.creator_wallet,
                token_program: self.token_program,
            },
            instruction::RetireTask {}.data(),
        )
    }

    pub fn retire_task(&mut self) -> Sent {
        let creator = self.creator.insecure_clone();
        self.send(&[self.retire_task_ix()], &[&creator])
    }

    pub fn join_task_ix(&self, actor: &Actor, role: u8, amount: u64) -> Instruction {
        instruction(
            accounts::JoinTask {
                payer: actor.owner.pubkey(),
                owner: actor.owner.pubkey(),
                task: self.task,
                node: actor.node,
                mint: self.mint,
                source: actor.wallet,
                vault: self.vault,
                token_program: self.token_program,
                gate_proof: actor.gate_proof,
                gate_mint: actor.gate_mint,
                system_program: SYSTEM,
            },
            instruction::JoinTask {
                role,
                operator: actor.operator.pubkey(),
                amount,
                start_slot: self.task().start_slot.get(),
            }
            .data(),
        )
    }

    pub fn join_task(&mut self, actor: &Actor, role: u8, amount: u64) -> Sent {
        self.send(&[self.join_task_ix(actor, role, amount)], &[&actor.owner])
    }

    /// A new worker that holds `stake`.
    pub fn worker(&mut self, stake: u64) -> Actor {
        let actor = self.stranger();
        self.join_task(&actor, Role::Worker as u8, stake).unwrap();
        actor
    }

    /// A new witness that holds `stake`.
    pub fn witness(&mut self, stake: u64) -> Actor {
        let actor = self.stranger();
        self.join_task(&actor, Role::Witness as u8, stake).unwrap();
        actor
    }

    pub fn add_stake_ix(&self, actor: &Actor, amount: u64) -> Instruction {
        instruction(
            accounts::AddStake {
                owner: actor.owner.pubkey(),
                task: self.task,
                node: actor.node,
                mint: self.mint,
                source: actor.wallet,
                vault: self.vault,
                token_program: self.token_program,
            },
            instruction::AddStake { amount }.data(),
        )
    }

    pub fn add_stake(&mut self, actor: &Actor, amount: u64) -> Sent {
        self.send(&[self.add_stake_ix(actor, amount)], &[&actor.owner])
    }

    pub fn restake_ix(&self, actor: &Actor) -> Instruction {
        instruction(
            accounts::Restake {
                owner: actor.owner.pubkey(),
                task: self.task,
                node: actor.node,
            },
            instruction::Restake {}.data(),
        )
    }

    pub fn restake(&mut self, actor: &Actor) -> Sent {
        self.send(&[self.restake_ix(actor)], &[&actor.owner])
    }

    pub fn request_leave_ix(&self, actor: &Actor, amount: Option<u64>) -> Instruction {
        instruction(
            accounts::RequestLeave {
                owner: actor.owner.pubkey(),
                task: self.task,
                node: actor.node,
            },
            instruction::RequestLeave { amount }.data(),
        )
    }

    pub fn request_leave(&mut self, actor: &Actor, amount: Option<u64>) -> Sent {
        self.send(&[self.request_leave_ix(actor, amount)], &[&actor.owner])
    }

    pub fn cancel_leave_ix(&self, actor: &Actor) -> Instruction {
        instruction(
            accounts::CancelLeave {
                owner: actor.owner.pubkey(),
                task: self.task,
                node: actor.node,
            },
            instruction::CancelLeave {}.data(),
        )
    }

    pub fn cancel_leave(&mut self, actor: &Actor) -> Sent {
        self.send(&[self.cancel_leave_ix(actor)], &[&actor.owner])
    }

    pub fn withdraw_ix(&self, actor: &Actor) -> Instruction {
        instruction(
            accounts::Withdraw {
                owner: actor.owner.pubkey(),
                task: self.task,
                node: actor.node,
                mint: self.mint,
                vault: self.vault,
                destination: actor.wallet,
                token_program: self.token_program,
            },
            instruction::Withdraw {}.data(),
        )
    }

    pub fn withdraw(&mut self, actor: &Actor) -> Sent {
        self.send(&[self.withdraw_ix(actor)], &[&actor.owner])
    }

    pub fn return_stake_ix(&self, actor: &Actor) -> Instruction {
        instruction(
            accounts::ReturnStake {
                task: self.task,
                node: actor.node,
                mint: self.mint,
                vault: self.vault,
                destination: actor.wallet,
                token_program: self.token_program,
            },
            instruction::ReturnStake {}.data(),
        )
    }

    /// By the creator's key: anyone may pay a node out.
    pub fn return_stake(&mut self, actor: &Actor) -> Sent {
        self.by_anyone(self.return_stake_ix(actor))
    }

    pub fn set_operator_ix(&self, actor: &Actor, operator: Address) -> Instruction {
        instruction(
            accounts::SetOperator {
                owner: actor.owner.pubkey(),
                node: actor.node,
            },
            instruction::SetOperator { operator }.data(),
        )
    }

    pub fn set_operator(&mut self, actor: &Actor, operator: Address) -> Sent {
        self.send(&[self.set_operator_ix(actor, operator)], &[&actor.owner])
    }

    pub fn submission(&self, actor: &Actor, round: u64) -> Address {
        submission_address(&self.task, round, &actor.owner.pubkey())
    }

    pub fn submit_work_ix(&self, actor: &Actor, round: u64) -> Instruction {
        instruction(
            accounts::SubmitWork {
                payer: actor.operator.pubkey(),
                operator: actor.operator.pubkey(),
                task: self.task,
                node: actor.node,
                round: round_address(&self.task, round),
                submission: self.submission(actor, round),
                gate_proof: actor.gate_proof,
                gate_mint: actor.gate_mint,
                system_program: SYSTEM,
            },
            instruction::SubmitWork {
                round_number: round,
                payload_hash: [7; 32],
                payload_uri: "ipfs://payload".into(),
            }
            .data(),
        )
    }

    pub fn submit_work(&mut self, actor: &Actor, round: u64) -> Sent {
        self.send(&[self.submit_work_ix(actor, round)], &[&actor.operator])
    }

    /// The audit of the accused's submission of `round` that was opened after `attempt` others.
    pub fn audit(&self, accused: &Actor, round: u64, attempt: u32) -> Address {
        let submission = self.submission(accused, round);
        self.all::<Audit>()
            .into_iter()
            .find(|(_, audit)| audit.submission == submission && audit.attempt.get() == attempt)
            .expect("the audit is there")
            .0
    }

    /// Where the initiator's next audit of the accused's submission of `round` will be.
    pub fn next_audit(&self, initiator: &Actor, accused: &Actor, round: u64) -> Address {
        audit_address(
            &self.submission(accused, round),
            &initiator.owner.pubkey(),
            self.node(initiator).audits.get(),
        )
    }

    /// The arguments of `open_audit`: with the hash of `secret`, and evidence.
    pub fn open_audit_data(
        accusation: u8,
        secret: &[u8; 32],
        evidence_hash: [u8; 32],
        evidence_uri: &str,
    ) -> Vec<u8> {
        instruction::OpenAudit {
            accusation,
            secret_hash: sha256(&[secret]),
            evidence_hash,
            evidence_uri: evidence_uri.into(),
        }
        .data()
    }

    /// Accuses of malice, with a secret of its own to draw a panel with.
    pub fn accuse_with(
        &mut self,
        initiator: &Actor,
        accused: &Actor,
        round: u64,
        secret: &[u8; 32],
    ) -> Address {
        let audit = self.next_audit(initiator, accused, round);
        let mut open = self.open_audit_ix(initiator, accused, round, 2);
        open.data = Self::open_audit_data(2, secret, [0; 32], "");
        self.send(&[open], &[&initiator.operator]).unwrap();
        audit
    }

    pub fn open_audit_ix(
        &self,
        initiator: &Actor,
        accused: &Actor,
        round: u64,
        accusation: u8,
    ) -> Instruction {
        instruction(
            accounts::OpenAudit {
                payer: initiator.operator.pubkey(),
                operator: initiator.operator.pubkey(),
                task: self.task,
                round: round_address(&self.task, round),
                submission: self.submission(accused, round),
                accused: accused.node,
                initiator: initiator.node,
                audit: self.next_audit(initiator, accused, round),
                gate_proof: initiator.gate_proof,
                system_program: SYSTEM,
            },
            Self::open_audit_data(accusation, &SECRET, [0; 32], ""),
        )
    }

    /// The initiator's next audit of the accused's submission of `round`.
    pub fn open_audit(
        &mut self,
        initiator: &Actor,
        accused: &Actor,
        round: u64,
        accusation: u8,
    ) -> Sent {
        let open = self.open_audit_ix(initiator, accused, round, accusation);
        self.send(&[open], &[&initiator.operator])
    }

    pub fn cast_vote_ix(&self, voter: &Actor, audit: &Address, opinion: u8) -> Instruction {
        instruction(
            accounts::CastVote {
                payer: voter.operator.pubkey(),
                operator: voter.operator.pubkey(),
                task: self.task,
                audit: *audit,
                node: voter.node,
                vote: vote_address(audit, &voter.owner.pubkey()),
                gate_proof: voter.gate_proof,
                system_program: SYSTEM,
            },
            instruction::CastVote { opinion }.data(),
        )
    }

    pub fn cast_vote(&mut self, voter: &Actor, audit: &Address, opinion: u8) -> Sent {
        self.send(
            &[self.cast_vote_ix(voter, audit, opinion)],
            &[&voter.operator],
        )
    }

    pub fn draw_panel_ix(&self, audit: &Address, secret: [u8; 32]) -> Instruction {
        instruction(
            accounts::DrawPanel { audit: *audit },
            instruction::DrawPanel { secret }.data(),
        )
    }

    /// With the secret of these tests and no block skipped. By the creator's key: anyone who knows it may draw.
    pub fn draw_panel(&mut self, audit: &Address) -> Sent {
        self.draw_panel_with(audit, SECRET)
    }

    pub fn draw_panel_with(&mut self, audit: &Address, secret: [u8; 32]) -> Sent {
        remember_blocks(&mut self.svm, |_| false);
        self.by_anyone(self.draw_panel_ix(audit, secret))
    }

    pub fn appeal_audit_ix(&self, appellant: &Actor, audit: &Address) -> Instruction {
        instruction(
            accounts::AppealAudit {
                operator: appellant.operator.pubkey(),
                task: self.task,
                audit: *audit,
                node: appellant.node,
            },
            instruction::AppealAudit {}.data(),
        )
    }

    pub fn appeal_audit(&mut self, appellant: &Actor, audit: &Address) -> Sent {
        let appeal = self.appeal_audit_ix(appellant, audit);
        self.send(&[appeal], &[&appellant.operator])
    }

    pub fn resolve_audit_ix(&self, audit: &Address) -> Instruction {
        let state = self.get::<Audit>(audit);
        let mut resolve = instruction(
            accounts::ResolveAudit {
                task: self.task,
                audit: *audit,
                submission: state.submission,
                round: round_address(
                    &self.task,
                    self.get::<Submission>(&state.submission).round.get(),
                ),
                accused: node_address(&self.task, &state.accused),
                initiator: node_address(&self.task, &state.initiator),
            },
            instruction::ResolveAudit {}.data(),
        );
        let parties = [Address::default(), state.accused, state.initiator];
        if !parties.contains(&state.appellant) {
            let appellant = node_address(&self.task, &state.appellant);
            resolve.accounts.push(AccountMeta::new(appellant, false));
        }
        resolve
    }

    /// By the creator's key, which has no part in the audit: anyone may resolve.
    pub fn resolve_audit(&mut self, audit: &Address) -> Sent {
        let anyone = self.creator.insecure_clone();
        self.send(&[self.resolve_audit_ix(audit)], &[&anyone])
    }

    pub fn claim_vote_ix(&self, voter: &Actor, audit: &Address) -> Instruction {
        instruction(
            accounts::ClaimVote {
                task: self.task,
                audit: *audit,
                vote: vote_address(audit, &voter.owner.pubkey()),
                node: voter.node,
            },
            instruction::ClaimVote {}.data(),
        )
    }

    /// By the creator's key: anyone may claim for a voter.
    pub fn claim_vote(&mut self, voter: &Actor, audit: &Address) -> Sent {
        let anyone = self.creator.insecure_clone();
        self.send(&[self.claim_vote_ix(voter, audit)], &[&anyone])
    }

    pub fn commit_vote_ix(
        &self,
        voter: &Actor,
        audit: &Address,
        commitment: [u8; 32],
    ) -> Instruction {
        let mut commit = self.cast_vote_ix(voter, audit, 0);
        commit.data = instruction::CommitVote { commitment }.data();
        commit
    }

    /// Commits to `opinion` with `salt`.
    pub fn commit_vote(
        &mut self,
        voter: &Actor,
        audit: &Address,
        opinion: u8,
        salt: [u8; 32],
    ) -> Sent {
        let hash = commitment(audit, &voter.owner.pubkey(), opinion, &salt);
        self.send(
            &[self.commit_vote_ix(voter, audit, hash)],
            &[&voter.operator],
        )
    }

    pub fn reveal_vote_ix(
        &self,
        voter: &Actor,
        audit: &Address,
        opinion: u8,
        salt: [u8; 32],
    ) -> Instruction {
        instruction(
            accounts::RevealVote {
                audit: *audit,
                node: voter.node,
                vote: vote_address(audit, &voter.owner.pubkey()),
            },
            instruction::RevealVote { opinion, salt }.data(),
        )
    }

    pub fn reveal_vote(
        &mut self,
        voter: &Actor,
        audit: &Address,
        opinion: u8,
        salt: [u8; 32],
    ) -> Sent {
        self.send(
            &[self.reveal_vote_ix(voter, audit, opinion, salt)],
            &[&voter.operator],
        )
    }

    pub fn claim_bounty_ix(&self, worker: &Actor, round: u64) -> Instruction {
        instruction(
            accounts::ClaimBounty {
                task: self.task,
                round: round_address(&self.task, round),
                submission: self.submission(worker, round),
                node: worker.node,
            },
            instruction::ClaimBounty {}.data(),
        )
    }

    /// By the creator's key: anyone may claim for a worker.
    pub fn claim_bounty(&mut self, worker: &Actor, round: u64) -> Sent {
        self.by_anyone(self.claim_bounty_ix(worker, round))
    }

    /// Sends what needs no signature but the fee payer's.
    pub fn by_anyone(&mut self, instruction: Instruction) -> Sent {
        let anyone = self.creator.insecure_clone();
        self.send(&[instruction], &[&anyone])
    }

    pub fn pause_task_ix(&self) -> Instruction {
        instruction(
            accounts::PauseTask {
                creator: self.creator.pubkey(),
                task: self.task,
            },
            instruction::PauseTask {}.data(),
        )
    }

    pub fn pause_task(&mut self) -> Sent {
        self.by_anyone(self.pause_task_ix())
    }

    pub fn resume_task_ix(&self) -> Instruction {
        instruction(
            accounts::ResumeTask {
                creator: self.creator.pubkey(),
                task: self.task,
            },
            instruction::ResumeTask {}.data(),
        )
    }

    pub fn resume_task(&mut self) -> Sent {
        self.by_anyone(self.resume_task_ix())
    }

    pub fn allow_node_ix(&self, role: u8, owner: &Address) -> Instruction {
        instruction(
            accounts::AllowNode {
                payer: self.creator.pubkey(),
                creator: self.creator.pubkey(),
                task: self.task,
                entry: allow_address(&self.task, role, owner),
                system_program: SYSTEM,
            },
            instruction::AllowNode {
                role,
                owner: *owner,
            }
            .data(),
        )
    }

    pub fn allow_node(&mut self, role: u8, owner: &Address) -> Sent {
        self.by_anyone(self.allow_node_ix(role, owner))
    }

    pub fn disallow_node_ix(&self, role: u8, owner: &Address) -> Instruction {
        instruction(
            accounts::DisallowNode {
                remover: self.creator.pubkey(),
                task: self.task,
                entry: allow_address(&self.task, role, owner),
                payer: self.creator.pubkey(),
            },
            instruction::DisallowNode {}.data(),
        )
    }

    pub fn disallow_node(&mut self, role: u8, owner: &Address) -> Sent {
        self.by_anyone(self.disallow_node_ix(role, owner))
    }

    pub fn close_vote_ix(&self, voter: &Actor, audit: &Address) -> Instruction {
        instruction(
            accounts::CloseVote {
                audit: *audit,
                node: voter.node,
                vote: vote_address(audit, &voter.owner.pubkey()),
                payer: voter.operator.pubkey(),
            },
            instruction::CloseVote {}.data(),
        )
    }

    pub fn close_vote(&mut self, voter: &Actor, audit: &Address) -> Sent {
        self.by_anyone(self.close_vote_ix(voter, audit))
    }

    pub fn close_audit_ix(&self, audit: &Address) -> Instruction {
        let state = self.get::<Audit>(audit);
        instruction(
            accounts::CloseAudit {
                submission: state.submission,
                initiator: node_address(&self.task, &state.initiator),
                audit: *audit,
                payer: state.payer,
            },
            instruction::CloseAudit {}.data(),
        )
    }

    pub fn close_audit(&mut self, audit: &Address) -> Sent {
        self.by_anyone(self.close_audit_ix(audit))
    }

    pub fn close_submission_ix(&self, worker: &Actor, round: u64) -> Instruction {
        instruction(
            accounts::CloseSubmission {
                task: self.task,
                round: round_address(&self.task, round),
                node: worker.node,
                submission: self.submission(worker, round),
                payer: worker.operator.pubkey(),
            },
            instruction::CloseSubmission {}.data(),
        )
    }

    pub fn close_submission(&mut self, worker: &Actor, round: u64) -> Sent {
        self.by_anyone(self.close_submission_ix(worker, round))
    }

    pub fn close_round_ix(&self, round: u64) -> Instruction {
        let address = round_address(&self.task, round);
        instruction(
            accounts::CloseRound {
                task: self.task,
                round: address,
                payer: self.get::<Round>(&address).payer,
            },
            instruction::CloseRound {}.data(),
        )
    }

    pub fn close_round(&mut self, round: u64) -> Sent {
        self.by_anyone(self.close_round_ix(round))
    }

    pub fn close_node_ix(&self, closer: &Address, actor: &Actor) -> Instruction {
        instruction(
            accounts::CloseNode {
                closer: *closer,
                task: self.task,
                node: actor.node,
                payer: actor.owner.pubkey(),
            },
            instruction::CloseNode {}.data(),
        )
    }

    /// By the owner.
    pub fn close_node(&mut self, actor: &Actor) -> Sent {
        let close = self.close_node_ix(&actor.owner.pubkey(), actor);
        self.send(&[close], &[&actor.owner])
    }

    pub fn close_task_ix(&self) -> Instruction {
        instruction(
            accounts::CloseTask {
                task: self.task,
                mint: self.mint,
                vault: self.vault,
                destination: self.creator_wallet,
                payer: self.creator.pubkey(),
                token_program: self.token_program,
            },
            instruction::CloseTask {}.data(),
        )
    }

    pub fn close_task(&mut self) -> Sent {
        self.by_anyone(self.close_task_ix())
    }
}

/// Four nodes and one submission, one slot after everyone joined: what most audits begin with.
pub struct Case {
    pub game: Game,
    /// Worker with 4,000,000 staked, whose submission of round 0 is audited.
    pub accused: Actor,
    /// Witness with 2,000,000 staked.
    pub initiator: Actor,
    /// Witnesses with 1,000,000, 1,500,000 and 3,000,000 staked.
    pub voters: [Actor; 3],
}

impl Case {
    pub fn submitted(rules: RulesArgs) -> Self {
        let mut game = Game::new(rules);
        let accused = game.worker(4_000_000);
        let initiator = game.witness(2_000_000);
        let voters = [1_000_000, 1_500_000, 3_000_000].map(|stake| game.witness(stake));
        game.warp(START + 1);
        game.submit_work(&accused, 0).unwrap();
        Self {
            game,
            accused,
            initiator,
            voters,
        }
    }

    /// The submission under audit for `accusation`, opened two slots after the start.
    pub fn audited(rules: RulesArgs, accusation: u8) -> Self {
        let mut case = Self::submitted(rules);
        case.game.warp(START + 2);
        case.game
            .open_audit(&case.initiator, &case.accused, 0, accusation)
            .unwrap();
        case
    }

    /// The first audit of the submission.
    pub fn audit(&self) -> Address {
        self.game.audit(&self.accused, 0, 0)
    }

    /// One vote of each voter, in order.
    pub fn vote(&mut self, opinions: &[u8]) {
        let audit = self.audit();
        for (voter, opinion) in self.voters.iter().zip(opinions) {
            self.game.cast_vote(voter, &audit, *opinion).unwrap();
        }
    }

    /// First slot at which the audit can be resolved.
    pub fn end(&self) -> u64 {
        let audit = self.game.get::<Audit>(&self.audit());
        if audit.is_appealed() {
            audit.end_slot.get()
        } else {
            audit.end_slot.get() + self.game.rules.appeal_slots
        }
    }

    /// Resolves the audit at its end.
    pub fn resolve(&mut self) -> Sent {
        self.game.warp(self.end());
        self.game.resolve_audit(&self.audit())
    }

    /// Claims every vote that the first `votes` voters cast.
    pub fn claim(&mut self, votes: usize) {
        let audit = self.audit();
        for voter in &self.voters[..votes] {
            self.game.claim_vote(voter, &audit).unwrap();
        }
    }
}

impl Game {
    /// Makes another task of the same creator, mint and rules, and plays on it from now on.
    pub fn next_task(&mut self, id: u64) {
        let create = instruction(
            create_task_accounts(&self.creator.pubkey(), id, &self.mint, &self.token_program),
            create_task_data(id, &self.rules),
        );
        let creator = self.creator.insecure_clone();
        self.send(&[create], &[&creator]).unwrap();
        self.enter(task_address(&creator.pubkey(), id));
    }

    /// Plays on `task` from now on.
    pub fn enter(&mut self, task: Address) {
        self.task = task;
        self.vault = vault_address(&task);
    }

    /// Another mint of the same token program, and a wallet of `owner` in it.
    pub fn other_mint(&mut self, owner: &Address) -> (Address, Address) {
        let creator = self.creator.insecure_clone();
        let program = self.token_program;
        let mint = make_mint(&mut self.svm, &creator, &program, &[], |_| vec![]);
        let wallet = make_wallet(&mut self.svm, &creator, &program, &mint, owner, WALLET);
        (mint, wallet)
    }

    /// The same bytes as `address` at a fresh address that belongs to the system program.
    pub fn forge(&mut self, address: &Address) -> Address {
        let mut account = self.svm.get_account(address).expect("the account exists");
        account.owner = SYSTEM;
        let forged = fresh().pubkey();
        self.svm.set_account(forged, account).unwrap();
        forged
    }

    /// Sends one instruction, paid and signed by the creator alone.
    pub fn send_by_creator(&mut self, instruction: Instruction) -> Sent {
        let creator = self.creator.insecure_clone();
        self.send(&[instruction], &[&creator])
    }
}

/// Takes away the signature that the instruction asks of `signer`.
pub fn unsigned(mut instruction: Instruction, signer: &Address) -> Instruction {
    for meta in &mut instruction.accounts {
        if meta.pubkey == *signer {
            meta.is_signer = false;
        }
    }
    instruction
}

/// Asserts that the transaction passed and logged this event, to the last byte, and no other.
#[track_caller]
pub fn logged(sent: Sent, event: &impl Event) {
    let logs = sent.unwrap().logs;
    let events: Vec<_> = logs
        .iter()
        .filter_map(|line| line.strip_prefix("Program data: "))
        .map(base64)
        .collect();
    assert_eq!(events, [event.data()]);
}

/// Decodes what a program logs as data.
fn base64(text: &str) -> Vec<u8> {
    let digit = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => panic!("not a letter of base64"),
    };
    let letters: Vec<_> = text.trim_end_matches('=').bytes().map(digit).collect();
    let mut bytes = Vec::new();
    for four in letters.chunks(4) {
        let bits = four
            .iter()
            .fold(0u32, |bits, digit| bits << 6 | u32::from(*digit))
            << (6 * (4 - four.len()));
        bytes.extend(&bits.to_be_bytes()[1..four.len()]);
    }
    bytes
}

impl Game {
    /// The actor with its node in the task that is played.
    pub fn here(&self, actor: &Actor) -> Actor {
        Actor {
            owner: actor.owner.insecure_clone(),
            operator: actor.operator.insecure_clone(),
            wallet: actor.wallet,
            node: node_address(&self.task, &actor.owner.pubkey()),
            gate_proof: actor.gate_proof,
            gate_mint: actor.gate_mint,
        }
    }

    /// The same bytes as `address` at a fresh address of the program, but for the kind of account.
    pub fn disguise(&mut self, address: &Address) -> Address {
        let mut account = self.svm.get_account(address).expect("the account exists");
        account.data[..8].fill(0xee);
        let disguised = fresh().pubkey();
        self.svm.set_account(disguised, account).unwrap();
        disguised
    }

    /// Lamports on an address that has no account yet.
    pub fn prefund(&mut self, address: &Address) {
        self.svm.airdrop(address, 1_000_000).unwrap();
    }
}

/// The instruction with an account marked as one that isn't written to.
pub fn readonly(mut instruction: Instruction, address: &Address) -> Instruction {
    for meta in &mut instruction.accounts {
        meta.is_writable &= meta.pubkey != *address;
    }
    instruction
}

impl Game {
    /// A stranger whose keys and wallet are there without a transaction: for crowds.
    pub fn rich_stranger(&mut self) -> Actor {
        let (owner, operator, wallet) = (fresh(), fresh(), fresh().pubkey());
        let lamports = Account {
            lamports: 1_000_000_000,
            ..Account::default()
        };
        for key in [&owner, &operator] {
            self.svm
                .set_account(key.pubkey(), lamports.clone())
                .unwrap();
        }
        let mut account = self.svm.get_account(&self.creator_wallet).unwrap();
        account.data[32..64].copy_from_slice(owner.pubkey().as_ref());
        self.svm.set_account(wallet, account).unwrap();
        Actor {
            node: node_address(&self.task, &owner.pubkey()),
            owner,
            operator,
            wallet,
            gate_proof: None,
            gate_mint: None,
        }
    }
}

impl Game {
    /// A node's arrivals, oldest first: slots after `START`, and amounts.
    pub fn arrivals(&self, actor: &Actor) -> Vec<(u64, u64)> {
        let arrivals = self.node(actor).arrivals;
        let there = arrivals.iter().filter(|one| one.amount.get() > 0);
        there
            .map(|one| (one.slot.get() - START, one.amount.get()))
            .collect()
    }

    /// Has `initiator` accuse the work of round 0, and answers the frozen weight of `voter`'s vote on it, in base units.
    pub fn weight_on(&mut self, accused: &Actor, initiator: &Actor, voter: &Actor) -> u64 {
        let audit = self.next_audit(initiator, accused, 0);
        self.open_audit(initiator, accused, 0, 2).unwrap();
        self.cast_vote(voter, &audit, 0).unwrap();
        let vote = vote_address(&audit, &voter.owner.pubkey());
        self.get::<Vote>(&vote).weight.get()
    }
}

/// Makes the key's account a program's that holds data: it signs, and can't pay for an account.
pub fn give_data(svm: &mut LiteSVM, key: &Address) {
    let account = Account {
        lamports: 10_000_000_000,
        data: vec![1],
        owner: ID,
        ..Account::default()
    };
    svm.set_account(*key, account).unwrap();
}
