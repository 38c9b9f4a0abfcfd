//! The game in plain Rust: no Solana, no Anchor, nothing of the program. Written from the rules as the program's pages state
//! them, with 128-bit arithmetic, and with every counter derived from the accounts it counts.
//!
//! `World::judge` answers what an instruction does or why it is refused. It changes nothing, so a refusal can't either.

use std::collections::BTreeMap;

pub type Key = u8;
pub type Slot = u64;

/// Tasks that may exist, each with a creator and a number of its own.
pub const TASKS: u8 = 2;
/// Keys 0 and 1 create task 0 and 1; key 1 plays along like every other owner.
pub const OWNERS: std::ops::RangeInclusive<Key> = 1..=8;
/// Hot keys. Owners share them now and then.
pub const OPERATORS: std::ops::RangeInclusive<Key> = 9..=17;
pub const KEYS: usize = 18;

/// A token account: every key has two, one to pay from and one to keep. Number `KEYS + key` is the second.
pub type Wallet = u8;
/// The wallet of another mint.
pub const FOREIGN: Wallet = 99;

/// The key that a wallet belongs to.
pub fn owner_of(wallet: Wallet) -> Key {
    wallet % KEYS as Key
}

/// The second wallet of a key.
pub fn savings(key: Key) -> Wallet {
    key + KEYS as Wallet
}

/// A mint that may be shown at a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mint {
    /// The game's money, of the Token program. All others are of Token-2022.
    Money,
    /// A member of a group.
    Member { group: u8, number: u8 },
    /// The group itself, which is nobody's member.
    Group(u8),
    /// No member, though it points to a membership: that of the first member of group 0.
    Pointer,
    /// Nothing but a mint.
    Plain,
}

/// The mints of badges: every owner has a token account of each.
pub const BADGES: [Mint; 8] = [
    Mint::Member {
        group: 0,
        number: 0,
    },
    Mint::Member {
        group: 0,
        number: 1,
    },
    Mint::Member {
        group: 1,
        number: 0,
    },
    Mint::Member {
        group: 1,
        number: 1,
    },
    Mint::Group(0),
    Mint::Group(1),
    Mint::Pointer,
    Mint::Plain,
];

/// An owner's token account of a badge's mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Badge {
    pub mint: Mint,
    pub owner: Key,
}

