//! What stake that asked to leave, or that a slash took, still has to say: on which work, and with what weight.

mod common;

use common::*;
use litesvm::types::FailedTransactionMetadata;
use securing_tasks::{Arrival, RulesArgs, Vote};
use solana_signer::Signer;

const VALID: u8 = 0;
const MALICE: u8 = 2;

/// The first slot of round 1, when the stake that everyone joined with is not recent any more.
const ROUND_1: u64 = START + 1_000;

type Refusal = Box<FailedTransactionMetadata>;

/// What an owner does at a slot of round 1.
#[derive(Clone, Copy)]
enum Does {
    Adds(u64),
    Asks(u64),
    AsksAll,
    Cancels,
}
use Does::*;

/// What a witness of 2,000,000 that joined long ago has to say on the work of this slot of round 1, whose owner does these things. Answers
/// the frozen weight.
fn says(does: &[(u64, Does)], submitted: u64) -> Result<u64, Refusal> {
    let mut game = Game::new(rules());
    let (accused, initiator) = (game.worker(4_000_000), game.witness(2_000_000));
    let voter = game.witness(2_000_000);
    for slot in 0..=40 {
        game.warp(ROUND_1 + slot);
        for (_, what) in does.iter().filter(|(at, _)| *at == slot) {
            match what {
                Adds(amount) => game.add_stake(&voter, *amount),
                Asks(amount) => game.request_leave(&voter, Some(*amount)),
                AsksAll => game.request_leave(&voter, None),
                Cancels => game.cancel_leave(&voter),
            }
            .unwrap();
        }
        if slot == submitted {
            game.submit_work(&accused, 1).unwrap();
        }
    }
    game.open_audit(&initiator, &accused, 1, MALICE).unwrap();
    let audit = game.audit(&accused, 1, 0);
    game.cast_vote(&voter, &audit, VALID)?;
    let vote: Vote = game.get(&vote_address(&audit, &voter.owner.pubkey()));
    Ok(vote.weight.get())
}

#[track_caller]
fn says_nothing(said: Result<u64, Refusal>) {
    refused(Err(said.unwrap_err()), TaskError::StakeTooRecent);
}

/// Work of these slots, and what the voter's say on it weighs; 0 where it has none.
#[track_caller]
fn weighs(does: &[(u64, Does)], expected: &[(u64, u64)]) {
    for (submitted, weight) in expected {
        let said = says(does, *submitted);
        if *weight == 0 {
            says_nothing(said);
        } else {
            assert_eq!(said.unwrap(), *weight, "work of slot {submitted}");
        }
    }
}

#[test]
fn what_leaves_votes_on_work_up_to_its_request() {
    weighs(
        &[(20, AsksAll)],
        &[(19, 2_000_000), (20, 2_000_000), (21, 0)],
    );
    weighs(
        &[(20, Asks(700_000))],
        &[(19, 2_000_000), (20, 2_000_000), (21, 1_300_000)],
    );
}

#[test]
fn what_came_lately_and_leaves_votes_on_work_in_between() {
    weighs(
        &[(10, Adds(500_000)), (20, AsksAll)],
        &[
            (9, 2_000_000),
            (10, 2_000_000),
            (11, 2_500_000),
            (20, 2_500_000),
            (21, 0),
        ],
    );
    // A part: the youngest goes first, and is no less young for that.
    weighs(
        &[(10, Adds(500_000)), (20, Asks(700_000))],
        &[
            (10, 2_000_000),
            (11, 2_500_000),
            (20, 2_500_000),
            (21, 1_800_000),
        ],
    );
    // In and out in one slot says nothing.
    weighs(
        &[(20, Adds(500_000)), (20, Asks(500_000))],
        &[(19, 2_000_000), (20, 2_000_000), (21, 2_000_000)],
    );
}

#[test]
fn what_came_at_several_times_and_leaves_is_told_apart() {
    let comes_and_leaves = [
        (10, Adds(100_000)),
        (12, Adds(200_000)),
        (14, Adds(400_000)),
        (20, AsksAll),
    ];
    weighs(
        &comes_and_leaves,
        &[
            (10, 2_000_000),
            (11, 2_100_000),
            (12, 2_100_000),
            (13, 2_300_000),
            (14, 2_300_000),
            (15, 2_700_000),
            (20, 2_700_000),
            (21, 0),
        ],
    );
}

/// Each request for itself: what a second one adds votes on the work in between, and what asked first doesn't.
#[test]
fn what_leaves_by_a_second_request_votes_up_to_it() {
    weighs(
        &[(10, Asks(500_000)), (20, Asks(800_000))],
        &[
            (9, 2_000_000),
            (10, 2_000_000),
            (11, 1_500_000),
            (20, 1_500_000),
            (21, 700_000),
        ],
    );
    weighs(
        &[(10, Asks(500_000)), (15, Adds(300_000)), (20, AsksAll)],
        &[
            (10, 2_000_000),
            (11, 1_500_000),
            (15, 1_500_000),
            (16, 1_800_000),
            (20, 1_800_000),
            (21, 0),
        ],
    );
    // Two in one slot are one.
    weighs(
        &[(20, Asks(500_000)), (20, AsksAll)],
        &[(20, 2_000_000), (21, 0)],
    );
}

