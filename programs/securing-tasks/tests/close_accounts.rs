//! `close_vote`, `close_audit`, `close_submission`, `close_round`, `close_node` and `close_task`: only when nothing is owed, the
//! rent to who paid it, and for good.

mod common;

use anchor_lang::{
    prelude::Address,
    solana_program::{instruction::Instruction, system_instruction::transfer},
};
use common::*;
use securing_tasks::{
    events::AccountClosed, Audit, Node, Round, RulesArgs, Submission, SubmissionStatus,
};
use solana_signer::Signer;
use solana_transaction::InstructionError;

const VALID: u8 = 0;
const DOWNTIME: u8 = 1;
const MALICE: u8 = 2;

/// The first slot at which bounties of round 0 can be claimed.
const AUDIT_END: u64 = START + 400;
const LEAVE_DELAY: u64 = 600;

/// What a program finds at the address of a closed account.
const GONE: InstructionError = InstructionError::AccountDataTooSmall;
/// Anchor's refusal of one account in two places.
const REPEATED: InstructionError = InstructionError::Custom(2040);

fn lamports(game: &Game, key: &Address) -> u64 {
    game.svm.get_balance(key).unwrap_or(0)
}

/// The standard case in a funded task: two votes, resolved, and the first slot of the bounties.
fn resolved(opinion: u8) -> Case {
    let mut game = Game::new(rules());
    game.fund_task(1_000_000).unwrap();
    let accused = game.worker(4_000_000);
    let initiator = game.witness(2_000_000);
    let voters = [1_000_000, 1_500_000, 3_000_000].map(|stake| game.witness(stake));
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    game.warp(START + 2);
    game.open_audit(&initiator, &accused, 0, MALICE).unwrap();
    let mut case = Case {
        game,
        accused,
        initiator,
        voters,
    };
    case.vote(&[opinion, opinion]);
    case.resolve().unwrap();
    case.game.warp(AUDIT_END);
    case
}

/// The votes are claimed.
fn claimed(opinion: u8) -> Case {
    let mut case = resolved(opinion);
    case.claim(2);
    case
}

/// The votes are closed.
fn without_votes(opinion: u8) -> Case {
    let mut case = claimed(opinion);
    let audit = case.audit();
    for voter in &case.voters[..2] {
        case.game.close_vote(voter, &audit).unwrap();
    }
    case
}

/// The audit is closed too.
fn without_audit(opinion: u8) -> Case {
    let mut case = without_votes(opinion);
    let audit = case.audit();
    case.game.close_audit(&audit).unwrap();
    case
}

/// The bounty is paid and the submission closed, too.
fn without_submission() -> Case {
    let mut case = without_audit(VALID);
    case.game.claim_bounty(&case.accused, 0).unwrap();
    case.game.close_submission(&case.accused, 0).unwrap();
    case
}

/// A worker whose stake is withdrawn.
fn left() -> (Game, Actor) {
    let mut game = Game::new(rules());
    let worker = game.worker(1_000_000);
    game.request_leave(&worker, None).unwrap();
    game.warp(START + LEAVE_DELAY);
    game.withdraw(&worker).unwrap();
    (game, worker)
}

/// A retired task with nothing left.
fn retired() -> Game {
    let mut game = Game::new(rules());
    game.retire_task().unwrap();
    game
}

impl Case {
    fn vote_at(&self, voter: usize) -> Address {
        vote_address(&self.audit(), &self.voters[voter].owner.pubkey())
    }

    fn close_vote_ix(&self) -> Instruction {
        self.game.close_vote_ix(&self.voters[0], &self.audit())
    }

    fn close_audit_ix(&self) -> Instruction {
        self.game.close_audit_ix(&self.audit())
    }

    fn close_submission_ix(&self) -> Instruction {
        self.game.close_submission_ix(&self.accused, 0)
    }

    fn work(&self) -> Address {
        self.game.submission(&self.accused, 0)
    }

    fn round(&self) -> Address {
        round_address(&self.game.task, 0)
    }
}

/// One account ready to be closed by the instruction, with who gets the rent.
struct Ready {
    game: Game,
    close: Instruction,
    account: Address,
    payer: Address,
    /// What can be done again that needs the account.
    use_again: Instruction,
}

fn ready_vote() -> Ready {
    let case = claimed(MALICE);
    Ready {
        close: case.close_vote_ix(),
        account: case.vote_at(0),
        payer: case.voters[0].operator.pubkey(),
        use_again: case.game.claim_vote_ix(&case.voters[0], &case.audit()),
        game: case.game,
    }
}

fn ready_audit() -> Ready {
    let case = without_votes(MALICE);
    Ready {
        close: case.close_audit_ix(),
        account: case.audit(),
        payer: case.initiator.operator.pubkey(),
        use_again: case.game.resolve_audit_ix(&case.audit()),
        game: case.game,
    }
}

fn ready_submission() -> Ready {
    let mut case = without_audit(VALID);
    case.game.claim_bounty(&case.accused, 0).unwrap();
    Ready {
        close: case.close_submission_ix(),
        account: case.work(),
        payer: case.accused.operator.pubkey(),
        use_again: case.game.claim_bounty_ix(&case.accused, 0),
        game: case.game,
    }
}

fn ready_round() -> Ready {
    let case = without_submission();
    let close = case.game.close_round_ix(0);
    Ready {
        account: case.round(),
        payer: case.accused.operator.pubkey(),
        use_again: close.clone(),
        close,
        game: case.game,
    }
}

/// By a stranger, of a retired task.
fn ready_node() -> Ready {
    let (mut game, worker) = left();
    game.retire_task().unwrap();
    let close = game.close_node_ix(&game.creator.pubkey(), &worker);
    Ready {
        account: worker.node,
        payer: worker.owner.pubkey(),
        use_again: close.clone(),
        close,
        game,
    }
}

fn ready_accounts() -> [Ready; 5] {
    [
        ready_vote(),
        ready_audit(),
        ready_submission(),
        ready_round(),
        ready_node(),
    ]
}

// All kinds alike.

#[test]
fn close_gives_the_rent_to_the_payer_to_the_lamport_whoever_calls() {
    for mut ready in ready_accounts() {
        // A gift to the account goes the same way.
        ready.game.svm.airdrop(&ready.account, 12_345).unwrap();
        let rent = lamports(&ready.game, &ready.account);
        let before = lamports(&ready.game, &ready.payer);
        assert_ne!(ready.payer, ready.game.creator.pubkey());
        let sent = ready.game.send_by_creator(ready.close);
        logged(
            sent,
            &AccountClosed {
                task: ready.game.task,
                account: ready.account,
                pool_award: 0,
                slot: ready.game.slot(),
            },
        );
        assert_eq!(lamports(&ready.game, &ready.payer), before + rent);
        assert_eq!(lamports(&ready.game, &ready.account), 0);
    }
}