pub const MOST_AUDITS: u8 = 3;
const WHOLE: u128 = 10_000;
const LONGEST: u64 = 78_840_000;
const URI: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    pub task: u8,
    pub owner: Key,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoundId {
    pub task: u8,
    pub number: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubmissionId {
    pub round: RoundId,
    pub owner: Key,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuditId {
    pub submission: SubmissionId,
    pub attempt: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VoteId {
    pub audit: AuditId,
    pub voter: Key,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    pub task: u8,
    pub role: u8,
    pub owner: Key,
}

impl AuditId {
    pub fn task(&self) -> u8 {
        self.submission.round.task
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    Open,
    Allowlist,
    /// Base units of the game's mint.
    Token {
        least: u64,
    },
    /// A token of any member of the group.
    Collection {
        group: u8,
    },
    Standing {
        task: u8,
        least: u64,
        most: u32,
    },
    Member {
        task: u8,
    },
    /// A kind that is none.
    Nonsense,
    /// A gate that asks about nothing.
    Keyless,
}

/// An account that is shown at a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    Entry(EntryId),
    Wallet(Wallet),
    Badge(Badge),
    Mint(Mint),
    Node(NodeId),
}

/// What is shown at a gate. Any account may be in either place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    pub proof: Option<Proof>,
    pub mint: Option<Proof>,
}

impl Shown {
    fn has(&self, account: Proof) -> bool {
        [self.proof, self.mint].contains(&Some(account))
    }
}

/// Why what is shown proves no membership in a collection; the first thing that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    NoProof,
    NoMint,
    /// The proof is no token account.
    NoTokens,
    /// A token account of another mint than the one shown.
    MintOfAnother,
    WalletOfAnother,
    NoMember,
    OldToken,
    OtherGroup,
    Empty,
}

/// Every flaw.
pub const ALL_FLAWS: [Flaw; 9] = [
    Flaw::NoProof,
    Flaw::NoMint,
    Flaw::NoTokens,
    Flaw::MintOfAnother,
    Flaw::WalletOfAnother,
    Flaw::NoMember,
    Flaw::OldToken,
    Flaw::OtherGroup,
    Flaw::Empty,
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    pub round: u64,
    pub submission: u64,
    pub audit: u64,
    pub commit: u64,
    pub reveal: u64,
    pub leave_delay: u64,
    /// By role: worker, witness.
    pub min_stake: [u64; 2],
    pub bounty: u64,
    pub bond: u64,
    pub deposit: u64,
    pub quorum_votes: u32,
    pub quorum_bps: u16,
    pub downtime_bps: u16,
    pub malice_bps: u16,
    pub bonus_bps: u16,
    pub pool_bps: u16,
    /// 0 by node, 1 by stake.
    pub weight: u8,
    /// 0 all voters, 1 the majority.
    pub reward: u8,
    pub gates: [Gate; 2],
    pub allow_large_stake: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Active,
    Paused,
    Retired,
}

#[derive(Clone, Debug)]
pub struct Task {
    pub start: Slot,
    pub rules: Rules,
    pub pool: u64,
    pub status: Status,
    /// Tokens that somebody just sent to the vault: nobody's in the ledger.
    pub gifts: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Node {
    pub operator: Key,
    pub role: u8,
    pub joined: Slot,
    pub stake: u64,
    pub leaving: u64,
    pub leave_slot: Slot,
    pub recent: u64,
    pub recent_slot: Slot,
    /// Rewards under lock and until when: the box that opens first, and the box for what comes meanwhile.
    pub boxes: [(u64, Slot); 2],
    pub payable: u64,
    pub submissions: u32,
    pub rounds_paid: u32,
    pub convictions: [u32; 2],
    pub with_majority: u32,
    pub against_majority: u32,
    pub unrevealed: u32,
    /// What it could vote with, after every change.
    pub history: Vec<(Slot, u64)>,
    /// Every locked reward and when it came, every bounty, and all that went out besides stake.
    pub earned: Vec<(Slot, u64)>,
    pub bounties: u64,
    pub rewards_out: u64,
}

#[derive(Clone, Debug)]
pub struct Round {
    pub payer: Key,
    pub reserve: u64,
    pub left: u64,
    pub submissions: u32,
    pub convictions: u32,
    pub paid: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Open,
    NoVerdict,
    Acquitted,
    Downtime,
    Malice,
}

#[derive(Clone, Debug)]
pub struct Submission {
    pub payer: Key,
    pub slot: Slot,
    pub others_stake: u64,
    pub audits: u8,
    pub paid: bool,
    /// The verdict, where an audit reached one.
    pub verdict: Option<Outcome>,
}

#[derive(Clone, Debug)]
pub struct Audit {
    pub initiator: Key,
    pub accused: Key,
    pub payer: Key,
    pub opened: Slot,
    pub reveal: Slot,
    pub end: Slot,
    pub submission_slot: Slot,
    pub accused_stake: u64,
    pub exposed: u64,
    pub eligible: u64,
    pub bond: u64,
    pub deposit: u64,
    pub accusation: u8,
    pub outcome: Outcome,
    /// Opinion and stake of every vote that was told, the accusation first.
    pub ballots: Vec<(u8, u64)>,
    pub pot: u64,
    /// The whole that a voter's weight is a part of.
    pub pot_weight: u64,
    pub pot_left: u64,
    /// What claims and the accusation took of the pot.
    pub pot_paid: u64,
}

/// What a commitment binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub audit: AuditId,
    pub voter: Key,
    pub opinion: u8,
    pub salt: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoteState {
    Committed,
    Revealed,
    Claimed,
}

#[derive(Clone, Debug)]
pub struct Vote {
    pub payer: Key,
    pub sealed: Option<Sealed>,
    /// What was told.
    pub opinion: Option<u8>,
    pub weight: u64,
    pub deposit: u64,
    pub state: VoteState,
}

/// An instruction with the accounts it names, which need not belong together.
#[derive(Clone, Debug)]
pub enum Ix {
    CreateTask {
        task: u8,
        rules: Box<Rules>,
        audit_function: bool,
        uris: [usize; 2],
    },
    FundTask {
        task: u8,
        funder: Key,
        source: Wallet,
        vault: u8,
        amount: u64,
    },
    PauseTask {
        task: u8,
        signer: Key,
    },
    ResumeTask {
        task: u8,
        signer: Key,
    },
    RetireTask {
        task: u8,
        signer: Key,
        vault: u8,
        destination: Wallet,
    },
    CloseTask {
        task: u8,
        signer: Key,
        vault: u8,
        destination: Wallet,
    },
    AllowNode {
        signer: Key,
        entry: EntryId,
    },
    DisallowNode {
        task: u8,
        signer: Key,
        entry: EntryId,
    },
    JoinTask {
        node: NodeId,
        role: u8,
        operator: Key,
        amount: u64,
        source: Wallet,
        vault: u8,
        shown: Shown,
    },
    AddStake {
        task: u8,
        node: NodeId,
        signer: Key,
        amount: u64,
        source: Wallet,
        vault: u8,
    },
    RequestLeave {
        task: u8,
        node: NodeId,
        signer: Key,
        amount: Option<u64>,
    },
    CancelLeave {
        task: u8,
        node: NodeId,
        signer: Key,
    },
    Withdraw {
        task: u8,
        node: NodeId,
        signer: Key,
        vault: u8,
        destination: Wallet,
    },
    SetOperator {
        node: NodeId,
        signer: Key,
        operator: Key,
    },
    SubmitWork {
        task: u8,
        node: NodeId,
        signer: Key,
        round: RoundId,
        number: u64,
        payload: bool,
        uri: usize,
        shown: Shown,
    },
    OpenAudit {
        task: u8,
        submission: SubmissionId,
        round: RoundId,
        accused: NodeId,
        initiator: NodeId,
        signer: Key,
        attempt: u8,
        accusation: u8,
        shown: Shown,
    },
    CastVote {
        task: u8,
        audit: AuditId,
        node: NodeId,
        signer: Key,
        opinion: u8,
        shown: Shown,
    },
    CommitVote {
        task: u8,
        audit: AuditId,
        node: NodeId,
        signer: Key,
        sealed: Option<Sealed>,
        shown: Shown,
    },
    RevealVote {
        audit: AuditId,
        node: NodeId,
        vote: VoteId,
        signer: Key,
        opinion: u8,
        salt: u8,
    },
    ResolveAudit {
        task: u8,
        audit: AuditId,
        submission: SubmissionId,
        round: RoundId,
        accused: NodeId,
        initiator: NodeId,
    },
    ClaimVote {
        task: u8,
        audit: AuditId,
        vote: VoteId,
        node: NodeId,
    },
    ClaimBounty {
        task: u8,
        round: RoundId,
        submission: SubmissionId,
        node: NodeId,
    },
    CloseVote {
        audit: AuditId,
        node: NodeId,
        vote: VoteId,
        payer: Key,
    },
    CloseAudit {
        submission: SubmissionId,
        initiator: NodeId,
        audit: AuditId,
        payer: Key,
    },
    CloseSubmission {
        task: u8,
        round: RoundId,
        node: NodeId,
        submission: SubmissionId,
        payer: Key,
    },
    CloseRound {
        task: u8,
        round: RoundId,
        payer: Key,
    },
    CloseNode {
        closer: Key,
        task: u8,
        node: NodeId,
        owner: Key,
    },
}

/// One step of a game.
#[derive(Clone, Debug)]
pub enum Step {
    /// Time goes on to this slot, unless it is there already.
    Until(Slot),
    /// Tokens sent to a vault without a word.
    Gift {
        task: u8,
        from: Wallet,
        amount: u64,
    },
    /// A badge goes to another owner, without the program.
    Pass {
        badge: Badge,
        to: Key,
    },
    Do(Ix),
}

/// Why an instruction is refused. By the program's names; the first few come before the program's own checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum No {
    /// An account that must exist doesn't.
    Missing,
    /// An account that is to be made exists.
    InUse,
    /// One account in two places.
    Twice,
    /// Not the address that the seeds give.
    Seeds,
    /// The token program: not enough in the wallet.
    Funds,
    /// The token program: not the wallet of the signer.
    NotWalletOwner,
    Overflow,
    AmountZero,
    AuditFunctionMissing,
    UriTooLong,
    BondZero,
    SharesOverWhole,
    BonusZero,
    SlashZero,
    MaliceBelowDowntime,
    QuorumZero,
    WindowZero,
    SubmissionWindowTooLong,
    AuditWindowsTooLong,
    LeaveDelayTooShort,
    MinimumStakeZero,
    StakeOverBounty,
    UnknownRule,
    GateKeyMissing,
    MintMismatch,
    VaultMismatch,
    WrongTask,
    WrongNode,
    WrongSubmission,
    WrongRound,
    WrongAudit,
    NotCreator,
    NotOwner,
    NotOperator,
    TaskRetired,
    UnknownRole,
    StakeBelowMinimum,
    StakeTooSmall,
    StakeAtRisk,
    NothingLeaving,
    NothingToWithdraw,
    NodeAccused,
    WitnessCannotSubmit,
    PayloadMissing,
    RoundNotCurrent,
    SubmissionWindowClosed,
    UnknownVerdict,
    AuditWindowClosed,
    AuditAlreadyOpen,
    AlreadyDecided,
    AuditsUsedUp,
    JoinedAfterSubmission,
    StakeTooRecent,
    AccusedCannotVote,
    InitiatorAlreadyVoted,
    VotingClosed,
    VotingOpen,
    AlreadyResolved,
    NotResolved,
    AlreadyClaimed,
    WindowTooLong,
    TaskPaused,
    NotPaused,
    NotRetired,
    GateClosed,
    VotesAreCommitted,
    VotesAreOpen,
    CommitmentMissing,
    CommitmentMismatch,
    AlreadyRevealed,
    RoundUndecided,
    ConvictedEarnsNothing,
    AlreadyPaid,
    NotEmpty,
    WrongPayer,
}

/// Every refusal.
pub const ALL_REFUSALS: [No; 75] = [
    No::Missing,
    No::InUse,
    No::Twice,
    No::Seeds,
    No::Funds,
    No::NotWalletOwner,
    No::Overflow,
    No::AmountZero,
    No::AuditFunctionMissing,
    No::UriTooLong,
    No::BondZero,
    No::SharesOverWhole,
    No::BonusZero,
    No::SlashZero,
    No::MaliceBelowDowntime,
    No::QuorumZero,
    No::WindowZero,
    No::SubmissionWindowTooLong,
    No::AuditWindowsTooLong,
    No::LeaveDelayTooShort,
    No::MinimumStakeZero,
    No::StakeOverBounty,
    No::UnknownRule,
    No::GateKeyMissing,
    No::MintMismatch,
    No::VaultMismatch,
    No::WrongTask,
    No::WrongNode,
    No::WrongSubmission,
    No::WrongRound,
    No::WrongAudit,
    No::NotCreator,
    No::NotOwner,
    No::NotOperator,
    No::TaskRetired,
    No::UnknownRole,
    No::StakeBelowMinimum,
    No::StakeTooSmall,
    No::StakeAtRisk,
    No::NothingLeaving,
    No::NothingToWithdraw,
    No::NodeAccused,
    No::WitnessCannotSubmit,
    No::PayloadMissing,
    No::RoundNotCurrent,
    No::SubmissionWindowClosed,
    No::UnknownVerdict,
    No::AuditWindowClosed,
    No::AuditAlreadyOpen,
    No::AlreadyDecided,
    No::AuditsUsedUp,
    No::JoinedAfterSubmission,
    No::StakeTooRecent,
    No::AccusedCannotVote,
    No::InitiatorAlreadyVoted,
    No::VotingClosed,
    No::VotingOpen,
    No::AlreadyResolved,
    No::NotResolved,
    No::AlreadyClaimed,
    No::WindowTooLong,
    No::TaskPaused,
    No::NotPaused,
    No::NotRetired,
    No::GateClosed,
    No::VotesAreCommitted,
    No::VotesAreOpen,
    No::CommitmentMissing,
    No::CommitmentMismatch,
    No::AlreadyRevealed,
    No::RoundUndecided,
    No::ConvictedEarnsNothing,
    No::AlreadyPaid,
    No::NotEmpty,
    No::WrongPayer,
];

/// What an accepted instruction does to the world.
pub type Effect = Box<dyn FnOnce(&mut World)>;
type Judged = Result<Effect, No>;

/// Lamports that each kind of account holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rents {
    pub task: u64,
    pub vault: u64,
    pub node: u64,
    pub round: u64,
    pub submission: u64,
    pub audit: u64,
    pub vote: u64,
    pub entry: u64,
}

#[derive(Clone, Debug)]
pub struct World {
    pub slot: Slot,
    pub rents: Rents,
    pub tasks: BTreeMap<u8, Task>,
    pub nodes: BTreeMap<NodeId, Node>,
    pub rounds: BTreeMap<RoundId, Round>,
    pub submissions: BTreeMap<SubmissionId, Submission>,
    pub audits: BTreeMap<AuditId, Audit>,
    pub votes: BTreeMap<VoteId, Vote>,
    pub entries: BTreeMap<EntryId, ()>,
    /// Base units by wallet.
    pub wallets: Vec<u64>,
    pub badges: BTreeMap<Badge, u64>,
    pub vaults: [u64; TASKS as usize],
    pub lamports: Vec<u64>,
    /// How often an audit ended with each outcome.
    pub outcomes: [u64; 5],
}

pub fn creator(task: u8) -> Key {
    task
}

fn require(condition: bool, no: No) -> Result<(), No> {
    if condition {
        Ok(())
    } else {
        Err(no)
    }
}

/// `amount * part / whole`, rounded down.
fn portion(amount: u64, part: u64, whole: u64) -> u64 {
    u64::try_from(u128::from(amount) * u128::from(part) / u128::from(whole)).unwrap()
}

fn bps(amount: u64, bps: u16) -> u64 {
    portion(amount, bps.into(), WHOLE as u64)
}

fn fits(sum: u128) -> Result<(), No> {
    require(sum <= u64::MAX.into(), No::Overflow)
}

impl Rules {
    pub fn longest_case(&self) -> u64 {
        self.submission + self.audit + self.commit + self.reveal
    }

