//! Who plays: random rules and random steps, most of them sensible, some of them wrong in one place.

use super::game::*;

/// SplitMix64: small, and the same for the same seed.
#[derive(Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// From `least` to `most`, both included.
    pub fn range(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// True in as many of a hundred cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    fn any<T>(&mut self, from: impl Iterator<Item = T>) -> Option<T> {
        let mut all: Vec<T> = from.collect();
        if all.is_empty() {
            return None;
        }
        let at = self.below(all.len() as u64) as usize;
        Some(all.swap_remove(at))
    }
}

pub struct Player {
    dice: Dice,
    stranger: bool,
    /// Steps for which all that is over is closed at once, so that nodes come and go within a slot.
    clearing: u64,
    /// What a game calls a lot of money: from pennies to amounts whose products don't fit 64 bits.
    pub unit: u64,
}

impl Player {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let unit = match dice.below(4) {
            0 => dice.range(1, 40),
            1 => dice.range(1_000, 1_000_000),
            2 => dice.range(1 << 30, 1 << 40),
            _ => dice.range(1 << 45, 1 << 50),
        };
        Self {
            stranger: seed.is_multiple_of(2),
            clearing: 0,
            dice,
            unit,
        }
    }

    /// Whether a stranger closes all there is at the end of the game.
    pub fn is_stranger(&self) -> bool {
        self.stranger
    }

    /// Base units in each wallet at the beginning.
    pub fn purse(&self) -> u64 {
        self.unit * 300
    }

    fn amount(&mut self, least: u64, most: u64) -> u64 {
        self.dice.range(self.unit * least, self.unit * most)
    }

    fn gate(&mut self, task: u8) -> Gate {
        let other = 1 - task;
        match self.dice.below(100) {
            0..=11 => Gate::Allowlist,
            12..=23 => Gate::Token {
                mint: self.dice.pick(&BADGES),
                // What few have, or all.
                least: self.dice.below(3),
            },
            24..=39 if task == 1 => Gate::Standing {
                task: other,
                least: self.dice.below(2),
                most: self.dice.below(2) as u32,
            },
            40..=59 if task == 1 => Gate::Member { task: other },
            60..=76 => Gate::Collection {
                group: self.dice.below(2) as u8,
            },
            _ => Gate::Open,
        }
    }

    /// Rules that `create_task` takes.
    pub fn rules(&mut self, task: u8) -> Rules {
        let dice = &mut self.dice;
        // Short cases in a long window: room for a second and a third audit.
        let short = dice.percent(20);
        let submission = dice.range(1, 40);
        let audit = if short {
            dice.range(40, 120)
        } else {
            dice.range(1, 60)
        };
        let longest = if short { 3 } else { 40 };
        let mut commit = if dice.percent(50) {
            dice.range(1, longest)
        } else {
            0
        };
        let mut reveal = dice.range(1, longest);
        let (appeals, panel) = match dice.below(100) {
            0..=34 => (false, false),
            35..=59 => (true, false),
            _ => (true, true),
        };
        let mut appeal = if appeals { dice.range(1, 40) } else { 0 };
        let seats = if panel { dice.range(3, 7) } else { 0 };
        if panel {
            // The window in which a panel is drawn.
            let window = if commit > 0 { &mut commit } else { &mut reveal };
            *window += PANEL_WINDOW - 1;
            appeal += PANEL_APPEAL - 1;
        }
        let case = audit + commit + reveal;
        let again = if appeals { appeal + commit + reveal } else { 0 };
        let round = submission.max(case)
            + if dice.percent(40) {
                0
            } else {
                dice.range(0, 60)
            };
        let leave_delay = submission
            + case
            + again
            + if dice.percent(50) {
                0
            } else {
                dice.range(0, 80)
            };
        let malice_bps = if dice.percent(20) {
            10_000
        } else {
            dice.range(1, 10_000)
        };
        let downtime_bps = dice.range(0, malice_bps);
        let bonus_bps = dice.range(1, 10_000);
        let pool_bps = dice.range(0, 10_000 - bonus_bps);
        let free = dice.percent(25);
        let worker = self.amount(5, 20);
        let witness = self.amount(2, 12);
        // Up to the least stake, which is all that a node may have.
        let least = worker.min(witness);
        let pledge = |dice: &mut Dice| {
            if dice.percent(20) {
                least
            } else {
                dice.range(1, least.min(self.unit * 6))
            }
        };
        let mut bond = pledge(&mut self.dice);
        let mut appeal_bond = 0;
        if appeals {
            let both = bond.max(2);
            appeal_bond = self.dice.range(1, both - 1);
            bond = both - appeal_bond;
        }
        let most_votes = match seats {
            0 if short => 6,
            0 => 3,
            _ => seats.div_ceil(2).min(3),
        };
        let deposit = if free { 0 } else { pledge(&mut self.dice) };
        let allow_large_stake = self.dice.percent(50);
        let bounty = if allow_large_stake {
            self.dice.range(0, self.unit * 30)
        } else {
            worker.div_ceil(100) + self.amount(0, 10)
        };
        Rules {
            round,
            submission,
            audit,
            commit,
            reveal,
            leave_delay,
            min_stake: [worker, witness],
            bounty,
            bond,
            deposit,
            appeal,
            appeal_bond,
            quorum_votes: self.dice.range(1, most_votes) as u32,
            quorum_bps: match self.dice.below(10) {
                0..=2 => 0,
                // Round shares, which equal stakes can meet to the unit.
                3..=4 => self.dice.pick(&[2_500, 3_333, 5_000]),
                _ => self.dice.range(0, 5_000) as u16,
            },
            downtime_bps: downtime_bps as u16,
            malice_bps: malice_bps as u16,
            bonus_bps: bonus_bps as u16,
            pool_bps: pool_bps as u16,
            seats: seats as u16,
            weight: self.dice.below(2) as u8,
            reward: self.dice.below(2) as u8,
            gates: [self.gate(task), self.gate(task)],
            allow_large_stake,
        }
    }

    /// Rules with something wrong or just at the edge.
    fn bent_rules(&mut self, task: u8) -> Rules {
        let mut rules = self.rules(task);
        for _ in 0..self.dice.range(1, 2) {
            let windows = [rules.audit, rules.commit, rules.reveal];
            let case = windows
                .into_iter()
                .fold(0, u64::saturating_add)
                .min(1 << 40);
            match self.dice.below(42) {
                0 => rules.quorum_bps = self.dice.range(5_000, 5_001) as u16,
                1 => (rules.downtime_bps, rules.malice_bps) = (10_000, 10_001),
                2 => rules.pool_bps = 10_001 - rules.bonus_bps,
                3 => rules.bonus_bps = 0,
                4 => (rules.downtime_bps, rules.malice_bps) = (0, 0),
                5 => rules.downtime_bps = rules.malice_bps + 1,
                6 => rules.bond = 0,
                7 => rules.quorum_votes = 0,
                8 => rules.round = 0,
                9 => rules.submission = 0,
                10 => rules.audit = 0,
                11 => rules.reveal = 0,
                12 => rules.round = 78_840_000 + self.dice.below(2),
                13 => rules.leave_delay = 78_840_000 + self.dice.below(2),
                14 => rules.submission = rules.round + self.dice.below(2),
                15 => rules.round = case.saturating_sub(self.dice.below(2)),
                16 => {
                    let votes = case.saturating_sub(rules.audit);
                    let again = u64::from(rules.appeal > 0) * rules.appeal.saturating_add(votes);
                    let longest = rules.submission.saturating_add(case).saturating_add(again);
                    rules.leave_delay = longest.saturating_sub(self.dice.below(2));
                }
                17 => rules.min_stake[self.dice.below(2) as usize] = 0,
                18 => {
                    rules.allow_large_stake = false;
                    rules.bounty = self.dice.below(self.unit);
                    rules.min_stake[0] = 100 * rules.bounty + self.dice.below(2);
                }
                19 => rules.weight = 2,
                20 => rules.reward = 2,
                21 => rules.gates[self.dice.below(2) as usize] = Gate::Nonsense,
                22 => rules.gates[self.dice.below(2) as usize] = Gate::Keyless,
                23 => rules.commit = u64::MAX - self.dice.below(100),
                24 => rules.audit = u64::MAX,
                25 => rules.bounty = u64::MAX,
                26 => {
                    let least = rules.min_stake[0].min(rules.min_stake[1]);
                    let (own, other) = if rules.appeal > 0 && self.dice.percent(50) {
                        (&mut rules.appeal_bond, rules.bond)
                    } else {
                        (&mut rules.bond, rules.appeal_bond)
                    };
                    *own = least.saturating_sub(other) + self.dice.below(2);
                }
                27 => {
                    rules.deposit = rules.min_stake[0].min(rules.min_stake[1]) + self.dice.below(2)
                }
                // One unit of a slash, or of a bonus, or none.
                28..=29 => {
                    (rules.bond, rules.deposit) = (1, 0);
                    rules.allow_large_stake = true;
                    rules.min_stake[0] = self.dice.range(1, 10_001);
                    let share = |dice: &mut Dice, of: u64| {
                        (10_000u64.div_ceil(of) - dice.below(2)).clamp(1, 10_000) as u16
                    };
                    if self.dice.percent(50) {
                        rules.malice_bps = share(&mut self.dice, rules.min_stake[0]);
                        rules.downtime_bps = self.dice.below(2) as u16 * rules.malice_bps;
                    } else {
                        (rules.downtime_bps, rules.malice_bps) = (0, 10_000);
                        rules.bonus_bps = share(&mut self.dice, rules.min_stake[0]);
                        rules.pool_bps = 0;
                    }
                }
                30..=31 => {
                    rules.gates[self.dice.below(2) as usize] = self.dice.pick(&[
                        Gate::Token {
                            mint: Mint::Money,
                            least: 1,
                        },
                        Gate::Standing {
                            task,
                            least: 0,
                            most: 1,
                        },
                        Gate::Member { task },
                    ])
                }
                32 => rules.seats = self.dice.range(1, 3) as u16,
                33 if self.dice.percent(50) => (rules.appeal, rules.appeal_bond) = (0, 0),
                33 => rules.appeal = PANEL_APPEAL - self.dice.below(2),
                34 => {
                    rules.seats = self.dice.range(3, 8) as u16;
                    rules.quorum_votes = self.dice.range(1, 5) as u32;
                }
                35 => rules.commit = PANEL_WINDOW - self.dice.below(2),
                36 => (rules.commit, rules.reveal) = (0, PANEL_WINDOW - self.dice.below(2)),
                37 => rules.appeal_bond = 0,
                38 => rules.appeal = 0,
                39 => rules.appeal = self.dice.pick(&[u64::MAX, u64::MAX / 2, 1]),
                40 => rules.appeal_bond = self.dice.pick(&[u64::MAX, 1]),
                _ => rules.min_stake = [u64::MAX, 1],
            }
        }
        rules
    }

    /// The next step: time, a gift, or an instruction. Most instructions are ones that the model would take.
    pub fn step(&mut self, world: &World) -> Step {
        if self.clearing > 0 {
            self.clearing -= 1;
            if let Some(ix) = self.clear(world) {
                return Step::Do(ix);
            }
            self.clearing = 0;
            let task = self.task();
            if let Some(owner) = self.gone(world, task) {
                let ix = self.join_of(world, task, owner);
                if world.judge(&ix).is_ok() {
                    return Step::Do(ix);
                }
            }
        } else if self.dice.percent(1) {
            self.clearing = self.dice.range(1, 40);
        }
        if self.dice.percent(4) {
            if self.dice.percent(8) {
                self.clearing = self.dice.range(1, 40);
            }
            return Step::Until(self.later(world));
        }
        if self.dice.percent(1) {
            let (from, amount) = (
                self.dice.below(KEYS as u64) as Key,
                self.dice.below(self.unit),
            );
            if let Some(task) = self.dice.any(world.tasks.keys().copied()) {
                if world.wallets[usize::from(from)] >= amount {
                    return Step::Gift { task, from, amount };
                }
            }
        }
        if self.dice.percent(2) {
            // What its owner may have been let in for.
            let held = world.badges.iter().filter(|(badge, tokens)| {
                matches!(badge.mint, Mint::Member { .. }) && **tokens > 0
            });
            let (badge, to) = (self.dice.any(held.map(|(badge, _)| *badge)), self.owner());
            if let Some(badge) = badge.filter(|badge| badge.owner != to) {
                return Step::Pass { badge, to };
            }
        }
        for _ in 0..16 {
            let mut ix = self.propose(world);
            if self.dice.percent(10) {
                self.twist(world, &mut ix);
            }
            let likely = match world.judge(&ix) {
                Ok(_) => match ix {
                    // What can always be done would soon be all that is done.
                    Ix::SetOperator { .. } | Ix::AllowNode { .. } | Ix::FundTask { .. } => 15,
                    Ix::RequestLeave { .. } => 8,
                    Ix::AddStake { .. } | Ix::CancelLeave { .. } => 40,
                    Ix::RetireTask { task, .. } => match world.tasks[&task].status {
                        Status::Retired => 100,
                        _ => 3,
                    },
                    // Some accusers withhold their secret.
                    Ix::DrawPanel { audit, .. } if is_withheld(audit) => 2,
                    // Rather where there is something to turn.
                    Ix::AppealAudit { audit, .. } => {
                        let said = world.audits[&audit].verdict(world.rules_of(audit));
                        30 + 60 * u64::from(said > Outcome::NoVerdict)
                    }
                    // Some sleep until there is an appeal.
                    Ix::CastVote { audit, node, .. } | Ix::CommitVote { audit, node, .. } => {
                        let appeals = world.rules_of(audit).appeal > 0;
                        let sleeps = appeals && world.audits[&audit].appeal.is_none();
                        let late = (u32::from(node.owner) + audit.index).is_multiple_of(2);
                        if sleeps && late {
                            10
                        } else {
                            100
                        }
                    }
                    // Few audits of most submissions, so that they get votes, and many of some.
                    Ix::OpenAudit { submission, .. } => match world.open_of(submission) {
                        0 => 100,
                        1 => 30,
                        _ => 60 * u64::from(submission.owner == 3) + 10,
                    },
                    _ => 100,
                },
                // What isn't there, or is there already, says little.
                Err(No::Missing | No::InUse) => 2,
                // At most gates few can join at all.
                Err(No::GateClosed)
                    if !matches!(ix, Ix::JoinTask { .. })
                        || matches!(world.gate_of(&ix), Some((Gate::Collection { .. }, ..))) =>
                {
                    40
                }
                Err(_) if matches!(ix, Ix::CreateTask { .. }) => 60,
                Err(_) => 12,
            };
            if self.dice.percent(likely) {
                return Step::Do(ix);
            }
        }
        // Nothing to do now.
        Step::Until(self.later(world))
    }

    /// A later slot: often the next ones, often just before, at or after an edge of some window.
    fn later(&mut self, world: &World) -> Slot {
        let now = world.slot;
        if self.dice.percent(45) {
            return now + self.dice.range(1, 4);
        }
        let mut edges = vec![];
        for (id, task) in &world.tasks {
            let number = (now - task.start) / task.rules.round;
            for number in number.saturating_sub(1)..=number + 1 {
                edges.push(task.round_start(number));
                edges.push(task.submission_end(number));
                edges.push(task.audit_end(number));
            }
            for (_, node) in world.nodes.iter().filter(|(at, _)| at.task == *id) {
                edges.extend([node.leave_slot, node.boxes[0].1, node.boxes[1].1]);
            }
            let nodes = world.nodes.keys().filter(|at| at.task == *id);
            for (slot, _) in nodes.flat_map(|at| world.arrivals(*at)) {
                edges.push(slot + task.rules.longest_case());
            }
            if task.status == Status::Retired {
                edges.push(task.retired + task.rules.leave_delay);
            }
        }
        for (id, audit) in &world.audits {
            if audit.outcome == Outcome::Open {
                // Twice as likely: these are the edges that end a case.
                edges.extend([audit.reveal, audit.end, audit.reveal, audit.end]);
                if audit.draw_slot > 0 && audit.seed.is_none() {
                    edges.extend([audit.draw_slot + 1, audit.draw_slot + DRAW]);
                }
                if audit.appeal.is_none() {
                    edges.push(audit.end + world.rules_of(*id).appeal);
                }
            }
        }
        edges.retain(|edge| edge + 1 > now);
        edges.sort_unstable();
        if edges.is_empty() {
            return now + self.dice.range(1, 20);
        }
        let mut at = 0;
        while at + 1 < edges.len() && self.dice.percent(55) {
            at += 1;
        }
        (edges[at] + self.dice.below(3)).saturating_sub(1).max(now)
    }

    fn task(&mut self) -> u8 {
        u8::from(self.dice.percent(40))
    }

    fn owner(&mut self) -> Key {
        self.dice
            .range((*OWNERS.start()).into(), (*OWNERS.end()).into()) as Key
    }

    fn operator(&mut self) -> Key {
        if self.dice.percent(10) {
            return self.owner();
        }
        self.dice
            .range((*OPERATORS.start()).into(), (*OPERATORS.end()).into()) as Key
    }

    /// Who pays rent: mostly whom it is about.
    fn payer(&mut self, usual: Key) -> Key {
        if self.dice.percent(70) {
            usual
        } else {
            self.key()
        }
    }

    fn key(&mut self) -> Key {
        self.dice.below(KEYS as u64) as Key
    }

    fn wallet(&mut self) -> Wallet {
        self.dice.below(2 * KEYS as u64) as Wallet
    }

    fn node(&mut self, world: &World, task: u8) -> NodeId {
        let owner = self.owner();
        if self.dice.percent(10) {
            if let Some(owner) = self.leaving_owner(world, task) {
                return NodeId { task, owner };
            }
        }
        let some = world.nodes.keys().filter(|id| id.task == task).copied();
        self.dice.any(some).unwrap_or(NodeId { task, owner })
    }

    /// One that leaves the other task with all it has: no member of it any more.
    fn leaving_owner(&mut self, world: &World, task: u8) -> Option<Key> {
        let all = world
            .nodes
            .iter()
            .filter(|(id, node)| id.task != task && node.leaving > 0 && node.active() == 0);
        self.dice.any(all.map(|(id, _)| id.owner))
    }

    fn operator_of(&mut self, world: &World, node: NodeId) -> Key {
        match world.nodes.get(&node) {
            Some(node) => node.operator,
            None => self.operator(),
        }
    }

    fn submission(&mut self, world: &World, task: u8) -> SubmissionId {
        let number = self.current(world, task);
        let owner = self.owner();
        let some = world.submissions.keys().filter(|id| id.round.task == task);
        self.dice.any(some.copied()).unwrap_or(SubmissionId {
            round: RoundId { task, number },
            owner,
        })
    }

    fn audit(&mut self, world: &World, task: u8, open: Option<bool>) -> AuditId {
        let some = world.audits.iter().filter(|(id, audit)| {
            id.task() == task && open.is_none_or(|open| open == (audit.outcome == Outcome::Open))
        });
        match self.dice.any(some.map(|(id, _)| *id)) {
            Some(id) => id,
            None => AuditId {
                submission: self.submission(world, task),
                initiator: self.owner(),
                index: 0,
            },
        }
    }

    fn vote(&mut self, world: &World, task: u8, state: VoteState) -> VoteId {
        let some = world
            .votes
            .iter()
            .filter(|(id, vote)| id.audit.task() == task && vote.state == state);
        match self.dice.any(some.map(|(id, _)| *id)) {
            Some(id) => id,
            None => VoteId {
                audit: self.audit(world, task, None),
                voter: self.owner(),
            },
        }
    }

    fn current(&mut self, world: &World, task: u8) -> u64 {
        world
            .tasks
            .get(&task)
            .map_or(0, |task| (world.slot - task.start) / task.rules.round)
    }

    /// What the node shows at the gate of its role.
    fn shown(&mut self, world: &World, node: NodeId, role: u8) -> Shown {
        let NodeId { task, owner } = node;
        let Some(of) = world.tasks.get(&task) else {
            return Shown::default();
        };
        let proof = match of.rules.gates[usize::from(role.min(1))] {
            Gate::Allowlist => Some(Proof::Entry(EntryId { task, role, owner })),
            Gate::Token { mint, .. } => Some(Proof::Badge(Badge { mint, owner })),
            Gate::Standing { task, .. } | Gate::Member { task } => {
                Some(Proof::Node(NodeId { task, owner }))
            }
            Gate::Collection { group } => return self.badge(world, group, owner),
            _ => None,
        };
        Shown { proof, mint: None }
    }

    fn shown_of(&mut self, world: &World, node: NodeId) -> Shown {
        let role = world.nodes.get(&node).map_or(0, |node| node.role);
        self.shown(world, node, role)
    }

    /// A token of the group's and its mint, or what only looks like that.
    fn badge(&mut self, world: &World, group: u8, owner: Key) -> Shown {
        let number = self.dice.below(2) as u8;
        let of = |number| Badge {
            mint: Mint::Member { group, number },
            owner,
        };
        let mut badge = of(number);
        if world.badges[&badge] == 0 && self.dice.percent(70) {
            badge = of(1 - number);
        }
        let pair = |badge: Badge| Shown {
            proof: Some(Proof::Badge(badge)),
            mint: Some(Proof::Mint(badge.mint)),
        };
        let right = pair(badge);
        if self.dice.percent(75) {
            return right;
        }
        match self.dice.below(8) {
            0..=1 => pair(Badge {
                mint: self.dice.pick(&BADGES),
                owner,
            }),
            2 => pair(Badge {
                owner: self.owner(),
                ..badge
            }),
            3 => Shown {
                proof: None,
                ..right
            },
            4 => Shown {
                mint: None,
                ..right
            },
            5 => Shown {
                mint: Some(Proof::Mint(self.dice.pick(&BADGES))),
                ..right
            },
            6 => Shown {
                proof: right.mint,
                mint: right.proof,
            },
            _ => Shown {
                proof: Some(Proof::Wallet(savings(owner))),
                mint: Some(Proof::Mint(Mint::Money)),
            },
        }
    }

    /// An opinion that leans to the same side for the same audit, so that there are majorities.
    /// After an appeal the side is another one.
    fn opinion(&mut self, world: &World, audit: AuditId) -> u8 {
        let SubmissionId { round, owner } = audit.submission;
        let attempt = u64::from(audit.index);
        let lean = (round.number + 3 * u64::from(owner) + 5 * attempt) % 4;
        let of = world.audits.get(&audit);
        let lean = match (of.is_some_and(|one| one.appeal.is_some()), lean) {
            (false, lean) => lean,
            (true, 0 | 3) => 2 - lean / 3,
            (true, _) => 0,
        };
        if lean < 3 && self.dice.percent(75) {
            lean as u8
        } else {
            self.dice.below(3) as u8
        }
    }

    fn salt_of(vote: VoteId) -> u8 {
        (vote.audit.submission.round.number as u8)
            .wrapping_mul(31)
            .wrapping_add(vote.voter)
    }

    /// An instruction whose accounts belong together, as far as they exist.
    fn propose(&mut self, world: &World) -> Ix {
        let task = self.task();
        if !world.tasks.contains_key(&task) && self.dice.percent(60) {
            return self.create(task);
        }
        let nodes = world.nodes.keys().filter(|id| id.task == task).count();
        // More where those who weren't drawn, or slept, are to come to an appeal.
        let appeals = world
            .tasks
            .get(&task)
            .is_some_and(|one| one.rules.appeal > 0);
        let few = if appeals { 7 } else { 5 };
        if nodes < few && self.dice.percent(60) {
            return self.join(world, task);
        }
        match self.dice.below(100) {
            0..=3 => return self.draw(world, task),
            4..=9 => return self.appeal(world, task),
            _ => {}
        }
        match self.dice.below(1_047) {
            0..=7 => self.create(task),
            8..=17 => Ix::FundTask {
                task,
                funder: 0,
                source: 0,
                vault: task,
                amount: self.amount(0, 20),
            },
            18..=19 => Ix::PauseTask {
                task,
                signer: creator(task),
            },
            21..=31 => Ix::ResumeTask {
                task,
                signer: creator(task),
            },
            20 | 32..=33 => Ix::RetireTask {
                task,
                signer: creator(task),
                vault: task,
                destination: creator(task),
            },
            34..=41 => Ix::CloseTask {
                task,
                vault: task,
                destination: creator(task),
                payer: payer_of(world.tasks.get(&task), |task| task.payer),
            },
            42..=51 => Ix::AllowNode {
                signer: creator(task),
                payer: self.payer(creator(task)),
                entry: EntryId {
                    task,
                    role: self.dice.below(2) as u8,
                    owner: self.owner(),
                },
            },
            52..=57 => {
                let fallback = EntryId {
                    task,
                    role: self.dice.below(2) as u8,
                    owner: self.owner(),
                };
                let entries = world.entries.keys().filter(|id| id.task == task);
                let entry = self.dice.any(entries.copied()).unwrap_or(fallback);
                Ix::DisallowNode {
                    task,
                    signer: creator(task),
                    entry,
                    payer: payer_of(world.entries.get(&entry), |payer| *payer),
                }
            }
            58..=97 => self.join(world, task),
            98..=111 => {
                let mut node = self.node(world, task);
                if self.dice.percent(40) {
                    // One that has added a few times already.
                    let some = world.nodes.keys().filter(|id| id.task == task);
                    let most = some.max_by_key(|id| world.arrivals(**id).len());
                    node = most.copied().unwrap_or(node);
                }
                Ix::AddStake {
                    task,
                    node,
                    signer: node.owner,
                    amount: self.amount(0, 12),
                    source: node.owner,
                    vault: task,
                }
            }
            112..=133 => {
                let node = self.node(world, task);
                let active = world.nodes.get(&node).map_or(0, |node| node.active());
                let minimum = world
                    .tasks
                    .get(&task)
                    .map_or(0, |task| task.rules.min_stake[0]);
                let amount = match self.dice.below(4) {
                    0 => None,
                    1 => Some(active),
                    2 => Some(active.saturating_sub(minimum) + self.dice.below(3)),
                    _ => Some(self.dice.range(0, active / 2)),
                };
                Ix::RequestLeave {
                    task,
                    node,
                    signer: node.owner,
                    amount,
                }
            }
            134..=140 => {
                let node = self.node(world, task);
                Ix::CancelLeave {
                    task,
                    node,
                    signer: node.owner,
                }
            }
            141..=145 => {
                let node = self.node(world, task);
                Ix::Restake {
                    task,
                    node,
                    signer: node.owner,
                }
            }
            146..=164 => {
                let node = self.node(world, task);
                Ix::Withdraw {
                    task,
                    node,
                    signer: node.owner,
                    vault: task,
                    destination: if self.dice.percent(20) {
                        savings(node.owner)
                    } else {
                        node.owner
                    },
                }
            }
            165..=170 => {
                let node = self.node(world, task);
                Ix::ReturnStake {
                    task,
                    node,
                    vault: task,
                    destination: self.dice.pick(&[node.owner, savings(node.owner)]),
                }
            }
            171..=176 => {
                let node = self.node(world, task);
                Ix::SetOperator {
                    node,
                    signer: node.owner,
                    operator: self.operator(),
                }
            }
            177..=306 => {
                let workers = world
                    .nodes
                    .iter()
                    .filter(|(id, node)| id.task == task && node.role == 0);
                let any = self.node(world, task);
                let node = self.dice.any(workers.map(|(id, _)| *id)).unwrap_or(any);
                let number = self.current(world, task);
                let signer = self.operator_of(world, node);
                Ix::SubmitWork {
                    task,
                    payer: self.payer(signer),
                    node,
                    signer,
                    round: RoundId { task, number },
                    number,
                    payload: !self.dice.percent(2),
                    uri: if self.dice.percent(4) {
                        self.dice.range(127, 129) as usize
                    } else {
                        self.dice.below(40) as usize
                    },
                    shown: self.shown_of(world, node),
                }
            }
            307..=416 => {
                let submission = self.submission(world, task);
                let mut initiator = self.node(world, task);
                if self.dice.percent(10) {
                    // One whose bonds are close to what isn't leaving.
                    let some = world.nodes.iter().filter(|(id, node)| {
                        let bonds = world.bonds(**id);
                        id.task == task && bonds > 0 && bonds < node.stake && node.leaving > 0
                    });
                    initiator = self.dice.any(some.map(|(id, _)| *id)).unwrap_or(initiator);
                }
                let signer = self.operator_of(world, initiator);
                Ix::OpenAudit {
                    task,
                    payer: self.payer(signer),
                    submission,
                    round: submission.round,
                    accused: NodeId {
                        task,
                        owner: submission.owner,
                    },
                    initiator,
                    signer,
                    index: world.nodes.get(&initiator).map_or(0, |node| node.audits),
                    accusation: self.dice.range(1, 2) as u8,
                    secret: (!self.dice.percent(2)).then(|| self.dice.below(256) as u8),
                    evidence: self.dice.percent(90),
                    uri: match self.dice.below(20) {
                        0 => self.dice.range(127, 129) as usize,
                        1..=9 => self.dice.below(40) as usize,
                        _ => 0,
                    },
                    proof: self.shown_of(world, initiator).proof,
                }
            }
            417..=716 => {
                let audit = if self.dice.percent(50) {
                    self.audit_that(world, task, |audit| {
                        audit.appeal.is_some() && world.slot < audit.end
                    })
                } else {
                    self.audit(world, task, Some(true))
                };
                let mut node = self.node(world, task);
                if self.dice.percent(60) {
                    node = self.seated(world, audit).unwrap_or(node);
                }
                let signer = self.operator_of(world, node);
                let payer = self.payer(signer);
                let opinion = self.opinion(world, audit);
                let proof = self.shown_of(world, node).proof;
                let committed = world
                    .tasks
                    .get(&task)
                    .is_some_and(|task| task.rules.commit > 0);
                if committed != self.dice.percent(3) {
                    let vote = VoteId {
                        audit,
                        voter: node.owner,
                    };
                    Ix::CommitVote {
                        task,
                        payer,
                        audit,
                        node,
                        signer,
                        sealed: self.sealed(world, vote, opinion),
                        proof,
                    }
                } else {
                    Ix::CastVote {
                        task,
                        payer,
                        audit,
                        node,
                        signer,
                        opinion,
                        proof,
                    }
                }
            }
            717..=836 => {
                let vote = self.vote(world, task, VoteState::Committed);
                let node = NodeId {
                    task,
                    owner: vote.voter,
                };
                let sealed = world.votes.get(&vote).and_then(|vote| vote.sealed);
                let (opinion, salt) = sealed.map_or((0, 0), |one| (one.opinion, one.salt));
                Ix::RevealVote {
                    audit: vote.audit,
                    node,
                    vote,
                    opinion,
                    salt,
                }
            }
            837..=896 => self.resolve(world, task),
            897..=956 => {
                let state = if self.dice.percent(85) {
                    VoteState::Revealed
                } else {
                    VoteState::Committed
                };
                let vote = self.vote(world, task, state);
                Ix::ClaimVote {
                    task,
                    audit: vote.audit,
                    vote,
                    node: NodeId {
                        task,
                        owner: vote.voter,
                    },
                }
            }
            957..=986 => {
                let submission = self.submission(world, task);
                Ix::ClaimBounty {
                    task,
                    round: submission.round,
                    submission,
                    node: NodeId {
                        task,
                        owner: submission.owner,
                    },
                }
            }
            987..=1006 => {
                let vote = self.vote(world, task, VoteState::Claimed);
                Ix::CloseVote {
                    audit: vote.audit,
                    node: NodeId {
                        task,
                        owner: vote.voter,
                    },
                    vote,
                    payer: world.votes.get(&vote).map_or(9, |vote| vote.payer),
                }
            }
            1007..=1018 => {
                let audit = self.audit(world, task, Some(false));
                let of = world.audits.get(&audit);
                Ix::CloseAudit {
                    submission: audit.submission,
                    initiator: NodeId {
                        task,
                        owner: audit.initiator,
                    },
                    audit,
                    payer: payer_of(of, |audit| audit.payer),
                }
            }
            1019..=1030 => {
                let submission = self.submission(world, task);
                Ix::CloseSubmission {
                    task,
                    round: submission.round,
                    node: NodeId {
                        task,
                        owner: submission.owner,
                    },
                    submission,
                    payer: world
                        .submissions
                        .get(&submission)
                        .map_or(9, |one| one.payer),
                }
            }
            1031..=1038 => {
                let fallback = RoundId { task, number: 0 };
                let rounds = world.rounds.keys().filter(|id| id.task == task);
                let round = self.dice.any(rounds.copied()).unwrap_or(fallback);
                Ix::CloseRound {
                    task,
                    round,
                    payer: world.rounds.get(&round).map_or(9, |one| one.payer),
                }
            }
            _ => {
                let node = self.node(world, task);
                Ix::CloseNode {
                    closer: if self.dice.percent(70) {
                        node.owner
                    } else {
                        self.key()
                    },
                    task,
                    node,
                    payer: payer_of(world.nodes.get(&node), |node| node.payer),
                }
            }
        }
    }

    pub fn create(&mut self, task: u8) -> Ix {
        let bent = self.dice.percent(85);
        let mut uri = || {
            if self.dice.percent(4) {
                self.dice.range(127, 129) as usize
            } else {
                self.dice.below(30) as usize
            }
        };
        let uris = [uri(), uri()];
        Ix::CreateTask {
            task,
            payer: self.payer(creator(task)),
            rules: Box::new(if bent {
                self.bent_rules(task)
            } else {
                self.rules(task)
            }),
            audit_function: !self.dice.percent(3),
            uris,
        }
    }

    fn join(&mut self, world: &World, task: u8) -> Ix {
        let mut owner = self.owner();
        if self.dice.percent(15) {
            owner = self.leaving_owner(world, task).unwrap_or(owner);
        }
        self.join_of(world, task, owner)
    }

    /// Somebody who lost all and left in this very slot.
    fn gone(&mut self, world: &World, task: u8) -> Option<Key> {
        let gone = world.histories.iter().filter(|(id, history)| {
            let now = history.last().is_some_and(|last| last.slot == world.slot);
            id.task == task && now && !world.nodes.contains_key(id)
        });
        self.dice.any(gone.map(|(id, _)| id.owner))
    }

    fn join_of(&mut self, world: &World, task: u8, owner: Key) -> Ix {
        let role = u8::from(self.dice.percent(45));
        let node = NodeId { task, owner };
        let minimum = world
            .tasks
            .get(&task)
            .map_or(0, |task| task.rules.min_stake[usize::from(role)]);
        let amount = match self.dice.below(10) {
            0..=2 => minimum.saturating_mul(self.dice.range(1, 2)),
            3 => minimum.saturating_sub(1),
            _ => minimum.saturating_add(self.amount(0, 40)),
        };
        Ix::JoinTask {
            node,
            payer: self.payer(owner),
            role: if self.dice.percent(2) { 2 } else { role },
            operator: self.operator(),
            amount,
            source: owner,
            vault: task,
            shown: self.shown(world, node, role),
        }
    }

    fn resolve(&mut self, world: &World, task: u8) -> Ix {
        let audit = self.audit(world, task, Some(true));
        let mut ix = resolution(world, audit);
        if let Ix::ResolveAudit {
            accused,
            initiator,
            appellant,
            ..
        } = &mut ix
        {
            // Another than the one who appealed, or one who is named already.
            if appellant.is_some() && self.dice.percent(30) {
                let other = self.node(world, task);
                let any = [Some(*accused), Some(*initiator), Some(other), None];
                *appellant = self.dice.pick(&any);
            }
        }
        ix
    }

    /// An open audit of which this holds, mostly; else any.
    fn audit_that(&mut self, world: &World, task: u8, holds: impl Fn(&Audit) -> bool) -> AuditId {
        let some = world.audits.iter().filter(|(id, audit)| {
            id.task() == task && audit.outcome == Outcome::Open && holds(audit)
        });
        let some = self.dice.any(some.map(|(id, _)| *id));
        match some {
            Some(id) if self.dice.percent(85) => id,
            _ => self.audit(world, task, Some(true)),
        }
    }

    /// With the right secret, mostly.
    fn draw(&mut self, world: &World, task: u8) -> Ix {
        let audit = self.audit_that(world, task, |audit| {
            let end = audit.draw_slot + DRAW;
            audit.seed.is_none() && audit.draw_slot < world.slot && world.slot < end
        });
        let secret = world.audits.get(&audit).and_then(|one| one.secret);
        let wrong = u8::from(self.dice.percent(10));
        Ix::DrawPanel {
            audit,
            secret: secret.unwrap_or(0).wrapping_add(wrong),
        }
    }

    /// By the accused, the accuser or any node.
    fn appeal(&mut self, world: &World, task: u8) -> Ix {
        let audit = self.audit_that(world, task, |audit| {
            audit.appeal.is_none() && audit.end <= world.slot
        });
        let owner = match self.dice.below(10) {
            0..=3 => audit.submission.owner,
            4..=5 => audit.initiator,
            _ => self.node(world, task).owner,
        };
        let node = NodeId { task, owner };
        Ix::AppealAudit {
            task,
            audit,
            node,
            signer: self.operator_of(world, node),
        }
    }

    /// A node with a seat on the panel that was drawn for the audit.
    fn seated(&mut self, world: &World, audit: AuditId) -> Option<NodeId> {
        let of = world.audits.get(&audit)?;
        if !of.is_panel() {
            return None;
        }
        let nodes = world.nodes.iter().filter(|(id, node)| {
            id.task == audit.task() && world.has_seat(audit, id.owner, node.active())
        });
        self.dice.any(nodes.map(|(id, _)| *id))
    }

    fn sealed(&mut self, world: &World, vote: VoteId, opinion: u8) -> Option<Sealed> {
        let own = Sealed {
            audit: vote.audit,
            voter: vote.voter,
            opinion,
            salt: Self::salt_of(vote),
        };
        match self.dice.below(100) {
            0..=2 => None,
            // A copy of another's.
            3..=6 => world
                .votes_of(vote.audit)
                .find_map(|(_, other)| other.sealed)
                .or(Some(own)),
            7..=8 => Some(Sealed { opinion: 3, ..own }),
            _ => Some(own),
        }
    }

    /// Makes one thing about an instruction wrong, or at least another.
    fn twist(&mut self, world: &World, ix: &mut Ix) {
        let key = self.key();
        let other_task = self.task();
        let (node, submission) = (
            self.node(world, other_task),
            self.submission(world, other_task),
        );
        let audit = self.audit(world, other_task, None);
        let state = self.dice.pick(&[
            VoteState::Committed,
            VoteState::Revealed,
            VoteState::Claimed,
        ]);
        let vote = self.vote(world, other_task, state);
        let amount = self
            .dice
            .pick(&[0, 1, self.unit * 299, u64::MAX, u64::MAX / 2, self.unit]);
        let any = self.wallet();
        let wallet = self.dice.pick(&[FOREIGN, any]);
        let mut show = self.shown_of(world, node);
        show.proof = match self.dice.below(5) {
            0 => None,
            1 => Some(Proof::Node(node)),
            2 => Some(Proof::Wallet(wallet)),
            3 => Some(Proof::Entry(EntryId {
                task: other_task,
                role: self.dice.below(2) as u8,
                owner: node.owner,
            })),
            _ => show.proof,
        };
        if self.dice.percent(20) {
            let mint = Proof::Mint(self.dice.pick(&BADGES));
            let any = self.dice.pick(&[
                mint,
                Proof::Mint(Mint::Money),
                Proof::Node(node),
                Proof::Wallet(wallet),
            ]);
            show.mint = Some(any);
        }
        let bad = self.dice.below(5) as u8;
        let which = self.dice.below(7);
        match ix {
            Ix::CreateTask { audit_function, .. } => *audit_function = false,
            Ix::FundTask {
                funder,
                source,
                vault,
                amount: of,
                ..
            } => match which {
                0 => *funder = key,
                1 => *source = wallet,
                2 => *vault = 1 - *vault,
                _ => *of = amount,
            },
            Ix::PauseTask { signer, .. }
            | Ix::ResumeTask { signer, .. }
            | Ix::AllowNode { signer, .. } => *signer = key,
            Ix::RetireTask {
                signer,
                vault,
                destination,
                ..
            }
            | Ix::CloseTask {
                payer: signer,
                vault,
                destination,
                ..
            } => match which {
                0 => *vault = 1 - *vault,
                1 => *destination = wallet,
                _ => *signer = key,
            },
            Ix::DisallowNode {
                signer,
                task,
                payer,
                ..
            } => match which {
                0..=1 => *task = 1 - *task,
                2..=3 => *payer = key,
                _ => *signer = key,
            },
            Ix::JoinTask {
                source,
                vault,
                amount: of,
                shown,
                role,
                ..
            } => match which {
                0 | 1 => *source = wallet,
                2 => *vault = 1 - *vault,
                3 => *of = amount,
                4 => *role = bad,
                _ => *shown = show,
            },
            Ix::AddStake {
                task,
                node: of,
                signer,
                amount: added,
                source,
                vault,
            } => match which {
                0 => *task = 1 - *task,
                1 => *of = node,
                2 => *signer = key,
                3 => *source = wallet,
                4 => *vault = 1 - *vault,
                _ => *added = amount,
            },
            Ix::RequestLeave {
                task,
                node: of,
                signer,
                amount: part,
            } => match which {
                0 => *task = 1 - *task,
                1 => *of = node,
                2 => *signer = key,
                _ => *part = Some(amount),
            },
            Ix::CancelLeave {
                task,
                node: of,
                signer,
            }
            | Ix::Restake {
                task,
                node: of,
                signer,
            } => match which {
                0..=2 => *task = 1 - *task,
                3 => *of = node,
                _ => *signer = key,
            },
            Ix::Withdraw {
                task,
                node: of,
                signer,
                vault,
                destination,
            } => match which {
                0 => *task = 1 - *task,
                1 => *of = node,
                2 => *signer = key,
                3 => *vault = 1 - *vault,
                _ => *destination = wallet,
            },
            Ix::ReturnStake {
                task,
                node: of,
                vault,
                destination,
            } => match which {
                0 => *task = 1 - *task,
                1 => *of = node,
                2 => *vault = 1 - *vault,
                _ => *destination = wallet,
            },
            Ix::SetOperator { signer, .. } => *signer = key,
            Ix::SubmitWork {
                task,
                node: of,
                signer,
                round,
                number,
                payload,
                uri,
                shown,
                ..
            } => match self.dice.below(9) {
                0 => *task = 1 - *task,
                1 => *of = node,
                2 => *signer = key,
                3 => {
                    *number = number.wrapping_add(self.dice.pick(&[1, u64::MAX]));
                    round.number = *number;
                }
                4 => *payload = false,
                5 => *uri = 129,
                6 => *round = submission.round,
                7 => round.number += 1,
                _ => *shown = show,
            },
            Ix::OpenAudit {
                task,
                submission: of,
                round,
                accused,
                initiator,
                signer,
                index,
                accusation,
                secret,
                evidence,
                uri,
                proof,
                ..
            } => match self.dice.below(12) {
                0 => *task = 1 - *task,
                1 => *of = submission,
                2 => *round = submission.round,
                3 => *accused = node,
                4 => *initiator = *accused,
                5 => *signer = key,
                6 => *index = self.dice.below(4) as u32,
                7 => *accusation = bad,
                8 => *secret = None,
                9 => (*evidence, *uri) = (false, 1),
                10 => *uri = 129,
                _ => *proof = show.proof,
            },
            Ix::DrawPanel { audit: of, secret } => match which {
                0..=2 => *of = audit,
                _ => *secret = secret.wrapping_add(1),
            },
            Ix::AppealAudit {
                task,
                audit: of,
                node: by,
                signer,
            } => match which {
                0..=1 => *task = 1 - *task,
                2..=3 => *of = audit,
                4..=5 => *by = node,
                _ => *signer = key,
            },
            Ix::CastVote {
                task,
                audit: of,
                node: voter,
                signer,
                opinion,
                proof,
                ..
            } => match which {
                0 => *task = 1 - *task,
                1 => *of = audit,
                2 => *voter = node,
                3 => *signer = key,
                4 => *opinion = bad,
                _ => *proof = show.proof,
            },
            Ix::CommitVote {
                task,
                audit: of,
                node: voter,
                signer,
                sealed,
                proof,
                ..
            } => match which {
                0 => *task = 1 - *task,
                1 => *of = audit,
                2 => *voter = node,
                3 => *signer = key,
                4 => *sealed = None,
                _ => *proof = show.proof,
            },
            Ix::RevealVote {
                audit: of,
                node: voter,
                vote: at,
                opinion,
                salt,
            } => match which {
                0 => *of = audit,
                1 => *voter = node,
                2 => *at = vote,
                3 | 4 => *opinion = bad,
                _ => *salt = salt.wrapping_add(1),
            },
            Ix::ResolveAudit {
                task,
                audit: of,
                submission: about,
                round,
                accused,
                initiator,
                appellant,
            } => match self.dice.below(10) {
                0 => *task = 1 - *task,
                1 => *of = audit,
                2 => *about = submission,
                3 => *round = submission.round,
                4 => *accused = node,
                5 => *initiator = node,
                6 => *appellant = Some(node),
                7 => *appellant = None,
                8 => *appellant = Some(self.dice.pick(&[*accused, *initiator])),
                _ => std::mem::swap(accused, initiator),
            },
            Ix::ClaimVote {
                task,
                audit: of,
                vote: at,
                node: voter,
            } => match which {
                0 | 1 => *task = 1 - *task,
                2 | 3 => *of = audit,
                4 => *at = vote,
                _ => *voter = node,
            },
            Ix::ClaimBounty {
                task,
                round,
                submission: of,
                node: worker,
            } => match which {
                0 => *task = 1 - *task,
                1 | 2 => *round = submission.round,
                3 => *of = submission,
                _ => *worker = node,
            },
            Ix::CloseVote {
                audit: of,
                node: voter,
                vote: at,
                payer,
            } => match which {
                0 | 1 => *of = audit,
                2 | 3 => *voter = node,
                4 => *at = vote,
                _ => *payer = key,
            },
            Ix::CloseAudit {
                submission: about,
                initiator,
                audit: of,
                payer,
            } => match which {
                0 | 1 => *about = submission,
                2 | 3 => *initiator = node,
                4 => *of = audit,
                _ => *payer = key,
            },
            Ix::CloseSubmission {
                task,
                round,
                node: worker,
                submission: of,
                payer,
            } => match which {
                0 => *task = 1 - *task,
                1 => *round = submission.round,
                2 | 3 => *worker = node,
                4 => *of = submission,
                _ => *payer = key,
            },
            Ix::CloseRound { task, payer, round } => match which {
                0 | 1 => *task = 1 - *task,
                2 => *round = submission.round,
                _ => *payer = key,
            },
            Ix::CloseNode {
                closer,
                task,
                node: of,
                payer,
            } => match which {
                0 => *task = 1 - *task,
                1 => *of = node,
                2 => *payer = key,
                _ => *closer = key,
            },
        }
    }

    /// Whether a stranger tries what it may not do yet.
    pub fn tries(&mut self, ix: &Ix) -> bool {
        let early = matches!(ix, Ix::ReturnStake { .. } | Ix::DisallowNode { .. });
        early && self.dice.percent(20)
    }

    /// Ends or closes something that is over.
    fn clear(&mut self, world: &World) -> Option<Ix> {
        let mut all = self.wind_down(world, true);
        all.retain_mut(|ix| match ix {
            Ix::ReturnStake { .. }
            | Ix::DisallowNode { .. }
            | Ix::RetireTask { .. }
            | Ix::CloseTask { .. } => false,
            Ix::CloseNode { closer, node, .. } => {
                *closer = node.owner;
                true
            }
            _ => true,
        });
        all.into_iter().find(|ix| world.judge(ix).is_ok())
    }

    /// What is left to do to end every case and to close every account, as far as the model takes it at this slot, in any order. By a
    /// stranger: but for retiring, only what anyone may do.
    pub fn wind_down(&mut self, world: &World, stranger: bool) -> Vec<Ix> {
        let mut all = vec![];
        for id in world.audits.keys() {
            all.push(resolution(world, *id));
            let audit = &world.audits[id];
            all.push(Ix::CloseAudit {
                submission: id.submission,
                initiator: NodeId {
                    task: id.task(),
                    owner: id.initiator,
                },
                audit: *id,
                payer: audit.payer,
            });
        }
        for (id, vote) in &world.votes {
            let node = NodeId {
                task: id.audit.task(),
                owner: id.voter,
            };
            all.push(Ix::ClaimVote {
                task: node.task,
                audit: id.audit,
                vote: *id,
                node,
            });
            all.push(Ix::CloseVote {
                audit: id.audit,
                node,
                vote: *id,
                payer: vote.payer,
            });
        }
        for (id, submission) in &world.submissions {
            let node = NodeId {
                task: id.round.task,
                owner: id.owner,
            };
            all.push(Ix::ClaimBounty {
                task: node.task,
                round: id.round,
                submission: *id,
                node,
            });
            all.push(Ix::CloseSubmission {
                task: node.task,
                round: id.round,
                node,
                submission: *id,
                payer: submission.payer,
            });
        }
        for (id, round) in &world.rounds {
            all.push(Ix::CloseRound {
                task: id.task,
                round: *id,
                payer: round.payer,
            });
        }
        for (id, node) in &world.nodes {
            if stranger {
                all.push(Ix::ReturnStake {
                    task: id.task,
                    node: *id,
                    vault: id.task,
                    destination: self.dice.pick(&[id.owner, savings(id.owner)]),
                });
            } else {
                all.push(Ix::RequestLeave {
                    task: id.task,
                    node: *id,
                    signer: id.owner,
                    amount: None,
                });
                all.push(Ix::Withdraw {
                    task: id.task,
                    node: *id,
                    signer: id.owner,
                    vault: id.task,
                    destination: id.owner,
                });
            }
            all.push(Ix::CloseNode {
                closer: if stranger { STRANGER } else { self.key() },
                task: id.task,
                node: *id,
                payer: node.payer,
            });
        }
        for (id, payer) in &world.entries {
            all.push(Ix::DisallowNode {
                task: id.task,
                signer: if stranger { STRANGER } else { creator(id.task) },
                entry: *id,
                payer: *payer,
            });
        }
        for (task, state) in &world.tasks {
            let task = *task;
            let signer = creator(task);
            all.push(Ix::CloseTask {
                task,
                vault: task,
                destination: signer,
                payer: state.payer,
            });
            if state.status != Status::Retired {
                all.push(Ix::RetireTask {
                    task,
                    signer,
                    vault: task,
                    destination: signer,
                });
            }
        }
        for at in (1..all.len()).rev() {
            all.swap(at, self.dice.below(at as u64 + 1) as usize);
        }
        all
    }
}

/// Who paid for an account, where it exists.
fn payer_of<T>(account: Option<&T>, payer: impl Fn(&T) -> Key) -> Key {
    account.map_or(9, payer)
}

/// Whether the accuser keeps the secret of this audit.
fn is_withheld(audit: AuditId) -> bool {
    (audit.submission.round.number + u64::from(audit.submission.owner) + u64::from(audit.initiator))
        .is_multiple_of(3)
}

fn resolution(world: &World, audit: AuditId) -> Ix {
    let task = audit.task();
    let of = world.audits.get(&audit).and_then(|one| one.appeal);
    let third =
        of.filter(|one| ![audit.submission.owner, audit.initiator].contains(&one.appellant));
    Ix::ResolveAudit {
        task,
        audit,
        submission: audit.submission,
        round: audit.submission.round,
        accused: NodeId {
            task,
            owner: audit.submission.owner,
        },
        initiator: NodeId {
            task,
            owner: audit.initiator,
        },
        appellant: third.map(|one| NodeId {
            task,
            owner: one.appellant,
        }),
    }
}