#[test]
fn close_to_another_than_the_payer_fails() {
    for mut ready in ready_accounts() {
        let thief = ready.game.stranger();
        for other in [
            ready.game.creator.pubkey(),
            thief.owner.pubkey(),
            thief.wallet,
        ] {
            let close = swap(ready.close.clone(), &ready.payer, &other);
            let sent = ready
                .game
                .send(&[close], &[&ready.game.creator.insecure_clone()]);
            refused(sent, TaskError::WrongPayer);
        }
    }
}

#[test]
fn close_twice_fails() {
    for mut ready in ready_accounts() {
        ready.game.send_by_creator(ready.close.clone()).unwrap();
        assert_eq!(failure(ready.game.send_by_creator(ready.close)), GONE);
    }
}

#[test]
fn close_twice_in_one_transaction_fails() {
    for mut ready in ready_accounts() {
        let creator = ready.game.creator.insecure_clone();
        let sent = ready
            .game
            .send(&[ready.close.clone(), ready.close], &[&creator]);
        assert_eq!(failure(sent), GONE);
        assert!(lamports(&ready.game, &ready.account) > 0);
    }
}

/// The old trick: lamports sent to the account between two instructions keep it alive to the transaction's end. It has no data and
/// no owner by then.
#[test]
fn close_twice_with_lamports_sent_between_fails() {
    for mut ready in ready_accounts() {
        let creator = ready.game.creator.insecure_clone();
        let refund = transfer(&creator.pubkey(), &ready.account, 10_000_000);
        for again in [ready.close.clone(), ready.use_again.clone()] {
            let sent = ready
                .game
                .send(&[ready.close.clone(), refund.clone(), again], &[&creator]);
            assert_eq!(failure(sent), GONE);
        }
    }
}

#[test]
fn close_then_lamports_in_one_transaction_leaves_an_empty_account() {
    for mut ready in ready_accounts() {
        let creator = ready.game.creator.insecure_clone();
        let refund = transfer(&creator.pubkey(), &ready.account, 10_000_000);
        ready
            .game
            .send(&[ready.close.clone(), refund], &[&creator])
            .unwrap();
        let account = ready.game.svm.get_account(&ready.account).unwrap();
        assert_eq!((account.owner, account.data.len()), (SYSTEM, 0));
        for again in [ready.close, ready.use_again] {
            assert_eq!(failure(ready.game.send_by_creator(again)), GONE);
        }
    }
}

#[test]
fn close_to_the_account_itself_fails() {
    for mut ready in ready_accounts() {
        // The account itself as its payer.
        let close = swap(ready.close, &ready.payer, &ready.account);
        assert_eq!(failure(ready.game.send_by_creator(close)), REPEATED);
    }
}

#[test]
fn close_with_a_forged_account_fails() {
    for mut ready in ready_accounts() {
        for meta in ready.close.accounts.clone() {
            let owned = ready
                .game
                .svm
                .get_account(&meta.pubkey)
                .is_some_and(|account| account.owner == securing_tasks::ID);
            if owned {
                let forged = ready.game.forge(&meta.pubkey);
                let close = swap(ready.close.clone(), &meta.pubkey, &forged);
                let sent = ready.game.send_by_creator(close);
                assert_eq!(failure(sent), InstructionError::IllegalOwner);
                let disguised = ready.game.disguise(&meta.pubkey);
                let close = swap(ready.close.clone(), &meta.pubkey, &disguised);
                let sent = ready.game.send_by_creator(close);
                assert_eq!(failure(sent), InstructionError::InvalidAccountData);
            }
        }
    }
}

#[test]
fn close_with_an_account_that_cannot_be_written_fails() {
    for mut ready in ready_accounts() {
        for meta in ready.close.accounts.clone() {
            if meta.is_writable {
                let close = readonly(ready.close.clone(), &meta.pubkey);
                // The payer of the transaction is always writable; it is none of these.
                let sent = ready.game.send_by_creator(close);
                assert_eq!(failure(sent), InstructionError::Custom(2000));
            }
        }
    }
}

#[test]
fn close_with_one_account_in_two_places_fails() {
    for mut ready in ready_accounts() {
        let owned: Vec<_> = ready
            .close
            .accounts
            .iter()
            .map(|meta| meta.pubkey)
            .filter(|key| {
                ready
                    .game
                    .svm
                    .get_account(key)
                    .is_some_and(|account| account.owner == securing_tasks::ID)
            })
            .collect();
        for place in 0..owned.len() {
            let repeated = owned[(place + 1) % owned.len()];
            let close = swap(ready.close.clone(), &owned[place], &repeated);
            let sent = ready.game.send_by_creator(close);
            assert_eq!(failure(sent), REPEATED);
        }
    }
}

// Votes.

#[test]
fn close_vote_lets_go_of_audit_and_node() {
    let mut case = claimed(MALICE);
    let audit = case.audit();
    let counts = |case: &Case| {
        let audit = case.game.get::<Audit>(&audit);
        let node = case.game.node(&case.voters[0]);
        (audit.live_votes.get(), node.live.get())
    };
    assert_eq!(counts(&case), (2, 1));
    case.game.close_vote(&case.voters[0], &audit).unwrap();
    assert_eq!(counts(&case), (1, 0));
}

#[test]
fn close_vote_before_it_is_claimed_fails() {
    let mut case = Case::audited(rules(), MALICE);
    case.vote(&[MALICE, MALICE]);
    let close = case.close_vote_ix();
    refused(
        case.game.send_by_creator(close.clone()),
        TaskError::NotEmpty,
    );
    case.resolve().unwrap();
    refused(
        case.game.send_by_creator(close.clone()),
        TaskError::NotEmpty,
    );
    case.claim(1);
    case.game.send_by_creator(close).unwrap();
}

/// Also without a deposit: the share is owed.
#[test]
fn close_vote_without_a_deposit_before_it_is_claimed_fails() {
    let mut case = Case::audited(
        RulesArgs {
            vote_deposit: 0,
            ..rules()
        },
        MALICE,
    );
    case.vote(&[MALICE, MALICE]);
    case.resolve().unwrap();
    let close = case.close_vote_ix();
    refused(case.game.send_by_creator(close), TaskError::NotEmpty);
}

