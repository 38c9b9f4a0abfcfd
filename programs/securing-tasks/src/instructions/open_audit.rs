use crate::{
    account::{view_of, Account},
    constants::*,
    error::TaskError,
    events::AuditOpened,
    math::ratio::bps_floor,
    state::{is_missing, plus, Audit, Node, Opinion, Outcome, Round, Submission, Task},
};
use alloc::string::String;
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct OpenAudit {
    /// Pays the rent and gets it back; the operator itself or anybody else, so that a hot key needs no lamport.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    pub operator: Signer,
    pub task: Account<Task>,
    #[account(mut, constraint = submission.task == *task.address() @ TaskError::WrongTask)]
    pub submission: Account<Submission>,
    #[account(
        mut,
        constraint = round.task == *task.address() @ TaskError::WrongTask,
        constraint = round.number == submission.round @ TaskError::WrongRound
    )]
    pub round: Account<Round>,
    // One node for each owner, and no account may be in two places: nobody accuses itself.
    #[account(
        mut,
        constraint = accused.task == *task.address() @ TaskError::WrongTask,
        constraint = accused.owner == submission.owner @ TaskError::WrongNode
    )]
    pub accused: Account<Node>,
    #[account(
        mut,
        constraint = initiator.task == *task.address() @ TaskError::WrongTask,
        constraint = initiator.operator == *operator.address() @ TaskError::NotOperator
    )]
    pub initiator: Account<Node>,
    // Found and made here.
    #[account(mut)]
    pub audit: UncheckedAccount,
    /// The node's entry where the gate is an allowlist; absent else.
    pub gate_proof: Option<UncheckedAccount>,
    pub system_program: Program<System>,
}

impl OpenAudit {
    pub fn handle(
        &mut self,
        accusation: u8,
        secret_hash: &[u8; 32],
        evidence_hash: [u8; 32],
        evidence_uri: &str,
    ) -> Result<()> {
        let (mut audit, bump) = Account::<Audit>::create(
            &self.payer,
            &self.audit,
            [
                AUDIT_SEED,
                self.submission.address().as_ref(),
                self.initiator.owner.as_ref(),
                &self.initiator.audits.get().to_le_bytes(),
            ],
        )?;
        let slot = Clock::get()?.slot;
        let rules = &self.task.rules;
        // Not while paused; retired is no hindrance, else a creator could shield a worker by retiring.
        self.task.require_not_paused()?;
        let accusation = match accusation {
            1 => Opinion::Downtime,
            2 => Opinion::Malice,
            _ => return Err(TaskError::UnknownVerdict.into()),
        };
        require!(
            slot < self.task.audit_end(self.submission.round.get())?,
            TaskError::AuditWindowClosed
        );
        let by_panel = rules.case.panel_seats.get() > 0;
        require!(
            !by_panel || !is_missing(secret_hash),
            TaskError::SecretHashMissing
        );
        require!(evidence_uri.len() <= URI_LEN, TaskError::UriTooLong);
        require!(
            evidence_uri.is_empty() || !is_missing(&evidence_hash),
            TaskError::EvidenceHashMissing
        );
        self.initiator
            .require_not_struck(&self.task, view_of(&self.gate_proof))?;
        let submission_slot = self.submission.slot.get();
        let weight = self.initiator.weight_on(submission_slot, rules)?;

        let attempt = self.submission.begin_audit(accusation)?;
        self.submission.invariant()?;
        self.round.begin_audit()?;
        self.round.invariant()?;

        let bond = rules.initiator_bond.get();
        let index = self.initiator.begin_audit(bond)?;
        self.initiator.invariant()?;

        // An earlier verdict's slash counts in: a graver one costs the difference, from the same whole.
        let accused_stake = self
            .accused
            .stake
            .get()
            .saturating_add(self.submission.slashed.get());
        let most = bps_floor(accused_stake, rules.case.malice_bps.get().into())
            .ok_or(TaskError::Overflow)?;
        self.accused.accuse(most)?;
        self.accused.invariant()?;

        audit.task = *self.task.address();
        audit.submission = *self.submission.address();
        audit.initiator = self.initiator.owner;
        audit.accused = self.accused.owner;
        audit.payer = *self.payer.address();
        audit.evidence_hash = evidence_hash;
        if by_panel {
            audit.secret_hash = *secret_hash;
            audit.draw_slot = plus(slot, DRAW_DELAY_SLOTS)?.into();
        }
        audit.submission_slot = submission_slot.into();
        audit.open_slot = slot.into();
        audit.set_windows(slot, rules)?;
        audit.accused_stake = accused_stake.into();
        audit.bond = bond.into();
        audit.vote_deposit = rules.vote_deposit;
        audit.rules = rules.case;
        audit.eligible = self.submission.others;
        audit.outcome = Outcome::Open.into();
        audit.index = index.into();
        audit.attempt = attempt.into();
        audit.bump = bump;
        audit.add_accusation(accusation, weight)?;
        audit.invariant()?;

        AuditOpened {
            task: audit.task,
            submission: audit.submission,
            audit: *audit.address(),
            initiator: audit.initiator,
            accused: audit.accused,
            accusation: accusation as u8,
            index,
            bond,
            weight,
            accused_stake,
            draw_slot: audit.draw_slot.get(),
            end_slot: audit.end_slot.get(),
            evidence_hash,
            evidence_uri: String::new(),
            slot,
        }
        .log(evidence_uri);
        Ok(())
    }
}
