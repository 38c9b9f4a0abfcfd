//! Each account's `invariant()` refuses each state that it names. No instruction reaches one of them, so that only this can tell.

mod common;

use anchor_lang::prelude::ProgramError;
use bytemuck::Zeroable;
use common::*;
use securing_tasks::{
    error::TaskError, Audit, Node, Opinion, Outcome, Round, Submission, SubmissionStatus, Task,
    TaskStatus, Vote,
};
use solana_signer::Signer;

type Break<T> = fn(&mut T);

fn holds<T: Clone>(
    account: &T,
    invariant: fn(&T) -> anchor_lang::Result<()>,
    breaks: &[(&str, Break<T>)],
) {
    invariant(account).expect("the account as the program left it");
    for (what, spoil) in breaks {
        let mut spoiled = account.clone();
        spoil(&mut spoiled);
        let refused = invariant(&spoiled).expect_err(what);
        assert_eq!(
            ProgramError::from(refused),
            TaskError::InvariantBroken.into(),
            "{what}"
        );
    }
}

/// A node that asked to leave with so much, and has no young stake.
fn leaves(node: &mut Node, amount: u64) {
    node.leaving = amount.into();
    node.leave_slot = 1.into();
    node.asked_to_leave.parts[0].amount = amount.into();
    node.arrivals = Zeroable::zeroed();
}

#[test]
fn invariant_of_each_account_refuses_what_it_names() {
    let mut case = Case::audited(rules(), Opinion::Malice as u8);
    case.vote(&[Opinion::Malice as u8, Opinion::Valid as u8]);
    let (game, audit) = (&case.game, case.audit());

    holds(
        &game.task(),
        Task::invariant,
        &[
            ("unknown status", |task| task.status.0 = 3),
            ("more that vote than there are", |task| {
                task.nodes = 4.into()
            }),
            ("stake of nobody", |task| task.electorate.nodes = 0.into()),
            ("nodes without stake", |task| {
                task.electorate.stake = 0.into();
            }),
            ("retired while active", |task| task.retired_slot = 1.into()),
            ("retired while paused", |task| {
                task.status = TaskStatus::Paused.into();
                task.retired_slot = 1.into();
            }),
        ],
    );
    holds(
        &game.node(&case.initiator),
        Node::invariant,
        &[
            ("unknown role", |node| node.role.0 = 2),
            ("more leaves than there is", |node| {
                leaves(node, node.stake.get() + 1);
            }),
            ("leaves never", |node| {
                leaves(node, 1);
                node.leave_slot = 0.into();
            }),
            ("leaves without having asked", |node| {
                leaves(node, 1);
                node.asked_to_leave.parts[0].amount = 0.into();
            }),
            ("leaves nothing", |node| node.leave_slot = 1.into()),
            ("asked, and nothing leaves", |node| {
                node.asked_to_leave.parts[0].amount = 1.into();
            }),
            ("young stake leaves, and nothing else", |node| {
                node.asked_to_leave.young[0].amount = 1.into();
            }),
            ("bond without an accusation", |node| node.live = 0.into()),
            ("risk without an audit", |node| node.risk = 1.into()),
            ("more commitments than votes", |node| {
                node.commitments = (node.live.get() + 1).into();
            }),
            ("more young stake than stays", |node| {
                node.arrivals[0].amount = (node.stake.get() + 1).into();
            }),
            ("more young stake than stays, in all", |node| {
                node.arrivals[1] = node.arrivals[0];
                node.arrivals[1].slot = (node.arrivals[0].slot.get() + 1).into();
            }),
            ("young stake of the active part that leaves", |node| {
                let young = node.arrivals;
                leaves(node, 1);
                node.arrivals = young;
            }),
            ("arrivals out of order", |node| {
                node.arrivals[0].amount = 1.into();
                node.arrivals[1].amount = 1.into();
                node.arrivals[1].slot = (node.arrivals[0].slot.get() - 1).into();
            }),
            ("arrivals of one slot apart", |node| {
                node.arrivals[0].amount = 1.into();
                node.arrivals[1] = node.arrivals[0];
            }),
            ("locked for ever", |node| node.locked = 1.into()),
            ("nothing locked", |node| node.locked_until = 1.into()),
            ("locked next for ever", |node| {
                node.locked = 1.into();
                node.locked_until = 1.into();
                node.locked_next = 1.into();
            }),
            ("locked next before the first box", |node| {
                node.locked_next = 1.into();
                node.locked_next_until = 1.into();
            }),
        ],
    );
    holds(
        &game.get::<Round>(&round_address(&game.task, 0)),
        Round::invariant,
        &[
            ("more left than was reserved", |round| {
                round.left = (round.reserve.get() + 1).into();
            }),
            ("more convicted than submitted", |round| {
                round.convictions = 2.into();
            }),
            ("more paid than submitted", |round| round.paid = 2.into()),
            ("audits of no submission", |round| {
                round.live_submissions = 0.into();
            }),
            ("more live than submitted", |round| {
                round.live_submissions = 2.into();
            }),
        ],
    );
    holds(
        &game.get::<Submission>(&game.submission(&case.accused, 0)),
        Submission::invariant,
        &[
            ("unknown status", |work| work.status.0 = 4),
            ("more decided than opened", |work| work.decided = 2.into()),
            ("more open than live", |work| work.live_audits = 0.into()),
            ("more live than opened", |work| work.live_audits = 2.into()),
            ("convicted and paid", |work| {
                work.decided = 1.into();
                work.status = SubmissionStatus::ConvictedDowntime.into();
                work.paid = true.into();
            }),
            ("slashed without a conviction", |work| {
                work.decided = 1.into();
                work.status = SubmissionStatus::Acquitted.into();
                work.slashed = 1.into();
            }),
            ("judged without a verdict", |work| {
                work.status = SubmissionStatus::Acquitted.into();
            }),
        ],
    );
    holds(
        &game.get::<Audit>(&audit),
        Audit::invariant,
        &[
            ("unknown outcome", |audit| audit.outcome.0 = 5),
            ("accuses of valid work", |audit| {
                audit.accusation = Opinion::Valid.into();
            }),
            ("more left than shared", |audit| {
                audit.voters_left = 1.into();
            }),
            ("left when all have claimed", |audit| {
                audit.outcome = Outcome::ConvictedMalice.into();
                audit.unclaimed = 0.into();
                audit.voters_pot = 1.into();
                audit.voters_left = 1.into();
            }),
            ("more claims than votes", |audit| {
                audit.unclaimed = (audit.live_votes.get() + 1).into();
            }),
            ("without a bond", |audit| audit.bond = 0.into()),
            ("without a bond after the verdict", |audit| {
                audit.outcome = Outcome::Acquitted.into();
                audit.bond = 0.into();
            }),
            ("shared while open", |audit| audit.voters_pot = 1.into()),
            ("appealed, and nothing was counted before", |audit| {
                audit.appeal_slot = 1.into();
            }),
            ("counted before, and nobody appealed", |audit| {
                audit.first_outcome = Outcome::NoVerdict.into();
            }),
        ],
    );
    holds(
        &game.get::<Vote>(&vote_address(&audit, &case.voters[0].owner.pubkey())),
        Vote::invariant,
        &[
            ("unknown state", |vote| vote.state.0 = 3),
            ("unknown opinion", |vote| vote.opinion.0 = 3),
        ],
    );
}