#[test]
fn close_vote_that_was_never_revealed_passes_when_claimed() {
    let mut case = Case::audited(
        RulesArgs {
            commit_slots: 50,
            reveal_slots: 150,
            ..rules()
        },
        MALICE,
    );
    let audit = case.audit();
    case.game
        .commit_vote(&case.voters[0], &audit, VALID, [9; 32])
        .unwrap();
    let close = case.close_vote_ix();
    case.resolve().unwrap();
    refused(
        case.game.send_by_creator(close.clone()),
        TaskError::NotEmpty,
    );
    case.claim(1);
    case.game.send_by_creator(close).unwrap();
}

/// The operator that paid, not the one that is now.
#[test]
fn close_vote_pays_the_operator_that_voted() {
    let mut case = claimed(MALICE);
    let (old, new) = (case.voters[0].operator.pubkey(), key(&mut case.game.svm));
    case.game
        .set_operator(&case.voters[0], new.pubkey())
        .unwrap();
    let close = case.close_vote_ix();
    for other in [new.pubkey(), case.voters[0].owner.pubkey()] {
        let close = swap(close.clone(), &old, &other);
        refused(case.game.send_by_creator(close), TaskError::WrongPayer);
    }
    case.game.send_by_creator(close).unwrap();
}

#[test]
fn close_vote_of_another_audit_or_node_fails() {
    let mut case = Case::audited(rules(), MALICE);
    case.vote(&[MALICE]);
    case.resolve().unwrap();
    case.claim(1);
    case.game
        .open_audit(&case.initiator, &case.accused, 0, MALICE)
        .unwrap();
    let second = case.game.audit(&case.accused, 0, 1);
    let close = case.close_vote_ix();
    let with_audit = swap(close.clone(), &case.audit(), &second);
    refused(case.game.send_by_creator(with_audit), TaskError::WrongAudit);
    for other in [case.voters[1].node, case.initiator.node, case.accused.node] {
        let with_node = swap(close.clone(), &case.voters[0].node, &other);
        refused(case.game.send_by_creator(with_node), TaskError::WrongNode);
    }
}

/// The voter's node in another task, which another vote needs.
#[test]
fn close_with_another_tasks_node_fails() {
    let mut case = claimed(MALICE);
    let first = case.game.task;
    case.game.next_task(1);
    let [voter, initiator, accused] =
        [&case.voters[0], &case.initiator, &case.accused].map(|actor| {
            let there = case.game.here(actor);
            case.game.join_task(&there, 0, 2_000_000).unwrap();
            there
        });
    case.game.enter(first);

    let close = swap(case.close_vote_ix(), &case.voters[0].node, &voter.node);
    refused(case.game.send_by_creator(close), TaskError::WrongTask);
    let audit = case.audit();
    for voter in &case.voters[..2] {
        case.game.close_vote(voter, &audit).unwrap();
    }
    let close = swap(case.close_audit_ix(), &case.initiator.node, &initiator.node);
    refused(case.game.send_by_creator(close), TaskError::WrongTask);
    case.game.close_audit(&audit).unwrap();
    let close = swap(
        case.close_submission_ix(),
        &case.accused.node,
        &accused.node,
    );
    refused(case.game.send_by_creator(close), TaskError::WrongTask);
    case.game.close_submission(&case.accused, 0).unwrap();
}

#[test]
fn cast_vote_after_the_vote_was_closed_fails() {
    let mut case = without_votes(MALICE);
    let audit = case.audit();
    let sent = case.game.cast_vote(&case.voters[0], &audit, VALID);
    refused(sent, TaskError::VotingClosed);
}

// Audits.

#[test]
fn close_audit_lets_go_of_submission_and_initiator() {
    let mut case = without_votes(MALICE);
    let counts = |case: &Case| {
        let submission: Submission = case.game.get(&case.work());
        let node = case.game.node(&case.initiator);
        (
            submission.audits.get(),
            submission.live_audits.get(),
            node.live.get(),
        )
    };
    assert_eq!(counts(&case), (1, 1, 1));
    let audit = case.audit();
    case.game.close_audit(&audit).unwrap();
    assert_eq!(counts(&case), (1, 0, 0));
}

#[test]
fn close_audit_before_it_is_resolved_fails() {
    let mut case = Case::audited(rules(), MALICE);
    let audit = case.audit();
    refused(case.game.close_audit(&audit), TaskError::NotResolved);
    case.game.warp(case.end() + 1);
    refused(case.game.close_audit(&audit), TaskError::NotResolved);
    case.game.resolve_audit(&audit).unwrap();
    case.game.close_audit(&audit).unwrap();
}

#[test]
fn close_audit_before_its_votes_are_closed_fails() {
    let mut case = resolved(MALICE);
    let audit = case.audit();
    refused(case.game.close_audit(&audit), TaskError::NotEmpty);
    case.claim(2);
    refused(case.game.close_audit(&audit), TaskError::NotEmpty);
    case.game.close_vote(&case.voters[0], &audit).unwrap();
    refused(case.game.close_audit(&audit), TaskError::NotEmpty);
    case.game.close_vote(&case.voters[1], &audit).unwrap();
    case.game.close_audit(&audit).unwrap();
}

#[test]
fn close_audit_with_another_submission_or_node_fails() {
    let mut case = without_votes(VALID);
    let other = case.game.worker(1_000_000);
    case.game.warp(START + 1_000);
    case.game.submit_work(&other, 1).unwrap();
    let close = case.close_audit_ix();
    let with_submission = swap(
        close.clone(),
        &case.work(),
        &case.game.submission(&other, 1),
    );
    refused(
        case.game.send_by_creator(with_submission),
        TaskError::WrongSubmission,
    );
    for node in [case.accused.node, case.voters[0].node] {
        let with_node = swap(close.clone(), &case.initiator.node, &node);
        refused(case.game.send_by_creator(with_node), TaskError::WrongNode);
    }
}

/// A closed audit's address is never used again: the initiator's next one has its own.
#[test]
fn open_audit_after_the_first_was_closed_is_another() {
    let mut case = Case::audited(rules(), MALICE);
    let first = case.audit();
    case.resolve().unwrap();
    case.game.close_audit(&first).unwrap();
    let next = case.game.next_audit(&case.initiator, &case.accused, 0);
    let again = case
        .game
        .open_audit_ix(&case.initiator, &case.accused, 0, MALICE);
    let again = swap(again, &next, &first);
    let operator = case.initiator.operator.insecure_clone();
    assert_eq!(
        failure(case.game.send(&[again], &[&operator])),
        InstructionError::InvalidSeeds
    );
    case.game
        .open_audit(&case.initiator, &case.accused, 0, MALICE)
        .unwrap();
    let audit: Audit = case.game.get(&next);
    assert_eq!((audit.index.get(), audit.attempt.get()), (1, 1));
    let submission: Submission = case.game.get(&case.work());
    let counts = [submission.audits, submission.live_audits];
    assert_eq!(counts.map(|n| n.get()), [2, 1]);
}

