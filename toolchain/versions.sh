# shellcheck shell=bash disable=SC2034 # read by the other scripts
# Every version and limit of the toolchain, in one place.

# The Debian packages' rustc; its std source is patched and rebuilt, so another minor version needs another look.
RUST_VERSION=1.96
# The LLVM that links (Debian sid, by package name) and the one whose tools read the result (Debian 12).
LINK_LLVM=23
TOOLS_LLVM=22
SBPF_LINKER_VERSION=0.2.6
VALIDATOR_VERSION=4.2.0

# A frame has 4,096 bytes. Arguments from the sixth on lie at its far end, where the linker checks only some of the
# accesses for an overlap: 128 bytes stay free for them.
FRAME_BYTES=4096
FRAME_LIMIT=$((FRAME_BYTES - 128))

# A program that lost a call's arguments on the way still loads, and silently does nothing. So the program must call these.
REQUIRED_SYSCALLS=(sol_invoke_signed_c sol_log_data sol_memcpy_ sol_memset_ sol_sha256)
# Of these one each is enough: how the clock is read depends on the version of Anchor.
REQUIRED_CLOCK_SYSCALLS=(sol_get_clock_sysvar sol_get_sysvar)
# Deploying costs rent by the byte, and a sudden jump is a mistake to be looked at.
PROGRAM_SIZE_LIMIT=245760