    fn check(&self) -> Result<(), No> {
        let most = [self.quorum_bps, self.downtime_bps, self.malice_bps];
        require(
            most.iter().all(|bps| *bps <= 10_000)
                && u32::from(self.bonus_bps) + u32::from(self.pool_bps) <= 10_000,
            No::SharesOverWhole,
        )?;
        require(self.bonus_bps > 0, No::BonusZero)?;
        require(self.malice_bps > 0, No::SlashZero)?;
        require(
            self.malice_bps >= self.downtime_bps,
            No::MaliceBelowDowntime,
        )?;
        require(self.bond > 0, No::BondZero)?;
        require(self.quorum_votes > 0, No::QuorumZero)?;
        let windows = [self.round, self.submission, self.audit, self.reveal];
        require(windows.iter().all(|window| *window > 0), No::WindowZero)?;
        require(
            self.round <= LONGEST && self.leave_delay <= LONGEST,
            No::WindowTooLong,
        )?;
        require(self.submission <= self.round, No::SubmissionWindowTooLong)?;
        let audit = u128::from(self.audit) + u128::from(self.commit) + u128::from(self.reveal);
        fits(audit)?;
        require(audit <= self.round.into(), No::AuditWindowsTooLong)?;
        require(
            u128::from(self.leave_delay) >= audit + u128::from(self.submission),
            No::LeaveDelayTooShort,
        )?;
        require(
            self.min_stake.iter().all(|stake| *stake > 0),
            No::MinimumStakeZero,
        )?;
        require(
            self.allow_large_stake
                || u128::from(self.min_stake[0]) <= 100 * u128::from(self.bounty),
            No::StakeOverBounty,
        )?;
        require(self.weight <= 1 && self.reward <= 1, No::UnknownRule)?;
        for gate in &self.gates {
            require(*gate != Gate::Nonsense, No::UnknownRule)?;
            require(*gate != Gate::Keyless, No::GateKeyMissing)?;
        }
        Ok(())
    }
}

impl Task {
    pub fn round_start(&self, number: u64) -> Slot {
        self.start + number * self.rules.round
    }

    pub fn submission_end(&self, number: u64) -> Slot {
        self.round_start(number) + self.rules.submission
    }

    pub fn audit_end(&self, number: u64) -> Slot {
        self.submission_end(number) + self.rules.audit
    }

    fn takes_work(&self) -> Result<(), No> {
        require(self.status != Status::Retired, No::TaskRetired)?;
        require(self.status != Status::Paused, No::TaskPaused)
    }
}

impl Node {
    pub fn active(&self) -> u64 {
        self.stake - self.leaving
    }

    fn new_stake(&mut self, amount: u64, slot: Slot, rules: &Rules) {
        if slot >= self.recent_slot + rules.longest_case() {
            self.recent = 0;
        }
        self.recent += amount;
        self.recent_slot = slot;
    }

    fn open_boxes(&mut self, slot: Slot) {
        for _ in 0..2 {
            if slot >= self.boxes[0].1 {
                self.payable += self.boxes[0].0;
                self.boxes = [self.boxes[1], (0, 0)];
            }
        }
    }

    fn lock(&mut self, amount: u64, slot: Slot, delay: u64) {
        if amount == 0 {
            return;
        }
        self.earned.push((slot, amount));
        self.open_boxes(slot);
        let box_to_fill = usize::from(self.boxes[0].0 > 0);
        self.boxes[box_to_fill].0 += amount;
        self.boxes[box_to_fill].1 = slot + delay;
    }

    /// What leaves at `slot` besides stake, and what of the stake.
    fn leaves_at(&self, slot: Slot) -> (u64, u64) {
        let mut after = self.clone();
        after.open_boxes(slot);
        let stake = if slot >= self.leave_slot {
            self.leaving
        } else {
            0
        };
        (after.payable, stake)
    }
}

impl Audit {
    fn weigh(&self, rules: &Rules, stake: u64) -> u64 {
        if rules.weight == 1 {
            stake
        } else {
            1
        }
    }

    /// The weight of every told vote whose opinion is one of these.
    fn weight_of(&self, rules: &Rules, opinions: &[u8]) -> u128 {
        self.ballots
            .iter()
            .filter(|(opinion, _)| opinions.contains(opinion))
            .map(|(_, stake)| u128::from(self.weigh(rules, *stake)))
            .sum()
    }

    /// The outcome by the votes that were told.
    fn verdict(&self, rules: &Rules) -> Outcome {
        let others = self.ballots.len() - 1;
        let stake: u128 = self
            .ballots
            .iter()
            .map(|(_, stake)| u128::from(*stake))
            .sum();
        let enough = others >= rules.quorum_votes as usize
            && stake * WHOLE >= u128::from(self.eligible) * u128::from(rules.quorum_bps);
        let all = self.weight_of(rules, &[0, 1, 2]);
        if !enough {
            Outcome::NoVerdict
        } else if 2 * self.weight_of(rules, &[2]) > all {
            Outcome::Malice
        } else if 2 * self.weight_of(rules, &[1, 2]) > all {
            Outcome::Downtime
        } else if 2 * self.weight_of(rules, &[0]) > all {
            Outcome::Acquitted
        } else {
            Outcome::NoVerdict
        }
    }

    /// Whether this opinion won; `None` where none did.
    fn won(&self, opinion: u8) -> Option<bool> {
        match self.outcome {
            Outcome::Open | Outcome::NoVerdict => None,
            Outcome::Acquitted => Some(opinion == 0),
            Outcome::Downtime | Outcome::Malice => Some(opinion > 0),
        }
    }
}

/// What of a slash or bond is for the voters: what bonus and pool leave.
fn voters_part(amount: u64, rules: &Rules) -> u64 {
    bps(amount, 10_000 - rules.bonus_bps - rules.pool_bps)
}

/// Sums and counters, all derived.
impl World {
    /// Bonds and deposits that audits hold of a node.
    pub fn lent(&self, id: NodeId) -> u64 {
        let bonds: u64 = self
            .audits
            .iter()
            .filter(|(at, audit)| at.task() == id.task && audit.initiator == id.owner)
            .map(|(_, audit)| audit.bond)
            .sum();
        let deposits: u64 = self
            .votes
            .iter()
            .filter(|(at, _)| at.audit.task() == id.task && at.voter == id.owner)
            .map(|(_, vote)| vote.deposit)
            .sum();
        bonds + deposits
    }

    pub fn voting(&self, id: NodeId) -> u64 {
        self.nodes[&id].active() + self.lent(id)
    }

    pub fn active_stake(&self, task: u8) -> u64 {
        let nodes = self.nodes.keys().filter(|id| id.task == task);
        nodes.map(|id| self.voting(*id)).sum()
    }

    fn open_against(&self, id: NodeId) -> impl Iterator<Item = &Audit> {
        self.audits
            .iter()
            .filter(move |(at, audit)| {
                at.task() == id.task && audit.accused == id.owner && audit.outcome == Outcome::Open
            })
            .map(|(_, audit)| audit)
    }

    pub fn exposed(&self, id: NodeId) -> u64 {
        self.open_against(id).map(|audit| audit.exposed).sum()
    }

    pub fn open_audits(&self, id: NodeId) -> usize {
        self.open_against(id).count()
    }

    /// Accounts that need the node: its submissions, votes and accusations.
    pub fn live(&self, id: NodeId) -> usize {
        let submissions = self
            .submissions
            .keys()
            .filter(|at| at.round.task == id.task && at.owner == id.owner);
        let audits = self
            .audits
            .iter()
            .filter(|(at, audit)| at.task() == id.task && audit.initiator == id.owner);
        let votes = self
            .votes
            .keys()
            .filter(|at| at.audit.task() == id.task && at.voter == id.owner);
        submissions.count() + audits.count() + votes.count()
    }

    pub fn live_submissions(&self, round: RoundId) -> usize {
        self.submissions
            .keys()
            .filter(|at| at.round == round)
            .count()
    }

    pub fn open_in_round(&self, round: RoundId) -> usize {
        self.audits
            .iter()
            .filter(|(at, audit)| at.submission.round == round && audit.outcome == Outcome::Open)
            .count()
    }

    pub fn live_audits(&self, submission: SubmissionId) -> usize {
        self.audits
            .keys()
            .filter(|at| at.submission == submission)
            .count()
    }

    fn under_audit(&self, submission: SubmissionId) -> bool {
        self.audits
            .iter()
            .any(|(at, audit)| at.submission == submission && audit.outcome == Outcome::Open)
    }

    /// 0 submitted, 1 under audit, 2 acquitted, 3 convicted.
    pub fn submission_status(&self, id: SubmissionId) -> u8 {
        match self.submissions[&id].verdict {
            Some(Outcome::Acquitted) => 2,
            Some(_) => 3,
            None => u8::from(self.under_audit(id)),
        }
    }

    pub fn votes_of(&self, audit: AuditId) -> impl Iterator<Item = (&VoteId, &Vote)> {
        let at = |voter| VoteId { audit, voter };
        self.votes.range(at(Key::MIN)..=at(Key::MAX))
    }

    pub fn unclaimed(&self, audit: AuditId) -> usize {
        self.votes_of(audit)
            .filter(|(_, vote)| vote.state != VoteState::Claimed)
            .count()
    }

    pub fn is_over(&self) -> bool {
        self.tasks.is_empty()
    }

    pub fn accounts(&self) -> usize {
        self.tasks.len()
            + self.nodes.len()
            + self.rounds.len()
            + self.submissions.len()
            + self.audits.len()
            + self.votes.len()
            + self.entries.len()
    }

