//! `draw_panel`: when, with which secret and which block, by anyone; and who is seated by what comes of it.

mod common;

use anchor_lang::prelude::Address;
use common::*;
use securing_tasks::{events::PanelDrawn, Audit, RulesArgs};
use solana_signer::Signer;
use solana_slot_hashes::SlotHashes;
use solana_transaction::InstructionError;

const VALID: u8 = 0;
const MALICE: u8 = 2;

/// The audit opens at `START + 2`.
const DRAW_SLOT: u64 = START + 10;
/// First slot at which no panel can be drawn.
const DRAW_END: u64 = DRAW_SLOT + 256;

fn opened() -> Case {
    Case::audited(panelled(), MALICE)
}

impl Case {
    fn draw(&mut self) -> Sent {
        let audit = self.audit();
        self.game.draw_panel(&audit)
    }

    /// With the blocks that the machine remembers, whichever they are.
    fn draw_with(&mut self, secret: [u8; 32]) -> Sent {
        let draw = self.game.draw_panel_ix(&self.audit(), secret);
        self.game.by_anyone(draw)
    }

    /// Makes the machine remember these blocks alone, newest first.
    fn remember(&mut self, slots: &[u64]) {
        let blocks: Vec<_> = slots
            .iter()
            .map(|slot| (*slot, block_hash(*slot).into()))
            .collect();
        self.game.svm.set_sysvar(&SlotHashes::new(&blocks));
    }

    fn state(&self) -> Audit {
        self.game.get(&self.audit())
    }

    /// The seed that the block of `slot` leads to.
    fn seed_of(&self, slot: u64) -> [u8; 32] {
        panel_seed(&self.audit(), &SECRET, slot)
    }
}

#[test]
fn draw_panel_stores_the_seed_and_says_so() {
    let mut case = opened();
    let before = case.state();
    assert_eq!((before.draw_slot.get(), before.seed), (DRAW_SLOT, [0; 32]));
    case.game.warp(DRAW_SLOT + 7);
    let seed = case.seed_of(DRAW_SLOT);
    let event = PanelDrawn {
        task: case.game.task,
        audit: case.audit(),
        seed,
        slot: DRAW_SLOT + 7,
    };
    logged(case.draw(), &event);
    let mut after = case.state();
    assert_eq!(after.seed, seed);
    // And nothing else.
    after.seed = [0; 32];
    assert!(bytemuck::bytes_of(&after) == bytemuck::bytes_of(&before));
}

#[test]
fn draw_panel_by_anyone_passes() {
    let mut case = opened();
    let stranger = case.game.stranger();
    case.game.warp(DRAW_SLOT + 1);
    remember_blocks(&mut case.game.svm, |_| false);
    let draw = case.game.draw_panel_ix(&case.audit(), SECRET);
    case.game.send(&[draw], &[&stranger.owner]).unwrap();
}

#[test]
fn draw_panel_in_a_paused_or_retired_task_passes() {
    let mut case = opened();
    case.game.pause_task().unwrap();
    case.game.warp(DRAW_SLOT + 1);
    case.draw().unwrap();
    let mut case = opened();
    case.game.retire_task().unwrap();
    case.game.warp(DRAW_SLOT + 1);
    case.draw().unwrap();
}

// When.

/// The draw's own slot is too early: its block is not made yet.
#[test]
fn draw_panel_before_the_slot_after_the_draws_fails() {
    for slot in [START + 2, DRAW_SLOT - 1, DRAW_SLOT] {
        let mut case = opened();
        case.game.warp(slot);
        // Whatever blocks there seem to be.
        case.remember(&[DRAW_SLOT + 1, DRAW_SLOT]);
        refused(case.draw_with(SECRET), TaskError::DrawTooEarly);
    }
    for slot in [DRAW_SLOT + 1, DRAW_SLOT + 2] {
        let mut case = opened();
        case.game.warp(slot);
        case.draw().unwrap();
    }
}

#[test]
fn draw_panel_256_slots_after_the_draws_fails() {
    let mut case = opened();
    case.game.warp(DRAW_END - 1);
    case.draw().unwrap();
    for slot in [DRAW_END, DRAW_END + 1, START + 2 + MIN_PANEL_WINDOW_SLOTS] {
        let mut case = opened();
        case.game.warp(slot);
        refused(case.draw(), TaskError::DrawTooLate);
        assert_eq!(case.state().seed, [0; 32]);
    }
}

