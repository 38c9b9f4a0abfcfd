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

/// Fewest seats of a panel: with two, a tie is the usual end.
pub const MIN_PANEL_SEATS: u16 = 3;

/// From an accusation to the first slot whose block may decide a draw: nobody can know that block when he picks his secret.
pub const DRAW_DELAY_SLOTS: u64 = 8;

/// How long a panel may be drawn. Later everybody eligible may vote, so that a withheld secret gains nothing. The chain keeps the
/// hashes of its last 512 blocks.
pub const DRAW_SLOTS: u64 = 256;

/// Least length of the window in which a panel is drawn and votes or commits: half of it is left where the draw comes last.
pub const MIN_PANEL_WINDOW_SLOTS: u64 = 2 * (DRAW_DELAY_SLOTS + DRAW_SLOTS);

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

/// Shortest time to appeal against a panel, in slots: as long as a transaction lives. A shorter one would be none.
pub const MIN_APPEAL_SLOTS: u64 = 150;

/// What the seed of every panel is hashed with.
pub const PANEL_TAG: &[u8] = b"securing-tasks:panel:v1";

/// What every node's lot is hashed with: short, since every vote on a panel pays for it.
pub const SEAT_TAG: &[u8; 8] = b"st:seat:";