    /// What the vault of a task owes.
    pub fn ledger(&self, task: u8) -> u128 {
        let mut sum = u128::from(self.tasks[&task].pool);
        for (_, node) in self.nodes.iter().filter(|(id, _)| id.task == task) {
            sum += [node.stake, node.payable, node.boxes[0].0, node.boxes[1].0]
                .map(u128::from)
                .iter()
                .sum::<u128>();
        }
        for (_, round) in self.rounds.iter().filter(|(id, _)| id.task == task) {
            sum += u128::from(round.left);
        }
        for (_, audit) in self.audits.iter().filter(|(id, _)| id.task() == task) {
            sum += u128::from(audit.bond) + u128::from(audit.pot_left);
        }
        for (_, vote) in self.votes.iter().filter(|(id, _)| id.audit.task() == task) {
            sum += u128::from(vote.deposit);
        }
        sum
    }
}

/// Judging.
impl World {
    fn task(&self, id: u8) -> Result<&Task, No> {
        self.tasks.get(&id).ok_or(No::Missing)
    }

    fn node(&self, id: NodeId) -> Result<&Node, No> {
        self.nodes.get(&id).ok_or(No::Missing)
    }

    fn round(&self, id: RoundId) -> Result<&Round, No> {
        self.rounds.get(&id).ok_or(No::Missing)
    }

    fn submission(&self, id: SubmissionId) -> Result<&Submission, No> {
        self.submissions.get(&id).ok_or(No::Missing)
    }

    fn audit(&self, id: AuditId) -> Result<&Audit, No> {
        self.audits.get(&id).ok_or(No::Missing)
    }

    fn vote(&self, id: VoteId) -> Result<&Vote, No> {
        self.votes.get(&id).ok_or(No::Missing)
    }

    /// The vault and a wallet: both exist, the wallet is of the mint, the vault the task's.
    fn money(&self, task: u8, vault: u8, wallet: Wallet) -> Result<(), No> {
        require(wallet != FOREIGN, No::MintMismatch)?;
        require(vault == task, No::VaultMismatch)
    }

    /// The token program's part of a deposit.
    fn pays(&self, source: Wallet, signer: Key, amount: u64) -> Result<(), No> {
        require(self.wallets[usize::from(source)] >= amount, No::Funds)?;
        require(owner_of(source) == signer, No::NotWalletOwner)
    }

    fn by_owner(&self, task: u8, id: NodeId, signer: Key) -> Result<(), No> {
        require(id.task == task, No::WrongTask)?;
        require(id.owner == signer, No::NotOwner)
    }

    fn by_operator(&self, task: u8, id: NodeId, signer: Key) -> Result<(), No> {
        require(id.task == task, No::WrongTask)?;
        require(self.nodes[&id].operator == signer, No::NotOperator)
    }

    /// Whether the owner holds a token of a member of the group, by the accounts that are shown: the token account and its mint.
    pub fn holds_member(&self, group: u8, owner: Key, shown: Shown) -> Result<(), Flaw> {
        let proof = shown.proof.ok_or(Flaw::NoProof)?;
        let named = shown.mint.ok_or(Flaw::NoMint)?;
        let (mint, holder, tokens) = match proof {
            Proof::Badge(badge) => (badge.mint, badge.owner, self.badges[&badge]),
            Proof::Wallet(wallet) if wallet != FOREIGN => (
                Mint::Money,
                owner_of(wallet),
                self.wallets[usize::from(wallet)],
            ),
            _ => return Err(Flaw::NoTokens),
        };
        if named != Proof::Mint(mint) {
            return Err(Flaw::MintOfAnother);
        }
        if holder != owner {
            return Err(Flaw::WalletOfAnother);
        }
        match mint {
            Mint::Member { group: of, .. } if of == group => {}
            Mint::Member { .. } => return Err(Flaw::OtherGroup),
            Mint::Money => return Err(Flaw::OldToken),
            Mint::Group(_) | Mint::Pointer | Mint::Plain => return Err(Flaw::NoMember),
        }
        if tokens == 0 {
            return Err(Flaw::Empty);
        }
        Ok(())
    }

    fn passes(&self, task: u8, role: u8, owner: Key, shown: Shown) -> Result<(), No> {
        let gate = self.tasks[&task].rules.gates[usize::from(role)];
        let admitted = match (gate, shown.proof) {
            (Gate::Open, _) => true,
            (Gate::Allowlist, Some(Proof::Entry(entry))) => {
                self.entries.contains_key(&entry) && entry == EntryId { task, role, owner }
            }
            (Gate::Token { least }, Some(Proof::Wallet(wallet))) => {
                wallet != FOREIGN
                    && owner_of(wallet) == owner
                    && self.wallets[usize::from(wallet)] >= least
            }
            (Gate::Collection { group }, _) => self.holds_member(group, owner, shown).is_ok(),
            (Gate::Standing { task, least, most }, Some(Proof::Node(id))) => {
                id == NodeId { task, owner }
                    && self.nodes.get(&id).is_some_and(|node| {
                        u64::from(node.rounds_paid) >= least
                            && u64::from(node.convictions[0]) + u64::from(node.convictions[1])
                                <= most.into()
                    })
            }
            (Gate::Member { task }, Some(Proof::Node(id))) => {
                id == NodeId { task, owner }
                    && self.nodes.get(&id).is_some_and(|node| node.active() > 0)
            }
            _ => false,
        };
        require(admitted, No::GateClosed)
    }

    /// The gate that the instruction comes to, of which role, for which owner, and what is shown there.
    pub fn gate_of(&self, ix: &Ix) -> Option<(Gate, u8, Key, Shown)> {
        let role_of = |id: NodeId| self.nodes.get(&id).map(|node| node.role);
        let (id, role, shown) = match *ix {
            Ix::JoinTask {
                node, role, shown, ..
            } => (node, Some(role), shown),
            Ix::OpenAudit {
                initiator, shown, ..
            } => (initiator, role_of(initiator), shown),
            Ix::SubmitWork { node, shown, .. }
            | Ix::CastVote { node, shown, .. }
            | Ix::CommitVote { node, shown, .. } => (node, role_of(node), shown),
            _ => return None,
        };
        let (task, role) = (self.tasks.get(&id.task)?, role?);
        let gate = task.rules.gates.get(usize::from(role))?;
        Some((*gate, role, id.owner, shown))
    }

    fn min_stake(&self, id: NodeId) -> u64 {
        self.tasks[&id.task].rules.min_stake[usize::from(self.nodes[&id].role)]
    }

    /// What a vote of the node weighs on a submission of `slot`.
    fn weight_on(&self, id: NodeId, slot: Slot) -> Result<u64, No> {
        let node = &self.nodes[&id];
        require(node.joined < slot, No::JoinedAfterSubmission)?;
        let mut weight = self.voting(id);
        if node.recent_slot >= slot {
            weight -= node.recent;
        }
        require(weight >= self.min_stake(id), No::StakeTooRecent)?;
        Ok(weight)
    }

    fn may_lend(&self, id: NodeId, amount: u64) -> Result<(), No> {
        let node = &self.nodes[&id];
        require(amount <= node.active(), No::StakeTooSmall)?;
        require(
            node.active() - amount >= self.min_stake(id),
            No::StakeBelowMinimum,
        )?;
        require(node.stake - amount >= self.exposed(id), No::StakeAtRisk)
    }

    /// What the instruction does, or the error that refuses it. In order: one account in two places, accounts that don't exist,
    /// accounts that exist but are to be made, accounts that don't belong together, and then the instruction's own checks.
    pub fn judge(&self, ix: &Ix) -> Judged {
        match ix {
            Ix::CreateTask {
                task,
                rules,
                audit_function,
                uris,
            } => self.create_task(*task, rules, *audit_function, *uris),
            Ix::FundTask { .. }
            | Ix::PauseTask { .. }
            | Ix::ResumeTask { .. }
            | Ix::RetireTask { .. }
            | Ix::CloseTask { .. }
            | Ix::AllowNode { .. }
            | Ix::DisallowNode { .. } => self.judge_task(ix),
            Ix::JoinTask { .. }
            | Ix::AddStake { .. }
            | Ix::RequestLeave { .. }
            | Ix::CancelLeave { .. }
            | Ix::Withdraw { .. }
            | Ix::SetOperator { .. } => self.judge_node(ix),
            Ix::SubmitWork { .. } => self.submit_work(ix),
            Ix::OpenAudit { .. } => self.open_audit(ix),
            Ix::CastVote { .. } | Ix::CommitVote { .. } | Ix::RevealVote { .. } => {
                self.judge_vote(ix)
            }
            Ix::ResolveAudit { .. } => self.resolve_audit(ix),
            Ix::ClaimVote { .. } => self.claim_vote(ix),
            Ix::ClaimBounty { .. } => self.claim_bounty(ix),
            _ => self.judge_close(ix),
        }
    }

    fn create_task(&self, id: u8, rules: &Rules, function: bool, uris: [usize; 2]) -> Judged {
        require(!self.tasks.contains_key(&id), No::InUse)?;
        rules.check()?;
        require(uris[0] <= URI, No::UriTooLong)?;
        require(function, No::AuditFunctionMissing)?;
        require(uris[1] <= URI, No::UriTooLong)?;
        let task = Task {
            start: self.slot,
            rules: rules.clone(),
            pool: 0,
            status: Status::Active,
            gifts: 0,
        };
        Ok(Box::new(move |world| {
            world.tasks.insert(id, task);
            let rent = world.rents.task + world.rents.vault;
            world.lamports[usize::from(creator(id))] -= rent;
        }))
    }