#[test]
fn draw_panel_twice_fails() {
    let mut case = opened();
    case.game.warp(DRAW_SLOT + 1);
    case.draw().unwrap();
    let seed = case.state().seed;
    refused(case.draw(), TaskError::AlreadyDrawn);
    refused(case.draw_with([8; 32]), TaskError::AlreadyDrawn);
    case.game.warp(DRAW_END);
    refused(case.draw(), TaskError::AlreadyDrawn);
    assert_eq!(case.state().seed, seed);
}

#[test]
fn draw_panel_twice_in_one_transaction_fails() {
    let mut case = opened();
    case.game.warp(DRAW_SLOT + 1);
    remember_blocks(&mut case.game.svm, |_| false);
    let draw = case.game.draw_panel_ix(&case.audit(), SECRET);
    let creator = case.game.creator.insecure_clone();
    let sent = case.game.send(&[draw.clone(), draw], &[&creator]);
    refused(sent, TaskError::AlreadyDrawn);
    assert_eq!(case.state().seed, [0; 32]);
}

#[test]
fn draw_panel_where_none_is_drawn_fails() {
    for rules in [rules(), appealable()] {
        let mut case = Case::audited(rules, MALICE);
        assert_eq!(case.state().draw_slot.get(), 0);
        case.game.warp(DRAW_SLOT + 1);
        refused(case.draw(), TaskError::NoPanel);
    }
}

/// Its windows are over by then.
#[test]
fn draw_panel_after_an_appeal_or_the_verdict_fails() {
    let mut case = opened();
    let (audit, end) = (case.audit(), case.state().end_slot.get());
    case.game.warp(end);
    case.game.appeal_audit(&case.voters[0], &audit).unwrap();
    refused(case.draw(), TaskError::DrawTooLate);
    case.resolve().unwrap();
    refused(case.draw(), TaskError::DrawTooLate);
}

// The secret.

#[test]
fn draw_panel_with_another_secret_fails() {
    let mut case = opened();
    case.game.warp(DRAW_SLOT + 1);
    remember_blocks(&mut case.game.svm, |_| false);
    let mut near = SECRET;
    near[31] ^= 1;
    for secret in [[0; 32], near, case.state().secret_hash] {
        refused(case.draw_with(secret), TaskError::SecretMismatch);
    }
    assert_eq!(case.state().seed, [0; 32]);
    case.draw_with(SECRET).unwrap();
}

/// Attack: take another accusation's secret hash, and draw with its secret when that is known. The audit is in the seed: the same secret
/// and block lead to another panel.
#[test]
fn draw_panel_with_the_same_secret_and_block_seats_others() {
    let mut case = opened();
    let copier = case.game.here(&case.voters[2]);
    let copied = case.game.next_audit(&copier, &case.accused, 0);
    case.game
        .open_audit(&copier, &case.accused, 0, MALICE)
        .unwrap();
    case.game.warp(DRAW_SLOT + 1);
    case.draw().unwrap();
    case.game.draw_panel(&copied).unwrap();
    let seeds = [case.audit(), copied].map(|audit| case.game.get::<Audit>(&audit).seed);
    assert_eq!(seeds[0], panel_seed(&case.audit(), &SECRET, DRAW_SLOT));
    assert_eq!(seeds[1], panel_seed(&copied, &SECRET, DRAW_SLOT));
    assert_ne!(seeds[0], seeds[1]);
}

// The block.

/// Whoever draws can't choose the block by waiting.
#[test]
fn draw_panel_at_any_slot_takes_the_same_block() {
    for slot in [DRAW_SLOT + 1, DRAW_SLOT + 100, DRAW_END - 1] {
        let mut case = opened();
        case.game.warp(slot);
        case.draw().unwrap();
        assert_eq!(case.state().seed, case.seed_of(DRAW_SLOT));
    }
}

