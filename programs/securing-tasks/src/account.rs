//! The program's own accounts: checked, found and made in one place each, called and not copied into every instruction. They take the
//! place of the framework's account type and answer with its errors.

use anchor_lang::{
    pinocchio::{
        cpi::{invoke_signed_unchecked, CpiAccount, Seed, Signer as Seeds},
        instruction::{InstructionAccount, InstructionView},
    },
    prelude::*,
    AccountInitialize,
};
use bytemuck::Pod;
use core::{
    mem::MaybeUninit,
    ops::{Deref, DerefMut},
};

/// Bytes before an account's fields: which kind it is.
const KIND: usize = 8;

/// The kind as a number: bytes are compared one by one on chain.
pub const fn kind<T: Discriminator>() -> u64 {
    let [a, b, c, d, e, f, g, h] = T::DISCRIMINATOR else {
        panic!("a kind has 8 bytes")
    };
    u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h])
}

/// An account of this program that holds a `T`.
///
/// One that is loaded for writing is in one place of the instruction only: the entry refuses a writable account that comes twice.
pub struct Account<T> {
    view: AccountView,
    fields: *mut T,
    /// Whether the instruction declares it as one that it changes, and it isn't closed.
    is_mutable: bool,
}

/// An optional account's view.
#[inline(always)]
pub fn view_of(account: &Option<UncheckedAccount>) -> Option<AccountView> {
    account.as_ref().map(|account| *account.account())
}

/// Bytes of an account that holds a `T`.
pub const fn size<T>() -> usize {
    KIND.saturating_add(size_of::<T>())
}

/// What is wrong with an account, where something is.
#[cold]
#[inline(never)]
pub fn refusal(view: AccountView, size: usize, is_mut: bool) -> ProgramError {
    let is_small = view.data_len() < size;
    if is_mut && !view.is_writable() {
        return ErrorCode::ConstraintMut.into();
    }
    if is_mut && is_small {
        return ProgramError::AccountDataTooSmall;
    }
    if !view.owned_by(&crate::ID) {
        if view.lamports() == 0 && view.owned_by(&SYSTEM) {
            return ProgramError::UninitializedAccount;
        }
        return ProgramError::IllegalOwner;
    }
    if is_small {
        return ProgramError::AccountDataTooSmall;
    }
    ProgramError::InvalidAccountData
}

/// Whether this program owns the account, and it holds what it should.
#[inline(never)]
fn is_ours(view: AccountView, size: usize, kind: u64) -> bool {
    // SAFETY: eight bytes are read where there are as many, after the length was compared.
    view.data_len() >= size
        && unsafe { view.data_ptr().cast::<u64>().read_unaligned() } == kind
        && view.owned_by(&crate::ID)
}

impl<T: Discriminator> Account<T> {
    const SIZE: usize = size::<T>();

    #[inline(always)]
    pub fn address(&self) -> &Address {
        self.view.address()
    }

    /// Of an account that was checked, or made just now.
    #[inline(always)]
    fn of(view: AccountView, is_mutable: bool) -> Self {
        // Fields are read and written in place, without an alignment.
        const { assert!(align_of::<T>() == 1) };
        Self {
            view,
            // SAFETY: the account has at least the kind's bytes.
            fields: unsafe { view.data_ptr().add(KIND) }.cast_mut().cast(),
            is_mutable,
        }
    }

    /// Finds the account's address from bump 255 down, refuses another one (`InvalidSeeds`), and makes the account: rent-exempt, owned by
    /// this program, of its kind and all zeros. Answers the bump, too.
    #[inline(always)]
    pub fn create<const N: usize>(
        payer: &Signer,
        place: &UncheckedAccount,
        seeds: [&[u8]; N],
    ) -> Result<(Self, u8)> {
        let view = *place.account();
        // Two places more than seeds: for the bump, and for what the hash of every address ends with.
        const { assert!(N + 2 <= SEEDS) };
        let mut room = [const { MaybeUninit::<&[u8]>::uninit() }; SEEDS];
        for (place, seed) in room.iter_mut().zip(seeds) {
            place.write(seed);
        }
        // SAFETY: `make` writes the two before it reads them.
        let bump = unsafe {
            make(
                *payer.account(),
                view,
                room.as_mut_ptr().cast(),
                N,
                Self::SIZE,
                kind::<T>(),
            )?
        };
        Ok((Self::of(view, true), bump))
    }
}

impl<T: Pod + Discriminator> AnchorAccount for Account<T> {
    type Data = T;
    const MIN_DATA_LEN: usize = Self::SIZE;