    fn judge_task(&self, ix: &Ix) -> Judged {
        match *ix {
            Ix::FundTask {
                task: id,
                funder,
                source,
                vault,
                amount,
            } => {
                let task = self.task(id)?;
                self.task(vault)?;
                self.money(id, vault, source)?;
                require(amount > 0, No::AmountZero)?;
                require(task.status != Status::Retired, No::TaskRetired)?;
                fits(u128::from(task.pool) + u128::from(amount))?;
                self.pays(source, funder, amount)?;
                Ok(Box::new(move |world| {
                    world.deposit(id, source, amount);
                    world.pool(id, amount);
                }))
            }
            Ix::PauseTask { task: id, signer } => {
                let task = self.task(id)?;
                require(signer == creator(id), No::NotCreator)?;
                task.takes_work()?;
                Ok(Box::new(move |world| world.set_status(id, Status::Paused)))
            }
            Ix::ResumeTask { task: id, signer } => {
                let task = self.task(id)?;
                require(signer == creator(id), No::NotCreator)?;
                require(task.status != Status::Retired, No::TaskRetired)?;
                require(task.status == Status::Paused, No::NotPaused)?;
                Ok(Box::new(move |world| world.set_status(id, Status::Active)))
            }
            Ix::RetireTask {
                task: id,
                signer,
                vault,
                destination,
            } => {
                let task = self.task(id)?;
                self.task(vault)?;
                require(signer == creator(id), No::NotCreator)?;
                require(vault == id, No::VaultMismatch)?;
                require(destination != FOREIGN, No::MintMismatch)?;
                let amount = task.pool;
                Ok(Box::new(move |world| {
                    world.set_status(id, Status::Retired);
                    world.tasks.get_mut(&id).unwrap().pool = 0;
                    world.pay_out(id, destination, amount);
                }))
            }
            Ix::CloseTask {
                task: id,
                signer,
                vault,
                destination,
            } => {
                let task = self.task(id)?;
                self.task(vault)?;
                require(signer == creator(id), No::NotCreator)?;
                require(vault == id, No::VaultMismatch)?;
                require(destination != FOREIGN, No::MintMismatch)?;
                require(task.status == Status::Retired, No::NotRetired)?;
                let empty = self.nodes.keys().all(|node| node.task != id)
                    && self.rounds.keys().all(|round| round.task != id)
                    && self.entries.keys().all(|entry| entry.task != id);
                require(empty, No::NotEmpty)?;
                Ok(Box::new(move |world| {
                    let all = world.vaults[usize::from(id)];
                    world.pay_out(id, destination, all);
                    world.tasks.remove(&id);
                    let rent = world.rents.task + world.rents.vault;
                    world.lamports[usize::from(signer)] += rent;
                }))
            }
            Ix::AllowNode { signer, entry } => {
                self.task(entry.task)?;
                require(!self.entries.contains_key(&entry), No::InUse)?;
                require(signer == creator(entry.task), No::NotCreator)?;
                require(entry.role <= 1, No::UnknownRole)?;
                Ok(Box::new(move |world| {
                    world.entries.insert(entry, ());
                    world.lamports[usize::from(signer)] -= world.rents.entry;
                }))
            }
            Ix::DisallowNode {
                task,
                signer,
                entry,
            } => {
                self.task(task)?;
                require(self.entries.contains_key(&entry), No::Missing)?;
                require(signer == creator(task), No::NotCreator)?;
                require(entry.task == task, No::WrongTask)?;
                Ok(Box::new(move |world| {
                    world.entries.remove(&entry);
                    world.lamports[usize::from(signer)] += world.rents.entry;
                }))
            }
            _ => unreachable!(),
        }
    }

    fn judge_node(&self, ix: &Ix) -> Judged {
        match *ix {
            Ix::JoinTask {
                node: id,
                role,
                operator,
                amount,
                source,
                vault,
                shown,
            } => {
                // A wallet can't pay and be shown at once.
                require(
                    !shown.has(Proof::Wallet(source)) && !shown.has(Proof::Node(id)),
                    No::Twice,
                )?;
                let task = self.task(id.task)?;
                self.task(vault)?;
                require(!self.nodes.contains_key(&id), No::InUse)?;
                self.money(id.task, vault, source)?;
                task.takes_work()?;
                require(role <= 1, No::UnknownRole)?;
                self.passes(id.task, role, id.owner, shown)?;
                require(
                    amount >= task.rules.min_stake[usize::from(role)],
                    No::StakeBelowMinimum,
                )?;
                fits(u128::from(self.active_stake(id.task)) + u128::from(amount))?;
                self.pays(source, id.owner, amount)?;
                Ok(Box::new(move |world| {
                    world.deposit(id.task, source, amount);
                    world.nodes.insert(
                        id,
                        Node {
                            operator,
                            role,
                            joined: world.slot,
                            stake: amount,
                            recent: amount,
                            recent_slot: world.slot,
                            ..Node::default()
                        },
                    );
                    world.lamports[usize::from(id.owner)] -= world.rents.node;
                }))
            }
            Ix::AddStake {
                task,
                node: id,
                signer,
                amount,
                source,
                vault,
            } => {
                self.task(task)?;
                let node = self.node(id)?;
                self.task(vault)?;
                self.by_owner(task, id, signer)?;
                self.money(task, vault, source)?;
                require(amount > 0, No::AmountZero)?;
                fits(u128::from(node.stake) + u128::from(amount))?;
                fits(u128::from(node.recent) + u128::from(amount))?;
                fits(u128::from(self.voting(id)) + u128::from(amount))?;
                fits(u128::from(self.active_stake(task)) + u128::from(amount))?;
                self.pays(source, signer, amount)?;
                Ok(Box::new(move |world| {
                    world.deposit(task, source, amount);
                    let (slot, rules) = (world.slot, world.rules(task));
                    let node = world.nodes.get_mut(&id).unwrap();
                    node.stake += amount;
                    node.new_stake(amount, slot, &rules);
                }))
            }
            Ix::RequestLeave {
                task,
                node: id,
                signer,
                amount,
            } => {
                self.task(task)?;
                let node = self.node(id)?;
                self.by_owner(task, id, signer)?;
                let amount = amount.unwrap_or(node.active());
                require(amount > 0, No::AmountZero)?;
                require(amount <= node.active(), No::StakeTooSmall)?;
                let stays = node.active() - amount;
                require(
                    stays == 0 || stays >= self.min_stake(id),
                    No::StakeBelowMinimum,
                )?;
                Ok(Box::new(move |world| {
                    let until = world.slot + world.rules(task).leave_delay;
                    let node = world.nodes.get_mut(&id).unwrap();
                    node.leaving += amount;
                    node.leave_slot = until;
                    world.cap_recent(id);
                }))
            }
            Ix::CancelLeave {
                task,
                node: id,
                signer,
            } => {
                self.task(task)?;
                let node = self.node(id)?;
                self.by_owner(task, id, signer)?;
                require(node.leaving > 0, No::NothingLeaving)?;
                Ok(Box::new(move |world| {
                    let (slot, rules) = (world.slot, world.rules(task));
                    let node = world.nodes.get_mut(&id).unwrap();
                    let amount = std::mem::take(&mut node.leaving);
                    node.leave_slot = 0;
                    node.new_stake(amount, slot, &rules);
                }))
            }
            Ix::Withdraw {
                task,
                node: id,
                signer,
                vault,
                destination,
            } => {
                self.task(task)?;
                let node = self.node(id)?;
                self.task(vault)?;
                self.by_owner(task, id, signer)?;
                require(vault == task, No::VaultMismatch)?;
                require(destination != FOREIGN, No::MintMismatch)?;
                let accused = self.open_audits(id) > 0;
                let (rewards, stake) = node.leaves_at(self.slot);
                let stake = if accused { 0 } else { stake };
                require(rewards + stake > 0 || !accused, No::NodeAccused)?;
                require(rewards + stake > 0, No::NothingToWithdraw)?;
                Ok(Box::new(move |world| {
                    let slot = world.slot;
                    let node = world.nodes.get_mut(&id).unwrap();
                    node.open_boxes(slot);
                    node.payable = 0;
                    node.rewards_out += rewards;
                    if !accused && slot >= node.leave_slot {
                        node.stake -= stake;
                        node.leaving = 0;
                        node.leave_slot = 0;
                    }
                    world.pay_out(task, destination, rewards + stake);
                    world.check_locks(id);
                }))
            }
            Ix::SetOperator {
                node: id,
                signer,
                operator,
            } => {
                self.node(id)?;
                require(id.owner == signer, No::NotOwner)?;
                Ok(Box::new(move |world| {
                    world.nodes.get_mut(&id).unwrap().operator = operator;
                }))
            }
            _ => unreachable!(),
        }
    }

