use crate::{
    constants::*,
    error::TaskError,
    events::WorkSubmitted,
    state::{count, is_missing, pack_uri, Node, Role, Round, Submission, SubmissionStatus, Task},
};
use anchor_lang::{find_and_verify_program_address, prelude::*, AccountInitialize};

#[derive(Accounts)]
#[instruction(round_number: u64)]
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
    #[account(
        init,
        payer = payer,
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

        let submission = &mut self.submission;
        submission.task = *self.task.address();
        submission.owner = self.node.owner;
        submission.payer = *self.payer.address();
        submission.payload_hash = payload_hash;
        submission.payload_uri = pack_uri(payload_uri)?;
        submission.round = round_number.into();
        submission.slot = slot.into();
        let before = self.task.others_before(&self.node, slot)?;
        submission.seat_stake = before.stake;
        submission.others = before.min(&self.task.others(&self.node)?);
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
            reserve: round.reserve.get(),
            slot,
        });
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
        let (task, place) = (*self.task.address(), number.to_le_bytes());
        let seeds: [&[u8]; 3] = [ROUND_SEED, task.as_ref(), &place];
        let bump = [find_and_verify_program_address(
            &seeds,
            &crate::ID,
            view.address(),
        )?];
        let mut round = Account::<Round>::create_and_initialize(
            self.payer.account(),
            &view,
            Account::<Round>::INIT_SPACE,
            &crate::ID,
            &(),
            Some(&[ROUND_SEED, task.as_ref(), &place, &bump]),
            None,
        )?;
        count(&mut self.task.rounds)?;
        let reserve = self.task.reserve_bounty()?;
        round.open(task, *self.payer.address(), number, reserve, bump[0]);
        Ok(round)
    }
}
