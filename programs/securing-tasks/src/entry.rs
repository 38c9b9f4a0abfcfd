//! The program's entry. What nodes send by the thousands is taken here: the accounts are walked with what it needs and no more, and
//! checked by the same declarations. All else, and what is none of ours, goes the framework's way.

#![cfg_attr(
    not(target_os = "solana"),
    allow(dead_code, reason = "the runtime alone enters here")
)]

use crate::{CastVote, JoinTask, OpenAudit, SubmitWork};
use anchor_lang::pinocchio::account::{RuntimeAccount, MAX_PERMITTED_DATA_INCREASE};
use anchor_lang::{prelude::*, TryAccounts};
use core::mem::MaybeUninit;

anchor_lang::pinocchio::default_allocator!();
anchor_lang::pinocchio::default_panic_handler!();

/// The first 8 bytes of SHA-256 of `global:` and the instruction's name, as they are read.
pub mod number {
    pub const JOIN_TASK: [u8; 8] = [191, 47, 43, 190, 28, 195, 5, 50];
    pub const SUBMIT_WORK: [u8; 8] = [158, 80, 101, 51, 114, 130, 101, 253];
    pub const OPEN_AUDIT: [u8; 8] = [65, 14, 22, 226, 250, 187, 3, 166];
    pub const CAST_VOTE: [u8; 8] = [20, 212, 15, 189, 69, 180, 69, 151];
    pub const COMMIT_VOTE: [u8; 8] = [134, 97, 90, 126, 91, 66, 16, 26];
}

/// Bytes of an account's record besides its data: head, room to grow, and the epoch behind them.
const RECORD: usize = size_of::<RuntimeAccount>() + MAX_PERMITTED_DATA_INCREASE + 8;

/// # Safety
///
/// The runtime calls it: `input` are the accounts as it serialises them, `data` the instruction's data, behind its length and before the
/// program's address.
#[cfg(target_os = "solana")]
#[no_mangle]
unsafe extern "C" fn entrypoint(input: *mut u8, data: *const u8) -> u64 {
    let length = data.sub(8).cast::<u64>().read() as usize;
    if length < 8 {
        return crate::__anchor_dispatch(input, data);
    }
    let rest = Arguments(core::slice::from_raw_parts(
        data.add(8),
        length.wrapping_sub(8),
    ));
    const CAST_VOTE: u64 = u64::from_le_bytes(number::CAST_VOTE);
    const COMMIT_VOTE: u64 = u64::from_le_bytes(number::COMMIT_VOTE);
    const SUBMIT_WORK: u64 = u64::from_le_bytes(number::SUBMIT_WORK);
    const OPEN_AUDIT: u64 = u64::from_le_bytes(number::OPEN_AUDIT);
    const JOIN_TASK: u64 = u64::from_le_bytes(number::JOIN_TASK);
    let number = data.cast::<u64>().read_unaligned();
    if !matches!(
        number,
        CAST_VOTE | COMMIT_VOTE | SUBMIT_WORK | OPEN_AUDIT | JOIN_TASK
    ) {
        return crate::__anchor_dispatch(input, data);
    }
    let program = &*data.add(length).cast::<Address>();
    if !anchor_lang::address_eq(program, &crate::ID) {
        return ProgramError::IncorrectProgramId.into();
    }
    let done = match number {
        SUBMIT_WORK => submit_work(input, rest),
        OPEN_AUDIT => open_audit(input, rest),
        JOIN_TASK => join_task(input, rest),
        _ => vote(input, rest, number == COMMIT_VOTE),
    };
    match done {
        Ok(()) => 0,
        Err(error) => error.into(),
    }
}

#[inline(never)]
unsafe fn vote(input: *mut u8, mut rest: Arguments, is_committed: bool) -> Result<()> {
    let (mut accounts, _) = load::<CastVote, 8>(input)?;
    if is_committed {
        accounts.commit(*rest.take()?)
    } else {
        let [opinion] = *rest.take()?;
        accounts.cast(opinion)
    }
}

#[inline(never)]
unsafe fn submit_work(input: *mut u8, mut rest: Arguments) -> Result<()> {
    let (mut accounts, _) = load::<SubmitWork, 9>(input)?;
    let round = u64::from_le_bytes(*rest.take()?);
    let hash = *rest.take()?;
    accounts.handle(round, hash, rest.text()?)
}

#[inline(never)]
unsafe fn open_audit(input: *mut u8, mut rest: Arguments) -> Result<()> {
    let (mut accounts, _) = load::<OpenAudit, 10>(input)?;
    let [accusation] = *rest.take()?;
    let secret_hash = rest.take()?;
    let evidence_hash = *rest.take()?;
    accounts.handle(accusation, secret_hash, evidence_hash, rest.text()?)
}

#[inline(never)]
unsafe fn join_task(input: *mut u8, mut rest: Arguments) -> Result<()> {
    let (mut accounts, bumps) = load::<JoinTask, 11>(input)?;
    let [role] = *rest.take()?;
    let operator = Address::new_from_array(*rest.take()?);
    let amount = u64::from_le_bytes(*rest.take()?);
    let start_slot = u64::from_le_bytes(*rest.take()?);
    accounts.handle(bumps.node, role, operator, amount, start_slot)
}

/// What follows the number, in borsh.
struct Arguments<'a>(&'a [u8]);

