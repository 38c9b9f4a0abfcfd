//! `reveal_vote`: a commitment is opened once, in its window, with its own verdict and salt, by anyone who knows them.

mod common;

use anchor_lang::{
    prelude::{sha256, Address},
    solana_program::instruction::Instruction,
};
use common::*;
use securing_tasks::{
    events::VoteRevealed, state::commitment, Audit, Opinion, RulesArgs, Vote, VoteState,
    VoteWeight, ID,
};
use solana_signer::Signer;
use solana_transaction::InstructionError;

const VALID: u8 = 0;
const DOWNTIME: u8 = 1;
const MALICE: u8 = 2;
const SALT: [u8; 32] = [9; 32];

/// The audit opens at `START + 2`.
const REVEAL_START: u64 = START + 52;
const REVEAL_END: u64 = START + 202;

fn secret() -> RulesArgs {
    RulesArgs {
        commit_slots: 50,
        reveal_slots: 150,
        ..rules()
    }
}

/// Every voter committed to its opinion with `SALT`, in the commit window's first slot.
fn committed_to(rules: RulesArgs, opinions: &[u8]) -> Case {
    let mut case = Case::audited(rules, MALICE);
    let audit = case.audit();
    for (voter, opinion) in case.voters.iter().zip(opinions) {
        case.game
            .commit_vote(voter, &audit, *opinion, SALT)
            .unwrap();
    }
    case
}

/// The first voter committed to malice; the first slot of the reveal window.
fn revealing() -> Case {
    let mut case = committed_to(secret(), &[MALICE]);
    case.game.warp(REVEAL_START);
    case
}

/// The first voter's commitment is this hash; the first slot of the reveal window.
fn hashed(hash: impl Fn(&Case) -> [u8; 32]) -> Case {
    let mut case = Case::audited(secret(), MALICE);
    let commit = case
        .game
        .commit_vote_ix(&case.voters[0], &case.audit(), hash(&case));
    case.send(commit).unwrap();
    case.game.warp(REVEAL_START);
    case
}

impl Case {
    fn reveal_ix(&self) -> Instruction {
        self.game
            .reveal_vote_ix(&self.voters[0], &self.audit(), MALICE, SALT)
    }

    fn reveal_as(&mut self, opinion: u8, salt: [u8; 32]) -> Sent {
        let audit = self.audit();
        self.game
            .reveal_vote(&self.voters[0], &audit, opinion, salt)
    }

    /// The first voter reveals what it committed to.
    fn reveal(&mut self) -> Sent {
        self.reveal_as(MALICE, SALT)
    }

    /// One transaction with a changed instruction.
    fn send(&mut self, reveal: Instruction) -> Sent {
        let operator = self.voters[0].operator.insecure_clone();
        self.game.send(&[reveal], &[&operator])
    }

    fn vote_at(&self, voter: usize) -> Address {
        vote_address(&self.audit(), &self.voters[voter].owner.pubkey())
    }

    fn votes(&self) -> [u32; 3] {
        let audit = self.game.get::<Audit>(&self.audit());
        audit.votes.nodes.map(|nodes| nodes.get())
    }
}

#[test]
fn reveal_vote_counts_the_vote_and_says_so() {
    let mut case = revealing();
    case.game.warp(REVEAL_START + 7);
    let node = case.game.node(&case.voters[0]);
    let sent = case.reveal();
    logged(
        sent,
        &VoteRevealed {
            audit: case.audit(),
            voter: case.voters[0].owner.pubkey(),
            opinion: MALICE,
            weight: 1_000_000,
            slot: REVEAL_START + 7,
        },
    );

    let vote: Vote = case.game.get(&case.vote_at(0));
    assert_eq!(vote.state, VoteState::Revealed);
    assert_eq!(vote.opinion, Opinion::Malice);
    let audit = case.game.get::<Audit>(&case.audit());
    assert_eq!(audit.votes.nodes.map(|n| n.get()), [0, 0, 2]);
    assert_eq!(audit.votes.stake.map(|s| s.get()), [0, 0, 3_000_000]);
    assert_eq!((audit.unclaimed.get(), audit.live_votes.get()), (1, 1));
    let after = case.game.node(&case.voters[0]);
    assert_eq!((after.stake, after.live), (node.stake, node.live));
    // The deposit is free again.
    assert_eq!((node.commitments.get(), after.commitments.get()), (1, 0));
}

