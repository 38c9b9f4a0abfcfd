//! The game in plain Rust: no Solana, no Anchor, nothing of the program. Written from the rules as the program's pages state
//! them, with 128-bit arithmetic, and with every counter derived from the accounts it counts.
//!
//! `World::judge` answers what an instruction does or why it is refused. It changes nothing, so a refusal can't either.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    rc::Rc,
};

pub type Key = u8;
pub type Slot = u64;

/// Tasks that may exist, each with a creator and a number of its own.
pub const TASKS: u8 = 2;
/// Keys 0 and 1 create task 0 and 1; key 1 plays along like every other owner.
pub const OWNERS: std::ops::RangeInclusive<Key> = 1..=8;
/// Hot keys. Owners share them now and then.
pub const OPERATORS: std::ops::RangeInclusive<Key> = 9..=17;
/// Has no node and no task: whoever may do something because anyone may.
pub const STRANGER: Key = 18;
pub const KEYS: usize = 19;

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

/// Arrivals of stake that a node tells apart within one longest case.
pub const ARRIVALS: usize = 4;
const WHOLE: u128 = 10_000;
const LONGEST: u64 = 78_840_000;
const URI: usize = 128;
/// From the accusation to the slot whose block may decide the draw, and from there to the first slot at which nobody can draw.
pub const DRAW_DELAY: u64 = 8;
pub const DRAW: u64 = 256;
/// Least length of the window in which a panel is drawn and votes.
pub const PANEL_WINDOW: u64 = 528;
/// Shortest time to appeal against a panel.
pub const PANEL_APPEAL: u64 = 150;

/// Whether the chain has no block of this slot: one in eight, and now and then many in a row, once for longer than a panel can wait.
pub fn is_skipped(slot: Slot) -> bool {
    let mixed = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    mixed(slot).is_multiple_of(8)
        || mixed(slot / 16).is_multiple_of(9)
        || mixed(slot / 300).is_multiple_of(23)
}

/// What the chain tells the model: the bytes that a draw hashes, and SHA-256.
#[derive(Clone)]
pub struct Book {
    pub audit: Rc<dyn Fn(AuditId) -> [u8; 32]>,
    pub key: Rc<dyn Fn(Key) -> [u8; 32]>,
    /// Of the block of a slot.
    pub block: fn(Slot) -> [u8; 32],
    pub sha256: fn(&[&[u8]]) -> [u8; 32],
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Book")
    }
}

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
    pub initiator: Key,
    /// The initiator's audits before this one.
    pub index: u32,
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
    /// Base units of a mint.
    Token {
        mint: Mint,
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
    /// How long after the last vote an audit may be appealed; 0: never.
    pub appeal: u64,
    pub appeal_bond: u64,
    pub quorum_votes: u32,
    pub quorum_bps: u16,
    pub downtime_bps: u16,
    pub malice_bps: u16,
    pub bonus_bps: u16,
    pub pool_bps: u16,
    /// Seats that are drawn on average; 0: everybody may vote.
    pub seats: u16,
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
    pub payer: Key,
    pub start: Slot,
    pub rules: Rules,
    pub pool: u64,
    pub status: Status,
    /// When it was retired; 0 before.
    pub retired: Slot,
    /// Tokens that somebody just sent to the vault: nobody's in the ledger.
    pub gifts: u64,
}

/// What a node could vote with after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub slot: Slot,
    /// Stake that isn't leaving.
    pub active: u64,
    /// Whether that is the role's minimum or more.
    pub counts: bool,
}

/// Stake and nodes that could vote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Electorate {
    pub stake: u128,
    pub nodes: u128,
}

impl Electorate {
    fn add(&mut self, moment: Option<&Moment>) {
        if let Some(moment) = moment.filter(|moment| moment.counts) {
            self.stake += u128::from(moment.active);
            self.nodes += 1;
        }
    }

    fn weight(self, rules: &Rules) -> u128 {
        if rules.weight == 1 {
            self.stake
        } else {
            self.nodes
        }
    }
}

/// Active stake that went, as far as the program tells it apart.
#[derive(Clone, Debug, Default)]
pub struct Departed {
    /// When it went.
    pub parts: Vec<(Slot, u64)>,
    /// When the young part of it had come.
    pub young: Vec<(Slot, u64)>,
    /// How many moments the node's history had before each part went.
    after: Vec<usize>,
    /// Whether there were too few places once.
    crowded: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Node {
    pub operator: Key,
    pub payer: Key,
    pub role: u8,
    pub joined: Slot,
    pub stake: u64,
    pub leaving: u64,
    pub leave_slot: Slot,
    /// What asked to leave since nothing was leaving, slashed or not.
    pub asked: Departed,
    /// What slashes took of active stake.
    pub slashed: Departed,
    /// Rewards under lock and until when: the box that opens first, and the box for what comes meanwhile.
    pub boxes: [(u64, Slot); 2],
    pub payable: u64,
    pub submissions: u32,
    pub rounds_paid: u32,
    /// Accusations so far.
    pub audits: u32,
    /// The most that each accusation may take that was opened since the node last had none against it.
    pub risks: Vec<u64>,
    /// The gravest conviction of each submission that has one.
    pub convicted: BTreeMap<SubmissionId, Outcome>,
    pub with_majority: u32,
    pub against_majority: u32,
    pub unrevealed: u32,
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
    /// Whose submissions were convicted.
    pub convicted: BTreeSet<Key>,
    pub paid: u32,
}

/// From the accused's best to its worst, but for the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    pub others: Electorate,
    /// Audits opened, and what those that were resolved ended with, in their order.
    pub audits: u32,
    pub outcomes: Vec<Outcome>,
    pub paid: bool,
    /// What verdicts on it took, and the largest stake that one was counted from.
    pub slashed: u64,
    pub largest_stake: u64,
}

#[derive(Clone, Debug)]
pub struct Audit {
    /// Audits of the submission before this one.
    pub attempt: u32,
    pub accused: Key,
    pub payer: Key,
    pub opened: Slot,
    /// Of the second windows after an appeal.
    pub reveal: Slot,
    pub end: Slot,
    pub submission_slot: Slot,
    pub accused_stake: u64,
    pub eligible: Electorate,
    pub bond: u64,
    pub deposit: u64,
    pub accusation: u8,
    pub evidence: bool,
    /// What the accuser draws with; nothing where everybody may vote.
    pub secret: Option<u8>,
    /// 0 where everybody may vote.
    pub draw_slot: Slot,
    pub seed: Option<[u8; 32]>,
    pub appeal: Option<Appeal>,
    pub outcome: Outcome,
    /// Opinion and stake of every vote that was told, the accusation first.
    pub ballots: Vec<(u8, u64)>,
    /// What an appeal in vain lost to the voters.
    pub appeal_lost: u64,
    pub pot: u64,
    /// The whole that a voter's weight is a part of.
    pub pot_weight: u64,
    pub pot_left: u64,
    /// What claims and the accusation took of the pot.
    pub pot_paid: u64,
}

#[derive(Clone, Copy, Debug)]
pub struct Appeal {
    pub appellant: Key,
    pub slot: Slot,
    /// What the count before said.
    pub first: Outcome,
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
    pub state: VoteState,
    /// Seated after the appeal.
    pub on_appeal: bool,
}

