//! Every refusal of the program. Codes start at 6000; append only, since clients know them by number.

use anchor_lang::prelude::*;

#[error_code]
pub enum TaskError {
    // 6000: arithmetic and bookkeeping
    #[msg("The amount does not fit the ledger")]
    Overflow,
    #[msg("The account would break its own rules")]
    InvariantBroken,
    #[msg("The amount must be above zero")]
    AmountZero,

    // 6003: create_task
    #[msg("The audit function has no SHA-256")]
    AuditFunctionMissing,
    #[msg("The URI is longer than 128 bytes")]
    UriTooLong,
    #[msg("The initiator's bond must be above zero")]
    BondZero,
    #[msg("A share or slash is over 10,000 basis points")]
    SharesOverWhole,
    #[msg("The initiator's bonus must be above zero")]
    BonusZero,
    #[msg("The slash for malice must be above zero")]
    SlashZero,
    #[msg("The slash for malice is below the slash for downtime")]
    MaliceBelowDowntime,
    #[msg("The quorum must ask for at least one vote besides the initiator's")]
    QuorumZero,
    #[msg("A round, submission, audit or reveal window is zero slots long")]
    WindowZero,
    #[msg("The submission window is longer than the round")]
    SubmissionWindowTooLong,
    #[msg("Audit, commit and reveal windows together are longer than a round")]
    AuditWindowsTooLong,
    #[msg("The leave delay is shorter than submission, audit, commit and reveal windows together, and with appeals the appeal, commit and reveal windows once more")]
    LeaveDelayTooShort,
    #[msg("The minimum stake must be above zero for workers and for witnesses")]
    MinimumStakeZero,
    #[msg("The worker's minimum stake is over 100 rounds' bounties; allow it in so many words or lower it")]
    StakeOverBounty,
    #[msg("Vote weight, reward rule or gate is not one that exists")]
    UnknownRule,
    #[msg("The gate lacks its mint, collection or task")]
    GateKeyMissing,

    // 6019: mints that could let tokens move or shrink without us
    #[msg("The mint charges transfer fees")]
    MintTransferFee,
    #[msg("The mint calls a program at every transfer")]
    MintTransferHook,
    #[msg("The mint has a permanent delegate who can take tokens")]
    MintPermanentDelegate,
    #[msg("The mint's tokens can't be transferred")]
    MintNonTransferable,
    #[msg("The mint can be paused")]
    MintPausable,
    #[msg("The mint has confidential transfers")]
    MintConfidentialTransfer,
    #[msg("The mint freezes new accounts")]
    MintDefaultFrozen,
    #[msg("The mint can be closed and made anew with other rules")]
    MintClosable,
    #[msg("The mint has an extension that this program does not know")]
    MintExtensionUnknown,

    // 6028: accounts that do not belong together
    #[msg("The mint is not the task's mint")]
    MintMismatch,
    #[msg("The token program does not own the task's mint")]
    TokenProgramMismatch,
    #[msg("The vault is not the task's vault")]
    VaultMismatch,
    #[msg("The account belongs to another task")]
    WrongTask,
    #[msg("The node does not belong to this audit, vote or submission")]
    WrongNode,
    #[msg("The submission does not belong to this audit")]
    WrongSubmission,
    #[msg("The round is not the submission's")]
    WrongRound,
    #[msg("The vote does not belong to this audit")]
    WrongAudit,
    #[msg("Only the task's creator may do this")]
    NotCreator,
    #[msg("Only the node's owner may do this")]
    NotOwner,
    #[msg("Only the node's operator may do this")]
    NotOperator,

    // 6039: task and node
    #[msg("The task is retired")]
    TaskRetired,
    #[msg("The role must be worker or witness")]
    UnknownRole,
    #[msg("The stake would be below the minimum of the role")]
    StakeBelowMinimum,
    #[msg("More than the node's stake that is not leaving")]
    StakeTooSmall,
    #[msg("The stake is pledged to the node's own open accusations or unrevealed votes; they end with verdict and claim")]
    StakePledged,
    #[msg("No stake is leaving")]
    NothingLeaving,
    #[msg("Nothing can be withdrawn yet")]
    NothingToWithdraw,
    #[msg("The node stands accused; resolve the audit first")]
    NodeAccused,