/// Requests that wait since round 0, as many as there are places, each of a unit that came just before: they take no say from what asks
/// now, and no place of it.
#[test]
fn what_leaves_after_old_requests_votes_up_to_its_own() {
    let mut game = Game::new(rules());
    let (accused, initiator) = (game.worker(4_000_000), game.witness(2_000_000));
    let voter = game.witness(2_000_000);
    for slot in 0..4 {
        game.warp(START + 10 + 2 * slot);
        game.add_stake(&voter, 1).unwrap();
        game.warp(START + 11 + 2 * slot);
        game.request_leave(&voter, Some(1)).unwrap();
    }
    game.warp(ROUND_1 + 10);
    game.submit_work(&accused, 1).unwrap();
    game.add_stake(&voter, 500_000).unwrap();
    game.warp(ROUND_1 + 20);
    game.request_leave(&voter, None).unwrap();
    game.open_audit(&initiator, &accused, 1, MALICE).unwrap();
    let audit = game.audit(&accused, 1, 0);
    game.cast_vote(&voter, &audit, VALID).unwrap();
    let vote: Vote = game.get(&vote_address(&audit, &voter.owner.pubkey()));
    assert_eq!(vote.weight.get(), 2_000_000);
    let asked = game.node(&voter).asked_to_leave;
    let noted = |amounts: &[Arrival]| -> Vec<(u64, u64)> {
        let all = amounts.iter().map(|one| (one.slot.get(), one.amount.get()));
        all.filter(|(_, amount)| *amount > 0).collect()
    };
    assert_eq!(noted(&asked.parts), [(ROUND_1 + 20, 2_500_000)]);
    assert_eq!(noted(&asked.young), [(ROUND_1 + 10, 500_000)]);
}

#[test]
fn what_was_taken_back_and_leaves_again_is_young() {
    weighs(
        &[(5, AsksAll), (10, Cancels), (20, AsksAll)],
        &[(4, 0), (10, 0), (11, 2_000_000), (20, 2_000_000), (21, 0)],
    );
    weighs(
        &[(5, Asks(600_000)), (10, Cancels), (20, AsksAll)],
        &[
            (5, 1_400_000),
            (10, 1_400_000),
            (11, 2_000_000),
            (20, 2_000_000),
        ],
    );
}

/// Four places: a fifth request counts with the fourth, a fifth young part makes the fourth as young as itself. Never for longer.
#[test]
fn what_has_no_place_votes_for_less_long() {
    let asks_five_times = [10, 12, 14, 16, 18].map(|slot| (slot, Asks(100_000)));
    weighs(
        &asks_five_times,
        &[
            (14, 1_800_000),
            (15, 1_700_000),
            (16, 1_700_000),
            (17, 1_500_000),
            (18, 1_500_000),
            (19, 1_500_000),
        ],
    );
    // The fifth is the oldest, and makes no other older.
    let fifth_is_older = [
        (1, Adds(100_000)),
        (3, Adds(100_000)),
        (4, Adds(100_000)),
        (5, Adds(100_000)),
        (6, Asks(300_000)),
        (7, Adds(100_000)),
        (8, Asks(100_000)),
        (11, AsksAll),
    ];
    weighs(
        &fifth_is_older,
        // 2,100,000 on the first two, but for the places.
        &[(2, 2_000_000), (7, 2_000_000), (8, 2_200_000)],
    );
    let five_parts = [
        (1, Adds(100_000)),
        (2, Adds(100_000)),
        (3, Adds(100_000)),
        (4, Adds(100_000)),
        (8, Asks(400_000)),
        (9, Adds(100_000)),
        (11, AsksAll),
    ];
    weighs(
        &five_parts,
        &[
            (2, 2_100_000),
            (3, 2_200_000),
            (4, 2_300_000),
            // 2,400,000, but for the places.
            (5, 2_300_000),
            (8, 2_300_000),
            // 2,000,000, but for the places.
            (9, 1_900_000),
            (10, 2_100_000),
            (11, 2_100_000),
            (12, 0),
        ],
    );
}

// Slashes in between. A bond of 200,000 is lost to bait: an accusation of good work.

/// Rounds long enough to lose a bond between two submissions.
fn long() -> RulesArgs {
    RulesArgs {
        submission_slots: 500,
        audit_slots: 500,
        leave_delay_slots: 1_200,
        ..rules()
    }
}

/// Workers that submit at some slot of round 1, one of them the bait, and witnesses; one is baited.
struct Bait {
    game: Game,
    workers: [Actor; 4],
    /// The worker that is the bait.
    good: usize,
    voters: [Actor; 2],
    baited: Actor,
}

impl Bait {
    fn new(stake: u64) -> Self {
        let mut game = Game::new(long());
        let workers = [(); 4].map(|()| game.worker(4_000_000));
        let voters = [(); 2].map(|()| game.witness(2_000_000));
        let baited = game.witness(stake);
        game.warp(ROUND_1);
        game.submit_work(&workers[0], 1).unwrap();
        Self {
            game,
            workers,
            good: 0,
            voters,
            baited,
        }
    }