    #[inline(always)]
    fn load(view: AccountView) -> Result<Self> {
        if !is_ours(view, Self::SIZE, kind::<T>()) {
            return Err(refusal(view, Self::SIZE, false));
        }
        Ok(Self::of(view, false))
    }

    #[inline(always)]
    unsafe fn load_mut(view: AccountView) -> Result<Self> {
        if !view.is_writable() || !is_ours(view, Self::SIZE, kind::<T>()) {
            return Err(refusal(view, Self::SIZE, true));
        }
        Ok(Self::of(view, true))
    }

    #[inline(always)]
    fn account(&self) -> &AccountView {
        &self.view
    }
}

impl<T> Deref for Account<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the account's data stays where it is as long as the instruction lasts.
        unsafe { &*self.fields }
    }
}

impl<T> DerefMut for Account<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        assert!(self.is_mutable, "an account that is only read was changed");
        // SAFETY: see `Account`: nothing else has this account's data.
        unsafe { &mut *self.fields }
    }
}

impl<T: Discriminator> Space for Account<T> {
    const INIT_SPACE: usize = Self::SIZE;
}

impl<T: Discriminator> AccountInitialize for Account<T> {
    type Params<'a> = ();

    #[inline(always)]
    fn create_and_initialize<'a>(
        payer: &AccountView,
        account: &AccountView,
        _space: usize,
        _owner: &Address,
        _params: &(),
        seeds: Option<&[&[u8]]>,
        _payer_seeds: Option<&[&[u8]]>,
    ) -> Result<Self> {
        let seeds = seeds.ok_or(ProgramError::InvalidSeeds)?;
        create_found(*payer, *account, seeds, Self::SIZE, kind::<T>())?;
        Ok(Self::of(*account, true))
    }
}

impl<T: Pod + Discriminator> AccountClose for Account<T> {
    #[inline(always)]
    fn close(&mut self, destination: AccountView) -> ProgramResult {
        assert!(self.is_mutable, "an account that is only read was closed");
        self.is_mutable = false;
        close(self.view, destination)
    }
}

/// Moves the lamports out; the runtime clears what has none when the transaction is over. Until then it is of no kind.
#[inline(never)]
fn close(mut view: AccountView, mut destination: AccountView) -> ProgramResult {
    let lamports = destination
        .lamports()
        .checked_add(view.lamports())
        .ok_or(ProgramError::ArithmeticOverflow)?;
    destination.set_lamports(lamports);
    view.set_lamports(0);
    // SAFETY: the account is a checked one of ours, so it has a kind; nothing else has its data.
    unsafe {
        view.data_mut_ptr().cast::<u64>().write_unaligned(u64::MAX);
        view.close_unchecked();
    }
    Ok(())
}

#[doc(hidden)]
impl<T: IdlAccountType> IdlAccountType for Account<T> {
    const __IDL_ACCOUNT_ENTRY: Option<&'static str> = T::__IDL_ACCOUNT_ENTRY;
    const __IDL_TYPE_DEF: Option<&'static str> = T::__IDL_TYPE_DEF;
    fn __idl_account_entry() -> Option<&'static str> {
        T::__idl_account_entry()
    }
    fn __idl_type_def() -> Option<&'static str> {
        T::__idl_type_def()
    }
    fn __register_idl_deps(
        accounts: &mut alloc::vec::Vec<&'static str>,
        types: &mut alloc::vec::Vec<&'static str>,
    ) {
        T::__register_idl_deps(accounts, types);
    }
}

static SYSTEM: Address = Address::new_from_array([0; 32]);

/// Most seeds of an account, with its bump and what follows.
const SEEDS: usize = 6;

/// What the hash of every address of this program ends with.
const TAIL: &[u8; 53] = &{
    let (program, marker) = (crate::ID.to_bytes(), *b"ProgramDerivedAddress");
    let mut tail = [0; 53];
    let mut at = 0;
    while at < tail.len() {
        tail[at] = if at < 32 {
            program[at]
        } else {
            marker[at - 32]
        };
        at += 1;
    }
    tail
};

/// Finds the address and makes the account; answers the bump.
///
/// # Safety
///
/// There are `count` seeds, and room for two more.
#[inline(never)]
unsafe fn make(
    payer: AccountView,
    view: AccountView,
    seeds: *mut &[u8],
    count: usize,
    size: usize,
    kind: u64,
) -> Result<u8> {
    let mut bump = [u8::MAX];
    let place = bump.as_mut_ptr();
    seeds
        .add(count)
        .write(core::slice::from_raw_parts(place, 1));
    seeds.add(count.wrapping_add(1)).write(TAIL);
    let hashed = core::slice::from_raw_parts(seeds, count.wrapping_add(2));
    let found = find(hashed, place, view.address())?;
    let signed = core::slice::from_raw_parts(seeds, count.wrapping_add(1));
    create(payer, view, signed, size, kind)?;
    Ok(found)
}

