//! The only places where tokens move, and the mints that may.

use crate::{constants::TASK_SEED, error::TaskError, state::Task};
use anchor_lang::{
    pinocchio::instruction::InstructionAccount, prelude::*, unchecked_invoke_signed_fixed,
};
use anchor_spl::token_2022::spl_token_2022::{
    extension::{BaseStateWithExtensions, ExtensionType, PodStateWithExtensions},
    pod::PodMint,
};
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};

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
pub fn check_mint(mint: &InterfaceAccount<Mint>) -> Result<()> {
    let view = mint.account();
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
