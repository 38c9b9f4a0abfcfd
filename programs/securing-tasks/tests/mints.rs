//! Which mints a task may have: every extension that lets tokens move, shrink or stop without us is refused by name.

mod common;

use anchor_lang::{
    prelude::*,
    solana_program::{
        instruction::{AccountMeta, Instruction},
        system_instruction,
    },
};
use anchor_spl::token_2022::spl_token_2022::{
    extension::{self, ExtensionType},
    instruction as token,
    state::AccountState,
};
use common::*;
use litesvm::LiteSVM;
use securing_tasks::Role;
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_transaction::InstructionError;

const WORKER: u8 = Role::Worker as u8;
const WRAPPED_SOL: Address = anchor_lang::address!("So11111111111111111111111111111111111111112");

/// A task of `rules()` that isn't there yet, and the instruction that makes it.
fn planned(
    mut svm: LiteSVM,
    creator: Keypair,
    token_program: Address,
    mint: Address,
    amount: u64,
) -> (Game, Instruction) {
    let key = creator.pubkey();
    let creator_wallet = make_wallet(&mut svm, &creator, &token_program, &mint, &key, amount);
    let task = task_address(&key, 0);
    let create = instruction(
        create_task_accounts(&key, 0, &mint, &token_program),
        create_task_data(0, &rules()),
    );
    let game = Game {
        svm,
        creator,
        creator_wallet,
        token_program,
        mint,
        task,
        vault: vault_address(&task),
        rules: rules(),
        fees: Default::default(),
    };
    (game, create)
}

/// What comes of a task in a mint with these extensions, initialised in the order of `extend`.
fn create(
    extensions: &[ExtensionType],
    extend: impl Fn(&Address, &Address) -> Vec<Instruction>,
) -> Sent {
    let mut svm = machine();
    let creator = key(&mut svm);
    let mint = make_mint(&mut svm, &creator, &TOKEN_2022, extensions, |mint| {
        extend(mint, &creator.pubkey())
    });
    let create = instruction(
        create_task_accounts(&creator.pubkey(), 0, &mint, &TOKEN_2022),
        create_task_data(0, &rules()),
    );
    send(&mut svm, &[create], &[&creator])
}

/// A game in a mint with these extensions; `finish` runs after the mint is initialised.
fn accepted(
    extensions: &[ExtensionType],
    extend: impl Fn(&Address, &Address) -> Vec<Instruction>,
    finish: impl Fn(&Address, &Address) -> Vec<Instruction>,
) -> Game {
    let mut svm = machine();
    let creator = key(&mut svm);
    let mint = make_mint(&mut svm, &creator, &TOKEN_2022, extensions, |mint| {
        extend(mint, &creator.pubkey())
    });
    let finish = finish(&mint, &creator.pubkey());
    if !finish.is_empty() {
        // Metadata and groups are kept in the mint, which grows for them.
        svm.airdrop(&mint, 100_000_000).unwrap();
        send(&mut svm, &finish, &[&creator]).unwrap();
    }
    let (mut game, create) = planned(svm, creator, TOKEN_2022, mint, WALLET);
    game.send_by_creator(create).unwrap();
    game
}

/// Tokens go in and come out, to the unit.
fn play(game: &mut Game) {
    let actor = game.worker(3_000_000);
    game.fund_task(5).unwrap();
    game.add_stake(&actor, 7).unwrap();
    game.request_leave(&actor, None).unwrap();
    game.retire_task().unwrap();
    game.warp(game.slot() + 600);
    game.withdraw(&actor).unwrap();
    assert_eq!(balance(&game.svm, &actor.wallet), WALLET);
    assert_eq!(balance(&game.svm, &game.creator_wallet), WALLET);
    assert_eq!(balance(&game.svm, &game.vault), 0);
}

#[test]
fn mint_with_a_transfer_fee_is_refused() {
    // Also a fee of nothing, which its authority can raise.
    for (bps, most) in [(100, 1_000), (0, 0)] {
        let sent = create(&[ExtensionType::TransferFeeConfig], |mint, key| {
            let fee = extension::transfer_fee::instruction::initialize_transfer_fee_config(
                &TOKEN_2022,
                mint,
                Some(key),
                Some(key),
                bps,
                most,
            );
            vec![fee.unwrap()]
        });
        refused(sent, TaskError::MintTransferFee);
    }
}