    fn submit_work(&self, ix: &Ix) -> Judged {
        let Ix::SubmitWork {
            task: at,
            node: id,
            signer,
            round: named,
            number,
            payload,
            uri,
            shown,
        } = *ix
        else {
            unreachable!()
        };
        let round = RoundId { task: at, number };
        let submission = SubmissionId {
            round,
            owner: id.owner,
        };
        require(!shown.has(Proof::Node(id)), No::Twice)?;
        let task = self.task(at)?;
        let node = self.node(id)?;
        require(!self.submissions.contains_key(&submission), No::InUse)?;
        self.by_operator(at, id, signer)?;
        task.takes_work()?;
        require(node.role == 0, No::WitnessCannotSubmit)?;
        self.passes(at, 0, id.owner, shown)?;
        require(payload, No::PayloadMissing)?;
        require(
            node.active() >= task.rules.min_stake[0],
            No::StakeBelowMinimum,
        )?;
        require(
            number == (self.slot - task.start) / task.rules.round,
            No::RoundNotCurrent,
        )?;
        require(
            self.slot < task.submission_end(number),
            No::SubmissionWindowClosed,
        )?;
        // A round that exists is known by what it holds, a new one by its address.
        if self.rounds.contains_key(&named) {
            require(named.task == at, No::WrongTask)?;
            require(named.number == number, No::WrongRound)?;
        } else {
            require(named == round, No::Seeds)?;
        }
        require(uri <= URI, No::UriTooLong)?;
        let others_stake = self.active_stake(at) - self.voting(id);
        Ok(Box::new(move |world| {
            if !world.rounds.contains_key(&round) {
                let task = world.tasks.get_mut(&at).unwrap();
                let reserve = task.rules.bounty.min(task.pool);
                task.pool -= reserve;
                world.rounds.insert(
                    round,
                    Round {
                        payer: signer,
                        reserve,
                        left: reserve,
                        submissions: 0,
                        convictions: 0,
                        paid: 0,
                    },
                );
                world.lamports[usize::from(signer)] -= world.rents.round;
            }
            world.rounds.get_mut(&round).unwrap().submissions += 1;
            world.nodes.get_mut(&id).unwrap().submissions += 1;
            world.submissions.insert(
                submission,
                Submission {
                    payer: signer,
                    slot: world.slot,
                    others_stake,
                    audits: 0,
                    paid: false,
                    verdict: None,
                },
            );
            world.lamports[usize::from(signer)] -= world.rents.submission;
        }))
    }

    fn open_audit(&self, ix: &Ix) -> Judged {
        let Ix::OpenAudit {
            task: at,
            submission: of,
            round,
            accused,
            initiator,
            signer,
            attempt,
            accusation,
            shown,
        } = *ix
        else {
            unreachable!()
        };
        require(
            accused != initiator
                && !shown.has(Proof::Node(accused))
                && !shown.has(Proof::Node(initiator)),
            No::Twice,
        )?;
        let task = self.task(at)?;
        let submission = self.submission(of)?;
        self.round(round)?;
        let accused_node = self.node(accused)?;
        self.node(initiator)?;
        require(attempt == submission.audits, No::Seeds)?;
        require(of.round.task == at, No::WrongTask)?;
        require(round.task == at, No::WrongTask)?;
        require(round.number == of.round.number, No::WrongRound)?;
        require(accused.task == at, No::WrongTask)?;
        require(accused.owner == of.owner, No::WrongNode)?;
        self.by_operator(at, initiator, signer)?;

        require(task.status != Status::Paused, No::TaskPaused)?;
        require(accusation == 1 || accusation == 2, No::UnknownVerdict)?;
        require(
            self.slot < task.audit_end(round.number),
            No::AuditWindowClosed,
        )?;
        self.passes(at, self.nodes[&initiator].role, initiator.owner, shown)?;
        let weight = self.weight_on(initiator, submission.slot)?;
        require(!self.under_audit(of), No::AuditAlreadyOpen)?;
        require(submission.verdict.is_none(), No::AlreadyDecided)?;
        require(submission.audits < MOST_AUDITS, No::AuditsUsedUp)?;
        let bond = task.rules.bond;
        self.may_lend(initiator, bond)?;

        let others = self.active_stake(at) - self.voting(accused);
        let reveal = self.slot + task.rules.commit;
        let audit = Audit {
            initiator: initiator.owner,
            accused: accused.owner,
            payer: signer,
            opened: self.slot,
            reveal,
            end: reveal + task.rules.reveal,
            submission_slot: submission.slot,
            accused_stake: accused_node.stake,
            exposed: bps(accused_node.stake, task.rules.malice_bps),
            eligible: others.min(submission.others_stake),
            bond,
            deposit: task.rules.deposit,
            accusation,
            outcome: Outcome::Open,
            ballots: vec![(accusation, weight)],
            pot: 0,
            pot_weight: 0,
            pot_left: 0,
            pot_paid: 0,
        };
        self.check_weight(initiator, submission.slot, weight);
        Ok(Box::new(move |world| {
            world.nodes.get_mut(&initiator).unwrap().stake -= bond;
            world.submissions.get_mut(&of).unwrap().audits += 1;
            world.audits.insert(
                AuditId {
                    submission: of,
                    attempt,
                },
                audit,
            );
            world.lamports[usize::from(signer)] -= world.rents.audit;
        }))
    }

    fn judge_vote(&self, ix: &Ix) -> Judged {
        match *ix {
            Ix::CastVote {
                task,
                audit: of,
                node,
                signer,
                opinion,
                shown,
            } => {
                let audit = self.seat(task, of, node, signer, shown)?;
                require(opinion <= 2, No::UnknownVerdict)?;
                require(audit.reveal == audit.opened, No::VotesAreCommitted)?;
                require(
                    audit.reveal <= self.slot && self.slot < audit.end,
                    No::VotingClosed,
                )?;
                self.take_seat(of, node, signer, shown, None, Some(opinion))
            }
            Ix::CommitVote {
                task,
                audit: of,
                node,
                signer,
                sealed,
                shown,
            } => {
                let audit = self.seat(task, of, node, signer, shown)?;
                require(sealed.is_some(), No::CommitmentMissing)?;
                require(audit.reveal > audit.opened, No::VotesAreOpen)?;
                require(self.slot < audit.reveal, No::VotingClosed)?;
                self.take_seat(of, node, signer, shown, sealed, None)
            }
            Ix::RevealVote {
                audit: of,
                node,
                vote: id,
                signer,
                opinion,
                salt,
            } => {
                let audit = self.audit(of)?;
                self.node(node)?;
                let vote = self.vote(id)?;
                require(id.audit == of, No::WrongAudit)?;
                require(node.task == of.task(), No::WrongTask)?;
                require(node.owner == id.voter, No::WrongNode)?;
                require(self.nodes[&node].operator == signer, No::NotOperator)?;
                require(opinion <= 2, No::UnknownVerdict)?;
                require(
                    audit.reveal <= self.slot && self.slot < audit.end,
                    No::VotingClosed,
                )?;
                require(vote.state == VoteState::Committed, No::AlreadyRevealed)?;
                let told = Sealed {
                    audit: of,
                    voter: id.voter,
                    opinion,
                    salt,
                };
                require(vote.sealed == Some(told), No::CommitmentMismatch)?;
                let weight = vote.weight;
                Ok(Box::new(move |world| {
                    let vote = world.votes.get_mut(&id).unwrap();
                    vote.opinion = Some(opinion);
                    vote.state = VoteState::Revealed;
                    let audit = world.audits.get_mut(&of).unwrap();
                    audit.ballots.push((opinion, weight));
                }))
            }
            _ => unreachable!(),
        }
    }

    /// What comes before the checks of a vote that is cast or committed.
    fn seat(
        &self,
        task: u8,
        of: AuditId,
        node: NodeId,
        signer: Key,
        shown: Shown,
    ) -> Result<&Audit, No> {
        require(!shown.has(Proof::Node(node)), No::Twice)?;
        self.task(task)?;
        let audit = self.audit(of)?;
        self.node(node)?;
        let id = VoteId {
            audit: of,
            voter: node.owner,
        };
        require(!self.votes.contains_key(&id), No::InUse)?;
        require(of.task() == task, No::WrongTask)?;
        self.by_operator(task, node, signer)?;
        Ok(audit)
    }

    fn take_seat(
        &self,
        of: AuditId,
        node: NodeId,
        signer: Key,
        shown: Shown,
        sealed: Option<Sealed>,
        opinion: Option<u8>,
    ) -> Judged {
        let audit = &self.audits[&of];
        require(node.owner != audit.accused, No::AccusedCannotVote)?;
        require(node.owner != audit.initiator, No::InitiatorAlreadyVoted)?;
        let weight = self.weight_on(node, audit.submission_slot)?;
        self.passes(node.task, self.nodes[&node].role, node.owner, shown)?;
        let deposit = audit.deposit;
        if deposit > 0 {
            self.may_lend(node, deposit)?;
        }
        self.check_weight(node, audit.submission_slot, weight);
        let id = VoteId {
            audit: of,
            voter: node.owner,
        };
        Ok(Box::new(move |world| {
            world.nodes.get_mut(&node).unwrap().stake -= deposit;
            if let Some(opinion) = opinion {
                let audit = world.audits.get_mut(&of).unwrap();
                audit.ballots.push((opinion, weight));
            }
            world.votes.insert(
                id,
                Vote {
                    payer: signer,
                    sealed,
                    opinion,
                    weight,
                    deposit,
                    state: if opinion.is_some() {
                        VoteState::Revealed
                    } else {
                        VoteState::Committed
                    },
                },
            );
            world.lamports[usize::from(signer)] -= world.rents.vote;
        }))
    }

