//! Seeds, limits and units, each with its reason.

/// Basis points in a whole.
pub const BPS: u64 = 10_000;

/// Longest URI that an account stores, in bytes: a content address or a web address with room to spare.
pub const URI_LEN: usize = 128;

/// A worker's minimum stake may be at most this many rounds' bounties unless the creator allows more in so many words.
/// Seed: "Staking requirements should not be overly large relative to bounties".
pub const MAX_STAKE_TO_BOUNTY: u64 = 100;

/// Largest quorum, in basis points of the eligible weight: with a larger one, half and one that are awake could decide nothing.
pub const MAX_QUORUM_BPS: u64 = 5_000;

/// Arrivals of stake that a node tells apart. A further one within one longest case would make earlier stake young again.
pub const ARRIVALS: usize = 4;

/// Longest round and leave delay, in slots: about a year of 400 ms. A longer one could lock stake for ever.
pub const MAX_WINDOW_SLOTS: u64 = 78_840_000;

pub const TASK_SEED: &[u8] = b"task";
pub const VAULT_SEED: &[u8] = b"vault";
pub const NODE_SEED: &[u8] = b"node";
pub const ROUND_SEED: &[u8] = b"round";
pub const SUBMISSION_SEED: &[u8] = b"submission";
pub const AUDIT_SEED: &[u8] = b"audit";
pub const VOTE_SEED: &[u8] = b"vote";
pub const ALLOW_SEED: &[u8] = b"allow";

/// What every commitment begins with: a hash made for anything else is no vote here.
pub const COMMITMENT_TAG: &[u8] = b"securing-tasks:vote:v1";