#[test]
fn open_audit_of_a_convicted_submission_whose_audit_was_closed_fails() {
    let mut case = Case::audited(rules(), MALICE);
    case.vote(&[MALICE, MALICE]);
    case.resolve().unwrap();
    case.claim(2);
    let audit = case.audit();
    for voter in &case.voters[..2] {
        case.game.close_vote(voter, &audit).unwrap();
    }
    case.game.close_audit(&audit).unwrap();
    let sent = case
        .game
        .open_audit(&case.initiator, &case.accused, 0, MALICE);
    refused(sent, TaskError::AlreadyDecided);
}

// Submissions.

#[test]
fn close_submission_lets_go_of_round_and_node() {
    let mut case = without_audit(MALICE);
    let counts = |case: &Case| {
        let round: Round = case.game.get(&case.round());
        let node = case.game.node(&case.accused);
        (
            round.submissions.get(),
            round.live_submissions.get(),
            node.live.get(),
        )
    };
    assert_eq!(counts(&case), (1, 1, 1));
    case.game.close_submission(&case.accused, 0).unwrap();
    assert_eq!(counts(&case), (1, 0, 0));
    assert_eq!(case.game.node(&case.accused).submissions.get(), 1);
}

#[test]
fn close_submission_before_its_bounty_is_claimed_fails() {
    // Never audited, also where the bounty is nothing.
    for pool in [0, 500] {
        let mut game = Game::new(rules());
        if pool > 0 {
            game.fund_task(pool).unwrap();
        }
        let worker = game.worker(1_000_000);
        game.submit_work(&worker, 0).unwrap();
        for slot in [AUDIT_END, START + 100_000] {
            game.warp(slot);
            refused(game.close_submission(&worker, 0), TaskError::NotEmpty);
        }
        game.claim_bounty(&worker, 0).unwrap();
        game.close_submission(&worker, 0).unwrap();
    }
    // Acquitted.
    let mut case = without_audit(VALID);
    refused(
        case.game.close_submission(&case.accused, 0),
        TaskError::NotEmpty,
    );
    case.game.claim_bounty(&case.accused, 0).unwrap();
    case.game.close_submission(&case.accused, 0).unwrap();
}

#[test]
fn close_submission_under_audit_fails() {
    let mut case = Case::audited(rules(), MALICE);
    for slot in [AUDIT_END, AUDIT_END + 10_000] {
        case.game.warp(slot);
        refused(
            case.game.close_submission(&case.accused, 0),
            TaskError::NotEmpty,
        );
    }
}

/// Convicted by the first of two audits: the second still needs it.
#[test]
fn close_submission_under_a_second_audit_fails() {
    let mut case = Case::audited(rules(), MALICE);
    case.game
        .open_audit(&case.voters[2], &case.accused, 0, MALICE)
        .unwrap();
    let (first, second) = (case.audit(), case.game.audit(&case.accused, 0, 1));
    case.vote(&[MALICE, MALICE]);
    case.resolve().unwrap();
    case.claim(2);
    for voter in &case.voters[..2] {
        case.game.close_vote(voter, &first).unwrap();
    }
    case.game.close_audit(&first).unwrap();
    case.game.warp(AUDIT_END);
    let close = |case: &mut Case| case.game.close_submission(&case.accused, 0);
    refused(close(&mut case), TaskError::NotEmpty);
    case.game.resolve_audit(&second).unwrap();
    refused(close(&mut case), TaskError::NotEmpty);
    case.game.close_audit(&second).unwrap();
    close(&mut case).unwrap();
}

#[test]
fn close_submission_before_its_audits_are_closed_fails() {
    // Convicted, or paid: an audit account still needs it.
    for opinion in [MALICE, VALID] {
        let mut case = without_votes(opinion);
        if opinion == VALID {
            case.game.claim_bounty(&case.accused, 0).unwrap();
        }
        refused(
            case.game.close_submission(&case.accused, 0),
            TaskError::NotEmpty,
        );
        let audit = case.audit();
        case.game.close_audit(&audit).unwrap();
        case.game.close_submission(&case.accused, 0).unwrap();
    }
}

#[test]
fn close_submission_with_another_round_or_node_fails() {
    let mut case = without_audit(MALICE);
    case.game.warp(START + 1_000);
    case.game.submit_work(&case.accused, 1).unwrap();
    let close = case.close_submission_ix();
    let next = round_address(&case.game.task, 1);
    let with_round = swap(close.clone(), &case.round(), &next);
    refused(case.game.send_by_creator(with_round), TaskError::WrongRound);
    for node in [case.initiator.node, case.voters[0].node] {
        let with_node = swap(close.clone(), &case.accused.node, &node);
        refused(case.game.send_by_creator(with_node), TaskError::WrongNode);
    }
}

#[test]
fn close_submission_with_another_tasks_round_fails() {
    let mut case = without_audit(MALICE);
    let first = case.game.task;
    case.game.next_task(1);
    let worker = case.game.worker(1_000_000);
    case.game.submit_work(&worker, 0).unwrap();
    let other = round_address(&case.game.task, 0);
    case.game.enter(first);
    let close = swap(case.close_submission_ix(), &case.round(), &other);
    refused(case.game.send_by_creator(close), TaskError::WrongTask);
}

/// A submission that was convicted, and has no audit left, while the round still takes work; an honest one is beside it.
fn convicted_early(fault: u8) -> Case {
    let mut game = Game::new(RulesArgs {
        reveal_slots: 50,
        ..rules()
    });
    game.fund_task(1_000_000).unwrap();
    let accused = game.worker(4_000_000);
    let honest = game.worker(1_000_000);
    let initiator = game.witness(2_000_000);
    let voters = [1_000_000, 1_500_000, 3_000_000].map(|stake| game.witness(stake));
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    game.submit_work(&honest, 0).unwrap();
    game.open_audit(&initiator, &accused, 0, fault).unwrap();
    let mut case = Case {
        game,
        accused,
        initiator,
        voters,
    };
    case.vote(&[fault, fault]);
    case.resolve().unwrap();
    case.claim(2);
    let audit = case.audit();
    for voter in &case.voters[..2] {
        case.game.close_vote(voter, &audit).unwrap();
    }
    case.game.close_audit(&audit).unwrap();
    case
}

