//! Makes accounts and checks nothing. Accounts: payer, each new one, system program. Data: for each new one its bump and,
//! as u64 LE, lamports and bytes.
#![no_std]

use pinocchio::{
    cpi::{Seed, Signer},
    program_entrypoint, AccountView, Address, ProgramResult,
};
use pinocchio_system::instructions::CreateAccount;

pinocchio::no_allocator!();
pinocchio::nostd_panic_handler!();
program_entrypoint!(process);

fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    let payer = &accounts[0];
    for (number, new) in data.chunks_exact(17).enumerate() {
        let mut lamports = [0; 8];
        let mut space = [0; 8];
        lamports.copy_from_slice(&new[1..9]);
        space.copy_from_slice(&new[9..17]);
        let (index, bump) = ([number as u8], [new[0]]);
        let seeds = [Seed::from(&index), Seed::from(&bump)];
        CreateAccount {
            from: payer,
            to: &accounts[number + 1],
            lamports: u64::from_le_bytes(lamports),
            space: u64::from_le_bytes(space),
            owner: program,
        }
        .invoke_signed(&[Signer::from(&seeds)])?;
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
