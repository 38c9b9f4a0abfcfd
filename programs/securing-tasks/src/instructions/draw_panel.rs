use crate::{account::Account, events::PanelDrawn, slot_hashes::first_block_from, state::Audit};
use anchor_lang::prelude::*;

/// Anyone who knows the initiator's secret may draw: no signature but the fee payer's.
#[derive(Accounts)]
pub struct DrawPanel {
    #[account(mut)]
    pub audit: Account<Audit>,
}

impl DrawPanel {
    pub fn handle(&mut self, secret: &[u8; 32]) -> Result<()> {
        let slot = Clock::get()?.slot;
        self.audit.require_drawing(slot)?;
        let block = first_block_from(self.audit.draw_slot.get())?;

        let address = *self.audit.address();
        self.audit.draw(&address, secret, &block)?;
        self.audit.invariant()?;

        PanelDrawn {
            task: self.audit.task,
            audit: address,
            seed: self.audit.seed,
            slot,
        }
        .log();
        Ok(())
    }
}