#[test]
fn reveal_vote_counts_each_opinion() {
    let opinions = [VALID, DOWNTIME, MALICE];
    let mut case = committed_to(secret(), &opinions);
    case.game.warp(REVEAL_START);
    let audit = case.audit();
    for (voter, opinion) in case.voters.iter().zip(opinions) {
        case.game.reveal_vote(voter, &audit, opinion, SALT).unwrap();
        let vote: Vote = case.game.get(&vote_address(&audit, &voter.owner.pubkey()));
        assert_eq!(vote.opinion.0, opinion);
    }
    let audit = case.game.get::<Audit>(&audit);
    assert_eq!(audit.votes.nodes.map(|n| n.get()), [1, 1, 2]);
    assert_eq!(
        audit.votes.stake.map(|s| s.get()),
        [1_000_000, 1_500_000, 5_000_000]
    );
}

/// Neither stake that came since nor stake that left since moves it.
#[test]
fn reveal_vote_weighs_what_was_frozen_at_the_commitment() {
    let mut case = committed_to(
        RulesArgs {
            vote_weight: VoteWeight::Stake as u8,
            ..secret()
        },
        &[VALID, VALID],
    );
    case.game.add_stake(&case.voters[0], 5_000_000).unwrap();
    case.game.request_leave(&case.voters[1], None).unwrap();
    case.game.warp(REVEAL_START);
    let audit = case.audit();
    for voter in &case.voters[..2] {
        case.game.reveal_vote(voter, &audit, VALID, SALT).unwrap();
    }
    let audit = case.game.get::<Audit>(&audit);
    assert_eq!(audit.votes.stake[0].get(), 2_500_000);
}

// What opens a commitment.

#[test]
fn reveal_vote_with_another_salt_fails() {
    let mut case = revealing();
    let mut near = SALT;
    near[31] ^= 1;
    for salt in [[0; 32], near] {
        refused(case.reveal_as(MALICE, salt), TaskError::CommitmentMismatch);
    }
    assert_eq!(case.votes(), [0, 0, 1]);
    case.reveal().unwrap();
}

#[test]
fn reveal_vote_with_another_verdict_fails() {
    let mut case = revealing();
    for opinion in [VALID, DOWNTIME] {
        refused(case.reveal_as(opinion, SALT), TaskError::CommitmentMismatch);
    }
    case.reveal().unwrap();
}

#[test]
fn reveal_vote_of_no_opinion_fails_though_committed_to() {
    for opinion in [3, u8::MAX] {
        let mut case = committed_to(secret(), &[opinion]);
        case.game.warp(REVEAL_START);
        refused(case.reveal_as(opinion, SALT), TaskError::UnknownVerdict);
    }
}

/// The copier knows neither verdict nor salt, and even when the voter reveals both it can't use them.
#[test]
fn reveal_vote_of_a_copied_commitment_fails() {
    let mut case = committed_to(secret(), &[MALICE]);
    let audit = case.audit();
    let copied = case.game.get::<Vote>(&case.vote_at(0)).commitment;
    let operator = case.voters[1].operator.insecure_clone();
    let copy = case.game.commit_vote_ix(&case.voters[1], &audit, copied);
    case.game.send(&[copy], &[&operator]).unwrap();
    case.game.warp(REVEAL_START);
    case.reveal().unwrap();
    let sent = case.game.reveal_vote(&case.voters[1], &audit, MALICE, SALT);
    refused(sent, TaskError::CommitmentMismatch);
    assert_eq!(case.votes(), [0, 0, 2]);
}

#[test]
fn reveal_vote_of_a_commitment_to_another_audit_fails() {
    let mut case = hashed(|case| {
        let next = case.game.next_audit(&case.initiator, &case.accused, 0);
        commitment(&next, &case.voters[0].owner.pubkey(), MALICE, &SALT)
    });
    refused(case.reveal(), TaskError::CommitmentMismatch);
}

#[test]
fn reveal_vote_of_a_commitment_by_the_operator_instead_of_the_owner_fails() {
    let mut case = hashed(|case| {
        let operator = case.voters[0].operator.pubkey();
        commitment(&case.audit(), &operator, MALICE, &SALT)
    });
    refused(case.reveal(), TaskError::CommitmentMismatch);
}