    fn at(&mut self, slot: u64) -> &mut Game {
        self.game.warp(ROUND_1 + slot);
        &mut self.game
    }

    fn submits(&mut self, worker: usize) {
        self.game.submit_work(&self.workers[worker], 1).unwrap();
    }

    /// The baited accuses, and loses its bond 200 slots later.
    fn loses_a_bond(&mut self) {
        let (game, good) = (&mut self.game, &self.workers[self.good]);
        let audit = game.next_audit(&self.baited, good, 1);
        game.open_audit(&self.baited, good, 1, MALICE).unwrap();
        for voter in &self.voters {
            game.cast_vote(voter, &audit, VALID).unwrap();
        }
        game.warp(game.slot() + 200);
        let before = game.node(&self.baited).stake.get();
        game.resolve_audit(&audit).unwrap();
        assert_eq!(game.node(&self.baited).stake.get(), before - 200_000);
    }

    /// What the baited has to say on a worker's work.
    fn says(&mut self, worker: usize) -> Result<u64, Refusal> {
        let game = &mut self.game;
        let audit = game.next_audit(&self.voters[0], &self.workers[worker], 1);
        game.open_audit(&self.voters[0], &self.workers[worker], 1, MALICE)
            .unwrap();
        game.cast_vote(&self.baited, &audit, VALID)?;
        let vote = vote_address(&audit, &self.baited.owner.pubkey());
        Ok(game.get::<Vote>(&vote).weight.get())
    }
}

/// A slash takes the leaving part first; of which request can't be told, and it need not be.
#[test]
fn what_leaves_and_was_slashed_votes_with_what_is_left() {
    let mut bait = Bait::new(1_000_000);
    bait.at(1);
    bait.submits(1);
    let baited = bait.game.here(&bait.baited);
    bait.game.request_leave(&baited, Some(300_000)).unwrap();
    bait.at(2);
    bait.submits(2);
    bait.loses_a_bond();
    assert_eq!(bait.game.node(&baited).leaving.get(), 100_000);
    assert_eq!(bait.says(1).unwrap(), 800_000);
    bait.at(210).request_leave(&baited, None).unwrap();
    bait.submits(3);
    assert_eq!(bait.says(1).unwrap(), 800_000);
    assert_eq!(bait.says(2).unwrap(), 700_000);
    assert_eq!(bait.says(3).unwrap(), 700_000);
}

/// What a slash took of leaving stake counts for the minimum on the work on which that stake votes, and on no other.
#[test]
fn what_leaves_and_was_slashed_below_the_minimum_votes() {
    let mut bait = Bait::new(500_000);
    bait.at(1);
    bait.submits(1);
    let baited = bait.game.here(&bait.baited);
    bait.game.request_leave(&baited, None).unwrap();
    bait.at(2);
    bait.submits(2);
    bait.loses_a_bond();
    assert_eq!(bait.says(1).unwrap(), 300_000);
    says_nothing(bait.says(2));
}

/// A node that is below its minimum and young stake that is slashed next: what was slashed stands for no stake that was there before. By
/// way of leaving it is the same.
#[test]
fn what_was_slashed_of_young_stake_stands_for_no_old_stake() {
    for leaves in [false, true] {
        let mut bait = Bait::new(500_000);
        let baited = bait.game.here(&bait.baited);
        bait.at(1);
        bait.submits(1);
        bait.loses_a_bond();
        bait.at(202);
        bait.submits(2);
        bait.game.add_stake(&baited, 300_000).unwrap();
        if leaves {
            bait.at(203).request_leave(&baited, None).unwrap();
        }
        bait.loses_a_bond();
        assert_eq!(bait.game.node(&baited).stake.get(), 400_000);
        assert_eq!(bait.says(1).unwrap(), 300_000);
        says_nothing(bait.says(2));
    }
}

/// All young, in the middle of the cases of its first work: what a slash takes of it stands for it.
#[test]
fn what_was_slashed_of_young_stake_stands_for_itself() {
    for leaves in [false, true] {
        let mut bait = Bait::new(500_000);
        bait.baited = bait.game.witness(500_000);
        let baited = bait.game.here(&bait.baited);
        bait.at(1);
        bait.submits(1);
        bait.submits(2);
        if leaves {
            bait.game.request_leave(&baited, None).unwrap();
        }
        bait.good = 1;
        bait.loses_a_bond();
        assert_eq!(bait.says(2).unwrap(), 300_000);
    }
}

/// A node that lost all it had: what was slashed stands for a minimum, and no stake is there to vote.
#[test]
fn what_has_nothing_left_says_nothing() {
    let mut bait = Bait::new(600_000);
    bait.at(1);
    bait.submits(1);
    for lost in 1..=3 {
        bait.loses_a_bond();
        let left = 600_000 - 200_000 * lost;
        assert_eq!(bait.game.node(&bait.baited).stake.get(), left);
        match left {
            0 => says_nothing(bait.says(1)),
            _ => assert_eq!(bait.says(1).unwrap(), left),
        }
    }
}
