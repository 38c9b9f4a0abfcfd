// Generated from the program by `npm run idl`. Do not edit.

/**
 * The program's IDL with names in camelCase, as a type. It is not the IDL itself: that is `securing_tasks.json`.
 */
export type SecuringTasks = {
  "address": "5keaxc4yHqGYy8zeiL9AauZhM4TjDPBHJfWPWhXxQoC5",
  "metadata": {
    "name": "securingTasks",
    "version": "0.1.0",
    "spec": "0.1.0",
    "description": "Audited, staked work on Solana: anonymous nodes work, audit one another, vote and slash"
  },
  "instructions": [
    {
      "name": "addStake",
      "docs": [
        "Adds to a node's stake. It votes only on submissions made after it, and what was there before is as old as it was. By the owner.",
        "",
        "Errors: `AmountZero`, `TaskRetired`, `StakeAddedTooOften` for a fifth arrival within one longest case."
      ],
      "discriminator": [
        58,
        135,
        189,
        105,
        160,
        120,
        165,
        224
      ],
      "accounts": [
        {
          "name": "owner",
          "signer": true
        },
        {
          "name": "task",
          "writable": true
        },
        {
          "name": "node",
          "writable": true
        },
        {
          "name": "mint",
          "relations": [
            "task"
          ]
        },
        {
          "name": "source",
          "writable": true
        },
        {
          "name": "vault",
          "writable": true,
          "relations": [
            "task"
          ]
        },
        {
          "name": "tokenProgram"
        }
      ],
      "args": [
        {
          "name": "amount",
          "type": "u64"
        }
      ]
    },
    {
      "name": "allowNode",
      "docs": [
        "Puts an owner on the allowlist of a role (0 worker, 1 witness). By the creator; the payer pays the rent.",
        "",
        "Errors: `UnknownRole`."
      ],
      "discriminator": [
        19,
        132,
        68,
        237,
        121,
        73,
        216,
        138
      ],
      "accounts": [
        {
          "name": "payer",
          "docs": [
            "Pays the rent; the creator itself or anybody else."
          ],
          "writable": true,
          "signer": true
        },
        {
          "name": "creator",
          "signer": true
        },
        {
          "name": "task",
          "writable": true
        },
        {
          "name": "entry",
          "writable": true
        },
        {
          "name": "systemProgram",
          "address": "11111111111111111111111111111111"
        }
      ],
      "args": [
        {
          "name": "role",
          "type": "u8"
        },
        {
          "name": "owner",
          "type": "pubkey"
        }
      ]
    },
    {
      "name": "appealAudit",
      "docs": [
        "Opens an audit once more, to everybody eligible: votes that are in stay, and the full count decides if it comes to a verdict, else the",
        "first count's stands. Pledges the appeal's bond out of the stake; an appeal that changes nothing loses it to the voters. By the",
        "operator of any node of the task.",
        "",
        "Errors: `AppealClosed`, `AlreadyAppealed`, `StakePledged`, `StakeAtRisk`."
      ],
      "discriminator": [
        17,
        202,
        186,
        112,
        53,
        107,
        239,
        56
      ],
      "accounts": [
        {
          "name": "operator",
          "signer": true
        },
        {
          "name": "task"
        },
        {
          "name": "audit",
          "writable": true
        },
        {
          "name": "node",
          "writable": true
        }
      ],
      "args": []
    },
    {
      "name": "cancelLeave",
      "docs": [
        "Takes the request to leave back; the stake is as young as what comes now. By the owner.",
        "",
        "Errors: `NothingLeaving`, `StakeAddedTooOften`."
      ],
      "discriminator": [
        249,
        45,
        35,
        98,
        26,
        243,
        178,
        81
      ],
      "accounts": [
        {
          "name": "owner",
          "signer": true
        },
        {
          "name": "task",
          "writable": true
        },
        {
          "name": "node",
          "writable": true
        }
      ],
      "args": []
    },
    {
      "name": "castVote",
      "docs": [
        "Votes valid (0), downtime (1) or malice (2), once and for good. By the operator; the payer pays the rent.",
        "",
        "Errors: `VotesAreCommitted`, `GateClosed`, `UnknownVerdict`, `VotingClosed`, `AccusedCannotVote`, `InitiatorAlreadyVoted`, `JoinedAfterSubmission`,",
        "`StakeTooRecent`, `PanelNotDrawn`, `NotSeated`."
      ],
      "discriminator": [
        20,
        212,
        15,
        189,
        69,
        180,
        69,
        151
      ],
      "accounts": [
        {
          "name": "payer",
          "docs": [
            "Pays the rent and gets it back; the operator itself or anybody else, so that a hot key needs no lamport."
          ],
          "writable": true,
          "signer": true
        },
        {
          "name": "operator",
          "signer": true
        },
        {
          "name": "task"
        },
        {
          "name": "audit",
          "writable": true
        },
        {
          "name": "node",
          "writable": true
        },
        {
          "name": "vote",
          "writable": true
        },
        {
          "name": "gateProof",
          "docs": [
            "The node's entry where the gate is an allowlist; absent else."
          ],
          "optional": true
        },
        {
          "name": "systemProgram",
          "address": "11111111111111111111111111111111"
        }
      ],
      "args": [
        {
          "name": "opinion",
          "type": "u8"
        }
      ]
    },
    {
      "name": "claimBounty",
      "docs": [
        "Credits a worker with its equal part of the round's reserve, once no audit of the round can change it. By anyone.",
        "",
        "Errors: `RoundUndecided`, `ConvictedEarnsNothing`, `AlreadyPaid`."
      ],
      "discriminator": [
        225,
        157,
        163,
        238,
        239,
        169,
        75,
        226
      ],
      "accounts": [
        {
          "name": "task"
        },
        {
          "name": "round",
          "writable": true
        },
        {
          "name": "submission",
          "writable": true
        },
        {
          "name": "node",
          "writable": true
        }
      ],
      "args": []
    },
    {
      "name": "claimVote",
      "docs": [
        "Credits one voter's share, or takes the deposit of a commitment that was never revealed. By anyone, to the voter.",
        "",
        "Errors: `NotResolved`, `AlreadyClaimed`."
      ],
      "discriminator": [
        142,
        82,
        211,
        173,
        147,
        246,
        121,
        89
      ],
      "accounts": [
        {
          "name": "task",
          "writable": true
        },
        {
          "name": "audit",
          "writable": true
        },
        {
          "name": "vote",
          "writable": true
        },
        {
          "name": "node",
          "writable": true
        }
      ],
      "args": []
    },
    {
      "name": "closeAudit",
      "docs": [
        "Closes a resolved audit whose votes are closed. By anyone; the rent goes to its payer.",
        "",
        "Errors: `NotResolved`, `NotEmpty`."
      ],
      "discriminator": [
        99,
        36,
        33,
        237,
        36,
        184,
        126,
        218
      ],
      "accounts": [
        {
          "name": "submission",
          "writable": true,
          "relations": [
            "audit"
          ]
        },
        {
          "name": "initiator",
          "writable": true
        },
        {
          "name": "audit",
          "writable": true
        },
        {
          "name": "payer",
          "writable": true,
          "relations": [
            "audit"
          ]
        }
      ],
      "args": []
    },
    {
      "name": "closeNode",
      "docs": [
        "Closes a node that owns nothing and that nothing needs. By its owner, by anyone once the task is retired; the rent goes to its",
        "payer.",
        "",
        "Errors: `NotRetired`, `NotEmpty`."
      ],
      "discriminator": [
        19,
        61,
        232,
        69,
        247,
        135,
        255,
        107
      ],
      "accounts": [
        {
          "name": "closer",
          "signer": true
        },
        {
          "name": "task",
          "writable": true
        },
        {
          "name": "node",
          "writable": true
        },
        {
          "name": "payer",
          "writable": true,
          "relations": [
            "node"
          ]
        }
      ],
      "args": []
    },
    {
      "name": "closeRound",
      "docs": [
        "Closes a round whose submissions are closed; what nobody earned goes back to the pool. By anyone; the rent goes to its payer.",
        "",
        "Errors: `NotEmpty`."
      ],
      "discriminator": [
        149,
        14,
        81,
        88,
        230,
        226,
        234,
        37
      ],
      "accounts": [
        {
          "name": "task",
          "writable": true
        },
        {
          "name": "round",
          "writable": true
        },
        {
          "name": "payer",
          "writable": true,
          "relations": [
            "round"
          ]
        }
      ],
      "args": []
    },
    {
      "name": "closeSubmission",
      "docs": [
        "Closes a submission that was paid or convicted and whose audits are closed. By anyone; the rent goes to its payer.",
        "",
        "Errors: `RoundUndecided` while the round's work can be audited, `NotEmpty`."
      ],
      "discriminator": [
        204,
        237,
        166,
        65,
        57,
        7,
        11,
        105
      ],
      "accounts": [
        {
          "name": "task",
          "relations": [
            "submission"
          ]
        },
        {
          "name": "round",
          "writable": true
        },
        {
          "name": "node",
          "writable": true
        },
        {
          "name": "submission",
          "writable": true
        },
        {
          "name": "payer",
          "writable": true,
          "relations": [
            "submission"
          ]
        }
      ],
      "args": []
    },
    {
      "name": "closeTask",
      "docs": [
        "Closes a retired task without nodes, rounds and entries, with its vault. By anyone; the vault's tokens go to an account of the",
        "creator, the rent to its payer.",
        "",
        "Errors: `NotRetired`, `NotEmpty`, `NotCreator` for an account of somebody else."
      ],
      "discriminator": [
        55,
        234,
        77,
        69,
        245,
        208,
        54,
        167
      ],
      "accounts": [
        {
          "name": "task",
          "writable": true
        },
        {
          "name": "mint",
          "relations": [
            "task"
          ]
        },
        {
          "name": "vault",
          "writable": true,
          "relations": [
            "task"
          ]
        },
        {
          "name": "destination",
          "writable": true
        },
        {
          "name": "payer",
          "writable": true,
          "relations": [
            "task"
          ]
        },
        {
          "name": "tokenProgram"
        }
      ],
      "args": []
    },
    {
      "name": "closeVote",
      "docs": [
        "Closes a claimed vote. By anyone; the rent goes to its payer.",
        "",
        "Errors: `NotEmpty`."
      ],
      "discriminator": [
        137,
        152,
        87,
        249,
        170,
        239,
        133,
        59
      ],
      "accounts": [
        {
          "name": "audit",
          "writable": true,
          "relations": [
            "vote"
          ]
        },
        {
          "name": "node",
          "writable": true
        },
        {
          "name": "vote",
          "writable": true
        },
        {
          "name": "payer",
          "writable": true,
          "relations": [
            "vote"
          ]
        }
      ],
      "args": []
    },
    {
      "name": "commitVote",
      "docs": [
        "Commits to a vote, once and for good, where the task has a commit window: SHA-256 of tag, program, audit, voter, verdict and",
        "salt. Pledges the deposit out of the stake until the vote is revealed. By the operator; the payer pays the rent.",
        "",
        "Errors: those of `cast_vote`, `VotesAreOpen`, `CommitmentMissing`."
      ],
      "discriminator": [
        134,
        97,
        90,
        126,
        91,
        66,
        16,
        26
      ],
      "accounts": [
        {
          "name": "payer",
          "docs": [
            "Pays the rent and gets it back; the operator itself or anybody else, so that a hot key needs no lamport."
          ],
          "writable": true,
          "signer": true
        },
        {
          "name": "operator",
          "signer": true
        },
        {
          "name": "task"
        },
        {
          "name": "audit",
          "writable": true
        },
        {
          "name": "node",
          "writable": true
        },
        {
          "name": "vote",
          "writable": true
        },
        {
          "name": "gateProof",
          "docs": [
            "The node's entry where the gate is an allowlist; absent else."
          ],
          "optional": true
        },
        {
          "name": "systemProgram",
          "address": "11111111111111111111111111111111"
        }
      ],
      "args": [
        {
          "name": "commitment",
          "type": {
            "array": [
              "u8",
              32
            ]
          }
        }
      ]
    },
    {
      "name": "createTask",
      "docs": [
        "Makes a task with its vault; its rules never change. By its creator; the payer pays the rent.",
        "",
        "Errors: one for each rule out of bounds, a missing audit function, a URI over 128 bytes, a mint that moves without us."
      ],
      "discriminator": [
        194,
        80,
        6,
        180,
        232,
        127,
        48,
        171
      ],
      "accounts": [
        {
          "name": "payer",
          "docs": [
            "Pays the rent; the creator itself or anybody else, since a creator can be a program's account that holds data."
          ],
          "writable": true,
          "signer": true
        },
        {
          "name": "creator",
          "signer": true
        },
        {
          "name": "task",
          "writable": true,
          "pda": {
            "seeds": [
              {
                "kind": "const",
                "value": [
                  116,
                  97,
                  115,
                  107
                ]
              },
              {
                "kind": "account",
                "path": "creator"
              },
              {
                "kind": "arg",
                "path": "id"
              }
            ]
          }
        },
        {
          "name": "mint"
        },
        {
          "name": "vault",
          "writable": true,
          "pda": {
            "seeds": [
              {
                "kind": "const",
                "value": [
                  118,
                  97,
                  117,
                  108,
                  116
                ]
              },
              {
                "kind": "account",
                "path": "task"
              }
            ]
          }
        },
        {
          "name": "tokenProgram"
        },
        {
          "name": "systemProgram",
          "address": "11111111111111111111111111111111"
        }
      ],
      "args": [
        {
          "name": "id",
          "type": "u64"
        },
        {
          "name": "rules",
          "type": {
            "defined": {
              "name": "rulesArgs"
            }
          }
        },
        {
          "name": "auditFunctionHash",
          "type": {
            "array": [
              "u8",
              32
            ]
          }
        },
        {
          "name": "auditFunctionUri",
          "type": "string"
        },
        {
          "name": "taskFunctionHash",
          "type": {
            "array": [
              "u8",
              32
            ]
          }
        },
        {
          "name": "taskFunctionUri",
          "type": "string"
        }
      ]
    },
    {
      "name": "disallowNode",
      "docs": [
        "Takes an owner off the allowlist of a role; the rent goes to its payer. By the creator, by anyone one leave delay after the task was",
        "retired. It never keeps a node from leaving.",
        "",
        "Errors: `NotCreator`."
      ],
      "discriminator": [
        66,
        17,
        201,
        129,
        16,
        93,
        207,
        76
      ],
      "accounts": [
        {
          "name": "remover",
          "signer": true
        },
        {
          "name": "task",
          "writable": true
        },
        {
          "name": "entry",
          "writable": true
        },
        {
          "name": "payer",
          "writable": true,
          "relations": [
            "entry"
          ]
        }
      ],
      "args": []
    },
    {
      "name": "drawPanel",
      "docs": [
        "Draws the panel of an audit with the initiator's secret and the first block at or after `draw_slot`, within 256 slots. Not drawn by",
        "then, everybody eligible may vote. By anyone who knows the secret.",
        "",
        "Errors: `NoPanel`, `AlreadyDrawn`, `DrawTooEarly`, `DrawTooLate`, `SecretMismatch`."
      ],
      "discriminator": [
        220,
        133,
        115,
        121,
        118,
        184,
        138,
        66
      ],
      "accounts": [
        {
          "name": "audit",
          "writable": true
        }
      ],
      "args": [
        {
          "name": "secret",
          "type": {
            "array": [
              "u8",
              32
            ]
          }
        }
      ]
    },
    {
      "name": "fundTask",
      "docs": [
        "Adds to the bounty pool. By anyone.",
        "",
        "Errors: `AmountZero`, `TaskRetired`."
      ],
      "discriminator": [
        188,
        87,
        71,
        120,
        11,
        238,
        84,
        232
      ],
      "accounts": [
        {
          "name": "funder",
          "signer": true
        },
        {
          "name": "task",
          "writable": true
        },
        {
          "name": "mint",
          "relations": [
            "task"
          ]
        },
        {
          "name": "source",
          "writable": true
        },
        {
          "name": "vault",
          "writable": true,
          "relations": [
            "task"
          ]
        },
        {
          "name": "tokenProgram"
        }
      ],
      "args": [
        {
          "name": "amount",
          "type": "u64"
        }
      ]
    },
    {
      "name": "joinTask",
      "docs": [
        "Makes a node (role 0 worker, 1 witness) with its first stake. By its owner; the payer pays the rent.",
        "",
        "`start_slot` is the task's as the owner read it: a creator can close an empty task and make another at its address, but not in",
        "the past. Whoever reads confirmed slots alone can't be shown two tasks of one slot.",
        "",
        "Errors: `TaskPaused`, `TaskRetired`, `TaskReplaced`, `UnknownRole`, `GateClosed`, `StakeBelowMinimum`."
      ],
      "discriminator": [
        191,
        47,
        43,
        190,
        28,
        195,
        5,
        50
      ],
      "accounts": [
        {
          "name": "payer",
          "docs": [
            "Pays the rent; the owner itself or anybody else, since an owner can be a program's account that holds data."
          ],
          "writable": true,
          "signer": true
        },
        {
          "name": "owner",
          "signer": true
        },
        {
          "name": "task",
          "writable": true
        },
        {
          "name": "node",
          "writable": true,
          "pda": {
            "seeds": [
              {
                "kind": "const",
                "value": [
                  110,
                  111,
                  100,
                  101
                ]
              },
              {
                "kind": "account",
                "path": "task"
              },
              {
                "kind": "account",
                "path": "owner"
              }
            ]
          }
        },
        {
          "name": "mint",
          "relations": [
            "task"
          ]
        },
        {
          "name": "source",
          "writable": true
        },
        {
          "name": "vault",
          "writable": true,
          "relations": [
            "task"
          ]
        },
        {
          "name": "tokenProgram"
        },
        {
          "name": "gateProof",
          "docs": [
            "What the gate asks for; absent for an open one."
          ],
          "optional": true
        },
        {
          "name": "gateMint",
          "optional": true
        },
        {
          "name": "systemProgram",
          "address": "11111111111111111111111111111111"
        }
      ],
      "args": [
        {
          "name": "role",
          "type": "u8"
        },
        {
          "name": "operator",
          "type": "pubkey"
        },
        {
          "name": "amount",
          "type": "u64"
        },
        {
          "name": "startSlot",
          "type": "u64"
        }
      ]
    },
    {
      "name": "openAudit",
      "docs": [
        "Accuses a submission of downtime (1) or malice (2): the initiator's vote, with a bond pledged out of its stake. Whatever other audits",
        "are open. By the operator; the payer pays the rent. With the SHA-256 of the evidence and where it is to be had, or zeros and nothing. Where",
        "the task draws panels, with the SHA-256 of a secret that draws it, else zeros.",
        "",
        "Seed: \"an audit can be called by any other node which has a stake in that task\".",
        "",
        "Errors: `TaskPaused`, `GateClosed`, `UnknownVerdict`, `AuditWindowClosed`, `SecretHashMissing`, `UriTooLong`, `EvidenceHashMissing`,",
        "`AlreadyDecided`, `JoinedAfterSubmission`, `StakeTooRecent`,",
        "`StakePledged` where the bonds of the node's own open accusations would be over its stake."
      ],
      "discriminator": [
        65,
        14,
        22,
        226,
        250,
        187,
        3,
        166
      ],
      "accounts": [
        {
          "name": "payer",
          "docs": [
            "Pays the rent and gets it back; the operator itself or anybody else, so that a hot key needs no lamport."
          ],
          "writable": true,
          "signer": true
        },
        {
          "name": "operator",
          "signer": true
        },
        {
          "name": "task"
        },
        {
          "name": "submission",
          "writable": true
        },
        {
          "name": "round",
          "writable": true
        },
        {
          "name": "accused",
          "writable": true
        },
        {
          "name": "initiator",
          "writable": true
        },
        {
          "name": "audit",
          "writable": true
        },
        {
          "name": "gateProof",
          "docs": [
            "The node's entry where the gate is an allowlist; absent else."
          ],
          "optional": true
        },
        {
          "name": "systemProgram",
          "address": "11111111111111111111111111111111"
        }
      ],
      "args": [
        {
          "name": "accusation",
          "type": "u8"
        },
        {
          "name": "secretHash",
          "type": {
            "array": [
              "u8",
              32
            ]
          }
        },
        {
          "name": "evidenceHash",
          "type": {
            "array": [
              "u8",
              32
            ]
          }
        },
        {
          "name": "evidenceUri",
          "type": "string"
        }
      ]
    },
    {
      "name": "pauseTask",
      "docs": [
        "Stops joins, submissions and new audits; verdicts, claims and withdrawals go on. By the creator.",
        "",
        "Errors: `TaskPaused`, `TaskRetired`."
      ],
      "discriminator": [
        195,
        75,
        29,
        99,
        185,
        143,
        150,
        67
      ],
      "accounts": [
        {
          "name": "creator",
          "signer": true
        },
        {
          "name": "task",
          "writable": true
        }
      ],
      "args": []
    },
    {
      "name": "requestLeave",
      "docs": [
        "Asks for stake to leave after the leave delay: a part, or with none given all. It can be slashed until withdrawn. By the",
        "owner.",
        "",
        "Errors: `AmountZero`, `StakeTooSmall`, `StakeBelowMinimum` where a part would stay that is below the role's minimum."
      ],
      "discriminator": [
        25,
        112,
        92,
        69,
        219,
        248,
        146,
        134
      ],
      "accounts": [
        {
          "name": "owner",
          "signer": true
        },
        {
          "name": "task",
          "writable": true
        },
        {
          "name": "node",
          "writable": true
        }
      ],
      "args": [
        {
          "name": "amount",
          "type": {
            "option": "u64"
          }
        }
      ]
    },
    {
      "name": "resolveAudit",
      "docs": [
        "Decides an audit after its last vote and the time to appeal, and shares slash and bonds. Audits of one submission are decided in the order in which they were",
        "opened. By anyone.",
        "",
        "Where another node than the accused's and the initiator's appealed, it follows the accounts, writable.",
        "",
        "Errors: `VotingOpen`, `AppealOpen`, `AlreadyResolved`, `EarlierAuditOpen`, `WrongNode` without the appellant's node."
      ],
      "discriminator": [
        99,
        156,
        167,
        146,
        183,
        57,
        248,
        153
      ],
      "accounts": [
        {
          "name": "task",
          "writable": true
        },
        {
          "name": "audit",
          "writable": true
        },
        {
          "name": "submission",
          "writable": true,
          "relations": [
            "audit"
          ]
        },
        {
          "name": "round",
          "writable": true
        },
        {
          "name": "accused",
          "writable": true
        },
        {
          "name": "initiator",
          "writable": true
        }
      ],
      "args": []
    },
    {
      "name": "restake",
      "docs": [
        "Makes stake of what is payable and of shares whose lock is over, without a transfer. It votes like stake that is added now. By the",
        "owner.",
        "",
        "Errors: `TaskRetired`, `NothingToRestake`, `StakeAddedTooOften`."
      ],
      "discriminator": [
        97,
        161,
        241,
        167,
        6,
        32,
        213,
        53
      ],
      "accounts": [
        {
          "name": "owner",
          "signer": true
        },
        {
          "name": "task",
          "writable": true
        },
        {
          "name": "node",
          "writable": true
        }
      ],
      "args": []
    },
    {
      "name": "resumeTask",
      "docs": [
        "Ends a pause. By the creator.",
        "",
        "Errors: `NotPaused`, `TaskRetired`."
      ],
      "discriminator": [
        126,
        0,
        69,
        204,
        128,
        254,
        127,
        138
      ],
      "accounts": [
        {
          "name": "creator",
          "signer": true
        },
        {
          "name": "task",
          "writable": true
        }
      ],
      "args": []
    },
    {
      "name": "retireTask",
      "docs": [
        "Ends a task for ever: no new nodes and no new work. What is in the pool goes back to the creator; call it again for what",
        "later verdicts add. Audits of what was submitted, verdicts, claims and withdrawals go on: else a creator could shield a",
        "worker by retiring. By the creator.",
        "",
        "Errors: `NotCreator`."
      ],
      "discriminator": [
        57,
        201,
        234,
        226,
        61,
        195,
        119,
        189
      ],
      "accounts": [
        {
          "name": "creator",
          "signer": true
        },
        {
          "name": "task",
          "writable": true
        },
        {
          "name": "mint",
          "relations": [
            "task"
          ]
        },
        {
          "name": "vault",
          "writable": true,
          "relations": [
            "task"
          ]
        },
        {
          "name": "destination",
          "writable": true
        },
        {
          "name": "tokenProgram"
        }
      ],
      "args": []
    },
    {
      "name": "returnStake",
      "docs": [
        "Pays a node of a retired task out to its owner, one leave delay after the end: stake, shares and what is payable. By anyone, to",
        "a token account of the owner.",
        "",
        "Errors: `NotRetired`, `NotReleased`, `NodeAccused`, `StakePledged`, `NothingToWithdraw`, `NotOwner`."
      ],
      "discriminator": [
        3,
        215,
        138,
        21,
        62,
        190,
        15,
        219
      ],
      "accounts": [
        {
          "name": "task",
          "writable": true
        },
        {
          "name": "node",
          "writable": true
        },
        {
          "name": "mint",
          "relations": [
            "task"
          ]
        },
        {
          "name": "vault",
          "writable": true,
          "relations": [
            "task"
          ]
        },
        {
          "name": "destination",
          "writable": true
        },
        {
          "name": "tokenProgram"
        }
      ],
      "args": []
    },
    {
      "name": "revealVote",
      "docs": [
        "Opens a committed vote in the reveal window. One that stays shut loses its deposit. By anyone who knows the salt.",
        "",
        "Errors: `UnknownVerdict`, `VotingClosed`, `RevealWindowMissed`, `AlreadyRevealed`, `CommitmentMismatch`."
      ],
      "discriminator": [
        100,
        157,
        139,
        17,
        186,
        75,
        185,
        149
      ],
      "accounts": [
        {
          "name": "audit",
          "writable": true,
          "relations": [
            "vote"
          ]
        },
        {
          "name": "node",
          "writable": true
        },
        {
          "name": "vote",
          "writable": true
        }
      ],
      "args": [
        {
          "name": "opinion",
          "type": "u8"
        },
        {
          "name": "salt",
          "type": {
            "array": [
              "u8",
              32
            ]
          }
        }
      ]
    },
    {
      "name": "setOperator",
      "docs": [
        "Names another hot key. By the owner."
      ],
      "discriminator": [
        238,
        153,
        101,
        169,
        243,
        131,
        36,
        1
      ],
      "accounts": [
        {
          "name": "owner",
          "signer": true
        },
        {
          "name": "node",
          "writable": true
        }
      ],
      "args": [
        {
          "name": "operator",
          "type": "pubkey"
        }
      ]
    },
    {
      "name": "submitWork",
      "docs": [
        "Submits work for the current round, once. By the operator; the payer pays the rent.",
        "",
        "Errors: `TaskPaused`, `TaskRetired`, `GateClosed`, `WitnessCannotSubmit`, `PayloadMissing`, `UriTooLong`, `StakeBelowMinimum`, `RoundNotCurrent`,",
        "`SubmissionWindowClosed`."
      ],
      "discriminator": [
        158,
        80,
        101,
        51,
        114,
        130,
        101,
        253
      ],
      "accounts": [
        {
          "name": "payer",
          "docs": [
            "Pays the rent and gets it back; the operator itself or anybody else, so that a hot key needs no lamport."
          ],
          "writable": true,
          "signer": true
        },
        {
          "name": "operator",
          "signer": true
        },
        {
          "name": "task",
          "writable": true
        },
        {
          "name": "node",
          "writable": true
        },
        {
          "name": "round",
          "docs": [
            "The round, made by its first submission. Found by what it holds, since looking for its address costs more than the rest;",
            "looked for once, when it is made."
          ],
          "writable": true
        },
        {
          "name": "submission",
          "writable": true
        },
        {
          "name": "gateProof",
          "docs": [
            "What the gate asks for; absent for an open one."
          ],
          "optional": true
        },
        {
          "name": "gateMint",
          "optional": true
        },
        {
          "name": "systemProgram",
          "address": "11111111111111111111111111111111"
        }
      ],
      "args": [
        {
          "name": "roundNumber",
          "type": "u64"
        },
        {
          "name": "payloadHash",
          "type": {
            "array": [
              "u8",
              32
            ]
          }
        },
        {
          "name": "payloadUri",
          "type": "string"
        }
      ]
    },
    {
      "name": "withdraw",
      "docs": [
        "Pays out stake whose leave delay is over (none of it while the node stands accused, and as much as is pledged stays), shares whose",
        "lock is over, and what else is payable. By the owner.",
        "",
        "Errors: `NodeAccused`, `StakePledged`, `NothingToWithdraw`."
      ],
      "discriminator": [
        183,
        18,
        70,
        156,
        148,
        109,
        161,
        34
      ],
      "accounts": [
        {
          "name": "owner",
          "signer": true
        },
        {
          "name": "task"
        },
        {
          "name": "node",
          "writable": true
        },
        {
          "name": "mint",
          "relations": [
            "task"
          ]
        },
        {
          "name": "vault",
          "writable": true,
          "relations": [
            "task"
          ]
        },
        {
          "name": "destination",
          "writable": true
        },
        {
          "name": "tokenProgram"
        }
      ],
      "args": []
    }
  ],
  "accounts": [
    {
      "name": "allowEntry",
      "discriminator": [
        3,
        29,
        6,
        254,
        2,
        209,
        219,
        245
      ]
    },
    {
      "name": "audit",
      "discriminator": [
        242,
        65,
        202,
        147,
        141,
        103,
        253,
        134
      ]
    },
    {
      "name": "node",
      "discriminator": [
        208,
        53,
        1,
        3,
        49,
        122,
        180,
        49
      ]
    },
    {
      "name": "round",
      "discriminator": [
        87,
        127,
        165,
        51,
        73,
        78,
        116,
        174
      ]
    },
    {
      "name": "submission",
      "discriminator": [
        58,
        194,
        159,
        158,
        75,
        102,
        178,
        197
      ]
    },
    {
      "name": "task",
      "discriminator": [
        79,
        34,
        229,
        55,
        88,
        90,
        55,
        84
      ]
    },
    {
      "name": "vote",
      "discriminator": [
        96,
        91,
        104,
        57,
        145,
        35,
        172,
        155
      ]
    }
  ],
  "events": [
    {
      "name": "accountClosed",
      "discriminator": [
        19,
        250,
        79,
        236,
        91,
        80,
        148,
        48
      ]
    },
    {
      "name": "auditAppealed",
      "discriminator": [
        197,
        199,
        15,
        212,
        111,
        236,
        74,
        212
      ]
    },
    {
      "name": "auditOpened",
      "discriminator": [
        172,
        152,
        196,
        171,
        228,
        153,
        165,
        68
      ]
    },
    {
      "name": "auditResolved",
      "discriminator": [
        215,
        121,
        174,
        128,
        166,
        80,
        230,
        20
      ]
    },
    {
      "name": "bountyClaimed",
      "discriminator": [
        140,
        202,
        21,
        51,
        211,
        65,
        142,
        21
      ]
    },
    {
      "name": "leaveCancelled",
      "discriminator": [
        136,
        55,
        22,
        184,
        64,
        85,
        186,
        248
      ]
    },
    {
      "name": "leaveRequested",
      "discriminator": [
        148,
        9,
        135,
        226,
        236,
        112,
        86,
        36
      ]
    },
    {
      "name": "nodeAllowed",
      "discriminator": [
        216,
        19,
        113,
        97,
        52,
        132,
        145,
        182
      ]
    },
    {
      "name": "nodeDisallowed",
      "discriminator": [
        156,
        67,
        173,
        192,
        243,
        50,
        30,
        246
      ]
    },
    {
      "name": "nodeJoined",
      "discriminator": [
        35,
        74,
        119,
        72,
        217,
        149,
        140,
        149
      ]
    },
    {
      "name": "operatorSet",
      "discriminator": [
        187,
        242,
        164,
        221,
        208,
        246,
        180,
        178
      ]
    },
    {
      "name": "panelDrawn",
      "discriminator": [
        165,
        19,
        185,
        162,
        177,
        32,
        193,
        198
      ]
    },
    {
      "name": "restaked",
      "discriminator": [
        39,
        138,
        227,
        90,
        188,
        62,
        50,
        192
      ]
    },
    {
      "name": "stakeAdded",
      "discriminator": [
        139,
        170,
        134,
        90,
        22,
        96,
        23,
        193
      ]
    },
    {
      "name": "stakeReturned",
      "discriminator": [
        114,
        52,
        93,
        73,
        157,
        205,
        19,
        0
      ]
    },
    {
      "name": "taskCreated",
      "discriminator": [
        49,
        174,
        6,
        7,
        71,
        159,
        69,
        175
      ]
    },
    {
      "name": "taskFunded",
      "discriminator": [
        215,
        0,
        224,
        16,
        151,
        4,
        3,
        195
      ]
    },
    {
      "name": "taskPaused",
      "discriminator": [
        232,
        234,
        126,
        175,
        247,
        58,
        235,
        160
      ]
    },
    {
      "name": "taskResumed",
      "discriminator": [
        222,
        81,
        119,
        160,
        7,
        5,
        124,
        96
      ]
    },
    {
      "name": "taskRetired",
      "discriminator": [
        16,
        223,
        221,
        238,
        0,
        114,
        23,
        65
      ]
    },
    {
      "name": "voteCast",
      "discriminator": [
        39,
        53,
        195,
        104,
        188,
        17,
        225,
        213
      ]
    },
    {
      "name": "voteClaimed",
      "discriminator": [
        202,
        182,
        222,
        239,
        140,
        97,
        35,
        245
      ]
    },
    {
      "name": "voteCommitted",
      "discriminator": [
        74,
        67,
        158,
        48,
        168,
        230,
        217,
        77
      ]
    },
    {
      "name": "voteRevealed",
      "discriminator": [
        104,
        162,
        140,
        194,
        213,
        217,
        117,
        179
      ]
    },
    {
      "name": "withdrawn",
      "discriminator": [
        20,
        89,
        223,
        198,
        194,
        124,
        219,
        13
      ]
    },
    {
      "name": "workSubmitted",
      "discriminator": [
        136,
        185,
        210,
        174,
        216,
        140,
        64,
        125
      ]
    }
  ],
  "errors": [
    {
      "code": 6000,
      "name": "overflow",
      "msg": "The amount does not fit the ledger"
    },
    {
      "code": 6001,
      "name": "invariantBroken",
      "msg": "The account would break its own rules"
    },
    {
      "code": 6002,
      "name": "amountZero",
      "msg": "The amount must be above zero"
    },
    {
      "code": 6003,
      "name": "auditFunctionMissing",
      "msg": "The audit function has no SHA-256"
    },
    {
      "code": 6004,
      "name": "uriTooLong",
      "msg": "The URI is longer than 128 bytes"
    },
    {
      "code": 6005,
      "name": "bondZero",
      "msg": "The initiator's bond must be above zero"
    },
    {
      "code": 6006,
      "name": "sharesOverWhole",
      "msg": "A share or slash is over 10,000 basis points"
    },
    {
      "code": 6007,
      "name": "bonusZero",
      "msg": "The initiator's bonus must be above zero"
    },
    {
      "code": 6008,
      "name": "slashZero",
      "msg": "The slash for malice must be above zero"
    },
    {
      "code": 6009,
      "name": "maliceBelowDowntime",
      "msg": "The slash for malice is below the slash for downtime"
    },
    {
      "code": 6010,
      "name": "quorumZero",
      "msg": "The quorum must ask for at least one vote besides the initiator's"
    },
    {
      "code": 6011,
      "name": "windowZero",
      "msg": "A round, submission, audit or reveal window is zero slots long"
    },
    {
      "code": 6012,
      "name": "submissionWindowTooLong",
      "msg": "The submission window is longer than the round"
    },
    {
      "code": 6013,
      "name": "auditWindowsTooLong",
      "msg": "Audit, commit and reveal windows together are longer than a round"
    },
    {
      "code": 6014,
      "name": "leaveDelayTooShort",
      "msg": "The leave delay is shorter than submission, audit, commit and reveal windows together, and with appeals the appeal, commit and reveal windows once more"
    },
    {
      "code": 6015,
      "name": "minimumStakeZero",
      "msg": "The minimum stake must be above zero for workers and for witnesses"
    },
    {
      "code": 6016,
      "name": "stakeOverBounty",
      "msg": "The worker's minimum stake is over 100 rounds' bounties; allow it in so many words or lower it"
    },
    {
      "code": 6017,
      "name": "unknownRule",
      "msg": "Vote weight, reward rule or gate is not one that exists"
    },
    {
      "code": 6018,
      "name": "gateKeyMissing",
      "msg": "The gate lacks its mint, collection or task"
    },
    {
      "code": 6019,
      "name": "mintTransferFee",
      "msg": "The mint charges transfer fees"
    },
    {
      "code": 6020,
      "name": "mintTransferHook",
      "msg": "The mint calls a program at every transfer"
    },
    {
      "code": 6021,
      "name": "mintPermanentDelegate",
      "msg": "The mint has a permanent delegate who can take tokens"
    },
    {
      "code": 6022,
      "name": "mintNonTransferable",
      "msg": "The mint's tokens can't be transferred"
    },
    {
      "code": 6023,
      "name": "mintPausable",
      "msg": "The mint can be paused"
    },
    {
      "code": 6024,
      "name": "mintConfidentialTransfer",
      "msg": "The mint has confidential transfers"
    },
    {
      "code": 6025,
      "name": "mintDefaultFrozen",
      "msg": "The mint freezes new accounts"
    },
    {
      "code": 6026,
      "name": "mintClosable",
      "msg": "The mint can be closed and made anew with other rules"
    },
    {
      "code": 6027,
      "name": "mintExtensionUnknown",
      "msg": "The mint has an extension that this program does not know"
    },
    {
      "code": 6028,
      "name": "mintMismatch",
      "msg": "The mint is not the task's mint"
    },
    {
      "code": 6029,
      "name": "tokenProgramMismatch",
      "msg": "The token program does not own the task's mint"
    },
    {
      "code": 6030,
      "name": "vaultMismatch",
      "msg": "The vault is not the task's vault"
    },
    {
      "code": 6031,
      "name": "wrongTask",
      "msg": "The account belongs to another task"
    },
    {
      "code": 6032,
      "name": "wrongNode",
      "msg": "The node does not belong to this audit, vote or submission"
    },
    {
      "code": 6033,
      "name": "wrongSubmission",
      "msg": "The submission does not belong to this audit"
    },
    {
      "code": 6034,
      "name": "wrongRound",
      "msg": "The round is not the submission's"
    },
    {
      "code": 6035,
      "name": "wrongAudit",
      "msg": "The vote does not belong to this audit"
    },
    {
      "code": 6036,
      "name": "notCreator",
      "msg": "Only the task's creator may do this"
    },
    {
      "code": 6037,
      "name": "notOwner",
      "msg": "Only the node's owner may do this"
    },
    {
      "code": 6038,
      "name": "notOperator",
      "msg": "Only the node's operator may do this"
    },
    {
      "code": 6039,
      "name": "taskRetired",
      "msg": "The task is retired"
    },
    {
      "code": 6040,
      "name": "unknownRole",
      "msg": "The role must be worker or witness"
    },
    {
      "code": 6041,
      "name": "stakeBelowMinimum",
      "msg": "The stake would be below the minimum of the role"
    },
    {
      "code": 6042,
      "name": "stakeTooSmall",
      "msg": "More than the node's stake that is not leaving"
    },
    {
      "code": 6043,
      "name": "stakePledged",
      "msg": "The stake is pledged to the node's own open accusations or unrevealed votes; they end with verdict and claim"
    },
    {
      "code": 6044,
      "name": "nothingLeaving",
      "msg": "No stake is leaving"
    },
    {
      "code": 6045,
      "name": "nothingToWithdraw",
      "msg": "Nothing can be withdrawn yet"
    },
    {
      "code": 6046,
      "name": "nodeAccused",
      "msg": "The node stands accused; resolve the audit first"
    },
    {
      "code": 6047,
      "name": "witnessCannotSubmit",
      "msg": "Witnesses do not submit work"
    },
    {
      "code": 6048,
      "name": "payloadMissing",
      "msg": "The payload has no SHA-256"
    },
    {
      "code": 6049,
      "name": "roundNotCurrent",
      "msg": "The round is not the current one"
    },
    {
      "code": 6050,
      "name": "submissionWindowClosed",
      "msg": "The submission window of the round is over"
    },
    {
      "code": 6051,
      "name": "unknownVerdict",
      "msg": "The fault or verdict is not one that exists"
    },
    {
      "code": 6052,
      "name": "auditWindowClosed",
      "msg": "The audit window of the submission is over"
    },
    {
      "code": 6053,
      "name": "earlierAuditOpen",
      "msg": "An audit of the submission that was opened before is to be resolved first"
    },
    {
      "code": 6054,
      "name": "alreadyDecided",
      "msg": "The submission is convicted of this already, or of worse"
    },
    {
      "code": 6055,
      "name": "stakeAddedTooOften",
      "msg": "Stake came to this node four times within one case already; a further part would make it all young"
    },
    {
      "code": 6056,
      "name": "joinedAfterSubmission",
      "msg": "The node joined at or after the submission's slot"
    },
    {
      "code": 6057,
      "name": "stakeTooRecent",
      "msg": "The node held less than its minimum stake before the submission's slot"
    },
    {
      "code": 6058,
      "name": "accusedCannotVote",
      "msg": "The accused can't vote on itself"
    },
    {
      "code": 6059,
      "name": "initiatorAlreadyVoted",
      "msg": "The initiator's accusation is its vote"
    },
    {
      "code": 6060,
      "name": "votingClosed",
      "msg": "Votes are not taken at this slot"
    },
    {
      "code": 6061,
      "name": "votingOpen",
      "msg": "Votes are still taken"
    },
    {
      "code": 6062,
      "name": "alreadyResolved",
      "msg": "The audit is resolved already"
    },
    {
      "code": 6063,
      "name": "notResolved",
      "msg": "The audit is not resolved yet"
    },
    {
      "code": 6064,
      "name": "alreadyClaimed",
      "msg": "The vote is claimed already"
    },
    {
      "code": 6065,
      "name": "windowTooLong",
      "msg": "A round or leave delay is longer than 78,840,000 slots, about a year"
    },
    {
      "code": 6066,
      "name": "taskPaused",
      "msg": "The task is paused"
    },
    {
      "code": 6067,
      "name": "notPaused",
      "msg": "The task is not paused"
    },
    {
      "code": 6068,
      "name": "notRetired",
      "msg": "The task is not retired"
    },
    {
      "code": 6069,
      "name": "gateClosed",
      "msg": "The owner does not pass the task's gate for this role"
    },
    {
      "code": 6070,
      "name": "votesAreCommitted",
      "msg": "Votes of this task are committed first; cast_vote is for open votes"
    },
    {
      "code": 6071,
      "name": "votesAreOpen",
      "msg": "Votes of this task are open; use cast_vote"
    },
    {
      "code": 6072,
      "name": "commitmentMissing",
      "msg": "The commitment is all zeros"
    },
    {
      "code": 6073,
      "name": "commitmentMismatch",
      "msg": "Verdict and salt are not those of the commitment"
    },
    {
      "code": 6074,
      "name": "alreadyRevealed",
      "msg": "The vote is revealed already"
    },
    {
      "code": 6075,
      "name": "roundUndecided",
      "msg": "The round's last audit is not decided yet"
    },
    {
      "code": 6076,
      "name": "convictedEarnsNothing",
      "msg": "The submission was convicted and earns nothing"
    },
    {
      "code": 6077,
      "name": "alreadyPaid",
      "msg": "The bounty is claimed already"
    },
    {
      "code": 6078,
      "name": "notEmpty",
      "msg": "Something is still owed or depends on this account"
    },
    {
      "code": 6079,
      "name": "wrongPayer",
      "msg": "The payer is not the one who paid the rent"
    },
    {
      "code": 6080,
      "name": "taskReplaced",
      "msg": "The task is not the one that was read: it was made again at its address, perhaps with other rules"
    },
    {
      "code": 6081,
      "name": "slashFloorsToZero",
      "msg": "The slash of the worker's minimum stake floors to zero"
    },
    {
      "code": 6082,
      "name": "bonusFloorsToZero",
      "msg": "The initiator's bonus of the least slash for malice floors to zero"
    },
    {
      "code": 6083,
      "name": "pledgeOverMinimum",
      "msg": "Both bonds together, or the deposit, are over a role's minimum stake: a node at its minimum could not accuse, appeal or vote"
    },
    {
      "code": 6084,
      "name": "quorumOverHalf",
      "msg": "The quorum is over half of the eligible weight: half and one that are awake could not decide"
    },
    {
      "code": 6085,
      "name": "gateOnItself",
      "msg": "The gate asks for the task's own mint or for the task itself"
    },
    {
      "code": 6086,
      "name": "notReleased",
      "msg": "One leave delay after the task's retirement is not over"
    },
    {
      "code": 6087,
      "name": "nothingToRestake",
      "msg": "The node has nothing payable and no share whose lock is over"
    },
    {
      "code": 6088,
      "name": "panelTooSmall",
      "msg": "A panel has at least three seats; 0 for none"
    },
    {
      "code": 6089,
      "name": "panelWithoutAppeal",
      "msg": "A panel needs at least 150 slots to appeal: a draw can go wrong by luck or by grinding, and only an appeal turns it"
    },
    {
      "code": 6090,
      "name": "panelWindowTooShort",
      "msg": "The window in which a panel is drawn and votes is shorter than 528 slots"
    },
    {
      "code": 6091,
      "name": "quorumOverPanel",
      "msg": "The quorum asks for more votes than half of the panel's seats"
    },
    {
      "code": 6092,
      "name": "appealBondZero",
      "msg": "Appeals need both a window and a bond; 0 and 0 for none"
    },
    {
      "code": 6093,
      "name": "secretHashMissing",
      "msg": "The task draws panels; the accusation lacks the hash of the initiator's secret"
    },
    {
      "code": 6094,
      "name": "evidenceHashMissing",
      "msg": "The evidence has a URI and no SHA-256"
    },
    {
      "code": 6095,
      "name": "noPanel",
      "msg": "No panel is drawn in this task"
    },
    {
      "code": 6096,
      "name": "alreadyDrawn",
      "msg": "The panel is drawn already"
    },
    {
      "code": 6097,
      "name": "drawTooEarly",
      "msg": "No block that may decide the draw is known yet"
    },
    {
      "code": 6098,
      "name": "drawTooLate",
      "msg": "The panel can't be drawn any more; everybody eligible may vote"
    },
    {
      "code": 6099,
      "name": "secretMismatch",
      "msg": "The secret is not the one whose hash came with the accusation"
    },
    {
      "code": 6100,
      "name": "panelNotDrawn",
      "msg": "The panel is not drawn yet"
    },
    {
      "code": 6101,
      "name": "notSeated",
      "msg": "The node has no seat on the panel"
    },
    {
      "code": 6102,
      "name": "appealClosed",
      "msg": "Appeals are not taken at this slot"
    },
    {
      "code": 6103,
      "name": "alreadyAppealed",
      "msg": "The audit was appealed already"
    },
    {
      "code": 6104,
      "name": "appealOpen",
      "msg": "Appeals are still taken"
    },
    {
      "code": 6105,
      "name": "stakeAtRisk",
      "msg": "Open audits may slash what the appeal's bond would be lent of; add stake, or let another node appeal"
    },
    {
      "code": 6106,
      "name": "revealWindowMissed",
      "msg": "The vote was committed before the appeal and its reveal window is over; its deposit is lost"
    }
  ],
  "types": [
    {
      "name": "accountClosed",
      "docs": [
        "A vote, audit, submission, round, node or task was closed and its rent returned."
      ],
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "account",
            "type": "pubkey"
          },
          {
            "name": "poolAward",
            "docs": [
              "What a round's reserve gave back to the pool; what a task's pool gave back to the creator."
            ],
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "allowEntry",
      "docs": [
        "A creator's permission for one owner to take one role. Seeds: `allow`, task, role (u8), owner."
      ],
      "serialization": "bytemuck",
      "repr": {
        "kind": "c"
      },
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "owner",
            "type": "pubkey"
          },
          {
            "name": "payer",
            "docs": [
              "Paid the rent and gets it back."
            ],
            "type": "pubkey"
          },
          {
            "name": "role",
            "docs": [
              "0 worker, 1 witness."
            ],
            "type": "u8"
          },
          {
            "name": "bump",
            "type": "u8"
          }
        ]
      }
    },
    {
      "name": "arrival",
      "docs": [
        "Stake that came or went lately: what came votes only on submissions made after `slot`. All zeros where there is none."
      ],
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "slot",
            "type": "u64"
          },
          {
            "name": "amount",
            "docs": [
              "Base units."
            ],
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "audit",
      "docs": [
        "One audit of a submission. Seeds: `audit`, submission, initiator's owner, index (u32 LE): an address that nobody but the initiator",
        "can take. Amounts in base units of the mint.",
        "",
        "Owns `voters_left` of the vault. Holds no list of voters: any number of them costs `resolve_audit` the same."
      ],
      "serialization": "bytemuck",
      "repr": {
        "kind": "c"
      },
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "submission",
            "type": "pubkey"
          },
          {
            "name": "initiator",
            "docs": [
              "The accuser's owner."
            ],
            "type": "pubkey"
          },
          {
            "name": "accused",
            "docs": [
              "The accused node's owner."
            ],
            "type": "pubkey"
          },
          {
            "name": "payer",
            "docs": [
              "Paid the rent and gets it back."
            ],
            "type": "pubkey"
          },
          {
            "name": "appellant",
            "docs": [
              "Who appealed, by owner; zeros where nobody did."
            ],
            "type": "pubkey"
          },
          {
            "name": "evidenceHash",
            "docs": [
              "SHA-256 of why the initiator accuses; zeros: none. Its URI is in the event alone."
            ],
            "type": {
              "array": [
                "u8",
                32
              ]
            }
          },
          {
            "name": "secretHash",
            "docs": [
              "SHA-256 of the initiator's secret; zeros where everybody may vote."
            ],
            "type": {
              "array": [
                "u8",
                32
              ]
            }
          },
          {
            "name": "seed",
            "docs": [
              "What decides who has a seat; zeros before the draw."
            ],
            "type": {
              "array": [
                "u8",
                32
              ]
            }
          },
          {
            "name": "submissionSlot",
            "type": "u64"
          },
          {
            "name": "openSlot",
            "type": "u64"
          },
          {
            "name": "drawSlot",
            "docs": [
              "The panel is drawn after this slot, with the first block at or after it; 0 where everybody may vote."
            ],
            "type": "u64"
          },
          {
            "name": "appealSlot",
            "docs": [
              "When it was appealed, and its second windows began; 0 where nobody did."
            ],
            "type": "u64"
          },
          {
            "name": "revealSlot",
            "docs": [
              "First slot of the reveal window; with a commit window of 0, of all votes. Of the second windows after an appeal."
            ],
            "type": "u64"
          },
          {
            "name": "endSlot",
            "docs": [
              "First slot at which no vote is taken. The audit can be resolved then, or when the time to appeal is over."
            ],
            "type": "u64"
          },
          {
            "name": "accusedStake",
            "docs": [
              "The accused's stake when the audit opened, and what earlier verdicts on the submission had taken of it."
            ],
            "type": "u64"
          },
          {
            "name": "eligible",
            "docs": [
              "What could vote: all nodes but the accused, just before the submission's slot."
            ],
            "type": {
              "defined": {
                "name": "electorate"
              }
            }
          },
          {
            "name": "initiatorStake",
            "docs": [
              "What the initiator's accusation weighs by stake."
            ],
            "type": "u64"
          },
          {
            "name": "bond",
            "docs": [
              "What the initiator loses of its stake if its accusation fails."
            ],
            "type": "u64"
          },
          {
            "name": "voteDeposit",
            "docs": [
              "What a voter loses of its stake if it doesn't reveal its commitment."
            ],
            "type": "u64"
          },
          {
            "name": "votes",
            "type": {
              "defined": {
                "name": "votes"
              }
            }
          },
          {
            "name": "votersPot",
            "docs": [
              "The voters' part of the slash or bond, without the initiator's share."
            ],
            "type": "u64"
          },
          {
            "name": "votersWeight",
            "docs": [
              "The whole that each voter's share is a part of, in the tally's weight."
            ],
            "type": "u64"
          },
          {
            "name": "votersLeft",
            "docs": [
              "What is left of `voters_pot`; the last claim sends the floors' remainder to the pool."
            ],
            "type": "u64"
          },
          {
            "name": "unclaimed",
            "docs": [
              "Votes that exist and are not claimed, the initiator's accusation not among them."
            ],
            "type": "u32"
          },
          {
            "name": "liveVotes",
            "docs": [
              "Vote accounts that are not closed."
            ],
            "type": "u32"
          },
          {
            "name": "rules",
            "type": {
              "defined": {
                "name": "caseRules"
              }
            }
          },
          {
            "name": "index",
            "docs": [
              "The initiator's count of audits before this one: part of the address."
            ],
            "type": "u32"
          },
          {
            "name": "attempt",
            "docs": [
              "Audits of the submission that were opened before this one. They are resolved in that order."
            ],
            "type": "u32"
          },
          {
            "name": "accusation",
            "type": {
              "defined": {
                "name": "podOpinion"
              }
            }
          },
          {
            "name": "outcome",
            "type": {
              "defined": {
                "name": "podOutcome"
              }
            }
          },
          {
            "name": "firstOutcome",
            "docs": [
              "What the count before the appeal said; `Open` where nobody appealed."
            ],
            "type": {
              "defined": {
                "name": "podOutcome"
              }
            }
          },
          {
            "name": "bump",
            "type": "u8"
          }
        ]
      }
    },
    {
      "name": "auditAppealed",
      "docs": [
        "An audit was opened to everybody eligible, with new windows. The votes that are in stay."
      ],
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "audit",
            "type": "pubkey"
          },
          {
            "name": "appellant",
            "docs": [
              "The appellant's owner."
            ],
            "type": "pubkey"
          },
          {
            "name": "bond",
            "docs": [
              "Pledged out of the appellant's stake."
            ],
            "type": "u64"
          },
          {
            "name": "firstOutcome",
            "docs": [
              "What the first count said, as in `AuditResolved`."
            ],
            "type": "u8"
          },
          {
            "name": "revealSlot",
            "docs": [
              "First slot of the second reveal window."
            ],
            "type": "u64"
          },
          {
            "name": "endSlot",
            "docs": [
              "First slot at which no vote is taken any more."
            ],
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "auditOpened",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "submission",
            "type": "pubkey"
          },
          {
            "name": "audit",
            "type": "pubkey"
          },
          {
            "name": "initiator",
            "type": "pubkey"
          },
          {
            "name": "accused",
            "type": "pubkey"
          },
          {
            "name": "accusation",
            "docs": [
              "1 downtime, 2 malice."
            ],
            "type": "u8"
          },
          {
            "name": "index",
            "docs": [
              "Audits that the initiator had begun before: part of the address."
            ],
            "type": "u32"
          },
          {
            "name": "bond",
            "docs": [
              "Pledged out of the initiator's stake."
            ],
            "type": "u64"
          },
          {
            "name": "weight",
            "docs": [
              "The initiator's frozen weight by stake."
            ],
            "type": "u64"
          },
          {
            "name": "accusedStake",
            "type": "u64"
          },
          {
            "name": "drawSlot",
            "docs": [
              "The panel is drawn after this slot; 0 where everybody may vote."
            ],
            "type": "u64"
          },
          {
            "name": "endSlot",
            "docs": [
              "First slot at which no vote is taken."
            ],
            "type": "u64"
          },
          {
            "name": "evidenceHash",
            "docs": [
              "SHA-256 of why; zeros: none."
            ],
            "type": {
              "array": [
                "u8",
                32
              ]
            }
          },
          {
            "name": "evidenceUri",
            "docs": [
              "Where that is to be had, at most 128 bytes. No account keeps it."
            ],
            "type": "string"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "auditResolved",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "audit",
            "type": "pubkey"
          },
          {
            "name": "initiator",
            "type": "pubkey"
          },
          {
            "name": "accused",
            "type": "pubkey"
          },
          {
            "name": "outcome",
            "docs": [
              "1 no verdict, 2 acquitted, 3 convicted of downtime, 4 convicted of malice."
            ],
            "type": "u8"
          },
          {
            "name": "slash",
            "docs": [
              "Taken from the accused's stake."
            ],
            "type": "u64"
          },
          {
            "name": "bondLost",
            "docs": [
              "Taken from the initiator's stake, after an acquittal."
            ],
            "type": "u64"
          },
          {
            "name": "appealBondLost",
            "docs": [
              "Taken from the appellant's stake, after an appeal that changed nothing. In part the pool's, the rest the voters'."
            ],
            "type": "u64"
          },
          {
            "name": "initiatorAward",
            "docs": [
              "Locked rewards of the initiator."
            ],
            "type": "u64"
          },
          {
            "name": "accusedAward",
            "docs": [
              "Locked rewards of the accused: its part of a lost bond."
            ],
            "type": "u64"
          },
          {
            "name": "poolAward",
            "type": "u64"
          },
          {
            "name": "votersPot",
            "docs": [
              "What the voters can claim."
            ],
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "bountyClaimed",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "submission",
            "type": "pubkey"
          },
          {
            "name": "owner",
            "type": "pubkey"
          },
          {
            "name": "round",
            "type": "u64"
          },
          {
            "name": "amount",
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "caseRules",
      "docs": [
        "The rules that decide and share an audit, copied into it when it opens."
      ],
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "quorumVotes",
            "docs": [
              "Least votes on the side that decides, besides the initiator's."
            ],
            "type": "u32"
          },
          {
            "name": "quorumBps",
            "docs": [
              "Least share of the eligible weight on the side that decides, the initiator's accusation included; at most half."
            ],
            "type": "u16"
          },
          {
            "name": "downtimeBps",
            "type": "u16"
          },
          {
            "name": "maliceBps",
            "type": "u16"
          },
          {
            "name": "initiatorBonusBps",
            "type": "u16"
          },
          {
            "name": "poolBps",
            "type": "u16"
          },
          {
            "name": "panelSeats",
            "docs": [
              "How many seats are drawn for an audit, on average; 0: everybody may vote."
            ],
            "type": "u16"
          },
          {
            "name": "voteWeight",
            "type": {
              "defined": {
                "name": "podVoteWeight"
              }
            }
          },
          {
            "name": "rewardRule",
            "type": {
              "defined": {
                "name": "podRewardRule"
              }
            }
          }
        ]
      }
    },
    {
      "name": "departed",
      "docs": [
        "Active stake that went within one longest case, by a request to leave or by a slash. Oldest first; all zeros where there is none."
      ],
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "parts",
            "docs": [
              "When it went. One that has no place counts with the last."
            ],
            "type": {
              "array": [
                {
                  "defined": {
                    "name": "arrival"
                  }
                },
                4
              ]
            }
          },
          {
            "name": "young",
            "docs": [
              "When that of it came which was young as it went, in the order in which it went. One that has no place counts with the last, and both",
              "are as young as the younger."
            ],
            "type": {
              "array": [
                {
                  "defined": {
                    "name": "arrival"
                  }
                },
                4
              ]
            }
          }
        ]
      }
    },
    {
      "name": "electorate",
      "docs": [
        "Who could vote: stake in base units, and nodes. Only nodes whose stake that isn't leaving is at least their role's minimum count."
      ],
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "stake",
            "type": "u64"
          },
          {
            "name": "nodes",
            "type": "u32"
          }
        ]
      }
    },
    {
      "name": "functionRef",
      "docs": [
        "A JavaScript function that a task is bound to: what nodes fetch, and the hash they refuse it without."
      ],
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "hash",
            "docs": [
              "SHA-256; all zeros where the task has none."
            ],
            "type": {
              "array": [
                "u8",
                32
              ]
            }
          },
          {
            "name": "uri",
            "type": {
              "defined": {
                "name": "podVec",
                "generics": [
                  {
                    "kind": "type",
                    "type": "u8"
                  },
                  {
                    "kind": "const",
                    "value": "128"
                  }
                ]
              }
            }
          }
        ]
      }
    },
    {
      "name": "gate",
      "docs": [
        "A role's gate, frozen with the rules."
      ],
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "kind",
            "type": {
              "defined": {
                "name": "podGateKind"
              }
            }
          },
          {
            "name": "key",
            "docs": [
              "The mint, group or task that the gate asks about; zeros where it asks about none."
            ],
            "type": "pubkey"
          },
          {
            "name": "least",
            "docs": [
              "Least balance in base units, or least paid rounds."
            ],
            "type": "u64"
          },
          {
            "name": "most",
            "docs": [
              "Most convictions."
            ],
            "type": "u32"
          }
        ]
      }
    },
    {
      "name": "gateArgs",
      "docs": [
        "A gate as an argument: kind by number, and what it asks for."
      ],
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "kind",
            "type": "u8"
          },
          {
            "name": "key",
            "type": "pubkey"
          },
          {
            "name": "least",
            "type": "u64"
          },
          {
            "name": "most",
            "type": "u32"
          }
        ]
      }
    },
    {
      "name": "leaveCancelled",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "owner",
            "type": "pubkey"
          },
          {
            "name": "amount",
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "leaveRequested",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "owner",
            "type": "pubkey"
          },
          {
            "name": "amount",
            "type": "u64"
          },
          {
            "name": "leaving",
            "docs": [
              "All that is leaving after."
            ],
            "type": "u64"
          },
          {
            "name": "leaveSlot",
            "docs": [
              "First slot at which it can be withdrawn."
            ],
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "node",
      "docs": [
        "A node of a task. Seeds: `node`, task, owner. Amounts in base units of the mint.",
        "",
        "Owns `stake + locked + locked_next + payable` of the vault. Bonds and deposits never leave the stake: they are earmarks, which",
        "minimum, weight and slash do not see."
      ],
      "serialization": "bytemuck",
      "repr": {
        "kind": "c"
      },
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "owner",
            "docs": [
              "Cold key: money goes to it alone."
            ],
            "type": "pubkey"
          },
          {
            "name": "operator",
            "docs": [
              "Hot key: submits, accuses and votes, and never takes money."
            ],
            "type": "pubkey"
          },
          {
            "name": "payer",
            "docs": [
              "Paid the rent and gets it back."
            ],
            "type": "pubkey"
          },
          {
            "name": "joinedSlot",
            "type": "u64"
          },
          {
            "name": "stake",
            "docs": [
              "All of it can be slashed, the leaving part too."
            ],
            "type": "u64"
          },
          {
            "name": "leaving",
            "docs": [
              "The part of `stake` that was asked to leave."
            ],
            "type": "u64"
          },
          {
            "name": "leaveSlot",
            "docs": [
              "First slot at which `leaving` can be withdrawn; 0 where nothing is leaving."
            ],
            "type": "u64"
          },
          {
            "name": "askedToLeave",
            "docs": [
              "What asked to leave since nothing was leaving, slashed or not: it still votes on submissions up to its request's slot, since it was",
              "active just before them and can't leave before their cases are over."
            ],
            "type": {
              "defined": {
                "name": "departed"
              }
            }
          },
          {
            "name": "slashed",
            "docs": [
              "What slashes took of active stake: on submissions up to their slots the minimum counts it."
            ],
            "type": {
              "defined": {
                "name": "departed"
              }
            }
          },
          {
            "name": "arrivals",
            "docs": [
              "Oldest first. Stake that goes takes the youngest along."
            ],
            "type": {
              "array": [
                {
                  "defined": {
                    "name": "arrival"
                  }
                },
                4
              ]
            }
          },
          {
            "name": "before",
            "docs": [
              "What the node could vote with at the start of `before_slot`, the last slot in which its stake changed."
            ],
            "type": {
              "defined": {
                "name": "electorate"
              }
            }
          },
          {
            "name": "beforeSlot",
            "type": "u64"
          },
          {
            "name": "bonds",
            "docs": [
              "Bonds of the node's own open accusations and appeals, out of its stake: one that fails costs its bond."
            ],
            "type": "u64"
          },
          {
            "name": "commitments",
            "docs": [
              "The node's own commitments that are neither revealed nor claimed: each has a deposit out of its stake. A count, since a sum could",
              "be driven over u64, and then keep the node from voting."
            ],
            "type": "u32"
          },
          {
            "name": "locked",
            "docs": [
              "Shares of slashes and bonds that can't leave before `locked_until`."
            ],
            "type": "u64"
          },
          {
            "name": "lockedUntil",
            "type": "u64"
          },
          {
            "name": "lockedNext",
            "docs": [
              "Shares that came while `locked` was filled. A second box, so that new shares never put off old ones for ever."
            ],
            "type": "u64"
          },
          {
            "name": "lockedNextUntil",
            "type": "u64"
          },
          {
            "name": "payable",
            "docs": [
              "Can be withdrawn at once."
            ],
            "type": "u64"
          },
          {
            "name": "openAudits",
            "docs": [
              "Open audits against this node. Whoever resolves them lowers it, the node itself too, so the lock always ends."
            ],
            "type": "u32"
          },
          {
            "name": "risk",
            "docs": [
              "Base units: the most that one of those may take. Their number times this can't be lent for an appeal."
            ],
            "type": "u64"
          },
          {
            "name": "live",
            "docs": [
              "Submissions of this node, votes of it and audits begun by it whose accounts are not closed, and its appeals that are not decided."
            ],
            "type": "u32"
          },
          {
            "name": "audits",
            "docs": [
              "Audits begun by it so far; the next one's index."
            ],
            "type": "u32"
          },
          {
            "name": "submissions",
            "type": "u32"
          },
          {
            "name": "roundsPaid",
            "type": "u32"
          },
          {
            "name": "convictionsDowntime",
            "docs": [
              "Submissions convicted, each once, by its gravest verdict."
            ],
            "type": "u32"
          },
          {
            "name": "convictionsMalice",
            "type": "u32"
          },
          {
            "name": "votesWithMajority",
            "type": "u32"
          },
          {
            "name": "votesAgainstMajority",
            "type": "u32"
          },
          {
            "name": "votesUnrevealed",
            "type": "u32"
          },
          {
            "name": "role",
            "type": {
              "defined": {
                "name": "podRole"
              }
            }
          },
          {
            "name": "bump",
            "type": "u8"
          }
        ]
      }
    },
    {
      "name": "nodeAllowed",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "owner",
            "type": "pubkey"
          },
          {
            "name": "payer",
            "type": "pubkey"
          },
          {
            "name": "role",
            "docs": [
              "0 worker, 1 witness."
            ],
            "type": "u8"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "nodeDisallowed",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "owner",
            "type": "pubkey"
          },
          {
            "name": "role",
            "docs": [
              "0 worker, 1 witness."
            ],
            "type": "u8"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "nodeJoined",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "owner",
            "type": "pubkey"
          },
          {
            "name": "operator",
            "type": "pubkey"
          },
          {
            "name": "payer",
            "type": "pubkey"
          },
          {
            "name": "role",
            "docs": [
              "0 worker, 1 witness."
            ],
            "type": "u8"
          },
          {
            "name": "stake",
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "operatorSet",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "owner",
            "type": "pubkey"
          },
          {
            "name": "operator",
            "type": "pubkey"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "panelDrawn",
      "docs": [
        "A panel was drawn: who is on it follows from the seed."
      ],
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "audit",
            "type": "pubkey"
          },
          {
            "name": "seed",
            "type": {
              "array": [
                "u8",
                32
              ]
            }
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "podBool",
      "type": {
        "kind": "type",
        "alias": "bool"
      }
    },
    {
      "name": "podGateKind",
      "docs": [
        "Who may take a role. Checked at joining and again at every submission; an allowlist also at every accusation and vote; never at",
        "leaving.",
        "",
        "Seed: \"Reputation over time and secondary tokens or NFTs can be used to permission task access\"."
      ],
      "type": {
        "kind": "type",
        "alias": "u8"
      }
    },
    {
      "name": "podOpinion",
      "docs": [
        "What a voter says of a submission."
      ],
      "type": {
        "kind": "type",
        "alias": "u8"
      }
    },
    {
      "name": "podOutcome",
      "type": {
        "kind": "type",
        "alias": "u8"
      }
    },
    {
      "name": "podRewardRule",
      "docs": [
        "Who shares the voters' part."
      ],
      "type": {
        "kind": "type",
        "alias": "u8"
      }
    },
    {
      "name": "podRole",
      "docs": [
        "What a node may do. Both may vote and call audits."
      ],
      "type": {
        "kind": "type",
        "alias": "u8"
      }
    },
    {
      "name": "podSubmissionStatus",
      "docs": [
        "The gravest verdict so far. It only rises: no later audit, by whomever, makes an earlier verdict milder."
      ],
      "type": {
        "kind": "type",
        "alias": "u8"
      }
    },
    {
      "name": "podTaskStatus",
      "docs": [
        "Whether a task takes new nodes and work."
      ],
      "type": {
        "kind": "type",
        "alias": "u8"
      }
    },
    {
      "name": "podU16",
      "type": {
        "kind": "type",
        "alias": "u16"
      }
    },
    {
      "name": "podU32",
      "type": {
        "kind": "type",
        "alias": "u32"
      }
    },
    {
      "name": "podU64",
      "type": {
        "kind": "type",
        "alias": "u64"
      }
    },
    {
      "name": "podVec",
      "serialization": "bytemuckunsafe",
      "repr": {
        "kind": "c"
      },
      "generics": [
        {
          "kind": "type",
          "name": "t"
        },
        {
          "kind": "const",
          "name": "max",
          "type": "usize"
        }
      ],
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "len",
            "type": {
              "defined": {
                "name": "podU16"
              }
            }
          },
          {
            "name": "data",
            "type": {
              "array": [
                {
                  "generic": "t"
                },
                {
                  "generic": "max"
                }
              ]
            }
          }
        ]
      }
    },
    {
      "name": "podVoteState",
      "type": {
        "kind": "type",
        "alias": "u8"
      }
    },
    {
      "name": "podVoteWeight",
      "docs": [
        "What a vote weighs in the tally and in the voters' shares."
      ],
      "type": {
        "kind": "type",
        "alias": "u8"
      }
    },
    {
      "name": "restaked",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "owner",
            "type": "pubkey"
          },
          {
            "name": "amount",
            "docs": [
              "Payable and unlocked shares before."
            ],
            "type": "u64"
          },
          {
            "name": "stake",
            "docs": [
              "The node's stake after."
            ],
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "round",
      "docs": [
        "One round of a task: what it can pay and what happened in it. Seeds: `round`, task, number (u64 LE). Base units of the mint.",
        "",
        "Owns `left` of the vault."
      ],
      "serialization": "bytemuck",
      "repr": {
        "kind": "c"
      },
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "payer",
            "docs": [
              "Paid the rent and gets it back."
            ],
            "type": "pubkey"
          },
          {
            "name": "number",
            "type": "u64"
          },
          {
            "name": "reserve",
            "docs": [
              "Taken out of the pool at the first submission: the bounty per round, or all that was in the pool."
            ],
            "type": "u64"
          },
          {
            "name": "left",
            "docs": [
              "What is left of `reserve`."
            ],
            "type": "u64"
          },
          {
            "name": "submissions",
            "type": "u32"
          },
          {
            "name": "convictions",
            "type": "u32"
          },
          {
            "name": "paid",
            "docs": [
              "Submissions whose bounty was claimed."
            ],
            "type": "u32"
          },
          {
            "name": "openAudits",
            "type": "u32"
          },
          {
            "name": "liveSubmissions",
            "docs": [
              "Submission accounts that are not closed."
            ],
            "type": "u32"
          },
          {
            "name": "bump",
            "type": "u8"
          }
        ]
      }
    },
    {
      "name": "rules",
      "docs": [
        "A task's rules, frozen for ever. Slots, base units of the mint, basis points (`_bps`)."
      ],
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "roundSlots",
            "type": "u64"
          },
          {
            "name": "submissionSlots",
            "docs": [
              "Work is taken in the first slots of a round."
            ],
            "type": "u64"
          },
          {
            "name": "auditSlots",
            "docs": [
              "Audits may be opened from the submission until this long after the submission window."
            ],
            "type": "u64"
          },
          {
            "name": "commitSlots",
            "docs": [
              "0: votes are open, cast in the reveal window."
            ],
            "type": "u64"
          },
          {
            "name": "revealSlots",
            "type": "u64"
          },
          {
            "name": "leaveDelaySlots",
            "type": "u64"
          },
          {
            "name": "workerMinStake",
            "type": "u64"
          },
          {
            "name": "witnessMinStake",
            "type": "u64"
          },
          {
            "name": "bountyPerRound",
            "type": "u64"
          },
          {
            "name": "initiatorBond",
            "type": "u64"
          },
          {
            "name": "voteDeposit",
            "type": "u64"
          },
          {
            "name": "appealSlots",
            "docs": [
              "How long after its last vote an audit may be appealed; 0: never."
            ],
            "type": "u64"
          },
          {
            "name": "appealBond",
            "type": "u64"
          },
          {
            "name": "case",
            "type": {
              "defined": {
                "name": "caseRules"
              }
            }
          },
          {
            "name": "workerGate",
            "type": {
              "defined": {
                "name": "gate"
              }
            }
          },
          {
            "name": "witnessGate",
            "type": {
              "defined": {
                "name": "gate"
              }
            }
          }
        ]
      }
    },
    {
      "name": "rulesArgs",
      "docs": [
        "A creator's rules as an argument. Slots, base units of the mint, basis points (`_bps`)."
      ],
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "roundSlots",
            "type": "u64"
          },
          {
            "name": "submissionSlots",
            "type": "u64"
          },
          {
            "name": "auditSlots",
            "type": "u64"
          },
          {
            "name": "commitSlots",
            "type": "u64"
          },
          {
            "name": "revealSlots",
            "type": "u64"
          },
          {
            "name": "leaveDelaySlots",
            "type": "u64"
          },
          {
            "name": "workerMinStake",
            "type": "u64"
          },
          {
            "name": "witnessMinStake",
            "type": "u64"
          },
          {
            "name": "bountyPerRound",
            "type": "u64"
          },
          {
            "name": "initiatorBond",
            "type": "u64"
          },
          {
            "name": "voteDeposit",
            "type": "u64"
          },
          {
            "name": "appealSlots",
            "type": "u64"
          },
          {
            "name": "appealBond",
            "type": "u64"
          },
          {
            "name": "quorumVotes",
            "type": "u32"
          },
          {
            "name": "quorumBps",
            "type": "u16"
          },
          {
            "name": "downtimeBps",
            "type": "u16"
          },
          {
            "name": "maliceBps",
            "type": "u16"
          },
          {
            "name": "initiatorBonusBps",
            "type": "u16"
          },
          {
            "name": "poolBps",
            "type": "u16"
          },
          {
            "name": "panelSeats",
            "type": "u16"
          },
          {
            "name": "voteWeight",
            "docs": [
              "0 by node, 1 by stake."
            ],
            "type": "u8"
          },
          {
            "name": "rewardRule",
            "docs": [
              "0 all voters, 1 the majority."
            ],
            "type": "u8"
          },
          {
            "name": "workerGate",
            "type": {
              "defined": {
                "name": "gateArgs"
              }
            }
          },
          {
            "name": "witnessGate",
            "type": {
              "defined": {
                "name": "gateArgs"
              }
            }
          },
          {
            "name": "allowLargeStake",
            "docs": [
              "Lets the worker's minimum stake be over 100 rounds' bounties."
            ],
            "type": "bool"
          }
        ]
      }
    },
    {
      "name": "stakeAdded",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "owner",
            "type": "pubkey"
          },
          {
            "name": "amount",
            "type": "u64"
          },
          {
            "name": "stake",
            "docs": [
              "The node's stake after."
            ],
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "stakeReturned",
      "docs": [
        "A node of a retired task was paid out: stake, locked shares and what was payable."
      ],
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "owner",
            "type": "pubkey"
          },
          {
            "name": "amount",
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "submission",
      "docs": [
        "A node's work for one round. Seeds: `submission`, task, round (u64 LE), owner.",
        "",
        "Any number of audits of it may be open at once, so that none keeps another from being opened."
      ],
      "serialization": "bytemuck",
      "repr": {
        "kind": "c"
      },
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "owner",
            "type": "pubkey"
          },
          {
            "name": "payer",
            "docs": [
              "Paid the rent and gets it back."
            ],
            "type": "pubkey"
          },
          {
            "name": "payloadHash",
            "type": {
              "array": [
                "u8",
                32
              ]
            }
          },
          {
            "name": "payloadUri",
            "type": {
              "defined": {
                "name": "podVec",
                "generics": [
                  {
                    "kind": "type",
                    "type": "u8"
                  },
                  {
                    "kind": "const",
                    "value": "128"
                  }
                ]
              }
            }
          },
          {
            "name": "round",
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          },
          {
            "name": "others",
            "docs": [
              "What all other nodes could vote with just before `slot`. Later stake can't thin out a vote on it, and stake that asks to leave votes on.",
              "",
              "Attack: a coalition asks to leave after the submission, still votes on it, and is no part of what a quorum and the seats are a share",
              "of: a third meets a quorum of half."
            ],
            "type": {
              "defined": {
                "name": "electorate"
              }
            }
          },
          {
            "name": "slashed",
            "docs": [
              "Base units that verdicts on it took from the node's stake."
            ],
            "type": "u64"
          },
          {
            "name": "audits",
            "docs": [
              "Audits opened so far."
            ],
            "type": "u32"
          },
          {
            "name": "decided",
            "docs": [
              "Audits resolved so far, in the order in which they were opened."
            ],
            "type": "u32"
          },
          {
            "name": "liveAudits",
            "docs": [
              "Audit accounts that are not closed."
            ],
            "type": "u32"
          },
          {
            "name": "paid",
            "docs": [
              "Whether the bounty was claimed."
            ],
            "type": "bool"
          },
          {
            "name": "status",
            "type": {
              "defined": {
                "name": "podSubmissionStatus"
              }
            }
          },
          {
            "name": "bump",
            "type": "u8"
          }
        ]
      }
    },
    {
      "name": "task",
      "docs": [
        "A task: rules, pool and totals. Seeds: `task`, creator, id (u64 LE)."
      ],
      "serialization": "bytemuck",
      "repr": {
        "kind": "c"
      },
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "creator",
            "type": "pubkey"
          },
          {
            "name": "payer",
            "docs": [
              "Paid the rent of task and vault and gets it back."
            ],
            "type": "pubkey"
          },
          {
            "name": "mint",
            "type": "pubkey"
          },
          {
            "name": "vault",
            "type": "pubkey"
          },
          {
            "name": "id",
            "type": "u64"
          },
          {
            "name": "startSlot",
            "docs": [
              "First slot of round 0."
            ],
            "type": "u64"
          },
          {
            "name": "rules",
            "type": {
              "defined": {
                "name": "rules"
              }
            }
          },
          {
            "name": "auditFunction",
            "type": {
              "defined": {
                "name": "functionRef"
              }
            }
          },
          {
            "name": "taskFunction",
            "type": {
              "defined": {
                "name": "functionRef"
              }
            }
          },
          {
            "name": "pool",
            "docs": [
              "Base units that are nobody's yet: bounties come from here."
            ],
            "type": "u64"
          },
          {
            "name": "electorate",
            "docs": [
              "What all nodes could vote with, if all their stake were old enough."
            ],
            "type": {
              "defined": {
                "name": "electorate"
              }
            }
          },
          {
            "name": "before",
            "docs": [
              "The same at the start of `before_slot`, the last slot in which it changed."
            ],
            "type": {
              "defined": {
                "name": "electorate"
              }
            }
          },
          {
            "name": "beforeSlot",
            "type": "u64"
          },
          {
            "name": "retiredSlot",
            "docs": [
              "When the task ended; 0 before."
            ],
            "type": "u64"
          },
          {
            "name": "nodes",
            "docs": [
              "Node accounts."
            ],
            "type": "u32"
          },
          {
            "name": "rounds",
            "docs": [
              "Round accounts."
            ],
            "type": "u32"
          },
          {
            "name": "entries",
            "docs": [
              "Allowlist entries."
            ],
            "type": "u32"
          },
          {
            "name": "status",
            "type": {
              "defined": {
                "name": "podTaskStatus"
              }
            }
          },
          {
            "name": "bump",
            "type": "u8"
          }
        ]
      }
    },
    {
      "name": "taskCreated",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "creator",
            "type": "pubkey"
          },
          {
            "name": "payer",
            "type": "pubkey"
          },
          {
            "name": "mint",
            "type": "pubkey"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "taskFunded",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "funder",
            "type": "pubkey"
          },
          {
            "name": "amount",
            "type": "u64"
          },
          {
            "name": "pool",
            "docs": [
              "The pool after."
            ],
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "taskPaused",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "taskResumed",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "taskRetired",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "amount",
            "docs": [
              "What left the pool for the creator."
            ],
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "vote",
      "docs": [
        "One node's vote in one audit. Seeds: `vote`, audit, owner: one for each owner, whatever its operator.",
        "",
        "Holds no money: a commitment earmarks the audit's deposit in the voter's own stake, until it is revealed or claimed."
      ],
      "serialization": "bytemuck",
      "repr": {
        "kind": "c"
      },
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "audit",
            "type": "pubkey"
          },
          {
            "name": "owner",
            "type": "pubkey"
          },
          {
            "name": "payer",
            "docs": [
              "Paid the rent and gets it back."
            ],
            "type": "pubkey"
          },
          {
            "name": "commitment",
            "docs": [
              "All zeros for a vote that was cast openly."
            ],
            "type": {
              "array": [
                "u8",
                32
              ]
            }
          },
          {
            "name": "weight",
            "docs": [
              "Frozen weight by stake, in base units."
            ],
            "type": "u64"
          },
          {
            "name": "opinion",
            "type": {
              "defined": {
                "name": "podOpinion"
              }
            }
          },
          {
            "name": "state",
            "type": {
              "defined": {
                "name": "podVoteState"
              }
            }
          },
          {
            "name": "onAppeal",
            "docs": [
              "Seated after the audit's appeal."
            ],
            "type": "bool"
          },
          {
            "name": "bump",
            "type": "u8"
          }
        ]
      }
    },
    {
      "name": "voteCast",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "audit",
            "type": "pubkey"
          },
          {
            "name": "voter",
            "type": "pubkey"
          },
          {
            "name": "opinion",
            "docs": [
              "0 valid, 1 downtime, 2 malice."
            ],
            "type": "u8"
          },
          {
            "name": "weight",
            "docs": [
              "Frozen weight by stake."
            ],
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "voteClaimed",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "audit",
            "type": "pubkey"
          },
          {
            "name": "voter",
            "type": "pubkey"
          },
          {
            "name": "share",
            "docs": [
              "Locked rewards of the voter."
            ],
            "type": "u64"
          },
          {
            "name": "depositLost",
            "docs": [
              "From the voter's stake to the pool, for a commitment that was never revealed."
            ],
            "type": "u64"
          },
          {
            "name": "poolAward",
            "docs": [
              "What the last claim's remainder added to the pool."
            ],
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "voteCommitted",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "audit",
            "type": "pubkey"
          },
          {
            "name": "voter",
            "type": "pubkey"
          },
          {
            "name": "commitment",
            "type": {
              "array": [
                "u8",
                32
              ]
            }
          },
          {
            "name": "weight",
            "docs": [
              "Frozen weight by stake."
            ],
            "type": "u64"
          },
          {
            "name": "deposit",
            "docs": [
              "Pledged out of the voter's stake."
            ],
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "voteRevealed",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "audit",
            "type": "pubkey"
          },
          {
            "name": "voter",
            "type": "pubkey"
          },
          {
            "name": "opinion",
            "docs": [
              "0 valid, 1 downtime, 2 malice."
            ],
            "type": "u8"
          },
          {
            "name": "weight",
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "votes",
      "docs": [
        "Votes and weights for each opinion, by `Opinion`."
      ],
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "nodes",
            "docs": [
              "Nodes."
            ],
            "type": {
              "array": [
                "u32",
                3
              ]
            }
          },
          {
            "name": "stake",
            "docs": [
              "Base units."
            ],
            "type": {
              "array": [
                "u64",
                3
              ]
            }
          }
        ]
      }
    },
    {
      "name": "withdrawn",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "owner",
            "type": "pubkey"
          },
          {
            "name": "amount",
            "type": "u64"
          },
          {
            "name": "stake",
            "docs": [
              "The node's stake after."
            ],
            "type": "u64"
          },
          {
            "name": "locked",
            "docs": [
              "The node's locked shares after."
            ],
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    },
    {
      "name": "workSubmitted",
      "type": {
        "kind": "struct",
        "fields": [
          {
            "name": "task",
            "type": "pubkey"
          },
          {
            "name": "submission",
            "type": "pubkey"
          },
          {
            "name": "owner",
            "type": "pubkey"
          },
          {
            "name": "round",
            "type": "u64"
          },
          {
            "name": "payloadHash",
            "type": {
              "array": [
                "u8",
                32
              ]
            }
          },
          {
            "name": "reserve",
            "docs": [
              "The round's reserve, taken out of the pool by the first submission of the round."
            ],
            "type": "u64"
          },
          {
            "name": "slot",
            "type": "u64"
          }
        ]
      }
    }
  ]
};
