//! Calls other programs and logs what it is told to, in order. Its data is a list of steps; each begins with its kind and how often to do it:
//!
//! - 0, a text: u16 LE length and bytes: a line of log.
//! - 1, bytes: u16 LE length and bytes: a line of data, as an event is.
//! - 2, a call: where among the accounts its program is, where its own accounts begin, how many they are, which of them is the vault
//!   (the one address that this program signs for) or 255, the vault's bump; u16 LE length and bytes of its data.
#![no_std]

use core::mem::MaybeUninit;
use pinocchio::{
    cpi::{invoke_signed_unchecked, CpiAccount, Seed, Signer},
    error::ProgramError,
    instruction::{InstructionAccount, InstructionView},
    program_entrypoint, syscalls, AccountView, Address, ProgramResult,
};

pinocchio::no_allocator!();
pinocchio::nostd_panic_handler!();
program_entrypoint!(process);

/// Most accounts of one call.
const MOST: usize = 24;

fn process(_: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    let mut rest = data;
    while let [kind, times, tail @ ..] = rest {
        let (head, tail) = tail
            .split_at_checked(if *kind == 2 { 5 } else { 0 })
            .ok_or(ProgramError::InvalidInstructionData)?;
        let [low, high, tail @ ..] = tail else {
            return Err(ProgramError::InvalidInstructionData);
        };
        let (bytes, tail) = tail
            .split_at_checked(u16::from_le_bytes([*low, *high]) as usize)
            .ok_or(ProgramError::InvalidInstructionData)?;
        for _ in 0..*times {
            match kind {
                // SAFETY: the slices outlive the calls.
                0 => unsafe { syscalls::sol_log_(bytes.as_ptr(), bytes.len() as u64) },
                1 => unsafe { syscalls::sol_log_data((&raw const bytes).cast(), 1) },
                _ => call(accounts, head, bytes)?,
            }
        }
        rest = tail;
    }
    Ok(())
}

// Apart, because of the stack that its accounts take.
#[inline(never)]
fn call(accounts: &[AccountView], head: &[u8], data: &[u8]) -> ProgramResult {
    let &[program, first, count, vault, bump] = head else {
        return Err(ProgramError::InvalidInstructionData);
    };
    let program = accounts
        .get(program as usize)
        .ok_or(ProgramError::NotEnoughAccountKeys)?;
    let (first, count) = (first as usize, count as usize);
    let given = accounts
        .get(first..first + count)
        .ok_or(ProgramError::NotEnoughAccountKeys)?;
    if count > MOST {
        return Err(ProgramError::InvalidArgument);
    }
    let mut metas = [const { MaybeUninit::<InstructionAccount>::uninit() }; MOST];
    let mut infos = [const { MaybeUninit::<CpiAccount>::uninit() }; MOST];
    for (at, account) in given.iter().enumerate() {
        let signs = account.is_signer() || at == vault as usize;
        metas[at].write(InstructionAccount::new(
            account.address(),
            account.is_writable(),
            signs,
        ));
        CpiAccount::init_from_account_view(account, &mut infos[at]);
    }
    let bump = [bump];
    let seeds = [Seed::from(b"vault"), Seed::from(&bump)];
    let signers = [Signer::from(&seeds)];
    // SAFETY: the first `count` of each are written, and nothing here borrows an account's data.
    unsafe {
        invoke_signed_unchecked(
            &InstructionView {
                program_id: program.address(),
                data,
                accounts: core::slice::from_raw_parts(metas.as_ptr().cast(), count),
            },
            core::slice::from_raw_parts(infos.as_ptr().cast(), count),
            if vault == 255 { &[] } else { &signers },
        );
    }
    Ok(())
}

/// Where the compiler sends what can't be reached and every panic: the runtime's abort.
#[cfg(target_os = "solana")]
#[no_mangle]
#[inline(never)]
unsafe extern "C" fn __bpf_trap() -> ! {
    let abort: extern "C" fn() -> ! = core::mem::transmute(0xb6fc_1a11_usize);
    abort()
}
