use crate::{
    constants::*,
    error::TaskError,
    events::WorkSubmitted,
    state::{count, pack_uri, Node, Role, Round, Submission, SubmissionStatus, Task},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
#[instruction(round_number: u64)]
pub struct SubmitWork {
    #[account(mut)]
    pub operator: Signer,
    #[account(mut)]
    pub task: Account<Task>,
    #[account(
        mut,
        constraint = node.task == *task.address() @ TaskError::WrongTask,
        constraint = node.operator == *operator.address() @ TaskError::NotOperator
    )]
    pub node: Account<Node>,
    // The first submission of a round makes it. Closed, it can't come back: its submission window is over by then.
    #[account(
        init_if_needed,
        payer = operator,
        seeds = [ROUND_SEED, task.address().as_ref(), round_number.to_le_bytes()],
        bump
    )]
    pub round: Account<Round>,
    #[account(
        init,
        payer = operator,
        seeds = [SUBMISSION_SEED, task.address().as_ref(), round_number.to_le_bytes(), node.owner.as_ref()],
        bump
    )]
    pub submission: Account<Submission>,
    /// What the gate asks for; absent for an open one.
    pub gate_proof: Option<UncheckedAccount>,
    pub gate_mint: Option<UncheckedAccount>,
    pub system_program: Program<System>,
}

impl SubmitWork {
    pub fn handle(
        &mut self,
        bump: u8,
        round_bump: u8,
        round_number: u64,
        payload_hash: [u8; 32],
        payload_uri: &str,
    ) -> Result<()> {
        let slot = Clock::get()?.slot;
        self.task.require_active()?;
        require!(
            self.node.role == Role::Worker,
            TaskError::WitnessCannotSubmit
        );
        self.node
            .pass_gate(&self.task, &self.gate_proof, &self.gate_mint)?;
        require!(payload_hash != [0; 32], TaskError::PayloadMissing);
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

        if self.round.submissions.get() == 0 {
            count(&mut self.task.rounds)?;
            let reserve = self.task.reserve_bounty()?;
            self.round.open(
                *self.task.address(),
                *self.operator.address(),
                round_number,
                reserve,
                round_bump,
            );
        }
        self.round.add_submission()?;
        self.round.invariant()?;
        self.task.invariant()?;

        let submission = &mut self.submission;
        submission.task = *self.task.address();
        submission.owner = self.node.owner;
        submission.payer = *self.operator.address();
        submission.payload_hash = payload_hash;
        submission.payload_uri = pack_uri(payload_uri)?;
        submission.round = round_number.into();
        submission.slot = slot.into();
        submission.others_stake = self.task.others_stake(&self.node)?.into();
        submission.status = SubmissionStatus::Submitted.into();
        submission.bump = bump;
        submission.invariant()?;
        count(&mut self.node.submissions)?;
        self.node.hold_open()?;
        self.node.invariant()?;

        emit!(WorkSubmitted {
            task: submission.task,
            submission: *submission.address(),
            owner: submission.owner,
            round: round_number,
            payload_hash,
            reserve: self.round.reserve.get(),
            slot,
        });
        Ok(())
    }
}