/// A hash of the same parts but the tag or the program, or in another order, was made for something else.
#[test]
fn reveal_vote_of_a_hash_for_another_purpose_fails() {
    let whole = |case: &Case, tag: &[u8], program: &[u8]| {
        let (audit, owner) = (case.audit(), case.voters[0].owner.pubkey());
        let parts = [
            tag,
            program,
            audit.as_ref(),
            owner.as_ref(),
            &[MALICE],
            &SALT,
        ];
        sha256(&parts.concat())
    };
    let tag = b"securing-tasks:vote:v1";
    hashed(|case| whole(case, tag, ID.as_ref()))
        .reveal()
        .unwrap();
    for (tag, program) in [
        (&tag[..], &[][..]),
        (&tag[..], &[1; 32]),
        (b"securing-tasks:vote:v2", ID.as_ref()),
        (b"", ID.as_ref()),
    ] {
        let mut case = hashed(|case| whole(case, tag, program));
        refused(case.reveal(), TaskError::CommitmentMismatch);
    }
}

// Once.

#[test]
fn reveal_vote_twice_fails() {
    let mut case = revealing();
    case.reveal().unwrap();
    refused(case.reveal(), TaskError::AlreadyRevealed);
    refused(case.reveal_as(VALID, SALT), TaskError::AlreadyRevealed);
    assert_eq!(case.votes(), [0, 0, 2]);
}

#[test]
fn reveal_vote_twice_in_one_transaction_fails() {
    let mut case = revealing();
    let (reveal, operator) = (case.reveal_ix(), case.voters[0].operator.insecure_clone());
    let sent = case.game.send(&[reveal.clone(), reveal], &[&operator]);
    refused(sent, TaskError::AlreadyRevealed);
    assert_eq!(case.votes(), [0, 0, 1]);
}

#[test]
fn reveal_vote_of_an_open_vote_fails() {
    let mut case = Case::audited(rules(), MALICE);
    case.vote(&[MALICE]);
    refused(case.reveal(), TaskError::AlreadyRevealed);
    assert_eq!(case.votes(), [0, 0, 2]);
}

#[test]
fn reveal_vote_without_a_commitment_fails() {
    let mut case = Case::audited(secret(), MALICE);
    case.game.warp(REVEAL_START);
    assert_eq!(
        failure(case.reveal()),
        InstructionError::AccountDataTooSmall
    );
}

// The window: [reveal start, end).

#[test]
fn reveal_vote_in_the_commit_window_fails() {
    for slot in [START + 2, REVEAL_START - 1] {
        let mut case = committed_to(secret(), &[MALICE]);
        case.game.warp(slot);
        refused(case.reveal(), TaskError::VotingClosed);
    }
}

#[test]
fn reveal_vote_in_the_first_and_the_last_slot_of_the_window_passes() {
    for slot in [REVEAL_START, REVEAL_START + 1, REVEAL_END - 1] {
        let mut case = committed_to(secret(), &[MALICE]);
        case.game.warp(slot);
        case.reveal().unwrap();
    }
}

#[test]
fn reveal_vote_at_the_windows_end_fails() {
    for slot in [REVEAL_END, REVEAL_END + 1] {
        let mut case = committed_to(secret(), &[MALICE]);
        case.game.warp(slot);
        refused(case.reveal(), TaskError::VotingClosed);
    }
}

#[test]
fn reveal_vote_after_the_audit_is_resolved_fails() {
    let mut case = committed_to(secret(), &[MALICE]);
    case.resolve().unwrap();
    refused(case.reveal(), TaskError::VotingClosed);
    case.claim(1);
    refused(case.reveal(), TaskError::VotingClosed);
}

#[test]
fn resolve_audit_before_the_reveal_windows_end_fails() {
    let mut case = committed_to(secret(), &[MALICE]);
    let audit = case.audit();
    for slot in [REVEAL_START, REVEAL_END - 1] {
        case.game.warp(slot);
        refused(case.game.resolve_audit(&audit), TaskError::VotingOpen);
    }
    case.game.warp(REVEAL_END);
    case.game.resolve_audit(&audit).unwrap();
}

// The deposit.