/// Else the convicted could submit once more, and thin the honest one's part.
#[test]
fn close_submission_while_its_round_can_be_audited_fails() {
    let mut case = convicted_early(MALICE);
    for slot in [START + 51, START + 99] {
        case.game.warp(slot);
        refused(
            case.game.close_submission(&case.accused, 0),
            TaskError::RoundUndecided,
        );
        assert_eq!(
            failure(case.game.submit_work(&case.accused, 0)),
            InstructionError::Custom(0),
            "the system program's AccountAlreadyInUse"
        );
    }
    for slot in [START + 100, AUDIT_END - 1] {
        case.game.warp(slot);
        refused(
            case.game.close_submission(&case.accused, 0),
            TaskError::RoundUndecided,
        );
    }
    case.game.warp(AUDIT_END);
    case.game.close_submission(&case.accused, 0).unwrap();
    refused(
        case.game.submit_work(&case.accused, 0),
        TaskError::SubmissionWindowClosed,
    );
    assert_eq!(case.game.get::<Round>(&case.round()).submissions.get(), 2);
}

/// A friend's cheap conviction for downtime, and the submission closed: nobody could accuse it of malice any more.
#[test]
fn close_submission_does_not_shield_what_was_convicted_of_downtime() {
    let mut case = convicted_early(DOWNTIME);
    case.game.warp(AUDIT_END - 1);
    refused(
        case.game.close_submission(&case.accused, 0),
        TaskError::RoundUndecided,
    );
    case.game
        .open_audit(&case.voters[2], &case.accused, 0, MALICE)
        .unwrap();
    case.game.warp(AUDIT_END);
    refused(
        case.game.close_submission(&case.accused, 0),
        TaskError::NotEmpty,
    );
}

/// Each round waits for its own window.
#[test]
fn close_submission_of_a_later_round_waits_for_its_own_audit_end() {
    let mut game = Game::new(rules());
    let worker = game.worker(1_000_000);
    game.warp(START + 3_000);
    game.submit_work(&worker, 3).unwrap();
    game.warp(AUDIT_END + 2_999);
    refused(game.close_submission(&worker, 3), TaskError::RoundUndecided);
    game.warp(AUDIT_END + 3_000);
    game.claim_bounty(&worker, 3).unwrap();
    game.close_submission(&worker, 3).unwrap();
}

/// A task whose window is over already can't be named for it.
#[test]
fn close_submission_with_another_task_fails() {
    let mut case = without_audit(MALICE);
    let first = case.game.task;
    case.game.next_task(1);
    let other = case.game.task;
    case.game.enter(first);
    let close = swap(case.close_submission_ix(), &first, &other);
    refused(case.game.send_by_creator(close), TaskError::WrongTask);
}

// Rounds.

#[test]
fn close_round_sends_what_nobody_earned_to_the_pool() {
    let mut case = without_audit(MALICE);
    case.game.close_submission(&case.accused, 0).unwrap();
    let pool = case.game.task().pool.get();
    let event = AccountClosed {
        task: case.game.task,
        account: case.round(),
        pool_award: 100_000,
        slot: case.game.slot(),
    };
    logged(case.game.close_round(0), &event);
    assert_eq!(case.game.task().pool.get(), pool + 100_000);
    assert_eq!(case.game.task().rounds.get(), 0);
}

#[test]
fn close_round_before_its_submissions_are_closed_fails() {
    let mut case = without_audit(VALID);
    refused(case.game.close_round(0), TaskError::NotEmpty);
    case.game.claim_bounty(&case.accused, 0).unwrap();
    refused(case.game.close_round(0), TaskError::NotEmpty);
    case.game.close_submission(&case.accused, 0).unwrap();
    case.game.close_round(0).unwrap();
}

#[test]
fn close_round_before_its_audit_is_resolved_fails() {
    let mut case = Case::audited(rules(), MALICE);
    for slot in [START + 2, AUDIT_END + 1_000] {
        case.game.warp(slot);
        refused(case.game.close_round(0), TaskError::NotEmpty);
    }
}

/// There is always a submission while the round takes work: it never begins anew, with another reserve.
#[test]
fn close_round_while_it_takes_work_fails() {
    let mut case = convicted_early(MALICE);
    for slot in [START + 99, AUDIT_END - 1] {
        case.game.warp(slot);
        refused(case.game.close_round(0), TaskError::NotEmpty);
    }
}

#[test]
fn close_round_of_another_task_fails() {
    let mut case = without_submission();
    let first = case.game.task;
    case.game.next_task(1);
    let other = case.game.task;
    case.game.enter(first);
    let close = swap(case.game.close_round_ix(0), &first, &other);
    refused(case.game.send_by_creator(close), TaskError::WrongTask);
}

#[test]
fn submit_work_into_a_closed_round_fails() {
    let mut case = without_submission();
    case.game.close_round(0).unwrap();
    let late = case.game.worker(1_000_000);
    // The round's number is the current one until the next begins.
    refused(
        case.game.submit_work(&late, 0),
        TaskError::SubmissionWindowClosed,
    );
    refused(
        case.game.submit_work(&case.accused, 0),
        TaskError::SubmissionWindowClosed,
    );
    case.game.warp(START + 1_000);
    refused(case.game.submit_work(&late, 0), TaskError::RoundNotCurrent);
}

/// In one transaction with lamports, as `init_if_needed` would take it.
#[test]
fn submit_work_into_a_round_closed_in_the_same_transaction_fails() {
    let mut case = without_submission();
    let creator = case.game.creator.insecure_clone();
    let (close, submit) = (
        case.game.close_round_ix(0),
        case.game.submit_work_ix(&case.accused, 0),
    );
    let refund = transfer(&creator.pubkey(), &case.round(), 10_000_000);
    let sent = case.game.send(
        &[close, refund, submit],
        &[&creator, &case.accused.operator.insecure_clone()],
    );
    refused(sent, TaskError::SubmissionWindowClosed);
}

// Nodes.

#[test]
fn close_node_by_its_owner_passes_in_every_status() {
    for status in 0..3 {
        let (mut game, worker) = left();
        match status {
            0 => {}
            1 => drop(game.pause_task().unwrap()),
            _ => drop(game.retire_task().unwrap()),
        }
        let before = lamports(&game, &worker.owner.pubkey()) + lamports(&game, &worker.node);
        let sent = game.close_node(&worker).unwrap();
        assert_eq!(lamports(&game, &worker.owner.pubkey()), before - sent.fee);
        assert_eq!(game.task().nodes.get(), 0);
    }
}