/// An instruction with the accounts it names, which need not belong together.
#[derive(Clone, Debug)]
pub enum Ix {
    CreateTask {
        task: u8,
        payer: Key,
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
        vault: u8,
        destination: Wallet,
        payer: Key,
    },
    AllowNode {
        signer: Key,
        payer: Key,
        entry: EntryId,
    },
    DisallowNode {
        task: u8,
        signer: Key,
        entry: EntryId,
        payer: Key,
    },
    JoinTask {
        node: NodeId,
        payer: Key,
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
    Restake {
        task: u8,
        node: NodeId,
        signer: Key,
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
    ReturnStake {
        task: u8,
        node: NodeId,
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
        payer: Key,
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
        payer: Key,
        submission: SubmissionId,
        round: RoundId,
        accused: NodeId,
        initiator: NodeId,
        signer: Key,
        index: u32,
        accusation: u8,
        secret: Option<u8>,
        evidence: bool,
        uri: usize,
        /// The allowlist's entry, where there is one.
        proof: Option<Proof>,
    },
    DrawPanel {
        audit: AuditId,
        secret: u8,
    },
    AppealAudit {
        task: u8,
        audit: AuditId,
        node: NodeId,
        signer: Key,
    },
    CastVote {
        task: u8,
        payer: Key,
        audit: AuditId,
        node: NodeId,
        signer: Key,
        opinion: u8,
        /// The allowlist's entry, where there is one.
        proof: Option<Proof>,
    },
    CommitVote {
        task: u8,
        payer: Key,
        audit: AuditId,
        node: NodeId,
        signer: Key,
        sealed: Option<Sealed>,
        /// The allowlist's entry, where there is one.
        proof: Option<Proof>,
    },
    RevealVote {
        audit: AuditId,
        node: NodeId,
        vote: VoteId,
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
        appellant: Option<NodeId>,
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
        payer: Key,
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
#[allow(
    clippy::enum_variant_names,
    reason = "as the program's errors are named"
)]
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
    StakePledged,
    NothingLeaving,
    NothingToRestake,
    NothingToWithdraw,
    NodeAccused,
    WitnessCannotSubmit,
    PayloadMissing,
    RoundNotCurrent,
    SubmissionWindowClosed,
    UnknownVerdict,
    AuditWindowClosed,
    EarlierAuditOpen,
    AlreadyDecided,
    StakeAddedTooOften,
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
    SlashFloorsToZero,
    BonusFloorsToZero,
    PledgeOverMinimum,
    QuorumOverHalf,
    GateOnItself,
    NotReleased,
    PanelTooSmall,
    PanelWithoutAppeal,
    PanelWindowTooShort,
    QuorumOverPanel,
    AppealBondZero,
    SecretHashMissing,
    EvidenceHashMissing,
    NoPanel,
    AlreadyDrawn,
    DrawTooEarly,
    DrawTooLate,
    SecretMismatch,
    PanelNotDrawn,
    NotSeated,
    AppealClosed,
    AlreadyAppealed,
    AppealOpen,
    StakeAtRisk,
    RevealWindowMissed,
}

/// Every refusal.
pub const ALL_REFUSALS: [No; 101] = [
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
    No::StakePledged,
    No::NothingLeaving,
    No::NothingToRestake,
    No::NothingToWithdraw,
    No::NodeAccused,
    No::WitnessCannotSubmit,
    No::PayloadMissing,
    No::RoundNotCurrent,
    No::SubmissionWindowClosed,
    No::UnknownVerdict,
    No::AuditWindowClosed,
    No::EarlierAuditOpen,
    No::AlreadyDecided,
    No::StakeAddedTooOften,
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
    No::SlashFloorsToZero,
    No::BonusFloorsToZero,
    No::PledgeOverMinimum,
    No::QuorumOverHalf,
    No::GateOnItself,
    No::NotReleased,
    No::PanelTooSmall,
    No::PanelWithoutAppeal,
    No::PanelWindowTooShort,
    No::QuorumOverPanel,
    No::AppealBondZero,
    No::SecretHashMissing,
    No::EvidenceHashMissing,
    No::NoPanel,
    No::AlreadyDrawn,
    No::DrawTooEarly,
    No::DrawTooLate,
    No::SecretMismatch,
    No::PanelNotDrawn,
    No::NotSeated,
    No::AppealClosed,
    No::AlreadyAppealed,
    No::AppealOpen,
    No::StakeAtRisk,
    No::RevealWindowMissed,
];

/// What the rules are for: each must be met in a long run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Met {
    /// An audit opened while another of the submission is open, while three are, or as the fifth.
    AuditBesideAnother,
    FourAuditsAtOnce,
    FifthAudit,
    AccusedAfterAcquittal,
    MaliceAfterDowntime,
    DowntimeAfterMalice,
    ConvictedAfterAcquittal,
    AcquittedAfterConviction,
    SlashOfTheDifference,
    /// The accused of one audit accuses, or votes in another.
    AccusedAccuses,
    AccusedVotes,
    /// A node with nothing over its role's minimum, or whose pledges are no less than its stake.
    MinimumAccuses,
    MinimumVotes,
    PledgedVotes,
    /// A vote while four commitments of the node are open.
    ManyCommitments,
    /// A vote that weighs less than the role's minimum, since the node was slashed.
    SlashedVotes,
    /// A vote or bond out of stake that is leaving, or of which a part that is leaving came after the submission.
    LeaverVotes,
    YoungLeaverVotes,
    LeaverAccuses,
    /// A vote that weighs less than the node's stake, part of which is young.
    OldStakeVotes,
    /// A submission in a slot in which others came or went.
    SlotsOwnStake,
    BondLostInPart,
    DepositLostInPart,
    /// A withdrawal of less than what was due, for what is pledged.
    PledgesStayed,
    /// Under the majority rule: an accusation, or a vote, of downtime in a conviction of malice.
    AccusationOfLess,
    VotedForLess,
    /// More than half of the eligible weight said this.
    HalfDecides(u8),
    DisallowedByAnyone,
    /// All of a game's accounts, closed by a stranger.
    ClosedByStranger,
    /// A panel was drawn; with a later block than the first possible one.
    Drawn,
    DrawnAfterSkipped,
    /// A vote on a drawn panel, and one of everybody since nobody drew in time.
    PanelVotes,
    UndrawnVotes,
    /// What a panel's count came to: nothing, valid, downtime, malice.
    PanelSaid(u8),
    /// More than half of a panel's seats said the same.
    HalfOfPanelDecides,
    /// An appeal by the accused, the initiator or another node.
    AccusedAppeals,
    InitiatorAppeals,
    OtherAppeals,
    /// A vote after an appeal.
    AppealVotes,
    /// An appeal that turned the count before: from nothing, from an acquittal, from a conviction, to the other fault.
    NothingBecomesVerdict,
    AcquittalBecomesConviction,
    ConvictionBecomesAcquittal,
    OtherFault,
    /// An appeal in vain: with the same verdict again, or with no verdict, so that the first stands, or with no verdict twice.
    AppealInVain,
    FirstVerdictStands,
    NothingTwice,
    /// A lost appeal's bond that was the pool's, or was not there as a whole any more.
    AppealBondToPool,
    AppealBondLostInPart,
    /// A deposit of a commitment from before the appeal that wasn't revealed then.
    AppealEndsReveals,
    /// More than half of the eligible weight turned a verdict after an appeal.
    HalfTurns,
    /// Rent that another than the operator paid.
    SponsorPays,
}