/// Each reveal frees its own commitment's, and none that is refused.
#[test]
fn reveal_vote_frees_one_deposit_each() {
    let mut case = committed_to(secret(), &[MALICE]);
    case.game
        .open_audit(&case.initiator, &case.accused, 0, MALICE)
        .unwrap();
    let [first, second] = [0, 1].map(|attempt| case.game.audit(&case.accused, 0, attempt));
    case.game
        .commit_vote(&case.voters[0], &second, VALID, SALT)
        .unwrap();
    let open = |case: &Case| case.game.node(&case.voters[0]).commitments.get();
    assert_eq!(open(&case), 2);
    case.game.warp(REVEAL_START);
    refused(case.reveal_as(VALID, SALT), TaskError::CommitmentMismatch);
    assert_eq!(open(&case), 2);
    case.reveal().unwrap();
    assert_eq!(open(&case), 1);
    refused(case.reveal(), TaskError::AlreadyRevealed);
    assert_eq!(open(&case), 1);
    case.game
        .reveal_vote(&case.voters[0], &second, VALID, SALT)
        .unwrap();
    assert_eq!(open(&case), 0);
    let [first, second] = [first, second].map(|audit| case.game.get::<Audit>(&audit).votes);
    assert_eq!(first.nodes.map(|nodes| nodes.get()), [0, 0, 2]);
    assert_eq!(second.nodes.map(|nodes| nodes.get()), [1, 0, 1]);
}

/// What a commitment pledges stays until its claim where it was not revealed; nothing stays where it was.
#[test]
fn reveal_vote_lets_the_stake_go_that_its_deposit_held() {
    for (reveals, stays) in [(true, 0), (false, 50_000)] {
        let mut case = committed_to(secret(), &[MALICE]);
        case.game.request_leave(&case.voters[0], None).unwrap();
        if reveals {
            case.game.warp(REVEAL_START);
            case.reveal().unwrap();
        }
        case.game.warp(START + 2 + 600);
        case.game.withdraw(&case.voters[0]).unwrap();
        assert_eq!(case.game.node(&case.voters[0]).stake.get(), stays);
    }
}

// What doesn't hinder.

#[test]
fn reveal_vote_of_a_node_that_leaves_passes() {
    let mut case = committed_to(secret(), &[MALICE]);
    case.game.request_leave(&case.voters[0], None).unwrap();
    case.game.warp(REVEAL_START);
    case.reveal().unwrap();
}

#[test]
fn reveal_vote_in_a_retired_task_passes() {
    let mut case = revealing();
    case.game.retire_task().unwrap();
    case.reveal().unwrap();
}

// Accounts.

/// The salt is the right: the voter's owner, another voter, whoever has no node; and the operator's key is asked for nothing.
#[test]
fn reveal_vote_by_anyone_with_the_salt_passes() {
    for place in 0..4 {
        let mut case = revealing();
        let by = [
            case.voters[0].owner.insecure_clone(),
            case.voters[1].operator.insecure_clone(),
            case.game.creator.insecure_clone(),
            case.game.stranger().owner,
        ][place]
            .insecure_clone();
        // A replaced operator's vote too.
        case.game
            .set_operator(&case.voters[0], case.initiator.operator.pubkey())
            .unwrap();
        let reveal = case.reveal_ix();
        assert!(reveal.accounts.iter().all(|meta| !meta.is_signer));
        let event = VoteRevealed {
            audit: case.audit(),
            voter: case.voters[0].owner.pubkey(),
            opinion: MALICE,
            weight: 1_000_000,
            slot: REVEAL_START,
        };
        logged(case.game.send(&[reveal], &[&by]), &event);
        assert_eq!(case.votes(), [0, 0, 2]);
    }
}

#[test]
fn reveal_vote_through_another_node_fails() {
    let mut case = revealing();
    for other in [
        case.game.here(&case.voters[1]),
        case.game.here(&case.initiator),
        case.game.here(&case.accused),
    ] {
        let reveal = swap(case.reveal_ix(), &case.voters[0].node, &other.node);
        let sent = case.game.send(&[reveal], &[&other.operator]);
        refused(sent, TaskError::WrongNode);
    }
}

/// The second attempt's window is open, the vote is the first one's.
#[test]
fn reveal_vote_in_another_audit_fails() {
    let mut case = committed_to(secret(), &[MALICE]);
    case.resolve().unwrap();
    case.game
        .open_audit(&case.initiator, &case.accused, 0, MALICE)
        .unwrap();
    let second = case.game.audit(&case.accused, 0, 1);
    case.game.warp(REVEAL_END + 50);
    let reveal = swap(case.reveal_ix(), &case.audit(), &second);
    refused(case.send(reveal), TaskError::WrongAudit);
}