#[test]
fn draw_panel_takes_the_first_block_after_skipped_ones() {
    for skipped in [1, 2, 7, 200] {
        let first = DRAW_SLOT + skipped;
        let mut case = opened();
        case.game.warp(first + 20);
        remember_blocks(&mut case.game.svm, |slot| {
            (DRAW_SLOT..first).contains(&slot) || slot == first + 1
        });
        case.draw_with(SECRET).unwrap();
        assert_eq!(case.state().seed, case.seed_of(first), "{skipped} skipped");
    }
}

#[test]
fn draw_panel_without_a_block_since_fails_until_there_is_one() {
    let mut case = opened();
    case.game.warp(DRAW_SLOT + 5);
    remember_blocks(&mut case.game.svm, |slot| slot >= DRAW_SLOT);
    refused(case.draw_with(SECRET), TaskError::DrawTooEarly);
    case.game.warp(DRAW_SLOT + 6);
    remember_blocks(&mut case.game.svm, |slot| {
        (DRAW_SLOT..DRAW_SLOT + 5).contains(&slot)
    });
    case.draw_with(SECRET).unwrap();
    assert_eq!(case.state().seed, case.seed_of(DRAW_SLOT + 5));
}

/// Any blocks skipped, at any slot of the draw: what the program finds is what looking at each block finds.
#[test]
fn draw_panel_finds_the_block_among_any() {
    let mut case = opened();
    let mut found = std::collections::BTreeSet::new();
    for slot in DRAW_SLOT + 1..DRAW_END {
        case.game.warp(slot);
        let blank = case.game.svm.get_account(&case.audit()).unwrap();
        for density in [2, 3, 40] {
            let skipped = |at: u64| {
                let dice = sha256(&[&slot.to_le_bytes(), &at.to_le_bytes(), &[density]]);
                !dice[0].is_multiple_of(density)
            };
            remember_blocks(&mut case.game.svm, skipped);
            let first = (DRAW_SLOT..slot).find(|at| !skipped(*at));
            let sent = case.draw_with(SECRET);
            match first {
                None => refused(sent, TaskError::DrawTooEarly),
                Some(first) => {
                    sent.unwrap();
                    assert_eq!(case.state().seed, case.seed_of(first), "at {slot}");
                    found.insert(first - DRAW_SLOT);
                }
            }
            let audit = case.audit();
            case.game.svm.set_account(audit, blank.clone()).unwrap();
        }
    }
    assert!(found.len() > 20, "{found:?}");
}

/// A chain that has just begun knows few blocks; one that forgot the draw's takes the oldest that it knows.
#[test]
fn draw_panel_with_few_blocks_known() {
    let drawn = |blocks: &[u64]| {
        let mut case = opened();
        case.game.warp(DRAW_SLOT + 50);
        case.remember(blocks);
        let sent = case.draw_with(SECRET);
        (case, sent)
    };
    for (blocks, first) in [
        (vec![DRAW_SLOT], DRAW_SLOT),
        (vec![DRAW_SLOT + 9], DRAW_SLOT + 9),
        (vec![DRAW_SLOT, DRAW_SLOT - 1], DRAW_SLOT),
        (vec![DRAW_SLOT + 9, DRAW_SLOT - 1], DRAW_SLOT + 9),
        (vec![DRAW_SLOT + 9, DRAW_SLOT + 8], DRAW_SLOT + 8),
        (vec![DRAW_SLOT + 9, DRAW_SLOT + 8, 0], DRAW_SLOT + 8),
    ] {
        let (case, sent) = drawn(&blocks);
        sent.unwrap();
        assert_eq!(case.state().seed, case.seed_of(first), "{blocks:?}");
    }
    for blocks in [vec![DRAW_SLOT - 1], vec![DRAW_SLOT - 1, DRAW_SLOT - 2, 0]] {
        let (_, sent) = drawn(&blocks);
        refused(sent, TaskError::DrawTooEarly);
    }
}

/// No chain is like that: its list is as long as ever, and filled with zeros.
#[test]
fn draw_panel_without_any_block_fails() {
    let mut case = opened();
    case.game.warp(DRAW_SLOT + 1);
    let sysvar = solana_slot_hashes::sysvar::ID;
    let mut account = case.game.svm.get_account(&sysvar).unwrap();
    account.data = vec![0; 20_488];
    case.game.svm.set_account(sysvar, account).unwrap();
    refused(case.draw_with(SECRET), TaskError::DrawTooEarly);
}

