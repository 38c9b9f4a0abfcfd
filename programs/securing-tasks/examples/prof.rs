#[path = "../tests/common/mod.rs"]
mod common;
use common::*;
use securing_tasks::RulesArgs;
use solana_signer::Signer;
fn cu(s: Sent) -> u64 {
    s.unwrap().compute_units_consumed
}
fn main() {
    for commit in [0u64, 50] {
        let mut game = Game::new(RulesArgs {
            commit_slots: commit,
            reveal_slots: 200 - commit,
            ..rules()
        });
        let accused = game.worker(4_000_000);
        let initiator = game.witness(2_000_000);
        let voters: Vec<_> = (0..12).map(|_| game.witness(2_000_000)).collect();
        game.warp(START + 1);
        let _ = accused.owner.pubkey();
        println!("submit {}", cu(game.submit_work(&accused, 0)));
        println!("open {}", cu(game.open_audit(&initiator, &accused, 0, 2)));
        let audit = game.audit(&accused, 0, 0);
        let mut low = u64::MAX;
        for v in &voters {
            let c = if commit > 0 {
                game.commit_vote(v, &audit, 2, [9; 32])
            } else {
                game.cast_vote(v, &audit, 2)
            };
            low = low.min(cu(c));
        }
        println!("vote {commit}: {} of 3160", low);
        if commit > 0 {
            game.warp(START + 60);
            println!(
                "reveal {}",
                cu(game.reveal_vote(&voters[0], &audit, 2, [9; 32]))
            );
        }
        game.warp(START + 300);
        println!("resolve {}", cu(game.resolve_audit(&audit)));
        println!("claim {}", cu(game.claim_vote(&voters[0], &audit)));
        println!("claim {}", cu(game.claim_vote(&voters[1], &audit)));
    }
}