#[test]
fn close_node_by_another_passes_only_when_the_task_is_retired() {
    let (mut game, worker) = left();
    let stranger = game.stranger();
    let close = game.close_node_ix(&stranger.owner.pubkey(), &worker);
    let by_stranger = |game: &mut Game| game.send(std::slice::from_ref(&close), &[&stranger.owner]);
    refused(by_stranger(&mut game), TaskError::NotRetired);
    game.pause_task().unwrap();
    refused(by_stranger(&mut game), TaskError::NotRetired);
    game.retire_task().unwrap();
    by_stranger(&mut game).unwrap();
}

/// The hot key is another; the creator is, too.
#[test]
fn close_node_by_operator_or_creator_of_an_active_task_fails() {
    let (mut game, worker) = left();
    for closer in [
        worker.operator.insecure_clone(),
        game.creator.insecure_clone(),
    ] {
        let close = game.close_node_ix(&closer.pubkey(), &worker);
        refused(game.send(&[close], &[&closer]), TaskError::NotRetired);
    }
}

/// Naming the owner as closer takes its signature.
#[test]
fn close_node_without_the_closers_signature_fails() {
    let (mut game, worker) = left();
    let owner = worker.owner.pubkey();
    let close = unsigned(game.close_node_ix(&owner, &worker), &owner);
    assert_eq!(
        failure(game.send_by_creator(close)),
        InstructionError::MissingRequiredSignature
    );
}

#[test]
fn close_node_with_stake_fails() {
    let mut game = Game::new(rules());
    let worker = game.worker(1_000_000);
    refused(game.close_node(&worker), TaskError::NotEmpty);
    game.request_leave(&worker, None).unwrap();
    refused(game.close_node(&worker), TaskError::NotEmpty);
    game.warp(START + LEAVE_DELAY);
    refused(game.close_node(&worker), TaskError::NotEmpty);
    game.retire_task().unwrap();
    let close = game.close_node_ix(&game.creator.pubkey(), &worker);
    refused(game.send_by_creator(close), TaskError::NotEmpty);
    game.withdraw(&worker).unwrap();
    game.close_node(&worker).unwrap();
}

/// A worker that left before it was paid: a bounty is all it has.
#[test]
fn close_node_with_a_bounty_fails() {
    let mut game = Game::new(rules());
    game.fund_task(1_000_000).unwrap();
    let worker = game.worker(1_000_000);
    game.submit_work(&worker, 0).unwrap();
    game.request_leave(&worker, None).unwrap();
    game.warp(START + LEAVE_DELAY);
    game.withdraw(&worker).unwrap();
    // Its submission needs it.
    refused(game.close_node(&worker), TaskError::NotEmpty);
    game.claim_bounty(&worker, 0).unwrap();
    game.close_submission(&worker, 0).unwrap();
    let node = game.node(&worker);
    assert_eq!((node.live.get(), node.payable.get()), (0, 100_000));
    refused(game.close_node(&worker), TaskError::NotEmpty);
    game.withdraw(&worker).unwrap();
    game.close_node(&worker).unwrap();
}

/// A voter that left before it claimed: a locked share is all it has.
#[test]
fn close_node_with_a_locked_share_fails() {
    let mut case = Case::audited(
        RulesArgs {
            vote_deposit: 0,
            ..rules()
        },
        MALICE,
    );
    case.vote(&[MALICE, MALICE]);
    let voter = case.game.here(&case.voters[0]);
    case.game.request_leave(&voter, None).unwrap();
    case.resolve().unwrap();
    case.game.warp(START + 2 + LEAVE_DELAY);
    case.game.withdraw(&voter).unwrap();
    // Its vote needs it.
    refused(case.game.close_node(&voter), TaskError::NotEmpty);
    case.claim(1);
    let audit = case.audit();
    case.game.close_vote(&voter, &audit).unwrap();
    let node = case.game.node(&voter);
    assert_eq!(
        (node.stake.get(), node.live.get(), node.locked.get()),
        (0, 0, 400_000)
    );
    refused(case.game.close_node(&voter), TaskError::NotEmpty);
    case.game.warp(case.game.slot() + LEAVE_DELAY);
    refused(case.game.close_node(&voter), TaskError::NotEmpty);
    case.game.withdraw(&voter).unwrap();
    case.game.close_node(&voter).unwrap();
}

/// An initiator whose bond is free again and gone: only its audit needs it.
#[test]
fn close_node_that_an_audit_needs_fails() {
    let mut case = Case::audited(rules(), MALICE);
    let initiator = case.game.here(&case.initiator);
    case.game.request_leave(&initiator, None).unwrap();
    case.resolve().unwrap();
    case.game.warp(START + 2 + LEAVE_DELAY);
    case.game.withdraw(&initiator).unwrap();
    assert_eq!(case.game.node(&initiator).stake.get(), 0);
    refused(case.game.close_node(&initiator), TaskError::NotEmpty);
    let audit = case.audit();
    case.game.close_audit(&audit).unwrap();
    case.game.close_node(&initiator).unwrap();
}

#[test]
fn close_node_of_another_task_fails() {
    let (mut game, worker) = left();
    let first = game.task;
    game.next_task(1);
    let other = game.task;
    game.enter(first);
    let close = swap(
        game.close_node_ix(&worker.owner.pubkey(), &worker),
        &first,
        &other,
    );
    refused(game.send(&[close], &[&worker.owner]), TaskError::WrongTask);
}

/// Whoever comes back is new: no standing, no age, no record.
#[test]
fn join_task_after_the_node_was_closed_begins_anew() {
    let mut game = Game::new(rules());
    game.fund_task(1_000_000).unwrap();
    let worker = game.worker(1_000_000);
    game.submit_work(&worker, 0).unwrap();
    game.request_leave(&worker, None).unwrap();
    game.warp(START + LEAVE_DELAY);
    game.claim_bounty(&worker, 0).unwrap();
    game.close_submission(&worker, 0).unwrap();
    game.withdraw(&worker).unwrap();
    assert_eq!(game.node(&worker).rounds_paid.get(), 1);
    let close = game.close_node_ix(&worker.owner.pubkey(), &worker);
    let join = game.join_task_ix(&worker, 1, 500_000);
    game.send(&[close, join], &[&worker.owner]).unwrap();
    let node: Node = game.node(&worker);
    assert_eq!(node.joined_slot.get(), game.slot());
    assert_eq!(node.stake.get(), 500_000);
    assert_eq!(
        [node.live, node.submissions, node.rounds_paid].map(|n| n.get()),
        [0; 3]
    );
    assert_eq!(game.task().nodes.get(), 1);
}