/// The chain keeps 512 blocks. Where none was skipped since, the draw's is among the latest 256.
#[test]
fn draw_panel_reads_a_full_list_in_few_steps() {
    let units = |after: u64| {
        let mut case = opened();
        case.game.warp(DRAW_SLOT + after);
        case.draw().unwrap().compute_units_consumed
    };
    let (first, last) = (units(1), units(255));
    assert!(last < first + 4_000, "{first} at first, {last} at last");
}

// Who is seated.

/// What the tests' own reckoning says of each voter is what the program says.
#[test]
fn draw_panel_seats_whom_its_seed_names() {
    let mut seen = std::collections::BTreeSet::new();
    for secret in 0..12u8 {
        let mut case = Case::submitted(panelled());
        case.game.warp(START + 2);
        case.game
            .accuse_with(&case.initiator, &case.accused, 0, &[secret; 32]);
        case.game.warp(DRAW_SLOT + 1);
        remember_blocks(&mut case.game.svm, |_| false);
        case.draw_with([secret; 32]).unwrap();
        let audit = case.audit();
        let seats = [0, 1, 2].map(|place| {
            let voter = &case.voters[place];
            let weight = [1_000_000, 1_500_000, 3_000_000][place];
            let seated = has_seat(&case.state(), &voter.owner.pubkey(), weight);
            let sent = case.game.cast_vote(voter, &audit, VALID);
            if seated {
                sent.unwrap();
            } else {
                refused(sent, TaskError::NotSeated);
            }
            seated
        });
        // 3,000,000 of 7,500,000 are over one seat of three.
        assert!(seats[2]);
        seen.insert(seats);
    }
    assert_eq!(seen.len(), 4, "some with, some without: {seen:?}");
}

// Accounts.

#[test]
fn draw_panel_of_another_account_fails() {
    let mut case = opened();
    case.game.warp(DRAW_SLOT + 1);
    remember_blocks(&mut case.game.svm, |_| false);
    let audit = case.audit();
    let forged = case.game.forge(&audit);
    let disguised = case.game.disguise(&audit);
    let cases: [(Address, InstructionError); 4] = [
        (forged, InstructionError::IllegalOwner),
        (disguised, InstructionError::InvalidAccountData),
        (case.accused.node, InstructionError::InvalidAccountData),
        (
            case.game.submission(&case.accused, 0),
            InstructionError::AccountDataTooSmall,
        ),
    ];
    for (other, error) in cases {
        let draw = swap(case.game.draw_panel_ix(&audit, SECRET), &audit, &other);
        assert_eq!(failure(case.game.by_anyone(draw)), error);
    }
}

#[test]
fn draw_panel_with_an_audit_that_cannot_be_written_fails() {
    let mut case = opened();
    case.game.warp(DRAW_SLOT + 1);
    remember_blocks(&mut case.game.svm, |_| false);
    let audit = case.audit();
    let draw = readonly(case.game.draw_panel_ix(&audit, SECRET), &audit);
    assert_eq!(
        failure(case.game.by_anyone(draw)),
        InstructionError::Custom(2000)
    );
}

#[test]
fn draw_panel_with_cut_data_fails() {
    let mut case = opened();
    case.game.warp(DRAW_SLOT + 1);
    remember_blocks(&mut case.game.svm, |_| false);
    let mut draw = case.game.draw_panel_ix(&case.audit(), SECRET);
    draw.data.pop();
    assert_eq!(
        failure(case.game.by_anyone(draw)),
        InstructionError::InvalidInstructionData
    );
}

/// The first window goes on from the draw to its end, as it would have without.
#[test]
fn draw_panel_moves_no_window() {
    let mut case = Case::audited(
        RulesArgs {
            commit_slots: MIN_PANEL_WINDOW_SLOTS,
            reveal_slots: 150,
            ..panelled()
        },
        MALICE,
    );
    let before = case.state();
    case.game.warp(DRAW_END - 1);
    case.draw().unwrap();
    let after = case.state();
    assert_eq!(after.reveal_slot, before.reveal_slot);
    assert_eq!(after.end_slot, before.end_slot);
}
