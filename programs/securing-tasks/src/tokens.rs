//! The only places where tokens move, and the mints that may.

use crate::{error::TaskError, state::Task};
use anchor_lang::prelude::*;
use anchor_spl::token_2022::spl_token_2022::{
    extension::{BaseStateWithExtensions, ExtensionType, PodStateWithExtensions},
    pod::PodMint,
};
use anchor_spl::token_interface::{self, Mint, TokenAccount, TokenInterface};

/// Token or Token-2022.
pub type TokenProgram = Interface<'static, TokenInterface>;

/// Moves `amount` base units from a depositor's account into the vault.
pub fn deposit(
    source: &mut InterfaceAccount<TokenAccount>,
    mint: &InterfaceAccount<Mint>,
    vault: &mut InterfaceAccount<TokenAccount>,
    depositor: &Signer,
    token_program: &TokenProgram,
    amount: u64,
) -> Result<()> {
    let accounts = token_interface::TransferChecked {
        from: source.cpi_handle_mut(),
        mint: mint.cpi_handle(),
        to: vault.cpi_handle_mut(),
        authority: depositor.cpi_handle(),
    };
    token_interface::transfer_checked(
        CpiContext::new(token_program.address(), accounts),
        amount,
        mint.decimals(),
    )
}

/// Moves `amount` base units out of the vault, signed by the task.
pub fn pay_out(
    task: &Account<Task>,
    vault: &mut InterfaceAccount<TokenAccount>,
    mint: &InterfaceAccount<Mint>,
    destination: &mut InterfaceAccount<TokenAccount>,
    token_program: &TokenProgram,
    amount: u64,
) -> Result<()> {
    let (creator, id, bump) = (task.creator, task.id.get().to_le_bytes(), [task.bump]);
    let seeds: &[&[u8]] = &[crate::constants::TASK_SEED, creator.as_ref(), &id, &bump];
    let accounts = token_interface::TransferChecked {
        from: vault.cpi_handle_mut(),
        mint: mint.cpi_handle(),
        to: destination.cpi_handle_mut(),
        authority: task.cpi_handle(),
    };
    let signers = [seeds];
    let context = CpiContext::new_with_signer(token_program.address(), accounts, &signers);
    token_interface::transfer_checked(context, amount, mint.decimals())
}

/// Closes the empty vault, signed by the task; its rent goes to the creator.
pub fn close_vault(
    task: &Account<Task>,
    vault: &mut InterfaceAccount<TokenAccount>,
    creator: &mut Signer,
    token_program: &TokenProgram,
) -> Result<()> {
    let (address, id, bump) = (task.creator, task.id.get().to_le_bytes(), [task.bump]);
    let seeds: &[&[u8]] = &[crate::constants::TASK_SEED, address.as_ref(), &id, &bump];
    let accounts = token_interface::CloseAccount {
        account: vault.cpi_handle_mut(),
        destination: creator.cpi_handle_mut(),
        authority: task.cpi_handle(),
    };
    let signers = [seeds];
    token_interface::close_account(CpiContext::new_with_signer(
        token_program.address(),
        accounts,
        &signers,
    ))
}

/// Refuses, by name, a mint whose extensions let tokens move or shrink without us, and every extension not known here.
///
/// Extensions never come to a mint after it was initialised, so that checking once is enough.
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