/// The bump of an address; `InvalidSeeds` where the seeds give another one.
///
/// From 255 down to the first that is no point of the curve, as everybody finds it: an account has one address, and a bump that comes
/// from outside could give it a second one.
///
/// # Safety
///
/// `place` is where the seeds have their bump.
#[cfg(target_os = "solana")]
#[inline(always)]
unsafe fn find(seeds: &[&[u8]], place: *mut u8, expected: &Address) -> Result<u8> {
    use anchor_lang::pinocchio::syscalls::{sol_curve_validate_point, sol_sha256};
    const CURVE25519: u64 = 0;
    let mut hash = MaybeUninit::<Address>::uninit();
    let mut bump = u8::MAX;
    loop {
        place.write(bump);
        sol_sha256(
            seeds.as_ptr().cast(),
            seeds.len() as u64,
            hash.as_mut_ptr().cast(),
        );
        let point =
            sol_curve_validate_point(CURVE25519, hash.as_ptr().cast(), core::ptr::null_mut());
        if point != 0 {
            break;
        }
        bump = bump.checked_sub(1).ok_or(ProgramError::InvalidSeeds)?;
    }
    require!(
        anchor_lang::address_eq(hash.assume_init_ref(), expected),
        ProgramError::InvalidSeeds
    );
    Ok(bump)
}

/// Nothing runs the program off chain.
#[cfg(not(target_os = "solana"))]
unsafe fn find(_: &[&[u8]], _: *mut u8, _: &Address) -> Result<u8> {
    Err(ProgramError::InvalidSeeds)
}

/// Makes an account of `size` bytes by the system program, signed by its seeds, and names its kind.
#[inline(always)]
fn create(
    payer: AccountView,
    view: AccountView,
    seeds: &[&[u8]],
    size: usize,
    kind: u64,
) -> Result<()> {
    // Attack: lamports that are sent to an address beforehand would keep the account from being made.
    if view.lamports() > 0 {
        anchor_lang::create_account_signed(&payer, &view, size, &crate::ID, seeds)?;
    } else {
        #[repr(C, packed)]
        struct CreateAccount {
            number: u32,
            lamports: u64,
            space: u64,
            owner: Address,
        }
        let data = CreateAccount {
            number: 0,
            lamports: rent(size)?,
            space: size as u64,
            owner: crate::ID,
        };
        let mut accounts = [const { MaybeUninit::<CpiAccount>::uninit() }; 2];
        let [from, to] = &mut accounts;
        CpiAccount::init_from_account_view(&payer, from);
        CpiAccount::init_from_account_view(&view, to);
        // SAFETY: a seed is a slice by another name, both accounts were written just now, and nothing borrows them: the payer is no
        // account of ours, and this one isn't before it is made.
        unsafe {
            let seeds = core::slice::from_raw_parts(seeds.as_ptr().cast::<Seed>(), seeds.len());
            invoke_signed_unchecked(
                &InstructionView {
                    program_id: &SYSTEM,
                    accounts: &[
                        InstructionAccount::writable_signer(payer.address()),
                        InstructionAccount::writable_signer(view.address()),
                    ],
                    data: core::slice::from_raw_parts(
                        (&raw const data).cast(),
                        size_of::<CreateAccount>(),
                    ),
                },
                core::slice::from_raw_parts(accounts.as_ptr().cast(), 2),
                &[Seeds::from(seeds)],
            );
        }
    }
    // SAFETY: the account has `size` bytes now, and a kind is within.
    unsafe {
        view.data_ptr()
            .cast_mut()
            .cast::<u64>()
            .write_unaligned(kind);
    }
    Ok(())
}

/// The same for a declared account, whose address the framework found.
#[inline(never)]
fn create_found(
    payer: AccountView,
    view: AccountView,
    seeds: &[&[u8]],
    size: usize,
    kind: u64,
) -> Result<()> {
    create(payer, view, seeds, size, kind)
}

/// Lamports that keep an account of `size` bytes.
fn rent(size: usize) -> Result<u64> {
    use anchor_lang::pinocchio::sysvars::rent::{
        ACCOUNT_STORAGE_OVERHEAD, DEFAULT_LAMPORTS_PER_BYTE,
    };
    (size as u64)
        .checked_add(ACCOUNT_STORAGE_OVERHEAD)
        .and_then(|bytes| bytes.checked_mul(DEFAULT_LAMPORTS_PER_BYTE))
        .ok_or(crate::error::TaskError::Overflow.into())
}