/// All of them.
pub const ALL_MET: [Met; 56] = [
    Met::AuditBesideAnother,
    Met::FourAuditsAtOnce,
    Met::FifthAudit,
    Met::AccusedAfterAcquittal,
    Met::MaliceAfterDowntime,
    Met::DowntimeAfterMalice,
    Met::ConvictedAfterAcquittal,
    Met::AcquittedAfterConviction,
    Met::SlashOfTheDifference,
    Met::AccusedAccuses,
    Met::AccusedVotes,
    Met::MinimumAccuses,
    Met::MinimumVotes,
    Met::PledgedVotes,
    Met::ManyCommitments,
    Met::SlashedVotes,
    Met::LeaverVotes,
    Met::YoungLeaverVotes,
    Met::LeaverAccuses,
    Met::OldStakeVotes,
    Met::SlotsOwnStake,
    Met::BondLostInPart,
    Met::DepositLostInPart,
    Met::PledgesStayed,
    Met::AccusationOfLess,
    Met::VotedForLess,
    Met::HalfDecides(0),
    Met::HalfDecides(1),
    Met::HalfDecides(2),
    Met::DisallowedByAnyone,
    Met::ClosedByStranger,
    Met::Drawn,
    Met::DrawnAfterSkipped,
    Met::PanelVotes,
    Met::UndrawnVotes,
    Met::PanelSaid(0),
    Met::PanelSaid(1),
    Met::PanelSaid(2),
    Met::PanelSaid(3),
    Met::HalfOfPanelDecides,
    Met::AccusedAppeals,
    Met::InitiatorAppeals,
    Met::OtherAppeals,
    Met::AppealVotes,
    Met::NothingBecomesVerdict,
    Met::AcquittalBecomesConviction,
    Met::ConvictionBecomesAcquittal,
    Met::OtherFault,
    Met::AppealInVain,
    Met::FirstVerdictStands,
    Met::NothingTwice,
    Met::AppealBondToPool,
    Met::AppealBondLostInPart,
    Met::AppealEndsReveals,
    Met::HalfTurns,
    Met::SponsorPays,
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
    pub book: Book,
    pub rents: Rents,
    pub tasks: BTreeMap<u8, Task>,
    pub nodes: BTreeMap<NodeId, Node>,
    pub rounds: BTreeMap<RoundId, Round>,
    pub submissions: BTreeMap<SubmissionId, Submission>,
    pub audits: BTreeMap<AuditId, Audit>,
    pub votes: BTreeMap<VoteId, Vote>,
    /// Allowlist entries and who paid their rent.
    pub entries: BTreeMap<EntryId, Key>,
    /// What every owner could vote with in a task, after every change, over all nodes that it had there.
    pub histories: BTreeMap<NodeId, Vec<Moment>>,
    /// Base units by wallet.
    pub wallets: Vec<u64>,
    pub badges: BTreeMap<Badge, u64>,
    pub vaults: [u64; TASKS as usize],
    pub lamports: Vec<u64>,
    /// How often an audit ended with each outcome.
    pub outcomes: [u64; 5],
    /// How often what should be met was met.
    pub met: BTreeMap<Met, u64>,
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

/// Adds to what was noted of this slot, or puts it behind; where there is no place, adds to the last and answers `false`.
fn note(amounts: &mut Vec<(Slot, u64)>, slot: Slot, amount: u64) -> bool {
    if let Some((_, sum)) = amounts.iter_mut().find(|(at, _)| *at == slot) {
        *sum += amount;
        return true;
    }
    let full = amounts.len() == ARRIVALS;
    if full {
        amounts[ARRIVALS - 1].1 += amount;
    } else {
        amounts.push((slot, amount));
    }
    !full
}

/// The sum of what was noted in `slot` or later.
fn since(amounts: &[(Slot, u64)], slot: Slot) -> u64 {
    let since = amounts.iter().filter(|(at, _)| *at >= slot);
    since.map(|(_, amount)| amount).sum()
}

fn fits(sum: u128) -> Result<(), No> {
    require(sum <= u64::MAX.into(), No::Overflow)
}

impl Rules {
    pub fn longest_case(&self) -> u64 {
        u64::try_from(self.whole_case()).unwrap()
    }

    /// Submission, audit and votes, and where there are appeals, the time for one and votes once more.
    fn whole_case(&self) -> u128 {
        let votes = u128::from(self.commit) + u128::from(self.reveal);
        let first = u128::from(self.submission) + u128::from(self.audit) + votes;
        if self.appeal == 0 {
            first
        } else {
            first + u128::from(self.appeal) + votes
        }
    }

    /// What a drawn panel asks of the other rules.
    fn check_panel(&self) -> Result<(), No> {
        if self.seats == 0 {
            return Ok(());
        }
        require(self.seats > 2, No::PanelTooSmall)?;
        require(self.appeal >= PANEL_APPEAL, No::PanelWithoutAppeal)?;
        // Half of the seats, rounded up.
        let half = u32::from(self.seats).div_ceil(2);
        require(self.quorum_votes <= half, No::QuorumOverPanel)?;
        let first_window = [self.commit, self.reveal][usize::from(self.commit == 0)];
        require(first_window >= PANEL_WINDOW, No::PanelWindowTooShort)
    }

    fn check(&self) -> Result<(), No> {
        let most = [self.downtime_bps, self.malice_bps];
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
        require(self.quorum_bps <= 5_000, No::QuorumOverHalf)?;
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
            (self.appeal == 0) == (self.appeal_bond == 0),
            No::AppealBondZero,
        )?;
        self.check_panel()?;
        require(
            self.min_stake.iter().all(|stake| *stake > 0),
            No::MinimumStakeZero,
        )?;
        require(
            self.allow_large_stake
                || u128::from(self.min_stake[0]) <= 100 * u128::from(self.bounty),
            No::StakeOverBounty,
        )?;
        let least = *self.min_stake.iter().min().unwrap();
        let bonds = u128::from(self.bond) + u128::from(self.appeal_bond);
        fits(bonds)?;
        require(
            bonds <= least.into() && self.deposit <= least,
            No::PledgeOverMinimum,
        )?;
        let malice = bps(self.min_stake[0], self.malice_bps);
        let downtime = bps(self.min_stake[0], self.downtime_bps);
        require(
            malice > 0 && (downtime > 0 || self.downtime_bps == 0),
            No::SlashFloorsToZero,
        )?;
        require(bps(malice, self.bonus_bps) > 0, No::BonusFloorsToZero)?;
        require(self.weight <= 1 && self.reward <= 1, No::UnknownRule)?;
        for gate in &self.gates {
            require(*gate != Gate::Nonsense, No::UnknownRule)?;
            require(*gate != Gate::Keyless, No::GateKeyMissing)?;
        }
        fits(self.whole_case())?;
        require(
            u128::from(self.leave_delay) >= self.whole_case(),
            No::LeaveDelayTooShort,
        )
    }

    /// A gate that asks for a node of its own task or for its own mint.
    fn asks_for_itself(&self, id: u8) -> bool {
        self.gates.iter().any(|gate| match gate {
            Gate::Token { mint, .. } => *mint == Mint::Money,
            Gate::Standing { task, .. } | Gate::Member { task } => *task == id,
            _ => false,
        })
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

    /// Whether a leave delay has passed since it was retired: what is left is anyone's to clear away.
    pub fn released(&self, slot: Slot) -> bool {
        self.status == Status::Retired && slot >= self.retired + self.rules.leave_delay
    }
}

impl Node {
    pub fn active(&self) -> u64 {
        self.stake - self.leaving
    }

    /// Submissions whose gravest conviction is this one.
    pub fn convictions(&self, of: Outcome) -> usize {
        self.convicted
            .values()
            .filter(|worst| **worst == of)
            .count()
    }

    /// What follows where nothing is leaving.
    fn end_leave(&mut self) {
        if self.leaving == 0 {
            self.leave_slot = 0;
            self.asked = Departed::default();
        }
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

impl Departed {
    /// Notes what goes after so many moments, what of it came lately, and when it goes.
    fn note(&mut self, amount: u64, young: &[(Slot, u64)], after: usize, slot: Slot, case: Slot) {
        for amounts in [&mut self.parts, &mut self.young] {
            amounts.retain(|(at, _)| at + case > slot);
        }
        self.after.push(after);
        self.crowded |= !note(&mut self.parts, slot, amount);
        for (came, amount) in young {
            if !note(&mut self.young, *came, *amount) {
                let last = self.young.last_mut().unwrap();
                last.0 = last.0.max(*came);
                self.crowded = true;
            }
        }
    }
}

impl Audit {
    /// Whether what counts is the votes of those who were drawn: one seat, one vote.
    pub fn is_panel(&self) -> bool {
        self.seed.is_some() && self.appeal.is_none()
    }

    /// When the windows began that are open last.
    fn began(&self) -> Slot {
        self.appeal.map_or(self.opened, |appeal| appeal.slot)
    }

    fn weigh(&self, rules: &Rules, stake: u64) -> u64 {
        if rules.weight == 1 && !self.is_panel() {
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

    /// The outcome by the votes that were told: malice, guilty or valid, with more than half of all that was told, and with the
    /// quorum in votes and in weight among those who said it.
    pub fn verdict(&self, rules: &Rules) -> Outcome {
        let all = self.weight_of(rules, &[0, 1, 2]);
        let called = if self.is_panel() {
            rules.seats.into()
        } else {
            self.eligible.weight(rules)
        };
        let decides = |opinions: &[u8]| {
            let weight = self.weight_of(rules, opinions);
            2 * weight > all
                && weight * WHOLE >= called * u128::from(rules.quorum_bps)
                && self.others_of(opinions) >= rules.quorum_votes as usize
        };
        if decides(&[2]) {
            Outcome::Malice
        } else if decides(&[1, 2]) {
            Outcome::Downtime
        } else if decides(&[0]) {
            Outcome::Acquitted
        } else {
            Outcome::NoVerdict
        }
    }

    /// How many besides the initiator said one of these.
    fn others_of(&self, opinions: &[u8]) -> usize {
        let others = self.ballots.iter().skip(1);
        others.filter(|(said, _)| opinions.contains(said)).count()
    }

    /// The opinions that won; none where nobody did. Who said less than the verdict didn't win.
    fn winners(&self) -> &'static [u8] {
        match self.outcome {
            Outcome::Open | Outcome::NoVerdict => &[],
            Outcome::Acquitted => &[0],
            Outcome::Downtime => &[1, 2],
            Outcome::Malice => &[2],
        }
    }

    /// The opinions that share. Where none won, all share what an appeal lost.
    fn sharers(&self, rules: &Rules) -> &'static [u8] {
        match self.winners() {
            [] => &[0, 1, 2],
            _ if rules.reward == 0 => &[0, 1, 2],
            winners => winners,
        }
    }

    /// Whether this opinion won; `None` where none did.
    fn won(&self, opinion: u8) -> Option<bool> {
        let winners = self.winners();
        (!winners.is_empty()).then(|| winners.contains(&opinion))
    }
}

/// What of a slash or bond is for the voters: what bonus and pool leave.
fn voters_part(amount: u64, rules: &Rules) -> u64 {
    bps(amount, 10_000 - rules.bonus_bps - rules.pool_bps)
}

/// Sums and counters, all derived.
impl World {
    /// Bonds of the node's own open accusations and appeals.
    pub fn bonds(&self, id: NodeId) -> u64 {
        let own = self
            .audits_in(id.task)
            .filter(|(at, audit)| at.initiator == id.owner && audit.outcome == Outcome::Open);
        let bonds: u64 = own.map(|(_, audit)| audit.bond).sum();
        let appeals = self.appeals(id) as u64;
        bonds + appeals * self.tasks[&id.task].rules.appeal_bond
    }

    /// Appeals of the node that are not decided.
    pub fn appeals(&self, id: NodeId) -> usize {
        let own = self.audits_in(id.task).filter(|(_, audit)| {
            let appellant = audit.appeal.map(|appeal| appeal.appellant);
            appellant == Some(id.owner) && audit.outcome == Outcome::Open
        });
        own.count()
    }

    /// The most that one of the open accusations against the node may take, or of those that were open beside them.
    pub fn risk(&self, id: NodeId) -> u64 {
        let risks = self.nodes[&id].risks.iter();
        risks.max().copied().unwrap_or(0)
    }

    /// Whether the drawn panel of an audit has a seat for an owner who weighs so much.
    pub fn has_seat(&self, of: AuditId, owner: Key, weight: u64) -> bool {
        let audit = &self.audits[&of];
        let seed = audit.seed.expect("a panel was drawn");
        let hash = (self.book.sha256)(&[b"st:seat:", &seed, &(self.book.key)(owner)]);
        let lot: [u8; 8] = hash[..8].try_into().unwrap();
        let seats = u128::from(self.tasks[&of.task()].rules.seats);
        let (chance, all) = (u128::from(weight) * seats, audit.eligible.stake);
        // Of 2^64 lots, the lowest in proportion.
        chance >= all || u128::from(u64::from_le_bytes(lot)) < (chance << 64).div_ceil(all)
    }

    /// The first block that may decide the draw, where it is known.
    fn first_block(&self, from: Slot) -> Option<Slot> {
        (from..self.slot).find(|slot| !is_skipped(*slot))
    }

    /// Commitments of the node that are neither revealed nor claimed.
    pub fn commitments(&self, id: NodeId) -> usize {
        let own = self.votes.iter().filter(|(at, vote)| {
            at.audit.task() == id.task && at.voter == id.owner && vote.state == VoteState::Committed
        });
        own.count()
    }

    /// What verdicts and claims may still take of the node's stake as bonds and deposits.
    fn pledged(&self, id: NodeId) -> u128 {
        let deposit = self.tasks[&id.task].rules.deposit;
        u128::from(self.bonds(id)) + self.commitments(id) as u128 * u128::from(deposit)
    }

    /// What the node could vote with just before `slot`; `None` where it had no stake in its life.
    fn just_before(&self, id: NodeId, slot: Slot) -> Option<&Moment> {
        let history = self.histories.get(&id)?;
        history.iter().rev().find(|moment| moment.slot < slot)
    }

    /// The least that the node could vote with at every moment from just before `slot` until now.
    pub fn least(&self, id: NodeId, slot: Slot) -> u64 {
        self.least_of(id, self.histories[&id].len(), slot)
    }

    /// The same until the last of the first so many moments.
    fn least_of(&self, id: NodeId, moments: usize, slot: Slot) -> u64 {
        let mut least = u64::MAX;
        for moment in self.histories[&id][..moments].iter().rev() {
            least = least.min(moment.active);
            if moment.slot < slot {
                return least;
            }
        }
        0
    }

    /// Stake that came so lately that a vote can still ask about it: slot and amount, the oldest first. In a slot stake came and stayed
    /// where the least since its end is more than the least since its beginning.
    pub fn arrivals(&self, id: NodeId) -> Vec<(Slot, u64)> {
        let case = self.tasks[&id.task].rules.longest_case();
        let mut slots: Vec<Slot> = self.histories[&id]
            .iter()
            .map(|moment| moment.slot)
            .filter(|slot| slot + case > self.slot)
            .collect();
        slots.dedup();
        let came = |slot| self.least(id, slot + 1) - self.least(id, slot);
        slots.retain(|slot| came(*slot) > 0);
        slots.into_iter().map(|slot| (slot, came(slot))).collect()
    }

    /// A fifth arrival within one longest case has no place.
    fn may_arrive(&self, id: NodeId) -> Result<(), No> {
        let arrivals = self.arrivals(id);
        let others = arrivals.iter().filter(|(slot, _)| *slot != self.slot);
        require(others.count() < ARRIVALS, No::StakeAddedTooOften)
    }

    /// What every node of the task but this owner's can vote with now.
    pub fn electorate(&self, task: u8, but: Option<Key>) -> Electorate {
        let mut sum = Electorate::default();
        for (id, node) in self.nodes.iter().filter(|(id, _)| id.task == task) {
            if Some(id.owner) != but {
                sum.add(Some(&self.moment(*id, node)));
            }
        }
        sum
    }

    fn moment(&self, id: NodeId, node: &Node) -> Moment {
        let least = self.tasks[&id.task].rules.min_stake[usize::from(node.role)];
        Moment {
            slot: self.slot,
            active: node.active(),
            counts: node.active() >= least,
        }
    }

    /// What every node but this owner's could vote with just before `slot`. Whoever has gone since, too.
    fn electorate_before(&self, task: u8, but: Option<Key>, slot: Slot) -> Electorate {
        let mut sum = Electorate::default();
        for id in self.histories.keys().filter(|id| id.task == task) {
            if Some(id.owner) != but {
                sum.add(self.just_before(*id, slot));
            }
        }
        sum
    }

    /// What one node could vote with just before this slot. Who came in it could with nothing, whatever its owner had here before.
    pub fn own_before(&self, id: NodeId) -> Electorate {
        let mut own = Electorate::default();
        if self.nodes[&id].joined < self.slot {
            own.add(self.just_before(id, self.slot));
        }
        own
    }

    /// What every node of the task but this owner's could vote with just before this slot.
    pub fn others_before(&self, task: u8, but: Option<Key>) -> Electorate {
        let mut sum = Electorate::default();
        for (id, node) in self.nodes.iter().filter(|(id, _)| id.task == task) {
            if Some(id.owner) != but && node.joined < self.slot {
                sum.add(self.just_before(*id, self.slot));
            }
        }
        sum
    }

    /// All audits of a task.
    fn audits_in(&self, task: u8) -> impl Iterator<Item = (&AuditId, &Audit)> {
        let at = |number, key| AuditId {
            submission: SubmissionId {
                round: RoundId { task, number },
                owner: key,
            },
            initiator: key,
            index: number as u32,
        };
        self.audits
            .range(at(u64::MIN, Key::MIN)..=at(u64::MAX, Key::MAX))
    }

    /// All audits of a submission.
    pub fn audits_of(&self, submission: SubmissionId) -> impl Iterator<Item = (&AuditId, &Audit)> {
        let at = |initiator, index| AuditId {
            submission,
            initiator,
            index,
        };
        self.audits
            .range(at(Key::MIN, u32::MIN)..=at(Key::MAX, u32::MAX))
    }

    fn open_against(&self, id: NodeId) -> impl Iterator<Item = &Audit> {
        self.audits_in(id.task)
            .filter(move |(_, audit)| audit.accused == id.owner && audit.outcome == Outcome::Open)
            .map(|(_, audit)| audit)
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
            .audits_in(id.task)
            .filter(|(at, _)| at.initiator == id.owner);
        let votes = self
            .votes
            .keys()
            .filter(|at| at.audit.task() == id.task && at.voter == id.owner);
        submissions.count() + audits.count() + votes.count() + self.appeals(id)
    }

    pub fn live_submissions(&self, round: RoundId) -> usize {
        self.submissions
            .keys()
            .filter(|at| at.round == round)
            .count()
    }

    pub fn open_in_round(&self, round: RoundId) -> usize {
        self.audits_in(round.task)
            .filter(|(at, audit)| at.submission.round == round && audit.outcome == Outcome::Open)
            .count()
    }

    pub fn live_audits(&self, submission: SubmissionId) -> usize {
        self.audits_of(submission).count()
    }

    /// The gravest verdict so far: 0 none, 1 acquitted, 2 convicted of downtime, 3 of malice.
    pub fn submission_status(&self, id: SubmissionId) -> u8 {
        let outcomes = &self.submissions[&id].outcomes;
        match outcomes.iter().max() {
            None | Some(Outcome::Open | Outcome::NoVerdict) => 0,
            Some(Outcome::Acquitted) => 1,
            Some(Outcome::Downtime) => 2,
            Some(Outcome::Malice) => 3,
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
        for (_, audit) in self.audits_in(task) {
            sum += u128::from(audit.pot_left);
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
            (Gate::Token { mint, least }, Some(Proof::Badge(badge))) => {
                badge == Badge { mint, owner } && self.badges[&badge] >= least
            }
            (Gate::Collection { group }, _) => self.holds_member(group, owner, shown).is_ok(),
            (Gate::Standing { task, least, most }, Some(Proof::Node(id))) => {
                id == NodeId { task, owner }
                    && self.nodes.get(&id).is_some_and(|node| {
                        u64::from(node.rounds_paid) >= least
                            && node.convicted.len() <= most as usize
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

    /// The gate that joining or submitting comes to, of which role, for which owner, and what is shown there.
    pub fn gate_of(&self, ix: &Ix) -> Option<(Gate, u8, Key, Shown)> {
        let role_of = |id: NodeId| self.nodes.get(&id).map(|node| node.role);
        let (id, role, shown) = match *ix {
            Ix::JoinTask {
                node, role, shown, ..
            } => (node, Some(role), shown),
            Ix::SubmitWork { node, shown, .. } => (node, role_of(node), shown),
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
        require(self.nodes[&id].joined < slot, No::JoinedAfterSubmission)?;
        require(self.has_say(id, slot), No::StakeTooRecent)?;
        Ok(self.at_risk(id, slot))
    }

    /// What the node held at every moment since just before `slot`, and what of it asked to leave since and is still there.
    fn at_risk(&self, id: NodeId, slot: Slot) -> u64 {
        let node = &self.nodes[&id];
        self.least(id, slot) + self.went(id, &node.asked, slot).min(node.leaving)
    }

    /// What went since just before `slot` of what the node held then. Each part took so much off the least since then: as long as a case of
    /// that slot may be open, that is what the program must tell, or less where it had too few places.
    fn went(&self, id: NodeId, departed: &Departed, slot: Slot) -> u64 {
        let told = since(&departed.parts, slot).saturating_sub(since(&departed.young, slot));
        let history = &self.histories[&id];
        let went = departed
            .after
            .iter()
            .filter(|at| history[**at].slot >= slot);
        let took = |at: &usize| self.least_of(id, *at, slot) - self.least_of(id, at + 1, slot);
        let took: u64 = went.map(took).sum();
        let over = slot + self.tasks[&id.task].rules.longest_case() <= self.slot;
        assert!(
            told == took || over || (departed.crowded && told < took),
            "{id:?}: {took} went since {slot}, and the program tells {told}"
        );
        told
    }

    /// Whether the node was a full one just before `slot` and has something left: what was slashed since takes nobody out.
    fn has_say(&self, id: NodeId, slot: Slot) -> bool {
        let node = &self.nodes[&id];
        let went = self.went(id, &node.asked, slot) + self.went(id, &node.slashed, slot);
        self.at_risk(id, slot) > 0 && self.least(id, slot) + went >= self.min_stake(id)
    }

    /// What of an amount that goes is young, since the youngest goes first, and how many moments there were before.
    fn depart(&self, id: NodeId, amount: u64) -> (Vec<(Slot, u64)>, usize) {
        let mut left = amount;
        let mut young = self.arrivals(id);
        for (_, came) in young.iter_mut().rev() {
            *came = left.min(*came);
            left -= *came;
        }
        young.retain(|(_, gone)| *gone > 0);
        (young, self.histories[&id].len())
    }

    /// Takes up to `due` of the stake, what is leaving first.
    fn slash(&mut self, id: NodeId, due: u64) -> u64 {
        let node = &self.nodes[&id];
        let taken = due.min(node.stake);
        let from_leaving = taken.min(node.leaving);
        let active = taken - from_leaving;
        let (young, after) = self.depart(id, active);
        let (slot, case) = (self.slot, self.rules(id.task).longest_case());
        let node = self.nodes.get_mut(&id).unwrap();
        node.stake -= taken;
        node.leaving -= from_leaving;
        node.end_leave();
        if active > 0 {
            node.slashed.note(active, &young, after, slot, case);
        }
        // One verdict may take of a node twice: what it found, and a lost appeal's bond.
        self.remember(id);
        taken
    }

    /// At accusations and votes only an allowlist is asked.
    fn is_not_struck(&self, id: NodeId, proof: Option<Proof>) -> Result<(), No> {
        let role = self.nodes[&id].role;
        match self.tasks[&id.task].rules.gates[usize::from(role)] {
            Gate::Allowlist => self.passes(id.task, role, id.owner, Shown { proof, mint: None }),
            _ => Ok(()),
        }
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
                payer,
            } => self.create_task(*task, *payer, rules, *audit_function, *uris),
            Ix::FundTask { .. }
            | Ix::PauseTask { .. }
            | Ix::ResumeTask { .. }
            | Ix::RetireTask { .. }
            | Ix::CloseTask { .. }
            | Ix::AllowNode { .. }
            | Ix::DisallowNode { .. } => self.judge_task(ix),
            Ix::JoinTask { .. }
            | Ix::AddStake { .. }
            | Ix::Restake { .. }
            | Ix::RequestLeave { .. }
            | Ix::CancelLeave { .. }
            | Ix::Withdraw { .. }
            | Ix::ReturnStake { .. }
            | Ix::SetOperator { .. } => self.judge_node(ix),
            Ix::SubmitWork { .. } => self.submit_work(ix),
            Ix::OpenAudit { .. } => self.open_audit(ix),
            Ix::DrawPanel { audit, secret } => self.draw_panel(*audit, *secret),
            Ix::AppealAudit {
                task,
                audit,
                node,
                signer,
            } => self.appeal_audit(*task, *audit, *node, *signer),
            Ix::CastVote { .. } | Ix::CommitVote { .. } | Ix::RevealVote { .. } => {
                self.judge_vote(ix)
            }
            Ix::ResolveAudit { .. } => self.resolve_audit(ix),
            Ix::ClaimVote { .. } => self.claim_vote(ix),
            Ix::ClaimBounty { .. } => self.claim_bounty(ix),
            _ => self.judge_close(ix),
        }
    }

    fn create_task(
        &self,
        id: u8,
        payer: Key,
        rules: &Rules,
        function: bool,
        uris: [usize; 2],
    ) -> Judged {
        require(!self.tasks.contains_key(&id), No::InUse)?;
        rules.check()?;
        require(uris[0] <= URI, No::UriTooLong)?;
        require(function, No::AuditFunctionMissing)?;
        require(uris[1] <= URI, No::UriTooLong)?;
        require(!rules.asks_for_itself(id), No::GateOnItself)?;
        let task = Task {
            payer,
            start: self.slot,
            rules: rules.clone(),
            pool: 0,
            status: Status::Active,
            retired: 0,
            gifts: 0,
        };
        Ok(Box::new(move |world| {
            world.tasks.insert(id, task);
            let rent = world.rents.task + world.rents.vault;
            world.lamports[usize::from(payer)] -= rent;
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
                    let slot = world.slot;
                    let task = world.tasks.get_mut(&id).unwrap();
                    if task.status != Status::Retired {
                        task.retired = slot;
                    }
                    task.status = Status::Retired;
                    task.pool = 0;
                    world.pay_out(id, destination, amount);
                }))
            }
            Ix::CloseTask {
                task: id,
                vault,
                destination,
                payer,
            } => {
                let task = self.task(id)?;
                self.task(vault)?;
                require(vault == id, No::VaultMismatch)?;
                require(destination != FOREIGN, No::MintMismatch)?;
                require(owner_of(destination) == creator(id), No::NotCreator)?;
                require(task.payer == payer, No::WrongPayer)?;
                require(task.status == Status::Retired, No::NotRetired)?;
                let empty = self.nodes.keys().all(|node| node.task != id)
                    && self.rounds.keys().all(|round| round.task != id)
                    && self.entries.keys().all(|entry| entry.task != id);
                require(empty, No::NotEmpty)?;
                Ok(Box::new(move |world| {
                    let all = world.vaults[usize::from(id)];
                    world.pay_out(id, destination, all);
                    world.tasks.remove(&id);
                    world.histories.retain(|at, _| at.task != id);
                    let rent = world.rents.task + world.rents.vault;
                    world.lamports[usize::from(payer)] += rent;
                }))
            }
            Ix::AllowNode {
                signer,
                payer,
                entry,
            } => {
                self.task(entry.task)?;
                require(!self.entries.contains_key(&entry), No::InUse)?;
                require(signer == creator(entry.task), No::NotCreator)?;
                require(entry.role <= 1, No::UnknownRole)?;
                Ok(Box::new(move |world| {
                    world.entries.insert(entry, payer);
                    world.lamports[usize::from(payer)] -= world.rents.entry;
                }))
            }
            Ix::DisallowNode {
                task: id,
                signer,
                entry,
                payer,
            } => {
                let task = self.task(id)?;
                let paid = *self.entries.get(&entry).ok_or(No::Missing)?;
                require(entry.task == id, No::WrongTask)?;
                require(paid == payer, No::WrongPayer)?;
                require(
                    signer == creator(id) || task.released(self.slot),
                    No::NotCreator,
                )?;
                Ok(Box::new(move |world| {
                    if signer != creator(id) {
                        world.meet(Met::DisallowedByAnyone);
                    }
                    world.entries.remove(&entry);
                    world.lamports[usize::from(payer)] += world.rents.entry;
                }))
            }
            _ => unreachable!(),
        }
    }

    fn judge_node(&self, ix: &Ix) -> Judged {
        match *ix {
            Ix::JoinTask {
                node: id,
                payer,
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
                fits(self.electorate(id.task, None).stake + u128::from(amount))?;
                self.pays(source, id.owner, amount)?;
                Ok(Box::new(move |world| {
                    world.deposit(id.task, source, amount);
                    world.nodes.insert(
                        id,
                        Node {
                            operator,
                            payer,
                            role,
                            joined: world.slot,
                            stake: amount,
                            ..Node::default()
                        },
                    );
                    world.lamports[usize::from(payer)] -= world.rents.node;
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
                let of = self.task(task)?;
                let node = self.node(id)?;
                self.task(vault)?;
                self.by_owner(task, id, signer)?;
                self.money(task, vault, source)?;
                require(amount > 0, No::AmountZero)?;
                require(of.status != Status::Retired, No::TaskRetired)?;
                fits(u128::from(node.stake) + u128::from(amount))?;
                self.may_arrive(id)?;
                let active = u128::from(node.active()) + u128::from(amount);
                if active >= self.min_stake(id).into() {
                    fits(self.electorate(task, Some(id.owner)).stake + active)?;
                }
                self.pays(source, signer, amount)?;
                Ok(Box::new(move |world| {
                    world.deposit(task, source, amount);
                    world.nodes.get_mut(&id).unwrap().stake += amount;
                }))
            }
            Ix::Restake {
                task,
                node: id,
                signer,
            } => {
                let of = self.task(task)?;
                let node = self.node(id)?;
                self.by_owner(task, id, signer)?;
                require(of.status != Status::Retired, No::TaskRetired)?;
                let (amount, _) = node.leaves_at(self.slot);
                require(amount > 0, No::NothingToRestake)?;
                fits(u128::from(node.stake) + u128::from(amount))?;
                self.may_arrive(id)?;
                Ok(Box::new(move |world| {
                    let slot = world.slot;
                    let node = world.nodes.get_mut(&id).unwrap();
                    node.open_boxes(slot);
                    node.payable = 0;
                    node.rewards_out += amount;
                    node.stake += amount;
                    world.check_locks(id);
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
                let (young, after) = self.depart(id, amount);
                Ok(Box::new(move |world| {
                    let (slot, rules) = (world.slot, world.rules(task));
                    let case = rules.longest_case();
                    let node = world.nodes.get_mut(&id).unwrap();
                    node.leaving += amount;
                    node.asked.note(amount, &young, after, slot, case);
                    node.leave_slot = slot + rules.leave_delay;
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
                self.may_arrive(id)?;
                Ok(Box::new(move |world| {
                    let node = world.nodes.get_mut(&id).unwrap();
                    node.leaving = 0;
                    node.end_leave();
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
                let (rewards, due) = node.leaves_at(self.slot);
                let free = u128::from(node.stake).saturating_sub(self.pledged(id));
                let stake = if accused {
                    0
                } else {
                    u64::try_from(free.min(due.into())).unwrap()
                };
                require(rewards + stake > 0 || !accused, No::NodeAccused)?;
                require(rewards + stake > 0 || due == 0, No::StakePledged)?;
                require(rewards + stake > 0, No::NothingToWithdraw)?;
                Ok(Box::new(move |world| {
                    let slot = world.slot;
                    world.check_leave(id, stake);
                    let node = world.nodes.get_mut(&id).unwrap();
                    node.open_boxes(slot);
                    node.payable = 0;
                    node.rewards_out += rewards;
                    node.stake -= stake;
                    node.leaving -= stake;
                    node.end_leave();
                    if stake < due && !accused {
                        world.meet(Met::PledgesStayed);
                    }
                    world.pay_out(task, destination, rewards + stake);
                    world.check_locks(id);
                }))
            }
            Ix::ReturnStake {
                task,
                node: id,
                vault,
                destination,
            } => {
                let of = self.task(task)?;
                let node = self.node(id)?;
                self.task(vault)?;
                require(id.task == task, No::WrongTask)?;
                require(vault == task, No::VaultMismatch)?;
                require(destination != FOREIGN, No::MintMismatch)?;
                require(owner_of(destination) == id.owner, No::NotOwner)?;
                require(of.status == Status::Retired, No::NotRetired)?;
                require(of.released(self.slot), No::NotReleased)?;
                require(self.open_audits(id) == 0, No::NodeAccused)?;
                require(
                    self.bonds(id) == 0 && self.commitments(id) == 0,
                    No::StakePledged,
                )?;
                let rewards = node.payable + node.boxes[0].0 + node.boxes[1].0;
                let stake = node.stake;
                require(stake + rewards > 0, No::NothingToWithdraw)?;
                Ok(Box::new(move |world| {
                    world.check_return(id);
                    let node = world.nodes.get_mut(&id).unwrap();
                    // Paid out whatever its lock: due from now on, as a bounty is.
                    let earned = std::mem::take(&mut node.earned);
                    node.bounties += earned.iter().map(|(_, amount)| *amount).sum::<u64>();
                    node.rewards_out += rewards;
                    (node.stake, node.leaving) = (0, 0);
                    node.end_leave();
                    (node.payable, node.boxes) = (0, [(0, 0); 2]);
                    world.pay_out(task, destination, stake + rewards);
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
            payer,
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
        self.by_operator(at, id, signer)?;
        require(!self.submissions.contains_key(&submission), No::InUse)?;
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
        let but = Some(id.owner);
        let others = self.others_before(at, but);
        Ok(Box::new(move |world| {
            if others != world.electorate(at, but) {
                world.meet(Met::SlotsOwnStake);
            }
            if !world.rounds.contains_key(&round) {
                let task = world.tasks.get_mut(&at).unwrap();
                let reserve = task.rules.bounty.min(task.pool);
                task.pool -= reserve;
                world.rounds.insert(
                    round,
                    Round {
                        payer,
                        reserve,
                        left: reserve,
                        submissions: 0,
                        convicted: BTreeSet::new(),
                        paid: 0,
                    },
                );
                world.lamports[usize::from(payer)] -= world.rents.round;
            }
            world.rounds.get_mut(&round).unwrap().submissions += 1;
            world.nodes.get_mut(&id).unwrap().submissions += 1;
            world.submissions.insert(
                submission,
                Submission {
                    payer,
                    slot: world.slot,
                    others,
                    audits: 0,
                    outcomes: vec![],
                    paid: false,
                    slashed: 0,
                    largest_stake: 0,
                },
            );
            world.rent(payer, signer, world.rents.submission);
        }))
    }

    fn open_audit(&self, ix: &Ix) -> Judged {
        let Ix::OpenAudit {
            task: at,
            payer,
            submission: of,
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
        } = *ix
        else {
            unreachable!()
        };
        require(
            accused != initiator
                && ![accused, initiator]
                    .map(|one| Some(Proof::Node(one)))
                    .contains(&proof),
            No::Twice,
        )?;
        let task = self.task(at)?;
        let submission = self.submission(of)?;
        self.round(round)?;
        let accused_node = self.node(accused)?;
        let node = self.node(initiator)?;
        require(of.round.task == at, No::WrongTask)?;
        require(round.task == at, No::WrongTask)?;
        require(round.number == of.round.number, No::WrongRound)?;
        require(accused.task == at, No::WrongTask)?;
        require(accused.owner == of.owner, No::WrongNode)?;
        self.by_operator(at, initiator, signer)?;
        require(index == node.audits, No::Seeds)?;
        let id = AuditId {
            submission: of,
            initiator: initiator.owner,
            index,
        };
        require(!self.audits.contains_key(&id), No::InUse)?;

        require(task.status != Status::Paused, No::TaskPaused)?;
        require(accusation == 1 || accusation == 2, No::UnknownVerdict)?;
        require(
            self.slot < task.audit_end(round.number),
            No::AuditWindowClosed,
        )?;
        let by_panel = task.rules.seats > 0;
        require(!by_panel || secret.is_some(), No::SecretHashMissing)?;
        require(uri <= URI, No::UriTooLong)?;
        require(uri == 0 || evidence, No::EvidenceHashMissing)?;
        self.is_not_struck(initiator, proof)?;
        let weight = self.weight_on(initiator, submission.slot)?;
        let status = self.submission_status(of);
        require(
            status < 2 || (status == 2 && accusation == 2),
            No::AlreadyDecided,
        )?;
        let bond = task.rules.bond;
        require(
            u128::from(self.bonds(initiator)) + u128::from(bond) <= node.stake.into(),
            No::StakePledged,
        )?;

        let eligible = submission.others;
        let whole = u128::from(accused_node.stake) + u128::from(submission.slashed);
        let accused_stake = u64::try_from(whole).unwrap_or(u64::MAX);
        let risk = bps(accused_stake, task.rules.malice_bps);
        let reveal = self.slot + task.rules.commit;
        let audit = Audit {
            attempt: submission.audits,
            accused: accused.owner,
            payer,
            opened: self.slot,
            reveal,
            end: reveal + task.rules.reveal,
            submission_slot: submission.slot,
            accused_stake,
            eligible,
            bond,
            deposit: task.rules.deposit,
            accusation,
            evidence,
            secret: secret.filter(|_| by_panel),
            draw_slot: u64::from(by_panel) * (self.slot + DRAW_DELAY),
            seed: None,
            appeal: None,
            outcome: Outcome::Open,
            ballots: vec![(accusation, weight)],
            appeal_lost: 0,
            pot: 0,
            pot_weight: 0,
            pot_left: 0,
            pot_paid: 0,
        };
        Ok(Box::new(move |world| {
            let open = world.open_of(of);
            if open > 0 {
                world.meet(Met::AuditBesideAnother);
            }
            if open > 2 {
                world.meet(Met::FourAuditsAtOnce);
            }
            if audit.attempt > 3 {
                world.meet(Met::FifthAudit);
            }
            if status == 1 {
                world.meet(Met::AccusedAfterAcquittal);
            }
            if world.open_audits(initiator) > 0 {
                world.meet(Met::AccusedAccuses);
            }
            let active = world.nodes[&initiator].active();
            if active == world.min_stake(initiator) {
                world.meet(Met::MinimumAccuses);
            }
            if world.bonds(initiator) + bond > active {
                world.meet(Met::LeaverAccuses);
            }
            world.nodes.get_mut(&initiator).unwrap().audits += 1;
            world.nodes.get_mut(&accused).unwrap().risks.push(risk);
            let submission = world.submissions.get_mut(&of).unwrap();
            submission.audits += 1;
            submission.largest_stake = submission.largest_stake.max(accused_stake);
            world.audits.insert(id, audit);
            world.rent(payer, signer, world.rents.audit);
        }))
    }

    fn draw_panel(&self, of: AuditId, secret: u8) -> Judged {
        let audit = self.audit(of)?;
        let from = audit.draw_slot;
        require(from > 0, No::NoPanel)?;
        require(audit.seed.is_none(), No::AlreadyDrawn)?;
        require(self.slot > from, No::DrawTooEarly)?;
        require(self.slot < from + DRAW, No::DrawTooLate)?;
        let block = self.first_block(from).ok_or(No::DrawTooEarly)?;
        require(audit.secret == Some(secret), No::SecretMismatch)?;
        let seed = (self.book.sha256)(&[
            b"securing-tasks:panel:v1",
            &(self.book.audit)(of),
            &[secret; 32],
            &(self.book.block)(block),
        ]);
        Ok(Box::new(move |world| {
            assert!(
                world.votes_of(of).next().is_none(),
                "{of:?}: votes before the draw"
            );
            world.audits.get_mut(&of).unwrap().seed = Some(seed);
            world.meet(Met::Drawn);
            if block > from {
                world.meet(Met::DrawnAfterSkipped);
            }
        }))
    }

    fn appeal_audit(&self, at: u8, of: AuditId, id: NodeId, signer: Key) -> Judged {
        let task = self.task(at)?;
        let audit = self.audit(of)?;
        let node = self.node(id)?;
        require(of.task() == at, No::WrongTask)?;
        self.by_operator(at, id, signer)?;
        require(audit.appeal.is_none(), No::AlreadyAppealed)?;
        require(
            self.slot >= audit.end && self.slot < audit.end + task.rules.appeal,
            No::AppealClosed,
        )?;
        let bonds = u128::from(self.bonds(id)) + u128::from(task.rules.appeal_bond);
        require(bonds <= node.stake.into(), No::StakePledged)?;
        let risk = u128::from(self.risk(id)) * self.open_audits(id) as u128;
        require(
            risk == 0 || risk + bonds <= node.stake.into(),
            No::StakeAtRisk,
        )?;
        let first = audit.verdict(&task.rules);
        Ok(Box::new(move |world| {
            world.check_panel(of);
            let (slot, rules) = (world.slot, world.rules(at));
            let audit = world.audits.get_mut(&of).unwrap();
            audit.appeal = Some(Appeal {
                appellant: id.owner,
                slot,
                first,
            });
            audit.reveal = slot + rules.commit;
            audit.end = audit.reveal + rules.reveal;
            let end = audit.end;
            let started = world.tasks[&at].round_start(of.submission.round.number);
            assert!(
                end <= started + rules.longest_case(),
                "{of:?}: a case takes too long"
            );
            world.meet(if id.owner == of.submission.owner {
                Met::AccusedAppeals
            } else if id.owner == of.initiator {
                Met::InitiatorAppeals
            } else {
                Met::OtherAppeals
            });
        }))
    }

    fn judge_vote(&self, ix: &Ix) -> Judged {
        match *ix {
            Ix::CastVote {
                task,
                payer,
                audit: of,
                node,
                signer,
                opinion,
                proof,
            } => {
                let audit = self.seat(task, of, node, signer, proof)?;
                require(opinion <= 2, No::UnknownVerdict)?;
                require(self.tasks[&task].rules.commit == 0, No::VotesAreCommitted)?;
                require(
                    audit.reveal <= self.slot && self.slot < audit.end,
                    No::VotingClosed,
                )?;
                self.take_seat(of, node, [payer, signer], proof, None, Some(opinion))
            }
            Ix::CommitVote {
                task,
                payer,
                audit: of,
                node,
                signer,
                sealed,
                proof,
            } => {
                let audit = self.seat(task, of, node, signer, proof)?;
                require(sealed.is_some(), No::CommitmentMissing)?;
                require(self.tasks[&task].rules.commit > 0, No::VotesAreOpen)?;
                require(self.slot < audit.reveal, No::VotingClosed)?;
                self.take_seat(of, node, [payer, signer], proof, sealed, None)
            }
            Ix::RevealVote {
                audit: of,
                node,
                vote: id,
                opinion,
                salt,
            } => {
                let audit = self.audit(of)?;
                self.node(node)?;
                let vote = self.vote(id)?;
                require(id.audit == of, No::WrongAudit)?;
                require(node.task == of.task(), No::WrongTask)?;
                require(node.owner == id.voter, No::WrongNode)?;
                require(opinion <= 2, No::UnknownVerdict)?;
                require(
                    audit.reveal <= self.slot && self.slot < audit.end,
                    No::VotingClosed,
                )?;
                require(
                    vote.on_appeal || audit.appeal.is_none(),
                    No::RevealWindowMissed,
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
        proof: Option<Proof>,
    ) -> Result<&Audit, No> {
        require(proof != Some(Proof::Node(node)), No::Twice)?;
        self.task(task)?;
        let audit = self.audit(of)?;
        self.node(node)?;
        require(of.task() == task, No::WrongTask)?;
        self.by_operator(task, node, signer)?;
        let id = VoteId {
            audit: of,
            voter: node.owner,
        };
        require(!self.votes.contains_key(&id), No::InUse)?;
        Ok(audit)
    }

    fn take_seat(
        &self,
        of: AuditId,
        node: NodeId,
        [payer, signer]: [Key; 2],
        proof: Option<Proof>,
        sealed: Option<Sealed>,
        opinion: Option<u8>,
    ) -> Judged {
        let audit = &self.audits[&of];
        require(node.owner != audit.accused, No::AccusedCannotVote)?;
        require(node.owner != of.initiator, No::InitiatorAlreadyVoted)?;
        let submitted = audit.submission_slot;
        let weight = self.weight_on(node, submitted)?;
        let called = audit.draw_slot == 0 || audit.appeal.is_some();
        if !called && audit.seed.is_none() {
            require(self.slot >= audit.draw_slot + DRAW, No::PanelNotDrawn)?;
        } else if !called {
            require(self.has_seat(of, node.owner, weight), No::NotSeated)?;
        }
        self.is_not_struck(node, proof)?;
        let on_appeal = audit.appeal.is_some();
        let kind = match (audit.draw_slot, on_appeal) {
            (_, true) => Some(Met::AppealVotes),
            (0, _) => None,
            _ if audit.seed.is_some() => Some(Met::PanelVotes),
            _ => Some(Met::UndrawnVotes),
        };
        let id = VoteId {
            audit: of,
            voter: node.owner,
        };
        Ok(Box::new(move |world| {
            world.meet_voter(node, weight, submitted);
            if let Some(kind) = kind {
                world.meet(kind);
            }
            if let Some(opinion) = opinion {
                let audit = world.audits.get_mut(&of).unwrap();
                audit.ballots.push((opinion, weight));
            }
            world.votes.insert(
                id,
                Vote {
                    payer,
                    sealed,
                    opinion,
                    weight,
                    on_appeal,
                    state: if opinion.is_some() {
                        VoteState::Revealed
                    } else {
                        VoteState::Committed
                    },
                },
            );
            world.rent(payer, signer, world.rents.vote);
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
            appellant,
        } = *ix
        else {
            unreachable!()
        };
        require(accused != initiator, No::Twice)?;
        let rules = &self.task(task)?.rules;
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
        require(initiator.owner == of.initiator, No::WrongNode)?;
        // Whoever appealed, if none of both, comes behind them; else nobody looks who does.
        let third = audit.appeal.map(|appeal| appeal.appellant);
        let third = third.filter(|one| ![audit.accused, of.initiator].contains(one));
        let named_twice = [Some(accused), Some(initiator)].contains(&appellant);
        require(third.is_none() || !named_twice, No::Twice)?;
        require(audit.outcome == Outcome::Open, No::AlreadyResolved)?;
        require(self.slot >= audit.end, No::VotingOpen)?;
        require(
            audit.appeal.is_some() || self.slot >= audit.end + rules.appeal,
            No::AppealOpen,
        )?;
        let before = self.submissions[&of.submission].outcomes.len();
        require(audit.attempt as usize == before, No::EarlierAuditOpen)?;
        if let Some(third) = third {
            let named = appellant.ok_or(No::WrongNode)?;
            self.node(named)?;
            require(named.task == task, No::WrongTask)?;
            require(named.owner == third, No::WrongNode)?;
        }
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
        require(self.submission_status(of) < 2, No::ConvictedEarnsNothing)?;
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
                require(initiator.owner == id.initiator, No::WrongNode)?;
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
                    self.slot >= task.audit_end(round.number),
                    No::RoundUndecided,
                )?;
                let settled = submission.paid || self.submission_status(id) > 1;
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
                payer,
            } => {
                let task = self.task(at)?;
                let node = self.node(id)?;
                require(id.task == at, No::WrongTask)?;
                require(node.payer == payer, No::WrongPayer)?;
                require(
                    closer == id.owner || task.status == Status::Retired,
                    No::NotRetired,
                )?;
                let owns = [node.stake, node.payable, node.boxes[0].0, node.boxes[1].0];
                require(
                    owns.iter().all(|amount| *amount == 0) && self.live(id) == 0,
                    No::NotEmpty,
                )?;
                Ok(Box::new(move |world| {
                    world.nodes.remove(&id);
                    world.lamports[usize::from(payer)] += world.rents.node;
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

    pub fn rules_of(&self, audit: AuditId) -> &Rules {
        &self.tasks[&audit.task()].rules
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

    /// Takes the rent of an account from who pays it, the operator or another.
    fn rent(&mut self, payer: Key, operator: Key, rent: u64) {
        self.lamports[usize::from(payer)] -= rent;
        if payer != operator {
            self.meet(Met::SponsorPays);
        }
    }

    fn resolve(&mut self, of: AuditId) {
        let task = of.task();
        let (slot, rules) = (self.slot, self.rules(task));
        self.check_panel(of);
        let audit = self.audits.get_mut(&of).unwrap();
        let counted = audit.verdict(&rules);
        // A verdict is turned by a verdict alone.
        let first = audit.appeal.map(|appeal| appeal.first);
        let outcome = match counted {
            Outcome::NoVerdict => first.unwrap_or(counted),
            _ => counted,
        };
        audit.outcome = outcome;
        let audit = audit.clone();
        self.outcomes[outcome as usize] += 1;
        self.check_verdict(of);
        if let Some(first) = first {
            self.meet_appeal(first, counted);
        }
        let before = self.submission_status(of.submission);
        self.submissions
            .get_mut(&of.submission)
            .unwrap()
            .outcomes
            .push(outcome);
        let owner = |owner| NodeId { task, owner };
        let (accused, initiator) = (owner(audit.accused), owner(of.initiator));
        // What the verdict takes, before what an appeal lost.
        let taken = match outcome {
            Outcome::Open => unreachable!(),
            Outcome::NoVerdict => 0,
            Outcome::Acquitted => {
                let lost = self.slash(initiator, audit.bond);
                if lost < audit.bond {
                    self.meet(Met::BondLostInPart);
                }
                lost
            }
            Outcome::Downtime | Outcome::Malice => self.punish(of, outcome),
        };
        let appealed = match audit.appeal {
            Some(appeal) if appeal.first == outcome => {
                self.lose_appeal(owner(appeal.appellant), rules.appeal_bond)
            }
            _ => 0,
        };
        // The pool has of it what it has of a slash.
        let lost = appealed;
        let appealed = bps(lost, 10_000 - rules.pool_bps);
        let sharers = audit.sharers(&rules);
        let mut weight = audit.weight_of(&rules, sharers);
        let own = audit.weigh(&rules, audit.ballots[0].1);
        let (bonus, voters) = (bps(taken, rules.bonus_bps), voters_part(taken, &rules));
        let mut pot = voters + appealed;
        // What of the pot is the accusation's.
        let mut share = 0;
        match outcome {
            Outcome::Open => unreachable!(),
            Outcome::NoVerdict => {
                // Everyone who voted but the initiator; nobody's is the pool's.
                weight -= u128::from(own);
                if weight == 0 {
                    self.pool(task, std::mem::take(&mut pot));
                    if appealed > 0 {
                        self.meet(Met::AppealBondToPool);
                    }
                }
                if pot == 0 {
                    weight = 0;
                }
            }
            Outcome::Acquitted => {
                if rules.reward == 0 {
                    // Everyone who voted but the initiator, whose bond it is.
                    weight -= u128::from(own);
                }
                // Shared as a slash is: the acquitted node has what would be a bonus.
                let node = self.nodes.get_mut(&accused).unwrap();
                node.lock(bonus, slot, rules.leave_delay);
            }
            Outcome::Downtime | Outcome::Malice => {
                if sharers.contains(&audit.accusation) {
                    let whole = u64::try_from(weight).unwrap();
                    share = portion(pot, own, whole);
                    assert!(
                        share <= portion(voters, own, whole) + appealed,
                        "{of:?}: the accuser gains more by an appeal than it lost"
                    );
                } else {
                    self.meet(Met::AccusationOfLess);
                }
                let node = self.nodes.get_mut(&initiator).unwrap();
                node.lock(bonus + share, slot, rules.leave_delay);
                let round = self.rounds.get_mut(&of.submission.round).unwrap();
                round.convicted.insert(of.submission.owner);
            }
        }
        self.pool(task, taken - bonus - voters + lost - appealed);
        if self.open_audits(accused) == 0 {
            self.nodes.get_mut(&accused).unwrap().risks.clear();
        }
        let node = self.nodes.get_mut(&initiator).unwrap();
        match audit.won(audit.accusation) {
            Some(true) => node.with_majority += 1,
            Some(false) => node.against_majority += 1,
            None => {}
        }
        let after = self.submission_status(of.submission);
        match (before, after, outcome) {
            (2, 3, _) => self.meet(Met::MaliceAfterDowntime),
            (2, 2, Outcome::Acquitted) | (3, 3, Outcome::Acquitted) => {
                self.meet(Met::AcquittedAfterConviction);
            }
            (3, 3, Outcome::Downtime) => self.meet(Met::DowntimeAfterMalice),
            (1, 2 | 3, _) => self.meet(Met::ConvictedAfterAcquittal),
            _ => {}
        }
        assert!(before <= after, "{of:?}: a verdict was made milder");
        let audit = self.audits.get_mut(&of).unwrap();
        audit.appeal_lost = appealed;
        audit.pot = pot;
        audit.pot_weight = u64::try_from(weight).unwrap();
        audit.pot_left = pot - share;
        audit.pot_paid = share;
    }

    /// Takes what a conviction costs, and answers how much.
    fn punish(&mut self, of: AuditId, outcome: Outcome) -> u64 {
        let rules = self.rules(of.task());
        let fault = if outcome == Outcome::Malice {
            rules.malice_bps
        } else {
            rules.downtime_bps
        };
        let accused = NodeId {
            task: of.task(),
            owner: of.submission.owner,
        };
        let whole = bps(self.audits[&of].accused_stake, fault);
        let due = whole.saturating_sub(self.submissions[&of.submission].slashed);
        let slash = self.slash(accused, due);
        assert!(
            slash <= self.risk(accused),
            "{of:?} takes more than its risk"
        );
        let submission = self.submissions.get_mut(&of.submission).unwrap();
        submission.slashed += slash;
        let node = self.nodes.get_mut(&accused).unwrap();
        let worst = node.convicted.entry(of.submission).or_insert(outcome);
        *worst = outcome.max(*worst);
        if due < whole {
            self.meet(Met::SlashOfTheDifference);
        }
        slash
    }

    /// Takes the bond of an appeal that changed nothing, and answers what was still there.
    fn lose_appeal(&mut self, id: NodeId, bond: u64) -> u64 {
        let had = self.nodes[&id].stake;
        let lost = self.slash(id, bond);
        assert_eq!(
            lost,
            bond.min(had),
            "{id:?}: an appeal in vain costs its bond"
        );
        if lost < bond {
            self.meet(Met::AppealBondLostInPart);
        }
        lost
    }

    /// What an appeal came to, by the first and the final count.
    fn meet_appeal(&mut self, first: Outcome, counted: Outcome) {
        use Outcome::{Acquitted, Downtime, Malice, NoVerdict};
        self.meet(match (first, counted) {
            (NoVerdict, NoVerdict) => Met::NothingTwice,
            (_, NoVerdict) => Met::FirstVerdictStands,
            (NoVerdict, _) => Met::NothingBecomesVerdict,
            (Acquitted, Downtime | Malice) => Met::AcquittalBecomesConviction,
            (Downtime | Malice, Acquitted) => Met::ConvictionBecomesAcquittal,
            (Downtime, Malice) | (Malice, Downtime) => Met::OtherFault,
            _ => Met::AppealInVain,
        });
    }

    fn claim(&mut self, id: VoteId) {
        let task = id.audit.task();
        let (slot, rules) = (self.slot, self.rules(task));
        let vote = self.votes.get_mut(&id).unwrap();
        vote.state = VoteState::Claimed;
        let (opinion, weight) = (vote.opinion, vote.weight);
        let last = self.unclaimed(id.audit) == 0;
        let node = NodeId {
            task,
            owner: id.voter,
        };
        let audit = self.audits.get_mut(&id.audit).unwrap();
        let won = opinion.and_then(|opinion| audit.won(opinion));
        let sharers = audit.sharers(&rules);
        let share = match opinion {
            Some(opinion) if audit.pot > 0 && sharers.contains(&opinion) => {
                portion(audit.pot, audit.weigh(&rules, weight), audit.pot_weight)
            }
            _ => 0,
        };
        assert!(share <= audit.pot_left, "{id:?}: a share that isn't there");
        if audit
            .appeal
            .is_some_and(|appeal| appeal.appellant == id.voter)
            && share > 0
        {
            let without = audit.pot - audit.appeal_lost;
            let weight = audit.weigh(&rules, weight);
            assert!(
                share <= portion(without, weight, audit.pot_weight) + audit.appeal_lost,
                "{id:?} gains by an appeal in vain"
            );
        }
        let missed = opinion.is_none()
            && audit.appeal.is_some()
            && !self.votes[&id].on_appeal
            && rules.deposit > 0;
        let less = won == Some(false) && opinion == Some(1) && rules.reward == 1;
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
        if less && self.audits[&id.audit].outcome == Outcome::Malice {
            self.meet(Met::VotedForLess);
        }
        if missed {
            self.meet(Met::AppealEndsReveals);
        }
        let of = self.nodes.get_mut(&node).unwrap();
        match (opinion, won) {
            (None, _) => {
                of.unrevealed += 1;
                let lost = self.slash(node, rules.deposit);
                self.pool(task, lost);
                if lost < rules.deposit {
                    self.meet(Met::DepositLostInPart);
                }
            }
            (_, Some(true)) => of.with_majority += 1,
            (_, Some(false)) => of.against_majority += 1,
            _ => {}
        }
        let of = self.nodes.get_mut(&node).unwrap();
        of.lock(share, slot, rules.leave_delay);
    }

    pub fn meet(&mut self, met: Met) {
        *self.met.entry(met).or_default() += 1;
    }

    /// What a vote that is taken shows.
    fn meet_voter(&mut self, id: NodeId, weight: u64, submitted: Slot) {
        let node = &self.nodes[&id];
        if weight > self.least(id, submitted) {
            let young = since(&node.asked.young, submitted) > 0;
            self.meet(if young {
                Met::YoungLeaverVotes
            } else {
                Met::LeaverVotes
            });
        }
        if weight < self.min_stake(id) {
            self.meet(Met::SlashedVotes);
        }
        let node = &self.nodes[&id];
        let (active, young) = (node.active(), weight < node.active());
        if self.open_audits(id) > 0 {
            self.meet(Met::AccusedVotes);
        }
        if self.pledged(id) >= active.into() {
            self.meet(Met::PledgedVotes);
        }
        if active == self.min_stake(id) {
            self.meet(Met::MinimumVotes);
        }
        if self.commitments(id) > 3 {
            self.meet(Met::ManyCommitments);
        }
        if young {
            self.meet(Met::OldStakeVotes);
        }
    }

    /// Judges, and changes the world where the instruction is accepted.
    pub fn play(&mut self, ix: &Ix) -> Result<(), No> {
        let effect = self.judge(ix)?;
        effect(self);
        for id in ix.nodes() {
            self.remember(id);
        }
        Ok(())
    }

    /// Notes what the node can vote with now, where that is something else than before.
    fn remember(&mut self, id: NodeId) {
        let moment = match self.nodes.get(&id) {
            Some(node) => self.moment(id, node),
            None if self.histories.contains_key(&id) => Moment {
                slot: self.slot,
                active: 0,
                counts: false,
            },
            None => return,
        };
        let history = self.histories.entry(id).or_default();
        let same = |last: &Moment| (last.active, last.counts) == (moment.active, moment.counts);
        if !history.last().is_some_and(same) {
            history.push(moment);
        }
    }
}

/// What must hold whatever happened.
impl World {
    /// Whoever is awake counts: whether the node may vote in the audit, by time and mode, by age and amount of its stake, by its gate and by
    /// its own part in this audit alone. Nothing here looks at another audit, at a bond or at a deposit.
    pub fn may_vote(&self, ix: &Ix) -> bool {
        let (of, id, proof, commits) = match *ix {
            Ix::CastVote {
                audit, node, proof, ..
            } => (audit, node, proof, false),
            Ix::CommitVote {
                audit, node, proof, ..
            } => (audit, node, proof, true),
            _ => unreachable!(),
        };
        let rules = &self.tasks[&id.task].rules;
        let audit = &self.audits[&of];
        let commit_end = audit.began() + rules.commit;
        let in_time = if commits {
            self.slot < commit_end
        } else {
            self.slot < commit_end + rules.reveal
        };
        // A panel keeps out whoever isn't drawn; after an appeal, or where nobody draws in time, it keeps out nobody.
        let called = match (audit.seed, audit.appeal) {
            (_, Some(_)) => true,
            (Some(_), None) => {
                self.has_say(id, audit.submission_slot)
                    && self.has_seat(of, id.owner, self.at_risk(id, audit.submission_slot))
            }
            (None, None) => rules.seats == 0 || self.slot >= audit.opened + DRAW_DELAY + DRAW,
        };
        let vote = VoteId {
            audit: of,
            voter: id.owner,
        };
        in_time
            && called
            && commits == (rules.commit > 0)
            && ![of.initiator, of.submission.owner].contains(&id.owner)
            && !self.votes.contains_key(&vote)
            && self.has_say(id, audit.submission_slot)
            && self.is_not_struck(id, proof).is_ok()
    }

    /// The same for an accusation: besides, the submission must not be convicted of it already, nor the bonds of the node's own open
    /// accusations be over its stake.
    pub fn may_accuse(&self, ix: &Ix) -> bool {
        let Ix::OpenAudit {
            submission: of,
            initiator: id,
            accusation,
            proof,
            ..
        } = *ix
        else {
            unreachable!()
        };
        let task = &self.tasks[&id.task];
        let submission = &self.submissions[&of];
        let node = &self.nodes[&id];
        let worst = submission.outcomes.iter().max();
        let decided = match accusation {
            1 => worst >= Some(&Outcome::Downtime),
            _ => worst == Some(&Outcome::Malice),
        };
        task.status != Status::Paused
            && self.slot < task.audit_end(of.round.number)
            && !decided
            && self.bonds(id) + task.rules.bond <= node.stake
            && self.has_say(id, submission.slot)
            && self.is_not_struck(id, proof).is_ok()
    }

    /// No more votes on a panel than nodes that were drawn for it; and more than half of its seats, if that is more than half of what was
    /// told, decide.
    fn check_panel(&mut self, of: AuditId) {
        let audit = &self.audits[&of];
        if !audit.is_panel() {
            return;
        }
        let others = self.histories.keys().filter(|id| {
            id.task == of.task() && ![audit.accused, of.initiator].contains(&id.owner)
        });
        let drawn = others.filter(|id| {
            let before = self.just_before(**id, audit.submission_slot);
            before.is_some_and(|moment| self.has_seat(of, id.owner, moment.active))
        });
        let votes = self.votes_of(of).count();
        assert!(votes <= drawn.count(), "{of:?}: more votes than seats");
        let weights = self.votes_of(of).map(|(_, vote)| u128::from(vote.weight));
        assert!(
            weights.sum::<u128>() <= audit.eligible.stake,
            "{of:?}: more voted than seats are drawn out of"
        );
        assert!(
            audit.ballots.len() - 1 <= votes,
            "{of:?}: more told than voted"
        );
        let rules = &self.tasks[&of.task()].rules;
        let said = audit.verdict(rules);
        let outcomes = [Outcome::Acquitted, Outcome::Downtime, Outcome::Malice];
        let mut half = false;
        for (opinion, outcome) in (0u8..).zip(outcomes) {
            let heads = audit.others_of(&[opinion]);
            if 2 * heads > audit.ballots.len().max(rules.seats.into()) {
                assert_eq!(said, outcome, "{of:?}: {heads} of the panel said {opinion}");
                half = true;
            }
        }
        self.meet(Met::PanelSaid(said as u8 - 1));
        if half {
            self.meet(Met::HalfOfPanelDecides);
        }
    }

    /// More than half of what could vote just before the submission's slot decides, if it has the quorum of votes and everybody was called:
    /// whatever a panel or a first count said before an appeal.
    fn check_verdict(&mut self, of: AuditId) {
        let rules = self.rules(of.task());
        let audit = &self.audits[&of];
        let slot = audit.submission_slot;
        let could = self.electorate_before(of.task(), Some(audit.accused), slot);
        assert!(
            audit.eligible.stake <= could.stake && audit.eligible.nodes <= could.nodes,
            "{of:?}: {:?} are eligible, {could:?} could vote just before the submission's slot",
            audit.eligible
        );
        let told = audit.ballots.iter().map(|(_, stake)| u128::from(*stake));
        assert!(
            told.sum::<u128>() <= audit.eligible.stake
                && audit.ballots.len() as u128 <= audit.eligible.nodes,
            "{of:?}: more told than were eligible"
        );
        let outcome = audit.outcome;
        if let Some(appeal) = audit.appeal {
            assert!(
                appeal.first == Outcome::NoVerdict || outcome != Outcome::NoVerdict,
                "{of:?}: an appeal turned a verdict into none"
            );
            // What is turned has the majority of all that was told.
            if outcome != appeal.first {
                let told = audit.weight_of(&rules, &[0, 1, 2]);
                let won = audit.weight_of(&rules, audit.winners());
                assert!(2 * won > told, "{of:?}: turned by a minority");
            }
        }
        if audit.is_panel() {
            return;
        }
        let all = could.weight(&rules);
        assert!(
            audit.weight_of(&rules, &[0, 1, 2]) <= all,
            "{of:?}: more voted than could"
        );
        let outcomes = [Outcome::Acquitted, Outcome::Downtime, Outcome::Malice];
        for (opinion, said) in (0u8..).zip(outcomes) {
            let weight = audit.weight_of(&rules, &[opinion]);
            let heads = audit.others_of(&[opinion]);
            if 2 * weight > all && heads >= rules.quorum_votes as usize {
                assert_eq!(outcome, said, "{of:?}: {weight} of {all} said {opinion}");
                let turned = audit.appeal.is_some_and(|appeal| appeal.first != said);
                self.meet(Met::HalfDecides(opinion));
                if turned {
                    self.meet(Met::HalfTurns);
                }
                return;
            }
        }
    }

    /// Stake that leaves is neither pledged nor accused, nor can it still be accused for what was submitted before it asked to leave.
    fn check_leave(&self, id: NodeId, stake: u64) {
        if stake == 0 {
            return;
        }
        let (node, task) = (&self.nodes[&id], &self.tasks[&id.task]);
        assert_eq!(self.open_audits(id), 0, "{id:?}: the accused withdraws");
        assert!(
            u128::from(node.stake - stake) >= self.pledged(id),
            "{id:?}: what is pledged leaves"
        );
        let asked = node.leave_slot - task.rules.leave_delay;
        for (of, submission) in self.submissions_of(id) {
            assert!(
                submission.slot > asked || self.slot >= task.audit_end(of.round.number),
                "{id:?}: stake leaves that {of:?} answers for"
            );
        }
    }

    /// All that a node has leaves when nothing can take of it any more.
    fn check_return(&self, id: NodeId) {
        let task = &self.tasks[&id.task];
        assert_eq!(self.open_audits(id), 0, "{id:?}: the accused is paid out");
        assert_eq!(self.bonds(id), 0, "{id:?}: a bond is paid out");
        assert_eq!(self.commitments(id), 0, "{id:?}: a deposit is paid out");
        for (of, _) in self.submissions_of(id) {
            assert!(
                self.slot >= task.audit_end(of.round.number),
                "{id:?}: paid out before {of:?} is safe"
            );
        }
    }

    fn submissions_of(&self, id: NodeId) -> impl Iterator<Item = (&SubmissionId, &Submission)> {
        self.submissions
            .iter()
            .filter(move |(of, _)| of.round.task == id.task && of.owner == id.owner)
    }

    pub fn open_of(&self, submission: SubmissionId) -> usize {
        self.audits_of(submission)
            .filter(|(_, audit)| audit.outcome == Outcome::Open)
            .count()
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
        for (id, submission) in &self.submissions {
            let most = bps(
                submission.largest_stake,
                self.tasks[&id.round.task].rules.malice_bps,
            );
            assert!(
                submission.slashed <= most,
                "{id:?} cost {} of at most {most}",
                submission.slashed
            );
        }
        for (id, audit) in &self.audits {
            if audit.won(0).is_some() {
                let least = self.tasks[&id.task()].rules.quorum_votes as usize;
                let side = match audit.outcome {
                    Outcome::Acquitted => audit.others_of(&[0]),
                    Outcome::Malice => audit.others_of(&[2]),
                    _ => audit.others_of(&[1, 2]),
                };
                assert!(side >= least, "{id:?}: a verdict without quorum");
            }
            if audit.pot_left > 0 {
                assert!(
                    self.unclaimed(*id) > 0,
                    "{id:?}: nothing is left without a claim"
                );
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
            | Ix::Restake { node, .. }
            | Ix::RequestLeave { node, .. }
            | Ix::CancelLeave { node, .. }
            | Ix::Withdraw { node, .. }
            | Ix::ReturnStake { node, .. }
            | Ix::SetOperator { node, .. }
            | Ix::SubmitWork { node, .. }
            | Ix::AppealAudit { node, .. }
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
            } => vec![accused, initiator],
            Ix::ResolveAudit {
                accused,
                initiator,
                appellant,
                ..
            } => [accused, initiator].into_iter().chain(appellant).collect(),
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
            Ix::Restake { .. } => "restake",
            Ix::RequestLeave { .. } => "request_leave",
            Ix::CancelLeave { .. } => "cancel_leave",
            Ix::Withdraw { .. } => "withdraw",
            Ix::ReturnStake { .. } => "return_stake",
            Ix::SetOperator { .. } => "set_operator",
            Ix::SubmitWork { .. } => "submit_work",
            Ix::OpenAudit { .. } => "open_audit",
            Ix::DrawPanel { .. } => "draw_panel",
            Ix::AppealAudit { .. } => "appeal_audit",
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
