//! What the binary says to whoever found a hole in it.

mod common;

use solana_security_txt::find_and_parse;

#[test]
fn the_binary_says_whom_to_tell() {
    let program = common::program_bytes();
    let text = find_and_parse(&program).expect("a security.txt in the binary");
    assert_eq!(text.name, "Securing Tasks");
    assert!(text.policy.contains("SECURITY.md"));
    assert!(!text.contacts.is_empty());
}
