//! One instruction, one file: checks, then state, then transfer, then event.

// Anchor binds the arguments named in `#[instruction]` on paths that do not use them, too.
pub mod add_stake;
#[allow(unused_variables)]
pub mod allow_node;
pub mod appeal_audit;
pub mod cancel_leave;
pub mod cast_vote;
pub mod claim_bounty;
pub mod claim_vote;
pub mod close_audit;
pub mod close_node;
pub mod close_round;
pub mod close_submission;
pub mod close_task;
pub mod close_vote;
#[allow(unused_variables)]
pub mod create_task;
pub mod disallow_node;
pub mod draw_panel;
pub mod fund_task;
pub mod join_task;
pub mod open_audit;
pub mod pause_task;
pub mod request_leave;
pub mod resolve_audit;
pub mod restake;
pub mod resume_task;
pub mod retire_task;
pub mod return_stake;
pub mod reveal_vote;
pub mod set_operator;
#[allow(unused_variables)]
pub mod submit_work;
pub mod withdraw;

pub use {
    add_stake::*, allow_node::*, appeal_audit::*, cancel_leave::*, cast_vote::*, claim_bounty::*,
    claim_vote::*, close_audit::*, close_node::*, close_round::*, close_submission::*,
    close_task::*, close_vote::*, create_task::*, disallow_node::*, draw_panel::*, fund_task::*,
    join_task::*, open_audit::*, pause_task::*, request_leave::*, resolve_audit::*, restake::*,
    resume_task::*, retire_task::*, return_stake::*, reveal_vote::*, set_operator::*,
    submit_work::*, withdraw::*,
};
