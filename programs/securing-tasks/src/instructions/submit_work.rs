use crate::{
    account::{view_of, Account},
    constants::*,
    error::TaskError,
    events::WorkSubmitted,
    state::{count, is_missing, pack_uri, Node, Role, Round, Submission, SubmissionStatus, Task},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct SubmitWork {
    /// Pays the rent and gets it back; the operator itself or anybody else, so that a hot key needs no lamport.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    pub operator: Signer,
    #[account(mut)]
    pub task: Account<Task>,
    #[account(
        mut,
        constraint = node.task == *task.address() @ TaskError::WrongTask,
        constraint = node.operator == *operator.address() @ TaskError::NotOperator
    )]
    pub node: Account<Node>,
    /// The round, made by its first submission. Found by what it holds, since looking for its address costs more than the rest;
    /// looked for once, when it is made.
    #[account(mut)]
    pub round: UncheckedAccount,
    // Found and made here.
    #[account(mut)]
    pub submission: UncheckedAccount,
    /// What the gate asks for; absent for an open one.
    pub gate_proof: Option<UncheckedAccount>,
    pub gate_mint: Option<UncheckedAccount>,
    pub system_program: Program<System>,
}

impl SubmitWork {
    pub fn handle(
        &mut self,
        round_number: u64,
        payload_hash: [u8; 32],
        payload_uri: &str,
    ) -> Result<()> {
        let (mut submission, bump) = Account::<Submission>::create(
            &self.payer,
            &self.submission,
            [
                SUBMISSION_SEED,
                self.task.address().as_ref(),
                &round_number.to_le_bytes(),
                self.node.owner.as_ref(),
            ],
        )?;
        let slot = Clock::get()?.slot;
        self.task.require_active()?;
        require!(
            self.node.role == Role::Worker,
            TaskError::WitnessCannotSubmit
        );
        self.node.pass_gate(
            &self.task,
            view_of(&self.gate_proof),
            view_of(&self.gate_mint),
        )?;
        require!(!is_missing(&payload_hash), TaskError::PayloadMissing);
        require!(
            self.node.active()? >= self.task.rules.worker_min_stake.get(),
            TaskError::StakeBelowMinimum
        );
        require!(
            round_number == self.task.round_at(slot)?,
            TaskError::RoundNotCurrent
        );
        require!(
            slot < self.task.submission_end(round_number)?,
            TaskError::SubmissionWindowClosed
        );

        let mut round = self.round(round_number)?;
        round.add_submission()?;
        round.invariant()?;
        self.task.invariant()?;

        submission.task = *self.task.address();
        submission.owner = self.node.owner;
        submission.payer = *self.payer.address();
        submission.payload_hash = payload_hash;
        submission.payload_uri = pack_uri(payload_uri)?;
        submission.round = round_number.into();
        submission.slot = slot.into();
        submission.others = self.task.others_before(&self.node, slot)?;
        submission.status = SubmissionStatus::Submitted.into();
        submission.bump = bump;
        submission.invariant()?;
        count(&mut self.node.submissions)?;
        self.node.hold_open()?;
        self.node.invariant()?;

        WorkSubmitted {
            task: submission.task,
            submission: *submission.address(),
            owner: submission.owner,
            round: round_number,
            payload_hash,
            reserve: round.reserve.get(),
            slot,
        }
        .log();
        Ok(())
    }

    /// The round's account: as it is, or made now with its bounty set aside.
    fn round(&mut self, number: u64) -> Result<Account<Round>> {
        let view = *self.round.account();
        if view.owned_by(&crate::ID) {
            // SAFETY: writable accounts of one instruction are distinct, so nothing else has this one's data.
            let round = unsafe { Account::<Round>::load_mut(view)? };
            require!(round.task == *self.task.address(), TaskError::WrongTask);
            require!(round.number.get() == number, TaskError::WrongRound);
            return Ok(round);
        }
        let (mut round, bump) = Account::<Round>::create(
            &self.payer,
            &self.round,
            [
                ROUND_SEED,
                self.task.address().as_ref(),
                &number.to_le_bytes(),
            ],
        )?;
        count(&mut self.task.rounds)?;
        let reserve = self.task.reserve_bounty()?;
        let task = *self.task.address();
        round.open(task, *self.payer.address(), number, reserve, bump);
        Ok(round)
    }
}