#[test]
fn mint_with_a_transfer_hook_is_refused() {
    // Also without a program, which its authority can name later.
    for program in [Some(TOKEN), None] {
        let sent = create(&[ExtensionType::TransferHook], |mint, key| {
            let hook = extension::transfer_hook::instruction::initialize(
                &TOKEN_2022,
                mint,
                Some(*key),
                program,
            );
            vec![hook.unwrap()]
        });
        refused(sent, TaskError::MintTransferHook);
    }
}

#[test]
fn mint_with_a_permanent_delegate_is_refused() {
    let sent = create(&[ExtensionType::PermanentDelegate], |mint, key| {
        vec![token::initialize_permanent_delegate(&TOKEN_2022, mint, key).unwrap()]
    });
    refused(sent, TaskError::MintPermanentDelegate);
}

#[test]
fn mint_that_is_not_transferable_is_refused() {
    let sent = create(&[ExtensionType::NonTransferable], |mint, _| {
        vec![token::initialize_non_transferable_mint(&TOKEN_2022, mint).unwrap()]
    });
    refused(sent, TaskError::MintNonTransferable);
}

#[test]
fn mint_that_can_be_paused_is_refused() {
    let sent = create(&[ExtensionType::Pausable], |mint, key| {
        vec![extension::pausable::instruction::initialize(&TOKEN_2022, mint, key).unwrap()]
    });
    refused(sent, TaskError::MintPausable);
}

fn confidential_transfer(mint: &Address, key: &Address) -> Instruction {
    extension::confidential_transfer::instruction::initialize_mint(
        &TOKEN_2022,
        mint,
        Some(*key),
        true,
        None,
    )
    .unwrap()
}

#[test]
fn mint_with_confidential_transfers_is_refused() {
    let sent = create(&[ExtensionType::ConfidentialTransferMint], |mint, key| {
        vec![confidential_transfer(mint, key)]
    });
    refused(sent, TaskError::MintConfidentialTransfer);
}

#[test]
fn mint_with_confidential_fees_is_refused() {
    use extension::{confidential_transfer_fee, transfer_fee};
    let extensions = [
        ExtensionType::ConfidentialTransferFeeConfig,
        ExtensionType::ConfidentialTransferMint,
        ExtensionType::TransferFeeConfig,
    ];
    let sent = create(&extensions, |mint, key| {
        let fee = transfer_fee::instruction::initialize_transfer_fee_config(
            &TOKEN_2022,
            mint,
            Some(key),
            Some(key),
            0,
            0,
        );
        let confidential =
            confidential_transfer_fee::instruction::initialize_confidential_transfer_fee_config(
                &TOKEN_2022,
                mint,
                Some(*key),
                &Default::default(),
            );
        vec![
            confidential.unwrap(),
            confidential_transfer(mint, key),
            fee.unwrap(),
        ]
    });
    refused(sent, TaskError::MintConfidentialTransfer);
}

#[test]
fn mint_with_confidential_supply_is_refused() {
    let extensions = [
        ExtensionType::ConfidentialMintBurn,
        ExtensionType::ConfidentialTransferMint,
    ];
    let sent = create(&extensions, |mint, key| {
        let supply = extension::confidential_mint_burn::instruction::initialize_mint(
            &TOKEN_2022,
            mint,
            &Default::default(),
            &Default::default(),
        );
        vec![supply.unwrap(), confidential_transfer(mint, key)]
    });
    refused(sent, TaskError::MintConfidentialTransfer);
}

#[test]
fn mint_that_freezes_new_accounts_is_refused() {
    // Also one that doesn't now: its authority can change that.
    for state in [AccountState::Frozen, AccountState::Initialized] {
        let mut svm = machine();
        let creator = key(&mut svm);
        let mint = frozen_mint(&mut svm, &creator, state);
        let create = instruction(
            create_task_accounts(&creator.pubkey(), 0, &mint, &TOKEN_2022),
            create_task_data(0, &rules()),
        );
        refused(
            send(&mut svm, &[create], &[&creator]),
            TaskError::MintDefaultFrozen,
        );
    }
}

/// The token program asks for an authority that freezes where accounts begin frozen.
fn frozen_mint(svm: &mut LiteSVM, authority: &Keypair, state: AccountState) -> Address {
    let (mint, key) = (fresh(), authority.pubkey());
    let space = ExtensionType::try_calculate_account_len::<
        anchor_spl::token_2022::spl_token_2022::pod::PodMint,
    >(&[ExtensionType::DefaultAccountState])
    .unwrap();
    let rent = svm.minimum_balance_for_rent_exemption(space);
    let instructions = [
        system_instruction::create_account(&key, &mint.pubkey(), rent, space as u64, &TOKEN_2022),
        extension::default_account_state::instruction::initialize_default_account_state(
            &TOKEN_2022,
            &mint.pubkey(),
            &state,
        )
        .unwrap(),
        token::initialize_mint2(&TOKEN_2022, &mint.pubkey(), &key, Some(&key), 6).unwrap(),
    ];
    send(svm, &instructions, &[authority, &mint]).unwrap();
    mint.pubkey()
}