#[test]
fn reveal_vote_through_another_tasks_node_fails() {
    let mut case = revealing();
    let first = case.game.task;
    case.game.next_task(1);
    let voter = case.game.here(&case.voters[0]);
    case.game.join_task(&voter, 1, 1_000_000).unwrap();
    case.game.enter(first);
    let reveal = swap(case.reveal_ix(), &case.voters[0].node, &voter.node);
    refused(case.send(reveal), TaskError::WrongTask);
    case.reveal().unwrap();
}

fn accounts_of(case: &Case) -> [Address; 3] {
    [case.audit(), case.voters[0].node, case.vote_at(0)]
}

#[test]
fn reveal_vote_with_one_account_in_two_places_fails() {
    let mut case = revealing();
    let accounts = accounts_of(&case);
    for place in 0..3 {
        let repeated = accounts[(place + 1) % 3];
        let sent = case.send(swap(case.reveal_ix(), &accounts[place], &repeated));
        assert_eq!(failure(sent), InstructionError::Custom(2040));
    }
}

#[test]
fn reveal_vote_with_a_forged_account_fails() {
    let mut case = revealing();
    for real in accounts_of(&case) {
        let forged = case.game.forge(&real);
        let sent = case.send(swap(case.reveal_ix(), &real, &forged));
        assert_eq!(failure(sent), InstructionError::IllegalOwner);
    }
}

#[test]
fn reveal_vote_with_an_account_of_another_kind_fails() {
    let mut case = revealing();
    for real in accounts_of(&case) {
        let disguised = case.game.disguise(&real);
        let sent = case.send(swap(case.reveal_ix(), &real, &disguised));
        assert_eq!(failure(sent), InstructionError::InvalidAccountData);
    }
}

#[test]
fn reveal_vote_with_an_account_that_cannot_be_written_fails() {
    let mut case = revealing();
    for place in accounts_of(&case) {
        let sent = case.send(readonly(case.reveal_ix(), &place));
        assert_eq!(failure(sent), InstructionError::Custom(2000));
    }
}

// Appeals.

fn appealed() -> Case {
    let mut case = committed_to(
        RulesArgs {
            commit_slots: 50,
            reveal_slots: 150,
            ..appealable()
        },
        &[MALICE],
    );
    let audit = case.audit();
    case.game.warp(REVEAL_END);
    case.game.appeal_audit(&case.initiator, &audit).unwrap();
    case.game
        .commit_vote(&case.voters[1], &audit, VALID, SALT)
        .unwrap();
    case
}

/// Told in the second windows: what was committed in them, and nothing of before.
#[test]
fn reveal_vote_after_an_appeal_opens_its_own_commitments_alone() {
    let start = REVEAL_END + 50;
    for (slot, open) in [
        (start - 1, false),
        (start, true),
        (start + 149, true),
        (start + 150, false),
    ] {
        let mut case = appealed();
        let audit = case.audit();
        case.game.warp(slot);
        let new = case.game.reveal_vote(&case.voters[1], &audit, VALID, SALT);
        let old = case.reveal();
        if open {
            new.unwrap();
            refused(old, TaskError::RevealWindowMissed);
            assert_eq!(case.votes(), [1, 0, 1]);
        } else {
            refused(new, TaskError::VotingClosed);
            refused(old, TaskError::VotingClosed);
        }
    }
}

/// Revealed in time it stays counted.
#[test]
fn reveal_vote_before_an_appeal_stays() {
    let mut case = committed_to(
        RulesArgs {
            commit_slots: 50,
            reveal_slots: 150,
            ..appealable()
        },
        &[MALICE],
    );
    let audit = case.audit();
    case.game.warp(REVEAL_END - 1);
    case.reveal().unwrap();
    case.game.warp(REVEAL_END);
    case.game.appeal_audit(&case.initiator, &audit).unwrap();
    case.game.warp(REVEAL_END + 50);
    refused(case.reveal(), TaskError::RevealWindowMissed);
    assert_eq!(case.votes(), [0, 0, 2]);
}