    fn resolve_audit(&self, ix: &Ix) -> Judged {
        let Ix::ResolveAudit {
            task,
            audit: of,
            submission,
            round,
            accused,
            initiator,
        } = *ix
        else {
            unreachable!()
        };
        require(accused != initiator, No::Twice)?;
        self.task(task)?;
        let audit = self.audit(of)?;
        self.submission(submission)?;
        self.round(round)?;
        self.node(accused)?;
        self.node(initiator)?;
        require(of.task() == task, No::WrongTask)?;
        require(of.submission == submission, No::WrongSubmission)?;
        require(round.task == task, No::WrongTask)?;
        require(round.number == submission.round.number, No::WrongRound)?;
        require(accused.task == task, No::WrongTask)?;
        require(accused.owner == audit.accused, No::WrongNode)?;
        require(initiator.task == task, No::WrongTask)?;
        require(initiator.owner == audit.initiator, No::WrongNode)?;
        require(audit.outcome == Outcome::Open, No::AlreadyResolved)?;
        require(self.slot >= audit.end, No::VotingOpen)?;
        Ok(Box::new(move |world| world.resolve(of)))
    }

    fn claim_vote(&self, ix: &Ix) -> Judged {
        let Ix::ClaimVote {
            task,
            audit: of,
            vote: id,
            node,
        } = *ix
        else {
            unreachable!()
        };
        self.task(task)?;
        let audit = self.audit(of)?;
        let vote = self.vote(id)?;
        self.node(node)?;
        require(of.task() == task, No::WrongTask)?;
        require(id.audit == of, No::WrongAudit)?;
        require(node.task == task, No::WrongTask)?;
        require(node.owner == id.voter, No::WrongNode)?;
        require(audit.outcome != Outcome::Open, No::NotResolved)?;
        require(vote.state != VoteState::Claimed, No::AlreadyClaimed)?;
        Ok(Box::new(move |world| world.claim(id)))
    }

    fn claim_bounty(&self, ix: &Ix) -> Judged {
        let Ix::ClaimBounty {
            task: at,
            round: id,
            submission: of,
            node,
        } = *ix
        else {
            unreachable!()
        };
        let task = self.task(at)?;
        let round = self.round(id)?;
        let submission = self.submission(of)?;
        self.node(node)?;
        require(id.task == at, No::WrongTask)?;
        require(id.number == of.round.number, No::WrongRound)?;
        require(of.round.task == at, No::WrongTask)?;
        require(node.task == at, No::WrongTask)?;
        require(node.owner == of.owner, No::WrongNode)?;
        require(self.slot >= task.audit_end(id.number), No::RoundUndecided)?;
        require(self.submission_status(of) != 3, No::ConvictedEarnsNothing)?;
        require(!submission.paid, No::AlreadyPaid)?;
        require(self.open_in_round(id) == 0, No::RoundUndecided)?;
        let share = round.reserve / u64::from(round.submissions);
        Ok(Box::new(move |world| {
            let round = world.rounds.get_mut(&id).unwrap();
            round.left -= share;
            round.paid += 1;
            world.submissions.get_mut(&of).unwrap().paid = true;
            let node = world.nodes.get_mut(&node).unwrap();
            node.payable += share;
            node.bounties += share;
            node.rounds_paid += u32::from(share > 0);
        }))
    }

    fn judge_close(&self, ix: &Ix) -> Judged {
        match *ix {
            Ix::CloseVote {
                audit: of,
                node,
                vote: id,
                payer,
            } => {
                self.audit(of)?;
                self.node(node)?;
                let vote = self.vote(id)?;
                require(id.audit == of, No::WrongAudit)?;
                require(node.task == of.task(), No::WrongTask)?;
                require(node.owner == id.voter, No::WrongNode)?;
                require(vote.payer == payer, No::WrongPayer)?;
                require(vote.state == VoteState::Claimed, No::NotEmpty)?;
                Ok(Box::new(move |world| {
                    world.votes.remove(&id);
                    world.lamports[usize::from(payer)] += world.rents.vote;
                }))
            }
            Ix::CloseAudit {
                submission,
                initiator,
                audit: id,
                payer,
            } => {
                self.submission(submission)?;
                self.node(initiator)?;
                let audit = self.audit(id)?;
                require(id.submission == submission, No::WrongSubmission)?;
                require(initiator.task == id.task(), No::WrongTask)?;
                require(initiator.owner == audit.initiator, No::WrongNode)?;
                require(audit.payer == payer, No::WrongPayer)?;
                require(audit.outcome != Outcome::Open, No::NotResolved)?;
                require(self.votes_of(id).next().is_none(), No::NotEmpty)?;
                Ok(Box::new(move |world| {
                    world.audits.remove(&id);
                    world.lamports[usize::from(payer)] += world.rents.audit;
                }))
            }
            Ix::CloseSubmission {
                task: at,
                round,
                node,
                submission: id,
                payer,
            } => {
                let task = self.task(at)?;
                self.round(round)?;
                self.node(node)?;
                let submission = self.submission(id)?;
                require(at == id.round.task, No::WrongTask)?;
                require(round.task == id.round.task, No::WrongTask)?;
                require(round.number == id.round.number, No::WrongRound)?;
                require(node.task == id.round.task, No::WrongTask)?;
                require(node.owner == id.owner, No::WrongNode)?;
                require(submission.payer == payer, No::WrongPayer)?;
                require(
                    self.slot >= task.submission_end(round.number),
                    No::RoundUndecided,
                )?;
                let settled = submission.paid || self.submission_status(id) == 3;
                require(settled && self.live_audits(id) == 0, No::NotEmpty)?;
                Ok(Box::new(move |world| {
                    world.submissions.remove(&id);
                    world.lamports[usize::from(payer)] += world.rents.submission;
                }))
            }
            Ix::CloseRound {
                task: at,
                round: id,
                payer,
            } => {
                self.task(at)?;
                let round = self.round(id)?;
                require(id.task == at, No::WrongTask)?;
                require(round.payer == payer, No::WrongPayer)?;
                require(self.live_submissions(id) == 0, No::NotEmpty)?;
                let left = round.left;
                Ok(Box::new(move |world| {
                    world.pool(at, left);
                    world.rounds.remove(&id);
                    world.lamports[usize::from(payer)] += world.rents.round;
                }))
            }
            Ix::CloseNode {
                closer,
                task: at,
                node: id,
                owner,
            } => {
                let task = self.task(at)?;
                let node = self.node(id)?;
                require(id.task == at, No::WrongTask)?;
                require(id.owner == owner, No::WrongPayer)?;
                require(
                    closer == id.owner || task.status == Status::Retired,
                    No::NotRetired,
                )?;
                let owns = [node.stake, node.payable, node.boxes[0].0, node.boxes[1].0];
                require(
                    owns.iter().all(|amount| *amount == 0)
                        && self.lent(id) == 0
                        && self.live(id) == 0,
                    No::NotEmpty,
                )?;
                Ok(Box::new(move |world| {
                    world.nodes.remove(&id);
                    world.lamports[usize::from(owner)] += world.rents.node;
                }))
            }
            _ => unreachable!(),
        }
    }
}

/// Changing.
impl World {
    fn rules(&self, task: u8) -> Rules {
        self.tasks[&task].rules.clone()
    }

    fn set_status(&mut self, task: u8, status: Status) {
        self.tasks.get_mut(&task).unwrap().status = status;
    }

    fn pool(&mut self, task: u8, amount: u64) {
        self.tasks.get_mut(&task).unwrap().pool += amount;
    }

    fn deposit(&mut self, task: u8, source: Wallet, amount: u64) {
        self.wallets[usize::from(source)] -= amount;
        self.vaults[usize::from(task)] += amount;
    }

    fn pay_out(&mut self, task: u8, destination: Wallet, amount: u64) {
        self.vaults[usize::from(task)] -= amount;
        self.wallets[usize::from(destination)] += amount;
    }

    pub fn gift(&mut self, task: u8, from: Wallet, amount: u64) {
        self.deposit(task, from, amount);
        self.tasks.get_mut(&task).unwrap().gifts += amount;
    }

    pub fn pass(&mut self, badge: Badge, to: Key) {
        *self.badges.get_mut(&badge).unwrap() -= 1;
        *self.badges.get_mut(&Badge { owner: to, ..badge }).unwrap() += 1;
    }

    /// Recent stake is never more than all.
    fn cap_recent(&mut self, id: NodeId) {
        let voting = self.voting(id);
        let node = self.nodes.get_mut(&id).unwrap();
        node.recent = node.recent.min(voting);
    }

    /// A bond or deposit that no audit holds any more goes back. A node that leaves with all it has takes it along.
    fn give_back(&mut self, id: NodeId, amount: u64) {
        let node = self.nodes.get_mut(&id).unwrap();
        let leaves = node.leaving > 0 && node.leaving == node.stake;
        node.stake += amount;
        if leaves {
            node.leaving += amount;
        }
        self.cap_recent(id);
    }