#[test]
fn mint_that_can_be_closed_is_refused() {
    // Also with no authority, since the extension is there.
    for closable in [true, false] {
        let sent = create(&[ExtensionType::MintCloseAuthority], |mint, key| {
            let authority = closable.then_some(key);
            vec![token::initialize_mint_close_authority(&TOKEN_2022, mint, authority).unwrap()]
        });
        refused(sent, TaskError::MintClosable);
    }
}

fn metadata_pointer(mint: &Address, key: &Address) -> Instruction {
    extension::metadata_pointer::instruction::initialize(&TOKEN_2022, mint, Some(*key), Some(*mint))
        .unwrap()
}

fn group_pointer(mint: &Address, key: &Address) -> Instruction {
    extension::group_pointer::instruction::initialize(&TOKEN_2022, mint, Some(*key), Some(*mint))
        .unwrap()
}

fn group_member_pointer(mint: &Address, key: &Address) -> Instruction {
    extension::group_member_pointer::instruction::initialize(
        &TOKEN_2022,
        mint,
        Some(*key),
        Some(*mint),
    )
    .unwrap()
}

#[test]
fn mint_with_a_harmless_extension_before_a_refused_one_is_refused() {
    let extensions = [
        ExtensionType::MetadataPointer,
        ExtensionType::PermanentDelegate,
    ];
    let sent = create(&extensions, |mint, key| {
        vec![
            metadata_pointer(mint, key),
            token::initialize_permanent_delegate(&TOKEN_2022, mint, key).unwrap(),
        ]
    });
    refused(sent, TaskError::MintPermanentDelegate);
}

#[test]
fn mint_with_interest_is_playable() {
    let mut game = accepted(
        &[ExtensionType::InterestBearingConfig],
        |mint, key| {
            let interest = extension::interest_bearing_mint::instruction::initialize(
                &TOKEN_2022,
                mint,
                Some(*key),
                500,
            );
            vec![interest.unwrap()]
        },
        |_, _| vec![],
    );
    play(&mut game);
}

#[test]
fn mint_with_scaled_amounts_is_playable() {
    let mut game = accepted(
        &[ExtensionType::ScaledUiAmount],
        |mint, key| {
            let scale = extension::scaled_ui_amount::instruction::initialize(
                &TOKEN_2022,
                mint,
                Some(*key),
                2.5,
            );
            vec![scale.unwrap()]
        },
        |_, _| vec![],
    );
    play(&mut game);
}

#[test]
fn mint_with_metadata_is_playable() {
    let mut game = accepted(
        &[ExtensionType::MetadataPointer],
        |mint, key| vec![metadata_pointer(mint, key)],
        |mint, key| {
            // `spl_token_metadata_interface:initialize_account`, then name, symbol and URI.
            let mut data = vec![210, 225, 30, 162, 88, 184, 77, 141];
            for text in ["Task", "TSK", "ipfs://metadata"] {
                data.extend((text.len() as u32).to_le_bytes());
                data.extend(text.as_bytes());
            }
            vec![Instruction {
                program_id: TOKEN_2022,
                accounts: vec![
                    AccountMeta::new(*mint, false),
                    AccountMeta::new_readonly(*key, false),
                    AccountMeta::new_readonly(*mint, false),
                    AccountMeta::new_readonly(*key, true),
                ],
                data,
            }]
        },
    );
    play(&mut game);
}

/// `spl_token_group_interface:initialize_token_group`, then authority and size.
fn group(mint: &Address, key: &Address) -> Instruction {
    let mut data = vec![121, 113, 108, 39, 54, 51, 0, 4];
    data.extend(key.as_ref());
    data.extend(10u64.to_le_bytes());
    Instruction {
        program_id: TOKEN_2022,
        accounts: vec![
            AccountMeta::new(*mint, false),
            AccountMeta::new_readonly(*mint, false),
            AccountMeta::new_readonly(*key, true),
        ],
        data,
    }
}

#[test]
fn mint_of_a_group_is_playable() {
    let mut game = accepted(
        &[ExtensionType::GroupPointer],
        |mint, key| vec![group_pointer(mint, key)],
        |mint, key| vec![group(mint, key)],
    );
    play(&mut game);
}

