use crate::{
    constants::*,
    error::TaskError,
    events::WorkSubmitted,
    state::{count, pack_uri, Node, Role, Submission, SubmissionStatus, Task},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
#[instruction(round: u64)]
pub struct SubmitWork {
    #[account(mut)]
    pub operator: Signer,
    pub task: Account<Task>,
    #[account(
        mut,
        constraint = node.task == *task.address() @ TaskError::WrongTask,
        constraint = node.operator == *operator.address() @ TaskError::NotOperator
    )]
    pub node: Account<Node>,
    #[account(
        init,
        payer = operator,
        seeds = [SUBMISSION_SEED, task.address().as_ref(), round.to_le_bytes(), node.owner.as_ref()],
        bump
    )]
    pub submission: Account<Submission>,
    pub system_program: Program<System>,
}

impl SubmitWork {
    pub fn handle(
        &mut self,
        bump: u8,
        round: u64,
        payload_hash: [u8; 32],
        payload_uri: &str,
    ) -> Result<()> {
        let slot = Clock::get()?.slot;
        self.task.require_active()?;
        require!(
            self.node.role == Role::Worker,
            TaskError::WitnessCannotSubmit
        );
        require!(payload_hash != [0; 32], TaskError::PayloadMissing);
        require!(
            self.node.active()? >= self.task.rules.worker_min_stake.get(),
            TaskError::StakeBelowMinimum
        );
        require!(
            round == self.task.round_at(slot)?,
            TaskError::RoundNotCurrent
        );
        require!(
            slot < self.task.submission_end(round)?,
            TaskError::SubmissionWindowClosed
        );

        let submission = &mut self.submission;
        submission.task = *self.task.address();
        submission.owner = self.node.owner;
        submission.payer = *self.operator.address();
        submission.payload_hash = payload_hash;
        submission.payload_uri = pack_uri(payload_uri)?;
        submission.round = round.into();
        submission.slot = slot.into();
        submission.others_stake = self.task.others_stake(&self.node)?.into();
        submission.status = SubmissionStatus::Submitted.into();
        submission.bump = bump;
        submission.invariant()?;
        count(&mut self.node.submissions)?;
        self.node.invariant()?;

        emit!(WorkSubmitted {
            task: submission.task,
            submission: *submission.address(),
            owner: submission.owner,
            round,
            payload_hash,
            slot,
        });
        Ok(())
    }
}
