//! The chain's last blocks, read out of the sysvar in parts: 20 kB of it are never copied.

use crate::{error::TaskError, state::minus};
use anchor_lang::prelude::*;
use pinocchio::sysvars::{
    get_sysvar,
    slot_hashes::{ENTRY_SIZE, NUM_ENTRIES_SIZE, SLOTHASHES_ID, SLOT_SIZE},
};

/// Where an entry begins: a slot (u64 LE) and the hash of its block. Latest first.
fn entry(at: u64) -> Result<usize> {
    usize::try_from(at)
        .ok()
        .and_then(|at| at.checked_mul(ENTRY_SIZE)?.checked_add(NUM_ENTRIES_SIZE))
        .ok_or(TaskError::Overflow.into())
}

fn read<const N: usize>(offset: usize) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    get_sysvar(&mut bytes, &SLOTHASHES_ID, offset)?;
    Ok(bytes)
}

fn slot_of(at: u64) -> Result<u64> {
    Ok(u64::from_le_bytes(read(entry(at)?)?))
}

/// The hash of the first block at or after `slot`; `DrawTooEarly` before there is one.
///
/// The reads grow with the logarithm of the blocks since. Only for slots of which the chain still keeps a later block: its last 512.
pub fn first_block_from(slot: u64) -> Result<[u8; 32]> {
    let [entries, newest]: [u64; 2] = bytemuck::cast(read::<{ NUM_ENTRIES_SIZE + SLOT_SIZE }>(0)?);
    require!(entries > 0 && newest >= slot, TaskError::DrawTooEarly);
    // Slots fall by at least one with each entry: the last that is not before `slot` is at most this far.
    let mut last = minus(newest, slot)?.min(minus(entries, 1u64)?);
    let mut first = 0u64;
    while first < last {
        let middle = first.wrapping_add(last).wrapping_add(1) >> 1;
        if slot_of(middle)? >= slot {
            first = middle;
        } else {
            last = minus(middle, 1u64)?;
        }
    }
    // SLOT_SIZE is far below what is left of usize after an entry's place.
    read(entry(first)?.wrapping_add(SLOT_SIZE))
}