    fn resolve(&mut self, of: AuditId) {
        let task = of.task();
        let (slot, rules) = (self.slot, self.rules(task));
        let audit = self.audits.get_mut(&of).unwrap();
        let outcome = audit.verdict(&rules);
        audit.outcome = outcome;
        let bond = std::mem::take(&mut audit.bond);
        let audit = audit.clone();
        self.outcomes[outcome as usize] += 1;
        let (accused, initiator) = (
            NodeId {
                task,
                owner: audit.accused,
            },
            NodeId {
                task,
                owner: audit.initiator,
            },
        );
        let mut pot = (0, 0, 0);
        match outcome {
            Outcome::Open => unreachable!(),
            Outcome::NoVerdict => self.give_back(initiator, bond),
            Outcome::Acquitted => {
                let voters = voters_part(bond, &rules);
                let weight = if rules.reward == 0 {
                    // Everyone who voted but the initiator, whose bond it is.
                    audit.weight_of(&rules, &[0, 1, 2])
                        - u128::from(audit.weigh(&rules, audit.ballots[0].1))
                } else {
                    audit.weight_of(&rules, &[0])
                };
                pot = (voters, 0, weight);
                self.cap_recent(initiator);
                self.nodes.get_mut(&initiator).unwrap().against_majority += 1;
                let node = self.nodes.get_mut(&accused).unwrap();
                node.lock(bond - voters, slot, rules.leave_delay);
            }
            Outcome::Downtime | Outcome::Malice => {
                let malice = outcome == Outcome::Malice;
                let due = bps(
                    audit.accused_stake,
                    if malice {
                        rules.malice_bps
                    } else {
                        rules.downtime_bps
                    },
                );
                let node = self.nodes.get_mut(&accused).unwrap();
                let slash = due.min(node.stake);
                node.stake -= slash;
                node.leaving -= slash.min(node.leaving);
                if node.leaving == 0 {
                    node.leave_slot = 0;
                }
                node.convictions[usize::from(malice)] += 1;
                self.cap_recent(accused);

                let (bonus, voters) = (bps(slash, rules.bonus_bps), voters_part(slash, &rules));
                let weight = if rules.reward == 0 {
                    audit.weight_of(&rules, &[0, 1, 2])
                } else {
                    audit.weight_of(&rules, &[1, 2])
                };
                let own = audit.weigh(&rules, audit.ballots[0].1);
                let share = portion(voters, own, u64::try_from(weight).unwrap());
                pot = (voters, share, weight);
                self.give_back(initiator, bond);
                let node = self.nodes.get_mut(&initiator).unwrap();
                node.with_majority += 1;
                node.lock(bonus + share, slot, rules.leave_delay);
                self.pool(task, slash - bonus - voters);
                self.rounds
                    .get_mut(&of.submission.round)
                    .unwrap()
                    .convictions += 1;
            }
        }
        if outcome != Outcome::NoVerdict {
            self.submissions.get_mut(&of.submission).unwrap().verdict = Some(outcome);
        }
        let audit = self.audits.get_mut(&of).unwrap();
        audit.pot = pot.0;
        audit.pot_weight = u64::try_from(pot.2).unwrap();
        audit.pot_left = pot.0 - pot.1;
        audit.pot_paid = pot.1;
    }

    fn claim(&mut self, id: VoteId) {
        let task = id.audit.task();
        let (slot, rules) = (self.slot, self.rules(task));
        let vote = self.votes.get_mut(&id).unwrap();
        vote.state = VoteState::Claimed;
        let deposit = std::mem::take(&mut vote.deposit);
        let (opinion, weight) = (vote.opinion, vote.weight);
        let last = self.unclaimed(id.audit) == 0;
        let node = NodeId {
            task,
            owner: id.voter,
        };
        let audit = self.audits.get_mut(&id.audit).unwrap();
        let won = opinion.and_then(|opinion| audit.won(opinion));
        let share = match won {
            Some(won) if won || rules.reward == 0 => {
                portion(audit.pot, audit.weigh(&rules, weight), audit.pot_weight)
            }
            _ => 0,
        };
        audit.pot_left -= share;
        audit.pot_paid += share;
        if last {
            let rest = std::mem::take(&mut audit.pot_left);
            assert_eq!(
                audit.pot_paid + rest,
                audit.pot,
                "a pot is paid to the unit"
            );
            self.pool(task, rest);
        }
        if opinion.is_some() {
            self.give_back(node, deposit);
        } else {
            self.pool(task, deposit);
            self.cap_recent(node);
        }
        let node = self.nodes.get_mut(&node).unwrap();
        match (opinion, won) {
            (None, _) => node.unrevealed += 1,
            (_, Some(true)) => node.with_majority += 1,
            (_, Some(false)) => node.against_majority += 1,
            _ => {}
        }
        node.lock(share, slot, rules.leave_delay);
    }

    /// Judges, and changes the world where the instruction is accepted.
    pub fn play(&mut self, ix: &Ix) -> Result<(), No> {
        let effect = self.judge(ix)?;
        effect(self);
        for id in ix.nodes() {
            if self.nodes.contains_key(&id) {
                let voting = self.voting(id);
                let slot = self.slot;
                let node = self.nodes.get_mut(&id).unwrap();
                if node.history.last().is_none_or(|last| last.1 != voting) {
                    node.history.push((slot, voting));
                }
            }
        }
        Ok(())
    }
}

/// What must hold whatever happened.
impl World {
    /// A vote weighs at most what the node could vote with at any time since just before the submission.
    fn check_weight(&self, id: NodeId, submission: Slot, weight: u64) {
        let history = &self.nodes[&id].history;
        let before = history.iter().rposition(|(slot, _)| *slot < submission);
        let since = &history[before.expect("it joined before the submission")..];
        let least = since.iter().map(|(_, voting)| *voting).min().unwrap();
        assert!(weight <= least, "{id:?} votes with {weight}, held {least}");
    }

    /// No reward leaves before the leave delay, and none stays for twice as long.
    fn check_locks(&self, id: NodeId) {
        let (node, delay) = (&self.nodes[&id], self.rules(id.task).leave_delay);
        let due = |delay: u64| -> u64 {
            let due = node
                .earned
                .iter()
                .filter(|(slot, _)| slot + delay <= self.slot);
            due.map(|(_, amount)| *amount).sum::<u64>() + node.bounties
        };
        assert!(
            node.rewards_out <= due(delay),
            "{id:?}: a reward left early"
        );
        assert!(
            node.rewards_out >= due(2 * delay),
            "{id:?}: a reward stayed"
        );
    }

    pub fn check(&self, supply: u128) {
        for (id, task) in &self.tasks {
            assert_eq!(
                u128::from(self.vaults[usize::from(*id)]),
                self.ledger(*id) + u128::from(task.gifts),
                "the vault of task {id} holds what it owes"
            );
        }
        let all: u128 = self
            .wallets
            .iter()
            .chain(&self.vaults)
            .map(|one| u128::from(*one))
            .sum();
        assert_eq!(all, supply, "no token came or went");
        for (id, node) in &self.nodes {
            assert!(node.leaving <= node.stake, "{id:?}");
        }
        for (id, audit) in &self.audits {
            let open = audit.outcome == Outcome::Open;
            assert_eq!(
                open,
                audit.bond > 0,
                "{id:?}: a bond as long as the audit is open"
            );
            if audit.won(0).is_some() {
                let least = self.tasks[&id.task()].rules.quorum_votes as usize;
                assert!(
                    audit.ballots.len() > least,
                    "{id:?}: a verdict without quorum"
                );
            }
            if self.unclaimed(*id) == 0 {
                assert_eq!(audit.pot_left, 0, "{id:?}: nothing is left without a claim");
            }
        }
        for (id, round) in &self.rounds {
            assert!(round.left <= round.reserve, "{id:?}");
        }
    }
}

impl Ix {
    /// The nodes it may change.
    pub fn nodes(&self) -> Vec<NodeId> {
        match *self {
            Ix::JoinTask { node, .. }
            | Ix::AddStake { node, .. }
            | Ix::RequestLeave { node, .. }
            | Ix::CancelLeave { node, .. }
            | Ix::Withdraw { node, .. }
            | Ix::SetOperator { node, .. }
            | Ix::SubmitWork { node, .. }
            | Ix::CastVote { node, .. }
            | Ix::CommitVote { node, .. }
            | Ix::RevealVote { node, .. }
            | Ix::ClaimVote { node, .. }
            | Ix::ClaimBounty { node, .. }
            | Ix::CloseVote { node, .. }
            | Ix::CloseSubmission { node, .. }
            | Ix::CloseNode { node, .. } => vec![node],
            Ix::OpenAudit {
                accused, initiator, ..
            }
            | Ix::ResolveAudit {
                accused, initiator, ..
            } => vec![accused, initiator],
            Ix::CloseAudit { initiator, .. } => vec![initiator],
            _ => vec![],
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Ix::CreateTask { .. } => "create_task",
            Ix::FundTask { .. } => "fund_task",
            Ix::PauseTask { .. } => "pause_task",
            Ix::ResumeTask { .. } => "resume_task",
            Ix::RetireTask { .. } => "retire_task",
            Ix::CloseTask { .. } => "close_task",
            Ix::AllowNode { .. } => "allow_node",
            Ix::DisallowNode { .. } => "disallow_node",
            Ix::JoinTask { .. } => "join_task",
            Ix::AddStake { .. } => "add_stake",
            Ix::RequestLeave { .. } => "request_leave",
            Ix::CancelLeave { .. } => "cancel_leave",
            Ix::Withdraw { .. } => "withdraw",
            Ix::SetOperator { .. } => "set_operator",
            Ix::SubmitWork { .. } => "submit_work",
            Ix::OpenAudit { .. } => "open_audit",
            Ix::CastVote { .. } => "cast_vote",
            Ix::CommitVote { .. } => "commit_vote",
            Ix::RevealVote { .. } => "reveal_vote",
            Ix::ResolveAudit { .. } => "resolve_audit",
            Ix::ClaimVote { .. } => "claim_vote",
            Ix::ClaimBounty { .. } => "claim_bounty",
            Ix::CloseVote { .. } => "close_vote",
            Ix::CloseAudit { .. } => "close_audit",
            Ix::CloseSubmission { .. } => "close_submission",
            Ix::CloseRound { .. } => "close_round",
            Ix::CloseNode { .. } => "close_node",
        }
    }
}