// Tasks.

#[test]
fn close_task_gives_pool_and_both_rents_to_the_creator() {
    for program in [TOKEN, TOKEN_2022] {
        let mut game = Game::with_token(rules(), program);
        game.fund_task(500).unwrap();
        let worker = game.worker(1_000_000);
        game.submit_work(&worker, 0).unwrap();
        game.request_leave(&worker, None).unwrap();
        game.retire_task().unwrap();
        game.warp(START + LEAVE_DELAY);
        game.claim_bounty(&worker, 0).unwrap();
        game.withdraw(&worker).unwrap();
        game.close_submission(&worker, 0).unwrap();
        game.close_node(&worker).unwrap();
        game.close_round(0).unwrap();

        let creator = game.creator.pubkey();
        let before =
            lamports(&game, &creator) + lamports(&game, &game.task) + lamports(&game, &game.vault);
        let event = AccountClosed {
            task: game.task,
            account: game.task,
            pool_award: 0,
            slot: game.slot(),
        };
        let sent = game.close_task();
        let fee = sent.as_ref().unwrap().fee;
        logged(sent, &event);
        assert_eq!(lamports(&game, &creator), before - fee);
        assert_eq!(
            lamports(&game, &game.task) + lamports(&game, &game.vault),
            0
        );
        assert_eq!(balance(&game.svm, &worker.wallet), WALLET + 500);
    }
}

/// What a round gave back after the task retired is in the pool.
#[test]
fn close_task_pays_out_what_came_to_the_pool_after_retiring() {
    let mut case = without_audit(MALICE);
    case.game.retire_task().unwrap();
    case.game.close_submission(&case.accused, 0).unwrap();
    case.game.close_round(0).unwrap();
    let everyone = [&case.accused, &case.initiator]
        .into_iter()
        .chain(&case.voters);
    for actor in everyone.clone() {
        case.game.request_leave(actor, None).unwrap();
    }
    case.game.warp(case.game.slot() + LEAVE_DELAY);
    for actor in everyone {
        case.game.withdraw(actor).unwrap();
        case.game.close_node(actor).unwrap();
    }
    let before = balance(&case.game.svm, &case.game.creator_wallet);
    let event = AccountClosed {
        task: case.game.task,
        account: case.game.task,
        pool_award: 100_000,
        slot: case.game.slot(),
    };
    logged(case.game.close_task(), &event);
    assert_eq!(
        balance(&case.game.svm, &case.game.creator_wallet),
        before + 100_000
    );
}

#[test]
fn close_task_that_is_not_retired_fails() {
    let mut game = Game::new(rules());
    refused(game.close_task(), TaskError::NotRetired);
    game.pause_task().unwrap();
    refused(game.close_task(), TaskError::NotRetired);
    game.retire_task().unwrap();
    game.close_task().unwrap();
}

#[test]
fn close_task_with_a_node_fails() {
    let (mut game, worker) = left();
    game.retire_task().unwrap();
    refused(game.close_task(), TaskError::NotEmpty);
    game.close_node(&worker).unwrap();
    game.close_task().unwrap();
}

#[test]
fn close_task_with_a_round_fails() {
    let mut game = Game::new(rules());
    let worker = game.worker(1_000_000);
    game.submit_work(&worker, 0).unwrap();
    game.request_leave(&worker, None).unwrap();
    game.retire_task().unwrap();
    game.warp(START + LEAVE_DELAY);
    game.claim_bounty(&worker, 0).unwrap();
    game.close_submission(&worker, 0).unwrap();
    game.withdraw(&worker).unwrap();
    game.close_node(&worker).unwrap();
    assert_eq!((game.task().nodes.get(), game.task().rounds.get()), (0, 1));
    refused(game.close_task(), TaskError::NotEmpty);
    game.close_round(0).unwrap();
    game.close_task().unwrap();
}

#[test]
fn close_task_with_an_allowlist_entry_fails() {
    let mut game = retired();
    let owner = fresh().pubkey();
    game.allow_node(1, &owner).unwrap();
    refused(game.close_task(), TaskError::NotEmpty);
    game.disallow_node(1, &owner).unwrap();
    game.close_task().unwrap();
}

/// Anyone can send tokens to the vault; they can't keep it open.
#[test]
fn close_task_with_a_gift_in_the_vault_passes_and_pays_it_out() {
    for program in [TOKEN, TOKEN_2022] {
        let mut game = Game::with_token(rules(), program);
        game.retire_task().unwrap();
        let giver = game.stranger();
        let gift = anchor_spl::token_2022::spl_token_2022::instruction::transfer_checked(
            &program,
            &giver.wallet,
            &game.mint,
            &game.vault,
            &giver.owner.pubkey(),
            &[],
            777,
            6,
        )
        .unwrap();
        // Not through the game, whose ledger knows no gifts.
        send(&mut game.svm, &[gift], &[&giver.owner]).unwrap();
        game.close_task().unwrap();
        assert_eq!(balance(&game.svm, &game.creator_wallet), WALLET + 777);
        assert_eq!(lamports(&game, &game.vault), 0);
    }
}

#[test]
fn close_task_to_another_wallet_of_the_creator_passes() {
    let mut game = retired();
    let creator = game.creator.insecure_clone();
    let (mint, key) = (game.mint, creator.pubkey());
    let other = make_wallet(&mut game.svm, &creator, &TOKEN, &mint, &key, 0);
    let close = swap(game.close_task_ix(), &game.creator_wallet, &other);
    game.send_by_creator(close).unwrap();
}

/// Also where the creator signs, who can move the tokens on.
#[test]
fn close_task_to_the_wallet_of_another_fails() {
    let mut game = retired();
    let thief = game.stranger();
    let close = swap(game.close_task_ix(), &game.creator_wallet, &thief.wallet);
    refused(
        game.send(std::slice::from_ref(&close), &[&thief.owner]),
        TaskError::NotCreator,
    );
    refused(game.send_by_creator(close), TaskError::NotCreator);
}

