//! One instruction, one file: checks, then state, then transfer, then event.

// Anchor binds the arguments named in `#[instruction]` on paths that do not use them, too.
pub mod add_stake;
pub mod cancel_leave;
pub mod cast_vote;
pub mod claim_vote;
#[allow(unused_variables)]
pub mod create_task;
pub mod fund_task;
pub mod join_task;
pub mod open_audit;
pub mod request_leave;
pub mod resolve_audit;
pub mod retire_task;
pub mod set_operator;
#[allow(unused_variables)]
pub mod submit_work;
pub mod withdraw;

pub use {
    add_stake::*, cancel_leave::*, cast_vote::*, claim_vote::*, create_task::*, fund_task::*,
    join_task::*, open_audit::*, request_leave::*, resolve_audit::*, retire_task::*,
    set_operator::*, submit_work::*, withdraw::*,
};
