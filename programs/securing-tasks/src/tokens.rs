//! The only places where tokens move, and the mints that may.

use crate::{account::Account, constants::TASK_SEED, error::TaskError, state::Task};
use anchor_lang::{
    pinocchio::instruction::InstructionAccount, prelude::*, unchecked_invoke_signed_fixed,
};
use anchor_spl::token_2022::spl_token_2022::{
    extension::{BaseStateWithExtensions, ExtensionType, PodStateWithExtensions},
    pod::PodMint,
};
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use core::{marker::PhantomData, ops::Deref};

/// A mint or token account of Token or Token-2022, which this program only reads: checked in one place and not in every instruction.
pub struct InterfaceAccount<T> {
    view: AccountView,
    state: PhantomData<T>,
}

/// What a mint or token account is by itself, without extensions.
pub trait TokenState: SlabSchema {
    /// Bytes.
    const SIZE: usize;
    /// Where its state is: 1 for one that is initialised, and not frozen.
    const STATE: usize;
}

impl TokenState for TokenAccount {
    const SIZE: usize = 165;
    const STATE: usize = 108;
}

impl TokenState for Mint {
    const SIZE: usize = 82;
    const STATE: usize = 45;
}

/// The whole of the framework's check, except where there is nothing to find: what Token owns of just this size is as Token left it, and
/// nobody else can write it.
#[inline(never)]
fn check<T: TokenState>(view: AccountView) -> Result<()> {
    // SAFETY: nothing of ours borrows the accounts of another program.
    let data = unsafe { view.borrow_unchecked() };
    let is_plain = data.len() == T::SIZE && data[T::STATE] == 1;
    if is_plain && view.owned_by(&Token::id()) {
        return Ok(());
    }
    T::validate(&view, data)
}

impl<T: TokenState> AnchorAccount for InterfaceAccount<T> {
    type Data = T;
    const MIN_DATA_LEN: usize = T::MIN_DATA_LEN;

    #[inline(always)]
    fn load(view: AccountView) -> Result<Self> {
        check::<T>(view)?;
        let state = PhantomData;
        Ok(Self { view, state })
    }

    #[inline(always)]
    unsafe fn load_mut(view: AccountView) -> Result<Self> {
        require!(view.is_writable(), ErrorCode::ConstraintMut);
        require!(
            view.data_len() >= T::MIN_DATA_LEN,
            ProgramError::AccountDataTooSmall
        );
        Self::load(view)
    }

    #[inline(always)]
    fn account(&self) -> &AccountView {
        &self.view
    }
}

impl<T> InterfaceAccount<T> {
    #[inline(always)]
    pub fn address(&self) -> &Address {
        self.view.address()
    }
}

impl<T> Deref for InterfaceAccount<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: checked to hold a `T`, which is bytes alone.
        unsafe { &*self.view.data_ptr().cast() }
    }
}

#[doc(hidden)]
impl<T> IdlAccountType for InterfaceAccount<T> {}

/// Token or Token-2022.
pub type TokenProgram = Interface<'static, TokenInterface>;

/// Number of `TransferChecked` in both token programs.
const TRANSFER_CHECKED: u8 = 12;
/// Number of `CloseAccount` in both token programs.
const CLOSE_ACCOUNT: u8 = 9;

/// Moves `amount` base units from a depositor's account into the vault.
pub fn deposit(
    source: &mut InterfaceAccount<TokenAccount>,
    mint: &InterfaceAccount<Mint>,
    vault: &mut InterfaceAccount<TokenAccount>,
    depositor: &Signer,
    token_program: &TokenProgram,
    amount: u64,
) {
    transfer(
        source,
        mint,
        vault,
        depositor.cpi_handle(),
        token_program,
        amount,
        &[],
    );
}

/// Moves `amount` base units out of the vault, signed by the task.
pub fn pay_out(
    task: &Account<Task>,
    vault: &mut InterfaceAccount<TokenAccount>,
    mint: &InterfaceAccount<Mint>,
    destination: &mut InterfaceAccount<TokenAccount>,
    token_program: &TokenProgram,
    amount: u64,
) {
    let (id, bump) = (task.id.get().to_le_bytes(), [task.bump]);
    let seeds: &[&[u8]] = &[TASK_SEED, task.creator.as_ref(), &id, &bump];
    transfer(
        vault,
        mint,
        destination,
        task.cpi_handle(),
        token_program,
        amount,
        &[seeds],
    );
}