/// Once nothing depends on it: what is in the vault and both rents go where they belong.
#[test]
fn close_task_by_a_stranger_pays_creator_and_payer() {
    let mut case = without_audit(MALICE);
    case.game.retire_task().unwrap();
    case.game.close_submission(&case.accused, 0).unwrap();
    case.game.close_round(0).unwrap();
    case.game.warp(case.game.slot() + LEAVE_DELAY);
    for actor in [&case.accused, &case.initiator]
        .into_iter()
        .chain(&case.voters)
    {
        case.game.return_stake(actor).unwrap();
        case.game.close_node(actor).unwrap();
    }
    let (mut game, stranger) = (case.game, case.voters[0].owner.insecure_clone());
    let creator = game.creator.pubkey();
    let tokens = balance(&game.svm, &game.creator_wallet);
    let before =
        lamports(&game, &creator) + lamports(&game, &game.task) + lamports(&game, &game.vault);
    let close = game.close_task_ix();
    game.send(&[close], &[&stranger]).unwrap();
    assert_eq!(lamports(&game, &creator), before);
    assert_eq!(
        balance(&game.svm, &game.creator_wallet),
        tokens + 100_000,
        "the round's bounty, which the convict didn't earn"
    );
}

#[test]
fn close_task_to_another_than_the_payer_fails() {
    let mut game = retired();
    let thief = game.stranger();
    let payer = game.creator.pubkey();
    for other in [thief.owner.pubkey(), thief.wallet] {
        let close = swap(game.close_task_ix(), &payer, &other);
        refused(game.send(&[close], &[&thief.owner]), TaskError::WrongPayer);
    }
}

/// Task and vault were paid for by another than the creator: both rents are that one's, the tokens the creator's.
#[test]
fn close_task_gives_both_rents_to_who_paid_them() {
    let mut game = Game::unborn(rules());
    let (payer, creator) = (key(&mut game.svm), game.creator.insecure_clone());
    let before = [&payer, &creator].map(|key| lamports(&game, &key.pubkey()));
    let mut accounts = create_task_accounts(&creator.pubkey(), 0, &game.mint, &TOKEN);
    accounts.payer = payer.pubkey();
    let create = instruction(accounts, create_task_data(0, &game.rules));
    game.send(&[create], &[&payer, &creator]).unwrap();
    game.retire_task().unwrap();
    let to_creator = game.close_task_ix();
    refused(game.send_by_creator(to_creator), TaskError::WrongPayer);
    let close = swap(game.close_task_ix(), &creator.pubkey(), &payer.pubkey());
    game.send_by_creator(close).unwrap();
    for (key, before) in [payer, creator].iter().zip(before) {
        let fee = game.fees.get(&key.pubkey().to_string()).unwrap();
        assert_eq!(lamports(&game, &key.pubkey()), before - fee);
    }
}

#[test]
fn close_task_with_accounts_that_are_not_the_tasks_fails() {
    let mut game = retired();
    let first = game.task;
    let (mint, wallet) = game.other_mint(&game.creator.pubkey());
    game.next_task(1);
    let (other_task, other_vault) = (game.task, game.vault);
    game.enter(first);
    let (task, vault) = (game.task, game.vault);
    for (from, to, error) in [
        (game.mint, mint, TaskError::MintMismatch),
        (vault, other_vault, TaskError::VaultMismatch),
        (vault, game.stranger().wallet, TaskError::VaultMismatch),
        (game.creator_wallet, wallet, TaskError::MintMismatch),
        (TOKEN, TOKEN_2022, TaskError::TokenProgramMismatch),
        (task, other_task, TaskError::VaultMismatch),
    ] {
        let close = swap(game.close_task_ix(), &from, &to);
        refused(game.send_by_creator(close), error);
    }
    game.close_task().unwrap();
}

#[test]
fn close_task_with_forged_or_repeated_accounts_fails() {
    let mut game = retired();
    let (task, vault) = (game.task, game.vault);
    let (forged, disguised) = (game.forge(&task), game.disguise(&task));
    for (from, to, error) in [
        (task, forged, InstructionError::IllegalOwner),
        (task, disguised, InstructionError::InvalidAccountData),
        (game.creator_wallet, vault, REPEATED),
        (vault, game.creator_wallet, REPEATED),
        (task, game.creator.pubkey(), REPEATED),
        (TOKEN, SYSTEM, InstructionError::IncorrectProgramId),
    ] {
        let close = swap(game.close_task_ix(), &from, &to);
        assert_eq!(failure(game.send_by_creator(close)), error);
    }
    for place in [task, vault, game.creator_wallet] {
        let close = readonly(game.close_task_ix(), &place);
        assert_eq!(
            failure(game.send_by_creator(close)),
            InstructionError::Custom(2000)
        );
    }
}

#[test]
fn close_task_twice_fails() {
    let mut game = retired();
    let close = game.close_task_ix();
    let creator = game.creator.insecure_clone();
    let refund = transfer(&creator.pubkey(), &game.task, 10_000_000);
    let sent = game.send(&[close.clone(), refund, close.clone()], &[&creator]);
    assert_eq!(failure(sent), GONE);
    game.close_task().unwrap();
    assert_eq!(failure(game.send_by_creator(close)), GONE);
}

/// Nothing of the old life counts in the new one.
#[test]
fn create_task_with_the_id_of_a_closed_one_begins_anew() {
    let (mut game, worker) = left();
    game.fund_task(500).unwrap();
    game.retire_task().unwrap();
    game.close_node(&worker).unwrap();
    let retired = game.task();
    game.close_task().unwrap();

    game.create_task().unwrap();
    let task = game.task();
    assert_eq!(task.start_slot.get(), START + LEAVE_DELAY);
    assert_eq!((task.pool.get(), task.electorate), (0, none()));
    assert_eq!(task.retired_slot.get(), 0);
    assert_ne!(task.status, retired.status);
    // The old node is gone, and its owner can join again.
    assert_eq!(failure(game.add_stake(&worker, 1)), GONE);
    game.join_task(&worker, 0, 1_000_000).unwrap();
    game.submit_work(&worker, 0).unwrap();
    let submission: Submission = game.get(&game.submission(&worker, 0));
    assert_eq!(submission.status, SubmissionStatus::Submitted);
}

/// In one transaction, too.
#[test]
fn create_task_in_the_transaction_that_closed_it_begins_anew() {
    let mut game = retired();
    let creator = game.creator.insecure_clone();
    let create = instruction(
        create_task_accounts(&creator.pubkey(), 0, &game.mint, &game.token_program),
        create_task_data(0, &game.rules),
    );
    let close = game.close_task_ix();
    game.send(&[close, create], &[&creator]).unwrap();
    game.worker(1_000_000);
}
