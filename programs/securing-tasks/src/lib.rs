//! Securing Tasks: anonymous nodes work for a task, audit one another, vote, and slash, with nobody trusted.
//!
//! Amounts are base units of the task's mint, times are slots, shares are basis points.

#![cfg_attr(not(test), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::integer_division,
        clippy::unwrap_used
    )
)]

extern crate alloc;

pub mod account;
pub mod constants;
#[cfg(all(feature = "own-entrypoint", not(feature = "cpi")))]
mod entry;
pub mod error;
pub mod events;
pub mod instructions;
pub mod math;
pub mod slot_hashes;
pub mod state;
pub mod tokens;

use alloc::string::String;
use anchor_lang::prelude::*;
pub use {instructions::*, state::*};

declare_id!("5keaxc4yHqGYy8zeiL9AauZhM4TjDPBHJfWPWhXxQoC5");

// What an explorer shows to whoever found a hole. Nothing is deployed yet: who deploys puts his own page and mailbox here and into
// `SECURITY.md`.
#[cfg(all(feature = "own-entrypoint", not(feature = "cpi")))]
solana_security_txt::security_txt! {
    name: "Securing Tasks",
    project_url: "see README.md of the source",
    contacts: "other:whoever deployed the program; see SECURITY.md of the source",
    policy: "SECURITY.md of the source: tell us alone, funds at risk first; we answer within three days and name who found it",
    preferred_languages: "en",
    auditors: "none yet; docs/security.md lists what was attacked and at which price"
}

#[program]
pub mod securing_tasks {
    use super::*;

    /// Makes a task with its vault; its rules never change. By its creator; the payer pays the rent.
    ///
    /// Errors: one for each rule out of bounds, a missing audit function, a URI over 128 bytes, a mint that moves without us.
    pub fn create_task(
        ctx: &mut Context<CreateTask>,
        id: u64,
        rules: RulesArgs,
        audit_function_hash: [u8; 32],
        audit_function_uri: String,
        task_function_hash: [u8; 32],
        task_function_uri: String,
    ) -> Result<()> {
        let bump = ctx.bumps.task;
        ctx.accounts.handle(
            bump,
            id,
            &rules,
            (&audit_function_hash, &audit_function_uri),
            (&task_function_hash, &task_function_uri),
        )
    }

    /// Adds to the bounty pool. By anyone.
    ///
    /// Errors: `AmountZero`, `TaskRetired`.
    pub fn fund_task(ctx: &mut Context<FundTask>, amount: u64) -> Result<()> {
        ctx.accounts.handle(amount)
    }