/// A transfer on the stack: the library's own way through its instruction types costs seven thousand units more. A transfer that
/// fails ends the transaction.
fn transfer(
    from: &mut InterfaceAccount<TokenAccount>,
    mint: &InterfaceAccount<Mint>,
    to: &mut InterfaceAccount<TokenAccount>,
    authority: CpiHandle,
    token_program: &TokenProgram,
    amount: u64,
    signer_seeds: &[&[&[u8]]],
) {
    let mut data = [TRANSFER_CHECKED, 0, 0, 0, 0, 0, 0, 0, 0, mint.decimals()];
    data[1..9].copy_from_slice(&amount.to_le_bytes());
    let (from_address, to_address) = (*from.address(), *to.address());
    unchecked_invoke_signed_fixed(
        token_program.address(),
        &data,
        &[
            InstructionAccount::writable(&from_address),
            InstructionAccount::readonly(mint.address()),
            InstructionAccount::writable(&to_address),
            InstructionAccount::readonly_signer(authority.address()),
        ],
        &[
            from.cpi_handle_mut().into(),
            mint.cpi_handle(),
            to.cpi_handle_mut().into(),
            authority,
        ],
        signer_seeds,
    );
}

/// Closes the empty vault, signed by the task; its rent goes to who paid it.
pub fn close_vault(
    task: &Account<Task>,
    vault: &mut InterfaceAccount<TokenAccount>,
    payer: &mut UncheckedAccount,
    token_program: &TokenProgram,
) {
    let (id, bump) = (task.id.get().to_le_bytes(), [task.bump]);
    let seeds: &[&[u8]] = &[TASK_SEED, task.creator.as_ref(), &id, &bump];
    let (vault_address, payer_address) = (*vault.address(), *payer.address());
    unchecked_invoke_signed_fixed(
        token_program.address(),
        &[CLOSE_ACCOUNT],
        &[
            InstructionAccount::writable(&vault_address),
            InstructionAccount::writable(&payer_address),
            InstructionAccount::readonly_signer(task.address()),
        ],
        &[
            vault.cpi_handle_mut().into(),
            payer.cpi_handle_mut().into(),
            task.cpi_handle(),
        ],
        &[seeds],
    );
}

/// Refuses, by name, a mint whose extensions let tokens move or shrink without us, and every extension not known here.
///
/// None of these comes to a mint after it was initialised (a group membership can, and moves nothing), so that checking once is enough.
pub fn check_mint(view: &AccountView) -> Result<()> {
    // SAFETY: nothing borrows the mint mutably; it isn't a writable account of any instruction.
    let data = unsafe { view.borrow_unchecked() };
    let state = PodStateWithExtensions::<PodMint>::unpack(data)?;
    // Making the vault has refused extensions that the library can't even parse: InvalidAccountData.
    for extension in state.get_extension_types()? {
        let refusal = match extension {
            ExtensionType::TransferFeeConfig => TaskError::MintTransferFee,
            ExtensionType::TransferHook => TaskError::MintTransferHook,
            ExtensionType::PermanentDelegate => TaskError::MintPermanentDelegate,
            ExtensionType::NonTransferable => TaskError::MintNonTransferable,
            ExtensionType::Pausable => TaskError::MintPausable,
            ExtensionType::ConfidentialTransferMint
            | ExtensionType::ConfidentialTransferFeeConfig
            | ExtensionType::ConfidentialMintBurn => TaskError::MintConfidentialTransfer,
            ExtensionType::DefaultAccountState => TaskError::MintDefaultFrozen,
            // While supply is zero its authority can close the mint and make another at the same address.
            ExtensionType::MintCloseAuthority => TaskError::MintClosable,
            // These change what is shown, never what is held.
            ExtensionType::InterestBearingConfig
            | ExtensionType::ScaledUiAmount
            | ExtensionType::MetadataPointer
            | ExtensionType::TokenMetadata
            | ExtensionType::GroupPointer
            | ExtensionType::TokenGroup
            | ExtensionType::GroupMemberPointer
            | ExtensionType::TokenGroupMember => continue,
            _ => TaskError::MintExtensionUnknown,
        };
        return Err(refusal.into());
    }
    Ok(())
}