impl<'a> Arguments<'a> {
    #[inline(always)]
    fn take<const N: usize>(&mut self) -> Result<&'a [u8; N]> {
        let (taken, rest) = self
            .0
            .split_first_chunk()
            .ok_or(ProgramError::InvalidInstructionData)?;
        self.0 = rest;
        Ok(taken)
    }

    #[inline(always)]
    fn text(&mut self) -> Result<&'a str> {
        let length = u32::from_le_bytes(*self.take()?);
        let bytes = self
            .0
            .get(..length as usize)
            .ok_or(ProgramError::InvalidInstructionData)?;
        // What has no high bit is text, and addresses have none: in words, since letters are looked at one by one.
        const HIGH: u64 = 0x8080_8080_8080_8080;
        let (words, last) = bytes.as_chunks::<8>();
        let high = words
            .iter()
            .fold(0, |high, word| high | u64::from_le_bytes(*word));
        let high = last.iter().fold(high, |high, byte| high | u64::from(*byte));
        if high & HIGH == 0 {
            // SAFETY: ASCII is UTF-8.
            return Ok(unsafe { core::str::from_utf8_unchecked(bytes) });
        }
        core::str::from_utf8(bytes).map_err(|_| ProgramError::InvalidInstructionData)
    }
}

/// Notes one account and answers where the next one is.
#[inline(always)]
unsafe fn walk(
    record: *mut u8,
    views: &mut [MaybeUninit<AccountView>],
    number: usize,
    written: u64,
) -> Result<*mut u8> {
    let first = record.read();
    if first == u8::MAX {
        let account = record.cast::<RuntimeAccount>();
        views[number].write(AccountView::new_unchecked(account));
        let length = ((*account).data_len as usize).wrapping_add(7) & !7;
        return Ok(record.add(RECORD.wrapping_add(length)));
    }
    // Attack: one account in two places, and what is written in one is lost in the other.
    let is_written = |place: u32| written.wrapping_shr(place) & 1 == 1;
    if is_written(number as u32) || is_written(first.into()) {
        return Err(ErrorCode::ConstraintDuplicateMutableAccount.into());
    }
    let view = views[usize::from(first)].assume_init_read();
    views[number].write(view);
    Ok(record.add(8))
}

/// Walks the accounts and has them checked as they are declared.
#[inline(always)]
unsafe fn load<A, const N: usize>(input: *mut u8) -> Result<(A, A::Bumps)>
where
    A: for<'a> TryAccounts<IxArgs<'a> = ()>,
{
    // No optional account is written, no declaration asks for an argument, and all are of this struct.
    const { assert!(A::HEADER_SIZE == N && N < 64 && !A::HAS_DYNAMIC_MUT_MASK) };
    if input.cast::<u64>().read() < N as u64 {
        return Err(ErrorCode::AccountNotEnoughKeys.into());
    }
    let mut views = [const { MaybeUninit::<AccountView>::uninit() }; N];
    let mut record = input.add(8);
    // One by one: as a loop, the longer ones would stay loops.
    macro_rules! walk {
        ($($number:literal)*) => {$(
            if $number < N {
                record = walk(record, &mut views, $number, A::MUT_MASK[0])?;
            }
        )*};
    }
    const { assert!(N <= 11) };
    walk!(0 1 2 3 4 5 6 7 8 9 10);
    let views = core::slice::from_raw_parts(views.as_ptr().cast(), N);
    let (accounts, bumps, ()) = A::validate_accounts(&crate::ID, views, None, 0, &[])?;
    Ok((accounts, bumps))
}

#[cfg(test)]
mod tests {
    use super::{number, Arguments};
    use crate::instruction::*;
    use anchor_lang::Discriminator;

    #[test]
    fn the_numbers_are_those_of_the_names() {
        for (here, there) in [
            (number::JOIN_TASK, JoinTask::DISCRIMINATOR),
            (number::SUBMIT_WORK, SubmitWork::DISCRIMINATOR),
            (number::OPEN_AUDIT, OpenAudit::DISCRIMINATOR),
            (number::CAST_VOTE, CastVote::DISCRIMINATOR),
            (number::COMMIT_VOTE, CommitVote::DISCRIMINATOR),
        ] {
            assert_eq!(here, there);
        }
    }

    /// Letters of one to four bytes, and bytes that are none, at every place of the words that are looked at together.
    #[test]
    fn texts_are_those_that_are_utf8() {
        let pieces: [&[u8]; 7] = [
            b"",
            b"a",
            "ä".as_bytes(),
            "€".as_bytes(),
            "🦀".as_bytes(),
            &[0xff],
            &[0xe2, 0x82],
        ];
        for before in 0..20 {
            for after in 0..10 {
                for piece in pieces {
                    let text = [&vec![b'.'; before], piece, &vec![b'/'; after]].concat();
                    let length = u32::try_from(text.len()).unwrap();
                    let sent = [&length.to_le_bytes(), text.as_slice(), b"more"].concat();
                    let taken = Arguments(&sent).text();
                    match core::str::from_utf8(&text) {
                        Ok(same) => assert_eq!(taken.unwrap(), same),
                        Err(_) => assert!(taken.is_err()),
                    }
                    // One byte of it is missing.
                    let cut = [&(length + 5).to_le_bytes(), &sent[4..]].concat();
                    assert!(Arguments(&cut).text().is_err());
                }
            }
        }
        assert!(Arguments(&[1, 0, 0]).text().is_err());
    }
}