    /// Ends a task for ever: no new nodes and no new work. What is in the pool goes back to the creator; call it again for what
    /// later verdicts add. Audits of what was submitted, verdicts, claims and withdrawals go on: else a creator could shield a
    /// worker by retiring. By the creator.
    ///
    /// Errors: `NotCreator`.
    pub fn retire_task(ctx: &mut Context<RetireTask>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Makes a node (role 0 worker, 1 witness) with its first stake. By its owner; the payer pays the rent.
    ///
    /// `start_slot` is the task's as the owner read it: a creator can close an empty task and make another at its address, but not in
    /// the past. Whoever reads confirmed slots alone can't be shown two tasks of one slot.
    ///
    /// Errors: `TaskPaused`, `TaskRetired`, `TaskReplaced`, `UnknownRole`, `GateClosed`, `StakeBelowMinimum`.
    #[cfg(not(all(target_os = "solana", feature = "own-entrypoint", not(feature = "cpi"))))]
    pub fn join_task(
        ctx: &mut Context<JoinTask>,
        role: u8,
        operator: Address,
        amount: u64,
        start_slot: u64,
    ) -> Result<()> {
        let bump = ctx.bumps.node;
        ctx.accounts
            .handle(bump, role, operator, amount, start_slot)
    }

    /// Adds to a node's stake. It votes only on submissions made after it, and what was there before is as old as it was. By the owner.
    ///
    /// Errors: `AmountZero`, `TaskRetired`, `StakeAddedTooOften` for a fifth arrival within one longest case.
    pub fn add_stake(ctx: &mut Context<AddStake>, amount: u64) -> Result<()> {
        ctx.accounts.handle(amount)
    }

    /// Makes stake of what is payable and of shares whose lock is over, without a transfer. It votes like stake that is added now. By the
    /// owner.
    ///
    /// Errors: `TaskRetired`, `NothingToRestake`, `StakeAddedTooOften`.
    pub fn restake(ctx: &mut Context<Restake>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Asks for stake to leave after the leave delay: a part, or with none given all. It can be slashed until withdrawn. By the
    /// owner.
    ///
    /// Errors: `AmountZero`, `StakeTooSmall`, `StakeBelowMinimum` where a part would stay that is below the role's minimum.
    pub fn request_leave(ctx: &mut Context<RequestLeave>, amount: Option<u64>) -> Result<()> {
        ctx.accounts.handle(amount)
    }

    /// Takes the request to leave back; the stake is as young as what comes now. By the owner.
    ///
    /// Errors: `NothingLeaving`, `StakeAddedTooOften`.
    pub fn cancel_leave(ctx: &mut Context<CancelLeave>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Pays out stake whose leave delay is over (none of it while the node stands accused, and as much as is pledged stays), shares whose
    /// lock is over, and what else is payable. By the owner.
    ///
    /// Errors: `NodeAccused`, `StakePledged`, `NothingToWithdraw`.
    pub fn withdraw(ctx: &mut Context<Withdraw>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Pays a node of a retired task out to its owner, one leave delay after the end: stake, shares and what is payable. By anyone, to
    /// a token account of the owner.
    ///
    /// Errors: `NotRetired`, `NotReleased`, `NodeAccused`, `StakePledged`, `NothingToWithdraw`, `NotOwner`.
    pub fn return_stake(ctx: &mut Context<ReturnStake>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Names another hot key. By the owner.
    pub fn set_operator(ctx: &mut Context<SetOperator>, operator: Address) -> Result<()> {
        ctx.accounts.handle(operator)
    }

    /// Submits work for the current round, once. By the operator; the payer pays the rent.
    ///
    /// Errors: `TaskPaused`, `TaskRetired`, `GateClosed`, `WitnessCannotSubmit`, `PayloadMissing`, `UriTooLong`, `StakeBelowMinimum`, `RoundNotCurrent`,
    /// `SubmissionWindowClosed`.
    #[cfg(not(all(target_os = "solana", feature = "own-entrypoint", not(feature = "cpi"))))]
    pub fn submit_work(
        ctx: &mut Context<SubmitWork>,
        round_number: u64,
        payload_hash: [u8; 32],
        payload_uri: String,
    ) -> Result<()> {
        ctx.accounts
            .handle(round_number, payload_hash, &payload_uri)
    }

    /// Accuses a submission of downtime (1) or malice (2): the initiator's vote, with a bond pledged out of its stake. Whatever other audits
    /// are open. By the operator; the payer pays the rent. With the SHA-256 of the evidence and where it is to be had, or zeros and nothing. Where
    /// the task draws panels, with the SHA-256 of a secret that draws it, else zeros.
    ///
    /// Seed: "an audit can be called by any other node which has a stake in that task".
    ///
    /// Errors: `TaskPaused`, `GateClosed`, `UnknownVerdict`, `AuditWindowClosed`, `SecretHashMissing`, `UriTooLong`, `EvidenceHashMissing`,
    /// `AlreadyDecided`, `JoinedAfterSubmission`, `StakeTooRecent`,
    /// `StakePledged` where the bonds of the node's own open accusations would be over its stake.
    #[cfg(not(all(target_os = "solana", feature = "own-entrypoint", not(feature = "cpi"))))]
    pub fn open_audit(
        ctx: &mut Context<OpenAudit>,
        accusation: u8,
        secret_hash: [u8; 32],
        evidence_hash: [u8; 32],
        evidence_uri: String,
    ) -> Result<()> {
        ctx.accounts
            .handle(accusation, &secret_hash, evidence_hash, &evidence_uri)
    }

    /// Draws the panel of an audit with the initiator's secret and the first block at or after `draw_slot`, within 256 slots. Not drawn by
    /// then, everybody eligible may vote. By anyone who knows the secret.
    ///
    /// Errors: `NoPanel`, `AlreadyDrawn`, `DrawTooEarly`, `DrawTooLate`, `SecretMismatch`.
    pub fn draw_panel(ctx: &mut Context<DrawPanel>, secret: [u8; 32]) -> Result<()> {
        ctx.accounts.handle(&secret)
    }

    /// Opens an audit once more, to everybody eligible: votes that are in stay, and the full count decides if it comes to a verdict, else the
    /// first count's stands. Pledges the appeal's bond out of the stake; an appeal that changes nothing loses it to the voters. By the
    /// operator of any node of the task.
    ///
    /// Errors: `AppealClosed`, `AlreadyAppealed`, `StakePledged`, `StakeAtRisk`.
    pub fn appeal_audit(ctx: &mut Context<AppealAudit>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Votes valid (0), downtime (1) or malice (2), once and for good. By the operator; the payer pays the rent.
    ///
    /// Errors: `VotesAreCommitted`, `GateClosed`, `UnknownVerdict`, `VotingClosed`, `AccusedCannotVote`, `InitiatorAlreadyVoted`, `JoinedAfterSubmission`,
    /// `StakeTooRecent`, `PanelNotDrawn`, `NotSeated`.
    #[cfg(not(all(target_os = "solana", feature = "own-entrypoint", not(feature = "cpi"))))]
    pub fn cast_vote(ctx: &mut Context<CastVote>, opinion: u8) -> Result<()> {
        ctx.accounts.cast(opinion)
    }

    /// Commits to a vote, once and for good, where the task has a commit window: SHA-256 of tag, program, audit, voter, verdict and
    /// salt. Pledges the deposit out of the stake until the vote is revealed. By the operator; the payer pays the rent.
    ///
    /// Errors: those of `cast_vote`, `VotesAreOpen`, `CommitmentMissing`.
    #[cfg(not(all(target_os = "solana", feature = "own-entrypoint", not(feature = "cpi"))))]
    pub fn commit_vote(ctx: &mut Context<CastVote>, commitment: [u8; 32]) -> Result<()> {
        ctx.accounts.commit(commitment)
    }

    /// Opens a committed vote in the reveal window. One that stays shut loses its deposit. By anyone who knows the salt.
    ///
    /// Errors: `UnknownVerdict`, `VotingClosed`, `RevealWindowMissed`, `AlreadyRevealed`, `CommitmentMismatch`.
    pub fn reveal_vote(ctx: &mut Context<RevealVote>, opinion: u8, salt: [u8; 32]) -> Result<()> {
        ctx.accounts.handle(opinion, salt)
    }

    /// Decides an audit after its last vote and the time to appeal, and shares slash and bonds. Audits of one submission are decided in the order in which they were
    /// opened. By anyone.
    ///
    /// Where another node than the accused's and the initiator's appealed, it follows the accounts, writable.
    ///
    /// Errors: `VotingOpen`, `AppealOpen`, `AlreadyResolved`, `EarlierAuditOpen`, `WrongNode` without the appellant's node.
    pub fn resolve_audit(ctx: &mut Context<ResolveAudit>) -> Result<()> {
        let third = if ctx.accounts.has_third() {
            ctx.remaining_accounts()?.first().copied()
        } else {
            None
        };
        ctx.accounts.handle(third)
    }

    /// Credits one voter's share, or takes the deposit of a commitment that was never revealed. By anyone, to the voter.
    ///
    /// Errors: `NotResolved`, `AlreadyClaimed`.
    pub fn claim_vote(ctx: &mut Context<ClaimVote>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Credits a worker with its equal part of the round's reserve, once no audit of the round can change it. By anyone.
    ///
    /// Errors: `RoundUndecided`, `ConvictedEarnsNothing`, `AlreadyPaid`.
    pub fn claim_bounty(ctx: &mut Context<ClaimBounty>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Stops joins, submissions and new audits; verdicts, claims and withdrawals go on. By the creator.
    ///
    /// Errors: `TaskPaused`, `TaskRetired`.
    pub fn pause_task(ctx: &mut Context<PauseTask>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Ends a pause. By the creator.
    ///
    /// Errors: `NotPaused`, `TaskRetired`.
    pub fn resume_task(ctx: &mut Context<ResumeTask>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Closes a claimed vote. By anyone; the rent goes to its payer.
    ///
    /// Errors: `NotEmpty`.
    pub fn close_vote(ctx: &mut Context<CloseVote>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Closes a resolved audit whose votes are closed. By anyone; the rent goes to its payer.
    ///
    /// Errors: `NotResolved`, `NotEmpty`.
    pub fn close_audit(ctx: &mut Context<CloseAudit>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Closes a submission that was paid or convicted and whose audits are closed. By anyone; the rent goes to its payer.
    ///
    /// Errors: `RoundUndecided` while the round's work can be audited, `NotEmpty`.
    pub fn close_submission(ctx: &mut Context<CloseSubmission>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Closes a round whose submissions are closed; what nobody earned goes back to the pool. By anyone; the rent goes to its payer.
    ///
    /// Errors: `NotEmpty`.
    pub fn close_round(ctx: &mut Context<CloseRound>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Closes a node that owns nothing and that nothing needs. By its owner, by anyone once the task is retired; the rent goes to its
    /// payer.
    ///
    /// Errors: `NotRetired`, `NotEmpty`.
    pub fn close_node(ctx: &mut Context<CloseNode>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Closes a retired task without nodes, rounds and entries, with its vault. By anyone; the vault's tokens go to an account of the
    /// creator, the rent to its payer.
    ///
    /// Errors: `NotRetired`, `NotEmpty`, `NotCreator` for an account of somebody else.
    pub fn close_task(ctx: &mut Context<CloseTask>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Takes an owner off the allowlist of a role; the rent goes to its payer. By the creator, by anyone one leave delay after the task was
    /// retired. It never keeps a node from leaving.
    ///
    /// Errors: `NotCreator`.
    pub fn disallow_node(ctx: &mut Context<DisallowNode>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Puts an owner on the allowlist of a role (0 worker, 1 witness). By the creator; the payer pays the rent.
    ///
    /// Errors: `UnknownRole`.
    pub fn allow_node(ctx: &mut Context<AllowNode>, role: u8, owner: Address) -> Result<()> {
        let bump = ctx.bumps.entry;
        ctx.accounts.handle(bump, role, owner)
    }
}

/// What copies and fills more than a few words: by syscall, for ten units, and not byte by byte.
#[cfg(all(target_os = "solana", feature = "own-entrypoint", not(feature = "cpi")))]
mod memory {
    use anchor_lang::pinocchio::syscalls::{sol_memcpy_, sol_memset_};

    #[no_mangle]
    unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
        sol_memcpy_(to, from, length as u64);
        to
    }

    #[no_mangle]
    unsafe extern "C" fn memset(to: *mut u8, byte: i32, length: usize) -> *mut u8 {
        sol_memset_(to, byte as u8, length as u64);
        to
    }
}

/// Where the compiler sends what can't be reached and every panic: the runtime's abort.
#[cfg(target_os = "solana")]
mod trap {
    #[no_mangle]
    #[inline(never)]
    pub unsafe extern "C" fn __bpf_trap() -> ! {
        // The hash of the syscall `abort`.
        let abort: extern "C" fn() -> ! = core::mem::transmute(0xb6fc_1a11_usize);
        abort()
    }
}