/// The mint is a member of a group of another mint.
#[test]
fn mint_of_a_groups_member_is_playable() {
    let mut svm = machine();
    let creator = key(&mut svm);
    let authority = creator.pubkey();
    let parent = make_mint(
        &mut svm,
        &creator,
        &TOKEN_2022,
        &[ExtensionType::GroupPointer],
        |mint| vec![group_pointer(mint, &authority)],
    );
    let mint = make_mint(
        &mut svm,
        &creator,
        &TOKEN_2022,
        &[ExtensionType::GroupMemberPointer],
        |mint| vec![group_member_pointer(mint, &authority)],
    );
    for address in [parent, mint] {
        svm.airdrop(&address, 100_000_000).unwrap();
    }
    let member = Instruction {
        program_id: TOKEN_2022,
        accounts: vec![
            AccountMeta::new(mint, false),
            AccountMeta::new_readonly(mint, false),
            AccountMeta::new_readonly(authority, true),
            AccountMeta::new(parent, false),
            AccountMeta::new_readonly(authority, true),
        ],
        // `spl_token_group_interface:initialize_member`.
        data: vec![152, 32, 222, 176, 223, 237, 116, 134],
    };
    send(&mut svm, &[group(&parent, &authority), member], &[&creator]).unwrap();
    let (mut game, create) = planned(svm, creator, TOKEN_2022, mint, WALLET);
    game.send_by_creator(create).unwrap();
    play(&mut game);
}

#[test]
fn mint_without_extensions_is_playable() {
    for program in [TOKEN, TOKEN_2022] {
        play(&mut Game::with_token(rules(), program));
    }
}

/// Burns that need a second signature came after the version of the token library that the program knows.
#[test]
fn mint_with_an_extension_unknown_to_us_is_refused() {
    let mut svm = machine();
    let (creator, mint) = (key(&mut svm), fresh());
    let authority = creator.pubkey();
    // The base of a mint, padding and type, then one entry of 32 bytes.
    let space = 166 + 4 + 32;
    let rent = svm.minimum_balance_for_rent_exemption(space);
    let mut data = vec![46, 0];
    data.extend(authority.as_ref());
    let permissioned_burn = Instruction {
        program_id: TOKEN_2022,
        accounts: vec![AccountMeta::new(mint.pubkey(), false)],
        data,
    };
    let make = [
        system_instruction::create_account(
            &authority,
            &mint.pubkey(),
            rent,
            space as u64,
            &TOKEN_2022,
        ),
        permissioned_burn,
        token::initialize_mint2(&TOKEN_2022, &mint.pubkey(), &authority, None, 6).unwrap(),
    ];
    send(&mut svm, &make, &[&creator, &mint]).unwrap();
    let create = instruction(
        create_task_accounts(&authority, 0, &mint.pubkey(), &TOKEN_2022),
        create_task_data(0, &rules()),
    );
    // Making the vault can't parse it, before anyone could name it.
    assert_eq!(
        failure(send(&mut svm, &[create], &[&creator])),
        InstructionError::InvalidAccountData
    );
}

/// No program makes such a mint; if one ever does, nobody here has thought of what it means.
#[test]
fn mint_with_an_extension_of_accounts_is_refused() {
    let mut svm = machine();
    let creator = key(&mut svm);
    let mint = make_mint(&mut svm, &creator, &TOKEN_2022, &[], |_| vec![]);
    let mut account = svm.get_account(&mint).unwrap();
    account.data.resize(165, 0);
    // The type of a mint, then one entry of one byte.
    account.data.push(1);
    account
        .data
        .extend((ExtensionType::CpiGuard as u16).to_le_bytes());
    account.data.extend([1, 0, 0]);
    account.lamports = svm.minimum_balance_for_rent_exemption(account.data.len());
    svm.set_account(mint, account).unwrap();
    let create = instruction(
        create_task_accounts(&creator.pubkey(), 0, &mint, &TOKEN_2022),
        create_task_data(0, &rules()),
    );
    refused(
        send(&mut svm, &[create], &[&creator]),
        TaskError::MintExtensionUnknown,
    );
}

/// The mint of wrapped SOL, which every cluster has, made as it is there.
fn with_wrapped_sol() -> (LiteSVM, Keypair) {
    let mut svm = machine();
    let creator = key(&mut svm);
    let model = make_mint(&mut svm, &creator, &TOKEN, &[], |_| vec![]);
    let mut account = svm.get_account(&model).unwrap();
    account.data[..36].fill(0);
    account.data[44] = 9;
    svm.set_account(WRAPPED_SOL, account).unwrap();
    (svm, creator)
}