    // 6047: work, audits and votes
    #[msg("Witnesses do not submit work")]
    WitnessCannotSubmit,
    #[msg("The payload has no SHA-256")]
    PayloadMissing,
    #[msg("The round is not the current one")]
    RoundNotCurrent,
    #[msg("The submission window of the round is over")]
    SubmissionWindowClosed,
    #[msg("The fault or verdict is not one that exists")]
    UnknownVerdict,
    #[msg("The audit window of the submission is over")]
    AuditWindowClosed,
    #[msg("An audit of the submission that was opened before is to be resolved first")]
    EarlierAuditOpen,
    #[msg("The submission is convicted of this already, or of worse")]
    AlreadyDecided,
    #[msg("Stake came to this node four times within one case already; a further part would make it all young")]
    StakeAddedTooOften,
    #[msg("The node joined at or after the submission's slot")]
    JoinedAfterSubmission,
    #[msg("The node held less than its minimum stake before the submission's slot")]
    StakeTooRecent,
    #[msg("The accused can't vote on itself")]
    AccusedCannotVote,
    #[msg("The initiator's accusation is its vote")]
    InitiatorAlreadyVoted,
    #[msg("Votes are not taken at this slot")]
    VotingClosed,
    #[msg("Votes are still taken")]
    VotingOpen,
    #[msg("The audit is resolved already")]
    AlreadyResolved,
    #[msg("The audit is not resolved yet")]
    NotResolved,
    #[msg("The vote is claimed already")]
    AlreadyClaimed,
    #[msg("A round or leave delay is longer than 78,840,000 slots, about a year")]
    WindowTooLong,

    // 6066: gates, committed votes, bounties and closing
    #[msg("The task is paused")]
    TaskPaused,
    #[msg("The task is not paused")]
    NotPaused,
    #[msg("The task is not retired")]
    NotRetired,
    #[msg("The owner does not pass the task's gate for this role")]
    GateClosed,
    #[msg("Votes of this task are committed first; cast_vote is for open votes")]
    VotesAreCommitted,
    #[msg("Votes of this task are open; use cast_vote")]
    VotesAreOpen,
    #[msg("The commitment is all zeros")]
    CommitmentMissing,
    #[msg("Verdict and salt are not those of the commitment")]
    CommitmentMismatch,
    #[msg("The vote is revealed already")]
    AlreadyRevealed,
    #[msg("The round's last audit is not decided yet")]
    RoundUndecided,
    #[msg("The submission was convicted and earns nothing")]
    ConvictedEarnsNothing,
    #[msg("The bounty is claimed already")]
    AlreadyPaid,
    #[msg("Something is still owed or depends on this account")]
    NotEmpty,
    #[msg("The payer is not the one who paid the rent")]
    WrongPayer,
    #[msg("The task is not the one that was read: it was made again at its address, perhaps with other rules")]
    TaskReplaced,

    // 6081: rules under which a penalty, an accusation or a verdict could not be
    #[msg("The slash of the worker's minimum stake floors to zero")]
    SlashFloorsToZero,
    #[msg("The initiator's bonus of the least slash for malice floors to zero")]
    BonusFloorsToZero,
    #[msg("Both bonds together, or the deposit, are over a role's minimum stake: a node at its minimum could not accuse, appeal or vote")]
    PledgeOverMinimum,
    #[msg("The quorum is over half of the eligible weight: half and one that are awake could not decide")]
    QuorumOverHalf,
    #[msg("The gate asks for the task's own mint or for the task itself")]
    GateOnItself,

    // 6086: the end of a retired task
    #[msg("One leave delay after the task's retirement is not over")]
    NotReleased,

    // 6087: shares that become stake
    #[msg("The node has nothing payable and no share whose lock is over")]
    NothingToRestake,

    // 6088: panels, appeals and evidence
    #[msg("A panel has at least three seats; 0 for none")]
    PanelTooSmall,
    #[msg("A panel needs at least 150 slots to appeal: a draw can go wrong by luck or by grinding, and only an appeal turns it")]
    PanelWithoutAppeal,
    #[msg("The window in which a panel is drawn and votes is shorter than 528 slots")]
    PanelWindowTooShort,
    #[msg("The quorum asks for more votes than half of the panel's seats")]
    QuorumOverPanel,
    #[msg("Appeals need both a window and a bond; 0 and 0 for none")]
    AppealBondZero,
    #[msg("The task draws panels; the accusation lacks the hash of the initiator's secret")]
    SecretHashMissing,
    #[msg("The evidence has a URI and no SHA-256")]
    EvidenceHashMissing,
    #[msg("No panel is drawn in this task")]
    NoPanel,
    #[msg("The panel is drawn already")]
    AlreadyDrawn,
    #[msg("No block that may decide the draw is known yet")]
    DrawTooEarly,
    #[msg("The panel can't be drawn any more; everybody eligible may vote")]
    DrawTooLate,
    #[msg("The secret is not the one whose hash came with the accusation")]
    SecretMismatch,
    #[msg("The panel is not drawn yet")]
    PanelNotDrawn,
    #[msg("The node has no seat on the panel")]
    NotSeated,
    #[msg("Appeals are not taken at this slot")]
    AppealClosed,
    #[msg("The audit was appealed already")]
    AlreadyAppealed,
    #[msg("Appeals are still taken")]
    AppealOpen,
    #[msg("Open audits may slash what the appeal's bond would be lent of; add stake, or let another node appeal")]
    StakeAtRisk,
    #[msg("The vote was committed before the appeal and its reveal window is over; its deposit is lost")]
    RevealWindowMissed,
}
