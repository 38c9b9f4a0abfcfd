use super::{AllowEntry, Node, PodRole};
use crate::{account::Account, error::TaskError};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterfaceAccountExtensions};
use bytemuck::{Pod, Zeroable};
use spl_token_group_interface::state::TokenGroupMember;

/// Who may take a role. Checked at joining and again at every submission; an allowlist also at every accusation and vote; never at
/// leaving.
///
/// Seed: "Reputation over time and secondary tokens or NFTs can be used to permission task access".
#[pod_wrapper]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum GateKind {
    Open = 0,
    /// An entry by the creator.
    Allowlist = 1,
    /// At least `least` base units of the mint `key`.
    Token = 2,
    /// One token of a Token-2022 mint that is a member of the group `key`.
    Collection = 3,
    /// A node of the task `key` with at least `least` paid rounds and at most `most` convictions.
    Standing = 4,
    /// A node of the task `key` with stake that isn't leaving.
    Member = 5,
}

/// A gate as an argument: kind by number, and what it asks for.
#[derive(Clone, Copy, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct GateArgs {
    pub kind: u8,
    pub key: Address,
    pub least: u64,
    pub most: u32,
}

/// A role's gate, frozen with the rules.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable, IdlType)]
pub struct Gate {
    pub kind: PodGateKind,
    /// The mint, group or task that the gate asks about; zeros where it asks about none.
    pub key: Address,
    /// Least balance in base units, or least paid rounds.
    pub least: PodU64,
    /// Most convictions.
    pub most: PodU32,
}

impl GateArgs {
    /// `UnknownRule` for a kind that is none, `GateKeyMissing` for a gate that asks about nothing.
    pub fn check(&self) -> Result<Gate> {
        require!(self.kind <= GateKind::Member as u8, TaskError::UnknownRule);
        let kind = PodGateKind(self.kind);
        let keyless = kind == GateKind::Open || kind == GateKind::Allowlist;
        require!(
            keyless || self.key != Address::default(),
            TaskError::GateKeyMissing
        );
        Ok(Gate {
            kind,
            key: self.key,
            least: self.least.into(),
            most: self.most.into(),
        })
    }
}

impl Gate {
    /// `GateOnItself` for a gate that would ask for a node of its own task, which nobody has before joining, or for tokens of its own
    /// mint: those that are staked are in the wallet no more, and a minimum stake says it better.
    pub fn require_elsewhere(&self, task: &Address, mint: &InterfaceAccount<Mint>) -> Result<()> {
        let itself = match self.kind.into() {
            GateKind::Open | GateKind::Allowlist => false,
            GateKind::Token => self.key == *mint.address(),
            GateKind::Collection => mint
                .get_extension::<TokenGroupMember>()
                .is_ok_and(|member| member.group == self.key),
            GateKind::Standing | GateKind::Member => self.key == *task,
        };
        require!(!itself, TaskError::GateOnItself);
        Ok(())
    }

    /// `GateClosed` unless the accounts prove that `owner` may take `role` in `task`.
    pub fn admit(
        &self,
        task: &Address,
        role: PodRole,
        owner: &Address,
        proof: Option<AccountView>,
        mint: Option<AccountView>,
    ) -> Result<()> {
        let proof = || proof.ok_or(TaskError::GateClosed);
        let admitted = match self.kind.into() {
            GateKind::Open => true,
            GateKind::Allowlist => {
                // Loading checks owner and kind of the account; only `allow_node` makes one.
                let entry =
                    Account::<AllowEntry>::load(proof()?).map_err(|_| TaskError::GateClosed)?;
                entry.task == *task && entry.role == role.0 && entry.owner == *owner
            }
            GateKind::Token => {
                let wallet = InterfaceAccount::<TokenAccount>::load(proof()?)
                    .map_err(|_| TaskError::GateClosed)?;
                *wallet.owner() == *owner
                    && *wallet.mint() == self.key
                    && wallet.amount() >= self.least.get()
            }
            GateKind::Collection => {
                let mint = mint.ok_or(TaskError::GateClosed)?;
                let wallet = InterfaceAccount::<TokenAccount>::load(proof()?)
                    .map_err(|_| TaskError::GateClosed)?;
                let mint =
                    InterfaceAccount::<Mint>::load(mint).map_err(|_| TaskError::GateClosed)?;
                let member = mint
                    .get_extension::<TokenGroupMember>()
                    .map_err(|_| TaskError::GateClosed)?;
                *wallet.owner() == *owner
                    && *wallet.mint() == *mint.address()
                    && wallet.amount() > 0
                    && member.mint == *mint.address()
                    && member.group == self.key
            }
            GateKind::Standing => {
                let node = Account::<Node>::load(proof()?).map_err(|_| TaskError::GateClosed)?;
                node.task == self.key
                    && node.owner == *owner
                    && u64::from(node.rounds_paid.get()) >= self.least.get()
                    && node.convictions()? <= self.most.get().into()
            }
            GateKind::Member => {
                let node = Account::<Node>::load(proof()?).map_err(|_| TaskError::GateClosed)?;
                node.task == self.key && node.owner == *owner && node.active()? > 0
            }
        };
        require!(admitted, TaskError::GateClosed);
        Ok(())
    }
}