/// Wraps lamports of the owner.
fn wrap(svm: &mut LiteSVM, owner: &Keypair, wallet: &Address, lamports: u64) {
    let wrap = [
        system_instruction::transfer(&owner.pubkey(), wallet, lamports),
        token::sync_native(&TOKEN, wallet).unwrap(),
    ];
    send(svm, &wrap, &[owner]).unwrap();
}

/// An owner with wrapped SOL, not a node yet.
fn wrapped_stranger(game: &mut Game, lamports: u64) -> Actor {
    let (owner, operator) = (key(&mut game.svm), key(&mut game.svm));
    let creator = game.creator.insecure_clone();
    let key = owner.pubkey();
    let wallet = make_wallet(&mut game.svm, &creator, &TOKEN, &WRAPPED_SOL, &key, 0);
    wrap(&mut game.svm, &owner, &wallet, lamports);
    Actor {
        node: node_address(&game.task, &key),
        owner,
        operator,
        wallet,
        gate_proof: None,
        gate_mint: None,
    }
}

#[test]
fn mint_of_wrapped_sol_is_playable() {
    let (svm, creator) = with_wrapped_sol();
    let (mut game, create) = planned(svm, creator, TOKEN, WRAPPED_SOL, 0);
    game.send_by_creator(create).unwrap();
    let creator = game.creator.insecure_clone();
    let wallet = game.creator_wallet;
    wrap(&mut game.svm, &creator, &wallet, 1_000_000);
    game.fund_task(1_000_000).unwrap();

    let actor = wrapped_stranger(&mut game, 3_000_000);
    game.join_task(&actor, WORKER, 3_000_000).unwrap();
    let vault = game.svm.get_account(&game.vault).unwrap();
    let rent = game.svm.minimum_balance_for_rent_exemption(165);
    assert_eq!(vault.lamports, rent + 4_000_000);
    game.request_leave(&actor, None).unwrap();
    game.retire_task().unwrap();
    game.warp(START + 600);
    game.withdraw(&actor).unwrap();
    assert_eq!(balance(&game.svm, &actor.wallet), 3_000_000);
    assert_eq!(balance(&game.svm, &game.creator_wallet), 1_000_000);
    assert_eq!(balance(&game.svm, &game.vault), 0);
}

/// Lamports sent to a vault's address before it is made are wrapped SOL from the start, and nobody's: they neither stop the
/// task nor enter its ledger.
#[test]
fn mint_of_wrapped_sol_is_playable_with_a_prefunded_vault() {
    let (svm, creator) = with_wrapped_sol();
    let (mut game, create) = planned(svm, creator, TOKEN, WRAPPED_SOL, 0);
    let rent = game.svm.minimum_balance_for_rent_exemption(165);
    game.svm.airdrop(&game.vault, rent + 500).unwrap();
    let creator = game.creator.insecure_clone();
    send(&mut game.svm, &[create], &[&creator]).unwrap();
    assert_eq!(balance(&game.svm, &game.vault), 500);
    assert_eq!(game.task().pool.get(), 0);

    let actor = wrapped_stranger(&mut game, 3_000_000);
    let join = game.join_task_ix(&actor, WORKER, 3_000_000);
    send(&mut game.svm, &[join], &[&actor.owner]).unwrap();
    let leave = game.request_leave_ix(&actor, None);
    send(&mut game.svm, &[leave], &[&actor.owner]).unwrap();
    game.warp(START + 600);
    let withdraw = game.withdraw_ix(&actor);
    send(&mut game.svm, &[withdraw], &[&actor.owner]).unwrap();
    assert_eq!(balance(&game.svm, &actor.wallet), 3_000_000);
    assert_eq!(balance(&game.svm, &game.vault), 500);
}

/// A wallet of the same mint in the other token program can't exist, so a mint of one program is never paid through the other.
#[test]
fn mint_of_one_program_through_the_other_fails() {
    for (own, other) in [(TOKEN, TOKEN_2022), (TOKEN_2022, TOKEN)] {
        let mut svm = machine();
        let creator = key(&mut svm);
        let mint = make_mint(&mut svm, &creator, &own, &[], |_| vec![]);
        let create = instruction(
            create_task_accounts(&creator.pubkey(), 0, &mint, &other),
            create_task_data(0, &rules()),
        );
        assert_eq!(
            failure(send(&mut svm, &[create], &[&creator])),
            InstructionError::IncorrectProgramId
        );
    }
}
